"""One experiment from Python, under the names of the Ax tutorial."""

import logging
import os
import platform
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from axdesk import generation
from axdesk.api import asking, results
from axdesk.api.configs import StorageConfig
from axdesk.api.interrupts import steered_by_signals
from axdesk.api.setups import change_setup
from axdesk.api.stores import store_of
from axdesk.core.cards import Card
from axdesk.core.clock import SystemClock
from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AnswerQuestion,
    Command,
    EnterResult,
    Leave,
    MarkEarlyStopped,
    MarkFailed,
    Pause,
    Replicate,
    Resume,
    SetExcluded,
    SetNote,
    Stop,
    StopNow,
    TrialCommand,
)
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import (
    AxdeskError,
    DeadlineError,
    PreflightError,
    TransitionError,
    TrialFailedError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.events import Event, Publish
from axdesk.core.experiment import Experiment
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.outcomes import baseline_trial
from axdesk.core.parameters import (
    ParameterConfig,
    TParameterization,
    TParameterValue,
)
from axdesk.core.protocols import AuditEntry, Generator, PluginCalls
from axdesk.core.questions import Answer
from axdesk.core.run import OrchestrationConfig, Run, RunSettings, RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings, initial_design_size
from axdesk.core.stopping import EarlyStopping
from axdesk.core.suggestions import request_for
from axdesk.core.trial import Prediction, Trial, TrialSource, TrialStatus
from axdesk.exchange.snapshot import read_snapshot, write_snapshot
from axdesk.orchestration.early_stopping import reason_to_stop_early
from axdesk.orchestration.scheduler import Scheduler
from axdesk.orchestration.trial_commands import apply_to_trial, deviations, observations_of
from axdesk.plugins.calls import ThreadedPluginCalls
from axdesk.storage.store import SqlStore

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

TOutcome = Mapping[str, float | tuple[float, float]]


class Optimizer(Generator, Protocol):
    """A generator that also tells what its model expects."""

    @property
    def is_ready(self) -> bool:
        """Whether a suggestion by the model would start at once."""
        ...

    def predict(
        self, request: Any, points: Sequence[TParameterization]
    ) -> "Future[tuple[tuple[Prediction, ...], ...]]":
        """Return what the model expects of each required metric at each point."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What a client is given.

    Attributes:
        store: Where the experiment is kept.
        experiment: None for a new one.
        calls: To the plugins; None if the client is given objects instead.
        optimizer: None for a thread.
        plugin_hashes: (file name, SHA-256) of the plugin files, kept with each run.
        is_shared: Whether the store stays open when the client is closed.
    """

    store: SqlStore
    experiment: Experiment | None = None
    calls: PluginCalls | None = None
    optimizer: Optimizer | None = None
    plugin_hashes: tuple[tuple[str, str], ...] = ()
    is_shared: bool = False


class Client:
    """Configures an experiment, runs its trials, and tells what came out.

    `run_trials` blocks its thread; meanwhile `submit`, `pause`, `resume`, `stop`, `stop_now`,
    `answer_question`, `complete_trial`, `mark_trial_failed`, `mark_trial_abandoned` and
    `mark_trial_early_stopped` may be called from any other. From `on_event`, those that answer
    nothing return at once, and what the run refuses is told as `Warned`. Everything else belongs to
    one thread at a time.
    """

    def __init__(
        self,
        storage_config: StorageConfig | None = None,
        random_seed: int | None = None,
        *,
        opened: Opened | None = None,
    ) -> None:
        """Make a client for a new experiment.

        Args:
            storage_config: Where it is kept; None keeps it in memory.
            random_seed: Every suggestion derives from it and is stored with it; None draws one.
            opened: An experiment that exists already; for `load_from_database` and `Workspace`.
        """
        self._opened = opened or Opened(store_of(storage_config))
        self._store = self._opened.store
        self._is_kept = storage_config is not None
        self._optimizer = self._opened.optimizer
        self._calls = self._opened.calls
        self._runner: IRunner | None = None
        self._metrics: dict[str, IMetric] = {}
        self._experiment: Experiment | None = None
        self._space: SearchSpace | None = None
        self._optimization: OptimizationConfig | None = None
        self._texts: dict[str, str] = {}
        seed = secrets.randbits(31) if random_seed is None else random_seed
        self._generation = GenerationSettings(seed=seed)
        self._has_default_budget = True
        self._lock = threading.Lock()
        self._scheduler: Scheduler | None = None
        self._run_thread: int | None = None
        self._is_closed = False
        if self._opened.experiment is not None:
            experiment = self._experiment = self._opened.experiment
            self._space, self._optimization = experiment.search_space, experiment.optimization
            self._generation = experiment.setup.generation
            self._has_default_budget = False

    @classmethod
    def load_from_database(
        cls, experiment_name: str, storage_config: StorageConfig | None = None
    ) -> Self:
        """Return a client for a stored experiment; give it its runner and metrics again.

        Raises:
            NotFoundError: If the database has no such experiment.
        """
        return cls._opening(storage_config, lambda store: store.load(experiment_name))

    @classmethod
    def load_from_json_file(
        cls,
        filepath: str | Path = "axdesk_snapshot.json",
        storage_config: StorageConfig | None = None,
    ) -> Self:
        """Return a client for the experiment of a snapshot, made anew where it is told.

        It has the set-up, the seed, the trials, the runs and the history, and suggests what the
        one that was saved would have; give it its runner and metrics again.

        Args:
            filepath: What `save_to_json_file` wrote.
            storage_config: Where the experiment is kept from now on; None keeps it in memory.

        Raises:
            UserInputError: If the file is no snapshot that this axdesk reads, or the database has
                an experiment of that name.
        """
        record = read_snapshot(Path(filepath))
        return cls._opening(storage_config, lambda store: store.create_from(record))

    @classmethod
    def _opening(
        cls, storage_config: StorageConfig | None, load: Callable[[SqlStore], Experiment]
    ) -> Self:
        store = store_of(storage_config)
        try:
            experiment = load(store)
        except AxdeskError:
            store.close()
            raise
        return cls(storage_config, opened=Opened(store, experiment))

    def save_to_json_file(self, filepath: str | Path = "axdesk_snapshot.json") -> None:
        """Write all that is known of the experiment to a file, whole or not at all.

        Runner and metrics are not part of it, so that any may be used. A file that is there is
        replaced.

        Args:
            filepath: A relative one is meant from the working folder.

        Raises:
            UserInputError: If the experiment is not configured yet, or the file cannot be written.
        """
        write_snapshot(self._store.record(self.experiment.id), Path(filepath))

    # ---- configure -------------------------------------------------------------------------------

    def configure_experiment(
        self,
        parameters: Sequence[ParameterConfig],
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        experiment_type: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Say what may change.

        Args:
            parameters: Ranges, choices and derived ones, at least one that is on.
            parameter_constraints: Such as `"x1 + 2*x2 <= 3"` or `"a + b + c = 100"`, in the
                parameters' units. Every suggestion keeps them.
            name: Needed where the experiment is kept in a database.
            description: Free text.
            experiment_type: Kept in the description's place where that is empty.
            owner: Free text.

        Raises:
            UserInputError: If a value is not allowed, or the constraints cannot all be met:
                then those that clash are named.
            UnsupportedError: If the experiment is configured already.
        """
        if self._experiment is not None:
            raise UnsupportedError(
                "The experiment is configured already.",
                "Change it with edit_experiment, or make a new Client for another one.",
            )
        if name is None and self._is_kept:
            raise UserInputError(
                "An experiment in a database needs a name.", "Give configure_experiment a name."
            )
        constraints = tuple(ParameterConstraint.parse(t) for t in parameter_constraints or ())
        self._space = _feasible(SearchSpace(tuple(parameters), constraints))
        self._texts = {
            "name": name or "experiment",
            "description": description or experiment_type or "",
            "owner": owner or "",
        }
        self._keep_setup()

    def edit_experiment(
        self,
        parameters: Sequence[ParameterConfig] | None = None,
        parameter_constraints: Sequence[str] | None = None,
        name: str | None = None,
        description: str | None = None,
        owner: str | None = None,
    ) -> None:
        """Change what may change, also after trials were run; None leaves as it is.

        A changed search space becomes a new version: trials say which one they were made for, and
        the history says what it was before. Earlier trials stay; the model learns from those that
        have a value of each parameter. No run may go on: stop it, and go on with
        `run_trials()` afterwards. The objective is changed with `configure_optimization`.

        Args:
            parameters: All of them, changed or not.
            parameter_constraints: All of them; an empty list for none.
            name: Unique in its database.
            description: Free text.
            owner: Free text.

        Raises:
            UserInputError: If a value is not allowed, the constraints cannot all be met, or the
                name is taken.
            ExperimentBusyError: If a run goes on.
        """
        space = self.experiment.search_space
        changes: dict[str, Any] = {"name": name, "description": description, "owner": owner}
        if parameters is not None or parameter_constraints is not None:
            texts = None if parameter_constraints is None else tuple(parameter_constraints)
            constraints = space.constraints
            if texts is not None:
                constraints = tuple(ParameterConstraint.parse(text) for text in texts)
            kept = space.parameters if parameters is None else tuple(parameters)
            changes["search_space"] = self._space = _feasible(SearchSpace(kept, constraints))
        given = {key: value for key, value in changes.items() if value is not None}
        change_setup(self._store, self.experiment, given, SystemClock().now())

    def configure_optimization(
        self,
        objective: str,
        outcome_constraints: Sequence[str] | None = None,
        pruning_target_parameterization: TParameterization | None = None,
    ) -> None:
        """Say what is optimised.

        Args:
            objective: A linear expression of metrics that is maximised; `"-m"` minimises `m`,
                `"-abs(m - 7)"` brings it close to 7, `"a, -b"` are two objectives.
            outcome_constraints: Limits on metrics, such as `"impurity <= 2"`, or relative to the
                baseline trial, `"qps >= 0.95 * baseline"`. With several objectives a limit on
                the metric of one in its own direction is its threshold.
            pruning_target_parameterization: None; others are not offered.

        Raises:
            UserInputError: If an expression is not understood, with the place.
        """
        _refuse_what_is_not_offered(
            pruning_target_parameterization=(pruning_target_parameterization, None)
        )
        limits = tuple(OutcomeConstraint.parse(text) for text in outcome_constraints or ())
        config = OptimizationConfig.of(parse_objectives(objective), limits)
        before = self._optimization
        if before is not None:
            tracked = before.tracking_metrics
            kept = tuple(m for m in tracked if m not in config.required_metrics)
            config = replace(config, tracking_metrics=kept, units=before.units)
        self._optimization = config
        self._keep_setup(optimization=self._optimization)

    def configure_tracking_metrics(self, metric_names: Sequence[str]) -> None:
        """Record further metrics without optimising them."""
        config = self._configured_optimization()
        self._optimization = replace(config, tracking_metrics=tuple(metric_names))
        self._keep_setup(optimization=self._optimization)

    def configure_generation_strategy(
        self,
        method: Literal["fast", "quality", "random_search"] = "fast",
        initialization_budget: int | None = None,
        initialization_random_seed: int | None = None,
        initialize_with_center: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
        use_existing_trials_for_initialization: bool = True,  # noqa: FBT001, FBT002, RUF100  # as above
        min_observed_initialization_trials: int | None = None,
        allow_exceeding_initialization_budget: bool = True,  # noqa: FBT001, FBT002, RUF100  # as above
        torch_device: str | None = None,
        simplify_parameter_changes: bool = False,  # noqa: FBT001, FBT002, RUF100  # as above
        fit_tracking_metrics: bool = False,  # noqa: FBT001, FBT002, RUF100  # as above
    ) -> None:
        """Say how candidates are made; stored with the experiment.

        Args:
            method: `"fast"`; `"quality"`, whose model finds out which parameters matter, for many
                parameters of which few do, and takes several times as long; `"random_search"` for
                space-filling points only.
            initialization_budget: Trials before the model takes over, at least 1; None: 5, and
                more above 6 parameters, one for every two of them.
            initialization_random_seed: Goes before the client's seed; at least 0.
            initialize_with_center: Whether the first trial is the start values, or the centre.
            use_existing_trials_for_initialization: Whether trials that were attached or imported
                count towards the budget.
            min_observed_initialization_trials: Trials with results before the model takes over, at
                least 1; None: half of the budget, at least 2.
            allow_exceeding_initialization_budget: Space-filling trials go on until there are enough
                results, so that no slot stands idle; False is not offered.
            torch_device: None or `"cpu"`; others are not offered.
            simplify_parameter_changes: True is not offered.
            fit_tracking_metrics: True is not offered: the model knows what is optimised or limited.

        Raises:
            UserInputError: If a value is not allowed.
            UnsupportedError: If one is asked for that is not offered.
        """
        _refuse_what_is_not_offered(
            allow_exceeding_initialization_budget=(allow_exceeding_initialization_budget, True),
            torch_device=(torch_device or "cpu", "cpu"),
            simplify_parameter_changes=(simplify_parameter_changes, False),
            fit_tracking_metrics=(fit_tracking_metrics, False),
        )
        seed = self._generation.seed
        self._has_default_budget = initialization_budget is None
        self._generation = GenerationSettings(
            method=method,
            initialization_budget=5 if initialization_budget is None else initialization_budget,
            initialize_with_center=initialize_with_center,
            seed=seed if initialization_random_seed is None else initialization_random_seed,
            min_observed_initialization_trials=min_observed_initialization_trials,
            use_existing_trials_for_initialization=use_existing_trials_for_initialization,
        )
        self._keep_setup(generation=self._generation)

    def configure_runner(self, runner: IRunner) -> None:
        """Say what deploys trials."""
        if not isinstance(runner, IRunner):
            raise UserInputError(
                f"{runner!r} is no runner.", "Derive its class from axdesk's IRunner."
            )
        self._runner = runner
        self._close_calls()

    def configure_metrics(self, metrics: Sequence[IMetric]) -> None:
        """Say what fetches results; a metric replaces an earlier one of its name.

        Raises:
            UserInputError: If one is no metric, or its name is not part of the objective, the
                limits or the tracking metrics that were configured.
        """
        for metric in metrics:
            if not isinstance(metric, IMetric):
                raise UserInputError(
                    f"{metric!r} is no metric.", "Derive its class from axdesk's IMetric."
                )
        if self._optimization is not None:
            self._check_names(tuple(metric.name for metric in metrics))
        self._metrics |= {metric.name: metric for metric in metrics}
        self._close_calls()

    def _check_names(self, fetched: Sequence[str]) -> None:
        known = self._configured_optimization().metric_names
        for name in fetched:
            if name not in known:
                raise UserInputError(
                    f"The metric {name!r} is not part of the optimisation, whose metrics are "
                    f"{', '.join(map(repr, known))}.",
                    "Correct the name, or name it in configure_tracking_metrics.",
                )

    def _configured_optimization(self) -> OptimizationConfig:
        if self._optimization is None:
            raise UserInputError(
                "Nothing is optimised yet.", "Call configure_optimization before this."
            )
        return self._optimization

    def _keep_setup(self, **changes: object) -> None:
        """Store the set-up as soon as it says enough; of one that is stored, what changes."""
        if self._space is None or self._optimization is None:
            return
        if self._has_default_budget:
            budget = initial_design_size(self._space)
            self._generation = replace(self._generation, initialization_budget=budget)
            changes = {k: self._generation if k == "generation" else v for k, v in changes.items()}
        if self._experiment is None:
            self._experiment = self._store.create(
                ExperimentSetup(
                    search_space=self._space,
                    optimization=self._optimization,
                    generation=self._generation,
                    **self._texts,  # type: ignore[arg-type]  # name, description, owner
                )
            )
            return
        change_setup(self._store, self._experiment, changes, SystemClock().now())

    @property
    def experiment(self) -> Experiment:
        """The experiment itself: not to be read while a run goes on.

        Raises:
            UserInputError: If it is not fully configured.
        """
        if self._experiment is None:
            missing = "configure_experiment" if self._space is None else "configure_optimization"
            raise UserInputError("The experiment is not configured yet.", f"Call {missing}.")
        return self._experiment

    # ---- run -------------------------------------------------------------------------------------

    def run_trials(
        self,
        max_trials: int | None = None,
        parallelism: int = 1,
        tolerated_trial_failure_rate: float = 0.5,
        initial_seconds_between_polls: float = 1,
        *,
        config: OrchestrationConfig | None = None,
        on_event: Publish | None = None,
        wait_for_answers: bool = False,
    ) -> None:
        """Run trials until the budget is spent; blocks.

        In a program's main thread the first Ctrl-C lets running trials finish, the second stops
        them, the third leaves them running; then KeyboardInterrupt is raised.

        Args:
            max_trials: Additional trials; None goes on with the last run and its settings.
            parallelism: Trials that may run at once.
            tolerated_trial_failure_rate: 0 up to, not including, 1.
            initial_seconds_between_polls: Seconds between two polls of a trial.
            config: Everything else; None for the defaults, or for those of the last run.
            on_event: Receives every event, in this thread; must return at once.
            wait_for_answers: Whether to wait for a person when only questions are left.

        Raises:
            PreflightError: If the runner or a metric is missing, there is no run to go on with, or
                a limit can never be decided for want of a baseline.
            FailureRateExceededError: If too many trials failed.
            DecisionNeededError: If only a person can say what became of some trials.
            ExperimentBusyError: If another process or client drives the experiment.
            StorageError: If the database cannot be used.
        """
        experiment = self.experiment
        settings = None
        if max_trials is not None:
            settings = RunSettings(
                max_trials=max_trials,
                parallelism=parallelism,
                tolerated_trial_failure_rate=tolerated_trial_failure_rate,
                initial_seconds_between_polls=initial_seconds_between_polls,
                orchestration=config or OrchestrationConfig(),
            )
        calls = self._plugin_calls()
        with self._store.control(experiment):
            run = self._next_run(experiment, settings, config)
            _refuse_without_baseline(experiment)
            scheduler = Scheduler(
                experiment,
                run,
                store=self._store,
                generator=self._used_optimizer(),
                calls=calls,
                publish=on_event or _ignore,
                clock=SystemClock(),
                waits_for_answers=wait_for_answers,
            )
            with self._steered_by(scheduler), steered_by_signals(scheduler):
                scheduler.run()

    @contextmanager
    def _steered_by(self, scheduler: Scheduler) -> Iterator[None]:
        with self._lock:
            self._scheduler, self._run_thread = scheduler, threading.get_ident()
        try:
            yield
        finally:
            with self._lock:
                self._scheduler = self._run_thread = None
            scheduler.refuse_commands()

    def _next_run(
        self,
        experiment: Experiment,
        settings: RunSettings | None,
        config: OrchestrationConfig | None,
    ) -> Run:
        facts: dict[str, Any] = {
            "plugin_hashes": self._opened.plugin_hashes,
            "controller": f"{os.getpid()}@{platform.node()}",
        }
        if settings is not None:
            return Run(
                index=len(experiment.runs),
                settings=settings,
                started_at=SystemClock().now(),
                **facts,
            )
        if not experiment.runs:
            raise PreflightError(
                f"Experiment {experiment.name!r} has no run to go on with.",
                "Say how many trials to run.",
            )
        last = experiment.runs[-1]
        if config is not None:
            facts["settings"] = replace(last.settings, orchestration=config)
        return last.moved_to(RunState.STARTING, reason="", ended_at=None, **facts)

    def _plugin_calls(self) -> PluginCalls:
        self._refuse_if_closed()
        if self._calls is None:
            if self._runner is None:
                raise PreflightError("Nothing deploys trials.", "Call configure_runner.")
            self._calls = ThreadedPluginCalls(self._runner, tuple(self._metrics.values()))
        missing = [
            name
            for name in self._configured_optimization().required_metrics
            if name not in self._calls.metric_names
        ]
        if missing:
            have = ", ".join(map(repr, self._calls.metric_names)) or "none"
            raise PreflightError(
                f"Nothing fetches {', '.join(map(repr, missing))}; the metrics given: {have}.",
                "Give configure_metrics a metric of that name.",
            )
        self._check_names(self._calls.metric_names)
        return self._calls

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise UnsupportedError("The client was closed.", "Make or load another one.")

    def _used_optimizer(self) -> Optimizer:
        self._refuse_if_closed()
        if self._optimizer is None:
            from axdesk.api.optimizer_thread import OptimizerThread

            self._optimizer = OptimizerThread()
        return self._optimizer

    def optimizer_ready(self) -> bool:
        """Whether a suggestion by the model would start at once; from any thread."""
        return self._optimizer is not None and self._optimizer.is_ready

    def submit(self, command: Command) -> "Future[None]":
        """Carry a command out: by the run that goes on, else here and now; from any thread.

        With no run on, `Leave` stores that a run that was cut off stays stopped.

        Returns:
            A Future of None; it fails with the `AxdeskError` that refuses the command.
        """
        with self._lock:
            if self._scheduler is not None:
                return self._scheduler.submit(command)
        answer: Future[None] = Future()
        try:
            if isinstance(command, Leave):
                self._leave_stopped(command.reason)
            else:
                self._apply(command)
        except AxdeskError as error:
            answer.set_exception(error)
        else:
            answer.set_result(None)
        return answer

    def _apply(self, command: Command) -> Trial:
        if not isinstance(command, TrialCommand):
            raise TransitionError("No run goes on.", "Start or resume one.")
        experiment = self.experiment
        with self._store.control(experiment):
            trial = apply_to_trial(experiment, self._store, command, SystemClock().now())
        if isinstance(command, AddTrial):
            for sentence in deviations(experiment, trial):
                logger.warning("%s", sentence)
        return trial

    def _leave_stopped(self, reason: str) -> None:
        experiment = self.experiment
        with self._store.control(experiment):
            run = experiment.runs[-1] if experiment.runs else None
            # Nobody else drives it, so a live state is what a run that was cut off left behind.
            if run is None or not (run.state.is_live or run.state is RunState.INTERRUPTED):
                raise TransitionError("No run was cut off.", "Start or resume one.")
            stopped = run.moved_to(RunState.STOPPED, reason=reason, ended_at=SystemClock().now())
            self._store.save_run(experiment, stopped)
            experiment.put_run(stopped)

    def ask_runner(self, trial_index: int) -> TrialStatus | None:
        """Ask how a trial fares that no run follows; blocks, and stores nothing.

        Returns:
            Its status as the runner tells it; None if it surely was not started.

        Raises:
            UnsupportedError: If nobody knows whether it was started, and the runner cannot look.
            PluginError: If the runner fails, or does not answer within the deadline of a poll.
        """
        trial, calls = self.experiment.trial(trial_index), self._plugin_calls()
        answer: Future[Any]
        if trial.metadata is not None:
            answer = calls.poll_trial(trial_index, trial.metadata)
        elif calls.can_find:
            answer = calls.find_trial(trial_index, dict(trial.arm.parameters))
        else:
            raise UnsupportedError(
                f"{calls.runner_name} cannot look for trials.", "Look at the laboratory."
            )
        runs = self.experiment.runs
        orchestration = runs[-1].settings.orchestration if runs else OrchestrationConfig()
        seconds = orchestration.call_deadlines.poll
        try:
            found = answer.result(seconds)
        except TrialFailedError:
            return TrialStatus.FAILED
        except TimeoutError:
            what = f"{calls.runner_name} (trial {trial_index})"
            reason = f"{what} did not answer within {seconds:g} s."
            calls.give_up(answer, reason)
            raise DeadlineError(reason) from None
        if isinstance(found, TrialStatus):
            return found
        return None if found is None else TrialStatus.RUNNING

    def _order(self, command: Command) -> None:
        """Have a command carried out, and wait for it unless the run would wait for us."""
        answer = self.submit(command)
        with self._lock:
            scheduler = self._scheduler
            is_in_run = self._run_thread == threading.get_ident()
        if scheduler is None or not is_in_run:
            answer.result()
            return

        def tell(done: "Future[None]") -> None:
            error = done.exception()
            # After the run's last event nothing more is told.
            if isinstance(error, AxdeskError) and self._scheduler is scheduler:
                scheduler.warn(error.message, error.hint)

        answer.add_done_callback(tell)

    def _refuse_in_run(self, name: str, command: str) -> None:
        with self._lock:
            is_in_run = self._run_thread == threading.get_ident()
        if is_in_run:
            raise UnsupportedError(
                f"{name} cannot wait for the run that calls it.",
                f"In on_event, submit the command {command}, and do not wait for its answer.",
            )

    def pause(self) -> None:
        """Start no new trials; from any thread."""
        self._order(Pause())

    def resume(self) -> None:
        """Start trials again; from any thread."""
        self._order(Resume())

    def stop(self) -> None:
        """End the run once its running trials have finished; from any thread."""
        self._order(Stop())

    def stop_now(self) -> None:
        """Stop the running trials and end the run; from any thread."""
        self._order(StopNow())

    def answer_question(self, trial_index: int, answer: Answer) -> None:
        """Say what became of a trial that may have started; from any thread.

        A run that asks does as told. With no run on, the answer is stored, and the next run does
        as it says. A result that is known is entered with `complete_trial` instead.

        Args:
            trial_index: As `QuestionAsked` and `DecisionNeededError` name it.
            answer: One of those that the question offers.

        Raises:
            UserInputError: If no such question is open, or the answer is not among its answers.
        """
        with self._lock:
            is_asked_now = self._scheduler is not None
        if is_asked_now:
            self._order(AnswerQuestion(trial_index, answer))
            return
        self._refuse_without_question(trial_index)
        match answer:
            case Answer.ASK_RUNNER:
                pass  # as every run does that finds such a trial
            case Answer.REDEPLOY:
                self._let_deploy(trial_index)
            case Answer.MARK_FAILED:
                self._order(MarkFailed(trial_index, "marked as failed (may have started)"))
            case Answer.ABANDON:
                self._order(Abandon(trial_index))

    def _refuse_without_question(self, trial_index: int) -> None:
        status = self.experiment.trial(trial_index).status
        if status is not TrialStatus.STAGED:
            raise UserInputError(f"No question about trial {trial_index} is open: it is {status}.")

    def _let_deploy(self, trial_index: int) -> None:
        experiment = self.experiment
        with self._store.control(experiment):
            self._refuse_without_question(trial_index)
            trial = experiment.trial(trial_index)
            again = replace(trial, may_have_started=False, staged_at=None, reason="")
            entry = AuditEntry(
                SystemClock().now(),
                "answer_question",
                trial_index,
                before=trial.reason,
                after="it never ran: deploy it",
            )
            self._store.save_trial(experiment, again, (entry,))
            experiment.put(again)

    # ---- ask and tell ----------------------------------------------------------------------------

    def get_next_trials(
        self, max_trials: int, fixed_parameters: TParameterization | None = None
    ) -> dict[int, dict[str, TParameterValue]]:
        """Suggest trials that the caller runs: index → parameters; they are RUNNING.

        Args:
            max_trials: At most as many; fewer, with a warning, if every allowed point was tried.
            fixed_parameters: Parameter → value that the suggestions have there, in the parameter's
                unit; the others are searched, and the model knows all values.

        Raises:
            UserInputError: If a parameter that is fixed is unknown, its value is not allowed, the
                constraints cannot be met with it, or none is left to be searched.
            SearchSpaceExhaustedError: If every allowed point was tried.
            GenerationError: If no candidate could be made.
            ExperimentBusyError: If a run goes on.
        """
        return asking.next_trials(
            self._store,
            self.experiment,
            self._used_optimizer(),
            max_trials=max_trials,
            held=fixed_parameters or {},
            now=SystemClock().now(),
        )

    def complete_trial(
        self,
        trial_index: int,
        raw_data: TOutcome | None = None,
        progression: int | None = None,
        *,
        note: str = "",
    ) -> TrialStatus:
        """Enter or correct a trial's result; return its status, COMPLETED.

        A correction keeps the old value in the history.

        Args:
            trial_index: From 0.
            raw_data: Metric → mean, or (mean, sem), in the metric's unit; None completes a trial
                whose data were attached.
            progression: Step in a time series; None: 0.
            note: Why, for the history.

        Raises:
            NotFoundError: If there is no such trial.
            UserInputError: If a required metric is missing, or a value is no finite number.
            TransitionError: If the trial was abandoned.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        self._refuse_in_run("complete_trial", "EnterResult")
        command = EnterResult(trial_index, raw_data or {}, float(progression or 0), note)
        self.submit(command).result()
        return self.experiment.trial(trial_index).status

    def attach_data(
        self, trial_index: int, raw_data: TOutcome, progression: int | None = None
    ) -> None:
        """Add values to a trial that goes on, without completing it.

        Raises:
            UserInputError: If a metric is unknown, or a value is no finite number.
            TransitionError: If the trial has ended.
        """
        experiment = self.experiment
        self._check_names(tuple(raw_data))
        with self._store.control(experiment):
            trial = experiment.trial(trial_index)
            if trial.status.is_terminal:
                raise TransitionError(
                    f"Trial {trial_index} is {trial.status.name} and takes no more data.",
                    "Enter or correct its result with complete_trial.",
                )
            new = observations_of(raw_data, float(progression or 0))
            changed = replace(trial, observations=(*trial.observations, *new))
            self._store.save_trial(experiment, changed)
            experiment.put(changed)

    def attach_trial(self, parameters: TParameterization, arm_name: str | None = None) -> int:
        """Add a trial that the caller chose and runs; return its index.

        A value out of bounds or off its step, and a constraint that is broken, are told by a
        warning in the log. The model learns from the trial where it lies, unless that is more than
        half a range outside.

        Args:
            parameters: A value for each parameter that exists there; derived ones may be left out.
            arm_name: Its name; None for the usual one.

        Raises:
            UserInputError: If a parameter is missing or unknown, or a value is of another type.
        """
        return self._apply(AddTrial(dict(parameters), arm_name)).index

    def attach_baseline(self, parameters: TParameterization, arm_name: str | None = None) -> int:
        """Add the trial that limits such as `"qps >= 0.95 * baseline"` are relative to.

        Complete it with `complete_trial`; until then such limits cannot be decided. Without an
        attached baseline they are relative to the trial of the start values, if there is one.

        Returns:
            Its index. Of several baselines the latest counts.
        """
        return self._apply(AddTrial(dict(parameters), arm_name, is_baseline=True)).index

    def mark_trial_failed(self, trial_index: int, failed_reason: str | None = None) -> None:
        """Give a trial up; its point may be suggested again."""
        self._order(MarkFailed(trial_index, failed_reason or "marked as failed"))

    def mark_trial_abandoned(self, trial_index: int) -> None:
        """Give a trial up, or void its result; its point is not suggested again."""
        self._order(Abandon(trial_index))

    def mark_trial_early_stopped(self, trial_index: int) -> None:
        """End a running trial before its time; its values are kept, but not given to the model.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it does not run.
            UserInputError: If it has no values.
        """
        self._order(MarkEarlyStopped(trial_index))

    def should_stop_trial_early(self, trial_index: int) -> bool:
        """Whether the trial's latest values say that it is not worth finishing; changes nothing.

        Judged by the `early_stopping` of the last run, or of the set-up before the first; where
        neither has one, by `EarlyStopping(percentile=50)`. A trial that does not run is not to be
        stopped.

        Raises:
            NotFoundError: If there is no such trial.
        """
        experiment = self.experiment
        trial = experiment.trial(trial_index)
        settings = experiment.runs[-1].settings if experiment.runs else experiment.setup.run
        rule = settings.orchestration.early_stopping or EarlyStopping(percentile=50.0)
        trials = tuple(experiment.trials.values())
        reason = reason_to_stop_early(rule, trial, trials, experiment.optimization)
        return trial.status is TrialStatus.RUNNING and reason != ""

    def void_trial(self, trial_index: int, reason: str = "voided") -> None:
        """Take a completed trial's result back: it becomes ABANDONED, and its values are kept.

        Raises:
            NotFoundError: If there is no such trial.
            TransitionError: If it is not COMPLETED.
        """
        if self.experiment.trial(trial_index).status is not TrialStatus.COMPLETED:
            raise TransitionError(
                f"Trial {trial_index} is {self.experiment.trial(trial_index).status}: it has no "
                "result to be voided.",
                "Give a trial up with mark_trial_abandoned or mark_trial_failed.",
            )
        self._order(Abandon(trial_index, reason))

    def exclude_trial(self, trial_index: int) -> None:
        """Withhold a trial from the model and from the best point; it is still shown."""
        self._order(SetExcluded(trial_index, is_excluded=True))

    def include_trial(self, trial_index: int) -> None:
        """Give a trial back to the model."""
        self._order(SetExcluded(trial_index, is_excluded=False))

    def set_trial_note(self, trial_index: int, note: str) -> None:
        """Write a trial's note, in the place of an earlier one."""
        self._order(SetNote(trial_index, note))

    def replicate_trial(self, trial_index: int, *, deploy: bool = True) -> int:
        """Have the parameters of a trial run once more; return the new trial's index.

        Args:
            trial_index: The trial, in any status.
            deploy: Whether the run that goes on, or the next one, deploys it, beyond its
                `max_trials`; otherwise the caller runs it, and completes it with `complete_trial`.

        Raises:
            NotFoundError: If there is no such trial.
            UserInputError: If its parameters are no longer allowed.
            UnsupportedError: In `on_event`, where it cannot wait for the run.
        """
        self._refuse_in_run("replicate_trial", "Replicate")
        before = set(self.experiment.trials)
        self.submit(Replicate(trial_index, is_deployed=deploy)).result()
        return max(set(self.experiment.trials) - before)

    def import_trials(self, frame: "pd.DataFrame") -> list[int]:
        """Add earlier trials, all or none; return their indices.

        Args:
            frame: One row a trial. A column of each parameter that is neither fixed nor derived,
                and columns of metrics, by their names and in their units; `METRIC_sem` for standard
                errors, `arm_name`, and `trial_status` (COMPLETED, FAILED or ABANDONED; without one
                COMPLETED). Empty cells say nothing. What `summarize` returns is understood, too,
                without the columns of metadata. Values out of bounds are told in the log, as by
                `attach_trial`.

        Raises:
            UserInputError: If a column is unknown, or rows are not allowed, each with its number
                from 0.
            ExperimentBusyError: If a run goes on.
        """
        return asking.import_trials(self._store, self.experiment, frame, SystemClock().now())

    def history(self, trial_index: int | None = None) -> tuple[AuditEntry, ...]:
        """Return what people did to the experiment, or to one trial, oldest first.

        Args:
            trial_index: From 0; None for everything.
        """
        return self._store.history(self.experiment.id, trial_index)

    # ---- results ---------------------------------------------------------------------------------

    def get_best_parameterization(
        self,
        use_model_predictions: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
    ) -> results.BestParameterization:
        """Return the best trial: (parameters, {metric: (mean, variance)}, index, arm name).

        All completed trials count, also those that finished last. The tuple's `rule` says whether
        the model's or the measured values were compared, its `reason` why.

        Args:
            use_model_predictions: Whether the model says which observed point is best and what to
                expect there; where it cannot be fitted, and otherwise, what was observed.

        Raises:
            NotFoundError: If no completed trial keeps the limits.
            UnsupportedError: If there are several objectives: see `get_pareto_frontier`.
        """
        return results.best_of(self.experiment, self._used_optimizer(), use_model_predictions)

    def get_pareto_frontier(
        self,
        use_model_predictions: bool = True,  # noqa: FBT001, FBT002, RUF100  # the signature of Ax
    ) -> list[results.BestParameterization]:
        """Return the trials that no other one beats in every objective, by index.

        Each as `get_best_parameterization` returns one, with `rule` and `reason`.

        Args:
            use_model_predictions: As in `get_best_parameterization`.

        Raises:
            NotFoundError: If no completed trial keeps the limits.
            UnsupportedError: If there is one objective.
        """
        return results.front_of(self.experiment, self._used_optimizer(), use_model_predictions)

    def predict(self, points: Sequence[TParameterization]) -> list[dict[str, tuple[float, float]]]:
        """Return what the model expects at each point: {metric: (mean, sem)}.

        Raises:
            GenerationError: If there are too few results for a model.
        """
        request = request_for(self.experiment)
        checked = [request.search_space.checked(point) for point in points]
        predicted = self._used_optimizer().predict(request, checked).result()
        return [{p.metric: (p.mean, p.sem) for p in at_point} for at_point in predicted]

    def compute_analyses(
        self,
        analyses: Sequence[str] | None = None,
        display: bool = True,  # noqa: FBT001, FBT002, RUF100  # the tutorial's signature
    ) -> list[Card]:
        """Return the summary, the best trials and the convergence as cards.

        Args:
            analyses: Names of cards; None for all of them.
            display: Whether to write them to the standard output.
        """
        return results.cards_of(self.experiment, analyses, display=display)

    def summarize(
        self,
        trial_indices: Sequence[int] | None = None,
        trial_statuses: Sequence[TrialStatus] | None = None,
    ) -> "pd.DataFrame":
        """Return one row a trial, by index.

        The columns are `trial_index`, `arm_name`, `trial_status`, `failure_reason`,
        `generation_node`, those of the runner's metadata, then `METRIC` and `METRIC_sem` of each
        metric and each parameter, in their units. A metadata key that is the name of another
        column is left out.

        Args:
            trial_indices: Trials wanted, from 0; None for all.
            trial_statuses: Statuses wanted; None for all.

        Raises:
            NotFoundError: If there is no trial of an index.
        """
        return results.data_frame(self.experiment, trial_indices, trial_statuses)

    def close(self) -> None:
        """Free threads, processes and the client's own database; once more does nothing.

        Raises:
            TransitionError: If a run goes on.
        """
        with self._lock:
            if self._scheduler is not None:
                raise TransitionError(
                    "A run goes on.", "Stop it, and close the client once run_trials has returned."
                )
            self._is_closed = True
        with ExitStack() as ends:
            if not self._opened.is_shared:
                ends.callback(self._store.close)
            if self._optimizer is not None:
                ends.callback(self._optimizer.close)
            ends.callback(self._close_calls)

    def _close_calls(self) -> None:
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.close()


def _refuse_without_baseline(experiment: Experiment) -> None:
    """Refuse a run in which a limit could never be decided."""
    if not experiment.optimization.is_relative:
        return
    baseline = baseline_trial(experiment.trials.values())
    if baseline is None and experiment.setup.generation.initialize_with_center:
        if not experiment.trials:
            return  # the first trial, that of the start values, will be the baseline
    elif baseline is not None:
        is_attached = baseline.generation.source is TrialSource.BASELINE
        if baseline.status is TrialStatus.COMPLETED or not (
            is_attached or baseline.status.is_terminal
        ):
            return
    limits = [str(one) for one in experiment.optimization.outcome_constraints if one.is_relative]
    raise PreflightError(
        f"“{limits[0]}” cannot be decided: "
        + (
            "there is no baseline trial."
            if baseline is None
            else f"the baseline trial #{baseline.index} has no result."
        ),
        "Call attach_baseline and complete_trial first.",
    )


def _ignore(event: Event) -> None:
    """A run that nobody watches."""


def _feasible(space: SearchSpace) -> SearchSpace:
    if space.constraints:
        generation.check_feasible(space)
    return space


def _refuse_what_is_not_offered(**options: tuple[object, object]) -> None:
    """Refuse options of Ax whose value is not the one that axdesk always has."""
    for name, (given, offered) in options.items():
        if given != offered:
            raise UnsupportedError(
                f"{name} is {given!r}; axdesk offers {offered!r} alone.", "Leave it out."
            )
