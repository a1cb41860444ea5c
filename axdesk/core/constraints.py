"""Linear limits: on parameters (every suggestion keeps them) and on outcomes (to be learnt)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from axdesk.core.errors import UserInputError
from axdesk.core.expressions import (
    LinearExpression,
    TOperator,
    limit_side,
    parse_comparison,
)
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
        """Whether the values keep the limit to a billionth, as values that a person types may.

        Suggestions need no such tolerance.
        """
        values = {name: float(parameterization[name]) for name in self.names}
        size = max(abs(self.bound), *(abs(c * values[name]) for name, c in self.terms))
        return self.violation(values) <= _RELATIVE_TOLERANCE * size


@dataclass(frozen=True, slots=True)
class OutcomeConstraint(_LinearConstraint):
    """A linear limit on metrics, in their units: `impurity <= 2` or `qps >= 0.95*baseline + 5`.

    Attributes:
        baseline: What the metric's value in the baseline trial counts on the right side, beside
            the bound; 0 for an absolute limit. Only a limit on a single metric can be relative.
    """

    baseline: float = 0.0

    def __post_init__(self) -> None:
        # slots=True makes the class anew, so super() without arguments would not find it.
        _LinearConstraint.__post_init__(self)
        if not math.isfinite(self.baseline):
            raise UserInputError(f"The factor {self.baseline} of the baseline must be finite.")
        if self.baseline and len(self.terms) > 1:
            raise UserInputError(
                f"The baseline's value of which of {', '.join(self.names)} is meant in “{self}” "
                "is not clear.",
                "Limit each metric by itself, or let one metric return the sum.",
            )

    @classmethod
    def _operators(cls) -> tuple[TOperator, ...]:
        return ("<=", ">=")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `a + 2*b <= 3` or `qps >= 0.95*baseline`.

        Raises:
            ExpressionError: If it is not understood, with the place.
            UserInputError: If no name is left, or the baseline of several metrics is meant.
        """
        comparison = parse_comparison(text, cls._operators(), takes_baseline=True)
        moved = comparison.expression
        return cls(
            moved.terms, comparison.operator, 0.0 - moved.constant, 0.0 - comparison.baseline
        )

    @property
    def is_relative(self) -> bool:
        """Whether it depends on the baseline trial."""
        return self.baseline != 0

    def against(self, baseline: float) -> "OutcomeConstraint":
        """Return the absolute limit for the metric's value in the baseline trial.

        Raises:
            UserInputError: If the limit would be no finite number.
        """
        bound = math.fsum([self.bound, self.baseline * baseline])
        return OutcomeConstraint(self.terms, self.operator, bound)

    def __str__(self) -> str:
        right = limit_side(self.baseline, self.bound)
        return f"{LinearExpression(self.terms)} {self.operator} {right}"
