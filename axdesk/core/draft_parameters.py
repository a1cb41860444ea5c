"""From the rows of a draft's parameters to a search space."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

from axdesk.core.constraints import ParameterConstraint
from axdesk.core.draft_cells import (
    CHOICE_SEPARATOR,
    ParameterKind,
    Row,
    Section,
    TValueType,
    choice_text,
    parse_number,
    parse_value,
    parse_whole,
    parse_yes_no,
    split_choices,
    split_dependents,
    unquoted,
    value_text,
    value_type_of,
)
from axdesk.core.draft_notes import Notes, Place
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import with_decimal_points
from axdesk.core.names import checked_name, first_duplicate
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.search_space import SearchSpace


def checked_parameters(rows: tuple[Row, ...], notes: Notes) -> tuple[ParameterConfig | None, ...]:
    """Return a parameter for each row; None for rows that are left out or wrong."""
    names: dict[str, int] = {}
    found: list[ParameterConfig | None] = []
    for index, row in enumerate(rows):
        name = row.get("name", "").strip()
        at_name = notes.at(Section.PARAMETERS, index, "name")
        if not name:
            at_name.note("Needs a name.")
        elif name in names:
            at_name.note(f"Another parameter is called {name}.")
        names.setdefault(name, index)
        left_out = is_left_out(row)
        found.append(None if left_out else _parameter(name or "unnamed", row, index, notes))
    if not rows:
        notes.at(Section.PARAMETERS, None, "").note("Add at least one parameter.")
    elif all(_is_off(row) for row in rows):
        notes.at(Section.PARAMETERS, None, "").note("Switch at least one parameter on.")
    return tuple(found)


def _is_off(row: Row) -> bool:
    return row.get("on", "yes") == "no"


def is_left_out(row: Row) -> bool:
    """Whether a row is off and says no value that every trial could have."""
    has_value = row.get("start", "").strip() and row.get("kind") != ParameterKind.DERIVED
    return _is_off(row) and not has_value


def _parameter(name: str, row: Row, index: int, notes: Notes) -> ParameterConfig | None:
    if (
        notes.at(Section.PARAMETERS, index, "name").read(lambda: checked_name(name, "parameter"))
        is None
    ):
        return None
    match row.get("kind", ParameterKind.DECIMAL.value):
        case ParameterKind.DECIMAL | ParameterKind.WHOLE:
            return _range(name, row, index, notes)
        case ParameterKind.CHOICE:
            return _choice(name, row, index, notes)
        case ParameterKind.YES_NO:
            return _yes_no(name, row, index, notes)
        case ParameterKind.FIXED:
            return _fixed(name, row, index, notes)
        case ParameterKind.DERIVED:
            return _derived(name, row, index, notes)
        case kind:
            notes.at(Section.PARAMETERS, index, "kind").note(
                f"“{kind}” is no type; choose {', '.join(ParameterKind)}."
            )
            return None


def _whole_or_decimal(text: str, *, is_whole: bool) -> float:
    return parse_whole(text, "Or choose the type decimal.") if is_whole else parse_number(text)


def _range(name: str, row: Row, index: int, notes: Notes) -> RangeParameterConfig | None:
    bare = _between_bounds(name, row, index, notes)
    if bare is not None:
        return _with_step_and_start(bare, row, index, notes)
    is_whole = row.get("kind") == ParameterKind.WHOLE
    for field in ("step", "start"):  # what is no number is told without bounds, too
        if text := row.get(field, "").strip():
            at = notes.at(Section.PARAMETERS, index, field)
            at.read(lambda text=text: _whole_or_decimal(text, is_whole=is_whole))  # type: ignore[misc]  # a default binds the loop variable
    return None


def _between_bounds(name: str, row: Row, index: int, notes: Notes) -> RangeParameterConfig | None:
    """Return the range without step and start value."""
    is_whole = row.get("kind") == ParameterKind.WHOLE
    is_log = row.get("scale") == "log"
    bounds = {}
    for which in ("low", "high"):
        at = notes.at(Section.PARAMETERS, index, which)
        if not row.get(which, "").strip():
            at.note(f"Enter the {which}est value that may be tried.")
            continue
        number = at.read(lambda text=row[which]: _whole_or_decimal(text, is_whole=is_whole))  # type: ignore[misc]  # a default binds the loop variable
        if number is not None:
            bounds[which] = number
    if len(bounds) < 2:
        return None
    low, high = bounds["low"], bounds["high"]
    if low >= high:
        notes.at(Section.PARAMETERS, index, "low").note(
            "Low must be below High.", *_swap(row, low, high)
        )
        return None
    if is_log and low <= 0:
        _note_log(row, index, low, high, is_whole=is_whole, notes=notes)
        return None
    return notes.at(Section.PARAMETERS, index, "low").read(
        lambda: RangeParameterConfig(
            name=name,
            bounds=(low, high),
            parameter_type="int" if is_whole else "float",
            scaling="log" if is_log else None,
            unit=row.get("unit", ""),
            description=row.get("description", ""),
        )
    )


def _with_step_and_start(
    bare: RangeParameterConfig, row: Row, index: int, notes: Notes
) -> RangeParameterConfig | None:
    is_whole = bare.parameter_type == "int"
    low, high = bare.bounds
    stepped: RangeParameterConfig | None = bare
    if row.get("step", "").strip():
        at_step = notes.at(Section.PARAMETERS, index, "step")
        step = at_step.read(lambda: _whole_or_decimal(row["step"], is_whole=is_whole))
        if step is None:
            stepped = None
        elif not 0 < step <= high - low:
            at_step.note(
                f"The step must be above 0 and at most {value_text(high - low)}, the distance "
                "from Low to High."
            )
            stepped = None
        else:
            stepped = at_step.read(lambda: replace(bare, step_size=step))
    if not row.get("start", "").strip():
        return stepped
    at_start = notes.at(Section.PARAMETERS, index, "start")
    start = at_start.read(lambda: _whole_or_decimal(row["start"], is_whole=is_whole))
    if start is None or stepped is None:
        return None
    if not low <= start <= high:
        at_start.note(f"The start value lies outside {value_text(low)} … {value_text(high)}.")
        return None
    return at_start.read(lambda: replace(stepped, start_value=start, is_on=not _is_off(row)))


def _derived(name: str, row: Row, index: int, notes: Notes) -> DerivedParameterConfig | None:
    at = notes.at(Section.PARAMETERS, index, "expression")
    text = with_decimal_points(row.get("expression", "").strip())
    if not text:
        at.note("Enter what it is computed by, such as 100 - a - b.")
        return None
    return at.read(
        lambda: DerivedParameterConfig(
            name=name,
            expression_str=text,
            parameter_type="int" if row.get("value_type") == "int" else "float",
            unit=row.get("unit", ""),
            description=row.get("description", ""),
        )
    )


def _swap(row: Row, low: float, high: float) -> tuple[tuple[str, Mapping[str, str]], ...]:
    return (("Swap them", {"low": row["high"], "high": row["low"]}),) if low > high else ()


def _note_log(
    row: Row, index: int, low: float, high: float, *, is_whole: bool, notes: Notes
) -> None:
    """Say that a logarithmic scale needs a low bound above 0, and offer one."""
    at = notes.at(Section.PARAMETERS, index, "low")
    suggestion = "1" if is_whole else value_text(float(f"{high / 100:.3g}"))
    linear = ("Switch to linear", {"scale": ""})
    message = f"A logarithmic scale cannot start at {row['low'].strip()}."
    if high <= 0 or (is_whole and high <= 1):
        at.note(message, linear)
    else:
        at.note(
            f"{message} Enter a value above 0, such as {suggestion}.",
            (f"Use {suggestion}", {"low": suggestion}),
            linear,
        )


def _choice(name: str, row: Row, index: int, notes: Notes) -> ChoiceParameterConfig | None:
    texts = split_choices(row.get("choices", ""))
    at = notes.at(Section.PARAMETERS, index, "choices")
    if len(texts) < 2:
        at.note(f"Enter at least two choices, separated by “{CHOICE_SEPARATOR}”.")
        return None
    typed = _typed_values(texts, row, at)
    if typed is None:
        return None
    values, kind = typed
    twice = first_duplicate(tuple(map(choice_text, values)))
    if twice is not None:
        at.note(f"The list has the value {twice} twice.")
        return None
    start = None
    if row.get("start", "").strip():
        plain = unquoted(row["start"])
        try:
            start = parse_value(plain, kind)
        except UserInputError:
            start = plain
        if start not in values:
            known = ", ".join(map(choice_text, values))
            notes.at(Section.PARAMETERS, index, "start").note(
                f"“{plain}” is not among the choices {known}."
            )
            return None
    return _choice_parameter(name, row, at, values, kind, start)


def _fixed(name: str, row: Row, index: int, notes: Notes) -> ChoiceParameterConfig | None:
    at = notes.at(Section.PARAMETERS, index, "start")
    if not row.get("start", "").strip():
        at.note("Enter the value that it keeps.")
        return None
    typed = _typed_values((unquoted(row["start"]),), row, at)
    return None if typed is None else _choice_parameter(name, row, at, *typed, None)


def _yes_no(name: str, row: Row, index: int, notes: Notes) -> ChoiceParameterConfig | None:
    at = notes.at(Section.PARAMETERS, index, "choices")
    start = None
    if row.get("start", "").strip():
        start = at.beside("start").read(lambda: parse_yes_no(row["start"]))
        if start is None:
            return None
    return _choice_parameter(name, row, at, (False, True), "bool", start)


def _typed_values(
    texts: tuple[str, ...], row: Row, at: Place
) -> tuple[tuple[TParameterValue, ...], TValueType] | None:
    """Read values as what the row says that they are, else as what they look like."""
    said = row.get("value_type", "")
    kind = next((k for k in get_args(TValueType) if k == said), value_type_of(texts))
    try:
        return tuple(parse_value(text, kind) for text in texts), kind
    except UserInputError as error:
        at.note(str(error), ("Read them as what they look like", {"value_type": ""}))
        return None


def _choice_parameter(
    name: str,
    row: Row,
    at: Place,
    values: tuple[TParameterValue, ...],
    kind: TValueType,
    start: TParameterValue | None,
) -> ChoiceParameterConfig | None:
    dependents = _dependents(row, values, kind, at.beside("dependents"))
    if dependents is None:
        return None
    return at.read(
        lambda: ChoiceParameterConfig(
            name=name,
            values=values,
            parameter_type=kind,
            is_ordered={"yes": True, "no": False}.get(row.get("is_ordered", "")),
            unit=row.get("unit", ""),
            description=row.get("description", ""),
            start_value=start,
            dependent_parameters=dependents,
            is_on=start is None or not _is_off(row),
        )
    )


def _dependents(
    row: Row, values: tuple[TParameterValue, ...], kind: TValueType, at: Place
) -> dict[TParameterValue, tuple[str, ...]] | None:
    """Return which parameters exist only at which value, or None if that is wrong."""
    given = at.read(lambda: split_dependents(row.get("dependents", "")))
    if given is None:
        return None
    found: dict[TParameterValue, tuple[str, ...]] = {}
    for text, names in given:
        value: TParameterValue
        try:
            value = parse_value(text, kind)
        except UserInputError:
            value = text
        if value not in values:
            known = ", ".join(map(choice_text, values))
            at.note(f"“{text}” is not among the choices {known}.")
            return None
        found[value] = (*found.get(value, ()), *names)
    return found


def checked_search_space(
    parameters: tuple[ParameterConfig | None, ...],
    constraints: tuple[tuple[int, ParameterConstraint], ...],
    notes: Notes,
) -> SearchSpace | None:
    """Build it part by part, so that what does not fit is told in its own cell."""
    kept = tuple(p for p in parameters if p is not None)
    if notes.problems or not kept:
        return None
    plain = tuple(
        replace(p, dependent_parameters={}) if isinstance(p, ChoiceParameterConfig) else p
        for p in kept
        if not isinstance(p, DerivedParameterConfig)
    )
    for index, parameter in enumerate(parameters):
        match parameter:
            case DerivedParameterConfig():
                at = notes.at(Section.PARAMETERS, index, "expression")
                at.read(lambda p=parameter: SearchSpace((*plain, p)))  # type: ignore[misc]  # as above
            case ChoiceParameterConfig():
                at = notes.at(Section.PARAMETERS, index, "dependents")
                others = tuple(p for p in plain if p.name != parameter.name)
                at.read(lambda p=parameter, o=others: SearchSpace((p, *o)))  # type: ignore[misc]  # as above
            case _:
                pass
    if notes.problems:
        return None
    bare = notes.at(Section.PARAMETERS, None, "").read(lambda: SearchSpace(kept))
    if bare is None:
        return None
    for index, constraint in constraints:
        at = notes.at(Section.CONSTRAINTS, index, "expression")
        at.read(lambda c=constraint: SearchSpace(kept, (c,)))  # type: ignore[misc]  # as above
    if notes.problems:
        return None
    return SearchSpace(kept, tuple(constraint for _, constraint in constraints))
