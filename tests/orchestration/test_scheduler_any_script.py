"""Whatever the laboratory and the operator do: nothing runs twice, nothing is lost."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from axdesk.core.commands import (
    Abandon,
    AnswerQuestion,
    ChangeRunSettings,
    Command,
    EditSetup,
    EnterResult,
    FetchAgain,
    Leave,
    MarkFailed,
    Pause,
    Resume,
    SetNote,
    Stop,
    StopNow,
)
from axdesk.core.errors import (
    AxdeskError,
    DecisionNeededError,
    FailureRateExceededError,
    StorageError,
)
from axdesk.core.events import StorageHealthChanged, TrialChanged
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.questions import Answer
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.trial import TRANSITIONS, TrialStatus
from tests.fakes import HANG, Script
from tests.orchestration.bench import Bench

moments = st.integers(0, 160).map(lambda quarters: quarters / 4)
pauses = st.sampled_from([0.0, 0.0, 0.25, 1.0, 6.0])
indices = st.integers(0, 7)

some_calls: st.SearchStrategy[dict[str, int]] = st.one_of(
    st.just({}),
    st.just({}),
    st.dictionaries(
        st.sampled_from(["run", "poll", "y", "stop", "find"]), st.integers(1, 4), max_size=2
    ),
)

scripts = st.builds(
    Script,
    run_seconds=st.one_of(pauses, st.just(HANG)),
    run_errors=st.sampled_from([0, 0, 0, 1, 9]),
    starts_anyway=st.booleans(),
    seconds=st.sampled_from([0.0, 1.0, 2.5, 7.0, 30.0]),
    ends_as=st.sampled_from(
        [TrialStatus.COMPLETED] * 4 + [TrialStatus.FAILED, TrialStatus.ABANDONED]
    ),
    poll_errors=st.sampled_from([0, 0, 1, 9]),
    poll_seconds=st.one_of(pauses, st.just(HANG)),
    fetch_errors=st.sampled_from([{}, {}, {"y": 1}, {"y": 9}]),
    stop_error=st.sampled_from(["", "", "stuck"]),
    stop_seconds=st.one_of(pauses, st.just(HANG)),
    find_error=st.sampled_from(["", "", "no line"]),
    find_seconds=st.one_of(pauses, st.just(HANG)),
    hangs=some_calls,
    not_entered=some_calls,
    pattern=st.sampled_from([".", ".", ".x", "xx.x...."]),
)

spaces = st.sampled_from(
    [SearchSpace((RangeParameterConfig("x", (0.0, high)),)) for high in (1.0, 2.0)]
)
commands = st.one_of(
    st.sampled_from([Pause(), Resume(), Resume(), Stop(), StopNow()]),
    st.builds(ChangeRunSettings, max_trials=st.integers(1, 8), parallelism=st.integers(1, 3)),
    st.builds(EnterResult, indices, st.just({"y": 1.0})),
    st.builds(MarkFailed, indices),
    st.builds(Abandon, indices),
    st.builds(SetNote, indices, st.just("seen")),
    st.builds(FetchAgain, indices),
    st.builds(Leave),
    st.builds(AnswerQuestion, indices, st.sampled_from(Answer), st.booleans()),
    st.builds(EditSetup, search_space=spaces),
)

configs = st.builds(
    OrchestrationConfig,
    min_seconds_between_launches=pauses,
    min_failed_trials=st.integers(1, 5),
    when_failure_rate_exceeded=st.sampled_from(["drain", "stop"]),
    uncertain_deployment=st.sampled_from(["ask", "abandon"]),
    on_error=st.sampled_from(["continue", "continue", "pause", "stop"]),
    trial_time_limit=st.sampled_from([None, 5.0, 20.0]),
    run_time_limit=st.sampled_from([None, 15.0, 60.0]),
    call_deadlines=st.just(CallDeadlines(8.0, 4.0, 4.0, 4.0)),
    retry_budget=st.just(RetryBudget(3, 3)),
    max_seconds_between_polls=st.just(3.0),
    early_stopping=st.sampled_from(
        [None, EarlyStopping(50.0, min_progression=1.0, min_curves=1, best_protected=0)]
    ),
    global_stopping=st.sampled_from(
        [None, None, GlobalStopping(target=3.0), GlobalStopping(stagnation=2, min_trials=1)]
    ),
)

run_settings = st.builds(
    RunSettings,
    max_trials=st.integers(1, 8),
    parallelism=st.integers(1, 3),
    tolerated_trial_failure_rate=st.sampled_from([0.0, 0.3, 0.9]),
    initial_seconds_between_polls=st.sampled_from([0.25, 1.0]),
    orchestration=configs,
)


def sitting(bench: Bench, wanted: RunSettings | None) -> AxdeskError | None:
    try:
        bench.run(wanted)
    except (DecisionNeededError, FailureRateExceededError, StorageError) as error:
        return error
    return None


def check_history(bench: Bench) -> None:
    """Each trial went along the table, from STAGED, and holds what its status promises."""
    for index, trial in bench.experiment.trials.items():
        history = bench.store.of_trial(index)
        assert history[0].status is TrialStatus.STAGED
        assert history[-1] == trial, "memory says what is not stored"
        for before, after in itertools.pairwise(history):
            assert after.status is before.status or after.status in TRANSITIONS[before.status]
        if trial.status is TrialStatus.COMPLETED:
            assert trial.latest("y") is not None
        if trial.status is TrialStatus.EARLY_STOPPED:
            assert trial.observations
            assert index in bench.calls.stopped
        if trial.status is TrialStatus.RUNNING:
            assert trial.metadata == bench.calls.metadata(index)


def check_deployments(bench: Bench) -> None:
    """Only a trial whose deployment surely did not begin, or that a person redeployed, runs again.

    Without a runner that can find, that is a call that was not entered.
    """
    calls = bench.calls
    for index in bench.experiment.trials:
        script = calls.script(index)
        entered = max(0, calls.deployed.count(index) - script.not_entered.get("run", 0))
        is_asked_for = any(
            isinstance(command, AnswerQuestion)
            and (command.trial_index, command.answer) == (index, Answer.REDEPLOY)
            for command in bench.submitted
        )
        assert entered <= 1 or calls.can_find or is_asked_for
        starts = sum(launched == index for launched, _, _ in calls.launches)
        assert starts <= 1 or is_asked_for, "a trial ran twice"


def check_storage_health(bench: Bench) -> None:
    """Outages are told when they begin and when they end, in turn."""
    told = [bool(event.reason) for event in bench.of_kind(StorageHealthChanged)]
    assert told == [True, False] * (len(told) // 2) + [True] * (len(told) % 2)


@settings(max_examples=150)
@given(
    st.lists(scripts, min_size=8, max_size=8),
    run_settings,
    st.lists(st.tuples(moments, commands), max_size=8),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 0.5, 5.0]),
    st.lists(st.tuples(moments, st.sampled_from([0.5, 4.0, 30.0])), max_size=3),
)
def test_nothing_runs_twice_nothing_is_lost_and_every_run_ends(
    laboratory: list[Script],
    wanted: RunSettings,
    orders: list[tuple[float, Command]],
    can_stop: bool,
    can_find: bool,
    can_give_up: bool,
    has_curves: bool,
    suggesting_seconds: float,
    outages: list[tuple[float, float]],
) -> None:
    bench = Bench(dict(enumerate(laboratory)))
    bench.calls.can_stop = can_stop
    bench.calls.can_find = can_find
    bench.calls.can_give_up = can_give_up
    bench.calls.early = ("y",) if has_curves else ()
    bench.generator.seconds = suggesting_seconds
    for begin, seconds in outages:
        bench.outage(begin, begin + seconds)
    for at, command in orders:
        bench.submit_at(at, command)
    # Whatever hangs, pauses or is stopped: the operator ends the sitting at last, twice.
    for at in (200.0, 201.0, 202.0):
        bench.submit_at(at, StopNow())
    sitting(bench, wanted)
    check_storage_health(bench)
    most = max([wanted.parallelism, *(_parallelism(c) for _, c in orders)])
    if not any(isinstance(command, FetchAgain) for command in bench.submitted):
        assert bench.most_at_once <= most
    check_history(bench)
    check_deployments(bench)

    # A later sitting takes up what is still open; nothing that is over is touched.
    over = {i: t for i, t in bench.experiment.trials.items() if t.status.is_terminal}
    bench.clock.seconds = 1000.0
    bench.store.is_out = False
    for at in (1200.0, 1201.0, 1202.0):
        bench.submit_at(at, StopNow())
    error = sitting(bench, None)
    check_history(bench)
    check_deployments(bench)
    changed = {e.trial.index for e in bench.events if isinstance(e, TrialChanged)}
    named = {getattr(command, "trial_index", None) for command in bench.submitted}
    assert not changed & over.keys() - named
    run = bench.scheduler.current
    if run.state is RunState.COMPLETED:
        assert error is None
        assert all(trial.status.is_terminal for trial in bench.experiment.trials.values())
        is_spent = len(bench.experiment.trials) == run.settings.max_trials
        ends_early = run.reason.startswith(("target reached", "no better value"))
        assert is_spent or (ends_early and run.settings.orchestration.global_stopping is not None)


def _parallelism(command: Any) -> int:
    return command.parallelism or 0 if isinstance(command, ChangeRunSettings) else 0
