"""What happened in one experiment, line by line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

MOST_LINES = 5000
"""Older lines are dropped; the database keeps what matters."""

MOST_PRINTED = 1000
"""Older lines of plugins are dropped first, so that they push nothing else out."""


class LogLevel(IntEnum):
    """How much a line matters."""

    DETAIL = 0
    PRINTED = 1
    INFO = 2
    WARNING = 3
    ERROR = 4


LEVEL_WORDS = {
    LogLevel.DETAIL: "Everything",
    LogLevel.PRINTED: "Plugin output",
    LogLevel.INFO: "Information",
    LogLevel.WARNING: "Warnings",
    LogLevel.ERROR: "Errors",
}
"""What the filter calls the lines of a level and above."""

_SIGNS = {
    LogLevel.DETAIL: ("point", "text3"),
    LogLevel.PRINTED: ("plug-connected", "text3"),
    LogLevel.INFO: ("info-circle", "text2"),
    LogLevel.WARNING: ("alert-triangle-filled", "warn"),
    LogLevel.ERROR: ("circle-x-filled", "bad"),
}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: when (UTC), how much it matters, and a sentence.

    `source` is the plugin file that printed it; empty for axdesk's own sentences.
    """

    at: datetime
    level: LogLevel
    text: str
    source: str = ""

    @property
    def told(self) -> str:
        """What stands in the log."""
        return f"{self.source}: {self.text}" if self.source else self.text


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
        printed = [r for r, line in enumerate(self._lines) if line.level is LogLevel.PRINTED]
        self._drop(printed[: max(len(printed) - MOST_PRINTED, 0)])
        self._drop(list(range(len(self._lines) - MOST_LINES)))

    def _drop(self, rows: Sequence[int]) -> None:
        """Remove rows, given in rising order."""
        last = len(rows) - 1
        while last >= 0:
            first = last
            while first > 0 and rows[first - 1] == rows[first] - 1:
                first -= 1
            self.beginRemoveRows(QModelIndex(), rows[first], rows[last])
            del self._lines[rows[first] : rows[last] + 1]
            self.endRemoveRows()
            last = first - 1

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
                return line.at.astimezone().strftime("%H:%M:%S") if is_time else line.told
            case Qt.ItemDataRole.ToolTipRole:
                return f"{line.at.astimezone():%Y-%m-%d %H:%M:%S}" if is_time else line.told
            case Role.ICON:
                return "" if is_time else icon_name
            case Role.ICON_TONE:
                return tone
            case Role.TONE:
                return "text2" if is_time or line.level < LogLevel.INFO else "text"
            case Role.SORT:
                return line.level
            case _:
                return None
