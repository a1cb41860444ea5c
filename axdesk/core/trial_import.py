"""What a file of trials says, and what would become of it: values that window and console show."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from axdesk.core.commands import ImportedTrial
from axdesk.core.trial_columns import ColumnUse, DecimalSign

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell that stands for no value, such as one of a formula that was never computed.

    Attributes:
        text: What is shown in its place.
        why: The end of a sentence about it: "is a date, not a number".
    """

    text: str
    why: str


FileCell = int | float | str | bool | datetime | CellFault | None
"""A cell as a file has it: text where the file knows no types; None if it is empty."""


@dataclass(frozen=True, slots=True)
class FileTable:
    """What was read of a file, or of the clipboard.

    Attributes:
        name: Of the file, as it is shown.
        rows: All of them, from the file's first on, as wide as they are.
        encoding: Of a text; empty for a workbook.
        delimiter: Of a text whose cells it parts; empty otherwise.
        sheets: Names of a workbook's sheets.
        sheet: The one that was read.
        remarks: Sentences about what is worth knowing of how it was read.
        units: Column, from 0, → unit that the file's format tells.
        uses: What the columns tell, where the format says so; None where it does not.
    """

    name: str
    rows: tuple[tuple[FileCell, ...], ...]
    encoding: str = ""
    delimiter: str = ""
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    remarks: tuple[str, ...] = ()
    units: Mapping[int, str] = field(default_factory=dict)
    uses: tuple[ColumnUse, ...] | None = None


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """How a file is read; empty for what is found in it.

    Attributes:
        encoding: Such as `"utf-8"`, `"utf-16"` or `"cp1252"`.
        delimiter: Between cells of a text.
        sheet: Name of a workbook's sheet.
    """

    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""


@dataclass(frozen=True, slots=True)
class ImportSettings:
    """How the rows of a file are understood.

    Attributes:
        decimal: Sign in numbers; None for that which each column's cells say.
        head_row: Row of the heads, from 1; 0 if there is none; None to find it.
        uses: Column, from 0, → what it tells, in place of what is guessed.
        named: Head → what the column tells, in words: a parameter, a metric, `METRIC sem`, a role
            such as `note`, or `ignored`.
        units: Column, from 0, → its unit in the file, in place of that of its head; empty for the
            experiment's.
        keeps_duplicates: Whether rows that the experiment, or the file, has already are imported.
    """

    decimal: DecimalSign | None = None
    head_row: int | None = None
    uses: Mapping[int, ColumnUse] = field(default_factory=dict)
    named: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[int, str] = field(default_factory=dict)
    keeps_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class ImportColumn:
    """A column of the file.

    Attributes:
        head: Its name, or "Column C" where it has none.
        use: What it tells.
        unit: Of its numbers in the file; empty if nothing says that.
        own_unit: Of the parameter or metric in the experiment.
        remark: A sentence on what is done with it; empty for nothing special.
        is_doubtful: Whether somebody should look at the remark.
    """

    head: str
    use: ColumnUse
    unit: str = ""
    own_unit: str = ""
    remark: str = ""
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row of the file.

    Attributes:
        number: In the file, from 1, as spreadsheets count.
        cells: What stands in it, as text.
        trial: What it becomes; None if it is skipped.
        reason: Why it is skipped; empty if it is not.
        is_duplicate: Whether that is because it is there already.
        issues: Column, from 0, → what is wrong with its cell.
        doubts: Column, from 0, → what is unusual about its cell.
        deviations: Sentences on how the trial lies outside the search space.
    """

    number: int
    cells: tuple[str, ...]
    trial: ImportedTrial | None = None
    reason: str = ""
    is_duplicate: bool = False
    issues: Mapping[int, str] = field(default_factory=dict)
    doubts: Mapping[int, str] = field(default_factory=dict)
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import would do, or has done.

    Attributes:
        name: Of the file.
        head_row: Row of the heads, from 1; 0 for none.
        columns: In the file's order.
        rows: Those below the heads that are not empty.
        problems: Why nothing can be imported as things stand.
        remarks: Sentences about what is worth knowing.
        indices: Of the trials that were added; empty before that.
    """

    name: str
    head_row: int
    columns: tuple[ImportColumn, ...]
    rows: tuple[ImportRow, ...]
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    indices: tuple[int, ...] = ()

    @property
    def trials(self) -> tuple[ImportedTrial, ...]:
        """What would be added."""
        return tuple(row.trial for row in self.rows if row.trial is not None)

    @property
    def skipped(self) -> tuple[ImportRow, ...]:
        """The rows that are not imported."""
        return tuple(row for row in self.rows if row.trial is None)

    @property
    def bad(self) -> tuple[ImportRow, ...]:
        """The rows that are skipped because something is wrong with them."""
        return tuple(row for row in self.skipped if not row.is_duplicate)

    def summary(self, most: int = _MOST_TOLD) -> str:
        """Return the outcome in words: "18 rows ok, 2 skipped: row 7: Yield 'n/a' is no number; …".

        Args:
            most: Rows that are told one by one.
        """
        if self.problems:
            return " ".join(self.problems)
        if not self.rows:
            return f"{self.name} has no rows below its heads."
        ok = len(self.trials)
        told = f"{ok} row{'s' * (ok != 1)} ok"
        if not self.skipped:
            return f"{told}."
        reasons = [f"row {row.number}: {row.reason}" for row in self.skipped[:most]]
        more = len(self.skipped) - most
        rest = f"; and {more} more" if more > 0 else ""
        return f"{told}, {len(self.skipped)} skipped: {'; '.join(reasons)}{rest}."

    def outside(self) -> str:
        """Return a sentence on the trials that lie outside the search space; empty for none."""
        rows = [row for row in self.rows if row.trial is not None and row.deviations]
        if not rows:
            return ""
        lie = "row lies" if len(rows) == 1 else "rows lie"
        return (
            f"{len(rows)} {lie} outside the search space, such as row {rows[0].number}: "
            f"{rows[0].deviations[0]} They are kept; the model learns from them unless they lie "
            "far outside."
        )

    def carried_out(self, indices: tuple[int, ...]) -> Self:
        """Return the plan once its trials were added under these indices."""
        return replace(self, indices=indices)
