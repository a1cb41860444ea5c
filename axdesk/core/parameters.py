"""What may change from trial to trial: ranges, choices, and what follows from them."""

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

from axdesk.core.arguments import check_fields, checked_argument
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import LinearExpression, parse_linear
from axdesk.core.names import checked_name, first_duplicate
from axdesk.core.numbers import NumberError, real_number
from axdesk.core.texts import shown

type_names = {"float": float, "int": int, "str": str, "bool": bool}

TParameterValue = int | float | str | bool
"""The value of one parameter."""

TParameterization = Mapping[str, TParameterValue]
"""Parameter name → value."""


_STEP_TOLERANCE = 1e-6
"""Share of a step by which a value that was typed or measured may miss it."""


def _check_switched_off(name: str, start_value: object, *, is_on: bool) -> None:
    if not is_on and start_value is None:
        raise UserInputError(
            f"Parameter {name!r} is switched off and has no value to keep.",
            "Give it a start value, which every trial will have.",
        )


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
        step_size: Only low, low + step, low + 2 steps … up to high are allowed, each the float
            nearest to the decimal number that it is; None for every number.
        scaling: `"log"` spreads trials evenly over orders of magnitude and needs low > 0;
            None means `"linear"`, which is kept as None.
        unit: Shown behind values; empty for none.
        description: Shown to the operator.
        start_value: Value of this parameter in the first trial; None for the centre.
        is_on: Whether it is searched; if not, every trial has the start value, which is needed.

    Raises:
        UserInputError: If a value is not allowed, with those that are.
    """

    name: str
    bounds: tuple[int | float, int | float]
    parameter_type: Literal["float", "int"] = "float"
    step_size: int | float | None = None
    scaling: Literal["linear", "log"] | None = None
    unit: str = ""
    description: str = ""
    start_value: int | float | None = None
    is_on: bool = True

    def __post_init__(self) -> None:
        checked_name(self.name, "parameter")
        what = f"Parameter {self.name!r}"
        check_fields(self, ("unit", "description", "is_on"), f"parameter {self.name!r}")
        if str(self.parameter_type) not in ("float", "int"):
            raise UserInputError(
                f"{what} has the type {self.parameter_type!r}; allowed are 'float' and 'int'."
            )
        if self.scaling is not None and str(self.scaling) not in ("linear", "log"):
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
        if self.step_size is not None:
            step = self._checked_step(self.step_size)
            is_usual = self.parameter_type == "int" and step == 1  # one value for one meaning
            object.__setattr__(self, "step_size", None if is_usual else step)
        if self.start_value is not None:
            object.__setattr__(self, "start_value", self.checked(self.start_value))
        _check_switched_off(self.name, self.start_value, is_on=self.is_on)

    def _checked_step(self, value: object) -> float:
        step = self._number(value, "step")
        low, high = self.bounds
        width = Fraction(repr(high)) - Fraction(repr(low))
        if not 0 < Fraction(repr(step)) <= width:
            raise UserInputError(
                f"Parameter {self.name!r}: the step {step} is not above 0 and at most "
                f"{high - low}, the width of the range."
            )
        # A float has to count the steps, and to tell two neighbours apart.
        if step < 2 * math.ulp(max(abs(low), abs(high))):
            raise UserInputError(
                f"Parameter {self.name!r}: the step {step} is too small to be told apart between "
                f"{low} and {high}.",
                "Leave the step out, or make it larger.",
            )
        return step

    @property
    def is_fixed(self) -> bool:
        """Whether only one value is possible."""
        return not self.is_on

    @property
    def fixed_value(self) -> TParameterValue:
        """The one value of a parameter that is fixed."""
        assert self.start_value is not None, "a parameter that is switched off has a start value"
        return self.start_value

    @property
    def last_step(self) -> int | None:
        """Number of the highest allowed value, counted from 0; None for floats without a step."""
        if self.parameter_type == "float" and self.step_size is None:
            return None
        low, step = self.grid
        return math.floor((Fraction(repr(self.bounds[1])) - low) / step)

    @property
    def grid(self) -> tuple[Fraction, Fraction]:
        """The low bound and the step as the decimal numbers that they are written as."""
        step = 1 if self.step_size is None else self.step_size
        return Fraction(repr(self.bounds[0])), Fraction(repr(step))

    def value_at(self, step: int) -> int | float:
        """Return the allowed value with this number, counted from 0 at the low bound."""
        low, width = self.grid
        exact = low + step * width
        return int(exact) if self.parameter_type == "int" else float(exact)

    def steps_to(self, value: float) -> Fraction:
        """Return how many steps `value` lies above the low bound: whole if it is allowed."""
        low, step = self.grid
        return (Fraction(repr(value)) - low) / step

    def nearest_step(self, value: float) -> int:
        """Return the number of the allowed value that is nearest to `value`."""
        last = self.last_step
        assert last is not None, "only for parameters with steps"
        return min(max(round(self.steps_to(value)), 0), last)

    @property
    def is_log(self) -> bool:
        """Whether the scale is logarithmic."""
        return self.scaling == "log"

    def _number(self, value: object, role: str) -> float:
        if type(value) not in (int, float):  # whole numbers stay exact
            try:
                # Python's own, or a scalar of NumPy or torch; else None, which is no number.
                number = real_number(value if hasattr(value, "item") else None)
            except NumberError:
                raise UserInputError(
                    f"Parameter {self.name!r}: the {role} {shown(value)} is no number."
                ) from None
            value = int(number) if self.parameter_type == "int" and number.is_integer() else number
        assert isinstance(value, int | float)
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

    def typed(self, value: object) -> TParameterValue:
        """Return `value` as this parameter's type, wherever it lies.

        Raises:
            UserInputError: If it is no number, or not whole where it must be.
        """
        return self._number(value, "value")

    def checked(self, value: object) -> TParameterValue:
        """Return `value` as this parameter's type.

        Raises:
            UserInputError: If it is no number, not whole where it must be, out of bounds, or not
                on a step.
        """
        number = self._number(value, "value")
        low, high = self.bounds
        if not low <= number <= high:
            raise UserInputError(
                f"Parameter {self.name!r}: the value {number} lies outside {low} … {high}."
            )
        if self.step_size is None:
            return number
        nearest = self.value_at(self.nearest_step(number))
        if abs(number - nearest) > _STEP_TOLERANCE * self.step_size:
            raise UserInputError(
                f"Parameter {self.name!r}: the value {number} lies between two steps; the nearest "
                f"allowed one is {nearest}.",
                f"Allowed is every {self.step_size} from {low} on.",
            )
        return nearest


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
        dependent_parameters: Value → names of the parameters that exist only where this one has
            that value.
        is_on: Whether it is searched; if not, every trial has the start value, which is needed.

    Raises:
        UserInputError: If a value is not allowed, with those that are.
    """

    name: str
    values: Sequence[TParameterValue]
    parameter_type: Literal["float", "int", "str", "bool"] = "str"
    is_ordered: bool | None = None
    unit: str = ""
    description: str = ""
    start_value: TParameterValue | None = None
    dependent_parameters: Mapping[TParameterValue, Sequence[str]] = field(
        default_factory=dict, hash=False
    )
    is_on: bool = True

    def __post_init__(self) -> None:
        checked_name(self.name, "parameter")
        what = f"Parameter {self.name!r}"
        owner = f"parameter {self.name!r}"
        check_fields(self, ("is_ordered", "unit", "description", "is_on"), owner)
        if str(self.parameter_type) not in type_names:
            raise UserInputError(
                f"{what} has the type {self.parameter_type!r}; "
                f"allowed are {', '.join(map(repr, type_names))}."
            )
        try:
            given = checked_argument(Sequence[object], self.values, "values")
        except UserInputError:
            given = ()
        values = tuple(self._typed(value) for value in given)
        if not values:
            raise UserInputError(f"{what} needs a list of at least one value.")
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
            object.__setattr__(self, "start_value", None if len(values) == 1 else start)
        if len(values) == 1:
            object.__setattr__(self, "is_on", True)  # one value for one meaning
        _check_switched_off(self.name, self.start_value, is_on=self.is_on)
        object.__setattr__(self, "dependent_parameters", self._checked_dependents())

    def _checked_dependents(self) -> dict[TParameterValue, tuple[str, ...]]:
        given_dependents: Any = self.dependent_parameters
        dependents = {} if given_dependents is None else given_dependents
        if not isinstance(dependents, Mapping):
            raise UserInputError(
                f"The dependent_parameters of {self.name!r} are {shown(dependents)}; a dict of "
                "values and lists of parameters is needed."
            )
        given = {}
        for value, names in dependents.items():
            if isinstance(names, str):
                raise UserInputError(
                    f"Parameter {self.name!r} has {names!r} depending on it; a list is needed.",
                    f"Write [{names!r}].",
                )
            what = f"dependent_parameters at {shown(value)} of parameter {self.name!r}"
            found = checked_argument(Sequence[str], names, what)
            given[self.checked(value)] = tuple(dict.fromkeys(found))
        return {value: given[value] for value in self.values if given.get(value)}

    @property
    def is_fixed(self) -> bool:
        """Whether only one value is possible."""
        return len(self.values) == 1 or not self.is_on

    @property
    def fixed_value(self) -> TParameterValue:
        """The one value of a parameter that is fixed."""
        return self.values[0] if self.start_value is None else self.start_value

    @property
    def is_numeric(self) -> bool:
        """Whether the values are numbers."""
        return self.parameter_type in ("int", "float")

    def typed(self, value: object) -> TParameterValue:
        """Return `value` as this parameter's type, whether or not it is a choice.

        Raises:
            UserInputError: If it is of another type.
        """
        return self._typed(value)

    def _typed(self, value: object) -> TParameterValue:
        kind = type_names[self.parameter_type]
        item = getattr(value, "item", None)
        plain: Any = value
        if callable(item) and getattr(value, "ndim", 0) == 0:  # of NumPy or torch
            plain = item()
        whole = isinstance(plain, float) and kind is int and plain.is_integer()
        as_number = isinstance(plain, int) and not isinstance(plain, bool) and kind is float
        if (whole or as_number) and _is_finite(plain):
            plain = kind(plain)
        if type(plain) is not kind or (isinstance(plain, float) and not math.isfinite(plain)):
            raise UserInputError(
                f"Parameter {self.name!r}: the value {shown(value)} is not of type "
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


@dataclass(frozen=True, slots=True)
class DerivedParameterConfig:
    """A number that follows from others, and is handed to the runner with them.

    Attributes:
        name: Any label.
        expression_str: A linear expression of numeric parameters, such as `"100 - a - b"`.
        parameter_type: `"float"`, or `"int"`, where the result is rounded.
        unit: Shown behind values; empty for none.
        description: Shown to the operator.

    Raises:
        UserInputError: If a value is not allowed; an `ExpressionError` with the place if the
            expression is not understood.
    """

    name: str
    expression_str: str
    parameter_type: Literal["float", "int"] = "float"
    unit: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        checked_name(self.name, "parameter")
        check_fields(self, ("expression_str", "unit", "description"), f"parameter {self.name!r}")
        if str(self.parameter_type) not in ("float", "int"):
            raise UserInputError(
                f"Parameter {self.name!r} has the type {self.parameter_type!r}; allowed are "
                "'float' and 'int'."
            )
        expression = parse_linear(self.expression_str)
        if self.name in expression.names:
            raise UserInputError(f"Parameter {self.name!r} cannot be derived from itself.")
        object.__setattr__(self, "expression_str", str(expression))

    @property
    def expression(self) -> LinearExpression:
        """What it is derived by."""
        return parse_linear(self.expression_str)

    def value(self, parameterization: TParameterization) -> TParameterValue:
        """Return its value; one of its parameters that is missing is a KeyError."""
        numbers = {name: float(parameterization[name]) for name in self.expression.names}
        result = self.expression.value(numbers)
        return round(result) if self.parameter_type == "int" else result


TunableParameterConfig = RangeParameterConfig | ChoiceParameterConfig
ParameterConfig = TunableParameterConfig | DerivedParameterConfig
