"""What follows from the trials of an experiment, kept while only a few of them change.

A run of many thousand trials tells a change every moment. What is worked out here costs what
changed, and is the same as if it were worked out from all trials.
"""

import operator
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import (
    best_observed,
    broken_limits,
    hypervolume_trace,
    objective_scores,
    pareto_front,
)
from axdesk.core.pareto import dominates
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


@dataclass(slots=True)
class _Volumes:
    """The hypervolumes of some trials; `extent` has the ends of each objective's values."""

    trials: Trials
    optimization: OptimizationConfig
    volumes: Mapping[int, float]
    extent: tuple[tuple[float, float], ...]


class TrialMemo:
    """Keeps what was worked out for one experiment; facts that follow each other share it.

    GUI thread only.
    """

    def __init__(self) -> None:
        self._broken: dict[int, tuple[Trial, OptimizationConfig, Broken]] = {}
        self._leaders: _Leaders | None = None
        self._spreads: dict[str, _Spread] = {}
        self._volumes: _Volumes | None = None
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

    def hypervolumes(
        self, trials: Trials, optimization: OptimizationConfig
    ) -> Mapping[int, float] | None:
        """Return by completed trial the hypervolume so far; None for more than can be computed.

        Args:
            trials: By index.
            optimization: With limits that are absolute where the baseline is known.
        """
        known = self._volumes
        volumes = None
        if known is not None and known.optimization is optimization:
            volumes = self._followed(known, trials)
        if volumes is None:
            trace = hypervolume_trace(trials, optimization)
            found = {p.trial_index: p.hypervolume for p in trace if p.hypervolume is not None}
            if len(found) != len(trace):
                return None
            points = [p for t in trials if (p := self._point(t, optimization)) is not None]
            extent = tuple((min(of_one), max(of_one)) for of_one in zip(*points, strict=True))
            self._volumes = _Volumes(trials, optimization, found, extent)
            return found
        self._volumes = _Volumes(trials, optimization, volumes, known.extent if known else ())
        return volumes

    @property
    def lowest(self) -> tuple[float, ...]:
        """Of the trials that hypervolumes were last asked of: each objective's lowest score."""
        return () if self._volumes is None else tuple(low for low, _ in self._volumes.extent)

    def _followed(self, known: "_Volumes", trials: Trials) -> Mapping[int, float] | None:
        """Take in trials that add nothing; None if one may, or if what it is counted from moves."""
        changed = replaced(known.trials, trials)
        optimization = known.optimization
        if changed is None:
            return None
        if any(objective_scores(trial, optimization) is not None for trial in changed[0]):
            return None
        ended = [t for t in changed[1] if objective_scores(t, optimization) is not None]
        if not ended:
            return known.volumes
        front = {t.index: p for t in self.leaders(trials, optimization)
                 if (p := self._point(t, optimization)) is not None}  # fmt: skip
        for trial in ended:
            point = self._point(trial, optimization)
            if point is None:
                continue
            is_within = bool(known.extent) and all(
                low <= value <= high for value, (low, high) in zip(point, known.extent, strict=True)
            )
            if not is_within or not any(
                dominates(one, point) for index, one in front.items() if index < trial.index
            ):
                return None
        volumes, reached = {}, 0.0
        new = {trial.index for trial in ended}
        for index in sorted([*known.volumes, *new]):
            reached = reached if index in new else known.volumes[index]
            volumes[index] = reached
        return volumes

    def _point(self, trial: Trial, optimization: OptimizationConfig) -> tuple[float, ...] | None:
        """The objectives of a trial that can be on the front."""
        if trial.is_excluded or optimization.is_relative or self.broken(trial, optimization):
            return None
        return objective_scores(trial, optimization)

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
