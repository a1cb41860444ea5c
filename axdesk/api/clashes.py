"""Which rows of a draft's constraints leave a search space without any allowed point."""

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.draft_cells import Problem, Section
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError, ClashError, UserInputError


def clashing_rows(draft: Draft) -> tuple[Problem, ...]:
    """Return a problem at each constraint that cannot be kept together with the others.

    Nothing, where some point is allowed, or where a parameter or constraint has another problem.
    """
    space = draft.search_space()
    if space is None:
        return ()
    try:
        generation.check_feasible(space)
    except AxdeskError as error:
        constraints = error.constraints if isinstance(error, ClashError) else ()
        texts = [_written(cells.get("expression", "")) for cells in draft.constraints]
        rows: list[int | None] = [row for row, text in enumerate(texts) if text in constraints]
        field = "expression" if constraints else ""
        return tuple(Problem(Section.CONSTRAINTS, row, field, str(error)) for row in rows or [None])
    return ()


def _written(text: str) -> str:
    """A constraint on parameters as it is written in messages; empty for other rows."""
    try:
        return str(ParameterConstraint.parse(text))
    except UserInputError:
        return ""
