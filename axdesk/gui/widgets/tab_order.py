"""Tab through what was made later where it stands; Qt appends it at the end of the window."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget


def tab_after(first: QWidget, inside: QWidget) -> None:
    """Have Tab go from `first` through the widgets inside another one, as they were made.

    Args:
        first: Stands before them, in the same window.
        inside: Holds them, and lies in the window already.
    """
    before = first
    for widget in inside.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            QWidget.setTabOrder(before, widget)
            before = widget
