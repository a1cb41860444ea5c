"""What a surrogate of the metrics answers, whatever it is made of."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import objective_thresholds, predicted_scores, true_limits
from axdesk.core.pareto import non_dominated, reference_point
from axdesk.core.trial import Observation
from axdesk.generation.acquisition import Term
from axdesk.generation.encoding import Array

Indices = npt.NDArray[np.intp]

SEEKING = "Most likely to keep the limits, which no trial does yet."

_LEAST_SPREAD = 1e-15
"""Relative to the values; less is what rounding leaves of equal ones."""

_MARGIN = 0.3
"""By which a search may go beyond the worst values of a front: with little more than what is
shown, its ends would be reached in small steps only."""


@dataclass(frozen=True, slots=True)
class MetricData:
    """What is known of one metric.

    Attributes:
        features: n × features.
        observations: n of them.
    """

    features: Array
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """Standardised value = (value - center) / spread."""

    center: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> "Scale":
        """Return the scale at which values have mean 0 and spread 1, or 0 where all agree."""
        size = float(np.abs(values).max())
        if size < np.finfo(float).tiny:  # the spread would be rounded to 0
            return cls(0.0, 1.0)
        # Sums of squares of the values themselves might overflow or vanish.
        center, spread = float(np.mean(values / size)), float(np.std(values / size))
        return cls(center * size, (spread if spread > _LEAST_SPREAD else 1.0) * size)

    def standardised(self, values: Array) -> Array:
        """Return values in units of the spread, from the center."""
        # Half of each, so that no difference overflows; the difference itself is exact, which one
        # of quotients would not be where the spread is small beside the values.
        return np.asarray((0.5 * values - 0.5 * self.center) / (0.5 * self.spread))


class Surrogate(ABC):
    """Gaussian processes of the metrics that are optimised or limited, fitted to the data.

    Attributes:
        metrics: Their names.
        optimization: What is optimised.
        limits: Its limits that say something; one that is relative to a baseline without a result
            says nothing yet.
        scales: Of each metric.
        steps: For each feature, over what distance the outcomes change much.
        fit_seconds: Time that fitting took.
    """

    steps: Array
    fit_seconds = 0.0

    def __init__(self, data: Mapping[str, MetricData], optimization: OptimizationConfig) -> None:
        self.metrics = tuple(data)
        self.optimization = optimization
        self.limits = [limit for limit in true_limits(optimization) if not limit.is_relative]
        self.scales = {
            metric: Scale.of(np.array([o.mean for o in known.observations]))
            for metric, known in data.items()
        }

    @abstractmethod
    def predict_standardised(self, features: Array) -> tuple[Array, Array]:
        """Return mean and variance, each n × metrics, in standardised units."""

    @abstractmethod
    def worth(self, baseline: Array, pending: Array, seed: int) -> tuple[list[Term], str]:
        """Return what a result at a point is worth, in logs, and in words.

        The probability to keep every limit while no trial does; then expected improvement, of the
        hypervolume with several objectives.

        Args:
            baseline: Features of the points that may be the best so far.
            pending: Features of points whose results are awaited.
            seed: Of what is drawn.
        """

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return mean and standard error, each n × metrics, in the metrics' units."""
        means, variances = self.predict_standardised(features)
        scales = [self.scales[metric] for metric in self.metrics]
        spreads = np.array([scale.spread for scale in scales])
        means = means * spreads + np.array([scale.center for scale in scales])
        sems = np.sqrt(np.maximum(variances, 0.0)) * spreads
        return _finite(means), _finite(sems)

    def objective(self, features: Array) -> tuple[Array, Array]:
        """Return mean and standard error of the (first) objective, each n, larger is better.

        The objective at the metrics' means; the spread that a target folds up is not counted.
        """
        means, sems = self.predict(features)
        weights = self.weights(self.optimization.objective.expression.terms)
        # Squares might overflow where the values do not.
        return self.scores(means)[:, 0], _finite(np.hypot.reduce(sems * weights, axis=1))

    def scores(self, means: Array) -> Array:
        """Return the objectives, n × objectives, at means of n × metrics; larger is better."""
        at = (dict(zip(self.metrics, row.tolist(), strict=True)) for row in means)
        return _finite(np.array([predicted_scores(values, self.optimization) for values in at]))

    def limits_kept(self, means: Array) -> Array:
        """Return for each row of means the number of outcome constraints that it keeps."""
        kept = np.zeros(len(means))
        for limit in self.limits:
            over = means @ self.weights(limit.terms) - limit.bound
            kept += over <= 0 if limit.operator == "<=" else over >= 0
        return kept

    def ranking(self, features: Array) -> tuple[Indices, int]:
        """Return the indices of points, the most promising first, and how many share the front.

        Those that keep more limits go first, then those with the better objective; with several
        objectives those that no other one dominates, in no order among themselves.
        """
        means, _ = self.predict(features)
        kept, scores = self.limits_kept(means), self.scores(means)
        if not self.optimization.has_several:
            return np.lexsort((-scores[:, 0], -kept)), 1
        most = np.flatnonzero(kept == kept.max())
        front = most[non_dominated([tuple(row) for row in scores[most].tolist()])]
        is_behind = np.ones(len(scores), bool)
        is_behind[front] = False
        return np.lexsort((is_behind, -kept)), len(front)

    def weights(self, terms: Iterable[tuple[str, float]]) -> Array:
        """Return the factor of each metric in a sum of terms."""
        weights = dict(terms)
        return np.array([weights.get(metric, 0.0) for metric in self.metrics])

    def standardised(
        self, terms: Sequence[tuple[str, float]], bound: float = 0.0
    ) -> tuple[Array, float, float]:
        """Return what makes `sum of terms - bound` of standardised values, at a scale of one.

        Returns:
            The metrics' weights, a constant, and the scale, in the terms' unit.
        """
        spreads = np.array([self.scales[metric].spread for metric in self.metrics])
        weights = self.weights(terms) * spreads
        size = math.hypot(*weights)
        constant = math.fsum([*(c * self.scales[name].center for name, c in terms), -bound])
        return weights / size, constant / size, size

    def reference(self, baseline: Array, sizes: Sequence[float]) -> list[float]:
        """Return the reference point at the objectives' scales of one."""
        means = self.predict(baseline)[0]
        kept = self.limits_kept(means)
        scores = self.scores(means[kept == kept.max()])
        inferred = reference_point([tuple(row) for row in scores.tolist()], _MARGIN)
        thresholds = objective_thresholds(self.optimization)
        return [
            (guess if threshold is None else threshold) / size
            for guess, threshold, size in zip(inferred, thresholds, sizes, strict=True)
        ]


def _finite(predicted: Array) -> Array:
    if not np.isfinite(predicted).all():
        raise ValueError("a prediction is no finite number")
    return predicted
