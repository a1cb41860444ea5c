"""Runs of a client: budget, parallelism, resuming, storage, commands, refusals."""

import queue
from collections.abc import Callable
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
from axdesk.core.commands import SetNote
from axdesk.core.errors import (
    ExperimentBusyError,
    FailureRateExceededError,
    NotFoundError,
    PreflightError,
    TransitionError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.events import Event, RunChanged, RunFinished, TrialChanged
from axdesk.core.run import RunState
from tests.api.laboratory import (
    FAST,
    PARAMETERS,
    POLL_SECONDS,
    WAIT_SECONDS,
    Background,
    BenchMetric,
    BenchRunner,
    configured,
    equipped,
    run,
)

Keep = Callable[[Client], Client]


class Watched:
    """A run in another thread, whose events can be waited for."""

    def __init__(self, client: Client, max_trials: int | None, parallelism: int = 1) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.run = Background(
            lambda: client.run_trials(
                max_trials,
                parallelism,
                initial_seconds_between_polls=POLL_SECONDS,
                config=FAST,
                on_event=self.events.put,
            )
        )

    def wait_for(self, is_it: Callable[[Any], bool]) -> None:
        while not is_it(self.events.get(timeout=WAIT_SECONDS)):
            pass

    def wait_for_state(self, state: RunState) -> None:
        self.wait_for(lambda event: isinstance(event, RunChanged) and event.run.state is state)

    def wait_for_trial(self, index: int, status: TrialStatus) -> None:
        self.wait_for(
            lambda event: (
                isinstance(event, TrialChanged)
                and event.trial.index == index
                and event.trial.status is status
            )
        )


def statuses(client: Client) -> list[TrialStatus]:
    return [trial.status for _, trial in sorted(client.experiment.trials.items())]


def test_a_run_spends_its_budget_and_a_second_one_adds_to_it(
    client: Client, runner: BenchRunner
) -> None:
    run(client, 4)
    assert runner.deployed == [0, 1, 2, 3]
    run(client, 3)
    assert runner.deployed == list(range(7))
    assert statuses(client) == [TrialStatus.COMPLETED] * 7
    assert [r.state for r in client.experiment.runs] == [RunState.COMPLETED] * 2


def test_no_more_trials_run_at_once_than_allowed(client: Client, runner: BenchRunner) -> None:
    runner.is_open.clear()
    watched = Watched(client, 5, parallelism=3)
    watched.wait_for_trial(2, TrialStatus.RUNNING)
    runner.is_open.set()
    watched.run.join()
    assert watched.run.error is None
    assert runner.most_running == 3
    assert len(runner.deployed) == 5


def test_a_stopped_run_goes_on_without_a_number_of_trials(
    client: Client, runner: BenchRunner
) -> None:
    runner.is_open.clear()
    watched = Watched(client, 5)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    client.stop()
    runner.is_open.set()
    watched.run.join()
    assert watched.run.error is None
    assert statuses(client) == [TrialStatus.COMPLETED]
    client.run_trials()
    assert len(runner.deployed) == 5
    assert len(client.experiment.runs) == 1
    assert client.experiment.runs[0].settings.orchestration == FAST


def test_there_must_be_a_run_to_go_on_with(client: Client, runner: BenchRunner) -> None:
    with pytest.raises(PreflightError, match="no run to go on with"):
        client.run_trials()
    assert runner.deployed == []


def test_a_stored_experiment_is_loaded_and_its_run_goes_on(
    storage: StorageConfig, keep: Keep, tmp_path: Path
) -> None:
    first, runner = configured(storage), BenchRunner()
    equipped(first, runner)
    runner.is_open.clear()
    watched = Watched(first, 4)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    first.stop()
    runner.is_open.set()
    watched.run.join()
    first.close()
    assert (tmp_path / "lab.sqlite").exists()

    second, again = keep(Client.load_from_database("bench", storage)), BenchRunner()
    with pytest.raises(PreflightError, match="configure_runner"):
        second.run_trials()
    equipped(second, again)
    second.run_trials()
    assert again.deployed == [1, 2, 3]
    assert statuses(second) == [TrialStatus.COMPLETED] * 4


def test_an_experiment_that_is_not_stored_is_not_found(storage: StorageConfig) -> None:
    with pytest.raises(NotFoundError, match="elsewhere"):
        Client.load_from_database("elsewhere", storage)


def test_a_run_that_is_loaded_suggests_what_an_uninterrupted_one_does(
    storage: StorageConfig, keep: Keep, client: Client
) -> None:
    run(client, 4)
    first = configured(storage)
    run(equipped(first, BenchRunner()), 2)
    first.close()
    second = keep(Client.load_from_database("bench", storage))
    run(equipped(second, BenchRunner()), 2)
    expected = [dict(client.experiment.trial(i).parameters) for i in range(4)]
    assert [dict(second.experiment.trial(i).parameters) for i in range(4)] == expected


def test_two_clients_work_on_two_databases_at_once(keep: Keep, tmp_path: Path) -> None:
    runners = [BenchRunner(), BenchRunner()]
    clients = [
        equipped(keep(configured(StorageConfig(url=f"sqlite:///{tmp_path / f'{i}.sqlite'}"))), r)
        for i, r in enumerate(runners)
    ]
    for runner in runners:
        runner.is_open.clear()
    watched = [Watched(client, 2) for client in clients]
    for one in watched:
        one.wait_for_trial(0, TrialStatus.RUNNING)
    for runner in runners:
        runner.is_open.set()
    for one in watched:
        one.run.join()
        assert one.run.error is None
    assert [runner.deployed for runner in runners] == [[0, 1], [0, 1]]


def test_a_client_may_not_drive_what_another_drives(storage: StorageConfig, keep: Keep) -> None:
    runner, other_runner = BenchRunner(), BenchRunner()
    client = equipped(keep(configured(storage)), runner)
    other = equipped(keep(Client.load_from_database("bench", storage)), other_runner)
    runner.is_open.clear()
    watched = Watched(client, 1)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    with pytest.raises(ExperimentBusyError):
        run(other, 1)
    with pytest.raises(ExperimentBusyError):
        other.attach_trial({"x": 0.5, "z": 0.5})
    assert other_runner.deployed == []
    runner.is_open.set()
    watched.run.join()
    assert watched.run.error is None


def test_a_run_is_paused_and_resumed_from_another_thread(
    client: Client, runner: BenchRunner
) -> None:
    runner.is_open.clear()
    watched = Watched(client, 2)
    watched.wait_for_trial(0, TrialStatus.RUNNING)
    client.pause()
    runner.is_open.set()
    watched.wait_for_state(RunState.PAUSED)
    assert runner.deployed == [0]
    client.submit(SetNote(0, "looked at")).result(WAIT_SECONDS)
    client.resume()
    watched.run.join()
    assert watched.run.error is None
    assert runner.deployed == [0, 1]
    assert client.experiment.trial(0).note == "looked at"


def test_stop_now_stops_what_runs(client: Client, runner: BenchRunner) -> None:
    runner.is_open.clear()
    watched = Watched(client, 4, parallelism=2)
    watched.wait_for_trial(1, TrialStatus.RUNNING)
    client.stop_now()
    watched.run.join()
    assert watched.run.error is None
    assert sorted(runner.stopped) == [0, 1]
    assert statuses(client) == [TrialStatus.ABANDONED] * 2
    assert client.experiment.runs[0].state is RunState.STOPPED


@pytest.mark.parametrize("command", ["pause", "resume", "stop", "stop_now"])
def test_commands_to_a_run_need_one(client: Client, command: str) -> None:
    with pytest.raises(TransitionError, match="No run"):
        getattr(client, command)()


def test_commands_on_trials_need_no_run(client: Client) -> None:
    run(client, 1)
    Background(lambda: client.submit(SetNote(0, "late")).result(WAIT_SECONDS)).join()
    assert client.experiment.trial(0).note == "late"
    with pytest.raises(NotFoundError):
        client.submit(SetNote(9, "nowhere")).result(WAIT_SECONDS)


def test_the_last_event_tells_the_end(client: Client) -> None:
    events: list[Event] = []
    client.run_trials(
        2, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=events.append
    )
    assert isinstance(events[-1], RunFinished)
    assert events[-1].error is None
    assert sum(isinstance(event, RunFinished) for event in events) == 1


def test_too_many_failures_end_a_run_with_their_reasons(
    client: Client, runner: BenchRunner
) -> None:
    runner.fails = {0}
    with pytest.raises(FailureRateExceededError) as raised:
        client.run_trials(
            5,
            tolerated_trial_failure_rate=0,
            initial_seconds_between_polls=POLL_SECONDS,
            config=FAST,
        )
    assert list(raised.value.failures) == [0]
    assert runner.deployed == [0]


def test_a_run_needs_a_runner(keep: Keep) -> None:
    client = keep(configured())
    client.configure_metrics([BenchMetric("y")])
    with pytest.raises(PreflightError, match="configure_runner"):
        run(client, 1)


def test_a_run_needs_its_metrics(keep: Keep, runner: BenchRunner) -> None:
    client = keep(configured())
    client.configure_runner(runner)
    with pytest.raises(PreflightError, match="'y'"):
        run(client, 1)
    assert runner.deployed == []


def test_a_metric_by_another_name_is_told_at_once(keep: Keep, runner: BenchRunner) -> None:
    client = keep(configured())
    client.configure_runner(runner)
    with pytest.raises(UserInputError, match=r"'Y'.*'y'"):
        client.configure_metrics([BenchMetric("Y")])


def test_a_metric_by_another_name_is_told_before_the_first_launch(
    keep: Keep, runner: BenchRunner
) -> None:
    client = keep(Client(random_seed=1))
    client.configure_experiment(PARAMETERS)
    client.configure_metrics([BenchMetric("Y")])
    client.configure_runner(runner)
    client.configure_optimization("y")
    with pytest.raises(PreflightError, match=r"'y'.*'Y'"):
        run(client, 1)
    client.configure_metrics([BenchMetric("y")])
    with pytest.raises(UserInputError, match="'Y'"):
        run(client, 1)
    client.configure_tracking_metrics(["Y"])
    run(client, 1)
    assert runner.deployed == [0]


def test_what_is_no_runner_or_metric_is_refused(keep: Keep) -> None:
    client = keep(configured())
    with pytest.raises(UserInputError, match="an IRunner is needed"):
        client.configure_runner(BenchMetric("y"))  # type: ignore[arg-type]  # that is the point
    with pytest.raises(UserInputError, match="an IMetric is needed"):
        client.configure_metrics([BenchRunner()])  # type: ignore[list-item]  # that is the point


def test_a_runner_or_metric_without_its_methods_cannot_be_made() -> None:
    class NoPoll(IRunner):
        def run_trial(self, trial_index: int, parameterization: Any) -> dict[str, Any]:
            return {}

    class NoFetch(IMetric):
        pass

    with pytest.raises(TypeError, match="poll_trial"):
        NoPoll()  # type: ignore[abstract]  # that is the point
    with pytest.raises(TypeError, match="fetch"):
        NoFetch("y")  # type: ignore[abstract]  # that is the point


def test_configuring_is_refused_where_it_says_too_little(
    storage: StorageConfig, keep: Keep
) -> None:
    client = keep(Client(storage))
    with pytest.raises(UserInputError, match="needs a name"):
        client.configure_experiment(PARAMETERS)
    with pytest.raises(UserInputError, match="configure_experiment"):
        _ = client.experiment
    with pytest.raises(UserInputError, match="no allowed point"):
        client.configure_experiment(PARAMETERS, ["x + z >= 3"], name="bench")
    client.configure_experiment(PARAMETERS, name="bench")
    with pytest.raises(UserInputError, match="configure_optimization"):
        _ = client.experiment
    client.configure_optimization("y")
    assert client.experiment.name == "bench"


def test_a_name_that_is_taken_can_be_changed(storage: StorageConfig, keep: Keep) -> None:
    keep(configured(storage))
    client = keep(Client(storage))
    client.configure_experiment(PARAMETERS, name="bench")
    with pytest.raises(UserInputError, match="already an experiment called 'bench'"):
        client.configure_optimization("y")
    client.configure_experiment(PARAMETERS, name="bench 2")
    assert client.experiment.name == "bench 2"
    with pytest.raises(UnsupportedError, match="configured already"):
        client.configure_experiment(PARAMETERS, name="bench 3")


def test_an_experiment_is_kept_behind_a_connection_of_ones_own(keep: Keep, tmp_path: Path) -> None:
    file = tmp_path / "own.sqlite"
    storage = StorageConfig(creator=lambda: connect(file, check_same_thread=False))
    first = equipped(configured(storage), BenchRunner())
    run(first, 1)
    first.close()
    second = keep(Client.load_from_database("bench", StorageConfig(url=f"sqlite:///{file}")))
    assert statuses(second) == [TrialStatus.COMPLETED]


def test_a_client_goes_on_from_what_another_one_stored(storage: StorageConfig, keep: Keep) -> None:
    first = equipped(keep(configured(storage)), BenchRunner())
    runner = BenchRunner()
    second = equipped(keep(Client.load_from_database("bench", storage)), runner)
    run(first, 2)
    run(second, 1)
    assert runner.deployed == [2]
    assert first.attach_trial({"x": 0.5, "z": 0.5}) == 3


def test_a_command_after_the_run_is_carried_out_at_once(client: Client) -> None:
    run(client, 1)
    answer = client.submit(SetNote(0, "done"))
    assert answer.done()
    assert client.experiment.trial(0).note == "done"


def test_arguments_that_are_not_allowed_are_refused_before_the_first_launch(
    client: Client, runner: BenchRunner
) -> None:
    with pytest.raises(UserInputError, match="parallelism"):
        client.run_trials(1, parallelism=0)
    with pytest.raises(UserInputError, match="max_trials"):
        client.run_trials(0)
    with pytest.raises(UserInputError, match="tolerated_trial_failure_rate"):
        client.run_trials(1, tolerated_trial_failure_rate=1)
    assert runner.deployed == []
    assert client.experiment.runs == []
