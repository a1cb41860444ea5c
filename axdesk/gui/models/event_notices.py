"""Attention brought up to date by the events of a run."""

from collections.abc import Callable
from datetime import datetime

from axdesk.core.events import (
    CallFailed,
    Event,
    FallbackUsed,
    QuestionAsked,
    StorageHealthChanged,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.attention_model import AttentionModel
from axdesk.gui.models.notices import (
    STORAGE_KEY,
    answering_again,
    failed_trial,
    fallback,
    health_key,
    not_answering,
    not_saving,
    warning,
)
from axdesk.gui.models.run_record import RunRecord


class EventNotices:
    """Adds the notices of an experiment, and takes away those that are settled."""

    def __init__(
        self, attention: AttentionModel, record: RunRecord, runner: Callable[[], str]
    ) -> None:
        """Tell nothing yet.

        Args:
            attention: Where notices stand.
            record: What is known; it has taken each event before this tells it.
            runner: What the operator knows the runner as.
        """
        self._attention, self._record, self._runner = attention, record, runner

    def tell(self, event: Event, before: Trial | None, now: datetime) -> None:
        """Tell what an event means for the operator; `before` is its trial until then."""
        match event:
            case TrialChanged(trial):
                if trial.status.is_terminal:
                    self._attention.remove(health_key(trial.index))
                was_failed = before is not None and before.status is TrialStatus.FAILED
                if trial.status is TrialStatus.FAILED and not was_failed:
                    details = self._record.details.get(trial.index, "")
                    self._attention.add(failed_trial(trial, now, details))
            case CallFailed(index, details):
                self._attention.tell_details(index, details)
            case TrialHealthChanged():
                self._tell_health(event, now)
            case QuestionAsked(question):
                # What is asked about a trial says it all.
                self._attention.remove(health_key(question.trial_index))
            case FallbackUsed(index, reason):
                self._attention.add(fallback(index, reason, now))
            case Warned(message, hint):
                self._attention.add(warning(message, hint, now))
            case _:
                pass

    def tell_outage(
        self, outage: StorageHealthChanged | None, now: datetime, *, is_running: bool
    ) -> None:
        """Tell why nothing can be saved; None where all can."""
        if outage is None:
            self._attention.remove(STORAGE_KEY)
        else:
            self._attention.add(not_saving(outage, now, is_running=is_running))

    def forget_health(self) -> None:
        """Take away what is said of trials that do not answer: no run asks them any more."""
        for index in self._record.unanswered:
            self._attention.remove(health_key(index))

    def _tell_health(self, health: TrialHealthChanged, now: datetime) -> None:
        """Keep one item for each trial that does not answer; settle it once it does."""
        run = self._record.last_run
        key = health_key(health.trial_index)
        known = self._attention.find(key)
        if health.failures and run is not None:
            config = run.settings.orchestration
            details = self._record.details.get(health.trial_index, "")
            self._attention.add(not_answering(health, config, self._runner(), now, details))
        elif known is not None and known.count > 1:
            self._attention.add(answering_again(known, now))
        else:
            self._attention.remove(key)
