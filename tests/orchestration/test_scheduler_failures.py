"""Failing trials, the failure rate, deadlines and time limits."""

from dataclasses import replace

import pytest

from axdesk.core.commands import ChangeRunSettings, Resume
from axdesk.core.errors import FailureRateExceededError
from axdesk.core.events import TrialHealthChanged
from axdesk.core.run import CallDeadlines, RunState
from axdesk.core.trial import TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings


def failing(*indices: int, seconds: float = 1.0) -> dict[int, Script]:
    return {i: Script(ends_as=TrialStatus.FAILED, seconds=seconds) for i in indices}


def test_without_tolerance_the_first_failure_ends_the_run() -> None:
    bench = Bench(failing(1))
    with pytest.raises(FailureRateExceededError) as caught:
        bench.run(settings(9, tolerance=0.0))
    assert caught.value.failures == {1: "the runner reports: failed"}
    assert bench.statuses == ["completed", "failed"]
    assert bench.scheduler.current.state is RunState.FAILED


def test_the_rate_is_not_looked_at_before_enough_trials_failed() -> None:
    bench = Bench(failing(0, 1, 2, 3))
    bench.run(settings(9))
    assert bench.statuses == ["failed"] * 4 + ["completed"] * 5


def test_the_fifth_failure_of_too_many_ends_the_run() -> None:
    bench = Bench(failing(*range(9)))
    with pytest.raises(FailureRateExceededError) as caught:
        bench.run(settings(20))
    assert list(caught.value.failures) == [0, 1, 2, 3, 4]
    assert "5 of 5 trials failed" in caught.value.message


def test_the_rate_is_looked_at_when_the_budget_is_spent() -> None:
    bench = Bench(failing(0, 2))
    with pytest.raises(FailureRateExceededError) as caught:
        bench.run(settings(3))
    assert list(caught.value.failures) == [0, 2]


def test_a_rate_that_is_just_tolerated_is_tolerated() -> None:
    bench = Bench(failing(0, 1, 2))
    assert bench.run(settings(30, tolerance=0.1)).state is RunState.COMPLETED


def test_running_trials_finish_before_the_run_fails() -> None:
    bench = Bench({0: Script(seconds=20.0), **failing(1)})
    with pytest.raises(FailureRateExceededError):
        bench.run(settings(9, 2, tolerance=0.0))
    assert bench.statuses == ["completed", "failed"]
    assert bench.states == ["starting", "running", "stopping", "failed"]


def test_running_trials_are_stopped_if_asked_for() -> None:
    bench = Bench({0: Script(seconds=20.0), **failing(1)})
    bench.calls.can_stop = True
    with pytest.raises(FailureRateExceededError) as caught:
        bench.run(settings(9, 2, tolerance=0.0, when_failure_rate_exceeded="stop"))
    assert bench.statuses == ["abandoned", "failed"]
    assert list(caught.value.failures) == [1]
    assert bench.clock.seconds == 1.0


def test_a_run_that_failed_goes_on_when_it_is_resumed() -> None:
    bench = Bench(failing(1))
    with pytest.raises(FailureRateExceededError):
        bench.run(settings(4, tolerance=0.0))
    assert bench.run().state is RunState.COMPLETED
    assert bench.statuses == ["completed", "failed", "completed", "completed"]


def test_a_resumed_run_fails_again_at_new_failures() -> None:
    bench = Bench(failing(1, 2))
    with pytest.raises(FailureRateExceededError):
        bench.run(settings(4, tolerance=0.0))
    with pytest.raises(FailureRateExceededError) as caught:
        bench.run()
    assert list(caught.value.failures) == [2]


def test_resume_lets_a_run_go_on_that_was_about_to_fail() -> None:
    bench = Bench({0: Script(seconds=20.0), **failing(1)})
    bench.submit_at(5.0, ChangeRunSettings(tolerated_trial_failure_rate=0.9))
    bench.submit_at(6.0, Resume())
    assert bench.run(settings(4, 2, tolerance=0.0)).state is RunState.COMPLETED
    assert bench.statuses == ["completed", "failed", "completed", "completed"]


def test_a_run_trial_that_raises_fails_the_trial_that_may_have_started() -> None:
    bench = Bench({0: Script(run_errors=1)})
    bench.run(settings(2))
    assert bench.trial(0).status is TrialStatus.FAILED
    assert bench.trial(0).may_have_started
    assert bench.trial(0).reason == "run_trial raised: no pressure (may have started)"
    assert bench.calls.deployed == [0, 1]


def test_a_trial_that_did_not_start_is_deployed_once_more_if_the_runner_knows() -> None:
    bench = Bench({0: Script(run_errors=1)})
    bench.calls.can_find = True
    bench.run(settings(1))
    assert bench.calls.deployed == [0, 0]
    assert bench.statuses == ["completed"]
    assert bench.warnings == ["Trial 0: run_trial raised: no pressure."]


def test_a_trial_that_fails_to_start_twice_is_failed_and_surely_did_not_start() -> None:
    bench = Bench({0: Script(run_errors=9)})
    bench.calls.can_find = True
    bench.run(settings(2))
    assert bench.calls.deployed == [0, 0, 1]
    assert bench.trial(0).status is TrialStatus.FAILED
    assert not bench.trial(0).may_have_started
    assert bench.trial(0).reason == "run_trial raised: no pressure"


def test_a_trial_that_started_although_run_trial_raised_is_found_and_followed() -> None:
    bench = Bench({0: Script(run_errors=1, starts_anyway=True, seconds=3.0)})
    bench.calls.can_find = True
    bench.run(settings(1))
    assert bench.calls.deployed == [0]
    assert bench.statuses == ["completed"]
    assert bench.warnings == ["Trial 0: run_trial raised: no pressure."]


def test_a_trial_that_is_looked_for_keeps_its_slot() -> None:
    bench = Bench({0: Script(run_errors=1, starts_anyway=True, seconds=9.0, find_seconds=2.0)})
    bench.calls.can_find = True
    bench.run(settings(2))
    assert bench.most_at_once == 1
    assert [called for _, called, _ in bench.calls.launches] == [9.0]


def test_a_runner_that_cannot_say_leaves_a_failed_trial_that_may_have_started() -> None:
    bench = Bench({0: Script(run_errors=1, find_error="no line")})
    bench.calls.can_find = True
    bench.run(settings(2))
    assert bench.trial(0).status is TrialStatus.FAILED
    assert bench.trial(0).may_have_started
    assert bench.warnings == ["Trial 0 could not be looked for: no line"]


def test_a_search_that_hangs_is_given_up_at_its_deadline() -> None:
    bench = Bench({0: Script(run_errors=1, find_seconds=HANG)})
    bench.calls.can_find = True
    with pytest.raises(FailureRateExceededError):
        bench.run(settings(1))
    assert bench.clock.seconds == 120.0
    assert bench.trial(0).may_have_started


def test_a_deployment_that_answers_late_is_adopted() -> None:
    bench = Bench({0: Script(run_seconds=25.0, seconds=2.0)})
    bench.run(settings(2, call_deadlines=CallDeadlines(run=10.0)))
    assert [str(t.status) for t in bench.store.of_trial(0)] == [
        "staged",
        "failed",
        "running",
        "completed",
    ]
    failed = bench.store.of_trial(0)[1]
    assert failed.reason == "run_trial did not answer within 10 s; the trial may have started"
    assert failed.may_have_started
    assert not bench.trial(0).may_have_started
    assert bench.calls.deployed == [0, 1]
    assert bench.warnings == ["the reactor is not answering (trial 0)."]


def test_a_deployment_that_raises_late_stays_failed() -> None:
    bench = Bench({0: Script(run_seconds=25.0, run_errors=1)})
    bench.run(settings(2, call_deadlines=CallDeadlines(run=10.0)))
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).may_have_started


def test_a_trial_over_its_time_limit_is_stopped_and_failed() -> None:
    bench = Bench({0: Script(seconds=99.0)})
    bench.calls.can_stop = True
    bench.run(settings(2, trial_time_limit=7.5))
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).reason == "took longer than 7.5 s"
    assert bench.trial(0).elapsed_seconds == 7.5
    assert bench.calls.stopped == [0]


@pytest.mark.parametrize(
    ("can_stop", "reason"),
    [
        (True, "took longer than 7.5 s; it may go on"),
        (False, "took longer than 7.5 s; the runner cannot stop trials"),
    ],
)
def test_a_trial_over_its_time_limit_fails_even_if_it_cannot_be_stopped(
    can_stop: bool, reason: str
) -> None:
    bench = Bench({0: Script(seconds=99.0, stop_error="stuck")})
    bench.calls.can_stop = can_stop
    bench.run(settings(2, trial_time_limit=7.5))
    assert bench.trial(0).status is TrialStatus.FAILED
    assert bench.trial(0).reason == reason


def test_a_run_over_its_time_limit_lets_running_trials_finish() -> None:
    bench = Bench({0: Script(seconds=10.0)})
    run = bench.run(settings(9, run_time_limit=7.5))
    assert (run.state, run.reason) == (RunState.STOPPED, "the time limit of 7.5 s was reached")
    assert bench.statuses == ["completed"]
    assert run.elapsed_seconds == 10.0


def test_time_limits_count_over_sittings() -> None:
    bench = Bench()
    bench.interrupted(settings(9, trial_time_limit=100.0))
    bench.put(TrialStatus.RUNNING, {"job": 0})
    bench.experiment.put(replace(bench.trial(0), elapsed_seconds=95.0))
    bench.calls.started[0] = 0.0
    bench.scripts[0] = Script(seconds=500.0)
    bench.clock.seconds = 50.0
    bench.calls.usual = Script(seconds=1.0)
    bench.run()
    assert bench.trial(0).reason == "took longer than 100 s; the runner cannot stop trials"
    assert bench.trial(0).elapsed_seconds == 100.0


def test_a_runner_says_why_a_trial_failed_and_is_not_asked_again() -> None:
    bench = Bench({0: Script(seconds=3.0, poll_errors=1, fails_because="no vial in the rack")})
    bench.run(settings(2))
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).reason == "no vial in the rack"
    assert [index for _, index in bench.calls.polls].count(0) == 3
    assert bench.of_kind(TrialHealthChanged)[-1].failures == 0
