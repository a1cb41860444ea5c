"""What a runner may answer, and in which words everything else is refused."""

import json
from collections import OrderedDict
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest

from axdesk.core.errors import CallFailedError
from axdesk.plugins.answers import checked_metadata


class Level(IntEnum):
    LOW = 1


def cyclic() -> dict[str, Any]:
    metadata: dict[str, Any] = {"a": 1}
    metadata["self"] = metadata
    return metadata


def nested(levels: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(levels - 1):
        metadata = {"deeper": metadata}
    return metadata


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({}, {}),
        ({"job": 17, "ok": True, "path": None, "µ": "Ω 😀"}, None),
        ({"big": 2**200, "tiny": 5e-324, "negative": -0.0}, None),
        ({"deep": [{"a": [[], {}]}]}, None),
        ({"level": Level.LOW}, {"level": 1}),
        (nested(50), None),
        (OrderedDict(a=1), {"a": 1}),
        (MappingProxyType({"a": 1}), {"a": 1}),
        ({"text": "x" * 900_000}, None),
    ],
)
def test_json_is_kept_as_it_will_be_read_back(answer: Any, kept: Any) -> None:
    checked = checked_metadata("R.run_trial of trial 3", answer)

    assert checked == (answer if kept is None else kept)
    assert json.loads(json.dumps(checked)) == checked
    assert type(checked) is dict


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "None; a dict of metadata is needed"),
        ([("a", 1)], "[('a', 1)]; a dict of metadata is needed"),
        ("job 17", "'job 17'; a dict of metadata is needed"),
        ({"a": float("nan")}, "'a' with the value nan is not JSON"),
        ({"a": [{"b": float("-inf")}]}, "is not JSON"),
        ({"a": (1, 2)}, "'a' with the value (1, 2) would be read back as something else"),
        ({"a": {"b": [(1,)]}}, "would be read back as something else"),
        ({1: "a"}, "key 1 with the value 'a' has a key that is no text"),
        ({"a": {1: 2}}, "would be read back as something else"),
        ({"a": {(1, 2): 3}}, "is not JSON"),
        ({"a": {1, 2}}, "is not JSON"),
        ({"a": b"raw"}, "b'raw' is not JSON"),
        ({"a": 1j}, "is not JSON"),
        ({"a": Broken()}, "Broken whose repr raised RuntimeError"),
        ({"a": "\udc80"}, "is not JSON"),
        ({"\udc80": 1}, "is not JSON"),
        ({"a": 10**5000}, "is not JSON"),
        (cyclic(), "'self' with the value"),
        (nested(51), "more than 50 levels"),
        (nested(400), "more than 50 levels"),
        (nested(100_000), "'deeper'"),
        ({"a": "x" * 1_000_000}, "1,000,009 bytes of metadata; at most 1,000,000 are kept"),
        ({str(i): "µ" * 10_000 for i in range(60)}, "bytes of metadata; at most"),
    ],
)
def test_anything_else_is_refused_with_what_was_answered(answer: Any, told: str) -> None:
    with pytest.raises(CallFailedError) as refused:
        checked_metadata("R.run_trial of trial 3", answer)

    assert refused.value.message.startswith("R.run_trial of trial 3 answered ")
    assert told in refused.value.message
    assert len(refused.value.message) < 1_500
    refused.value.message.encode("utf-8")


def test_what_the_laboratory_changes_later_does_not_reach_the_stored_trial() -> None:
    state = {"jobs": [1]}

    checked = checked_metadata("R.run_trial of trial 3", state)
    state["jobs"].append(2)

    assert checked == {"jobs": [1]}
