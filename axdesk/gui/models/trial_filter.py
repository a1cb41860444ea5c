"""What is typed to find trials: `yield>80 status:failed -solvent:dmf "slight foaming"`.

A query is a row of terms that must all hold; `or` and `|` join alternatives, `(…)` groups, `-`,
`!` and `not` negate. A term is a word or a phrase in quotes, found in any cell; or a column, what
relates, and a value:

    yield>80   yield>=80,5 %   70<yield<90   yield:70..90   yield!=80   #17   #:3,5,8-12
    duration>1 h 30   solvent:dmf   solvent=DMF   status:failed,abandoned   has:note   is:best

Case does not matter. A column may be cut short while it stays the only one, and stands between
backticks or quotes where its name is like nothing else. Whatever is not understood is refused at
its character.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from axdesk.core.draft_cells import parse_number
from axdesk.core.errors import UserInputError
from axdesk.core.trial import Trial
from axdesk.gui.models.filter_fields import BARE, FieldKind, FilterField, resolved
from axdesk.gui.models.filter_values import NUMBER, ORDERS, QUOTES, Condition, ValueReader, numeric

EXAMPLES = (
    ("dmf foaming", "both words, in any column"),
    ("yield>80", "compare: > >= < <= = !="),
    ("yield:70..90", "a range; 70<yield<90 too"),
    ("status:failed", "a status; source: is: limits: likewise"),
    ("-solvent:dmf", "not; also before any other term"),
    ("is:best or yield>80", "either; (…) groups"),
    ("`Flow rate`>2", "names with blanks; “…” for phrases"),
    ("yield.sem<1", "a standard error"),
    ("duration>1 h 30", "durations; bare numbers are seconds"),
    ("#:3,5,8-12", "trials by number"),
    ("has:note", "where something stands in a column"),
)
"""What can be typed, with what it means."""

_OPERATOR = re.compile(r"\s*(<=|>=|==|!=|<>|=<|=>|[:=<>≤≥≠])")
_ORDER = re.compile(r"\s*(<=|>=|=<|=>|[<>≤≥])")
_TRIAL = re.compile(r"#(\d+)(?![^\s()|])")
_SEM = re.compile(r"\.sem(?!\w)", re.IGNORECASE)
_DEEPEST = 50
_SAME = {"==": "=", "<>": "!=", "≠": "!=", "=<": "<=", "≤": "<=", "=>": ">=", "≥": ">="}
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class TrialFilter:
    """A query that was understood.

    Attributes:
        text: As typed.
        passes: Whether a trial is among what is asked for.
    """

    text: str
    passes: Condition


def parse_filter(
    text: str, fields: Sequence[FilterField], contains: Callable[[Trial, str], bool]
) -> TrialFilter:
    """Read a query.

    Args:
        text: As typed; an empty one lets every trial through.
        fields: What can be asked for.
        contains: Whether a text in lower case is found in a cell of a trial.

    Raises:
        ExpressionError: If it is not understood, with the place.
    """
    return TrialFilter(text, _Reader(text, fields, contains).read())


class _Reader(ValueReader):
    """Reads one query from left to right; `self._at` is the next character."""

    def read(self) -> Condition:
        self._skip()
        if self._at_end():
            return lambda trial: True
        condition = self._any()
        if not self._at_end():
            raise self._refusal("There is no ( before this ).")
        return condition

    def _is_word(self, *words: str) -> int:
        """Say where one of these words ends, if it is here and is no column; else 0."""
        found = BARE.match(self._text, self._at)
        is_one = found is not None and found[0].casefold() in words
        if found is None or not is_one or _OPERATOR.match(self._text, found.end()):
            return 0
        return found.end()

    def _takes_word(self, *words: str) -> bool:
        end = self._is_word(*words)
        if end:
            self._at = end
            self._skip()
        return bool(end)

    # terms

    def _any(self) -> Condition:
        found = [self._all()]
        while self._takes_bar() or self._takes_word("or"):
            found.append(self._all())
        return found[0] if len(found) == 1 else lambda trial: any(c(trial) for c in found)

    def _takes_bar(self) -> bool:
        if not self._text.startswith("|", self._at):
            return False
        self._at += 2 if self._text.startswith("||", self._at) else 1
        self._skip()
        return True

    def _all(self) -> Condition:
        found = [self._term()]
        while not self._at_end() and self._text[self._at] not in ")|" and not self._is_word("or"):
            self._takes_word("and", "&", "&&")
            found.append(self._term())
        return found[0] if len(found) == 1 else lambda trial: all(c(trial) for c in found)

    def _term(self) -> Condition:
        start = self._at
        if self._at_end() or self._text[start] in ")|" or self._is_word("or", "and"):
            raise self._refusal("Something to look for is missing here.")
        if self._text[start] in "-!−" or self._is_word("not"):
            return self._negated()
        condition = self._group() if self._text[start] == "(" else self._simple()
        self._skip()
        return condition

    def _negated(self) -> Condition:
        start = self._at
        if not self._takes_word("not"):
            self._at += 1
            if self._at_end() or self._text[self._at].isspace():
                sign = self._text[start]
                raise self._refusal(f"What is not wanted is missing after {sign}.")
        negated = self._deeper(self._term, start)
        return lambda trial: not negated(trial)

    def _group(self) -> Condition:
        start = self._at
        self._at += 1
        self._skip()
        condition = self._deeper(self._any, start)
        if self._at_end():
            raise self._refusal("This ( is not closed.", "Add ).", at=start)
        self._at += 1
        return condition

    def _deeper(self, read: Callable[[], Condition], at: int) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refusal(f"This goes more than {_DEEPEST} levels deep.", at=at)
        condition = read()
        self._depth -= 1
        return condition

    _depth = 0

    def _simple(self) -> Condition:
        start = self._at
        if found := _TRIAL.match(self._text, start):
            self._at = found.end()
            wanted = int(found[1])
            return lambda trial: trial.index == wanted
        amount = NUMBER.match(self._text, start)
        is_name = amount is not None and any(f.name == amount[0] for f in self._fields)
        if amount is not None and not is_name and _ORDER.match(self._text, amount.end()):
            return self._turned_round()
        named = self._named_field()
        if named is not None:
            return self._condition(*named)
        if self._text[start] in QUOTES:
            return self._word(self._quoted())
        word = self._take(BARE)
        if not word:
            raise self._refusal(
                f"The column before {self._text[start]} is missing.", "Write such as yield>80."
            )
        return self._word(word)

    def _word(self, word: str) -> Condition:
        folded, contains = " ".join(word.casefold().replace("−", "-").split()), self._contains
        return lambda trial: contains(trial, folded)

    # columns

    def _named_field(self) -> tuple[FilterField, str, int] | None:
        """Take a column and what relates it, if both are here; else nothing."""
        start = self._at
        name, is_quoted = self._column_here()
        relation = _OPERATOR.match(self._text, self._at)
        if not name or relation is None:
            self._at = start
            return None
        field = self._field(name, start, is_quoted=is_quoted)
        self._at = relation.end()
        return field, _SAME.get(relation[1], relation[1]), start

    def _column_here(self) -> tuple[str, bool]:
        """Take what may be a column's name, and whether it is quoted; an empty one for none."""
        start = self._at
        if self._at_end():
            return "", False
        if self._text[start] in QUOTES:
            name = self._quoted()
            return name + self._take(_SEM), True
        # Names with blanks and signs need no quotes where what relates them follows.
        for field in sorted(self._fields, key=lambda f: -len(f.name)):
            self._at = start + len(field.name)
            if self._text[start : self._at].casefold() == field.name.casefold():
                ending = self._take(_SEM)
                if _OPERATOR.match(self._text, self._at):
                    return field.name + ending, False
        self._at = start
        name = self._take(BARE).rstrip("!")
        self._at = start + len(name)
        return name, False

    def _field(self, name: str, at: int, *, is_quoted: bool) -> FilterField:
        """Return the column that a name means, or the standard error of `METRIC.sem`."""
        is_known = any(f.name.casefold() == name.casefold() for f in self._fields)
        wants_sem = name.casefold().endswith(".sem") and not is_known
        try:
            field = resolved(name[:-4] if wants_sem else name, self._fields, is_quoted=is_quoted)
        except UserInputError as error:
            raise self._refusal(error.message, error.hint, at) from None
        if not wants_sem:
            return field
        if field.sem is None:
            raise self._refusal(f"{field.name} has no standard error.", "Only metrics have.", at)
        kind = FieldKind.NUMBER
        return FilterField(f"{field.name}.sem", kind, field.sem, field.unit, field.decimals)

    def _condition(self, field: FilterField, relation: str, start: int) -> Condition:
        self._skip()
        if self._at_end() or self._text[self._at] in ")":
            wanted = {FieldKind.TEXT: "text", FieldKind.WORDS: "word"}.get(field.kind, "number")
            such = f"Such as {field.words[0].lower()}." if field.words else ""
            raise self._refusal(f"The {wanted} after {field.name} is missing.", such)
        match field.kind:
            case FieldKind.WORDS:
                found = self._words(field, relation, start)
            case FieldKind.TEXT:
                found = self._texts(field, relation, start)
            case _:
                found = self._numbers(field, relation)
        if relation == "!=":
            return lambda trial: field.value(trial) is not None and not found(trial)
        return found

    def _turned_round(self) -> Condition:
        """Take `70<yield<90` or `70<yield`."""
        at = self._at
        amount = self._take(NUMBER)
        bound = self._read(parse_number, amount, at)
        relation = self._take(_ORDER).strip()
        relation = _SAME.get(relation, relation)
        self._skip()
        start = self._at
        name, is_quoted = self._column_here()
        if not name:
            raise self._refusal(f"The column after {relation} is missing.", "", start)
        field = self._field(name, start, is_quoted=is_quoted)
        if field.kind in (FieldKind.TEXT, FieldKind.WORDS):
            raise self._refusal(f"{field.name} is no number.", at=start)
        compare = ORDERS[_MIRRORED[relation]]
        first = numeric(field, lambda value: compare(value, bound))
        second = self._take(_ORDER).strip()
        if not second:
            return first
        self._skip()
        other = self._numbers(field, _SAME.get(second, second))
        return lambda trial: first(trial) and other(trial)
