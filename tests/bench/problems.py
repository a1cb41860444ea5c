"""What the packages are raced on: functions with known optima, and emulators of laboratories.

Nothing here knows a package: this is read in each package's own environment, with NumPy and SciPy.
Every metric is made small; a problem with one objective has the metric `y`, one with two has `y1`
and `y2`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.bench.emulators import EMULATORS, emulate

Vector = NDArray[np.float64]
Point = dict[str, Any]
Function = Callable[[Vector], float]

SAMPLE = 4096
FLOOR = 1e-6


@dataclass(frozen=True)
class Parameter:
    """A range of floats or integers, or a choice.

    Attributes:
        low: The least value; 0 for a choice.
        high: The greatest value; the last position for a choice.
        values: What is chosen from, in no order; empty for a range.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    is_integer: bool = False
    values: tuple[str, ...] = ()

    def decoded(self, share: float) -> Any:
        """Return the value at a share, 0 to 1, of the range."""
        if self.values:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        if self.is_integer:
            return int(min(self.low + math.floor(share * (self.high - self.low + 1)), self.high))
        return self.low + share * (self.high - self.low)

    def encoded(self, value: Any) -> float:
        """Return a value as a number; of a choice its position."""
        return float(self.values.index(value) if self.values else value)


@dataclass(frozen=True)
class Limit:
    """A sum of parameters, each times its factor, that may not pass a bound."""

    factors: Mapping[str, float]
    bound: float

    @property
    def text(self) -> str:
        """The limit as Ax and axdesk read it."""
        terms = " + ".join(f"{factor:g}*{name}" for name, factor in self.factors.items())
        return f"{terms} <= {self.bound:g}"

    def excess(self, point: Point) -> float:
        """Return by how much a point passes the bound; 0 or less if it does not."""
        return sum(f * float(point[name]) for name, f in self.factors.items()) - self.bound


@dataclass(frozen=True)
class Problem:
    """What is optimised, in how many trials.

    Attributes:
        kind: What is special about it, for the table.
        metrics: Functions of the vector of parameters, by name; the objectives are `y…`.
        optimum: The least value of `y` that is allowed; of two objectives the greatest hypervolume.
        limits: Linear limits of parameters.
        bounds: Metric → the greatest value that is allowed; of an objective of two its reference.
        noise: Standard deviation of what is read of `y`.
        tells_noise: Whether the packages are told it.
        fails: Whether a trial at a vector gives nothing.
    """

    name: str
    kind: str
    parameters: tuple[Parameter, ...]
    trials: int
    metrics: Mapping[str, Function]
    optimum: float
    limits: tuple[Limit, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.0
    tells_noise: bool = False
    fails: Callable[[Vector], bool] = lambda _: False

    @property
    def objectives(self) -> list[str]:
        """The metrics that are made small."""
        return [name for name in self.metrics if name.startswith("y")]

    def vector(self, point: Point) -> Vector:
        """Return a point as numbers."""
        return np.array([p.encoded(point[p.name]) for p in self.parameters])

    def truth(self, point: Point) -> dict[str, float] | None:
        """Return the value of each metric, without noise; None if the trial fails."""
        x = self.vector(point)
        if self.fails(x):
            return None
        return {name: float(metric(x)) for name, metric in self.metrics.items()}

    def is_allowed(self, point: Point, truth: Mapping[str, float]) -> bool:
        """Say whether a trial keeps the limits; an objective's reference is none."""
        return all(limit.excess(point) <= 1e-8 for limit in self.limits) and all(
            truth[metric] <= bound + 1e-8 * max(1.0, abs(bound))
            for metric, bound in self.bounds.items()
            if metric not in self.objectives
        )

    @cached_property
    def span(self) -> float:
        """The range of `y` over the sampled points that are allowed; of two the optimum."""
        if len(self.objectives) > 1:
            return self.optimum
        found = [truth["y"] for point, truth in self.sampled() if self.is_allowed(point, truth)]
        return max(found) - min(found)

    def sampled(self) -> list[tuple[Point, dict[str, float]]]:
        """Return points drawn evenly, always the same, that do not fail, with their truth."""
        drawn = np.random.default_rng(0).random((SAMPLE, len(self.parameters)))
        points = [
            {p.name: p.decoded(share) for p, share in zip(self.parameters, row, strict=True)}
            for row in drawn
        ]
        return [(point, truth) for point in points if (truth := self.truth(point)) is not None]

    def regret(self, told: Sequence[tuple[Point, Mapping[str, float] | None]]) -> float:
        """Return what the best of the trials lacks, as a share of the span; 1 where none is good.

        Args:
            told: The point of each trial, with its truth; None for a failed one.
        """
        good = [truth for point, truth in told if truth and self.is_allowed(point, truth)]
        if len(self.objectives) > 1:
            reached = hypervolume([(t["y1"], t["y2"]) for t in good], self.reference)
            return max(1 - reached / self.optimum, 0.0)
        if not good:
            return 1.0
        return max(min(t["y"] for t in good) - self.optimum, 0.0) / self.span

    @property
    def reference(self) -> tuple[float, float]:
        """The values of two objectives beyond which nothing counts."""
        return self.bounds["y1"], self.bounds["y2"]


def hypervolume(values: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """Return the area that pairs, both made small, dominate below a reference."""
    area, ceiling = 0.0, reference[1]
    for first, second in sorted(values):
        if first < reference[0] and second < ceiling:
            area += (reference[0] - first) * (ceiling - second)
            ceiling = second
    return area


def box(dimensions: int, low: float = 0.0, high: float = 1.0) -> tuple[Parameter, ...]:
    """Return floats `x1` … `xd` of one range."""
    return tuple(Parameter(f"x{i + 1}", low, high) for i in range(dimensions))


# ---- functions -----------------------------------------------------------------------------------


def ackley(x: Vector) -> float:
    """Ackley's function, whose least value, 0, is at x = 1.3, 1.3 + 0.9, … off the centre."""
    z = x - 1.3 - 0.9 * np.arange(len(x))
    waves = np.exp(np.mean(np.cos(2 * math.pi * z)))
    return float(20 + math.e - 20 * np.exp(-0.2 * np.sqrt(np.mean(z**2))) - waves)


def levy(x: Vector) -> float:
    """Levy's function, least at x = 1."""
    w = 1 + (x - 1) / 4
    middle = (w[:-1] - 1) ** 2 * (1 + 10 * np.sin(math.pi * w[:-1] + 1) ** 2)
    last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * math.pi * w[-1]) ** 2)
    return float(np.sin(math.pi * w[0]) ** 2 + middle.sum() + last)


def rosenbrock(x: Vector) -> float:
    """Rosenbrock's valley, least at x = 1."""
    return float(np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2))


def beale(x: Vector) -> float:
    """Beale's function, least at (3, 0.5)."""
    a, b = x
    factors = zip((1.5, 2.25, 2.625), (b, b**2, b**3), strict=True)
    return float(sum((c - a + a * power) ** 2 for c, power in factors))


def bukin(x: Vector) -> float:
    """Bukin's sixth function, a ridge with a kink, least at (-10, 1)."""
    a, b = x
    return float(100 * np.sqrt(abs(b - 0.01 * a**2)) + 0.01 * abs(a + 10))


def ellipsoid(x: Vector) -> float:
    """A bowl in 20 dimensions of unequal weight whose axes are coupled, least at x = 0.3."""
    z = x - 0.3
    return float(np.sum(z**2 / np.arange(1, len(z) + 1)) + 0.1 * np.mean(z) ** 2
                 + 0.05 * np.sum(1 - np.cos(2 * math.pi * z[:4])))  # fmt: skip


def branin(x: Vector) -> float:
    """Branin's function over [-5, 10] × [0, 15]."""
    a, b = x
    bent = (b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2
    return float(bent + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10)


def branin_of_unit(x: Vector) -> float:
    """Branin's function over the unit square."""
    return branin(np.array([15 * x[0] - 5, 15 * x[1]]))


def currin(x: Vector) -> float:
    """Currin's function over the unit square."""
    a, b = x
    rise = 1 - math.exp(-0.5 / b) if b > 1e-12 else 1.0
    return float(
        rise * (2300 * a**3 + 1900 * a**2 + 2092 * a + 60) / (100 * a**3 + 500 * a**2 + 4 * a + 20)
    )


ALPHA = np.array([1.0, 1.2, 3.0, 3.2])
A = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
P = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def hartmann6(x: Vector) -> float:
    """Hartmann's function in six dimensions."""
    return -float((ALPHA * np.exp(-(A * (x - P) ** 2).sum(1))).sum())


def mixture(x: Vector) -> float:
    """How far a mixture of five is from what is wanted; the fifth is the rest."""
    wanted = np.array([0.55, 0.35, 0.25, 0.2])
    pull = np.sum(np.array([4.0, 6.0, 3.0, 5.0]) * (x - wanted) ** 2)
    return float(pull + 0.3 * np.sin(3 * math.pi * x[0]) * x[1])


def gramacy(x: Vector) -> float:
    """The sum of both, under `wavy` and `round_limit`: least where both limits meet the slope."""
    return float(x.sum())


def wavy(x: Vector) -> float:
    """A limit with several separate regions below it."""
    return float(1.5 - x[0] - 2 * x[1] - 0.5 * math.sin(2 * math.pi * (x[0] ** 2 - 2 * x[1])))


def round_limit(x: Vector) -> float:
    """A circle."""
    return float(x[0] ** 2 + x[1] ** 2 - 1.5)


def vessel_cost(x: Vector) -> float:
    """Cost of a pressure vessel: shell and head thickness, radius, length."""
    s, h, r, n = x
    return float(0.6224 * s * r * n + 1.7781 * h * r**2 + 3.1661 * s**2 * n + 19.84 * s**2 * r)


def vessel_volume(x: Vector) -> float:
    """What the vessel lacks of its volume, in thousands."""
    _, _, r, n = x
    return float((1296000 - math.pi * r**2 * n - 4 / 3 * math.pi * r**3) / 1000)


SOLVENT_BEST = {
    0: (0.2, 0.7, 0.4, 6, 0.0),
    1: (0.8, 0.3, 0.5, 3, 0.12),
    2: (0.5, 0.5, 0.9, 4, 0.3),
    3: (0.3, 0.2, 0.1, 7, 0.2),
    4: (0.6, 0.9, 0.7, 2, 0.45),
}


def reaction(x: Vector) -> float:
    """Loss of a reaction: temperature, time, dose, stages, and five solvents with a best each."""
    *best, stages, offset = SOLVENT_BEST[int(x[4])]
    near = math.exp(-4 * float(np.sum((x[:3] - np.array(best)) ** 2)))
    return float(1 - near + offset + 0.02 * (x[3] - stages) ** 2 * (1 + x[2]))


def crystals(x: Vector) -> float:
    """Loss that wants more of all three than the vessel holds without precipitation."""
    z = x - 0.75
    return float(np.sum(np.array([3.0, 2.0, 1.0]) * z**2) + 0.1 * np.sum(1 - np.cos(6 * z)))


def precipitates(x: Vector) -> bool:
    """Say whether a trial of `crystals` gives nothing."""
    return bool(x[0] * x[1] + x[2] / 4 > 0.6)


VESSEL = (
    Parameter("shell", 0.1, 6.0),
    Parameter("head", 0.1, 6.0),
    Parameter("radius", 10.0, 200.0),
    Parameter("length", 10.0, 240.0),
)
REACTION = (
    *(Parameter(name) for name in ("temperature", "time", "dose")),
    Parameter("stages", 1, 8, is_integer=True),
    Parameter("solvent", values=("water", "methanol", "toluene", "acetone", "hexane"), high=4),
)
FRACTIONS = Limit({f"x{i}": 1.0 for i in range(1, 5)}, 1.0)
SHELL = Limit({"radius": 0.0193, "shell": -1.0}, 0.0)
HEAD = Limit({"radius": 0.00954, "head": -1.0}, 0.0)
HARTMANN6 = -3.322368011
BEALE = (Parameter("x1", 0.0, 4.0), Parameter("x2", -1.0, 1.0))
BUKIN = (Parameter("x1", -15.0, -5.0), Parameter("x2", -3.0, 3.0))
BRANIN = (Parameter("x1", -5.0, 10.0), Parameter("x2", 0.0, 15.0))
# The optima of mixture, vessel and crystals were searched for from 200 starts; others are known.
FUNCTIONS = [
    Problem("branin", "2-d", BRANIN, 30, {"y": branin}, 0.39788736),
    Problem("beale", "2-d", BEALE, 30, {"y": beale}, 0.0),
    Problem("bukin", "2-d, kink", BUKIN, 30, {"y": bukin}, 0.0),
    Problem("rosenbrock3", "3-d valley", box(3, -2.0, 2.0), 40, {"y": rosenbrock}, 0.0),
    Problem("levy4", "4-d", box(4, -10.0, 8.0), 40, {"y": levy}, 0.0),
    Problem("ackley5", "5-d", box(5, -5.0, 10.0), 50, {"y": ackley}, 0.0),
    Problem("hartmann6", "6-d", box(6), 50, {"y": hartmann6}, HARTMANN6),
    Problem("ellipsoid20", "20-d", box(20, -1.0, 1.0), 60, {"y": ellipsoid}, 0.0),
    Problem("mixture", "sum limited", box(4), 40, {"y": mixture}, 0.0447555, limits=(FRACTIONS,)),
    Problem("gramacy", "2 outcome limits", box(2), 30,
            {"y": gramacy, "c1": wavy, "c2": round_limit}, 0.59978805,
            bounds={"c1": 0.0, "c2": 0.0}),
    Problem("vessel", "outcome and sum limits", VESSEL, 40,
            {"y": vessel_cost, "c1": vessel_volume}, 5804.38, limits=(SHELL, HEAD),
            bounds={"c1": 0.0}),
    Problem("reaction", "integer, category", REACTION, 50, {"y": reaction}, 0.0),
    Problem("hartmann6_noisy", "6-d, noise unknown", box(6), 50, {"y": hartmann6}, HARTMANN6,
            noise=0.1),
    Problem("levy4_noisy", "4-d, noise known", box(4, -10.0, 8.0), 40, {"y": levy}, 0.0,
            noise=2.0, tells_noise=True),
    Problem("branin_currin", "two objectives", box(2), 40,
            {"y1": branin_of_unit, "y2": currin}, 59.36011874867746,
            bounds={"y1": 18.0, "y2": 6.0}),
    Problem("crystals", "hidden failures", box(3), 40, {"y": crystals}, 0.08719977,
            fails=precipitates),
]  # fmt: skip


def find_problem(name: str, wheels: Path | None) -> Problem:
    """Return a problem; an emulator is built from the data of its wheel, in a second or two.

    Raises:
        StopIteration: If there is none of that name.
    """
    if name not in EMULATORS:
        return next(problem for problem in FUNCTIONS if problem.name == name)
    source = EMULATORS[name]
    parameters = tuple(
        Parameter(n, *bounds) if isinstance(bounds, tuple) else
        Parameter(n, high=len(bounds) - 1, values=tuple(bounds))
        for n, bounds in source.parameters.items()
    )  # fmt: skip
    assert wheels is not None
    emulator = emulate(source, wheels)
    return Problem(
        name, source.kind, parameters, source.trials, {"y": emulator.value}, emulator.optimum
    )
