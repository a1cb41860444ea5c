"""What the set-up says in words: the sections' states, the live sentences, the review."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from axdesk.core.draft_cells import (
    STEERING,
    Goal,
    ParameterKind,
    Problem,
    Row,
    Section,
    parse_number,
)
from axdesk.core.drafts import Draft
from axdesk.core.errors import UserInputError
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.formatting import NO_BREAK, counted, duration
from axdesk.gui.models.objective_table import limit_text
from axdesk.gui.models.parameter_table import TITLES as PARAMETER_TITLES

SECTION_TITLES: Final = {
    Section.GENERAL: "General",
    Section.PARAMETERS: "Parameters",
    Section.OBJECTIVES: "Objectives & limits",
    Section.CONSTRAINTS: "Constraints",
    Section.RUNNER: "Runner & metrics",
    Section.RUN: "Run settings",
}

_OTHER_TITLES: Final = {
    "name": "Name",
    "plugin_folder": "Plugin folder",
    "plugin_python": "Python of the plugins",
    "goal": "Goal",
    "weight": "Weight",
    "limit": "Limit",
    "limit_kind": "Limit",
    "metric": "Measured by",
    "expression": "Expression",
    "reference": "Runner",
}

RUN_TITLES: Final = {
    "max_trials": "Trials",
    "parallelism": "At a time",
    "initial_trials": "Random trials first",
    "start_at_center": "First trial",
    "method": "Optimiser",
    "seed": "Seed",
    "min_observed_trials": "Results before the model",
    "count_existing_trials": "Manual trials count",
    "tolerated_failure_percent": "Tolerated failures",
    "min_failed_trials": "Failures before the rate counts",
    "when_failure_rate_exceeded": "When too many fail",
    "uncertain_deployment": "May have started",
    "trial_time_limit": "Trial time limit",
    "run_time_limit": "Run time limit",
    "seconds_between_polls": "Poll every",
    "max_seconds_between_polls": "After errors up to",
    "poll_retries": "Failed polls in a row",
    "fetch_retries": "Failed fetches in a row",
    "seconds_between_launches": "Between two launches",
    "run_deadline": "Deploying may take",
    "poll_deadline": "Polling may take",
    "fetch_deadline": "Fetching may take",
    "stop_deadline": "Stopping may take",
    "generation_time_limit": "Suggesting may take",
    "early_percentile": "Stop a trial below percentile",
    "early_threshold": "Stop a trial worse than",
    "early_min_progression": "Judged from progression",
    "early_max_progression": "Judged up to progression",
    "early_min_curves": "Other trials needed",
    "early_best_protected": "Best trials protected",
    "global_target": "End the run at",
    "global_improvement_percent": "End it at an improvement of",
    "global_stagnation": "End it without a better one in",
    "global_window_size": "Improvement over",
    "global_min_trials": "Not before",
}


def field_title(section: Section, field: str) -> str:
    """What a field is called on its page."""
    if field.startswith("option."):
        return option_title(field.removeprefix("option."))
    if section is Section.RUN:
        return RUN_TITLES.get(field, field)
    if section is Section.PARAMETERS:
        return PARAMETER_TITLES.get(field, field)
    return _OTHER_TITLES.get(field, field)


def option_title(name: str) -> str:
    """A plugin's option as a label: `noise_sd` becomes `Noise sd`."""
    words = name.replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def place_of(problem: Problem, draft: Draft) -> str:
    """Where a problem is: `Catalyst, Low`."""
    field = field_title(problem.section, problem.field) if problem.field else ""
    if problem.row is None:
        return SECTION_TITLES[problem.section]
    if problem.section in (Section.PARAMETERS, Section.OBJECTIVES):
        rows = draft.rows(problem.section)
        name = rows[problem.row].get("name", "").strip() if problem.row < len(rows) else ""
        row = name or f"Row {problem.row + 1}"
    elif problem.section is Section.CONSTRAINTS:
        row, field = f"Constraint {problem.row + 1}", ""
    else:
        row = ""
    return ", ".join(part for part in (row, field) if part) or SECTION_TITLES[problem.section]


def sentence_of(problem: Problem) -> str:
    """What is wrong, as it goes on after a colon; names of columns and classes keep capitals."""
    message = problem.message
    first = message.partition(" ")[0].rstrip(",.:")
    if first in PARAMETER_TITLES.values() or problem.field.startswith("option."):
        return message
    return message[:1].lower() + message[1:]


def section_state(model: DraftModel, section: Section, *, was_seen: bool) -> tuple[str, str]:
    """A section's state in the list, and what stands below its title."""
    problems = model.problems_of(section)
    is_untouched = not any(model.rows(section)) if section is not Section.RUN else not problems
    if problems and (was_seen or not is_untouched):
        return "bad", counted(len(problems), "problem")
    if problems:
        return "unseen", "Not filled in yet"
    if section is Section.RUN and not was_seen and is_usual_run(model.draft):
        return "unseen", "Not reviewed yet"
    summary = section_summary(model.draft, section)
    if section is Section.CONSTRAINTS and not model.draft.constraints:
        return "optional", summary
    return "good", summary


def is_usual_run(draft: Draft) -> bool:
    """Whether the run settings are those of a new draft."""
    return draft.run == Draft().run


def section_summary(draft: Draft, section: Section) -> str:
    """What a valid section says, in a few words."""
    match section:
        case Section.GENERAL:
            return draft.general.get("name", "").strip()
        case Section.PARAMETERS:
            on = sum(row.get("on") != "no" for row in draft.parameters)
            return counted(on, "parameter")
        case Section.OBJECTIVES:
            return _goals_in_short(draft.objectives)
        case Section.CONSTRAINTS:
            return counted(len(draft.constraints), "constraint") if draft.constraints else "None"
        case Section.RUNNER:
            return draft.runner.get("reference", "").partition(":")[2]
        case Section.RUN:
            trials, parallel = (draft.run.get(f, "") for f in ("max_trials", "parallelism"))
            return f"{_trials(trials)}, {parallel.strip()} at a time"


def _trials(text: str) -> str:
    return f"{text.strip()} {'trial' if text.strip() == '1' else 'trials'}"


def _goals_in_short(rows: Sequence[Row]) -> str:
    goals = [_goal_words(row, row.get("name", "").strip()) for row in _steering(rows)]
    limits = sum(bool(row.get("limit", "").strip()) for row in rows)
    parts = [" and ".join(goals).capitalize() if not goals else _capital(" and ".join(goals))]
    if limits:
        parts.append(counted(limits, "limit"))
    return ", ".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _named(row: Row) -> str:
    name, unit = row.get("name", "").strip(), row.get("unit", "").strip()
    return f"{name} ({unit})" if unit and unit not in name else name


def objective_sentence(model: DraftModel) -> tuple[str, str]:
    """The live sentence of the objectives, and the small one below it."""
    rows = model.draft.objectives
    problems = [p for p in model.problems_of(Section.OBJECTIVES) if p.field not in ("metric",)]
    problems = [p for p in problems if not p.field.startswith("option.")]
    if not rows:
        return (
            "Say what a good trial is: add what you measure.",
            "For example Yield, to be maximised, and Impurity, to stay at most 2.",
        )
    if problems:
        place = place_of(problems[0], model.draft)
        return f"Not complete: {sentence_of(problems[0])}", f"See {place}."
    goals = [_goal_words(row, f"**{_weighted(row)}**") for row in _steering(rows)]
    limits = [f"**{_named(row)} {limit_text(row)}**" for row in rows if limit_text(row)]
    sentence = f"axdesk will {_joined(goals)}"
    if limits:
        sentence += f" while keeping {_joined(limits)}"
    return f"{sentence}.", _recorded(rows, has_limits=bool(limits))


def _steering(rows: Sequence[Row]) -> list[Row]:
    return [row for row in rows if row.get("goal") in STEERING]


def _goal_words(row: Row, name: str) -> str:
    if row["goal"] == Goal.TARGET:
        return f"bring {name} close to {row.get('target', '').strip()}"
    return f"{row['goal']} {name}"


def _weighted(row: Row) -> str:
    weight = row.get("weight", "").strip()
    return f"{weight}{NO_BREAK}×{NO_BREAK}{_named(row)}" if weight else _named(row)


def _recorded(rows: Sequence[Row], *, has_limits: bool) -> str:
    parts = []
    sums = Counter(
        row.get("sum", "").strip() for row in _steering(rows) if row.get("weight", "").strip()
    )
    alone = len(_steering(rows)) - sums.total()
    if any(count > 1 for count in sums.values()):
        parts.append("Goals with a weight are added up.")
    if alone + len(sums) > 1:
        parts.append(
            "No goal goes before another: the best trials are those that none beats in all of them."
        )
    recorded = [row.get("name", "").strip() for row in rows if row.get("goal") == Goal.RECORD]
    if recorded:
        is_one = len(recorded) == 1
        verbs = ("is", "does") if is_one else ("are", "do")
        parts.append(
            f"{_joined(recorded)} {verbs[0]} recorded with each trial and {verbs[1]} not steer "
            "the search."
        )
    if has_limits:
        parts.append("A trial that breaks a limit still teaches the model, but is never the best.")
    return " ".join(parts)


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def run_sentence(model: DraftModel) -> tuple[str, str]:
    """The live sentence of the run settings, and the small one below it."""
    problems = model.problems_of(Section.RUN)
    if problems:
        place = place_of(problems[0], model.draft)
        return f"Not complete: {sentence_of(problems[0])}", f"See {place}."
    run, generation = run_settings(model.draft)
    main = f"axdesk will run **{counted(run.max_trials, 'trial')}**, **{_at_a_time(run)}**. "
    return main + stops_sentence(run, bold=True), _first_trials_sentence(run, generation)


def run_settings(draft: Draft) -> tuple[RunSettings, GenerationSettings]:
    """The run settings of a draft whose section RUN is valid; the rest may not be."""
    filled = Draft(
        general={"name": "x"},
        parameters=({"name": "x", "low": "0", "high": "1"},),
        objectives=({"name": "y", "goal": "maximise", "metric": "m"},),
        runner={"reference": "r"},
        run=draft.run,
    )
    checked = filled.checked()
    if not isinstance(checked, ExperimentSetup):
        raise UserInputError("The run settings have problems.", checked.items[0].message)
    return checked.run, checked.generation


def _at_a_time(run: RunSettings) -> str:
    return "one at a time" if run.parallelism == 1 else f"{run.parallelism} at a time"


def stops_sentence(run: RunSettings, *, bold: bool = False) -> str:
    """When failures end the run."""
    mark = "**" if bold else ""
    if run.tolerated_trial_failure_rate == 0:
        return f"It stops {mark}at the first failure{mark}."
    share = f"once more than {_percent(run)} failed"
    sentence = f"It stops {mark}from the {ordinal(run.min_failed_trials)} failure{mark} on, {share}"
    if run.tolerated_failures >= run.max_trials:
        return f"{sentence}."
    return f"{sentence}; at the end, if {mark}more than {run.tolerated_failures}{mark} failed."


def _percent(run: RunSettings) -> str:
    return f"{100 * run.tolerated_trial_failure_rate:.12g}{NO_BREAK}%"


def ordinal(number: int) -> str:
    """A number in order: `1st`, `22nd`, `13th`."""
    if number % 100 in (11, 12, 13):
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }"


def _first_trials_sentence(run: RunSettings, generation: GenerationSettings) -> str:
    first = first_trials(run, generation)
    if generation.method == "random_search":
        return "All trials are spread evenly over the search space; no model is used."
    sentence = f"First {first}, then the model suggests."
    if run.parallelism > 1:
        sentence += (
            f" With {run.parallelism} at a time each suggestion is made without the results of "
            f"{run.parallelism - 1}; fewer at a time need fewer trials, more finish sooner."
        )
    return sentence


def first_trials(run: RunSettings, generation: GenerationSettings) -> str:
    """What comes before the model."""
    count = min(generation.initialization_budget, run.max_trials)
    if not generation.initialize_with_center:
        return f"{counted(count, 'random trial')}"
    if count == 1:
        return "the start values"
    return f"the start values and {counted(count - 1, 'random trial')}"


def first_trials_in_short(run: RunSettings, generation: GenerationSettings) -> str:
    """The same beside the field."""
    count = min(generation.initialization_budget, run.max_trials)
    return f"start values + {count - 1}" if generation.initialize_with_center else ""


def polling_values(draft: Draft) -> str:
    """The folded settings of polling in a few words."""
    row = draft.run
    return (
        f"every {row.get('seconds_between_polls', '–')}{NO_BREAK}s, after errors up to "
        f"{row.get('max_seconds_between_polls', '–')}{NO_BREAK}s; "
        f"{row.get('poll_retries', '–')} tries"
    )


def stopping_values(draft: Draft) -> str:
    """The folded criteria of stopping early in a few words."""
    row = draft.run
    told = [
        text.format(row[field])
        for field, text in (
            ("early_percentile", f"trials below percentile{NO_BREAK}{{}}"),
            ("early_threshold", f"trials worse than{NO_BREAK}{{}}"),
            ("global_target", f"the run at{NO_BREAK}{{}}"),
            (
                "global_improvement_percent",
                f"the run at an improvement of{NO_BREAK}{{}}{NO_BREAK}%",
            ),
            ("global_stagnation", f"the run without a better one in{NO_BREAK}{{}}{NO_BREAK}trials"),
        )
        if row.get(field, "").strip()
    ]
    return "; ".join(told) or "off"


def advanced_values(draft: Draft) -> str:
    """The folded advanced settings in a few words."""
    row = draft.run
    try:
        failures = ordinal(int(parse_number(row.get("min_failed_trials", ""))))
    except UserInputError:
        failures = "–"
    return f"seed {row.get('seed', '–')}, failure check from the {failures} failure"


def summary_rows(setup: ExperimentSetup) -> list[tuple[str, str]]:
    """What the run will do, in lines of name and value."""
    run, generation = setup.run, setup.generation
    units = dict(setup.optimization.units)
    goals = []
    for objective in setup.optimization.objectives:
        targets = dict(objective.targets)
        for name, weight in objective.expression.terms:
            if name in targets:
                goals.append(f"Bring {name} close to {targets[name]:.12g}")
            else:
                goals.append(f"{'Maximise' if weight > 0 else 'Minimise'} {name}")
    rows = [("Goal", goals[0] if len(goals) == 1 else ", ".join(goals))]
    for limit in setup.optimization.outcome_constraints:
        unit = units.get(limit.names[0], "") if len(limit.names) == 1 else ""
        sign = str(limit).replace("<=", "≤").replace(">=", "≥")
        rows.append(("Limit", f"{sign}{NO_BREAK}{unit}" if unit else sign))
    parallel = _at_a_time(run)
    rows += [
        ("Parameters", str(len(setup.search_space.parameters))),
        ("Trials", f"{run.max_trials}, {parallel}"),
        ("First trials", _first(run, generation)),
        ("Stops early", _early(run)),
        ("May have started", _UNCERTAIN[run.orchestration.uncertain_deployment]),
        ("Optimiser", f"{_METHODS[generation.method]}, seed {generation.seed}"),
    ]
    limit_seconds = run.orchestration.run_time_limit
    if limit_seconds is not None:
        rows.append(("Ends after", duration(limit_seconds)))
    rows += _stopping_rows(run)
    return rows


def _stopping_rows(run: RunSettings) -> list[tuple[str, str]]:
    early, overall = run.orchestration.early_stopping, run.orchestration.global_stopping
    rows = []
    if early is not None:
        told = [] if early.percentile is None else [f"below percentile {early.percentile:g}"]
        told += [] if early.threshold is None else [f"worse than {early.threshold:g}"]
        rows.append(("Ends trials", " or ".join(told)))
    if overall is not None:
        told = [] if overall.target is None else [f"at {overall.target:g}"]
        if overall.improvement_bar is not None:
            told.append(f"when {overall.window_size} trials improve too little")
        if overall.stagnation is not None:
            told.append(f"after {counted(overall.stagnation, 'trial')} without a better one")
        rows.append(("Ends the run", " or ".join(told)))
    return rows


_UNCERTAIN = {"ask": "ask", "abandon": "abandon the trial", "redeploy": "deploy it again"}
_METHODS = {"fast": "Model", "quality": "Thorough", "random_search": "Random search"}


def _first(run: RunSettings, generation: GenerationSettings) -> str:
    return first_trials_in_short(run, generation) or first_trials(run, generation)


def _early(run: RunSettings) -> str:
    if run.tolerated_trial_failure_rate == 0:
        return "at the first failure"
    return f"when over {_percent(run)} fail"


def passed_checks(model: DraftModel) -> list[tuple[str, str]]:
    """The checks that the draft passes, grouped: name and what was found."""
    return [_passed(model, section) for section in Section if not model.problems_of(section)]


def _passed(model: DraftModel, section: Section) -> tuple[str, str]:
    draft = model.draft
    match section:
        case Section.GENERAL:
            return "Name", section_summary(draft, section)
        case Section.PARAMETERS:
            return SECTION_TITLES[section], _parameters_passed(draft)
        case Section.OBJECTIVES:
            return SECTION_TITLES[section], "each response has a metric; at least one goal"
        case Section.CONSTRAINTS:
            return SECTION_TITLES[section], _constraints_passed(draft)
        case Section.RUNNER:
            return "Plugins", _plugins_passed(model)
        case Section.RUN:
            return SECTION_TITLES[section], section_summary(draft, section)


def _parameters_passed(draft: Draft) -> str:
    on = [row for row in draft.parameters if row.get("on") != "no"]
    fixed = sum(row.get("kind") == ParameterKind.FIXED for row in on)
    more = f", {fixed} of them fixed" if fixed else ""
    return f"{len(on)} in use{more}; names unique, bounds and scales valid"


def _constraints_passed(draft: Draft) -> str:
    if not draft.constraints:
        return "none; every setting within the bounds is allowed"
    return f"{counted(len(draft.constraints), 'constraint')} understood"


def _plugins_passed(model: DraftModel) -> str:
    name = model.draft.runner.get("reference", "").partition(":")[2]
    checked = "found; options valid" if model.catalogue is not None else "chosen"
    return f"{name} {checked}"
