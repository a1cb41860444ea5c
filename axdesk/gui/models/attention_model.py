"""What needs the operator's answer, and what the operator should know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.core.errors import AxdeskError, Code, PluginError
from axdesk.core.questions import Answer, FailedCall, Question
from axdesk.gui.models.formatting import clock
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex


class Severity(StrEnum):
    """How much an item matters."""

    QUESTION = "question"
    WARNING = "warning"
    NOTICE = "notice"
    SETTLED = "settled"
    ERROR = "error"


SIGNS = {
    Severity.QUESTION: ("alert-triangle-filled", "warn"),
    Severity.WARNING: ("alert-triangle-filled", "warn"),
    Severity.NOTICE: ("info-circle-filled", "live"),
    Severity.SETTLED: ("circle-check", "text2"),
    Severity.ERROR: ("circle-x-filled", "bad"),
}
"""Severity → icon, colour."""


@dataclass(frozen=True, slots=True)
class AttentionItem:
    """One question or notice.

    Attributes:
        severity: A question waits for an answer; the others do not.
        title: In the list.
        source: What it comes from, and what becomes of it, in small.
        happened: What happened, as a sentence.
        did: What axdesk did; may be empty.
        todo: What the operator can do; may be empty.
        at: UTC, of the last time.
        trial_index: The trial that it is about, or None.
        answers: What may be answered to a question.
        repeatable: Those of them that may be given for the rest of the run.
        asks_about_error: Whether a plugin's call failed for good, and the run waits.
        is_answering: An answer is being carried out; it cannot be answered again meanwhile.
        details: A traceback; empty for none.
        count: How many times the same was told.
        is_silent: Whether a plugin's call does not return, and can be ended with its process.
        holds_up: Whether nothing new starts before that call returns.
        code: Names the kind of item for good; the help says more.
        key: Of an item that follows what it is about; empty for one that is told once.
    """

    severity: Severity
    title: str
    source: str
    happened: str
    did: str = ""
    todo: str = ""
    at: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    trial_index: int | None = None
    answers: tuple[Answer, ...] = ()
    is_answering: bool = False
    repeatable: tuple[Answer, ...] = ()
    asks_about_error: bool = False
    details: str = ""
    count: int = 1
    key: str = ""
    is_silent: bool = False
    holds_up: bool = False
    code: Code = Code.ANY

    @property
    def needs_person(self) -> bool:
        """Whether the run waits for what the operator does."""
        return self.severity is Severity.QUESTION or self.holds_up

    @property
    def about(self) -> object:
        """What tells it from others, however much is added to it."""
        return self.severity, self.trial_index, self.key or self.title

    @property
    def report(self) -> str:
        """All of it as text, to be copied."""
        parts = [f"{self.title} ({self.code})", f"What happened: {self.happened}"]
        parts += [f"What axdesk did: {self.did}"] if self.did else []
        parts += [f"What you can do: {self.todo}"] if self.todo else []
        parts += [self.details] if self.details else []
        return "\n".join(parts)


_ASKED_ABOUT = {
    None: "may have started",
    FailedCall.RUN: "could not be deployed",
    FailedCall.POLL: "stopped answering",
    FailedCall.FETCH: "has no result",
}
"""What failed for good → the rest of the title."""
_CODES = {
    None: Code.MAY_HAVE_STARTED,
    FailedCall.RUN: Code.NOT_DEPLOYED,
    FailedCall.POLL: Code.STOPPED_ANSWERING,
    FailedCall.FETCH: Code.NO_RESULT,
}
"""The same → the item's code."""


def question_item(
    question: Question, runner: str, at: datetime, *, is_answering: bool = False,
    details: str = "",
) -> AttentionItem:  # fmt: skip
    """Return the item of a question that the run asks.

    Args:
        question: The question.
        runner: What the operator knows the runner as.
        at: UTC.
        is_answering: Whether an answer is being carried out.
        details: The traceback of the call that failed, if there is one.
    """
    index = question.trial_index
    happened = question.happened.removeprefix(f"Trial {index}: ")
    saved = f"The settings of #{index} and everything measured so far are saved."
    waits = "your answer is being carried out" if is_answering else "waiting for your decision"
    return AttentionItem(
        Severity.QUESTION,
        stopped_words(question),
        f"{runner or 'Runner'} · {waits}",
        happened[:1].upper() + happened[1:],
        f"{question.did} {saved}",
        "Check the instrument and its connection, then choose."
        if question.failed_call is not None
        else "Look at the laboratory, then choose.",
        at,
        index,
        question.answers,
        is_answering,
        tuple(filter(question.may_repeat, question.answers)),
        question.failed_call is not None,
        details,
        code=_CODES[question.failed_call],
    )


def stopped_words(question: Question) -> str:
    """Say of a trial what is asked about it: `#16 stopped answering`."""
    return f"#{question.trial_index} {_ASKED_ABOUT[question.failed_call]}"


def error_item(error: AxdeskError, source: str, at: datetime, did: str = "") -> AttentionItem:
    """Return the item of an error."""
    details = error.details if isinstance(error, PluginError) else ""
    more = str(error).removeprefix(f"{error.message} {error.hint}".strip()).strip()
    title, _, _ = error.message.partition(". ")
    return AttentionItem(
        Severity.ERROR,
        title.rstrip("."),
        source,
        error.message,
        did,
        error.hint,
        at,
        details="\n".join(part for part in (more, details) if part),
        code=error.code,
    )


class AttentionModel(QAbstractListModel):
    """Questions first, then notices, the latest first; identical notices fold into one."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[AttentionItem] = []

    @property
    def items(self) -> tuple[AttentionItem, ...]:
        """What is shown, in order."""
        return tuple(self._items)

    @property
    def open_questions(self) -> int:
        """How many items wait for an answer."""
        return sum(item.severity is Severity.QUESTION for item in self._items)

    @property
    def calls_for_person(self) -> int:
        """How many items the run waits for: those that are worth a flash in the task bar."""
        return sum(item.needs_person for item in self._items)

    def add(self, item: AttentionItem) -> None:
        """Show an item; the same one again raises its count, one with a key takes its place."""
        if item.key and (row := self._row_of(item.key)) is not None:
            self._replace(row, item)
            return
        for row, known in enumerate(self._items):
            if replace(known, at=item.at, count=1) == item:
                self._replace(row, replace(known, at=item.at, count=known.count + 1))
                return
        is_question = item.severity is Severity.QUESTION
        row = 0 if is_question else self.open_questions
        self.beginInsertRows(QModelIndex(), row, row)
        self._items.insert(row, item)
        self.endInsertRows()

    def tell_details(self, trial_index: int, details: str) -> None:
        """Add the traceback to the error of a trial that was told without."""
        for row, item in enumerate(self._items):
            tells_error = item.severity is Severity.ERROR and not item.details
            if item.trial_index == trial_index and tells_error:
                self._replace(row, replace(item, details=details))

    def remove(self, key: str) -> None:
        """Take the item with a key away, if there is one."""
        row = self._row_of(key)
        if row is not None:
            self._remove(row)

    def find(self, key: str) -> AttentionItem | None:
        """The item with a key."""
        row = self._row_of(key)
        return None if row is None else self._items[row]

    def set_questions(self, items: Sequence[AttentionItem]) -> None:
        """Show exactly these questions, beside the notices."""
        wanted = {item.trial_index: item for item in items}
        for row in reversed(range(self.open_questions)):
            known = self._items[row]
            item = wanted.pop(known.trial_index, None)
            if item is None:
                self._remove(row)
            elif replace(item, at=known.at) != known:
                self._replace(row, replace(item, at=known.at))
        for item in wanted.values():
            self.add(item)

    def _row_of(self, key: str) -> int | None:
        return next((row for row, item in enumerate(self._items) if item.key == key), None)

    def _replace(self, row: int, item: AttentionItem) -> None:
        self._items[row] = item
        self.dataChanged.emit(self.index(row), self.index(row))

    def _remove(self, row: int) -> None:
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._items[row]
        self.endRemoveRows()

    def item_at(self, row: int) -> AttentionItem | None:
        """The item of a row."""
        return self._items[row] if 0 <= row < len(self._items) else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The items."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A row."""
        item = self.item_at(index.row()) if index.isValid() else None
        if item is None:
            return None
        icon_name, tone = SIGNS[item.severity]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return item.title if item.count == 1 else f"{item.title}, {item.count} times"
            case Qt.ItemDataRole.ToolTipRole:
                return item.happened
            case Role.ICON:
                return icon_name
            case Role.ICON_TONE:
                return tone
            case Role.STRONG:
                return True
            case Role.SECOND_LINE:
                return item.source
            case Role.SIDE:
                return clock(item.at, datetime.now(UTC))
            case _:
                return None
