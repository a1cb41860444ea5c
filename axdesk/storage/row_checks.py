"""Whether a row that was read from a damaged page may be one that axdesk wrote."""

import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from axdesk.core.run import RunState
from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.storage.column_types import AnyValue, UtcTime, WholeNumber
from axdesk.storage.pages import RowCheck, Values

_WORDS: Mapping[tuple[str, str], Callable[[str], object]] = {
    ("trials", "status"): TrialStatus,
    ("trials", "source"): TrialSource,
    ("trials", "metadata_json"): json.loads,
    ("runs", "state"): RunState,
    ("runs", "standing_answers_json"): json.loads,
    ("optimizations", "outcome_constraints_json"): json.loads,
}


def has_row_numbers(table: sa.Table) -> bool:
    """Return whether the rows of a table have numbers."""
    return table.dialect_options["sqlite"]["with_rowid"] is not False


def row_number_column(table: sa.Table) -> int | None:
    """Return the position of the column that is the row's number, which no record holds."""
    columns, key = [*table.columns], [*table.primary_key]
    is_alias = has_row_numbers(table) and len(key) == 1 and isinstance(key[0].type, sa.Integer)
    return columns.index(key[0]) if is_alias else None


def row_check(table: sa.Table) -> RowCheck:
    """Return what tells whether a row may be one of a table."""
    columns, alias = [*table.columns], row_number_column(table)
    least = len([column for column in columns if column.server_default is None])

    def is_row(number: int | None, values: Values) -> bool:
        return least <= len(values) <= len(columns) and all(
            value is None if n == alias else _may_stand(value, column)
            for n, (column, value) in enumerate(zip(columns, values, strict=False))
        )

    return is_row


def _may_stand(value: Any, column: sa.Column[Any]) -> bool:
    """Return whether axdesk may have written a value into a column."""
    if value is None:
        return bool(column.nullable)
    match column.type:
        case AnyValue() | WholeNumber():
            return not isinstance(value, bytes)
        case sa.Boolean():
            return value in (0, 1)
        case sa.Integer():
            return isinstance(value, int)
        case sa.Float():
            is_number = isinstance(value, int | float)
            return is_number and (column.table.name != "observations" or math.isfinite(value))
        case UtcTime():
            reads: Callable[[str], object] = datetime.fromisoformat
        case _:
            reads = _WORDS.get((column.table.name, column.name), str)
    try:
        reads(value)
    except (TypeError, ValueError):
        return False
    return isinstance(value, str)
