"""The Monitor tab: is it well, when is it done, how good is it?"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from axdesk.gui.models.monitor_options import MonitorOptions
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import px, theme_manager
from axdesk.gui.views.convergence import ConvergenceCard
from axdesk.gui.views.strips import ParametersCard
from axdesk.gui.views.timeline import TimelineCard
from axdesk.gui.views.trade_offs import TradeOffsCard
from axdesk.gui.widgets.cards import Surface

_LOW = 440
"""Height below which the cards stand in a row."""
_LEAST_WIDE = 1040
"""Width from which, with several objectives, the parameters have a column of their own."""
_LEAST_ROW, _LEAST_FOUR, _LEAST_STACK = 1040, 1360, 680
"""Widths below which the cards are scrolled sideways: in a row of three or four, and stacked."""
_LEAST_HEIGHT = 184


class MonitorView(QScrollArea):
    """Convergence, slots and parameters; with several objectives their trade-offs go first.

    Signals:
        options_changed: The operator chose how something is shown; carries the options.
    """

    options_changed = Signal(object)

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        """Make the tab.

        Args:
            selection: What the plots ring, and what a click in them changes.
            parent: Its parent.
        """
        super().__init__(parent)
        self.setObjectName("monitor")
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._page = Surface("window")
        self.convergence = ConvergenceCard(selection)
        self.slots = TimelineCard(selection)
        self.trade_offs = TradeOffsCard(selection)
        self.parameters = ParametersCard(selection)
        for card in (self.convergence, self.trade_offs, self.slots, self.parameters):
            card.setParent(self._page)  # also what is in no layout for the moment
        self.trade_offs.hide()
        self._facts: RunFacts | None = None
        self._arrangement: tuple[bool, bool, bool] | None = None
        self._has_several = False
        for chooser in (self.convergence, self.trade_offs, self.slots):
            chooser.options_changed.connect(self._take_options)
        self._grid = QGridLayout(self._page)
        self._grid.setContentsMargins(px(12), px(12), px(12), px(12))
        self._grid.setSpacing(px(12))
        self.setWidget(self._page)
        for widget in (
            self.convergence.chart, self.trade_offs.chart, self.slots.timeline, self.parameters
        ):  # fmt: skip
            widget.host_read_outs(self._page)
        self._arrange()
        theme_manager().changed.connect(self._arrange)

    def _arrange(self) -> None:
        """Put the cards where there is room for them."""
        is_low, is_narrow = self.height() < px(_LOW), self.width() < px(_LEAST_WIDE)
        wanted = (self._has_several, is_low, is_narrow)
        if wanted != self._arrangement:
            self._arrangement = wanted
            self.trade_offs.setVisible(self._has_several)
            cards: tuple[QWidget, ...] = (self.convergence, self.slots, self.parameters)
            if self._has_several:
                cards = (self.trade_offs, *cards)
            if is_low:
                shares = (34, 24, 18, 24) if self._has_several else (45, 24, 31)
                self._place({card: (0, at, 1) for at, card in enumerate(cards)}, shares, (1,))
            elif not self._has_several:
                places = {cards[0]: (0, 0, 2), cards[1]: (0, 1, 1), cards[2]: (1, 1, 1)}
                self._place(places, (59, 41), (36, 64))
            elif is_narrow:
                corners = ((0, 0, 2), (0, 1, 2), (2, 0, 1), (2, 1, 1))
                self._place(dict(zip(cards, corners, strict=True)), (55, 45), (22, 22, 36))
            else:
                corners = ((0, 0, 2), (0, 1, 1), (1, 1, 1), (0, 2, 2))
                self._place(dict(zip(cards, corners, strict=True)), (46, 27, 27), (1, 1))
        self._take_size()

    def _place(
        self, places: Mapping[QWidget, tuple[int, int, int]], columns: Sequence[int],
        rows: Sequence[int],
    ) -> None:  # fmt: skip
        """Put cards at (row, column, rows), by the shares of columns and rows."""
        for card in (self.trade_offs, self.convergence, self.slots, self.parameters):
            self._grid.removeWidget(card)
        for placed, (row, column, height) in places.items():
            self._grid.addWidget(placed, row, column, height, 1)
        for at in range(4):
            self._grid.setColumnStretch(at, columns[at] if at < len(columns) else 0)
            self._grid.setRowStretch(at, rows[at] if at < len(rows) else 0)

    def _take_size(self) -> None:
        """Fill the tab; what needs more room is scrolled to rather than squeezed."""
        is_low = self.height() < px(_LOW)
        least = _LEAST_STACK if not is_low else _LEAST_FOUR if self._has_several else _LEAST_ROW
        room = self.contentsRect().size()
        bar = self.horizontalScrollBar().sizeHint().height() if px(least) > room.width() else 0
        height = max(room.height() - bar, px(_LEAST_HEIGHT))
        self._page.resize(max(room.width(), px(least)), height)

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show an experiment, as it stands at an aware datetime."""
        before, self._facts = self._facts, facts
        changed = None if before is None else changed_trials(before, facts)
        self._has_several = facts.optimization is not None and facts.optimization.has_several
        self._arrange()
        if self._has_several:
            self.trade_offs.show_facts(facts, changed)
        self.convergence.show_facts(facts, now, changed)
        self.slots.show_facts(facts, now)
        self.parameters.show_facts(facts, changed)

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none.

        What is worked out of all trials, such as the best so far, stays as it is.
        """
        for card in (self.trade_offs, self.convergence, self.slots.timeline, self.parameters):
            card.set_filter(shown)

    def set_options(self, options: MonitorOptions) -> None:
        """Show an experiment as was chosen for it."""
        for card in (self.trade_offs, self.convergence, self.slots):
            card.set_options(options)

    def _take_options(self, options: MonitorOptions) -> None:
        self.set_options(options)
        self.options_changed.emit(options)

    def tick(self, now: datetime) -> None:
        """Let times go on."""
        self.slots.tick(now)

    def minimumSizeHint(self) -> QSize:
        """The height that the cards need, so that docks below leave it to them."""
        return QSize(px(300), px(_LEAST_HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the cards where there is room for them."""
        super().resizeEvent(event)
        self._arrange()


def changed_trials(before: RunFacts, after: RunFacts) -> set[int] | None:
    """The trials that may be shown otherwise than before; None where all may.

    Those that run always may, for what they are waited for depends on more than on them.
    """
    if before.setup is not after.setup and before.setup != after.setup:
        return None
    if len(before.trials) > len(after.trials):
        return None
    changed = {t.index for t in (*before.pending, *after.pending)}
    for old, new in zip(before.trials, after.trials, strict=False):
        if old is not new:
            if old.index != new.index:
                return None
            changed.add(new.index)
    changed.update(trial.index for trial in after.trials[len(before.trials) :])
    return changed
