"""The convergence plot: each trial by its objective, the best so far, what the model expects."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import convergence_trace, shown_value
from axdesk.core.trial import Trial, TrialSource, TrialStatus
from axdesk.gui.models.formatting import (
    counted,
    measured,
    number,
    parameter_decimals,
    parameter_value,
    with_unit,
)
from axdesk.gui.models.run_facts import (
    RunFacts,
    decimals_of,
    objective_decimals,
    objective_name,
    objective_text,
    objective_unit,
    objective_value,
    predicted_objective,
    shown_error,
    status_key,
)
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, type_font
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.trial_plot import Place, TrialPlotCard
from axdesk.gui.widgets.cards import EmptyState
from axdesk.gui.widgets.plots import cosmetic_pen, scatter, style_scatter

Z_95 = 1.96
"""Standard errors on either side of a 95 % interval."""

_ANTIALIASED_POINTS = 300
_FLOOR = 0.10
"""How far below the lowest value the floor lies, as a share of the values' range."""

_SPACE_FILLING = (TrialSource.CENTER, TrialSource.SOBOL)
_LEGEND = {
    "dot": "Done",
    "ring": "Limit not met",
    "hollow_dot": "Excluded",
    "diamond": "Running, predicted",
    "triangle": "Waits for you",
    "cross": "Failed",
    "small_cross": "Abandoned",
    "square": "Stopped early",
    "star": "Best",
    "left_out": "Filtered out",
}


class ConvergenceCard(TrialPlotCard):
    """The course of the experiment, trial by trial; with several objectives their hypervolume."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            "Convergence",
            selection,
            name="monitor.convergence",
            empty=EmptyState(
                "chart-dots", "No results yet", "The first finished trial starts the curve."
            ),
        )
        self._build_items()
        self._plot.on_restyle(self._restyle)

    def show_facts(self, facts: RunFacts) -> None:
        """Show the trials of an experiment."""
        self._facts = facts
        optimization = facts.optimization
        if optimization is None:
            self.places = {}
            self._content.hide()
            self._empty.show()
            self.set_sentence("")
            return
        unit = objective_unit(optimization)
        goal = "minimise" if optimization.objective.is_minimised else "maximise"
        name = objective_name(optimization)
        shown = name if len(name) <= 40 else name[:39] + "…"
        title, note = "Convergence", f"{shown} ({unit}), {goal}" if unit else f"{shown}, {goal}"
        if facts.hypervolumes is not None:
            title, note = "Hypervolume", f"of {len(optimization.objectives)} objectives"
        elif optimization.has_several:
            note += f"; the first of {len(optimization.objectives)} objectives"
        self.set_title(title, note)
        self._draw(facts, optimization)
        self.set_sentence(summary_sentence(facts, optimization))

    # drawing

    def _build_items(self) -> None:
        add = self._plot.item.addItem
        self._shade = pg.LinearRegionItem(movable=False)
        for line in self._shade.lines:
            line.hide()
        self._band_low, self._band_high = pg.PlotCurveItem(), pg.PlotCurveItem()
        self._band = pg.FillBetweenItem(self._band_low, self._band_high)
        self._model_line = pg.PlotCurveItem()
        self._model_line.setSegmentedLineMode("off")
        self._best_line = pg.PlotCurveItem()
        self._whiskers = pg.ErrorBarItem(x=np.array([]), y=np.array([]), height=np.array([]))
        for item in (self._shade, self._band, self._band_low, self._band_high, self._model_line,
                     self._best_line, self._whiskers):  # fmt: skip
            item.setZValue(-10)
            add(item, ignoreBounds=True)
        self._shade.setZValue(-30)
        self._band.setZValue(-20)
        for mark in ("left_out", "small_cross", "cross", "hollow_dot", "dot", "ring", "square",
                     "diamond", "triangle", "star", "selected"):  # fmt: skip
            self._items[mark] = scatter(mark)
            add(self._items[mark], ignoreBounds=True)
        self._texts: dict[str, Any] = {}
        for key, anchor in (
            ("start", (0, 0)),
            ("left", (1, 0)),
            ("best", (0, 1)),
            ("model", (0, 0)),
        ):
            self._texts[key] = pg.TextItem(anchor=anchor)
            add(self._texts[key], ignoreBounds=True)

    def _restyle(self) -> None:
        theme = current_theme()
        for mark, item in self._items.items():
            style_scatter(item, mark)
        self._shade.setBrush(theme.color("plot_shade"))
        self._band.setBrush(theme.band())
        none = cosmetic_pen("live", 0, Qt.PenStyle.NoPen)
        self._band_low.setPen(none)
        self._band_high.setPen(none)
        self._model_line.setPen(cosmetic_pen("live", 1.5, Qt.PenStyle.DashLine))
        self._best_line.setPen(cosmetic_pen("plot_ink", 2))
        self._whiskers.setData(pen=cosmetic_pen("live", 1.25))
        for key, tone, kind in (("start", "text2", "caption"), ("left", "text2", "caption"),
                                ("best", "text", "head"), ("model", "live", "head")):  # fmt: skip
            self._texts[key].setColor(theme.color(tone))
            font = type_font(kind)
            font.setPointSizeF(type_font("caption").pointSizeF())
            self._texts[key].setFont(font)

    def _draw(self, facts: RunFacts, optimization: OptimizationConfig) -> None:
        model = _model_trace(facts.trials, optimization)
        self.places, floor, top = _places(facts, optimization, model)
        has_points = bool(self.places)
        self._content.setVisible(has_points)
        self._empty.setVisible(not has_points)
        if not has_points:
            return
        self._draw_marks()
        self._plot.setAntialiasing(len(self.places) <= _ANTIALIASED_POINTS)
        waiting = [p for p in self.places.values() if p.sem is not None]
        self._whiskers.setData(
            x=np.array([p.x for p in waiting]),
            y=np.array([p.y for p in waiting]),
            height=np.array([2 * Z_95 * (p.sem or 0) for p in waiting]),
            beam=0.0,
        )
        last = max(t.index for t in facts.trials)
        self._draw_lines(facts, optimization, model, last)
        end = max(_last_index(facts), last, 1)
        self._draw_shade(facts.trials)
        self._plot.set_x_range(-0.6, end + 0.6, padding=0.0)
        self._plot.set_y_range(floor, top)
        left = max(facts.budget - len(facts.of_run), 0) if facts.run is not None else 0
        self._texts["left"].setText(f"{counted(left, 'trial')} left" if left else "")
        self._texts["left"].setPos(end + 0.5, top)
        self._texts["start"].setPos(-0.5, top)
        self._show_legend()

    def _draw_lines(
        self, facts: RunFacts, optimization: OptimizationConfig, model: "np.ndarray[Any, Any]",
        last: int,
    ) -> None:  # fmt: skip
        if facts.hypervolumes is None:
            trace = {
                p.trial_index: p.best_so_far
                for p in convergence_trace(facts.trials, optimization)
                if p.best_so_far is not None
            }
        else:
            trace = dict(facts.hypervolumes)
        x = [float(index) for index in trace]
        y = list(trace.values())
        if x:
            x.append(max(float(last), x[-1] + 0.5))
            y.append(y[-1])
        steps_x = np.repeat(x, 2)[1:] if x else np.array([])
        steps_y = np.repeat(y, 2)[:-1] if y else np.array([])
        self._best_line.setData(steps_x, steps_y)
        words = "best so far" if facts.hypervolumes is None else "reached so far"
        self._texts["best"].setText(words if x else "")
        self._band_low.setData(model[:, 0], model[:, 1] - Z_95 * model[:, 2])
        self._band_high.setData(model[:, 0], model[:, 1] + Z_95 * model[:, 2])
        self._model_line.setData(model[:, 0], model[:, 1])
        self._texts["model"].setText("model best ± 95 %" if len(model) else "")
        # Near the right edge the words stand before the end of the lines, else behind it.
        is_near_edge = last > 0.75 * max(_last_index(facts), 1)
        side, gap = (1.0, 0.0) if is_near_edge else (0.0, 0.3)
        self._texts["best"].setAnchor((side, 1.0))
        self._texts["model"].setAnchor((side, 0.0))
        if x:
            self._texts["best"].setPos(x[-1] + gap, y[-1])
        if len(model):
            level = min(model[-1, 1], y[-1]) if y else model[-1, 1]
            self._texts["model"].setPos(max(model[-1, 0], x[-1] if x else 0) + gap, level)

    def _draw_shade(self, trials: tuple[Trial, ...]) -> None:
        first_other = next(
            (t.index for t in trials if t.generation.source not in _SPACE_FILLING), None
        )
        count = len(trials) if first_other is None else first_other
        self._shade.setVisible(count > 0)
        self._shade.setRegion((-0.6, count - 0.5))
        self._texts["start"].setText("Random start" if count > 1 else "")

    def _show_legend(self) -> None:
        present = self._present_marks()
        entries = [(mark, word) for mark, word in _LEGEND.items() if mark in present]
        self._legend.set_entries(entries, "Trial number")

    def rows_of(self, trial: Trial) -> list[tuple[str, str]]:
        """Name and value of what is told of a trial under the pointer."""
        if self._facts is None or self._facts.optimization is None:
            return []
        return read_out_rows(trial, self._facts, self._facts.optimization)


def summary_sentence(facts: RunFacts, optimization: OptimizationConfig) -> str:
    """Say what the plot shows."""
    decimals = objective_decimals(facts)
    if facts.hypervolumes:
        return _hypervolume_sentence(list(facts.hypervolumes.values()))
    best = facts.best
    if best is None:
        if any(t.status is TrialStatus.COMPLETED for t in facts.trials):
            return "No finished trial keeps every limit yet."
        return "The first results are on their way." if facts.pending else ""
    value = objective_value(best, optimization)
    text = f"Best {objective_text(value or 0.0, optimization, decimals)} since #{best.index}."
    model = _model_trace(facts.trials, optimization)
    if not len(model):
        return text
    mean, sem = float(model[-1, 1]), float(model[-1, 2])
    expected = f"{number(mean, decimals)} ± {number(sem, decimals)}"
    expected = with_unit(expected, objective_unit(optimization))
    direction = "down to" if optimization.objective.is_minimised else "up to"
    within = " within the limits" if optimization.outcome_constraints else ""
    return f"{text} The model expects {direction} {expected}{within}."


def _hypervolume_sentence(volumes: list[float]) -> str:
    last = volumes[-1]
    recent = min(5, len(volumes) - 1)
    before = volumes[-1 - recent]
    if not last:
        return "No finished trial adds to the hypervolume yet."
    if not before:
        return f"Hypervolume {number(last)}."
    share = 100 * (last - before) / last
    if not share:
        return (
            f"Did not grow in the last {counted(recent, 'trial')}."
            if recent
            else (f"Hypervolume {number(last)}.")
        )
    return f"Grew by {share:.2g} % in the last {counted(recent, 'trial')}."


def read_out_rows(
    trial: Trial, facts: RunFacts, optimization: OptimizationConfig
) -> list[tuple[str, str]]:
    """Name and value of what is told of a trial under the pointer."""
    rows: list[tuple[str, str]] = []
    decimals = objective_decimals(facts)
    if trial.status is not TrialStatus.COMPLETED:
        _, expected = _values(trial, facts, optimization)
        if expected is not None:
            text = f"{number(expected[0], decimals)} ± {number(expected[1], decimals)}"
            rows.append(("Expected", with_unit(text, objective_unit(optimization))))
    for metric in optimization.metric_names:
        observation = trial.latest(metric)
        if observation is not None:
            digits = decimals_of(metric, facts)
            text = measured(observation.mean, digits, observation.sem)
            text += f" ± {number(observation.sem, digits)}" if observation.sem else ""
            rows.append((metric, with_unit(text, optimization.unit_of(metric))))
    if trial.reason:
        rows.append(("Reason", trial.reason.splitlines()[0][:60]))
    if facts.setup is not None:
        for parameter in facts.setup.search_space.parameters[:8]:
            value = trial.parameters.get(parameter.name)
            if value is not None:
                text = parameter_value(value, parameter_decimals(parameter))
                rows.append((parameter.name, with_unit(text, parameter.unit)))
    return rows


def _model_trace(
    trials: tuple[Trial, ...], optimization: OptimizationConfig
) -> "np.ndarray[Any, Any]":
    """Rows of (trial, model best, its standard error) in the operator's values; shape (n, 3).

    None with several objectives, also for trials from when there was one.
    """
    rows = (
        []
        if optimization.has_several
        else [
            (t.index, shown_value(best[0], optimization), shown_error(best[1], optimization))
            for t in trials
            if (best := t.generation.model_best) is not None
        ]
    )
    return np.array(rows, dtype=float).reshape(-1, 3)


def _places(
    facts: RunFacts, optimization: OptimizationConfig, model: "np.ndarray[Any, Any]"
) -> tuple[dict[int, Place], float, float]:
    """Where each trial stands, and the lowest and highest value that are shown."""
    places: dict[int, Place] = {}
    on_floor: list[tuple[int, str]] = []
    for trial in facts.trials:
        key = status_key(trial, facts)
        mark = STATUS_LOOKS[key].mark
        value, expected = _values(trial, facts, optimization)
        if trial.status in (TrialStatus.FAILED, TrialStatus.ABANDONED, TrialStatus.EARLY_STOPPED):
            on_floor.append((trial.index, mark or "small_cross"))
        elif value is not None:
            mark = "hollow_dot" if trial.is_excluded else mark
            mark = "star" if trial.index in facts.starred else mark
            places[trial.index] = Place(float(trial.index), value, mark or "dot")
        elif trial.status.is_pending and expected is not None:
            places[trial.index] = Place(
                float(trial.index), expected[0], mark or "diamond", expected[1]
            )
    levels = [p.y for p in places.values()]
    levels += [p.y + s * Z_95 * p.sem for p in places.values() if p.sem for s in (-1, 1)]
    if len(model):
        levels += [float(v) for v in np.concatenate(
            [model[:, 1] - Z_95 * model[:, 2], model[:, 1] + Z_95 * model[:, 2]])]  # fmt: skip
    low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
    span = (high - low) or abs(high) or 1.0
    high += 0.10 * span
    if on_floor:
        low -= _FLOOR * span
        places |= {i: Place(float(i), low, mark) for i, mark in on_floor}
    return places, low, high


def _values(
    trial: Trial, facts: RunFacts, optimization: OptimizationConfig
) -> tuple[float | None, tuple[float, float] | None]:
    """What a trial reached, and what was expected of it with its standard error."""
    if facts.hypervolumes is not None:
        return facts.hypervolumes.get(trial.index), None
    return objective_value(trial, optimization), predicted_objective(trial, optimization)


def _last_index(facts: RunFacts) -> int:
    """The index that the last trial of the budget will have."""
    before = len(facts.trials) - len(facts.of_run)
    return before + max(facts.budget, len(facts.of_run)) - 1
