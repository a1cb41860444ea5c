"""What SQLite refuses, as sentences."""

import sqlite3

from axdesk.core.errors import StorageError

# What happened, what to do, and whether the same call may succeed later.
_LOCKED = (
    "is locked by another program.",
    "Wait until that program is done, or close it, and try again.",
    True,
)
_SENTENCES = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_FULL: (
        "cannot grow: the disk is full.",
        "Free some space and try again.",
        True,
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the disk refuses.",
        "Check the disk, its free space and its connection, and try again.",
        True,
    ),
    sqlite3.SQLITE_READONLY: (
        "cannot be written.",
        "Check the permissions of the file and of its folder.",
        True,
    ),
    sqlite3.SQLITE_PERM: (
        "cannot be written.",
        "Check the permissions of the file and of its folder.",
        True,
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened.",
        "Check that its folder exists and that you may read and write it.",
        True,
    ),
    sqlite3.SQLITE_INTERRUPT: ("was left as it is: what went on was cancelled.", "", True),
    sqlite3.SQLITE_NOTADB: ("is no SQLite database.", "Choose another file.", False),
}
_THREAD = "created in a thread"
_LOST_TABLES = ("no such table", "no such column")


def primary_code(error: BaseException | None) -> int:
    """Return SQLite's code of an error, without what makes it special; 0 if it has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def is_damage(error: BaseException | None) -> bool:
    """Return whether an error says that the content of the database is damaged."""
    # All tables were there when the database was opened.
    return primary_code(error) == sqlite3.SQLITE_CORRUPT or str(error).startswith(_LOST_TABLES)


def storage_error(label: str, error: BaseException | None, code: int | None = None) -> StorageError:
    """Return an error of SQLite as a sentence.

    Args:
        label: How to name the database.
        error: What SQLite said.
        code: What it meant; None if it meant what it said.
    """
    if known := _SENTENCES.get(primary_code(error) if code is None else code):
        what, hint, is_temporary = known
        return StorageError(f"The database {label} {what}", hint, is_temporary=is_temporary)
    if _THREAD in str(error):
        return StorageError(
            f"The database {label} can only be used in the thread that connected it.",
            "Connect with check_same_thread=False.",
        )
    return StorageError(f"The database {label} cannot do what is asked: {error}.")
