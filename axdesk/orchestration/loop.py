"""What commands and the care for uncertain trials need of the loop that they change."""

from collections.abc import Mapping
from typing import Any, Protocol

from axdesk.core.commands import AnswerQuestion
from axdesk.core.events import Publish
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry, Clock, PluginCalls, TrialStore
from axdesk.core.questions import FailedCall
from axdesk.core.run import Run, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.calls import OpenCalls
from axdesk.orchestration.open_questions import OpenQuestions
from axdesk.orchestration.safekeeping import Safekeeping


class Loop(Protocol):
    """The scheduler, as its helpers see it; all of it belongs to the scheduler's thread."""

    experiment: Experiment
    current: Run
    store: TrialStore
    calls: PluginCalls
    clock: Clock
    publish: Publish
    open_calls: OpenCalls
    keeping: Safekeeping
    questions: OpenQuestions

    @property
    def occupied(self) -> int:
        """Slots that are taken."""
        ...

    def wake(self) -> None:
        """Make the loop look at everything once more; from any thread."""
        ...

    def keep(self, trial: Trial, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store a trial's snapshot, then publish it."""
        ...

    def keep_run(self, run: Run, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store the run's snapshot, then publish it."""
        ...

    def keep_run_elapsed(self) -> None:
        """Store the time that the run has taken so far, which is no news."""
        ...

    def answer(self, command: AnswerQuestion) -> None:
        """Carry out what a person answered to a question."""
        ...

    def edit(self, setup: ExperimentSetup) -> None:
        """Store another set-up, and suggest by it from now on."""
        ...

    def change_state(self, state: RunState, reason: str = "") -> None:
        """Move the run to another state."""
        ...

    def stop_now(self, reason: str = "stopped by the operator") -> None:
        """Stop every running trial through the runner."""
        ...

    def leave(self, reason: str) -> None:
        """End the run at once; running trials run on."""
        ...

    def started(self, trial: Trial, metadata: Mapping[str, Any]) -> None:
        """Keep a trial as running."""
        ...

    def deploy_again(self, trial: Trial) -> None:
        """Deploy a staged trial that surely was not started, as soon as a slot is free."""
        ...

    def follow_running(self) -> None:
        """Follow what runs and is not followed."""
        ...

    def end(self, trial: Trial, status: TrialStatus, **changes: Any) -> None:
        """Keep a trial as over."""
        ...

    def fail(self, trial: Trial, reason: str, *, may_have_started: bool) -> None:
        """Keep a trial as failed."""
        ...

    def give_up(
        self,
        trial: Trial,
        call: FailedCall,
        reason: str,
        *,
        may_have_started: bool = False,
        is_under_way: bool = False,
    ) -> None:
        """Do with a trial that is about to fail, because a call failed, as `on_error` says."""
        ...

    def forget(self, index: int) -> None:
        """No longer follow a trial."""
        ...

    def adopt(self, trial: Trial) -> None:
        """Follow or forget a trial that a command changed and stored."""
        ...

    def warn(self, message: str, hint: str = "") -> None:
        """Tell the operator something that needs no answer."""
        ...
