"""Excel workbooks: tables written as values, never as formulas."""

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from axdesk.core.trial_columns import Cell

if TYPE_CHECKING:
    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

_CODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_CODE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\r\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""What a cell cannot hold as it is, and what would be read as such a code."""

_LONGEST_TEXT = 32_767
_WIDEST, _NARROWEST = 40, 8


def workbook_bytes(title: str, rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return a workbook of one sheet.

    The first row, its heads, is bold and stays in sight. Texts are texts even where they look like
    formulas; what does not fit into a cell of a spreadsheet is cut there.

    Args:
        title: Of the sheet.
        rows: Heads first.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    _set_widths(sheet, rows)
    bold = Font(bold=True)
    for number, row in enumerate(rows):
        sheet.append([_cell(sheet, value, None if number else bold) for value in row])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _set_widths(sheet: "WriteOnlyWorksheet", rows: Sequence[Sequence[Cell]]) -> None:
    from openpyxl.utils import get_column_letter

    for number, column in enumerate(zip(*rows[:100], strict=True), start=1):
        longest = max(len(str(cell)) for cell in column if cell is not None)
        width = min(max(longest + 2, _NARROWEST), _WIDEST)
        sheet.column_dimensions[get_column_letter(number)].width = width


def _cell(sheet: "WriteOnlyWorksheet", value: Cell, font: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if value is None or isinstance(value, bool):
        return value
    # The type is set past the guess, which would take "=1" for a formula, and a number stands there
    # with every digit: of its own, openpyxl writes 16.
    text = _coded(value)[:_LONGEST_TEXT] if isinstance(value, str) else repr(value)
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s" if isinstance(value, str) else "n"
    if font is not None:
        cell.font = font
    return cell


def _coded(text: str) -> str:
    return _TO_CODE.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def decoded(text: str) -> str:
    """Return the text of a cell with what stands there as `_x000D_`."""
    return _CODED.sub(lambda found: chr(int(found[1], 16)), text)
