"""A card whose plot shows trials: what is told under the pointer, and which one is clicked."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QVBoxLayout, QWidget

from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import duration
from axdesk.gui.models.run_facts import RunFacts, seconds_running, status_key, status_word
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.cards import Card, EmptyState
from axdesk.gui.widgets.plots import HOVER_DISTANCE, Legend, Plot, ReadOut


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial stands in the plot; `sem` is that of a prediction, None without one."""

    x: float
    y: float
    mark: str
    sem: float | None = None


class TrialPlotCard(Card):
    """The card with sentence, plot and legend, or what stands there before the first result.

    A click selects a trial, with Ctrl it is compared with the selected one.

    Attributes:
        places: By trial: where it stands.
    """

    def __init__(self, title: str, selection: Selection, *, name: str, empty: EmptyState) -> None:
        super().__init__(title, name=f"{name}.card")
        self._facts: RunFacts | None = None
        self._selection = selection
        self._filter: frozenset[int] | None = None
        self.places: dict[int, Place] = {}
        self._items: dict[str, Any] = {}
        self._plot = Plot(name=name, label=title)
        self._legend = Legend()
        self._read_out = ReadOut(self._plot)
        self._empty = empty
        self._content = QWidget()
        inside = QVBoxLayout(self._content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(px(4))
        inside.addWidget(self._plot, 1)
        inside.addWidget(self._legend)
        self.body.addWidget(self._content, 1)
        self.body.addWidget(self._empty, 1)
        self._plot.pointed.connect(self._hover)
        self._plot.clicked.connect(self._click)
        selection.changed.connect(self._show_selection)

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self._filter = shown
        if self._facts is not None:
            self.show_facts(self._facts)

    def show_facts(self, facts: RunFacts) -> None:
        """Show the trials of an experiment."""
        raise NotImplementedError

    def rows_of(self, trial: Trial) -> list[tuple[str, str]]:
        """Name and value of what is told of a trial under the pointer."""
        raise NotImplementedError

    def _show_selection(self) -> None:
        """Ring the selected trial and those that are compared with it."""
        ringed = [self.places[i] for i in self._selection.trials if i in self.places]
        self._items["selected"].setData(x=[p.x for p in ringed], y=[p.y for p in ringed])

    def _draw_marks(self) -> None:
        for mark, item in self._items.items():
            at = [p for i, p in self.places.items() if self._mark_of(i, p) == mark]
            item.setData(x=[p.x for p in at], y=[p.y for p in at])
        self._show_selection()

    def _mark_of(self, index: int, place: Place) -> str:
        return place.mark if self._filter is None or index in self._filter else "left_out"

    def _present_marks(self) -> set[str]:
        return {self._mark_of(index, place) for index, place in self.places.items()}

    def _nearest(self, point: QPointF) -> int | None:
        pixel = self._plot.pixel_of(point)
        best, best_distance = None, float(HOVER_DISTANCE)
        for index, place in self.places.items():
            if self._mark_of(index, place) == "left_out":
                continue
            there = self._plot.pixel_of(QPointF(place.x, place.y))
            distance = ((there.x() - pixel.x()) ** 2 + (there.y() - pixel.y()) ** 2) ** 0.5
            if distance <= best_distance:
                best, best_distance = index, distance
        return best

    def _hover(self, point: QPointF | None) -> None:
        index = None if point is None else self._nearest(point)
        trial = self._trial(index)
        if trial is None or self._facts is None or self._facts.optimization is None:
            self._read_out.hide()
            return
        place = self.places[trial.index]
        look = STATUS_LOOKS[status_key(trial, self._facts)]
        word = status_word(trial, self._facts, datetime.now(UTC)).lower()
        title = f"#{trial.index} {word}"
        if trial.status is TrialStatus.RUNNING and trial.started_at is not None:
            title += f", {duration(seconds_running(trial, datetime.now(UTC)))}"
        self._read_out.show_at(
            self._plot.pixel_of(QPointF(place.x, place.y)),
            look.icon,
            look.color,
            title,
            self.rows_of(trial),
        )

    def _click(self, point: QPointF, with_ctrl: bool) -> None:
        index = self._nearest(point)
        if index is not None:
            (self._selection.toggle if with_ctrl else self._selection.select)(index)

    def _trial(self, index: int | None) -> Trial | None:
        if self._facts is None or index is None:
            return None
        return next((t for t in self._facts.trials if t.index == index), None)
