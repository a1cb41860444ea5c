"""The trials as a table: filtered and sorted here, since a proxy is too slow for many rows."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from axdesk.core.errors import UserInputError
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.filter_fields import FilterField
from axdesk.gui.models.run_facts import RunFacts, status_key
from axdesk.gui.models.trial_cells import Column, SortKey, TrialCells
from axdesk.gui.models.trial_fields import trial_fields
from axdesk.gui.models.trial_filter import TrialFilter, parse_filter
from axdesk.gui.models.trial_memo import replaced
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

ALL = "all"
"""The key of the filter that shows every trial."""

_MOST_SINGLE_STEPS = 200

_Texts = dict[int, tuple[Trial, str]]


class TrialsModel(QAbstractTableModel):
    """The trials of one experiment; the rows are the ones that the filters let through.

    A change of a trial costs what that trial costs: only its row is filtered, sorted in and told.

    Signals:
        about_to_arrange: Rows are going to come, go or move; carries whether what stands at the
            top of a view should stay there.
        arranged: They did.
        counted: The numbers of trials by status changed.
        shown_changed: Other trials are shown.
        fields_changed: Other columns can be asked for.
    """

    about_to_arrange = Signal(bool)
    arranged = Signal()
    counted = Signal()
    shown_changed = Signal()
    fields_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._cells = TrialCells()
        self._trials: dict[int, Trial] = {}
        self._shown: list[int] = []
        self._keys: dict[int, SortKey] = {}
        self._chips: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._starred: frozenset[int] = frozenset()
        self._pending: frozenset[int] = frozenset()
        self._words: _Texts = {}
        self._figures: _Texts = {}
        self._status_filter = ALL
        self._filter = TrialFilter("", lambda _: True)
        self._make_fields()
        self._sort_key = "index"
        self._order = Qt.SortOrder.DescendingOrder
        cells = self._cells
        self._roles: Mapping[int, Callable[[Column, Trial], object]] = {
            Qt.ItemDataRole.DisplayRole: _shown_text,
            Qt.ItemDataRole.TextAlignmentRole: lambda column, _: column.alignment,
            Qt.ItemDataRole.ToolTipRole: cells.tool_tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            Role.KEY: lambda _, trial: trial.index,
            Role.SORT: lambda column, trial: column.sort(trial),
            Role.STRONG: cells.is_strong,
            Role.UNCERTAINTY: cells.uncertainty_text,
            Role.OFF: lambda _, trial: trial.is_excluded,
        }

    # what the session tells

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show other facts of the same experiment; only what changed is told to the views."""
        cells = self._cells
        before, cells.facts, cells.now = cells.facts, facts, now
        starred, pending = self._starred, self._pending
        self._starred = facts.starred
        self._pending = frozenset(trial.index for trial in facts.pending)
        if _layout_of(before) != _layout_of(facts):
            self._trials = {t.index: t for t in facts.trials}
            self._start_anew()
            return
        changed = self._changed(before, facts)
        changed |= (starred ^ self._starred) | pending | self._pending
        is_widened = bool(changed) and cells.measure()
        if is_widened:
            self._make_fields()
            self._figures.clear()
        self._count(changed)
        self._take(changed)
        if is_widened:
            self._tell_changed(self._shown)
            self.fields_changed.emit()

    def _changed(self, before: RunFacts, facts: RunFacts) -> set[int]:
        """Take over the trials; return the indices of those that changed, came or went."""
        changes = replaced(before.trials, facts.trials)
        if changes is None:
            old, self._trials = self._trials, {t.index: t for t in facts.trials}
            return set(old) | set(self._trials)
        self._trials.update((trial.index, trial) for trial in changes[1])
        return {trial.index for trial in changes[1]}

    def tick(self, now: datetime) -> None:
        """Let the durations of running trials go on."""
        self._cells.now = now
        column = self.column_of("duration")
        for index in self._pending:
            row = self.row_of(index)
            if row is not None and self._trials[index].status is TrialStatus.RUNNING:
                cell = self.index(row, column)
                self.dataChanged.emit(cell, cell)
        if self._sort_key == "duration" or self._filter.text:
            self._take(set(self._pending))

    # what the operator asks for

    def set_status_filter(self, key: str) -> None:
        """Show only trials that look like `key` of `theme.STATUS_LOOKS`; `ALL` shows every one."""
        self._status_filter = key
        self._rearrange()

    def set_text_filter(self, text: str) -> None:
        """Show only trials that `text` asks for, in the language of `trial_filter`.

        Raises:
            ExpressionError: It is not understood; the filter stays what it was.
        """
        self._filter = parse_filter(text, self._fields, self._contains)
        self._rearrange()

    @property
    def status_filter(self) -> str:
        """The status shown, or `ALL`."""
        return self._status_filter

    @property
    def text_filter(self) -> str:
        """What is asked for by text."""
        return self._filter.text

    @property
    def fields(self) -> tuple[FilterField, ...]:
        """What the text filter can ask for."""
        return self._fields

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set."""
        return self._status_filter != ALL or bool(self._filter.text.strip())

    def shown_trials(self) -> frozenset[int]:
        """The trials that the filters let through."""
        return frozenset(self._shown)

    def counts(self) -> Mapping[str, int]:
        """How many trials look like each status; `ALL` counts every one."""
        return {ALL: len(self._trials), **self._counts}

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; missing values come last in both orders."""
        columns = self._cells.columns
        if 0 <= column < len(columns):
            self._sort_key = columns[column].key
            self._order = order
            self._rearrange(keeps_place=False)

    # what views ask for

    @property
    def sorting(self) -> tuple[int, Qt.SortOrder]:
        """The column that the rows are sorted by, and in which order."""
        return self._cells.columns.index(self._sort_column()), self._order

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in their usual order."""
        return self._cells.columns

    def column_of(self, key: str) -> int:
        """The number of the column called `key`."""
        return next(c for c, column in enumerate(self._cells.columns) if column.key == key)

    def trial_at(self, row: int) -> Trial | None:
        """The trial of a row."""
        return self._trials.get(self._shown[row]) if 0 <= row < len(self._shown) else None

    def row_of(self, trial_index: int) -> int | None:
        """The row of a trial; None if the filters hide it."""
        if trial_index not in self._keys:
            return None
        return self._place(self._keys[trial_index], trial_index)

    def rows_text(self, trials: Iterable[int], keys: Sequence[str] | None = None) -> str:
        """Write trials for the clipboard: heads, then a line each, with tabs between the cells.

        Args:
            trials: Their indices, in order.
            keys: The columns, in order; None for those that are usually shown. A result is
                followed by its standard error where one of the trials has any.
        """
        chosen = [self._trials[i] for i in trials]
        known = {column.key: column for column in self._cells.columns}
        if keys is None:
            keys = [column.key for column in self._cells.columns if column.is_shown]
        lines: list[list[str]] = [[] for _ in range(len(chosen) + 1)]
        for column in (known[key] for key in keys if key in known and key != "best"):
            lines[0].append(column.name)
            for line, trial in zip(lines[1:], chosen, strict=True):
                line.append((column.plain or column.text)(trial))
            sems = [self._plain_sem(column, trial) for trial in chosen]
            if any(sems):
                for line, sem in zip(lines, [f"sem of {column.name}", *sems], strict=True):
                    line.append(sem)
        return "\n".join("\t".join(line) for line in lines)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The trials that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The columns."""
        return 0 if parent.isValid() else len(self._cells.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """The columns' heads."""
        columns = self._cells.columns
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(columns):
            return None
        column = columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return "" if column.key == "best" else column.title
            case Qt.ItemDataRole.TextAlignmentRole:
                return column.alignment
            case Qt.ItemDataRole.ToolTipRole:
                return column.tip or column.name
            case Role.UNIT:
                return column.unit
            case Role.KEY:
                return column.key
            case _:
                return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell."""
        trial = self.trial_at(index.row()) if index.isValid() else None
        if trial is None:
            return None
        column = self._cells.columns[index.column()]
        if role in (Role.ICON, Role.ICON_TONE, Role.TONE):
            return self._cells.sign(column, trial).get(role)
        cell = self._roles.get(role)
        return None if cell is None else cell(column, trial)

    def _spoken(self, column: Column, trial: Trial) -> str:
        return f"{column.title}: {column.full_text(trial)}"

    @staticmethod
    def _plain_sem(column: Column, trial: Trial) -> str:
        if not column.key.startswith("metric:"):
            return ""
        observation = trial.latest(column.key.removeprefix("metric:"))
        return "" if observation is None or observation.sem is None else repr(observation.sem)

    # filters

    def prepare_search(self) -> None:
        """Write what words are looked for in, so that the first search need not."""
        for trial in self._trials.values():
            self._cell_text(trial, self._words, are_figures=False)
            self._cell_text(trial, self._figures, are_figures=True)

    def _make_fields(self) -> None:
        """Make the fields anew, and read the filter by them."""
        searched = [column for column in self._cells.columns if column.is_searched]
        self._word_writers = [c.full_text for c in searched if not c.is_figure]
        self._figure_writers = [c.full_text for c in searched if c.is_figure]
        self._fields = trial_fields(self._cells)
        try:
            self._filter = parse_filter(self._filter.text, self._fields, self._contains)
        except UserInputError:
            self._filter = TrialFilter("", lambda _: True)  # it asked for what there is no more

    def _contains(self, trial: Trial, word: str) -> bool:
        """Whether a cell contains a text, in lower case; no letters alone stand in figures."""
        if word in self._cell_text(trial, self._words, are_figures=False):
            return True
        has_digit = any(character.isdigit() for character in word)
        return has_digit and word in self._cell_text(trial, self._figures, are_figures=True)

    def _cell_text(self, trial: Trial, kept: _Texts, *, are_figures: bool) -> str:
        """The cells of words, or of figures, as they are searched; kept of a trial at rest."""
        known = kept.get(trial.index)
        if known is not None and known[0] is trial:
            return known[1]
        writers = self._figure_writers if are_figures else self._word_writers
        cells = [write(trial) for write in writers]
        text = "\n".join(cells).casefold().replace("−", "-").replace("\u00a0", " ")
        if not trial.status.is_pending:
            kept[trial.index] = (trial, text)
        return text

    def _passes(self, trial: Trial) -> bool:
        if self._status_filter not in (ALL, self._chips[trial.index]):
            return False
        return self._filter.passes(trial)

    def _count(self, changed: Iterable[int]) -> None:
        """Count trials that changed by what they look like now."""
        before = self._counts.copy()
        for index in changed:
            if (key := self._chips.pop(index, None)) is not None:
                self._counts[key] -= 1
            if (trial := self._trials.get(index)) is not None:
                key = status_key(trial, self._cells.facts)
                key = "completed" if key == "limit_not_met" else key
                self._chips[index] = key
                self._counts[key] += 1
        self._counts += Counter()  # drops those that are 0
        if self._counts != before:
            self.counted.emit()

    # rows

    def _start_anew(self) -> None:
        """Show other columns, and so every trial anew."""
        self.about_to_arrange.emit(True)
        self.beginResetModel()
        self._words.clear()
        self._figures.clear()
        self._chips.clear()
        self._counts.clear()
        self._cells.make_columns()
        self._cells.measure()
        self._make_fields()
        self._count(self._trials)
        self._shown = self._wanted()
        self.endResetModel()
        self.arranged.emit()
        self.shown_changed.emit()
        self.fields_changed.emit()

    def _sort_column(self) -> Column:
        columns = self._cells.columns
        return next((c for c in columns if c.key == self._sort_key), columns[1])

    def _wanted(self) -> list[int]:
        """Sort all trials that pass, and keep what each is sorted by."""
        sort = self._sort_column().sort
        self._keys = {t.index: sort(t) for t in self._trials.values() if self._passes(t)}
        # The newest first among equals, and missing values last, in both orders.
        newest = sorted(self._keys, reverse=True)
        keyed = [(key, i) for i in newest if (key := self._keys[i]) is not None]
        descending = self._order == Qt.SortOrder.DescendingOrder
        keyed.sort(key=lambda pair: _comparable(pair[0]), reverse=descending)
        return [i for _, i in keyed] + [i for i in newest if self._keys[i] is None]

    def _precedes(self, key: SortKey, index: int, other: int) -> bool:
        """Whether a trial sorted by `key` stands above one that is shown."""
        other_key = self._keys[other]
        if key is None or other_key is None:
            return index > other if key is other_key else other_key is None
        mine, its = _comparable(key), _comparable(other_key)
        if mine == its:
            return index > other
        return (mine > its) == (self._order == Qt.SortOrder.DescendingOrder)

    def _place(self, key: SortKey, index: int) -> int:
        """Where a trial sorted by `key` stands, or would."""
        low, high = 0, len(self._shown)
        while low < high:
            middle = (low + high) // 2
            other = self._shown[middle]
            if other != index and not self._precedes(key, index, other):
                low = middle + 1
            else:
                high = middle
        return low

    def _take(self, changed: set[int]) -> None:
        """Bring the rows of trials that changed to where they belong."""
        if len(changed) > _MOST_SINGLE_STEPS:
            self._rearrange()
        elif changed:
            self.about_to_arrange.emit(True)
            is_other = [self._take_one(index) for index in sorted(changed)]
            self.arranged.emit()
            if any(is_other):
                self.shown_changed.emit()
        self._tell_changed([index for index in changed if index in self._keys])

    def _take_one(self, index: int) -> bool:
        """Bring the row of a trial to where it belongs; return whether it came or went."""
        trial, row = self._trials.get(index), self.row_of(index)
        if trial is None or not self._passes(trial):
            if row is not None:
                self._remove(row)
            return row is not None
        key = self._sort_column().sort(trial)
        if row is None:
            self._insert(index, key)
        else:
            self._move(index, row, key)
        return row is None

    def _remove(self, row: int) -> None:
        self.beginRemoveRows(QModelIndex(), row, row)
        del self._keys[self._shown.pop(row)]
        self.endRemoveRows()

    def _insert(self, index: int, key: SortKey) -> None:
        row = self._place(key, index)
        self.beginInsertRows(QModelIndex(), row, row)
        self._shown.insert(row, index)
        self._keys[index] = key
        self.endInsertRows()

    def _move(self, index: int, row: int, key: SortKey) -> None:
        """Sort a row in again."""
        shown = self._shown
        is_above_next = row + 1 >= len(shown) or self._precedes(key, index, shown[row + 1])
        is_below_last = row == 0 or not self._precedes(key, index, shown[row - 1])
        if is_above_next and is_below_last:
            self._keys[index] = key
            return
        del shown[row]
        place = self._place(key, index)
        shown.insert(row, index)
        to = place if place <= row else place + 1
        self.beginMoveRows(QModelIndex(), row, row, QModelIndex(), to)
        del shown[row]
        shown.insert(place, index)
        self._keys[index] = key
        self.endMoveRows()

    def _rearrange(self, *, keeps_place: bool = True) -> None:
        """Bring all rows to what filters and sorting want."""
        before = self._keys
        wanted = self._wanted()
        if wanted == self._shown:
            return
        self.about_to_arrange.emit(keeps_place)
        is_other = self._keys.keys() != before.keys()
        if is_other:
            self.beginResetModel()
            self._shown = wanted
            self.endResetModel()
        else:
            self._reorder(wanted)
        self.arranged.emit()
        if is_other:
            self.shown_changed.emit()

    def _reorder(self, wanted: list[int]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        places = {index: row for row, index in enumerate(wanted)}
        after = [self.index(places[self._shown[i.row()]], i.column()) for i in before]
        self._shown = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _tell_changed(self, indices: Sequence[int]) -> None:
        rows = sorted(row for index in indices if (row := self.row_of(index)) is not None)
        last = self.columnCount() - 1
        if len(rows) > _MOST_SINGLE_STEPS:
            rows = list(range(rows[0], rows[-1] + 1))
        if len(rows) > 1 and len(rows) == rows[-1] - rows[0] + 1:
            self.dataChanged.emit(self.index(rows[0], 0), self.index(rows[-1], last))
            return
        for row in rows:
            self.dataChanged.emit(self.index(row, 0), self.index(row, last))


def _layout_of(facts: RunFacts) -> object:
    """What the columns, and the limits that trials are judged by, depend on."""
    setup = facts.setup
    return None if setup is None else (setup.search_space, setup.optimization, facts.optimization)


def _comparable(key: SortKey) -> tuple[int, float, str]:
    if isinstance(key, str):
        return 1, 0.0, key.casefold()
    return 0, 0.0 if key is None else key, ""


def _shown_text(column: Column, trial: Trial) -> str:
    return "" if column.key in ("best", "limits") else column.text(trial)
