"""The trials of an experiment as a table."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import against_baseline, broken_limits
from axdesk.core.trial import Trial, TrialStatus
from axdesk.core.trial_columns import Cell, ColumnRole, ColumnUse


@dataclass(frozen=True, slots=True)
class TrialColumn:
    """A column.

    Attributes:
        head: Its name, which no other column has.
        use: What it tells.
        cell: Of a trial.
    """

    head: str
    use: ColumnUse
    cell: Callable[[Trial], Cell]


def trials_table(
    experiment: Experiment, indices: Collection[int] | None = None
) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return the columns' heads and, for each trial, a row.

    Parameters are the executed ones where those differ from the planned ones. A metric's mean and
    sem are those of its highest progression, what was predicted is what the suggestion stored.
    Times are ISO 8601 in UTC, the duration is the seconds in RUNNING. Whether the limits are met is
    known of completed trials. A cell is None where there is nothing to tell. A column whose name is
    taken gets a number behind it.

    Args:
        experiment: Whose.
        indices: Of the trials; None for all.
    """
    columns = trial_columns(experiment)
    rows = tuple(tuple(c.cell(t) for c in columns) for t in chosen_trials(experiment, indices))
    return tuple(column.head for column in columns), rows


def chosen_trials(experiment: Experiment, indices: Collection[int] | None) -> tuple[Trial, ...]:
    """Return the trials with these indices, in order; None means all.

    Raises:
        NotFoundError: If there is none with an index.
    """
    if indices is None:
        return tuple(experiment.trials.values())
    return tuple(experiment.trial(index) for index in sorted(set(indices)))


def trial_columns(experiment: Experiment) -> tuple[TrialColumn, ...]:
    """Return the columns of an experiment: the same ones for the same set-up and trials."""
    trials = tuple(experiment.trials.values())
    parameters = _each_once(
        experiment.search_space.names, *(tuple(trial.parameters) for trial in trials)
    )
    metrics = _each_once(
        experiment.optimization.metric_names,
        *(tuple(o.metric for o in trial.observations) for trial in trials),
    )
    role = ColumnRole
    columns = [
        TrialColumn("trial", ColumnUse(role.TRIAL), lambda t: t.index),
        TrialColumn("arm", ColumnUse(role.ARM), lambda t: t.arm.name),
        TrialColumn("status", ColumnUse(role.STATUS), lambda t: t.status.value),
        TrialColumn("source", ColumnUse(role.SOURCE), lambda t: t.generation.source.value),
    ]
    columns += [TrialColumn(n, ColumnUse(role.PARAMETER, n), _parameter(n)) for n in parameters]
    for metric in metrics:
        columns += [
            TrialColumn(f"{metric} mean", ColumnUse(role.MEAN, metric), _mean(metric)),
            TrialColumn(f"{metric} sem", ColumnUse(role.SEM, metric), _sem(metric)),
        ]
    ignored = ColumnUse(role.IGNORED)
    columns.append(TrialColumn("limits met", ignored, limits_met(experiment)))
    for metric in experiment.optimization.required_metrics:
        columns += [
            TrialColumn(f"{metric} predicted", ignored, _predicted(metric, "mean")),
            TrialColumn(f"{metric} predicted sem", ignored, _predicted(metric, "sem")),
        ]
    columns += [
        TrialColumn("started", ColumnUse(role.STARTED), lambda t: _time(t.started_at)),
        TrialColumn("finished", ColumnUse(role.FINISHED), lambda t: _time(t.finished_at)),
        TrialColumn("duration", ColumnUse(role.DURATION), duration_of),
        TrialColumn("excluded", ColumnUse(role.EXCLUDED), lambda t: t.is_excluded),
        TrialColumn("reason", ColumnUse(role.REASON), lambda t: t.reason),
        TrialColumn("note", ColumnUse(role.NOTE), lambda t: t.note),
    ]
    return _with_heads_of_their_own(columns)


def duration_of(trial: Trial) -> float | None:
    """Return the seconds that a trial was in RUNNING; None before it started."""
    return None if trial.started_at is None else trial.elapsed_seconds


def limits_met(experiment: Experiment) -> Callable[[Trial], bool | None]:
    """Return what says whether a trial keeps every limit; None where that is not known."""
    optimization = against_baseline(experiment.optimization, experiment.trials.values())
    return lambda trial: _keeps_limits(trial, optimization)


def _keeps_limits(trial: Trial, optimization: OptimizationConfig) -> bool | None:
    if trial.status is not TrialStatus.COMPLETED or not optimization.outcome_constraints:
        return None
    if broken_limits(trial, optimization):
        return False
    return None if optimization.is_relative else True


def _parameter(name: str) -> Callable[[Trial], Cell]:
    return lambda trial: trial.parameters.get(name)


def _mean(metric: str) -> Callable[[Trial], Cell]:
    return lambda trial: None if (latest := trial.latest(metric)) is None else latest.mean


def _sem(metric: str) -> Callable[[Trial], Cell]:
    return lambda trial: None if (latest := trial.latest(metric)) is None else latest.sem


def _predicted(metric: str, part: str) -> Callable[[Trial], Cell]:
    def cell(trial: Trial) -> Cell:
        found = (p for p in trial.generation.predictions if p.metric == metric)
        return getattr(next(found, None), part, None)

    return cell


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _each_once(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in groups for name in group))


def _with_heads_of_their_own(columns: Iterable[TrialColumn]) -> tuple[TrialColumn, ...]:
    result: dict[str, TrialColumn] = {}
    for column in columns:
        head, number = column.head, 2
        while head in result:
            head, number = f"{column.head} ({number})", number + 1
        result[head] = TrialColumn(head, column.use, column.cell)
    return tuple(result.values())
