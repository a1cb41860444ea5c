"""Databases as files, and programs that can be killed or that run where faults can be made."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.core.protocols import AuditEntry
from axdesk.core.trial import Observation, TrialStatus
from axdesk.storage.schema import Base
from axdesk.storage.store import SqlStore
from tests.storage.contract import started, trial

ROOT = Path(__file__).resolve().parents[2]
PAGE = 4096


def raw(path: Path, *, timeout: float = 0.0) -> "closing[sqlite3.Connection]":
    """Connect as another program would."""
    return closing(sqlite3.connect(path, isolation_level=None, timeout=timeout))


def values(path: Path, statement: str) -> list[tuple[object, ...]]:
    with raw(path) as connection:
        return connection.execute(statement).fetchall()


def program(code: str) -> str:
    """Give code the names of the contract, and `store` at the path that it is started with."""
    return (
        "import pathlib, sys\n"
        "from tests.storage.contract import *\n"
        "from axdesk.storage.store import SqlStore\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "store = SqlStore.at(path)\n"
    ) + code


def child(code: str, path: Path, *wrapper: str) -> "subprocess.Popen[str]":
    """Start a program, maybe within another one."""
    return subprocess.Popen(
        [*wrapper, sys.executable, "-c", program(code), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def ask(process: "subprocess.Popen[str]", line: str) -> str:
    """Send a line; return the answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def run_where_mounts_are_free(code: str, path: Path) -> str:
    """Run a program that may mount what it likes: nobody else sees it."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("no file system can be mounted here")
    return run(code, path, "unshare", "-m")


def run(code: str, path: Path, *wrapper: str) -> str:
    """Run a program to its end; return what it says."""
    with child(code, path, *wrapper) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out.strip()


def rows(path: Path) -> set[tuple[object, ...]]:
    """Return every row of every table, the table's name first."""
    with raw(path) as connection:
        return {
            (table.name, *row)
            for table in Base.metadata.sorted_tables
            for row in connection.execute(f"SELECT * FROM {table.name}")
        }


def fill(path: Path, names: Sequence[str] = ("a", "b"), trials: int = 3) -> Path:
    """Make a database with experiments of completed trials."""
    with closing(SqlStore.at(path)) as store:
        for name in names:
            experiment = started(store, name)
            for index in range(trials):
                entry = AuditEntry(experiment.created_at, "note", index)
                done = trial(
                    index,
                    TrialStatus.COMPLETED,
                    run_index=0,
                    metadata={"file": f"{name}{index}.csv"},
                    observations=(Observation("cost", index + 0.5, 0.1),),
                )
                store.save_trial(experiment, done, [entry])
    return path


def flip(path: Path, at: int, size: int = 1) -> None:
    """Change bytes of a file in place."""
    content = bytearray(path.read_bytes())
    content[at : at + size] = bytes(byte ^ 0x5A for byte in content[at : at + size])
    path.write_bytes(content)
