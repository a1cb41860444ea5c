"""What the columns of a table of trials mean, in files that are written and in those read."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Cell = int | float | str | bool | None
"""A value of a table; None where there is nothing to tell."""

FileFormat = Literal["csv", "xlsx", "json"]
"""How trials are written."""

DecimalSign = Literal["point", "comma"]


class ColumnRole(StrEnum):
    """What a column tells of each trial."""

    IGNORED = "ignored"
    PARAMETER = "parameter"
    MEAN = "mean"
    SEM = "sem"
    STATUS = "status"
    ARM = "arm"
    NOTE = "note"
    REASON = "reason"
    EXCLUDED = "excluded"
    SOURCE = "source"
    STARTED = "started"
    FINISHED = "finished"
    DURATION = "duration"
    TRIAL = "trial"
    """Its number in the experiment that wrote the file."""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """What one column tells.

    Attributes:
        role: What.
        name: The parameter, or the metric of a mean or a sem; empty otherwise.
    """

    role: ColumnRole
    name: str = ""
