"""Ask and tell: suggestions that the caller runs, and trials that were run elsewhere."""

import logging
import math
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from axdesk.core.commands import AddTrial
from axdesk.core.errors import AxdeskError, SearchSpaceExhaustedError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.names import first_duplicate
from axdesk.core.parameters import TParameterization, TParameterValue
from axdesk.core.protocols import AuditEntry
from axdesk.core.suggestions import Candidate, SuggestionRequest, request_for
from axdesk.core.texts import shown
from axdesk.core.trial import Arm, Trial, TrialStatus, automatic_name, is_automatic_name
from axdesk.orchestration.trial_commands import (
    added_trial,
    deviations,
    observations_of,
    told_of_added,
)
from axdesk.storage.store import SqlStore

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

_MAX_TOLD = 20
_STATUSES = (TrialStatus.COMPLETED, TrialStatus.FAILED, TrialStatus.ABANDONED)
_OF_A_SUMMARY = frozenset({"trial_index", "generation_node", "failure_reason"})
"""Columns of `summarize` that say nothing about a trial's parameters and result."""


class Suggester(Protocol):
    """Makes candidates."""

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        """Return the candidates to come."""
        ...

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        """Return candidates at once, without a model."""
        ...


def next_trials(
    store: SqlStore,
    experiment: Experiment,
    suggester: Suggester,
    *,
    max_trials: int,
    held: TParameterization,
    now: datetime,
) -> dict[int, dict[str, TParameterValue]]:
    """Suggest and store trials that are RUNNING; fewer if every allowed point was tried.

    Raises:
        UserInputError: If a value that is held is not allowed.
        SearchSpaceExhaustedError: If not a single one is left.
    """
    if max_trials < 1:
        raise UserInputError(
            f"max_trials of get_next_trials is {max_trials}; a whole number of at least 1 is "
            "needed."
        )
    suggested: dict[int, dict[str, TParameterValue]] = {}
    with store.control(experiment):
        for _ in range(max_trials):
            try:
                request = request_for(experiment, held=held)
                candidate = _suggested(suggester, request)
            except SearchSpaceExhaustedError:
                if not suggested:
                    raise
                warnings.warn(
                    f"{len(suggested)} of {max_trials} trials were suggested: every allowed point "
                    "was tried.",
                    stacklevel=3,
                )
                break
            index = experiment.next_index
            trial = Trial(
                index=index,
                arm=Arm(automatic_name(index), candidate.parameters),
                generation=candidate.generation,
                search_space_version=experiment.search_space_version,
                optimization_version=experiment.optimization_version,
                staged_at=now,
            ).moved_to(TrialStatus.RUNNING, started_at=now)
            store.save_trial(experiment, trial)
            suggested[index] = dict(candidate.parameters)
    return suggested


def _suggested(suggester: Suggester, request: SuggestionRequest) -> Candidate:
    """Return a candidate: a space-filling one, as in a run, where the model gives none."""
    try:
        return suggester.suggest(request).result()[0]
    except (SearchSpaceExhaustedError, UserInputError):
        raise
    except Exception as error:  # whatever broke, the caller gets a trial
        reason = str(error) or type(error).__name__
        logger.warning("No candidate for trial %s", request.trial_index, exc_info=True)
    candidate = suggester.space_filling(request, reason)[0]
    warnings.warn(
        f"The model gave no candidate for trial {request.trial_index}; a space-filling one stepped "
        f"in: {reason}",
        stacklevel=5,
    )
    return candidate


def import_trials(
    store: SqlStore, experiment: Experiment, given: object, now: datetime
) -> list[int]:
    """Store a trial for each row, all or none; return their indices.

    Args:
        store: That has the experiment.
        experiment: It has the trials afterwards.
        given: A data frame, or a list of rows: column → value.
        now: In UTC.

    Raises:
        UserInputError: If it is neither, a column is unknown or there twice, or rows are not
            allowed, each with its number.
    """
    frame = _frame_of(given)
    with store.control(experiment):
        _check_columns(experiment, list(frame.columns))
        made, problems = list[Trial](), list[str]()
        for number, row in enumerate(frame.to_dict("records")):
            index = experiment.next_index + len(made)
            try:
                made.append(_trial_of(experiment, row, index, now, made))
            except AxdeskError as error:
                problems.append(f"row {number}: {error}")
        if problems:
            more = len(problems) - _MAX_TOLD
            told = [*problems[:_MAX_TOLD], *([f"and {more} more"] if more > 0 else [])]
            raise UserInputError(
                f"{len(problems)} of {len(frame)} rows cannot be imported, and none was:\n  "
                + "\n  ".join(told),
                "Correct or drop them; the first row is row 0.",
            )
        entries = [AuditEntry(now, "import_trial", t.index, after=told_of_added(t)) for t in made]
        store.save_trials(experiment, made, entries)
    for trial in made:
        for sentence in deviations(experiment, trial):
            logger.warning("%s", sentence)
    return [trial.index for trial in made]


def _frame_of(given: object) -> "pd.DataFrame":
    import pandas as pd

    if isinstance(given, pd.DataFrame):
        return given
    is_rows = isinstance(given, list | tuple) and all(isinstance(row, Mapping) for row in given)
    if not is_rows:
        raise UserInputError(
            f"The trials to be imported are {shown(given)}; a data frame is needed, or a list of "
            "dicts, one a trial.",
            "Read a CSV file with pandas.read_csv.",
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


def _trial_of(
    experiment: Experiment,
    row: Mapping[Any, Any],
    index: int,
    now: datetime,
    before: Sequence[Trial],
) -> Trial:
    """Return the trial that a row says, after those of the rows before it."""
    status = _status(row.get("trial_status"))
    space = experiment.search_space
    parameters: dict[str, Any] = {p.name: p.fixed_value for p in space.tunable if p.is_fixed}
    parameters |= {n: _plain(row[n]) for n in space.names if not _is_missing(row.get(n))}
    result = _result_of(experiment, row)
    is_completed = status is TrialStatus.COMPLETED
    if is_completed:
        _refuse_incomplete(experiment, result)
    name = row.get("arm_name")
    # Names that axdesk gave elsewhere say which trial it was there.
    is_given = not _is_missing(name) and not is_automatic_name(str(name))
    command = AddTrial(parameters, str(name) if is_given else None, result if is_completed else {})
    trial = added_trial(experiment, command, index, now, also=before)
    if is_completed:
        return trial
    found = observations_of(trial, result, None)
    return trial.moved_to(status, observations=found, reason="imported", finished_at=now)


def _result_of(experiment: Experiment, row: Mapping[Any, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for metric in experiment.optimization.metric_names:
        mean, sem = row.get(metric), row.get(f"{metric}_sem")
        if not _is_missing(mean):
            result[metric] = mean if _is_missing(sem) else (mean, sem)
        elif not _is_missing(sem):
            raise UserInputError(f"It has a value of {metric}_sem, but none of {metric}.")
    return result


def _refuse_incomplete(experiment: Experiment, result: Mapping[str, Any]) -> None:
    missing = [m for m in experiment.optimization.required_metrics if m not in result]
    if missing:
        raise UserInputError(
            f"It has no value of {', '.join(missing)}.",
            "Give one, or the trial_status FAILED or ABANDONED.",
        )


def _status(given: Any) -> TrialStatus:
    if _is_missing(given):
        return TrialStatus.COMPLETED
    for status in _STATUSES:
        if str(getattr(given, "name", given)).upper() == status.name:
            return status
    allowed = ", ".join(status.name for status in _STATUSES)
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
