"""Notices in Attention: what happened, what axdesk did, what the operator can do."""

from datetime import datetime

from axdesk.core.trial import Trial
from axdesk.gui.models.attention_model import AttentionItem, Severity


def failed_trial(trial: Trial, now: datetime) -> AttentionItem:
    """Return the item of a trial that failed."""
    reason = trial.reason or "The runner gave no reason."
    return AttentionItem(
        Severity.ERROR,
        f"#{trial.index} failed: {reason.splitlines()[0]}",
        "Marked failed",
        reason,
        "The trial is marked failed; the run goes on. Its settings are saved, and the same point "
        "may be suggested again.",
        "If the result is known after all, enter it from the trial's menu.",
        now,
        trial.index,
    )


def warning(message: str, hint: str, now: datetime) -> AttentionItem:
    """Return the item of something that needs no answer."""
    title = message.partition(". ")[0].rstrip(".")
    return AttentionItem(Severity.NOTICE, title, "For your information", message, todo=hint, at=now)


def not_answering(index: int, reason: str, now: datetime) -> AttentionItem:
    """Return the item of a trial whose calls fail."""
    return AttentionItem(
        Severity.NOTICE,
        f"#{index} does not answer",
        "Tried again with growing pauses",
        reason,
        "The call is tried again until its budget is spent; then the trial is marked failed.",
        "Check the instrument and its connection.",
        now,
        index,
    )


def fallback(index: int, reason: str, now: datetime) -> AttentionItem:
    """Return the item of a space-filling trial that stepped in."""
    return AttentionItem(
        Severity.NOTICE,
        f"#{index} is a space-filling trial",
        "The model gave no suggestion",
        f"The model could not be fitted for #{index}; a space-filling trial stepped in.",
        f"The run goes on. Reason: {reason}",
        at=now,
        trial_index=index,
    )
