"""Notices in Attention: what happened, what axdesk did, what the operator can do."""

from dataclasses import replace
from datetime import datetime

from axdesk.core.errors import Code
from axdesk.core.events import StorageHealthChanged, TrialHealthChanged
from axdesk.core.run import OrchestrationConfig
from axdesk.core.trial import Trial
from axdesk.gui.models.attention_model import AttentionItem, Severity
from axdesk.gui.models.formatting import clock, duration
from axdesk.gui.models.run_facts import since_text

_LONG_REASON = 48
"""Characters; of a longer reason the title tells the end."""


def failed_trial(trial: Trial, now: datetime, details: str = "") -> AttentionItem:
    """Return the item of a trial that failed; `details` is the traceback, if there is one."""
    reason = trial.reason or "The runner gave no reason."
    short = reason.splitlines()[0]
    if len(short) > _LONG_REASON:
        short = short.rpartition(": ")[2]  # what was raised, without which call raised it
    return AttentionItem(
        Severity.ERROR,
        f"#{trial.index} failed: {short}",
        "Marked failed",
        reason[:1].upper() + reason[1:],
        "The trial is marked failed. Its settings are saved, and the same point "
        "may be suggested again.",
        "Ask the runner again, or enter the result if it is known, both from the trial's menu."
        if trial.metadata is not None
        else "If the result is known after all, enter it from the trial's menu.",
        now,
        trial.index,
        details=details,
        code=Code.TRIAL_FAILED,
    )


def warning(message: str, hint: str, now: datetime) -> AttentionItem:
    """Return the item of something that needs no answer."""
    title = message.partition(". ")[0].rstrip(".")
    return AttentionItem(
        Severity.NOTICE, title, "For your information", message, todo=hint, at=now,
        code=Code.WARNING,
    )  # fmt: skip


def health_key(index: int) -> str:
    """The key of the item about a trial whose calls fail."""
    return f"health.{index}"


def not_answering(
    health: TrialHealthChanged,
    config: OrchestrationConfig,
    runner: str,
    now: datetime,
    details: str = "",
) -> AttentionItem:
    """Return the item of a trial whose calls fail.

    Args:
        health: What is known of these calls.
        config: Says how often and how long they are tried again.
        runner: What the operator knows the runner as.
        now: UTC.
        details: The traceback of the last one, if there is one.
    """
    if health.is_deploying:
        return _not_deployed_yet(health, config, runner, now)
    index = health.trial_index
    tries = f"{health.failures} {'try' if health.failures == 1 else 'tries'}"
    most = duration(config.max_seconds_between_polls)
    budget = config.retry_budget
    allowed = (
        f"{budget.poll} failures"
        if budget.poll == budget.fetch
        else f"{budget.poll} failed polls or {budget.fetch} failed fetches"
    )
    then = "you are asked about it" if config.on_error == "pause" else "the trial is marked failed"
    did = (
        f"{tries} failed so far. axdesk asks again with growing pauses, after {most} at the "
        f"latest; after {allowed} in a row {then}. The other trials go on."
    )
    if health.is_silent:
        deadlines = config.call_deadlines
        deadline = deadlines.fetch if health.is_fetching else deadlines.poll
        ends = f" After {duration(deadline)} the call counts as failed." if deadline else ""
        did = (
            "axdesk waits, and so does all else that is asked of the same plugin file."
            f"{ends} After {allowed} in a row {then}."
        )
    return AttentionItem(
        Severity.WARNING,
        f"#{index} has no valid result yet" if health.is_fetching else f"#{index} is not answering",
        f"{runner or 'Runner'} · {since_text(health.since, now).strip() or 'asked again'}",
        health.reason,
        did,
        "Check the instrument and its connection. If the result is known, enter it."
        + (" Or end the plugin’s process: axdesk asks again in a new one." * health.is_silent),
        now,
        index,
        details=details,
        count=health.failures,
        key=health_key(index),
        is_silent=health.is_silent,
        code=Code.NOT_ANSWERING,
    )


def _not_deployed_yet(
    health: TrialHealthChanged, config: OrchestrationConfig, runner: str, now: datetime
) -> AttentionItem:
    index, deadline = health.trial_index, config.call_deadlines.run
    limit = "There is no limit to that."
    if deadline is not None:
        then = (
            "you are asked what became of it"
            if config.on_error == "pause"
            else ("it is marked failed; an answer that comes later still counts")
        )
        limit = f"After {duration(deadline)} {then}."
    return AttentionItem(
        Severity.WARNING,
        f"{runner or 'The runner'} is not answering (#{index})",
        f"Deploying #{index}{since_text(health.since, now)}",
        f"{health.reason}, much longer than usual.",
        f"axdesk waits: nothing new starts before it answers, what runs goes on. {limit}",
        "Look at the instrument. Wait, or end the plugin’s process: nobody knows then whether "
        f"#{index} started.",
        now,
        index,
        key=health_key(index),
        is_silent=True,
        holds_up=True,
        code=Code.LAUNCH_SILENT,
    )


def answering_again(item: AttentionItem, now: datetime) -> AttentionItem:
    """Return what becomes of the item of a trial whose calls work again."""
    return replace(
        item,
        severity=Severity.SETTLED,
        title=f"#{item.trial_index} answers again",
        source=f"Settled at {clock(now, now)}, by asking again",
        did="Asked again until it worked; the trial goes on and nothing was lost.",
        todo="",
        at=now,
        count=1,
    )


STORAGE_KEY = "storage"
"""The key of the item about a database that takes nothing."""


def not_saving(outage: StorageHealthChanged, now: datetime, *, is_running: bool) -> AttentionItem:
    """Return the item of a database that takes nothing for the moment."""
    did = (
        "Running trials are followed, and what they bring is kept in memory and stored as soon as "
        "the database takes it. Nothing new starts."
        if is_running
        else "What you type is kept in this window and stored as soon as the database takes it."
    )
    return AttentionItem(
        Severity.ERROR,
        "Nothing can be saved",
        f"Database ·{since_text(outage.since, now)}",
        outage.reason,
        did,
        "Free some space on the drive, close the program that holds the database, or connect the "
        "drive again. It needs no further click: axdesk tries again every few seconds.",
        now,
        key=STORAGE_KEY,
        code=Code.NOT_SAVING,
    )


def left_by(controller: str, now: datetime) -> AttentionItem:
    """Return the item of a run whose process ended without a word."""
    process, _, host = controller.partition("@")
    return AttentionItem(
        Severity.WARNING,
        f"Process {process} on {host} ended during the run",
        "The run is interrupted",
        f"The process that drove the run (process {process} on {host}) ended while it went on.",
        "Everything stored so far is safe. Running trials go on in the laboratory, unwatched.",
        "Press Review… in the banner, say what became of them, and resume the run here.",
        now,
        code=Code.LEFT_BY_PROCESS,
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
        code=Code.SPACE_FILLING,
    )
