"""What each command does to a run."""

from dataclasses import replace

from axdesk.core.commands import (
    AddTrial,
    AnswerQuestion,
    ChangeRunSettings,
    Command,
    EditSetup,
    EndCalls,
    FetchAgain,
    ImportTrials,
    Leave,
    Pause,
    Replicate,
    Resume,
    Stop,
    StopNow,
    TrialCommand,
)
from axdesk.core.errors import TransitionError, UnsupportedError, UserInputError
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import RunAction, RunState, allowed_actions
from axdesk.core.trial import TrialStatus
from axdesk.orchestration.importing import import_trials, told_outside
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.setup_commands import refuse_unfetched_metrics, refuse_without_baseline
from axdesk.orchestration.trial_commands import apply_to_trial, deviations

_KEPT_OUTSIDE = "It is kept; the model learns from it unless it lies far outside."


def carry_out(loop: Loop, command: Command) -> None:
    """Carry a command out, in the scheduler's thread; an `AxdeskError` refuses it.

    Those that steer the run also work while the database takes nothing; all others are refused
    then, for nothing is acknowledged that is not stored.
    """
    match command:
        case Pause():
            loop.change_state(RunState.PAUSING)
        case Resume():
            loop.change_state(RunState.RUNNING)
        case Stop():
            _stop(loop)
        case StopNow():
            _stop(loop)
            loop.stop_now()
        case Leave(reason=reason):
            loop.leave(reason)
        case _:
            with loop.keeping.strictly():
                _change(loop, command)


def _change(loop: Loop, command: Command) -> None:
    match command:
        case EndCalls(trial_index=index):
            loop.open_calls.end_of(index)
        case ChangeRunSettings():
            _change_settings(loop, command)
        case EditSetup():
            _edit(loop, command)
        case AnswerQuestion():
            loop.answer(command)
        case FetchAgain(trial_index=index):
            _fetch_again(loop, index)
        case ImportTrials():
            _import(loop, command)
        case _ if isinstance(command, TrialCommand):
            _apply_to_trial(loop, command)
        case _:
            raise UnsupportedError(f"{type(command).__name__} is no command of a run.")


def _apply_to_trial(loop: Loop, command: TrialCommand) -> None:
    trial = apply_to_trial(loop.experiment, loop.store, command, loop.clock.now())
    loop.adopt(trial)
    if isinstance(command, AddTrial | Replicate):
        for sentence in deviations(loop.experiment, trial):
            loop.warn(sentence, _KEPT_OUTSIDE)
    if isinstance(command, AddTrial | Replicate) and command.is_deployed:
        loop.deploy_again(trial)


def _import(loop: Loop, command: ImportTrials) -> None:
    trials = import_trials(loop.experiment, loop.store, command, loop.clock.now())
    for trial in trials:
        loop.adopt(trial)
    if outside := told_outside(loop.experiment, trials):
        loop.warn(outside, _KEPT_OUTSIDE)


def _edit(loop: Loop, command: EditSetup) -> None:
    state = loop.current.state
    if not command.is_about_labels and RunAction.EDIT_SETUP not in allowed_actions(state, 0):
        raise TransitionError(
            f"The set-up cannot be changed while the run is {state}.",
            "Pause the run, change the set-up once it is paused, and resume the run.",
        )
    setup = command.applied_to(loop.experiment.setup)
    refuse_unfetched_metrics(setup.optimization, loop.calls.metric_names)
    refuse_without_baseline(loop.experiment, setup)
    loop.edit(setup)


def _stop(loop: Loop) -> None:
    if loop.current.state is not RunState.STOPPING:
        loop.change_state(RunState.STOPPING, "stopped by the operator")


def _fetch_again(loop: Loop, index: int) -> None:
    trial = loop.experiment.trial(index)
    if trial.status is not TrialStatus.FAILED or trial.metadata is None:
        never = "" if trial.metadata is not None else " and the runner never said that it started"
        raise TransitionError(
            f"Trial {index} is {trial.status}{never}: there is nothing to fetch again.",
            "Only a trial that failed after it had been started can be fetched again.",
        )
    entry = AuditEntry(
        at=loop.clock.now(),
        action="fetch_again",
        trial_index=index,
        before=f"{trial.status}: {trial.reason}",
        after=TrialStatus.RUNNING,
    )
    loop.keep(trial.moved_to(TrialStatus.RUNNING, reason="", finished_at=None), (entry,))
    loop.follow_running()


def _change_settings(loop: Loop, command: ChangeRunSettings) -> None:
    before = loop.current.settings
    given = {
        name: value
        for name in ChangeRunSettings.__dataclass_fields__
        if (value := getattr(command, name)) is not None
    }
    if not given:
        raise UserInputError("No setting to change was given.")
    after = replace(before, **given)
    used = len(loop.experiment.of_run(loop.current))
    if after.max_trials < used:
        raise TransitionError(
            f"The budget cannot become {after.max_trials}: {used} trials were started.",
            f"Choose at least {used}, or stop the run.",
        )
    entry = AuditEntry(
        at=loop.clock.now(),
        action="change_run_settings",
        before="; ".join(f"{name} = {getattr(before, name)}" for name in given),
        after="; ".join(f"{name} = {value}" for name, value in given.items()),
    )
    loop.keep_run(replace(loop.current, settings=after), (entry,))
