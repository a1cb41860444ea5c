"""What the actions of the window do: the questions they ask first, and whom they tell."""

import sys
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QMainWindow

from axdesk.api.system_info import system_info
from axdesk.core.commands import EndCalls
from axdesk.core.parameters import TParameterValue
from axdesk.core.questions import Answer
from axdesk.core.run import RunAction, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.actions import Actions, Slots
from axdesk.gui.models.attention_model import AttentionItem
from axdesk.gui.models.attention_report import plugin_file_of, report_of
from axdesk.gui.models.formatting import UNNAMED
from axdesk.gui.models.run_facts import RunFacts, runner_name
from axdesk.gui.models.run_words import (
    action_tip,
    start_word,
    stop_now_word,
    why_no_more_trials,
    why_no_test,
    why_off,
)
from axdesk.gui.session import ExperimentSession
from axdesk.gui.views.dialogs import (
    AddTrialsDialog,
    ReportDialog,
    delete_dialog,
    stop_now_dialog,
    stop_run_dialog,
)
from axdesk.gui.views.dry_test_dialog import DryTestDialog
from axdesk.gui.views.interrupted_dialog import InterruptedDialog
from axdesk.gui.views.new_plugin_dialog import NewPluginDialog
from axdesk.gui.workbench import Workbench

_RUN_ACTIONS = {
    "run.start": RunAction.RESUME,
    "run.pause": RunAction.PAUSE,
    "run.stop": RunAction.STOP,
    "run.stop_now": RunAction.STOP_NOW,
}


def plugin_files(setup: ExperimentSetup) -> frozenset[tuple[str, str]]:
    """The plugin files that a set-up uses, with their folder."""
    choices = [choice for _, choice in setup.metrics]
    choices += [setup.runner] if setup.runner is not None else []
    return frozenset((setup.plugin_folder, choice.file_name) for choice in choices)


class Operations(QObject):
    """Carries out the actions that need more than a view.

    Signals:
        plugin_named: The operator wants a new plugin file; carries its name.
    """

    plugin_named = Signal(str)

    def __init__(self, window: QMainWindow, workbench: Workbench, actions: Actions) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._actions = actions

    @property
    def _session(self) -> ExperimentSession | None:
        return self._workbench.current

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        return {
            "file.duplicate": self.duplicate,
            "file.delete": lambda: self.delete(),
            "edit.undo": self.undo,
            "edit.redo": self.redo,
            "run.start": self.start,
            "run.pause": self.pause,
            "run.stop": self.stop,
            "run.stop_now": self.stop_now,
            "run.add_trials": self.add_trials,
            "plugins.new": self.new_plugin,
            "plugins.open_folder": self.open_plugin_folder,
            "help.about": self.about,
        }

    # experiments

    def duplicate(self) -> None:
        """Copy the experiment shown into a new draft."""
        if self._session is not None:
            self._workbench.duplicate(self._session.id)

    def delete(self, experiment_id: int | None = None) -> None:
        """Delete an experiment, by default the one shown, once the operator confirmed."""
        if experiment_id is None and self._session is not None:
            experiment_id = self._session.id
        if experiment_id is None:
            return
        target = experiment_id
        summary = self._workbench.experiments.summary_of(target)
        name = (summary.name if summary else "") or UNNAMED
        if summary is not None and summary.state.is_live:
            self._window.statusBar().showMessage(f"{name} is running. Stop it first.", 6000)
            return
        dialog = delete_dialog(self._window, name, summary.trials if summary else 0)
        dialog.chosen.connect(
            lambda key: self._workbench.delete(target) if key == "delete" else None
        )
        dialog.open()

    # edits

    def undo(self) -> None:
        """Take the last edit of the set-up back."""
        if self._session is not None:
            self._session.draft_model.undo()

    def redo(self) -> None:
        """Do the edit that was taken back again."""
        if self._session is not None:
            self._session.draft_model.redo()

    # the run

    def start(self) -> None:
        """Start, resume, or cancel pausing or stopping."""
        session = self._session
        if session is None:
            return
        facts = session.facts
        if facts.state is RunState.INTERRUPTED:
            self.review_interrupted(session)
        elif facts.state is RunState.COMPLETED:
            self.add_trials()
        else:
            for action in (RunAction.START, RunAction.RESUME):
                session.act_on(action)

    def pause(self) -> None:
        """Launch no new trials."""
        if self._session is not None:
            self._session.act_on(RunAction.PAUSE)

    def stop(self) -> None:
        """End the run once the running trials finished."""
        if self._session is not None:
            self._session.act_on(RunAction.STOP)

    def stop_now(self) -> None:
        """End the running trials, once the operator confirmed."""
        session = self._session
        if session is None or RunAction.STOP_NOW not in session.facts.actions:
            return
        facts = session.facts
        dialog = stop_now_dialog(self._window, facts, runner_name(facts))
        dialog.chosen.connect(
            lambda key: session.act_on(RunAction.STOP_NOW) if key == "stop" else None
        )

        def close_when_over() -> None:
            if RunAction.STOP_NOW not in session.facts.actions:
                dialog.reject()

        session.changed.connect(close_when_over)
        dialog.finished.connect(lambda: session.changed.disconnect(close_when_over))
        dialog.open()

    def answer(self, trial_index: int, answer: Answer, *, for_the_rest: bool) -> None:
        """Answer a question; that the run ends is confirmed first."""
        session = self._session
        if session is None:
            return
        if answer is not Answer.STOP_RUN:
            session.answer(trial_index, answer, for_the_rest=for_the_rest)
            return
        dialog = stop_run_dialog(self._window, session.facts, trial_index)
        dialog.chosen.connect(
            lambda key: session.answer(trial_index, answer) if key == "stop" else None
        )

        def close_when_over() -> None:
            if not any(q.trial_index == trial_index for q in session.facts.questions):
                dialog.reject()

        session.changed.connect(close_when_over)
        dialog.finished.connect(lambda: session.changed.disconnect(close_when_over))
        dialog.open()

    def end_calls(self, trial_index: int) -> None:
        """End what a plugin does for a trial and has not answered, with its process."""
        if self._session is not None:
            self._session.submit(EndCalls(trial_index))

    def set_aside(self, key: str) -> None:
        """Take an item out of Attention that was read; it comes back with the next failure."""
        if self._session is not None:
            self._session.attention_model.remove(key)

    def add_trials(self) -> None:
        """Go on after a run that ended with further trials."""
        session = self._session
        if session is None or why_no_more_trials(session.facts):
            return
        dialog = AddTrialsDialog(self._window, session.facts.budget // 2)
        dialog.entered.connect(lambda count: session.start(more_trials=count))
        dialog.open()

    def confirm_test(self, setup: ExperimentSetup, values: dict[str, TParameterValue]) -> None:
        """Say that an instrument may move, and with which settings; then make the dry test."""
        session = self._session
        if session is None or self._window.findChild(DryTestDialog) is not None:
            return
        dialog = DryTestDialog(self._window, setup, values, self._users_of(setup))
        dialog.confirmed.connect(lambda chosen: session.dry_testing.start(setup, chosen))
        dialog.open()

    def _users_of(self, setup: ExperimentSetup) -> tuple[str, ...]:
        """The other experiments that run with a plugin file of a set-up."""
        files = plugin_files(setup)
        return tuple(
            other.facts.name
            for other in self._workbench.live_sessions
            if other.facts.setup is not None and files & plugin_files(other.facts.setup)
        )

    def review_interrupted(self, session: ExperimentSession) -> None:
        """Ask what became of what was running when the run was cut off, and offer to resume."""
        if self._window.findChild(InterruptedDialog) is not None:
            return
        dialog = InterruptedDialog(self._window, session.facts, can_find=session.can_find)
        dialog.resumed.connect(lambda decisions: session.start(decisions=decisions))
        dialog.left.connect(session.leave_stopped)

        def ask_all() -> None:
            for index in dialog.rows:
                session.ask_runner(index, partial(dialog.show_told, index))

        def close_when_over() -> None:
            if session.state is not RunState.INTERRUPTED:
                dialog.reject()

        def end() -> None:
            session.changed.disconnect(close_when_over)
            session.stop_asking()

        dialog.check_requested.connect(ask_all)
        session.changed.connect(close_when_over)
        dialog.finished.connect(end)
        dialog.open()

    # the rest

    def open_plugin_folder(self) -> None:
        """Show the plugin folder of the experiment shown in the file manager."""
        folder = self._plugin_folder()
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def open_file_of(self, item: AttentionItem) -> None:
        """Open the plugin file that an item of Attention is about, as the system does."""
        name = plugin_file_of(item, self._session.facts.setup if self._session else None)
        if name:
            self.open_plugin_file(name)

    def copy_report(self, item: AttentionItem) -> None:
        """Put what there is to tell of an item of Attention into the clipboard."""
        if self._session is not None:
            QGuiApplication.clipboard().setText(report_of(item, self._session.facts))

    def open_plugin_file(self, name: str) -> None:
        """Open a file of the plugin folder of the experiment shown, as the system does."""
        folder = self._plugin_folder()
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder / name)))

    def new_plugin(self) -> None:
        """Ask for the name of a new plugin file."""
        folder = self._plugin_folder()
        dialog = NewPluginDialog(self._window, "" if folder is None else str(folder))
        dialog.entered.connect(self.plugin_named)
        dialog.open()

    def open_new_plugin(self, path: Path) -> None:
        """Tell of a plugin file that was written, and open it."""
        self._window.statusBar().showMessage(f"Written: {path}", 8000)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def _plugin_folder(self) -> Path | None:
        catalogue = self._session.draft_model.catalogue if self._session else None
        if catalogue is not None and catalogue.folder:
            return Path(catalogue.folder).expanduser()
        return self._workbench.plugin_folder

    def about(self) -> None:
        """Tell the versions."""
        text = "\n".join(
            (
                system_info(),
                f"Database {self._workbench.database or '–'}",
                f"Plugins {self._workbench.plugin_folder or '–'}",
                f"Started as {Path(sys.argv[0]).name}",
            )
        )
        dialog = ReportDialog(
            self._window, name="dialog.about", title="axdesk",
            sentence="Closed-loop laboratory experiments.", text=text, icon_name="flask",
        )  # fmt: skip
        dialog.buttons["copy"].setText("Copy system info")
        dialog.chosen.connect(
            lambda key: QGuiApplication.clipboard().setText(text) if key == "copy" else None
        )
        dialog.open()

    def update_actions(self) -> None:
        """Switch every action on or off by what is shown and what is allowed."""
        session = self._session
        facts = session.facts if session is not None else None
        nothing_open = "" if session is not None else "Open an experiment first."
        for name in ("file.save", "file.save_as_template", "file.duplicate", "view.setup",
                     "view.monitor", "run.preflight"):  # fmt: skip
            self._actions.switch(name, nothing_open)
        is_live = session is not None and session.is_live
        self._actions.switch("file.delete", nothing_open or ("Stop it first." if is_live else ""))
        at_start = "" if session is not None else "The start page is shown."
        self._actions.switch("file.start_page", at_start)
        for name in ("file.import_trials", "file.paste_trials"):
            self._actions.switch(name, nothing_open or _why_no_import(session))
        self._update_edit_actions(session)
        self._update_headless_action(facts)
        self._update_run_actions(facts)

    # inside

    def _update_edit_actions(self, session: ExperimentSession | None) -> None:
        model = None if session is None else session.draft_model
        undone = "" if model is not None and model.can_undo else "Nothing was edited."
        self._actions.switch("edit.undo", undone)
        redone = "" if model is not None and model.can_redo else "Nothing was undone."
        self._actions.switch("edit.redo", redone)

    def _update_headless_action(self, facts: RunFacts | None) -> None:
        reason = ""
        if facts is None:
            reason = "Open an experiment first"
        elif facts.state is RunState.DRAFT:
            reason = f"The set-up is not complete: {facts.first_problem}"
        elif facts.state is RunState.COMPLETED:
            reason = "The run is completed; add trials to go on"
        tip = "Copies what goes on with it in a terminal."
        self._actions.switch("tools.copy_headless_command", reason, tip)

    def _update_run_actions(self, facts: RunFacts | None) -> None:
        self._actions["run.start"].setText(start_word(facts))
        self._actions["run.stop_now"].setText(stop_now_word(facts))
        for name, action in _RUN_ACTIONS.items():
            self._actions.switch(name, why_off(facts, action), action_tip(facts, action))
        self._actions.switch(
            "run.add_trials", why_no_more_trials(facts), "Go on with further trials."
        )
        self._actions.switch(
            "run.test_plugins", why_no_test(facts), "Test the runner and all metrics."
        )


def _why_no_import(session: ExperimentSession | None) -> str:
    """Why no trials can be imported now; empty if they can."""
    if session is None:
        return ""
    facts = session.facts
    if facts.controller:
        return f"The experiment is run by {facts.controller}."
    if facts.is_opening:
        return "The run is being started."
    if facts.state is RunState.DRAFT and not session.is_configured:
        return f"The set-up is not complete: {facts.first_problem}"
    return ""
