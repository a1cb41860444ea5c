"""The operator is called back when a run ends or waits, unless the window is in front."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from axdesk.core.events import QuestionAsked, RunChanged, RunFinished
from axdesk.core.questions import Answer, Question
from axdesk.core.run import RunState
from axdesk.gui.main_window import MainWindow
from axdesk.gui.session import ExperimentSession
from axdesk.gui.settings import WindowSettings
from axdesk.gui.workbench import Workbench
from tests.gui.scenes import MemoryWorkspace, ScriptedClient, coupling_experiment

QtBot = Any

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="notify-send")

SEND = """#!/bin/sh
printf '%s|' "$@" >> "$TOLD"
echo >> "$TOLD"
"""


class Room:
    """A window with a run in it, and what the system was asked to tell."""

    def __init__(self, qtbot: QtBot, told: Path) -> None:
        self.qtbot, self._told = qtbot, told
        self.settings = WindowSettings()
        self.place = MemoryWorkspace()
        self.place.add(coupling_experiment())
        self.workbench = Workbench(lambda _: self.place)  # type: ignore[arg-type,return-value]
        self.window = MainWindow(self.workbench, self.settings)
        self.window.show()
        self.workbench.begin()

    def start(self) -> tuple[ExperimentSession, ScriptedClient]:
        self.qtbot.waitUntil(lambda: len(self.workbench.experiments.summaries) == 1)
        self.workbench.open(1)
        self.qtbot.waitUntil(lambda: self.workbench.current is not None)
        session = self.workbench.current
        assert session is not None
        session.start()
        self.qtbot.waitUntil(lambda: session.is_live)
        return session, self.place.clients[0]

    def told(self) -> list[str]:
        return self._told.read_text().splitlines() if self._told.exists() else []

    def finish(self, session: ExperimentSession, client: ScriptedClient) -> None:
        run = client.experiment.runs[-1]
        ended = replace(run, state=RunState.COMPLETED, ended_at=datetime.now(UTC))
        client.tell(RunFinished(ended))
        client.end()
        self.qtbot.waitUntil(lambda: not session.is_live)

    def close(self) -> None:
        for client in self.place.clients:
            client.end()
        self.window.close()
        self.qtbot.waitUntil(self.workbench.io.isFinished)
        self.window.deleteLater()


@pytest.fixture
def room(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(SEND)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    room = Room(qtbot, tmp_path / "told")
    yield room
    room.close()


@pytest.fixture
def behind(room: Room, monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Have another window in front, which no offscreen platform can."""
    monkeypatch.setattr(room.window, "isActiveWindow", lambda: False)
    return lambda: True


def test_a_question_and_the_end_of_a_run_are_told(
    room: Room, behind: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    beeps: list[int] = []
    monkeypatch.setattr(QApplication, "beep", lambda: beeps.append(1))
    session, client = room.start()
    question = Question(16, "It does not answer.", "Paused the run.", (Answer.MARK_FAILED,))
    run = replace(client.experiment.runs[-1], state=RunState.NEEDS_ATTENTION)
    client.tell(RunChanged(run), QuestionAsked(question))
    room.qtbot.waitUntil(lambda: len(room.told()) == 1)
    assert "Suzuki coupling B needs you" in room.told()[0]
    assert beeps == []
    room.settings.notifications_sound = True
    room.finish(session, client)
    room.qtbot.waitUntil(lambda: len(room.told()) == 2)
    assert "Suzuki coupling B: Completed" in room.told()[1]
    assert beeps == [1]


def test_nothing_is_told_where_the_settings_say_so_or_the_window_is_in_front(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.window, "isActiveWindow", lambda: True)
    session, client = room.start()
    room.finish(session, client)
    monkeypatch.setattr(room.window, "isActiveWindow", lambda: False)
    room.settings.notifications_system = False
    shown: list[object] = []
    monkeypatch.setattr("axdesk.gui.notifier.QProcess.startDetached", lambda *a: shown.append(a))
    session.finished.emit()
    assert shown == []
    room.settings.notifications_system = True
    session.finished.emit()
    assert len(shown) == 1
