"""Search spaces, requests and functions that the tests of this room share."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

from axdesk import generation
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
    TunableParameterConfig,
)
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import Candidate, ObservedPoint, Parameters, SuggestionRequest
from axdesk.core.trial import Observation

Truth = Callable[[Parameters], float]

HARTMANN6 = SearchSpace(tuple(RangeParameterConfig(f"x{i + 1}", (0.0, 1.0)) for i in range(6)))

_A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
_P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(parameters: Parameters) -> float:
    """Minimum -3.32237."""
    x = np.array([float(parameters[name]) for name in HARTMANN6.names])
    return -float(np.array([1, 1.2, 3, 3.2]) @ np.exp(-(_A * (x - _P) ** 2).sum(axis=1)))


def request(
    space: SearchSpace,
    observed: Iterable[tuple[Mapping[str, TParameterValue], float | tuple[float, float]]] = (),
    *,
    objective: str = "-y",
    limits: tuple[str, ...] = (),
    pending: Iterable[Parameters] = (),
    abandoned: Iterable[Parameters] = (),
    n: int = 1,
    seed: int = 0,
    budget: int = 2,
    method: Literal["fast", "random_search"] = "fast",
    trial_index: int | None = None,
) -> SuggestionRequest:
    """A request whose observed points come first, then pending ones, then abandoned ones."""
    points = [
        ObservedPoint(i, point, (Observation("y", *np.atleast_1d(value).tolist()),))
        for i, (point, value) in enumerate(observed)
    ]
    waiting = tuple(enumerate(pending, start=len(points)))
    gone = tuple(enumerate(abandoned, start=len(points) + len(waiting)))
    return SuggestionRequest(
        space,
        OptimizationConfig(Objective.parse(objective), tuple(map(OutcomeConstraint.parse, limits))),
        GenerationSettings(method, budget, seed=seed),
        trial_index=len(points) + len(waiting) + len(gone) if trial_index is None else trial_index,
        n=n,
        observed=tuple(points),
        pending=waiting,
        abandoned=gone,
    )


def loop(
    space: SearchSpace,
    truth: Truth,
    trials: int,
    *,
    seed: int = 0,
    budget: int = 5,
    method: Literal["fast", "random_search"] = "fast",
) -> list[tuple[Candidate, float]]:
    """Run trials one after the other and return each with its value."""
    done: list[tuple[Candidate, float]] = []
    for _ in range(trials):
        known = [(candidate.parameters, value) for candidate, value in done]
        (candidate,) = generation.suggest(
            request(space, known, seed=seed, budget=budget, method=method)
        )
        done.append((candidate, truth(candidate.parameters)))
    return done


def assert_allowed(space: SearchSpace, parameters: Parameters) -> None:
    """Names, order, types, bounds, levels and constraints, all exactly."""
    existing = {*space.existing(parameters), *(p.name for p in space.derived)}
    assert tuple(parameters) == tuple(name for name in space.names if name in existing)
    for constraint in space.constraints:
        assert_kept(constraint, parameters)
    for parameter in space.parameters:
        if parameter.name not in existing:
            continue
        value = parameters[parameter.name]
        kind = {"float": float, "int": int, "str": str, "bool": bool}[parameter.parameter_type]
        assert type(value) is kind
        if isinstance(parameter, DerivedParameterConfig):
            assert value == parameter.value(parameters)
            continue
        assert repr(parameter.checked(value)) == repr(value)
        if parameter.is_fixed:
            assert value == parameter.fixed_value
        elif isinstance(parameter, RangeParameterConfig):
            low, high = parameter.bounds
            assert low <= float(value) <= high
            if parameter.step_size is not None:
                exact = Decimal(repr(value)) - Decimal(repr(low))
                assert exact % Decimal(repr(parameter.step_size)) == 0
        else:
            assert value in parameter.values


def plain_sum(terms: Iterable[tuple[str, float]], parameters: Parameters) -> float:
    """The left side of a constraint, from left to right."""
    total = 0.0
    for name, coefficient in terms:
        total += coefficient * float(parameters[name])
    return total


def assert_kept(constraint: ParameterConstraint, parameters: Parameters) -> None:
    """Inequalities without tolerance, equalities to two ulp a term."""
    total = plain_sum(constraint.terms, parameters)
    told = f"{constraint}: {total!r} at {dict(parameters)}"
    match constraint.operator:
        case "<=":
            assert total <= constraint.bound, told
        case ">=":
            assert total >= constraint.bound, told
        case "=":
            sizes = [abs(c * float(parameters[name])) for name, c in constraint.terms]
            granted = 2 * len(sizes) * 2.0**-52 * max(abs(constraint.bound), *sizes)
            assert abs(total - constraint.bound) <= granted, told


@st.composite
def ranges(draw: st.DrawFn, name: str, *, modest: bool = False) -> RangeParameterConfig:
    """Any range: linear or log, float or integer, with or without a step."""
    kind = draw(st.sampled_from(["float", "int"]))
    is_log, is_stepped = draw(st.booleans()), draw(st.booleans())
    size = 1e3 if modest else 1e9
    low: float
    width: float
    step: float | None = None
    if kind == "int":
        low = draw(st.integers(1 if is_log else -int(size), int(size)))
        width = draw(st.integers(1, int(size)))
        if is_stepped:
            step = draw(st.integers(1, width))
    else:
        low = draw(st.floats(1e-9, size) if is_log else st.floats(-size, size))
        width = draw(st.floats(1e-3, size))
        if is_stepped:
            low, width = round(low, 3) if low > 1e-3 or not is_log else 1e-3, round(width, 3)
            step = draw(st.sampled_from([s for s in (0.001, 0.05, 0.3, 7.0, width) if s <= width]))
    return RangeParameterConfig(
        name,
        (low, round(low + width, 3) if is_stepped else low + width),
        "int" if kind == "int" else "float",
        step,
        "log" if is_log else None,
    )


@st.composite
def choices(draw: st.DrawFn, name: str) -> ChoiceParameterConfig:
    """Any choice, also of one value."""
    kind = draw(st.sampled_from(["float", "int", "str", "bool"]))
    ordered = draw(st.sampled_from([None, True, False]))
    if kind == "bool":
        return ChoiceParameterConfig(name, [True, False], "bool", ordered)
    values: list[TParameterValue]
    if kind == "str":
        texts = st.text("abcµ %", min_size=1, max_size=4)
        values = list(draw(st.lists(texts, min_size=1, max_size=5, unique=True)))
        return ChoiceParameterConfig(name, values, "str", ordered)
    numbers = draw(st.lists(st.integers(-50, 50), min_size=1, max_size=5, unique=True))
    if kind == "int":
        return ChoiceParameterConfig(name, list(numbers), "int", ordered)
    return ChoiceParameterConfig(name, [number / 4 for number in numbers], "float", ordered)


@st.composite
def spaces(draw: st.DrawFn, *, max_parameters: int = 4) -> SearchSpace:
    """A search space with constraints that leave at least one point.

    Some parameters are switched off, depend on a choice, or are derived.
    """
    count = draw(st.integers(1, max_parameters))
    tunable: list[TunableParameterConfig] = [
        draw(st.one_of(ranges(name, modest=True), choices(name)))
        for name in [f"p{i}" for i in range(count)]
    ]
    inside: dict[str, Any] = {p.name: _some_value(draw, p) for p in tunable}
    for i, parameter in enumerate(tunable):
        if i and draw(st.integers(0, 5)) == 0:
            tunable[i] = replace(parameter, start_value=inside[parameter.name], is_on=False)
    dependents: set[str] = set()
    for i, parameter in enumerate(tunable):
        if isinstance(parameter, ChoiceParameterConfig) and draw(st.booleans()):
            free = [p.name for p in tunable[i + 1 :] if p.name not in dependents]
            mapping = {
                value: draw(st.lists(st.sampled_from(free), unique=True)) if free else []
                for value in draw(st.lists(st.sampled_from(list(parameter.values)), max_size=2))
            }
            dependents.update(name for names in mapping.values() for name in names)
            tunable[i] = replace(parameter, dependent_parameters=mapping)
    numeric = [
        p
        for p in tunable
        if (isinstance(p, RangeParameterConfig) or p.is_numeric) and p.name not in dependents
    ]
    constraints, derived = [], list[ParameterConfig]()
    for number in range(draw(st.integers(0, 3)) if numeric else 0):
        chosen = draw(st.lists(st.sampled_from(numeric), min_size=1, max_size=3, unique=True))
        terms = tuple(
            (p.name, float(draw(st.sampled_from([-2.0, -1.0, -0.3, 0.7, 1.0, 3.0]))))
            for p in chosen
        )
        total = plain_sum(terms, inside)
        slack = draw(st.sampled_from([0.0, 0.5, 20.0]))
        match draw(st.sampled_from(["<=", ">=", "=", "derived"])):
            case "<=":
                constraints.append(ParameterConstraint(terms, "<=", total + slack))
            case ">=":
                constraints.append(ParameterConstraint(terms, ">=", total - slack))
            case "=":
                constraints.append(ParameterConstraint(terms, "=", total))
            case _:
                text = str(LinearExpression(terms, slack))
                kind = draw(st.sampled_from(["float", "int"]))
                derived.append(DerivedParameterConfig(f"d{number}", text, kind))  # type: ignore[arg-type]  # from the literals
    return SearchSpace((*derived, *tunable), tuple(constraints))


def _some_value(draw: st.DrawFn, parameter: TunableParameterConfig) -> TParameterValue:
    if isinstance(parameter, ChoiceParameterConfig):
        return draw(st.sampled_from(list(parameter.values)))
    if parameter.last_step is not None:
        return parameter.value_at(draw(st.integers(0, parameter.last_step)))
    return draw(st.floats(*parameter.bounds))
