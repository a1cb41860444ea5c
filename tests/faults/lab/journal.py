"""A laboratory whose every deployment is on record, outside of any database.

A deployment is one line of the journal, appended by one write and forced to the disk: what the
journal says is what really happened. A trial runs until it was polled a few times.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization


def append(journal: Path, entry: Mapping[str, Any]) -> None:
    """Add one line, whole or not at all, that outlives a loss of power."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, json.dumps(entry).encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def entries(journal: Path) -> list[dict[str, Any]]:
    """Return all lines, oldest first."""
    lines = journal.read_text("utf-8").splitlines() if journal.exists() else []
    return [json.loads(line) for line in lines]


class BlindRunner(IRunner):
    """Cannot say what became of an interrupted deployment.

    Args:
        journal: The file that deployments are appended to.
        polls: How often a trial is asked for before it is completed.
        release: A file before whose making no trial is completed.
        scale: By which every value is multiplied.
        fails: Whether every trial fails in the end.
    """

    def __init__(
        self,
        journal: Path,
        polls: int = 2,
        release: Path | None = None,
        scale: float = 1.0,
        fails: bool = False,
    ) -> None:
        self.journal = journal
        self.polls = polls
        self.release = release
        self.scale = scale
        self.end = TrialStatus.FAILED if fails else TrialStatus.COMPLETED
        self.asked: dict[int, int] = {}

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Deploy: append one line."""
        entry = {
            "trial": trial_index,
            "parameters": dict(parameterization),
            "value": self.scale * value_of(parameterization),
            "uid": os.urandom(8).hex(),
            "pid": os.getpid(),
        }
        append(self.journal, entry)
        return {"uid": entry["uid"]}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return the trial's end once the trial was asked for often enough."""
        self.asked[trial_index] = self.asked.get(trial_index, 0) + 1
        is_held = self.release is not None and not self.release.exists()
        is_over = self.asked[trial_index] >= self.polls and not is_held
        return self.end if is_over else TrialStatus.RUNNING

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """Nothing is left to do."""
        return {}


class FindingRunner(BlindRunner):
    """Looks an interrupted deployment up in the journal."""

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> Mapping[str, Any] | None:
        """Return the metadata of a trial whose line stands in the journal."""
        for entry in entries(self.journal):
            if entry["trial"] == trial_index and entry["parameters"] == dict(parameterization):
                return {"uid": entry["uid"]}
        return None


class JournalMetric(IMetric):
    """Computes a trial's value from what was really deployed.

    Args:
        journal: The runner's.
    """

    def __init__(self, name: str, journal: Path) -> None:
        super().__init__(name)
        self.journal = journal

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return the value of the deployment that the metadata names."""
        (entry,) = (e for e in entries(self.journal) if e["uid"] == trial_metadata["uid"])
        return 0, float(entry["value"])


def value_of(parameters: Mapping[str, Any]) -> float:
    """Return what is measured at a point; no two points share it."""
    return float(parameters["x"]) + 1000.0 * float(parameters["y"])
