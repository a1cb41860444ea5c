"""What helps a database that is damaged or was changed by mistake; none of it opens the database.

Its copies are made by `Workspace.back_up`, and by itself while the database is used.
"""

from datetime import UTC, datetime
from pathlib import Path

from axdesk.api.places import default_database_path
from axdesk.core.errors import NotFoundError
from axdesk.storage.backups import Backup, list_backups, newest_sound_backup, restore
from axdesk.storage.files import has_content
from axdesk.storage.salvage import SalvageReport, salvage

__all__ = [
    "Backup",
    "SalvageReport",
    "backups_of",
    "default_database_path",
    "restore_backup",
    "salvage",
]


def backups_of(database: Path | None = None) -> tuple[Backup, ...]:
    """Return the copies of a database, the newest last.

    Args:
        database: Its file, which need not exist; None for the one in the user's data folder.
    """
    return list_backups(database or default_database_path())


def restore_backup(
    database: Path | None = None, backup: Path | None = None
) -> tuple[Backup, Path | None]:
    """Put a copy in the place of its database, which nobody may have open.

    Args:
        database: Its file; None for the one in the user's data folder.
        backup: The copy, wherever it lies; None for the newest one that is sound.

    Returns:
        The copy, and where the file that was there is kept; None if there was none.

    Raises:
        NotFoundError: If there is no such copy, or no sound one, or nothing at all of the database.
        ExperimentBusyError: If somebody drives one of the database's experiments.
        StorageError: If the copy is not sound, or cannot be put there.
    """
    path = database or default_database_path()
    chosen = newest_sound_backup(path) if backup is None else _copy_at(backup)
    if database is not None and not (path.exists() or list_backups(path)):
        raise NotFoundError(
            f"There is no database {path}, and no sound backup of it.",
            "Check the path. A backup can also be copied: it opens as any database does.",
        )
    if chosen is None:
        raise NotFoundError(
            f"The database {path} has no sound backup.",
            "Salvage what can be read of it into a new file."
            if has_content(path)
            else "Nothing is left of it. A run makes a new database in its place.",
        )
    return chosen, restore(chosen, path)


def _copy_at(file: Path) -> Backup:
    try:
        stat = file.stat()
    except OSError as error:
        raise NotFoundError(f"The backup {file} cannot be read: {error.strerror}.") from error
    return Backup(file, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size)
