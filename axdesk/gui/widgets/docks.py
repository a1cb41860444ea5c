"""Docks: made with the window's names, and without a title where a tab already shows it."""

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QDockWidget, QMainWindow, QTabBar, QWidget

OWN_HEADER = "own_header"
"""The property of docks whose content has a header of its own: their title bar stays away."""

_ANYWHERE = (
    QDockWidget.DockWidgetFeature.DockWidgetClosable
    | QDockWidget.DockWidgetFeature.DockWidgetMovable
    | QDockWidget.DockWidgetFeature.DockWidgetFloatable
)


def make_dock(title: str, name: str, content: QWidget) -> QDockWidget:
    """A dock that can be moved, closed and floated.

    Args:
        title: Shown on its tab or title bar.
        name: Object name, such as `dock.trials`.
        content: What it holds.
    """
    dock = QDockWidget(title)
    dock.setObjectName(name)
    dock.setAccessibleName(title)
    dock.setFeatures(_ANYWHERE)
    dock.setWidget(content)
    return dock


class DockTitles(QObject):
    """Hides the title bar of tabified docks, and gives it back to lone and floating ones."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        # Qt changes the arrangement after it has told of it.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.update)
        window.tabifiedDockWidgetActivated.connect(self._later)

    def follow(self, dock: QDockWidget) -> None:
        """Look after `dock` too."""
        dock.dockLocationChanged.connect(self._later)
        dock.topLevelChanged.connect(self._later)
        dock.visibilityChanged.connect(self._later)
        self._later()

    def update(self) -> None:
        """Bring all title bars up to date."""
        for dock in self._window.findChildren(QDockWidget):
            if dock.property(OWN_HEADER):
                continue
            tabbed = bool(self._window.tabifiedDockWidgets(dock)) and not dock.isFloating()
            hidden = dock.titleBarWidget() is not None
            if tabbed and not hidden:
                dock.setTitleBarWidget(QWidget(dock))
            elif hidden and not tabbed:
                bar = dock.titleBarWidget()
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]
                bar.deleteLater()
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for bar in self._window.findChildren(QTabBar, options=direct):
            bar.setDocumentMode(True)
            bar.setExpanding(False)
            bar.setElideMode(Qt.TextElideMode.ElideNone)

    def _later(self) -> None:
        self._soon.start()
