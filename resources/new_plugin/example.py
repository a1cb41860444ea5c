"""A laboratory to begin with: it runs as it is, and says at each place what to write instead.

A trial goes through run_trial (start it), poll_trial (is it done?) and fetch (what came out?).
Every call for a trial receives what run_trial returned: put everything there that is needed to find
the trial again, also after a restart of axdesk. Let exceptions out; do not make up values.
"""

import time
from collections.abc import Mapping
from typing import Any

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization


class ExampleRunner(IRunner):
    """Starts trials and says when they are done.

    Args:
        seconds: How long a trial takes.
    """

    # Each argument becomes a field of the form in the set-up: int, float, str, bool, Path,
    # Literal[...] or an Enum. Open no instrument here that a second process could not open, too.
    def __init__(self, seconds: float = 2.0) -> None:
        if seconds < 0:
            raise ValueError(f"seconds is {seconds}; at least 0 is needed")
        self.seconds = seconds

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Start a trial and return at once; a dry test has the index -1."""
        # Hand parameterization["Temperature"] and so on to the instrument here.
        return {"done_at": time.time() + self.seconds, "parameters": dict(parameterization)}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Say how a trial fares: RUNNING, COMPLETED, FAILED or ABANDONED."""
        # Ask the instrument here.
        is_done = time.time() >= trial_metadata["done_at"]
        return TrialStatus.COMPLETED if is_done else TrialStatus.RUNNING

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Stop a trial; remove this method if the instrument cannot."""
        return {}

    # Worth its lines: after a crash it says whether a trial was started, without a question.
    # Return its metadata, or None if it surely was not started.
    #
    # def find_trial(
    #     self, trial_index: int, parameterization: TParameterization
    # ) -> Mapping[str, Any] | None: ...


class ExampleMetric(IMetric):
    """Reads one value of a trial that is done; the set-up may use it for several metrics.

    Args:
        factor: The value is multiplied by it.
    """

    def __init__(self, name: str, factor: float = 1.0) -> None:
        super().__init__(name)
        self.factor = factor

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return (0, value), or (0, (value, standard error)) where the noise is known."""
        # Read the result here. This one adds up all numbers among the parameters.
        values = trial_metadata["parameters"].values()
        numbers = [float(value) for value in values if type(value) in (int, float)]
        return 0, self.factor * sum(numbers)
