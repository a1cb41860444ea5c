"""When candidates are asked for, which are used, and what steps in where none comes."""

from axdesk.core.errors import GenerationError
from axdesk.core.events import FallbackUsed
from axdesk.core.run import RunState
from axdesk.core.trial import TrialSource, TrialStatus
from tests.fakes import Script
from tests.orchestration.bench import Bench, settings


def test_the_next_candidate_is_made_while_trials_run() -> None:
    bench = Bench({i: Script(seconds=10.0) for i in range(2)})
    bench.generator.seconds = 4.0
    bench.generator.source = TrialSource.SOBOL
    bench.run(settings(2))
    assert bench.generator.asked_at == [0.0, 4.0]
    assert [called for _, called, _ in bench.calls.launches] == [4.0, 14.0]
    assert bench.generator.requests[1].pending == ((0, {"x": 0.0}),)


def test_no_candidate_is_asked_for_beyond_the_budget() -> None:
    bench = Bench()
    bench.run(settings(3, 3))
    assert [request.trial_index for request in bench.generator.requests] == [0, 1, 2]


def test_a_stale_candidate_is_used_where_a_fresh_one_costs_more_than_its_share() -> None:
    bench = Bench({i: Script(seconds=9.0) for i in range(4)})
    bench.generator.seconds = 1.0
    bench.run(settings(4, 2))
    # Making one takes 1 s, more than 2 % of 9 s: each was made before the latest result.
    assert [t.generation.observed for t in bench.experiment.trials.values()] == [0, 0, 0, 1]


def test_with_one_trial_at_a_time_no_stale_candidate_is_used() -> None:
    bench = Bench({i: Script(seconds=9.0) for i in range(4)} | {1: Script(poll_errors=9)})
    bench.generator.seconds = 1.0
    bench.run(settings(4))
    assert [t.generation.observed for t in bench.experiment.trials.values()] == [0, 1, 1, 2]
    used = [
        next(r for r in reversed(bench.generator.requests) if r.trial_index == i) for i in range(4)
    ]
    assert [(len(r.pending), len(r.failed)) for r in used] == [(0, 0), (0, 0), (0, 1), (0, 1)]


def test_a_stale_candidate_is_made_anew_where_that_costs_little() -> None:
    bench = Bench({i: Script(seconds=100.0) for i in range(4)})
    bench.generator.seconds = 1.0
    bench.run(settings(4, 2, interval=50.0))
    assert [t.generation.observed for t in bench.experiment.trials.values()] == [0, 0, 1, 2]


def test_a_candidate_of_the_initial_design_never_grows_stale() -> None:
    bench = Bench()
    bench.generator.source = TrialSource.SOBOL
    bench.run(settings(1))
    asked = len(bench.generator.requests)
    assert asked == 1


def test_a_failed_suggestion_is_replaced_by_a_space_filling_one() -> None:
    bench = Bench()
    bench.generator.errors = {1: GenerationError("The fit diverged."), 2: MemoryError()}
    assert bench.run(settings(4)).state is RunState.COMPLETED
    assert [t.generation.source for t in bench.experiment.trials.values()] == [
        TrialSource.MODEL,
        TrialSource.FALLBACK,
        TrialSource.FALLBACK,
        TrialSource.MODEL,
    ]
    told = {(event.trial_index, event.reason) for event in bench.of_kind(FallbackUsed)}
    assert told == {(1, "The fit diverged."), (2, "MemoryError")}


def test_a_suggestion_that_is_late_is_given_up_and_replaced() -> None:
    bench = Bench()
    bench.generator.hangs = {0}
    bench.run(settings(2, generation_time_limit=30.0))
    assert bench.generator.given_up == 1
    assert bench.calls.launches[0] == (0, 30.0, 30.0)
    assert bench.trial(0).generation.reason == "no candidate within 30 s"
    assert bench.trial(1).generation.source is TrialSource.MODEL
    assert [e.trial_index for e in bench.of_kind(FallbackUsed)] == [0]


def test_an_exhausted_search_space_completes_the_run() -> None:
    bench = Bench()
    bench.generator.points = 3
    run = bench.run(settings(9, 2))
    assert (run.state, run.reason) == (RunState.COMPLETED, "every allowed point was tried")
    assert bench.statuses == ["completed"] * 3


def test_a_point_that_failed_is_tried_again_before_the_search_space_counts_as_exhausted() -> None:
    bench = Bench({2: Script(ends_as=TrialStatus.FAILED, seconds=5.0)})
    bench.generator.points = 3
    bench.run(settings(9, 3))
    assert bench.statuses == ["completed", "completed", "failed", "completed"]
