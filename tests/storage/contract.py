"""What every store must do, whatever keeps its database."""

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axdesk.core import outcomes
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Goal
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import (
    ExperimentBusyError,
    NotFoundError,
    StorageError,
    UserInputError,
)
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import AuditEntry, ExperimentStore
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.storage.locks import this_controller
from tests import strategies

SPACE = SearchSpace((RangeParameterConfig("x", (0, 1)), RangeParameterConfig("n", (1, 9), "int")))
WIDER = SearchSpace((RangeParameterConfig("x", (0, 2)), RangeParameterConfig("n", (1, 9), "int")))
SETUP = ExperimentSetup("coupling", SPACE, OptimizationConfig(Objective.parse("-cost")))
RUN = Run(0, RunSettings(max_trials=12))
# The store of a test keeps what all its examples leave: that they do not meet is part of the test.
examples = settings(
    max_examples=40,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.differing_executors,  # each store's class inherits the test
        HealthCheck.too_slow,
    ],
)
numbered = itertools.count()


def named(setup: ExperimentSetup) -> ExperimentSetup:
    """Give a set-up a name of its own, but for its random beginning."""
    return replace(setup, name=f"{setup.name} {next(numbered)}")


def trial(index: int, status: TrialStatus = TrialStatus.STAGED, **changes: Any) -> Trial:
    arm = Arm(f"{index}_0", {"x": 0.25, "n": 2})
    fields = {"observations": (Observation("cost", 1.5),), "run_index": None, **changes}
    return Trial(index, arm, Generation(TrialSource.SOBOL), status=status, **fields)


@contextmanager
def counted(event_name: str) -> Iterator[list[Any]]:
    """Collect an event of all engines while the block runs."""
    seen: list[Any] = []

    def note(*arguments: Any, **_: Any) -> None:
        seen.append(arguments)

    sqlalchemy.event.listen(sqlalchemy.Engine, event_name, note)
    try:
        yield seen
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, event_name, note)


def started(store: ExperimentStore, name: str = "coupling") -> Experiment:
    """Keep an experiment with a run that goes on."""
    experiment = store.create(replace(SETUP, name=name))
    store.save_run(experiment, RUN)
    store.save_run(experiment, RUN.moved_to(RunState.RUNNING))
    return experiment


class StoreContract:
    """Inherited by the tests of each store, which give the fixture `store`."""

    # What is stored is loaded.

    @examples
    @given(strategies.setups())
    def test_a_setup_is_loaded_as_it_was_stored(
        self, store: ExperimentStore, setup: ExperimentSetup
    ) -> None:
        created = store.create(named(setup))

        loaded = store.load(created.name)

        assert loaded == created == store.load_by_id(created.id)
        # 1, 1.0 and True are equal but not alike.
        assert repr(loaded.setup.search_space.parameters) == repr(setup.search_space.parameters)
        assert repr((loaded.setup.runner, loaded.setup.metrics)) == repr(
            (setup.runner, setup.metrics)
        )

    @examples
    @given(st.data(), strategies.setups())
    def test_every_snapshot_of_a_trial_replaces_the_one_before(
        self, store: ExperimentStore, data: st.DataObject, setup: ExperimentSetup
    ) -> None:
        experiment = store.create(named(setup))
        indices = data.draw(st.lists(st.integers(0, 2), min_size=1, max_size=5))

        for index in indices:
            store.save_trial(experiment, data.draw(strategies.trials(setup, index)))

        loaded = store.load_by_id(experiment.id)
        assert loaded.trials == experiment.trials
        assert [*loaded.trials] == sorted(set(indices))
        for index, snapshot in experiment.trials.items():
            again = loaded.trial(index)
            assert repr(dict(again.arm.parameters)) == repr(dict(snapshot.arm.parameters))
            assert repr(again.executed_parameters) == repr(snapshot.executed_parameters)
            assert repr(again.metadata) == repr(snapshot.metadata)

    @examples
    @given(st.data())
    def test_runs_are_loaded_as_they_were_last_stored(
        self, store: ExperimentStore, data: st.DataObject
    ) -> None:
        experiment = store.create(named(SETUP))

        for index in data.draw(st.sampled_from([(0,), (0, 0), (0, 1), (0, 1, 1)])):
            store.save_run(experiment, data.draw(strategies.runs(index)))

        last = experiment.runs[-1]
        loaded = store.load_by_id(experiment.id)
        assert loaded.runs[:-1] == experiment.runs[:-1]
        assert loaded.runs[-1] == last or (
            last.state.is_live and loaded.runs[-1].state is RunState.INTERRUPTED
        )

    @examples
    @given(strategies.drafts, strategies.drafts)
    def test_a_draft_is_loaded_as_it_was_last_typed(
        self, store: ExperimentStore, first: Draft, second: Draft
    ) -> None:
        draft_id = store.save_draft(first, None)
        assert store.load_draft(draft_id) == first

        assert store.save_draft(second, draft_id) == draft_id
        assert store.load_draft(draft_id) == second

    def test_an_option_that_is_no_number_is_loaded(self, store: ExperimentStore) -> None:
        options = {"nan": float("nan"), "inf": float("inf"), "zero": -0.0}
        setup = replace(SETUP, runner=PluginChoice("lab.py:Lab", options))
        store.create(setup)

        loaded = store.load(setup.name).setup.runner

        assert loaded is not None
        assert repr(loaded.options) == repr(options)

    def test_a_reason_that_no_text_file_could_hold_is_stored(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)

        store.save_trial(experiment, trial(0, reason="no file b\udcff.csv"))

        assert store.load(SETUP.name).trial(0).reason == r"no file b\udcff.csv"

    # Experiments, drafts and their names.

    def test_a_name_is_taken_once(self, store: ExperimentStore) -> None:
        store.create(SETUP)
        other = store.create(replace(SETUP, name="other"))

        with pytest.raises(UserInputError, match="already an experiment called 'coupling'"):
            store.create(SETUP)
        with pytest.raises(UserInputError, match="already an experiment called 'coupling'"):
            store.save_setup(other, replace(other.setup, name="coupling"))
        assert store.load("other").setup == other.setup

    def test_an_unknown_name_is_told_with_the_known_ones(self, store: ExperimentStore) -> None:
        store.create(SETUP)

        with pytest.raises(NotFoundError, match=r"'copling'.*'coupling'"):
            store.load("copling")

    def test_an_experiment_takes_the_place_of_its_draft(self, store: ExperimentStore) -> None:
        draft = draft_of(SETUP)
        draft_id = store.save_draft(draft, None)
        with pytest.raises(NotFoundError, match="only a draft"):
            store.load_by_id(draft_id)

        experiment = store.create(SETUP, draft_id)

        assert experiment.id == draft_id
        assert store.load(SETUP.name) == experiment
        assert store.load_draft(draft_id) == draft
        assert [s.state for s in store.summaries()] == [RunState.READY]

    def test_what_is_no_draft_cannot_become_an_experiment(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)

        for number in (experiment.id, 99):
            with pytest.raises(NotFoundError, match=f"no draft with the number {number}"):
                store.create(replace(SETUP, name="other"), number)

    def test_a_changed_search_space_is_a_new_version(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        store.save_trial(experiment, trial(0))
        store.save_draft(draft_of(SETUP), experiment.id)

        store.save_setup(experiment, replace(SETUP, owner="Ada"))
        assert experiment.search_space_version == 1
        store.save_setup(experiment, replace(SETUP, name="renamed", search_space=WIDER))
        store.save_trial(experiment, trial(1, search_space_version=2))

        loaded = store.load("renamed")
        assert loaded == experiment
        assert loaded.search_space_version == 2
        assert [t.search_space_version for t in loaded.trials.values()] == [1, 2]
        assert store.load_draft(experiment.id) is None

    def test_changed_goals_are_a_new_version(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        store.save_trial(experiment, trial(0))
        before = SETUP.optimization
        limit = OutcomeConstraint.parse("`Δ t` <= 3")
        other = replace(before, outcome_constraints=(*before.outcome_constraints, limit))
        for version, optimization in enumerate((other, before), 2):
            store.save_setup(experiment, replace(SETUP, optimization=optimization))
            assert experiment.optimization_version == version
            assert experiment.search_space_version == 1
            store.save_trial(experiment, trial(version, optimization_version=version))

        loaded = store.load(SETUP.name)
        assert loaded == experiment
        assert [t.optimization_version for t in loaded.trials.values()] == [1, 2, 3]

    def test_who_knows_an_older_version_overwrites_none_that_has_trials(
        self, store: ExperimentStore
    ) -> None:
        experiment = store.create(SETUP)
        stale = replace(experiment)
        store.save_setup(experiment, replace(SETUP, search_space=WIDER))
        store.save_trial(experiment, trial(0, search_space_version=2))
        with pytest.raises(StorageError):
            store.save_setup(stale, replace(SETUP, search_space=WIDER))
        assert store.load(SETUP.name) == experiment

    def test_a_version_that_was_stored_though_the_disk_said_no_is_stored_again(
        self, store: ExperimentStore
    ) -> None:
        experiment = store.create(SETUP)
        before = replace(experiment)
        goals = OptimizationConfig(Objective.parse("cost"))
        changed = replace(SETUP, search_space=WIDER, optimization=goals)
        store.save_setup(experiment, changed)
        store.save_setup(before, changed)
        assert store.load(SETUP.name) == before == experiment

    def test_units_and_what_is_only_recorded_make_no_version(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        recorded = replace(SETUP.optimization, tracking_metrics=("pH",), units=(("pH", "1"),))
        store.save_setup(experiment, replace(SETUP, optimization=recorded))
        assert experiment.optimization_version == 1
        assert store.load(SETUP.name).optimization == recorded

    def test_what_is_deleted_is_gone_and_its_number_is_not_given_again(
        self, store: ExperimentStore
    ) -> None:
        kept = started(store, "kept")
        gone = started(store, "gone")
        store.save_trial(gone, trial(0, run_index=0), [AuditEntry(datetime.now(UTC), "note")])
        store.save_draft(draft_of(SETUP), gone.id)

        store.delete(gone.id)

        assert [s.name for s in store.summaries()] == ["kept"]
        assert store.load_draft(gone.id) is None
        assert store.history(gone.id) == ()
        with pytest.raises(NotFoundError):
            store.delete(gone.id)
        with pytest.raises(NotFoundError, match="'gone' was deleted"):
            store.save_trial(gone, trial(1))
        assert store.create(replace(SETUP, name="gone")).id > gone.id
        assert store.load("kept").runs[0].index == kept.runs[0].index

    # Trials and history.

    def test_history_keeps_what_a_correction_replaced(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        first = trial(0, TrialStatus.COMPLETED)
        corrected = replace(first, observations=(*first.observations, Observation("cost", 2.5)))
        at = datetime(2026, 3, 1, 12, tzinfo=UTC)
        entered = AuditEntry(at, "enter_result", 0, "1.5", "2.5", "read µ wrongly")
        renamed = AuditEntry(at, "rename", None, "a", "b")

        store.save_trial(experiment, first)
        store.save_trial(experiment, corrected, [entered])
        store.save_run(experiment, RUN, [renamed])

        assert store.history(experiment.id) == (entered, renamed)
        assert store.history(experiment.id, 0) == (entered,)
        assert store.load(SETUP.name).trial(0).latest("cost") == Observation("cost", 2.5)

    @pytest.mark.parametrize("status", [TrialStatus.STAGED, TrialStatus.COMPLETED])
    def test_storing_a_trial_is_one_commit_and_loading_none(
        self, store: ExperimentStore, status: TrialStatus
    ) -> None:
        experiment = store.create(SETUP)
        entry = AuditEntry(datetime.now(UTC), "note", 0)

        with counted("commit") as commits:
            store.save_trial(experiment, trial(0))
            store.save_trial(experiment, trial(0, status, note="again"), [entry])
            store.save_run(experiment, RUN, [entry])
        assert len(commits) == 3

        with counted("commit") as commits:
            store.load(SETUP.name)
            store.summaries()
            store.history(experiment.id)
        assert not commits

    def test_a_call_that_fails_changes_nothing(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        store.save_trial(experiment, trial(0))
        naive = AuditEntry(datetime(2026, 3, 1), "note")  # noqa: DTZ001

        with pytest.raises(StorageError, match="says no time zone"):
            store.save_trial(experiment, trial(0, TrialStatus.RUNNING), [naive])

        assert experiment.trial(0) == store.load(SETUP.name).trial(0) == trial(0)

    def test_a_trial_that_another_client_changed_is_not_overwritten(
        self, store: ExperimentStore
    ) -> None:
        experiment = store.create(SETUP)
        store.save_trial(experiment, trial(0))
        stale = store.load(SETUP.name)
        done = trial(0, TrialStatus.COMPLETED)
        store.save_trial(experiment, done)
        store.save_trial(experiment, trial(1))

        with pytest.raises(StorageError, match="no longer staged"):
            store.save_trial(stale, trial(0, TrialStatus.FAILED))
        with pytest.raises(StorageError, match="stored already"):
            store.save_trial(stale, trial(1))
        assert store.load(SETUP.name).trials == {0: done, 1: trial(1)}

    def test_a_trial_that_the_experiment_has_got_already_is_stored_whole(
        self, store: ExperimentStore
    ) -> None:
        experiment = store.create(SETUP)
        done = trial(0, TrialStatus.COMPLETED)
        store.save_trial(experiment, done)
        corrected = replace(done, observations=(*done.observations, Observation("cost", 2.5)))
        experiment.put(corrected)

        store.save_trial(experiment, corrected)

        assert store.load(SETUP.name).trial(0) == corrected

    def test_a_number_that_no_database_holds_is_refused(self, store: ExperimentStore) -> None:
        with pytest.raises(StorageError, match="cannot keep a value"):
            store.create(replace(SETUP, run=RunSettings(max_trials=2**70)))
        assert store.summaries() == ()

    # The list of experiments.

    @examples
    @given(st.data(), strategies.optimizations())
    def test_the_best_trial_of_the_list_is_the_best_observed(
        self, store: ExperimentStore, data: st.DataObject, optimization: OptimizationConfig
    ) -> None:
        experiment = store.create(named(replace(SETUP, optimization=optimization)))
        metrics = st.sampled_from(optimization.required_metrics)
        results = st.lists(strategies.observations(metrics), min_size=1, max_size=8)
        for index in range(data.draw(st.integers(0, 5))):
            status = data.draw(st.sampled_from([*3 * [TrialStatus.COMPLETED], TrialStatus.FAILED]))
            done = trial(index, status, observations=tuple(data.draw(results)))
            excluded = data.draw(st.sampled_from([False, False, True]))
            source = data.draw(
                st.sampled_from([TrialSource.SOBOL, TrialSource.CENTER, TrialSource.BASELINE])
            )
            made = replace(done, is_excluded=excluded, generation=Generation(source))
            store.save_trial(experiment, made)

        summary = next(s for s in store.summaries() if s.id == experiment.id)

        only = optimization.objectives[0]
        is_alone = len(optimization.objectives) == len(only.metric_names) == 1
        assert summary.objective == (only.label if is_alone else "")
        best = outcomes.best_observed(experiment.trials.values(), optimization)
        assert (best is None) == (summary.best_trial is None) == (summary.best is None)
        if best is not None and summary.best_trial is not None:
            score = outcomes.objective_score(best, optimization)
            assert score is not None
            expected = outcomes.shown_value(score, optimization)
            assert summary.best == pytest.approx(expected, rel=1e-9, abs=1e-3)
            absolute = outcomes.against_baseline(optimization, experiment.trials.values())
            assert outcomes.is_eligible(experiment.trial(summary.best_trial), absolute)

    def test_the_best_trial_keeps_the_limits_and_is_not_excluded(
        self, store: ExperimentStore
    ) -> None:
        limits = (OutcomeConstraint.parse("dirt <= 2"), OutcomeConstraint.parse("dirt >= -2"))
        experiment = store.create(
            replace(SETUP, optimization=OptimizationConfig(Objective.parse("-cost"), limits))
        )

        def done(index: int, cost: float, dirt: float, **changes: Any) -> None:
            values = (Observation("cost", cost), Observation("dirt", dirt))
            completed = trial(index, TrialStatus.COMPLETED, observations=values, **changes)
            store.save_trial(experiment, completed)

        done(0, cost=9.0, dirt=0.0)
        done(1, cost=5.0, dirt=2.0)
        done(2, cost=4.0, dirt=2.5)
        done(3, cost=3.0, dirt=-2.5)
        done(4, cost=2.0, dirt=0.0, is_excluded=True)
        done(5, cost=5.0, dirt=0.0)

        (summary,) = store.summaries()

        assert (summary.best, summary.best_trial) == (5.0, 1)

    def test_the_best_value_is_the_latest_of_a_trial(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        series = (
            Observation("cost", 1.0, progression=3.0),
            Observation("cost", 8.0, progression=9.0),
            Observation("cost", 7.0, progression=9.0),
            Observation("cost", 2.0, progression=5.0),
        )

        store.save_trial(experiment, trial(0, TrialStatus.COMPLETED, observations=series))

        assert store.summaries()[0].best == 7.0

    def test_the_list_tells_where_each_experiment_stands(self, store: ExperimentStore) -> None:
        units = OptimizationConfig(Objective.parse("-cost"), units=(("cost", "EUR"),))
        store.save_draft(Draft(), None)
        store.save_draft(Draft(general={"name": "idea"}), None)
        store.create(replace(SETUP, name="ready"))
        run = started(store, "run")
        store.save_setup(run, replace(run.setup, optimization=units))
        store.save_trial(run, trial(0, TrialStatus.COMPLETED, run_index=0))
        store.save_trial(run, trial(1, TrialStatus.FAILED, run_index=0))
        store.save_trial(run, trial(2, TrialStatus.RUNNING, run_index=0))
        store.save_trial(run, trial(3, TrialStatus.COMPLETED, is_excluded=True))

        with store.control(run):
            store.save_run(run, RUN.moved_to(RunState.RUNNING))
            listed = store.summaries()

        assert [(s.name, s.state) for s in listed] == [
            ("run", RunState.RUNNING),
            ("ready", RunState.READY),
            ("idea", RunState.DRAFT),
            ("", RunState.DRAFT),
        ]
        first, ready = listed[0], listed[1]
        assert (first.finished_trials, first.max_trials) == (2, 12)
        assert (first.best, first.best_trial, first.unit) == (1.5, 0, "EUR")
        assert first.is_minimised is True
        assert first.controller == this_controller()
        assert (ready.best, ready.max_trials, ready.controller) == (None, 0, "")
        assert listed[-1].is_minimised is None
        assert [s.trials for s in listed] == [4, 0, 0, 0]

    def test_the_list_tells_the_limits(self, store: ExperimentStore) -> None:
        limits = ("dirt <= 2", "`K-factor` >= 0.9*baseline", "dirt + 2*cost <= 7")
        optimization = OptimizationConfig(
            Objective.parse("-cost"), tuple(map(OutcomeConstraint.parse, limits)),
            units=(("dirt", "%"), ("cost", "EUR")),
        )  # fmt: skip
        store.create(replace(SETUP, optimization=optimization))
        typed = (
            {"name": "cost", "goal": "minimise", "limit": "much", "limit_kind": "<="},
            {"name": "dirt", "goal": "limit", "limit": "1,5", "limit_kind": ">=", "unit": "%"},
            {"name": "noise", "goal": "record", "limit": "3"},
        )
        store.save_draft(Draft(general={"name": "idea"}, objectives=typed), None)

        told = {summary.name: summary.limits for summary in store.summaries()}

        assert told == {
            "coupling": ("dirt <= 2 %", *limits[1:]),
            "idea": ("dirt >= 1.5 %",),
        }

    def test_the_list_tells_what_a_draft_aims_at_so_far(self, store: ExperimentStore) -> None:
        def row(name: str, goal: Goal, **cells: str) -> dict[str, str]:
            return {"name": name, "goal": goal.value, **cells}

        drafts: dict[str, tuple[dict[str, str], ...]] = {
            "nothing": (row("cost", Goal.RECORD), row("", Goal.MAXIMISE), row("x", Goal.LIMIT)),
            "one": (row("dirt", Goal.LIMIT), row("cost", Goal.MINIMISE, unit="EUR")),
            "target": (row("pH", Goal.TARGET, target="7,5"),),
            "no target yet": (row("pH", Goal.TARGET, target="seven"),),
            "two": (row("cost", Goal.MINIMISE), row("gain", Goal.MAXIMISE)),
            "a sum": (
                row("cost", Goal.MINIMISE, weight="2"),
                row("gain", Goal.MAXIMISE, weight="3"),
            ),
        }
        for name, rows in drafts.items():
            store.save_draft(Draft(general={"name": name}, objectives=rows), None)

        told = {s.name: (s.objectives, s.is_minimised, s.objective) for s in store.summaries()}

        assert told == {
            "nothing": (0, None, ""),
            "one": (1, True, "cost"),
            "target": (1, True, "abs(pH - 7.5)"),
            "no target yet": (1, True, "pH"),
            "two": (2, None, ""),
            "a sum": (1, False, ""),
        }

    def test_the_list_takes_as_many_queries_for_one_experiment_as_for_ten(
        self, store: ExperimentStore
    ) -> None:
        counts = []
        for names in (["0"], [str(n) for n in range(1, 10)]):
            for name in names:
                store.save_trial(started(store, name), trial(0, TrialStatus.COMPLETED))
            with counted("before_cursor_execute") as queries:
                store.summaries()
            counts.append(len(queries))

        assert counts[0] == counts[1]

    # Who drives an experiment.

    def test_an_experiment_has_one_controller(self, store: ExperimentStore) -> None:
        experiment = started(store)
        other = store.create(replace(SETUP, name="other"))

        with store.control(experiment):
            with pytest.raises(ExperimentBusyError, match="run by this program"):
                store.control(store.load("coupling")).__enter__()
            with pytest.raises(ExperimentBusyError):
                store.delete(experiment.id)
            with store.control(other):
                pass
        with store.control(experiment):
            pass

    def test_the_right_ends_with_an_exception_too(self, store: ExperimentStore) -> None:
        experiment = started(store)

        with pytest.raises(KeyError), store.control(experiment):
            raise KeyError
        with store.control(experiment):
            pass

    def test_a_run_that_nobody_drives_is_interrupted(self, store: ExperimentStore) -> None:
        experiment = started(store)

        loaded = store.load("coupling")
        assert loaded.state is RunState.INTERRUPTED
        assert loaded.runs[-1].reason
        assert store.summaries()[0].state is RunState.INTERRUPTED
        # Its last sign of life stays what it was, also where somebody writes to it later.
        assert loaded.runs[-1].ended_at == store.summaries()[0].updated_at
        with store.control(experiment):
            store.save_trial(experiment, replace(trial(0), note="seen to later"))
        assert store.load("coupling").runs == loaded.runs

        with store.control(experiment):
            assert experiment.runs == store.load("coupling").runs == loaded.runs
            store.save_run(experiment, experiment.runs[-1].moved_to(RunState.STARTING))
            assert store.load("coupling").state is RunState.STARTING

    def test_who_takes_control_sees_what_others_did(self, store: ExperimentStore) -> None:
        stale = store.create(SETUP)
        other = store.load(SETUP.name)
        with store.control(other):
            store.save_run(other, RUN)
            store.save_trial(other, trial(0, run_index=0))
            store.save_run(other, RUN.moved_to(RunState.STOPPED))

        with store.control(stale):
            assert stale == other

    def test_who_takes_control_again_reads_only_what_changed(self, store: ExperimentStore) -> None:
        experiment, other = store.create(SETUP), store.create(replace(SETUP, name="other"))
        with store.control(experiment):
            store.save_trial(experiment, trial(0))

        with counted("before_cursor_execute") as queries, store.control(experiment):
            assert not queries
            store.save_trial(experiment, trial(1))
        with counted("before_cursor_execute") as queries, store.control(experiment):
            assert not queries
        store.save_trial(other, trial(0))
        with counted("before_cursor_execute") as queries, store.control(experiment):
            assert queries
        assert experiment == store.load("coupling")

    def test_who_takes_control_forgets_what_was_not_stored(self, store: ExperimentStore) -> None:
        experiment = store.create(SETUP)
        with store.control(experiment):
            store.save_trial(experiment, trial(0))

        experiment.put(trial(0, TrialStatus.RUNNING))
        experiment.put(trial(1))
        with store.control(experiment):
            assert experiment == store.load("coupling")

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from(["trial", "run", "setup", "look"]))))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def test_two_who_take_turns_see_each_other(
        self, store: ExperimentStore, turns: list[tuple[bool, str]]
    ) -> None:
        for name in ("coupling", "renamed"):
            for one in store.summaries():
                if one.name == name:
                    store.delete(one.id)
        both = store.create(SETUP), store.load("coupling")
        for is_first, what in turns:
            mine = both[is_first]
            with store.control(mine):
                assert mine == store.load_by_id(mine.id)
                if what == "trial":
                    store.save_trial(mine, trial(mine.next_index))
                elif what == "run" and not mine.runs:
                    store.save_run(mine, RUN.moved_to(RunState.STOPPED))
                elif what == "setup":
                    names = {"coupling": "renamed", "renamed": "coupling"}
                    store.save_setup(mine, replace(mine.setup, name=names[mine.name]))
                assert mine == store.load_by_id(mine.id)

    # Threads, and the end.

    def test_threads_take_turns(self, store: ExperimentStore) -> None:
        experiments = [store.create(replace(SETUP, name=str(n))) for n in range(4)]
        failures: list[BaseException] = []

        def work(experiment: Experiment) -> None:
            try:
                for index in range(15):
                    store.save_trial(experiment, trial(index))
                    assert store.load_by_id(experiment.id).next_index == index + 1
                    store.summaries()
            except BaseException as error:  # noqa: BLE001 - told by the test's own thread
                failures.append(error)

        threads = [threading.Thread(target=work, args=[e]) for e in experiments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert not failures
        assert [store.load_by_id(e.id) for e in experiments] == experiments

    @pytest.mark.parametrize(
        "call",
        [
            lambda store: store.summaries(),
            lambda store: store.create(SETUP),
            lambda store: store.load("coupling"),
        ],
    )
    def test_a_closed_store_says_so(
        self, store: ExperimentStore, call: Callable[[ExperimentStore], object]
    ) -> None:
        store.close()
        store.close()

        with pytest.raises(StorageError, match="was closed"):
            call(store)
