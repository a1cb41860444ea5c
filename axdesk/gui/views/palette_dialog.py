"""The command palette: a line to type into, and below it what was found."""

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QVBoxLayout,
    QWidget,
)

from axdesk.gui.models.palette_model import Command, PaletteModel
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import offer_help
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label, rule
from axdesk.gui.widgets.one_line import OneLineDelegate
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
        self._list.setItemDelegate(OneLineDelegate(self._list))
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
