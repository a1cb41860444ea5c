"""A strip for each parameter: the value that every trial had, between the bounds of its time."""

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from axdesk.core.draft_cells import value_text
from axdesk.core.outcomes import objective_score, shown_value
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Trial
from axdesk.gui.models.formatting import number
from axdesk.gui.models.quantities import Quantity, decimals, objective_quantity
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, px, theme_manager
from axdesk.gui.views.trial_card import mark_of, told_of
from axdesk.gui.views.trial_chart import Place, Told, TrialChart
from axdesk.gui.widgets.cards import Card, EmptyState, Surface
from axdesk.gui.widgets.labels import ElidedLabel
from axdesk.gui.widgets.plots import ColorScale
from axdesk.gui.widgets.scales import Scale, Scaling, Tick, count_ticks, plain_number, roomy_end

_ROOM_FOR_TWO = 270
"""Width of the card from which two strips stand beside each other."""
_MOST_LANES = 12

Bounds = tuple[int, float, float]
"""From this trial on, the lowest and the highest value that was allowed."""


class StripChart(TrialChart):
    """One parameter's values by trial."""

    def __init__(self, parameter: ParameterConfig, selection: Selection, card: "ParametersCard"):
        super().__init__(
            selection, card.told, name=f"monitor.parameters.{parameter.name}",
            label=f"{parameter.name} by trial"
        )  # fmt: skip
        self.parameter = parameter
        self.bounds: list[Bounds] = []
        self.lanes: dict[TParameterValue, int] = {}
        self.ends: tuple[float, float] | None = None
        self.last = 1.0

    def value_of(self, trial: Trial) -> float | None:
        """Where a trial's value lies; None for one that has no such parameter."""
        value = trial.parameters.get(self.parameter.name)
        if value is None:
            return None
        if isinstance(self.parameter, ChoiceParameterConfig):
            return float(self.lanes.setdefault(value, len(self.lanes)))
        return float(value) if isinstance(value, int | float) else None

    def begin(self, spaces: Sequence[tuple[int, SearchSpace]]) -> None:
        """Forget all trials; take the bounds of the search spaces, each from a trial on."""
        self.ends, self.bounds, self.lanes = None, [], {}
        for first, space in spaces:
            found = next((p for p in space.parameters if p.name == self.parameter.name), None)
            if isinstance(found, ChoiceParameterConfig):
                for value in found.values:
                    self.lanes.setdefault(value, len(self.lanes))
            elif isinstance(found, RangeParameterConfig):
                low, high = map(float, found.bounds)
                if not self.bounds or self.bounds[-1][1:] != (low, high):
                    self.bounds.append((first, low, high))
        self.setMinimumHeight(px(max(58, 17 * min(len(self.lanes), _MOST_LANES) + 14)))

    def widen(self, value: float) -> None:
        """Leave room for a value."""
        low, high = self.ends or (value, value)
        self.ends = (min(low, value), max(high, value))

    def rescale(self, end: float, *, shows_x: bool) -> None:
        """Show trials up to `end`, and every value from one bound to the other."""
        self.last = end
        if isinstance(self.parameter, ChoiceParameterConfig):
            count = max(len(self.lanes), 1)
            words = [(float(i), value_text(value)) for value, i in self.lanes.items()]
            y = Scale(count - 0.4, -0.6)
            y_ticks = lambda _most: words  # noqa: E731 - one expression
        else:
            y = self._value_scale()
            y_ticks = self._value_ticks
        self.set_scales(
            Scale(-0.6, end + 0.6), y, y_ticks=y_ticks, shows_x=shows_x,
            x_ticks=lambda most: count_ticks(0.0, end, min(most, 4)),
        )  # fmt: skip

    def _value_scale(self) -> Scale:
        levels = [*(self.ends or ()), *(v for _, *ends in self.bounds for v in ends)]
        low, high = (min(levels), max(levels)) if levels else (0.0, 1.0)
        is_log = getattr(self.parameter, "is_log", False) and low > 0
        if low == high:
            low, high = (low / 2, high * 2) if is_log else (low - 1.0, high + 1.0)
        return Scale(low, high, Scaling.LOG if is_log else Scaling.LINEAR).padded(0.08, 0.08)

    def _value_ticks(self, _most: int) -> list[Tick]:
        """The present bounds and the middle between them, where that is a round value."""
        if not self.bounds:
            return self.y_scale.ticks(3)
        _, low, high = self.bounds[-1]
        found = [(low, plain_number(low)), (high, plain_number(high))]
        middle = (self.y_scale.share(low) + self.y_scale.share(high)) / 2
        reach = 0.2 * abs(self.y_scale.share(high) - self.y_scale.share(low))
        apart, tick = min(
            ((abs(self.y_scale.share(tick[0]) - middle), tick) for tick in self.y_scale.ticks(5)),
            default=(1.0, (0.0, "")),
        )
        return [*found, tick] if apart <= reach else found

    def paint_ground(self, painter: QPainter) -> None:
        """Paint the bounds, a step where they were changed."""
        painter.setPen(QPen(current_theme().color("text3"), 1, Qt.PenStyle.DotLine))
        for side in (1, 2):
            before: QPointF | None = None
            for at, bound in enumerate(self.bounds):
                start = self.at(bound[0] - 0.5 if at else self.x_scale.low, bound[side])
                next_one = self.bounds[at + 1][0] - 0.5 if at + 1 < len(self.bounds) else None
                end = self.at(self.x_scale.high if next_one is None else next_one, bound[side])
                if before is not None:
                    painter.drawLine(before, start)
                painter.drawLine(start, end)
                before = end

    def sizeHint(self) -> QSize:
        """As low as it can be read."""
        return QSize(px(130), self.minimumHeight())


class ParametersCard(Card):
    """The strips in one or two columns; more than fit are scrolled to."""

    def __init__(self, selection: Selection) -> None:
        super().__init__("Parameters", name="monitor.parameters.card")
        self._selection = selection
        self._facts: RunFacts | None = None
        self._filter: frozenset[int] | None = None
        self._made_for: object = None
        self._scores: tuple[float, float] | None = None
        self._columns = 0
        self._host: QWidget = self
        self.strips: list[tuple[QWidget, StripChart]] = []
        self._goal = ElidedLabel("", "small", "text2")
        self._colors = ColorScale()
        self.add_action(self._goal)
        self.add_action(self._colors)
        self._area = QScrollArea()
        self._area.setObjectName("monitor.parameters")
        self._area.setAccessibleName("Parameters by trial")
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = Surface("panel")
        self._grid = QGridLayout(self._inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(px(10))
        self._grid.setVerticalSpacing(px(4))
        self._area.setWidget(self._inside)
        self._empty = EmptyState(
            "adjustments", "No trials yet", "Each trial's settings are marked here."
        )
        self.body.addWidget(self._area, 1)
        self.body.addWidget(self._empty, 1)
        theme_manager().changed.connect(self._show_colors)

    def host_read_outs(self, host: QWidget) -> None:
        """Let read-outs reach over `host`, which contains the card."""
        self._host = host
        for _, strip in self.strips:
            strip.host_read_outs(host)

    def told(self, index: int) -> Told | None:
        """What a read-out says of a trial."""
        return told_of(index, self._facts)

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self._filter = shown
        for _, strip in self.strips:
            strip.set_filter(shown)

    def show_facts(self, facts: RunFacts, changed: Collection[int] | None = None) -> None:
        """Show the trials of an experiment.

        Args:
            facts: The experiment.
            changed: The trials that differ from the facts shown before; None for any.
        """
        before, self._facts = self._facts, facts
        has_any = facts.setup is not None and bool(facts.trials)
        self._area.setVisible(has_any)
        self._empty.setVisible(not has_any)
        self._colors.setVisible(has_any)
        self._goal.setVisible(has_any)
        if facts.setup is None or not has_any:
            return
        spaces = _spaces(facts)
        made_for = (facts.setup.search_space, tuple(spaces), facts.optimization)
        if before is None or made_for != self._made_for:
            if not isinstance(self._made_for, tuple) or self._made_for[0] != made_for[0]:
                self._build(facts.setup.search_space.parameters)
            self._made_for, changed = made_for, None
        if self._measure(facts, changed):
            changed = None
        if changed is None or before is None:
            self._place_all(facts, spaces)
        else:
            self._place(facts, {*changed, *(before.starred ^ facts.starred)})
        self._rescale(facts)

    def _build(self, parameters: Sequence[ParameterConfig]) -> None:
        for box, strip in self.strips:
            self._grid.removeWidget(box)
            strip.point_at(None)
            box.deleteLater()
        self.strips = []
        for parameter in parameters:
            if getattr(parameter, "is_fixed", False):
                continue
            box = QWidget()
            rows = QVBoxLayout(box)
            rows.setContentsMargins(0, 0, 0, 0)
            rows.setSpacing(px(2))
            name = f"{parameter.name} ({parameter.unit})" if parameter.unit else parameter.name
            scale = ", log scale" if getattr(parameter, "is_log", False) else ""
            rows.addWidget(ElidedLabel(name + scale, "head"))
            strip = StripChart(parameter, self._selection, self)
            strip.set_filter(self._filter)
            strip.host_read_outs(self._host)
            rows.addWidget(strip, 1)
            self.strips.append((box, strip))
        self._columns = 0
        self._arrange()

    def _arrange(self) -> None:
        columns = 2 if self.width() >= px(_ROOM_FOR_TWO) and len(self.strips) > 1 else 1
        if columns == self._columns:
            return
        self._columns = columns
        for box, _ in self.strips:
            self._grid.removeWidget(box)
        for at, (box, _) in enumerate(self.strips):
            self._grid.addWidget(box, at // columns, at % columns)
        for column in range(2):
            self._grid.setColumnStretch(column, int(column < columns))
        if self._facts is not None:
            self._rescale(self._facts)

    def _measure(self, facts: RunFacts, changed: Collection[int] | None) -> bool:
        """Find the worst and the best score; returns whether other ones give other colours."""
        if facts.optimization is None:
            return False
        trials = facts.trials if changed is None else _trials(facts, changed)
        ends = None if changed is None else self._scores
        for trial in trials:
            score = objective_score(trial, facts.optimization)
            if score is not None:
                low, high = ends or (score, score)
                ends = (min(low, score), max(high, score))
        is_other = ends != self._scores
        self._scores = ends
        if is_other or changed is None:
            self._show_colors()
        return is_other

    def _show_colors(self) -> None:
        facts = self._facts
        if facts is None or facts.optimization is None or self._scores is None:
            self._colors.hide()
            self._goal.setText("")
            return
        quantity: Quantity = objective_quantity(0, facts.optimization)
        digits = decimals(quantity, facts)
        texts = [number(shown_value(s, facts.optimization), digits) for s in self._scores]
        if quantity.unit:
            texts[1] += f" {quantity.unit}"
        self._goal.setText(quantity.name)
        self._colors.setAccessibleName(f"{quantity.name}: worst {texts[0]}, best {texts[1]}")
        self._colors.set_ends(*texts)
        self._colors.show()

    def _share(self, trial: Trial, facts: RunFacts) -> float | None:
        if facts.optimization is None or self._scores is None:
            return None
        score, (low, high) = objective_score(trial, facts.optimization), self._scores
        if score is None:
            return None
        return (score / 2 - low / 2) / (high / 2 - low / 2) if high > low else 1.0

    def _place_all(self, facts: RunFacts, spaces: Sequence[tuple[int, SearchSpace]]) -> None:
        shown = [(t, mark_of(t, facts), self._share(t, facts)) for t in facts.trials]
        for _, strip in self.strips:
            strip.begin(spaces)
            places = {}
            for trial, mark, share in shown:
                value = strip.value_of(trial)
                if value is not None:
                    strip.widen(value)
                    places[trial.index] = Place(float(trial.index), value, mark, share=share)
            strip.set_places(places)

    def _place(self, facts: RunFacts, indices: Collection[int]) -> None:
        trials = _trials(facts, sorted(indices))
        shown = [(t, mark_of(t, facts), self._share(t, facts)) for t in trials]
        for _, strip in self.strips:
            places: dict[int, Place | None] = {}
            for trial, mark, share in shown:
                value, index = strip.value_of(trial), trial.index
                if value is not None:
                    strip.widen(value)
                    places[index] = Place(float(index), value, mark, share=share)
                elif index in strip.places:
                    places[index] = None
            strip.put_places(places)

    def _rescale(self, facts: RunFacts) -> None:
        last = facts.trials[-1].index if facts.trials else 0
        before = len(facts.trials) - len(facts.of_run)
        end = max(before + max(facts.budget, len(facts.of_run)) - 1, last, 1)
        if end > 300 and end == last:
            # A little more room than needed spares painting thousands of marks anew.
            end = roomy_end(end)
        lowest = len(self.strips) - (self._columns or 1)
        for at, (_, strip) in enumerate(self.strips):
            strip.rescale(float(end), shows_x=at >= lowest)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use the columns that there is room for."""
        super().resizeEvent(event)
        self._arrange()


def _spaces(facts: RunFacts) -> list[tuple[int, SearchSpace]]:
    """The versions of the search space that trials were made for, each with its first trial."""
    if facts.setup is None:
        return []
    known: Mapping[int, SearchSpace] = facts.search_spaces
    if len(known) < 2:
        return [(0, facts.setup.search_space)]
    found: dict[int, int] = {}
    for trial in facts.trials:
        found.setdefault(trial.search_space_version, trial.index)
    firsts = sorted((first, version) for version, first in found.items())
    spaces = [(first, known[version]) for first, version in firsts if version in known]
    return spaces or [(0, facts.setup.search_space)]


def _trials(facts: RunFacts, indices: Collection[int]) -> list[Trial]:
    found = (facts.trial(index) for index in indices)
    return [trial for trial in found if trial is not None]
