"""The allowed rows as a mixed-integer linear program."""

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeGuard

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from axdesk.generation.encoding import Array, Axis, ChoiceAxis, Encoding, FloatAxis

_MAX_WEIGHT = 100.0
"""Of a deviation at the low end of a log range, against one in the middle."""

_TIE_BREAK = 0.05
"""Weight of the sum of deviations beside the largest one."""

_NEAR_ENOUGH = {"mip_rel_gap": 0.01, "node_limit": 200}
"""When the search for a nearest row ends, as far as one was found."""


@dataclass(frozen=True, slots=True)
class Limits:
    """coefficients · numbers <= bounds, or = bounds.

    Attributes:
        coefficients: Constraints × dimension, of the parameters' own values.
        bounds: One a constraint.
        is_equal: One a constraint: whether the sum has to be its bound.
    """

    coefficients: Array
    bounds: Array
    is_equal: npt.NDArray[np.bool_]


def solve(
    encoding: Encoding, limits: Limits, target: Array, *, is_near: bool, margin: float = 0.0
) -> Array | None:
    """Return a row within the limits, up to the solver's tolerance.

    Args:
        encoding: Of the search space.
        limits: What has to be kept.
        target: The row whose numbers stay where no limit names their parameters.
        is_near: Whether the others should be near the target too: the largest deviation, as a
            share of each range, is made small.
        margin: By how much inequalities are kept more closely, where the largest of their numbers
            changes by 1 along its range or from step to step.

    Returns:
        None if there is no such row.
    """
    columns = np.flatnonzero(np.any(limits.coefficients != 0, axis=0))
    blocks = _Blocks(encoding, columns)
    rows, highs = blocks.constraints(limits)
    highs = np.where(limits.is_equal, highs, highs - margin)
    lows = np.where(limits.is_equal, highs, -np.inf)
    if not len(columns):
        return target if np.all(lows <= 0) and np.all(highs >= 0) else None
    cost = np.zeros(blocks.size)
    if is_near:
        d = len(columns)
        deviations, offsets = blocks.deviations(target)
        zeros = np.zeros((len(rows), d + 1))
        each = np.hstack([np.tile(np.eye(d), (2, 1)), np.zeros((2 * d, 1))])
        largest = np.hstack([np.zeros((d, blocks.size)), np.eye(d), -np.ones((d, 1))])
        rows = np.vstack([np.hstack([rows, zeros]), np.hstack([deviations, -each]), largest])
        lows = np.concatenate([lows, np.full(3 * d, -np.inf)])
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
        constraints=[LinearConstraint(rows, lows, highs), LinearConstraint(ones, 1.0, 1.0)],
        options=_NEAR_ENOUGH if is_near else {},
    )
    return None if result.x is None else blocks.row(result.x, target)


def _has_levels(axis: Axis) -> TypeGuard[ChoiceAxis]:
    """Whether no single number counts the values of a choice."""
    return isinstance(axis, ChoiceAxis) and axis.grid is None


class _Blocks:
    """Variables: a float as a share of its range, a step's number, or one 0/1 for each level.

    Attributes:
        size: Number of variables.
        lows: Of each.
        highs: Of each.
        integrality: 1 where whole numbers are needed.
        one_level: One row for each choice; its variables add up to 1.
    """

    def __init__(self, encoding: Encoding, columns: npt.NDArray[np.intp]) -> None:
        self._encoding = encoding
        axes: list[Axis] = [encoding.axes[column] for column in columns]
        counts = [len(axis.values) if _has_levels(axis) else 1 for axis in axes]
        ends = np.cumsum([0, *counts])
        self.size = int(ends[-1])
        self._blocks: list[tuple[int, Axis, slice]] = [
            (int(column), axis, slice(int(a), int(b)))
            for column, axis, (a, b) in zip(columns, axes, pairwise(ends), strict=True)
        ]
        self.lows, self.highs = np.zeros(self.size), np.ones(self.size)
        self.integrality = np.ones(self.size)
        choices = []
        for _, axis, block in self._blocks:
            if _has_levels(axis):
                choices.append(np.zeros(self.size))
                choices[-1][block] = 1.0
            elif axis.grid is not None:
                self.highs[block] = axis.width
            else:
                self.integrality[block] = 0
        self.one_level = np.array(choices).reshape(len(choices), self.size)

    def constraints(self, limits: Limits) -> tuple[Array, Array]:
        """Return the limits in these variables, the largest coefficient of each 1."""
        rows, highs = np.zeros((len(limits.bounds), self.size)), limits.bounds.copy()
        for column, axis, block in self._blocks:
            of_axis = limits.coefficients[:, column]
            if _has_levels(axis):
                rows[:, block] = of_axis[:, None] * axis.values
            else:
                low, unit = axis.grid or (axis.low, axis.width)
                rows[:, block] = of_axis[:, None] * float(unit)
                highs -= of_axis * float(low)
        scale = np.abs(rows).max(axis=1, initial=0.0)
        scale[scale == 0] = 1.0
        return rows / scale[:, None], highs / scale

    def deviations(self, target: Array) -> tuple[Array, Array]:
        """Return M, c with M·variables - deviation <= c, twice for each axis: both signs."""
        M, c = np.zeros((len(self._blocks), self.size)), np.zeros(len(self._blocks))
        for i, (column, axis, block) in enumerate(self._blocks):
            if _has_levels(axis):
                distance = np.abs(np.arange(axis.levels) - target[column]) / axis.levels
                M[i, block] = distance if axis.is_ordered else 0.5 * (distance > 0)
                continue
            weight = 1.0
            if not isinstance(axis, ChoiceAxis) and axis.is_log:
                slope = float(axis.slope(target[column : column + 1])[0])
                weight = min(axis.width / slope, _MAX_WEIGHT)
            M[i, block] = weight if isinstance(axis, FloatAxis) else weight / axis.width
            c[i] = weight * (target[column] - axis.low) / axis.width
        return np.vstack([M, -M]), np.concatenate([c, -c])

    def row(self, solution: Array, target: Array) -> Array:
        """Return the row of a solution."""
        row = target.copy()
        for column, axis, block in self._blocks:
            if _has_levels(axis):
                row[column] = float(np.argmax(solution[block]))
            elif axis.grid is not None:
                row[column] = round(float(solution[block][0]))
            else:
                share = min(max(float(solution[block][0]), 0.0), 1.0)
                row[column] = axis.low + axis.width * share
        return row
