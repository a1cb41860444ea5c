"""What follows from the trials of an experiment, kept while only a few of them change.

A run of many thousand trials tells a change every moment. What is worked out here costs what
changed, and is the same as if it were worked out from all trials.
"""

import operator
from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import best_observed, broken_limits, pareto_front
from axdesk.core.trial import Trial
from axdesk.gui.models.formatting import spread_decimals

Trials = tuple[Trial, ...]
Broken = tuple[OutcomeConstraint, ...]
Reader = Callable[[Trial], tuple[float, float | None] | None]


def replaced(before: Trials, after: Trials) -> tuple[Sequence[Trial], Sequence[Trial]] | None:
    """Return the trials of `before` that are others in `after`, and those that came for them.

    None where trials went, or stand elsewhere: then nothing of before can be used.
    """
    if len(after) < len(before):
        return None
    gone = tuple(compress(before, map(operator.is_not, before, after)))
    came = tuple(compress(after, map(operator.is_not, before, after)))
    if any(old.index != new.index for old, new in zip(gone, came, strict=True)):
        return None
    return gone, came + after[len(before) :]


@dataclass(slots=True)
class _Leaders:
    """The best of some trials: of one objective the best trial, of several their front."""

    trials: Trials
    optimization: OptimizationConfig
    leaders: Trials


@dataclass(slots=True)
class _Spread:
    """The values that are read from some trials."""

    trials: Trials
    low: float = float("inf")
    high: float = -float("inf")
    errors: list[float] = field(default_factory=list)

    def add(self, trials: Iterable[Trial], read: Reader) -> None:
        for trial in trials:
            if (reading := read(trial)) is not None:
                mean, sem = reading
                self.low, self.high = min(self.low, mean), max(self.high, mean)
                if sem:
                    insort(self.errors, sem)


class TrialMemo:
    """Keeps what was worked out for one experiment; facts that follow each other share it.

    GUI thread only.
    """

    def __init__(self) -> None:
        self._broken: dict[int, tuple[Trial, OptimizationConfig, Broken]] = {}
        self._leaders: _Leaders | None = None
        self._spreads: dict[str, _Spread] = {}
        self._finished: tuple[Trials, Trials] | None = None
        self._optimization: OptimizationConfig | None = None

    def broken(self, trial: Trial, optimization: OptimizationConfig) -> Broken:
        """Return the outcome constraints that a completed trial's values break."""
        known = self._broken.get(trial.index)
        if known is not None and known[0] is trial and known[1] is optimization:
            return known[2]
        found = broken_limits(trial, optimization)
        self._broken[trial.index] = (trial, optimization, found)
        return found

    def leaders(self, trials: Trials, optimization: OptimizationConfig) -> Trials:
        """Return the best observed trial, if any, or those on the front of several objectives.

        Args:
            trials: By index.
            optimization: With limits that are absolute where the baseline is known.
        """
        known, contenders = self._leaders, trials
        if known is not None and known.optimization is optimization:
            changed = replaced(known.trials, trials)
            if changed is not None and not set(map(id, changed[0])) & set(map(id, known.leaders)):
                contenders = (*known.leaders, *changed[1])
        if optimization.has_several:
            found = pareto_front(contenders, optimization)
        else:
            best = best_observed(contenders, optimization)
            found = () if best is None else (best,)
        self._leaders = _Leaders(trials, optimization, found)
        return found

    def in_order(self, trials: Trials) -> Trials:
        """Return the trials that ended in order of finishing; those without a time last."""
        known = self._finished
        changed = None if known is None else replaced(known[0], trials)
        if known is None or changed is None or any(t.status.is_terminal for t in changed[0]):
            ended = sorted((t for t in trials if t.status.is_terminal), key=_when_finished)
        else:
            ended = list(known[1])
            for trial in changed[1]:
                if trial.status.is_terminal:
                    insort(ended, trial, key=_when_finished)
        self._finished = (trials, tuple(ended))
        return self._finished[1]

    def decimals(self, key: str, trials: Trials, read: Reader) -> int | None:
        """Return the decimals of the values that `read` finds; None for four significant digits.

        Args:
            key: What is read, always the same for one `key`.
            trials: By index.
            read: A trial's value and its standard error.
        """
        spread = self._spreads.get(key)
        changed = None if spread is None else replaced(spread.trials, trials)
        if spread is None or changed is None or any(read(t) is not None for t in changed[0]):
            spread = _Spread(trials)
            spread.add(trials, read)
        else:
            spread.add(changed[1], read)
            spread.trials = trials
        self._spreads[key] = spread
        return spread_decimals(spread.low, spread.high, spread.errors)

    def one_of(self, optimization: OptimizationConfig) -> OptimizationConfig:
        """Return what is equal to `optimization` and was there before, else itself."""
        if self._optimization is None or self._optimization != optimization:
            self._optimization = optimization
        return self._optimization


def _when_finished(trial: Trial) -> tuple[bool, float, int]:
    ended = trial.finished_at
    return ended is None, 0.0 if ended is None else ended.timestamp(), trial.index
