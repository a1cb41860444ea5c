"""What the last pre-flight found, and which set-up it was about."""

from datetime import datetime

from PySide6.QtCore import QObject, Signal

from axdesk.core.drafts import Draft
from axdesk.core.plugins import PluginCatalogue
from axdesk.core.preflight import CheckLine, Preflight, Verdict
from axdesk.gui.models.draft_model import DraftModel


class PreflightModel(QObject):
    """Keeps the last report; views show it as long as it is about the set-up as it is.

    Attributes:
        is_checking: Whether a pre-flight goes on.
        checked_at: UTC, when the last one ended; None before the first.
        failure: Why the last one could not be made; empty if it was.

    Signals:
        changed: Any of it changed.
    """

    changed = Signal()

    def __init__(self, draft_model: DraftModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.is_checking = False
        self.checked_at: datetime | None = None
        self.failure = ""
        self._draft_model = draft_model
        self._report: Preflight | None = None
        self._about: tuple[Draft, PluginCatalogue | None] | None = None

    @property
    def report(self) -> Preflight | None:
        """What was found of the set-up as it is now; None if that was not checked."""
        is_current = self._about is not None and self._about == self._now
        return self._report if is_current else None

    @property
    def is_due(self) -> bool:
        """Whether the set-up, or the plugins, changed since the last pre-flight."""
        return self._about != self._now

    @property
    def _now(self) -> tuple[Draft, PluginCatalogue | None]:
        return self._draft_model.draft, self._draft_model.catalogue

    @property
    def warnings(self) -> tuple[CheckLine, ...]:
        """The warnings about the set-up as it is."""
        return () if self.report is None else self.report.of(Verdict.WARNING)

    def begin(self) -> None:
        """Note that a pre-flight of the set-up as it is goes on."""
        self._about, self._report, self.is_checking = self._now, None, True
        self.changed.emit()

    def end(self, report: Preflight | None, at: datetime, failure: str = "") -> None:
        """Keep what it found, or why it could not be made."""
        self._report, self.checked_at, self.failure = report, at, failure
        self.is_checking = False
        self.changed.emit()
