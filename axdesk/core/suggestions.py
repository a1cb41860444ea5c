"""What the generator is asked and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import against_baseline
from axdesk.core.parameters import TParameterValue
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.trial import Generation, Observation, TrialSource, TrialStatus

Parameters = Mapping[str, TParameterValue]
_BY_PEOPLE = (TrialSource.MANUAL, TrialSource.BASELINE, TrialSource.IMPORTED)


@dataclass(frozen=True, slots=True)
class ObservedPoint:
    """A completed trial as the model sees it.

    Attributes:
        trial_index: Its index.
        parameters: What was executed.
        observations: One of each metric that has a value, at its highest progression.
    """

    trial_index: int
    parameters: Parameters
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class SuggestionRequest:
    """Everything that a suggestion depends on: the same request gets the same answer.

    Attributes:
        search_space: Where candidates may lie.
        optimization: What is optimised; a limit that is relative to a baseline without a result
            is not known yet and left out.
        settings: Method, size of the initial design, seed.
        trial_index: Index that the first candidate will have; seeds derive from it.
        n: Candidates wanted, at least 1.
        observed: Completed trials that are not excluded and have a value of each parameter, sorted
            by index.
        pending: (index, parameters) of candidates, staged and running trials, sorted by index.
        failed: (index, parameters) of failed trials, sorted by index; may be suggested again, the
            less likely the more failed around.
        excused: (index, parameters) of failed trials that are excluded, sorted by index: may be
            suggested again, and say nothing of their surroundings.
        abandoned: (index, parameters) of abandoned and early-stopped trials, sorted by index; not
            to be suggested again.
        held: Parameter → value that candidates have there, while the model knows all values.
        uncounted: Observed and pending trials that do not count towards the initial design.
    """

    search_space: SearchSpace
    optimization: OptimizationConfig
    settings: GenerationSettings
    trial_index: int
    n: int = 1
    observed: tuple[ObservedPoint, ...] = ()
    pending: tuple[tuple[int, Parameters], ...] = ()
    failed: tuple[tuple[int, Parameters], ...] = ()
    excused: tuple[tuple[int, Parameters], ...] = ()
    abandoned: tuple[tuple[int, Parameters], ...] = ()
    held: Parameters = field(default_factory=dict)
    uncounted: int = 0

    @property
    def designed(self) -> int:
        """Trials that count towards the initial design: observed and pending ones."""
        return len(self.observed) + len(self.pending) - self.uncounted


@dataclass(frozen=True, slots=True)
class Candidate:
    """A parameterization to try, and how it was made."""

    parameters: Parameters
    generation: Generation


def request_for(
    experiment: Experiment, n: int = 1, held: Parameters | None = None
) -> SuggestionRequest:
    """Return the request for the next `n` candidates of an experiment.

    Args:
        experiment: Its trials are what the candidates follow from.
        n: At least 1.
        held: Parameter → value that the candidates shall have there; None for none.
    """
    required = experiment.optimization.metric_names
    counts_all = experiment.setup.generation.use_existing_trials_for_initialization
    uncounted = 0
    observed, pending, abandoned = [], [], []
    failed: list[tuple[int, Parameters]] = []
    excused: list[tuple[int, Parameters]] = []
    for index, trial in sorted(experiment.trials.items()):
        entry = (index, dict(trial.parameters))
        # What lacks a parameter, from before an edit, teaches the model nothing.
        is_observed = (
            trial.status is TrialStatus.COMPLETED
            and not trial.is_excluded
            and all(name in entry[1] for name in experiment.search_space.existing(entry[1]))
        )
        if not counts_all and trial.generation.source in _BY_PEOPLE:
            uncounted += is_observed or not trial.status.is_terminal
        match trial.status:
            case TrialStatus.COMPLETED if is_observed:
                latest = (trial.latest(metric) for metric in required)
                observed.append(ObservedPoint(*entry, tuple(o for o in latest if o is not None)))
            case TrialStatus.CANDIDATE | TrialStatus.STAGED | TrialStatus.RUNNING:
                pending.append(entry)
            case TrialStatus.FAILED:
                (excused if trial.is_excluded else failed).append(entry)
            case _:
                abandoned.append(entry)
    return SuggestionRequest(
        search_space=experiment.search_space,
        optimization=against_baseline(experiment.optimization, experiment.trials.values()),
        settings=experiment.setup.generation,
        trial_index=experiment.next_index,
        n=n,
        observed=tuple(observed),
        pending=tuple(pending),
        failed=tuple(failed),
        excused=tuple(excused),
        abandoned=tuple(abandoned),
        held=dict(held or {}),
        uncounted=uncounted,
    )
