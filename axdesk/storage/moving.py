"""Moving a database with all that lies beside it to another folder, on this disk or another."""

import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path

from axdesk.core.errors import ExperimentBusyError, NotFoundError, StorageError, UserInputError
from axdesk.storage.backups import copy_database
from axdesk.storage.failures import storage_error
from axdesk.storage.files import COMPANIONS, JOURNALS, beside, folder_size
from axdesk.storage.locks import ControlLocks

_SPARE = 10_000_000
"""Bytes that shall be free after a move."""
_INSTANT = 0.3


class Move:
    """One move of a database, which nobody has open: copied, then finished or undone.

    Attributes:
        source: The database's file.
        target: The same in the other folder.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        """Prepare a move; nothing is done yet.

        Raises:
            NotFoundError: If there is no such database, or no such folder.
            UserInputError: If the folder has a database of that name, or is where it lies.
            ExperimentBusyError: If somebody drives an experiment, or has the database open.
            StorageError: If there is not enough room.
        """
        self.source = source
        self.target = folder / source.name
        if not source.is_file():
            raise NotFoundError(f"There is no database {source}.", "Check the path.")
        if not folder.is_dir():
            raise NotFoundError(f"There is no folder {folder}.", "Make it, or choose another one.")
        if folder.resolve() == source.parent.resolve():
            raise UserInputError(
                f"The database lies in {folder} already.", "Choose another folder."
            )
        for ending in ("", *COMPANIONS):
            if beside(self.target, ending).exists():
                raise UserInputError(
                    f"{beside(self.target, ending)} exists already.", "Choose another folder."
                )
        self._refuse_in_use()
        self._refuse_without_room(folder)

    def copy(self) -> None:
        """Copy all to the other folder; where that fails, nothing of it stays there.

        Raises:
            StorageError: If it cannot be read or written, or is damaged.
        """
        try:
            with (
                closing(sqlite3.connect(self.source, isolation_level=None)) as lock,
                closing(sqlite3.connect(self.source, isolation_level=None)) as connection,
            ):
                # Nobody writes from here on. One that writes cannot be copied from, hence two.
                lock.execute("BEGIN IMMEDIATE")
                copy_database(connection, self.target)
                lock.execute("ROLLBACK")
            for ending in COMPANIONS:
                if beside(self.source, ending).is_dir():
                    shutil.copytree(beside(self.source, ending), beside(self.target, ending))
        except sqlite3.Error as error:
            self.undo()
            raise storage_error(str(self.source), error) from error
        except OSError as error:
            self.undo()
            raise StorageError(
                f"The database cannot be copied to {self.target.parent}: {error}.",
                "Check the folder's permissions and the free space; nothing was changed.",
                is_temporary=True,
            ) from error
        except BaseException:
            self.undo()
            raise

    def undo(self) -> None:
        """Remove what was copied."""
        with suppress(OSError):
            self.target.unlink(missing_ok=True)
        for ending in COMPANIONS:
            shutil.rmtree(beside(self.target, ending), ignore_errors=True)

    def finish(self) -> None:
        """Remove the former files.

        Raises:
            ExperimentBusyError: If another program has the database open now; it stays there then.
        """
        try:
            self.source.unlink()
        except OSError as error:
            raise ExperimentBusyError(
                f"The database {self.source} cannot be taken from its folder: {error}.",
                "Close what else has it open, check the folder's permissions, and try again.",
            ) from error
        for ending in (*JOURNALS, "-shm"):
            with suppress(OSError):
                beside(self.source, ending).unlink(missing_ok=True)
        for ending in (*COMPANIONS, ".locks"):
            shutil.rmtree(beside(self.source, ending), ignore_errors=True)

    def _refuse_in_use(self) -> None:
        for controller in ControlLocks(beside(self.source, ".locks")).controllers().values():
            raise ExperimentBusyError(
                f"An experiment of the database {self.source} is driven by {controller}.",
                "Stop it there, or wait until it is done, and move the database then.",
            )
        others = processes_with(self.source)
        if others:
            # A child that is just being started has our files, too, for an instant.
            time.sleep(_INSTANT)
            others = processes_with(self.source)
        if others:
            named = ", ".join(map(str, others))
            raise ExperimentBusyError(
                f"The database {self.source} is open in another program: process {named}.",
                "Close it there, and move the database then.",
            )

    def _refuse_without_room(self, folder: Path) -> None:
        needed = self.source.stat().st_size + _SPARE
        needed += sum(folder_size(beside(self.source, ending)) or 0 for ending in COMPANIONS)
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise StorageError(
                f"{folder} has {free / 1e6:.0f} MB free, the database takes {needed / 1e6:.0f} MB.",
                "Free some space there, or choose another folder.",
                is_temporary=True,
            )


def processes_with(path: Path) -> tuple[int, ...]:
    """Return which other processes have a file open, as far as the system tells.

    Windows needs no such question: it lets nobody remove a file that is open.
    """
    if Path("/proc/self/fd").is_dir():
        wanted = path.stat()
        found = set()
        for opened in Path("/proc").glob("[0-9]*/fd/*"):
            with suppress(OSError):  # ended meanwhile, or of another user
                if os.path.samestat(opened.stat(), wanted):
                    found.add(int(opened.parts[2]))
    elif lister := shutil.which("lsof"):
        command = [lister, "-t", str(path)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        found = {int(line) for line in told.stdout.split()}
    else:
        return ()
    return tuple(sorted(found - {os.getpid()}))
