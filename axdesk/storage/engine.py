"""How SQLAlchemy reaches SQLite: from a URL to a connection, from a connection to an engine."""

import sqlite3
from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import StaticPool

from axdesk.core.errors import StorageError, UnsupportedError


def sqlite_connector(url: str) -> Callable[[], sqlite3.Connection]:
    """Return what connects to the database of an SQLAlchemy URL.

    Raises:
        UnsupportedError: If it is no SQLite database.
        StorageError: If it is no URL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StorageError(
            f"{url!r} is no database URL.", "Write such as sqlite:////data/lab.sqlite."
        ) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise UnsupportedError(
            f"Databases of the kind {parsed.drivername!r} are not offered; SQLite is.",
            "Use a URL such as sqlite:////data/lab.sqlite.",
        )
    arguments, options = parsed.get_dialect()().create_connect_args(parsed)
    options["check_same_thread"] = False
    return partial[sqlite3.Connection](sqlite3.connect, *arguments, **options)


def engine_on(connection: sqlite3.Connection) -> Engine:
    """Return an engine whose every transaction runs on this one connection.

    Transactions that will write say so with the execution option `begin="BEGIN IMMEDIATE"`:
    upgrading a read transaction later fails at once when another program writes.
    """
    engine = create_engine(
        "sqlite://", creator=lambda: connection, poolclass=StaticPool, pool_reset_on_return=None
    )

    @event.listens_for(engine, "begin")
    def _begin(begun: Connection) -> None:
        begun.exec_driver_sql(begun.get_execution_options().get("begin", "BEGIN"))

    return engine
