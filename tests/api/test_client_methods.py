"""What a client offers beyond runs: imports, replicates, edits, notes, held parameters."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from axdesk.api.client import Client
from axdesk.api.configs import ChoiceParameterConfig, RangeParameterConfig, StorageConfig
from axdesk.api.protocols.runner import TrialStatus
from axdesk.api.stores import delete_experiment, list_experiments
from axdesk.core.errors import (
    NotFoundError,
    SearchSpaceExhaustedError,
    TransitionError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.run import RunState
from axdesk.core.trial import TrialSource
from tests.api.laboratory import (
    PARAMETERS,
    BenchMetric,
    BenchRunner,
    configured,
    equipped,
    run,
    value_at,
)
from tests.api.test_client_runs import Watched

Keep = Callable[[Client], Client]


def mixed(keep: Keep, method: str = "fast") -> Client:
    """A client with a parameter of each kind and a constraint, and a model from trial 2 on."""
    client = keep(Client(random_seed=3))
    client.configure_experiment(
        [
            RangeParameterConfig("x", (0.0, 1.0)),
            RangeParameterConfig("n", (1, 9), "int"),
            ChoiceParameterConfig("solvent", ["water", "acetone", "hexane"]),
        ],
        ["x + 0.1*n <= 1.2"],
    )
    client.configure_optimization("-y")
    client.configure_generation_strategy(method, 3, initialize_with_center=False)  # type: ignore[arg-type]  # a literal
    return client


def outcome(parameters: Any) -> float:
    penalty = {"water": 0.0, "acetone": 1.0, "hexane": 2.0}[parameters["solvent"]]
    return float((parameters["x"] - 0.4) ** 2 + 0.1 * parameters["n"] + penalty)


def tell(client: Client, count: int, **held: Any) -> list[dict[str, Any]]:
    told = []
    for _ in range(count):
        for index, parameters in client.get_next_trials(1, held or None).items():
            client.complete_trial(index, {"y": outcome(parameters)})
            told.append(parameters)
    return told


# ---- held parameters ------------------------------------------------------------------------


@pytest.mark.parametrize("held", [{"solvent": "acetone"}, {"n": 4}, {"x": 0.7, "solvent": "water"}])
def test_fixed_parameters_hold_in_every_phase_and_the_rest_is_searched(
    keep: Keep, held: dict[str, Any]
) -> None:
    client = mixed(keep)
    told = tell(client, 3) + (with_held := tell(client, 3, **held))
    assert all(parameters | held == parameters for parameters in with_held)
    assert all(p["x"] + 0.1 * p["n"] <= 1.2 + 1e-9 for p in told)
    assert len({tuple(sorted(p.items())) for p in told}) == 6
    assert client.experiment.trial(5).generation.source is TrialSource.MODEL
    assert client.experiment.trial(5).generation.predictions


def test_fixed_parameters_are_checked(keep: Keep) -> None:
    client = mixed(keep)
    for held, told in (
        ({"speed": 1}, "speed"),
        ({"n": 10}, "10"),
        ({"n": 2.5}, "2.5"),
        ({"solvent": "oil"}, "oil"),
        ({"x": 0.2, "n": 1, "solvent": "water"}, "attach_trial"),
    ):
        with pytest.raises(UserInputError, match=told):
            client.get_next_trials(1, held)  # type: ignore[arg-type]  # of several types
    assert not client.experiment.trials


def test_fewer_trials_than_asked_for_are_told(keep: Keep) -> None:
    client = keep(Client(random_seed=1))
    client.configure_experiment([ChoiceParameterConfig("c", ["a", "b"])])
    client.configure_optimization("y")
    with pytest.warns(UserWarning, match="2 of 5"):
        assert len(client.get_next_trials(5)) == 2
    with pytest.raises(SearchSpaceExhaustedError):
        client.get_next_trials(1)


# ---- import and summary ---------------------------------------------------------------------


def test_earlier_trials_are_imported_with_their_errors_and_statuses(client: Client) -> None:
    frame = pd.DataFrame(
        {
            "x": [0.1, 0.2, 0.3],
            "z": [0.5, 0.5, 0.5],
            "y": [1.0, 2.0, None],
            "y_sem": [0.1, None, None],
            "trial_status": ["COMPLETED", None, "FAILED"],
        }
    )
    assert client.import_trials(frame) == [0, 1, 2]
    first, second, third = client.experiment.trials.values()
    assert first.latest("y").sem == 0.1  # type: ignore[union-attr]  # fails
    assert second.latest("y").sem is None  # type: ignore[union-attr]  # fails
    assert third.status is TrialStatus.FAILED
    assert first.parameters == {"x": 0.1, "z": 0.5}
    assert [e.action for e in client.history()] == ["import_trial"] * 3
    assert client.get_best_parameterization(use_model_predictions=False)[2] == 1


def test_a_frame_with_bad_rows_is_told_by_row_and_nothing_is_imported(client: Client) -> None:
    frame = pd.DataFrame(
        {"x": [0.1, "high", 0.3, None], "z": [0.5] * 4, "y": [1.0, 2.0, None, 1.0]}
    )
    with pytest.raises(UserInputError) as raised:
        client.import_trials(frame)
    told = str(raised.value)
    assert "3 of 4 rows" in told
    assert all(f"row {n}" in told for n in (1, 2, 3))
    assert "row 0:" not in told
    assert not client.experiment.trials
    with pytest.raises(UserInputError, match="yield"):
        client.import_trials(pd.DataFrame({"x": [0.1], "z": [0.1], "yield": [1.0]}))


def test_a_summary_can_be_imported_elsewhere(client: Client, keep: Keep) -> None:
    run(client, 4)
    frame = client.summarize().drop(columns=["trial", "value"])
    other = keep(configured())
    other.import_trials(frame)
    pd.testing.assert_frame_equal(
        other.summarize()[["x", "z", "y", "y_sem"]], frame[["x", "z", "y", "y_sem"]]
    )


def test_a_summary_is_of_the_trials_and_statuses_asked_for(
    client: Client, runner: BenchRunner
) -> None:
    runner.fails = {1}
    run(client, 3)
    assert list(client.summarize([2, 0])["trial_index"]) == [0, 2]
    failed = client.summarize(trial_statuses=[TrialStatus.FAILED])
    assert list(failed["trial_index"]) == [1]
    columns = list(client.summarize().columns)
    assert columns == [
        "trial_index", "arm_name", "trial_status", "failure_reason", "generation_node",
        "trial", "value", "y", "y_sem", "x", "z",
    ]  # fmt: skip
    with pytest.raises(NotFoundError):
        client.summarize([7])


# ---- void, exclude, note, replicate ---------------------------------------------------------


def test_a_trial_is_excluded_from_the_model_and_included_again(client: Client) -> None:
    run(client, 3)
    best = client.get_best_parameterization(use_model_predictions=False)[2]
    client.exclude_trial(best)
    assert client.get_best_parameterization(use_model_predictions=False)[2] != best
    client.include_trial(best)
    assert client.get_best_parameterization(use_model_predictions=False)[2] == best
    client.set_trial_note(best, "looked at")
    assert client.experiment.trial(best).note == "looked at"
    assert [e.action for e in client.history(best)] == ["set_excluded"] * 2 + ["set_note"]


def test_only_a_result_can_be_voided(client: Client) -> None:
    client.get_next_trials(1)
    with pytest.raises(TransitionError, match="no result"):
        client.void_trial(0)


def test_a_replicate_is_deployed_by_the_next_run_beyond_its_budget(
    client: Client, runner: BenchRunner
) -> None:
    run(client, 2)
    index = client.replicate_trial(0)
    assert index == 2
    run(client, 1)
    assert sorted(runner.deployed) == [0, 1, 2, 3]
    again = client.experiment.trial(2)
    assert again.status is TrialStatus.COMPLETED
    assert again.parameters == client.experiment.trial(0).parameters
    assert client.history(2)[0].note == "of trial 0"


def test_a_replicate_is_deployed_by_the_run_that_goes_on(
    client: Client, runner: BenchRunner
) -> None:
    runner.is_open.clear()
    watched = Watched(client, 1)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    assert client.replicate_trial(0) == 1
    runner.is_open.set()
    watched.run.join()
    assert watched.run.error is None
    assert runner.deployed == [0, 1]
    assert client.experiment.trial(1).status is TrialStatus.COMPLETED


def test_a_replicate_by_hand_waits_for_its_result(client: Client, runner: BenchRunner) -> None:
    client.attach_trial({"x": 0.25, "z": 0.5})
    index = client.replicate_trial(0, deploy=False)
    assert client.complete_trial(index, {"y": 3.0}) is TrialStatus.COMPLETED
    assert runner.deployed == []
    with pytest.raises(NotFoundError):
        client.replicate_trial(9)


def test_a_replicate_of_what_is_forbidden_by_now_is_not_deployed(
    client: Client, runner: BenchRunner, caplog: pytest.LogCaptureFixture
) -> None:
    index = client.attach_trial({"x": 0.25, "z": 0.5})
    client.edit_experiment([NARROW, PARAMETERS[1]])
    with pytest.raises(UserInputError, match=r"Trial 0 is not deployed again\. .*'x'.* outside"):
        client.replicate_trial(index)
    client.edit_experiment(PARAMETERS, ["x + z <= 0.5"])
    with pytest.raises(UserInputError, match=r"x \+ z <= 0\.5 is broken"):
        client.replicate_trial(index)
    assert list(client.experiment.trials) == [0]

    assert client.replicate_trial(index, deploy=False) == 1  # whoever runs it decides
    assert "Trial 1 lies outside the search space." in caplog.text
    run(client, 1)
    assert runner.deployed == [2]


def test_an_edit_that_forbids_what_waits_to_be_deployed_is_refused(
    client: Client, runner: BenchRunner
) -> None:
    client.attach_trial({"x": 0.25, "z": 0.5})
    index = client.replicate_trial(0)
    refused = r"Trial 1 may still be deployed .* {}.* abandoned"
    with pytest.raises(UserInputError, match=refused.format("0.25 lies outside")):
        client.edit_experiment([NARROW, PARAMETERS[1]])
    with pytest.raises(UserInputError, match=refused.format("is broken")):
        client.edit_experiment(parameter_constraints=["x + z <= 0.5"])
    client.edit_experiment(parameter_constraints=["x + z <= 0.75"])

    client.mark_trial_abandoned(index)
    client.edit_experiment([NARROW, PARAMETERS[1]], [])
    run(client, 1)
    assert runner.deployed == [2]


def test_attached_data_complete_a_trial(client: Client) -> None:
    client.get_next_trials(1)
    with pytest.raises(UserInputError, match="y"):
        client.complete_trial(0)
    client.attach_data(0, {"y": 0.7})
    assert client.complete_trial(0) is TrialStatus.COMPLETED


# ---- edits ----------------------------------------------------------------------------------


NARROW = RangeParameterConfig("x", (0.5, 0.75))


def test_an_edit_waits_for_a_pause_or_the_end_of_the_run(
    client: Client, runner: BenchRunner
) -> None:
    runner.is_open.clear()
    watched = Watched(client, 2)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    edits: list[Callable[[], None]] = [
        lambda: client.edit_experiment([NARROW, PARAMETERS[1]]),
        lambda: client.configure_optimization("-y"),
        lambda: client.configure_generation_strategy("random_search"),
    ]
    for edit in edits:
        with pytest.raises(TransitionError, match="while the run is running"):
            edit()
    client.pause()
    runner.is_open.set()
    watched.wait_for_state(RunState.PAUSED)
    client.edit_experiment([NARROW, PARAMETERS[1]])
    client.configure_optimization("-abs(y - 3)")
    client.configure_generation_strategy("random_search")
    client.resume()
    watched.run.join()
    client.configure_optimization("-y")
    run(client, 1)

    trials = [client.experiment.trial(index) for index in range(3)]
    assert all(0.5 <= trial.parameters["x"] <= 0.75 for trial in trials[1:])  # type: ignore[operator]
    assert [t.search_space_version for t in trials] == [1, 2, 2]
    setups = [client.setup_of_trial(index) for index in range(3)]
    goals = [setup.optimization.objective_text for setup in setups]
    assert goals == ["y", "-abs(y - 3)", "-y"]
    assert setups[0].search_space.parameters[0] == PARAMETERS[0]
    assert client.experiment.setup.generation.method == "random_search"
    told = [(e.before, e.after) for e in client.history() if e.action == "edit_optimization"]
    assert told == [("y", "-abs(y - 3)"), ("-abs(y - 3)", "-y")]


def test_a_metric_that_is_no_longer_optimised_is_recorded_on(client: Client) -> None:
    run(client, 1)
    client.configure_metrics([BenchMetric("y")])
    client.configure_optimization("z")
    assert client.experiment.optimization.tracking_metrics == ("y",)
    client.configure_metrics([BenchMetric("z")])
    run(client, 1)
    assert {o.metric for o in client.experiment.trial(1).observations} == {"y", "z"}
    client.configure_optimization("-y")
    assert client.experiment.optimization.metric_names == ("y", "z")


def test_earlier_goals_survive_a_snapshot(client: Client, tmp_path: Path) -> None:
    run(client, 1)
    client.configure_optimization("-y", ["y <= 0.1"])
    run(client, 1)
    client.save_to_json_file(tmp_path / "snapshot.json")
    again = Client.load_from_json_file(tmp_path / "snapshot.json")
    assert [again.setup_of_trial(n) for n in (0, 1)] == [client.setup_of_trial(n) for n in (0, 1)]
    assert again.setup_of_trial(0) != again.setup_of_trial(1)
    again.close()


def test_an_edit_that_leaves_no_room_changes_nothing(client: Client) -> None:
    before = client.experiment.setup
    with pytest.raises(UserInputError):
        client.edit_experiment(parameter_constraints=["x + z <= -1"])
    with pytest.raises(UserInputError, match=r"twice|called"):
        client.edit_experiment([PARAMETERS[0], PARAMETERS[0]])
    client.edit_experiment()
    assert client.experiment.setup == before
    client.configure_optimization("-y")
    assert client.experiment.search_space == before.search_space


# ---- how candidates are made ----------------------------------------------------------------


def test_the_initial_design_grows_with_the_dimension(keep: Keep) -> None:
    sizes, client = {}, keep(Client())
    for dimension in (1, 6, 7, 8, 20):
        client = keep(Client())
        client.configure_generation_strategy()
        client.configure_experiment(
            [RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(dimension)]
            + [ChoiceParameterConfig("fixed", ["same"])],
        )
        client.configure_optimization("y")
        sizes[dimension] = client.experiment.setup.generation.initialization_budget
    assert sizes == {1: 5, 6: 5, 7: 5, 8: 6, 20: 12}
    client.configure_generation_strategy(initialization_budget=3)
    assert client.experiment.setup.generation.initialization_budget == 3


def test_only_trials_that_count_fill_the_initial_design(keep: Keep) -> None:
    frame = pd.DataFrame({"x": [0.1, 0.2, 0.3, 0.4], "z": [0.5] * 4, "y": [1.0, 2.0, 0.0, 1.0]})
    sources = {}
    for counts in (True, False):
        client = keep(configured())
        client.configure_generation_strategy(
            initialization_budget=4, use_existing_trials_for_initialization=counts
        )
        client.import_trials(frame)
        client.get_next_trials(1)
        sources[counts] = client.experiment.trial(4).generation.source
    assert sources == {True: TrialSource.MODEL, False: TrialSource.SOBOL}


def test_the_model_waits_for_as_many_results_as_asked_for(keep: Keep) -> None:
    client = keep(configured())
    client.configure_generation_strategy(
        initialization_budget=2, min_observed_initialization_trials=4
    )
    for index in range(6):
        (parameters,) = client.get_next_trials(1).values()
        client.complete_trial(index, {"y": value_at(parameters)})
    sources = [trial.generation.source for trial in client.experiment.trials.values()]
    assert sources[1:] == [TrialSource.SOBOL] * 3 + [TrialSource.MODEL] * 2


@pytest.mark.parametrize(
    "option",
    [
        {"allow_exceeding_initialization_budget": False},
        {"torch_device": "cuda"},
        {"simplify_parameter_changes": True},
        {"fit_tracking_metrics": True},
    ],
    ids=str,
)
def test_what_is_not_offered_is_refused_by_name(client: Client, option: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedError, match=next(iter(option))):
        client.configure_generation_strategy(**option)
    with pytest.raises(UserInputError, match="quality"):
        client.configure_generation_strategy("balanced")  # type: ignore[arg-type]  # refused


def test_the_thorough_model_suggests_and_predicts(keep: Keep) -> None:
    client = mixed(keep, "quality")
    tell(client, 5)
    assert client.experiment.trial(4).generation.source is TrialSource.MODEL
    point = dict(client.experiment.trial(0).parameters)
    (predicted,) = client.predict([point])
    assert predicted["y"][0] == pytest.approx(outcome(point), abs=0.3)


# ---- databases ------------------------------------------------------------------------------


def test_experiments_are_listed_and_deleted(storage: StorageConfig, keep: Keep) -> None:
    keep(configured(storage, "first"))
    second = equipped(keep(configured(storage, "second")), BenchRunner())
    run(second, 2)
    listed = list_experiments(storage)
    assert [(line.name, line.finished_trials) for line in listed] == [("second", 2), ("first", 0)]
    delete_experiment("second", storage)
    assert [line.name for line in list_experiments(storage)] == ["first"]
    with pytest.raises(NotFoundError, match="second"):
        delete_experiment("second", storage)
    with pytest.raises(NotFoundError):
        Client.load_from_database("second", storage)
