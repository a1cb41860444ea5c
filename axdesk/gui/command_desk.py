"""How commands of one experiment are carried out, and what became of each."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from axdesk.core.commands import Abandon, AnswerQuestion, Command, EnterResult, MarkFailed
from axdesk.core.errors import AxdeskError
from axdesk.gui.client_lease import ClientLease, Opened
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.run_record import RunRecord

if TYPE_CHECKING:
    from axdesk.api.client import Client

Settled = Callable[[AxdeskError | None], object]
"""Told what became of a command: None if it was carried out, else why not."""

_SETTLING = (AnswerQuestion, EnterResult, MarkFailed, Abandon)
"""The commands that settle the question about their trial."""


class CommandDesk(QObject):
    """Hands commands to the run that goes on or, with none, has them carried out at the database.

    Everything is told in the GUI thread.

    Signals:
        changed: A question begins to be answered, or no longer is.
        opened: Commands were carried out at the database; carries the client and stored state.
        carried_out: Carries a command that was carried out and whose sender is told nothing.
        refused: Carries the `AxdeskError` for which such a command was not carried out.
    """

    changed = Signal()
    opened = Signal(object)
    carried_out = Signal(object)
    refused = Signal(object)
    _settled = Signal(object, object, object)

    def __init__(
        self, lease: ClientLease, record: RunRecord, plugin_io: IoThread, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._lease = lease
        self._record = record
        self._plugin_io = plugin_io
        self._answering: set[int] = set()
        self._settled.connect(self._settle)

    @property
    def answering(self) -> frozenset[int]:
        """The trials whose question is being answered."""
        return frozenset(self._answering)

    def submit(self, command: Command, run: "Client | None", told: Settled | None = None) -> None:
        """Have a command carried out.

        Args:
            command: Which.
            run: The client whose run goes on; None if none does.
            told: Told what became of it; None to have the signals tell it.
        """
        if run is not None:
            trial = command.trial_index if isinstance(command, _SETTLING) else None
            if trial not in self._record.questions:
                trial = None
            if trial in self._answering:
                return  # a question is answered once
            future = run.submit_to_run(command)
            if future is not None:
                if trial is not None:
                    self._answering.add(trial)
                    self.changed.emit()
                future.add_done_callback(lambda settled: self._tell_settled(command, settled, told))
                return
            # The run has just ended, which its thread has still to tell.
        self.carry_out((command,), self._plugin_io, told)

    def carry_out(
        self, commands: Sequence[Command], thread: IoThread, told: Settled | None = None
    ) -> None:
        """Carry commands out at the database, while no run goes on; see `submit`."""
        lease = self._lease

        def show(opened: Opened) -> None:
            self.opened.emit(opened)
            if told is not None:
                told(None)
                return
            for command in commands:
                self.carried_out.emit(command)

        thread.post(
            lambda workspace: lease.carry_out(workspace, commands),
            show,
            told or self.refused.emit,
        )

    def forget_answers(self) -> None:
        """Take no question for being answered any more: the run is over."""
        self._answering.clear()

    def _tell_settled(self, command: Command, future: "Future[None]", told: Settled | None) -> None:
        """Hand the outcome of a command to the GUI thread; called in the scheduler's thread."""
        error = None if future.cancelled() else future.exception()
        self._settled.emit(command, error, told)

    def _settle(self, command: Command, error: object, told: Settled | None) -> None:
        if isinstance(command, _SETTLING):
            self._answering.discard(command.trial_index)
        if told is not None and (error is None or isinstance(error, AxdeskError)):
            told(error)
        elif isinstance(error, AxdeskError):
            self.refused.emit(error)
        elif isinstance(error, BaseException):
            raise error
        else:
            self.carried_out.emit(command)
        self.changed.emit()
