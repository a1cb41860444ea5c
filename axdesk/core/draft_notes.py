"""Problems of a draft, as its checks find them cell by cell."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.errors import AxdeskError

T = TypeVar("T")

_SUBJECT = re.compile(r"^Parameter (['\"]).*?\1: ")
"""How messages about a parameter begin that stand alone."""

TRemedy = tuple[str, Mapping[str, str]]
"""What a button says, and the texts that it puts into the row: field → text."""


class Notes:
    """Collects problems.

    Attributes:
        problems: In the order in which they were found.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def at(self, section: Section, row: int | None, field_name: str) -> "Place":
        """Return the place of a cell."""
        return Place(self, section, row, field_name)


class Place:
    """One cell, where problems can be noted."""

    def __init__(self, notes: Notes, section: Section, row: int | None, field: str) -> None:
        self._notes = notes
        self._section = section
        self._row = row
        self._field = field

    def beside(self, field: str) -> "Place":
        """Return the place of another field of the row."""
        return Place(self._notes, self._section, self._row, field)

    def note(self, message: str, *remedies: TRemedy) -> None:
        """Note a problem here."""
        self._notes.problems.append(
            Problem(self._section, self._row, self._field, message, tuple(remedies))
        )

    def read(self, reader: Callable[[], T]) -> T | None:
        """Return what is read, or note here why it cannot be and return None."""
        try:
            return reader()
        except AxdeskError as error:
            message = _SUBJECT.sub("", error.message)  # the row is named where this is told
            message = message[:1].upper() + message[1:]
            self.note(f"{message} {error.hint}".strip())
            return None
