"""Files that are opened: ours, damaged, left in the middle of a change, or of somebody else."""

import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.core.drafts import Draft
from axdesk.core.errors import DamagedDatabaseError, StorageError
from axdesk.storage import database
from axdesk.storage.checks import first_damage
from axdesk.storage.schema import SCHEMA_VERSION
from axdesk.storage.store import SqlStore
from tests.storage.contract import SETUP, trial
from tests.storage.files import PAGE, child, fill, flip, raw, rows, values

TRIALS = 40


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("template") / "lab.sqlite", trials=TRIALS)


@pytest.fixture
def path(tmp_path: Path, template: Path) -> Path:
    (tmp_path / "lab").mkdir()
    return Path(shutil.copy(template, tmp_path / "lab" / "experiments.sqlite"))


def state(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def refused(path: Path, message: str) -> StorageError:
    """Open in vain; everything stays as it is."""
    before = state(path.parent)
    with pytest.raises(StorageError, match=message) as caught:
        SqlStore.at(path)
    assert str(path) in caught.value.message
    assert caught.value.hint
    assert state(path.parent) == before
    return caught.value


# Damage.


def _page_of(path: Path, table: str) -> int:
    ((page,),) = values(path, f"SELECT max(pageno) FROM dbstat WHERE name = '{table}'")
    assert isinstance(page, int)
    return page


def _cut(size: Callable[[int], int]) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size(path.stat().st_size))


def _page_destroyed(table: str) -> Callable[[Path], None]:
    return lambda path: flip(path, (_page_of(path, table) - 1) * PAGE, PAGE)


@pytest.mark.parametrize(
    "harm",
    [
        _cut(lambda size: size - PAGE),
        _cut(lambda size: size - 1),
        _cut(lambda size: size // 2),
        _cut(lambda _: PAGE + 1),
        lambda path: flip(path, PAGE - 20, 20),
        lambda path: flip(path, 100, 20),
        _page_destroyed("trials"),
        _page_destroyed("observations"),
        _page_destroyed("experiments"),
        lambda path: flip(path, 28, 4),
    ],
)
def test_a_damaged_file_is_told_and_left_alone(path: Path, harm: Callable[[Path], None]) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
    harm(path)

    error = refused(path, "is damaged")

    assert isinstance(error, DamagedDatabaseError)
    assert not error.is_temporary
    assert (error.path, error.backup) == (str(path), str(backup.path))
    assert str(backup.path) in str(error)
    assert "salvage" in str(error)


def test_a_damaged_file_without_backup_says_so(path: Path) -> None:
    _page_destroyed("trials")(path)

    error = refused(path, "is damaged")

    assert isinstance(error, DamagedDatabaseError)
    assert error.backup is None
    assert "no sound backup" in error.hint


@pytest.mark.parametrize(
    ("harm", "state_now"), [(Path.unlink, "gone"), (lambda path: os.truncate(path, 0), "empty")]
)
def test_a_file_that_is_empty_or_gone_is_known_by_its_backups(
    path: Path, harm: Callable[[Path], None], state_now: str
) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
        store.delete(store.load("a").id)
        store.delete(store.load("b").id)
        store.back_up()
    harm(path)

    error = refused(path, f"is {state_now}, but a backup of it exists")

    assert isinstance(error, DamagedDatabaseError)
    assert (error.path, error.backup) == (str(path), str(backup.path))
    with pytest.raises(DamagedDatabaseError, match="a backup of it exists"):
        SqlStore.connect(f"sqlite:///{path}")

    path.with_name(f"{path.name}.backups").rename(path.with_name("elsewhere"))
    with closing(SqlStore.at(path)) as store:
        assert store.summaries() == ()


def test_backups_without_experiments_keep_no_new_database_away(path: Path) -> None:
    path.unlink()
    with closing(SqlStore.at(path)) as store:
        store.back_up()
    path.unlink()

    SqlStore.at(path).close()


@pytest.mark.parametrize("at", [0, 17, 68])
def test_a_file_whose_beginning_is_damaged_is_known_by_its_backups(path: Path, at: int) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
    flip(path, at)

    error = refused(path, "is damaged")

    assert isinstance(error, DamagedDatabaseError)
    assert error.backup == str(backup.path)


def test_a_large_file_is_checked_after_an_unclean_end_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[object] = []

    def check(connection: sqlite3.Connection) -> str:
        checked.append(connection)
        return first_damage(connection)

    monkeypatch.setattr(database, "QUICK_BYTES", PAGE)
    monkeypatch.setattr(database, "first_damage", check)
    SqlStore.at(path).close()
    assert not checked

    control = 'with store.control(store.load("a")): print("holding", flush=True); input()'
    process = child(control, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "holding\n"
    process.kill()
    process.communicate()
    with closing(SqlStore.at(path)) as store:
        assert len(checked) == 1
        store.summaries()
    SqlStore.at(path).close()
    assert len(checked) == 1


def test_everything_is_checked_on_demand(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        assert store.all_damage() == ()
        with raw(path) as other:
            other.execute("DELETE FROM runs WHERE experiment_id = 1")
        assert store.all_damage() == TRIALS * ("A row of trials belongs to no row of runs.",)


# What an interrupted change left.

INTERRUPTED = """
import os, signal
store.close()
import sqlite3
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("PRAGMA journal_mode={mode}")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE trials SET note = note || hex(randomblob(900))")
if "{mode}" == "wal":
    connection.execute("COMMIT")
os.kill(os.getpid(), signal.SIGKILL)
"""


def interrupted(path: Path, mode: str = "delete") -> None:
    process = child(INTERRUPTED.format(mode=mode), path)
    process.communicate()
    if sys.platform != "win32":
        assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(("mode", "journal"), [("delete", "-journal"), ("wal", "-wal")])
def test_an_interrupted_change_is_undone_or_finished(path: Path, mode: str, journal: str) -> None:
    before = rows(path)
    interrupted(path, mode)
    assert path.with_name(path.name + journal).stat().st_size > PAGE

    with closing(SqlStore.at(path)) as store:
        assert store.all_damage() == ()
        if mode == "delete":
            assert rows(path) == before
        else:
            assert len(store.load("a").trial(0).note) == 1800


def test_a_journal_of_another_database_is_not_carried_out(path: Path) -> None:
    other = fill(path.with_name("other.sqlite"), names=("x",), trials=30)
    interrupted(other)
    shutil.move(f"{other}-journal", f"{path}-journal")

    error = refused(path, "belongs to another database")

    assert not error.is_temporary
    Path(f"{path}-journal").unlink()
    with closing(SqlStore.at(path)) as store:
        assert store.all_damage() == ()


def test_a_journal_of_an_older_state_is_not_carried_out(path: Path) -> None:
    copy = Path(shutil.copy(path, path.with_name("copy.sqlite")))
    interrupted(path)
    with closing(SqlStore.at(copy)) as store:
        store.save_draft(Draft(), None)
        store.save_draft(Draft(), None)
    copy.replace(path)

    refused(path, "belongs to another database")


def test_a_wal_beside_a_database_that_has_none_is_not_carried_out(path: Path) -> None:
    other = fill(path.with_name("other.sqlite"), names=("x",), trials=30)
    interrupted(other, "wal")
    shutil.move(f"{other}-wal", f"{path}-wal")

    refused(path, "belongs to another database")


def test_a_change_whose_journal_is_lost_is_damage(path: Path) -> None:
    interrupted(path)
    Path(f"{path}-journal").unlink()

    assert isinstance(refused(path, "is damaged"), DamagedDatabaseError)


def test_garbage_beside_a_whole_database_harms_nothing(path: Path) -> None:
    before = rows(path)
    Path(f"{path}-journal").write_bytes(b"\x07" * 9000)

    with closing(SqlStore.at(path)) as store:
        assert store.all_damage() == ()
    assert rows(path) == before


# Files of others.


def _trigger(path: Path) -> None:
    with raw(path) as connection:
        connection.execute(
            "CREATE TRIGGER spy AFTER UPDATE ON trials BEGIN DELETE FROM observations; END"
        )


def _view(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("CREATE VIEW everything AS SELECT * FROM trials")


@pytest.mark.parametrize(
    ("make", "message"), [(_trigger, "the trigger 'spy'"), (_view, "the view 'everything'")]
)
def test_what_axdesk_never_makes_is_refused(
    path: Path, make: Callable[[Path], None], message: str
) -> None:
    make(path)

    assert not refused(path, message).is_temporary


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot be opened: it is a folder") as caught:
        SqlStore.at(tmp_path)
    assert not caught.value.is_temporary


def test_an_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.sqlite"
    path.touch()

    with closing(SqlStore.at(path)) as store:
        experiment = store.create(SETUP)
        store.save_trial(experiment, trial(0))
    assert values(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
