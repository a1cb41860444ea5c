"""Inserting and reading rows of any table, and those of constraints."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, insert, select

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.storage.schema import Base

Columns = dict[str, Any]
TConstraint = TypeVar("TConstraint", ParameterConstraint, OutcomeConstraint)


def insert_rows(
    connection: Connection, table: type[Base], key: Mapping[str, Any], rows: Iterable[Columns]
) -> None:
    """Insert rows that share the columns of `key`, if there are any."""
    complete = [{**key, **row} for row in rows]
    if complete:
        connection.execute(insert(table), complete)


def read_rows(
    connection: Connection, table: type[Base], key: Mapping[str, Any]
) -> list[RowMapping]:
    """Return the rows that have the values of `key`, in the order of their primary key."""
    columns = table.__table__.c
    statement = select(table.__table__).where(*(columns[name] == key[name] for name in key))
    return list(connection.execute(statement.order_by(*table.__table__.primary_key)).mappings())


def read_row(connection: Connection, table: type[Base], key: Mapping[str, Any]) -> RowMapping:
    """Return the one row that has the values of `key`."""
    rows = read_rows(connection, table, key)
    if len(rows) != 1:
        raise LookupError(f"{table.__tablename__} has {len(rows)} rows of it instead of one")
    return rows[0]


def constraint_columns(
    constraints: Iterable[ParameterConstraint | OutcomeConstraint],
) -> list[Columns]:
    """Return a row of each constraint, beside its terms."""
    return [
        {"position": n, "operator": constraint.operator, "bound": constraint.bound}
        for n, constraint in enumerate(constraints)
    ]


def term_columns(
    constraints: Iterable[ParameterConstraint | OutcomeConstraint], what: str
) -> list[Columns]:
    """Return a row of each term; `what` is the column of its name."""
    return [
        {"constraint_position": n, "position": m, what: name, "coefficient": coefficient}
        for n, constraint in enumerate(constraints)
        for m, (name, coefficient) in enumerate(constraint.terms)
    ]


def constraints_of(
    kind: Callable[..., TConstraint],
    constraints: Iterable[RowMapping],
    terms: Iterable[RowMapping],
    what: str,
) -> tuple[TConstraint, ...]:
    """Return the constraints of rows that `constraint_columns` and `term_columns` made."""
    of_constraint: dict[int, list[tuple[str, float]]] = {}
    for row in terms:
        of_constraint.setdefault(row["constraint_position"], []).append(
            (row[what], row["coefficient"])
        )
    return tuple(
        kind(tuple(of_constraint[row["position"]]), row["operator"], row["bound"])
        for row in constraints
    )
