"""The allowed rows as a mixed-integer linear program."""

from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from axdesk.generation.encoding import Array, ChoiceAxis, Encoding, RangeAxis

_MAX_WEIGHT = 100.0
"""Of a deviation at the low end of a log range, against one in the middle."""

_TIE_BREAK = 0.05
"""Weight of the sum of deviations beside the largest one."""


def solve(
    encoding: Encoding, coefficients: Array, limits: Array, target: Array | None = None
) -> Array | None:
    """Return a row with coefficients · numbers <= limits, up to the solver's tolerance.

    Args:
        encoding: Of the search space.
        coefficients: Constraints × dimension, of the parameters' own values.
        limits: One a constraint.
        target: The row to be near: the largest deviation, as a share of each range, is made
            small. None for any row.

    Returns:
        None if there is no such row.
    """
    blocks = _Blocks(encoding)
    rows, highs = blocks.constraints(coefficients, limits)
    cost = np.zeros(blocks.size)
    if target is not None:
        d = encoding.dimension
        deviations, offsets = blocks.deviations(target)
        zeros = np.zeros((len(rows), d + 1))
        each = np.hstack([np.tile(np.eye(d), (2, 1)), np.zeros((2 * d, 1))])
        largest = np.hstack([np.zeros((d, blocks.size)), np.eye(d), -np.ones((d, 1))])
        rows = np.vstack([np.hstack([rows, zeros]), np.hstack([deviations, -each]), largest])
        highs = np.concatenate([highs, offsets, np.zeros(d)])
        cost = np.concatenate([cost, np.full(d, _TIE_BREAK / d), [1.0]])
    extra = len(cost) - blocks.size
    ones = np.hstack([blocks.one_level, np.zeros((len(blocks.one_level), extra))])
    result = milp(
        cost,
        integrality=np.concatenate([blocks.integrality, np.zeros(extra)]),
        bounds=Bounds(
            np.concatenate([blocks.lows, np.zeros(extra)]),
            np.concatenate([blocks.highs, np.full(extra, np.inf)]),
        ),
        constraints=[LinearConstraint(rows, ub=highs), LinearConstraint(ones, 1.0, 1.0)],
    )
    return None if result.x is None else blocks.row(result.x)


class _Blocks:
    """Variables: a float as a share of its range, an integer itself, a choice as one 0/1 a level.

    Attributes:
        size: Number of variables.
        lows: Of each.
        highs: Of each.
        integrality: 1 where whole numbers are needed.
        one_level: One row for each choice; its variables add up to 1.
    """

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        counts = [
            len(axis.parameter.values) if isinstance(axis, ChoiceAxis) else 1
            for axis in encoding.axes
        ]
        ends = np.cumsum([0, *counts])
        self.size = int(ends[-1])
        self._slices = [slice(a, b) for a, b in pairwise(ends)]
        self.lows, self.highs = np.zeros(self.size), np.ones(self.size)
        self.integrality = np.ones(self.size)
        choices = []
        for column, (axis, block) in enumerate(zip(encoding.axes, self._slices, strict=True)):
            if column in encoding.floats:
                self.integrality[block] = 0
            elif isinstance(axis, RangeAxis):
                self.lows[block], self.highs[block] = axis.parameter.bounds
            else:
                choices.append(np.zeros(self.size))
                choices[-1][block] = 1.0
        self.one_level = np.array(choices).reshape(len(choices), self.size)

    def constraints(self, coefficients: Array, limits: Array) -> tuple[Array, Array]:
        """Return the constraints in these variables, the largest coefficient of each 1."""
        rows, highs = np.zeros((len(limits), self.size)), limits.copy()
        for column, (axis, block) in enumerate(zip(self._encoding.axes, self._slices, strict=True)):
            of_axis = coefficients[:, column]
            if column in self._encoding.floats:
                rows[:, block] = of_axis[:, None] * self._encoding.widths[column]
                highs -= of_axis * self._encoding.lows[column]
            elif isinstance(axis, RangeAxis):
                rows[:, block] = of_axis[:, None]
            elif axis.parameter.is_numeric:
                rows[:, block] = of_axis[:, None] * axis.numbers
        scale = np.abs(rows).max(axis=1, initial=0.0)
        scale[scale == 0] = 1.0
        return rows / scale[:, None], highs / scale

    def deviations(self, target: Array) -> tuple[Array, Array]:
        """Return M, c with M·variables - deviation <= c, twice for each axis: both signs."""
        encoding = self._encoding
        M, c = np.zeros((encoding.dimension, self.size)), np.zeros(encoding.dimension)
        for column, (axis, block) in enumerate(zip(encoding.axes, self._slices, strict=True)):
            low, width = encoding.lows[column], encoding.widths[column]
            if isinstance(axis, ChoiceAxis):
                distance = np.abs(np.arange(axis.levels) - target[column]) / axis.levels
                M[column, block] = distance if axis.is_ordered else 0.5 * (distance > 0)
                continue
            weight = 1.0
            if axis.parameter.is_log:
                slope = float(axis.slope(target[column : column + 1])[0])
                weight = min(width / slope, _MAX_WEIGHT)
            if column in encoding.floats:
                M[column, block] = weight
                c[column] = weight * (target[column] - low) / width
            else:
                M[column, block] = weight / width
                c[column] = weight * target[column] / width
        return np.vstack([M, -M]), np.concatenate([c, -c])

    def row(self, solution: Array) -> Array:
        """Return the row of a solution."""
        encoding = self._encoding
        row = np.zeros(encoding.dimension)
        for column, (axis, block) in enumerate(zip(encoding.axes, self._slices, strict=True)):
            if column in encoding.floats:
                share = min(max(float(solution[block][0]), 0.0), 1.0)
                row[column] = encoding.lows[column] + encoding.widths[column] * share
            elif isinstance(axis, RangeAxis):
                row[column] = round(float(solution[block][0]))
            else:
                row[column] = float(np.argmax(solution[block]))
        return row
