"""The constraints of the draft as a table, and what they leave in words."""

from collections.abc import Sequence
from typing import ClassVar

from axdesk.core.draft_cells import ParameterKind, Row, Section, value_type_of
from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.expressions import parse_comparison, quoted, with_decimal_points
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import Column, DraftTable
from axdesk.gui.models.formatting import NO_BREAK, counted
from axdesk.gui.models.parameter_relations import values_of
from axdesk.gui.widgets.roles import Role


class ConstraintTable(DraftTable):
    """Linear limits on parameters or metrics, one expression a row."""

    section: ClassVar = Section.CONSTRAINTS
    columns: ClassVar[tuple[Column, ...]] = (Column("expression", "Constraint"),)

    def look(self, row: int, field: str, role: int) -> object:
        """What stands in an empty cell."""
        return "a + b <= 80" if role == Role.PLACEHOLDER else super().look(row, field, role)

    def wrong_character(self, row: int) -> int | None:
        """Where the expression is not understood, from 0; None where it is, or is empty."""
        text = self.text(row, "expression")
        if not text.strip():
            return None
        try:
            parse_comparison(with_decimal_points(text), ("<=", ">=", "="), takes_baseline=True)
        except ExpressionError as error:
            return error.position
        except UserInputError:
            return None
        return None


def usable_names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The parameters whose values are numbers that are searched, as they stand in expressions."""
    names = (row.get("name", "").strip() for row in rows if _is_number(row))
    return tuple(quoted(name) for name in dict.fromkeys(names) if name)


def _is_number(row: Row) -> bool:
    if row.get("on") == "no" and not row.get("start", "").strip():
        return False
    match row.get("kind", ParameterKind.DECIMAL):
        case ParameterKind.DECIMAL | ParameterKind.WHOLE:
            return True
        case ParameterKind.CHOICE:
            texts = values_of(row)
        case ParameterKind.FIXED:
            texts = (row.get("start", ""),)
        case _:
            return False
    said = row.get("value_type") or value_type_of(texts)
    return any(texts) and said in ("int", "float")


def share_sentence(model: DraftModel) -> tuple[str, str]:
    """What the constraints leave, and the small sentence below it."""
    if not model.rows(Section.CONSTRAINTS):
        return "All of the space is allowed.", "Add a constraint to forbid combinations."
    if model.clashes:
        return "**Nothing** of the space stays allowed.", "The constraints that clash are marked."
    if model.problems_of(Section.CONSTRAINTS):
        return "Not complete: a constraint has a problem.", "It is marked at its character."
    share = model.feasible
    if share is None:
        if model.problems_of(Section.PARAMETERS):
            return "Not known while a parameter has a problem.", ""
        return "Working out what stays allowed…", ""
    detail = f"{counted(share.sampled, 'point')} sampled; every suggestion keeps every constraint."
    if not share.is_feasible or share.is_thin or share.share in (0, 1):
        return share.sentence, ""
    percent = 100 * share.share
    told = f"{percent:.0f}" if 1 <= percent < 99.5 else f"{percent:.2g}"
    told = "More than 99" if percent >= 99.5 else told
    return f"**{told}{NO_BREAK}%** of the space stays allowed.", detail
