"""One running trial: when it is polled, how its results are fetched, how often that may fail."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from axdesk.core.errors import AxdeskError, DeadlineError, TrialFailedError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.protocols import PluginCalls
from axdesk.core.questions import FailedCall
from axdesk.core.run import RunSettings
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.orchestration.calls import OpenCalls, PendingCall, pause_after


@dataclass(slots=True)
class Laboratory:
    """What all watches of a run share.

    Attributes:
        calls: To the plugins.
        open_calls: Those under way.
        settings: The run's settings as they are now.
        optimization: What is optimised now.
        early: Metrics that are also fetched while a trial runs.
    """

    calls: PluginCalls
    open_calls: OpenCalls
    settings: Callable[[], RunSettings]
    optimization: Callable[[], OptimizationConfig]
    early: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """Metrics without which a trial is not completed."""
        return self.optimization().required_metrics

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metrics that are fetched, required ones first."""
        fetched = self.calls.metric_names
        return tuple(m for m in self.optimization().metric_names if m in fetched)


@dataclass(frozen=True, slots=True)
class Ended:
    """The trial is over: completed with its observations, or not, for a reason."""

    status: TrialStatus
    observations: tuple[Observation, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GaveUp:
    """A call failed so often that the trial would be FAILED for this reason."""

    call: FailedCall
    reason: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """Values of a trial that goes on."""

    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """So many calls in a row failed, or do not answer, for some seconds; 0: they work again.

    `is_fetching`: those that fetch the results of a completed trial. `is_silent`: the last one is
    under way and does not answer.
    """

    failures: int
    reason: str = ""
    seconds: float = 0.0
    is_fetching: bool = False
    is_silent: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A value without which the trial goes on could not be fetched."""

    reason: str


News = Ended | GaveUp | Progressed | Health | Skipped


@dataclass(slots=True)
class TrialWatch:
    """Polls one trial at the asked interval and fetches its results once it is completed.

    Attributes:
        lab: What all watches share.
        trial: As deployed; its metadata is set.
        due_at: Monotonic time of the next poll: on the grid of the interval, which polls that
            take long or are tried again do not move.
    """

    lab: Laboratory
    trial: Trial
    due_at: float
    _is_completed: bool = False
    _failures: int = 0
    _again_at: float | None = None
    _bad_since: float | None = None
    _is_told: bool = False
    _poll: PendingCall[TrialStatus] | None = None
    _fetches: dict[str, PendingCall[Observation]] = field(default_factory=dict)
    _early: dict[str, PendingCall[Observation]] = field(default_factory=dict)
    _values: dict[str, Observation] = field(default_factory=dict)
    _skipped: set[str] = field(default_factory=set)
    _too_slow: set[str] = field(default_factory=set)

    def step(self, now: float) -> tuple[News, ...]:
        """Take what was answered, ask what is due; return what is new."""
        news = [*self._take_early(now), *self._take_poll(now), *self._take_fetches(now)]
        if any(isinstance(item, Ended | GaveUp) for item in news):
            return tuple(news)
        news += self._take_silence(now)
        if not self._waits and now >= self._asks_at:
            self._ask(now)
        return tuple(news)

    def wakes_at(self, now: float) -> float | None:
        """Return when `step` has something to do, short of an answer; None if only an answer."""
        if not self._waits:
            return self._asks_at
        return None if self._is_told else self._silent_at(now)

    @property
    def _waits(self) -> bool:
        return self._poll is not None or bool(self._fetches)

    @property
    def _asks_at(self) -> float:
        return self.due_at if self._again_at is None else self._again_at

    # ---- ask -------------------------------------------------------------------------------------

    def _ask(self, now: float) -> None:
        self._again_at = None
        if self._is_completed:
            self._fetches = {metric: self._fetch(metric) for metric in self._missing}
            return
        index = self.trial.index
        future = self.lab.calls.poll_trial(index, self.trial.metadata or {})
        deadline = self.lab.settings().orchestration.call_deadlines.poll
        what = f"poll_trial of trial {index}"
        self._poll = self.lab.open_calls.add(what, future, deadline, trial_index=index)
        interval = self.lab.settings().initial_seconds_between_polls
        missed = max(0, math.floor((now - self.due_at) / interval))
        self.due_at = max(self.due_at + (missed + 1) * interval, now)

    @property
    def _missing(self) -> list[str]:
        """The metrics that are still to be fetched of a completed trial."""
        return [m for m in self.lab.metrics if m not in self._values.keys() | self._skipped]

    def _fetch(self, metric: str) -> PendingCall[Observation]:
        index = self.trial.index
        future = self.lab.calls.fetch(metric, index, self.trial.metadata or {})
        deadline = self.lab.settings().orchestration.call_deadlines.fetch
        what = f"fetching {metric} of trial {index}"
        return self.lab.open_calls.add(what, future, deadline, trial_index=index)

    # ---- polls -----------------------------------------------------------------------------------

    def _take_poll(self, now: float) -> tuple[News, ...]:
        call = self._poll
        if call is None:
            return ()
        budget = self.lab.settings().orchestration.retry_budget.poll
        bad_since = call.entered_at(now)
        if not call.is_done:
            if not call.is_late(now):
                return ()
            call.extend(now)
            error = DeadlineError("poll_trial does not answer")
            return self._failed(error, budget, now, bad_since)
        self._poll = None
        try:
            status = call.answer()
        except TrialFailedError as error:
            return (*self._recovered(), Ended(TrialStatus.FAILED, reason=error.message))
        except AxdeskError as error:
            return self._failed(error, budget, now, bad_since)
        news = self._recovered()
        match status:
            case TrialStatus.RUNNING:
                for metric in self.lab.early:
                    if metric not in self._early.keys() | self._too_slow:
                        self._early[metric] = self._fetch(metric)
                return news
            case TrialStatus.COMPLETED:
                self._is_completed = True
                self._again_at = now
                return news
            case _:
                return (*news, Ended(status, reason=f"the runner reports: {status}"))

    # ---- values while the trial runs -------------------------------------------------------------

    def _take_early(self, now: float) -> tuple[News, ...]:
        """Take values of a trial that goes on; one that is not there yet is no failure."""
        news: list[News] = []
        values = []
        for metric, call in list(self._early.items()):
            if call.is_done:
                del self._early[metric]
                try:
                    values.append(call.answer())
                except DeadlineError as error:
                    news.append(self._told_too_slow(metric, error.message))
                except AxdeskError:
                    continue
            elif call.is_late(now) and metric not in self._too_slow:
                news.append(self._told_too_slow(metric, f"{call.what} does not answer"))
        return (*news, Progressed(tuple(values))) if values else tuple(news)

    def _told_too_slow(self, metric: str, reason: str) -> Skipped:
        """Fetch a metric that hangs no more before the trial is completed."""
        self._too_slow.add(metric)
        return Skipped(f"{metric} is no longer fetched while the trial runs: {reason}")

    # ---- results ---------------------------------------------------------------------------------

    def _take_fetches(self, now: float) -> tuple[News, ...]:
        calls = self._fetches
        if not calls or not all(call.is_done or call.is_late(now) for call in calls.values()):
            return ()
        errors: dict[str, AxdeskError] = {}
        bad_since = now
        for metric, call in list(calls.items()):
            entered_at = call.entered_at(now)
            try:
                if not call.is_done:
                    call.extend(now)
                    raise DeadlineError(f"fetching {metric} does not answer")
                del calls[metric]
                self._values[metric] = call.answer()
            except AxdeskError as error:
                errors[metric] = error
                bad_since = min(bad_since, now if entered_at is None else entered_at)
        return self._fetch_failed(errors, now, bad_since) if errors else self._fetched()

    def _fetched(self) -> tuple[News, ...]:
        if self._missing:  # another metric counts since these were asked for
            self._again_at = self.due_at = self._asks_at
            return self._recovered()
        values = tuple(self._values[m] for m in self.lab.metrics if m in self._values)
        return (*self._recovered(), Ended(TrialStatus.COMPLETED, values))

    def _fetch_failed(
        self, errors: dict[str, AxdeskError], now: float, bad_since: float
    ) -> tuple[News, ...]:
        missing = [metric for metric in errors if metric in self.lab.required]
        metric = next(iter(missing or errors))
        budget = self.lab.settings().orchestration.retry_budget.fetch
        if self._failures + 1 < budget or missing:
            return self._failed(errors[metric], budget, now, bad_since)
        self._skipped |= errors.keys()
        skipped = Skipped(f"{metric} could not be fetched: {errors[metric].message}")
        return (skipped, *self._fetched())

    # ---- health ----------------------------------------------------------------------------------

    def _failed(
        self, error: AxdeskError, budget: int, now: float, bad_since: float | None
    ) -> tuple[News, ...]:
        """Count a failure; ask again later, twice as late each time, within the budget."""
        self._failures += 1
        if self._bad_since is None:
            self._bad_since = now if bad_since is None else bad_since
        health = Health(self._failures, error.message, now - self._bad_since, self._is_completed)
        if self._failures >= budget:
            what = "result could not be fetched" if self._is_completed else "could not be polled"
            tries = f"{self._failures} tries" if self._failures > 1 else "1 try"
            call = FailedCall.FETCH if self._is_completed else FailedCall.POLL
            return (health, GaveUp(call, f"{what} ({tries}): {error.message}"))
        self._is_told = False
        settings = self.lab.settings()
        self._again_at = now + pause_after(self._failures, error, self.trial.index, settings)
        return (health,)

    def _recovered(self) -> tuple[News, ...]:
        was_bad = self._bad_since is not None
        self._failures, self._bad_since, self._is_told = 0, None, False
        return (Health(0),) if was_bad else ()

    def _silent_at(self, now: float) -> float | None:
        """Return when the call under way counts as not answering, short of its deadline."""
        calls = (self._poll, *self._fetches.values())
        entered = [call.entered_at(now) for call in calls if call is not None]
        times = [time for time in entered if time is not None]
        patience = self.lab.settings().orchestration.max_seconds_between_polls
        return min(times) + patience if times else None

    def _take_silence(self, now: float) -> tuple[News, ...]:
        """Tell of a call that takes long before it has failed."""
        silent_at = self._silent_at(now)
        if self._is_told or silent_at is None or now < silent_at:
            return ()
        self._is_told = True
        patience = self.lab.settings().orchestration.max_seconds_between_polls
        if self._bad_since is None:
            self._bad_since = silent_at - patience
        what = "poll_trial" if self._poll is not None else f"fetching {next(iter(self._fetches))}"
        reason = f"{what} has not answered for {patience:g} s"
        seconds = now - self._bad_since
        return (Health(self._failures + 1, reason, seconds, self._is_completed, True),)
