"""Tables and lists, set up so that only a model and the delegates of the columns are missing."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QFocusEvent, QFontMetrics, QHideEvent, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QListView,
    QScrollArea,
    QTableView,
    QWidget,
)

from axdesk.gui.icons import draw_icon
from axdesk.gui.style import current_theme, px, set_property, theme_manager, type_font
from axdesk.gui.widgets.delegates import (
    CELL_PADDING,
    EDITABLE_PADDING,
    CellDelegate,
    EditableDelegate,
    Index,
    TwoLineDelegate,
    current_issue,
)
from axdesk.gui.widgets.labels import IconLabel, cast_shadow, label
from axdesk.gui.widgets.roles import Role


class HeaderView(QHeaderView):
    """Column heads: name, lighter unit, and the sort arrow beside the text."""

    def __init__(self, parent: QWidget, *, padding: int = CELL_PADDING) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._padding = padding
        self.setSectionsClickable(True)
        self.setHighlightSections(False)
        self.setSectionsMovable(True)

    def sizeHint(self) -> QSize:
        """One row of small text."""
        return QSize(super().sizeHint().width(), px(30))

    def sectionSizeFromContents(self, logical: int) -> QSize:
        """Room for name, unit and arrow."""
        metrics = QFontMetrics(type_font("head"))
        name, unit = self._words(logical)
        width = metrics.horizontalAdvance(f"{name} {unit}") + px(2 * self._padding + 14)
        return QSize(width, px(30))

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        """Draw one head."""
        theme = current_theme()
        painter.save()
        painter.fillRect(rect, theme.color("surface"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("border"))
        name, unit = self._words(logical)
        area = rect.adjusted(px(self._padding), 0, -px(self._padding), 0)
        strong, light = type_font("head"), type_font("small")
        if QFontMetrics(strong).horizontalAdvance(f"{name} {unit}") > area.width():
            unit = ""
        gap = px(4) if unit else 0
        widths = [
            QFontMetrics(strong).horizontalAdvance(name),
            QFontMetrics(light).horizontalAdvance(unit),
        ]
        total = sum(widths) + gap
        alignment = Qt.AlignmentFlag(self._data(logical, Qt.ItemDataRole.TextAlignmentRole) or 0)
        sorted_here = self.isSortIndicatorShown() and self.sortIndicatorSection() == logical
        arrow = px(15) if sorted_here else 0
        x = area.left()
        if alignment & Qt.AlignmentFlag.AlignRight:
            x = max(area.right() - total - arrow + 1, area.left())
        elif alignment & Qt.AlignmentFlag.AlignHCenter:
            x = max(area.center().x() - (total + arrow) // 2, area.left())
        if sorted_here:
            self._paint_arrow(painter, QPoint(x + total + px(3), area.center().y()))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(strong)
        painter.setPen(theme.color("text" if sorted_here else "text2"))
        name_area = QRect(x, area.top(), area.right() - x + 1, area.height())
        if widths[0] > name_area.width():
            name = QFontMetrics(strong).elidedText(
                name, Qt.TextElideMode.ElideRight, name_area.width()
            )
        painter.drawText(name_area.adjusted(0, 0, 2, 0), middle, name)
        painter.setFont(light)
        painter.setPen(theme.color("text2"))
        painter.drawText(name_area.adjusted(widths[0] + gap, 0, 2, 0), middle, unit)
        painter.restore()

    def _paint_arrow(self, painter: QPainter, middle_left: QPoint) -> None:
        side = px(12)
        up = self.sortIndicatorOrder() == Qt.SortOrder.AscendingOrder
        box = QRect(middle_left.x(), middle_left.y() - side // 2, side, side)
        color = current_theme().color("text")
        draw_icon(painter, "chevron-up" if up else "chevron-down", box, color)

    def _words(self, logical: int) -> tuple[str, str]:
        name = self._data(logical, Qt.ItemDataRole.DisplayRole)
        unit = self._data(logical, Role.UNIT)
        return "" if name is None else str(name), "" if unit is None else str(unit)

    def _data(self, logical: int, role: int) -> Any:
        model: QAbstractItemModel | None = self.model()
        if model is None:
            return None
        return model.headerData(logical, self.orientation(), role)


class TableView(QTableView):
    """A table that is read: row lines only, whole rows selected, sortable by its heads.

    Signals:
        row_activated: Enter or a double click on a row; carries its model index.
    """

    row_activated = Signal(QModelIndex)
    row_height = 30

    def __init__(self, *, name: str = "", label: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self._set_up()
        self.horizontalHeader().setStretchLastSection(True)
        self.activated.connect(self.row_activated)
        self._fix_heights()
        theme_manager().changed.connect(self._fix_heights)

    def _set_up(self) -> None:
        self.setHorizontalHeader(HeaderView(self))
        self.setItemDelegate(CellDelegate(self))
        self.setSortingEnabled(True)

    def _fix_heights(self) -> None:
        rows = self.verticalHeader()
        rows.setMinimumSectionSize(px(self.row_height))
        rows.setDefaultSectionSize(px(self.row_height))
        header = self.horizontalHeader()
        header.setMinimumSectionSize(px(28))
        header.setFixedHeight(px(self.row_height if self.row_height <= 34 else 34))

    def set_widths(self, widths: Sequence[int]) -> None:
        """Give the columns these widths, named at a 16 pixel line; 0 takes the content's."""
        for column, width in enumerate(widths):
            if width:
                self.setColumnWidth(column, px(width))
            else:
                self.resizeColumnToContents(column)


class CellTip(QFrame):
    """The sentence about a wrong cell, standing under it while it is current."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("surface", "tip")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(px(10), px(5), px(12), px(5))
        layout.setSpacing(px(7))
        self._text = label("", "small")
        self._sign = IconLabel("alert-circle-filled", "bad", 14)
        layout.addWidget(self._sign)
        layout.addWidget(self._text)
        cast_shadow(self)
        self.hide()

    def show_under(self, cell: QRect, sentence: str, level: str = "error") -> None:
        """Show `sentence` below `cell` (in the parent's coordinates), inside the parent.

        Args:
            cell: Where it is.
            sentence: What is wrong or doubtful.
            level: `error` or `warning`.
        """
        self._text.setText(sentence)
        is_warning = level == "warning"
        set_property(self, "level", level)
        self._sign.set_icon(
            "alert-triangle-filled" if is_warning else "alert-circle-filled",
            "warn" if is_warning else "bad",
        )
        self.adjustSize()
        parent = self.parentWidget()
        assert parent is not None, "it is made with one"
        area = parent.rect()
        x = max(min(cell.left() + px(3), area.right() - self.width()), area.left())
        y = cell.bottom() - px(3)
        if y + self.height() > area.bottom():
            y = max(cell.top() - self.height() + px(3), area.top())
        self.move(QPoint(x, y))
        self.raise_()
        self.show()


def _page_around(table: QWidget) -> QWidget:
    """What scrolls as a whole around a table; without such a page its window."""
    inner, outer = table, table.parentWidget()
    while outer is not None:
        above = outer.parentWidget()
        if isinstance(above, QScrollArea):
            return inner
        inner, outer = outer, above
    return inner


class EditableTable(TableView):
    """A table that is typed into: rows of 40, Tab crosses, Enter in the last row asks for another.

    Signals:
        row_wanted: The operator asked for a further row.
        rows_unwanted: The operator pressed Delete; carries the model rows selected, descending.
    """

    row_wanted = Signal()
    rows_unwanted = Signal(list)
    row_height = 40

    def _set_up(self) -> None:
        self.setHorizontalHeader(HeaderView(self, padding=EDITABLE_PADDING))
        self.horizontalHeader().setSectionsMovable(False)
        self.setItemDelegate(EditableDelegate(self))
        trigger = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            trigger.SelectedClicked  # a little later, in case of a double click: see `edit`
            | trigger.DoubleClicked
            | trigger.EditKeyPressed
            | trigger.AnyKeyPressed
        )
        self.setTabKeyNavigation(True)
        self._edit_soon = QTimer(self)
        self._edit_soon.setSingleShot(True)
        self._edit_soon.timeout.connect(self._edit_clicked)
        self._tip = CellTip(self)
        self.verticalScrollBar().valueChanged.connect(self.update_tip)
        self.horizontalScrollBar().valueChanged.connect(self.update_tip)

    def setModel(self, model: QAbstractItemModel | None, /) -> None:
        """Show a model; the tip follows its changes."""
        super().setModel(model)
        if model is not None:
            model.dataChanged.connect(self.update_tip)
            model.modelReset.connect(self.update_tip)

    def update_tip(self) -> None:
        """Show or hide the sentence about the current cell."""
        sentence = current_issue(self)
        focused = QApplication.focusWidget()
        index, viewport = self.currentIndex(), self.viewport()
        cell = self.visualRect(index)
        has_focus = focused is not None and (focused is self or self.isAncestorOf(focused))
        if not (sentence and has_focus and viewport.rect().intersects(cell)):
            self._tip.hide()
            return
        ground = _page_around(self)  # a table of one row has no room below the cell itself
        if self._tip.parentWidget() is not ground:
            self._tip.setParent(ground)
        place = QRect(viewport.mapTo(ground, cell.topLeft()), cell.size())
        self._tip.show_under(place, sentence, index.data(Role.ISSUE_LEVEL) or "error")

    def edit(self, index: Index, *how: Any) -> bool | None:  # type: ignore[override]  # two in one
        """Open the editor of a cell; after a click on a selected cell a little later.

        Qt waits by itself for a double click, and until then drops the letters that are typed.
        """
        trigger = QAbstractItemView.EditTrigger
        self._edit_soon.stop()
        if not how or how[0] != trigger.SelectedClicked:
            return super().edit(index, *how)
        is_typing = self.state() == QAbstractItemView.State.EditingState
        if index.flags() & Qt.ItemFlag.ItemIsEditable and not is_typing:
            self._edit_soon.start(QApplication.doubleClickInterval())
        return super().edit(index, trigger.NoEditTriggers, *how[1:])

    def _edit_clicked(self) -> None:
        if self.currentIndex().flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(self.currentIndex())

    def currentChanged(self, current: Index, previous: Index) -> None:
        """Follow the current cell."""
        self._edit_soon.stop()
        super().currentChanged(current, previous)
        self.update_tip()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the tip."""
        super().focusInEvent(event)
        self.update_tip()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the tip, unless an editor of this table took the focus."""
        super().focusOutEvent(event)
        self._edit_soon.stop()
        if self.state() != QAbstractItemView.State.EditingState:
            self._tip.hide()

    def hideEvent(self, event: QHideEvent) -> None:
        """Take the tip away with the table."""
        super().hideEvent(event)
        self._edit_soon.stop()
        self._tip.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the tip under its cell."""
        super().resizeEvent(event)
        self.update_tip()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete asks to remove rows, Enter goes down and after the last row asks for another."""
        key = event.key()
        if key == Qt.Key.Key_Delete:
            rows = {index.row() for index in self.selectionModel().selectedIndexes()}
            self.rows_unwanted.emit(sorted(rows, reverse=True))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.state() == QAbstractItemView.State.EditingState:
                # The editor that passed the key on gives its text to the model first.
                QTimer.singleShot(0, self, self._enter)
            else:
                self._enter()
        else:
            super().keyPressEvent(event)

    def _enter(self) -> None:
        index = self.currentIndex()
        model = self.model()
        if not index.isValid() or index.row() == model.rowCount() - 1:
            self.row_wanted.emit()
        else:
            self.setCurrentIndex(model.index(index.row() + 1, index.column()))

    def event(self, event: QEvent) -> bool:
        """Let Delete and Enter reach the table before shortcuts of the window."""
        if event.type() == QEvent.Type.KeyPress:
            self._edit_soon.stop()
        if event.type() == QEvent.Type.ShortcutOverride and self.hasFocus():
            key = event.key()  # type: ignore[attr-defined]
            if key in (Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Enter):
                event.accept()
                return True
        return super().event(event)


class ListView(QListView):
    """A list of rows of two lines (`SECOND_LINE`, `SIDE`, `ICON`)."""

    def __init__(
        self, *, name: str = "", label: str = "", separated: bool = False, ground: str = "window"
    ) -> None:
        """Make a list.

        Args:
            name: Object name.
            label: Accessible name.
            separated: See `TwoLineDelegate`.
            ground: `window` or `surface`.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setProperty("ground", ground)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(TwoLineDelegate(self, separated=separated))
        theme_manager().changed.connect(self.scheduleDelayedItemsLayout)
