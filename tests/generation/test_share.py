"""How much of a search space its constraints leave."""

from dataclasses import replace

import pytest
from hypothesis import given, settings

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from tests.generation.examples import assert_allowed, spaces


def plane(*constraints: str) -> SearchSpace:
    parameters = tuple(RangeParameterConfig(name, (0.0, 1.0)) for name in "ab")
    return SearchSpace(parameters, tuple(map(ParameterConstraint.parse, constraints)))


@pytest.mark.parametrize(
    ("constraints", "share"),
    [((), 1), (("a + b <= 1",), 1 / 2), (("a + b >= 0.5",), 7 / 8), (("a<=0.5", "b>=0.9"), 1 / 20)],
)
def test_the_share_is_the_area_that_is_left(constraints: tuple[str, ...], share: float) -> None:
    found = generation.feasible_share(plane(*constraints))

    assert found.share == pytest.approx(share, abs=0.005)
    assert found == generation.feasible_share(plane(*constraints))
    assert found.is_feasible
    assert not found.is_thin
    assert f"{100 * share:.0f} %" in found.sentence or not constraints


def test_log_ranges_count_orders_of_magnitude_and_steps_count_equally() -> None:
    flow = RangeParameterConfig("flow", (0.001, 10.0), scaling="log")
    cycles = RangeParameterConfig("cycles", (1, 10), "int")
    limit = ParameterConstraint.parse("flow <= 0.1")

    assert generation.feasible_share(SearchSpace((flow,), (limit,))).share == pytest.approx(
        0.5, abs=0.01
    )
    space = SearchSpace((cycles,), (ParameterConstraint.parse("cycles >= 8"),))
    assert generation.feasible_share(space).share == pytest.approx(0.3, abs=0.01)


def test_a_sum_of_decimals_that_must_be_equal_has_no_share_and_is_feasible() -> None:
    found = generation.feasible_share(plane("a + b = 0.7"))

    assert (found.share, found.is_feasible, found.is_thin) == (0, True, True)
    assert "by nature" in found.sentence
    places = [float(point["a"]) for point in found.allowed]
    assert max(places) - min(places) > 0.5, "they show where it lies"


def test_whole_numbers_that_must_be_equal_have_a_share() -> None:
    cycles = tuple(RangeParameterConfig(name, (1, 10), "int") for name in "ab")
    found = generation.feasible_share(
        SearchSpace(cycles, (ParameterConstraint.parse("a + b = 11"),))
    )

    assert not found.is_thin
    assert found.share == pytest.approx(0.1, abs=0.01)


def test_rare_points_are_told_from_none() -> None:
    rare = generation.feasible_share(plane("a <= 0.0001", "b >= 0.9999"))
    none = generation.feasible_share(plane("a + b >= 2.5"))

    assert (rare.share, rare.is_feasible) == (0, True)
    assert rare.allowed
    assert "less than 0.024 %" in rare.sentence
    assert (none.share, none.is_feasible, none.allowed) == (0, False, ())
    assert "No point" in none.sentence


def test_a_space_of_one_point_is_whole_or_empty() -> None:
    only = SearchSpace((ChoiceParameterConfig("a", [3], "int"),))
    assert generation.feasible_share(only).share == 1
    broken = replace(only, constraints=(ParameterConstraint.parse("a <= 2"),))
    assert generation.feasible_share(broken).share == 0


@settings(max_examples=40, deadline=None)
@given(space=spaces())
def test_the_points_are_what_they_are_called(space: SearchSpace) -> None:
    found = generation.feasible_share(space)

    assert found.is_feasible
    assert found.allowed
    for point in found.allowed[:40]:
        assert_allowed(space, point)
    for point in found.forbidden[:40]:
        assert space.broken_constraints(point)
