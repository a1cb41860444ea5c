"""How soon the window shows, and how smoothly it goes on beside a busy run; prints figures.

`python -m tests.gui.bench [SECONDS]` measures without a screen and, where Xvfb is installed, on a
real X server. Each part runs in a process of its own:

- *start*: from the process's start to the first paint, and what was imported until then;
- *run*: how long the event loop did not turn, while five trials a second of the experiment that is
  shown finish and a second one fits its model in the optimiser's process, beside the same for a
  window at rest. "Own" is the GUI thread's processor time
  between two turns: what is not own was spent waiting for a core, or for another thread;
- *table* and *opened*: see `bench_trials`.

`python -m tests.gui.bench long [SECONDS]` lets a run of twelve hours go on a hundred times faster,
or for so many seconds, and prints what the window's process holds of the memory meanwhile.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.gui import bench_trials

if TYPE_CHECKING:
    from axdesk.core.setup import ExperimentSetup

TICK_MS = 5
REST_SECONDS = 5.0
RUN_SECONDS = 30.0
STARTS = 5
TRIALS_A_SECOND = 5
PARALLELISM = 5
POLL_SECONDS = 0.1
SECONDS = PARALLELISM / TRIALS_A_SECOND - POLL_SECONDS
HEAVY = ("torch", "botorch", "pandas", "scipy", "sqlalchemy", "pydantic", "pyqtgraph", "numpy",
         "matplotlib")  # fmt: skip
OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}
ROOT = Path(__file__).parents[2]

PLUGIN = f'''
"""Trials that take {SECONDS} s each."""
import time

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Oven(IRunner):
    """Done after a fixed time."""

    def run_trial(self, trial_index, parameterization):
        return {{"until": time.time() + {SECONDS}, "at": parameterization}}

    def poll_trial(self, trial_index, trial_metadata):
        is_over = time.time() >= trial_metadata["until"]
        return TrialStatus.COMPLETED if is_over else TrialStatus.RUNNING


class Depth(IMetric):
    """How deep."""

    def fetch(self, trial_index, trial_metadata):
        return 0, sum((x - 0.3) ** 2 for x in trial_metadata["at"].values())
'''


class Turns:
    """The time between turns of the event loop, and the GUI thread's own share of it, in ms."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self.own: list[float] = []
        self._at, self._own_at = 0.0, 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._note)

    def begin(self) -> None:
        self.gaps, self.own = [], []
        self._at, self._own_at = time.perf_counter(), time.thread_time()
        self._timer.start()

    def told(self) -> dict[str, float]:
        self._timer.stop()
        return {
            "turns": len(self.gaps),
            "p50": share(self.gaps, 0.5),
            "p99": share(self.gaps, 0.99),
            "max": share(self.gaps, 1),
            "own p99": share(self.own, 0.99),
            "own max": share(self.own, 1),
        }

    def _note(self) -> None:
        now, own = time.perf_counter(), time.thread_time()
        self.gaps.append(1000 * (now - self._at))
        self.own.append(1000 * (own - self._own_at))
        self._at, self._own_at = now, own


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of all values stays below."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def start(folder: Path) -> None:
    """Open the window as a user does; tell when it was painted first, and end."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    application = QApplication([])

    class Eye(QObject):
        is_open = False

        def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint and not self.is_open:
                self.is_open = True
                heavy = [name for name in HEAVY if name in sys.modules]
                tell({"at": time.time(), "processor": time.process_time(), "heavy": heavy})
                QTimer.singleShot(0, lambda: os._exit(0))
            return False

    eye = Eye()
    application.installEventFilter(eye)
    from axdesk.gui.app import main

    main(folder / "lab.sqlite", None)


def write_plugin(folder: Path) -> None:
    """Put the plugin into a folder."""
    (folder / "plugins").mkdir()
    (folder / "plugins" / "oven.py").write_text(PLUGIN, "utf-8")


def oven_setup(
    name: str, method: Literal["fast", "random_search"], slots: int, trials: int = 1000
) -> "ExperimentSetup":
    """Six parameters and one metric, with trials that end all the time."""
    from axdesk.core.objective import Objective, OptimizationConfig
    from axdesk.core.parameters import RangeParameterConfig
    from axdesk.core.plugins import PluginChoice
    from axdesk.core.run import OrchestrationConfig, RunSettings
    from axdesk.core.search_space import SearchSpace
    from axdesk.core.setup import ExperimentSetup, GenerationSettings

    space = SearchSpace(tuple(RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(6)))
    return ExperimentSetup(
        name=name,
        search_space=space,
        optimization=OptimizationConfig(Objective.parse("-depth")),
        generation=GenerationSettings(method),
        runner=PluginChoice("oven.py:Oven", {}),
        metrics=(("depth", PluginChoice("oven.py:Depth", {})),),
        run=RunSettings(
            trials,
            slots,
            initial_seconds_between_polls=POLL_SECONDS,
            orchestration=OrchestrationConfig(
                min_seconds_between_launches=0, max_seconds_between_polls=POLL_SECONDS
            ),
        ),
    )


def run(folder: Path, seconds: float) -> None:
    """Let the window rest, then run; tell the turns of both."""
    from PySide6.QtWidgets import QApplication

    from axdesk.api.workspace import Workspace
    from axdesk.core.drafts import draft_of
    from axdesk.core.run import RunState
    from axdesk.gui.main_window import MainWindow
    from axdesk.gui.session import ExperimentSession
    from axdesk.gui.workbench import Workbench
    from tests.e2e.window_driver import until

    write_plugin(folder)
    QApplication([])
    workbench = Workbench(lambda _: Workspace(folder / "lab.sqlite", folder / "plugins"))
    window = MainWindow(workbench)
    window.resize(1600, 1000)
    window.show()
    workbench.begin()

    def started(
        name: str, method: Literal["fast", "random_search"], slots: int
    ) -> ExperimentSession:
        workbench.new(draft_of(oven_setup(name, method, slots)))
        until(lambda: workbench.current is not None and workbench.current.facts.name == name, name)
        session = workbench.current
        assert session is not None
        until(lambda: session.state is RunState.READY, "a set-up that can run")
        session.start()
        until(lambda: session.facts.best is not None, "the first result")
        return session

    fitting = started("Fitting", "fast", 2)
    # The first model loads its libraries; what is measured is the way it goes on.
    until(lambda: any(t.generation.model_best is not None for t in fitting.facts.trials), "a model")
    session = started("Shown", "random_search", PARALLELISM)
    window.actions_by_name["view.monitor"].trigger()
    turns = Turns()
    before, models = len(session.facts.finished), len(fitting.facts.trials)
    begun = time.monotonic()
    turns.begin()
    until(lambda: time.monotonic() - begun > seconds, "the end")
    busy = turns.told()
    rate = (len(session.facts.finished) - before) / (time.monotonic() - begun)
    models = len(fitting.facts.trials) - models
    for each in (session, fitting):
        each.stop_now()
    until(lambda: not workbench.live_sessions, "the end of both runs")
    begun = time.monotonic()
    turns.begin()
    until(lambda: time.monotonic() - begun > REST_SECONDS, "a rest")
    heavy = [name for name in ("torch", "botorch", "pandas") if name in sys.modules]
    tell({"busy": busy, "rest": turns.told(), "rate": rate, "models": models, "heavy": heavy})
    window.close()
    os._exit(0)


def tell(figures: Mapping[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(figures)}\n")
    sys.stdout.flush()


@contextmanager
def x_server() -> Iterator[str]:
    """A display of its own, as `DISPLAY` names it."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1920x1200x24"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as number:
        display = f":{number.readline().strip()}"
    try:
        yield display
    finally:
        server.terminate()
        server.wait()


def in_process(part: str, environ: Mapping[str, str], seconds: float) -> dict[str, object]:
    """Do a part in a process of its own; return its figures."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "tests.gui.bench", part, folder, str(seconds)]
        ran = subprocess.run(
            command, env={**os.environ, **environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    figures: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return figures


def measure(title: str, environ: Mapping[str, str], seconds: float) -> None:
    """Measure both parts, and print what was found with the machine's load."""
    sys.stdout.write(f"{title}\n")
    waited, used, heavy = [], [], set()
    for _ in range(STARTS):
        begun = time.time()
        shown = in_process("start", environ, 0)
        waited.append(float(str(shown["at"])) - begun)
        used.append(float(str(shown["processor"])))
        heavy |= set(shown["heavy"])  # type: ignore[call-overload]  # a list of names
    sys.stdout.write(
        f"  first paint after {min(waited):.2f} to {max(waited):.2f} s, of it "
        f"{share(used, 0.5):.2f} s on the processor; imported until then: "
        f"{', '.join(sorted(heavy)) or 'nothing heavy'}\n"
    )
    before = os.getloadavg()[0]
    figures = in_process("run", environ, seconds)
    load = f"{before:.1f} and {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    sys.stdout.write(
        f"  {figures['rate']:.1f} trials a second, {figures['models']} models fitted beside them; "
        f"load {load}; "
        f"in the window's process: {figures['heavy'] or 'no torch, no pandas'}\n"
    )
    for state in ("rest", "busy"):
        told: dict[str, float] = figures[state]  # type: ignore[assignment]  # from JSON
        words = ", ".join(f"{k} {v:.0f}" for k, v in told.items())
        sys.stdout.write(f"  {state}, ms between turns: {words}\n")


def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["start"]:
        start(Path(arguments[1]))
    elif arguments[:1] == ["run"]:
        run(Path(arguments[1]), float(arguments[2]))
    elif arguments[:1] == ["table"]:
        tell(bench_trials.table())
        os._exit(0)
    elif arguments[:1] == ["opened"]:
        tell(bench_trials.opened(Path(arguments[1])))
        os._exit(0)
    elif arguments[:1] == ["long_run"]:
        write_plugin(Path(arguments[1]))
        setup = oven_setup("Long", "random_search", PARALLELISM, trials=1_000_000)
        tell(bench_trials.long_run(Path(arguments[1]), float(arguments[2]), setup))
        os._exit(0)
    elif arguments[:1] == ["long"]:
        seconds = float(arguments[1]) if arguments[1:] else bench_trials.LONG_SECONDS
        bench_trials.tell_long(in_process("long_run", OFFSCREEN, seconds), seconds)
    else:
        seconds = float(arguments[0]) if arguments else RUN_SECONDS
        bench_trials.tell_table(in_process("table", OFFSCREEN, 0))
        bench_trials.tell_opened(in_process("opened", OFFSCREEN, 0))
        measure("Without a screen", OFFSCREEN, seconds)
        if shutil.which("Xvfb"):
            with x_server() as display:
                measure("Under Xvfb", {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}, seconds)


if __name__ == "__main__":
    main(sys.argv[1:])
