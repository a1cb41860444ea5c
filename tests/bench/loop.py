"""How close a closed loop comes to the ideal: `python -m tests.bench.loop PACKAGE SETTINGS`.

Trials of the tutorial's experiment take a known time, of which the program knows no more than a
laboratory would tell it. One line of JSON comes on the standard output.
"""

import heapq
import importlib
import json
import logging
import math
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.problems import hartmann6

JITTER = 0.2
NAMES = tuple(f"x{i}" for i in range(1, 7))


@dataclass(frozen=True)
class Settings:
    """How a loop is run.

    Attributes:
        seconds: What a trial takes, give or take 20 %.
        interval: Seconds between two polls of a trial.
        is_spaced: Whether launches are a second apart; Ax always spaces them.
    """

    trials: int = 30
    seconds: float = 5.0
    parallelism: int = 3
    interval: float = 1.0
    is_spaced: bool = True
    seed: int = 1

    @property
    def durations(self) -> list[float]:
        """What each trial takes, by the order of their launches."""
        drawn = np.random.default_rng(self.seed).uniform(-1, 1, self.trials)
        return [float(self.seconds * (1 + JITTER * share)) for share in drawn]


def seconds_busy(
    durations: Sequence[float], parallelism: int, interval: float, spacing: float
) -> float:
    """Return the seconds of a loop that costs nothing.

    Args:
        durations: What each trial takes.
        parallelism: How many run at once.
        interval: Seconds between two polls of a trial; 0 notices its end at once.
        spacing: Seconds between two launches.
    """
    free, wall, last = [0.0] * parallelism, 0.0, -spacing
    for duration in durations:
        last = max(heapq.heappop(free), last + spacing)
        waited = math.ceil(duration / interval - 1e-9) * interval if interval else duration
        heapq.heappush(free, last + waited)
        wall = max(wall, last + waited)
    return wall


def plugins(package: str, folder: Path, durations: Sequence[float]) -> tuple[Any, Any, list[int]]:
    """Return a runner and a metric of a package, and the list of what they deployed."""
    protocol: Any = importlib.import_module(f"{package}.api.protocols.runner")
    metric: Any = importlib.import_module(f"{package}.api.protocols.metric")
    deployed: list[int] = []

    class FileRunner(protocol.IRunner):  # type: ignore[misc]  # known when it is imported
        def run_trial(
            self, trial_index: int, parameterization: Mapping[str, Any]
        ) -> dict[str, Any]:
            seconds = durations[len(deployed) % len(durations)]
            deployed.append(trial_index)
            file = folder / uuid.uuid4().hex
            point = np.array([float(parameterization[name]) for name in NAMES])
            file.write_text(str(hartmann6(point)), "utf-8")
            return {"file": str(file), "ready": time.time() + seconds}

        def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
            is_ready = time.time() >= trial_metadata["ready"]
            return protocol.TrialStatus["COMPLETED" if is_ready else "RUNNING"]

    class FileMetric(metric.IMetric):  # type: ignore[misc]  # known when it is imported
        def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
            return 0, float(Path(trial_metadata["file"]).read_text("utf-8"))

    return FileRunner(), FileMetric(name="y"), deployed


def run_loop(package: str, settings: Settings) -> dict[str, Any]:
    """Run an experiment of `ax` or `axdesk`, in real time, and return its figures."""
    client_class: Any = importlib.import_module(f"{package}.api.client").Client
    configs: Any = importlib.import_module(f"{package}.api.configs")
    durations = settings.durations
    more: dict[str, Any] = {}
    if not settings.is_spaced:
        more["config"] = configs.OrchestrationConfig(min_seconds_between_launches=0.0)
    interval = settings.interval
    with tempfile.TemporaryDirectory() as folder:
        runner, metric, deployed = plugins(package, Path(folder), durations)
        client = client_class(random_seed=settings.seed)
        client.configure_experiment(
            name="loop",
            parameters=[
                configs.RangeParameterConfig(name=name, parameter_type="float", bounds=(0, 1))
                for name in NAMES
            ],
        )
        client.configure_optimization(objective="-y")
        client.configure_runner(runner=runner)
        client.configure_metrics(metrics=[metric])
        started = time.perf_counter()
        client.run_trials(
            max_trials=settings.trials,
            parallelism=settings.parallelism,
            tolerated_trial_failure_rate=0.1,
            initial_seconds_between_polls=int(interval) if interval == int(interval) else interval,
            **more,
        )
        wall = time.perf_counter() - started
    spacing = 1.0 if settings.is_spaced else 0.0
    ideal = seconds_busy(durations, settings.parallelism, 0.0, 0.0)
    ceiling = ideal / seconds_busy(durations, settings.parallelism, interval, spacing)
    return {
        "package": package,
        **asdict(settings),
        "wall_s": wall,
        "ideal_s": ideal,
        "efficiency": ideal / wall,
        "ceiling": ceiling,
        "of_ceiling": ideal / wall / ceiling,
        "deployed": len(deployed),
        "doubled": len(deployed) - len(set(deployed)),
    }


def main(package: str, settings: str) -> None:
    """Run a loop with settings in JSON, and write its figures."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines:
        os.dup2(2, 1)  # what a package prints goes to the standard error
        logging.disable(logging.WARNING)
        lines.write(json.dumps(run_loop(package, Settings(**json.loads(settings)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
