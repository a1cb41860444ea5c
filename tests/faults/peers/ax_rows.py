"""Ax meets the six faults: `ax_rows.py FAULT FOLDER`, by the Python of `packaging/peers.py`."""

from collections.abc import Callable
from typing import Any

from ax.api.client import Client
from ax.api.configs import StorageConfig
from ax.storage.metric_registry import CORE_METRIC_REGISTRY
from ax.storage.registry_bundle import RegistryBundle
from ax.storage.sqa_store.db import (
    create_all_tables,
    get_engine,
    init_engine_and_session_factory,
)

from tests.faults.peers.laboratory import TRIALS, play_as_program


class Ax:
    """What is Ax's own: tables to be made, plugins to be registered, a budget to be counted."""

    package = "ax"

    def storage(self, url: str, runner: type[Any], metric: type[Any]) -> StorageConfig:
        """Return the database with its tables, knowing the plugins that it will store."""
        init_engine_and_session_factory(url=url)
        create_all_tables(get_engine())
        # Without the core metrics the objective's placeholder could not be stored.
        bundle = RegistryBundle(
            metric_clss={**CORE_METRIC_REGISTRY, metric: None}, runner_clss={runner: None}
        )
        return StorageConfig(url=url, registry_bundle=bundle)

    def go_on(self, client: Client, run_trials: Callable[..., None]) -> None:
        """Run as many trials as the database lacks."""
        run_trials(TRIALS - len(client._experiment.trials))

    def trials(self, client: Client) -> list[dict[str, Any]]:
        """Return all trials."""
        frame = client._experiment.lookup_data().df
        values = dict(zip(frame["trial_index"], frame["mean"], strict=True)) if len(frame) else {}
        return [
            {
                "index": trial.index,
                "x": trial.arm.parameters["x"],
                "status": trial.status.name,
                "value": values.get(trial.index),
            }
            for trial in client._experiment.trials.values()
        ]


if __name__ == "__main__":
    play_as_program(Ax())
