"""The card of the start page with the templates."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from axdesk.gui.icons import draw_icon
from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView

if TYPE_CHECKING:
    from axdesk.api.templates import Template

Index = QModelIndex | QPersistentModelIndex

MOST_ROWS = 6
"""More templates than these are scrolled."""

_ROW_HEIGHT = 45
_ICONS = {
    "1_reaction": "flask",
    "2_formulation": "chart-pie-2",
    "3_trade_off": "chart-dots",
    "4_instrument": "adjustments",
}
_OWN_ICON, _OTHER_ICON = "file-text", "clipboard-list"


class _RowDelegate(QStyledItemDelegate):
    """A tile with an icon, title over description, and a chevron."""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(px(200), px(_ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme = current_theme()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(rect, px(6), px(6))
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(1, 1, -2, -2), px(6), px(6))
        side = px(34)
        tile = QRect(rect.left() + px(2), rect.center().y() - side // 2, side, side)
        painter.setPen(theme.color("border") if theme.is_high_contrast else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("tint"))
        painter.drawRoundedRect(tile, px(6), px(6))
        glyph = tile.adjusted(px(8), px(8), -px(8), -px(8))
        draw_icon(painter, index.data(Role.ICON), glyph, theme.color("accent"))
        chevron = QRect(rect.right() - px(20), rect.center().y() - px(8), px(16), px(16))
        draw_icon(painter, "chevron-right", chevron, theme.color("text2"))
        text = QRect(tile.right() + px(12), rect.top(), 0, rect.height() // 2)
        text.setRight(chevron.left() - px(8))
        bottom = Qt.AlignmentFlag.AlignBottom
        self._write(painter, text, str(index.data()), "strong", "text", bottom)
        below = text.translated(0, text.height())
        self._write(
            painter,
            below,
            index.data(Role.SECOND_LINE),
            "small",
            "text2",
            Qt.AlignmentFlag.AlignTop,
        )
        painter.restore()

    @staticmethod
    def _write(
        painter: QPainter, area: QRect, text: str, kind: str, tone: str, place: Qt.AlignmentFlag
    ) -> None:
        painter.setFont(type_font(kind))
        painter.setPen(current_theme().color(tone))
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, place | Qt.AlignmentFlag.AlignLeft, shown)


class _List(ListView):
    """A list whose rows are chosen by a click or by Enter."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter and the space bar for a click on the current row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self.currentIndex().isValid():
                self.clicked.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class TemplateCard(Card):
    """The templates, each of which makes a new experiment.

    Signals:
        chosen: The operator chose a template; carries it.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Start from a template", name="start.templates.card")
        self.setFixedWidth(px(324))
        self._templates: tuple[Template, ...] = ()
        self._model = QStandardItemModel(self)
        self._list = _List(name="start.templates", label="Templates", ground="surface")
        self._list.setModel(self._model)
        self._list.setItemDelegate(_RowDelegate(self._list))
        self._list.setSelectionMode(ListView.SelectionMode.NoSelection)
        self._list.clicked.connect(self._choose)
        self.body.addWidget(self._list)
        theme_manager().changed.connect(self._fit)
        self.hide()

    def set_templates(self, templates: "Sequence[Template]") -> None:
        """Show these."""
        self._templates = tuple(templates)
        self._model.clear()
        for template in self._templates:
            item = QStandardItem(template.title)
            item.setEditable(False)
            item.setToolTip(template.description or template.title)
            item.setData(template.description, Role.SECOND_LINE)
            shipped = _ICONS.get(template.path.stem, _OTHER_ICON)
            item.setData(_OWN_ICON if template.is_own else shipped, Role.ICON)
            spoken = f"{template.title}, {template.description}"
            item.setData(spoken, Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        self._fit()
        self.setVisible(bool(self._templates))

    def _fit(self) -> None:
        rows = min(self._model.rowCount(), MOST_ROWS)
        self._list.setFixedHeight(px(_ROW_HEIGHT) * rows + 2)
        self.setFixedWidth(px(324))

    def _choose(self, index: Index) -> None:
        self.chosen.emit(self._templates[index.row()])
