"""The types in the signatures of runners, metrics and the client."""

from axdesk.core.parameters import TParameterization, TParameterValue

__all__ = ["TOutcome", "TParameterValue", "TParameterization"]

TOutcome = float | tuple[float, float]
"""A metric's value, or (mean, standard error of the mean)."""
