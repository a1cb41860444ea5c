"""Brings a database to the newest schema: everything, or nothing."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations

from axdesk.core.errors import StorageError
from axdesk.storage.engine import engine_on
from axdesk.storage.schema import APPLICATION_ID


def upgrade(connection: sqlite3.Connection, migrations: Sequence[Callable[[], None]]) -> None:
    """Run the migrations that the database lacks in one transaction.

    Args:
        connection: In autocommit mode, outside any transaction; foreign keys are off afterwards.
        migrations: All there are; the first makes version 1.

    Raises:
        StorageError: If rows would be left that belong to nothing.
    """
    # Rebuilding a table with foreign keys on would delete the rows that refer to it; the pragma
    # does nothing once a transaction is open.
    connection.execute("PRAGMA foreign_keys=OFF")
    engine = engine_on(connection).execution_options(begin="BEGIN IMMEDIATE")
    with engine.begin() as transaction:
        # Another program may have been faster.
        version = transaction.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version >= len(migrations):
            return
        context = MigrationContext.configure(transaction, opts={"transactional_ddl": True})
        with Operations.context(context):
            for migration in migrations[version:]:
                migration()
        orphans = transaction.exec_driver_sql("PRAGMA foreign_key_check").all()
        if orphans:
            raise StorageError(
                f"The database was not brought to version {len(migrations)}: {len(orphans)} rows "
                f"of {', '.join(sorted({row[0] for row in orphans}))} would belong to nothing.",
                "The database is as it was.",
            )
        transaction.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        transaction.exec_driver_sql(f"PRAGMA user_version={len(migrations)}")


def back_up(connection: sqlite3.Connection, path: Path, version: int, now: datetime) -> Path:
    """Copy a database beside itself, and check the copy.

    Args:
        connection: To the database.
        path: Its file.
        version: Of its schema; becomes part of the copy's name.
        now: Becomes part of the copy's name.

    Returns:
        The copy.

    Raises:
        StorageError: If the copy is not sound.
    """
    copy = path.with_name(f"{path.stem}.schema-{version}.{now:%Y%m%d-%H%M%S-%f}{path.suffix}")
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
        ((answer,),) = target.execute("PRAGMA integrity_check(1)")
    if answer != "ok":
        copy.unlink()
        raise StorageError(
            f"The database {path} cannot be brought to a newer schema: it is damaged ({answer}).",
            "Restore a backup, or choose another file.",
        )
    return copy
