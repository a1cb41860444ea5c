"""The whole of the tutorial by keys alone: nothing is clicked, nothing is given the focus."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.resources import resource_path
from axdesk.core.run import RunState
from axdesk.gui.help import names_up
from axdesk.gui.main_window import MainWindow
from axdesk.gui.workbench import Workbench

QtBot = Any
NONE = Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
MOST_TABS = 160


class Keyboard:
    """Presses keys; each goes to whatever has the keyboard."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window

    @property
    def focused(self) -> QWidget:
        widget = QApplication.focusWidget()
        if widget is None:
            top = QApplication.activeModalWidget() or self.window
            top.activateWindow()
            self.until(top.isActiveWindow)
            widget = QApplication.focusWidget() or top
        return widget

    def until(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=60_000)

    def press(self, key: Qt.Key, held: Qt.KeyboardModifier = NONE, times: int = 1) -> None:
        for _ in range(times):
            QTest.keyClick(self.focused, key, held)

    def type(self, text: str) -> None:
        for letter in text:
            QTest.keyClicks(self.focused, letter)

    def has(self, name: str) -> bool:
        return name in names_up(QApplication.focusWidget())

    def tab_to(self, name: str, held: Qt.KeyboardModifier = NONE) -> None:
        """Press Tab until a widget, or one inside it, has the keyboard."""
        seen = []
        self.until(lambda: any(w.isVisible() for w in self.window.findChildren(QWidget, name)))
        for _ in range(MOST_TABS):
            if self.has(name):
                return
            self.press(Qt.Key.Key_Tab, held)
            seen.append(next(filter(None, names_up(QApplication.focusWidget())), "?"))
        raise AssertionError(f"Tab does not reach {name}; it goes over {seen[-60:]}")

    def pane_of(self, name: str) -> None:
        """Press Ctrl+F6 until a pane has the keyboard."""
        for _ in range(8):
            if self.has(name):
                return
            self.press(Qt.Key.Key_F6, CTRL)
        raise AssertionError(f"Ctrl+F6 does not reach {name}")

    def section(self, title: str) -> None:
        """Go to a section of the set-up."""
        self.pane_of("tabs.central")
        self.tab_to("setup.sections")
        self.press(Qt.Key.Key_Home)
        for _ in range(10):
            if self.focused.currentIndex().data() == title:  # type: ignore[attr-defined]
                return
            self.press(Qt.Key.Key_Down)
        raise AssertionError(f"there is no section {title}")

    def choose(self, name: str, value: str) -> None:
        """Choose from a list by the arrow keys."""
        self.tab_to(name)
        combo = self.focused
        assert isinstance(combo, QComboBox)
        self.until(lambda: combo.findData(value) >= 0)
        self.press(Qt.Key.Key_Home)
        self.press(Qt.Key.Key_Down, times=combo.findData(value))
        assert combo.currentData() == value

    def fill(self, name: str, text: str) -> None:
        """Type over what stands in a field."""
        self.tab_to(name)
        self.press(Qt.Key.Key_A, CTRL)
        self.type(text)

    def dialog(self, name: str) -> None:
        """Wait until a dialog has the keyboard, as a window manager gives it."""
        self.until(lambda: self.window.findChild(QDialog, name) is not None)
        dialog = self.window.findChild(QDialog, name)
        assert dialog is not None
        dialog.activateWindow()
        self.until(dialog.isActiveWindow)
        self.until(lambda: self.has(name))

    def command(self, letters: str) -> None:
        """Carry a command out through the palette."""
        self.press(Qt.Key.Key_P, CTRL | SHIFT)
        self.dialog("dialog.palette")
        self.type(letters)
        self.press(Qt.Key.Key_Return)
        self.until(lambda: self.window.findChild(QDialog, "dialog.palette") is None)


@pytest.fixture
def keyboard(qtbot: QtBot, qapp: QApplication, tmp_path: Path) -> Iterator[Keyboard]:
    (tmp_path / "plugins").mkdir()
    shutil.copy(resource_path("plugins", "hartmann6.py"), tmp_path / "plugins")
    workbench = Workbench(lambda _: Workspace(tmp_path / "lab.db", tmp_path / "plugins"))
    window = MainWindow(workbench)
    window.show()
    window.activateWindow()
    with qtbot.waitSignal(workbench.loaded, timeout=20_000):
        workbench.begin()
    qtbot.waitUntil(window.isActiveWindow)
    yield Keyboard(qtbot, window)
    qtbot.waitUntil(lambda: not workbench.live_sessions, timeout=60_000)
    window.close()
    qtbot.waitUntil(workbench.io.isFinished, timeout=20_000)
    qtbot.waitUntil(workbench.plugin_io.isFinished, timeout=20_000)
    window.deleteLater()


@pytest.mark.timeout(240)
def test_the_tutorials_experiment_by_keys_alone(keyboard: Keyboard) -> None:
    window, key = keyboard.window, Qt.Key
    keyboard.press(key.Key_N, CTRL)
    keyboard.until(lambda: window._workbench.current is not None)
    session = window._workbench.current
    assert session is not None

    keyboard.pane_of("tabs.central")
    keyboard.fill("setup.general.name", "hartmann6")

    keyboard.section("Parameters")
    keyboard.tab_to("setup.parameters.table")
    for number in range(1, 7):
        keyboard.press(key.Key_Return)  # a row more, its name is being typed
        keyboard.until(lambda n=number: len(session.draft_model.draft.parameters) == n)
        keyboard.type(f"x{number}")
        keyboard.press(key.Key_Tab, times=3)  # over unit and type
        keyboard.type("0")
        keyboard.press(key.Key_Tab)
        keyboard.type("1")
        keyboard.press(key.Key_Tab)
    keyboard.section("Objectives & limits")
    keyboard.tab_to("setup.objectives.table")
    keyboard.press(key.Key_Return)
    keyboard.until(lambda: len(session.draft_model.draft.objectives) == 1)
    keyboard.type("hartmann6")
    keyboard.press(key.Key_Tab, times=2)
    keyboard.type("m")  # from maximise to minimise
    keyboard.choose("setup.objectives.details.metric", "hartmann6.py:Hartmann6Metric")

    keyboard.section("Runner & metrics")
    keyboard.choose("setup.runner.plugin", "hartmann6.py:Hartmann6Runner")
    keyboard.fill("setup.runner.form.seconds", "0.05")

    keyboard.section("Run settings")
    keyboard.fill("setup.run.max_trials", "4")
    keyboard.fill("setup.run.parallel", "2")
    keyboard.tab_to("setup.run.polling")
    keyboard.press(key.Key_Space)
    keyboard.fill("setup.run.seconds_between_polls", "0.05")
    keyboard.fill("setup.run.seconds_between_launches", "0")
    keyboard.press(key.Key_Tab)

    keyboard.section("Review")
    keyboard.until(window.actions_by_name["run.start"].isEnabled)
    keyboard.press(key.Key_F5)
    keyboard.until(lambda: session.facts.state is RunState.COMPLETED)
    assert len(session.facts.trials) == 4

    # Afterwards: to the best trial, its note, a corrected result, and out.
    keyboard.press(key.Key_B, CTRL)
    keyboard.until(lambda: session.facts.best is not None)
    best = session.facts.best
    assert best is not None
    keyboard.press(key.Key_N, CTRL | SHIFT)
    keyboard.dialog("dialog.note")
    keyboard.type("by keys alone")
    keyboard.tab_to("dialog.note.ok")
    keyboard.press(key.Key_Return)
    keyboard.until(lambda: session.trial(best.index).note == "by keys alone")  # type: ignore[union-attr]
    keyboard.command("correct result")
    keyboard.dialog("dialog.enter_result")
    keyboard.press(key.Key_Escape)
    keyboard.until(lambda: window.findChild(QDialog, "dialog.enter_result") is None)
    keyboard.press(key.Key_F, CTRL)
    assert keyboard.has("trials.filter")
    for pane in ("dock.log", "dock.experiments", "tabs.central", "dock.trials"):
        keyboard.pane_of(pane)


def test_tab_goes_from_the_plugin_files_to_what_can_be_done_with_one(keyboard: Keyboard) -> None:
    keyboard.press(Qt.Key.Key_P, CTRL)
    keyboard.pane_of("dock.plugins")
    keyboard.tab_to("plugins.list")
    keyboard.until(lambda: bool(keyboard.window.findChildren(QWidget, "plugins.enable")))
    keyboard.press(Qt.Key.Key_Tab)
    assert keyboard.has("dock.plugins")
    keyboard.tab_to("plugins.enable")
    keyboard.press(Qt.Key.Key_Tab, SHIFT)
    assert keyboard.has("dock.plugins"), "and back the same way"
