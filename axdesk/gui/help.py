"""Opens the help: F1 for what has the keyboard, codes for what went wrong."""

from collections.abc import Iterator

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from axdesk.gui.models.help_pages import CODES, page_for, read_pages
from axdesk.gui.views.help_window import HelpWindow


class Help(QObject):
    """Holds the one window of the help."""

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.shown: HelpWindow | None = None

    def open(self) -> None:
        """Open the page for what has the keyboard."""
        focused = QApplication.focusWidget() or self._window
        self._show(page_for(names_up(focused)))

    def show_code(self, code: str) -> None:
        """Open the section of a code such as `AXD-213`."""
        self._show(CODES, code)

    def close(self) -> None:
        """Close the window of the help, if it is open."""
        if self.shown is not None:
            self.shown.close()

    def _show(self, page: str, place: str = "") -> None:
        if self.shown is None:
            # No child of the window: a dialog would block it together with the window.
            self.shown = HelpWindow(read_pages())
            self.shown.closed.connect(self._forget)
        self.shown.show()
        self.shown.show_page(page, place)
        self.shown.raise_()
        self.shown.activateWindow()

    def _forget(self) -> None:
        if self.shown is not None:
            self.shown.deleteLater()
            self.shown = None


def names_up(widget: QWidget | None) -> Iterator[str]:
    """The names of a widget and of all it lies in, the nearest first."""
    while widget is not None:
        yield widget.objectName()
        widget = widget.parentWidget()
