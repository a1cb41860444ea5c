"""What the actions on trials do: the questions they ask first, and the commands they give."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow

from axdesk.core.attachments import Attachment
from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AttachFile,
    Command,
    DetachFile,
    EnterResult,
    FetchAgain,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    Void,
)
from axdesk.core.errors import AxdeskError
from axdesk.core.parameters import TParameterValue
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.actions import Actions, Slots
from axdesk.gui.models.formatting import listed
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.trial_words import (
    ON_ONE_TRIAL,
    ON_TRIALS,
    folder_of,
    settings_text,
    why_no_best,
    why_no_manual,
    why_nowhere_to_go,
    why_off_for_trial,
    why_off_for_trials,
)
from axdesk.gui.session import ExperimentSession
from axdesk.gui.views.dialogs import EnterResultDialog, TextDialog
from axdesk.gui.views.trial_dialogs import GoToDialog, ManualTrialDialog
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace

_TOLD_MS = 8000


class TrialOperations(QObject):
    """Carries out the actions on trials of the experiment shown.

    Signals:
        trial_wanted: The operator wants to see a trial; carries its index.
    """

    trial_wanted = Signal(int)

    def __init__(self, window: QMainWindow, workbench: Workbench, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._actions = actions

    def slots(self, selection: Selection) -> Slots:
        """What is done here to the trials that are selected then, by the name of its action."""
        on_current = {
            "enter_result": self.enter_result,
            "ask_again": self.ask_again,
            "copy_to_manual": self.copy_to_manual,
            "note": self.write_note,
            "attach_file": self.attach_file,
            "open_folder": self.open_folder,
        }
        on_all = {
            "run_again": self.run_again,
            "replicate": self.run_again,
            "mark_failed": self.mark_failed,
            "abandon": self.abandon,
            "void": self.void,
            "exclude": self.toggle_excluded,
            "copy_settings": self.copy_settings,
        }

        def on_one(act: Callable[[int | None], object]) -> Callable[[], object]:
            return lambda: act(selection.current)

        def on_each(act: Callable[..., object]) -> Callable[[], object]:
            return lambda: act(*selection.trials)

        slots = {f"trials.{name}": on_one(act) for name, act in on_current.items()}
        slots |= {f"trials.{name}": on_each(each) for name, each in on_all.items()}
        return slots | {"trials.new_manual": self.new_manual, "trials.go_to": self.go_to}

    # new trials

    def new_manual(self) -> None:
        """Ask for a trial that the operator chooses, from the start values or the best trial."""
        session = self._workbench.current
        if session is None or why_no_manual(session.facts) or session.facts.setup is None:
            return
        space = session.facts.setup.search_space
        starts = {p.name: p.start_value for p in space.tunable if p.start_value is not None}
        self._ask_manual(session, starts, "")

    def copy_to_manual(self, trial_index: int | None) -> None:
        """Ask for a trial that the operator chooses, from the settings of another one."""
        session, trial = self._target(trial_index)
        if session is not None and trial is not None:
            self._ask_manual(session, trial.parameters, f"#{trial.index}")

    def _ask_manual(
        self, session: ExperimentSession, values: Mapping[str, TParameterValue], source: str
    ) -> None:
        setup = session.facts.setup
        if setup is None:
            return

        def add(command: AddTrial) -> None:
            if session.facts.run is None:
                # What is typed becomes the experiment that the trial belongs to.
                session.prepare_trials(lambda _: session.submit(command))
            else:
                session.submit(command)

        dialog = ManualTrialDialog(self._window, setup, values, source)
        dialog.entered.connect(add)
        dialog.open()

    def run_again(self, *trials: int) -> None:
        """Have the settings of trials deployed once more, as new trials."""
        for name in ("trials.run_again", "trials.replicate"):
            self._order(name, trials, lambda trial: Replicate(trial.index))

    # corrections

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

    def mark_failed(self, *trials: int) -> None:
        """Give trials up, with a reason."""
        self._ask_reason(
            "trials.mark_failed", trials, "Mark {} failed?", "Mark failed",
            "{they} as failed; the same point may be suggested again.",
            lambda trial, reason: MarkFailed(trial.index, reason or "marked as failed"),
        )  # fmt: skip

    def abandon(self, *trials: int) -> None:
        """Give trials up for good, with a reason."""
        self._ask_reason(
            "trials.abandon", trials, "Abandon {}?", "Abandon",
            "{they} as given up for good; the same point is not suggested again.",
            lambda trial, reason: Abandon(trial.index, reason or "abandoned"),
        )  # fmt: skip

    def void(self, *trials: int) -> None:
        """Take the results of trials back, with a reason."""
        self._ask_reason(
            "trials.void", trials, "Void the result of {}?", "Void",
            "{they} as abandoned: the model forgets the result, and the same point is not "
            "suggested again. The values stay in the history. This cannot be undone; Exclude can.",
            lambda trial, reason: Void(trial.index, reason or "voided"),
        )  # fmt: skip

    def toggle_excluded(self, *trials: int) -> None:
        """Withhold trials from the model, or give all of them back if they are withheld."""
        session = self._workbench.current
        found = [] if session is None else _known(session, trials)
        excludes = not _are_excluded(found)
        self._order("trials.exclude", trials, lambda t: SetExcluded(t.index, excludes))

    # notes and files

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

    def set_note(self, trial_index: int, text: str) -> None:
        """Store the note of a trial that was written in its place."""
        session, trial = self._target(trial_index)
        if session is not None and trial is not None and text != trial.note:
            session.submit(SetNote(trial_index, text))

    def attach_file(self, trial_index: int | None) -> None:
        """Ask for files, and keep them with a trial."""
        _, trial = self._target(trial_index)
        if trial is None:
            return
        chosen, _ = QFileDialog.getOpenFileNames(self._window, f"Attach to #{trial.index}")
        self.attach_files(trial.index, [Path(name) for name in chosen])

    def attach_files(self, trial_index: int, paths: Sequence[Path]) -> None:
        """Keep files with a trial: copies beside the database."""
        session = self._workbench.current
        if session is None:
            return

        def attach(kept: Attachment) -> None:
            session.submit(AttachFile(trial_index, kept))

        for path in paths:
            self._workbench.io.post(partial(_kept, path), attach)

    def detach_file(self, trial_index: int, attachment: Attachment) -> None:
        """Take a file from a trial; its copy stays, and the history names it."""
        session = self._workbench.current
        if session is not None:
            session.submit(DetachFile(trial_index, attachment))

    def open_file(self, attachment: Attachment) -> None:
        """Open a file of a trial as the system does; say so if it is gone or was changed."""
        self._workbench.io.post(lambda w: w.attachment_path(attachment), _open, self._tell_error)

    def open_folder(self, trial_index: int | None) -> None:
        """Open the folder that the runner named for a trial, if it is there."""
        _, trial = self._target(trial_index)
        named = "" if trial is None else folder_of(trial)
        if not named:
            return

        def open_it(folder: Path | None) -> None:
            if folder is None:
                self._tell(f"{named} is not there any more.")
            else:
                _open(folder)

        self._workbench.io.post_without(lambda: _folder(Path(named)), open_it)

    # the clipboard, and getting about

    def copy_settings(self, *trials: int) -> None:
        """Put the settings of trials into the clipboard."""
        session = self._workbench.current
        if session is not None and (found := _known(session, trials)):
            QGuiApplication.clipboard().setText(settings_text(found, session.facts))

    def go_to(self) -> None:
        """Ask for a trial by its number."""
        session = self._workbench.current
        if session is None or not session.facts.trials:
            return
        dialog = GoToDialog(self._window, session.facts.trials)
        dialog.entered.connect(self.trial_wanted)
        dialog.open()

    # what is on

    def update_actions(self, selected: Sequence[int]) -> None:
        """Switch every action on trials on or off by what is selected and what is allowed.

        Args:
            selected: The trials, the current one first.
        """
        session = self._workbench.current
        facts = session.facts if session is not None else None
        trials = [] if session is None else _known(session, selected)
        trial = trials[0] if trials else None
        for name in ON_ONE_TRIAL:
            action = f"trials.{name}"
            self._actions.switch(action, why_off_for_trial(action, facts, trial))
        for name in ON_TRIALS:
            action = f"trials.{name}"
            self._actions.switch(action, why_off_for_trials(action, facts, trials))
        self._actions.switch("trials.new_manual", why_no_manual(facts))
        self._actions.switch("trials.go_to", why_nowhere_to_go(facts))
        self._actions.switch("trials.go_to_best", why_no_best(facts))
        is_done = trial is not None and trial.status is TrialStatus.COMPLETED
        self._actions["trials.enter_result"].setText(
            "Correct result…" if is_done else "Enter result…"
        )
        self._actions["trials.exclude"].setText(
            "Include in model" if _are_excluded(trials) else "Exclude from model"
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

    def _order(
        self, action: str, trials: Sequence[int], command: Callable[[Trial], Command]
    ) -> None:
        """Give a command for each of the trials that can take it."""
        session = self._workbench.current
        if session is None:
            return
        for trial in _known(session, trials):
            if not why_off_for_trial(action, session.facts, trial):
                session.submit(command(trial))

    def _ask_reason(
        self, action: str, trials: Sequence[int], title: str, verb: str, sentence: str,
        command: Callable[[Trial, str], Command],
    ) -> None:  # fmt: skip
        """Ask why, and give a command for each of the trials that can take it."""
        session = self._workbench.current
        if session is None:
            return
        facts = session.facts
        found = _known(session, trials)
        able = [t.index for t in found if not why_off_for_trial(action, facts, t)]
        others = [t.index for t in found if t.index not in able]
        if not able:
            return
        they = "The trial counts" if len(able) == 1 else "The trials count"
        stay = f"{listed(others)} {'stays' if len(others) == 1 else 'stay'} as before. "
        dialog = TextDialog(
            self._window, name=action.replace("trials.", "dialog."),
            title=title.format(listed(able)),
            sentence=f"{sentence.format(they=they)} {stay if others else ''}"
            "Say why, if you like.",
            action=verb, icon_name="ban", is_danger=True,
        )  # fmt: skip
        dialog.entered.connect(
            lambda reason: self._order(action, able, lambda trial: command(trial, reason))
        )
        dialog.open()

    def _tell(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _TOLD_MS)

    def _tell_error(self, error: AxdeskError) -> None:
        self._tell(str(error))


def _known(session: ExperimentSession, trials: Sequence[int]) -> list[Trial]:
    return [trial for index in trials if (trial := session.trial(index)) is not None]


def _are_excluded(trials: Sequence[Trial]) -> bool:
    """Whether all that can be excluded are."""
    done = [t for t in trials if t.status is TrialStatus.COMPLETED]
    return bool(done) and all(t.is_excluded for t in done)


def _kept(path: Path, workspace: "Workspace") -> Attachment:
    return workspace.keep_file(path)


def _open(path: Path) -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _folder(place: Path) -> Path | None:
    """The folder that a place on the disk is, or lies in; None if it is not there."""
    if place.is_dir():
        return place
    return place.parent if place.exists() else None
