"""What a plugin class asks for: its constructor's options, from type hints and the docstring."""

import inspect
import math
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeGuard, get_args, get_origin

from axdesk.core.errors import PluginError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.plugins import OptionDescription, PluginDescription, PluginKind, TOptionValue
from axdesk.plugins.failures import reason_of, shown

TPluginClass = type[IRunner] | type[IMetric]
"""A class that a laboratory wrote."""

_KINDS: Mapping[object, Literal["int", "float", "str", "bool", "path"]] = {
    int: "int",
    float: "float",
    str: "str",
    bool: "bool",
    Path: "path",
}
_ALLOWED = (
    "Allowed are int, float, str, bool, Path, Literal, an Enum, and each of them or None; a number "
    'may say its range and unit: Annotated[float, (0, 60), "s"].'
)
_NOT_OPTIONS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class ConstructorOption:
    """An option and the class of its values.

    Attributes:
        description: What the rest of the house sees.
        enum: Whose members the choices are the values of; None if the values themselves are meant.
    """

    description: OptionDescription
    enum: type[Enum] | None = None


def described(cls: TPluginClass, reference: str) -> PluginDescription:
    """Describe a class.

    Raises:
        PluginError: If its constructor asks for something that no form can give.
    """
    options = tuple(option.description for option in constructor_options(cls))
    summary = (cls.__doc__ or "").strip().partition("\n")[0].strip()
    if issubclass(cls, IMetric):
        return PluginDescription(
            reference,
            PluginKind.METRIC,
            summary,
            options,
            can_fetch_early=cls.is_available_while_running
            is not IMetric.is_available_while_running,
        )
    return PluginDescription(
        reference,
        PluginKind.RUNNER,
        summary,
        options,
        can_stop=cls.stop_trial is not IRunner.stop_trial,
        can_find=cls.find_trial is not IRunner.find_trial,
    )


def constructor_options(cls: TPluginClass) -> tuple[ConstructorOption, ...]:
    """Return the options in the constructor's order; a metric's `name` is not among them.

    Raises:
        PluginError: If an option has no type hint, or one that is not supported.
    """
    helps = _helps(cls.__doc__) | _helps(cls.__init__.__doc__)
    return tuple(
        _option(cls, parameter, helps.get(parameter.name, ""))
        for parameter in _parameters(cls)
        if parameter.kind not in _NOT_OPTIONS
        and not (parameter.name == "name" and issubclass(cls, IMetric))
    )


def takes_name(cls: type[IMetric]) -> bool:
    """Whether the constructor takes the metric's name, rather than giving it one of its own."""
    return any(
        p.name == "name" or p.kind is inspect.Parameter.VAR_KEYWORD for p in _parameters(cls)
    )


def _parameters(cls: TPluginClass) -> list[inspect.Parameter]:
    if cls.__init__ is object.__init__:
        return []
    return list(inspect.signature(cls.__init__).parameters.values())[1:]


def _option(cls: TPluginClass, parameter: inspect.Parameter, help_text: str) -> ConstructorOption:
    what = f"The option {parameter.name!r} of {cls.__name__}"
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        raise PluginError(f"{what} can only be given by position.", "Remove the / behind it.")
    has_default = parameter.default is not inspect.Parameter.empty
    hint = _hint(cls, parameter, what)
    found = _from_hint(parameter.name, hint)
    if found is None:
        raise PluginError(f"{what} has the type hint {_hint_text(hint)}.", _ALLOWED)
    description = replace(
        found.description,
        help=help_text,
        is_required=not has_default,
        is_optional=found.description.is_optional or parameter.default is None,
    )
    if has_default:
        try:
            default = checked_option(description, _plain(parameter.default))
        except UserInputError:
            raise PluginError(
                f"{what} has the default {shown(parameter.default)}, which its type hint "
                f"{_hint_text(hint)} does not allow."
            ) from None
        description = replace(description, default=default)
    return ConstructorOption(description, found.enum)


def _hint(cls: TPluginClass, parameter: inspect.Parameter, what: str) -> object:
    if parameter.annotation is inspect.Parameter.empty:
        if type(_plain(parameter.default)) in _KINDS:
            default = parameter.default
            return Path if isinstance(default, Path) else type(default)
        raise PluginError(f"{what} has no type hint.", _ALLOWED)
    # One at a time, so that a hint that cannot be resolved is blamed on its own option.
    holder = types.SimpleNamespace(__annotations__={parameter.name: parameter.annotation})
    names = getattr(inspect.unwrap(cls.__init__), "__globals__", {})
    try:
        hints = typing.get_type_hints(holder, globalns=names, include_extras=True)
        return hints[parameter.name]
    except Exception as error:  # noqa: BLE001  # a hint in quotes may hold any expression
        raise PluginError(
            f"{what} has the type hint {parameter.annotation!r}, which cannot be resolved: "
            f"{reason_of(error)}."
        ) from None


def _from_hint(name: str, hint: Any) -> ConstructorOption | None:
    """Return the option that a type hint asks for, or None if it is not supported."""
    if get_origin(hint) is Annotated:
        found = _from_hint(name, get_args(hint)[0])
        if found is None:
            return None
        return replace(found, description=_with_range(found.description, get_args(hint)[1:]))
    if get_origin(hint) in (typing.Union, types.UnionType):
        members = set(get_args(hint))
        rest = members - {type(None)}
        wide = {frozenset({int, float}): float, frozenset({str, Path}): Path}.get(frozenset(rest))
        single = wide or (rest.pop() if len(rest) == 1 else None)
        found = None if single is None else _from_hint(name, single)
        if found is None or type(None) not in members:
            return found
        return replace(found, description=replace(found.description, is_optional=True))
    if hint in _KINDS:
        return ConstructorOption(OptionDescription(name, _KINDS[hint]))
    enum = hint if isinstance(hint, type) and issubclass(hint, Enum) else None
    values = tuple(m.value for m in enum) if enum else get_args(hint)
    choices = tuple(value for value in values if value is not None)
    is_choice = enum is not None or get_origin(hint) is Literal
    # Literal takes members of an Enum, too; a form could not tell them from texts.
    if not is_choice or not choices or any(type(c) not in (int, float, str, bool) for c in choices):
        return None
    is_optional = len(choices) < len(values)
    if enum and is_optional:
        return None
    description = OptionDescription(name, "choice", choices=choices, is_optional=is_optional)
    return ConstructorOption(description, enum)


def _with_range(option: OptionDescription, extras: Sequence[Any]) -> OptionDescription:
    """Return a number's option with what its hint says of range and unit; the rest is not ours.

    A pair is the range, with None for an open end, and a text the unit. What is marked with `ge`
    and `le`, as in annotated_types and pydantic, is understood, too.
    """
    if option.kind not in ("int", "float"):
        return option
    for extra in extras:
        ends = extra if isinstance(extra, tuple) and len(extra) == 2 else ()
        low, high = ends or (getattr(extra, "ge", None), getattr(extra, "le", None))
        if isinstance(extra, str):
            option = replace(option, unit=extra.strip())
        if _is_number(low):
            option = replace(option, low=float(low))
        if _is_number(high):
            option = replace(option, high=float(high))
    return option


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _hint_text(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Path) else value


def checked_option(option: OptionDescription, value: object) -> TOptionValue:
    """Return the value in the option's type.

    Raises:
        UserInputError: If it is not allowed.
    """
    if value is None and option.is_optional:
        return None
    match option.kind, value:
        case "choice", _:
            for choice in option.choices:
                if choice == value and isinstance(choice, bool) == isinstance(value, bool):
                    return choice
        case "bool", bool():
            return value
        case "int" | "float", bool():
            pass
        case "int", int() | float() if value % 1 == 0 and option.allows(value):  # inf % 1 is nan
            return int(value)
        case "float", int() | float() if not math.isnan(value) and option.allows(value):
            return float(value)
        case ("str", str()) | ("path", str()) if value or option.kind == "str":
            return str(value)
        case _:
            pass
    need = {
        "choice": f"one of {', '.join(map(repr, option.choices))}",
        "bool": "true or false",
        "int": "a whole number",
        "float": "a number",
        "str": "a text",
        "path": "the path of a file or folder",
    }[option.kind]
    need = f"{need}, {option.range_text}," if option.range_text else need
    raise UserInputError(f"The option {option.name!r} is {shown(value)}; {need} is needed.")


def _helps(docstring: str | None) -> dict[str, str]:
    """Return argument name → text of the `Args:` section of a Google-style docstring."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    start = next((i for i, line in enumerate(lines) if line in ("Args:", "Arguments:")), len(lines))
    helps: dict[str, list[str]] = {}
    indent, name = 0, ""
    for line in lines[start + 1 :]:
        depth = len(line) - len(line.lstrip())
        if line and depth == 0:
            break
        indent = indent or depth
        entry = re.fullmatch(r"\s+\**(\w+)\s*(?:\([^)]*\))?:\s*(.*)", line)
        if entry and depth == indent:
            name = entry[1]
            helps[name] = [entry[2]]
        elif name:
            helps[name].append(line.strip())
    return {name: " ".join(filter(None, parts)) for name, parts in helps.items()}
