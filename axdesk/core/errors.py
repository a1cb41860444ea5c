"""Every error that an operator or a laboratory can act on.

    AxdeskError                      shown as one sentence and a hint
    ├── UserInputError (ValueError)  a value that was given is not allowed
    │   ├── ExpressionError          … at one character of an expression
    │   ├── ClashError               … because constraints cannot all be kept
    │   └── ExperimentFileError      … at one place of an experiment file
    ├── UnsupportedError             understood, but not offered
    ├── TransitionError              a trial or a run cannot go from one state to the other
    ├── NotFoundError (LookupError)  an experiment, a trial, a plugin that is not there
    ├── StorageError                 the database cannot be used as asked
    │   ├── DamagedDatabaseError     … because its content is damaged
    │   └── ExperimentBusyError      another process drives this experiment
    ├── GenerationError              no candidate could be made
    │   └── SearchSpaceExhaustedError  every allowed point was tried
    ├── PluginError                  a plugin file or class that cannot be used
    │   ├── CallFailedError          a plugin call raised or answered nonsense
    │   │   └── TrialFailedError     … raised by a runner to say why a trial failed
    │   ├── DeadlineError            a plugin call did not answer in time
    │   ├── RefusedOptionsError      a plugin's constructor refuses the values of its options
    │   └── UnusablePluginError      a plugin's file is there and cannot be used (NotFoundError)
    ├── PreflightError               the run cannot start as configured
    ├── FailureRateExceededError     too many trials failed
    └── DecisionNeededError          only a person can say what became of a trial

Anything else that is raised is a defect of axdesk.

Each has a code that stays the same from version to version, whatever becomes of its words: window
and command line show it beside the sentence, and the page *Error codes* of the help says more.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar


class Code(StrEnum):
    """The codes of errors, questions and notices; one is never used for something else."""

    ANY = "AXD-100"
    INPUT = "AXD-101"
    EXPRESSION = "AXD-102"
    CLASH = "AXD-103"
    EXPERIMENT_FILE = "AXD-104"
    UNSUPPORTED = "AXD-110"
    TRANSITION = "AXD-111"
    NOT_FOUND = "AXD-112"
    USAGE = "AXD-113"
    PLUGIN = "AXD-201"
    UNUSABLE_PLUGIN = "AXD-202"
    CALL_FAILED = "AXD-203"
    TRIAL_FAILED = "AXD-204"
    DEADLINE = "AXD-205"
    MAY_HAVE_STARTED = "AXD-211"
    NOT_DEPLOYED = "AXD-212"
    STOPPED_ANSWERING = "AXD-213"
    NO_RESULT = "AXD-214"
    NOT_ANSWERING = "AXD-215"
    LAUNCH_SILENT = "AXD-216"
    REFUSED_OPTIONS = "AXD-217"
    STORAGE = "AXD-301"
    DAMAGED_DATABASE = "AXD-302"
    BUSY = "AXD-303"
    NOT_SAVING = "AXD-304"
    LOST_DATABASE = "AXD-305"
    LEFT_BY_PROCESS = "AXD-306"
    PREFLIGHT = "AXD-401"
    FAILURE_RATE = "AXD-402"
    DECISION = "AXD-403"
    GENERATION = "AXD-501"
    EXHAUSTED = "AXD-502"
    SPACE_FILLING = "AXD-503"
    WARNING = "AXD-601"


class AxdeskError(Exception):
    """Something the operator or the laboratory can act on.

    Attributes:
        message: What happened: the object, the value given, the values allowed.
        hint: What to do about it; empty if the message says it all.
        code: Names the kind of error for good.
    """

    code: ClassVar[Code] = Code.ANY

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        # The default would call __init__ with `args` alone, which breaks a process pool as soon
        # as a subclass takes more.
        return _restored, (type(self), self.args, dict(self.__dict__))


def _restored(
    kind: type[AxdeskError], args: tuple[object, ...], fields: Mapping[str, object]
) -> AxdeskError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(fields)
    return error


class UserInputError(AxdeskError, ValueError):
    """A value that was given is not allowed."""

    code = Code.INPUT


class ExpressionError(UserInputError):
    """An expression that is not understood.

    Attributes:
        text: The expression as given.
        position: Index into `text` of the first character that is not accepted.
    """

    code = Code.EXPRESSION

    def __init__(self, message: str, hint: str = "", *, text: str = "", position: int = 0) -> None:
        super().__init__(message, hint)
        self.text = text
        self.position = position

    def __str__(self) -> str:
        return f"{super().__str__()}\n  {self.text}\n  {' ' * self.position}^"


class ClashError(UserInputError):
    """Constraints that cannot all be kept within the bounds.

    Attributes:
        constraints: The texts of a smallest set of them.
    """

    code = Code.CLASH

    def __init__(self, message: str, hint: str = "", *, constraints: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.constraints = constraints


class ExperimentFileError(UserInputError):
    """An experiment file that is not valid.

    Attributes:
        problems: One sentence each, with its place in the file.
    """

    code = Code.EXPERIMENT_FILE

    def __init__(self, message: str, hint: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class UnsupportedError(AxdeskError):
    """Understood, but not offered."""

    code = Code.UNSUPPORTED


class TransitionError(AxdeskError):
    """A trial or a run cannot go from its state to the one asked for."""

    code = Code.TRANSITION


class NotFoundError(AxdeskError, LookupError):
    """An experiment, a trial or a plugin that does not exist."""

    code = Code.NOT_FOUND


class StorageError(AxdeskError):
    """The database cannot be used as asked.

    Attributes:
        is_temporary: Whether the same call may succeed later: the disk is full, another program
            holds the lock, the drive is away.
    """

    code = Code.STORAGE

    def __init__(self, message: str, hint: str = "", *, is_temporary: bool = False) -> None:
        super().__init__(message, hint)
        self.is_temporary = is_temporary


class DamagedDatabaseError(StorageError):
    """The content of the database is damaged.

    Attributes:
        path: The database's file.
        backup: The file of its newest sound backup; None if there is none.
        has_content: Whether the file has any, so that a salvage may find something in it.
    """

    code = Code.DAMAGED_DATABASE

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        path: str = "",
        backup: str | None = None,
        has_content: bool = True,
    ) -> None:
        super().__init__(message, hint)
        self.path = path
        self.backup = backup
        self.has_content = has_content


class ExperimentBusyError(StorageError):
    """Another process drives this experiment."""

    code = Code.BUSY


class GenerationError(AxdeskError):
    """No candidate could be made."""

    code = Code.GENERATION


class SearchSpaceExhaustedError(GenerationError):
    """Every allowed point of a discrete search space was tried."""

    code = Code.EXHAUSTED


class PluginError(AxdeskError):
    """A plugin file or class that cannot be used.

    Attributes:
        details: The traceback, for a log or a details pane; empty if there is none.
    """

    code = Code.PLUGIN

    def __init__(self, message: str, hint: str = "", *, details: str = "") -> None:
        super().__init__(message, hint)
        self.details = details


class RefusedOptionsError(PluginError):
    """A plugin class whose constructor refuses the values of its options."""

    code = Code.REFUSED_OPTIONS


class UnusablePluginError(NotFoundError, PluginError):
    """A plugin that cannot be had, because its file cannot be used as it is."""

    code = Code.UNUSABLE_PLUGIN


class CallFailedError(PluginError):
    """A plugin call raised, or answered something that is not allowed.

    Attributes:
        was_entered: Whether the laboratory's code was reached; if not, it surely did nothing.
    """

    code = Code.CALL_FAILED

    def __init__(
        self, message: str, hint: str = "", *, details: str = "", was_entered: bool = True
    ) -> None:
        super().__init__(message, hint, details=details)
        self.was_entered = was_entered


class TrialFailedError(CallFailedError):
    """What a runner's `poll_trial` raises to say that a trial has failed, and why."""

    code = Code.TRIAL_FAILED


class DeadlineError(PluginError):
    """A plugin call did not answer within its deadline."""

    code = Code.DEADLINE


class PreflightError(AxdeskError):
    """The run cannot start as configured.

    Attributes:
        problems: One sentence each.
    """

    code = Code.PREFLIGHT

    def __init__(self, message: str, hint: str = "", *, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class FailureRateExceededError(AxdeskError):
    """Too many trials of a run failed.

    Attributes:
        failures: Trial index → reason, of each failed or abandoned trial of the run.
    """

    code = Code.FAILURE_RATE

    def __init__(
        self, message: str, hint: str = "", *, failures: Mapping[int, str] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.failures = dict(failures or {})

    def __str__(self) -> str:
        rows = (f"  trial {index}: {reason}" for index, reason in self.failures.items())
        return "\n".join([super().__str__(), *rows])


class DecisionNeededError(AxdeskError):
    """The run did what it could; for some trials only a person can say what became of them.

    Attributes:
        trial_indices: Those trials.
    """

    code = Code.DECISION

    def __init__(
        self, message: str, hint: str = "", *, trial_indices: tuple[int, ...] = ()
    ) -> None:
        super().__init__(message, hint)
        self.trial_indices = trial_indices
