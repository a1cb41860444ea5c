"""Where the linear constraints leave room.

The constraints are linear in the parameters' own values, so linear and mixed-integer programs
answer exactly what the unit cube cannot: whether anything is allowed, which allowed point is
nearest, how far each parameter reaches. Sampling tries rejection first; where that finds too
little (a mixture whose parts add up to 100 %) it mixes extreme points.
"""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import SearchSpaceExhaustedError, UserInputError
from axdesk.core.search_space import SearchSpace
from axdesk.generation import programs
from axdesk.generation.encoding import Array, Encoding, FloatAxis, Mask

_TOLERANCE = 5e-10
"""Relative, half of what `ParameterConstraint.is_met` grants."""

_ROUNDING = 5e-15
"""Relative; to this an equality is kept where a float can close it."""

_MAX_DRAWN = 4096
_MAX_ROWS = 1_000_000
_ANCHORS = 8
"""Settings of the discrete parameters from which a narrow space is sampled."""

_WALK = 24
"""Moves from a row to a sampled one."""


def check_feasible(space: SearchSpace) -> None:
    """Refuse a search space in which no point is allowed.

    Raises:
        UserInputError: Naming a smallest set of constraints that clash.
    """
    encoding = Encoding(space)
    if not Region(encoding).is_empty:
        return
    clash = list(space.constraints)
    for constraint in space.constraints:
        fewer = [other for other in clash if other is not constraint]
        if Region(encoding, fewer).is_empty:
            clash = fewer
    names = ", ".join(f"“{constraint}”" for constraint in clash)
    verb = "cannot be kept" if len(clash) == 1 else "cannot be kept together"
    raise UserInputError(
        f"The search space has no allowed point: {names} {verb} within the bounds.",
        "Relax a constraint, or widen the bounds of its parameters.",
    )


class Region:
    """The allowed rows of an encoded search space.

    Attributes:
        encoding: Of the search space.
        limits: What constraints say of the parameters' own values.
        held: Indices of the axes of floats that a constraint holds.
        loose: Indices of the axes that no constraint holds.
        tied: Pairs (axis, steps), (axis, steps) of counted axes that keep a sum that has to
            be equal when they move together.
    """

    def __init__(
        self, encoding: Encoding, constraints: list[ParameterConstraint] | None = None
    ) -> None:
        self.encoding = encoding
        if constraints is None:
            constraints = list(encoding.space.constraints)
        columns = {axis.parameter.name: i for i, axis in enumerate(encoding.axes)}
        coefficients = np.zeros((len(constraints), encoding.dimension))
        bounds = np.zeros(len(constraints))
        # The largest number that is known already; what is left of the bound may be near to 0.
        self._sizes = np.zeros(len(constraints))
        for i, constraint in enumerate(constraints):
            sign = -1.0 if constraint.operator == ">=" else 1.0
            rest = [constraint.bound]
            for name, coefficient in constraint.terms:
                if name in columns:
                    coefficients[i, columns[name]] = sign * coefficient
                else:
                    rest.append(-coefficient * float(encoding.fixed[name]))
            bounds[i] = sign * math.fsum(rest)
            self._sizes[i] = max(map(abs, rest))
        is_equal = np.array([constraint.operator == "=" for constraint in constraints], bool)
        self.limits = programs.Limits(coefficients, bounds, is_equal)
        used = np.any(coefficients != 0, axis=0)
        self.held = np.array([i for i in encoding.floats if used[i]], dtype=np.intp)
        self.loose = np.flatnonzero(~used)
        self.tied = self._tied()

    def _tied(self) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        equal = self.limits.coefficients[self.limits.is_equal]
        found = []
        for i, j in combinations(range(self.encoding.dimension if len(equal) else 0), 2):
            together = equal[(equal[:, i] != 0) & (equal[:, j] != 0)]
            one, other = self.encoding.axes[i], self.encoding.axes[j]
            if not len(together) or one.grid is None or other.grid is None:
                continue
            a, b = (
                Fraction(repr(float(coefficient))) * grid[1]
                for coefficient, grid in zip(
                    together[0, [i, j]], (one.grid, other.grid), strict=True
                )
            )
            ratio = b / a
            if abs(ratio.numerator) <= one.width and ratio.denominator <= other.width:
                found.append(((i, ratio.numerator), (j, -ratio.denominator)))
        return found

    @property
    def is_thin(self) -> bool:
        """Whether floats are held by an equality, so that what is allowed has no volume."""
        equal = self.limits.coefficients[self.limits.is_equal]
        return bool(np.any(equal[:, self.held] != 0))

    @property
    def is_empty(self) -> bool:
        """Whether no row at all is allowed."""
        start, _ = self.encoding.start()
        if self.allowed(start[None])[0]:
            return False
        for is_near in (False, True):
            solved = programs.solve(self.encoding, self.limits, start, is_near=is_near)
            if solved is None:
                return True
            if self.polished(solved) is not None:
                return False
        return True

    def _excess(self, rows: Array) -> tuple[Array, Array]:
        """Return by how much rows exceed each limit, and the size of the numbers in it."""
        numbers = self.encoding.numbers(rows)
        terms = numbers[:, None, :] * self.limits.coefficients[None]
        size = np.maximum(self._sizes, np.abs(terms).max(axis=2, initial=0.0))
        return terms.sum(axis=2) - self.limits.bounds, size

    def allowed(self, rows: Array) -> Mask:
        """Return for each row whether it keeps every constraint."""
        over, size = self._excess(rows)
        over = np.where(self.limits.is_equal, np.abs(over), over)
        return np.asarray(np.all(over <= _TOLERANCE * size, axis=1))

    def polished(self, row: Array) -> Array | None:
        """Return an allowed row beside one that lies outside, or None.

        Takes least-norm steps of the constrained floats onto the limits that are exceeded. What
        has to be equal is made equal to rounding.
        """
        row = row.copy()
        held, lows, widths = self.held, self.encoding.lows, self.encoding.widths
        slopes = self.limits.coefficients[:, held] * widths[held]
        is_exact = self.limits.is_equal & np.any(slopes != 0, axis=1)
        movable = np.ones(len(held), bool)
        for _ in range(20):
            over, size = self._excess(row[None])
            excess = np.where(self.limits.is_equal, np.abs(over[0]), over[0])
            granted = np.where(is_exact, _ROUNDING, _TOLERANCE) * size[0]
            exceeded = np.flatnonzero(excess > granted)
            if not len(exceeded):
                return row
            if not movable.any():
                movable[:] = True
            columns = held[movable]
            if not len(columns):
                return None
            needed, *_ = np.linalg.lstsq(
                slopes[np.ix_(exceeded, np.flatnonzero(movable))], over[0, exceeded], rcond=None
            )
            wanted = row[columns] - needed * widths[columns]
            row[columns] = np.clip(wanted, lows[columns], lows[columns] + widths[columns])
            # What has reached a bound leaves the rest of the way to the others.
            movable[np.flatnonzero(movable)] = wanted == row[columns]
        return row if self.allowed(row[None])[0] else None

    def nearest(self, target: Array) -> Array:
        """Return the allowed row whose largest deviation from `target` is smallest, or nearly so.

        Raises:
            SearchSpaceExhaustedError: If none is found.
        """
        if self.allowed(target[None])[0]:
            return target
        for is_near in (True, False):
            solved = programs.solve(self.encoding, self.limits, target, is_near=is_near)
            row = None if solved is None else self.polished(solved)
            if row is not None:
                return row
        raise SearchSpaceExhaustedError(
            "No point that keeps every parameter constraint was found.",
            "Relax the constraints a little.",
        )

    def extremes(self, row: Array) -> Array:
        """Return `row`, and rows where one constrained float is as small or large as it can be.

        All other parameters stay as they are in `row`, which must be allowed.
        """
        lows, widths = self.encoding.lows[self.held], self.encoding.widths[self.held]
        rest = self.encoding.numbers(row[None])[0]
        rest[self.held] = lows
        A = self.limits.coefficients[:, self.held] * widths
        b = self.limits.bounds - self.limits.coefficients @ rest
        scale = np.abs(A).max(axis=1, initial=0.0)
        used = scale > 0
        A, b, equal = A[used] / scale[used, None], b[used] / scale[used], self.limits.is_equal[used]
        vertices: dict[tuple[float, ...], Array] = {}
        for unit in np.eye(len(self.held)):
            for cost in (unit, -unit):
                result = linprog(
                    cost, A[~equal], b[~equal], A[equal], b[equal], (0.0, 1.0), method="highs"
                )
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

    def moves(self, row: Array) -> Array:
        """Return the allowed rows where two tied axes have moved, at growing distances."""
        found = []
        for (i, a), (j, b) in self.tied:
            most = int(min(self.encoding.widths[i] // abs(a), self.encoding.widths[j] // abs(b)))
            sizes = np.unique(np.round(np.geomspace(1, most, 1 + most.bit_length())))
            moved = np.repeat(row[None], 2 * len(sizes), axis=0)
            moved[:, i] += a * np.concatenate([sizes, -sizes])
            moved[:, j] += b * np.concatenate([sizes, -sizes])
            found.append(moved)
        rows = np.array(found).reshape(0, len(row)) if not found else np.vstack(found)
        highs = self.encoding.lows + self.encoding.widths
        rows = rows[np.all((rows >= self.encoding.lows) & (rows <= highs), axis=1)]
        return rows[self.allowed(rows)]

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
            walked = self._walked(np.repeat(extremes[:1], len(targets), axis=0), rng)
            rows.append(extremes[0].copy())
            for row, target in zip(walked, targets, strict=True):
                found = row
                if len(extremes) > 1:
                    extremes[0] = row
                    found = self.mixed(extremes, rng.dirichlet(np.full(len(extremes), 0.5)))
                found = found.copy()
                found[self.loose] = target[self.loose]
                rows.append(found)
        return self.encoding.settled(np.array(rows))

    def _walked(self, rows: Array, rng: np.random.Generator) -> Array:
        """Return rows some random moves of tied axes away."""
        every, highs = np.arange(len(rows)), self.encoding.lows + self.encoding.widths
        for _ in range(_WALK if self.tied else 0):
            (i, a), (j, b) = np.moveaxis(np.array(self.tied), 0, 2)[
                :, :, rng.integers(len(self.tied), size=len(rows))
            ]
            most = np.minimum(self.encoding.widths[i] / abs(a), self.encoding.widths[j] / abs(b))
            sizes = np.floor(np.exp(rng.random(len(rows)) * np.log(most + 1)))
            sizes *= rng.choice([-1, 1], len(rows))
            moved = rows.copy()
            moved[every, i] += a * sizes
            moved[every, j] += b * sizes
            inside = np.all((moved >= self.encoding.lows) & (moved <= highs), axis=1)
            moved[~inside] = rows[~inside]
            rows = np.where(self.allowed(moved)[:, None], moved, rows)
        return rows

    def all_rows(self, limit: int) -> Array | None:
        """Return every allowed row; None if there are more than `limit`, or too many to count."""
        encoding, equal = self.encoding, self.limits.is_equal
        is_product = not len(equal) and not encoding.has_dependents
        if is_product and math.prod(axis.levels for axis in encoding.axes) > limit:
            return None
        A = np.vstack([self.limits.coefficients, -self.limits.coefficients[equal]])
        b = np.concatenate([self.limits.bounds, -self.limits.bounds[equal]])
        extents = np.array([axis.extent() for axis in encoding.axes]).reshape(-1, 2)
        lowest = np.minimum(A * extents[:, 0], A * extents[:, 1])
        slack = 1e-6 * (np.abs(b) + np.abs(A) @ np.abs(extents).max(axis=1))
        rows = np.empty((1, 0))
        for column, axis in enumerate(encoding.axes):
            if isinstance(axis, FloatAxis) or len(rows) * axis.levels > _MAX_ROWS:
                return None
            every = axis.every()
            rows = np.column_stack([np.repeat(rows, len(every), axis=0), np.tile(every, len(rows))])
            least = encoding.numbers(rows) @ A[:, : column + 1].T + lowest[:, column + 1 :].sum(
                axis=1
            )
            rows = rows[np.all(least <= b + slack, axis=1)]
        rows = rows[self.allowed(rows)]
        if encoding.has_dependents:
            rows = np.unique(encoding.settled(rows), axis=0)
        return rows if len(rows) <= limit else None
