"""Where the acquisition function is largest, among points that are allowed and new.

Random allowed rows and rows close to the best observed ones are scored; from the best of them the
floats climb along the gradient with the discrete parameters held, then each discrete parameter
goes over all its levels, in turn; those whose sum has to be equal move in pairs. Small finite
spaces are scored whole.
"""

from collections.abc import Iterator
from itertools import compress

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from axdesk.core.errors import SearchSpaceExhaustedError
from axdesk.generation.acquisition import Acquisition
from axdesk.generation.encoding import Array, ChoiceAxis, FloatAxis, Mask
from axdesk.generation.problem import Problem

_RAW = 256
_LOCAL = 16
"""Raw points around each anchor at each distance."""

_DISTANCES = (0.1, 0.01, 0.001)
"""Of local points, as shares of the ranges: late basins are small and lie beside the best point."""

_STARTS = 5
_CONSTRAINED_STARTS = 4
_ROUNDS = 2
_MAX_LEVELS = 64
_PAIR_MOVES = 4

_GRAIN = 2.0**-20
"""Of a candidate's place in the unit cube."""

_MAX_SCORED = 2048


class Search:
    """One search for the next point."""

    def __init__(
        self, problem: Problem, acquisition: Acquisition, rng: np.random.Generator
    ) -> None:
        self._problem = problem
        self._encoding = problem.encoding
        self._region = problem.region
        self._acquisition = acquisition
        self._rng = rng

    def best(self, anchors: Array) -> tuple[Array, float]:
        """Return the best row found and its acquisition value.

        Args:
            anchors: Rows of the best observed points; may be out of bounds.

        Raises:
            SearchSpaceExhaustedError: If every allowed point was tried.
        """
        rows = self._problem.untried(self._rng, _RAW if self._encoding.floats else _MAX_SCORED)
        listed = self._problem.listed
        if listed is None or len(listed) > _MAX_SCORED:
            rows = np.vstack([rows, *self._near(anchors)])
        values = self._values(rows)
        if self._encoding.floats:
            for _ in range(_ROUNDS):
                climbed = self._climbed(rows[self._starts(values)])
                moved = self._levels(climbed[: _STARTS // 2])
                rows = np.vstack([rows, climbed, moved])
                values = self._values(rows)
                if not len(moved):
                    break
        elif listed is None or len(listed) > _MAX_SCORED:
            for _ in range(_ROUNDS):
                rows = np.vstack([rows, self._levels(rows[np.argsort(-values)[:_STARTS]])])
                values = self._values(rows)
        for index in np.argsort(-values, kind="stable"):
            row = self._rounded(rows[index])
            if self._problem.is_new(row):
                return row, float(values[index])
        raise SearchSpaceExhaustedError("Every point that was searched had been tried.")

    def _rounded(self, row: Array) -> Array:
        """Return the row with its floats on a fine grid of the cube, where that is allowed.

        What the order of a sum does to the last digits of a search mostly ends here, so that the
        same request gets the same answer on any number of threads.
        """
        floats = list(self._encoding.floats)
        cube = np.round(self._encoding.cube_from_rows(row[None]) / _GRAIN) * _GRAIN
        rounded = row.copy()
        rounded[floats] = self._encoding.rows_from_cube(cube)[0, floats]
        return rounded if self._region.allowed(rounded[None])[0] else row

    def _values(self, rows: Array) -> Array:
        values = self._acquisition.values(self._encoding.features(rows))
        if not np.isfinite(values).all():
            raise ValueError("the acquisition function is no finite number")
        return values

    def _near(self, anchors: Array) -> Iterator[Array]:
        """Yield allowed rows around each anchor."""
        for center in self._encoding.cube_from_rows(anchors):
            for distance in _DISTANCES:
                steps = distance * self._rng.standard_normal((_LOCAL, len(center)))
                yield self._repaired(
                    self._encoding.rows_from_cube(np.clip(center + steps, 0.0, 1.0))
                )

    def _repaired(self, rows: Array) -> Array:
        if not len(self._region.limits.bounds):
            return rows
        polished = [self._region.polished(row) for row in rows]
        kept = [row for row in polished if row is not None]
        return np.array(kept).reshape(len(kept), self._encoding.dimension)

    def _starts(self, values: Array) -> npt.NDArray[np.intp]:
        """Return indices of the best rows, and of others drawn by their value."""
        count = _CONSTRAINED_STARTS if len(self._region.held) else _STARTS
        order = np.argsort(-values, kind="stable")
        best, rest = order[: count // 2], order[count // 2 :]
        spread = float(np.std(values)) or 1.0
        chances = np.exp((values[rest] - values[order[0]]) / spread)
        if np.count_nonzero(chances) <= count - len(best):
            return order[:count]
        drawn = self._rng.choice(rest, count - len(best), replace=False, p=chances / chances.sum())
        return np.concatenate([best, drawn])

    def _climbed(self, rows: Array) -> Array:
        """Return the rows after their floats have climbed."""
        if len(self._region.held):
            return np.array([self._climbed_within(row) for row in rows])
        climbed = rows.copy()
        exists = self._encoding.existing(rows)[:, list(self._encoding.floats)]
        for pattern in np.unique(exists, axis=0):
            group = np.all(exists == pattern, axis=1)
            floats = list(compress(self._encoding.floats, pattern))
            columns = tuple(compress(self._encoding.float_features, pattern))
            if floats:
                features = self._acquisition.climbed(self._encoding.features(rows[group]), columns)
                moved = self._with_floats(rows[group], floats, features[:, list(columns)])
                climbed[group] = moved
        return climbed

    def _with_floats(self, rows: Array, floats: list[int], coordinates: Array) -> Array:
        cube = self._encoding.cube_from_rows(rows)
        cube[:, floats] = coordinates
        moved = rows.copy()
        moved[:, floats] = self._encoding.rows_from_cube(cube)[:, floats]
        return moved

    def _climbed_within(self, row: Array) -> Array:
        """Climb along the constraints by sequential quadratic programming."""
        encoding, region, limits = self._encoding, self._region, self._region.limits
        exists = encoding.existing(row[None])[0, list(encoding.floats)]
        floats = list(compress(encoding.floats, exists))
        features = list(compress(encoding.float_features, exists))
        start = encoding.features(row[None])[0]
        A, b = limits.coefficients, limits.bounds
        scale = np.abs(A[:, floats] * encoding.widths[floats]).max(axis=1)

        def at(coordinates: Array) -> Array:
            return self._with_floats(row[None], floats, np.clip(coordinates, 0.0, 1.0)[None])

        def loss(coordinates: Array) -> tuple[float, Array]:
            point = start.copy()
            point[features] = coordinates
            value, gradient = self._acquisition.value_and_gradient(point)
            return -value, -gradient[features]

        def room(coordinates: Array, used: Mask) -> Array:
            sums = encoding.numbers(at(coordinates)) @ A[used].T
            return np.asarray((b[used] - sums[0]) / scale[used])

        def room_slope(coordinates: Array, used: Mask) -> Array:
            moved = at(coordinates)
            slopes = np.array([self._slope(column, moved) for column in floats])
            return np.asarray(-A[used][:, floats] * slopes / scale[used, None])

        result = minimize(
            loss,
            start[features],
            jac=True,
            method="SLSQP",
            bounds=[(0.0, 1.0)] * len(floats),
            constraints=[
                {"type": kind, "fun": room, "jac": room_slope, "args": (used,)}
                for kind, used in (
                    ("ineq", (scale > 0) & ~limits.is_equal),
                    ("eq", (scale > 0) & limits.is_equal),
                )
                if used.any()
            ],
            options={"maxiter": 40, "ftol": 1e-6},
        )
        if not np.isfinite(result.x).all():
            return row
        polished = region.polished(at(result.x)[0])
        return row if polished is None else polished

    def _slope(self, column: int, rows: Array) -> float:
        axis = self._encoding.axes[column]
        assert isinstance(axis, FloatAxis)
        return float(axis.slope(rows[:, column])[0])

    def _levels(self, rows: Array) -> Array:
        """Return the rows after each discrete parameter in turn took its best allowed level."""
        if len(self._encoding.floats) == self._encoding.dimension:
            return rows[:0]
        moved = rows.copy()
        for column, axis in enumerate(self._encoding.axes):
            if isinstance(axis, FloatAxis):
                continue
            levels = axis.every() if axis.levels <= _MAX_LEVELS else None
            for index, row in enumerate(moved):
                choices = self._around(row[column], column) if levels is None else levels
                options = np.repeat(row[None], len(choices), axis=0)
                options[:, column] = choices
                moved[index] = self._best_of(row, self._kept(self._encoding.settled(options)))
        if self._region.tied:
            for index, row in enumerate(moved):
                for _ in range(_PAIR_MOVES):
                    row = self._best_of(row, self._region.moves(row))
                moved[index] = row
        return moved

    def _kept(self, rows: Array) -> Array:
        """Return the rows that are allowed, floats moved where a sum has to be equal."""
        if len(self._region.held) and self._region.limits.is_equal.any():
            return self._repaired(rows)
        return rows[self._region.allowed(rows)]

    def _best_of(self, row: Array, options: Array) -> Array:
        """Return the best of the options that are new, `row` if there is none."""
        new = options[self._problem.are_new(options)]
        if not len(new):
            return row
        best: Array = new[np.argmax(self._values(new))]
        return best

    def _around(self, value: float, column: int) -> Array:
        """Return a value and others at growing distances; random ones where no order is known."""
        low, width = self._encoding.lows[column], self._encoding.widths[column]
        axis = self._encoding.axes[column]
        if isinstance(axis, ChoiceAxis) and not axis.is_ordered:
            others = self._rng.choice(len(axis.values), _MAX_LEVELS, replace=False)
            return np.unique([value, *others])
        steps = np.unique(np.round(np.geomspace(1, width, _MAX_LEVELS // 2)))
        return np.unique(
            np.clip(np.concatenate([[value], value - steps, value + steps]), low, low + width)
        )
