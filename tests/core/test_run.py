"""Runs: states, what an operator may do in each, and settings."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from axdesk.core.errors import TransitionError, UserInputError
from axdesk.core.run import (
    RUN_TRANSITIONS,
    CallDeadlines,
    OrchestrationConfig,
    RetryBudget,
    Run,
    RunAction,
    RunSettings,
    RunState,
    allowed_actions,
    asks_before_closing,
)

S = RunState
A = RunAction
LIVE = {S.STARTING, S.RUNNING, S.PAUSING, S.PAUSED, S.NEEDS_ATTENTION, S.STOPPING}
ENDS = {S.STOPPED, S.COMPLETED, S.FAILED, S.INTERRUPTED}

# State → what may be asked for without running trials, and what running trials add.
BUTTONS: dict[RunState, tuple[set[RunAction], set[RunAction]]] = {
    S.DRAFT: ({A.EDIT_SETUP}, set()),
    S.READY: ({A.START, A.EDIT_SETUP}, set()),
    S.STARTING: ({A.PAUSE, A.STOP}, set()),
    S.RUNNING: ({A.PAUSE, A.STOP, A.STOP_NOW}, set()),
    S.PAUSING: ({A.RESUME, A.STOP_NOW}, set()),
    S.STOPPING: ({A.RESUME, A.STOP_NOW}, set()),
    S.PAUSED: ({A.RESUME, A.STOP, A.EDIT_SETUP}, {A.STOP_NOW}),
    S.NEEDS_ATTENTION: ({A.RESUME, A.STOP, A.EDIT_SETUP}, {A.STOP_NOW}),
    S.STOPPED: ({A.RESUME, A.EDIT_SETUP}, set()),
    S.COMPLETED: ({A.RESUME, A.EDIT_SETUP}, set()),
    S.FAILED: ({A.RESUME, A.EDIT_SETUP}, set()),
    S.INTERRUPTED: ({A.RESUME}, set()),
}


@pytest.mark.parametrize("running_trials", [0, 1, 3])
@pytest.mark.parametrize("state", S)
def test_each_state_allows_what_its_buttons_offer(state: RunState, running_trials: int) -> None:
    always, while_trials_run = BUTTONS[state]

    assert allowed_actions(state, running_trials) == always | (
        while_trials_run if running_trials else set()
    )


# State → whether closing the window asks without running trials, and with some.
CLOSING = {
    S.STARTING: (True, True),
    S.RUNNING: (True, True),
    S.PAUSING: (True, True),
    S.STOPPING: (True, True),
    S.PAUSED: (False, True),
    S.NEEDS_ATTENTION: (False, True),
}


@pytest.mark.parametrize("state", S)
def test_closing_asks_while_something_goes_on(state: RunState) -> None:
    asks = (asks_before_closing(state, 0), asks_before_closing(state, 2))

    assert asks == CLOSING.get(state, (False, False))


def test_pause_and_resume_are_never_offered_together() -> None:
    for state in S:
        assert len(allowed_actions(state, 1) & {A.START, A.RESUME, A.PAUSE}) <= 1


def test_live_states_are_those_with_a_scheduler() -> None:
    assert {s for s in S if s.is_live} == LIVE
    assert {s for s in S if s.launches} == {S.STARTING, S.RUNNING}


def test_every_live_state_can_end_in_every_way() -> None:
    for state in LIVE:
        assert RUN_TRANSITIONS[state] >= ENDS
        assert state not in RUN_TRANSITIONS[state]


def test_every_end_can_be_resumed() -> None:
    for state in ENDS:
        assert S.STARTING in RUN_TRANSITIONS[state]


def test_every_state_can_be_reached() -> None:
    reached, new = {S.DRAFT}, {S.DRAFT}
    while new:
        new = {after for before in new for after in RUN_TRANSITIONS[before]} - reached
        reached |= new

    assert reached == set(S)


@pytest.mark.parametrize(
    ("action", "target"),
    [
        (A.START, S.STARTING),
        (A.PAUSE, S.PAUSING),
        (A.STOP, S.STOPPING),
        (A.STOP_NOW, S.STOPPED),
    ],
)
def test_what_a_button_offers_the_table_allows(action: RunAction, target: RunState) -> None:
    offering = [state for state in S if action in allowed_actions(state, 1)]

    assert offering
    for state in offering:
        assert target in RUN_TRANSITIONS[state]


def test_resume_leads_to_launching_from_every_state_that_offers_it() -> None:
    for state in S:
        if A.RESUME in allowed_actions(state, 1):
            assert any(target.launches for target in RUN_TRANSITIONS[state])


class RunLife(RuleBasedStateMachine):
    """Any sequence of moves, with a run's own data untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(0, RunSettings())
        self.state = S.STARTING

    @rule(state=st.sampled_from(S), reason=st.sampled_from(["", "budget spent"]))
    def move(self, state: RunState, reason: str) -> None:
        if state in RUN_TRANSITIONS[self.state]:
            self.run = self.run.moved_to(state, reason=reason)
            self.state = state
            assert self.run.reason == reason
        else:
            with pytest.raises(TransitionError, match=f"The run is {self.state} and cannot become"):
                self.run.moved_to(state)

    @invariant()
    def agrees(self) -> None:
        assert self.run.state is self.state
        assert replace(self.run, state=S.STARTING, reason="") == Run(0, RunSettings())

    @invariant()
    def a_run_never_returns_to_set_up(self) -> None:
        assert self.state not in (S.DRAFT, S.READY)

    @invariant()
    def an_operator_always_has_something_to_press(self) -> None:
        assert allowed_actions(self.state, 0)


TestRunLife = RunLife.TestCase


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_trials": 0}, "max_trials is 0; a whole number of at least 1 is needed."),
        ({"max_trials": 2.0}, "max_trials is 2.0"),
        ({"max_trials": True}, "max_trials is True"),
        ({"parallelism": -1}, "parallelism is -1"),
        ({"tolerated_trial_failure_rate": 1.0}, "tolerated_trial_failure_rate is 1.0"),
        ({"tolerated_trial_failure_rate": -0.1}, "tolerated_trial_failure_rate is -0.1"),
        ({"tolerated_trial_failure_rate": math.nan}, "tolerated_trial_failure_rate is nan"),
        ({"tolerated_trial_failure_rate": "0.1"}, "tolerated_trial_failure_rate is '0.1'"),
        ({"initial_seconds_between_polls": 0}, "initial_seconds_between_polls is 0; a number"),
        ({"initial_seconds_between_polls": None}, "initial_seconds_between_polls is None"),
        ({"initial_seconds_between_polls": 10**400}, "initial_seconds_between_polls is 1000"),
        ({"initial_seconds_between_polls": "1"}, "initial_seconds_between_polls is '1'"),
        ({"initial_seconds_between_polls": math.inf}, "initial_seconds_between_polls is inf"),
    ],
)
def test_run_settings_refuse(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        RunSettings(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"min_seconds_between_launches": -1}, "min_seconds_between_launches is -1; a number of"),
        ({"min_seconds_between_launches": None}, "min_seconds_between_launches is None"),
        ({"min_failed_trials": 0}, "min_failed_trials is 0"),
        ({"when_failure_rate_exceeded": "wait"}, "is 'wait'; allowed are 'drain', 'stop'"),
        ({"uncertain_deployment": "guess"}, "is 'guess'; allowed are 'ask', 'abandon', 'redeploy'"),
        ({"on_error": "ask"}, "is 'ask'; allowed are 'continue', 'pause', 'stop'"),
        ({"trial_time_limit": 0}, "trial_time_limit is 0; a number of seconds above 0"),
        ({"run_time_limit": math.nan}, "run_time_limit is nan"),
        ({"max_seconds_between_polls": 0}, "max_seconds_between_polls is 0"),
        ({"max_seconds_between_polls": None}, "max_seconds_between_polls is None"),
        ({"generation_time_limit": -5}, "generation_time_limit is -5"),
    ],
)
def test_orchestration_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        OrchestrationConfig(**changes)


@pytest.mark.parametrize("name", ["run", "poll", "fetch", "stop"])
def test_deadlines_and_budgets_refuse(name: str) -> None:
    with pytest.raises(UserInputError, match=rf"call_deadlines\.{name} is 0"):
        CallDeadlines(**{name: 0})
    assert getattr(CallDeadlines(**{name: None}), name) is None
    if name in ("poll", "fetch"):
        with pytest.raises(UserInputError, match=rf"retry_budget\.{name} is 0"):
            RetryBudget(**{name: 0})


@pytest.mark.parametrize(
    ("rate", "trials", "tolerated"),
    [(0.1, 30, 3), (0.0, 30, 0), (0.5, 5, 2), (0.29, 100, 29), (0.07, 100, 7), (0.999, 1, 0)],
)
def test_tolerated_failures_are_counted_without_rounding_error(
    rate: float, trials: int, tolerated: int
) -> None:
    settings = RunSettings(max_trials=trials, tolerated_trial_failure_rate=rate)

    assert settings.tolerated_failures == tolerated
    assert settings.min_failed_trials == (1 if rate == 0 else 5)
