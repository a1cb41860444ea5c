"""Trials as rows. Writing one is the hot path of a run."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Insert,
    RowMapping,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from axdesk.core.attachments import Attachment
from axdesk.core.errors import StorageError
from axdesk.core.parameters import TParameterValue
from axdesk.core.texts import storable
from axdesk.core.trial import (
    Arm,
    Generation,
    Observation,
    Prediction,
    Trial,
    TrialSource,
    TrialStatus,
)
from axdesk.storage.column_types import decoded, encoded
from axdesk.storage.rows import Columns, read_rows
from axdesk.storage.schema import (
    AttachmentRow,
    Base,
    ExecutedParameterRow,
    ObservationRow,
    PredictionRow,
    TrialParameterRow,
    TrialRow,
)

_INSERT = insert(TrialRow)
_UPDATE = update(TrialRow).where(
    TrialRow.experiment_id == bindparam("of_experiment"),
    TrialRow.trial_index == bindparam("of_trial"),
    TrialRow.status == bindparam("known_status"),
)


def _statements(table: type[Base]) -> tuple[Delete, Insert]:
    columns = table.__table__.c
    rows_of_trial = delete(table).where(
        columns.experiment_id == bindparam("of_experiment"),
        columns.trial_index == bindparam("of_trial"),
    )
    return rows_of_trial, insert(table)


def write_trial(
    connection: Connection, experiment_id: int, trial: Trial, known: Trial | None
) -> None:
    """Insert a trial, or replace what differs from the snapshot that is stored.

    Args:
        connection: In a transaction.
        experiment_id: Its experiment.
        trial: What shall be stored.
        known: What the caller knows to be stored; None for nothing.

    Raises:
        StorageError: If something else is stored.
    """
    key = {"experiment_id": experiment_id, "trial_index": trial.index}
    place = {"of_experiment": experiment_id, "of_trial": trial.index}
    if known is None:
        try:
            connection.execute(_INSERT, {**key, **_trial_columns(trial)})
        except IntegrityError as error:
            if "UNIQUE" not in str(error.orig):
                raise
            raise _changed_elsewhere(trial, "it is stored already") from error
    else:
        parameters = {**place, "known_status": known.status, **_trial_columns(trial)}
        if connection.execute(_UPDATE, parameters).rowcount != 1:
            raise _changed_elsewhere(trial, f"it is stored as no longer {known.status}")
    for (remove, add), rows_of in _PARTS:
        rows = rows_of(trial)
        if known is not None:
            # Equal snapshots say nothing about what is stored.
            if known != trial and rows == rows_of(known):
                continue
            connection.execute(remove, place)
        if rows:
            numbered = [{**key, "position": n, **row} for n, row in enumerate(rows)]
            connection.execute(add, numbered)


def _changed_elsewhere(trial: Trial, how: str) -> StorageError:
    return StorageError(
        f"Trial {trial.index} was changed elsewhere: {how}.", "Load the experiment again."
    )


def _trial_columns(trial: Trial) -> Columns:
    generation = trial.generation
    best_mean, best_sem = generation.model_best or (None, None)
    metadata = None if trial.metadata is None else json.dumps(dict(trial.metadata))
    return {
        "arm_name": trial.arm.name,
        "status": trial.status,
        "reason": storable(trial.reason),
        "run_index": trial.run_index,
        "search_space_version": trial.search_space_version,
        "optimization_version": trial.optimization_version,
        "may_have_started": trial.may_have_started,
        "is_excluded": trial.is_excluded,
        "note": trial.note,
        "metadata_json": metadata,
        "staged_at": trial.staged_at,
        "started_at": trial.started_at,
        "finished_at": trial.finished_at,
        "elapsed_seconds": trial.elapsed_seconds,
        "source": generation.source,
        "model_best_mean": best_mean,
        "model_best_sem": best_sem,
        "acquisition_value": generation.acquisition_value,
        "fit_seconds": generation.fit_seconds,
        "search_seconds": generation.search_seconds,
        "seed": generation.seed,
        "observed_trials": generation.observed,
        "generation_reason": storable(generation.reason),
    }


def _parameter_rows(parameters: Mapping[str, TParameterValue]) -> list[Columns]:
    return [
        {"parameter": name, "value_type": kind, "value": stored}
        for name, value in parameters.items()
        for kind, stored in [encoded(value)]
    ]


def _observation_rows(trial: Trial) -> list[Columns]:
    return [
        {"metric": o.metric, "mean": o.mean, "sem": o.sem, "progression": o.progression}
        for o in trial.observations
    ]


def _prediction_rows(trial: Trial) -> list[Columns]:
    return [
        {"metric": p.metric, "mean": p.mean, "sem": p.sem} for p in trial.generation.predictions
    ]


def _attachment_rows(trial: Trial) -> list[Columns]:
    return [
        {"name": a.name, "sha256": a.sha256, "size": a.size, "attached_at": a.attached_at}
        for a in trial.attachments
    ]


_PARTS: tuple[tuple[tuple[Delete, Insert], Callable[[Trial], list[Columns]]], ...] = (
    (_statements(TrialParameterRow), lambda trial: _parameter_rows(trial.arm.parameters)),
    (
        _statements(ExecutedParameterRow),
        lambda trial: _parameter_rows(trial.executed_parameters or {}),
    ),
    (_statements(ObservationRow), _observation_rows),
    (_statements(PredictionRow), _prediction_rows),
    (_statements(AttachmentRow), _attachment_rows),
)


def read_trials(
    connection: Connection, experiment_id: int, trial_index: int | None = None
) -> dict[int, Trial]:
    """Return the trials of an experiment, or one of them, by index, in order."""
    key = {"experiment_id": experiment_id}
    if trial_index is not None:
        key["trial_index"] = trial_index
    planned = _by_trial(read_rows(connection, TrialParameterRow, key))
    executed = _by_trial(read_rows(connection, ExecutedParameterRow, key))
    observations = _by_trial(read_rows(connection, ObservationRow, key))
    predictions = _by_trial(read_rows(connection, PredictionRow, key))
    attachments = _by_trial(read_rows(connection, AttachmentRow, key))
    trials = {}
    for row in read_rows(connection, TrialRow, key):
        index = row["trial_index"]
        trials[index] = Trial(
            index=index,
            arm=Arm(row["arm_name"], _parameters(planned.get(index, ()))),
            generation=_generation(row, predictions.get(index, ())),
            run_index=row["run_index"],
            search_space_version=row["search_space_version"],
            optimization_version=row["optimization_version"],
            status=TrialStatus(row["status"]),
            metadata=None if row["metadata_json"] is None else json.loads(row["metadata_json"]),
            executed_parameters=_parameters(executed.get(index, ())) or None,
            observations=tuple(
                Observation(o["metric"], o["mean"], o["sem"], o["progression"])
                for o in observations.get(index, ())
            ),
            reason=row["reason"],
            may_have_started=row["may_have_started"],
            is_excluded=row["is_excluded"],
            note=row["note"],
            staged_at=row["staged_at"],
            started_at=row["started_at"],
            finished_at=row["finished_at"],
            elapsed_seconds=row["elapsed_seconds"],
            attachments=tuple(
                Attachment(a["name"], a["sha256"], a["size"], a["attached_at"])
                for a in attachments.get(index, ())
            ),
        )
    return trials


def read_own_hashes(connection: Connection, experiment_id: int) -> list[str]:
    """Return the SHA-256 of each file that trials of this experiment have, and no others."""
    others = select(AttachmentRow.sha256).where(AttachmentRow.experiment_id != experiment_id)
    own = select(AttachmentRow.sha256).where(
        AttachmentRow.experiment_id == experiment_id, AttachmentRow.sha256.not_in(others)
    )
    return list(connection.execute(own.distinct()).scalars())


def _by_trial(rows: Iterable[RowMapping]) -> dict[int, list[RowMapping]]:
    grouped: dict[int, list[RowMapping]] = {}
    for row in rows:
        grouped.setdefault(row["trial_index"], []).append(row)
    return grouped


def _parameters(rows: Iterable[RowMapping]) -> dict[str, Any]:
    return {row["parameter"]: decoded(row["value_type"], row["value"]) for row in rows}


def _generation(row: RowMapping, predictions: Iterable[RowMapping]) -> Generation:
    best = (row["model_best_mean"], row["model_best_sem"])
    return Generation(
        source=TrialSource(row["source"]),
        predictions=tuple(Prediction(p["metric"], p["mean"], p["sem"]) for p in predictions),
        model_best=None if best[0] is None else best,
        acquisition_value=row["acquisition_value"],
        fit_seconds=row["fit_seconds"],
        search_seconds=row["search_seconds"],
        seed=row["seed"],
        observed=row["observed_trials"],
        reason=row["generation_reason"],
    )
