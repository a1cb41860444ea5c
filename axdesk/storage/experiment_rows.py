"""A whole experiment, from its rows."""

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from axdesk.core.errors import NotFoundError, StorageError
from axdesk.core.experiment import Experiment
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Trial
from axdesk.storage.run_rows import read_runs
from axdesk.storage.schema import ExperimentRow, OptimizationRow, SearchSpaceRow
from axdesk.storage.setup_rows import read_setup
from axdesk.storage.space_rows import read_search_space
from axdesk.storage.trial_rows import read_trials


def read_experiment(connection: Connection, experiment_id: int) -> Experiment:
    """Return an experiment as stored.

    Raises:
        NotFoundError: If there is none, or only a draft.
        StorageError: If rows are missing or say what cannot be.
    """
    stored = select(ExperimentRow.name, ExperimentRow.created_at).where(
        ExperimentRow.id == experiment_id
    )
    row = connection.execute(stored).one_or_none()
    if row is None or row.name is None:
        what = "no experiment" if row is None else "only a draft"
        raise NotFoundError(f"There is {what} with the number {experiment_id}.")
    latest = select(func.max(SearchSpaceRow.version)).where(
        SearchSpaceRow.experiment_id == experiment_id
    )
    version = connection.execute(latest).scalar_one()
    try:
        trials = read_trials(connection, experiment_id)
        return Experiment(
            id=experiment_id,
            setup=read_setup(connection, experiment_id, version),
            created_at=row.created_at,
            search_space_version=version,
            trials=trials,
            runs=read_runs(connection, experiment_id),
            optimization_version=_optimization_version(connection, experiment_id, trials),
            earlier_spaces=_earlier_spaces(connection, experiment_id, version),
        )
    except (ValueError, LookupError, TypeError) as error:
        raise StorageError(
            f"What is stored of experiment {row.name!r} is incomplete or was changed by another "
            f"program: {str(error).rstrip('.')}.",
            "Restore a backup of the database, or salvage it into a new file.",
        ) from error


def _earlier_spaces(
    connection: Connection, experiment_id: int, version: int
) -> dict[int, SearchSpace]:
    """Return the search spaces before a version; a damaged page may have lost some."""
    stored = select(SearchSpaceRow.version).where(
        SearchSpaceRow.experiment_id == experiment_id, SearchSpaceRow.version < version
    )
    return {
        earlier: read_search_space(connection, {"experiment_id": experiment_id, "version": earlier})
        for earlier in connection.execute(stored.order_by(SearchSpaceRow.version)).scalars()
    }


def _optimization_version(
    connection: Connection, experiment_id: int, trials: Mapping[int, Trial]
) -> int:
    """Return the latest version, also where a damaged page has lost its row."""
    latest = select(func.max(OptimizationRow.version)).where(
        OptimizationRow.experiment_id == experiment_id
    )
    stored = connection.execute(latest).scalar() or 1
    return max([stored, *(trial.optimization_version for trial in trials.values())])
