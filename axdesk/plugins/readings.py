"""Any real number is a reading; everything else is refused with its reason."""

from axdesk.core.errors import CallFailedError
from axdesk.core.numbers import NumberError, real_number
from axdesk.core.texts import shown
from axdesk.core.trial import Observation


def checked_reading(metric: str, trial_index: int, answer: object) -> Observation:
    """Return what a metric's `fetch` answered as an observation.

    Args:
        metric: The metric's name.
        trial_index: For the message.
        answer: (progression, value) or (progression, (mean, sem)); a sem of None is unknown.

    Raises:
        CallFailedError: If it is anything else, with metric, trial and the raw answer.
    """
    try:
        return _observation(metric, answer)
    except _ReadingError as error:
        raise CallFailedError(
            f"The metric {metric!r} answered {shown(answer)} for trial {trial_index}: {error}.",
            "A fetch returns (progression, value) or (progression, (mean, sem)).",
        ) from None


class _ReadingError(Exception):
    """Why an answer is no reading."""


def _observation(metric: str, answer: object) -> Observation:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise _ReadingError("that is not a pair of progression and value")
    progression = _real(answer[0], "the progression")
    value, sem = answer[1], None
    if isinstance(value, tuple | list):
        if len(value) != 2:
            raise _ReadingError(f"the value has {len(value)} parts, not mean and sem")
        value, sem = value
    mean = _real(value, "the value")
    error = None if sem is None else _real(sem, "the sem")
    if error is not None and error < 0:
        raise _ReadingError("the sem is negative")
    return Observation(metric, mean, error, progression)


def _real(value: object, role: str) -> float:
    try:
        return real_number(value)
    except NumberError as error:
        raise _ReadingError(f"{role} {error}") from None
