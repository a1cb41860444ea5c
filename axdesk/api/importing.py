"""Trials that were run elsewhere, from data frames and files."""

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from axdesk.core.clock import SystemClock
from axdesk.core.commands import ImportedTrial, ImportTrials
from axdesk.core.errors import AxdeskError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.names import first_duplicate
from axdesk.core.texts import shown
from axdesk.core.trial import Trial, TrialStatus, is_automatic_name
from axdesk.orchestration.importing import (
    IMPORTED_STATUSES,
    import_trials,
    imported_trial,
    names_of,
    refuse_bad_rows,
    told_outside,
)
from axdesk.storage.store import SqlStore

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_OF_A_SUMMARY = frozenset({"trial_index", "generation_node", "failure_reason"})
"""Columns of `summarize` that say nothing about a trial's parameters and result."""


def import_stored(
    store: SqlStore, experiment: Experiment, command: ImportTrials
) -> tuple[Trial, ...]:
    """Add trials while no run goes on; `experiment` has them afterwards.

    Raises:
        UserInputError: If one is not allowed; none is added then.
        ExperimentBusyError: If a run goes on.
    """
    with store.control(experiment):
        trials = import_trials(experiment, store, command, SystemClock().now())
    if outside := told_outside(experiment, trials):
        logger.warning("%s", outside)
    return trials


def trials_of_frame(experiment: Experiment, given: object) -> tuple[ImportedTrial, ...]:
    """Return the trials that the rows of a data frame say.

    Args:
        experiment: They are to belong to.
        given: A data frame, or a list of rows: column → value.

    Raises:
        UserInputError: If it is neither, a column is unknown or there twice, or rows are not
            allowed, each with its number.
    """
    frame, now = _frame_of(given), SystemClock().now()
    _check_columns(experiment, list(frame.columns))
    found, problems, named = list[ImportedTrial](), list[str](), names_of(experiment)
    for number, row in enumerate(frame.to_dict("records")):
        try:
            trial = _trial_of(experiment, row)
            imported_trial(experiment, trial, len(found), now, named)
        except AxdeskError as error:
            problems.append(f"row {number}: {error}")
        else:
            found.append(trial)
    refuse_bad_rows(problems, len(frame))
    return tuple(found)


def _frame_of(given: object) -> "pd.DataFrame":
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        return given
    is_rows = isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given)
    if not is_rows:
        raise UserInputError(
            f"The trials to be imported are {shown(given)}; a data frame is needed, or a list of "
            "dicts, one a trial.",
            "Give a file to import_trials_file.",
        )
    return pd.DataFrame([dict(row) for row in given])  # type: ignore[attr-defined]  # it is rows


def _check_columns(experiment: Experiment, columns: list[Any]) -> None:
    twice = first_duplicate(tuple(columns))
    if twice is not None:
        raise UserInputError(f"Two columns are called {twice!r}.", "Drop or rename one of them.")
    metrics = experiment.optimization.metric_names
    sems = [f"{metric}_sem" for metric in metrics]
    known = [*experiment.search_space.names, *metrics, *sems, "arm_name", "trial_status"]
    unknown = [column for column in columns if column not in known and column not in _OF_A_SUMMARY]
    if unknown:
        raise UserInputError(
            f"The column {unknown[0]!r} is neither a parameter nor a metric.",
            f"Drop or rename it; the columns are {', '.join(known)}.",
        )


def _trial_of(experiment: Experiment, row: Mapping[Any, Any]) -> ImportedTrial:
    status = _status(row.get("trial_status"))
    space = experiment.search_space
    parameters: dict[str, Any] = {p.name: p.fixed_value for p in space.tunable if p.is_fixed}
    parameters |= {n: _plain(row[n]) for n in space.names if not _is_missing(row.get(n))}
    name = row.get("arm_name")
    # Names that axdesk gave elsewhere say which trial it was there.
    is_given = not _is_missing(name) and not is_automatic_name(str(name))
    return ImportedTrial(
        parameters,
        _result_of(experiment, row),
        status,
        arm_name=str(name) if is_given else None,
        reason="" if status is TrialStatus.COMPLETED else "imported",
    )


def _result_of(experiment: Experiment, row: Mapping[Any, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for metric in experiment.optimization.metric_names:
        mean, sem = row.get(metric), row.get(f"{metric}_sem")
        if not _is_missing(mean):
            result[metric] = mean if _is_missing(sem) else (mean, sem)
        elif not _is_missing(sem):
            raise UserInputError(f"It has a value of {metric}_sem, but none of {metric}.")
    return result


def _status(given: Any) -> TrialStatus:
    if _is_missing(given):
        return TrialStatus.COMPLETED
    for status in IMPORTED_STATUSES:
        if str(getattr(given, "name", given)).upper() == status.name:
            return status
    allowed = ", ".join(status.name for status in IMPORTED_STATUSES)
    raise UserInputError(f"The trial_status is {given!r}; allowed are {allowed}.")


def _is_missing(value: Any) -> bool:
    """Whether a cell says nothing: None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def _plain(value: Any) -> Any:
    """Return Python's own value for one of NumPy."""
    item = getattr(value, "item", None)
    return item() if callable(item) else value
