"""Base classes that a laboratory subclasses to connect its instruments: runner and metric."""

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialFailedError, TrialStatus

__all__ = ["IMetric", "IRunner", "TrialFailedError", "TrialStatus"]
