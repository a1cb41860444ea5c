"""The list of experiments, read again when another process changed something."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from axdesk.core.errors import AxdeskError
from axdesk.core.protocols import ExperimentSummary
from axdesk.gui.io_thread import IoThread

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace

WATCH_MS = 1000
"""At this interval it is looked whether another process changed the database."""


class _Changes(NamedTuple):
    seen: object
    summaries: tuple[ExperimentSummary, ...] | None


class ExperimentsWatch(QObject):
    """Reads the list when it is asked to and, while it watches, when others changed something.

    Signals:
        read: The list was read; carries the summaries.
        failed: It could not be read; carries the `AxdeskError`. Told once for each reason.
    """

    read = Signal(object)
    failed = Signal(object)

    def __init__(self, io: IoThread, is_told: Callable[[], bool], parent: QObject) -> None:
        """Watch nothing yet.

        Args:
            io: Reads the database.
            is_told: Whether the operator knows already that the database does not answer.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self._io = io
        self._is_told = is_told
        self._is_reading = False
        self._seen: object = None
        self._last_failure = ""
        self._timer = QTimer(self)
        self._timer.setInterval(WATCH_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Watch from now on."""
        self._timer.start()

    def stop(self) -> None:
        """Watch no longer; another database may take the place of this one."""
        self._timer.stop()
        self._seen = None
        self._is_reading = False

    def refresh(self) -> None:
        """Read the list again, unless that is under way."""
        if not self._is_reading:
            self._is_reading = True
            self._io.post(lambda w: w.summaries(), self._show, self._fail)

    def _look(self) -> None:
        """Read the list again if another process changed something; runs of others with it."""
        if self._is_reading:
            return
        self._is_reading = True
        seen = self._seen

        def look(workspace: "Workspace") -> _Changes:
            # Looked at first: what changes meanwhile is seen the next time.
            changes = workspace.changes_by_others()
            return _Changes(changes, None if changes == seen else workspace.summaries())

        self._io.post(look, self._show_changes, self._fail)

    def _show_changes(self, changes: _Changes) -> None:
        self._seen = changes.seen
        if changes.summaries is None:
            self._is_reading = False
            self._last_failure = ""
        else:
            self._show(changes.summaries)

    def _show(self, summaries: tuple[ExperimentSummary, ...]) -> None:
        self._is_reading = False
        self._last_failure = ""
        self.read.emit(summaries)

    def _fail(self, error: AxdeskError) -> None:
        self._is_reading = False
        if not self._is_told() and self._last_failure != str(error):
            self._last_failure = str(error)
            self.failed.emit(error)
