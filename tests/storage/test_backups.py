"""Rolling copies: made without holding anything up, checked, and put back."""

import logging
import shutil
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from axdesk.core.drafts import Draft
from axdesk.core.errors import (
    DamagedDatabaseError,
    ExperimentBusyError,
    StorageError,
    UnsupportedError,
)
from axdesk.storage import backups, database
from axdesk.storage.backups import KEPT, list_backups, restore
from axdesk.storage.store import SqlStore
from tests.storage.contract import SETUP, counted, trial
from tests.storage.files import fill, flip, rows, values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return fill(tmp_path / "lab.sqlite")


def test_a_copy_is_the_database_as_it_was(path: Path) -> None:
    before = rows(path)
    with closing(SqlStore.at(path)) as store:
        (at_opening,) = list_backups(path)
        earliest = datetime.now(UTC)
        made = store.back_up()
        store.save_draft(Draft(), None)

    assert list_backups(path) == (at_opening, made)
    assert rows(made.path) == rows(at_opening.path) == before
    assert made.is_sound
    assert made.size == made.path.stat().st_size
    assert timedelta(0) <= made.made_at - earliest < timedelta(minutes=1)
    assert made.path.parent == path.with_name("lab.sqlite.backups")
    with closing(SqlStore.at(made.path)) as copy:
        assert [*copy.load("a").trials] == [0, 1, 2]


def test_the_newest_are_kept(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        made = [store.back_up() for _ in range(KEPT + 3)]

    assert list_backups(path) == tuple(made[-KEPT:])


def test_copies_of_an_emptied_database_displace_none_of_its_experiments(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        full = [store.back_up() for _ in range(KEPT)]
        for name in ("a", "b"):
            store.delete(store.load(name).id)
        empty = [store.back_up() for _ in range(KEPT + 2)]

    assert list_backups(path) == (*full, *empty[2:])


def test_what_is_no_copy_is_left_alone(path: Path) -> None:
    folder = path.with_name("lab.sqlite.backups")
    folder.mkdir()
    (folder / "mine.sqlite").touch()
    (folder / "20260101.txt").touch()

    with closing(SqlStore.at(path)) as store:
        made = [store.back_up() for _ in range(KEPT + 1)]

    assert list_backups(path) == tuple(made[-KEPT:])
    assert (folder / "mine.sqlite").exists()


def test_a_damaged_database_displaces_no_copy(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqlStore.at(path)) as store:
        made = [store.back_up() for _ in range(KEPT)]
    ((page,),) = values(path, "SELECT max(pageno) FROM dbstat WHERE name = 'trials'")
    flip(path, (int(str(page)) - 1) * 4096, 2000)
    # Too large to be checked at opening.
    monkeypatch.setattr(database, "QUICK_BYTES", 0)
    with closing(SqlStore.at(path)) as store, pytest.raises(StorageError, match="damaged"):
        store.back_up()

    assert list_backups(path) == tuple(made)
    assert {file.suffix for file in made[0].path.parent.iterdir()} == {".sqlite"}


def test_a_damaged_copy_is_not_offered(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        sound, broken = store.back_up(), store.back_up()
    flip(broken.path, 0, 50)
    flip(path, 100, 50)

    assert [b.is_sound for b in list_backups(path)[-2:]] == [True, False]
    with pytest.raises(DamagedDatabaseError) as caught:
        SqlStore.at(path)
    assert caught.value.backup == str(sound.path)
    with pytest.raises(StorageError, match="is damaged"):
        restore(broken, path)


def test_opening_makes_a_copy_if_there_is_something_new(path: Path) -> None:
    SqlStore.at(path).close()
    SqlStore.at(path).close()
    (first,) = list_backups(path)

    # Half a day later.
    old = first.made_at - timedelta(hours=12)
    first.path.rename(first.path.with_name(f"{old:%Y%m%d-%H%M%S-%f}.schema-2.sqlite"))
    SqlStore.at(path).close()
    assert len(list_backups(path)) == 2
    SqlStore.at(path).close()
    assert len(list_backups(path)) == 2


def test_a_new_database_has_no_copies(tmp_path: Path) -> None:
    with closing(SqlStore.at(tmp_path / "new.sqlite")) as store:
        store.create(SETUP)
    with closing(SqlStore.in_memory()) as store, pytest.raises(UnsupportedError):
        store.back_up()
    assert [file.name for file in tmp_path.iterdir()] == ["new.sqlite"]


def test_a_run_makes_copies_now_and_then(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "COMMITS_BETWEEN_COPIES", 10)
    monkeypatch.setattr(backups, "_SHARE_OF_TIME", 1e9)
    with closing(SqlStore.at(path)) as store:
        experiment = store.load("a")
        for index in range(3, 38):
            with counted("commit") as commits:
                store.save_trial(experiment, trial(index))
            assert len(commits) == 1

    made = list_backups(path)
    assert len(made) == 4
    for backup, trials in zip(made[1:], (10, 20, 30), strict=True):
        with closing(SqlStore.at(backup.path)) as copy:
            assert len(copy.load("a").trials) == 3 + trials


def test_a_new_database_gets_its_first_copy_in_its_first_run(tmp_path: Path) -> None:
    with closing(SqlStore.at(tmp_path / "new.sqlite")) as store:
        experiment = store.create(SETUP)
        for index in range(60):
            store.save_trial(experiment, trial(index))
    (copy,) = list_backups(tmp_path / "new.sqlite")
    assert copy.has_experiments


def test_copies_take_a_small_share_of_the_time_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backups, "COMMITS_BETWEEN_COPIES", 1)
    monkeypatch.setattr(backups, "_SHARE_OF_TIME", 1e-9)
    with closing(SqlStore.at(path)) as store:
        experiment = store.load("a")
        for index in range(3, 30):
            store.save_trial(experiment, trial(index))

    # The one of the opening.
    assert len(list_backups(path)) == 1


def test_a_copy_that_fails_fails_no_save(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(backups, "COMMITS_BETWEEN_COPIES", 1)
    monkeypatch.setattr(backups, "_SHARE_OF_TIME", 1e9)
    with closing(SqlStore.at(path)) as store:
        experiment = store.load("a")
        folder = path.with_name("lab.sqlite.backups")
        shutil.rmtree(folder)
        folder.touch()
        with caplog.at_level(logging.WARNING):
            for index in range(3, 9):
                store.save_trial(experiment, trial(index))
        with pytest.raises(StorageError) as caught:
            store.back_up()
        assert caught.value.is_temporary
        assert store.load("a").trials == experiment.trials

    # It is tried again after a while, not with every save.
    assert caplog.text.count("No backup of") == 1


def test_a_copy_is_put_back(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
        store.delete(store.load("a").id)
    present = path.read_bytes()

    aside = restore(backup, path)

    assert aside is not None
    assert aside.read_bytes() == present
    assert aside.name.startswith("lab.sqlite.before-restore-")
    assert backup.is_sound
    with closing(SqlStore.at(path)) as store:
        assert [*store.load("a").trials] == [0, 1, 2]
        assert store.all_damage() == ()


def test_a_copy_takes_the_place_of_a_damaged_or_a_missing_file(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
    flip(path, 0, 9000)
    Path(f"{path}-journal").write_bytes(b"\x01" * 5000)
    damaged = path.read_bytes()

    aside = restore(backup, path)

    assert aside is not None
    assert aside.read_bytes() == damaged
    assert Path(f"{aside}-journal").exists()
    path.unlink()
    assert restore(backup, path) is None
    with closing(SqlStore.at(path)) as store:
        assert [*store.load("b").trials] == [0, 1, 2]


def test_a_copy_is_not_put_back_while_an_experiment_is_driven(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
        experiment = store.load("a")
        before = path.read_bytes()
        with store.control(experiment):
            before = path.read_bytes()
            with pytest.raises(ExperimentBusyError, match="driven by"):
                restore(backup, path)
        assert path.read_bytes() == before


def test_who_has_the_database_open_meanwhile_writes_nothing_into_the_copy(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        backup = store.back_up()
        experiment = store.load("a")
        restore(backup, path)
        before = path.read_bytes()
        with pytest.raises(StorageError, match="Another file was put in the place"):
            store.save_trial(experiment, trial(9))
    assert path.read_bytes() == before


def test_copies_are_made_while_others_write(path: Path) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        experiment = second.load("a")

        def write() -> None:
            for index in range(3, 23):
                second.save_trial(experiment, trial(index))

        writer = threading.Thread(target=write)
        writer.start()
        made = [first.back_up() for _ in range(KEPT)]
        writer.join()
        assert all(backup.is_sound for backup in made)
        assert second.load("a").trials == experiment.trials
