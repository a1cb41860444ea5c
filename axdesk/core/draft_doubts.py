"""What in a draft is allowed and perhaps not meant, cell by cell."""

from collections.abc import Iterator

from axdesk.core.draft_cells import Problem, Row, Section, value_text
from axdesk.core.draft_notes import Notes
from axdesk.core.draft_parameters import checked_parameters
from axdesk.core.draft_run import checked_run
from axdesk.core.drafts import Draft
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.setup import ExperimentSetup

DECADE = 10.0
"""Below this ratio of high to low, a logarithmic scale hardly differs from a linear one."""
MANY_DECADES = 1000.0
"""From this ratio on, a linear scale hardly ever tries the small values."""


def doubts(draft: Draft, setup: ExperimentSetup | None) -> tuple[Problem, ...]:
    """Return what is worth a second look; none of it keeps a run from starting.

    Args:
        draft: As it is typed, with problems or without.
        setup: What it says; None while it has problems.
    """
    found = [
        Problem(Section.PARAMETERS, row, *doubt)
        for row, parameter in enumerate(checked_parameters(draft.parameters, Notes()))
        if isinstance(parameter, RangeParameterConfig) and parameter.is_on
        for doubt in _of_range(parameter, draft.parameters[row])
    ]
    if setup is not None:
        found += _of_start_values(setup)
    return (*found, *_of_run(draft.run))


def _of_range(
    parameter: RangeParameterConfig, row: Row
) -> Iterator[tuple[str, str, tuple[tuple[str, dict[str, str]], ...]]]:
    low, high = parameter.bounds
    is_whole = parameter.parameter_type == "int"
    if parameter.is_log and high < DECADE * low:
        message = (
            "Over less than a factor of 10, a logarithmic scale hardly differs from a linear one."
        )
        yield "scale", message, (("Switch to linear", {"scale": ""}),)
    if not parameter.is_log and not is_whole and low > 0 and high >= MANY_DECADES * low:
        message = (
            f"On a linear scale, values near {row['low'].strip()} are hardly ever tried; a "
            "logarithmic one tries each order of magnitude as often."
        )
        yield "scale", message, (("Switch to logarithmic", {"scale": "log"}),)
    last = parameter.last_step
    if parameter.step_size is not None and last is not None:
        highest = parameter.value_at(last)
        if highest != high:
            text = value_text(highest)
            message = f"With this step {text} is the highest value, and High is never tried."
            yield "step", message, ((f"End at {text}", {"high": text}),)


def _of_start_values(setup: ExperimentSetup) -> Iterator[Problem]:
    if not setup.generation.initialize_with_center:
        return
    given = {
        parameter.name: parameter.start_value
        for parameter in setup.search_space.tunable
        if parameter.start_value is not None
    }
    for row, constraint in enumerate(setup.search_space.constraints):
        if all(name in given for name in constraint.names) and not constraint.is_met(given):
            message = f"The start values break {constraint}: the first trial is moved to keep it."
            yield Problem(Section.CONSTRAINTS, row, "expression", message)


def _of_run(row: Row) -> Iterator[Problem]:
    checked = checked_run(row, Notes())
    if checked is not None and checked[0].parallelism > checked[0].max_trials:
        run = checked[0]
        message = f"{run.parallelism} at a time, but only {run.max_trials} in all."
        yield Problem(Section.RUN, 0, "parallelism", message)
