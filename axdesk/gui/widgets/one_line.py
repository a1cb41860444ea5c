"""List rows of one line: icon, text, a remark beside it, and at the right keys and place."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from axdesk.gui.icons import draw_icon
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.widgets.roles import Role


class OneLineDelegate(QStyledItemDelegate):
    """Draws `ICON`, the text, `SECOND_LINE` beside it, and at the right `KEYS` and `SIDE`."""

    def sizeHint(
        self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """A row's height; its width is the list's."""
        return QSize(px(120), px(36))

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draw the row."""
        theme = current_theme()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        is_off = bool(index.data(Role.OFF))
        rect = option.rect

        def ink(token: str) -> None:
            painter.setPen(theme.color(theme.on_selection(token) if selected else token))

        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("select" if selected else "hover"))
            painter.drawRoundedRect(rect, px(6), px(6))
        middle = Qt.AlignmentFlag.AlignVCenter
        area = rect.adjusted(px(12), 0, -px(12), 0)
        if name := index.data(Role.ICON):
            side = px(16)
            box = area.adjusted(0, (area.height() - side) // 2, 0, 0)
            box.setSize(QSize(side, side))
            token = "text2"
            color = theme.color(theme.on_selection(token) if selected else token)
            draw_icon(painter, name, box, color)
        area.adjust(px(28), 0, 0, 0)
        for role, token, gap in ((Role.SIDE, "text2", 10), (Role.KEYS, "text", 0)):
            if text := index.data(role):
                painter.setFont(type_font("small"))
                ink(token)
                painter.drawText(area, Qt.AlignmentFlag.AlignRight | middle, text)
                width = painter.fontMetrics().horizontalAdvance(text)
                area.setRight(area.right() - width - px(gap))
        area.setRight(area.right() - px(8))
        painter.setFont(type_font("body"))
        ink("text3" if is_off else "text")
        text = painter.fontMetrics().elidedText(
            str(index.data()), Qt.TextElideMode.ElideRight, area.width()
        )
        painter.drawText(area, Qt.AlignmentFlag.AlignLeft | middle, text)
        if reason := index.data(Role.SECOND_LINE):
            area.setLeft(area.left() + painter.fontMetrics().horizontalAdvance(text) + px(12))
            painter.setFont(type_font("small"))
            ink("text2")
            elided = painter.fontMetrics().elidedText(
                reason, Qt.TextElideMode.ElideRight, area.width()
            )
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | middle, elided)
        painter.restore()
