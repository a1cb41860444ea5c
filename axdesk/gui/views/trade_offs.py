"""The trade-offs of several objectives: each trial by two of them, and the Pareto front."""

from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPen, QPolygonF

from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import (
    objective_scores,
    objective_thresholds,
    reference_of,
    shown_score,
)
from axdesk.core.trial import Trial
from axdesk.gui.models.formatting import counted, number
from axdesk.gui.models.monitor_options import MonitorOptions
from axdesk.gui.models.quantities import (
    Quantity,
    decimals,
    expected_objective,
    limits_of,
    objective_quantity,
)
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.views.trial_card import LEGEND, PlotCard, mark_of, told_of
from axdesk.gui.views.trial_chart import Place, TrialChart
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.cards import EmptyState
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.plots import swatch_brush
from axdesk.gui.widgets.scales import Scale

_LEGEND = {**LEGEND, "star": "Best trade-off", "dot": "Beaten"}
_TWO = 2


class TradeOffsChart(TrialChart):
    """One objective over another, in the operator's values.

    Attributes:
        line: x and y of the line around what the front dominates; only with two objectives.
        broken: (bound, whether values must not be above it) across and upright.
    """

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            selection, lambda index: told_of(index, self.facts),
            name="monitor.pareto", label="Best trade-offs",
        )  # fmt: skip
        self.facts: RunFacts | None = None
        self.line: tuple[list[float], list[float]] = ([], [])
        self.reference: tuple[float, float] | None = None
        self.reference_text = ""
        self.better: tuple[int, int] = (1, 1)
        self.broken: tuple[tuple[tuple[float, bool], ...], tuple[tuple[float, bool], ...]] = (
            (), (),
        )  # fmt: skip

    def paint_ground(self, painter: QPainter) -> None:
        """Paint what breaks a limit, what the front dominates, and where it is better."""
        theme = current_theme()
        painter.setClipRect(self.area)
        self._paint_broken(painter)
        points = [self.at(x, y) for x, y in zip(*self.line, strict=True)]
        if points:
            corner = points[0] if self.reference is None else self.at(*self.reference)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(swatch_brush("dominated"))
            painter.drawPolygon(QPolygonF([*points, corner]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("plot_ink"), 2))
            painter.drawPolyline(QPolygonF(points))
        painter.setClipping(False)
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        self._name_corner(painter)
        if self.reference is not None and points:
            self._name_reference(painter, self.at(*self.reference))

    def _paint_broken(self, painter: QPainter) -> None:
        across, upright = self.broken
        area, theme = self.area, current_theme()
        line = QPen(theme.color("plot_hollow"), 1, Qt.PenStyle.DotLine)
        for limits, is_across in ((across, True), (upright, False)):
            for bound, is_upper in limits:
                at = (
                    self.at(bound, self.y_scale.low).x()
                    if is_across
                    else self.at(self.x_scale.low, bound).y()
                )
                if is_across:
                    ends = (at, area.right()) if is_upper else (area.left(), at)
                    region = QRectF(ends[0], area.top(), ends[1] - ends[0], area.height())
                    edge = (QPointF(at, area.top()), QPointF(at, area.bottom()))
                else:
                    ends = (area.top(), at) if is_upper else (at, area.bottom())
                    region = QRectF(area.left(), ends[0], area.width(), ends[1] - ends[0])
                    edge = (QPointF(area.left(), at), QPointF(area.right(), at))
                region = region.intersected(area)
                if region.width() > 0 and region.height() > 0:
                    painter.fillRect(region, swatch_brush("broken"))
                painter.setPen(line)
                painter.drawLine(*edge)

    def _name_corner(self, painter: QPainter) -> None:
        arrows = {(1, 1): "↗", (-1, 1): "↖", (1, -1): "↘", (-1, -1): "↙"}
        across, up = self.better
        area, gap = self.area, px(4)
        x = area.right() - gap if across > 0 else area.left() + gap
        y = area.top() + gap if up > 0 else area.bottom() - gap
        text = f"better {arrows[self.better]}" if across > 0 else f"{arrows[self.better]} better"
        self.write(painter, text, [(x, y, float(across > 0), float(up < 0))], over_marks=False)

    def _name_reference(self, painter: QPainter, at: QPointF) -> None:
        arm = px(4)
        painter.setPen(QPen(current_theme().color("text2"), 2))
        painter.drawLine(at - QPointF(arm, 0), at + QPointF(arm, 0))
        painter.drawLine(at - QPointF(0, arm), at + QPointF(0, arm))
        self.write(painter, self.reference_text, [
            (at.x() - px(6), at.y() + px(4), 1, 0), (at.x() + px(6), at.y() + px(4), 0, 0),
            (at.x() - px(6), at.y() - px(4), 1, 1), (at.x() + px(6), at.y() - px(4), 0, 1),
        ], over_marks=False)  # fmt: skip


class TradeOffsCard(PlotCard):
    """Two of several objectives, which combos choose.

    Signals:
        options_changed: The operator chose other objectives; carries the options.
    """

    options_changed = Signal(object)
    chart: TradeOffsChart

    def __init__(self, selection: Selection) -> None:
        super().__init__(
            "Best trade-offs",
            TradeOffsChart(selection),
            EmptyState(
                "chart-dots", "No results yet", "The first finished trial is the first trade-off."
            ),
        )
        self._options = MonitorOptions()
        self._ranges: tuple[float, float, float, float] | None = None
        self._shown: tuple[Quantity, ...] = ()
        self._offered: tuple[Quantity, ...] = ()
        self._combos = {}
        for key, name in (("upright", "Upright"), ("across", "Across")):
            combo = ComboField(name=f"monitor.pareto.{key}", compact=True)
            combo.setAccessibleName(name)
            combo.chosen.connect(lambda chosen, key=key: self._choose(key, str(chosen)))
            self._combos[key] = combo
        self.add_action(self._combos["upright"])
        self.add_action(label("over", "small", "text2"))
        self.add_action(self._combos["across"])

    def set_options(self, options: MonitorOptions) -> None:
        """Show it as was chosen."""
        self._options = options
        if self._facts is not None:
            self.show_facts(self._facts)

    def _choose(self, key: str, chosen: str) -> None:
        if len(self._shown) != _TWO:
            return
        upright, across = (quantity.key for quantity in self._shown)
        # What the other combo shows changes places with it.
        if key == "upright":
            upright, across = chosen, upright if chosen == across else across
        else:
            upright, across = across if chosen == upright else upright, chosen
        self.set_options(replace(self._options, upright=upright, across=across))
        self.options_changed.emit(self._options)

    def show_facts(self, facts: RunFacts, changed: Collection[int] | None = None) -> None:
        """Show the trials of an experiment with several objectives.

        Args:
            facts: The experiment.
            changed: The trials that differ from the facts shown before; None for any.
        """
        before, self._facts, self.chart.facts = self._facts, facts, facts
        optimization = facts.optimization
        if optimization is None or not optimization.has_several:
            return
        shown = self._pair(optimization)
        if (
            changed is None or before is None or shown != self._shown
            or before.optimization != optimization
        ):  # fmt: skip
            places = {t.index: self._place(t, facts, shown) for t in facts.trials}
            self.chart.set_places({i: p for i, p in places.items() if p is not None})
            self._ranges = None
        else:
            found = map(facts.trial, {*changed, *(before.starred ^ facts.starred)})
            self.chart.put_places(
                {t.index: self._place(t, facts, shown) for t in found if t is not None}
            )
        self._shown = shown
        self._show_combos(optimization, shown)
        self.show_content(bool(self.chart.places))
        self.set_sentence(_sentence(facts, optimization))
        if self.chart.places:
            self._draw(facts, optimization, changed if self._ranges else None)

    def _pair(self, optimization: OptimizationConfig) -> tuple[Quantity, ...]:
        offered = [objective_quantity(i, optimization) for i in range(len(optimization.objectives))]
        by_key = {quantity.key: quantity for quantity in offered}
        upright = by_key.get(self._options.upright, offered[0])
        across = by_key.get(self._options.across, offered[1])
        if across == upright:
            across = offered[0] if upright == offered[1] else offered[1]
        return (upright, across)

    def _show_combos(self, optimization: OptimizationConfig, shown: tuple[Quantity, ...]) -> None:
        offered = tuple(
            objective_quantity(i, optimization) for i in range(len(optimization.objectives))
        )
        if offered != self._offered:
            self._offered = offered
            for combo in self._combos.values():
                combo.set_choices([Choice(q.key, q.head) for q in offered])
        for combo, quantity in zip(self._combos.values(), shown, strict=True):
            combo.set_value(quantity.key)

    def _draw(
        self, facts: RunFacts, optimization: OptimizationConfig, changed: Collection[int] | None
    ) -> None:
        chart, (upright, across) = self.chart, self._shown
        objectives = [optimization.objectives[q.place or 0] for q in (upright, across)]
        is_whole = len(optimization.objectives) == _TWO
        chart.reference = None
        if is_whole and facts.front:
            chart.reference, chart.reference_text = _reference(facts, optimization, self._shown)
        self._measure(changed)
        low_x, high_x, low_y, high_y = self._ranges or (0.0, 1.0, 0.0, 1.0)
        corner = (
            high_x if objectives[1].is_minimised else low_x,
            high_y if objectives[0].is_minimised else low_y,
        )
        if chart.reference is not None:
            xs, ys = [low_x, high_x, chart.reference[0]], [low_y, high_y, chart.reference[1]]
            low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)
            corner = chart.reference
        steps = (
            _stairs([chart.places[t.index] for t in facts.front if t.index in chart.places], corner)
            if is_whole
            else []
        )
        chart.line = ([x for x, _ in steps], [y for _, y in steps])
        chart.better = tuple(-1 if o.is_minimised else 1 for o in reversed(objectives))  # type: ignore[assignment]  # two of them
        chart.broken = (
            _limits(across, facts, optimization), _limits(upright, facts, optimization)
        )  # fmt: skip
        chart.set_scales(
            Scale(low_x, high_x).padded(0.08, 0.08), Scale(low_y, high_y).padded(0.08, 0.08)
        )
        self.show_legend()

    def _measure(self, changed: Collection[int] | None) -> None:
        """Find the ends of the values, or widen them by the trials that changed."""
        places = self.chart.places
        found = places.values() if changed is None else [places[i] for i in changed if i in places]
        ends = None if changed is None else self._ranges
        for place in found:
            y = place.y or 0.0
            low_x, high_x, low_y, high_y = ends or (place.x, place.x, y, y)
            ends = (min(low_x, place.x), max(high_x, place.x), min(low_y, y), max(high_y, y))
        if ends is not None:
            low_x, high_x, low_y, high_y = ends
            if low_x == high_x:
                low_x, high_x = _around(low_x)
            if low_y == high_y:
                low_y, high_y = _around(low_y)
            ends = (low_x, high_x, low_y, high_y)
        self._ranges = ends

    def _place(self, trial: Trial, facts: RunFacts, shown: tuple[Quantity, ...]) -> Place | None:
        """Where a trial stands: by its results, or while it runs by what the model expects."""
        optimization = facts.optimization
        if optimization is None:
            return None
        upright, across = (optimization.objectives[q.place or 0] for q in shown)
        scores = objective_scores(trial, optimization)
        if scores is not None:
            x = shown_score(scores[shown[1].place or 0], across)
            y = shown_score(scores[shown[0].place or 0], upright)
            return Place(x, y, mark_of(trial, facts))
        if not trial.status.is_pending:
            return None
        guesses = expected_objective(across, trial), expected_objective(upright, trial)
        if guesses[0] is None or guesses[1] is None:
            return None
        return Place(guesses[0][0], guesses[1][0], mark_of(trial, facts), guesses[1][1])

    def show_legend(self) -> None:
        """Explain the marks that there are."""
        present = self.chart.marks_present()
        entries = [(mark, word) for mark, word in _LEGEND.items() if mark in present]
        if any(self.chart.broken):
            entries.append(("broken", "Breaks a limit"))
        if self.chart.line[0]:
            entries.append(("dominated", "Hypervolume"))
        self._legend.set_entries(entries, self._shown[1].head if self._shown else "")


def _around(value: float) -> tuple[float, float]:
    reach = abs(value) * 0.1 or 1.0
    return value - reach, value + reach


def _limits(
    quantity: Quantity, facts: RunFacts, optimization: OptimizationConfig
) -> tuple[tuple[float, bool], ...]:
    """The limits of an objective's metric, thresholds included."""
    found = list(limits_of(quantity, facts))
    place = quantity.place or 0
    threshold = objective_thresholds(optimization)[place]
    if threshold is not None and not found:
        objective = optimization.objectives[place]
        found.append((shown_score(threshold, objective), objective.is_minimised))
    return tuple(found)


def _reference(
    facts: RunFacts, optimization: OptimizationConfig, shown: tuple[Quantity, ...]
) -> tuple[tuple[float, float], str]:
    """The point from which the hypervolume is counted, across and upright, and its words."""
    front = [s for t in facts.front if (s := objective_scores(t, optimization)) is not None]
    _ = facts.hypervolumes
    # The lowest scores stand for all the trials behind the front.
    reference = reference_of(optimization, [*front, facts.memo.lowest])
    values = []
    texts = []
    for quantity in reversed(shown):
        place = quantity.place or 0
        value = shown_score(reference[place], optimization.objectives[place])
        text = number(value, decimals(quantity, facts))
        values.append(value)
        texts.append(f"{text} {quantity.unit}".strip())
    return (values[0], values[1]), f"reference: {', '.join(texts)}"


def _stairs(front: list[Place], corner: tuple[float, float]) -> list[tuple[float, float]]:
    """The line around what a front dominates, from one worse end of the plot to the other."""
    if not front:
        return []
    # Going away from the worse end across, what is reached upright gets worse.
    ordered = sorted(front, key=lambda place: abs(place.x - corner[0]))
    points = [(corner[0], ordered[0].y or 0.0)]
    for place in ordered:
        points += [(points[-1][0], place.y or 0.0), (place.x, place.y or 0.0)]
    return [*points, (points[-1][0], corner[1])]


def _sentence(facts: RunFacts, optimization: OptimizationConfig) -> str:
    if facts.front:
        verb = "is" if len(facts.front) == 1 else "are"
        goals = "both goals" if len(optimization.objectives) == _TWO else "all goals"
        return f"{counted(len(facts.front), 'trial')} {verb} not beaten on {goals} at once."
    if any(objective_scores(t, optimization) is not None for t in facts.trials):
        return "No finished trial keeps every limit yet."
    return "The first results are on their way." if facts.pending else ""
