"""When a plugin file whose process crashed may have another one."""

from collections import deque

from axdesk.core.protocols import REST_SECONDS, Clock

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0
MOST_CRASHES = 5
WITHIN_SECONDS = 600.0


class Restarts:
    """Backoff after each crash, and a rest after too many.

    The pause before a restart doubles with each crash in a row. After `MOST_CRASHES` within
    `WITHIN_SECONDS` there is no restart for `REST_SECONDS`; then one try decides.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._crashes: deque[float] = deque(maxlen=MOST_CRASHES)
        self._in_a_row = 0

    def crashed(self) -> None:
        """Take down that the process ended by itself, or could not be started."""
        self._crashes.append(self._clock.monotonic())
        self._in_a_row += 1

    def worked(self) -> None:
        """Take down that a call was answered."""
        if self._is_tripped:
            self._crashes.clear()
        self._in_a_row = 0

    @property
    def pause(self) -> float:
        """Seconds to wait before the next start."""
        if not self._in_a_row:
            return 0.0
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._in_a_row - 1, 10))
        return max(0.0, pause - self._since_last)

    @property
    def rest(self) -> float:
        """Seconds for which calls are refused, because it crashed too often; else 0."""
        return max(0.0, REST_SECONDS - self._since_last) if self._is_tripped else 0.0

    @property
    def _since_last(self) -> float:
        return self._clock.monotonic() - self._crashes[-1]

    @property
    def _is_tripped(self) -> bool:
        full = len(self._crashes) == MOST_CRASHES
        return full and self._crashes[-1] - self._crashes[0] <= WITHIN_SECONDS
