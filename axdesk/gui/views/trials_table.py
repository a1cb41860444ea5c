"""The table of trials: its columns as the operator arranged them, its keys, and where it stands."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QSignalBlocker,
    Qt,
    Signal,
    SignalInstance,
)
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QMenu

from axdesk.gui.models.selection import Selection
from axdesk.gui.models.trial_cells import Column
from axdesk.gui.models.trials_model import TrialsModel
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import px, theme_manager
from axdesk.gui.widgets.tables import TableView

ALWAYS_SHOWN = "index"
_COPY = QKeySequence.StandardKey.Copy
LEAST_WIDTH = 84
MOST_WIDTH = 240
"""At first; a person may draw a column wider."""


class TrialsTable(TableView):
    """Shows and changes the window's selection; keeps its columns in the window's settings.

    What is arranged is kept by the columns' keys for all experiments: a parameter of the same name
    stands alike in each.

    Signals:
        menu_requested: The operator asked for the menu of the selected trials, at this place.
        copy_requested: The operator wants the selected rows in the clipboard.
    """

    menu_requested = Signal(QPoint)
    copy_requested = Signal()

    def __init__(self, selection: Selection, settings: WindowSettings) -> None:
        super().__init__(name="trials.table", label="Trials")
        self._trials_model: TrialsModel | None = None
        self._selection = selection
        self._settings = settings
        self._connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._is_busy = False
        self._held: tuple[int, int] | None = None
        self.columns_menu = QMenu("Columns", self)
        self.columns_menu.setObjectName("trials.columns.menu")
        self.columns_menu.aboutToShow.connect(self._fill_menu)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._ask_for_menu)
        header = self.horizontalHeader()
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(
            lambda place: self.columns_menu.popup(header.viewport().mapToGlobal(place))
        )
        header.sectionResized.connect(self._keep_width)
        header.sectionMoved.connect(self._keep_order)
        selection.changed.connect(self._follow_selection)
        theme_manager().changed.connect(self.arrange_columns)

    # the model

    def setModel(self, model: QAbstractItemModel | None, /) -> None:
        """Show the trials of an experiment."""
        for signal, slot in self._connections:
            signal.disconnect(slot)
        self._connections = []
        self._trials_model = model if isinstance(model, TrialsModel) else None
        self._is_busy = True
        super().setModel(model)
        self._is_busy = False
        if self._trials_model is None:
            return
        trials = self._trials_model
        self._connections = [
            (trials.about_to_arrange, self._hold),
            (trials.arranged, self._settle),
            (trials.modelReset, self.arrange_columns),
        ]
        for signal, slot in self._connections:
            signal.connect(slot)
        self.selectionModel().selectionChanged.connect(self._tell_selection)
        self.arrange_columns()
        self._show_selection()

    def _hold(self, keeps_place: bool) -> None:
        """Remember what stands at the top; what Qt selects meanwhile is not the operator's."""
        self._is_busy = True
        self._held = None
        top = self.rowAt(0)
        is_at_top = self.verticalScrollBar().value() == 0
        trial = None if self._trials_model is None else self._trials_model.trial_at(top)
        if keeps_place and trial is not None and not is_at_top:
            self._held = (trial.index, self.rowViewportPosition(top))

    def _settle(self) -> None:
        self._is_busy = False
        held, self._held = self._held, None
        row = None if held is None or self._trials_model is None else (
            self._trials_model.row_of(held[0])
        )  # fmt: skip
        if row is not None and held is not None:
            self.updateGeometries()
            place = self.verticalHeader().sectionPosition(row) - held[1]
            self.verticalScrollBar().setValue(place)
        self._show_selection()

    # the selection

    def _follow_selection(self) -> None:
        """Show what was selected elsewhere, and bring the current trial into sight."""
        if not self._is_busy:
            self._show_selection()
            self.scroll_to(self._selection.current)

    def scroll_to(self, trial_index: int | None) -> None:
        """Bring the row of a trial into sight, if it has one."""
        model = self._trials_model
        row = None if model is None or trial_index is None else model.row_of(trial_index)
        if model is not None and row is not None:
            self.scrollTo(model.index(row, model.column_of(ALWAYS_SHOWN)))

    def _show_selection(self) -> None:
        model, chosen = self._trials_model, self.selectionModel()
        if model is None:
            return
        rows = {row for t in self._selection.trials if (row := model.row_of(t)) is not None}
        current = self._selection.current
        row = None if current is None else model.row_of(current)
        if rows == {index.row() for index in chosen.selectedRows()} and (
            row is None or chosen.currentIndex().row() == row
        ):
            return
        wanted = QItemSelection()
        last = model.columnCount() - 1
        for first, end in _stretches(sorted(rows)):
            wanted.select(model.index(first, 0), model.index(end, last))
        self._is_busy = True
        flags = QItemSelectionModel.SelectionFlag
        chosen.select(wanted, flags.ClearAndSelect)
        column = model.column_of(ALWAYS_SHOWN)
        index = QModelIndex() if row is None else model.index(row, column)
        chosen.setCurrentIndex(index, flags.NoUpdate)
        self._is_busy = False

    def _tell_selection(self) -> None:
        """Select what the operator selected: those of before first, so that a click adds."""
        model = self._trials_model
        if self._is_busy or model is None:
            return
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        chosen = [t.index for row in rows if (t := model.trial_at(row)) is not None]
        still = set(chosen)
        before = [trial for trial in self._selection.trials if trial in still]
        self._is_busy = True
        self._selection.set_trials((*before, *chosen))
        self._is_busy = False

    def shown_keys(self) -> list[str]:
        """The keys of the columns that are shown, as they stand."""
        header, columns = self.horizontalHeader(), self._columns()
        sections = (header.logicalIndex(place) for place in range(len(columns)))
        return [columns[s].key for s in sections if not header.isSectionHidden(s)]

    # keys and the menu

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Copy the selected rows; all else is Qt's."""
        if event.matches(_COPY):
            self.copy_requested.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Copy before shortcuts of the window; a key opens the menu at the current row."""
        if isinstance(event, QContextMenuEvent) and self._is_asked_by_key(event):
            self.scrollTo(self.currentIndex())
            self._ask_for_menu(self.visualRect(self.currentIndex()).center())
            return True
        is_override = event.type() == QEvent.Type.ShortcutOverride
        if is_override and isinstance(event, QKeyEvent) and event.matches(_COPY):
            event.accept()
            return True
        return super().event(event)

    def _is_asked_by_key(self, event: QContextMenuEvent) -> bool:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        return by_key and self.currentIndex().isValid()

    def moveCursor(
        self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier
    ) -> QModelIndex:
        """Go to the first and the last row with Home and End, since whole rows are selected."""
        ends = {
            QAbstractItemView.CursorAction.MoveHome: 0,
            QAbstractItemView.CursorAction.MoveEnd: self.model().rowCount() - 1,
        }
        if action in ends:
            return self.model().index(ends[action], max(self.currentIndex().column(), 0))
        return super().moveCursor(action, modifiers)

    def _ask_for_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if not index.isValid():
            return
        if not self.selectionModel().isRowSelected(index.row(), QModelIndex()):
            self.setCurrentIndex(index)
        self.menu_requested.emit(self.viewport().mapToGlobal(place))

    # columns

    def _columns(self) -> list[Column]:
        return [] if self._trials_model is None else list(self._trials_model.columns)

    def arrange_columns(self) -> None:
        """Give the columns their places, widths, and whether they are shown."""
        columns, header, settings = self._columns(), self.horizontalHeader(), self._settings
        self._is_arranging = True
        if self._trials_model is not None:
            with QSignalBlocker(header):
                header.setSortIndicator(*self._trials_model.sorting)
        order = _merged([c.key for c in columns], settings.trial_columns_order)
        by_key = {column.key: section for section, column in enumerate(columns)}
        for place, key in enumerate(order):
            header.moveSection(header.visualIndex(by_key[key]), place)
        for section, column in enumerate(columns):
            shown = settings.trial_columns_shown.get(column.key, column.is_shown)
            header.setSectionHidden(section, not shown and column.key != ALWAYS_SHOWN)
            kept = settings.trial_columns_widths.get(column.key)
            width = self._first_width(section, column) if kept is None else px(int(kept))
            header.resizeSection(section, width)
        self._is_arranging = False

    _is_arranging = False

    def _first_width(self, section: int, column: Column) -> int:
        if column.width > 0:
            return px(column.width)
        head = self.horizontalHeader().sectionSizeFromContents(section).width()
        return min(max(head, px(-column.width), px(LEAST_WIDTH)), px(MOST_WIDTH))

    def _keep_width(self, section: int, _old: int, new: int) -> None:
        header, columns = self.horizontalHeader(), self._columns()
        # The last one is stretched to what room there is, which is nobody's choice.
        is_last = header.visualIndex(section) == max(
            (header.visualIndex(s) for s in range(len(columns)) if not header.isSectionHidden(s)),
            default=-1,
        )
        if not self._is_arranging and not is_last and new and section < len(columns):
            width = round(16 * new / px(16))
            kept = self._settings.trial_columns_widths
            self._settings.trial_columns_widths = {**kept, columns[section].key: width}

    def _keep_order(self) -> None:
        if not self._is_arranging:
            header, columns = self.horizontalHeader(), self._columns()
            order = [columns[header.logicalIndex(place)].key for place in range(len(columns))]
            kept = self._settings.trial_columns_order
            # Columns of other experiments keep their places.
            known = kept + [key for key in order if key not in kept]
            self._settings.trial_columns_order = _merged(known, order)

    def show_column(self, key: str, shown: bool) -> None:
        """Show or hide a column."""
        kept = self._settings.trial_columns_shown
        self._settings.trial_columns_shown = {**kept, key: shown}
        self.arrange_columns()

    def reset_columns(self) -> None:
        """Show the usual columns, in their usual order and widths."""
        self._settings.reset("trial_columns_shown", "trial_columns_order", "trial_columns_widths")
        self.arrange_columns()

    def _fill_menu(self) -> None:
        menu, shown = self.columns_menu, set(self.shown_keys())
        menu.clear()
        for column in self._columns():
            action = menu.addAction(column.title.replace("&", "&&"))
            action.setObjectName(f"trials.columns.{column.key}")
            action.setCheckable(True)
            action.setChecked(column.key in shown)
            action.setEnabled(column.key != ALWAYS_SHOWN)
            action.toggled.connect(lambda on, key=column.key: self.show_column(key, on))
        menu.addSeparator()
        reset = menu.addAction("Reset columns")
        reset.setObjectName("trials.columns.reset")
        reset.triggered.connect(self.reset_columns)


def _stretches(rows: list[int]) -> list[tuple[int, int]]:
    """Return the first and last row of each stretch of rows without a gap; `rows` are sorted."""
    firsts = [row for at, row in enumerate(rows) if at == 0 or rows[at - 1] != row - 1]
    lasts = [row for at, row in enumerate(rows) if at == len(rows) - 1 or rows[at + 1] != row + 1]
    return list(zip(firsts, lasts, strict=True))


def _merged(usual: list[str], kept: Iterable[str]) -> list[str]:
    """Return the usual order with those that were moved in the order kept."""
    known = [key for key in kept if key in usual]
    places = iter(known)
    return [next(places) if key in known else key for key in usual]
