"""Where trials work: the probability that one succeeds, learnt from those that did not.

The risk of a point is 0 where a trial completed and 1 where one failed, and a Gaussian process with
prior mean 0 over both; a trial works with the probability that its noisy risk is below one half. In
closed form, see Rasmussen and Williams (2006), section 6.5: least-squares classification. How far
a failure reaches along each feature, and whether failures are a matter of place or of luck, is
chosen as is said there: so that the trials, each left out in turn, are predicted best.
Nowhere is the probability zero. But a gain that grows on and on where trials fail outweighs any
odds, so that below fair ones the search is held back by more than they are.
"""

import math

import numpy as np
from scipy.linalg import cho_solve, cholesky
from scipy.spatial.distance import cdist
from scipy.special import log_ndtr

from axdesk.core.suggestions import Parameters, SuggestionRequest
from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.improvement import log_kept

_NOISES = (1.0, 0.2, 0.04, 0.01, 0.0025)
"""Variances beside the prior one of 1, the most cautious first: by it one failure alone makes the
odds even at its point. The inverse square of the failures' number is the least that is believed."""

_ENOUGH = 3
"""Failures from which their reach is learnt; before, each speaks for its surroundings alone."""

_FAIR = 0.65
"""Odds from which they count as they are."""

_CAUTION = 20.0
"""By how much more they count below, if all failures are foreseen; if half are, by nothing."""

_NEARBY = 0.2
_LENGTHS = (1.6, 0.8, 0.4, _NEARBY)
"""As shares of the unit cube's diagonal."""

_FACTORS = (4.0, 16.0)
"""By which the length scale of a feature may be longer. None is shorter than what is nearby:
failures along an edge would else be taken for so many odd spots."""

_LEAST_DISTANCE = 1e-10

_MOST_COMPARED = 128
"""Trials by which the noise and the length scales are chosen; all of them are learnt from."""


def workability(request: SuggestionRequest, encoding: Encoding) -> "Workability | None":
    """Return what the trials of a request say, None while none failed."""

    def rows(points: list[Parameters]) -> list[Array]:
        return [row for row in encoding.learnt_rows(points) if row is not None]

    failed = rows([point for _, point in request.failed])
    if not failed:
        return None
    worked = rows([point.parameters for point in request.observed])
    risks = np.repeat([0.0, 1.0], [len(worked), len(failed)])
    features = encoding.features(np.array([*worked, *failed]))
    return Workability(features, risks, diagonal=encoding.dimension**0.5)


class Workability:
    """The probability that a trial works, over features."""

    def __init__(self, features: Array, risks: Array, diagonal: float) -> None:
        """Learn from n trials.

        Args:
            features: n × features.
            risks: n of them, 0 of a trial that worked and 1 of one that did not.
            diagonal: Length of the diagonal of the unit cube.
        """
        self._noise, lengths = _shape(features, risks, diagonal)
        root, weights = _solved(features, risks, self._noise, lengths)
        self._lengths, self._features, self._weights = lengths, features / lengths, weights
        self._precision = cho_solve((root, True), np.eye(len(risks)))
        self._caution, self._fair = 0.0, math.log(_FAIR)
        failures = np.count_nonzero(risks)
        if failures >= _ENOUGH:
            left_out = risks - weights / np.diag(self._precision)
            foreseen = np.count_nonzero(left_out[risks > 0.5] > 0.5) / (failures + 2)
            self._caution = _CAUTION * max(2.0 * foreseen - 1.0, 0.0)

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return what the probability counts at each of q points, and its gradient if wanted.

        Its logarithm, and less below fair odds.

        Args:
            X: q × features.
            with_gradient: Whether the gradients, q × features, are wanted.
        """
        logs, gradient = self.odds(X, with_gradient=with_gradient)
        weights = np.where(logs < self._fair, 1.0 + self._caution, 1.0)
        logs = logs + self._caution * np.minimum(logs - self._fair, 0.0)
        return logs, None if gradient is None else weights[:, None] * gradient

    def odds(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the logarithm of the probability at each of q points, and its gradient if wanted.

        Args:
            X: q × features.
            with_gradient: Whether the gradients, q × features, are wanted.
        """
        scaled = X / self._lengths
        distances = cdist(scaled, self._features)
        covariance = _covariance(distances)
        solved = covariance @ self._precision
        risks = covariance @ self._weights
        variances = self._noise + np.maximum(1.0 - (solved * covariance).sum(axis=1), 0.0)
        logs, by_mean, by_variance = log_kept(0.5 - risks, variances)
        if not with_gradient:
            return logs, None
        by_covariance = -by_mean[:, None] * self._weights - 2.0 * by_variance[:, None] * solved
        # The distance has no slope at 0.
        pulls = -by_covariance * covariance / np.maximum(distances, _LEAST_DISTANCE)
        gradient = scaled * pulls.sum(axis=1)[:, None] - pulls @ self._features
        return logs, np.asarray(gradient / self._lengths)


def _covariance(distances: Array) -> Array:
    """Return the exponential covariance: what works may end at an edge."""
    return np.asarray(np.exp(-distances))


def _shape(features: Array, risks: Array, diagonal: float) -> tuple[float, Array]:
    """Return the noise and the length scales."""
    even = np.full(features.shape[1], diagonal)
    failures = np.count_nonzero(risks)
    if failures < _ENOUGH:
        return _NOISES[0], _NEARBY * even
    noises = [noise for noise in _NOISES if noise >= 1 / failures**2]
    count = min(len(risks), _MOST_COMPARED)
    some = np.linspace(0, len(risks) - 1, count).astype(int)
    compared = features[some], risks[some]

    def quality(shape: tuple[float, Array]) -> float:
        return _left_out_likelihood(*compared, *shape)

    best = max(((noise, share * even) for share in _LENGTHS for noise in noises), key=quality)
    for feature in np.eye(features.shape[1]):
        others = [(noise, best[1] * factor**feature) for factor in _FACTORS for noise in noises]
        best = max([best, *others], key=quality)
    return best


def _solved(features: Array, risks: Array, noise: float, lengths: Array) -> tuple[Array, Array]:
    """Return the Cholesky factor of the risks' covariance, and its inverse times the risks."""
    scaled = features / lengths
    prior = _covariance(cdist(scaled, scaled))
    root = cholesky(prior + noise * np.eye(len(risks)), lower=True)
    return root, cho_solve((root, True), risks)


def _left_out_likelihood(features: Array, risks: Array, noise: float, lengths: Array) -> float:
    """Return the log likelihood of what became of each trial, predicted from all others.

    Trials that worked count as much as all others together: failures are to be foreseen, and the
    more so the rarer they are.
    """
    root, weights = _solved(features, risks, noise, lengths)
    precision = np.diag(cho_solve((root, True), np.eye(len(risks))))
    margins = (0.5 - risks + weights / precision) * np.sqrt(precision)
    each = log_ndtr(np.where(risks > 0.5, -margins, margins))
    return float(sum(np.mean(each[group]) for group in (risks > 0.5, risks < 0.5) if group.any()))
