"""Whole runs through the real window: real plugins, real SQLite, a real scheduler."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QPushButton, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import OrchestrationConfig, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.gui.main_window import MainWindow
from axdesk.gui.workbench import Workbench

QtBot = Any

PLUGIN = '''
"""A bowl whose trials are done at once, unless a file called hold lies beside it.

The file may say from which trial on.
"""
from pathlib import Path

from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Bowl(IRunner):
    """Done at the first poll."""

    def run_trial(self, trial_index, parameterization):
        return {"index": trial_index, **parameterization}

    def poll_trial(self, trial_index, trial_metadata):
        hold = Path(__file__).with_name("hold")
        held = hold.exists() and trial_index >= int(hold.read_text() or 0)
        return TrialStatus.RUNNING if held else TrialStatus.COMPLETED

    def stop_trial(self, trial_index, trial_metadata):
        return {}


class Depth(IMetric):
    """How deep."""

    def fetch(self, trial_index, trial_metadata):
        return 0, (trial_metadata["x"] - 1) ** 2 + (trial_metadata["y"] + 0.5) ** 2
'''


def bowl_setup(method: str = "random_search", trials: int = 8, parallelism: int = 2) -> Any:
    return ExperimentSetup(
        name="Bowl",
        search_space=SearchSpace(
            (RangeParameterConfig("x", (-2, 2)), RangeParameterConfig("y", (-2, 2)))
        ),
        optimization=OptimizationConfig(Objective.parse("-depth")),
        generation=GenerationSettings(method, initialization_budget=3),  # type: ignore[arg-type]
        runner=PluginChoice("bowl.py:Bowl", {}),
        metrics=(("depth", PluginChoice("bowl.py:Depth", {})),),
        run=RunSettings(
            trials,
            parallelism,
            initial_seconds_between_polls=0.02,
            orchestration=OrchestrationConfig(min_seconds_between_launches=0),
        ),
    )


class Laboratory:
    """A plugin folder, a database, and windows on them."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.database = folder / "lab.db"
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        (self.plugins / "bowl.py").write_text(PLUGIN, encoding="utf-8")
        self.windows: list[MainWindow] = []

    @property
    def hold(self) -> Path:
        return self.plugins / "hold"

    def open(self) -> MainWindow:
        """Open a window and wait until it has read the database."""
        workbench = Workbench(lambda _: Workspace(self.database, self.plugins))
        window = MainWindow(workbench)
        self.windows.append(window)
        window.show()
        with self.qtbot.waitSignal(workbench.loaded, timeout=20000):
            workbench.begin()
        return window

    def new(self, draft: Draft) -> MainWindow:
        """Open a window on a new draft."""
        window = self.open()
        window._workbench.new(draft)
        self.until(lambda: window._workbench.current is not None)
        return window

    def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        self.qtbot.waitUntil(condition, timeout=round(1000 * seconds))

    def close(self, window: MainWindow) -> None:
        self.hold.unlink(missing_ok=True)
        for session in window._workbench.live_sessions:
            session.stop()
        self.until(lambda: not window._workbench.live_sessions)
        window.close()
        self.until(window._workbench.io.isFinished)
        self.windows.remove(window)
        window.deleteLater()


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path, qtbot)
    yield laboratory
    for window in list(laboratory.windows):
        laboratory.close(window)


def session_of(window: MainWindow) -> Any:
    return window._workbench.current


def press(laboratory: Laboratory, window: MainWindow, name: str) -> None:
    button = window.findChild(QPushButton, name)
    assert button is not None
    assert button.isEnabled(), name
    laboratory.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def text(window: MainWindow, name: str) -> str:
    widget = window.findChild(QWidget, name)
    assert widget is not None
    return str(widget.text())  # type: ignore[attr-defined]


def open_experiment(laboratory: Laboratory, window: MainWindow) -> None:
    [summary] = window._workbench.experiments.summaries
    window._workbench.open(summary.id)
    laboratory.until(lambda: session_of(window) is not None)


def test_a_run_goes_from_the_button_to_the_database_and_back(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup()))
    laboratory.until(lambda: text(window, "status.banner.state") == "Ready to start")
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: text(window, "status.banner.state") == "Completed")
    session = session_of(window)
    assert session.trials_model.rowCount() == 8
    assert text(window, "status.banner.next").startswith("8 trials; best ")
    best = session.facts.best
    assert best is not None
    laboratory.close(window)
    again = laboratory.open()
    open_experiment(laboratory, again)
    facts = session_of(again).facts
    assert facts.state is RunState.COMPLETED
    assert facts.best is not None
    assert facts.best.index == best.index
    assert session_of(again).trials_model.rowCount() == 8
    assert again.pages.monitor is not None
    assert again.pages.monitor.convergence.places[best.index].mark == "star"


def test_the_model_suggests_from_its_own_process(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup("fast", trials=6)))
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: text(window, "status.banner.state") == "Completed", 90)
    session = session_of(window)
    sources = [trial.generation.source for trial in session.facts.trials]
    assert TrialSource.MODEL in sources
    assert "torch" not in sys.modules
    predicted = [t for t in session.facts.trials if t.generation.predictions]
    assert predicted
    assert text(window, "status.banner.next").startswith("6 trials; best ")


def test_a_run_is_paused_changed_resumed_and_stopped(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup(trials=500)))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: session.trials_model.rowCount() >= 3)
    press(laboratory, window, "toolbar.run.pause")
    laboratory.until(lambda: session.state is RunState.PAUSED)
    laboratory.until(lambda: not session.draft_model.locked_reason(Section.PARAMETERS, 0, "high"))
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "1.5")
    session.draft_model.edit(Section.RUN, 0, "max_trials", "400")
    before = session.trials_model.rowCount()
    start = window.actions_by_name["run.start"]
    laboratory.until(lambda: start.isEnabled() and start.text() == "Resume")
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: session.trials_model.rowCount() > before + 3)
    laboratory.until(lambda: session.facts.run is not None and session.facts.budget == 400)
    press(laboratory, window, "toolbar.run.stop")
    laboratory.until(lambda: session.state is RunState.STOPPED)
    later = [t for t in session.facts.trials if t.search_space_version == 2]
    assert later
    assert all(float(t.parameters["x"]) <= 1.5 for t in later)
    assert len(session.facts.runs) == 1


def test_the_review_offers_what_the_toolbar_offers(laboratory: Laboratory) -> None:
    laboratory.hold.touch()
    window = laboratory.new(draft_of(bowl_setup(trials=500)))
    session = session_of(window)
    window.actions_by_name["view.setup"].trigger()
    window.pages.setup_views[session.id].show_review()
    start: Any = window.findChild(QPushButton, "setup.review.start")
    shown = window.actions_by_name["run.start"]

    def settle(state: RunState, word: str, is_on: bool) -> None:
        laboratory.until(lambda: session.state is state and start.text() == word)
        laboratory.until(lambda: start.isEnabled() is is_on)
        assert (shown.text(), shown.isEnabled()) == (word, is_on)

    settle(RunState.READY, "Start", True)
    press(laboratory, window, "setup.review.start")
    settle(RunState.RUNNING, "Resume", False)
    laboratory.until(lambda: start.toolTip() == "The run goes on.")
    laboratory.until(lambda: len(session.facts.pending) == 2)
    press(laboratory, window, "toolbar.run.pause")
    settle(RunState.PAUSING, "Cancel pausing", True)
    laboratory.hold.unlink()
    settle(RunState.PAUSED, "Resume", True)
    press(laboratory, window, "setup.review.start")
    settle(RunState.RUNNING, "Resume", False)
    press(laboratory, window, "toolbar.run.stop")
    settle(RunState.STOPPED, "Resume", True)


def test_a_start_that_fails_is_told_where_the_operator_looks(laboratory: Laboratory) -> None:
    refuses = "    def __init__(self):\n        raise ValueError('no port was given')\n\n"
    broken = PLUGIN.replace("    def run_trial", refuses + "    def run_trial")
    (laboratory.plugins / "bowl.py").write_text(broken, encoding="utf-8")
    window = laboratory.new(draft_of(bowl_setup()))
    window.actions_by_name["view.setup"].trigger()
    laboratory.until(window.actions_by_name["run.start"].isEnabled)
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: "no port was given" in window.statusBar().currentMessage())
    laboratory.until(window.docks["attention"].isVisible)
    [item] = session_of(window).attention_model.items
    assert item.did == "The run was not started."


def test_stop_now_ends_the_running_trials(laboratory: Laboratory) -> None:
    laboratory.hold.touch()
    window = laboratory.new(draft_of(bowl_setup()))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2)
    laboratory.until(lambda: window.actions_by_name["run.stop_now"].isEnabled())
    press(laboratory, window, "toolbar.run.stop_now")
    dialog: Any = window.findChild(QDialog, "dialog.stop_now")
    dialog.choose("stop")
    laboratory.until(lambda: session.state is RunState.STOPPED)
    assert {t.status for t in session.facts.trials} == {TrialStatus.ABANDONED}


def test_a_result_is_corrected_after_the_run(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup(trials=3)))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    # The table follows the session within its next 100 ms.
    laboratory.until(lambda: session.trials_model.rowCount() == 3)
    window.trials_view.select(1)
    correct = window.actions_by_name["trials.enter_result"]
    laboratory.until(correct.isEnabled)
    correct.trigger()
    dialog: Any = window.findChild(QDialog, "dialog.enter_result")
    dialog.fields["depth"][0].setText("-7")
    dialog.choose("ok")
    laboratory.until(lambda: session.facts.best is not None and session.facts.best.index == 1)


def test_a_database_that_another_program_holds_is_told_and_nothing_is_lost(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.storage.database.BUSY_SECONDS", 0.2)
    laboratory.hold.touch()
    window = laboratory.new(draft_of(bowl_setup()))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2)
    other = sqlite3.connect(laboratory.database, isolation_level=None)
    try:
        other.execute("BEGIN EXCLUSIVE")
        laboratory.hold.unlink()
        laboratory.until(lambda: text(window, "status.banner.state") == "Not saving")
        assert "locked by another program" in text(window, "status.banner.next")
        assert text(window, "statusbar.saved").startswith("Not saved since ")
        titles = [item.title for item in session.attention_model.items]
        assert titles[0] == "Nothing can be saved"
        # What is not stored is not shown: both trials still run as far as the window knows.
        assert [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2
        other.execute("ROLLBACK")
    finally:
        other.close()
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    assert [t.status for t in session.facts.trials] == [TrialStatus.COMPLETED] * 8
    laboratory.until(lambda: text(window, "status.banner.state") == "Completed")
    assert text(window, "statusbar.saved").startswith("Saved ")
    titles = [item.title for item in session.attention_model.items]
    assert "Nothing can be saved" not in titles


CLOSE_NOW = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog
application = QApplication([])
from axdesk.gui import app
from axdesk.gui.workbench import Workbench

seen = {}
original = Workbench.begin

def begin(workbench):
    seen["workbench"] = workbench
    original(workbench)

Workbench.begin = begin

def step():
    workbench = seen.get("workbench")
    session = workbench and workbench.current
    if session is None or len(session.facts.pending) < 2:
        if session is not None and not session.is_live and not session.facts.is_opening:
            session.start()
        return
    timer.stop()
    window = next(w for w in application.topLevelWidgets() if w.objectName() == "window.main")
    HOW

timer = QTimer()
timer.timeout.connect(step)
timer.start(50)
sys.exit(app.main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))
"""


ENDS = {
    "Close now": 'window.close(); window.findChild(QDialog, "dialog.close").choose("now")',
    "log off": "application.commitDataRequest.emit(None)",
    "terminate": "os.kill(os.getpid(), signal.SIGTERM)",
}


@pytest.mark.parametrize("how", ENDS)
def test_a_run_closed_now_is_resumed_by_the_next_window(
    laboratory: Laboratory, tmp_path: Path, how: str
) -> None:
    laboratory.hold.touch()
    file = tmp_path / "bowl.toml"
    workspace = Workspace(laboratory.database, laboratory.plugins)
    workspace.write_file(bowl_setup(), file)
    workspace.close()
    ran = subprocess.run(
        [sys.executable, "-c", CLOSE_NOW.replace("HOW", ENDS[how]), str(laboratory.database),
         str(laboratory.plugins), str(file)],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    window = laboratory.open()
    [summary] = window._workbench.experiments.summaries
    assert summary.state is RunState.INTERRUPTED
    open_experiment(laboratory, window)
    laboratory.hold.unlink()
    laboratory.until(lambda: window.findChild(QDialog, "dialog.interrupted") is not None)
    press(laboratory, window, "dialog.interrupted.resume")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    trials = session.facts.trials
    assert [t.status for t in trials] == [TrialStatus.COMPLETED] * 8
    assert [t.metadata["index"] for t in trials] == list(range(8))


def test_settings_are_changed_while_the_run_launches(laboratory: Laboratory) -> None:
    laboratory.hold.touch()
    window = laboratory.new(draft_of(bowl_setup(trials=500)))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: len(session.facts.pending) == 2)
    window.actions_by_name["view.setup"].trigger()
    view = window.pages.setup_views[session.id]
    view.show_section(Section.RUN)
    field: Any = window.findChild(QWidget, "setup.run.max_trials")
    laboratory.until(field.isEnabled)
    locked: Any = window.findChild(QWidget, "setup.run.initial_trials")
    assert not locked.isEnabled()
    bar: Any = window.findChild(QWidget, "setup.changes")
    apply: Any = window.findChild(QPushButton, "setup.changes.apply")
    assert bar.accessibleName().startswith("While the run launches")
    assert not apply.isVisible()

    def enter(text: str) -> None:
        field.selectAll()
        laboratory.qtbot.keyClicks(field, text)
        laboratory.until(apply.isVisible)

    # A budget below what was started is refused with the reason, and the field returns.
    enter("1")
    press(laboratory, window, "setup.changes.apply")
    laboratory.until(lambda: "The budget cannot become 1: 2 trials were" in bar.accessibleName())
    assert field.text() == "500"
    enter("6")
    press(laboratory, window, "setup.changes.apply")
    laboratory.until(lambda: session.facts.budget == 6)
    laboratory.until(lambda: not apply.isVisible())
    assert window.statusBar().currentMessage() == "Applied: Trials: 500 → 6."
    # The bar paints it where that part stands otherwise.
    saved: Any = window.findChild(QWidget, "statusbar.saved")
    window._status.show_saved(datetime.now(UTC))
    assert saved.isHidden()
    window.statusBar().clearMessage()
    assert saved.isVisible()
    enter("8")
    press(laboratory, window, "setup.changes.discard")
    assert field.text() == "6"
    view.show_section(Section.GENERAL)
    owner: Any = window.findChild(QWidget, "setup.general.owner")
    assert owner.isEnabled()
    laboratory.qtbot.keyClicks(owner, "M. Keller")
    laboratory.until(apply.isEnabled)
    press(laboratory, window, "setup.changes.apply")
    laboratory.until(lambda: not apply.isVisible())
    laboratory.hold.unlink()
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    assert len(session.facts.trials) == 6
    assert session.facts.setup is not None
    assert session.facts.setup.owner == "M. Keller"
    history = Workspace(laboratory.database, laboratory.plugins)
    try:
        actions = [entry.action for entry in history.history(session.id)]
    finally:
        history.close()
    assert actions == ["change_run_settings", "edit_owner"]


def test_bounds_and_objective_of_a_paused_run_become_new_versions(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup(trials=500)))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: len(session.facts.finished) >= 3)
    press(laboratory, window, "toolbar.run.pause")
    laboratory.until(lambda: session.state is RunState.PAUSED)
    laboratory.until(lambda: not session.draft_model.locked_reason(Section.PARAMETERS, 0, "high"))
    model = session.draft_model
    assert model.locked_reason(Section.PARAMETERS, 0, "name")
    assert model.locked_reason(Section.PARAMETERS, 0, "kind")
    model.edit(Section.PARAMETERS, 0, "high", "1.5")
    model.edit(Section.OBJECTIVES, 0, "goal", "maximise")
    window.actions_by_name["view.setup"].trigger()
    apply: Any = window.findChild(QPushButton, "setup.changes.apply")
    laboratory.until(apply.isVisible)
    press(laboratory, window, "setup.changes.apply")
    laboratory.until(lambda: not apply.isVisible())
    before = len(session.facts.trials)
    assert session.state is RunState.PAUSED
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: len(session.facts.trials) > before + 3)
    press(laboratory, window, "toolbar.run.stop")
    laboratory.until(lambda: session.state is RunState.STOPPED and not session.is_live)
    later = session.facts.trials[before:]
    assert {(t.search_space_version, t.optimization_version) for t in later} == {(2, 2)}
    assert all(float(t.parameters["x"]) <= 1.5 for t in later)
    assert len(session.facts.runs) == 1
    assert not session.facts.optimization.objective.is_minimised
