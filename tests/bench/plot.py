"""A picture of a race: regret and time of each package on each problem, on logarithmic scales."""

import math
from collections.abc import Callable

import numpy as np

from tests.bench.report import NAMES, Race

ROW, TOP, LEFT, PANEL, GAP = 22, 56, 130, 320, 40
# Colours that differ for every eye, and shapes that differ without them.
LOOKS = {"axdesk": ("#0072b2", "circle"), "optuna": ("#e69f00", "square"), "ax": ("#d55e00", "up")}


def mark(package: str, x: float, y: float) -> str:
    """Return the mark of a package at a place."""
    colour, shape = LOOKS[package]
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y}" r="5" fill="{colour}"/>'
    if shape == "square":
        return f'<rect x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9" fill="{colour}"/>'
    return f'<path d="M{x - 5.5:.1f} {y + 4.5} h11 l-5.5 -10 z" fill="{colour}"/>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Return words at a place."""
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{words}</text>'


def panel(race: Race, left: int, title: str, value: Callable[[str, str], float]) -> list[str]:
    """Return a panel whose marks stand at the values of (package, problem)."""
    found = {
        (package, problem): math.log10(number)
        for package in race.packages
        for problem in race.trials
        if (number := value(package, problem)) > 0
    }
    low = math.floor(min(found.values(), default=0) - 0.05)
    high = max(math.ceil(max(found.values(), default=1) + 0.05), low + 1)

    def place(exponent: float) -> float:
        return left + (exponent - low) / (high - low) * PANEL

    bottom = TOP + ROW * len(race.trials)
    parts = [text(left, TOP - 12, title)]
    for exponent in range(low, high + 1):
        x = place(exponent)
        line = f'<path d="M{x:.1f} {TOP} V{bottom}" stroke="#dddddd"/>'
        tick = f"{10.0**exponent:g}" if -3 < exponent < 4 else f"1e{exponent}"
        parts += [line, text(x, bottom + 16, tick, "middle")]
    for row, problem in enumerate(race.trials):
        for package in race.packages:
            if (package, problem) in found:
                y = TOP + ROW * row + ROW // 2
                parts.append(mark(package, place(found[package, problem]), y))
    return parts


def draw(race: Race) -> str:
    """Return the picture as SVG."""

    def regret(package: str, problem: str) -> float:
        regrets = race.regrets(package, problem, race.seeds(package, problem))
        return float(10 ** np.log10(regrets).mean()) if len(regrets) else 0.0

    def milliseconds(package: str, problem: str) -> float:
        return 1000 * race.seconds(package, problem)

    width, height = LEFT + 2 * PANEL + GAP + 30, TOP + ROW * len(race.trials) + 30
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#222222">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for number, package in enumerate(race.packages):
        x = LEFT + 90 * number
        parts += [mark(package, x + 5, 17), text(x + 16, 21, NAMES[package])]
    for row, problem in enumerate(race.trials):
        parts.append(text(LEFT - 14, TOP + ROW * row + ROW // 2 + 4, problem, "end"))
    parts += panel(race, LEFT, "regret, share of the range", regret)
    parts += panel(race, LEFT + PANEL + GAP, "ms per suggestion", milliseconds)
    return "\n".join([*parts, "</svg>"]) + "\n"
