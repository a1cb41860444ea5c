"""What is known of an experiment and its run: the stored state, brought up to date by events."""

from dataclasses import dataclass, field

from axdesk.core.events import (
    CallFailed,
    Event,
    QuestionAnswered,
    QuestionAsked,
    RunChanged,
    RunFinished,
    SetupChanged,
    StorageHealthChanged,
    SuggestionStarted,
    TrialChanged,
    TrialHealthChanged,
)
from axdesk.core.experiment import Experiment
from axdesk.core.questions import Question
from axdesk.core.run import Run
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial


@dataclass(slots=True)
class RunRecord:
    """Snapshots by index.

    Attributes:
        setup: The experiment's; None for a mere draft.
        search_spaces: By version, from 1.
        runs: By index.
        trials: By index.
        questions: Open ones, by trial.
        unanswered: By trial: since when and why its calls fail.
        outage: Since when and why nothing can be saved; None while it can.
        details: By trial: the traceback of its last call that failed in this run.
        suggesting: Index of the trial that is being suggested; None while none is.
    """

    setup: ExperimentSetup | None = None
    search_spaces: dict[int, SearchSpace] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)
    trials: dict[int, Trial] = field(default_factory=dict)
    questions: dict[int, Question] = field(default_factory=dict)
    unanswered: dict[int, TrialHealthChanged] = field(default_factory=dict)
    outage: StorageHealthChanged | None = None
    details: dict[int, str] = field(default_factory=dict)
    suggesting: int | None = None

    @property
    def last_run(self) -> Run | None:
        """The last run."""
        return self.runs[max(self.runs)] if self.runs else None

    def take_stored(self, experiment: Experiment) -> None:
        """Take over a stored state; what only a run knows stays."""
        self.setup = experiment.setup
        self.search_spaces = dict(experiment.search_spaces)
        self.runs = {run.index: run for run in experiment.runs}
        self.trials = dict(experiment.trials)

    def differences(self, experiment: Experiment) -> list[Event]:
        """Return what differs in a stored state as the events that would have told it."""
        events: list[Event] = [
            TrialChanged(trial)
            for index, trial in experiment.trials.items()
            if trial != self.trials.get(index)
        ]
        run, known = experiment.runs[-1] if experiment.runs else None, self.last_run
        if run is not None and (known is None or run.state is not known.state):
            events.insert(0 if run.state.is_live else len(events), RunChanged(run))
        return events

    def before(self, event: Event) -> Trial | None:
        """Return the trial of an event as it is known; None for a new one, or an event of none."""
        return self.trials.get(event.trial.index) if isinstance(event, TrialChanged) else None

    def forget_live(self) -> None:
        """Forget what only a run knows that goes on."""
        self.questions.clear()
        self.unanswered.clear()
        self.details.clear()
        self.outage = None
        self.suggesting = None

    def take_event(self, event: Event) -> None:
        """Take what an event says."""
        match event:
            case RunChanged(run) | RunFinished(run):
                self.runs[run.index] = run
            case TrialChanged(trial):
                self.trials[trial.index] = trial
                if trial.status.is_terminal:
                    self.unanswered.pop(trial.index, None)
                if self.suggesting == trial.index:
                    self.suggesting = None
            case SetupChanged(setup, version):
                self.setup = setup
                self.search_spaces[version] = setup.search_space
            case SuggestionStarted(index):
                self.suggesting = index
            case QuestionAsked(question):
                self.questions[question.trial_index] = question
            case QuestionAnswered(index, _):
                self.questions.pop(index, None)
            case _:
                self._take_health(event)

    def _take_health(self, event: Event) -> None:
        match event:
            case CallFailed(index, details):
                self.details[index] = details
            case TrialHealthChanged(index, 0):
                self.unanswered.pop(index, None)
            case TrialHealthChanged(index):
                self.unanswered[index] = event
            case StorageHealthChanged(reason):
                self.outage = event if reason else None
            case _:
                pass  # changes nothing that is kept
