"""What an operator's commands do to a run."""

from dataclasses import replace

import pytest

from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AnswerQuestion,
    ChangeRunSettings,
    Command,
    EnterResult,
    FetchAgain,
    Leave,
    MarkFailed,
    Pause,
    Resume,
    SetExcluded,
    SetNote,
    Stop,
    StopNow,
)
from axdesk.core.errors import NotFoundError, StorageError, TransitionError, UserInputError
from axdesk.core.events import Event, RunChanged, Warned
from axdesk.core.questions import Answer
from axdesk.core.run import CallDeadlines, RunState
from axdesk.core.trial import Observation, TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings


def slow(trials: int, seconds: float = 10.0) -> dict[int, Script]:
    return {index: Script(seconds=seconds) for index in range(trials)}


def test_a_paused_run_waits_for_running_trials_and_launches_none_until_resumed() -> None:
    bench = Bench(slow(4))
    bench.submit_at(3.0, Pause())
    bench.submit_at(50.0, Resume())
    assert bench.run(settings(4, 2)).state is RunState.COMPLETED
    assert bench.states == ["starting", "running", "pausing", "paused", "running", "completed"]
    assert [called for _, called, _ in bench.calls.launches] == [0.0, 0.0, 50.0, 50.0]
    paused = next(e for e in bench.events if isinstance(e, RunChanged) and e.run.state == "paused")
    assert paused.run.elapsed_seconds == 10.0


def test_pausing_is_cancelled_by_resume() -> None:
    bench = Bench(slow(2))
    bench.submit_at(3.0, Pause())
    bench.submit_at(4.0, Resume())
    bench.run(settings(2))
    assert bench.states == ["starting", "running", "pausing", "running", "completed"]


def test_stop_lets_running_trials_finish_and_starts_none() -> None:
    bench = Bench(slow(9))
    bench.submit_at(3.0, Stop())
    run = bench.run(settings(9, 2))
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped by the operator")
    assert bench.statuses == ["completed", "completed"]


def test_stop_is_cancelled_by_resume() -> None:
    bench = Bench(slow(4))
    bench.submit_at(3.0, Stop())
    bench.submit_at(4.0, Resume())
    assert bench.run(settings(4, 2)).state is RunState.COMPLETED
    assert bench.statuses == ["completed"] * 4


def test_a_stopped_run_goes_on_when_it_is_resumed() -> None:
    bench = Bench(slow(3))
    bench.submit_at(3.0, Stop())
    bench.run(settings(3))
    bench.clock.seconds = 1000.0
    run = bench.run()
    assert (run.index, run.state, run.elapsed_seconds) == (0, RunState.COMPLETED, 30.0)
    assert bench.calls.deployed == [0, 1, 2]


def test_stop_now_abandons_only_what_could_be_stopped() -> None:
    bench = Bench(slow(3))
    bench.calls.can_stop = True
    bench.scripts[1].stop_error = "the valve is stuck"
    bench.scripts[2].stop_seconds = HANG
    bench.submit_at(3.0, StopNow())
    assert bench.run(settings(9, 3)).state is RunState.STOPPED
    assert bench.statuses == ["abandoned", "running", "running"]
    assert bench.trial(0).reason == "stopped by the operator"
    assert bench.warnings == [
        "Trial 1 could not be stopped: the valve is stuck",
        "Trial 2 could not be stopped: stop_trial did not answer in time.",
    ]


def test_what_stop_now_left_running_is_polled_when_the_run_is_resumed() -> None:
    bench = Bench(slow(2))
    bench.submit_at(3.0, StopNow())
    assert bench.run(settings(2, 2)).state is RunState.STOPPED
    assert bench.statuses == ["running", "running"]
    assert bench.clock.seconds == 3.0
    bench.clock.seconds = 6.0
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 1]
    assert bench.statuses == ["completed", "completed"]


def test_a_trial_keeps_the_time_that_it_ran_before_stop_now() -> None:
    bench = Bench(slow(1))
    bench.submit_at(3.0, StopNow())
    bench.run(settings(1))
    bench.clock.seconds = 100.0
    bench.run()
    assert bench.trial(0).elapsed_seconds == 3.0


def test_stop_now_stops_a_trial_that_was_just_being_deployed() -> None:
    bench = Bench({0: Script(run_seconds=5.0, seconds=60.0)})
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    assert bench.run(settings(2)).state is RunState.STOPPED
    assert bench.calls.stopped == [0]
    assert bench.statuses == ["abandoned"]


def test_stop_now_waits_for_a_deployment_no_longer_than_its_deadline() -> None:
    bench = Bench({0: Script(run_seconds=HANG)})
    bench.submit_at(3.0, StopNow())
    assert bench.run(settings(2, call_deadlines=CallDeadlines(run=10.0))).state is RunState.STOPPED
    assert bench.clock.seconds == 10.0
    assert bench.trial(0).status is TrialStatus.FAILED
    assert bench.trial(0).may_have_started


def test_stop_now_asked_twice_waits_for_nothing() -> None:
    bench = Bench({0: Script(seconds=60.0, stop_seconds=HANG), 1: Script(run_seconds=HANG)})
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    bench.submit_at(4.0, StopNow())
    assert bench.run(settings(2, 2)).state is RunState.STOPPED
    assert bench.clock.seconds == 4.0
    assert bench.statuses == ["running", "staged"]


@pytest.mark.parametrize("tolerance", [0.0, 0.5])
def test_trials_that_the_operator_stops_are_no_failures(tolerance: float) -> None:
    bench = Bench(slow(6))
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    run = bench.run(settings(6, 6, tolerance=tolerance))
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped by the operator")
    assert bench.statuses == ["abandoned"] * 6


def test_stop_now_is_cancelled_by_resume() -> None:
    bench = Bench({0: Script(seconds=9.0, stop_seconds=2.0, stop_error="no"), 1: Script()})
    bench.calls.can_stop = True
    bench.submit_at(3.0, StopNow())
    bench.submit_at(4.0, Resume())
    assert bench.run(settings(2)).state is RunState.COMPLETED
    assert bench.statuses == ["completed", "completed"]
    assert bench.calls.deployed == [0, 1]


def test_commands_that_do_not_fit_are_refused_and_change_nothing() -> None:
    bench = Bench(slow(1))
    commands = [
        Resume(),
        ChangeRunSettings(),
        ChangeRunSettings(max_trials=0),
        EnterResult(7, {"y": 1.0}),
        EnterResult(0, {"z": 1.0}),
        AnswerQuestion(0, Answer.REDEPLOY),
        AddTrial({"x": "high"}),
    ]
    for command in commands:
        bench.submit_at(3.0, command)
    bench.run(settings(1))
    assert [type(answer.exception()) for answer in bench.answers] == [
        TransitionError,
        UserInputError,
        UserInputError,
        NotFoundError,
        UserInputError,
        UserInputError,
        UserInputError,
    ]
    assert bench.statuses == ["completed"]
    assert bench.store.audit == []


def test_commands_after_the_end_are_refused() -> None:
    bench = Bench()
    bench.run(settings(1))
    late = bench.scheduler.submit(Pause())
    bench.scheduler.refuse_commands()
    assert isinstance(late.exception(timeout=0), TransitionError)


def test_a_command_that_comes_with_the_end_is_refused_before_the_run_is_told_as_finished() -> None:
    bench = Bench()
    bench.calls.usual = Script(seconds=1.0)
    bench.submit_at(1.0, SetNote(0, "first"))
    bench.run(settings(1))
    assert bench.answers[0].done()


def test_a_command_whose_answer_nobody_wants_any_more_does_no_harm() -> None:
    bench = Bench(slow(2))
    bench.clock.at(3.0, lambda: bench.scheduler.submit(Pause()).cancel())
    assert bench.run(settings(2)).state is RunState.COMPLETED
    assert "pausing" not in bench.states


def test_a_command_that_cannot_be_stored_is_refused_and_the_run_goes_on() -> None:
    bench = Bench(slow(1))

    def fill_disk() -> None:
        bench.store.fails_from = 0

    def empty_disk() -> None:
        bench.store.fails_from = None

    bench.clock.at(3.0, fill_disk)
    bench.submit_at(3.5, SetNote(0, "foamed"))
    bench.clock.at(4.5, empty_disk)
    assert bench.run(settings(1)).state is RunState.COMPLETED
    assert isinstance(bench.answers[0].exception(), StorageError)
    assert bench.trial(0).note == ""


def test_a_command_that_meets_a_defect_is_answered_before_the_run_ends() -> None:
    bench = Bench(slow(1))
    bench.store.error = ZeroDivisionError()

    def break_store() -> None:
        bench.store.fails_from = 0

    bench.clock.at(3.0, break_store)
    bench.submit_at(3.5, SetNote(0, "foamed"))
    with pytest.raises(ZeroDivisionError):
        bench.run(settings(1))
    assert isinstance(bench.answers[0].exception(), ZeroDivisionError)


def test_settings_are_changed_while_the_run_goes_on() -> None:
    bench = Bench(slow(9))
    bench.submit_at(3.0, ChangeRunSettings(max_trials=4, parallelism=3))
    run = bench.run(settings(2))
    assert run.settings.max_trials == 4
    assert [called for _, called, _ in bench.calls.launches] == [0.0, 3.0, 3.0, 10.0]
    (entry,) = bench.store.audit
    assert entry.action == "change_run_settings"
    assert entry.before == "max_trials = 2; parallelism = 1"
    assert entry.after == "max_trials = 4; parallelism = 3"


def test_a_budget_below_what_was_started_is_refused() -> None:
    bench = Bench(slow(9))
    bench.submit_at(3.0, ChangeRunSettings(max_trials=2))
    bench.run(settings(3, 3))
    assert "3 trials were started" in str(bench.answers[0].exception())


def test_a_result_that_is_entered_ends_a_running_trial() -> None:
    bench = Bench({0: Script(seconds=999.0)})
    bench.submit_at(3.0, EnterResult(0, {"y": (0.5, 0.1)}))
    bench.run(settings(1))
    assert bench.trial(0).status is TrialStatus.COMPLETED
    assert bench.trial(0).elapsed_seconds == 3.0
    assert bench.clock.seconds == 3.0


def test_a_trial_that_is_given_up_frees_its_slot() -> None:
    bench = Bench({0: Script(seconds=999.0), 1: Script(seconds=999.0)})
    bench.submit_at(3.0, MarkFailed(0, "leak"))
    bench.submit_at(6.0, Abandon(1, "spilt"))
    bench.run(settings(4))
    assert bench.statuses == ["failed", "abandoned", "completed", "completed"]
    assert [called for _, called, _ in bench.calls.launches][:3] == [0.0, 3.0, 6.0]


def test_notes_and_exclusion_change_nothing_for_a_running_trial() -> None:
    bench = Bench(slow(1))
    bench.submit_at(3.0, SetNote(0, "foamed"))
    bench.submit_at(4.0, SetExcluded(0, True))
    bench.run(settings(1))
    trial = bench.trial(0)
    assert (trial.status, trial.note, trial.is_excluded) == ("completed", "foamed", True)


def test_a_trial_that_a_person_adds_takes_no_slot_and_is_never_polled() -> None:
    bench = Bench(slow(3))
    bench.submit_at(3.0, AddTrial({"x": 0.9}))
    run = bench.run(settings(2))
    assert run.state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 2]
    assert bench.trial(1).status is TrialStatus.RUNNING
    assert bench.trial(1).run_index is None
    assert bench.generator.requests[-1].trial_index == 2


def test_a_trial_from_outside_is_taken_and_told() -> None:
    bench = Bench(slow(1))
    bench.submit_at(3.0, AddTrial({"x": 3.0}, result={"y": 1.0}))
    bench.run(settings(1))
    assert [answer.exception() for answer in bench.answers] == [None]
    assert bench.trial(1).parameters == {"x": 3.0}
    (warned,) = [event for event in bench.events if isinstance(event, Warned)]
    assert warned.message.startswith("Trial 1 lies outside the search space. Parameter 'x': the")
    assert warned.hint


# ---- leave ---------------------------------------------------------------------------------------


def test_a_run_that_is_left_ends_at_once_and_its_trials_run_on() -> None:
    bench = Bench(slow(2))
    bench.calls.can_stop = True
    bench.submit_at(3.5, Leave("the window was closed"))
    run = bench.run(settings(2, 2))
    assert (run.state, run.reason) == (RunState.INTERRUPTED, "the window was closed")
    assert bench.clock.seconds == 3.5
    assert bench.answers[0].result() is None
    assert bench.calls.stopped == []
    assert bench.statuses == ["running", "running"]
    assert [t.elapsed_seconds for t in bench.experiment.trials.values()] == [3.5, 3.5]
    assert run.elapsed_seconds == 3.5
    bench.clock.seconds = 100.0
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [0, 1]


@pytest.mark.parametrize(
    ("earlier", "script"),
    [
        ((), Script(run_seconds=HANG)),
        ((), Script(seconds=99.0, poll_seconds=HANG)),
        ((Pause(),), Script(seconds=99.0)),
        ((Stop(),), Script(seconds=99.0)),
        ((StopNow(),), Script(seconds=99.0, stop_seconds=HANG)),
        ((Pause(),), Script(seconds=4.0)),
    ],
)
def test_a_run_can_be_left_in_every_state_whatever_hangs(
    earlier: tuple[Command, ...], script: Script
) -> None:
    bench = Bench({0: script})
    bench.calls.can_stop = True
    for command in earlier:
        bench.submit_at(3.0, command)
    bench.submit_at(5.0, Leave())
    run = bench.run(settings(3))
    assert run.state is RunState.INTERRUPTED
    assert bench.clock.seconds == 5.0
    assert bench.calls.deployed == [0]


def test_a_run_that_only_waits_for_an_answer_can_be_left() -> None:
    bench = Bench(waits_for_answers=True)
    bench.interrupted(settings(1))
    bench.put(TrialStatus.STAGED)
    bench.submit_at(50.0, Leave())
    assert bench.run().state is RunState.INTERRUPTED
    assert bench.trial(0).is_uncertain


# ---- fetch again ---------------------------------------------------------------------------------


def test_a_trial_whose_result_could_not_be_fetched_can_be_fetched_again() -> None:
    bench = Bench({0: Script(fetch_errors={"y": 7}), 1: Script(seconds=99.0)})
    bench.submit_at(50.0, FetchAgain(0))
    assert bench.run(settings(2, tolerance=0.9)).state is RunState.COMPLETED
    assert [str(t.status) for t in bench.store.of_trial(0)] == [
        "staged",
        "running",
        "failed",
        "running",
        "completed",
    ]
    (entry,) = bench.store.audit
    assert (entry.action, entry.trial_index, entry.after) == ("fetch_again", 0, "running")
    assert entry.before == "failed: result could not be fetched (5 tries): y raised: no file"
    assert bench.trial(0).reason == ""
    assert bench.trial(0).observations == (Observation("y", 0.0),)
    assert bench.calls.deployed == [0, 1]


def test_a_trial_that_cannot_be_fetched_again_either_has_failed_again() -> None:
    bench = Bench({0: Script(fetch_errors={"y": 99}), 1: Script(seconds=99.0)})
    bench.submit_at(50.0, FetchAgain(0))
    bench.run(settings(2))
    assert bench.statuses == ["failed", "completed"]
    assert sum(index == 0 for _, index, _ in bench.calls.fetches) == 10


def test_only_a_failed_trial_that_was_started_is_fetched_again() -> None:
    bench = Bench({0: Script(seconds=20.0), 1: Script(run_errors=1), 2: Script(seconds=20.0)})
    for index in (0, 1, 7):
        bench.submit_at(30.0, FetchAgain(index))
    bench.run(settings(3, tolerance=0.9))
    assert [type(answer.exception()) for answer in bench.answers] == [
        TransitionError,
        TransitionError,
        NotFoundError,
    ]
    assert "is completed" in str(bench.answers[0].exception())
    assert "the runner never said that it started" in str(bench.answers[1].exception())


# ---- what the history keeps ----------------------------------------------------------------------


def test_the_history_keeps_why_a_trial_failed_whose_result_is_entered_later() -> None:
    bench = Bench({0: Script(fetch_errors={"y": 9}), 1: Script(seconds=99.0)})
    bench.submit_at(50.0, EnterResult(0, {"y": 0.7}, note="from the paper"))
    bench.run(settings(2))
    (entry,) = bench.store.audit
    assert entry.before == "failed: result could not be fetched (5 tries): y raised: no file"
    assert entry.after == "completed; y = 0.7"
    assert entry.note == "from the paper"


def test_the_history_keeps_that_an_answer_came_late() -> None:
    bench = Bench({0: Script(run_seconds=25.0)})
    bench.run(settings(1, tolerance=0.9, call_deadlines=CallDeadlines(run=20.0)))
    (entry,) = bench.store.audit
    assert entry.action == "adopt_late_answer"
    assert entry.before == (
        "failed: run_trial did not answer within 20 s; the trial may have started"
    )


@pytest.mark.parametrize("command", [Pause(), Stop(), Leave()])
def test_what_is_asked_while_the_run_starts_holds_from_its_first_trial_on(command: Command) -> None:
    bench = Bench()
    bench.interrupted(settings(3))
    bench.experiment.put(replace(bench.put(TrialStatus.STAGED), staged_at=None))
    publish = bench._publish

    def submit_at_once(event: Event) -> None:
        publish(event)
        if isinstance(event, RunChanged) and event.run.state is RunState.STARTING:
            bench.answers.append(bench.scheduler.submit(command))

    bench._publish = submit_at_once  # type: ignore[method-assign]  # listens in
    bench.submit_at(50.0, Leave())
    bench.run()
    assert bench.answers[0].result() is None
    assert bench.calls.deployed == []
