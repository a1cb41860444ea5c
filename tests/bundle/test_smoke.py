"""The frozen program, tried as a laboratory would: `dev.py bundle` runs this on what it built."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from PySide6.QtGui import QImage

from axdesk import __version__

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = os.environ.get("AXDESK_BUNDLE", "")
LONGEST = 180

pytestmark = pytest.mark.skipif(
    not BUNDLE, reason="no bundle: `python3 packaging/dev.py bundle` builds one and tries it"
)

LAB = '''
import os
import time

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Lab(IRunner):
    """Answers at once; what ends the host ends it once."""

    def __init__(self, seconds: float = 0.0, ends_at: int = -1) -> None:
        self.seconds, self.ends_at = seconds, ends_at

    def run_trial(self, trial_index, parameterization):
        if trial_index == self.ends_at:
            os._exit(9)
        return {"x": parameterization["x"], "z": parameterization["z"],
                "due": time.time() + self.seconds}

    def poll_trial(self, trial_index, trial_metadata):
        is_over = time.time() >= trial_metadata["due"]
        return TrialStatus.COMPLETED if is_over else TrialStatus.RUNNING


class Cost(IMetric):
    """Two bowls, and a plane."""

    def fetch(self, trial_index, trial_metadata):
        x, z = trial_metadata["x"], trial_metadata["z"]
        values = {"a": (x - 0.2) ** 2 + z, "b": (x - 0.8) ** 2 + z, "c": (1 - z) + x}
        return 0, values[self.name]
'''

SETUP = """
[experiment]
name = "smoke"

[[parameters]]
name = "x"
type = "float"
low = 0.0
high = 1.0

[[parameters]]
name = "z"
type = "float"
low = 0.0
high = 1.0

[optimization]
objective = "{objective}"

[runner]
plugin = "lab.py:Lab"

[runner.options]
{options}

{metrics}

[run]
max_trials = {trials}
parallelism = 2
tolerated_trial_failure_rate = 0.5
initial_seconds_between_polls = 0.05
min_seconds_between_launches = 0.0
"""

ODD = """
import asyncio, bz2, cmath, csv, ctypes, curses, dbm.dumb, decimal, difflib, email.mime.text
import fractions, ftplib, getpass, html.parser, http.server, imaplib, importlib.resources, lzma
import mailbox, mmap, multiprocessing.shared_memory, netrc, pickletools, platform, plistlib, poplib
import pydoc, sched, secrets, shelve, smtplib, socketserver, sqlite3, ssl, statistics, tarfile
import telnetlib, tkinter, tomllib, turtle, unittest.mock, uuid, venv, wave, webbrowser
import wsgiref.simple_server, xml.dom.minidom, xml.etree.ElementTree, xmlrpc.client
import zipapp, zoneinfo
import httpx, numpy.polynomial, numpy.testing, openpyxl, pandas, pyvisa, pyvisa_py, requests
import scipy.integrate, scipy.io, scipy.ndimage, scipy.signal, scipy.stats, serial
import serial.tools.list_ports

from axdesk.api.protocols.metric import IMetric


class Odd(IMetric):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        pandas.DataFrame({"a": scipy.signal.savgol_filter(numpy.arange(9.0), 5, 2)}).describe()
        ssl.create_default_context()
        serial.tools.list_ports.comports()
        pyvisa.ResourceManager("@py").close()
        requests.Session().close()
        httpx.Client().close()

    def fetch(self, trial_index, trial_metadata):
        return 0, 1.0
"""


class Frozen:
    """The frozen program with a folder for all that it keeps."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.database = home / "lab.sqlite"
        self.plugins = home / "plugins"
        self.plugins.mkdir()
        (self.plugins / "lab.py").write_text(LAB, "utf-8")
        self.environ = {
            **{n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "VIRTUAL"))},
            **dict.fromkeys(("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"), str(home)),
            "QT_QPA_PLATFORM": "offscreen",
        }
        for name in [n for n in self.environ if n.startswith("XDG_")]:
            del self.environ[name]

    @staticmethod
    def program(name: str = "axdesk-cli") -> str:
        """Return the path of one of the two programs."""
        return str(Path(BUNDLE) / (f"{name}.exe" if os.name == "nt" else name))

    def say(self, *words: str, code: int = 0) -> str:
        """Let the command line do something, and return what it wrote."""
        given = [self.program(), "--headless", "--database", str(self.database), *words]
        ran = subprocess.run(
            given, env=self.environ, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr, ran.stderr  # also of what Python only ignores
        return ran.stdout

    def setup(self, objective: str, trials: int, options: str = "") -> Path:
        """Write an experiment file."""
        names = [n for n in "abc" if n in objective]
        metrics = "\n".join(f'[metrics.{n}]\nplugin = "lab.py:Cost"' for n in names)
        text = SETUP.format(objective=objective, trials=trials, options=options, metrics=metrics)
        file = self.home / "smoke.toml"
        file.write_text(text, "utf-8")
        return file

    def run(self, file: Path, *words: str, code: int = 0) -> list[dict[str, Any]]:
        """Run an experiment file with this folder's plugins; return the events."""
        given = ["--plugins", str(self.plugins), *words, "run", "--jsonl", str(file)]
        return [json.loads(line) for line in self.say(*given, code=code).splitlines()]

    def trials(self) -> list[tuple[int, str, str]]:
        """Return index, status and source of each trial that is stored."""
        with closing(sqlite3.connect(self.database)) as connection:
            query = "SELECT trial_index, status, source FROM trials ORDER BY trial_index"
            return connection.execute(query).fetchall()


@pytest.fixture
def frozen(tmp_path: Path) -> Frozen:
    return Frozen(tmp_path)


def test_the_version_is_the_one_of_the_source(frozen: Frozen) -> None:
    for name in ("axdesk", "axdesk-cli"):
        told = subprocess.run(
            [frozen.program(name), "--version"], env=frozen.environ, capture_output=True, text=True,
            timeout=LONGEST, check=True,
        )  # fmt: skip
        assert told.stdout.strip() == f"axdesk {__version__}"


def test_the_shipped_experiment_runs(frozen: Frozen) -> None:
    shipped = Path(BUNDLE) / "_internal" / "axdesk" / "resources"
    frozen.say(
        "--plugins", str(shipped / "plugins"), "run", str(shipped / "experiments/hartmann6.toml"),
        "--max-trials", "8", "--parallelism", "4",
    )  # fmt: skip

    trials = frozen.trials()
    assert [status for _, status, _ in trials] == ["completed"] * 8
    assert trials[-1][2] == "model"


def looks_like_the_window(file: Path) -> bool:
    """Say whether a picture has the colours of a window with text, and not of an empty one."""
    picture = QImage(str(file)).scaled(400, 250)
    pixels = (picture.pixel(x, y) for x in range(400) for y in range(250))
    return len(set(pixels)) > 200


def test_the_window_shows_without_a_screen(frozen: Frozen) -> None:
    file = frozen.home / "window.png"
    given = [frozen.program("axdesk"), "--database", str(frozen.database), "--picture", str(file)]

    subprocess.run(given, env=frozen.environ, timeout=LONGEST, check=True)

    assert looks_like_the_window(file)


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_the_window_shows_on_a_screen(frozen: Frozen) -> None:
    file = frozen.home / "window.png"
    given = [frozen.program("axdesk"), "--database", str(frozen.database), "--picture", str(file)]
    reading, writing = os.pipe()
    screen = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1440x900x24", "-nolisten", "tcp"],
        pass_fds=[writing], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        os.close(writing)
        with os.fdopen(reading) as said:
            display = f":{said.readline().strip()}"
        environ = {**frozen.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        subprocess.run(given, env=environ, timeout=LONGEST, check=True)
    finally:
        screen.terminate()
        screen.wait()

    assert looks_like_the_window(file)


def test_plugins_import_what_laboratories_import(frozen: Frozen) -> None:
    (frozen.plugins / "odd.py").write_text(ODD, "utf-8")

    told = frozen.say("check", str(frozen.plugins))

    assert "odd.py" in told


def test_plugins_may_run_in_a_python_of_the_laboratory(frozen: Frozen) -> None:
    program = f"import sys; assert sys.prefix != {BUNDLE!r}; import psutil\n"
    (frozen.plugins / "lab.py").write_text(program + LAB, "utf-8")

    frozen.run(frozen.setup("-a", 3), "--plugin-python", sys.executable)

    assert [status for _, status, _ in frozen.trials()] == ["completed"] * 3


def test_a_host_that_crashes_fails_its_trial_alone(frozen: Frozen) -> None:
    frozen.run(frozen.setup("-a", 6, "ends_at = 2"))

    assert [status for _, status, _ in frozen.trials()] == [
        "failed" if index == 2 else "completed" for index in range(6)
    ]


@pytest.mark.parametrize("objective", ["-a, -b", "-a, -b, -c"], ids=["closed form", "BoTorch"])
def test_several_objectives_are_suggested_for(frozen: Frozen, objective: str) -> None:
    frozen.run(frozen.setup(objective, 8))

    sources = [source for _, _, source in frozen.trials()]
    assert sources[-1] == "model"
    assert "fallback" not in sources


@pytest.mark.skipif(os.name == "nt", reason="the database of version 1 was written on Linux")
def test_an_old_database_is_brought_up_to_date(frozen: Frozen) -> None:
    schema = ROOT / "tests" / "storage" / "schema-1.sql"
    with closing(sqlite3.connect(frozen.database)) as connection:
        connection.executescript(schema.read_text("utf-8"))

    assert "coupling" in frozen.say("status")


def test_a_killed_run_is_resumed_and_exported(frozen: Frozen) -> None:
    file = frozen.setup("-a", 8, "seconds = 0.5")
    given = [frozen.program(), "--headless", "--database", str(frozen.database)]
    given += ["--plugins", str(frozen.plugins), "run", "--jsonl", str(file)]
    with subprocess.Popen(given, env=frozen.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        wait_for_results(process.stdout, 3)
        process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    frozen.say("--plugins", str(frozen.plugins), "resume", "smoke")
    target = frozen.home / "trials.xlsx"
    frozen.say("export", "smoke", "--format", "xlsx", "--output", str(target))

    trials = frozen.trials()
    assert [index for index, _, _ in trials] == list(range(8))
    assert {status for _, status, _ in trials} == {"completed"}
    sheet = openpyxl.load_workbook(target).active
    assert sheet is not None
    assert sheet.max_row == 9


def wait_for_results(lines: Iterator[str], count: int) -> None:
    """Read events until so many trials are completed."""
    done = set()
    for line in lines:
        trial = json.loads(line).get("trial") or {}
        if trial.get("status") == "completed":
            done.add(trial["index"])
        if len(done) >= count:
            return
    raise AssertionError("the run ended before it was to be killed")
