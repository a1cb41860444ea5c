"""What a point is worth, in logs and in closed form, with derivatives by mean and variance.

Larger is better throughout. Expected improvement as in Ament et al. (2023), arXiv 2310.20708;
limits as in Gardner et al. (2014); hypervolume as in Emmerich, Yang, Deutz, Wang and Fonseca (2016)
and Yang, Emmerich, Deutz and Bäck (2019), here in logs.
"""

import math
from collections.abc import Callable

import numpy as np
from scipy.special import erfcx, log_ndtr, logsumexp, ndtr, stdtr

from axdesk.generation.encoding import Array

_LOG_ROOT_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_ROOT_HALF_PI = math.sqrt(math.pi / 2.0)
_ROOT_HALF = math.sqrt(0.5)

_LEAST_GAP = -1e-15
"""Two edges of a strip never have the same worth."""

_LEAST_REACH = 1e-9
"""A target that was met exactly can still be met again elsewhere."""

_SMALL_REACH = 1e-3
"""In spreads."""

_FAR_OUT = -100.0
"""Below which h(z) is computed by a series."""


def log_h(z: Array) -> tuple[Array, Array]:
    """Return ln h(z), h = φ + zΦ, the expected improvement over -z of a standard normal; and Φ/h.

    The second is the derivative of the first.
    """
    z = np.asarray(z, dtype=np.float64)
    result, slope = np.empty(z.shape), np.empty(z.shape)
    high = z > -1.0
    at = z[high]
    below = ndtr(at)
    value = np.exp(-0.5 * at * at - _LOG_ROOT_TWO_PI) + at * below
    result[high], slope[high] = np.log(value), below / value
    at = z[~high]
    # h = φ(z)(1 + z Φ/φ); the difference is lost to rounding far out, where its series takes over.
    ratio = _ROOT_HALF_PI * erfcx(-at * _ROOT_HALF)
    inverse = 1.0 / (at * at)
    series = inverse * (1.0 - 3.0 * inverse * (1.0 - 5.0 * inverse))
    bracket = np.where(at > _FAR_OUT, 1.0 + at * ratio, series)
    result[~high] = -0.5 * at * at - _LOG_ROOT_TWO_PI + np.log(bracket)
    slope[~high] = ratio / bracket
    return result, slope


def log_improvement(means: Array, variances: Array, best: Array) -> tuple[Array, Array, Array]:
    """Return ln E(Y - best)⁺ of q normal variables, and its derivatives by mean and variance.

    Args:
        means: q, or q × draws.
        variances: Of their shape, or q × 1.
        best: A number, or one for each draw.
    """
    spread = np.sqrt(variances)
    z = (means - best) / spread
    log, slope = log_h(z)
    return np.log(spread) + log, slope / spread, (1.0 - z * slope) / (2.0 * variances)


def log_target_improvement(
    means: Array, variances: Array, best: Array
) -> tuple[Array, Array, Array]:
    """Return ln E(-|Y| - best)⁺ of q normal variables, and its derivatives by mean and variance.

    With c = -best it is H(-c) - 2H(0) + H(c), H(a) = E(Y - a)⁺; where c is small beside the spread,
    c² times the density at 0, for the sum then cancels.

    Args:
        means: q, or q × draws, of distances from the target.
        variances: Of their shape, or q × 1.
        best: A number of at most 0, or one for each draw.
    """
    reach = np.maximum(-np.asarray(best), _LEAST_REACH)
    side = np.where(means > 0.0, -1.0, 1.0)
    mirrored = side * means  # at most 0, so that H(-c) is the largest of the three
    near, near_mean, near_variance = log_improvement(mirrored, variances, -reach)
    centre, centre_mean, centre_variance = log_improvement(mirrored, variances, np.array(0.0))
    far, far_mean, far_variance = log_improvement(mirrored, variances, reach)
    twice, once = 2.0 * np.exp(centre - near), np.exp(far - near)
    rest = np.maximum(1.0 - twice + once, 1e-300)
    value = near + np.log(rest)
    by_mean = (near_mean - twice * centre_mean + once * far_mean) / rest
    by_variance = (near_variance - twice * centre_variance + once * far_variance) / rest

    flat = reach < _SMALL_REACH * np.sqrt(variances)
    squares = means * means / variances
    density = -0.5 * (squares + np.log(variances)) - _LOG_ROOT_TWO_PI
    value = np.where(flat, 2.0 * np.log(reach) + density, value)
    by_mean = np.where(flat, -mirrored / variances, by_mean)
    by_variance = np.where(flat, 0.5 * (squares - 1.0) / variances, by_variance)
    return value, side * by_mean, by_variance


Excess = Callable[[Array, Array, Array], tuple[Array, Array, Array]]
"""`log_improvement` or `log_target_improvement`."""


def log_mean_improvement(
    means: Array, variances: Array, best: Array, excess: Excess = log_improvement
) -> tuple[Array, Array, Array]:
    """Return the logarithm of the improvement's mean over draws, and its derivatives.

    Args:
        means: q × draws.
        variances: q.
        best: One for each draw.
        excess: Whose mean it is.
    """
    each, by_mean, by_variance = excess(means, variances[:, None], best)
    total = logsumexp(each, axis=1)
    shares = np.exp(each - total[:, None])
    value = total - math.log(means.shape[1])
    return value, shares * by_mean, (shares * by_variance).sum(axis=1)


def log_kept(means: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Return ln P(Y ≥ 0) of q normal variables, and its derivatives by mean and variance."""
    spread = np.sqrt(variances)
    z = means / spread
    log = log_ndtr(z)
    slope = np.exp(-0.5 * z * z - _LOG_ROOT_TWO_PI - log)
    return log, slope / spread, -0.5 * slope * z / variances


def log_nearly_kept(means: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Return `log_kept` with the fat tails of Student's t, of 4 degrees of freedom.

    While nothing is known to keep the limits, the tails of the normal are what is least known.
    """
    spread = np.sqrt(variances)
    z = means / spread
    chance = stdtr(4.0, z)
    slope = 0.375 * (1.0 + 0.25 * z * z) ** -2.5 / chance
    return np.log(chance), slope / spread, -0.5 * slope * z / variances


def log_hypervolume_improvement(
    means: Array,
    variances: Array,
    strips: Array,
    excesses: tuple[Excess, Excess] = (log_improvement, log_improvement),
) -> tuple[Array, Array, Array]:
    """Return the logarithm of the expected gain of hypervolume, two objectives, and derivatives.

    The region that no known point dominates is cut into strips: between `low` and `high` of the
    first objective the second one gains above `floor`. The gain of a strip is
    E[(Y₁ - low)⁺ - (Y₁ - high)⁺] E(Y₂ - floor)⁺.

    Args:
        means: q × 2.
        variances: q × 2.
        strips: k × 3, of low, high (infinite for the last) and floor.
        excesses: E(· - a)⁺ of each of the two.

    Returns:
        The values, q, and their derivatives by means and variances, q × 2 each.
    """
    low, high, floor = strips.T
    m1, m2 = means[:, :1], means[:, 1:]
    v1, v2 = variances[:, :1], variances[:, 1:]
    a, a_mean, a_variance = excesses[0](m1, v1, low)
    b, b_mean, b_variance = excesses[0](m1, v1, np.where(np.isinf(high), 0.0, high))
    c, c_mean, c_variance = excesses[1](m2, v2, floor)
    gone = np.where(np.isinf(high), 0.0, np.exp(np.minimum(b - a, _LEAST_GAP)))
    rest = 1.0 - gone
    first = a + np.log(rest)
    by_first_mean = (a_mean - gone * b_mean) / rest
    by_first_variance = (a_variance - gone * b_variance) / rest
    each = first + c
    total = logsumexp(each, axis=1)
    shares = np.exp(each - total[:, None])
    by_means = np.column_stack(
        [(shares * by_first_mean).sum(axis=1), (shares * c_mean).sum(axis=1)]
    )
    by_variances = np.column_stack(
        [(shares * by_first_variance).sum(axis=1), (shares * c_variance).sum(axis=1)]
    )
    return total, by_means, by_variances


def strips(front: Array, reference: Array) -> Array:
    """Return the strips above a front of two objectives.

    Args:
        front: k × 2, none dominated by another.
        reference: Below which nothing counts.

    Returns:
        Rows of low, high and floor; see `log_hypervolume_improvement`.
    """
    front = front[np.all(front > reference, axis=1)]
    front = front[np.argsort(front[:, 0])]
    edges = np.concatenate([[reference[0]], front[:, 0], [np.inf]])
    floors = np.concatenate([front[:, 1], [reference[1]]])
    return np.column_stack([edges[:-1], edges[1:], floors])
