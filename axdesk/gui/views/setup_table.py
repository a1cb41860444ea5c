"""The table of a set-up page: typing, crossing, moving, adding, removing, pasting."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractItemDelegate, QAbstractItemView, QToolTip, QWidget

from axdesk.gui.models.draft_table import DraftTable, Index
from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.delegates import EDITABLE_PADDING
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import EditableTable

_Hint = QAbstractItemDelegate.EndEditHint


class SetupTable(EditableTable):
    """A table over rows of the draft, as high as its rows.

    Tab crosses the cells that can be edited and leaves the table at its end. Enter ends typing;
    in a complete last row it asks for another. A letter chooses among a cell's alternatives.
    Rows are dragged by their grips, where there are any, and moved by Alt with the arrow keys.

    Signals:
        row_left: Another row is current, or the table lost the focus; carries the row left.
        duplicate_wanted: Ctrl+D; carries the selected rows, ascending.
        pasted: Text came from the clipboard; carries it.
        rows_moved: Rows are to stand before another; carries the rows, ascending, and that row
            (the number of rows for the end).
        menu_wanted: The menu of the selected rows; carries the place on the screen.
    """

    row_left = Signal(int)
    duplicate_wanted = Signal(list)
    pasted = Signal(str)
    rows_moved = Signal(list, int)
    menu_wanted = Signal(QPoint)

    def __init__(
        self,
        table: DraftTable,
        *,
        name: str,
        label: str,
        widths: Sequence[int],
        empty: str = "",
        grip: int = 0,
    ) -> None:
        """Make the table.

        Args:
            table: Its model, which it owns from now on.
            name: Object name.
            label: Accessible name.
            widths: Of the columns, at a 16 pixel line; 0 takes the room that is left.
            empty: What stands there while there are no rows.
            grip: Width of the grip at the left end of the first column; 0 for none.
        """
        super().__init__(name=name, label=label)
        self._widths = tuple(widths)
        self._empty = empty
        self._grip = grip
        self._dragged: list[int] = []
        self._drop_row: int | None = None
        self._room = 0
        self.table = table
        table.setParent(self)
        self.setModel(table)
        self.setTabKeyNavigation(False)  # `focusNextPrevChild` does it, and leaves at the end
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.horizontalHeader().setStretchLastSection(False)
        self._fit_widths()
        self._fit_height()
        table.rowsInserted.connect(self._fit_height)
        table.rowsRemoved.connect(self._fit_height)
        theme_manager().changed.connect(self._fit_height)

    @property
    def current_row(self) -> int:
        """The current row; -1 if there is none."""
        return self.currentIndex().row()

    def go_to(self, row: int, column: int, *, edits: bool = False) -> None:
        """Make a cell current and give it the focus, and open its editor if asked for."""
        index = self.table.index(row, column)
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self._make_current(index)
        if edits and index.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)

    def select_row(self, row: int) -> None:
        """Mark a row, without taking the focus."""
        row = min(row, self.table.rowCount() - 1)
        if row >= 0:
            self._make_current(self.table.index(row, max(self.currentIndex().column(), 0)))

    def selected_rows(self) -> list[int]:
        """The rows that are selected, ascending."""
        return sorted({index.row() for index in self.selectionModel().selectedIndexes()})

    def select_rows(self, first: int, count: int) -> None:
        """Mark rows that lie side by side, and go to the first of them."""
        last = min(first + count, self.table.rowCount()) - 1
        if not 0 <= first <= last:
            return
        self.select_row(first)
        flag = QItemSelectionModel.SelectionFlag
        for row in range(first + 1, last + 1):
            self.selectionModel().select(self.table.index(row, 0), flag.Select | flag.Rows)

    def fit(self) -> None:
        """Fit the columns and the height anew, such as after a column was hidden."""
        self._fit_height()

    def set_room(self, height: int) -> None:
        """Give the table at most this height in pixels; above it, it scrolls by itself."""
        if height != self._room:
            self._room = height
            self._fit_height()

    def leave(self) -> None:
        """Take over what is being typed, as if another widget had been clicked."""
        self.leave_editor()
        self.row_left.emit(self.current_row)

    # Qt

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Say which row was left."""
        super().currentChanged(current, previous)
        if previous.isValid() and previous.row() != current.row():
            self.row_left.emit(previous.row())

    def closeEditor(self, editor: QWidget, hint: _Hint) -> None:
        """Go on as the key says that ended the typing."""
        if hint == _Hint.RevertModelCache and (original := editor.property("original")) is not None:
            self.table.setData(self.currentIndex(), original)
        self.table.draft_model.seal()
        moves = {_Hint.EditNextItem: 1, _Hint.EditPreviousItem: -1}
        super().closeEditor(editor, _Hint.NoHint if hint in moves else hint)
        if hint in moves:
            self._cross(moves[hint], edits=True)
        elif hint == _Hint.SubmitModelCache and self._is_complete_last_row():
            self.row_wanted.emit()

    def dataChanged(
        self, top_left: Index, bottom_right: Index, /, roles: Sequence[int] = ()
    ) -> None:
        """Leave alone what is being typed: Qt would set the text of a lone cell's editor anew."""
        if self.state() == QAbstractItemView.State.EditingState:
            self.viewport().update()
        else:
            super().dataChanged(top_left, bottom_right, roles)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose by letter, open choices, move, duplicate, copy, cut, paste."""
        index = self.currentIndex()
        choices = index.data(Role.CHOICES) if index.isValid() else None
        opens = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_F4)
        is_typing = self.state() == QAbstractItemView.State.EditingState
        if is_typing and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # passed on by the editor, which is about to close; see `closeEditor`
        elif self._dragged and event.key() == Qt.Key.Key_Escape:
            self._end_drag()
        elif self._takes_command(event):
            pass
        elif choices and opens:
            self.edit(index)
        elif choices and event.text().isalpha() and not _has_modifier(event):
            self._choose_by_letter(index, choices, event.text())
        else:
            super().keyPressEvent(event)

    def _takes_command(self, event: QKeyEvent) -> bool:
        """Carry out what a key asks of the selected rows; False if it asks nothing."""
        rows, key = self.selected_rows(), QKeySequence.StandardKey
        if event.matches(key.Paste):
            self.leave_editor()  # it passed on what fills more than its cell
            self.pasted.emit(QGuiApplication.clipboard().text())
        elif event.matches(key.Copy):
            self.copy()
        elif event.matches(key.Cut):
            self.copy()
            self.rows_unwanted.emit(rows[::-1])
        elif _is_duplicate(event):
            self.duplicate_wanted.emit(rows)
        elif _is_move(event):
            self.move_selected(-1 if event.key() == Qt.Key.Key_Up else 1)
        else:
            return False
        return True

    def copy(self) -> None:
        """Put the selected rows into the clipboard."""
        QGuiApplication.clipboard().setText(self.table.copied(self.selected_rows()))

    def move_selected(self, step: int) -> None:
        """Ask to move the selected rows up (-1) or down (1)."""
        rows = self.selected_rows()
        if rows and rows[0] + step >= 0 and rows[-1] + step < self.table.rowCount():
            self.rows_moved.emit(rows, rows[0] - 1 if step < 0 else rows[-1] + 2)

    def focusNextPrevChild(self, forward: bool, /) -> bool:
        """Tab crosses the cells, then leaves the table."""
        return self._cross(1 if forward else -1, edits=False) or super().focusNextPrevChild(forward)

    def event(self, event: QEvent) -> bool:
        """Take the table's keys before shortcuts of the window."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            key = QKeySequence.StandardKey
            wanted = (key.Paste, key.Copy, key.Cut)
            ours = _is_duplicate(event) or _is_move(event) or any(map(event.matches, wanted))
            if ours:
                event.accept()
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of a grip; open the menu of a row."""
        index = self.indexAt(event.position().toPoint())
        is_left = event.button() == Qt.MouseButton.LeftButton
        if is_left and self._is_grip(index, event.position().toPoint()):
            if index.row() not in self.selected_rows():
                self._make_current(index)
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._dragged = self.selected_rows()
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Show where the dragged rows would go."""
        place = event.position().toPoint()
        if not self._dragged:
            over_grip = self._is_grip(self.indexAt(place), place)
            shape = Qt.CursorShape.OpenHandCursor if over_grip else Qt.CursorShape.ArrowCursor
            self.viewport().setCursor(shape)
            super().mouseMoveEvent(event)
            return
        row = self.rowAt(place.y())
        if row < 0:
            row = 0 if place.y() < 0 else self.table.rowCount()
        elif place.y() > self.visualRect(self.table.index(row, 0)).center().y():
            row += 1
        self._drop_row = row
        self.scrollTo(self.table.index(min(row, self.table.rowCount() - 1), 0))
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Drop the dragged rows."""
        if not self._dragged:
            super().mouseReleaseEvent(event)
            return
        rows, target = self._dragged, self._drop_row
        self._end_drag()
        if target is not None:
            self.rows_moved.emit(rows, target)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the rows under the pointer, or of the selected ones."""
        place = event.pos()
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            index = self.indexAt(place)
            if index.isValid() and index.row() not in self.selected_rows():
                self._make_current(index)
        else:
            place = self.visualRect(self.currentIndex()).bottomLeft()
        self.menu_wanted.emit(self.viewport().mapToGlobal(place))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Say which row was left, unless an editor of the table took the focus."""
        super().focusOutEvent(event)
        if self.state() != QAbstractItemView.State.EditingState:
            self.row_left.emit(self.current_row)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the flexible columns the room that is left."""
        super().resizeEvent(event)
        self._fit_height()

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell the whole text of a cell that is too narrow for it."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.indexAt(event.pos())
            is_cut = self.sizeHintForIndex(index).width() > self.visualRect(index).width()
            if index.isValid() and is_cut and not index.data(Role.ISSUE):
                QToolTip.showText(event.globalPos(), str(index.data()), self.viewport())
                return True
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Say that there are no rows."""
        super().paintEvent(event)
        if not self.table.rowCount() and self._empty:
            painter = QPainter(self.viewport())
            painter.setFont(type_font("body"))
            painter.setPen(current_theme().color("text2"))
            area = self.viewport().rect().adjusted(px(EDITABLE_PADDING), 0, 0, 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, self._empty)
        if self._drop_row is not None:
            last = self.table.rowCount() - 1
            below = self._drop_row > last
            row = self.visualRect(self.table.index(min(self._drop_row, last), 0))
            y = row.bottom() if below else max(row.top() - 1, 0)
            line = QRect(0, y, self.viewport().width(), 2)
            QPainter(self.viewport()).fillRect(line, current_theme().color("accent"))

    # inside

    def _is_grip(self, index: QModelIndex, place: QPoint) -> bool:
        if not self._grip or not index.isValid() or index.column() != 0:
            return False
        is_free = not self.table.draft_model.rows_locked_reason(self.table.section)
        return is_free and place.x() < self.visualRect(index).left() + px(self._grip)

    def _end_drag(self) -> None:
        self._dragged, self._drop_row = [], None
        self.viewport().unsetCursor()
        self.viewport().update()

    def leave_editor(self) -> None:
        """Take over what is being typed, and end the typing."""
        editor = self.viewport().focusWidget()
        if self.state() == QAbstractItemView.State.EditingState and editor is not None:
            self.commitData(editor)
            self.closeEditor(editor, _Hint.NoHint)

    def _make_current(self, index: QModelIndex) -> None:
        """Go to a cell whatever keys are held; Qt would extend the selection with Ctrl."""
        flag = QItemSelectionModel.SelectionFlag
        self.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
        self.scrollTo(index)

    def _cross(self, step: int, *, edits: bool) -> bool:
        """Go to the next cell that can be edited; False at the end of the table."""
        columns = self.table.columnCount()
        index = self.currentIndex()
        place = index.row() * columns + index.column() if index.isValid() else -1
        while 0 <= (place := place + step) < columns * self.table.rowCount():
            found = self.table.index(*divmod(place, columns))
            flag = Qt.ItemFlag
            if self.isColumnHidden(found.column()):
                continue
            if found.flags() & (flag.ItemIsEditable | flag.ItemIsUserCheckable):
                self._make_current(found)
                if edits and not found.data(Role.CHOICES):
                    self.edit(found)
                return True
        return False

    def _is_complete_last_row(self) -> bool:
        row = self.current_row
        columns = range(self.table.columnCount())
        is_last = row == self.table.rowCount() - 1
        problems = self.table.draft_model.problems_of(self.table.section)
        return is_last and bool(columns) and not any(problem.row == row for problem in problems)

    def _choose_by_letter(self, index: Index, choices: Sequence[Choice], letter: str) -> None:
        """Take the next alternative that begins with a letter."""
        values = [choice.value for choice in choices]
        current = index.data(Qt.ItemDataRole.EditRole)
        start = values.index(current) + 1 if current in values else 0
        for choice in (*choices[start:], *choices[:start]):
            if choice.text.lower().startswith(letter.lower()):
                self.table.setData(index, choice.value)
                return

    def _fit_widths(self) -> None:
        widths = [(c, w) for c, w in enumerate(self._widths) if not self.isColumnHidden(c)]
        fixed = sum(px(width) for _, width in widths)
        flexible = [c for c, width in widths if not width]
        spare = max((self.viewport().width() - fixed) // max(len(flexible), 1), px(120))
        for column, width in widths:
            self.setColumnWidth(column, px(width) if width else spare)

    def _fit_height(self) -> None:
        self._fit_widths()
        rows = max(self.table.rowCount(), 1)
        height = self.horizontalHeader().height() + rows * px(self.row_height)
        is_cut = bool(self._room) and height > self._room
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if is_cut else policy.ScrollBarAlwaysOff
        )
        too_wide = self.horizontalHeader().length() > self.viewport().width()
        bar = self.horizontalScrollBar().sizeHint().height() if too_wide else 0
        self.setFixedHeight((self._room if is_cut else height) + bar)


def _is_duplicate(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _is_move(event: QKeyEvent) -> bool:
    is_arrow = event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down)
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return is_arrow and modifiers == Qt.KeyboardModifier.AltModifier


def _has_modifier(event: QKeyEvent) -> bool:
    modifier = Qt.KeyboardModifier
    held = modifier.ControlModifier | modifier.AltModifier | modifier.MetaModifier
    return bool(event.modifiers() & held)
