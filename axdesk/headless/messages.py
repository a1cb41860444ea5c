"""What a person should read of a run, and once."""

from collections.abc import Sequence

from axdesk.core.events import (
    Event,
    FallbackUsed,
    PluginPrinted,
    QuestionAsked,
    RunChanged,
    SetupChanged,
    StorageHealthChanged,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.run import RunState
from axdesk.headless.texts import since

_MOST_LINES = 20
_MOST_CHARACTERS = 200
"""Of a line that a plugin printed, and how many are shown at once, where prints are cut."""


class Messages:
    """What a person should read at once; a trouble that goes on is not told over and over."""

    def __init__(self, *, cuts_prints: bool = False) -> None:
        """Make the messages of a run.

        Args:
            cuts_prints: Whether of much that a plugin prints at once only the begin and the end
                are shown.
        """
        self._cuts_prints = cuts_prints
        self._failures: dict[int, TrialHealthChanged] = {}
        self._is_database_well = True

    def of(self, event: Event) -> str:
        """Return the message of an event; empty for those that only move the count."""
        match event:
            case Warned(message, hint):
                return f"Warning: {message} {hint}".rstrip()
            case FallbackUsed(trial_index, reason):
                return f"Trial {trial_index} is space filling, for the model gave none: {reason}"
            case QuestionAsked(question):
                return f"{question.happened} {question.did}"
            case SetupChanged():
                return "The set-up was changed; the next suggestion keeps to it."
            case PluginPrinted(file, text):
                lines = text.splitlines()
                shown = _cut(lines) if self._cuts_prints else lines
                return "\n".join(f"{file}: {line}" for line in shown)
            case TrialHealthChanged():
                return self._of_trial(event)
            case StorageHealthChanged():
                return self._of_database(event)
            case TrialChanged(trial) if trial.status.is_terminal:
                self._failures.pop(trial.index, None)
            case RunChanged(run) if run.state is RunState.STOPPING:
                why = f" ({run.reason})" if run.reason else ""
                return f"Stopping{why}: running trials finish. Ctrl-C stops them now."
        return ""

    def _of_trial(self, event: TrialHealthChanged) -> str:
        before = self._failures.pop(event.trial_index, None)
        if not event.failures:
            if before is None:
                return ""
            calls = "1 failed call" if before.failures == 1 else f"{before.failures} failed calls"
            return f"Trial {event.trial_index} answers again, after {calls}."
        self._failures[event.trial_index] = event
        # The first, and then each time that there are twice as many.
        if event.failures & (event.failures - 1):
            return ""
        return (
            f"Trial {event.trial_index} {_trouble(event)}{since(event.since)} "
            f"({event.failures} failed in a row): {event.reason}"
        )

    def _of_database(self, event: StorageHealthChanged) -> str:
        was_well, self._is_database_well = self._is_database_well, not event.reason
        if was_well == self._is_database_well:
            return ""
        if not event.reason:
            return "The database works again; what was measured meanwhile is stored."
        return (
            f"The database takes nothing{since(event.since)}: {event.reason} "
            "Nothing new starts; running trials are followed."
        )

    @property
    def trouble(self) -> str:
        """Who is not answering now, for the line that moves; empty if all is well."""
        away = [] if self._is_database_well else ["the database takes nothing"]
        silent = [
            f"trial {index} {_trouble(event)}{since(event.since)}"
            for index, event in self._failures.items()
        ]
        return " · ".join(away + silent)


def _trouble(health: TrialHealthChanged) -> str:
    return "has no valid result yet" if health.is_fetching else "is not answering"


def _cut(lines: Sequence[str]) -> list[str]:
    """Return so many of the lines, and so much of each, as may come at once."""
    half = _MOST_LINES // 2
    left_out = len(lines) - 2 * half
    shown = list(lines)
    if left_out > 0:
        shown[half:-half] = [f"… {left_out:,} lines that are not shown …"]
    return [
        line if len(line) <= _MOST_CHARACTERS
        else f"{line[:_MOST_CHARACTERS]}… and {len(line) - _MOST_CHARACTERS:,} characters more"
        for line in shown
    ]  # fmt: skip
