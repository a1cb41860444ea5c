"""The closed form against BoTorch on the same model, and its gradients against differences."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from botorch.acquisition.analytic import LogExpectedImprovement, LogProbabilityOfImprovement
from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.model import ModelList
from botorch.utils.multi_objective.box_decompositions.non_dominated import (
    NondominatedPartitioning,
)
from gpytorch.kernels import MaternKernel, ScaleKernel
from gpytorch.mlls import ExactMarginalLogLikelihood
from scipy.stats import lognorm, norm

from axdesk.core.pareto import non_dominated
from axdesk.generation import climbing
from axdesk.generation.climbing import Indices, climbed
from axdesk.generation.encoding import Array
from axdesk.generation.gaussian_process import GaussianProcess, Likelihood, fitted, kernel
from axdesk.generation.improvement import (
    log_hypervolume_improvement,
    log_improvement,
    log_kept,
    log_mean_improvement,
    strips,
)
from axdesk.generation.process_model import ProcessModel

SIZES = [1, 2, 3, 10, 60, 300]


def data(n: int, d: int = 3, noise: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.random((n, d))
    y = np.sin(4.0 * X).sum(axis=1) + noise * rng.standard_normal(n)
    return X, (y - y.mean()) / (y.std() or 1.0)


def process(n: int, noise: float, d: int = 3, seed: int = 0) -> GaussianProcess:
    X, y = data(n, d, noise**0.5, seed)
    lengths = np.linspace(0.4, 0.9, d)
    return GaussianProcess(X, y, np.full(n, noise), lengths, scale=1.7, mean=None)


def oracle(ours: GaussianProcess) -> SingleTaskGP:
    d = ours.X.shape[1]
    model = SingleTaskGP(
        torch.from_numpy(ours.X),
        torch.from_numpy(ours.y[:, None]),
        train_Yvar=torch.from_numpy(ours.noise[:, None]),
        covar_module=ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=d)),
        outcome_transform=None,
    ).to(torch.float64)
    model.covar_module.base_kernel.lengthscale = torch.from_numpy(ours.lengths)
    model.covar_module.outputscale = ours.scale
    model.mean_module.constant = ours.mean
    return model.eval()


@pytest.mark.parametrize("noise", [1e-4, 0.1])
@pytest.mark.parametrize("n", SIZES)
def test_the_posterior_is_botorchs(n: int, noise: float) -> None:
    ours = process(n, noise)
    points = np.random.default_rng(1).random((20, 3))
    means, variances = ours.posterior(points)
    with torch.no_grad():
        theirs = oracle(ours).posterior(torch.from_numpy(points))
    np.testing.assert_allclose(means, theirs.mean[:, 0].numpy(), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(variances, theirs.variance[:, 0].numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("n", SIZES)
def test_the_likelihood_is_botorchs(n: int) -> None:
    X, y = data(n, noise=0.3)
    likelihood = Likelihood(X, y, np.full(n, np.nan))
    logs = np.log([0.4, 0.6, 0.9, 1.7, 0.02])
    value, _ = likelihood(logs)

    ours = GaussianProcess(X, y, likelihood.noise(logs), np.exp(logs[:3]), 1.7, mean=None)
    model = oracle(ours).train()
    with torch.no_grad():
        marginal = ExactMarginalLogLikelihood(model.likelihood, model)(
            model(*model.train_inputs), model.train_targets
        )
    center = math.sqrt(2.0) + math.log(3.0) / 2.0
    lengths = lognorm(s=math.sqrt(3.0), scale=math.exp(center))
    # Densities of the length scales themselves, and of the logarithms of the variances.
    prior = lengths.logpdf([0.4, 0.6, 0.9]).sum()
    prior += norm(0.0, 2.0).logpdf(logs[3]) + norm(-12.0, 4.0).logpdf(logs[4])
    # Constant factors of the densities are left out.
    left_out = sum(math.log(s) + 0.5 * math.log(2.0 * math.pi) for s in [3**0.5] * 3 + [4.0, 2.0])
    assert value == pytest.approx(-n * float(marginal) - prior - left_out, rel=1e-6)


@pytest.mark.parametrize("known", ["none", "all", "some"])
@pytest.mark.parametrize("n", [1, 2, 12, 80])
def test_the_likelihoods_gradient(n: int, known: str) -> None:
    X, y = data(n, d=4, noise=0.1)
    noise = {"none": np.full(n, np.nan), "all": np.full(n, 0.01), "some": np.full(n, 0.01)}[known]
    if known == "some":
        noise[::2] = np.nan
    likelihood = Likelihood(X, y, noise)
    logs = np.log([0.3, 0.6, 0.9, 2.0, 1.7, *([0.03] if likelihood.learns_noise else [])])
    _, gradient = likelihood(logs)
    steps = 1e-5 * np.eye(len(logs))
    differences = [(likelihood(logs + s)[0] - likelihood(logs - s)[0]) / 2e-5 for s in steps]
    np.testing.assert_allclose(gradient, differences, rtol=1e-6, atol=1e-6)


def test_the_kernels_slope() -> None:
    distances = np.array([1e-6, 0.1, 1.0, 5.0])
    _, slope = kernel(distances**2)
    after, before = kernel((distances + 1e-7) ** 2)[0], kernel((distances - 1e-7) ** 2)[0]
    np.testing.assert_allclose(-slope * distances, (after - before) / 2e-7, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("draws", [0, 5])
def test_the_posteriors_gradient(draws: int) -> None:
    ours = process(30, 1e-3)
    rng = np.random.default_rng(2)
    if draws:
        ours = ours.extended(rng.random((4, 3)), rng.standard_normal((4, draws)), noise=1e-4)
    points = rng.random((6, 3))
    at = ours.at(points)
    by_mean, by_variance = rng.standard_normal(at.means.shape), rng.standard_normal(6)
    gradient = at.gradient(by_mean, by_variance)

    def total(X: Array) -> Array:
        means, variances = ours.posterior(X)
        return np.asarray((by_mean * means).reshape(6, -1).sum(axis=1) + by_variance * variances)

    for column, step in enumerate(1e-5 * np.eye(3)):
        difference = (total(points + step) - total(points - step)) / 2e-5
        np.testing.assert_allclose(gradient[:, column], difference, rtol=1e-5, atol=1e-5)


def test_extending_is_conditioning_on_all() -> None:
    ours = process(20, 1e-2)
    X = np.random.default_rng(3).random((5, 3))
    y = np.arange(5.0)
    extended = ours.extended(X, y, noise=0.5)
    whole = GaussianProcess(
        np.vstack([ours.X, X]),
        np.concatenate([ours.y, y]),
        np.concatenate([ours.noise, np.full(5, 0.5 * ours.scale)]),
        ours.lengths,
        ours.scale,
        ours.mean,
    )
    points = np.random.default_rng(4).random((7, 3))
    for one, other in zip(extended.posterior(points), whole.posterior(points), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_each_value_left_out_is_predicted_by_the_others() -> None:
    ours = process(15, 1e-2)
    means, variances = ours.left_out()
    for i in range(15):
        rest = np.arange(15) != i
        other = GaussianProcess(
            ours.X[rest], ours.y[rest], ours.noise[rest], ours.lengths, ours.scale, ours.mean
        )
        mean, variance = other.posterior(ours.X[[i]])
        assert means[i] == pytest.approx(mean[0])
        assert variances[i] == pytest.approx(variance[0] + ours.noise[i])


@pytest.mark.parametrize("n", SIZES)
def test_log_improvement_is_botorchs(n: int) -> None:
    ours = process(n, 1e-4)
    points = np.random.default_rng(5).random((50, 3))
    for best in (-1.0, float(ours.y.max()), 30.0):
        means, variances = ours.posterior(points)
        value, _, _ = log_improvement(means, variances, np.array(best))
        with torch.no_grad():
            theirs = LogExpectedImprovement(oracle(ours), best_f=best)(
                torch.from_numpy(points).unsqueeze(-2)
            )
        np.testing.assert_allclose(value, theirs.numpy(), rtol=1e-6, atol=1e-7)


def test_log_kept_is_botorchs() -> None:
    ours = process(20, 1e-3)
    points = np.random.default_rng(6).random((50, 3))
    value, _, _ = log_kept(*ours.posterior(points))
    with torch.no_grad():
        theirs = LogProbabilityOfImprovement(oracle(ours), best_f=0.0)(
            torch.from_numpy(points).unsqueeze(-2)
        )
    np.testing.assert_allclose(value, theirs.numpy(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("front_size", [0, 1, 2, 12])
def test_log_hypervolume_improvement_is_botorchs(front_size: int) -> None:
    both = [process(25, 1e-4, seed=1), process(25, 1e-4, seed=2)]
    rng = np.random.default_rng(7)
    values = rng.standard_normal((front_size, 2))
    front = values[non_dominated([tuple(v) for v in values.tolist()])] if front_size else values
    reference = np.array([-1.5, -1.2])
    points = rng.random((30, 3))
    posteriors = [one.posterior(points) for one in both]
    ours, _, _ = log_hypervolume_improvement(
        np.column_stack([mean for mean, _ in posteriors]),
        np.column_stack([variance for _, variance in posteriors]),
        strips(front, reference),
    )
    boxes = NondominatedPartitioning(torch.from_numpy(reference), torch.from_numpy(front))
    with torch.no_grad():
        theirs = ExpectedHypervolumeImprovement(
            ModelList(*map(ProcessModel, both)), reference.tolist(), boxes
        )(torch.from_numpy(points).unsqueeze(-2))
    np.testing.assert_allclose(np.exp(ours), theirs.numpy(), rtol=1e-6, atol=1e-12)


def test_the_mean_over_draws() -> None:
    rng = np.random.default_rng(8)
    means, variances, best = rng.standard_normal((6, 9)), rng.random(6), rng.standard_normal(9)
    value, _, _ = log_mean_improvement(means, variances, best)
    each, _, _ = log_improvement(means, variances[:, None], best)
    np.testing.assert_allclose(np.exp(value), np.exp(each).mean(axis=1))


@pytest.mark.parametrize("far", [0.0, 5.0, 40.0])
def test_gradients_of_what_a_point_is_worth(far: float) -> None:
    rng = np.random.default_rng(9)
    means, variances = rng.standard_normal((8, 2)) - far, 0.1 + rng.random((8, 2))
    above = strips(np.array([[0.0, 1.0], [0.5, 0.2]]), np.array([-1.0, -1.0]))
    best = np.array([0.3, 0.1])

    def several(m: Array, v: Array) -> list[tuple[Array, Array, Array]]:
        mean = log_mean_improvement(m, v[:, 0], best)
        kept = log_kept(m[:, 0], v[:, 0])
        return [log_hypervolume_improvement(m, v, above), mean, kept]

    for number, (_, by_mean, by_variance) in enumerate(several(means, variances)):
        for column in range(2 if by_mean.ndim == 2 else 1):
            step = np.zeros((8, 2))
            step[:, column] = 1e-6
            up, down = several(means + step, variances), several(means - step, variances)
            slope = (up[number][0] - down[number][0]) / 2e-6
            exact = by_mean[:, column] if by_mean.ndim == 2 else by_mean
            np.testing.assert_allclose(exact, slope, rtol=1e-5, atol=1e-6)
        for column in range(2 if by_variance.ndim == 2 else 1):
            step = np.zeros((8, 2))
            step[:, column] = 1e-6
            up, down = several(means, variances + step), several(means, variances - step)
            slope = (up[number][0] - down[number][0]) / 2e-6
            exact = by_variance[:, column] if by_variance.ndim == 2 else by_variance
            np.testing.assert_allclose(exact, slope, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("n", [1, 2, 41, 90])
@pytest.mark.parametrize("kind", ["smooth", "noisy", "constant", "twice"])
def test_every_kind_of_data_is_fitted(n: int, kind: str) -> None:
    X, y = data(n, noise=0.5 if kind == "noisy" else 0.0)
    if kind == "constant":
        y = np.zeros(n)
    if kind == "twice":
        X[n // 2 :] = X[: n - n // 2]
    ours = fitted(X, y, np.full(n, np.nan))
    means, variances = ours.posterior(np.random.default_rng(10).random((10, 3)))
    assert np.isfinite(means).all()
    assert (variances > 0.0).all()
    if kind == "smooth" and n > 2:
        assert ours.noise.max() < 1e-3
    if kind == "noisy" and n > 50:
        assert 0.02 < ours.noise.max() < 0.5


def test_a_fit_is_where_no_other_start_leads_to_more() -> None:
    X, y = data(50, noise=0.1)
    likelihood = Likelihood(X, y, np.full(50, np.nan))
    ours = fitted(X, y, np.full(50, np.nan))
    found = np.log([*ours.lengths, ours.scale, ours.noise[0]])
    value, gradient = likelihood(found)
    assert np.abs(gradient).max() < 0.05 * len(y)
    rng = np.random.default_rng(11)
    for _ in range(5):
        assert likelihood(found + 0.5 * rng.standard_normal(5))[0] > value - 1e-6


def hills(peaks: Array) -> Callable[[Array, Indices], tuple[Array, Array]]:
    """Return a hill for each start in turn, whose top has the height of its last coordinate."""

    def function(X: Array, rows: Indices) -> tuple[Array, Array]:
        top = peaks[rows % len(peaks)]
        gaps = X - top[:, :2]
        return top[:, 2] - (gaps**2 * [1.0, 30.0]).sum(axis=1), -2.0 * gaps * [1.0, 30.0]

    return function


@pytest.mark.parametrize(
    ("peak", "expected"), [((0.2, 0.7, 0.0), (0.2, 0.7)), ((1.4, 0.5, 0.0), (1.0, 0.5))]
)
def test_climbing_finds_maxima_inside_and_at_the_bounds(
    peak: tuple[float, ...], expected: tuple[float, ...]
) -> None:
    function = hills(np.array([peak]))
    starts = np.random.default_rng(12).random((6, 2))
    found = climbed(function, starts, np.full(2, 0.5))
    best = found[np.argmax(function(found, np.arange(6))[0])]
    np.testing.assert_allclose(best, expected, atol=1e-3)


def test_what_cannot_become_the_best_is_left_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    hill = hills(np.array([[0.2, 0.7, 9.0]]))
    asked = list[int]()

    def hill_or_bent_valley(X: Array, rows: Indices) -> tuple[Array, Array]:
        asked.extend(rows.tolist())
        a, b = 4.0 * X.T - 2.0
        valley = -(100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2)
        slopes = -4.0 * np.stack([2.0 * (a - 1.0) - 400.0 * a * (b - a * a), 200.0 * (b - a * a)])
        value, gradient = hill(X, rows)
        is_hill = rows % 2 == 0
        return np.where(is_hill, value, valley), np.where(is_hill[:, None], gradient, slopes.T)

    starts, counts = np.random.default_rng(12).random((6, 2)), list[int]()
    for patience in (climbing._PATIENCE, 1000):
        monkeypatch.setattr(climbing, "_PATIENCE", patience)
        asked.clear()
        found = climbed(hill_or_bent_valley, starts, np.full(2, 0.5))
        counts.append(len(asked))
        np.testing.assert_allclose(found[0], [0.2, 0.7], atol=1e-2)
    assert counts[0] < 0.6 * counts[1]
