"""Preferences: what is set counts at once, is kept, and is found by a word."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QFileDialog, QWidget

from axdesk.api.rescue import Backup
from axdesk.core.drafts import draft_of
from axdesk.core.plugins import TrustedPlaces
from axdesk.gui.settings import defaults
from axdesk.gui.style import theme_manager
from axdesk.gui.views.preferences_dialog import SWITCHES
from axdesk.plugins.trust import PluginTrust
from tests.gui.scenes import MemoryWorkspace, coupling_setup
from tests.gui.test_window import Bench

QtBot = Any


@pytest.fixture
def workspace() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication, workspace: MemoryWorkspace) -> Iterator[Bench]:
    bench = Bench(qtbot, workspace)
    yield bench
    bench.close()
    theme_manager().choose("system")
    theme_manager().set_zoom(100)


def opened(bench: Bench) -> Any:
    bench.action("edit.preferences").trigger()
    return bench.dialog("dialog.preferences")


def choose(bench: Bench, name: str, value: object) -> None:
    """Choose from a combo or segmented button as the operator does."""
    field = bench.find(name)
    if hasattr(field, "_segments"):
        segment = next(s for s in field._segments if s.choice.value == value)
        bench.qtbot.mouseClick(segment, Qt.MouseButton.LeftButton)
    else:
        index = field.findData(value)
        field.setCurrentIndex(index)
        field.activated.emit(index)


def test_theme_and_zoom_count_at_once_and_are_kept(bench: Bench) -> None:
    opened(bench)
    choose(bench, "dialog.preferences.theme", "dark")
    choose(bench, "dialog.preferences.zoom", 120)
    assert theme_manager().choice == "dark"
    assert theme_manager().zoom == 120
    assert bench.action("view.theme.dark").isChecked()
    assert (bench.window.settings.theme, bench.window.settings.zoom) == ("dark", 120)


def test_the_menu_and_the_dialog_set_the_same(bench: Bench) -> None:
    bench.action("view.theme.high_contrast").trigger()
    bench.action("view.zoom_in").trigger()
    opened(bench)
    assert bench.find("dialog.preferences.theme").value() == "high_contrast"
    assert bench.find("dialog.preferences.zoom").currentData() == 110
    bench.action("view.theme.high_contrast").trigger()
    assert bench.action("view.theme.high_contrast").isChecked(), "chosen again it stays on"


def test_zoom_ends_at_its_limits(bench: Bench) -> None:
    for _ in range(20):
        bench.action("view.zoom_in").trigger()
    assert theme_manager().zoom == bench.window.settings.zoom == 160
    for _ in range(20):
        bench.action("view.zoom_out").trigger()
    assert theme_manager().zoom == bench.window.settings.zoom == 80


def test_each_switch_is_a_check_box_of_its_setting(bench: Bench) -> None:
    opened(bench)
    for switch in SWITCHES:
        box = bench.find(f"dialog.preferences.{switch.setting}", QCheckBox)
        before = getattr(bench.window.settings, switch.setting)
        assert box.isChecked() is before
        box.click()
        assert getattr(bench.window.settings, switch.setting) is not before


def test_the_set_up_is_locked_from_both_places(bench: Bench) -> None:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    bench.window.settings.lock_setup = True
    assert bench.action("file.lock_setup").isChecked()
    assert not bench.find("setup.general.name").isEnabled() or (
        bench.find("setup.general.name").isReadOnly()
    )
    bench.action("file.lock_setup").trigger()
    assert bench.window.settings.lock_setup is False


def test_new_experiments_begin_with_the_plugin_folder_chosen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    dialog = opened(bench)
    bench.press("dialog.preferences.choose_plugin_folder")
    assert bench.find("dialog.preferences.plugin_folder").text() == str(tmp_path)
    dialog.close()
    bench.action("file.new").trigger()
    bench.until(lambda: bench.session is not None)
    assert bench.session.draft_model.draft.general["plugin_folder"] == str(tmp_path)


def test_a_word_leaves_the_rows_it_is_in(bench: Bench) -> None:
    dialog = opened(bench)

    def shown() -> list[str]:
        return [
            row.words
            for section in dialog._sections.values()
            for row in section.rows
            if row.widget.isVisible()
        ]

    everything = shown()
    assert len(everything) >= 7
    search = bench.find("dialog.preferences.search")
    bench.qtbot.keyClicks(search, "contrast")
    assert len(shown()) == 1
    search.setText("no such preference")
    assert shown() == []
    assert dialog._nothing.isVisible()
    search.clear()
    assert shown() == everything


def test_what_is_trusted_is_listed_and_removed(bench: Bench, tmp_path: Path) -> None:
    trust = PluginTrust(tmp_path / "trust.json")
    bench.workspace.trust = trust
    trust.trust_folder(tmp_path / "lab")
    trust.trust_file(tmp_path / "cell.py", "1" * 64)
    opened(bench)
    rows = bench.find("dialog.preferences.trusted")
    bench.until(lambda: rows.model().rowCount() == 2)
    remove = bench.find("dialog.preferences.remove_trust")
    assert not remove.isEnabled()
    rows.setCurrentIndex(rows.model().index(0, 0))
    assert rows.currentIndex().data() == str(tmp_path / "lab")
    bench.press("dialog.preferences.remove_trust")
    bench.until(lambda: rows.model().rowCount() == 1)
    assert trust.places() == TrustedPlaces((), (str(tmp_path / "cell.py"),))
    rows.setCurrentIndex(rows.model().index(0, 0))
    bench.press("dialog.preferences.remove_trust")
    bench.until(lambda: not rows.model().item(0).isEnabled())
    assert trust.places() == TrustedPlaces()
    assert not remove.isEnabled()


def test_a_trust_file_that_cannot_be_read_is_told(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "trust.json").write_text("{")
    bench.workspace.trust = PluginTrust(tmp_path / "trust.json")
    opened(bench)
    rows = bench.find("dialog.preferences.trusted")
    bench.until(lambda: rows.model().rowCount() == 1)
    assert "cannot be read" in rows.model().index(0, 0).data()


def test_backups_are_counted(bench: Bench) -> None:
    bench.workspace.known_backups = [Backup(Path("a"), datetime.now(UTC), 1)] * 3
    dialog = opened(bench)
    bench.until(lambda: dialog._backups.text().startswith("3 backups, the latest of "))


def test_everything_is_as_at_first_again(bench: Bench) -> None:
    settings = bench.window.settings
    settings.theme, settings.zoom, settings.lock_setup = "dark", 140, True
    settings.plugin_folder = "/lab"
    settings.remember_command("kept")
    opened(bench)
    bench.press("dialog.preferences.reset")
    for name, value in defaults().items():
        if name not in ("geometry", "recent_commands"):
            assert getattr(settings, name) == value, name
    assert theme_manager().zoom == 100
    assert settings.recent_commands == ["kept"]
    bench.until(lambda: bench.find("dialog.preferences.zoom").currentData() == 100)
    bench.press("dialog.preferences.forget_commands")
    assert settings.recent_commands == []


def test_it_is_closed_before_what_was_asked_for_comes(bench: Bench) -> None:
    gate = threading.Event()
    bench.workspace.backups = lambda: (gate.wait(5), ())[1]  # type: ignore[method-assign]
    dialog = opened(bench)
    dialog.close()
    bench.until(lambda: bench.window.findChild(QWidget, "dialog.preferences") is None)
    gate.set()
    bench.until(lambda: bench.workbench.io._queue.empty())
