"""From a candidate to a running trial: stage, deploy, take the answer, however late it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from axdesk.core.errors import AxdeskError, StorageError
from axdesk.core.events import TrialHealthChanged
from axdesk.core.failpoints import failpoint
from axdesk.core.protocols import AuditEntry
from axdesk.core.questions import FailedCall
from axdesk.core.suggestions import Candidate
from axdesk.core.trial import Arm, Trial, TrialStatus, automatic_name
from axdesk.orchestration.calls import PendingCall, pause_if_not_entered, was_entered
from axdesk.orchestration.following import Following
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.stopping import Stopping
from axdesk.orchestration.suggesting import Suggesting
from axdesk.orchestration.uncertain import Uncertain

_PATIENCE = 2.0
"""How many times its deadline a `run_trial` may take before it is given up."""

_MUCH_LONGER = 2.0
"""How many times the longest `run_trial` so far one takes that is told as not answering."""


@dataclass(slots=True)
class _Launch:
    """A `run_trial` that is under way.

    Attributes:
        index: Of its trial.
        call: The call.
        is_late: Whether its deadline has passed.
        counts_as_failed: Whether the trial is FAILED because of that, and for nothing else.
        is_told: Whether it was told as not answering.
    """

    index: int
    call: PendingCall[dict[str, Any]]
    is_late: bool = False
    counts_as_failed: bool = False
    is_told: bool = False


class Launching:
    """Lives in the scheduler's thread; one `run_trial` at a time is under way."""

    def __init__(
        self,
        loop: Loop,
        suggesting: Suggesting,
        uncertain: Uncertain,
        following: Following,
        stopping: Stopping,
    ) -> None:
        self._loop = loop
        self._suggesting = suggesting
        self._uncertain = uncertain
        self._following = following
        self._stopping = stopping
        self._redeploy: list[int] = []
        self._not_reached: dict[int, int] = {}
        self._launch: _Launch | None = None
        self._longest_seconds = 0.0
        self._next_launch_at = loop.clock.monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether a `run_trial` is under way."""
        return self._launch is not None

    @property
    def is_late(self) -> bool:
        """Whether a `run_trial` is under way that has passed its deadline."""
        return self._launch is not None and self._launch.is_late

    @property
    def has_trial(self) -> bool:
        """Whether there is something left to deploy."""
        has_next = self._remaining > 0 and not self._suggesting.is_exhausted
        return has_next or bool(self._redeploy)

    @property
    def _remaining(self) -> int:
        used = len(self._loop.experiment.of_run(self._loop.current))
        return max(0, self._loop.current.settings.max_trials - used)

    def _may_launch(self) -> bool:
        run = self._loop.current
        # What may be running and is asked about keeps its place, as long as another is left.
        slots = max(1, run.settings.parallelism - len(self._loop.questions))
        has_slot = self._loop.occupied < slots
        has_trial = self._remaining > 0 or bool(self._redeploy)
        may_start = run.state.launches and self._loop.keeping.error is None
        return may_start and self._launch is None and has_slot and has_trial

    def due_at(self, now: float) -> list[float | None]:
        """Return the monotonic times at which there is something to do, as far as known."""
        is_too_early = self._may_launch() and now < self._next_launch_at
        return [self._next_launch_at] if is_too_early else [self._silent_at(now)]

    def launch_next(self) -> None:
        """Deploy what is next, if there is a slot and something to put into it."""
        if not self._may_launch():
            return
        try:
            with self._loop.keeping.strictly():
                trial = self._intended()
        except StorageError as error:
            if not error.is_temporary:
                raise
            return  # nothing is deployed unless the intent is stored
        if trial is not None:
            self._deploy(trial)

    def _intended(self) -> Trial | None:
        """Store which trial is to be deployed now, and return it; None if there is none yet."""
        is_time = self._loop.clock.monotonic() >= self._next_launch_at
        if self._redeploy:
            return self._staged_again(self._redeploy[0]) if is_time else None
        self._suggesting.prepare()
        # One at a time: each candidate knows every result, in a resumed run as in any other.
        is_sequential = self._loop.current.settings.parallelism == 1
        usual_seconds = None if is_sequential else self._following.usual_seconds()
        candidate = self._suggesting.ready(usual_seconds)
        if candidate is None or not is_time:
            return None
        trial = self._staged(candidate)
        self._suggesting.taken()
        return trial

    def look_ahead(self) -> None:
        """Let the optimiser work while trials run."""
        if self._loop.current.state.launches and self._remaining > 0:
            self._suggesting.prepare()

    def deploy_again(self, trial: Trial) -> None:
        """Deploy a staged trial that surely was not started, as soon as a slot is free."""
        self._loop.keep(replace(trial, may_have_started=False, staged_at=None, reason=""))
        self.resume(trial)

    def resume(self, trial: Trial) -> None:
        """Deploy a trial that is stored as surely not started."""
        self._redeploy.append(trial.index)

    def forget(self, index: int) -> None:
        """Do not deploy a trial any more."""
        if self._launch is not None and self._launch.index == index:
            self._withdrawn()
        self._redeploy = [other for other in self._redeploy if other != index]

    def withdraw(self) -> None:
        """Take back a `run_trial` that waits in its queue: the trial surely does not start."""
        index = self._withdrawn()
        if index is not None:
            self.deploy_again(self._loop.experiment.trial(index))

    def _withdrawn(self) -> int | None:
        """Take back the call, if it waits, and return its trial."""
        launch = self._launch
        if launch is None or not launch.call.withdraw():
            return None
        self._launch = None
        return launch.index

    def leave_behind(self) -> None:
        """Wait no longer for a `run_trial`."""
        self._launch = None

    def _staged(self, candidate: Candidate) -> Trial:
        failpoint("candidate_ready")
        experiment = self._loop.experiment
        index = experiment.next_index
        trial = Trial(
            index=index,
            arm=Arm(automatic_name(index), candidate.parameters),
            generation=candidate.generation,
            run_index=self._loop.current.index,
            search_space_version=experiment.search_space_version,
            optimization_version=experiment.optimization_version,
        ).moved_to(TrialStatus.STAGED, staged_at=self._loop.clock.now())
        self._loop.keep(trial)
        failpoint("trial_staged")
        return trial

    def _staged_again(self, index: int) -> Trial:
        trial = replace(self._loop.experiment.trial(index), staged_at=self._loop.clock.now())
        self._loop.keep(trial)
        self._redeploy.remove(index)
        failpoint("trial_staged")
        return trial

    def _deploy(self, trial: Trial) -> None:
        calls = self._loop.calls
        future = calls.run_trial(trial.index, dict(trial.arm.parameters))
        deadline = self._loop.current.settings.orchestration.call_deadlines.run
        # A runner that can find its trials is asked at once; any other may still answer late.
        patience = 1.0 if calls.can_find else _PATIENCE
        what = f"run_trial of trial {trial.index}"
        call = self._loop.open_calls.add(what, future, deadline, patience, trial_index=trial.index)
        self._launch = _Launch(trial.index, call)

    def step(self) -> None:
        """Take what `run_trial` answered."""
        launch = self._launch
        if launch is None:
            return
        now = self._loop.clock.monotonic()
        if not launch.call.is_done:
            if not launch.is_late and launch.call.is_late(now):
                self._count_as_failed(launch)
            else:
                self._tell_silence(launch, now)
            return
        self._launch = None
        if launch.is_told:
            self._loop.publish(TrialHealthChanged(launch.index, 0, ""))
        spacing = self._loop.current.settings.orchestration.min_seconds_between_launches
        self._next_launch_at = now + spacing
        trial = self._loop.experiment.trial(launch.index)
        try:
            metadata = launch.call.answer()
        except AxdeskError as error:
            if trial.status is TrialStatus.STAGED:
                self._not_launched(trial, error)
            return
        failpoint("trial_deployed")
        entered_at = launch.call.entered_at(now)
        if entered_at is not None:
            self._longest_seconds = max(self._longest_seconds, now - entered_at)
        if trial.status is TrialStatus.STAGED or (
            trial.status is TrialStatus.FAILED and launch.counts_as_failed
        ):
            self.started(trial, metadata)
        else:
            self._started_in_vain(trial, metadata)

    def _silent_at(self, now: float) -> float | None:
        """Return when the `run_trial` under way takes much longer than usual.

        That is as for polls, but not before twice the longest one so far, and ahead of its
        deadline. None where it was told, has passed its deadline, or waits in its queue.
        """
        launch = self._launch
        if launch is None or launch.is_told or launch.is_late:
            return None
        entered_at = launch.call.entered_at(now)
        if entered_at is None:
            return None
        patience = self._loop.current.settings.orchestration.max_seconds_between_polls
        if launch.call.seconds is not None:
            patience = min(patience, launch.call.seconds / 2)
        return entered_at + max(patience, _MUCH_LONGER * self._longest_seconds)

    def _tell_silence(self, launch: _Launch, now: float) -> None:
        silent_at, entered_at = self._silent_at(now), launch.call.entered_at(now)
        if silent_at is None or entered_at is None or now < silent_at:
            return
        launch.is_told = True
        seconds = now - entered_at
        since = self._loop.clock.now() - timedelta(seconds=seconds)
        reason = f"run_trial has not answered for {seconds:.3g} s"
        self._loop.publish(
            TrialHealthChanged(launch.index, 1, reason, since, is_silent=True, is_deploying=True)
        )

    def _count_as_failed(self, launch: _Launch) -> None:
        """Go on without the answer; should it come late, it is adopted."""
        launch.is_late = True
        reason = (
            f"run_trial did not answer within {launch.call.seconds:g} s; the trial may have started"
        )
        trial = self._loop.experiment.trial(launch.index)
        if trial.status is TrialStatus.STAGED:
            launch.counts_as_failed = True
            self._loop.give_up(
                trial, FailedCall.RUN, reason, may_have_started=True, is_under_way=True
            )
        self._loop.warn(
            f"{self._loop.calls.runner_name} is not answering (trial {launch.index}).",
            "Nothing new starts before it answers. Stop now leaves it behind.",
        )

    def _not_launched(self, trial: Trial, error: AxdeskError) -> None:
        if was_entered(error):
            self._uncertain.after_error(trial, error.message)
            return
        settings = self._loop.current.settings
        tries = self._not_reached[trial.index] = self._not_reached.get(trial.index, 0) + 1
        if tries >= settings.orchestration.retry_budget.poll:
            reason = f"could not be started ({tries} tries): {error.message}"
            del self._not_reached[trial.index]
            self._loop.give_up(trial, FailedCall.RUN, reason, may_have_started=False)
            return
        pause = pause_if_not_entered(settings)
        self._next_launch_at = self._loop.clock.monotonic() + pause
        self.deploy_again(trial)
        self._loop.warn(
            f"Trial {trial.index} could not be started yet: {error.message}",
            f"It did not start, and is tried again in {pause:g} s; nothing else starts before.",
        )

    def _started_in_vain(self, trial: Trial, metadata: Mapping[str, Any]) -> None:
        """Keep where a trial can be found that a person ended while it was being deployed."""
        now = self._loop.clock.now()
        self._loop.keep(replace(trial, metadata=metadata, started_at=now, may_have_started=False))
        self._loop.warn(
            f"{self._loop.calls.runner_name} has started trial {trial.index}, which was "
            f"{trial.status} meanwhile.",
            "It is not followed; see to it at the instrument.",
        )

    def started(self, trial: Trial, metadata: Mapping[str, Any]) -> None:
        """Keep a trial as running: the runner has answered, or found it."""
        loop = self._loop
        loop.questions.withdraw(trial.index)
        twin = next(
            (t for t in loop.experiment.with_status(TrialStatus.RUNNING) if t.metadata == metadata),
            None,
        )
        running = trial.moved_to(
            TrialStatus.RUNNING,
            metadata=metadata,
            started_at=trial.started_at or loop.clock.now(),
            finished_at=None,
            may_have_started=False,
            reason="",
        )
        late = AuditEntry(
            at=loop.clock.now(),
            action="adopt_late_answer",
            trial_index=trial.index,
            before=f"{trial.status}: {trial.reason}",
            after=running.status,
        )
        loop.keep(running, (late,) if trial.status is TrialStatus.FAILED else ())
        failpoint("trial_running")
        interval = loop.current.settings.initial_seconds_between_polls
        self._following.follow(running, loop.clock.monotonic() + interval)
        if twin is not None and metadata:
            loop.warn(
                f"Trials {twin.index} and {trial.index} run at once with equal metadata, "
                f"{dict(metadata)}.",
                "If the metadata names a file or a job, one of the two may read the other's "
                "result; name it by trial index.",
            )
        self._stopping.stop_as_asked(running)
