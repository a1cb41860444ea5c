"""The Monitor tab: is it well, when is it done, how good is it?"""

from datetime import datetime

from PySide6.QtWidgets import QGridLayout, QWidget

from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import px
from axdesk.gui.views.convergence import ConvergenceCard
from axdesk.gui.views.timeline import TimelineCard
from axdesk.gui.views.trade_offs import TradeOffsCard
from axdesk.gui.widgets.cards import Surface


class MonitorView(Surface):
    """Convergence and slots; with several objectives their trade-offs go first."""

    def __init__(self, selection: Selection, parent: QWidget | None = None) -> None:
        """Make the tab.

        Args:
            selection: What the plots ring, and what a click in them changes.
            parent: Its parent.
        """
        super().__init__("window")
        if parent is not None:
            self.setParent(parent)
        self.convergence = ConvergenceCard(selection)
        self.slots = TimelineCard(selection)
        self.trade_offs = TradeOffsCard(selection)
        self.trade_offs.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(px(12), px(12), px(12), px(12))
        self._grid.setSpacing(px(12))
        self._grid.setColumnStretch(0, 60)
        self._grid.setColumnStretch(1, 40)
        self._grid.setRowStretch(0, 1)
        self._grid.setRowStretch(1, 1)
        self._arrange(has_several=False)

    def _arrange(self, *, has_several: bool) -> None:
        """One objective: curve beside slots; several: trade-offs beside curve over slots."""
        for card in (self.trade_offs, self.convergence, self.slots):
            self._grid.removeWidget(card)
        self.trade_offs.setVisible(has_several)
        if has_several:
            self._grid.addWidget(self.trade_offs, 0, 0, 2, 1)
            self._grid.addWidget(self.convergence, 0, 1)
            self._grid.addWidget(self.slots, 1, 1)
        else:
            self._grid.addWidget(self.convergence, 0, 0, 2, 1)
            self._grid.addWidget(self.slots, 0, 1, 2, 1)

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show an experiment."""
        has_several = facts.optimization is not None and facts.optimization.has_several
        if has_several == self.trade_offs.isHidden():
            self._arrange(has_several=has_several)
        if has_several:
            self.trade_offs.show_facts(facts)
        self.convergence.show_facts(facts)
        self.slots.show_facts(facts, now)

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none.

        What is worked out of all trials, such as the best so far, stays as it is.
        """
        for card in (self.trade_offs, self.convergence, self.slots.timeline):
            card.set_filter(shown)

    def tick(self, now: datetime) -> None:
        """Let times go on."""
        self.slots.tick(now)
