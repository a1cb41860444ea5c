"""The set-up that is being edited: one draft, what is wrong with it, and the way back."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from axdesk.core.draft_cells import Problem, Problems, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.plugins import PluginCatalogue
from axdesk.core.setup import ExperimentSetup

UNDO_LIMIT = 200


class DraftModel(QObject):
    """The one place that knows what the set-up says; tables and forms show it and edit it.

    Every edit replaces the draft, is checked at once, and can be undone through `undo_stack`.

    Signals:
        changed: The operator edited the draft (undo and redo too); carries the `Draft`.
        refreshed: The draft, what is wrong with it, the plugins or the read-only mode may differ.
    """

    changed = Signal(object)
    refreshed = Signal()

    def __init__(self, draft: Draft | None = None, parent: QObject | None = None) -> None:
        """Make the model; without a draft it shows an empty one."""
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.undo_stack.setUndoLimit(UNDO_LIMIT)
        self._draft = draft or Draft()
        self._catalogue: PluginCatalogue | None = None
        self._found: tuple[Problem, ...] = ()
        self._is_read_only = False
        self._is_reading_plugins = False
        self._check()

    @property
    def draft(self) -> Draft:
        """What the set-up says."""
        return self._draft

    @property
    def problems(self) -> Problems | None:
        """What keeps the run from starting; None if nothing does."""
        return self._problems

    @property
    def setup(self) -> ExperimentSetup | None:
        """The set-up that the draft says; None while it has problems."""
        return self._setup

    @property
    def catalogue(self) -> PluginCatalogue | None:
        """What the plugin folder offers; None until it was read."""
        return self._catalogue

    @property
    def is_reading_plugins(self) -> bool:
        """Whether the plugin folder is being read, which may take a while."""
        return self._is_reading_plugins

    @property
    def is_read_only(self) -> bool:
        """Whether edits are refused."""
        return self._is_read_only

    def set_draft(self, draft: Draft) -> None:
        """Show another draft and forget what could be undone; sends no `changed`."""
        self.undo_stack.clear()
        self._draft = draft
        self._found = ()
        self._renew()

    def set_catalogue(self, catalogue: PluginCatalogue) -> None:
        """Check against another plugin folder, or against the same read anew."""
        self._catalogue = catalogue
        self._is_reading_plugins = False
        self._found = ()
        self._renew()

    def set_reading_plugins(self) -> None:
        """Note that the plugin folder is being read; `set_catalogue` says that it was."""
        self._is_reading_plugins = True
        self.refreshed.emit()

    def set_read_only(self, is_read_only: bool) -> None:
        """Refuse edits, or take them again."""
        if is_read_only != self._is_read_only:
            self._is_read_only = is_read_only
            self.undo_stack.clear()  # a run works with what there is now
            self.refreshed.emit()

    def note_found(self, problem: Problem) -> None:
        """Show a problem that only a slower check finds, until the next edit or check."""
        if self._problems is None or problem not in self._problems.items:
            self._found = (*self._found, problem)
            self._renew()

    def problems_of(self, section: Section) -> tuple[Problem, ...]:
        """The problems of one section."""
        return self._problems.of(section) if self._problems is not None else ()

    def rows(self, section: Section) -> tuple[Row, ...]:
        """The rows of a section."""
        return self._draft.rows(section)

    def text(self, section: Section, row: int, field: str) -> str:
        """A cell's text as typed; empty if there is no such row."""
        rows = self._draft.rows(section)
        return rows[row].get(field, "") if 0 <= row < len(rows) else ""

    def issue(self, section: Section, row: int, field: str) -> str:
        """What is wrong with a cell, or an empty text."""
        found = (p for p in self.problems_of(section) if p.row == row and p.field == field)
        return next((problem.message for problem in found), "")

    # edits

    def edit(self, section: Section, row: int, field: str, text: str) -> bool:
        """Put a text into a cell; further letters in the same cell are undone together."""
        return self.edit_cells(section, row, {field: text}, merges=True)

    def edit_cells(
        self, section: Section, row: int, cells: Mapping[str, str], *, merges: bool = False
    ) -> bool:
        """Put texts into several cells of a row in one step; False if that changes nothing.

        Args:
            section: Where.
            row: Row of that section, from 0.
            cells: Field → text.
            merges: Whether it joins the step before, if that was about the same cells.
        """
        rows = list(self._draft.rows(section))
        if not 0 <= row < len(rows):
            return False
        rows[row] = {**rows[row], **cells}
        key = (section, row, *sorted(cells)) if merges else ()
        return self._replace(section, rows, f"{section} {', '.join(cells)}", key)

    def insert_rows(self, section: Section, at: int, rows: Sequence[Row]) -> bool:
        """Put rows before row `at`."""
        kept = list(self._draft.rows(section))
        kept[at:at] = rows
        return self._replace(section, kept, f"add to {section}")

    def remove_rows(self, section: Section, indices: Iterable[int]) -> bool:
        """Take rows away."""
        gone = set(indices)
        kept = [row for index, row in enumerate(self._draft.rows(section)) if index not in gone]
        return self._replace(section, kept, f"remove from {section}")

    def replace_rows(self, section: Section, rows: Iterable[Row]) -> bool:
        """Replace all rows of a section in one step, such as after pasting."""
        return self._replace(section, rows, f"paste into {section}")

    def _replace(
        self, section: Section, rows: Iterable[Row], text: str, key: tuple[object, ...] = ()
    ) -> bool:
        after = self._draft.with_rows(section, rows)
        if self._is_read_only or after == self._draft:
            return False
        self.undo_stack.push(_Edit(self._show, self._draft, after, text, key))
        return True

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        self._found = ()
        self._renew()
        self.changed.emit(draft)

    def _renew(self) -> None:
        self._check()
        self.refreshed.emit()

    def _check(self) -> None:
        checked = self._draft.checked(self._catalogue)
        self._setup: ExperimentSetup | None = None
        self._problems: Problems | None = None
        if isinstance(checked, Problems):
            self._problems = Problems((*self._found, *checked.items))
        elif self._found:
            self._problems = Problems(self._found)
        else:
            self._setup = checked


class _Edit(QUndoCommand):
    """From one draft to the next; drafts are values, so both are simply kept."""

    def __init__(
        self,
        show: Callable[[Draft], None],
        before: Draft,
        after: Draft,
        text: str,
        key: tuple[object, ...],
    ) -> None:
        super().__init__(text)
        self._show = show
        self._before = before
        self.after = after
        self.key = key

    def id(self) -> int:
        """Only edits that carry a key are offered to each other."""
        return 1 if self.key else -1

    def mergeWith(self, other: QUndoCommand) -> bool:
        """Take in a further edit of the same cells."""
        if not isinstance(other, _Edit) or other.key != self.key:
            return False
        self.after = other.after
        return True

    def redo(self) -> None:
        """Show what the edit made of the draft."""
        self._show(self.after)

    def undo(self) -> None:
        """Show what the draft was before."""
        self._show(self._before)
