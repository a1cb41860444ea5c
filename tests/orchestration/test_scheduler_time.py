"""Durations are durations, whatever the clock on the wall says."""

import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from axdesk.core.commands import Leave, Pause, Resume
from axdesk.core.errors import FailureRateExceededError
from axdesk.core.events import Event
from axdesk.core.run import CallDeadlines, RunState
from axdesk.core.trial import TrialStatus
from tests.fakes import Script
from tests.orchestration.bench import Bench, settings

START = datetime(2026, 1, 1, tzinfo=UTC)
END_OF_SUMMER_TIME = datetime(2026, 10, 25, 0, 59, 30, tzinfo=UTC)
END_OF_32_BITS = datetime(2038, 1, 19, 3, 14, 0, tzinfo=UTC)


def step(seconds: float, *hours: float) -> datetime:
    """The wall clock is set by each of these hours, one after the other, each ten seconds."""
    passed = hours[: int(seconds // 10)]
    return START + timedelta(seconds=seconds, hours=sum(passed))


WALLS: dict[str, Callable[[float], datetime]] = {
    "an hour ahead": lambda s: step(s, 1),
    "an hour back": lambda s: step(s, -1),
    "to and fro": lambda s: step(s, 1, -2, 3, -4),
    "end of summer time": lambda s: END_OF_SUMMER_TIME + timedelta(seconds=s),
    "2038": lambda s: END_OF_32_BITS + timedelta(seconds=s),
    "frozen": lambda s: START,
    "backwards": lambda s: START - timedelta(seconds=s),
}


def without_wall_times(value: Any) -> Any:
    if isinstance(value, datetime):
        return "a time"
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, {
            f.name: without_wall_times(getattr(value, f.name)) for f in fields(value)
        }
    if isinstance(value, tuple | list):
        return [without_wall_times(item) for item in value]
    return value


def eventful(wall: Callable[[float], datetime] | None) -> list[Event]:
    """A run with hanging, failing and stopped calls, limits, a pause and two sittings."""
    bench = Bench(
        {
            0: Script(seconds=8.0, poll_errors=2),
            1: Script(seconds=99.0),
            2: Script(seconds=5.0, hangs={"y": 1}),
            3: Script(run_seconds=12.0, seconds=3.0),
            4: Script(not_entered={"run": 1}),
        }
    )
    bench.calls.can_give_up = True
    bench.calls.can_stop = True
    if wall is not None:
        bench.clock.wall = wall
    bench.outage(13.0, 17.0)
    bench.submit_at(21.0, Pause())
    bench.submit_at(24.0, Resume())
    bench.submit_at(40.0, Leave())
    wanted = settings(
        6,
        2,
        tolerance=0.9,
        spacing=1.0,
        trial_time_limit=20.0,
        run_time_limit=300.0,
        call_deadlines=CallDeadlines(9.0, 8.0, 7.0, 6.0),
        max_seconds_between_polls=5.0,
    )
    bench.run(wanted)
    events = list(bench.events)
    assert bench.run().state is RunState.COMPLETED
    return events + bench.events


@pytest.mark.parametrize("name", WALLS)
def test_whatever_the_wall_clock_does_the_same_things_happen(name: str) -> None:
    usual = [without_wall_times(event) for event in eventful(None)]
    assert [without_wall_times(event) for event in eventful(WALLS[name])] == usual
    assert len(usual) > 40


def test_a_suspend_counts_towards_every_limit() -> None:
    bench = Bench({i: Script(seconds=9000.0) for i in range(2)})
    bench.calls.can_stop = True

    def wake_up() -> None:
        bench.clock.seconds += 3600.0  # the monotonic clock goes on while the computer sleeps

    bench.clock.at(5.0, wake_up)
    run = bench.run(settings(2, tolerance=0.9, trial_time_limit=600.0, run_time_limit=1000.0))
    assert run.reason == "the time limit of 1000 s was reached"
    assert bench.statuses == ["failed"]
    assert bench.trial(0).elapsed_seconds > 3600.0


def test_the_time_limit_of_a_run_counts_over_sittings() -> None:
    bench = Bench({i: Script(seconds=40.0) for i in range(9)})
    bench.submit_at(30.0, Leave())
    bench.run(settings(9, run_time_limit=100.0))
    bench.clock.seconds = 5000.0
    run = bench.run()
    assert (run.state, run.reason) == (RunState.STOPPED, "the time limit of 100 s was reached")
    assert bench.calls.deployed == [0, 1, 2]
    assert 100.0 <= run.elapsed_seconds <= 120.0


def test_the_time_limit_of_a_trial_counts_over_sittings_and_not_the_time_between() -> None:
    bench = Bench({0: Script(seconds=99_999.0)})
    bench.submit_at(30.0, Leave())
    bench.run(settings(1, tolerance=0.9, trial_time_limit=100.0))
    bench.clock.seconds = 5000.0
    with pytest.raises(FailureRateExceededError):
        bench.run()
    assert bench.clock.seconds == 5070.0
    assert bench.trial(0).status is TrialStatus.FAILED
    assert bench.trial(0).elapsed_seconds == 100.0


@pytest.mark.parametrize("sitting", [4.0, 9.5, 24.0, 59.0])
def test_what_counts_towards_limits_survives_a_program_that_is_killed_again_and_again(
    sitting: float,
) -> None:
    bench = Bench({0: Script(seconds=1e9)})
    bench.interrupted(settings(1, trial_time_limit=100.0, run_time_limit=900.0))
    sittings = math.ceil(100.0 / sitting) - 1
    for _ in range(sittings):
        bench.killed_at(bench.clock.seconds + sitting)
        bench.clock.seconds += 5000.0
    lived = sittings * sitting
    least = lived - max(sittings, lived / 10)
    assert least <= bench.trial(0).elapsed_seconds <= lived
    assert least <= bench.experiment.runs[-1].elapsed_seconds <= lived
    assert bench.states.count("running") == 1, "how long it took is no news"


@pytest.mark.parametrize(("limit", "commits"), [(None, 62), (10_000.0, 122)])
def test_elapsed_times_cost_few_commits(limit: float | None, commits: int) -> None:
    bench = Bench({0: Script(seconds=3599.0)})
    bench.run(settings(1, trial_time_limit=limit))
    assert len(bench.store.of_trial(0)) <= commits


def test_the_deadline_of_a_call_does_not_count_the_time_in_its_queue() -> None:
    bench = Bench({0: Script(seconds=1.0, waits={"poll": 500.0})})
    bench.calls.can_give_up = True
    bench.run(settings(1, call_deadlines=CallDeadlines(poll=20.0)))
    assert bench.calls.given_up == []
    assert bench.statuses == ["completed"]


def test_the_deadline_of_a_call_begins_when_it_leaves_its_queue() -> None:
    script = Script(seconds=1.0, waits={"poll": 500.0}, hangs={"poll": 1})
    bench = Bench({0: script})
    bench.calls.can_give_up = True

    def empty_queue() -> None:
        script.waits = {}

    bench.clock.at(400.0, empty_queue)
    bench.run(settings(1, call_deadlines=CallDeadlines(poll=20.0)))
    ((given_up_at, _),) = bench.calls.given_up
    assert given_up_at == pytest.approx(521.0, abs=1.0)
    assert bench.statuses == ["completed"]
