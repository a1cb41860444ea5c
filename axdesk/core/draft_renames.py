"""What else changes in a draft where a parameter or a metric is called something else."""

from collections.abc import Collection, Iterable

from axdesk.core.draft_cells import Row, Section, dependents_text, split_dependents
from axdesk.core.drafts import Draft
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import with_other_name
from axdesk.core.names import checked_name

_NAMED = (Section.PARAMETERS, Section.OBJECTIVES)


def with_renamed_mentions(before: Draft, after: Draft, section: Section, row: int) -> Draft:
    """Return a draft in which whatever named a row names it as it is called now.

    That is left as it was where it could mean something else: two rows had the former name, or
    another has the new one.

    Args:
        before: With the former name.
        after: With the new one.
        section: Of the row.
        row: Whose name was edited.
    """
    if section not in _NAMED:
        return after
    old, new = (draft.rows(section)[row].get("name", "").strip() for draft in (before, after))
    if old == new or not (_is_name(old) and _is_name(new)):
        return after
    if _names(before, [section]).count(old) > 1 or _names(after, [section]).count(new) > 1:
        return after
    if section is Section.PARAMETERS:
        rows = [_with_other_parameter(one, old, new) for one in after.parameters]
        after = after.with_rows(Section.PARAMETERS, rows)
    # A constraint may name parameters and metrics.
    if _names(before, _NAMED).count(old) == _names(after, _NAMED).count(new) == 1:
        rows = [_with_other_word(one, old, new) for one in after.constraints]
        after = after.with_rows(Section.CONSTRAINTS, rows)
    return after


def _is_name(text: str) -> bool:
    try:
        checked_name(text, "row")
    except UserInputError:
        return False
    return True


def _names(draft: Draft, sections: Collection[Section]) -> list[str]:
    return [row.get("name", "").strip() for one in sections for row in draft.rows(one)]


def _with_other_word(row: Row, old: str, new: str) -> Row:
    text = row.get("expression", "")
    return {**row, "expression": with_other_name(text, old, new)} if text else row


def _with_other_parameter(row: Row, old: str, new: str) -> Row:
    row = _with_other_word(row, old, new)
    try:
        dependents = split_dependents(row.get("dependents", ""))
    except UserInputError:
        return row  # its own cell says what is wrong with it
    if not any(old in names for _, names in dependents):
        return row
    renamed: dict[str, Iterable[str]] = {}
    for value, names in dependents:
        kept = [new if name == old else name for name in names]
        renamed[value] = [*renamed.get(value, ()), *kept]
    return {**row, "dependents": dependents_text({v: tuple(n) for v, n in renamed.items()})}
