"""Keeps what the set-up knows of its constraints up to date: the share they leave, and clashes."""

import logging
from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QObject, QTimer

from axdesk.core.draft_cells import Problem, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError
from axdesk.core.feasible_share import FeasibleShare
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace

_LOG = logging.getLogger(__name__)

DELAY_MS = 250
"""The share is worked out this long after the last change."""


class _Answer(NamedTuple):
    share: FeasibleShare | None
    clashes: tuple[Problem, ...]


class FeasibilityWatch(QObject):
    """Has the share of the space that the constraints leave worked out in the I/O thread.

    One question is under way at most; an answer that another edit overtook is dropped. Without a
    constraint nothing is asked.
    """

    def __init__(self, model: DraftModel, io: IoThread, parent: QObject | None = None) -> None:
        """Follow the edits of `model`."""
        super().__init__(parent)
        self._model = model
        self._io = io
        self._rows: tuple[tuple[Row, ...], tuple[Row, ...]] | None = None
        self._is_asking = False
        self._is_closed = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(DELAY_MS)
        self._soon.timeout.connect(self._ask)
        model.refreshed.connect(self._follow)
        self._follow()

    def close(self) -> None:
        """Ask no more."""
        self._is_closed = True
        self._soon.stop()

    def _follow(self) -> None:
        rows = (self._model.rows(Section.PARAMETERS), self._model.rows(Section.CONSTRAINTS))
        if rows == self._rows or self._is_closed:
            return
        self._rows = rows
        self._soon.stop()
        self._model.set_feasible(None, ())
        if rows[1]:
            self._soon.start()

    def _ask(self) -> None:
        if self._is_asking:
            return  # the answer under way is dropped, and asks again
        self._is_asking = True
        rows, draft = self._rows, self._model.draft

        def take(answer: _Answer) -> None:
            self._is_asking = False
            if self._is_closed:
                return
            if rows == self._rows:
                self._model.set_feasible(*answer)
            elif not self._soon.isActive() and self._model.rows(Section.CONSTRAINTS):
                self._ask()

        def fail(error: AxdeskError) -> None:
            _LOG.warning("The share that the constraints leave is not known: %s", error)
            take(_Answer(None, ()))

        self._io.post(lambda workspace: _answered(workspace, draft), take, fail)


def _answered(workspace: "Workspace", draft: Draft) -> _Answer:
    return _Answer(workspace.feasible_share(draft), workspace.clashing_rows(draft))
