"""The tables. Rows never leave this room.

Every table but `experiments` is keyed by the experiment and by what numbers its rows within it,
so that plain SQL joins by names that say what they mean and a trial is written without asking for
keys first. Whatever belongs to an experiment goes with it.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from axdesk.storage.column_types import AnyValue, UtcTime, WholeNumber

SCHEMA_VERSION = 9
"""Number of the last migration; the file carries it as `PRAGMA user_version`."""

APPLICATION_ID = 0x61786473
"""Marks a file as ours: "axds", as `PRAGMA application_id`."""


class Base(DeclarativeBase):
    """What all tables share."""

    type_annotation_map = {datetime: UtcTime}  # noqa: RUF012 - SQLAlchemy's declared form


def _experiment_key(*, primary_key: bool = True) -> Mapped[int]:
    return mapped_column(ForeignKey("experiments.id", ondelete="CASCADE"), primary_key=primary_key)


def _belongs_to(table: str, *columns: str, to: tuple[str, ...] | None = None) -> Any:
    """Return the foreign key from `columns` to a table's columns, of the same names unless told."""
    targets = [f"{table}.{column}" for column in to or columns]
    return ForeignKeyConstraint(columns, targets, ondelete="CASCADE")


class ExperimentRow(Base):
    """An experiment, or the draft of one: then it has no name and no search space yet."""

    __tablename__ = "experiments"
    # A deleted experiment's number must never come to mean another one.
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None] = mapped_column(unique=True)
    description: Mapped[str]
    owner: Mapped[str]
    plugin_folder: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    plugin_python: Mapped[str] = mapped_column(server_default="")


class GenerationSettingsRow(Base):
    """How an experiment's candidates are made."""

    __tablename__ = "generation_settings"

    experiment_id: Mapped[int] = _experiment_key()
    method: Mapped[str]
    initialization_budget: Mapped[int]
    initialize_with_center: Mapped[bool]
    seed: Mapped[int] = mapped_column(WholeNumber)
    min_observed_initialization_trials: Mapped[int | None] = mapped_column(
        server_default=text("NULL")
    )
    use_existing_trials_for_initialization: Mapped[bool] = mapped_column(server_default="1")


class SearchSpaceRow(Base):
    """One version of an experiment's search space; trials know theirs."""

    __tablename__ = "search_spaces"

    experiment_id: Mapped[int] = _experiment_key()
    version: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class ParameterRow(Base):
    """A parameter: of kind "range" with low and high, "choice" with values, or "derived"."""

    __tablename__ = "parameters"
    __table_args__ = (_belongs_to("search_spaces", "experiment_id", "version"),)

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    kind: Mapped[str]
    parameter_type: Mapped[str]
    low: Mapped[Any | None] = mapped_column(AnyValue)
    high: Mapped[Any | None] = mapped_column(AnyValue)
    scaling: Mapped[str | None]
    is_ordered: Mapped[bool | None]
    unit: Mapped[str]
    description: Mapped[str]
    start_value: Mapped[Any | None] = mapped_column(AnyValue)
    step: Mapped[Any | None] = mapped_column(AnyValue, server_default=text("NULL"))
    is_on: Mapped[bool] = mapped_column(server_default="1")
    expression: Mapped[str | None] = mapped_column(server_default=text("NULL"))


class ParameterChoiceRow(Base):
    """One value of a choice, of its parameter's type."""

    __tablename__ = "parameter_choices"
    __table_args__ = (
        _belongs_to(
            "parameters",
            "experiment_id",
            "version",
            "parameter",
            to=("experiment_id", "version", "name"),
        ),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    parameter: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[Any | None] = mapped_column(AnyValue)


class ParameterDependentRow(Base):
    """A parameter that exists where another one, a choice, has a value."""

    __tablename__ = "parameter_dependents"
    __table_args__ = (
        _belongs_to(
            "parameters",
            "experiment_id",
            "version",
            "parameter",
            to=("experiment_id", "version", "name"),
        ),
        _belongs_to(
            "parameters",
            "experiment_id",
            "version",
            "dependent",
            to=("experiment_id", "version", "name"),
        ),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    parameter: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[Any | None] = mapped_column(AnyValue)
    dependent: Mapped[str]


class ParameterConstraintRow(Base):
    """The sum of the terms is at most, at least, or equal to the bound."""

    __tablename__ = "parameter_constraints"
    __table_args__ = (_belongs_to("search_spaces", "experiment_id", "version"),)

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[str]
    bound: Mapped[float]


class ParameterConstraintTermRow(Base):
    """One term of a parameter constraint."""

    __tablename__ = "parameter_constraint_terms"
    __table_args__ = (
        _belongs_to(
            "parameter_constraints",
            "experiment_id",
            "version",
            "constraint_position",
            to=("experiment_id", "version", "position"),
        ),
        _belongs_to(
            "parameters",
            "experiment_id",
            "version",
            "parameter",
            to=("experiment_id", "version", "name"),
        ),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    constraint_position: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    parameter: Mapped[str]
    coefficient: Mapped[float]


class MetricRow(Base):
    """A metric: optimised or limited, only recorded (`is_tracking`), or known by its unit alone."""

    __tablename__ = "metrics"

    experiment_id: Mapped[int] = _experiment_key()
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    is_tracking: Mapped[bool]
    unit: Mapped[str | None]
    unit_position: Mapped[int | None]


class ObjectiveTermRow(Base):
    """One term of an objective, which is maximised.

    `objective` numbers the objectives from 0. With a target the term is the coefficient times the
    distance of the metric from it.
    """

    __tablename__ = "objective_terms"
    __table_args__ = (
        _belongs_to("metrics", "experiment_id", "metric", to=("experiment_id", "name")),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    metric: Mapped[str]
    coefficient: Mapped[float]
    objective: Mapped[int] = mapped_column(server_default="0")
    target: Mapped[float | None] = mapped_column(server_default=text("NULL"))


class OutcomeConstraintRow(Base):
    """The sum of the terms is at most, or at least, the bound.

    To the bound comes `baseline` times the metric's value in the baseline trial.
    """

    __tablename__ = "outcome_constraints"

    experiment_id: Mapped[int] = _experiment_key()
    position: Mapped[int] = mapped_column(primary_key=True)
    operator: Mapped[str]
    bound: Mapped[float]
    baseline: Mapped[float] = mapped_column(server_default="0")


class OutcomeConstraintTermRow(Base):
    """One term of an outcome constraint."""

    __tablename__ = "outcome_constraint_terms"
    __table_args__ = (
        _belongs_to(
            "outcome_constraints",
            "experiment_id",
            "constraint_position",
            to=("experiment_id", "position"),
        ),
        _belongs_to("metrics", "experiment_id", "metric", to=("experiment_id", "name")),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    constraint_position: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    metric: Mapped[str]
    coefficient: Mapped[float]


class OptimizationRow(Base):
    """Objectives and limits of one version, as expressions; trials know theirs.

    They are here once there is a second version; what holds now is in the tables above as well.
    """

    __tablename__ = "optimizations"

    experiment_id: Mapped[int] = _experiment_key()
    version: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    objective: Mapped[str]
    outcome_constraints_json: Mapped[str]


class PluginChoiceRow(Base):
    """The runner's plugin, or the plugin that fetches a metric."""

    __tablename__ = "plugin_choices"

    experiment_id: Mapped[int] = _experiment_key()
    position: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    metric: Mapped[str | None]
    reference: Mapped[str]


class PluginOptionRow(Base):
    """The value of one option of a chosen plugin."""

    __tablename__ = "plugin_options"
    __table_args__ = (
        _belongs_to(
            "plugin_choices",
            "experiment_id",
            "choice_position",
            to=("experiment_id", "position"),
        ),
    )

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    choice_position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    value_type: Mapped[str]
    value: Mapped[Any | None] = mapped_column(AnyValue)


def _added_later() -> Any:
    """A column behind all others that is NULL in the rows of older versions."""
    return mapped_column(sort_order=1, server_default=text("NULL"))


class RunSettingsColumns:
    """The arguments of `run_trials`; None in a time limit or a deadline means none."""

    max_trials: Mapped[int]
    parallelism: Mapped[int]
    tolerated_trial_failure_rate: Mapped[float]
    initial_seconds_between_polls: Mapped[float]
    min_seconds_between_launches: Mapped[float]
    min_failed_trials: Mapped[int]
    when_failure_rate_exceeded: Mapped[str]
    uncertain_deployment: Mapped[str]
    trial_time_limit: Mapped[float | None]
    run_time_limit: Mapped[float | None]
    run_deadline: Mapped[float | None]
    poll_deadline: Mapped[float | None]
    fetch_deadline: Mapped[float | None]
    stop_deadline: Mapped[float | None]
    poll_retries: Mapped[int]
    fetch_retries: Mapped[int]
    max_seconds_between_polls: Mapped[float | None]
    generation_time_limit: Mapped[float | None]
    # Each is NULL where there is no such rule.
    early_percentile: Mapped[float | None] = _added_later()
    early_threshold: Mapped[float | None] = _added_later()
    early_min_progression: Mapped[float | None] = _added_later()
    early_max_progression: Mapped[float | None] = _added_later()
    early_min_curves: Mapped[int | None] = _added_later()
    early_best_protected: Mapped[int | None] = _added_later()
    global_target: Mapped[float | None] = _added_later()
    global_improvement_bar: Mapped[float | None] = _added_later()
    global_stagnation: Mapped[int | None] = _added_later()
    global_window_size: Mapped[int | None] = _added_later()
    global_min_trials: Mapped[int | None] = _added_later()
    on_error: Mapped[str] = mapped_column(sort_order=2, server_default="continue")


class RunSettingsRow(RunSettingsColumns, Base):
    """The settings of an experiment's next run."""

    __tablename__ = "run_settings"

    experiment_id: Mapped[int] = _experiment_key()


class RunRow(RunSettingsColumns, Base):
    """A run with its settings, as last changed."""

    __tablename__ = "runs"

    experiment_id: Mapped[int] = _experiment_key()
    run_index: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    reason: Mapped[str]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    elapsed_seconds: Mapped[float]
    controller: Mapped[str]
    standing_answers_json: Mapped[str] = mapped_column(sort_order=3, server_default="[]")


class RunPluginFileRow(Base):
    """A plugin file that a run used."""

    __tablename__ = "run_plugin_files"
    __table_args__ = (_belongs_to("runs", "experiment_id", "run_index"),)

    experiment_id: Mapped[int] = mapped_column(primary_key=True)
    run_index: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str]


class TrialRow(Base):
    """A trial, and how it was made: the columns from `source` to `generation_reason`."""

    __tablename__ = "trials"
    __table_args__ = (
        _belongs_to(
            "search_spaces",
            "experiment_id",
            "search_space_version",
            to=("experiment_id", "version"),
        ),
        _belongs_to("runs", "experiment_id", "run_index"),
    )

    experiment_id: Mapped[int] = _experiment_key()
    trial_index: Mapped[int] = mapped_column(primary_key=True)
    arm_name: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str]
    run_index: Mapped[int | None]
    search_space_version: Mapped[int]
    may_have_started: Mapped[bool]
    is_excluded: Mapped[bool]
    note: Mapped[str]
    metadata_json: Mapped[str | None]
    staged_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    elapsed_seconds: Mapped[float]
    source: Mapped[str]
    model_best_mean: Mapped[float | None]
    model_best_sem: Mapped[float | None]
    acquisition_value: Mapped[float | None]
    fit_seconds: Mapped[float]
    search_seconds: Mapped[float]
    seed: Mapped[int | None] = mapped_column(WholeNumber)
    observed_trials: Mapped[int]
    generation_reason: Mapped[str]
    optimization_version: Mapped[int] = mapped_column(server_default="1")


class _OfTrial:
    """Keys of what belongs to a trial.

    They come first: where the key of a table without row numbers does not, `PRAGMA integrity_check`
    of SQLite 3.40 sees NULLs that are not there.
    """

    experiment_id: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    trial_index: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)
    position: Mapped[int] = mapped_column(primary_key=True, sort_order=-1)


def _of_trial() -> tuple[Any, ...]:
    # Without row numbers the rows of a trial lie together: fewer pages to write and to read.
    foreign_key = _belongs_to("trials", "experiment_id", "trial_index")
    return foreign_key, {"sqlite_with_rowid": False}


class TrialParameterRow(_OfTrial, Base):
    """The planned value of one parameter."""

    __tablename__ = "trial_parameters"
    __table_args__ = _of_trial()

    parameter: Mapped[str]
    value_type: Mapped[str]
    value: Mapped[Any | None] = mapped_column(AnyValue)


class ExecutedParameterRow(_OfTrial, Base):
    """The value of one parameter that was really run, of trials where it is not as planned."""

    __tablename__ = "executed_parameters"
    __table_args__ = _of_trial()

    parameter: Mapped[str]
    value_type: Mapped[str]
    value: Mapped[Any | None] = mapped_column(AnyValue)


class ObservationRow(_OfTrial, Base):
    """One value of one metric; of equal progressions the one with the highest position counts."""

    __tablename__ = "observations"
    __table_args__ = _of_trial()

    metric: Mapped[str]
    mean: Mapped[float]
    sem: Mapped[float | None]
    progression: Mapped[float]


class PredictionRow(_OfTrial, Base):
    """What the model expected of one metric when it suggested the trial."""

    __tablename__ = "predictions"
    __table_args__ = _of_trial()

    metric: Mapped[str]
    mean: Mapped[float]
    sem: Mapped[float]


class DraftCellRow(Base):
    """The text of one cell of a draft; a row without cells has one without field and text."""

    __tablename__ = "drafts"

    experiment_id: Mapped[int] = _experiment_key()
    section: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class AuditRow(Base):
    """One line of an experiment's history."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_experiment", "experiment_id", "trial_index"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = _experiment_key(primary_key=False)
    trial_index: Mapped[int | None]
    at: Mapped[datetime]
    action: Mapped[str]
    before: Mapped[str]
    after: Mapped[str]
    note: Mapped[str]


class AttachmentRow(_OfTrial, Base):
    """A file of a trial; its bytes lie beside the database, under the hash."""

    __tablename__ = "attachments"
    __table_args__ = _of_trial()

    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    attached_at: Mapped[datetime]


class PassedTestRow(Base):
    """That an experiment's plugins passed a dry test, the last time that they did."""

    __tablename__ = "passed_tests"

    experiment_id: Mapped[int] = _experiment_key()
    tested_at: Mapped[datetime]
    plugins: Mapped[str]
    hashes: Mapped[str]
