"""What a caller gives, checked by the annotations of what it is given to.

A wrong type becomes a sentence that names the argument, and a number of NumPy or torch becomes
Python's own. What a value means, whoever takes it checks.
"""

import functools
import inspect
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import FunctionType, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from axdesk.core.errors import UserInputError
from axdesk.core.numbers import NumberError, real_number
from axdesk.core.texts import shown

_Kind = TypeVar("_Kind", bound=type)


class _WrongTypeError(Exception):
    """What is needed instead, such as "a whole number"."""


def with_checked_arguments(kind: _Kind) -> _Kind:
    """Have the public methods of a class, and its construction, check what they are given.

    Annotations that are written as texts are left to the methods.
    """
    for name, member in list(vars(kind).items()):
        if name.startswith("_") and name != "__init__":
            continue
        if isinstance(member, FunctionType):
            setattr(kind, name, _checking(member, kind.__name__ if name == "__init__" else name))
        elif isinstance(member, classmethod):
            setattr(kind, name, classmethod(_checking(member.__func__, name)))
    return kind


def _checking(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    signature = inspect.signature(function)
    annotations = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if parameter.annotation is not parameter.empty and not isinstance(parameter.annotation, str)
    }

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # Python itself says best what is missing
        for argument, value in bound.arguments.items():
            if argument in annotations:
                what = f"{argument} of {name}"
                bound.arguments[argument] = checked_argument(annotations[argument], value, what)
        return function(*bound.args, **bound.kwargs)

    return checked


def check_fields(value: Any, names: Iterable[str], what: str) -> None:
    """Give fields of a frozen dataclass their values as the annotations have them.

    Args:
        value: In its `__post_init__`.
        names: Of the fields.
        what: Its name in the message: "parameter 'x'".

    Raises:
        UserInputError: If one is of another type.
    """
    annotations = {field.name: field.type for field in fields(value)}
    for name in names:
        given = getattr(value, name)
        found = checked_argument(annotations[name], given, f"{name} of {what}")
        object.__setattr__(value, name, found)


def checked_argument(annotation: Any, value: object, what: str) -> Any:
    """Return a value as an annotation has it.

    Args:
        annotation: Such as `int`, `str | None`, `Sequence[str]`, `Mapping[str, float]` (whose
            values are not looked at), `Literal["a", "b"]`, or a class.
        value: What was given.
        what: Its name in the message: "trial_index of complete_trial".

    Raises:
        UserInputError: If it is of another type.
    """
    try:
        return _converted(annotation, value)
    except _WrongTypeError as error:
        raise UserInputError(f"{what} is {shown(value)}; {error} is needed.") from None


def _converted(annotation: Any, value: object) -> Any:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return _one_of(inner, value)
    if origin is Sequence:
        return _items(inner[0], value)
    if origin is Literal and not (isinstance(value, str) and value in inner):
        raise _WrongTypeError(" or ".join(map(repr, inner)))
    if origin is Mapping and not _has_names(value):
        raise _WrongTypeError("a dict with names as keys")
    if origin is Callable and not callable(value):
        raise _WrongTypeError("a function")
    if origin is not None:
        return value
    plain = _PLAIN.get(annotation)
    if plain is not None:
        return plain(value)
    if not isinstance(value, annotation):
        article = "an" if annotation.__name__[0] in "AEIOU" else "a"
        raise _WrongTypeError(f"{article} {annotation.__name__}")
    return value


def _has_names(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _one_of(annotations: Iterable[Any], value: object) -> Any:
    needs: list[str] = []
    for annotation in annotations:
        try:
            return _converted(annotation, value)
        except _WrongTypeError as error:
            needs.append(str(error))
    raise _WrongTypeError(" or ".join(dict.fromkeys(needs)))


def _items(annotation: Any, value: object) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise _WrongTypeError("a list")
    try:
        items = list(value)
    except TypeError:  # an array without dimensions
        raise _WrongTypeError("a list") from None
    try:
        return [_converted(annotation, item) for item in items]
    except _WrongTypeError as error:
        raise _WrongTypeError(f"a list of which each entry is {error}") from None


def _nothing(value: object) -> None:
    if value is not None:
        raise _WrongTypeError("None")


def _truth(value: object) -> bool:
    if type(value).__name__ not in ("bool", "bool_"):  # NumPy has one of its own
        raise _WrongTypeError("True or False")
    return bool(value)


def _whole(value: object) -> int:
    try:
        real_number(value)  # no truth value, and nothing beyond what a float has, has passed
        return operator.index(value)  # type: ignore[arg-type]  # what has none is a TypeError
    except (NumberError, TypeError):
        raise _WrongTypeError("a whole number") from None


def _real(value: object) -> float:
    try:
        return real_number(value)
    except NumberError:
        raise _WrongTypeError("a finite number") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _WrongTypeError("text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _WrongTypeError("text without lone surrogates, which nothing can store,") from None
    return str(value)


def _path(value: object) -> Path:
    if not isinstance(value, os.PathLike):
        raise _WrongTypeError("a path")
    return Path(value)


_PLAIN: Mapping[Any, Callable[[object], Any]] = {
    None: _nothing,
    NoneType: _nothing,
    bool: _truth,
    int: _whole,
    float: _real,
    str: _text,
    Path: _path,
    Any: lambda value: value,
    object: lambda value: value,
}
