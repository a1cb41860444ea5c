"""The table of a set-up page: typing, moving, adding, removing, pasting."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
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

    Signals:
        row_left: Another row is current, or the table lost the focus; carries the row left.
        duplicate_wanted: Ctrl+D; carries the current row.
        pasted: Text came from the clipboard; carries it.
    """

    row_left = Signal(int)
    duplicate_wanted = Signal(int)
    pasted = Signal(str)

    def __init__(
        self,
        table: DraftTable,
        *,
        name: str,
        label: str,
        widths: Sequence[int],
        empty: str = "",
    ) -> None:
        """Make the table.

        Args:
            table: Its model, which it owns from now on.
            name: Object name.
            label: Accessible name.
            widths: Of the columns, at a 16 pixel line; 0 takes the room that is left.
            empty: What stands there while there are no rows.
        """
        super().__init__(name=name, label=label)
        self._widths = tuple(widths)
        self._empty = empty
        self.table = table
        table.setParent(self)
        self.setModel(table)
        self.setTabKeyNavigation(False)  # `focusNextPrevChild` does it, and leaves at the end
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
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

    def leave(self) -> None:
        """Take over what is being typed, as if another widget had been clicked."""
        editor = self.viewport().focusWidget()
        if self.state() == QAbstractItemView.State.EditingState and editor is not None:
            self.commitData(editor)
            self.closeEditor(editor, _Hint.NoHint)
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
        """Choose by letter, open choices, duplicate, paste."""
        index = self.currentIndex()
        choices = index.data(Role.CHOICES) if index.isValid() else None
        opens = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_F2, Qt.Key.Key_F4)
        is_typing = self.state() == QAbstractItemView.State.EditingState
        if is_typing and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.ignore()  # passed on by the editor, which is about to close; see `closeEditor`
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.pasted.emit(QGuiApplication.clipboard().text())
        elif event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        elif _is_duplicate(event):
            if index.isValid():
                self.duplicate_wanted.emit(index.row())
        elif choices and opens:
            self.edit(index)
        elif choices and event.text().isalpha() and not _has_modifier(event):
            self._choose_by_letter(index, choices, event.text())
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool, /) -> bool:
        """Tab crosses the cells, then leaves the table."""
        return self._cross(1 if forward else -1, edits=False) or super().focusNextPrevChild(forward)

    def event(self, event: QEvent) -> bool:
        """Take the table's keys before shortcuts of the window."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride:
            wanted = (QKeySequence.StandardKey.Paste, QKeySequence.StandardKey.Copy)
            if _is_duplicate(event) or any(map(event.matches, wanted)):
                event.accept()
                return True
        return super().event(event)

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

    # inside

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

    def _copy(self) -> None:
        lines = []
        for row in self.selected_rows():
            cells = [self.table.index(row, c) for c in range(self.table.columnCount())]
            lines.append("\t".join(str(cell.data() or "") for cell in cells))
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _fit_widths(self) -> None:
        fixed = sum(px(width) for width in self._widths)
        flexible = [c for c, width in enumerate(self._widths) if not width]
        spare = max((self.viewport().width() - fixed) // max(len(flexible), 1), px(120))
        for column, width in enumerate(self._widths):
            self.setColumnWidth(column, px(width) if width else spare)

    def _fit_height(self) -> None:
        self._fit_widths()
        rows = max(self.table.rowCount(), 1)
        too_wide = self.horizontalHeader().length() > self.viewport().width()
        bar = self.horizontalScrollBar().sizeHint().height() if too_wide else 0
        self.setFixedHeight(self.horizontalHeader().height() + rows * px(self.row_height) + bar)


def _is_duplicate(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_D and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _has_modifier(event: QKeyEvent) -> bool:
    modifier = Qt.KeyboardModifier
    held = modifier.ControlModifier | modifier.AltModifier | modifier.MetaModifier
    return bool(event.modifiers() & held)
