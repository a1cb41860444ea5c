"""The surrogate in closed form: for one or two objectives that are sums of metrics.

Each metric has a process of its own. Where a single metric is the objective and has no noise, a
second process learns the logarithm of how far each value lies behind, and is the one that is
searched if it foresees the order of the values better: functions that fall steeply towards their
best are smooth in logs only.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from axdesk.core.errors import GenerationError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.pareto import non_dominated
from axdesk.generation.acquisition import Term
from axdesk.generation.encoding import Array
from axdesk.generation.gaussian_process import (
    GaussianProcess,
    ProcessAt,
    fitted,
    metric_process,
)
from axdesk.generation.improvement import (
    Excess,
    log_hypervolume_improvement,
    log_improvement,
    log_kept,
    log_mean_improvement,
    log_nearly_kept,
    log_target_improvement,
    strips,
)
from axdesk.generation.surrogate import SEEKING, MetricData, Scale, Surrogate

_MOST_OBJECTIVES = 2
"""Whose gain of hypervolume has a closed form here."""

_NOISY = 1e-3
"""Variance, of standardised values, above which noise is reckoned with."""

_DRAWS = 64
_MOST_COMPARED = 64
_MOST_DRAWN = 10
"""Points that may be the best, at which values are drawn."""

_FEWEST_RANKED = 5
_LOG_OFFSET = 0.05
"""Added to how far a value lies behind, in medians, before its logarithm is taken."""


@contextmanager
def computing() -> Iterator[None]:
    """Compute without numerical warnings.

    Raises:
        GenerationError: If the numbers defeat the computation.
    """
    try:
        with np.errstate(all="ignore"):
            yield
    except (ValueError, ArithmeticError) as error:
        raise GenerationError(
            f"The model could not be used: {error}",
            "A space-filling trial can step in; check the results for outliers.",
        ) from error


@dataclass(frozen=True, slots=True)
class Outcome:
    """A sum of independent processes.

    Attributes:
        parts: Factor and process of each.
        constant: What is added.
    """

    parts: tuple[tuple[float, GaussianProcess], ...]
    constant: float = 0.0

    def at(self, X: Array) -> "OutcomeAt":
        """Return the outcome at q points."""
        return OutcomeAt(self, [process.at(X) for _, process in self.parts])

    def believing(self, X: Array) -> "Outcome":
        """Return the outcome as if points awaited had the values expected there.

        Ginsbourger, Le Riche and Carraro (2010): the Kriging believer.
        """
        if not len(X):
            return self
        parts = tuple(
            (f, process.extended(X, process.posterior(X)[0])) for f, process in self.parts
        )
        return Outcome(parts, self.constant)

    @property
    def steps(self) -> Array:
        """Return for each feature how far a search may step at first."""
        lengths = np.min([process.lengths for _, process in self.parts], axis=0)
        return np.asarray(np.minimum(lengths, 1.0))

    @property
    def noise(self) -> float:
        """Mean variance of the noise of its values."""
        return sum(factor**2 * float(process.noise.mean()) for factor, process in self.parts)


class OutcomeAt:
    """An outcome at q points.

    Attributes:
        means: q, or q × draws.
        variances: q.
    """

    def __init__(self, outcome: Outcome, at: Sequence[ProcessAt]) -> None:
        self._factors = [factor for factor, _ in outcome.parts]
        self._at = at
        each = [*zip(self._factors, at, strict=True)]
        self.means: Array = outcome.constant + np.sum([f * one.means for f, one in each], axis=0)
        self.variances: Array = np.sum([f**2 * one.variances for f, one in each], axis=0)

    def gradient(self, by_mean: Array, by_variance: Array) -> Array:
        """Return the gradient, q × features, of a function of means and variances."""
        gradients = [
            one.gradient(factor * by_mean, factor**2 * by_variance)
            for factor, one in zip(self._factors, self._at, strict=True)
        ]
        return np.asarray(np.sum(gradients, axis=0))


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective; larger is better.

    Attributes:
        outcome: The objective itself, or the distance from its target.
        has_target: Whether minus the size of the outcome is the objective.
    """

    outcome: Outcome
    has_target: bool = False

    def scores(self, values: Array) -> Array:
        """Return the objective at values of the outcome."""
        return -np.abs(values) if self.has_target else values

    @property
    def excess(self) -> Excess:
        """Return what computes E(objective - best)⁺, in logs."""
        return log_target_improvement if self.has_target else log_improvement

    def believing(self, X: Array) -> "Goal":
        """Return the goal as if points awaited had the values expected there."""
        return replace(self, outcome=self.outcome.believing(X))


class Improvement:
    """Logarithm of the expected improvement of a goal."""

    def __init__(self, goal: Goal, best: Array) -> None:
        self._goal, self._best = goal, best

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients if wanted."""
        at, excess = self._goal.outcome.at(X), self._goal.excess
        if at.means.ndim == 1:
            value, by_mean, by_variance = excess(at.means, at.variances, self._best)
        else:
            value, by_mean, by_variance = log_mean_improvement(
                at.means, at.variances, self._best, excess
            )
        return value, at.gradient(by_mean, by_variance) if with_gradient else None


class Kept:
    """Logarithm of the probability that an outcome is not negative."""

    def __init__(self, outcome: Outcome, *, is_seeking: bool) -> None:
        """Look at an outcome.

        Args:
            outcome: Not negative where the limit is kept.
            is_seeking: Whether nothing is known to keep it.
        """
        self._outcome = outcome
        self._log_chance = log_nearly_kept if is_seeking else log_kept

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients if wanted."""
        at = self._outcome.at(X)
        value, by_mean, by_variance = self._log_chance(at.means, at.variances)
        return value, at.gradient(by_mean, by_variance) if with_gradient else None


class HypervolumeImprovement:
    """Logarithm of the expected gain of hypervolume of two goals."""

    def __init__(self, first: Goal, second: Goal, above: Array) -> None:
        self._outcomes = first.outcome, second.outcome
        self._excesses = first.excess, second.excess
        self._strips = above

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        """Return the value at each of q points, and the gradients if wanted."""
        both = [outcome.at(X) for outcome in self._outcomes]
        value, by_means, by_variances = log_hypervolume_improvement(
            np.column_stack([one.means for one in both]),
            np.column_stack([one.variances for one in both]),
            self._strips,
            self._excesses,
        )
        if not with_gradient:
            return value, None
        gradients = [one.gradient(by_means[:, i], by_variances[:, i]) for i, one in enumerate(both)]
        return value, np.sum(gradients, axis=0)


def is_closed_form(optimization: OptimizationConfig) -> bool:
    """Whether what is optimised has a closed form: at most two sums, or distances from a target."""
    return len(optimization.objectives) <= _MOST_OBJECTIVES and all(
        not one.targets or len(one.expression.terms) == 1 for one in optimization.objectives
    )


class ClosedFormSurrogate(Surrogate):
    """The processes of all metrics, and of the objective in logs where that is better."""

    def __init__(
        self,
        data: Mapping[str, MetricData],
        optimization: OptimizationConfig,
        *,
        is_feasible: bool,
    ) -> None:
        started = time.monotonic()
        super().__init__(data, optimization)
        self._is_feasible = is_feasible
        self._processes = {
            metric: metric_process(known, self.scales[metric]) for metric, known in data.items()
        }
        self._goals = [self._goal(objective) for objective in optimization.objectives]
        self._is_log = False
        if len(self._goals) == 1 and not self._goals[0].has_target:
            plain = self._goals[0].outcome
            self._goals = [Goal(self._better_in_logs(plain))]
            self._is_log = self._goals[0].outcome is not plain
        self.steps = np.min([goal.outcome.steps for goal in self._goals], axis=0)
        self.fit_seconds = time.monotonic() - started

    def predict_standardised(self, features: Array) -> tuple[Array, Array]:
        """Return mean and variance, each n × metrics, in standardised units."""
        each = [process.posterior(features) for process in self._processes.values()]
        return np.column_stack([m for m, _ in each]), np.column_stack([v for _, v in each])

    def _outcome(
        self, terms: Sequence[tuple[str, float]], bound: float = 0.0, sign: float = 1.0
    ) -> Outcome:
        weights, constant, _ = self.standardised(terms, bound)
        parts = zip(weights.tolist(), self._processes.values(), strict=True)
        return Outcome(tuple((sign * w, p) for w, p in parts if w), sign * constant)

    def _goal(self, objective: Objective) -> Goal:
        terms = objective.expression.terms
        bound = sum(dict(terms)[metric] * target for metric, target in objective.targets)
        return Goal(self._outcome(terms, bound), has_target=bool(objective.targets))

    def _better_in_logs(self, plain: Outcome) -> Outcome:
        """Return the outcome, or a process of how far its values lie behind the best, in logs."""
        if len(plain.parts) > 1 or plain.noise > _NOISY:
            return plain
        ((factor, process),) = plain.parts
        sign = float(np.sign(factor))
        behind = (sign * process.y).max() - sign * process.y
        middle = float(np.median(behind))
        if middle <= 0.0 or len(behind) < _FEWEST_RANKED:
            return plain
        logs = np.log(behind / middle + _LOG_OFFSET)
        y = Scale.of(logs).standardised(logs)
        learnt = fitted(process.X, y, np.full(len(y), np.nan), near=process)
        if _foresight(learnt, -1.0) > _foresight(process, sign):
            return Outcome(((-1.0, learnt),))
        return plain

    def worth(self, baseline: Array, pending: Array, seed: int) -> tuple[list[Term], str]:
        """Return what a point is worth, in logs and in words; see the base class."""
        limits = [
            self._outcome(limit.terms, limit.bound, 1.0 if limit.operator == ">=" else -1.0)
            for limit in self.limits
        ]
        is_seeking = not self._is_feasible
        kept = [Kept(limit.believing(pending), is_seeking=is_seeking) for limit in limits]
        if limits and is_seeking:
            return [*kept], SEEKING
        goals = [goal.believing(pending) for goal in self._goals]
        known = np.vstack([baseline, pending])
        if limits:
            met = np.sum([limit.at(known).means >= 0.0 for limit in limits], axis=0)
            known = known[met == met.max()]
        gain, words = self._gain(goals, known, seed)
        return [gain, *kept], f"{words}{' within the limits' * bool(limits)}, in closed form."

    def _gain(self, goals: Sequence[Goal], known: Array, seed: int) -> tuple[Term, str]:
        first, *others = goals
        if others:
            return self._hypervolume(first, others[0], known), "Most expected gain of hypervolume"
        if first.outcome.noise > _NOISY:
            gain = _noisy_improvement(first, known, seed)
            return gain, "Most expected improvement, noise allowed for,"
        best = first.scores(first.outcome.at(known).means).max()
        words = "Most expected improvement" + " of logarithms" * self._is_log
        return Improvement(first, best), words

    def _hypervolume(self, first: Goal, second: Goal, known: Array) -> Term:
        scores = [one.scores(one.outcome.at(known).means) for one in (first, second)]
        points = np.column_stack(scores)
        front = points[non_dominated([tuple(row) for row in points.tolist()])]
        sizes = [self.standardised(o.expression.terms)[2] for o in self.optimization.objectives]
        above = strips(front, np.array(self.reference(known, sizes)))
        return HypervolumeImprovement(first, second, above)


def _noisy_improvement(goal: Goal, known: Array, seed: int) -> Term:
    """Return the improvement over the best true value, which is not known either.

    It is averaged over draws of the true values of the points that may be the best (Letham et al.
    2019, arXiv 1706.07094); given one of them all is closed form.
    """
    outcome = goal.outcome
    at = outcome.at(known)
    hopes = goal.scores(at.means) + 2.0 * np.sqrt(at.variances)
    hopeful = known[np.argsort(-hopes, kind="stable")[:_MOST_COMPARED]]
    each = [
        _draws(process.at(hopeful), seed + number)
        for number, (_, process) in enumerate(outcome.parts)
    ]
    both = zip(outcome.parts, each, strict=True)
    values = outcome.constant + np.sum([factor * draws for (factor, _), draws in both], axis=0)
    scores = goal.scores(values)
    wins = np.bincount(scores.argmax(axis=0), minlength=len(hopeful))
    drawn = np.argsort(-wins, kind="stable")[: min(_MOST_DRAWN, np.count_nonzero(wins))]
    parts = tuple(
        (factor, process.extended(hopeful[drawn], draws[drawn]))
        for (factor, process), draws in zip(outcome.parts, each, strict=True)
    )
    return Improvement(replace(goal, outcome=replace(outcome, parts=parts)), scores.max(axis=0))


def _draws(at: ProcessAt, seed: int) -> Array:
    """Return quasi-random draws of the values at some points together, values × draws."""
    uniform = qmc.Sobol(len(at.means), rng=seed).random(_DRAWS)
    normal = ndtri(np.clip(uniform, 1e-12, 1.0 - 1e-12))
    values, vectors = np.linalg.eigh(at.covariances())
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(at.means[:, None] + root @ normal.T)


def _foresight(process: GaussianProcess, sign: float) -> float:
    """Return how well the values' ranks are foreseen, each from all others.

    Among all values, and again among the better half.
    """
    predicted, _ = process.left_out()
    better = sign * process.y >= np.median(sign * process.y)
    return _agreement(predicted, process.y) + _agreement(predicted[better], process.y[better])


def _agreement(predicted: Array, true: Array) -> float:
    first, second = _ranks(predicted), _ranks(true)
    spread = first.std() * second.std()
    if not spread:
        return 0.0
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread)


def _ranks(values: Array) -> Array:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(np.float64)
