"""Trials that are stopped through the runner: by the operator, over their limit, or early."""

from dataclasses import dataclass
from typing import Any

from axdesk.core.errors import AxdeskError, DeadlineError
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall, pause_after, was_entered
from axdesk.orchestration.early_stopping import reason_to_stop_early
from axdesk.orchestration.following import Following
from axdesk.orchestration.loop import Loop

_TRIES_IN_TIME = 2
"""How often a `stop_trial` is asked that passes its deadline; when all is stopped, once."""


@dataclass(slots=True)
class _Stop:
    """A `stop_trial` that is under way, or is asked again, and what the trial becomes."""

    call: PendingCall[dict[str, Any]] | None
    status: TrialStatus
    reason: str
    is_certain: bool
    """Whether the trial becomes so even if it cannot be stopped."""
    failures: int = 0
    again_at: float = 0.0


class Stopping:
    """Lives in the scheduler's thread.

    Attributes:
        reason: Why every trial is stopped now, also those that are just being deployed; None if
            they may run on.
    """

    def __init__(self, loop: Loop, following: Following) -> None:
        self._loop = loop
        self._following = following
        self._stops: dict[int, _Stop] = {}
        self._goes_on: set[int] = set()
        self.reason: str | None = None

    @property
    def count(self) -> int:
        """How many trials are being stopped."""
        return len(self._stops)

    def concerns(self, index: int) -> bool:
        """Whether a trial is being stopped."""
        return index in self._stops

    def stop_all(self, reason: str) -> None:
        """Stop every running trial; asked twice, wait for no answer."""
        if self.reason is not None:
            self._leave_behind()
        self.reason = reason
        for index in (*self._following.watches, *self._loop.questions.trial_indices):
            trial = self._loop.experiment.trial(index)
            if trial.status is TrialStatus.RUNNING:
                self.stop_as_asked(trial)

    def stop_as_asked(self, trial: Trial) -> None:
        """Stop a running trial if every trial is to be stopped."""
        if self.reason is not None:
            self._stop(trial, TrialStatus.ABANDONED, self.reason, is_certain=False)

    def keep_time_limit(self) -> None:
        """Stop the trials that took too long; they have failed, whether it works or not."""
        now = self._loop.clock.monotonic()
        limit = self._loop.current.settings.orchestration.trial_time_limit
        for index, over_at in self._over_at(now).items():
            if now >= over_at:
                trial = self._loop.experiment.trial(index)
                reason = f"took longer than {limit:g} s"
                self._stop(trial, TrialStatus.FAILED, reason, is_certain=True)

    def _over_at(self, now: float) -> dict[int, float]:
        """Return trial index → monotonic time at which it has taken too long."""
        limit = self._loop.current.settings.orchestration.trial_time_limit
        if limit is None:
            return {}
        running = (self._loop.experiment.trial(index) for index in self._following.watches)
        return {t.index: now + (limit - self._following.elapsed(t)) for t in running}

    def stop_early(self) -> None:
        """Stop the trials whose latest values say that they are not worth finishing."""
        progressed = self._following.progressed & self._following.watches.keys() - self._goes_on
        self._following.progressed.clear()
        rule = self._loop.current.settings.orchestration.early_stopping
        experiment = self._loop.experiment
        for index in sorted(progressed) if rule is not None else ():
            trial, trials = experiment.trial(index), experiment.trials.values()
            reason = rule and reason_to_stop_early(rule, trial, trials, experiment.optimization)
            if reason and self._loop.calls.can_stop:
                self._stop(trial, TrialStatus.EARLY_STOPPED, reason, is_certain=False)
            elif reason:
                self._goes_on.add(index)
                self._loop.warn(
                    f"Trial {index} is not worth finishing: {reason}.",
                    f"It goes on, for {self._loop.calls.runner_name} cannot stop trials.",
                )

    def forget(self, index: int) -> None:
        """Wait no longer for the stop of a trial."""
        self._stops.pop(index, None)

    def due_at(self, now: float) -> list[float | None]:
        """Return the monotonic times of time limits, and at which the runner is asked again."""
        times: list[float | None] = [s.again_at for s in self._stops.values() if s.call is None]
        return [*times, *self._over_at(now).values()]

    def step(self) -> None:
        """Take what the runner answered."""
        now = self._loop.clock.monotonic()
        for index, stop in list(self._stops.items()):
            trial = self._loop.experiment.trial(index)
            call = stop.call
            if call is None:
                if now >= stop.again_at:
                    stop.call = self._asked(trial)
                continue
            if not call.is_done and not call.is_late(now):
                continue
            try:
                if not call.is_done:
                    raise DeadlineError("stop_trial did not answer in time.")
                call.answer()
            except AxdeskError as error:
                is_ended = call.is_done and (
                    isinstance(error, DeadlineError) or not was_entered(error)
                )
                if is_ended and self._is_asked_again(trial, stop, error, now):
                    continue
                del self._stops[index]
                self._not_stopped(trial, stop, error)
            else:
                del self._stops[index]
                self._loop.end(trial, stop.status, reason=stop.reason)

    def _is_asked_again(self, trial: Trial, stop: _Stop, error: AxdeskError, now: float) -> bool:
        """Count a call that was ended, or never began; ask again later, within the budget."""
        settings = self._loop.current.settings
        stop.failures += 1
        tries = settings.orchestration.retry_budget.poll
        if was_entered(error):
            tries = min(tries, _TRIES_IN_TIME if self.reason is None else 1)
        if stop.failures >= tries:
            return False
        stop.call = None
        pause = pause_after(stop.failures, error, trial.index, settings)
        stop.again_at = now + pause
        if self.reason is not None:
            self._loop.warn(
                f"Trial {trial.index} could not be stopped yet: {error.message}",
                f"It is tried again in {pause:g} s. Stop now once more leaves it behind.",
            )
        return True

    def _not_stopped(self, trial: Trial, stop: _Stop, error: AxdeskError) -> None:
        hint = ""
        if self.reason is not None and not stop.is_certain:
            others = " Stop now once more leaves the others behind." if self._stops else ""
            hint = self._how_it_goes_on(trial) + others
        self._loop.warn(f"Trial {trial.index} could not be stopped: {error.message}", hint)
        if stop.is_certain:
            self._loop.end(trial, stop.status, reason=f"{stop.reason}; it may go on")
            return
        self._goes_on.add(trial.index)
        self._following.leave(trial)
        if self.reason is None:
            self._loop.follow_running()

    def _leave_behind(self) -> None:
        """Wait for no stop any more."""
        for index in list(self._stops):
            del self._stops[index]
            trial = self._loop.experiment.trial(index)
            self._following.leave(trial)
            self._loop.warn(
                f"Trial {index} is left behind: stop_trial has not answered.",
                self._how_it_goes_on(trial),
            )

    def _how_it_goes_on(self, trial: Trial) -> str:
        seconds = self._following.elapsed(trial)
        return f"It has run for {seconds:.0f} s and goes on; a resumed run follows it."

    def _stop(self, trial: Trial, status: TrialStatus, reason: str, *, is_certain: bool) -> None:
        if self._loop.calls.can_stop:
            self._following.forget(trial.index)
            self._stops[trial.index] = _Stop(self._asked(trial), status, reason, is_certain)
        elif is_certain:
            self._loop.end(trial, status, reason=f"{reason}; the runner cannot stop trials")
        else:
            self._following.leave(trial)

    def _asked(self, trial: Trial) -> PendingCall[dict[str, Any]]:
        future = self._loop.calls.stop_trial(trial.index, trial.metadata or {})
        deadline = self._loop.current.settings.orchestration.call_deadlines.stop
        what = f"stop_trial of trial {trial.index}"
        return self._loop.open_calls.add(what, future, deadline, trial_index=trial.index)
