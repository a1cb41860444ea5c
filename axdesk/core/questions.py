"""Questions that only a person can answer."""

from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What became of a trial that may have started; the value is what is stored."""

    ASK_RUNNER = "ask_runner"
    REDEPLOY = "redeploy"
    MARK_FAILED = "mark_failed"
    ABANDON = "abandon"
    # A result that is entered for the trial answers the question too: the command EnterResult.


@dataclass(frozen=True, slots=True)
class Question:
    """One open question of a run.

    Attributes:
        trial_index: The trial that it is about; at most one question a trial is open.
        happened: What happened, as a sentence.
        did: What axdesk did.
        answers: What the operator may answer.
    """

    trial_index: int
    happened: str
    did: str
    answers: tuple[Answer, ...]
