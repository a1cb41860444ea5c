"""A Gaussian process in closed form: kernel, fit, posterior and their gradients.

The kernel is Matérn-5/2 with a length scale for each feature, k = s²(1 + r√5 + 5r²/3)e^(-r√5),
r² = Σ(Δxₖ/lₖ)². The constant mean is the one of largest likelihood, 1ᵀK⁻¹y / 1ᵀK⁻¹1. Values are
standardised by the caller. Formulas: Rasmussen and Williams (2006), sections 2.2, 5.4; prior of the
length scales: Hvarfner, Hellsten and Nardi (2024), arXiv 2402.02229.
"""

import math

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs, dtrtrs
from scipy.optimize import fmin_l_bfgs_b
from scipy.spatial.distance import cdist

from axdesk.generation.encoding import Array
from axdesk.generation.surrogate import MetricData, Scale

MIN_NOISE = 1e-8
"""Least variance of noise, of standardised values: what a Cholesky factor bears."""

_ROOT5 = math.sqrt(5.0)
_LOG_TWO_PI = math.log(2.0 * math.pi)

_LENGTH_BOUNDS = (math.log(1e-3), math.log(1e3))
_SCALE_BOUNDS = (math.log(1e-3), math.log(1e4))
_NOISE_BOUNDS = (math.log(MIN_NOISE), math.log(10.0))
_LENGTH_SPREAD = math.sqrt(3.0)
_SCALE_SPREAD = 2.0
_NOISE_CENTER, _NOISE_SPREAD = -12.0, 4.0
"""Of the logarithms' normal priors; the noise's is wide, since most laboratories have little."""

_MUCH_NOISE = math.log(0.1)

_COARSE = 40
"""Values up to which a fit starts from the prior; above it, from the fit to a part of them."""

_MOST_SEM = 1e3
"""A value known no better than to a thousand spreads says nothing; more would only overflow."""

_MOST_FITTED = 300
"""Values that hyper-parameters are fitted to; all of them are learnt from."""


_GRAIN = 2.0**-10
"""Of the logarithms of hyper-parameters."""

_LEAST_VARIANCE = 1e-12
"""Of a value that is known, as a share of the process's variance."""

_JITTERS = (0.0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4)


def kernel(squares: Array) -> tuple[Array, Array]:
    """Return the correlation at squared distances, and (x - x') times what makes it its slope.

    The gradient of the correlation by x is minus the second result times (x - x') / l².
    """
    rooted = np.sqrt(5.0 * squares)
    decay = np.exp(-rooted)
    slope = (1.0 + rooted) * decay
    correlation = slope + (5.0 / 3.0) * squares * decay
    slope *= 5.0 / 3.0
    return correlation, slope


class GaussianProcess:
    """A fitted process over features, conditioned on values.

    Attributes:
        X: n × features.
        scaled: X in length scales.
        lengths: One of each feature.
        scale: Variance s² of the process.
        noise: n variances of the values.
        mean: The constant mean.
        y: n values, or n × draws.
        weights: Their shape; the covariance's inverse times what is above the mean.
        root: Lower Cholesky factor of the covariance of the values.
    """

    def __init__(
        self, X: Array, y: Array, noise: Array, lengths: Array, scale: float, mean: float | None
    ) -> None:
        """Condition on values.

        Args:
            X: n × features.
            y: n, or n × draws of values whose covariance is the same.
            noise: n variances.
            lengths: One of each feature.
            scale: Variance of the process.
            mean: None for the mean of largest likelihood.

        Raises:
            ValueError: If the numbers defeat the factorization.
        """
        self.X, self.lengths, self.scale, self.noise = X, lengths, scale, noise
        self.scaled = X / lengths
        correlation, _ = kernel(cdist(self.scaled, self.scaled, "sqeuclidean"))
        covariance = scale * correlation
        self.root = _factor(covariance, noise)
        if mean is None:
            ones = _solved(self.root, np.ones(len(X)))
            mean = float(ones @ y / ones.sum())
        self.mean = mean
        self.y = y
        self.weights = _solved(self.root, y - mean)

    def at(self, X: Array) -> "ProcessAt":
        """Return what is known of q points."""
        return ProcessAt(self, X)

    def posterior(self, X: Array) -> tuple[Array, Array]:
        """Return means, q or q × draws, and variances, q, of the noise-free values at q points."""
        at = self.at(X)
        return at.means, at.variances

    def left_out(self) -> tuple[Array, Array]:
        """Return mean and variance of each value, predicted from all others.

        In closed form, Rasmussen and Williams (2006), equation 5.12; the variance is a reading's.
        """
        precision = _inverse(self.root).diagonal()
        return self.y - self.weights / precision, 1.0 / precision

    def extended(self, X: Array, y: Array, noise: float = MIN_NOISE) -> "GaussianProcess":
        """Return the process that also knows values at further points; nothing is fitted again.

        Args:
            X: b × features.
            y: b, or b × draws.
            noise: Variance of the further values.
        """
        known = self.y
        if y.ndim > known.ndim:
            known = np.repeat(known[:, None], y.shape[1], axis=1)
        return GaussianProcess(
            np.vstack([self.X, X]),
            np.concatenate([known, y]),
            np.concatenate([self.noise, np.full(len(X), noise * max(self.scale, 1.0))]),
            self.lengths,
            self.scale,
            self.mean,
        )


class ProcessAt:
    """The posterior of the noise-free values at q points, and its gradients.

    Attributes:
        means: q, or q × draws.
        variances: q.
    """

    def __init__(self, process: GaussianProcess, X: Array) -> None:
        self._process, self._X = process, X
        self._scaled = X / process.lengths
        correlation, self._slope = kernel(cdist(self._scaled, process.scaled, "sqeuclidean"))
        cross = process.scale * correlation
        self._halves, _ = dtrtrs(process.root, cross.T, lower=1)
        self.means = process.mean + cross @ process.weights
        left = process.scale - np.einsum("nq,nq->q", self._halves, self._halves)
        self.variances: Array = np.maximum(left, _LEAST_VARIANCE * process.scale)

    def covariances(self) -> Array:
        """Return the covariances of the q values, q × q."""
        correlation, _ = kernel(cdist(self._scaled, self._scaled, "sqeuclidean"))
        return np.asarray(self._process.scale * correlation - self._halves.T @ self._halves)

    def gradient(self, by_mean: Array, by_variance: Array) -> Array:
        """Return the gradient of a function of means and variances, q × features.

        Args:
            by_mean: Its derivatives by the means, of their shape.
            by_variance: Its derivatives by the variances, q.
        """
        process = self._process
        weights = process.weights
        solved, _ = dtrtrs(process.root, self._halves, lower=1, trans=1)
        pulls = by_mean[:, None] * weights if weights.ndim == 1 else by_mean @ weights.T
        pulls = pulls - 2.0 * by_variance[:, None] * solved.T
        pulls *= process.scale * self._slope
        moved = pulls @ process.X - self._X * pulls.sum(axis=1)[:, None]
        return np.asarray(moved / process.lengths**2)


def _factor(covariance: Array, noise: Array) -> Array:
    """Return the lower Cholesky factor of a covariance and noise; Fortran order."""
    size = float(covariance[0, 0]) if len(covariance) else 1.0
    for jitter in _JITTERS:
        matrix = covariance.copy(order="F")
        matrix.ravel(order="K")[:: len(matrix) + 1] += noise + jitter * size
        root, failed = dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
        if not failed:
            return np.asarray(root)
    raise ValueError("the covariance of the results cannot be factorized")


def _solved(root: Array, right: Array) -> Array:
    solution, _ = dpotrs(root, right, lower=1)
    return np.asarray(solution)


def _inverse(root: Array) -> Array:
    # The upper triangle stays zero.
    lower, _ = dpotri(root, lower=1)
    inverse = lower + lower.T
    inverse.ravel()[:: len(root) + 1] *= 0.5
    return np.asarray(inverse)


class Likelihood:
    """The negative logarithm of the posterior density of the hyper-parameters.

    They are the logarithms of the length scales, of the variance of the process and, where the
    noise of some value is unknown, of one variance of it.
    """

    def __init__(self, X: Array, y: Array, noise: Array) -> None:
        """Prepare the data.

        Args:
            X: n × features.
            y: n, standardised.
            noise: n variances; NaN for unknown.
        """
        self._X, self._y = X, y
        self._right = np.column_stack([y, np.ones(len(y))])
        self._is_unknown = np.isnan(noise)
        self._noise = np.where(self._is_unknown, 0.0, np.maximum(noise, MIN_NOISE))
        self.learns_noise = bool(self._is_unknown.any())
        self._features = X.shape[1]
        self._length_center = math.sqrt(2.0) + math.log(self._features) / 2.0
        centers = [*[self._length_center] * self._features, 0.0]
        spreads = [*[_LENGTH_SPREAD] * self._features, _SCALE_SPREAD]
        # A log-normal density of the value itself falls by the value; the others are of the logs.
        own = [*[1.0] * self._features, 0.0]
        if self.learns_noise:
            centers.append(_NOISE_CENTER)
            spreads.append(_NOISE_SPREAD)
            own.append(0.0)
        self._centers, self._spreads, self._own = map(np.array, (centers, spreads, own))

    @property
    def starts(self) -> list[Array]:
        """Where fits begin: at the mode of the prior, and with much noise if it is unknown.

        Short length scales explain noise as well, and from one to the other there is no way.
        """
        mode = self._centers - self._own * self._spreads**2
        if not self.learns_noise:
            return [mode]
        much = mode.copy()
        much[-1] = _MUCH_NOISE
        return [mode, much]

    def at(self, process: GaussianProcess) -> Array:
        """Return the hyper-parameters of a process, within the bounds."""
        values = [*process.lengths, process.scale]
        values += [float(process.noise.mean())] if self.learns_noise else []
        return np.asarray(np.clip(np.log(values), *np.array(self.bounds).T))

    @property
    def bounds(self) -> list[tuple[float, float]]:
        """Of each hyper-parameter."""
        bounds = [*[_LENGTH_BOUNDS] * self._features, _SCALE_BOUNDS]
        return [*bounds, _NOISE_BOUNDS] if self.learns_noise else bounds

    def noise(self, logs: Array) -> Array:
        """Return the n variances at hyper-parameters."""
        if not self.learns_noise:
            return self._noise
        return self._noise + self._is_unknown * math.exp(logs[-1])

    def __call__(self, logs: Array) -> tuple[float, Array]:
        """Return the value and its gradient.

        Gradient: ½ Σ (K⁻¹ - ααᵀ)∘∂K with α = K⁻¹(y - m); by ln lₖ, ∂K = s² g Δxₖ²/lₖ². All
        features at once by Σᵢⱼ Wᵢⱼ(xᵢ - xⱼ)² = 2(Σᵢ xᵢ² Σⱼ Wᵢⱼ - xᵀWx).
        """
        d = self._features
        lengths, scale = np.exp(logs[:d]), math.exp(logs[d])
        scaled = self._X / lengths
        correlation, slope = kernel(cdist(scaled, scaled, "sqeuclidean"))
        correlation *= scale
        root = _factor(correlation, self.noise(logs))
        y, solved = self._y, _solved(root, self._right)
        above, below = solved.sum(axis=0)
        mean = above / below
        alpha = solved[:, 0] - mean * solved[:, 1]
        inverse = _inverse(root)
        off = (logs - self._centers) / self._spreads
        value = (
            0.5 * float((y - mean) @ alpha)
            + float(np.log(root.diagonal()).sum())
            + 0.5 * len(y) * _LOG_TWO_PI
            + 0.5 * float(off @ off)
            + float(self._own @ logs)
        )
        gap = inverse - alpha[:, None] * alpha
        gradient = off / self._spreads + self._own
        pulls = gap * slope
        pulls *= scale
        sums = pulls.sum(axis=1)
        gradient[:d] += (scaled * scaled * sums[:, None] - scaled * (pulls @ scaled)).sum(axis=0)
        gradient[d] += 0.5 * float(np.vdot(gap, correlation))
        if self.learns_noise:
            trace = float(gap.diagonal() @ self._is_unknown)
            gradient[-1] += 0.5 * trace * math.exp(logs[-1])
        return value, gradient


def fitted(
    X: Array, y: Array, noise: Array, near: GaussianProcess | None = None
) -> GaussianProcess:
    """Return the process with the hyper-parameters of the largest posterior density.

    Args:
        X: n × features.
        y: n, standardised.
        noise: n variances; NaN for unknown.
        near: A process of other values at the same points, from whose hyper-parameters the fit
            starts; None for a start that knows nothing.

    Raises:
        ValueError: If the numbers defeat the fit.
    """
    some = np.unique(np.linspace(0, len(y) - 1, min(len(y), _MOST_FITTED)).astype(int))
    part = X[some], y[some], noise[some]
    if near is None:
        logs = _hyper_parameters(*part)
    else:
        likelihood = Likelihood(*part)
        logs = minimized(likelihood, likelihood.at(near))
    d = X.shape[1]
    return GaussianProcess(
        X, y, Likelihood(X, y, noise).noise(logs), np.exp(logs[:d]), math.exp(logs[d]), mean=None
    )


def _hyper_parameters(X: Array, y: Array, noise: Array) -> Array:
    """Return the logarithms that `Likelihood` takes, where it is least.

    Up to some tens of values fits start from the prior. With more, one starts from the fit to every
    second value, which starts likewise: as good as a start from the fit that an earlier suggestion
    made, but with no memory, so that a resumed run suggests the same.
    """
    likelihood = Likelihood(X, y, noise)
    starts = likelihood.starts
    part = slice(len(y) % 2, None, 2)
    if len(y) > _COARSE and np.isnan(noise[part]).any() == likelihood.learns_noise:
        coarse = _hyper_parameters(X[part], y[part], noise[part])
        starts = [coarse, *starts[1:]] if len(y) <= 2 * _COARSE else [coarse]
    found = [minimized(likelihood, start) for start in starts]
    return min(found, key=lambda logs: likelihood(logs)[0])


def minimized(likelihood: Likelihood, start: Array) -> Array:
    """Return hyper-parameters where the likelihood is least, near a start.

    They are rounded: what the order of a sum does to the last digits ends here.
    """
    found, value, _ = fmin_l_bfgs_b(
        likelihood, start, bounds=likelihood.bounds, pgtol=0.5, factr=1e12, maxiter=100, maxls=20
    )
    if not math.isfinite(value):
        raise ValueError("the model's likelihood is no finite number")
    return np.asarray(np.round(found / _GRAIN) * _GRAIN)


def metric_process(known: MetricData, scale: Scale) -> GaussianProcess:
    """Return the process of a metric's standardised values.

    Raises:
        ValueError: If the numbers defeat the fit.
    """
    means = np.array([observation.mean for observation in known.observations])
    sems = [observation.sem for observation in known.observations]
    noise = [np.nan if sem is None else min(sem / scale.spread, _MOST_SEM) ** 2 for sem in sems]
    return fitted(known.features, scale.standardised(means), np.array(noise))
