"""Dominance and hypervolume against what can be counted by hand."""

import itertools
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.pareto import (
    Point,
    added_volume,
    dominates,
    hypervolume,
    non_dominated,
    reference_point,
)

small_points = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.tuples(*[st.integers(0, 3).map(float)] * n), min_size=1, max_size=7)
)


def counted_volume(points: list[Point]) -> int:
    """The unit cubes of a grid that lie below a point."""
    cells = itertools.product(*[range(3)] * len(points[0]))
    return sum(
        any(all(c < v for c, v in zip(cell, point, strict=True)) for point in points)
        for cell in cells
    )


@given(small_points)
def test_the_volume_is_that_of_the_cubes_below(points: list[Point]) -> None:
    origin = (0.0,) * len(points[0])

    assert hypervolume(points, origin) == pytest.approx(counted_volume(points))


@given(small_points)
def test_what_a_point_adds_is_the_difference(points: list[Point]) -> None:
    origin = (0.0,) * len(points[0])
    *others, new = points

    added = added_volume(new, [others[i] for i in non_dominated(others)], origin)

    before = hypervolume(others, origin) if others else 0.0
    assert added == pytest.approx(hypervolume(points, origin) - before)


@given(small_points)
def test_the_front_is_what_nothing_dominates(points: list[Point]) -> None:
    expected = [
        i for i, point in enumerate(points) if not any(dominates(other, point) for other in points)
    ]

    assert non_dominated(points) == expected


@given(small_points)
def test_the_reference_point_lies_below_the_front(points: list[Point]) -> None:
    reference = reference_point(points)

    front = [points[i] for i in non_dominated(points)]
    assert all(v > r for point in front for v, r in zip(point, reference, strict=True))


def test_a_reference_point_is_a_tenth_of_the_range_below() -> None:
    assert reference_point([(0.0, 10.0), (10.0, 0.0), (-50.0, -50.0)]) == (-6.0, -6.0)
    assert reference_point([(5.0, 0.0)]) == (4.5, -0.1)


@pytest.mark.parametrize(("values", "count"), [(2, 500), (3, 300), (4, 150)])
def test_some_hundred_points_of_a_front_do_not_hold_a_window_up(values: int, count: int) -> None:
    steps = [math.sqrt(2), math.sqrt(3), math.sqrt(5), math.sqrt(7)]
    points = []
    for i in range(count):
        raw = [0.05 + (i * steps[k]) % 1 for k in range(values)]
        size = math.hypot(*raw)
        points.append(tuple(v / size for v in raw))
    assert len(non_dominated(points)) == count
    started = time.process_time()

    volume = hypervolume(points, (0.0,) * values)

    assert 0 < volume < 1
    assert time.process_time() - started < 60  # seconds; it takes a few at most
