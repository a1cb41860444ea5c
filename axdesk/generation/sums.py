"""Linear constraints as a laboratory computes them: in plain floats, from left to right."""

from fractions import Fraction

import numpy as np

from axdesk.core.constraints import ParameterConstraint
from axdesk.generation.encoding import Array, Encoding


class Sums:
    """The left sides of some constraints over the rows of an encoding.

    Attributes:
        signs: Of each, -1.0 for >=, else 1.0.
        lengths: Number of terms of each.
    """

    def __init__(self, encoding: Encoding, constraints: list[ParameterConstraint]) -> None:
        """Prepare them.

        Args:
            encoding: Has every parameter that they name.
            constraints: Any number.
        """
        self._encoding = encoding
        names = [*(axis.parameter.name for axis in encoding.axes), *encoding.fixed]
        # What is fixed stands behind the numbers of a row, and a 0 behind it for terms that lack.
        fixed = [
            0.0 if isinstance(value, str) else float(value) for value in encoding.fixed.values()
        ]
        self._constants = np.array([*fixed, 0.0])
        shape = len(constraints), max((len(one.terms) for one in constraints), default=0)
        self._factors, self._places = np.zeros(shape), np.full(shape, len(names))
        for i, one in enumerate(constraints):
            for j, (name, factor) in enumerate(one.terms):
                self._factors[i, j], self._places[i, j] = factor, names.index(name)
        self._bounds = np.array([one.bound for one in constraints])
        self.signs = np.array([-1.0 if one.operator == ">=" else 1.0 for one in constraints])
        self.lengths = np.array([len(one.terms) for one in constraints])

    def _terms(self, rows: Array) -> Array:
        numbers = self._encoding.numbers(rows)
        constants = np.broadcast_to(self._constants, (len(rows), len(self._constants)))
        return np.asarray(self._factors * np.hstack([numbers, constants])[:, self._places])

    def excess(self, rows: Array) -> tuple[Array, Array]:
        """Return by how much each row exceeds each bound, and the largest number in each.

        Both are rows × constraints; below a lower bound exceeds it.
        """
        terms = self._terms(rows)
        total = np.zeros(terms.shape[:2])
        for j in range(terms.shape[2]):
            total = total + terms[:, :, j]
        sizes = np.maximum(np.abs(self._bounds), np.abs(terms).max(axis=2, initial=0.0))
        return self.signs * (total - self._bounds), sizes

    def exact_excess(self, row: Array, i: int) -> float:
        """Return by how much the exact sum of a row's numbers exceeds bound `i`; its sign is."""
        numbers = [*self._encoding.numbers(row[None])[0].tolist(), *self._constants.tolist()]
        total = sum(
            Fraction(factor) * Fraction(numbers[place])
            for factor, place in zip(self._factors[i].tolist(), self._places[i], strict=True)
        )
        return float(Fraction(self.signs[i]) * (total - Fraction(self._bounds[i])))
