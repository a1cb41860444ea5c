"""What helps a database that is damaged or was changed by mistake; none of it opens the database.

Its copies are made by `Workspace.back_up`, and by itself while the database is used.
"""

from datetime import UTC, datetime
from pathlib import Path

from axdesk.api.places import default_database_path, moved_database, remember_database
from axdesk.core.errors import NotFoundError, StorageError
from axdesk.storage.backups import Backup, list_backups, newest_sound_backup, restore
from axdesk.storage.facts import DatabaseFacts
from axdesk.storage.files import has_content
from axdesk.storage.moving import Move
from axdesk.storage.salvage import SalvageReport, salvage

__all__ = [
    "Backup",
    "DatabaseFacts",
    "SalvageReport",
    "backups_of",
    "default_database_path",
    "move_database",
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


def move_database(database: Path | None, folder: Path) -> Path:
    """Move a database, which nobody may have open, with its backups and attached files.

    The one that window and command line use by themselves they find in its new place.

    Args:
        database: Its file; None for the usual one.
        folder: Where to.

    Returns:
        Where its file is now.

    Raises:
        NotFoundError: If there is no such database, or no such folder.
        UserInputError: If the folder has a database of that name, or is where it lies.
        ExperimentBusyError: If somebody drives an experiment, or has the database open.
        StorageError: If it cannot be copied there; it stays where it is then.
    """
    usual, was_moved = default_database_path(), moved_database() is not None
    path = database or usual
    is_usual = path.absolute() == usual.absolute()
    move = Move(path, folder)
    move.copy()
    try:
        if is_usual:
            remember_database(move.target)
        move.finish()
    except BaseException as error:
        move.undo()
        if is_usual:
            remember_database(usual if was_moved else None)
        if isinstance(error, OSError):
            raise StorageError(
                f"The new place of the database cannot be kept: {error}.",
                "Check the permissions of the folder of your settings; nothing was changed.",
            ) from error
        raise
    return move.target


def _copy_at(file: Path) -> Backup:
    try:
        stat = file.stat()
    except OSError as error:
        raise NotFoundError(f"The backup {file} cannot be read: {error.strerror}.") from error
    return Backup(file, datetime.fromtimestamp(stat.st_mtime, UTC), stat.st_size)
