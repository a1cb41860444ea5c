"""An experiment: its set-up, its trials and its runs. The one mutable object of the house."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from axdesk.core.errors import NotFoundError
from axdesk.core.objective import OptimizationConfig
from axdesk.core.run import Run, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial, TrialStatus


@dataclass(slots=True)
class Experiment:
    """Owned by the scheduler's thread while a run lasts, by its client otherwise.

    Attributes:
        id: The database's number for it.
        setup: As it is now.
        search_space_version: Version of `setup.search_space`, from 1.
        optimization_version: Version of `setup.optimization.goals`, from 1.
        created_at: UTC.
        trials: Trial index → its latest snapshot, in order.
        runs: In order.
    """

    id: int
    setup: ExperimentSetup
    created_at: datetime
    search_space_version: int = 1
    trials: dict[int, Trial] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    optimization_version: int = 1
    earlier_spaces: dict[int, SearchSpace] = field(default_factory=dict, compare=False)

    @property
    def search_spaces(self) -> dict[int, SearchSpace]:
        """The search space by version, the present one included."""
        return {**self.earlier_spaces, self.search_space_version: self.search_space}

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.setup.name

    @property
    def search_space(self) -> SearchSpace:
        """Where trials may lie."""
        return self.setup.search_space

    @property
    def optimization(self) -> OptimizationConfig:
        """What is optimised."""
        return self.setup.optimization

    @property
    def state(self) -> RunState:
        """Where the experiment stands: the state of its last run, or READY."""
        return self.runs[-1].state if self.runs else RunState.READY

    @property
    def next_index(self) -> int:
        """Index of the next trial."""
        return max(self.trials, default=-1) + 1

    def trial(self, index: int) -> Trial:
        """Return a trial.

        Raises:
            NotFoundError: If there is none with this index.
        """
        try:
            return self.trials[index]
        except KeyError:
            have = f"0 … {self.next_index - 1}" if self.trials else "none yet"
            raise NotFoundError(
                f"Experiment {self.name!r} has no trial {index!r}.", f"Its trials: {have}."
            ) from None

    def with_status(self, *statuses: TrialStatus) -> tuple[Trial, ...]:
        """Return the trials in one of the statuses, in order."""
        return tuple(t for t in self.trials.values() if t.status in statuses)

    @property
    def pending(self) -> tuple[Trial, ...]:
        """The trials that are staged or running, in order."""
        return tuple(t for t in self.trials.values() if t.status.is_pending)

    def of_run(self, run: Run) -> tuple[Trial, ...]:
        """Return the trials that a run deployed, in order."""
        return tuple(t for t in self.trials.values() if t.run_index == run.index)

    def put(self, trial: Trial) -> None:
        """Keep the trial's latest snapshot."""
        self.trials[trial.index] = trial

    def put_run(self, run: Run) -> None:
        """Keep the run's latest snapshot."""
        if run.index == len(self.runs):
            self.runs.append(run)
        else:
            self.runs[run.index] = run

    def change_setup(self, **changes: object) -> None:
        """Replace parts of the set-up; a new search space and new goals get a new version."""
        setup = replace(self.setup, **changes)  # type: ignore[arg-type]  # names checked by replace
        if setup.search_space != self.search_space:
            self.earlier_spaces = self.search_spaces
            self.search_space_version += 1
        self.optimization_version += setup.optimization.goals != self.optimization.goals
        self.setup = setup
