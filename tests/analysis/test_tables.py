"""Cards: what they hold and what they say."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from axdesk.analysis.tables import (
    ANALYSES,
    best_trials_card,
    compute_cards,
    convergence_card,
    summary_card,
)
from axdesk.core.cards import Measured
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import UserInputError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Arm, Trial, TrialStatus

TMakeTrial = Callable[..., Trial]


def test_the_summary_has_one_row_a_trial(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    failed = replace(make_trial(1), status=TrialStatus.FAILED, reason="leak")

    card = summary_card([make_trial(2), failed, make_trial(0, y=1.5, sem=0.1)], minimise_y, space)

    assert card.columns == ("trial", "arm", "status", "source", "x (mm)", "y (mV)", "reason")
    assert card.rows == (
        (0, "0_0", "completed", "sobol", 0.0, Measured(1.5, 0.1), ""),
        (1, "1_0", "failed", "sobol", 0.1, None, "leak"),
        (2, "2_0", "running", "sobol", 0.2, None, ""),
    )
    assert card.sentence == "3 trials: 1 running, 1 completed, 1 failed."


def test_the_summary_shows_what_was_executed(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    card = summary_card(
        [replace(make_trial(0, y=1.0), executed_parameters={"x": 9.75})], minimise_y, space
    )

    assert card.rows[0][4] == 9.75


def test_a_parameter_of_an_earlier_search_space_is_not_dropped(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    old = replace(make_trial(0, y=1.0), arm=Arm("0_0", {"pump": "A"}))

    card = summary_card([old, make_trial(1)], minimise_y, space)

    assert card.columns[4:6] == ("x (mm)", "pump")
    assert [row[4:6] for row in card.rows] == [(None, "A"), (0.1, None)]


def test_the_best_five_are_ranked(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    trials = [make_trial(index, y=float(value)) for index, value in enumerate([3, 1, 7, -2, 1, 9])]

    card = best_trials_card(trials, minimise_y, space)

    assert card.columns == ("rank", "trial", "arm", "y (mV)", "x (mm)")
    assert [row[:2] for row in card.rows] == [(1, 3), (2, 1), (3, 4), (4, 0), (5, 2)]
    assert card.sentence == "The best y is −2 mV, of #3."


def test_a_sum_of_metrics_gets_a_column_of_its_own(
    make_trial: TMakeTrial, space: SearchSpace
) -> None:
    optimization = OptimizationConfig(Objective.parse("3*a - 4*b"))

    card = best_trials_card([make_trial(0, a=2.0, b=1.0, sem=0.1)], optimization, space)

    assert card.columns[3:6] == ("objective", "a", "b")
    assert card.rows[0][3] == Measured(2.0, 0.5)
    assert card.sentence == "The best 3*a - 4*b is 2.0 ± 0.5, of #0."


def test_a_weight_on_a_single_metric_does_not_change_its_value(
    make_trial: TMakeTrial, space: SearchSpace
) -> None:
    optimization = OptimizationConfig(Objective.parse("-2*y"))

    card = best_trials_card([make_trial(0, y=3.25, sem=0.5)], optimization, space)

    assert card.sentence == "The best y is 3.25 ± 0.50, of #0."


def test_without_a_result_the_cards_say_so(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    for compute in (best_trials_card, convergence_card):
        card = compute([make_trial(0)], minimise_y, space)

        assert card.sentence == "No trial has a result yet."
        assert card.rows == ()
    assert summary_card([], minimise_y, space).sentence == "No trial has started yet."


def test_without_an_eligible_trial_the_cards_say_so(
    make_trial: TMakeTrial, space: SearchSpace
) -> None:
    optimization = OptimizationConfig(Objective.parse("y"), (OutcomeConstraint.parse("y <= 0"),))
    trials = [make_trial(0, y=1.0), make_trial(1, y=2.0)]

    best = best_trials_card(trials, optimization, space)
    convergence = convergence_card(trials, optimization, space)

    assert best.sentence == "None of 2 completed trials keeps every limit and is not excluded."
    assert "none is the best yet" in convergence.sentence
    assert [row[2] for row in convergence.rows] == [None, None]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([3.0], "Best 3 mV since #0."),
        ([3.0, 2.5], "Best 2.5 mV since #1; the last trial improved it by 0.5 mV."),
        ([3.0, 2.5, 4.0, 4.0], "Best 2.5 mV since #1; the last trial did not improve it."),
        (
            [-3.0, -3.19, *[0.0] * 22, -3.21, *[0.0] * 5],
            "Best −3.21 mV since #24; the last 8 trials improved it by 0.02 mV.",
        ),
    ],
)
def test_convergence_says_since_when_and_by_how_much(
    make_trial: TMakeTrial,
    minimise_y: OptimizationConfig,
    space: SearchSpace,
    values: list[float],
    sentence: str,
) -> None:
    trials = [make_trial(index, y=value) for index, value in enumerate(values)]

    card = convergence_card(trials, minimise_y, space)

    assert card.sentence == sentence
    assert card.columns == ("trial", "y (mV)", "best so far")
    assert [row[1] for row in card.rows] == values
    assert card.rows[-1][2] == min(values)


def test_the_best_does_not_date_from_a_trial_that_is_excluded(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    excluded = replace(make_trial(0, y=1.0), is_excluded=True)

    card = convergence_card([excluded, make_trial(1, y=1.0)], minimise_y, space)

    assert card.sentence == "Best 1 mV since #1."


def test_cards_are_computed_by_name(
    make_trial: TMakeTrial, minimise_y: OptimizationConfig, space: SearchSpace
) -> None:
    trials = [make_trial(0, y=1.0)]

    everything = compute_cards(trials, minimise_y, space)
    one = compute_cards(trials, minimise_y, space, ["convergence"])

    assert [card.name for card in everything] == list(ANALYSES)
    assert [card.name for card in one] == ["convergence"]
    with pytest.raises(UserInputError, match=r"no analysis 'pareto'\. Choose among summary"):
        compute_cards(trials, minimise_y, space, ["pareto"])
