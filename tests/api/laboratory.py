"""A laboratory in this process, and the clients that use it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RangeParameterConfig, StorageConfig
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.api.types import TParameterization
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup

POLL_SECONDS = 0.02
FAST = OrchestrationConfig(min_seconds_between_launches=0)
PARAMETERS = (RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("z", (0.0, 1.0)))
WAIT_SECONDS = 20


def value_at(parameters: Mapping[str, Any]) -> float:
    """The truth of this laboratory: best, 1.0, at x = 0.25."""
    return 1.0 - (float(parameters["x"]) - 0.25) ** 2


class BenchRunner(IRunner):
    """Completes each trial at its first poll, unless `is_open` is cleared.

    Attributes:
        is_open: While it is cleared, trials go on.
        started: Set at the first `run_trial`.
        fails: Trial indices that end as FAILED.
    """

    def __init__(self) -> None:
        self.deployed: list[int] = []
        self.stopped: list[int] = []
        self.is_open = threading.Event()
        self.is_open.set()
        self.started = threading.Event()
        self.fails: set[int] = set()
        self.running: set[int] = set()
        self.most_running = 0

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        self.deployed.append(trial_index)
        self.running.add(trial_index)
        self.most_running = max(self.most_running, len(self.running))
        self.started.set()
        return {"trial": trial_index, "value": value_at(parameterization)}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        if not self.is_open.is_set():
            return TrialStatus.RUNNING
        self.running.discard(trial_index)
        return TrialStatus.FAILED if trial_index in self.fails else TrialStatus.COMPLETED

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        self.running.discard(trial_index)
        self.stopped.append(trial_index)
        return {}


class BenchMetric(IMetric):
    """Reads what the runner left in the metadata, with a known error."""

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, tuple[float, float]]:
        return 0, (trial_metadata["value"], 0.1)


def configured(
    storage: StorageConfig | None = None, name: str = "bench", *, method: str = "random_search"
) -> Client:
    """A client whose experiment maximises `y`, without runner and metrics."""
    client = Client(storage, random_seed=1)
    client.configure_experiment(PARAMETERS, name=name)
    client.configure_optimization("y")
    client.configure_generation_strategy(method, initialization_budget=3)  # type: ignore[arg-type]  # a literal
    return client


def equipped(client: Client, runner: BenchRunner) -> Client:
    """The same client with its laboratory."""
    client.configure_runner(runner)
    client.configure_metrics([BenchMetric("y")])
    return client


def run(client: Client, max_trials: int | None = None, parallelism: int = 1) -> None:
    """Run trials without waiting between them."""
    client.run_trials(
        max_trials, parallelism, initial_seconds_between_polls=POLL_SECONDS, config=FAST
    )


class Background:
    """A call in a thread of its own; its error is kept for the test."""

    def __init__(self, call: Callable[[], None]) -> None:
        self.error: BaseException | None = None
        self._call = call
        self._thread = threading.Thread(target=self._work, name="test-run")
        self._thread.start()

    def _work(self) -> None:
        try:
            self._call()
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            self.error = error

    def join(self) -> None:
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive(), "the run did not end"


QUICK_PLUGIN = """
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Quick(IRunner):
    def run_trial(self, trial_index, parameterization):
        return {"trial": trial_index, "x": parameterization["x1"]}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED


class Value(IMetric):
    def fetch(self, trial_index, trial_metadata):
        return 0, trial_metadata["x"]
"""


def quick_folder(where: Path) -> Path:
    """A folder with one plugin file whose trials take no time."""
    folder = where / "plugins"
    folder.mkdir()
    (folder / "quick.py").write_text(QUICK_PLUGIN, "utf-8")
    return folder


def quick_setup(demo: ExperimentSetup, folder: Path) -> ExperimentSetup:
    """The demonstration in the laboratory of `quick_folder`."""
    return replace(
        demo,
        name="quick",
        plugin_folder=str(folder),
        runner=PluginChoice("quick.py:Quick", {}),
        metrics=tuple((name, PluginChoice("quick.py:Value", {})) for name, _ in demo.metrics),
        run=RunSettings(
            max_trials=2, initial_seconds_between_polls=POLL_SECONDS, orchestration=FAST
        ),
    )
