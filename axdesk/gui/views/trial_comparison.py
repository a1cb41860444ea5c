"""Several trials side by side, with what differs standing out."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from axdesk.core.trial import Trial
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.trial_details import compared_rows
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.labels import ElidedLabel, label

MOST_COMPARED = 6
MOST_NAME = 100
MOST_VALUE = 120
"""Widths at a 16 pixel line; longer texts are shortened, and their tooltips have the rest."""


class TrialComparison(QWidget):
    """A column for each trial; rows that differ are strong and marked ≠.

    Signals:
        trial_requested: The operator wants one of them alone; carries its index.
    """

    trial_requested = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("inspector.comparison")
        self._shown: object = None
        self._title = label("", "section")
        self._sentence = label("", "small", "text2", wrap=True)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QScrollArea.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(14), px(10), px(8), px(10))
        layout.setSpacing(px(6))
        layout.addWidget(self._title)
        layout.addWidget(self._sentence)
        layout.addWidget(self._area, 1)

    def show_trials(self, trials: Sequence[Trial], facts: RunFacts) -> None:
        """Compare these trials of an experiment."""
        key = (tuple(trials), facts.setup, len(facts.trials))
        if key == self._shown:
            return
        self._shown = key
        shown = trials[:MOST_COMPARED]
        self._title.setText(f"{len(trials)} trials")
        rest = f" The first {MOST_COMPARED} are shown." if len(trials) > MOST_COMPARED else ""
        self._sentence.setText(f"What differs is marked ≠.{rest}")
        content = Surface("panel")
        grid = QGridLayout(content)
        grid.setContentsMargins(0, 0, px(8), 0)
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(5))
        for column, trial in enumerate(shown, start=2):
            button = Button(f"#{trial.index}", kind="quiet", name=f"inspector.show.{trial.index}")
            button.setAccessibleName(f"Show #{trial.index} alone")
            button.clicked.connect(
                lambda _=False, index=trial.index: self.trial_requested.emit(index)
            )
            grid.addWidget(button, 0, column, Qt.AlignmentFlag.AlignRight)
        rows = compared_rows(shown, facts)
        for row, (name, texts) in enumerate(rows, start=1):
            self._add_row(grid, row, name, texts)
        grid.setRowStretch(len(rows) + 1, 1)
        grid.setColumnStretch(0, 1)
        self._area.setWidget(content)

    def _add_row(self, grid: QGridLayout, row: int, name: str, texts: Sequence[str]) -> None:
        differs = len(set(texts)) > 1
        title = ElidedLabel(name, "small", "text2")
        title.setMinimumWidth(min(title.sizeHint().width(), px(MOST_NAME)))
        grid.addWidget(title, row, 0)
        grid.addWidget(label("≠" if differs else "", "small", "text2"), row, 1)
        for column, text in enumerate(texts, start=2):
            value = ElidedLabel(text, "strong" if differs else "small", "text")
            value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            value.setMinimumWidth(min(value.sizeHint().width(), px(MOST_VALUE)))
            value.setMaximumWidth(px(MOST_VALUE))
            value.setAccessibleName(f"{name}: {text}")
            grid.addWidget(value, row, column)
