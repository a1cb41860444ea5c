"""A laboratory in one file that any program may run, and that outlives each of them.

Its values hang on the parameters alone, so that equal suggestions get equal results.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axdesk import IMetric, IRunner, TrialStatus

FAILS = 5
"""Index of the one trial that the laboratory reports as failed."""


class BowlRunner(IRunner):
    """Completes a trial after one to three polls, so that at once they end out of order.

    Args:
        folder: Where it keeps which trials were deployed; while a file `hold` lies there, trials go
            on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.polls: dict[int, int] = {}

    def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
        """Note the trial by one system call."""
        with (self.folder / "deployed.txt").open("a", encoding="utf-8") as file:
            file.write(f"{trial_index}\n")
        return self._metadata(trial_index, parameterization)

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Count the polls."""
        self.polls[trial_index] = self.polls.get(trial_index, 0) + 1
        if (self.folder / "hold").exists() or self.polls[trial_index] <= trial_index * 2 % 3:
            return TrialStatus.RUNNING
        return TrialStatus.FAILED if trial_index == FAILS else TrialStatus.COMPLETED

    def find_trial(
        self, trial_index: int, parameterization: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Look into the file."""
        is_there = str(trial_index) in deployed(self.folder)
        return self._metadata(trial_index, parameterization) if is_there else None

    @staticmethod
    def _metadata(trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
        return {"trial": trial_index, **parameterization}


class BowlMetric(IMetric):
    """A bowl, lowest at x = 0.3, k = 1e-2, n = 3 with solvent b."""

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, tuple[float, float]]:
        """Return the value and its error."""
        at = trial_metadata
        decades = math.log10(at["k"]) + 2
        other = 0.2 * (at["solvent"] != "b")
        value = (at["x"] - 0.3) ** 2 + 0.1 * decades**2 + 0.05 * (at["n"] - 3) ** 2 + other
        return 0, (value, 0.02)


def deployed(folder: Path) -> list[str]:
    """Return the index of each deployment, in order."""
    file = folder / "deployed.txt"
    return file.read_text("utf-8").split() if file.exists() else []
