"""Whether a run is worth going on with."""

from collections.abc import Sequence

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import (
    best_observed,
    hypervolume_trace,
    objective_score,
    pareto_front,
    score_of,
    shown_value,
)
from axdesk.core.stopping import GlobalStopping
from axdesk.core.trial import Trial
from axdesk.orchestration.early_stopping import percentile_of


def reason_to_end(
    rule: GlobalStopping, trials: Sequence[Trial], run_index: int, optimization: OptimizationConfig
) -> str:
    """Return why a run is to end now; empty if it is to go on.

    Args:
        rule: The criteria.
        trials: All of the experiment, sorted by index.
        run_index: The run whose trials are counted.
        optimization: Says what is better.
    """
    best = best_observed(trials, optimization)
    front = pareto_front(trials, optimization) if optimization.has_several else ()
    latest = best or (front[-1] if front else None)
    if latest is None:
        return ""
    reached = "" if best is None else _target_reached(rule, best, optimization)
    if reached:
        return reached
    counted = [
        trial
        for trial in trials
        if objective_score(trial, optimization) is not None and not trial.is_excluded
    ]
    of_run = [trial for trial in counted if trial.run_index == run_index]
    if len(of_run) < rule.min_trials:
        return ""
    since = [trial for trial in of_run if trial.index > latest.index]
    if rule.stagnation is not None and len(since) >= rule.stagnation:
        what = "trial on the Pareto front" if best is None else "value"
        return f"no better {what} in {len(since)} trials since #{latest.index}"
    window = of_run[-rule.window_size :]
    if rule.improvement_bar is None or len(window) < rule.window_size:
        return ""
    if best is None:
        return _too_little_volume(rule, counted, window, optimization)
    return _too_little_improvement(rule, counted, window, best, optimization)


def _target_reached(rule: GlobalStopping, best: Trial, optimization: OptimizationConfig) -> str:
    score = objective_score(best, optimization)
    if score is None or rule.target is None or score < score_of(rule.target, optimization):
        return ""
    sign = "≤" if optimization.objective.is_minimised else "≥"
    value = shown_value(score, optimization)
    return f"target reached: {value:g} {sign} {rule.target:g} by #{best.index}"


def _too_little_improvement(
    rule: GlobalStopping,
    counted: Sequence[Trial],
    window: Sequence[Trial],
    best: Trial,
    optimization: OptimizationConfig,
) -> str:
    indices = {trial.index for trial in window}
    before = best_observed([t for t in counted if t.index not in indices], optimization)
    score_before = None if before is None else objective_score(before, optimization)
    score = objective_score(best, optimization)
    if score is None or score_before is None or rule.improvement_bar is None:
        return ""
    scores = [s for t in counted if (s := objective_score(t, optimization)) is not None]
    spread = percentile_of(scores, 75) - percentile_of(scores, 25)
    improvement = score - score_before
    if improvement > rule.improvement_bar * spread:
        return ""
    return (
        f"the best value improved by {improvement:.3g} in the last {len(window)} trials, "
        f"at most {rule.improvement_bar:g} times the spread of all values, {spread:.3g}"
    )


def _too_little_volume(
    rule: GlobalStopping,
    counted: Sequence[Trial],
    window: Sequence[Trial],
    optimization: OptimizationConfig,
) -> str:
    trace = hypervolume_trace(counted, optimization)
    volume = trace[-1].hypervolume
    before = [p.hypervolume for p in trace if p.trial_index < window[0].index]
    if volume is None or rule.improvement_bar is None or not before or not before[-1]:
        return ""
    share = (volume - before[-1]) / volume
    if share > rule.improvement_bar:
        return ""
    return (
        f"the hypervolume grew by {share:.3g} of itself in the last {len(window)} trials, "
        f"at most {rule.improvement_bar:g}"
    )


def unheeded(optimization: OptimizationConfig, *, has_target: bool, stops_early: bool) -> str:
    """Return which rules say nothing about several objectives; empty if all are heeded.

    Args:
        optimization: The objectives.
        has_target: Whether global stopping has a target.
        stops_early: Whether there is early stopping.
    """
    rules = ["the target of global stopping"] * has_target + ["early stopping"] * stops_early
    if not rules or not optimization.has_several:
        return ""
    text = " and ".join(rules)
    verb = "are" if len(rules) > 1 else "is"
    return f"{text[0].upper()}{text[1:]} {verb} not heeded: there are several objectives."
