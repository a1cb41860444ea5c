"""Copies of a database, made while it is used, each checked before an older one goes."""

import glob
import logging
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from axdesk.core.errors import (
    AxdeskError,
    DamagedDatabaseError,
    ExperimentBusyError,
    StorageError,
)
from axdesk.storage.checks import first_damage
from axdesk.storage.failures import storage_error
from axdesk.storage.files import JOURNALS, STAMP, beside, has_content, put, timestamp
from axdesk.storage.locks import ControlLocks
from axdesk.storage.schema import APPLICATION_ID

KEPT = 5
"""How many copies are kept; those made ahead of a migration are not counted and stay."""

HOURS_BETWEEN_OPENINGS = 6.0
"""A database that is opened gets a copy if it was changed and the newest one is older."""

COMMITS_BETWEEN_COPIES = 600
COMMITS_BEFORE_FIRST_COPY = 30
SECONDS_BETWEEN_COPIES = 1800.0
"""While a database is written it gets a copy after so many commits, or so much time."""

_FORMER = ".before-restore-"
_SECONDS_TO_NEXT_TRY = 60.0
# A copy may take no more than this share of the time, however large the database is.
_SHARE_OF_TIME = 0.01

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Backup:
    """A copy of a database.

    Attributes:
        path: Its file; it opens as any database does.
        made_at: UTC.
        size: Bytes.
        is_former: Whether it was the database itself, until a restore took its place.
    """

    path: Path
    made_at: datetime
    size: int
    is_former: bool = False

    @cached_property
    def is_sound(self) -> bool:
        """Whether it can be opened and is whole; looked at once."""
        try:
            with self._connected() as connection:
                ((application,),) = connection.execute("PRAGMA application_id")
                return application == APPLICATION_ID and not first_damage(connection)
        except sqlite3.Error:
            return False

    @cached_property
    def has_experiments(self) -> bool:
        """Whether an experiment or a draft can be read in it; looked at once."""
        try:
            with self._connected() as connection:
                return connection.execute("SELECT 1 FROM experiments").fetchone() is not None
        except sqlite3.Error:
            return False

    @cached_property
    def contents(self) -> tuple[int, int] | None:
        """How many experiments (drafts included) and trials are in it; None if it is not read."""
        try:
            with self._connected() as connection:
                ((experiments,),) = connection.execute("SELECT count(*) FROM experiments")
                ((trials,),) = connection.execute("SELECT count(*) FROM trials")
        except sqlite3.Error:
            return None
        return int(experiments), int(trials)

    def _connected(self) -> "closing[sqlite3.Connection]":
        address = f"file:{quote(self.path.as_posix())}?mode=ro&immutable=1"
        return closing(sqlite3.connect(address, uri=True))


def list_backups(path: Path) -> tuple[Backup, ...]:
    """Return the copies of a database, the newest last; it need not exist itself."""
    found = []
    for file in beside(path, ".backups").glob("*.sqlite"):
        with suppress(OSError, ValueError):
            time_of_name = file.name.partition(".")[0]
            made_at = datetime.strptime(f"{time_of_name}+0000", f"{STAMP}%z")
            found.append(Backup(file, made_at, file.stat().st_size))
    return tuple(sorted(found, key=lambda backup: backup.made_at))


def kept_databases(path: Path) -> tuple[Backup, ...]:
    """Return what restores took the place of, the newest last."""
    found = []
    start = beside(path, _FORMER).name
    for file in path.parent.glob(f"{glob.escape(start)}*"):
        with suppress(OSError, ValueError):
            at = datetime.strptime(f"{file.name.removeprefix(start)}+0000", f"{STAMP}%z")
            found.append(Backup(file, at, file.stat().st_size, is_former=True))
    return tuple(sorted(found, key=lambda backup: backup.made_at))


def newest_sound_backup(path: Path) -> Backup | None:
    """Return the newest copy of a database that is whole; one with experiments goes before."""
    sound = (backup for backup in reversed(list_backups(path)) if backup.is_sound)
    newest = next(sound, None)
    if newest is None or newest.has_experiments:
        return newest
    return next((backup for backup in sound if backup.has_experiments), newest)


def refuse_lost(path: Path) -> None:
    """Refuse a database without content, or none at all, if a copy knows what belongs there.

    Raises:
        DamagedDatabaseError: If there is such a copy.
    """
    backup = newest_sound_backup(path)
    if backup is not None and backup.has_experiments:
        raise DamagedDatabaseError(
            f"The database {path} is {'empty' if path.exists() else 'gone'}, but a backup of it "
            f"exists: {backup.path}, made {backup.made_at:%Y-%m-%d %H:%M} UTC.",
            "Restore that backup. To begin with a new database in this place, move the folder "
            f"{backup.path.parent} elsewhere first.",
            path=str(path),
            backup=str(backup.path),
            has_content=False,
        )


def damaged(path: Path, reason: str) -> DamagedDatabaseError:
    """Return the error that says how to go on with a damaged database.

    Args:
        path: The database.
        reason: What is damaged.
    """
    backup = newest_sound_backup(path)
    # Of an empty file there is nothing that a salvage could read.
    is_empty = not has_content(path)
    if is_empty:
        reason = "it is empty"
    if backup is not None:
        made_at = f"{backup.made_at:%Y-%m-%d %H:%M} UTC"
        ways = f"Restore its newest sound backup {backup.path}, made {made_at}"
        ways += "." if is_empty else ", or salvage what can be read of it into a new file."
    elif is_empty:
        ways = (
            "It has no sound backup: look for a copy elsewhere, or remove the empty file to begin "
            "with a new database in its place."
        )
    else:
        ways = "It has no sound backup: salvage what can be read of it into a new file."
    return DamagedDatabaseError(
        f"The database {path} is damaged ({reason}); it is left as it is.",
        ways,
        path=str(path),
        backup=None if backup is None else str(backup.path),
        has_content=not is_empty,
    )


def copy_database(connection: sqlite3.Connection, target: Path) -> None:
    """Copy a database that is in use to a file that is whole or not there.

    Raises:
        StorageError: If the copy cannot be written, or is damaged as the database is.
    """
    unfinished = beside(target, ".part")
    with _told(target), _removed_at_the_end(unfinished):
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as copy:
            # It is written out at the end, all at once.
            copy.execute("PRAGMA synchronous=OFF")
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            if damage := first_damage(copy):
                raise StorageError(
                    f"The copy {target} would be damaged ({damage}).",
                    "The database itself is damaged: close and open it, which says how to go on.",
                )
        put(unfinished, target)


def make_backup(connection: sqlite3.Connection, path: Path) -> Backup:
    """Copy a database into its folder of backups, check the copy, and let the oldest go.

    Args:
        connection: To the database.
        path: Its file.

    Raises:
        StorageError: If the copy cannot be written, or is not sound.
    """
    ((version,),) = connection.execute("PRAGMA user_version")
    folder = beside(path, ".backups")
    target = folder / f"{timestamp()}.schema-{version}.sqlite"
    with _told(target):
        folder.mkdir(exist_ok=True)
    copy_database(connection, target)
    (backup,) = (backup for backup in list_backups(path) if backup.path == target)
    if not backup.is_sound:
        target.unlink(missing_ok=True)
        raise StorageError(
            f"The copy {target} is not what was written: the disk may be failing.",
            "Check the disk, and make a copy elsewhere.",
        )
    # A database that was emptied must not displace what it held.
    alike = [
        old
        for old in list_backups(path)
        if old.path.name.endswith(f".schema-{version}.sqlite")
        and old.has_experiments == backup.has_experiments
    ]
    for old in alike[:-KEPT]:
        # Another program may have been faster.
        with suppress(OSError):
            old.path.unlink(missing_ok=True)
    return backup


def restore(backup: Backup, path: Path) -> Path | None:
    """Put a copy in the place of its database; whoever has that open must open it again.

    Args:
        backup: Stays where it is.
        path: The database.

    Returns:
        Where the present file is kept; None if there was none.

    Raises:
        ExperimentBusyError: If somebody drives one of its experiments.
        StorageError: If the copy is not sound, or cannot be written.
    """
    for controller in ControlLocks(beside(path, ".locks")).controllers().values():
        raise ExperimentBusyError(
            f"An experiment of the database {path} is driven by {controller}.",
            "Stop it there, or wait until it is done, and restore the backup then.",
        )
    if not Backup(backup.path, backup.made_at, backup.size).is_sound:
        raise StorageError(f"The backup {backup.path} is damaged.", "Choose another backup.")
    unfinished = beside(path, ".restoring")
    aside = beside(path, f"{_FORMER}{timestamp()}")
    with _told(path), _removed_at_the_end(unfinished):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(backup.path, unfinished)
        was_there = path.exists()
        if was_there:
            # Under both names until the copy takes the place: there is no instant without a file.
            try:
                aside.hardlink_to(path)
            except OSError:
                shutil.copyfile(path, aside)
        for name in JOURNALS:
            with suppress(FileNotFoundError):
                beside(path, name).replace(beside(aside, name))
        beside(path, "-shm").unlink(missing_ok=True)
        put(unfinished, path)
    return aside if was_there else None


class RollingBackups:
    """Makes copies of a database when they are due; failing, it only says so in the log.

    Args:
        path: The database; None in memory, which gets no copies.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._commits = 0
        self._not_before = 0.0
        self._due_at = time.monotonic() + SECONDS_BETWEEN_COPIES
        self._has_copy = path is not None and bool(list_backups(path))

    def opened(self, connection: sqlite3.Connection) -> None:
        """Make a copy of a database that was just opened, if it is due."""
        if self._path is None:
            return
        newest = max((b.made_at.timestamp() for b in list_backups(self._path)), default=0.0)
        try:
            changed = self._path.stat().st_mtime
        except OSError:
            return
        age = time.time() - newest
        if changed > newest and not 0 <= age < 3600 * HOURS_BETWEEN_OPENINGS:
            self._make(connection, self._path)

    def committed(self, connection: sqlite3.Connection) -> None:
        """Count a commit, and make a copy if it is due."""
        if self._path is None:
            return
        self._commits += 1
        now = time.monotonic()
        many = COMMITS_BETWEEN_COPIES if self._has_copy else COMMITS_BEFORE_FIRST_COPY
        is_due = self._commits >= many or now >= self._due_at
        if is_due and now >= self._not_before:
            self._make(connection, self._path)

    def _make(self, connection: sqlite3.Connection, path: Path) -> None:
        started = time.monotonic()
        try:
            make_backup(connection, path)
        except (AxdeskError, OSError, sqlite3.Error) as error:
            _log.warning("No backup of %s was made: %s", path, error)
            self._not_before = time.monotonic() + _SECONDS_TO_NEXT_TRY
            return
        ended = time.monotonic()
        self._has_copy = True
        self._commits = 0
        self._not_before = ended + (ended - started) / _SHARE_OF_TIME
        self._due_at = ended + SECONDS_BETWEEN_COPIES


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise storage_error(str(path), error) from error
    except OSError as error:
        raise StorageError(
            f"The file {path} cannot be written: {error}.",
            "Check the folder's permissions and the free space.",
            is_temporary=True,
        ) from error


@contextmanager
def _removed_at_the_end(unfinished: Path) -> Iterator[None]:
    unfinished.unlink(missing_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
            beside(unfinished, "-journal").unlink(missing_ok=True)
