"""Where the linear constraints leave room.

The constraints are linear in the parameters' own values, so linear and mixed-integer programs
answer exactly what the unit cube cannot: whether anything is allowed, which allowed point is
nearest, how far each parameter reaches. Sampling tries rejection first; where that finds too
little (a mixture whose parts add up to 100 %) it mixes extreme points.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import SearchSpaceExhaustedError, UserInputError
from axdesk.core.search_space import SearchSpace
from axdesk.generation import programs
from axdesk.generation.encoding import Array, ChoiceAxis, Encoding

_TOLERANCE = 5e-10
"""Relative, half of what `ParameterConstraint.is_met` grants."""

_MAX_DRAWN = 4096
_MAX_ROWS = 1_000_000
_ANCHORS = 8
"""Settings of the discrete parameters from which a narrow space is sampled."""


def check_feasible(space: SearchSpace) -> None:
    """Refuse a search space in which no point is allowed.

    Raises:
        UserInputError: Naming a smallest set of constraints that clash.
    """
    if not Region(Encoding(space)).is_empty:
        return
    clash = list(space.constraints)
    for constraint in space.constraints:
        fewer = [other for other in clash if other is not constraint]
        if Region(Encoding(space), fewer).is_empty:
            clash = fewer
    names = ", ".join(f"“{constraint}”" for constraint in clash)
    verb = "cannot be kept" if len(clash) == 1 else "cannot be kept together"
    raise UserInputError(
        f"The search space has no allowed point: {names} {verb} within the bounds.",
        "Relax a constraint, or widen the bounds of its parameters.",
    )


class Region:
    """The allowed rows of an encoded search space: coefficients · numbers <= limits.

    Attributes:
        encoding: Of the search space.
        coefficients: Constraints × dimension, of the parameters' own values.
        limits: One a constraint.
        held: Indices of the axes of floats that a constraint holds.
        loose: Indices of the axes that no constraint holds.
    """

    def __init__(
        self, encoding: Encoding, constraints: list[ParameterConstraint] | None = None
    ) -> None:
        self.encoding = encoding
        if constraints is None:
            constraints = list(encoding.space.constraints)
        columns = {axis.parameter.name: i for i, axis in enumerate(encoding.axes)}
        self.coefficients = np.zeros((len(constraints), encoding.dimension))
        self.limits = np.zeros(len(constraints))
        for i, constraint in enumerate(constraints):
            sign = 1.0 if constraint.operator == "<=" else -1.0
            self.limits[i] = sign * constraint.bound
            for name, coefficient in constraint.terms:
                if name in columns:
                    self.coefficients[i, columns[name]] = sign * coefficient
                else:
                    self.limits[i] -= sign * coefficient * float(encoding.fixed[name])
        used = np.any(self.coefficients != 0, axis=0)
        self.held = np.array([i for i in encoding.floats if used[i]], dtype=np.intp)
        self.loose = np.flatnonzero(~used)

    @property
    def is_empty(self) -> bool:
        """Whether no row at all is allowed."""
        if not self.encoding.dimension:
            return not self.allowed(np.empty((1, 0)))[0]
        return programs.solve(self.encoding, self.coefficients, self.limits) is None

    def numbers(self, rows: Array) -> Array:
        """Return values, of numeric choices too, for rows or for their first columns."""
        numbers = rows.copy()
        for column, axis in enumerate(self.encoding.axes[: rows.shape[1]]):
            if isinstance(axis, ChoiceAxis) and axis.parameter.is_numeric:
                numbers[:, column] = axis.numbers[rows[:, column].astype(int)]
        return numbers

    def _excess(self, rows: Array) -> tuple[Array, Array]:
        numbers = self.numbers(rows)
        terms = numbers[:, None, :] * self.coefficients[None]
        size = np.maximum(np.abs(self.limits), np.abs(terms).max(axis=2, initial=0.0))
        return terms.sum(axis=2) - self.limits, _TOLERANCE * size

    def allowed(self, rows: Array) -> npt.NDArray[np.bool_]:
        """Return for each row whether it keeps every constraint."""
        over, granted = self._excess(rows)
        return np.asarray(np.all(over <= granted, axis=1))

    def polished(self, row: Array) -> Array | None:
        """Return an allowed row beside one that a solver left slightly outside, or None.

        Takes least-norm steps of the constrained floats onto the limits that are exceeded.
        """
        row = row.copy()
        lows, widths = self.encoding.lows[self.held], self.encoding.widths[self.held]
        for _ in range(20):
            over, granted = self._excess(row[None])
            exceeded = np.flatnonzero(over[0] > granted[0])
            if not len(exceeded):
                return row
            if not len(self.held):
                return None
            slopes = self.coefficients[np.ix_(exceeded, self.held)] * widths
            steps, *_ = np.linalg.lstsq(slopes, over[0, exceeded], rcond=None)
            row[self.held] = np.clip(row[self.held] - steps * widths, lows, lows + widths)
        return None

    def nearest(self, target: Array) -> Array:
        """Return the allowed row whose largest deviation from `target` is smallest.

        Raises:
            SearchSpaceExhaustedError: If none is found.
        """
        if self.allowed(target[None])[0]:
            return target
        solved = programs.solve(self.encoding, self.coefficients, self.limits, target)
        row = None if solved is None else self.polished(solved)
        if row is None:
            raise SearchSpaceExhaustedError(
                "No point that keeps every parameter constraint was found.",
                "Relax the constraints a little.",
            )
        return row

    def extremes(self, row: Array) -> Array:
        """Return `row`, and rows where one constrained float is as small or large as it can be.

        All other parameters stay as they are in `row`, which must be allowed.
        """
        lows, widths = self.encoding.lows[self.held], self.encoding.widths[self.held]
        rest = self.numbers(row[None])[0]
        rest[self.held] = lows
        A, b = self.coefficients[:, self.held] * widths, self.limits - self.coefficients @ rest
        scale = np.abs(A).max(axis=1, initial=0.0)
        A, b = A[scale > 0] / scale[scale > 0, None], b[scale > 0] / scale[scale > 0]
        vertices: dict[tuple[float, ...], Array] = {}
        for unit in np.eye(len(self.held)):
            for cost in (unit, -unit):
                result = linprog(cost, A_ub=A, b_ub=b, bounds=(0.0, 1.0), method="highs")
                if result.x is None:
                    continue
                vertex = row.copy()
                vertex[self.held] = lows + widths * np.clip(result.x, 0.0, 1.0)
                polished = self.polished(vertex)
                if polished is not None:
                    vertices[self.encoding.key(polished)] = polished
        return np.array([row, *vertices.values()])

    def mixed(self, rows: Array, weights: Array) -> Array:
        """Return the weighted mean of rows that `extremes` returned, or the first of them."""
        mean = rows[0].copy()
        mean[self.held] = weights @ rows[:, self.held]
        polished = self.polished(mean)
        return rows[0] if polished is None else polished

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """Return random allowed rows, `n` or, where the space is narrow, fewer.

        Raises:
            SearchSpaceExhaustedError: If none is found.
        """
        d = self.encoding.dimension
        found, drawn = np.empty((0, d)), 0
        while len(found) < n and drawn < _MAX_DRAWN:
            rows = self.encoding.rows_from_cube(rng.random((n, d)))
            found = np.vstack([found, rows[self.allowed(rows)]])
            drawn += n
        if len(found) < n // 4:
            found = np.vstack([found, self._narrow_sample(n - len(found), rng)])
        return found[:n]

    def _narrow_sample(self, n: int, rng: np.random.Generator) -> Array:
        rows = []
        for _ in range(_ANCHORS):
            targets = self.encoding.rows_from_cube(
                rng.random((n // _ANCHORS + 1, self.encoding.dimension))
            )
            extremes = self.extremes(self.nearest(targets[0]))
            rows.append(extremes[0])
            if len(extremes) > 1:
                for target in targets:
                    row = self.mixed(extremes, rng.dirichlet(np.full(len(extremes), 0.5)))
                    row[self.loose] = target[self.loose]
                    rows.append(row)
        return np.array(rows)

    def all_rows(self, limit: int) -> Array | None:
        """Return every allowed row; None if there are more than `limit`, or too many to count."""
        A = self.coefficients
        if not len(A) and math.prod(axis.levels for axis in self.encoding.axes) > limit:
            return None
        ends = self.numbers(
            np.array([self.encoding.lows, self.encoding.lows + self.encoding.widths])
        )
        lowest = np.minimum(A * ends[0], A * ends[1])
        slack = 1e-6 * (np.abs(self.limits) + np.abs(A) @ np.abs(ends).max(axis=0))
        rows = np.empty((1, 0))
        for column, axis in enumerate(self.encoding.axes):
            if len(rows) * axis.levels > _MAX_ROWS:
                return None
            every = axis.every()
            rows = np.column_stack([np.repeat(rows, len(every), axis=0), np.tile(every, len(rows))])
            least = self.numbers(rows) @ A[:, : column + 1].T + lowest[:, column + 1 :].sum(axis=1)
            rows = rows[np.all(least <= self.limits + slack, axis=1)]
        rows = rows[self.allowed(rows)]
        return rows if len(rows) <= limit else None
