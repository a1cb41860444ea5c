"""Every suggestion keeps every constraint as a laboratory computes it: in floats, untolerated."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import SearchSpaceExhaustedError
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import Parameters
from axdesk.core.trial import TrialSource
from axdesk.generation.acquisition import Acquisition
from axdesk.generation.encoding import Array
from axdesk.generation.problem import Problem
from axdesk.generation.search import Search
from tests.generation.examples import assert_allowed, request, spaces


class Slope:
    """A term that grows towards a corner, so that limits are climbed onto."""

    def __init__(self, direction: Array) -> None:
        self._direction = direction

    def __call__(self, X: Array, *, with_gradient: bool) -> tuple[Array, Array | None]:
        gradients = np.broadcast_to(self._direction, X.shape).copy()
        return np.asarray(X @ self._direction), gradients if with_gradient else None


def suggested(space: SearchSpace, seed: int, *, held: Parameters | None = None) -> list[Parameters]:
    """Points of every source: the centre, the sequence, what steps in, and a search."""
    asked = replace(request(space, seed=seed, budget=50), held=held or {})
    found = list[Parameters]()
    try:
        for index in range(6):
            one = replace(asked, trial_index=index, pending=tuple(enumerate(found)))
            found += [
                made.parameters for made in generation.space_filling(one, "why" * (index % 2))
            ]
        problem = Problem(replace(asked, pending=tuple(enumerate(found))))
        rng = np.random.default_rng(seed)
        for _ in range(3):
            features = problem.encoding.feature_count
            slope = Acquisition([Slope(rng.standard_normal(features))], np.full(features, 0.5))
            row, _ = Search(problem, slope, rng).best(problem.untried(rng, 2))
            problem.add(row)
            found.append(problem.encoding.parameterization(row))
    except SearchSpaceExhaustedError:
        assert found
    return found


@settings(max_examples=80, deadline=None)
@given(space=spaces(), seed=st.integers(0, 1000))
def test_random_spaces_are_kept_to_by_every_source(space: SearchSpace, seed: int) -> None:
    points = suggested(space, seed)

    for point in points:
        assert_allowed(space, point)


def ranges(*names: str, low: float = 0.0, high: float = 1.0) -> tuple[RangeParameterConfig, ...]:
    return tuple(RangeParameterConfig(name, (low, high)) for name in names)


DIVERSE = SearchSpace(
    (
        *ranges("x", "y", "z"),
        RangeParameterConfig("flow", (1e-4, 10.0), scaling="log"),
        RangeParameterConfig("dose", (0.1, 1.3), step_size=0.1),
        RangeParameterConfig("cycles", (1, 30), "int"),
    ),
    tuple(
        map(
            ParameterConstraint.parse,
            ("0.1*x + 0.3*y + 0.7*flow <= 0.9", "x + y + z = 1.1", "dose - 0.1*cycles >= -0.7"),
        )
    ),
)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_decimals_can_keep_holds_in_exact_arithmetic(seed: int) -> None:
    for point in suggested(DIVERSE, seed):
        assert_allowed(DIVERSE, point)
        exact = sum(
            Fraction(c) * Fraction(float(point[name])) for name, c in DIVERSE.constraints[0].terms
        )
        assert exact <= Fraction(0.9)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), x=st.floats(0.05, 0.9))
def test_points_with_values_held_keep_the_constraints_too(seed: int, x: float) -> None:
    for point in suggested(DIVERSE, seed, held={"x": x, "cycles": 9}):
        assert (point["x"], point["cycles"]) == (x, 9)
        assert_allowed(DIVERSE, point)


def test_the_model_keeps_them_on_the_limit() -> None:
    """The best value lies beyond each limit."""
    known = [
        (one.parameters, -float(one.parameters["flow"]) - float(one.parameters["cycles"]))
        for one in generation.space_filling(request(DIVERSE, budget=50, n=6))
    ]
    for candidate in generation.suggest(request(DIVERSE, known, n=2)):
        assert candidate.generation.source is TrialSource.MODEL
        assert_allowed(DIVERSE, candidate.parameters)


def test_two_inequalities_that_leave_a_plane_are_kept_as_written() -> None:
    both = (ParameterConstraint.parse("a + b <= 1"), ParameterConstraint.parse("a + b >= 1"))
    space = SearchSpace(ranges("a", "b"), both)
    generation.check_feasible(space)

    points = suggested(space, 3)

    assert {float(point["a"]) + float(point["b"]) for point in points} == {1.0}
    assert len(points) == 9


def test_steps_on_a_limit_count_as_their_sum_rounds() -> None:
    """0.1 + 0.2 is more than 0.3 to a laboratory's program, 0.3 + 0.0 is not."""
    steps = tuple(RangeParameterConfig(name, (0.0, 0.3), step_size=0.1) for name in "ab")
    texts = ("a + b <= 0.3", "a + b >= 0.3")
    space = SearchSpace(steps, tuple(map(ParameterConstraint.parse, texts)))
    generation.check_feasible(space)

    found = [
        tuple(one.parameters.values())
        for one in generation.space_filling(request(space, budget=9, n=2))
    ]

    assert sorted(found) == [(0.0, 0.3), (0.3, 0.0)]


def test_a_sum_that_must_be_equal_is_closed_among_parameters_of_very_different_size() -> None:
    space = SearchSpace(
        (
            RangeParameterConfig("mass", (1e7, 9e7)),
            RangeParameterConfig("flow", (1e-3, 9.0), scaling="log"),
            ChoiceParameterConfig("batch", [3.9, 4.1, 5.7], "float"),
        ),
        (
            ParameterConstraint.parse("3*mass + flow + 0.1*batch = 123456789.3"),
            ParameterConstraint.parse("mass - 7.7*flow >= 41152200"),
        ),
    )

    points = suggested(space, 1)

    assert len(points) == 9
    for point in points:
        assert_allowed(space, point)
