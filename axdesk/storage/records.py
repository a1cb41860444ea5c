"""Whole experiments with their history: read out, and made anew."""

from datetime import datetime

from sqlalchemy import Connection, select

from axdesk.core.protocols import AuditEntry
from axdesk.core.record import ExperimentRecord
from axdesk.storage.experiment_rows import read_experiment
from axdesk.storage.goal_rows import read_optimizations, write_optimizations
from axdesk.storage.rows import insert_rows, read_rows
from axdesk.storage.run_rows import write_run
from axdesk.storage.schema import AuditRow, SearchSpaceRow
from axdesk.storage.setup_rows import write_setup
from axdesk.storage.space_rows import read_search_space, write_search_space
from axdesk.storage.trial_rows import write_trial


def write_record(connection: Connection, experiment_id: int, record: ExperimentRecord) -> None:
    """Insert all that belongs to an experiment whose own row is there."""
    write_setup(connection, experiment_id, record.setup)
    for version, (made_at, space) in enumerate(record.search_spaces, 1):
        write_search_space(connection, experiment_id, version, space, made_at)
    if len(record.optimizations) > 1:
        numbered = [(n, *made) for n, made in enumerate(record.optimizations, 1)]
        write_optimizations(connection, experiment_id, numbered)
    for run in record.runs:
        write_run(connection, experiment_id, run)
    for trial in record.trials:
        write_trial(connection, experiment_id, trial, None)
    entries = [audit_columns(entry) for entry in record.history]
    insert_rows(connection, AuditRow, {"experiment_id": experiment_id}, entries)


def read_record(connection: Connection, experiment_id: int) -> ExperimentRecord:
    """Return all that is stored of an experiment.

    Raises:
        NotFoundError: If there is none, or only a draft.
        StorageError: If rows are missing or say what cannot be.
    """
    experiment = read_experiment(connection, experiment_id)
    key = {"experiment_id": experiment_id}
    spaces = tuple(
        (row["created_at"], read_search_space(connection, {**key, "version": row["version"]}))
        for row in read_rows(connection, SearchSpaceRow, key)
    )
    stored = read_optimizations(connection, experiment_id)
    current = (experiment.created_at, experiment.optimization.goals)
    return ExperimentRecord(
        setup=experiment.setup,
        created_at=experiment.created_at,
        search_spaces=spaces,
        trials=tuple(trial for _, trial in sorted(experiment.trials.items())),
        runs=tuple(experiment.runs),
        history=read_history(connection, experiment_id),
        optimizations=tuple(
            stored.get(n, current) for n in range(1, experiment.optimization_version + 1)
        ),
    )


def read_history(
    connection: Connection, experiment_id: int, trial_index: int | None = None
) -> tuple[AuditEntry, ...]:
    """Return the history of an experiment or of one of its trials, oldest first."""
    row = AuditRow
    entries = select(row.at, row.action, row.trial_index, row.before, row.after, row.note).where(
        row.experiment_id == experiment_id
    )
    if trial_index is not None:
        entries = entries.where(row.trial_index == trial_index)
    return tuple(AuditEntry(*entry) for entry in connection.execute(entries.order_by(row.id)))


def audit_columns(entry: AuditEntry) -> dict[str, datetime | str | int | None]:
    """Return the columns of a line of the history."""
    return {
        "at": entry.at,
        "action": entry.action,
        "trial_index": entry.trial_index,
        "before": entry.before,
        "after": entry.after,
        "note": entry.note,
    }
