"""The thread in which one run lives."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from axdesk.core.events import Publish


class SchedulerThread(QThread):
    """Runs the closed loop of one experiment.

    Signals:
        event_published: An event of the run, stored before; delivered in the GUI thread.
        ended: The run is left; carries what was raised, or None. Always the last one.
    """

    event_published = Signal(object)
    ended = Signal(object)

    def __init__(self, work: Callable[[Publish], None], parent: QObject | None = None) -> None:
        """Make the thread.

        Args:
            work: Blocks until the run ends, and is given what takes its events.
            parent: Qt's owner.
        """
        super().__init__(parent)
        self.setObjectName("axdesk-scheduler")
        self._work = work

    def run(self) -> None:
        """Carry out the run."""
        error: Exception | None = None
        try:
            self._work(self.event_published.emit)
        except Exception as raised:  # noqa: BLE001 - the top of the thread; handed on
            error = raised
        finally:
            self.ended.emit(error)
