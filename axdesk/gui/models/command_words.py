"""What is told of a command that was carried out."""

from axdesk.core.commands import (
    Abandon,
    AddTrial,
    AttachFile,
    Command,
    DetachFile,
    EnterResult,
    MarkFailed,
    Replicate,
    SetExcluded,
    SetNote,
    Void,
)


def told_of(command: Command) -> str:
    """Write what a correction of trials has done; empty for what shows by itself."""
    match command:
        case EnterResult(trial_index=index):
            return f"The result of #{index} is stored."
        case MarkFailed(trial_index=index):
            return f"#{index} is marked failed."
        case Abandon(trial_index=index):
            return f"#{index} is abandoned."
        case Void(trial_index=index):
            return f"The result of #{index} is voided; its values stay in the history."
        case SetExcluded(trial_index=index, is_excluded=is_excluded):
            how = "excluded from the model" if is_excluded else "given back to the model"
            return f"#{index} is {how}."
        case SetNote(trial_index=index):
            return f"The note on #{index} is stored."
        case AttachFile(trial_index=index, attachment=file):
            return f"{file.name} is kept with #{index}."
        case DetachFile(trial_index=index, attachment=file):
            return f"{file.name} is taken from #{index}."
        case _:
            return _told_of_new(command)


def _told_of_new(command: Command) -> str:
    match command:
        case Replicate(trial_index=index):
            return f"The settings of #{index} run once more as soon as a run has a free slot."
        case AddTrial(is_deployed=True):
            return "The manual trial is deployed as soon as a run has a free slot."
        case AddTrial():
            return "The manual trial waits for the result that you enter."
        case _:
            return ""
