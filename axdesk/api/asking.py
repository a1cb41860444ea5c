"""Ask and tell: suggestions that the caller runs, and trials that were run elsewhere."""

import logging
import math
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from axdesk.core.commands import AddTrial
from axdesk.core.errors import AxdeskError, SearchSpaceExhaustedError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization, TParameterValue
from axdesk.core.protocols import AuditEntry
from axdesk.core.suggestions import Candidate, SuggestionRequest, request_for
from axdesk.core.trial import Arm, Trial, TrialStatus
from axdesk.orchestration.trial_commands import added_trial, deviations, told_of_added
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
        GenerationError: If no candidate could be made.
    """
    suggested: dict[int, dict[str, TParameterValue]] = {}
    with store.control(experiment):
        for _ in range(max_trials):
            try:
                request = request_for(experiment, held=held)
                candidate = suggester.suggest(request).result()[0]
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
                arm=Arm(f"{index}_0", candidate.parameters),
                generation=candidate.generation,
                search_space_version=experiment.search_space_version,
                optimization_version=experiment.optimization_version,
                staged_at=now,
            ).moved_to(TrialStatus.RUNNING, started_at=now)
            store.save_trial(experiment, trial)
            suggested[index] = dict(candidate.parameters)
    return suggested


def import_trials(
    store: SqlStore, experiment: Experiment, frame: "pd.DataFrame", now: datetime
) -> list[int]:
    """Store a trial for each row of a data frame, all or none; return their indices.

    Raises:
        UserInputError: If a column is unknown, or rows are not allowed, each with its number.
    """
    _check_columns(experiment, list(frame.columns))
    with store.control(experiment):
        made, problems = list[Trial](), list[str]()
        for number, row in enumerate(frame.to_dict("records")):
            index = experiment.next_index + len(made)
            try:
                made.append(_trial_of(experiment, row, index, now))
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


def _check_columns(experiment: Experiment, columns: list[Any]) -> None:
    metrics = experiment.optimization.metric_names
    sems = [f"{metric}_sem" for metric in metrics]
    known = [*experiment.search_space.names, *metrics, *sems, "arm_name", "trial_status"]
    unknown = [column for column in columns if column not in known and column not in _OF_A_SUMMARY]
    if unknown:
        raise UserInputError(
            f"The column {unknown[0]!r} is neither a parameter nor a metric.",
            f"Drop or rename it; the columns are {', '.join(known)}.",
        )


def _trial_of(experiment: Experiment, row: Mapping[Any, Any], index: int, now: datetime) -> Trial:
    """Return the trial that a row says."""
    status = _status(row.get("trial_status"))
    space, metrics = experiment.search_space, experiment.optimization.metric_names
    parameters: dict[str, Any] = {p.name: p.fixed_value for p in space.tunable if p.is_fixed}
    parameters |= {n: _plain(row[n]) for n in space.names if not _is_missing(row.get(n))}
    result = {}
    for metric in metrics:
        if _is_missing(row.get(metric)):
            continue
        mean, sem = _plain(row[metric]), row.get(f"{metric}_sem")
        result[metric] = mean if _is_missing(sem) else (mean, _plain(sem))
    name = row.get("arm_name")
    arm_name = None if _is_missing(name) else str(name)
    is_completed = status is TrialStatus.COMPLETED
    if is_completed and not result:
        raise UserInputError(
            "It has no value of any metric.", "Give one, or the trial_status FAILED or ABANDONED."
        )
    command = AddTrial(parameters, arm_name, result if is_completed else {})
    trial = added_trial(experiment, command, index, now)
    return trial if is_completed else trial.moved_to(status, reason="imported", finished_at=now)


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
