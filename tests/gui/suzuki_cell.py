"""The laboratory of the pictures: a cell with three reactors and an HPLC, which are simulated.

It is copied into the plugin folder of the pictures as it is.
"""

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization

SOLVENTS = {"MeCN": 0.74, "DMF": 1.0, "1,4-Dioxane": 0.9, "Toluene": 0.6}
FIRST_JOB = 4695
SEMS = {"Yield": 0.9, "Impurity": 0.04, "Cost": 0.0}
DIGITS = {"Yield": 1, "Impurity": 2, "Cost": 2}


def measured(metric: str, trial_index: int, at: TParameterization) -> tuple[float, float]:
    """Return (mean, sem) of a metric; a trial that is measured again has the same."""
    temperature, minutes = float(at["Temperature"]), float(at["Time"])
    catalyst, solvent = float(at["Catalyst"]), str(at["Solvent"])
    warm = math.exp(-(((temperature - 92) / 21) ** 2))
    reacted = 1 - math.exp(-minutes * (0.25 + math.sqrt(catalyst / 5)) / 16)
    values = {
        "Yield": 4 + 88 * SOLVENTS[solvent] * warm * reacted,
        "Impurity": 0.4 + 0.9 * (temperature / 100) ** 4 + 0.09 * catalyst + 0.007 * minutes,
        "Cost": 3.4 + 1.5 * catalyst + 0.02 * minutes + (1.4 if solvent == "DMF" else 0.8),
    }
    spread = random.Random(f"{metric}{trial_index}").gauss(0, SEMS[metric])
    return round(max(values[metric] + spread, 0.0), DIGITS[metric]), SEMS[metric]


def record(trial_index: int) -> dict[str, Any]:
    """What the cell says of a job that it took."""
    return {"job": FIRST_JOB + trial_index}


class SuzukiCell(IRunner):
    """Runs couplings in a cell with several reactors.

    Args:
        address: The cell's address in the laboratory's network.
        reactors: How many reactors may be used.
        fill_volume: Of each reactor, in mL.
        stirring: Turns a minute.
    """

    def __init__(
        self,
        address: str = "10.0.4.17",
        reactors: int = 3,
        fill_volume: float = 2.0,
        stirring: int = 600,
    ) -> None:
        self.address = address
        self.folder = Path(__file__).parent

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Put a job into the cell's queue."""
        file = self.folder / f"job_{FIRST_JOB + trial_index}.json"
        file.write_text(json.dumps(dict(parameterization)), "utf-8")
        return record(trial_index)

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Ask for a job; a file called after a job pulls its reactor's plug."""
        if (self.folder / f"unplugged_{trial_metadata['job']}").exists():
            raise TimeoutError(f"no reply from {self.address} within 30 s")
        return TrialStatus.COMPLETED if trial_index < 0 else TrialStatus.RUNNING

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Cool a reactor down."""
        return {}

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Look whether the queue has the job."""
        return record(trial_index)


class Hplc(IMetric):
    """Reads a value from the chromatogram of a trial.

    Args:
        method: The gradient.
    """

    def __init__(self, name: str, method: Literal["fast", "standard"] = "standard") -> None:
        super().__init__(name)

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return the value with its standard error."""
        file = Path(__file__).parent / f"job_{trial_metadata['job']}.json"
        return 0, measured(self.name, trial_index, json.loads(file.read_text("utf-8")))
