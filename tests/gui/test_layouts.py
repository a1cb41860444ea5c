"""Layouts: where the docks stand, for each tab, by name, and from one start to the next."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QToolBar

from axdesk.core.run import RunState
from axdesk.gui.main_window import MainWindow
from axdesk.gui.models.layout import Layout, Mode, layout_of
from axdesk.gui.settings import WindowSettings
from tests.gui.scenes import MemoryWorkspace, coupling_experiment
from tests.gui.test_window import Bench

QtBot = Any
Start = Callable[[], Bench]
DOCKS = ("experiments", "plugins", "inspector", "trials", "log", "attention")


class KeptBench(Bench):
    """A window whose settings outlive it, on a screen of a given size."""

    def __init__(self, qtbot: QtBot, settings: WindowSettings, size: tuple[int, int]) -> None:
        self.settings = settings
        workspace = MemoryWorkspace()
        workspace.add(coupling_experiment(RunState.STOPPED))
        original = MainWindow.__init__

        def begin(window: MainWindow, workbench: Any) -> None:
            original(window, workbench, settings)
            window.resize(*size)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(MainWindow, "__init__", begin)
            super().__init__(qtbot, workspace)
        self.open(1)
        self.until(lambda: self.window.docks.mode is Mode.MONITOR)

    def shown(self) -> set[str]:
        return {name for name in DOCKS if not self.window.docks[name].isHidden()}


@pytest.fixture
def start(qtbot: QtBot, qapp: QApplication) -> Iterator[Callable[..., KeptBench]]:
    settings = WindowSettings()
    going: list[KeptBench] = []

    def begin(size: tuple[int, int] = (1440, 900)) -> KeptBench:
        for bench in going:
            bench.close()
        going[:] = [KeptBench(qtbot, settings, size)]
        return going[0]

    yield begin
    for bench in going:
        bench.close()


def test_what_was_closed_stays_closed_at_the_next_start(start: Any) -> None:
    bench = start()
    assert bench.shown() == set(DOCKS)
    for name in ("plugins", "attention"):
        bench.window.docks[name].close()
    bench = start()
    assert bench.shown() == set(DOCKS) - {"plugins", "attention"}


def test_places_and_sizes_come_back(start: Any) -> None:
    bench = start()
    window, docks = bench.window, bench.window.docks
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, docks["inspector"])
    window.resizeDocks([docks["trials"]], [360], Qt.Orientation.Vertical)
    bench.until(lambda: abs(docks["trials"].height() - 360) < 40)
    height = docks["trials"].height()
    bench = start()
    docks = bench.window.docks
    area = bench.window.dockWidgetArea(docks["inspector"])
    assert area is Qt.DockWidgetArea.LeftDockWidgetArea
    bench.until(lambda: abs(docks["trials"].height() - height) < 8)


def test_each_tab_has_docks_of_its_own(start: Any) -> None:
    bench = start()
    bench.window.docks["log"].close()
    bench.action("view.setup").trigger()
    assert bench.shown() == {"experiments", "plugins"}
    bench.window.docks["plugins"].close()
    bench.action("view.monitor").trigger()
    assert bench.shown() == set(DOCKS) - {"log"}
    bench.action("view.setup").trigger()
    assert bench.shown() == {"experiments"}


def test_a_floating_dock_of_a_screen_that_is_gone_is_on_the_screen(start: Any) -> None:
    bench = start()
    log = bench.window.docks["log"]
    log.setFloating(True)
    log.setGeometry(QRect(QPoint(9000, 7000), log.size()))
    bench = start()
    log = bench.window.docks["log"]
    assert log.isFloating()
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    assert any(screen.intersects(log.geometry()) for screen in screens)


def test_a_layout_of_a_wide_window_fits_a_narrow_one(start: Any) -> None:
    start()
    bench = start((1200, 700))
    assert bench.shown() == {"trials", "log", "attention"}
    bench.window.docks.show("experiments")
    bench = start((1200, 700))
    assert bench.shown() == {"trials", "log", "attention", "experiments"}, "opened by hand it stays"


def test_the_banner_and_the_toolbar_are_no_part_of_it(start: Any) -> None:
    bench = start()
    bench.action("view.layout.operator").trigger()
    for bar in bench.window.findChildren(QToolBar):
        assert bar.isVisible()
    bench.action("file.start_page").trigger()
    bench.until(lambda: not bench.find("toolbar.banner").isVisible())
    assert bench.find("toolbar.main").isVisible()
    assert bench.shown() == set()


def test_layouts_that_come_with_the_window(start: Any) -> None:
    bench = start()
    docks = bench.window.docks
    bench.action("view.layout.operator").trigger()
    assert bench.shown() == {"experiments", "inspector", "trials", "attention"}
    bench.action("view.layout.engineer").trigger()
    assert bench.shown() == set(DOCKS)
    bench.until(lambda: docks["trials"].isVisible() and docks["log"].isVisible())
    assert docks["log"] not in bench.window.tabifiedDockWidgets(docks["trials"])
    docks["inspector"].setFloating(True)
    bench.action("view.layout.reset").trigger()
    assert bench.shown() == set(DOCKS)
    assert not docks["inspector"].isFloating()
    assert docks["log"] in bench.window.tabifiedDockWidgets(docks["trials"])


def menu_texts(menu: Any) -> list[str]:
    return [action.text() for action in menu.actions() if action.text()]


def test_own_layouts_are_saved_by_name_and_deleted(start: Any) -> None:
    bench = start()
    bench.window.docks["plugins"].close()
    bench.action("view.layout.save").trigger()
    bench.dialog("dialog.save_layout")
    assert not bench.find("dialog.save_layout.ok").isEnabled()
    bench.qtbot.keyClicks(bench.find("dialog.save_layout.name"), "Night & day")
    bench.press("dialog.save_layout.ok")
    bench.action("view.layout.reset").trigger()
    assert bench.shown() == set(DOCKS)
    bench = start()
    menu = bench.window._layouts.menu
    assert menu_texts(menu)[-2:] == ["Night && day", "Delete layout"]
    next(action for action in menu.actions() if action.text() == "Night && day").trigger()
    assert bench.shown() == set(DOCKS) - {"plugins"}
    delete = next(action for action in menu.actions() if action.text() == "Delete layout")
    delete.menu().actions()[0].trigger()
    assert menu_texts(menu)[-1] == "Save layout…"
    assert bench.settings.layouts == {}


GOOD = {"open": {"monitor": ["trials"]}, "states": {}, "width_class": 2}


@pytest.mark.parametrize("kept", [
    {}, {"open": 1}, {"open": {}, "states": {}}, GOOD | {"open": {"kitchen": []}},
    GOOD | {"open": {"monitor": 3}}, GOOD | {"states": {"monitor": "§§"}},
    GOOD | {"states": {"monitor": None}}, GOOD | {"width_class": "wide"},
])  # fmt: skip
def test_what_cannot_be_read_gives_the_usual_layout(start: Any, kept: Any) -> None:
    assert layout_of(kept) is None
    bench = start()
    bench.close = lambda: None  # the settings below are those of the next start
    bench.settings.arrangement = kept
    Bench.close(bench)
    bench.settings.arrangement = kept
    assert start().shown() == set(DOCKS)


@pytest.mark.parametrize(
    "state", [b"", b"nothing of Qt's", b"\x00\x00\x00\xff\x00\x00\x00\x01\xfd"]
)
def test_a_damaged_state_gives_the_usual_places(start: Any, state: bytes) -> None:
    bench = start()
    opened = {Mode.MONITOR: frozenset({"trials", "log", "kitchen"})}
    bench.window.docks.apply(Layout(opened, {Mode.MONITOR: state}))
    assert bench.shown() == {"trials", "log"}
    docks = bench.window.docks
    assert docks["log"] in bench.window.tabifiedDockWidgets(docks["trials"])


def test_a_layout_is_the_same_after_it_was_kept() -> None:
    layout = Layout(
        {Mode.SETUP: frozenset({"log"}), Mode.MONITOR: frozenset()}, {Mode.SETUP: b"\x00\xfe"}, 1
    )
    assert layout_of(layout.to_plain()) == layout
