"""What becomes of errors that nobody foresaw, wherever they happen."""

import logging
import sys
import threading
import traceback
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler

from axdesk import __version__

_LOG = logging.getLogger(__name__)
_QT = logging.getLogger("qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashReporter(QObject):
    """Logs unforeseen exceptions of any thread, and tells of the first.

    Signals:
        crashed: An exception nobody handled; carries the report. Sent from the thread that it
            happened in, received in the GUI thread.
    """

    crashed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._has_told = False
        self._before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def install(self) -> None:
        """Take over the hooks of Python, and the messages of Qt."""
        sys.excepthook = self.take
        threading.excepthook = self._take_of_thread
        sys.unraisablehook = lambda hook: self.take(
            hook.exc_type, hook.exc_value, hook.exc_traceback
        )
        qInstallMessageHandler(_log_message)

    def uninstall(self) -> None:
        """Give the hooks back."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        qInstallMessageHandler(None)

    def take(
        self,
        kind: type[BaseException],
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Log an exception, and tell of it if it is the first."""
        report = "".join(traceback.format_exception(kind, error, trace))
        _LOG.critical("unforeseen error\n%s", report)
        with self._lock:
            is_first, self._has_told = not self._has_told, True
        if is_first:
            self.crashed.emit(f"axdesk {__version__}, Python {sys.version.split()[0]}\n\n{report}")

    def _take_of_thread(self, hook: threading.ExceptHookArgs) -> None:
        if hook.exc_type is not SystemExit:  # a thread that ends itself
            self.take(hook.exc_type, hook.exc_value, hook.exc_traceback)


def _log_message(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
    _QT.log(_LEVELS.get(kind, logging.WARNING), "%s", message)
