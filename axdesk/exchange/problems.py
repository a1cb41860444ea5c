"""What is wrong in an experiment file, said with its line and place."""

import difflib
import functools
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from axdesk.exchange.models import (
    ChoiceTable,
    DeadlinesTable,
    ExperimentTable,
    FileTable,
    FixedTable,
    GenerationTable,
    OptimizationTable,
    PluginTable,
    RangeTable,
    RetriesTable,
    RunTable,
)
from axdesk.exchange.toml_lines import Place, lines_of, nearest_line

_PARAMETER_TABLES: Mapping[str, type[BaseModel]] = {
    "float": RangeTable,
    "int": RangeTable,
    "choice": ChoiceTable,
    "fixed": FixedTable,
}
_TABLES: Mapping[Place, type[BaseModel]] = {
    (): FileTable,
    ("experiment",): ExperimentTable,
    ("optimization",): OptimizationTable,
    ("generation",): GenerationTable,
    ("runner",): PluginTable,
    ("run",): RunTable,
    ("run", "call_deadlines"): DeadlinesTable,
    ("run", "retry_budget"): RetriesTable,
}
_NEEDED = {
    "string_type": "a text in quotes",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list in [ ]",
    "value_type": "a number, a text, true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
_HOMES = {
    "constraints": "Constraints between parameters are parameter_constraints in [experiment].",
    "parameter_constraints": "It belongs into [experiment].",
    "outcome_constraints": "It belongs into [optimization].",
}


class Problems:
    """Collects sentences, each with its line and place."""

    def __init__(self, content: Mapping[str, Any], text: str) -> None:
        self._content = content
        self._lines = lines_of(text)
        self._found: list[tuple[int, str]] = []

    @property
    def sentences(self) -> tuple[str, ...]:
        """Each problem once, in the order of lines."""
        ordered = sorted(self._found, key=lambda problem: problem[0])
        return tuple(dict.fromkeys(sentence for _, sentence in ordered))

    def add(self, place: Place, message: str) -> None:
        """Note a problem; one that begins with a key of the place's table is told at that key."""
        key = message.partition(" ")[0].rpartition(".")[2]
        if isinstance(self._at(place), dict) and key in self._at(place):
            place = (*place, key)
        line = nearest_line(self._lines, place)
        start = f"line {line}: " if line else ""
        indented = message.replace("\n", "\n  ")
        self._found.append((line or 0, f"{start}{self._place_text(place)}: {indented}"))

    def _at(self, place: Place) -> Any:
        return functools.reduce(_child, place, self._content)

    def _place_text(self, place: Place) -> str:
        """Return `parameters[2] (Catalyst) → low`."""
        parts: list[str] = []
        node: Any = self._content
        for part in place:
            node = _child(node, part)
            if isinstance(part, str):
                parts.append(part)
                continue
            name = node.get("name") if isinstance(node, dict) else None
            parts[-1] += f"[{part}]" + (f" ({name})" if isinstance(name, str) else "")
        return " → ".join(parts) or "the file"


def _child(node: Any, part: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return None


def schema_problems(error: ValidationError, problems: Problems) -> None:
    """Note what pydantic found, in words of the file rather than of pydantic."""
    for found in error.errors(include_url=False):
        tag, place = _place(found["loc"])
        problems.add(place, _message(found, place, tag))


def _place(location: tuple[int | str, ...]) -> tuple[str, Place]:
    """Return a parameter's type, which pydantic puts into the location, and the place without."""
    if len(location) > 2 and location[0] == "parameters":
        return str(location[2]), location[:2] + location[3:]
    return "", location


def _message(found: Any, place: Place, tag: str) -> str:
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    if kind == "missing":
        return "it is missing"
    if kind == "extra_forbidden":
        return _unknown_key(place, tag)
    if kind == "union_tag_not_found":
        return "its type is missing; allowed are 'float', 'int', 'choice', 'fixed'"
    if kind == "union_tag_invalid":
        return f"the type {context['tag']!r} is not known; allowed are {context['expected_tags']}"
    if kind == "literal_error":
        return f"{given!r} is not known; allowed are {context['expected']}"
    if kind == "greater_than_equal":
        return f"{given!r} is given; at least {context['ge']} is needed"
    if kind in _NEEDED:
        return f"{given!r} is given; {_NEEDED[kind]} is needed"
    return str(found["msg"])


def _unknown_key(place: Place, tag: str) -> str:
    *around, key = place
    if key in _HOMES:
        return f"this key is not known here. {_HOMES[str(key)]}"
    table = _PARAMETER_TABLES.get(tag) or _TABLES.get(tuple(around), PluginTable)
    known = list(table.model_fields)
    similar = difflib.get_close_matches(str(key), known, n=1)
    hint = f"did you mean {similar[0]}?" if similar else f"known are {', '.join(known)}"
    return f"this key is not known; {hint}"
