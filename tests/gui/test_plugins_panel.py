"""The Plugins panel and the question of trust, with real files, processes and widgets."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLabel, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.plugins import PluginState
from axdesk.core.run import RunState
from axdesk.gui.main_window import MainWindow
from axdesk.gui.views.new_plugin_dialog import NewPluginDialog
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.roles import Role
from axdesk.gui.workbench import Workbench
from tests.gui.test_window_run import PLUGIN, Laboratory, bowl_setup

QtBot = Any

MARK = """
from pathlib import Path
with Path(__file__).with_suffix(".ran").open("a") as marks:
    marks.write("x")
"""


class Desk(Laboratory):
    """A laboratory whose window asks for trust, and the panel of it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        super().__init__(folder, qtbot)
        self.trust_file = folder / "settings" / "trust.json"
        self.opened: list[str] = []
        self.bowl.write_text(MARK + PLUGIN, "utf-8")

    @property
    def bowl(self) -> Path:
        return self.plugins / "bowl.py"

    @property
    def runs(self) -> int:
        marks = self.bowl.with_suffix(".ran")
        return len(marks.read_text()) if marks.exists() else 0

    def open(self) -> MainWindow:
        workbench = Workbench(
            lambda _: Workspace(self.database, self.plugins, trust_file=self.trust_file)
        )
        window = MainWindow(workbench)
        window.resize(1440, 900)
        self.windows.append(window)
        window.show()
        with self.qtbot.waitSignal(workbench.loaded, timeout=20000):
            workbench.begin()
        return window

    def begin(self) -> MainWindow:
        """Open a window with the experiment and the panel."""
        window = self.new(draft_of(bowl_setup()))
        self.settle(window)
        window.actions_by_name["plugins.manager"].trigger()
        self.until(window.plugins_view.isVisible)
        self.until(lambda: self.state(window, "bowl.py") is not None)
        return window

    def settle(self, window: MainWindow) -> None:
        session = window._workbench.current
        assert session is not None
        self.until(lambda: not session.draft_model.is_reading_plugins)

    def state(self, window: MainWindow, name: str) -> PluginState | None:
        file = window.plugin_desk.model.file(name)
        return None if file is None else file.state

    def press(self, window: MainWindow, name: str) -> None:
        found = [b for b in window.findChildren(Button, name) if b.isVisible()]
        assert len(found) == 1, name
        self.qtbot.mouseClick(found[0], Qt.MouseButton.LeftButton)

    def texts(self, widget: QWidget) -> str:
        labels = (x for x in widget.findChildren(QLabel) if x.isVisibleTo(widget))
        return "\n".join(x.text().replace("\u200b", "") for x in labels)


@pytest.fixture
def desk(tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    made = Desk(tmp_path, qtbot)
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: made.opened.append(url.toLocalFile())
    )
    yield made
    for window in made.windows:
        made.close(window)


def test_a_file_is_run_once_it_is_trusted_and_asked_for_again_when_it_changed(desk: Desk) -> None:
    window = desk.begin()
    assert desk.runs == 0
    assert desk.state(window, "bowl.py") is PluginState.UNTRUSTED
    told = desk.texts(window.plugins_view)
    file = window.plugin_desk.model.file("bowl.py")
    assert file is not None
    assert all(part in told for part in (file.sha256, str(desk.bowl), f"{file.size:,} bytes"))
    assert "runs with your rights" in told
    session = window._workbench.current
    assert session is not None
    session.start()
    desk.until(lambda: session.state is RunState.DRAFT)
    assert desk.runs == 0
    desk.press(window, "plugins.trust_notice.trust")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    assert desk.runs == 1
    desk.until(lambda: session.state is RunState.READY)
    told = desk.texts(window.plugins_view)
    assert "Bowl, a runner" in told
    assert "Can stop a trial" in told
    # The editor replaces the file: it is noticed, and nothing of it is run.
    new = desk.plugins / "bowl.tmp"
    new.write_text(MARK + PLUGIN + "\n# edited\n", "utf-8")
    new.replace(desk.bowl)
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.CHANGED)
    assert desk.runs == 1
    # On the page of the runner it can be decided, too, and what was chosen is kept.
    view = window.pages.setup_views[session.id]
    view.show_section(Section.RUNNER)
    page = view.page(Section.RUNNER)
    assert session.draft_model.text(Section.RUNNER, 0, "reference") == "bowl.py:Bowl"
    desk.until(lambda: "Changed since you trusted it" in desk.texts(page))
    desk.press(window, "setup.runner.trust.bowl.py.trust_folder")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    # From now on changes of that folder are taken as they come.
    desk.bowl.write_text(PLUGIN + "\n# again\n", "utf-8")
    sha256 = window.plugin_desk.model.file("bowl.py").sha256  # type: ignore[union-attr]
    desk.until(lambda: window.plugin_desk.model.file("bowl.py").sha256 != sha256)  # type: ignore[union-attr]
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)


def test_bursts_renames_new_files_and_a_folder_that_is_away_are_followed(desk: Desk) -> None:
    desk.trust_file.parent.mkdir()
    window = desk.begin()
    desk.press(window, "plugins.trust_notice.trust_folder")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    for turn in range(20):
        desk.bowl.write_text(PLUGIN + f"\n# {turn}\n", "utf-8")
    (desk.plugins / "broken.py").write_text("1 / 0", "utf-8")
    desk.until(lambda: desk.state(window, "broken.py") is PluginState.ERROR)
    (desk.plugins / "broken.py").rename(desk.plugins / "still_broken.py")
    desk.until(lambda: desk.state(window, "still_broken.py") is PluginState.ERROR)
    assert desk.state(window, "broken.py") is None
    window.plugins_view.select("still_broken.py")
    desk.press(window, "plugins.error.fold")
    away = desk.plugins.with_name("away")
    desk.plugins.rename(away)
    desk.until(lambda: bool(window.plugin_desk.model.problem))
    assert "does not exist" in window.plugin_desk.model.problem
    away.rename(desk.plugins)
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    assert not window.plugin_desk.model.problem


def test_a_file_that_comes_before_the_selected_one_leaves_the_buttons_with_that(
    desk: Desk,
) -> None:
    window = desk.begin()
    (desk.plugins / "cellar.py").write_text(PLUGIN, "utf-8")
    desk.until(lambda: desk.state(window, "cellar.py") is not None)
    window.plugins_view.select("cellar.py")
    (desk.plugins / "attic.py").write_text(PLUGIN, "utf-8")
    desk.until(lambda: desk.state(window, "attic.py") is not None)
    selected = window.plugins_view.selected
    assert selected is not None
    assert selected.name == "cellar.py"
    (desk.plugins / "cellar.py").unlink()
    desk.until(lambda: desk.state(window, "cellar.py") is None)
    selected = window.plugins_view.selected
    assert selected is not None
    assert selected.name == "attic.py"


def test_what_no_notification_tells_is_found_when_the_window_gets_the_focus(desk: Desk) -> None:
    window = desk.begin()
    window.plugin_desk._watcher.blockSignals(True)  # as on a network folder
    desk.bowl.write_text(PLUGIN, "utf-8")
    sha256 = window.plugin_desk.model.file("bowl.py").sha256  # type: ignore[union-attr]
    window.plugin_desk._look_when_active(Qt.ApplicationState.ApplicationActive)
    desk.until(lambda: window.plugin_desk.model.file("bowl.py").sha256 != sha256)  # type: ignore[union-attr]


def test_a_run_keeps_its_version_and_nothing_is_run_beside_it(desk: Desk) -> None:
    window = desk.begin()
    desk.press(window, "plugins.trust_notice.trust_folder")
    session = window._workbench.current
    assert session is not None
    desk.until(lambda: session.state is RunState.READY)
    desk.hold.touch()
    session.start()
    desk.until(lambda: session.state is RunState.RUNNING)
    window.actions_by_name["plugins.manager"].trigger()
    runs = desk.runs
    desk.bowl.write_text(MARK + PLUGIN.replace("- 1)", "- 100)"), "utf-8")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.CHANGED)
    assert desk.runs == runs
    assert "keeps the version" in desk.texts(window.plugins_view)
    # Asked for, it is loaded at once, in a process of its own.
    desk.press(window, "plugins.reload_file")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    assert desk.runs == runs + 1
    desk.bowl.write_text(MARK + PLUGIN.replace("- 1)", "- 200)"), "utf-8")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.CHANGED)
    desk.hold.unlink()
    desk.until(lambda: session.state is RunState.COMPLETED)
    assert max(t.latest("depth").mean for t in session.facts.trials) < 100  # type: ignore[union-attr]
    # Once the run is over, it is loaded.
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)


def test_disable_and_enable(desk: Desk) -> None:
    window = desk.begin()
    desk.press(window, "plugins.trust_notice.trust")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    desk.press(window, "plugins.enable")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.DISABLED)
    session = window._workbench.current
    assert session is not None
    assert session.state is RunState.DRAFT
    assert "disabled" in session.facts.first_problem
    desk.press(window, "plugins.enable")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    desk.until(lambda: session.state is RunState.READY)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("", ""), "in order"),
        (("trial_index, parameterization)", "trial_index)"), "is called with"),
        (("class Depth", "1 / 0\nclass Depth"), "ZeroDivisionError"),
        (("class Depth", "import os; os._exit(3)\nclass Depth"), "exit status 3"),
        (("class Depth", "import time; time.sleep(1000)\nclass Depth"), "not loaded within"),
        (("class Depth", "print('x' * 1000000)\nclass Depth"), "in order"),
    ],
)
def test_test_plugin_says_what_is_wrong_and_moves_nothing(
    desk: Desk, change: tuple[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.plugins.hosts.SECONDS_TO_DESCRIBE", 3.0)
    desk.bowl.write_text(PLUGIN.replace(*change) if change[0] else PLUGIN, "utf-8")
    window = desk.begin()
    desk.press(window, "plugins.trust_notice.trust")
    desk.until(lambda: desk.state(window, "bowl.py") in (PluginState.LOADED, PluginState.ERROR))
    desk.press(window, "plugins.test")
    file = window.plugin_desk.model.file("bowl.py")
    assert file is not None
    desk.until(lambda: window.plugin_desk.model.check_of(file) is not None)
    assert told in desk.texts(window.plugins_view)


def test_a_new_plugin_is_written_opened_trusted_and_in_order(desk: Desk) -> None:
    window = desk.begin()
    desk.press(window, "plugins.new")
    dialog = window.findChild(NewPluginDialog)
    assert dialog is not None
    for wrong in ("", "1x", "a b", "a/b", "_x"):
        dialog.field.setText(wrong)
        assert not dialog.buttons["ok"].isEnabled()
    dialog.field.setText("my_oven")
    desk.qtbot.mouseClick(dialog.buttons["ok"], Qt.MouseButton.LeftButton)
    desk.until(lambda: desk.state(window, "my_oven.py") is PluginState.LOADED)
    assert desk.opened == [str(desk.plugins / "my_oven.py")]
    assert desk.state(window, "bowl.py") is PluginState.UNTRUSTED
    window.plugins_view.select("my_oven.py")
    desk.press(window, "plugins.test")
    file = window.plugin_desk.model.file("my_oven.py")
    assert file is not None
    desk.until(lambda: window.plugin_desk.model.check_of(file) is not None)
    assert desk.texts(window.plugins_view).count("in order") == 2
    desk.press(window, "plugins.edit")
    assert desk.opened[-1] == str(desk.plugins / "my_oven.py")


def test_the_usual_folder_is_shown_without_an_experiment_and_read_when_wanted(desk: Desk) -> None:
    window = desk.open()
    assert window.plugin_desk.model.catalogue is None
    window.actions_by_name["plugins.manager"].trigger()
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.UNTRUSTED)
    desk.press(window, "plugins.trust_notice.trust")
    desk.until(lambda: desk.state(window, "bowl.py") is PluginState.LOADED)
    assert window.plugin_desk.model.item(0).data(Role.SECOND_LINE) == "Loaded · 1 runner, 1 metric"
    shutil.rmtree(desk.plugins)
    desk.until(lambda: bool(window.plugin_desk.model.problem))
    desk.plugins.mkdir()


def test_the_demo_is_never_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    window = desk.open()
    window._workbench.start_demo()
    desk.until(lambda: window._workbench.current is not None)
    session = window._workbench.current
    assert session is not None
    desk.until(lambda: session.state is RunState.RUNNING, 60)
    session.stop_now()
    desk.until(lambda: not session.is_live)
