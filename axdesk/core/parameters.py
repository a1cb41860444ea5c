"""What may change from trial to trial: ranges and choices."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from axdesk.core.errors import UserInputError
from axdesk.core.names import checked_name, first_duplicate

type_names = {"float": float, "int": int, "str": str, "bool": bool}

TParameterValue = int | float | str | bool
"""The value of one parameter."""

TParameterization = Mapping[str, TParameterValue]
"""Parameter name → value."""


def _is_finite(value: float) -> bool:
    """Whether it is finite as a float; math.isfinite fails at too large whole numbers."""
    return abs(value) <= sys.float_info.max


@dataclass(frozen=True, slots=True)
class RangeParameterConfig:
    """A number between two bounds.

    Attributes:
        name: Any label.
        bounds: (low, high), both inclusive, low < high, in the parameter's unit.
        parameter_type: `"float"`, or `"int"` for whole numbers only.
        scaling: `"log"` spreads trials evenly over orders of magnitude and needs low > 0;
            None means `"linear"`, which is kept as None.
        unit: Shown behind values; empty for none.
        description: Shown to the operator.
        start_value: Value of this parameter in the first trial; None for the centre.
    """

    name: str
    bounds: tuple[float, float]
    parameter_type: Literal["float", "int"] = "float"
    scaling: Literal["linear", "log"] | None = None
    unit: str = ""
    description: str = ""
    start_value: float | None = None

    def __post_init__(self) -> None:
        checked_name(self.name, "parameter")
        what = f"Parameter {self.name!r}"
        if self.parameter_type not in ("float", "int"):
            raise UserInputError(
                f"{what} has the type {self.parameter_type!r}; allowed are 'float' and 'int'."
            )
        if self.scaling not in (None, "linear", "log"):
            raise UserInputError(
                f"{what} has the scaling {self.scaling!r}; allowed are 'linear' and 'log'."
            )
        try:
            low, high = self.bounds
        except (TypeError, ValueError):
            raise UserInputError(
                f"{what} has the bounds {self.bounds!r}; two numbers (low, high) are needed."
            ) from None
        low, high = self._number(low, "low bound"), self._number(high, "high bound")
        if not low < high:
            raise UserInputError(
                f"{what} has the bounds ({low}, {high}); low must be below high.",
                "For a value that never changes use a choice with one value.",
            )
        if self.scaling == "log" and low <= 0:
            raise UserInputError(
                f"{what}: a logarithmic scale cannot start at {low}.", "Use a low bound above 0."
            )
        object.__setattr__(self, "bounds", (low, high))
        if self.scaling == "linear":
            object.__setattr__(self, "scaling", None)  # one value for one meaning
        if self.start_value is not None:
            object.__setattr__(self, "start_value", self.checked(self.start_value))

    @property
    def is_fixed(self) -> bool:
        """Whether only one value is possible: never, for a range."""
        return False

    @property
    def is_log(self) -> bool:
        """Whether the scale is logarithmic."""
        return self.scaling == "log"

    def _number(self, value: object, role: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            try:
                value = float(value.item())  # type: ignore[attr-defined]  # numpy scalars
            except (AttributeError, TypeError, ValueError):
                raise UserInputError(
                    f"Parameter {self.name!r}: the {role} {value!r} is no number."
                ) from None
        if not _is_finite(value):
            raise UserInputError(f"Parameter {self.name!r}: the {role} {value} is not finite.")
        if self.parameter_type == "float":
            return float(value)
        if value != int(value):
            raise UserInputError(
                f"Parameter {self.name!r}: the {role} {value} is no whole number.",
                "Use the type 'float' for numbers with decimals.",
            )
        return int(value)

    def checked(self, value: object) -> TParameterValue:
        """Return `value` as this parameter's type.

        Raises:
            UserInputError: If it is no number, not whole where it must be, or out of bounds.
        """
        number = self._number(value, "value")
        low, high = self.bounds
        if not low <= number <= high:
            raise UserInputError(
                f"Parameter {self.name!r}: the value {number} lies outside {low} … {high}."
            )
        return number


@dataclass(frozen=True, slots=True)
class ChoiceParameterConfig:
    """One of several values; with a single value, a constant that is handed to the runner.

    Attributes:
        name: Any label.
        values: The values, at least one, each once, all of `parameter_type`.
        parameter_type: `"float"`, `"int"`, `"str"` or `"bool"`.
        is_ordered: Whether neighbours are alike; None means: numbers and two values are ordered,
            three or more texts are not.
        unit: Shown behind values; empty for none.
        description: Shown to the operator.
        start_value: Value of this parameter in the first trial; None for the middle one, or
            the only one.
    """

    name: str
    values: Sequence[TParameterValue]
    parameter_type: Literal["float", "int", "str", "bool"] = "str"
    is_ordered: bool | None = None
    unit: str = ""
    description: str = ""
    start_value: TParameterValue | None = None

    def __post_init__(self) -> None:
        checked_name(self.name, "parameter")
        what = f"Parameter {self.name!r}"
        if self.parameter_type not in type_names:
            raise UserInputError(
                f"{what} has the type {self.parameter_type!r}; "
                f"allowed are {', '.join(map(repr, type_names))}."
            )
        if isinstance(self.values, str) or not self.values:
            raise UserInputError(f"{what} needs a list of at least one value.")
        values = tuple(self._typed(value) for value in self.values)
        twice = first_duplicate(tuple(map(str, values)))
        if twice is not None:
            raise UserInputError(f"{what} has the value {twice} twice.", "Remove one of them.")
        ordered = self.is_ordered
        if ordered is None:
            ordered = self.parameter_type != "str" or len(values) <= 2
        if ordered and self.parameter_type in ("int", "float"):
            values = tuple(sorted(values))
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "is_ordered", ordered)
        if self.start_value is not None:
            start = self.checked(self.start_value)
            object.__setattr__(self, "start_value", None if self.is_fixed else start)

    @property
    def is_fixed(self) -> bool:
        """Whether only one value is possible."""
        return len(self.values) == 1

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.parameter_type in ("int", "float")

    def _typed(self, value: object) -> TParameterValue:
        kind = type_names[self.parameter_type]
        item = getattr(value, "item", None)
        plain: Any = item() if callable(item) else value  # numpy scalars
        whole = isinstance(plain, float) and kind is int and plain.is_integer()
        as_number = isinstance(plain, int) and not isinstance(plain, bool) and kind is float
        if (whole or as_number) and _is_finite(plain):
            plain = kind(plain)
        if type(plain) is not kind or (isinstance(plain, float) and not math.isfinite(plain)):
            raise UserInputError(
                f"Parameter {self.name!r}: the value {value!r} is not of type "
                f"{self.parameter_type!r}."
            )
        return plain  # type: ignore[return-value]  # its type was compared just above

    def checked(self, value: object) -> TParameterValue:
        """Return `value` as this parameter's type.

        Raises:
            UserInputError: If it is not among `values`.
        """
        typed = self._typed(value)
        if typed not in self.values:
            raise UserInputError(
                f"Parameter {self.name!r}: the value {value!r} is not among "
                f"{', '.join(map(str, self.values))}."
            )
        return typed


ParameterConfig = RangeParameterConfig | ChoiceParameterConfig
