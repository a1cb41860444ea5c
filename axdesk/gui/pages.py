"""The middle of the window: the start page, the database page, or the tabs of an experiment."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.run import RunAction
from axdesk.gui.models.layout import Mode
from axdesk.gui.models.monitor_options import MonitorOptions, options_from
from axdesk.gui.models.run_words import start_word, what_can_be_edited, why_off
from axdesk.gui.models.selection import Selection
from axdesk.gui.session import ExperimentSession
from axdesk.gui.settings import WindowSettings
from axdesk.gui.text_files import read_text
from axdesk.gui.views.apply_bar import ApplyBar
from axdesk.gui.views.database_page import DatabasePage
from axdesk.gui.views.start_page import StartPage
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.gui.views.monitor import MonitorView
    from axdesk.gui.views.setup_view import SetupView

_TABS = (Mode.SETUP, Mode.MONITOR)


class Pages(QStackedWidget):
    """Shows one page at a time, and makes those of an experiment when they are first needed.

    Attributes:
        setup_views: The set-ups that are open, by the number of their experiment.
        monitor: The one Monitor; None until it is first needed.

    Signals:
        mode_changed: Something else is shown in the middle; carries the `Mode`.
        setup_made: A set-up was opened; carries its `SetupView` and its session.
    """

    mode_changed = Signal(object)
    setup_made = Signal(object, object)

    def __init__(
        self, workbench: Workbench, selection: Selection, settings: WindowSettings
    ) -> None:
        super().__init__()
        self._workbench = workbench
        self._selection = selection
        self._settings = settings
        self._filter: frozenset[int] | None = None
        self.monitor: MonitorView | None = None
        self.setup_views: dict[int, SetupView] = {}
        self.start_page = StartPage(workbench.experiments)
        self.database_page = DatabasePage()
        self.apply_bar = ApplyBar()
        self._setup_stack = QStackedWidget()
        setup_page, setup_column = _page("tab.setup")
        setup_column.addWidget(self.apply_bar)
        setup_column.addWidget(self._setup_stack, 1)
        monitor_page, self._monitor_column = _page("tab.monitor")
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs.central")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(setup_page, "Setup")
        self.tabs.addTab(monitor_page, "Monitor")
        self.tabs.currentChanged.connect(self._tell_tab)
        for page in (self.start_page, self.database_page, self.tabs):
            self.addWidget(page)
        workbench.session_removed.connect(self._forget)

    # which page

    def show_start(self) -> None:
        """Show the start page."""
        self.setCurrentWidget(self.start_page)
        self._tell_mode(Mode.START)

    def show_unavailable(self) -> None:
        """Show the database page."""
        self.setCurrentWidget(self.database_page)

    def leave_database(self) -> None:
        """Show the start page in place of the database page."""
        if self.currentWidget() is self.database_page:
            self.setCurrentWidget(self.start_page)

    def show_experiment(self, session: ExperimentSession) -> None:
        """Show the tabs of an experiment, first the Monitor if there was a run."""
        self._show_setup_of(session)
        self._show_monitor_options()
        self.setCurrentWidget(self.tabs)
        self.show_tab(Mode.MONITOR if session.facts.run is not None else Mode.SETUP)
        self._tell_mode(_TABS[self.tabs.currentIndex()])
        self.setup_views[session.id].begin_naming()

    def show_tab(self, mode: Mode) -> None:
        """Show a tab of the experiment; without one nothing happens."""
        if self._workbench.current is not None:
            self.tabs.setCurrentIndex(_TABS.index(mode))

    def _tell_tab(self, index: int) -> None:
        if self._workbench.current is not None:
            self._tell_mode(_TABS[index])

    def _tell_mode(self, mode: Mode) -> None:
        if mode is Mode.MONITOR:
            self._build_monitor()
        self.mode_changed.emit(mode)

    # what is shown there

    def show_facts(self, session: ExperimentSession, now: datetime, *, is_locked: bool) -> None:
        """Show what is known of an experiment.

        Args:
            session: Which.
            now: Aware; what is going on is timed by it.
            is_locked: Whether the operator locked the set-up.
        """
        facts = session.facts
        self.setup_views[session.id].set_read_only(is_locked)
        self.show_start_button(session)
        locked = "File, Lock setup: nothing can be edited." if is_locked else ""
        self.apply_bar.show_changes(session.pending_changes, locked or what_can_be_edited(facts))
        if self.monitor is not None:
            self.monitor.show_facts(facts, now)

    def show_start_button(self, session: ExperimentSession) -> None:
        """Say what a start would do now, or why there is none."""
        facts = session.facts
        view = self.setup_views[session.id]
        view.set_start(start_word(facts), why_off(facts, RunAction.RESUME))

    def tick(self, now: datetime) -> None:
        """Let time go on in the Monitor."""
        if self.monitor is not None:
            self.monitor.tick(now)

    def filter_plots(self, shown: frozenset[int] | None) -> None:
        """Wash out in the plots all trials but these, by index; None washes out none."""
        self._filter = shown
        if self.monitor is not None:
            self.monitor.set_filter(shown)

    # places in the set-up

    def go_to_problem(self, problem: Problem) -> None:
        """Go to where the set-up shown has a problem."""
        session = self._workbench.current
        if session is not None:
            self.show_tab(Mode.SETUP)
            self.setup_views[session.id].go_to(problem)

    def check_set_up(self) -> None:
        """Go to the review, and have everything checked anew."""
        session = self._workbench.current
        if session is not None:
            self.show_tab(Mode.SETUP)
            self.setup_views[session.id].show_review()
            session.preflight.check()

    def test_plugins(self) -> None:
        """Go to where the test is shown, and ask for one."""
        session = self._workbench.current
        if session is not None:
            self.show_tab(Mode.SETUP)
            self.setup_views[session.id].show_section(Section.RUNNER)
            session.dry_testing.prepare()

    # set-ups

    def _show_setup_of(self, session: ExperimentSession) -> None:
        view = self.setup_views.get(session.id)
        if view is None:
            view = self.setup_views[session.id] = self._made_setup(session)
            self._setup_stack.addWidget(view)
        self._setup_stack.setCurrentWidget(view)

    def _made_setup(self, session: ExperimentSession) -> "SetupView":
        # With its pages it takes a tenth of the time to the first paint.
        from axdesk.gui.views.setup_view import SetupView

        testing, preflight = session.dry_testing, session.preflight
        view = SetupView(session.draft_model, testing.model, preflight.model, self._settings)
        view.parameter_file_requested.connect(partial(self._import_parameters, view))
        view.check_requested.connect(preflight.check)
        view.test_requested.connect(testing.prepare)
        view.stop_test_requested.connect(testing.stop)
        view.reload_plugins_requested.connect(self._workbench.reload_plugins)
        self.setup_made.emit(view, session)
        return view

    def _import_parameters(self, view: "SetupView", path: Path) -> None:
        read = partial(read_text, path)
        self._workbench.io.post_without(read, view.import_parameters, view.refuse_parameters)

    def _forget(self, experiment_id: int) -> None:
        view = self.setup_views.pop(experiment_id, None)
        if view is not None:
            self._setup_stack.removeWidget(view)
            view.deleteLater()

    # the Monitor

    def _build_monitor(self) -> None:
        """Make the Monitor, which imports the plot library, the first time that it is needed."""
        if self.monitor is not None:
            return
        from axdesk.gui.views.monitor import MonitorView

        self.monitor = MonitorView(self._selection)
        self.monitor.set_filter(self._filter)
        self.monitor.options_changed.connect(self._keep_monitor_options)
        self._show_monitor_options()
        self._monitor_column.addWidget(self.monitor)
        session = self._workbench.current
        if session is not None:
            self.monitor.show_facts(session.facts, datetime.now(UTC))

    def _experiment_key(self) -> str:
        """What settings of the experiment shown are kept under."""
        session = self._workbench.current
        return "" if session is None else f"{self._workbench.database}#{session.id}"

    def _show_monitor_options(self) -> None:
        if self.monitor is not None:
            kept = self._settings.monitor_options.get(self._experiment_key())
            self.monitor.set_options(options_from(kept))

    def _keep_monitor_options(self, options: MonitorOptions) -> None:
        self._settings.remember_monitor_options(self._experiment_key(), options.kept())


def _page(name: str) -> tuple[QWidget, QVBoxLayout]:
    """Make an empty page without margins; return its column, too."""
    page = QWidget()
    page.setObjectName(name)
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return page, column
