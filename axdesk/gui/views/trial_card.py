"""A card with a plot of trials, its legend, and what stands there before the first result."""

from collections.abc import Mapping
from datetime import UTC, datetime

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from axdesk.core.trial import Trial
from axdesk.gui.models.read_out import read_out_rows, read_out_title
from axdesk.gui.models.run_facts import RunFacts, status_key
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.trial_chart import Place, Told, TrialChart
from axdesk.gui.widgets.cards import Card, EmptyState
from axdesk.gui.widgets.plots import Legend

_LOW, _LOWEST = 270, 200
LEGEND: Mapping[str, str] = {
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


def told_of(index: int, facts: RunFacts | None) -> Told | None:
    """What a read-out says of a trial; None if nothing is known of it."""
    trial = None if facts is None else facts.trial(index)
    if facts is None or trial is None or facts.optimization is None:
        return None
    look = STATUS_LOOKS[status_key(trial, facts)]
    rows = read_out_rows(trial, facts, facts.optimization)
    title = read_out_title(trial, facts, datetime.now(UTC))
    return Told(look.icon, look.color, title, tuple(rows))


def mark_of(trial: Trial, facts: RunFacts) -> str:
    """The mark of a trial that has a place in a plot."""
    if trial.index in facts.starred:
        return "star"
    if trial.is_excluded and trial.status.is_terminal:
        return "hollow_dot"
    return STATUS_LOOKS[status_key(trial, facts)].mark or "dot"


class PlotCard(Card):
    """Title, sentence, plot and legend; without a single mark a well in their place."""

    def __init__(self, title: str, chart: TrialChart, empty: EmptyState) -> None:
        super().__init__(title, name=f"{chart.objectName()}.card")
        self.chart = chart
        self._facts: RunFacts | None = None
        self._legend = Legend()
        self._empty = empty
        self._content = QWidget()
        inside = QVBoxLayout(self._content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(px(4))
        inside.addWidget(chart, 1)
        inside.addWidget(self._legend)
        self.body.addWidget(self._content, 1)
        self.body.addWidget(empty, 1)
        chart.resized.connect(self.show_legend)

    @property
    def places(self) -> Mapping[int, Place]:
        """By trial: where it stands in the plot."""
        return self.chart.places

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self.chart.set_filter(shown)
        self.show_legend()

    def show_legend(self) -> None:
        """Explain the marks that there are."""
        raise NotImplementedError

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the room of a low card to the plot."""
        super().resizeEvent(event)
        self._legend.set_one_line(self.height() < px(_LOW))
        self._show_sentence()

    def _show_sentence(self) -> None:
        """Leave the sentence out where the plot needs its room; it still describes the plot."""
        text = self._sentence.text()
        self._sentence.setVisible(bool(text) and self.height() >= px(_LOWEST))

    def show_content(self, has_any: bool) -> None:
        """Show the plot, or the well in its place."""
        self._content.setVisible(has_any)
        self._empty.setVisible(not has_any)

    def set_sentence(self, sentence: str) -> None:
        """Show what the plot says, which also describes it."""
        super().set_sentence(sentence)
        self._show_sentence()
        if hasattr(self, "chart"):
            self.chart.setAccessibleDescription(sentence)
