"""Every value and error of core across a real process, found by looking rather than by a list."""

import dataclasses
import importlib
import inspect
import multiprocessing
import pkgutil
import typing
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any

import pytest

import axdesk.core
from axdesk.core.errors import AxdeskError
from axdesk.core.experiment import Experiment

MODULES = [
    importlib.import_module(info.name)
    for info in pkgutil.iter_modules(axdesk.core.__path__, "axdesk.core.")
]


def classes() -> Iterator[type]:
    """Every class that core defines, private ones too."""
    for module in MODULES:
        for _, found in inspect.getmembers(module, inspect.isclass):
            if found.__module__ == module.__name__:
                yield found


VALUES = [c for c in classes() if dataclasses.is_dataclass(c)]
PUBLIC = sorted((c for c in VALUES if not c.__name__.startswith("_")), key=lambda c: c.__name__)
ERRORS = sorted((c for c in classes() if issubclass(c, AxdeskError)), key=lambda c: c.__name__)


def name_of(value: type) -> str:
    return value.__name__


# Fields that their type alone does not fill in a way that the class allows.
EXAMPLES: Mapping[tuple[str, str], object] = {
    ("Attachment", "sha256"): "0f" * 32,
    ("RangeParameterConfig", "bounds"): (1.0, 3.0),
    ("RangeParameterConfig", "start_value"): 2.0,
    ("RangeParameterConfig", "step_size"): 0.5,
    ("ChoiceParameterConfig", "values"): ["text"],
    ("ChoiceParameterConfig", "start_value"): "text",
    ("ChoiceParameterConfig", "parameter_type"): "str",
    ("ChoiceParameterConfig", "dependent_parameters"): {"text": ("x",)},
    ("DerivedParameterConfig", "expression_str"): "2*`Δ t` + 1",
    ("ParameterConstraint", "terms"): (("a name", 1.5),),
    ("SearchSpace", "constraints"): (),
    ("Objective", "expression"): None,
    ("Objective", "targets"): (("Yield (%)", 7.0),),
    ("OptimizationConfig", "further_objectives"): (),
    ("ExperimentRecord", "trials"): (),
    ("ExperimentRecord", "optimizations"): (),
    ("OptimizationConfig", "tracking_metrics"): ("Δ t",),
    ("RunSettings", "tolerated_trial_failure_rate"): 0.25,
    ("Draft", "general"): {"name": "Yield (%)", "owner": "µ"},
    ("Trial", "metadata"): {"file": "4.json", "nested": {"list": [1, None, "µ"]}},
}
SIMPLE: Mapping[object, object] = {
    str: "text",
    int: 3,
    float: 1.5,
    bool: True,
    NoneType: None,
    Any: "anything",
    object: "anything",
    datetime: datetime(2026, 11, 24, 12, 59, tzinfo=UTC),
    AxdeskError: AxdeskError("Something happened.", "Do something."),
}


def example(kind: Any) -> Any:
    """Make a value of an annotated type; of alternatives the first that is not None."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    if dataclasses.is_dataclass(kind):
        return instance(typing.cast("type", kind))
    if inspect.isclass(kind) and issubclass(kind, Enum):
        return next(iter(kind))
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return arguments[0]
    if origin in (typing.Union, UnionType):
        return example(next(a for a in arguments if a is not NoneType))
    if origin is tuple:
        inner = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return tuple(map(example, inner))
    if origin in (list, Sequence):
        return [example(arguments[0])]
    if origin in (dict, Mapping):
        return {example(arguments[0]): example(arguments[1])}
    raise AssertionError(f"add an example of the type {kind!r} to this test")


def instance(kind: type) -> Any:
    hints = typing.get_type_hints(kind)
    values = {}
    for field in dataclasses.fields(typing.cast("Any", kind)):
        key = (kind.__name__, field.name)
        if key == ("Objective", "expression"):
            expression = importlib.import_module("axdesk.core.expressions")
            values[field.name] = expression.LinearExpression((("Yield (%)", -2.0),))
        else:
            values[field.name] = EXAMPLES[key] if key in EXAMPLES else example(hints[field.name])
    return kind(**values)


def error_instance(kind: type[AxdeskError]) -> AxdeskError:
    """Make an error with every argument that its class takes, none at its default."""
    signature = inspect.signature(kind.__init__)
    hints = typing.get_type_hints(kind.__init__)
    arguments = {name: example(hints[name]) for name in list(signature.parameters)[1:]}
    return kind(**arguments)


def comparable(value: Any) -> Any:
    """Return something equal for equal values: errors themselves are equal only to themselves."""
    if isinstance(value, AxdeskError):
        return type(value), str(value), vars(value)
    if dataclasses.is_dataclass(value):
        return {f.name: comparable(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def echo(value: Any) -> Any:
    """Give a value back."""
    return value


def fail(error: Exception) -> None:
    """Raise the error in the other process."""
    raise error


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        # Its threads belong to the module, not to the first test.
        assert executor.submit(echo, "started").result(60) == "started"
        yield executor


def test_something_was_found() -> None:
    names = {c.__name__ for c in (*PUBLIC, *ERRORS)}

    assert {"Trial", "Run", "Draft", "Card", "RunFinished", "EnterResult"} <= names
    assert {"ExpressionError", "DecisionNeededError", "FailureRateExceededError"} <= names


@pytest.mark.parametrize("kind", [c for c in PUBLIC if c is not Experiment], ids=name_of)
def test_every_value_is_frozen_and_slotted(kind: type) -> None:
    parameters = typing.cast("Any", kind).__dataclass_params__

    assert parameters.frozen
    assert "__slots__" in vars(kind)
    # A base without slots would bring the dictionary back.
    assert not hasattr(instance(kind), "__dict__")


@pytest.mark.parametrize("kind", PUBLIC, ids=name_of)
def test_every_value_crosses_processes(kind: type, pool: ProcessPoolExecutor) -> None:
    value = instance(kind)

    received = pool.submit(echo, value).result(60)

    assert comparable(received) == comparable(value)
    assert type(received) is kind


@pytest.mark.parametrize("kind", ERRORS, ids=name_of)
def test_every_error_crosses_processes(kind: type[AxdeskError], pool: ProcessPoolExecutor) -> None:
    error = error_instance(kind)

    with pytest.raises(AxdeskError) as caught:
        pool.submit(fail, error).result(60)
    received = pool.submit(echo, error).result(60)

    for answer in (caught.value, received):
        assert type(answer) is kind
        assert str(answer) == str(error)
        cause = dict(vars(answer))
        assert {name: cause[name] for name in vars(error)} == vars(error)
    assert pool.submit(echo, "alive").result(60) == "alive"


@pytest.mark.parametrize("kind", ERRORS, ids=name_of)
def test_every_error_says_what_happened_and_what_to_do(kind: type[AxdeskError]) -> None:
    error = error_instance(kind)

    assert str(error).startswith("text text")
    assert (error.message, error.hint) == ("text", "text")
    assert str(kind("Only this.")).strip().startswith("Only this.")


def test_input_errors_and_missing_things_are_pythons_too() -> None:
    names = {c.__name__: c for c in ERRORS}

    assert issubclass(names["UserInputError"], ValueError)
    assert issubclass(names["NotFoundError"], LookupError)
