"""The trials as a table: filtered and sorted here, since a proxy is too slow for many rows."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.outcomes import broken_limits
from axdesk.core.parameters import TParameterValue
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import (
    MISSING,
    duration,
    measured,
    number,
    parameter_decimals,
    parameter_value,
)
from axdesk.gui.models.run_facts import (
    SOURCE_WORDS,
    RunFacts,
    decimals_of,
    limit_text,
    seconds_running,
    status_key,
    status_word,
)
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

ALL = "all"
"""The key of the filter that shows every trial."""

_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CENTER = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
_MOST_SINGLE_STEPS = 200

SortKey = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, how a trial's cell is written, and what it is sorted by.

    Attributes:
        key: Stable name.
        title: In the head.
        text: The cell's text.
        sort: What the column is sorted by; None for a missing value.
        unit: In the head, lighter.
        alignment: Of head and cells.
        width: At a 16 pixel line; 0 takes the head's, a negative one at least its amount.
    """

    key: str
    title: str
    text: Callable[[Trial], str]
    sort: Callable[[Trial], SortKey]
    unit: str = ""
    alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    width: int = 100


class TrialsModel(QAbstractTableModel):
    """The trials of one experiment; the rows are the ones that the filters let through."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._facts = RunFacts(name="", state=RunState.DRAFT)
        self._now = datetime.now(UTC)
        self._trials: dict[int, Trial] = {}
        self._shown: list[int] = []
        self._starred: frozenset[int] = frozenset()
        self._decimals: dict[str, int | None] = {}
        self._status_filter = ALL
        self._text_filter = ""
        self._sort_key = "index"
        self._order = Qt.SortOrder.DescendingOrder
        self._cells: Mapping[int, Callable[[Column, Trial], object]] = {
            Qt.ItemDataRole.DisplayRole: _shown_text,
            Qt.ItemDataRole.TextAlignmentRole: lambda column, _: column.alignment,
            Qt.ItemDataRole.ToolTipRole: self._tool_tip,
            Qt.ItemDataRole.AccessibleTextRole: self._spoken,
            Role.KEY: lambda _, trial: trial.index,
            Role.SORT: lambda column, trial: column.sort(trial),
            Role.STRONG: self._is_strong,
            Role.UNCERTAINTY: self._uncertainty_text,
            Role.OFF: lambda _, trial: trial.is_excluded,
        }
        self._columns = self._make_columns()

    # what the session tells

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show other facts of the same experiment; only what changed is told to the views."""
        before, self._facts, self._now = self._facts, facts, now
        starred_before, self._starred = self._starred, facts.starred
        old = self._trials
        self._trials = {t.index: t for t in facts.trials}
        if _layout_of(before) != _layout_of(facts):
            self.beginResetModel()
            self._columns = self._make_columns()
            self._measure()
            self._shown = self._wanted()
            self.endResetModel()
            return
        widened = self._measure()
        changed = {i for i, t in self._trials.items() if old.get(i) is not t}
        changed |= starred_before ^ self._starred
        changed |= {t.index for t in facts.pending}
        self._rearrange()
        self._tell_changed(self._shown if widened else [i for i in self._shown if i in changed])

    def tick(self, now: datetime) -> None:
        """Let the durations of running trials go on."""
        self._now = now
        column = next(c for c, column in enumerate(self._columns) if column.key == "duration")
        for row, index in enumerate(self._shown):
            if self._trials[index].status is TrialStatus.RUNNING:
                cell = self.index(row, column)
                self.dataChanged.emit(cell, cell)

    # what the operator asks for

    def set_status_filter(self, key: str) -> None:
        """Show only trials that look like `key` of `theme.STATUS_LOOKS`; `ALL` shows every one."""
        self._status_filter = key
        self._rearrange()

    def set_text_filter(self, text: str) -> None:
        """Show only trials of which a cell contains every word of `text`."""
        self._text_filter = text
        self._rearrange()

    @property
    def status_filter(self) -> str:
        """The status shown, or `ALL`."""
        return self._status_filter

    def counts(self) -> Mapping[str, int]:
        """How many trials look like each status; `ALL` counts every one."""
        found = Counter(self._chip_key(trial) for trial in self._trials.values())
        return {ALL: len(self._trials), **found}

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; missing values come last in both orders."""
        if 0 <= column < len(self._columns):
            self._sort_key = self._columns[column].key
            self._order = order
            self._rearrange()

    # what views ask for

    def column_of(self, key: str) -> int:
        """The number of the column called `key`."""
        return next(c for c, column in enumerate(self._columns) if column.key == key)

    def widths(self) -> list[int]:
        """The columns' widths at a 16 pixel line."""
        return [column.width for column in self._columns]

    def trial_at(self, row: int) -> Trial | None:
        """The trial of a row."""
        return self._trials[self._shown[row]] if 0 <= row < len(self._shown) else None

    def row_of(self, trial_index: int) -> int | None:
        """The row of a trial; None if the filters hide it."""
        return self._shown.index(trial_index) if trial_index in self._shown else None

    def row_text(self, trial_index: int) -> str:
        """The cells of a trial with tabs between them, below the heads: for the clipboard."""
        trial = self._trials[trial_index]
        columns = [c for c in self._columns if c.key != "best"]
        heads = [f"{c.title} ({c.unit})" if c.unit else c.title for c in columns]
        cells = [self._full_text(c, trial).replace(" ± ", "\t") for c in columns]
        return "\t".join(heads) + "\n" + "\t".join(cells)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The trials that are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The columns."""
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Title, unit and alignment of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self._columns):
            return None
        column = self._columns[section]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return "" if column.key == "best" else column.title
            case Qt.ItemDataRole.TextAlignmentRole:
                return column.alignment
            case Qt.ItemDataRole.ToolTipRole:
                return f"{column.title} ({column.unit})" if column.unit else column.title
            case Role.UNIT:
                return column.unit
            case _:
                return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A cell."""
        trial = self.trial_at(index.row()) if index.isValid() else None
        if trial is None:
            return None
        column = self._columns[index.column()]
        if role in (Role.ICON, Role.ICON_TONE, Role.TONE):
            return self._sign(column, trial).get(role)
        cell = self._cells.get(role)
        return None if cell is None else cell(column, trial)

    # columns

    def _make_columns(self) -> list[Column]:
        columns = [
            Column("best", "Best", self._best_text, self._best_sort, alignment=_CENTER, width=34),
            Column("index", "#", lambda t: str(t.index), lambda t: float(t.index),
                   alignment=_RIGHT, width=48),
            Column("status", "Status", self._status_text, self._status_text, width=230),
            Column("source", "Source", _source_text, _source_text, width=108),
        ]  # fmt: skip
        setup = self._facts.setup
        if setup is not None:
            for parameter in setup.search_space.parameters:
                columns.append(self._parameter_column(parameter.name, parameter.unit))
            for metric in setup.optimization.metric_names:
                columns.append(self._metric_column(metric, setup.optimization.unit_of(metric)))
            if setup.optimization.outcome_constraints:
                columns.append(
                    Column("limits", "Limits", self._limits_text, self._limits_sort,
                           alignment=_CENTER, width=68)
                )  # fmt: skip
        return [
            *columns,
            Column("duration", "Duration", self._duration_text, self._duration_sort,
                   alignment=_RIGHT, width=88),
            Column("note", "Note", _note_text, lambda t: _note_text(t) or None, width=200),
        ]  # fmt: skip

    def _parameter_column(self, name: str, unit: str) -> Column:
        def value(trial: Trial) -> TParameterValue | None:
            return trial.parameters.get(name)

        def text(trial: Trial) -> str:
            found = value(trial)
            if found is None:
                return MISSING
            return parameter_value(found, self._decimals.get(f"parameter:{name}"))

        def sort(trial: Trial) -> SortKey:
            found = value(trial)
            return float(found) if isinstance(found, int | float) else found

        setup = self._facts.setup
        parameter = setup.search_space[name] if setup else None
        is_text = getattr(parameter, "parameter_type", "float") in ("str", "bool")
        alignment = Qt.AlignmentFlag.AlignVCenter | (
            Qt.AlignmentFlag.AlignLeft if is_text else Qt.AlignmentFlag.AlignRight
        )
        longest = max((len(str(v)) for v in getattr(parameter, "values", ())), default=0)
        return Column(f"parameter:{name}", name, text, sort, unit, alignment, -8 * longest - 24)

    def _metric_column(self, name: str, unit: str) -> Column:
        def value(trial: Trial) -> float | None:
            observation = trial.latest(name)
            return None if observation is None else observation.mean

        def text(trial: Trial) -> str:
            found = trial.latest(name)
            decimals = self._decimals.get(f"metric:{name}")
            return MISSING if found is None else measured(found.mean, decimals, found.sem)

        return Column(f"metric:{name}", name, text, value, unit, _RIGHT, -124)

    def _measure(self) -> bool:
        """Find the decimals of all columns; returns whether they changed."""
        setup = self._facts.setup
        decimals: dict[str, int | None] = {}
        if setup is not None:
            for parameter in setup.search_space.parameters:
                decimals[f"parameter:{parameter.name}"] = parameter_decimals(parameter)
            for metric in setup.optimization.metric_names:
                decimals[f"metric:{metric}"] = decimals_of(metric, self._facts)
        changed = decimals != self._decimals
        self._decimals = decimals
        return changed

    # cells

    def _best_text(self, trial: Trial) -> str:
        return "Best" if trial.index in self._starred else ""

    def _best_sort(self, trial: Trial) -> SortKey:
        return 0.0 if trial.index in self._starred else None

    def _status_text(self, trial: Trial) -> str:
        word = status_word(trial, self._facts, self._now)
        return f"{word}, excluded" if trial.is_excluded else word

    def _spoken(self, column: Column, trial: Trial) -> str:
        return f"{column.title}: {self._full_text(column, trial)}"

    def _is_strong(self, column: Column, trial: Trial) -> bool:
        is_figure = column.key == "index" or column.key.startswith("metric:")
        return is_figure and trial.index in self._starred

    def _uncertainty_text(self, column: Column, trial: Trial) -> str:
        if not column.key.startswith("metric:"):
            return ""
        return self._uncertainty(trial, column.key.removeprefix("metric:"))

    def _uncertainty(self, trial: Trial, metric: str) -> str:
        observation = trial.latest(metric)
        if observation is None or not observation.sem:
            return ""
        return f"± {number(observation.sem, self._decimals.get(f'metric:{metric}'))}"

    def _broken(self, trial: Trial) -> tuple[OutcomeConstraint, ...] | None:
        optimization = self._facts.optimization
        if optimization is None or trial.status is not TrialStatus.COMPLETED:
            return None
        return broken_limits(trial, optimization)

    def _limits_text(self, trial: Trial) -> str:
        broken = self._broken(trial)
        if broken is None:
            return ""
        return f"Not met: {', '.join(map(limit_text, broken))}" if broken else "Met"

    def _limits_sort(self, trial: Trial) -> SortKey:
        broken = self._broken(trial)
        return None if broken is None else float(len(broken))

    def _duration_text(self, trial: Trial) -> str:
        seconds = self._duration_sort(trial)
        return MISSING if not isinstance(seconds, float) else duration(seconds)

    def _duration_sort(self, trial: Trial) -> SortKey:
        if trial.started_at is None or status_key(trial, self._facts) == "not_known":
            return None
        return seconds_running(trial, self._now)

    def _full_text(self, column: Column, trial: Trial) -> str:
        text = column.text(trial)
        if column.key.startswith("metric:"):
            text += " " + self._uncertainty(trial, column.key.removeprefix("metric:"))
        return text.strip()

    def _tool_tip(self, column: Column, trial: Trial) -> str:
        if column.key in ("status", "note"):
            health = self._facts.unanswered.get(trial.index)
            told = (self._status_text(trial), health.reason) if health is not None else ()
            return "\n".join(part for part in (*told, trial.reason, trial.note) if part)
        if column.key.startswith("parameter:"):
            return str(trial.parameters.get(column.title, ""))
        return column.text(trial) if column.key == "limits" else ""

    def _sign(self, column: Column, trial: Trial) -> Mapping[int, str]:
        if column.key == "best" and trial.index in self._starred:
            return {Role.ICON: "star-filled", Role.ICON_TONE: "plot_best"}
        if column.key == "limits" and (broken := self._broken(trial)) is not None:
            icon_name, tone = ("x", "plot_hollow") if broken else ("check", "good")
            return {Role.ICON: icon_name, Role.ICON_TONE: tone}
        look = STATUS_LOOKS[status_key(trial, self._facts)]
        if column.key == "status":
            icon_name = "eye-off" if trial.is_excluded else look.icon
            return {Role.ICON: icon_name, Role.TONE: look.color}
        if column.key == "duration" and trial.status is TrialStatus.RUNNING:
            return {Role.TONE: "live" if look.color == "live" else "text2"}
        if column.key in ("source", "note", "duration"):
            return {Role.TONE: "text2"}
        return {}

    # rows

    def _chip_key(self, trial: Trial) -> str:
        key = status_key(trial, self._facts)
        return "completed" if key == "limit_not_met" else key

    def _passes(self, trial: Trial) -> bool:
        if self._status_filter not in (ALL, self._chip_key(trial)):
            return False
        words = self._text_filter.casefold().split()
        if not words:
            return True
        text = " ".join(self._full_text(c, trial) for c in self._columns).casefold()
        return all(word in text for word in words)

    def _wanted(self) -> list[int]:
        column = next((c for c in self._columns if c.key == self._sort_key), self._columns[1])
        passing = [trial for trial in self._trials.values() if self._passes(trial)]
        keyed = [(column.sort(trial), trial.index) for trial in passing]
        descending = self._order == Qt.SortOrder.DescendingOrder
        # The newest first among equals, and missing values last, in both orders.
        known = sorted(((k, i) for k, i in keyed if k is not None), key=lambda pair: -pair[1])
        known.sort(key=lambda pair: _comparable(pair[0]), reverse=descending)
        missing = sorted((i for k, i in keyed if k is None), reverse=True)
        return [index for _, index in known] + missing

    def _rearrange(self) -> None:
        """Bring the rows to what filters and sorting want, in the fewest steps."""
        wanted = self._wanted()
        if wanted == self._shown:
            return
        new, old = set(wanted), set(self._shown)
        if len(new ^ old) > _MOST_SINGLE_STEPS:
            self.beginResetModel()
            self._shown = wanted
            self.endResetModel()
            return
        for row in reversed(range(len(self._shown))):
            if self._shown[row] not in new:
                self.beginRemoveRows(QModelIndex(), row, row)
                del self._shown[row]
                self.endRemoveRows()
        self._reorder([index for index in wanted if index in old])
        for row, index in enumerate(wanted):
            if index not in old:
                self.beginInsertRows(QModelIndex(), row, row)
                self._shown.insert(row, index)
                self.endInsertRows()

    def _reorder(self, kept: list[int]) -> None:
        if kept == self._shown:
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        places = {index: row for row, index in enumerate(kept)}
        after = [self.index(places[self._shown[i.row()]], i.column()) for i in before]
        self._shown = kept
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _tell_changed(self, indices: Sequence[int]) -> None:
        rows = sorted(row for index in indices if (row := self.row_of(index)) is not None)
        last = len(self._columns) - 1
        if len(rows) > 1 and len(rows) == rows[-1] - rows[0] + 1:
            self.dataChanged.emit(self.index(rows[0], 0), self.index(rows[-1], last))
            return
        for row in rows:
            self.dataChanged.emit(self.index(row, 0), self.index(row, last))


def _layout_of(facts: RunFacts) -> object:
    """What the columns depend on."""
    setup = facts.setup
    return None if setup is None else (setup.search_space, setup.optimization)


def _comparable(key: SortKey) -> tuple[int, float, str]:
    if isinstance(key, str):
        return 1, 0.0, key.casefold()
    return 0, 0.0 if key is None else key, ""


def _shown_text(column: Column, trial: Trial) -> str:
    return "" if column.key in ("best", "limits") else column.text(trial)


def _source_text(trial: Trial) -> str:
    return SOURCE_WORDS[trial.generation.source]


def _note_text(trial: Trial) -> str:
    return trial.note or trial.reason
