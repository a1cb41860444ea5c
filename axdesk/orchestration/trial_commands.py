"""What an operator does to trials: the same with and without a run."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AttachFile,
    DetachFile,
    EnterResult,
    MarkEarlyStopped,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    TResult,
    TrialCommand,
    Void,
)
from axdesk.core.errors import NotFoundError, TransitionError, UserInputError
from axdesk.core.experiment import Experiment
from axdesk.core.numbers import NumberError, real_number
from axdesk.core.parameters import TParameterization
from axdesk.core.protocols import AuditEntry, TrialStore
from axdesk.core.texts import shown
from axdesk.core.trial import (
    Arm,
    Generation,
    Observation,
    Trial,
    TrialSource,
    TrialStatus,
    automatic_name,
    is_automatic_name,
)


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
        case Void(reason=reason):
            return _voided(trial, reason)
        case MarkEarlyStopped(reason=reason):
            return _early_stopped(trial, reason, now)
        case SetExcluded(is_excluded=is_excluded):
            return replace(trial, is_excluded=is_excluded)
        case SetNote(note=note):
            return replace(trial, note=note)
        case AttachFile() | DetachFile():
            return _with_files(trial, command)
        case AddTrial() | Replicate():
            raise AssertionError("a trial that is added is not changed")


def _note(command: TrialCommand) -> str:
    """Why, for the history."""
    match command:
        case EnterResult(note=note):
            return note
        case (
            MarkFailed(reason=reason)
            | Abandon(reason=reason)
            | Void(reason=reason)
            | MarkEarlyStopped(reason=reason)
            | SetExcluded(reason=reason)
        ):
            return reason
        case _:
            return ""


_ACTIONS: Mapping[type[object], str] = {
    AddTrial: "add_trial",
    Replicate: "replicate",
    EnterResult: "enter_result",
    MarkFailed: "mark_failed",
    Abandon: "abandon",
    Void: "void",
    MarkEarlyStopped: "mark_early_stopped",
    SetExcluded: "set_excluded",
    SetNote: "set_note",
    AttachFile: "attach_file",
    DetachFile: "detach_file",
}


def _told(trial: Trial, command: TrialCommand) -> str:
    """What the history says of a trial, in view of the command."""
    match command:
        case SetNote():
            return trial.note
        case AttachFile() | DetachFile():
            return _file_names(trial)
        case SetExcluded():
            return "excluded" if trial.is_excluded else "included"
        case _:
            metrics = dict.fromkeys(o.metric for o in trial.observations)
            latest = (trial.latest(metric) for metric in metrics)
            status = f"{trial.status}: {trial.reason}" if trial.reason else str(trial.status)
            return "; ".join([status, *(_observation_text(o) for o in latest if o)])


def _with_files(trial: Trial, command: AttachFile | DetachFile) -> Trial:
    files, named = trial.attachments, command.attachment
    rest = tuple(one for one in files if (one.name, one.sha256) != (named.name, named.sha256))
    is_there = len(rest) < len(files)
    if isinstance(command, AttachFile):
        return trial if is_there else replace(trial, attachments=(*files, named))
    if not is_there:
        raise NotFoundError(
            f"Trial {trial.index} has no file {named.name!r}.",
            f"Its files: {_file_names(trial) or 'none'}.",
        )
    return replace(trial, attachments=rest)


def _file_names(trial: Trial) -> str:
    return ", ".join(f"{one.name} ({one.sha256[:12]})" for one in trial.attachments)


def _voided(trial: Trial, reason: str) -> Trial:
    if trial.status is not TrialStatus.COMPLETED:
        raise TransitionError(
            f"Trial {trial.index} is {trial.status.words}: it has no result to be voided.",
            "Abandon it, or mark it failed.",
        )
    # It ended when it was measured.
    return trial.moved_to(TrialStatus.ABANDONED, reason=reason)


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
        wanted = AddTrial(original.parameters, is_deployed=command.is_deployed)
        what, note = f"Trial {original.index} is not deployed again.", f"of trial {original.index}"
    else:
        wanted, what, note = command, "The trial is not deployed.", ""
    trial = added_trial(experiment, wanted, index, now)
    if wanted.is_deployed:
        _refuse_outside(experiment, trial, what)
    action = _ACTIONS[type(command)]
    entry = AuditEntry(now, action, index, after=told_of_added(trial), note=note)
    store.save_trial(experiment, trial, (entry,))
    experiment.put(trial)
    return trial


def _refuse_outside(experiment: Experiment, trial: Trial, what: str) -> None:
    """Refuse to deploy what lies outside: an edit may have forbidden it, or a person ran it."""
    found = experiment.search_space.deviations(trial.parameters)
    if found:
        raise UserInputError(
            f"{what} {' '.join(found)}",
            "Widen the search space, or run it yourself and add it with its result.",
        )


def added_trial(
    experiment: Experiment,
    command: AddTrial,
    index: int,
    now: datetime,
) -> Trial:
    """Return the trial that a person adds, without storing it.

    Args:
        experiment: It is to belong to.
        command: What it is.
        index: That it gets.
        now: In UTC.

    Raises:
        UserInputError: If a value is not allowed, the name is that of another parameterization, or
            a trial that is to be deployed has a result already.
    """
    if command.is_deployed and command.result:
        raise UserInputError(
            "A trial that is to be deployed has no result yet.", "Leave the result out."
        )
    arm = Arm(
        command.arm_name or automatic_name(index),
        experiment.search_space.typed(command.parameters),
    )
    refuse_automatic_name(arm, index)
    for other in experiment.trials.values():
        if other.arm.name == arm.name:
            refuse_other_parameters(arm, other.index, other.arm.parameters)
    trial = Trial(
        index=index,
        arm=arm,
        generation=Generation(TrialSource.BASELINE if command.is_baseline else TrialSource.MANUAL),
        search_space_version=experiment.search_space_version,
        optimization_version=experiment.optimization_version,
    )
    if command.is_deployed:
        return trial.moved_to(TrialStatus.STAGED)
    trial = trial.moved_to(TrialStatus.RUNNING, staged_at=now, started_at=now)
    if command.result:
        trial = _with_result(experiment, trial, EnterResult(index, command.result), now)
    return trial


def refuse_automatic_name(arm: Arm, index: int) -> None:
    """Refuse, for the trial of an index, the name that the trial of another one gets by itself."""
    if is_automatic_name(arm.name) and arm.name != automatic_name(index):
        raise UserInputError(
            f"The arm name {arm.name!r} is the one that a trial of that number gets by itself.",
            "Choose another one, or leave it out.",
        )


def refuse_other_parameters(arm: Arm, index: int, parameters: TParameterization) -> None:
    """Refuse an arm whose name is that of a trial with an index, if that has other parameters."""
    if parameters != arm.parameters:
        raise UserInputError(
            f"The arm name {arm.name!r} is that of trial {index}, which has other parameters.",
            "Choose another one, or leave it out.",
        )


def told_of_added(trial: Trial) -> str:
    """Return what the history says of a trial that was added."""
    return _told(trial, AddTrial({}))


def observations_of(
    trial: Trial, result: TResult, progression: float | None
) -> tuple[Observation, ...]:
    """Return the observations that a result of a trial says.

    Args:
        trial: Whose result it is.
        result: Metric → mean, or (mean, sem) with a sem of None for unknown.
        progression: Of the values, finite; None for the highest that the trial has, so that they
            are its latest, and 0 without any.

    Raises:
        UserInputError: If a value is no finite number.
    """
    if progression is None:
        progression = max((o.progression for o in trial.observations), default=0.0)
    found = []
    for metric, value in result.items():
        parts = value if isinstance(value, tuple | list) else (value, None)
        if len(parts) != 2:
            raise UserInputError(
                f"The value {shown(value)} of {metric!r} has {len(parts)} parts.",
                "Give the mean, or (mean, sem).",
            )
        mean = _number(parts[0], f"The value {shown(value)} of {metric!r}")
        sem = parts[1]
        if sem is not None:
            sem = _number(sem, f"The standard error {shown(sem)} of {metric!r}")
        found.append(Observation(metric, mean, sem, progression))
    return tuple(found)


def _number(value: object, what: str) -> float:
    try:
        return real_number(value)
    except NumberError as error:
        raise UserInputError(f"{what} {error}.", "Give a finite number.") from None


def _with_result(
    experiment: Experiment, trial: Trial, command: EnterResult, now: datetime
) -> Trial:
    unknown = [m for m in command.result if m not in experiment.optimization.metric_names]
    if unknown:
        known = ", ".join(experiment.optimization.metric_names)
        raise UserInputError(
            f"{unknown[0]!r} is no metric of {experiment.name!r}.", f"Its metrics: {known}."
        )
    new = observations_of(trial, command.result, command.progression)
    observations = (*trial.observations, *new)
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
