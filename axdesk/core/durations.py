"""Durations as a person types them: `90 s`, `5 min`, `1 h 30`, or a plain number of seconds."""

import re
from decimal import Decimal

from axdesk.core.errors import UserInputError

NO_BREAK = "\u00a0"

_SECONDS = {"ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"}
_UNITS = {
    unit: Decimal(_SECONDS[short])
    for short, words in (
        ("ms", ("ms", "msec", "millisecond", "milliseconds")),
        ("s", ("s", "sec", "secs", "second", "seconds")),
        ("min", ("m", "min", "mins", "minute", "minutes")),
        ("h", ("h", "hr", "hrs", "hour", "hours")),
        ("d", ("d", "day", "days")),
    )
    for unit in words
}
_NEXT_SMALLER = {86400: Decimal(3600), 3600: Decimal(60), 60: Decimal(1)}
"""What a bare number at the end counts: the minutes of `1 h 30`."""

_PART = re.compile(r"\s*(\d+(?:[.,]\d*)?|[.,]\d+)\s*([a-z]*)", re.IGNORECASE)
_PLAIN = re.compile(r"[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?")
_HINT = "Enter such as 90, 90 s, 5 min, 1 h 30 or 0,5 h."


def is_plain_number(text: str) -> bool:
    """Whether a duration was typed without a unit, so that it means seconds."""
    return _PLAIN.fullmatch(text.strip().replace("\u2212", "-")) is not None


def parse_seconds(text: str) -> float:
    """Read a duration; units stand in falling order, and a decimal comma is as good as a point.

    Raises:
        UserInputError: If it is none, or below 0.
    """
    plain = text.strip().replace("\u2212", "-").replace("\u00a0", " ")
    if not plain:
        raise UserInputError("A duration is missing.", _HINT)
    if is_plain_number(plain):
        seconds = float(plain.replace(",", "."))
    else:
        seconds = float(sum(_parts(plain), Decimal(0)))
    if not 0 <= seconds < float("inf"):
        raise UserInputError(f"“{text.strip()}” is no possible duration.", _HINT)
    return seconds


def _parts(text: str) -> list[Decimal]:
    """The parts of a duration with units, each in seconds."""
    refused = UserInputError(f"“{text}” is no duration.", _HINT)
    found: list[Decimal] = []
    position, last = 0, Decimal("Infinity")
    while position < len(text):
        match = _PART.match(text, position)
        if match is None:
            raise refused
        number, word = match.groups()
        unit = _UNITS.get(word.lower()) if word else _NEXT_SMALLER.get(_whole(last))
        if unit is None or unit >= last or (not word and match.end() < len(text)):
            raise refused
        found.append(Decimal(number.replace(",", ".")) * unit)
        last, position = unit, match.end()
    return found


def _whole(unit: Decimal) -> int:
    return int(unit) if unit.is_finite() else 0


def seconds_text(seconds: float) -> str:
    """Return the shortest text that reads back as the same number of seconds.

    Whole minutes, hours and days get their unit; everything else is a plain number.
    """
    if seconds >= 60 and seconds == int(seconds) and seconds % 60 == 0 and seconds < 1e9:
        days, rest = divmod(int(seconds), 86400)
        hours, rest = divmod(rest, 3600)
        parts = ((days, "d"), (hours, "h"), (rest // 60, "min"))
        return " ".join(f"{count} {unit}" for count, unit in parts if count)
    return str(int(seconds)) if seconds == int(seconds) and seconds < 1e15 else repr(float(seconds))


def duration(seconds: float) -> str:
    """Write a duration such as `42 s`, `6 min`, `1 h 14`, `3 d 4 h`."""
    whole = round(seconds)
    if whole < 100:
        return f"{max(whole, 0)}{NO_BREAK}s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes}{NO_BREAK}min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours}{NO_BREAK}h{NO_BREAK}{rest:02d}" if rest else f"{hours}{NO_BREAK}h"
    days, hours = divmod(hours, 24)
    return f"{days}{NO_BREAK}d{NO_BREAK}{hours}{NO_BREAK}h"
