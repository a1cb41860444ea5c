"""What each command does to a run."""

from dataclasses import replace
from typing import TYPE_CHECKING

from axdesk.core.commands import (
    AnswerQuestion,
    ChangeRunSettings,
    Command,
    Pause,
    Resume,
    Stop,
    StopNow,
    TrialCommand,
)
from axdesk.core.errors import TransitionError, UnsupportedError, UserInputError
from axdesk.core.protocols import AuditEntry
from axdesk.core.run import RunState
from axdesk.orchestration.trial_commands import apply_to_trial

if TYPE_CHECKING:
    from axdesk.orchestration.scheduler import Scheduler


def carry_out(scheduler: "Scheduler", command: Command) -> None:
    """Carry a command out, in the scheduler's thread; an `AxdeskError` refuses it."""
    match command:
        case Pause():
            scheduler.change_state(RunState.PAUSING)
        case Resume():
            scheduler.change_state(RunState.RUNNING)
        case Stop():
            _stop(scheduler)
        case StopNow():
            _stop(scheduler)
            scheduler.stop_now()
        case ChangeRunSettings():
            _change_settings(scheduler, command)
        case AnswerQuestion(trial_index=index, answer=answer):
            scheduler.uncertain.answer(index, answer)
        case _ if isinstance(command, TrialCommand):
            now = scheduler.clock.now()
            scheduler.adopt(apply_to_trial(scheduler.experiment, scheduler.store, command, now))
        case _:
            raise UnsupportedError(f"{type(command).__name__} is no command of a run.")


def _stop(scheduler: "Scheduler") -> None:
    if scheduler.current.state is not RunState.STOPPING:
        scheduler.change_state(RunState.STOPPING, "stopped by the operator")


def _change_settings(scheduler: "Scheduler", command: ChangeRunSettings) -> None:
    before = scheduler.current.settings
    given = {
        name: value
        for name in ChangeRunSettings.__dataclass_fields__
        if (value := getattr(command, name)) is not None
    }
    if not given:
        raise UserInputError("No setting to change was given.")
    after = replace(before, **given)
    used = len(scheduler.experiment.of_run(scheduler.current))
    if after.max_trials < used:
        raise TransitionError(
            f"max_trials cannot become {after.max_trials}: {used} trials were started.",
            f"Choose at least {used}, or stop the run.",
        )
    entry = AuditEntry(
        at=scheduler.clock.now(),
        action="change_run_settings",
        before="; ".join(f"{name} = {getattr(before, name)}" for name in given),
        after="; ".join(f"{name} = {value}" for name, value in given.items()),
    )
    scheduler.keep_run(replace(scheduler.current, settings=after), (entry,))
