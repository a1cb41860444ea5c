"""The system's clocks."""

import threading
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

    def wait(self, wake: threading.Event, seconds: float | None) -> None:
        """Return once `wake` is set or the seconds have passed."""
        wake.wait(seconds)
