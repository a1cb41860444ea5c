"""Progress of a run for a person: a line that moves on a terminal, lines that stay in a log."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from axdesk.core.events import (
    Event,
    RunChanged,
    StorageHealthChanged,
    TrialChanged,
    TrialHealthChanged,
)
from axdesk.core.experiment import Experiment
from axdesk.core.outcomes import (
    best_observed,
    is_eligible,
    objective_score,
    objective_scores,
    pareto_front,
    shown_value,
)
from axdesk.core.trial import Trial, TrialStatus
from axdesk.headless.messages import Messages
from axdesk.headless.output import Lines
from axdesk.headless.texts import number, objective_text, words

_ALL_OF_A_RUN = 1e9
"""Seconds; rich forgets by default what is older than half a minute, and trials last longer."""


class Tally:
    """What the events of a run add up to.

    Attributes:
        max_trials: The run's budget.
        finished: Trials of the run in a terminal status.
        failed: Those of them that failed or were abandoned.
        running: Trials of the run that are staged or running.
        best: Score (larger is better) and index of the experiment's best trial; None before.
    """

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._run_index: int | None = None
        self.max_trials = 0
        self.finished: set[int] = set()
        self.failed: set[int] = set()
        self.running: set[int] = set()
        self.best: tuple[float, int] | None = None

    def take(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, RunChanged):
            self.max_trials = event.run.settings.max_trials
            if event.run.index != self._run_index:
                self._run_index = event.run.index
                for trial in self._experiment.trials.values():
                    self._count(trial)
        elif isinstance(event, TrialChanged):
            self._count(event.trial)

    def _count(self, trial: Trial) -> None:
        optimization = self._experiment.optimization
        score = objective_score(trial, optimization)
        if score is not None and is_eligible(trial, optimization):
            self.best = max(self.best or (score, trial.index), (score, trial.index))
        if trial.run_index != self._run_index:
            return
        status = trial.status
        gave_up = status in (TrialStatus.FAILED, TrialStatus.ABANDONED)
        for indices, belongs in (
            (self.finished, status.is_terminal),
            (self.failed, gave_up),
            (self.running, status.is_pending),
        ):
            (indices.add if belongs else indices.discard)(trial.index)

    @property
    def best_text(self) -> str:
        """The best value so far and its trial; with several objectives the size of the front."""
        trials, optimization = self._experiment.trials.values(), self._experiment.optimization
        if optimization.has_several:
            front = pareto_front(trials, optimization)
            return f"{len(front)} on the Pareto front" if front else "no result yet"
        if optimization.is_relative:
            # What a baseline says of earlier trials is known only once it is there.
            best = best_observed(trials, optimization)
            score = None if best is None else objective_score(best, optimization)
            self.best = None if best is None or score is None else (score, best.index)
        if self.best is None:
            return "no result yet"
        score, index = self.best
        return f"best {number(shown_value(score, self._experiment.optimization))} (trial {index})"


class LogProgress:
    """Plain lines: one for each finished trial, and one for whatever else matters."""

    def __init__(self, experiment: Experiment, lines: Lines) -> None:
        self._experiment = experiment
        self._tally = Tally(experiment)
        self._messages = Messages()
        self._lines = lines

    def show(self, event: Event) -> None:
        """Write what the event says."""
        self._tally.take(event)
        message = self._messages.of(event)
        if isinstance(event, TrialChanged) and event.trial.status.is_terminal:
            message = self._finished(event.trial)
        if message:
            self._lines.write(message)

    def _finished(self, trial: Trial) -> str:
        tally = self._tally
        scores = objective_scores(trial, self._experiment.optimization)
        if scores is None:
            outcome = f": {trial.reason}" if trial.reason else ""
        else:
            outcome = f": {objective_text(scores, self._experiment.optimization)}"
        count = f"{len(tally.finished)} of {tally.max_trials}"
        return f"Trial {trial.index} {words(trial.status)}{outcome} · {tally.best_text} · {count}"

    def close(self) -> None:
        """Nothing is held."""


class TerminalProgress:
    """One line that moves: finished of budget, running, failed, time left, best so far."""

    def __init__(self, experiment: Experiment, lines: Lines) -> None:
        self._tally = Tally(experiment)
        self._messages = Messages(cuts_prints=True)
        self._progress = Progress(
            TextColumn("{task.completed:.0f} of {task.total:.0f}", markup=False),
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            TextColumn("left", markup=False),
            TimeRemainingColumn(),
            console=Console(file=lines.stream),
            speed_estimate_period=_ALL_OF_A_RUN,
            refresh_per_second=4,
        )
        self._task = self._progress.add_task("starting", total=1, start=False)
        self._was_started = False
        self._progress.start()

    def show(self, event: Event) -> None:
        """Move the line, and write above it what a person should read."""
        self._tally.take(event)
        message = self._messages.of(event)
        if message:
            self._progress.console.print(message, markup=False, highlight=False)
        if isinstance(event, RunChanged | TrialChanged | TrialHealthChanged | StorageHealthChanged):
            self._move()

    def _move(self) -> None:
        tally = self._tally
        if not self._was_started:
            # Trials of earlier sittings say nothing about the speed of this one.
            self._was_started = True
            self._progress.start_task(self._task)
        parts = [
            f"{len(tally.running)} running",
            f"{len(tally.failed)} failed" if tally.failed else "",
            self._messages.trouble,
            tally.best_text,
        ]
        self._progress.update(
            self._task,
            total=tally.max_trials,
            completed=len(tally.finished),
            description=" · ".join(filter(None, parts)),
        )

    def close(self) -> None:
        """Leave the last state of the line standing."""
        self._progress.stop()
