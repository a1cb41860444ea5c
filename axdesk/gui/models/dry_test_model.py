"""What the window knows of the dry test of one experiment's plugins."""

from datetime import datetime

from PySide6.QtCore import QObject, Signal

from axdesk.core.dry_test import DryOutcome, DryTest, PassedTest, StepKind
from axdesk.core.parameters import TParameterValue
from axdesk.core.search_space import SearchSpace
from axdesk.gui.models.formatting import (
    clock,
    duration,
    parameter_decimals,
    parameter_value,
    with_unit,
)

TITLES = {
    StepKind.START: "Load",
    StepKind.DEPLOY: "Deploy",
    StepKind.POLL: "Poll",
    StepKind.FETCH: "Fetch",
    StepKind.STOP: "Stop",
}


class DryTestModel(QObject):
    """The last dry test of this sitting, and what is remembered of earlier ones.

    Signals:
        changed: Any of it differs, or a second of a test that goes on has passed.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.test: DryTest | None = None
        self.passed: PassedTest | None = None
        self.settings = ""
        self.refusal = ""
        self.error = ""

    @property
    def is_going(self) -> bool:
        """Whether a test goes on."""
        return self.test is not None and self.test.outcome is None

    def show(self, **changes: object) -> None:
        """Take over what differs.

        Args:
            changes: `test`, `passed` (None if these versions of the plugins passed none),
                `settings` (with which the test is made), `refusal` (why none can be made now) or
                `error` (why the last one could not begin).
        """
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.changed.emit()

    def state_text(self, now: datetime) -> tuple[str, str]:
        """Say where the test stands, and the tone in which that is written."""
        test = self.test
        if test is not None and test.outcome is None:
            doing = "stopping, " if test.is_stopping else ""
            return f"{doing}{duration((now - test.started_at).total_seconds())}", "live"
        if self.passed is not None and (test is None or test.outcome is DryOutcome.PASSED):
            return f"passed {_moment(self.passed.at, now)}", "text2"
        if test is not None and test.ended_at is not None:
            tone = "bad" if test.outcome is DryOutcome.FAILED else "text2"
            return f"{test.outcome} {_moment(test.ended_at, now)}", tone
        return "not tested with this plugin version", "text2"


def _moment(moment: datetime, now: datetime) -> str:
    text = clock(moment, now)
    return f"today at {text}" if len(text) == 5 else f"on {text}"


def settings_text(space: SearchSpace, values: dict[str, TParameterValue]) -> str:
    """Write the settings of a trial: `Temperature 80 °C, Solvent DMF`."""
    shown = []
    for parameter in space.parameters:
        if parameter.name in values:
            decimals = parameter_decimals(parameter)
            text = parameter_value(values[parameter.name], decimals)
            shown.append(f"{parameter.name} {with_unit(text, parameter.unit)}")
    return ", ".join(shown)
