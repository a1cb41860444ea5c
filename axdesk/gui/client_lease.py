"""The client of one opened experiment, with its plugins and its optimiser process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from axdesk.core.commands import AnswerQuestion, Command, ImportTrials
from axdesk.core.draft_cells import Problems
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError
from axdesk.core.events import Publish
from axdesk.core.experiment import Experiment
from axdesk.core.run import Run, RunSettings
from axdesk.core.trial import TrialStatus

if TYPE_CHECKING:
    from axdesk.api.client import Client
    from axdesk.api.workspace import Workspace
    from axdesk.core.setup import ExperimentSetup


@dataclass(frozen=True, slots=True)
class Opened:
    """A client and the stored state of its experiment."""

    client: "Client"
    experiment: Experiment


class ClientLease:
    """Opens the client when it is first needed, and keeps it; all in the plugins' thread.

    Opening loads plugins and starts the optimiser's process, so it is done once for all runs and
    commands, and again only for a changed set-up.
    """

    def __init__(self, experiment_id: int) -> None:
        self._experiment_id = experiment_id
        self._client: Client | None = None
        self._setup: ExperimentSetup | None = None

    def opened(self, workspace: "Workspace") -> Opened:
        """Return the client."""
        experiment = workspace.experiment(self._experiment_id)
        if self._client is None:
            self._client = workspace.open(self._experiment_id)
            self._setup = experiment.setup
        return Opened(self._client, experiment)

    def stored(
        self, workspace: "Workspace", draft: Draft, *, is_new: bool
    ) -> Experiment | Problems:
        """Check a draft, store it as the experiment's set-up, and return that; see `prepared`."""
        checked = workspace.check(draft, self._experiment_id)
        if isinstance(checked, Problems):
            return checked
        if is_new or workspace.experiment(self._experiment_id).setup != checked:
            workspace.configure(self._experiment_id, checked)
        return workspace.experiment(self._experiment_id)

    def prepared(
        self, workspace: "Workspace", draft: Draft, decisions: Sequence[Command], *, is_new: bool
    ) -> Opened | Problems:
        """Check a draft, store it as the experiment's set-up, and return the client for it.

        Args:
            workspace: The workspace.
            draft: What the set-up says.
            decisions: What became of trials that ran when the last run was cut off.
            is_new: Whether it is a mere draft so far.
        """
        stored = self.stored(workspace, draft, is_new=is_new)
        if isinstance(stored, Problems):
            return stored
        checked = stored.setup
        # The settings of a run are handed over with the run; for the rest a new client is needed.
        if self._setup is not None and replace(checked, run=self._setup.run) != self._setup:
            self.close()
        client = self.opened(workspace).client
        for decision in decisions:
            _carry_out(client, decision)
        return self.opened(workspace)

    @property
    def is_open(self) -> bool:
        """Whether there is a client, so that `carry_out` needs no plugins; from any thread."""
        return self._client is not None

    def carry_out(self, workspace: "Workspace", commands: Sequence[Command]) -> Opened:
        """Carry out commands while no run goes on; if `is_open`, from any thread."""
        client = self.opened(workspace).client
        for command in commands:
            _carry_out(client, command)
        return self.opened(workspace)

    def configured(self, workspace: "Workspace", setup: "ExperimentSetup") -> Experiment:
        """Store a set-up, whatever its plugins say, and return the experiment."""
        workspace.configure(self._experiment_id, setup)
        return workspace.experiment(self._experiment_id)

    def imported(self, workspace: "Workspace", command: ImportTrials) -> Experiment:
        """Add trials while no run goes on, which needs no plugins; return the stored state."""
        if self._client is not None:
            self._client.submit(command).result()  # its experiment has them, too
        else:
            workspace.import_trials(self._experiment_id, command)
        return workspace.experiment(self._experiment_id)

    def asked(
        self, workspace: "Workspace", trial_index: int, is_wanted: Callable[[], bool]
    ) -> TrialStatus | AxdeskError | None:
        """Ask the runner about a trial that no run follows; return what it says, or why not."""
        if not is_wanted():
            return None
        try:
            return self.opened(workspace).client.ask_runner(trial_index)
        except AxdeskError as error:
            return error

    def close(self) -> None:
        """Free the client with its processes; the next need opens one."""
        client, self._client, self._setup = self._client, None, None
        if client is not None:
            client.close()


def _carry_out(client: "Client", command: Command) -> None:
    """Carry a command out while no run goes on."""
    if isinstance(command, AnswerQuestion):
        client.answer_question(command.trial_index, command.answer)
    else:
        client.submit(command).result()


def run_work(
    client: "Client", last: Run | None, settings: RunSettings, more_trials: int | None
) -> Callable[[Publish], None]:
    """Return what the scheduler's thread does: a new run, or the rest of the last one.

    Args:
        client: Of the experiment.
        last: Its last run, which goes on; None for the first run.
        settings: Of a new run.
        more_trials: Trials that a new run after `last` adds; None resumes `last`.
    """

    def work(publish: Publish) -> None:
        if last is not None and more_trials is None:
            client.run_trials(on_event=publish, wait_for_answers=True)
            return
        client.run_trials(
            more_trials or settings.max_trials,
            settings.parallelism,
            settings.tolerated_trial_failure_rate,
            settings.initial_seconds_between_polls,
            config=settings.orchestration,
            on_event=publish,
            wait_for_answers=True,
        )

    return work
