"""What the run settings of a draft say in words."""

from collections.abc import Mapping
from types import MappingProxyType

from axdesk.core.draft_cells import Row, parse_number
from axdesk.core.drafts import Draft
from axdesk.core.durations import is_plain_number, parse_seconds
from axdesk.core.errors import UserInputError
from axdesk.core.run import RunSettings
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.gui.models.formatting import NO_BREAK, counted, duration

_ON_ERROR = {
    "continue": "",
    "pause": ", and **pause and ask** on an error",
    "stop": ", and **stop** on an error",
}

METHODS: Mapping[str, str] = MappingProxyType(
    {
        "fast": "A model of the results suggests each trial; it works while trials run.",
        "quality": "The model also finds out which parameters matter; each suggestion takes "
        "several times as long.",
        "random_search": "No model: the trials are spread evenly over the search space.",
    }
)
"""What each way to make suggestions does."""

DEADLINES: Mapping[str, str] = MappingProxyType(
    {
        "run_deadline": "deploying",
        "poll_deadline": "polling",
        "fetch_deadline": "fetching",
        "stop_deadline": "stopping",
    }
)
"""Run settings that end a plugin call, and what the call does."""


def told_run(run: RunSettings, generation: GenerationSettings) -> tuple[str, str]:
    """The live sentence of valid run settings, and the small one below it."""
    main = f"axdesk will run **{counted(run.max_trials, 'trial')}**, **{at_a_time(run)}**"
    limit = run.orchestration.run_time_limit
    if limit is not None:
        main += f", for **{duration(limit)}** at most"
    main += _ON_ERROR[run.orchestration.on_error]
    return f"{main}. {stops_sentence(run, bold=True)}", _first_trials_sentence(run, generation)


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


def at_a_time(run: RunSettings) -> str:
    """How many trials run together: `3 at a time`."""
    return "one at a time" if run.parallelism == 1 else f"{run.parallelism} at a time"


def stops_sentence(run: RunSettings, *, bold: bool = False) -> str:
    """When failures end the run."""
    mark = "**" if bold else ""
    if run.tolerated_trial_failure_rate == 0:
        return f"It stops {mark}at the first failure{mark}."
    share = f"once more than {percent(run)} failed"
    sentence = f"It stops {mark}from the {ordinal(run.min_failed_trials)} failure{mark} on, {share}"
    if run.tolerated_failures >= run.max_trials:
        return f"{sentence}."
    return f"{sentence}; at the end, if {mark}more than {run.tolerated_failures}{mark} failed."


def percent(run: RunSettings) -> str:
    """The tolerated failure rate."""
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


def seconds_words(row: Row, field: str, missing: str = "–") -> str:
    """A duration of the draft as it is read: as typed, and seconds with their unit."""
    text = row.get(field, "").strip()
    if not text:
        return missing
    return f"{text}{NO_BREAK}s" if is_plain_number(text) else text.replace(" ", NO_BREAK)


def seconds_hint(text: str) -> str:
    """What a duration comes to that was typed with units: `= 5400 s`; empty for plain seconds."""
    if not text.strip() or is_plain_number(text):
        return ""
    try:
        return f"= {parse_seconds(text):.12g}{NO_BREAK}s"
    except UserInputError:
        return ""


def polling_values(draft: Draft) -> str:
    """The folded settings of polling in a few words."""
    row = draft.run
    tries = {row.get(field, "–") for field in ("poll_retries", "fetch_retries")}
    told = [
        f"every {seconds_words(row, 'seconds_between_polls')}, after errors up to "
        f"{seconds_words(row, 'max_seconds_between_polls')}",
        f"{' or '.join(sorted(tries))} tries",
        f"{seconds_words(row, 'seconds_between_launches')} between launches",
    ]
    limits = {what: seconds_words(row, field, "") for field, what in DEADLINES.items()}
    by_limit: dict[str, list[str]] = {}
    for what, limit in limits.items():
        by_limit.setdefault(limit, []).append(what)
    told += [
        f"{', '.join(calls)} at most {limit}" if limit else f"{', '.join(calls)} without limit"
        for limit, calls in by_limit.items()
    ]
    return "; ".join(told)


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
    limit = seconds_words(row, "generation_time_limit", "")
    return (
        f"seed {row.get('seed', '–')}, failure check from the {failures} failure, "
        f"a suggestion takes {f'at most {limit}' if limit else 'as long as it needs'}"
    )
