"""Whether a running trial is worth going on with, by its curve and those of the others."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import Reading, objective_curve, score_of, shown_value
from axdesk.core.stopping import EarlyStopping
from axdesk.core.trial import Trial, TrialStatus

_COMPARED = (TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.EARLY_STOPPED)


def reason_to_stop_early(
    rule: EarlyStopping, trial: Trial, trials: Iterable[Trial], optimization: OptimizationConfig
) -> str:
    """Return why a trial is to be stopped now; empty if it is to go on.

    Args:
        rule: The criteria.
        trial: Any trial with values.
        trials: All of the experiment; those that run, were completed or stopped early, and are
            not excluded, are compared.
        optimization: Says what is better; with several objectives no trial is stopped.
    """
    curve = objective_curve(trial, optimization)
    if not curve or optimization.has_several:
        return ""
    progression, score = curve[-1]
    last = math.inf if rule.max_progression is None else rule.max_progression
    if not rule.min_progression <= progression <= last:
        return ""
    told = f"{shown_value(score, optimization):g} at progression {progression:g} is worse than"
    if rule.threshold is not None and score < score_of(rule.threshold, optimization):
        return f"{told} the threshold {rule.threshold:g}"
    if rule.percentile is None:
        return ""
    others = [
        value
        for other in trials
        if other.index != trial.index and other.status in _COMPARED and not other.is_excluded
        if (value := _value_at(progression, objective_curve(other, optimization))) is not None
    ]
    is_protected = sum(value > score for value in others) < rule.best_protected
    if len(others) < rule.min_curves or is_protected:
        return ""
    bar = percentile_of(others, rule.percentile)
    if score >= bar:
        return ""
    shown = shown_value(bar, optimization)
    return f"{told} percentile {rule.percentile:g} of {len(others)} other trials, {shown:g}"


def percentile_of(values: Sequence[float], percentile: float) -> float:
    """Return a percentile of at least one value, linear between the two nearest ones."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percentile / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return _between(ordered[low], ordered[high], place - low)


def _value_at(progression: float, curve: Sequence[Reading]) -> float | None:
    """Return a curve's value; None where it has not begun, or has not come so far."""
    place = bisect_left(curve, (progression, -math.inf))
    if place == len(curve):
        return None
    after, value = curve[place]
    if after == progression:
        return value
    if place == 0:
        return None
    before, earlier = curve[place - 1]
    return _between(earlier, value, (progression - before) / (after - before))


def _between(low: float, high: float, share: float) -> float:
    return low if low == high else low * (1 - share) + high * share
