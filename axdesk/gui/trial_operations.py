"""What the actions on trials do: the questions they ask first, and the commands they give."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from axdesk.core.commands import (
    Abandon,
    EnterResult,
    FetchAgain,
    MarkFailed,
    SetExcluded,
    SetNote,
)
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.actions import Actions
from axdesk.gui.models.trial_words import why_no_best, why_off_for_trial
from axdesk.gui.session import ExperimentSession
from axdesk.gui.views.dialogs import EnterResultDialog, TextDialog
from axdesk.gui.workbench import Workbench


class TrialOperations(QObject):
    """Carries out the actions on trials of the experiment shown."""

    def __init__(self, window: QMainWindow, workbench: Workbench, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._actions = actions

    def enter_result(self, trial_index: int | None) -> None:
        """Enter or correct the result of a trial."""
        session, trial = self._target(trial_index)
        optimization = session.facts.optimization if session else None
        if session is None or trial is None or optimization is None:
            return
        dialog = EnterResultDialog(self._window, trial, optimization)
        dialog.entered.connect(
            lambda result, note: session.submit(EnterResult(trial.index, result, note=note))
        )
        dialog.open()

    def ask_again(self, trial_index: int | None) -> None:
        """Have a trial that failed polled and fetched once more."""
        session, trial = self._target(trial_index)
        if session is not None and trial is not None:
            session.submit(FetchAgain(trial.index))

    def mark_failed(self, trial_index: int | None) -> None:
        """Give a trial up, with a reason."""
        self._ask_reason(
            trial_index, "dialog.mark_failed", "Mark #{} failed?", "Mark failed",
            "The trial counts as failed; the same point may be suggested again.",
            lambda index, reason: MarkFailed(index, reason or "marked as failed"),
        )  # fmt: skip

    def abandon(self, trial_index: int | None) -> None:
        """Give a trial up for good, with a reason."""
        self._ask_reason(
            trial_index, "dialog.abandon", "Abandon #{}?", "Abandon",
            "The trial is given up, or its result voided; the same point is not suggested again.",
            lambda index, reason: Abandon(index, reason or "abandoned"),
        )  # fmt: skip

    def toggle_excluded(self, trial_index: int | None) -> None:
        """Withhold a trial from the model, or give it back."""
        session, trial = self._target(trial_index)
        if session is not None and trial is not None:
            session.submit(SetExcluded(trial.index, not trial.is_excluded))

    def write_note(self, trial_index: int | None) -> None:
        """Write the note of a trial."""
        session, trial = self._target(trial_index)
        if session is None or trial is None:
            return
        dialog = TextDialog(
            self._window, name="dialog.note", title=f"Note on #{trial.index}", sentence="",
            action="Save note", text=trial.note,
        )  # fmt: skip
        dialog.entered.connect(lambda text: session.submit(SetNote(trial.index, text)))
        dialog.open()

    def update_actions(self, selected: int | None) -> None:
        """Switch every action on a trial on or off by what is selected and what is allowed."""
        session = self._workbench.current
        facts = session.facts if session is not None else None
        trial = None
        if facts is not None and selected is not None:
            trial = next((t for t in facts.trials if t.index == selected), None)
        for name in ("enter_result", "mark_failed", "ask_again", "abandon", "exclude", "note",
                     "copy_row", "show_details"):  # fmt: skip
            action = f"trials.{name}"
            self._actions.switch(action, why_off_for_trial(action, facts, trial))
        self._actions.switch("trials.go_to_best", why_no_best(facts))
        is_done = trial is not None and trial.status is TrialStatus.COMPLETED
        self._actions["trials.enter_result"].setText(
            "Correct result…" if is_done else "Enter result…"
        )
        self._actions["trials.exclude"].setText(
            "Include in model" if trial is not None and trial.is_excluded else "Exclude from model"
        )
        self._actions["trials.note"].setText(
            "Edit note…" if trial is not None and trial.note else "Add note…"
        )

    # inside

    def _target(self, trial_index: int | None) -> tuple[ExperimentSession | None, Trial | None]:
        session = self._workbench.current
        if session is None or trial_index is None:
            return session, None
        return session, session.trial(trial_index)

    def _ask_reason(
        self, trial_index: int | None, name: str, title: str, action: str, sentence: str,
        command: Callable[[int, str], MarkFailed | Abandon],
    ) -> None:  # fmt: skip
        session, trial = self._target(trial_index)
        if session is None or trial is None:
            return
        dialog = TextDialog(
            self._window, name=name, title=title.format(trial.index),
            sentence=f"{sentence} Say why, if you like.", action=action, icon_name="ban",
            is_danger=True,
        )  # fmt: skip
        dialog.entered.connect(lambda reason: session.submit(command(trial.index, reason)))
        dialog.open()
