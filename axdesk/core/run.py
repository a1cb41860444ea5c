"""Runs: one call of `run_trials` each, their settings, states, and what an operator may do when."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from axdesk.core.errors import TransitionError, UserInputError
from axdesk.core.questions import Answer, FailedCall
from axdesk.core.setting_checks import (
    check_count,
    check_limit,
    check_seconds,
    check_word,
    is_number,
)
from axdesk.core.stopping import EarlyStopping, GlobalStopping

STOPPED_BY_ERROR = "stopped by an error"
"""How the reason of a run begins that `on_error` has stopped."""


class RunState(StrEnum):
    """Where an experiment stands between set-up and completion; the value is what is stored."""

    DRAFT = "draft"
    READY = "ready"
    STARTING = "starting"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    NEEDS_ATTENTION = "needs_attention"
    STOPPING = "stopping"
    STOPPED = "stopped"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_live(self) -> bool:
        """Whether a scheduler works on the run."""
        return self in _LIVE

    @property
    def launches(self) -> bool:
        """Whether new trials start in this state."""
        return self in (RunState.STARTING, RunState.RUNNING)


_LIVE = frozenset(
    {
        RunState.STARTING,
        RunState.RUNNING,
        RunState.PAUSING,
        RunState.PAUSED,
        RunState.NEEDS_ATTENTION,
        RunState.STOPPING,
    }
)
_ENDS = frozenset({RunState.STOPPED, RunState.COMPLETED, RunState.FAILED, RunState.INTERRUPTED})

RUN_TRANSITIONS: Mapping[RunState, frozenset[RunState]] = {
    RunState.DRAFT: frozenset({RunState.READY}),
    RunState.READY: frozenset({RunState.DRAFT, RunState.STARTING}),
    RunState.STARTING: frozenset({RunState.RUNNING, RunState.PAUSING, RunState.STOPPING}) | _ENDS,
    RunState.RUNNING: frozenset(
        {RunState.PAUSING, RunState.PAUSED, RunState.NEEDS_ATTENTION, RunState.STOPPING}
    )
    | _ENDS,
    RunState.PAUSING: frozenset(
        {RunState.RUNNING, RunState.PAUSED, RunState.NEEDS_ATTENTION, RunState.STOPPING}
    )
    | _ENDS,
    RunState.PAUSED: frozenset({RunState.RUNNING, RunState.NEEDS_ATTENTION, RunState.STOPPING})
    | _ENDS,
    RunState.NEEDS_ATTENTION: frozenset({RunState.RUNNING, RunState.PAUSED, RunState.STOPPING})
    | _ENDS,
    RunState.STOPPING: frozenset({RunState.RUNNING}) | _ENDS,
    # A run that ended is resumed: the same run goes on.
    RunState.STOPPED: frozenset({RunState.STARTING}),
    RunState.COMPLETED: frozenset({RunState.STARTING}),
    RunState.FAILED: frozenset({RunState.STARTING}),
    RunState.INTERRUPTED: frozenset({RunState.STARTING, RunState.STOPPED}),
}
"""State → the states that may follow."""


class RunAction(StrEnum):
    """What an operator can ask of an experiment."""

    START = "start"
    RESUME = "resume"
    PAUSE = "pause"
    STOP = "stop"
    STOP_NOW = "stop_now"
    EDIT_SETUP = "edit_setup"


def allowed_actions(state: RunState, running_trials: int) -> frozenset[RunAction]:
    """Return what the operator may ask for.

    Args:
        state: Where the experiment stands.
        running_trials: How many trials are staged or running.
    """
    stop_now = {RunAction.STOP_NOW} if running_trials else set[RunAction]()
    match state:
        case RunState.DRAFT:
            return frozenset({RunAction.EDIT_SETUP})
        case RunState.READY:
            return frozenset({RunAction.START, RunAction.EDIT_SETUP})
        case RunState.STARTING:
            return frozenset({RunAction.PAUSE, RunAction.STOP})
        case RunState.RUNNING:
            return frozenset({RunAction.PAUSE, RunAction.STOP, RunAction.STOP_NOW})
        case RunState.PAUSING | RunState.STOPPING:
            return frozenset({RunAction.RESUME, RunAction.STOP_NOW})
        case RunState.PAUSED | RunState.NEEDS_ATTENTION:
            return frozenset({RunAction.RESUME, RunAction.STOP, RunAction.EDIT_SETUP} | stop_now)
        case RunState.STOPPED | RunState.COMPLETED | RunState.FAILED:
            return frozenset({RunAction.RESUME, RunAction.EDIT_SETUP})
        case RunState.INTERRUPTED:
            return frozenset({RunAction.RESUME})


def asks_before_closing(state: RunState, running_trials: int) -> bool:
    """Return whether what becomes of the run is asked before the window is closed.

    Args:
        state: Where the experiment stands.
        running_trials: How many trials are staged or running.
    """
    if state in (RunState.PAUSED, RunState.NEEDS_ATTENTION):
        return running_trials > 0
    return state.is_live


@dataclass(frozen=True, slots=True)
class CallDeadlines:
    """Seconds that a plugin call may take, above 0; None for no limit.

    Attributes:
        run: For `run_trial`.
        poll: For `poll_trial` and `find_trial`.
        fetch: For `fetch` of one metric.
        stop: For `stop_trial`.

    Raises:
        UserInputError: If one is no number of seconds.
    """

    run: float | None = 600.0
    poll: float | None = 120.0
    fetch: float | None = 120.0
    stop: float | None = 120.0

    def __post_init__(self) -> None:
        for name in ("run", "poll", "fetch", "stop"):
            check_limit(f"call_deadlines.{name}", getattr(self, name))


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How many times in a row a call may fail before the trial counts as failed.

    Attributes:
        poll: Polls; also searches, and calls of `run_trial` and `stop_trial` that were not
            entered.
        fetch: Fetches of all metrics together.

    Raises:
        UserInputError: If one is no whole number of at least 1.
    """

    poll: int = 5
    fetch: int = 5

    def __post_init__(self) -> None:
        for name in ("poll", "fetch"):
            check_count(f"retry_budget.{name}", getattr(self, name), low=1)


@dataclass(frozen=True, slots=True)
class OrchestrationConfig:
    """How the closed loop behaves beyond the four arguments of `run_trials`.

    Attributes:
        min_seconds_between_launches: Counted from the return of one `run_trial` to the next call.
        min_failed_trials: The failure rate is not looked at before this many trials failed; 1
            where no failure is tolerated.
        when_failure_rate_exceeded: `"drain"` lets running trials finish, `"stop"` stops them.
        uncertain_deployment: What becomes of a trial of which nobody knows whether it started:
            `"ask"` the operator, `"abandon"` it, `"redeploy"` it.
        trial_time_limit: Seconds in RUNNING, over restarts; None for no limit.
        run_time_limit: Seconds of the run; None for no limit.
        call_deadlines: Seconds for each kind of plugin call.
        retry_budget: Failed polls and fetches in a row.
        max_seconds_between_polls: Upper end of the pause after failed polls and fetches, give or
            take 20 %; a call that takes as long is told as not answering (`run_trial` from half its
            deadline on, and not before twice the longest so far). After a call that did not reach
            its plugin, because that crashes again and again, the pause is at least 60 s.
        generation_time_limit: Seconds until a space-filling candidate steps in; None for none.
        early_stopping: Which running trials are stopped before their end; None for none.
        global_stopping: When the run ends before its budget is spent; None for never.
        on_error: What is done when a trial is about to be FAILED because a plugin's call failed for
            good: `"continue"` marks it, `"pause"` starts nothing more and asks a person, `"stop"`
            marks it and lets the run end. What the laboratory itself calls failed is no error.

    Raises:
        UserInputError: If a value is not allowed, with those that are.
    """

    min_seconds_between_launches: float = 1.0
    min_failed_trials: int = 5
    when_failure_rate_exceeded: Literal["drain", "stop"] = "drain"
    uncertain_deployment: Literal["ask", "abandon", "redeploy"] = "ask"
    trial_time_limit: float | None = None
    run_time_limit: float | None = None
    call_deadlines: CallDeadlines = field(default_factory=CallDeadlines)
    retry_budget: RetryBudget = field(default_factory=RetryBudget)
    max_seconds_between_polls: float = 60.0
    generation_time_limit: float | None = 300.0
    early_stopping: EarlyStopping | None = None
    global_stopping: GlobalStopping | None = None
    on_error: Literal["continue", "pause", "stop"] = "continue"

    def __post_init__(self) -> None:
        check_seconds("min_seconds_between_launches", self.min_seconds_between_launches)
        check_count("min_failed_trials", self.min_failed_trials, low=1)
        check_word("when_failure_rate_exceeded", self.when_failure_rate_exceeded, ("drain", "stop"))
        check_word(
            "uncertain_deployment", self.uncertain_deployment, ("ask", "abandon", "redeploy")
        )
        check_word("on_error", self.on_error, ("continue", "pause", "stop"))
        check_seconds("max_seconds_between_polls", self.max_seconds_between_polls, positive=True)
        for name in ("trial_time_limit", "run_time_limit", "generation_time_limit"):
            check_limit(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The arguments of `run_trials`.

    Attributes:
        max_trials: Trials that this run adds, at least 1.
        parallelism: Trials that may be pending at once, at least 1.
        tolerated_trial_failure_rate: Share of failed and abandoned trials, 0 ≤ rate < 1.
        initial_seconds_between_polls: Seconds between two polls of a trial, above 0.
        orchestration: Everything else.
    """

    max_trials: int = 30
    parallelism: int = 1
    tolerated_trial_failure_rate: float = 0.5
    initial_seconds_between_polls: float = 1.0
    orchestration: OrchestrationConfig = field(default_factory=OrchestrationConfig)

    def __post_init__(self) -> None:
        check_count("max_trials", self.max_trials, low=1)
        check_count("parallelism", self.parallelism, low=1)
        rate = self.tolerated_trial_failure_rate
        if not is_number(rate) or not 0 <= rate < 1:
            raise UserInputError(
                f"tolerated_trial_failure_rate is {rate!r}; allowed is 0 up to, not including, 1.",
                "Write 10 % as 0.1.",
            )
        check_seconds(
            "initial_seconds_between_polls", self.initial_seconds_between_polls, positive=True
        )

    @property
    def min_failed_trials(self) -> int:
        """Failures before the rate is looked at during the run."""
        return 1 if self.tolerated_trial_failure_rate == 0 else self.orchestration.min_failed_trials

    @property
    def tolerated_failures(self) -> int:
        """Failures that are tolerated among all `max_trials` trials."""
        # 0.1 * 30 is 3.0000000000000004: the product alone would tolerate one too few.
        return math.floor(self.tolerated_trial_failure_rate * self.max_trials + 1e-9)


@dataclass(frozen=True, slots=True)
class Run:
    """One call of `run_trials`, perhaps over several sittings.

    Attributes:
        index: From 0 within the experiment.
        settings: Its settings, as last changed.
        state: Where it stands.
        reason: Why it ended, or what it waits for; empty otherwise.
        started_at: UTC.
        ended_at: UTC; None while it goes on. Of one that was cut off its last sign of life, which
            is at most a minute old while trials run that are polled.
        elapsed_seconds: Time in live states so far, over restarts.
        plugin_hashes: (file name, SHA-256) of the plugin files that it used.
        controller: Process and host that drive it: `"4711@LAB-PC2"`.
        standing_answers: (what failed, answer) that is given without asking, because a person said
            so for the rest of the run.
    """

    index: int
    settings: RunSettings
    state: RunState = RunState.STARTING
    reason: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    elapsed_seconds: float = 0.0
    plugin_hashes: tuple[tuple[str, str], ...] = ()
    controller: str = ""
    standing_answers: tuple[tuple[FailedCall, Answer], ...] = ()

    @property
    def was_stopped_by_error(self) -> bool:
        """Whether it ended because `on_error` says so."""
        return self.state is RunState.STOPPED and self.reason.startswith(STOPPED_BY_ERROR)

    def moved_to(self, state: RunState, **changes: Any) -> Self:
        """Return the successor in another state.

        Raises:
            TransitionError: If the table does not allow it.
        """
        if state not in RUN_TRANSITIONS[self.state]:
            raise TransitionError(
                f"The run is {self.state} and cannot become {state}.",
                f"Allowed: {', '.join(sorted(RUN_TRANSITIONS[self.state]))}.",
            )
        return replace(self, state=state, **changes)
