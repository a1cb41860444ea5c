"""Experiments at interesting moments, as core values: what the window is shown with."""

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from axdesk import generation
from axdesk.api.clashes import clashing_rows
from axdesk.api.rescue import Backup
from axdesk.api.templates import Template
from axdesk.core.commands import Command
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Problem, Problems
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.dry_test import PassedTest
from axdesk.core.errors import AxdeskError, NotFoundError
from axdesk.core.events import Event, RunChanged, RunFinished, TrialChanged
from axdesk.core.experiment import Experiment
from axdesk.core.feasible_share import FeasibleShare
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import best_observed, objective_score, shown_value
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.plugins import (
    PluginCatalogue,
    PluginChoice,
    PluginDescription,
    PluginFile,
    PluginKind,
)
from axdesk.core.preflight import CheckLine, Preflight, Verdict
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import (
    Arm,
    Generation,
    Observation,
    Prediction,
    Trial,
    TrialSource,
    TrialStatus,
)
from axdesk.plugins.trust import PluginTrust

SOLVENTS = ("MeCN", "DMF", "1,4-Dioxane", "Toluene")


def coupling_setup(name: str = "Suzuki coupling B") -> ExperimentSetup:
    """Four parameters, one maximised metric and a limit on another."""
    return ExperimentSetup(
        name=name,
        search_space=SearchSpace(
            (
                RangeParameterConfig("Temperature", (50, 120), unit="°C"),
                RangeParameterConfig("Time", (5, 60), "int", unit="min"),
                RangeParameterConfig("Catalyst", (0.05, 5), scaling="log", unit="mol%"),
                ChoiceParameterConfig("Solvent", SOLVENTS),
            )
        ),
        optimization=OptimizationConfig(
            Objective.parse("Yield"),
            (OutcomeConstraint.parse("Impurity <= 2"),),
            units=(("Yield", "%"), ("Impurity", "%")),
        ),
        runner=PluginChoice("suzuki_cell.py:SuzukiCell", {}),
        metrics=(
            ("Yield", PluginChoice("suzuki_cell.py:Hplc", {})),
            ("Impurity", PluginChoice("suzuki_cell.py:Hplc", {})),
        ),
        run=RunSettings(max_trials=30, parallelism=3, tolerated_trial_failure_rate=0.05),
    )


YIELDS = (
    51.6, 48.3, 32.5, 82.4, 69.2, 46.0, None, 12.1, 82.0, 80.1, 74.0, 81.0, 21.7, 83.6, 68.0, 78.6,
    None, 73.5,
)  # fmt: skip
"""Of trials 0 to 17; 6 failed and 16 runs."""


def coupling_trials(now: datetime) -> dict[int, Trial]:
    """Seventeen finished trials and three that run."""
    trials: dict[int, Trial] = {}
    for index in range(20):
        started = now - timedelta(minutes=51 * (6.6 - index / 3) + 3)
        mean = 74 + 9.5 * (1 - math.exp(-(index - 6) / 3))
        width = 9 * math.exp(-(index - 6) / 5) + 0.9
        is_model = index >= 7
        expected = {16: (80.4, 4.4), 18: (86.0, 5.1), 19: (62.0, 15.5)}.get(index, (78.0, 5.8))
        trial = Trial(
            index,
            Arm(
                f"{index}_0",
                {
                    "Temperature": 50 + (index * 37) % 71 + 0.3,
                    "Time": 5 + (index * 23) % 56,
                    "Catalyst": round(0.05 * 100 ** (((index * 7) % 20) / 19), 4),
                    "Solvent": SOLVENTS[(index * 5) % 4],
                },
            ),
            Generation(
                TrialSource.MODEL if is_model else TrialSource.SOBOL,
                (Prediction("Yield", *expected), Prediction("Impurity", 1.5, 0.3))
                if is_model
                else (),
                (mean, width) if is_model else None,
            ),
            run_index=0,
            status=TrialStatus.RUNNING,
            metadata={"job": 4695 + index},
            staged_at=started,
            started_at=started,
        )
        value = YIELDS[index] if index < 18 else None
        ended = started + timedelta(minutes=48 + index % 4)
        if index == 6:
            trial = trial.moved_to(
                TrialStatus.FAILED, reason="sampling valve blocked", finished_at=ended,
                elapsed_seconds=900.0,
            )  # fmt: skip
        elif value is not None:
            impurity = 2.6 if index in (3, 8) else 1.85
            trial = trial.moved_to(
                TrialStatus.COMPLETED,
                observations=(
                    Observation("Yield", value, 1.0),
                    Observation("Impurity", impurity, 0.04),
                ),
                finished_at=ended,
                elapsed_seconds=(ended - started).total_seconds(),
                note="Slight foaming above 90 °C." if index == 17 else "",
            )
        trials[index] = trial
    return trials


def coupling_experiment(
    state: RunState = RunState.RUNNING, name: str = "Suzuki coupling B"
) -> Experiment:
    """The experiment of the drawings, in the middle of its run."""
    now = datetime.now(UTC)
    setup = coupling_setup(name)
    trials = coupling_trials(now)
    if state in (RunState.COMPLETED, RunState.STOPPED, RunState.PAUSED, RunState.FAILED):
        trials = {i: t for i, t in trials.items() if t.status.is_terminal}
    run = Run(0, setup.run, state, started_at=now - timedelta(hours=6))
    if not state.is_live:
        run = replace(run, ended_at=now - timedelta(minutes=3))
    return Experiment(1, setup, now - timedelta(days=1), trials=trials, runs=[run])


class ScriptedClient:
    """A client whose run is written by the test: it publishes what `tell` is given."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.commands: list[Command] = []
        self.arguments: list[tuple[Any, ...]] = []
        self.refusal: AxdeskError | None = None
        self.is_closed = False
        self.answers_at_once = True
        self.futures: list[Future[None]] = []
        self._script: SimpleQueue[Event | Exception | None] = SimpleQueue()

    def tell(self, *events: Event) -> None:
        """Have the run publish events; what they say is stored first."""
        for event in events:
            if isinstance(event, TrialChanged):
                self.experiment.put(event.trial)
            elif isinstance(event, RunChanged | RunFinished):
                self.experiment.put_run(event.run)
            self._script.put(event)

    def end(self, error: Exception | None = None) -> None:
        """Have the run end."""
        self._script.put(error)

    def run_trials(self, *arguments: Any, on_event: Callable[[Event], None], **_: Any) -> None:
        self.arguments.append(arguments)
        while isinstance(item := self._script.get(), Event):
            on_event(item)
        if item is not None:
            raise item

    def submit_to_run(self, command: Command) -> "Future[None] | None":
        return self.submit(command)

    def submit(self, command: Command) -> "Future[None]":
        self.commands.append(command)
        future: Future[None] = Future()
        self.futures.append(future)
        if not self.answers_at_once:
            return future
        if self.refusal is not None:
            future.set_exception(self.refusal)
        else:
            future.set_result(None)
        return future

    def optimizer_ready(self) -> bool:
        return True

    def close(self) -> None:
        self.is_closed = True


class MemoryWorkspace:
    """What the window asks of a workspace, for tests of the window alone: kept in memory."""

    def __init__(self) -> None:
        self.database = Path("lab.db")
        self.plugin_folder = Path("plugins")
        self.drafts: dict[int, Draft] = {}
        self.experiments: dict[int, Experiment] = {}
        self.controllers: dict[int, str] = {}
        self.states: dict[int, RunState] = {}
        self.clients: list[ScriptedClient] = []
        self.files: dict[Path, Draft] = {}
        self.known_templates: list[Template] = []
        self.known_backups: list[Backup] = []
        self.trust = PluginTrust(None)
        self.is_closed = False
        self.passed: PassedTest | None = None
        self.found: tuple[CheckLine, ...] = ()

    def add(
        self, experiment: Experiment, state: RunState | None = None, controller: str = ""
    ) -> int:
        new = self._next()
        self.experiments[new] = replace_id(experiment, new)
        self.drafts[new] = draft_of(experiment.setup)
        self.controllers[new] = controller
        if state is not None:
            self.states[new] = state
        return new

    def summaries(self) -> tuple[ExperimentSummary, ...]:
        return tuple(self._summary(i) for i in sorted(self.drafts, reverse=True))

    def feasible_share(self, draft: Draft) -> FeasibleShare | None:
        space = draft.search_space()
        return None if space is None else generation.feasible_share(space)

    def clashing_rows(self, draft: Draft) -> tuple[Problem, ...]:
        return clashing_rows(draft)

    def changes_by_others(self) -> object:
        """Say that something changed, each time."""
        return object()

    def _summary(self, number: int) -> ExperimentSummary:
        experiment = self.experiments.get(number)
        now = datetime.now(UTC)
        if experiment is None:
            name = self.drafts[number].general.get("name", "")
            return ExperimentSummary(number, name, RunState.DRAFT, None, 0, 0, None, None, "", now)
        optimization = experiment.optimization
        best = best_observed(experiment.trials.values(), optimization)
        score = None if best is None else objective_score(best, optimization)
        run = experiment.runs[-1] if experiment.runs else None
        return ExperimentSummary(
            number, experiment.name, self.states.get(number, experiment.state),
            optimization.objective.is_minimised,
            sum(t.status.is_terminal for t in experiment.trials.values()),
            run.settings.max_trials if run else 0,
            None if score is None else shown_value(score, optimization),
            None if best is None else best.index,
            optimization.unit_of(optimization.objective.metric_names[0]),
            now - timedelta(hours=20 * (len(self.drafts) - number)),
            self.controllers.get(number, ""),
            objective=optimization.objective.label,
            trials=len(experiment.trials),
        )  # fmt: skip

    def history(self, experiment_id: int, trial_index: int | None = None) -> tuple[()]:
        """Remember nothing."""
        return ()

    def configure(self, experiment_id: int, setup: ExperimentSetup) -> None:
        known = self.experiments.get(experiment_id)
        if known is None:
            new = Experiment(experiment_id, setup, datetime.now(UTC))
            self.experiments[experiment_id] = new
        else:
            known.change_setup(**{f.name: getattr(setup, f.name) for f in fields(setup)})

    def open(self, experiment_id: int) -> "ScriptedClient":
        client = ScriptedClient(self.experiments[experiment_id])
        self.clients.append(client)
        return client

    def new_draft(self, draft: Draft | None = None) -> int:
        new = self._next()
        self.drafts[new] = draft or Draft()
        return new

    def save_draft(self, draft: Draft, experiment_id: int) -> None:
        self.drafts[experiment_id] = draft

    def load_draft(self, experiment_id: int) -> Draft:
        return self.drafts[experiment_id]

    def catalogue(
        self, folder: str = "", python: str = "", *, anew: bool = False, loads: bool = True
    ) -> PluginCatalogue:
        plugins = (
            PluginDescription("suzuki_cell.py:SuzukiCell", PluginKind.RUNNER, can_stop=True),
            PluginDescription("suzuki_cell.py:Hplc", PluginKind.METRIC),
        )
        return PluginCatalogue(
            folder or "plugins", (PluginFile("suzuki_cell.py", "0" * 64, plugins),)
        )

    def plugins_have_changed(self, folder: str = "", python: str = "") -> bool:
        return False

    def passed_test(self, setup: ExperimentSetup) -> PassedTest | None:
        return self.passed

    def check(self, draft: Draft, experiment_id: int | None = None) -> ExperimentSetup | Problems:
        return draft.checked(self.catalogue())

    def preflight(self, draft: Draft, experiment_id: int | None = None) -> Preflight:
        checked = self.check(draft, experiment_id)
        if not isinstance(checked, Problems):
            return Preflight((*self.found, CheckLine("Name", Verdict.PASSED, "unique")), checked)
        lines = (CheckLine("Set-up", Verdict.PROBLEM, p.message, p) for p in checked.items)
        return Preflight((*self.found, *lines))

    def backups(self) -> tuple[Backup, ...]:
        return tuple(self.known_backups)

    def templates(self) -> tuple[Template, ...]:
        return tuple(self.known_templates)

    def new_from_file(self, path: Path) -> tuple[int, str, str]:
        draft = self.files[path]
        name = draft.general.get("name", "")
        return self.new_draft(draft), name, name

    def write_draft(self, draft: Draft, path: Path) -> None:
        self.files[path] = draft

    def save_template(self, draft: Draft, title: str) -> Path:
        path = Path(f"{title}.toml")
        self.files[path] = draft
        self.known_templates.append(Template(title, "", path, is_own=True))
        return path

    def command_options(self, setup: ExperimentSetup) -> tuple[str, ...]:
        return ("--database", str(self.database))

    def rename_as_typed(self, experiment_id: int) -> None:
        known = self.experiments[experiment_id]
        known.change_setup(name=self.drafts[experiment_id].general["name"])

    def experiment(self, experiment_id: int) -> Experiment:
        if experiment_id not in self.experiments:
            raise NotFoundError(f"There is no experiment {experiment_id}.")
        return self.experiments[experiment_id]

    def duplicate(self, experiment_id: int) -> int:
        draft = self.drafts[experiment_id]
        name = f"{draft.general.get('name', '')} (copy)"
        return self.new_draft(replace(draft, general={**draft.general, "name": name}))

    def delete(self, experiment_id: int) -> None:
        del self.drafts[experiment_id]
        self.experiments.pop(experiment_id, None)

    def close(self) -> None:
        self.is_closed = True

    def _next(self) -> int:
        return max(self.drafts, default=0) + 1


def replace_id(experiment: Experiment, number: int) -> Experiment:
    return replace(experiment, id=number)
