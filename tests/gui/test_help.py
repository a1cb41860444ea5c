"""Help: F1 opens the page for what has the keyboard; codes lead to what they mean."""

import re
from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QWidget

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.errors import Code, ExperimentFileError, NotFoundError
from axdesk.core.resources import resource_path
from axdesk.core.run import RunState
from axdesk.gui.help import names_up
from axdesk.gui.models.attention_model import AttentionItem, error_item
from axdesk.gui.models.help_pages import (
    CODES,
    ORDER,
    PAGE_OF,
    START,
    page_for,
    page_of,
    pages_with,
    read_pages,
)
from axdesk.gui.style import theme_manager
from axdesk.gui.views.help_window import HelpWindow
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup
from tests.gui.test_window import Bench

QtBot = Any


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    workspace = MemoryWorkspace()
    workspace.add(coupling_experiment(RunState.STOPPED))
    workspace.new_draft(draft_of(coupling_setup("Draft")))
    bench = Bench(qtbot, workspace)
    yield bench
    bench.close()
    theme_manager().choose("system")


def help_window(bench: Bench) -> HelpWindow:
    window = bench.window._help.shown
    assert window is not None
    return window


def shown(bench: Bench) -> str:
    window = bench.window._help.shown
    return "" if window is None else window.page.source().fileName()


# the pages


def test_every_page_is_listed_and_has_a_title() -> None:
    files = {path.name for path in resource_path("help").glob("*.md")}
    assert files == set(ORDER)
    assert set(PAGE_OF.values()) <= files
    assert all(page.title and "\n" not in page.title for page in read_pages())
    assert len({page.title for page in read_pages()}) == len(ORDER)


def test_every_link_leads_somewhere() -> None:
    pages = {page.name: page for page in read_pages()}
    for page in pages.values():
        for link in re.findall(r"\]\(([^)]+)\)", page.text):
            name, _, place = link.partition("#")
            assert name in pages, (page.name, link)
            assert not place or f"\n## {place} " in pages[name].text, (page.name, link)


def test_actions_are_called_in_the_pages_as_in_the_menus() -> None:
    from axdesk.gui.actions import ACTIONS

    keys = {spec.shortcut for spec in ACTIONS if spec.shortcut}
    for page in read_pages():
        for name, shortcut in re.findall(r"\*\*?([^*\n]+)\*\*? \((Ctrl[^) ]*|F\d+|Shift\+F\d+)\)",
                                         page.text):  # fmt: skip
            assert shortcut in keys, (page.name, name, shortcut)


def test_the_plugin_of_the_help_is_one() -> None:
    text = next(page.text for page in read_pages() if page.name == "plugins.md")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    made: dict[str, Any] = {}
    exec(code, made)
    assert made["Furnace"]("COM4").port == "COM4"
    assert issubclass(made["Furnace"], made["IRunner"])
    assert issubclass(made["Strength"], made["IMetric"])


def test_the_nearest_name_wins() -> None:
    assert page_for(["", "setup.parameters.table", "tab.setup", "window.main"]) == "parameters.md"
    assert page_for(["qt_scrollarea_viewport", "trials.table", "dock.trials"]) == "trials.md"
    assert page_for(["", "nothing.known", "dock.log"]) == "window.md"
    assert page_for([]) == page_for(["unknown"]) == START


def test_words_find_pages_titles_first() -> None:
    found = pages_with(read_pages(), "baseline")
    assert [page.name for page in found] == ["objectives.md", "corrections.md"]
    assert pages_with(read_pages(), "Interrupted runs")[0].name == "interrupted.md"
    assert pages_with(read_pages(), "zeppelin") == ()
    assert [page.name for page in pages_with(read_pages(), "")] == list(ORDER)


# F1


def named(window: QWidget) -> list[QWidget]:
    ours = re.compile(r"[a-z]+(\.[a-z_]+)+")
    return [w for w in window.findChildren(QWidget) if ours.match(w.objectName())]


def assert_each_has_a_page(root: QWidget) -> int:
    widgets = named(root)
    for widget in widgets:
        names = [name for name in names_up(widget) if name and name != "window.main"]
        assert any(page_of(name) for name in names), widget.objectName()
    return len(widgets)


def test_every_named_widget_has_a_page(bench: Bench) -> None:
    bench.open(2)
    count = assert_each_has_a_page(bench.window)
    bench.open(1)
    bench.window.trials_view.select(17)
    count += assert_each_has_a_page(bench.window)
    assert count > 200


def test_every_dialog_that_there_is_has_a_page() -> None:
    gui = Path(__file__).parents[2] / "axdesk" / "gui"
    names = {
        name
        for path in gui.rglob("*.py")
        for name in re.findall(r'name="(dialog\.[a-z_]+)"', path.read_text("utf-8"))
    }
    assert len(names) > 12
    assert {name for name in names if page_of(name) is None} == set()


@pytest.mark.parametrize("action", [
    "edit.preferences", "help.shortcuts", "help.about", "view.layout.save", "run.add_trials",
    "file.save_as_template", "plugins.new", "trials.enter_result", "trials.note",
    "trials.void", "trials.copy_to_manual", "trials.go_to", "file.delete",
    "tools.command_palette",
])  # fmt: skip
def test_every_dialog_has_a_page_and_opens_it_with_f1(bench: Bench, action: str) -> None:
    from PySide6.QtWidgets import QDialog

    bench.open(1)
    bench.window.trials_view.select(17)
    bench.action(action).trigger()
    bench.until(lambda: bool(bench.window.findChildren(QDialog)))
    (dialog,) = bench.window.findChildren(QDialog)
    assert page_of(dialog.objectName()), dialog.objectName()
    assert_each_has_a_page(dialog)
    dialog.activateWindow()
    bench.until(dialog.isActiveWindow)
    bench.qtbot.keyClick(dialog, Qt.Key.Key_F1)
    bench.until(lambda: shown(bench) == page_of(dialog.objectName()))
    dialog.close()


@pytest.mark.parametrize(("name", "page"), [
    ("setup.parameters.table", "parameters.md"),
    ("setup.objectives.table", "objectives.md"),
    ("experiments.list", START),
])  # fmt: skip
def test_f1_opens_the_page_for_what_has_the_keyboard(bench: Bench, name: str, page: str) -> None:
    bench.open(2)
    bench.action("view.setup").trigger()
    if name.startswith("setup."):
        bench.window.pages.setup_views[2].show_section(Section(name.split(".")[1]))
    widget = bench.find(name)
    bench.window.activateWindow()
    bench.until(bench.window.isActiveWindow)
    widget.setFocus()
    bench.until(widget.hasFocus)
    bench.qtbot.keyClick(widget, Qt.Key.Key_F1)
    bench.until(lambda: shown(bench) == page)


def test_it_goes_back_and_forward_and_follows_links(bench: Bench) -> None:
    help_ = bench.window._help
    help_._show(START)
    window = help_window(bench)
    window._follow(window.page.source().resolved(type(window.page.source())("monitor.md")))
    assert shown(bench) == "monitor.md"
    back: Any = window.findChild(QWidget, "window.help.back")
    forward: Any = window.findChild(QWidget, "window.help.forward")
    bench.until(back.isEnabled)
    bench.qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert shown(bench) == START
    bench.qtbot.mouseClick(forward, Qt.MouseButton.LeftButton)
    assert shown(bench) == "monitor.md"


def test_search_lists_pages_and_enter_opens_the_first(bench: Bench) -> None:
    bench.window._help._show(START)
    window = help_window(bench)
    search: Any = window.findChild(QWidget, "window.help.search")
    bench.qtbot.keyClicks(search, "baseline")
    assert window._contents.model().rowCount() == 2
    bench.qtbot.keyClick(search, Qt.Key.Key_Return)
    assert shown(bench) == "objectives.md"
    assert window.page.textCursor().selectedText() == "baseline"
    bench.qtbot.keyClicks(search, "xyz")
    assert window._nothing.isVisible()


def test_the_window_of_the_help_is_closed_with_escape_and_opens_again(bench: Bench) -> None:
    bench.window._help._show(START)
    window = help_window(bench)
    window.activateWindow()
    bench.until(window.isActiveWindow)
    bench.qtbot.keyClick(window.page, Qt.Key.Key_Escape)
    bench.until(lambda: bench.window._help.shown is None)
    bench.window._help.show_code("AXD-213")
    assert shown(bench) == CODES


def test_the_page_follows_the_theme(bench: Bench) -> None:
    bench.window._help._show(START)
    page = help_window(bench).page
    for theme in ("dark", "light"):
        theme_manager().choose(theme)
        picture = page.viewport().grab().toImage()
        assert picture.pixelColor(QPoint(3, 3)).name().upper() == theme_manager().theme.surface


# codes


@pytest.mark.parametrize("code", list(Code))
def test_each_code_opens_at_its_section(bench: Bench, code: Code) -> None:
    bench.window._help.show_code(code)
    page = help_window(bench).page
    assert page.textCursor().block().text().startswith(code)
    bench.until(lambda: page.cursorRect().top() >= 0)
    assert page.viewport().rect().intersects(page.cursorRect())


def test_attention_shows_the_code_and_it_leads_to_the_help(bench: Bench) -> None:
    bench.open(1)
    item = error_item(NotFoundError("There is none."), "Test", datetime.now(UTC))
    bench.session.notice(item)
    bench.window.docks.show("attention")
    bench.window.attention_view._list.setCurrentIndex(bench.session.attention_model.index(0))
    button = bench.find("attention.code")
    assert button.text() == "AXD-112"
    assert "AXD-112" in item.report
    bench.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert help_window(bench).page.textCursor().block().text().startswith("AXD-112")


def test_every_item_of_attention_says_its_code() -> None:
    assert "code" in {field.name for field in fields(AttentionItem)}
    sources = Path(__file__).parents[2] / "axdesk" / "gui"
    for path in (sources / "models" / "notices.py", sources / "models" / "attention_model.py"):
        text = path.read_text("utf-8")
        calls = text.split("return AttentionItem(")[1:]
        assert all("code=" in call.split("\ndef ")[0] for call in calls), path.name


def test_dialogs_and_the_start_page_show_the_code(bench: Bench, tmp_path: Path) -> None:
    bench.window.files._refuse(tmp_path / "a.toml", ExperimentFileError("No.", problems=("x",)))
    dialog = bench.dialog("dialog.file_problems")
    texts = [label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text")]
    assert any("(AXD-104)" in str(text) for text in texts if isinstance(text, str))
    dialog.close()
    bench.workbench.failed.emit(NotFoundError("There is none.", "Look elsewhere."))
    assert "Look elsewhere. (AXD-112)" in bench.window.pages.start_page._error.accessibleName()
    assert bench.window.statusBar().currentMessage().endswith("(AXD-112)")
