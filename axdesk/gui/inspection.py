"""Which trials are looked at: selected, brought into sight, and shown in the inspector."""

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtWidgets import QMainWindow, QMenu

from axdesk.gui.actions import TRIAL_MENU, Actions
from axdesk.gui.arrangement import Arrangement
from axdesk.gui.models.layout import Mode
from axdesk.gui.models.selection import Selection
from axdesk.gui.pages import Pages
from axdesk.gui.trial_history import TrialHistory
from axdesk.gui.views.inspector import InspectorView
from axdesk.gui.views.trials_view import TrialsView
from axdesk.gui.workbench import Workbench


class Inspection(QObject):
    """Goes to trials of the experiment shown, wherever they were asked for."""

    def __init__(
        self,
        window: QMainWindow,
        workbench: Workbench,
        selection: Selection,
        trials_view: TrialsView,
        inspector: InspectorView,
        pages: Pages,
        docks: Arrangement,
        actions: Actions,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._selection = selection
        self._trials_view = trials_view
        self._inspector = inspector
        self._pages = pages
        self._docks = docks
        self._actions = actions
        self._history = TrialHistory(workbench, self)
        self._history.read.connect(self.show)
        inspector.step_requested.connect(self._step)
        inspector.close_requested.connect(docks["inspector"].close)
        inspector.trial_requested.connect(self.go_to)
        trials_view.details_requested.connect(self.show_details)
        for source in (selection, trials_view, inspector):
            source.menu_requested.connect(self._open_menu)

    def show(self) -> None:
        """Show in the inspector what is selected."""
        session = self._workbench.current
        if session is None:
            self._inspector.show_trials((), None)
            return
        chosen = [t for i in self._selection.trials if (t := session.trial(i)) is not None]
        history = self._history.of(session.id, chosen[0]) if len(chosen) == 1 else ()
        self._inspector.show_trials(chosen, session.facts, history)

    def go_to(self, trial_index: int) -> None:
        """Select a trial and bring its row into sight."""
        self._selection.select(trial_index)
        self._trials_view.select(trial_index)

    def show_in_monitor(self, trial_index: int) -> None:
        """Go to a trial, on the tab where it can be seen."""
        self._pages.show_tab(Mode.MONITOR)
        self.go_to(trial_index)

    def show_best(self) -> None:
        """Go to the best trial, if there is one."""
        session = self._workbench.current
        best = session.facts.best if session else None
        if best is not None:
            self.show_in_monitor(best.index)

    def show_details(self, trial_index: int | None) -> None:
        """Go to a trial and open the inspector."""
        if trial_index is not None:
            self.go_to(trial_index)
            self._docks["inspector"].show()

    def _step(self, step: int) -> None:
        session, current = self._workbench.current, self._selection.current
        if session is not None and current is not None:
            wanted = current + step
            if session.trial(wanted) is not None:
                self.go_to(wanted)

    def _open_menu(self, place: QPoint) -> None:
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)  # they say why an action is off
        for name in TRIAL_MENU:
            if name:
                menu.addAction(self._actions[name])
            else:
                menu.addSeparator()
        menu.popup(place)
