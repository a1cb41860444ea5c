"""Plugin calls that are under way, their deadlines, and when one that failed is asked again."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from axdesk.core.errors import AxdeskError, CallFailedError, PluginError, TransitionError
from axdesk.core.events import CallFailed, Publish
from axdesk.core.protocols import REST_SECONDS, PluginCalls
from axdesk.core.run import RunSettings

T = TypeVar("T")

_SPREAD = 0.2
"""Pauses differ by up to this share, so that many trials do not ask at the same moment again."""

_MOST_DOUBLINGS = 60


class PendingCall(Generic[T]):
    """A plugin call, and when it is late.

    The deadline counts from the moment when the laboratory's code was first seen to be entered:
    waiting behind another call is not this call's fault.

    Attributes:
        what: Which call it is, for messages.
        trial_index: The trial that it is about; None for none.
        seconds: Its deadline; None for none.
    """

    def __init__(
        self,
        what: str,
        future: "Future[T]",
        seconds: float | None,
        patience: float,
        trial_index: int | None = None,
    ) -> None:
        self.what = what
        self.trial_index = trial_index
        self._future = future
        self.seconds = seconds
        self._patience = patience
        self._entered_at: float | None = None
        self._is_given_up = False

    @property
    def is_done(self) -> bool:
        """Whether it was answered, or has failed."""
        return self._future.done()

    def answer(self) -> T:
        """Return the answer of a call that is done, or raise what it raised."""
        return self._future.result(timeout=0)

    @property
    def details(self) -> str:
        """What there is to tell of a call that is done and has failed; empty for nothing."""
        error = None if self._future.cancelled() else self._future.exception(timeout=0)
        return error.details if isinstance(error, PluginError) else ""

    def end(self, calls: PluginCalls, reason: str) -> bool:
        """End the call if the laboratory's code is at work; return whether that is so."""
        return self._future.running() and calls.give_up(self._future, reason)

    def withdraw(self) -> bool:
        """Take the call back unless the laboratory's code was entered; return whether it is."""
        return self._future.cancel()

    def entered_at(self, now: float) -> float | None:
        """Return since when the laboratory's code is at work; None while the call waits."""
        if self._entered_at is None and (self._future.running() or self._future.done()):
            self._entered_at = now
        return self._entered_at

    def is_late(self, now: float) -> bool:
        """Whether the deadline has passed, and the call could not be ended or is waited for."""
        late_at = self._due_at(now, 1.0)
        return late_at is not None and now >= late_at

    def extend(self, now: float) -> None:
        """Let the deadline count from now: it was late, and is waited for once more."""
        self._entered_at = now

    def _due_at(self, now: float, times: float) -> float | None:
        entered_at = self.entered_at(now)
        if self.seconds is None or entered_at is None or self.is_done or self._is_given_up:
            return None
        return entered_at + times * self.seconds

    def times(self, now: float) -> list[float]:
        """Return when it is late and when it is to be given up, as far as that is still to come."""
        times = (self._due_at(now, 1.0), self._due_at(now, self._patience))
        return [time for time in times if time is not None and time > now]

    def give_up_if_due(self, calls: PluginCalls, now: float) -> None:
        """End the call where that is possible and its time is over."""
        due_at = self._due_at(now, self._patience)
        if due_at is not None and now >= due_at and self.seconds is not None:
            reason = f"{self.what} did not answer within {self._patience * self.seconds:g} s."
            self._is_given_up = calls.give_up(self._future, reason)


class OpenCalls:
    """Every plugin call that is under way; lives in the scheduler's thread.

    A call that nobody waits for any more is given up at its deadline all the same: until then it
    holds up whatever else its plugin file is asked.
    """

    def __init__(self, calls: PluginCalls, wake: Callable[[], None], publish: Publish) -> None:
        self._calls = calls
        self._wake = wake
        self._publish = publish
        self._open: list[PendingCall[Any]] = []

    def add(
        self,
        what: str,
        future: "Future[T]",
        seconds: float | None,
        patience: float = 1.0,
        *,
        trial_index: int | None = None,
    ) -> PendingCall[T]:
        """Take a call that was just asked.

        Args:
            what: `"poll_trial of trial 3"`.
            future: Its answer.
            seconds: Its deadline; None for none.
            patience: How many times the deadline a late answer is waited for.
            trial_index: The trial that it is about; None for none.
        """
        call = PendingCall(what, future, seconds, patience, trial_index)
        self._open.append(call)
        future.add_done_callback(lambda _: self._wake())
        return call

    def step(self, now: float) -> None:
        """Give up the calls whose time is over, and tell the details of those that failed."""
        for call in self._open:
            call.give_up_if_due(self._calls, now)
        done = [call for call in self._open if call.is_done]
        self._open = [call for call in self._open if call not in done]
        for call in done:
            if call.trial_index is not None and call.details:
                self._publish(CallFailed(call.trial_index, call.details))

    def end_of(self, trial_index: int) -> None:
        """End the calls that a plugin is carrying out for a trial.

        Raises:
            TransitionError: If there is none, or none that can be ended.
        """
        own = [call for call in self._open if call.trial_index == trial_index]
        ended = [call.end(self._calls, f"{call.what} was ended by the operator.") for call in own]
        if not any(ended):
            raise TransitionError(
                f"No call of a plugin for trial {trial_index} is under way that could be ended.",
                "It may have answered by now; else wait for its deadline.",
            )

    def due_at(self, now: float, interval: float) -> list[float | None]:
        """Return the monotonic times at which a call becomes late.

        Args:
            now: Monotonic time.
            interval: Seconds until it is looked again whether a call that waits was entered.
        """
        times: list[float | None] = []
        for call in self._open:
            is_waiting = call.entered_at(now) is None
            times += [now + interval] if is_waiting else call.times(now)
        return times


def was_entered(error: AxdeskError) -> bool:
    """Whether the laboratory's code was reached by the call that failed."""
    return not isinstance(error, CallFailedError) or error.was_entered


def pause_if_not_entered(settings: RunSettings) -> float:
    """Return the seconds until a call that was not entered is asked again.

    Long enough for the plugin file's rest to be over: no rest costs a trial more than one try.
    """
    return max(REST_SECONDS, settings.orchestration.max_seconds_between_polls)


def pause_after(
    failures: int, error: AxdeskError, trial_index: int, settings: RunSettings
) -> float:
    """Return the seconds until a call that failed is asked again: twice as many each time.

    Args:
        failures: In a row, at least 1.
        error: What the last one failed with.
        trial_index: Spreads the pauses; the same failure of the same trial has the same pause.
        settings: The run's.
    """
    if not was_entered(error):
        return pause_if_not_entered(settings)
    doubled = settings.initial_seconds_between_polls * 2.0 ** min(failures - 1, _MOST_DOUBLINGS)
    spread = random.Random(f"{trial_index} {failures}").uniform(1 - _SPREAD, 1 + _SPREAD)
    return min(doubled, settings.orchestration.max_seconds_between_polls) * spread
