"""The JSON snapshot: all that is known of an experiment, as one file.

{"format": "axdesk snapshot", "version": 1, "record": {…}}

The record's keys are the fields of `ExperimentRecord` and of the values within it, so that a value
that gets a new field is kept, and read again from files that do not have it yet.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from axdesk.core.errors import UserInputError
from axdesk.core.record import ExperimentRecord
from axdesk.exchange.files import replace_file

FORMAT = "axdesk snapshot"
VERSION = 1
_MAX_TOLD = 3
_KEYED = "dependent_parameters"


class _Snapshot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: str
    version: int
    record: ExperimentRecord


def write_snapshot(record: ExperimentRecord, path: Path) -> None:
    """Write a snapshot, whole or not at all.

    Raises:
        UserInputError: If the file cannot be written there.
    """
    replace_file(path, snapshot_text(record))


def snapshot_text(record: ExperimentRecord) -> str:
    """Return the text of a snapshot."""
    content = {"format": FORMAT, "version": VERSION, "record": _plain(record)}
    return json.dumps(content, indent=1) + "\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    match value:
        case datetime():
            return value.isoformat()
        case Enum():
            return value.value
        case Mapping():
            return {key: _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            pass
    if not is_dataclass(value):
        return value
    parts = {field.name: getattr(value, field.name) for field in fields(value)}
    if _KEYED in parts:
        # JSON's keys are texts, those of a choice may be numbers.
        parts[_KEYED] = list(parts[_KEYED].items())
    return {name: _plain(part) for name, part in parts.items()}


def _keyed_again(content: Any) -> None:
    """Undo what `_plain` did to the keys of choices, wherever there are any."""
    spaces = [content["record"]["setup"]["search_space"]]
    spaces += [space for _, space in content["record"]["search_spaces"]]
    for space in spaces:
        for parameter in space["parameters"]:
            if _KEYED in parameter:
                parameter[_KEYED] = dict(parameter[_KEYED])


def read_snapshot(path: Path) -> ExperimentRecord:
    """Read a snapshot.

    Raises:
        UserInputError: If the file cannot be read, is no snapshot, or says what is not allowed.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserInputError(
            f"The snapshot {path} cannot be read: {error.strerror}.", "Choose another file."
        ) from error
    except UnicodeDecodeError as error:
        raise _no_snapshot(path, "it is no UTF-8 text") from error
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _no_snapshot(path, f"it is no JSON: {error}") from error
    _check_head(path, content)
    with suppress(LookupError, TypeError, ValueError):  # what is wrong there is told below
        _keyed_again(content)
    try:
        return _Snapshot.model_validate(content).record
    except ValidationError as error:
        problems = error.errors(include_url=False)
        told = "; ".join(_told(problem) for problem in problems[:_MAX_TOLD])
        more = f"; and {len(problems) - _MAX_TOLD} more" if len(problems) > _MAX_TOLD else ""
        raise UserInputError(
            f"The snapshot {path} says what is not allowed: {told}{more}.",
            "Take an unchanged copy.",
        ) from error


def _check_head(path: Path, content: Any) -> None:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise _no_snapshot(path, f"its format is not {FORMAT!r}")
    version = content.get("version")
    if version != VERSION:
        raise UserInputError(
            f"The snapshot {path} has the version {version!r}; this axdesk reads {VERSION}.",
            "Read it with the axdesk that wrote it, or a newer one.",
        )


def _no_snapshot(path: Path, why: str) -> UserInputError:
    return UserInputError(
        f"The file {path} is no snapshot of an experiment: {why}.",
        "Choose a file that save_to_json_file wrote.",
    )


def _told(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"][1:])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
