"""Calling the operator back to a window that is not in front: a run ended, or waits for someone."""

import shutil
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QProcess, Qt
from PySide6.QtWidgets import QApplication, QMainWindow, QSystemTrayIcon

from axdesk.gui.icons import icon
from axdesk.gui.models.banner_content import banner_content
from axdesk.gui.session import ExperimentSession
from axdesk.gui.settings import WindowSettings
from axdesk.gui.theme import run_state_look
from axdesk.gui.workbench import Workbench


class Notifier(QObject):
    """Watches the sessions; the task bar flashes, and by the settings the system tells and beeps.

    Nothing is told while the window is in front: there it can be seen.
    """

    def __init__(self, window: QMainWindow, workbench: Workbench, settings: WindowSettings) -> None:
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._tray: QSystemTrayIcon | None = None
        self._calls: dict[int, int] = {}
        workbench.session_opened.connect(self._watch)
        workbench.session_removed.connect(lambda number: self._calls.pop(number, None))

    def _watch(self, session: ExperimentSession) -> None:
        session.changed.connect(lambda: self._look_for_calls(session))
        session.finished.connect(lambda: self._tell_end(session))

    def _look_for_calls(self, session: ExperimentSession) -> None:
        waiting = [item for item in session.attention_model.items if item.needs_person]
        before = self._calls.get(session.id, 0)
        self._calls[session.id] = len(waiting)
        if len(waiting) > before:
            name = banner_content(session.facts, datetime.now(UTC)).name
            self._tell(f"{name} needs you", waiting[0].title)

    def _tell_end(self, session: ExperimentSession) -> None:
        facts = session.facts
        if facts.run is None or facts.run.ended_at is None:
            return  # it was not started
        content = banner_content(facts, datetime.now(UTC))
        self._tell(f"{content.name}: {run_state_look(facts.state).word}", content.next_step)

    def _tell(self, title: str, text: str) -> None:
        if self._window.isActiveWindow():
            return
        QApplication.alert(self._window)
        if self._settings.notifications_sound:
            QApplication.beep()
        if self._settings.notifications_system:
            self._show(title, text)

    def _show(self, title: str, text: str) -> None:
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self._tray is None:
                self._tray = QSystemTrayIcon(icon("flask"), self)
                self._tray.messageClicked.connect(self._come_to_front)
            self._tray.show()
            self._tray.showMessage(title, text)
        elif program := shutil.which("notify-send"):  # desktops of Linux without a tray
            QProcess.startDetached(program, ["--app-name=axdesk", "--", title, text])

    def _come_to_front(self) -> None:
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()
