"""Dry tests of one experiment's plugins: prepared, carried out in a thread, remembered."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from axdesk.core.draft_cells import Problems, Section
from axdesk.core.dry_test import DryTest, PassedTest, dry_test_setup
from axdesk.core.errors import AxdeskError
from axdesk.core.parameters import TParameterization
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.dry_test_model import DryTestModel, settings_text

if TYPE_CHECKING:
    from axdesk.api.dry_test import DryTester

SHOW_MS = 100
"""Changes of a test are shown together at this interval."""
TICK_MS = 1000
PATIENCE_MS = 2000
"""The window waits this long for a test that is left behind when it is closed."""


class DryTestThread(QThread):
    """Carries out one dry test.

    Signals:
        progressed: The test as it stands; delivered in the GUI thread.
        ended: It is over; carries what was raised, or None. Always the last one.
    """

    progressed = Signal(object)
    ended = Signal(object)

    def __init__(self, tester: "DryTester", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("axdesk-dry-test")
        self.tester = tester

    def run(self) -> None:
        """Make the test."""
        error: Exception | None = None
        try:
            self.tester.run(self.progressed.emit)
        except Exception as raised:  # noqa: BLE001 - the top of the thread; handed on
            error = raised
        finally:
            self.ended.emit(error)


class DryTesting(QObject):
    """Makes the dry tests that the operator asks for, and knows which plugins passed one.

    Signals:
        confirmation_needed: Everything is ready; carries the set-up and the proposed values.
        problems_found: The set-up does not allow it yet; carries the `Problems`.
        going_changed: A test began or ended.
    """

    confirmation_needed = Signal(object, object)
    problems_found = Signal(object)
    going_changed = Signal()

    def __init__(
        self,
        experiment_id: int,
        draft_model: DraftModel,
        io: IoThread,
        plugin_io: IoThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.model = DryTestModel(self)
        self._experiment_id = experiment_id
        self._draft_model = draft_model
        self._io = io
        self._plugin_io = plugin_io
        self._thread: DryTestThread | None = None
        self._is_beginning = False
        self._is_closed = False
        self._error: Exception | None = None
        self._latest: DryTest | None = None
        self._looked_up: object = None
        self._show_soon = QTimer(self)
        self._show_soon.setSingleShot(True)
        self._show_soon.setInterval(SHOW_MS)
        self._show_soon.timeout.connect(self._show)
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.model.changed)
        draft_model.refreshed.connect(self.look_up)

    @property
    def is_going(self) -> bool:
        """Whether a test uses the instrument."""
        return self._is_beginning or self._thread is not None

    def refuse(self, reason: str) -> None:
        """Say why no test can be made now; empty if one can."""
        self.model.show(refusal=reason)

    def prepare(self) -> None:
        """Find the values of the trial, then have the operator confirm it."""
        if self.is_going or self.model.refusal:
            return
        checked = self._checked()
        if isinstance(checked, Problems):
            self.problems_found.emit(checked)
            return
        self._plugin_io.post(
            lambda workspace: workspace.dry_test_values(checked),
            lambda values: self.confirmation_needed.emit(checked, values),
            self._cannot_begin,
        )

    def start(self, setup: ExperimentSetup, values: TParameterization) -> None:
        """Make a test that the operator confirmed."""
        if self.is_going or self.model.refusal:
            return
        self._is_beginning = True
        self.model.show(error="", settings=settings_text(setup.search_space, dict(values)))
        self.going_changed.emit()
        # Behind what frees the instrument of the processes of an earlier run.
        self._plugin_io.post(
            lambda workspace: workspace.dry_test(setup, values), self._begin, self._cannot_begin
        )

    def stop(self) -> None:
        """End the test; once more, without waiting for anything."""
        if self._thread is not None:
            self._thread.tester.stop()

    def look_up(self) -> None:
        """Find out whether the plugins passed a test as they are, if that may have changed."""
        draft, catalogue = self._draft_model.draft, self._draft_model.catalogue
        if self._is_closed or catalogue is None or self._draft_model.is_reading_plugins:
            return
        chosen = tuple(row.get("metric", "") for row in draft.rows(Section.OBJECTIVES))
        general = draft.general
        folder = general.get("plugin_folder", ""), general.get("plugin_python", "")
        key = draft.runner.get("reference", ""), chosen, folder, catalogue
        if key == self._looked_up:
            return
        self._looked_up = key
        checked = self._checked()
        if isinstance(checked, Problems):
            self._take_passed(None)
        else:
            self._plugin_io.post(
                lambda workspace: workspace.passed_test(checked),
                self._take_passed,
                lambda _: self._take_passed(None),
            )

    def close(self) -> None:
        """End a test without waiting for the laboratory, and show nothing any more.

        Once more does nothing.
        """
        self._is_closed = True
        self._show_soon.stop()
        self._tick.stop()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.progressed.disconnect()
            thread.tester.stop()
            thread.tester.stop()
            thread.wait(PATIENCE_MS)

    # inside

    def _checked(self) -> ExperimentSetup | Problems:
        return dry_test_setup(self._draft_model.draft, self._draft_model.catalogue)

    def _take_passed(self, passed: PassedTest | None) -> None:
        self.model.show(passed=passed)

    def _cannot_begin(self, error: AxdeskError) -> None:
        self._is_beginning = False
        self.model.show(error=str(error))
        self.going_changed.emit()

    def _begin(self, tester: "DryTester") -> None:
        self._is_beginning = False
        if self._is_closed:
            return
        self._latest = tester.test
        self._thread = DryTestThread(tester, self)
        self._thread.progressed.connect(self._take)
        self._thread.ended.connect(self._note_end)
        self._thread.finished.connect(self._clear)
        self._show()
        self._tick.start()
        self._thread.start()

    def _take(self, test: DryTest) -> None:
        self._latest = test
        if not self._show_soon.isActive():
            self._show_soon.start()

    def _show(self) -> None:
        self.model.show(test=self._latest)

    def _note_end(self, error: object) -> None:
        self._error = error if isinstance(error, Exception) else None

    def _clear(self) -> None:
        thread, self._thread = self._thread, None
        self._tick.stop()
        if thread is None:
            return
        passed = thread.tester.passed
        thread.deleteLater()
        self._show_soon.stop()
        self._show()
        if passed is not None:
            experiment_id = self._experiment_id
            self._io.post(
                lambda workspace: workspace.save_passed_test(experiment_id, passed),
                lambda _: self._look_up_again(),
            )
        self.going_changed.emit()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _look_up_again(self) -> None:
        self._looked_up = None
        self.look_up()
