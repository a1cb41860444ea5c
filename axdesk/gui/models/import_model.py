"""The rows of a file that is to be imported, with what becomes of each."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.core.trial_import import ImportPlan, ImportRow
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

ROW, OUTCOME = 0, 1
FIRST_CELL = 2
"""The columns in front of those of the file."""

_ROLE_WORDS = {
    ColumnRole.STATUS: "Status",
    ColumnRole.ARM: "Name of the arm",
    ColumnRole.NOTE: "Note",
    ColumnRole.REASON: "Reason",
    ColumnRole.EXCLUDED: "Excluded",
    ColumnRole.SOURCE: "Source",
    ColumnRole.STARTED: "Started",
    ColumnRole.FINISHED: "Finished",
    ColumnRole.DURATION: "Duration",
    ColumnRole.TRIAL: "Number of the trial",
}
IGNORED = ColumnUse(ColumnRole.IGNORED)


def use_choices(setup: ExperimentSetup) -> tuple[Choice, ...]:
    """Return what a column may tell."""
    choices = [Choice(IGNORED, "Ignored", "eye-off")]
    choices += [
        Choice(ColumnUse(ColumnRole.PARAMETER, p.name), p.name, "adjustments")
        for p in setup.search_space.tunable
    ]
    for metric in setup.optimization.metric_names:
        choices.append(Choice(ColumnUse(ColumnRole.MEAN, metric), metric, "target"))
        choices.append(Choice(ColumnUse(ColumnRole.SEM, metric), f"{metric}, standard error"))
    choices += [Choice(ColumnUse(role), word) for role, word in _ROLE_WORDS.items()]
    return tuple(choices)


class ImportRowsModel(QAbstractTableModel):
    """Row number, outcome, and the cells as they stand in the file; what is wrong stands out."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._plan: ImportPlan | None = None
        self._rows: tuple[ImportRow, ...] = ()
        self._shows_skipped_only = False

    def show_plan(self, plan: ImportPlan | None) -> None:
        """Show what an import would do; None shows nothing."""
        self.beginResetModel()
        self._plan = plan
        self._choose()
        self.endResetModel()

    def show_skipped_only(self, only: bool) -> None:
        """Show the rows that are skipped alone, or all."""
        self.beginResetModel()
        self._shows_skipped_only = only
        self._choose()
        self.endResetModel()

    def _choose(self) -> None:
        plan = self._plan
        rows = () if plan is None else plan.rows
        self._rows = tuple(r for r in rows if r.trial is None) if self._shows_skipped_only else rows

    def rowCount(self, parent: Index | None = None) -> int:
        """Return the number of rows shown."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:
        """Return the number of columns."""
        if self._plan is None or (parent is not None and parent.isValid()):
            return 0
        return FIRST_CELL + len(self._plan.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a head of the file."""
        if self._plan is None or orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(
                Qt.AlignmentFlag.AlignRight if section == ROW else Qt.AlignmentFlag.AlignLeft
            )
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if section < FIRST_CELL:
            return ("Row", "Outcome")[section]
        return self._plan.columns[section - FIRST_CELL].head

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows."""
        row = self._rows[index.row()]
        if index.column() == ROW:
            return _number_data(row, role)
        if index.column() == OUTCOME:
            return _outcome_data(row, role)
        return self._cell_data(row, index.column() - FIRST_CELL, role)

    def _cell_data(self, row: ImportRow, column: int, role: int) -> object:
        issue, doubt = row.issues.get(column, ""), row.doubts.get(column, "")
        match role:
            case Qt.ItemDataRole.DisplayRole:
                text = row.cells[column] if column < len(row.cells) else ""
                return " ".join(text.split())
            case Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleDescriptionRole:
                return issue or doubt or None
            case Role.ICON:
                return "alert-circle" if issue else "alert-triangle" if doubt else None
            case Role.TONE:
                return "bad" if issue else "warn" if doubt else None
            case Role.OFF:
                return self._is_ignored(column) or (row.trial is None and not issue)
            case _:
                return None

    def _is_ignored(self, column: int) -> bool:
        return self._plan is not None and self._plan.columns[column].use == IGNORED


def _number_data(row: ImportRow, role: int) -> object:
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return str(row.number)
        case Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        case Role.TONE:
            return "text2"
        case _:
            return None


def _outcome_data(row: ImportRow, role: int) -> object:
    is_ok = row.trial is not None
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return "Imported" if is_ok else f"Skipped: {row.reason}"
        case Qt.ItemDataRole.ToolTipRole:
            return row.reason or " ".join(row.deviations) or None
        case Role.ICON:
            return "check" if is_ok else "copy" if row.is_duplicate else "alert-circle"
        case Role.TONE:
            return "text" if is_ok or row.is_duplicate else "bad"
        case Role.ICON_TONE:
            return "good" if is_ok else "text2" if row.is_duplicate else "bad"
        case _:
            return None
