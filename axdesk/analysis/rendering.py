"""Cards as plain text."""

import math
import unicodedata
from collections.abc import Iterable, Sequence

from axdesk.core.cards import Card, Measured, TCell

WIDTH = 100
_GAP = "  "
_DIGITS = 4
"""Significant digits of the largest number of a column."""


def text(card: Card) -> str:
    """Return the card as lines: title, sentence, and an aligned table.

    A table wider than 100 characters goes on below, its first column repeated. No cell is cut: a
    column that is wider by itself stays so.
    """
    lines = [card.title, "─" * _width(card.title), card.sentence]
    # A column of empty texts, such as the reasons of trials that all went well, says nothing.
    shown = [i for i in range(len(card.columns)) if any(row[i] != "" for row in card.rows)]
    columns = [_Column(card.columns[i], [row[i] for row in card.rows]) for i in shown]
    for block in _blocks(columns):
        lines.append("")
        lines.extend(_GAP.join(cells).rstrip() for cells in zip(*block, strict=True))
    return "\n".join(lines)


def number(value: Measured | float) -> str:
    """Return a value with four significant digits; ± one standard error where it is known."""
    return _Format([value]).text(value)


class _Format:
    """How the numbers of one column are written: all with the same decimals, if they allow it."""

    def __init__(self, cells: Iterable[TCell]) -> None:
        numbers: list[float] = []
        sems: list[float] = []
        for cell in cells:
            if isinstance(cell, Measured):
                numbers.append(cell.mean)
                sems += [cell.sem] if cell.sem else []
            elif isinstance(cell, int | float) and not isinstance(cell, bool):
                numbers.append(cell)
        self.decimals = _decimals(numbers, sems)

    def text(self, cell: TCell) -> str:
        if isinstance(cell, Measured):
            mean = self._number(cell.mean)
            return f"{mean} ± {self._number(cell.sem)}" if cell.sem else mean
        if cell is None:
            return "–"
        if isinstance(cell, bool):
            return "yes" if cell else "no"
        if isinstance(cell, str):
            return " ".join(cell.split())
        return str(cell).replace("-", "−") if isinstance(cell, int) else self._number(cell)

    def _number(self, value: float) -> str:
        if self.decimals is not None:
            plain = f"{value:.{self.decimals}f}"
            # A small one that would be rounded away is written out.
            if float(plain) or not value:
                return _real_minus(plain.removeprefix("-") if not float(plain) else plain)
        return _real_minus(f"{value:.{_DIGITS}g}")


def _real_minus(plain: str) -> str:
    return plain.replace("-", "−")


def _decimals(numbers: Sequence[float], sems: Sequence[float]) -> int | None:
    """Decimals that suit all of them; None where powers of ten are clearer."""
    sizes = [_exponent(value) for value in numbers if value]
    if not sizes:
        return 0
    largest, smallest = max(sizes), min(sizes)
    if largest > 6 or smallest < -_DIGITS or largest - smallest > _DIGITS:
        return None
    decimals = max(_DIGITS - 1 - largest, 1 - smallest)
    # The error needs two digits, within reason.
    decimals = max([decimals, *(min(1 - _exponent(sem), decimals + 2) for sem in sems), 0])
    values = [*numbers, *sems]
    while decimals and all(round(v, decimals) == round(v, decimals - 1) for v in values):
        decimals -= 1
    return decimals


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


class _Column:
    """A head and its cells as texts of one width."""

    def __init__(self, head: str, cells: Sequence[TCell]) -> None:
        form = _Format(cells)
        texts = [head, *map(form.text, cells)]
        self.width = max(map(_width, texts))
        is_text = any(isinstance(cell, str | bool) for cell in cells)
        pads = [" " * (self.width - _width(item)) for item in texts]
        self.lines = [
            item + pad if is_text else pad + item for item, pad in zip(texts, pads, strict=True)
        ]


def _blocks(columns: Sequence[_Column]) -> list[list[list[str]]]:
    """Spread columns over blocks that fit the width; each starts with the first column."""
    if not columns:
        return []
    first, *others = columns
    blocks = [[first]]
    for column in others:
        used = sum(c.width + len(_GAP) for c in blocks[-1])
        if used + column.width > WIDTH and len(blocks[-1]) > 1:
            blocks.append([first])
        blocks[-1].append(column)
    return [[column.lines for column in block] for block in blocks]


def _width(item: str) -> int:
    """Return how many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in item)
    marks = sum(unicodedata.combining(character) > 0 for character in item)
    return len(item) + wide - marks
