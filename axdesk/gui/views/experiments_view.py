"""The list of experiments at the left."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout

from axdesk.gui.models.experiments_model import ExperimentFilter, ExperimentsModel, Show
from axdesk.gui.style import px
from axdesk.gui.views.experiment_menu import open_experiment_menu
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView


class ExperimentsView(Surface):
    """Filter, what is shown, `+` and the list.

    Signals:
        open_requested: The operator chose an experiment; carries its id.
        new_requested: The operator wants a new one.
        duplicate_requested: … a copy of an experiment; carries its id.
        delete_requested: … to delete an experiment; carries its id.
    """

    open_requested = Signal(int)
    new_requested = Signal()
    duplicate_requested = Signal(int)
    delete_requested = Signal(int)

    def __init__(self, model: ExperimentsModel) -> None:
        super().__init__("window")
        self._current: int | None = None
        self._proxy = ExperimentFilter(model, self)
        self._filter = TextField(
            placeholder="Filter", name="experiments.filter", icon_name="search"
        )
        self._filter.setAccessibleName("Filter experiments")
        self._filter.setToolTip("By name, goal or state")
        self._filter.textChanged.connect(self._proxy.set_text)
        self._show = Button("Show all", "filter", kind="icon", name="experiments.show")
        self._show.setMenu(self._show_menu())
        new = Button(
            "New experiment", "plus", kind="icon", name="experiments.new",
            on_click=self.new_requested.emit,
        )  # fmt: skip
        self._list = ListView(name="experiments.list", label="Experiments")
        self._list.setModel(self._proxy)
        self._list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._list.customContextMenuRequested.connect(self._open_menu)
        self._list.clicked.connect(self._choose)
        self._list.activated.connect(self._choose)
        model.modelReset.connect(self._select_current)
        self._empty = label("", "small", "text2", wrap=True)
        self._empty.setContentsMargins(px(16), px(4), px(12), 0)
        for signal in (self._proxy.modelReset, self._proxy.rowsInserted, self._proxy.rowsRemoved):
            signal.connect(self._show_whether_empty)
        self._model = model
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(8))
        row = QHBoxLayout()
        row.setContentsMargins(px(8), 0, px(6), 0)
        row.setSpacing(px(4))
        row.addWidget(self._filter)
        row.addWidget(self._show)
        row.addWidget(new)
        layout.addLayout(row)
        layout.addWidget(self._empty)
        layout.addWidget(self._list, 1)
        self._show_whether_empty()

    def _show_menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for show in Show:
            action = menu.addAction(show.value)
            action.setCheckable(True)
            action.setChecked(show is Show.ALL)
            action.setObjectName(f"experiments.show.{show.name.lower()}")
            action.triggered.connect(lambda _=False, show=show: self._choose_show(show))
            group.addAction(action)
        return menu

    def _choose_show(self, show: Show) -> None:
        self._proxy.set_show(show)
        words = f"Show {show.value.lower()}"
        self._show.setToolTip(words)
        self._show.setAccessibleName(words)
        self._select_current()

    def _show_whether_empty(self) -> None:
        is_empty = not self._proxy.rowCount()
        hides_some = bool(self._model.rowCount())
        self._empty.setText("None fits the filter." if hides_some else "No experiments yet.")
        self._empty.setVisible(is_empty)

    def set_current(self, experiment_id: int | None) -> None:
        """Mark the experiment that is shown."""
        self._current = experiment_id
        self._select_current()

    def _select_current(self) -> None:
        for row in range(self._proxy.rowCount()):
            index = self._proxy.index(row, 0)
            if index.data(Role.KEY) == self._current:
                self._list.setCurrentIndex(index)
                return
        self._list.setCurrentIndex(QModelIndex())

    def _choose(self, index: QModelIndex) -> None:
        self.open_requested.emit(index.data(Role.KEY))

    def _open_menu(self, place: QPoint) -> None:
        open_experiment_menu(self, self._list, place)
