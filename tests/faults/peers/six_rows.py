"""axdesk meets the six faults; as a program, `six_rows.py FAULT FOLDER` plays one of them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from tests.faults.peers.judgement import Row, play_rows
from tests.faults.peers.laboratory import play_as_program


def run_axdesk(folder: Path) -> list[Row]:
    """Return what axdesk does in each row; the rows' folders are made in the one given."""
    return play_rows([sys.executable, __file__], folder)


class Axdesk:
    """What is axdesk's own: it finishes an interrupted run with that run's settings."""

    package = "axdesk"

    def storage(self, url: str, runner: type[Any], metric: type[Any]) -> StorageConfig:
        """Return the database, which makes its own tables."""
        return StorageConfig(url=url)

    def go_on(self, client: Client, run_trials: Callable[..., None]) -> None:
        """Let the interrupted run go on."""
        client.run_trials()

    def trials(self, client: Client) -> list[dict[str, Any]]:
        """Return all trials."""
        return [
            {
                "index": trial.index,
                "x": trial.parameters["x"],
                "status": trial.status.name,
                "value": trial.observations[-1].mean if trial.observations else None,
            }
            for trial in client.experiment.trials.values()
        ]


if __name__ == "__main__":
    play_as_program(Axdesk())
