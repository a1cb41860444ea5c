"""The experiments of the window: their lists, files, templates, and the start page."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPersistentModelIndex, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QLineEdit, QMenu, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState
from axdesk.gui.main_window import MainWindow
from axdesk.gui.models.experiments_model import ExperimentFilter, ExperimentsModel, Show, goal_text
from axdesk.gui.models.headless_command import headless_command
from axdesk.gui.views.start_page import StartPage
from axdesk.gui.widgets.roles import Role
from axdesk.gui.workbench import Workbench
from tests.gui.test_window_run import PLUGIN, bowl_setup

QtBot = Any
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def summary(number: int, state: RunState = RunState.STOPPED, **changes: Any) -> ExperimentSummary:
    usual = ExperimentSummary(
        number, f"experiment {number}", state, True, 3, 10, 1.5, 2, "%",
        NOW - timedelta(hours=number), objective="cost",
    )  # fmt: skip
    return replace(usual, **changes)


def ids(model: Any) -> list[int]:
    return [model.index(row, 0).data(Role.KEY) for row in range(model.rowCount())]


# ---- lists ---------------------------------------------------------------------------------------


def test_what_needs_the_operator_comes_first_then_what_goes_on_then_the_latest(
    qapp: QApplication,
) -> None:
    model = ExperimentsModel()
    states = [RunState.STOPPED, RunState.RUNNING, RunState.DRAFT, RunState.INTERRUPTED,
              RunState.COMPLETED, RunState.NEEDS_ATTENTION, RunState.PAUSED]  # fmt: skip
    model.set_summaries([summary(n, state) for n, state in enumerate(states)])
    assert ids(model) == [5, 3, 6, 1, 0, 2, 4]


def test_a_new_order_keeps_the_current_row_and_resets_nothing(
    qapp: QApplication, qtmodeltester: Any
) -> None:
    model = ExperimentsModel()
    model.set_summaries([summary(n) for n in range(4)])
    qtmodeltester.check(model)
    resets: list[int] = []
    model.modelReset.connect(lambda: resets.append(1))
    kept = QPersistentModelIndex(model.index(3, 0))
    changed = [summary(n) for n in range(3)] + [summary(3, RunState.INTERRUPTED)]
    model.set_summaries(changed)
    assert ids(model) == [3, 0, 1, 2]
    assert kept.row() == 0
    assert resets == []
    model.set_summaries(changed[:3])
    assert len(resets) == 1


def test_a_filter_knows_names_states_and_goals(qapp: QApplication) -> None:
    model = ExperimentsModel()
    model.set_summaries(
        [
            summary(1, name="Amide workup"),
            summary(2, RunState.RUNNING, name="Suzuki", objective="yield", is_minimised=False),
            summary(3, RunState.DRAFT, name="", objectives=0, objective="", is_minimised=None),
            summary(4, RunState.COMPLETED, name="Dip", objective="abs(`film d` - 0.4)"),
        ]
    )
    found = ExperimentFilter(model)
    for text, rows in [
        ("amide", [1]), ("RUNNING", [2]), ("maximise yield", [2]), ("draft", [3]),
        ("unnamed", [3]), ("no objective", [3]), ("match film", [4]), ("suzuki stopped", []),
        ("", [2, 1, 3, 4]),
    ]:  # fmt: skip
        found.set_text(text)
        assert ids(found) == rows, text
    for show, rows in [(Show.ACTIVE, [2]), (Show.FINISHED, [1, 4]), (Show.ALL, [2, 1, 3, 4])]:
        found.set_show(show)
        assert ids(found) == rows


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Minimise cost"),
        ({"is_minimised": False}, "Maximise cost"),
        ({"objective": ""}, "Minimise a sum"),
        ({"objectives": 3}, "3 objectives"),
        ({"objectives": 0, "is_minimised": None}, "No objective yet"),
        ({"objective": "abs(pH - 7)"}, "Match pH 7"),
        ({"objective": "abs(`a b` + 7.5)"}, "Match a b −7.5"),
        ({"state": RunState.RUNNING, "controller": "4711@LAB2"}, "Minimise cost  ·  run by LAB2"),
        (
            {"limits": ("dirt <= 2 %", "`K-factor` >= -3")},
            "Minimise cost, dirt ≤ 2 %, K-factor ≥ −3",
        ),
    ],
)
def test_a_goal_is_told_in_words(changes: dict[str, Any], words: str) -> None:
    assert goal_text(summary(1, **changes)) == words


# ---- the window on a real workspace --------------------------------------------------------------


class Shelf:
    """A window on a real database, with a template folder of its own."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.folder = folder
        self.database = folder / "the lab's data" / "lab.sqlite"
        self.plugins = folder / "plugins"
        self.plugins.mkdir()
        (self.plugins / "bowl.py").write_text(PLUGIN, "utf-8")
        self.templates = folder / "templates"
        self.workbench = Workbench(lambda _: self.workspace())
        self.window = MainWindow(self.workbench)
        self.window.show()
        with qtbot.waitSignal(self.workbench.loaded, timeout=20000):
            self.workbench.begin()

    def workspace(self) -> Workspace:
        return Workspace(self.database, self.plugins, template_folder=self.templates)

    @property
    def session(self) -> Any:
        return self.workbench.current

    def until(self, condition: Any) -> None:
        self.qtbot.waitUntil(condition, timeout=20000)

    def open_new(self, make: Any) -> Any:
        """Have an experiment made and wait until it is shown."""
        before = None if self.session is None else self.session.id
        make()
        self.until(lambda: self.session is not None and self.session.id != before)
        return self.session

    def action(self, name: str) -> Any:
        return self.window.actions_by_name[name]

    def find(self, name: str, kind: type[QWidget] = QWidget) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def dialog(self, name: str) -> Any:
        self.until(lambda: self.window.findChild(QDialog, name) is not None)
        return self.window.findChild(QDialog, name)

    def stored(self) -> dict[str, RunState]:
        with closing(self.workspace()) as workspace:
            return {s.name: s.state for s in workspace.summaries()}

    def close(self) -> None:
        self.window.close()
        self.until(self.workbench.io.isFinished)
        self.until(self.workbench.plugin_io.isFinished)
        self.window.deleteLater()


@pytest.fixture
def shelf(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path, qtbot)
    yield shelf
    shelf.close()


def actions_of(menu: QMenu) -> list[Any]:
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if not action.isSeparator()]


def test_a_template_of_axdesk_makes_a_draft_each_time(shelf: Shelf) -> None:
    rows = shelf.find("start.templates")
    shelf.until(lambda: rows.isVisible())
    assert rows.model().rowCount() == len(shelf.workbench.templates) >= 4
    place = rows.visualRect(rows.model().index(0, 0)).center()
    shelf.qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=place)
    shelf.until(lambda: shelf.session is not None)
    assert shelf.session.facts.name == "Reaction"
    assert shelf.session.facts.trials == ()
    menu = shelf.window.files.menus["New from template"]
    [formulation] = [a for a in actions_of(menu) if a.text() == "Formulation"]
    shelf.open_new(formulation.trigger)
    [reaction] = [a for a in actions_of(menu) if a.text() == "Reaction"]
    assert shelf.open_new(reaction.trigger).facts.name == "Reaction 2"


def test_a_set_up_is_kept_as_a_template_and_replaced(shelf: Shelf) -> None:
    session = shelf.open_new(lambda: shelf.workbench.new(draft_of(bowl_setup())))
    shelf.until(lambda: shelf.action("file.save_as_template").isEnabled())
    shelf.action("file.save_as_template").trigger()
    dialog = shelf.dialog("dialog.save_template")
    assert dialog.field.text() == "Bowl"
    dialog.field.setText(" ")
    assert not dialog.buttons["ok"].isEnabled()
    dialog.field.setText("My bowl")
    dialog.choose("ok")
    shelf.until(lambda: "My bowl" in [t.title for t in shelf.workbench.templates])
    [file] = shelf.templates.glob("*.toml")
    before = file.read_text("utf-8")
    session.draft_model.edit(Section.GENERAL, 0, "owner", "Ada")
    shelf.until(lambda: shelf.window.findChild(QDialog, "dialog.save_template") is None)
    shelf.action("file.save_as_template").trigger()
    dialog = shelf.dialog("dialog.save_template")
    dialog.field.setText("My bowl")
    assert any("is replaced" in found.text() for found in dialog.findChildren(QLabel))
    dialog.choose("ok")
    shelf.until(lambda: file.read_text("utf-8") != before)
    assert list(shelf.templates.glob("*.toml")) == [file]
    menu = shelf.window.files.menus["New from template"]
    [mine] = [a for a in actions_of(menu) if a.text() == "My bowl"]
    new = shelf.open_new(mine.trigger)
    assert new.draft_model.draft.general["owner"] == "Ada"
    shelf.until(lambda: new.facts.state is RunState.READY)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[experiment]\nname = 'e'\nlow ==\n", "line 3"),
        ("[experiment]\nname = 'e'\ncolour = 1\n", "line 3: experiment → colour"),
        ("format = 9\n", "line 1: format: a newer axdesk"),
        ("\xff\xfe", "line 1"),
    ],
    ids=["no TOML", "unknown key", "newer", "no text"],
)
def test_a_file_that_is_wrong_is_told_with_its_line_and_changes_nothing(
    shelf: Shelf, content: str, told: str
) -> None:
    session = shelf.open_new(lambda: shelf.workbench.new(draft_of(bowl_setup())))
    path = shelf.folder / "wrong.toml"
    path.write_bytes(content.encode("latin-1"))
    shelf.window.files.open_path(path)
    dialog = shelf.dialog("dialog.file_problems")
    assert not dialog.isModal()
    dialog.choose("copy")
    assert told in QGuiApplication.clipboard().text()
    assert str(path) in QGuiApplication.clipboard().text()
    assert shelf.session is session
    assert len(shelf.workbench.experiments.summaries) == 1


def test_a_file_that_is_not_there_is_a_sentence(shelf: Shelf) -> None:
    shelf.window.files.open_path(shelf.folder / "none.toml")
    notice = shelf.window.pages.start_page._error
    shelf.until(lambda: notice.isVisible())
    assert "none.toml cannot be read" in notice.accessibleName()


def drop(window: MainWindow, *paths: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    copy, left, none = (
        Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    enter = QDragEnterEvent(QPointF(400, 300).toPoint(), copy, mime, left, none)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), copy, mime, left, none))


def test_files_are_dropped_onto_the_window(shelf: Shelf) -> None:
    with closing(shelf.workspace()) as workspace:
        workspace.write_file(bowl_setup(), shelf.folder / "bowl.toml")
    shelf.open_new(lambda: drop(shelf.window, shelf.folder / "bowl.toml"))
    assert shelf.session.facts.name == "Bowl"
    shelf.open_new(lambda: drop(shelf.window, shelf.folder / "bowl.toml"))
    assert shelf.session.facts.name == "Bowl 2"
    assert "another experiment is called Bowl" in shelf.window.statusBar().currentMessage()
    drop(shelf.window, shelf.database)
    assert "is a database" in shelf.window.statusBar().currentMessage()
    menu = shelf.window.files.menus["Recent"]
    assert [action.text() for action in actions_of(menu)] == ["Bowl 2", "Bowl"]
    shelf.open_new(actions_of(menu)[1].trigger)
    assert shelf.session.facts.name == "Bowl"


def test_what_is_saved_opens_again_and_an_unfinished_set_up_is_refused_with_a_reason(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shelf.open_new(lambda: shelf.workbench.new(draft_of(bowl_setup())))
    target = shelf.folder / "mine"
    monkeypatch.setattr("axdesk.gui.files.ask_save_path", lambda *_: target)
    shelf.action("file.save").trigger()
    file = target.with_suffix(".toml")
    shelf.until(file.exists)
    with closing(shelf.workspace()) as workspace:
        written = workspace.read_file(file)
    assert written == replace(bowl_setup(), plugin_folder=str(shelf.plugins))
    before = file.read_bytes()
    session.draft_model.edit(Section.PARAMETERS, 0, "low", "abc")
    shelf.until(lambda: not shelf.window.statusBar().currentMessage().startswith("Written"))
    shelf.action("file.save").trigger()
    said = shelf.window.statusBar().currentMessage
    shelf.until(lambda: "No file is written" in said())
    assert "abc" in said()
    assert file.read_bytes() == before
    with closing(shelf.workspace()) as workspace:
        assert workspace.load_draft(session.id).parameters[0]["low"] == "abc"


def test_two_clicks_make_one_experiment(shelf: Shelf) -> None:
    new = shelf.find("start.new")
    QTest.mouseClick(new, Qt.MouseButton.LeftButton)
    QTest.mouseDClick(new, Qt.MouseButton.LeftButton)
    shelf.until(lambda: shelf.session is not None)
    shelf.workbench.show_start_page()
    shelf.until(lambda: len(shelf.stored()) == 1)
    shelf.open_new(lambda: shelf.action("file.new").trigger())
    shelf.until(lambda: len(shelf.workbench.experiments.summaries) == 2)


def test_an_experiment_is_called_what_was_typed_once_it_is_left(shelf: Shelf) -> None:
    with closing(shelf.workspace()) as workspace:
        number = workspace.create_from_setup(bowl_setup())
    shelf.open_new(lambda: shelf.workbench.open(number))
    shelf.session.draft_model.edit(Section.GENERAL, 0, "name", "Deep bowl")
    shelf.workbench.show_start_page()
    shelf.until(lambda: shelf.stored() == {"Deep bowl": RunState.READY})
    shelf.open_new(lambda: shelf.workbench.open(number))
    assert shelf.session.facts.name == "Deep bowl"


HOLD = """
import sys
from pathlib import Path
from axdesk.api.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
store = workspace._store
with store.control(workspace.experiment(int(sys.argv[2]))):
    print("held", flush=True)
    sys.stdin.read()
workspace.close()
"""


def test_what_another_process_runs_is_not_deleted(shelf: Shelf) -> None:
    with closing(shelf.workspace()) as workspace:
        number = workspace.create_from_setup(bowl_setup())
    shelf.workbench.refresh()
    shelf.until(lambda: shelf.workbench.experiments.summary_of(number) is not None)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(shelf.database), str(number)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert other.stdin is not None
    assert other.stdout is not None
    try:
        assert other.stdout.readline() == "held\n"
        shelf.workbench.delete(number)
        notice = shelf.window.pages.start_page._error
        shelf.until(lambda: notice.isVisible())
        assert str(other.pid) in notice.accessibleName()
        assert shelf.stored() == {"Bowl": RunState.READY}
    finally:
        other.communicate("")
    shelf.workbench.delete(number)
    shelf.until(lambda: shelf.stored() == {})


def test_a_locked_set_up_takes_no_edits(shelf: Shelf) -> None:
    session = shelf.open_new(lambda: shelf.workbench.new(draft_of(bowl_setup())))
    name = shelf.find("setup.general.name", QLineEdit)
    shelf.until(lambda: name.isEnabled() and not name.isReadOnly())
    shelf.action("file.lock_setup").trigger()
    assert session.draft_model.is_read_only
    assert name.isReadOnly() or not name.isEnabled()
    shelf.action("file.lock_setup").trigger()
    assert not session.draft_model.is_read_only


# ---- the headless command ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "posix", "windows"),
    [
        ("plain", "plain", "plain"),
        ("Suzuki B", "'Suzuki B'", '"Suzuki B"'),
        ("it's $HOME `x`", "'it'\"'\"'s $HOME `x`'", '"it\'s $HOME `x`"'),
        ('a "quoted" b\\', "'a \"quoted\" b\\'", '"a \\"quoted\\" b\\\\"'),
        ("a&b", "'a&b'", '"a&b"'),
    ],
)
def test_a_command_is_quoted_for_its_shell(name: str, posix: str, windows: str) -> None:
    options = ("--database", "/the lab/a.sqlite")
    told = headless_command(name, options, windows=False)
    assert told.endswith(f" --headless resume {posix} --database '/the lab/a.sqlite'")
    told = headless_command(name, options, windows=True)
    assert told.endswith(f' --headless resume {windows} --database "/the lab/a.sqlite"')


@pytest.mark.skipif(sys.platform == "win32", reason="runs the command in a POSIX shell")
@pytest.mark.parametrize("name", ["Bowl", '-n it\'s "50 %" & $HOME; µ\\ (2)'])
def test_the_copied_command_runs_a_draft_in_a_shell(
    shelf: Shelf, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "axdesk.gui.models.headless_command.program", lambda: (sys.executable, "-m", "axdesk")
    )
    draft = draft_of(bowl_setup(trials=3)).with_cell(Section.GENERAL, 0, "name", name)
    session = shelf.open_new(lambda: shelf.workbench.new(draft))
    action = shelf.action("tools.copy_headless_command")
    shelf.until(action.isEnabled)
    QGuiApplication.clipboard().setText("")
    action.trigger()
    shelf.until(lambda: QGuiApplication.clipboard().text() != "")
    ran = subprocess.run(
        QGuiApplication.clipboard().text(), shell=True, cwd="/", check=False,
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert shelf.stored() == {name: RunState.COMPLETED}
    # The window shows what the other process did, and offers no command any more.
    shelf.until(lambda: session.facts.state is RunState.COMPLETED)
    shelf.until(lambda: not action.isEnabled())
    assert "completed" in action.toolTip()


def test_a_command_is_only_offered_for_what_can_run(shelf: Shelf) -> None:
    draft = draft_of(bowl_setup()).with_cell(Section.PARAMETERS, 0, "low", "abc")
    shelf.open_new(lambda: shelf.workbench.new(draft))
    action = shelf.action("tools.copy_headless_command")
    shelf.until(lambda: "abc" in action.toolTip())
    assert not action.isEnabled()


# ---- quick with many -----------------------------------------------------------------------------


def test_many_experiments_cost_one_repaint_a_refresh(qapp: QApplication, qtbot: QtBot) -> None:
    model = ExperimentsModel()
    model.set_summaries([summary(n, name=f"experiment {n} " + "long " * 30) for n in range(200)])
    page = StartPage(model)
    qtbot.addWidget(page)
    page.set_database("lab.db")
    page.resize(1400, 800)
    page.show()
    qtbot.waitExposed(page)
    changes: list[int] = []
    model.dataChanged.connect(lambda *_: changes.append(1))
    updates: list[int] = []
    page._soon.timeout.connect(lambda: updates.append(1))
    for turn in range(5):
        model.set_summaries([summary(n, finished_trials=turn + 4) for n in range(200)])
    assert len(changes) == 5
    qtbot.waitUntil(lambda: updates == [1])
    page.hide()
    model.set_summaries([summary(n, finished_trials=9) for n in range(200)])
    QApplication.processEvents()
    assert updates == [1]
