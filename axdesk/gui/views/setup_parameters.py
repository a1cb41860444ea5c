"""The page Parameters: what may change from trial to trial, and how far."""

import math

from PySide6.QtWidgets import QHBoxLayout

from axdesk.core.draft_cells import ParameterKind, Section, parse_number, value_text
from axdesk.core.errors import UserInputError
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.parameter_table import NEW_ROW, WIDE, ParameterTable
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import CellFields, TablePage, table_foot
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.delegates import CheckDelegate, TagsDelegate
from axdesk.gui.widgets.fields import TextField, labelled
from axdesk.gui.widgets.labels import label

WIDTHS = (44, 0, 78, 118, 84, 92, 128, 116)


class ParametersPage(TablePage):
    """The table of parameters, its problems, and the details of the selected row."""

    section = Section.PARAMETERS

    def __init__(self, model: DraftModel) -> None:
        super().__init__(
            model, "Parameters", "What axdesk may change from trial to trial, and how far."
        )
        self._duplicate = Button(
            "Duplicate", "copy", on_click=self._duplicate_row, name="setup.parameters.duplicate"
        )
        self._remove = Button(
            "Remove", "trash", on_click=self._remove_selected, name="setup.parameters.remove"
        )
        self._duplicate.setToolTip("Ctrl+D")
        self._remove.setToolTip("Del")
        tools = QHBoxLayout()
        tools.setSpacing(px(8))
        tools.addWidget(self._duplicate)
        tools.addWidget(self._remove)
        tools.addStretch(1)
        self.body.addLayout(tools)

        self._parameters = ParameterTable(model)
        table = SetupTable(
            self._parameters, name="setup.parameters.table", label="Parameters", widths=WIDTHS,
            empty="No parameters yet.",
        )  # fmt: skip
        table.setItemDelegateForColumn(0, CheckDelegate(table))
        table.setItemDelegateForColumn(4, TagsDelegate(table))
        self._add = Button(
            "Add parameter", "plus", kind="quiet", on_click=self.add_row,
            name="setup.parameters.add",
        )  # fmt: skip
        foot = table_foot(
            self._add, "or press Enter in the last row. Paste rows from a spreadsheet with Ctrl V."
        )
        self.set_up(table, foot, "setup.parameters.issues")
        table.duplicate_wanted.connect(self._duplicate_at)
        table.pasted.connect(self._paste)
        self._parameters.dataChanged.connect(self._span_choices)
        self._parameters.rowsInserted.connect(self._span_choices)
        self._parameters.rowsRemoved.connect(self._span_choices)
        self._add_details()
        self.body.addStretch(1)
        self._span_choices()

    def _add_details(self) -> None:
        self._details = Card(
            "Details", note="details of the selected row", name="setup.parameters.details"
        )
        self._details_fields = CellFields(self.model, Section.PARAMETERS)
        description = TextField(
            placeholder="What it is, for whoever reads it later",
            name="setup.parameters.details.description",
        )
        self._choices = TextField(
            placeholder="Toluene; 1,4-Dioxane; DMF", name="setup.parameters.details.choices"
        )
        self._choices_cell = labelled("Choices, separated by semicolons", self._choices)
        dependents = TextField(
            placeholder="Toluene: Water, Time; DMF: Time",
            name="setup.parameters.details.dependents",
        )
        self._dependents_cell = labelled(
            "Parameters that exist only with some of the choices", dependents
        )
        step = TextField(
            placeholder="Every value between Low and High", name="setup.parameters.details.step"
        )
        self._step_cell = labelled("Step, counted from Low", step)
        self._off = label(
            "Off: every trial has the start value; without one the runner does not get it.",
            "body",
            "text2",
            wrap=True,
        )
        self._spread_head = label("Spread on this scale", "head", "text2")
        self._spread = label("", "body", "text2", wrap=True)
        self._details.body.addWidget(self._off)
        self._details.body.addWidget(self._choices_cell)
        self._details.body.addWidget(self._dependents_cell)
        self._details.body.addWidget(self._step_cell)
        self._details.body.addWidget(labelled("Description", description))
        self._details.body.addWidget(self._spread_head)
        self._details.body.addWidget(self._spread)
        self._details_fields.add("description", description)
        self._details_fields.add("choices", self._choices)
        self._details_fields.add("dependents", dependents)
        self._details_fields.add("step", step)
        self.body.addWidget(self._details)

    def refresh(self) -> None:
        """Show problems, and the details of the selected row."""
        super().refresh()
        row, editable = self.table.current_row, not self.model.is_read_only
        has_row = 0 <= row < self._parameters.rowCount()
        self._add.setEnabled(editable)
        for button in (self._duplicate, self._remove):
            button.set_available(editable and has_row, reason="Select a row first.")
        self._details.setVisible(has_row)
        if not has_row:
            return
        name = self._parameters.text(row, "name").strip()
        self._details.set_title(name or f"Row {row + 1}", "details of the selected row")
        self._details_fields.row = row
        self._details_fields.refresh()
        kind = self._parameters.kind_of(row)
        self._off.setVisible(not self._parameters.is_on(row))
        for cell in (self._choices_cell, self._dependents_cell):
            cell.setVisible(kind == ParameterKind.CHOICE)
        is_range = kind in (ParameterKind.DECIMAL, ParameterKind.WHOLE)
        for part in (self._step_cell, self._spread_head, self._spread):
            part.setVisible(is_range)
        if is_range:
            self._spread.setText(self._spread_of(row))

    def new_row(self) -> dict[str, str]:
        """A decimal number that is on."""
        return dict(NEW_ROW)

    def _spread_of(self, row: int) -> str:
        """Five values that are evenly spread on the row's scale."""
        is_log = self._parameters.text(row, "scale") == "log"
        try:
            low, high = (parse_number(self._parameters.text(row, f)) for f in ("low", "high"))
        except UserInputError:
            return "Shown as soon as Low and High are numbers"
        if low >= high or (is_log and low <= 0):
            return "Shown as soon as Low is valid"
        steps = [index / 4 for index in range(5)]
        if is_log:
            values = [low * math.exp(step * math.log(high / low)) for step in steps]
        else:
            values = [low + step * (high - low) for step in steps]
        step = self._step_of(row)
        digits = 3 if step is None else 6
        if step is not None:
            steps_up = dict.fromkeys(round((value - low) / step) for value in values)
            values = [low + step * count for count in steps_up if low + step * count <= high]
        return " · ".join(value_text(float(f"{value:.{digits}g}")) for value in values)

    def _step_of(self, row: int) -> float | None:
        text = self._parameters.text(row, "step").strip()
        try:
            step = parse_number(text) if text else 0.0
        except UserInputError:
            step = 0.0
        is_whole = self._parameters.kind_of(row) == ParameterKind.WHOLE
        return step if step > 0 else (1.0 if is_whole else None)

    def _span_choices(self, *_: object) -> None:
        """Let choices and expressions run across low, high and scale."""
        for row in range(self._parameters.rowCount()):
            wide = self._parameters.kind_of(row) in WIDE
            if self.table.columnSpan(row, 4) != (3 if wide else 1):
                self.table.setSpan(row, 4, 1, 3 if wide else 1)

    def _duplicate_row(self) -> None:
        self._duplicate_at(self.table.current_row)

    def _duplicate_at(self, row: int) -> None:
        if not 0 <= row < self._parameters.rowCount():
            return
        names = {self._parameters.text(i, "name") for i in range(self._parameters.rowCount())}
        name = self._parameters.text(row, "name")
        copies = (f"{name} {number}" for number in range(2, len(names) + 3))
        copy = next(candidate for candidate in copies if candidate not in names)
        copied = {**self._parameters.row(row), "name": copy if name else ""}
        if self.model.insert_rows(Section.PARAMETERS, row + 1, [copied]):
            self.table.go_to(row + 1, 1)

    def _remove_selected(self) -> None:
        self.remove_rows(self.table.selected_rows())

    def _paste(self, text: str) -> None:
        index = self.table.currentIndex()
        row = index.row() if index.isValid() else self._parameters.rowCount()
        column = index.column() if index.isValid() else 1
        field = self._parameters.columns[column].field
        self.model.replace_rows(Section.PARAMETERS, self._parameters.pasted(text, row, field))
        self.table.select_row(max(row, 0))
