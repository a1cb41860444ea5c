"""Backups, damage and restoring from the command line."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest


def backups(lab: Any) -> list[Path]:
    return sorted(lab.database.with_name("lab.sqlite.backups").glob("*.sqlite"))


def damage(database: Path) -> None:
    """Overwrite the page where the trials begin."""
    with closing(sqlite3.connect(database)) as connection:
        ((page,),) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'trials'")
        ((size,),) = connection.execute("PRAGMA page_size")
    with database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(bytes(size))


def test_a_damaged_database_is_refused_and_restored(lab: Any) -> None:
    lab.run("run", lab.file, "--max-trials", 2)
    made = lab.run("backup")
    backup = backups(lab)[-1]
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(str(backup))
    damage(lab.database)
    broken = lab.database.read_bytes()

    refused = lab.run("status")
    examined = lab.run("doctor")

    assert refused.returncode == 3
    (command,) = [text for text in refused.stderr.splitlines() if " restore " in text]
    assert command.endswith(f"axdesk --headless restore --database {lab.database}")
    assert f"salvage salvaged.sqlite --database {lab.database}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert examined.returncode == 3
    assert f"ok         {backup}, 0 min ago" in examined.stdout
    assert command.strip() in examined.stdout
    assert lab.database.read_bytes() == broken

    salvaged = lab.folder / "salvaged.sqlite"
    rescued = lab.run("salvage", salvaged)

    assert rescued.returncode == 0, rescued.stderr
    assert f"{salvaged}: 1 experiments, 2 trials" in rescued.stdout
    assert f"status --database {salvaged}" in rescued.stderr
    assert lab.database.read_bytes() == broken

    restored = lab.run("restore")

    assert restored.returncode == 0, restored.stderr
    assert str(backup) in restored.stdout
    kept = Path(restored.stdout.strip().rpartition(" is now ")[2].removesuffix("."))
    assert kept.read_bytes() == broken
    assert "2 of 2" in lab.run("status").stdout


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_lost_database_with_a_backup_is_not_begun_anew(lab: Any, is_gone: bool) -> None:
    lab.run("run", lab.file, "--max-trials", 2)
    lab.run("backup")
    if is_gone:
        lab.database.unlink()
    else:
        lab.database.write_bytes(b"")

    for arguments in (("status",), ("run", lab.file)):
        refused = lab.run(*arguments)
        assert refused.returncode == 3
        assert f"{'gone' if is_gone else 'empty'}, but a backup of it exists" in refused.stderr
        assert str(backups(lab)[-1]) in refused.stderr
        assert f"restore --database {lab.database}" in refused.stderr
        assert "salvage" not in refused.stderr
        assert lab.database.exists() != is_gone

    assert lab.run("restore").returncode == 0
    assert "2 of 2" in lab.run("status").stdout


@pytest.mark.parametrize(
    "verb", ["status", "resume x", "export x", "backup", "restore", "salvage new.sqlite", "doctor"]
)
def test_only_a_run_makes_a_database(lab: Any, verb: str) -> None:
    lab.database = lab.folder / "mistyped" / "lab.sqlite"

    done = lab.run(*verb.split())

    assert done.returncode == (3 if verb == "doctor" else 2), done.stderr
    assert "Traceback" not in done.stderr
    told = done.stdout if verb == "doctor" else done.stderr
    assert f"There is no database {lab.database}" in told
    assert not lab.database.parent.exists()


def test_an_empty_file_is_no_database_to_look_at(lab: Any) -> None:
    lab.database.touch()

    done = lab.run("status")

    assert done.returncode == 2
    assert f"There is no database {lab.database}: the file is empty" in done.stderr
    assert lab.database.read_bytes() == b""


def test_no_database_in_the_users_folder_means_no_experiments_yet(lab: Any, home: Path) -> None:
    before = sorted(home.rglob("*"))

    done = subprocess.run(
        [sys.executable, "-m", "axdesk", "--headless", "status"], capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "There are no experiments yet." in done.stdout
    assert sorted(home.rglob("*")) == before


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("quick.py:QuickRunner", "quick.py:NoRunner"),
        ("folder = '{folder}'", "speed = 3"),
        ('name = "quick"', 'name = "quick"\nplugin_python = "/no/such/python"'),
    ],
)
def test_a_run_that_cannot_start_keeps_no_experiment(lab: Any, wrong: str, right: str) -> None:
    text = lab.file.read_text("utf-8")
    lab.file.write_text(text.replace(wrong.format(folder=lab.folder), right), "utf-8")

    refused = lab.run("run", lab.file)

    assert refused.returncode == 3, refused.stderr
    assert "There are no experiments yet." in lab.run("status").stdout
    lab.file.write_text(text, "utf-8")
    corrected = lab.run("run", lab.file, "--max-trials", 1)
    assert corrected.returncode == 0, corrected.stderr
    assert "An experiment 'quick' exists" not in corrected.stderr
