"""Databases that a `StorageConfig` names: opened, listed, and freed of an experiment."""

from contextlib import closing

from axdesk.api.configs import StorageConfig
from axdesk.core.errors import NotFoundError
from axdesk.core.protocols import ExperimentSummary
from axdesk.storage.store import SqlStore

__all__ = ["delete_experiment", "list_experiments", "store_of"]


def store_of(config: StorageConfig | None) -> SqlStore:
    """Open the database that a configuration names; None: a new one in memory."""
    if config is None:
        return SqlStore.in_memory()
    return SqlStore.connect(config.url, config.creator)


def list_experiments(storage_config: StorageConfig) -> tuple[ExperimentSummary, ...]:
    """Return a line for each experiment of a database, the latest change first.

    Raises:
        StorageError: If the database cannot be used.
    """
    with closing(store_of(storage_config)) as store:
        return tuple(summary for summary in store.summaries() if summary.name)


def delete_experiment(experiment_name: str, storage_config: StorageConfig) -> None:
    """Forget an experiment with its trials, runs and history; there is no way back.

    Raises:
        NotFoundError: If the database has none of that name.
        ExperimentBusyError: If somebody drives it.
        StorageError: If the database cannot be used.
    """
    with closing(store_of(storage_config)) as store:
        found = [summary.id for summary in store.summaries() if summary.name == experiment_name]
        if not found:
            raise NotFoundError(
                f"There is no experiment called {experiment_name!r} in this database.",
                "list_experiments says which there are.",
            )
        store.delete(found[0])
