"""Whether a run is worth going on with."""

from collections.abc import Sequence

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import best_observed, objective_score, score_of, shown_value
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
    best_score = None if best is None else objective_score(best, optimization)
    if best is None or best_score is None:
        return ""
    if rule.target is not None and best_score >= score_of(rule.target, optimization):
        sign = "≤" if optimization.objective.is_minimised else "≥"
        value = shown_value(best_score, optimization)
        return f"target reached: {value:g} {sign} {rule.target:g} by #{best.index}"
    counted = [
        trial
        for trial in trials
        if objective_score(trial, optimization) is not None and not trial.is_excluded
    ]
    of_run = [trial for trial in counted if trial.run_index == run_index]
    if len(of_run) < rule.min_trials:
        return ""
    since = [trial for trial in of_run if trial.index > best.index]
    if rule.stagnation is not None and len(since) >= rule.stagnation:
        return f"no better value in {len(since)} trials since #{best.index}"
    return _too_little_improvement(rule, counted, of_run, best_score, optimization)


def _too_little_improvement(
    rule: GlobalStopping,
    counted: Sequence[Trial],
    of_run: Sequence[Trial],
    best_score: float,
    optimization: OptimizationConfig,
) -> str:
    bar, window = rule.improvement_bar, {trial.index for trial in of_run[-rule.window_size :]}
    if bar is None or len(window) < rule.window_size:
        return ""
    before = best_observed([t for t in counted if t.index not in window], optimization)
    score_before = None if before is None else objective_score(before, optimization)
    if score_before is None:
        return ""
    scores = [s for t in counted if (s := objective_score(t, optimization)) is not None]
    spread = percentile_of(scores, 75) - percentile_of(scores, 25)
    improvement = best_score - score_before
    if improvement > bar * spread:
        return ""
    return (
        f"the best value improved by {improvement:.3g} in the last {rule.window_size} trials, "
        f"at most {bar:g} times the spread of all values, {spread:.3g}"
    )
