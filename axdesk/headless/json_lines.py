"""The events of a run as lines of JSON."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from axdesk.core.errors import AxdeskError
from axdesk.core.events import Event
from axdesk.headless.output import Lines


class JsonLines:
    """Writes each event as one line: its name, the time in UTC, and its fields."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def show(self, event: Event) -> None:
        """Write an event."""
        line = {"event": type(event).__name__, "at": datetime.now(UTC).isoformat()}
        self._lines.write(json.dumps(line | _fields(event), allow_nan=False))

    def close(self) -> None:
        """Nothing is held."""


def _fields(value: object) -> dict[str, object]:
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)  # type: ignore[arg-type]  # a core dataclass
    }


def _plain(value: object) -> object:
    """Return a core value as JSON knows it."""
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, AxdeskError):
        return {
            "type": type(value).__name__,
            "code": value.code,
            "message": value.message,
            "hint": value.hint,
        }
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
