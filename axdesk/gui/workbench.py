"""What the window works with: the list of experiments and the sessions that are open."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, Signal

from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError, NotFoundError
from axdesk.core.events import StorageHealthChanged
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState
from axdesk.gui.experiments_watch import ExperimentsWatch
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.experiments_model import ExperimentsModel
from axdesk.gui.session import ExperimentSession
from axdesk.gui.templates import Templates

if TYPE_CHECKING:
    from axdesk.api.templates import Template
    from axdesk.api.workspace import Workspace

_LOG = logging.getLogger(__name__)

KEPT_SESSIONS = 10
"""So many experiments stay open behind the one shown, with undo history and log."""

CLOSE_PATIENCE_MS = 10_000
"""The window waits this long for the last changes to be stored."""

PLUGIN_PATIENCE_MS = 2_000
"""The window waits this long for a plugin that is being loaded or released when it is closed."""


class _Opened(NamedTuple):
    draft: Draft
    experiment: Experiment | None
    summaries: tuple[ExperimentSummary, ...]


class _Contents(NamedTuple):
    database: Path
    plugin_folder: Path
    summaries: tuple[ExperimentSummary, ...]
    templates: "tuple[Template, ...]"


class Workbench(QObject):
    """Opens, makes, copies and deletes experiments, and keeps the sessions that run.

    Signals:
        unavailable: The database cannot be opened; carries the `AxdeskError`.
        loaded: The database is open for the first time; `database` and `plugin_folder` are known.
        current_changed: Another session, or none, is shown.
        failed: An `AxdeskError` that belongs to no session; carries it.
        opened_interrupted: The session shown was cut off; carries it.
        idle: The last run ended, or was not started.
        summaries_changed: The list of experiments was read again.
        session_opened: A session was made; carries it.
        session_removed: A session is about to be deleted; carries its id.
        tests_ended: No dry test goes on any more.
        plugins_changed: A plugin folder begins to be read, or was read.
        started_demo: The demo's session is shown and its run is being started.
    """

    unavailable = Signal(object)
    loaded = Signal()
    current_changed = Signal()
    failed = Signal(object)
    opened_interrupted = Signal(object)
    session_opened = Signal(object)
    session_removed = Signal(int)
    started_demo = Signal()
    idle = Signal()
    tests_ended = Signal()
    plugins_changed = Signal()
    summaries_changed = Signal()

    def __init__(
        self, open_workspace: "Callable[[Path | None], Workspace]", parent: QObject | None = None
    ) -> None:
        """Make the workbench; `begin` starts it.

        Args:
            open_workspace: Opens a database, or the usual one for None; called in the I/O thread.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self.experiments = ExperimentsModel(self)
        self.database: Path | None = None
        self.plugin_folder: Path | None = None
        self._open_workspace = open_workspace
        self.io = IoThread(lambda: open_workspace(None), self)
        self.plugin_io = IoThread(self.io, self)
        for thread in (self.io, self.plugin_io):
            thread.failed.connect(self.failed)
        self.templates = Templates(self.io, self.plugin_io, self)
        self._sessions: dict[int, ExperimentSession] = {}
        self._current: ExperimentSession | None = None
        self._wanted: int | None = None
        self._watch = ExperimentsWatch(self.io, lambda: self.outage is not None, self)
        self._watch.read.connect(self._take_summaries)
        self._watch.failed.connect(self.failed)

    def begin(self) -> None:
        """Start the threads and read the list of experiments."""
        self.io.start()
        self.plugin_io.start()
        self.read_database()

    def read_database(self) -> None:
        """Open the database, if it is not open, and read the list of experiments."""
        self.io.post(
            lambda w: _Contents(w.database, w.plugin_folder, w.summaries(), w.templates()),
            self._show_contents,
            self.unavailable.emit,
        )

    def choose_database(self, database: Path) -> None:
        """Have another database opened in place of the one that cannot be."""
        self.io.open_another(lambda: self._open_workspace(database))

    @property
    def why_no_exchange(self) -> str:
        """Why the database cannot be taken from under the window now; empty if it can."""
        if self.live_sessions:
            return "A run goes on. Stop it, or wait until it is done."
        if self.is_testing:
            return "A test of the plugins goes on. Stop it, or wait until it is done."
        if self.unsaved_sessions:
            return "Edits could not be saved so far."
        driven = next((s for s in self.experiments.summaries if s.controller), None)
        return f"{driven.name} is driven by {driven.controller}." if driven is not None else ""

    def exchange_database(
        self,
        work: Callable[[], Path],
        done: Callable[[Path], object],
        failed: Callable[[AxdeskError], object],
    ) -> None:
        """Put another database in the place of this one, or move it; then open what is there.

        All sessions are saved and closed before.

        Args:
            work: Does it in the I/O thread, while the database is closed; returns its path.
            done: Receives the path.
            failed: Receives why nothing was done.
        """
        self._watch.stop()
        self._wanted = None
        self._show(None)
        for session in self._sessions.values():
            self._store_name(session)
            session.close()
            self.session_removed.emit(session.id)
            self.experiments.forget_facts(session.id)
            session.deleteLater()
        self._sessions.clear()

        def go_on(path: Path) -> None:
            done(path)
            self.read_database()

        def stay(error: AxdeskError) -> None:
            failed(error)
            self.read_database()

        self.io.exchange(work, self._open_workspace, go_on, stay)

    @property
    def current(self) -> ExperimentSession | None:
        """The session that is shown."""
        return self._current

    @property
    def live_sessions(self) -> tuple[ExperimentSession, ...]:
        """The sessions with a run in this window, also one that is just being started."""
        return tuple(s for s in self._sessions.values() if s.is_live or s.is_opening)

    @property
    def unsaved_sessions(self) -> tuple[ExperimentSession, ...]:
        """The sessions with edits that could not be saved so far."""
        return tuple(s for s in self._sessions.values() if s.has_unsaved_edits)

    @property
    def outage(self) -> StorageHealthChanged | None:
        """Since when and why nothing can be saved, as any session found; None while it can."""
        found = (session.facts.outage for session in self._sessions.values())
        return next((outage for outage in found if outage is not None), None)

    @property
    def is_testing(self) -> bool:
        """Whether a dry test goes on."""
        return any(session.dry_testing.is_going for session in self._sessions.values())

    def stop_tests(self) -> bool:
        """Ask the dry tests that go on to end; return whether there are any."""
        going = [s.dry_testing for s in self._sessions.values() if s.dry_testing.is_going]
        for testing in going:
            testing.stop()
        return bool(going)

    # the list

    def refresh(self) -> None:
        """Read the list of experiments again, unless that is under way."""
        self._watch.refresh()

    def open(self, experiment_id: int) -> None:
        """Show an experiment."""
        self._wanted = experiment_id
        session = self._sessions.get(experiment_id)
        if session is not None:
            session.reload()
            self._show(session)
            return
        self.io.post(
            lambda workspace: _read(workspace, experiment_id),
            lambda opened: self._open_session(experiment_id, opened),
        )

    def show_start_page(self) -> None:
        """Show no experiment."""
        self._wanted = None
        self._show(None)
        self.refresh()
        self.templates.read()

    def new(self, draft: Draft | None = None) -> None:
        """Make a new draft and show it."""
        self._make(lambda w: w.new_draft(draft), self._open_new)

    def new_from_file(
        self,
        path: Path,
        done: Callable[[int, str, str], object] = lambda *_: None,
        failed: Callable[[AxdeskError], object] | None = None,
    ) -> None:
        """Make a new draft from an experiment file and show it.

        Args:
            path: The file.
            done: Receives the draft's number, its name, and the name in the file.
            failed: Receives why there is none; None has the signal `failed` tell it.
        """

        def show(made: tuple[int, str, str]) -> None:
            done(*made)
            self._open_new(made[0])

        self.io.post(lambda w: w.new_from_file(path), show, failed)

    def duplicate(self, experiment_id: int) -> None:
        """Copy the set-up of an experiment into a new draft and show it."""
        self._flush(experiment_id)
        self._make(lambda w: w.duplicate(experiment_id), self._open_new)

    def delete(self, experiment_id: int) -> None:
        """Delete an experiment and all that belongs to it."""
        session = self._sessions.get(experiment_id)
        if session is not None and (session.is_live or session.dry_testing.is_going):
            return
        self._flush(experiment_id)
        if session is not None and session is self._current:
            self._wanted = None
            self._show(None)
        self.io.post(lambda w: w.delete(experiment_id), lambda _: self._forget(experiment_id))

    def _forget(self, experiment_id: int) -> None:
        """Let go of an experiment that is deleted; where that is refused, all stays as it is."""
        session = self._sessions.get(experiment_id)
        if session is not None:
            self._let_go(session)
        self.refresh()

    def _let_go(self, session: ExperimentSession) -> None:
        """Close a session without a run, and free what belongs to it."""
        session.close()
        self.session_removed.emit(session.id)
        del self._sessions[session.id]
        self.experiments.forget_facts(session.id)
        session.deleteLater()

    def _let_old_ones_go(self) -> None:
        """Keep only the sessions shown last, beside those in which something goes on."""
        idle = [s for s in self._sessions.values() if s is not self._current and s.may_be_closed]
        for session in idle[:-KEPT_SESSIONS]:
            self._let_go(session)

    def start_demo(self) -> None:
        """Make the Hartmann6 demo, show it and start its run."""

        def make(workspace: "Workspace") -> int:
            new: int = workspace.create_from_setup(workspace.demo_setup(), unique_name=True)
            return new

        def start(experiment_id: int) -> None:
            self._start_when_open = experiment_id
            self._open_new(experiment_id)

        self._make(make, start)

    _start_when_open: int | None = None

    def _make(self, work: "Callable[[Workspace], int]", done: Callable[[int], object]) -> None:
        """Have a new experiment made, unless one is being made: a double click is one wish."""
        if self._is_making:
            return
        self._is_making = True

        def take(experiment_id: int) -> None:
            self._is_making = False
            done(experiment_id)

        def tell(error: AxdeskError) -> None:
            self._is_making = False
            self.failed.emit(error)

        self.io.post(work, take, tell)

    _is_making = False

    # plugins

    def reload_plugins(self) -> None:
        """Read the plugin folder of the session shown again."""
        if self._current is not None:
            self._current.read_plugins(anew=True)

    def reread_plugins(self) -> None:
        """Read the plugin folders of the open sessions again, as far as something changed."""
        for session in self._sessions.values():
            session.read_plugins()

    # the end

    def close(self) -> None:
        """Save everything, end the I/O thread and wait until it has stored the rest.

        Runs that go on are left to the end of the process.
        """
        self._watch.stop()
        for session in self._sessions.values():
            if session.is_live:
                session.leave_running()
            else:
                self._store_name(session)
                session.close()
        self.plugin_io.end()
        self.plugin_io.wait(PLUGIN_PATIENCE_MS)
        self.io.end()
        if not self.io.wait(CLOSE_PATIENCE_MS):
            _LOG.error("The database did not take the last changes within 10 s.")

    # inside

    def _show_contents(self, contents: _Contents) -> None:
        self.database, self.plugin_folder = contents.database, contents.plugin_folder
        self._take_summaries(contents.summaries)
        self.templates.take(contents.templates)
        self._watch.start()
        self.loaded.emit()

    def _take_summaries(self, summaries: tuple[ExperimentSummary, ...]) -> None:
        self.experiments.set_summaries(summaries)
        by_id = {summary.id: summary for summary in summaries}
        for session in tuple(self._sessions.values()):
            if session.id in by_id:
                session.set_summary(by_id[session.id])
        self._tell_taken_names()
        self.summaries_changed.emit()

    def _tell_taken_names(self) -> None:
        """Tell each session what the others are called, as far as that is known by now."""
        names = {summary.id: summary.name for summary in self.experiments.summaries}
        for session in self._sessions.values():
            others = {name for number, name in names.items() if number != session.id}
            session.draft_model.set_taken_names(others - {session.stored_name, ""})

    def _open_new(self, experiment_id: int) -> None:
        self.open(experiment_id)

    def _open_session(self, experiment_id: int, opened: _Opened) -> None:
        self._take_summaries(opened.summaries)
        if experiment_id in self._sessions or experiment_id != self._wanted:
            return
        session = ExperimentSession(
            experiment_id,
            opened.draft,
            self.io,
            self.plugin_io,
            experiment=opened.experiment,
            parent=self,
        )
        self._sessions[experiment_id] = session
        session.changed.connect(lambda: self._show_in_list(session))
        session.finished.connect(self._note_finished)
        session.plugins.changed.connect(self.plugins_changed)
        self.session_opened.emit(session)
        session.dry_testing.going_changed.connect(self._note_tests)
        summary = self.experiments.summary_of(experiment_id)
        if summary is not None:
            session.set_summary(summary)
        self._show_in_list(session)
        self._show(session)
        if self._start_when_open == experiment_id:
            self._start_when_open = None
            self.started_demo.emit()
            session.start()
        session.read_plugins(lambda: self._tell_interrupted(session))

    def _tell_interrupted(self, session: ExperimentSession) -> None:
        if session is self._current and session.state is RunState.INTERRUPTED:
            self.opened_interrupted.emit(session)

    def _show(self, session: ExperimentSession | None) -> None:
        before, self._current = self._current, session
        if before is session:
            return
        if before is not None:
            self._store_name(before)
        if session is not None:
            self._sessions[session.id] = self._sessions.pop(session.id)  # the one shown last
        self.current_changed.emit()
        if before is not None:
            before.release()
        self._let_old_ones_go()

    def _show_in_list(self, session: ExperimentSession) -> None:
        if session.id in self._sessions:
            self.experiments.show_facts(session.id, session.facts)
            self._tell_taken_names()

    def _store_name(self, session: ExperimentSession) -> None:
        """Have an experiment called what was typed, also where no run of it begins."""
        session.flush()
        if session.is_renamed:
            experiment_id = session.id
            self.io.post(lambda w: w.rename_as_typed(experiment_id))

    def _flush(self, experiment_id: int) -> None:
        if experiment_id in self._sessions:
            self._sessions[experiment_id].flush()

    def _note_tests(self) -> None:
        if not self.is_testing:
            self.tests_ended.emit()

    def _note_finished(self) -> None:
        for session in self._sessions.values():
            if session is not self._current:
                session.release()
        self.refresh()
        if not self.live_sessions:
            self.idle.emit()


def _read(workspace: "Workspace", experiment_id: int) -> _Opened:
    """Read all that a session starts from; in the I/O thread."""
    draft = workspace.load_draft(experiment_id)
    try:
        experiment: Experiment | None = workspace.experiment(experiment_id)
    except NotFoundError:
        experiment = None  # a mere draft
    return _Opened(draft, experiment, workspace.summaries())
