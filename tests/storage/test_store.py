"""The store over a file and in memory, and what only files can do."""

import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from axdesk.core.errors import (
    ExperimentBusyError,
    NotFoundError,
    StorageError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from axdesk.storage import database
from axdesk.storage.schema import APPLICATION_ID, SCHEMA_VERSION
from axdesk.storage.store import SqlStore
from tests.storage.contract import RUN, SETUP, StoreContract, started, trial
from tests.storage.files import ask, child, raw, values


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab" / "experiments.sqlite"


class TestFileStore(StoreContract):
    @pytest.fixture
    def store(self, path: Path) -> Iterator[SqlStore]:
        with closing(SqlStore.at(path)) as store:
            yield store


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Iterator[SqlStore]:
        with closing(SqlStore.in_memory()) as store:
            yield store


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()
    if sys.platform != "win32":
        assert process.returncode == -signal.SIGKILL


# Files.


def test_everything_is_there_after_reopening(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        experiment = started(store)
        store.save_run(experiment, RUN.moved_to(RunState.COMPLETED))
        store.save_trial(experiment, trial(0, run_index=0))

    with closing(SqlStore.at(path)) as store:
        assert store.load("coupling") == experiment


def test_databases_of_one_process_do_not_meet(tmp_path: Path) -> None:
    stores = [
        SqlStore.at(tmp_path / "a.sqlite"),
        SqlStore.connect(f"sqlite:///{(tmp_path / 'b.sqlite').as_posix()}"),
        SqlStore.in_memory(),
        SqlStore.in_memory(),
    ]
    experiments = [store.create(replace(SETUP, owner=str(n))) for n, store in enumerate(stores)]
    for n, (store, experiment) in enumerate(zip(stores, experiments, strict=True)):
        store.save_trial(experiment, trial(n))

    for n, store in enumerate(stores):
        loaded = store.load("coupling")
        assert (loaded.setup.owner, [*loaded.trials]) == (str(n), [n])
        store.close()


@pytest.mark.parametrize(
    ("wal_is_sound", "mode", "synchronous"),
    [((99, 0, 0), "delete", 3), ((3, 0, 0), "wal", 2)],
)
def test_commits_are_durable_and_rows_belong_together(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wal_is_sound: tuple[int, int, int],
    mode: str,
    synchronous: int,
) -> None:
    monkeypatch.setattr(database, "_WAL_IS_SOUND", wal_is_sound)

    with closing(SqlStore.at(path)) as store:
        experiment = started(store)
        store.save_trial(experiment, trial(0, run_index=0))
        with store._database.reading() as connection:
            pragmas = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("foreign_keys", "journal_mode", "synchronous", "mmap_size")
            }
        assert store.load("coupling").trials == experiment.trials

    assert pragmas == {
        "foreign_keys": 1,
        "journal_mode": mode,
        "synchronous": synchronous,
        "mmap_size": 0,
    }
    assert values(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert values(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_plain_sql_reads_what_is_stored(path: Path) -> None:
    optimization = OptimizationConfig(Objective.parse("-cost"), units=(("cost", "EUR"),))
    with closing(SqlStore.at(path)) as store:
        experiment = store.create(replace(SETUP, optimization=optimization))
        done = trial(0, TrialStatus.COMPLETED, metadata={"file": "µ.csv"})
        store.save_trial(experiment, done)

    assert values(
        path,
        """
        SELECT e.name, t.status, o.metric, o.mean, o.sem, m.unit, p.value,
               json_extract(t.metadata_json, '$.file')
        FROM experiments e
        JOIN trials t ON t.experiment_id = e.id
        JOIN observations o USING (experiment_id, trial_index)
        JOIN metrics m ON m.experiment_id = e.id AND m.name = o.metric
        JOIN trial_parameters p USING (experiment_id, trial_index)
        WHERE p.parameter = 'x' AND p.value > 0.2
        """,
    ) == [("coupling", "completed", "cost", 1.5, None, "EUR", 0.25, "µ.csv")]
    assert values(path, "SELECT name, low, high FROM parameters ORDER BY position") == [
        ("x", 0.0, 1.0),
        ("n", 1, 9),
    ]


# URLs and creators.


def test_a_creator_connects(path: Path) -> None:
    path.parent.mkdir()

    def creator() -> sqlite3.Connection:
        return sqlite3.connect(path, check_same_thread=False)

    with closing(SqlStore.connect(creator=creator)) as store:
        store.create(SETUP)
        assert store.path == path.resolve()
    with closing(SqlStore.at(path)) as store:
        assert store.load("coupling").setup == SETUP


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://lab/axdesk", "mysql://lab/axdesk", "sqlite+aiosqlite:///a.db"]
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UnsupportedError, match="SQLite is"):
        SqlStore.connect(url)


def test_what_is_no_database_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no database URL"):
        SqlStore.connect("lab.sqlite")
    with pytest.raises(UserInputError, match="a URL or a creator"):
        SqlStore.connect()
    with pytest.raises(UnsupportedError, match="only sqlite3 connections"):
        SqlStore.connect(creator=object)
    with pytest.raises(StorageError, match="cannot be opened"):
        SqlStore.at(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="folder of the database"):
        SqlStore.at(tmp_path / "file" / "lab.sqlite")


# Files that are not ours.


def _text(path: Path) -> None:
    path.write_text("name;value\n" * 500)


def _of_another_program(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("CREATE TABLE invoices (id)")


def _of_another_application(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("PRAGMA application_id=7")


def _newer(path: Path) -> None:
    SqlStore.at(path).close()
    with raw(path) as connection:
        connection.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_text, "is no SQLite database"),
        (_of_another_program, "belongs to another application"),
        (_of_another_application, "belongs to another application"),
        (_newer, "written by a newer axdesk"),
    ],
)
def test_a_file_that_is_not_ours_is_left_untouched(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "some.sqlite"
    make(path)
    before = (path.read_bytes(), path.stat().st_mtime_ns)

    with pytest.raises(StorageError, match=message) as caught:
        SqlStore.at(path)

    assert caught.value.hint
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert [*tmp_path.iterdir()] == [path]


# Other programs.


def test_a_database_that_another_program_locks_is_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with closing(SqlStore.at(path)) as store:
        experiment = store.create(SETUP)
        with raw(path) as other:
            other.execute("BEGIN EXCLUSIVE")
            with pytest.raises(StorageError, match="locked by another program"):
                store.save_trial(experiment, trial(0))
            other.execute("ROLLBACK")

        assert not experiment.trials
        store.save_trial(experiment, trial(0))
        assert store.load("coupling").trials == {0: trial(0)}


def test_no_transaction_stays_open(path: Path) -> None:
    with closing(SqlStore.at(path)) as store, raw(path) as other:
        experiment = started(store)
        for call in (
            store.summaries,
            lambda: store.load("coupling"),
            lambda: store.history(experiment.id),
            lambda: store.load_draft(experiment.id),
            lambda: store.save_trial(experiment, trial(experiment.next_index)),
        ):
            call()
            # Without any patience: it fails at once if anything is held.
            other.execute("BEGIN EXCLUSIVE")
            other.execute("ROLLBACK")


def test_two_clients_of_one_process_refuse_each_other(path: Path) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        experiment = started(first)
        with first.control(experiment):
            first.save_run(experiment, RUN.moved_to(RunState.RUNNING))
            with pytest.raises(ExperimentBusyError, match="is being run by this program"):
                second.control(second.load("coupling")).__enter__()
            assert second.load("coupling").state is RunState.RUNNING
            assert second.summaries()[0].controller
        assert second.summaries()[0].controller == ""
        with second.control(second.load("coupling")):
            pass


def test_a_lock_that_cannot_be_made_is_told(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        experiment = store.create(SETUP)
        path.with_name(f"{path.name}.locks").touch()
        with pytest.raises(
            StorageError, match="lock of experiment 'coupling' cannot be taken"
        ) as told:
            store.control(experiment).__enter__()
        assert told.value.is_temporary


TRY = """
experiment = store.load("coupling")
for line in sys.stdin:
    held = store.control(experiment)
    try:
        held.__enter__()
    except ExperimentBusyError:
        print("busy", flush=True)
        sys.stdin.readline()
    else:
        print("mine", flush=True)
        sys.stdin.readline()
        held.__exit__(None, None, None)
    print("done", flush=True)
"""


def test_of_two_processes_that_start_at_once_one_controls(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        started(store)
    with child(TRY, path) as first, child(TRY, path) as second:
        processes = (first, second)
        for _ in range(20):
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            answers = []
            for process in processes:
                assert process.stdout is not None
                answers.append(process.stdout.readline().strip())
            assert sorted(answers) == ["busy", "mine"]
            assert [ask(process, "end") for process in processes] == ["done", "done"]
        for process in processes:
            assert process.stdin is not None
            process.stdin.close()


def test_processes_that_make_a_database_at_once_make_one(path: Path) -> None:
    make = 'store.create(replace(SETUP, name=sys.stdin.readline().strip()))\nprint("made")'
    processes = [child(make, path) for _ in range(3)]
    for number, process in enumerate(processes):
        out, _ = process.communicate(f"{number}\n")
        assert out == "made\n"
    with closing(SqlStore.at(path)) as store:
        assert {summary.name for summary in store.summaries()} == set("012")
        assert store.all_damage() == ()


def test_a_lock_whose_file_is_removed_is_made_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        experiment = started(first)
        with first.control(experiment):
            shutil.rmtree(f"{path}.locks")
            first.save_trial(experiment, trial(0))
            with pytest.raises(ExperimentBusyError, match="run by this program"):
                second.control(second.load("coupling")).__enter__()
        assert "was removed" in caplog.text
        with second.control(second.load("coupling")):
            pass


def test_who_lost_the_lock_to_another_writes_nothing_any_more(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        experiment = started(store)
        with store.control(experiment):
            shutil.rmtree(f"{path}.locks")
            process = child(CONTROL, path)
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "holding\n"
                for _ in range(2):
                    with pytest.raises(ExperimentBusyError, match=f"driven by {process.pid}@"):
                        store.save_trial(experiment, trial(0))
                assert not experiment.trials
                (summary,) = store.summaries()
                assert summary.finished_trials == 0
            finally:
                kill(process)
            # The other is gone: what was driven goes on.
            store.save_trial(experiment, trial(0))
        assert store.load("coupling").trials == {0: trial(0)}


def test_files_that_are_no_locks_are_left_alone(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        started(store)
        folder = path.with_name(f"{path.name}.locks")
        (folder / "1.lock").mkdir(parents=True)
        for name in ("notes", "1", "2"):
            (folder / f"{name}.controller").write_text("somebody")

        (summary,) = store.summaries()

        assert summary.controller == "somebody"
        assert (folder / "notes.controller").exists()


def test_two_connections_that_take_turns_see_each_other(path: Path) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        pairs = [(first, first.create(SETUP)), (second, second.load("coupling"))]
        for index, (store, experiment) in enumerate(pairs * 3):
            with store.control(experiment):
                assert experiment == store.load("coupling")
                assert experiment.next_index == index
                store.save_trial(experiment, trial(index))


def test_an_experiment_that_was_deleted_is_not_controlled(path: Path) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        experiment = started(first)
        second.delete(experiment.id)
        with pytest.raises(NotFoundError, match="'coupling' was deleted"):
            first.control(experiment).__enter__()


def test_threads_of_two_clients_write_by_turns(path: Path) -> None:
    with closing(SqlStore.at(path)) as first, closing(SqlStore.at(path)) as second:
        stores = {"a": first, "b": second}
        experiments = {n: store.create(replace(SETUP, name=n)) for n, store in stores.items()}

        def write(name: str) -> None:
            for index in range(30):
                stores[name].save_trial(experiments[name], trial(index))

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(write, stores))

        assert first.load("b") == experiments["b"]
        assert second.load("a") == experiments["a"]


CONTROL = """
experiment = store.load("coupling")
with store.control(experiment):
    store.save_run(experiment, experiment.runs[-1].moved_to(RunState.STARTING))
    print("holding", flush=True)
    sys.stdin.read()
"""


def test_a_killed_controller_is_free_at_once(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        experiment = started(store)
        process = child(CONTROL, path)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            with pytest.raises(ExperimentBusyError, match=f"driven by {process.pid}@"):
                store.control(experiment).__enter__()
            (summary,) = store.summaries()
            assert summary.state is store.load("coupling").state is RunState.STARTING
            assert summary.controller.startswith(f"{process.pid}@")
        finally:
            kill(process)

        (summary,) = store.summaries()
        assert (summary.state, summary.controller) == (RunState.INTERRUPTED, "")
        assert store.load("coupling").state is RunState.INTERRUPTED
        with store.control(experiment):
            assert experiment.state is RunState.INTERRUPTED


def test_what_others_do_is_noticed_and_what_is_done_here_is_not(path: Path) -> None:
    with closing(SqlStore.at(path)) as store, closing(SqlStore.at(path)) as other:
        experiment = started(store)
        known = store.changes_by_others()
        store.save_trial(experiment, trial(0))
        assert store.changes_by_others() == known

        theirs = other.load("coupling")
        other.save_trial(theirs, trial(1))
        written = store.changes_by_others()
        assert written != known
        assert store.changes_by_others() == written

        process = child(CONTROL, path)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            driven = store.changes_by_others()
            assert driven != written
        finally:
            kill(process)
        assert store.changes_by_others() != driven


WRITE = """
experiment = store.load("coupling")
for index in itertools.count():
    store.save_trial(experiment, trial(index, metadata={"file": "x" * 5000}))
    print(index, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [3, 40])
def test_a_kill_amid_writes_loses_nothing_that_was_stored(path: Path, acknowledged: int) -> None:
    with closing(SqlStore.at(path)) as store:
        store.create(SETUP)
    process = child(WRITE, path)
    try:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(acknowledged)]
    finally:
        kill(process)

    with closing(SqlStore.at(path)) as store:
        trials = store.load("coupling").trials
    assert values(path, "PRAGMA integrity_check") == [("ok",)]
    assert values(path, "PRAGMA foreign_key_check") == []
    assert set(told) <= set(trials)
    assert all(t.parameters == trial(0).parameters for t in trials.values())


def test_an_entry_of_history_is_stored_with_its_trial_or_not_at_all(path: Path) -> None:
    with closing(SqlStore.at(path)) as store:
        experiment = store.create(SETUP)
        entry = AuditEntry(experiment.created_at, "note", 0)
        with pytest.raises(StorageError):
            store.save_trial(experiment, trial(0, run_index=5), [entry])

    assert values(path, "SELECT count(*) FROM audit") == [(0,)]


def test_an_open_database_needs_no_alembic(path: Path) -> None:
    SqlStore.at(path).close()

    code = "print(sorted(name for name in sys.modules if re.match('alembic|mako', name)))"
    with child(f"import re\n{code}", path) as process:
        out, _ = process.communicate()

    assert re.fullmatch(r"\[\]\n", out)
