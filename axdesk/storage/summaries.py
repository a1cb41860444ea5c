"""The list of experiments, in five queries however many there are."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from statistics import median
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import STEERING, Goal, parse_number
from axdesk.core.draft_limits import parse_limit
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import LinearExpression, TOperator, goal_text
from axdesk.core.protocols import ExperimentSummary
from axdesk.core.run import RunState

_Term = Mapping[str, Any]
"""A term of an objective, with the columns of `_OBJECTIVES`."""

_EXPERIMENTS = text("""
SELECT e.id,
       e.name,
       (SELECT d.text FROM drafts d
        WHERE d.experiment_id = e.id AND d.section = 'general' AND d.row = 0 AND d.field = 'name'
       ) AS draft_name,
       e.updated_at,
       r.state,
       r.max_trials,
       (SELECT count(*) FROM trials t
        WHERE t.experiment_id = e.id AND t.run_index = r.run_index
          AND t.status IN ('completed', 'failed', 'abandoned', 'early_stopped')
       ) AS finished_trials,
       (SELECT count(*) FROM trials t WHERE t.experiment_id = e.id) AS trials
FROM experiments e
LEFT JOIN runs r ON r.experiment_id = e.id AND r.run_index =
    (SELECT max(run_index) FROM runs WHERE experiment_id = e.id)
ORDER BY e.updated_at DESC, e.id DESC
""")

_OBJECTIVES = text("""
SELECT t.experiment_id, t.objective, t.coefficient, t.metric, t.target,
       coalesce(m.unit, '') AS unit
FROM objective_terms t
JOIN metrics m ON m.experiment_id = t.experiment_id AND m.name = t.metric
ORDER BY t.experiment_id, t.objective, t.position
""")

_LIMITS = text("""
SELECT c.experiment_id, c.position, c.operator, c.bound, c.baseline, t.metric, t.coefficient,
       coalesce(m.unit, '') AS unit
FROM outcome_constraints c
JOIN outcome_constraint_terms t
    ON t.experiment_id = c.experiment_id AND t.constraint_position = c.position
JOIN metrics m ON m.experiment_id = t.experiment_id AND m.name = t.metric
ORDER BY c.experiment_id, c.position, t.position
""")

_TYPED = text("""
SELECT d.experiment_id, d.row, d.field, d.text
FROM drafts d JOIN experiments e ON e.id = d.experiment_id
WHERE e.name IS NULL AND d.section = 'objectives'
  AND d.field IN ('name', 'goal', 'target', 'weight', 'sum', 'unit', 'limit', 'limit_kind')
ORDER BY d.experiment_id, d.row
""")

# The rules of core.outcomes.best_observed.
_BEST = text("""
WITH measured AS (
    SELECT experiment_id, trial_index, metric, mean, is_excluded FROM (
        SELECT o.experiment_id, o.trial_index, o.metric, o.mean, t.is_excluded,
               row_number() OVER (
                   PARTITION BY o.experiment_id, o.trial_index, o.metric
                   ORDER BY o.progression DESC, o.position DESC
               ) AS place
        FROM observations o JOIN trials t USING (experiment_id, trial_index)
        WHERE t.status = 'completed'
    ) WHERE place = 1
),
latest AS (SELECT * FROM measured WHERE NOT is_excluded),
baselines AS (
    SELECT experiment_id, trial_index FROM (
        SELECT experiment_id, trial_index,
               row_number() OVER (
                   PARTITION BY experiment_id ORDER BY source = 'baseline' DESC, trial_index DESC
               ) AS place
        FROM trials
        WHERE source IN ('baseline', 'center') AND status NOT IN ('failed', 'abandoned')
    ) WHERE place = 1
),
limits AS (
    SELECT c.experiment_id, c.position, c.operator,
           CASE c.baseline WHEN 0 THEN c.bound ELSE c.bound + c.baseline * (
               SELECT m.mean
               FROM baselines b
               JOIN measured m USING (experiment_id, trial_index)
               JOIN outcome_constraint_terms t
                   ON t.experiment_id = m.experiment_id AND t.metric = m.metric
               WHERE t.experiment_id = c.experiment_id AND t.constraint_position = c.position
           ) END AS bound
    FROM outcome_constraints c
),
scores AS (
    SELECT l.experiment_id, l.trial_index,
           sum(coalesce(abs(l.mean - t.target), l.mean) * t.coefficient) AS score
    FROM latest l JOIN objective_terms t USING (experiment_id, metric)
    WHERE l.experiment_id NOT IN
        (SELECT experiment_id FROM objective_terms WHERE objective > 0)
      AND l.experiment_id NOT IN (SELECT experiment_id FROM limits WHERE bound IS NULL)
    GROUP BY l.experiment_id, l.trial_index
    HAVING count(*) =
        (SELECT count(*) FROM objective_terms n WHERE n.experiment_id = l.experiment_id)
),
broken AS (
    SELECT l.experiment_id, l.trial_index
    FROM latest l
    JOIN outcome_constraint_terms t USING (experiment_id, metric)
    JOIN limits c
        ON c.experiment_id = l.experiment_id AND c.position = t.constraint_position
    GROUP BY l.experiment_id, l.trial_index, c.position
    HAVING count(*) =
        (SELECT count(*) FROM outcome_constraint_terms n
         WHERE n.experiment_id = l.experiment_id AND n.constraint_position = c.position)
       AND CASE c.operator WHEN '<=' THEN sum(l.mean * t.coefficient) > c.bound
                           ELSE sum(l.mean * t.coefficient) < c.bound END
)
SELECT experiment_id, trial_index, score FROM (
    SELECT experiment_id, trial_index, score,
           row_number() OVER (PARTITION BY experiment_id ORDER BY score DESC, trial_index) AS place
    FROM scores
    WHERE (experiment_id, trial_index) NOT IN (SELECT experiment_id, trial_index FROM broken)
) WHERE place = 1
""")


# Trials whose result a person entered took no time at the runner.
_TRIAL_SECONDS = text("""
SELECT t.elapsed_seconds
FROM trials t JOIN plugin_choices p USING (experiment_id)
WHERE p.kind = 'runner' AND p.reference = :runner AND t.status = 'completed'
  AND t.run_index IS NOT NULL AND t.elapsed_seconds > 0
ORDER BY t.finished_at DESC, t.trial_index DESC
LIMIT 30
""")


def read_trial_seconds(connection: Connection, runner: str) -> float | None:
    """Return the median duration of the latest completed trials of a runner; None without any."""
    seconds = connection.execute(_TRIAL_SECONDS, {"runner": runner}).scalars().all()
    return median(seconds) if seconds else None


def read_summaries(
    connection: Connection, controllers: Mapping[int, str]
) -> tuple[ExperimentSummary, ...]:
    """Return all experiments and drafts, the latest change first.

    Args:
        connection: To the database.
        controllers: Who drives which experiment now.
    """
    objectives: dict[int, list[_Term]] = {}
    counts: dict[int, int] = {}
    for row in connection.execute(_OBJECTIVES).mappings():
        objectives.setdefault(row["experiment_id"], []).append(dict(row))
        counts[row["experiment_id"]] = 1 + row["objective"]
    typed = _typed_goals(connection)
    limits = {**_limits(connection), **_typed_limits(typed)}
    for experiment_id, terms in _typed_objectives(typed).items():
        objectives[experiment_id] = terms
        counts[experiment_id] = 1 + max(term["objective"] for term in terms)
    best = {
        row["experiment_id"]: (row["score"], row["trial_index"])
        for row in connection.execute(_BEST).mappings()
    }
    return tuple(
        _summary(
            row,
            objectives.get(row["id"], []),
            counts.get(row["id"], 0),
            best.get(row["id"]),
            controllers.get(row["id"], ""),
            tuple(limits.get(row["id"], ())),
        )
        for row in connection.execute(_EXPERIMENTS).mappings()
    )


def _limits(connection: Connection) -> dict[int, list[str]]:
    """The limits of all experiments, as text."""
    rows: dict[tuple[int, int], list[RowMapping]] = {}
    for row in connection.execute(_LIMITS).mappings():
        rows.setdefault((row["experiment_id"], row["position"]), []).append(row)
    found: dict[int, list[str]] = {}
    for (experiment_id, _), terms in rows.items():
        first = terms[0]
        limit = OutcomeConstraint(
            tuple((term["metric"], term["coefficient"]) for term in terms),
            first["operator"],
            first["bound"],
            first["baseline"],
        )
        unit = first["unit"] if len(terms) == 1 else ""
        found.setdefault(experiment_id, []).append(f"{limit} {unit}".rstrip())
    return found


_Cells = Mapping[tuple[int, int], Mapping[str, str]]
"""Experiment and row → what was typed into its cells."""


def _typed_goals(connection: Connection) -> _Cells:
    """What stands in the rows of goals of the drafts."""
    rows: dict[tuple[int, int], dict[str, str]] = {}
    for cell in connection.execute(_TYPED).mappings():
        place = cell["experiment_id"], cell["row"]
        rows.setdefault(place, {})[cell["field"]] = cell["text"].strip()
    return rows


def _typed_limits(rows: _Cells) -> dict[int, list[str]]:
    """The limits that the drafts say so far, as text."""
    found: dict[int, list[str]] = {}
    for (experiment_id, _), cells in rows.items():
        operator: TOperator = ">=" if cells.get("limit_kind") == ">=" else "<="
        if not (cells.get("name") and cells.get("limit")) or cells.get("goal") == Goal.RECORD:
            continue
        with suppress(UserInputError):
            limit = parse_limit(cells["name"], operator, cells["limit"])
            told = f"{limit} {cells.get('unit', '')}".rstrip()
            found.setdefault(experiment_id, []).append(told)
    return found


def _typed_objectives(rows: _Cells) -> dict[int, list[_Term]]:
    """What the drafts say so far, as terms of objectives."""
    found: dict[int, list[_Term]] = {}
    numbers: dict[tuple[int, str], int] = {}
    for (experiment_id, index), cells in rows.items():
        if cells.get("goal") not in STEERING or not cells.get("name"):
            continue
        # Rows with a weight and the same sum are one objective; any other row is one of its own.
        key = f"sum {cells.get('sum', '')}" if cells.get("weight") else f"row {index}"
        terms = found.setdefault(experiment_id, [])
        number = numbers.setdefault(
            (experiment_id, key), 1 + max((term["objective"] for term in terms), default=-1)
        )
        is_target = cells["goal"] == Goal.TARGET
        terms.append(
            {
                "objective": number,
                "coefficient": 1.0 if cells["goal"] == Goal.MAXIMISE else -1.0,
                "metric": cells["name"],
                "target": _number(cells.get("target", "")) if is_target else None,
                "unit": cells.get("unit", ""),
            }
        )
    return found


def _number(typed: str) -> float | None:
    try:
        return parse_number(typed)
    except UserInputError:
        return None


def _summary(
    row: RowMapping,
    terms: list[_Term],
    objectives: int,
    best: tuple[float, int] | None,
    controller: str,
    limits: tuple[str, ...],
) -> ExperimentSummary:
    only = terms[0] if len(terms) == 1 else None
    coefficient = 1.0 if only is None else only["coefficient"]
    return ExperimentSummary(
        id=row["id"],
        name=(row["draft_name"] or "") if row["name"] is None else row["name"],
        state=_state(row, controller),
        is_minimised=coefficient < 0 if objectives == 1 else None,
        objectives=objectives,
        objective="" if only is None else _label(only),
        finished_trials=row["finished_trials"],
        max_trials=row["max_trials"] or 0,
        # Adding 0 turns -0.0 into 0.0.
        best=None if best is None else best[0] / coefficient + 0.0,
        best_trial=None if best is None else best[1],
        unit="" if only is None else only["unit"],
        updated_at=datetime.fromisoformat(row["updated_at"]),
        controller=controller,
        trials=row["trials"],
        limits=limits,
    )


def _label(term: _Term) -> str:
    """What the objective with this only term is about, as `Objective.label` tells it."""
    if term["target"] is None:
        return str(term["metric"])
    alone = LinearExpression(((term["metric"], 1.0),))
    return goal_text(alone, {term["metric"]: term["target"]})


def _state(row: RowMapping, controller: str) -> RunState:
    if row["name"] is None:
        return RunState.DRAFT
    if row["state"] is None:
        return RunState.READY
    state = RunState(row["state"])
    return RunState.INTERRUPTED if state.is_live and not controller else state
