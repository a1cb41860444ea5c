"""Trials of which nobody knows whether they started."""

from dataclasses import replace
from itertools import pairwise
from typing import Literal

import pytest

from axdesk.core.commands import (
    Abandon,
    AnswerQuestion,
    EnterResult,
    MarkFailed,
    Pause,
    Resume,
    SetNote,
    Stop,
)
from axdesk.core.errors import DecisionNeededError, UserInputError
from axdesk.core.events import QuestionAnswered, QuestionAsked
from axdesk.core.questions import Answer
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench, settings


def left_staged(
    max_trials: int = 2,
    *,
    can_find: bool = False,
    option: Literal["ask", "abandon", "redeploy"] = "ask",
    waits: bool = False,
) -> Bench:
    """Return a bench whose first run died between staging trial 0 and the runner's answer."""
    bench = Bench(waits_for_answers=waits)
    bench.calls.can_find = can_find
    bench.interrupted(settings(max_trials, uncertain_deployment=option))
    bench.put(TrialStatus.STAGED)
    return bench


def test_a_trial_that_the_runner_finds_is_followed_and_not_deployed_again() -> None:
    bench = left_staged(can_find=True)
    bench.calls.started[0] = 0.0
    bench.run()
    assert bench.calls.searched == [0]
    assert bench.calls.deployed == [1]
    assert bench.statuses == ["completed", "completed"]


def test_a_trial_that_surely_did_not_start_is_deployed_once() -> None:
    bench = left_staged(can_find=True)
    bench.run()
    assert bench.calls.deployed == [0, 1]
    assert bench.statuses == ["completed", "completed"]


def test_without_an_answer_the_run_goes_on_and_ends_with_what_is_to_be_decided() -> None:
    bench = left_staged(3)
    with pytest.raises(DecisionNeededError) as caught:
        bench.run()
    assert caught.value.trial_indices == (0,)
    assert bench.statuses == ["staged", "completed", "completed"]
    assert bench.trial(0).is_uncertain
    assert bench.scheduler.current.state is RunState.STOPPED
    (asked,) = bench.of_kind(QuestionAsked)
    assert asked.question.answers == (Answer.REDEPLOY, Answer.MARK_FAILED, Answer.ABANDON)
    assert all(0 in dict(request.pending) for request in bench.generator.requests)


@pytest.mark.parametrize(
    ("option", "deployed", "status"),
    [("redeploy", [0, 1], "completed"), ("abandon", [1], "abandoned")],
)
def test_the_option_decides_instead_of_a_person(
    option: Literal["abandon", "redeploy"], deployed: list[int], status: str
) -> None:
    bench = left_staged(option=option)
    bench.run()
    assert bench.calls.deployed == deployed
    assert bench.statuses == [status, "completed"]


@pytest.mark.parametrize(
    ("answer", "deployed", "status"),
    [
        (Answer.REDEPLOY, [1, 0], "completed"),
        (Answer.MARK_FAILED, [1], "failed"),
        (Answer.ABANDON, [1], "abandoned"),
    ],
)
def test_a_run_that_waits_for_answers_needs_attention_and_then_does_as_told(
    answer: Answer, deployed: list[int], status: str
) -> None:
    bench = left_staged(waits=True)
    bench.submit_at(50.0, AnswerQuestion(0, answer))
    assert bench.run().state is RunState.COMPLETED
    assert bench.states[:3] == ["starting", "running", "needs_attention"]
    assert bench.calls.deployed == deployed
    assert bench.statuses == [status, "completed"]
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, answer)]


def test_a_result_that_is_entered_answers_the_question() -> None:
    bench = left_staged(waits=True)
    bench.submit_at(50.0, EnterResult(0, {"y": 1.0}))
    assert bench.run().state is RunState.COMPLETED
    assert bench.statuses == ["completed", "completed"]
    assert bench.of_kind(QuestionAnswered) == [QuestionAnswered(0, None)]


def test_a_note_answers_no_question() -> None:
    bench = left_staged(waits=True)
    bench.submit_at(40.0, SetNote(0, "asked the night shift"))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.run()
    assert bench.answers[1].result() is None
    assert bench.calls.deployed == [1, 0]
    assert bench.trial(0).note == "asked the night shift"


def test_a_note_does_not_keep_a_trial_from_being_deployed_again() -> None:
    bench = left_staged()
    bench.scripts[1] = Script(seconds=9.0)
    bench.submit_at(2.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.submit_at(3.0, SetNote(0, "clean the vessel first"))
    bench.run()
    assert bench.calls.deployed == [1, 0]


def test_an_answer_that_is_not_offered_is_refused() -> None:
    bench = left_staged(waits=True)
    bench.submit_at(40.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ABANDON))
    bench.run()
    assert isinstance(bench.answers[0].exception(), UserInputError)
    assert bench.answers[1].result() is None


def test_the_runner_may_be_asked_once_more() -> None:
    bench = left_staged(can_find=True, waits=True)
    bench.scripts[0] = Script(find_error="no line")
    bench.calls.started[0] = 0.0

    def mend() -> None:
        bench.scripts[0] = Script()

    bench.clock.at(40.0, mend)
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ASK_RUNNER))
    bench.run()
    assert bench.calls.searched == [0] * 5 + [0]
    assert bench.calls.deployed == [1]
    assert bench.statuses == ["completed", "completed"]


def test_a_search_that_hangs_becomes_a_question() -> None:
    bench = left_staged(1, can_find=True)
    bench.scripts[0] = Script(find_seconds=HANG)
    with pytest.raises(DecisionNeededError):
        bench.run()
    assert bench.clock.seconds == 120.0


def test_a_question_may_be_answered_in_a_later_sitting() -> None:
    bench = left_staged()
    with pytest.raises(DecisionNeededError):
        bench.run()
    bench.submit_at(bench.clock.seconds + 0.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.waits_for_answers = True
    assert bench.run().state is RunState.COMPLETED
    assert bench.calls.deployed == [1, 0]


def test_an_open_question_takes_no_slot_and_stops_no_pause() -> None:
    bench = left_staged(3, waits=True)
    bench.scripts[1] = Script(seconds=5.0)
    bench.submit_at(2.0, Pause())
    bench.submit_at(20.0, Resume())
    bench.submit_at(50.0, AnswerQuestion(0, Answer.ABANDON))
    bench.run()
    assert bench.states == [
        "starting",
        "running",
        "pausing",
        "paused",
        "running",
        "needs_attention",
        "running",
        "completed",
    ]


def test_what_may_be_running_keeps_its_slot_where_another_is_left() -> None:
    bench = Bench()
    bench.calls.usual = Script(seconds=10.0)
    bench.interrupted(settings(4, parallelism=2))
    bench.put(TrialStatus.STAGED)
    with pytest.raises(DecisionNeededError):
        bench.run()
    starts = [called_at for _, called_at, _ in bench.calls.launches]
    assert len(starts) == 3
    assert all(later - sooner >= 10.0 for sooner, later in pairwise(starts))


def test_a_trial_that_was_told_to_be_deployed_again_is_not_asked_about_after_a_resume() -> None:
    bench = left_staged(waits=True)
    bench.scripts[1] = Script(seconds=9.0)
    bench.submit_at(2.0, AnswerQuestion(0, Answer.REDEPLOY))
    bench.submit_at(3.0, Stop())
    assert bench.run().state is RunState.STOPPED
    assert bench.statuses == ["staged", "completed"]
    assert bench.trial(0).surely_not_started
    assert bench.run().state is RunState.COMPLETED
    assert bench.of_kind(QuestionAsked) == []
    assert bench.calls.deployed == [1, 0]


def test_a_deployment_that_is_repeated_is_intended_in_the_database_before_the_call() -> None:
    bench = left_staged(can_find=True)
    bench.run()
    steps = [(str(t.status), t.staged_at is not None) for t in bench.store.of_trial(0)]
    assert steps == [
        ("staged", True),  # marked as uncertain
        ("staged", False),  # surely absent
        ("staged", True),  # intended again
        ("running", True),
        ("completed", True),
    ]


def test_an_exception_of_run_trial_is_no_question_where_the_runner_cannot_find() -> None:
    bench = Bench({0: Script(run_errors=1, starts_anyway=True)}, waits_for_answers=True)
    bench.run(settings(2))
    assert bench.statuses == ["failed", "completed"]
    assert bench.of_kind(QuestionAsked) == []
    assert bench.trial(0).may_have_started


def test_a_search_that_fails_each_time_becomes_a_question_and_the_run_goes_on_meanwhile() -> None:
    bench = left_staged(3, can_find=True)
    bench.scripts[0] = Script(find_error="no line")
    bench.experiment.put_run(
        replace(bench.experiment.runs[0], settings=settings(3, 2, interval=2.0))
    )
    with pytest.raises(DecisionNeededError):
        bench.run()
    assert bench.statuses == ["staged", "completed", "completed"]
    assert bench.calls.searched == [0] * 5
    assert bench.calls.launches[0][1] == 0.0
    assert all(0 in dict(request.pending) for request in bench.generator.requests)
    (asked,) = bench.of_kind(QuestionAsked)
    assert Answer.ASK_RUNNER in asked.question.answers


def test_a_runner_that_finds_what_is_not_there_costs_the_trial_not_the_run() -> None:
    bench = left_staged(can_find=True)
    bench.scripts[0] = Script(poll_errors=99)
    bench.calls.started[0] = 0.0
    bench.run()
    assert bench.statuses == ["failed", "completed"]
    assert bench.calls.deployed == [1]


@pytest.mark.parametrize("command", [MarkFailed(0), Abandon(0), EnterResult(0, {"y": 1.0})])
def test_a_person_may_decide_while_the_runner_is_looking(
    command: MarkFailed | Abandon | EnterResult,
) -> None:
    bench = left_staged(can_find=True)
    bench.scripts[0] = Script(find_seconds=9.0)
    bench.calls.started[0] = 0.0
    bench.submit_at(3.0, command)
    bench.run()
    assert bench.answers[0].result() is None
    assert bench.trial(0).status.is_terminal
    assert bench.trial(0) == bench.store.of_trial(0)[-1]
    assert bench.calls.deployed == [1]
