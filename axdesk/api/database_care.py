"""The part of a workspace that looks after the database as a file."""

from collections.abc import Callable
from pathlib import Path

from axdesk.api.rescue import Backup, DatabaseFacts, backups_of
from axdesk.storage.store import SqlStore


class DatabaseCare:
    """Copies, checks and compacts the database.

    Attributes:
        database: Its file.
    """

    database: Path
    _store: SqlStore

    def backups(self) -> tuple[Backup, ...]:
        """Return the copies of the database, the newest last."""
        return backups_of(self.database)

    def back_up(self) -> Backup:
        """Copy the database now, check the copy, and let the oldest one go.

        Raises:
            StorageError: If the copy cannot be made, or is not sound.
        """
        return self._store.back_up()

    def back_up_to(self, target: Path) -> Backup:
        """Copy the database to a file, which is replaced if it exists.

        Raises:
            UserInputError: If that is the database itself.
            StorageError: If the copy cannot be written, or would not be sound.
        """
        return self._store.back_up_to(target)

    def all_damage(self, is_cancelled: Callable[[], bool] = lambda: False) -> tuple[str, ...]:
        """Check all of the database, which may take a while; return what is damaged.

        Args:
            is_cancelled: Asked now and then, from this thread.

        Raises:
            StorageError: If it was cancelled, or the database cannot be read.
        """
        return self._store.all_damage(is_cancelled)

    def compact(self, is_cancelled: Callable[[], bool] = lambda: False) -> int:
        """Give back what is of no use in the database's file; return how many bytes that is.

        Args:
            is_cancelled: Asked now and then, from this thread; nothing is changed then.

        Raises:
            ExperimentBusyError: If somebody drives one of the experiments.
            StorageError: If it was cancelled, the disk is full, or another program uses it.
        """
        return self._store.compact(is_cancelled)

    def facts(self) -> DatabaseFacts:
        """Return how large the database is, what it holds, and what is kept of it."""
        return self._store.facts()
