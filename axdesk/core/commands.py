"""What an operator asks of an experiment: frozen values, through one thread-safe queue.

Each is answered by a Future: with None once it is carried out and stored, or with the
`AxdeskError` that refuses it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Self

from axdesk.core.arguments import check_fields
from axdesk.core.attachments import Attachment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.parameters import TParameterValue
from axdesk.core.questions import Answer
from axdesk.core.run import OrchestrationConfig, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.trial import TrialStatus

TResult = Mapping[str, float | tuple[float, float]]
"""Metric → mean, or (mean, sem)."""


@dataclass(frozen=True, slots=True)
class Command:
    """Something that an operator asks for.

    Raises:
        UserInputError: If a value is of another type than its field.
    """

    def __post_init__(self) -> None:
        check_fields(self, [one.name for one in fields(self)], type(self).__name__)


@dataclass(frozen=True, slots=True)
class Pause(Command):
    """No new trials; running ones finish."""


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Launch trials again; cancels pausing and stopping."""


@dataclass(frozen=True, slots=True)
class Stop(Command):
    """No new trials; running ones finish; then the run ends."""


@dataclass(frozen=True, slots=True)
class StopNow(Command):
    """Stop the running trials through the runner; then the run ends."""


@dataclass(frozen=True, slots=True)
class Leave(Command):
    """End the run at once; running trials go on in the laboratory, and a resumed run follows them.

    While the database takes nothing, the run ends with the `StorageError`; what was not stored is
    fetched again by a resumed run.

    Attributes:
        reason: Stored with the run.
    """

    reason: str = "left while trials were running"


@dataclass(frozen=True, slots=True)
class ChangeRunSettings(Command):
    """Change the settings of the run that goes on; None leaves a setting as it is."""

    max_trials: int | None = None
    parallelism: int | None = None
    tolerated_trial_failure_rate: float | None = None
    initial_seconds_between_polls: float | None = None
    orchestration: OrchestrationConfig | None = None


@dataclass(frozen=True, slots=True)
class EditSetup(Command):
    """Change the set-up; None leaves a part as it is. The next suggestion keeps to the new one.

    A run that goes on takes it while it is paused or needs attention, and description and owner
    at any time; its plugins stay. A changed search space and changed goals become a new version,
    and the history says what they were.

    Attributes:
        name: Unique in its database.
        description: Free text.
        owner: Free text.
        search_space: All of it, changed or not.
        optimization: All of it, changed or not.
        generation: All of it, changed or not.
        run: Settings of the next run; `ChangeRunSettings` changes those of the one that goes on.
    """

    name: str | None = None
    description: str | None = None
    owner: str | None = None
    search_space: SearchSpace | None = None
    optimization: OptimizationConfig | None = None
    generation: GenerationSettings | None = None
    run: RunSettings | None = None

    @property
    def is_about_labels(self) -> bool:
        """Whether it changes nothing that a run goes by."""
        others = (one.name for one in fields(self) if one.name not in ("description", "owner"))
        return all(getattr(self, name) is None for name in others)

    @classmethod
    def to(cls, setup: ExperimentSetup) -> Self:
        """Return the command that leads to a set-up, whose plugins are those there are."""
        return cls(**{part.name: getattr(setup, part.name) for part in fields(cls)})

    def applied_to(self, setup: ExperimentSetup) -> ExperimentSetup:
        """Return the changed set-up; what fetches a metric that is dropped goes with it."""
        parts = {part.name: getattr(self, part.name) for part in fields(self)}
        changed = replace(setup, **{name: new for name, new in parts.items() if new is not None})
        known = changed.optimization.metric_names
        return replace(changed, metrics=tuple(one for one in changed.metrics if one[0] in known))


@dataclass(frozen=True, slots=True)
class AnswerQuestion(Command):
    """Say what is to become of a trial that the run asks about.

    Attributes:
        trial_index: The trial.
        answer: One of those that the question offers.
        for_the_rest: Whether the run gives the same answer, without asking, to each further error
            of this kind; see `Question.may_repeat`.
    """

    trial_index: int
    answer: Answer
    for_the_rest: bool = False


@dataclass(frozen=True, slots=True)
class EnterResult(Command):
    """Enter or correct a trial's result; the old values stay in its history.

    Attributes:
        trial_index: The trial.
        result: Metric → mean or (mean, sem).
        progression: Of these values; None for the highest that the trial has, 0 without any.
        note: Why; stored in the history.
    """

    trial_index: int
    result: TResult
    progression: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkFailed(Command):
    """Give a trial up; the same point may be suggested again."""

    trial_index: int
    reason: str = "marked as failed"


@dataclass(frozen=True, slots=True)
class Abandon(Command):
    """Give a trial up, or void its result; the same point is not suggested again."""

    trial_index: int
    reason: str = "abandoned"


@dataclass(frozen=True, slots=True)
class Void(Command):
    """Take the result of a completed trial back; its values stay in the history.

    The trial is abandoned: the model no longer learns from it, and the same point is not suggested
    again.
    """

    trial_index: int
    reason: str = "voided"


@dataclass(frozen=True, slots=True)
class MarkEarlyStopped(Command):
    """End a running trial that has values: they are kept and shown, but not given to the model."""

    trial_index: int
    reason: str = "marked as stopped early"


@dataclass(frozen=True, slots=True)
class FetchAgain(Command):
    """Poll and fetch a trial once more that failed after it had been started; needs a run."""

    trial_index: int


@dataclass(frozen=True, slots=True)
class EndCalls(Command):
    """End what a plugin is doing for a trial and has not answered, with the process it runs in.

    The call counts as failed, and what is still to be asked gets a new process.
    """

    trial_index: int


@dataclass(frozen=True, slots=True)
class SetExcluded(Command):
    """Withhold a trial from the model, or give it back.

    Attributes:
        trial_index: The trial.
        is_excluded: Whether it is withheld.
        reason: Why; stored in the history.
    """

    trial_index: int
    is_excluded: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetNote(Command):
    """Write the trial's note."""

    trial_index: int
    note: str


@dataclass(frozen=True, slots=True)
class AttachFile(Command):
    """Add a file that is kept already to a trial; once more does nothing."""

    trial_index: int
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class DetachFile(Command):
    """Take a file from a trial; the history goes on to name it, and it stays where it is kept."""

    trial_index: int
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class AddTrial(Command):
    """Add a trial that a person chose.

    Attributes:
        parameters: A value for each parameter that exists there, of its type; it may lie out of
            bounds, which is told, unless the trial is deployed.
        arm_name: Its name; None for the usual one.
        result: Its result, if it is known; without one the trial is RUNNING and waits for it.
        is_baseline: Whether limits relative to the baseline mean this trial from now on.
        is_deployed: Whether the run that goes on, or the next one, deploys it beyond its budget.
    """

    parameters: Mapping[str, TParameterValue]
    arm_name: str | None = None
    result: TResult = field(default_factory=dict)
    is_baseline: bool = False
    is_deployed: bool = False


@dataclass(frozen=True, slots=True)
class Replicate(Command):
    """Run the parameters of a trial once more, as a new trial beyond the run's budget.

    Attributes:
        trial_index: The trial.
        is_deployed: Whether the run that goes on, or the next one, deploys it; otherwise the new
            trial is RUNNING and waits for its result.
    """

    trial_index: int
    is_deployed: bool = True


@dataclass(frozen=True, slots=True)
class ImportedTrial:
    """A trial that was run elsewhere, and is over.

    Attributes:
        parameters: As `AddTrial` takes them.
        result: Metric → mean, or (mean, sem) with a sem of None for unknown.
        status: COMPLETED, FAILED, ABANDONED or EARLY_STOPPED.
        arm_name: Its name; None for the usual one.
        reason: Why it failed or was given up.
        note: The operator's.
        is_excluded: Shown, but not given to the model.
        is_baseline: Whether limits relative to the baseline may mean it.
        started_at: UTC; None if it is not known.
        finished_at: UTC; None for the time of the import.
        elapsed_seconds: How long it ran.
    """

    parameters: Mapping[str, TParameterValue]
    result: Mapping[str, float | tuple[float, float | None]] = field(default_factory=dict)
    status: TrialStatus = TrialStatus.COMPLETED
    arm_name: str | None = None
    reason: str = ""
    note: str = ""
    is_excluded: bool = False
    is_baseline: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    elapsed_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ImportTrials(Command):
    """Add trials that were run elsewhere, all or none.

    Attributes:
        trials: In order.
        source: Where they come from, for the history, such as the name of a file.
    """

    trials: Sequence[ImportedTrial]
    source: str = ""


TrialCommand = (
    EnterResult
    | MarkFailed
    | Abandon
    | Void
    | MarkEarlyStopped
    | SetExcluded
    | SetNote
    | AttachFile
    | DetachFile
    | AddTrial
    | Replicate
)
"""The commands that an experiment takes with or without a run."""
