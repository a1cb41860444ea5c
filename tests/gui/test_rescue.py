"""A database that cannot be opened: what the window says, and the ways out."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from axdesk.api.workspace import Workspace
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import StorageError
from axdesk.gui.main_window import MainWindow
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace, coupling_setup

QtBot = Any


class Desk:
    """A window whose database is opened as the test says."""

    def __init__(self, qtbot: QtBot, open_workspace: Callable[[Path | None], Any]) -> None:
        self.qtbot = qtbot
        self.workbench = Workbench(open_workspace)
        self.window = MainWindow(self.workbench)
        self.window.show()
        with qtbot.waitSignal(self.workbench.unavailable, timeout=20000):
            self.workbench.begin()

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=20000)

    def text(self, name: str) -> str:
        widget = self.window.findChild(QWidget, name)
        assert widget is not None
        return str(widget.text())  # type: ignore[attr-defined]  # a label

    def buttons(self) -> list[str]:
        QApplication.processEvents()
        page = self.window.pages.database_page
        return [b.text() for b in page.findChildren(QPushButton) if b.isVisibleTo(page)]

    def press(self, name: str) -> None:
        QApplication.processEvents()
        [button] = [b for b in self.window.findChildren(QPushButton, name) if b.isVisible()]
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def names(self) -> list[str]:
        return [summary.name for summary in self.workbench.experiments.summaries]

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


def filled(path: Path, *names: str) -> Path:
    """A database with experiments and a backup."""
    workspace = Workspace(path)
    for name in names:
        workspace.new_draft(draft_of(coupling_setup(name)))
    workspace.back_up()
    workspace.close()
    return path


def damage(path: Path) -> bytes:
    """Overwrite a page; return the damaged file."""
    content = bytearray(path.read_bytes())
    size = int.from_bytes(content[16:18], "big")
    content[size : 2 * size] = b"\xff" * size
    path.write_bytes(content)
    return bytes(content)


def test_the_newest_backup_takes_the_place_of_a_damaged_database(
    open_desk: Open, tmp_path: Path
) -> None:
    path = filled(tmp_path / "lab.sqlite", "Suzuki", "Amide")
    damaged = damage(path)
    desk = open_desk(lambda chosen: Workspace(chosen or path))
    assert desk.window.pages.database_page.isVisible()
    assert desk.text("database.title") == "The database is damaged"
    assert str(path) in desk.text("database.happened")
    assert desk.buttons() == [
        "Open the newest backup", "Salvage…", "Choose another database…", "Quit",
    ]  # fmt: skip
    assert not desk.window.actions_by_name["file.new"].isEnabled()
    assert path.read_bytes() == damaged
    desk.press("database.backup")
    desk.until(lambda: sorted(desk.names()) == ["Amide", "Suzuki"])
    assert desk.window.pages.start_page.isVisible()
    assert desk.window.actions_by_name["file.new"].isEnabled()
    [kept] = [f for f in tmp_path.iterdir() if "before-restore" in f.name and f.is_file()]
    assert kept.read_bytes() == damaged


def test_what_can_be_read_is_salvaged_into_a_file_of_its_own(
    open_desk: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path / "lab.sqlite", "Suzuki")
    damaged = damage(path)
    target = tmp_path / "salvaged.sqlite"
    monkeypatch.setattr("axdesk.gui.rescue.ask_target", lambda *_: target)
    desk = open_desk(lambda chosen: Workspace(chosen or path))
    desk.press("database.salvage")
    desk.until(lambda: desk.text("database.title") == "What could be read is salvaged")
    assert str(target) in desk.text("database.happened")
    assert path.read_bytes() == damaged
    desk.press("database.open_salvaged")
    desk.until(desk.window.pages.start_page.isVisible)
    assert desk.workbench.database == target


def test_a_salvage_that_is_refused_says_why_and_leaves_the_ways_out(
    open_desk: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = filled(tmp_path / "lab.sqlite", "Suzuki")
    damage(path)
    monkeypatch.setattr("axdesk.gui.rescue.ask_target", lambda *_: path)
    desk = open_desk(lambda chosen: Workspace(chosen or path))
    desk.press("database.salvage")
    desk.until(lambda: "exists already" in desk.text("database.happened"))
    assert "Open the newest backup" in desk.buttons()
    assert desk.text("database.busy") == ""


def test_a_database_of_another_application_leaves_the_choice_of_another(
    open_desk: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = tmp_path / "photos.sqlite"
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("PRAGMA application_id=4711")
        connection.execute("CREATE TABLE photos (name TEXT)")
    other = filled(tmp_path / "lab.sqlite", "Suzuki")
    monkeypatch.setattr("axdesk.gui.rescue.ask_database", lambda *_: other)
    desk = open_desk(lambda chosen: Workspace(chosen or foreign))
    assert "belongs to another application" in desk.text("database.happened")
    assert desk.buttons() == ["Choose another database…", "Quit"]
    desk.press("database.choose")
    desk.until(lambda: desk.names() == ["Suzuki"])
    assert desk.workbench.database == other


def test_a_locked_database_is_tried_again(open_desk: Open) -> None:
    workspace = MemoryWorkspace()
    workspace.new_draft(Draft({"name": "Suzuki"}))
    refusals = [
        StorageError("lab.db is locked by another program.", "Close it.", is_temporary=True)
    ] * 2

    def open_workspace(_: Path | None) -> MemoryWorkspace:
        if refusals:
            raise refusals.pop()
        return workspace

    desk = open_desk(open_workspace)
    assert desk.buttons() == ["Try again", "Choose another database…", "Quit"]
    with desk.qtbot.waitSignal(desk.workbench.unavailable, timeout=5000):
        desk.press("database.retry")
    assert desk.text("database.busy") == ""
    desk.press("database.retry")
    desk.until(lambda: desk.names() == ["Suzuki"])


def test_quitting_closes_the_window(open_desk: Open) -> None:
    def refuse(_: Path | None) -> Any:
        raise StorageError("It was written by a newer axdesk.", "Update axdesk.")

    desk = open_desk(refuse)
    desk.press("database.quit")
    assert not desk.window.isVisible()
