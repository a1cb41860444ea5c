"""The convergence plot: each trial by its objective, the best so far, what the model expects."""

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QMenu

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import objective_scores
from axdesk.gui.models.course import Z_95, Course
from axdesk.gui.models.formatting import counted, number, with_unit
from axdesk.gui.models.monitor_options import MonitorOptions, XAxis
from axdesk.gui.models.quantities import (
    HYPERVOLUME,
    Quantity,
    decimals,
    limits_of,
    model_best,
    quantities,
    quantity_called,
)
from axdesk.gui.models.run_facts import (
    RunFacts,
    objective_decimals,
    objective_text,
    objective_unit,
    objective_value,
)
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.views.trial_card import LEGEND, PlotCard, mark_of, told_of
from axdesk.gui.views.trial_chart import Place, TrialChart
from axdesk.gui.widgets.buttons import Button, Choice
from axdesk.gui.widgets.cards import EmptyState
from axdesk.gui.widgets.chart import Labelling, strong_caption
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.scales import Scale, Scaling, Tick, count_ticks, roomy_end, time_ticks

_MODEL_WORDS = "model best ± 95 %"
_FEW = 300
"""Trials up to which the vertical scale follows the values closely."""
_X_WORDS = {
    XAxis.TRIAL: "Trial number",
    XAxis.FINISH: "In order of finishing",
    XAxis.TIME: "Time",
}


class ConvergenceChart(TrialChart):
    """The plot of a `Course`."""

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            selection, lambda index: told_of(index, self.facts),
            name="monitor.convergence", label="Convergence",
        )  # fmt: skip
        self.facts: RunFacts | None = None
        self.options = MonitorOptions()
        self.course = Course()
        self.quantity: Quantity | None = None
        self.left = 0

    def paint_ground(self, painter: QPainter) -> None:
        """Paint the space-filling part, what the model expected, limits and the best so far."""
        if self.quantity is None or self.facts is None:
            return
        theme, area = current_theme(), self.area
        start = self._start()
        if start is not None:
            painter.fillRect(start, theme.color("plot_shade"))
            self.repaint_hairlines(painter, start)
        if self.options.has_band and self.course.model:
            self._paint_model(painter)
        painter.setPen(QPen(theme.color("plot_hollow"), 1, Qt.PenStyle.DotLine))
        for bound, _ in limits_of(self.quantity, self.facts):
            if 0.0 <= self.y_scale.share(bound) <= 1.0:
                y = self.at(0.0, bound).y()
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        steps = self._step_line()
        if steps:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("plot_ink"), 2))
            painter.drawPolyline(QPolygonF(steps))
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        if self.left:
            self.write(painter, f"{counted(self.left, 'trial')} left",
                       [(area.right() - px(2), area.top() + px(2), 1, 0)])  # fmt: skip
        word = self.name_of_start()
        if start is not None and word:
            self.write(painter, word, [(start.left() + px(4), start.top() + px(2), 0, 0)])
        if not self.is_small:
            painter.setFont(strong_caption())
            self._name_lines(painter, steps)

    def _start(self) -> QRectF | None:
        """The space-filling part."""
        ends = self.course.start_ends
        if ends is None:
            return None
        beyond = 0.5 if self.options.x is not XAxis.TIME else 0.0
        right = min(self.at(ends + beyond, self.y_scale.low).x(), self.area.right())
        area = self.area
        return QRectF(area.left(), area.top(), right - area.left(), area.height())

    def name_of_start(self) -> str:
        """What is written into the space-filling part; empty where nothing fits."""
        start, metrics = self._start(), QFontMetricsF(type_font("caption"))
        room = 0.0 if start is None or self.is_small else start.width() - px(6)
        words = ("Random start", "Start")
        return next((word for word in words if metrics.horizontalAdvance(word) <= room), "")

    @property
    def name_of_steps(self) -> str:
        """What the line of the best is called."""
        is_volume = self.quantity is not None and self.quantity.key == HYPERVOLUME
        return "reached so far" if is_volume else "best so far"

    def _paint_model(self, painter: QPainter) -> None:
        theme, rows = current_theme(), self.course.model
        # More than one for some pixels cannot be seen.
        stride = max(int(len(rows) * 3 / max(self.area.width(), 1.0)), 1)
        shown = [*rows[:-1:stride], rows[-1]]
        x_of = self.x_scale.onto(self.area.left(), self.area.right())
        y_of = self.y_scale.onto(self.area.bottom(), self.area.top())
        # Far outside is as good as outside, and does not overflow.
        least, most = self.area.top() - 1e4, self.area.bottom() + 1e4

        def at(x: float, y: float) -> QPointF:
            return QPointF(x_of(x), min(max(y_of(y), least), most))

        painter.setClipRect(self.area)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, len(shown) <= _FEW)
        above = [at(x, mean + Z_95 * sem) for x, mean, sem in shown]
        below = [at(x, mean - Z_95 * sem) for x, mean, sem in shown]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.band())
        painter.drawPolygon(QPolygonF([*above, *reversed(below)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("live"), 1.5, Qt.PenStyle.DashLine))
        painter.drawPolyline(QPolygonF([at(x, mean) for x, mean, _ in shown]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipping(False)

    def _step_line(self) -> list[QPointF]:
        points: list[QPointF] = []
        for x, value in self.course.steps:
            here = self.at(x, value)
            if points:
                points.append(QPointF(here.x(), points[-1].y()))
            points.append(here)
        if points:
            points.append(
                QPointF(self.at(self.course.last_x, self.y_scale.low).x(), points[-1].y())
            )
        return points

    def _name_lines(self, painter: QPainter, steps: Sequence[QPointF]) -> None:
        """Name the lines behind their ends, or where there is no room, before them."""
        theme, gap, few = current_theme(), px(8), px(2)
        if steps and self.quantity is not None:
            end = steps[-1]
            painter.setPen(theme.color("text"))
            self.write(painter, self.name_of_steps, [
                (end.x() + gap, end.y(), 0, 0.9), (end.x() + gap, end.y(), 0, 0.1),
                (end.x() - gap, end.y() - few, 1, 1), (end.x() - gap, end.y() + few, 1, 0),
                (self.area.right(), end.y() - few, 1, 1), (self.area.right(), end.y() + few, 1, 0),
            ])  # fmt: skip
        if self.options.has_band and self.course.model:
            x, mean, _ = self.course.model[-1]
            end = self.at(max(x, self.course.last_x), mean)
            right = self.area.right()
            painter.setPen(theme.color("live"))
            self.write(painter, _MODEL_WORDS, [
                (end.x() + gap, end.y(), 0, 0), (end.x() + gap, end.y() + px(14), 0, 0),
                (end.x() + gap, end.y() - px(14), 0, 1),
                (end.x() - gap, end.y() + few, 1, 0), (end.x() - gap, end.y() - few, 1, 1),
                (right, end.y() + few, 1, 0), (right, end.y() + px(18), 1, 0),
                (right, end.y() - px(18), 1, 1), (right, self.area.bottom() - px(2), 1, 1),
            ])  # fmt: skip


class ConvergenceCard(PlotCard):
    """The course of the experiment; with several objectives at first their hypervolume.

    Signals:
        options_changed: The operator chose otherwise under *View options*; carries the options.
    """

    options_changed = Signal(object)
    chart: ConvergenceChart

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            "Convergence",
            ConvergenceChart(selection),
            EmptyState(
                "chart-dots", "No results yet", "The first finished trial starts the curve."
            ),
        )
        self._combo = ComboField(name="monitor.convergence.objective", compact=True)
        self._combo.setAccessibleName("What is shown")
        self._combo.chosen.connect(lambda key: self._choose(quantity=str(key)))
        self._offered: tuple[Quantity, ...] = ()
        self._options_button = Button(
            "View options", "adjustments-horizontal", kind="icon",
            name="monitor.convergence.options",
        )  # fmt: skip
        self._options_button.setMenu(self._build_menu())
        self.add_action(self._combo)
        self.add_action(self._options_button)
        self.set_options(MonitorOptions())

    # what is chosen

    def _build_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName("monitor.convergence.menu")
        menu.addSection("Along the axis")
        group = QActionGroup(menu)
        self._x_actions: dict[XAxis, QAction] = {}
        for axis, word in _X_WORDS.items():
            action = menu.addAction(word)
            action.setObjectName(f"monitor.convergence.x.{axis}")
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, axis=axis: self._choose(x=axis))
            group.addAction(action)
            self._x_actions[axis] = action
        menu.addSeparator()
        self._switches: dict[str, QAction] = {}
        for key, word in (
            ("is_log", "Logarithmic scale"),
            ("has_band", "What the model expects"),
            ("has_failed", "Trials without a result"),
        ):
            action = menu.addAction(word)
            action.setObjectName(f"monitor.convergence.{key.partition('_')[2]}")
            action.setCheckable(True)
            action.triggered.connect(lambda is_on, key=key: self._choose(**{key: is_on}))
            self._switches[key] = action
        return menu

    def _choose(self, **changes: object) -> None:
        options = replace(self.chart.options, **changes)  # type: ignore[arg-type]  # by name
        self.set_options(options)
        self.options_changed.emit(options)

    def set_options(self, options: MonitorOptions) -> None:
        """Show it as was chosen."""
        self.chart.options = options
        self._x_actions[options.x].setChecked(True)
        for key, action in self._switches.items():
            action.setChecked(getattr(options, key))
        if self._facts is not None:
            self.show_facts(self._facts)

    # what is shown

    def show_facts(
        self, facts: RunFacts, now: datetime | None = None, changed: Collection[int] | None = None
    ) -> None:
        """Show the trials of an experiment.

        Args:
            facts: The experiment.
            now: Aware; None for this moment.
            changed: The trials that differ from the facts shown before; None for any.
        """
        before, self._facts, self.chart.facts = self._facts, facts, facts
        optimization = facts.optimization
        quantity = quantity_called(self.chart.options.quantity, facts)
        self._options_button.setEnabled(optimization is not None)
        if optimization is None or quantity is None:
            self.chart.set_places({})
            self.show_content(False)
            self.set_sentence("")
            return
        self._offer(facts, quantity)
        is_volume = quantity.key == HYPERVOLUME
        self.set_title("Hypervolume" if is_volume else "Convergence", _note(quantity, facts))
        self.chart.setAccessibleName(self._title.text())
        if before is None or quantity != self.chart.quantity:
            changed = None
        self.chart.quantity = quantity
        self._draw(facts, quantity, now or datetime.now(UTC), changed, before)
        self.set_sentence(course_sentence(facts, optimization, quantity, self.chart.course))

    def _offer(self, facts: RunFacts, quantity: Quantity) -> None:
        offered = quantities(facts)
        if offered != self._offered:
            self._offered = offered
            self._combo.set_choices([Choice(q.key, q.head) for q in offered])
            self._combo.setVisible(len(offered) > 1)
        if self._combo.currentData() != quantity.key:
            self._combo.set_value(quantity.key)

    def _draw(
        self, facts: RunFacts, quantity: Quantity, now: datetime,
        changed: Collection[int] | None, before: RunFacts | None,
    ) -> None:  # fmt: skip
        chart = self.chart
        moved = chart.course.show(facts, quantity, chart.options, now, changed)
        self.show_content(bool(chart.course.spots))
        chart.left = max(facts.budget - len(facts.of_run), 0) if facts.run is not None else 0
        self._scale(facts, quantity, now)
        if moved is None or before is None:
            chart.set_places(
                {i: p for i in chart.course.spots if (p := self._place(i, facts)) is not None}
            )
        else:
            stars = before.starred ^ facts.starred
            chart.put_places({i: self._place(i, facts) for i in {*moved, *stars}})
        self.show_legend()

    def _place(self, index: int, facts: RunFacts) -> Place | None:
        spot = self.chart.course.spots.get(index)
        trial = facts.trial(index)
        if spot is None or trial is None:
            return None
        if spot.y is None and not self.chart.options.has_failed:
            return None
        return Place(spot.x, spot.y, mark_of(trial, facts), spot.sem)

    def _scale(self, facts: RunFacts, quantity: Quantity, now: datetime) -> None:
        chart, course = self.chart, self.chart.course
        x, x_ticks = self._x_scale(facts, now)
        pending = [course.spots[t.index] for t in facts.pending if t.index in course.spots]
        levels = list(course.values or ())
        levels += [bound for bound, _ in limits_of(quantity, facts)] if levels else []
        is_positive = all(level > 0 for level in levels)
        for spot in pending:
            if spot.y is not None and spot.sem is not None:
                levels += [spot.y - Z_95 * spot.sem, spot.y + Z_95 * spot.sem]
        if chart.options.has_band:
            levels += course.reach or ()
        floor = 0.10 if chart.options.has_failed and course.has_unmeasured else 0.0
        y = value_scale(
            levels, is_log=chart.options.is_log, is_positive=is_positive,
            smallest=course.smallest, floor=floor,
        )  # fmt: skip
        if len(course.spots) > _FEW and chart.y_scale.low <= y.low and y.high <= chart.y_scale.high:
            roomy = Scale(y.low, y.high, y.scaling, y.linear_below)
            is_alike = (chart.y_scale.scaling, chart.y_scale.linear_below) == (
                y.scaling,
                y.linear_below,
            )
            # A little more room than needed spares painting thousands of marks anew.
            if is_alike and roomy.share(chart.y_scale.high) - roomy.share(chart.y_scale.low) < 1.5:
                y = chart.y_scale
        chart.set_scales(x, y, x_ticks=x_ticks)

    def _x_scale(self, facts: RunFacts, now: datetime) -> tuple[Scale, Labelling]:
        course, axis = self.chart.course, self.chart.options.x
        if axis is XAxis.TIME:
            first = min(course.first_x, now.timestamp())
            span = max(course.last_x - first, 60.0)
            step = 10.0 ** math.floor(math.log10(span)) / 4
            last = first + math.ceil(span / step) * step
            margin = (last - first) * 0.02

            def moments(most: int) -> list[Tick]:
                found = time_ticks(_moment(first), _moment(last), most)
                return [(moment.timestamp(), text) for moment, text in found]

            return Scale(first - margin, last + margin), moments
        end = max(_last_index(facts), int(course.last_x), 1)
        if end > _FEW and len(facts.of_run) >= facts.budget:
            # A little more room than needed spares painting thousands of marks anew.
            end = roomy_end(end)

        def numbers(most: int) -> list[Tick]:
            return count_ticks(0.0, float(end), most)

        return Scale(-0.6, end + 0.6), numbers

    def show_legend(self) -> None:
        """Explain the marks that there are."""
        present = self.chart.marks_present()
        entries = [(mark, word) for mark, word in LEGEND.items() if mark in present]
        course = self.chart.course
        if course.start_ends is not None and self.chart.name_of_start() != "Random start":
            entries.append(("shade", "Random start"))
        if self.chart.is_small and course.model and self.chart.options.has_band:
            entries.insert(0, ("live_line", _MODEL_WORDS))
        if self.chart.is_small and course.steps:
            entries.insert(0, ("ink_line", self.chart.name_of_steps))
        self._legend.set_entries(entries, _X_WORDS[self.chart.options.x])


def value_scale(
    levels: Sequence[float], *, is_log: bool, is_positive: bool, smallest: float, floor: float
) -> Scale:
    """The vertical scale of values.

    Args:
        levels: What it has to reach, finite.
        is_log: Whether by powers of ten; where not all values are above 0, on both sides of it.
        is_positive: Whether all observed values are above 0.
        smallest: The smallest size of a value that is not 0.
        floor: Share of its length to add below, for marks without a value.
    """
    if is_log and is_positive and levels:
        # What the model holds for possible may reach below 0; the axis cannot.
        kept = [max(level, smallest / 10) for level in levels]
        low, high = min(kept), max(kept)
        if not high > low * 1.0001:
            low, high = low / 2, high * 2
        return Scale(low, high, Scaling.LOG).padded(0.04 + floor, 0.10)
    low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        reach = abs(high) * 0.1 or 1.0
        low, high = low - reach, high + reach
    if is_log and levels:
        below = max(smallest, max(abs(low), abs(high)) * 1e-6)
        return Scale(low, high, Scaling.SYMMETRIC, below).padded(0.04 + floor, 0.10)
    if low < high and math.isfinite(high - low):
        step = linear_step(low, high)
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    return Scale(low, high).padded(0.04 + floor, 0.10)


def linear_step(low: float, high: float) -> float:
    """A round step, about a fortieth of the way between two values."""
    rough = (high - low) / 40
    return float(10.0 ** math.floor(math.log10(rough))) if rough > 0 else 1.0


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _note(quantity: Quantity, facts: RunFacts) -> str:
    optimization = facts.optimization
    if optimization is None:
        return ""
    if quantity.key == HYPERVOLUME:
        return f"of {len(optimization.objectives)} objectives"
    if quantity.place is None:
        return ""
    goal = optimization.objectives[quantity.place]
    word = "minimise" if goal.is_minimised else "maximise"
    return word if len(quantities(facts)) > 1 else f"{quantity.head}, {word}"


def course_sentence(
    facts: RunFacts, optimization: OptimizationConfig, quantity: Quantity, course: Course
) -> str:
    """Say what the plot shows."""
    if quantity.key == HYPERVOLUME or (quantity.place == 0 and not optimization.has_several):
        return summary_sentence(facts, optimization)
    digits = decimals(quantity, facts)
    if course.values is None:
        return "The first results are on their way." if facts.pending else ""
    low, high = (with_unit(number(v, digits), quantity.unit) for v in course.values)
    if quantity.place is None or not course.steps:
        return f"From {low} to {high}."
    return f"Best {with_unit(number(course.steps[-1][1], digits), quantity.unit)} by itself."


def summary_sentence(facts: RunFacts, optimization: OptimizationConfig) -> str:
    """Say what the usual plot shows."""
    if facts.hypervolumes:
        return _hypervolume_sentence(list(facts.hypervolumes.values()))
    best = facts.best
    if best is None:
        if any(objective_scores(t, optimization) is not None for t in facts.trials):
            return "No finished trial keeps every limit yet."
        return "The first results are on their way." if facts.pending else ""
    digits = objective_decimals(facts)
    value = objective_value(best, optimization)
    text = f"Best {objective_text(value or 0.0, optimization, digits)} since #{best.index}."
    quantity = quantity_called("", facts)
    latest = next(
        (guess for trial in reversed(facts.trials)
         if quantity is not None and (guess := model_best(quantity, trial, facts)) is not None),
        None,
    )  # fmt: skip
    if latest is None:
        return text
    expected = f"{number(latest[0], digits)} ± {number(latest[1], digits)}"
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
    if not before or not recent:
        return f"Hypervolume {number(last)}."
    share = 100 * (last - before) / last
    if not share:
        return f"Did not grow in the last {counted(recent, 'trial')}."
    return f"Grew by {share:.2g} % in the last {counted(recent, 'trial')}."


def _last_index(facts: RunFacts) -> int:
    """The index that the last trial of the budget will have."""
    before = len(facts.trials) - len(facts.of_run)
    return before + max(facts.budget, len(facts.of_run)) - 1
