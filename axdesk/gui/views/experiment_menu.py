"""The context menu of an experiment, in the list and on the start page."""

from typing import Protocol

from PySide6.QtCore import QPoint, Qt, SignalInstance
from PySide6.QtWidgets import QListView, QMenu

from axdesk.gui.icons import icon
from axdesk.gui.models.experiments_model import SUMMARY_ROLE
from axdesk.gui.widgets.roles import Role


class ListsExperiments(Protocol):
    """A view whose signals carry the number of an experiment."""

    open_requested: SignalInstance
    duplicate_requested: SignalInstance
    delete_requested: SignalInstance


def open_experiment_menu(view: ListsExperiments, rows: QListView, place: QPoint) -> None:
    """Open the menu of the experiment at `place`, in the coordinates of the rows' viewport."""
    index = rows.indexAt(place)
    if not index.isValid():
        return
    experiment_id = index.data(Role.KEY)
    menu = QMenu(rows)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction("Open", lambda: view.open_requested.emit(experiment_id))
    menu.addAction(
        icon("copy", "text2"), "Duplicate", lambda: view.duplicate_requested.emit(experiment_id)
    )
    menu.addSeparator()
    delete = menu.addAction(
        icon("trash", "text2"), "Delete…", lambda: view.delete_requested.emit(experiment_id)
    )
    if index.data(SUMMARY_ROLE).state.is_live:
        delete.setEnabled(False)
        delete.setText("Delete… (stop it first)")
    menu.popup(rows.viewport().mapToGlobal(place))
