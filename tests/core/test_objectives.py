"""Targets, several objectives and limits relative to a baseline: read, written and judged."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.objective import Objective, OptimizationConfig, parse_objectives
from axdesk.core.outcomes import (
    against_baseline,
    baseline_trial,
    best_observed,
    convergence_trace,
    hypervolume_trace,
    is_eligible,
    objective_score,
    objective_scores,
    objective_thresholds,
    pareto_front,
    shown_value,
    true_limits,
)
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from tests import strategies

SETUP = ExperimentSetup(
    "coupling",
    SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),)),
    OptimizationConfig.of(parse_objectives("y")),
    runner=PluginChoice("lab.py:Lab", {}),
)


def trial(index: int, source: TrialSource = TrialSource.SOBOL, /, **values: float) -> Trial:
    return Trial(
        index,
        Arm(f"{index}_0", {"x": index}),
        Generation(source),
        status=TrialStatus.COMPLETED,
        observations=tuple(Observation(name, value) for name, value in values.items()),
    )


def goals(text: str, *limits: str) -> OptimizationConfig:
    return OptimizationConfig.of(
        parse_objectives(text), tuple(map(OutcomeConstraint.parse, limits))
    )


# ---- grammar -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written", "at"),
    [
        ("-abs(pH - 7)", "-abs(pH - 7)", {"pH": 5.0}),
        ("-2*abs(7 - pH)", "-2*abs(pH - 7)", {"pH": 5.0}),
        ("-abs(2*pH - 14)/2", "-abs(pH - 7)", {"pH": 5.0}),
        ("-abs(pH + 1.5)", "-abs(pH + 1.5)", {"pH": 5.0}),
        ("-abs(pH)", "-abs(pH)", {"pH": -5.0}),
        ("0.5*a - abs(`Yield (%)` - 80)", "0.5*a - abs(`Yield (%)` - 80)", {"a": 2.0}),
    ],
)
def test_a_target_is_read_and_written(text: str, written: str, at: dict[str, float]) -> None:
    objective = Objective.parse(text)

    assert str(objective) == written
    assert Objective.parse(written) == objective
    values = {name: at.get(name, 79.0) for name in objective.metric_names}
    asked = {name.replace("`Yield (%)`", "y"): value for name, value in values.items()}
    asked["y"] = values.get("Yield (%)", 0.0)
    expected = eval(text.replace("`Yield (%)`", "y"), {"abs": abs, **asked})
    assert objective.score(values) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("-abs(pH - 7) + pH", 5, "pH stands beside its own target once more."),
        ("-abs(a - b)", 5, "abs takes one metric minus its target."),
        ("-abs(abs(a - 1) - 2)", 5, "abs takes one metric minus its target."),
        ("-abs(3)", 5, "abs takes one metric minus its target."),
        ("-max(a - 1)", 1, "Only numbers, names"),
        ("a, -abs(b", 7, "The expression is not understood here."),
        ("a, b**2", 6, "powers and remainders are not"),
        ("a, 0.9*baseline", 7, "The baseline can stand in limits on metrics only."),
    ],
)
def test_what_is_no_objective_is_refused_at_its_character(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_objectives(text)

    assert message in caught.value.message
    assert (caught.value.text, caught.value.position) == (text, position)


def test_going_away_from_a_target_is_refused() -> None:
    with pytest.raises(UserInputError, match="abs\\(pH - 7\\) moves pH away from its target"):
        Objective.parse("abs(pH - 7)")


def test_a_metric_stands_in_one_objective() -> None:
    with pytest.raises(UserInputError, match="'a' stands in two objectives"):
        goals("a + b, -a")


@given(strategies.optimizations())
def test_objectives_and_limits_read_as_they_are_written(optimization: OptimizationConfig) -> None:
    assert parse_objectives(optimization.objective_text) == optimization.objectives
    for limit in optimization.outcome_constraints:
        assert OutcomeConstraint.parse(str(limit)) == limit


@pytest.mark.parametrize(
    ("text", "written", "bound"),
    [
        ("qps >= 0.95 * baseline", "qps >= 0.95*baseline", 95.0),
        ("qps >= 0.95*baseline + 5", "qps >= 0.95*baseline + 5", 100.0),
        ("qps - baseline >= -3", "qps >= baseline - 3", 97.0),
        ("2*qps >= 1.9*baseline", "2*qps >= 1.9*baseline", 190.0),
        ("baseline/2 <= qps", "-qps <= -0.5*baseline", -50.0),
        ("qps <= 1.5*(baseline + 2)", "qps <= 1.5*baseline + 3", 153.0),
    ],
)
def test_h18_a_relative_limit_means_what_it_says(text: str, written: str, bound: float) -> None:
    limit = OutcomeConstraint.parse(text)

    assert str(limit) == written
    assert limit.is_relative
    absolute = limit.against(100.0)
    assert (absolute.bound, absolute.is_relative) == (bound, False)


@pytest.mark.parametrize("name", ["my_baseline_loss", "baseline_", "E", "N", "S", "beta", "test"])
def test_h18_a_name_is_a_name(name: str) -> None:
    limit = OutcomeConstraint.parse(f"{name} >= 0.95")
    assert (limit.terms, limit.is_relative) == (((name, 1.0),), False)
    assert Objective.parse(f"-{name}").metric_names == (name,)


def test_h18_a_metric_called_baseline_stands_beside_the_baseline() -> None:
    limit = OutcomeConstraint.parse("`baseline` >= 0.5*baseline")
    assert (limit.terms, limit.baseline) == ((("baseline", 1.0),), 0.5)
    assert str(limit) == "`baseline` >= 0.5*baseline"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a**2 >= 3", "powers"),
        ("a * baseline >= 3", "product"),
        ("baseline >= 3", "at least one name"),
        ("a + b >= 0.9*baseline", "The baseline's value of which of a, b"),
        ("a == baseline", "Exactly one comparison"),
        ("a >= abs(b - 1)", "Only numbers, names"),
    ],
)
def test_h18_what_is_no_limit_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserInputError) as caught:
        OutcomeConstraint.parse(text)

    assert message in caught.value.message


# ---- scores --------------------------------------------------------------------------------------


def test_the_distance_from_a_target_is_made_small() -> None:
    optimization = goals("-2*abs(pH - 7)")
    near, far = trial(0, pH=7.5), trial(1, pH=6.0)

    assert best_observed([far, near], optimization) == near
    score = objective_score(far, optimization)
    assert score == -2.0
    assert shown_value(score, optimization) == 1.0
    assert optimization.objective.label == "abs(pH - 7)"


def test_nothing_is_best_with_several_objectives_but_some_are_on_the_front() -> None:
    optimization = goals("gain, -cost")
    trials = [
        trial(0, gain=1.0, cost=1.0),
        trial(1, gain=2.0, cost=2.0),
        trial(2, gain=1.5, cost=3.0),
        trial(3, gain=2.0, cost=2.0),
        replace(trial(4, gain=9.0, cost=0.0), is_excluded=True),
    ]

    assert best_observed(trials, optimization) is None
    assert [t.index for t in pareto_front(trials, optimization)] == [0, 1, 3]
    assert objective_scores(trials[1], optimization) == (2.0, -2.0)
    assert objective_scores(trial(5, gain=2.0), optimization) is None
    assert [p.best_so_far for p in convergence_trace(trials, optimization)] == [1, 2, 2, 2, 2]


def test_hypervolume_grows_and_is_counted_from_one_point() -> None:
    optimization = goals("gain, -cost", "gain >= 0", "cost <= 4")
    trials = [
        trial(0, gain=1.0, cost=3.0),
        trial(1, gain=0.5, cost=3.5),
        trial(2, gain=2.0, cost=2.0),
        trial(3, gain=3.0, cost=5.0),
    ]

    trace = hypervolume_trace(trials, optimization)

    assert [p.hypervolume for p in trace] == [1.0, 1.0, 4.0, 4.0]
    assert [p.is_on_front for p in trace] == [False, False, True, False]


@given(
    st.integers(2, 4).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=1, max_size=8
        )
    )
)
def test_hypervolume_never_falls(rows: list[list[int]]) -> None:
    names = "abcd"[: len(rows[0])]
    optimization = goals(", ".join(names))
    trials = [
        trial(i, **dict(zip(names, map(float, row), strict=True))) for i, row in enumerate(rows)
    ]

    volumes = [p.hypervolume for p in hypervolume_trace(trials, optimization)]

    assert all(v is not None for v in volumes)
    assert volumes == sorted(volumes, key=lambda v: v or 0.0)


def test_a_limit_in_the_direction_of_an_objective_is_its_threshold() -> None:
    optimization = goals(
        "gain, -cost", "gain >= 5", "2*gain >= 12", "-cost >= -9", "cost >= 1", "dirt <= 2"
    )
    assert objective_thresholds(optimization) == (6.0, -9.0)
    assert [str(limit) for limit in true_limits(optimization)] == ["cost >= 1", "dirt <= 2"]
    alone = goals("gain", "gain >= 5")
    assert objective_thresholds(alone) == (None,)
    assert true_limits(alone) == alone.outcome_constraints
    aimed = goals("-abs(gain - 3), -cost", "gain >= 5")
    assert objective_thresholds(aimed) == (None, None)
    assert true_limits(aimed) == aimed.outcome_constraints


# ---- the baseline --------------------------------------------------------------------------------


def test_the_baseline_is_what_was_attached_last_or_else_the_start_values() -> None:
    center = trial(0, TrialSource.CENTER, y=1.0)
    first = trial(2, TrialSource.BASELINE, y=2.0)
    second = trial(4, TrialSource.BASELINE, y=3.0)
    void = replace(second, index=5, status=TrialStatus.ABANDONED)

    assert baseline_trial([trial(1, y=0.0)]) is None
    assert baseline_trial([center, trial(1, y=0.0)]) == center
    assert baseline_trial([second, center, first, void]) == second


def test_before_the_baseline_has_a_result_nothing_can_be_the_best() -> None:
    optimization = goals("-cost", "qps >= 0.9*baseline")
    made = Generation(TrialSource.BASELINE)
    waiting = Trial(0, Arm("0_0", {"x": 0}), made, status=TrialStatus.RUNNING)
    good, bad = trial(1, cost=5.0, qps=95.0), trial(2, cost=1.0, qps=80.0)

    assert best_observed([waiting, good, bad], optimization) is None
    assert not is_eligible(good, optimization)
    done = trial(0, TrialSource.BASELINE, cost=9.0, qps=100.0)
    assert best_observed([done, good, bad], optimization) == good
    absolute = against_baseline(optimization, [done])
    assert [str(limit) for limit in absolute.outcome_constraints] == ["qps >= 90"]


# ---- drafts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a, -b",
        "a - b",
        "2*a",
        "2*a, -3*b",
        "a - 0.5*b, -abs(c - 7), d + e",
        "-abs(a - 7) + 2*b",
    ],
)
def test_a_draft_keeps_objectives_apart_that_are_not_added_up(text: str) -> None:
    optimization = goals(text, "a >= 2*baseline", "a <= 99")
    fetched = tuple((name, PluginChoice("lab.py:Value", {})) for name in optimization.metric_names)
    setup = replace(SETUP, optimization=optimization, metrics=fetched)

    checked = draft_of(setup).checked()

    assert checked == setup


@pytest.mark.parametrize(
    ("cells", "place", "message"),
    [
        ({"goal": "match target"}, "target", "Enter the target that the value shall match."),
        ({"goal": "match target", "target": "7a"}, "target", "“7a” is no number."),
        ({"goal": "record"}, "", "give one row the goal maximise, minimise or match target"),
        ({"goal": "match target", "target": "7", "weight": "-1"}, "weight", "above 0"),
    ],
)
def test_what_a_draft_lacks_is_told_at_its_cell(
    cells: dict[str, str], place: str, message: str
) -> None:
    draft = Draft(
        general={"name": "x"},
        parameters=({"name": "x", "kind": "decimal", "low": "0", "high": "1"},),
        objectives=({"name": "y", **cells},),
    )

    checked = draft.checked()

    assert not isinstance(checked, ExperimentSetup)
    found = [(p.field, p.message) for p in checked.of(Section.OBJECTIVES)]
    assert any(field == place and message in told for field, told in found), found


def test_a_parameter_has_no_baseline() -> None:
    draft = replace(draft_of(SETUP), constraints=({"expression": "x <= 0.5*baseline"},))

    checked = draft.checked()

    assert not isinstance(checked, ExperimentSetup)
    (problem,) = checked.of(Section.CONSTRAINTS)
    assert problem.message == "“x” is no metric, so it has no baseline."
