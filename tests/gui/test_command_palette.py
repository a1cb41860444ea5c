"""The command palette, the list of shortcuts, and the settings they are remembered in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QApplication, QDialog

from axdesk.core.drafts import draft_of
from axdesk.core.run import RunState
from axdesk.gui.actions import ACTIONS, off_reason
from axdesk.gui.models.palette_model import Command, PaletteModel, match
from axdesk.gui.models.shortcut_list import ShortcutRow, as_html
from axdesk.gui.settings import MOST_RECENT_COMMANDS, WindowSettings, defaults
from axdesk.gui.widgets.roles import Role
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup
from tests.gui.test_window import Bench

QtBot = Any


def named(text: str, key: str = "", **rest: Any) -> Command:
    return Command(key or text, text, lambda: None, **rest)


def found(commands: list[Command], query: str, recent: tuple[str, ...] = ()) -> list[str]:
    model = PaletteModel(commands, recent)
    model.search(query)
    return [model.index(row).data() for row in range(model.rowCount())]


MENU = [
    named("New…", place="File", tip="New experiment (Ctrl+N)"),
    named("Export trials…", place="File"),
    named("Add trials…", place="Run", off="The run goes on."),
    named("New manual trial…", place="Trials"),
    named("Mark failed…", place="Trials"),
    named("Dark", place="View ▸ Theme"),
]


def test_without_letters_all_is_listed_with_what_was_used_last_first() -> None:
    assert found(MENU, "") == [command.text for command in MENU]
    assert found(MENU, "  ", ("Dark", "gone", "Add trials…"))[:3] == ["Dark", "Add trials…", "New…"]


def test_words_are_found_at_the_heads_of_words_in_any_order() -> None:
    assert found(MENU, "trial")[:3] == ["Export trials…", "Add trials…", "New manual trial…"]
    assert found(MENU, "theme dark") == ["Dark"]
    assert found(MENU, "DARK the") == ["Dark"]
    assert found(MENU, "experiment") == ["New…"], "the tip is searched, too"
    assert found(MENU, "no such thing") == []


def test_a_few_letters_in_order_are_enough() -> None:
    assert found(MENU, "nmt") == ["New manual trial…"]
    assert found(MENU, "expr")[0] == "Export trials…"
    assert found(MENU, "mkfl") == ["Mark failed…"]


def test_the_better_match_goes_before_the_one_used_last() -> None:
    assert found(MENU, "new", ("New manual trial…",))[0] == "New manual trial…", "equal matches"
    assert found(MENU, "ma", ("New manual trial…",))[0] == "Mark failed…", "at the head"


@given(st.text(max_size=12), st.text(max_size=20))
def test_any_text_can_be_typed(query: str, text: str) -> None:
    score = match(query, named(text))
    assert score is None or score >= 0
    assert match(text, named(text)) is not None, "a command is found by its own text"


@pytest.fixture
def workspace() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication, workspace: MemoryWorkspace) -> Iterator[Bench]:
    workspace.add(coupling_experiment(RunState.STOPPED))
    workspace.new_draft(draft_of(coupling_setup("Amide & workup")))
    bench = Bench(qtbot, workspace)
    yield bench
    bench.close()


def open_palette(bench: Bench) -> tuple[Any, Any, Any]:
    bench.window.activateWindow()
    bench.until(bench.window.isActiveWindow)
    bench.qtbot.keyClick(
        bench.window, Qt.Key.Key_P,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )  # fmt: skip
    dialog = bench.dialog("dialog.palette")
    return (
        dialog,
        dialog.findChild(object, "dialog.palette.input"),
        dialog.findChild(object, "dialog.palette.list"),
    )


def rows(listed: Any) -> list[str]:
    model = listed.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def test_every_action_is_in_the_palette(bench: Bench) -> None:
    keys = {command.key for command in bench.window._palette.commands()}
    assert {f"action.{spec.name}" for spec in ACTIONS} <= keys
    assert {"action.view.panel.trials", "action.view.panel.log"} <= keys


def test_each_action_that_is_off_says_why(bench: Bench) -> None:
    def reasons() -> set[str]:
        return {
            off_reason(action) for action in bench.window.actions_by_name if not action.isEnabled()
        }

    assert all(reasons())
    assert off_reason(bench.action("file.save")) == "Open an experiment first."
    bench.open(1)
    assert off_reason(bench.action("trials.mark_failed")) == "Select a trial first."
    bench.window.trials_view.select(17)
    assert off_reason(bench.action("trials.mark_failed")) == "#17 is done."
    assert "Not possible now." not in reasons()


def test_a_command_is_found_and_carried_out_by_keys_alone(bench: Bench) -> None:
    bench.open(1)
    _, line, listed = open_palette(bench)
    bench.until(line.hasFocus)
    bench.qtbot.keyClicks(line, "dupl")
    assert rows(listed)[0] == "Duplicate"
    bench.qtbot.keyClick(line, Qt.Key.Key_Return)
    bench.until(lambda: bench.session.facts.name == "Suzuki coupling B (copy)")
    bench.until(lambda: bench.window.findChild(QDialog, "dialog.palette") is None)
    _, _, listed = open_palette(bench)
    assert rows(listed)[0] == "Duplicate", "what was used last stands first"


def test_arrows_go_round_and_escape_leaves(bench: Bench) -> None:
    _, line, listed = open_palette(bench)
    last = listed.model().rowCount() - 1
    bench.qtbot.keyClick(line, Qt.Key.Key_Up)
    assert listed.currentIndex().row() == last
    bench.qtbot.keyClick(line, Qt.Key.Key_Down)
    assert listed.currentIndex().row() == 0
    bench.qtbot.keyClick(line, Qt.Key.Key_PageDown)
    assert listed.currentIndex().row() == 8
    bench.qtbot.keyClick(line, Qt.Key.Key_Escape)
    bench.until(lambda: bench.window.findChild(QDialog, "dialog.palette") is None)


def test_what_is_off_shows_its_reason_and_does_nothing(bench: Bench) -> None:
    dialog, line, listed = open_palette(bench)
    bench.qtbot.keyClicks(line, "save as template")
    index = listed.currentIndex()
    assert index.data(Role.SECOND_LINE) == "Open an experiment first."
    assert "Open an experiment first." in index.data(Qt.ItemDataRole.AccessibleTextRole)
    bench.qtbot.keyClick(line, Qt.Key.Key_Return)
    assert dialog.isVisible()
    dialog.close()


def test_what_is_done_to_trials_says_to_which(bench: Bench) -> None:
    bench.open(1)
    bench.window.trials_view.select(17)
    targets = {command.key: command.target for command in bench.window._palette.commands()}
    assert targets["action.trials.enter_result"] == "#17"
    assert targets["action.trials.go_to_best"] == targets["action.file.save"] == ""
    dialog, line, listed = open_palette(bench)
    bench.qtbot.keyClicks(line, "correct result")
    assert listed.currentIndex().data(Role.SECOND_LINE) == "#17"
    dialog.close()


def test_experiments_and_trials_can_be_gone_to(bench: Bench) -> None:
    _, line, _ = open_palette(bench)
    bench.qtbot.keyClicks(line, "suzuki")
    bench.qtbot.keyClick(line, Qt.Key.Key_Return)
    bench.until(lambda: bench.session is not None)
    _, line, listed = open_palette(bench)
    bench.qtbot.keyClicks(line, "#999")
    assert rows(listed) == []
    line.clear()
    bench.qtbot.keyClicks(line, "#13")
    assert rows(listed)[0] == "Trial #13"
    bench.qtbot.keyClick(line, Qt.Key.Key_Return)
    bench.until(lambda: bench.window.selection.current == 13)
    assert bench.window.settings.recent_commands == [], "only commands are remembered"


def test_the_field_of_the_toolbar_opens_the_palette(bench: Bench) -> None:
    bench.press("toolbar.search")
    assert bench.dialog("dialog.palette").isVisible()
    bench.dialog("dialog.palette").close()


def test_shortcuts_are_listed_searched_and_copied(bench: Bench) -> None:
    bench.action("help.shortcuts").trigger()
    dialog = bench.dialog("dialog.shortcuts")
    shown = {row.text: row.keys for row in dialog._shown}
    for spec in ACTIONS:
        action = bench.action(spec.name)
        if spec.shortcut:
            assert shown[action.text().replace("&", "").rstrip("…")] == action.shortcut().toString()
    bench.qtbot.keyClicks(bench.find("dialog.shortcuts.search"), "palette")
    assert [row.text for row in dialog._shown] == ["Command palette"]
    bench.press("dialog.shortcuts.copy")
    assert QGuiApplication.clipboard().text() == "Ctrl+Shift+P\tCommand palette\tTools"
    bench.qtbot.keyClicks(bench.find("dialog.shortcuts.search"), "xyz")
    assert dialog._shown == ()
    dialog.close()


def test_shortcuts_are_printed(bench: Bench, tmp_path: Path) -> None:
    bench.action("help.shortcuts").trigger()
    dialog = bench.dialog("dialog.shortcuts")
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "keys.pdf"))
    dialog.print_to(printer)
    assert (tmp_path / "keys.pdf").read_bytes().startswith(b"%PDF")
    dialog.close()
    assert "&lt;b&gt;" in as_html([ShortcutRow("a", "<b>", "x")])


# settings


def kept(path: Path) -> WindowSettings:
    return WindowSettings(QSettings(str(path), QSettings.Format.IniFormat))


def test_settings_come_back_as_what_they_were(tmp_path: Path) -> None:
    first = kept(tmp_path / "axdesk.ini")
    assert {name: getattr(first, name) for name in defaults()} == defaults()
    given_values: dict[str, object] = {
        "theme": "dark", "zoom": 120, "lock_setup": True, "geometry": b"\x00\xff",
        "recent_commands": ["one"], "plugin_folder": "C:\\lab, 2; 'ü'",
    }  # fmt: skip
    for name, value in given_values.items():
        setattr(first, name, value)
    first.flush()
    second = kept(tmp_path / "axdesk.ini")
    assert {name: getattr(second, name) for name in given_values} == given_values
    second.reset(*given_values)
    assert {name: getattr(second, name) for name in defaults()} == defaults()


@pytest.mark.parametrize("text", ["", "[1]", '"big"', "1.5", "null", "{", "true"])
def test_a_setting_of_another_kind_reads_as_its_default(tmp_path: Path, text: str) -> None:
    raw = QSettings(str(tmp_path / "axdesk.ini"), QSettings.Format.IniFormat)
    raw.setValue("zoom", text)
    raw.setValue("geometry", text)
    raw.sync()
    settings = kept(tmp_path / "axdesk.ini")
    assert settings.zoom == 100
    assert settings.geometry == b""


def test_settings_of_earlier_versions_are_read(tmp_path: Path) -> None:
    raw = QSettings(str(tmp_path / "axdesk.ini"), QSettings.Format.IniFormat)
    for key, value in (("theme", "dark"), ("zoom", 120), ("lock_setup", True)):
        raw.setValue(key, value)
    raw.sync()
    settings = kept(tmp_path / "axdesk.ini")
    assert (settings.theme, settings.zoom, settings.lock_setup) == ("dark", 120, True)


def test_only_some_commands_are_remembered_each_once() -> None:
    settings = WindowSettings()
    for number in (*range(40), 3):
        settings.remember_command(str(number))
    assert settings.recent_commands[:2] == ["3", "39"]
    assert len(settings.recent_commands) == MOST_RECENT_COMMANDS


def test_a_change_is_told_once() -> None:
    settings = WindowSettings()
    told: list[str] = []
    settings.changed.connect(told.append)
    settings.zoom = 100
    settings.zoom = 110
    settings.zoom = 110
    assert told == ["zoom"]
