"""Local maxima from many starts at once.

Projected BFGS: coordinates at a bound whose gradient points outward are held, the others take a
quasi-Newton step that is cut back until it gains enough (Bertsekas 1982; Nocedal and Wright 2006,
chapters 3 and 6). Each start has a matrix of its own; the function is asked for all at once.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from axdesk.generation.encoding import Array, Mask

Indices = npt.NDArray[np.intp]

_MOST_ROUNDS = 60
_ENOUGH_GAIN = 1e-4
"""Share of the gain that the slope promises."""

_FLAT = 1e-3
"""Gradient, in steps of a preconditioned unit, below which a start has arrived."""

_PATIENCE = 5
_HOPE = 4.0
"""After some rounds a start is given up that would stay below the best so far even if it gained so
many times what its next step promises; most rounds would go to such starts alone."""

_LEAST_STEP = 1e-9
_LEAST_PROGRESS = 1e-5


def climbed(
    function: Callable[[Array, Indices], tuple[Array, Array]], starts: Array, steps: Array
) -> Array:
    """Return the best of the local maxima within the unit cube, one row for each start.

    A start that cannot become the best is left where it is by then, never lower than it was.

    Args:
        function: Of q × k points and the numbers of their starts: values, q, and gradients, q × k.
        starts: m × k, within [0, 1].
        steps: k of them, over which the function changes much; by them the first steps are scaled.
    """
    x = starts.copy()
    values, gradients = function(x, np.arange(len(x)))
    inverse = np.tile(np.diag(steps**2), (len(x), 1, 1))
    is_fresh = np.ones(len(x), bool)
    moves = _directions(x, gradients, inverse, steps, is_fresh)
    reach = np.ones(len(x))
    active = np.flatnonzero(_slopes(x, gradients, steps) > _FLAT)
    for number in range(_MOST_ROUNDS):
        if not len(active):
            break
        tried = np.clip(x[active] + reach[active, None] * moves[active], 0.0, 1.0)
        step = tried - x[active]
        new_values, new_gradients = function(tried, active)
        promised = np.einsum("mk,mk->m", gradients[active], step)
        gained = new_values - values[active]
        is_good = gained >= _ENOUGH_GAIN * promised
        is_good &= np.isfinite(new_values)
        done = np.zeros(len(active), bool)

        good, bad = active[is_good], active[~is_good]
        if len(good):
            change = gradients[good] - new_gradients[is_good]  # of what is made small
            taken = step[is_good]
            _update(inverse, is_fresh, good, taken, change)
            x[good], values[good] = tried[is_good], new_values[is_good]
            gradients[good] = new_gradients[is_good]
            reach[good] = 1.0
            now = x[good], gradients[good]
            moves[good] = _directions(*now, inverse[good], steps, is_fresh[good])
            done[is_good] = _slopes(*now, steps) <= _FLAT
            done[is_good] |= gained[is_good] <= _LEAST_PROGRESS
        if len(bad):
            with np.errstate(divide="ignore", invalid="ignore"):
                # Where the parabola through both values with this slope is highest.
                best = 0.5 * promised[~is_good] / (promised[~is_good] - gained[~is_good])
            best = np.where(np.isfinite(best), np.clip(best, 0.1, 0.5), 0.1)
            reach[bad] *= best
            largest = np.abs(step[~is_good]).max(axis=1)
            done[~is_good] = largest * best < _LEAST_STEP
        active = active[~done]
        if number >= _PATIENCE:
            promised = np.einsum("mk,mk->m", gradients[active], moves[active])
            active = active[values[active] + _HOPE * promised >= np.fmax.reduce(values)]
    return x


def _held(x: Array, gradients: Array) -> Mask:
    return ((x <= 0.0) & (gradients <= 0.0)) | ((x >= 1.0) & (gradients >= 0.0))


def _slopes(x: Array, gradients: Array, steps: Array) -> Array:
    """Return how steep each point is, in preconditioned units."""
    free = np.where(_held(x, gradients), 0.0, gradients)
    return np.asarray(np.abs(free * steps).max(axis=1, initial=0.0))


def _directions(x: Array, gradients: Array, inverse: Array, steps: Array, is_fresh: Mask) -> Array:
    free = np.where(_held(x, gradients), 0.0, gradients)
    moves = np.einsum("mij,mj->mi", inverse, free)
    moves[_held(x, gradients)] = 0.0
    falls = np.einsum("mi,mi->m", moves, gradients) <= 0.0
    moves[falls] = free[falls] * steps**2
    # The first step knows no curvature, and no step shall leave the basin at once.
    size = np.abs(moves / steps).max(axis=1, initial=0.0)
    most = np.where(is_fresh, 0.25, 1.0)
    return np.asarray(moves * np.minimum(1.0, most / np.maximum(size, 1e-300))[:, None])


def _update(inverse: Array, is_fresh: Mask, rows: Indices, taken: Array, change: Array) -> None:
    """Let the inverse Hessians of some rows learn from a step and the change of the gradient."""
    curvature = np.einsum("mk,mk->m", taken, change)
    sizes = np.sqrt(np.einsum("mk,mk->m", taken, taken) * np.einsum("mk,mk->m", change, change))
    useful = curvature > 1e-10 * sizes
    rows, s, y, rho = rows[useful], taken[useful], change[useful], 1.0 / curvature[useful]
    if not len(rows):
        return
    H = inverse[rows]
    Hy = np.einsum("mij,mj->mi", H, y)
    first = is_fresh[rows]
    if first.any():
        factor = 1.0 / (rho[first] * np.einsum("mi,mi->m", y[first], Hy[first]))
        H[first] *= factor[:, None, None]
        Hy[first] *= factor[:, None]
    yHy = np.einsum("mi,mi->m", y, Hy)
    outer = np.einsum("mi,mj->mij", s, Hy)
    H -= rho[:, None, None] * (outer + outer.transpose(0, 2, 1))
    H += ((1.0 + rho * yHy) * rho)[:, None, None] * np.einsum("mi,mj->mij", s, s)
    inverse[rows] = H
    is_fresh[rows] = False
