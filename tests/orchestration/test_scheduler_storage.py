"""A database that takes nothing for a while."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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
    Pause,
    Resume,
    SetNote,
    Stop,
    StopNow,
)
from axdesk.core.errors import StorageError
from axdesk.core.events import (
    Event,
    QuestionAnswered,
    RunFinished,
    StorageHealthChanged,
    TrialChanged,
)
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry
from axdesk.core.questions import Answer
from axdesk.core.run import Run, RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.storage.store import SqlStore
from tests.fakes import MemoryStore, Script
from tests.orchestration.bench import Bench, settings


def slow(trials: int, seconds: float = 10.0) -> dict[int, Script]:
    return {index: Script(seconds=seconds) for index in range(trials)}


def test_what_happens_meanwhile_is_stored_in_order_and_told_only_then() -> None:
    bench = Bench({0: Script(seconds=4.0), 1: Script(seconds=6.0)})
    bench.outage(2.0, 60.0)
    assert bench.run(settings(3, 2)).state is RunState.COMPLETED
    assert bench.statuses == ["completed"] * 3
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
        "storage: The database is locked.",
        "trial 0 completed",
        "trial 1 completed",
        "storage: works",
        "suggesting 2",
        "trial 2 staged",
        "trial 2 running",
        "trial 2 completed",
        "run completed",
        "finished completed",
    ]
    began, ended = bench.of_kind(StorageHealthChanged)
    assert began.since == bench.clock.wall(4.0)
    assert ended.since is None


def test_nothing_starts_while_the_database_takes_nothing() -> None:
    bench = Bench(slow(9, 3.0))
    bench.outage(2.0, 60.0)
    bench.run(settings(6, 3))
    launched_at = [called for _, called, _ in bench.calls.launches]
    assert not [at for at in launched_at if 2.0 <= at < 60.0]
    assert bench.statuses == ["completed"] * 6


def test_the_store_is_asked_again_ever_later_and_then_each_five_seconds() -> None:
    bench = Bench(slow(1, 3.0))
    bench.outage(2.0, 30.0)
    tries: list[tuple[float, int]] = []
    for second in range(3, 32):
        bench.clock.at(second + 0.5, lambda: tries.append((bench.clock.seconds, bench.store.tries)))
    bench.run(settings(1))
    asked_at = [
        after[0] - 0.5
        for before, after in itertools.pairwise([(2.5, tries[0][1] - 1), *tries])
        if after[1] > before[1]
    ]
    assert asked_at == [3.0, 4.0, 6.0, 10.0, 15.0, 20.0, 25.0]


def test_an_outage_while_staging_deploys_nothing_and_forgets_no_candidate() -> None:
    bench = Bench({0: Script(run_seconds=2.0, seconds=30.0)})
    bench.clock.at(2.0, lambda: bench.clock.at(2.0, bench.scheduler.wake))
    bench.outage(2.5, 20.0)
    bench.submit_at(3.0, ChangeRunSettings(parallelism=2))
    bench.submit_at(21.0, ChangeRunSettings(parallelism=2))
    bench.run(settings(2))
    assert isinstance(bench.answers[0].exception(), StorageError)
    assert bench.statuses == ["completed", "completed"]
    assert bench.calls.deployed == [0, 1]


def test_a_staging_that_the_database_does_not_take_is_tried_again() -> None:
    bench = Bench({i: Script(seconds=30.0) for i in range(2)})
    bench.generator.seconds = 5.0
    bench.outage(4.0, 20.0)
    bench.run(settings(1))
    assert bench.calls.deployed == [0]
    assert [called for _, called, _ in bench.calls.launches] == [22.0]
    assert [request.trial_index for request in bench.generator.requests] == [0]
    assert bench.told()[3:6] == [
        "storage: The database is locked.",
        "storage: works",
        "trial 0 staged",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ChangeRunSettings(parallelism=2),
        AnswerQuestion(0, Answer.ABANDON),
        EnterResult(1, {"y": 1.0}),
        Abandon(1),
        SetNote(1, "foamed"),
        AddTrial({"x": 0.5}),
        FetchAgain(1),
    ],
)
def test_commands_that_must_write_are_refused_with_the_reason(command: Command) -> None:
    bench = Bench(slow(9, 20.0), waits_for_answers=True)
    bench.interrupted(settings(2))
    bench.put(TrialStatus.STAGED)
    bench.outage(5.0, 60.0)
    bench.submit_at(6.0, SetNote(1, "first"))
    bench.submit_at(30.0, command)
    bench.submit_at(70.0, AnswerQuestion(0, Answer.ABANDON))
    bench.run()
    for answer in bench.answers[:2]:
        assert isinstance(answer.exception(), StorageError)
    assert bench.answers[2].exception() is None
    assert bench.statuses == ["abandoned", "completed"]
    assert bench.trial(1).note == ""
    assert [entry.action for entry in bench.store.audit] == []


def test_the_run_is_steered_meanwhile_and_what_was_asked_is_stored_afterwards() -> None:
    bench = Bench(slow(9, 4.0))
    bench.outage(2.0, 60.0)
    bench.submit_at(6.0, Pause())
    bench.submit_at(20.0, Resume())
    bench.submit_at(30.0, Stop())
    run = bench.run(settings(9))
    assert all(answer.exception() is None for answer in bench.answers)
    assert run.state is RunState.STOPPED
    assert bench.statuses == ["completed"]
    assert bench.states == [
        "starting",
        "running",
        "pausing",
        "paused",
        "running",
        "stopping",
        "stopped",
    ]


@pytest.mark.parametrize("last", [Leave("closed"), StopNow()])
def test_a_run_with_nothing_left_to_do_waits_for_the_store_or_is_left(last: Command) -> None:
    bench = Bench(slow(2, 4.0))
    bench.outage(2.0, 10_000.0)
    bench.submit_at(600.0, StopNow())
    bench.submit_at(900.0, last)
    with pytest.raises(StorageError, match="fetched again"):
        bench.run(settings(1))
    assert bench.clock.seconds == 900.0
    assert bench.scheduler.current.state is RunState.INTERRUPTED
    finished = bench.events[-1]
    assert isinstance(finished, RunFinished)
    # Memory says what is stored, and a resumed run fetches again what was not.
    assert bench.statuses == ["running"]
    bench.store.is_out = False
    assert bench.run().state is RunState.COMPLETED
    assert bench.statuses == ["completed"]
    assert bench.calls.deployed == [0]


def test_the_end_of_a_run_waits_for_the_store() -> None:
    bench = Bench({0: Script(seconds=4.0)})

    def fail(event: Any) -> None:
        bench.store.is_out = isinstance(event, TrialChanged) and event.trial.status == "completed"

    publish = bench._publish

    def watch(event: Any) -> None:
        publish(event)
        if isinstance(event, TrialChanged):
            fail(event)

    bench._publish = watch  # type: ignore[method-assign]  # breaks the store at the end
    bench.clock.at(60.0, lambda: setattr(bench.store, "is_out", False))
    assert bench.run(settings(1)).state is RunState.COMPLETED
    assert bench.states == ["starting", "running", "completed"]
    assert [e.reason for e in bench.of_kind(StorageHealthChanged)] == [
        "The database is locked.",
        "",
    ]


def test_a_deployment_that_answers_meanwhile_is_followed_and_stored_later() -> None:
    bench = Bench({0: Script(run_seconds=5.0, seconds=5.0)})
    bench.outage(2.0, 60.0)
    assert bench.run(settings(1)).state is RunState.COMPLETED
    assert [str(t.status) for t in bench.store.of_trial(0)] == ["staged", "running", "completed"]
    assert bench.calls.fetches[0][0] == 10.0


def test_a_long_outage_keeps_one_snapshot_for_each_step() -> None:
    bench = Bench({0: Script(seconds=5000.0)})
    bench.calls.early = ("y",)
    bench.outage(2.0, 4000.0)
    bench.run(settings(1, interval=5.0))
    stored = bench.store.of_trial(0)
    assert stored[2].elapsed_seconds == pytest.approx(4000.0, abs=60.0)
    assert len(stored[2].observations) > 700


def test_an_outage_before_the_run_is_stored_keeps_it_from_starting() -> None:
    bench = Bench()
    bench.store.is_out = True
    with pytest.raises(StorageError, match="locked"):
        bench.run(settings(1))
    assert bench.calls.deployed == []


def test_a_failure_that_does_not_pass_ends_the_run_in_an_outage_too() -> None:
    bench = Bench(slow(1, 4.0))
    bench.outage(2.0, 30.0)

    def damage() -> None:
        bench.store.fails_from = 0

    bench.clock.at(30.0, damage)
    with pytest.raises(StorageError, match="disk is full"):
        bench.run(settings(1))
    assert bench.statuses == ["running"]


class MirroringStore(MemoryStore):
    """Also commits to a real database, which checks what the loop says is stored."""

    def __init__(self, store: SqlStore) -> None:
        super().__init__()
        self._store = store

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        before = replace(experiment, trials=dict(experiment.trials))
        super().save_trial(experiment, trial, audit)
        self._store.save_trial(before, trial, audit)

    def save_run(self, experiment: Experiment, run: Run, audit: Sequence[AuditEntry] = ()) -> None:
        super().save_run(experiment, run, audit)
        self._store.save_run(replace(experiment, runs=list(experiment.runs)), run, audit)


def test_a_real_database_holds_in_the_end_what_the_run_told() -> None:
    bench = Bench({i: Script(seconds=3.0 + i, poll_errors=i % 3) for i in range(12)})
    bench.calls.early = ("y",)
    store = SqlStore.in_memory()
    created = store.create(bench.experiment.setup)
    bench.experiment.id = created.id
    bench.store = MirroringStore(store)
    for begin in range(4, 100, 16):
        bench.outage(begin, begin + 9.0)
    bench.submit_at(30.0, Pause())
    bench.submit_at(34.0, Resume())
    assert bench.run(settings(12, 3, spacing=1.0)).state is RunState.COMPLETED
    loaded = store.load_by_id(created.id)
    told = {event.trial.index: event.trial for event in bench.of_kind(TrialChanged)}
    assert loaded.trials == bench.experiment.trials == told
    assert loaded.runs == bench.experiment.runs
    assert len(bench.of_kind(StorageHealthChanged)) >= 6
    store.close()


def test_an_answer_of_which_only_the_first_half_could_be_stored_leaves_no_run_waiting() -> None:
    bench = Bench(waits_for_answers=True)
    bench.interrupted(settings(1))
    bench.put(TrialStatus.STAGED)
    publish = bench._publish

    def break_store(event: Event) -> None:
        publish(event)
        if isinstance(event, QuestionAnswered):
            bench.store.is_out = True
            bench.clock.at(60.0, lambda: setattr(bench.store, "is_out", False))

    bench._publish = break_store  # type: ignore[method-assign]  # breaks the store in between
    bench.submit_at(50.0, AnswerQuestion(0, Answer.REDEPLOY))
    assert bench.run().state is RunState.COMPLETED
    assert bench.answers[0].result() is None
    assert bench.calls.deployed == [0]
