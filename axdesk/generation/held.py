"""Candidates of which some parameters are held at a value, while the model knows all values."""

import numpy as np

from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.search import Acquisition


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

    def columns(self, narrow: tuple[int, ...]) -> tuple[int, ...]:
        """Return where features of the narrowed space stand in the whole one."""
        return tuple(int(self._features[column]) for column in narrow)


class LiftedAcquisition:
    """An acquisition function of the whole space, over a narrowed one."""

    def __init__(self, whole: Acquisition, lift: Lift) -> None:
        self._whole = whole
        self._lift = lift

    def values(self, features: Array) -> Array:
        """Return the value at each of n points."""
        return self._whole.values(self._lift.features(features))

    def value_and_gradient(self, features: Array) -> tuple[float, Array]:
        """Return the value at one point and its gradient."""
        value, gradient = self._whole.value_and_gradient(self._lift.features(features))
        return value, self._lift.narrow_features(gradient)

    def climbed(self, starts: Array, columns: tuple[int, ...]) -> Array:
        """Return local maxima over some columns within [0, 1]."""
        climbed = self._whole.climbed(self._lift.features(starts), self._lift.columns(columns))
        return self._lift.narrow_features(climbed)
