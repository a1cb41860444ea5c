"""One experiment from Python, under the names of the Ax tutorial."""

from collections.abc import Callable
from pathlib import Path
from typing import Self

from axdesk.api.client_results import ResultMethods
from axdesk.api.client_runs import RunMethods
from axdesk.api.client_setup import SetupMethods
from axdesk.api.client_state import Opened
from axdesk.api.client_trials import TrialMethods
from axdesk.api.configs import StorageConfig
from axdesk.api.stores import store_of
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.errors import AxdeskError
from axdesk.core.experiment import Experiment
from axdesk.exchange.snapshot import read_snapshot, write_snapshot
from axdesk.storage.store import SqlStore

__all__ = ["Client", "Opened"]


@with_checked_arguments
class Client(SetupMethods, RunMethods, TrialMethods, ResultMethods):
    """Configures an experiment, runs its trials, and tells what came out.

    >>> client = Client(random_seed=1)
    >>> client.configure_experiment([RangeParameterConfig("x", bounds=(0, 1))])
    >>> client.configure_optimization("-loss")
    >>> for index, parameters in client.get_next_trials(1).items():
    ...     client.complete_trial(index, {"loss": (parameters["x"] - 0.5) ** 2})
    <TrialStatus.COMPLETED: 'completed'>
    >>> client.get_best_parameterization()
    ({'x': 0.5}, {'loss': (0.0, 0.0)}, 0, '0_0')
    >>> client.close()

    Whatever is given wrongly is refused by an `AxdeskError`, and changes nothing.

    `run_trials` blocks its thread; meanwhile `submit`, `pause`, `resume`, `stop`, `stop_now`,
    `answer_question`, `complete_trial`, `mark_trial_failed`, `mark_trial_abandoned` and
    `mark_trial_early_stopped` may be called from any other. From `on_event`, those that answer
    nothing return at once, and what the run refuses is told as `Warned`. Everything else belongs to
    one thread at a time.
    """

    @classmethod
    def load_from_database(
        cls, experiment_name: str, storage_config: StorageConfig | None = None
    ) -> Self:
        """Return a client for a stored experiment; give it its runner and metrics again.

        Args:
            experiment_name: As `list_experiments` shows it.
            storage_config: Where it is kept; needed, as a new database in memory has none.

        Raises:
            NotFoundError: If the database has no such experiment.
        """
        return cls._opening(storage_config, lambda store: store.load(experiment_name))

    @classmethod
    def load_from_json_file(
        cls,
        filepath: str | Path = "axdesk_snapshot.json",
        storage_config: StorageConfig | None = None,
    ) -> Self:
        """Return a client for the experiment of a snapshot, made anew where it is told.

        It has the set-up, the seed, the trials, the runs and the history, and suggests what the
        one that was saved would have; give it its runner and metrics again.

        Args:
            filepath: What `save_to_json_file` wrote.
            storage_config: Where the experiment is kept from now on; None keeps it in memory.

        Raises:
            UserInputError: If the file is no snapshot that this axdesk reads, or the database has
                an experiment of that name.
        """
        record = read_snapshot(Path(filepath))
        return cls._opening(storage_config, lambda store: store.create_from(record))

    @classmethod
    def _opening(
        cls, storage_config: StorageConfig | None, load: Callable[[SqlStore], Experiment]
    ) -> Self:
        store = store_of(storage_config)
        try:
            experiment = load(store)
        except AxdeskError:
            store.close()
            raise
        return cls(storage_config, opened=Opened(store, experiment))

    def save_to_json_file(self, filepath: str | Path = "axdesk_snapshot.json") -> None:
        """Write all that is known of the experiment to a file, whole or not at all.

        Runner and metrics are not part of it, so that any may be used. A file that is there is
        replaced.

        Args:
            filepath: A relative one is meant from the working folder.

        Raises:
            UserInputError: If the experiment is not configured yet, or the file cannot be written.
        """
        write_snapshot(self._store.record(self.experiment.id), Path(filepath))
