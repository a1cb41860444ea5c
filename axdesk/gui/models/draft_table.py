"""A table over the rows of one section of the draft."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.core.draft_cells import Problem, Row, Section
from axdesk.gui.models.cell_text import joined_cells
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field that it shows, its head, and whether it holds numbers."""

    field: str
    title: str
    is_number: bool = False


class DraftTable(QAbstractTableModel):
    """Rows of the draft as cells: as typed, with what is wrong, and never anything else.

    It keeps the rows that the view knows of, so that each change of the draft reaches the view as
    the smallest step: cells that changed, rows inserted, rows removed.
    """

    section: ClassVar[Section]
    columns: ClassVar[tuple[Column, ...]]

    def __init__(self, model: DraftModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.draft_model = model
        self._rows: tuple[Row, ...] = model.rows(self.section)
        self._fresh: int | None = None
        self._issues: dict[tuple[int, int], Problem] = {}
        self._find_issues()
        model.refreshed.connect(self._follow)

    # what the view asks

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as above
        """Return the number of columns."""
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's head."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return RIGHT if column.is_number else LEFT
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        if not self.checkIndex(index, QAbstractTableModel.CheckIndexOption.IndexIsValid):
            return None
        row, field = index.row(), self.columns[index.column()].field
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.shown(row, field)
            case Qt.ItemDataRole.EditRole:
                return self.edited(row, field)
            case Qt.ItemDataRole.TextAlignmentRole:
                return RIGHT if self.is_number(row, field) else LEFT
            case Role.CHOICES:
                return self.offered(row, field)
            case Role.ISSUE:
                return self.issue_at(row, index.column())
            case Role.ISSUE_LEVEL:
                problem = self._issues.get((row, index.column()))
                return "warning" if problem in self.draft_model.doubts else None
            case Qt.ItemDataRole.ToolTipRole:
                issue = self.issue_at(row, index.column())
                return issue or self.locked_reason(row, field) or None
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._spoken(index)
            case _:
                return self.look(row, field, role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Say what can be done with a cell."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.NoItemFlags
        flags = flag.ItemIsSelectable | flag.ItemIsEnabled | flag.ItemNeverHasChildren
        field = self.columns[index.column()].field
        if self.is_editable(index.row(), field) and not self.locked_reason(index.row(), field):
            flags |= flag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Put what was typed into the draft."""
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        cells = self.cells_for(index.row(), self.columns[index.column()].field, str(value or ""))
        return self.draft_model.edit_cells(self.section, index.row(), cells, merges=True)

    # what the tables say of their cells

    def shown(self, row: int, field: str) -> str:
        """The text of a cell."""
        return self.text(row, field)

    def edited(self, row: int, field: str) -> str:
        """The text that an editor of the cell starts with."""
        return self.text(row, field)

    def cells_for(self, _row: int, field: str, text: str) -> Mapping[str, str]:
        """The fields that change where `text` is typed into a cell."""
        return {field: text}

    def offered(self, _row: int, _field: str) -> Sequence[Choice] | None:
        """The values that a cell is chosen from; None where it is typed."""
        return None

    def is_number(self, _row: int, field: str) -> bool:
        """Whether a cell stands at the right."""
        return next(column.is_number for column in self.columns if column.field == field)

    def is_editable(self, _row: int, _field: str) -> bool:
        """Whether a cell can be edited."""
        return True

    def look(self, row: int, field: str, role: int) -> object:
        """Further roles of a cell."""
        if role == Role.TONE and self.is_editable(row, field):
            return "text2" if self.locked_reason(row, field) else None
        return None

    def stored_field(self, _row: int, field: str) -> str:
        """The field of the draft that a cell shows."""
        return field

    def locked_reason(self, row: int, field: str) -> str:
        """Why a cell cannot be edited in this state of the run; empty if it can."""
        stored = self.stored_field(row, field)
        return self.draft_model.locked_reason(self.section, row, stored)

    def column_of(self, _row: int, field: str) -> int | None:
        """The column that shows a field of a row; None if none does."""
        return next((i for i, c in enumerate(self.columns) if c.field == field), None)

    # shared

    def text(self, row: int, field: str) -> str:
        """A field's text as typed."""
        return self._rows[row].get(field, "")

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows as they are shown."""
        return self._rows

    def row(self, row: int) -> Row:
        """A row as it is shown."""
        return self._rows[row]

    def copied(self, rows: Iterable[int]) -> str:
        """Rows as text for the clipboard."""
        fields = [column.field for column in self.columns]
        return joined_cells([[self.shown(row, field) for field in fields] for row in rows])

    def issue_at(self, row: int, column: int) -> str:
        """What is wrong with a cell, or an empty text."""
        problem = self._issues.get((row, column))
        return "" if problem is None or self.is_forgiven(problem) else problem.message

    def is_forgiven(self, problem: Problem) -> bool:
        """Whether it is too early to say so: an empty cell of the row being filled in."""
        if problem.row is None or problem.row != self._fresh or problem.row >= len(self._rows):
            return False
        column = self.column_of(problem.row, problem.field)
        return column is not None and not self.shown(problem.row, self.columns[column].field)

    def begin_row(self, row: int) -> None:
        """Name the row that is being filled in for the first time."""
        self._fresh = row
        self._touch_all()

    def leave_row(self, row: int) -> None:
        """Be frank about the empty cells of a row that was filled in and left."""
        if row == self._fresh:
            self._fresh = None
            self._touch_all()

    def _spoken(self, index: Index) -> str:
        title = self.columns[index.column()].title
        shown = self.shown(index.row(), self.columns[index.column()].field) or "empty"
        issue = self.issue_at(index.row(), index.column())
        return f"{title} {shown}. {issue}".strip() if issue else f"{title} {shown}".strip()

    def _find_issues(self) -> None:
        self._issues = {}
        model = self.draft_model
        for problem in (*model.problems_of(self.section), *model.doubts_of(self.section)):
            if problem.row is not None and problem.row < len(self._rows):
                column = self.column_of(problem.row, problem.field)
                if column is not None:
                    self._issues.setdefault((problem.row, column), problem)

    def _follow(self) -> None:
        """Tell the view of the smallest step from the rows it knows to those of the draft."""
        before, after = self._rows, self.draft_model.rows(self.section)
        head = _equal_rows(before, after)
        tail = min(_equal_rows(before[::-1], after[::-1]), len(before) - head, len(after) - head)
        gone, come = len(before) - head - tail, len(after) - head - tail
        parent = QModelIndex()
        # Rows come or go first, with all others as they were; then the others change.
        if gone > come:
            self.beginRemoveRows(parent, head + come, head + gone - 1)
            self._rows = before[: head + come] + before[head + gone :]
            self.endRemoveRows()
        elif come > gone:
            self.beginInsertRows(parent, head + gone, head + come - 1)
            new = after[head + gone : head + come]
            self._rows = before[: head + gone] + new + before[head + gone :]
            self.endInsertRows()
        self._rows = after
        self._find_issues()
        self._touch_all()

    def _touch_all(self) -> None:
        if self._rows:
            last = self.index(len(self._rows) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)


def _equal_rows(first: Sequence[Row], second: Sequence[Row]) -> int:
    """How many rows from the start are equal."""
    for count, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return count
    return min(len(first), len(second))


def with_current(choices: Sequence[Choice], text: str, empty: str = "Choose…") -> list[Choice]:
    """The choices, and the text that stands there where it is none of them, so that it stays."""
    if any(choice.value == text for choice in choices):
        return list(choices)
    return [Choice(text, text or empty), *choices]
