"""Where the docks stand: which are open depends on what the middle shows, and on the width."""

from collections.abc import Mapping
from enum import StrEnum

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QTabWidget, QWidget

from axdesk.gui.style import px
from axdesk.gui.widgets.docks import OWN_HEADER, DockTitles, make_dock

WIDE, MEDIUM = 1400, 1300
"""Widths of the window below which the inspector, and then the list, close by themselves."""

_LEFT = Qt.DockWidgetArea.LeftDockWidgetArea
_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea

_PLACES = {
    "experiments": ("Experiments", _LEFT),
    "plugins": ("Plugins", _LEFT),
    "inspector": ("Trial inspector", _RIGHT),
    "trials": ("Trials", _BOTTOM),
    "log": ("Log", _BOTTOM),
    "attention": ("Attention", _BOTTOM),
}


class Mode(StrEnum):
    """What the middle shows; each has docks of its own."""

    START = "start"
    SETUP = "setup"
    MONITOR = "monitor"


class Arrangement(QObject):
    """The docks of the window, by name."""

    def __init__(self, window: QMainWindow, views: Mapping[str, QWidget]) -> None:
        """Make the docks.

        Args:
            window: The main window.
            views: The contents of the docks of `_PLACES`, by name.
        """
        super().__init__(window)
        self._window = window
        self.mode = Mode.START
        self._open: dict[Mode, set[str]] = {
            Mode.START: set(),
            Mode.SETUP: {"experiments", "plugins"},
            Mode.MONITOR: set(_PLACES),
        }
        self._width_class = -1
        self._is_arranged = False
        self._titles = DockTitles(window)
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        window.setCorner(Qt.Corner.BottomLeftCorner, _BOTTOM)
        window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
        self._docks: dict[str, QDockWidget] = {}
        for name, (title, area) in _PLACES.items():
            dock = make_dock(title, f"dock.{name}", views[name])
            window.addDockWidget(area, dock)
            self._titles.follow(dock)
            self._docks[name] = dock
        # The inspector has a header of its own, with a button that closes it.
        self["inspector"].setProperty(OWN_HEADER, True)
        self["inspector"].setTitleBarWidget(QWidget())

    def __getitem__(self, name: str) -> QDockWidget:
        """Return the dock called `dock.NAME`."""
        return self._docks[name]

    def panels_menu(self) -> QMenu:
        """A menu that opens and closes the docks."""
        menu = QMenu("Panels", self._window)
        for name, dock in self._docks.items():
            toggle = dock.toggleViewAction()
            toggle.setObjectName(f"action.view.panel.{name}")
            menu.addAction(toggle)
        return menu

    def show(self, name: str) -> None:
        """Open a dock and bring it to the front."""
        self[name].show()
        self[name].raise_()

    def set_mode(self, mode: Mode) -> None:
        """Show the docks that belong to a mode; what is open in the one left is remembered."""
        if self._window.isVisible() and mode is not self.mode:
            self._open[self.mode] = {
                name for name, dock in self._docks.items() if dock.toggleViewAction().isChecked()
            }
        self.mode = mode
        for name, dock in self._docks.items():
            dock.setVisible(name in self._open[mode])
        if "experiments" in self._open[mode]:
            self["experiments"].raise_()
        if mode is Mode.MONITOR:
            self["trials"].raise_()

    def fit_width(self, width: int) -> None:
        """Close the side docks where the window gets too narrow for them, and open them again."""
        width_class = 2 if width >= WIDE else 1 if width >= MEDIUM else 0
        if width_class == self._width_class:
            return
        self._width_class = width_class
        for name, needed, modes in (
            ("inspector", 2, (Mode.MONITOR,)),
            ("experiments", 1, (Mode.SETUP, Mode.MONITOR)),
            ("plugins", 1, (Mode.SETUP, Mode.MONITOR)),
        ):
            for mode in modes:
                keep = self._open[mode].add if width_class >= needed else self._open[mode].discard
                keep(name)
            self[name].setVisible(name in self._open[self.mode])

    def arrange(self) -> None:
        """Bring the docks into place, once: Qt does that only in a window that is shown."""
        if self._is_arranged:
            return
        self._is_arranged = True
        self._window.tabifyDockWidget(self["experiments"], self["plugins"])
        self._window.tabifyDockWidget(self["trials"], self["log"])
        self._window.tabifyDockWidget(self["log"], self["attention"])
        self.set_mode(self.mode)
        self._window.resizeDocks([self["trials"]], [px(234)], Qt.Orientation.Vertical)
        sides = [self["experiments"], self["inspector"]]
        self._window.resizeDocks(sides, [px(224), px(284)], Qt.Orientation.Horizontal)
