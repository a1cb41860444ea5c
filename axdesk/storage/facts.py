"""How large a database is, what it holds, and what is kept of it."""

from dataclasses import dataclass
from pathlib import Path

from axdesk.storage.backups import Backup, kept_databases, list_backups
from axdesk.storage.files import FILES, beside, folder_size


@dataclass(frozen=True)
class DatabaseFacts:
    """What is known of a database.

    Attributes:
        path: Its file.
        size: Bytes of the file.
        journal_size: Bytes of what was written lately and is not in the file yet (WAL).
        free_size: Bytes of the file that are of no use, which compacting gives back.
        files_size: Bytes of the files attached to trials; None if there are none.
        experiments: Their number, drafts included.
        trials: Their number.
        backups: Its copies, the newest last, with the databases kept by earlier restores.
    """

    path: Path
    size: int
    journal_size: int
    free_size: int
    files_size: int | None
    experiments: int
    trials: int
    backups: tuple[Backup, ...]

    @property
    def last_backup(self) -> Backup | None:
        """The newest copy; None if there is none."""
        made = [backup for backup in self.backups if not backup.is_former]
        return made[-1] if made else None


def facts_of(path: Path, experiments: int, trials: int, free_size: int) -> DatabaseFacts:
    """Return what is known of a database, of which it is known what it holds."""
    backups = sorted((*list_backups(path), *kept_databases(path)), key=lambda b: b.made_at)
    for backup in backups:
        _ = backup.contents  # looked at here, where it may take a while
    return DatabaseFacts(
        path,
        _size(path),
        _size(beside(path, "-wal")),
        free_size,
        folder_size(beside(path, FILES)),
        experiments,
        trials,
        tuple(backups),
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
