"""Commands for a run, from any thread, and what wakes it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue

from axdesk.core.commands import Command
from axdesk.core.errors import AxdeskError, TransitionError
from axdesk.core.protocols import Clock


@dataclass(frozen=True, slots=True)
class _Submitted:
    """A command, and the Future that answers it."""

    command: Command
    answer: "Future[None]"


class Inbox:
    """`submit` and `wake` may be called from any thread; the rest belongs to the scheduler's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._items: SimpleQueue[object] = SimpleQueue()

    def submit(self, command: Command) -> "Future[None]":
        """Hand a command to the run; even from a signal handler."""
        answer: Future[None] = Future()
        self._items.put(_Submitted(command, answer))
        return answer

    def wake(self) -> None:
        """Make the loop look at everything once more."""
        self._items.put(None)

    def receive(self, seconds: float | None, carry_out: Callable[[Command], None]) -> None:
        """Wait for something to do, then carry out every command that has come in.

        Args:
            seconds: To wait at most; None for no end.
            carry_out: An `AxdeskError` that it raises refuses the command.
        """
        item = self._clock.receive(self._items, seconds)
        while item is not None or not self._items.empty():
            if isinstance(item, _Submitted):
                _answer(item, carry_out)
            item = self._items.get() if not self._items.empty() else None

    def refuse_all(self) -> None:
        """Answer commands that came too late."""
        while not self._items.empty():
            item = self._items.get()
            if isinstance(item, _Submitted) and item.answer.set_running_or_notify_cancel():
                item.answer.set_exception(
                    TransitionError("The run has ended.", "Resume it, or start another.")
                )


def _answer(submitted: _Submitted, carry_out: Callable[[Command], None]) -> None:
    if not submitted.answer.set_running_or_notify_cancel():
        return
    try:
        carry_out(submitted.command)
    except AxdeskError as error:
        submitted.answer.set_exception(error)
    except BaseException as error:
        submitted.answer.set_exception(error)
        raise
    else:
        submitted.answer.set_result(None)
