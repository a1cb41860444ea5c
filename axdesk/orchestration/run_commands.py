"""What each command does to a run."""

from dataclasses import replace

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
from axdesk.orchestration.loop import Loop
from axdesk.orchestration.trial_commands import apply_to_trial
from axdesk.orchestration.uncertain import Uncertain


def carry_out(loop: Loop, uncertain: Uncertain, command: Command) -> None:
    """Carry a command out, in the scheduler's thread; an `AxdeskError` refuses it."""
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
        case ChangeRunSettings():
            _change_settings(loop, command)
        case AnswerQuestion(trial_index=index, answer=answer):
            uncertain.answer(index, answer)
        case _ if isinstance(command, TrialCommand):
            now = loop.clock.now()
            loop.adopt(apply_to_trial(loop.experiment, loop.store, command, now))
        case _:
            raise UnsupportedError(f"{type(command).__name__} is no command of a run.")


def _stop(loop: Loop) -> None:
    if loop.current.state is not RunState.STOPPING:
        loop.change_state(RunState.STOPPING, "stopped by the operator")


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
            f"max_trials cannot become {after.max_trials}: {used} trials were started.",
            f"Choose at least {used}, or stop the run.",
        )
    entry = AuditEntry(
        at=loop.clock.now(),
        action="change_run_settings",
        before="; ".join(f"{name} = {getattr(before, name)}" for name in given),
        after="; ".join(f"{name} = {value}" for name, value in given.items()),
    )
    loop.keep_run(replace(loop.current, settings=after), (entry,))
