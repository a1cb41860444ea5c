"""What a plot can show of a trial: an objective, another metric, or the hypervolume reached."""

from collections.abc import Callable
from dataclasses import dataclass

from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import shown_score
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.run_facts import RunFacts, decimals_of, shown_error

HYPERVOLUME = "hypervolume"
_LONGEST = 28


@dataclass(frozen=True, slots=True)
class Quantity:
    """One thing that trials have values of.

    Attributes:
        key: Stable name.
        name: As the operator knows it.
        unit: Of its values; empty for none.
        place: Position among the objectives; None for what is no objective.
        metric: The metric, if it is a plain one; else empty.
    """

    key: str
    name: str
    unit: str = ""
    place: int | None = None
    metric: str = ""

    @property
    def head(self) -> str:
        """Its name, shortened, with the unit."""
        name = self.name if len(self.name) <= _LONGEST else f"{self.name[: _LONGEST - 1]}…"
        return f"{name} ({self.unit})" if self.unit else name


def objective_quantity(place: int, optimization: OptimizationConfig) -> Quantity:
    """The objective at a position."""
    objective = optimization.objectives[place]
    names = objective.metric_names
    unit = optimization.unit_of(names[0]) if len(names) == 1 else ""
    metric = names[0] if objective.is_plain else ""
    return Quantity(f"objective:{objective}", objective.label, unit, place, metric)


def quantities(facts: RunFacts) -> tuple[Quantity, ...]:
    """What the convergence can show, the usual one first."""
    optimization = facts.optimization
    if optimization is None:
        return ()
    found = [objective_quantity(i, optimization) for i in range(len(optimization.objectives))]
    shown = {quantity.metric for quantity in found}
    if facts.hypervolumes is not None:
        found.insert(0, Quantity(HYPERVOLUME, "Hypervolume"))
    for metric in optimization.metric_names:
        if metric not in shown:
            unit = optimization.unit_of(metric)
            found.append(Quantity(f"metric:{metric}", metric, unit, metric=metric))
    return tuple(found)


def quantity_called(key: str, facts: RunFacts) -> Quantity | None:
    """The quantity with this key, else the usual one; None before anything is optimised."""
    offered = quantities(facts)
    return next((q for q in offered if q.key == key), offered[0] if offered else None)


def values_of(quantity: Quantity, facts: RunFacts) -> Callable[[Trial], float | None]:
    """A function that gives a trial's value as the operator knows it; None without a result."""
    optimization = facts.optimization
    if quantity.key == HYPERVOLUME:
        volumes = facts.hypervolumes or {}
        return lambda trial: volumes.get(trial.index)
    if quantity.place is not None and optimization is not None:
        objective = optimization.objectives[quantity.place]
        metrics = objective.metric_names

        def shown(trial: Trial) -> float | None:
            if trial.status is not TrialStatus.COMPLETED:
                return None
            latest = {metric: trial.latest(metric) for metric in metrics}
            values = {metric: o.mean for metric, o in latest.items() if o is not None}
            has_all = len(values) == len(metrics)
            return shown_score(objective.score(values), objective) if has_all else None

        return shown

    def measured(trial: Trial) -> float | None:
        observation = trial.latest(quantity.metric)
        is_done = trial.status is TrialStatus.COMPLETED
        return observation.mean if is_done and observation is not None else None

    return measured


def expected(quantity: Quantity, trial: Trial, facts: RunFacts) -> tuple[float, float] | None:
    """What the model expected of a trial when it suggested it, and the standard error of that.

    As the operator knows it; None where the model said nothing of the quantity.
    """
    optimization = facts.optimization
    by_metric = {p.metric: p for p in trial.generation.predictions}
    if optimization is None or not by_metric or quantity.key == HYPERVOLUME:
        return None
    if quantity.place is None:
        found = by_metric.get(quantity.metric)
        return None if found is None else (found.mean, found.sem)
    objective = optimization.objectives[quantity.place]
    return expected_objective(objective, trial)


def expected_objective(objective: Objective, trial: Trial) -> tuple[float, float] | None:
    """What the model expected of an objective, as the operator knows it, and its standard error."""
    by_metric = {p.metric: p for p in trial.generation.predictions}
    terms = objective.expression.terms
    if not all(name in by_metric for name, _ in terms):
        return None
    score = objective.score({name: by_metric[name].mean for name, _ in terms})
    error = sum((factor * by_metric[name].sem) ** 2 for name, factor in terms) ** 0.5
    return shown_score(score, objective), error / abs(terms[0][1]) if len(terms) == 1 else error


def model_best(quantity: Quantity, trial: Trial, facts: RunFacts) -> tuple[float, float] | None:
    """What the model held for the best when it suggested a trial, and the standard error of that.

    Of the one objective; None for anything else.
    """
    optimization, best = facts.optimization, trial.generation.model_best
    if best is None or optimization is None or optimization.has_several or quantity.place != 0:
        return None
    return shown_score(best[0], optimization.objective), shown_error(best[1], optimization)


def is_minimised(quantity: Quantity, facts: RunFacts) -> bool | None:
    """Whether less of it is better; None where neither is."""
    if quantity.key == HYPERVOLUME:
        return False
    if quantity.place is None or facts.optimization is None:
        return None
    return facts.optimization.objectives[quantity.place].is_minimised


def decimals(quantity: Quantity, facts: RunFacts) -> int | None:
    """Decimals of a quantity's values."""
    if quantity.metric:
        return decimals_of(quantity.metric, facts)
    if quantity.key == HYPERVOLUME:
        return None
    value = values_of(quantity, facts)

    def read(trial: Trial) -> tuple[float, float | None] | None:
        found = value(trial)
        return None if found is None else (found, None)

    return facts.memo.decimals(f"shown:{quantity.key}", facts.trials, read)


def limits_of(quantity: Quantity, facts: RunFacts) -> tuple[tuple[float, bool], ...]:
    """The limits of a metric: its bound, and whether values must not be above it."""
    optimization = facts.optimization
    if optimization is None or not quantity.metric:
        return ()
    return tuple(
        (limit.bound / factor, (limit.operator == "<=") == (factor > 0))
        for limit in optimization.outcome_constraints
        if limit.names == (quantity.metric,) and not limit.is_relative
        for factor in (limit.terms[0][1],)
    )
