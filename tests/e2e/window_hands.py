"""How an operator reaches the window: by events made in the process, or by mouse and keyboard."""

import subprocess
from typing import Protocol

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLineEdit, QScrollArea, QWidget

KEYS = {
    Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Return: "Return",
    Qt.Key.Key_Home: "Home",
    Qt.Key.Key_Down: "Down",
    Qt.Key.Key_Space: "space",
    Qt.Key.Key_A: "a",
    Qt.Key.Key_V: "v",
}
"""The keys that are pressed, as X calls them."""

SETTLE_MS = 60
MOST_TURNS = 60
WHEEL_INSET = 6


class Hands(Protocol):
    """A mouse and a keyboard."""

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click a widget, by default in its middle."""

    def key(self, widget: QWidget, key: Qt.Key, *, ctrl: bool = False) -> None:
        """Press a key while the widget has the focus."""

    def text(self, widget: QWidget, text: str) -> None:
        """Type while the widget has the focus."""


class MadeEvents:
    """Hands that make the events in the process."""

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click a widget, by default in its middle."""
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place or QPoint())

    def key(self, widget: QWidget, key: Qt.Key, *, ctrl: bool = False) -> None:
        """Press a key on the widget."""
        held = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(widget, key, held)

    def text(self, widget: QWidget, text: str) -> None:
        """Type on the widget; from the second letter on in the cell that the first one opened."""
        QTest.keyClicks(widget, text[:1])
        if isinstance(widget, QAbstractItemView):
            editor = widget.viewport().focusWidget()
            widget = editor if isinstance(editor, QLineEdit) else widget
        QTest.keyClicks(widget, text[1:])


class MouseAndKeyboard:
    """Hands that move the pointer of an X server and press its keys, through xdotool."""

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Move to a place of the widget, by default its middle, and click what is there."""
        place = place or widget.rect().center()
        self._scroll_to(widget, place)
        at = widget.mapToGlobal(place)
        self._do("mousemove", str(at.x()), str(at.y()))
        self._do("click", "1")

    def key(self, widget: QWidget, key: Qt.Key, *, ctrl: bool = False) -> None:
        """Press a key; it goes to whatever has the focus."""
        self._focus(widget)
        self._do("key", "--clearmodifiers", f"ctrl+{KEYS[key]}" if ctrl else KEYS[key])

    def text(self, widget: QWidget, text: str) -> None:
        """Type; it goes to whatever has the focus."""
        self._focus(widget)
        self._do("type", "--clearmodifiers", "--delay", "5", "--", text)

    def _scroll_to(self, widget: QWidget, place: QPoint) -> None:
        """Turn the wheel over the page until the place can be seen."""
        page = widget.parentWidget()
        while page is not None and not isinstance(page, QScrollArea):
            page = page.parentWidget()
        for _ in range(MOST_TURNS):
            if page is None or widget.visibleRegion().contains(place):
                return
            view = page.viewport()
            edge = view.mapToGlobal(QPoint(WHEEL_INSET, view.height() // 2))
            self._do("mousemove", str(edge.x()), str(edge.y()))
            is_below = widget.mapTo(view, place).y() > view.height() // 2
            self._do("click", "5" if is_below else "4")
        raise AssertionError(f"{widget.objectName()} cannot be scrolled to")

    def _focus(self, widget: QWidget) -> None:
        # Without a window manager nobody else gives a window the keyboard.
        if QApplication.activePopupWidget() is None and not widget.window().isActiveWindow():
            self._do("windowfocus", str(int(widget.window().winId())))

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], check=True, timeout=20)
        QTest.qWait(SETTLE_MS)


def hands() -> Hands:
    """Real ones where there is an X server, else made events."""
    return MouseAndKeyboard() if QGuiApplication.platformName() == "xcb" else MadeEvents()
