"""What a point is worth: a sum of logarithms over features, with gradients."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from axdesk.generation.climbing import Indices, climbed
from axdesk.generation.encoding import Array

_CHUNK = 1024


class Term(Protocol):
    """One of the logarithms."""

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients, q × features, if wanted."""
        ...


class Acquisition:
    """An acquisition function over features; larger is better."""

    def __init__(self, terms: Sequence[Term], steps: Array) -> None:
        """Add up.

        Args:
            terms: At least one.
            steps: For each feature, over what distance the sum changes much.
        """
        self._terms, self._steps = terms, steps

    def values(self, features: Array) -> Array:
        """Return the value at each of n points."""
        chunks = [features[i : i + _CHUNK] for i in range(0, len(features), _CHUNK)]
        return np.concatenate(
            [np.sum([t(chunk, with_gradient=False)[0] for t in self._terms], 0) for chunk in chunks]
        )

    def value_and_gradient(self, features: Array) -> tuple[float, Array]:
        """Return the value at one point and its gradient."""
        values, gradients = self._values_and_gradients(features[None])
        return float(values[0]), gradients[0]

    def _values_and_gradients(self, X: Array) -> tuple[Array, Array]:
        values, gradients = np.zeros(len(X)), np.zeros(X.shape)
        for term in self._terms:
            value, gradient = term(X, with_gradient=True)
            assert gradient is not None, "it was asked for"
            values += value
            gradients += gradient
        return values, gradients

    def climbed(self, starts: Array, columns: Sequence[int]) -> Array:
        """Return local maxima over some columns within [0, 1], from starts of n × features."""
        used = list(columns)

        def function(X: Array, rows: Indices) -> tuple[Array, Array]:
            points = starts[rows]
            points[:, used] = X
            values, gradients = self._values_and_gradients(points)
            return values, gradients[:, used]

        moved = starts.copy()
        moved[:, used] = climbed(function, starts[:, used], self._steps[used])
        return moved
