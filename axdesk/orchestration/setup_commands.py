"""What an operator does to the set-up: the same with and without a run."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from axdesk.core.errors import PreflightError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig
from axdesk.core.outcomes import baseline_trial
from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import AuditEntry, TrialStore
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import TrialSource, TrialStatus

CheckSpace = Callable[[SearchSpace], None]
"""Refuses a search space whose constraints cannot all be met."""


def edit_setup(
    experiment: Experiment,
    store: TrialStore,
    setup: ExperimentSetup,
    now: datetime,
    check_space: CheckSpace,
) -> None:
    """Store another set-up; of an experiment with trials, what it was stays in the history.

    Args:
        experiment: It has the new set-up afterwards.
        store: That has the experiment.
        setup: The new one.
        now: In UTC.
        check_space: What a changed search space is checked with.

    Raises:
        UserInputError: If the constraints cannot all be met, the new name is taken, or a trial that
            waits to be deployed would lie outside.
    """
    if setup == experiment.setup:
        return
    if setup.search_space != experiment.search_space:
        check_space(setup.search_space)
        _refuse_waiting_outside(experiment, setup)
    before, after = _told(experiment.setup), _told(setup)
    entries = [
        AuditEntry(now, f"edit_{what}", before=before[what], after=text)
        for what, text in after.items()
        if experiment.trials and text != before[what]
    ]
    store.save_setup(experiment, setup, entries)


def _refuse_waiting_outside(experiment: Experiment, setup: ExperimentSetup) -> None:
    for trial in experiment.with_status(TrialStatus.STAGED):
        found = setup.search_space.deviations(trial.parameters)
        if found and not experiment.search_space.deviations(trial.parameters):
            raise UserInputError(
                f"Trial {trial.index} may still be deployed and would lie outside the new search "
                f"space. {' '.join(found)}",
                "Let it run first, or mark it abandoned.",
            )


def refuse_unfetched_metrics(optimization: OptimizationConfig, fetched: Sequence[str]) -> None:
    """Refuse objectives and limits with a metric that nothing fetches.

    Args:
        optimization: What is optimised.
        fetched: The metrics that the plugins fetch.

    Raises:
        PreflightError: If there is such a metric.
    """
    missing = [name for name in optimization.required_metrics if name not in fetched]
    if missing:
        have = ", ".join(map(repr, fetched)) or "none"
        raise PreflightError(
            f"Nothing fetches {', '.join(map(repr, missing))}; the metrics given: {have}.",
            "Give configure_metrics a metric of that name.",
        )


def refuse_unknown_metrics(optimization: OptimizationConfig, fetched: Sequence[str]) -> None:
    """Refuse a metric that is neither optimised, nor limited, nor recorded.

    Raises:
        UserInputError: If one is fetched.
    """
    known = optimization.metric_names
    for name in fetched:
        if name not in known:
            raise UserInputError(
                f"The metric {name!r} is not part of the optimisation, whose metrics are "
                f"{', '.join(map(repr, known))}.",
                "Correct the name, or name it in configure_tracking_metrics.",
            )


def refuse_without_baseline(experiment: Experiment, setup: ExperimentSetup) -> None:
    """Refuse a set-up with which a limit could never be decided in a run.

    Raises:
        PreflightError: If a limit is relative to a baseline that is not there.
    """
    if not setup.optimization.is_relative:
        return
    baseline = baseline_trial(experiment.trials.values())
    if baseline is None and setup.generation.initialize_with_center:
        if not experiment.trials:
            return  # the first trial, that of the start values, will be the baseline
    elif baseline is not None:
        is_attached = baseline.generation.source is TrialSource.BASELINE
        if baseline.status is TrialStatus.COMPLETED or not (
            is_attached or baseline.status.is_terminal
        ):
            return
    limits = [str(one) for one in setup.optimization.outcome_constraints if one.is_relative]
    raise PreflightError(
        f"“{limits[0]}” cannot be decided: "
        + (
            "there is no baseline trial."
            if baseline is None
            else f"the baseline trial #{baseline.index} has no result."
        ),
        "Call attach_baseline and complete_trial first.",
    )


def _told(setup: ExperimentSetup) -> Mapping[str, str]:
    """What the history says of a set-up."""
    optimization = setup.optimization
    objective = [optimization.objective_text, *map(str, optimization.outcome_constraints)]
    fetching = [f"{metric}: {_plugin(choice)}" for metric, choice in setup.metrics]
    return {
        "name": setup.name,
        "description": setup.description,
        "owner": setup.owner,
        "parameters": "; ".join(map(str, setup.search_space.parameters)),
        "parameter_constraints": "; ".join(map(str, setup.search_space.constraints)),
        "optimization": "; ".join(objective),
        "tracking_metrics": ", ".join(optimization.tracking_metrics),
        "generation": str(setup.generation),
        "runner": "" if setup.runner is None else _plugin(setup.runner),
        "metrics": "; ".join(fetching),
        "plugin_folder": setup.plugin_folder,
        "plugin_python": setup.plugin_python,
    }


def _plugin(choice: PluginChoice) -> str:
    options = ", ".join(f"{name} = {value!r}" for name, value in choice.options.items())
    return f"{choice.reference} ({options})" if options else choice.reference
