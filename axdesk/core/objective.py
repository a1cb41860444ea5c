"""What is optimised, and which limits the outcomes must keep."""

from dataclasses import dataclass
from typing import Self

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import UnsupportedError, UserInputError
from axdesk.core.expressions import LinearExpression, parse_linear, split_objectives
from axdesk.core.names import first_duplicate


@dataclass(frozen=True, slots=True)
class Objective:
    """A linear expression of metrics that is maximised; `-m` minimises `m`.

    Attributes:
        expression: At least one metric; its constant must be 0, for it changes nothing.
    """

    expression: LinearExpression

    def __post_init__(self) -> None:
        if not self.expression.terms:
            raise UserInputError("An objective needs a metric.", "Write such as -hartmann6.")
        if self.expression.constant:
            raise UserInputError(
                f"The constant {self.expression.constant} in the objective changes nothing.",
                "Remove it.",
            )

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `-hartmann6` or `0.2*a + b`.

        Raises:
            ExpressionError: If it is not understood, with the place.
            UnsupportedError: If several objectives are given, separated by commas.
        """
        parts = split_objectives(text)
        if len(parts) > 1:
            raise UnsupportedError(
                f"{len(parts)} objectives are given in {text!r}; one is offered.",
                "Join them with weights, such as 0.3*a + 0.7*b, or set limits on the others.",
            )
        return cls(parse_linear(text))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics, in order."""
        return self.expression.names

    @property
    def is_minimised(self) -> bool:
        """Whether a single metric is made small."""
        terms = self.expression.terms
        return len(terms) == 1 and terms[0][1] < 0

    def __str__(self) -> str:
        return str(self.expression)


@dataclass(frozen=True, slots=True)
class OptimizationConfig:
    """The objective, the outcome constraints, and the metrics that are only recorded.

    Attributes:
        objective: Maximised.
        outcome_constraints: Absolute limits, in the metrics' units.
        tracking_metrics: Metrics that are fetched and stored but not optimised.
        units: (metric name, unit), for display; kept in the metrics' order.
    """

    objective: Objective
    outcome_constraints: tuple[OutcomeConstraint, ...] = ()
    tracking_metrics: tuple[str, ...] = ()
    units: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        both = first_duplicate((*self.required_metrics, *self.tracking_metrics))
        if both is not None:
            raise UserInputError(
                f"The metric {both!r} is optimised or limited and only recorded at once.",
                "Keep one of the two.",
            )
        units = {name: unit for name, unit in self.units if unit}
        ordered = tuple((n, units.pop(n)) for n in self.metric_names if n in units)
        object.__setattr__(self, "units", (*ordered, *units.items()))

    @property
    def required_metrics(self) -> tuple[str, ...]:
        """The metrics without which a trial is not completed, each once."""
        names = [*self.objective.metric_names]
        names += [name for limit in self.outcome_constraints for name in limit.names]
        return tuple(dict.fromkeys(names))

    @property
    def metric_names(self) -> tuple[str, ...]:
        """All metrics: the required ones, then the recorded ones."""
        return (*self.required_metrics, *self.tracking_metrics)

    def unit_of(self, metric: str) -> str:
        """The unit of a metric, empty if none is known."""
        return dict(self.units).get(metric, "")
