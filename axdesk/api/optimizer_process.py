"""Suggestions in a child process: the window never loads torch, and no fit can hurt it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import ParamSpec, TypeVar

from axdesk import generation
from axdesk.api.interrupts import END_SIGNALS
from axdesk.core.errors import AxdeskError, GenerationError
from axdesk.core.parameters import TParameterization
from axdesk.core.suggestions import Candidate, SuggestionRequest
from axdesk.core.trial import Prediction, TrialSource

T = TypeVar("T")
P = ParamSpec("P")


class OptimizerProcess:
    """A `Generator`. Space-filling candidates are made here at once, the others in the child.

    The child gets ready while the first trials run. It ends with its parent, however that ends.
    """

    def __init__(self, *, warms_up: bool = True) -> None:
        """Make the generator.

        Args:
            warms_up: Whether the child starts now; else with the first request that needs it.
        """
        self._warms_up = warms_up
        self._is_spoilt = False
        self._start()

    def _start(self) -> None:
        self._executor = ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
        )
        self._warm: Future[None] = Future()
        if not self._warms_up:
            return
        with _interrupts_kept_from_children(), suppress(OSError):
            # Where the system gives no process now, the next request tries again.
            self._warm = self._executor.submit(generation.warm_up)

    @property
    def is_ready(self) -> bool:
        """Whether the child has loaded what the model needs."""
        warm = self._warm
        return warm.done() and not warm.cancelled() and warm.exception() is None

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        """Return the candidates to come."""
        if request.n == 1 and generation.next_source(request) is not TrialSource.MODEL:
            return _answered(generation.suggest, request)
        return self._submit(generation.suggest, request)

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        """Return candidates at once, without a model."""
        return generation.space_filling(request, reason)

    def predict(
        self, request: SuggestionRequest, points: Sequence[TParameterization]
    ) -> "Future[tuple[tuple[Prediction, ...], ...]]":
        """Return what the model expects of each required metric at each point."""
        return self._submit(generation.predict, request, tuple(points))

    def _submit(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> "Future[T]":
        answer: Future[T] = Future()
        if self._is_spoilt:
            self.give_up()
        try:
            with _interrupts_kept_from_children():
                try:
                    inner = self._executor.submit(work, *arguments, **named)
                except BrokenProcessPool:
                    # The child died earlier, perhaps for want of memory: one for this request.
                    self._start()
                    inner = self._executor.submit(work, *arguments, **named)
        except (OSError, BrokenProcessPool) as error:
            self._is_spoilt = True
            answer.set_exception(
                GenerationError(f"The optimiser's process cannot be started: {error}.")
            )
        else:
            inner.add_done_callback(lambda done: self._pass_on(done, answer))
        return answer

    def _pass_on(self, done: "Future[T]", answer: "Future[T]") -> None:
        if done.cancelled():
            answer.set_exception(GenerationError("The suggestion was given up."))
            return
        error = done.exception()
        if isinstance(error, BrokenProcessPool):
            answer.set_exception(
                GenerationError("The optimiser's process ended.", "It is started again.")
            )
        elif error is not None:
            # Anything but a refusal, such as no memory left, may come again in the same process.
            self._is_spoilt = not isinstance(error, AxdeskError)
            answer.set_exception(error)
        else:
            answer.set_result(done.result())

    def give_up(self) -> None:
        """End the child with whatever it does, and start another."""
        self._kill()
        self._is_spoilt = False
        self._start()

    def close(self) -> None:
        """End the child."""
        self._kill()

    def _kill(self) -> None:
        # Python 3.11 to 3.13 have no public way to end a worker that is busy.
        processes = list((self._executor._processes or {}).values())  # noqa: SLF001
        for process in processes:
            process.kill()
        self._executor.shutdown(wait=True, cancel_futures=True)


def _answered(work: Callable[[SuggestionRequest], T], request: SuggestionRequest) -> "Future[T]":
    answer: Future[T] = Future()
    try:
        answer.set_result(work(request))
    except GenerationError as error:
        answer.set_exception(error)
    return answer


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Let a child that is started now ignore Ctrl-C from its first moment on, where possible."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Prepare the child: signals are its parent's affair, and it ends with its parent."""
    for number in (signal.SIGINT, *END_SIGNALS):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="axdesk-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
