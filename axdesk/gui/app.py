"""The window's front door: the application, the window, and what happens to unforeseen errors."""

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication

from axdesk.api.places import default_database_path, log_folder
from axdesk.core.errors import StorageError
from axdesk.core.resources import resource_path
from axdesk.gui.crash_reporter import CrashReporter
from axdesk.gui.main_window import MainWindow, first_size
from axdesk.gui.program_log import ProgramLog
from axdesk.gui.settings import WindowSettings
from axdesk.gui.single_instance import SingleInstance
from axdesk.gui.style import theme_manager
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace


def _usual_database() -> Path | None:
    """The database of a start that names none; None where the window will say why not."""
    try:
        return default_database_path()
    except StorageError:
        return None


def _is_first(instance: SingleInstance, database: Path, file: Path | None) -> bool:
    """Claim the database; return False once another window that has it came to the front."""
    # A second window is better than none where the first does not answer.
    return instance.claim(database) or not instance.ask_first(database, file)


def _end_with_the_system(window: MainWindow) -> None:
    """Leave as at *Close now* when the user logs off, or the system ends the program."""
    signal.signal(signal.SIGINT, lambda *_: QTimer.singleShot(0, window.close))
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: QTimer.singleShot(0, window.leave))
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        # A slot that takes nothing: what the session's manager is, PySide need not find out.
        application.commitDataRequest.connect(window.leave)


def _picture(window: MainWindow, file: Path) -> None:
    """Save a picture of the window and close it; the exit code says whether that went well."""
    is_saved = window.grab().save(str(file))
    window.close()
    if not is_saved:
        sys.stderr.write(f"axdesk: the picture {file} could not be written.\n")
        QApplication.exit(1)


def main(
    database: Path | None = None,
    plugins: Path | None = None,
    file: Path | None = None,
    picture: Path | None = None,
) -> int:
    """Open the window; return the exit code once it is closed.

    Args:
        database: The database; None for the one in the user's data folder.
        plugins: The plugin folder; None for the default.
        file: An experiment file to open as a new draft.
        picture: Where to save a picture of the window once it is filled in, before it closes by
            itself; None leaves it open.
    """
    application = QApplication.instance() or QApplication(sys.argv[:1])
    QGuiApplication.setApplicationName("axdesk")
    QGuiApplication.setApplicationDisplayName("axdesk")
    QGuiApplication.setDesktopFileName("axdesk")
    QGuiApplication.setWindowIcon(QIcon(str(resource_path("axdesk.svg"))))

    instance = SingleInstance(application)
    place = database or _usual_database()
    if place is not None and not _is_first(instance, place, file):
        return 0

    log = ProgramLog(log_folder())
    log.begin()
    crashes = CrashReporter(application)
    crashes.install()

    def open_workspace(chosen: Path | None) -> "Workspace":
        # In the I/O thread: nothing of the database is imported before the first paint.
        from axdesk.api.plugin_shelf import default_trust_file
        from axdesk.api.workspace import Workspace

        workspace = Workspace(chosen or database, plugins, trust_file=default_trust_file())
        if plugins is not None:
            workspace.trust.trust_for_now(plugins)  # the command names it
        return workspace

    settings = WindowSettings(QSettings("axdesk", "axdesk"))
    theme_manager()
    workbench = Workbench(open_workspace)
    window = MainWindow(workbench, settings, log)
    window.preferences.apply_all()
    if not (settings.geometry and window.restoreGeometry(settings.geometry)):
        window.resize(first_size(window.screen().availableGeometry()))
    crashes.crashed.connect(window.reports.tell_crash)
    workbench.loaded.connect(window.reports.tell_earlier_crash)
    _end_with_the_system(window)
    instance.raised.connect(window.come_to_front)
    # It may be another one: chosen in place of one that cannot be opened, or moved.
    workbench.loaded.connect(
        lambda: workbench.database is None or instance.claim(workbench.database)
    )

    window.closed.connect(settings.flush)
    window.show()
    QTimer.singleShot(0, workbench.begin)
    if file is not None:
        QTimer.singleShot(0, lambda: window.files.open_path(file))
    if picture is not None:
        workbench.loaded.connect(lambda: QTimer.singleShot(0, lambda: _picture(window, picture)))
    code = application.exec()
    crashes.uninstall()
    log.end()
    if (
        workbench.live_sessions
        or workbench.is_testing
        or workbench.io.isRunning()
        or workbench.plugin_io.isRunning()
    ):
        # "Close now": the scheduler's threads would hold the interpreter until the trials end. The
        # database is left as at a power cut, so the run is offered for resumption next time. A
        # plugin that hangs while it is loaded would hold it too.
        os._exit(code)
    return code
