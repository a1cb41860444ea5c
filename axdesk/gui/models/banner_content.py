"""The words and figures of the banner, from the facts of a run."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from axdesk.core.events import StorageHealthChanged, TrialHealthChanged
from axdesk.core.objective import OptimizationConfig
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.attention_model import stopped_words
from axdesk.gui.models.formatting import MISSING, UNNAMED, clock, counted, duration, listed
from axdesk.gui.models.run_facts import (
    RunFacts,
    objective_decimals,
    objective_name,
    objective_text,
    objective_value,
    runner_name,
    since_text,
    status_key,
)
from axdesk.gui.theme import STATUS_LOOKS
from axdesk.gui.widgets.banner import BannerContent, Figure, Segment, progress_segments

_BUTTONS = {
    RunState.PAUSED: ("Resume", "player-play"),
    RunState.STOPPED: ("Resume", "player-play"),
    RunState.FAILED: ("Resume", "player-play"),
    RunState.COMPLETED: ("Add trials…", "stack-2"),
    RunState.INTERRUPTED: ("Review…", "arrow-right"),
    RunState.PAUSING: ("Cancel pausing", "player-play"),
    RunState.STOPPING: ("Cancel stopping", "player-play"),
    RunState.NEEDS_ATTENTION: ("Answer…", "arrow-right"),
}


def banner_content(facts: RunFacts, now: datetime) -> BannerContent:
    """Return all that the banner says."""
    text, button_icon = _button(facts)
    shows_run = facts.run is not None or facts.state is RunState.STARTING
    state = "elsewhere" if facts.controller else facts.state.value
    return BannerContent(
        state="not_saving" if facts.outage is not None else state,
        name=facts.name or UNNAMED,
        next_step=next_step(facts, now),
        segments=_segments(facts) if shows_run else (),
        slots=_slots(facts) if shows_run and facts.outage is None else None,
        failed=_failed(facts) if shows_run else None,
        end=_end(facts, now) if shows_run and facts.outage is None else None,
        best=_best(facts) if shows_run else None,
        button=text,
        button_icon=button_icon or "arrow-right",
    )


def next_step(facts: RunFacts, now: datetime) -> str:
    """Say what happens next."""
    if facts.controller:
        process, _, host = facts.controller.partition("@")
        return f"Controlled by {host} (process {process}). You can watch, not steer"
    if facts.outage is not None:
        return _not_saving(facts.outage, facts, now)
    if facts.is_opening:
        then = "; then the run is paused" if facts.pauses_when_open else ""
        return f"Opening plugins and optimiser{then}"
    return _NEXT_STEPS[facts.state](facts, now)


def _not_saving(outage: StorageHealthChanged, facts: RunFacts, now: datetime) -> str:
    since_when = since_text(outage.since, now).strip()
    reason = short_reason(outage.reason)
    then = "Running trials are followed; nothing new starts"
    if not facts.state.is_live:
        then = "What you type is kept in this window and saved as soon as that works"
    return f"{since_when} – {reason}. {then}".removeprefix(" – ")


def short_reason(reason: str) -> str:
    """Say why nothing can be saved without the database's path: `the disk is full`."""
    text = re.sub(r"^The database .+? (?=(cannot|is|was|has) )", "the database ", reason.strip())
    text = re.sub(r"^the database cannot [^:]+: ", "", text)
    return text.partition(". ")[0].rstrip(".")


def _draft(facts: RunFacts, _now: datetime) -> str:
    left = facts.sections_left
    named = f"{', '.join(left[:-1])} and {left[-1]}" if len(left) > 1 else "".join(left)
    sections = f"{counted(len(left), 'section')} left: {named}"
    if not facts.problems:
        return sections if left else "Checking the set-up"
    problems = f"{counted(facts.problems, 'problem')} to fix before the run can start"
    return f"{problems}; {sections}" if left else problems


def _pausing(facts: RunFacts, now: datetime) -> str:
    return f"{_stopping(facts, now)}. Nothing new starts"


def _paused(facts: RunFacts, now: datetime) -> str:
    go_on = "Press Resume to go on"
    if not facts.pending:
        return f"Nothing runs. {go_on}"
    asked = {question.trial_index for question in facts.questions}
    left = listed(t.index for t in facts.pending if t.index in asked)
    if left:
        return f"Waiting for your answer about {left}. {go_on}"
    return f"{_waiting(facts.pending) or _stopping(facts, now)}. Nothing new starts. {go_on}"


def _waiting(trials: Sequence[Trial]) -> str:
    """Say which trials wait for a result that a person enters; empty if not all of them do."""
    by_hand = [t for t in trials if t.status is TrialStatus.RUNNING and t.metadata is None]
    if not trials or len(by_hand) < len(trials):
        return ""
    return f"Waiting for a result you enter by hand ({listed(t.index for t in by_hand)})"


def _starting(facts: RunFacts, _now: datetime) -> str:
    return "Preparing the next trial" if facts.of_run else "Preparing the first trial"


def _stopping(facts: RunFacts, now: datetime) -> str:
    if not facts.pending:
        return "Nothing runs any more"
    if facts.stopping_since is not None:
        runner = runner_name(facts) or "the runner"
        seconds = (now - facts.stopping_since).total_seconds()
        stopped = listed(t.index for t in facts.pending)
        return f"Stopping {stopped} through {runner} for {duration(seconds)}"
    silence = _silence(facts, now)
    waiting = f"Waiting for {counted(len(facts.pending), 'running trial')}"
    return f"{waiting}. {silence}" if silence else waiting


def _silence(facts: RunFacts, now: datetime) -> str:
    """Say which trials do not answer or bring no result, and since when; empty if all is well."""
    bad = [facts.unanswered[t.index] for t in facts.pending if t.index in facts.unanswered]
    silent = [health for health in bad if not health.is_fetching]
    bring_none = [health for health in bad if health.is_fetching]
    parts = []
    if silent:
        are = "is" if len(silent) == 1 else "are"
        parts.append(f"{_named(silent)} {are} not answering{_first_time(silent, now)}")
    if bring_none:
        have = "has" if len(bring_none) == 1 else "have"
        parts.append(f"{_named(bring_none)} {have} no valid result{_first_time(bring_none, now)}")
    return ", ".join(parts)


def _named(bad: Sequence[TrialHealthChanged]) -> str:
    return listed(health.trial_index for health in bad)


def _first_time(bad: Sequence[TrialHealthChanged], now: datetime) -> str:
    return since_text(min((h.since for h in bad if h.since is not None), default=None), now)


def _stopped(facts: RunFacts, now: datetime) -> str:
    run, parts = facts.run, list[str]()
    if run is not None and run.was_stopped_by_error:
        parts.append(run.reason.partition(":")[0].removeprefix("stopped "))
    if run is not None and run.ended_at is not None:
        parts.append(f"at {clock(run.ended_at, now)}")
    return f"{' '.join(parts)}; can be resumed" if parts else "can be resumed"


def _interrupted(facts: RunFacts, _now: datetime) -> str:
    pending = len(facts.pending)
    if not pending:
        return "axdesk ended during the run. Nothing saved is lost; resume when you like"
    were, them = ("was", "it") if pending == 1 else ("were", "them")
    return (
        f"{counted(pending, 'trial')} {were} running when axdesk ended. "
        f"Decide what became of {them}"
    )


def _button(facts: RunFacts) -> tuple[str, str]:
    if facts.controller or facts.is_opening:
        return "", ""
    if facts.questions and (facts.state.is_live or facts.state is RunState.NEEDS_ATTENTION):
        return "Answer…", "arrow-right"
    if facts.state is RunState.RUNNING and facts.is_held_up:
        return "Go to the problem", "arrow-right"
    if facts.state is RunState.DRAFT and facts.problems:
        return "Go to the problem", "arrow-right"
    if facts.state is RunState.DRAFT and facts.sections_left:
        return f"Go to {facts.sections_left[0]}".replace("&", "&&"), "arrow-right"
    return _BUTTONS.get(facts.state, ("", ""))


def _ready(facts: RunFacts, now: datetime) -> str:
    if facts.setup is None:
        return "Press Start"
    run = facts.setup.run
    end = facts.ends_at(now)
    about = "" if end is None else f", would end about {when_it_ends(end, now)}"
    return f"{counted(run.max_trials, 'trial')}, {run.parallelism} at a time{about}"


def when_it_ends(end: datetime, now: datetime) -> str:
    """Write a time in a sentence: `16:36 today`, or with its day."""
    written = clock(end, now)
    return f"{written} today" if end.astimezone().date() == now.astimezone().date() else written


def _running(facts: RunFacts, now: datetime) -> str:
    if facts.questions:
        asked = listed(sorted(q.trial_index for q in facts.questions))
        return f"Waiting for your answer about {asked}; the other trials go on"
    running = [t for t in facts.pending if t.status is TrialStatus.RUNNING]
    if facts.suggesting is None and (by_hand := _waiting(facts.pending)):
        return by_hand
    silence = _silence(facts, now)
    if silence:
        others = any(t.index not in facts.unanswered for t in running)
        then = "the other trials go on" if others else "axdesk keeps asking"
        if facts.is_held_up:
            then = "nothing new starts before it does"
        return f"{silence}; {then}"
    rests = [(facts.seconds_left(t, now), t.index) for t in running]
    known = sorted((left, index) for left, index in rests if left is not None)
    last = len(facts.of_run) >= facts.budget
    if known:
        left, index = known[0]
        then = "then the run ends" if last and len(running) == 1 else "then the next trial starts"
        if last and len(running) > 1:
            then = f"then {counted(len(running) - 1, 'trial')} still to finish"
        if left < 1:
            return f"#{index} should finish any moment, {then}"
        return f"#{index} should finish in {duration(left)}, {then}"
    settings = facts.run.settings if facts.run else None
    if facts.suggesting is not None and settings and len(facts.pending) < settings.parallelism:
        return "Suggesting the next trial"
    if running:
        return f"{listed(t.index for t in running)} running; the first one tells how long"
    return "Suggesting the next trial"


def _needs_attention(facts: RunFacts, _now: datetime) -> str:
    reason = (facts.run.reason if facts.run else "") or "a decision is needed"
    stopped = [stopped_words(q) for q in facts.questions if q.failed_call is not None]
    if stopped:
        reason = ", ".join(stopped)
    asked = {q.trial_index for q in facts.questions}
    others = [t.index for t in facts.pending if t.index not in asked]
    nothing = "Nothing new starts"
    if others:
        nothing = f"{listed(others)} {'go' if len(others) > 1 else 'goes'} on, nothing new starts"
    return f"Paused: {reason.rstrip('.')}. {nothing}"


def _completed(facts: RunFacts, _now: datetime) -> str:
    best, optimization = facts.best, facts.optimization
    text = counted(len(facts.finished), "trial")
    if facts.front:
        text = f"{text}; {len(facts.front)} on the Pareto front"
    if best is not None and optimization is not None:
        text = f"{text}; best {_best_text(best, facts, optimization)} (#{best.index})"
    reason = facts.run.reason if facts.run else ""
    return f"{text}; {reason}" if reason else text


def _failed_sentence(facts: RunFacts, _now: datetime) -> str:
    run = facts.run
    failures = _failures(facts)
    if run is not None and failures > run.settings.tolerated_failures:
        allowed = counted_allowed(run.settings.tolerated_failures)
        return (
            f"{failures} of {counted(len(facts.finished), 'trial')} failed, {allowed}. "
            "Fix the cause, then resume"
        )
    reason = (run.reason if run else "").strip().splitlines()
    why = reason[0].rstrip(".") if reason else "The run ended by an error"
    return f"{why}. Fix the cause, then resume"


def counted_allowed(allowed: int) -> str:
    """Say how many failures were allowed."""
    return f"{allowed} was allowed" if allowed == 1 else f"{allowed} were allowed"


def _failures(facts: RunFacts) -> int:
    bad = (TrialStatus.FAILED, TrialStatus.ABANDONED)
    return sum(t.status in bad for t in facts.of_run)


def _segments(facts: RunFacts) -> tuple[Segment, ...]:
    bad = (TrialStatus.FAILED, TrialStatus.ABANDONED)
    finished = [Segment.FAILED if t.status in bad else Segment.DONE for t in facts.finished]
    running = [
        Segment.NOT_ANSWERING
        if STATUS_LOOKS[status_key(t, facts)].color == "warn"
        else Segment.RUNNING
        for t in facts.pending
    ]
    return progress_segments(finished, running, facts.budget)


def _slots(facts: RunFacts) -> Figure | None:
    if facts.run is None:
        return None
    busy = "?" if facts.state is RunState.INTERRUPTED else str(facts.busy)
    return Figure("Slots busy", busy, f"of {facts.run.settings.parallelism}")


def _failed(facts: RunFacts) -> Figure | None:
    run = facts.run
    if run is None:
        return None
    settings = run.settings
    tolerated = settings.tolerated_failures
    rate = f"{100 * settings.tolerated_trial_failure_rate:.3g}{chr(160)}%"
    rule = (
        f"Failed and abandoned trials. The run stops when more than {rate} of its trials failed, "
        f"looked at from the {_ordinal(settings.min_failed_trials)} failure on and at the end."
    )
    allowed = f"of {tolerated} allowed" if tolerated else "none allowed"
    return Figure("Failed", str(_failures(facts)), allowed, rule)


def _ordinal(count: int) -> str:
    if count % 100 in (11, 12, 13):
        return f"{count}th"
    return f"{count}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th') }"


def _end(facts: RunFacts, now: datetime) -> Figure:
    if facts.state in (RunState.RUNNING, RunState.STARTING):
        end = facts.ends_at(now)
        return Figure("Ends about", MISSING if end is None else clock(end, now))
    if facts.run is not None and facts.run.ended_at is not None and not facts.state.is_live:
        return Figure("Ended", clock(facts.run.ended_at, now))
    word = {RunState.PAUSED: "paused", RunState.NEEDS_ATTENTION: "paused"}.get(facts.state, "")
    return Figure("Ends about", MISSING, word)


def _best(facts: RunFacts) -> Figure | None:
    optimization = facts.optimization
    if optimization is None:
        return None
    caption = f"Best {objective_name(optimization)}"
    caption = caption if len(caption) <= 26 else "Best"
    if optimization.has_several:
        count = len(facts.front)
        trials = "trial" if count == 1 else "trials"
        return Figure("Best trade-offs", str(count) if count else MISSING, trials if count else "")
    best = facts.best
    if best is None:
        return Figure(caption, MISSING)
    return Figure(caption, _best_text(best, facts, optimization), f"#{best.index}")


def _best_text(best: Trial, facts: RunFacts, optimization: OptimizationConfig) -> str:
    value = objective_value(best, optimization)
    if value is None:
        return MISSING
    return objective_text(value, optimization, objective_decimals(facts))


_NEXT_STEPS: Mapping[RunState, Callable[[RunFacts, datetime], str]] = {
    RunState.DRAFT: _draft,
    RunState.READY: _ready,
    RunState.STARTING: _starting,
    RunState.RUNNING: _running,
    RunState.PAUSING: _pausing,
    RunState.PAUSED: _paused,
    RunState.NEEDS_ATTENTION: _needs_attention,
    RunState.STOPPING: _stopping,
    RunState.STOPPED: _stopped,
    RunState.COMPLETED: _completed,
    RunState.FAILED: _failed_sentence,
    RunState.INTERRUPTED: _interrupted,
}
