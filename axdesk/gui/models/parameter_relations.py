"""Which parameters exist only where another has certain values, as the rows of a draft say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from axdesk.core.draft_cells import (
    ParameterKind,
    Row,
    dependents_text,
    split_choices,
    split_dependents,
)
from axdesk.core.errors import UserInputError

if TYPE_CHECKING:
    from axdesk.core.parameters import TParameterValue

_PARENTS = (ParameterKind.CHOICE, ParameterKind.YES_NO)


@dataclass(frozen=True, slots=True)
class Condition:
    """A parameter exists only where row `parent` has one of `values`."""

    parent: int
    values: tuple[str, ...]


def values_of(row: Row) -> tuple[str, ...]:
    """The values on which other parameters can depend, as they are written."""
    if row.get("kind") == ParameterKind.YES_NO:
        return ("no", "yes")
    return split_choices(row.get("choices", ""))


def possible_parents(rows: Sequence[Row], row: int) -> tuple[int, ...]:
    """The rows on which a row may depend: named choices among at least two values."""
    return tuple(
        index
        for index, other in enumerate(rows)
        if index != row
        and other.get("kind") in _PARENTS
        and other.get("name", "").strip()
        and len(values_of(other)) > 1
    )


def condition_of(rows: Sequence[Row], row: int) -> Condition | None:
    """Where a row's parameter exists; None for everywhere."""
    name = rows[row].get("name", "").strip()
    for index, other in enumerate(rows):
        if index == row or other.get("kind") not in _PARENTS or not name:
            continue
        values = tuple(value for value, names in _dependents(other) if name in names)
        if values:
            return Condition(index, values)
    return None


def cells_with_condition(
    rows: Sequence[Row], row: int, condition: Condition | None
) -> Mapping[int, Mapping[str, str]]:
    """The cells that change where a row's parameter shall exist elsewhere: row → field → text."""
    name = rows[row].get("name", "").strip()
    changed: dict[int, Mapping[str, str]] = {}
    for index, other in enumerate(rows):
        before = _dependents(other)
        kept: dict[TParameterValue, list[str]] = {
            value: [n for n in names if n != name] for value, names in before if set(names) - {name}
        }
        if condition is not None and condition.parent == index:
            for value in condition.values:
                kept.setdefault(value, []).append(name)
            order: list[TParameterValue] = [*values_of(other), *kept]
            kept = dict(sorted(kept.items(), key=lambda item: order.index(item[0])))
        if kept != {value: list(names) for value, names in before}:
            changed[index] = {"dependents": dependents_text(kept)}
    return changed


def _dependents(row: Row) -> tuple[tuple[str, tuple[str, ...]], ...]:
    try:
        return split_dependents(row.get("dependents", ""))
    except UserInputError:
        return ()  # its own cell says what is wrong with it
