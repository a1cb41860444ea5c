"""Where the linear constraints leave room.

The constraints are linear in the parameters' own values, so linear and mixed-integer programs
answer exactly what the unit cube cannot: whether anything is allowed, which allowed point is
nearest, how far each parameter reaches. Sampling tries rejection first; where that finds too
little (a mixture whose parts add up to 100 %) it mixes extreme points.

What is allowed keeps <= and >= without any tolerance: summed in the constraint's order, in plain
floats, with the values that are handed out. Where a float can be moved, the exact sum keeps them,
too. An = is kept to 2 ulp a term, of the largest number in it: to 4e-16 times the number of terms.
"""

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import ClashError, SearchSpaceExhaustedError
from axdesk.core.search_space import SearchSpace
from axdesk.generation import programs
from axdesk.generation.encoding import Array, Encoding, FloatAxis, Mask
from axdesk.generation.sums import Sums

_ULP = 2.0**-52
"""Relative distance of two neighbouring floats, at most."""

_POLISHING = 24
_PATIENCE = 6
"""Steps onto the limits before they aim inside, by twice as much each time."""

_INSIDE = 1e-5
"""As share of a range or of a step: by how much a program stays away from limits that it missed."""

MAX_LISTED = 10_000
"""Points up to which a finite space is listed and searched exhaustively."""

_MAX_DRAWN = 4096
_MAX_ROWS = 1_000_000
_ANCHORS = 8
"""Settings of the discrete parameters from which a narrow space is sampled."""

_WALK = 24
"""Moves from a row to a sampled one."""


def check_feasible(space: SearchSpace) -> None:
    """Refuse a search space in which no point is allowed.

    Raises:
        ClashError: Naming a smallest set of constraints that clash.
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
    raise ClashError(
        f"The search space has no allowed point: {names} {verb} within the bounds.",
        "Relax a constraint, or widen the bounds of its parameters.",
        constraints=tuple(map(str, clash)),
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
        self._sums = Sums(encoding, constraints)
        for i, constraint in enumerate(constraints):
            rest = [constraint.bound]
            for name, coefficient in constraint.terms:
                if name in columns:
                    coefficients[i, columns[name]] = self._sums.signs[i] * coefficient
                else:
                    rest.append(-coefficient * float(encoding.fixed[name]))
            bounds[i] = self._sums.signs[i] * math.fsum(rest)
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
        return not self.allowed(start[None])[0] and self._solved(start, is_near=False) is None

    def _excess(self, rows: Array) -> tuple[Array, Array]:
        """Return by how much rows exceed each limit, and an ulp a term of its largest number."""
        over, sizes = self._sums.excess(rows)
        return over, _ULP * self._sums.lengths * sizes

    def allowed(self, rows: Array) -> Mask:
        """Return for each row whether it keeps every constraint."""
        return np.asarray(np.all(self._wrong(*self._excess(rows)) <= 0, axis=1))

    def _wrong(self, over: Array, ulps: Array) -> Array:
        """Return by how much rows break each limit; 0 or less if they keep it."""
        return np.where(self.limits.is_equal, np.abs(over) - 2 * ulps, over)

    def polished(self, row: Array) -> Array | None:
        """Return an allowed row beside one that lies outside, or None.

        Takes least-norm steps of the constrained floats onto the limits that are exceeded, in the
        end a little inside of them: also the exact sum shall keep what floats can keep.
        """
        row = row.copy()
        held, lows, widths = self.held, self.encoding.lows, self.encoding.widths
        slopes = self.limits.coefficients[:, held] * widths[held]
        is_closable = np.any(slopes != 0, axis=1)
        movable, allowed = np.ones(len(held), bool), None
        for step in range(_POLISHING):
            over, ulps = (of_row[0] for of_row in self._excess(row[None]))
            wrong = self._wrong(over, ulps)
            if np.any(wrong[~is_closable] > 0):
                return None
            if np.all(wrong <= 0):
                allowed = row.copy()
            near = np.flatnonzero((wrong <= 0) & (over >= -4 * ulps) & is_closable)
            for i in near[~self.limits.is_equal[near]]:
                # Out by less than a float's sum shows.
                wrong[i] = max(self._sums.exact_excess(row, i), over[i])
            if np.all(wrong <= 0):
                return row
            # What has to be equal and is stays so.
            kept = np.flatnonzero((wrong > 0) | (self.limits.is_equal & is_closable))
            if not movable.any():
                movable[:] = True
            columns = held[movable]
            if not len(columns):
                break
            aims = np.where(self.limits.is_equal, over, wrong)
            if step >= _PATIENCE:
                aims += np.where(self.limits.is_equal, 0.0, 2.0 ** (step - _PATIENCE) * ulps)
            needed, *_ = np.linalg.lstsq(
                slopes[np.ix_(kept, np.flatnonzero(movable))], aims[kept], rcond=None
            )
            wanted = row[columns] - needed * widths[columns]
            row[columns] = np.clip(wanted, lows[columns], lows[columns] + widths[columns])
            # What has reached a bound leaves the rest of the way to the others.
            movable[np.flatnonzero(movable)] = wanted == row[columns]
        return allowed

    def nearest(self, target: Array) -> Array:
        """Return the allowed row whose largest deviation from `target` is smallest, or nearly so.

        Raises:
            SearchSpaceExhaustedError: If none is found.
        """
        if self.allowed(target[None])[0]:
            return target
        row = self._solved(target, is_near=True)
        if row is None:
            raise SearchSpaceExhaustedError(
                "No point that keeps every parameter constraint was found.",
                "Relax the constraints a little.",
            )
        return row

    def _solved(self, target: Array, *, is_near: bool) -> Array | None:
        """Return an allowed row, None if there is none.

        Args:
            target: What it shall be near to.
            is_near: Whether that goes before a quick answer.
        """
        for nearly in (is_near, not is_near):
            for margin in (0.0, _INSIDE):
                solved = programs.solve(
                    self.encoding, self.limits, target, is_near=nearly, margin=margin
                )
                if solved is None and not nearly and not margin:
                    return None
                row = None if solved is None else self.polished(solved)
                if row is not None:
                    return row
        # Of the points on a limit some may be allowed and others not, by how their sums round.
        listed = None if self.encoding.floats else self.all_rows(MAX_LISTED)
        if listed is None or not len(listed):
            return None
        cube = self.encoding.cube_from_rows(np.vstack([target, listed]))
        return np.asarray(listed[np.argmin(np.abs(cube[1:] - cube[0]).max(axis=1))])

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
                    vertices[self.encoding.keys(polished[None])[0]] = polished
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
        if 4 * len(found) < n:
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
