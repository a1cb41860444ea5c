"""What the run's buttons say, and why one of them cannot be pressed now."""

from axdesk.core.run import RunAction, RunState
from axdesk.core.setup_lock import SetupLock
from axdesk.gui.models.formatting import listed
from axdesk.gui.models.run_facts import RunFacts

_START_WORDS = {
    RunState.DRAFT: "Start",
    RunState.READY: "Start",
    RunState.PAUSING: "Cancel pausing",
    RunState.STOPPING: "Cancel stopping",
    RunState.COMPLETED: "Add trials…",
}

_NO_RUN = "No run goes on."
_IS_STARTING = "The run is starting."
IS_TESTING = "A dry test uses the instrument. Stop it, or wait for its end."

_REASONS: dict[RunAction, dict[RunState, str]] = {
    RunAction.RESUME: {
        RunState.STARTING: _IS_STARTING,
        RunState.RUNNING: "The run goes on.",
    },
    RunAction.PAUSE: {
        RunState.PAUSING: "The run is pausing already.",
        RunState.PAUSED: "The run is paused already.",
        RunState.NEEDS_ATTENTION: "Nothing new starts until you decide.",
        RunState.STOPPING: "The run ends once the running trials finished.",
    },
    RunAction.STOP: {
        RunState.PAUSING: "The run is pausing. Cancel that first, or press Stop now.",
        RunState.STOPPING: "The run ends once the running trials finished.",
    },
    RunAction.STOP_NOW: {
        RunState.STARTING: "No trial has started yet.",
        RunState.PAUSED: "No trial is running.",
        RunState.NEEDS_ATTENTION: "No trial is running.",
    },
}
"""Action → state in which it is off → why; in the other states no run goes on."""

_USUAL = {
    RunAction.PAUSE: "No new trials; running ones finish.",
    RunAction.STOP: "No new trials; running ones finish; then the run ends.",
    RunAction.STOP_NOW: "Ends the running trials through the runner and marks them abandoned.",
}


def start_word(facts: RunFacts | None) -> str:
    """What the button says that starts a run, or lets it go on."""
    if facts is None:
        return "Start"
    return _START_WORDS.get(facts.state, "Start" if facts.run is None else "Resume")


def stop_now_word(facts: RunFacts | None) -> str:
    """What the button says that ends the running trials, or waits for none of them any more."""
    return "Leave behind…" if facts is not None and facts.stopping_since else "Stop now"


def action_tip(facts: RunFacts | None, action: RunAction) -> str:
    """Say what an action does, or why it cannot be asked for now.

    Args:
        facts: Of the experiment shown; None for none.
        action: Which; `RESUME` stands for `START`, too.
    """
    off = why_off(facts, action)
    if off or facts is None:
        return off
    if action is RunAction.STOP_NOW and facts.stopping_since:
        return "Waits for the runner no longer; what runs goes on, and a resumed run follows it."
    if action is not RunAction.RESUME:
        return _USUAL[action]
    match facts.state:
        case RunState.PAUSING | RunState.STOPPING:
            return "New trials start again."
        case RunState.INTERRUPTED:
            return "Say what became of the running trials, then go on."
        case RunState.COMPLETED:
            return "Go on after the run with further trials."
        case _:
            return "Start the run." if facts.run is None else "Go on with the run."


def why_off(facts: RunFacts | None, action: RunAction) -> str:
    """Say why an action cannot be asked for now; empty if it can."""
    if facts is None:
        return "Open an experiment first."
    starts = {RunAction.START, RunAction.RESUME}
    if facts.actions & (starts if action in starts else {action}):
        return ""
    if facts.controller:
        return controlled_elsewhere(facts.controller)
    if facts.is_testing and action in starts:
        return IS_TESTING
    if facts.is_opening and action is RunAction.PAUSE:
        return "The run is paused as soon as it has started."
    if facts.state is RunState.DRAFT and action is RunAction.RESUME:
        return f"The set-up is not complete: {facts.first_problem or 'it is being checked.'}"
    return _REASONS[action].get(facts.state, _NO_RUN)


def why_no_more_trials(facts: RunFacts | None) -> str:
    """Say why no trials can be added after a run now; empty if they can."""
    if facts is None:
        return "Open an experiment first."
    if facts.controller:
        return controlled_elsewhere(facts.controller)
    if facts.run is None:
        return "The experiment has not run yet."
    if facts.state.is_live:
        return "The run goes on: change its trials in Setup, Run settings."
    if facts.state is RunState.INTERRUPTED:
        return "The run was interrupted: resume it first."
    if facts.is_testing:
        return IS_TESTING
    return "" if RunAction.RESUME in facts.actions else _IS_STARTING


def why_no_test(facts: RunFacts | None) -> str:
    """Say why no dry test can be begun now; empty if one can."""
    if facts is None:
        return "Open an experiment first."
    if facts.is_testing:
        return "A test goes on."
    if facts.controller:
        return controlled_elsewhere(facts.controller)
    if facts.is_opening or (facts.state.is_live and facts.state is not RunState.INTERRUPTED):
        return "The run uses the instrument."
    if facts.pending:
        running = listed(trial.index for trial in facts.pending)
        return f"{running} may still run at the instrument: decide what became of that first."
    return ""


_WHAT_CHANGES = {
    RunState.RUNNING: "While the run launches, trials, how many at a time, tolerated failures, "
    "polling, description and owner can be changed; pause it to change bounds, constraints and "
    "objectives.",
    RunState.PAUSED: "Bounds, constraints, objectives and run settings can be changed; names, "
    "types and plugins stay.",
    RunState.STOPPED: "Names and types stay, for trials were made with them; duplicate the "
    "experiment to change those.",
}
_LIKE = {
    RunState.PAUSING: RunState.RUNNING,
    RunState.STOPPING: RunState.RUNNING,
    RunState.NEEDS_ATTENTION: RunState.PAUSED,
    RunState.COMPLETED: RunState.STOPPED,
    RunState.FAILED: RunState.STOPPED,
}


def what_can_be_edited(facts: RunFacts) -> str:
    """Say what of the set-up can be edited now, and why no more; empty if all of it can."""
    reason = SetupLock(facts.state, facts.controller).total_reason
    if facts.controller:
        reason = controlled_elsewhere(facts.controller)
    return reason or _WHAT_CHANGES.get(_LIKE.get(facts.state, facts.state), "")


def controlled_elsewhere(controller: str) -> str:
    """Say who drives an experiment that is another process's."""
    process, _, host = controller.partition("@")
    return f"Controlled by {host} (process {process}). You can watch, not steer."
