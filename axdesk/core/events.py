"""What a run tells the world: frozen snapshots that cross threads and processes safely.

Stored first, then published. `RunFinished` is always the last event of a run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from axdesk.core.errors import AxdeskError
from axdesk.core.questions import Answer, Question
from axdesk.core.run import Run
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run."""


@dataclass(frozen=True, slots=True)
class RunChanged(Event):
    """The run's state, reason or settings changed."""

    run: Run


@dataclass(frozen=True, slots=True)
class SetupChanged(Event):
    """The experiment has another set-up, which is stored; the next suggestion keeps to it.

    Attributes:
        setup: As it is now.
        search_space_version: Version of its search space, from 1.
        optimization_version: Version of its objectives and limits, from 1.
    """

    setup: ExperimentSetup
    search_space_version: int
    optimization_version: int


@dataclass(frozen=True, slots=True)
class TrialChanged(Event):
    """A trial has a new snapshot, which is stored."""

    trial: Trial


@dataclass(frozen=True, slots=True)
class TrialHealthChanged(Event):
    """The deployment, polls or fetches of a trial fail or do not answer, or work again.

    Attributes:
        trial_index: The trial.
        failures: Calls in a row that failed, or do not answer yet; 0 if they work again.
        reason: Of the last one; empty if they work again.
        since: UTC, since when; None if they work again.
        is_fetching: Whether it is results of a completed trial that do not come; else polls.
        is_silent: Whether a call is under way that does not answer, and that `EndCalls` ends.
        is_deploying: Whether that call is `run_trial`: nothing new starts before it answers.
    """

    trial_index: int
    failures: int
    reason: str
    since: datetime | None = None
    is_fetching: bool = False
    is_silent: bool = False
    is_deploying: bool = False


@dataclass(frozen=True, slots=True)
class CallFailed(Event):
    """A plugin's call failed, and there is more to tell than its reason; what follows is told too.

    Attributes:
        trial_index: The trial that it was about.
        details: The traceback from the laboratory's first frame on, or what was printed last.
    """

    trial_index: int
    details: str


@dataclass(frozen=True, slots=True)
class StorageHealthChanged(Event):
    """The database takes nothing for the moment, or does again.

    Meanwhile nothing new starts, running trials are followed in memory, and what they bring is
    told once it is stored.

    Attributes:
        reason: Why; empty if it works again.
        since: UTC, of the first failure; None if it works again.
    """

    reason: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class PluginPrinted(Event):
    """The laboratory's code wrote something to its output.

    Attributes:
        file: The plugin file's name.
        text: One or more lines.
    """

    file: str
    text: str


@dataclass(frozen=True, slots=True)
class SuggestionStarted(Event):
    """The generator was asked for the trial with this index."""

    trial_index: int


@dataclass(frozen=True, slots=True)
class FallbackUsed(Event):
    """The model gave no candidate; a space-filling one stepped in."""

    trial_index: int
    reason: str


@dataclass(frozen=True, slots=True)
class QuestionAsked(Event):
    """A decision of the operator is needed; the run goes on meanwhile."""

    question: Question


@dataclass(frozen=True, slots=True)
class QuestionAnswered(Event):
    """The question about a trial is settled; `answer` is None if a result was entered."""

    trial_index: int
    answer: Answer | None


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something that needs no answer, but that the operator should know."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """The scheduler has left the run.

    Attributes:
        run: Its last snapshot.
        error: Why it ended if it could not be carried out as asked; else None.
    """

    run: Run
    error: AxdeskError | None = None


Publish = Callable[[Event], None]
"""Receives each event, in the scheduler's thread; must return at once."""
