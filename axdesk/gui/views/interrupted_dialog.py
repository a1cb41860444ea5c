"""The dialog after axdesk ended during a run: what became of each trial that was running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QWidget

from axdesk.core.commands import Abandon, AnswerQuestion, Command, EnterResult, MarkFailed
from axdesk.core.errors import AxdeskError
from axdesk.core.questions import Answer
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import clock, counted, listed
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.dialogs import Dialog, EnterResultDialog, Way
from axdesk.gui.widgets.buttons import Button, Choice
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, set_tone

UNDECIDED = ""
KEEP = "keep"
ENTER_RESULT = "enter_result"

CHOICES: Mapping[str, Choice] = {
    choice.value: choice  # type: ignore[misc]  # every value is a text
    for choice in (
        Choice(UNDECIDED, "Choose…", "help-circle"),
        Choice(KEEP, "Wait for its result", "pencil"),
        Choice(Answer.ASK_RUNNER.value, "Ask the runner", "refresh"),
        Choice(Answer.REDEPLOY.value, "It never ran: deploy again", "rocket"),
        Choice(Answer.MARK_FAILED.value, "Mark failed", "circle-x"),
        Choice(Answer.ABANDON.value, "Abandon", "ban"),
        Choice(ENTER_RESULT, "Enter result…", "pencil"),
    )
}
"""What may be said of a trial, by the key that is kept."""

_BY_RULE = {"ask": UNDECIDED, "abandon": Answer.ABANDON.value, "redeploy": Answer.REDEPLOY.value}
_MOST_ROWS = 8


@dataclass(frozen=True, slots=True)
class RunnerWord:
    """What the runner said of a trial: a sentence with its icon and colour."""

    text: str
    icon: str
    tone: str


def choices_for(trial: Trial, *, can_find: bool) -> tuple[str, ...]:
    """Return the keys of what may be said of a trial."""
    ends = (Answer.MARK_FAILED.value, Answer.ABANDON.value, ENTER_RESULT)
    asks = (Answer.ASK_RUNNER.value,)
    if trial.surely_not_started:
        return (Answer.REDEPLOY.value, *ends)
    if trial.status is TrialStatus.STAGED:
        return ((*asks,) if can_find else ()) + (Answer.REDEPLOY.value, *ends)
    return ((KEEP,) if trial.metadata is None else asks) + ends


_WORDS: Mapping[TrialStatus | None, RunnerWord] = {
    None: RunnerWord("It never started", "help-circle", "warn"),
    TrialStatus.RUNNING: RunnerWord("Still running", "player-play", "live"),
    TrialStatus.COMPLETED: RunnerWord("Finished, result ready", "check", "good"),
    TrialStatus.FAILED: RunnerWord("Failed", "circle-x", "bad"),
}


def _word_of(told: TrialStatus | AxdeskError | None) -> RunnerWord:
    if isinstance(told, AxdeskError):
        return RunnerWord(told.message, "alert-triangle", "warn")
    known = _WORDS.get(told)
    return known or RunnerWord(STATUS_LOOKS[str(told)].word, "circle-minus", "idle")


class InterruptedDialog(Dialog):
    """Asks about each trial that was running, and offers to resume.

    Signals:
        resumed: The run is to go on; carries what was decided as a tuple of commands, of which
            trials that the runner is asked about need none.
        left: The run stays stopped; carries the same.
        check_requested: The runner is to be asked about all of them now.
    """

    resumed = Signal(object)
    left = Signal(object)
    check_requested = Signal()

    def __init__(self, parent: QWidget | None, facts: RunFacts, *, can_find: bool) -> None:
        """Make the dialog.

        Args:
            parent: The window.
            facts: Of an experiment whose run was cut off.
            can_find: Whether the runner can find a trial whose deployment was cut off.
        """
        pending = facts.pending
        super().__init__(
            parent,
            name="dialog.interrupted",
            title=f"{facts.name} was interrupted",
            sentence=_sentence(facts, can_find=can_find),
            ways=(
                Way("leave_stopped", "Leave stopped"),
                Way("resume", "Resume run", "primary", "player-play-filled"),
            ),
            icon_name="bolt-filled",
            tone="warn",
            width=960 if pending else 560,
        )
        self.rows: dict[int, _Row] = {}
        self._waiting: set[int] = set()
        if pending:
            rule = facts.run.settings.orchestration.uncertain_deployment if facts.run else "ask"
            self.body.addWidget(self._table(facts, can_find, _BY_RULE[rule]))
            self._add_note(facts, can_find=can_find)
            self._check = Button(
                "Check all with the runner", "refresh", name="dialog.interrupted.check_all",
                on_click=self._ask_all,
            )  # fmt: skip
            self._checked = label("", "small", "text2")
            self.aside.addWidget(self._check)
            self.aside.addWidget(self._checked)
        self._is_over = False
        self.finished.connect(self._note_end)
        self.chosen.connect(self._tell)
        self._update()

    def decisions(self) -> tuple[Command, ...]:
        """What was decided so far."""
        commands = (row.command() for row in self.rows.values())
        return tuple(command for command in commands if command is not None)

    def show_told(self, index: int, told: TrialStatus | AxdeskError | None) -> None:
        """Show what the runner said of a trial, or why it said nothing."""
        if self._is_over:
            return
        self.rows[index].show_word(_word_of(told))
        self._waiting.discard(index)
        if not self._waiting:
            now = datetime.now(UTC)
            self._check.set_available(True)
            self._checked.setText(f"Checked at {clock(now, now)}")

    def _note_end(self) -> None:
        self._is_over = True  # what the runner says from now on comes too late

    def _ask_all(self) -> None:
        self._waiting = set(self.rows)
        self._check.set_available(False, reason="The runner is being asked.")
        self._checked.setText("Asking the runner…")
        for row in self.rows.values():
            row.show_word(RunnerWord("Asked…", "", "text2"))
        self.check_requested.emit()

    def _table(self, facts: RunFacts, can_find: bool, undecided: str) -> QWidget:
        card = Surface("card")
        card.setObjectName("dialog.interrupted.table")
        card.setAccessibleName("Trials that were running")
        grid = QGridLayout(card)
        grid.setContentsMargins(px(14), px(10), px(14), px(10))
        grid.setHorizontalSpacing(px(16))
        grid.setVerticalSpacing(px(8))
        heads = ("Trial", "When interrupted", "Runner’s record", "What to do", "Answer")
        for column, head in enumerate(heads):
            grid.addWidget(label(head, "head", "text2"), 0, column)
        grid.setColumnStretch(2, 1)
        grid.setColumnStretch(4, 2)
        grid.setColumnMinimumWidth(4, px(190))
        for number, trial in enumerate(facts.pending, start=1):
            row = _Row(self, trial, facts, choices_for(trial, can_find=can_find), undecided)
            row.decided.connect(self._update)
            row.put_into(grid, number)
            self.rows[trial.index] = row
        if len(facts.pending) <= _MOST_ROWS:
            return card
        area = QScrollArea()
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(card)
        area.setMinimumHeight(px(42) * _MOST_ROWS)
        return area

    def _add_note(self, facts: RunFacts, *, can_find: bool) -> None:
        staged = [t.index for t in facts.pending if _may_have_started(t)]
        if not staged:
            return
        was, it = ("was", "it") if len(staged) == 1 else ("were", "they")
        asks = (
            "" if can_find else "The runner cannot look for it, so nothing is deployed by itself. "
        )
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(IconLabel("info-circle", "text2"), 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(
            label(
                f"{listed(staged)} {was} being deployed at that moment and may have started. {asks}"
                f"Look at the laboratory: if {it} ran after all, enter the result.",
                "small", "text2", wrap=True,
            ),
            1,
        )  # fmt: skip
        self.body.addLayout(line)

    def _update(self) -> None:
        undecided = [index for index, row in self.rows.items() if row.key == UNDECIDED]
        self.buttons["resume"].set_available(
            not undecided, reason=f"Decide what became of {listed(undecided)} first."
        )

    def _tell(self, key: str) -> None:
        if key == "resume":
            self.resumed.emit(self.decisions())
        elif key == "leave_stopped":
            self.left.emit(self.decisions())


class _Row(QWidget):
    """One trial of the table, spread over the cells of its grid.

    Signals:
        decided: Something else is said of the trial.
    """

    decided = Signal()

    def __init__(
        self, dialog: InterruptedDialog, trial: Trial, facts: RunFacts, keys: Sequence[str],
        undecided: str,
    ) -> None:  # fmt: skip
        super().__init__(dialog)
        self.hide()  # its parts are shown in the table
        self._dialog = dialog
        self._trial = trial
        self._facts = facts
        self._result: EnterResult | None = None
        is_clear = trial.surely_not_started or keys[0] != Answer.REDEPLOY.value
        self.key = keys[0] if is_clear else undecided
        offered = keys if self.key else (UNDECIDED, *keys)
        self.choice = ComboField(
            [CHOICES[key] for key in offered], name=f"dialog.interrupted.choice.{trial.index}"
        )
        self.choice.show_whole_texts()
        self.choice.setAccessibleName(f"What became of #{trial.index}")
        self.choice.set_value(self.key)
        self.choice.chosen.connect(self._choose)
        self._sign = IconLabel("", "text2")
        self._word = ElidedLabel("", "body", "text2")

    def put_into(self, grid: QGridLayout, row: int) -> None:
        """Put the parts into a row of the table."""
        trial, now = self._trial, datetime.now(UTC)
        status = self._facts.status_key(trial)
        is_staged = trial.status is TrialStatus.STAGED
        since = f" since {clock(trial.started_at, now)}" if trial.started_at else ""
        state = STATUS_LOOKS[status].word if is_staged else f"Running{since}"
        record = ", ".join(f"{k} {v}" for k, v in (trial.metadata or {}).items()) or "nothing yet"
        grid.addWidget(label(f"#{trial.index}", "strong"), row, 0)
        grid.addWidget(label(state, "body", "warn" if _may_have_started(trial) else "text"), row, 1)
        grid.addWidget(ElidedLabel(record, "body", "text2"), row, 2)
        grid.addWidget(self.choice, row, 3)
        answer = QHBoxLayout()
        answer.setSpacing(px(6))
        answer.addWidget(self._sign)
        answer.addWidget(self._word, 1)
        grid.addLayout(answer, row, 4)

    def show_word(self, word: RunnerWord) -> None:
        """Show what the runner, or the operator, said."""
        self._sign.set_icon(word.icon, word.tone)
        self._word.setText(word.text)
        set_tone(self._word, "text")

    def command(self) -> Command | None:
        """What is to be carried out; None where the runner is asked, or a result waited for."""
        index = self._trial.index
        is_staged = self._trial.status is TrialStatus.STAGED
        match self.key:
            case "enter_result":
                return self._result
            case "redeploy" | "mark_failed" | "abandon" if is_staged:
                return AnswerQuestion(index, Answer(self.key))
            case "mark_failed":
                return MarkFailed(index, "marked as failed after an interruption")
            case "abandon":
                return Abandon(index, "abandoned after an interruption")
            case _:
                return None

    def _choose(self, value: object) -> None:
        key = str(value)
        optimization = self._facts.optimization
        if key == ENTER_RESULT and optimization is not None:
            # Until it is entered, what was said before holds.
            self.choice.set_value(self.key)
            dialog = EnterResultDialog(self._dialog, self._trial, optimization)
            dialog.entered.connect(self._take_result)
            dialog.open()
            return
        self.key = key
        self.decided.emit()

    def _take_result(self, result: object, note: str) -> None:
        self._result = EnterResult(self._trial.index, result, note=note)  # type: ignore[arg-type]  # from Signal(object)
        self.key = ENTER_RESULT
        self.choice.set_value(ENTER_RESULT)
        self.show_word(RunnerWord("Result entered", "check", "good"))
        self.decided.emit()


def _may_have_started(trial: Trial) -> bool:
    return trial.status is TrialStatus.STAGED and not trial.surely_not_started


def ended_text(facts: RunFacts, now: datetime) -> str:
    """Say that axdesk ended, and when.

    While trials are polled, their elapsed time is stored every minute; otherwise the last change
    may lie well before the end.
    """
    at = facts.run.ended_at if facts.run else None
    if at is None:
        return "axdesk ended"
    is_exact = any(
        t.status is TrialStatus.RUNNING and t.metadata and not t.reason for t in facts.pending
    )
    return f"axdesk ended {'at' if is_exact else 'after'} {clock(at, now)}"


def _sentence(facts: RunFacts, *, can_find: bool) -> str:
    pending, done = len(facts.pending), len(facts.finished)
    ended = ended_text(facts, datetime.now(UTC))
    safe = f"The {counted(done, 'finished trial')} {'is' if done == 1 else 'are'} safe."
    if not pending:
        return f"{ended}, during the run. {safe} No trial was running."
    was, other = ("was", "it") if pending == 1 else ("were", "them")
    asked = ""
    if can_find or not any(map(_may_have_started, facts.pending)):
        asked = ", or have the runner asked; what it does not know is asked while the run goes on"
    return (
        f"{ended} while {counted(pending, 'trial')} {was} running. {safe} "
        f"Say what became of {other}{asked}."
    )
