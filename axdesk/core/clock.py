"""The system's clocks."""

import queue
import time
from datetime import UTC, datetime


class SystemClock:
    """The `Clock` that real runs use."""

    def monotonic(self) -> float:
        """Return seconds that never step back."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the time in UTC."""
        return datetime.now(UTC)

    def receive(self, inbox: "queue.SimpleQueue[object]", seconds: float | None) -> object | None:
        """Return the next thing from the inbox, or None once the seconds have passed."""
        try:
            return inbox.get(timeout=seconds)
        except queue.Empty:
            return None
