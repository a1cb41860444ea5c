"""What a run does when a plugin's call failed for good."""

from itertools import pairwise
from typing import Any

import pytest

from axdesk.core.commands import (
    AnswerQuestion,
    ChangeRunSettings,
    EnterResult,
    Leave,
    MarkFailed,
    Pause,
    Resume,
    Stop,
    StopNow,
)
from axdesk.core.errors import DecisionNeededError, UserInputError
from axdesk.core.events import QuestionAnswered, QuestionAsked
from axdesk.core.questions import Answer, FailedCall, Question
from axdesk.core.run import RetryBudget, RunSettings, RunState
from axdesk.core.trial import TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings

NO_LINE = Script(poll_errors=99)
NO_FILE = Script(fetch_errors={"y": 99})
NO_PRESSURE = Script(run_errors=99)


def wanted(max_trials: int = 2, parallelism: int = 1, on_error: str = "pause") -> RunSettings:
    """Settings of a run that gives a call up at its second failure."""
    more: dict[str, Any] = {"on_error": on_error, "retry_budget": RetryBudget(2, 2)}
    return settings(max_trials, parallelism, **more)


def asking(script: Script, *, waits: bool = True, can_find: bool = False) -> Bench:
    """Return a bench on which trial 0 asks within 10 s."""
    bench = Bench({0: script}, waits_for_answers=waits)
    bench.calls.can_find = can_find
    return bench


def asked(bench: Bench) -> Question:
    (event,) = bench.of_kind(QuestionAsked)
    question = event.question
    assert isinstance(question, Question)
    return question


# ---- continue and stop ---------------------------------------------------------------------------


@pytest.mark.parametrize("script", [NO_LINE, NO_FILE, NO_PRESSURE])
def test_by_default_a_failed_call_costs_one_trial(script: Script) -> None:
    bench = asking(script)
    assert bench.run(wanted(on_error="continue")).state is RunState.COMPLETED
    assert bench.statuses == ["failed", "completed"]
    assert bench.of_kind(QuestionAsked) == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (NO_LINE, "could not be polled (2 tries): poll_trial raised: no line"),
        (NO_FILE, "result could not be fetched (2 tries): y raised: no file"),
        (NO_PRESSURE, "run_trial raised: no pressure"),
    ],
)
def test_a_run_that_is_to_stop_lets_running_trials_finish_and_says_why(
    script: Script, reason: str
) -> None:
    bench = Bench({0: Script(seconds=20.0), 1: script})
    run = bench.run(wanted(9, 2, "stop"))
    assert run.state is RunState.STOPPED
    assert run.reason == f"stopped by an error of trial 1: {reason}"
    assert bench.statuses == ["completed", "failed"]
    assert bench.states == ["starting", "running", "stopping", "stopped"]
    assert bench.run().state is RunState.COMPLETED


@pytest.mark.parametrize("on_error", ["pause", "stop"])
@pytest.mark.parametrize(
    "script", [Script(ends_as=TrialStatus.FAILED), Script(fails_because="the vessel leaks")]
)
def test_what_the_laboratory_itself_calls_failed_is_no_error(on_error: str, script: Script) -> None:
    bench = Bench({0: script})
    assert bench.run(wanted(2, 1, on_error)).state is RunState.COMPLETED
    assert bench.statuses == ["failed", "completed"]


# ---- pause ---------------------------------------------------------------------------------------


def test_the_run_pauses_and_asks_and_goes_on_once_it_is_answered() -> None:
    bench = Bench({0: NO_LINE, 1: Script(seconds=8.0)}, waits_for_answers=True)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.MARK_FAILED))
    assert bench.run(wanted(3, 2)).state is RunState.COMPLETED
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
        "trial 0 has 1 failures",
        "trial 0 has 2 failures",
        "trial 0 running",
        "question about 0",
        "run needs_attention",
        "trial 1 completed",
        "trial 0 failed",
        "answered 0: mark_failed",
        "run running",
        "suggesting 2",
        "trial 2 staged",
        "trial 2 running",
        "trial 2 completed",
        "run completed",
        "finished completed",
    ]
    question = asked(bench)
    assert question.failed_call is FailedCall.POLL
    assert question.happened == (
        "Trial 0: could not be polled (2 tries): poll_trial raised: no line."
    )
    assert question.answers == (Answer.ASK_RUNNER, Answer.MARK_FAILED, Answer.STOP_RUN)
    assert bench.trial(0).reason == "could not be polled (2 tries): poll_trial raised: no line"


@pytest.mark.parametrize("script", [Script(poll_errors=2), Script(fetch_errors={"y": 2})])
def test_the_runner_is_asked_again_with_a_whole_budget(script: Script) -> None:
    bench = asking(script)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    assert bench.run(wanted(1)).state is RunState.COMPLETED
    assert bench.statuses == ["completed"]
    assert bench.trial(0).reason == ""
    assert len(bench.of_kind(QuestionAsked)) == 1


def test_what_fails_again_is_asked_again() -> None:
    bench = asking(Script(poll_errors=4))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.submit_at(100.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.run(wanted(1))
    assert len(bench.of_kind(QuestionAsked)) == 2
    assert bench.states.count("needs_attention") == 2
    assert bench.statuses == ["completed"]


def test_a_result_that_is_entered_settles_the_error() -> None:
    bench = asking(NO_FILE)
    bench.submit_at(50.0, EnterResult(0, {"y": 3.0}))
    assert bench.run(wanted()).state is RunState.COMPLETED
    assert bench.statuses == ["completed", "completed"]
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, None)]


def test_a_command_that_ends_the_trial_settles_the_error() -> None:
    bench = asking(NO_FILE)
    bench.submit_at(50.0, MarkFailed(0, "spilt"))
    bench.run(wanted())
    assert bench.statuses == ["failed", "completed"]
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, None)]


def test_to_stop_the_run_leaves_the_trial_to_the_next_sitting() -> None:
    bench = asking(Script(poll_errors=2))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.STOP_RUN))
    run = bench.run(wanted())
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped by the operator")
    assert bench.statuses == ["running"]
    assert bench.trial(0).reason != ""
    bench.submit_at(bench.clock.seconds, Stop())
    bench.scripts[0] = Script(seconds=200.0)
    bench.clock.at(bench.clock.seconds + 90.0, lambda: bench.scheduler.submit(Leave()))
    bench.run()
    assert (bench.statuses, bench.trial(0).reason) == (["running"], "")
    assert bench.run().state is RunState.COMPLETED
    assert bench.statuses == ["completed", "completed"]


def test_resume_with_the_question_open_starts_new_trials() -> None:
    bench = asking(Script(poll_errors=2))
    bench.submit_at(20.0, Resume())
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.run(wanted(2))
    assert bench.statuses == ["completed", "completed"]
    assert bench.states == [
        "starting",
        "running",
        "needs_attention",
        "running",
        "needs_attention",
        "running",
        "completed",
    ]
    assert bench.trial(1).started_at == bench.clock.wall(20.0)
    polls = [at for at, index in bench.calls.polls if index == 0 and at > 10.0]
    assert min(polls) == 50.0


@pytest.mark.parametrize("when", [0.5, 1.5])
def test_a_pause_of_the_operator_stays_a_pause(when: float) -> None:
    bench = asking(NO_LINE)
    bench.submit_at(when, Pause())
    bench.submit_at(30.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.submit_at(60.0, Resume())
    bench.run(wanted())
    assert bench.states == ["starting", "running", "pausing", "paused", "running", "completed"]
    assert bench.trial(1).started_at == bench.clock.wall(60.0)


def test_a_run_that_stops_ends_with_the_question_open() -> None:
    bench = asking(NO_LINE)
    bench.submit_at(0.5, Stop())
    assert bench.run(wanted()).state is RunState.STOPPED
    assert bench.statuses == ["running"]
    assert bench.trial(0).reason.startswith("could not be polled")


def test_stop_now_also_stops_what_is_asked_about() -> None:
    bench = asking(NO_LINE)
    bench.calls.can_stop = True
    bench.submit_at(50.0, StopNow())
    assert bench.run(wanted()).state is RunState.STOPPED
    assert bench.calls.stopped == [0]
    assert bench.statuses == ["abandoned"]
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, None)]


def test_without_anybody_to_answer_the_run_ends_with_what_is_to_be_decided() -> None:
    bench = Bench({0: NO_LINE, 1: Script(seconds=30.0)})
    with pytest.raises(DecisionNeededError) as caught:
        bench.run(wanted(9, 2))
    assert caught.value.trial_indices == (0,)
    assert "Trial 0: could not be polled (2 tries): poll_trial raised: no line." in str(
        caught.value
    )
    run = bench.scheduler.current
    assert (run.state, run.reason) == (RunState.STOPPED, "a decision is needed about trial 0")
    assert bench.statuses == ["running", "completed"]
    bench.scripts[0] = Script()
    bench.run()
    assert bench.statuses == 9 * ["completed"]


def test_a_run_that_is_killed_while_it_asks_asks_again() -> None:
    bench = asking(NO_LINE)
    bench.interrupted(wanted())
    bench.killed_at(40.0)
    assert len(bench.of_kind(QuestionAsked)) == 1
    bench.submit_at(90.0, AnswerQuestion(0, Answer.MARK_FAILED))
    assert bench.run().state is RunState.COMPLETED
    assert asked(bench).failed_call is FailedCall.POLL
    assert bench.statuses == ["failed", "completed"]


def test_a_larger_budget_does_not_resume_what_waits_for_an_answer() -> None:
    bench = asking(NO_LINE)
    bench.submit_at(20.0, ChangeRunSettings(max_trials=5))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.run(wanted())
    assert bench.trial(1).started_at == bench.clock.wall(50.0)
    assert len(bench.experiment.trials) == 5


# ---- run_trial -----------------------------------------------------------------------------------


def test_a_deployment_that_failed_may_be_repeated_by_a_person_alone() -> None:
    bench = asking(Script(run_errors=1))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.run(wanted())
    question = asked(bench)
    assert question.failed_call is FailedCall.RUN
    assert question.answers == (Answer.REDEPLOY, Answer.MARK_FAILED, Answer.STOP_RUN)
    assert bench.calls.deployed == [0, 0, 1]
    assert bench.statuses == ["completed", "completed"]


def test_a_deployment_that_is_marked_failed_may_have_started() -> None:
    bench = asking(NO_PRESSURE)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.run(wanted())
    assert bench.trial(0).reason == "run_trial raised: no pressure (may have started)"
    assert bench.trial(0).may_have_started


def test_a_runner_that_finds_its_trials_is_asked_before_a_person_is() -> None:
    bench = asking(Script(run_errors=1, starts_anyway=True), can_find=True)
    bench.run(wanted(1))
    assert bench.of_kind(QuestionAsked) == []
    assert bench.statuses == ["completed"]


def test_a_search_that_fails_is_asked_about_and_repeated_on_demand() -> None:
    bench = asking(Script(run_errors=1, starts_anyway=True, find_error="no line"), can_find=True)

    def mend() -> None:
        bench.scripts[0] = Script(run_errors=1, starts_anyway=True)

    bench.clock.at(40.0, mend)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.run(wanted(1))
    assert Answer.ASK_RUNNER in asked(bench).answers
    assert bench.calls.deployed == [0]
    assert bench.statuses == ["completed"]


def test_a_trial_that_surely_did_not_start_is_asked_about_once_it_failed_twice() -> None:
    bench = asking(Script(run_errors=2), can_find=True)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.run(wanted(1))
    assert asked(bench).answers == (Answer.REDEPLOY, Answer.MARK_FAILED, Answer.STOP_RUN)
    assert bench.calls.deployed == [0, 0, 0]
    assert bench.statuses == ["completed"]


def test_a_late_answer_settles_the_question() -> None:
    bench = asking(Script(run_seconds=700.0, seconds=900.0))
    bench.run(wanted(1))
    assert asked(bench).answers == (Answer.MARK_FAILED, Answer.STOP_RUN)
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, None)]
    assert bench.statuses == ["completed"]


def test_a_late_error_is_asked_about_anew() -> None:
    bench = asking(Script(run_seconds=700.0, run_errors=1))
    bench.submit_at(650.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.submit_at(800.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.scripts[1] = Script()
    bench.run(wanted(1))
    assert isinstance(bench.answers[0].exception(), UserInputError)
    first, second, *_ = [event.question for event in bench.of_kind(QuestionAsked)]
    assert Answer.REDEPLOY not in first.answers
    assert Answer.REDEPLOY in second.answers


def test_a_call_that_hangs_can_be_left_behind() -> None:
    bench = asking(Script(hangs={"run": 1}, run_seconds=HANG))
    bench.submit_at(700.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.submit_at(800.0, StopNow())
    assert bench.run(wanted()).state is RunState.STOPPED
    assert bench.statuses == ["failed"]


def test_a_call_that_never_reached_its_plugin_is_asked_about_with_a_whole_budget() -> None:
    bench = asking(Script(not_entered={"run": 3}))
    bench.submit_at(500.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.run(wanted(1))
    assert "could not be started (2 tries)" in asked(bench).happened
    assert not asked(bench).answers.count(Answer.ASK_RUNNER)
    assert bench.statuses == ["completed"]


# ---- for the rest of the run ---------------------------------------------------------------------


def test_an_answer_may_hold_for_the_rest_of_the_run_also_after_a_restart() -> None:
    bench = Bench({0: NO_LINE, 1: NO_LINE, 2: NO_FILE}, waits_for_answers=True)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.MARK_FAILED, for_the_rest=True))
    bench.submit_at(90.0, AnswerQuestion(2, Answer.STOP_RUN))
    run = bench.run(wanted(5))
    assert run.standing_answers == ((FailedCall.POLL, Answer.MARK_FAILED),)
    assert [event.question.trial_index for event in bench.of_kind(QuestionAsked)] == [0, 2]
    assert bench.statuses == ["failed", "failed", "running"]
    (entry,) = [entry for entry in bench.store.audit if entry.action == "answer_question"]
    assert (entry.trial_index, entry.after) == (0, "mark_failed, for the rest of the run")
    bench.scripts |= {2: Script(), 3: NO_LINE}
    assert bench.run().state is RunState.COMPLETED
    assert bench.statuses == ["failed", "failed", "completed", "failed", "completed"]
    assert bench.of_kind(QuestionAsked) == []


def test_the_runner_may_be_asked_for_ever_but_not_in_one_breath() -> None:
    bench = asking(Script(poll_errors=20))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER, for_the_rest=True))
    bench.run(wanted(1))
    assert bench.statuses == ["completed"]
    assert len(bench.of_kind(QuestionAsked)) == 1
    times = [at for at, _ in bench.calls.polls if at > 50.0]
    assert all(later - earlier > 0.5 for earlier, later in pairwise(times))


@pytest.mark.parametrize(
    ("script", "answer"),
    [
        (NO_PRESSURE, Answer.REDEPLOY),
        (NO_PRESSURE, Answer.STOP_RUN),
        (NO_LINE, Answer.STOP_RUN),
    ],
)
def test_what_cannot_be_known_beforehand_is_not_answered_for_the_rest(
    script: Script, answer: Answer
) -> None:
    bench = asking(script)
    bench.submit_at(50.0, AnswerQuestion(0, answer, for_the_rest=True))
    bench.submit_at(60.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.run(wanted())
    error = bench.answers[0].exception()
    assert isinstance(error, UserInputError)
    assert "for the rest of the run" in str(error)
    assert bench.scheduler.current.standing_answers == ()
