"""Dialogs: a statement, one sentence, content, and buttons with the safe way next to the primary.

None of them blocks: `open()` shows it over its window, a signal tells what was chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.commands import TResult
from axdesk.core.objective import OptimizationConfig
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.gui.models.formatting import counted, duration, listed, number
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.fields import NumberField, SpinField, TextField
from axdesk.gui.widgets.labels import Tile, label

_MOST_LISTED = 8


@dataclass(frozen=True, slots=True)
class Way:
    """One button of a dialog: what it is called, what it says, its kind and its icon."""

    key: str
    text: str
    kind: str = "normal"
    icon: str = ""


class Dialog(QDialog):
    """A dialog over the window.

    Signals:
        chosen: The operator pressed a button; carries its key. Escape
            closes it without.
    """

    chosen = Signal(str)

    def __init__(
        self,
        parent: QWidget | None,
        *,
        name: str,
        title: str,
        sentence: str,
        ways: Sequence[Way],
        icon_name: str = "info-circle",
        tone: str = "live",
        width: int = 460,
    ) -> None:
        """Make a dialog; fill it through `body`, and left of its buttons through `aside`.

        Args:
            parent: The window.
            name: Object name; the buttons are called `NAME.KEY`.
            title: A statement or a question.
            sentence: What is safe, and what is needed.
            ways: The buttons from left to right.
            icon_name: On the tile.
            tone: Colour token of the tile.
            width: At a 16 pixel line.
        """
        super().__init__(parent)
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(min(px(width), self.room().width()))
        outer = QVBoxLayout(self)
        # The least size that Qt computes for wrapped text is too high; see `showEvent`.
        outer.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        outer.setContentsMargins(px(24), px(22), px(24), px(20))
        outer.setSpacing(px(16))
        head = QHBoxLayout()
        head.setSpacing(px(16))
        head.addWidget(Tile(icon_name, tone), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(px(6))
        words.addWidget(label(title, "title", wrap=True))
        if sentence:
            words.addWidget(label(sentence, "body", "text2", wrap=True))
        words.addStretch(1)
        head.addLayout(words, 1)
        outer.addLayout(head)
        self.body = QVBoxLayout()
        self.body.setSpacing(px(8))
        outer.addLayout(self.body)
        row = QHBoxLayout()
        row.setSpacing(px(8))
        self.aside = QHBoxLayout()
        self.aside.setSpacing(px(8))
        row.addLayout(self.aside)
        row.addStretch(1)
        self.buttons: dict[str, Button] = {}
        for way in ways:
            button = Button(way.text, way.icon, kind=way.kind, name=f"{name}.{way.key}")
            button.setAutoDefault(True)  # Return presses it while it has the keyboard
            button.clicked.connect(lambda _=False, key=way.key: self.choose(key))
            self.buttons[way.key] = button
            row.addWidget(button)
            if way.kind == "primary":
                button.setDefault(True)
        outer.addStretch(1)
        outer.addLayout(row)
        offer_help(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Take no more height than the wrapped text needs at this width."""
        super().showEvent(event)
        self._order_keys()
        self.fit_height()

    def _order_keys(self) -> None:
        """Have Tab go as one reads: through the content from its begin, then the buttons."""
        ends = sorted(self.buttons.values(), key=lambda button: self.aside.indexOf(button) < 0)
        stops: list[QWidget] = []
        widget = self.nextInFocusChain()
        while widget is not None and widget is not self:
            if widget not in ends and widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                stops.append(widget)
            widget = widget.nextInFocusChain()
        for before, after in pairwise((*stops, *ends)):
            QWidget.setTabOrder(before, after)
        if stops and self.focusWidget() in ends:
            stops[0].setFocus()

    def fit_height(self) -> None:
        """Take the height that the content needs now."""
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            layout.activate()
            wanted = layout.heightForWidth(self.width())
            self.resize(self.width(), min(wanted, self.room().height()))

    def room(self) -> QSize:
        """The size that the screen has room for."""
        return self.screen().availableGeometry().size() - QSize(px(16), px(40))

    def add_aside(self, key: str, text: str, icon_name: str, act: Callable[[], object]) -> Button:
        """Put a button left of the others that does something and leaves the dialog open."""
        button = Button(text, icon_name, on_click=act, name=f"{self.objectName()}.{key}")
        self.buttons[key] = button
        self.aside.addWidget(button)
        return button

    def choose(self, key: str) -> None:
        """Close with the button called `key`."""
        self.chosen.emit(key)
        self.done(QDialog.DialogCode.Accepted)


def offer_help(dialog: QDialog) -> None:
    """Let F1 open the help in a dialog as it does in its window."""
    window = dialog.parentWidget()
    action = None if window is None else window.window().findChild(QAction, "action.help.contents")
    if action is not None:
        dialog.addAction(action)


def stop_now_dialog(parent: QWidget | None, facts: RunFacts, runner: str) -> Dialog:
    """Ask whether the running trials shall be ended."""
    pending = facts.pending
    are = "is" if len(pending) == 1 else "are"
    they = "it" if len(pending) == 1 else "they"
    if facts.stopping_since is not None:
        seconds = (datetime.now(UTC) - facts.stopping_since).total_seconds()
        goes = "goes" if len(pending) == 1 else "go"
        return Dialog(
            parent,
            name="dialog.stop_now",
            title=f"Leave {listed(t.index for t in pending)} behind?",
            sentence=f"{runner or 'The runner'} has not stopped {'it' if they == 'it' else 'them'} "
            f"within {duration(seconds)}. {they.capitalize()} {goes} on in the laboratory, and a "
            "resumed run follows. Everything measured so far is saved.",
            ways=(Way("cancel", "Wait"), Way("stop", "Leave behind", "danger")),
            icon_name="hand-stop",
            tone="bad",
        )
    by = f" by {runner}" if runner else ""
    title = f"Stop {counted(len(pending), 'running trial')} now?"
    sentence = (
        f"{listed(t.index for t in pending)} {are} ended{by} and marked abandoned. "
        f"What {they} measured so far is lost."
    )
    if not pending:
        title, sentence = "Stop the run now?", "No trial is running; the run ends at once."
    return Dialog(
        parent,
        name="dialog.stop_now",
        title=title,
        sentence=sentence,
        ways=(
            Way("cancel", "Keep running"),
            Way("stop", "Stop now", "danger", "hand-stop"),
        ),
        icon_name="hand-stop",
        tone="bad",
    )


def stop_run_dialog(parent: QWidget | None, facts: RunFacts, asked: int) -> Dialog:
    """Ask whether the run shall end, in answer to the question about a trial."""
    others = [t.index for t in facts.pending if t.index != asked]
    finish = "Nothing else runs"
    if others:
        finish = f"{listed(others)} {'finish' if len(others) > 1 else 'finishes'} first"
    return Dialog(
        parent,
        name="dialog.stop_run",
        title="Stop the run?",
        sentence=f"{finish}; then the run ends. #{asked} stays as it is, and a resumed run sees to "
        "it again.",
        ways=(Way("cancel", "Keep running"), Way("stop", "Stop run", "danger")),
        icon_name="player-stop-filled",
        tone="bad",
    )


def close_dialog(parent: QWidget | None, runs: int, pending: int) -> Dialog:
    """Ask what becomes of the runs that go on."""
    title = "A run is going." if runs == 1 else f"{runs} runs are going."
    sentence, finish = (
        f"{counted(pending, 'trial')} running. Closing now leaves the running trials to the "
        "runner; they go on there and are picked up next time.",
        "Finish running trials, then close",
    )
    if not pending:
        run, it = ("the run", "it") if runs == 1 else ("the runs", "they")
        sentence = (
            f"No trial is running at this moment. Closing now leaves {run} as at a power cut; "
            f"{it} can be picked up next time."
        )
        finish = f"End {run}, then close"
    return Dialog(
        parent,
        name="dialog.close",
        title=title,
        sentence=sentence,
        ways=(
            Way("cancel", "Cancel"),
            Way("now", "Close now"),
            Way("finish", finish, "primary"),
        ),
        icon_name="player-play-filled",
        width=560,
    )


def not_saved_dialog(parent: QWidget | None, runs: int, edited: Sequence[str]) -> Dialog:
    """Ask whether to close although the database takes nothing.

    Args:
        parent: The window.
        runs: How many runs go on.
        edited: Names of the experiments whose last edits are only in the window.
    """
    lost = f"The last edits of {' and '.join(edited)} are only in this window and would be lost. "
    asked = "What the running trials brought meanwhile is asked of the runner again next time. "
    return Dialog(
        parent,
        name="dialog.not_saved",
        title="Nothing can be saved at the moment",
        sentence=f"{lost if edited else ''}{asked if runs else ''}"
        "axdesk tries again every few seconds; Attention says what is wrong.",
        ways=(
            Way("now", "Close all the same", "danger"),
            Way("cancel", "Keep open", "primary"),
        ),
        icon_name="database",
        tone="bad",
        width=520,
    )


def delete_dialog(parent: QWidget | None, name: str, trials: int) -> Dialog:
    """Ask whether an experiment shall be deleted."""
    lost = f"Its {counted(trials, 'trial')} and its set-up" if trials else "Its set-up"
    return Dialog(
        parent,
        name="dialog.delete",
        title=f"Delete {name}?",
        sentence=f"{lost} are removed from the database. This cannot be undone.",
        ways=(Way("cancel", "Keep"), Way("delete", "Delete", "danger", "trash")),
        icon_name="trash",
        tone="bad",
    )


class TextDialog(Dialog):
    """Asks for a text.

    Signals:
        entered: The operator confirmed; carries the text.
    """

    entered = Signal(str)

    def __init__(
        self, parent: QWidget | None, *, name: str, title: str, sentence: str, action: str,
        text: str = "", icon_name: str = "note", is_danger: bool = False,
    ) -> None:  # fmt: skip
        """Make the dialog; `action` is what its button says."""
        kind = "danger" if is_danger else "primary"
        super().__init__(
            parent, name=name, title=title, sentence=sentence, icon_name=icon_name,
            tone="bad" if is_danger else "live",
            ways=(Way("cancel", "Cancel"), Way("ok", action, kind)),
        )  # fmt: skip
        self.field = QPlainTextEdit(text)
        self.field.setTabChangesFocus(True)
        self.field.setFixedHeight(px(84))
        self.field.setAccessibleName(title)
        self.body.addWidget(self.field)
        self.chosen.connect(self._tell)
        self.field.setFocus()

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.field.toPlainText().strip())


class AddTrialsDialog(Dialog):
    """Asks how many trials to add.

    Signals:
        entered: The operator confirmed; carries the number.
    """

    entered = Signal(int)

    def __init__(self, parent: QWidget | None, proposal: int) -> None:
        super().__init__(
            parent,
            name="dialog.add_trials",
            title="Add trials",
            sentence="The experiment goes on from all its results with the settings of the set-up.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Add and start", "primary")),
            icon_name="stack-2",
            width=400,
        )
        self.field = SpinField()
        self.field.setRange(1, 100_000)
        self.field.setValue(max(proposal, 1))
        self.field.setAccessibleName("Trials to add")
        row = QHBoxLayout()
        row.addWidget(label("Trials to add"))
        row.addWidget(self.field)
        row.addStretch(1)
        self.body.addLayout(row)
        self.chosen.connect(
            lambda key: self.entered.emit(self.field.value()) if key == "ok" else None
        )


class EnterResultDialog(Dialog):
    """Asks for the result of a trial: mean and, if known, standard error of each metric.

    Signals:
        entered: The operator confirmed valid numbers; carries the result and a note.
    """

    entered = Signal(object, str)

    def __init__(
        self, parent: QWidget | None, trial: Trial, optimization: OptimizationConfig
    ) -> None:
        is_correction = trial.status is TrialStatus.COMPLETED
        verb = "Correct" if is_correction else "Enter"
        super().__init__(
            parent,
            name="dialog.enter_result",
            title=f"{verb} the result of #{trial.index}",
            sentence="The old values stay in its history." if is_correction
            else "The trial is completed with what you enter.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Save result", "primary")),
            icon_name="pencil",
        )  # fmt: skip
        self._required = optimization.required_metrics
        self.fields: dict[str, tuple[NumberField, NumberField]] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(10))
        grid.setVerticalSpacing(px(8))
        grid.addWidget(label("Mean", "head", "text2"), 0, 1)
        grid.addWidget(label("Standard error", "head", "text2"), 0, 2)
        if is_correction:
            grid.addWidget(label("Stored", "head", "text2"), 0, 3)
        for row, metric in enumerate(optimization.metric_names, start=1):
            unit = optimization.unit_of(metric)
            observation = trial.latest(metric)
            mean = NumberField("" if observation is None else repr(observation.mean), width=130)
            known = observation is not None and observation.sem is not None
            sem = NumberField(
                repr(observation.sem) if known and observation else "",
                placeholder="unknown",
                width=110,
            )
            mean.setAccessibleName(f"{metric}, mean")
            sem.setAccessibleName(f"{metric}, standard error")
            mean.setObjectName(f"dialog.enter_result.mean.{metric}")
            sem.setObjectName(f"dialog.enter_result.sem.{metric}")
            self.fields[metric] = (mean, sem)
            needed = "" if metric in self._required else " (optional)"
            grid.addWidget(
                label(f"{metric} ({unit}){needed}" if unit else f"{metric}{needed}"), row, 0
            )
            grid.addWidget(mean, row, 1)
            grid.addWidget(sem, row, 2)
            if is_correction and observation is not None:
                grid.addWidget(label(_stored_text(observation), "small", "text2"), row, 3)
            for field in (mean, sem):
                field.textChanged.connect(self._check)
        grid.setColumnStretch(0, 1)
        self.body.addLayout(grid)
        self.note = TextField(placeholder="Why; kept in the history")
        self.note.setAccessibleName("Note")
        self.body.addWidget(self.note)
        self.chosen.connect(self._tell)
        self._check()

    def result_entered(self) -> TResult | None:
        """The numbers in the fields; None while one is missing or wrong."""
        result: dict[str, float | tuple[float, float]] = {}
        for metric, (mean, sem) in self.fields.items():
            value, error = mean.number(), sem.number()
            if not mean.text().strip() and metric not in self._required and not sem.text().strip():
                continue
            if value is None or (sem.text().strip() and (error is None or error < 0)):
                return None
            result[metric] = value if error is None else (value, error)
        return result or None

    def _check(self) -> None:
        for mean, sem in self.fields.values():
            wrong = bool(mean.text().strip()) and mean.number() is None
            mean.set_issue("This is no number." if wrong else "")
            error = sem.number()
            sem_wrong = bool(sem.text().strip()) and (error is None or error < 0)
            sem.set_issue("A number of at least 0, or nothing." if sem_wrong else "")
        complete = self.result_entered() is not None
        self.buttons["ok"].set_available(complete, reason="A number is missing or wrong.")

    def _tell(self, key: str) -> None:
        result = self.result_entered()
        if key == "ok" and result is not None:
            self.entered.emit(result, self.note.text().strip())


def _stored_text(observation: Observation) -> str:
    """Write a stored value, which is on sight while it is corrected."""
    error = f" ± {number(observation.sem)}" if observation.sem else ""
    return f"{number(observation.mean)}{error}"


class ReportDialog(Dialog):
    """A text to read and to copy: about axdesk, or what went wrong; `chosen` carries `copy`."""

    def __init__(
        self, parent: QWidget | None, *, name: str, title: str, sentence: str, text: str,
        icon_name: str = "info-circle", tone: str = "live",
    ) -> None:  # fmt: skip
        super().__init__(
            parent, name=name, title=title, sentence=sentence, icon_name=icon_name, tone=tone,
            ways=(Way("copy", "Copy", icon="copy"), Way("cancel", "Close", "primary")), width=560,
        )  # fmt: skip
        field = QPlainTextEdit(text)
        field.setReadOnly(True)
        field.setMinimumHeight(px(130))
        field.setAccessibleName(title)
        self.body.addWidget(field)
