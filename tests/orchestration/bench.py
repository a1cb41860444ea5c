"""A scheduler on a laboratory bench of fakes, and what must hold of every run."""

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from axdesk.core.commands import Command
from axdesk.core.errors import AxdeskError
from axdesk.core.events import (
    Event,
    FallbackUsed,
    PluginPrinted,
    QuestionAnswered,
    QuestionAsked,
    RunChanged,
    RunFinished,
    SetupChanged,
    StorageHealthChanged,
    SuggestionStarted,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.run import OrchestrationConfig, Run, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.trial import Arm, Generation, Trial, TrialSource, TrialStatus
from axdesk.generation import check_feasible
from axdesk.orchestration.scheduler import Scheduler
from tests.fakes import FakeClock, MemoryStore, Script, ScriptedCalls, ScriptedGenerator


def experiment(tracking: tuple[str, ...] = ()) -> Experiment:
    return Experiment(
        id=1,
        setup=ExperimentSetup(
            name="reactor",
            search_space=SearchSpace((RangeParameterConfig("x", (0.0, 1.0), "float"),)),
            optimization=OptimizationConfig(Objective.parse("y"), tracking_metrics=tracking),
            generation=GenerationSettings(initialization_budget=2),
        ),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def settings(
    max_trials: int = 2,
    parallelism: int = 1,
    *,
    tolerance: float = 0.5,
    interval: float = 1.0,
    spacing: float = 0.0,
    **more: Any,
) -> RunSettings:
    config = OrchestrationConfig(min_seconds_between_launches=spacing, **more)
    return RunSettings(max_trials, parallelism, tolerance, interval, config)


class Killed(BaseException):
    """Ends a run as `kill -9` does."""


@dataclass
class Bench:
    """Runs an experiment on fakes, once or over several sittings.

    Attributes:
        most_at_once: Trials that ran or were being deployed at once.
        events: All events of the latest sitting.
        submitted: The commands that were handed in, in order.
        answers: Theirs.
    """

    scripts: dict[int, Script] = field(default_factory=dict)
    tracking: tuple[str, ...] = ()
    waits_for_answers: bool = False

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.calls = ScriptedCalls(
            self.clock, scripts=self.scripts, metric_names=("y", *self.tracking)
        )
        self.calls.before_run = self._check_intent
        self.generator = ScriptedGenerator(self.clock)
        self.experiment = experiment(self.tracking)
        self.events: list[Event] = []
        self.submitted: list[Command] = []
        self.answers: list[Future[None]] = []
        self.most_at_once = 0
        self._scheduler: Scheduler | None = None

    @property
    def scheduler(self) -> Scheduler:
        assert self._scheduler is not None
        return self._scheduler

    def submit_at(self, seconds: float, command: Command) -> None:
        """Hand a command to whichever run goes on at that time."""

        def submit() -> None:
            self.submitted.append(command)
            self.answers.append(self.scheduler.submit(command))

        self.clock.at(seconds, submit)

    def run(self, wanted: RunSettings | None = None) -> Run:
        """Carry out a new run, or go on with the last one; check what holds of every run."""
        if wanted is None:
            last = self.experiment.runs[-1]
            if last.state.is_live:  # as the store says of a run that nobody drives any more
                last = replace(last, state=RunState.INTERRUPTED)
            run = last.moved_to(RunState.STARTING, reason="", ended_at=None)
        else:
            run = Run(len(self.experiment.runs), wanted)
        self.events = []
        self._scheduler = Scheduler(
            self.experiment,
            run,
            store=self.store,
            generator=self.generator,
            calls=self.calls,
            publish=self._publish,
            clock=self.clock,
            check_space=check_feasible,
            waits_for_answers=self.waits_for_answers,
        )
        error: AxdeskError | None = None
        try:
            ended = self._scheduler.run()
        except AxdeskError as caught:
            error = caught
            raise
        finally:
            self._check_end(error)
        return ended

    def _publish(self, event: Event) -> None:
        if isinstance(event, TrialChanged):
            assert self.store.of_trial(event.trial.index)[-1] == event.trial, "published unstored"
            running = self.experiment.with_status(TrialStatus.RUNNING)
            launching = [t for t in self.experiment.pending if t.index in self.calls.open]
            deployed = {t.index for t in (*running, *launching) if t.run_index is not None}
            self.most_at_once = max(self.most_at_once, len(deployed))
        self.events.append(event)

    def _check_intent(self, index: int) -> None:
        intent = self.store.of_trial(index)[-1]
        assert intent.status is TrialStatus.STAGED, "deployed without a stored intent"
        assert not intent.surely_not_started, "deployed without a stored intent"

    def outage(self, begin: float, end: float) -> None:
        """Have the database take nothing from one time to another."""

        def switch(is_out: bool) -> None:
            self.store.is_out = is_out

        self.clock.at(begin, lambda: switch(True))
        self.clock.at(end, lambda: switch(False))

    def killed_at(self, seconds: float) -> None:
        """Go on with the last run until the process is killed: nothing more is stored."""

        def kill() -> None:
            self.store.fails_from = 0
            raise Killed

        self.clock.at(seconds, kill)
        with suppress(Killed):
            self.run()
            raise AssertionError("the run ended before it was killed")
        self.store.fails_from = None

    def _check_end(self, error: AxdeskError | None) -> None:
        finished = [e for e in self.events if isinstance(e, RunFinished)]
        assert finished == [RunFinished(self.scheduler.current, error)]
        assert self.events[-1] is finished[0]
        assert not self.scheduler.current.state.is_live
        assert all(answer.done() for answer in self.answers)

    # ---- what came out ---------------------------------------------------------------------------

    @property
    def statuses(self) -> list[str]:
        return [str(trial.status) for trial in self.experiment.trials.values()]

    def trial(self, index: int) -> Trial:
        return self.experiment.trial(index)

    def of_kind(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.of_kind(Warned)]

    @property
    def states(self) -> list[str]:
        return [str(event.run.state) for event in self.of_kind(RunChanged)]

    def told(self) -> list[str]:
        """Every event of the latest sitting, in words."""
        return [_in_words(event) for event in self.events]

    def put(self, status: TrialStatus, metadata: Mapping[str, Any] | None = None) -> Trial:
        """Put a trial of the first run into the experiment, as an earlier sitting left it."""
        index = self.experiment.next_index
        trial = Trial(
            index=index,
            arm=Arm(f"{index}_0", {"x": index / 1000}),
            generation=Generation(TrialSource.SOBOL),
            run_index=0,
            status=status,
            metadata=metadata,
            staged_at=self.clock.now(),
        )
        self.experiment.put(trial)
        return trial

    def interrupted(self, wanted: RunSettings) -> None:
        """Put a run into the experiment that died with its process."""
        self.experiment.put_run(replace(Run(0, wanted), state=RunState.INTERRUPTED))


def _in_words(event: Event) -> str:  # noqa: C901  # one line for each kind
    match event:
        case RunChanged(run=run):
            return f"run {run.state}"
        case TrialChanged(trial=trial):
            return f"trial {trial.index} {trial.status}"
        case TrialHealthChanged(trial_index=index, failures=failures):
            return f"trial {index} has {failures} failures"
        case SetupChanged(search_space_version=space, optimization_version=goals):
            return f"set-up {space}.{goals}"
        case SuggestionStarted(trial_index=index):
            return f"suggesting {index}"
        case FallbackUsed(trial_index=index):
            return f"fallback for {index}"
        case QuestionAsked(question=question):
            return f"question about {question.trial_index}"
        case QuestionAnswered(trial_index=index, answer=answer):
            return f"answered {index}: {answer}"
        case Warned(message=message):
            return f"warned: {message}"
        case StorageHealthChanged(reason=reason):
            return f"storage: {reason or 'works'}"
        case PluginPrinted(file=file, text=text):
            return f"{file} printed {text}"
        case RunFinished(run=run):
            return f"finished {run.state}"
        case _:
            raise AssertionError(f"unknown event {event}")
