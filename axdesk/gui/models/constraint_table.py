"""The constraints of the draft as a table."""

from typing import ClassVar

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.draft_cells import Section
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.gui.models.draft_table import Column, DraftTable
from axdesk.gui.widgets.roles import Role


class ConstraintTable(DraftTable):
    """Linear limits on parameters or metrics, one expression a row."""

    section: ClassVar = Section.CONSTRAINTS
    columns: ClassVar[tuple[Column, ...]] = (Column("expression", "Constraint"),)

    def look(self, _row: int, _field: str, role: int) -> object:
        """What stands in an empty cell."""
        return "a + b <= 80" if role == Role.PLACEHOLDER else None

    def wrong_character(self, row: int) -> int | None:
        """Where the expression is not understood, from 0; None where it is, or is empty."""
        text = self.text(row, "expression")
        if not text.strip():
            return None
        try:
            ParameterConstraint.parse(text)
        except ExpressionError as error:
            return error.position
        except UserInputError:
            return None
        return None
