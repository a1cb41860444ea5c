"""Passed dry tests as rows."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from axdesk.core.dry_test import PassedTest
from axdesk.storage.schema import PassedTestRow


def write_passed_test(connection: Connection, experiment_id: int, passed: PassedTest) -> None:
    """Keep the last test that an experiment's plugins passed."""
    columns = {
        "tested_at": passed.at,
        "plugins": "\n".join(passed.plugins),
        "hashes": _hashes_text(passed.hashes),
    }
    statement = insert(PassedTestRow).values({"experiment_id": experiment_id, **columns})
    connection.execute(
        statement.on_conflict_do_update(index_elements=["experiment_id"], set_=columns)
    )


def read_passed_test(
    connection: Connection, plugins: tuple[str, ...], hashes: tuple[tuple[str, str], ...]
) -> PassedTest | None:
    """Return the last test that these plugins passed, of whatever experiment."""
    found = select(PassedTestRow.tested_at).where(
        PassedTestRow.plugins == "\n".join(plugins), PassedTestRow.hashes == _hashes_text(hashes)
    )
    at = connection.execute(found.order_by(PassedTestRow.tested_at.desc())).scalars().first()
    return None if at is None else PassedTest(at, plugins, hashes)


def _hashes_text(hashes: tuple[tuple[str, str], ...]) -> str:
    return "\n".join(f"{sha256} {name}" for name, sha256 in hashes)
