"""The values of a query: words, texts, numbers with units, ranges and durations."""

import math
import re
from collections.abc import Callable, Iterator, Sequence

from axdesk.core.draft_cells import parse_number
from axdesk.core.durations import parse_seconds
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.trial import Trial
from axdesk.gui.models.filter_fields import (
    FieldKind,
    FilterField,
    as_name,
    listed_names,
    resolved,
)
from axdesk.gui.models.formatting import duration, number

Condition = Callable[[Trial], bool]

NUMBER = re.compile(r"[+\-−]?(?:\d+(?:[.,](?![.…])\d*)?|[.,]\d+)(?:[eE][+\-−]?\d+)?")
QUOTES = {'"': '"', "`": "`", "“": "”"}
ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_SPAN = re.compile(
    r"\d+(?:[.,]\d*)?\s*"
    r"(?:ms|secs?|seconds?|s|mins?|minutes?|m|hrs?|hours?|h|days?|d)(?![^\W\d_])",
    re.IGNORECASE,
)
_MORE_OF_SPAN = re.compile(rf"\s*{_SPAN.pattern}", re.IGNORECASE)
_REST_OF_SPAN = re.compile(r"\s+\d+(?![\w.,])")
_TO = re.compile(r"\s*(?:\.\.+|…|–)\s*|-(?=[\d.,])")
_OPEN_TO = re.compile(r"\s*(?:\.\.+|…)")
_NEXT = re.compile(r"\s*[,;]\s*")
_DIGITS = re.compile(r"\d+")
_BLANK = re.compile(r"\s*")
_VALUE = re.compile(r"[^\s()\"`“”]+")


class ValueReader:
    """Reads a text from left to right; `self._at` is the next character."""

    def __init__(
        self, text: str, fields: Sequence[FilterField], contains: Callable[[Trial, str], bool]
    ) -> None:
        # One character for another: every position stays that of what was typed.
        self._text = text.replace("\u00a0", " ").replace("\u202f", " ")
        self._typed = text
        self._fields = fields
        self._contains = contains
        self._at = 0

    # characters

    def _at_end(self) -> bool:
        return self._at >= len(self._text)

    def _skip(self) -> None:
        self._take(_BLANK)

    def _take(self, pattern: re.Pattern[str]) -> str:
        """Take what is here if it looks like `pattern`, else nothing."""
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found[0]

    def _refusal(self, message: str, hint: str = "", at: int | None = None) -> ExpressionError:
        place = self._at if at is None else at
        return ExpressionError(message, hint, text=self._typed, position=place)

    def _quoted(self) -> str:
        start = self._at
        closing = QUOTES[self._text[start]]
        end = self._text.find(closing, start + 1)
        if end < 0:
            raise self._refusal(f"The {self._text[start]} is not closed.", f"Add {closing}.")
        self._at = end + 1
        return self._text[start + 1 : end]

    # words and texts

    def _alternatives(self, separators: str) -> Iterator[tuple[str, int]]:
        """Take a value, or several with a separator between them; each with its place."""
        while True:
            at = self._at
            if not self._at_end() and self._text[at] in QUOTES:
                yield self._quoted(), at
            else:
                end = at
                while end < len(self._text) and not (
                    self._text[end].isspace() or self._text[end] in f'()"`“”{separators}'
                ):
                    end += 1
                self._at = end
                if end == at:
                    raise self._refusal("A value is missing here.")
                yield self._text[at:end], at
            if self._at_end() or self._text[self._at] not in separators:
                return
            self._at += 1

    def _words(self, field: FilterField, relation: str, start: int) -> Condition:
        self._refuse_order(field, relation, start)
        wanted = frozenset(self._meant(field, word, at) for word, at in self._alternatives(",;|"))

        def passes(trial: Trial) -> bool:
            said = field.value(trial)
            return isinstance(said, frozenset) and not wanted.isdisjoint(said)

        return passes

    def _meant(self, field: FilterField, word: str, at: int) -> str:
        def plain(text: str) -> str:
            return re.sub(r"[\s_-]+", " ", text.casefold().strip())

        asked = plain(word)
        if field.name == "has":
            return self._field_asked(word, at)
        meant = [w for w in field.words if plain(w) == asked]
        meant = meant or [w for w in field.words if plain(w).startswith(asked)]
        if len(meant) != 1:
            what = (
                f"“{word}” could be"
                if meant
                else f"{field.name.capitalize()} is never “{word}”: it is"
            )
            known = listed_names([w.lower() for w in meant or field.words])
            raise self._refusal(f"{what} {known}.", at=at)
        return meant[0].casefold()

    def _field_asked(self, word: str, at: int) -> str:
        try:
            return resolved(word, self._fields, is_quoted=False).name.casefold()
        except UserInputError as error:
            raise self._refusal(error.message, error.hint, at) from None

    def _texts(self, field: FilterField, relation: str, start: int) -> Condition:
        self._refuse_order(field, relation, start)
        wanted = [" ".join(t.casefold().split()) for t, _ in self._alternatives("|")]
        whole = relation in ("=", "!=")

        def passes(trial: Trial) -> bool:
            value = field.value(trial)
            if not isinstance(value, str):
                return False
            text = " ".join(value.casefold().split())
            return text in wanted if whole else any(w in text for w in wanted)

        return passes

    def _refuse_order(self, field: FilterField, relation: str, start: int) -> None:
        if relation in ORDERS:
            raise self._refusal(
                f"{field.name} is no number, so nothing can be {_said(relation)}.",
                f"Write such as {as_name(field.name).lower()}:word.", start,
            )  # fmt: skip

    # numbers

    def _numbers(self, field: FilterField, relation: str) -> Condition:
        if relation in ORDERS:
            bound = self._amount(field)
            self._refuse_tail(field)
            compare = ORDERS[relation]
            return numeric(field, lambda value: compare(value, bound))
        found = [self._equal_or_between(field)]
        while field.kind is FieldKind.WHOLE and self._take(_NEXT):
            found.append(self._equal_or_between(field))
        self._refuse_tail(field)
        return numeric(field, lambda value: any(test(value) for test in found))

    def _equal_or_between(self, field: FilterField) -> Callable[[float], bool]:
        if self._take(_OPEN_TO):
            self._skip()
            highest = self._amount(field)
            return lambda value: value <= highest
        first = self._amount(field)
        at = self._at
        if self._take(_TO):
            if NUMBER.match(self._text, self._at):
                last = self._amount(field)
                if last < first:
                    raise self._refusal("The end of the range is below its start.",
                                        "Write the lower number first.", at)  # fmt: skip
                return lambda value: first <= value <= last
            return lambda value: value >= first
        return _shown_alike(field, first)

    def _amount(self, field: FilterField) -> float:
        """Take a number with its unit, if it has one."""
        at = self._at
        if field.kind is FieldKind.SECONDS and (span := self._take(_SPAN)):
            while more := self._take(_MORE_OF_SPAN):
                span += more
            span += self._take(_REST_OF_SPAN)
            return self._read(parse_seconds, span, at)
        text = self._take(_DIGITS if field.kind is FieldKind.WHOLE else NUMBER)
        if not text:
            given = self._take(_VALUE)
            after = f"“{given}” is no number." if given else "A number is missing here."
            raise self._refusal(after, "Enter one such as 80 or 0,5.", at)
        value = self._read(parse_number, text, at)
        self._take_unit(field)
        return value

    def _read(self, parse: Callable[[str], float], text: str, at: int) -> float:
        try:
            return parse(text)
        except UserInputError as error:
            raise self._refusal(error.message, error.hint, at) from None

    def _take_unit(self, field: FilterField) -> None:
        blanks = _BLANK.match(self._text, self._at)
        start = blanks.end() if blanks else self._at
        end = start + len(field.unit)
        is_here = self._text[start:end].casefold() == field.unit.casefold()
        if field.unit and is_here and (end >= len(self._text) or self._text[end] in " ().…–-<>≤≥|"):
            self._at = end

    def _refuse_tail(self, field: FilterField) -> None:
        if self._at_end() or self._text[self._at].isspace() or self._text[self._at] in "()|":
            return
        at, tail = self._at, self._take(_VALUE) or self._text[self._at]
        if tail[0] in ",;":
            raise self._refusal("Only one number can stand here.",
                                f"Write {as_name(field.name).lower()}:70..90, or join with or.",
                                at)  # fmt: skip
        unit = f"is in {field.unit}" if field.unit else "has no unit"
        if field.kind is FieldKind.SECONDS:
            unit = "is in s, min, h or d"
        raise self._refusal(f"“{tail}” is not understood: {field.name} {unit}.", at=at)


def numeric(field: FilterField, test: Callable[[float], bool]) -> Condition:
    """Return whether a trial has a number in a column that passes a test."""

    def passes(trial: Trial) -> bool:
        value = field.value(trial)
        return isinstance(value, float | int) and test(value)

    return passes


def _shown_alike(field: FilterField, wanted: float) -> Callable[[float], bool]:
    """Whether a value is the one typed, or is shown as it was typed."""
    if field.kind is FieldKind.SECONDS:
        shown = duration(wanted)
        return lambda value: duration(value) == shown

    decimals = field.decimals

    def alike(value: float) -> bool:
        if value == wanted:
            return True
        if not math.isfinite(value):
            return False
        seen = float(number(value, decimals).replace("−", "-"))
        return seen == wanted

    return alike


def _said(relation: str) -> str:
    return "above something" if relation.startswith(">") else "below something"
