"""Events of a run as sentences for the log."""

from axdesk.core.events import (
    Event,
    FallbackUsed,
    QuestionAnswered,
    QuestionAsked,
    RunChanged,
    RunFinished,
    SetupChanged,
    StorageHealthChanged,
    SuggestionStarted,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.objective import OptimizationConfig
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import counted, duration, number, with_unit
from axdesk.gui.models.log_model import LogLevel
from axdesk.gui.models.run_facts import SOURCE_WORDS
from axdesk.gui.theme import run_state_look


def event_line(
    event: Event, before: Trial | None, optimization: OptimizationConfig | None
) -> tuple[LogLevel, str] | None:
    """Return level and sentence of an event; None for what needs no line.

    Args:
        event: The event.
        before: The snapshot that a `TrialChanged` replaces, if there was one.
        optimization: For the units of results.
    """
    match event:
        case RunChanged(run):
            word = run_state_look(run.state.value).word
            return LogLevel.INFO, f"{word}. {run.reason}".strip() if run.reason else f"{word}."
        case TrialChanged(trial):
            return _trial_line(trial, before, optimization)
        case TrialHealthChanged(index, 0):
            return LogLevel.INFO, f"#{index} answers again."
        case TrialHealthChanged(index, failures, reason):
            failed = counted(failures, "call")
            how = "has no valid result yet" if event.is_fetching else "does not answer"
            return LogLevel.WARNING, f"#{index} {how}, {failed} failed: {reason}"
        case StorageHealthChanged(""):
            return LogLevel.INFO, "Saving again; everything from meanwhile is stored."
        case StorageHealthChanged(reason):
            return LogLevel.ERROR, f"Not saving: {reason}"
        case SuggestionStarted(index):
            return LogLevel.DETAIL, f"Suggesting #{index}."
        case FallbackUsed(index, reason):
            return LogLevel.WARNING, f"#{index} is a space-filling trial: {reason}"
        case _:
            return _notice_line(event)


def _notice_line(event: Event) -> tuple[LogLevel, str] | None:
    match event:
        case QuestionAsked(question):
            return LogLevel.WARNING, question.happened
        case QuestionAnswered(index, answer):
            said = "a result was entered" if answer is None else answer.value.replace("_", " ")
            return LogLevel.INFO, f"The question about #{index} is settled: {said}."
        case SetupChanged(_, space, goals):
            return LogLevel.INFO, (
                f"Set-up changed: search space version {space}, objectives version {goals}."
            )
        case Warned(message, hint):
            return LogLevel.WARNING, f"{message} {hint}".strip()
        case RunFinished(_, error) if error is not None:
            return LogLevel.ERROR, str(error)
        case _:
            return None


def _trial_line(
    trial: Trial, before: Trial | None, optimization: OptimizationConfig | None
) -> tuple[LogLevel, str] | None:
    name = f"#{trial.index}"
    if before is not None and before.status is trial.status:
        if before.note != trial.note:
            return LogLevel.INFO, f"{name}: note changed."
        if before.is_excluded != trial.is_excluded:
            done = "excluded from the model" if trial.is_excluded else "given back to the model"
            return LogLevel.INFO, f"{name} {done}."
        if before.observations == trial.observations:
            return None
    return _status_line(trial, optimization)


def _status_line(trial: Trial, optimization: OptimizationConfig | None) -> tuple[LogLevel, str]:
    name = f"#{trial.index}"
    match trial.status:
        case TrialStatus.CANDIDATE:
            return LogLevel.DETAIL, f"{name} suggested."
        case TrialStatus.STAGED:
            return LogLevel.DETAIL, f"{name} is launched ({SOURCE_WORDS[trial.generation.source]})."
        case TrialStatus.RUNNING:
            return LogLevel.INFO, f"{name} runs."
        case TrialStatus.COMPLETED:
            seconds = _seconds(trial)
            took = f" after {duration(seconds)}" if seconds else ""
            return LogLevel.INFO, f"{name} done{took}: {_results(trial, optimization)}."
        case TrialStatus.FAILED:
            return LogLevel.ERROR, f"{name} failed: {trial.reason or 'no reason given'}"
        case TrialStatus.ABANDONED:
            return LogLevel.WARNING, f"{name} abandoned: {trial.reason or 'no reason given'}"
        case TrialStatus.EARLY_STOPPED:
            return LogLevel.INFO, f"{name} stopped early. {trial.reason}".strip()


def _seconds(trial: Trial) -> float:
    """Return how long a trial took: what ran before a power cut may not be counted as elapsed."""
    if trial.started_at is None or trial.finished_at is None:
        return trial.elapsed_seconds
    return max(trial.elapsed_seconds, (trial.finished_at - trial.started_at).total_seconds())


def _results(trial: Trial, optimization: OptimizationConfig | None) -> str:
    latest = {o.metric: o.mean for o in trial.observations}
    units = dict(optimization.units) if optimization else {}
    return ", ".join(
        f"{metric} {with_unit(number(mean), units.get(metric, ''))}"
        for metric, mean in latest.items()
    )
