"""Trials of which nobody knows whether they started: ask the runner, then a person."""

from dataclasses import dataclass, replace
from typing import Any

from axdesk.core.commands import AnswerQuestion
from axdesk.core.errors import AxdeskError, DeadlineError
from axdesk.core.questions import Answer, FailedCall, Question
from axdesk.core.trial import Trial, TrialStatus
from axdesk.orchestration.calls import PendingCall, pause_after
from axdesk.orchestration.loop import Loop

_REDEPLOYMENTS_AFTER_ERRORS = 1
"""How often a trial whose `run_trial` raised and that surely was not started is deployed again."""


@dataclass(slots=True)
class _Search:
    """A `find_trial` that is under way, or is asked again."""

    call: PendingCall[dict[str, Any] | None] | None
    failures: int = 0
    again_at: float = 0.0


class Uncertain:
    """Lives in the scheduler's thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._searches: dict[int, _Search] = {}
        self._errors: dict[int, str] = {}
        self._retries: dict[int, int] = {}

    @property
    def searched(self) -> int:
        """How many trials the runner is looking for."""
        return len(self._searches)

    def due_at(self) -> list[float | None]:
        """Return the monotonic times at which the runner is asked again."""
        return [search.again_at for search in self._searches.values() if search.call is None]

    def add(self, trial: Trial, happened: str) -> None:
        """Take a trial that was staged when axdesk ended."""
        marked = replace(trial, may_have_started=True, reason=trial.reason or happened)
        self._loop.keep(marked)
        if self._loop.calls.can_find:
            self._search(marked)
        else:
            self._decide(marked)

    def after_error(self, trial: Trial, reason: str) -> None:
        """Take a trial whose `run_trial` failed: it may have started all the same."""
        if not self._loop.calls.can_find:
            self._loop.give_up(trial, FailedCall.RUN, reason, may_have_started=True)
            return
        self._loop.questions.withdraw(trial.index)
        marked = replace(trial, may_have_started=True, reason=reason)
        self._loop.keep(marked)
        self.search_again(marked)

    def search_again(self, trial: Trial) -> None:
        """Ask the runner for a trial whose `run_trial` failed, as its reason tells."""
        self._errors[trial.index] = trial.reason
        self._search(trial)

    def forget(self, index: int) -> None:
        """Nothing is to be found out about a trial any more."""
        self._searches.pop(index, None)
        self._errors.pop(index, None)

    def step(self) -> None:
        """Take what the runner found."""
        now = self._loop.clock.monotonic()
        for index, search in list(self._searches.items()):
            trial = self._loop.experiment.trial(index)
            call = search.call
            if call is None:
                if now >= search.again_at:
                    search.call = self._asked(trial)
                continue
            if not call.is_done and not call.is_late(now):
                continue
            try:
                if not call.is_done:
                    raise DeadlineError("find_trial did not answer in time.")
                metadata = call.answer()
            except AxdeskError as error:
                if call.is_done and self._is_asked_again(trial, search, error, now):
                    continue
                del self._searches[index]
                self._loop.warn(f"Trial {index} could not be looked for: {error.message}")
                self._not_known(trial)
            else:
                del self._searches[index]
                self._found(trial, metadata)

    def _is_asked_again(
        self, trial: Trial, search: _Search, error: AxdeskError, now: float
    ) -> bool:
        """Count a failure; ask again later, within the budget."""
        settings = self._loop.current.settings
        search.failures += 1
        if search.failures >= settings.orchestration.retry_budget.poll:
            return False
        search.call = None
        search.again_at = now + pause_after(search.failures, error, trial.index, settings)
        return True

    def answer(self, question: Question, command: AnswerQuestion) -> None:
        """Carry out what the operator answered."""
        trial = self._loop.experiment.trial(question.trial_index)
        match command.answer:
            case Answer.ASK_RUNNER:
                self._search(trial)
            case Answer.REDEPLOY:
                self._loop.deploy_again(trial)
            case Answer.ABANDON:
                self._abandon(trial)
            case _:
                text = trial.reason
                text = text if "may have started" in text else f"{text} (may have started)"
                self._loop.fail(trial, text, may_have_started=True)

    def _search(self, trial: Trial) -> None:
        self._searches[trial.index] = _Search(self._asked(trial))

    def _asked(self, trial: Trial) -> PendingCall[dict[str, Any] | None]:
        future = self._loop.calls.find_trial(trial.index, dict(trial.arm.parameters))
        deadline = self._loop.current.settings.orchestration.call_deadlines.poll
        what = f"find_trial of trial {trial.index}"
        return self._loop.open_calls.add(what, future, deadline, trial_index=trial.index)

    def _found(self, trial: Trial, metadata: dict[str, Any] | None) -> None:
        error = self._errors.pop(trial.index, None)
        if metadata is not None:
            self._tell_healed(trial, error, "The runner has found it all the same; it goes on.")
            self._loop.started(trial, metadata)
            return
        retries = self._retries.get(trial.index, 0)
        if error is not None and retries >= _REDEPLOYMENTS_AFTER_ERRORS:
            self._loop.give_up(trial, FailedCall.RUN, error, may_have_started=False)
            return
        self._retries[trial.index] = retries + (error is not None)
        self._tell_healed(trial, error, "The runner says that it did not start; it starts again.")
        self._loop.deploy_again(trial)

    def _tell_healed(self, trial: Trial, error: str | None, healed: str) -> None:
        """Tell whoever wrote the plugin of an error that costs nothing."""
        if error is not None:
            self._loop.warn(f"Trial {trial.index}: {error.rstrip('.')}.", healed)

    def _not_known(self, trial: Trial) -> None:
        error = self._errors.pop(trial.index, None)
        if error is None:
            self._decide(trial)
        else:
            self._loop.give_up(trial, FailedCall.RUN, error, may_have_started=True)

    def _decide(self, trial: Trial) -> None:
        """Do as the option says, or ask."""
        match self._loop.current.settings.orchestration.uncertain_deployment:
            case "redeploy":
                self._loop.deploy_again(trial)
            case "abandon":
                self._abandon(trial)
            case "ask":
                self._ask(trial)

    def _ask(self, trial: Trial) -> None:
        name = self._loop.calls.runner_name
        asks_runner = (Answer.ASK_RUNNER,) if self._loop.calls.can_find else ()
        question = Question(
            trial_index=trial.index,
            happened=f"Trial {trial.index} may have started: {trial.reason.rstrip('.')}.",
            did=f"{name} was not asked again, so that nothing runs twice. "
            "The other trials go on; nothing is suggested near it.",
            answers=(*asks_runner, Answer.REDEPLOY, Answer.MARK_FAILED, Answer.ABANDON),
        )
        self._loop.questions.ask(question)

    def _abandon(self, trial: Trial) -> None:
        self._loop.end(trial, TrialStatus.ABANDONED, may_have_started=True)
