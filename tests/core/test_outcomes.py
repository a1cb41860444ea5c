"""What is better."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import (
    TracePoint,
    best_observed,
    broken_limits,
    convergence_trace,
    is_eligible,
    objective_score,
    shown_value,
)
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus


def trial(index: int, /, **values: float) -> Trial:
    return Trial(
        index,
        Arm(f"{index}_0", {"x": index}),
        Generation(TrialSource.SOBOL),
        status=TrialStatus.COMPLETED,
        observations=tuple(Observation(name, value) for name, value in values.items()),
    )


def goal(text: str, *limits: str) -> OptimizationConfig:
    return OptimizationConfig(Objective.parse(text), tuple(map(OutcomeConstraint.parse, limits)))


@pytest.mark.parametrize(
    ("text", "score", "shown"),
    [("y", 3.0, 3.0), ("-y", -3.0, 3.0), ("-2*y", -6.0, 3.0), ("0.5*y - z", -3.5, -3.5)],
)
def test_a_score_is_larger_where_the_operator_is_happier(
    text: str, score: float, shown: float
) -> None:
    optimization = goal(text)

    assert objective_score(trial(0, y=3.0, z=5.0), optimization) == score
    assert shown_value(score, optimization) == shown


@pytest.mark.parametrize("status", [s for s in TrialStatus if s is not TrialStatus.COMPLETED])
def test_only_a_completed_trial_has_a_score(status: TrialStatus) -> None:
    assert objective_score(replace(trial(0, y=1.0), status=status), goal("y")) is None


def test_without_every_metric_there_is_no_score() -> None:
    assert objective_score(trial(0, y=1.0), goal("y + z")) is None


def test_the_value_at_the_highest_progression_counts_and_a_correction_replaces_it() -> None:
    curve = replace(
        trial(0, y=9.0),
        observations=(
            Observation("y", 9.0, progression=1.0),
            Observation("y", 2.0, progression=3.0),
            Observation("y", 4.0, progression=3.0),
        ),
    )

    assert objective_score(curve, goal("y")) == 4.0
    assert broken_limits(curve, goal("y", "y <= 5")) == ()


@pytest.mark.parametrize(
    ("values", "broken"),
    [
        ({"y": 1.0, "z": 2.0}, ()),
        ({"y": 1.0, "z": 2.0001}, ("z <= 2",)),
        ({"y": -1.0, "z": 3.0}, ("z <= 2", "y + z >= 2.5")),
        ({"y": 1.0}, ()),
    ],
)
def test_broken_limits_are_those_whose_values_are_known(
    values: dict[str, float], broken: tuple[str, ...]
) -> None:
    limits = broken_limits(trial(0, **values), goal("y", "z <= 2", "y + z >= 2.5"))

    assert tuple(map(str, limits)) == broken


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, True), ({"is_excluded": True}, False), ({"status": TrialStatus.ABANDONED}, False)],
)
def test_an_eligible_trial_is_completed_and_not_excluded(
    changes: dict[str, Any], expected: bool
) -> None:
    assert is_eligible(replace(trial(0, y=1.0), **changes), goal("y")) is expected


def test_the_best_is_the_earliest_of_equals() -> None:
    trials = [trial(3, y=2.0), trial(1, y=2.0), trial(2, y=1.0)]

    best = best_observed(trials, goal("y"))

    assert best is trials[1]
    assert best_observed([], goal("y")) is None
    assert best_observed(trials, goal("y", "y <= 0")) is None


def test_the_trace_goes_on_at_trials_that_break_a_limit() -> None:
    trials = [trial(0, y=9.0, z=9.0), trial(1, y=5.0, z=0.0), trial(2, y=6.0, z=0.0)]
    excluded = replace(trial(3, y=0.0, z=0.0), is_excluded=True)
    running = replace(trial(4, y=0.0, z=0.0), status=TrialStatus.RUNNING)

    trace = convergence_trace([*trials, excluded, running], goal("-y", "z <= 1"))

    assert trace == (
        TracePoint(0, 9.0, None, False),
        TracePoint(1, 5.0, 5.0, True),
        TracePoint(2, 6.0, 5.0, True),
        TracePoint(3, 0.0, 5.0, False),
    )


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1, 1)), max_size=12),
    st.sampled_from(["y", "-y", "-3*y"]),
    st.randoms(use_true_random=False),
)
def test_the_best_so_far_ends_at_the_best_observed(
    values: list[tuple[float, float]], text: str, random: Any
) -> None:
    optimization = goal(text, "z <= 0")
    trials = [trial(i, y=y, z=z) for i, (y, z) in enumerate(values)]
    random.shuffle(trials)

    trace = convergence_trace(trials, optimization)
    best = best_observed(trials, optimization)

    sign = 1.0 if text == "y" else -1.0
    known = [sign * p.best_so_far for p in trace if p.best_so_far is not None]
    assert [p.trial_index for p in trace] == list(range(len(values)))
    assert known == sorted(known)
    if best is None:
        assert not known
    else:
        assert known[-1] == pytest.approx(sign * best.observations[0].mean)
