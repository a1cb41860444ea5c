"""What a laboratory derives its runner from."""

from axdesk.core.errors import TrialFailedError
from axdesk.core.laboratory import IRunner
from axdesk.core.trial import TrialStatus

__all__ = ["IRunner", "TrialFailedError", "TrialStatus"]
