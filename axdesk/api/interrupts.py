"""Ctrl-C in a run: once drains, twice stops now."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from axdesk.core.commands import Command, Stop, StopNow


class _Submits(Protocol):
    def submit(self, command: Command) -> object: ...


@contextmanager
def stopping_on_interrupt(scheduler: _Submits) -> Iterator[None]:
    """Turn Ctrl-C into commands while the block runs, in the main thread of a program.

    Raises:
        KeyboardInterrupt: At the end of the block, if Ctrl-C was pressed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed = 0

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        scheduler.submit(Stop() if pressed == 1 else StopNow())

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
