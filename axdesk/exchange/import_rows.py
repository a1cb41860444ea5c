"""The rows of a file that is imported, as trials."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from axdesk.core.commands import ImportedTrial
from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.trial import TrialSource, TrialStatus, is_automatic_name
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.core.trial_import import FileCell
from axdesk.exchange.import_cells import (
    CellError,
    as_float,
    is_missing,
    number_of,
    parameter_value,
    parts_of,
    status_of,
    text_of,
    time_of,
    truth_of,
)
from axdesk.exchange.import_columns import FileColumns

_FOR_EMPTY = "imported"
"""Why a trial failed or was given up, where the file has no column for it."""


class RowReader:
    """Makes trials of the rows of one file."""

    def __init__(self, experiment: Experiment, columns: FileColumns) -> None:
        self._experiment = experiment
        self._columns = columns
        self._space = experiment.search_space
        self._place = {c.use: n for n, c in enumerate(columns.columns)}
        self._heads = [column.head for column in columns.columns]

    def trial_of(
        self, row: Sequence[FileCell], issues: dict[int, str]
    ) -> tuple[ImportedTrial, Mapping[int, str], tuple[str, ...]]:
        """Return the trial that a row says, what is doubtful about its cells, and its deviations.

        Args:
            row: Its cells.
            issues: Gets what is wrong with each cell.

        Raises:
            CellError: If it is none; the first of the issues, if that is a cell's.
        """
        if any(cell is not None for cell in row[len(self._heads) :]):
            raise CellError(f"it has {len(row)} cells, and there are {len(self._heads)} heads")
        read = _Cells(self, row, issues)
        status = read.status()
        parameters = read.parameters()
        result = read.result()
        trial = ImportedTrial(
            parameters,
            result,
            status,
            arm_name=read.arm_name(),
            reason=self._reason(read, status),
            note=read.text(ColumnRole.NOTE),
            is_excluded=read.truth(ColumnRole.EXCLUDED),
            is_baseline=read.text(ColumnRole.SOURCE) == TrialSource.BASELINE,
            started_at=read.time(ColumnRole.STARTED),
            finished_at=read.time(ColumnRole.FINISHED),
            elapsed_seconds=read.seconds(),
        )
        if issues:
            raise CellError(next(iter(issues.values())))
        self._refuse_incomplete(trial)
        try:
            typed = self._space.typed(parameters)
        except UserInputError as error:
            raise CellError(error.message.removesuffix(".")) from None
        deviations = self._space.deviations(typed)
        return replace(trial, parameters=typed), self._doubts(typed), deviations

    def column(self, use: ColumnUse) -> int | None:
        """Return the column that tells something, or None."""
        return self._place.get(use)

    def described(self, column: int) -> tuple[str, Any]:
        """Return what a column is called in sentences, and how its numbers are read."""
        found = self._columns.columns[column]
        return found.use.name or found.use.role.value.capitalize(), {
            "decimal": self._columns.decimals[column],
            "unit": found.unit or found.own_unit,
            "conversion": self._columns.conversions.get(column),
        }

    @property
    def experiment(self) -> Experiment:
        """The experiment that the trials are to belong to."""
        return self._experiment

    def _reason(self, read: "_Cells", status: TrialStatus) -> str:
        if self.column(ColumnUse(ColumnRole.REASON)) is not None:
            return read.text(ColumnRole.REASON)
        return "" if status is TrialStatus.COMPLETED else _FOR_EMPTY

    def _refuse_incomplete(self, trial: ImportedTrial) -> None:
        if trial.status is TrialStatus.EARLY_STOPPED and not trial.result:
            raise CellError("it was stopped early, and has no values")
        if trial.status is not TrialStatus.COMPLETED:
            return
        required = self._experiment.optimization.required_metrics
        missing = [metric for metric in required if metric not in trial.result]
        if missing:
            raise CellError(f"it has no value of {', '.join(missing)}")

    def _doubts(self, typed: Mapping[str, TParameterValue]) -> dict[int, str]:
        doubts = {}
        for parameter in self._space.tunable:
            place = self.column(ColumnUse(ColumnRole.PARAMETER, parameter.name))
            if place is None or parameter.name not in typed:
                continue
            try:
                parameter.checked(typed[parameter.name])
            except UserInputError as error:
                doubts[place] = str(error)
        return doubts


class _Cells:
    """The cells of one row, read one after the other; what is wrong is gathered."""

    def __init__(self, reader: RowReader, row: Sequence[FileCell], issues: dict[int, str]) -> None:
        self._reader = reader
        self._row = row
        self._issues = issues

    def _cell(self, use: ColumnUse) -> tuple[int, FileCell]:
        column = self._reader.column(use)
        if column is None or column >= len(self._row):
            return -1, None
        return column, self._row[column]

    def status(self) -> TrialStatus:
        column, cell = self._cell(ColumnUse(ColumnRole.STATUS))
        if is_missing(cell):
            return TrialStatus.COMPLETED
        try:
            return status_of(cell, "Status")
        except CellError as error:
            self._issues[column] = error.sentence
            return TrialStatus.COMPLETED

    def parameters(self) -> dict[str, TParameterValue]:
        space = self._reader.experiment.search_space
        found: dict[str, TParameterValue] = {
            p.name: p.fixed_value for p in space.tunable if p.is_fixed
        }
        for parameter in space.tunable:
            column, cell = self._cell(ColumnUse(ColumnRole.PARAMETER, parameter.name))
            if column < 0 or _says_nothing(cell, parameter):
                continue
            what, how = self._reader.described(column)
            try:
                found[parameter.name] = parameter_value(cell, parameter, what, **how)
            except CellError as error:
                self._issues[column] = error.sentence
        self._tell_missing(found)
        return found

    def _tell_missing(self, found: dict[str, TParameterValue]) -> None:
        space = self._reader.experiment.search_space
        for name in space.existing(found):
            column, cell = self._cell(ColumnUse(ColumnRole.PARAMETER, name))
            if name in found or column in self._issues:
                continue
            parameter = space[name]
            values = parameter.values if isinstance(parameter, ChoiceParameterConfig) else ()
            if cell is None and "" in values:
                found[name] = ""
            elif column >= 0:
                self._issues[column] = f"{name} is missing"
            else:
                self._issues.setdefault(-1, f"{name} is missing")

    def result(self) -> dict[str, float | tuple[float, float | None]]:
        result: dict[str, float | tuple[float, float | None]] = {}
        for metric in self._reader.experiment.optimization.metric_names:
            column, cell = self._cell(ColumnUse(ColumnRole.MEAN, metric))
            sem_column, sem_cell = self._cell(ColumnUse(ColumnRole.SEM, metric))
            mean_cell, sem_beside = parts_of(cell)
            if is_missing(mean_cell):
                if not is_missing(sem_cell):
                    self._issues[sem_column] = f"{metric} has a standard error, but no value"
                continue
            if is_missing(sem_cell):
                sem_column, sem_cell = column, sem_beside
            mean = self._number(column, mean_cell)
            sem = None if is_missing(sem_cell) else self._sem(sem_column, sem_cell)
            if mean is not None:
                result[metric] = (mean, sem)
        return result

    def _number(self, column: int, cell: FileCell) -> float | None:
        what, how = self._reader.described(column)
        try:
            return as_float(number_of(cell, what, **how), what)
        except CellError as error:
            self._issues[column] = error.sentence
            return None

    def _sem(self, column: int, cell: FileCell) -> float | None:
        name, how = self._reader.described(column)
        conversion = how["conversion"]
        what = f"the standard error of {name}"
        try:
            number = number_of(cell, what, how["decimal"], how["unit"], None)
            if conversion is not None:
                number = conversion.of_difference(Fraction(number))
            if number < 0:
                raise CellError(f"{what} is below 0")  # noqa: TRY301
            return as_float(number, what)
        except CellError as error:
            self._issues[column] = error.sentence
            return None

    def arm_name(self) -> str | None:
        name = self.text(ColumnRole.ARM).strip()
        # Names that axdesk gave elsewhere say which trial it was there.
        return None if not name or is_automatic_name(name) else name

    def text(self, role: ColumnRole) -> str:
        return text_of(self._cell(ColumnUse(role))[1])

    def truth(self, role: ColumnRole) -> bool:
        column, cell = self._cell(ColumnUse(role))
        if is_missing(cell):
            return False
        try:
            return truth_of(cell, role.value.capitalize())
        except CellError as error:
            self._issues[column] = error.sentence
            return False

    def time(self, role: ColumnRole) -> datetime | None:
        column, cell = self._cell(ColumnUse(role))
        if is_missing(cell):
            return None
        try:
            return time_of(cell, role.value.capitalize())
        except CellError as error:
            self._issues[column] = error.sentence
            return None

    def seconds(self) -> float:
        column, cell = self._cell(ColumnUse(ColumnRole.DURATION))
        if is_missing(cell):
            return 0.0
        number = self._number(column, cell)
        if number is not None and number < 0:
            self._issues[column] = "Duration is below 0"
        return number or 0.0


def _says_nothing(cell: FileCell, parameter: TunableParameterConfig) -> bool:
    """Whether a cell is empty; a text such as "none" may be a choice."""
    if isinstance(parameter, ChoiceParameterConfig) and cell in parameter.values:
        return False
    return is_missing(cell)
