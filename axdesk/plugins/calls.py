"""Calling runners and metrics in threads of this process, one for each plugin file."""

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from axdesk.core.errors import CallFailedError, PluginError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.plugins.call_request import CallRequest, carry_out
from axdesk.plugins.loader import MODULE_PREFIX
from axdesk.plugins.plugin_calls import BasePluginCalls, TThen, check_names_differ, settle

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


class ThreadedPluginCalls(BasePluginCalls):
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
        check_names_differ(tuple(metric.name for metric in metrics))
        super().__init__(
            type(runner).__name__, {metric.name: type(metric).__name__ for metric in metrics}
        )
        self._runner = runner
        self._metrics = {metric.name: metric for metric in metrics}
        self._workers: dict[str, _Worker] = {}

    @property
    def can_stop(self) -> bool:
        """Whether the runner offers `stop_trial`."""
        return type(self._runner).stop_trial is not IRunner.stop_trial

    @property
    def can_find(self) -> bool:
        """Whether the runner offers `find_trial`."""
        return type(self._runner).find_trial is not IRunner.find_trial

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
        self._cancel_waiting()
        for worker in self._workers.values():
            worker.close()

    def _put(self, request: CallRequest, future: Future[Any], then: TThen) -> None:
        plugin = self._runner if request.metric is None else self._metrics[request.metric]

        def job() -> None:
            if not future.running() and not future.set_running_or_notify_cancel():
                return
            try:
                answer = carry_out(plugin, request)
            except CallFailedError as failure:
                settle(future, failure)
            else:
                then(answer)

        self._worker(_file_of(plugin)).put(job)

    def _worker(self, file: str) -> _Worker:
        if file not in self._workers:
            self._workers[file] = _Worker(f"axdesk-plugin-{file or 'objects'}")
        return self._workers[file]


def _file_of(plugin: IRunner | IMetric) -> str:
    """Return what tells plugin files apart; empty for an object that a library user has made."""
    module = type(plugin).__module__
    return module.removeprefix(MODULE_PREFIX) if module.startswith(MODULE_PREFIX) else ""
