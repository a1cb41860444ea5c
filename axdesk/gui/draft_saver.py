"""Keeps what is typed into a set-up: saved shortly after each edit, and again where that failed."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer, Signal

from axdesk.core.errors import AxdeskError
from axdesk.core.events import StorageHealthChanged
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel

_LOG = logging.getLogger(__name__)

SAVE_DELAY_MS = 300
"""A draft is saved this long after the first change that is not stored yet."""
RETRY_DELAY_MS = 3000
"""A draft that could not be saved is saved again after this time."""


class DraftSaver(QObject):
    """Saves the draft of one experiment in the I/O thread.

    Attributes:
        outage: Since when and why edits could not be saved; None if all are.

    Signals:
        saved: The draft is stored; carries the time (UTC).
        outage_changed: Edits could not be saved, or can be again.
    """

    saved = Signal(object)
    outage_changed = Signal()

    def __init__(
        self, model: DraftModel, experiment_id: int, io: IoThread, parent: QObject | None = None
    ) -> None:
        """Follow the edits of `model`, which is the draft of the experiment with that number."""
        super().__init__(parent)
        self.outage: StorageHealthChanged | None = None
        self._model = model
        self._experiment_id = experiment_id
        self._io = io
        self._is_saved = True
        self._is_closed = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.flush)
        model.changed.connect(self._note_edit)

    def flush(self) -> None:
        """Save the draft now if a change is waiting."""
        if not self._is_saved:
            self.save()

    def save(
        self,
        done: Callable[[], object] | None = None,
        failed: Callable[[AxdeskError], object] | None = None,
    ) -> None:
        """Save the draft now.

        Args:
            done: Called once it is stored.
            failed: Receives why it was not; it is saved again later all the same.
        """
        self._soon.stop()
        self._is_saved = True
        draft, experiment_id = self._model.draft, self._experiment_id

        def succeed(_: None) -> None:
            self._note_saved()
            if done is not None:
                done()

        def fail(error: AxdeskError) -> None:
            self._note_not_saved(error)
            if failed is not None:
                failed(error)

        self._io.post(lambda w: w.save_draft(draft, experiment_id), succeed, fail)

    def close(self) -> None:
        """Save what is unsaved, for the last time."""
        self.flush()
        self._is_closed = True
        self._soon.stop()

    def _note_edit(self) -> None:
        # Typing without a pause must not put it off; a retry that is due later is brought forward.
        is_due = self._soon.isActive() and self._soon.remainingTime() <= SAVE_DELAY_MS
        self._is_saved = False
        if not is_due:
            self._soon.start(SAVE_DELAY_MS)

    def _note_saved(self) -> None:
        if self.outage is not None:
            self.outage = None
            self.outage_changed.emit()
        self.saved.emit(datetime.now(UTC))

    def _note_not_saved(self, error: AxdeskError) -> None:
        """Say so, and save again what the set-up says then."""
        self._is_saved = False
        if self._is_closed:
            _LOG.error("The last edits of the set-up were not saved: %s", error)
            return
        if self.outage is None:
            self.outage = StorageHealthChanged(error.message, datetime.now(UTC))
            self.outage_changed.emit()
        self._soon.start(RETRY_DELAY_MS)
