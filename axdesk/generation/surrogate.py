"""The Gaussian processes and the acquisition functions; with `workability` all that uses torch.

Each metric has a `SingleTaskGP` of its own in standardised units: BoTorch treats a spread below
1e-8 as none, and smooths acquisition functions at fixed scales, so that outcomes of the order of
1e-12 have to be scaled before it sees them. Everything that leaves this module is in the metrics'
units.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botorch.acquisition.multi_objective.logei as _multi_objective
import numpy as np
import numpy.typing as npt
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement, qLogProbabilityOfFeasibility
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.multi_objective.parego import qLogNParEGO
from botorch.acquisition.objective import GenericMCObjective
from botorch.exceptions.errors import BotorchError, ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.generation.gen import gen_candidates_scipy
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.map_saas import AdditiveMapSaasSingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from linear_operator.utils.warnings import NumericalWarning

from axdesk.core.errors import GenerationError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import (
    objective_thresholds,
    predicted_scores,
    true_limits,
)
from axdesk.core.pareto import MOST_VALUES, non_dominated, reference_point
from axdesk.core.trial import Observation
from axdesk.generation.encoding import Array

Indices = npt.NDArray[np.intp]

# BoTorch would compile a C++ kernel at first use; killed meanwhile, it hangs every later start.
_multi_objective._load_attempted = True  # noqa: SLF001  # there is no public switch

logger = logging.getLogger(__name__)

_SAMPLES = 128

_HYPERVOLUME_SAMPLES = {2: 64, 3: 32, 4: 16}
"""By the number of objectives: each sample has a front of its own, and the boxes below a front
grow with its dimension."""

_MIN_NOISE = 1e-6
"""Variance, of standardised outcomes: what a Cholesky factor in double precision bears."""

_MAX_NOISE = 1e6
"""A value known no better than to a thousand spreads says nothing; more would only overflow."""

_FAILURES = (BotorchError, ModelFittingError, RuntimeError, ValueError, ArithmeticError)
"""What BoTorch, GPyTorch and torch raise when the numbers defeat them."""


@contextmanager
def computing(seed: int) -> Iterator[None]:
    """Compute on one thread from a seed, and leave torch's global state as it was.

    Numerical warnings of the libraries go to the log; all others are passed on.

    Raises:
        GenerationError: If the numbers defeat the libraries.
    """
    threads = torch.get_num_threads()
    with warnings.catch_warnings(record=True) as caught, torch.random.fork_rng(devices=[]):
        warnings.simplefilter("always")
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        except _FAILURES as error:
            raise GenerationError(
                f"The model could not be used: {error}",
                "A space-filling trial can step in; check the results for outliers.",
            ) from error
        finally:
            torch.set_num_threads(threads)
    for warning in caught:
        # NumPy tells an overflow by a RuntimeWarning; what comes of it is refused where it matters.
        if issubclass(warning.category, BotorchWarning | NumericalWarning | RuntimeWarning):
            logger.debug("%s", warning.message)
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )


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
class _Scale:
    """Standardised value = (value - center) / spread."""

    center: float
    spread: float

    @classmethod
    def of(cls, values: Array) -> "_Scale":
        size = float(np.abs(values).max())
        if size < np.finfo(float).tiny:  # the spread would be rounded to 0
            return cls(0.0, 1.0)
        # Sums of squares of the values themselves might overflow or vanish.
        center, spread = float(np.mean(values / size)), float(np.std(values / size))
        return cls(center * size, (spread if spread > 1e-12 else 1.0) * size)


class Surrogate:
    """Gaussian processes of the metrics that are optimised or limited, fitted to the data.

    Attributes:
        metrics: Their names.
        fit_seconds: Time that fitting took.
    """

    def __init__(
        self,
        data: Mapping[str, MetricData],
        optimization: OptimizationConfig,
        *,
        is_feasible: bool,
        method: str,
    ) -> None:
        started = time.monotonic()
        self.metrics = tuple(data)
        self._optimization = optimization
        # A limit relative to a baseline without a result says nothing yet.
        self._limits = [limit for limit in true_limits(optimization) if not limit.is_relative]
        self._is_feasible = is_feasible
        self._scales = {
            metric: _Scale.of(np.array([o.mean for o in known.observations]))
            for metric, known in data.items()
        }
        models = [_fitted(known, self._scales[metric], method) for metric, known in data.items()]
        self._model = models[0] if len(models) == 1 else ModelListGP(*models)
        self.fit_seconds = time.monotonic() - started

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return mean and standard error, each n × metrics, in the metrics' units."""
        with torch.no_grad():
            posterior = self._model.posterior(torch.from_numpy(features))
            means, variances = posterior.mean.numpy(), posterior.variance.numpy()
        scales = [self._scales[metric] for metric in self.metrics]
        spreads = np.array([scale.spread for scale in scales])
        means = means * spreads + np.array([scale.center for scale in scales])
        sems = np.sqrt(np.maximum(variances, 0.0)) * spreads
        return _finite(means), _finite(sems)

    def objective(self, features: Array) -> tuple[Array, Array]:
        """Return mean and standard error of the (first) objective, each n, larger is better.

        The objective at the metrics' means; the spread that a target folds up is not counted.
        """
        means, sems = self.predict(features)
        weights = self._weights(self._optimization.objective.expression.terms)
        # Squares might overflow where the values do not.
        return self.scores(means)[:, 0], _finite(np.hypot.reduce(sems * weights, axis=1))

    def scores(self, means: Array) -> Array:
        """Return the objectives, n × objectives, at means of n × metrics; larger is better."""
        at = (dict(zip(self.metrics, row.tolist(), strict=True)) for row in means)
        return _finite(np.array([predicted_scores(values, self._optimization) for values in at]))

    def limits_kept(self, means: Array) -> Array:
        """Return for each row of means the number of outcome constraints that it keeps."""
        kept = np.zeros(len(means))
        for limit in self._limits:
            over = means @ self._weights(limit.terms) - limit.bound
            kept += over <= 0 if limit.operator == "<=" else over >= 0
        return kept

    def ranking(self, features: Array) -> tuple[Indices, int]:
        """Return the indices of points, the most promising first, and how many share the front.

        Those that keep more limits go first, then those with the better objective; with several
        objectives those that no other one dominates, in no order among themselves.
        """
        means, _ = self.predict(features)
        kept, scores = self.limits_kept(means), self.scores(means)
        if not self._optimization.has_several:
            return np.lexsort((-scores[:, 0], -kept)), 1
        most = np.flatnonzero(kept == kept.max())
        front = most[non_dominated([tuple(row) for row in scores[most].tolist()])]
        is_behind = np.ones(len(scores), bool)
        is_behind[front] = False
        return np.lexsort((is_behind, -kept)), len(front)

    def _weights(self, terms: Iterable[tuple[str, float]]) -> Array:
        weights = dict(terms)
        return np.array([weights.get(metric, 0.0) for metric in self.metrics])

    def _standardised(
        self, terms: Sequence[tuple[str, float]], bound: float = 0.0, sign: float = 1.0
    ) -> Callable[..., torch.Tensor]:
        """Return sign * (sum of terms - bound) of standardised samples, at a scale of one."""
        spreads = np.array([self._scales[metric].spread for metric in self.metrics])
        weights = self._weights(terms)
        size = math.hypot(*(weights * spreads))
        constant = math.fsum([*(c * self._scales[name].center for name, c in terms), -bound])
        slope = torch.from_numpy(sign * weights * spreads / size)

        def evaluate(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            return samples @ slope + sign * constant / size

        return evaluate

    def _objective(self, objective: Objective) -> tuple[Callable[..., torch.Tensor], float]:
        """Return the objective of standardised samples at a scale of one, and that scale."""
        terms = objective.expression.terms
        spreads = {name: self._scales[name].spread for name, _ in terms}
        size = math.hypot(*(c * spreads[name] for name, c in terms))
        if not objective.targets:
            return self._standardised(terms), size
        targets = dict(objective.targets)
        rest = [(name, c) for name, c in terms if name not in targets]
        plain = self._standardised(rest) if rest else None
        share = math.hypot(*(c * spreads[name] for name, c in rest)) / size if rest else 0.0
        distances = [
            (
                self.metrics.index(name),
                (target - self._scales[name].center) / spreads[name],
                dict(terms)[name] * spreads[name] / size,
            )
            for name, target in targets.items()
        ]

        def evaluate(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            total = 0.0 if plain is None else share * plain(samples)
            for column, target, weight in distances:
                total = total + weight * (samples[..., column] - target).abs()
            return torch.as_tensor(total)

        return evaluate, size

    def acquisition(self, baseline: Array, pending: Array, seed: int) -> "Acquisition":
        """Return what a point is worth, in logs.

        The probability to keep every limit while no trial does; then noisy expected improvement,
        of the hypervolume with several objectives, and of random sums with many of them.

        Args:
            baseline: Features of the points that may be the best so far.
            pending: Features of points whose results are awaited.
            seed: Of the Monte Carlo samples.
        """
        limits = [
            self._standardised(limit.terms, limit.bound, 1.0 if limit.operator == "<=" else -1.0)
            for limit in self._limits
        ]
        X = torch.from_numpy(baseline)
        samples = _HYPERVOLUME_SAMPLES.get(len(self._optimization.objectives), _SAMPLES)
        common: dict[str, Any] = {
            "sampler": SobolQMCNormalSampler(torch.Size([samples]), seed=seed),
            "X_pending": torch.from_numpy(pending) if len(pending) else None,
        }
        if limits and not self._is_feasible:
            return Acquisition(
                qLogProbabilityOfFeasibility(self._model, constraints=limits, **common)
            )
        common["constraints"] = limits or None
        several = [self._objective(objective) for objective in self._optimization.objectives]
        if len(several) == 1:
            goal = GenericMCObjective(several[0][0])
            return Acquisition(
                qLogNoisyExpectedImprovement(self._model, X, objective=goal, **common)
            )

        def goals(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            return torch.stack([one(samples) for one, _ in several], dim=-1)

        common["objective"] = GenericMCMultiOutputObjective(goals)
        if len(several) > MOST_VALUES:
            # Its weights are random; `computing` has seeded them.
            return Acquisition(qLogNParEGO(self._model, X, **common))
        return Acquisition(
            _multi_objective.qLogNoisyExpectedHypervolumeImprovement(
                self._model,
                self._reference(baseline, [size for _, size in several]),
                X,
                prune_baseline=True,
                **common,
            )
        )

    def _reference(self, baseline: Array, sizes: Sequence[float]) -> list[float]:
        """Return the reference point at the objectives' scales of one."""
        means = self.predict(baseline)[0]
        kept = self.limits_kept(means)
        scores = self.scores(means[kept == kept.max()])
        inferred = reference_point([tuple(row) for row in scores.tolist()])
        thresholds = objective_thresholds(self._optimization)
        return [
            (guess if threshold is None else threshold) / size
            for guess, threshold, size in zip(inferred, thresholds, sizes, strict=True)
        ]


def _finite(predicted: Array) -> Array:
    if not np.isfinite(predicted).all():
        raise ValueError("a prediction is no finite number")
    return predicted


def _fitted(known: MetricData, scale: _Scale, method: str) -> SingleTaskGP:
    X = torch.from_numpy(known.features)
    means = np.array([observation.mean for observation in known.observations])
    Y = torch.from_numpy((means / scale.spread - scale.center / scale.spread)[:, None])
    sems = [observation.sem for observation in known.observations]
    noise = None
    if None not in sems:
        shares = np.array(sems, dtype=np.float64)[:, None] / scale.spread
        noise = torch.from_numpy(np.clip(shares, _MIN_NOISE**0.5, _MAX_NOISE**0.5) ** 2)
    model = SingleTaskGP(
        X,
        Y,
        train_Yvar=noise,
        # BoTorch's default; named so that points outside the bounds are not warned about.
        covar_module=get_covar_module_with_dim_scaled_prior(X.shape[-1]),
        outcome_transform=None,
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    if method != "quality":
        return model
    # A sum of kernels under sparsity priors of several strengths: most parameters are held for
    # irrelevant until the data say otherwise, which is right for some problems only.
    sparse = AdditiveMapSaasSingleTaskGP(X, Y, train_Yvar=noise, outcome_transform=None)
    fit_gpytorch_mll(ExactMarginalLogLikelihood(sparse.likelihood, sparse))
    return max(model, sparse, key=_left_out_likelihood)


def _left_out_likelihood(model: SingleTaskGP) -> float:
    """Return the mean log likelihood of each result, predicted from all others.

    In closed form, see Rasmussen and Williams (2006), equations 5.10 to 5.12.
    """
    X, Y = model.train_inputs[0], model.train_targets
    model.train()
    with torch.no_grad():
        joint = model.likelihood(model(X), X)
        inverse = torch.linalg.inv(joint.covariance_matrix)
        precision = inverse.diagonal()
        misses = (inverse @ (Y - joint.mean)) / precision
        likelihood = float((precision.log() - precision * misses**2).mean())
    model.eval()
    return likelihood


class Acquisition:
    """An acquisition function over features; larger is better."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self._function = function

    def with_chance(self, log_chance: Callable[[torch.Tensor], torch.Tensor]) -> "Acquisition":
        """Return its value times a probability, of which the logarithm at n × features is given."""
        return Acquisition(lambda X: self._function(X) + log_chance(X.squeeze(-2)))

    def values(self, features: Array) -> Array:
        """Return the value at each of n points."""
        with torch.no_grad():
            parts = torch.split(torch.from_numpy(features).unsqueeze(-2), 512)
            return np.concatenate([self._function(part).numpy() for part in parts])

    def value_and_gradient(self, features: Array) -> tuple[float, Array]:
        """Return the value at one point and its gradient."""
        X = torch.from_numpy(features[None]).requires_grad_(True)
        value = self._function(X)
        (gradient,) = torch.autograd.grad(value.sum(), X)
        return float(value.item()), gradient[0].numpy()

    def climbed(self, starts: Array, columns: Sequence[int]) -> Array:
        """Return local maxima over some columns within [0, 1], from starts of n × features."""
        X = torch.from_numpy(starts).unsqueeze(-2)
        held = [i for i in range(starts.shape[-1]) if i not in columns]
        climbed, _ = gen_candidates_scipy(
            X,
            self._function,  # type: ignore[arg-type]  # it is only called
            lower_bounds=torch.zeros(X.shape[-1], dtype=X.dtype),
            upper_bounds=torch.ones(X.shape[-1], dtype=X.dtype),
            fixed_features={i: X[:, 0, i] for i in held} or None,
            options={"maxiter": 100},
        )
        return np.array(climbed.squeeze(-2).detach().numpy())
