"""Tables as text that spreadsheets read: cells parted by commas, semicolons or tabs."""

import re
from collections.abc import Iterable, Sequence

from axdesk.core.trial_columns import Cell, DecimalSign

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""How a text begins that a spreadsheet would take for a formula, or that was guarded against it."""


def delimited_text(
    rows: Iterable[Sequence[Cell]], delimiter: str, decimal: DecimalSign = "point"
) -> str:
    r"""Return rows as text that ends with a line break.

    Numbers have every digit that they need to be read back as the same. A text that a spreadsheet
    would take for a formula gets an apostrophe in front, as `unguarded` knows. Cells are quoted
    where they must be, and for texts that begin or end with a blank.

    Args:
        rows: Heads first.
        delimiter: `","`, `";"` or a tab; lines end with `"\n"`.
        decimal: Sign in numbers.
    """
    return "".join(
        delimiter.join(_quoted(cell_text(cell, decimal), delimiter) for cell in row) + "\n"
        for row in rows
    )


def cell_text(cell: Cell, decimal: DecimalSign) -> str:
    """Return a cell as text, without quotes."""
    match cell:
        case None:
            return ""
        case bool():
            return "True" if cell else "False"
        case int():
            return str(cell)
        case float():
            return repr(cell).replace(".", ",") if decimal == "comma" else repr(cell)
        case _:
            return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(text: str) -> str:
    """Return a text without the apostrophe that kept it from being a formula."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def _quoted(text: str, delimiter: str) -> str:
    needs = text != text.strip() or any(mark in text for mark in (delimiter, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if needs else text
