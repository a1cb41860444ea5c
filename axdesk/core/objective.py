"""What is optimised, and which limits the outcomes must keep."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.expressions import (
    LinearExpression,
    goal_text,
    parse_goal,
    quoted,
    split_objectives,
)
from axdesk.core.names import first_duplicate


@dataclass(frozen=True, slots=True)
class Objective:
    """A weighted sum of metrics that is maximised.

    `-m` minimises `m`; `-abs(m - 7)` brings `m` close to its target 7.

    Attributes:
        expression: At least one metric; its constant must be 0, for it changes nothing. A metric
            with a target stands for its distance from it, and its coefficient is below 0.
        targets: (metric, target), in the expression's order.
    """

    expression: LinearExpression
    targets: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        if not self.expression.terms:
            raise UserInputError("An objective needs a metric.", "Write such as -hartmann6.")
        if self.expression.constant:
            raise UserInputError(
                f"The constant {self.expression.constant} in the objective changes nothing.",
                "Remove it.",
            )
        coefficients = dict(self.expression.terms)
        for name, target in self.targets:
            if name not in coefficients or not math.isfinite(target):
                raise UserInputError(f"{name!r} cannot have the target {target}.")
            if coefficients[name] > 0:
                raise UserInputError(
                    f"The objective {self} moves {quoted(name)} away from its target.",
                    "Put a minus before abs: the distance from the target is to be small.",
                )
        order = self.expression.names
        ordered = tuple(sorted(self.targets, key=lambda pair: order.index(pair[0])))
        object.__setattr__(self, "targets", ordered)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `-hartmann6`, `0.2*a + b` or `-abs(pH - 7)`.

        Raises:
            ExpressionError: If it is not understood, with the place.
        """
        expression, targets = parse_goal(text)
        return cls(expression, tuple(targets.items()))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics, in order."""
        return self.expression.names

    @property
    def is_minimised(self) -> bool:
        """Whether a single metric, or its distance from a target, is made small."""
        terms = self.expression.terms
        return len(terms) == 1 and terms[0][1] < 0

    @property
    def is_plain(self) -> bool:
        """Whether it is a single metric, made large or small."""
        return len(self.expression.terms) == 1 and not self.targets

    @property
    def label(self) -> str:
        """What the operator calls its values: the metric, the distance, or the sum."""
        if self.is_plain:
            return self.metric_names[0]
        if len(self.expression.terms) > 1:
            return str(self)
        return goal_text(LinearExpression(((self.metric_names[0], 1.0),)), dict(self.targets))

    def score(self, values: Mapping[str, float]) -> float:
        """Return the sum for the metrics' values, larger is better; one missing is a KeyError."""
        if not self.targets:
            return self.expression.value(values)
        targets = dict(self.targets)
        return self.expression.value(
            {
                name: abs(values[name] - targets[name]) if name in targets else values[name]
                for name in self.metric_names
            }
        )

    def __str__(self) -> str:
        return goal_text(self.expression, dict(self.targets))


def parse_objectives(text: str) -> tuple[Objective, ...]:
    """Read one objective, or several between commas: `yield, -cost`.

    Raises:
        ExpressionError: If one is not understood, with the place in the whole text.
    """
    found, start = [], 0
    for part in split_objectives(text):
        try:
            found.append(Objective.parse(part))
        except ExpressionError as error:
            position = start + error.position
            raise ExpressionError(error.message, error.hint, text=text, position=position) from None
        start += len(part) + 1
    return tuple(found)


@dataclass(frozen=True, slots=True)
class OptimizationConfig:
    """The objectives, the outcome constraints, and the metrics that are only recorded.

    Attributes:
        objective: Maximised; the first of several.
        outcome_constraints: Limits, in the metrics' units. With several objectives, a limit on
            the metric of one of them in its own direction is that objective's threshold.
        tracking_metrics: Metrics that are fetched and stored but not optimised.
        units: (metric name, unit), for display; kept in the metrics' order.
        further_objectives: Maximised as well, none before the other; each metric stands in one
            objective only.
    """

    objective: Objective
    outcome_constraints: tuple[OutcomeConstraint, ...] = ()
    tracking_metrics: tuple[str, ...] = ()
    units: tuple[tuple[str, str], ...] = ()
    further_objectives: tuple[Objective, ...] = ()

    def __post_init__(self) -> None:
        both = first_duplicate(tuple(n for one in self.objectives for n in one.metric_names))
        if both is not None:
            raise UserInputError(
                f"The metric {both!r} stands in two objectives.", "Name it in one of them."
            )
        both = first_duplicate((*self.required_metrics, *self.tracking_metrics))
        if both is not None:
            raise UserInputError(
                f"The metric {both!r} is optimised or limited and only recorded at once.",
                "Keep one of the two.",
            )
        units = {name: unit for name, unit in self.units if unit}
        ordered = tuple((n, units.pop(n)) for n in self.metric_names if n in units)
        object.__setattr__(self, "units", (*ordered, *units.items()))

    @classmethod
    def of(
        cls,
        objectives: Sequence[Objective],
        outcome_constraints: tuple[OutcomeConstraint, ...] = (),
        tracking_metrics: tuple[str, ...] = (),
        units: tuple[tuple[str, str], ...] = (),
    ) -> Self:
        """Return the configuration for one objective or several."""
        first, *further = objectives
        return cls(first, outcome_constraints, tracking_metrics, units, tuple(further))

    @property
    def goals(self) -> "OptimizationConfig":
        """Objectives and limits alone: what suggestions follow, and what has versions."""
        return OptimizationConfig.of(self.objectives, self.outcome_constraints)

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them, in order."""
        return (self.objective, *self.further_objectives)

    @property
    def has_several(self) -> bool:
        """Whether there are several objectives, so that no single trial is the best."""
        return bool(self.further_objectives)

    @property
    def objective_text(self) -> str:
        """The objectives as `parse_objectives` reads them."""
        return ", ".join(map(str, self.objectives))

    @property
    def is_relative(self) -> bool:
        """Whether a limit depends on the baseline trial."""
        return any(limit.is_relative for limit in self.outcome_constraints)

    @property
    def required_metrics(self) -> tuple[str, ...]:
        """The metrics without which a trial is not completed, each once."""
        names = [name for one in self.objectives for name in one.metric_names]
        names += [name for limit in self.outcome_constraints for name in limit.names]
        return tuple(dict.fromkeys(names))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """All metrics: the required ones, then the recorded ones."""
        return (*self.required_metrics, *self.tracking_metrics)

    def unit_of(self, metric: str) -> str:
        """The unit of a metric, empty if none is known."""
        return dict(self.units).get(metric, "")
