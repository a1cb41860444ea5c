"""Where the docks stand: which are open depends on what the middle shows, and on the width."""

import logging
from collections.abc import Mapping

from PySide6.QtCore import QByteArray, QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QTabWidget, QToolBar, QWidget

from axdesk.gui.models.layout import Layout, Mode
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


_SIDES = {
    "inspector": (2, (Mode.MONITOR,)),
    "experiments": (1, (Mode.SETUP, Mode.MONITOR)),
    "plugins": (1, (Mode.SETUP, Mode.MONITOR)),
}
"""The docks that close by themselves: the width class they need, and the tabs they belong to."""

OPERATOR = Layout({
    Mode.START: frozenset(),
    Mode.SETUP: frozenset({"experiments"}),
    Mode.MONITOR: frozenset({"experiments", "inspector", "trials", "attention"}),
})  # fmt: skip
"""For people who start, watch and answer."""

ENGINEER = Layout({
    Mode.START: frozenset(),
    Mode.SETUP: frozenset({"experiments", "plugins", "log"}),
    Mode.MONITOR: frozenset(_PLACES),
})  # fmt: skip
"""For people who write plugins: plugin files at the left, the log beside the trials."""

USUAL = Layout({
    Mode.START: frozenset(),
    Mode.SETUP: frozenset({"experiments", "plugins"}),
    Mode.MONITOR: frozenset(_PLACES),
})  # fmt: skip
"""As at the first start."""

STATE_VERSION = 1

_LOG = logging.getLogger(__name__)


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
        self._open = {mode: set(names) for mode, names in USUAL.opened.items()}
        self._states: dict[Mode, bytes] = {}
        self._width_class = -1
        self._is_arranged = False
        self._titles = DockTitles(window)
        # Qt gives out the sizes at once, before the title bars of tabified docks are away.
        self._unsettled: set[Mode] = set()
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(0)
        self._settle.timeout.connect(self._settle_sizes)
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
        """Show the docks that belong to a tab; what stands in the one left is remembered."""
        if self._window.isVisible() and mode is not self.mode:
            self._remember()
        self.mode = mode
        self._show_open()
        if mode not in self._states:
            for front, modes in (("experiments", (Mode.SETUP, Mode.MONITOR)),
                                 ("trials", (Mode.MONITOR,))):  # fmt: skip
                if mode in modes and front in self._open[mode]:
                    self[front].raise_()

    def fit_width(self, width: int) -> None:
        """Close the side docks where the window gets too narrow for them, and open them again."""
        width_class = 2 if width >= WIDE else 1 if width >= MEDIUM else 0
        if width_class == self._width_class:
            return
        self._width_class = width_class
        for name, (needed, modes) in _SIDES.items():
            for mode in modes:
                keep = self._open[mode].add if width_class >= needed else self._open[mode].discard
                keep(name)
            self[name].setVisible(name in self._open[self.mode])

    def arrange(self) -> None:
        """Bring the docks into place, once: Qt does that only in a window that is shown."""
        if not self._is_arranged:
            self._is_arranged = True
            self._put_in_usual_places()
            self.set_mode(self.mode)

    def layout_now(self) -> Layout:
        """Where the docks stand now, to be kept."""
        self._remember()
        opened = {mode: frozenset(names) for mode, names in self._open.items()}
        return Layout(opened, dict(self._states), max(self._width_class, 0))

    def apply(self, layout: Layout) -> None:
        """Put the docks where a layout has them.

        Docks that it does not know keep away; those that have no room in this window are closed, if
        the layout is of a wider one.
        """
        self._is_arranged = True
        self._states = {}
        self._put_in_usual_places(splits_log=layout is ENGINEER)
        self._states = dict(layout.states)
        self._unsettled = set(self._states)
        self._open = {
            mode: {name for name in layout.opened.get(mode, frozenset()) if name in _PLACES}
            for mode in Mode
        }
        for name, (needed, modes) in _SIDES.items():
            if self._width_class < needed <= layout.width_class:
                for mode in modes:
                    self._open[mode].discard(name)
        self._show_open()

    def _remember(self) -> None:
        """Keep what is open, and where, for the tab that is shown."""
        self._open[self.mode] = {
            name for name, dock in self._docks.items() if dock.toggleViewAction().isChecked()
        }
        if self._is_arranged and self._open[self.mode]:
            self._states[self.mode] = bytes(self._window.saveState(STATE_VERSION).data())

    def _show_open(self) -> None:
        """Show the docks of the tab, in their places if these are known."""
        self._put_in_known_places()
        for name, dock in self._docks.items():
            dock.setVisible(name in self._open[self.mode])
        if self.mode in self._unsettled:
            self._unsettled.discard(self.mode)
            self._settle.start()

    def _settle_sizes(self) -> None:
        self._titles.update()
        self._show_open()

    def _put_in_known_places(self) -> None:
        state = self._states.get(self.mode)
        if state is not None and self._is_arranged:
            # Qt keeps the toolbars, too; which of them are shown is none of the docks' business.
            bars = {bar: bar.isHidden() for bar in self._window.findChildren(QToolBar)}
            if not self._window.restoreState(QByteArray(state), STATE_VERSION):
                _LOG.warning("the layout of %s cannot be read; the usual one is used", self.mode)
                del self._states[self.mode]
                self._put_in_usual_places()
            for bar, is_hidden in bars.items():
                bar.setHidden(is_hidden)

    def _put_in_usual_places(self, *, splits_log: bool = False) -> None:
        window = self._window
        # A tab that is only moved leaves its bar behind. On the start page there is none yet, and
        # what was never shown must not begin its work.
        has_tabs = self.mode is not Mode.START
        for dock in self._docks.values():
            dock.setFloating(False)
            if has_tabs:
                window.removeDockWidget(dock)
        for name, (_, area) in _PLACES.items():
            window.addDockWidget(area, self[name])
            if has_tabs:
                self[name].show()
        window.tabifyDockWidget(self["experiments"], self["plugins"])
        if splits_log:
            window.splitDockWidget(self["trials"], self["log"], Qt.Orientation.Horizontal)
        else:
            window.tabifyDockWidget(self["trials"], self["log"])
        window.tabifyDockWidget(self["log"], self["attention"])
        for front in ("experiments", "trials", "log" if splits_log else "trials"):
            self[front].raise_()
        window.resizeDocks([self["trials"]], [px(234)], Qt.Orientation.Vertical)
        sides = [self["experiments"], self["inspector"]]
        window.resizeDocks(sides, [px(224), px(284)], Qt.Orientation.Horizontal)
