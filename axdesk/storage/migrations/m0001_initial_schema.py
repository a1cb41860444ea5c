"""Migration 1: the tables, empty."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import UserDefinedType


class _AnyValue(UserDefinedType[Any]):
    """A column in which SQLite converts nothing."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Return the declaration."""
        return "BLOB"


def upgrade() -> None:
    """Make all tables."""
    _create_experiments()
    _create_search_spaces()
    _create_optimization()
    _create_plugins()
    _create_runs()
    _create_trials()


def _create_experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("plugin_folder", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "generation_settings",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("initialization_budget", sa.Integer(), nullable=False),
        sa.Column("initialize_with_center", sa.Boolean(), nullable=False),
        sa.Column("seed", _AnyValue(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "run_settings",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("max_trials", sa.Integer(), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=False),
        sa.Column("tolerated_trial_failure_rate", sa.Double(), nullable=False),
        sa.Column("initial_seconds_between_polls", sa.Double(), nullable=False),
        sa.Column("min_seconds_between_launches", sa.Double(), nullable=False),
        sa.Column("min_failed_trials", sa.Integer(), nullable=False),
        sa.Column("when_failure_rate_exceeded", sa.String(), nullable=False),
        sa.Column("uncertain_deployment", sa.String(), nullable=False),
        sa.Column("trial_time_limit", sa.Double(), nullable=True),
        sa.Column("run_time_limit", sa.Double(), nullable=True),
        sa.Column("run_deadline", sa.Double(), nullable=True),
        sa.Column("poll_deadline", sa.Double(), nullable=True),
        sa.Column("fetch_deadline", sa.Double(), nullable=True),
        sa.Column("stop_deadline", sa.Double(), nullable=True),
        sa.Column("poll_retries", sa.Integer(), nullable=False),
        sa.Column("fetch_retries", sa.Integer(), nullable=False),
        sa.Column("max_seconds_between_polls", sa.Double(), nullable=True),
        sa.Column("generation_time_limit", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "drafts",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("section", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "section", "row", "field"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("after", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_index("audit_experiment", "audit", ["experiment_id", "trial_index"])


def _create_search_spaces() -> None:
    op.create_table(
        "search_spaces",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "version"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "parameters",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("parameter_type", sa.String(), nullable=False),
        sa.Column("low", _AnyValue(), nullable=True),
        sa.Column("high", _AnyValue(), nullable=True),
        sa.Column("scaling", sa.String(), nullable=True),
        sa.Column("is_ordered", sa.Boolean(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("start_value", _AnyValue(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "version", "name"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version"],
            ["search_spaces.experiment_id", "search_spaces.version"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "parameter_choices",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", _AnyValue(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "version", "parameter", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version", "parameter"],
            ["parameters.experiment_id", "parameters.version", "parameters.name"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "parameter_constraints",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "version", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version"],
            ["search_spaces.experiment_id", "search_spaces.version"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "parameter_constraint_terms",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("constraint_position", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "version", "constraint_position", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version", "constraint_position"],
            [
                "parameter_constraints.experiment_id",
                "parameter_constraints.version",
                "parameter_constraints.position",
            ],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "version", "parameter"],
            ["parameters.experiment_id", "parameters.version", "parameters.name"],
            ondelete="CASCADE",
        ),
    )


def _create_optimization() -> None:
    op.create_table(
        "metrics",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_tracking", sa.Boolean(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("unit_position", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "name"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "objective_terms",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "metric"],
            ["metrics.experiment_id", "metrics.name"],
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "outcome_constraints",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "position"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "outcome_constraint_terms",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("constraint_position", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "constraint_position", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "constraint_position"],
            ["outcome_constraints.experiment_id", "outcome_constraints.position"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "metric"],
            ["metrics.experiment_id", "metrics.name"],
            ondelete="CASCADE",
        ),
    )


def _create_plugins() -> None:
    op.create_table(
        "plugin_choices",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=True),
        sa.Column("reference", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "position"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "plugin_options",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("choice_position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value_type", sa.String(), nullable=False),
        sa.Column("value", _AnyValue(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "choice_position", "name"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "choice_position"],
            ["plugin_choices.experiment_id", "plugin_choices.position"],
            ondelete="CASCADE",
        ),
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("run_index", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=True),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.Column("elapsed_seconds", sa.Double(), nullable=False),
        sa.Column("controller", sa.String(), nullable=False),
        sa.Column("max_trials", sa.Integer(), nullable=False),
        sa.Column("parallelism", sa.Integer(), nullable=False),
        sa.Column("tolerated_trial_failure_rate", sa.Double(), nullable=False),
        sa.Column("initial_seconds_between_polls", sa.Double(), nullable=False),
        sa.Column("min_seconds_between_launches", sa.Double(), nullable=False),
        sa.Column("min_failed_trials", sa.Integer(), nullable=False),
        sa.Column("when_failure_rate_exceeded", sa.String(), nullable=False),
        sa.Column("uncertain_deployment", sa.String(), nullable=False),
        sa.Column("trial_time_limit", sa.Double(), nullable=True),
        sa.Column("run_time_limit", sa.Double(), nullable=True),
        sa.Column("run_deadline", sa.Double(), nullable=True),
        sa.Column("poll_deadline", sa.Double(), nullable=True),
        sa.Column("fetch_deadline", sa.Double(), nullable=True),
        sa.Column("stop_deadline", sa.Double(), nullable=True),
        sa.Column("poll_retries", sa.Integer(), nullable=False),
        sa.Column("fetch_retries", sa.Integer(), nullable=False),
        sa.Column("max_seconds_between_polls", sa.Double(), nullable=True),
        sa.Column("generation_time_limit", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "run_index"),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "run_plugin_files",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("run_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "run_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "run_index"],
            ["runs.experiment_id", "runs.run_index"],
            ondelete="CASCADE",
        ),
    )


def _create_trials() -> None:
    op.create_table(
        "trials",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("arm_name", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("run_index", sa.Integer(), nullable=True),
        sa.Column("search_space_version", sa.Integer(), nullable=False),
        sa.Column("may_have_started", sa.Boolean(), nullable=False),
        sa.Column("is_excluded", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("metadata_json", sa.String(), nullable=True),
        sa.Column("staged_at", sa.String(), nullable=True),
        sa.Column("started_at", sa.String(), nullable=True),
        sa.Column("finished_at", sa.String(), nullable=True),
        sa.Column("elapsed_seconds", sa.Double(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("model_best_mean", sa.Double(), nullable=True),
        sa.Column("model_best_sem", sa.Double(), nullable=True),
        sa.Column("acquisition_value", sa.Double(), nullable=True),
        sa.Column("fit_seconds", sa.Double(), nullable=False),
        sa.Column("search_seconds", sa.Double(), nullable=False),
        sa.Column("seed", _AnyValue(), nullable=True),
        sa.Column("observed_trials", sa.Integer(), nullable=False),
        sa.Column("generation_reason", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "search_space_version"],
            ["search_spaces.experiment_id", "search_spaces.version"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["experiment_id", "run_index"],
            ["runs.experiment_id", "runs.run_index"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiments.id"], ondelete="CASCADE"),
    )
    op.create_table(
        "trial_parameters",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("value_type", sa.String(), nullable=False),
        sa.Column("value", _AnyValue(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "trial_index"],
            ["trials.experiment_id", "trials.trial_index"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "executed_parameters",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parameter", sa.String(), nullable=False),
        sa.Column("value_type", sa.String(), nullable=False),
        sa.Column("value", _AnyValue(), nullable=True),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "trial_index"],
            ["trials.experiment_id", "trials.trial_index"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "observations",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("sem", sa.Double(), nullable=True),
        sa.Column("progression", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "trial_index"],
            ["trials.experiment_id", "trials.trial_index"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "predictions",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("trial_index", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("sem", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("experiment_id", "trial_index", "position"),
        sa.ForeignKeyConstraint(
            ["experiment_id", "trial_index"],
            ["trials.experiment_id", "trials.trial_index"],
            ondelete="CASCADE",
        ),
        sqlite_with_rowid=False,
    )
