"""The ways out while the database cannot be opened: a backup, salvage, another file."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMainWindow

from axdesk.core.errors import AxdeskError, DamagedDatabaseError
from axdesk.gui.models.formatting import counted
from axdesk.gui.views.database_page import (
    BACKUP,
    CHOOSE,
    OPEN_SALVAGED,
    QUIT,
    RETRY,
    SALVAGE,
    DatabasePage,
)
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.rescue import SalvageReport

_FILES = "Databases (*.sqlite *.db);;All files (*)"


def ask_database(parent: QMainWindow) -> Path | None:
    """Ask for a database to open; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getOpenFileName(parent, "Open a database", "", _FILES)
    return Path(chosen) if chosen else None


def ask_target(parent: QMainWindow, proposal: Path) -> Path | None:
    """Ask where to salvage to; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getSaveFileName(parent, "Salvage into", str(proposal), _FILES)
    return Path(chosen) if chosen else None


class Rescue(QObject):
    """Carries out what the operator chooses on the page of a database that cannot be opened.

    A damaged file is only read: a backup that takes its place leaves it under another name.
    """

    def __init__(self, window: QMainWindow, workbench: Workbench, page: DatabasePage) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._page = page
        self._error: AxdeskError | None = None
        self._salvaged: Path | None = None
        workbench.unavailable.connect(self._show)
        page.chosen.connect(self._carry_out)

    def _show(self, error: AxdeskError) -> None:
        self._error = error
        self._page.show_trouble(error)

    def _carry_out(self, way: str) -> None:
        if way == RETRY:
            self._open(None)
        elif way == CHOOSE:
            path = ask_database(self._window)
            if path is not None:
                self._open(path)
        elif way == OPEN_SALVAGED and self._salvaged is not None:
            self._open(self._salvaged)
        elif way == QUIT:
            self._window.close()
        elif isinstance(self._error, DamagedDatabaseError):
            if way == BACKUP:
                self._restore(self._error)
            elif way == SALVAGE:
                self._salvage(Path(self._error.path))

    def _open(self, path: Path | None) -> None:
        self._page.show_busy("Opening the database…")
        if path is not None:
            self._workbench.choose_database(path)
        self._workbench.read_database()

    def _restore(self, error: DamagedDatabaseError) -> None:
        database = Path(error.path)
        backup = None if error.backup is None else Path(error.backup)

        def restore() -> None:
            from axdesk.api.rescue import restore_backup

            restore_backup(database, backup)

        self._page.show_busy("Putting the backup in place; the damaged file is kept beside it…")
        self._workbench.io.post_without(
            restore, lambda _: self._open(database), self._page.show_refusal
        )

    def _salvage(self, database: Path) -> None:
        proposal = database.with_name(f"{database.stem}-salvaged{database.suffix}")
        target = ask_target(self._window, proposal)
        if target is None:
            return

        def work() -> "SalvageReport":
            from axdesk.api.rescue import salvage

            return salvage(database, target)

        self._page.show_busy("Reading what can be read; this may take a while…")
        self._workbench.io.post_without(work, self._show_salvaged, self._page.show_refusal)

    def _show_salvaged(self, report: "SalvageReport") -> None:
        self._salvaged = report.target
        lost = f"{counted(report.rows_lost, 'row')} could not be read"
        self._page.show_salvaged(
            f"{counted(report.experiments, 'experiment')} with {counted(report.trials, 'trial')} "
            f"stand in {report.target}; {lost}. The damaged database was not changed.",
            "\n".join(report.remarks),
        )
