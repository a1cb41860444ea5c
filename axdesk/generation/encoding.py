"""Parameterizations as numbers: rows, the unit cube, and the surrogate's features.

A *row* has one number for each parameter that is searched: the value of a float, in its unit, the
number of the step of an integer or a stepped range, the index of a level of a choice. Rows are
what is searched and repaired; a parameterization is read off a row without rounding. The *unit
cube* has the same columns, spread such that equal volumes are equally likely: every step and every
level is a cell of equal width, log ranges lie in logs. *Features* are the cube's columns, except
that an unordered choice takes one column for each of its levels.

A parameter that does not exist where its parent has another value stands at a neutral place: in
the middle of its range, or equally at every level.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from axdesk.core.parameters import (
    ChoiceParameterConfig,
    RangeParameterConfig,
    TParameterization,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.search_space import SearchSpace

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

UNKNOWN_LEVEL = -1.0
"""Index of a value that is no level of its choice, as in data from before an edit."""

_BELOW_LOG = -1.0
"""Cube coordinate of a value that has no logarithm."""

_NEAR = 0.5
"""Share of a range by which a point may lie outside it and still say something about it."""

_EXACT = 2**53
"""Whole numbers up to this are exact as floats."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values between two edges and coordinates in [0, 1], straight or in logs."""

    low: float
    high: float
    is_log: bool

    def _edges(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)

    def values(self, u: Array) -> Array:
        low, high = self._edges()
        values = low * (1 - u) + high * u  # no overflow for bounds near the largest float
        return np.exp(values) if self.is_log else values

    def coordinates(self, values: Array) -> Array:
        low, high = self._edges()
        known = np.log(np.where(values > 0, values, 1.0)) if self.is_log else values
        u = (known / 2 - low / 2) / (high / 2 - low / 2)  # the width itself might overflow
        return np.where(values > 0, u, _BELOW_LOG) if self.is_log else np.asarray(u)

    def slope(self, values: Array) -> Array:
        low, high = self._edges()
        return (high - low) * (values if self.is_log else np.ones(values.shape))


def _number(value: object) -> float | None:
    if isinstance(value, str) or not isinstance(value, int | float):
        return None
    return float(value)


class FloatAxis:
    """A range of floats between a row, which has the value itself, and the cube.

    Attributes:
        parameter: What it is the axis of.
        low: Lowest number in a row.
        width: Highest minus lowest number in a row.
        features: Columns among the features.
        levels: Number of values.
        is_log: Whether the scale is logarithmic.
        grid: None: the values are not counted.
    """

    features = 1
    levels = math.inf
    grid = None

    def __init__(self, parameter: RangeParameterConfig) -> None:
        self.parameter = parameter
        low, high = parameter.bounds
        self.low, self.width = low, high - low
        self.is_log = parameter.is_log
        self._scale = _Scale(low, high, self.is_log)

    def from_cube(self, u: Array) -> Array:
        """Return values, within the bounds, for coordinates in [0, 1]."""
        return np.clip(self._scale.values(u), *self.parameter.bounds)

    def to_cube(self, values: Array) -> Array:
        """Return coordinates; outside [0, 1] for values out of bounds."""
        return self._scale.coordinates(values)

    def slope(self, values: Array) -> Array:
        """Return d value / d coordinate."""
        return self._scale.slope(values)

    def number(self, value: object) -> float | None:
        """Return the row's number for a value; None if it is no number."""
        return _number(value)

    def numbers(self, rows: Array) -> Array:
        """Return the values for the numbers of rows, as constraints see them."""
        low, high = self.parameter.bounds
        return np.asarray(np.minimum(np.maximum(rows, low), high))

    def extent(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return self.parameter.bounds

    def value(self, number: float) -> TParameterValue:
        """Return the parameter's value for a row's number."""
        low, high = self.parameter.bounds
        return float(min(max(number, low), high))


class StepAxis:
    """A range of whole or stepped numbers; a row has the number of the step, from 0.

    Attributes:
        parameter: What it is the axis of.
        low: Lowest number in a row: 0.
        width: Highest minus lowest number in a row.
        features: Columns among the features.
        levels: Number of values.
        is_log: Whether the scale is logarithmic.
        grid: Value of the lowest step, and difference of two neighbours, both exact.
    """

    features = 1
    low = 0.0

    def __init__(self, parameter: RangeParameterConfig) -> None:
        self.parameter = parameter
        last = parameter.last_step
        assert last is not None, "a range of floats without a step has a FloatAxis"
        self._last = last
        self.width = float(last)
        self.levels = self.width + 1
        self.is_log = parameter.is_log
        self.grid = exact_low, exact_step = parameter.grid
        self._value_low, self._value_step = float(exact_low), float(exact_step)
        # value = (first + step number * each) / denominator, exactly
        self._denominator = math.lcm(exact_low.denominator, exact_step.denominator)
        self._first = int(exact_low * self._denominator)
        self._each = int(exact_step * self._denominator)
        largest = max(abs(self._first), last * self._each, self._denominator)
        self._is_exact = 2 * largest < _EXACT
        low, half = self._value_low, self._value_step / 2
        # Each step is a cell that reaches halfway to its neighbours.
        edge = max(low - half, low / 2) if self.is_log else -0.5
        self._scale = _Scale(
            edge,
            float(parameter.value_at(last)) + half if self.is_log else last + 0.5,
            self.is_log,
        )

    def from_cube(self, u: Array) -> Array:
        """Return numbers of steps for coordinates in [0, 1]."""
        steps = self._scale.values(u)
        if self.is_log:
            steps = (steps - self._value_low) / self._value_step
        return np.clip(np.floor(steps + 0.5), 0, self.width)

    def to_cube(self, steps: Array) -> Array:
        """Return coordinates; outside [0, 1] for values out of bounds."""
        if self.is_log:
            steps = self._value_low + steps * self._value_step
        return self._scale.coordinates(steps)

    def slope(self, steps: Array) -> Array:
        """Return d step / d coordinate."""
        if not self.is_log:
            return self._scale.slope(steps)
        return self._scale.slope(self._value_low + steps * self._value_step) / self._value_step

    def number(self, value: object) -> float | None:
        """Return the step of a value, between two for a value between them; None if no number."""
        number = _number(value)
        if number is None or not math.isfinite(number):
            return None
        assert isinstance(value, int | float)
        return float(self.parameter.steps_to(value))

    def numbers(self, rows: Array) -> Array:
        """Return the values for the numbers of rows, as constraints see them."""
        if self._is_exact:
            return np.asarray((self._first + rows * self._each) / self._denominator)
        return np.array([float(self.value(row)) for row in rows])

    def extent(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return self._value_low, float(self.parameter.value_at(self._last))

    def every(self) -> Array:
        """Return the number of every step."""
        return np.arange(self.levels, dtype=np.float64)

    def value(self, number: float) -> TParameterValue:
        """Return the parameter's value for a row's number."""
        return self.parameter.value_at(min(max(round(number), 0), self._last))


class ChoiceAxis:
    """A choice; a row has the index of the level.

    Attributes:
        parameter: What it is the axis of.
        low: Lowest number in a row: 0.
        width: Highest minus lowest number in a row.
        features: Columns among the features.
        levels: Number of values.
        is_ordered: Whether neighbouring levels are alike.
        grid: Value of the first level, and difference of two neighbours, both exact, where the
            levels are ordered numbers at equal distances; else None.
    """

    low = 0.0

    def __init__(self, parameter: ChoiceParameterConfig) -> None:
        self.parameter = parameter
        self.is_ordered = bool(parameter.is_ordered)
        count = len(parameter.values)
        self.width, self.levels = float(count - 1), float(count)
        self.features = 1 if self.is_ordered else count
        # True, 1 and 1.0 are equal keys.
        self._indices = {(type(v), v): float(i) for i, v in enumerate(parameter.values)}
        is_numeric = parameter.is_numeric
        self.values = np.array([float(v) if is_numeric else 0.0 for v in parameter.values])
        self.grid = self._found_grid()

    def _found_grid(self) -> tuple[Fraction, Fraction] | None:
        if not (self.is_ordered and self.parameter.is_numeric):
            return None
        exact = [Fraction(repr(value)) for value in self.parameter.values]
        steps = {after - before for before, after in pairwise(exact)}
        return (exact[0], steps.pop()) if len(steps) == 1 else None

    def from_cube(self, u: Array) -> Array:
        """Return indices of levels for coordinates in [0, 1]."""
        return np.clip(np.floor(u * self.levels), 0, self.width)

    def to_cube(self, values: Array) -> Array:
        """Return coordinates of levels, or of places between them."""
        return np.where(values == UNKNOWN_LEVEL, 0.5, (values + 0.5) / self.levels)

    def number(self, value: object) -> float | None:
        """Return the index of a value, between two for a number between two levels."""
        index = self._indices.get((type(value), value))  # type: ignore[arg-type]  # any type may be asked for
        if index is not None:
            return index
        number = None if isinstance(value, bool) else _number(value)
        if number is not None and self.is_ordered and self.parameter.is_numeric:
            return float(np.interp(number, self.values, range(len(self.values))))
        return UNKNOWN_LEVEL

    def numbers(self, rows: Array) -> Array:
        """Return the values for the numbers of rows, as constraints see them; 0 of texts."""
        return np.asarray(self.values[rows.astype(int)])

    def extent(self) -> tuple[float, float]:
        """Return the lowest and the highest value."""
        return float(self.values.min()), float(self.values.max())

    def every(self) -> Array:
        """Return every index."""
        return np.arange(self.levels, dtype=np.float64)

    def value(self, number: float) -> TParameterValue:
        """Return the level with an index."""
        return self.parameter.values[int(number)]


Axis = FloatAxis | StepAxis | ChoiceAxis


def _axis(parameter: TunableParameterConfig) -> Axis:
    if isinstance(parameter, ChoiceParameterConfig):
        return ChoiceAxis(parameter)
    return FloatAxis(parameter) if parameter.last_step is None else StepAxis(parameter)


class Encoding:
    """A search space between parameterizations, rows, the unit cube and features.

    Attributes:
        space: The search space.
        axes: One of each parameter that is searched, in the space's order.
        floats: Indices of the axes of floats.
        float_features: Indices of their features, in the same order.
        lows: Lowest number of each axis in a row.
        widths: Highest minus lowest number of each axis in a row.
        feature_count: Number of features.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.axes: tuple[Axis, ...] = tuple(_axis(p) for p in space.tunable if not p.is_fixed)
        self._fixed = {p.name: p.fixed_value for p in space.tunable if p.is_fixed}
        starts = np.cumsum([0, *(axis.features for axis in self.axes)])
        self.feature_count = int(starts[-1])
        self._starts = tuple(int(start) for start in starts[:-1])
        self.floats = tuple(i for i, axis in enumerate(self.axes) if isinstance(axis, FloatAxis))
        self.float_features = tuple(self._starts[column] for column in self.floats)
        self.lows = np.array([axis.low for axis in self.axes], dtype=np.float64)
        self.widths = np.array([axis.width for axis in self.axes], dtype=np.float64)
        self._neutral = self._by_axis(
            np.full((1, self.dimension), 0.5), [axis.from_cube for axis in self.axes]
        )[0]
        self._conditions = self._found_conditions()
        names = () if space.parents else (p.name for p in space.tunable)
        self._always = frozenset(names)

    def _found_conditions(self) -> dict[int, tuple[int | None, Array]]:
        """Return for each axis that may not exist its parent and the levels at which it does.

        Parents go before their children. A parent that is fixed at another level is no axis: None.
        """
        parents = self.space.parents
        columns = {axis.parameter.name: i for i, axis in enumerate(self.axes)}

        def depth(name: str) -> int:
            return 1 + depth(parents[name][0]) if name in parents else 0

        found: dict[int, tuple[int | None, Array]] = {}
        for name in sorted(parents, key=depth):
            parent, values = parents[name]
            if name not in columns:
                continue
            while parent in self._fixed and self._fixed[parent] in values and parent in parents:
                parent, values = parents[parent]
            if parent in columns:
                numbers = [self.axes[columns[parent]].number(value) for value in values]
                found[columns[name]] = (columns[parent], np.array(numbers, dtype=np.float64))
            elif self._fixed[parent] not in values:
                found[columns[name]] = (None, np.empty(0))
        return found

    @property
    def dimension(self) -> int:
        """Number of parameters that are searched."""
        return len(self.axes)

    @property
    def has_dependents(self) -> bool:
        """Whether some parameters exist at some values of others only."""
        return bool(self._conditions)

    @property
    def fixed(self) -> dict[str, TParameterValue]:
        """Name and value of each fixed parameter."""
        return dict(self._fixed)

    def existing(self, rows: Array) -> Mask:
        """Return for each number of rows whether its parameter exists there."""
        exists = np.ones(rows.shape, bool)
        for column, (parent, levels) in self._conditions.items():
            if parent is None:
                exists[:, column] = False
            else:
                exists[:, column] = exists[:, parent] & np.isin(rows[:, parent], levels)
        return exists

    def settled(self, rows: Array) -> Array:
        """Return the rows with what does not exist there at its neutral place."""
        if not self._conditions:
            return rows
        return np.where(self.existing(rows), rows, self._neutral)

    def rows_from_cube(self, cube: Array) -> Array:
        """Return the rows, n × dimension, of points of the unit cube."""
        return self.settled(self._by_axis(cube, [axis.from_cube for axis in self.axes]))

    def cube_from_rows(self, rows: Array) -> Array:
        """Return the cube's coordinates, n × dimension."""
        return self._by_axis(rows, [axis.to_cube for axis in self.axes])

    def numbers(self, rows: Array) -> Array:
        """Return what constraints are computed with, for rows or for their first columns."""
        return self._by_axis(rows, [axis.numbers for axis in self.axes[: rows.shape[1]]])

    @staticmethod
    def _by_axis(matrix: Array, functions: Sequence[Callable[[Array], Array]]) -> Array:
        result = np.empty((len(matrix), len(functions)))
        for column, function in enumerate(functions):
            result[:, column] = function(matrix[:, column])
        return result

    def features(self, rows: Array) -> Array:
        """Return the surrogate's inputs, n × feature_count."""
        cube = self.cube_from_rows(rows)
        exists = self.existing(rows)
        features = np.zeros((len(rows), self.feature_count))
        for column, (axis, start) in enumerate(zip(self.axes, self._starts, strict=True)):
            if axis.features == 1:
                features[:, start] = np.where(exists[:, column], cube[:, column], 0.5)
                continue
            block = features[:, start : start + axis.features]
            known = exists[:, column] & (rows[:, column] != UNKNOWN_LEVEL)
            block[known, rows[known, column].astype(int)] = 1.0
            block[~exists[:, column]] = 1 / axis.features
        return features

    def row(self, parameters: TParameterization) -> Array | None:
        """Return the row of a parameterization, which may lie out of bounds.

        Returns:
            None if a parameter that exists there is missing, a range has no number, or a fixed
            parameter has another value, as in trials from before an edit of the search space.
        """
        needed = self._always if self._always else frozenset(self.space.existing(parameters))
        if any(name not in parameters for name in needed):
            return None
        if any(parameters[name] != self._fixed[name] for name in needed & self._fixed.keys()):
            return None
        row: Array = self._neutral.copy()
        for column, axis in enumerate(self.axes):
            if axis.parameter.name in needed:
                number = axis.number(parameters[axis.parameter.name])
                if number is None:
                    return None
                row[column] = number
        return row

    def learnt_rows(self, points: Sequence[TParameterization]) -> list[Array | None]:
        """Return for each point the row that the model learns from.

        Returns:
            None for a point that has no row, or lies so far outside that it says nothing of the
            ranges: its value would only scale all others.
        """
        rows = [self.row(point) for point in points]
        if not rows:
            return []
        known = np.array([self._neutral if row is None else row for row in rows])
        cube = self.cube_from_rows(known)
        is_near = np.all((cube >= -_NEAR) & (cube <= 1 + _NEAR), axis=1).tolist()
        return [row if near else None for row, near in zip(rows, is_near, strict=True)]

    def parameterization(self, row: Array) -> dict[str, TParameterValue]:
        """Return the parameters' values, in the space's order, with Python's own types."""
        free = {
            axis.parameter.name: axis.value(float(number))
            for axis, number in zip(self.axes, row, strict=True)
        }
        return self.space.completed(free | self._fixed)

    def keys(self, rows: Array) -> list[tuple[float, ...]]:
        """Return for each row what is equal for points that no laboratory could tell apart.

        Discrete values count exactly, floats to a billionth of their range.
        """
        keys, floats = rows.copy(), list(self.floats)
        keys[:, floats] = self.cube_from_rows(rows)[:, floats].round(9)
        return [tuple(key) for key in keys.tolist()]

    def start(self) -> tuple[Array, bool]:
        """Return the row of start values, the centre where none is given, and whether any is."""
        row = self._neutral.copy()
        given = False
        for column, axis in enumerate(self.axes):
            value = axis.parameter.start_value
            number = None if value is None else axis.number(value)
            if number is not None:
                row[column], given = number, True
        return self.settled(row[None])[0], given
