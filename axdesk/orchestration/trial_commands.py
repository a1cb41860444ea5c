"""What an operator does to trials: the same with and without a run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from axdesk.core.commands import (
    Abandon,
    AddTrial,
    EnterResult,
    MarkEarlyStopped,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    TResult,
    TrialCommand,
)
from axdesk.core.errors import UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.protocols import AuditEntry, TrialStore
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus


def apply_to_trial(
    experiment: Experiment, store: TrialStore, command: TrialCommand, now: datetime
) -> Trial:
    """Carry out a command, store the trial with its history, and return its new snapshot.

    Raises:
        NotFoundError: If there is no such trial.
        TransitionError: If the trial's status does not allow it.
        UserInputError: If a value that was given is not allowed.
    """
    if isinstance(command, AddTrial | Replicate):
        return _add(experiment, store, command, now)
    before = experiment.trial(command.trial_index)
    after = _changed(experiment, before, command, now)
    entry = AuditEntry(
        at=now,
        action=_ACTIONS[type(command)],
        trial_index=before.index,
        before=_told(before, command),
        after=_told(after, command),
        note=_note(command),
    )
    store.save_trial(experiment, after, (entry,))
    experiment.put(after)
    return after


def deviations(experiment: Experiment, trial: Trial) -> tuple[str, ...]:
    """Return a sentence for each way in which a trial does not keep to the search space."""
    found = experiment.search_space.deviations(trial.parameters)
    return tuple(f"Trial {trial.index} lies outside the search space. {text}" for text in found)


def _changed(experiment: Experiment, trial: Trial, command: TrialCommand, now: datetime) -> Trial:
    match command:
        case EnterResult():
            return _with_result(experiment, trial, command, now)
        case MarkFailed(reason=reason):
            return trial.moved_to(TrialStatus.FAILED, reason=reason, finished_at=now)
        case Abandon(reason=reason):
            return trial.moved_to(TrialStatus.ABANDONED, reason=reason, finished_at=now)
        case MarkEarlyStopped(reason=reason):
            return _early_stopped(trial, reason, now)
        case SetExcluded(is_excluded=is_excluded):
            return replace(trial, is_excluded=is_excluded)
        case SetNote(note=note):
            return replace(trial, note=note)
        case AddTrial() | Replicate():
            raise AssertionError("a trial that is added is not changed")


def _note(command: TrialCommand) -> str:
    """Why, for the history."""
    match command:
        case EnterResult(note=note):
            return note
        case MarkFailed(reason=reason) | Abandon(reason=reason) | MarkEarlyStopped(reason=reason):
            return reason
        case _:
            return ""


_ACTIONS: Mapping[type[object], str] = {
    AddTrial: "add_trial",
    Replicate: "replicate",
    EnterResult: "enter_result",
    MarkFailed: "mark_failed",
    Abandon: "abandon",
    MarkEarlyStopped: "mark_early_stopped",
    SetExcluded: "set_excluded",
    SetNote: "set_note",
}


def _told(trial: Trial, command: TrialCommand) -> str:
    """What the history says of a trial, in view of the command."""
    match command:
        case SetNote():
            return trial.note
        case SetExcluded():
            return "excluded" if trial.is_excluded else "included"
        case _:
            metrics = dict.fromkeys(o.metric for o in trial.observations)
            latest = (trial.latest(metric) for metric in metrics)
            status = f"{trial.status}: {trial.reason}" if trial.reason else str(trial.status)
            return "; ".join([status, *(_observation_text(o) for o in latest if o)])


def _early_stopped(trial: Trial, reason: str, now: datetime) -> Trial:
    if trial.status is TrialStatus.RUNNING and not trial.observations:
        raise UserInputError(
            f"Trial {trial.index} has no values, so it cannot count as stopped early.",
            "Attach what was measured, or mark it failed or abandoned.",
        )
    return trial.moved_to(TrialStatus.EARLY_STOPPED, reason=reason, finished_at=now)


def _observation_text(observation: Observation) -> str:
    sem = "" if observation.sem is None else f" ± {observation.sem!r}"
    return f"{observation.metric} = {observation.mean!r}{sem}"


def _add(
    experiment: Experiment, store: TrialStore, command: AddTrial | Replicate, now: datetime
) -> Trial:
    index = experiment.next_index
    if isinstance(command, Replicate):
        original = experiment.trial(command.trial_index)
        manual = AddTrial(original.parameters)
        trial = added_trial(experiment, manual, index, now, is_started=not command.is_deployed)
        note = f"of trial {original.index}"
    else:
        trial, note = added_trial(experiment, command, index, now), ""
    action = _ACTIONS[type(command)]
    entry = AuditEntry(now, action, index, after=told_of_added(trial), note=note)
    store.save_trial(experiment, trial, (entry,))
    experiment.put(trial)
    return trial


def added_trial(
    experiment: Experiment,
    command: AddTrial,
    index: int,
    now: datetime,
    *,
    is_started: bool = True,
) -> Trial:
    """Return the trial that a person adds, without storing it.

    Args:
        experiment: It is to belong to.
        command: What it is.
        index: That it gets.
        now: In UTC.
        is_started: Whether somebody runs it already; otherwise a run deploys it.

    Raises:
        UserInputError: If a value is not allowed.
    """
    trial = Trial(
        index=index,
        arm=Arm(
            command.arm_name or f"{index}_0", experiment.search_space.typed(command.parameters)
        ),
        generation=Generation(TrialSource.BASELINE if command.is_baseline else TrialSource.MANUAL),
        search_space_version=experiment.search_space_version,
        optimization_version=experiment.optimization_version,
    )
    if not is_started:
        return trial.moved_to(TrialStatus.STAGED)
    trial = trial.moved_to(TrialStatus.RUNNING, staged_at=now, started_at=now)
    if command.result:
        trial = _with_result(experiment, trial, EnterResult(index, command.result), now)
    return trial


def told_of_added(trial: Trial) -> str:
    """Return what the history says of a trial that was added."""
    return _told(trial, AddTrial({}))


def observations_of(result: TResult, progression: float) -> tuple[Observation, ...]:
    """Return the observations that a result says; a bad value is a UserInputError."""
    found = []
    for metric, value in result.items():
        mean, sem = value if isinstance(value, tuple) else (value, None)
        if isinstance(mean, bool) or not isinstance(mean, int | float):
            raise UserInputError(f"The value {mean!r} of {metric!r} is no number.")
        found.append(Observation(metric, float(mean), sem, progression))
    return tuple(found)


def _with_result(
    experiment: Experiment, trial: Trial, command: EnterResult, now: datetime
) -> Trial:
    unknown = [m for m in command.result if m not in experiment.optimization.metric_names]
    if unknown:
        known = ", ".join(experiment.optimization.metric_names)
        raise UserInputError(
            f"{unknown[0]!r} is no metric of {experiment.name!r}.", f"Its metrics: {known}."
        )
    observations = (*trial.observations, *observations_of(command.result, command.progression))
    have = {o.metric for o in observations}
    missing = [m for m in experiment.optimization.required_metrics if m not in have]
    if missing:
        raise UserInputError(
            f"Trial {trial.index} needs a value of {', '.join(missing)} to be completed.",
            "Enter all of them at once.",
        )
    changes: dict[str, Any] = {"observations": observations, "reason": ""}
    if trial.status is not TrialStatus.COMPLETED:
        changes |= {"finished_at": now, "may_have_started": False}
    return trial.moved_to(TrialStatus.COMPLETED, **changes)
