"""The rules of deployments, results and histories hold over crashes, whatever happens when.

A laboratory, an operator and a process that dies anywhere, on a real database, against what is on
record outside of that process. Set HYPOTHESIS_PROFILE=explore for many more examples.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from axdesk.core.commands import (
    Abandon,
    AddTrial,
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
    SetExcluded,
    SetNote,
    Stop,
    StopNow,
    TrialCommand,
)
from axdesk.core.errors import (
    AxdeskError,
    DecisionNeededError,
    FailureRateExceededError,
    StorageError,
)
from axdesk.core.events import Event, TrialChanged
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.questions import Answer
from axdesk.core.run import (
    CallDeadlines,
    OrchestrationConfig,
    RetryBudget,
    Run,
    RunSettings,
    RunState,
)
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.trial import TRANSITIONS, Observation, Trial, TrialStatus
from axdesk.generation import check_feasible
from axdesk.orchestration.scheduler import Scheduler
from axdesk.orchestration.setup_commands import edit_setup
from axdesk.orchestration.trial_commands import apply_to_trial
from axdesk.storage.store import SqlStore
from tests.e2e.mortal import (
    Died,
    Life,
    MortalCalls,
    MortalGenerator,
    MortalStore,
    PassingClock,
    Record,
    wreck_of,
)
from tests.fakes import FakeClock, Script

NAME = "reactor"
SETUP = ExperimentSetup(
    name=NAME,
    search_space=SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),)),
    optimization=OptimizationConfig(Objective.parse("y")),
    generation=GenerationSettings(initialization_budget=2),
)
ENTERED = 1000.0
"""Results that a person enters count up from here; the laboratory's are the trials' indices."""

LAST_ORDER = 400.0
"""Seconds after which a sitting is left, whatever hangs in it."""

SITTINGS_TO_END = 20

pauses = st.sampled_from([0.0, 0.0, 0.25, 1.0, 6.0])
indices = st.integers(0, 5)
moments = st.integers(0, 80).map(lambda quarters: quarters / 4)
deaths = st.one_of(st.none(), st.integers(1, 30), st.integers(1, 90))


def few(*kinds: str) -> st.SearchStrategy[dict[str, int]]:
    """Mostly none, else up to two calls of one kind."""
    return st.one_of(
        st.just({}), st.dictionaries(st.sampled_from(kinds), st.integers(1, 2), max_size=1)
    )


troubled = st.builds(
    Script,
    run_seconds=pauses,
    run_errors=st.sampled_from([0, 0, 0, 1, 9]),
    starts_anyway=st.booleans(),
    seconds=st.sampled_from([0.0, 1.0, 2.5, 7.0, 30.0]),
    ends_as=st.sampled_from(
        [TrialStatus.COMPLETED] * 4 + [TrialStatus.FAILED, TrialStatus.ABANDONED]
    ),
    poll_errors=st.sampled_from([0, 0, 1, 9]),
    poll_seconds=pauses,
    fetch_errors=st.sampled_from([{}, {}, {"y": 1}, {"y": 9}]),
    stop_error=st.sampled_from(["", "", "stuck"]),
    find_error=st.sampled_from(["", "", "no line"]),
    find_seconds=pauses,
    hangs=few("run", "poll", "stop", "find", "y"),
    not_entered=few("run", "poll", "stop", "find", "y"),
)
scripts = st.one_of(
    st.builds(Script, run_seconds=pauses, seconds=st.sampled_from([0.0, 2.5])),
    st.builds(Script, starts_anyway=st.just(True), run_errors=st.integers(0, 1)),
    troubled,
)

configs = st.builds(
    OrchestrationConfig,
    min_seconds_between_launches=pauses,
    min_failed_trials=st.integers(1, 5),
    when_failure_rate_exceeded=st.sampled_from(["drain", "stop"]),
    uncertain_deployment=st.sampled_from(["ask", "abandon"]),
    on_error=st.sampled_from(["continue", "continue", "pause", "stop"]),
    trial_time_limit=st.sampled_from([None, 5.0, 20.0]),
    call_deadlines=st.just(CallDeadlines(8.0, 4.0, 4.0, 4.0)),
    retry_budget=st.just(RetryBudget(3, 3)),
    max_seconds_between_polls=st.just(3.0),
)

run_settings = st.builds(
    RunSettings,
    max_trials=st.integers(1, 5),
    parallelism=st.integers(1, 3),
    tolerated_trial_failure_rate=st.sampled_from([0.3, 0.9]),
    initial_seconds_between_polls=st.just(1.0),
    orchestration=configs,
)

# The result is written in when it is carried out: each is different.
trial_commands = st.one_of(
    st.builds(EnterResult, indices, st.just({}), note=st.sampled_from(["", "read again"])),
    st.builds(MarkFailed, indices),
    st.builds(Abandon, indices),
    st.builds(SetExcluded, indices, st.booleans()),
    st.builds(SetNote, indices, st.sampled_from(["seen", "µ ☃", ""])),
    st.builds(AddTrial, st.just({"x": 0.5})),
)
edits = st.builds(
    EditSetup,
    search_space=st.sampled_from(
        [SearchSpace((RangeParameterConfig("x", (0.0, high)),)) for high in (1.0, 2.0)]
    ),
    optimization=st.none()
    | st.sampled_from([OptimizationConfig(Objective.parse(text)) for text in ("y", "-y")]),
)
commands = st.one_of(
    trial_commands,
    st.sampled_from([Pause(), Resume(), Stop(), StopNow(), Leave()]),
    st.builds(ChangeRunSettings, max_trials=st.integers(1, 6), parallelism=st.integers(1, 3)),
    st.builds(AnswerQuestion, indices, st.sampled_from(Answer)),
    edits,
    st.builds(FetchAgain, indices),
)
outages = st.one_of(st.none(), st.none(), st.tuples(moments, st.sampled_from([0.5, 6.0, 40.0])))


class LaboratoryDay(RuleBasedStateMachine):
    """What a laboratory, an operator and the world do to one experiment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=self.base))
        self.database = self.folder / "first" / "lab.sqlite"
        self.record = Record()
        self.entered = 0
        self.submitted: list[Command] = []
        self.answers: list[tuple[Command, Future[None]]] = []
        self.seconds = 0.0
        self.store: SqlStore | None = None

    base: Path

    # ---- processes -------------------------------------------------------------------------------

    @initialize(
        laboratory=st.lists(scripts, min_size=6, max_size=6),
        wanted=run_settings,
        can_find=st.booleans(),
        can_stop=st.booleans(),
        can_give_up=st.booleans(),
    )
    def create(
        self,
        laboratory: list[Script],
        wanted: RunSettings,
        can_find: bool,
        can_stop: bool,
        can_give_up: bool,
    ) -> None:
        self.wanted = wanted
        self.calls = MortalCalls(
            PassingClock(),
            scripts=dict(enumerate(laboratory)),
            can_find=can_find,
            can_stop=can_stop,
            can_give_up=can_give_up,
        )
        self.open()
        self.the_store.create(SETUP)
        self.experiment = self.the_store.load(NAME)

    @property
    def the_store(self) -> SqlStore:
        assert self.store is not None
        return self.store

    def open(self) -> None:
        """Begin a new process on the database as it lies there."""
        self.store = SqlStore.at(self.database)

    def live(self, dies_at: int | None, work: Callable[[MortalStore, Life], None]) -> bool:
        """Have the process do something, in which it may die; return whether it did not."""
        wrecks: list[Path] = []
        life = Life(dies_at, lambda: wrecks.append(wreck_of(self.database)))
        try:
            with self.the_store.control(self.experiment):
                work(MortalStore(self.the_store, life, self.record), life)
        except Died:
            self.the_store.close()
            (self.database,) = wrecks
            self.open()
            self.experiment = self.the_store.load(NAME)
            return False
        assert not life.is_over, "the process went on after its death"
        return True

    @rule()
    def reopen(self) -> None:
        self.the_store.close()
        self.open()
        self.experiment = self.the_store.load(NAME)

    # ---- runs ------------------------------------------------------------------------------------

    @rule(dies_at=deaths)
    def sit_alone(self, dies_at: int | None) -> None:
        """Go on with nobody there."""
        self.sit(dies_at, [], None, 0.5)

    @rule(
        dies_at=deaths,
        orders=st.lists(st.tuples(moments, commands), max_size=4),
        outage=outages,
        suggesting_seconds=st.sampled_from([0.0, 0.5, 5.0]),
    )
    def sit(
        self,
        dies_at: int | None,
        orders: list[tuple[float, Command]],
        outage: tuple[float, float] | None,
        suggesting_seconds: float,
    ) -> None:
        """Begin a run, or resume the last one, and let it go on until it ends or dies."""
        self.answers = []

        def work(store: MortalStore, life: Life) -> None:
            clock = PassingClock()
            clock.seconds = self.seconds
            self.calls.begin(life, clock)
            generator = MortalGenerator(clock, seconds=suggesting_seconds)
            generator.life = life
            scheduler = Scheduler(
                self.experiment,
                self._next_run(),
                store=store,
                generator=generator,
                calls=self.calls,
                publish=lambda event: self._hear(event, life),
                check_space=check_feasible,
                clock=clock,
            )
            try:
                self._plan(clock, scheduler, orders)
                if outage is not None:
                    begin = self.seconds + outage[0]
                    clock.at(begin, lambda: setattr(store, "is_out", True))
                    clock.at(begin + outage[1], lambda: setattr(store, "is_out", False))
                scheduler.run()
            except (DecisionNeededError, FailureRateExceededError, StorageError):
                pass
            finally:
                self.seconds = clock.seconds + 5.0
            assert all(answer.done() for _, answer in self.answers)

        self.live(dies_at, work)
        for command, answer in self.answers:
            if answer.done() and answer.exception() is None:
                self._check_acknowledged(command)

    def _plan(
        self, clock: FakeClock, scheduler: Scheduler, orders: list[tuple[float, Command]]
    ) -> None:
        last = [(LAST_ORDER + second, Leave()) for second in range(3)]
        for at, command in (*orders, *last):

            def submit(command: Command = command) -> None:
                meant = self._written(command)
                self.submitted.append(meant)
                self.answers.append((meant, scheduler.submit(meant)))

            clock.at(self.seconds + at, submit)

    def _written(self, command: Any) -> Any:
        """Let a command be about a trial that there is, with a result of its own."""
        trials = len(self.record.trials)
        if hasattr(command, "trial_index") and trials:
            command = replace(command, trial_index=command.trial_index % trials)
        if isinstance(command, EnterResult):
            self.entered += 1
            command = replace(command, result={"y": ENTERED + self.entered})
        return command

    def _next_run(self) -> Run:
        runs = self.experiment.runs
        if not runs or (runs[-1].state is RunState.COMPLETED and len(runs) < 2):
            return Run(len(runs), self.wanted)
        return runs[-1].moved_to(RunState.STARTING, reason="", ended_at=None)

    def _hear(self, event: Event, life: Life) -> None:
        if isinstance(event, TrialChanged) and not life.is_over:
            latest = self.record.trials[event.trial.index][-1]
            assert event.trial == latest, "told before it was stored"

    # ---- the operator, between runs --------------------------------------------------------------

    @rule(command=trial_commands, dies_at=st.one_of(st.none(), st.integers(1, 3)))
    def order(self, command: TrialCommand, dies_at: int | None) -> None:
        meant = self._written(command)
        self.submitted.append(meant)
        now = datetime(2026, 6, 1, tzinfo=UTC)
        refused: list[AxdeskError] = []

        def work(store: MortalStore, life: Life) -> None:
            commits = self.record.commits
            try:
                apply_to_trial(self.experiment, store, meant, now)
            except AxdeskError as error:
                refused.append(error)
                assert self.record.commits == commits, "refused, and stored all the same"

        if self.live(dies_at, work) and not refused:
            self._check_acknowledged(meant)

    @rule(edit=edits, dies_at=st.one_of(st.none(), st.integers(1, 2)))
    def edit(self, edit: EditSetup, dies_at: int | None) -> None:
        """Change the set-up."""
        now = datetime(2026, 6, 1, tzinfo=UTC)

        def work(store: MortalStore, life: Life) -> None:
            setup = edit.applied_to(self.experiment.setup)
            edit_setup(self.experiment, store, setup, now, check_feasible)

        if self.live(dies_at, work):
            self._check_acknowledged(edit)

    @precondition(lambda self: any(t.observations for t in self.record.latest().values()))
    @rule(
        pick=indices,
        command=st.sampled_from([EnterResult(0, {}, note="a slip"), Abandon(0, "a leak")]),
        dies_at=st.one_of(st.none(), st.integers(1, 3)),
    )
    def correct_or_void(
        self, pick: int, command: EnterResult | Abandon, dies_at: int | None
    ) -> None:
        """Change a result that is known."""
        known = [index for index, trial in self.record.latest().items() if trial.observations]
        self.order(replace(command, trial_index=known[pick % len(known)]), dies_at)

    def _check_acknowledged(self, command: Command) -> None:
        """What the operator was told to be done is stored."""
        trials = self.record.trials
        match command:
            case EnterResult(trial_index=index, result=result):
                (value,) = result.values()
                assert any(o.mean == value for o in trials[index][-1].observations)
            case Abandon(trial_index=index):
                assert trials[index][-1].status is TrialStatus.ABANDONED
            case MarkFailed(trial_index=index):
                assert TrialStatus.FAILED in [trial.status for trial in trials[index]]
            case SetNote(trial_index=index, note=note):
                assert note in [trial.note for trial in trials[index]]
            case SetExcluded(trial_index=index, is_excluded=is_excluded):
                assert is_excluded in [trial.is_excluded for trial in trials[index]]
            case EditSetup(search_space=space, optimization=optimization):
                stored = self.the_store.record(self.experiment.id)
                assert space in [version for _, version in stored.search_spaces]
                goals = [version for _, version in stored.optimizations]
                assert optimization is None or optimization in goals
            case _:
                pass

    # ---- what always holds -----------------------------------------------------------------------

    @precondition(lambda self: self.store is not None)
    @invariant()
    def all_is_stored_as_it_was_committed(self) -> None:
        stored = self.the_store.load(NAME)
        assert stored.trials == self.record.latest()
        assert list(self.the_store.history(stored.id)) == self.record.audit
        with closing(sqlite3.connect(self.database)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []

    @precondition(lambda self: self.store is not None)
    @invariant()
    def nothing_runs_twice_and_every_start_is_known(self) -> None:
        latest = self.record.latest()
        for index in {*self.calls.started, *self.calls.deployed}:
            assert latest[index].status is not TrialStatus.CANDIDATE
            assert latest[index].run_index is not None
            may_repeat = AnswerQuestion(index, Answer.REDEPLOY) in self.submitted
            assert self.calls.starts(index) <= 1 or may_repeat, "a trial ran twice"

    @precondition(lambda self: self.store is not None)
    @invariant()
    def each_trial_went_along_the_table_and_lost_nothing(self) -> None:
        assert sorted(self.record.trials) == list(range(len(self.record.trials)))
        for before, after, _ in self.record.changes:
            is_allowed = after.status in TRANSITIONS[before.status]
            assert is_allowed or after.status is before.status
            assert after.arm == before.arm
            assert before.observations == after.observations[: len(before.observations)]
        for snapshots in self.record.trials.values():
            self._check_observations(snapshots[-1])

    def _check_observations(self, trial: Trial) -> None:
        """A value is the laboratory's for this trial, or was entered for it."""
        entered = [
            value
            for command in self.submitted
            if isinstance(command, EnterResult) and command.trial_index == trial.index
            for value in command.result.values()
        ]
        for observation in trial.observations:
            assert observation.mean in entered or observation == Observation("y", trial.index)
        if trial.status is TrialStatus.COMPLETED:
            assert trial.observations

    @precondition(lambda self: self.store is not None)
    @invariant()
    def the_history_tells_what_was_corrected_or_voided(self) -> None:
        for before, after, audit in self.record.changes:
            is_voided = after.status is not TrialStatus.COMPLETED
            if before.status is not TrialStatus.COMPLETED:
                continue
            if is_voided or after.observations != before.observations:
                old = before.latest("y")
                (entry,) = audit
                assert old is not None
                assert entry.trial_index == before.index
                assert f"y = {old.mean!r}" in entry.before

    # ---- the end of the day ----------------------------------------------------------------------

    def teardown(self) -> None:
        """Whatever happened: a laboratory that works again brings the run to its budget."""
        if self.store is None:
            return
        try:
            self._finish()
        finally:
            self.the_store.close()
            shutil.rmtree(self.folder)

    def _finish(self) -> None:
        for index, script in self.calls.scripts.items():
            self.calls.scripts[index] = replace(
                script,
                hangs={},
                run_errors=0,
                poll_errors=0,
                fetch_errors={},
                stop_error="",
                find_error="",
            )
        for _ in range(SITTINGS_TO_END):
            self.sit(None, [], None, 0.0)
            if self.experiment.state is RunState.COMPLETED:
                break
            for trial in self.experiment.with_status(TrialStatus.STAGED):
                if not self.calls.can_find:
                    self.order(MarkFailed(trial.index, "nobody saw it"), None)
        run = self.experiment.runs[-1]
        assert run.state is RunState.COMPLETED, f"the run stays {run.state}: {run.reason}"
        trials = self.experiment.of_run(run)
        assert len(trials) == run.settings.max_trials
        assert all(trial.status.is_terminal for trial in trials)
        self.all_is_stored_as_it_was_committed()
        self.nothing_runs_twice_and_every_start_is_known()
        self.each_trial_went_along_the_table_and_lost_nothing()
        self.the_history_tells_what_was_corrected_or_voided()


@pytest.mark.timeout(3000)  # many examples of many commits; a single one takes about a second
def test_the_rules_hold_whatever_happens(tmp_path: Path) -> None:
    LaboratoryDay.base = tmp_path
    run_state_machine_as_test(
        LaboratoryDay,
        settings=settings(max_examples=settings().max_examples * 3 // 10, stateful_step_count=10),
    )
