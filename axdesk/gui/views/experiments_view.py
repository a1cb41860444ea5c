"""The list of experiments at the left."""

from PySide6.QtCore import QModelIndex, QPoint, QSortFilterProxyModel, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from axdesk.gui.models.experiments_model import ExperimentsModel
from axdesk.gui.style import px
from axdesk.gui.views.experiment_menu import open_experiment_menu
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView


class ExperimentsView(Surface):
    """Filter, `+` and the list.

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
        self._proxy = QSortFilterProxyModel(self)
        self._proxy.setSourceModel(model)
        self._proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._filter = TextField(
            placeholder="Filter experiments", name="experiments.filter", icon_name="search"
        )
        self._filter.setAccessibleName("Filter experiments")
        self._filter.textChanged.connect(self._proxy.setFilterFixedString)
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
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(8))
        row = QHBoxLayout()
        row.setContentsMargins(px(8), 0, px(6), 0)
        row.setSpacing(px(4))
        row.addWidget(self._filter)
        row.addWidget(new)
        layout.addLayout(row)
        layout.addWidget(self._list)

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
