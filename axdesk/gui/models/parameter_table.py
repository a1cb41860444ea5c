"""The parameters of the draft as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from PySide6.QtCore import Qt

from axdesk.core.draft_cells import (
    ParameterKind,
    Row,
    Section,
    choice_text,
    shown_number,
    split_choices,
    unquoted,
    value_type_of,
)
from axdesk.gui.models.draft_table import Column, DraftTable, Index, with_current
from axdesk.gui.models.parameter_paste import (
    NEW_ROW,
    TITLES,
    WIDE,
    copied_rows,
    merged_row,
    read_rows,
)
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.roles import Role

KINDS = (
    Choice(ParameterKind.DECIMAL.value, "Decimal", "wave-sine"),
    Choice(ParameterKind.WHOLE.value, "Whole", "number"),
    Choice(ParameterKind.CHOICE.value, "Choice", "list"),
    Choice(ParameterKind.YES_NO.value, "Yes/no", "toggle-left"),
    Choice(ParameterKind.FIXED.value, "Fixed", "lock"),
    Choice(ParameterKind.DERIVED.value, "Derived", "arrow-right"),
)
SCALES = (Choice("", "Linear"), Choice("log", "Logarithmic"))
RANGES = (ParameterKind.DECIMAL.value, ParameterKind.WHOLE.value)
YES_NO = (Choice("no", "No"), Choice("yes", "Yes"))
OPTIONAL = ("unit", "scale", "start", "step", "description")
"""The columns that can be hidden."""

MENU = "menu"
"""The column that holds no field but the row's menu."""

_MEANINGLESS: Mapping[str, tuple[str, ...]] = {
    ParameterKind.CHOICE.value: ("high", "scale", "step"),
    ParameterKind.YES_NO.value: ("low", "high", "scale", "step"),
    ParameterKind.FIXED.value: ("low", "high", "scale", "step"),
    ParameterKind.DERIVED.value: ("high", "scale", "step", "start"),
}
"""The columns that a type leaves empty."""


class ParameterTable(DraftTable):
    """Parameters. Choices and expressions stand in place of low, high and scale."""

    section: ClassVar = Section.PARAMETERS
    columns: ClassVar[tuple[Column, ...]] = (
        Column("on", ""),
        *(
            Column(field, TITLES[field], is_number=field in ("low", "high", "start", "step"))
            for field in (
                "name", "unit", "kind", "low", "high", "scale", "start", "step", "description"
            )
        ),
        Column(MENU, ""),
    )  # fmt: skip

    def kind_of(self, row: int) -> str:
        """The type of a row; what was typed, if it is none."""
        return self.text(row, "kind") or ParameterKind.DECIMAL.value

    def is_on(self, row: int) -> bool:
        """Whether a row counts."""
        return self.text(row, "on") != "no"

    def shown(self, row: int, field: str) -> str:
        """The words of types and scales, numbers as they are read; nothing without a meaning."""
        if field in ("on", MENU) or not self._has(row, field):
            return ""
        text = self.edited(row, field)
        kind = self.kind_of(row)
        match field:
            case "kind":
                return _word(KINDS, text)
            case "scale":
                return _word(SCALES, text)
            case "start" if kind == ParameterKind.YES_NO:
                return _word(YES_NO, text)
            case "start" if kind not in RANGES:
                return self._shown_value(row, text)
            case "low" | "high" | "step" | "start" if kind in RANGES:
                return shown_number(text)
            case _:
                return text

    def _shown_value(self, row: int, text: str) -> str:
        """A value of a choice or the fixed one, as the runner gets it."""
        plain = unquoted(text)
        values = split_choices(self.text(row, "choices")) or (plain,)
        said = self.text(row, "value_type") or value_type_of(values)
        return shown_number(plain) if said in ("int", "float") else plain

    def edited(self, row: int, field: str) -> str:
        """The raw text; that of what stands in place of low."""
        if field == "kind":
            return self.kind_of(row)
        return self.text(row, self.stored_field(row, field))

    def cells_for(self, row: int, field: str, text: str) -> Mapping[str, str]:
        """What is typed in place of low is what stands there."""
        return {self.stored_field(row, field): text}

    def stored_field(self, row: int, field: str) -> str:
        """Choices and expressions stand in the column of low."""
        return WIDE.get(self.kind_of(row), field) if field == "low" else field

    def offered(self, row: int, field: str) -> Sequence[Choice] | None:
        """Types, scales, and the values of choices."""
        kind, text = self.kind_of(row), self.text(row, field)
        if field == "kind":
            return with_current(KINDS, kind)
        if field == "scale" and self._has(row, field):
            return with_current(SCALES, text)
        if field == "start" and kind == ParameterKind.YES_NO:
            return with_current((Choice("", "None"), *YES_NO), text)
        if field == "start" and kind == ParameterKind.CHOICE:
            values = split_choices(self.text(row, "choices"))
            choices = [Choice(choice_text(value), value) for value in values]
            if values:
                return with_current((Choice("", "None"), *choices), text)
        return None

    def is_number(self, row: int, field: str) -> bool:
        """Choices and expressions stand at the left of the columns that they fill."""
        return self.stored_field(row, field) == field and super().is_number(row, field)

    def is_editable(self, row: int, field: str) -> bool:
        """Everything that has a meaning for the row's type; the box is ticked, not edited."""
        return field not in ("on", MENU) and self._has(row, field)

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
            case Role.ICON if field == MENU:
                return "dots"
            case Role.ICON_TONE | Role.TONE if field in ("kind", "unit", MENU):
                return "text2"
            case Role.STRONG:
                return field == "name"
            case Role.TAGS if field == "low":
                return self._tags(row)
            case Role.PLACEHOLDER:
                return self._placeholder(row, field)
            case _:
                return super().look(row, field, role)

    def _tags(self, row: int) -> list[str]:
        match self.kind_of(row):
            case ParameterKind.CHOICE:
                return list(split_choices(self.text(row, "choices")))
            case ParameterKind.YES_NO:
                return [choice.text for choice in YES_NO]
            case _:
                return []

    def flags(self, index: Index) -> Qt.ItemFlag:
        """The box can be ticked."""
        flags = super().flags(index)
        is_box = index.isValid() and self.columns[index.column()].field == "on"
        if is_box and not self.locked_reason(index.row(), "on"):
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
        match field:
            case "unit":
                return "–"
            case "start" if kind != ParameterKind.FIXED and self._has(row, field):
                return "–"
            case "step" if kind in RANGES:
                return "Any" if kind == ParameterKind.DECIMAL else "1"
            case "low" if kind == ParameterKind.CHOICE:
                return "Toluene; DMF"
            case "low" if kind == ParameterKind.DERIVED:
                return "100 - a - b"
            case _:
                return None

    def pasted(self, text: str, row: int, field: str) -> list[Row]:
        """The rows of the table after a paste, which fills it from a cell on.

        What stands there is pasted over, and rows are added at the end; see `read_rows`.

        Args:
            text: From the clipboard.
            row: Row of the first cell.
            field: Its field.
        """
        rows: list[Row] = list(self._rows)
        start = "name" if field == MENU else field
        for offset, given in enumerate(read_rows(text, start).rows):
            at = row + offset
            base = rows[at] if at < len(rows) else NEW_ROW
            rows[at : at + 1] = [merged_row(base, given)]
        return rows

    def copied(self, rows: Iterable[int]) -> str:
        """Rows as text that can be pasted here and into a spreadsheet."""
        words = {
            "kind": {str(choice.value): choice.text for choice in KINDS},
            "scale": {str(choice.value): choice.text for choice in SCALES},
        }
        return copied_rows([self._rows[row] for row in rows], words)

    def duplicates(self, rows: Iterable[int]) -> list[Row]:
        """Copies of rows, each with a name of its own."""
        names = {self.text(row, "name").strip() for row in range(self.rowCount())}
        copies: list[Row] = []
        for row in rows:
            name = self.text(row, "name").strip()
            if name:
                numbered = (f"{name} {number}" for number in range(2, len(names) + 3))
                name = next(candidate for candidate in numbered if candidate not in names)
                names.add(name)
            copies.append({**self._rows[row], "name": name})
        return copies


def _word(choices: Sequence[Choice], value: str) -> str:
    return next((choice.text for choice in choices if choice.value == value), value)
