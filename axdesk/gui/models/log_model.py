"""What happened in one experiment, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

MOST_LINES = 5000
"""Older lines are dropped; the database and the log file keep what matters."""


class LogLevel(IntEnum):
    """How much a line matters."""

    DETAIL = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


LEVEL_WORDS = {
    LogLevel.DETAIL: "Everything",
    LogLevel.INFO: "Information",
    LogLevel.WARNING: "Warnings",
    LogLevel.ERROR: "Errors",
}
"""What the filter calls the lines of a level and above."""

_SIGNS = {
    LogLevel.DETAIL: ("point", "text3"),
    LogLevel.INFO: ("info-circle", "text2"),
    LogLevel.WARNING: ("alert-triangle-filled", "warn"),
    LogLevel.ERROR: ("circle-x-filled", "bad"),
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: when (UTC), how much it matters, and a sentence."""

    at: datetime
    level: LogLevel
    text: str


class LogModel(QAbstractTableModel):
    """The lines in order; two columns: time and sentence."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lines: list[LogLine] = []

    @property
    def lines(self) -> tuple[LogLine, ...]:
        """All lines, in order."""
        return tuple(self._lines)

    def append(self, lines: Sequence[LogLine]) -> None:
        """Add lines at the end."""
        if not lines:
            return
        first = len(self._lines)
        self.beginInsertRows(QModelIndex(), first, first + len(lines) - 1)
        self._lines.extend(lines)
        self.endInsertRows()
        surplus = len(self._lines) - MOST_LINES
        if surplus > 0:
            self.beginRemoveRows(QModelIndex(), 0, surplus - 1)
            del self._lines[:surplus]
            self.endRemoveRows()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The lines."""
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """Time and sentence."""
        return 0 if parent.isValid() else 2

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return ("Time", "What happened")[section] if section < 2 else None
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell."""
        if not index.isValid() or not 0 <= index.row() < len(self._lines):
            return None
        line = self._lines[index.row()]
        icon_name, tone = _SIGNS[line.level]
        is_time = index.column() == 0
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return line.at.astimezone().strftime("%H:%M:%S") if is_time else line.text
            case Qt.ItemDataRole.ToolTipRole:
                return f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}" if is_time else line.text
            case Role.ICON:
                return "" if is_time else icon_name
            case Role.ICON_TONE:
                return tone
            case Role.TONE:
                return "text2" if is_time or line.level is LogLevel.DETAIL else "text"
            case Role.SORT:
                return line.level
            case _:
                return None
