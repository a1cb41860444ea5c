"""A run that another process drives: real headless process, real window, one database."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from axdesk.api.workspace import Workspace
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from axdesk.gui.main_window import MainWindow
from tests.gui.test_window_run import (
    Laboratory,
    bowl_setup,
    open_experiment,
    press,
    session_of,
    text,
)

QtBot = Any


class Other:
    """A headless run in another process."""

    def __init__(self, laboratory: Laboratory, folder: Path) -> None:
        file = folder / "bowl.toml"
        workspace = Workspace(laboratory.database, laboratory.plugins)
        workspace.write_file(bowl_setup(), file)
        workspace.close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "axdesk", "--headless", "run", str(file),
             "--database", str(laboratory.database), "--plugins", str(laboratory.plugins)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def wait(self) -> None:
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path, qtbot)
    yield laboratory
    for window in list(laboratory.windows):
        laboratory.close(window)


@pytest.fixture
def other(laboratory: Laboratory, tmp_path: Path) -> Iterator[Other]:
    """Two trials are done, two are held."""
    laboratory.hold.write_text("2")
    other = Other(laboratory, tmp_path)
    yield other
    other.kill()


def watched(laboratory: Laboratory) -> MainWindow:
    """A window that has opened the run once two trials are done and two are held."""
    window = laboratory.open()
    experiments = window._workbench.experiments
    laboratory.until(
        lambda: bool(experiments.summaries) and bool(experiments.summaries[0].controller), 60
    )
    open_experiment(laboratory, window)
    laboratory.until(lambda: len(done(window)) == 2 and len(session_of(window).facts.pending) == 2)
    laboratory.until(lambda: not session_of(window).draft_model.is_reading_plugins)
    return window


def done(window: MainWindow) -> list[int]:
    trials = session_of(window).facts.trials
    return [t.index for t in trials if t.status is TrialStatus.COMPLETED]


def assert_hands_off(laboratory: Laboratory, window: MainWindow, other: Other) -> None:
    """Nothing of the run can be asked for, and each button says why."""
    for name in ("start", "pause", "stop", "stop_now", "add_trials"):
        action = window.actions_by_name[f"run.{name}"]
        assert not action.isEnabled()
        assert f"process {other.process.pid}" in action.toolTip()
    for name in ("enter_result", "mark_failed", "abandon", "exclude", "note"):
        assert not window.actions_by_name[f"trials.{name}"].isEnabled()
    button = window.findChild(QPushButton, "status.banner.button")
    assert button is not None
    assert not button.isVisible()
    assert session_of(window).draft_model.is_read_only


def test_a_run_of_another_process_is_watched_to_its_end(
    laboratory: Laboratory, other: Other
) -> None:
    window = watched(laboratory)
    session = session_of(window)
    laboratory.until(lambda: session.trials_model.rowCount() == 4)
    laboratory.until(lambda: text(window, "status.banner.state") == "Running")
    assert text(window, "status.banner.next").startswith("Controlled by ")
    assert f"process {other.process.pid}" in text(window, "status.banner.next")
    window.trials_view.select(0)
    assert_hands_off(laboratory, window, other)
    before = len(session.log_model.lines)
    laboratory.hold.write_text("5")
    laboratory.until(lambda: len(done(window)) == 5)
    laboratory.until(lambda: session.trials_model.rowCount() == 7)
    monitor = window.pages.monitor
    assert monitor is not None
    laboratory.until(lambda: monitor.convergence.places.keys() >= {2, 3, 4})
    laboratory.until(lambda: len(session.log_model.lines) > before)
    assert_hands_off(laboratory, window, other)
    laboratory.hold.unlink()
    laboratory.until(lambda: text(window, "status.banner.state") == "Completed")
    other.wait()
    laboratory.until(lambda: window.actions_by_name["run.start"].isEnabled())
    assert window.actions_by_name["run.start"].text() == "Add trials…"
    assert done(window) == list(range(8))
    lines = [line.text for line in session.log_model.lines]
    for index in range(2, 8):
        assert any(line.startswith(f"#{index} done") for line in lines), index
    assert len(lines) == len(set(lines))
    assert lines[-1].startswith("Completed")


def test_a_run_whose_process_dies_is_taken_over(laboratory: Laboratory, other: Other) -> None:
    window = watched(laboratory)
    session = session_of(window)
    other.kill()
    laboratory.until(lambda: text(window, "status.banner.state") == "Interrupted")
    assert window.findChild(QDialog, "dialog.interrupted") is None

    def told() -> list[str]:
        items = session.attention_model.items
        return [item.happened for item in items if "ended during the run" in item.title]

    laboratory.until(lambda: len(told()) == 1)
    assert str(other.process.pid) in told()[0]
    start = window.actions_by_name["run.start"]
    laboratory.until(start.isEnabled)
    press(laboratory, window, "status.banner.button")
    dialog: Any = window.findChild(QDialog, "dialog.interrupted")
    assert sorted(dialog.rows) == [2, 3]
    laboratory.hold.unlink()
    laboratory.qtbot.mouseClick(dialog.buttons["resume"], Qt.MouseButton.LeftButton)
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    assert [t.status for t in session.facts.trials] == [TrialStatus.COMPLETED] * 8


def test_a_run_that_another_process_begins_is_seen_in_a_window_that_shows_the_experiment(
    laboratory: Laboratory,
) -> None:
    workspace = Workspace(laboratory.database, laboratory.plugins)
    workspace.create_from_setup(bowl_setup(trials=3))
    workspace.close()
    laboratory.hold.write_text("1")
    window = laboratory.open()
    open_experiment(laboratory, window)
    session = session_of(window)
    laboratory.until(lambda: window.actions_by_name["run.start"].isEnabled())
    process = subprocess.Popen(
        [sys.executable, "-m", "axdesk", "--headless", "resume", "Bowl",
         "--database", str(laboratory.database), "--plugins", str(laboratory.plugins)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        laboratory.until(lambda: text(window, "status.banner.next").startswith("Controlled"), 60)
        laboratory.until(lambda: len(done(window)) == 1)
        assert not window.actions_by_name["run.start"].isEnabled()
        laboratory.hold.unlink()
        laboratory.until(lambda: session.state is RunState.COMPLETED)
    finally:
        process.kill()
        process.communicate()
