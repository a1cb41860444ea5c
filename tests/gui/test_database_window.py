"""The database window, on a real database."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QLabel, QPushButton

from axdesk.api.workspace import Workspace
from axdesk.core.drafts import Draft, draft_of
from axdesk.gui.main_window import MainWindow
from axdesk.gui.views.database_dialog import DatabaseDialog
from axdesk.gui.widgets.tables import TableView
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup

QtBot = Any


class Desk:
    """A window on a database, and the operator at its database window."""

    def __init__(self, qtbot: QtBot, open_workspace: Callable[[Path | None], Any]) -> None:
        self.qtbot = qtbot
        self.workbench = Workbench(open_workspace)
        self.window = MainWindow(self.workbench)
        self.window.show()
        with qtbot.waitSignal(self.workbench.loaded, timeout=20000):
            self.workbench.begin()

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=20000)

    def open(self) -> None:
        self.window.actions_by_name["tools.database"].trigger()
        self.until(lambda: self.table.model().rowCount() >= 0 and self.button("check").isEnabled())

    @property
    def dialog(self) -> DatabaseDialog:
        found = self.window.findChild(DatabaseDialog, "dialog.database")
        assert isinstance(found, DatabaseDialog)
        return found

    @property
    def table(self) -> TableView:
        found = self.dialog.findChild(TableView, "dialog.database.backups")
        assert found is not None
        return found

    def button(self, key: str) -> QPushButton:
        found = self.dialog.findChild(QPushButton, f"dialog.database.{key}")
        assert found is not None
        return found

    def press(self, key: str) -> None:
        QApplication.processEvents()
        self.qtbot.mouseClick(self.button(key), Qt.MouseButton.LeftButton)

    def told(self) -> str:
        found = self.dialog.findChild(QLabel, "dialog.database.told")
        assert found is not None
        return found.text()

    def facts(self) -> str:
        return " | ".join(label.text() for label in self.dialog.findChildren(QLabel))

    def rows(self) -> list[list[str]]:
        model = self.table.model()
        return [
            [str(model.index(row, column).data()) for column in range(4)]
            for row in range(model.rowCount())
        ]

    def names(self) -> list[str]:
        return sorted(summary.name for summary in self.workbench.experiments.summaries)

    def close(self) -> None:
        self.window.close()
        self.until(self.workbench.io.isFinished)
        self.window.deleteLater()


Open = Callable[[Callable[[Path | None], Any]], Desk]


@pytest.fixture
def open_desk(qtbot: QtBot, qapp: QApplication) -> Iterator[Open]:
    desks: list[Desk] = []

    def open_desk(open_workspace: Callable[[Path | None], Any]) -> Desk:
        desks.append(Desk(qtbot, open_workspace))
        return desks[-1]

    yield open_desk
    for desk in desks:
        desk.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "lab.sqlite"
    with closing(Workspace(path)) as workspace:
        workspace.new_draft(draft_of(coupling_setup("Suzuki")))
        workspace.back_up()
    return path


@pytest.fixture
def desk(open_desk: Open, database: Path) -> Desk:
    desk = open_desk(lambda chosen: Workspace(chosen or database))
    desk.open()
    return desk


def test_it_tells_what_the_database_holds_checks_and_copies_it(
    desk: Desk, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert str(database) in desk.facts()
    assert "1 experiment, 0 trials" in desk.facts()
    desk.press("check")
    desk.until(lambda: "The database is sound." in desk.told())
    before = len(desk.rows())
    desk.press("back_up")
    desk.until(lambda: "checked" in desk.told())
    assert len(desk.rows()) == before + 1
    assert desk.rows()[0][1] == "1 experiment, 0 trials"
    target = tmp_path / "copy.sqlite"
    monkeypatch.setattr("axdesk.gui.database_desk.ask_copy", lambda *_: target)
    desk.press("back_up_to")
    desk.until(lambda: str(target) in desk.told())
    assert target.exists()
    desk.press("compact")
    desk.until(lambda: "to give back" in desk.told() or "given back" in desk.told())
    monkeypatch.setattr("axdesk.gui.database_desk.ask_copy", lambda *_: database)
    desk.press("back_up_to")
    desk.until(lambda: "is the database itself" in desk.told())


def test_a_check_is_cancelled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axdesk.storage.database._STEPS_BETWEEN_LOOKS", 1)
    desk.press("check")
    assert not desk.button("back_up").isEnabled()
    desk.press("cancel_work")
    desk.until(lambda: desk.button("check").isEnabled())
    assert desk.told() in (
        "Cancelled; the database is as it was.",
        "The database is sound. Every page, row and reference was checked.",
    )


def test_a_restore_keeps_what_was_there_and_can_be_taken_back(desk: Desk) -> None:
    desk.workbench.new(Draft({"name": "Later"}))
    desk.until(lambda: desk.names() == ["Later", "Suzuki"])
    desk.until(lambda: desk.workbench.current is not None)
    oldest = len(desk.rows()) - 1
    desk.table.selectRow(oldest)
    desk.press("restore")
    question: Any = desk.window.findChild(QDialog, "dialog.restore")
    question.choose("restore")
    desk.until(lambda: "The backup is in place." in desk.told())
    desk.until(lambda: desk.names() == ["Suzuki"])
    assert desk.workbench.current is None
    assert desk.window.pages.start_page.isVisible()
    former = [row for row, cells in enumerate(desk.rows()) if cells[3] == "before a restore"]
    assert [desk.rows()[row][1] for row in former] == ["2 experiments, 0 trials"]
    desk.table.selectRow(former[0])
    desk.press("restore")
    question = desk.window.findChild(QDialog, "dialog.restore")
    question.choose("restore")
    desk.until(lambda: desk.names() == ["Later", "Suzuki"])
    desk.workbench.new(Draft({"name": "Goes on"}))
    desk.until(lambda: "Goes on" in desk.names())


def test_a_moved_database_is_used_in_its_new_place(
    desk: Desk, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "other disk µ"
    monkeypatch.setattr("axdesk.gui.database_desk.ask_folder", lambda *_: folder)
    desk.press("move")
    desk.until(lambda: "There is no folder" in desk.told())
    assert desk.names() == ["Suzuki"]
    folder.mkdir()
    desk.press("move")
    desk.until(lambda: "The database is moved." in desk.told())
    moved = folder / "lab.sqlite"
    assert desk.workbench.database == moved
    assert str(moved) in desk.facts()
    assert not database.exists()
    desk.workbench.new(Draft({"name": "Goes on"}))
    desk.until(lambda: desk.names() == ["Goes on", "Suzuki"])
    with closing(Workspace(moved)) as workspace:
        assert len(workspace.summaries()) == 2


def test_nothing_is_moved_while_another_program_has_it_open(
    desk: Desk, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        "db.execute('SELECT count(*) FROM experiments').fetchall(); print('open', flush=True);"
        "sys.stdin.read()"
    )
    folder = tmp_path / "other"
    folder.mkdir()
    monkeypatch.setattr("axdesk.gui.database_desk.ask_folder", lambda *_: folder)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout is not None
        other.stdout.readline()
        desk.press("move")
        desk.until(lambda: f"process {other.pid}" in desk.told())
        other.kill()
    assert desk.names() == ["Suzuki"]
    assert database.exists()


def test_what_needs_the_database_alone_is_off_while_a_run_goes_on(
    open_desk: Open, database: Path
) -> None:
    class Place(MemoryWorkspace):
        def facts(self) -> Any:
            with closing(Workspace(database)) as workspace:
                return workspace.facts()

    place = Place()
    place.add(coupling_experiment())
    desk = open_desk(lambda _: place)
    [summary] = desk.workbench.experiments.summaries
    desk.workbench.open(summary.id)
    desk.until(lambda: desk.workbench.current is not None)
    session = desk.workbench.current
    assert session is not None
    session.start()
    desk.until(lambda: session.is_live)
    desk.open()
    for key in ("compact", "move", "restore"):
        assert not desk.button(key).isEnabled()
        assert "A run goes on" in desk.button(key).toolTip()
    assert desk.button("back_up").isEnabled()
    place.clients[0].end()
    desk.until(lambda: not session.is_live)
    desk.until(lambda: desk.button("compact").isEnabled())


def test_a_backup_that_is_damaged_cannot_be_chosen(desk: Desk, database: Path) -> None:
    folder = Path(f"{database}.backups")
    for file in folder.iterdir():
        file.write_bytes(b"no database")
    desk.press("check")
    desk.until(lambda: any("cannot be read" in row[1] for row in desk.rows()))
    desk.table.selectRow(0)
    assert not desk.button("restore").isEnabled()
    shutil.rmtree(folder)
