"""The closed loop: suggest, stage, deploy, poll, fetch, record, until the budget is spent."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from axdesk.core.commands import AnswerQuestion, Command
from axdesk.core.errors import (
    AxdeskError,
    StorageError,
)
from axdesk.core.events import (
    Publish,
    RunFinished,
    SetupChanged,
    Warned,
)
from axdesk.core.experiment import Experiment
from axdesk.core.failpoints import failpoint
from axdesk.core.protocols import AuditEntry, Clock, Generator, PluginCalls, TrialStore
from axdesk.core.questions import FailedCall, Question
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.calls import OpenCalls
from axdesk.orchestration.following import Following
from axdesk.orchestration.inbox import Inbox
from axdesk.orchestration.launching import Launching
from axdesk.orchestration.limits import Limits
from axdesk.orchestration.on_error import OnError
from axdesk.orchestration.open_questions import OpenQuestions, decision_needed, named
from axdesk.orchestration.prints import Prints
from axdesk.orchestration.run_commands import carry_out
from axdesk.orchestration.safekeeping import Safekeeping
from axdesk.orchestration.setup_commands import CheckSpace, edit_setup
from axdesk.orchestration.stopping import Stopping
from axdesk.orchestration.suggesting import Suggesting
from axdesk.orchestration.uncertain import Uncertain

_log = logging.getLogger(__name__)


class Scheduler:
    """Carries out one run. All but `submit` belongs to the thread that calls `run`.

    Attributes:
        experiment: Changed as the run goes on, after each commit.
        current: The run's latest snapshot.
    """

    def __init__(
        self,
        experiment: Experiment,
        run: Run,
        *,
        store: TrialStore,
        generator: Generator,
        calls: PluginCalls,
        publish: Publish,
        clock: Clock,
        check_space: CheckSpace,
        waits_for_answers: bool = False,
    ) -> None:
        """Make a scheduler for a run that is STARTING.

        Args:
            experiment: Its experiment.
            run: New, or one that ended before.
            store: Keeps trials and runs.
            generator: Makes candidates.
            calls: To the plugins; they stay open afterwards.
            publish: Receives every event, in the scheduler's thread.
            clock: Time.
            check_space: What a search space is checked with that is changed in a pause.
            waits_for_answers: Whether the run waits for a person when nothing but questions is
                left; otherwise it ends with a `DecisionNeededError`.
        """
        self.experiment = experiment
        self.current = run
        self.calls = calls
        self.clock = clock
        self.store = store
        self.publish = publish
        self._check_space = check_space
        self._inbox = Inbox(clock)
        self._waits_for_answers = waits_for_answers
        self._suggesting = Suggesting(
            experiment, generator, clock=clock, publish=publish, wake=self.wake
        )
        self.open_calls = OpenCalls(calls, self.wake, publish)
        self.keeping = Safekeeping(experiment, run, store, clock, publish)
        self.questions = OpenQuestions(publish)
        self._prints = Prints(clock, publish, self.wake)
        self._following = Following(self)
        self._stopping = Stopping(self, self._following)
        self._uncertain = Uncertain(self)
        self._on_error = OnError(self, self._following, self._uncertain)
        self._launching = Launching(
            self, self._suggesting, self._uncertain, self._following, self._stopping
        )
        self._limits = Limits(self, self._stopping)
        self._leaves_because: str | None = None
        self._waits_for_store = True

    # ---- from any thread -------------------------------------------------------------------------

    def submit(self, command: Command) -> "Future[None]":
        """Hand a command to the run; from any thread, even from a signal handler."""
        return self._inbox.submit(command)

    def wake(self) -> None:
        """Make the loop look at everything once more."""
        self._inbox.wake()

    # ---- the loop --------------------------------------------------------------------------------

    def run(self) -> Run:
        """Carry the run out; blocks until it ends.

        Raises:
            FailureRateExceededError: If too many trials failed.
            DecisionNeededError: If only a person can say what became of some trials.
            StorageError: If the database cannot be used, or took nothing when the run was left.
        """
        error: AxdeskError | None = None
        self.calls.listen(self._prints.add)
        try:
            with self._end_stored():
                self._begin()
                # What was asked before the run began holds from its first trial on.
                self._inbox.receive(0.0, self._carry_out)
                self._step()
                while not self._has_ended():
                    self._inbox.receive(self._seconds_to_wait(), self._carry_out)
                    self._step()
        except AxdeskError as caught:
            error = caught
            raise
        finally:
            self.calls.listen(None)
            self._prints.tell()
            self.keeping.drop()
            self.refuse_commands()
            self.publish(RunFinished(self.current, error))
        return self.current

    def _step(self) -> None:
        if self._leaves_because is not None:
            return
        self._prints.step()
        self.keeping.step()
        self.open_calls.step(self.clock.monotonic())
        self._suggesting.take_answer(self._settings.orchestration.generation_time_limit)
        self._launching.step()
        self._uncertain.step()
        self._stopping.step()
        self._following.step()
        self._stopping.stop_early()
        self._stopping.keep_time_limit()
        self._limits.step()
        self._settle_state()
        self._launching.launch_next()
        self._launching.look_ahead()

    def _begin(self) -> None:
        with self.keeping.strictly():
            self.keep_run(self.current)
        failpoint("run_stored")
        self._following.ask_for_early_metrics()
        for trial in self.experiment.with_status(TrialStatus.STAGED):
            if trial.surely_not_started:
                self._launching.resume(trial)
            else:
                self._uncertain.add(trial, "axdesk ended before the runner had answered")
        self.change_state(RunState.RUNNING)
        self._limits.warn_of_unheeded_rules()

    def _carry_out(self, command: Command) -> None:
        self._following.count_elapsed()
        carry_out(self, command)

    def refuse_commands(self) -> None:
        """Answer commands that came too late."""
        self._inbox.refuse_all()

    def _seconds_to_wait(self) -> float | None:
        now = self.clock.monotonic()
        time_limit = self._settings.orchestration.generation_time_limit
        times = [
            self._suggesting.late_at(time_limit),
            self._limits.due_at(),
            self._prints.due_at(),
            self.keeping.due_at(),
            *self.open_calls.due_at(now, self._settings.initial_seconds_between_polls),
            *self._launching.due_at(now),
            *self._uncertain.due_at(),
            *self._stopping.due_at(now),
            *self._following.due_at(now),
        ]
        known = [time for time in times if time is not None]
        return max(0.0, min(known) - now) if known else None

    @property
    def _settings(self) -> RunSettings:
        return self.current.settings

    @property
    def occupied(self) -> int:
        """Slots that are taken; a trial about which only a person knows takes none."""
        followed = len(self._following.watches) + self._stopping.count
        return followed + self._uncertain.searched + self._launching.is_busy

    # ---- trials ----------------------------------------------------------------------------------

    def started(self, trial: Trial, metadata: Mapping[str, Any]) -> None:
        """Keep a trial as running: the runner has answered, or found it."""
        self._launching.started(trial, metadata)

    def deploy_again(self, trial: Trial) -> None:
        """Deploy a staged trial that surely was not started, as soon as a slot is free."""
        self._launching.deploy_again(trial)

    def follow_running(self) -> None:
        """Follow what runs and is not followed: after a restart, or a stop that was cancelled."""
        for trial in self.experiment.with_status(TrialStatus.RUNNING):
            is_followed = trial.index in self._following.watches
            is_left = is_followed or trial.index in self.questions
            if trial.metadata is not None and not (is_left or self._stopping.concerns(trial.index)):
                if trial.reason:  # of a question that an earlier sitting has left open
                    trial = replace(trial, reason="")
                    self.keep(trial)
                self._following.follow(trial, self.clock.monotonic())

    def end(self, trial: Trial, status: TrialStatus, **changes: Any) -> None:
        """Keep a trial as over."""
        elapsed = self._following.elapsed(trial)
        self.keep(
            trial.moved_to(status, finished_at=self.clock.now(), elapsed_seconds=elapsed, **changes)
        )
        self.forget(trial.index)

    def fail(self, trial: Trial, reason: str, *, may_have_started: bool) -> None:
        """Keep a trial as failed."""
        self.end(trial, TrialStatus.FAILED, reason=reason, may_have_started=may_have_started)

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
        self._on_error.take(
            trial, call, reason, may_have_started=may_have_started, is_under_way=is_under_way
        )

    def answer(self, command: AnswerQuestion) -> None:
        """Carry out what a person answered to a question."""

        def carry_out(question: Question, command: AnswerQuestion) -> None:
            asker = self._uncertain if question.failed_call is None else self._on_error
            asker.answer(question, command)

        self.questions.answer(command, carry_out)

    def forget(self, index: int) -> None:
        """No longer follow a trial."""
        self.questions.withdraw(index)
        self._following.forget(index)
        self._stopping.forget(index)
        self._launching.forget(index)
        self._uncertain.forget(index)

    def adopt(self, trial: Trial) -> None:
        """Follow or forget a trial that a command changed and stored."""
        self.keeping.took(trial)
        self._limits.judge_again()
        if trial.status.is_terminal:
            self.forget(trial.index)

    # ---- stopping --------------------------------------------------------------------------------

    def stop_now(self, reason: str = "stopped by the operator") -> None:
        """Stop every running trial through the runner; asked twice, wait for nothing more."""
        if self._stopping.reason is not None:
            self._waits_for_store = False
        if self._stopping.reason is not None or self._launching.is_late:
            self._launching.leave_behind()
        self._stopping.stop_all(reason)

    def leave(self, reason: str) -> None:
        """End the run at once, wait for nothing; running trials run on."""
        self._launching.withdraw()
        self._leaves_because = reason
        self._waits_for_store = False

    # ---- state -----------------------------------------------------------------------------------

    def _settle_state(self) -> None:
        """Follow what became of the trials: pausing is done, questions are all that is left."""
        state = self.current.state
        waits = self._waits_for_answers and self._only_questions_left()
        if state is RunState.NEEDS_ATTENTION and not (waits or self.questions.about_errors):
            self.change_state(RunState.RUNNING)
        if state is RunState.PAUSING and not self.occupied:
            self.change_state(RunState.PAUSED)
        if state is RunState.RUNNING and waits:
            self.change_state(RunState.NEEDS_ATTENTION, "a decision is needed")

    def _is_spent(self) -> bool:
        return not (self._launching.has_trial or self.occupied)

    def _only_questions_left(self) -> bool:
        return self._is_spent() and bool(self.questions)

    def _has_ended(self) -> bool:
        """Conclude the run if it is over; return whether that is stored."""
        if not self._is_over():
            return False
        try:
            self._conclude()
        except StorageError as error:
            if error.is_temporary and self._waits_for_store:
                return False
            raise
        return True

    def _is_over(self) -> bool:
        if self._leaves_because is not None:
            return True
        if self.keeping.error is not None and self._waits_for_store:
            return False
        match self.current.state:
            case RunState.STOPPING:
                ends_now = self._stopping.reason is not None
                is_left = ends_now and self._launching.is_late
                is_idle = not self._stopping.count and (not self._launching.is_busy or is_left)
                return is_idle and (
                    ends_now or not (self._following.watches or self._uncertain.searched)
                )
            case RunState.RUNNING:
                waits = self._waits_for_answers and bool(self.questions)
                return self._is_spent() and not waits
            case RunState.NEEDS_ATTENTION:
                return not (self._waits_for_answers or self.occupied)
            case _:
                return False

    def _conclude(self) -> None:
        failpoint("run_ending")
        if self._leaves_because is not None:
            self._following.leave_all()
            self._finish(RunState.INTERRUPTED, self._leaves_because)
            return
        is_stopped = self.current.state is RunState.STOPPING and not self._limits.is_good_enough
        if not is_stopped:
            self._limits.check_failures(at_end=True)
        if self._limits.failures.exceeded:
            error = self._limits.failures.error()
            self._finish(RunState.FAILED, error.message)
            raise error
        if is_stopped:
            self._finish(RunState.STOPPED, self.current.reason)
        elif self.questions:
            names = named(self.questions.trial_indices)
            self._finish(RunState.STOPPED, f"a decision is needed about {names}")
            raise decision_needed(self.questions)
        else:
            exhausted = "every allowed point was tried" if self._suggesting.is_exhausted else ""
            trials = self.experiment.of_run(self.current)
            # What was about to be deployed once more when the results were good enough waits.
            is_done = all(trial.status.is_terminal for trial in trials)
            state = RunState.COMPLETED if is_done else RunState.STOPPED
            self._finish(state, self._limits.enough or exhausted)
        failpoint("run_ended")

    @contextmanager
    def _end_stored(self) -> Iterator[None]:
        """Whatever ends the run, store that it ended."""
        try:
            yield
        except AxdeskError as error:
            if self.current.state.is_live:
                # A database that fails for a while says RUNNING until the run is resumed.
                is_left = isinstance(error, StorageError) and error.is_temporary
                state = RunState.INTERRUPTED if is_left else RunState.FAILED
                self._finish_if_possible(state, error.message)
            raise
        except BaseException as error:
            is_interrupt = isinstance(error, KeyboardInterrupt)
            state = RunState.INTERRUPTED if is_interrupt else RunState.FAILED
            self._finish_if_possible(state, f"{type(error).__name__}: {error}")
            raise

    def _finish_if_possible(self, state: RunState, reason: str) -> None:
        try:
            self._finish(state, reason)
        except Exception as error:  # noqa: BLE001  # must not hide why the run ended
            is_known = isinstance(error, StorageError)
            _log.warning("The end of the run is not stored: %s", error, exc_info=not is_known)
            self.current = replace(self.current, state=state, reason=reason)

    def _finish(self, state: RunState, reason: str) -> None:
        run = self.current.moved_to(
            state,
            reason=reason,
            ended_at=self.clock.now(),
            elapsed_seconds=self._limits.run_elapsed,
        )
        self.keeping.retry()
        if self.keeping.error is not None:
            raise StorageError(
                self.keeping.error.message,
                "Resume the run once the database works: what it did not take is fetched again.",
                is_temporary=True,
            )
        with self.keeping.strictly():
            self.keep_run(run)

    # ---- store, then publish ---------------------------------------------------------------------

    def keep(self, trial: Trial, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store a trial's snapshot, then publish it."""
        self.keeping.keep(trial, audit)
        if trial.status is TrialStatus.COMPLETED:
            self._limits.judge_again()

    def keep_run(self, run: Run, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store the run's snapshot, then publish it."""
        self.keeping.keep_run(run, audit)
        if run.settings != self.current.settings:
            self._limits.judge_again()
        self.current = run

    def keep_run_elapsed(self) -> None:
        """Store the time that the run has taken so far, which is no news."""
        run = replace(self.current, elapsed_seconds=self._limits.run_elapsed)
        self.keeping.keep_run(run, is_news=False)
        self.current = run

    def edit(self, setup: ExperimentSetup) -> None:
        """Store another set-up, and suggest by it from now on."""
        before, experiment = self.experiment.setup, self.experiment
        edit_setup(experiment, self.store, setup, self.clock.now(), self._check_space)
        if experiment.setup == before:
            return
        if replace(setup, description=before.description, owner=before.owner) != before:
            self._suggesting.start_anew()
            self._limits.judge_again()
        versions = experiment.search_space_version, experiment.optimization_version
        self.publish(SetupChanged(experiment.setup, *versions))
        if experiment.optimization != before.optimization:
            self._limits.warn_of_unheeded_rules()

    def change_state(self, state: RunState, reason: str = "") -> None:
        """Move the run to another state."""
        before = self.current.state
        self.keep_run(
            self.current.moved_to(state, reason=reason, elapsed_seconds=self._limits.run_elapsed)
        )
        if not state.launches:
            self._launching.withdraw()
        if state is RunState.RUNNING:
            self._stopping.reason = None
            self.follow_running()
            self._limits.overruled(before)

    def warn(self, message: str, hint: str = "") -> None:
        """Tell the operator something that needs no answer."""
        self.publish(Warned(message, hint))
