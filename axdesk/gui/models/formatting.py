"""How numbers, times and durations are written: real minus, fixed decimals, no-break spaces."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from axdesk.core.draft_cells import value_text
from axdesk.core.durations import NO_BREAK as NO_BREAK
from axdesk.core.durations import duration as duration
from axdesk.core.parameters import ParameterConfig, RangeParameterConfig, TParameterValue

MISSING = "–"
UNNAMED = "Unnamed experiment"

_SIGNIFICANT = 4
_MOST_DECIMALS = 6


def decimals_for(span: float) -> int | None:
    """Decimals that tell a few hundred steps of `span` apart; None where digits must float."""
    if not math.isfinite(span) or span <= 0:
        return None
    decimals = 3 - math.ceil(math.log10(span))
    return None if not -3 <= decimals <= _MOST_DECIMALS else max(decimals, 0)


def parameter_decimals(parameter: ParameterConfig) -> int | None:
    """Decimals of a parameter's values; None for those that are no decimal numbers."""
    if not isinstance(parameter, RangeParameterConfig) or parameter.parameter_type == "int":
        return None
    low, high = parameter.bounds
    if parameter.step_size is not None:
        numbers = (Decimal(repr(number)) for number in (low, parameter.step_size))
        exact = max(-int(number.normalize().as_tuple().exponent) for number in numbers)
        return max(exact, 0) if exact <= _MOST_DECIMALS else None
    if not parameter.is_log:
        return decimals_for(high - low)
    decimals = 1 - math.floor(math.log10(low))
    return decimals if 0 <= decimals <= _MOST_DECIMALS else None


def metric_decimals(values: Iterable[float], errors: Iterable[float | None] = ()) -> int | None:
    """Decimals of a metric's values.

    Args:
        values: They tell a few hundred steps of their range apart (a lone one: of its size).
        errors: Standard errors; more decimals than their typical size warrants are not written.
    """
    known = list(values)
    if not known:
        return None
    return spread_decimals(min(known), max(known), sorted(e for e in errors if e))


def spread_decimals(low: float, high: float, errors: Sequence[float]) -> int | None:
    """Decimals of values between two; `errors`, sorted and above 0, as in `metric_decimals`."""
    if low > high:
        return None
    decimals = decimals_for(high - low if high > low else abs(low))
    if not errors or decimals is None:
        return decimals
    typical = errors[len(errors) // 2]
    power = math.floor(math.log10(typical))
    warranted = -power + (1 if typical / 10**power < 2 else 0)
    return max(min(decimals, warranted), 0)


def number(value: float, decimals: int | None = None) -> str:
    """Write a number with fixed decimals, or for None with four significant digits."""
    if decimals is None or abs(value) >= 1e7:
        text = f"{value:.{_SIGNIFICANT}g}" if value != int(value) else f"{value:.0f}"
        if len(text) > 8:
            text = f"{value:.{_SIGNIFICANT}g}"
    else:
        text = f"{value:.{decimals}f}"
        if float(text) == 0:
            text = text.lstrip("-")
    return text.replace("-", "−")


def measured(value: float, decimals: int | None, error: float | None = None) -> str:
    """Write a measured value: like `number`, but what is not 0 does not read as 0.

    A best of 0.000002 beside others of about 1 gets significant digits, unless its standard error
    says that they mean nothing.
    """
    reads_as_zero = decimals is not None and round(value, decimals) == 0 != value
    return number(value, None if reads_as_zero and not error else decimals)


def with_unit(text: str, unit: str) -> str:
    """Write a value with its unit."""
    return f"{text}{NO_BREAK}{unit}" if unit else text


def parameter_value(value: TParameterValue, decimals: int | None) -> str:
    """Write a parameter's value."""
    if isinstance(value, bool | str):
        return value_text(value)
    return number(value, decimals)


def clock(moment: datetime, now: datetime) -> str:
    """Write the local time of an aware datetime, with the day where that is not today."""
    local, today = moment.astimezone(), now.astimezone().date()
    if local.date() == today:
        return local.strftime("%H:%M")
    return f"{local.day} {local.strftime('%b')} {local.strftime('%H:%M')}"


def when(moment: datetime, now: datetime) -> str:
    """Write how long ago something was in the coarse words of lists."""
    days = (now.astimezone().date() - moment.astimezone().date()).days
    if days <= 0:
        return "now" if (now - moment).total_seconds() < 60 else clock(moment, now)
    if days == 1:
        return "yesterday"
    local = moment.astimezone()
    year = f" {local.year}" if local.year != now.astimezone().year else ""
    return f"{local.day} {local.strftime('%b')}{year}"


def counted(count: int, thing: str) -> str:
    """Write a number with its noun: `1 trial`, `3 trials`."""
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def written_limit(text: str) -> str:
    """Write a limit such as ``"`a b` >= -2 %"`` as it is read: `a b ≥ −2 %`."""
    text = text.replace("<=", "≤").replace(">=", "≥").replace("`", "")
    return re.sub(r"(?<=\s)-(?=[\d.])", "−", text)


def listed(indices: Iterable[int]) -> str:
    """Name trials: `#16`, `#16 and #18`, `#16, #18 and #19`."""
    names = [f"#{index}" for index in indices]
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
