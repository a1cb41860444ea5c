"""The main window: lays out and connects; what happens is decided elsewhere."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QMainWindow

from axdesk.api.places import log_folder
from axdesk.core.draft_cells import Problems
from axdesk.core.errors import AxdeskError
from axdesk.core.questions import Answer
from axdesk.core.run import RunState
from axdesk.gui.actions import SUBMENUS, Actions, Slots
from axdesk.gui.arrangement import Arrangement
from axdesk.gui.closing import Closing
from axdesk.gui.command_palette import CommandPalette
from axdesk.gui.database_desk import DatabaseDesk
from axdesk.gui.editing import Editing
from axdesk.gui.files import Files
from axdesk.gui.help import Help
from axdesk.gui.inspection import Inspection
from axdesk.gui.layouts import Layouts
from axdesk.gui.models.attention_model import error_item
from axdesk.gui.models.banner_content import banner_content
from axdesk.gui.models.layout import Mode
from axdesk.gui.models.log_model import LogModel
from axdesk.gui.models.run_facts import runner_name
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.setup_texts import unfinished
from axdesk.gui.notifier import Notifier
from axdesk.gui.operations import Operations
from axdesk.gui.pages import Pages
from axdesk.gui.plugin_desk import PluginDesk
from axdesk.gui.preferences import Preferences
from axdesk.gui.program_log import ProgramLog
from axdesk.gui.report_desk import ReportDesk
from axdesk.gui.rescue import Rescue
from axdesk.gui.session import ExperimentSession
from axdesk.gui.settings import WindowSettings
from axdesk.gui.trial_files import TrialFiles
from axdesk.gui.trial_import import TABLES, TrialImport
from axdesk.gui.trial_operations import TrialOperations
from axdesk.gui.views.attention_view import AttentionView
from axdesk.gui.views.experiments_view import ExperimentsView
from axdesk.gui.views.inspector import InspectorView
from axdesk.gui.views.log_view import LogView
from axdesk.gui.views.plugins_view import PluginsView
from axdesk.gui.views.run_toolbar import BannerToolBar, RunToolBar
from axdesk.gui.views.status_bar import StatusBar
from axdesk.gui.views.trials_view import TrialsView
from axdesk.gui.widgets.banner import Banner
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.gui.views.setup_view import SetupView

TICK_MS = 1000
LOG_MS = 100
"""What the program logs is shown together at this interval."""

FIRST_SIZE = QSize(1440, 900)
LEAST_SIZE = QSize(1024, 640)


class MainWindow(QMainWindow):
    """The one window.

    Signals:
        closed: The window is closed and everything is saved.
    """

    closed = Signal()

    def __init__(
        self,
        workbench: Workbench,
        settings: WindowSettings | None = None,
        log: ProgramLog | None = None,
    ) -> None:
        """Make the window.

        Args:
            workbench: The experiments.
            settings: What is kept between two starts; None keeps it in memory.
            log: What axdesk writes down about itself; None for one that writes nothing.
        """
        super().__init__()
        self.settings = settings or WindowSettings()
        self.setObjectName("window.main")
        self.setWindowTitle("axdesk")
        self.setMinimumSize(LEAST_SIZE)
        self.resize(FIRST_SIZE)
        self._workbench = workbench
        self.selection = Selection(self)
        self._calls = 0
        self._was_shown = False
        self._session_connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self.actions_by_name = Actions(self)
        self._log = log or ProgramLog(log_folder())
        self.reports = ReportDesk(self, self._log)
        self._notifier = Notifier(self, workbench, self.settings)
        self._database_desk = DatabaseDesk(self, workbench)
        self._program_lines = LogModel(self)
        self._show_log_soon = QTimer(self)
        self._show_log_soon.setSingleShot(True)
        self._show_log_soon.setInterval(LOG_MS)
        self._show_log_soon.timeout.connect(self._show_log)
        self._log.recorded.connect(self._show_log_soon.start)
        self._operations = Operations(self, workbench, self.actions_by_name)
        self.trial_operations = TrialOperations(self, workbench, self.actions_by_name)
        self._closing = Closing(self, workbench)
        self._help = Help(self)
        self.files = Files(self, workbench)
        self.trial_files = TrialFiles(
            self, workbench, self.settings, self.selection, self.actions_by_name
        )
        self.trial_import = TrialImport(self, workbench)
        self.setAcceptDrops(True)
        self._build_views()
        self.docks = Arrangement(
            self,
            {
                "experiments": self.experiments_view,
                "plugins": self.plugins_view,
                "inspector": self.inspector,
                "trials": self.trials_view,
                "log": self.log_view,
                "attention": self.attention_view,
            },
        )
        self.inspection = Inspection(
            self, workbench, self.selection, self.trials_view, self.inspector, self.pages,
            self.docks, self.actions_by_name,
        )  # fmt: skip
        self._build_bars()
        self._connect()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self._let_time_go_on)
        self._tick.start()
        self._show_session()

    # building

    def _build_views(self) -> None:
        self.banner = Banner()
        self.pages = Pages(self._workbench, self.selection, self.settings)
        self.setCentralWidget(self.pages)
        self.experiments_view = ExperimentsView(self._workbench.experiments)
        self.plugin_desk = PluginDesk(self._workbench, self)
        self.plugins_view = PluginsView(self.plugin_desk.model)
        self.trials_view = TrialsView(
            self.selection,
            self.settings,
            self.actions_by_name["trials.new_manual"],
            [self.actions_by_name[name] for name in SUBMENUS["Export"]],
        )
        self.log_view = LogView()
        self.attention_view = AttentionView()
        self.inspector = InspectorView()

    def _build_bars(self) -> None:
        actions = self.actions_by_name
        named = {name: actions[name] for name in ("file.new", "file.open", "file.save", "run.start",
                 "run.pause", "run.stop", "run.stop_now", "trials.new_manual",
                 "tools.command_palette")}  # fmt: skip
        self._toolbar = RunToolBar(named)
        self.addToolBar(self._toolbar)
        self.addToolBarBreak()
        self._banner_bar = BannerToolBar(self.banner)
        self.addToolBar(self._banner_bar)
        self._status = StatusBar()
        self.setStatusBar(self._status)
        self._layouts = Layouts(self, self.docks, actions, self.settings)
        self._editing = Editing(self, self._workbench, self.docks, actions)
        submenus = {
            "Panels": self.docks.panels_menu(),
            "Layouts": self._layouts.menu,
            "Undo list": self._editing.undo_list,
        }
        actions.fill(self.menuBar(), submenus | self.files.menus)
        # Actions that only a button shows need the window to hear their shortcuts.
        self.addActions(list(actions))
        self._palette = CommandPalette(
            self, self._workbench, self.settings, self.inspection.show_in_monitor,
            lambda: self.selection.trials,
        )  # fmt: skip
        self.preferences = Preferences(
            self, self._workbench, self.plugin_desk, actions, self.settings
        )

    def _connect(self) -> None:
        workbench, operations, pages = self._workbench, self._operations, self.pages
        trials, inspection = self.trial_operations, self.inspection
        workbench.loaded.connect(self._show_database)
        workbench.unavailable.connect(self._show_unavailable)
        self._rescue = Rescue(self, workbench, pages.database_page)
        workbench.current_changed.connect(self._show_session)
        workbench.failed.connect(self._show_failure)
        workbench.opened_interrupted.connect(operations.review_interrupted)
        workbench.started_demo.connect(lambda: pages.show_tab(Mode.MONITOR))
        workbench.idle.connect(self._closing.go_on)
        workbench.tests_ended.connect(self._closing.go_on)
        for view in (pages.start_page, self.experiments_view):
            view.open_requested.connect(workbench.open)
            view.new_requested.connect(self.preferences.new_experiment)
            view.duplicate_requested.connect(workbench.duplicate)
            view.delete_requested.connect(operations.delete)
        start_page = pages.start_page
        start_page.file_requested.connect(self.files.open_file)
        start_page.template_requested.connect(self.files.new_from_template)
        start_page.demo_requested.connect(workbench.start_demo)
        workbench.templates.changed.connect(
            lambda: start_page.set_templates(tuple(workbench.templates))
        )
        pages.mode_changed.connect(self._set_mode)
        pages.setup_made.connect(self._connect_setup)
        self.banner.button_clicked.connect(self._press_banner)
        self.selection.changed.connect(self._show_selection)
        self.trials_view.plots_filtered.connect(pages.filter_plots)
        self.trials_view.shown_changed.connect(self.trial_files.update_actions)
        self.attention_view.answered.connect(self._answer)
        self.attention_view.result_requested.connect(trials.enter_result)
        self.attention_view.trial_requested.connect(inspection.show_details)
        self.attention_view.end_requested.connect(operations.end_calls)
        self.attention_view.set_aside.connect(operations.set_aside)
        self.attention_view.plugin_requested.connect(operations.open_file_of)
        self.attention_view.report_requested.connect(operations.copy_report)
        self.attention_view.code_requested.connect(self._help.show_code)
        trials.trial_wanted.connect(inspection.show_in_monitor)
        self._connect_inspector()
        self._connect_plugins()
        self._connect_actions()

    def _connect_inspector(self) -> None:
        inspector, trials = self.inspector, self.trial_operations
        inspector.note_written.connect(trials.set_note)
        inspector.correct_requested.connect(trials.enter_result)
        inspector.run_again_requested.connect(trials.run_again)
        inspector.attach_requested.connect(trials.attach_file)
        inspector.files_dropped.connect(trials.attach_files)
        inspector.file_requested.connect(trials.open_file)
        inspector.detach_requested.connect(trials.detach_file)

    def _connect_plugins(self) -> None:
        desk, view, operations = self.plugin_desk, self.plugins_view, self._operations
        view.opened.connect(desk.open)
        view.reload_requested.connect(desk.reload)
        view.folder_requested.connect(operations.open_plugin_folder)
        view.new_requested.connect(operations.new_plugin)
        view.file_requested.connect(operations.open_plugin_file)
        view.check_requested.connect(desk.check)
        view.enabled.connect(desk.set_enabled)
        view.file_trusted.connect(desk.trust_file)
        view.folder_trusted.connect(desk.trust_folder)
        operations.plugin_named.connect(desk.write_new)
        desk.written.connect(operations.open_new_plugin)

    def _connect_setup(self, view: "SetupView", session: ExperimentSession) -> None:
        view.plugin_file_requested.connect(self._operations.open_plugin_file)
        view.plugin_trusted.connect(self.plugin_desk.trust_file)
        view.plugin_folder_trusted.connect(self.plugin_desk.trust_folder)
        view.start_requested.connect(self._operations.start)
        session.dry_testing.confirmation_needed.connect(self._operations.confirm_test)

    def _connect_actions(self) -> None:
        own: Slots = {
            "file.import_trials": self.trial_import.import_file,
            "file.paste_trials": self.trial_import.import_clipboard,
            "file.lock_setup": self._show_facts,
            "file.start_page": self._workbench.show_start_page,
            "file.exit": self.close,
            "view.setup": lambda: self.pages.show_tab(Mode.SETUP),
            "view.monitor": lambda: self.pages.show_tab(Mode.MONITOR),
            "view.full_screen": self._toggle_full_screen,
            "run.preflight": self.pages.check_set_up,
            "run.test_plugins": self.pages.test_plugins,
            "trials.copy_row": self.trials_view.copy_selected,
            "trials.show_details": lambda: self.inspection.show_details(self.selection.current),
            "trials.go_to_best": self.inspection.show_best,
            "plugins.manager": lambda: self.docks.show("plugins"),
            "plugins.reload_all": self.plugin_desk.reload,
            "tools.command_palette": self._palette.open,
            "tools.database": self._database_desk.open,
            "tools.log_folder": self.reports.open_log_folder,
            "help.contents": self._help.open,
            "help.shortcuts": self._palette.show_shortcuts,
            "help.report_problem": self.reports.report_problem,
        }
        self.actions_by_name.connect_all(
            own
            | self._operations.slots
            | self.trial_operations.slots(self.selection)
            | self.trial_files.slots
            | self.files.slots
            | self._editing.slots
            | self._layouts.slots
            | self.preferences.slots
        )

    # the session shown

    @property
    def _session(self) -> ExperimentSession | None:
        return self._workbench.current

    def _show_session(self) -> None:
        for signal, slot in self._session_connections:
            signal.disconnect(slot)
        self._session_connections = []
        session = self._session
        self.trials_view.set_model(session.trials_model if session else None)
        self.log_view.set_model(session.log_model if session else self._program_lines)
        self.attention_view.set_model(session.attention_model if session else None)
        self.experiments_view.set_current(session.id if session else None)
        self.selection.select(None)
        if session is None:
            self.pages.show_start()
        else:
            self._session_connections = [
                (session.changed, self._show_facts),
                (session.problems_found, self._go_to_problems),
                (session.saved, self._status.show_saved),
                (session.start_failed, self._show_start_failure),
                (session.applied, self._tell_applied),
                (self.pages.apply_bar.applied, session.apply_changes),
                (self.pages.apply_bar.discarded, session.discard_changes),
            ]
            for signal, slot in self._session_connections:
                signal.connect(slot)
            self.pages.show_experiment(session)
        self._show_facts()

    def _show_facts(self) -> None:
        session = self._session
        self._update_actions()
        self._toolbar.show_run_buttons(session is not None)
        self._show_attention_count(session)
        if session is None:
            self.setWindowTitle("axdesk")
            self._status.show_plugin("")
            self._status.show_optimiser(None)
            self._status.show_outage(self._workbench.outage, datetime.now(UTC))
            return
        facts, now = session.facts, datetime.now(UTC)
        self._status.show_outage(self._workbench.outage, now)
        self.setWindowTitle(f"{facts.name or 'Unnamed experiment'} – axdesk")
        self.banner.show_content(banner_content(facts, now))
        is_locked = self.actions_by_name["file.lock_setup"].isChecked()
        self.pages.show_facts(session, now, is_locked=is_locked)
        self.trials_view.refresh()
        self.inspection.show()
        runner = facts.setup.runner if facts.setup else None
        self._status.show_plugin(runner_name(facts), runner.reference if runner else "")
        self._status.show_optimiser(session.optimiser_ready)

    def _update_actions(self) -> None:
        self._operations.update_actions()
        self.trial_files.update_actions()
        self.trial_operations.update_actions(self.selection.trials)

    def _show_log(self) -> None:
        """Show what the program itself wrote down, beside what happens in the experiment shown."""
        lines = self._log.take()
        self._program_lines.append(lines)
        if self._session is not None:
            self._session.log_model.append(lines)

    def _show_attention_count(self, session: ExperimentSession | None) -> None:
        count = 0 if session is None else session.attention_model.open_questions
        dock = self.docks["attention"]
        title = f"Attention ({count})" if count else "Attention"
        if dock.windowTitle() != title:
            dock.setWindowTitle(title)
        calls = 0 if session is None else session.attention_model.calls_for_person
        if calls > self._calls:
            dock.raise_()
        self._calls = calls

    def _let_time_go_on(self) -> None:
        session = self._session
        if session is None:
            return
        facts, now = session.facts, datetime.now(UTC)
        self._status.show_outage(self._workbench.outage, now)
        # The facts may be newer than those shown last: the buttons go with the banner.
        self._update_actions()
        self.pages.show_start_button(session)
        self.banner.show_content(banner_content(facts, now))
        self._status.show_optimiser(session.optimiser_ready)
        if facts.pending and self.docks.mode is Mode.MONITOR:
            session.trials_model.tick(now)
            self.pages.tick(now)

    # selection and trials

    def _tell_applied(self, told: str) -> None:
        # A method: what is told after the window is gone reaches nobody.
        self.statusBar().showMessage(told, 8000)

    def _show_selection(self) -> None:
        self.inspection.show()
        self._update_actions()

    def _answer(self, trial_index: int, answer: object, for_the_rest: bool) -> None:
        self._operations.answer(trial_index, Answer(str(answer)), for_the_rest=for_the_rest)

    # what is shown

    def _press_banner(self) -> None:
        session = self._session
        if session is None:
            return
        facts = session.facts
        needs_answer = bool(facts.questions) or facts.state is RunState.NEEDS_ATTENTION
        asks = needs_answer or (facts.state is RunState.RUNNING and facts.is_held_up)
        if asks and facts.state is not RunState.INTERRUPTED:
            self.pages.show_tab(Mode.MONITOR)
            self.docks.show("attention")
            self.attention_view.show_first()
        elif facts.state is RunState.DRAFT:
            first = unfinished(session.draft_model).first
            if first is not None:
                self._go_to_problems(Problems((first,)))
        else:
            self._operations.start()

    def _go_to_problems(self, problems: object) -> None:
        if self._session is None or not isinstance(problems, Problems):
            return
        first = problems.items[0]
        self.pages.go_to_problem(first)
        self.statusBar().showMessage(first.message, 8000)

    def _show_start_failure(self, reason: str) -> None:
        """Bring what went wrong into sight: on the Setup tab, Attention is hidden."""
        self.docks.show("attention")
        self.statusBar().showMessage(f"The run was not started: {reason}", 15000)

    def _show_unavailable(self) -> None:
        self._can_open(False)
        self.pages.show_unavailable()

    def _can_open(self, can: bool) -> None:
        for name in ("file.new", "file.open"):
            self.actions_by_name[name].setEnabled(can)
        for menu in self.files.menus.values():
            menu.setEnabled(can)
        self.setAcceptDrops(can)

    def _show_database(self) -> None:
        self._can_open(True)
        self.pages.leave_database()
        database = self._workbench.database
        if database is not None:
            self.pages.start_page.set_database(database.name)
            self._status.show_database(database.name, str(database))

    def _show_failure(self, error: object) -> None:
        if isinstance(error, AxdeskError):
            self.statusBar().showMessage(f"{error} ({error.code})", 15000)
            self.pages.start_page.show_error(error.message, f"{error.hint} ({error.code})".strip())
            if self._session is not None:
                item = error_item(error, "Not carried out", datetime.now(UTC))
                self._session.notice(item)

    def _set_mode(self, mode: Mode) -> None:
        self._banner_bar.setVisible(mode is not Mode.START)
        self.docks.set_mode(mode)

    # sizes

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()
        self.actions_by_name["view.full_screen"].setChecked(self.isFullScreen())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Close the side docks where the window gets too narrow for them."""
        super().resizeEvent(event)
        self.docks.fit_width(self.width())

    def showEvent(self, event: QShowEvent) -> None:
        """Bring the docks into place."""
        super().showEvent(event)
        if not self._was_shown:
            self._was_shown = True
            self.docks.arrange()
            self._layouts.restore()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that are dragged onto the window."""
        if _dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open files that are dropped onto the window."""
        event.acceptProposedAction()
        for path in _dropped_files(event):
            if path.suffix.casefold() in TABLES:
                self.trial_import.import_path(path)
            else:
                self.files.open_path(path)

    # the end

    def leave(self) -> None:
        """Close without a question: everything is saved, running trials go on at the runner."""
        self._closing.leave()

    def come_to_front(self, file: str = "") -> None:
        """Show the window above all others, and open an experiment file if one is named."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        QApplication.alert(self)
        if file:
            self.files.open_path(Path(file))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Save and close; while runs go on, ask what becomes of them."""
        self.inspector.note.commit()
        if not self._closing.is_free():
            event.ignore()
            return
        self._tick.stop()
        self._log.recorded.disconnect(self._show_log_soon.start)
        self._show_log_soon.stop()
        self._help.close()
        self._layouts.remember()
        self.settings.geometry = bytes(self.saveGeometry().data())
        self.plugin_desk.close()
        self._workbench.close()
        event.accept()
        self.closed.emit()


def first_size(room: QRect) -> QSize:
    """How large the window is before the operator sizes it: no larger than the screen's room."""
    return FIRST_SIZE.boundedTo(room.size()).expandedTo(LEAST_SIZE)


def _dropped_files(event: QDropEvent) -> list[Path]:
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
