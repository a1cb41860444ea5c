"""The log: what happened, line by line."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from axdesk.gui.models.log_model import LEVEL_WORDS, LogLevel, LogModel
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Choice
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
    """Level, filter and the lines; it stays at the end while the end is in sight."""

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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(6))
        row = QHBoxLayout()
        row.setContentsMargins(px(12), 0, px(12), 0)
        row.addWidget(level)
        row.addWidget(text)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self._view)
        self._at_end = True
        self._proxy.rowsAboutToBeInserted.connect(self._note_place)
        self._proxy.rowsInserted.connect(self._follow)

    def set_model(self, model: LogModel | None) -> None:
        """Show other lines."""
        self._proxy.setSourceModel(model)  # type: ignore[arg-type]  # None is allowed
        self._view.setColumnWidth(0, px(84))
        self._view.scrollToBottom()

    def _note_place(self) -> None:
        bar = self._view.verticalScrollBar()
        self._at_end = bar.value() >= bar.maximum() - px(8)

    def _follow(self) -> None:
        if self._at_end:
            self._view.scrollToBottom()
