"""Search spaces as rows."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.search_space import SearchSpace
from axdesk.storage.column_types import decoded, encoded
from axdesk.storage.rows import (
    Columns,
    constraint_columns,
    constraints_of,
    insert_rows,
    read_rows,
    term_columns,
)
from axdesk.storage.schema import (
    ParameterChoiceRow,
    ParameterConstraintRow,
    ParameterConstraintTermRow,
    ParameterDependentRow,
    ParameterRow,
    SearchSpaceRow,
)


def write_search_space(
    connection: Connection, experiment_id: int, version: int, space: SearchSpace, now: datetime
) -> None:
    """Insert a new version of a search space."""
    key = {"experiment_id": experiment_id, "version": version}
    insert_rows(connection, SearchSpaceRow, key, [{"created_at": now}])
    insert_rows(
        connection,
        ParameterRow,
        key,
        [{"position": n, **_parameter_columns(p)} for n, p in enumerate(space.parameters)],
    )
    insert_rows(
        connection,
        ParameterChoiceRow,
        key,
        [
            {"parameter": p.name, "position": n, "value": encoded(value)[1]}
            for p in space.parameters
            if isinstance(p, ChoiceParameterConfig)
            for n, value in enumerate(p.values)
        ],
    )
    insert_rows(
        connection,
        ParameterDependentRow,
        key,
        [row for p in space.parameters for row in _dependent_columns(p)],
    )
    insert_rows(connection, ParameterConstraintRow, key, constraint_columns(space.constraints))
    insert_rows(
        connection,
        ParameterConstraintTermRow,
        key,
        term_columns(space.constraints, "parameter"),
    )


def read_search_space(connection: Connection, key: Mapping[str, Any]) -> SearchSpace:
    """Return one version of a search space.

    Args:
        connection: To the database.
        key: `experiment_id` and `version`.
    """
    choices: dict[str, list[Any]] = {}
    for row in read_rows(connection, ParameterChoiceRow, key):
        choices.setdefault(row["parameter"], []).append(row["value"])
    dependents: dict[str, list[tuple[Any, str]]] = {}
    for row in read_rows(connection, ParameterDependentRow, key):
        dependents.setdefault(row["parameter"], []).append((row["value"], row["dependent"]))
    rows = sorted(read_rows(connection, ParameterRow, key), key=lambda row: row["position"])
    limits = constraints_of(
        ParameterConstraint,
        read_rows(connection, ParameterConstraintRow, key),
        read_rows(connection, ParameterConstraintTermRow, key),
        "parameter",
    )
    parameters = (
        _parameter(row, choices.get(row["name"], []), dependents.get(row["name"], []))
        for row in rows
    )
    return SearchSpace(tuple(parameters), limits)


def _parameter_columns(parameter: ParameterConfig) -> Columns:
    columns: Columns = {
        "name": parameter.name,
        "parameter_type": parameter.parameter_type,
        "unit": parameter.unit,
        "description": parameter.description,
        "start_value": None,
        "low": None,
        "high": None,
        "scaling": None,
        "is_ordered": None,
        "step": None,
        "is_on": True,
        "expression": None,
    }
    if isinstance(parameter, DerivedParameterConfig):
        return {**columns, "kind": "derived", "expression": parameter.expression_str}
    columns["start_value"] = encoded(parameter.start_value)[1]
    columns["is_on"] = parameter.is_on
    if isinstance(parameter, ChoiceParameterConfig):
        return {**columns, "kind": "choice", "is_ordered": parameter.is_ordered}
    low, high = parameter.bounds
    return {
        **columns,
        "kind": "range",
        "low": encoded(low)[1],
        "high": encoded(high)[1],
        "scaling": parameter.scaling,
        "step": encoded(parameter.step_size)[1],
    }


def _dependent_columns(parameter: ParameterConfig) -> Iterable[Columns]:
    if not isinstance(parameter, ChoiceParameterConfig):
        return []
    pairs = [(v, name) for v, names in parameter.dependent_parameters.items() for name in names]
    return [
        {"parameter": parameter.name, "position": n, "value": encoded(v)[1], "dependent": name}
        for n, (v, name) in enumerate(pairs)
    ]


def _parameter(
    row: RowMapping, choices: list[Any], dependents: list[tuple[Any, str]]
) -> ParameterConfig:
    def typed(stored: Any) -> Any:
        return decoded(row["parameter_type"], stored)

    common: Columns = {
        name: row[name] for name in ("name", "parameter_type", "unit", "description")
    }
    if row["kind"] == "derived":
        return DerivedParameterConfig(expression_str=row["expression"], **common)
    common |= {"start_value": typed(row["start_value"]), "is_on": row["is_on"]}
    if row["kind"] == "range":
        return RangeParameterConfig(
            bounds=(typed(row["low"]), typed(row["high"])),
            scaling=row["scaling"],
            step_size=typed(row["step"]),
            **common,
        )
    values: tuple[TParameterValue, ...] = tuple(map(typed, choices))
    named: dict[TParameterValue, list[str]] = {}
    for value, name in dependents:
        named.setdefault(typed(value), []).append(name)
    return ChoiceParameterConfig(
        values=values, is_ordered=row["is_ordered"], dependent_parameters=named, **common
    )
