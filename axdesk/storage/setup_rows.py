"""Set-ups as rows."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, delete

from axdesk.core.plugins import PluginChoice, PluginKind
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.storage.column_types import decoded, encoded
from axdesk.storage.goal_rows import read_optimization, write_optimization
from axdesk.storage.rows import Columns, insert_rows, read_row, read_rows
from axdesk.storage.schema import (
    Base,
    ExperimentRow,
    GenerationSettingsRow,
    MetricRow,
    ObjectiveTermRow,
    OutcomeConstraintRow,
    OutcomeConstraintTermRow,
    PluginChoiceRow,
    PluginOptionRow,
    RunSettingsRow,
)
from axdesk.storage.settings_rows import settings_columns, settings_of
from axdesk.storage.space_rows import read_search_space

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


def write_setup(connection: Connection, experiment_id: int, setup: ExperimentSetup) -> None:
    """Insert or replace what belongs to a set-up beside its name and its search space."""
    key = {"experiment_id": experiment_id}
    for table in _SETUP_TABLES:
        connection.execute(delete(table).where(table.__table__.c.experiment_id == experiment_id))
    insert_rows(connection, GenerationSettingsRow, key, [asdict(setup.generation)])
    insert_rows(connection, RunSettingsRow, key, [settings_columns(setup.run)])
    write_optimization(connection, key, setup.optimization)
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
        optimization=read_optimization(connection, key),
        description=experiment["description"],
        owner=experiment["owner"],
        generation=GenerationSettings(**generation),
        runner=next((choice for metric, choice in plugins if metric is None), None),
        metrics=tuple((metric, choice) for metric, choice in plugins if metric is not None),
        plugin_folder=experiment["plugin_folder"],
        plugin_python=experiment["plugin_python"],
        run=settings_of(read_row(connection, RunSettingsRow, key)),
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
