"""Ask and tell, and what a client answers about its trials."""

from collections.abc import Callable

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.api.protocols.runner import TrialStatus
from axdesk.core.errors import (
    GenerationError,
    NotFoundError,
    TransitionError,
    UserInputError,
)
from tests.api.laboratory import BenchRunner, configured, equipped, run, value_at

Keep = Callable[[Client], Client]


def test_trials_are_asked_for_and_told(client: Client, runner: BenchRunner) -> None:
    asked = client.get_next_trials(3)
    assert list(asked) == [0, 1, 2]
    assert len({tuple(sorted(p.items())) for p in asked.values()}) == 3
    assert client.experiment.trial(0).status is TrialStatus.RUNNING
    assert client.complete_trial(0, {"y": (0.5, 0.1)}) is TrialStatus.COMPLETED
    assert client.complete_trial(1, {"y": 0.7}) is TrialStatus.COMPLETED
    assert client.experiment.trial(1).latest("y").sem is None  # type: ignore[union-attr]  # fails
    client.mark_trial_failed(2, "broken vial")
    assert client.experiment.trial(2).reason == "broken vial"
    assert client.experiment.trial(2).status is TrialStatus.FAILED
    assert list(client.get_next_trials(1)) == [3]
    client.mark_trial_abandoned(3)
    assert client.experiment.trial(3).status is TrialStatus.ABANDONED
    assert runner.deployed == []


def test_a_trial_is_not_told_what_is_not_allowed(client: Client) -> None:
    client.get_next_trials(2)
    with pytest.raises(UserInputError, match="y"):
        client.complete_trial(0, {})
    with pytest.raises(UserInputError):
        client.complete_trial(0, {"y": float("nan")})
    client.mark_trial_abandoned(1)
    with pytest.raises(TransitionError):
        client.complete_trial(1, {"y": 1.0})
    with pytest.raises(NotFoundError):
        client.complete_trial(7, {"y": 1.0})
    assert client.experiment.trial(0).status is TrialStatus.RUNNING


def test_data_of_a_trial_that_goes_on_do_not_complete_it(client: Client) -> None:
    client.get_next_trials(1)
    client.attach_data(0, {"y": 0.2}, progression=1)
    assert client.experiment.trial(0).status is TrialStatus.RUNNING
    client.complete_trial(0, {"y": 0.4}, progression=2)
    latest = client.experiment.trial(0).latest("y")
    assert latest is not None
    assert (latest.mean, latest.progression) == (0.4, 2)


def test_data_are_not_attached_to_a_trial_that_ended_or_with_wrong_names(client: Client) -> None:
    client.get_next_trials(2)
    client.mark_trial_abandoned(0)
    with pytest.raises(TransitionError):
        client.attach_data(0, {"y": 0.2})
    with pytest.raises(UserInputError, match="typo"):
        client.attach_data(1, {"typo": 0.2})
    assert not client.experiment.trial(0).observations
    assert not client.experiment.trial(1).observations


def test_a_trial_of_ones_own_is_attached_and_completed(client: Client) -> None:
    index = client.attach_trial({"x": 0.25, "z": 0.5}, arm_name="baseline")
    assert client.experiment.trial(index).arm.name == "baseline"
    assert client.experiment.trial(index).status is TrialStatus.RUNNING
    client.complete_trial(index, {"y": 1.0})
    with pytest.raises(UserInputError):
        client.attach_trial({"x": "far", "z": 0.5})
    assert client.get_best_parameterization(use_model_predictions=False) == (
        {"x": 0.25, "z": 0.5},
        {"y": (1.0, 0.0)},
        index,
        "baseline",
    )


def test_what_was_asked_and_told_is_stored(storage: StorageConfig, keep: Keep) -> None:
    first = configured(storage)
    asked = first.get_next_trials(2)
    first.complete_trial(0, {"y": 0.5})
    first.close()
    second = keep(Client.load_from_database("bench", storage))
    assert {i: dict(t.parameters) for i, t in second.experiment.trials.items()} == asked
    assert second.complete_trial(1, {"y": 0.6}) is TrialStatus.COMPLETED


def test_the_best_parameterization_counts_all_trials(client: Client) -> None:
    with pytest.raises(NotFoundError):
        client.get_best_parameterization()
    run(client, 4, parallelism=2)
    last = client.attach_trial({"x": 0.25, "z": 0.75})
    client.complete_trial(last, {"y": (5.0, 0.2)})
    parameters, values, index, arm = client.get_best_parameterization(use_model_predictions=False)
    assert (parameters, index, arm) == ({"x": 0.25, "z": 0.75}, last, f"{last}_0")
    mean, variance = values["y"]
    assert mean == 5.0
    assert variance == pytest.approx(0.04)
    _, values, index, _ = client.get_best_parameterization()
    mean, variance = values["y"]
    assert index == last
    assert 1.0 < mean <= 5.1
    assert variance > 0


def test_the_model_predicts_means_and_standard_errors(client: Client) -> None:
    with pytest.raises(GenerationError):
        client.predict([{"x": 0.5, "z": 0.5}])
    run(client, 6)
    observed = dict(client.experiment.trial(0).parameters)
    (near, far) = client.predict([observed, {"x": 1.0, "z": 1.0}])
    assert near["y"][0] == pytest.approx(value_at(observed), abs=0.2)
    assert 0 < near["y"][1] <= far["y"][1]
    with pytest.raises(UserInputError):
        client.predict([{"x": 0.5}])


def test_analyses_are_cards_and_are_written_if_asked(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    run(client, 3)
    cards = client.compute_analyses(display=False)
    assert capsys.readouterr().out == ""
    names = [card.name for card in cards]
    assert len(names) >= 3
    (one,) = client.compute_analyses([names[0]])
    assert one == cards[0]
    assert one.sentence in capsys.readouterr().out
    with pytest.raises((NotFoundError, UserInputError), match="nonsense"):
        client.compute_analyses(["nonsense"])


def test_a_summary_has_one_row_a_trial(client: Client, runner: BenchRunner) -> None:
    runner.fails = {1}
    run(client, 3)
    frame = client.summarize()
    assert list(frame["trial_index"]) == [0, 1, 2]
    assert list(frame["trial_status"]) == ["COMPLETED", "FAILED", "COMPLETED"]
    assert list(frame["arm_name"]) == ["0_0", "1_0", "2_0"]
    assert frame["y"].isna().tolist() == [False, True, False]
    assert frame.loc[2, "y"] == pytest.approx(value_at(frame.loc[2]))
    assert frame.loc[2, "y_sem"] == 0.1
    assert isinstance(frame.loc[1, "failure_reason"], str)


def test_a_summary_of_nothing_is_empty(client: Client) -> None:
    assert len(client.summarize()) == 0


def test_a_client_is_equipped_anew_between_runs(client: Client) -> None:
    run(client, 1)
    again = BenchRunner()
    equipped(client, again)
    run(client, 1)
    assert again.deployed == [1]
