"""Early and global stopping from the library, and that a database keeps them."""

from contextlib import closing
from pathlib import Path

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.core.errors import NotFoundError, TransitionError, UserInputError
from axdesk.core.events import TrialChanged
from axdesk.core.run import OrchestrationConfig, RunState
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.trial import TrialStatus
from tests.api.laboratory import BenchRunner, configured, equipped


def attach_curves(client: Client, *finals: float) -> None:
    client.get_next_trials(len(finals))
    for index, final in enumerate(finals):
        for step in (5, 10):
            client.attach_data(index, {"y": final * step}, progression=step)


def test_the_worse_half_but_the_best_three_is_to_be_stopped(client: Client) -> None:
    attach_curves(client, 1.0, 9.0, 8.0, 7.0, 6.0, 5.0)
    assert [client.should_stop_trial_early(i) for i in range(6)] == [
        *(True, False, False),
        *(False, True, True),
    ]
    client.mark_trial_early_stopped(0)
    trial = client.experiment.trial(0)
    assert (trial.status, len(trial.observations)) == (TrialStatus.EARLY_STOPPED, 2)
    assert not client.should_stop_trial_early(0)
    with pytest.raises(TransitionError):
        client.mark_trial_early_stopped(0)


def test_a_trial_without_values_is_not_marked_and_an_unknown_one_is_told(client: Client) -> None:
    client.get_next_trials(1)
    assert not client.should_stop_trial_early(0)
    with pytest.raises(UserInputError, match="Trial 0 has no values"):
        client.mark_trial_early_stopped(0)
    for call in (client.should_stop_trial_early, client.mark_trial_early_stopped):
        with pytest.raises(NotFoundError):
            call(7)


def test_the_rule_of_the_last_run_decides_and_is_stored(tmp_path: Path) -> None:
    storage = StorageConfig(url=f"sqlite:///{tmp_path / 'lab.sqlite'}")
    config = OrchestrationConfig(
        min_seconds_between_launches=0.0,
        early_stopping=EarlyStopping(threshold=-100.0, min_progression=0.0),
        global_stopping=GlobalStopping(target=-1e9),
    )
    with closing(equipped(configured(storage), BenchRunner())) as client:
        client.run_trials(5, initial_seconds_between_polls=0.01, config=config)
        name = client.experiment.name
        run = client.experiment.runs[-1]
        assert run.state is RunState.COMPLETED
        assert run.reason.startswith("target reached: ")
        assert len(client.experiment.trials) == 1
    with closing(Client.load_from_database(name, storage)) as client:
        assert client.experiment.runs[-1] == run
        assert client.experiment.runs[-1].settings.orchestration == config
        (index,) = client.get_next_trials(1)
        client.attach_data(index, {"y": -101.0}, progression=1)
        assert client.should_stop_trial_early(index)
        client.attach_data(index, {"y": -99.0}, progression=2)
        assert not client.should_stop_trial_early(index)


def test_a_trial_is_marked_while_the_run_goes_on(client: Client) -> None:
    client.get_next_trials(1)
    client.attach_data(0, {"y": 1.0}, progression=1)

    def mark(event: object) -> None:
        is_first = isinstance(event, TrialChanged) and event.trial.index == 1
        if is_first and client.experiment.trial(0).status is TrialStatus.RUNNING:
            client.mark_trial_early_stopped(0)

    client.run_trials(2, initial_seconds_between_polls=0.01, on_event=mark)
    assert client.experiment.trial(0).status is TrialStatus.EARLY_STOPPED
