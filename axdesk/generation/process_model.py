"""A fitted process as a BoTorch model: for acquisition functions that have no closed form here."""

from typing import Any

import torch
from botorch.models.model import Model
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal

from axdesk.generation.gaussian_process import GaussianProcess

_JITTER = 1e-6
"""Added to the variances of several points, in shares of the process's own: else those that lie
close together, or at noiseless results, could not be drawn jointly."""

_LEAST_SQUARE = 1e-20
"""The square root has no slope at 0."""


class ProcessModel(Model):
    """The posterior of a `GaussianProcess`, of noise-free values, with torch's gradients."""

    num_outputs = 1
    batch_shape = torch.Size([])

    def __init__(self, process: GaussianProcess) -> None:
        """Take over the numbers; nothing is fitted again."""
        super().__init__()
        self._scale, self._mean = process.scale, process.mean
        self._lengths = torch.from_numpy(process.lengths)
        self._known = torch.from_numpy(process.X / process.lengths)
        self._weights = torch.from_numpy(process.weights)
        self._root = torch.from_numpy(process.root.copy())

    def posterior(
        self,
        X: torch.Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | torch.Tensor = False,
        posterior_transform: Any = None,  # BoTorch's type needs more than is used here
    ) -> Any:
        """Return the posterior at … × q × features; its covariance is q × q."""
        scaled = X / self._lengths
        cross = self._kernel(scaled, self._known)
        halves = torch.linalg.solve_triangular(self._root, cross.transpose(-1, -2), upper=False)
        covariance = self._kernel(scaled, scaled) - halves.transpose(-1, -2) @ halves
        if X.shape[-2] > 1:
            covariance = covariance + _JITTER * self._scale * torch.eye(X.shape[-2]).to(X)
        if X.shape[-2] > 1:
            covariance = covariance + _JITTER * self._scale * torch.eye(X.shape[-2]).to(X)
        mean = self._mean + cross @ self._weights
        posterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
        return posterior if posterior_transform is None else posterior_transform(posterior)

    def _kernel(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        gaps = left.unsqueeze(-2) - right.unsqueeze(-3)
        squares = (gaps * gaps).sum(dim=-1).clamp_min(_LEAST_SQUARE)
        rooted = (5.0 * squares).sqrt()
        return self._scale * (1.0 + rooted + 5.0 / 3.0 * squares) * (-rooted).exp()
