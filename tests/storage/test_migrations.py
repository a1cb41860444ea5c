"""From one schema to the next: everything or nothing."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import op

from axdesk.core.errors import StorageError
from axdesk.core.run import RunState
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.trial import TrialStatus
from axdesk.storage import database, migrations
from axdesk.storage.backups import list_backups, restore
from axdesk.storage.migrate import upgrade
from axdesk.storage.migrations import MIGRATIONS
from axdesk.storage.salvage import salvage
from axdesk.storage.schema import APPLICATION_ID, SCHEMA_VERSION, Base
from axdesk.storage.store import SqlStore
from tests.storage.contract import started, trial
from tests.storage.files import ROOT, flip


def connect(path: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(path, isolation_level=None))


def contents(path: Path) -> list[str]:
    """Every table, row and version, as text."""
    with connect(path) as connection:
        versions = [
            str(connection.execute(f"PRAGMA {name}").fetchone())
            for name in ("user_version", "application_id")
        ]
        return [*connection.iterdump(), *versions]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    path = tmp_path / "lab.sqlite"
    with closing(SqlStore.at(path)) as store:
        for name in ("a", "b"):
            store.save_trial(started(store, name), trial(0, run_index=0))
    return path


def add_column() -> None:
    """Rebuild a table that many others refer to."""
    with op.batch_alter_table("experiments", recreate="always") as table:
        table.add_column(sa.Column("place", sa.String(), server_default="", nullable=False))


def test_the_migrations_make_the_schema(tmp_path: Path) -> None:
    with connect(tmp_path / "migrated.sqlite") as connection:
        upgrade(connection, MIGRATIONS)
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}")
    Base.metadata.create_all(engine)
    engine.dispose()

    def schema(name: str) -> dict[str, object]:
        """Everything that a table is; the text alone differs where a column was added later."""
        added = (
            "plugin_python",
            "is_on",
            "early_percentile",
            "target",
            "baseline",
            "min_observed",
            "optimization_version",
        )
        with connect(tmp_path / name) as connection:
            return {
                table: (
                    "AUTOINCREMENT" in sql if any(name in sql for name in added) else sql,
                    *(
                        connection.execute(f"SELECT * FROM pragma_{what}(?)", [table]).fetchall()
                        for what in ("table_xinfo", "foreign_key_list", "index_list")
                    ),
                )
                for table, sql in connection.execute(
                    "SELECT name, coalesce(sql, '') FROM sqlite_master"
                )
            }

    assert schema("migrated.sqlite") == schema("made.sqlite")
    assert len(MIGRATIONS) == SCHEMA_VERSION


def test_rebuilding_a_table_keeps_the_rows_that_refer_to_it(filled: Path) -> None:
    with connect(filled) as connection:
        upgrade(connection, [*MIGRATIONS, add_column])
        assert connection.execute("SELECT count(*) FROM trials").fetchone() == (2,)
        assert connection.execute("SELECT name, place FROM experiments ORDER BY id").fetchall() == [
            ("a", ""),
            ("b", ""),
        ]
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)


def _raises() -> None:
    op.execute("DELETE FROM trials")
    raise ZeroDivisionError


def _is_no_sql() -> None:
    op.execute("DELETE FROM nowhere")


def _leaves_orphans() -> None:
    op.execute("DELETE FROM experiments")


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (_raises, ZeroDivisionError),
        (_is_no_sql, sa.exc.OperationalError),
        (_leaves_orphans, StorageError),
    ],
)
def test_a_step_that_fails_leaves_everything_as_it_was(
    filled: Path, step: Callable[[], None], error: type[Exception]
) -> None:
    before = contents(filled)

    with connect(filled) as connection, pytest.raises(error):
        upgrade(connection, [*MIGRATIONS, add_column, step])

    assert contents(filled) == before
    with closing(SqlStore.at(filled)) as store:
        assert [*store.load("a").trials] == [0]


def test_a_database_that_is_up_to_date_is_left_alone(filled: Path) -> None:
    before = filled.read_bytes()

    with connect(filled) as connection:
        upgrade(connection, MIGRATIONS)

    assert filled.read_bytes() == before


def test_an_older_file_is_copied_before_it_is_migrated(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(filled)
    monkeypatch.setattr(database, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, add_column))

    with closing(SqlStore.at(filled)) as store:
        assert [*store.load("a").trials] == [0]

    (backup,) = list_backups(filled)
    assert contents(backup.path) == before
    with connect(filled) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


# What earlier versions wrote.


@pytest.fixture
def written_by_version_1(tmp_path: Path) -> Path:
    path = tmp_path / "lab.sqlite"
    with connect(path) as connection:
        connection.executescript(Path(__file__).with_name("schema-1.sql").read_text("utf-8"))
    return path


OBJECTIVES = (
    ("objective_terms", "objective"),
    ("objective_terms", "target"),
    ("outcome_constraints", "baseline"),
)
STRATEGY = ("min_observed_initialization_trials", "use_existing_trials_for_initialization")
STOPPING = {
    *(f"early_{field.name}" for field in fields(EarlyStopping)),
    *(f"global_{field.name}" for field in fields(GlobalStopping)),
}


def test_what_version_1_wrote_is_all_there(written_by_version_1: Path) -> None:
    path = written_by_version_1
    before, columns = contents(path), columns_of(path)
    rows = rows_of(path, columns)

    with closing(SqlStore.at(path)) as store:
        experiment = store.load("coupling")
        assert store.all_damage() == ()
        assert rows_of(path, columns) == rows
        for table in ("run_settings", "runs"):
            added = set(columns_of(path)[table]) - set(columns[table])
            assert added - {"standing_answers_json"} == {*STOPPING, "on_error"}
        assert experiment.setup.run.orchestration.early_stopping is None
        assert experiment.runs[-1].settings.orchestration.global_stopping is None
        assert experiment.setup.plugin_python == ""
        assert (experiment.setup.owner, experiment.setup.plugin_folder) == ("Ada", "plugins")
        assert [trial.status for trial in experiment.trials.values()] == [
            TrialStatus.COMPLETED,
            TrialStatus.RUNNING,
            TrialStatus.FAILED,
        ]
        assert [entry.note for entry in store.history(experiment.id)] == ["read by hand"]
        draft = next(s for s in store.summaries() if s.state is RunState.DRAFT)
        assert store.load_draft(draft.id) is not None

        store.save_setup(experiment, replace(experiment.setup, plugin_python="/opt/lab/python"))
        store.save_trial(experiment, trial(3))
    with closing(SqlStore.at(path)) as store:
        assert store.load("coupling") == experiment

    (backup,) = [b for b in list_backups(path) if "schema-1" in b.path.name]
    assert contents(backup.path) == before
    assert backup.is_sound


def columns_of(path: Path) -> dict[str, list[str]]:
    """The columns of each table that holds an experiment."""
    with connect(path) as connection:
        found = {
            table.name: [
                name
                for (name,) in connection.execute(
                    "SELECT name FROM pragma_table_info(?)", [table.name]
                )
            ]
            for table in Base.metadata.sorted_tables
        }
    return {table: columns for table, columns in found.items() if columns}


def rows_of(path: Path, columns: dict[str, list[str]]) -> dict[str, list[tuple[object, ...]]]:
    """What stands in these columns of each table."""
    with connect(path) as connection:
        return {
            table: connection.execute(
                ", ".join(f'"{name}"' for name in names).join(("SELECT ", f" FROM {table}"))
            ).fetchall()
            for table, names in columns.items()
        }


def test_goals_without_a_weight_keep_the_one_that_they_had(written_by_version_1: Path) -> None:
    def cell(draft: int, row: int, field: str, text: str) -> str:
        return f"INSERT INTO drafts VALUES ({draft}, 'objectives', {row}, '{field}', '{text}');"

    with connect(written_by_version_1) as connection:
        connection.executescript(
            "DELETE FROM drafts WHERE section = 'objectives';"
            + cell(1, 0, "goal", "maximise")
            + cell(1, 1, "goal", "minimise")
            + cell(1, 1, "weight", "3")
            + cell(1, 2, "goal", "record")
            + cell(2, 0, "goal", "maximise")
        )

    with closing(SqlStore.at(written_by_version_1)):
        pass

    with connect(written_by_version_1) as connection:
        weights = connection.execute(
            "SELECT experiment_id, row, text FROM drafts WHERE field = 'weight' ORDER BY 1, 2"
        ).fetchall()
    assert weights == [(1, 0, "1"), (1, 1, "3")]


DIES_WITHIN = """
import os, pathlib, signal, sys
from axdesk.storage import migrations
from axdesk.storage.migrations import m0001_initial_schema, m0002_plugin_python
from axdesk.storage.store import SqlStore
from alembic import op
def upgrade():
    m0002_plugin_python.upgrade()
    op.execute("UPDATE trials SET note = hex(zeroblob(400000))")
    os.kill(os.getpid(), signal.SIGKILL)
migrations.MIGRATIONS = (m0001_initial_schema.upgrade, upgrade)
SqlStore.at(pathlib.Path(sys.argv[1]))
"""


def test_a_crash_within_a_migration_leaves_the_old_version_whole(
    written_by_version_1: Path,
) -> None:
    path = written_by_version_1
    before = contents(path)

    process = subprocess.run([sys.executable, "-c", DIES_WITHIN, str(path)], cwd=ROOT)

    if sys.platform != "win32":
        assert process.returncode == -signal.SIGKILL
    (backup,) = list_backups(path)
    assert contents(backup.path) == before
    assert contents(path) == before
    with closing(SqlStore.at(path)) as store:
        assert len(store.load("coupling").trials) == 3


def test_an_older_backup_is_restored_and_migrated(written_by_version_1: Path) -> None:
    path = written_by_version_1
    SqlStore.at(path).close()
    (backup,) = list_backups(path)

    restore(backup, path)

    with closing(SqlStore.at(path)) as store:
        assert len(store.load("coupling").trials) == 3


def test_a_damaged_older_database_is_salvaged_into_the_newest_schema(
    written_by_version_1: Path,
) -> None:
    path = written_by_version_1
    flip(path, 0, 100)

    report = salvage(path, path.with_name("new.sqlite"))

    assert (report.experiments, report.trials, report.rows_lost) == (1, 3, 0)


def test_an_experiment_from_before_steps_and_switches_is_the_same(filled: Path) -> None:
    with closing(SqlStore.at(filled)) as store:
        setup = store.load("a").setup
    with connect(filled) as connection:
        connection.execute("DROP TABLE parameter_dependents")
        connection.execute("DROP TABLE passed_tests")
        connection.execute("DROP TABLE attachments")
        connection.execute("DROP TABLE optimizations")
        for table, columns in (
            ("parameters", ("step", "is_on", "expression")),
            ("run_settings", (*STOPPING, "on_error")),
            ("runs", (*STOPPING, "on_error", "standing_answers_json")),
            ("trials", ("optimization_version",)),
            ("generation_settings", STRATEGY),
        ):
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        for table, column in OBJECTIVES:
            connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("PRAGMA user_version=2")

    with closing(SqlStore.at(filled)) as store:
        assert store.load("a").setup == setup
