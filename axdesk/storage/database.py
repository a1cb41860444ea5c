"""The connection to a database: opening, pragmas, transactions, and errors as sentences."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, StatementError

from axdesk.core.errors import StorageError, UnsupportedError
from axdesk.storage.engine import engine_on
from axdesk.storage.schema import APPLICATION_ID, SCHEMA_VERSION

BUSY_SECONDS = 5.0
"""How long a call waits for another program that uses the database."""

_WAL_IS_SOUND = (3, 51, 3)
"""Earlier versions of SQLite can damage a database in WAL mode that several programs write."""

_SENTENCES = (
    (
        "locked",
        "is locked by another program.",
        "Wait until that program is done, or close it, and try again.",
    ),
    ("disk is full", "cannot grow: the disk is full.", "Free some space and try again."),
    (
        "readonly",
        "cannot be written.",
        "Check the permissions of the file and of its folder.",
    ),
    (
        "unable to open",
        "cannot be opened.",
        "Check that its folder exists and that you may read and write it.",
    ),
    ("not a database", "is no SQLite database.", "Choose another file."),
    ("malformed", "is damaged.", "Restore a backup, or choose another file."),
    (
        "created in a thread",
        "can only be used in the thread that connected it.",
        "Connect with check_same_thread=False.",
    ),
)


class Database:
    """One database, and the one connection to it; calls from any thread take turns.

    Attributes:
        path: The file; None in memory.
        label: How messages name it.
    """

    def __init__(self, connect: Callable[[], object], label: str = "in memory") -> None:
        self.label = label
        with self._errors_as_sentences():
            connection = connect()
            if not isinstance(connection, sqlite3.Connection):
                raise UnsupportedError(
                    f"The creator returned {connection!r}; only sqlite3 connections are offered."
                )
            try:
                self.path = self._path_of(connection)
                self.label = str(self.path or label)
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
        self._connection = connection
        self._lock = threading.RLock()
        self._is_closed = False
        self._reader = engine_on(connection)
        self._writer = self._reader.execution_options(begin="BEGIN IMMEDIATE")

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is committed at the end, once, or rolled back by an exception.

        Raises:
            StorageError: If the database refuses.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            with self._writer.begin() as connection:
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a view of the database that does not change meanwhile.

        Raises:
            StorageError: If the database refuses.
        """
        with self._lock, self._errors_as_sentences():
            self._refuse_if_closed()
            with self._reader.connect() as connection:
                yield connection

    def close(self) -> None:
        """Release the file; calling it again does nothing."""
        with self._lock:
            self._is_closed = True
            self._reader.dispose()
            self._connection.close()

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise StorageError(f"The database {self.label} was closed.")

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
        version = self._schema_version(connection)
        if version < SCHEMA_VERSION:
            # Alembic takes longer to import than everything else here together.
            from axdesk.storage.migrate import back_up, upgrade
            from axdesk.storage.migrations import MIGRATIONS

            if version and self.path is not None:
                back_up(connection, self.path, version, datetime.now(UTC))
            upgrade(connection, MIGRATIONS)
        connection.execute("PRAGMA foreign_keys=ON")
        if sqlite3.sqlite_version_info >= _WAL_IS_SOUND:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
        else:
            connection.execute("PRAGMA journal_mode=DELETE")
            connection.execute("PRAGMA synchronous=EXTRA")

    def _schema_version(self, connection: sqlite3.Connection) -> int:
        """Return the version of the schema, 0 for an empty database; only reads."""
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
        if application == version == tables == 0:
            return 0
        if application != APPLICATION_ID:
            raise StorageError(
                f"The database {self.label} belongs to another application.",
                "Choose another file; this one was not changed.",
            )
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"The database {self.label} was written by a newer axdesk: its schema has the "
                f"version {version}, known are those up to {SCHEMA_VERSION}.",
                "Update axdesk, or choose another file; this one was not changed.",
            )
        return int(version)

    @contextmanager
    def _errors_as_sentences(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._sentence(str(error.orig)) from error
        except sqlite3.Error as error:
            raise self._sentence(str(error)) from error
        except (StatementError, OverflowError, UnicodeEncodeError) as error:
            reason = getattr(error, "orig", None) or error
            raise StorageError(
                f"The database {self.label} cannot keep a value: {reason}.", "Use another value."
            ) from error

    def _sentence(self, reason: str) -> StorageError:
        for part, what, hint in _SENTENCES:
            if part in reason:
                return StorageError(f"The database {self.label} {what}", hint)
        return StorageError(f"The database {self.label} cannot do what is asked: {reason}.")
