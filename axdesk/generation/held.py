"""Candidates of which some parameters are held at a value, while the model knows all values."""

import numpy as np

from axdesk.generation.acquisition import Term
from axdesk.generation.encoding import Array, Encoding


class Lift:
    """From the rows and features of a narrowed search space to those of the whole one."""

    def __init__(self, whole: Encoding, narrow: Encoding) -> None:
        names = {axis.parameter.name for axis in narrow.axes}
        kept = [axis.parameter.name in names for axis in whole.axes]
        widths = [axis.features for axis in whole.axes]
        self._columns = np.flatnonzero(kept)
        self._features = np.flatnonzero(np.repeat(kept, widths))
        row = whole.row(narrow.parameterization(narrow.start()[0]))
        assert row is not None, "a point of the narrowed space is one of the whole"
        self._around = whole.features(row[None])[0]

    def narrow_rows(self, rows: Array) -> Array:
        """Return the rows without what is held."""
        return np.asarray(rows[:, self._columns])

    def narrow_features(self, features: Array) -> Array:
        """Return the features without those of what is held."""
        return np.asarray(features[..., self._features])

    def features(self, narrow: Array) -> Array:
        """Return the features with those of what is held."""
        whole = np.broadcast_to(self._around, (*narrow.shape[:-1], len(self._around))).copy()
        whole[..., self._features] = narrow
        return whole


class LiftedTerm:
    """A term of an acquisition function of the whole space, over a narrowed one."""

    def __init__(self, whole: Term, lift: Lift) -> None:
        self._whole = whole
        self._lift = lift

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients if wanted."""
        values, gradients = self._whole(self._lift.features(X), with_gradient=with_gradient)
        return values, None if gradients is None else self._lift.narrow_features(gradients)
