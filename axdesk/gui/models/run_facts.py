"""What is known of an experiment at one moment, and what follows from it for showing."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.events import StorageHealthChanged, TrialHealthChanged
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import (
    against_baseline,
    objective_score,
    shown_value,
)
from axdesk.core.questions import FailedCall, Question
from axdesk.core.run import Run, RunAction, RunState, allowed_actions, asks_before_closing
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial, TrialSource, TrialStatus
from axdesk.gui.models.formatting import clock, measured, with_unit
from axdesk.gui.models.trial_memo import TrialMemo
from axdesk.gui.theme import STATUS_LOOKS

SOURCE_WORDS = {
    TrialSource.CENTER: "Start values",
    TrialSource.SOBOL: "Space filling",
    TrialSource.MODEL: "Model",
    TrialSource.FALLBACK: "Fallback",
    TrialSource.MANUAL: "Manual",
    TrialSource.BASELINE: "Baseline",
    TrialSource.IMPORTED: "Imported",
}
"""What the operator calls the source of a trial."""

LEAST_FOR_ESTIMATE = 1


@dataclass(frozen=True)  # no slots: what follows from the facts is worked out once and kept
class RunFacts:
    """A snapshot of one experiment, all of it frozen.

    Attributes:
        name: As typed; empty for a draft without one.
        state: Where the experiment stands, as shown.
        setup: Its set-up; None for a draft that has problems and no trials.
        runs: In order.
        trials: By index.
        questions: Open ones, by trial.
        problems: Problems of what was filled in of the set-up, which keep it from starting.
        sections_left: Titles of the sections that have to be filled in first.
        first_problem: The first of what is left to do as a sentence.
        suggesting: Index of the trial that is being suggested, or None.
        unanswered: By trial: since when and why its polls or fetches fail.
        answering: Trials of which an answer to their question is being carried out.
        outage: Since when and why nothing can be saved; None while it can.
        controller: Process and host that drive it, if it is another process.
        is_opening: Plugins and optimiser are being opened; nothing can be asked meanwhile.
        stopping_since: When Stop now was pressed, while trials are being stopped; else None.
        pauses_when_open: Whether the run is paused as soon as it has started.
        is_testing: Whether a dry test uses the instrument.
        search_spaces: The search space by version, from 1, as far as they are known.
        memo: What was worked out for the trials so far; shared with the facts before and after.
    """

    name: str
    state: RunState
    setup: ExperimentSetup | None = None
    runs: tuple[Run, ...] = ()
    trials: tuple[Trial, ...] = ()
    questions: tuple[Question, ...] = ()
    problems: int = 0
    sections_left: tuple[str, ...] = ()
    first_problem: str = ""
    suggesting: int | None = None
    unanswered: Mapping[int, TrialHealthChanged] = field(default_factory=dict)
    answering: frozenset[int] = frozenset()
    outage: StorageHealthChanged | None = None
    controller: str = ""
    is_opening: bool = False
    stopping_since: datetime | None = None
    pauses_when_open: bool = False
    is_testing: bool = False
    search_spaces: Mapping[int, SearchSpace] = field(default_factory=dict)
    memo: TrialMemo = field(default_factory=TrialMemo, compare=False, repr=False)

    def trial(self, index: int) -> Trial | None:
        """The trial with this index; None without one."""
        at = bisect_left(self.trials, index, key=lambda trial: trial.index)
        is_there = at < len(self.trials) and self.trials[at].index == index
        return self.trials[at] if is_there else None

    @property
    def run(self) -> Run | None:
        """The last run."""
        return self.runs[-1] if self.runs else None

    @cached_property
    def optimization(self) -> OptimizationConfig | None:
        """What is optimised, if that is known; limits as they are against the baseline."""
        if self.setup is None:
            return None
        return self.memo.one_of(against_baseline(self.setup.optimization, self.trials))

    @cached_property
    def of_run(self) -> tuple[Trial, ...]:
        """The trials of the last run."""
        if self.run is None:
            return ()
        index = self.run.index
        return tuple([t for t in self.trials if t.run_index == index])

    @cached_property
    def pending(self) -> tuple[Trial, ...]:
        """The trials that are staged or running."""
        running, staged = TrialStatus.RUNNING, TrialStatus.STAGED
        return tuple([t for t in self.trials if t.status is running or t.status is staged])

    @property
    def busy(self) -> int:
        """Slots that are taken; what a person is asked about, or waits to start, takes none."""
        asked = {question.trial_index for question in self.questions}
        taken = (trial for trial in self.pending if not trial.surely_not_started)
        return sum(trial.index not in asked for trial in taken)

    @property
    def is_held_up(self) -> bool:
        """Whether nothing new starts because a deployment does not answer."""
        health = [self.unanswered.get(trial.index) for trial in self.pending]
        return any(one is not None and one.is_deploying for one in health)

    @cached_property
    def finished(self) -> tuple[Trial, ...]:
        """The finished trials of the last run, in order of finishing."""
        return self.memo.in_order(self.of_run)

    @property
    def budget(self) -> int:
        """Trials of the last run, or of the next one before the first."""
        if self.run is not None:
            return self.run.settings.max_trials
        return self.setup.run.max_trials if self.setup else 0

    @property
    def actions(self) -> frozenset[RunAction]:
        """What the operator may ask for now."""
        if self.controller:
            return frozenset()
        if self.is_opening:
            allowed = allowed_actions(RunState.STARTING, 0)
            return allowed - {RunAction.PAUSE} if self.pauses_when_open else allowed
        allowed = allowed_actions(self.state, len(self.pending))
        return allowed - {RunAction.START, RunAction.RESUME} if self.is_testing else allowed

    @property
    def asks_before_closing(self) -> bool:
        """Whether what becomes of a run of this window is asked before it is closed."""
        return not self.controller and asks_before_closing(self.state, len(self.pending))

    @property
    def best(self) -> Trial | None:
        """The best observed trial that keeps every limit; none with several objectives."""
        return None if self._has_several or not self._leaders else self._leaders[0]

    @property
    def front(self) -> tuple[Trial, ...]:
        """The trials on the Pareto front of several objectives."""
        return self._leaders if self._has_several else ()

    @property
    def _has_several(self) -> bool:
        return self.optimization is not None and self.optimization.has_several

    @cached_property
    def _leaders(self) -> tuple[Trial, ...]:
        if self.optimization is None:
            return ()
        return self.memo.leaders(self.trials, self.optimization)

    @cached_property
    def starred(self) -> frozenset[int]:
        """The best trial, or those on the Pareto front, by index."""
        return frozenset(trial.index for trial in self._leaders)

    @cached_property
    def hypervolumes(self) -> Mapping[int, float] | None:
        """By completed trial: the hypervolume so far; None where it is not what is shown.

        That is with one objective, and with more than an exact computation bears.
        """
        optimization = self.optimization
        if optimization is None or not optimization.has_several:
            return None
        return self.memo.hypervolumes(self.trials, optimization)

    @cached_property
    def _asked(self) -> Mapping[int, FailedCall | None]:
        """By trial that is asked about: which of its calls failed."""
        return {question.trial_index: question.failed_call for question in self.questions}

    def broken(self, trial: Trial) -> tuple[OutcomeConstraint, ...]:
        """The limits that the values of a completed trial break."""
        optimization = self.optimization
        if optimization is None or trial.status is not TrialStatus.COMPLETED:
            return ()
        return self.memo.broken(trial, optimization)

    @property
    def _is_followed(self) -> bool:
        """Whether a run goes on that may be deploying a trial at this moment."""
        return self.state.is_live and not self.is_opening

    def status_key(self, trial: Trial) -> str:
        """The key of `theme.STATUS_LOOKS` by which a trial of these facts is shown."""
        asked = self._asked
        if trial.status.is_pending:
            if asked.get(trial.index) is FailedCall.POLL:
                return "not_answering"
            if asked.get(trial.index) is FailedCall.FETCH:
                return "no_valid_result"
            if trial.index in asked or trial.is_uncertain:
                return "may_have_started"
            if trial.surely_not_started:
                return "to_be_deployed"
            if trial.status is TrialStatus.STAGED and not self._is_followed:
                return "may_have_started"
            if self.state is RunState.INTERRUPTED:
                return "not_known"
            if trial.index in self.unanswered:
                is_fetching = self.unanswered[trial.index].is_fetching
                return "no_valid_result" if is_fetching else "not_answering"
        if self.broken(trial):
            return "limit_not_met"
        return trial.status.value

    @cached_property
    def mean_seconds(self) -> float | None:
        """Mean duration of the trials that are done, or None before the first."""
        completed = TrialStatus.COMPLETED
        seconds = [t.elapsed_seconds for t in self.trials if t.status is completed]
        done = [each for each in seconds if each > 0]
        return sum(done) / len(done) if len(done) >= LEAST_FOR_ESTIMATE else None

    def seconds_left(self, trial: Trial, now: datetime) -> float | None:
        """Expected rest of a running trial, at least 0; None if nothing can be said."""
        mean = self.mean_seconds
        if mean is None or trial.started_at is None:
            return None
        return max(mean - seconds_running(trial, now), 0.0)

    def ends_at(self, now: datetime) -> datetime | None:
        """When the budget is expected to be spent; None if nothing can be said.

        Slots are filled one after the other with trials of the mean duration. Before the first run
        it is said as if that began now.
        """
        mean, settings = self.mean_seconds, None
        if self.run is not None:
            settings = self.run.settings
        elif self.setup is not None:
            settings = self.setup.run
        if mean is None or settings is None:
            return None
        left = max(settings.max_trials - len(self.of_run), 0)
        free = [self.seconds_left(t, now) or 0.0 for t in self.pending]
        free += [0.0] * max(settings.parallelism - len(free), 0)
        if not left and not self.pending:
            return None
        for _ in range(left):
            free.sort()
            free[0] += mean
        return now + timedelta(seconds=max(free))


def seconds_running(trial: Trial, now: datetime) -> float:
    """How long a trial has been running: stored for those that ended, by the clock else."""
    if trial.status is TrialStatus.RUNNING and trial.started_at is not None:
        return max((now - trial.started_at).total_seconds(), trial.elapsed_seconds)
    return trial.elapsed_seconds


def status_key(trial: Trial, facts: RunFacts) -> str:
    """The key of `theme.STATUS_LOOKS` by which a trial of these facts is shown."""
    return facts.status_key(trial)


def status_word(trial: Trial, facts: RunFacts, now: datetime) -> str:
    """The word for a trial's status; of one whose calls fail also since when."""
    key = status_key(trial, facts)
    word = STATUS_LOOKS[key].word
    if key in ("not_answering", "no_valid_result") and trial.index in facts.unanswered:
        return f"{word}{since_text(facts.unanswered[trial.index].since, now)}"
    return word


def since_text(moment: datetime | None, now: datetime) -> str:
    """Write ` since 14:03`; nothing if the time is not known."""
    return "" if moment is None else f" since {clock(moment, now)}"


def runner_name(facts: RunFacts) -> str:
    """What the operator knows the runner as."""
    runner = facts.setup.runner if facts.setup else None
    return "" if runner is None else runner.file_name.removesuffix(".py")


def shown_error(error: float, optimization: OptimizationConfig) -> float:
    """A standard error of the score in the operator's values."""
    terms = optimization.objective.expression.terms
    return error / abs(terms[0][1]) if len(terms) == 1 else error


def objective_value(trial: Trial, optimization: OptimizationConfig) -> float | None:
    """The observed objective as the operator knows it; None without a completed result."""
    score = objective_score(trial, optimization)
    return None if score is None else shown_value(score, optimization)


@lru_cache(maxsize=16)
def objective_name(optimization: OptimizationConfig) -> str:
    """What the (first) objective is called: the metric's name, or the expression of several."""
    return optimization.objective.label


def objective_unit(optimization: OptimizationConfig) -> str:
    """The unit of the objective; of several metrics none."""
    names = optimization.objective.metric_names
    return optimization.unit_of(names[0]) if len(names) == 1 else ""


def objective_decimals(facts: "RunFacts") -> int | None:
    """Decimals of the objective's values."""
    optimization = facts.optimization
    if optimization is None:
        return None
    names = optimization.objective.metric_names
    if optimization.objective.is_plain:
        return decimals_of(names[0], facts)

    def read(trial: Trial) -> tuple[float, None] | None:
        value = objective_value(trial, optimization)
        return None if value is None else (value, None)

    return facts.memo.decimals(f"objective:{optimization.objective}", facts.trials, read)


def decimals_of(metric: str, facts: "RunFacts") -> int | None:
    """Decimals of a metric's values."""

    def read(trial: Trial) -> tuple[float, float | None] | None:
        observation = trial.latest(metric)
        return None if observation is None else (observation.mean, observation.sem)

    return facts.memo.decimals(f"metric:{metric}", facts.trials, read)


def limit_text(limit: OutcomeConstraint) -> str:
    """Write a limit as a sentence part: `Impurity ≤ 2`."""
    return str(limit).replace("<=", "≤").replace(">=", "≥").replace("`", "").replace("-", "−")


def objective_text(value: float, optimization: OptimizationConfig, decimals: int | None) -> str:
    """Write a value of the objective with its unit."""
    return with_unit(measured(value, decimals), objective_unit(optimization))
