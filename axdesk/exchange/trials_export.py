"""Trials as files: CSV with a decimal point or comma, Excel workbook, JSON, and the clipboard.

The JSON file: {"format": "axdesk trials", "version": 1, "experiment": NAME,
"parameters": [{"name", "unit"}], "metrics": [{"name", "unit"}], "trials": [{"trial", "arm",
"status", "source", "parameters": {NAME: value}, "metrics": {NAME: {"mean", "sem"}}, "limits_met",
"predicted": {NAME: {"mean", "sem"}}, "started", "finished", "duration", "excluded", "reason",
"note"}]}, with null where there is nothing to tell. Where the parameters that were executed differ
from those that were planned, "parameters" are the executed ones, and "planned" has the others.
"""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.trial import Trial
from axdesk.core.trial_columns import DecimalSign, FileFormat
from axdesk.exchange.delimited import delimited_text
from axdesk.exchange.files import replace_file
from axdesk.exchange.spreadsheet import workbook_bytes
from axdesk.exchange.trials_table import chosen_trials, duration_of, limits_met, trials_table

FORMAT = "axdesk trials"
VERSION = 1

_FORMATS: dict[str, FileFormat] = {".csv": "csv", ".xlsx": "xlsx", ".json": "json"}


def format_of(path: Path) -> FileFormat:
    """Return the format that a file's name asks for; CSV where it ends otherwise."""
    return _FORMATS.get(path.suffix.casefold(), "csv")


def write_trials(
    experiment: Experiment,
    path: Path,
    file_format: FileFormat | None = None,
    *,
    decimal: DecimalSign = "point",
    indices: Collection[int] | None = None,
) -> int:
    """Write trials to a file, whole or not at all; return their number.

    Args:
        experiment: Whose.
        path: The file; what is there is replaced.
        file_format: None for that of the file's name.
        decimal: Of a CSV file: with a comma its cells are parted by semicolons. It is UTF-8 with a
            byte order mark, by which spreadsheets know.
        indices: Of the trials; None for all.

    Raises:
        UserInputError: If the file cannot be written.
        NotFoundError: If there is no trial with one of the indices.
    """
    wanted = file_format or format_of(path)
    if wanted == "xlsx":
        heads, rows = trials_table(experiment, indices)
        replace_file(path, workbook_bytes("Trials", (heads, *rows)))
    elif wanted == "json":
        replace_file(path, trials_json(experiment, indices))
    else:
        replace_file(path, "\ufeff" + trials_csv(experiment, decimal, indices))
    return len(chosen_trials(experiment, indices))


def trials_text(
    experiment: Experiment,
    file_format: FileFormat,
    *,
    decimal: DecimalSign = "point",
    indices: Collection[int] | None = None,
) -> str:
    """Return what `write_trials` would write, without a byte order mark.

    Raises:
        UserInputError: If the format is no text.
    """
    if file_format == "xlsx":
        raise UserInputError("A workbook is no text.", "Write it to a file, or choose csv or json.")
    if file_format == "json":
        return trials_json(experiment, indices)
    return trials_csv(experiment, decimal, indices)


def trials_csv(
    experiment: Experiment, decimal: DecimalSign, indices: Collection[int] | None = None
) -> str:
    """Return the table as CSV: commas and a decimal point, or semicolons and a decimal comma."""
    heads, rows = trials_table(experiment, indices)
    return delimited_text((heads, *rows), ";" if decimal == "comma" else ",", decimal)


def trials_clipboard(
    experiment: Experiment, decimal: DecimalSign, indices: Collection[int] | None = None
) -> str:
    """Return the table as spreadsheets paste it: cells parted by tabs."""
    heads, rows = trials_table(experiment, indices)
    return delimited_text((heads, *rows), "\t", decimal)


def trials_json(experiment: Experiment, indices: Collection[int] | None = None) -> str:
    """Return the trials as JSON."""
    optimization = experiment.optimization
    parameters = experiment.search_space.parameters
    keeps_limits = limits_met(experiment)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "experiment": experiment.name,
        "parameters": [{"name": p.name, "unit": p.unit} for p in parameters],
        "metrics": [
            {"name": name, "unit": optimization.unit_of(name)} for name in optimization.metric_names
        ],
        "trials": [
            _trial(trial) | {"limits_met": keeps_limits(trial)}
            for trial in chosen_trials(experiment, indices)
        ],
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _trial(trial: Trial) -> dict[str, Any]:
    planned = {"planned": dict(trial.arm.parameters)} if trial.executed_parameters else {}
    metrics = dict.fromkeys(o.metric for o in trial.observations)
    latest = {metric: trial.latest(metric) for metric in metrics}
    return {
        "trial": trial.index,
        "arm": trial.arm.name,
        "status": trial.status.value,
        "source": trial.generation.source.value,
        "parameters": dict(trial.parameters),
        **planned,
        "metrics": {m: {"mean": o.mean, "sem": o.sem} for m, o in latest.items() if o is not None},
        "predicted": {
            p.metric: {"mean": p.mean, "sem": p.sem} for p in trial.generation.predictions
        },
        "started": trial.started_at.isoformat() if trial.started_at else None,
        "finished": trial.finished_at.isoformat() if trial.finished_at else None,
        "duration": duration_of(trial),
        "excluded": trial.is_excluded,
        "reason": trial.reason,
        "note": trial.note,
    }
