"""Set-ups, search spaces and run settings as rows."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, delete, insert, select

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig, parse_objectives
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.plugins import PluginChoice, PluginKind
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.storage.column_types import decoded, encoded
from axdesk.storage.schema import (
    Base,
    ExperimentRow,
    GenerationSettingsRow,
    MetricRow,
    ObjectiveTermRow,
    OptimizationRow,
    OutcomeConstraintRow,
    OutcomeConstraintTermRow,
    ParameterChoiceRow,
    ParameterConstraintRow,
    ParameterConstraintTermRow,
    ParameterDependentRow,
    ParameterRow,
    PluginChoiceRow,
    PluginOptionRow,
    RunSettingsRow,
    SearchSpaceRow,
)

Columns = dict[str, Any]
TConstraint = TypeVar("TConstraint", ParameterConstraint, OutcomeConstraint)

# Rows that refer to others go first.
_SETUP_TABLES: tuple[type[Base], ...] = (
    ObjectiveTermRow,
    OutcomeConstraintTermRow,
    OutcomeConstraintRow,
    MetricRow,
    PluginOptionRow,
    PluginChoiceRow,
    GenerationSettingsRow,
    RunSettingsRow,
)


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


def write_setup(connection: Connection, experiment_id: int, setup: ExperimentSetup) -> None:
    """Insert or replace what belongs to a set-up beside its name and its search space."""
    key = {"experiment_id": experiment_id}
    for table in _SETUP_TABLES:
        connection.execute(delete(table).where(table.__table__.c.experiment_id == experiment_id))
    insert_rows(connection, GenerationSettingsRow, key, [asdict(setup.generation)])
    insert_rows(connection, RunSettingsRow, key, [settings_columns(setup.run)])
    _write_optimization(connection, key, setup.optimization)
    _write_plugins(connection, key, setup)


def experiment_columns(setup: ExperimentSetup) -> Columns:
    """Return the columns of the experiment itself that a set-up says."""
    return {
        "name": setup.name,
        "description": setup.description,
        "owner": setup.owner,
        "plugin_folder": setup.plugin_folder,
        "plugin_python": setup.plugin_python,
    }


def read_setup(connection: Connection, experiment_id: int, version: int) -> ExperimentSetup:
    """Return the set-up of an experiment, with one version of its search space."""
    key = {"experiment_id": experiment_id}
    experiment = read_row(connection, ExperimentRow, {"id": experiment_id})
    generation = dict(read_row(connection, GenerationSettingsRow, key))
    del generation["experiment_id"]
    plugins = _read_plugins(connection, key)
    return ExperimentSetup(
        name=experiment["name"],
        search_space=read_search_space(connection, {**key, "version": version}),
        optimization=_read_optimization(connection, key),
        description=experiment["description"],
        owner=experiment["owner"],
        generation=GenerationSettings(**generation),
        runner=next((choice for metric, choice in plugins if metric is None), None),
        metrics=tuple((metric, choice) for metric, choice in plugins if metric is not None),
        plugin_folder=experiment["plugin_folder"],
        plugin_python=experiment["plugin_python"],
        run=settings_of(read_row(connection, RunSettingsRow, key)),
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
    insert_rows(connection, ParameterConstraintRow, key, _constraint_columns(space.constraints))
    insert_rows(
        connection,
        ParameterConstraintTermRow,
        key,
        _term_columns(space.constraints, "parameter"),
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
    limits = _constraints(
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


def _write_optimization(
    connection: Connection, key: Columns, optimization: OptimizationConfig
) -> None:
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
    columns = _constraint_columns(limits)
    relative = [
        row | {"baseline": limit.baseline} for row, limit in zip(columns, limits, strict=True)
    ]
    insert_rows(connection, OutcomeConstraintRow, key, relative)
    insert_rows(connection, OutcomeConstraintTermRow, key, _term_columns(limits, "metric"))


def _read_optimization(connection: Connection, key: Columns) -> OptimizationConfig:
    metrics = sorted(read_rows(connection, MetricRow, key), key=lambda row: row["position"])
    with_unit = [row for row in metrics if row["unit"] is not None]
    terms: dict[int, list[RowMapping]] = {}
    for row in read_rows(connection, ObjectiveTermRow, key):
        terms.setdefault(row["objective"], []).append(row)
    limits = read_rows(connection, OutcomeConstraintRow, key)
    absolute = _constraints(
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


def _constraint_columns(
    constraints: Iterable[ParameterConstraint | OutcomeConstraint],
) -> list[Columns]:
    return [
        {"position": n, "operator": constraint.operator, "bound": constraint.bound}
        for n, constraint in enumerate(constraints)
    ]


def _term_columns(
    constraints: Iterable[ParameterConstraint | OutcomeConstraint], what: str
) -> list[Columns]:
    return [
        {"constraint_position": n, "position": m, what: name, "coefficient": coefficient}
        for n, constraint in enumerate(constraints)
        for m, (name, coefficient) in enumerate(constraint.terms)
    ]


def _constraints(
    kind: Callable[..., TConstraint],
    constraints: Iterable[RowMapping],
    terms: Iterable[RowMapping],
    what: str,
) -> tuple[TConstraint, ...]:
    of_constraint: dict[int, list[tuple[str, float]]] = {}
    for row in terms:
        of_constraint.setdefault(row["constraint_position"], []).append(
            (row[what], row["coefficient"])
        )
    return tuple(
        kind(tuple(of_constraint[row["position"]]), row["operator"], row["bound"])
        for row in constraints
    )


def _write_plugins(connection: Connection, key: Columns, setup: ExperimentSetup) -> None:
    choices: list[tuple[str | None, PluginChoice]] = [*setup.metrics]
    if setup.runner is not None:
        choices.insert(0, (None, setup.runner))
    insert_rows(
        connection,
        PluginChoiceRow,
        key,
        [
            {
                "position": n,
                "kind": PluginKind.RUNNER if metric is None else PluginKind.METRIC,
                "metric": metric,
                "reference": choice.reference,
            }
            for n, (metric, choice) in enumerate(choices)
        ],
    )
    insert_rows(
        connection,
        PluginOptionRow,
        key,
        [
            {"choice_position": n, "position": m, "name": name, "value_type": kind, "value": stored}
            for n, (_, choice) in enumerate(choices)
            for m, (name, value) in enumerate(choice.options.items())
            for kind, stored in [encoded(value)]
        ],
    )


def _read_plugins(connection: Connection, key: Columns) -> list[tuple[str | None, PluginChoice]]:
    options: dict[int, dict[str, Any]] = {}
    rows = read_rows(connection, PluginOptionRow, key)
    for row in sorted(rows, key=lambda row: row["position"]):
        of_choice = options.setdefault(row["choice_position"], {})
        of_choice[row["name"]] = decoded(row["value_type"], row["value"])
    return [
        (row["metric"], PluginChoice(row["reference"], options.get(row["position"], {})))
        for row in read_rows(connection, PluginChoiceRow, key)
    ]


def settings_columns(settings: RunSettings) -> Columns:
    """Return the columns of run settings."""
    more = settings.orchestration
    return {
        "max_trials": settings.max_trials,
        "parallelism": settings.parallelism,
        "tolerated_trial_failure_rate": settings.tolerated_trial_failure_rate,
        "initial_seconds_between_polls": settings.initial_seconds_between_polls,
        "min_seconds_between_launches": more.min_seconds_between_launches,
        "min_failed_trials": more.min_failed_trials,
        "when_failure_rate_exceeded": more.when_failure_rate_exceeded,
        "uncertain_deployment": more.uncertain_deployment,
        "on_error": more.on_error,
        "trial_time_limit": more.trial_time_limit,
        "run_time_limit": more.run_time_limit,
        "run_deadline": more.call_deadlines.run,
        "poll_deadline": more.call_deadlines.poll,
        "fetch_deadline": more.call_deadlines.fetch,
        "stop_deadline": more.call_deadlines.stop,
        "poll_retries": more.retry_budget.poll,
        "fetch_retries": more.retry_budget.fetch,
        "max_seconds_between_polls": more.max_seconds_between_polls,
        "generation_time_limit": more.generation_time_limit,
        **_rule_columns("early_", EarlyStopping, more.early_stopping),
        **_rule_columns("global_", GlobalStopping, more.global_stopping),
    }


TRule = TypeVar("TRule", EarlyStopping, GlobalStopping)


def _rule_columns(prefix: str, kind: type[TRule], rule: TRule | None) -> Columns:
    return {prefix + f.name: None if rule is None else getattr(rule, f.name) for f in fields(kind)}


def _rule_of(prefix: str, kind: type[TRule], row: RowMapping) -> TRule | None:
    values = {field.name: row[prefix + field.name] for field in fields(kind)}
    return None if set(values.values()) == {None} else kind(**values)


def settings_of(row: RowMapping) -> RunSettings:
    """Return the run settings that a row says."""
    return RunSettings(
        max_trials=row["max_trials"],
        parallelism=row["parallelism"],
        tolerated_trial_failure_rate=row["tolerated_trial_failure_rate"],
        initial_seconds_between_polls=row["initial_seconds_between_polls"],
        orchestration=OrchestrationConfig(
            min_seconds_between_launches=row["min_seconds_between_launches"],
            min_failed_trials=row["min_failed_trials"],
            when_failure_rate_exceeded=row["when_failure_rate_exceeded"],
            uncertain_deployment=row["uncertain_deployment"],
            on_error=row["on_error"],
            trial_time_limit=row["trial_time_limit"],
            run_time_limit=row["run_time_limit"],
            call_deadlines=CallDeadlines(
                run=row["run_deadline"],
                poll=row["poll_deadline"],
                fetch=row["fetch_deadline"],
                stop=row["stop_deadline"],
            ),
            retry_budget=RetryBudget(poll=row["poll_retries"], fetch=row["fetch_retries"]),
            max_seconds_between_polls=row["max_seconds_between_polls"],
            generation_time_limit=row["generation_time_limit"],
            early_stopping=_rule_of("early_", EarlyStopping, row),
            global_stopping=_rule_of("global_", GlobalStopping, row),
        ),
    )
