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
            parameterization: Parameter name → value in the parameter's unit, of its type; of the
                parameters that exist there, with those that are derived or do not vary.

        Returns:
            Metadata that is JSON, such as a job's number; every later call for this trial receives
            it.

        Raises:
            Exception: Whatever keeps the trial from starting. `find_trial` is asked whether it did;
                where that cannot tell, the trial is FAILED with the error as the reason.
        """

    @abstractmethod
    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING, COMPLETED, FAILED, ABANDONED or EARLY_STOPPED, at once.

        Args:
            trial_index: From 0; -1 in a dry test.
            trial_metadata: What `run_trial` returned.

        Raises:
            TrialFailedError: Instead of FAILED, to say why: its message becomes the reason.
        """

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Stop a running trial; optional.

        Args:
            trial_index: From 0; -1 in a dry test.
            trial_metadata: What `run_trial` returned.

        Returns:
            A dict, which nobody reads.

        Raises:
            UnsupportedError: If the runner cannot stop trials.
        """
        raise UnsupportedError(f"{type(self).__name__} cannot stop a trial.")

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Look for a trial whose deployment was interrupted; optional.

        Args:
            trial_index: From 0.
            parameterization: As for `run_trial`.

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

        The progression is the step of a curve, any finite number, 0 where there is none. Value and
        mean are any real number, also of NumPy or torch, in the metric's unit; the sem is at least
        0, 0 for noiseless, and None for unknown.

        Args:
            trial_index: From 0; -1 in a dry test.
            trial_metadata: What the runner's `run_trial` returned.

        Raises:
            Exception: Whatever keeps the value from being read; the fetch is tried again, and
                `RetryBudget.fetch` says how often.
        """

    def is_available_while_running(self) -> bool:
        """Whether values can be fetched before the trial is completed."""
        return False
