"""The Gaussian processes and the acquisition function. The one module that imports torch.

Each metric has a `SingleTaskGP` of its own in standardised units: BoTorch treats a spread below
1e-8 as none, and smooths acquisition functions at fixed scales, so that outcomes of the order of
1e-12 have to be scaled before it sees them. Everything that leaves this module is in the metrics'
units.
"""

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import botorch.acquisition.multi_objective.logei as _multi_objective
import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.objective import GenericMCObjective
from botorch.exceptions.errors import BotorchError, ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.generation.gen import gen_candidates_scipy
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from linear_operator.utils.warnings import NumericalWarning

from axdesk.core.errors import GenerationError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.trial import Observation
from axdesk.generation.encoding import Array

# BoTorch would compile a C++ kernel at first use; killed meanwhile, it hangs every later start.
_multi_objective._load_attempted = True  # noqa: SLF001  # there is no public switch

logger = logging.getLogger(__name__)

_SAMPLES = 128
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

    def __init__(self, data: Mapping[str, MetricData], optimization: OptimizationConfig) -> None:
        started = time.monotonic()
        self.metrics = tuple(data)
        self._optimization = optimization
        self._scales = {
            metric: _Scale.of(np.array([o.mean for o in known.observations]))
            for metric, known in data.items()
        }
        models = [_fitted(known, self._scales[metric]) for metric, known in data.items()]
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
        """Return mean and standard error of the objective, each n, larger is better."""
        means, sems = self.predict(features)
        weights = self._weights(self._optimization.objective.expression.terms)
        # Squares might overflow where the values do not.
        return _finite(means @ weights), _finite(np.hypot.reduce(sems * weights, axis=1))

    def limits_kept(self, features: Array) -> Array:
        """Return for each point the number of outcome constraints that its means keep."""
        means, _ = self.predict(features)
        kept = np.zeros(len(features))
        for limit in self._optimization.outcome_constraints:
            over = means @ self._weights(limit.terms) - limit.bound
            kept += over <= 0 if limit.operator == "<=" else over >= 0
        return kept

    def _weights(self, terms: Sequence[tuple[str, float]]) -> Array:
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

    def acquisition(self, baseline: Array, pending: Array, seed: int) -> "Acquisition":
        """Return noisy expected improvement, in logs.

        Args:
            baseline: Features of the points that may be the best so far.
            pending: Features of points whose results are awaited.
            seed: Of the Monte Carlo samples.
        """
        limits = [
            self._standardised(limit.terms, limit.bound, 1.0 if limit.operator == "<=" else -1.0)
            for limit in self._optimization.outcome_constraints
        ]
        function = qLogNoisyExpectedImprovement(
            self._model,
            torch.from_numpy(baseline),
            SobolQMCNormalSampler(torch.Size([_SAMPLES]), seed=seed),
            GenericMCObjective(self._standardised(self._optimization.objective.expression.terms)),
            X_pending=torch.from_numpy(pending) if len(pending) else None,
            constraints=limits or None,
        )
        return Acquisition(function)


def _finite(predicted: Array) -> Array:
    if not np.isfinite(predicted).all():
        raise ValueError("a prediction is no finite number")
    return predicted


def _fitted(known: MetricData, scale: _Scale) -> SingleTaskGP:
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
    return model


class Acquisition:
    """An acquisition function over features; larger is better."""

    def __init__(self, function: qLogNoisyExpectedImprovement) -> None:
        self._function = function

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
            self._function,
            lower_bounds=torch.zeros(X.shape[-1], dtype=X.dtype),
            upper_bounds=torch.ones(X.shape[-1], dtype=X.dtype),
            fixed_features={i: X[:, 0, i] for i in held} or None,
            options={"maxiter": 100},
        )
        return np.array(climbed.squeeze(-2).detach().numpy())
