"""Why an action on the selected trial cannot be used now."""

from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.run_words import controlled_elsewhere

_NOTHING_OPEN = "Open an experiment first."
_NONE_SELECTED = "Select a trial first."

_IS = {
    TrialStatus.CANDIDATE: "is only suggested",
    TrialStatus.STAGED: "is being launched",
    TrialStatus.RUNNING: "is running",
    TrialStatus.COMPLETED: "is done",
    TrialStatus.FAILED: "failed",
    TrialStatus.ABANDONED: "is abandoned",
    TrialStatus.EARLY_STOPPED: "was stopped early",
}

_OPEN = frozenset(status for status in TrialStatus if status.is_pending)
_ALLOWED = {
    "trials.enter_result": frozenset(TrialStatus) - {TrialStatus.CANDIDATE, TrialStatus.ABANDONED},
    "trials.mark_failed": _OPEN,
    "trials.ask_again": frozenset({TrialStatus.FAILED}),
    "trials.abandon": frozenset(TrialStatus) - {TrialStatus.ABANDONED},
    "trials.exclude": frozenset({TrialStatus.COMPLETED}),
}
"""The statuses that an action needs; any other action on a trial takes each."""

_READS_ONLY = frozenset({"trials.copy_row", "trials.show_details"})


def why_off_for_trial(name: str, facts: RunFacts | None, trial: Trial | None) -> str:
    """Say why an action cannot be used on a trial now; empty if it can.

    Args:
        name: Of the action, such as `trials.abandon`.
        facts: Of the experiment shown; None for none.
        trial: The one selected; None for none.
    """
    if facts is None:
        return _NOTHING_OPEN
    if trial is None:
        return _NONE_SELECTED
    if name in _READS_ONLY:
        return ""
    if facts.controller:
        return controlled_elsewhere(facts.controller)
    if facts.is_opening:
        return "The run is being started."
    if trial.status not in _ALLOWED.get(name, frozenset(TrialStatus)):
        return f"#{trial.index} {_IS[trial.status]}."
    if name == "trials.ask_again":
        return _why_not_asked(facts, trial)
    return ""


def why_no_best(facts: RunFacts | None) -> str:
    """Say why there is no best trial to go to; empty if there is one."""
    if facts is None:
        return _NOTHING_OPEN
    return "" if facts.best is not None else "No trial has a result within the limits yet."


def _why_not_asked(facts: RunFacts, trial: Trial) -> str:
    if not facts.state.is_live:
        return "Resume the run first."
    return "" if trial.metadata is not None else f"#{trial.index} never reached the runner."
