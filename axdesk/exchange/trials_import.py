"""What would become of the rows of a file: each a trial, or skipped for a reason."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from axdesk.core.commands import ImportedTrial
from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.trial import Trial
from axdesk.core.trial_columns import ColumnRole
from axdesk.core.trial_import import (
    CellFault,
    FileCell,
    FileTable,
    ImportPlan,
    ImportRow,
    ImportSettings,
)
from axdesk.exchange.import_cells import CellError
from axdesk.exchange.import_columns import FileColumns, columns_of
from axdesk.exchange.import_rows import RowReader

_SEEN_FROM = ColumnRole.TRIAL


def plan_import(
    experiment: Experiment,
    table: FileTable,
    settings: ImportSettings | None = None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> ImportPlan:
    """Return what an import would do; nothing is changed.

    A row becomes a trial if each cell that is used says what its column needs, it has a value of
    every parameter that exists there, and, if completed, of every objective and limit. Rows that
    the experiment has already are skipped unless they are wanted, and so are rows that the file
    has twice, unless it numbers its trials.

    Args:
        experiment: That the trials are to belong to.
        table: What was read.
        settings: What is not to be guessed.
        is_cancelled: Asked now and then; planning is given up if it says so.

    Raises:
        UserInputError: If the settings name a column or a use that there is not.
    """
    settings = settings or ImportSettings()
    columns = columns_of(experiment, table, settings)
    head_row = columns.head_row
    problems = columns.problems
    if problems:
        rows = tuple(
            ImportRow(number, shown_cells(row), reason=problems[0])
            for number, row in columns.data_rows
        )
        return ImportPlan(table.name, head_row, columns.columns, rows, problems, columns.remarks)
    reader = RowReader(experiment, columns)
    found = list[ImportRow]()
    for number, row in columns.data_rows:
        if len(found) % _ROWS_BETWEEN_LOOKS == 0 and is_cancelled():
            raise UserInputError("The import was cancelled.")
        found.append(_row(reader, number, row))
    rows = tuple(found)
    if not settings.keeps_duplicates:
        rows = _without_duplicates(experiment, columns, rows)
    return ImportPlan(table.name, head_row, columns.columns, rows, (), columns.remarks)


_ROWS_BETWEEN_LOOKS = 500


def shown_cells(row: Sequence[FileCell]) -> tuple[str, ...]:
    """Return the cells of a row as text."""
    return tuple(shown_cell(cell) for cell in row)


def shown_cell(cell: FileCell) -> str:
    """Return a cell as text."""
    match cell:
        case None:
            return ""
        case CellFault():
            return cell.text
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return cell.isoformat(" ")
        case float():
            return repr(cell)
        case _:
            return str(cell)


def _row(reader: RowReader, number: int, row: Sequence[FileCell]) -> ImportRow:
    cells = shown_cells(row)
    issues: dict[int, str] = {}
    try:
        trial, doubts, deviations = reader.trial_of(row, issues)
    except CellError as error:
        return ImportRow(number, cells, reason=error.sentence, issues=issues)
    return ImportRow(number, cells, trial, issues=issues, doubts=doubts, deviations=deviations)


# ---- duplicates ----------------------------------------------------------------------------------

_Key = tuple[object, ...]


def _without_duplicates(
    experiment: Experiment, columns: FileColumns, rows: tuple[ImportRow, ...]
) -> tuple[ImportRow, ...]:
    has_times = columns.has(ColumnRole.STARTED) or columns.has(ColumnRole.FINISHED)
    is_numbered = columns.has(_SEEN_FROM)
    known: dict[_Key, list[int]] = {}
    for trial in experiment.trials.values():
        known.setdefault(_key_of_trial(trial, has_times=has_times), []).append(trial.index)
    seen: dict[_Key, int] = {}
    used: Counter[_Key] = Counter()
    result = list[ImportRow]()
    for row in rows:
        given = row.trial
        if given is None:
            result.append(row)
            continue
        key = _key_of_row(given, has_times=has_times)
        same = known.get(key, [])
        reason = ""
        if used[key] < len(same):
            reason = f"it is in the experiment already, as trial {same[used[key]]}"
            used[key] += 1
        elif key in seen and not is_numbered:
            reason = f"it is the same as row {seen[key]}"
        seen.setdefault(key, row.number)
        result.append(_as_duplicate(row, reason) if reason else row)
    return tuple(result)


def _as_duplicate(row: ImportRow, reason: str) -> ImportRow:
    return ImportRow(row.number, row.cells, reason=reason, is_duplicate=True, issues=row.issues)


def _key_of_trial(trial: Trial, *, has_times: bool) -> _Key:
    metrics = dict.fromkeys(o.metric for o in trial.observations)
    latest = (trial.latest(metric) for metric in metrics)
    result = frozenset((o.metric, o.mean, o.sem) for o in latest if o is not None)
    times = (trial.started_at, trial.finished_at) if has_times else ()
    return (frozenset(trial.parameters.items()), trial.status, result, times)


def _key_of_row(given: ImportedTrial, *, has_times: bool) -> _Key:
    result = frozenset((metric, *_parts(value)) for metric, value in given.result.items())
    times = (given.started_at, given.finished_at) if has_times else ()
    return (frozenset(given.parameters.items()), given.status, result, times)


def _parts(value: float | tuple[float, float | None]) -> tuple[float, float | None]:
    return value if isinstance(value, tuple) else (value, None)
