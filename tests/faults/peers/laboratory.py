"""The laboratory in which each system meets the six faults.

Both systems are given the very same runner and metric: the package that they come from is imported
by name. What happens in the laboratory is written to a file of its own, which is the truth that
the systems' databases are held against.
"""

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

NAME = "six rows"
TRIALS = 4
LOCK_SECONDS = "SIX_ROWS_LOCK_SECONDS"
"""The environment variable that says how long the database is locked."""

# It does not outlive the run: when that ends, its standard input closes.
HOLD_LOCK = """
import os, sqlite3, sys, threading
connection = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
end = threading.Timer(float(sys.argv[2]), os._exit, [0])
end.daemon = True
end.start()
sys.stdin.read()
"""
lock_holders: list[subprocess.Popen[bytes]] = []


def database(folder: Path) -> Path:
    """Return the database in which either system keeps its experiment."""
    return folder / "lab.sqlite"


def entries(folder: Path, kind: str) -> list[tuple[int, float]]:
    """Return (trial index, value of x) of all that the laboratory wrote down of a kind, in order.

    Args:
        folder: The row's.
        kind: `"deployed"`, or what went wrong.
    """
    file = folder / "journal.jsonl"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    noted = map(json.loads, lines)
    return [(entry["trial"], entry["x"]) for entry in noted if entry["kind"] == kind]


class Laboratory:
    """Runs trials, whose result is x², and lets one fault happen.

    It remembers nothing but its journal: Ax makes copies of its metrics and runners.

    Args:
        folder: Where the journal is.
        fault: One of `judgement.FAULTS`.
    """

    def __init__(self, folder: str, fault: str) -> None:
        self.folder = Path(folder)
        self.fault = fault

    def note(self, kind: str, trial: int, x: float = 0.0) -> None:
        """Write one line by one system call, and have it on the disk."""
        line = json.dumps({"kind": kind, "trial": trial, "x": x}) + "\n"
        journal = os.open(self.folder / "journal.jsonl", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
        try:
            os.write(journal, line.encode())
            os.fsync(journal)
        finally:
            os.close(journal)

    def strikes(self, fault: str, trial: int, at: int, *, times: int | None = 1) -> bool:
        """Say whether a fault happens now, and write it down if so.

        Args:
            fault: Which one is meant.
            trial: The trial whose call this is.
            at: The trial that the fault is about.
            times: How often it happens; None for always.
        """
        if fault != self.fault or trial != at:
            return False
        if times is not None and len(entries(self.folder, fault)) >= times:
            return False
        self.note(fault, trial)
        return True

    def deploy(self, trial: int, x: float) -> dict[str, Any]:
        """Start a trial; it counts from its line in the journal on."""
        self.note("deployed", trial, x)
        if self.strikes("killed", trial, at=2):
            # Windows has no SIGKILL; its TerminateProcess comes by os.kill with any other signal.
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        if self.strikes("locked", trial, at=1):
            self.lock_database()
        if self.strikes("unconfirmed", trial, at=1, times=None):
            raise ConnectionError("the connection was lost before the confirmation")
        return {"x": x}

    def lock_database(self) -> None:
        """Let another program hold the database's exclusive lock for a while."""
        seconds = os.environ[LOCK_SECONDS]
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD_LOCK, str(database(self.folder)), seconds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        lock_holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"

    def poll(self, trial: int) -> str:
        """Return RUNNING the first time, so that trials run side by side, then COMPLETED."""
        if self.strikes("unreachable", trial, at=1, times=2):
            raise ConnectionError("the instrument does not answer")
        self.note("polled", trial)
        polls = [index for index, _ in entries(self.folder, "polled") if index == trial]
        return "RUNNING" if len(polls) == 1 else "COMPLETED"

    def read(self, trial: int, x: float) -> float:
        """Return the result, from what `deploy` returned."""
        if self.strikes("unreadable", trial, at=1):
            raise ConnectionError("the instrument does not answer")
        if self.strikes("nan", trial, at=1, times=None):
            return float("nan")
        return x**2

    def find(self, trial: int, x: float) -> dict[str, Any] | None:
        """Return what `deploy` returned, or should have; None if the trial was not deployed."""
        return {"x": x} if (trial, x) in entries(self.folder, "deployed") else None


def unlock_database() -> None:
    """End the programs that hold the lock."""
    for holder in lock_holders:
        holder.communicate()


def plugin_classes(package: str) -> tuple[type[Any], type[Any]]:
    """Return the classes of the runner and the metric, derived from a package's own.

    Args:
        package: `"ax"` or `"axdesk"`.
    """
    protocols: Any = importlib.import_module(f"{package}.api.protocols.runner")
    metric: Any = importlib.import_module(f"{package}.api.protocols.metric")

    # Both keep, under its own name, each argument of __init__: Ax stores and copies by them.
    class SixRowsRunner(protocols.IRunner):  # type: ignore[misc]  # known when it is imported
        def __init__(self, folder: str, fault: str) -> None:
            self.folder = folder
            self.fault = fault

        def run_trial(
            self, trial_index: int, parameterization: Mapping[str, Any]
        ) -> dict[str, Any]:
            return Laboratory(self.folder, self.fault).deploy(trial_index, parameterization["x"])

        def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
            return protocols.TrialStatus[Laboratory(self.folder, self.fault).poll(trial_index)]

        def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
            return {}

        def find_trial(
            self, trial_index: int, parameterization: Mapping[str, Any]
        ) -> dict[str, Any] | None:
            return Laboratory(self.folder, self.fault).find(trial_index, parameterization["x"])

    class SixRowsMetric(metric.IMetric):  # type: ignore[misc]  # known when it is imported
        def __init__(self, name: str, folder: str, fault: str) -> None:
            super().__init__(name)
            self.folder = folder
            self.fault = fault

        def fetch(
            self, trial_index: int, trial_metadata: Mapping[str, Any]
        ) -> tuple[int, float | tuple[float, float]]:
            laboratory = Laboratory(self.folder, self.fault)
            return 0, laboratory.read(trial_index, trial_metadata["x"])

    return SixRowsRunner, SixRowsMetric


class System(Protocol):
    """What the two systems do not have in common.

    Attributes:
        package: What is imported.
    """

    package: str

    def storage(self, url: str, runner: type[Any], metric: type[Any]) -> Any:
        """Return the StorageConfig of a database that is ready for use."""
        ...

    def go_on(self, client: Any, run_trials: Callable[..., None]) -> None:
        """Let a loaded experiment go on to the budget with which it began."""
        ...

    def trials(self, client: Any) -> list[dict[str, Any]]:
        """Return the index, x, status (in capitals) and value (or None) of each trial."""
        ...


def play(system: System, fault: str, folder: Path) -> None:
    """Begin the experiment, or go on with the one in the folder; write what came of it.

    Args:
        system: What is examined.
        fault: One of `judgement.FAULTS`.
        folder: The row's; `outcome.json` appears there, unless this process is killed.
    """
    runner, metric = plugin_classes(system.package)
    client_class: Any = importlib.import_module(f"{system.package}.api.client").Client
    configs: Any = importlib.import_module(f"{system.package}.api.configs")
    exists = database(folder).exists()
    storage = system.storage(f"sqlite:///{database(folder)}", runner, metric)

    def run_trials(max_trials: int) -> None:
        client.run_trials(max_trials=max_trials, parallelism=2, initial_seconds_between_polls=0.2)

    if exists:
        client = client_class.load_from_database(NAME, storage_config=storage)
    else:
        client = client_class(storage_config=storage, random_seed=7)
        x = configs.RangeParameterConfig(name="x", bounds=(0.0, 1.0), parameter_type="float")
        client.configure_experiment(name=NAME, parameters=[x])
        client.configure_optimization(objective="-y")
        client.configure_generation_strategy(method="random_search")
    client.configure_runner(runner(str(folder), fault))
    client.configure_metrics([metric("y", str(folder), fault)])
    raised = ""
    try:
        if exists:
            system.go_on(client, run_trials)
        else:
            run_trials(TRIALS)
    except Exception as error:  # noqa: BLE001  # whatever ends the run is what is examined
        raised = f"{type(error).__name__}: {error}"
    unlock_database()
    kept = client_class.load_from_database(NAME, storage_config=storage)
    outcome = {"raised": raised, "trials": system.trials(kept)}
    (folder / "outcome.json").write_text(json.dumps(outcome), "utf-8")


def play_as_program(system: System) -> None:
    """Play the row that the command line names: the fault, then the folder."""
    play(system, sys.argv[1], Path(sys.argv[2]))
