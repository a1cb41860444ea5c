"""A kitchen: slow trials that outlive the window, each leaving its results in a file."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axdesk import IMetric, IRunner, TrialStatus

GOOD = "ethanol"


class Kitchen(IRunner):
    """Writes what a trial brings, and calls it done some time later.

    Args:
        folder: Where the files lie.
        seconds: How long a trial takes.
    """

    def __init__(self, folder: Path, seconds: float = 0.4) -> None:
        self.folder = folder
        self.seconds = seconds

    def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> dict[str, Any]:
        """Write the results into a new file."""
        at = parameterization
        heat, time_spent = float(at["Temperature"]), float(at["Time"])
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"dish_{trial_index:04d}_{time.time_ns()}.json"
        content = {
            "parameters": dict(at),
            "Yield": 90 - 0.01 * (heat - 70) ** 2 - 0.005 * (time_spent - 30) ** 2
            - 5 * (at["Solvent"] != GOOD),
            "Impurity": heat / 40,
            "done_at": time.time() + self.seconds,
        }  # fmt: skip
        unfinished = file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(content), "utf-8")
        unfinished.replace(file)
        return {"file": str(file)}

    def find_trial(
        self, trial_index: int, parameterization: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Look whether there is a file."""
        found = sorted(self.folder.glob(f"dish_{trial_index:04d}_*.json"))
        return {"file": str(found[0])} if found else None

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Say whether the trial's time is over."""
        is_over = time.time() >= _read(trial_metadata)["done_at"]
        return TrialStatus.COMPLETED if is_over else TrialStatus.RUNNING


class Yield(IMetric):
    """What came out."""

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
        """Read the file."""
        return 0, float(_read(trial_metadata)["Yield"])


class Impurity(IMetric):
    """What else came out."""

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
        """Read the file."""
        return 0, float(_read(trial_metadata)["Impurity"])


def _read(trial_metadata: Mapping[str, Any]) -> Any:
    return json.loads(Path(trial_metadata["file"]).read_text("utf-8"))
