"""From a set-up to the text of an experiment file, laid out for a person to read."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import OrchestrationConfig, RunSettings
from axdesk.core.setup import ExperimentSetup
from axdesk.exchange.experiment_reader import GENERATION_FIELDS, RUN_FIELDS

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def experiment_file_text(setup: ExperimentSetup) -> str:
    """Return the TOML that reads back as `setup`; what has its default is mostly left out."""
    return "\n".join(_sections(setup))


def _sections(setup: ExperimentSetup) -> Iterable[str]:
    constraints = [str(constraint) for constraint in setup.search_space.constraints]
    general = {
        "name": setup.name,
        "description": setup.description or None,
        "owner": setup.owner or None,
        "plugin_folder": setup.plugin_folder or None,
        "plugin_python": setup.plugin_python or None,
        "parameter_constraints": constraints or None,
    }
    yield _section("[experiment]", general)
    for parameter in setup.search_space.parameters:
        yield _section("[[parameters]]", _parameter(parameter))
    optimization = setup.optimization
    limits = [str(limit) for limit in optimization.outcome_constraints]
    outcomes = {
        "objective": optimization.objective_text,
        "outcome_constraints": limits or None,
        "tracking_metrics": list(optimization.tracking_metrics) or None,
    }
    yield _section("[optimization]", outcomes)
    if optimization.units:
        yield _section("[optimization.units]", dict(optimization.units))
    generation = {key: getattr(setup.generation, name) for key, name in GENERATION_FIELDS.items()}
    yield _section("[generation]", generation)
    if setup.runner is not None:
        yield from _plugin("runner", setup.runner)
    for name, choice in setup.metrics:
        yield from _plugin(f"metrics.{_key(name)}", choice)
    yield from _run(setup.run)


def _parameter(parameter: ParameterConfig) -> dict[str, Any]:
    about = {"unit": parameter.unit or None, "description": parameter.description or None}
    name = parameter.name
    if isinstance(parameter, DerivedParameterConfig):
        whole = True if parameter.parameter_type == "int" else None
        expression = parameter.expression_str
        return {"name": name, "type": "derived", "expression": expression, "whole": whole, **about}
    start = parameter.start_value
    kind: dict[str, Any]
    shape: dict[str, Any]
    on = None if parameter.is_on else False
    if isinstance(parameter, RangeParameterConfig):
        low, high = parameter.bounds
        kind = {"name": name, "type": parameter.parameter_type, "low": low, "high": high}
        shape = {"step": parameter.step_size, "scale": parameter.scaling, "start": start}
        return {**kind, **shape, "on": on, **about}
    plain = ChoiceParameterConfig(name, parameter.values, parameter.parameter_type)
    ordered = None if parameter.is_ordered == plain.is_ordered else parameter.is_ordered
    dependents = [
        {"value": value, "parameters": list(names)}
        for value, names in parameter.dependent_parameters.items()
    ]
    if len(parameter.values) == 1 and ordered is None and not dependents:
        return {"name": name, "type": "fixed", "value": parameter.values[0], **about}
    kind = {"name": name, "type": "choice", "values": list(parameter.values)}
    shape = {"ordered": ordered, "start": start, "on": on, "dependents": dependents or None}
    return {**kind, **shape, **about}


def _plugin(table: str, choice: PluginChoice) -> Iterable[str]:
    unset = [name for name, value in choice.options.items() if value is None]
    yield _section(f"[{table}]", {"plugin": choice.reference, "unset": unset or None})
    if len(choice.options) > len(unset):
        yield _section(f"[{table}.options]", choice.options)


def _run(run: RunSettings) -> Iterable[str]:
    more = run.orchestration
    nested = {"call_deadlines": more.call_deadlines, "retry_budget": more.retry_budget}
    values = {name: getattr(run, name) for name in RUN_FIELDS}
    rules = {"early_stopping": more.early_stopping, "global_stopping": more.global_stopping}
    without = (*nested, *rules)
    yield _section("[run]", values | _changed(more, OrchestrationConfig(), without=without))
    for name, value in nested.items():
        changed = _changed(value, type(value)())
        if changed:
            yield _section(f"[run.{name}]", changed)
    for name, rule in rules.items():
        if rule is not None:
            given = {field.name: getattr(rule, field.name) for field in fields(rule)}
            yield _section(f"[run.{name}]", given)


def _changed(value: Any, default: Any, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the fields that differ from their defaults, with `inf` for no limit."""
    return {
        field.name: float("inf") if own is None else own
        for field in fields(value)
        if field.name not in without
        and (own := getattr(value, field.name)) != getattr(default, field.name)
    }


def _section(header: str, values: Mapping[str, Any]) -> str:
    """Return a table's text; a value of None is left out."""
    lines = [f"{_key(k)} = {_value(v)}\n" for k, v in values.items() if v is not None]
    return "".join([f"{header}\n", *lines])


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _text(key)


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _block(value) if "\n" in value else _text(value)
        case list():
            return _list([_value(item) for item in value])
        case dict():
            return f"{{ {', '.join(f'{_key(k)} = {_value(v)}' for k, v in value.items())} }}"
        case _:
            return repr(value)


def _list(items: list[str]) -> str:
    line = f"[{', '.join(items)}]"
    return line if len(line) <= 80 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"


def _text(text: str) -> str:
    # JSON's escapes are TOML's, which also wants DEL escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _block(text: str) -> str:
    lines = (_text(line)[1:-1] for line in text.split("\n"))
    return '"""\n' + "\n".join(lines) + '"""'
