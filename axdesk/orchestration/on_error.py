"""What is done when a plugin's call failed for good: go on, ask a person, or end the run."""

from dataclasses import replace

from axdesk.core.commands import AnswerQuestion
from axdesk.core.protocols import AuditEntry
from axdesk.core.questions import Answer, FailedCall, Question
from axdesk.core.run import STOPPED_BY_ERROR, RunState
from axdesk.core.trial import Trial
from axdesk.orchestration.following import Following
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.uncertain import Uncertain


class OnError:
    """Carries out `on_error`; lives in the scheduler's thread.

    A trial that is asked about stays as it is stored: STAGED or RUNNING, with the reason. So a
    resumed run sees to it as to any other, and asks again if its call fails again.
    """

    def __init__(self, loop: Loop, following: Following, uncertain: Uncertain) -> None:
        self._loop = loop
        self._following = following
        self._uncertain = uncertain

    def take(
        self,
        trial: Trial,
        call: FailedCall,
        reason: str,
        *,
        may_have_started: bool,
        is_under_way: bool,
    ) -> None:
        """Take a trial that is about to fail.

        Args:
            trial: STAGED if its `run_trial` failed, else RUNNING.
            call: What failed.
            reason: Why, as the trial's reason shall tell.
            may_have_started: Whether nobody knows whether it did.
            is_under_way: Whether the call has not ended, so that its answer may still come.
        """
        policy = self._loop.current.settings.orchestration.on_error
        standing = dict(self._loop.current.standing_answers).get(call)
        if policy == "pause" and standing is Answer.ASK_RUNNER:
            pause = self._loop.current.settings.orchestration.max_seconds_between_polls
            self._following.follow(trial, self._loop.clock.monotonic() + pause)
        elif policy == "pause" and standing is None:
            self._ask(trial, call, reason, may_have_started, is_under_way)
        else:
            self._fail(trial, reason, may_have_started=may_have_started)
            if policy == "stop" and self._loop.current.state is not RunState.STOPPING:
                told = f"{STOPPED_BY_ERROR} of trial {trial.index}: {reason}"
                self._loop.change_state(RunState.STOPPING, told)

    def _ask(
        self, trial: Trial, call: FailedCall, reason: str, may_have_started: bool, open_: bool
    ) -> None:
        elapsed = self._following.elapsed(trial)
        self._following.forget(trial.index)
        self._loop.keep(
            replace(
                trial, reason=reason, may_have_started=may_have_started, elapsed_seconds=elapsed
            )
        )
        asks = call is not FailedCall.RUN or (may_have_started and self._loop.calls.can_find)
        answers = [
            *([Answer.ASK_RUNNER] if asks and not open_ else []),
            *([Answer.REDEPLOY] if call is FailedCall.RUN and not open_ else []),
            Answer.MARK_FAILED,
            Answer.STOP_RUN,
        ]
        pauses = self._loop.current.state is RunState.RUNNING
        did = "Nothing new starts until you decide" if pauses else "It is left as it is"
        self._loop.questions.ask(
            Question(
                trial.index,
                happened=f"Trial {trial.index}: {reason.rstrip('.')}.",
                did=f"{did}; what runs goes on.",
                answers=tuple(answers),
                failed_call=call,
            )
        )
        if pauses:
            reason = f"a decision is needed about trial {trial.index}"
            self._loop.change_state(RunState.NEEDS_ATTENTION, reason)

    def answer(self, question: Question, command: AnswerQuestion) -> None:
        """Carry out what the operator answered."""
        if command.for_the_rest:
            self._remember(question, command.answer)
        trial = self._loop.experiment.trial(question.trial_index)
        match command.answer:
            case Answer.ASK_RUNNER if question.failed_call is FailedCall.RUN:
                self._uncertain.search_again(trial)
            case Answer.ASK_RUNNER:
                again = replace(trial, reason="")
                self._loop.keep(again)
                self._following.follow(again, self._loop.clock.monotonic())
            case Answer.REDEPLOY:
                self._loop.deploy_again(trial)
            case Answer.STOP_RUN:
                if self._loop.current.state is not RunState.STOPPING:
                    self._loop.change_state(RunState.STOPPING, "stopped by the operator")
            case _:
                self._fail(trial, trial.reason, may_have_started=trial.may_have_started)

    def _remember(self, question: Question, answer: Answer) -> None:
        call = question.failed_call
        if call is None:
            raise AssertionError("such a question has no answer for the rest of the run")
        entry = AuditEntry(
            self._loop.clock.now(),
            "answer_question",
            question.trial_index,
            before=question.happened,
            after=f"{answer}, for the rest of the run",
        )
        run = self._loop.current
        others = tuple(standing for standing in run.standing_answers if standing[0] is not call)
        self._loop.keep_run(replace(run, standing_answers=(*others, (call, answer))), (entry,))

    def _fail(self, trial: Trial, reason: str, *, may_have_started: bool) -> None:
        is_told = not may_have_started or "may have started" in reason
        text = reason if is_told else f"{reason} (may have started)"
        self._loop.fail(trial, text, may_have_started=may_have_started)
