"""The connection to a database: opening, pragmas, transactions, and errors as sentences."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from axdesk.core.errors import StorageError, UnsupportedError, UserInputError
from axdesk.storage.backups import (
    Backup,
    RollingBackups,
    copy_database,
    damaged,
    make_backup,
    newest_sound_backup,
    refuse_lost,
)
from axdesk.storage.checks import (
    QUICK_BYTES,
    PlainReads,
    all_damage,
    check_leftovers,
    cut_off,
    first_damage,
    is_ours,
    schema_version,
    was_left_unclean,
)
from axdesk.storage.engine import engine_on
from axdesk.storage.failures import is_damage, primary_code, storage_error
from axdesk.storage.files import JOURNALS, beside, identity, put, timestamp
from axdesk.storage.schema import SCHEMA_VERSION

BUSY_SECONDS = 5.0
"""How long a call waits for another program that uses the database."""

_WAL_IS_SOUND = (3, 51, 3)
"""Earlier versions of SQLite can damage a database in WAL mode that several programs write."""

Stamp = tuple[sqlite3.Connection, int, int]
"""A connection, and how much others and itself have written."""

_STEPS_BETWEEN_LOOKS = 20_000
"""Steps of SQLite's machine, after which is looked whether it was cancelled."""

_log = logging.getLogger(__name__)

# File → the one that was put in its place when it was removed, for all who have it open here.
_put_back: dict[tuple[int, int] | None, tuple[int, int] | None] = {}


class Database:
    """One database, and the one connection to it; calls from any thread take turns.

    Attributes:
        path: The file; None in memory.
        label: How messages name it.
    """

    path: Path | None

    def __init__(self, connect: Callable[[], object], label: str = "in memory") -> None:
        self.label = label
        self.path = None
        self._connect = connect
        self._is_open = False
        self._lock = threading.RLock()
        self._is_closed = False
        self._has_written = False
        self._rescued: Path | None = None
        with self._errors_as_sentences():
            self._use(self._opened())
            self._backups = RollingBackups(self.path)
            if not self._is_new:
                self._backups.opened(self._connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end, once, or rolled back by an exception.

        Raises:
            StorageError: If the database refuses.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            self._stay_in_place()
            with self._writer.begin() as connection:
                yield connection
            self._has_written = True
            self._backups.committed(self._connection)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a view of the database that does not change meanwhile.

        Raises:
            StorageError: If the database refuses.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            self._refuse_another_file()
            with self._reader.connect() as connection:
                yield connection

    def version(self) -> int:
        """Return a number that is another one after any other connection wrote something."""
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            self._refuse_another_file()
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            return int(version)

    def stamp(self) -> Stamp:
        """Return what is another value once anything was written, by whomever.

        Only within `reading` or `writing`, of whose view it is.
        """
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        return self._connection, int(version), self._connection.total_changes

    def back_up(self) -> Backup:
        """Make a copy now.

        Raises:
            UnsupportedError: If the database is in memory.
            StorageError: If the copy cannot be made, or is not sound.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            if self.path is None:
                raise UnsupportedError("A database in memory has no backups.")
            self._stay_in_place()
            return make_backup(self._connection, self.path)

    def back_up_to(self, target: Path) -> Backup:
        """Copy the database to a file.

        Raises:
            UserInputError: If that is a file of the database itself.
            StorageError: If the copy cannot be made, or is not sound.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            own = () if self.path is None else ("", *JOURNALS, "-shm")
            if any(self.path and beside(self.path, e) == target.resolve() for e in own):
                raise UserInputError(f"{target} is the database itself.", "Choose another file.")
            copy_database(self._connection, target)
            return Backup(target, datetime.now(UTC), target.stat().st_size)

    def all_damage(self, is_cancelled: Callable[[], bool]) -> tuple[str, ...]:
        """Check everything; return what is damaged, a sentence each."""
        with self._lock, self._errors_as_sentences(), self._cancellable(is_cancelled):
            self._refuse_if_closed()
            return all_damage(self._connection)

    def compact(self, is_cancelled: Callable[[], bool]) -> int:
        """Write the file anew without its free pages; return how many bytes that freed.

        Raises:
            UnsupportedError: If the database is in memory.
            StorageError: If the database refuses, or it was cancelled.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            if self.path is None:
                raise UnsupportedError("A database in memory cannot be compacted.")
            self._stay_in_place()
            before = self._bytes_used(self.path)
            with self._cancellable(is_cancelled):
                self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._has_written = True
            return before - self._bytes_used(self.path)

    @staticmethod
    def _bytes_used(path: Path) -> int:
        journal = beside(path, "-wal")
        return path.stat().st_size + (journal.stat().st_size if journal.exists() else 0)

    @contextmanager
    def _cancellable(self, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        self._connection.set_progress_handler(is_cancelled, _STEPS_BETWEEN_LOOKS)
        try:
            yield
        finally:
            self._connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Release the file; calling it again does nothing."""
        with self._lock:
            if not self._is_closed and self._has_written:
                try:
                    self._stay_in_place()
                except StorageError as error:
                    _log.warning("The database is closed without being in its place: %s", error)
            self._is_closed = True
            self._reader.dispose()
            self._connection.close()

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise StorageError(f"The database {self.label} was closed.")

    # ---- opening ---------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        connection = self._connect()
        if not isinstance(connection, sqlite3.Connection):
            raise UnsupportedError(
                f"The creator returned {connection!r}; only sqlite3 connections are offered."
            )
        try:
            self.path = self._path_of(connection)
            self.label = str(self.path or self.label)
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _use(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._is_open = True
        self._reads = PlainReads(self.path)
        self._is_read_only = False
        self._identity = None if self.path is None else identity(self.path)
        self._reader = engine_on(connection)
        self._writer = self._reader.execution_options(begin="BEGIN IMMEDIATE")

    @staticmethod
    def _path_of(connection: sqlite3.Connection) -> Path | None:
        files = {name: file for _, name, file in connection.execute("PRAGMA database_list")}
        return Path(files["main"]).resolve() if files["main"] else None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Without Python's own transactions: each begins by our statement, at our time.
        connection.isolation_level = None
        connection.row_factory = None
        connection.execute(f"PRAGMA busy_timeout={int(1000 * BUSY_SECONDS)}")
        connection.execute("PRAGMA mmap_size=0")
        connection.execute("PRAGMA cell_size_check=ON")
        connection.execute("PRAGMA trusted_schema=OFF")
        version = self._checked_version(connection)
        self._is_new = version == 0
        if version < SCHEMA_VERSION:
            # Alembic takes longer to import than everything else here together.
            from axdesk.storage.migrate import upgrade
            from axdesk.storage.migrations import MIGRATIONS

            if version and self.path is not None:
                make_backup(connection, self.path)
            upgrade(connection, MIGRATIONS)
        connection.execute("PRAGMA foreign_keys=ON")
        if sqlite3.sqlite_version_info >= _WAL_IS_SOUND:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        else:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=EXTRA")

    def _checked_version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the schema of a database that is ours and whole."""
        if self.path is None:
            return schema_version(connection, self.label)
        if damage := check_leftovers(self.path):
            raise damaged(self.path, damage)
        if not is_ours(connection) and newest_sound_backup(self.path) is not None:
            raise damaged(self.path, "its beginning is not that of a database of axdesk")
        version = schema_version(connection, self.label)
        if version == 0:
            refuse_lost(self.path)
        damage = cut_off(connection, self.path)
        if self.path.stat().st_size <= QUICK_BYTES or was_left_unclean(self.path):
            damage = damage or first_damage(connection)
        if damage:
            raise damaged(self.path, damage)
        return version

    # ---- the file, removed or replaced while it is used ------------------------------------------

    def _stay_in_place(self) -> None:
        """Make sure that what is written goes to the file that bears the database's name.

        On Linux SQLite goes on writing into a file that was removed, or that was renamed, and
        everything would be gone with the end of the program.
        """
        self._refuse_another_file()
        if self.path is None:
            return
        if self._file_in_place() is not None:
            if self._is_read_only:
                self._replace_connection()
            return
        if not self.path.parent.is_dir():
            raise StorageError(
                f"The folder of the database {self.path} is gone.",
                "Bring it back, or connect its drive again; the database is put back into it.",
                is_temporary=True,
            )
        copy = beside(self.path, ".put-back")
        copy_database(self._connection, copy)
        for ending in (*JOURNALS, "-shm"):
            beside(self.path, ending).unlink(missing_ok=True)
        put(copy, self.path)
        present = identity(self.path)
        # The system gives the number of a removed file to a new one.
        _put_back.pop(present, None)
        _put_back[self._identity] = present
        self._replace_connection()
        _log.warning(
            "The database %s was removed while it was used, and was put back as it was.", self.path
        )

    def _replace_connection(self) -> None:
        former = self._connection
        self._use(self._opened())
        former.close()

    def _refuse_another_file(self) -> None:
        in_place = self._file_in_place()
        if self.path is None or in_place in (self._identity, None):
            return
        same = self._identity
        while same in _put_back:
            same = _put_back[same]
        if same == in_place:
            self._replace_connection()
            return
        # With the other file's journal in place SQLite would carry that out, on our data.
        if self._rescued is None and not any(beside(self.path, j).exists() for j in JOURNALS):
            rescued = beside(self.path, f".rescued-{timestamp()}.sqlite")
            copy_database(self._connection, rescued)
            self._rescued = rescued
        kept = f" What it held is kept in {self._rescued}." if self._rescued else ""
        raise StorageError(
            f"Another file was put in the place of the database {self.path} while it was "
            f"used.{kept}",
            f"To go on, move the other file elsewhere, put {self._rescued} in its place, and open "
            "the database again."
            if self._rescued
            else "Move the other file elsewhere, and put a backup in its place.",
        )

    def _file_in_place(self) -> tuple[int, int] | None:
        return None if self.path is None else identity(self.path)

    # ---- errors ----------------------------------------------------------------------------------

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._sentence(error.orig) from error
        except sqlite3.Error as error:
            raise self._sentence(error) from error
        except (StatementError, OverflowError, UnicodeEncodeError) as error:
            reason = getattr(error, "orig", None) or error
            raise StorageError(
                f"The database {self.label} cannot keep a value: {reason}.", "Use another value."
            ) from error
        except OSError as error:
            raise StorageError(
                f"The files of the database {self.label} cannot be used: {error}.",
                "Check the folder's permissions, and that its drive is connected.",
                is_temporary=True,
            ) from error

    def _sentence(self, error: BaseException | None) -> StorageError:
        if primary_code(error) == sqlite3.SQLITE_READONLY:
            # A connection to a file that could only be read when it was opened stays so.
            self._is_read_only = True
        if self.path is None or not is_damage(error):
            return storage_error(self.label, error)
        if self._is_open and primary_code(error) == sqlite3.SQLITE_CORRUPT:
            # SQLite says so too of a page that the disk does not give, or did not this time.
            try:
                is_sound = self._reads.fail() or not all_damage(self._connection)
            except sqlite3.Error as unreadable:
                return storage_error(self.label, unreadable)
            if is_sound:
                return storage_error(self.label, error, sqlite3.SQLITE_IOERR)
        return damaged(self.path, str(error))
