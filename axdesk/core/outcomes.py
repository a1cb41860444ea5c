"""What is better: the one place that turns goals into "larger is better".

A limit relative to the baseline can be judged once the baseline trial is completed. Functions that
are given all trials look it up; those that are given a single trial want a configuration that
`against_baseline` has made absolute, and hold a limit that is still relative for not kept.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import UserInputError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.pareto import (
    MOST_VALUES,
    Point,
    added_volume,
    dominates,
    non_dominated,
    reference_point,
)
from axdesk.core.trial import Trial, TrialSource, TrialStatus

_NO_BASELINE = (TrialStatus.FAILED, TrialStatus.ABANDONED)


def baseline_trial(trials: Iterable[Trial]) -> Trial | None:
    """Return the trial that limits are relative to, or None.

    The one that was attached as the baseline, the latest of several; else the one that ran the
    start values. One that failed or was voided does not count.
    """
    known = {TrialSource.CENTER: -1, TrialSource.BASELINE: 0}
    return max(
        (t for t in trials if t.generation.source in known and t.status not in _NO_BASELINE),
        key=lambda t: (known[t.generation.source], t.index),
        default=None,
    )


def against_baseline(
    optimization: OptimizationConfig, trials: Iterable[Trial]
) -> OptimizationConfig:
    """Return the configuration with relative limits made absolute where the baseline is known."""
    if not optimization.is_relative:
        return optimization
    baseline = baseline_trial(trials)
    if baseline is None or baseline.status is not TrialStatus.COMPLETED:
        return optimization
    limits = tuple(_absolute(limit, baseline) for limit in optimization.outcome_constraints)
    return replace(optimization, outcome_constraints=limits)


def _absolute(limit: OutcomeConstraint, baseline: Trial) -> OutcomeConstraint:
    observation = baseline.latest(limit.names[0])
    if not limit.is_relative or observation is None:
        return limit
    try:
        return limit.against(observation.mean)
    except UserInputError:  # no finite number: as good as not known
        return limit


def objective_scores(trial: Trial, optimization: OptimizationConfig) -> Point | None:
    """Return the observed objectives, larger is better; None without a completed result."""
    if trial.status is not TrialStatus.COMPLETED:
        return None
    scores = []
    for objective in optimization.objectives:
        values = {}
        for metric in objective.metric_names:
            observation = trial.latest(metric)
            if observation is None:
                return None
            values[metric] = observation.mean
        scores.append(objective.score(values))
    return tuple(scores)


Reading = tuple[float, float]
"""(progression, score)."""


def objective_score(trial: Trial, optimization: OptimizationConfig) -> float | None:
    """Return the observed objective, the first of several; None without a completed result."""
    scores = objective_scores(trial, optimization)
    return None if scores is None else scores[0]


def shown_score(score: float, objective: Objective) -> float:
    """Return a score as the operator knows it: a minimised metric is not negated."""
    terms = objective.expression.terms
    return score / terms[0][1] + 0.0 if len(terms) == 1 else score


def shown_value(score: float, optimization: OptimizationConfig) -> float:
    """Return a score of the (first) objective as the operator knows it."""
    return shown_score(score, optimization.objective)


def true_limits(optimization: OptimizationConfig) -> tuple[OutcomeConstraint, ...]:
    """Return the outcome constraints that are no thresholds of objectives."""
    return tuple(
        limit
        for limit in optimization.outcome_constraints
        if all(_threshold(limit, one) is None for one in _with_thresholds(optimization))
    )


def objective_thresholds(optimization: OptimizationConfig) -> tuple[float | None, ...]:
    """Return of each objective the least score that is of use; None where nothing says it.

    With several objectives, an absolute limit on the metric of one of them, in the direction of
    its optimisation, is its threshold; of several limits the tightest.
    """
    found: list[float | None] = []
    for objective in optimization.objectives:
        scores = [
            score
            for limit in optimization.outcome_constraints
            if objective in _with_thresholds(optimization)
            and not limit.is_relative
            and (score := _threshold(limit, objective)) is not None
        ]
        found.append(max(scores, default=None))
    return tuple(found)


def _with_thresholds(optimization: OptimizationConfig) -> tuple[Objective, ...]:
    return optimization.objectives if optimization.has_several else ()


def _threshold(limit: OutcomeConstraint, objective: Objective) -> float | None:
    """Return the objective's score at the limit if it is its threshold, or would be one."""
    if not objective.is_plain or limit.names != objective.metric_names:
        return None
    (_, factor), (_, coefficient) = limit.terms[0], objective.expression.terms[0]
    wants_more = (limit.operator == ">=") == (factor > 0)
    return coefficient * (limit.bound / factor) if wants_more == (coefficient > 0) else None


def broken_limits(trial: Trial, optimization: OptimizationConfig) -> tuple[OutcomeConstraint, ...]:
    """Return the outcome constraints that a completed trial's values break."""
    broken = []
    for limit in optimization.outcome_constraints:
        if limit.is_relative:
            continue
        latest = {name: trial.latest(name) for name in limit.names}
        values = {name: o.mean for name, o in latest.items() if o is not None}
        if len(values) == len(latest) and limit.violation(values) > 0:
            broken.append(limit)
    return tuple(broken)


def is_eligible(trial: Trial, optimization: OptimizationConfig) -> bool:
    """Whether a trial can be the best one: completed, not excluded, every limit surely kept."""
    return (
        not trial.is_excluded
        and objective_scores(trial, optimization) is not None
        and not optimization.is_relative
        and not broken_limits(trial, optimization)
    )


def best_observed(trials: Iterable[Trial], optimization: OptimizationConfig) -> Trial | None:
    """Return the eligible trial with the highest score, the earliest of equals; or None.

    With several objectives there is none: see `pareto_front`.
    """
    if optimization.has_several:
        return None
    known = sorted(trials, key=lambda t: t.index)
    absolute = against_baseline(optimization, known)
    best: Trial | None = None
    best_score = -float("inf")
    for trial in known:
        score = objective_score(trial, absolute)
        if score is not None and score > best_score and is_eligible(trial, absolute):
            best, best_score = trial, score
    return best


def pareto_front(trials: Iterable[Trial], optimization: OptimizationConfig) -> tuple[Trial, ...]:
    """Return the eligible trials, by index, that no other one dominates."""
    points = _eligible(trials, optimization)
    front = non_dominated(list(points.values()))
    eligible = _by_index(trials)
    indices = list(points)
    return tuple(eligible[indices[i]] for i in front)


def _by_index(trials: Iterable[Trial]) -> dict[int, Trial]:
    return {trial.index: trial for trial in sorted(trials, key=lambda t: t.index)}


def _eligible(trials: Iterable[Trial], optimization: OptimizationConfig) -> dict[int, Point]:
    """The scores of the eligible trials, by index."""
    known = sorted(trials, key=lambda t: t.index)
    absolute = against_baseline(optimization, known)
    found = {}
    for trial in known:
        scores = objective_scores(trial, absolute)
        if scores is not None and is_eligible(trial, absolute):
            found[trial.index] = scores
    return found


def reference_of(optimization: OptimizationConfig, points: Sequence[Point]) -> Point:
    """Return the point from which hypervolume is counted.

    Args:
        optimization: An objective's threshold is its value; the others are inferred from the
            front: below its worst value by a tenth of the range of all points.
        points: The scores to infer from, at least one.
    """
    inferred = reference_point(points)
    thresholds = objective_thresholds(optimization)
    return tuple(
        guess if threshold is None else threshold
        for guess, threshold in zip(inferred, thresholds, strict=True)
    )


@dataclass(frozen=True, slots=True)
class TracePoint:
    """One completed trial of a convergence trace, in the operator's values.

    Attributes:
        trial_index: The trial.
        value: Its objective.
        best_so_far: Best eligible value up to and including this trial; None before the first.
        is_eligible: Whether it keeps every limit and is not excluded.
    """

    trial_index: int
    value: float
    best_so_far: float | None
    is_eligible: bool


def convergence_trace(
    trials: Iterable[Trial], optimization: OptimizationConfig
) -> tuple[TracePoint, ...]:
    """Return the completed trials by index with the (first) objective's best value so far."""
    points: list[TracePoint] = []
    best: float | None = None
    known = sorted(trials, key=lambda t: t.index)
    absolute = against_baseline(optimization, known)
    for trial in known:
        score = objective_score(trial, absolute)
        if score is None:
            continue
        eligible = is_eligible(trial, absolute)
        if eligible and (best is None or score > best):
            best = score
        shown = None if best is None else shown_value(best, absolute)
        points.append(TracePoint(trial.index, shown_value(score, absolute), shown, eligible))
    return tuple(points)


def objective_curve(trial: Trial, optimization: OptimizationConfig) -> tuple[Reading, ...]:
    """Return the (first) objective at each progression that all its metrics have values of.

    Of a trial in any status, by rising progression; larger is better.
    """
    metrics = optimization.objective.metric_names
    values: dict[str, dict[float, float]] = {metric: {} for metric in metrics}
    for observation in trial.observations:
        if observation.metric in values:
            # Of equal progressions the one that came last: a correction.
            values[observation.metric][observation.progression] = observation.mean
    shared = set.intersection(*(set(of_metric) for of_metric in values.values()))
    return tuple(
        (x, optimization.objective.score({metric: values[metric][x] for metric in metrics}))
        for x in sorted(shared)
    )


def score_of(shown: float, optimization: OptimizationConfig) -> float:
    """Return the score, larger is better, of a value as the operator knows it."""
    terms = optimization.objective.expression.terms
    return shown * terms[0][1] if len(terms) == 1 else shown


@dataclass(frozen=True, slots=True)
class HypervolumePoint:
    """One completed trial of a trace over several objectives.

    Attributes:
        trial_index: The trial.
        hypervolume: Of the eligible trials up to and including this one, in the product of the
            objectives' units; None for more objectives than an exact computation bears, and where
            it is no finite number.
        is_on_front: Whether no trial of all dominates it.
    """

    trial_index: int
    hypervolume: float | None
    is_on_front: bool


def hypervolume_trace(
    trials: Iterable[Trial], optimization: OptimizationConfig
) -> tuple[HypervolumePoint, ...]:
    """Return the completed trials by index with the hypervolume that was reached by then.

    It is counted from one reference point, that of the front of all trials.
    """
    known = sorted(trials, key=lambda t: t.index)
    points = _eligible(known, optimization)
    listed = list(points.items())
    front = {listed[i][0] for i in non_dominated(list(points.values()))}
    absolute = against_baseline(optimization, known)
    is_exact = len(optimization.objectives) <= MOST_VALUES
    reference = reference_of(absolute, list(points.values())) if points and is_exact else None
    found, reached, seen = [], 0.0, list[Point]()
    for trial in known:
        if objective_scores(trial, optimization) is None:
            continue
        point = points.get(trial.index)
        is_better = point is not None and not any(
            one == point or dominates(one, point) for one in seen
        )
        if point is not None and reference is not None and is_better:
            reached = math.fsum([reached, added_volume(point, seen, reference)])
            seen = [*(one for one in seen if not dominates(point, one)), point]
        volume = reached if is_exact and math.isfinite(reached) else None
        found.append(HypervolumePoint(trial.index, volume, trial.index in front))
    return tuple(found)


def predicted_scores(means: Mapping[str, float], optimization: OptimizationConfig) -> Point:
    """Return the objectives at predicted means of their metrics, larger is better."""
    return tuple(objective.score(means) for objective in optimization.objectives)
