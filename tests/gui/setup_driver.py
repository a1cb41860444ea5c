"""The hands of an operator at the Setup tab, for tests."""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft
from axdesk.core.plugins import PluginCatalogue
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from tests.gui.setup_samples import CATALOGUE

CTRL, ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier

P = TypeVar("P", bound=SetupPage)


def shown(qtbot: QtBot, draft: Draft, section: Section = Section.GENERAL) -> SetupView:
    """Show a draft in an active window of its own."""
    model = DraftModel(draft)
    model.set_catalogue(CATALOGUE)
    view = SetupView(model)
    model.setParent(view)
    qtbot.addWidget(view)
    view.resize(1100, 700)
    view.show()
    view.activateWindow()
    qtbot.waitUntil(view.isActiveWindow)
    view.show_section(section)
    return view


def shown_page(
    qtbot: QtBot,
    kind: Callable[[DraftModel], P],
    draft: Draft,
    catalogue: PluginCatalogue = CATALOGUE,
) -> P:
    """Show one page of a draft, which follows it."""
    model = DraftModel(draft)
    model.set_catalogue(catalogue)
    page = kind(model)
    model.setParent(page)
    model.settled.connect(page.refresh)
    qtbot.addWidget(page)
    page.resize(1100, 800)
    page.refresh()
    page.show()
    return page


def editor(table: SetupTable) -> QLineEdit:
    """The line that is being typed into."""
    widget = table.viewport().focusWidget()
    assert isinstance(widget, QLineEdit), "no cell is being typed into"
    return widget


def column(table: SetupTable, field: str) -> int:
    """The column of a field."""
    return [c.field for c in table.table.columns].index(field)


def type_into(qtbot: QtBot, table: SetupTable, row: int, field: str, text: str) -> None:
    """Go to a cell and type over it; Enter ends it."""
    table.go_to(row, column(table, field))
    QTest.keyClick(table, Qt.Key.Key_F2)
    line = editor(table)
    line.selectAll()
    QTest.keyClicks(line, text)
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.state() != QAbstractItemView.State.EditingState)


def click(widget: QWidget) -> None:
    """Click a widget in its middle."""
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def paste(table: SetupTable, text: str) -> None:
    """Put text into the clipboard and press Ctrl+V in the table."""
    QGuiApplication.clipboard().setText(text)
    QTest.keyClick(table, Qt.Key.Key_V, CTRL)


def select(table: SetupTable, first: int, last: int) -> None:
    """Select rows with the keyboard."""
    table.go_to(first, 1)
    for _ in range(last - first):
        QTest.keyClick(table, Qt.Key.Key_Down, SHIFT)


def drag(table: SetupTable, row: int, to_row: int, *, below: bool = False) -> None:
    """Drag a row by its grip before another row, or below it."""
    grip = table.visualRect(table.table.index(row, 0))
    target = table.visualRect(table.table.index(to_row, 0))
    start = QPoint(grip.left() + 10, grip.center().y())
    end = QPoint(start.x(), target.bottom() - 3 if below else target.top() + 3)
    ground, left = table.viewport(), Qt.MouseButton.LeftButton
    QTest.mousePress(ground, left, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(ground, QPoint(start.x(), (start.y() + end.y()) // 2))
    QTest.mouseMove(ground, end)
    QTest.mouseRelease(ground, left, Qt.KeyboardModifier.NoModifier, end)
