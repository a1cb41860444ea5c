"""The table of trials with its chips and its filter."""

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal, SignalInstance
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from axdesk.gui.models.trials_model import ALL, TrialsModel
from axdesk.gui.style import px
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.buttons import Button, Chip
from axdesk.gui.widgets.cards import EmptyState, Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.tables import TableView

CHIPS = (
    "may_have_started", "not_known", "not_answering", "no_valid_result", "candidate",
    "to_be_deployed", "staged", "running",
    "completed", "failed", "abandoned", "early_stopped",
)  # fmt: skip
"""The statuses that have a chip while a trial has them, in order."""

LEAST_WIDTH = 96


class TrialsView(Surface):
    """Chips by status, a text filter, *Export* and the table.

    Signals:
        selected: The operator selected a trial; carries its index, or None.
        details_requested: Enter or a double click on a trial; carries its index.
        menu_requested: The operator asked for the menu of the selected trial, at this place.
        export_requested: The operator wants the trials as a file.
    """

    selected = Signal(object)
    details_requested = Signal(int)
    menu_requested = Signal(QPoint)
    export_requested = Signal()

    def __init__(self) -> None:
        super().__init__("panel")
        self._model: TrialsModel | None = None
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self._connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._layout_shown: object = None
        self._text = TextField(
            placeholder="Filter trials", name="trials.filter", icon_name="filter"
        )
        self._text.setAccessibleName("Filter trials")
        self._text.setMaximumWidth(px(250))
        self._text.setMinimumWidth(px(110))
        self._text.textChanged.connect(self._filter_text)
        self._table = TableView(name="trials.table", label="Trials")
        self._table.setSelectionMode(TableView.SelectionMode.SingleSelection)
        self._table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._table.customContextMenuRequested.connect(self._ask_for_menu)
        self._table.row_activated.connect(self._activate)
        self._table.horizontalHeader().setMinimumSectionSize(px(28))
        self._empty = EmptyState("table", "No trials yet", "They appear here once the run starts.")
        self._around = QWidget()
        self._lay_out()
        self.set_model(None)

    def set_model(self, model: TrialsModel | None) -> None:
        """Show the trials of another experiment."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self._model = model
        self._table.setModel(model)
        self._text.clear()
        if model is not None:
            for signal in (
                model.rowsInserted, model.rowsRemoved, model.dataChanged, model.layoutChanged
            ):  # fmt: skip
                self._connections.append((signal, self.refresh))
            self._connections.append((model.modelReset, self._reset))
            for signal, slot in self._connections:
                signal.connect(slot)
            self._table.selectionModel().currentRowChanged.connect(self._tell_selected)
            self._reset()
            self._table.sortByColumn(model.column_of("index"), Qt.SortOrder.DescendingOrder)
        self.refresh()

    def select(self, trial_index: int | None) -> None:
        """Select a trial and scroll to it; filters that hide it are lifted."""
        if self._model is None:
            return
        if trial_index is None:
            self._table.clearSelection()
            self._table.setCurrentIndex(QModelIndex())
            return
        if self._model.row_of(trial_index) is None:
            self._text.clear()
            self._filter_status(ALL)
        row = self._model.row_of(trial_index)
        if row is not None:
            index = self._model.index(row, self._model.column_of("index"))
            self._table.setCurrentIndex(index)
            self._table.selectRow(row)
            self._table.scrollTo(index)

    def selected_trial(self) -> int | None:
        """The index of the selected trial, or None."""
        if self._model is None:
            return None
        trial = self._model.trial_at(self._table.currentIndex().row())
        return None if trial is None else trial.index

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
        self._around.setVisible(not counts.get(ALL))
        self._table.setVisible(bool(counts.get(ALL)))

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(6))
        bar = QWidget()
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
        row.addWidget(self._text, 1)
        row.addStretch(2)
        row.addWidget(
            Button("Export", "download", kind="plain", name="trials.export",
                   on_click=self.export_requested.emit)
        )  # fmt: skip
        layout.addWidget(bar)
        layout.addWidget(self._table, 1)
        around = QVBoxLayout(self._around)
        around.setContentsMargins(px(12), px(4), px(12), px(12))
        around.addWidget(self._empty)
        layout.addWidget(self._around, 1)

    def _reset(self) -> None:
        if self._model is None:
            return
        heads = [self._model.headerData(c, Qt.Orientation.Horizontal)
                 for c in range(self._model.columnCount())]  # fmt: skip
        if heads != self._layout_shown:
            self._layout_shown = heads
            metrics = self._table.horizontalHeader()
            for column, width in enumerate(self._model.widths()):
                head = metrics.sectionSizeFromContents(column).width()
                wanted = px(width) if width > 0 else max(head, px(-width), px(LEAST_WIDTH))
                self._table.setColumnWidth(column, min(wanted, px(240)))
        self.refresh()

    def _filter_text(self, text: str) -> None:
        if self._model is not None:
            self._model.set_text_filter(text)

    def _filter_status(self, key: str) -> None:
        if self._model is not None:
            self._model.set_status_filter(key)
            self.refresh()

    def _tell_selected(self, current: QModelIndex) -> None:
        trial = None if self._model is None else self._model.trial_at(current.row())
        self.selected.emit(None if trial is None else trial.index)

    def _activate(self, index: QModelIndex) -> None:
        trial = None if self._model is None else self._model.trial_at(index.row())
        if trial is not None:
            self.details_requested.emit(trial.index)

    def _ask_for_menu(self, place: QPoint) -> None:
        index = self._table.indexAt(place)
        if index.isValid():
            self._table.setCurrentIndex(index)
            self.menu_requested.emit(self._table.viewport().mapToGlobal(place))
