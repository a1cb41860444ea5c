"""Parameterizations as numbers: rows, the unit cube, and the surrogate's features.

A *row* has one number for each parameter that is not fixed: the value of a range, in its unit,
or the index of a level of a choice. Rows are what is searched and repaired; a parameterization is
read off a row without rounding. The *unit cube* has the same columns, spread such that equal
volumes are equally likely: every integer and every level is a cell of equal width, log ranges lie
in logs. *Features* are the cube's columns, except that an unordered choice takes one column for
each of its levels.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from axdesk.core.parameters import (
    ChoiceParameterConfig,
    RangeParameterConfig,
    TParameterization,
    TParameterValue,
)
from axdesk.core.search_space import SearchSpace

Array = npt.NDArray[np.float64]

UNKNOWN_LEVEL = -1.0
"""Index of a value that is no level of its choice, as in data from before an edit."""

_BELOW_LOG = -1.0
"""Cube coordinate of a value that has no logarithm."""


@dataclass(frozen=True, slots=True)
class RangeAxis:
    """One range between a row and the cube."""

    parameter: RangeParameterConfig

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers are allowed."""
        return self.parameter.parameter_type == "int"

    @property
    def features(self) -> int:
        """Columns among the features."""
        return 1

    @property
    def levels(self) -> float:
        """Number of values; infinite for a float."""
        low, high = self.parameter.bounds
        return high - low + 1 if self.is_integer else math.inf

    def _edges(self) -> tuple[float, float]:
        low, high = self.parameter.bounds
        if self.is_integer:
            low, high = low - 0.5, high + 0.5
        return (math.log(low), math.log(high)) if self.parameter.is_log else (low, high)

    def from_cube(self, u: Array) -> Array:
        """Return values, within the bounds, for coordinates in [0, 1]."""
        low, high = self._edges()
        values = low * (1 - u) + high * u  # no overflow for bounds near the largest float
        if self.parameter.is_log:
            values = np.exp(values)
        if self.is_integer:
            values = np.floor(values + 0.5)
        return np.clip(values, *self.parameter.bounds)

    def to_cube(self, values: Array) -> Array:
        """Return coordinates; outside [0, 1] for values out of bounds."""
        low, high = self._edges()
        if self.parameter.is_log:
            positive = values > 0
            values = np.log(np.where(positive, values, 1.0))
        else:
            positive = np.ones(values.shape, bool)
        u = (values / 2 - low / 2) / (high / 2 - low / 2)  # the width itself might overflow
        return np.where(positive, u, _BELOW_LOG)

    def every(self) -> Array:
        """Return every value of an integer range."""
        low, high = self.parameter.bounds
        return np.arange(low, high + 1, dtype=np.float64)

    def slope(self, values: Array) -> Array:
        """Return d value / d coordinate."""
        low, high = self._edges()
        return (high - low) * (values if self.parameter.is_log else np.ones(values.shape))

    def number(self, value: object) -> float | None:
        """Return the row's number for a value; None if it is no number."""
        if isinstance(value, str) or not isinstance(value, int | float):
            return None
        return float(value)

    def value(self, number: float) -> TParameterValue:
        """Return the parameter's value for a row's number."""
        low, high = self.parameter.bounds
        if self.is_integer:
            return int(min(max(round(number), low), high))
        return float(min(max(number, low), high))


@dataclass(frozen=True, slots=True)
class ChoiceAxis:
    """One choice between a row and the cube."""

    parameter: ChoiceParameterConfig

    @property
    def is_ordered(self) -> bool:
        """Whether neighbouring levels are alike."""
        return bool(self.parameter.is_ordered)

    @property
    def features(self) -> int:
        """Columns among the features."""
        return 1 if self.is_ordered else len(self.parameter.values)

    @property
    def levels(self) -> float:
        """Number of values."""
        return len(self.parameter.values)

    def from_cube(self, u: Array) -> Array:
        """Return indices of levels for coordinates in [0, 1]."""
        return np.clip(np.floor(u * self.levels), 0, self.levels - 1)

    def to_cube(self, values: Array) -> Array:
        """Return coordinates of levels, or of places between them."""
        return np.where(values == UNKNOWN_LEVEL, 0.5, (values + 0.5) / self.levels)

    def number(self, value: object) -> float | None:
        """Return the index of a value, between two for a number between two levels."""
        levels = self.parameter.values
        for index, level in enumerate(levels):
            if type(level) is type(value) and level == value:
                return float(index)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if is_number and self.is_ordered and self.parameter.is_numeric:
            return float(np.interp(float(value), self.numbers, range(len(levels))))  # type: ignore[arg-type]  # a number
        return UNKNOWN_LEVEL

    @property
    def numbers(self) -> Array:
        """The levels of a numeric choice as floats."""
        return np.array([float(level) for level in self.parameter.values])

    def every(self) -> Array:
        """Return every index."""
        return np.arange(self.levels, dtype=np.float64)

    def value(self, number: float) -> TParameterValue:
        """Return the level with an index."""
        return self.parameter.values[int(number)]


Axis = RangeAxis | ChoiceAxis


def _axis(parameter: RangeParameterConfig | ChoiceParameterConfig) -> Axis:
    if isinstance(parameter, RangeParameterConfig):
        return RangeAxis(parameter)
    return ChoiceAxis(parameter)


class Encoding:
    """A search space between parameterizations, rows, the unit cube and features.

    Attributes:
        space: The search space.
        axes: One of each parameter that is not fixed, in the space's order.
        floats: Indices of the axes of float ranges.
        float_features: Indices of their features, in the same order.
        lows: Low bound of each axis; of a choice 0.
        widths: High minus low bound of each axis; of a choice its last index.
        feature_count: Number of features.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.axes: tuple[Axis, ...] = tuple(
            _axis(parameter) for parameter in space.parameters if not parameter.is_fixed
        )
        self._fixed = {
            p.name: p.values[0]
            for p in space.parameters
            if isinstance(p, ChoiceParameterConfig) and p.is_fixed
        }
        starts = np.cumsum([0, *(axis.features for axis in self.axes)])
        self.feature_count = int(starts[-1])
        self._starts = tuple(int(start) for start in starts[:-1])
        self.floats = tuple(
            column
            for column, axis in enumerate(self.axes)
            if isinstance(axis, RangeAxis) and not axis.is_integer
        )
        self.float_features = tuple(self._starts[column] for column in self.floats)
        bounds = [
            axis.parameter.bounds if isinstance(axis, RangeAxis) else (0, axis.levels - 1)
            for axis in self.axes
        ]
        self.lows = np.array([low for low, _ in bounds], dtype=np.float64)
        self.widths = np.array([high - low for low, high in bounds], dtype=np.float64)

    @property
    def dimension(self) -> int:
        """Number of parameters that are not fixed."""
        return len(self.axes)

    @property
    def fixed(self) -> dict[str, TParameterValue]:
        """Name and value of each fixed parameter."""
        return dict(self._fixed)

    def rows_from_cube(self, cube: Array) -> Array:
        """Return the rows, n × dimension, of points of the unit cube."""
        return self._by_axis(cube, [axis.from_cube for axis in self.axes])

    def cube_from_rows(self, rows: Array) -> Array:
        """Return the cube's coordinates, n × dimension."""
        return self._by_axis(rows, [axis.to_cube for axis in self.axes])

    @staticmethod
    def _by_axis(matrix: Array, functions: Sequence[Any]) -> Array:
        columns = [function(matrix[:, i]) for i, function in enumerate(functions)]
        return np.column_stack(columns) if columns else np.empty((len(matrix), 0))

    def features(self, rows: Array) -> Array:
        """Return the surrogate's inputs, n × feature_count."""
        cube = self.cube_from_rows(rows)
        features = np.zeros((len(rows), self.feature_count))
        for column, (axis, start) in enumerate(zip(self.axes, self._starts, strict=True)):
            if axis.features == 1:
                features[:, start] = cube[:, column]
            else:
                for level in range(axis.features):
                    features[:, start + level] = rows[:, column] == level
        return features

    def row(self, parameters: TParameterization) -> Array | None:
        """Return the row of a parameterization, which may lie out of bounds.

        Returns:
            None if a parameter is missing or a range has no number, as in trials from before an
            edit of the search space.
        """
        numbers = [axis.number(parameters.get(axis.parameter.name)) for axis in self.axes]
        if any(name not in parameters for name in self.space.names) or None in numbers:
            return None
        return np.array(numbers, dtype=np.float64)

    def parameterization(self, row: Array) -> dict[str, TParameterValue]:
        """Return the parameters' values, in the space's order, with Python's own types."""
        free = {
            axis.parameter.name: axis.value(float(number))
            for axis, number in zip(self.axes, row, strict=True)
        }
        return {name: (free | self._fixed)[name] for name in self.space.names}

    def key(self, row: Array) -> tuple[float, ...]:
        """Return what is equal for points that no laboratory could tell apart.

        Discrete values count exactly, floats to a billionth of their range.
        """
        cube = self.cube_from_rows(row[None])[0]
        return tuple(
            round(float(cube[column]), 9) if column in self.floats else float(row[column])
            for column in range(self.dimension)
        )

    def start(self) -> tuple[Array, bool]:
        """Return the row of start values, the centre where none is given, and whether any is."""
        row = self.rows_from_cube(np.full((1, self.dimension), 0.5))[0]
        given = False
        for column, axis in enumerate(self.axes):
            value = axis.parameter.start_value
            number = None if value is None else axis.number(value)
            if number is not None:
                row[column], given = number, True
        return row, given
