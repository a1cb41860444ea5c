"""The log: what happened, line by line."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from axdesk.gui.models.log_model import LEVEL_WORDS, LogLevel, LogModel
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button, Choice
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import TableView

Index = QModelIndex | QPersistentModelIndex


class _Filter(QSortFilterProxyModel):
    def __init__(self, parent: "LogView") -> None:
        super().__init__(parent)
        self._level = LogLevel.PRINTED
        self._text = ""

    def set_level(self, level: LogLevel) -> None:
        self._level = level
        self.invalidate()

    def set_text(self, text: str) -> None:
        self._text = text.casefold()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        line = self.sourceModel().index(row, 1, parent)
        text = str(line.data()).casefold()
        return line.data(Role.SORT) >= self._level and self._text in text


class LogView(Surface):
    """Level, filter and the lines.

    It stays at the end while the end is in sight; elsewhere it stays at the lines that are looked
    at, while others come and the oldest go.
    """

    def __init__(self) -> None:
        super().__init__("panel")
        self._proxy = _Filter(self)
        level = ComboField(
            [Choice(level, word) for level, word in LEVEL_WORDS.items()],
            name="log.level",
            compact=True,
        )
        level.setAccessibleName("Least level")
        level.set_value(LogLevel.PRINTED)
        level.chosen.connect(self._proxy.set_level)
        text = TextField(placeholder="Filter the log", name="log.filter", icon_name="filter")
        text.setAccessibleName("Filter the log")
        text.setMaximumWidth(px(260))
        text.textChanged.connect(self._proxy.set_text)
        self._view = TableView(name="log.view", label="Log")
        self._view.setSortingEnabled(False)
        self._view.horizontalHeader().hide()
        self._view.setModel(self._proxy)
        self._view.setSelectionMode(TableView.SelectionMode.ExtendedSelection)
        copy = Button("Copy", "copy", kind="quiet", on_click=self.copy, name="log.copy")
        copy.setToolTip("The lines selected, or all that are shown")
        keys = QShortcut(QKeySequence(QKeySequence.StandardKey.Copy), self._view)
        keys.setContext(Qt.ShortcutContext.WidgetShortcut)
        keys.activated.connect(self.copy)
        self._to_end = Button("Newest", "arrow-down", kind="quiet", name="log.newest")
        self._to_end.setToolTip("Goes to the last line, and on with those that come")
        self._to_end.clicked.connect(self._view.scrollToBottom)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(6))
        row = QHBoxLayout()
        row.setContentsMargins(px(12), 0, px(12), 0)
        row.addWidget(level)
        row.addWidget(text)
        row.addStretch(1)
        row.addWidget(self._to_end)
        row.addWidget(copy)
        layout.addLayout(row)
        layout.addWidget(self._view)
        self._at_end = True
        self._gone = 0
        self._proxy.rowsAboutToBeInserted.connect(self._note_place)
        self._proxy.rowsInserted.connect(self._follow)
        self._proxy.rowsAboutToBeRemoved.connect(self._note_gone)
        self._proxy.rowsRemoved.connect(self._stay)
        self._view.verticalScrollBar().valueChanged.connect(self._show_place)
        self._view.verticalScrollBar().rangeChanged.connect(self._show_place)
        self._show_place()

    def set_model(self, model: LogModel | None) -> None:
        """Show other lines."""
        self._proxy.setSourceModel(model)  # type: ignore[arg-type]  # None is allowed
        self._view.setColumnWidth(0, px(84))
        self._view.scrollToBottom()

    def copy(self) -> None:
        """Put the lines selected, or all that are shown, into the clipboard."""
        rows = [index.row() for index in self._view.selectionModel().selectedRows()]
        lines = []
        for row in sorted(rows) or range(self._proxy.rowCount()):
            time, text = (self._proxy.index(row, column) for column in (0, 1))
            lines.append(f"{time.data(Qt.ItemDataRole.ToolTipRole)}  {text.data()}")
        QGuiApplication.clipboard().setText("\n".join(lines))

    def _is_at_end(self) -> bool:
        bar = self._view.verticalScrollBar()
        return bar.value() >= bar.maximum() - px(8)

    def _show_place(self) -> None:
        self._to_end.setVisible(not self._is_at_end())

    def _note_place(self) -> None:
        self._at_end = self._is_at_end()

    def _note_gone(self, _parent: Index, first: int, last: int) -> None:
        """Note how far what is looked at moves up: by the rows above it that go."""
        top = self._view.rowAt(0)
        self._gone = max(min(last + 1, top) - first, 0)

    def _stay(self) -> None:
        bar = self._view.verticalScrollBar()
        if self._gone and not self._at_end:
            bar.setValue(bar.value() - self._gone * self._view.rowHeight(0))
        self._gone = 0

    def _follow(self) -> None:
        if self._at_end:
            self._view.scrollToBottom()
