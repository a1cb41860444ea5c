"""The tutorial's calls on an example of our own: files named by trial index, no waiting."""

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RangeParameterConfig
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization

TRIALS = 8


def bowl(x1: float, x2: float) -> float:
    """Lowest, 0, at (0.2, 0.7)."""
    return math.hypot(x1 - 0.2, x2 - 0.7)


class FileRunner(IRunner):
    """Writes the result at once and says so at the second poll."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.polled: set[int] = set()

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        """Write one file a trial."""
        file = self.folder / f"trial_{trial_index}.txt"
        x1, x2 = (float(parameterization[name]) for name in ("x1", "x2"))
        file.write_text(repr(bowl(x1, x2)), "utf-8")
        return {"file_name": str(file)}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING once."""
        if trial_index not in self.polled:
            self.polled.add(trial_index)
            return TrialStatus.RUNNING
        return TrialStatus.COMPLETED


class FileMetric(IMetric):
    """Reads the file of a trial."""

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return what the runner wrote."""
        return 0, float(Path(trial_metadata["file_name"]).read_text("utf-8"))


def test_the_tutorial_s_calls_run_an_experiment_of_our_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Client(random_seed=1)) as client:
        client.configure_experiment(
            parameters=[
                RangeParameterConfig(name=f"x{i + 1}", parameter_type="float", bounds=(0, 1))
                for i in range(2)
            ],
            name="bowl_experiment",
            description="Optimization of a bowl",
            owner="developer",
        )
        client.configure_optimization(objective="-bowl")
        client.configure_runner(runner=FileRunner(tmp_path))
        client.configure_metrics(metrics=[FileMetric(name="bowl")])
        client.run_trials(
            max_trials=TRIALS,
            parallelism=3,
            tolerated_trial_failure_rate=0.1,
            initial_seconds_between_polls=0.01,
            config=OrchestrationConfig(min_seconds_between_launches=0.0),
        )
        parameters, prediction, index, name = client.get_best_parameterization()
        cards = client.compute_analyses(display=True)
        trials = client.experiment.trials

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"trial_{i}.txt" for i in range(TRIALS)
    )
    assert {trial.status for trial in trials.values()} == {TrialStatus.COMPLETED}
    values = {}
    for i, trial in trials.items():
        x1, x2 = (float(trial.parameters[name]) for name in ("x1", "x2"))
        values[i] = trial.observations[0].mean
        assert values[i] == bowl(x1, x2)
    assert dict(trials[index].parameters) == parameters
    assert trials[index].arm.name == name
    assert values[index] == pytest.approx(min(values.values()), abs=0.05)
    assert set(prediction) == {"bowl"}
    assert min(values.values()) < values[0]
    printed = capsys.readouterr().out
    assert cards
    assert all(card.title in printed for card in cards)
