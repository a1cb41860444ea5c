"""The system's clocks."""

import queue
import time
from datetime import UTC, datetime

_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)


class SystemClock:
    """The `Clock` that real runs use."""

    def monotonic(self) -> float:
        """Return seconds that never step back, and that go on while the computer sleeps."""
        # On Linux `time.monotonic` stands still in suspend, while the laboratory does not.
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def receive(self, inbox: "queue.SimpleQueue[object]", seconds: float | None) -> object | None:
        """Return the next thing from the inbox, or None once the seconds have passed."""
        try:
            return inbox.get(timeout=seconds)
        except queue.Empty:
            return None
