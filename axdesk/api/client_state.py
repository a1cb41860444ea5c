"""What every part of a client works on: the experiment, its store, the run that goes on."""

import logging
import secrets
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from axdesk import generation
from axdesk.api.configs import StorageConfig
from axdesk.api.importing import import_stored
from axdesk.api.stores import store_of
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.clock import SystemClock
from axdesk.core.commands import (
    AddTrial,
    Command,
    EditSetup,
    ImportTrials,
    Leave,
    Replicate,
    TrialCommand,
)
from axdesk.core.errors import (
    AxdeskError,
    TransitionError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.parameters import TParameterization
from axdesk.core.protocols import Generator, PluginCalls
from axdesk.core.run import RunState
from axdesk.core.setup import GenerationSettings
from axdesk.core.trial import Prediction, Trial
from axdesk.orchestration.setup_commands import edit_setup, refuse_unknown_metrics
from axdesk.orchestration.trial_commands import apply_to_trial, deviations
from axdesk.storage.store import SqlStore

if TYPE_CHECKING:
    from axdesk.core.laboratory import IMetric, IRunner
    from axdesk.core.search_space import SearchSpace
    from axdesk.orchestration.scheduler import Scheduler

logger = logging.getLogger(__name__)


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


@with_checked_arguments
class ClientState:
    """The experiment of a client, and how commands reach it with and without a run."""

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
            self._experiment = self._opened.experiment
            self._has_default_budget = False
            self._take_setup()

    def _take_setup(self) -> None:
        """Know the set-up as it is stored: a command may have changed it."""
        setup = self.experiment.setup
        self._space, self._optimization = setup.search_space, setup.optimization
        self._generation = setup.generation

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

    def _check_names(self, fetched: Sequence[str]) -> None:
        refuse_unknown_metrics(self._configured_optimization(), fetched)

    def _configured_optimization(self) -> OptimizationConfig:
        if self._optimization is None:
            raise UserInputError(
                "Nothing is optimised yet.", "Call configure_optimization before this."
            )
        return self._optimization

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

    def submit_to_run(self, command: Command) -> "Future[None] | None":
        """Hand a command to the run that goes on, as `submit`; None if there is none.

        Never waits and never touches the database; from any thread.

        Args:
            command: Of `axdesk.core.commands`.
        """
        with self._lock:
            return None if self._scheduler is None else self._scheduler.submit(command)

    def submit(self, command: Command) -> "Future[None]":
        """Carry a command out: by the run that goes on, else here and now; from any thread.

        With no run on, `Leave` stores that a run that was cut off stays stopped.

        Args:
            command: Of `axdesk.core.commands`.

        Returns:
            A Future of None; it fails with the `AxdeskError` that refuses the command.
        """
        if (promised := self.submit_to_run(command)) is not None:
            return promised
        answer: Future[None] = Future()
        try:
            match command:
                case Leave(reason=reason):
                    self._leave_stopped(reason)
                case EditSetup():
                    self._edit(command)
                case ImportTrials():
                    import_stored(self._store, self.experiment, command)
                case _:
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
        if isinstance(command, AddTrial | Replicate):
            for sentence in deviations(experiment, trial):
                logger.warning("%s", sentence)
        return trial

    def _edit(self, command: EditSetup) -> None:
        experiment, now = self.experiment, SystemClock().now()
        with self._store.control(experiment):
            setup = command.applied_to(experiment.setup)
            edit_setup(experiment, self._store, setup, now, generation.check_feasible)
        self._take_setup()

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
