"""Excel workbooks, read as what was meant."""

import io
import re
import warnings
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

from axdesk.core.errors import AxdeskError, UserInputError
from axdesk.core.trial_import import CellFault, FileCell, FileTable
from axdesk.exchange.spreadsheet import decoded

_MOST_UNPACKED = 2_000_000_000
_ROWS_BETWEEN_LOOKS = 500
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")


def read_workbook(
    name: str, content: bytes, sheet: str, is_cancelled: Callable[[], bool]
) -> FileTable:
    """Read a sheet of a workbook: the values that its formulas had when it was saved.

    Dates and errors are told as faults of their cells. Each cell of a merged area has its value.

    Args:
        name: Of the file, as it is shown.
        content: Of the file.
        sheet: Name of the sheet; empty for the first one in sight that has anything in it.
        is_cancelled: Asked now and then; reading is given up if it says so.

    Raises:
        UserInputError: If it is no workbook, or has no such sheet.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what only matters to who writes the file again
            return _read_book(name, content, sheet, is_cancelled)
    except AxdeskError:
        raise
    except Exception as error:  # whatever is wrong in a file that others made
        raise UserInputError(
            f"The file {name} cannot be read as an Excel workbook: {error}.",
            "Save it anew as an Excel workbook (.xlsx), or as CSV.",
        ) from error


def _read_book(
    name: str, content: bytes, sheet: str, is_cancelled: Callable[[], bool]
) -> FileTable:
    book = _opened(name, content, values=True)
    try:
        names = tuple(one.title for one in book.worksheets)
        if sheet and sheet not in names:
            raise UserInputError(
                f"The workbook {name} has no sheet {sheet!r}.", f"Its sheets: {', '.join(names)}."
            )
        for one in book.worksheets:
            if one.title == sheet or (not sheet and one.sheet_state == "visible"):
                rows, percents = _sheet_rows(one, is_cancelled)
                raw = _raw_sheet(content, one)
                if _FORMULA.search(raw):
                    _mark_uncomputed(rows, content, one.title)
                if rows:
                    remarks = _fill_merged(rows, raw)
                    cells = tuple(map(tuple, rows))
                    units = dict.fromkeys(percents, "1")
                    return FileTable(
                        name, cells, sheets=names, sheet=one.title, remarks=remarks, units=units
                    )
    finally:
        book.close()
    raise UserInputError(f"The workbook {name} has nothing in {sheet or 'any sheet in sight'}.")


def _opened(name: str, content: bytes, *, values: bool) -> Any:
    from openpyxl import load_workbook

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(part.file_size for part in archive.infolist()) > _MOST_UNPACKED:
            raise UserInputError(f"The workbook {name} is too large.", "Split it.")
    return load_workbook(io.BytesIO(content), read_only=True, data_only=values)


def _sheet_rows(
    sheet: Any, is_cancelled: Callable[[], bool]
) -> tuple[list[list[FileCell]], set[int]]:
    """Return the rows up to the last one with anything in it, and the columns of percentages."""
    sheet.reset_dimensions()  # what a file says of its size need not be true
    rows: list[list[FileCell]] = []
    numbers: dict[int, list[bool]] = {}
    for number, row in enumerate(sheet.iter_rows()):
        if number % _ROWS_BETWEEN_LOOKS == 0 and is_cancelled():
            raise UserInputError("Reading was cancelled.")
        cells = [_read(cell) for cell in row]
        while cells and cells[-1] is None:
            cells.pop()
        rows.append(cells)
        for column, (cell, value) in enumerate(zip(row, cells, strict=False)):
            if isinstance(value, int | float) and not isinstance(value, bool):
                numbers.setdefault(column, []).append("%" in (cell.number_format or ""))
    while rows and not rows[-1]:
        rows.pop()
    return rows, {column for column, found in numbers.items() if all(found)}


def _read(cell: Any) -> FileCell:
    value = cell.value
    if isinstance(value, str):
        if cell.data_type == "e":
            return CellFault(value, "is an error of the spreadsheet")
        return decoded(value) or None
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    return CellFault(str(value), "is a time, not a number")


def _raw_sheet(content: bytes, sheet: Any) -> bytes:
    """Return the XML of a sheet, in which stands what is read by nobody else."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        path: str = sheet._worksheet_path  # noqa: SLF001  # nothing else tells it
        return archive.read(path)


def _mark_uncomputed(rows: list[list[FileCell]], content: bytes, title: str) -> None:
    """Tell of each formula that was never computed, which is read as an empty cell."""
    book = _opened(title, content, values=False)
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows()):
            for column, cell in enumerate(row):
                if cell.data_type != "f":
                    continue
                while len(rows) <= number:
                    rows.append([])
                while len(rows[number]) <= column:
                    rows[number].append(None)
                if rows[number][column] is None:
                    why = "is a formula without a value; open and save it in a spreadsheet program"
                    rows[number][column] = CellFault(str(cell.value), why)
    finally:
        book.close()


def _fill_merged(rows: list[list[FileCell]], raw: bytes) -> tuple[str, ...]:
    """Give each cell of a merged area its value; return what is to be told of that."""
    from openpyxl.utils import range_boundaries

    areas = [found.decode() for found in _MERGED.findall(raw)]
    told = []
    for area in areas:
        left, top, right, bottom = range_boundaries(area)
        if top == bottom or top > len(rows) or len(rows[top - 1]) < left:
            continue  # across columns it is a title
        value = rows[top - 1][left - 1]
        for row in rows[top - 1 : bottom]:
            row += [None] * (right - len(row))
            row[left - 1 : right] = [value] * (right - left + 1)
        told.append(area)
    if not told:
        return ()
    shown = ", ".join(told[:3]) + (f" and {len(told) - 3} more" if len(told) > 3 else "")
    return (f"Merged cells ({shown}): each of their rows has the value.",)
