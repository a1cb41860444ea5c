"""The toolbar: files at the left, the run in one place, *Stop now* alone at the far right."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QAction, QFontMetrics, QKeySequence, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QToolBar, QWidget

from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.widgets.banner import Banner
from axdesk.gui.widgets.buttons import Button, action_button

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


class SearchButton(Button):
    """A button that looks like a field and opens the command palette; its shortcut at the right."""

    def __init__(self, action: QAction) -> None:
        super().__init__("Search commands", "search", kind="search", name="toolbar.search")
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        self._keys = keys.replace("+", " ")
        self.setToolTip(action.toolTip())
        self.clicked.connect(lambda: action.trigger())

    def sizeHint(self) -> QSize:
        """Room for the shortcut behind the words."""
        hint = super().sizeHint()
        keys = QFontMetrics(type_font("caption")).horizontalAdvance(self._keys)
        words = self.fontMetrics().horizontalAdvance(self.text())
        return QSize(max(hint.width(), words + keys + px(70)), hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button, and the shortcut into it."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        area = self.rect().adjusted(0, 0, -px(12), 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, right, self._keys)


class RunToolBar(_FixedToolBar):
    """The buttons of the actions that are used most."""

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        """Make the toolbar.

        Args:
            actions: The actions of `FILE_BUTTONS`, `RUN_BUTTONS`, `trials.new_manual`,
                `tools.command_palette` and `run.stop_now`.
        """
        content = QWidget()
        super().__init__("Toolbar", "toolbar.main", content)
        self._row = QHBoxLayout(content)
        for name, icon_name in FILE_BUTTONS.items():
            button = action_button(actions[name], icon_name, kind="icon")
            button.setObjectName(f"toolbar.{name}")
            self._row.addWidget(button)
        self._line = _Line()
        self._row.addWidget(self._line)
        self._has_run = False
        self._keyboard_left = False
        self._buttons: dict[str, Button] = {}
        for name, icon_name in RUN_BUTTONS.items():
            self._add_run_button(name, action_button(actions[name], icon_name))
        self._second_line = _Line()
        self._row.addWidget(self._second_line)
        manual = action_button(actions["trials.new_manual"], "plus", kind="plain")
        self._add_run_button("trials.new_manual", manual)
        self._row.addStretch(1)
        self._row.addWidget(SearchButton(actions["tools.command_palette"]))
        stop_now = action_button(actions["run.stop_now"], "hand-stop", kind="danger")
        self._add_run_button("run.stop_now", stop_now)
        for name in ("run.start", "run.pause"):
            self._buttons[name].installEventFilter(self)
        for name in self._buttons:
            actions[name].changed.connect(self._choose_buttons)
        self._fit()
        theme_manager().changed.connect(self._fit)

    def show_run_buttons(self, shown: bool) -> None:
        """Show the buttons of the run that can be pressed, or none of them."""
        self._has_run = shown
        self._line.setVisible(shown)
        self._second_line.setVisible(shown)
        self._choose_buttons()

    def _add_run_button(self, name: str, button: Button) -> None:
        button.setObjectName(f"toolbar.{name}")
        self._buttons[name] = button
        self._row.addWidget(button)

    def _choose_buttons(self) -> None:
        """Start and Pause share one place, for they are never on together."""
        pauses = self._buttons["run.pause"].isEnabled()
        self._buttons["run.start"].setVisible(self._has_run and not pauses)
        self._buttons["run.pause"].setVisible(self._has_run and pauses)
        for name in ("run.stop", "trials.new_manual"):
            self._buttons[name].setVisible(self._has_run)
        stop_now = self._buttons["run.stop_now"]
        stop_now.setVisible(self._has_run and stop_now.isEnabled())
        self._return_keyboard(self._buttons["run.pause" if pauses else "run.start"])

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Note that the keyboard left the place of Start and Pause as its button went off."""
        if event.type() == QEvent.Type.FocusOut and isinstance(watched, Button):
            self._keyboard_left = not (watched.isEnabled() and watched.isVisible())
        return super().eventFilter(watched, event)

    def _return_keyboard(self, button: Button) -> None:
        """Have a second key press meet what took the place, not *Stop*, which Qt goes on to."""
        if not (self._keyboard_left and button.isEnabled() and button.isVisible()):
            return
        self._keyboard_left = False
        focused = QApplication.focusWidget()
        if focused is None or self.isAncestorOf(focused):
            button.setFocus()

    def _fit(self) -> None:
        self._row.setContentsMargins(px(12), px(6), px(14), px(6))
        self._row.setSpacing(px(6))
        for line in (self._line, self._second_line):
            line.setFixedSize(1, px(22))
        self.setFixedHeight(px(44))


class BannerToolBar(_FixedToolBar):
    """The banner as a second toolbar, so that it spans the window above the docks."""

    def __init__(self, banner: Banner) -> None:
        super().__init__("Banner", "toolbar.banner", banner)
        self.setProperty("banner", True)
