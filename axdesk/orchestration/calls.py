"""Plugin calls that are under way, their deadlines, and when one that failed is asked again."""

import random
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from axdesk.core.errors import AxdeskError, CallFailedError
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
        seconds: Its deadline; None for none.
    """

    def __init__(
        self, what: str, future: "Future[T]", seconds: float | None, patience: float
    ) -> None:
        self.what = what
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

    def __init__(self, calls: PluginCalls, wake: Callable[[], None]) -> None:
        self._calls = calls
        self._wake = wake
        self._open: list[PendingCall[Any]] = []

    def add(
        self, what: str, future: "Future[T]", seconds: float | None, patience: float = 1.0
    ) -> PendingCall[T]:
        """Take a call that was just asked.

        Args:
            what: `"poll_trial of trial 3"`.
            future: Its answer.
            seconds: Its deadline; None for none.
            patience: How many times the deadline a late answer is waited for.
        """
        call = PendingCall(what, future, seconds, patience)
        self._open.append(call)
        future.add_done_callback(lambda _: self._wake())
        return call

    def step(self, now: float) -> None:
        """Give up the calls whose time is over."""
        for call in self._open:
            call.give_up_if_due(self._calls, now)
        self._open = [call for call in self._open if not call.is_done]

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
