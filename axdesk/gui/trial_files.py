"""Trials of the experiment shown as files and in the clipboard."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QLocale, QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow

from axdesk.core.names import file_stem
from axdesk.core.trial_columns import DecimalSign, FileFormat
from axdesk.gui.actions import Actions, Slots
from axdesk.gui.models.formatting import counted
from axdesk.gui.models.selection import Selection
from axdesk.gui.settings import WindowSettings
from axdesk.gui.workbench import Workbench

_TOLD_MS = 8000


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A way to write trials, as the file dialog offers it."""

    text: str
    file_format: FileFormat
    decimal: DecimalSign = "point"

    @property
    def suffix(self) -> str:
        """How names of such files end."""
        return f".{self.file_format}"

    @property
    def filter(self) -> str:
        """The entry of the file dialog."""
        return f"{self.text} (*{self.suffix})"


EXPORT_KINDS = {
    "csv": ExportKind("CSV, decimal point", "csv"),
    "csv_comma": ExportKind("CSV, decimal comma", "csv", "comma"),
    "xlsx": ExportKind("Excel workbook", "xlsx"),
    "json": ExportKind("JSON", "json"),
}
"""By the key under which the last choice is remembered."""


def ask_export_path(parent: QMainWindow, proposal: str, key: str) -> tuple[Path, str] | None:
    """Ask where and how to write trials.

    Args:
        parent: The window.
        proposal: Name of the file, without an ending.
        key: Of the kind that is proposed.

    Returns:
        The file and the key of its kind; None if the operator thinks better of it.
    """
    filters = {kind.filter: name for name, kind in EXPORT_KINDS.items()}
    usual = EXPORT_KINDS[key]
    chosen, chosen_filter = QFileDialog.getSaveFileName(
        parent, "Export trials", proposal + usual.suffix, ";;".join(filters), usual.filter
    )
    return (Path(chosen), filters.get(chosen_filter, key)) if chosen else None


class TrialFiles(QObject):
    """Writes trials where the operator says: all, those that the table shows, or those selected."""

    def __init__(
        self,
        window: QMainWindow,
        workbench: Workbench,
        settings: WindowSettings,
        selection: Selection,
        actions: Actions,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._settings = settings
        self._selection = selection
        self._actions = actions

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        return {
            "file.export_trials": self.export_all,
            "file.export_shown": self.export_shown,
            "file.export_selected": self.export_selected,
            "file.copy_trials": self.copy_trials,
        }

    @property
    def _export_kind(self) -> str:
        """Key of the kind that was chosen last, else of the one that spreadsheets here read."""
        usual = "csv_comma" if QLocale().decimalPoint() == "," else "csv"
        return self._settings.export_kind if self._settings.export_kind in EXPORT_KINDS else usual

    def export_all(self) -> None:
        """Write all trials to a file whose name and kind are asked for."""
        self._export(None)

    def export_shown(self) -> None:
        """Write the trials that the table shows."""
        session = self._workbench.current
        if session is not None:
            self._export(session.trials_model.shown_trials())

    def export_selected(self) -> None:
        """Write the trials that are selected."""
        self._export(frozenset(self._selection.trials))

    def _export(self, indices: frozenset[int] | None) -> None:
        session = self._workbench.current
        if session is None or not session.is_configured:
            return
        asked = ask_export_path(self._window, file_stem(session.facts.name), self._export_kind)
        if asked is None:
            return
        chosen, self._settings.export_kind = asked
        kind = EXPORT_KINDS[self._settings.export_kind]
        path = _with_ending(chosen, kind)
        number = session.id
        self._workbench.io.post(
            lambda w: w.export_trials(
                number, path, kind.file_format, decimal=kind.decimal, indices=indices
            ),
            lambda written: self._tell(f"{counted(written, 'trial')} written to {path}"),
        )

    def copy_trials(self) -> None:
        """Put the trials into the clipboard, for a spreadsheet."""
        session = self._workbench.current
        if session is None or not session.is_configured:
            return
        number, decimal = session.id, EXPORT_KINDS[self._export_kind].decimal

        def copy(text: str) -> None:
            QGuiApplication.clipboard().setText(text)
            self._tell(f"Copied {counted(len(session.facts.trials), 'trial')}")

        self._workbench.io.post(lambda w: w.trials_for_clipboard(number, decimal), copy)

    def update_actions(self) -> None:
        """Switch the actions that export on or off, by what there is, is shown and is selected."""
        session = self._workbench.current
        off = "Open an experiment first."
        if session is not None:
            off = "" if session.facts.trials else "There are no trials yet."
        off_shown = off_selected = off
        if session is not None and not off:
            model = session.trials_model
            off_shown = "" if model.is_filtered else "The table shows all trials."
            off_shown = off_shown if model.rowCount() else "The table shows no trial."
            off_selected = "" if self._selection.trials else "Select a trial first."
        for name in ("file.export_trials", "file.copy_trials"):
            self._actions.switch(name, off)
        self._actions.switch("file.export_shown", off_shown)
        self._actions.switch("file.export_selected", off_selected)

    def _tell(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _TOLD_MS)


def _with_ending(path: Path, kind: ExportKind) -> Path:
    """Return the file with the ending of its kind, unless its name has another one already."""
    endings = {one.suffix for one in EXPORT_KINDS.values()}
    if path.suffix == kind.suffix or (path.suffix and path.suffix.casefold() not in endings):
        return path
    return path.with_suffix(kind.suffix)
