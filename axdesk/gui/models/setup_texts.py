"""What the set-up says in words: the sections' states, the live sentences, the review."""

from dataclasses import dataclass, replace
from typing import Final

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import (
    ParameterKind,
    Problem,
    Section,
)
from axdesk.core.drafts import Draft
from axdesk.core.objective import OptimizationConfig
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.formatting import counted, duration, with_unit
from axdesk.gui.models.goal_texts import (
    goal_words,
    goals_in_short,
    limit_words,
    optimization_of,
    told_goals,
)
from axdesk.gui.models.parameter_paste import TITLES as PARAMETER_TITLES
from axdesk.gui.models.run_texts import (
    at_a_time,
    first_trials,
    first_trials_in_short,
    percent,
    run_settings,
    told_run,
)

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
    "on_error": "On an error",
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
    problems = _problems_on_page(model, section)
    if problems and (was_seen or not _is_untouched(model, section)):
        return "bad", counted(len(problems), "problem")
    if problems:
        return "unseen", "Not filled in yet"
    if section is Section.RUN and not was_seen and is_usual_run(model.draft):
        return "unseen", "Not reviewed yet"
    if doubtful := model.doubts_of(section):
        return "warn", counted(len(doubtful), "warning")
    summary = section_summary(model.draft, section)
    if section is Section.CONSTRAINTS and not model.draft.constraints:
        return "optional", summary
    return "good", summary


def _is_untouched(model: DraftModel, section: Section) -> bool:
    """Whether nothing was typed on a page; the run settings begin filled in."""
    return section is not Section.RUN and not any(model.rows(section))


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What keeps a set-up from being run.

    Attributes:
        problems: Of the sections in which something was typed.
        sections: The titles of those that have to be filled in, as they stand in a sentence.
        first: Where to go on; None if nothing is left.
    """

    problems: tuple[Problem, ...] = ()
    sections: tuple[str, ...] = ()
    first: Problem | None = None


def unfinished(model: DraftModel) -> Unfinished:
    """What is left to do: problems first, then the sections that are still empty."""
    pages = {section: _problems_on_page(model, section) for section in Section}
    left = [s for s in Section if pages[s] and _is_untouched(model, s)]
    problems = [problem for section in Section if section not in left for problem in pages[section]]
    rest = [problem for section in left for problem in pages[section]]
    titles = tuple(SECTION_TITLES[section].lower() for section in left)
    return Unfinished(tuple(problems), titles, next(iter((*problems, *rest)), None))


def _problems_on_page(model: DraftModel, section: Section) -> list[Problem]:
    """The problems mended on a section's page: what fetches a goal is said at the runner."""
    problems = model.problems_of(section)
    if section is Section.OBJECTIVES:
        return [p for p in problems if not _is_about_fetching(p)]
    if section is Section.RUNNER:
        goals = model.problems_of(Section.OBJECTIVES)
        return [*problems, *(p for p in goals if _is_about_fetching(p))]
    return list(problems)


def _is_about_fetching(problem: Problem) -> bool:
    return problem.field == "metric" or problem.field.startswith("option.")


def is_usual_run(draft: Draft) -> bool:
    """Whether the run settings are those of a new draft."""
    return draft.run == Draft().run


def section_summary(draft: Draft, section: Section) -> str:
    """What a valid section says, in a few words."""
    match section:
        case Section.GENERAL:
            return draft.general.get("name", "").strip()
        case Section.PARAMETERS:
            on = [row for row in draft.parameters if row.get("on") != "no"]
            derived = sum(row.get("kind") == ParameterKind.DERIVED for row in on)
            return counted(len(on), "parameter") + (f", {derived} derived" if derived else "")
        case Section.OBJECTIVES:
            return goals_in_short(draft)
        case Section.CONSTRAINTS:
            return counted(len(draft.constraints), "constraint") if draft.constraints else "None"
        case Section.RUNNER:
            return draft.runner.get("reference", "").partition(":")[2]
        case Section.RUN:
            trials, parallel = (draft.run.get(f, "") for f in ("max_trials", "parallelism"))
            return f"{_trials(trials)}, {parallel.strip()} at a time"


def _trials(text: str) -> str:
    return f"{text.strip()} {'trial' if text.strip() == '1' else 'trials'}"


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
    optimization = optimization_of(model.draft)
    if optimization is None:  # what is wrong is told where it stands
        return "Not complete: other sections have problems.", ""
    return told_goals(model.draft, optimization)


def run_sentence(model: DraftModel) -> tuple[str, str]:
    """The live sentence of the run settings, and the small one below it."""
    problems = model.problems_of(Section.RUN)
    if problems:
        place = place_of(problems[0], model.draft)
        return f"Not complete: {sentence_of(problems[0])}", f"See {place}."
    run, generation = run_settings(model.draft)
    return told_run(run, generation)


def summary_rows(setup: ExperimentSetup) -> list[tuple[str, str]]:
    """What the run will do, in lines of name and value."""
    run, generation = setup.run, setup.generation
    optimization = setup.optimization
    goals = [_capital(goal) for goal in goal_words(replace(optimization, units=()))]
    rows = [("Goal", ", ".join(goals))]
    rows += [("Limit", _limit(one, optimization)) for one in optimization.outcome_constraints]
    parallel = at_a_time(run)
    rows += [
        ("Parameters", str(len(setup.search_space.parameters))),
        ("Trials", f"{run.max_trials}, {parallel}"),
        ("First trials", _first(run, generation)),
        ("Stops early", _early(run)),
        ("On an error", _ON_ERROR[run.orchestration.on_error]),
        ("May have started", _UNCERTAIN[run.orchestration.uncertain_deployment]),
        ("Optimiser", f"{_METHODS[generation.method]}, seed {generation.seed}"),
    ]
    limit_seconds = run.orchestration.run_time_limit
    if limit_seconds is not None:
        rows.append(("Ends after", duration(limit_seconds)))
    rows += _stopping_rows(run)
    return rows


def _limit(limit: OutcomeConstraint, optimization: OptimizationConfig) -> str:
    unit = optimization.unit_of(limit.names[0]) if len(limit.names) == 1 else ""
    told = limit_words(limit, replace(optimization, units=()))
    return told if limit.is_relative else with_unit(told, unit)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


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


_ON_ERROR = {"continue": "go on", "pause": "pause and ask", "stop": "stop"}
_UNCERTAIN = {"ask": "ask", "abandon": "abandon the trial", "redeploy": "deploy it again"}
_METHODS = {"fast": "Model", "quality": "Thorough", "random_search": "Random search"}


def _first(run: RunSettings, generation: GenerationSettings) -> str:
    return first_trials_in_short(run, generation) or first_trials(run, generation)


def _early(run: RunSettings) -> str:
    if run.tolerated_trial_failure_rate == 0:
        return "at the first failure"
    return f"when over {percent(run)} fail"
