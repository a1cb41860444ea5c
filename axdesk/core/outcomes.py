"""What is better: the one place that turns goals into "larger is better"."""

from collections.abc import Iterable
from dataclasses import dataclass

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import OptimizationConfig
from axdesk.core.trial import Trial, TrialStatus

Reading = tuple[float, float]
"""(progression, score)."""


def objective_score(trial: Trial, optimization: OptimizationConfig) -> float | None:
    """Return the observed objective, larger is better; None without a completed result."""
    if trial.status is not TrialStatus.COMPLETED:
        return None
    values = {}
    for metric in optimization.objective.metric_names:
        observation = trial.latest(metric)
        if observation is None:
            return None
        values[metric] = observation.mean
    return optimization.objective.expression.value(values)


def shown_value(score: float, optimization: OptimizationConfig) -> float:
    """Return a score as the operator knows it: a minimised metric is not negated."""
    terms = optimization.objective.expression.terms
    return score / terms[0][1] if len(terms) == 1 else score


def broken_limits(trial: Trial, optimization: OptimizationConfig) -> tuple[OutcomeConstraint, ...]:
    """Return the outcome constraints that a completed trial's values break."""
    broken = []
    for limit in optimization.outcome_constraints:
        latest = {name: trial.latest(name) for name in limit.names}
        values = {name: o.mean for name, o in latest.items() if o is not None}
        if len(values) == len(latest) and limit.violation(values) > 0:
            broken.append(limit)
    return tuple(broken)


def is_eligible(trial: Trial, optimization: OptimizationConfig) -> bool:
    """Whether a trial can be the best one: completed, not excluded, every limit kept."""
    return (
        not trial.is_excluded
        and objective_score(trial, optimization) is not None
        and not broken_limits(trial, optimization)
    )


def best_observed(trials: Iterable[Trial], optimization: OptimizationConfig) -> Trial | None:
    """Return the eligible trial with the highest score, the earliest of equals; or None."""
    best: Trial | None = None
    best_score = -float("inf")
    for trial in sorted(trials, key=lambda t: t.index):
        score = objective_score(trial, optimization)
        if score is not None and score > best_score and is_eligible(trial, optimization):
            best, best_score = trial, score
    return best


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
    """Return the completed trials by index with the best value so far."""
    points: list[TracePoint] = []
    best: float | None = None
    for trial in sorted(trials, key=lambda t: t.index):
        score = objective_score(trial, optimization)
        if score is None:
            continue
        eligible = is_eligible(trial, optimization)
        if eligible and (best is None or score > best):
            best = score
        shown = None if best is None else shown_value(best, optimization)
        points.append(TracePoint(trial.index, shown_value(score, optimization), shown, eligible))
    return tuple(points)


def objective_curve(trial: Trial, optimization: OptimizationConfig) -> tuple[Reading, ...]:
    """Return the objective at each progression that all its metrics have values of.

    Of a trial in any status, by rising progression; larger is better.
    """
    metrics = optimization.objective.metric_names
    values: dict[str, dict[float, float]] = {metric: {} for metric in metrics}
    for observation in trial.observations:
        if observation.metric in values:
            # Of equal progressions the one that came last: a correction.
            values[observation.metric][observation.progression] = observation.mean
    shared = set.intersection(*(set(of_metric) for of_metric in values.values()))
    expression = optimization.objective.expression
    return tuple(
        (x, expression.value({metric: values[metric][x] for metric in metrics}))
        for x in sorted(shared)
    )


def score_of(shown: float, optimization: OptimizationConfig) -> float:
    """Return the score, larger is better, of a value as the operator knows it."""
    terms = optimization.objective.expression.terms
    return shown * terms[0][1] if len(terms) == 1 else shown
