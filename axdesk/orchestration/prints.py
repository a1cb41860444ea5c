"""What the laboratory's code prints, on its way to the operator."""

import threading
from collections.abc import Callable

from axdesk.core.events import PluginPrinted, Publish
from axdesk.core.protocols import Clock

_PAUSE = 0.2
"""Seconds between two times that prints are told."""

_MOST_CHARACTERS = 20_000
"""Of one file between two such times; a flood must fill neither the memory nor the log."""


class Prints:
    """Gathers prints from any thread; everything but `add` belongs to the scheduler's."""

    def __init__(self, clock: Clock, publish: Publish, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._publish = publish
        self._wake = wake
        self._lock = threading.Lock()
        self._texts: dict[str, str] = {}
        self._left_out: dict[str, int] = {}
        self._next_at = 0.0

    def add(self, file: str, text: str) -> None:
        """Take what a plugin file printed; from any thread."""
        with self._lock:
            is_first = not self._texts
            before = self._texts.get(file, "")
            room = _MOST_CHARACTERS - len(before)
            self._texts[file] = before + text[:room]
            self._left_out[file] = self._left_out.get(file, 0) + max(0, len(text) - room)
        if is_first:
            self._wake()

    def due_at(self) -> float | None:
        """Return the monotonic time at which prints are told next; None if there are none."""
        return self._next_at if self._texts else None

    def step(self) -> None:
        """Tell what was printed, now and then."""
        if self._texts and self._clock.monotonic() >= self._next_at:
            self.tell()

    def tell(self) -> None:
        """Tell what was printed."""
        self._next_at = self._clock.monotonic() + _PAUSE
        with self._lock:
            texts, self._texts = self._texts, {}
            left_out, self._left_out = self._left_out, {}
        for file, text in texts.items():
            more = f"\n… and {left_out[file]} characters more" if left_out[file] else ""
            self._publish(PluginPrinted(file, text + more))
