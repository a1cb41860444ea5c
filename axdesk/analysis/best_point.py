"""Which trial's settings are the best, or which are on the Pareto front."""

from collections.abc import Iterable, Mapping
from typing import Literal

from axdesk.core.cards import BestPoint
from axdesk.core.errors import NotFoundError, UnsupportedError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import (
    against_baseline,
    best_observed,
    broken_limits,
    is_eligible,
    objective_scores,
    pareto_front,
    predicted_scores,
)
from axdesk.core.pareto import Point, non_dominated
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Trial

_MOST_TOLD = 5

TPredictions = Mapping[int, Mapping[str, tuple[float, float]]]
"""Trial index → metric → (mean, sem) that the model predicts at the trial's parameters."""


def best_point(
    trials: Iterable[Trial],
    optimization: OptimizationConfig,
    predictions: TPredictions | None = None,
    no_model: str = "No model was asked.",
    space: SearchSpace | None = None,
) -> BestPoint:
    """Return the best of all completed trials that are not excluded and keep every limit.

    With predictions the objective's predicted means are compared, since the best of noisy
    measurements is partly luck. They are used only if they cover every such trial: a trial that
    the model has not seen must not be passed over, and predicted and measured values must not be
    compared with each other. Limits are judged by the measured values.

    The variance is that of the value given. For a measured value it is sem² where the sem is
    known, else the model's, else 0.0.

    Args:
        trials: In any order and status.
        optimization: What is optimised.
        predictions: Of at least the objective's metrics; None compares measured values.
        no_model: Why there are no predictions, as a sentence.
        space: Trials outside of it, out of bounds or against a constraint, count only if all are;
            the reason says so. None: all count.

    Raises:
        NotFoundError: If no trial is completed, or none of them can be the best.
        UnsupportedError: If there are several objectives.
    """
    if optimization.has_several:
        raise UnsupportedError(
            f"With the {len(optimization.objectives)} objectives {optimization.objective_text} no "
            "single trial is the best.",
            "Call get_pareto_frontier.",
        )
    known = list(trials)
    optimization = against_baseline(optimization, known)
    eligible, outside = _eligible(known, optimization, space)
    observed_best = best_observed(eligible, optimization)
    if observed_best is None:
        raise _nothing_eligible(known, optimization)
    among = "the only one" if len(eligible) == 1 else f"of {len(eligible)} trials"
    unseen = [] if predictions is None else _unseen(eligible, optimization, predictions)
    if predictions is None or unseen:
        why = f"The model has not seen #{unseen[0]}." if unseen else no_model
        reason = f"#{observed_best.index} has the best measured value, {among}. {why}"
        return _point(observed_best, optimization, predictions or {}, "observed", reason + outside)
    scores = {t.index: _predicted(t, optimization, predictions)[0] for t in eligible}
    # max keeps the earliest of equals.
    best = max(eligible, key=lambda t: scores[t.index])
    reason = f"#{best.index} has the best predicted value, {among}."
    if best.index != observed_best.index:
        reason += f" #{observed_best.index} measured better, which the model puts down to noise."
    return _point(best, optimization, predictions, "model", reason + outside)


def front_points(
    trials: Iterable[Trial],
    optimization: OptimizationConfig,
    predictions: TPredictions | None = None,
    no_model: str = "No model was asked.",
    space: SearchSpace | None = None,
) -> tuple[BestPoint, ...]:
    """Return the trials, by index, that are nowhere worse than another one of them is better.

    Which trials count, when predictions are used and what the values are is as in `best_point`.

    Raises:
        NotFoundError: If no trial is completed, or none of them can be on the front.
        UnsupportedError: If there is one objective.
    """
    if not optimization.has_several:
        raise UnsupportedError(
            f"There is one objective, {optimization.objective_text}, so one trial is the best.",
            "Call get_best_parameterization.",
        )
    known = list(trials)
    optimization = against_baseline(optimization, known)
    eligible, outside = _eligible(known, optimization, space)
    observed_front = pareto_front(eligible, optimization)
    if not observed_front:
        raise _nothing_eligible(known, optimization)
    among = "the only one" if len(eligible) == 1 else f"of {len(eligible)} trials"
    unseen = [] if predictions is None else _unseen(eligible, optimization, predictions)
    if predictions is None or unseen:
        why = f"The model has not seen #{unseen[0]}." if unseen else no_model
        rule: Literal["model", "observed"] = "observed"
        front, reason = list(observed_front), f"Nothing measured is better, {among}. {why}"
    else:
        rule, reason = "model", f"Nothing predicted is better, {among}."
        scores = [_predicted(t, optimization, predictions) for t in eligible]
        front = [eligible[i] for i in non_dominated(scores)]
    reason += outside
    return tuple(_point(t, optimization, predictions or {}, rule, reason) for t in front)


def _eligible(
    trials: list[Trial], optimization: OptimizationConfig, space: SearchSpace | None
) -> tuple[list[Trial], str]:
    """Return the trials that can be the best, by index, and what the search space has to say."""
    every = sorted((t for t in trials if is_eligible(t, optimization)), key=lambda t: t.index)
    if space is None:
        return every, ""
    outside = {t.index: found for t in every if (found := _deviations(t, space))}
    within = [t for t in every if t.index not in outside]
    if not outside:
        return every, ""
    if not within:
        told = "; ".join(
            f"#{index}: {found}" for index, found in list(outside.items())[:_MOST_TOLD]
        )
        return every, f" Every one lies outside of the search space. {told}"
    numbers = ", ".join(f"#{index}" for index in list(outside)[:_MOST_TOLD])
    more = len(outside) - _MOST_TOLD
    rest = f" and {more} more" if more > 0 else ""
    return within, f" Outside of the search space and not considered: {numbers}{rest}."


def _deviations(trial: Trial, space: SearchSpace) -> str:
    missing = [n for n in space.existing(trial.parameters) if n not in trial.parameters]
    if missing:
        return f"It has no value of {', '.join(missing)}."
    return " ".join(space.deviations(trial.parameters))


def _unseen(
    trials: list[Trial], optimization: OptimizationConfig, predictions: TPredictions
) -> list[int]:
    needed = [name for one in optimization.objectives for name in one.metric_names]
    return [
        trial.index
        for trial in trials
        if any(metric not in predictions.get(trial.index, {}) for metric in needed)
    ]


def _predicted(trial: Trial, optimization: OptimizationConfig, predictions: TPredictions) -> Point:
    means = {metric: mean for metric, (mean, _) in predictions[trial.index].items()}
    return predicted_scores(means, optimization)


def _point(
    trial: Trial,
    optimization: OptimizationConfig,
    predictions: TPredictions,
    rule: Literal["model", "observed"],
    reason: str,
) -> BestPoint:
    predicted = predictions.get(trial.index, {})
    values: dict[str, tuple[float, float]] = {}
    for metric in optimization.metric_names:
        observation = trial.latest(metric)
        if metric in predicted and (rule == "model" or observation is None):
            mean, sem = predicted[metric]
            values[metric] = (mean, sem * sem)  # infinite beyond a float, where ** raises
        elif observation is not None:
            sem = (
                predicted.get(metric, (0.0, 0.0))[1]
                if observation.sem is None
                else (observation.sem)
            )
            values[metric] = (observation.mean, sem * sem)
    return BestPoint(
        trial_index=trial.index,
        arm_name=trial.arm.name,
        parameters=dict(trial.parameters),
        values=values,
        rule=rule,
        reason=reason,
    )


def _nothing_eligible(trials: list[Trial], optimization: OptimizationConfig) -> NotFoundError:
    completed = [t for t in trials if objective_scores(t, optimization) is not None]
    if not completed:
        return NotFoundError(
            f"No trial has a result yet: {len(trials)} trials, none of them completed.",
            "Wait for a result, or enter one.",
        )
    if optimization.is_relative:
        limit = next(one for one in optimization.outcome_constraints if one.is_relative)
        return NotFoundError(
            f"No trial can be the best: whether “{limit}” is kept cannot be decided before the "
            "baseline trial has a result.",
            "Complete the baseline trial, or attach one with attach_baseline.",
        )
    excluded = sum(t.is_excluded for t in completed)
    broken = sum(bool(broken_limits(t, optimization)) for t in completed if not t.is_excluded)
    return NotFoundError(
        f"No trial can be the best: of {len(completed)} completed trials {excluded} are excluded "
        f"and {broken} break a limit.",
        "Go on with the run, relax the limits, or include a trial again.",
    )
