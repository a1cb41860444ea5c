"""A fault to inject, what was found afterwards, and the table of all of them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.faults.programs import Launcher

FAMILIES = {
    1: "killed at a system call",
    2: "killed at a named place",
    3: "told to end",
    4: "killed at any time",
    5: "disk full",
    6: "the disk fails",
    7: "database locked",
    8: "two programs at once",
    9: "database damaged",
    10: "plugin hangs",
    11: "plugin crashes",
    12: "plugin lies",
    13: "no number for a result",
    14: "passing errors",
    15: "clocks",
    19: "scarce resources",
    20: "numbers that are hard to model",
    21: "optimiser hangs",
    22: "stale lock of a compiler",
}
"""The families of faults by number; those about servers and files of others are not here."""

LONGEST_REMARK = 120


class NotPossibleError(Exception):
    """The machine lacks what the fault needs; says what."""


@dataclass
class Verdict:
    """What was found after a fault and all that followed; each entry is a sentence.

    Attributes:
        lost: Deployments and acknowledged results that are not in the database as they were.
        doubled: Trials that were deployed more than once.
        broken: Everything else that should not be.
        injected: How many faults it was.
        note: What a reader of the table may want to know.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    injected: int = 1
    note: str = ""

    def without(self, folder: Path) -> "Verdict":
        """Return the same without a folder that means nothing to the reader."""
        lost, doubled, broken = (
            [text.replace(f"{folder}/", "") for text in kind]
            for kind in (self.lost, self.doubled, self.broken)
        )
        return Verdict(lost, doubled, broken, self.injected, self.note)

    def add(self, other: "Verdict") -> None:
        """Take over what another judgement found."""
        self.lost += other.lost
        self.doubled += other.doubled
        self.broken += other.broken

    @property
    def has_survived(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.lost or self.doubled or self.broken)

    @property
    def told(self) -> str:
        """The first of what was found."""
        return next(iter([*self.lost, *self.doubled, *self.broken]), "")


@dataclass(frozen=True)
class Bench:
    """Where a fault is injected.

    Attributes:
        folder: Empty, for this fault alone.
        launcher: Starts axdesk; for this fault alone as long as it lasts.
        undisturbed: The same experiment without a fault.
    """

    folder: Path
    launcher: Launcher
    undisturbed: "Future[Undisturbed]"


class Undisturbed(NamedTuple):
    """A run without a fault.

    Attributes:
        calls: How often its main thread makes each system call.
        points: The parameters of each trial.
    """

    calls: dict[str, int]
    points: dict[int, dict[str, object]]


class Case(NamedTuple):
    """One fault.

    Attributes:
        family: Its number among `FAMILIES`.
        fault: What it is called; cases of one name share a line of the table.
        check: Injects it and judges.
        is_sample: Whether it is one of the few that every test run injects.
    """

    family: int
    fault: str
    check: Callable[[Bench], Verdict]
    is_sample: bool = False


class Row(NamedTuple):
    """One line of the table."""

    family: str
    fault: str
    injected: int
    survived: int
    lost: int
    doubled: int
    remark: str

    @property
    def is_good(self) -> bool:
        """Whether all was survived."""
        return self.survived == self.injected and not self.lost and not self.doubled


def rows(results: Iterable[tuple[Case, Verdict | NotPossibleError]]) -> list[Row]:
    """Add up the results of cases of one name; in the order in which names first come."""
    grouped: dict[tuple[int, str], list[Verdict | NotPossibleError]] = {}
    for case, result in results:
        grouped.setdefault((case.family, case.fault), []).append(result)
    return [_row(family, fault, found) for (family, fault), found in grouped.items()]


def _row(family: int, fault: str, found: list[Verdict | NotPossibleError]) -> Row:
    verdicts = [result for result in found if isinstance(result, Verdict)]
    told = [f"{v.told}" for v in verdicts if v.told]
    skipped = [f"skipped: {result}" for result in found if isinstance(result, NotPossibleError)]
    notes = [v.note for v in verdicts if v.note]
    return Row(
        f"{family} {FAMILIES[family]}",
        fault,
        sum(v.injected for v in verdicts),
        sum(v.injected for v in verdicts if v.has_survived),
        sum(len(v.lost) for v in verdicts),
        sum(len(v.doubled) for v in verdicts),
        shortened(next(iter([*told, *skipped, *notes]), "")),
    )


def shortened(text: str) -> str:
    """Return the beginning of a text, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_REMARK else f"{line[:LONGEST_REMARK]}…"


def totals(table: Sequence[Row]) -> Row:
    """Return the last line of the table."""
    return Row(
        "all",
        "",
        sum(row.injected for row in table),
        sum(row.survived for row in table),
        sum(row.lost for row in table),
        sum(row.doubled for row in table),
        "",
    )


def as_markdown(table: Sequence[Row]) -> str:
    """Return the table with its last line."""
    head = ("family", "fault", "injected", "survived", "lost", "doubled", "remark")
    texts = [head, *(tuple(map(str, line)) for line in [*table, totals(table)])]
    cells = [tuple(text.replace("|", "/") for text in row) for row in texts]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head) - 1)] + [0]
    rule = "|".join(f"{'-' * (width + 2)}" for width in [*widths[:-1], 4])
    drawn = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    return "\n".join([drawn[0], f"|{rule}|", *drawn[1:]])
