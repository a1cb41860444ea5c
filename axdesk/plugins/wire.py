"""What goes between axdesk and a plugin host process, as JSON and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from axdesk.core import errors
from axdesk.core.errors import AxdeskError, CallFailedError
from axdesk.core.plugins import (
    Hold,
    OptionDescription,
    PluginCheck,
    PluginChoice,
    PluginDescription,
    PluginFile,
    PluginKind,
)
from axdesk.core.trial import Observation, TrialStatus
from axdesk.plugins.call_request import CallRequest

HELLO: Final = 0
"""The number of the first answer, which nobody asked for."""

CANNOT_ANSWER: Final = 74
"""Exit status of a host whose descriptors the laboratory's code closed or replaced."""


def from_error(error: AxdeskError) -> dict[str, str]:
    """Return an error as fields."""
    return {
        "kind": type(error).__name__,
        "message": error.message,
        "hint": error.hint,
        "details": getattr(error, "details", ""),
    }


def to_error(fields: Mapping[str, str]) -> AxdeskError:
    """Return the error again."""
    kind = getattr(errors, fields["kind"], None)
    message, hint = fields["message"], fields.get("hint", "")
    if isinstance(kind, type) and issubclass(kind, errors.PluginError):
        return kind(message, hint, details=fields.get("details", ""))
    if isinstance(kind, type) and issubclass(kind, AxdeskError):
        return kind(message, hint)
    return CallFailedError(message, hint)


def from_file(file: PluginFile) -> dict[str, Any]:
    """Return the description of a plugin file as fields."""
    return asdict(file)


def to_file(fields: Mapping[str, Any]) -> PluginFile:
    """Return the description of a plugin file again."""
    plugins = tuple(map(_to_plugin, fields["plugins"]))
    return PluginFile(**{**fields, "plugins": plugins, "hold": Hold(fields["hold"])})


def _to_plugin(fields: Mapping[str, Any]) -> PluginDescription:
    options = tuple(
        OptionDescription(**{**option, "choices": tuple(option["choices"])})
        for option in fields["options"]
    )
    return PluginDescription(**{**fields, "kind": PluginKind(fields["kind"]), "options": options})


def from_check(check: PluginCheck) -> dict[str, str]:
    """Return what came of a check as fields."""
    return asdict(check)


def to_check(fields: Mapping[str, Any]) -> PluginCheck:
    """Return what came of a check again."""
    return PluginCheck(**fields)


def from_choice(choice: PluginChoice) -> dict[str, Any]:
    """Return the choice of a class as fields."""
    return {"reference": choice.reference, "options": dict(choice.options)}


def to_choice(fields: Mapping[str, Any]) -> PluginChoice:
    """Return the choice of a class again."""
    return PluginChoice(fields["reference"], fields["options"])


def from_call(call: CallRequest) -> dict[str, Any]:
    """Return a call as fields."""
    return {name: getattr(call, name) for name in CallRequest.__slots__}


def to_call(fields: Mapping[str, Any]) -> CallRequest:
    """Return the call again."""
    return CallRequest(**fields)


def from_answer(answer: object) -> object:
    """Return the checked answer of a call as JSON knows it."""
    if isinstance(answer, Observation):
        return {name: getattr(answer, name) for name in Observation.__slots__}
    return answer


def to_answer(call: CallRequest, done: Any) -> Any:
    """Return the checked answer of a call again."""
    match call.method:
        case "poll_trial":
            return TrialStatus(done)
        case "fetch":
            return Observation(**done)
        case _:
            return done
