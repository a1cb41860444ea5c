"""Whether a database is ours, whole, and left by those who used it before as it should be."""

import os
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from axdesk.core.errors import StorageError
from axdesk.storage.failures import is_damage, primary_code, storage_error
from axdesk.storage.files import JOURNALS, beside
from axdesk.storage.schema import APPLICATION_ID, SCHEMA_VERSION

QUICK_BYTES = 32 * 2**20
"""Up to this size a database is checked at each opening, which takes 3 ms a megabyte."""

_COPY_SECONDS = 5.0
_CHUNK = 2**20
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_ROLLBACK_FORMAT = 1
_CODE = re.compile(r"error code=(\d+)")


def is_ours(connection: sqlite3.Connection) -> bool:
    """Return whether a file begins as a database of axdesk, or is empty."""
    try:
        ((application,),) = connection.execute("PRAGMA application_id")
        ((pages,),) = connection.execute("PRAGMA page_count")
    except sqlite3.DatabaseError as error:
        if primary_code(error) == sqlite3.SQLITE_NOTADB:
            return False
        raise
    return bool(application == APPLICATION_ID or pages == 0)


def schema_version(connection: sqlite3.Connection, label: str) -> int:
    """Return the version of the schema, 0 for an empty database; only reads.

    Args:
        connection: In autocommit mode.
        label: How messages name the database.

    Raises:
        StorageError: If it is not ours, or newer than this axdesk.
    """
    # One view of all three: another program may be making the schema right now.
    connection.execute("BEGIN")
    try:
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        objects = connection.execute("SELECT type, name FROM sqlite_master").fetchall()
    finally:
        connection.execute("ROLLBACK")
    if application == version == len(objects) == 0:
        return 0
    if application != APPLICATION_ID:
        raise StorageError(
            f"The database {label} belongs to another application.",
            "Choose another file; this one was not changed.",
        )
    if version > SCHEMA_VERSION:
        raise StorageError(
            f"The database {label} was written by a newer axdesk: its schema has the "
            f"version {version}, known are those up to {SCHEMA_VERSION}.",
            "Update axdesk, or choose another file; this one was not changed.",
        )
    strangers = [f"{kind} {name!r}" for kind, name in objects if kind in ("trigger", "view")]
    if strangers:
        raise StorageError(
            f"The database {label} has what axdesk never makes: the {', the '.join(strangers)}. "
            "It could change what is stored.",
            "Choose another file; this one was not changed.",
        )
    return int(version)


def cut_off(connection: sqlite3.Connection, path: Path) -> str:
    """Return what is missing of a page at a file's end, which SQLite takes for zeros."""
    ((page,),) = connection.execute("PRAGMA page_size")
    rest = path.stat().st_size % page
    return f"its last page has {rest} bytes instead of {page}" if rest else ""


def first_damage(connection: sqlite3.Connection) -> str:
    """Return what a quick check finds first; empty if the database is sound."""
    return next(iter(_findings(connection, "PRAGMA quick_check(1)")), "")


def all_damage(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Return all that a full check finds, as a sentence each; nothing if the database is sound."""
    found = _findings(connection, "PRAGMA integrity_check")
    if not found:
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
        found = [
            f"A row of {table} belongs to no row of {other}." for table, _, other, _ in orphans
        ]
    return tuple(found)


def _findings(connection: sqlite3.Connection, check: str) -> list[str]:
    try:
        answers = [str(answer) for (answer,) in connection.execute(check)]
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return [str(error)]
        raise
    for answer in answers:
        # A page that the disk does not give is told among what is damaged.
        if code := _CODE.search(answer):
            unreadable = sqlite3.OperationalError(answer)
            unreadable.sqlite_errorcode = int(code[1])
            raise unreadable
    return [" ".join(answer.split()) for answer in answers if answer != "ok"]


class PlainReads:
    """Reads of a database's file past SQLite, which tells an unreadable page from a damaged one."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: int | None = None

    def fail(self) -> bool:
        """Return whether the disk does not give all of the file."""
        if sys.platform == "win32" or self._path is None:
            return False
        try:
            if self._file is None:
                # Never closed: that would end all locks that this process holds on the file.
                self._file = os.open(self._path, os.O_RDONLY)
            for at in range(0, os.fstat(self._file).st_size, _CHUNK):
                os.pread(self._file, _CHUNK, at)
        except OSError:
            return True
        return False


def was_left_unclean(path: Path) -> bool:
    """Return whether a controller died, or is still at work."""
    return any(beside(path, ".locks").glob("*.controller"))


def check_leftovers(path: Path) -> str:
    """Try on a copy what the journal of an interrupted change would do to a database.

    SQLite carries out whatever lies beside a database as soon as it is read, even what belongs to
    another database.

    Args:
        path: The database; it is not touched.

    Returns:
        What would be damaged afterwards; empty if nothing.

    Raises:
        StorageError: If the journal is none of this database, or nothing can be tried.
    """
    leftovers = [name for name in JOURNALS if _size(beside(path, name))]
    if not leftovers or not _size(path):
        return ""
    for name in leftovers:
        if not belongs(path, name):
            raise StorageError(
                f"Beside the database {path} lies {path.name}{name}, which belongs to another "
                "database and would damage this one. Neither was changed.",
                f"Move {path.name}{name} to another folder, and open the database again.",
            )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        deadline = time.monotonic() + _COPY_SECONDS
        while not _copied_in_one_state(path, copy):
            if time.monotonic() > deadline:
                # Another program writes all the time, so it does well with the database.
                return ""
        return _damage_of_copy(copy, str(path))


def _copied_in_one_state(path: Path, copy: Path) -> bool:
    """Copy a database with its journals; return whether nothing was written meanwhile."""
    before = _stats(path)
    try:
        for name in ("", *JOURNALS):
            beside(copy, name).unlink(missing_ok=True)
            if beside(path, name).exists():
                shutil.copyfile(beside(path, name), beside(copy, name))
    except FileNotFoundError:
        return False  # another program finished its change meanwhile
    except OSError as error:
        raise StorageError(
            f"The database {path}, which was left in the middle of a change, cannot be checked: "
            f"{error}.",
            f"Check that it can be read and that {copy.parent} has room for a copy.",
            is_temporary=True,
        ) from error
    return _stats(path) == before


def _damage_of_copy(copy: Path, label: str) -> str:
    with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
        connection.execute("PRAGMA cell_size_check=ON")
        try:
            schema_version(connection, label)
            return first_damage(connection)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                return str(error)
            raise storage_error(label, error) from error


def belongs(path: Path, name: str) -> bool:
    """Return whether a journal may be one of this database."""
    with path.open("rb") as file:
        header = file.read(100)
    if name == "-wal":
        return header[18:20] != bytes([_ROLLBACK_FORMAT, _ROLLBACK_FORMAT])
    journal = beside(path, name).read_bytes()
    if not journal.startswith(_JOURNAL_MAGIC):
        return True  # SQLite takes it for nothing
    records = int.from_bytes(journal[8:12], "big")
    sector, page = (int.from_bytes(journal[at : at + 4], "big") for at in (20, 24))
    if page != (int.from_bytes(header[16:18], "big") or 65536):
        return False
    # Every change counts up in page 1, whose former state the journal keeps.
    for number in range(records):
        record = journal[sector + number * (page + 8) :][: page + 4]
        if record[:4] == b"\0\0\0\1":
            former, present = (
                int.from_bytes(first_page[24:28], "big") for first_page in (record[4:], header)
            )
            return present in (former, former + 1)
    return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _stats(path: Path) -> list[tuple[int, int, int] | None]:
    found: list[tuple[int, int, int] | None] = []
    for name in ("", *JOURNALS):
        try:
            stat = beside(path, name).stat()
            found.append((stat.st_ino, stat.st_mtime_ns, stat.st_size))
        except OSError:
            found.append(None)
    return found
