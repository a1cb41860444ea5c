"""Answers to questions, and a client that is called by its own run or when it is closed."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RetryBudget, StorageConfig
from axdesk.api.protocols.runner import TrialStatus
from axdesk.core.errors import (
    AxdeskError,
    DecisionNeededError,
    FailureRateExceededError,
    TransitionError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.events import Event, QuestionAsked, RunFinished, TrialChanged, Warned
from axdesk.core.questions import Answer, FailedCall
from axdesk.core.run import RunState
from tests.api.laboratory import (
    FAST,
    POLL_SECONDS,
    Background,
    BenchMetric,
    BenchRunner,
    configured,
    equipped,
    run,
)

Keep = Callable[[Client], Client]

KILLED = """
import os
from tests.api.laboratory import *
class Fatal(BenchRunner):
    def run_trial(self, trial_index, parameterization):
        if trial_index == 1:
            os._exit(9)
        return super().run_trial(trial_index, parameterization)
client = equipped(configured(StorageConfig(url="{url}")), Fatal())
run(client, 3)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database whose run died while it deployed trial 1 of 3."""
    file = tmp_path_factory.mktemp("killed") / "lab.sqlite"
    script = KILLED.format(url=f"sqlite:///{file}")
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], timeout=60
    )
    assert ended.returncode == 9
    return file.read_bytes()


@pytest.fixture
def interrupted(
    database: bytes, storage: StorageConfig, tmp_path: Path, keep: Keep, runner: BenchRunner
) -> Client:
    (tmp_path / "lab.sqlite").write_bytes(database)
    return equipped(keep(Client.load_from_database("bench", storage)), runner)


def statuses(client: Client) -> list[TrialStatus]:
    return [trial.status for _, trial in sorted(client.experiment.trials.items())]


def test_a_question_is_answered_where_it_is_asked(interrupted: Client, runner: BenchRunner) -> None:
    def answer(event: Event) -> None:
        if isinstance(event, QuestionAsked):
            interrupted.answer_question(event.question.trial_index, Answer.REDEPLOY)

    interrupted.run_trials(on_event=answer, wait_for_answers=True)
    assert sorted(runner.deployed) == [1, 2]
    assert statuses(interrupted) == [TrialStatus.COMPLETED] * 3


def test_a_question_is_answered_from_another_thread(
    interrupted: Client, runner: BenchRunner
) -> None:
    answering: list[Background] = []

    def answer(event: Event) -> None:
        if isinstance(event, QuestionAsked):
            index = event.question.trial_index
            answering.append(Background(lambda: interrupted.answer_question(index, Answer.ABANDON)))

    interrupted.run_trials(on_event=answer, wait_for_answers=True)
    answering[0].join()
    assert answering[0].error is None
    assert runner.deployed == [2]
    assert statuses(interrupted)[1] is TrialStatus.ABANDONED


@pytest.mark.parametrize(
    ("answer", "status", "deployed"),
    [
        (Answer.MARK_FAILED, TrialStatus.FAILED, [2]),
        (Answer.ABANDON, TrialStatus.ABANDONED, [2]),
        (Answer.REDEPLOY, TrialStatus.COMPLETED, [1, 2]),
    ],
)
def test_an_answer_between_two_runs_holds_for_the_next_one(
    interrupted: Client,
    runner: BenchRunner,
    answer: Answer,
    status: TrialStatus,
    deployed: list[int],
) -> None:
    with pytest.raises(DecisionNeededError) as raised:
        interrupted.run_trials()
    assert runner.deployed == [2]
    (index,) = raised.value.trial_indices
    interrupted.answer_question(index, answer)
    interrupted.run_trials()
    assert sorted(runner.deployed) == deployed
    assert statuses(interrupted)[1] is status


def test_the_answer_about_one_trial_goes_before_the_rule_for_all(
    interrupted: Client, runner: BenchRunner
) -> None:
    interrupted.answer_question(1, Answer.REDEPLOY)
    rule = OrchestrationConfig(min_seconds_between_launches=0, uncertain_deployment="abandon")
    interrupted.run_trials(config=rule)
    assert sorted(runner.deployed) == [1, 2]


def test_an_answer_is_kept_for_whoever_runs_next(
    interrupted: Client, storage: StorageConfig, keep: Keep
) -> None:
    interrupted.answer_question(1, Answer.REDEPLOY)
    interrupted.close()
    later, runner = keep(Client.load_from_database("bench", storage)), BenchRunner()
    equipped(later, runner).run_trials()
    assert sorted(runner.deployed) == [1, 2]


def test_a_result_that_is_known_needs_no_answer(interrupted: Client, runner: BenchRunner) -> None:
    interrupted.complete_trial(1, {"y": 0.5})
    interrupted.run_trials()
    assert runner.deployed == [2]
    assert statuses(interrupted) == [TrialStatus.COMPLETED] * 3


def test_an_answer_needs_a_question(client: Client) -> None:
    run(client, 1)
    with pytest.raises(UserInputError, match="trial 0"):
        client.answer_question(0, Answer.REDEPLOY)


@pytest.mark.parametrize(
    ("command", "ends"),
    [("stop", RunState.STOPPED), ("stop_now", RunState.STOPPED), ("pause", RunState.COMPLETED)],
)
def test_a_run_is_steered_by_the_one_who_hears_its_events(
    client: Client, runner: BenchRunner, command: str, ends: RunState
) -> None:
    steered: list[Event] = []

    def steer(event: Event) -> None:
        if isinstance(event, TrialChanged) and runner.deployed == [0] and not steered:
            steered.append(event)
            getattr(client, command)()
            if command == "pause":
                client.resume()
            client.mark_trial_abandoned(0)

    client.run_trials(2, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=steer)
    assert client.experiment.state is ends
    assert statuses(client)[0] is TrialStatus.ABANDONED


def test_what_its_own_run_refuses_is_told_as_a_warning(client: Client) -> None:
    events: list[Event] = []

    def hear(event: Event) -> None:
        if isinstance(event, TrialChanged) and event.trial.status is TrialStatus.RUNNING:
            client.mark_trial_failed(7)
        events.append(event)

    client.run_trials(1, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=hear)
    (warned,) = [event for event in events if isinstance(event, Warned)]
    assert "no trial 7" in warned.message


def test_nothing_is_told_after_the_end(client: Client) -> None:
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if isinstance(event, RunFinished):
            client.stop()

    client.run_trials(1, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=hear)
    assert isinstance(events[-1], RunFinished)


def test_what_must_wait_for_the_run_is_refused_within_it(client: Client) -> None:
    refused: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, TrialChanged) and event.trial.status is TrialStatus.RUNNING:
            for call in (lambda: client.complete_trial(0, {"y": 1.0}), client.close):
                with pytest.raises((UnsupportedError, TransitionError)) as raised:
                    call()
                refused.append(str(raised.value))

    client.run_trials(1, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=hear)
    assert "EnterResult" in refused[0]
    assert "Stop it" in refused[1]
    assert statuses(client) == [TrialStatus.COMPLETED]


def test_a_closed_client_stays_closed(storage: StorageConfig) -> None:
    client = equipped(configured(storage), BenchRunner())
    client.close()
    client.close()
    for call in (
        lambda: run(client, 1),
        lambda: client.get_next_trials(1),
        lambda: client.predict([{"x": 0.5, "z": 0.5}]),
    ):
        with pytest.raises(AxdeskError, match="was closed"):
            call()


def test_a_client_whose_set_up_failed_is_closed(storage: StorageConfig) -> None:
    client = Client(storage)
    with pytest.raises(UserInputError):
        client.configure_experiment([], name="bench")
    client.close()
    client.close()


class SilentMetric(BenchMetric):
    """Has no values until it is mended."""

    is_mended = False

    def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> Any:
        if not self.is_mended:
            raise OSError("no file")
        return super().fetch(trial_index, trial_metadata)


PAUSE = OrchestrationConfig(
    min_seconds_between_launches=0, on_error="pause", retry_budget=RetryBudget(fetch=1)
)


@pytest.fixture
def silent(client: Client) -> SilentMetric:
    metric = SilentMetric("y")
    client.configure_metrics([metric])
    with pytest.raises(DecisionNeededError, match="no file"):
        client.run_trials(2, initial_seconds_between_polls=POLL_SECONDS, config=PAUSE)
    return metric


def test_an_error_that_was_asked_about_is_answered_between_two_runs(
    client: Client, silent: SilentMetric
) -> None:
    assert statuses(client) == [TrialStatus.RUNNING]
    with pytest.raises(UserInputError, match="trial 0 has started"):
        client.answer_question(0, Answer.REDEPLOY)
    with pytest.raises(TransitionError, match="No run goes on"):
        client.answer_question(0, Answer.MARK_FAILED, for_the_rest=True)
    client.answer_question(0, Answer.MARK_FAILED)
    silent.is_mended = True
    client.run_trials()
    assert statuses(client) == [TrialStatus.FAILED, TrialStatus.COMPLETED]
    assert "no file" in client.experiment.trial(0).reason


def test_a_run_that_is_resumed_asks_the_runner_again(client: Client, silent: SilentMetric) -> None:
    silent.is_mended = True
    client.run_trials()
    assert statuses(client) == [TrialStatus.COMPLETED] * 2


def test_an_answer_for_the_rest_of_the_run_is_kept_with_it(
    client: Client, silent: SilentMetric
) -> None:
    def answer(event: Event) -> None:
        if isinstance(event, QuestionAsked):
            index = event.question.trial_index
            client.answer_question(index, Answer.MARK_FAILED, for_the_rest=True)

    with pytest.raises(FailureRateExceededError):
        client.run_trials(on_event=answer, wait_for_answers=True)
    assert statuses(client) == [TrialStatus.FAILED] * 2
    assert client.experiment.runs[-1].standing_answers == ((FailedCall.FETCH, Answer.MARK_FAILED),)
