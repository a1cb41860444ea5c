"""The threads that do what may take a while: one for the database, one for the plugins."""

import logging
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from PySide6.QtCore import QObject, QThread, Signal

from axdesk.core.errors import AxdeskError

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace

_LOG = logging.getLogger(__name__)

T = TypeVar("T")


class _Job:
    """One piece of work, and who wants its result."""

    def __init__(
        self,
        work: "Callable[[Callable[[], Workspace]], Any]",
        done: Callable[[Any], object] | None,
        failed: Callable[[AxdeskError], object] | None,
    ) -> None:
        self.work = work
        self.done = done
        self.failed = failed
        self.result: Any = None
        self.error: Exception | None = None

    def carry_out(self, opened: "Callable[[], Workspace]") -> None:
        try:
            self.result = self.work(opened)
        except Exception as error:  # noqa: BLE001 - the top of the thread; handed to the GUI thread
            self.error = error


class IoThread(QThread):
    """Carries out work with the workspace, one piece after the other.

    `post` is called in the GUI thread; the results come back there. Plugin files may take long to
    load, or hang; what needs them has a thread of its own, so that saving never waits for them.

    Signals:
        failed: An `AxdeskError` of work whose caller did not ask for errors.
    """

    failed = Signal(object)
    _carried_out = Signal(object)

    def __init__(
        self, open_workspace: "Callable[[], Workspace] | IoThread", parent: QObject | None = None
    ) -> None:
        """Make the thread.

        Args:
            open_workspace: Called once, in the thread; what it imports costs the window nothing.
                Given another thread, it works with the workspace that is open there.
            parent: Qt's owner.
        """
        super().__init__(parent)
        is_owner = not isinstance(open_workspace, IoThread)
        self.setObjectName("axdesk-io" if is_owner else "axdesk-plugins")
        self._open_workspace = open_workspace
        self._workspace: Workspace | None = None
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._is_ending = False
        self._lock = threading.Lock()
        self._carried_out.connect(self._deliver)

    def post(
        self,
        work: "Callable[[Workspace], T]",
        done: Callable[[T], object] | None = None,
        failed: Callable[[AxdeskError], object] | None = None,
    ) -> None:
        """Have `work` carried out.

        Args:
            work: Receives the workspace, in this thread.
            done: Receives the result, in the GUI thread.
            failed: Receives an `AxdeskError`, in the GUI thread; else the signal `failed` tells it.
                Any other exception is raised in the GUI thread, where the excepthook reports it.
        """
        if not self._is_ending:
            self._queue.put(_Job(lambda opened: work(opened()), done, failed))

    def post_without(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[AxdeskError], object] | None = None,
    ) -> None:
        """Have `work` carried out that needs no workspace; see `post`."""
        if not self._is_ending:
            self._queue.put(_Job(lambda _: work(), done, failed))

    def exchange(
        self,
        work: Callable[[], Path],
        open_at: "Callable[[Path], Workspace]",
        done: Callable[[Path], object],
        failed: Callable[[AxdeskError], object],
    ) -> None:
        """Have `work` carried out while the workspace is closed; the next need opens one again.

        Args:
            work: Returns where the database is afterwards; where it fails, that is where it was.
            open_at: Opens the workspace there.
            done: Receives what `work` returns, in the GUI thread.
            failed: Receives an `AxdeskError`, in the GUI thread.
        """

        def closed(_: "Callable[[], Workspace]") -> Path:
            with self._lock:
                workspace, self._workspace = self._workspace, None
                if workspace is not None:
                    workspace.close()
                path = work()
                self._open_workspace = lambda: open_at(path)
                return path

        if not self._is_ending:
            self._queue.put(_Job(closed, done, failed))

    def open_another(self, open_workspace: "Callable[[], Workspace]") -> None:
        """Use another workspace, given that none could be opened so far."""
        with self._lock:
            if self._workspace is None:
                self._open_workspace = open_workspace

    def end(self) -> None:
        """Take no further work; the thread finishes once everything posted is carried out."""
        if not self._is_ending:
            self._is_ending = True
            self._queue.put(None)

    def run(self) -> None:
        """Work until the end is asked for."""
        while (job := self._queue.get()) is not None:
            job.carry_out(self.workspace)
            self._carried_out.emit(job)
        if self._workspace is not None:
            self._workspace.close()

    def workspace(self) -> "Workspace":
        """Return the workspace, which any thread may use; opens it first, which may take a while.

        Raises:
            StorageError: If the database cannot be used.
        """
        if isinstance(self._open_workspace, IoThread):
            return self._open_workspace.workspace()
        with self._lock:
            if self._workspace is None:
                self._workspace = self._open_workspace()
            return self._workspace

    def _deliver(self, job: _Job) -> None:
        if job.error is None:
            if job.done is not None:
                job.done(job.result)
        elif not isinstance(job.error, AxdeskError):
            raise job.error
        elif job.failed is not None:
            job.failed(job.error)
        else:
            _LOG.warning("%s", job.error)
            self.failed.emit(job.error)
