import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

SECONDS = 60
"""After which a process hangs."""

SECONDS_TO_END = 10
"""For what axdesk has started, after axdesk itself has ended."""

PLUGIN = '''
"""A laboratory in files: `hold` keeps trials running, `fail` fails them, `silent` cuts it off."""

import threading
from pathlib import Path

from axdesk import IMetric, IRunner, TrialStatus

print("the plugin prints this")


class QuickRunner(IRunner):
    """Answers at once.

    Args:
        folder: Where the files lie that say how trials fare.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run_trial(self, trial_index, parameterization):
        with (self.folder / "deployed").open("a") as deployed:
            deployed.write(f"{trial_index}\\n")
        return {"index": trial_index, "x": parameterization["x"]}

    def poll_trial(self, trial_index, trial_metadata):
        if (self.folder / "silent").exists():
            raise OSError("no line")
        if (self.folder / "fail").exists():
            return TrialStatus.FAILED
        if (self.folder / "hold").exists():
            return TrialStatus.RUNNING
        return TrialStatus.COMPLETED

    def stop_trial(self, trial_index, trial_metadata):
        pipe = self.folder / "stopping"
        if pipe.exists():
            pipe.write_text(f"{trial_index}")
            threading.Event().wait()
        return {}


class QuickMetric(IMetric):
    """The square of x."""

    def fetch(self, trial_index, trial_metadata):
        return 0, trial_metadata["x"] ** 2
'''

EXPERIMENT = """
[experiment]
name = "quick"
plugin_folder = "plugins"

[[parameters]]
name = "x"
type = "float"
low = 0.0
high = 1.0

[optimization]
objective = "-y"

[generation]
method = "random_search"

[runner]
plugin = "quick.py:QuickRunner"

[runner.options]
folder = '{folder}'

[metrics.y]
plugin = "quick.py:QuickMetric"

[run]
max_trials = 6
initial_seconds_between_polls = 0.02
min_seconds_between_launches = 0.0
"""


class Laboratory:
    """An experiment file, its plugin, a database, and the command line in processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "lab.sqlite"
        self.file = folder / "quick.toml"
        self.file.write_text(EXPERIMENT.format(folder=folder), "utf-8")
        (folder / "plugins").mkdir()
        (folder / "plugins" / "quick.py").write_text(PLUGIN, "utf-8")
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: object, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "axdesk", "--headless", *map(str, arguments)]
        process = subprocess.Popen(
            [*command, "--database", str(self.database)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.started.append(process)
        return process

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=SECONDS)
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def start_held(self) -> subprocess.Popen[str]:
        """Start a run and return once a trial of it runs, which it does until it is released."""
        self.flag("hold")
        process = self.start("run", self.file, "--jsonl")
        assert process.stdout is not None
        for line in process.stdout:
            if '"status": "running"' in line:
                return process
        raise AssertionError("the run ended before a trial ran")

    def flag(self, name: str) -> None:
        (self.folder / name).touch()

    def unflag(self, name: str) -> None:
        (self.folder / name).unlink()


def processes_of(home: Path) -> list[psutil.Process]:
    """All that was started in a test, by whomever, and goes on."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            # One that has ended, but whose parent does not ask for its status, has none.
            if process.environ().get("HOME") == str(home) and process.pid != os.getpid():
                found.append(process)
    return found


def seconds_until_none_is_left(home: Path) -> float:
    """Wait for the processes of a test."""
    began = time.monotonic()
    while left := processes_of(home):
        assert time.monotonic() < began + SECONDS_TO_END, f"these outlived axdesk: {left}"
        psutil.wait_procs(left, timeout=0.05)
    return time.monotonic() - began


@pytest.fixture
def lab(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    laboratory = Laboratory(tmp_path)
    yield laboratory
    for process in laboratory.started:
        process.kill()
        process.communicate()
    seconds_until_none_is_left(home)
