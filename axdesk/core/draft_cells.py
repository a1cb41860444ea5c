"""The cells of a draft: sections, fields, how text is read and written, and problems."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from axdesk.core.errors import UserInputError
from axdesk.core.parameters import TParameterValue
from axdesk.core.plugins import OptionDescription, TOptionValue

Row = Mapping[str, str]
"""Field → text as typed; a field that is absent is empty."""


class Section(StrEnum):
    """The parts of the set-up, in the order of the window."""

    GENERAL = "general"
    PARAMETERS = "parameters"
    OBJECTIVES = "objectives"
    CONSTRAINTS = "constraints"
    RUNNER = "runner"
    RUN = "run"


class ParameterKind(StrEnum):
    """What the operator chooses as a parameter's type."""

    DECIMAL = "decimal"
    WHOLE = "whole"
    CHOICE = "choice"
    YES_NO = "yes/no"
    FIXED = "fixed"
    DERIVED = "derived"


class Goal(StrEnum):
    """What the operator wants of a metric."""

    MAXIMISE = "maximise"
    MINIMISE = "minimise"
    TARGET = "match target"
    LIMIT = "limit"
    RECORD = "record"


STEERING = (Goal.MAXIMISE, Goal.MINIMISE, Goal.TARGET)
"""Goals that the search follows."""

FIELDS: Mapping[Section, tuple[str, ...]] = {
    Section.GENERAL: ("name", "description", "owner", "plugin_folder", "plugin_python"),
    Section.PARAMETERS: (
        "on",
        "name",
        "unit",
        "kind",
        "low",
        "high",
        "step",
        "choices",
        "scale",
        "start",
        "description",
        # What a derived parameter is computed by.
        "expression",
        # Of a choice: the parameters that exist only at one of its values.
        "dependents",
        # Of choices and fixed values, where it is not what their texts look like: "int", "float",
        # "str" or "bool", and "yes" or "no". "int" also makes a derived parameter whole.
        "value_type",
        "is_ordered",
    ),
    # `limit_kind` is ">=" or "<="; `metric` and `option.<name>` choose and fill the plugin. A goal
    # is an objective of its own, except that those with a weight and the same text in `sum` are
    # added up.
    Section.OBJECTIVES: (
        "name",
        "unit",
        "goal",
        "target",
        "weight",
        "sum",
        "limit_kind",
        "limit",
        "metric",
    ),
    Section.CONSTRAINTS: ("expression",),
    Section.RUNNER: ("reference",),
    Section.RUN: (
        "max_trials",
        "parallelism",
        "tolerated_failure_percent",
        "seconds_between_polls",
        "seconds_between_launches",
        "min_failed_trials",
        "when_failure_rate_exceeded",
        "uncertain_deployment",
        "on_error",
        "trial_time_limit",
        "run_time_limit",
        "run_deadline",
        "poll_deadline",
        "fetch_deadline",
        "stop_deadline",
        "poll_retries",
        "fetch_retries",
        "max_seconds_between_polls",
        "generation_time_limit",
        # Early stopping is on with a percentile or a threshold, global stopping with a target, an
        # improvement or a number of trials without one; the other fields may be left empty.
        "early_percentile",
        "early_threshold",
        "early_min_progression",
        "early_max_progression",
        "early_min_curves",
        "early_best_protected",
        "global_target",
        "global_improvement_percent",
        "global_stagnation",
        "global_window_size",
        "global_min_trials",
        "method",
        "initial_trials",
        "start_at_center",
        "seed",
        # "" leaves it to the number of initial trials; "yes" or "no".
        "min_observed_trials",
        "count_existing_trials",
    ),
}
"""The fields of each section. The runner and the objectives also have `option.<name>` fields."""

CHOICE_SEPARATOR = ";"
"""Between the values of a choice; a comma may be a decimal comma."""

TValueType = Literal["int", "float", "str", "bool"]
"""What the values of a choice are."""

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d{1,9})?")
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}([\u00a0\u2009\u202f]\d{3})+(?=[.,eE]|$)")
_FIXED_DIGITS = 7
"""Numbers with an exponent are shown without it up to so many digits."""
_QUOTED = r'"((?:[^"]|"")*)"'
_DEPENDENTS_TOKEN = re.compile(rf"\s*(?:{_QUOTED}|([;:,])|([^;:,\"]+))")
_CHOICE = re.compile(rf"\s*(?:{_QUOTED}\s*(?=;|\Z)|([^;]*))(?:;|\Z)")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a draft that must be mended before a run can start.

    Attributes:
        section: Where it is.
        row: Row of that section, from 0; None if it concerns no single row.
        field: The field; empty if it concerns no single field.
        message: What is wrong, as a sentence.
        remedies: (what a button says, the text that it puts into the field), at most two.
    """

    section: Section
    row: int | None
    field: str
    message: str
    remedies: tuple[tuple[str, Mapping[str, str]], ...] = ()


@dataclass(frozen=True, slots=True)
class Problems:
    """All problems of a draft, in the order of its sections.

    Attributes:
        items: At least one.
    """

    items: tuple[Problem, ...]

    def of(self, section: Section) -> tuple[Problem, ...]:
        """Return the problems of one section."""
        return tuple(p for p in self.items if p.section is section)


def _plain_number(text: str, *, is_whole: bool = False) -> str:
    """Return a number as Python writes it: a decimal point, no no-break spaces between thousands.

    Args:
        text: As typed.
        is_whole: Whether a whole number is wanted, for the message.

    Raises:
        UserInputError: If it is none, or could be read in two ways, such as 1.234,5.
    """
    plain = text.strip().replace("−", "-")
    plain = _THOUSANDS.sub(lambda found: re.sub(r"\s", "", found[0]), plain)
    if _NUMBER.fullmatch(plain) is None:
        if not plain:
            raise UserInputError("A number is missing.")
        hint = "Enter a whole one such as 3." if is_whole else "Enter one such as 0.5, 0,5 or 1e-3."
        raise UserInputError(f"“{text.strip()}” is no number.", hint)
    return plain.replace(",", ".")


def parse_number(text: str) -> float:
    """Read a number with a decimal point or comma; no-break spaces may part its thousands.

    Raises:
        UserInputError: If it is none, or could be read in two ways, such as 1.234,5.
    """
    number = float(_plain_number(text))
    if not math.isfinite(number):
        raise UserInputError(f"“{text.strip()}” is too large.")
    return number


def is_whole_number(text: str) -> bool:
    """Whether a text that is a number is a whole one, exactly.

    Raises:
        UserInputError: If it is no number.
    """
    parse_number(text)
    number = Decimal(_plain_number(text))
    return number == number.to_integral_value()


def parse_whole(text: str, otherwise: str = "") -> int:
    """Read a whole number, exactly.

    Args:
        text: As typed.
        otherwise: What can be done where it is a number with decimals.

    Raises:
        UserInputError: If it is none.
    """
    plain = _plain_number(text, is_whole=True)
    if not is_whole_number(text):
        raise UserInputError(f"“{text.strip()}” is no whole number.", otherwise)
    return int(Decimal(plain))


def shown_number(text: str) -> str:
    """Return a number as it is shown once it was typed: `0,10` is 0.1; nothing is rounded.

    A text that is no number is returned as it is.
    """
    try:
        parse_number(text)
    except UserInputError:
        return text
    plain = _plain_number(text)
    number = Decimal(plain)
    has_exponent = "e" in plain.lower()
    if has_exponent and not -_FIXED_DIGITS < number.adjusted() < _FIXED_DIGITS:
        mantissa, _, exponent = f"{number:e}".partition("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    return _trimmed(f"{number:f}")


def _trimmed(digits: str) -> str:
    """A decimal number without the zeros at its end, and without a sign before 0."""
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in ("-0", "") else digits


def parse_yes_no(text: str) -> bool:
    """Read yes or no.

    Raises:
        UserInputError: If it is neither.
    """
    plain = text.strip().lower()
    if plain not in ("yes", "true", "1", "on", "no", "false", "0", "off"):
        raise UserInputError(f"“{text.strip()}” is neither yes nor no.")
    return plain in ("yes", "true", "1", "on")


def parse_percent(text: str) -> float:
    """Read a percentage as a share: 7 is 0.07, without a rounding error of its own.

    Raises:
        UserInputError: If it is no number.
    """
    parse_number(text)
    return float(Decimal(_plain_number(text)).scaleb(-2))


def percent_text(share: float) -> str:
    """Return the percentage that reads back as the same share."""
    return f"{Decimal(repr(float(share))).scaleb(2).normalize():f}"


def parse_value(text: str, kind: TValueType) -> TParameterValue:
    """Read one value of a choice.

    Raises:
        UserInputError: If it is not of this kind.
    """
    match kind:
        case "int":
            return parse_whole(text)
        case "float":
            return parse_number(text)
        case "bool":
            return parse_yes_no(text)
        case "str":
            return text


def value_type_of(texts: tuple[str, ...]) -> TValueType:
    """Return what values look like: numbers if all of them are numbers, else texts."""
    try:
        are_whole = [is_whole_number(text) for text in texts]
    except UserInputError:
        return "str"
    return "int" if all(are_whole) else "float"


def split_choices(text: str) -> tuple[str, ...]:
    """Split `a; b; "c; d"` into its values."""
    found = []
    for match in _CHOICE.finditer(text):
        quoted, plain = match.groups()
        if quoted is not None:
            found.append(quoted.replace('""', '"'))
        elif plain.strip():
            found.append(plain.strip())
    return tuple(found)


def unquoted(text: str) -> str:
    """Return one value of a choice without its quotes."""
    match = re.fullmatch(_QUOTED, text.strip())
    return text.strip() if match is None else match.group(1).replace('""', '"')


def choice_text(value: TParameterValue) -> str:
    """Return one value of a choice, in quotes where it would be read as something else."""
    text = value_text(value)
    is_plain = text == text.strip() != "" and CHOICE_SEPARATOR not in text and text[0] != '"'
    return text if is_plain else '"' + text.replace('"', '""') + '"'


def split_dependents(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Split `a: x, y; "b: c": z` into values and the names that depend on each.

    Raises:
        UserInputError: If it is not understood.
    """
    words: list[str] = []
    separators = ""
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _DEPENDENTS_TOKEN.match(text, position)
        if match is None:
            raise UserInputError("A quotation mark has no partner.")
        quoted, separator, plain = match.groups()
        if separator is None:
            words.append(plain.strip() if quoted is None else quoted.replace('""', '"'))
        separators += separator or "w"
        position = match.end()
    if re.fullmatch(r"(w:w(,w)*;?)*", separators) is None or "ww" in separators:
        raise UserInputError(
            f"“{text.strip()}” is not understood.",
            "Write such as Toluene: Water, Time; DMF: Time.",
        )
    found: list[tuple[str, tuple[str, ...]]] = []
    given = iter(words)
    for part in separators.split(";"):
        names = tuple(next(given) for _ in range(part.count("w")))
        if names:
            found.append((names[0], names[1:]))
    return tuple(found)


def dependents_text(dependents: Mapping[TParameterValue, Sequence[str]]) -> str:
    """Return the text that `split_dependents` reads back."""

    def word(text: str) -> str:
        is_plain = text == text.strip() != "" and not set(text) & set(';:,"')
        return text if is_plain else '"' + text.replace('"', '""') + '"'

    return "; ".join(
        f"{word(value_text(value))}: {', '.join(map(word, names))}"
        for value, names in dependents.items()
    )


def number_text(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def value_text(value: TOptionValue) -> str:
    """Return an option's or a parameter's value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number_text(value) if isinstance(value, int | float) else value


def parse_option(option: OptionDescription, text: str) -> TOptionValue:
    """Read the text of a plugin option.

    Raises:
        UserInputError: If it is not of the option's kind.
    """
    text = text.strip()
    match option.kind:
        case "bool":
            return parse_yes_no(text)
        case "float" | "int":
            number = parse_number(text) if option.kind == "float" else parse_whole(text)
            if not option.allows(number):
                raise UserInputError(f"“{text}” is out of range.", f"Enter {option.range_text}.")
            return number
        case "choice":
            for choice in option.choices:
                if value_text(choice) == text:
                    return choice
            allowed = ", ".join(map(value_text, option.choices))
            raise UserInputError(f"“{text}” is not among {allowed}.")
        case "str" | "path":
            return text
