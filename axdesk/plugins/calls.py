"""Calling runners and metrics in threads of this process, one for each plugin file."""

import copy
import functools
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from axdesk.core.errors import CallFailedError, NotFoundError, PluginError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.names import first_duplicate
from axdesk.core.parameters import TParameterization
from axdesk.core.trial import Observation, TrialStatus
from axdesk.plugins.answers import (
    checked_availability,
    checked_find_answer,
    checked_metadata,
    checked_status,
    checked_stop_answer,
)
from axdesk.plugins.failures import reason_of, traceback_of
from axdesk.plugins.loader import MODULE_PREFIX
from axdesk.plugins.readings import checked_reading

_T = TypeVar("_T")

_Job = Callable[[], None]


class _Worker:
    """One thread that does jobs in order.

    A daemon, and not of a `ThreadPoolExecutor`, so that a call that hangs holds no interpreter.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=_work, args=(self._jobs,), name=name, daemon=True).start()

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    def close(self) -> None:
        self._jobs.put(None)


def _work(jobs: "queue.SimpleQueue[_Job | None]") -> None:
    while (job := jobs.get()) is not None:
        job()
        del job  # nothing of the laboratory's is held while this waits


class ThreadedPluginCalls:
    """The `PluginCalls` of objects in this process.

    Objects whose classes come from one plugin file share a thread, and so do all others, which a
    user of the library has made. A call that hangs occupies its thread; nothing can end it.
    """

    def __init__(self, runner: IRunner, metrics: Sequence[IMetric]) -> None:
        """Take the objects; threads start with the first call.

        Args:
            runner: Deploys trials.
            metrics: Each with a name of its own.

        Raises:
            UserInputError: If two metrics have the same name.
            PluginError: If a metric has none.
        """
        for metric in metrics:
            if not hasattr(metric, "name"):
                raise PluginError(
                    f"The metric {type(metric).__name__} has no name.",
                    "Call super().__init__(name) in its constructor.",
                )
        twice = first_duplicate(tuple(metric.name for metric in metrics))
        if twice is not None:
            raise UserInputError(f"Two metrics are called {twice!r}.", "Keep one of them.")
        self._runner = runner
        self._metrics = {metric.name: metric for metric in metrics}
        self._workers: dict[str, _Worker] = {}
        self._waiting: set[Future[Any]] = set()
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def can_stop(self) -> bool:
        """Whether the runner offers `stop_trial`."""
        return type(self._runner).stop_trial is not IRunner.stop_trial

    @property
    def can_find(self) -> bool:
        """Whether the runner offers `find_trial`."""
        return type(self._runner).find_trial is not IRunner.find_trial

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that can be fetched."""
        return tuple(self._metrics)

    @property
    def runner_name(self) -> str:
        """The class of the runner."""
        return type(self._runner).__name__

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Future[dict[str, Any]]:
        """Deploy a trial."""
        call = functools.partial(self._runner.run_trial, trial_index, dict(parameterization))
        return self._ask_runner("run_trial", trial_index, call, checked_metadata)

    def poll_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[TrialStatus]:
        """Ask how a trial fares."""
        call = functools.partial(self._runner.poll_trial, trial_index, _copied(trial_metadata))
        return self._ask_runner("poll_trial", trial_index, call, checked_status)

    def stop_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[dict[str, Any]]:
        """Stop a trial."""
        call = functools.partial(self._runner.stop_trial, trial_index, _copied(trial_metadata))
        return self._ask_runner("stop_trial", trial_index, call, checked_stop_answer)

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Future[dict[str, Any] | None]:
        """Look for a trial whose deployment was interrupted."""
        call = functools.partial(self._runner.find_trial, trial_index, dict(parameterization))
        return self._ask_runner("find_trial", trial_index, call, checked_find_answer)

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[Observation]:
        """Fetch one value of one metric.

        Raises:
            NotFoundError: If there is no such metric.
        """
        metric = self._metrics.get(metric_name)
        if metric is None:
            known = ", ".join(self._metrics) or "none"
            raise NotFoundError(f"There is no metric {metric_name!r}.", f"There are: {known}.")
        call = f"{type(metric).__name__}.fetch of trial {trial_index}"
        ask = functools.partial(metric.fetch, trial_index, _copied(trial_metadata))
        future: Future[Observation] = Future()
        check = functools.partial(checked_reading, metric_name, trial_index)
        self._put(metric, future, call, ask, check, future.set_result)
        return future

    def available_while_running(self) -> Future[tuple[str, ...]]:
        """Return the metrics that can be fetched before a trial is completed."""
        future: Future[tuple[str, ...]] = Future()
        self._ask_availability(future, tuple(self._metrics.values()), ())
        return future

    def give_up(self, answer: Future[Any], reason: str) -> bool:
        """Leave a call that takes too long to itself, for no thread can be ended.

        Args:
            answer: What the call returned.
            reason: Not used here.

        Returns:
            Whether it has ended by itself.
        """
        return answer.done()

    def listen(self, told: Callable[[str, str], None] | None) -> None:
        """Do nothing: what is printed here goes where all output of this program goes."""

    def close(self) -> None:
        """End the threads; calls in the queue are cancelled, one that hangs is left behind."""
        with self._lock:
            self._is_closed = True
            waiting = tuple(self._waiting)
        for future in waiting:
            future.cancel()
        for worker in self._workers.values():
            worker.close()

    def _ask_runner(
        self,
        method: str,
        trial_index: int,
        ask: Callable[[], object],
        check: Callable[[str, object], _T],
    ) -> Future[_T]:
        call = f"{self.runner_name}.{method} of trial {trial_index}"
        future: Future[_T] = Future()
        check_answer = functools.partial(check, call)
        self._put(self._runner, future, call, ask, check_answer, future.set_result)
        return future

    def _ask_availability(
        self, future: Future[tuple[str, ...]], metrics: tuple[IMetric, ...], found: tuple[str, ...]
    ) -> None:
        """Ask one metric after the other, each in the thread of its file."""
        if not metrics:
            future.set_result(found)
            return
        metric, *rest = metrics
        call = f"{type(metric).__name__}.is_available_while_running"

        def go_on(is_available: bool) -> None:
            more = (*found, metric.name) if is_available else found
            self._ask_availability(future, tuple(rest), more)

        check = functools.partial(checked_availability, call)
        self._put(metric, future, call, metric.is_available_while_running, check, go_on)

    def _put(
        self,
        plugin: IRunner | IMetric,
        future: Future[Any],
        call: str,
        ask: Callable[[], object],
        check: Callable[[object], _T],
        then: Callable[[_T], None],
    ) -> None:
        """Queue a call in the thread of the object's file.

        Args:
            plugin: Whose file it is.
            future: Is running when the call is entered, and fails if it fails.
            call: What the call is, for messages.
            ask: Enters the laboratory's code.
            check: Returns the answer, or raises a `CallFailedError`.
            then: Receives the checked answer, in the same thread.
        """

        def job() -> None:
            with self._lock:
                self._waiting.discard(future)
            if not future.running() and not future.set_running_or_notify_cancel():
                return
            answer, failure = _answer(call, ask, check)
            if failure is None:
                then(answer)
            else:
                future.set_exception(failure)

        with self._lock:
            if self._is_closed:
                future.set_exception(CallFailedError(f"{call} was asked for after the end."))
                return
            self._waiting.add(future)
            self._worker(_file_of(plugin)).put(job)

    def _worker(self, file: str) -> _Worker:
        if file not in self._workers:
            self._workers[file] = _Worker(f"axdesk-plugin-{file or 'objects'}")
        return self._workers[file]


def _file_of(plugin: IRunner | IMetric) -> str:
    """Return what tells plugin files apart; empty for an object that a library user has made."""
    module = type(plugin).__module__
    return module.removeprefix(MODULE_PREFIX) if module.startswith(MODULE_PREFIX) else ""


def _copied(metadata: Mapping[str, Any]) -> dict[str, Any]:
    # What the laboratory's code does to it must not reach the stored trial.
    return copy.deepcopy(dict(metadata))


def _answer(
    call: str, ask: Callable[[], object], check: Callable[[object], Any]
) -> tuple[Any, CallFailedError | None]:
    try:
        answer = ask()
    except BaseException as error:  # noqa: BLE001  # plugin border: sys.exit() and Ctrl-C's, too
        return None, _raised(call, error)
    try:
        return check(answer), None
    except CallFailedError as error:
        return None, error.with_traceback(None)
    except BaseException as error:  # noqa: BLE001  # the answer's own methods may raise
        return None, _raised(call, error)


def _raised(call: str, error: BaseException) -> CallFailedError:
    return CallFailedError(f"{call} raised {reason_of(error)}.", details=traceback_of(error))
