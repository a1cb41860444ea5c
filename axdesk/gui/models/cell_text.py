"""Cells of a table as the text that spreadsheets copy and paste."""

import csv
import io
from collections.abc import Sequence


def split_cells(text: str) -> list[list[str]]:
    """Split pasted text into rows of cells, without what surrounds each.

    Tabs part cells and line ends part rows, except inside of quotes that fill a whole cell. Empty
    rows are left out, except among rows of a single cell, where they stand for empty cells.
    """
    cells: list[list[str]] = [[]]
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    position = 0
    while True:
        cell, position = _cell(text, position)
        cells[-1].append(cell.strip())
        if position >= len(text):
            break
        if text[position] == "\n":
            cells.append([])
        position += 1
    while cells and not any(cells[-1]):
        cells.pop()
    is_single = all(len(row) == 1 for row in cells)
    return [row for row in cells if is_single or any(row)]


def _cell(text: str, start: int) -> tuple[str, int]:
    """Return the cell that begins at `start`, and where it ends."""
    if text[start : start + 1] == '"':
        position = start + 1
        while (position := text.find('"', position)) >= 0:
            if text[position + 1 : position + 2] == '"':
                position += 2
            elif text[position + 1 : position + 2] in ("", "\t", "\n"):
                return text[start + 1 : position].replace('""', '"'), position + 1
            else:
                break  # a quotation mark of the text itself
    ends = [found for mark in "\t\n" if (found := text.find(mark, start)) >= 0]
    end = min(ends, default=len(text))
    return text[start:end], end


def split_separated(text: str, separator: str) -> list[list[str]]:
    """Split rows whose cells are parted by a comma or semicolon."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in rows if any(cell.strip() for cell in row)]


def joined_cells(rows: Sequence[Sequence[str]]) -> str:
    """Return the text that `split_cells` reads back as these cells."""
    return "\n".join("\t".join(map(_quoted, row)) for row in rows)


def _quoted(cell: str) -> str:
    needs = cell.startswith('"') or any(mark in cell for mark in "\t\n\r")
    return '"' + cell.replace('"', '""') + '"' if needs else cell
