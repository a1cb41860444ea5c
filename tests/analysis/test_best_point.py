"""The best point."""

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.analysis.best_point import best_point
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import NotFoundError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus

TMakeTrial = Callable[..., Trial]
MAXIMISE = OptimizationConfig(Objective.parse("y"))


def completed(index: int, value: float) -> Trial:
    return Trial(
        index,
        Arm(f"{index}_0", {"x": index}),
        Generation(TrialSource.SOBOL),
        status=TrialStatus.COMPLETED,
        observations=(Observation("y", value),),
    )


def test_without_predictions_the_best_measured_trial_is_it(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig
) -> None:
    best = best_point([make_trial(0, y=2.0), make_trial(1, y=-1.5), make_trial(2)], minimise_y)

    assert (best.trial_index, best.arm_name, best.rule) == (1, "1_0", "observed")
    assert best.parameters == {"x": 0.1}
    assert best.reason == "#1 has the best measured value, of 2 trials. No model was asked."


def test_with_predictions_the_best_predicted_trial_is_it(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig
) -> None:
    trials = [make_trial(0, y=-1.4, sem=0.5), make_trial(1, y=-1.5, sem=0.5)]

    best = best_point(trials, minimise_y, {0: {"y": (-1.3, 0.2)}, 1: {"y": (-1.2, 0.3)}})

    assert (best.trial_index, best.rule) == (0, "model")
    assert best.values["y"] == pytest.approx((-1.3, 0.04))
    assert best.reason == (
        "#0 has the best predicted value, of 2 trials. #1 measured better, which the model puts "
        "down to noise."
    )


def test_the_latest_trial_is_never_passed_over_for_want_of_a_prediction(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig
) -> None:
    trials = [make_trial(0, y=1.0), make_trial(1, y=0.5)]

    best = best_point(trials, minimise_y, {0: {"y": (1.0, 0.1)}})

    assert (best.trial_index, best.rule) == (1, "observed")
    assert "The model has not seen #1." in best.reason


@pytest.mark.parametrize(
    ("sem", "predicted", "variance"),
    [(0.5, None, 0.25), (0.0, 3.0, 0.0), (None, None, 0.0), (None, 3.0, 9.0)],
)
def test_the_variance_of_a_measured_value_is_the_best_known(
    make_trial: TMakeTrial,
    minimise_y: OptimizationConfig,
    sem: float | None,
    predicted: float | None,
    variance: float,
) -> None:
    trials = [make_trial(0, y=1.0, sem=sem), make_trial(1, y=2.0)]
    predictions = None if predicted is None else {0: {"y": (7.0, predicted)}}

    assert best_point(trials, minimise_y, predictions).values == {"y": (1.0, variance)}


def test_a_variance_beyond_a_float_is_infinite(make_trial: TMakeTrial) -> None:
    trials = [make_trial(0, y=1e300, sem=1e200)]

    assert best_point(trials, MAXIMISE).values["y"] == (1e300, math.inf)
    assert best_point(trials, MAXIMISE, {0: {"y": (1e300, 1e200)}}).values["y"][1] == math.inf


def test_metrics_without_prediction_keep_their_measured_value(make_trial: TMakeTrial) -> None:
    optimization = OptimizationConfig(Objective.parse("y"), tracking_metrics=("pH", "t"))

    best = best_point(
        [make_trial(0, y=1.0, pH=7.0)], optimization, {0: {"y": (1.1, 0.0), "t": (3.0, 1.0)}}
    )

    assert best.values == {"y": (1.1, 0.0), "pH": (7.0, 0.0), "t": (3.0, 1.0)}


def test_limits_and_exclusion_keep_a_trial_from_being_the_best(make_trial: TMakeTrial) -> None:
    limit = OutcomeConstraint.parse("z <= 2")
    optimization = OptimizationConfig(Objective.parse("y"), (limit,))
    trials = [
        make_trial(0, y=9.0, z=2.1),
        replace(make_trial(1, y=8.0, z=1.0), is_excluded=True),
        make_trial(2, y=7.0, z=2.0),
    ]
    predictions = {t.index: {"y": (t.index + 0.0, 0.1)} for t in trials}

    assert best_point(trials, optimization).trial_index == 2
    assert best_point(trials, optimization, predictions).trial_index == 2


def test_no_completed_trial_is_a_clear_error(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig
) -> None:
    with pytest.raises(NotFoundError, match="No trial has a result yet: 1 trials, none of them"):
        best_point([make_trial(0)], minimise_y)


def test_nothing_but_trials_that_cannot_be_the_best_is_a_clear_error(
    make_trial: TMakeTrial,
) -> None:
    optimization = OptimizationConfig(Objective.parse("y"), (OutcomeConstraint.parse("y <= 2"),))
    trials = [make_trial(0, y=3.0), replace(make_trial(1, y=1.0), is_excluded=True)]

    with pytest.raises(NotFoundError, match="of 2 completed trials 1 are excluded and 1 break"):
        best_point(trials, optimization)


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=8), st.randoms())
def test_model_and_measurement_agree_where_the_model_meets_the_data(
    values: list[int], random: Random
) -> None:
    trials = [completed(index, value) for index, value in enumerate(values)]
    shuffled = sorted(trials, key=lambda _: random.random())
    predictions = {t.index: {"y": (t.observations[0].mean, 1e-6)} for t in trials}

    observed = best_point(shuffled, MAXIMISE)
    modelled = best_point(shuffled, MAXIMISE, predictions)

    assert observed.trial_index == modelled.trial_index == values.index(max(values))
    assert (observed.rule, modelled.rule) == ("observed", "model")


def test_the_best_of_the_search_space_goes_before_a_better_one_outside() -> None:
    trials = [completed(index, float(index)) for index in range(6)]
    bounds = (RangeParameterConfig("x", (0.0, 4.0)),)
    edited = SearchSpace(bounds, (ParameterConstraint.parse("2*x <= 6"),))

    best = best_point(trials, MAXIMISE, space=edited)

    assert best.trial_index == 3
    assert "Outside of the search space and not considered: #4, #5." in best.reason


def test_where_every_trial_lies_outside_the_best_says_why() -> None:
    trials = [completed(index, float(index)) for index in (4, 5)]
    both = {index: {"y": (float(index), 0.1)} for index in (4, 5)}
    space = SearchSpace(
        (RangeParameterConfig("x", (0.0, 4.5)),), (ParameterConstraint.parse("2*x <= 6"),)
    )

    for predictions, rule in ((None, "observed"), (both, "model")):
        best = best_point(trials, MAXIMISE, predictions, space=space)
        assert (best.trial_index, best.rule) == (5, rule)
        assert "Every one lies outside of the search space." in best.reason
        assert "The constraint 2*x <= 6 is broken." in best.reason
        assert "the value 5.0 lies outside 0.0 … 4.5" in best.reason


def test_trials_from_before_a_parameter_was_added_lie_outside() -> None:
    space = SearchSpace(tuple(RangeParameterConfig(name, (0.0, 9.0)) for name in ("x", "z")))

    best = best_point([completed(1, 2.0)], MAXIMISE, space=space)

    assert best.trial_index == 1
    assert "It has no value of z." in best.reason
