"""Another set-up while a run is paused."""

from dataclasses import replace

import pytest

from axdesk.core.commands import AnswerQuestion, Command, EditSetup, MarkFailed, Pause, Resume, Stop
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import PreflightError, StorageError, TransitionError, UserInputError
from axdesk.core.events import SetupChanged
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.questions import Answer
from axdesk.core.run import RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import TrialStatus
from tests.fakes import Script
from tests.orchestration.bench import Bench, settings

WIDER = SearchSpace((RangeParameterConfig("x", (0.0, 2.0), "float"),))
SMALLER = OptimizationConfig(Objective.parse("-y"))


def paused(edit: EditSetup, *, tracking: tuple[str, ...] = ()) -> Bench:
    """Return a bench on which the run is paused at 0.5 s, edited at 20 s and resumed at 30 s."""
    bench = Bench(tracking=tracking)
    bench.submit_at(0.5, Pause())
    bench.submit_at(20.0, edit)
    bench.submit_at(30.0, Resume())
    return bench


def test_the_next_suggestion_follows_the_new_set_up() -> None:
    bench = paused(EditSetup(search_space=WIDER, optimization=SMALLER))
    run = bench.run(settings(2))
    assert run.state is RunState.COMPLETED
    assert bench.told() == [
        "run starting",
        "run running",
        "suggesting 0",
        "trial 0 staged",
        "suggesting 1",
        "trial 0 running",
        "run pausing",
        "trial 0 completed",
        "run paused",
        "set-up 2.2",
        "run running",
        "suggesting 1",
        "trial 1 staged",
        "trial 1 running",
        "trial 1 completed",
        "run completed",
        "finished completed",
    ]
    last = bench.generator.requests[-1]
    assert (last.search_space, last.optimization) == (WIDER, SMALLER)
    versions = [(t.search_space_version, t.optimization_version) for t in map(bench.trial, (0, 1))]
    assert versions == [(1, 1), (2, 2)]
    assert [(e.action, e.before, e.after) for e in bench.store.audit] == [
        ("edit_parameters", str(bench_space(1.0)), str(bench_space(2.0))),
        ("edit_optimization", "y", "-y"),
    ]


def bench_space(high: float) -> RangeParameterConfig:
    return RangeParameterConfig("x", (0.0, high), "float")


def test_an_edit_that_changes_nothing_is_no_news() -> None:
    bench = paused(EditSetup(name="reactor"))
    bench.run(settings(2))
    assert bench.answers[1].result() is None
    assert bench.of_kind(SetupChanged) == []
    assert bench.store.audit == []


def test_a_suggestion_for_the_old_set_up_is_not_used_however_late_it_comes() -> None:
    bench = Bench()
    bench.generator.seconds = 10.0
    bench.submit_at(12.0, Pause())  # trial 0 is over, and trial 1 being suggested until 20 s
    bench.submit_at(13.0, EditSetup(search_space=WIDER))
    bench.submit_at(14.0, Resume())
    bench.run(settings(2))
    assert bench.generator.asked_at == [0.0, 10.0, 14.0]
    assert bench.generator.requests[-1].search_space == WIDER
    assert bench.trial(1).search_space_version == 2
    assert bench.trial(1).started_at == bench.clock.wall(24.0)


@pytest.mark.parametrize(
    ("seconds", "steered", "state"),
    [(0.4, Pause(), "running"), (0.6, Pause(), "pausing"), (0.6, Stop(), "stopping")],
)
def test_a_run_that_is_not_paused_refuses_another_set_up(
    seconds: float, steered: Command, state: str
) -> None:
    bench = Bench()
    bench.submit_at(0.5, steered)
    bench.submit_at(seconds, EditSetup(search_space=WIDER))
    bench.submit_at(0.7, Resume())
    bench.run(settings(2))
    (refused,) = [answer for answer in bench.answers if answer.exception() is not None]
    error = refused.exception()
    assert isinstance(error, TransitionError)
    assert str(error).startswith(f"The set-up cannot be changed while the run is {state}.")
    assert bench.experiment.search_space_version == 1


@pytest.mark.parametrize("steered", [Pause(), Stop()])
def test_what_no_trial_depends_on_is_taken_at_any_time(steered: Command) -> None:
    bench = Bench()
    bench.submit_at(0.4, EditSetup(owner="M. Keller"))
    bench.submit_at(0.5, steered)
    bench.submit_at(0.6, EditSetup(description="Second batch"))
    bench.submit_at(0.7, Resume())
    bench.run(settings(2))
    plain = Bench()
    plain.run(settings(2))
    assert [answer.exception() for answer in bench.answers] == [None] * 4
    setup = bench.experiment.setup
    assert (setup.owner, setup.description) == ("M. Keller", "Second batch")
    # Nothing is suggested anew for it.
    assert len(bench.generator.requests) == len(plain.generator.requests)
    told = [(e.action, e.before, e.after) for e in bench.store.audit]
    assert ("edit_description", "", "Second batch") in told


@pytest.mark.parametrize(
    ("edit", "kind", "words"),
    [
        (
            EditSetup(
                search_space=replace(WIDER, constraints=(ParameterConstraint.parse("x >= 5"),))
            ),
            UserInputError,
            "no allowed point",
        ),
        (
            EditSetup(optimization=OptimizationConfig(Objective.parse("z"))),
            PreflightError,
            "Nothing fetches 'z'",
        ),
        (
            EditSetup(
                optimization=replace(
                    SMALLER, outcome_constraints=(OutcomeConstraint.parse("w <= 1"),)
                )
            ),
            PreflightError,
            "Nothing fetches 'w'",
        ),
        (
            EditSetup(
                optimization=OptimizationConfig(
                    Objective.parse("y"), (OutcomeConstraint.parse("y >= 0.9 * baseline"),)
                )
            ),
            PreflightError,
            "there is no baseline",
        ),
    ],
)
def test_what_a_start_would_refuse_is_refused_and_changes_nothing(
    edit: EditSetup, kind: type[Exception], words: str
) -> None:
    bench = paused(edit)
    before = bench.experiment.setup
    bench.run(settings(2))
    error = bench.answers[1].exception()
    assert isinstance(error, kind)
    assert words in str(error)
    assert bench.experiment.setup == before
    assert bench.store.audit == []
    assert bench.statuses == ["completed", "completed"]


def test_a_metric_that_becomes_the_objective_is_fetched_and_required() -> None:
    bench = Bench({1: Script(fetch_errors={"z": 9})}, tracking=("z",))
    bench.submit_at(0.5, Pause())
    swapped = OptimizationConfig(Objective.parse("z"), tracking_metrics=("y",))
    bench.submit_at(20.0, EditSetup(optimization=swapped))
    bench.submit_at(30.0, Resume())
    bench.run(settings(2))
    assert bench.statuses == ["completed", "failed"]
    assert "z raised" in bench.trial(1).reason


def test_a_metric_that_no_longer_counts_is_no_longer_fetched() -> None:
    bench = Bench(tracking=("z",))
    bench.submit_at(0.5, Pause())
    bench.submit_at(20.0, EditSetup(optimization=OptimizationConfig(Objective.parse("z"))))
    bench.submit_at(30.0, Resume())
    bench.run(settings(2))
    assert bench.statuses == ["completed", "completed"]
    assert [metric for _, index, metric in bench.calls.fetches if index == 1] == ["z"]


def test_a_run_that_only_waits_for_an_answer_takes_another_set_up() -> None:
    bench = Bench(waits_for_answers=True)
    bench.interrupted(settings(2))
    bench.put(TrialStatus.STAGED)
    bench.submit_at(20.0, EditSetup(optimization=SMALLER))
    bench.submit_at(30.0, AnswerQuestion(0, Answer.MARK_FAILED))
    bench.submit_at(40.0, MarkFailed(0))
    bench.run()
    assert bench.answers[0].result() is None
    assert bench.experiment.optimization_version == 2


def test_while_the_database_takes_nothing_the_set_up_stays() -> None:
    bench = paused(EditSetup(search_space=WIDER))
    bench.outage(19.0, 25.0)
    bench.run(settings(2))
    assert isinstance(bench.answers[1].exception(), StorageError)
    assert bench.experiment.search_space_version == 1
    assert bench.trial(1).search_space_version == 1


def test_a_run_that_is_killed_in_its_pause_goes_on_by_the_new_set_up() -> None:
    bench = paused(EditSetup(search_space=WIDER))
    bench.interrupted(settings(2))
    bench.killed_at(25.0)
    bench.run()
    assert bench.statuses == ["completed", "completed"]
    assert bench.generator.requests[-1].search_space == WIDER
    assert bench.trial(1).search_space_version == 2
