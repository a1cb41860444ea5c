"""What is told of a trial under the pointer, the same in every plot."""

from datetime import datetime

from axdesk.core.objective import OptimizationConfig
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import (
    duration,
    measured,
    number,
    parameter_decimals,
    parameter_value,
    with_unit,
)
from axdesk.gui.models.quantities import decimals, expected, objective_quantity
from axdesk.gui.models.run_facts import (
    RunFacts,
    decimals_of,
    seconds_running,
    status_word,
)

_MOST_PARAMETERS = 8


def read_out_title(trial: Trial, facts: RunFacts, now: datetime) -> str:
    """Number, status and, while it runs, for how long."""
    title = f"#{trial.index} {status_word(trial, facts, now).lower()}"
    if trial.is_excluded:
        title += ", excluded"
    if trial.status is TrialStatus.RUNNING and trial.started_at is not None:
        title += f", {duration(seconds_running(trial, now))}"
    return title


def read_out_rows(
    trial: Trial, facts: RunFacts, optimization: OptimizationConfig
) -> list[tuple[str, str]]:
    """Name and value of what is told of a trial: results, or what is expected, and settings."""
    rows: list[tuple[str, str]] = []
    if trial.status is not TrialStatus.COMPLETED:
        for place in range(len(optimization.objectives)):
            quantity = objective_quantity(place, optimization)
            guess = expected(quantity, trial, facts)
            if guess is not None:
                digits = decimals(quantity, facts)
                text = f"{number(guess[0], digits)} ± {number(guess[1], digits)}"
                name = f"Expected {quantity.name}" if optimization.has_several else "Expected"
                rows.append((name, with_unit(text, quantity.unit)))
    for metric in optimization.metric_names:
        observation = trial.latest(metric)
        if observation is not None:
            digits = decimals_of(metric, facts)
            text = measured(observation.mean, digits, observation.sem)
            text += f" ± {number(observation.sem, digits)}" if observation.sem else ""
            rows.append((metric, with_unit(text, optimization.unit_of(metric))))
    if trial.reason:
        rows.append(("Reason", trial.reason.splitlines()[0][:60]))
    return rows + _settings(trial, facts)


def _settings(trial: Trial, facts: RunFacts) -> list[tuple[str, str]]:
    if facts.setup is None:
        return []
    rows = []
    for parameter in facts.setup.search_space.parameters[:_MOST_PARAMETERS]:
        value = trial.parameters.get(parameter.name)
        if value is not None:
            text = parameter_value(value, parameter_decimals(parameter))
            rows.append((parameter.name, with_unit(text, parameter.unit)))
    return rows
