"""Plugin calls that hang, that were never entered, or that fail now and then."""

from datetime import UTC, datetime, timedelta

import pytest

from axdesk.core.commands import (
    Abandon,
    ChangeRunSettings,
    Command,
    EndCalls,
    EnterResult,
    Leave,
    MarkFailed,
    Pause,
    Resume,
    Stop,
    StopNow,
)
from axdesk.core.errors import TransitionError
from axdesk.core.events import QuestionAsked, TrialHealthChanged, Warned
from axdesk.core.protocols import REST_SECONDS
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunState
from axdesk.core.trial import Observation, TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings

DEADLINES = CallDeadlines(run=10.0, poll=8.0, fetch=6.0, stop=5.0)


def host(
    scripts: dict[int, Script], *, can_find: bool = False, tracking: tuple[str, ...] = ()
) -> Bench:
    """Return a bench whose hanging calls can be ended."""
    bench = Bench(scripts, tracking)
    bench.calls.can_give_up = True
    bench.calls.can_find = can_find
    return bench


def at(seconds: float) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


# ---- hanging calls -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["poll", "y"])
def test_a_call_that_hangs_is_ended_by_the_operator_and_asked_again(kind: str) -> None:
    bench = host({0: Script(hangs={kind: 1})})
    # Before the trial runs, and once all is well again, there is nothing to end.
    bench.submit_at(0.0, EndCalls(3))
    bench.submit_at(5.0, EndCalls(0))
    assert bench.run(settings(1)).state is RunState.COMPLETED
    refused, ended = bench.answers
    assert isinstance(refused.exception(), TransitionError)
    assert ended.exception() is None
    [(_, told)] = bench.calls.given_up
    assert told.endswith("was ended by the operator.")
    assert bench.statuses == ["completed"]


def test_a_call_that_cannot_be_ended_is_said_to_go_on() -> None:
    bench = host({0: Script(hangs={"poll": 1})})
    bench.calls.can_give_up = False
    bench.submit_at(5.0, EndCalls(0))
    bench.submit_at(6.0, Leave())
    bench.run(settings(1))
    refusal = bench.answers[0].exception()
    assert isinstance(refusal, TransitionError)
    assert "could be ended" in str(refusal)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("poll", "poll_trial of trial 0 did not answer within 8 s."),
        ("y", "fetching y of trial 0 did not answer within 6 s."),
    ],
)
def test_a_call_that_hangs_is_given_up_and_asked_again(kind: str, reason: str) -> None:
    bench = host({0: Script(hangs={kind: 2})})
    assert bench.run(settings(1, call_deadlines=DEADLINES)).state is RunState.COMPLETED
    assert [told for _, told in bench.calls.given_up] == [reason] * 2
    assert [e.failures for e in bench.of_kind(TrialHealthChanged)] == [1, 2, 0]
    assert bench.statuses == ["completed"]


@pytest.mark.parametrize(("kind", "what"), [("poll", "poll"), ("y", "fetch")])
def test_calls_that_hang_cost_a_try_each(kind: str, what: str) -> None:
    bench = host({0: Script(hangs={kind: 9})})
    bench.run(settings(2, call_deadlines=DEADLINES, retry_budget=RetryBudget(3, 3)))
    assert bench.statuses == ["failed", "completed"]
    assert len(bench.calls.given_up) == 3
    assert f"{what}ed (3 tries)" in bench.trial(0).reason
    assert "did not answer within" in bench.trial(0).reason


def test_a_deployment_that_hangs_is_looked_for_where_the_runner_can_find_it() -> None:
    bench = host({0: Script(hangs={"run": 1}, starts_anyway=True)}, can_find=True)
    bench.run(settings(2, call_deadlines=DEADLINES))
    assert bench.calls.given_up == [(10.0, "run_trial of trial 0 did not answer within 10 s.")]
    assert bench.calls.deployed == [0, 1]
    assert [str(t.status) for t in bench.store.of_trial(0)] == [
        "staged",
        "staged",
        "running",
        "completed",
    ]


def test_a_deployment_that_hung_and_surely_did_not_start_is_tried_once_more() -> None:
    bench = host({0: Script(hangs={"run": 1})}, can_find=True)
    bench.run(settings(1, call_deadlines=DEADLINES))
    assert bench.calls.deployed == [0, 0]
    assert bench.statuses == ["completed"]


def test_a_deployment_is_waited_for_twice_its_deadline_and_then_given_up() -> None:
    bench = host({0: Script(run_seconds=HANG, starts_anyway=True)})
    bench.run(settings(2, call_deadlines=DEADLINES))
    assert bench.calls.given_up == [(20.0, "run_trial of trial 0 did not answer within 20 s.")]
    assert bench.statuses == ["failed", "completed"]
    assert bench.trial(0).may_have_started
    assert bench.trial(0).reason == (
        "run_trial did not answer within 10 s; the trial may have started"
    )
    assert [called for _, called, _ in bench.calls.launches] == [20.0]


def test_a_deployment_that_answers_within_twice_its_deadline_is_adopted() -> None:
    bench = host({0: Script(run_seconds=19.0)})
    bench.run(settings(1, tolerance=0.9, call_deadlines=DEADLINES))
    assert bench.statuses == ["completed"]
    assert bench.calls.deployed == [0]
    assert not bench.calls.given_up


def test_a_deadline_that_is_lifted_holds_for_the_calls_to_come() -> None:
    bench = host({0: Script(run_seconds=HANG), 1: Script(run_seconds=50.0)})
    config = OrchestrationConfig(
        min_seconds_between_launches=0.0, call_deadlines=CallDeadlines(run=None)
    )
    bench.submit_at(5.0, ChangeRunSettings(orchestration=config))
    bench.run(settings(2, call_deadlines=DEADLINES))
    assert bench.trial(0).reason == (
        "run_trial did not answer within 10 s; the trial may have started"
    )
    assert bench.statuses == ["failed", "completed"]


def test_a_search_that_hangs_is_given_up_and_asked_again() -> None:
    script = Script(run_errors=1, starts_anyway=True, hangs={"find": 2})
    bench = host({0: script}, can_find=True)
    bench.run(settings(1, call_deadlines=DEADLINES))
    assert bench.calls.searched == [0, 0, 0]
    assert bench.statuses == ["completed"]
    assert bench.calls.deployed == [0]


def test_a_search_that_fails_is_asked_again() -> None:
    bench = host({0: Script(run_errors=1, starts_anyway=True, find_error="no line")}, can_find=True)

    def mend() -> None:
        bench.scripts[0].find_error = ""

    bench.clock.at(2.0, mend)
    bench.run(settings(1))
    assert bench.statuses == ["completed"]
    assert bench.calls.deployed == [0]
    assert bench.warnings == ["Trial 0: run_trial raised: no pressure."]


def test_a_stop_for_a_limit_that_hangs_is_given_up_and_asked_once_more() -> None:
    bench = host({0: Script(seconds=99.0, hangs={"stop": 1}), 1: Script(seconds=99.0)})
    bench.scripts[1].stop_seconds = HANG
    bench.calls.can_stop = True
    bench.run(settings(3, tolerance=0.9, call_deadlines=DEADLINES, trial_time_limit=20.0))
    assert bench.calls.stopped == [0, 0, 1, 1]
    assert [bench.trial(i).reason for i in range(2)] == [
        "took longer than 20 s",
        "took longer than 20 s; it may go on",
    ]


@pytest.mark.parametrize("can_give_up", [True, False])
def test_a_stop_that_hangs_when_all_is_stopped_is_asked_once_and_leaves_the_trial_running(
    can_give_up: bool,
) -> None:
    bench = host({0: Script(seconds=99.0, stop_seconds=HANG), 1: Script(seconds=99.0)})
    bench.calls.can_stop, bench.calls.can_give_up = True, can_give_up
    bench.submit_at(3.0, StopNow())
    assert bench.run(settings(2, 2, call_deadlines=DEADLINES)).state is RunState.STOPPED
    assert bench.clock.seconds == 8.0
    assert sorted(bench.calls.stopped) == [0, 1]
    assert bench.statuses == ["running", "abandoned"]
    (warning,) = bench.of_kind(Warned)
    assert warning.message.startswith("Trial 0 could not be stopped: stop_trial")
    assert warning.hint == "It has run for 8 s and goes on; a resumed run follows it."
    assert bench.trial(0).elapsed_seconds == 8.0


def test_others_that_wait_to_be_stopped_are_told_how_to_be_left_behind() -> None:
    script = Script(seconds=99.0, stop_seconds=HANG)
    bench = host({0: script, 1: script})
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    bench.submit_at(4.0, StopNow())
    bench.run(settings(2, 2, call_deadlines=DEADLINES))
    assert bench.clock.seconds == 4.0
    assert bench.statuses == ["running"] * 2
    assert bench.warnings == [
        f"Trial {index} is left behind: stop_trial has not answered." for index in range(2)
    ]
    assert [bench.trial(index).elapsed_seconds for index in range(2)] == [4.0, 4.0]


def test_a_call_that_nobody_waits_for_any_more_is_given_up_all_the_same() -> None:
    bench = host({0: Script(hangs={"poll": 1}), 1: Script(seconds=20.0)})
    bench.submit_at(3.0, MarkFailed(0))
    bench.run(settings(2, 2, call_deadlines=DEADLINES))
    assert bench.calls.given_up == [(9.0, "poll_trial of trial 0 did not answer within 8 s.")]


def test_metrics_that_do_not_say_whether_they_are_early_are_fetched_at_the_end() -> None:
    bench = host({})
    bench.calls.early_hangs = True
    bench.scripts[0] = Script(seconds=20.0)
    bench.run(settings(1, call_deadlines=DEADLINES))
    assert bench.warnings == [
        "No metric is fetched while trials run: is_available_while_running did not answer within "
        "8 s."
    ]
    assert bench.statuses == ["completed"]


# ---- hanging fetches that are not needed ---------------------------------------------------------


@pytest.mark.parametrize("can_give_up", [True, False])
def test_a_recorded_metric_that_hangs_fails_no_trial(can_give_up: bool) -> None:
    bench = host({0: Script(hangs={"ph": 99})}, tracking=("ph",))
    bench.calls.can_give_up = can_give_up
    bench.run(settings(2, call_deadlines=DEADLINES, retry_budget=RetryBudget(fetch=3)))
    assert bench.statuses == ["completed", "completed"]
    assert bench.trial(0).observations == (Observation("y", 0.0),)
    (warning,) = bench.warnings
    assert warning.startswith("Trial 0: ph could not be fetched: ")
    assert sum(metric == "y" for _, index, metric in bench.calls.fetches if index == 0) == 1


@pytest.mark.parametrize("can_give_up", [True, False])
def test_an_early_fetch_that_hangs_is_told_as_such_and_polls_go_on(can_give_up: bool) -> None:
    bench = host({0: Script(seconds=30.0, hangs={"y": 1})})
    bench.calls.can_give_up = can_give_up
    bench.calls.early = ("y",)
    bench.run(settings(1, call_deadlines=DEADLINES))
    assert bench.statuses == ["completed"]
    assert [polled for polled, _ in bench.calls.polls] == [float(s) for s in range(1, 31)]
    (warning,) = bench.warnings
    assert warning.startswith("Trial 0: y is no longer fetched while the trial runs: fetching y")
    assert not bench.of_kind(TrialHealthChanged)


# ---- calls that were not entered -----------------------------------------------------------------


def test_a_deployment_that_was_not_entered_is_tried_again_and_keeps_its_trial_staged() -> None:
    bench = host({0: Script(not_entered={"run": 2})})
    bench.run(settings(2))
    assert bench.calls.deployed == [0, 0, 0, 1]
    assert [called for _, called, _ in bench.calls.launches] == [120.0, 121.0]
    assert {str(t.status) for t in bench.store.of_trial(0)[:-2]} == {"staged"}
    assert not any(t.may_have_started for t in bench.store.of_trial(0))
    assert bench.statuses == ["completed", "completed"]
    assert bench.warnings == ["Trial 0 could not be started yet: run_trial was not reached."] * 2


def test_a_deployment_that_is_never_entered_fails_and_surely_did_not_start() -> None:
    bench = host({0: Script(not_entered={"run": 9})})
    bench.run(settings(2, retry_budget=RetryBudget(poll=3), max_seconds_between_polls=7.0))
    assert bench.statuses == ["failed", "completed"]
    assert bench.calls.deployed == [0, 0, 0, 1]
    assert not bench.trial(0).may_have_started
    assert bench.trial(0).reason == "could not be started (3 tries): run_trial was not reached."


def test_a_trial_that_surely_did_not_start_is_deployed_by_a_resumed_run_without_a_question() -> (
    None
):
    bench = host({0: Script(not_entered={"run": 1})})
    bench.submit_at(30.0, Stop())
    assert bench.run(settings(2)).state is RunState.STOPPED
    assert bench.statuses == ["staged"]
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 0, 1]


@pytest.mark.parametrize("kind", ["poll", "y"])
def test_polls_and_fetches_that_were_not_entered_wait_longest(kind: str) -> None:
    bench = host({0: Script(not_entered={kind: 2})})
    bench.run(settings(1))
    asked = bench.calls.polls if kind == "poll" else bench.calls.fetches
    assert [call[0] for call in asked][:3] == [1.0, 61.0, 121.0]
    assert bench.statuses == ["completed"]


@pytest.mark.parametrize("longest", [5.0, 60.0, 90.0])
@pytest.mark.parametrize("tries", [3, 5, 6])
def test_one_trial_that_crashes_its_plugin_fails_no_other(tries: int, longest: float) -> None:
    bench = host({})
    bench.calls.usual = Script(seconds=12.0)
    bench.calls.crashes = {1}
    bench.run(
        settings(
            9,
            3,
            retry_budget=RetryBudget(poll=tries, fetch=tries),
            max_seconds_between_polls=longest,
        )
    )
    assert bench.statuses == ["completed", "failed", *["completed"] * 7]
    assert bench.calls.deployed.count(1) == 1


@pytest.mark.parametrize("kind", ["run", "poll", "y"])
def test_a_call_that_was_not_entered_waits_for_the_rest_of_its_plugin_to_end(kind: str) -> None:
    bench = host({0: Script(not_entered={kind: 2})})
    bench.run(settings(1, max_seconds_between_polls=5.0))
    assert 2 * REST_SECONDS <= bench.clock.seconds <= 2 * REST_SECONDS + 2.0
    assert bench.statuses == ["completed"]


def test_a_stop_that_was_not_entered_is_asked_again() -> None:
    bench = host({0: Script(seconds=999.0, not_entered={"stop": 1})})
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    bench.run(settings(1))
    assert bench.calls.stopped == [0, 0]
    assert bench.statuses == ["abandoned"]
    (warning,) = bench.of_kind(Warned)
    assert warning.message == "Trial 0 could not be stopped yet: stop_trial was not reached."
    assert warning.hint == "It is tried again in 60 s. Stop now once more leaves it behind."


# ---- deployments that wait in a queue ------------------------------------------------------------


def waiting(*, can_stop: bool = False) -> Bench:
    """Return a bench where trial 1 waits long to be deployed while trial 0 runs."""
    bench = host({0: Script(seconds=9.0), 1: Script(waits={"run": 50.0})})
    bench.calls.can_stop = can_stop
    return bench


@pytest.mark.parametrize("command", [Stop(), StopNow(), Leave()])
def test_a_deployment_that_waits_is_taken_back_when_the_run_is_to_end(command: Command) -> None:
    bench = waiting()
    bench.submit_at(5.0, command)
    assert not bench.run(settings(3, 2)).state.is_live
    assert bench.clock.seconds < 50.0
    assert bench.trial(1).surely_not_started
    assert not bench.trial(1).may_have_started

    bench.clock.seconds = 100.0
    assert 1 not in bench.calls.started
    bench.scripts[1].waits = {}
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 1, 1, 2]
    assert bench.statuses == ["completed"] * 3
    assert not bench.of_kind(QuestionAsked)


def test_a_deployment_that_waits_is_taken_back_by_a_pause_and_sent_after_it() -> None:
    bench = waiting()
    bench.submit_at(5.0, Pause())
    bench.submit_at(60.0, Resume())
    bench.clock.at(59.0, lambda: bench.scripts.pop(1))
    assert bench.run(settings(2, 2)).state is RunState.COMPLETED
    assert "paused" in bench.states
    assert [called for _, called, _ in bench.calls.launches] == [0.0, 60.0]
    assert bench.statuses == ["completed"] * 2


def test_a_deployment_that_was_entered_is_waited_for_when_the_run_is_stopped() -> None:
    bench = host({0: Script(run_seconds=9.0)})
    bench.submit_at(5.0, Stop())
    bench.run(settings(2))
    assert bench.statuses == ["completed"]


def test_a_trial_that_a_person_ends_before_it_was_deployed_never_starts() -> None:
    bench = waiting()
    bench.submit_at(5.0, Abandon(1, "spilt"))
    bench.run(settings(3, 2))
    bench.clock.seconds = 100.0
    assert sorted(bench.calls.started) == [0, 2]
    assert bench.statuses == ["completed", "abandoned", "completed"]
    assert not bench.warnings


# ---- flaky calls ---------------------------------------------------------------------------------


def test_half_of_all_polls_and_fetches_may_fail() -> None:
    # Eight of sixteen, up to four in a row: one less than the budget.
    usual = Script(seconds=3.0, pattern="xxxx..x.xx...x..")
    bench = Bench()
    bench.calls.usual = usual
    bench.run(settings(100, 4, tolerance=0.0))
    assert bench.statuses == ["completed"] * 100
    failures = [e.failures for e in bench.of_kind(TrialHealthChanged)]
    assert failures.count(4) > 10
    assert sum(n > 0 for n in failures) > 100
    assert bench.calls.deployed == list(range(100))


def test_pauses_differ_between_trials_by_up_to_a_fifth_and_are_the_same_each_time() -> None:
    def pauses() -> list[float]:
        bench = Bench({i: Script(poll_errors=1) for i in range(20)})
        bench.run(settings(20, 20))
        asked: dict[int, list[float]] = {}
        for polled, index in bench.calls.polls:
            asked.setdefault(index, []).append(polled)
        return [times[1] - times[0] for times in asked.values()]

    assert pauses() == pytest.approx([1.0] * 20, rel=0.2)
    assert len(set(pauses())) == 20
    assert pauses() == pauses()


def test_failing_polls_of_one_trial_do_not_move_those_of_another() -> None:
    bench = Bench({0: Script(seconds=20.0, poll_errors=4), 1: Script(seconds=20.0)})
    bench.run(settings(2, 2))
    polled_at = [polled for polled, index in bench.calls.polls if index == 1]
    assert polled_at == [float(second) for second in range(1, 21)]


# ---- health --------------------------------------------------------------------------------------


def test_health_says_since_when_calls_fail() -> None:
    bench = Bench({0: Script(seconds=9.0, poll_errors=3)})
    bench.run(settings(1))
    told = [(e.failures, e.since) for e in bench.of_kind(TrialHealthChanged)]
    assert told == [(1, at(1.0)), (2, at(1.0)), (3, at(1.0)), (0, None)]


def test_a_poll_that_hangs_is_told_before_its_deadline_and_since_when() -> None:
    bench = host({0: Script(hangs={"poll": 1})})
    told_at: list[tuple[float, int, str]] = []
    publish = bench._publish

    def watch(event: object) -> None:
        if isinstance(event, TrialHealthChanged):
            told_at.append((bench.clock.seconds, event.failures, event.reason))
        publish(event)  # type: ignore[arg-type]  # every event is one

    bench._publish = watch  # type: ignore[method-assign]  # listens in
    bench.run(settings(1))
    assert told_at[:2] == [
        (61.0, 1, "poll_trial has not answered for 60 s"),
        (121.0, 1, "poll_trial of trial 0 did not answer within 120 s."),
    ]
    assert [e.since for e in bench.of_kind(TrialHealthChanged)] == [at(1.0), at(1.0), None]


def test_a_deployment_that_hangs_is_told_long_before_its_deadline_and_ended_on_demand() -> None:
    bench = host({0: Script(hangs={"run": 1})})
    bench.submit_at(62.0, EndCalls(0))
    bench.run(settings(3))
    silent, well = bench.of_kind(TrialHealthChanged)
    assert (silent.reason, silent.since) == ("run_trial has not answered for 60 s", at(0.0))
    assert silent.is_silent
    assert silent.is_deploying
    assert well == TrialHealthChanged(0, 0, "")
    assert bench.calls.given_up[0][1] == "run_trial of trial 0 was ended by the operator."
    assert bench.statuses == ["failed", "completed", "completed"]


def test_a_deployment_is_told_at_half_its_deadline_where_that_is_short() -> None:
    bench = host({0: Script(hangs={"run": 1})})
    bench.run(settings(3, call_deadlines=DEADLINES))
    assert bench.of_kind(TrialHealthChanged)[0].reason == "run_trial has not answered for 5 s"


def test_a_deployment_that_always_takes_long_is_told_once() -> None:
    bench = host({index: Script(run_seconds=100.0) for index in range(3)})
    bench.run(settings(3))
    assert bench.statuses == ["completed"] * 3
    told = [(e.trial_index, e.failures) for e in bench.of_kind(TrialHealthChanged)]
    assert told == [(0, 1), (0, 0)]


def test_a_slow_poll_that_answers_at_last_is_told_as_well_again() -> None:
    bench = host({0: Script(poll_seconds=70.0)})
    bench.run(settings(1))
    assert [e.failures for e in bench.of_kind(TrialHealthChanged)] == [1, 0]
    assert bench.statuses == ["completed"]


# ---- a person is faster than the runner ----------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (MarkFailed(0, "leak"), TrialStatus.FAILED),
        (Abandon(0, "spilt"), TrialStatus.ABANDONED),
        (EnterResult(0, {"y": 0.5}), TrialStatus.COMPLETED),
    ],
)
@pytest.mark.parametrize("run_seconds", [5.0, 15.0])
def test_a_trial_that_a_person_ended_while_it_was_deployed_stays_ended_and_can_be_found(
    command: MarkFailed | Abandon | EnterResult, status: TrialStatus, run_seconds: float
) -> None:
    bench = Bench({0: Script(run_seconds=run_seconds)})
    bench.submit_at(3.0, command)
    bench.run(settings(2, call_deadlines=DEADLINES))
    trial = bench.trial(0)
    assert trial.status is status
    assert trial.metadata == {"job": 0}
    assert trial.reason == getattr(command, "reason", "")
    assert trial.started_at == at(run_seconds)
    assert bench.warnings[-1] == f"the reactor has started trial 0, which was {status} meanwhile."
    assert bench.calls.deployed == [0, 1]
    assert all(index == 1 for _, index in bench.calls.polls)


# ---- lying plugins -------------------------------------------------------------------------------


def test_a_trial_that_was_completed_is_polled_no_more() -> None:
    bench = Bench({0: Script(seconds=2.0, fetch_errors={"y": 3})})

    def lie() -> None:
        bench.scripts[0].ends_as = TrialStatus.RUNNING

    bench.clock.at(2.5, lie)
    bench.run(settings(1))
    assert [polled for polled, _ in bench.calls.polls] == [1.0, 2.0]
    assert bench.statuses == ["completed"]


def test_the_value_at_the_highest_progression_counts_in_whatever_order_values_come() -> None:
    bench = Bench({0: Script(seconds=3.0)})
    bench.calls.early = ("y",)
    bench.calls.progression = lambda seconds: 10.0 - seconds
    bench.run(settings(1))
    trial = bench.trial(0)
    assert [o.progression for o in trial.observations] == [9.0, 8.0, 7.0]
    latest = trial.latest("y")
    assert latest is not None
    assert latest.progression == 9.0
