"""One running trial: when it is polled, how its results are fetched, how often that may fail."""

from collections.abc import Callable
from dataclasses import dataclass, field

from axdesk.core.errors import AxdeskError
from axdesk.core.protocols import PluginCalls
from axdesk.core.run import RunSettings
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall


@dataclass(slots=True)
class Laboratory:
    """What all watches of a run share.

    Attributes:
        calls: To the plugins.
        wake: Wakes the scheduler, from any thread.
        settings: The run's settings as they are now.
        required: Metrics without which a trial is not completed.
        metrics: All metrics that are fetched, required ones first.
        early: Those that are also fetched while a trial runs.
    """

    calls: PluginCalls
    wake: Callable[[], None]
    settings: Callable[[], RunSettings]
    required: tuple[str, ...]
    metrics: tuple[str, ...]
    early: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The trial is over: completed with its observations, or not, for a reason."""

    status: TrialStatus
    observations: tuple[Observation, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progressed:
    """Values of a trial that goes on."""

    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Calls failed this many times in a row; 0: they work again."""

    failures: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A metric that is only recorded could not be fetched."""

    reason: str


News = Ended | Progressed | Health | Skipped


@dataclass(slots=True)
class TrialWatch:
    """Polls one trial at the asked interval and fetches its results once it is completed.

    Attributes:
        trial: As deployed; its metadata is set.
        due_at: Monotonic time of the next poll or fetch.
    """

    lab: Laboratory
    trial: Trial
    due_at: float
    _is_completed: bool = False
    _failures: int = 0
    _poll: PendingCall[TrialStatus] | None = None
    _fetches: dict[str, PendingCall[Observation]] = field(default_factory=dict)
    _values: dict[str, Observation] = field(default_factory=dict)
    _errors: dict[str, str] = field(default_factory=dict)
    _skipped: set[str] = field(default_factory=set)

    def step(self, now: float) -> tuple[News, ...]:
        """Take what was answered, ask what is due; return what is new."""
        news = [*self._take_poll(now), *self._take_fetches(now)]
        is_over = any(isinstance(item, Ended) for item in news)
        if not is_over and self._poll is None and not self._fetches and now >= self.due_at:
            self._ask(now)
        return tuple(news)

    def wakes_at(self, now: float) -> float | None:
        """Return when `step` has something to do, short of an answer; None if only an answer."""
        if self._poll is None and not self._fetches:
            return self.due_at
        times = [call.when_late(now) for call in self._fetches.values()]
        times.append(None if self._poll is None else self._poll.when_late(now))
        return min((time for time in times if time is not None), default=None)

    def _ask(self, now: float) -> None:
        deadlines = self.lab.settings().orchestration.call_deadlines
        index, metadata = self.trial.index, self.trial.metadata or {}
        if self._is_completed:
            missing = [m for m in self.lab.metrics if m not in self._values.keys() | self._skipped]
            self._fetch(missing, deadlines.fetch)
            return
        future = self.lab.calls.poll_trial(index, metadata)
        self._poll = PendingCall(future, deadlines.poll, self.lab.wake)
        self._next_due(now)

    def _next_due(self, now: float) -> None:
        """Move on along the grid of the interval, so that answers that take time add no delay."""
        interval = self.lab.settings().initial_seconds_between_polls
        self.due_at = max(self.due_at + interval, now)

    def _fetch(self, metrics: list[str], seconds: float | None) -> None:
        index, metadata = self.trial.index, self.trial.metadata or {}
        for metric in metrics:
            future = self.lab.calls.fetch(metric, index, metadata)
            self._fetches[metric] = PendingCall(future, seconds, self.lab.wake)

    def _take_poll(self, now: float) -> tuple[News, ...]:
        call = self._poll
        if call is None:
            return ()
        budget = self.lab.settings().orchestration.retry_budget.poll
        if not call.is_done:
            if not call.is_late(now):
                return ()
            call.extend(now)
            return self._failed("poll_trial does not answer", budget, now)
        self._poll = None
        try:
            status = call.answer()
        except AxdeskError as error:
            return self._failed(error.message, budget, now)
        news = self._recovered()
        match status:
            case TrialStatus.RUNNING:
                deadlines = self.lab.settings().orchestration.call_deadlines
                self._fetch(list(self.lab.early), deadlines.fetch)
                return news
            case TrialStatus.COMPLETED:
                self._is_completed = True
                self.due_at = now
                return news
            case _:
                return (*news, Ended(status, reason=f"the runner reports: {status}"))

    def _take_fetches(self, now: float) -> tuple[News, ...]:
        if not self._fetches:
            return ()
        late = [name for name, call in self._fetches.items() if call.is_late(now)]
        if late:
            for name in late:
                self._fetches[name].extend(now)
            budget = self.lab.settings().orchestration.retry_budget.fetch
            return self._failed(f"fetching {late[0]} does not answer", budget, now)
        if not all(call.is_done for call in self._fetches.values()):
            return ()
        values, errors = self._answers()
        if not self._is_completed:
            # The trial goes on: a value that is not there yet is no failure.
            return (Progressed(tuple(values.values())),) if values else ()
        self._values |= values
        if not errors:
            return self._fetched()
        return self._fetch_failed(errors, now)

    def _answers(self) -> tuple[dict[str, Observation], dict[str, str]]:
        values, errors = {}, {}
        for name, call in self._fetches.items():
            try:
                values[name] = call.answer()
            except AxdeskError as error:
                errors[name] = error.message
        self._fetches = {}
        return values, errors

    def _fetched(self) -> tuple[News, ...]:
        values = tuple(self._values[m] for m in self.lab.metrics if m in self._values)
        return (*self._recovered(), Ended(TrialStatus.COMPLETED, values))

    def _fetch_failed(self, errors: dict[str, str], now: float) -> tuple[News, ...]:
        name, reason = next(iter(errors.items()))
        budget = self.lab.settings().orchestration.retry_budget.fetch
        missing = [metric for metric in errors if metric in self.lab.required]
        if self._failures + 1 < budget or missing:
            return self._failed(reason, budget, now)
        self._skipped |= errors.keys()
        return (Skipped(f"{name} could not be fetched: {reason}"), *self._fetched())

    def _failed(self, reason: str, budget: int, now: float) -> tuple[News, ...]:
        """Count a failure; ask again later, twice as late each time, within the budget."""
        self._failures += 1
        health = Health(self._failures, reason)
        if self._failures >= budget:
            what = "result could not be fetched" if self._is_completed else "could not be polled"
            tries = f"{self._failures} tries" if self._failures > 1 else "1 try"
            ended = Ended(TrialStatus.FAILED, reason=f"{what} ({tries}): {reason}")
            return (health, ended)
        settings = self.lab.settings()
        pause = settings.initial_seconds_between_polls * 2 ** (self._failures - 1)
        self.due_at = now + min(pause, settings.orchestration.max_seconds_between_polls)
        return (health,)

    def _recovered(self) -> tuple[News, ...]:
        if not self._failures:
            return ()
        self._failures = 0
        return (Health(0),)
