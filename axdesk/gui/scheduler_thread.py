"""The thread in which one run lives."""

import threading
from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread, Signal

from axdesk.api.keep_awake import kept_awake
from axdesk.core.events import Event, PluginPrinted, Publish

MOST_PRINTED = 200
"""Lines that plugins printed and that wait to be shown; of more only the last are kept."""
MOST_CHARACTERS = 500
"""Longer lines are cut."""


class PrintedLines:
    """What plugins printed since it was last taken: bounded, so that no flood reaches the window.

    All methods may be called from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[tuple[str, str]] = deque(maxlen=MOST_PRINTED)
        self._dropped = 0

    def add(self, printed: PluginPrinted) -> bool:
        """Keep lines; return whether none were waiting before."""
        most = MOST_PRINTED * MOST_CHARACTERS
        dropped = printed.text.count("\n", 0, -most) if len(printed.text) > most else 0
        lines = printed.text[-most:].splitlines()
        with self._lock:
            is_first = not self._lines
            self._dropped += dropped + max(len(self._lines) + len(lines) - MOST_PRINTED, 0)
            self._lines.extend((printed.file, _cut(line)) for line in lines)
        return is_first and bool(lines)

    def take(self) -> tuple[tuple[tuple[str, str], ...], int]:
        """Return (file name, line) of what is waiting, and how many lines before were dropped."""
        with self._lock:
            lines, dropped = tuple(self._lines), self._dropped
            self._lines.clear()
            self._dropped = 0
        return lines, dropped


def _cut(line: str) -> str:
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


class SchedulerThread(QThread):
    """Runs the closed loop of one experiment.

    Signals:
        event_published: An event of the run, stored before; delivered in the GUI thread.
        lines_printed: Plugins printed what waits in `printed`, where nothing waited before.
        ended: The run is left; carries what was raised, or None. Always the last one.
    """

    event_published = Signal(object)
    lines_printed = Signal()
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
        self.printed = PrintedLines()

    def run(self) -> None:
        """Carry out the run."""
        error: Exception | None = None
        try:
            with kept_awake():
                self._work(self._publish)
        except Exception as raised:  # noqa: BLE001 - the top of the thread; handed on
            error = raised
        finally:
            self.ended.emit(error)

    def _publish(self, event: Event) -> None:
        """Hand an event to the GUI thread; what plugins print is told together, not one by one."""
        if not isinstance(event, PluginPrinted):
            self.event_published.emit(event)
        elif self.printed.add(event):
            self.lines_printed.emit()
