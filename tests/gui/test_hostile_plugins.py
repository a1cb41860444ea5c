"""The real window beside plugins that hang, crash, print, fork and close what they find."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RunAction, RunState
from axdesk.core.trial import TrialStatus
from axdesk.gui.main_window import MainWindow
from axdesk.gui.models.log_model import MOST_PRINTED, LogLevel
from tests.gui.test_window_run import Laboratory, bowl_setup

QtBot = Any

TICK_MS = 5
DEADLINE = 2.0
"""Of each call; a window that waited for one would stand still for as long."""

DEEDS = """
import ctypes, os, sys, time
from pathlib import Path

FLOOD = b"x" * 99 + b"\\n"


def flood(megabytes):
    for _ in range(megabytes * 10):
        os.write(1, FLOOD * 1000)


def fork():
    if os.fork() == 0:
        os._exit(0)


def write_everywhere():
    for descriptor in range(256):
        try:
            os.write(descriptor, b"garbage\\n")
        except OSError:
            pass


DEEDS = {
    "hang in Python": lambda: time.sleep(1000),
    "hold the GIL": lambda: ctypes.PyDLL(None).sleep(1000),
    "pause in C": lambda: ctypes.CDLL(None).pause(),
    "segfault": lambda: ctypes.string_at(0),
    "os._exit": lambda: os._exit(3),
    "sys.exit": lambda: sys.exit(5),
    "flood": lambda: flood(100),
    "fork": fork,
    "close descriptors": lambda: os.closerange(0, 256),
    "write to descriptors": write_everywhere,
}
"""
HANGS = ("hang in Python", "hold the GIL", "pause in C")
CRASHES = ("segfault", "os._exit", "close descriptors", "write to descriptors", "sys.exit")
HARMLESS = ("flood", "fork")
ALL = (*HANGS, *CRASHES, *HARMLESS)

TRIALS = 8
HELD = 3

RIG = '''
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus

HELD = 3


def once(place):
    """Do it in one call of each kind, and be a good plugin else."""
    mark = Path(__file__).with_suffix("." + place)
    if not mark.exists():
        mark.touch()
        DEEDS[DEED]()


class Rig(IRunner):
    """Trial 0 is deployed, trial 1 polled and trial 2 fetched with harm; 3 runs until stopped."""

    def run_trial(self, trial_index, parameterization):
        if trial_index == 0:
            once("run")
        return {"index": trial_index}

    def poll_trial(self, trial_index, trial_metadata):
        if trial_index == 1:
            once("poll")
        return TrialStatus.RUNNING if trial_index == HELD else TrialStatus.COMPLETED

    def stop_trial(self, trial_index, trial_metadata):
        once("stop")
        return {}


class Gauge(IMetric):
    def fetch(self, trial_index, trial_metadata):
        if trial_index == 2:
            once("fetch")
        return 0, 1.5 + trial_index

    def is_available_while_running(self):
        once("available")
        return False
'''

CONSTRUCTOR = """
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Rig(IRunner):
    def __init__(self):
        DEEDS[DEED]()

    def run_trial(self, trial_index, parameterization):
        return {"index": trial_index}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
"""


LONGEST_SLEEP = 0.05
"""Seconds; the loop sleeps for 5 ms, and somewhat longer where other threads hold the GIL."""


def seconds_in_queue() -> float:
    """How long this thread was ready and waited for a core so far; 0 where that is not told."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


class Witness:
    """A thread that waits for nothing but its next turn, of 5 ms too.

    What holds it up holds up every thread of the process, such as the start of another process,
    during which nobody has the GIL.
    """

    def __init__(self) -> None:
        self.excess = 0.0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Witness":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()

    def _look(self) -> None:
        last = clocks()
        while not self._ends.wait(TICK_MS / 1000):
            before, last = last, clocks()
            self.excess += max(asleep(before, last) - LONGEST_SLEEP, 0.0)


Clocks = tuple[float, float, float]


def clocks() -> Clocks:
    """Return the time, what of it this thread worked, and what it waited for a core."""
    return time.perf_counter(), time.thread_time(), seconds_in_queue()


def asleep(before: Clocks, now: Clocks) -> float:
    """Return how long a thread neither worked nor waited for a core."""
    gap, own, queued = (end - start for end, start in zip(now, before, strict=True))
    return max(gap - own - queued, 0.0)


class Pulse:
    """Whether the window's event loop turns: a timer of 5 ms in the GUI thread.

    The time between two turns goes into work of the thread's own, into waiting for a core, and
    into sleep. Only a window that waits for something sleeps long, however busy the machine is.
    """

    def __init__(self) -> None:
        self._own: list[float] = []
        self._asleep: list[float] = []
        self._last: Clocks = (0.0, 0.0, 0.0)
        self._of_others = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._beat)

    @contextmanager
    def felt(self, what: str) -> Iterator[None]:
        """Take the turns meanwhile, and print their figures."""
        self._own, self._asleep = [], []
        self._last = clocks()
        self._timer.start()
        with Witness() as witness:
            yield
        self._timer.stop()
        self._of_others = witness.excess
        sys.stdout.write(
            f"\n{what}: own work p99 {1000 * self.own(0.99):.0f} ms, longest sleep "
            f"{1000 * max(self._asleep):.0f} ms, {100 * self.held_up:.1f} % held up, "
            f"{len(self._own)} turns"
        )

    def own(self, share: float) -> float:
        """The processor time in seconds that this share of the turns stays below."""
        ordered = sorted(self._own)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    @property
    def longest_sleep(self) -> float:
        """The longest time in seconds that the loop waited for something in one turn."""
        return max(self._asleep)

    @property
    def held_up(self) -> float:
        """The share of the time in which the loop slept longer than it does on its own account.

        And longer than every thread of the process did.
        """
        excess = sum(max(s - LONGEST_SLEEP, 0.0) for s in self._asleep)
        return max(excess - self._of_others, 0.0) / self._seconds

    @property
    def _seconds(self) -> float:
        return sum(self._asleep) + sum(self._own)

    def _beat(self) -> None:
        before, self._last = self._last, clocks()
        self._own.append(self._last[1] - before[1])
        self._asleep.append(asleep(before, self._last))


def setup_with(file: str, name: str, *, runner: str = "Rig", metrics: str = "") -> Any:
    orchestration = OrchestrationConfig(
        min_seconds_between_launches=0,
        call_deadlines=CallDeadlines(DEADLINE, DEADLINE, DEADLINE, DEADLINE),
        max_seconds_between_polls=1.0,
    )
    setup = bowl_setup(trials=TRIALS, parallelism=3)
    gauge = f"{metrics}:Depth" if metrics else f"{file}:Gauge"
    return replace(
        setup,
        name=name,
        runner=PluginChoice(f"{file}:{runner}", {}),
        metrics=(("depth", PluginChoice(gauge, {})),),
        run=replace(
            setup.run, tolerated_trial_failure_rate=0.9, initial_seconds_between_polls=0.05,
            orchestration=orchestration,
        ),
    )  # fmt: skip


def file_of(deed: str) -> str:
    return f"{''.join(c if c.isalnum() else '_' for c in deed)}.py"


def write(folder: Path, deed: str, code: str) -> str:
    name = file_of(deed)
    (folder / name).write_text(f"DEED = {deed!r}\n{DEEDS}\n{code}", encoding="utf-8")
    return name


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    before = {process.pid for process in psutil.Process().children()}
    laboratory = Laboratory(tmp_path, qtbot)
    yield laboratory
    for window in list(laboratory.windows):
        for session in window._workbench.live_sessions:
            session.stop_now()
        laboratory.close(window)
    left = [p.cmdline() for p in psutil.Process().children() if p.pid not in before]
    # Python's own, started once for all child processes.
    assert all("resource_tracker" in " ".join(command) for command in left), left


def open_new(laboratory: Laboratory, window: MainWindow, setup: Any) -> Any:
    before = window._workbench.current
    window._workbench.new(draft_of(setup))
    laboratory.until(lambda: window._workbench.current not in (None, before))
    return window._workbench.current


def assert_it_answered(pulse: Pulse, own: float = 0.0, held_up: float = 0.0) -> None:
    """The window did not wait for a plugin, nor was kept busy by one.

    Args:
        pulse: What was felt.
        own: The p99 of the window's own work in seconds beside as many good plugins.
        held_up: The share of the time for which it was held up beside them.
    """
    assert pulse.own(0.99) < max(0.1, 3 * own)
    assert pulse.held_up < max(0.1, 3 * held_up)
    # A window that waits for one call that hangs sleeps until the deadline.
    assert pulse.longest_sleep < DEADLINE / 2


def opened(laboratory: Laboratory, window: MainWindow, setups: Mapping[str, Any]) -> Any:
    """Open experiments, and return the sessions; none is started."""
    sessions = {name: open_new(laboratory, window, setup) for name, setup in setups.items()}
    laboratory.until(lambda: not any(s.draft_model.is_reading_plugins for s in sessions.values()))
    return sessions


def only_held_is_left(session: Any) -> bool:
    trials = session.facts.trials
    ended = [trial.index for trial in trials if trial.status.is_terminal]
    return len(trials) == TRIALS and ended == [i for i in range(TRIALS) if i != HELD]


def test_waiting_is_told_from_working(qtbot: QtBot, qapp: QApplication) -> None:
    pulse = Pulse()

    def busy() -> None:
        until = time.thread_time() + 0.2
        while time.thread_time() < until:
            pass

    def share_of_time(deed: Callable[[], object]) -> tuple[float, float]:
        with pulse.felt(deed.__name__):
            QTimer.singleShot(0, deed)
            with qtbot.waitCallback() as told:
                QTimer.singleShot(0, lambda: QTimer.singleShot(2 * TICK_MS, told))
        return pulse.own(1), pulse.longest_sleep

    worked, slept = share_of_time(busy)
    assert worked >= 0.2 > slept
    worked, slept = share_of_time(lambda: threading.Event().wait(0.2))
    assert slept >= 0.15 > worked
    assert pulse.held_up > 0.4


@pytest.mark.parametrize("deeds", [HANGS, CRASHES, HARMLESS], ids=["hang", "crash", "noise"])
def test_no_call_of_a_hostile_plugin_is_felt_in_the_window(
    laboratory: Laboratory, deeds: tuple[str, ...]
) -> None:
    for deed in deeds:
        write(laboratory.plugins, deed, RIG)
    good = {f"good {i}": replace(bowl_setup(), name=f"good {i}") for i in range(len(deeds))}
    window = laboratory.open()
    pulse = Pulse()
    peaceful = opened(laboratory, window, good)
    with pulse.felt(f"{len(deeds)} runs with good plugins"):
        for session in peaceful.values():
            session.start()
        laboratory.until(
            lambda: all(s.state is RunState.COMPLETED and not s.is_live for s in peaceful.values())
        )
    own, held_up = pulse.own(0.99), pulse.held_up
    setups = {deed: setup_with(file_of(deed), deed) for deed in deeds}
    sessions = opened(laboratory, window, setups)
    with pulse.felt(f"{len(deeds)} runs with plugins that do harm: {', '.join(deeds)}"):
        for session in sessions.values():
            session.start()
        laboratory.until(lambda: all(map(only_held_is_left, sessions.values())), 120)
        for session in sessions.values():
            session.act_on(RunAction.STOP_NOW)
        laboratory.until(lambda: not window._workbench.live_sessions, 60)
    assert_it_answered(pulse, own, held_up)
    for deed, session in sessions.items():
        assert session.state is RunState.STOPPED, deed
        trials = session.facts.trials
        statuses = [trial.status for trial in trials]
        does_harm = deeds is not HARMLESS
        assert statuses[0] is (TrialStatus.FAILED if does_harm else TrialStatus.COMPLETED), deed
        others = [trial for trial in trials if trial.index not in (0, HELD)]
        assert {t.status for t in others} == {TrialStatus.COMPLETED}, [t.reason for t in others]
        # Nobody waits twice for a stop that hangs; what was not stopped a resumed run follows.
        after_stop = {
            HANGS: {TrialStatus.RUNNING},
            CRASHES: {TrialStatus.RUNNING, TrialStatus.ABANDONED},
            HARMLESS: {TrialStatus.ABANDONED},
        }
        assert statuses[HELD] in after_stop[deeds], deed
        lines = session.log_model.lines
        assert sum(line.level is LogLevel.PRINTED for line in lines) <= MOST_PRINTED


def test_no_import_of_a_hostile_plugin_is_felt_in_the_window(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.plugins.hosts.SECONDS_TO_DESCRIBE", 4.0)
    for deed in ALL:
        write(laboratory.plugins, deed, "DEEDS[DEED]()")
    window = laboratory.open()
    pulse = Pulse()
    with pulse.felt("ten hostile imports"):
        session = open_new(laboratory, window, bowl_setup())
        assert session.draft_model.is_reading_plugins
        # What is typed meanwhile is saved meanwhile.
        with laboratory.qtbot.waitSignal(session.saved, timeout=20000):
            session.draft_model.edit(Section.GENERAL, 0, "owner", "M. Keller")
        assert session.draft_model.is_reading_plugins
        laboratory.until(lambda: not session.draft_model.is_reading_plugins, 60)
    assert_it_answered(pulse)
    files = {file.name: file.error for file in session.draft_model.catalogue.files}
    assert files.pop("bowl.py") == ""
    reasons = {deed: files[file_of(deed)] for deed in ALL}
    assert all(reasons[deed] for deed in (*HANGS, *CRASHES)), reasons
    assert "4 s" in reasons["hold the GIL"]
    window.pages.setup_views[session.id].show_section(Section.RUNNER)
    for deed in HANGS:
        assert window.findChild(object, f"setup.runner.broken.{file_of(deed)}") is not None  # type: ignore[type-var]
    # The good file of the same folder can be run.
    session.start()
    laboratory.until(lambda: session.state is RunState.COMPLETED, 60)


@pytest.mark.parametrize("deed", ["hold the GIL", "segfault", "sys.exit"])
def test_no_constructor_of_a_hostile_plugin_is_felt_in_the_window(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setattr("axdesk.plugins.plugin_host.SECONDS_TO_START", 3.0)
    file = write(laboratory.plugins, deed, CONSTRUCTOR)
    window = laboratory.open()
    pulse = Pulse()
    session = open_new(laboratory, window, setup_with(file, deed, metrics="bowl.py"))
    laboratory.until(lambda: not session.draft_model.is_reading_plugins)
    with pulse.felt(f"a constructor: {deed}"):
        session.start()
        laboratory.until(lambda: bool(session.attention_model.items), 60)
    assert_it_answered(pulse)
    [item] = session.attention_model.items
    assert item.source == "The run was not started"
    assert file.removesuffix(".py") in item.happened or "Rig" in item.happened
    assert session.state is RunState.READY
