"""How single values stand in a column: exact, and readable with plain SQL."""

import math
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Dialect, String
from sqlalchemy.types import TypeDecorator, UserDefinedType

TStored = int | float | str | None

_LARGEST_INTEGER = 2**63 - 1


class AnyValue(UserDefinedType[TStored]):
    """A column that keeps a number as a number and a text as a text.

    SQLite converts nothing in a column that is declared BLOB; every other declaration would turn
    "1" into 1, or 1.0 into 1.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the declaration."""
        return "BLOB"


class WholeNumber(TypeDecorator[int]):
    """A whole number of any size; beyond 64 bits it stands as text."""

    impl = AnyValue
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> TStored:
        """Return what is stored."""
        return None if value is None else encoded(value)[1]

    def process_result_value(self, value: TStored, dialect: Dialect) -> int | None:
        """Return the number."""
        return None if value is None else int(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware point in time, as ISO 8601 text in UTC that sorts by time."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return what is stored."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} says no time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Return the time."""
        return None if value is None else datetime.fromisoformat(value)


def encoded(value: float | str | bool | None) -> tuple[str, TStored]:
    """Return the name of a value's type and what stands in an `AnyValue` column.

    Every float keeps its bits, though NaN, which SQLite would take for NULL, stands as text; so
    do whole numbers beyond 64 bits.
    """
    match value:
        case None:
            return "none", None
        case bool():
            return "bool", int(value)
        case int():
            return "int", value if abs(value) <= _LARGEST_INTEGER else str(value)
        case float():
            return "float", str(value) if math.isnan(value) else value
        case str():
            return "str", value


def decoded(value_type: str, stored: TStored) -> int | float | str | bool | None:
    """Return the value that `encoded` was given."""
    if stored is None:
        return None
    match value_type:
        case "bool":
            return bool(stored)
        case "int":
            return int(stored)
        case "float":
            return float(stored)
        case _:
            return str(stored)
