"""Signals in a run: Ctrl-C drains, then stops, then leaves; being asked to end leaves at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from axdesk.core.commands import Command, Leave, Stop, StopNow

END_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
"""What a system sends to end a program: a service is stopped, a terminal closed, a user leaves."""

_ON_CTRL_C: tuple[Command, ...] = (
    Stop(),
    StopNow(),
    Leave("left by Ctrl-C while trials were running"),
)


_SECONDS_TO_END = 4.0
"""For an end in good order; a service manager or a user who leaves does not wait much longer."""


class _Submits(Protocol):
    def submit(self, command: Command) -> object: ...


class _Ending:
    """Handles a signal by KeyboardInterrupt, and sees to it that the program really ends."""

    def __init__(self, give_up: Callable[[], None]) -> None:
        self._give_up = give_up
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(_SECONDS_TO_END, self._give_up)
            self._timer.daemon = True
            self._timer.start()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.begin()
        raise KeyboardInterrupt


def end_when_asked_to(give_up: Callable[[], None]) -> None:
    """Let Ctrl-C and the signals that end this program raise KeyboardInterrupt.

    One that the program ignores stays ignored: `nohup` means it. For a program's main thread.

    Args:
        give_up: Ends the program at once; called in another thread should it still be there a few
            seconds later, because a disk or a plugin does not answer.
    """
    ending = _Ending(give_up)
    for number in (signal.SIGINT, *END_SIGNALS):
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, ending)


@contextmanager
def steered_by_signals(scheduler: _Submits) -> Iterator[None]:
    """Turn each signal that would raise KeyboardInterrupt into a command while the block runs.

    Only in the main thread of a program; those that it handles otherwise are left alone.

    Raises:
        KeyboardInterrupt: At the end of the block, if such a signal came.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *END_SIGNALS)}
    taken = {
        number: handler
        for number, handler in before.items()
        if handler is signal.default_int_handler or isinstance(handler, _Ending)
    }

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        command = _command(number, came.count(number))
        handler = taken[number]
        if isinstance(command, Leave) and isinstance(handler, _Ending):
            handler.begin()
        scheduler.submit(command)

    for number in taken:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def _command(number: int, times: int) -> Command:
    if number == signal.SIGINT:
        return _ON_CTRL_C[min(times, len(_ON_CTRL_C)) - 1]
    return Leave(f"axdesk was asked to end ({signal.Signals(number).name})")
