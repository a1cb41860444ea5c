"""Where axdesk keeps what is the user's: light, for the window asks before anything is loaded."""

from pathlib import Path

import platformdirs

from axdesk.core.errors import StorageError


def data_folder() -> Path:
    """Return the folder of the user's data; it may not exist yet."""
    return platformdirs.user_data_path("axdesk", appauthor=False)


def log_folder() -> Path:
    """Return the folder of the user's log files; it may not exist yet."""
    return platformdirs.user_log_path("axdesk", appauthor=False)


def default_database_path() -> Path:
    """Return where the window and the command line keep experiments; it may not exist yet.

    Raises:
        StorageError: If it cannot be read where the database was moved to.
    """
    return moved_database() or data_folder() / "axdesk.sqlite"


def moved_database() -> Path | None:
    """Return where the user moved the usual database; None if it is where it always was.

    Raises:
        StorageError: If that cannot be read.
    """
    try:
        text = _note().read_text("utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"The file {_note()}, which says where the database was moved, cannot be read: "
            f"{error}.",
            "Name the database by --database, or write its path into that file.",
        ) from error
    return Path(text) if text else None


def remember_database(path: Path | None) -> None:
    """Keep where the usual database was moved, for window and command line; None: nowhere.

    Raises:
        OSError: If that cannot be written.
    """
    if path is None:
        _note().unlink(missing_ok=True)
        return
    _note().parent.mkdir(parents=True, exist_ok=True)
    unfinished = _note().with_suffix(".part")
    unfinished.write_text(f"{path.absolute()}\n", "utf-8")
    unfinished.replace(_note())


def _note() -> Path:
    return data_folder() / "database_place.txt"
