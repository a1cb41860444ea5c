"""What the laboratory's code prints, told in portions that harm nobody."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from axdesk.core.protocols import Clock

TTold = Callable[[str, str], None]
"""Receives the plugin file's name and one or more lines."""

LINES_AT_ONCE = 200
LINES_PER_SECOND = 20.0
LONGEST_LINE = 2_000
KEPT_LINES = 100
KEPT_BYTES = 8_000

_log = logging.getLogger(__name__)


class HostOutput:
    """The output of one plugin file, over all of its processes.

    Of a flood, `LINES_AT_ONCE` lines are told, and later `LINES_PER_SECOND`, once a second; the
    others are counted. Nothing here waits for anybody or keeps more than a few kilobytes.
    """

    def __init__(self, file: str, clock: Clock) -> None:
        self._file = file
        self._clock = clock
        self._told: TTold | None = None
        self._kept: deque[str] = deque(maxlen=KEPT_LINES)
        self._last = b""
        self._begun = b""
        self._budget = float(LINES_AT_ONCE)
        self._refilled_at = clock.monotonic()
        self._dropped = 0
        # Reentrant: who is told may ask to be told no longer.
        self._lock = threading.RLock()

    def listen(self, told: TTold | None) -> None:
        """Have what was kept told, and what comes; or have it kept and logged."""
        with self._lock:
            self._told = told
            kept = tuple(self._kept)
            if told is not None:
                self._kept.clear()
                self._tell(kept)

    def feed(self, chunk: bytes) -> None:
        """Take output as it comes."""
        with self._lock:
            self._last = (self._last + chunk)[-KEPT_BYTES:]
            lines: list[str] = []
            start, allowed = 0, self._allowance()
            while len(lines) < allowed and (end := chunk.find(b"\n", start)) >= 0:
                lines.append(self._line(chunk[start : min(end, start + LONGEST_LINE + 1)]))
                start = end + 1
            noted = self._noted() if lines else ()
            rest_start = chunk.rfind(b"\n") + 1
            if rest_start > start:
                self._dropped += chunk.count(b"\n", start)
                self._begun = b""
                start = rest_start
            # One more than is shown, so that it shows that something is missing.
            room = LONGEST_LINE + 1 - len(self._begun)
            self._begun += chunk[start : start + room]
            self._budget -= len(lines)
            self._tell((*noted, *lines))

    def end_call(self) -> None:
        """Tell now how many lines were dropped."""
        with self._lock:
            self._tell(self._noted())

    def last_prints(self) -> str:
        """Return the last that the process has printed."""
        with self._lock:
            return self._last.decode("utf-8", "replace").strip()

    def end_process(self) -> str:
        """Tell what is left, and return the last that was printed."""
        with self._lock:
            begun = (self._line(b""),) if self._begun else ()
            self._tell((*self._noted(), *begun))
            last, self._last = self.last_prints(), b""
        return last

    def _allowance(self) -> int:
        now = self._clock.monotonic()
        gained = (now - self._refilled_at) * LINES_PER_SECOND
        self._budget = min(float(LINES_AT_ONCE), self._budget + gained)
        self._refilled_at = now
        if self._dropped and self._budget < LINES_PER_SECOND:
            return 0
        return int(self._budget)

    def _line(self, end: bytes) -> str:
        line = (self._begun + end).rstrip(b"\r")
        self._begun = b""
        cut = "…" if len(line) > LONGEST_LINE else ""
        return line[:LONGEST_LINE].decode("utf-8", "replace") + cut

    def _noted(self) -> tuple[str, ...]:
        dropped, self._dropped = self._dropped, 0
        if not dropped:
            return ()
        return (f"… {dropped:,} more {'line was' if dropped == 1 else 'lines were'} dropped",)

    def _tell(self, lines: tuple[str, ...]) -> None:
        if not lines:
            return
        text = "\n".join(lines)
        if self._told is None:
            self._kept.extend(lines)
            _log.info("%s: %s", self._file, text)
            return
        try:
            self._told(self._file, text)
        except Exception:  # noqa: BLE001
            # The pipe has to be emptied whatever becomes of the lines.
            _log.exception("The output of %s could not be told.", self._file)
