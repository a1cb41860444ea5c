"""What the pictures show: experiments that the real scheduler ran, in a time of its own.

The database, the loop and the suggestions are the real ones; time passes by a clock that jumps to
whatever happens next, and the laboratory is a simulated one. The same seeds and the same durations
give the same database each time.
"""

import importlib
import pkgutil
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import axdesk.gui
from axdesk import generation
from axdesk.core.commands import Stop
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    RangeParameterConfig,
    TParameterization,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import OrchestrationConfig, RetryBudget, Run, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.suggestions import Candidate, SuggestionRequest
from axdesk.core.trial import Observation
from axdesk.orchestration.scheduler import Scheduler
from axdesk.storage.store import SqlStore
from tests.fakes import FakeClock, Script, ScriptedCalls, later
from tests.gui import suzuki_cell

NOW = datetime(2026, 3, 12, 13, 2, 7, tzinfo=UTC)
"""The moment that the pictures show."""

PLUGIN = Path(suzuki_cell.__file__)
POLL_SECONDS = 30.0
BLOCKED = Script(seconds=900, fails_because="sampling valve blocked")


class Moment:
    """The time that axdesk sees.

    Attributes:
        now: Tells it.
    """

    def __init__(self, moment: datetime) -> None:
        self.now: Callable[[], datetime] = lambda: moment

    def set(self, moment: datetime) -> None:
        """Let time stand still at a moment."""
        self.now = lambda: moment


@contextmanager
def time_of(moment: datetime) -> Iterator[Moment]:
    """Have every module of axdesk read the wall clock here, not the computer's."""
    shown = Moment(moment)

    class PictureTime(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return shown.now().astimezone(tz)

    for found in pkgutil.walk_packages(axdesk.gui.__path__, "axdesk.gui."):
        importlib.import_module(found.name)
    patched = [
        module
        for name, module in sys.modules.items()
        if name.split(".")[0] == "axdesk" and vars(module).get("datetime") is datetime
    ]
    for module in patched:
        vars(module)["datetime"] = PictureTime
    try:
        yield shown
    finally:
        for module in patched:
            vars(module)["datetime"] = datetime


@dataclass
class SimulatedCell(ScriptedCalls):
    """The cell with its HPLC, in simulated time."""

    settings: dict[int, TParameterization] = field(default_factory=dict)

    def metadata(self, index: int) -> dict[str, Any]:
        return suzuki_cell.record(index)

    def run_trial(
        self, trial_index: int, parameterization: TParameterization
    ) -> "Future[dict[str, Any]]":
        self.settings[trial_index] = parameterization
        return super().run_trial(trial_index, parameterization)

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[Observation]":
        mean, sem = suzuki_cell.measured(metric_name, trial_index, self.settings[trial_index])
        return later(self.clock, 0, lambda: Observation(metric_name, mean, sem or None))


class PromptGenerator:
    """The real suggestions, each made at once."""

    def suggest(self, request: SuggestionRequest) -> "Future[tuple[Candidate, ...]]":
        answer: Future[tuple[Candidate, ...]] = Future()
        # How long they took differs each time, and is told of each trial.
        answer.set_result(
            tuple(
                replace(c, generation=replace(c.generation, fit_seconds=0.3, search_seconds=0.2))
                for c in generation.suggest(request)
            )
        )
        return answer

    def space_filling(self, request: SuggestionRequest, reason: str) -> tuple[Candidate, ...]:
        return generation.space_filling(request, reason)

    def give_up(self) -> None:
        raise AssertionError("a suggestion that is made at once is never waited for")

    def close(self) -> None:
        pass


class PowerCutError(BaseException):
    """The computer goes off amid a run."""


def coupling(name: str, *, trials: int, goal: str = "Yield", seed: int = 3) -> ExperimentSetup:
    """A coupling with four parameters; `goal` names one objective or several."""
    objective, *further = parse_objectives(goal)
    limit = OutcomeConstraint.parse("Impurity <= 2")
    metrics = (*(name for one in (objective, *further) for name in one.metric_names), "Impurity")
    units = {"Yield": "%", "Impurity": "%", "Cost": "€/mmol"}
    return ExperimentSetup(
        name=name,
        search_space=SearchSpace(
            (
                RangeParameterConfig("Temperature", (50, 120), unit="°C", step_size=0.5),
                RangeParameterConfig("Time", (5, 60), "int", unit="min"),
                RangeParameterConfig("Catalyst", (0.05, 5), scaling="log", unit="mol%"),
                ChoiceParameterConfig("Solvent", tuple(suzuki_cell.SOLVENTS)),
            )
        ),
        optimization=OptimizationConfig(
            objective,
            (limit,),
            units=tuple((metric, units[metric]) for metric in metrics),
            further_objectives=tuple(further),
        ),
        generation=GenerationSettings(initialization_budget=6, seed=seed),
        runner=PluginChoice("suzuki_cell.py:SuzukiCell", {}),
        metrics=tuple((metric, PluginChoice("suzuki_cell.py:Hplc", {})) for metric in metrics),
        run=RunSettings(
            max_trials=trials,
            parallelism=3,
            tolerated_trial_failure_rate=0.1,
            initial_seconds_between_polls=POLL_SECONDS,
        ),
    )


@dataclass(frozen=True)
class Story:
    """What happens in an experiment.

    Attributes:
        setup: What is run.
        began: When.
        fails: The trial whose valve is blocked; None for none.
        stopped_after: So long after it began the operator stops it; None for never.
        cut_after: So long after it began the computer goes off; None for never.
    """

    setup: ExperimentSetup
    began: datetime
    fails: int | None = None
    stopped_after: timedelta | None = None
    cut_after: timedelta | None = None


MAIN = "Suzuki coupling B"
STORIES = (
    Story(
        coupling("Amide workup", trials=20, seed=11),
        NOW - timedelta(days=9, hours=4),
        stopped_after=timedelta(minutes=130),
    ),
    Story(coupling("Suzuki coupling A", trials=12, seed=1), NOW - timedelta(days=6, hours=3)),
    Story(
        coupling("Suzuki coupling C", trials=18, goal="Yield, -Cost", seed=5),
        NOW - timedelta(days=1, hours=8),
        fails=6,
    ),
    Story(
        coupling(MAIN, trials=30),
        NOW - timedelta(hours=5, minutes=23),
        fails=6,
        cut_after=timedelta(hours=5, minutes=20),
    ),
)


def carry_out(story: Story, store: SqlStore, moment: Moment) -> None:
    """Run an experiment in simulated time, into the database."""
    clock = FakeClock()
    clock.wall = lambda seconds: story.began + timedelta(seconds=seconds)
    moment.now = clock.now
    experiment = store.create(story.setup)
    durations = {i: Script(seconds=60.0 * (44 + 7 * i % 13)) for i in range(40)}
    if story.fails is not None:
        durations[story.fails] = BLOCKED
    calls = SimulatedCell(
        clock,
        scripts=durations,
        metric_names=tuple(name for name, _ in story.setup.metrics),
        runner_name="suzuki_cell",
    )
    run = Run(0, story.setup.run, started_at=clock.now(), controller="2214@LAB-PC2")
    scheduler = Scheduler(
        experiment, run, store=store, generator=PromptGenerator(), calls=calls,
        publish=lambda _: None, clock=clock, check_space=generation.check_feasible,
    )  # fmt: skip
    left: list[Run] = []

    def cut() -> None:
        left.append(scheduler.current)
        raise PowerCutError

    if story.stopped_after is not None:
        clock.at(story.stopped_after.total_seconds(), lambda: scheduler.submit(Stop()))
    if story.cut_after is not None:
        clock.at(story.cut_after.total_seconds(), cut)
    with store.control(experiment):
        try:
            scheduler.run()
        except PowerCutError:
            # The computer stores nothing any more; the cell is asked more often from now on.
            run = replace(left[0], settings=hurried(left[0].settings))
            store.save_run(experiment, run)
            store.save_setup(experiment, replace(experiment.setup, run=run.settings))


def hurried(settings: RunSettings) -> RunSettings:
    """The same run, with little patience for a cell that does not answer."""
    orchestration = OrchestrationConfig(
        on_error="pause", max_seconds_between_polls=1.0, retry_budget=RetryBudget(poll=3)
    )
    return replace(settings, initial_seconds_between_polls=0.5, orchestration=orchestration)


def fill(folder: Path, moment: Moment, stories: Sequence[Story] = STORIES) -> Path:
    """Make the plugin folder and the database of the pictures; return the database."""
    (folder / "plugins").mkdir(parents=True)
    shutil.copy(PLUGIN, folder / "plugins")
    store = SqlStore.at(folder / "lab.sqlite")
    try:
        moment.set(NOW - timedelta(days=2))
        draft = draft_of(coupling("Buchwald screening", trials=24))
        store.save_draft(draft.with_cell(Section.PARAMETERS, 0, "high", ""), None)
        for story in stories:
            carry_out(story, store, moment)
    finally:
        store.close()
    moment.set(NOW)
    return folder / "lab.sqlite"
