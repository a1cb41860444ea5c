"""Points with several values, larger is better in each: who dominates whom, and how much.

Standard library only: some hundred points of up to four values are a matter of milliseconds.
"""

import math
from collections.abc import Iterable, Sequence

Point = tuple[float, ...]

_PLANE = 2
MOST_VALUES = 4
"""Of a point whose hypervolume is computed; beyond, exact volumes take too long."""


def dominates(one: Point, other: Point) -> bool:
    """Whether one point is nowhere worse and somewhere better."""
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def non_dominated(points: Sequence[Point]) -> list[int]:
    """Return the indices, in order, of the points that no other one dominates.

    Of equal points all stay.
    """
    # After sorting, a point can only be dominated by an earlier one.
    order = sorted(range(len(points)), key=lambda i: points[i], reverse=True)
    if points and len(points[0]) == _PLANE:
        return sorted(_front_in_plane(points, order))
    front: list[int] = []
    for index in order:
        if not any(dominates(points[kept], points[index]) for kept in front):
            front.append(index)
    return sorted(front)


def _front_in_plane(points: Sequence[Point], order: Iterable[int]) -> list[int]:
    """Return what no point dominates: of falling first values those with the best second so far."""
    front: list[int] = []
    best: Point | None = None
    for index in order:
        point = points[index]
        if best is None or point[1] > best[1] or point == best:
            front.append(index)
            best = point
    return front


def reference_point(points: Sequence[Point], margin: float = 0.1) -> Point:
    """Return a point a little below the worst values of a front.

    Args:
        points: At least one; where they have no range, the value's own size is taken.
        margin: How far below, as a share of the range of all points: that of the front itself would
            let a search that follows the hypervolume stay where a short front happens to be.
    """
    front = [points[i] for i in non_dominated(points)]
    found = []
    for of_front, of_all in zip(zip(*front, strict=True), zip(*points, strict=True), strict=True):
        low = min(of_front)
        extent = max(of_all) - min(of_all) or abs(low) or 1.0
        found.append(low - margin * extent)
    return tuple(found)


def hypervolume(points: Iterable[Point], reference: Point) -> float:
    """Return the volume that the points dominate above the reference point; exact.

    Args:
        points: Each with as many values as the reference point; those that are not above it in
            every value add nothing.
        reference: The point from which volume is counted.
    """
    above = [p for p in points if all(a > r for a, r in zip(p, reference, strict=True))]
    return _volume([_box(p, reference) for p in _front(above)])


def added_volume(point: Point, front: Iterable[Point], reference: Point) -> float:
    """Return by how much a point enlarges the hypervolume of others; 0 if it does not."""
    if any(a <= r for a, r in zip(point, reference, strict=True)):
        return 0.0
    others = [p for p in front if all(a > r for a, r in zip(p, reference, strict=True))]
    return _exclusive(_box(point, reference), [_box(p, reference) for p in others])


def _box(point: Point, reference: Point) -> Point:
    return tuple(a - r for a, r in zip(point, reference, strict=True))


def _front(points: Iterable[Point]) -> list[Point]:
    unique = list(dict.fromkeys(points))
    return [unique[i] for i in non_dominated(unique)]


def _volume(front: list[Point]) -> float:
    """The union of the boxes between 0 and each point; no point dominates another."""
    if not front:
        return 0.0
    if len(front[0]) == 1:
        return max(p[0] for p in front)
    if len(front[0]) == 2:
        total, reached = [], 0.0
        for width, height in sorted(front, reverse=True):
            total.append(width * (height - reached))
            reached = height
        return math.fsum(total)
    # "WFG": each point adds its box without what the points after it cover of it.
    ordered = sorted(front, reverse=True)
    return math.fsum(_exclusive(p, ordered[i + 1 :]) for i, p in enumerate(ordered))


def _exclusive(point: Point, others: Sequence[Point]) -> float:
    covered = _front(tuple(map(min, point, other)) for other in others)
    return max(math.prod(point) - _volume(covered), 0.0)
