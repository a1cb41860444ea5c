"""Plugin calls that are under way."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class PendingCall(Generic[T]):
    """A plugin call, and when it is late.

    The deadline counts from the moment when the laboratory's code was first seen to be entered:
    waiting behind another call is not this call's fault.
    """

    def __init__(
        self, future: "Future[T]", seconds: float | None, wake: Callable[[], None]
    ) -> None:
        self._future = future
        self._seconds = seconds
        self._entered_at: float | None = None
        future.add_done_callback(lambda _: wake())

    @property
    def is_done(self) -> bool:
        """Whether it was answered."""
        return self._future.done()

    def answer(self) -> T:
        """Return the answer of a call that is done, or raise what it raised."""
        return self._future.result(timeout=0)

    def when_late(self, now: float) -> float | None:
        """Return the monotonic time at which the call is late, as far as that is known."""
        if self._entered_at is None and self._future.running():
            self._entered_at = now
        if self._seconds is None or self._entered_at is None or self.is_done:
            return None
        return self._entered_at + self._seconds

    def is_late(self, now: float) -> bool:
        """Whether the deadline has passed without an answer."""
        late_at = self.when_late(now)
        return late_at is not None and now >= late_at

    def extend(self, now: float) -> None:
        """Let the deadline count from now: it was late, and is waited for once more."""
        self._entered_at = now
