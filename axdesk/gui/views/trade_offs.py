"""The trade-offs of several objectives: each trial by two of them, and the Pareto front."""

import pyqtgraph as pg

from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import objective_scores, shown_score
from axdesk.core.trial import Trial
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.run_facts import RunFacts, status_key
from axdesk.gui.models.selection import Selection
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.convergence import read_out_rows
from axdesk.gui.views.trial_plot import Place, TrialPlotCard
from axdesk.gui.widgets.cards import EmptyState
from axdesk.gui.widgets.plots import cosmetic_pen, scatter, style_scatter

_MARKS = ("left_out", "hollow_dot", "dot", "ring", "diamond", "triangle", "star", "selected")
_LEGEND = {
    "star": "Best trade-off",
    "dot": "Beaten",
    "ring": "Limit not met",
    "hollow_dot": "Excluded",
    "diamond": "Running, predicted",
    "triangle": "Waits for you",
    "left_out": "Filtered out",
}
_SHOWN = 2


class TradeOffsCard(TrialPlotCard):
    """The first objective over the second, in the operator's values.

    With two objectives a line bounds what the front dominates.

    Attributes:
        line: Its x and y.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            "Best trade-offs",
            selection,
            name="monitor.trade_offs",
            empty=EmptyState(
                "chart-dots", "No results yet", "The first finished trial is the first trade-off."
            ),
        )
        self.line: tuple[list[float], list[float]] = ([], [])
        self._line = pg.PlotCurveItem()
        self._line.setZValue(-10)
        self._plot.item.addItem(self._line, ignoreBounds=True)
        self._items |= {mark: scatter(mark) for mark in _MARKS}
        for item in self._items.values():
            self._plot.item.addItem(item, ignoreBounds=True)
        self._plot.on_restyle(self._restyle)

    def show_facts(self, facts: RunFacts) -> None:
        """Show the trials of an experiment with several objectives."""
        self._facts = facts
        optimization = facts.optimization
        if optimization is None or not optimization.has_several:
            return
        upright, across = optimization.objectives[:_SHOWN]
        note = f"{_head(upright, optimization)} over {_head(across, optimization)}"
        if len(optimization.objectives) > _SHOWN:
            note += f"; the first 2 of {len(optimization.objectives)} objectives"
        self.set_title("Best trade-offs", note)
        self.places = {t.index: p for t in facts.trials if (p := _place(t, facts)) is not None}
        self._content.setVisible(bool(self.places))
        self._empty.setVisible(not self.places)
        self.set_sentence(_sentence(facts, optimization))
        if self.places:
            self._draw(facts, optimization)

    def rows_of(self, trial: Trial) -> list[tuple[str, str]]:
        """Name and value of what is told of a trial under the pointer."""
        if self._facts is None or self._facts.optimization is None:
            return []
        return read_out_rows(trial, self._facts, self._facts.optimization)

    def _restyle(self) -> None:
        for mark, item in self._items.items():
            style_scatter(item, mark)
        self._line.setPen(cosmetic_pen("plot_ink", 2))

    def _draw(self, facts: RunFacts, optimization: OptimizationConfig) -> None:
        places = self.places.values()
        self._draw_marks()
        x_range, y_range = _range([p.x for p in places]), _range([p.y for p in places])
        self._plot.set_x_range(*x_range)
        self._plot.set_y_range(*y_range)
        upright, across = optimization.objectives[:_SHOWN]
        corner = (_worse_end(across, x_range), _worse_end(upright, y_range))
        is_whole = len(optimization.objectives) == _SHOWN
        steps = _stairs([self.places[t.index] for t in facts.front], corner) if is_whole else []
        self.line = ([x for x, _ in steps], [y for _, y in steps])
        self._line.setData(*self.line)
        present = self._present_marks()
        entries = [(mark, word) for mark, word in _LEGEND.items() if mark in present]
        self._legend.set_entries(entries, _head(across, optimization))


def _head(objective: Objective, optimization: OptimizationConfig) -> str:
    names = objective.metric_names
    unit = optimization.unit_of(names[0]) if len(names) == 1 else ""
    label = objective.label if len(objective.label) <= 24 else f"{objective.label[:23]}…"
    return f"{label} ({unit})" if unit else label


def _place(trial: Trial, facts: RunFacts) -> Place | None:
    """Where a trial stands: by its results, or while it runs by what the model expects."""
    optimization = facts.optimization
    if optimization is None:
        return None
    mark = STATUS_LOOKS[status_key(trial, facts)].mark
    scores = objective_scores(trial, optimization)
    if scores is not None:
        mark = "hollow_dot" if trial.is_excluded else mark or "dot"
        mark = "star" if trial.index in facts.starred else mark
    elif trial.status.is_pending:
        means = {p.metric: p.mean for p in trial.generation.predictions}
        shown = optimization.objectives[:_SHOWN]
        if any(name not in means for one in shown for name in one.metric_names):
            return None
        scores = tuple(one.score(means) for one in shown)
        mark = mark or "diamond"
    else:
        return None
    upright, across = optimization.objectives[:_SHOWN]
    return Place(shown_score(scores[1], across), shown_score(scores[0], upright), mark)


def _range(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = 0.08 * ((high - low) or abs(high) or 1.0)
    return low - margin, high + margin


def _worse_end(objective: Objective, ends: tuple[float, float]) -> float:
    return ends[1] if objective.is_minimised else ends[0]


def _stairs(front: list[Place], corner: tuple[float, float]) -> list[tuple[float, float]]:
    """The line around what a front dominates, from one worse end of the plot to the other."""
    if not front:
        return []
    # Going away from the worse end across, what is reached upright gets worse.
    ordered = sorted(front, key=lambda place: abs(place.x - corner[0]))
    points = [(corner[0], ordered[0].y)]
    for place in ordered:
        points += [(points[-1][0], place.y), (place.x, place.y)]
    return [*points, (points[-1][0], corner[1])]


def _sentence(facts: RunFacts, optimization: OptimizationConfig) -> str:
    if facts.front:
        verb = "is" if len(facts.front) == 1 else "are"
        goals = "both goals" if len(optimization.objectives) == _SHOWN else "all goals"
        return f"{counted(len(facts.front), 'trial')} {verb} not beaten on {goals} at once."
    if any(objective_scores(trial, optimization) is not None for trial in facts.trials):
        return "No finished trial keeps every limit yet."
    return "The first results are on their way." if facts.pending else ""
