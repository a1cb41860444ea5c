"""Linear limits: on parameters (every suggestion keeps them) and on outcomes (to be learnt)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from axdesk.core.errors import UserInputError
from axdesk.core.expressions import LinearExpression, TOperator, parse_comparison
from axdesk.core.parameters import TParameterization

_RELATIVE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class _LinearConstraint:
    """`sum of coefficient · name  <=  bound`, or `>=`, or `=`.

    Attributes:
        terms: (name, coefficient), at least one.
        operator: `"<="`, `">="` or, between parameters, `"="`.
        bound: The right side.
    """

    terms: tuple[tuple[str, float], ...]
    operator: TOperator
    bound: float

    def __post_init__(self) -> None:
        LinearExpression(self.terms)  # validates names and coefficients
        if not self.terms:
            raise UserInputError("A constraint needs at least one name.", "Write such as a <= 3.")
        if self.operator not in self._operators():
            *first, last = self._operators()
            allowed = f"{', '.join(first)} and {last}"
            raise UserInputError(f"The operator {self.operator!r} is not among {allowed}.")
        if not math.isfinite(self.bound):
            raise UserInputError(f"The bound {self.bound} of a constraint must be finite.")

    @classmethod
    def _operators(cls) -> tuple[TOperator, ...]:
        return ("<=", ">=", "=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `a + 2*b <= 3`.

        Raises:
            ExpressionError: If it is not understood, with the place.
            UserInputError: If no name is left.
        """
        comparison = parse_comparison(text, cls._operators())
        moved = comparison.expression
        return cls(moved.terms, comparison.operator, 0.0 - moved.constant)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in order."""
        return tuple(name for name, _ in self.terms)

    def violation(self, values: Mapping[str, float]) -> float:
        """Return by how much the values break the limit; 0 or less if they keep it."""
        excess = LinearExpression(self.terms).value(values) - self.bound
        return {"<=": excess, ">=": -excess, "=": abs(excess)}[self.operator]

    def __str__(self) -> str:
        return f"{LinearExpression(self.terms)} {self.operator} {LinearExpression((), self.bound)}"


@dataclass(frozen=True, slots=True)
class ParameterConstraint(_LinearConstraint):
    """A linear limit on numeric parameters, in their units: `x1 + 2*x2 <= 3`."""

    def is_met(self, parameterization: TParameterization) -> bool:
        """Whether the values keep the limit, up to the rounding of the sum itself."""
        values = {name: float(parameterization[name]) for name in self.names}
        size = max(abs(self.bound), *(abs(c * values[name]) for name, c in self.terms))
        return self.violation(values) <= _RELATIVE_TOLERANCE * size


@dataclass(frozen=True, slots=True)
class OutcomeConstraint(_LinearConstraint):
    """A linear limit on metrics, in their units: `impurity <= 2`."""

    @classmethod
    def _operators(cls) -> tuple[TOperator, ...]:
        return ("<=", ">=")
