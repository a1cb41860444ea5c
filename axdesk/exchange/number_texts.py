"""Numbers as laboratories write them: 12,5 and 12.5, 1.234,5 and 1 234.5, 3e-4."""

import re
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

from axdesk.core.trial_columns import DecimalSign

_BLANKS = " \u00a0\u202f\u2009"
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_PLAIN = {
    "point": re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){_EXPONENT}"),
    "comma": re.compile(rf"[+-]?(?:\d+,?\d*|,\d+){_EXPONENT}"),
}
_GROUPED = {
    "point": re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:[,'’{_BLANKS}]\d{{3}})+(?:\.\d*)?"),
    "comma": re.compile(rf"[+-]?[1-9]\d{{0,2}}(?:[.'’{_BLANKS}]\d{{3}})+(?:,\d*)?"),
}
_ONE_GROUP = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})+")
"""What may be thousands or decimals."""

MISSING = frozenset({"", "-", "–", "—", "nan", "null", "none"})
"""What stands in cells that say nothing, in small letters."""

_LONGEST_EXPONENT = 400


def decimal_sign(texts: Iterable[str]) -> tuple[DecimalSign | None, bool]:
    """Return the decimal sign that a column's cells show, and whether they leave a doubt.

    Args:
        texts: Cells; those that are no numbers count for nothing.

    Returns:
        The sign, or None if no cell shows one. It is in doubt where every cell that has a comma or
        a point could have it between thousands.
    """
    certain, possible = set[DecimalSign](), set[DecimalSign]()
    for text in texts:
        cell = _tidied(text)
        if "," not in cell and "." not in cell:
            continue
        found: list[DecimalSign] = [sign for sign in _SIGNS if _matches(cell, sign)]
        if len(found) == 1:
            certain.add(found[0])
        elif found:
            group = _ONE_GROUP.fullmatch(cell)
            assert group is not None, "both readings are possible only for thousands"
            possible.add("comma" if group[1] == "," else "point")
    if len(certain) == 1:
        return certain.pop(), False
    if certain:  # cells of both kinds: those that do not fit are told one by one
        return None, False
    return (possible.pop(), True) if len(possible) == 1 else (None, bool(possible))


_SIGNS: tuple[DecimalSign, ...] = ("point", "comma")


def exact_number(text: str, decimal: DecimalSign, unit: str = "") -> Fraction | None:
    """Return the number that a cell says, exactly; None if it is none.

    Args:
        text: Of the cell; may end with the unit.
        decimal: Its sign; the other one, blanks and apostrophes may part thousands.
        unit: Of the column.
    """
    cell = without_unit(text, unit)
    if not _matches(cell, decimal):
        return None
    thousands, point = (",", ".") if decimal == "point" else (".", ",")
    for mark in (thousands, "'", "’", *_BLANKS):
        cell = cell.replace(mark, "")
    number = Decimal(cell.replace(point, "."))
    if number and abs(number.adjusted()) > _LONGEST_EXPONENT:
        return None  # no float has it, and its fraction would fill the memory
    return Fraction(number)


def without_unit(text: str, unit: str) -> str:
    """Return a cell without the unit behind its number; a unit such as "1" is part of no cell."""
    cell = _tidied(text)
    if not unit or unit[0].isdigit():
        return cell
    return cell.removesuffix(unit).rstrip(_BLANKS)


def _matches(cell: str, sign: DecimalSign) -> bool:
    return any(kind[sign].fullmatch(cell) is not None for kind in (_PLAIN, _GROUPED))


def _tidied(text: str) -> str:
    return text.strip().replace("\u2212", "-")
