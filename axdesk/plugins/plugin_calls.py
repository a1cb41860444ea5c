"""What calls in threads and calls in host processes have in common."""

import copy
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from axdesk.core.errors import CallFailedError, NotFoundError, UserInputError
from axdesk.core.names import first_duplicate
from axdesk.core.parameters import TParameterization
from axdesk.core.trial import Observation, TrialStatus
from axdesk.plugins.call_request import CallRequest

TThen = Callable[[Any], None]
"""Receives the checked answer of a call."""


class BasePluginCalls(ABC):
    """The methods of `PluginCalls` that make a request; subclasses say where it is carried out."""

    def __init__(self, runner_class: str, metric_classes: Mapping[str, str]) -> None:
        """Take the names.

        Args:
            runner_class: What the operator knows the runner as.
            metric_classes: Metric → name of its class.
        """
        self._runner_class = runner_class
        self._metric_classes = dict(metric_classes)
        self._unanswered: set[Future[Any]] = set()
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that can be fetched."""
        return tuple(self._metric_classes)

    @property
    def runner_name(self) -> str:
        """The class of the runner."""
        return self._runner_class

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Future[dict[str, Any]]:
        """Deploy a trial."""
        return self._ask_runner("run_trial", trial_index, parameterization)

    def poll_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[TrialStatus]:
        """Ask how a trial fares."""
        return self._ask_runner("poll_trial", trial_index, trial_metadata)

    def stop_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[dict[str, Any]]:
        """Stop a trial."""
        return self._ask_runner("stop_trial", trial_index, trial_metadata)

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Future[dict[str, Any] | None]:
        """Look for a trial whose deployment was interrupted."""
        return self._ask_runner("find_trial", trial_index, parameterization)

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> Future[Observation]:
        """Fetch one value of one metric.

        Raises:
            NotFoundError: If there is no such metric.
        """
        class_name = self._metric_classes.get(metric_name)
        if class_name is None:
            known = ", ".join(self.metric_names) or "none"
            raise NotFoundError(f"There is no metric {metric_name!r}.", f"There are: {known}.")
        return self._asked(
            CallRequest(class_name, "fetch", metric_name, trial_index, _copied(trial_metadata))
        )

    def available_while_running(self) -> Future[tuple[str, ...]]:
        """Return the metrics that can be fetched before a trial is completed."""
        future: Future[tuple[str, ...]] = Future()
        self._ask_availability(future, self.metric_names, ())
        return future

    def _ask_availability(
        self, future: Future[tuple[str, ...]], metrics: tuple[str, ...], found: tuple[str, ...]
    ) -> None:
        """Ask one metric after the other, each where the code of its file runs."""
        if not metrics:
            settle(future, found)
            return
        metric, *rest = metrics

        def go_on(is_available: bool) -> None:
            more = (*found, metric) if is_available else found
            self._ask_availability(future, tuple(rest), more)

        class_name = self._metric_classes[metric]
        request = CallRequest(class_name, "is_available_while_running", metric)
        self._put_or_refuse(request, future, go_on)

    def _ask_runner(self, method: str, trial_index: int, given: Mapping[str, Any]) -> Future[Any]:
        request = CallRequest(
            self._runner_class, method, trial_index=trial_index, given=_copied(given)
        )
        return self._asked(request)

    def _asked(self, request: CallRequest) -> Future[Any]:
        future: Future[Any] = Future()
        self._put_or_refuse(request, future, lambda answer: settle(future, answer))
        return future

    def _put_or_refuse(self, request: CallRequest, future: Future[Any], then: TThen) -> None:
        with self._lock:
            is_closed = self._is_closed
            if not is_closed:
                self._unanswered.add(future)
                self._put(request, future, then)
        if is_closed:
            message = f"{request.text} was asked for after the end."
            settle(future, CallFailedError(message, was_entered=False))
            return
        future.add_done_callback(self._unanswered.discard)

    def _cancel_waiting(self) -> None:
        """Take no call any more, and cancel those that were not entered."""
        with self._lock:
            self._is_closed = True
            unanswered = tuple(self._unanswered)
        for future in unanswered:
            future.cancel()

    @abstractmethod
    def _put(self, request: CallRequest, future: Future[Any], then: TThen) -> None:
        """Queue a request behind the others of its plugin file; the lock is held.

        Args:
            request: What is asked.
            future: Is running from when the laboratory's code is entered, and fails if that fails.
            then: Receives the checked answer, in the thread that received it.
        """


def settle(future: Future[Any], outcome: object) -> None:
    """Give a Future its result or exception, unless it was cancelled or given up meanwhile."""
    with suppress(InvalidStateError):
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def check_names_differ(metric_names: tuple[str, ...]) -> None:
    """Refuse two metrics of the same name.

    Raises:
        UserInputError: If there are.
    """
    twice = first_duplicate(metric_names)
    if twice is not None:
        raise UserInputError(f"Two metrics are called {twice!r}.", "Keep one of them.")


def _copied(given: Mapping[str, Any]) -> dict[str, Any]:
    # What the laboratory's code does to it must not reach the stored trial.
    return copy.deepcopy(dict(given))
