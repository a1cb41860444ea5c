"""A laboratory whose every deployment is on record, and the run that is killed in it.

As a program, `killable_lab.py FOLDER find|blind` runs the experiment from its beginning.
"""

import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RangeParameterConfig, StorageConfig
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterization
from axdesk.core.trial import TrialStatus

NAME = "killed"
TRIALS = 8


def deployments(folder: Path) -> list[tuple[int, float]]:
    """Return (trial index, value of x) of every deployment, in order."""
    file = folder / "deployments.txt"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    return [(int(index), float(x)) for index, x in map(str.split, lines)]


def database(folder: Path) -> StorageConfig:
    """Return where the experiment is kept."""
    return StorageConfig(url=f"sqlite:///{folder / 'lab.sqlite'}")


class BlindRunner(IRunner):
    """Appends each deployment to a file; cannot look for trials."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.polled: set[int] = set()

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Append one line, by one system call."""
        with (self.folder / "deployments.txt").open("a", encoding="utf-8") as file:
            file.write(f"{trial_index} {parameterization['x']!r}\n")
        return {"index": trial_index}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING at the first poll, so that trials run side by side."""
        if trial_index not in self.polled:
            self.polled.add(trial_index)
            return TrialStatus.RUNNING
        return TrialStatus.COMPLETED


class FindingRunner(BlindRunner):
    """Looks for trials among its deployments."""

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> dict[str, Any] | None:
        """Return the metadata of a trial that was deployed."""
        was_deployed = (trial_index, parameterization["x"]) in deployments(self.folder)
        return {"index": trial_index} if was_deployed else None


class LineMetric(IMetric):
    """Reads a trial's line."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.folder = folder

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return the square of what was deployed."""
        return 0, dict(deployments(self.folder))[trial_metadata["index"]] ** 2


def equip(client: Client, folder: Path, runner: str) -> None:
    """Give a client its laboratory."""
    client.configure_runner((FindingRunner if runner == "find" else BlindRunner)(folder))
    client.configure_metrics([LineMetric("y", folder)])


def main(folder: Path, runner: str) -> None:
    """Run the experiment from its beginning."""
    with closing(Client(database(folder), random_seed=3)) as client:
        client.configure_experiment([RangeParameterConfig("x", (0, 1))], name=NAME)
        client.configure_optimization("-y")
        client.configure_generation_strategy("random_search")
        equip(client, folder, runner)
        client.run_trials(
            TRIALS,
            parallelism=3,
            initial_seconds_between_polls=0.02,
            config=OrchestrationConfig(min_seconds_between_launches=0.0),
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
