"""Which cells of a set-up can be edited in which state of the run, and why others cannot."""

from dataclasses import dataclass

from axdesk.core.draft_cells import ParameterKind, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.run import RunState

_FREE = (RunState.DRAFT, RunState.READY)
_GOING = (RunState.RUNNING, RunState.PAUSING, RunState.STOPPING)
_PAUSED = (RunState.PAUSED, RunState.NEEDS_ATTENTION)
_ENDED = (RunState.STOPPED, RunState.COMPLETED, RunState.FAILED)

_RUNNING_FIELDS = (
    "max_trials",
    "parallelism",
    "tolerated_failure_percent",
    "seconds_between_polls",
)
"""What a run takes while it launches trials."""
_GENERATION_FIELDS = (
    "method",
    "initial_trials",
    "start_at_center",
    "seed",
    "min_observed_trials",
    "count_existing_trials",
)
_LABELS = ("description", "owner")
_RANGE_FIELDS = ("unit", "low", "high", "step", "start", "description")
_RESPONSE_FIELDS = ("unit", "goal", "target", "weight", "sum", "limit_kind", "limit")

_LATER = "Pause the run to change this."
_STOP_FIRST = "Stop the run to change this."
_KEPT = "Trials were made with it. Duplicate the experiment to change it."


@dataclass(frozen=True, slots=True)
class SetupLock:
    """What can be edited.

    Attributes:
        state: Where the experiment stands.
        controller: The other process that drives it; empty for none.
    """

    state: RunState = RunState.DRAFT
    controller: str = ""

    @property
    def total_reason(self) -> str:
        """Why nothing at all can be edited; empty if something can."""
        if self.controller:
            return f"Another process drives this experiment: {self.controller}."
        if self.state is RunState.STARTING:
            return "The run is starting."
        if self.state is RunState.INTERRUPTED:
            return "Decide first what became of the trials that were running."
        return ""

    def reason(self, section: Section, field: str, row: Row) -> str:
        """Return why a cell cannot be edited; empty if it can.

        Args:
            section: Where it is.
            field: Its field.
            row: The row as it stands, since what a field means depends on the row's type.
        """
        if self.total_reason or self.state in _FREE:
            return self.total_reason
        if section is Section.RUN:
            return self._run_reason(field)
        if section is Section.GENERAL:
            if field in _LABELS:
                return ""
            return _KEPT if field == "name" else self._plugin_reason()
        if section is Section.RUNNER or field == "metric" or field.startswith("option."):
            return self._plugin_reason()
        if self.state in _GOING:
            return _LATER
        match section:
            case Section.PARAMETERS:
                kinds = (ParameterKind.DECIMAL, ParameterKind.WHOLE)
                is_range = row.get("kind", ParameterKind.DECIMAL) in kinds
                is_open = field in _RANGE_FIELDS if is_range else field in ("unit", "description")
            case Section.OBJECTIVES:
                is_open = field in _RESPONSE_FIELDS
            case _:
                is_open = True
        return "" if is_open else _KEPT

    def rows_reason(self, section: Section) -> str:
        """Return why rows cannot be added, removed or moved; empty if they can."""
        if self.total_reason or self.state in _FREE:
            return self.total_reason
        if self.state in _GOING:
            return _LATER
        return "" if section is Section.CONSTRAINTS else _KEPT

    def objection(self, before: Draft, after: Draft) -> str:
        """Return why one draft may not become the other; empty if it may."""
        for section in Section:
            old, new = before.rows(section), after.rows(section)
            if old == new:
                continue
            if len(old) != len(new):
                if reason := self.rows_reason(section):
                    return reason
                continue
            for one, other in zip(old, new, strict=True):
                for field in sorted(one.keys() | other.keys()):
                    if one.get(field, "") != other.get(field, "") and (
                        reason := self.reason(section, field, one)
                    ):
                        return reason
        return ""

    def _run_reason(self, field: str) -> str:
        if field in _RUNNING_FIELDS or self.state in _ENDED:
            return ""
        if field in _GENERATION_FIELDS:
            return _STOP_FIRST
        return "" if self.state in _PAUSED else _LATER

    def _plugin_reason(self) -> str:
        return "" if self.state in _ENDED else _STOP_FIRST
