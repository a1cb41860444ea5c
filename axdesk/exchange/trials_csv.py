"""The trials of an experiment as a table."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from axdesk.core.experiment import Experiment
from axdesk.core.trial import Trial
from axdesk.exchange.files import replace_file

Cell = int | float | str | bool | None

_BEFORE = ("trial", "arm", "status", "source")
_AFTER = ("started", "finished", "duration", "reason", "note")


def trials_table(experiment: Experiment) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return the columns and, for each trial, a row.

    Parameters are the executed ones where those differ from the planned ones. A metric's mean and
    sem are those of its highest progression. Times are ISO 8601 in UTC, the duration is the
    seconds in RUNNING; a cell is None where there is nothing to tell. A column whose name is taken
    gets a number behind it.
    """
    trials = tuple(experiment.trials.values())
    parameters = _each_once(
        experiment.search_space.names, *(tuple(trial.parameters) for trial in trials)
    )
    metrics = _each_once(
        experiment.optimization.metric_names,
        *(tuple(o.metric for o in trial.observations) for trial in trials),
    )
    of_metrics = [f"{metric} {part}" for metric in metrics for part in ("mean", "sem")]
    columns = _distinct([*_BEFORE, *parameters, *of_metrics, *_AFTER])
    return columns, tuple(_row(trial, parameters, metrics) for trial in trials)


def write_trials_csv(experiment: Experiment, path: Path) -> None:
    """Write the table as CSV: UTF-8, comma, decimal point, every digit of every number.

    Raises:
        UserInputError: If the file cannot be written.
    """
    columns, rows = trials_table(experiment)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    replace_file(path, text.getvalue())


def _row(trial: Trial, parameters: Sequence[str], metrics: Sequence[str]) -> tuple[Cell, ...]:
    values: list[Cell] = [trial.parameters.get(name) for name in parameters]
    for metric in metrics:
        latest = trial.latest(metric)
        values += (None, None) if latest is None else (latest.mean, latest.sem)
    return (
        trial.index,
        trial.arm.name,
        trial.status.value,
        trial.generation.source.value,
        *values,
        _time(trial.started_at),
        _time(trial.finished_at),
        None if trial.started_at is None else trial.elapsed_seconds,
        trial.reason,
        trial.note,
    )


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _each_once(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _distinct(columns: Iterable[str]) -> tuple[str, ...]:
    result: dict[str, None] = {}
    for column in columns:
        name, number = column, 2
        while name in result:
            name, number = f"{column} ({number})", number + 1
        result[name] = None
    return tuple(result)
