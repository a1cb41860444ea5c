"""What the tests of the public face share."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.api.workspace import Workspace
from tests.api.laboratory import BenchRunner, configured, equipped


@pytest.fixture
def keep() -> Iterator[Callable[[Client], Client]]:
    """Close the clients of a test at its end."""
    clients: list[Client] = []

    def kept(client: Client) -> Client:
        clients.append(client)
        return client

    yield kept
    for client in clients:
        client.close()


@pytest.fixture
def runner() -> BenchRunner:
    return BenchRunner()


@pytest.fixture
def client(keep: Callable[[Client], Client], runner: BenchRunner) -> Client:
    return equipped(keep(configured()), runner)


@pytest.fixture
def storage(tmp_path: Path) -> StorageConfig:
    return StorageConfig(url=f"sqlite:///{tmp_path / 'lab.sqlite'}")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with closing(Workspace(tmp_path / "lab.sqlite")) as made:
        yield made
