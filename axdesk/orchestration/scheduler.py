"""The closed loop: suggest, stage, deploy, poll, fetch, record, until the budget is spent."""

import logging
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from queue import SimpleQueue
from typing import Any

from axdesk.core.commands import Command
from axdesk.core.errors import (
    AxdeskError,
    DecisionNeededError,
    TransitionError,
)
from axdesk.core.events import (
    Publish,
    QuestionAnswered,
    RunChanged,
    RunFinished,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.experiment import Experiment
from axdesk.core.failpoints import failpoint
from axdesk.core.protocols import AuditEntry, Clock, Generator, PluginCalls, TrialStore
from axdesk.core.questions import Answer, Question
from axdesk.core.run import Run, RunSettings, RunState
from axdesk.core.suggestions import Candidate
from axdesk.core.trial import Arm, Observation, Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall
from axdesk.orchestration.failure_rate import FailureRate
from axdesk.orchestration.run_commands import carry_out
from axdesk.orchestration.suggesting import Suggesting
from axdesk.orchestration.trial_watch import (
    Ended,
    Health,
    Laboratory,
    News,
    Progressed,
    Skipped,
    TrialWatch,
)
from axdesk.orchestration.uncertain import Uncertain

_HEARTBEAT_SECONDS = 60.0
"""How often the elapsed time of running trials is stored."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submitted:
    """A command in the scheduler's inbox, and the Future that answers it."""

    command: Command
    answer: "Future[None]"


@dataclass(slots=True)
class Launch:
    """A `run_trial` that is under way."""

    trial: Trial
    call: PendingCall[dict[str, Any]]
    is_late: bool = False


@dataclass(slots=True)
class Stopping:
    """A `stop_trial` that is under way, and what the trial becomes."""

    call: PendingCall[dict[str, Any]]
    status: TrialStatus
    reason: str
    is_certain: bool
    """Whether the trial becomes so even if it cannot be stopped."""


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
            waits_for_answers: Whether the run waits for a person when nothing but questions is
                left; otherwise it ends with a `DecisionNeededError`.
        """
        self.experiment = experiment
        self.current = run
        self.calls = calls
        self.clock = clock
        self.store = store
        self.publish = publish
        self._inbox: SimpleQueue[object] = SimpleQueue()
        self._waits_for_answers = waits_for_answers
        self._suggesting = Suggesting(
            experiment, generator, clock=clock, publish=publish, wake=self.wake
        )
        config = experiment.optimization
        self._lab = Laboratory(
            calls=calls,
            wake=self.wake,
            settings=lambda: self.current.settings,
            required=config.required_metrics,
            metrics=tuple(m for m in config.metric_names if m in calls.metric_names),
        )
        self._watches: dict[int, TrialWatch] = {}
        self.uncertain = Uncertain(self)
        self._redeploy: list[Trial] = []
        self._launch: Launch | None = None
        self._early: Future[tuple[str, ...]] | None = None
        self._stopping: dict[int, Stopping] = {}
        self._stop_reason: str | None = None
        self._failure_rate = FailureRate(experiment, lambda: self.current)
        self._started_at = clock.monotonic()
        self._run_seconds = run.elapsed_seconds
        self._trial_seconds: dict[int, tuple[float, float]] = {}
        self._next_launch_at = self._started_at
        self._next_heartbeat_at = self._started_at + _HEARTBEAT_SECONDS

    # ---- from any thread -------------------------------------------------------------------------

    def submit(self, command: Command) -> "Future[None]":
        """Hand a command to the run; from any thread, even from a signal handler."""
        answer: Future[None] = Future()
        self._inbox.put(Submitted(command, answer))
        return answer

    def wake(self) -> None:
        """Make the loop look at everything once more."""
        self._inbox.put(None)

    # ---- the loop --------------------------------------------------------------------------------

    def run(self) -> Run:
        """Carry the run out; blocks until it ends.

        Raises:
            FailureRateExceededError: If too many trials failed.
            DecisionNeededError: If only a person can say what became of some trials.
            StorageError: If the database cannot be used.
        """
        error: AxdeskError | None = None
        try:
            with self._end_stored():
                self._begin()
                self._step()
                while not self._is_over():
                    self._receive()
                    self._step()
                self._conclude()
        except AxdeskError as caught:
            error = caught
            raise
        finally:
            self.refuse_commands()
            self.publish(RunFinished(self.current, error))
        return self.current

    def _step(self) -> None:
        self._suggesting.take_answer(self._settings.orchestration.generation_time_limit)
        self._take_launch()
        self.uncertain.step()
        self._take_stops()
        self._follow_trials()
        self._keep_limits()
        self._check_failure_rate()
        self._settle_state()
        self._launch_next()
        self._look_ahead()

    def _begin(self) -> None:
        self.keep_run(self.current)
        failpoint("run_stored")
        self._early = self.calls.available_while_running()
        self._early.add_done_callback(lambda _: self.wake())
        for trial in self.experiment.with_status(TrialStatus.STAGED):
            self.uncertain.add(trial, "axdesk ended before the runner had answered")
        self.change_state(RunState.RUNNING)

    def _receive(self) -> None:
        """Wait for something to do, then carry out every command that has come in."""
        item = self.clock.receive(self._inbox, self._seconds_to_wait())
        while item is not None or not self._inbox.empty():
            if isinstance(item, Submitted):
                self._answer(item)
            item = self._inbox.get() if not self._inbox.empty() else None

    def _answer(self, submitted: Submitted) -> None:
        if not submitted.answer.set_running_or_notify_cancel():
            return
        self._count_elapsed()
        try:
            carry_out(self, self.uncertain, submitted.command)
        except AxdeskError as error:
            submitted.answer.set_exception(error)
        except BaseException as error:
            submitted.answer.set_exception(error)
            raise
        else:
            submitted.answer.set_result(None)

    def refuse_commands(self) -> None:
        """Answer commands that came too late."""
        while not self._inbox.empty():
            item = self._inbox.get()
            if isinstance(item, Submitted) and item.answer.set_running_or_notify_cancel():
                item.answer.set_exception(
                    TransitionError("The run has ended.", "Resume it, or start another.")
                )

    def _seconds_to_wait(self) -> float | None:
        now = self.clock.monotonic()
        more = self._settings.orchestration
        times = [watch.wakes_at(now) for watch in self._watches.values()]
        times += [stop.call.when_late(now) for stop in self._stopping.values()]
        times += self.uncertain.late_at(now)
        times += [self._suggesting.late_at(more.generation_time_limit), self._limit_at()]
        if self._launch is not None and not self._launch.is_late:
            times.append(self._launch.call.when_late(now))
        if self._may_launch() and now < self._next_launch_at:
            times.append(self._next_launch_at)
        if self._watches:
            times.append(self._next_heartbeat_at)
        known = [time for time in times if time is not None]
        # A call that waits in its plugin's queue is not late yet: look again at the next poll.
        return max(0.0, min(known) - now) if known else self._idle_seconds()

    def _idle_seconds(self) -> float | None:
        return self._settings.initial_seconds_between_polls if self._occupied else None

    # ---- suggest and deploy ----------------------------------------------------------------------

    @property
    def _settings(self) -> RunSettings:
        return self.current.settings

    @property
    def _remaining(self) -> int:
        used = len(self.experiment.of_run(self.current))
        return max(0, self._settings.max_trials - used)

    @property
    def _occupied(self) -> int:
        """Slots that are taken; a trial about which only a person knows takes none."""
        followed = len(self._watches) + len(self._stopping)
        return followed + self.uncertain.searched + (self._launch is not None)

    def _may_launch(self) -> bool:
        has_slot = self._occupied < self._settings.parallelism
        has_trial = self._remaining > 0 or bool(self._redeploy)
        return self.current.state.launches and self._launch is None and has_slot and has_trial

    def _launch_next(self) -> None:
        if not self._may_launch():
            return
        if self._redeploy:
            if self.clock.monotonic() >= self._next_launch_at:
                self._deploy(self._redeploy.pop(0))
            return
        self._suggesting.prepare()
        # One at a time: each candidate knows every result, in a resumed run as in any other.
        is_sequential = self._settings.parallelism == 1
        usual_seconds = None if is_sequential else self._usual_trial_seconds()
        candidate = self._suggesting.ready(usual_seconds)
        if candidate is not None and self.clock.monotonic() >= self._next_launch_at:
            self._suggesting.taken()
            self._deploy(self._staged(candidate))

    def _look_ahead(self) -> None:
        """Let the optimiser work while trials run."""
        if self.current.state.launches and self._remaining > 0:
            self._suggesting.prepare()

    def _staged(self, candidate: Candidate) -> Trial:
        failpoint("candidate_ready")
        index = self.experiment.next_index
        trial = Trial(
            index=index,
            arm=Arm(f"{index}_0", candidate.parameters),
            generation=candidate.generation,
            run_index=self.current.index,
            search_space_version=self.experiment.search_space_version,
        ).moved_to(TrialStatus.STAGED, staged_at=self.clock.now())
        self.keep(trial)
        failpoint("trial_staged")
        return trial

    def _deploy(self, trial: Trial) -> None:
        future = self.calls.run_trial(trial.index, dict(trial.arm.parameters))
        deadline = self._settings.orchestration.call_deadlines.run
        self._launch = Launch(trial, PendingCall(future, deadline, self.wake))

    def deploy_again(self, trial: Trial) -> None:
        """Deploy a staged trial that surely was not started, as soon as a slot is free."""
        self._redeploy.append(trial)

    def _take_launch(self) -> None:
        launch = self._launch
        if launch is None:
            return
        now = self.clock.monotonic()
        if not launch.call.is_done:
            if not launch.is_late and launch.call.is_late(now):
                self._give_up_waiting(launch)
            return
        self._launch = None
        self._next_launch_at = now + self._settings.orchestration.min_seconds_between_launches
        trial = self.experiment.trial(launch.trial.index)
        try:
            metadata = launch.call.answer()
        except AxdeskError as error:
            if trial.status is TrialStatus.STAGED:
                self.uncertain.after_error(trial, error.message)
            return
        failpoint("trial_deployed")
        if trial.status in (TrialStatus.STAGED, TrialStatus.FAILED):
            self.started(trial, metadata)

    def _give_up_waiting(self, launch: Launch) -> None:
        """Count the trial as failed; should the answer come late, it is adopted."""
        launch.is_late = True
        seconds = self._settings.orchestration.call_deadlines.run
        reason = f"run_trial did not answer within {seconds:g} s; the trial may have started"
        trial = self.experiment.trial(launch.trial.index)
        if trial.status is TrialStatus.STAGED:
            self._end(trial, TrialStatus.FAILED, reason=reason, may_have_started=True)
        self.warn(
            f"{self.calls.runner_name} is not answering (#{launch.trial.index}).",
            "Nothing new starts before it answers. Stop now leaves it behind.",
        )

    def started(self, trial: Trial, metadata: Mapping[str, Any]) -> None:
        """Keep a trial as running: the runner has answered, or found it."""
        twin = next(
            (t for t in self.experiment.with_status(TrialStatus.RUNNING) if t.metadata == metadata),
            None,
        )
        running = trial.moved_to(
            TrialStatus.RUNNING,
            metadata=metadata,
            started_at=trial.started_at or self.clock.now(),
            finished_at=None,
            may_have_started=False,
            reason="",
        )
        self.keep(running)
        failpoint("trial_running")
        interval = self._settings.initial_seconds_between_polls
        self._watch(running, self.clock.monotonic() + interval)
        if twin is not None and metadata:
            self.warn(
                f"Trials {twin.index} and {trial.index} run at once with equal metadata, "
                f"{dict(metadata)}.",
                "If the metadata names a file or a job, one of the two may read the other's "
                "result; name it by trial index.",
            )
        if self._stop_reason is not None:
            self._stop_trial(running, TrialStatus.ABANDONED, self._stop_reason, is_certain=False)

    def _watch_running(self) -> None:
        """Follow what runs and is not followed: after a restart, or a stop that was cancelled."""
        for trial in self.experiment.with_status(TrialStatus.RUNNING):
            is_followed = trial.index in self._watches or trial.index in self._stopping
            if trial.metadata is not None and not is_followed:
                self._watch(trial, self.clock.monotonic())

    def _watch(self, trial: Trial, due_at: float) -> None:
        now = self.clock.monotonic()
        self._trial_seconds[trial.index] = (trial.elapsed_seconds, now)
        self._watches[trial.index] = TrialWatch(self._lab, trial, due_at)

    # ---- follow running trials -------------------------------------------------------------------

    def _follow_trials(self) -> None:
        if self._early is not None and self._early.done():
            future, self._early = self._early, None
            try:
                early = future.result(timeout=0)
            except AxdeskError as error:
                self.warn(error.message)
            else:
                self._lab.early = tuple(m for m in early if m in self._lab.metrics)
        for index, watch in list(self._watches.items()):
            for news in watch.step(self.clock.monotonic()):
                self._take_news(index, news)
        if self.clock.monotonic() >= self._next_heartbeat_at:
            self._store_elapsed()

    def _take_news(self, index: int, news: News) -> None:
        trial = self.experiment.trial(index)
        match news:
            case Ended(status=status, observations=observations, reason=reason):
                failpoint("results_fetched")
                kept = {} if not observations else {"observations": _joined(trial, observations)}
                self._end(trial, status, reason=reason, **kept)
                failpoint("trial_recorded")
            case Progressed(observations=observations):
                joined = _joined(trial, observations)
                if joined != trial.observations:
                    self.keep(replace(trial, observations=joined))
            case Health(failures=failures, reason=reason):
                self.publish(TrialHealthChanged(index, failures, reason))
            case Skipped(reason=reason):
                self.warn(f"Trial {index}: {reason}")

    def _end(self, trial: Trial, status: TrialStatus, **changes: Any) -> None:
        self.forget(trial.index)
        elapsed = self._elapsed(trial)
        self.keep(
            trial.moved_to(status, finished_at=self.clock.now(), elapsed_seconds=elapsed, **changes)
        )

    def fail(self, trial: Trial, reason: str, *, may_have_started: bool) -> None:
        """Keep a trial as failed."""
        self._end(trial, TrialStatus.FAILED, reason=reason, may_have_started=may_have_started)

    def forget(self, index: int) -> None:
        """No longer follow a trial."""
        self._watches.pop(index, None)
        self._stopping.pop(index, None)
        self._redeploy = [t for t in self._redeploy if t.index != index]
        self.uncertain.forget(index)

    def _elapsed(self, trial: Trial) -> float:
        before, since = self._trial_seconds.get(trial.index, (trial.elapsed_seconds, None))
        return before if since is None else before + self.clock.monotonic() - since

    def _store_elapsed(self) -> None:
        self._next_heartbeat_at = self.clock.monotonic() + _HEARTBEAT_SECONDS
        self._count_elapsed()
        for index in self._watches:
            self.keep(self.experiment.trial(index))

    def _count_elapsed(self) -> None:
        """Bring the elapsed times in memory up to date; the next commit stores them."""
        for index in self._watches:
            trial = self.experiment.trial(index)
            self.experiment.put(replace(trial, elapsed_seconds=self._elapsed(trial)))

    def _usual_trial_seconds(self) -> float | None:
        done = self.experiment.with_status(TrialStatus.COMPLETED)
        seconds = [t.elapsed_seconds for t in done if t.run_index is not None]
        return sum(seconds) / len(seconds) if seconds else None

    # ---- limits and stopping ---------------------------------------------------------------------

    def _run_elapsed(self) -> float:
        return self._run_seconds + self.clock.monotonic() - self._started_at

    def _limit_at(self) -> float | None:
        """Return when the next time limit of a trial or of the run passes."""
        now, more = self.clock.monotonic(), self._settings.orchestration
        times = []
        if more.run_time_limit is not None and self.current.state.launches:
            times.append(now + more.run_time_limit - self._run_elapsed())
        if more.trial_time_limit is not None:
            running = (self.experiment.trial(index) for index in self._watches)
            times += [now + more.trial_time_limit - self._elapsed(trial) for trial in running]
        return min(times, default=None)

    def _keep_limits(self) -> None:
        more = self._settings.orchestration
        limit = more.run_time_limit
        if limit is not None and self.current.state.launches and self._run_elapsed() >= limit:
            self.change_state(RunState.STOPPING, f"the time limit of {limit:g} s was reached")
        limit = more.trial_time_limit
        for index in list(self._watches) if limit is not None else ():
            trial = self.experiment.trial(index)
            if limit is not None and self._elapsed(trial) >= limit:
                reason = f"took longer than {limit:g} s"
                self._stop_trial(trial, TrialStatus.FAILED, reason, is_certain=True)

    def stop_now(self, reason: str = "stopped by the operator") -> None:
        """Stop every running trial through the runner; asked twice, wait for nothing more."""
        if self._stop_reason is not None:
            self._stopping.clear()
            self._launch = None
        self._stop_reason = reason
        if self._launch is not None and self._launch.is_late:
            self._launch = None
        for index in list(self._watches):
            trial = self.experiment.trial(index)
            self._stop_trial(trial, TrialStatus.ABANDONED, reason, is_certain=False)

    def _stop_trial(
        self, trial: Trial, status: TrialStatus, reason: str, *, is_certain: bool
    ) -> None:
        if self.calls.can_stop:
            del self._watches[trial.index]
            future = self.calls.stop_trial(trial.index, trial.metadata or {})
            seconds = self._settings.orchestration.call_deadlines.stop
            call = PendingCall(future, seconds, self.wake)
            self._stopping[trial.index] = Stopping(call, status, reason, is_certain)
        elif is_certain:
            self._end(trial, status, reason=f"{reason}; the runner cannot stop trials")
        else:
            self._leave(trial)

    def _leave(self, trial: Trial) -> None:
        """Let a trial run on that cannot be stopped; a later sitting follows it again."""
        self._watches.pop(trial.index, None)
        self.keep(replace(trial, elapsed_seconds=self._elapsed(trial)))

    def _take_stops(self) -> None:
        for index, stop in list(self._stopping.items()):
            if not stop.call.is_done and not stop.call.is_late(self.clock.monotonic()):
                continue
            del self._stopping[index]
            trial = self.experiment.trial(index)
            try:
                if not stop.call.is_done:
                    raise TransitionError("stop_trial did not answer in time.")
                stop.call.answer()
            except AxdeskError as error:
                self.warn(f"Trial {index} could not be stopped: {error.message}")
                if stop.is_certain:
                    self._end(trial, stop.status, reason=f"{stop.reason}; it may go on")
                    continue
                self._leave(trial)
                if self._stop_reason is None:
                    self._watch_running()
            else:
                self._end(trial, stop.status, reason=stop.reason)

    def _check_failure_rate(self, *, at_end: bool = False) -> None:
        # Trials that are stopped on purpose are no failures.
        if self._stop_reason is not None or not self._failure_rate.check(at_end=at_end):
            return
        if not at_end and self.current.state is not RunState.STOPPING:
            self.change_state(RunState.STOPPING, self._failure_rate.told)
        if self._settings.orchestration.when_failure_rate_exceeded == "stop":
            self.stop_now("stopped because too many trials failed")

    # ---- state -----------------------------------------------------------------------------------

    def _settle_state(self) -> None:
        """Follow what became of the trials: pausing is done, questions are all that is left."""
        state = self.current.state
        if state is RunState.PAUSING and not self._occupied:
            self.change_state(RunState.PAUSED)
        if state is RunState.RUNNING and self._waits_for_answers and self._only_questions_left():
            self.change_state(RunState.NEEDS_ATTENTION, "a decision is needed")

    def _is_spent(self) -> bool:
        has_next = self._remaining > 0 and not self._suggesting.is_exhausted
        return not (has_next or self._redeploy or self._occupied)

    def _only_questions_left(self) -> bool:
        return self._is_spent() and bool(self.uncertain.questions)

    def _is_over(self) -> bool:
        match self.current.state:
            case RunState.STOPPING:
                ends_now = self._stop_reason is not None
                is_left = ends_now and self._launch is not None and self._launch.is_late
                is_idle = not self._stopping and (self._launch is None or is_left)
                return is_idle and (ends_now or not self._watches)
            case RunState.RUNNING:
                waits = self._waits_for_answers and bool(self.uncertain.questions)
                return self._is_spent() and not waits
            case _:
                return False

    def _conclude(self) -> None:
        failpoint("run_ending")
        if self.current.state is not RunState.STOPPING:
            self._check_failure_rate(at_end=True)
        if self._failure_rate.exceeded:
            raise self._failure_rate.error()
        if self.current.state is RunState.STOPPING:
            self._finish(RunState.STOPPED, self.current.reason)
        elif self.uncertain.questions:
            indices = tuple(self.uncertain.questions)
            names = ", ".join(f"#{index}" for index in indices)
            self._finish(RunState.STOPPED, f"a decision is needed about {names}")
            raise DecisionNeededError(
                f"Nobody knows what became of {names}.",
                "Look at the instrument, then enter a result, mark it failed, abandon it, or "
                "choose what to do by uncertain_deployment.",
                trial_indices=indices,
            )
        else:
            reason = "every allowed point was tried" if self._suggesting.is_exhausted else ""
            self._finish(RunState.COMPLETED, reason)
        failpoint("run_ended")

    @contextmanager
    def _end_stored(self) -> Iterator[None]:
        """Whatever ends the run, store that it ended."""
        try:
            yield
        except AxdeskError as error:
            if self.current.state.is_live:
                self._finish_if_possible(RunState.FAILED, error.message)
            raise
        except BaseException as error:
            is_interrupt = isinstance(error, KeyboardInterrupt)
            state = RunState.INTERRUPTED if is_interrupt else RunState.FAILED
            self._finish_if_possible(state, f"{type(error).__name__}: {error}")
            raise

    def _finish_if_possible(self, state: RunState, reason: str) -> None:
        try:
            self._finish(state, reason)
        except Exception:  # noqa: BLE001  # must not hide why the run ended
            _log.exception("The end of the run could not be stored")
            self.current = replace(self.current, state=state, reason=reason)

    def _finish(self, state: RunState, reason: str) -> None:
        run = self.current.moved_to(
            state, reason=reason, ended_at=self.clock.now(), elapsed_seconds=self._run_elapsed()
        )
        self.keep_run(run)

    # ---- store, then publish ---------------------------------------------------------------------

    def keep(self, trial: Trial, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store a trial's snapshot, then publish it."""
        self.store.save_trial(self.experiment, trial, audit)
        self.took(trial)

    def took(self, trial: Trial) -> None:
        """Publish a trial's snapshot that is stored."""
        self.experiment.put(trial)
        self.publish(TrialChanged(trial))

    def keep_run(self, run: Run, audit: tuple[AuditEntry, ...] = ()) -> None:
        """Store the run's snapshot, then publish it."""
        self.store.save_run(self.experiment, run, audit)
        self.experiment.put_run(run)
        self.current = run
        self.publish(RunChanged(run))

    def change_state(self, state: RunState, reason: str = "") -> None:
        """Move the run to another state."""
        before = self.current.state
        self.keep_run(
            self.current.moved_to(state, reason=reason, elapsed_seconds=self._run_elapsed())
        )
        if state is RunState.RUNNING:
            self._stop_reason = None
            self._watch_running()
            if before in (RunState.STARTING, RunState.STOPPING):
                self._failure_rate.forgive()

    def warn(self, message: str, hint: str = "") -> None:
        """Tell the operator something that needs no answer."""
        self.publish(Warned(message, hint))

    def settle_question(self, question: Question, answer: Answer | None) -> None:
        """Tell that a question is settled, and go on if the run waited for it."""
        self.publish(QuestionAnswered(question.trial_index, answer))
        if self.current.state is RunState.NEEDS_ATTENTION and not self.uncertain.questions:
            self.change_state(RunState.RUNNING)

    def adopt(self, trial: Trial) -> None:
        """Follow or forget a trial that a command changed and stored."""
        self.took(trial)
        if trial.status.is_terminal:
            question = self.uncertain.questions.get(trial.index)
            self.forget(trial.index)
            if question is not None:
                self.settle_question(question, None)


def _joined(trial: Trial, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """The trial's observations with those that are new."""
    return (*trial.observations, *(o for o in observations if o not in trial.observations))
