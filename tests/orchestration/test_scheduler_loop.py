"""The plain way of a run: what happens, when, and how often."""

import itertools

import pytest

from axdesk.core.commands import EnterResult
from axdesk.core.errors import StorageError
from axdesk.core.events import RunFinished, TrialChanged, TrialHealthChanged
from axdesk.core.run import RetryBudget, RunState
from axdesk.core.trial import Observation, TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings


def pauses(times: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(times)]


def test_a_plain_run_tells_everything_in_order() -> None:
    bench = Bench()
    assert bench.run(settings(2)).state is RunState.COMPLETED
    assert bench.told() == [
        "run starting",
        "run running",
        "suggesting 0",
        "trial 0 staged",
        "suggesting 1",
        "trial 0 running",
        "trial 0 completed",
        "suggesting 1",  # once more: the first one did not know the result of trial 0
        "trial 1 staged",
        "trial 1 running",
        "trial 1 completed",
        "run completed",
        "finished completed",
    ]


def test_a_run_takes_three_commits_a_trial_and_three_for_itself() -> None:
    bench = Bench()
    bench.run(settings(4, 2))
    assert [len(bench.store.of_trial(index)) for index in range(4)] == [3] * 4
    assert len(bench.store.commits) == 4 * 3 + 3


def test_a_completed_trial_has_its_result_times_and_origin() -> None:
    bench = Bench({0: Script(seconds=2.0)})
    bench.run(settings(1))
    trial = bench.trial(0)
    assert trial.observations == (Observation("y", 0.0),)
    assert trial.metadata == {"job": 0}
    assert trial.elapsed_seconds == 2.0
    assert trial.run_index == 0
    assert trial.staged_at is not None
    assert trial.started_at is not None
    assert trial.finished_at is not None
    assert (trial.finished_at - trial.started_at).total_seconds() == 2.0


@pytest.mark.parametrize("parallelism", [1, 3])
def test_slots_are_filled_and_never_overfilled(parallelism: int) -> None:
    bench = Bench({i: Script(run_seconds=0.5, seconds=3.0 + i % 2) for i in range(8)})
    bench.run(settings(8, parallelism))
    assert bench.most_at_once == parallelism
    assert bench.statuses == ["completed"] * 8
    assert bench.calls.deployed == list(range(8))


def test_launches_are_spaced_from_the_return_of_the_previous_call() -> None:
    bench = Bench({i: Script(run_seconds=2.0, seconds=20.0) for i in range(3)})
    bench.run(settings(3, 3, spacing=1.5))
    assert bench.calls.launches == [(0, 0.0, 2.0), (1, 3.5, 5.5), (2, 7.0, 9.0)]


def test_polls_stay_on_the_grid_of_the_interval() -> None:
    bench = Bench({0: Script(seconds=3.5, poll_seconds=0.25)})
    bench.run(settings(1, interval=0.5))
    assert [at for at, _ in bench.calls.polls] == [0.5 * n for n in range(1, 8)]


def test_failed_polls_are_repeated_ever_later_and_then_on_the_grid() -> None:
    bench = Bench({0: Script(seconds=9.0, poll_errors=3)})
    bench.run(settings(1))
    polled_at = [at for at, _ in bench.calls.polls]
    assert pauses(polled_at[:4]) == pytest.approx([1.0, 2.0, 4.0], rel=0.2)
    grid = [at for at in polled_at if at == int(at)]
    assert grid == [1.0, *(float(second) for second in range(int(polled_at[3]) + 1, 10))]
    assert len(polled_at) == 3 + len(grid)
    assert [e.failures for e in bench.of_kind(TrialHealthChanged)] == [1, 2, 3, 0]
    assert bench.statuses == ["completed"]


def test_too_many_failed_polls_fail_the_trial() -> None:
    bench = Bench({0: Script(poll_errors=9)})
    bench.run(settings(2, retry_budget=RetryBudget(poll=3)))
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).reason == ("could not be polled (3 tries): poll_trial raised: no line")


def test_the_pause_between_tries_is_bounded() -> None:
    bench = Bench({0: Script(poll_errors=9)})
    bench.run(settings(2, retry_budget=RetryBudget(poll=5), max_seconds_between_polls=3.0))
    polled_at = [at for at, index in bench.calls.polls if index == 0]
    assert pauses(polled_at) == pytest.approx([1.0, 2.0, 3.0, 3.0], rel=0.2)


def test_failed_fetches_are_repeated_ever_later() -> None:
    bench = Bench({0: Script(fetch_errors={"y": 3})})
    bench.run(settings(1))
    fetched_at = [at for at, _, _ in bench.calls.fetches]
    assert pauses(fetched_at) == pytest.approx([1.0, 2.0, 4.0], rel=0.2)
    assert bench.statuses == ["completed"]


def test_a_result_that_cannot_be_fetched_fails_the_trial_and_may_be_entered_afterwards() -> None:
    bench = Bench({0: Script(fetch_errors={"y": 9}), 1: Script(seconds=99.0)})
    bench.submit_at(50.0, EnterResult(0, {"y": 0.7}))
    bench.run(settings(2))
    failed, entered = bench.store.of_trial(0)[-2:]
    assert failed.status is TrialStatus.FAILED
    assert failed.reason == "result could not be fetched (5 tries): y raised: no file"
    assert entered.status is TrialStatus.COMPLETED
    assert entered.observations == (Observation("y", 0.7),)
    assert bench.answers[0].result() is None
    assert bench.statuses == ["completed", "completed"]


def test_a_poll_that_does_not_answer_costs_a_try_each_deadline() -> None:
    bench = Bench({0: Script(poll_seconds=HANG)})
    bench.run(settings(2, retry_budget=RetryBudget(poll=2)))
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).reason == "could not be polled (2 tries): poll_trial does not answer"
    assert bench.trial(0).elapsed_seconds == 1.0 + 2 * 120.0


@pytest.mark.parametrize("status", [TrialStatus.FAILED, TrialStatus.ABANDONED])
def test_what_the_runner_reports_is_recorded(status: TrialStatus) -> None:
    bench = Bench({0: Script(ends_as=status)})
    bench.run(settings(2))
    assert bench.trial(0).status is status
    assert bench.trial(0).reason == f"the runner reports: {status}"


def test_a_recorded_metric_that_cannot_be_fetched_is_skipped_with_a_warning() -> None:
    bench = Bench({0: Script(fetch_errors={"ph": 9})}, tracking=("ph",))
    bench.run(settings(2))
    assert bench.trial(0).observations == (Observation("y", 0.0),)
    assert [o.metric for o in bench.trial(1).observations] == ["y", "ph"]
    assert bench.warnings == ["Trial 0: ph could not be fetched: ph raised: no file"]
    assert sum(metric == "y" for _, index, metric in bench.calls.fetches if index == 0) == 1


def test_early_metrics_are_fetched_at_each_poll_and_keep_their_progression() -> None:
    bench = Bench({0: Script(seconds=3.0)})
    bench.calls.early = ("y",)
    bench.run(settings(1))
    assert [o.progression for o in bench.trial(0).observations] == [1.0, 2.0, 3.0]
    shown = [len(e.trial.observations) for e in bench.of_kind(TrialChanged)]
    assert shown == [0, 0, 1, 2, 3]


def test_two_live_trials_with_equal_metadata_raise_a_warning() -> None:
    bench = Bench({i: Script(seconds=9.0, metadata={"file": "a"}) for i in range(2)})
    bench.run(settings(2, 2))
    assert bench.warnings == ["Trials 0 and 1 run at once with equal metadata, {'file': 'a'}."]


def test_a_store_that_fails_ends_the_run_with_its_error() -> None:
    bench = Bench()
    bench.store.fails_from = 5
    with pytest.raises(StorageError, match="disk is full"):
        bench.run(settings(9))
    last = bench.events[-1]
    assert isinstance(last, RunFinished)
    assert isinstance(last.error, StorageError)
    assert last.run.state is RunState.FAILED
    assert last.run.reason == "The disk is full."


def test_a_long_trial_keeps_its_elapsed_time_each_minute() -> None:
    bench = Bench({0: Script(seconds=150.0)})
    bench.run(settings(1, interval=10.0))
    assert [t.elapsed_seconds for t in bench.store.of_trial(0)] == [0, 0, 60, 120, 150]


def test_an_interrupt_leaves_the_run_interrupted_and_its_trials_running() -> None:
    bench = Bench({0: Script(seconds=50.0)})

    def interrupt() -> None:
        raise KeyboardInterrupt

    bench.clock.at(3.0, interrupt)
    with pytest.raises(KeyboardInterrupt):
        bench.run(settings(2))
    assert bench.scheduler.current.state is RunState.INTERRUPTED
    assert bench.statuses == ["running"]
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 1]


def test_a_defect_ends_the_run_as_failed_and_passes_through() -> None:
    bench = Bench({0: Script(seconds=50.0)})

    def fail() -> None:
        raise ZeroDivisionError("division by zero")

    bench.clock.at(3.0, fail)
    with pytest.raises(ZeroDivisionError):
        bench.run(settings(2))
    run = bench.scheduler.current
    assert (run.state, run.reason) == (RunState.FAILED, "ZeroDivisionError: division by zero")


def test_a_slow_poll_delays_the_next_one_but_not_those_after_it() -> None:
    bench = Bench({0: Script(seconds=4.5, poll_seconds=1.25)})

    def speed_up() -> None:
        bench.scripts[0].poll_seconds = 0.0

    bench.clock.at(2.0, speed_up)
    bench.run(settings(1))
    assert [at for at, _ in bench.calls.polls] == [1.0, 2.25, 3.0, 4.0, 5.0]
