"""What the inspector says of a trial, in words and rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from axdesk.core.outcomes import broken_limits
from axdesk.core.parameters import TParameterValue
from axdesk.core.protocols import AuditEntry
from axdesk.core.trial import Observation, Trial, TrialSource, TrialStatus, is_automatic_name
from axdesk.gui.models.formatting import (
    MISSING,
    duration,
    measured,
    number,
    parameter_decimals,
    parameter_value,
    with_unit,
)
from axdesk.gui.models.run_facts import (
    SOURCE_WORDS,
    RunFacts,
    decimals_of,
    limit_text,
    seconds_running,
    status_word,
)

Row = tuple[str, str, str]
"""Name, value, and what stands small behind it."""

MOST_READINGS = 40
"""Of a long time series the last ones are listed."""

_SUGGESTED = {
    TrialSource.CENTER: "Start values",
    TrialSource.SOBOL: "Space filling",
    TrialSource.MODEL: "Suggested by the model",
    TrialSource.FALLBACK: "Space filling, in place of the model",
    TrialSource.MANUAL: "Added by hand",
    TrialSource.BASELINE: "Baseline",
}

_DONE = {
    "add_trial": "Added by hand",
    "replicate": "Added as a repetition",
    "enter_result": "Result entered",
    "mark_failed": "Marked failed",
    "abandon": "Abandoned by hand",
    "void": "Result voided",
    "mark_early_stopped": "Stopped early by hand",
    "set_note": "Note",
    "attach_file": "File attached",
    "detach_file": "File taken away",
    "fetch_again": "Asked for again",
    "answer_question": "Question answered",
    "adopt_late_answer": "Late answer of the runner taken",
}


def headline(trial: Trial, facts: RunFacts, now: datetime) -> str:
    """Write where a trial stands, where it comes from, and its name if a person gave one."""
    word = status_word(trial, facts, now)
    parts = [f"{word}, excluded" if trial.is_excluded else word]
    parts.append(_SUGGESTED[trial.generation.source])
    if not is_automatic_name(trial.arm.name):
        parts.append(f"“{trial.arm.name}”")
    return "  ·  ".join(parts)


def result_rows(trial: Trial, facts: RunFacts) -> list[Row]:
    """The latest value of each metric, what was expected of it, and which limits are met."""
    optimization = facts.optimization
    if optimization is None:
        return []
    rows = []
    predictions = {p.metric: p for p in trial.generation.predictions}
    for metric in optimization.metric_names:
        decimals = decimals_of(metric, facts)
        unit = optimization.unit_of(metric)
        observation = trial.latest(metric)
        if observation is not None:
            rows.append((metric, *_observed(observation, decimals, unit)))
        expected = predictions.get(metric)
        if expected is not None:
            text = with_unit(number(expected.mean, decimals), unit)
            rows.append((f"{metric}, expected", text, f"± {number(expected.sem, decimals)}"))
    if trial.status is TrialStatus.COMPLETED:
        broken = broken_limits(trial, optimization)
        rows += [
            (f"Limit {limit_text(limit)}", "Not met" if limit in broken else "Met", "")
            for limit in optimization.outcome_constraints
        ]
    if trial.started_at is not None:
        rows.append(("Duration", duration(seconds_running(trial, datetime.now(UTC))), ""))
    return rows


def reading_rows(trial: Trial, facts: RunFacts) -> list[Row]:
    """Every value that was fetched or entered, the latest last; empty where each is the only one.

    A value that another one of the same step has replaced says so.
    """
    optimization = facts.optimization
    if len({o.metric for o in trial.observations}) == len(trial.observations):
        return []
    units = {} if optimization is None else dict(optimization.units)
    has_steps = len({o.progression for o in trial.observations}) > 1
    rows = []
    for place, observation in enumerate(trial.observations):
        later = trial.observations[place + 1 :]
        is_replaced = any(
            (o.metric, o.progression) == (observation.metric, observation.progression)
            for o in later
        )
        step = f" at {number(observation.progression)}" if has_steps else ""
        text, error = _observed(observation, None, units.get(observation.metric, ""))
        small = f"{error}, replaced".lstrip(", ") if is_replaced else error
        rows.append((f"{observation.metric}{step}", text, small))
    return rows[-MOST_READINGS:]


def _observed(observation: Observation, decimals: int | None, unit: str) -> tuple[str, str]:
    error = f"± {number(observation.sem, decimals)}" if observation.sem else ""
    return with_unit(measured(observation.mean, decimals, observation.sem), unit), error


def setting_rows(trial: Trial, facts: RunFacts) -> list[Row]:
    """The settings that were run; where those planned were others, these behind them."""
    if facts.setup is None:
        return [(name, str(value), "") for name, value in trial.parameters.items()]
    rows = []
    for parameter in facts.setup.search_space.parameters:
        decimals = parameter_decimals(parameter)
        value, planned = (
            found.get(parameter.name) for found in (trial.parameters, trial.arm.parameters)
        )
        text = (
            with_unit(_setting(value, decimals), parameter.unit) if value is not None else MISSING
        )
        differs = f"planned {_setting(planned, decimals)}" if planned != value else ""
        rows.append((parameter.name, text, differs))
    return rows


def _setting(value: TParameterValue | None, decimals: int | None) -> str:
    return MISSING if value is None else parameter_value(value, decimals)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a trial's history.

    Attributes:
        at: UTC.
        text: What happened.
        change: What it was and what it became; empty where the text says all.
        note: Why.
    """

    at: datetime
    text: str
    change: str = ""
    note: str = ""


def history_lines(trial: Trial, entries: Sequence[AuditEntry]) -> list[HistoryLine]:
    """What the run and people did to a trial, oldest first."""
    source = SOURCE_WORDS[trial.generation.source].lower()
    steps = [(trial.staged_at, f"Launched ({source})"), (trial.started_at, "Deployed")]
    if trial.status.is_terminal:
        steps.append((trial.finished_at, "Ended"))
    lines = [HistoryLine(moment, text) for moment, text in steps if moment is not None]
    lines += [_line_of(entry) for entry in entries]
    return sorted(lines, key=lambda line: line.at)


def _line_of(entry: AuditEntry) -> HistoryLine:
    text = _DONE.get(entry.action, entry.action.replace("_", " ").capitalize())
    if entry.action == "enter_result" and entry.before.startswith(TrialStatus.COMPLETED):
        text = "Result corrected"
    if entry.action == "set_excluded":
        text = "Excluded from the model" if entry.after == "excluded" else "Given to the model"
        return HistoryLine(entry.at, text, "", entry.note)
    # The values of a result are told one after the other: those that stayed are left out.
    before, after = entry.before.split("; "), entry.after.split("; ")
    old = "; ".join(part for part in before if part not in after)
    new = "; ".join(part for part in after if part not in before)
    change = f"{old or MISSING} → {new or MISSING}" if old or new else ""
    note = "" if entry.note and entry.note in change else entry.note
    return HistoryLine(entry.at, text, change, note)


def compared_rows(trials: Sequence[Trial], facts: RunFacts) -> list[tuple[str, list[str]]]:
    """Name and a text for each trial: status, source, settings and results side by side."""
    now = datetime.now(UTC)
    rows = [
        ("Status", [status_word(t, facts, now) for t in trials]),
        ("Source", [SOURCE_WORDS[t.generation.source] for t in trials]),
    ]
    settings = [setting_rows(t, facts) for t in trials]
    for line in zip(*settings, strict=True):
        rows.append((line[0][0], [text for _, text, _ in line]))
    optimization = facts.optimization
    for metric in optimization.metric_names if optimization else ():
        decimals = decimals_of(metric, facts)
        latest = [t.latest(metric) for t in trials]
        unit = optimization.unit_of(metric) if optimization else ""
        texts = [
            MISSING if o is None else " ".join(_observed(o, decimals, unit)).strip() for o in latest
        ]
        rows.append((metric, texts))
    rows.append(("Note", [t.note or MISSING for t in trials]))
    return rows
