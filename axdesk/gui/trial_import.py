"""Trials from files and the clipboard into the experiment shown."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow

from axdesk.core.commands import ImportTrials
from axdesk.core.errors import AxdeskError
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial_import import FileTable, ImportPlan, ImportSettings, ReadSettings
from axdesk.gui.models.formatting import counted
from axdesk.gui.session import ExperimentSession
from axdesk.gui.views.import_dialog import ImportDialog
from axdesk.gui.workbench import Workbench

TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json")
"""How the names of files end that trials are imported from."""

_FILTER = f"Tables ({' '.join('*' + ending for ending in TABLES)});;All files (*)"
_TOLD_MS = 8000
_REASON_MS = 15000


def ask_import_path(parent: QMainWindow) -> Path | None:
    """Ask for a file of trials; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getOpenFileName(parent, "Import trials", "", _FILTER)
    return Path(chosen) if chosen else None


class TrialImport(QObject):
    """Opens the dialog that imports trials, for what the operator gives."""

    def __init__(self, window: QMainWindow, workbench: Workbench) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench

    def import_file(self) -> None:
        """Import trials from a file that is asked for."""
        path = ask_import_path(self._window)
        if path is not None:
            self.import_path(path)

    def import_path(self, path: Path) -> None:
        """Import trials from a file that was chosen or dropped."""
        self._open(path, path.name)

    def import_clipboard(self) -> None:
        """Import trials from what was copied in a spreadsheet."""
        text = QGuiApplication.clipboard().text()
        if text.strip():
            self._open(text, "the clipboard")
        else:
            self._tell("There is no text in the clipboard: copy cells in a spreadsheet first.")

    def _open(self, source: Path | str, name: str) -> None:
        session = self._workbench.current
        if session is None:
            self._tell(f"Open the experiment that the trials of {name} belong to first.")
        elif session.facts.controller or session.facts.is_opening:
            self._tell("Trials cannot be imported now: another process or a start has it.")
        else:
            session.prepare_trials(lambda setup: self._show(session, source, name, setup))

    def _show(
        self, session: ExperimentSession, source: Path | str, name: str, setup: ExperimentSetup
    ) -> None:
        dialog = ImportDialog(self._window, name, setup)
        conversation = _Conversation(dialog, self._workbench, session, source)
        conversation.imported = lambda told: self._window.statusBar().showMessage(told, _TOLD_MS)
        dialog.show()
        conversation.read(dialog.reading)

    def _tell(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _REASON_MS)


class _Request:
    """One look at the file; a later one takes its place."""

    def __init__(self) -> None:
        self.is_cancelled = False


class _Conversation(QObject):
    """What one dialog asks for, and what it is told; reading and checking is the I/O thread's."""

    def __init__(
        self,
        dialog: ImportDialog,
        workbench: Workbench,
        session: ExperimentSession,
        source: Path | str,
    ) -> None:
        super().__init__(dialog)
        self._dialog = dialog
        self._workbench = workbench
        self._session = session
        self._source = source
        self._table: FileTable | None = None
        self._request = _Request()
        self._is_over = False
        self.imported = _ignore
        dialog.read_wanted.connect(self.read)
        dialog.plan_wanted.connect(self.plan)
        dialog.confirmed.connect(self._import)
        dialog.finished.connect(self._end)

    def read(self, settings: ReadSettings) -> None:
        """Read the source."""
        request, source = self._next(), self._source

        def take(table: FileTable) -> None:
            if not request.is_cancelled:
                self._table = table
                self._dialog.show_table(table)
                self.plan(self._dialog.settings)

        self._workbench.io.post(
            lambda w: w.read_table(source, settings, lambda: request.is_cancelled),
            take,
            lambda error: self._refuse(request, error),
        )

    def plan(self, settings: ImportSettings) -> None:
        """Look what would become of the rows."""
        table, number = self._table, self._session.id
        if table is None:
            return
        request = self._next()

        def take(plan: ImportPlan) -> None:
            if not request.is_cancelled:
                self._dialog.show_plan(plan)

        self._workbench.io.post(
            lambda w: w.plan_import(number, table, settings, lambda: request.is_cancelled),
            take,
            lambda error: self._refuse(request, error),
        )

    def _import(self, plan: ImportPlan) -> None:
        tell, dialog = self.imported, self._dialog

        def told(error: AxdeskError | None) -> None:
            if error is None:
                tell(_outcome(plan))
                if not self._is_over:
                    dialog.close_done()
            elif self._is_over:
                tell(str(error))
            else:
                dialog.show_error(str(error))

        self._session.import_trials(ImportTrials(plan.trials, plan.name), told)

    def _next(self) -> _Request:
        self._request.is_cancelled = True
        self._request = _Request()
        return self._request

    def _refuse(self, request: _Request, error: AxdeskError) -> None:
        if not request.is_cancelled:
            self._dialog.show_error(str(error))

    def _end(self) -> None:
        self._is_over = self._request.is_cancelled = True


def _outcome(plan: ImportPlan) -> str:
    skipped = len(plan.skipped)
    rest = f"; {counted(skipped, 'row')} skipped" if skipped else ""
    return f"{counted(len(plan.trials), 'trial')} imported from {plan.name}{rest}"


def _ignore(told: str) -> None:
    """Nobody listens yet."""
