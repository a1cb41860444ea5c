"""The command palette: a line to type into, and below it what was found."""

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from axdesk.gui.icons import draw_icon
from axdesk.gui.models.palette_model import Command, PaletteModel
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.views.dialogs import offer_help
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label, rule
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView

_STEPS = {
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_PageDown: 8,
    Qt.Key.Key_PageUp: -8,
}
_ROWS = 9


class PaletteDialog(QDialog):
    """Lists what answers the letters typed; Enter carries out, Escape leaves."""

    def __init__(self, window: QWidget, model: PaletteModel) -> None:
        """Make a palette.

        Args:
            window: It opens over the upper middle of this one.
            model: The entries.
        """
        super().__init__(window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setObjectName("dialog.palette")
        self.setWindowTitle("Command palette")
        self.setAccessibleName("Command palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._model = model
        ground = Surface("raised")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(ground)
        column = QVBoxLayout(ground)
        column.setContentsMargins(px(10), px(8), px(10), px(10))
        column.setSpacing(px(6))
        self._input = TextField(
            placeholder="Type a command, an experiment or a trial's number",
            name="dialog.palette.input",
            icon_name="search",
        )
        self._input.setProperty("bare", True)
        self._input.setAccessibleName("Command")
        self._input.installEventFilter(self)
        self._input.textChanged.connect(self._search)
        self._list = ListView(name="dialog.palette.list", label="Commands found", ground="raised")
        self._list.setItemDelegate(_CommandDelegate(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the line keeps the keyboard
        self._list.setModel(model)
        self._list.clicked.connect(lambda index: self._carry_out(index.row()))
        self._nothing = label("Nothing is called so.", "body", "text2")
        self._nothing.setContentsMargins(px(12), px(8), px(12), px(8))
        column.addWidget(self._input)
        column.addWidget(rule())
        column.addWidget(self._list)
        column.addWidget(self._nothing)
        self._search("")
        offer_help(self)

    def showEvent(self, event: QShowEvent) -> None:
        """Stand over the upper middle of the window."""
        super().showEvent(event)
        self._place()
        self._input.setFocus(Qt.FocusReason.PopupFocusReason)

    def event(self, event: QEvent) -> bool:
        """Close as soon as something else is clicked."""
        if event.type() == QEvent.Type.WindowDeactivate and self.isVisible():
            self.close()
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list and choose from it while the line has the keyboard."""
        if watched is self._input and event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            key = Qt.Key(event.key())
            if key in _STEPS:
                self._move(_STEPS[key])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._carry_out(self._list.currentIndex().row())
                return True
        return super().eventFilter(watched, event)

    def _search(self, query: str) -> None:
        self._model.search(query)
        count = self._model.rowCount()
        self._list.setVisible(count > 0)
        self._nothing.setVisible(count == 0)
        self._list.setCurrentIndex(self._model.index(0))
        self._list.scrollToTop()
        self._list.setFixedHeight(px(36) * min(max(count, 1), _ROWS))
        if self.isVisible():
            self._place()

    def _place(self) -> None:
        window = self.parentWidget()
        if window is None:
            return
        width = min(px(600), window.width() - px(40))
        self.setFixedWidth(width)
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.resize(width, self.sizeHint().height())
        top = QPoint((window.width() - width) // 2, min(px(146), window.height() // 6))
        self.move(window.mapToGlobal(top))

    def _move(self, step: int) -> None:
        count = self._model.rowCount()
        if count:
            row = self._list.currentIndex().row() + step
            row = row % count if abs(step) == 1 else min(max(row, 0), count - 1)
            self._list.setCurrentIndex(self._model.index(row))

    def _carry_out(self, row: int) -> None:
        """Close, then carry out; what is off stays listed with its reason."""
        command: Command | None = self._model.command(row)
        if command is not None and not command.off:
            self.close()
            command.run()


class _CommandDelegate(QStyledItemDelegate):
    """A row: icon, text, why it is off, and at the right its shortcut and place."""

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
