"""The page Parameters: what may change from trial to trial, and how far."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, QSignalBlocker, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu

from axdesk.core.draft_cells import ParameterKind, Problem, Section
from axdesk.gui.icons import icon
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import Index
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.parameter_paste import NEW_ROW, WIDE, read_rows, tabbed
from axdesk.gui.models.parameter_table import MENU, OPTIONAL, ParameterTable
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import px
from axdesk.gui.views.parameter_details import ParameterDetails
from axdesk.gui.views.setup_page import TableFoot, TablePage
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.delegates import GripDelegate, TagsDelegate
from axdesk.gui.widgets.labels import label

_WIDTHS = {
    "on": 62, "name": 0, "unit": 78, "kind": 118, "low": 92, "high": 92, "scale": 136,
    "start": 116, "step": 84, "description": 220, MENU: 40,
}  # fmt: skip
_SPANNED = ("low", "high", "scale")
_SPANNING = (*WIDE, ParameterKind.YES_NO.value)


class ParametersPage(TablePage):
    """The table of parameters, its problems, and the details of the selected row.

    Signals:
        file_requested: The operator wants the parameters of a file; carries its `Path`. Its text
            is handed to `import_text`.
    """

    file_requested = Signal(object)
    section = Section.PARAMETERS

    def __init__(self, model: DraftModel, settings: WindowSettings | None = None) -> None:
        self._settings = settings or WindowSettings()
        super().__init__(
            model, "Parameters", "What axdesk may change from trial to trial, and how far."
        )
        self._parameters = ParameterTable(model)
        self._add_tools()
        fields = [column.field for column in self._parameters.columns]
        self._column = {field: index for index, field in enumerate(fields)}
        table = SetupTable(
            self._parameters, name="setup.parameters.table", label="Parameters",
            widths=[_WIDTHS[field] for field in fields], empty="No parameters yet.",
            grip=GripDelegate.GRIP,
        )  # fmt: skip
        table.setItemDelegateForColumn(self._column["on"], GripDelegate(table))
        table.setItemDelegateForColumn(self._column["low"], TagsDelegate(table))
        self._add = Button(
            "Add parameter", "plus", kind="quiet", on_click=self.add_row,
            name="setup.parameters.add",
        )  # fmt: skip
        foot = TableFoot(
            self._add, "or press Enter in the last row. Paste rows from a spreadsheet with Ctrl V."
        )
        self.set_up(table, foot, "setup.parameters.issues")
        table.duplicate_wanted.connect(self.duplicate_rows)
        table.pasted.connect(self.paste)
        table.menu_wanted.connect(self._show_menu)
        table.clicked.connect(self._open_menu_at)
        for signal in (
            self._parameters.dataChanged, self._parameters.rowsInserted,
            self._parameters.rowsRemoved,
        ):  # fmt: skip
            signal.connect(self._span_choices)
        self._details = ParameterDetails(model, self._parameters)
        self.body.addWidget(self._details)
        self.body.addStretch(1)
        self._columns_menu = self._made_columns_menu()
        self._columns.setMenu(self._columns_menu)
        self._show_kept_columns()
        self._settings.changed.connect(self._show_kept_columns)

    def _add_tools(self) -> None:
        self._duplicate = Button(
            "Duplicate",
            "copy",
            on_click=self._duplicate_selected,
            name="setup.parameters.duplicate",
        )
        self._remove = Button(
            "Remove", "trash", on_click=self._remove_selected, name="setup.parameters.remove"
        )
        self._import = Button("Import", "table-import", name="setup.parameters.import")
        imports = QMenu(self)
        for name, text, act in (
            ("clipboard", "Paste as new rows", self.paste_new),
            ("file", "From a file…", self._choose_file),
        ):
            action = imports.addAction(text)
            action.setObjectName(f"setup.parameters.import.{name}")
            action.triggered.connect(lambda _=False, act=act: act())
        self._import.setMenu(imports)
        self._hidden = label("", "small", "text2")
        self._columns = Button("Columns", "columns-3", name="setup.parameters.columns")
        tools = QHBoxLayout()
        tools.setSpacing(px(8))
        for button in (self._duplicate, self._remove, self._import):
            tools.addWidget(button)
        tools.addStretch(1)
        tools.addWidget(self._hidden)
        tools.addWidget(self._columns)
        self.body.addLayout(tools)

    # columns

    def _made_columns_menu(self) -> QMenu:
        menu = QMenu(self)
        for field in OPTIONAL:
            action = menu.addAction(self._parameters.columns[self._column[field]].title)
            action.setObjectName(f"setup.parameters.columns.{field}")
            action.setCheckable(True)
            action.setChecked(True)
            action.toggled.connect(lambda on, f=field: self._keep_column(f, is_shown=on))
        return menu

    def _keep_column(self, field: str, *, is_shown: bool) -> None:
        """Show or hide a column from now on, in every experiment."""
        hidden = set(self._settings.hidden_setup_columns) - {field}
        hidden |= set() if is_shown else {field}
        self._settings.hidden_setup_columns = [f for f in OPTIONAL if f in hidden]

    def _show_kept_columns(self) -> None:
        for field in OPTIONAL:
            self.show_column(field, is_shown=field not in self._settings.hidden_setup_columns)

    def show_column(self, field: str, *, is_shown: bool) -> None:
        """Show or hide one of the optional columns."""
        column = self._column[field]
        action = self._columns_menu.actions()[OPTIONAL.index(field)]
        with QSignalBlocker(action):
            action.setChecked(is_shown)
        self.table.setColumnHidden(column, not is_shown)
        self.table.fit()
        hidden = sum(self.table.isColumnHidden(self._column[f]) for f in OPTIONAL)
        self._hidden.setText(f"{counted(hidden, 'column')} hidden" if hidden else "")
        self._span_choices()

    # showing

    def refresh(self) -> None:
        """Show problems, and the details of the selected row."""
        super().refresh()
        row = self.table.current_row
        locked = self.model.rows_locked_reason(Section.PARAMETERS)
        has_row = 0 <= row < self._parameters.rowCount()
        self._import.set_available(not locked, reason=locked)
        for button, keys in ((self._duplicate, "Ctrl+D"), (self._remove, "Del")):
            button.set_available(has_row and not locked, reason=locked or "Select a row first.")
            if button.isEnabled():
                button.setToolTip(keys)
        self._details.setVisible(has_row)
        if has_row:
            self._details.show_row(row)

    def go_to(self, problem: Problem) -> None:
        """Go to the cell, or to the field below where the table shows none."""
        super().go_to(problem)
        if problem.row is None or not 0 <= problem.row < self._parameters.rowCount():
            return
        column = self._parameters.column_of(problem.row, problem.field)
        if column is None or self.table.isColumnHidden(column):
            self.refresh()
            if self._details.focus_field(problem.field):
                self.ensureWidgetVisible(self._details)

    def _span_choices(self, *_: object) -> None:
        """Let choices and expressions run across low, high and scale."""
        first = self._column["low"]
        for row in range(self._parameters.rowCount()):
            width = len(_SPANNED) if self._parameters.kind_of(row) in _SPANNING else 1
            if self.table.columnSpan(row, first) != width:
                self.table.setSpan(row, first, 1, width)

    # editing

    def new_row(self) -> dict[str, str]:
        """A decimal number that is on."""
        return dict(NEW_ROW)

    def duplicate_rows(self, rows: list[int]) -> None:
        """Put copies of rows behind them, and select the copies."""
        if reason := self.model.rows_locked_reason(Section.PARAMETERS):
            self.tell(reason)
        elif rows:
            at = rows[-1] + 1
            copies = self._parameters.duplicates(rows)
            self.model.insert_rows(Section.PARAMETERS, at, copies)
            self.table.go_to(at, self._column["name"])
            self.table.select_rows(at, len(copies))

    def paste(self, text: str) -> None:
        """Paste over the table from the current cell on."""
        index = self.table.currentIndex()
        row = index.row() if index.isValid() else self._parameters.rowCount()
        field = self._parameters.columns[index.column()].field if index.isValid() else "name"
        self._paste_at(text, row, field)

    def paste_new(self) -> None:
        """Paste as new rows at the end."""
        text = QGuiApplication.clipboard().text()
        self._paste_at(text, self._parameters.rowCount(), "name")

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Import parameters", "", "Tables as text (*.csv *.tsv *.txt);;All files (*)"
        )
        if chosen:
            self.file_requested.emit(Path(chosen))

    def import_text(self, text: str) -> None:
        """Add the parameters of a file as new rows."""
        if not text.strip():
            self.tell("The file is empty.")
        else:
            self._paste_at(tabbed(text), self._parameters.rowCount(), "name")

    def _paste_at(self, text: str, row: int, field: str) -> None:
        pasted = read_rows(text, "name" if field == MENU else field)
        if not pasted.rows:
            self.tell("The clipboard holds no text. Copy cells of a spreadsheet first.")
            return
        rows = self._parameters.pasted(text, row, field)
        was_taken = self.model.replace_rows(Section.PARAMETERS, rows)
        reason = self._parameters.locked_reason(row, "name")
        if not was_taken and reason:
            self.tell(reason)
            return
        self.table.select_rows(max(row, 0), len(pasted.rows))
        if pasted.left_out:
            names = ", ".join(f"“{name}”" for name in pasted.left_out)
            self.tell(f"No column of the table is called {names}; that was left out.")

    def _duplicate_selected(self) -> None:
        self.duplicate_rows(self.table.selected_rows())

    def _remove_selected(self) -> None:
        self.remove_rows(self.table.selected_rows())

    # the menu of rows

    def _open_menu_at(self, index: Index) -> None:
        if self._parameters.columns[index.column()].field == MENU:
            corner = self.table.visualRect(index).bottomLeft()
            self._show_menu(self.table.viewport().mapToGlobal(corner))

    def row_menu(self) -> QMenu:
        """The menu of the selected rows."""
        menu = QMenu(self)
        menu.setObjectName("setup.parameters.menu")
        rows = self.table.selected_rows()
        locked = self.model.rows_locked_reason(Section.PARAMETERS)
        count = self._parameters.rowCount()
        for text, icon_name, keys, act, is_possible in (
            ("Move up", "arrow-up", "Alt+Up", partial(self.table.move_selected, -1),
             bool(rows) and rows[0] > 0),
            ("Move down", "arrow-down", "Alt+Down", partial(self.table.move_selected, 1),
             bool(rows) and rows[-1] < count - 1),
            ("Duplicate", "copy", "Ctrl+D", self._duplicate_selected, bool(rows)),
            ("Remove", "trash", "Del", self._remove_selected, bool(rows)),
        ):  # fmt: skip
            action = menu.addAction(icon(icon_name, "text2"), f"{text}\t{keys}")
            action.setEnabled(is_possible and not locked)
            action.triggered.connect(lambda _=False, act=act: act())
        menu.addSeparator()
        copy = menu.addAction("Copy\tCtrl+C")
        copy.setEnabled(bool(rows))
        copy.triggered.connect(self.table.copy)
        has_text = bool(QGuiApplication.clipboard().text().strip())
        for text, act in (
            ("Paste from this cell on\tCtrl+V", self._paste_here),
            ("Paste as new rows", self.paste_new),
        ):
            action = menu.addAction(text)
            action.setEnabled(has_text and not locked)
            action.triggered.connect(lambda _=False, act=act: act())
        return menu

    def _paste_here(self) -> None:
        self.paste(QGuiApplication.clipboard().text())

    def _show_menu(self, place: QPoint) -> None:
        menu = self.row_menu()
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)
