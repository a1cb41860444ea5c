"""How the command line writes values, results and the state of experiments."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from axdesk.core.commands import TResult
from axdesk.core.draft_cells import value_text
from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import best_observed, objective_scores, pareto_front, shown_score
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus

_MINUTES_AN_HOUR = 60
_HOURS_TOLD = 48
_MEGABYTE = 1_000_000
_CUT_OFF = "axdesk ended before the runner had answered"


def words(value: RunState | TrialStatus) -> str:
    """Return a state as it is read: `needs attention`."""
    return value.replace("_", " ")


def since(at: datetime | None) -> str:
    """Return ` since 14:03`, with the day if it is not today; empty if it is not known."""
    if at is None:
        return ""
    here, today = at.astimezone(), datetime.now().astimezone().date()
    return f" since {here:%H:%M}" if here.date() == today else f" since {here:%Y-%m-%d %H:%M}"


def moment(at: datetime) -> str:
    """Return a time in UTC as it is here: `2026-11-24 14:03`."""
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def age(at: datetime) -> str:
    """Return how long ago a time in UTC was: `3 h ago`."""
    minutes = max(0, int((datetime.now(UTC) - at).total_seconds() // 60))
    if minutes < _MINUTES_AN_HOUR:
        return f"{minutes} min ago"
    hours = minutes // _MINUTES_AN_HOUR
    return f"{hours} h ago" if hours < _HOURS_TOLD else f"{hours // 24} days ago"


def size(of_file: int) -> str:
    """Return a number of bytes as it is read."""
    return f"{of_file / 1e6:.1f} MB" if of_file >= _MEGABYTE else f"{of_file / 1e3:.0f} kB"


def number(value: float, unit: str = "") -> str:
    """Return a measured value with its unit."""
    return f"{value:.6g} {unit}".rstrip()


def objective_text(scores: Sequence[float], optimization: OptimizationConfig) -> str:
    """Return scores as `name = value unit, …`; a minimised metric is not negated."""
    parts = []
    for score, objective in zip(scores, optimization.objectives, strict=True):
        names = objective.metric_names
        unit = optimization.unit_of(names[0]) if len(names) == 1 else ""
        parts.append(f"{objective.label} = {number(shown_score(score, objective), unit)}")
    return ", ".join(parts)


def best_lines(trials: Iterable[Trial], optimization: OptimizationConfig) -> list[str]:
    """Return the best measured trial with its parameters, or why there is none.

    With several objectives those on the Pareto front.
    """
    known = list(trials)
    best = best_observed(known, optimization)
    front: tuple[Trial, ...] = () if best is None else (best,)
    heads = ["Best: trial"]
    lines = []
    if optimization.has_several:
        front = pareto_front(known, optimization)
        lines = [f"On the Pareto front: {len(front)} trial{'s' if len(front) > 1 else ''}"]
        heads = ["Trial"] * len(front)
    if not front:
        return ["There is no best trial: none was completed that keeps the limits."]
    for head, trial in zip(heads, front, strict=True):
        scores = objective_scores(trial, optimization) or ()
        lines.append(f"{head} {trial.index}, {objective_text(scores, optimization)}")
        lines += [f"  {name} = {value_text(value)}" for name, value in trial.parameters.items()]
    return lines


def experiment_lines(experiment: Experiment, summary: ExperimentSummary) -> list[str]:
    """Return how one experiment stands."""
    lines = [f"{experiment.name}: {words(summary.state)}"]
    if summary.controller:
        lines.append(f"Run by {summary.controller}.")
    if experiment.runs:
        run = experiment.runs[-1]
        counts = _counts(experiment.of_run(run))
        lines.append(f"Run {run.index + 1}: {run.settings.max_trials} trials asked for, {counts}.")
        if run.reason:
            lines.append(f"Reason: {run.reason}")
    is_cut_off = summary.state is RunState.INTERRUPTED
    lines += [
        f"Trial {trial.index} may have started: {(trial.reason or _CUT_OFF).rstrip('.')}."
        for trial in experiment.trials.values()
        if trial.is_uncertain or (is_cut_off and _was_being_deployed(trial))
    ]
    return lines + best_lines(experiment.trials.values(), experiment.optimization)


def _was_being_deployed(trial: Trial) -> bool:
    return trial.status is TrialStatus.STAGED and not trial.surely_not_started


def entered(before: Trial, result: TResult) -> str:
    """Return what was entered for a trial, and what stood there before."""
    parts = []
    for metric, value in result.items():
        mean = value[0] if isinstance(value, tuple) else value
        known = before.latest(metric)
        was = f" (was {number(known.mean)})" if known is not None else ""
        parts.append(f"{metric} = {number(mean)}{was}")
    return f"Trial {before.index}: {', '.join(parts)}, entered by hand"


def _counts(trials: Iterable[Trial]) -> str:
    counts: dict[TrialStatus, int] = {}
    for trial in trials:
        counts[trial.status] = counts.get(trial.status, 0) + 1
    return ", ".join(f"{n} {words(status)}" for status, n in counts.items()) or "none started"


def summary_lines(summaries: Iterable[ExperimentSummary]) -> list[str]:
    """Return one aligned line for each experiment."""
    rows = [("experiment", "state", "trials", "best")]
    for s in summaries:
        best = "" if s.best is None else f"{number(s.best, s.unit)} (trial {s.best_trial})"
        trials = f"{s.finished_trials} of {s.max_trials}" if s.max_trials else ""
        rows.append((s.name or "(draft without a name)", words(s.state), trials, best))
    if len(rows) == 1:
        return ["There are no experiments yet."]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def ways_out(database_file: Path | str, *, has_backup: bool) -> str:
    """Return the commands that go on with a database that is damaged, empty or gone."""
    database = {"database": database_file}
    file = Path(database_file)
    has_content = file.exists() and file.stat().st_size > 0
    lines = []
    if has_backup:
        lines.append(f"  its newest sound backup:    {command('restore', '', database)}")
    if has_content:
        salvage = command("salvage", "salvaged.sqlite", database)
        lines.append(f"  what can be read of it:     {salvage}")
    if not lines:
        lines.append(f"  from the beginning:         {command('run', 'FILE.toml', database)}")
    kept = "; the damaged file stays as it is" if has_content else ""
    return "\n".join([f"Go on with one of these commands{kept}.", *lines])


def command(verb: str, name: str, options: Mapping[str, Path | str | None]) -> str:
    """Return a command line that can be copied."""
    parts = ["axdesk", "--headless", verb, *([name] if name else [])]
    for option, value in options.items():
        if value is not None:
            parts += [f"--{option}", str(value)]
    return shlex.join(parts)
