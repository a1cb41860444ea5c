"""The rules of early and global stopping against brute force."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import Objective, OptimizationConfig, parse_objectives
from axdesk.core.outcomes import objective_curve, score_of, shown_value
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.orchestration.early_stopping import percentile_of, reason_to_stop_early
from axdesk.orchestration.global_stopping import reason_to_end, unheeded

UP = OptimizationConfig(Objective.parse("y"))
DOWN = OptimizationConfig(Objective.parse("-2*y"))
values = st.integers(-30, 30).map(lambda n: n / 4)
statuses = st.sampled_from(
    [s for s in TrialStatus if s not in (TrialStatus.CANDIDATE, TrialStatus.STAGED)]
)


def trial(
    index: int,
    readings: Sequence[tuple[float, float]],
    status: TrialStatus = TrialStatus.RUNNING,
    *,
    is_excluded: bool = False,
    run_index: int | None = 0,
) -> Trial:
    return Trial(
        index=index,
        arm=Arm(f"{index}_0", {"x": 0.5}),
        generation=Generation(TrialSource.SOBOL),
        run_index=run_index,
        status=status,
        observations=tuple(Observation("y", value, None, x) for x, value in readings),
        is_excluded=is_excluded,
    )


@st.composite
def trials_with_curves(draw: st.DrawFn) -> list[Trial]:
    """Some trials; the first one runs and is judged."""
    curves = draw(st.lists(st.lists(values, max_size=6), min_size=1, max_size=9))
    trials = []
    for index, curve in enumerate(curves):
        steps = sorted(draw(st.sets(st.integers(0, 12), min_size=len(curve), max_size=len(curve))))
        status = TrialStatus.RUNNING if index == 0 else draw(statuses)
        if status is TrialStatus.COMPLETED and not curve:
            status = TrialStatus.FAILED
        readings = [(float(x), y) for x, y in zip(steps, curve, strict=True)]
        trials.append(trial(index, readings, status, is_excluded=draw(st.booleans())))
    return trials


def expected_early(rule: EarlyStopping, trials: list[Trial], sign: float) -> bool:
    """The definition, with NumPy."""
    curves = {t.index: [(o.progression, sign * o.mean) for o in t.observations] for t in trials}
    own = curves[0]
    if not own:
        return False
    x, y = max(own)
    if x < rule.min_progression or (rule.max_progression is not None and x > rule.max_progression):
        return False
    if rule.threshold is not None and y < sign * rule.threshold:
        return True
    if rule.percentile is None:
        return False
    compared = {TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED}
    others = []
    for t in trials[1:]:
        curve = curves[t.index]
        counts = t.status in compared and not t.is_excluded and curve
        if counts and curve[0][0] <= x <= curve[-1][0]:
            others.append(float(np.interp(x, [a for a, _ in curve], [b for _, b in curve])))
    if len(others) < rule.min_curves:
        return False
    if sorted([*others, y], reverse=True).index(y) < rule.best_protected:
        return False
    bar = float(np.percentile(others, rule.percentile))
    return y < bar and not math.isclose(y, bar, rel_tol=1e-12)


early_rules = st.builds(
    EarlyStopping,
    percentile=st.sampled_from([10.0, 25.0, 50.0, 75.0, 90.0]),
    threshold=st.none() | values,
    min_progression=st.sampled_from([0.0, 1.0, 5.0]),
    max_progression=st.sampled_from([None, 8.0]),
    min_curves=st.integers(1, 4),
    best_protected=st.integers(0, 3),
)


@given(rule=early_rules, trials=trials_with_curves(), minimised=st.booleans())
def test_early_stopping_is_as_defined(
    rule: EarlyStopping, trials: list[Trial], minimised: bool
) -> None:
    config = DOWN if minimised else UP
    reason = reason_to_stop_early(rule, trials[0], trials, config)
    assert bool(reason) == expected_early(rule, trials, -1.0 if minimised else 1.0)


@given(rule=early_rules, trials=trials_with_curves())
def test_goals_that_mirror_one_another_stop_the_same_trials(
    rule: EarlyStopping, trials: list[Trial]
) -> None:
    rule = EarlyStopping(rule.percentile, None, 0.0, None, rule.min_curves, rule.best_protected)
    mirrored = [
        trial(
            t.index,
            [(o.progression, -o.mean) for o in t.observations],
            t.status,
            is_excluded=t.is_excluded,
        )
        for t in trials
    ]
    one = reason_to_stop_early(rule, trials[0], trials, UP)
    other = reason_to_stop_early(rule, mirrored[0], mirrored, DOWN)
    assert bool(one) == bool(other)


@given(st.lists(values, min_size=1, max_size=20), st.floats(0, 100))
def test_percentiles_are_those_of_numpy(data: list[float], percentile: float) -> None:
    expected = float(np.percentile(data, percentile))
    assert percentile_of(data, percentile) == pytest.approx(expected, abs=1e-9)


def test_a_weighted_objective_has_a_curve_where_all_its_metrics_have_values() -> None:
    config = OptimizationConfig(Objective.parse("a - 2*b"))
    observations = (
        Observation("a", 1.0, None, 1.0),
        Observation("a", 2.0, None, 2.0),
        Observation("b", 5.0, None, 2.0),
        Observation("a", 3.0, None, 2.0),
        Observation("b", 1.0, None, 3.0),
        Observation("c", 9.0, None, 2.0),
    )
    one = Trial(0, Arm("0_0", {}), Generation(TrialSource.SOBOL), observations=observations)
    assert objective_curve(one, config) == ((2.0, 3.0 - 10.0),)
    assert score_of(shown_value(-7.0, DOWN), DOWN) == -7.0
    assert score_of(shown_value(-7.0, config), config) == -7.0


def test_reasons_speak_in_the_operator_s_values() -> None:
    trials = [trial(0, [(4.0, 9.0)]), *(trial(i, [(4.0, float(i))]) for i in range(1, 4))]
    rule = EarlyStopping(percentile=50, min_progression=1, min_curves=3, best_protected=0)
    assert reason_to_stop_early(rule, trials[0], trials, DOWN) == (
        "9 at progression 4 is worse than percentile 50 of 3 other trials, 2"
    )
    rule = EarlyStopping(threshold=8.0, min_progression=1)
    assert reason_to_stop_early(rule, trials[0], trials, DOWN) == (
        "9 at progression 4 is worse than the threshold 8"
    )
    assert reason_to_stop_early(rule, trials[0], trials, UP) == ""


# ---- global stopping -----------------------------------------------------------------------------


@st.composite
def results(draw: st.DrawFn) -> list[Trial]:
    trials = []
    for index, value in enumerate(draw(st.lists(values, max_size=14))):
        trials.append(
            trial(
                index,
                [(0.0, value)],
                draw(st.sampled_from([TrialStatus.COMPLETED] * 4 + [TrialStatus.EARLY_STOPPED])),
                is_excluded=draw(st.sampled_from([False] * 4 + [True])),
                run_index=draw(st.sampled_from([None, 0, 1, 1, 1])),
            )
        )
    return trials


def expected_end(rule: GlobalStopping, trials: list[Trial], sign: float) -> str:
    done = [t for t in trials if t.status is TrialStatus.COMPLETED and not t.is_excluded]
    if not done:
        return ""
    scores = {t.index: sign * t.observations[0].mean for t in done}
    best = max(scores.values())
    first = min(index for index, score in scores.items() if score == best)
    if rule.target is not None and best >= sign * rule.target:
        return "target"
    own = [t.index for t in done if t.run_index == 1]
    if len(own) < rule.min_trials:
        return ""
    if rule.stagnation is not None and sum(i > first for i in own) >= rule.stagnation:
        return "stagnation"
    window = own[-rule.window_size :]
    before = [score for index, score in scores.items() if index not in window]
    if rule.improvement_bar is None or len(window) < rule.window_size or not before:
        return ""
    high, low = np.percentile(list(scores.values()), [75, 25])
    allowed = rule.improvement_bar * float(high - low)
    return "improvement" if best - max(before) <= allowed else ""


global_rules = st.builds(
    GlobalStopping,
    target=st.none() | values,
    improvement_bar=st.sampled_from([0.0, 0.1, 0.5, 2.0]),
    stagnation=st.none() | st.integers(1, 6),
    window_size=st.integers(1, 5),
    min_trials=st.integers(1, 6),
)
WORDS = {"target": "target reached", "stagnation": "no better", "improvement": "the best value"}


@given(rule=global_rules, trials=results(), minimised=st.booleans())
def test_global_stopping_is_as_defined(
    rule: GlobalStopping, trials: list[Trial], minimised: bool
) -> None:
    config = OptimizationConfig(Objective.parse("-y")) if minimised else UP
    reason = reason_to_end(rule, trials, 1, config)
    expected = expected_end(rule, trials, -1.0 if minimised else 1.0)
    assert reason.startswith(WORDS[expected]) if expected else reason == ""


def test_a_trial_that_breaks_a_limit_reaches_no_target() -> None:
    config = OptimizationConfig(Objective.parse("y"), (OutcomeConstraint.parse("y <= 5"),))
    trials = [
        trial(0, [(0.0, 9.0)], TrialStatus.COMPLETED),
        trial(1, [(0.0, 4.0)], TrialStatus.COMPLETED),
    ]
    assert reason_to_end(GlobalStopping(target=6.0), trials, 0, config) == ""
    assert reason_to_end(GlobalStopping(target=4.0), trials, 0, config) == (
        "target reached: 4 ≥ 4 by #1"
    )


# ---- several objectives --------------------------------------------------------------------------


def results_of(*points: tuple[float, float]) -> list[Trial]:
    return [
        Trial(
            index=index,
            arm=Arm(f"{index}_0", {"x": 0.5}),
            generation=Generation(TrialSource.SOBOL),
            run_index=0,
            status=TrialStatus.COMPLETED,
            observations=(Observation("a", a), Observation("b", b)),
        )
        for index, (a, b) in enumerate(points)
    ]


TWO = OptimizationConfig.of(parse_objectives("a, -b"))


def test_with_several_objectives_the_front_says_whether_the_run_is_worth_it() -> None:
    trials = results_of((1, 5), (2, 9), (0, 7), (1, 8), (1, 6), (0, 9))
    rule = GlobalStopping(stagnation=4, min_trials=1)
    assert reason_to_end(rule, trials[:5], 0, TWO) == ""
    assert reason_to_end(rule, trials, 0, TWO) == (
        "no better trial on the Pareto front in 4 trials since #1"
    )
    assert reason_to_end(rule, [*trials, *results_of(*[(3, 9)] * 7)[6:]], 0, TWO) == ""
    assert reason_to_end(GlobalStopping(target=0.0), trials, 0, TWO) == ""


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=9),
    st.integers(1, 4),
)
def test_stagnation_of_a_front_is_as_defined(points: list[tuple[int, int]], trials: int) -> None:
    def is_new(n: int) -> bool:
        a, b = points[n]
        return not any(c >= a and d <= b and (c, d) != (a, b) for c, d in points[: n + 1])

    last = max(n for n in range(len(points)) if is_new(n))
    rule = GlobalStopping(stagnation=trials, min_trials=1)
    stops = reason_to_end(rule, results_of(*points), 0, TWO) != ""
    assert stops == (len(points) - 1 - last >= trials)


def test_with_several_objectives_improvement_is_that_of_the_hypervolume() -> None:
    rule = GlobalStopping(improvement_bar=0.1, window_size=2, min_trials=1)
    gained = results_of((0, 9), (2, 5), (5, 2), (9, 0))
    assert reason_to_end(rule, gained, 0, TWO) == ""
    lost = results_of((0, 9), (5, 2), (9, 0), (1, 8), (2, 9))
    assert reason_to_end(rule, lost, 0, TWO) == (
        "the hypervolume grew by 0 of itself in the last 2 trials, at most 0.1"
    )


def test_rules_that_say_nothing_about_several_objectives_are_told() -> None:
    assert unheeded(UP, has_target=True, stops_early=True) == ""
    assert unheeded(TWO, has_target=False, stops_early=False) == ""
    assert unheeded(TWO, has_target=True, stops_early=True) == (
        "The target of global stopping and early stopping are not heeded: "
        "there are several objectives."
    )
    assert unheeded(TWO, has_target=False, stops_early=True) == (
        "Early stopping is not heeded: there are several objectives."
    )


def test_the_target_of_a_matched_objective_is_a_distance() -> None:
    config = OptimizationConfig(Objective.parse("-abs(y - 7)"))
    trials = [trial(0, [(0.0, 9.0)], TrialStatus.COMPLETED)]
    assert reason_to_end(GlobalStopping(target=1.5), trials, 0, config) == ""
    assert reason_to_end(GlobalStopping(target=2.0), trials, 0, config) == (
        "target reached: 2 ≤ 2 by #0"
    )
