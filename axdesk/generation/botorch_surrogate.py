"""BoTorch's models and acquisition functions. The one module that imports torch.

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
from typing import Any

import botorch.acquisition.multi_objective.logei as _multi_objective
import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement, qLogProbabilityOfFeasibility
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.multi_objective.parego import qLogNParEGO
from botorch.acquisition.objective import GenericMCObjective
from botorch.exceptions.errors import BotorchError, ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models.map_saas import AdditiveMapSaasSingleTaskGP
from botorch.models.model import Model, ModelList
from botorch.sampling.list_sampler import ListSampler
from botorch.sampling.normal import SobolQMCNormalSampler
from gpytorch.mlls import ExactMarginalLogLikelihood
from linear_operator.utils.warnings import NumericalWarning

from axdesk.core.errors import GenerationError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.pareto import MOST_VALUES
from axdesk.generation.acquisition import Term
from axdesk.generation.encoding import Array
from axdesk.generation.gaussian_process import metric_process
from axdesk.generation.process_model import ProcessModel
from axdesk.generation.surrogate import SEEKING, MetricData, Scale, Surrogate

# BoTorch would compile a C++ kernel at first use; killed meanwhile, it hangs every later start.
_multi_objective._load_attempted = True  # noqa: SLF001  # there is no public switch

logger = logging.getLogger(__name__)

_SAMPLES = 128

_HYPERVOLUME_SAMPLES = {2: 64, 3: 32, 4: 16}
"""By the number of objectives: each sample has a front of its own, and the boxes below a front
grow with its dimension."""

_STEP = 0.3
"""Length scale by which searches are scaled."""

_MIN_NOISE = 1e-6
"""Variance, of standardised outcomes: what a Cholesky factor in double precision bears."""

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


class BoTorchSurrogate(Surrogate):
    """BoTorch's models: for whatever has no closed form."""

    def __init__(
        self,
        data: Mapping[str, MetricData],
        optimization: OptimizationConfig,
        *,
        is_feasible: bool,
        method: str,
    ) -> None:
        started = time.monotonic()
        super().__init__(data, optimization)
        self._is_feasible = is_feasible
        models = [_fitted(known, self.scales[metric], method) for metric, known in data.items()]
        self._model = models[0] if len(models) == 1 else ModelList(*models)
        self.steps = np.full(len(next(iter(data.values())).features[0]), _STEP)
        self.fit_seconds = time.monotonic() - started

    def predict_standardised(self, features: Array) -> tuple[Array, Array]:
        """Return mean and variance, each n × metrics, in standardised units."""
        with torch.no_grad():
            posterior: Any = self._model.posterior(torch.from_numpy(features))
            return posterior.mean.numpy(), posterior.variance.numpy()

    def _linear(
        self, terms: Sequence[tuple[str, float]], bound: float = 0.0, sign: float = 1.0
    ) -> Callable[..., torch.Tensor]:
        """Return sign * (sum of terms - bound) of standardised samples, at a scale of one."""
        weights, constant, _ = self.standardised(terms, bound)
        slope = torch.from_numpy(sign * weights)

        def evaluate(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            return samples @ slope + sign * constant

        return evaluate

    def _objective(self, objective: Objective) -> tuple[Callable[..., torch.Tensor], float]:
        """Return the objective of standardised samples at a scale of one, and that scale."""
        terms = objective.expression.terms
        spreads = {name: self.scales[name].spread for name, _ in terms}
        size = math.hypot(*(c * spreads[name] for name, c in terms))
        if not objective.targets:
            return self._linear(terms), size
        targets = dict(objective.targets)
        rest = [(name, c) for name, c in terms if name not in targets]
        plain = self._linear(rest) if rest else None
        share = math.hypot(*(c * spreads[name] for name, c in rest)) / size if rest else 0.0
        distances = [
            (
                self.metrics.index(name),
                (target - self.scales[name].center) / spreads[name],
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

    def worth(self, baseline: Array, pending: Array, seed: int) -> tuple[list[Term], str]:
        """Return what a point is worth, in logs and in words; see the base class.

        With many objectives, the improvement of random sums of them.
        """
        function = self._function(baseline, pending, seed)
        if isinstance(function, qLogProbabilityOfFeasibility):
            words = SEEKING
        elif len(self.optimization.objectives) == 1:
            words = "Most expected improvement, by BoTorch's qLogNEI."
        elif len(self.optimization.objectives) <= MOST_VALUES:
            words = "Most expected gain of hypervolume, by BoTorch's qLogNEHVI."
        else:
            words = "Most expected improvement of a random sum, by BoTorch's qLogNParEGO."
        return [BoTorchTerm(function)], words

    def _function(self, baseline: Array, pending: Array, seed: int) -> AcquisitionFunction:
        limits = [
            self._linear(limit.terms, limit.bound, 1.0 if limit.operator == "<=" else -1.0)
            for limit in self.limits
        ]
        X = torch.from_numpy(baseline)
        samples = _HYPERVOLUME_SAMPLES.get(len(self.optimization.objectives), _SAMPLES)
        each = [
            SobolQMCNormalSampler(torch.Size([samples]), seed=seed + number)
            for number in range(len(self.metrics))
        ]
        common: dict[str, Any] = {
            "sampler": each[0] if len(each) == 1 else ListSampler(*each),
            "X_pending": torch.from_numpy(pending) if len(pending) else None,
        }
        if limits and not self._is_feasible:
            return qLogProbabilityOfFeasibility(self._model, constraints=limits, **common)
        common["constraints"] = limits or None
        several = [self._objective(objective) for objective in self.optimization.objectives]
        if len(several) == 1:
            goal = GenericMCObjective(several[0][0])
            return qLogNoisyExpectedImprovement(self._model, X, objective=goal, **common)

        def goals(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            return torch.stack([one(samples) for one, _ in several], dim=-1)

        common["objective"] = GenericMCMultiOutputObjective(goals)
        if len(several) > MOST_VALUES:
            # Its weights are random; `computing` has seeded them.
            return qLogNParEGO(self._model, X, **common)
        return _multi_objective.qLogNoisyExpectedHypervolumeImprovement(
            self._model,
            self.reference(baseline, [size for _, size in several]),
            X,
            prune_baseline=True,
            **common,
        )


def _fitted(known: MetricData, scale: Scale, method: str) -> Model:
    process = metric_process(known, scale)
    if method != "quality":
        return ProcessModel(process)
    # A sum of kernels under sparsity priors of several strengths: most parameters are held for
    # irrelevant until the data say otherwise, which is right for some problems only.
    noise = None
    if all(observation.sem is not None for observation in known.observations):
        noise = torch.from_numpy(process.noise.clip(_MIN_NOISE)[:, None])
    sparse = AdditiveMapSaasSingleTaskGP(
        torch.from_numpy(process.X),
        torch.from_numpy(process.y[:, None]),
        train_Yvar=noise,
        outcome_transform=None,
    )
    fit_gpytorch_mll(ExactMarginalLogLikelihood(sparse.likelihood, sparse))
    foreseen, variances = process.left_out()
    plain = -np.log(variances) - (process.y - foreseen) ** 2 / variances
    return sparse if _left_out_likelihood(sparse) > plain.mean() else ProcessModel(process)


def _left_out_likelihood(model: AdditiveMapSaasSingleTaskGP) -> float:
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


class BoTorchTerm:
    """An acquisition function of BoTorch."""

    def __init__(self, function: AcquisitionFunction) -> None:
        self._function = function

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients if wanted."""
        points = torch.from_numpy(X).unsqueeze(-2)
        if not with_gradient:
            with torch.no_grad():
                return self._function(points).numpy(), None
        points.requires_grad_(True)
        values = self._function(points)
        (gradients,) = torch.autograd.grad(values.sum(), points)
        return values.detach().numpy(), gradients.squeeze(-2).numpy()
