"""The part of a client that runs trials, and steers the run that goes on."""

import os
import platform
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from axdesk import generation
from axdesk.api.client_state import ClientState
from axdesk.api.interrupts import steered_by_signals
from axdesk.core.arguments import with_checked_arguments
from axdesk.core.clock import SystemClock
from axdesk.core.commands import (
    Abandon,
    AnswerQuestion,
    MarkFailed,
    Pause,
    Resume,
    Stop,
    StopNow,
)
from axdesk.core.errors import (
    DeadlineError,
    PreflightError,
    TransitionError,
    TrialFailedError,
    UnsupportedError,
    UserInputError,
)
from axdesk.core.events import Event, Publish
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry, PluginCalls
from axdesk.core.questions import Answer
from axdesk.core.run import OrchestrationConfig, Run, RunSettings, RunState
from axdesk.core.trial import TrialStatus
from axdesk.orchestration.scheduler import Scheduler
from axdesk.orchestration.setup_commands import refuse_unfetched_metrics, refuse_without_baseline
from axdesk.plugins.calls import ThreadedPluginCalls


@with_checked_arguments
class RunMethods(ClientState):
    """Runs trials."""

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
            refuse_without_baseline(experiment, experiment.setup)
            scheduler = Scheduler(
                experiment,
                run,
                store=self._store,
                generator=self._used_optimizer(),
                calls=calls,
                publish=on_event or _ignore,
                clock=SystemClock(),
                check_space=generation.check_feasible,
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
                self._take_setup()
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
        refuse_unfetched_metrics(self._configured_optimization(), self._calls.metric_names)
        self._check_names(self._calls.metric_names)
        return self._calls

    def ask_runner(self, trial_index: int) -> TrialStatus | None:
        """Ask how a trial fares that no run follows; blocks, and stores nothing.

        Args:
            trial_index: From 0, of a trial that was deployed, or may have been.

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

    def pause(self) -> None:
        """Start no new trials, and let running ones finish; from any thread.

        Raises:
            TransitionError: If no run goes on.
        """
        self._order(Pause())

    def resume(self) -> None:
        """Start trials again, after `pause` or `stop`; from any thread.

        Raises:
            TransitionError: If no run goes on.
        """
        self._order(Resume())

    def stop(self) -> None:
        """End the run once its running trials have finished; from any thread.

        Raises:
            TransitionError: If no run goes on.
        """
        self._order(Stop())

    def stop_now(self) -> None:
        """Stop the running trials and end the run; from any thread.

        Raises:
            TransitionError: If no run goes on.
        """
        self._order(StopNow())

    def answer_question(
        self, trial_index: int, answer: Answer, *, for_the_rest: bool = False
    ) -> None:
        """Say what is to become of a trial that the run asks about; from any thread.

        A run that asks does as told. With no run on, the answer is stored, and the next run does
        as it says. A result that is known is entered with `complete_trial` instead.

        Args:
            trial_index: As `QuestionAsked` and `DecisionNeededError` name it.
            answer: One of those that the question offers.
            for_the_rest: Whether the run gives it to each further error of this kind, too; only
                while a run goes on, and where the question's `may_repeat` says so.

        Raises:
            UserInputError: If no such question is open, or the answer is not among its answers.
            TransitionError: If it is for the rest of a run, and none goes on.
        """
        with self._lock:
            is_asked_now = self._scheduler is not None
        if is_asked_now:
            self._order(AnswerQuestion(trial_index, answer, for_the_rest))
            return
        if for_the_rest:
            raise TransitionError("No run goes on.", "Resume it, and answer while it asks.")
        self._refuse_without_question(trial_index, answer)
        trial = self.experiment.trial(trial_index)
        match answer:
            case Answer.ASK_RUNNER | Answer.STOP_RUN:
                pass  # no run goes on, and the next one asks the runner
            case Answer.REDEPLOY:
                self._let_deploy(trial_index)
            case Answer.MARK_FAILED:
                is_staged = trial.status is TrialStatus.STAGED
                reason = "marked as failed (may have started)" if is_staged else trial.reason
                self._order(MarkFailed(trial_index, reason))
            case Answer.ABANDON:
                self._order(Abandon(trial_index))

    def _refuse_without_question(self, trial_index: int, answer: Answer) -> None:
        trial = self.experiment.trial(trial_index)
        # A reason is what a trial has that runs and whose calls failed for good.
        is_error = trial.status is TrialStatus.RUNNING and trial.reason != ""
        if not (is_error or trial.status is TrialStatus.STAGED):
            raise UserInputError(
                f"No question about trial {trial_index} is open: it is {trial.status.words}."
            )
        if is_error and answer in (Answer.REDEPLOY, Answer.ABANDON):
            raise UserInputError(
                f"{answer!r} is no answer here: trial {trial_index} has started.",
                "Mark it as failed, or enter its result; a resumed run asks the runner again.",
            )

    def _let_deploy(self, trial_index: int) -> None:
        experiment = self.experiment
        with self._store.control(experiment):
            self._refuse_without_question(trial_index, Answer.REDEPLOY)
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


def _ignore(event: Event) -> None:
    """A run that nobody watches."""
