"""Pre-flights of one experiment, made in the plugins' thread."""

from datetime import UTC, datetime

from PySide6.QtCore import QObject

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.errors import AxdeskError
from axdesk.core.preflight import Preflight, Verdict
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.preflight_model import PreflightModel


class PreflightCheck(QObject):
    """Checks the set-up when it is asked for; the last thing asked for is what is answered.

    Attributes:
        model: What was found.
    """

    def __init__(
        self,
        experiment_id: int,
        draft_model: DraftModel,
        plugin_io: IoThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = PreflightModel(draft_model, self)
        self._experiment_id = experiment_id
        self._draft_model = draft_model
        self._plugin_io = plugin_io
        self._is_wanted_again = False
        self._is_closed = False

    def check(self) -> None:
        """Check the set-up as it is; once more afterwards if one goes on."""
        if self.model.is_checking:
            self._is_wanted_again = True
            return
        draft, experiment_id = self._draft_model.draft, self._experiment_id
        self.model.begin()
        self._plugin_io.post(lambda w: w.preflight(draft, experiment_id), self._take, self._fail)

    def close(self) -> None:
        """Tell nothing any more."""
        self._is_closed = True

    def _take(self, report: Preflight) -> None:
        if self._is_closed:
            return
        if not self.model.is_due:
            found = [
                line.place or Problem(Section.GENERAL, None, "", line.message)
                for line in report.of(Verdict.PROBLEM)
            ]
            self._draft_model.take_found(found)
        self._end(report)

    def _fail(self, error: AxdeskError) -> None:
        if not self._is_closed:
            self._end(None, str(error))

    def _end(self, report: Preflight | None, failure: str = "") -> None:
        self.model.end(report, datetime.now(UTC), failure)
        if self._is_wanted_again:
            self._is_wanted_again = False
            self.check()
