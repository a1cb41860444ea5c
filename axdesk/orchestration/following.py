"""Running trials: which are followed, what their watches bring, and how long they have run."""

from dataclasses import replace
from datetime import timedelta

from axdesk.core.errors import AxdeskError, DeadlineError
from axdesk.core.events import TrialHealthChanged
from axdesk.core.failpoints import failpoint
from axdesk.core.trial import Observation, Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.trial_watch import (
    Ended,
    GaveUp,
    Health,
    Laboratory,
    News,
    Progressed,
    Skipped,
    TrialWatch,
)

_HEARTBEAT_SECONDS = 60.0
"""How often the elapsed time of running trials is stored."""

_LOST_SHARE = 0.1
"""How much of a limit, and of the time of this sitting, is lost at most if axdesk is killed."""


class Following:
    """Lives in the scheduler's thread.

    Attributes:
        watches: Trial index → its watch, of each trial that is polled.
        progressed: Indices of those that brought values since somebody last emptied it.
    """

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._lab = Laboratory(
            calls=loop.calls,
            open_calls=loop.open_calls,
            settings=lambda: loop.current.settings,
            optimization=lambda: loop.experiment.optimization,
        )
        self.watches: dict[int, TrialWatch] = {}
        self.progressed: set[int] = set()
        self._early: PendingCall[tuple[str, ...]] | None = None
        self._seconds: dict[int, tuple[float, float]] = {}
        self._began_at = self._stored_at = loop.clock.monotonic()

    def ask_for_early_metrics(self) -> None:
        """Ask which metrics can be fetched while a trial runs."""
        future = self._loop.calls.available_while_running()
        deadline = self._loop.current.settings.orchestration.call_deadlines.poll
        self._early = self._loop.open_calls.add("is_available_while_running", future, deadline)

    def follow(self, trial: Trial, due_at: float) -> None:
        """Poll a trial from then on (monotonic time), until it ends."""
        self._seconds[trial.index] = (trial.elapsed_seconds, self._loop.clock.monotonic())
        self.watches[trial.index] = TrialWatch(self._lab, trial, due_at)

    def leave(self, trial: Trial) -> None:
        """Let a trial run on that cannot be stopped; a later sitting follows it again."""
        self.forget(trial.index)
        self._loop.keep(replace(trial, elapsed_seconds=self.elapsed(trial)))

    def leave_all(self) -> None:
        """Let all trials run on."""
        for index in list(self.watches):
            self.leave(self._loop.experiment.trial(index))

    def forget(self, index: int) -> None:
        """No longer follow a trial."""
        self.watches.pop(index, None)

    def step(self) -> None:
        """Take what the watches bring; store elapsed times now and then."""
        self._take_early_metrics()
        now = self._loop.clock.monotonic()
        for index, watch in list(self.watches.items()):
            for news in watch.step(now):
                self._take(index, news)
        if now >= self._next_heartbeat_at:
            self._store_elapsed(now)

    def due_at(self, now: float) -> list[float | None]:
        """Return the monotonic times at which there is something to do, as far as known."""
        times = [watch.wakes_at(now) for watch in self.watches.values()]
        beats = bool(times) or self._counts_run
        return [*times, self._next_heartbeat_at] if beats else []

    def elapsed(self, trial: Trial) -> float:
        """Return how long a trial has run, over restarts."""
        before, since = self._seconds.get(trial.index, (trial.elapsed_seconds, None))
        return before if since is None else before + self._loop.clock.monotonic() - since

    def count_elapsed(self) -> None:
        """Bring the elapsed times in memory up to date; the next commit stores them."""
        for index in self.watches:
            trial = self._loop.experiment.trial(index)
            self._loop.experiment.put(replace(trial, elapsed_seconds=self.elapsed(trial)))

    def usual_seconds(self) -> float | None:
        """Return how long a trial takes; None if that is not known yet."""
        done = self._loop.experiment.with_status(TrialStatus.COMPLETED)
        seconds = [t.elapsed_seconds for t in done if t.run_index is not None]
        return sum(seconds) / len(seconds) if seconds else None

    @property
    def _next_heartbeat_at(self) -> float:
        config = self._loop.current.settings.orchestration
        limits = [s for s in (config.trial_time_limit, config.run_time_limit) if s is not None]
        if not limits:
            return self._stored_at + _HEARTBEAT_SECONDS
        most_lost = _LOST_SHARE * min(*limits, self._stored_at - self._began_at)
        return self._stored_at + min(max(1.0, most_lost), _HEARTBEAT_SECONDS)

    @property
    def _counts_run(self) -> bool:
        """Whether the run's own time is stored now and then, because it has a limit."""
        run = self._loop.current
        has_limit = run.settings.orchestration.run_time_limit is not None
        return has_limit and run.state.launches and self._loop.keeping.error is None

    def _store_elapsed(self, now: float) -> None:
        self._stored_at = now
        self.count_elapsed()
        for index in self.watches:
            self._loop.keep(self._loop.experiment.trial(index))
        if self._counts_run:
            self._loop.keep_run_elapsed()

    def _take_early_metrics(self) -> None:
        call = self._early
        if call is None or not (call.is_done or call.is_late(self._loop.clock.monotonic())):
            return
        self._early = None
        try:
            self._lab.early = self._early_metrics(call)
        except AxdeskError as error:
            self._loop.warn(f"No metric is fetched while trials run: {error.message}")
        self._warn_without_curve()

    def _warn_without_curve(self) -> None:
        """Tell that early stopping can never happen, where that is so."""
        optimization = self._loop.experiment.optimization
        needed = () if optimization.has_several else optimization.objective.metric_names
        missing = [name for name in needed if name not in self._lab.early]
        if missing and self._loop.current.settings.orchestration.early_stopping is not None:
            self._loop.warn(
                f"No trial is stopped early: {', '.join(missing)} cannot be fetched while it runs.",
                "Its metric's is_available_while_running() must return True.",
            )

    def _early_metrics(self, call: PendingCall[tuple[str, ...]]) -> tuple[str, ...]:
        if not call.is_done:
            raise DeadlineError(f"{call.what} does not answer.")
        return tuple(metric for metric in call.answer() if metric in self._lab.metrics)

    def _take(self, index: int, news: News) -> None:
        trial = self._loop.experiment.trial(index)
        match news:
            case Ended(status=status, observations=observations, reason=reason):
                failpoint("results_fetched")
                kept = {} if not observations else {"observations": _joined(trial, observations)}
                self._loop.end(trial, status, reason=reason, **kept)
                failpoint("trial_recorded")
            case GaveUp(call=call, reason=reason):
                self._loop.give_up(trial, call, reason)
            case Progressed(observations=observations):
                joined = _joined(trial, observations)
                if joined != trial.observations:
                    self._loop.keep(replace(trial, observations=joined))
                    self.progressed.add(index)
            case Health(failures, reason, seconds, is_fetching, is_silent):
                since = self._loop.clock.now() - timedelta(seconds=seconds) if failures else None
                self._loop.publish(
                    TrialHealthChanged(index, failures, reason, since, is_fetching, is_silent)
                )
            case Skipped(reason=reason):
                self._loop.warn(f"Trial {index}: {reason}")


def _joined(trial: Trial, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """The trial's observations with those that are new."""
    return (*trial.observations, *(o for o in observations if o not in trial.observations))
