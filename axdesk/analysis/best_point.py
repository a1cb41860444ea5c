"""Which trial's settings are the best."""

from collections.abc import Iterable, Mapping
from typing import Literal

from axdesk.core.cards import BestPoint
from axdesk.core.errors import NotFoundError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import best_observed, broken_limits, is_eligible, objective_score
from axdesk.core.trial import Trial

TPredictions = Mapping[int, Mapping[str, tuple[float, float]]]
"""Trial index → metric → (mean, sem) that the model predicts at the trial's parameters."""


def best_point(
    trials: Iterable[Trial],
    optimization: OptimizationConfig,
    predictions: TPredictions | None = None,
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

    Raises:
        NotFoundError: If no trial is completed, or none of them can be the best.
    """
    known = list(trials)
    observed_best = best_observed(known, optimization)
    if observed_best is None:
        raise _nothing_eligible(known, optimization)
    eligible = sorted((t for t in known if is_eligible(t, optimization)), key=lambda t: t.index)
    among = "the only one" if len(eligible) == 1 else f"of {len(eligible)} trials"
    unseen = [] if predictions is None else _unseen(eligible, optimization, predictions)
    if predictions is None or unseen:
        why = f"The model has not seen #{unseen[0]}." if unseen else "No model was asked."
        reason = f"#{observed_best.index} has the best measured value, {among}. {why}"
        return _point(observed_best, optimization, predictions or {}, "observed", reason)
    scores = {t.index: _predicted_score(t, optimization, predictions) for t in eligible}
    # max keeps the earliest of equals.
    best = max(eligible, key=lambda t: scores[t.index])
    reason = f"#{best.index} has the best predicted value, {among}."
    if best.index != observed_best.index:
        reason += f" #{observed_best.index} measured better, which the model puts down to noise."
    return _point(best, optimization, predictions, "model", reason)


def _unseen(
    trials: list[Trial], optimization: OptimizationConfig, predictions: TPredictions
) -> list[int]:
    needed = optimization.objective.metric_names
    return [
        trial.index
        for trial in trials
        if any(metric not in predictions.get(trial.index, {}) for metric in needed)
    ]


def _predicted_score(
    trial: Trial, optimization: OptimizationConfig, predictions: TPredictions
) -> float:
    means = {metric: mean for metric, (mean, _) in predictions[trial.index].items()}
    return optimization.objective.expression.value(means)


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
            values[metric] = (mean, sem**2)
        elif observation is not None:
            sem = (
                predicted.get(metric, (0.0, 0.0))[1]
                if observation.sem is None
                else (observation.sem)
            )
            values[metric] = (observation.mean, sem**2)
    return BestPoint(
        trial_index=trial.index,
        arm_name=trial.arm.name,
        parameters=dict(trial.parameters),
        values=values,
        rule=rule,
        reason=reason,
    )


def _nothing_eligible(trials: list[Trial], optimization: OptimizationConfig) -> NotFoundError:
    completed = [t for t in trials if objective_score(t, optimization) is not None]
    if not completed:
        return NotFoundError(
            f"No trial has a result yet: {len(trials)} trials, none of them completed.",
            "Wait for a result, or enter one.",
        )
    excluded = sum(t.is_excluded for t in completed)
    broken = sum(bool(broken_limits(t, optimization)) for t in completed if not t.is_excluded)
    return NotFoundError(
        f"No trial can be the best: of {len(completed)} completed trials {excluded} are excluded "
        f"and {broken} break a limit.",
        "Go on with the run, relax the limits, or include a trial again.",
    )
