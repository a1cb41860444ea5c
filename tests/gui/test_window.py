"""The window itself, on a workspace in memory: what is shown, what can be pressed."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton, QWidget

from axdesk.core.commands import (
    AnswerQuestion,
    EnterResult,
    FetchAgain,
    SetExcluded,
    SetNote,
    Stop,
    Void,
)
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import StorageError
from axdesk.core.events import QuestionAsked, RunChanged, RunFinished, TrialChanged
from axdesk.core.questions import Answer, Question
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from axdesk.gui.actions import ACTIONS, MENUS, SUBMENUS, off_reason
from axdesk.gui.main_window import MainWindow
from axdesk.gui.models.monitor_options import MonitorOptions, XAxis
from axdesk.gui.style import theme_manager
from axdesk.gui.theme import run_state_look
from axdesk.gui.widgets.roles import Role
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace, ScriptedClient, coupling_experiment, coupling_setup
from tests.gui.test_session import first_run, running_trial

if TYPE_CHECKING:
    from axdesk.gui.views.dialogs import AddTrialsDialog, EnterResultDialog, TextDialog

QtBot = Any


class Bench:
    """A window that is shown, with what lies behind it."""

    def __init__(self, qtbot: QtBot, workspace: MemoryWorkspace) -> None:
        self.qtbot = qtbot
        self.workspace = workspace
        self.workbench = Workbench(lambda _: workspace)  # type: ignore[arg-type,return-value]
        self.window = MainWindow(self.workbench)
        self.window.show()
        qtbot.waitExposed(self.window)
        with qtbot.waitSignal(self.workbench.loaded, timeout=5000):
            self.workbench.begin()

    def until(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)

    def open(self, number: int) -> None:
        self.workbench.open(number)
        self.until(lambda: self.session is not None and self.session.id == number)

    @property
    def session(self) -> Any:
        return self.workbench.current

    def start(self) -> ScriptedClient:
        self.action("run.start").trigger()
        self.until(lambda: self.session.is_live)
        client = self.workspace.clients[-1]
        client.tell(RunChanged(first_run()), TrialChanged(running_trial(0)))
        self.until(lambda: self.session.trials_model.rowCount() == 1)
        self.until(lambda: self.action("run.stop_now").isEnabled())
        return client

    def action(self, name: str) -> Any:
        return self.window.actions_by_name[name]

    def find(self, name: str, kind: type[QWidget] = QWidget) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def trial_in_table(self) -> Any:
        """The trial of the row that has the focus of the table."""
        return self.find("trials.table").currentIndex().data(Role.KEY)

    def dialog(self, name: str) -> Any:
        self.until(lambda: self.window.findChild(QDialog, name) is not None)
        return self.window.findChild(QDialog, name)

    def press(self, name: str) -> None:
        self.qtbot.mouseClick(self.find(name, QPushButton), Qt.MouseButton.LeftButton)

    def close(self) -> None:
        for client in self.workspace.clients:
            client.end()
        self.until(lambda: not self.workbench.live_sessions)
        self.window._closing._waits = False
        self.window.close()
        self.until(lambda: self.workbench.io.isFinished())
        self.window.deleteLater()


@pytest.fixture
def workspace() -> MemoryWorkspace:
    return MemoryWorkspace()


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication, workspace: MemoryWorkspace) -> Iterator[Bench]:
    bench = Bench(qtbot, workspace)
    yield bench
    bench.close()
    theme_manager().choose("system")
    theme_manager().set_zoom(100)


@pytest.fixture
def ready(bench: Bench) -> Bench:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    return bench


@pytest.fixture
def stopped(bench: Bench) -> Bench:
    bench.open(bench.workspace.add(coupling_experiment(RunState.STOPPED)))
    return bench


def test_the_start_page_lists_what_there_is(qtbot: QtBot, qapp: QApplication) -> None:
    workspace = MemoryWorkspace()
    workspace.add(coupling_experiment(RunState.COMPLETED, "Suzuki coupling A"))
    cut = workspace.add(coupling_experiment(RunState.RUNNING, "Amide workup"), RunState.INTERRUPTED)
    workspace.new_draft(Draft({"name": "Buchwald screening"}))
    bench = Bench(qtbot, workspace)
    try:
        page = bench.window.pages.start_page
        assert page.isVisible()
        assert not bench.window.banner.isVisible()
        assert bench.find("start.list").model().rowCount() == 3
        bench.until(lambda: bench.find("start.interrupted").isVisible())
        told = [found.text() for found in bench.find("start.interrupted").findChildren(QLabel)]
        assert not any(text.startswith("now") for text in told)
        bench.find("start.filter").setText("buchwald")
        assert bench.find("start.list").model().rowCount() == 1
        bench.find("start.filter").clear()
        bench.find("start.interrupted").findChildren(QPushButton)[1].click()
        bench.until(lambda: bench.session is not None)
        assert bench.session.id == cut
        dialog = bench.dialog("dialog.interrupted")
        dialog.choose("leave_stopped")
        assert bench.session.state is RunState.INTERRUPTED
    finally:
        bench.close()


def test_an_interrupted_run_is_resumed_from_its_dialog(bench: Bench) -> None:
    cut = bench.workspace.add(coupling_experiment(RunState.RUNNING), RunState.INTERRUPTED)
    bench.open(cut)
    bench.dialog("dialog.interrupted")
    bench.press("dialog.interrupted.resume")
    bench.until(lambda: bench.session.is_live)
    bench.until(lambda: bench.workspace.clients[0].arguments == [()])


def test_a_new_experiment_opens_its_set_up(bench: Bench) -> None:
    bench.press("start.new")
    bench.until(lambda: bench.session is not None)
    assert bench.window.pages.tabs.currentIndex() == 0
    assert bench.find("status.banner.state").text() == "Draft"
    assert not bench.action("run.start").isEnabled()
    assert not bench.window.docks["trials"].isVisible()


def test_what_is_typed_is_there_after_leaving_and_coming_back(bench: Bench) -> None:
    bench.press("start.new")
    bench.until(lambda: bench.session is not None)
    number = bench.session.id
    bench.session.draft_model.edit(Section.GENERAL, 0, "name", "Half ty")
    bench.workbench.show_start_page()
    bench.open(number)
    assert bench.session.facts.name == "Half ty"
    bench.until(lambda: bench.workspace.drafts[number].general.get("name") == "Half ty")
    bench.until(lambda: [s.name for s in bench.workbench.experiments.summaries] == ["Half ty"])


@pytest.mark.parametrize(
    ("state", "start", "visible"),
    [
        (RunState.PAUSED, "Resume", {"start", "stop"}),
        (RunState.NEEDS_ATTENTION, "Resume", {"start", "stop", "stop_now"}),
        (RunState.PAUSING, "Cancel pausing", {"start", "stop", "stop_now"}),
        (RunState.STOPPING, "Cancel stopping", {"start", "stop", "stop_now"}),
        (RunState.RUNNING, "Resume", {"pause", "stop", "stop_now"}),
    ],
)
def test_the_buttons_follow_the_state(
    ready: Bench, state: RunState, start: str, visible: set[str]
) -> None:
    client = ready.start()
    client.tell(RunChanged(first_run(state)))
    if state is RunState.PAUSED:
        finished = running_trial(0).moved_to(TrialStatus.FAILED, reason="spilt")
        client.tell(TrialChanged(finished))
    ready.until(
        lambda: ready.find("status.banner.state").text() == run_state_look(state.value).word
    )
    ready.until(lambda: ready.action("run.start").text() == start)

    def shown() -> set[str]:
        names = ("start", "pause", "stop", "stop_now")
        return {name for name in names if ready.find(f"toolbar.run.{name}").isVisible()}

    # The banner may be a tick of its clock ahead of the buttons.
    ready.until(lambda: shown() == visible)
    allowed = {action.value for action in ready.session.facts.actions}
    assert ready.find("toolbar.run.stop").isEnabled() == ("stop" in allowed)
    assert ready.find("toolbar.run.start").isEnabled() == bool(allowed & {"start", "resume"})


def test_a_run_is_started_stopped_and_shown(ready: Bench) -> None:
    client = ready.start()
    ready.action("view.monitor").trigger()
    assert ready.window.docks["trials"].isVisible()
    assert ready.find("trials.table").model().rowCount() == 1
    ready.action("run.stop").trigger()
    assert client.commands == [Stop()]
    client.tell(RunFinished(first_run(RunState.STOPPED)))
    client.end()
    ready.until(lambda: ready.find("status.banner.state").text() == "Stopped")
    assert ready.action("run.start").text() == "Resume"
    assert ready.action("run.start").isEnabled()


def test_stop_now_asks_first(ready: Bench) -> None:
    client = ready.start()
    ready.action("run.stop_now").trigger()
    dialog = ready.dialog("dialog.stop_now")
    assert dialog.windowTitle() == "Stop 1 running trial now?"
    dialog.choose("cancel")
    assert client.commands == []
    ready.until(lambda: ready.window.findChild(QDialog, "dialog.stop_now") is None)
    ready.action("run.stop_now").trigger()
    ready.dialog("dialog.stop_now").choose("stop")
    assert [type(c).__name__ for c in client.commands] == ["StopNow"]


def test_a_question_is_raised_and_answered(ready: Bench) -> None:
    client = ready.start()
    ready.action("view.monitor").trigger()
    answers = (Answer.ASK_RUNNER, Answer.REDEPLOY, Answer.MARK_FAILED, Answer.ABANDON)
    client.tell(QuestionAsked(Question(0, "run_trial raised OSError.", "Nothing.", answers)))
    ready.until(lambda: ready.window.docks["attention"].windowTitle() == "Attention (1)")
    assert ready.find("status.banner.button").text() == "Answer…"
    ready.find("attention.answer.redeploy", QPushButton).click()
    assert client.commands == [AnswerQuestion(0, Answer.REDEPLOY)]


def test_table_plot_and_inspector_share_the_selection(stopped: Bench) -> None:
    monitor = stopped.window.pages.monitor
    assert monitor is not None
    selection = stopped.window.selection
    selection.select(13)
    assert stopped.trial_in_table() == 13
    assert stopped.window.inspector._title.text() == "Trial #13"
    table = stopped.find("trials.table")
    table.selectRow(0)
    assert selection.current == stopped.trial_in_table() != 13
    selection.toggle(13)
    assert stopped.trial_in_table() == selection.current
    assert selection.compared == (13,)
    assert monitor.convergence.chart._selection is selection
    stopped.action("trials.go_to_best").trigger()
    assert stopped.trial_in_table() == 13


def test_how_plots_are_shown_is_kept_for_each_experiment(stopped: Bench) -> None:
    monitor, first = stopped.window.pages.monitor, stopped.session.id
    assert monitor is not None
    along = stopped.window.findChild(QAction, "monitor.convergence.x.time")
    assert isinstance(along, QAction)
    along.trigger()
    stopped.open(stopped.workspace.add(coupling_experiment(RunState.STOPPED, "Other")))
    assert monitor.convergence.chart.options == MonitorOptions()
    stopped.open(first)
    assert monitor.convergence.chart.options == MonitorOptions(x=XAxis.TIME)


def test_a_plot_compares_what_the_table_shows_selected(stopped: Bench) -> None:
    monitor = stopped.window.pages.monitor
    assert monitor is not None
    chart = monitor.convergence.chart
    monitor.grab()
    for index, keys in (
        (13, Qt.KeyboardModifier.NoModifier),
        (7, Qt.KeyboardModifier.ControlModifier),
    ):
        point = chart.point_of(index)
        assert point is not None
        stopped.qtbot.mouseClick(chart, Qt.MouseButton.LeftButton, keys, point.toPoint())
    assert stopped.window.selection.trials == (13, 7)
    rows = stopped.find("trials.table").selectionModel().selectedRows()
    assert {row.data(Role.KEY) for row in rows} == {13, 7}
    assert stopped.window.inspector._title.text() == "Trial #13"


def test_chips_filter_the_table(stopped: Bench) -> None:
    table = stopped.find("trials.table")
    stopped.find("trials.chip.failed").click()
    assert table.model().rowCount() == 1
    # A trial that the filter hides can still be shown.
    stopped.window.trials_view.select(13)
    assert stopped.trial_in_table() == 13
    assert not stopped.find("trials.chip.running").isVisible()


def test_the_menu_of_a_trial_submits_commands(stopped: Bench) -> None:
    stopped.window.trials_view.select(13)
    for name in ("trials.exclude", "trials.void", "trials.note", "trials.enter_result"):
        assert stopped.action(name).isEnabled(), name
    assert not stopped.action("trials.mark_failed").isEnabled()
    stopped.action("trials.exclude").trigger()
    stopped.action("trials.note").trigger()
    note: TextDialog = stopped.dialog("dialog.note")
    note.field.setPlainText("Foam.")
    note.choose("ok")
    stopped.action("trials.enter_result").trigger()
    result: EnterResultDialog = stopped.dialog("dialog.enter_result")
    mean, sem = result.fields["Yield"]
    mean.setText("eighty")
    assert not result.buttons["ok"].isEnabled()
    mean.setText("80,5")
    sem.setText("")
    result.choose("ok")
    assert off_reason(stopped.action("trials.abandon")) == "#13 is done. Void its result."
    stopped.action("trials.void").trigger()
    stopped.dialog("dialog.void").choose("ok")
    stopped.until(lambda: bool(stopped.workspace.clients))
    client = stopped.workspace.clients[0]
    stopped.until(lambda: len(client.commands) == 4)
    assert client.commands == [
        SetExcluded(13, True),
        SetNote(13, "Foam."),
        EnterResult(13, {"Yield": 80.5, "Impurity": (1.85, 0.04)}),
        Void(13, "voided"),
    ]


def test_a_failed_trial_is_asked_about_again_while_a_run_goes_on(ready: Bench) -> None:
    client = ready.start()
    failed = running_trial(0).moved_to(TrialStatus.FAILED, reason="result could not be fetched")
    client.tell(TrialChanged(failed), TrialChanged(running_trial(1)))
    ready.action("view.monitor").trigger()
    ready.until(lambda: ready.session.trials_model.rowCount() == 2)
    ready.window.trials_view.select(1)
    assert not ready.action("trials.ask_again").isEnabled()
    ready.window.trials_view.select(0)
    ready.until(ready.action("trials.ask_again").isEnabled)
    ready.action("trials.ask_again").trigger()
    assert client.commands == [FetchAgain(0)]


def test_the_context_menu_opens_on_the_row_under_the_pointer(stopped: Bench) -> None:
    table = stopped.find("trials.table")
    row = stopped.session.trials_model.row_of(7)
    place = table.visualRect(table.model().index(row, 1)).center()
    with stopped.qtbot.waitSignal(stopped.window.trials_view.menu_requested):
        table.customContextMenuRequested.emit(QPoint(place))
    assert stopped.trial_in_table() == 7
    menu = QApplication.activePopupWidget()
    assert menu is not None
    menu.close()


def test_trials_are_added_after_completion(bench: Bench) -> None:
    bench.open(bench.workspace.add(coupling_experiment(RunState.COMPLETED)))
    assert bench.find("status.banner.button").text() == "Add trials…"
    bench.press("status.banner.button")
    dialog: AddTrialsDialog = bench.dialog("dialog.add_trials")
    dialog.field.setValue(5)
    dialog.choose("ok")
    bench.until(lambda: bench.session.is_live)
    bench.until(lambda: bench.workspace.clients[0].arguments == [(5, 3, 0.05, 1.0)])


def test_the_banner_leads_to_what_is_left_and_to_the_problem_first(bench: Bench) -> None:
    bench.open(bench.workspace.new_draft(Draft({"name": "Only a name"})))
    bench.action("view.monitor").trigger()
    told = bench.find("status.banner.next")
    left = "parameters, objectives & limits and runner & metrics"
    assert told.text() == f"3 sections left: {left}"
    assert bench.find("status.banner.button").text() == "Go to parameters"
    bench.press("status.banner.button")
    assert bench.window.pages.tabs.currentIndex() == 0
    model = bench.session.draft_model
    model.insert_rows(Section.OBJECTIVES, 0, [{"name": "Yield", "goal": "match target"}])
    bench.until(lambda: told.text().startswith("1 problem to fix before the run can start"))
    assert told.text().endswith("; 2 sections left: parameters and runner & metrics")
    assert bench.find("status.banner.button").text() == "Go to the problem"
    bench.press("status.banner.button")
    view = bench.window.pages.setup_views[bench.session.id]
    assert view.page(Section.OBJECTIVES).isVisible()


def test_two_experiments_run_at_once(bench: Bench) -> None:
    first = bench.workspace.new_draft(draft_of(coupling_setup("First")))
    second = bench.workspace.new_draft(draft_of(coupling_setup("Second")))
    bench.open(first)
    one = bench.start()
    bench.open(second)
    assert bench.find("status.banner.state").text() == "Ready to start"
    bench.start()
    assert len(bench.workbench.live_sessions) == 2
    one.tell(TrialChanged(running_trial(1)))
    bench.open(first)
    bench.until(lambda: bench.find("trials.table").model().rowCount() == 2)
    states = {s.name: s.state for s in bench.workbench.experiments.summaries}
    assert states == {"First": RunState.RUNNING, "Second": RunState.RUNNING}


def test_an_experiment_is_duplicated_and_deleted_after_asking(stopped: Bench) -> None:
    original = stopped.session.id
    stopped.action("file.duplicate").trigger()
    stopped.until(lambda: stopped.session is not None and stopped.session.id != original)
    copy = stopped.session.id
    assert stopped.session.facts.name == "Suzuki coupling B (copy)"
    stopped.action("file.delete").trigger()
    stopped.dialog("dialog.delete").choose("delete")
    stopped.until(lambda: copy not in stopped.workspace.drafts)
    assert stopped.window.pages.start_page.isVisible()


@pytest.mark.parametrize("choice", ["finish", "now", "cancel"])
def test_closing_during_a_run_asks(ready: Bench, choice: str) -> None:
    client = ready.start()
    ready.window.close()
    dialog = ready.dialog("dialog.close")
    assert ready.window.isVisible()
    dialog.choose(choice)
    match choice:
        case "cancel":
            assert ready.window.isVisible()
            assert client.commands == []
        case "now":
            assert not ready.window.isVisible()
            assert client.commands == []
            assert ready.workbench.live_sessions  # the process ends with the run in it
        case _:
            assert client.commands == [Stop()]
            client.tell(RunFinished(first_run(RunState.STOPPED)))
            client.end()
            ready.until(lambda: not ready.window.isVisible())


def test_closing_while_nothing_can_be_saved_asks_first(ready: Bench) -> None:
    refused: list[int] = []

    def save_draft(draft: Draft, experiment_id: int) -> None:
        refused.append(experiment_id)
        raise StorageError("The database lab.db cannot grow: the disk is full.", is_temporary=True)

    store = ready.workspace.save_draft
    ready.workspace.save_draft = save_draft  # type: ignore[method-assign]
    ready.session.draft_model.edit(Section.GENERAL, 0, "owner", "M. Keller")
    ready.until(lambda: ready.find("status.banner.state").text() == "Not saving")
    assert "the disk is full" in ready.find("status.banner.next").text()
    assert ready.find("statusbar.saved").text().startswith("Not saved since ")
    ready.window.close()
    dialog = ready.dialog("dialog.not_saved")
    assert ready.window.isVisible()
    dialog.choose("cancel")
    ready.workspace.save_draft = store  # type: ignore[method-assign]
    ready.until(lambda: ready.find("status.banner.state").text() == "Ready to start")
    ready.until(lambda: ready.find("statusbar.saved").text().startswith("Saved "))
    assert ready.session.attention_model.rowCount() == 0


def test_a_slow_database_does_not_hold_the_window(bench: Bench) -> None:
    release, entered = threading.Event(), threading.Event()

    def slow(_: Any) -> None:
        entered.set()
        release.wait(10)

    bench.workbench.io.post(slow)
    assert entered.wait(5)
    turns = 0
    while turns < 50:
        bench.qtbot.wait(1)
        turns += 1
    theme_manager().choose("dark")
    assert bench.window.isVisible()
    assert not release.is_set()
    release.set()


def test_a_plugin_that_hangs_while_it_loads_holds_nothing_else(bench: Bench) -> None:
    release, entered = threading.Event(), threading.Event()
    read = bench.workspace.catalogue

    def catalogue(folder: str = "", python: str = "", **how: bool) -> Any:
        entered.set()
        release.wait(10)
        return read(folder, python, **how)

    bench.workspace.catalogue = catalogue  # type: ignore[method-assign]
    number = bench.workspace.new_draft(draft_of(coupling_setup()))
    bench.open(number)
    assert entered.wait(5)
    assert bench.session.draft_model.is_reading_plugins
    with bench.qtbot.waitSignal(bench.session.saved, timeout=5000):
        bench.session.draft_model.edit(Section.GENERAL, 0, "name", "Typed meanwhile")
    assert bench.workspace.drafts[number].general["name"] == "Typed meanwhile"
    other = bench.workspace.add(coupling_experiment(RunState.STOPPED))
    bench.open(other)
    assert not release.is_set()
    release.set()
    bench.until(lambda: not bench.session.draft_model.is_reading_plugins)
    assert bench.session.draft_model.catalogue is not None


def test_an_error_of_the_database_is_a_sentence_on_the_start_page(bench: Bench) -> None:
    def fail(_: Any) -> None:
        raise StorageError("lab.db is locked.", "Close the program that holds it.")

    bench.workbench.io.post(fail)
    notice = bench.window.pages.start_page._error
    bench.until(lambda: notice.isVisible())
    assert "lab.db is locked." in notice.accessibleName()


def test_every_action_is_in_a_menu_or_submenu_and_has_a_name() -> None:
    in_menus = {name for _, names in MENUS for name in names if name and not name.startswith(">")}
    named = {spec.name for spec in ACTIONS}
    assert in_menus <= named
    assert named - in_menus == {name for names in SUBMENUS.values() for name in names}
    shortcuts = [spec.shortcut for spec in ACTIONS if spec.shortcut]
    assert len(shortcuts) == len(set(shortcuts))


def test_names_of_the_design_are_given(stopped: Bench) -> None:
    assert stopped.window.objectName() == "window.main"
    for name in (
        "toolbar.main", "toolbar.banner", "status.banner", "status.banner.state",
        "status.banner.next", "status.banner.progress", "status.banner.slots",
        "status.banner.failed", "status.banner.end", "status.banner.best", "status.banner.button",
        "statusbar.saved", "statusbar.plugin", "statusbar.optimiser", "tabs.central", "tab.setup",
        "tab.monitor", "dock.experiments", "dock.trials", "dock.log", "dock.attention",
        "dock.inspector", "experiments.list", "experiments.filter", "experiments.new",
        "monitor.convergence", "monitor.timeline", "trials.table", "trials.filter",
        "trials.chip.all", "log.view", "log.level", "log.filter", "attention.list",
        "inspector.header", "start.list", "start.new", "start.open", "start.demo",
    ):  # fmt: skip
        stopped.find(name)


def test_undo_takes_an_edit_of_the_set_up_back(ready: Bench) -> None:
    ready.session.draft_model.edit(Section.PARAMETERS, 0, "low", "60")
    ready.until(lambda: ready.action("edit.undo").isEnabled())
    ready.action("edit.undo").trigger()
    assert ready.session.draft_model.text(Section.PARAMETERS, 0, "low") == "50"


def test_theme_zoom_and_size_change_while_a_run_is_shown(stopped: Bench) -> None:
    for name in ("light", "dark", "high_contrast"):
        stopped.action(f"view.theme.{name}").trigger()
        assert theme_manager().theme.name == name
        assert stopped.action(f"view.theme.{name}").isChecked()
    stopped.action("view.zoom_in").trigger()
    assert theme_manager().zoom == 110
    for width, height in ((1024, 640), (1366, 768), (1600, 1000)):
        stopped.window.resize(width, height)
        stopped.qtbot.waitUntil(lambda w=width: stopped.window.width() == w)
        assert stopped.window.docks["inspector"].isVisible() == (width >= 1400)


def test_the_headless_command_names_database_and_experiment(stopped: Bench) -> None:
    stopped.action("tools.copy_headless_command").trigger()
    end = "--headless resume 'Suzuki coupling B' --database lab.db"
    stopped.until(lambda: QGuiApplication.clipboard().text().endswith(end))


def test_files_are_written_where_the_operator_says(
    stopped: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: list[Path] = []
    workspace: Any = stopped.workspace
    workspace.write_draft = lambda draft, path: written.append(path)
    monkeypatch.setattr("axdesk.gui.files.ask_save_path", lambda *_: tmp_path / "a.toml")
    stopped.action("file.save").trigger()
    stopped.until(lambda: len(written) == 1)
    stopped.until(lambda: stopped.window.files._paths != {})
    # The second time it is known where.
    monkeypatch.delattr("axdesk.gui.files.ask_save_path")
    stopped.action("file.save").trigger()
    stopped.until(lambda: len(written) == 2)
    assert [path.name for path in written] == ["a.toml", "a.toml"]
