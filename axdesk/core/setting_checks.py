"""What the values of run settings must be; each check raises a UserInputError."""

import sys
from typing import TypeGuard

from axdesk.core.errors import UserInputError
from axdesk.core.texts import shown


def check_count(name: str, value: object, *, low: int) -> None:
    """Refuse what is no whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise UserInputError(
            f"{name} is {shown(value)}; a whole number of at least {low} is needed."
        )


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # math.isfinite fails at whole numbers that are too large for a float.
    return abs(value) <= sys.float_info.max


def check_seconds(name: str, value: object, *, positive: bool = False) -> None:
    """Refuse what is no number of seconds."""
    if not is_number(value) or value < 0 or (positive and value == 0):
        need = "above 0" if positive else "of at least 0"
        raise UserInputError(f"{name} is {value!r}; a number of seconds {need} is needed.")


def check_limit(name: str, value: object) -> None:
    """Refuse what is neither a time limit nor None for no limit."""
    if value is not None:
        check_seconds(name, value, positive=True)


def check_word(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not among those allowed."""
    if not isinstance(value, str) or value not in allowed:
        raise UserInputError(
            f"{name} is {shown(value)}; allowed are {', '.join(map(repr, allowed))}."
        )
