"""The course of an experiment: where each trial lies, the best so far, what the model expected.

It is brought up to date by the trials that changed, so that one more costs one more, whatever the
number of those before.
"""

from bisect import bisect_right, insort
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from axdesk.core.trial import Trial, TrialSource, TrialStatus
from axdesk.gui.models.monitor_options import MonitorOptions, XAxis
from axdesk.gui.models.quantities import (
    HYPERVOLUME,
    Quantity,
    expected,
    model_best,
    values_of,
)
from axdesk.gui.models.run_facts import RunFacts

Z_95 = 1.96
"""Standard errors on either side of a 95 % interval."""

_WITHOUT_RESULT = (TrialStatus.FAILED, TrialStatus.ABANDONED, TrialStatus.EARLY_STOPPED)
_SPACE_FILLING = (TrialSource.CENTER, TrialSource.SOBOL)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a trial lies.

    Attributes:
        x: Along the axis that was chosen; seconds since the epoch for the time.
        y: Its value, or what is expected of it while it runs; None without a result.
        sem: The standard error of what is expected; None for a result.
    """

    x: float
    y: float | None
    sem: float | None = None


class Course:
    """Of one quantity along one axis.

    Attributes:
        spots: By trial: where it lies; trials that have no place are missing.
        steps: (x, value) at each new best, as the operator knows it, by x; of several objectives
            the hypervolume reached.
        model: (x, mean, standard error) of what the model held for the best, by trial.
        start_ends: Where the space-filling part ends; None without one.
        first_x: Where the first trial along lies.
        last_x: Where the one furthest along lies.
        reach: The lowest and the highest end of the model's 95 % intervals; None without any.
        has_unmeasured: Whether there are trials that ended without a result.
        values: The lowest and the highest value of those that are over; None before the first.
        smallest: The smallest size of a value that is not 0, for scales by powers of ten.
    """

    def __init__(self) -> None:
        self.spots: dict[int, Spot] = {}
        self.steps: list[tuple[float, float]] = []
        self.model: list[tuple[float, float, float]] = []
        self.start_ends: float | None = None
        self.first_x = float("inf")
        self.last_x = 0.0
        self.reach: tuple[float, float] | None = None
        self.has_unmeasured = False
        self.values: tuple[float, float] | None = None
        self.smallest = float("inf")
        self.rebuilt = 0  # how often everything was worked out, for tests of the cost
        self._made_for: object = None
        self._modelled = -1
        self._volumes: Mapping[int, float] = {}
        self._first_other: int | None = None
        self._ends: list[tuple[datetime, int]] = []

    def show(
        self, facts: RunFacts, quantity: Quantity, options: MonitorOptions, now: datetime,
        changed: Collection[int] | None,
    ) -> Collection[int] | None:  # fmt: skip
        """Follow other facts.

        Args:
            facts: The experiment.
            quantity: What goes upright.
            options: What goes along.
            now: Where running trials lie along the time, an aware datetime.
            changed: The trials that differ from the facts before; None for any.

        Returns:
            The trials whose place may be another one; None for all.
        """
        made_for = (facts.optimization, quantity, options.x)
        is_same = changed is not None and made_for == self._made_for
        self._made_for = made_for
        moved = None
        volumes = (facts.hypervolumes or {}) if quantity.key == HYPERVOLUME else {}
        is_same &= all(volumes.get(index) == value for index, value in self._volumes.items())
        self._volumes = volumes
        if is_same and changed is not None:
            moved = self._follow(facts, quantity, options, now, changed)
        if moved is None:
            self._rebuild(facts, quantity, options, now)
        return moved

    def _rebuild(
        self, facts: RunFacts, quantity: Quantity, options: MonitorOptions, now: datetime
    ) -> None:
        self.rebuilt += 1
        self.spots, self.steps, self.model, self._ends = {}, [], [], []
        self.values, self.smallest, self.reach = None, float("inf"), None
        self.first_x, self.last_x, self.has_unmeasured = float("inf"), 0.0, False
        self._modelled = -1
        if options.x is XAxis.FINISH:
            self._ends = sorted(_end(trial) for trial in facts.trials if _is_over(trial))
        self.start_ends, self._first_other = None, None
        value = values_of(quantity, facts)
        for trial in facts.trials:
            self._put(trial, value(trial), facts, quantity, options, now)
        if quantity.key == HYPERVOLUME:
            self._step_by_volume(facts)

    def _follow(
        self, facts: RunFacts, quantity: Quantity, options: MonitorOptions, now: datetime,
        changed: Collection[int],
    ) -> list[int] | None:  # fmt: skip
        """Take in some trials; None if what they had brought before cannot be undone."""
        ordered = sorted({*changed, *(trial.index for trial in facts.pending)})
        for index in ordered:
            before = self.spots.get(index)
            if before is not None and before.sem is None and index in changed:
                return None
            trial = facts.trial(index)
            if trial is None:
                return None
            if options.x is XAxis.FINISH and _is_over(trial):
                end = _end(trial)
                if self._ends and end < self._ends[-1]:
                    return None
                self._ends.append(end)
        value = values_of(quantity, facts)
        for index in ordered:
            self.spots.pop(index, None)
            trial = facts.trial(index)
            if trial is not None:
                self._put(trial, value(trial), facts, quantity, options, now)
        if quantity.key == HYPERVOLUME:
            self._step_by_volume(facts)
        return ordered

    def _put(
        self, trial: Trial, value: float | None, facts: RunFacts, quantity: Quantity,
        options: MonitorOptions, now: datetime,
    ) -> None:  # fmt: skip
        x = self._x_of(trial, options.x, now)
        if trial.status in _WITHOUT_RESULT:
            self.spots[trial.index] = Spot(x, None)
            self.has_unmeasured = True
        elif value is not None:
            self.spots[trial.index] = Spot(x, value)
            low, high = self.values or (value, value)
            self.values = (min(low, value), max(high, value))
            if value:
                self.smallest = min(self.smallest, abs(value))
            self._take_step(trial, x, value, facts, quantity)
        elif trial.status.is_pending and (guess := expected(quantity, trial, facts)) is not None:
            self.spots[trial.index] = Spot(x, *guess)
        self.first_x, self.last_x = min(self.first_x, x), max(self.last_x, x)
        if trial.generation.source not in _SPACE_FILLING:
            self._first_other = min(self._first_other or trial.index, trial.index)
        elif self._first_other is None or trial.index < self._first_other:
            self.start_ends = max(self.start_ends or x, x)
        best = model_best(quantity, trial, facts)
        if best is not None and trial.index > self._modelled:
            self._modelled = trial.index
            self.model.append((self._x_of_model(trial, options.x, now), *best))
            low, high = best[0] - Z_95 * best[1], best[0] + Z_95 * best[1]
            self.reach = (
                min(low, (self.reach or (low,))[0]),
                max(high, (self.reach or (high,))[-1]),
            )

    def _x_of(self, trial: Trial, axis: XAxis, now: datetime) -> float:
        if axis is XAxis.TRIAL:
            return float(trial.index)
        if axis is XAxis.FINISH:
            if _is_over(trial):
                return float(bisect_right(self._ends, _end(trial)) - 1)
            return float(len(self._ends))
        if _is_over(trial):
            moment = trial.finished_at or trial.started_at or trial.staged_at
            return now.timestamp() if moment is None else moment.timestamp()
        return now.timestamp()

    def _x_of_model(self, trial: Trial, axis: XAxis, now: datetime) -> float:
        """When the model said it: with the trial that it suggested, or when that was staged."""
        if axis is XAxis.TRIAL:
            return float(trial.index)
        staged = trial.staged_at or trial.started_at or trial.finished_at
        if axis is XAxis.TIME:
            at = now.timestamp() if staged is None else staged.timestamp()
        else:
            at = float(bisect_right(self._ends, (staged or _EARLIEST, 1 << 62)))
        return max(at, self.model[-1][0]) if self.model else at

    def _take_step(
        self, trial: Trial, x: float, value: float, facts: RunFacts, quantity: Quantity
    ) -> None:
        """Put a result among the best so far, wherever it lies among those before."""
        optimization = facts.optimization
        if quantity.place is None or optimization is None or trial.is_excluded:
            return
        if optimization.is_relative or facts.broken(trial):
            return
        objective = optimization.objectives[quantity.place]
        sign = -1.0 if objective.is_minimised else 1.0
        at = bisect_right(self.steps, (x, float("inf")))
        if at and sign * self.steps[at - 1][1] >= sign * value:
            return
        end = at
        while end < len(self.steps) and sign * self.steps[end][1] <= sign * value:
            end += 1
        del self.steps[at:end]
        insort(self.steps, (x, value))

    def _step_by_volume(self, facts: RunFacts) -> None:
        reached = None
        self.steps = []
        for index, volume in sorted(
            (facts.hypervolumes or {}).items(), key=lambda pair: (self.spots[pair[0]].x, pair[0])
        ):
            if reached is None or volume > reached:
                self.steps.append((self.spots[index].x, volume))
                reached = volume


def _is_over(trial: Trial) -> bool:
    return trial.status.is_terminal


def _end(trial: Trial) -> tuple[datetime, int]:
    return (trial.finished_at or trial.started_at or trial.staged_at or _EARLIEST, trial.index)
