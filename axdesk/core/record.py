"""All that is remembered of an experiment, in one value."""

from dataclasses import dataclass
from datetime import datetime

from axdesk.core.errors import UserInputError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import Run
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """What makes an experiment anew, in another database.

    Attributes:
        setup: As it is now.
        created_at: UTC.
        search_spaces: (when it came to be in UTC, search space) of each version, from version 1 on;
            the last is that of `setup`.
        trials: Their latest snapshots, by index.
        runs: By index.
        history: Oldest first.
        optimizations: (when it came to be in UTC, objectives and limits) of each version, from
            version 1 on; the last is that of `setup`. Without any there is one version.
    """

    setup: ExperimentSetup
    created_at: datetime
    search_spaces: tuple[tuple[datetime, SearchSpace], ...]
    trials: tuple[Trial, ...] = ()
    runs: tuple[Run, ...] = ()
    history: tuple[AuditEntry, ...] = ()
    optimizations: tuple[tuple[datetime, OptimizationConfig], ...] = ()

    def __post_init__(self) -> None:
        if not self.search_spaces or self.search_spaces[-1][1] != self.setup.search_space:
            raise UserInputError("The last search space is not the one of the set-up.")
        if not self.optimizations:
            only = ((self.created_at, self.setup.optimization.goals),)
            object.__setattr__(self, "optimizations", only)
        if self.optimizations[-1][1] != self.setup.optimization.goals:
            raise UserInputError("The last objectives and limits are not those of the set-up.")
        for what, values in (("trial", self.trials), ("run", self.runs)):
            indices = [value.index for value in values]
            if sorted(set(indices)) != indices:
                raise UserInputError(f"Each {what} needs an index of its own, in order: {indices}.")
        for trial in self.trials:
            for what, version, versions in (
                ("search space", trial.search_space_version, self.search_spaces),
                ("objectives", trial.optimization_version, self.optimizations),
            ):
                if not 1 <= version <= len(versions):
                    raise UserInputError(
                        f"Trial {trial.index} is of version {version} of the {what}; "
                        f"there are {len(versions)}."
                    )
            if trial.run_index is not None and trial.run_index >= len(self.runs):
                raise UserInputError(
                    f"Trial {trial.index} is of run {trial.run_index}; there are {len(self.runs)}."
                )
