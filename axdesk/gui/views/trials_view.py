"""The table of trials with its chips and its filter."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QModelIndex, QPoint, Signal, SignalInstance
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.errors import ExpressionError
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.trials_model import ALL, TrialsModel
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.views.trial_filter_field import TrialFilterField
from axdesk.gui.views.trials_table import TrialsTable
from axdesk.gui.widgets.buttons import Button, Chip, action_button
from axdesk.gui.widgets.cards import EmptyState, Surface

CHIPS = (
    "may_have_started", "not_known", "not_answering", "no_valid_result", "candidate",
    "to_be_deployed", "staged", "running",
    "completed", "failed", "abandoned", "early_stopped",
)  # fmt: skip
"""The statuses that have a chip while a trial has them, in order."""


class TrialsView(Surface):
    """Chips by status, a text filter, *Filter plots*, *Columns*, *Export* and the table.

    Signals:
        details_requested: Enter or a double click on a trial; carries its index.
        menu_requested: The operator asked for the menu of the selected trials, at this place.
        shown_changed: Other trials are shown.
        plots_filtered: The plots are to show these trials, by index; None for all.
    """

    details_requested = Signal(int)
    menu_requested = Signal(QPoint)
    shown_changed = Signal()
    plots_filtered = Signal(object)

    def __init__(
        self,
        selection: Selection,
        settings: WindowSettings,
        manual: QAction,
        exports: Sequence[QAction],
    ) -> None:
        """Make the view.

        Args:
            selection: The window's.
            settings: Keep how the columns are arranged.
            manual: Adds a trial by hand; offered while there are none.
            exports: The ways to take trials out, in the menu of *Export*.
        """
        super().__init__("panel")
        self._model: TrialsModel | None = None
        self._selection = selection
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self._connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._in_plots: frozenset[int] | None = None
        self._text = TrialFilterField()
        self._text.asked.connect(self._filter_text)
        self._text.entered.connect(self._prepare_search)
        self._table = TrialsTable(selection, settings)
        self._table.row_activated.connect(self._activate)
        self._table.menu_requested.connect(self.menu_requested)
        self._table.copy_requested.connect(self.copy_selected)
        self._filter_plots = Button("Filter plots", "chart-dots", kind="plain",
                                    name="trials.filter_plots")  # fmt: skip
        self._filter_plots.setCheckable(True)
        self._filter_plots.setToolTip("Wash out in the plots what the table does not show")
        self._filter_plots.toggled.connect(self._tell_plots)
        self._empty = EmptyState("table", "No trials yet", "Press Start, or add one by hand.",
                                 action_button(manual, "plus"))  # fmt: skip
        self._nothing = EmptyState(
            "filter", "No trial matches the filter", "Other trials are there, but not shown.",
            Button("Clear the filter", name="trials.clear_filter", on_click=self.clear_filters),
        )  # fmt: skip
        self._pages = QStackedLayout()
        self._lay_out(exports)
        self.set_model(None)

    def set_model(self, model: TrialsModel | None) -> None:
        """Show the trials of another experiment."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self._model = model
        self._table.setModel(model)
        self._text.fields = lambda: () if model is None else model.fields
        self._text.show_query("" if model is None else model.text_filter)
        if model is not None:
            self._connections = [
                (model.counted, self.refresh),
                (model.shown_changed, self._show_rows),
                (model.modelReset, self.refresh),
                (model.fields_changed, self._read_again),
            ]
            for signal, slot in self._connections:
                signal.connect(slot)
        self.refresh()

    def select(self, trial_index: int | None) -> None:
        """Select a trial and bring it into sight; filters that hide it are lifted."""
        model = self._model
        if model is None:
            return
        hides = trial_index is not None and model.row_of(trial_index) is None
        if hides:
            self.clear_filters()
        self._selection.select(trial_index)
        self._table.scroll_to(trial_index)

    def copy_selected(self) -> None:
        """Put the selected rows into the clipboard, as they stand, below the heads."""
        model = self._model
        if model is None:
            return
        rows = {t: row for t in self._selection.trials if (row := model.row_of(t)) is not None}
        chosen = sorted(rows, key=lambda trial: rows[trial])
        if chosen:
            text = model.rows_text(chosen, self._table.shown_keys())
            QGuiApplication.clipboard().setText(text)

    def clear_filters(self) -> None:
        """Show every trial."""
        if self._model is not None:
            self._model.set_status_filter(ALL)
        self._text.clear_filter()
        self.refresh()

    def refresh(self) -> None:
        """Bring chips and counts up to date."""
        counts = {} if self._model is None else self._model.counts()
        for key in (ALL, *CHIPS):
            count = counts.get(key, 0)
            chip = self._chips[key]
            is_on = self._model is not None and self._model.status_filter == key
            chip.set_count(count)
            chip.setVisible(key == ALL or count > 0 or is_on)
            chip.setChecked(is_on)
        self._show_rows()

    def _show_rows(self) -> None:
        """Show the table, or why there is nothing in it."""
        model = self._model
        if model is None or not model.counts()[ALL]:
            self._pages.setCurrentIndex(1)
        else:
            self._pages.setCurrentIndex(0 if model.rowCount() else 2)
        self._tell_plots()
        self.shown_changed.emit()

    def _lay_out(self, exports: Sequence[QAction]) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(6))
        bar = _Bar()
        row = QHBoxLayout(bar)
        row.setContentsMargins(px(12), 0, px(12), 0)
        row.setSpacing(px(6))
        for key in (ALL, *CHIPS):
            look = STATUS_LOOKS.get(key)
            tone = "text2" if look is None else look.color
            chip = Chip(look.word if look else "All", 0, look.icon if look else "", tone)
            chip.setObjectName(f"trials.chip.{key}")
            chip.clicked.connect(lambda _=False, key=key: self._filter_status(key))
            self._group.addButton(chip)
            self._chips[key] = chip
            row.addWidget(chip)
        row.addSpacing(px(6))
        row.addWidget(self._text, 100)
        row.addStretch(1)
        columns = Button("Columns", "columns-3", kind="plain", name="trials.columns")
        columns.setMenu(self._table.columns_menu)
        export = Button("Export", "download", kind="plain", name="trials.export")
        menu = QMenu(export)
        menu.setToolTipsVisible(True)  # they say why an entry is off
        menu.addActions(exports)
        export.setMenu(menu)
        bar.chips = tuple(self._chips.values())
        bar.buttons = (self._filter_plots, columns, export)
        for button in bar.buttons:
            row.addWidget(button)
        layout.addWidget(bar)
        self._pages.addWidget(self._table)
        for page in (self._empty, self._nothing):
            around = QWidget()
            margins = QVBoxLayout(around)
            margins.setContentsMargins(px(12), px(4), px(12), px(12))
            margins.addWidget(page)
            self._pages.addWidget(around)
        layout.addLayout(self._pages, 1)

    def _prepare_search(self) -> None:
        if self._model is not None:
            self._model.prepare_search()

    def _filter_text(self, text: str) -> None:
        if self._model is None:
            return
        error = None
        try:
            self._model.set_text_filter(text)
        except ExpressionError as found:
            error = found
        self._text.show_error(error)

    def _read_again(self) -> None:
        """Read what was not understood, or is no longer, by the columns there are now."""
        if self._model is not None and self._text.text() != self._model.text_filter:
            self._filter_text(self._text.text())

    def _filter_status(self, key: str) -> None:
        if self._model is not None:
            self._model.set_status_filter(key)
            self.refresh()

    def _tell_plots(self) -> None:
        model, shown = self._model, None
        if model is not None and self._filter_plots.isChecked() and model.is_filtered:
            shown = model.shown_trials()
        if shown != self._in_plots:
            self._in_plots = shown
            self.plots_filtered.emit(shown)

    def _activate(self, index: QModelIndex) -> None:
        trial = None if self._model is None else self._model.trial_at(index.row())
        if trial is not None:
            self.details_requested.emit(trial.index)


class _Bar(QWidget):
    """Chips, filter and buttons in a row; words are left out where it gets narrow."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.buttons: tuple[Button, ...] = ()
        self.chips: tuple[Chip, ...] = ()

    def event(self, event: QEvent) -> bool:
        """Fit the buttons whenever the width, or what stands in the row, changes."""
        done = super().event(event)
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._fit()
        return done

    def _fit(self) -> None:
        """Take words away, of the buttons first, until all fits; or give them back."""
        metrics = self.fontMetrics()
        words = [metrics.horizontalAdvance(b.accessibleName()) + px(6) for b in self.buttons]
        missing = sum(width for width, b in zip(words, self.buttons, strict=True) if not b.text())
        chips = sum(chip.word_width() for chip in self.chips)
        missing += chips if self._is_brief else 0
        room = self.width() - self.minimumSizeHint().width() - missing
        self._is_brief = room + sum(words) < 0
        for button in self.buttons:
            text = button.accessibleName() if room >= 0 else ""
            if button.text() != text:
                button.setText(text)
                button.setToolTip(button.toolTip() or button.accessibleName())
        for chip in self.chips:
            chip.set_brief(self._is_brief)

    _is_brief = False
