"""Objectives, limits and metrics as rows, and their versions."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, insert

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig, parse_objectives
from axdesk.storage.rows import (
    Columns,
    constraint_columns,
    constraints_of,
    insert_rows,
    read_rows,
    term_columns,
)
from axdesk.storage.schema import (
    MetricRow,
    ObjectiveTermRow,
    OptimizationRow,
    OutcomeConstraintRow,
    OutcomeConstraintTermRow,
)


def write_optimization(
    connection: Connection, key: Columns, optimization: OptimizationConfig
) -> None:
    """Insert the objectives, limits and metrics of a set-up."""
    units = {name: (unit, n) for n, (name, unit) in enumerate(optimization.units)}
    names = dict.fromkeys((*optimization.metric_names, *units))
    insert_rows(
        connection,
        MetricRow,
        key,
        [
            {
                "name": name,
                "position": n,
                "is_tracking": name in optimization.tracking_metrics,
                "unit": units.get(name, (None, None))[0],
                "unit_position": units.get(name, (None, None))[1],
            }
            for n, name in enumerate(names)
        ],
    )
    insert_rows(
        connection,
        ObjectiveTermRow,
        key,
        [
            {
                "position": n,
                "metric": metric,
                "coefficient": coefficient,
                "objective": number,
                "target": dict(objective.targets).get(metric),
            }
            for n, (number, objective, metric, coefficient) in enumerate(
                (number, objective, metric, coefficient)
                for number, objective in enumerate(optimization.objectives)
                for metric, coefficient in objective.expression.terms
            )
        ],
    )
    limits = optimization.outcome_constraints
    columns = constraint_columns(limits)
    relative = [
        row | {"baseline": limit.baseline} for row, limit in zip(columns, limits, strict=True)
    ]
    insert_rows(connection, OutcomeConstraintRow, key, relative)
    insert_rows(connection, OutcomeConstraintTermRow, key, term_columns(limits, "metric"))


def read_optimization(connection: Connection, key: Columns) -> OptimizationConfig:
    """Return the objectives, limits and metrics of a set-up."""
    metrics = sorted(read_rows(connection, MetricRow, key), key=lambda row: row["position"])
    with_unit = [row for row in metrics if row["unit"] is not None]
    terms: dict[int, list[RowMapping]] = {}
    for row in read_rows(connection, ObjectiveTermRow, key):
        terms.setdefault(row["objective"], []).append(row)
    limits = read_rows(connection, OutcomeConstraintRow, key)
    absolute = constraints_of(
        OutcomeConstraint, limits, read_rows(connection, OutcomeConstraintTermRow, key), "metric"
    )
    return OptimizationConfig.of(
        [_objective(of_one) for _, of_one in sorted(terms.items())],
        outcome_constraints=tuple(
            replace(limit, baseline=row["baseline"])
            for limit, row in zip(absolute, limits, strict=True)
        ),
        tracking_metrics=tuple(row["name"] for row in metrics if row["is_tracking"]),
        units=tuple(
            (row["name"], row["unit"])
            for row in sorted(with_unit, key=lambda row: row["unit_position"])
        ),
    )


def _objective(terms: Iterable[RowMapping]) -> Objective:
    rows = list(terms)
    return Objective(
        LinearExpression(tuple((row["metric"], row["coefficient"]) for row in rows)),
        tuple((row["metric"], row["target"]) for row in rows if row["target"] is not None),
    )


def write_optimizations(
    connection: Connection,
    experiment_id: int,
    versions: Iterable[tuple[int, datetime, OptimizationConfig]],
) -> None:
    """Insert (version, when it came to be, objectives and limits) as far as they are not there."""
    for version, made_at, optimization in versions:
        columns = {
            "experiment_id": experiment_id,
            "version": version,
            "created_at": made_at,
            "objective": optimization.objective_text,
            "outcome_constraints_json": json.dumps([*map(str, optimization.outcome_constraints)]),
        }
        connection.execute(insert(OptimizationRow).values(columns).prefix_with("OR IGNORE"))


def read_optimizations(
    connection: Connection, experiment_id: int
) -> dict[int, tuple[datetime, OptimizationConfig]]:
    """Return version → (when it came to be, objectives and limits), as far as it is stored."""
    return {
        row["version"]: (
            row["created_at"],
            OptimizationConfig.of(
                parse_objectives(row["objective"]),
                tuple(map(OutcomeConstraint.parse, json.loads(row["outcome_constraints_json"]))),
            ),
        )
        for row in read_rows(connection, OptimizationRow, {"experiment_id": experiment_id})
    }
