"""The types in the signatures of runners, metrics and the client."""

from collections.abc import Mapping

from axdesk.core.parameters import TParameterization, TParameterValue

__all__ = ["TOutcome", "TParameterValue", "TParameterization"]

TOutcome = Mapping[str, float | tuple[float, float]]
"""Metric → mean, or (mean, standard error of the mean), in the metric's unit."""
