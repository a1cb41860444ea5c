"""The parameters of the draft as a table, and rows pasted from a spreadsheet."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from PySide6.QtCore import Qt

from axdesk.core.draft_cells import ParameterKind, Row, Section, split_choices
from axdesk.gui.models.draft_table import Column, DraftTable, Index, with_current
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.roles import Role

KINDS = (
    Choice(ParameterKind.DECIMAL.value, "Decimal", "wave-sine"),
    Choice(ParameterKind.WHOLE.value, "Whole", "number"),
    Choice(ParameterKind.CHOICE.value, "Choice", "list"),
    Choice(ParameterKind.FIXED.value, "Fixed", "lock"),
    Choice(ParameterKind.DERIVED.value, "Derived", "arrow-right"),
)
SCALES = (Choice("", "Linear"), Choice("log", "Logarithmic"))

TITLES: Mapping[str, str] = {
    "on": "On",
    "name": "Name",
    "unit": "Unit",
    "kind": "Type",
    "low": "Low",
    "high": "High",
    "step": "Step",
    "scale": "Scale",
    "choices": "Choices",
    "start": "Start value",
    "description": "Description",
    "expression": "Expression",
    "dependents": "Dependents",
}
"""All fields in the order in which a wide paste is read."""

WIDE: Mapping[str, str] = {
    ParameterKind.CHOICE.value: "choices",
    ParameterKind.DERIVED.value: "expression",
}
"""What stands in place of low, high and scale: type → field."""

_MEANINGLESS: Mapping[str, tuple[str, ...]] = {
    ParameterKind.CHOICE.value: ("high", "scale"),
    ParameterKind.FIXED.value: ("low", "high", "scale"),
    ParameterKind.DERIVED.value: ("high", "scale", "start"),
}
"""The columns that a type leaves empty."""

NEW_ROW: Row = {"on": "yes", "kind": ParameterKind.DECIMAL.value}


class ParameterTable(DraftTable):
    """Parameters. Choices and expressions stand in place of low, high and scale."""

    section: ClassVar = Section.PARAMETERS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("on", ""),
        Column("name", "Name"),
        Column("unit", "Unit"),
        Column("kind", "Type"),
        Column("low", "Low", is_number=True),
        Column("high", "High", is_number=True),
        Column("scale", "Scale"),
        Column("start", "Start value", is_number=True),
    )

    def kind_of(self, row: int) -> str:
        """The type of a row; what was typed, if it is none."""
        return self.text(row, "kind") or ParameterKind.DECIMAL.value

    def is_on(self, row: int) -> bool:
        """Whether a row counts."""
        return self.text(row, "on") != "no"

    def shown(self, row: int, field: str) -> str:
        """The words of types and scales, nothing where a field has no meaning."""
        if field == "on":
            return ""
        if not self._has(row, field):
            return ""
        text = self.edited(row, field)
        if field == "kind":
            return _word(KINDS, text)
        if field == "scale":
            return _word(SCALES, text)
        return text

    def edited(self, row: int, field: str) -> str:
        """The raw text; that of what stands in place of low."""
        if field == "kind":
            return self.kind_of(row)
        return self.text(row, self._field_at(row, field))

    def cells_for(self, row: int, field: str, text: str) -> Mapping[str, str]:
        """What is typed in place of low is what stands there."""
        return {self._field_at(row, field): text}

    def _field_at(self, row: int, field: str) -> str:
        return WIDE.get(self.kind_of(row), field) if field == "low" else field

    def offered(self, row: int, field: str) -> Sequence[Choice] | None:
        """Types and scales."""
        if field == "kind":
            return with_current(KINDS, self.kind_of(row))
        if field == "scale" and self._has(row, field):
            return with_current(SCALES, self.text(row, field))
        return None

    def is_number(self, row: int, field: str) -> bool:
        """Choices and expressions stand at the left of the columns that they fill."""
        return self._field_at(row, field) == field and super().is_number(row, field)

    def is_editable(self, row: int, field: str) -> bool:
        """Everything that has a meaning for the row's type; the box is ticked, not edited."""
        return field != "on" and self._has(row, field)

    def look(self, row: int, field: str, role: int) -> object:
        """Signs of types, tags of choices, the tick, and the dimmed look of what is off."""
        match role:
            case Qt.ItemDataRole.CheckStateRole if field == "on":
                on = self.is_on(row)
                return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            case Role.OFF:
                return not self.is_on(row)
            case Role.ICON if field == "kind":
                kind = self.kind_of(row)
                return next((choice.icon for choice in KINDS if choice.value == kind), None)
            case Role.ICON_TONE | Role.TONE if field in ("kind", "unit"):
                return "text2"
            case Role.STRONG:
                return field == "name"
            case Role.TAGS if field == "low" and self.kind_of(row) == ParameterKind.CHOICE:
                return list(split_choices(self.text(row, "choices")))
            case Role.PLACEHOLDER:
                return self._placeholder(row, field)
            case _:
                return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The box can be ticked."""
        flags = super().flags(index)
        is_box = index.isValid() and self.columns[index.column()].field == "on"
        if is_box and not self.draft_model.is_read_only:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take ticks too."""
        if role == Qt.ItemDataRole.CheckStateRole and index.isValid():
            checked = value in (Qt.CheckState.Checked, Qt.CheckState.Checked.value)
            cells = {"on": "yes" if checked else "no"}
            return self.draft_model.edit_cells(self.section, index.row(), cells)
        return super().setData(index, value, role)

    def column_of(self, row: int, field: str) -> int | None:
        """Choices and expressions stand in the column of low."""
        return super().column_of(row, "low" if field in WIDE.values() else field)

    def _has(self, row: int, field: str) -> bool:
        return field not in _MEANINGLESS.get(self.kind_of(row), ())

    def _placeholder(self, row: int, field: str) -> str | None:
        kind = self.kind_of(row)
        if field == "unit":
            return "–"
        if field == "start" and kind != ParameterKind.FIXED:
            return "–"
        if field == "low" and kind == ParameterKind.CHOICE:
            return "Toluene; DMF"
        if field == "low" and kind == ParameterKind.DERIVED:
            return "100 - a - b"
        return None

    def pasted(self, text: str, row: int, field: str) -> list[Row]:
        """The rows of the table after a paste.

        Lines are rows and tabs part the cells, which fill the table from the given cell on, over
        what stands there, adding rows at the end. As many cells as there are columns to the right
        are read in the order of the table; more in the order of `TITLES`. A first line that holds
        nothing but heads of columns says the order itself.

        Args:
            text: From the clipboard.
            row: Row of the first cell.
            field: Its field.
        """
        lines = [line.split("\t") for line in text.splitlines() if line.strip()]
        heads = {title.lower(): name for name, title in TITLES.items()}
        first = [cell.strip().lower() for cell in lines[0]] if lines else []
        if len(first) > 1 and all(cell in heads for cell in first):
            order = [heads[cell] for cell in first]
            lines = lines[1:]
        else:
            order = self._paste_order(field, max(map(len, lines), default=0))
        rows: list[Row] = list(self._rows)
        for offset, cells in enumerate(lines):
            given = {name: cell.strip() for name, cell in zip(order, cells, strict=False)}
            at = row + offset
            base = rows[at] if at < len(rows) else NEW_ROW
            rows[at : at + 1] = [{**base, **_understood({**base, **given}, given)}]
        return rows

    def _paste_order(self, field: str, width: int) -> list[str]:
        shown = [column.field for column in self.columns]
        order = shown if width <= len(shown) - shown.index(field) else list(TITLES)
        return order[order.index(field) :]


def _word(choices: Sequence[Choice], value: str) -> str:
    return next((choice.text for choice in choices if choice.value == value), value)


def _understood(row: Row, given: Mapping[str, str]) -> dict[str, str]:
    """Pasted words as the draft writes them; what is not understood stays as it is."""
    cells = dict(given)
    for name, choices in (("kind", KINDS), ("scale", SCALES)):
        if name in cells:
            words = {choice.text.lower(): str(choice.value) for choice in choices}
            words |= {str(choice.value): str(choice.value) for choice in choices}
            cells[name] = words.get(cells[name].lower(), cells[name])
    if "on" in cells:
        cells["on"] = "no" if cells["on"].lower() in ("no", "false", "0", "off") else "yes"
    kind = cells.get("kind", row.get("kind"))
    wide = WIDE.get(kind or "", "low")
    if wide != "low" and cells.get("low") and not cells.get(wide):
        cells[wide] = cells.pop("low")
    return cells
