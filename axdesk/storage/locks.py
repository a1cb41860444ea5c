"""The right to drive an experiment: one controller at a time, in any process.

A lock of the operating system on a file beside the database, freed at once when its process dies,
however it dies. Who holds it stands in a second file, for a locked file cannot be read everywhere.
"""

import errno
import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from axdesk.core.errors import ExperimentBusyError, StorageError
from axdesk.storage.files import identity

# Whoever looks at a lock holds it for an instant; nobody must take that for a controller.
_SECONDS_TO_TAKE = 0.25
_SECONDS_TO_LOOK = 0.02
_POLL_SECONDS = 0.005

_log = logging.getLogger(__name__)


def this_controller() -> str:
    """Return how this process names itself as a controller: `"4711@LAB-PC2"`."""
    return f"{os.getpid()}@{socket.gethostname()}"


class ControlLocks:
    """The locks of one store on the experiments of its database.

    Args:
        folder: Where the lock files lie, made when needed; None for a database in memory, which
            nobody else can reach.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._mutex = threading.Lock()
        # None while the lock is being taken.
        self._held: dict[int, _Hold | None] = {}

    @contextmanager
    def held(self, experiment_id: int, name: str) -> Iterator[None]:
        """Hold an experiment.

        Args:
            experiment_id: Which.
            name: How messages call it.

        Raises:
            ExperimentBusyError: If it is held already, by whomever.
            StorageError: If the lock file cannot be made.
        """
        with self._mutex:
            if experiment_id in self._held:
                raise _busy(name, this_controller())
            self._held[experiment_id] = None
        try:
            hold = _Hold(self._folder, experiment_id, name)
            try:
                with self._mutex:
                    self._held[experiment_id] = hold
                yield
            finally:
                hold.release()
        finally:
            with self._mutex:
                del self._held[experiment_id]

    def confirm(self, experiment_id: int) -> None:
        """Make sure that an experiment that is held is kept from others; of another say nothing.

        A lock whose file was removed keeps nobody away. It is taken anew.

        Raises:
            ExperimentBusyError: If another process took the experiment meanwhile.
            StorageError: If the lock file cannot be made again.
        """
        with self._mutex:
            hold = self._held.get(experiment_id)
        if hold is not None:
            hold.confirm()

    def is_held(self, experiment_id: int) -> bool:
        """Return whether anybody drives an experiment now."""
        with self._mutex:
            if self._held.get(experiment_id) is not None:
                return True
        folder = self._folder
        if folder is None or not _controller_file(folder, experiment_id).exists():
            return False
        return _is_held(folder, experiment_id)

    def controllers(self) -> dict[int, str]:
        """Return who drives which experiment now."""
        with self._mutex:
            found = {number: this_controller() for number, hold in self._held.items() if hold}
        if self._folder is not None and self._folder.is_dir():
            for file in self._folder.glob("*.controller"):
                if not file.stem.isdecimal():
                    continue
                experiment_id = int(file.stem)
                if experiment_id not in found and _is_held(self._folder, experiment_id):
                    found[experiment_id] = _read(file)
        return found


class _Hold:
    """The lock of the operating system on one experiment, taken when made."""

    def __init__(self, folder: Path | None, experiment_id: int, name: str) -> None:
        self._folder = folder
        self._experiment_id = experiment_id
        self._name = name
        if folder is not None:
            self._lock = self._taken(folder)

    def confirm(self) -> None:
        """Take the lock anew if its file is no longer the one that was locked."""
        if self._folder is None or identity(Path(self._lock.lock_file)) == self._locked_file:
            return
        without_file, self._lock = self._lock, self._taken(self._folder)
        without_file.release()
        _log.warning(
            "The lock file of experiment %r was removed from %s while it was driven; it was made "
            "again.",
            self._name,
            self._folder,
        )

    def release(self) -> None:
        """Let others take the experiment."""
        if self._folder is not None:
            if identity(Path(self._lock.lock_file)) == self._locked_file:
                _remove(_controller_file(self._folder, self._experiment_id))
            self._lock.release()

    def _taken(self, folder: Path) -> FileLock:
        lock = _lock(folder, self._experiment_id)
        controller = _controller_file(folder, self._experiment_id)
        try:
            folder.mkdir(exist_ok=True)
            lock.acquire(timeout=_SECONDS_TO_TAKE, poll_interval=_POLL_SECONDS)
            controller.write_text(this_controller(), "utf-8")
            self._locked_file = identity(Path(lock.lock_file))
        except Timeout:
            raise _busy(self._name, _read(controller)) from None
        except OSError as error:
            lock.release()
            raise StorageError(
                f"The lock of experiment {self._name!r} cannot be taken in {folder}: {error}.",
                "Check that you may write in the database's folder.",
                is_temporary=True,
            ) from error
        return lock


def _is_held(folder: Path, experiment_id: int) -> bool:
    lock = _lock(folder, experiment_id)
    try:
        lock.acquire(timeout=_SECONDS_TO_LOOK, poll_interval=_POLL_SECONDS)
    except Timeout:
        return True
    except OSError as error:
        # Nobody drives an experiment where nobody can write; a file that is another user's may be
        # held.
        return error.errno != errno.EROFS
    # Left behind by a process that was killed.
    _remove(_controller_file(folder, experiment_id))
    lock.release()
    return False


def _lock(folder: Path, experiment_id: int) -> FileLock:
    # It may be released by another thread than the one that took it.
    return FileLock(folder / f"{experiment_id}.lock", thread_local=False)


def _controller_file(folder: Path, experiment_id: int) -> Path:
    return folder / f"{experiment_id}.controller"


def _remove(controller: Path) -> None:
    # Where somebody reads it right now, Windows refuses; it is removed when next looked at.
    with suppress(OSError):
        controller.unlink(missing_ok=True)


def _read(controller: Path) -> str:
    try:
        return controller.read_text("utf-8") or "another program"
    except OSError:
        return "another program"


def _busy(name: str, controller: str) -> ExperimentBusyError:
    if controller == this_controller():
        return ExperimentBusyError(
            f"Experiment {name!r} is being run by this program.",
            "Stop its run, or wait until it is done.",
        )
    return ExperimentBusyError(
        f"Experiment {name!r} is driven by {controller}.",
        "Stop it there, or wait until it is done.",
    )
