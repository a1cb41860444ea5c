"""What a laboratory implements: a runner that deploys trials and metrics that fetch results."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from axdesk.core.errors import UnsupportedError
from axdesk.core.names import checked_name
from axdesk.core.parameters import TParameterization
from axdesk.core.trial import TrialStatus


class IRunner(ABC):
    """Deploys trials to an external system and asks it how they fare.

    The calls of one plugin file never overlap, and come from one thread that is not the caller's.
    """

    @abstractmethod
    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Start a trial and return at once.

        Args:
            trial_index: From 0; -1 in a dry test.
            parameterization: Parameter name → value.

        Returns:
            Metadata that is JSON; every later call for this trial receives it.
        """

    @abstractmethod
    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING, COMPLETED, FAILED, ABANDONED or EARLY_STOPPED.

        Raises:
            TrialFailedError: Instead of FAILED, to say why: its message becomes the reason.
        """

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Stop a running trial; optional.

        Raises:
            UnsupportedError: If the runner cannot stop trials.
        """
        raise UnsupportedError(f"{type(self).__name__} cannot stop a trial.")

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Look for a trial whose deployment was interrupted; optional.

        Returns:
            Its metadata if it was started, None if it surely was not.

        Raises:
            UnsupportedError: If the runner cannot tell.
        """
        raise UnsupportedError(f"{type(self).__name__} cannot look for trials.")


class IMetric(ABC):
    """Fetches one value of a trial.

    Attributes:
        name: The metric's name in objectives and constraints.
    """

    def __init__(self, name: str) -> None:
        self.name = checked_name(name, "metric")

    @abstractmethod
    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return (progression, value) or (progression, (mean, sem)).

        Args:
            trial_index: From 0; -1 in a dry test.
            trial_metadata: What the runner's `run_trial` returned.
        """

    def is_available_while_running(self) -> bool:
        """Whether values can be fetched before the trial is completed."""
        return False
