"""The set-up that is being edited: one draft, what is wrong with it, and the way back."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from axdesk.core.draft_cells import Problem, Problems, Row, Section
from axdesk.core.draft_doubts import doubts
from axdesk.core.draft_renames import with_renamed_mentions
from axdesk.core.drafts import Draft
from axdesk.core.feasible_share import FeasibleShare
from axdesk.core.plugins import PluginCatalogue
from axdesk.core.setup import ExperimentSetup
from axdesk.core.setup_lock import SetupLock
from axdesk.gui.models.draft_history import DraftHistory, Step

UNDO_LIMIT = 200
READ_ONLY = "The set-up is locked."


class DraftModel(QObject):
    """The one place that knows what the set-up says; tables and forms show it and edit it.

    Every edit replaces the draft, is checked at once, and can be undone through `undo_stack`.

    Signals:
        changed: The operator edited the draft (undo and redo too); carries the `Draft`.
        refreshed: The draft, what is wrong with it, the plugins or the lock may differ.
        settled: The same, once the tables over the draft have followed; for what shows them.
        stepped: An edit was undone or done again; carries the section where that shows.
    """

    changed = Signal(object)
    refreshed = Signal()
    settled = Signal()
    stepped = Signal(object)

    def __init__(self, draft: Draft | None = None, parent: QObject | None = None) -> None:
        """Make the model; without a draft it shows an empty one."""
        super().__init__(parent)
        self.undo_stack = DraftHistory(self._show, UNDO_LIMIT)
        self._draft = draft or Draft()
        self._catalogue: PluginCatalogue | None = None
        self._found: tuple[Problem, ...] = ()
        self._feasible: FeasibleShare | None = None
        self._clashes: tuple[Problem, ...] = ()
        self._is_read_only = False
        self._lock = SetupLock()
        self._taken_names: frozenset[str] = frozenset()
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
    def feasible(self) -> FeasibleShare | None:
        """How much of the space the constraints leave; None where that is not known (yet)."""
        return self._feasible

    @property
    def doubts(self) -> tuple[Problem, ...]:
        """What is allowed and perhaps not meant; it keeps no run from starting."""
        return self._doubts

    @property
    def clashes(self) -> tuple[Problem, ...]:
        """A problem at each constraint that cannot be kept together with the others."""
        return self._clashes

    @property
    def is_read_only(self) -> bool:
        """Whether all edits are refused."""
        return self._is_read_only or bool(self._lock.total_reason)

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
        self._tell_refreshed()

    def set_taken_names(self, names: Collection[str]) -> None:
        """Note what other experiments are called, which this one cannot be called."""
        if self._taken_names != frozenset(names):
            self._taken_names = frozenset(names)
            self._renew()

    def set_read_only(self, is_read_only: bool) -> None:
        """Refuse all edits, or take them again."""
        if is_read_only != self._is_read_only:
            self._is_read_only = is_read_only
            self._tell_refreshed()

    def set_lock(self, lock: SetupLock) -> None:
        """Take only the edits that the state of the run allows."""
        if lock != self._lock:
            self._lock = lock
            self._tell_refreshed()

    def locked_reason(self, section: Section, row: int, field: str) -> str:
        """Why a cell cannot be edited; empty if it can."""
        if self._is_read_only:
            return READ_ONLY
        rows = self._draft.rows(section)
        return self._lock.reason(section, field, rows[row] if 0 <= row < len(rows) else {})

    def rows_locked_reason(self, section: Section) -> str:
        """Why rows of a section cannot be added, removed or moved; empty if they can."""
        return READ_ONLY if self._is_read_only else self._lock.rows_reason(section)

    def note_found(self, problem: Problem) -> None:
        """Show a problem that only a slower check finds, until the next edit or check."""
        if self._problems is None or problem not in self._problems.items:
            self._found = (*self._found, problem)
            self._renew()

    def take_found(self, problems: Iterable[Problem]) -> None:
        """Show these problems of a slower check in place of those noted before."""
        found = tuple(problems)
        checked = self._draft.checked(self._catalogue, self._taken_names)
        known = checked.items if isinstance(checked, Problems) else ()
        found = tuple(problem for problem in found if problem not in known)
        if found != self._found:
            self._found = found
            self._renew()

    @property
    def has_found(self) -> bool:
        """Whether problems of a slower check are shown."""
        return bool(self._found)

    def set_feasible(self, share: FeasibleShare | None, clashes: Sequence[Problem]) -> None:
        """Show how much the constraints leave, and which of them cannot be kept together."""
        if (share, tuple(clashes)) != (self._feasible, self._clashes):
            self._feasible, self._clashes = share, tuple(clashes)
            self._renew()

    def problems_of(self, section: Section) -> tuple[Problem, ...]:
        """The problems of one section."""
        return self._problems.of(section) if self._problems is not None else ()

    def doubts_of(self, section: Section) -> tuple[Problem, ...]:
        """The doubts about one section."""
        return tuple(doubt for doubt in self._doubts if doubt.section is section)

    def doubt(self, section: Section, row: int, field: str) -> str:
        """What is doubtful in a cell, or an empty text."""
        found = (d for d in self.doubts_of(section) if d.row == row and d.field == field)
        return next((doubt.message for doubt in found), "")

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
            merges: Whether it joins the step before, if that was about the same cells and `seal`
                was not called meanwhile.
        """
        key = (section, row, *sorted(cells)) if merges else ()
        return self._edit_rows(section, {row: cells}, key)

    def edit_rows(self, section: Section, cells: Mapping[int, Mapping[str, str]]) -> bool:
        """Put texts into cells of several rows in one step: row → field → text."""
        return self._edit_rows(section, cells, ())

    def seal(self) -> None:
        """End the typing into a cell: what is typed from now on is a step of its own."""
        self._seals += 1

    _seals = 0

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

    def move_rows(self, section: Section, indices: Iterable[int], before: int) -> int:
        """Move rows, in their order, to stand before what is now row `before`.

        Returns:
            The row that the first of them is afterwards.
        """
        rows = list(self._draft.rows(section))
        moved = sorted({index for index in indices if 0 <= index < len(rows)})
        at = before - sum(index < before for index in moved)
        kept = [row for index, row in enumerate(rows) if index not in moved]
        kept[at:at] = [rows[index] for index in moved]
        self._replace(section, kept, f"reorder {section}")
        return at

    def replace_rows(self, section: Section, rows: Iterable[Row], text: str = "paste into") -> bool:
        """Replace all rows of a section in one step, such as after pasting."""
        return self._replace(section, rows, f"{text} {section}")

    @property
    def can_undo(self) -> bool:
        """Whether the last edit can be taken back, as far as the run allows."""
        stack = self.undo_stack
        return stack.canUndo() and self._takes(stack.step(stack.index() - 1).before)

    @property
    def can_redo(self) -> bool:
        """Whether the edit taken back last can be done again, as far as the run allows."""
        stack = self.undo_stack
        return stack.canRedo() and self._takes(stack.step(stack.index()).after)

    def undo(self) -> None:
        """Take the last edit back, if that is allowed."""
        if self.can_undo:
            self._step(self.undo_stack.undo)

    def redo(self) -> None:
        """Do the edit taken back last again, if that is allowed."""
        if self.can_redo:
            self._step(self.undo_stack.redo)

    def go_to_step(self, index: int) -> None:
        """Take all edits from the one with this number on back, if that is allowed."""
        stack = self.undo_stack
        if 0 <= index < stack.index() and self._takes(stack.step(index).before):
            self._step(lambda: stack.setIndex(index))

    def _step(self, step: Callable[[], object]) -> None:
        self.seal()
        before = self._draft
        step()
        changed = [s for s in Section if before.rows(s) != self._draft.rows(s)]
        if changed:
            self.stepped.emit(changed[0])

    def _takes(self, draft: Draft) -> bool:
        return not self._is_read_only and not self._lock.objection(self._draft, draft)

    def _edit_rows(
        self,
        section: Section,
        cells: Mapping[int, Mapping[str, str]],
        key: tuple[object, ...],
    ) -> bool:
        rows = list(self._draft.rows(section))
        if not all(0 <= row < len(rows) for row in cells):
            return False
        for row, texts in cells.items():
            rows[row] = {**rows[row], **texts}
        fields = dict.fromkeys(field for texts in cells.values() for field in texts)
        text = f"{section} {', '.join(fields)}"
        if len(cells) > 1 or "name" not in fields:
            return self._replace(section, rows, text, key)
        # What names the row follows from how it was called before this typing began: half a name
        # may be the name of another row.
        began, ((row, texts),) = self._began(key), cells.items()
        after = began
        for field, typed in texts.items():
            after = after.with_cell(section, row, field, typed)
        return self._take(with_renamed_mentions(began, after, section, row), text, key)

    def _began(self, key: tuple[object, ...]) -> Draft:
        """The draft before the typing that an edit of this key goes on with."""
        stack = self.undo_stack
        last = stack.step(stack.index() - 1) if stack.index() else None
        goes_on = last is not None and bool(key) and last.key == (*key, self._seals)
        return last.before if goes_on and last is not None else self._draft

    def return_to(self, draft: Draft) -> None:
        """Take edits back to what holds, in one step that can be undone; no lock forbids that."""
        if draft != self._draft:
            self.undo_stack.push(Step(self._draft, draft, "take changes back"))

    def _replace(
        self, section: Section, rows: Iterable[Row], text: str, key: tuple[object, ...] = ()
    ) -> bool:
        return self._take(self._draft.with_rows(section, rows), text, key)

    def _take(self, after: Draft, text: str, key: tuple[object, ...]) -> bool:
        if after == self._draft or not self._takes(after):
            return False
        if not key:
            self.seal()
        self.undo_stack.push(Step(self._draft, after, text, (*key, self._seals) if key else ()))
        return True

    def _show(self, draft: Draft) -> None:
        self._draft = draft
        self._found = ()
        self._renew()
        self.changed.emit(draft)

    def _tell_refreshed(self) -> None:
        self.refreshed.emit()
        self.settled.emit()

    def _renew(self) -> None:
        self._check()
        self._tell_refreshed()

    def _check(self) -> None:
        checked = self._draft.checked(self._catalogue, self._taken_names)
        self._setup: ExperimentSetup | None = None
        self._problems: Problems | None = None
        known = checked.items if isinstance(checked, Problems) else ()
        clashes = [p for p in self._clashes if p not in self._found]
        more = [p for p in (*self._found, *clashes) if p not in known]
        if known or more:
            self._problems = Problems((*more, *known))
        else:
            assert isinstance(checked, ExperimentSetup)
            self._setup = checked
        self._doubts = doubts(self._draft, self._setup)
