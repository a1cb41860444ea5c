"""Brings a database to the newest schema: everything, or nothing."""

import sqlite3
from collections.abc import Callable, Sequence

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
