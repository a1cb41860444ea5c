"""Carrying out a dry test: the calls of a real trial, made once, with nothing recorded."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, TypeVar

from axdesk.core.clock import SystemClock
from axdesk.core.dry_test import (
    DRY_TEST_INDEX,
    DryOutcome,
    DryStep,
    DryTest,
    PassedTest,
    StepKind,
    StepState,
    plugins_of,
)
from axdesk.core.errors import AxdeskError, PluginError, TrialFailedError
from axdesk.core.parameters import TParameterization
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Observation, TrialStatus
from axdesk.orchestration.calls import PendingCall
from axdesk.plugins.hosts import HostedPluginCalls

TOpen = Callable[[Callable[[HostedPluginCalls], object]], HostedPluginCalls]
"""Starts the plugins; tells its argument of them before it waits for them."""

SECONDS_TO_RETURN = 5.0
"""So long a call may go on when the test is stopped, and its process may take to end."""

LINES_KEPT = 200
_LOOK_EVERY = 1.0
_CALLS = {
    StepKind.START: "Loading the plugins",
    StepKind.DEPLOY: "run_trial",
    StepKind.POLL: "poll_trial",
    StepKind.FETCH: "fetch",
    StepKind.STOP: "stop_trial",
}
_LONGEST_TEXT = 300

T = TypeVar("T")


class _StoppedError(Exception):
    """The operator stopped the test."""


class _Wait:
    """The wait for one answer, and when it has to be ended."""

    def __init__(
        self,
        name: str,
        future: "Future[Any]",
        deadline: float | None,
        end: Callable[[str], object],
        *,
        has_grace: bool,
    ) -> None:
        self._name = name
        self._future = future
        self._deadline = deadline
        self._end = end
        self._grace = SECONDS_TO_RETURN if has_grace else 0.0
        self._call = PendingCall(name, future, deadline, 1.0)
        self._stopped_at: float | None = None
        self._ended_at: float | None = None

    def left(self, now: float, stops: int) -> float:
        """Return the seconds until it is to be looked at again; 0 once the wait is over.

        Args:
            now: Monotonic time.
            stops: How many times the operator asked for the end.
        """
        if stops and self._stopped_at is None:
            self._stopped_at = now
        if self._ended_at is None:
            self._end_if_due(now, stops)
        if self._future.done():
            return 0.0
        if self._ended_at is not None:
            return max(self._ended_at + SECONDS_TO_RETURN - now, 0.0)
        times = [time - now for time in self._call.times(now)]
        if self._stopped_at is not None:
            times.append(self._stopped_at + self._grace - now)
        return min((_LOOK_EVERY, *times))

    def _end_if_due(self, now: float, stops: int) -> None:
        if self._call.is_late(now):
            reason = f"did not answer within {self._deadline:g} s, and its process was ended."
        elif stops > 1 or (self._stopped_at is not None and now >= self._stopped_at + self._grace):
            reason = "was ended with its process, because the test was stopped."
        else:
            return
        self._ended_at = now
        self._end(f"{self._name} {reason}")


class DryTester:
    """One dry test; `run` blocks in a thread of its own, `stop` may be called from any."""

    def __init__(
        self, setup: ExperimentSetup, parameterization: TParameterization, open_calls: TOpen
    ) -> None:
        """Prepare a test; nothing is started yet.

        Args:
            setup: With a runner, and with what fetches each metric.
            parameterization: Of the trial.
            open_calls: Starts the plugins.
        """
        self._setup = setup
        self._open_calls = open_calls
        self._clock = SystemClock()
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._stops = 0
        self._lock = threading.Lock()
        self._publish: Callable[[DryTest], object] = lambda _: None
        self._printed: deque[str] = deque(maxlen=LINES_KEPT)
        self._calls: HostedPluginCalls | None = None
        kinds = [(StepKind.START, ""), (StepKind.DEPLOY, ""), (StepKind.POLL, "")]
        kinds += [(StepKind.FETCH, metric) for metric, _ in setup.metrics]
        steps = tuple(DryStep(kind, metric) for kind, metric in kinds)
        self.test = DryTest(dict(parameterization), steps, self._clock.now())

    def stop(self) -> None:
        """End the test: what is deployed is stopped, and a call that hangs ends with its process.

        Asked for once more, nothing is waited for any longer.
        """
        self._stops += 1
        self._inbox.put("stop")

    def run(self, publish: Callable[[DryTest], object]) -> DryTest:
        """Make the test.

        Args:
            publish: Receives the test as it stands, in this thread, at each change.

        Returns:
            The test as it ended; a plugin that fails is no exception.
        """
        self._publish = publish
        self._tell()
        try:
            self._calls = self._started()
            outcome = self._exercised(self._calls)
        except _StoppedError:
            outcome = DryOutcome.STOPPED
        except AxdeskError:
            outcome = DryOutcome.FAILED
        finally:
            if self._calls is not None:
                self._calls.close()
        steps = [
            replace(step, state=StepState.NOT_REACHED) if step.state is StepState.WAITING else step
            for step in self.test.steps
        ]
        self._tell(
            steps=tuple(steps),
            outcome=outcome,
            ended_at=self._clock.now(),
            is_stopping=self._stops > 0,
        )
        return self.test

    @property
    def passed(self) -> PassedTest | None:
        """What is remembered of the test; None unless it passed."""
        at = self.test.ended_at
        if at is None or self.test.outcome is not DryOutcome.PASSED:
            return None
        return PassedTest(at, plugins_of(self._setup), self.test.hashes)

    # the steps

    def _started(self) -> HostedPluginCalls:
        """Start the plugins, in a thread that is left behind should a file hang."""
        opened: Future[HostedPluginCalls] = Future()
        begun: list[HostedPluginCalls] = []
        is_ending = threading.Event()

        def listen(calls: HostedPluginCalls) -> None:
            begun.append(calls)
            calls.listen(self._take_printed)
            if is_ending.is_set():
                calls.close()

        def start() -> None:
            try:
                opened.set_result(self._open_calls(listen))
            except BaseException as error:  # noqa: BLE001  # raised again by who waits
                opened.set_exception(error)

        def end(_reason: str) -> None:
            is_ending.set()
            for calls in begun:
                calls.close()

        step = self.test.step(StepKind.START)
        self._begin(step)
        threading.Thread(target=start, name="axdesk-dry-test-start", daemon=True).start()
        calls = self._answer(step, opened, None, end)
        self._tell(hashes=calls.hashes)
        files = ", ".join(name for name, _ in calls.hashes)
        self._finish(step, f"{files} loaded, the runner and all metrics made")
        return calls

    def _exercised(self, calls: HostedPluginCalls) -> DryOutcome:
        deadlines = self._setup.run.orchestration.call_deadlines
        step = self.test.step(StepKind.DEPLOY)
        self._begin(step)
        future = calls.run_trial(DRY_TEST_INDEX, self.test.parameterization)
        try:
            metadata = self._called(step, future, deadlines.run)
        except (AxdeskError, _StoppedError) as error:
            if getattr(error, "was_entered", True):
                self._tell(remark="The trial may have started: look at the instrument.")
            raise
        told = ", ".join(f"{key}: {value}" for key, value in metadata.items())
        self._finish(step, f"run_trial returned {_cut(told) or 'no metadata'}")
        try:
            status = self._polled(calls, metadata, deadlines.poll)
        except TrialFailedError:
            return DryOutcome.FAILED
        except (AxdeskError, _StoppedError):
            self._stop_trial(calls, metadata, deadlines.stop)
            raise
        if status is not TrialStatus.COMPLETED:
            return DryOutcome.FAILED
        fetched = [
            self._fetched(calls, metric, metadata, deadlines.fetch)
            for metric, _ in self._setup.metrics
        ]
        return DryOutcome.PASSED if all(fetched) else DryOutcome.FAILED

    def _polled(
        self, calls: HostedPluginCalls, metadata: Mapping[str, Any], deadline: float | None
    ) -> TrialStatus:
        """Poll until the trial is over.

        Raises:
            AxdeskError: If a poll fails, or the trial passes its time limit.
        """
        step = self.test.step(StepKind.POLL)
        self._begin(step)
        self._pause(step, 0.0)
        began, limit = self._clock.monotonic(), self._setup.run.orchestration.trial_time_limit
        count, slowest, first = 0, 0.0, ""
        while True:
            asked = self._clock.monotonic()
            status = self._called(step, calls.poll_trial(DRY_TEST_INDEX, metadata), deadline)
            took = self._clock.monotonic() - asked
            count, slowest = count + 1, max(slowest, took)
            first = first or f"first answer {status.name} after {_seconds(took)}"
            step = self._update(step, count=count, text=f"{first}, slowest {_seconds(slowest)}")
            if status is TrialStatus.COMPLETED:
                self._finish(step, step.text)
                return status
            if status is not TrialStatus.RUNNING:
                self._finish(step, f"The runner answered {status.name}.", StepState.FAILED)
                return status
            if limit is not None and self._clock.monotonic() - began >= limit:
                text = f"The trial still runs after {_seconds(limit)}, its time limit."
                self._finish(step, text, StepState.FAILED)
                raise PluginError(text)
            self._pause(step, self._setup.run.initial_seconds_between_polls)

    def _fetched(
        self,
        calls: HostedPluginCalls,
        metric: str,
        metadata: Mapping[str, Any],
        deadline: float | None,
    ) -> bool:
        """Fetch one metric; return whether there is a value."""
        step = self.test.step(StepKind.FETCH, metric)
        self._begin(step)
        try:
            future = calls.fetch(metric, DRY_TEST_INDEX, metadata)
            observation = self._called(step, future, deadline)
        except AxdeskError:
            return False
        self._finish(step, _reading(observation))
        return True

    def _stop_trial(
        self, calls: HostedPluginCalls, metadata: Mapping[str, Any], deadline: float | None
    ) -> None:
        """Leave nothing running behind, if the runner can."""
        if not calls.can_stop:
            text = f"{calls.runner_name} cannot stop a trial: it may go on at the instrument."
            self._tell(remark=text)
            return
        step = DryStep(StepKind.STOP)
        self._tell(steps=(*self.test.steps, step))
        self._begin(step)
        # Asked for by the first stop, and given up by the next one only.
        stops = self._stops
        future = calls.stop_trial(DRY_TEST_INDEX, metadata)
        try:
            self._called(step, future, deadline, stops_before=stops)
        except (AxdeskError, _StoppedError):
            self._tell(remark="The trial may still run: look at the instrument.")
        else:
            self._finish(step, "stop_trial returned")

    # calls

    def _called(
        self, step: DryStep, future: "Future[T]", deadline: float | None, stops_before: int = 0
    ) -> T:
        def end(reason: str) -> None:
            assert self._calls is not None
            self._calls.give_up(future, reason)

        return self._answer(step, future, deadline, end, stops_before)

    def _answer(
        self,
        step: DryStep,
        future: "Future[T]",
        deadline: float | None,
        end: Callable[[str], object],
        stops_before: int = 0,
    ) -> T:
        """Wait for an answer, its deadline, or the operator.

        Args:
            step: What it belongs to; it fails if this does.
            future: The answer.
            deadline: Seconds after the laboratory's code was entered; None for none.
            end: Ends what hangs, so that the future is done soon.
            stops_before: Stops that this call has nothing to do with.

        Raises:
            AxdeskError: If the call fails.
            _StoppedError: If the operator stopped the test.
        """
        future.add_done_callback(lambda _: self._inbox.put("answered"))
        name = _CALLS[step.kind]
        has_grace = step.kind not in (StepKind.START, StepKind.FETCH)
        wait = _Wait(name, future, deadline, end, has_grace=has_grace)
        while (seconds := wait.left(self._clock.monotonic(), self._stops - stops_before)) > 0:
            if self._stops > stops_before and not self.test.is_stopping:
                self._tell(is_stopping=True)
            self._clock.receive(self._inbox, seconds)
            self._tell_printed()
        was_stopped = self._stops > stops_before
        try:
            answer = future.result(0)
        except AxdeskError as error:
            self._fail(step, error)
            if was_stopped:
                raise _StoppedError from None
            raise
        except TimeoutError:
            self._finish(step, f"{name} did not end.", StepState.FAILED)
            raise _StoppedError from None
        if was_stopped and step.kind not in (StepKind.DEPLOY, StepKind.STOP):
            self._finish(step, step.text or "The test was stopped.", StepState.STOPPED)
            if isinstance(answer, HostedPluginCalls):
                answer.close()
            raise _StoppedError
        return answer

    def _pause(self, step: DryStep, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        while (left := until - self._clock.monotonic()) > 0 and not self._stops:
            self._clock.receive(self._inbox, left)
        if self._stops:
            self._tell(is_stopping=True)
            self._finish(step, step.text, StepState.STOPPED)
            raise _StoppedError

    # telling

    def _begin(self, step: DryStep) -> None:
        self._update(step, state=StepState.RUNNING, started_at=self._clock.now())

    def _finish(self, step: DryStep, text: str, state: StepState = StepState.DONE) -> None:
        known = self.test.step(step.kind, step.metric)
        began = known.started_at or self._clock.now()
        seconds = max((self._clock.now() - began).total_seconds(), 0.0)
        self._update(step, state=state, text=text, seconds=seconds)

    def _fail(self, step: DryStep, error: AxdeskError) -> None:
        self._update(step, details=getattr(error, "details", ""))
        self._finish(step, str(error), StepState.FAILED)

    def _update(self, step: DryStep, **changes: Any) -> DryStep:
        changed = replace(self.test.step(step.kind, step.metric), **changes)
        steps = [
            changed if (s.kind, s.metric) == (step.kind, step.metric) else s
            for s in self.test.steps
        ]
        self._tell(steps=tuple(steps))
        return changed

    def _tell(self, **changes: Any) -> None:
        self.test = replace(self.test, printed=self._lines(), **changes)
        self._publish(self.test)

    def _lines(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._printed)

    def _tell_printed(self) -> None:
        if self._lines() != self.test.printed:
            self._tell()

    def _take_printed(self, file: str, text: str) -> None:
        """Keep what a plugin prints; in any thread."""
        with self._lock:
            self._printed.extend(f"{file}: {line}" for line in text.splitlines())
        self._inbox.put("printed")


def _reading(observation: Observation) -> str:
    value = f"{observation.mean:g}"
    if observation.sem is None:
        return f"{value}, noise not reported"
    return f"{value} ± {observation.sem:g}" if observation.sem else f"{value}, without noise"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
