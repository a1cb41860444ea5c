"""Any real number is a reading; everything else is refused with its reason."""

import math
from typing import Any

from axdesk.core.errors import CallFailedError
from axdesk.core.trial import Observation
from axdesk.plugins.failures import reason_of, shown


def checked_reading(metric: str, trial_index: int, answer: object) -> Observation:
    """Return what a metric's `fetch` answered as an observation.

    Args:
        metric: The metric's name.
        trial_index: For the message.
        answer: (progression, value) or (progression, (mean, sem)); a sem of None is unknown.

    Raises:
        CallFailedError: If it is anything else, with metric, trial and the raw answer.
    """
    try:
        return _observation(metric, answer)
    except _ReadingError as error:
        raise CallFailedError(
            f"The metric {metric!r} answered {shown(answer)} for trial {trial_index}: {error}.",
            "A fetch returns (progression, value) or (progression, (mean, sem)).",
        ) from None


class _ReadingError(Exception):
    """Why an answer is no reading."""


def _observation(metric: str, answer: object) -> Observation:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise _ReadingError("that is not a pair of progression and value")
    progression = _real(answer[0], "the progression")
    value, sem = answer[1], None
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise _ReadingError(f"the value has {len(value)} parts, not mean and sem")
        value, sem = value
    mean = _real(value, "the value")
    error = None if sem is None else _real(sem, "the sem")
    if error is not None and error < 0:
        raise _ReadingError("the sem is negative")
    return Observation(metric, mean, error, progression)


def _real(value: Any, role: str) -> float:
    if isinstance(value, bool | str | bytes | bytearray | complex) or value is None:
        raise _ReadingError(f"{role} is {_kind_text(value)}, not a number")
    _check_array(value, role)
    if str(getattr(value, "dtype", "")) == "object":  # NumPy's wrapping of any Python value
        return _real(value.item(), role)
    detach = getattr(value, "detach", None)  # a tensor that is part of a gradient's graph
    try:
        number = float(detach() if callable(detach) else value)
    except OverflowError:
        raise _ReadingError(f"{role} is too large") from None
    except Exception as error:  # noqa: BLE001  # the laboratory's own `__float__`
        raise _ReadingError(f"{role} is no number ({reason_of(error)})") from None
    if not math.isfinite(number):
        raise _ReadingError(f"{role} is not finite")
    return number


def _check_array(value: Any, role: str) -> None:
    """Refuse NumPy's and torch's values that `float` would convert although they are no numbers."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return
    if getattr(value, "ndim", 0) != 0:
        raise _ReadingError(f"{role} is an array, not one number")
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    if not name.startswith(("int", "uint", "float", "bfloat", "object")):
        raise _ReadingError(f"{role} is of type {name}, not a real number")


def _kind_text(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"
