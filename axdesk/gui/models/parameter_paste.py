"""Rows of parameters from a spreadsheet, and back."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from axdesk.core.draft_cells import CHOICE_SEPARATOR, ParameterKind, Row, parse_number
from axdesk.core.errors import UserInputError
from axdesk.gui.models.cell_text import joined_cells, split_cells, split_separated

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
    "value_type": "Values are",
    "is_ordered": "Ordered",
}
"""All fields in the order in which a wide paste is read."""

SHOWN = ("on", "name", "unit", "kind", "low", "high", "scale", "start")
"""The fields of the columns that are always read by their place in the table."""

WIDE: Mapping[str, str] = {
    ParameterKind.CHOICE.value: "choices",
    ParameterKind.DERIVED.value: "expression",
}
"""What stands in place of low, high and scale: type → field."""

NEW_ROW: Row = {"on": "yes", "kind": ParameterKind.DECIMAL.value}

_KINDS: Mapping[str, tuple[str, ...]] = {
    ParameterKind.DECIMAL.value: ("float", "real", "continuous", "number", "double"),
    ParameterKind.WHOLE.value: ("int", "integer", "whole number"),
    ParameterKind.CHOICE.value: ("categorical", "category", "list", "text", "str"),
    ParameterKind.YES_NO.value: ("bool", "boolean", "yes or no", "switch", "yes no"),
    ParameterKind.FIXED.value: ("constant", "const"),
    ParameterKind.DERIVED.value: ("computed", "formula"),
}
_SCALES: Mapping[str, tuple[str, ...]] = {
    "": ("linear", "lin"),
    "log": ("logarithmic", "log10", "ln", "log scale"),
}
_OFF = ("no", "false", "0", "off", "n", "-", "–", "☐")
_HEADS: Mapping[str, tuple[str, ...]] = {
    "on": ("active", "use", "enabled"),
    "name": ("parameter", "factor", "variable", "parameter name"),
    "unit": ("units",),
    "kind": ("kind",),
    "low": ("lower", "min", "minimum", "lower bound", "from"),
    "high": ("upper", "max", "maximum", "upper bound", "to"),
    "step": ("step size", "increment"),
    "scale": ("scaling",),
    "choices": ("values", "levels", "options", "categories"),
    "start": ("start", "initial", "initial value", "default", "value"),
    "description": ("comment", "note", "notes", "remark", "remarks"),
    "expression": ("formula",),
}
_FIELDS_OF_HEADS: Mapping[str, str] = {
    head: field
    for field, title in TITLES.items()
    for head in (title.lower(), *_HEADS.get(field, ()))
}
_NEVER_TEXT = ("low", "high", "step")


def _table(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {word: value for value, others in words.items() for word in (value, *others)}


_KIND_WORDS, _SCALE_WORDS = _table(_KINDS), _table(_SCALES)


@dataclass(frozen=True, slots=True)
class PastedRows:
    """What a paste says.

    Attributes:
        rows: Field → text, in order; a field that is absent was not given.
        left_out: Heads of columns that are no field of a parameter.
    """

    rows: tuple[Row, ...]
    left_out: tuple[str, ...] = ()


def read_rows(text: str, field: str) -> PastedRows:
    """Read rows from the clipboard.

    A first row of heads says which column is which, in any order. Without one, as many cells as
    there are columns to the right are read in the order of the table, more in the order of
    `TITLES`, and whichever fits better where both could be meant.

    Args:
        text: Cells parted by tabs; with heads also by semicolons or commas.
        field: The field of the first cell, where there are no heads.
    """
    lines = split_cells(text)
    if lines and len(lines[0]) == 1 and "\t" not in text:
        lines = _separated(text) or lines
    if not lines:
        return PastedRows(())
    heads = _heads(lines[0], is_alone=len(lines) == 1)
    if heads is not None:
        left_out = tuple(
            cell for cell, head in zip(lines[0], heads, strict=True) if not head and cell
        )
        return PastedRows(tuple(_read(heads, line) for line in lines[1:]), left_out)
    orders = _orders(field, max(map(len, lines)))
    rows = [tuple(_read(order, line) for line in lines) for order in orders]
    return PastedRows(min(rows, key=lambda found: sum(map(_misfits, found))))


def tabbed(text: str) -> str:
    """Return the text of a file with tabs between its cells, where semicolons or commas part them.

    All of its rows must have as many cells; a comma may also be in a number.
    """
    if "\t" in text:
        return text
    for separator in ";,":
        try:
            rows = split_separated(text.removeprefix("\ufeff"), separator)
        except csv.Error:
            continue
        if rows and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return joined_cells(rows)
    return text


def _separated(text: str) -> list[list[str]] | None:
    for separator in ";,":
        try:
            lines = split_separated(text, separator)
        except csv.Error:
            continue
        if lines and len(lines) > 1 and _heads(lines[0], is_alone=False) is not None:
            return lines
    return None


def _heads(cells: Sequence[str], *, is_alone: bool) -> tuple[str, ...] | None:
    """The field of each column by its head, empty where it is none; None if these are no heads."""
    if is_alone:
        return None
    found = tuple(_FIELDS_OF_HEADS.get(" ".join(cell.lower().split()), "") for cell in cells)
    known = [head for head in found if head]
    given = sum(bool(cell) for cell in cells)
    is_clear = len(known) >= 2 or (given == 1 and known and known[0] in _NEVER_TEXT)
    return found if is_clear and len(set(known)) == len(known) >= given / 2 else None


def _orders(field: str, width: int) -> list[tuple[str, ...]]:
    whole = tuple(TITLES)
    if field not in SHOWN:
        return [whole[whole.index(field) :]]
    shown = SHOWN[SHOWN.index(field) :]
    wide = whole[whole.index(field) :]
    return [shown, wide] if width <= len(shown) else [wide]


def _read(order: Sequence[str], cells: Sequence[str]) -> Row:
    return _understood(
        {head: cell for head, cell in zip(order, cells, strict=False) if head},
    )


def _misfits(row: Row) -> int:
    """How many cells cannot mean what their columns mean."""
    wrong = 0
    if row.get("kind") and row["kind"] not in _KINDS:
        wrong += 1
    if row.get("scale") and row["scale"] not in _SCALES:
        wrong += 1
    if row.get("kind", "") in ("", ParameterKind.DECIMAL, ParameterKind.WHOLE):
        wrong += sum(
            not _is_number(row[field]) for field in ("low", "high", "step") if row.get(field)
        )
    return wrong


def _is_number(text: str) -> bool:
    try:
        parse_number(text)
    except UserInputError:
        return False
    return True


def _understood(given: Mapping[str, str]) -> Row:
    """Pasted words as the draft writes them; what is not understood stays as it is."""
    cells = dict(given)
    for name, words in (("kind", _KIND_WORDS), ("scale", _SCALE_WORDS)):
        if name in cells:
            cells[name] = words.get(" ".join(cells[name].lower().split()), cells[name])
    if cells.get("on"):
        cells["on"] = "no" if cells["on"].lower() in _OFF else "yes"
    # An empty type or box says nothing; any other empty cell empties what it is pasted over.
    return {name: cell for name, cell in cells.items() if cell or name not in ("kind", "on")}


def merged_row(base: Row, given: Row) -> Row:
    """Return a row after a paste over it; choices and expressions may come in place of low."""
    cells = dict(given)
    if "kind" not in cells and base == NEW_ROW:
        cells["kind"] = _kind_by_looks(cells)
    kind = cells.get("kind", base.get("kind", ""))
    wide = WIDE.get(kind)
    if wide and cells.get("low") and not cells.get(wide):
        cells[wide] = cells.pop("low")
    return {**base, **cells}


def _kind_by_looks(cells: Row) -> str:
    if cells.get("expression"):
        return ParameterKind.DERIVED
    is_list = CHOICE_SEPARATOR in cells.get("low", "") and not cells.get("high")
    return ParameterKind.CHOICE if cells.get("choices") or is_list else ParameterKind.DECIMAL


def copied_rows(rows: Sequence[Row], words: Mapping[str, Mapping[str, str]]) -> str:
    """Return the text that `read_rows` reads back as these rows, with heads.

    Args:
        rows: The rows.
        words: Field → value → the word by which it is shown.
    """
    usual = list(TITLES)[: list(TITLES).index("description") + 1]
    fields = [f for f in TITLES if f in usual or any(row.get(f) for row in rows)]
    lines = [[TITLES[field] for field in fields]]
    for row in rows:
        cells = {**row, "on": "no" if row.get("on") == "no" else "yes"}
        lines.append([words.get(f, {}).get(cells.get(f, ""), cells.get(f, "")) for f in fields])
    return joined_cells(lines)
