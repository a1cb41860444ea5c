"""The Monitor tab: is it well, when is it done, how good is it?"""

from datetime import datetime

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.style import px
from axdesk.gui.views.convergence import ConvergenceCard
from axdesk.gui.views.timeline import TimelineCard
from axdesk.gui.widgets.cards import Surface


class MonitorView(Surface):
    """Convergence and slots.

    Signals:
        trial_clicked: The operator clicked a trial; carries its index.
    """

    trial_clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("window")
        if parent is not None:
            self.setParent(parent)
        self.convergence = ConvergenceCard()
        self.slots = TimelineCard()
        self.convergence.trial_clicked.connect(self.trial_clicked)
        self.slots.trial_clicked.connect(self.trial_clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(px(12), px(12), px(12), px(12))
        layout.setSpacing(px(12))
        layout.addWidget(self.convergence, 60)
        layout.addWidget(self.slots, 40)

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show an experiment."""
        self.convergence.show_facts(facts)
        self.slots.show_facts(facts, now)

    def set_selected(self, trial_index: int | None) -> None:
        """Mark the trial that is selected in the table."""
        self.convergence.set_selected(trial_index)

    def tick(self, now: datetime) -> None:
        """Let times go on."""
        self.slots.tick(now)
