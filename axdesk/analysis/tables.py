"""The cards that need no model: all trials, the best of them, and how the best was reached.

With several objectives the best are those on the Pareto front, and how far it was pushed is its
hypervolume.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from axdesk.analysis.rendering import number
from axdesk.core.cards import Card, Measured, TCell
from axdesk.core.errors import UserInputError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import (
    HypervolumePoint,
    TracePoint,
    against_baseline,
    convergence_trace,
    hypervolume_trace,
    is_eligible,
    objective_score,
    objective_scores,
    pareto_front,
    shown_score,
)
from axdesk.core.pareto import MOST_VALUES
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Trial, TrialStatus

SHOWN_BEST = 5
NO_RESULT = "No trial has a result yet."


def summary_card(
    trials: Iterable[Trial], optimization: OptimizationConfig, search_space: SearchSpace
) -> Card:
    """Return every trial by index: where it stands, what was run and what was measured."""
    known = _by_index(trials)
    names = _parameter_names(known, search_space)
    rows = tuple(
        (
            trial.index,
            trial.arm.name,
            trial.status.replace("_", " "),
            trial.generation.source.value,
            *_parameters(trial, names),
            *_metrics(trial, optimization),
            trial.reason,
        )
        for trial in known
    )
    columns = (
        "trial",
        "arm",
        "status",
        "source",
        *_parameter_heads(names, search_space),
        *_metric_heads(optimization),
        "reason",
    )
    return Card("summary", "Trials", _summary_sentence(known), columns, rows)


def best_trials_card(
    trials: Iterable[Trial], optimization: OptimizationConfig, search_space: SearchSpace
) -> Card:
    """Return the best few of the completed trials that are not excluded and keep every limit."""
    known = _by_index(trials)
    optimization = against_baseline(optimization, known)
    names = _parameter_names(known, search_space)
    scored = [(objective_score(t, optimization), t) for t in known if is_eligible(t, optimization)]
    ranked = sorted(
        ((score, trial) for score, trial in scored if score is not None),
        key=lambda pair: (-pair[0], pair[1].index),
    )
    is_sum = not optimization.objective.is_plain
    rows = tuple(
        (
            rank,
            trial.index,
            trial.arm.name,
            *((_objective(trial, optimization),) if is_sum else ()),
            *_metrics(trial, optimization),
            *_parameters(trial, names),
        )
        for rank, (_, trial) in enumerate(ranked[:SHOWN_BEST], start=1)
    )
    columns = (
        "rank",
        "trial",
        "arm",
        *(("objective",) if is_sum else ()),
        *_metric_heads(optimization),
        *_parameter_heads(names, search_space),
    )
    sentence = _best_sentence([trial for _, trial in ranked], known, optimization)
    return Card("best_trials", "Best trials", sentence, columns, rows)


def convergence_card(
    trials: Iterable[Trial], optimization: OptimizationConfig, search_space: SearchSpace
) -> Card:
    """Return the objective of each completed trial, and the best value up to it."""
    del search_space  # all cards are asked for in the same way
    trace = convergence_trace(trials, optimization)
    rows = tuple((p.trial_index, p.value, p.best_so_far) for p in trace)
    value = _with_unit(_objective_label(optimization), _objective_unit(optimization))
    return Card(
        "convergence",
        "Convergence",
        _convergence_sentence(trace, optimization),
        ("trial", value, "best so far"),
        rows,
    )


def pareto_front_card(
    trials: Iterable[Trial], optimization: OptimizationConfig, search_space: SearchSpace
) -> Card:
    """Return the trials that no other one dominates, the best in the first objective first."""
    known = _by_index(trials)
    names = _parameter_names(known, search_space)
    front = pareto_front(known, optimization)
    ranked = sorted(front, key=lambda t: (-(objective_score(t, optimization) or 0.0), t.index))
    objectives = [one for one in optimization.objectives if not one.is_plain]
    rows = tuple(
        (
            trial.index,
            trial.arm.name,
            *(_measured(trial, objective) for objective in objectives),
            *_metrics(trial, optimization),
            *_parameters(trial, names),
        )
        for trial in ranked
    )
    columns = (
        "trial",
        "arm",
        *(objective.label for objective in objectives),
        *_metric_heads(optimization),
        *_parameter_heads(names, search_space),
    )
    sentence = _front_sentence(front, known, optimization)
    return Card("pareto_front", "Pareto front", sentence, columns, rows)


def hypervolume_card(
    trials: Iterable[Trial], optimization: OptimizationConfig, search_space: SearchSpace
) -> Card:
    """Return how much the completed trials dominate together, trial by trial."""
    del search_space  # all cards are asked for in the same way
    trace = hypervolume_trace(trials, optimization)
    rows = tuple((p.trial_index, p.hypervolume, p.is_on_front) for p in trace)
    return Card(
        "hypervolume",
        "Hypervolume",
        _hypervolume_sentence(trace, optimization),
        ("trial", "hypervolume", "on the front"),
        rows,
    )


TAnalysis = Callable[[Iterable[Trial], OptimizationConfig, SearchSpace], Card]

ANALYSES: Mapping[str, TAnalysis] = {
    "summary": summary_card,
    "best_trials": best_trials_card,
    "convergence": convergence_card,
}
"""Name → what computes the card of one objective, in the order in which cards are shown."""

ANALYSES_OF_SEVERAL: Mapping[str, TAnalysis] = {
    "summary": summary_card,
    "pareto_front": pareto_front_card,
    "hypervolume": hypervolume_card,
}
"""The same with several objectives."""


def compute_cards(
    trials: Iterable[Trial],
    optimization: OptimizationConfig,
    search_space: SearchSpace,
    names: Sequence[str] | None = None,
) -> tuple[Card, ...]:
    """Return the cards with these names; None for all.

    Raises:
        UserInputError: If there is no such card for this number of objectives.
    """
    analyses = ANALYSES_OF_SEVERAL if optimization.has_several else ANALYSES
    wanted = list(analyses) if names is None else list(names)
    for name in wanted:
        if name not in analyses:
            raise UserInputError(
                f"There is no analysis {name!r}.", f"Choose among {', '.join(analyses)}."
            )
    known = _by_index(trials)
    return tuple(analyses[name](known, optimization, search_space) for name in wanted)


def _by_index(trials: Iterable[Trial]) -> list[Trial]:
    return sorted(trials, key=lambda trial: trial.index)


def _parameter_names(trials: Sequence[Trial], search_space: SearchSpace) -> tuple[str, ...]:
    """Those of the search space, then any that only trials of an earlier version have."""
    of_trials = (name for trial in trials for name in trial.parameters)
    return tuple(dict.fromkeys((*search_space.names, *of_trials)))


def _parameter_heads(names: Sequence[str], search_space: SearchSpace) -> tuple[str, ...]:
    units = {parameter.name: parameter.unit for parameter in search_space.parameters}
    return tuple(_with_unit(name, units.get(name, "")) for name in names)


def _metric_heads(optimization: OptimizationConfig) -> tuple[str, ...]:
    return tuple(_with_unit(n, optimization.unit_of(n)) for n in optimization.metric_names)


def _with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _parameters(trial: Trial, names: Sequence[str]) -> tuple[TCell, ...]:
    return tuple(trial.parameters.get(name) for name in names)


def _metrics(trial: Trial, optimization: OptimizationConfig) -> tuple[TCell, ...]:
    latest = (trial.latest(name) for name in optimization.metric_names)
    return tuple(None if o is None else Measured(o.mean, o.sem) for o in latest)


def _measured(trial: Trial, objective: Objective) -> Measured | None:
    """An objective as the operator knows it; its sem takes the metrics as independent."""
    latest = {name: trial.latest(name) for name in objective.metric_names}
    known = {name: o for name, o in latest.items() if o is not None}
    if trial.status is not TrialStatus.COMPLETED or len(known) < len(latest):
        return None
    value = shown_score(objective.score({n: o.mean for n, o in known.items()}), objective)
    terms = objective.expression.terms
    scale = abs(terms[0][1]) if len(terms) == 1 else 1.0
    parts = []
    for name, coefficient in terms:
        sem = known[name].sem
        if sem is None:
            return Measured(value)
        parts.append(coefficient / scale * sem)
    return Measured(value, math.hypot(*parts))


def _objective(trial: Trial, optimization: OptimizationConfig) -> Measured | None:
    return _measured(trial, optimization.objective)


def _objective_label(optimization: OptimizationConfig) -> str:
    return optimization.objective.label


def _objective_unit(optimization: OptimizationConfig) -> str:
    names = optimization.objective.metric_names
    return optimization.unit_of(names[0]) if len(names) == 1 else ""


def _shown(value: Measured, optimization: OptimizationConfig) -> str:
    unit = _objective_unit(optimization)
    return f"{number(value)} {unit}".strip()


def _summary_sentence(trials: Sequence[Trial]) -> str:
    if not trials:
        return "No trial has started yet."
    counts = {status: sum(t.status is status for t in trials) for status in TrialStatus}
    parts = [f"{n} {status.replace('_', ' ')}" for status, n in counts.items() if n]
    noun = "trial" if len(trials) == 1 else "trials"
    return f"{len(trials)} {noun}: {', '.join(parts)}."


def _best_sentence(
    ranked: Sequence[Trial], trials: Sequence[Trial], optimization: OptimizationConfig
) -> str:
    if ranked:
        value = _objective(ranked[0], optimization)
        label = _objective_label(optimization)
        shown = "" if value is None else _shown(value, optimization)
        return f"The best {label} is {shown}, of #{ranked[0].index}."
    return _why_none(trials, optimization)


def _why_none(trials: Sequence[Trial], optimization: OptimizationConfig) -> str:
    completed = sum(objective_scores(trial, optimization) is not None for trial in trials)
    if not completed:
        return NO_RESULT
    if against_baseline(optimization, trials).is_relative:
        return "Limits relative to the baseline cannot be decided before it has a result."
    return f"None of {completed} completed trials keeps every limit and is not excluded."


def _front_sentence(
    front: Sequence[Trial], trials: Sequence[Trial], optimization: OptimizationConfig
) -> str:
    if not front:
        return _why_none(trials, optimization)
    completed = sum(objective_scores(trial, optimization) is not None for trial in trials)
    verb = "is" if len(front) == 1 else "are"
    labels = [objective.label for objective in optimization.objectives]
    names = f"{', '.join(labels[:-1])} and {labels[-1]}"
    return (
        f"{len(front)} of {completed} completed trials {verb} on the Pareto front of {names}: no "
        "other trial is better in one of them and nowhere worse."
    )


def _hypervolume_sentence(
    trace: Sequence[HypervolumePoint], optimization: OptimizationConfig
) -> str:
    if not trace:
        return NO_RESULT
    last = trace[-1].hypervolume
    if last is None:
        return (
            f"The hypervolume of {len(optimization.objectives)} objectives is not computed; "
            f"{MOST_VALUES} are the most."
        )
    since = next(point.trial_index for point in trace if point.hypervolume == last)
    if not last:
        return "No completed trial adds to the hypervolume yet."
    return f"Hypervolume {number(last)}, reached with #{since}."


def _convergence_sentence(trace: Sequence[TracePoint], optimization: OptimizationConfig) -> str:
    if not trace:
        return NO_RESULT
    best = trace[-1].best_so_far
    if best is None:
        return "No completed trial keeps every limit and is not excluded, so none is the best yet."
    since = next(point.trial_index for point in trace if point.best_so_far == best)
    sentence = f"Best {_shown(Measured(best), optimization)} since #{since}"
    recent = max(1, round(len(trace) / 4))
    before = trace[-recent - 1].best_so_far if len(trace) > recent else None
    if before is None:
        return f"{sentence}."
    trials = "trial" if recent == 1 else f"{recent} trials"
    if before == best:
        return f"{sentence}; the last {trials} did not improve it."
    gain = _shown(Measured(abs(best - before)), optimization)
    return f"{sentence}; the last {trials} improved it by {gain}."
