"""An example laboratory: the Hartmann6 function behind a runner that takes its time.

The runner writes each result into a file, as an instrument would, and calls the trial completed
some seconds later; the metric reads the file. Both find all they need in that file, so that a run
can be interrupted and resumed at any time.
"""

import json
import math
import random
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization

ALPHA = (1.0, 1.2, 3.0, 3.2)
A = (
    (10, 3, 17, 3.5, 1.7, 8),
    (0.05, 10, 17, 0.1, 8, 14),
    (3, 3.5, 1.7, 10, 17, 8),
    (17, 8, 0.05, 10, 0.1, 14),
)
P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(x: tuple[float, ...]) -> float:
    """Return the function at six values between 0 and 1; its minimum is about -3.32237."""
    return -sum(
        alpha * math.exp(-sum(a * (xj - p) ** 2 for a, xj, p in zip(row, x, place, strict=True)))
        for alpha, row, place in zip(ALPHA, A, P, strict=True)
    )


class Hartmann6Runner(IRunner):
    """Evaluates the Hartmann6 function and needs a few seconds for each trial.

    Args:
        folder: Where the files of the trials lie. The home folder's default outlives a restart of
            the computer and can be written from wherever axdesk was started. Two experiments may
            share a folder: no file is used twice.
        seconds: How long a trial takes.
    """

    def __init__(
        self,
        folder: Path = Path("~/.axdesk/hartmann6"),
        seconds: Annotated[float, (0, None), "s"] = 5.0,
    ) -> None:
        if seconds < 0:
            raise ValueError(f"seconds is {seconds}; at least 0 is needed")
        self.folder = folder.expanduser()
        self.seconds = seconds

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Write the trial's file: its parameters, its result, and when it will be completed."""
        x = tuple(float(parameterization[f"x{i}"]) for i in range(1, 7))
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"trial_{trial_index:04d}_{uuid.uuid4().hex[:8]}.json"
        content = {
            "parameters": dict(parameterization),
            "hartmann6": hartmann6(x),
            "completed_at": time.time() + self.seconds,
            "is_stopped": False,
        }
        write(file, content)
        return {"file": str(file.absolute())}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return COMPLETED once the trial's time is over."""
        file = Path(trial_metadata["file"])
        if not file.exists():
            return TrialStatus.FAILED
        content = read(file)
        if content["is_stopped"]:
            return TrialStatus.ABANDONED
        is_over = time.time() >= content["completed_at"]
        return TrialStatus.COMPLETED if is_over else TrialStatus.RUNNING

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Note in the trial's file that it was stopped."""
        file = Path(trial_metadata["file"])
        write(file, read(file) | {"is_stopped": True})
        return {}

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Look for the latest file of this trial with these parameters."""
        files = [
            file
            for file in self.folder.glob(f"trial_{trial_index:04d}_*.json")
            if read(file)["parameters"] == dict(parameterization)
        ]
        latest = max(files, key=lambda file: read(file)["completed_at"], default=None)
        return None if latest is None else {"file": str(latest.absolute())}


class Hartmann6Metric(IMetric):
    """Reads the result from the trial's file.

    Args:
        noise_sd: Standard deviation of the noise that is added to the result.
    """

    def __init__(self, name: str, noise_sd: float = 0.0) -> None:
        super().__init__(name)
        if noise_sd < 0:
            raise ValueError(f"noise_sd is {noise_sd}; at least 0 is needed")
        self.noise_sd = noise_sd

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return (0, value), or (0, (value, sem)) where there is noise."""
        value = read(Path(trial_metadata["file"]))["hartmann6"]
        if self.noise_sd == 0:
            return 0, value
        # The same trial has the same noise, however often it is fetched.
        noise = random.Random(trial_index).gauss(0, self.noise_sd)
        return 0, (value + noise, self.noise_sd)


def read(file: Path) -> dict[str, Any]:
    """Return the content of a trial's file."""
    content: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return content


def write(file: Path, content: Mapping[str, Any]) -> None:
    """Write a trial's file so that nobody ever sees half of it."""
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content), "utf-8")
    unfinished.replace(file)
