"""What the library's docstrings promise: every argument, every error, examples that run."""

import doctest
import inspect
import re
from typing import Any

import pytest

import axdesk.api
import axdesk.api.client
from axdesk.api.client import Client
from axdesk.core.laboratory import IMetric, IRunner

RAISE_NOTHING = {"optimizer_ready", "submit", "submit_to_run", "is_available_while_running"}

METHODS = [
    pytest.param(getattr(kind, name), id=f"{kind.__name__}.{name}")
    for kind in (Client, IRunner, IMetric)
    for name in dir(kind)
    if not name.startswith("_") and callable(getattr(kind, name))
]
VALUES = [
    getattr(axdesk.api, name)
    for name in axdesk.api.__all__
    if hasattr(getattr(axdesk.api, name), "__dataclass_fields__")
]


def described(docstring: str, section: str) -> list[str]:
    return re.findall(r"^    (\w+): ", docstring.partition(f"{section}:")[2], re.M)


@pytest.mark.parametrize("method", METHODS)
def test_a_docstring_names_every_argument_and_what_is_raised(method: Any) -> None:
    told = inspect.getdoc(method) or ""
    arguments = [name for name in inspect.signature(method).parameters if name != "self"]
    assert [name for name in arguments if name not in described(told, "Args")] == []
    assert "Raises:" in told or method.__name__ in RAISE_NOTHING


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.__name__)
def test_a_value_names_every_field_and_what_is_refused(kind: Any) -> None:
    told = inspect.getdoc(kind) or ""
    fields = kind.__dataclass_fields__
    assert [name for name in fields if name not in described(told, "Attributes")] == []
    assert "Raises:" in told


def test_the_examples_run() -> None:
    names = {"RangeParameterConfig": axdesk.api.RangeParameterConfig}
    found = doctest.testmod(axdesk.api.client, extraglobs=names)
    assert found.attempted >= 6
    assert found.failed == 0
