"""The experiment, and what the generator is asked about it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.commands import EditSetup
from axdesk.core.errors import NotFoundError
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.suggestions import request_for
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from tests.strategies import trials

S = TrialStatus
SETUP = ExperimentSetup(
    "Coupling",
    SearchSpace((RangeParameterConfig("x", (0, 1)),)),
    OptimizationConfig(Objective.parse("y"), tracking_metrics=("z",)),
)


def experiment(*statuses: TrialStatus) -> Experiment:
    made = Experiment(1, SETUP, datetime(2026, 11, 24, tzinfo=UTC))
    for index, status in enumerate(statuses):
        made.put(
            Trial(
                index,
                Arm(f"{index}_0", {"x": index / 10}),
                Generation(TrialSource.SOBOL),
                run_index=index % 2,
                status=status,
                observations=(Observation("y", 1.0),) if status is S.COMPLETED else (),
            )
        )
    return made


def test_trials_are_asked_by_index() -> None:
    made = experiment(S.COMPLETED, S.RUNNING)

    assert made.trial(1).arm.name == "1_0"
    assert made.next_index == 2
    with pytest.raises(NotFoundError, match=r"'Coupling' has no trial 2\. Its trials: 0 … 1\."):
        made.trial(2)
    with pytest.raises(NotFoundError, match=r"has no trial 0\. Its trials: none yet\."):
        experiment().trial(0)


def test_trials_are_found_by_status_and_run() -> None:
    made = experiment(S.STAGED, S.RUNNING, S.COMPLETED, S.FAILED)

    assert [t.index for t in made.pending] == [0, 1]
    assert [t.index for t in made.with_status(S.COMPLETED, S.FAILED)] == [2, 3]
    assert [t.index for t in made.of_run(Run(1, RunSettings()))] == [1, 3]


def test_the_latest_snapshot_of_a_run_counts() -> None:
    made = experiment()
    states = [made.state]
    for run in (
        Run(0, RunSettings()),
        Run(0, RunSettings(), RunState.COMPLETED),
        Run(1, RunSettings(), RunState.RUNNING),
    ):
        made.put_run(run)
        states.append(made.state)

    assert states == [RunState.READY, RunState.STARTING, RunState.COMPLETED, RunState.RUNNING]
    assert [run.index for run in made.runs] == [0, 1]


def test_a_new_search_space_is_a_new_version() -> None:
    made = experiment()

    made.change_setup(owner="Ada")
    assert (made.search_space_version, made.setup.owner) == (1, "Ada")
    made.change_setup(search_space=SETUP.search_space)
    assert made.search_space_version == 1
    made.change_setup(search_space=SearchSpace((RangeParameterConfig("x", (0, 2)),)))
    assert made.search_space_version == 2


def test_a_request_sorts_trials_by_what_they_mean_to_the_generator() -> None:
    made = experiment(*S)
    made.put(replace(made.trial(3), index=7, is_excluded=True))

    request = request_for(made, n=2)

    status = {index: trial.status for index, trial in made.trials.items()}
    assert [status[p.trial_index] for p in request.observed] == [S.COMPLETED]
    assert [status[i] for i, _ in request.pending] == [S.CANDIDATE, S.STAGED, S.RUNNING]
    assert [status[i] for i, _ in request.failed] == [S.FAILED]
    assert [i for i, _ in request.abandoned] == [5, 6, 7]
    assert (request.trial_index, request.n, request.designed) == (8, 2, 4)


def test_a_failure_that_is_excluded_is_excused() -> None:
    made = experiment(S.FAILED, S.FAILED)
    made.put(replace(made.trial(0), is_excluded=True))

    request = request_for(made)

    assert [i for i, _ in request.failed] == [1]
    assert [i for i, _ in request.excused] == [0]


def test_a_request_holds_what_was_executed_at_its_latest_value() -> None:
    made = experiment()
    made.put(
        Trial(
            0,
            Arm("0_0", {"x": 0.1}),
            Generation(TrialSource.SOBOL),
            status=S.COMPLETED,
            executed_parameters={"x": 0.2},
            observations=(Observation("y", 1.0), Observation("y", 2.0), Observation("z", 3.0)),
        )
    )

    (point,) = request_for(made).observed

    assert point.parameters == {"x": 0.2}
    assert point.observations == (Observation("y", 2.0), Observation("z", 3.0))


@given(st.data())
def test_every_trial_is_in_a_request_once_whatever_the_order(data: st.DataObject) -> None:
    made, shuffled = experiment(), experiment()
    known = [data.draw(trials(SETUP, index)) for index in range(data.draw(st.integers(0, 5)))]
    for trial in known:
        made.put(trial)
    for trial in data.draw(st.permutations(known)):
        shuffled.put(trial)

    request = request_for(made)

    entries = (*request.pending, *request.failed, *request.excused, *request.abandoned)
    indices = [p.trial_index for p in request.observed] + [index for index, _ in entries]
    assert sorted(indices) == list(range(len(known)))
    assert request_for(shuffled) == request


def test_an_edit_leaves_what_it_does_not_name_and_drops_what_fetches_nothing() -> None:
    plugin = PluginChoice("lab.py:Scale", {})
    goals = OptimizationConfig(Objective.parse("a"), tracking_metrics=("b",))
    setup = replace(SETUP, optimization=goals, metrics=(("a", plugin), ("b", plugin)))
    assert EditSetup().applied_to(setup) == setup
    assert EditSetup.to(setup).applied_to(SETUP) == replace(setup, metrics=SETUP.metrics)
    edited = EditSetup(optimization=OptimizationConfig(Objective.parse("b"))).applied_to(setup)
    assert edited.metrics == (("b", plugin),)
