"""The main window: lays out and connects; what happens is decided elsewhere."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from axdesk.api.places import log_folder
from axdesk.core.draft_cells import Problems, Section
from axdesk.core.errors import AxdeskError
from axdesk.core.questions import Answer
from axdesk.core.run import RunAction, RunState
from axdesk.gui.actions import SUBMENUS, TRIAL_MENU, Actions
from axdesk.gui.arrangement import Arrangement
from axdesk.gui.closing import Closing
from axdesk.gui.command_palette import CommandPalette
from axdesk.gui.database_desk import DatabaseDesk
from axdesk.gui.editing import Editing
from axdesk.gui.files import Files
from axdesk.gui.help import Help
from axdesk.gui.layouts import Layouts
from axdesk.gui.models.attention_model import error_item
from axdesk.gui.models.banner_content import banner_content
from axdesk.gui.models.layout import Mode
from axdesk.gui.models.log_model import LogModel
from axdesk.gui.models.monitor_options import MonitorOptions, options_from
from axdesk.gui.models.run_facts import runner_name
from axdesk.gui.models.run_words import start_word, what_can_be_edited, why_off
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.setup_texts import unfinished
from axdesk.gui.notifier import Notifier
from axdesk.gui.operations import Operations
from axdesk.gui.plugin_desk import PluginDesk
from axdesk.gui.preferences import Preferences
from axdesk.gui.program_log import ProgramLog
from axdesk.gui.report_desk import ReportDesk
from axdesk.gui.rescue import Rescue
from axdesk.gui.session import ExperimentSession
from axdesk.gui.settings import WindowSettings
from axdesk.gui.text_files import read_text
from axdesk.gui.trial_files import TrialFiles
from axdesk.gui.trial_history import TrialHistory
from axdesk.gui.trial_import import TABLES, TrialImport
from axdesk.gui.trial_operations import TrialOperations
from axdesk.gui.views.apply_bar import ApplyBar
from axdesk.gui.views.attention_view import AttentionView
from axdesk.gui.views.database_page import DatabasePage
from axdesk.gui.views.experiments_view import ExperimentsView
from axdesk.gui.views.inspector import InspectorView
from axdesk.gui.views.log_view import LogView
from axdesk.gui.views.plugins_view import PluginsView
from axdesk.gui.views.run_toolbar import BannerToolBar, RunToolBar
from axdesk.gui.views.start_page import StartPage
from axdesk.gui.views.status_bar import StatusBar
from axdesk.gui.views.trials_view import TrialsView
from axdesk.gui.widgets.banner import Banner
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.gui.views.monitor import MonitorView
    from axdesk.gui.views.setup_view import SetupView

TICK_MS = 1000
LOG_MS = 100
FIRST_SIZE = QSize(1440, 900)
LEAST_SIZE = QSize(1024, 640)
"""What the program logs is shown together at this interval."""


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
        self._filter: frozenset[int] | None = None
        self._calls = 0
        self._was_shown = False
        self._session_connections: list[tuple[SignalInstance, Callable[..., object]]] = []
        self._monitor: MonitorView | None = None
        self._setup_views: dict[int, SetupView] = {}
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
        self._history = TrialHistory(workbench, self)
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
        self.start_page = StartPage(self._workbench.experiments)
        self.database_page = DatabasePage()
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
        self._setup_page = QWidget()
        self._setup_page.setObjectName("tab.setup")
        self._setup_stack = QStackedWidget()
        self.apply_bar = ApplyBar()
        setup_column = QVBoxLayout(self._setup_page)
        setup_column.setContentsMargins(0, 0, 0, 0)
        setup_column.setSpacing(0)
        setup_column.addWidget(self.apply_bar)
        setup_column.addWidget(self._setup_stack, 1)
        self._monitor_page = QWidget()
        self._monitor_page.setObjectName("tab.monitor")
        QVBoxLayout(self._monitor_page).setContentsMargins(0, 0, 0, 0)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs.central")
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self._setup_page, "Setup")
        self.tabs.addTab(self._monitor_page, "Monitor")
        self._central = QStackedWidget()
        self._central.addWidget(self.start_page)
        self._central.addWidget(self.database_page)
        self._central.addWidget(self.tabs)
        self.setCentralWidget(self._central)

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
            self, self._workbench, self.settings, self._go_to_trial, lambda: self.selection.trials
        )
        self.preferences = Preferences(
            self, self._workbench, self.plugin_desk, actions, self.settings
        )

    def _connect(self) -> None:
        workbench, operations = self._workbench, self._operations
        trials = self.trial_operations
        workbench.loaded.connect(self._show_database)
        workbench.unavailable.connect(self._show_unavailable)
        self._rescue = Rescue(self, workbench, self.database_page)
        workbench.current_changed.connect(self._show_session)
        workbench.failed.connect(self._show_failure)
        workbench.opened_interrupted.connect(operations.review_interrupted)
        workbench.started_demo.connect(lambda: self._show_tab(Mode.MONITOR))
        workbench.idle.connect(self._closing.go_on)
        workbench.tests_ended.connect(self._closing.go_on)
        workbench.session_removed.connect(self._forget_setup)
        for view in (self.start_page, self.experiments_view):
            view.open_requested.connect(workbench.open)
            view.new_requested.connect(self.preferences.new_experiment)
            view.duplicate_requested.connect(workbench.duplicate)
            view.delete_requested.connect(operations.delete)
        self.start_page.file_requested.connect(self.files.open_file)
        self.start_page.template_requested.connect(self.files.new_from_template)
        workbench.templates.changed.connect(
            lambda: self.start_page.set_templates(tuple(workbench.templates))
        )
        self.start_page.demo_requested.connect(workbench.start_demo)
        self.tabs.currentChanged.connect(self._tab_changed)
        self.banner.button_clicked.connect(self._press_banner)
        self.selection.changed.connect(self._show_selection)
        self.selection.menu_requested.connect(self._open_trial_menu)
        self.trials_view.plots_filtered.connect(self.filter_plots)
        self.trials_view.details_requested.connect(self._show_details)
        self.trials_view.menu_requested.connect(self._open_trial_menu)
        self.trials_view.shown_changed.connect(self.trial_files.update_actions)
        self.attention_view.answered.connect(self._answer)
        self.attention_view.result_requested.connect(trials.enter_result)
        self.attention_view.trial_requested.connect(self._show_details)
        self.attention_view.end_requested.connect(operations.end_calls)
        self.attention_view.set_aside.connect(operations.set_aside)
        self.attention_view.plugin_requested.connect(operations.open_file_of)
        self.attention_view.report_requested.connect(operations.copy_report)
        self.attention_view.code_requested.connect(self._help.show_code)
        trials.trial_wanted.connect(self._go_to_trial)
        self.inspector.step_requested.connect(self._step)
        self.inspector.close_requested.connect(self.docks["inspector"].close)
        self._connect_inspector()
        self._connect_plugins()
        self._connect_actions()

    def _connect_inspector(self) -> None:
        inspector, trials = self.inspector, self.trial_operations
        self._history.read.connect(self._show_in_inspector)
        inspector.note_written.connect(trials.set_note)
        inspector.correct_requested.connect(trials.enter_result)
        inspector.run_again_requested.connect(trials.run_again)
        inspector.menu_requested.connect(self._open_trial_menu)
        inspector.attach_requested.connect(trials.attach_file)
        inspector.files_dropped.connect(trials.attach_files)
        inspector.file_requested.connect(trials.open_file)
        inspector.detach_requested.connect(trials.detach_file)
        inspector.trial_requested.connect(self._go_to)

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

    def _connect_actions(self) -> None:
        workbench, operations = self._workbench, self._operations
        themes = {
            f"view.theme.{choice}": partial(self.preferences.choose_theme, choice)
            for choice in ("system", "light", "dark", "high_contrast")
        }
        self.actions_by_name.connect_all(
            themes
            | self._slots_on_trials()
            | {
                "file.new": self.preferences.new_experiment,
                "file.open": self.files.open_file,
                "file.save": self.files.save_file,
                "file.save_as_template": self.files.save_as_template,
                "file.duplicate": operations.duplicate,
                "file.delete": lambda: operations.delete(),
                "file.import_trials": self.trial_import.import_file,
                "file.paste_trials": self.trial_import.import_clipboard,
                "file.export_trials": self.trial_files.export_all,
                "file.export_shown": self.trial_files.export_shown,
                "file.export_selected": self.trial_files.export_selected,
                "file.copy_trials": self.trial_files.copy_trials,
                "file.lock_setup": self._show_facts,
                "file.start_page": workbench.show_start_page,
                "file.exit": self.close,
                "edit.undo": operations.undo,
                "edit.redo": operations.redo,
                "edit.cut": self._editing.cut,
                "edit.copy": self._editing.copy,
                "edit.paste": self._editing.paste,
                "edit.find": self._editing.find,
                "view.next_pane": self._editing.next_pane,
                "view.previous_pane": self._editing.previous_pane,
                "edit.preferences": self.preferences.open,
                "view.setup": lambda: self._show_tab(Mode.SETUP),
                "view.monitor": lambda: self._show_tab(Mode.MONITOR),
                "view.layout.operator": self._layouts.operator,
                "view.layout.engineer": self._layouts.engineer,
                "view.layout.reset": self._layouts.reset,
                "view.layout.save": self._layouts.save,
                "view.zoom_in": lambda: self.preferences.zoom_by(1),
                "view.zoom_out": lambda: self.preferences.zoom_by(-1),
                "view.zoom_reset": lambda: self.preferences.zoom_by(0),
                "view.full_screen": self._toggle_full_screen,
                "run.start": operations.start,
                "run.pause": operations.pause,
                "run.stop": operations.stop,
                "run.stop_now": operations.stop_now,
                "run.add_trials": operations.add_trials,
                "run.preflight": self._check_set_up,
                "run.test_plugins": self._test_plugins,
                "trials.copy_row": self.trials_view.copy_selected,
                "trials.show_details": lambda: self._show_details(self.selection.current),
                "trials.new_manual": self.trial_operations.new_manual,
                "trials.go_to": self.trial_operations.go_to,
                "trials.go_to_best": self._go_to_best,
                "plugins.manager": lambda: self.docks.show("plugins"),
                "plugins.new": operations.new_plugin,
                "plugins.reload_all": self.plugin_desk.reload,
                "plugins.open_folder": operations.open_plugin_folder,
                "tools.copy_headless_command": self.files.copy_headless_command,
                "tools.command_palette": self._palette.open,
                "help.contents": self._help.open,
                "help.shortcuts": self._palette.show_shortcuts,
                "tools.database": self._database_desk.open,
                "tools.log_folder": self.reports.open_log_folder,
                "help.report_problem": self.reports.report_problem,
                "help.about": operations.about,
            }
        )

    def _slots_on_trials(self) -> dict[str, Callable[[], object]]:
        """What the actions on the trials that are selected do."""
        trials, selection = self.trial_operations, self.selection
        on_current = {
            "enter_result": trials.enter_result,
            "ask_again": trials.ask_again,
            "copy_to_manual": trials.copy_to_manual,
            "note": trials.write_note,
            "attach_file": trials.attach_file,
            "open_folder": trials.open_folder,
        }
        on_all = {
            "run_again": trials.run_again,
            "replicate": trials.run_again,
            "mark_failed": trials.mark_failed,
            "abandon": trials.abandon,
            "void": trials.void,
            "exclude": trials.toggle_excluded,
            "copy_settings": trials.copy_settings,
        }

        def on_one(act: Callable[[int | None], object]) -> Callable[[], object]:
            return lambda: act(selection.current)

        def on_each(act: Callable[..., object]) -> Callable[[], object]:
            return lambda: act(*selection.trials)

        slots = {f"trials.{name}": on_one(act) for name, act in on_current.items()}
        slots |= {f"trials.{name}": on_each(each) for name, each in on_all.items()}
        return slots

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
            self._central.setCurrentWidget(self.start_page)
            self._set_mode(Mode.START)
        else:
            self._session_connections = [
                (session.changed, self._show_facts),
                (session.problems_found, self._go_to_problems),
                (session.saved, self._status.show_saved),
                (session.start_failed, self._show_start_failure),
                (session.applied, self._tell_applied),
                (self.apply_bar.applied, session.apply_changes),
                (self.apply_bar.discarded, session.discard_changes),
            ]
            for signal, slot in self._session_connections:
                signal.connect(slot)
            self._show_setup_of(session)
            self._show_monitor_options()
            self._central.setCurrentWidget(self.tabs)
            self._show_tab(Mode.MONITOR if session.facts.run is not None else Mode.SETUP)
            self._set_mode(self._tab_mode())
            self._setup_views[session.id].begin_naming()
        self._show_facts()

    def _show_setup_of(self, session: ExperimentSession) -> None:
        view = self._setup_views.get(session.id)
        if view is None:
            # With its pages it takes a tenth of the time to the first paint.
            from axdesk.gui.views.setup_view import SetupView

            view = SetupView(
                session.draft_model, session.dry_testing.model, session.preflight.model,
                self.settings,
            )  # fmt: skip
            view.parameter_file_requested.connect(partial(self._import_parameters, view))
            view.check_requested.connect(session.preflight.check)
            view.plugin_file_requested.connect(self._operations.open_plugin_file)
            view.plugin_trusted.connect(self.plugin_desk.trust_file)
            view.plugin_folder_trusted.connect(self.plugin_desk.trust_folder)
            view.test_requested.connect(session.dry_testing.prepare)
            view.stop_test_requested.connect(session.dry_testing.stop)
            session.dry_testing.confirmation_needed.connect(self._operations.confirm_test)
            view.start_requested.connect(self._operations.start)
            view.reload_plugins_requested.connect(self._workbench.reload_plugins)
            self._setup_views[session.id] = view
            self._setup_stack.addWidget(view)
        self._setup_stack.setCurrentWidget(view)

    def _import_parameters(self, view: "SetupView", path: Path) -> None:
        read = partial(read_text, path)
        self._workbench.io.post_without(read, view.import_parameters, view.refuse_parameters)

    def _check_set_up(self) -> None:
        """Go to the review, and have everything checked anew."""
        session = self._session
        if session is not None:
            self._show_tab(Mode.SETUP)
            self._setup_views[session.id].show_review()
            session.preflight.check()

    def _test_plugins(self) -> None:
        """Go to where the test is shown, and ask for one."""
        session = self._session
        if session is not None:
            self._show_tab(Mode.SETUP)
            self._setup_views[session.id].show_section(Section.RUNNER)
            session.dry_testing.prepare()

    def _forget_setup(self, experiment_id: int) -> None:
        view = self._setup_views.pop(experiment_id, None)
        if view is not None:
            self._setup_stack.removeWidget(view)
            view.deleteLater()

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
        self._setup_views[session.id].set_read_only(is_locked)
        self._show_start(session)
        locked = "File, Lock setup: nothing can be edited." if is_locked else ""
        self.apply_bar.show_changes(session.pending_changes, locked or what_can_be_edited(facts))
        if self._monitor is not None:
            self._monitor.show_facts(facts, now)
        self.trials_view.refresh()
        self._show_in_inspector()
        runner = facts.setup.runner if facts.setup else None
        self._status.show_plugin(runner_name(facts), runner.reference if runner else "")
        self._status.show_optimiser(session.optimiser_ready)

    def _update_actions(self) -> None:
        self._operations.update_actions()
        self.trial_files.update_actions()
        self.trial_operations.update_actions(self.selection.trials)

    def _show_start(self, session: ExperimentSession) -> None:
        facts = session.facts
        view = self._setup_views[session.id]
        view.set_start(start_word(facts), why_off(facts, RunAction.RESUME))

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
        self._show_start(session)
        self.banner.show_content(banner_content(facts, now))
        self._status.show_optimiser(session.optimiser_ready)
        if facts.pending and self.docks.mode is Mode.MONITOR:
            session.trials_model.tick(now)
            if self._monitor is not None:
                self._monitor.tick(now)

    # selection and trials

    def _tell_applied(self, told: str) -> None:
        # A method: what is told after the window is gone reaches nobody.
        self.statusBar().showMessage(told, 8000)

    def _show_in_inspector(self) -> None:
        session = self._session
        if session is None:
            self.inspector.show_trials((), None)
            return
        chosen = [t for i in self.selection.trials if (t := session.trial(i)) is not None]
        history = self._history.of(session.id, chosen[0]) if len(chosen) == 1 else ()
        self.inspector.show_trials(chosen, session.facts, history)

    def _show_selection(self) -> None:
        self._show_in_inspector()
        self._update_actions()

    def filter_plots(self, shown: frozenset[int] | None) -> None:
        """Wash out in the plots all trials but these, by index; None washes out none."""
        self._filter = shown
        if self._monitor is not None:
            self._monitor.set_filter(shown)

    def _go_to(self, trial_index: int) -> None:
        """Select a trial and bring its row into sight."""
        self.selection.select(trial_index)
        self.trials_view.select(trial_index)

    def _show_details(self, trial_index: int | None) -> None:
        if trial_index is not None:
            self._go_to(trial_index)
            self.docks["inspector"].show()

    def _step(self, step: int) -> None:
        session, current = self._session, self.selection.current
        if session is not None and current is not None:
            wanted = current + step
            if session.trial(wanted) is not None:
                self._go_to(wanted)

    def _go_to_trial(self, trial_index: int) -> None:
        self._show_tab(Mode.MONITOR)
        self._go_to(trial_index)

    def _go_to_best(self) -> None:
        best = self._session.facts.best if self._session else None
        if best is not None:
            self._go_to_trial(best.index)

    def _open_trial_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)  # they say why an action is off
        for name in TRIAL_MENU:
            if name:
                menu.addAction(self.actions_by_name[name])
            else:
                menu.addSeparator()
        menu.popup(place)

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
            self._show_tab(Mode.MONITOR)
            self.docks.show("attention")
            self.attention_view.show_first()
        elif facts.state is RunState.DRAFT:
            first = unfinished(session.draft_model).first
            if first is not None:
                self._go_to_problems(Problems((first,)))
        else:
            self._operations.start()

    def _go_to_problems(self, problems: object) -> None:
        session = self._session
        if session is None or not isinstance(problems, Problems):
            return
        self._show_tab(Mode.SETUP)
        first = problems.items[0]
        self._setup_views[session.id].go_to(first)
        self.statusBar().showMessage(first.message, 8000)

    def _show_start_failure(self, reason: str) -> None:
        """Bring what went wrong into sight: on the Setup tab, Attention is hidden."""
        self.docks.show("attention")
        self.statusBar().showMessage(f"The run was not started: {reason}", 15000)

    def _show_unavailable(self) -> None:
        self._can_open(False)
        self._central.setCurrentWidget(self.database_page)

    def _can_open(self, can: bool) -> None:
        for name in ("file.new", "file.open"):
            self.actions_by_name[name].setEnabled(can)
        for menu in self.files.menus.values():
            menu.setEnabled(can)
        self.setAcceptDrops(can)

    def _show_database(self) -> None:
        self._can_open(True)
        if self._central.currentWidget() is self.database_page:
            self._central.setCurrentWidget(self.start_page)
        database = self._workbench.database
        if database is not None:
            self.start_page.set_database(database.name)
            self._status.show_database(database.name, str(database))

    def _show_failure(self, error: object) -> None:
        if isinstance(error, AxdeskError):
            self.statusBar().showMessage(f"{error} ({error.code})", 15000)
            self.start_page.show_error(error.message, f"{error.hint} ({error.code})".strip())
            if self._session is not None:
                item = error_item(error, "Not carried out", datetime.now(UTC))
                self._session.notice(item)

    def _show_tab(self, mode: Mode) -> None:
        if self._session is not None:
            self.tabs.setCurrentIndex(0 if mode is Mode.SETUP else 1)

    def _tab_mode(self) -> Mode:
        return Mode.SETUP if self.tabs.currentIndex() == 0 else Mode.MONITOR

    def _tab_changed(self) -> None:
        if self._session is not None:
            self._set_mode(self._tab_mode())

    def _set_mode(self, mode: Mode) -> None:
        if mode is Mode.MONITOR:
            self._build_monitor()
        self._banner_bar.setVisible(mode is not Mode.START)
        self.docks.set_mode(mode)

    def _build_monitor(self) -> None:
        """Make the Monitor, which imports the plot library, the first time that it is needed."""
        if self._monitor is not None:
            return
        from axdesk.gui.views.monitor import MonitorView

        self._monitor = MonitorView(self.selection)
        self._monitor.set_filter(self._filter)
        self._monitor.options_changed.connect(self._keep_monitor_options)
        self._show_monitor_options()
        layout = self._monitor_page.layout()
        if layout is not None:
            layout.addWidget(self._monitor)
        if self._session is not None:
            self._monitor.show_facts(self._session.facts, datetime.now(UTC))

    def _experiment_key(self) -> str:
        """What settings of the experiment shown are kept under."""
        session = self._session
        return "" if session is None else f"{self._workbench.database}#{session.id}"

    def _show_monitor_options(self) -> None:
        if self._monitor is not None:
            kept = self.settings.monitor_options.get(self._experiment_key())
            self._monitor.set_options(options_from(kept))

    def _keep_monitor_options(self, options: MonitorOptions) -> None:
        self.settings.remember_monitor_options(self._experiment_key(), options.kept())

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
