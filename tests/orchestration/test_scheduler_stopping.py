"""Trials that are stopped early, and runs that end because of their results: whole event lists."""

from dataclasses import replace

import pytest

from axdesk.core.commands import ChangeRunSettings, EnterResult, Resume, StopNow
from axdesk.core.errors import DecisionNeededError, FailureRateExceededError
from axdesk.core.run import RunState
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.suggestions import request_for
from axdesk.core.trial import TrialStatus
from tests.fakes import Script
from tests.orchestration.bench import Bench, settings

WORSE_HALF = EarlyStopping(percentile=50, min_progression=2, min_curves=1, best_protected=0)


def bench_with_curves(scripts: dict[int, Script], *, can_stop: bool = True) -> Bench:
    """Each trial's value falls with its index, and its progression is its seconds."""
    bench = Bench(scripts)
    bench.calls.can_stop = can_stop
    bench.calls.early = ("y",)
    bench.calls.value = lambda index, progression: 10.0 - index
    return bench


# ---- early stopping ------------------------------------------------------------------------------


def test_the_worse_trial_is_stopped_through_the_runner() -> None:
    bench = bench_with_curves({0: Script(seconds=4.0), 1: Script(seconds=99.0)})
    run = bench.run(settings(2, early_stopping=WORSE_HALF))
    reason = "9 at progression 2 is worse than percentile 50 of 1 other trials, 10"
    assert bench.told() == [
        "run starting",
        "run running",
        "suggesting 0",
        "trial 0 staged",
        "suggesting 1",
        "trial 0 running",
        "trial 0 running",
        "trial 0 running",
        "trial 0 running",
        "trial 0 completed",
        "suggesting 1",
        "trial 1 staged",
        "trial 1 running",
        "trial 1 running",
        "trial 1 running",
        "trial 1 early_stopped",
        "run completed",
        "finished completed",
    ]
    assert bench.calls.stopped == [1]
    stopped = bench.trial(1)
    assert (stopped.status, stopped.reason) == (TrialStatus.EARLY_STOPPED, reason)
    assert [(o.progression, o.mean) for o in stopped.observations] == [(1.0, 9.0), (2.0, 9.0)]
    assert stopped.finished_at is not None
    assert (run.state, run.reason) == (RunState.COMPLETED, "")


def test_what_was_stopped_early_is_not_modelled_and_not_suggested_again() -> None:
    bench = bench_with_curves({1: Script(seconds=99.0)})
    bench.calls.usual = Script(seconds=4.0)
    bench.run(settings(3, early_stopping=WORSE_HALF))
    assert bench.statuses == ["completed", "early_stopped", "early_stopped"]
    request = request_for(bench.experiment)
    assert [point.trial_index for point in request.observed] == [0]
    assert [index for index, _ in request.abandoned] == [1, 2]


def test_a_trial_stopped_early_is_no_failure() -> None:
    bench = bench_with_curves({0: Script(seconds=4.0), 1: Script(seconds=9.0)})
    run = bench.run(settings(2, tolerance=0.0, early_stopping=WORSE_HALF))
    assert run.state is RunState.COMPLETED
    assert bench.statuses == ["completed", "early_stopped"]


def test_where_the_runner_cannot_stop_it_is_told_once_and_the_trial_goes_on() -> None:
    bench = bench_with_curves({0: Script(seconds=4.0), 1: Script(seconds=9.0)}, can_stop=False)
    bench.run(settings(2, early_stopping=WORSE_HALF))
    assert bench.statuses == ["completed", "completed"]
    assert bench.warnings == [
        "Trial 1 is not worth finishing: "
        "9 at progression 2 is worse than percentile 50 of 1 other trials, 10."
    ]


def test_a_stop_that_fails_leaves_the_trial_running_and_is_not_repeated() -> None:
    script = Script(seconds=9.0, stop_error="stop_trial raised: jammed")
    bench = bench_with_curves({0: Script(seconds=4.0), 1: script})
    bench.run(settings(2, early_stopping=WORSE_HALF))
    assert bench.statuses == ["completed", "completed"]
    assert bench.calls.stopped == [1]
    assert bench.warnings == ["Trial 1 could not be stopped: stop_trial raised: jammed"]


def test_without_values_while_trials_run_it_is_told_that_nothing_is_stopped() -> None:
    bench = Bench({0: Script(seconds=4.0)})
    bench.calls.can_stop = True
    bench.run(settings(1, early_stopping=WORSE_HALF))
    assert bench.warnings == ["No trial is stopped early: y cannot be fetched while it runs."]


def test_early_stopping_can_be_switched_on_while_the_run_goes_on() -> None:
    bench = bench_with_curves({0: Script(seconds=4.0), 1: Script(seconds=99.0)})
    changed = replace(settings(2).orchestration, early_stopping=WORSE_HALF)
    bench.submit_at(6.5, ChangeRunSettings(orchestration=changed))
    bench.run(settings(2))
    assert bench.statuses == ["completed", "early_stopped"]
    assert bench.trial(1).observations[-1].progression == 3.0


def test_a_trial_of_an_earlier_sitting_is_judged_by_its_next_value() -> None:
    bench = bench_with_curves({1: Script(seconds=99.0)})
    bench.interrupted(settings(2, early_stopping=WORSE_HALF))
    for index in range(2):
        bench.put(TrialStatus.RUNNING, {"job": index})
        bench.calls.started[index] = -20.0
    bench.run()
    assert bench.statuses == ["completed", "early_stopped"]


# ---- global stopping -----------------------------------------------------------------------------


def test_a_target_ends_launching_and_running_trials_finish() -> None:
    bench = Bench({2: Script(seconds=9.0)})
    run = bench.run(settings(9, parallelism=2, global_stopping=GlobalStopping(target=1.0)))
    assert bench.told() == [
        "run starting",
        "run running",
        "suggesting 0",
        "trial 0 staged",
        "suggesting 1",
        "trial 0 running",
        "trial 1 staged",
        "suggesting 2",
        "trial 1 running",
        "trial 0 completed",
        "trial 1 completed",
        "run stopping",
        "run completed",
        "finished completed",
    ]
    assert (run.state, run.reason) == (RunState.COMPLETED, "target reached: 1 ≥ 1 by #1")


def test_a_running_trial_finishes_after_the_target_was_reached() -> None:
    bench = Bench({0: Script(seconds=20.0)})
    run = bench.run(settings(9, parallelism=2, global_stopping=GlobalStopping(target=2.0)))
    assert bench.statuses == ["completed"] * 3
    assert bench.states == ["starting", "running", "stopping", "completed"]
    assert run.reason == "target reached: 2 ≥ 2 by #2"
    assert bench.clock.seconds >= 20.0


def test_stagnation_ends_the_run() -> None:
    bench = Bench()
    bench.calls.value = lambda index, progression: -abs(index - 2.0)
    rule = GlobalStopping(stagnation=3, min_trials=1)
    run = bench.run(settings(20, global_stopping=rule))
    assert len(bench.statuses) == 6
    assert (run.state, run.reason) == (
        RunState.COMPLETED,
        "no better value in 3 trials since #2",
    )


def test_too_little_improvement_ends_the_run() -> None:
    bench = Bench()
    bench.calls.value = lambda index, progression: 10.0 - 10.0 / (1 + index)
    rule = GlobalStopping(improvement_bar=0.5, window_size=3, min_trials=5)
    run = bench.run(settings(40, global_stopping=rule))
    assert run.state is RunState.COMPLETED
    assert run.reason.startswith("the best value improved by ")
    assert 5 <= len(bench.statuses) < 40


def test_a_run_whose_target_was_reached_before_launches_nothing() -> None:
    bench = Bench()
    rule = GlobalStopping(target=1.0)
    bench.run(settings(9, global_stopping=rule))
    launched = len(bench.calls.deployed)
    run = bench.run()
    assert (run.state, run.reason) == (RunState.COMPLETED, "target reached: 1 ≥ 1 by #1")
    bench.run(settings(9, global_stopping=rule))
    assert len(bench.calls.deployed) == launched == 2


def test_a_target_that_is_set_while_the_run_goes_on_counts_at_once() -> None:
    bench = Bench({3: Script(seconds=50.0)})
    changed = replace(settings(9).orchestration, global_stopping=GlobalStopping(target=2.0))
    bench.submit_at(10.0, ChangeRunSettings(orchestration=changed))
    run = bench.run(settings(9))
    assert run.reason == "target reached: 2 ≥ 2 by #2"
    assert bench.statuses == ["completed"] * 4


def test_a_result_that_is_entered_reaches_the_target() -> None:
    bench = Bench({2: Script(seconds=20.0)})
    rule = GlobalStopping(target=8.0)
    bench.submit_at(5.0, EnterResult(0, {"y": 9.0}))
    run = bench.run(settings(9, global_stopping=rule))
    assert run.reason == "target reached: 9 ≥ 8 by #0"
    assert bench.statuses == ["completed"] * 3


def test_a_person_who_resumes_gets_the_rest_of_the_budget() -> None:
    bench = Bench({0: Script(seconds=20.0)})
    bench.submit_at(10.0, Resume())
    run = bench.run(settings(5, parallelism=2, global_stopping=GlobalStopping(target=1.0)))
    assert bench.statuses == ["completed"] * 5
    assert (run.state, run.reason) == (RunState.COMPLETED, "")


def test_stop_now_after_the_target_stops_what_still_runs() -> None:
    bench = Bench({0: Script(seconds=99.0)})
    bench.calls.can_stop = True
    bench.submit_at(10.0, StopNow())
    run = bench.run(settings(5, parallelism=2, global_stopping=GlobalStopping(target=1.0)))
    assert bench.statuses == ["abandoned", "completed"]
    assert run.state is RunState.STOPPED


def test_a_question_that_is_left_is_told_after_the_target_was_reached() -> None:
    bench = Bench()
    bench.interrupted(settings(5, global_stopping=GlobalStopping(target=1.0)))
    bench.put(TrialStatus.STAGED)
    with pytest.raises(DecisionNeededError):
        bench.run()
    assert bench.states == ["starting", "running", "stopping", "stopped"]
    assert bench.statuses == ["staged", "completed"]


def test_the_failure_rate_is_still_looked_at_when_the_target_was_reached() -> None:
    bench = Bench({0: Script(ends_as=TrialStatus.FAILED)})
    wanted = settings(9, tolerance=0.1, global_stopping=GlobalStopping(target=1.0))
    with pytest.raises(FailureRateExceededError):
        bench.run(wanted)
    assert bench.statuses == ["failed", "completed"]
