"""The run of one experiment in this window: started, opened, driven by its thread, and ended."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from axdesk.core.commands import ChangeRunSettings, Command, Pause, Stop, StopNow
from axdesk.core.draft_cells import Problems
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.gui.client_lease import ClientLease, Opened, run_work
from axdesk.gui.command_desk import CommandDesk, Settled
from axdesk.gui.draft_saver import DraftSaver
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.log_model import LogLevel, LogLine
from axdesk.gui.models.run_record import RunRecord
from axdesk.gui.scheduler_thread import SchedulerThread

if TYPE_CHECKING:
    from axdesk.api.client import Client

PRINTED_MS = 250
"""What plugins print is shown together at this interval."""


class RunDesk(QObject):
    """Opens the client, lets a run go on in a thread of its own, and clears up after it.

    Everything is told in the GUI thread.

    Attributes:
        client: What runs the experiment; None until it is first needed, and once it is freed.

    Signals:
        changed: A run is being opened, has its thread or has lost it, or is asked to end.
        event_published: An event of the run, stored before; carries it.
        lines_printed: Plugins printed something; carries a list of `LogLine`.
        opened: The run's thread is about to start; carries the stored `Experiment`.
        outdated: An opening that was stopped is done; carries the stored `Experiment`.
        problems_found: The run cannot start as set up; carries the `Problems`.
        failed: The run cannot be opened; carries the `AxdeskError`.
        given_up: The run was stopped before its plugins were opened.
        ended: The run is over and its thread is gone; carries what was raised, or None.
    """

    changed = Signal()
    event_published = Signal(object)
    lines_printed = Signal(object)
    opened = Signal(object)
    outdated = Signal(object)
    problems_found = Signal(object)
    failed = Signal(object)
    given_up = Signal()
    ended = Signal(object)

    def __init__(
        self,
        lease: ClientLease,
        record: RunRecord,
        commands: CommandDesk,
        saver: DraftSaver,
        plugin_io: IoThread,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self.client: Client | None = None
        self._lease = lease
        self._record = record
        self._commands = commands
        self._saver = saver
        self._plugin_io = plugin_io
        self._thread: SchedulerThread | None = None
        self._is_opening = False
        self._is_closed = False
        self._starts = 0
        self._when_open: Command | None = None
        self._settings_wanted: RunSettings | None = None
        self._stopping_since: datetime | None = None
        self._end_error: Exception | None = None
        self._show_printed_soon = QTimer(self)
        self._show_printed_soon.setSingleShot(True)
        self._show_printed_soon.setInterval(PRINTED_MS)
        self._show_printed_soon.timeout.connect(self._show_printed)

    # what is known

    @property
    def is_live(self) -> bool:
        """Whether there is a thread in which a run goes on."""
        return self._thread is not None

    @property
    def is_opening(self) -> bool:
        """Whether a run is being started, of which nothing is known yet."""
        return self._is_opening

    @property
    def is_going(self) -> bool:
        """Whether a run goes on or is being started."""
        return self.is_live or self._is_opening

    @property
    def pauses_when_open(self) -> bool:
        """Whether the run that is being opened pauses as soon as it has started."""
        return isinstance(self._when_open, Pause)

    @property
    def stopping_since(self) -> datetime | None:
        """When it was asked to stop now (UTC); None while it was not."""
        return self._stopping_since if self.is_live else None

    # what is asked for

    def start(
        self, draft: Draft, more_trials: int | None, decisions: Sequence[Command], *, is_new: bool
    ) -> None:
        """Store what a draft says, and start or resume a run of it; only while none is going.

        Args:
            draft: What the set-up says.
            more_trials: What a new run after the last one adds; None for none.
            decisions: What became of trials that ran when the last run was cut off.
            is_new: Whether it is a mere draft so far.
        """
        self._is_opening = True
        self._when_open = None
        self._starts += 1
        start, lease = self._starts, self._lease
        self.changed.emit()

        def prepare() -> None:
            self._plugin_io.post(
                lambda workspace: lease.prepared(workspace, draft, decisions, is_new=is_new),
                lambda prepared: self._launch(prepared, more_trials, start),
                lambda error: self._fail(error, start),
            )

        self._saver.save(prepare, lambda error: self._fail(error, start))

    def submit(self, command: Command, told: Settled | None = None) -> None:
        """Have a command carried out by the run or, with none, at the database."""
        self._commands.submit(command, self.client if self.is_live else None, told)

    def pause(self) -> None:
        """Launch no new trials; a run that is being opened pauses as soon as it has started."""
        if self._is_opening:
            self._when_open = Pause()
            self.changed.emit()
        else:
            self.submit(Pause())

    def stop(self) -> None:
        """Launch no new trials and end the run once the running ones finished.

        A run whose plugins are still being opened is not started at all.
        """
        if self._is_opening and self.is_live:
            self._when_open = Stop()
        elif self._is_opening:
            self._is_opening = False
            self._starts += 1  # what is being opened is no longer waited for
            self.changed.emit()
            self.given_up.emit()
        else:
            self.submit(Stop())

    def stop_now(self) -> None:
        """End the running trials through the runner, then the run; once more, wait for none."""
        if self._stopping_since is None:
            self._stopping_since = datetime.now(UTC)
        self.submit(StopNow())
        self.changed.emit()

    def note_run(self, run: Run) -> None:
        """Hand what the operator asked for and changed meanwhile to a run that has started."""
        self._is_opening = False
        if run.state is not RunState.STOPPING:
            self._stopping_since = None
        asked, self._when_open = self._when_open, None
        wanted, self._settings_wanted = self._settings_wanted, None
        if wanted is not None and run.state.is_live:
            self._change_settings(wanted)
        if asked is not None and run.state.is_live:
            self.submit(asked)

    def release(self) -> None:
        """Free the client with its processes, unless a run needs it; the next start opens one."""
        if not self.is_going:
            self.free_client()

    def free_client(self) -> None:
        """Free the client with its processes, also what is still being opened."""
        lease, self.client = self._lease, None
        self._plugin_io.post(lambda _: lease.close())

    def close(self) -> None:
        """Tell nothing more; a run that goes on is left to the end of the process."""
        self._is_closed = True
        self._show_printed_soon.stop()

    # the run

    def _launch(self, prepared: Opened | Problems, more_trials: int | None, start: int) -> None:
        if start != self._starts and not self._is_closed:
            if isinstance(prepared, Opened):
                self.outdated.emit(prepared.experiment)
            return
        if isinstance(prepared, Problems):
            self._is_opening = False
            self.problems_found.emit(prepared)
            return
        if self._is_closed:
            return
        self.client = prepared.client
        self.opened.emit(prepared.experiment)
        last, settings = self._record.last_run, prepared.experiment.setup.run
        work = run_work(prepared.client, last, settings, more_trials)
        self._settings_wanted = None if last is None or more_trials else settings
        self._record.forget_live()
        self._thread = SchedulerThread(work, self)
        self._thread.event_published.connect(self.event_published)
        self._thread.lines_printed.connect(self._show_printed_soon.start)
        self._thread.ended.connect(self._note_end)
        self._thread.finished.connect(self._clear_up)
        self._thread.start()
        self.changed.emit()

    def _fail(self, error: AxdeskError, start: int) -> None:
        if start == self._starts:
            self._is_opening = False
            self.failed.emit(error)

    def _change_settings(self, settings: RunSettings) -> None:
        """Have a run take the settings of the set-up, where they differ from its own."""
        run = self._record.last_run
        if run is None or run.settings == settings:
            return
        self.submit(
            ChangeRunSettings(
                max_trials=settings.max_trials,
                parallelism=settings.parallelism,
                tolerated_trial_failure_rate=settings.tolerated_trial_failure_rate,
                initial_seconds_between_polls=settings.initial_seconds_between_polls,
                orchestration=settings.orchestration,
            )
        )

    def _note_end(self, error: object) -> None:
        self._end_error = error if isinstance(error, Exception) else None

    def _clear_up(self) -> None:
        self._show_printed()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.deleteLater()
        self._is_opening = False
        self._stopping_since = None
        self._commands.forget_answers()
        error, self._end_error = self._end_error, None
        self.ended.emit(error)
        if error is not None and not isinstance(error, AxdeskError):
            raise error

    def _show_printed(self) -> None:
        if self._thread is None or self._is_closed:
            return
        lines, dropped = self._thread.printed.take()
        now = datetime.now(UTC)
        told = [LogLine(now, LogLevel.PRINTED, text, file) for file, text in lines]
        if dropped:
            more = f"{counted(dropped, 'line')} before this not shown"
            told.insert(0, LogLine(now, LogLevel.PRINTED, more, lines[0][0]))
        self.lines_printed.emit(told)
