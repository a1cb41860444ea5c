"""Where the filter of the table of trials is typed: completion, what is wrong, and help."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, QRect, QStringListModel, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFocusEvent, QHideEvent, QKeyEvent
from PySide6.QtWidgets import (
    QCompleter,
    QFrame,
    QGridLayout,
    QLineEdit,
    QListView,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.errors import ExpressionError
from axdesk.gui.icons import icon
from axdesk.gui.models.filter_fields import FilterField, completions
from axdesk.gui.models.trial_filter import EXAMPLES
from axdesk.gui.style import px, theme_manager
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.tables import CellTip

PAUSE_MS = 250
"""What is typed is looked for after so long a pause; a half-typed word is nobody's question."""


class TrialFilterField(TextField):
    """A line that is read at a pause or at Enter, and that says what it does not understand.

    Signals:
        asked: The operator asked for what the text says.
        entered: The operator is going to type.
    """

    asked = Signal(str)
    entered = Signal()

    def __init__(self) -> None:
        super().__init__(placeholder="Filter: yield>80 status:failed", name="trials.filter",
                         icon_name="filter")  # fmt: skip
        self.setAccessibleName("Filter trials")
        self.fields: Callable[[], tuple[FilterField, ...]] = tuple
        self._help: FilterHelp | None = None
        self._tip: CellTip | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(lambda: self.asked.emit(self.text()))
        self._start = 0
        self._completer = QCompleter(QStringListModel(self), self)
        self._completer.setWidget(self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._offered = QListView()
        self._offered.setObjectName("trials.filter.completions")
        self._offered.setAccessibleName("How it may go on")
        self._completer.setPopup(self._offered)
        self._completer.activated.connect(self._complete)
        self._clear = self._trailing("Clear the filter", "x", self.clear_filter)
        self._clear.setVisible(False)
        self._trailing("What can be asked for", "help-circle", self.show_help)
        self.textChanged.connect(self._changed)
        self.textEdited.connect(self._edited)
        self.returnPressed.connect(self.ask)
        theme_manager().changed.connect(self._fit)
        self._fit()

    def show_query(self, text: str) -> None:
        """Show a query that is in force."""
        self.setText(text)
        self._pause.stop()
        self.show_error(None)

    def ask(self) -> None:
        """Ask for what stands here now."""
        self._pause.stop()
        self._offered.hide()
        self.asked.emit(self.text())

    def clear_filter(self) -> None:
        """Ask for every trial."""
        self.clear()
        self.ask()

    def show_error(self, error: ExpressionError | None) -> None:
        """Say what is not understood, under its character; None takes it away."""
        sentence = "" if error is None else f"{error.message} {error.hint}".strip()
        self.set_issue(sentence)
        if error is None or self._offered.isVisible():
            if self._tip is not None:
                self._tip.hide()
            return
        if self._tip is None:
            self._tip = CellTip(self.window())
            self._tip.setObjectName("trials.filter.tip")
        corner = self.mapTo(self.window(), QPoint(0, 0))
        before = self.fontMetrics().horizontalAdvance(self.text()[: error.position])
        x = min(corner.x() + self.textMargins().left() + px(26) + before,
                corner.x() + self.width() - px(30))  # fmt: skip
        self._tip.show_under(QRect(x, corner.y(), px(10), self.height() + px(5)), sentence)

    def show_help(self) -> None:
        """Show what can be asked for."""
        if self._help is None:
            self._help = FilterHelp(self)
        self._help.show_under(self)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape asks for every trial; Down offers how the word may go on."""
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear_filter()
        elif event.key() == Qt.Key.Key_Down:
            self._offer()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell that something will be asked for."""
        super().focusInEvent(event)
        self.entered.emit()

    def hideEvent(self, event: QHideEvent) -> None:
        """Ask for nothing, and say nothing, while it is not seen."""
        super().hideEvent(event)
        self._pause.stop()
        if self._tip is not None:
            self._tip.hide()

    def _changed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._pause.start()

    def _edited(self) -> None:
        if self._tip is not None:
            self._tip.hide()
        self._offer()

    def _offer(self) -> None:
        """Offer how the word before the cursor may go on."""
        cursor = self.cursorPosition()
        self._start, offered = completions(self.text(), cursor, self.fields())
        typed = self.text()[self._start : cursor].casefold()
        if not offered or [word.casefold() for word in offered] == [typed]:
            self._offered.hide()
            return
        model = self._completer.model()
        assert isinstance(model, QStringListModel)
        model.setStringList(offered)
        metrics = self.fontMetrics()
        place = self.cursorRect()
        place.translate(-metrics.horizontalAdvance(self.text()[self._start : cursor]), px(4))
        place.setWidth(max(metrics.horizontalAdvance(word) for word in offered) + px(48))
        self._completer.complete(place)

    def _complete(self, word: str) -> None:
        cursor = self.cursorPosition()
        rest = self.text()[cursor:]
        self.setText(self.text()[: self._start] + word + rest)
        self.setCursorPosition(self._start + len(word))

    def _trailing(self, text: str, icon_name: str, slot: Callable[[], None]) -> QAction:
        action = QAction(icon(icon_name, "text2"), text, self)
        action.setToolTip(text)
        action.triggered.connect(slot)
        self.addAction(action, QLineEdit.ActionPosition.TrailingPosition)
        return action

    def _fit(self) -> None:
        self.setMinimumWidth(px(130))
        self.setMaximumWidth(px(300))


class FilterHelp(QFrame):
    """What can be asked for, by examples."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("trials.filter.help")
        self.setAccessibleName("What can be asked for")
        self.setProperty("surface", "raised")
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(16), px(12))
        column.setSpacing(px(8))
        column.addWidget(label("Find trials", "strong"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(20))
        grid.setVerticalSpacing(px(4))
        for row, (typed, meaning) in enumerate(EXAMPLES):
            grid.addWidget(label(typed), row, 0)
            grid.addWidget(label(meaning, "small", "text2"), row, 1)
        column.addLayout(grid)
        note = "Case does not matter. Columns may be cut short: temp>90."
        column.addWidget(label(note, "small", "text2"))

    def show_under(self, field: QWidget) -> None:
        """Show it under `field`, or above where there is no room."""
        self.adjustSize()
        place = field.mapToGlobal(QPoint(0, field.height() + px(4)))
        if place.y() + self.height() > field.screen().availableGeometry().bottom():
            place = field.mapToGlobal(QPoint(0, -self.height() - px(4)))
        self.move(place)
        self.show()
