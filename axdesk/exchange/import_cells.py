"""The cells of a file that is imported, as the values that they mean."""

from contextlib import suppress
from datetime import UTC, datetime
from fractions import Fraction

from axdesk.core.parameters import ChoiceParameterConfig, TParameterValue, TunableParameterConfig
from axdesk.core.trial import TrialStatus
from axdesk.core.trial_columns import DecimalSign
from axdesk.core.trial_import import CellFault, FileCell
from axdesk.exchange.number_texts import MISSING, exact_number
from axdesk.exchange.units import Conversion

_YES = ("yes", "true", "1", "on", "y", "x", "ja", "wahr")
_NO = ("no", "false", "0", "off", "n", "nein", "falsch")
_STATUSES = {
    TrialStatus.COMPLETED: ("completed", "complete", "done", "ok", "finished", "success"),
    TrialStatus.FAILED: ("failed", "fail", "failure", "error"),
    TrialStatus.ABANDONED: ("abandoned", "void", "voided", "cancelled", "canceled", "aborted"),
    TrialStatus.EARLY_STOPPED: ("early stopped", "stopped early"),
}
_NOT_OVER = ("candidate", "staged", "running", "planned")
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words}


class CellError(Exception):
    """Why a row is skipped.

    Attributes:
        sentence: Such as "Yield 'n/a' is no number", without a full stop.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def is_missing(cell: FileCell) -> bool:
    """Whether a cell says nothing."""
    if isinstance(cell, str):
        return cell.strip().casefold() in MISSING
    return cell is None


def number_of(
    cell: FileCell, what: str, decimal: DecimalSign, unit: str, conversion: Conversion | None
) -> Fraction:
    """Return the number in a cell, exactly and in the experiment's unit.

    Args:
        cell: Not a missing one.
        what: The column, for the message.
        decimal: Its decimal sign.
        unit: That may stand behind numbers.
        conversion: Into the experiment's unit; None for none.

    Raises:
        CellError: If it is no number.
    """
    match cell:
        case CellFault():
            raise CellError(f"{what} {cell.text!r} {cell.why}")
        case datetime():
            why = "is a date, which the spreadsheet may have made of a number"
            raise CellError(f"{what} '{cell:%Y-%m-%d}' {why}")
        case str():
            found = exact_number(cell, decimal, unit)
            if found is None:
                raise CellError(f"{what} {cell.strip()!r} is no number{_hint(cell, decimal)}")
            return found if conversion is None else conversion.of(found)
        case bool() | None:
            raise CellError(f"{what} {cell!r} is no number")
        case _:
            # Of a float that is converted, the number that it is written as counts.
            return Fraction(cell) if conversion is None else conversion.of(Fraction(repr(cell)))


def _hint(text: str, decimal: DecimalSign) -> str:
    other: DecimalSign = "comma" if decimal == "point" else "point"
    if exact_number(text, other) is not None:
        return f" with a decimal {decimal}"
    return ""


def as_float(number: Fraction, what: str) -> float:
    """Return a number as the nearest float.

    Raises:
        CellError: If it is too large.
    """
    try:
        return float(number)
    except OverflowError:
        raise CellError(f"{what} is too large") from None


def parts_of(cell: FileCell) -> tuple[FileCell, FileCell]:
    """Return a mean and, where a cell says `81.2 ± 0.3`, its standard error."""
    if isinstance(cell, str):
        for sign in ("±", "+/-", "+-"):
            mean, found, sem = cell.partition(sign)
            if found:
                return mean.strip(), sem.strip()
    return cell, None


def parameter_value(
    cell: FileCell,
    parameter: TunableParameterConfig,
    what: str,
    decimal: DecimalSign,
    unit: str,
    conversion: Conversion | None,
) -> TParameterValue:
    """Return the value of a parameter that a cell says, wherever it lies.

    Raises:
        CellError: If it is none of its type.
    """
    if isinstance(cell, CellFault):
        raise CellError(f"{what} {cell.text!r} {cell.why}")
    if isinstance(parameter, ChoiceParameterConfig) and parameter.parameter_type == "bool":
        return truth_of(cell, what)
    if isinstance(parameter, ChoiceParameterConfig) and parameter.parameter_type == "str":
        return _text_choice(cell, parameter, what)
    number = number_of(cell, what, decimal, unit, conversion)
    if parameter.parameter_type == "float":
        return as_float(number, what)
    if number.denominator != 1:
        shown = cell.strip() if isinstance(cell, str) else cell
        raise CellError(f"{what} {shown!r} is no whole number")
    return number.numerator


def _text_choice(cell: FileCell, parameter: ChoiceParameterConfig, what: str) -> str:
    if isinstance(cell, datetime):
        raise CellError(f"{what} {cell:%Y-%m-%d} is a date, not one of its texts")
    if isinstance(cell, bool):
        cell = str(cell)
    if isinstance(cell, int | float):
        same = [v for v in parameter.values if exact_number(str(v), "point") == Fraction(cell)]
        return str(same[0]) if len(same) == 1 else _plain_number(cell)
    text = str(cell)
    values = [str(value) for value in parameter.values]
    if text in values:
        return text
    stripped = text.strip()
    like = [value for value in values if value.strip().casefold() == stripped.casefold()]
    return like[0] if len(like) == 1 else stripped


def _plain_number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def truth_of(cell: FileCell, what: str) -> bool:
    """Return yes or no.

    Raises:
        CellError: If it is neither.
    """
    if isinstance(cell, bool):
        return cell
    text = _plain_number(cell) if isinstance(cell, int | float) else str(cell).strip().casefold()
    if text in _YES:
        return True
    if text in _NO:
        return False
    shown = cell.text if isinstance(cell, CellFault) else cell
    raise CellError(f"{what} {shown!r} is neither yes nor no")


def status_of(cell: FileCell, what: str) -> TrialStatus:
    """Return the status that a cell says.

    Raises:
        CellError: If it says none, or one of a trial that is not over.
    """
    text = " ".join(str(cell).replace("_", " ").casefold().split())
    if text in _STATUS_OF:
        return _STATUS_OF[text]
    if text in _NOT_OVER:
        raise CellError(f"{what} {text!r}: only trials that are over are imported")
    allowed = ", ".join(status.words for status in _STATUSES)
    shown = cell.text if isinstance(cell, CellFault) else cell
    raise CellError(f"{what} {shown!r} is none of {allowed}")


def time_of(cell: FileCell, what: str) -> datetime:
    """Return a time in UTC; one without a zone is taken for UTC.

    Raises:
        CellError: If it is no time.
    """
    if isinstance(cell, str):
        with suppress(ValueError):
            cell = datetime.fromisoformat(cell.strip())
    if not isinstance(cell, datetime):
        shown = cell.text if isinstance(cell, CellFault) else cell
        raise CellError(f"{what} {shown!r} is no time such as 2026-05-03 14:30")
    return cell.replace(tzinfo=UTC) if cell.tzinfo is None else cell.astimezone(UTC)


def text_of(cell: FileCell) -> str:
    """Return a cell as free text."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case CellFault():
            return cell.text
        case datetime():
            return cell.isoformat(" ")
        case bool():
            return str(cell)
        case _:
            return _plain_number(cell)
