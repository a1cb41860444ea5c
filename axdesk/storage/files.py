"""The files of a database: what lies beside it, and writing that survives a loss of power."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

JOURNALS = ("-journal", "-wal")
"""Endings of the files that hold what is needed to finish, or to undo, an interrupted change."""


STAMP = "%Y%m%d-%H%M%S-%f"
"""How a time, UTC, is written in the name of a file."""

FILES = ".files"
"""Ending of the folder of the files attached to trials."""

COMPANIONS = (".backups", FILES)
"""Endings of the folders that go where their database goes."""


def beside(path: Path, ending: str) -> Path:
    """Return the file beside a database whose name goes on with `ending`."""
    return path.with_name(path.name + ending)


def timestamp() -> str:
    """Return the time, UTC, as part of a file's name."""
    return datetime.now(UTC).strftime(STAMP)


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is none.

    Raises:
        OSError: If that cannot be found out.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


def has_content(path: Path) -> bool:
    """Return whether there is a file that is not empty.

    Raises:
        OSError: If that cannot be found out.
    """
    return path.exists() and path.stat().st_size > 0


def folder_size(folder: Path) -> int | None:
    """Return how many bytes the files of a folder have, below it too; None if there is none."""
    if not folder.is_dir():
        return None
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # removed meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def put(source: Path, target: Path) -> None:
    """Move a file that was written just now to a name of the same folder, to stay there."""
    with source.open("r+b") as written:
        os.fsync(written.fileno())
    source.replace(target)
    if os.name == "posix":  # Windows opens no folders
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
