"""The dialog that imports trials: how the file is read, what its columns tell, what becomes of it.

It asks for a plan whenever something is changed, and shows the plan that it is given.
"""

from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QGridLayout, QHBoxLayout, QScrollArea, QWidget

from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial_columns import ColumnUse
from axdesk.core.trial_import import (
    FileTable,
    ImportColumn,
    ImportPlan,
    ImportSettings,
    ReadSettings,
)
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.import_model import OUTCOME, ROW, ImportRowsModel, use_choices
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.labels import ElidedLabel, label, set_tone
from axdesk.gui.widgets.tables import TableView

_NAME = "dialog.import"
_COLUMNS_SHOWN = 5
_MOST_HEAD_ROWS = 30
_WIDTHS = {ROW: 56, OUTCOME: 300}
_CELL_WIDTH = 128

_DECIMALS = (
    Choice(None, "As the file shows"),
    Choice("point", "Point (1.5)"),
    Choice("comma", "Comma (1,5)"),
)
_ENCODINGS = (
    Choice("", "As found"),
    Choice("utf-8-sig", "UTF-8"),
    Choice("utf-16", "UTF-16"),
    Choice("cp1252", "Windows-1252"),
)
_DELIMITERS = (
    Choice("", "As found"),
    Choice("\t", "Tab"),
    Choice(";", "Semicolon"),
    Choice(",", "Comma"),
    Choice("|", "Bar"),
)


class ImportDialog(Dialog):
    """Shows what an import would do, and asks for it.

    Signals:
        read_wanted: The file is to be read otherwise; carries the `ReadSettings`.
        plan_wanted: The rows are to be understood otherwise; carries the `ImportSettings`.
        confirmed: The operator wants the plan that is shown; carries it.
    """

    read_wanted = Signal(object)
    plan_wanted = Signal(object)
    confirmed = Signal(object)

    def __init__(self, parent: QWidget | None, file_name: str, setup: ExperimentSetup) -> None:
        super().__init__(
            parent,
            name=_NAME,
            title=f"Import trials from {file_name}",
            sentence="Nothing is written until you press Import. Check what each column tells; "
            "rows with something wrong are left out.",
            ways=(Way("cancel", "Cancel"), Way("import", "Import", "primary", "table-import")),
            icon_name="table-import",
            width=980,
        )  # fmt: skip
        self.reading = ReadSettings()
        self.settings = ImportSettings()
        self.plan: ImportPlan | None = None
        self.model = ImportRowsModel(self)
        self._choices = use_choices(setup)
        self._rows: list[_ColumnRow] = []
        self._build_options()
        self._build_columns()
        self._build_rows()
        self.show_waiting("Reading the file…")

    # building

    def _build_options(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(px(8))
        self.sheet = self._option(line, "Sheet", "sheet", ())
        self.encoding = self._option(line, "Encoding", "encoding", _ENCODINGS)
        self.delimiter = self._option(line, "Cells parted by", "delimiter", _DELIMITERS)
        self.decimal = self._option(line, "Decimal sign", "decimal", _DECIMALS)
        self.head_row = self._option(line, "Heads in row", "head_row", ())
        line.addStretch(1)
        self.body.addLayout(line)
        self.sheet.chosen.connect(lambda sheet: self._read(sheet=sheet))
        self.encoding.chosen.connect(lambda encoding: self._read(encoding=encoding))
        self.delimiter.chosen.connect(lambda delimiter: self._read(delimiter=delimiter))
        self.decimal.chosen.connect(lambda sign: self._understand(decimal=sign))
        self.head_row.chosen.connect(lambda row: self._understand(head_row=row, uses={}, units={}))

    def _option(
        self, line: QHBoxLayout, text: str, name: str, choices: Sequence[Choice]
    ) -> ComboField:
        field = ComboField(choices, name=f"{_NAME}.{name}", compact=True)
        field.setAccessibleName(text)
        field.setSizeAdjustPolicy(ComboField.SizeAdjustPolicy.AdjustToContents)
        words = label(text, "small", "text2")
        words.setBuddy(field)
        line.addWidget(words)
        line.addWidget(field)
        field.setProperty("words", words)
        return field

    def _build_columns(self) -> None:
        self._area = QScrollArea()
        self._area.setObjectName(f"{_NAME}.columns")
        self._area.setAccessibleName("What each column tells")
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFixedHeight(px(34 * _COLUMNS_SHOWN + 26))
        self.body.addWidget(self._area)

    def _build_rows(self) -> None:
        line = QHBoxLayout()
        self.summary = label("", "body", wrap=True)
        self.summary.setObjectName(f"{_NAME}.summary")
        self.remarks = label("", "small", "text2", wrap=True)
        self.remarks.setObjectName(f"{_NAME}.remarks")
        self.skipped_only = QCheckBox("Only rows that are skipped")
        self.skipped_only.setObjectName(f"{_NAME}.skipped_only")
        self.skipped_only.toggled.connect(self.model.show_skipped_only)
        self.duplicates = QCheckBox("Also import rows that are there already")
        self.duplicates.setObjectName(f"{_NAME}.duplicates")
        self.duplicates.toggled.connect(lambda on: self._understand(keeps_duplicates=on))
        line.addWidget(self.skipped_only)
        line.addWidget(self.duplicates)
        line.addStretch(1)
        self.table = TableView(name=f"{_NAME}.rows", label="Rows of the file")
        self.table.setSortingEnabled(False)
        self.table.setModel(self.model)
        self.table.setMinimumHeight(px(210))
        for widget in (self.summary, self.remarks, self.table):
            self.body.addWidget(widget)
        self.body.addLayout(line)

    # what is shown

    def show_waiting(self, sentence: str) -> None:
        """Say what is waited for; nothing can be imported meanwhile."""
        self._say(sentence, "text2")
        self.buttons["import"].set_available(False, reason=sentence)

    def show_error(self, sentence: str) -> None:
        """Say why there is no plan, or why it was not carried out; the plan shown is kept."""
        self._say(sentence, "bad")
        self.buttons["import"].set_available(False, reason=sentence)

    def show_table(self, table: FileTable) -> None:
        """Show how the file was read."""
        is_text = bool(table.delimiter)
        self._show_option(self.sheet, len(table.sheets) > 1)
        self._show_option(self.encoding, is_text and bool(table.encoding))
        self._show_option(self.delimiter, is_text)
        self._show_option(self.decimal, is_text)
        self.sheet.set_choices([Choice(name, name) for name in table.sheets])
        self.sheet.set_value(table.sheet)
        found = {choice.value: choice.text for choice in _DELIMITERS}.get(table.delimiter, "")
        self.delimiter.setItemText(0, f"As found: {found.lower()}" if found else "As found")
        rows = range(1, min(len(table.rows), _MOST_HEAD_ROWS) + 1)
        self.head_row.set_choices([Choice(0, "None"), *(Choice(n, str(n)) for n in rows)])
        self._show_option(self.head_row, table.uses is None)

    def show_plan(self, plan: ImportPlan) -> None:
        """Show what would become of each row."""
        self.plan = plan
        self.head_row.set_value(plan.head_row)
        self._show_columns(plan)
        self.model.show_plan(plan)
        for column in range(self.model.columnCount()):
            self.table.setColumnWidth(column, px(_WIDTHS.get(column, _CELL_WIDTH)))
        self._say(plan.summary(), "bad" if plan.problems or not plan.trials else "text")
        told = (*plan.remarks, plan.outside())
        self.remarks.setText("\n".join(sentence for sentence in told if sentence))
        self.remarks.setVisible(any(told))
        count = len(plan.trials)
        self.buttons["import"].setText(f"Import {counted(count, 'trial')}" if count else "Import")
        self.buttons["import"].set_available(count > 0, reason=plan.summary() if count == 0 else "")

    def _show_columns(self, plan: ImportPlan) -> None:
        heads = [column.head for column in plan.columns]
        if [row.head for row in self._rows] != heads:
            self._make_columns(plan.columns)
        for row, column in zip(self._rows, plan.columns, strict=True):
            row.show_column(column)

    def _make_columns(self, columns: Sequence[ImportColumn]) -> None:
        content = Surface("card")
        grid = QGridLayout(content)
        grid.setContentsMargins(px(14), px(8), px(14), px(8))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(4))
        for place, head in enumerate(("Column of the file", "Tells", "Unit in the file", "")):
            grid.addWidget(label(head, "head", "text2"), 0, place)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(3, 3)
        self._rows = []
        for number, column in enumerate(columns):
            row = _ColumnRow(number, column.head, self._choices)
            row.put_into(grid, number + 1)
            row.use.chosen.connect(lambda use, number=number: self._give_use(number, use))
            row.unit.committed.connect(lambda unit, number=number: self._give_unit(number, unit))
            self._rows.append(row)
        grid.setRowStretch(len(columns) + 1, 1)
        self._area.setWidget(content)

    def _say(self, sentence: str, tone: str) -> None:
        self.summary.setText(sentence)
        set_tone(self.summary, tone)

    @staticmethod
    def _show_option(field: ComboField, is_shown: bool) -> None:
        field.setVisible(is_shown)
        field.property("words").setVisible(is_shown)

    # what is asked for

    def choose(self, key: str) -> None:
        """Ask for the import, and stay until it is done; any other button closes."""
        if key != "import":
            super().choose(key)
        elif self.plan is not None:
            self.show_waiting("Importing…")
            self.confirmed.emit(self.plan)

    def close_done(self) -> None:
        """Close: the trials are stored."""
        super().choose("import")

    def _read(self, **changes: str) -> None:
        self.reading = replace(self.reading, **changes)
        self.settings = ImportSettings(
            self.settings.decimal, keeps_duplicates=self.settings.keeps_duplicates
        )
        self.show_waiting("Reading the file…")
        self.read_wanted.emit(self.reading)

    def _give_use(self, number: int, use: ColumnUse) -> None:
        self._understand(uses={**self.settings.uses, number: use})

    def _give_unit(self, number: int, unit: str) -> None:
        self._understand(units={**self.settings.units, number: unit.strip()})

    def _understand(self, **changes: object) -> None:
        self.settings = replace(self.settings, **changes)  # type: ignore[arg-type]  # by name
        self.show_waiting("Checking the rows…")
        self.plan_wanted.emit(self.settings)


class _ColumnRow:
    """What one column of the file tells."""

    def __init__(self, number: int, head: str, choices: Sequence[Choice]) -> None:
        self.head = head
        self._name = ElidedLabel(head)
        self.use = ComboField(choices, name=f"{_NAME}.use.{number}", compact=True)
        self.use.setAccessibleName(f"What {head} tells")
        self.use.setFixedWidth(px(240))
        self.unit = TextField(name=f"{_NAME}.unit.{number}")
        self.unit.setAccessibleName(f"Unit of {head} in the file")
        self.unit.setFixedWidth(px(136))
        self._remark = ElidedLabel("", "small", "text2")

    def put_into(self, grid: QGridLayout, line: int) -> None:
        """Add the widgets to a line of a grid."""
        for place, widget in enumerate((self._name, self.use, self.unit, self._remark)):
            grid.addWidget(widget, line, place)

    def show_column(self, column: ImportColumn) -> None:
        """Show what the plan makes of the column."""
        self.use.set_value(column.use)
        self.unit.set_committed("fraction" if column.unit == "1" else column.unit)
        self.unit.setPlaceholderText(column.own_unit)
        self.unit.setVisible(bool(column.own_unit or column.unit))
        self._remark.setText(column.remark)
        set_tone(self._remark, "warn" if column.is_doubtful else "text2")
