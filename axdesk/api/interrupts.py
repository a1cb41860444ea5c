"""Signals in a run: Ctrl-C drains, then stops, then leaves; being asked to end leaves at once."""

import signal
import threading
from collections.abc import Iterator
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


class _Submits(Protocol):
    def submit(self, command: Command) -> object: ...


def interrupt_when_asked_to_end() -> None:
    """Let the signals that end this program raise KeyboardInterrupt, as Ctrl-C does.

    One that the program ignores stays ignored: `nohup` means it. For a program's main thread.
    """
    for number in END_SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)


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

    def on_signal(number: int, frame: FrameType | None) -> None:
        came.append(number)
        scheduler.submit(_command(number, came.count(number)))

    taken = [
        number
        for number in (signal.SIGINT, *END_SIGNALS)
        if signal.getsignal(number) is signal.default_int_handler
    ]
    for number in taken:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


def _command(number: int, times: int) -> Command:
    if number == signal.SIGINT:
        return _ON_CTRL_C[min(times, len(_ON_CTRL_C)) - 1]
    return Leave(f"axdesk was asked to end ({signal.Signals(number).name})")
