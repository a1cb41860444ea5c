"""What a runner may answer."""

import json
from collections.abc import Mapping
from typing import Any

from axdesk.core.errors import CallFailedError
from axdesk.core.trial import TrialStatus
from axdesk.plugins.failures import shown

_MOST_BYTES = 1_000_000
"""Of metadata: each later call, each snapshot and each stored row of its trial carries it."""

_MOST_LEVELS = 50
"""Copies are made level by level, and Python's stack is not endless."""

_POLL_ANSWERS = (
    TrialStatus.RUNNING,
    TrialStatus.COMPLETED,
    TrialStatus.FAILED,
    TrialStatus.ABANDONED,
    TrialStatus.EARLY_STOPPED,
)


def checked_metadata(call: str, answer: object) -> dict[str, Any]:
    """Return the metadata as its JSON is read back.

    Args:
        call: `"Furnace.run_trial of trial 3"`, for the message.
        answer: What the runner answered.

    Raises:
        CallFailedError: If it is no JSON object, or would not be read back equal.
    """
    if not isinstance(answer, Mapping):
        raise CallFailedError(
            f"{call} answered {shown(answer)}; a dict of metadata is needed.",
            "Return {} if there is nothing to remember.",
        )
    for key, value in answer.items():
        problem = _json_problem(key, value)
        if problem:
            raise CallFailedError(
                f"{call} answered metadata that cannot be stored as JSON: "
                f"key {shown(key)} with the value {shown(value)} {problem}.",
                "Use texts as keys, and texts, numbers, true, false, None, lists and dicts of "
                "them as values.",
            )
    text = _encoded(dict(answer))
    if len(text) > _MOST_BYTES:
        raise CallFailedError(
            f"{call} answered {len(text):,} bytes of metadata; at most {_MOST_BYTES:,} are kept: "
            f"{shown(answer)}.",
            "Write large data to a file and answer its path.",
        )
    kept: dict[str, Any] = json.loads(text)
    if _is_deeper(kept, _MOST_LEVELS):
        raise CallFailedError(
            f"{call} answered metadata of more than {_MOST_LEVELS} levels, one within the other: "
            f"{shown(answer)}.",
            "Write such data to a file and answer its path.",
        )
    return kept


def _is_deeper(value: object, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def _encoded(value: object) -> bytes:
    # UTF-8 is what is stored: a lone surrogate passes JSON, but cannot be encoded.
    return json.dumps(value, allow_nan=False, ensure_ascii=False).encode("utf-8")


def _json_problem(key: object, value: object) -> str:
    if not isinstance(key, str):
        return "has a key that is no text"
    try:
        same = json.loads(_encoded({key: value})) == {key: value}
    except (TypeError, ValueError, RecursionError) as error:
        return f"is not JSON ({error})"
    return "" if same else "would be read back as something else"


def checked_stop_answer(call: str, answer: object) -> dict[str, Any]:
    """Return what `stop_trial` answered; None, from a runner that has nothing to say, as `{}`.

    Raises:
        CallFailedError: As `checked_metadata`.
    """
    # Refusing None would call a trial running that was really stopped.
    return {} if answer is None else checked_metadata(call, answer)


def checked_find_answer(call: str, answer: object) -> dict[str, Any] | None:
    """Return what `find_trial` answered: metadata, or None if the trial was not started.

    Raises:
        CallFailedError: As `checked_metadata`.
    """
    return None if answer is None else checked_metadata(call, answer)


def checked_status(call: str, answer: object) -> TrialStatus:
    """Return what `poll_trial` answered; the value of a status, such as `"completed"`, will do.

    Raises:
        CallFailedError: If it is not among the statuses that a runner can tell.
    """
    for status in _POLL_ANSWERS:
        if isinstance(answer, str) and answer == status:
            return status
    allowed = ", ".join(status.name for status in _POLL_ANSWERS)
    raise CallFailedError(
        f"{call} answered {shown(answer)}; a TrialStatus is needed.", f"Allowed are {allowed}."
    )


def checked_availability(call: str, answer: object) -> bool:
    """Return what `is_available_while_running` answered.

    Raises:
        CallFailedError: If it is neither True nor False.
    """
    if isinstance(answer, bool):
        return answer
    raise CallFailedError(f"{call} answered {shown(answer)}; True or False is needed.")
