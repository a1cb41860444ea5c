"""What has to be settled before the window may close."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from axdesk.gui.models.formatting import UNNAMED
from axdesk.gui.views.dialogs import close_dialog, not_saved_dialog
from axdesk.gui.workbench import Workbench


class Closing(QObject):
    """Asks what becomes of runs and of edits that are not saved, and closes the window then."""

    def __init__(self, window: QMainWindow, workbench: Workbench) -> None:
        super().__init__(window)
        self._window, self._workbench = window, workbench
        self._is_decided = False
        self._waits = False

    def is_free(self) -> bool:
        """Return whether the window may close now; if not, it is asked or waited for."""
        if self._is_decided:
            return True
        workbench = self._workbench
        if workbench.stop_tests():
            self._waits = True
            told = "The dry test is stopped, then axdesk closes."
            self._window.statusBar().showMessage(told)
            return False
        live, unsaved = workbench.live_sessions, workbench.unsaved_sessions
        if not (live or unsaved):
            return True
        asked = [session.facts for session in live if session.facts.asks_before_closing]
        if workbench.outage is not None:
            edited = [session.facts.name or UNNAMED for session in unsaved]
            dialog = not_saved_dialog(self._window, len(live), edited)
        elif asked:
            pending = sum(len(facts.pending) for facts in asked)
            dialog = close_dialog(self._window, len(asked), pending)
        else:
            self._finish()
            return False
        dialog.chosen.connect(self._take_choice)
        dialog.open()
        return False

    def leave(self) -> None:
        """Close at once, as the session of the system ends: all is saved, running trials go on."""
        self._is_decided = True
        self._window.close()

    def go_on(self) -> None:
        """Close now if that was asked for and only waits for what has just ended."""
        if self._waits:
            self._window.close()

    def _take_choice(self, key: str) -> None:
        if key == "finish":
            self._finish()
        elif key == "now":
            self._is_decided = True
            self._window.close()
        else:
            self._waits = False

    def _finish(self) -> None:
        self._waits = True
        live = self._workbench.live_sessions
        for session in live:
            session.stop()
        if not live:  # it ended while it was being asked about
            self._window.close()
