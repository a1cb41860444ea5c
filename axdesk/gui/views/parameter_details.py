"""What the table of parameters has no room for, about the selected row."""

import math
from functools import partial

from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from axdesk.core.draft_cells import (
    ParameterKind,
    Section,
    parse_number,
    split_choices,
    unquoted,
    value_text,
    value_type_of,
)
from axdesk.core.errors import UserInputError
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.parameter_relations import (
    Condition,
    cells_with_condition,
    condition_of,
    possible_parents,
    values_of,
)
from axdesk.gui.models.parameter_table import RANGES, ParameterTable
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import CellFields
from axdesk.gui.widgets.buttons import Chip, Choice
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.fields import ComboField, TextField, labelled
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.wrapping_row import WrappingRow

_NAME = "setup.parameters.details"
_TYPES = {
    "int": "whole numbers", "float": "decimal numbers", "str": "texts", "bool": "yes or no"
}  # fmt: skip
_ORDERS = (
    Choice("", "As usual for such values"),
    Choice("yes", "Ordered: neighbours are alike"),
    Choice("no", "Unordered: none is nearer than another"),
)
_RESULTS = (Choice("", "Decimal number"), Choice("int", "Whole number, rounded"))


class ParameterDetails(Card):
    """The details of one parameter, by its type."""

    def __init__(self, model: DraftModel, table: ParameterTable) -> None:
        super().__init__("Details", note="details of the selected row", name=_NAME)
        self._model = model
        self._table = table
        self._row = -1
        self._fields = CellFields(model, Section.PARAMETERS)
        self._cells: dict[str, QWidget] = {}
        self._off = label("", "body", "text2", wrap=True)
        self.body.addWidget(self._off)
        self._add_text("choices", "Choices, separated by semicolons", "Toluene; 1,4-Dioxane; DMF")
        self._line = QHBoxLayout()
        self._line.setSpacing(px(12))
        self.body.addLayout(self._line)
        self._add_text("step", "Step, counted from Low", "Any value")
        for field, text in (
            ("value_type", "Values are"), ("is_ordered", "Order of the values"),
            ("result", "Result"),
        ):  # fmt: skip
            combo = _narrow(ComboField(name=f"{_NAME}.{field}"))
            self._cells[field] = labelled(text, combo)
            self._line.addWidget(self._cells[field], 1)
            stored = "value_type" if field == "result" else field
            combo.chosen.connect(partial(self._choose, stored))
        self._add_condition()
        self._add_text(
            "dependents", "Parameters that exist only with some of the choices",
            "Toluene: Water, Time; DMF: Time",
        )  # fmt: skip
        self._add_text("description", "Description", "What it is, for whoever reads it later")
        self._spread_head = label("Spread on this scale", "head", "text2")
        self._spread = label("", "body", "text2", wrap=True)
        self.body.addWidget(self._spread_head)
        self.body.addWidget(self._spread)

    def show_row(self, row: int) -> None:
        """Show the details of a row."""
        if row != self._row:
            self._row = row
            self._model.seal()
        table, kind = self._table, self._table.kind_of(row)
        name = table.text(row, "name").strip()
        self.set_title(name or f"Row {row + 1}", "details of the selected row")
        self._fields.row = row
        self._fields.refresh()
        self._show_off(row)
        is_choice, is_range = kind == ParameterKind.CHOICE, kind in RANGES
        has_values = is_choice or kind == ParameterKind.YES_NO
        for field, is_shown in (
            ("choices", is_choice),
            ("dependents", has_values),
            ("step", is_range),
            ("value_type", is_choice or kind == ParameterKind.FIXED),
            ("is_ordered", has_values),
            ("result", kind == ParameterKind.DERIVED),
        ):
            self._cells[field].setVisible(is_shown)
        self._show_combo("value_type", self._types(row))
        self._show_combo("is_ordered", _ORDERS)
        self._show_combo("result", _RESULTS)
        self._show_condition(row)
        for part in (self._spread_head, self._spread):
            part.setVisible(is_range)
        if is_range:
            self._spread.setText(self._spread_of(row))

    def focus_field(self, field: str) -> bool:
        """Give a field the focus; False if the details have none for it."""
        if self._fields.focus(field):
            return True
        combo = self.findChild(ComboField, f"{_NAME}.{field}")
        if combo is not None and combo.isVisible():
            combo.setFocus()
            return True
        return False

    # building

    def _add_text(self, field: str, text: str, placeholder: str) -> None:
        shown = TextField(placeholder=placeholder, name=f"{_NAME}.{field}")
        self._cells[field] = labelled(text, shown)
        if field == "step":
            self._line.addWidget(self._cells[field], 1)
        else:
            self.body.addWidget(self._cells[field])
        self._fields.add(field, shown)

    def _add_condition(self) -> None:
        self._parent = _narrow(ComboField(name=f"{_NAME}.only_if"))
        self._parent.chosen.connect(self._choose_parent)
        self._condition_cell = labelled("Exists", self._parent)
        self._values = QWidget()
        self._values.setObjectName(f"{_NAME}.only_if.values")
        self._values_row = WrappingRow()
        self._values.setLayout(self._values_row)
        self._chips: dict[str, Chip] = {}
        self._line.addWidget(self._condition_cell, 1)
        self.body.addWidget(self._values)

    # showing

    def _show_off(self, row: int) -> None:
        start = self._table.shown(row, "start")
        if start:
            self._off.setText(f"Off: every trial has the start value {start}.")
        else:
            self._off.setText(
                "Off, without a start value: the runner does not get this parameter. With a start "
                "value every trial would have that."
            )
        self._off.setVisible(not self._table.is_on(row))

    def _types(self, row: int) -> tuple[Choice, ...]:
        if self._table.kind_of(row) == ParameterKind.FIXED:
            texts: tuple[str, ...] = (unquoted(self._table.text(row, "start")),)
        else:
            texts = split_choices(self._table.text(row, "choices"))
        looks = _TYPES[value_type_of(texts)] if any(texts) else "numbers or texts"
        return (
            Choice("", f"What they look like: {looks}"),
            *(Choice(kind, word.capitalize()) for kind, word in _TYPES.items()),
        )

    def _show_combo(self, field: str, choices: tuple[Choice, ...]) -> None:
        combo = self.findChild(ComboField, f"{_NAME}.{field}")
        assert combo is not None, field
        stored = "value_type" if field == "result" else field
        text = self._table.text(self._row, stored)
        known = any(choice.value == text for choice in choices)
        combo.set_choices(choices if known else (Choice(text, text), *choices))
        combo.set_value(text)
        self._lock(combo, self._model.locked_reason(Section.PARAMETERS, self._row, stored))

    def _show_condition(self, row: int) -> None:
        rows = self._table.rows
        parents = possible_parents(rows, row)
        condition = condition_of(rows, row)
        is_shown = self._table.kind_of(row) != ParameterKind.DERIVED and (
            bool(parents) or condition is not None
        )
        self._condition_cell.setVisible(is_shown)
        self._values.setVisible(is_shown and condition is not None)
        if not is_shown:
            return
        offered = parents if condition is None else {*parents, condition.parent}
        self._parent.set_choices(
            (
                Choice(None, "In every trial"),
                *(Choice(i, f"Only with some of {rows[i]['name'].strip()}") for i in offered),
            )
        )
        self._parent.set_value(None if condition is None else condition.parent)
        name = self._table.text(row, "name").strip()
        reason = self._model.locked_reason(Section.PARAMETERS, row, "dependents")
        self._lock(self._parent, reason or ("" if name else "Give the parameter a name first."))
        self._show_chips(condition, is_open=self._parent.isEnabled())

    def _show_chips(self, condition: Condition | None, *, is_open: bool) -> None:
        rows = self._table.rows
        values: tuple[str, ...] = ()
        if condition is not None:
            values = tuple(dict.fromkeys((*values_of(rows[condition.parent]), *condition.values)))
        if values != tuple(self._chips):
            for chip in self._chips.values():
                self._values_row.removeWidget(chip)
                chip.hide()
                chip.deleteLater()
            self._chips = {value: Chip(value) for value in values}
            for value, chip in self._chips.items():
                chip.clicked.connect(lambda on, v=value: self._toggle_value(v, is_on=on))
                self._values_row.addWidget(chip)
                chip.show()
        for value, chip in self._chips.items():
            chip.setChecked(condition is not None and value in condition.values)
            chip.setEnabled(is_open)

    @staticmethod
    def _lock(field: QWidget, reason: str) -> None:
        field.setEnabled(not reason)
        field.setToolTip(reason)

    # editing

    def _choose(self, field: str, value: object) -> None:
        self._model.edit_cells(Section.PARAMETERS, self._row, {field: str(value)})

    def _choose_parent(self, parent: object) -> None:
        rows = self._table.rows
        condition = None
        if isinstance(parent, int):
            known = condition_of(rows, self._row)
            if known is not None and known.parent == parent:
                return
            condition = Condition(parent, values_of(rows[parent])[:1])
        self._put(condition)

    def _toggle_value(self, value: str, *, is_on: bool) -> None:
        condition = condition_of(self._table.rows, self._row)
        if condition is None:
            return
        others = tuple(v for v in condition.values if v != value)
        values = (*others, value) if is_on else others
        if values:
            self._put(Condition(condition.parent, values))
        else:
            self._chips[value].setChecked(True)  # one value at least; else choose “in every trial”

    def _put(self, condition: Condition | None) -> None:
        rows = self._table.rows
        cells = cells_with_condition(rows, self._row, condition)
        self._model.edit_rows(Section.PARAMETERS, cells)

    # the spread

    def _spread_of(self, row: int) -> str:
        """Five values that are evenly spread on the row's scale."""
        is_log = self._table.text(row, "scale") == "log"
        try:
            low, high = (parse_number(self._table.text(row, f)) for f in ("low", "high"))
        except UserInputError:
            return "Shown as soon as Low and High are numbers"
        if low >= high or (is_log and low <= 0):
            return "Shown as soon as Low is valid"
        steps = [index / 4 for index in range(5)]
        if is_log:
            values = [low * math.exp(step * math.log(high / low)) for step in steps]
        else:
            values = [low * (1 - step) + step * high for step in steps]
        step = self._step_of(row)
        digits = 3 if step is None else 6
        if step is not None and (high - low) / step < 1e9:
            steps_up = dict.fromkeys(round((value - low) / step) for value in values)
            values = [low + step * count for count in steps_up if low + step * count <= high]
        return " · ".join(value_text(float(f"{value:.{digits}g}")) for value in values)

    def _step_of(self, row: int) -> float | None:
        text = self._table.text(row, "step").strip()
        try:
            step = parse_number(text) if text else 0.0
        except UserInputError:
            step = 0.0
        is_whole = self._table.kind_of(row) == ParameterKind.WHOLE
        return step if step > 0 else (1.0 if is_whole else None)


def _narrow(combo: ComboField) -> ComboField:
    """Let a combo box be narrower than its longest alternative, such as a long name."""
    combo.setSizeAdjustPolicy(ComboField.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(12)
    combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    return combo
