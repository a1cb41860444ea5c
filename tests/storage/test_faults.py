"""A database under fire: whatever the disk, other programs and operators do to it while it is used.

Each fault is a real one. Afterwards nothing that was acknowledged is lost, nothing is half written,
and the next save works.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.core.errors import DamagedDatabaseError, StorageError
from axdesk.core.experiment import Experiment
from axdesk.core.trial import TrialStatus
from axdesk.storage import database
from axdesk.storage.store import SqlStore
from tests.storage.contract import SETUP, trial
from tests.storage.files import ask, child, fill, raw, run, run_where_mounts_are_free

# Saves until the fault strikes and until it is over; everything that was told is there.
STUBBORN = """
def until_done(call):
    refused = 0
    while True:
        try:
            call()
            return refused
        except StorageError as error:
            assert error.is_temporary, error
            assert str(path) in str(error) and error.hint, error
            refused += 1
            assert refused < 100, error
            over()

def check():
    assert store.all_damage() == ()
    stored = store.load("coupling")
    assert stored.trials == experiment.trials
    store.close()
    assert SqlStore.at(path).load("coupling").trials == experiment.trials
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    folder.mkdir()
    return folder / "experiments.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.at(path)) as store:
        yield store


@pytest.fixture
def experiment(store: SqlStore) -> Experiment:
    experiment = store.create(SETUP)
    store.save_trial(experiment, trial(0))
    return experiment


# The disk.


def test_a_file_that_may_not_grow_is_a_fault_that_passes(path: Path) -> None:
    limited = """
import resource
experiment = store.create(SETUP)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8192, hard))
def over():
    assert store.load("coupling").trials == experiment.trials
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
refused = sum(
    until_done(lambda: store.save_trial(experiment, trial(index, note="x" * 3000)))
    for index in range(20)
)
assert refused == 1, refused
check()
print("survived")
"""
    assert run(STUBBORN + limited, path) == "survived"


def test_a_full_disk_is_a_fault_that_passes(path: Path) -> None:
    full = """
import subprocess
store.close()
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=320k", "tmpfs", path.parent], check=True)
store = SqlStore.at(path)
experiment = store.create(SETUP)
def over():
    assert store.load("coupling").trials == experiment.trials
    subprocess.run(["mount", "-o", "remount,size=4m", path.parent], check=True)
refused = sum(
    until_done(lambda: store.save_trial(experiment, trial(index, note="x" * 3000)))
    for index in range(40)
)
assert refused == 1, refused
check()
print("survived")
"""
    assert run_where_mounts_are_free(STUBBORN + full, path) == "survived"


def test_media_that_may_only_be_read_are_a_fault_that_passes(path: Path) -> None:
    readable = """
import subprocess
experiment = store.create(SETUP)
subprocess.run(["mount", "--bind", path.parent, path.parent], check=True)
store.close()
subprocess.run(["mount", "-o", "remount,bind,ro", path.parent], check=True)
store = SqlStore.at(path)
assert store.load("coupling") == experiment
assert store.summaries()
try:
    store.control(experiment).__enter__()
except StorageError as error:
    assert error.is_temporary, error
try:
    SqlStore.at(path.with_name("new.sqlite"))
except StorageError as error:
    assert error.is_temporary, error
def over():
    subprocess.run(["mount", "-o", "remount,bind,rw", path.parent], check=True)
assert until_done(lambda: store.save_trial(experiment, trial(0))) == 1
check()
print("survived")
"""
    assert run_where_mounts_are_free(STUBBORN + readable, path) == "survived"


# Every so many calls fail, so that in all runs together each step of a save meets its fault.
@pytest.mark.parametrize(
    "fault",
    [
        "pwrite64:error=ENOSPC:when=50+41",
        "pwrite64:error=EIO:when=53+47",
        "fdatasync:error=EIO:when=9+7",
        "unlink:error=EIO:when=3+3",
        "pread64:error=EIO:when=75+29",
    ],
)
def test_system_calls_that_fail_are_faults_that_pass(path: Path, fault: str) -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace, which makes system calls fail, is not installed")
    failing = """
def over():
    pass
refused = 0
experiment = store.create(SETUP) if not store.summaries() else store.load("coupling")
entries = [AuditEntry(experiment.created_at, "note", n, note=f"{n}") for n in range(12)]
for index in range(12):
    staged = trial(index, note="x" * 500)
    done = trial(index, TrialStatus.COMPLETED)
    refused += until_done(lambda: store.save_trial(experiment, staged))
    refused += until_done(lambda: store.save_trial(experiment, done, [entries[index]]))
assert list(store.history(experiment.id)) == entries
print(refused, flush=True)
"""
    SqlStore.at(path).close()
    with closing(SqlStore.at(path)) as store:
        store.create(SETUP)
    calls = fault.partition(":")[0]
    strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", f"trace={calls}")

    refused = run(STUBBORN + failing, path, *strace, "-e", f"inject={fault}")

    assert int(refused) >= 3
    with closing(SqlStore.at(path)) as store:
        assert [t.status for t in store.load("coupling").trials.values()] == 12 * [
            TrialStatus.COMPLETED
        ]
        assert store.all_damage() == ()


# Other programs.

LOCK = """
import sqlite3
store.close()
connection = sqlite3.connect(path, isolation_level=None)
for line in sys.stdin:
    connection.execute(line)
    print("done", flush=True)
"""


def test_a_lock_that_another_program_frees_in_time_is_waited_for(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    with child(LOCK, path) as other:
        assert ask(other, "BEGIN EXCLUSIVE") == "done"
        assert other.stdin is not None
        # The save begins while the lock is held: the other program reads this line first.
        with raw(path) as third, pytest.raises(Exception, match="locked"):
            third.execute("BEGIN IMMEDIATE")
        other.stdin.write("ROLLBACK\n")
        other.stdin.flush()
        store.save_trial(experiment, trial(1))
        other.stdin.close()
    assert [*store.load("coupling").trials] == [0, 1]


def test_a_lock_that_another_program_keeps_is_a_fault_that_passes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(SqlStore.at(path)) as store, child(LOCK, path) as other:
        experiment = store.create(SETUP)
        assert ask(other, "BEGIN EXCLUSIVE") == "done"
        for _ in range(2):
            with pytest.raises(StorageError, match="locked by another program") as caught:
                store.save_trial(experiment, trial(0))
            assert caught.value.is_temporary
        assert not experiment.trials
        assert ask(other, "ROLLBACK") == "done"
        store.save_trial(experiment, trial(0))
        assert other.stdin is not None
        other.stdin.close()
        assert store.load("coupling").trials == {0: trial(0)}


def test_what_cannot_pass_is_told_so(path: Path, store: SqlStore, experiment: Experiment) -> None:
    stale = store.load("coupling")
    store.save_trial(experiment, trial(0, TrialStatus.COMPLETED))

    calls: list[Callable[[], object]] = [
        lambda: store.save_trial(stale, trial(0)),
        lambda: store.save_trial(experiment, trial(1, search_space_version=7)),
        lambda: store.save_trial(experiment, trial(1, note="no UTF-8: \udcff")),
    ]
    for call in calls:
        with pytest.raises(StorageError) as caught:
            call()
        assert not caught.value.is_temporary
    store.close()
    with pytest.raises(StorageError, match="was closed") as caught:
        store.summaries()
    assert not caught.value.is_temporary


# The file, removed or replaced while it is used.


def saved_after(store: SqlStore, experiment: Experiment) -> dict[int, object]:
    index = experiment.next_index
    store.save_trial(experiment, trial(index))
    return {**experiment.trials}


def test_a_removed_file_is_put_back(
    path: Path, store: SqlStore, experiment: Experiment, caplog: pytest.LogCaptureFixture
) -> None:
    path.unlink()

    trials = saved_after(store, experiment)

    assert "was put back" in caplog.text
    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == trials
        assert other.all_damage() == ()
    # From now on it is used as ever, by others too.
    trials = saved_after(store, experiment)
    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == store.load("coupling").trials == trials
    assert {file.name for file in path.parent.iterdir()} == {
        path.name,
        f"{path.name}.backups",
    }


def test_all_who_have_a_removed_file_open_go_on(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    for _ in range(4):
        path.unlink()
        saved_after(store, experiment)
    with closing(SqlStore.at(path)) as other:
        for _ in range(4):
            path.unlink()
            saved_after(store, experiment)
        assert other.load("coupling").trials == experiment.trials
        trials = saved_after(other, other.load("coupling"))
        assert store.load("coupling").trials == trials


def test_a_renamed_file_stays_as_it_was(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    renamed = path.rename(path.with_name("old.sqlite"))
    before = renamed.read_bytes()

    trials = saved_after(store, experiment)

    assert renamed.read_bytes() == before
    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == trials


def test_what_was_stored_last_is_put_back_at_the_end(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    path.unlink()

    store.close()

    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == experiment.trials


def test_a_removed_folder_is_a_fault_that_passes(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    shutil.rmtree(path.parent)
    for _ in range(2):
        with pytest.raises(StorageError, match=r"folder of the database .* is gone") as caught:
            store.save_trial(experiment, trial(1))
        assert caught.value.is_temporary
    assert [*experiment.trials] == [0]
    assert store.load("coupling").trials == experiment.trials

    path.parent.mkdir()
    trials = saved_after(store, experiment)

    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == trials


def test_a_folder_that_is_removed_for_good_does_not_keep_a_store_from_closing(
    path: Path, store: SqlStore, experiment: Experiment, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(path.parent)

    store.close()

    assert "is gone" in caplog.text


def test_a_place_that_cannot_be_written_again_is_a_fault_that_passes(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    path.unlink()
    in_the_way = path.with_name(f"{path.name}.put-back.part")
    in_the_way.mkdir()
    (in_the_way / "file").touch()

    with pytest.raises(StorageError) as caught:
        store.save_trial(experiment, trial(1))

    assert caught.value.is_temporary
    shutil.rmtree(in_the_way)
    trials = saved_after(store, experiment)
    with closing(SqlStore.at(path)) as other:
        assert other.load("coupling").trials == trials


def test_another_file_in_the_place_is_left_alone(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    other = fill(path.with_name("other.sqlite"))
    other.replace(path)
    before = path.read_bytes()

    for call in (lambda: store.save_trial(experiment, trial(1)), store.summaries):
        with pytest.raises(StorageError, match="Another file was put in the place") as caught:
            call()
        assert not caught.value.is_temporary
        (rescued,) = path.parent.glob(f"{path.name}.rescued-*.sqlite")
        assert str(rescued) in str(caught.value)
    assert path.read_bytes() == before
    (rescued,) = path.parent.glob(f"{path.name}.rescued-*.sqlite")
    with closing(SqlStore.at(rescued)) as kept:
        assert kept.load("coupling").trials == experiment.trials

    # Moved away again, the database that is open takes its place.
    path.unlink()
    trials = saved_after(store, experiment)
    with closing(SqlStore.at(path)) as again:
        assert again.load("coupling").trials == trials


def test_a_file_that_is_emptied_in_place_is_damaged(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    backup = store.back_up()
    path.write_bytes(b"")

    with pytest.raises(DamagedDatabaseError) as caught:
        store.save_trial(experiment, trial(1))

    assert not caught.value.is_temporary
    assert (caught.value.path, caught.value.backup) == (str(path), str(backup.path))
    assert str(backup.path) in caught.value.hint
    assert "salvage" not in caught.value.hint


def test_an_emptied_file_without_a_backup_sends_nobody_to_a_salvage_in_vain(
    path: Path, store: SqlStore, experiment: Experiment
) -> None:
    path.write_bytes(b"")

    with pytest.raises(DamagedDatabaseError) as caught:
        store.save_trial(experiment, trial(1))

    assert "it is empty" in caught.value.message
    assert caught.value.backup is None
    assert "salvage" not in caught.value.hint
