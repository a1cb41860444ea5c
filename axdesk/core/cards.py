"""What an analysis answers: cards to read, and the best point."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from axdesk.core.errors import UserInputError
from axdesk.core.names import checked_name
from axdesk.core.parameters import TParameterValue


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its standard error.

    Attributes:
        mean: Finite.
        sem: Standard error of the mean: None for unknown, 0.0 for noiseless.
    """

    mean: float
    sem: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.mean):
            raise UserInputError(f"The value {self.mean} is no finite number.")
        if self.sem is not None and not (math.isfinite(self.sem) and self.sem >= 0):
            raise UserInputError(f"The standard error {self.sem} must be finite and at least 0.")


TCell = str | int | float | bool | Measured | None
"""A cell of a card's table; None where there is no value."""


@dataclass(frozen=True, slots=True)
class Card:
    """One analysis: a sentence that says what it found, and a table.

    Attributes:
        name: Under which it is asked for, such as `"best_trials"`.
        title: As its head.
        sentence: What it found; readable without the table.
        columns: Heads of the table, units in brackets.
        rows: As many cells each as there are columns.
    """

    name: str
    title: str
    sentence: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[TCell, ...], ...] = ()

    def __post_init__(self) -> None:
        checked_name(self.name, "card")
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise UserInputError(
                    f"Row {index} of the card {self.name!r} has {len(row)} cells; "
                    f"{len(self.columns)} are needed."
                )
            for cell in row:
                if isinstance(cell, float) and not math.isfinite(cell):
                    raise UserInputError(
                        f"Row {index} of the card {self.name!r} holds {cell}.",
                        "Give None where there is no value.",
                    )


@dataclass(frozen=True, slots=True)
class BestPoint:
    """The settings to use, as far as is known.

    Attributes:
        trial_index: The trial that ran them.
        arm_name: Of its arm.
        parameters: What was executed.
        values: Metric → (mean, variance), in the metric's unit and its square.
        rule: Whether predicted (`"model"`) or measured (`"observed"`) values were compared.
        reason: Why this trial and why this rule, as a sentence.
    """

    trial_index: int
    arm_name: str
    parameters: Mapping[str, TParameterValue]
    values: Mapping[str, tuple[float, float]]
    rule: Literal["model", "observed"]
    reason: str
