"""The part of a workspace that lets trials, and their files, in and out."""

from collections.abc import Callable, Collection
from pathlib import Path

from axdesk.api.importing import import_stored
from axdesk.core.attachments import Attachment
from axdesk.core.clock import SystemClock
from axdesk.core.commands import ImportTrials
from axdesk.core.trial_columns import DecimalSign, FileFormat
from axdesk.core.trial_import import FileTable, ImportPlan, ImportSettings, ReadSettings
from axdesk.exchange.table_files import read_content, read_table, read_text
from axdesk.exchange.trials_export import trials_clipboard, trials_text, write_trials
from axdesk.exchange.trials_import import plan_import
from axdesk.storage.store import SqlStore


class StoredTrials:
    """Trials between the database and files or the clipboard."""

    _store: SqlStore

    def keep_file(self, source: Path) -> Attachment:
        """Copy a file beside the database, to be attached to a trial with `AttachFile`.

        Raises:
            UserInputError: If it is no file that can be read.
            StorageError: If it cannot be kept.
        """
        return self._store.keep_file(source, SystemClock().now())

    def attachment_path(self, attachment: Attachment) -> Path:
        """Return where a file of a trial lies, to be read and not to be changed.

        Raises:
            NotFoundError: If it is gone, or is not what was attached.
        """
        return self._store.path_of(attachment)

    def export_trials(
        self,
        experiment_id: int,
        path: Path,
        file_format: FileFormat | None = None,
        *,
        decimal: DecimalSign = "point",
        indices: Collection[int] | None = None,
    ) -> int:
        """Write trials to a file; return their number.

        Args:
            experiment_id: Whose.
            path: The file; what is there is replaced.
            file_format: `"csv"`, `"xlsx"` or `"json"`; None for that of the file's name.
            decimal: Of a CSV file.
            indices: Of the trials; None for all.

        Raises:
            NotFoundError: If there is no such experiment or trial.
            UserInputError: If the file cannot be written.
        """
        experiment = self._store.load_by_id(experiment_id)
        return write_trials(experiment, path, file_format, decimal=decimal, indices=indices)

    def trials_text(
        self, experiment_id: int, file_format: FileFormat, decimal: DecimalSign = "point"
    ) -> str:
        """Return all trials as CSV or JSON.

        Raises:
            UserInputError: If the format is no text.
        """
        return trials_text(self._store.load_by_id(experiment_id), file_format, decimal=decimal)

    def trials_for_clipboard(
        self,
        experiment_id: int,
        decimal: DecimalSign = "point",
        indices: Collection[int] | None = None,
    ) -> str:
        """Return trials as spreadsheets paste them."""
        return trials_clipboard(self._store.load_by_id(experiment_id), decimal, indices)

    def read_table(
        self,
        source: Path | str | bytes,
        settings: ReadSettings | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> FileTable:
        """Read a file of trials, or a text such as that of the clipboard.

        Args:
            source: A path, the text itself, or what stands in a file.
            settings: What is not to be found out.
            is_cancelled: Asked now and then; reading is given up if it says so.

        Raises:
            UserInputError: If it is no table.
        """
        if isinstance(source, str):
            return read_text("The clipboard", source, settings)
        if isinstance(source, bytes):
            return read_content("The input", source, settings, is_cancelled)
        return read_table(source, settings, is_cancelled)

    def plan_import(
        self,
        experiment_id: int,
        table: FileTable,
        settings: ImportSettings | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> ImportPlan:
        """Return what an import of a table would do; nothing is changed.

        Raises:
            NotFoundError: If there is no such experiment.
            UserInputError: If the settings name a column or a use that there is not.
        """
        return plan_import(self._store.load_by_id(experiment_id), table, settings, is_cancelled)

    def import_trials(self, experiment_id: int, command: ImportTrials) -> tuple[int, ...]:
        """Add trials that were run elsewhere, all or none; return their indices.

        Raises:
            NotFoundError: If there is no such experiment.
            UserInputError: If one is not allowed; none is added then.
            ExperimentBusyError: If a run goes on.
        """
        trials = import_stored(self._store, self._store.load_by_id(experiment_id), command)
        return tuple(trial.index for trial in trials)
