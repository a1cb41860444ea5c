"""The experiments of the database as a list."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState
from axdesk.gui.models.formatting import (
    MISSING,
    UNNAMED,
    number,
    when,
    with_unit,
    written_limit,
)
from axdesk.gui.models.run_facts import RunFacts, objective_value
from axdesk.gui.theme import Look, run_state_look
from axdesk.gui.widgets.roles import Role

Index = QModelIndex | QPersistentModelIndex

SUMMARY_ROLE = Qt.ItemDataRole.UserRole + 100
"""The `ExperimentSummary` of a row."""


ACTIVE = frozenset(
    {
        RunState.STARTING,
        RunState.RUNNING,
        RunState.PAUSING,
        RunState.PAUSED,
        RunState.NEEDS_ATTENTION,
        RunState.STOPPING,
        RunState.INTERRUPTED,
    }
)
"""States of experiments that go on, or wait for the operator."""

_NEEDS_YOU = frozenset({RunState.NEEDS_ATTENTION, RunState.INTERRUPTED})
_FINISHED = frozenset({RunState.COMPLETED, RunState.STOPPED, RunState.FAILED})

_TARGET = re.compile(r"abs\(`?(.+?)`? ([-+]) (.+)\)")
"""How a distance from a target is written, such as `abs(pH - 7)`."""


class Show(StrEnum):
    """Which experiments a list shows."""

    ALL = "All"
    ACTIVE = "Active"
    FINISHED = "Finished"

    def has(self, summary: ExperimentSummary) -> bool:
        """Whether an experiment is among them."""
        match self:
            case Show.ALL:
                return True
            case Show.ACTIVE:
                return summary.state in ACTIVE
            case Show.FINISHED:
                return summary.state in _FINISHED


def look_of(summary: ExperimentSummary) -> Look:
    """Icon, colour and word of an experiment's state."""
    is_elsewhere = summary.controller and summary.state.is_live
    return run_state_look("elsewhere" if is_elsewhere else summary.state.value)


def progress_text(summary: ExperimentSummary) -> str:
    """How far an experiment is."""
    if summary.max_trials:
        return f"{summary.finished_trials} of {summary.max_trials}"
    return MISSING


def best_text(summary: ExperimentSummary) -> str:
    """The best value of an experiment with its unit."""
    if summary.best is None:
        return MISSING
    return with_unit(number(summary.best), summary.unit)


def goal_text(summary: ExperimentSummary) -> str:
    """What an experiment is about, within which limits, and who else runs it."""
    target = _TARGET.fullmatch(summary.objective)
    if summary.objectives > 1:
        goal = f"{summary.objectives} objectives"
    elif summary.is_minimised is None:
        goal = "No objective yet"
    elif target is not None:
        sign = "−" if target[2] == "+" else ""
        goal = f"Match {target[1]} {sign}{target[3]}"
    else:
        goal = "Minimise" if summary.is_minimised else "Maximise"
        goal = f"{goal} {summary.objective or 'a sum'}"
    goal = ", ".join((goal, *map(written_limit, summary.limits)))
    if summary.controller and summary.state.is_live:
        process, _, host = summary.controller.partition("@")
        goal += f"  ·  run by {host or process}"
    return goal


def _order(summary: ExperimentSummary) -> tuple[int, float, int]:
    """Sorts what needs the operator to the top, then what goes on, then the latest change.

    Experiments that go on change all the time; among them the newest stands first.
    """
    if summary.state in _NEEDS_YOU:
        return 0, 0.0, -summary.id
    if summary.state in ACTIVE:
        return 1, 0.0, -summary.id
    return 2, -summary.updated_at.timestamp(), -summary.id


class ExperimentsModel(QAbstractListModel):
    """One row an experiment or draft: first what needs the operator, then the latest change."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._summaries: list[ExperimentSummary] = []
        self._live: dict[int, RunFacts] = {}

    @property
    def summaries(self) -> tuple[ExperimentSummary, ...]:
        """What is shown."""
        return tuple(self._summaries)

    def summary_of(self, experiment_id: int) -> ExperimentSummary | None:
        """The summary with this id, or None."""
        return next((s for s in self._summaries if s.id == experiment_id), None)

    def row_of(self, experiment_id: int) -> int | None:
        """The row of an experiment, or None."""
        ids = [summary.id for summary in self._summaries]
        return ids.index(experiment_id) if experiment_id in ids else None

    def set_summaries(self, summaries: Sequence[ExperimentSummary]) -> None:
        """Show what the database says."""
        self._arrange([self._merged(summary) for summary in summaries])

    def show_facts(self, experiment_id: int, facts: RunFacts) -> None:
        """Show what the session of an experiment knows, which is newer than the database's list."""
        self._live[experiment_id] = facts
        if self.row_of(experiment_id) is not None:
            self._arrange([self._merged(summary) for summary in self._summaries])

    def forget_facts(self, experiment_id: int) -> None:
        """Show what the database says of an experiment whose session ended."""
        self._live.pop(experiment_id, None)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's signature
        """The experiments."""
        return 0 if parent.isValid() else len(self._summaries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """A row."""
        if not index.isValid() or not 0 <= index.row() < len(self._summaries):
            return None
        cell = _CELLS.get(role)
        return None if cell is None else cell(self._summaries[index.row()])

    def _arrange(self, summaries: list[ExperimentSummary]) -> None:
        """Show these in their order; a selection and the place scrolled to stay."""
        wanted = sorted(summaries, key=_order)
        ids = [summary.id for summary in wanted]
        known = [summary.id for summary in self._summaries]
        if set(ids) != set(known):
            self.beginResetModel()
            self._summaries = wanted
            self.endResetModel()
            return
        changed = [row for row, new in enumerate(wanted) if new != self._summaries[row]]
        if not changed:
            return
        if ids == known:
            self._summaries = wanted
            self.dataChanged.emit(self.index(changed[0]), self.index(changed[-1]))
            return
        self.layoutAboutToBeChanged.emit()
        before = self.persistentIndexList()
        rows = {experiment_id: row for row, experiment_id in enumerate(ids)}
        after = [self.index(rows[known[index.row()]]) for index in before]
        self._summaries = wanted
        self.changePersistentIndexList(before, after)
        self.layoutChanged.emit()

    def _merged(self, summary: ExperimentSummary) -> ExperimentSummary:
        facts = self._live.get(summary.id)
        if facts is None or facts.controller:
            return summary
        changes: dict[str, object] = {"name": facts.name, "state": facts.state, "controller": ""}
        if facts.run is not None:
            changes |= {"finished_trials": len(facts.finished), "max_trials": facts.budget}
        best, optimization = facts.best, facts.optimization
        if best is not None and optimization is not None:
            changes |= {
                "best": objective_value(best, optimization),
                "best_trial": best.index,
            }
        return replace(summary, **changes)  # type: ignore[arg-type]  # names checked by replace


class ExperimentFilter(QSortFilterProxyModel):
    """Lets through the experiments that a list shows and that have every word of a text.

    The words may stand in the name, the state or the goal.
    """

    def __init__(self, model: ExperimentsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show = Show.ALL
        self._words: list[str] = []
        self.setSourceModel(model)

    def set_show(self, show: Show) -> None:
        """Show all, or only some."""
        self._show = show
        self.invalidate()

    def set_text(self, text: str) -> None:
        """Show those with all words of `text`."""
        self._words = text.casefold().split()
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Whether a row passes."""
        summary = self.sourceModel().index(row, 0, parent).data(SUMMARY_ROLE)
        if not isinstance(summary, ExperimentSummary) or not self._show.has(summary):
            return False
        text = f"{_name(summary)} {look_of(summary).word} {goal_text(summary)}".casefold()
        return all(word in text for word in self._words)


def _name(summary: ExperimentSummary) -> str:
    return summary.name or UNNAMED


def _spoken(summary: ExperimentSummary) -> str:
    word, progress = look_of(summary).word, progress_text(summary)
    return f"{_name(summary)}, {word}, {progress}, best {best_text(summary)}"


def _tool_tip(summary: ExperimentSummary) -> str:
    changed = when(summary.updated_at, datetime.now(UTC))
    return f"{_name(summary)}\n{look_of(summary).word}, last changed {changed}"


def _second_line(summary: ExperimentSummary) -> str:
    says_more = summary.state in (RunState.INTERRUPTED, RunState.NEEDS_ATTENTION)
    has_run = bool(summary.max_trials)
    return progress_text(summary) if has_run and not says_more else look_of(summary).word


def _side(summary: ExperimentSummary) -> str:
    if not summary.max_trials:
        return ""
    is_cut = summary.state is RunState.INTERRUPTED
    return progress_text(summary) if is_cut else best_text(summary)


_CELLS: Mapping[int, Callable[[ExperimentSummary], object]] = {
    Qt.ItemDataRole.DisplayRole: _name,
    Qt.ItemDataRole.AccessibleTextRole: _spoken,
    Qt.ItemDataRole.ToolTipRole: _tool_tip,
    Role.KEY: lambda summary: summary.id,
    Role.ICON: lambda summary: look_of(summary).icon,
    Role.ICON_TONE: lambda summary: look_of(summary).color,
    Role.STRONG: lambda _: True,
    Role.SECOND_LINE: _second_line,
    Role.SIDE: _side,
    SUMMARY_ROLE: lambda summary: summary,
}
