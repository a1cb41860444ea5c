"""What trials can be asked for in the filter: columns, what is said of them, and how they go on."""

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from axdesk.core.errors import UserInputError
from axdesk.core.trial import Trial

BARE = re.compile(r"[^\s()<>=≤≥≠:|\"`“”]+")
_VALUE = re.compile(r"[^\s()\"`“”]+")
_MOST_NAMED = 6


class FieldKind(Enum):
    """How the values of a column are compared."""

    NUMBER = "number"
    WHOLE = "whole"
    SECONDS = "seconds"
    TEXT = "text"
    WORDS = "words"


FieldValue = float | str | frozenset[str] | None


@dataclass(frozen=True, slots=True)
class FilterField:
    """A column, or another property of a trial, that can be asked for.

    Attributes:
        name: What it is called.
        kind: How it is compared.
        value: A trial's: a number for the first three kinds (seconds for `SECONDS`), a text, or
            for `WORDS` all that can truly be said of it, in lower case; None for none.
        unit: Of the numbers; may be typed after them.
        decimals: With how many the numbers are shown, so that `=` means what is seen; None for
            four significant digits.
        words: What can be said of `WORDS`, and is offered for `TEXT`.
        aliases: Other names.
        is_own: A parameter or metric: what a name between backticks means first.
        sem: The standard error of a metric.
    """

    name: str
    kind: FieldKind
    value: Callable[[Trial], FieldValue]
    unit: str = ""
    decimals: int | None = None
    words: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    is_own: bool = False
    sem: Callable[[Trial], float | None] | None = None


def completions(text: str, cursor: int, fields: Sequence[FilterField]) -> tuple[int, list[str]]:
    """Say how what stands before the cursor may go on.

    Returns:
        Where the word begins that would be replaced, and what could stand in its place.
    """
    before = text[:cursor]
    if any(before.count(quote) % 2 for quote in '"`') or before.count("“") > before.count("”"):
        return cursor, []
    found = re.search(r"[^\s()<>=≤≥≠:|,\"`]*\Z", before)
    start = found.start() if found else cursor
    word = before[start:].lstrip("-!").casefold()
    start = cursor - len(word)
    asked = re.search(r"(`[^`]+`|\"[^\"]+\"|[^\s()<>=:|\"`]+)\s*[:=](?:[^\s()\"`]*[,|])?\Z",
                      before[:start])  # fmt: skip
    if asked is not None:
        name = asked[1].strip('`"').lstrip("-!")
        try:
            field = resolved(name, fields, is_quoted=asked[1] != name)
        except UserInputError:
            return cursor, []
        offered = [_as_value(w) for w in field.words if w.casefold().startswith(word)]
        return start, offered
    if not word:
        return cursor, []
    names = [f for f in fields if _begins(f.name, word)]
    has_colon = (FieldKind.TEXT, FieldKind.WORDS)
    return start, [as_name(f.name) + (":" if f.kind in has_colon else "") for f in names]


def as_name(name: str) -> str:
    """Return a name as it can be typed, between backticks where it must be."""
    return name if BARE.fullmatch(name) and name[0] not in "-!" else f"`{name}`"


def _as_value(value: str) -> str:
    plain = _VALUE.fullmatch(value) and not set(value) & set("|,")
    return value if plain else f'"{value}"'


def _begins(name: str, start: str) -> bool:
    """Whether a name, or a word in it, begins so."""
    folded = name.casefold()
    return folded.startswith(start) or any(w.startswith(start) for w in re.split(r"\W+", folded))


def resolved(name: str, fields: Sequence[FilterField], *, is_quoted: bool) -> FilterField:
    """Return the field that a name means.

    Raises:
        UserInputError: If it means none, or one of several.
    """
    asked = name.strip().casefold()
    exact = [f for f in fields if asked in (f.name.casefold(), *f.aliases)]
    for found in (
        sorted(exact, key=lambda f: (f.is_own != is_quoted, f.name != name))[:1],
        [f for f in fields if f.name.casefold().startswith(asked)],
        [f for f in fields if _begins(f.name, asked)],
    ):
        if len(found) == 1:
            return found[0]
        if found:
            names = listed_names([as_name(f.name) for f in found])
            raise UserInputError(f"“{name}” could be {names}.", "Write more of it.")
    known = [f.name for f in fields]
    folded = {n.casefold(): n for n in known}
    similar = difflib.get_close_matches(asked, list(folded), n=1)
    if similar:
        hint = f"Did you mean {folded[similar[0]]}?"
    else:
        hint = f"There are {listed_names(known)}." if len(known) <= _MOST_NAMED else ""
    raise UserInputError(f"No column is called “{name}”.", hint)


def listed_names(names: Sequence[str]) -> str:
    """Return `a, b or c`; of many the first ones."""
    shown = list(names[:_MOST_NAMED])
    if len(names) > _MOST_NAMED:
        return f"{', '.join(shown)} or another"
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
