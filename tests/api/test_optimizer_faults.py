"""Runs whose optimiser is blocked, killed or without memory: they go on, and it comes back."""

from collections.abc import Callable, Iterator

import psutil
import pytest

from axdesk.api.client import Client, Opened
from axdesk.api.configs import OrchestrationConfig
from axdesk.api.optimizer_process import OptimizerProcess
from axdesk.core.events import Event, FallbackUsed, SuggestionStarted
from axdesk.core.trial import TrialSource
from axdesk.storage.store import SqlStore
from tests.api.laboratory import PARAMETERS, POLL_SECONDS, BenchRunner, equipped


def child_of(optimizer: OptimizerProcess) -> psutil.Process:
    (process,) = optimizer._executor._processes.values()
    return psutil.Process(process.pid)


@pytest.fixture
def optimizer() -> OptimizerProcess:
    return OptimizerProcess()


@pytest.fixture
def client(optimizer: OptimizerProcess) -> Iterator[Client]:
    """A client whose third trial is the first that the model suggests."""
    made = Client(random_seed=1, opened=Opened(SqlStore.in_memory(), optimizer=optimizer))
    made.configure_experiment(PARAMETERS)
    made.configure_optimization("y")
    made.configure_generation_strategy(initialization_budget=2)
    equipped(made, BenchRunner())
    run(made, 2)
    yield made
    made.close()


def run(
    client: Client,
    trials: int,
    limit: float | None = None,
    hear: Callable[[Event], None] | None = None,
) -> list[str]:
    """Run trials; return the reasons of those that stepped in for the model."""
    events: list[Event] = []

    def take(event: Event) -> None:
        events.append(event)
        if hear is not None:
            hear(event)

    client.run_trials(
        trials,
        initial_seconds_between_polls=POLL_SECONDS,
        config=OrchestrationConfig(min_seconds_between_launches=0, generation_time_limit=limit),
        on_event=take,
    )
    return [event.reason for event in events if isinstance(event, FallbackUsed)]


def last_source(client: Client) -> TrialSource:
    return client.experiment.trial(client.experiment.next_index - 1).generation.source


def test_a_blocked_optimiser_is_given_up_in_time_and_comes_back(
    client: Client, optimizer: OptimizerProcess
) -> None:
    child = child_of(optimizer)
    child.suspend()
    assert run(client, 1, limit=0.3) == ["no candidate within 0.3 s"]
    assert last_source(client) is TrialSource.FALLBACK
    assert run(client, 1) == []
    assert last_source(client) is TrialSource.MODEL
    assert child_of(optimizer).pid != child.pid


def test_an_optimiser_without_memory_starts_anew(
    client: Client, optimizer: OptimizerProcess
) -> None:
    child = child_of(optimizer)
    with pytest.raises(MemoryError):
        optimizer._submit(bytes, 10**18).result(60)
    assert run(client, 1) == []
    assert last_source(client) is TrialSource.MODEL
    assert child_of(optimizer).pid != child.pid


def test_an_optimiser_that_is_killed_while_it_suggests_is_replaced(
    client: Client, optimizer: OptimizerProcess
) -> None:
    child = child_of(optimizer)
    child.suspend()

    def kill(event: Event) -> None:
        if isinstance(event, SuggestionStarted):
            child.kill()

    run(client, 1, hear=kill)
    assert run(client, 1) == []
    assert last_source(client) is TrialSource.MODEL
    assert child_of(optimizer).pid != child.pid
