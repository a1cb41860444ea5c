"""Questions that only a person can answer."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What is to become of a trial that the run asks about; the value is what is stored."""

    ASK_RUNNER = "ask_runner"
    REDEPLOY = "redeploy"
    MARK_FAILED = "mark_failed"
    ABANDON = "abandon"
    STOP_RUN = "stop_run"
    """End the run as by Stop; the trial stays as it is, and a resumed run sees to it again."""
    # A result that is entered for the trial answers the question too: the command EnterResult.


class FailedCall(StrEnum):
    """Which of a plugin's calls failed for good; the value is what is stored."""

    RUN = "run"
    POLL = "poll"
    FETCH = "fetch"


@dataclass(frozen=True, slots=True)
class Question:
    """One open question of a run.

    Attributes:
        trial_index: The trial that it is about; at most one question a trial is open.
        happened: What happened, as a sentence.
        did: What axdesk did.
        answers: What the operator may answer.
        failed_call: What failed, where the run asks before it marks a trial as failed (`on_error`);
            None for a trial of which nobody knows whether it started.
    """

    trial_index: int
    happened: str
    did: str
    answers: tuple[Answer, ...]
    failed_call: FailedCall | None = None

    def may_repeat(self, answer: Answer) -> bool:
        """Whether the answer may be given for the rest of the run.

        That a trial never ran cannot be said beforehand, and a trial that surely did not start is
        looked for anyway.
        """
        asks_again = answer is Answer.ASK_RUNNER and self.failed_call is not FailedCall.RUN
        is_offered = answer in self.answers
        return (
            is_offered
            and self.failed_call is not None
            and (asks_again or answer is Answer.MARK_FAILED)
        )
