"""Codes: each kind of error has its own, and keeps it."""

import importlib
import pickle
import pkgutil
from collections.abc import Iterator

import pytest

import axdesk.headless
from axdesk.core.errors import AxdeskError, Code
from axdesk.core.resources import resource_path
from axdesk.headless import json_lines


def kinds(base: type[AxdeskError] = AxdeskError) -> Iterator[type[AxdeskError]]:
    yield base
    for kind in base.__subclasses__():
        yield from kinds(kind)


def all_kinds() -> set[type[AxdeskError]]:
    for module in pkgutil.iter_modules(axdesk.headless.__path__):
        importlib.import_module(f"axdesk.headless.{module.name}")
    return {kind for kind in kinds() if kind.__module__.startswith("axdesk.")}


def test_every_kind_of_error_has_a_code_of_its_own() -> None:
    codes = [vars(kind).get("code") for kind in all_kinds()]
    assert None not in codes
    assert len(set(codes)) == len(codes)


def test_codes_are_written_alike_and_never_twice() -> None:
    values = [code.value for code in Code]
    assert len(values) == len(set(values))
    assert all(len(v) == 7 and v.startswith("AXD-") and v[4:].isdigit() for v in values)


def test_the_help_has_a_section_for_each_code_and_for_no_other() -> None:
    text = resource_path("help", "codes.md").read_text("utf-8")
    sections = text.split("\n## ")[1:]
    assert [section[:7] for section in sections] == [code.value for code in Code]
    for section in sections:
        title = section.partition("\n")[0][8:]
        assert title, section[:7]
        for part in ("**What it means.**", "**What axdesk does.**", "**What you can do.**"):
            _, found, after = section.partition(part)
            assert found, (section[:7], part)
            assert len(after.strip().split("\n\n")[0]) > 10, (section[:7], part)


@pytest.mark.parametrize("kind", sorted(all_kinds(), key=str))
def test_a_code_stays_out_of_the_sentence_and_crosses_processes(kind: type[AxdeskError]) -> None:
    error = kind("It is so.", "Do this.")
    assert error.code not in str(error)
    assert pickle.loads(pickle.dumps(error)).code is kind.code


def test_a_line_of_json_carries_the_code() -> None:
    plain = json_lines._plain(AxdeskError("It is so.", "Do this."))
    assert plain == {
        "type": "AxdeskError", "code": "AXD-100", "message": "It is so.", "hint": "Do this.",
    }  # fmt: skip
