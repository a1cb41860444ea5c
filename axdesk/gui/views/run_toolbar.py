"""The toolbar: files at the left, the run in one place, *Stop now* alone at the far right."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QToolBar, QWidget

from axdesk.gui.style import current_theme, px, theme_manager
from axdesk.gui.widgets.banner import Banner
from axdesk.gui.widgets.buttons import action_button

FILE_BUTTONS = {
    "file.new": "file-plus",
    "file.open": "folder-open",
    "file.save": "device-floppy",
}
RUN_BUTTONS = {
    "run.start": "player-play-filled",
    "run.pause": "player-pause-filled",
    "run.stop": "player-stop-filled",
}


class _FixedToolBar(QToolBar):
    """A toolbar that stays where it is and holds one widget."""

    def __init__(self, title: str, name: str, content: QWidget) -> None:
        super().__init__(title)
        self.setObjectName(name)
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.toggleViewAction().setEnabled(False)
        self.addWidget(content)


class _Line(QWidget):
    """A vertical hairline."""

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the line."""
        QPainter(self).fillRect(self.rect(), current_theme().color("border"))


class RunToolBar(_FixedToolBar):
    """The buttons of the actions that are used most."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        """Make the toolbar.

        Args:
            actions: The actions of `FILE_BUTTONS`, `RUN_BUTTONS` and `run.stop_now`.
        """
        content = QWidget()
        super().__init__("Toolbar", "toolbar.main", content)
        self._row = QHBoxLayout(content)
        for name, icon_name in FILE_BUTTONS.items():
            self._row.addWidget(action_button(actions[name], icon_name, kind="icon"))
        self._line = _Line()
        self._row.addWidget(self._line)
        for name, icon_name in RUN_BUTTONS.items():
            button = action_button(actions[name], icon_name)
            button.setObjectName(f"toolbar.{name}")
            self._row.addWidget(button)
        self._row.addStretch(1)
        stop_now = action_button(actions["run.stop_now"], "hand-stop", kind="danger")
        stop_now.setObjectName("toolbar.run.stop_now")
        self._row.addWidget(stop_now)
        self._fit()
        theme_manager().changed.connect(self._fit)

    def show_run_buttons(self, shown: bool) -> None:
        """Draw the line in front of the run's buttons, if there are any."""
        self._line.setVisible(shown)

    def _fit(self) -> None:
        self._row.setContentsMargins(px(12), px(6), px(14), px(6))
        self._row.setSpacing(px(6))
        self._line.setFixedSize(1, px(22))
        self.setFixedHeight(px(44))


class BannerToolBar(_FixedToolBar):
    """The banner as a second toolbar, so that it spans the window above the docks."""

    def __init__(self, banner: Banner) -> None:
        super().__init__("Banner", "toolbar.banner", banner)
        self.setProperty("banner", True)
