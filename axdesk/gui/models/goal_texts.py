"""What the objectives and limits of a draft say in words."""

from collections.abc import Sequence
from dataclasses import replace

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Goal, Row, Section, number_text
from axdesk.core.drafts import Draft
from axdesk.core.errors import AxdeskError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.outcomes import true_limits
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.models.formatting import NO_BREAK, counted

_TIMES = f"{NO_BREAK}×{NO_BREAK}"


def optimization_of(draft: Draft) -> OptimizationConfig | None:
    """What a draft says of objectives and limits; None while that is not valid.

    The rest of the draft may have problems, also what measures each.
    """
    metrics = {row.get("name", "").strip() for row in draft.objectives}
    stand_in = "x" + "x" * max(map(len, metrics), default=0)
    filled = Draft(
        general={"name": "x"},
        parameters=({"name": stand_in, "low": "0", "high": "1"},),
        objectives=tuple({**row, "metric": row.get("metric") or "m"} for row in draft.objectives),
        constraints=tuple(row for row in draft.constraints if _is_limit_on(row, metrics)),
        runner={"reference": "r"},
    )
    checked = filled.checked()
    return checked.optimization if isinstance(checked, ExperimentSetup) else None


def _is_limit_on(row: Row, metrics: set[str]) -> bool:
    try:
        return metrics.issuperset(OutcomeConstraint.parse(row.get("expression", "")).names)
    except AxdeskError:
        return False


def goal_words(optimization: OptimizationConfig, *, mark: str = "") -> list[str]:
    """Each objective as what is done: `maximise Yield (%)`, `bring pH close to 7`.

    Args:
        optimization: What is optimised.
        mark: Stands around what varies, such as `**`.
    """
    return [_goal(one, optimization, mark) for one in optimization.objectives]


def _goal(objective: Objective, optimization: OptimizationConfig, mark: str) -> str:
    terms, targets = objective.expression.terms, dict(objective.targets)
    if len(terms) == 1:
        name, coefficient = terms[0]
        shown = f"{mark}{named(name, optimization)}{mark}"
        if name in targets:
            return f"bring {shown} close to {_number(targets[name])}"
        return f"{'maximise' if coefficient > 0 else 'minimise'} {shown}"
    is_minimised = all(coefficient < 0 for _, coefficient in terms)
    sign = -1 if is_minimised else 1
    shown = _sum(
        [
            (sign * coefficient, _term(name, targets.get(name), optimization))
            for name, coefficient in terms
        ]
    )
    return f"{'minimise' if is_minimised else 'maximise'} {mark}{shown}{mark}"


def _term(name: str, target: float | None, optimization: OptimizationConfig) -> str:
    shown = named(name, optimization)
    return shown if target is None else f"distance of {shown} from {_number(target)}"


def limit_words(limit: OutcomeConstraint, optimization: OptimizationConfig) -> str:
    """A limit as it is read: `Impurity (%) ≤ 2`, `Yield ≥ 0.95 × baseline`."""
    left = _sum([(c, named(name, optimization)) for name, c in limit.terms])
    right = _number(limit.bound)
    if limit.is_relative:
        rest = [(limit.bound, "")] if limit.bound else []
        right = _sum([(limit.baseline, "baseline"), *rest])
    return f"{left} {'≤' if limit.operator == '<=' else '≥'} {right}"


def named(metric: str, optimization: OptimizationConfig) -> str:
    """A metric with its unit, unless its name says it."""
    unit = optimization.unit_of(metric)
    return f"{metric} ({unit})" if unit and unit not in metric else metric


def _sum(terms: Sequence[tuple[float, str]]) -> str:
    text = ""
    for coefficient, name in terms:
        size = abs(coefficient)
        shown = name if size == 1 and name else _TIMES.join(filter(None, (_number(size), name)))
        sign = "−" if coefficient < 0 else "+"
        if text:
            text += f" {sign} {shown}"
        else:
            text = f"−{shown}" if coefficient < 0 else shown
    return text


def _number(value: float) -> str:
    return number_text(value).replace("-", "−")


def told_goals(draft: Draft, optimization: OptimizationConfig) -> tuple[str, str]:
    """The live sentence of valid objectives, and the small one below it."""
    goals = goal_words(optimization, mark="**")
    limits = true_limits(optimization)
    sentence = f"axdesk will {joined(goals)}"
    if limits:
        kept = [f"**{limit_words(limit, optimization)}**" for limit in limits]
        sentence += f" while keeping {joined(kept)}"
    return f"{sentence}.", " ".join(_told_more(draft, optimization, limits))


def _told_more(
    draft: Draft, optimization: OptimizationConfig, limits: Sequence[OutcomeConstraint]
) -> list[str]:
    parts = []
    if any(len(one.expression.terms) > 1 for one in optimization.objectives):
        parts.append("Goals with a weight are added up.")
    if optimization.has_several:
        parts.append(
            "No goal goes before another: the best trials are those that none beats in all of them."
        )
    thresholds = [one for one in optimization.outcome_constraints if one not in limits]
    if thresholds:
        told = joined([limit_words(one, optimization) for one in thresholds])
        parts.append(f"Only trade-offs with {told} are of use.")
    recorded = [
        row.get("name", "").strip() for row in draft.objectives if row.get("goal") == Goal.RECORD
    ]
    limited = {name for limit in optimization.outcome_constraints for name in limit.names}
    recorded = [name for name in recorded if name not in limited]
    if recorded:
        verbs = ("is", "does") if len(recorded) == 1 else ("are", "do")
        parts.append(
            f"{joined(recorded)} {verbs[0]} recorded with each trial and {verbs[1]} not steer "
            "the search."
        )
    if optimization.is_relative:
        parts.append(baseline_sentence(draft))
    if limits:
        parts.append("A trial that breaks a limit still teaches the model, but is never the best.")
    return parts


def baseline_sentence(draft: Draft) -> str:
    """Which trial limits relative to the baseline are compared with."""
    if starts_at_baseline(draft):
        return "The baseline is the trial of the start values, which is measured first."
    return "The baseline is a manual trial used as one; without one the run cannot start."


def starts_at_baseline(draft: Draft) -> bool:
    """Whether the first trial of a new experiment is that of the start values."""
    rows = draft.rows(Section.RUN)
    return rows[0].get("start_at_center", "yes") != "no"


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def goals_in_short(draft: Draft) -> str:
    """The goals in a few words: `Maximise Yield, 1 limit`; empty while they are not valid."""
    optimization = optimization_of(draft)
    if optimization is None:
        return ""
    goals = joined(goal_words(replace(optimization, units=())))
    parts = [goals[:1].upper() + goals[1:]]
    if optimization.outcome_constraints:
        parts.append(counted(len(optimization.outcome_constraints), "limit"))
    return ", ".join(parts)
