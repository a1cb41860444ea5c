"""What the rooms ask of each other; `api` hands one to the other."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import Any, Protocol

from axdesk.core.drafts import Draft
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import TParameterization
from axdesk.core.run import Run, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.suggestions import Candidate, SuggestionRequest
from axdesk.core.trial import Observation, Trial, TrialStatus


class Clock(Protocol):
    """Time, so that tests can turn it."""

    def monotonic(self) -> float:
        """Return seconds of a clock that never steps; for durations."""
        ...

    def now(self) -> datetime:
        """Return the time in UTC; for display."""
        ...

    def receive(self, inbox: "SimpleQueue[object]", seconds: float | None) -> object | None:
        """Return the next thing from the inbox, or None once the seconds passed; None: no end."""
        ...


class Generator(Protocol):
    """Makes candidates; never blocks the caller."""

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        """Return the candidates to come; the Future fails with a `GenerationError`."""
        ...

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        """Return candidates at once, without a model; `reason` is stored with them.

        Raises:
            SearchSpaceExhaustedError: If every allowed point was tried.
        """
        ...

    def give_up(self) -> None:
        """End whatever suggestion is being made; the next `suggest` works again."""
        ...

    def close(self) -> None:
        """Release processes and threads."""
        ...


REST_SECONDS = 60.0
"""How long a plugin file that crashed too often is left alone; its calls are not entered."""


class PluginCalls(Protocol):
    """Calls the laboratory's code; never blocks the caller.

    The calls of one plugin file are serial. A Future is `running()` from the moment when the
    laboratory's code is entered, so that time in the queue counts towards no deadline; one that is
    cancelled before that is never entered. It fails with a `CallFailedError` if the code raised or
    answered what is not allowed.
    """

    @property
    def can_stop(self) -> bool:
        """Whether the runner offers `stop_trial`."""
        ...

    @property
    def can_find(self) -> bool:
        """Whether the runner offers `find_trial`."""
        ...

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The metrics that can be fetched."""
        ...

    @property
    def runner_name(self) -> str:
        """What the operator knows the runner as."""
        ...

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any]]":
        """Deploy a trial; the metadata is equal to what its JSON would be read back as."""
        ...

    def poll_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[TrialStatus]":
        """Ask how a trial fares."""
        ...

    def stop_trial(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[dict[str, Any]]":
        """Stop a trial."""
        ...

    def find_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any] | None]":
        """Look for a trial whose deployment was interrupted; None: surely not started."""
        ...

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[Observation]":
        """Fetch one value of one metric."""
        ...

    def available_while_running(self) -> "Future[tuple[str, ...]]":
        """Return the metrics that can be fetched before a trial is completed."""
        ...

    def give_up(self, answer: "Future[Any]", reason: str) -> bool:
        """End a call that takes too long, where that is possible.

        Args:
            answer: What the call returned; one that is done already is left as it is.
            reason: Message of the `DeadlineError` that the Future then fails with.

        Returns:
            Whether it has ended; if not, it goes on, and its late answer still arrives.
        """
        ...

    def listen(self, told: Callable[[str, str], None] | None) -> None:
        """Have what the laboratory's code prints told, or no longer.

        Args:
            told: Receives the plugin file's name and one or more lines, in any thread; must return
                at once.
        """
        ...

    def close(self) -> None:
        """Release processes and threads; a call that hangs is left behind."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of an experiment's history.

    Attributes:
        at: UTC.
        action: What was done, such as `"enter_result"`.
        trial_index: The trial that it was done to; None for the experiment.
        before: What stood there before, as text; empty for nothing.
        after: What stands there now, as text.
        note: Why.
    """

    at: datetime
    action: str
    trial_index: int | None = None
    before: str = ""
    after: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """One line of the list of experiments.

    Attributes:
        id: The database's number.
        name: Its name; of a draft without one, empty.
        state: Where it stands; RUNNING without a live controller is told as INTERRUPTED.
        is_minimised: Whether a smaller `best` is better; None without an objective and with
            several. Of a draft it is told from what was typed so far, and so are the next two.
        objectives: Their number.
        objective: What a single one is about: a metric, or its distance from a target; empty with
            a sum of metrics, several objectives or none.
        finished_trials: Trials of the last run in a terminal status; of a draft 0.
        max_trials: Budget of the last run; 0 before the first.
        best: Best observed value of the objective, as the operator knows it (a minimised metric
            not negated); None before the first result, and with several objectives.
        best_trial: Its trial; None before the first result.
        unit: Of `best`.
        updated_at: UTC, of the last change.
        controller: Process and host that drive it now; empty if none.
        trials: All its trials, of every run.
        limits: On metrics, each as `Impurity <= 2 %`; of a draft those typed so far that can be
            read.
    """

    id: int
    name: str
    state: RunState
    is_minimised: bool | None
    finished_trials: int
    max_trials: int
    best: float | None
    best_trial: int | None
    unit: str
    updated_at: datetime
    controller: str = ""
    objectives: int = 1
    objective: str = ""
    trials: int = 0
    limits: tuple[str, ...] = ()


class TrialStore(Protocol):
    """What the scheduler and the commands need: each call is one transaction.

    Nothing that is handed over or returned is changed later by the other side.
    """

    def save_trial(
        self, experiment: Experiment, trial: Trial, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Insert or replace a trial with its observations; `experiment` keeps it afterwards."""
        ...

    def save_trials(
        self, experiment: Experiment, trials: Sequence[Trial], audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Do what `save_trial` does for several trials, all or none."""
        ...

    def save_run(self, experiment: Experiment, run: Run, audit: Sequence[AuditEntry] = ()) -> None:
        """Insert or replace a run; `experiment` keeps it afterwards."""
        ...

    def save_setup(
        self, experiment: Experiment, setup: ExperimentSetup, audit: Sequence[AuditEntry] = ()
    ) -> None:
        """Replace the set-up; a changed search space and changed goals become a new version.

        Old versions stay; `experiment` has the new set-up afterwards.
        """
        ...


class ExperimentStore(TrialStore, Protocol):
    """All that is remembered, of all experiments of one database.

    Any thread may call it; calls take turns. Every call raises a `StorageError` if the database
    cannot do what is asked.
    """

    def create(self, setup: ExperimentSetup, draft_id: int | None = None) -> Experiment:
        """Keep a new experiment; one made from a draft takes the draft's place and id.

        Raises:
            UserInputError: If the name is taken.
        """
        ...

    def load(self, name: str) -> Experiment:
        """Return an experiment.

        Raises:
            NotFoundError: If there is none with this name.
        """
        ...

    def load_by_id(self, experiment_id: int) -> Experiment:
        """Return an experiment that is no mere draft, as `load` does."""
        ...

    def summaries(self) -> tuple[ExperimentSummary, ...]:
        """Return all experiments and drafts, the latest change first."""
        ...

    def delete(self, experiment_id: int) -> None:
        """Forget an experiment or a draft and all that belongs to it."""
        ...

    def save_draft(self, draft: Draft, experiment_id: int | None) -> int:
        """Keep a draft, of a new experiment (None) or an existing one; return its id."""
        ...

    def load_draft(self, experiment_id: int) -> Draft | None:
        """Return the draft of an experiment, or None."""
        ...

    def history(self, experiment_id: int, trial_index: int | None = None) -> tuple[AuditEntry, ...]:
        """Return the history of an experiment or of one of its trials, oldest first."""
        ...

    def control(self, experiment: Experiment) -> AbstractContextManager[None]:
        """Hold the right to drive an experiment, freed by the system should the process die.

        Raises:
            ExperimentBusyError: If another process, or another client of this one, holds it.
        """
        ...

    def close(self) -> None:
        """Release the database."""
        ...
