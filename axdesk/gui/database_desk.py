"""Carries out what the database window asks for, in the I/O thread."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMainWindow
from shiboken6 import isValid

from axdesk.core.errors import AxdeskError
from axdesk.gui.models.database_texts import contents_text, damage_text, size_text
from axdesk.gui.models.formatting import clock
from axdesk.gui.views import database_dialog as words
from axdesk.gui.views.database_dialog import DatabaseDialog
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.rescue import Backup, DatabaseFacts
    from axdesk.api.workspace import Workspace

T = TypeVar("T")


def ask_copy(parent: QMainWindow, proposal: Path) -> Path | None:
    """Ask where a copy is put; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "Back up to", str(proposal), "Databases (*.sqlite)"
    )
    return Path(chosen) if chosen else None


def ask_folder(parent: QMainWindow, present: Path) -> Path | None:
    """Ask for the folder that a database moves to; None if the operator thinks better of it."""
    chosen = QFileDialog.getExistingDirectory(parent, "Move the database to", str(present))
    return Path(chosen) if chosen else None


class DatabaseDesk(QObject):
    """The presenter of the database window; one is open at a time."""

    def __init__(self, window: QMainWindow, workbench: Workbench) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._dialog: DatabaseDialog | None = None
        self._is_cancelled = threading.Event()
        self._is_working = False
        self._after: tuple[str, str, str] = ("", "", "")
        workbench.summaries_changed.connect(self._show_refusal)
        workbench.loaded.connect(self._end_work)
        workbench.unavailable.connect(self._close)

    def open(self) -> None:
        """Open the window, or bring it to the front."""
        if self._workbench.database is None:
            self._window.statusBar().showMessage("The database is not open.", 6000)
            return
        if self._shown() is None:
            dialog = DatabaseDialog(self._window)
            dialog.asked.connect(self._take)
            dialog.restore_asked.connect(self._confirm_restore)
            dialog.finished.connect(lambda _: self._is_cancelled.set())
            self._dialog = dialog
            self._show_refusal()
            if not self._is_working:  # as it may, left by a window that was closed
                self._after = ("", "", "")
                self._read()
        shown = self._shown()
        if shown is not None:
            shown.open()
            shown.raise_()

    def _shown(self) -> DatabaseDialog | None:
        is_there = self._dialog is not None and isValid(self._dialog)
        return self._dialog if is_there else None

    def _close(self) -> None:
        self._is_working = False
        dialog = self._shown()
        if dialog is not None:
            dialog.close()

    def _take(self, key: str) -> None:
        path = self._workbench.database
        if path is None:
            return
        match key:
            case words.CANCEL:
                self._is_cancelled.set()
            case words.CHECK:
                cancelled = self._busy("Checking every page, row and reference…", can_cancel=True)
                self._post(lambda w: w.all_damage(cancelled), damage_text)
            case words.BACK_UP:
                self._busy("Copying, and checking the copy…")
                self._post(lambda w: w.back_up(), _backed_up)
            case words.BACK_UP_TO:
                self._back_up_to(path)
            case words.COMPACT:
                cancelled = self._busy("Writing the database anew…", can_cancel=True)
                self._post(lambda w: w.compact(cancelled), _compacted)
            case words.MOVE:
                self._move(path)
            case words.OPEN_FOLDER:
                QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
            case _:
                pass

    def _back_up_to(self, path: Path) -> None:
        name = f"{path.stem}-{datetime.now().astimezone():%Y%m%d-%H%M}.sqlite"
        target = ask_copy(self._window, Path.home() / name)
        if target is not None:
            self._busy("Copying, and checking the copy…")
            self._post(lambda w: w.back_up_to(target), _backed_up)

    def _move(self, path: Path) -> None:
        folder = ask_folder(self._window, path.parent)
        if folder is None:
            return

        def move() -> Path:
            from axdesk.api.rescue import move_database

            return move_database(path, folder)

        self._busy("Moving the database with its backups and files…")
        self._exchange(move, "The database is moved.")

    def _confirm_restore(self, backup: "Backup") -> None:
        path = self._workbench.database
        if path is None:
            return
        dialog = Dialog(
            self._shown(), name="dialog.restore",
            title=f"Restore the database of {clock(backup.made_at, datetime.now(UTC))}?",
            sentence=f"It holds {contents_text(backup.contents)}. What came after it is no longer "
            "shown; the present database is kept beside it, and can be restored from this list.",
            ways=(Way("cancel", "Cancel"), Way("restore", "Restore", "danger", "refresh")),
            icon_name="refresh", tone="bad", width=520,
        )  # fmt: skip

        def restore() -> Path:
            from axdesk.api.rescue import restore_backup

            restore_backup(path, backup.path)
            return path

        def go(key: str) -> None:
            if key == "restore":
                self._busy("Putting the backup in place; the present database is kept beside it…")
                self._exchange(restore, "The backup is in place.")

        dialog.chosen.connect(go)
        dialog.open()

    # inside

    def _busy(self, sentence: str, *, can_cancel: bool = False) -> Callable[[], bool]:
        """Say what goes on; return what tells whether it was cancelled."""
        self._is_cancelled = threading.Event()
        self._is_working = True
        dialog = self._shown()
        if dialog is not None:
            dialog.show_busy(sentence, can_cancel=can_cancel)
        return self._is_cancelled.is_set

    def _post(
        self, work: "Callable[[Workspace], T]", told: Callable[[T], tuple[str, str, str]]
    ) -> None:
        def done(result: T) -> None:
            self._after = told(result)
            self._end_work()

        def refuse(error: AxdeskError) -> None:
            self._note_refusal(error)
            self._end_work()

        self._workbench.io.post(work, done, refuse)

    def _exchange(self, work: Callable[[], Path], told: str) -> None:
        reason = self._workbench.why_no_exchange
        if reason:
            self._after = ("warn", reason, "")
            self._end_work()
            return

        def done(path: Path) -> None:
            self._after = ("good", told, f"It is used from {path} from now on.")

        # Done or not, the workbench reads the database then, which ends the work.
        self._workbench.exchange_database(work, done, self._note_refusal)

    def _note_refusal(self, error: AxdeskError) -> None:
        if self._is_cancelled.is_set():
            self._after = ("warn", "Cancelled; the database is as it was.", "")
        else:
            self._after = ("bad", error.message, error.hint)

    def _end_work(self) -> None:
        self._is_working = False
        self._read()

    def _read(self) -> None:
        """Show what is known now, and then how the last work went."""
        if self._shown() is None:
            return

        def show(facts: "DatabaseFacts") -> None:
            dialog = self._shown()
            if dialog is not None and not self._is_working:
                dialog.show_facts(facts)
                dialog.show_result(*self._after)

        def refuse(error: AxdeskError) -> None:
            dialog = self._shown()
            if dialog is not None and not self._is_working:
                dialog.show_result("bad", error.message, error.hint)

        self._workbench.io.post(lambda w: w.facts(), show, refuse)

    def _show_refusal(self) -> None:
        dialog = self._shown()
        if dialog is not None:
            dialog.set_refusal(self._workbench.why_no_exchange)


def _backed_up(backup: "Backup") -> tuple[str, str, str]:
    return "good", f"Backed up, {size_text(backup.size)}, checked.", str(backup.path)


def _compacted(freed: int) -> tuple[str, str, str]:
    if freed <= 0:
        return "good", "There was nothing to give back.", ""
    return "good", f"{size_text(freed)} given back to the disk.", ""
