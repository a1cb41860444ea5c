"""Which cells of a set-up can be edited in which state of the run."""

import pytest

from axdesk.core.draft_cells import FIELDS, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.run import RunState
from axdesk.core.setup_lock import SetupLock

RANGE: Row = {"name": "T", "kind": "decimal", "low": "0", "high": "1"}
CHOICE: Row = {"name": "S", "kind": "choice", "choices": "a; b"}


def open_fields(state: RunState, section: Section, row: Row = RANGE) -> set[str]:
    lock = SetupLock(state)
    return {field for field in FIELDS[section] if not lock.reason(section, field, row)}


@pytest.mark.parametrize("section", Section)
@pytest.mark.parametrize("state", [RunState.DRAFT, RunState.READY])
def test_before_the_first_trial_everything_is_open(state: RunState, section: Section) -> None:
    assert open_fields(state, section) == set(FIELDS[section])
    assert not SetupLock(state).rows_reason(section)


@pytest.mark.parametrize("section", Section)
@pytest.mark.parametrize(
    "lock",
    [
        SetupLock(RunState.STARTING),
        SetupLock(RunState.INTERRUPTED),
        SetupLock(RunState.READY, "4711@LAB"),
    ],
)
def test_what_is_not_ours_to_change_is_closed(lock: SetupLock, section: Section) -> None:
    assert all(lock.reason(section, field, RANGE) for field in FIELDS[section])
    assert lock.rows_reason(section)


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.PAUSING, RunState.STOPPING])
def test_a_run_that_goes_on_takes_its_budget(state: RunState) -> None:
    assert open_fields(state, Section.RUN) == {
        "max_trials", "parallelism", "tolerated_failure_percent", "seconds_between_polls",
    }  # fmt: skip
    for section in (Section.PARAMETERS, Section.OBJECTIVES, Section.CONSTRAINTS, Section.RUNNER):
        assert not open_fields(state, section)
        assert SetupLock(state).rows_reason(section)


@pytest.mark.parametrize(
    "state",
    [
        RunState.PAUSED,
        RunState.NEEDS_ATTENTION,
        RunState.STOPPED,
        RunState.COMPLETED,
        RunState.FAILED,
    ],
)
def test_a_paused_or_ended_run_takes_bounds_constraints_and_objective(state: RunState) -> None:
    assert open_fields(state, Section.PARAMETERS) == {
        "unit", "low", "high", "step", "start", "description",
    }  # fmt: skip
    assert open_fields(state, Section.PARAMETERS, CHOICE) == {"unit", "description"}
    assert open_fields(state, Section.OBJECTIVES) >= {"goal", "target", "weight", "limit"}
    assert "name" not in open_fields(state, Section.OBJECTIVES)
    assert open_fields(state, Section.CONSTRAINTS) == {"expression"}
    lock = SetupLock(state)
    assert not lock.rows_reason(Section.CONSTRAINTS)
    assert lock.rows_reason(Section.PARAMETERS)
    assert lock.reason(Section.GENERAL, "name", {})
    assert not lock.reason(Section.GENERAL, "owner", {})


def test_a_draft_is_judged_by_each_cell_that_differs() -> None:
    lock = SetupLock(RunState.PAUSED)
    before = Draft(parameters=(RANGE, CHOICE))
    assert not lock.objection(before, before.with_cell(Section.PARAMETERS, 0, "high", "2"))
    renamed = before.with_cell(Section.PARAMETERS, 0, "name", "Heat")
    assert "Duplicate" in lock.objection(before, renamed)
    assert lock.objection(before, Draft(parameters=(CHOICE, RANGE)))
    assert lock.objection(before, Draft(parameters=(RANGE,)))
    assert not lock.objection(before, before.with_rows(Section.CONSTRAINTS, [{"expression": "x"}]))
