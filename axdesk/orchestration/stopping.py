"""Trials that are stopped through the runner: by the operator, or over their time limit."""

from dataclasses import dataclass
from typing import Any

from axdesk.core.errors import AxdeskError, TransitionError
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall
from axdesk.orchestration.following import Following
from axdesk.orchestration.loop import Loop


@dataclass(slots=True)
class _Stop:
    """A `stop_trial` that is under way, and what the trial becomes."""

    call: PendingCall[dict[str, Any]]
    status: TrialStatus
    reason: str
    is_certain: bool
    """Whether the trial becomes so even if it cannot be stopped."""


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
            self._stops.clear()
        self.reason = reason
        for index in list(self._following.watches):
            self.stop_as_asked(self._loop.experiment.trial(index))

    def stop_as_asked(self, trial: Trial) -> None:
        """Stop a running trial if every trial is to be stopped."""
        if self.reason is not None:
            self._stop(trial, TrialStatus.ABANDONED, self.reason, is_certain=False)

    def keep_time_limit(self) -> None:
        """Stop the trials that took too long; they have failed, whether it works or not."""
        limit = self._loop.current.settings.orchestration.trial_time_limit
        for index in list(self._following.watches) if limit is not None else ():
            trial = self._loop.experiment.trial(index)
            if limit is not None and self._following.elapsed(trial) >= limit:
                reason = f"took longer than {limit:g} s"
                self._stop(trial, TrialStatus.FAILED, reason, is_certain=True)

    def forget(self, index: int) -> None:
        """Wait no longer for the stop of a trial."""
        self._stops.pop(index, None)

    def late_at(self, now: float) -> list[float | None]:
        """Return the monotonic times at which the runner's answers are late."""
        return [stop.call.when_late(now) for stop in self._stops.values()]

    def step(self) -> None:
        """Take what the runner answered."""
        for index, stop in list(self._stops.items()):
            if not stop.call.is_done and not stop.call.is_late(self._loop.clock.monotonic()):
                continue
            del self._stops[index]
            trial = self._loop.experiment.trial(index)
            try:
                if not stop.call.is_done:
                    raise TransitionError("stop_trial did not answer in time.")
                stop.call.answer()
            except AxdeskError as error:
                self._loop.warn(f"Trial {index} could not be stopped: {error.message}")
                if stop.is_certain:
                    self._loop.end(trial, stop.status, reason=f"{stop.reason}; it may go on")
                    continue
                self._following.leave(trial)
                if self.reason is None:
                    self._loop.follow_running()
            else:
                self._loop.end(trial, stop.status, reason=stop.reason)

    def _stop(self, trial: Trial, status: TrialStatus, reason: str, *, is_certain: bool) -> None:
        calls = self._loop.calls
        if calls.can_stop:
            self._following.forget(trial.index)
            future = calls.stop_trial(trial.index, trial.metadata or {})
            seconds = self._loop.current.settings.orchestration.call_deadlines.stop
            call = PendingCall(future, seconds, self._loop.wake)
            self._stops[trial.index] = _Stop(call, status, reason, is_certain)
        elif is_certain:
            self._loop.end(trial, status, reason=f"{reason}; the runner cannot stop trials")
        else:
            self._following.leave(trial)
