"""What people did to the trial that is looked at, read by the I/O thread."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from axdesk.core.errors import AxdeskError
from axdesk.core.protocols import AuditEntry
from axdesk.core.trial import Trial
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace


class TrialHistory(QObject):
    """Reads the history of one trial, and again whenever that changed.

    Signals:
        read: The history of the trial that was asked for last is known.
    """

    read = Signal()

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self._workbench = workbench
        self._asked: tuple[int, Trial] | None = None
        self._entries: tuple[AuditEntry, ...] = ()

    def of(self, experiment_id: int, trial: Trial) -> tuple[AuditEntry, ...]:
        """Return what is known; that of another trial, or a changed one, is told by `read`."""
        if self._asked == (experiment_id, trial):
            return self._entries
        is_same = self._asked is not None and (
            (experiment_id, trial.index) == (self._asked[0], self._asked[1].index)
        )
        self._asked = asked = (experiment_id, trial)
        self._entries = self._entries if is_same else ()

        def take(entries: tuple[AuditEntry, ...]) -> None:
            if self._asked == asked:
                self._entries = entries
                self.read.emit()

        def read_it(workspace: "Workspace") -> tuple[AuditEntry, ...]:
            return workspace.history(experiment_id, trial.index)

        self._workbench.io.post(read_it, take, self._forget)
        return self._entries

    def _forget(self, _: AxdeskError) -> None:
        """Ask again the next time: the database takes nothing at the moment, which is told."""
        self._asked = None
