"""Why an action on the selected trial cannot be used now."""

from collections.abc import Sequence
from pathlib import Path

from axdesk.core.draft_cells import value_text
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
_ALL = frozenset(TrialStatus)
_ALLOWED = {
    "trials.enter_result": _ALL - {TrialStatus.CANDIDATE, TrialStatus.ABANDONED},
    "trials.mark_failed": _OPEN,
    "trials.ask_again": frozenset({TrialStatus.FAILED}),
    "trials.run_again": frozenset(
        {TrialStatus.FAILED, TrialStatus.ABANDONED, TrialStatus.EARLY_STOPPED}
    ),
    "trials.replicate": frozenset({TrialStatus.COMPLETED}),
    "trials.abandon": _ALL - {TrialStatus.COMPLETED, TrialStatus.ABANDONED},
    "trials.void": frozenset({TrialStatus.COMPLETED}),
    "trials.exclude": frozenset({TrialStatus.COMPLETED}),
}
"""The statuses that an action needs; any other action on a trial takes each."""

_READS_ONLY = frozenset({"trials.copy_row", "trials.copy_settings", "trials.show_details"})

ON_ONE_TRIAL = (
    "show_details", "enter_result", "ask_again", "copy_to_manual", "note", "attach_file",
    "open_folder",
)  # fmt: skip
"""The actions that are about the current trial alone."""

ON_TRIALS = ("run_again", "replicate", "mark_failed", "abandon", "void", "exclude", "copy_settings",
             "copy_row")  # fmt: skip
"""The actions that take all trials that are selected, or those of them that they can take."""


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
    if name == "trials.open_folder":
        return "" if folder_of(trial) else f"The runner named no folder of #{trial.index}."
    if busy := why_no_change(facts):
        return busy
    if trial.status not in _ALLOWED.get(name, _ALL):
        way = " Void its result." if name == "trials.abandon" and trial.observations else ""
        return f"#{trial.index} {_IS[trial.status]}.{way}"
    if name == "trials.ask_again":
        return _why_not_asked(facts, trial)
    return ""


def why_off_for_trials(name: str, facts: RunFacts | None, trials: Sequence[Trial]) -> str:
    """Say why an action can be used on none of these trials now; empty if it can on some."""
    reasons = [why_off_for_trial(name, facts, trial) for trial in trials]
    if not reasons:
        return why_off_for_trial(name, facts, None)
    return "" if "" in reasons else reasons[0]


def why_no_change(facts: RunFacts) -> str:
    """Say why nothing of an experiment's trials can be changed now; empty if it can."""
    if facts.controller:
        return controlled_elsewhere(facts.controller)
    return "The run is being started." if facts.is_opening else ""


def why_no_manual(facts: RunFacts | None) -> str:
    """Say why no trial can be added by hand now; empty if one can."""
    if facts is None:
        return _NOTHING_OPEN
    if facts.setup is None:
        return f"The set-up is not complete: {facts.first_problem}"
    return why_no_change(facts)


def why_no_best(facts: RunFacts | None) -> str:
    """Say why there is no best trial to go to; empty if there is one."""
    if facts is None:
        return _NOTHING_OPEN
    return "" if facts.best is not None else "No trial has a result within the limits yet."


def why_nowhere_to_go(facts: RunFacts | None) -> str:
    """Say why there is no trial to go to; empty if there is one."""
    if facts is None:
        return _NOTHING_OPEN
    return "" if facts.trials else "There are no trials yet."


def folder_of(trial: Trial) -> str:
    """The first place on a disk that the runner's answer names; empty for none."""
    texts = (value for value in (trial.metadata or {}).values() if isinstance(value, str))
    return next((text for text in texts if Path(text).is_absolute()), "")


def settings_text(trials: Sequence[Trial], facts: RunFacts) -> str:
    """Write settings for the clipboard, exactly: a line each, or a table of several trials."""
    space = facts.setup.search_space if facts.setup is not None else None
    units = {} if space is None else {p.name: p.unit for p in space.parameters}
    names = dict.fromkeys(name for trial in trials for name in trial.parameters)
    heads = [f"{name} ({units[name]})" if units.get(name) else name for name in names]
    values = [
        [value_text(t.parameters[name]) if name in t.parameters else "" for name in names]
        for t in trials
    ]
    if len(trials) == 1:
        return "\n".join(f"{head}\t{value}" for head, value in zip(heads, values[0], strict=True))
    return "\n".join("\t".join(line) for line in (heads, *values))


def _why_not_asked(facts: RunFacts, trial: Trial) -> str:
    if not facts.state.is_live:
        return "Resume the run first."
    return "" if trial.metadata is not None else f"#{trial.index} never reached the runner."
