"""Telling of problems: a crash, one of the last start, and what the operator has to report."""

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QThread, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow

from axdesk.api.system_info import system_info
from axdesk.gui.program_log import ProgramLog
from axdesk.gui.views.dialogs import ReportDialog
from axdesk.gui.views.problem_dialog import ProblemDialog

MOST_BYTES = 500_000
"""Of each log file the last bytes go into a report."""

_SAVE = "save"
_TOLD_MS = 15_000


def ask_report_path(parent: QMainWindow) -> Path | None:
    """Ask where a report is saved; None if the operator thinks better of it."""
    name = f"axdesk-report-{datetime.now().astimezone():%Y%m%d-%H%M}.zip"
    chosen, _ = QFileDialog.getSaveFileName(parent, "Save report", name, "Reports (*.zip)")
    return Path(chosen) if chosen else None


def write_report(target: Path, told: str, files: Sequence[Path]) -> None:
    """Write a report, whole or not at all.

    Args:
        target: The file, replaced if it exists.
        told: What happened.
        files: Logs; of each the end, of those that can be read.

    Raises:
        OSError: If it cannot be written.
    """
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as bundle:
            bundle.writestr("what-happened.txt", told)
            bundle.writestr("system.txt", system_info())
            for file in files:
                try:
                    content = file.read_bytes()[-MOST_BYTES:]
                except OSError as error:
                    content = f"not readable: {error}".encode()
                bundle.writestr(file.name, content)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


class _Writer(QThread):
    """Writes one report; not the I/O thread, which may be what hangs.

    Signals:
        written: Carries the sentence that tells how it went.
    """

    written = Signal(str)

    def __init__(self, target: Path, told: str, log: ProgramLog, parent: QObject) -> None:
        super().__init__(parent)
        self.setObjectName("axdesk-report")
        self._target, self._told, self._log = target, told, log

    def run(self) -> None:
        try:
            write_report(self._target, self._told, self._log.report_files())
        except OSError as error:
            self.written.emit(f"The report {self._target} cannot be written: {error}.")
        else:
            self.written.emit(f"Saved {self._target}. Pass it on to whoever looks after axdesk.")


class ReportDesk(QObject):
    """Shows what went wrong, and saves reports of it."""

    def __init__(self, window: QMainWindow, log: ProgramLog) -> None:
        super().__init__(window)
        self._window = window
        self._log = log

    def tell_crash(self, report: str) -> None:
        """Tell of an error that nobody foresaw."""
        self._tell(
            report, "dialog.crash", "axdesk hit a problem; the run is saved",
            "Everything stored so far is safe. Save a report, or copy this one, and pass it on.",
        )  # fmt: skip

    def tell_earlier_crash(self) -> None:
        """Tell of an earlier start that ended in a crash, if one did."""
        report = self._log.earlier_crash()
        if report:
            self._tell(
                report, "dialog.earlier_crash", "axdesk ended unexpectedly the last time",
                "Everything stored until then is safe. Save a report of it, and pass it on.",
            )  # fmt: skip

    def report_problem(self) -> None:
        """Let the operator say what is wrong, and save it with what axdesk wrote down."""
        dialog = ProblemDialog(self._window, [file.name for file in self._log.report_files()])
        dialog.chosen.connect(lambda key: self._take(key, dialog.told()))
        dialog.open()

    def open_log_folder(self) -> None:
        """Show the log files in the system's file manager."""
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._log.folder)))

    def _tell(self, report: str, name: str, title: str, sentence: str) -> None:
        dialog = ReportDialog(
            self._window, name=name, title=title, sentence=sentence, text=report,
            icon_name="alert-triangle-filled", tone="bad",
        )  # fmt: skip
        dialog.add_aside(_SAVE, "Save report…", "download", lambda: self._take(_SAVE, report))
        dialog.chosen.connect(lambda key: self._take(key, report))
        dialog.open()

    def _take(self, key: str, told: str) -> None:
        if key == "copy":
            QGuiApplication.clipboard().setText(f"{told}\n\n{system_info()}")
        elif key == _SAVE:
            target = ask_report_path(self._window)
            if target is not None:
                writer = _Writer(target, told, self._log, self)
                writer.written.connect(self._show_written)
                writer.finished.connect(writer.deleteLater)
                writer.start()

    def _show_written(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _TOLD_MS)
