"""Any real number of Python, NumPy or torch as a float; neither library is needed for that."""

import math
from typing import Any

from axdesk.core.texts import reason_of


class NumberError(ValueError):
    """Why a value is no real number; what it is of, the catcher knows."""


def real_number(value: object) -> float:
    """Return the float for a value.

    Args:
        value: An int, a float, a Decimal, a Fraction, or a NumPy or torch scalar or array without
            dimensions; whatever else `float` takes that is neither text nor a truth value.

    Raises:
        NumberError: If it is none of these, complex, not finite, or too large for a float.
    """
    if isinstance(value, bool | str | bytes | bytearray | complex) or value is None:
        kind = "None" if value is None else f"of type {type(value).__name__}"
        raise NumberError(f"is {kind}, not a number")
    _check_array(value)
    if str(getattr(value, "dtype", "")) == "object":  # NumPy's wrapping of any Python value
        return real_number(value.item())  # type: ignore[attr-defined]  # what has a dtype has it
    detach = getattr(value, "detach", None)  # a tensor that is part of a gradient's graph
    plain: Any = detach() if callable(detach) and not isinstance(value, type) else value
    try:
        number = float(plain)
    except OverflowError:
        raise NumberError("is too large") from None
    except Exception as error:  # noqa: BLE001  # anybody's own `__float__`
        raise NumberError(f"is no number ({reason_of(error)})") from None
    if not math.isfinite(number):
        raise NumberError("is not finite")
    return number


def _check_array(value: object) -> None:
    """Refuse NumPy's and torch's values that `float` would convert although they are no numbers."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return
    if getattr(value, "ndim", 0) != 0:
        raise NumberError("is an array, not one number")
    name = str(getattr(dtype, "name", dtype)).removeprefix("torch.")
    if not name.startswith(("int", "uint", "float", "bfloat", "object")):
        raise NumberError(f"is of type {name}, not a real number")
