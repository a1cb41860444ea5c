"""The care of a database: copying it elsewhere, compacting, moving, and what is known of it."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.api.places import default_database_path, moved_database, remember_database
from axdesk.api.rescue import move_database, restore_backup
from axdesk.api.workspace import Workspace
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError, ExperimentBusyError, StorageError, UserInputError
from axdesk.storage import moving

LONG = "x" * 60_000


def filled(path: Path, names: int = 3, *, is_large: bool = False) -> Path:
    """A database with drafts; large, it has had some that are deleted."""
    with closing(Workspace(path)) as workspace:
        for name in range(names):
            workspace.new_draft(Draft({"name": f"draft {name}"}))
        if is_large:
            more = [workspace.new_draft(Draft({"name": f"{n}", "notes": LONG})) for n in range(15)]
            for one in more:
                workspace.delete(one)
    return path


def names(path: Path | None = None) -> list[str]:
    with closing(Workspace(path, must_exist=True)) as workspace:
        return sorted(summary.name for summary in workspace.summaries())


NAMES = ["draft 0", "draft 1", "draft 2"]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    folder = tmp_path / "from"
    folder.mkdir()
    path = filled(folder / "lab.sqlite")
    with closing(Workspace(path)) as workspace:
        workspace.back_up()
        source = tmp_path / "spectrum.csv"
        source.write_text("1,2\n")
        workspace.keep_file(source)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "to µ"
    folder.mkdir()
    return folder


@pytest.fixture
def other(database: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another program that has the database open, and locks it when told to."""
    script = (
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute('SELECT count(*) FROM experiments').fetchall()\n"
        "print('open', flush=True)\n"
        "for line in sys.stdin: db.execute(line); print('done', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(database)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def test_what_is_known_of_a_database(database: Path) -> None:
    with closing(Workspace(database)) as workspace:
        facts = workspace.facts()
    assert (facts.path, facts.experiments, facts.trials) == (database, 3, 0)
    assert facts.size == database.stat().st_size
    assert facts.files_size == 4
    assert facts.last_backup == facts.backups[-1]
    assert {(backup.contents, backup.is_former) for backup in facts.backups} == {((3, 0), False)}
    restore_backup(database)
    with closing(Workspace(database)) as workspace:
        former = [backup for backup in workspace.facts().backups if backup.is_former]
    assert [kept.contents for kept in former] == [(3, 0)]
    filled(database, 2)
    restore_backup(database, former[0].path)
    assert names(database) == NAMES


def test_a_copy_goes_where_the_operator_wants_it_but_not_over_the_database(
    database: Path, target: Path
) -> None:
    with closing(Workspace(database)) as workspace:
        copy = workspace.back_up_to(target / "copy.sqlite")
        assert workspace.back_up_to(copy.path).is_sound
        for wrong in (database, database.parent / "." / database.name):
            with pytest.raises(UserInputError, match="is the database itself"):
                workspace.back_up_to(wrong)
        with pytest.raises(StorageError):
            workspace.back_up_to(target / "none" / "copy.sqlite")
    assert [file.name for file in target.iterdir()] == ["copy.sqlite"]
    assert names(copy.path) == NAMES


def test_compacting_frees_space_and_keeps_all(tmp_path: Path) -> None:
    path = filled(tmp_path / "lab.sqlite", is_large=True)
    before = path.stat().st_size
    with closing(Workspace(path)) as workspace:
        assert workspace.facts().free_size > 500_000
        freed = workspace.compact()
        assert workspace.facts().free_size == 0
    assert freed > 500_000
    assert path.stat().st_size == before - freed
    assert names(path) == NAMES


def test_check_and_compacting_are_cancelled_and_leave_all_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.storage.database._STEPS_BETWEEN_LOOKS", 50)
    path = filled(tmp_path / "lab.sqlite", is_large=True)
    before = path.read_bytes()
    with closing(Workspace(path)) as workspace:
        for work in (workspace.all_damage, workspace.compact):
            with pytest.raises(StorageError, match="was cancelled"):
                work(lambda: True)
        assert path.read_bytes() == before
        assert workspace.all_damage() == ()
        assert workspace.new_draft(Draft({"name": "draft 3"}))
    assert len(names(path)) == 4


def test_nothing_is_compacted_while_another_program_writes(
    database: Path, other: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.storage.database.BUSY_SECONDS", 0.1)
    with closing(Workspace(database)) as workspace:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("BEGIN IMMEDIATE\n")
        other.stdin.flush()
        other.stdout.readline()
        with pytest.raises(StorageError, match="is locked by another program"):
            workspace.compact()


FULL = """
import resource, signal, sys
from pathlib import Path
from axdesk.api.workspace import Workspace
from axdesk.core.errors import StorageError
workspace = Workspace(Path(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
for work in (workspace.compact, lambda: workspace.back_up_to(Path(sys.argv[2]))):
    try:
        work()
    except StorageError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_a_disk_that_takes_no_more_is_told_and_nothing_is_lost(
    tmp_path: Path, target: Path
) -> None:
    path = filled(tmp_path / "lab.sqlite")
    ran = subprocess.run(
        [sys.executable, "-c", FULL, str(path), str(target / "copy.sqlite")],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert len(ran.stdout.splitlines()) == 2, ran.stdout
    assert "disk" in ran.stdout
    assert list(target.iterdir()) == []
    assert names(path) == NAMES


def test_a_database_moves_with_its_backups_and_files(database: Path, target: Path) -> None:
    moved = move_database(database, target)
    assert moved == target / "lab.sqlite"
    assert names(moved) == NAMES
    assert list(database.parent.iterdir()) == []
    with closing(Workspace(moved)) as workspace:
        facts = workspace.facts()
        assert facts.files_size == 4
        assert facts.backups
    assert moved_database() is None  # it was named, and is named again


def test_the_usual_database_is_found_where_it_was_moved(target: Path) -> None:
    usual = default_database_path()
    filled(usual)
    moved = move_database(None, target)
    assert default_database_path() == moved
    assert not usual.exists()
    assert names() == NAMES
    back = move_database(moved, usual.parent)
    assert back == usual
    assert names() == NAMES


def test_a_database_in_use_or_without_a_place_stays(
    database: Path, target: Path, other: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ExperimentBusyError, match=str(other.pid)):
        move_database(database, target)
    other.kill()
    other.wait()
    with pytest.raises(UserInputError, match="lies in"):
        move_database(database, database.parent)
    (target / "lab.sqlite").write_text("another")
    with pytest.raises(UserInputError, match="exists already"):
        move_database(database, target)
    (target / "lab.sqlite").unlink()
    monkeypatch.setattr(moving, "_SPARE", 10**18)
    with pytest.raises(StorageError, match="MB free"):
        move_database(database, target)
    assert list(target.iterdir()) == []
    assert names(database) == NAMES


def test_a_move_that_fails_half_way_is_undone(
    database: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_database(database)

    remove = Path.unlink

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def keep(file: Path, missing_ok: bool = False) -> None:
        if file == database:
            raise PermissionError(13, "Permission denied")
        remove(file, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr("axdesk.storage.moving.shutil.copytree", refuse)
        with pytest.raises(StorageError, match="No space left"):
            move_database(None, target)
    assert list(target.iterdir()) == []
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", keep)
        with pytest.raises(AxdeskError, match="cannot be taken"):
            move_database(None, target)
    assert list(target.iterdir()) == []
    assert default_database_path() == database
    assert names() == NAMES


def test_the_command_line_copies_compacts_and_moves(database: Path, target: Path) -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "axdesk", "--headless", "--database", str(database)]
        return subprocess.run(
            [*command, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    assert "checked" in run("backup", str(target / "copy.sqlite")).stdout
    assert "given back" in run("compact").stdout
    assert str(target / "lab.sqlite") in run("move", str(target)).stdout
    with closing(sqlite3.connect(target / "lab.sqlite")) as connection:
        assert connection.execute("SELECT count(*) FROM experiments").fetchone() == (3,)
    again = run("move", str(target))
    assert again.returncode == 2, again.stderr
    assert f"There is no database {database}" in again.stderr
