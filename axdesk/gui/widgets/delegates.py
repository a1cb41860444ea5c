"""How cells of tables and rows of lists are drawn, from the roles in `widgets.roles`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetrics,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from axdesk.gui.icons import draw_icon
from axdesk.gui.style import current_theme, draw_check_box, px, type_font
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.roles import Role

if TYPE_CHECKING:
    from axdesk.gui.widgets.buttons import Choice

Index = QModelIndex | QPersistentModelIndex

CELL_PADDING = 10
EDITABLE_PADDING = 12


def _text(index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> str:
    value = index.data(role)
    return "" if value is None else str(value)


class CellDelegate(QStyledItemDelegate):
    """A cell that is read: ground, row line, then icon, text and a small uncertainty.

    It serves text, numbers (right-aligned by `TextAlignmentRole`), a status (`ICON` and text), a
    star or check sign (`ICON` alone) and a progress bar (`PROGRESS`).
    """

    padding = CELL_PADDING
    selection_token = "select"

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the cell."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.paint_ground(painter, option, index)
        self.paint_content(painter, option, index, self.content_rect(option))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """The width of icon, text and uncertainty; heights are the table's."""
        width = px(self.padding) * 2
        if index.data(Role.ICON):
            width += px(22)
        width += QFontMetrics(self._font(index)).horizontalAdvance(_text(index))
        if uncertainty := _text(index, Role.UNCERTAINTY):
            width += px(5) + QFontMetrics(type_font("small")).horizontalAdvance(uncertainty)
        return QSize(width, px(30))

    def content_rect(self, option: QStyleOptionViewItem) -> QRect:
        """Where the content goes."""
        return _rect(option).adjusted(px(self.padding), 0, -px(self.padding), 0)

    def paint_ground(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw selection, row line, and the accent edge in the first column."""
        theme = current_theme()
        rect = _rect(option)
        if _is(option, QStyle.StateFlag.State_Selected):
            painter.fillRect(rect, theme.color(self.selection_token))
            if _is_first_column(option, index):
                painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()),
                                 theme.color("accent"))  # fmt: skip
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("grid"))

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw icon, text and uncertainty into `area`."""
        text, uncertainty = _text(index), _text(index, Role.UNCERTAINTY)
        alignment = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole) or 0)
        color = self.text_color(option, index)
        if (icon_name := index.data(Role.ICON)) is not None and icon_name:
            area = self._paint_icon(painter, option, index, area, is_alone=not text)
        if uncertainty:
            small = type_font("small")
            width = QFontMetrics(small).horizontalAdvance(uncertainty)
            painter.setFont(small)
            painter.setPen(self._color(option, "text2"))
            painter.drawText(area, _aligned(Qt.AlignmentFlag.AlignRight), uncertainty)
            area = area.adjusted(0, 0, -width - px(5), 0)
            alignment = Qt.AlignmentFlag.AlignRight
        if not text and (hint := _text(index, Role.PLACEHOLDER)):
            text, color = hint, self._color(option, "text3")
        painter.setFont(self._font(index))
        painter.setPen(color)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, _aligned(alignment), shown)
        if (share := index.data(Role.PROGRESS)) is not None:
            _paint_progress(painter, area, float(share), self._token(index))

    def text_color(self, option: QStyleOptionViewItem, index: Index) -> QColor:
        """The colour of the cell's text."""
        if index.data(Role.OFF):
            return self._color(option, "text3")
        if not index.flags() & Qt.ItemFlag.ItemIsEnabled:
            return self._color(option, "disabled")
        return self._color(option, self._token(index))

    def _token(self, index: Index) -> str:
        return index.data(Role.TONE) or "text"

    def _font(self, index: Index) -> QFont:
        return type_font("strong" if index.data(Role.STRONG) else "body")

    def _color(self, option: QStyleOptionViewItem, token: str) -> QColor:
        theme = current_theme()
        if _is(option, QStyle.StateFlag.State_Selected) and self.selection_token == "select":
            token = theme.on_selection(token)
        return theme.color(token)

    def _paint_icon(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: Index,
        area: QRect,
        *,
        is_alone: bool,
    ) -> QRect:
        side = px(16)
        token = index.data(Role.ICON_TONE) or self._token(index)
        color = self._color(option, "text3" if index.data(Role.OFF) else token)
        box = QRect(area.left(), area.center().y() - side // 2, side, side)
        if is_alone:
            box.moveCenter(area.center())
        draw_icon(painter, index.data(Role.ICON), box, color)
        return area.adjusted(side + px(6), 0, 0, 0)


class CellField(TextField):
    """A line of text in a cell; what is pasted and fills more than a cell is left to the table."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Pass a paste of several cells on."""
        pasted = QGuiApplication.clipboard().text().strip()
        if event.matches(QKeySequence.StandardKey.Paste) and set(pasted) & set("\t\n\r"):
            event.ignore()
        else:
            super().keyPressEvent(event)


class EditableDelegate(CellDelegate):
    """A cell that is edited: looks like text until hovered, current or wrong.

    A cell with `CHOICES` is edited by a combo box, with its chevron seen while hovered or in the
    selected row; any other by a line of text. What is typed is given to the model as it stands, at
    each key; the editor's property `original` keeps what stood there before.
    """

    padding = EDITABLE_PADDING
    selection_token = "tint"

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw the frame of a wrong, current or hovered cell, then its content."""
        issue = _text(index, Role.ISSUE)
        has_editor = is_typed_into(option, index)
        editable = bool(index.flags() & Qt.ItemFlag.ItemIsEditable)
        theme = current_theme()
        frame = QRectF(_rect(option)).adjusted(px(3), px(6), -px(3), -px(6))
        if issue:
            area = self._paint_issue(painter, index, frame, area, has_sign=not has_editor)
        elif editable and (has_editor or _is(option, QStyle.StateFlag.State_HasFocus)):
            painter.setPen(QPen(theme.color("accent"), 2 if theme.is_high_contrast else 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), px(5), px(5))
        elif editable and _is(option, QStyle.StateFlag.State_MouseOver):
            painter.setPen(theme.color("border_soft"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(frame.adjusted(0.5, 0.5, -0.5, -0.5), px(5), px(5))
        if has_editor:
            return
        if editable and index.data(Role.CHOICES):
            has_chevron = _is(option, QStyle.StateFlag.State_MouseOver) or _is(
                option, QStyle.StateFlag.State_Selected
            )
            if has_chevron:
                side = px(14)
                box = QRect(0, 0, side, side)
                box.moveCenter(area.center())
                box.moveRight(area.right() + px(2))
                draw_icon(painter, "chevron-down", box, theme.color("text2"))
            # What stands at the right keeps to its column's edge until the chevron comes.
            if has_chevron or not _is_right_aligned(index):
                area = area.adjusted(0, 0, -px(16), 0)
        super().paint_content(painter, option, index, area)

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A combo box for choices, else a line of text."""
        choices = cast("Sequence[Choice] | None", index.data(Role.CHOICES))
        if choices:
            combo = ComboField(choices)
            combo.setParent(parent)
            combo.setProperty("cell", True)
            combo.activated.connect(lambda: self._close(combo))
            return combo
        field = self.make_field(_text(index, Role.PLACEHOLDER))
        field.setParent(parent)
        field.setProperty("cell", True)
        field.textEdited.connect(lambda: self.commitData.emit(field))
        field.setAlignment(
            _aligned(Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole) or 0))
        )
        return field

    def make_field(self, placeholder: str) -> CellField:
        """The line of text that a cell is typed into."""
        return CellField(placeholder=placeholder)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Show what the model has to edit."""
        value = index.data(Qt.ItemDataRole.EditRole)
        if isinstance(editor, ComboField):
            editor.set_value(value)
            editor.showPopup()
        elif isinstance(editor, TextField):
            text = "" if value is None else str(value)
            editor.setProperty("original", text)
            editor.setText(text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        """Hand the model the value chosen or the text as typed."""
        if isinstance(editor, ComboField):
            model.setData(index, editor.currentData(), Qt.ItemDataRole.EditRole)
        elif isinstance(editor, TextField):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, _index: Index
    ) -> None:
        """Put the editor into the cell's frame."""
        editor.setGeometry(_rect(option).adjusted(px(4), px(7), -px(4), -px(7)))

    def _close(self, editor: QWidget) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)

    def _paint_issue(
        self, painter: QPainter, index: Index, frame: QRectF, area: QRect, *, has_sign: bool
    ) -> QRect:
        theme = current_theme()
        is_warning = index.data(Role.ISSUE_LEVEL) == "warning"
        line, ink = ("warn_mark", "warn") if is_warning else ("bad", "bad")
        painter.setPen(QPen(theme.color(line), 1.5))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(frame.adjusted(0.75, 0.75, -0.75, -0.75), px(5), px(5))
        if not has_sign and not _is_right_aligned(index):
            return area
        side = px(14)
        box = QRectF(frame.left() + px(7), frame.center().y() - side / 2, side, side)
        sign = "alert-triangle-filled" if is_warning else "alert-circle-filled"
        draw_icon(painter, sign, box, theme.color(ink))
        left = max(area.left(), round(box.right()) + px(6))
        return QRect(left, area.top(), area.right() - left + 1, area.height())


class CheckDelegate(EditableDelegate):
    """A cell with a check box alone, read from and written to `CheckStateRole`."""

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw the check box."""
        flag = QStyle.StateFlag
        state = flag.State_Enabled if index.flags() & Qt.ItemFlag.ItemIsEnabled else flag.State_None
        if _is_checked(index):
            state |= flag.State_On
        if _is(option, flag.State_HasFocus):
            state |= flag.State_HasFocus
        draw_check_box(painter, QRectF(_rect(option)), state)

    def editorEvent(
        self,
        event: QEvent,
        model: QAbstractItemModel,
        _option: QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """Toggle at a click or the space bar."""
        pressed = event.type() == QEvent.Type.MouseButtonRelease and (
            cast("QMouseEvent", event).button() == Qt.MouseButton.LeftButton
        )
        typed = event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Space  # type: ignore[attr-defined]
        checkable = index.flags() & Qt.ItemFlag.ItemIsUserCheckable
        if not (pressed or typed) or not checkable:
            return False
        other = Qt.CheckState.Unchecked if _is_checked(index) else Qt.CheckState.Checked
        return model.setData(index, other.value, Qt.ItemDataRole.CheckStateRole)


class GripDelegate(CheckDelegate):
    """A check box with a grip before it, by which the row is dragged."""

    GRIP = 24
    """Width of the grip, at a 16 pixel line."""

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw the grip, then the box in the room that is left."""
        rect = _rect(option)
        side = px(16)
        grip = QRect(rect.left() + px(6), rect.center().y() - side // 2, side, side)
        draw_icon(painter, "grip-vertical", grip, current_theme().color("text3"))
        boxed = QStyleOptionViewItem(option)
        boxed.rect = rect.adjusted(px(self.GRIP), 0, 0, 0)
        super().paint_content(painter, boxed, index, area)


class TagsDelegate(EditableDelegate):
    """A cell with several values as tags, edited as text with `; ` between the values."""

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw the tags, or a usual cell where there are none."""
        tags = cast("Sequence[str] | None", index.data(Role.TAGS))
        if not tags or index.data(Role.ISSUE) or is_typed_into(option, index):
            super().paint_content(painter, option, index, area)
            return
        theme = current_theme()
        painter.setFont(type_font("small"))
        metrics = painter.fontMetrics()
        x, height = area.left(), px(22)
        top = area.center().y() - height / 2
        for position, tag in enumerate(tags):
            width = metrics.horizontalAdvance(tag) + px(18)
            if x + width > area.right() - (px(24) if position < len(tags) - 1 else 0):
                painter.setPen(theme.color("text2"))
                rest = QRectF(x, area.top(), area.right() - x, area.height())
                more = f"+{len(tags) - position}"
                painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, more)
                return
            pill = QRectF(x + 0.5, top + 0.5, width - 1, height - 1)
            painter.setPen(theme.color("border_soft"))
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(pill, height / 2, height / 2)
            painter.setPen(self.text_color(option, index))
            painter.drawText(pill, Qt.AlignmentFlag.AlignCenter, tag)
            x += width + px(6)
        if index.flags() & Qt.ItemFlag.ItemIsEditable and x + px(16) <= area.right():
            box = QRect(x, area.center().y() - px(7), px(14), px(14))
            draw_icon(painter, "plus", box, theme.color("text2"))


class TwoLineDelegate(QStyledItemDelegate):
    """A list row of two lines with an icon: name; state or progress at the left, value at right."""

    def __init__(self, parent: QObject | None = None, *, separated: bool = False) -> None:
        """Make the delegate.

        Args:
            parent: The view.
            separated: Rows that fill the width with lines between them, an accent edge at the
                selected one, and what stands at the right beside the name, instead of rounded
                ones with air around.
        """
        super().__init__(parent)
        self._separated = separated

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        """A row's height; its width is the list's."""
        return QSize(px(120), px(58 if self._separated else 54))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw the row."""
        theme = current_theme()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = _is(option, QStyle.StateFlag.State_Selected)
        rect = _rect(option)

        def color(token: str) -> QColor:
            return theme.color(theme.on_selection(token) if selected else token)

        self._paint_ground(painter, option, rect, selected=selected)
        inner = rect.adjusted(px(14 if self._separated else 16), px(7), -px(16), -px(7))
        side = px(16)
        line = inner.height() // 2
        if icon_name := index.data(Role.ICON):
            tone = index.data(Role.ICON_TONE) or index.data(Role.TONE) or "text2"
            top = inner.top() + (line - side) // 2
            draw_icon(painter, icon_name, QRect(inner.left(), top, side, side), color(tone))
        inner = inner.adjusted(side + px(9), 0, 0, 0)
        first = QRect(inner.left(), inner.top(), inner.width(), line)
        second = first.translated(0, line)
        aside, below = _text(index, Role.SIDE), _text(index, Role.SECOND_LINE)
        if aside:
            place = second if below and not self._separated else first
            width = self._draw(painter, place, aside, "small", color("text2"), right=True)
            place.setRight(place.right() - width - px(8))
        kind = "strong" if index.data(Role.STRONG) else "body"
        tone = index.data(Role.TONE) or "text"
        weight = type_font(kind)
        weight.setWeight(QFont.Weight.DemiBold if kind == "strong" else QFont.Weight.Medium)
        painter.setFont(weight)
        self._draw(painter, first, _text(index), "", color(tone))
        self._draw(painter, second, below, "small", color(index.data(Role.SECOND_TONE) or "text2"))
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect, *, selected: bool
    ) -> None:
        theme = current_theme()
        hovered = _is(option, QStyle.StateFlag.State_MouseOver)
        ground = "select" if selected else "hover" if hovered else ""
        if self._separated:
            if ground:
                painter.fillRect(rect, theme.color(ground))
            if selected:
                edge = QRect(rect.left(), rect.top(), 3, rect.height())
                painter.fillRect(edge, theme.color("accent"))
            bottom = QRect(rect.left(), rect.bottom(), rect.width(), 1)
            painter.fillRect(bottom, theme.color("grid"))
        elif ground:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(ground))
            painter.drawRoundedRect(rect.adjusted(px(6), 1, -px(6), -1), px(6), px(6))
        if selected and _is(option, QStyle.StateFlag.State_HasFocus):
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inner = QRectF(rect).adjusted(px(6) + 0.5, 1.5, -px(6) - 0.5, -1.5)
            if self._separated:
                inner = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
            painter.drawRoundedRect(inner, px(6), px(6))

    @staticmethod
    def _draw(
        painter: QPainter, area: QRect, text: str, kind: str, color: QColor, *, right: bool = False
    ) -> int:
        """Draw one line, elided to `area`; returns its width. An empty `kind` keeps the font."""
        if kind:
            painter.setFont(type_font(kind))
        painter.setPen(color)
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, side | Qt.AlignmentFlag.AlignVCenter, shown)
        return metrics.horizontalAdvance(shown)


def _rect(option: QStyleOptionViewItem) -> QRect:
    return option.rect


def _is(option: QStyleOptionViewItem, flag: QStyle.StateFlag) -> bool:
    return bool(option.state & flag)


def _is_checked(index: Index) -> bool:
    return Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole) or 0) == Qt.CheckState.Checked


def _is_right_aligned(index: Index) -> bool:
    alignment = Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole) or 0)
    return bool(alignment & Qt.AlignmentFlag.AlignRight)


def is_typed_into(option: QStyleOptionViewItem, index: Index) -> bool:
    """Whether an editor stands on the cell, which shows the text itself."""
    view = option.widget
    return (
        isinstance(view, QAbstractItemView)
        and view.state() == QAbstractItemView.State.EditingState
        and view.currentIndex() == index
    )


def _is_first_column(option: QStyleOptionViewItem, index: Index) -> bool:
    view = option.widget
    if isinstance(view, QTableView):
        header = view.horizontalHeader()
        shown = (header.logicalIndex(i) for i in range(header.count()))
        return next((s for s in shown if not header.isSectionHidden(s)), 0) == index.column()
    return index.column() == 0


def _aligned(alignment: Qt.AlignmentFlag) -> Qt.AlignmentFlag:
    horizontal = alignment & Qt.AlignmentFlag.AlignHorizontal_Mask
    return (horizontal or Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter


def _paint_progress(painter: QPainter, area: QRect, share: float, token: str) -> None:
    theme = current_theme()
    height = px(4)
    trough = QRectF(area.left(), area.bottom() - px(8), area.width(), height)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("border"))
    painter.drawRoundedRect(trough, height / 2, height / 2)
    trough.setWidth(trough.width() * min(max(share, 0.0), 1.0))
    painter.setBrush(theme.color("live_fill" if token == "live" else "plot_dot"))
    painter.drawRoundedRect(trough, height / 2, height / 2)


def current_issue(view: QAbstractItemView) -> str:
    """The issue of the view's current cell, or an empty text."""
    index = view.currentIndex()
    return _text(index, Role.ISSUE) if index.isValid() else ""
