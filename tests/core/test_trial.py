"""Trials: what may follow what, and what counts as their value."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from axdesk.core.errors import TransitionError, UserInputError
from axdesk.core.trial import (
    TRANSITIONS,
    Arm,
    Generation,
    Observation,
    Trial,
    TrialSource,
    TrialStatus,
)
from tests.strategies import observations

S = TrialStatus
VALUE = (Observation("y", 1.0),)


def trial(**changes: Any) -> Trial:
    made = Trial(4, Arm("4_0", {"x": 1.0}), Generation(TrialSource.SOBOL))
    return replace(made, **changes)


# The paths of the page "How a trial travels", written out: what is not here must be refused.
ALLOWED = {
    (S.CANDIDATE, S.STAGED), (S.CANDIDATE, S.RUNNING), (S.CANDIDATE, S.ABANDONED),
    (S.STAGED, S.RUNNING), (S.STAGED, S.COMPLETED), (S.STAGED, S.FAILED), (S.STAGED, S.ABANDONED),
    (S.RUNNING, S.COMPLETED), (S.RUNNING, S.FAILED), (S.RUNNING, S.ABANDONED),
    (S.RUNNING, S.EARLY_STOPPED),
    (S.COMPLETED, S.COMPLETED), (S.COMPLETED, S.ABANDONED),
    (S.FAILED, S.RUNNING), (S.FAILED, S.COMPLETED), (S.FAILED, S.ABANDONED),
    (S.EARLY_STOPPED, S.COMPLETED), (S.EARLY_STOPPED, S.ABANDONED),
}  # fmt: skip


@pytest.mark.parametrize("after", S)
@pytest.mark.parametrize("before", S)
def test_a_trial_moves_only_as_the_table_says(before: TrialStatus, after: TrialStatus) -> None:
    start = trial(status=before, observations=VALUE)

    if (before, after) in ALLOWED:
        assert start.moved_to(after) == replace(start, status=after)
        assert start.status is before
    else:
        told = f"Trial 4 is {before.words} and cannot become {after.words}."
        with pytest.raises(TransitionError, match=told) as caught:
            start.moved_to(after)
        assert caught.value.hint


def test_a_refusal_says_what_to_do_in_plain_words() -> None:
    with pytest.raises(TransitionError) as caught:
        trial(status=S.EARLY_STOPPED, observations=VALUE).moved_to(S.FAILED)
    assert str(caught.value) == (
        "Trial 4 is stopped early and cannot become failed. "
        "Enter its result if there is one, or abandon it."
    )


class TrialLife(RuleBasedStateMachine):
    """Any sequence of moves, beside a model that knows the table alone."""

    reached: set[TrialStatus] = set()  # noqa: RUF012  # over all examples

    def __init__(self) -> None:
        super().__init__()
        self.trial = trial(observations=VALUE)
        self.model = S.CANDIDATE
        self.was_completed = False

    @rule(status=st.sampled_from(S), reason=st.sampled_from(["", "leak"]))
    def move(self, status: TrialStatus, reason: str) -> None:
        if (self.model, status) in ALLOWED:
            self.trial = self.trial.moved_to(status, reason=reason)
            self.model = status
            assert self.trial.reason == reason
        else:
            with pytest.raises(TransitionError):
                self.trial.moved_to(status, reason=reason)
        self.was_completed |= self.model is S.COMPLETED

    @invariant()
    def agrees(self) -> None:
        self.reached.add(self.trial.status)
        assert self.trial.status is self.model
        assert self.trial.index == 4
        assert self.trial.observations == VALUE

    @invariant()
    def a_result_is_never_taken_back_but_voided(self) -> None:
        if self.was_completed:
            assert self.model in (S.COMPLETED, S.ABANDONED)


TestTrialLife = TrialLife.TestCase


def test_every_status_can_be_reached() -> None:
    reached, new = {S.CANDIDATE}, {S.CANDIDATE}
    while new:
        new = {after for before in new for after in TRANSITIONS[before]} - reached
        reached |= new

    assert reached == set(S)


def test_terminal_and_pending_statuses_are_apart() -> None:
    assert {s for s in S if s.is_terminal} == {
        S.COMPLETED,
        S.FAILED,
        S.ABANDONED,
        S.EARLY_STOPPED,
    }
    assert {s for s in S if s.is_pending} == {S.STAGED, S.RUNNING}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"index": -1}, "A trial index must be at least 0, not -1."),
        ({"status": S.COMPLETED}, "Trial 4 cannot be completed without a result."),
    ],
)
def test_a_trial_refuses(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        trial(**changes)


def test_moving_without_a_result_to_completed_is_refused() -> None:
    with pytest.raises(UserInputError, match="without a result"):
        trial(status=S.RUNNING).moved_to(S.COMPLETED)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": math.nan}, "The value nan of 'y' is no finite number."),
        ({"mean": math.inf}, "The value inf of 'y' is no finite number."),
        ({"mean": 1.0, "sem": -0.1}, "The standard error -0.1 of 'y' must be finite"),
        ({"mean": 1.0, "sem": math.nan}, "The standard error nan of 'y' must be finite"),
        ({"mean": 1.0, "progression": math.inf}, "The progression inf must be a finite number."),
    ],
)
def test_an_observation_refuses(values: dict[str, float], message: str) -> None:
    with pytest.raises(UserInputError, match=message):
        Observation("y", **values)


def test_the_executed_parameters_count() -> None:
    assert trial().parameters == {"x": 1.0}
    assert trial(executed_parameters={"x": 2.0}).parameters == {"x": 2.0}


def test_only_a_staged_trial_is_uncertain() -> None:
    assert trial(status=S.STAGED, may_have_started=True).is_uncertain
    assert not trial(status=S.STAGED).is_uncertain
    assert not trial(status=S.RUNNING, may_have_started=True).is_uncertain


def test_a_correction_of_equal_progression_counts() -> None:
    corrected = trial(
        observations=(
            Observation("y", 1.0),
            Observation("y", 5.0, progression=2.0),
            Observation("z", 9.0, progression=7.0),
            Observation("y", 6.0, progression=2.0),
            Observation("y", 3.0, progression=1.0),
        )
    )

    assert corrected.latest("y") == Observation("y", 6.0, progression=2.0)
    assert corrected.latest("other") is None


@given(st.lists(observations(st.sampled_from(["y", "z"])), max_size=6).map(tuple))
def test_the_latest_is_the_last_of_the_highest_progression(
    values: tuple[Observation, ...],
) -> None:
    found = trial(observations=values).latest("y")

    of_metric = [o for o in values if o.metric == "y"]
    if of_metric:
        highest = max(o.progression for o in of_metric)
        assert found is [o for o in of_metric if o.progression == highest][-1]
    else:
        assert found is None
