"""Emulators of real laboratories, built from data that published wheels carry.

The data are read out of the wheels, whose own code is neither installed nor run, and nothing of
them is kept here. An emulator is the mean of a Gaussian process with a squared exponential kernel,
fitted by its likelihood; it has no noise.
"""

import csv
import io
import json
import math
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Matrix = NDArray[np.float64]

WHEELS = ("olymp==0.0.1b0", "summit==0.8.4", "bofire==0.5.0")
MOST_ROWS = 300
STARTS = 40


class Source(NamedTuple):
    """Where the data of an emulator are.

    Attributes:
        kind: What it is, for the table.
        wheel: The distribution.
        member: The file within its wheel.
        parameters: Name → (low, high), or the list of what is chosen from; in the data's order.
        outcome: The column of the outcome.
        is_made_great: Whether more of the outcome is better.
    """

    kind: str
    wheel: str
    member: str
    parameters: Mapping[str, tuple[float, float] | list[str]]
    outcome: str
    is_made_great: bool
    trials: int


EMULATORS = {
    "suzuki": Source(
        "laboratory, 4-d", "olymp", "olympus/datasets/dataset_suzuki/data.csv",
        {"temperature": (75.0, 90.0), "pd_mol": (0.5, 5.0), "arbpin": (1.0, 1.8),
         "k3po4": (1.5, 3.0)}, "yield", True, 40,
    ),
    "hplc": Source(
        "laboratory, 6-d", "olymp", "olympus/datasets/dataset_hplc/data.csv",
        {"sample_loop": (0.0, 0.08), "additional_volume": (0.0, 0.06),
         "tubing_volume": (0.1, 0.9), "sample_flow": (0.5, 2.5), "push_speed": (80.0, 150.0),
         "wait_time": (0.5, 10.0)}, "peak_area", True, 50,
    ),
    "fullerenes": Source(
        "laboratory, 3-d", "olymp", "olympus/datasets/dataset_fullerenes/data.csv",
        {"reaction_time": (3.0, 31.0), "sultine": (1.5, 6.0), "temperature": (100.0, 150.0)},
        "product", True, 30,
    ),
    "reizman": Source(
        "laboratory, category", "summit", "summit/benchmarks/data/reizman_suzuki_case_1.csv",
        {"catalyst": ["P1-L1", "P1-L2", "P1-L3", "P1-L4", "P1-L5", "P1-L6", "P1-L7", "P2-L1"],
         "t_res": (60.0, 600.0), "temperature": (30.0, 110.0), "catalyst_loading": (0.5, 2.5)},
        "yld", True, 40,
    ),
    "aniline": Source(
        "laboratory, 2 categories", "bofire", "bofire/benchmarks/data/aniline_cn_crosscoupling.py",
        {"catalyst": ["tBuXPhos", "tBuBrettPhos", "AlPhos"], "base": ["DBU", "BTMG", "TMG", "TEA"],
         "base_equivalents": (1.0, 2.5), "temperature": (30.0, 100.0), "t_res": (60.0, 1800.0)},
        "yld", True, 40,
    ),
}  # fmt: skip


def find_wheel(wheel: str, folder: Path) -> Path | None:
    """Return the file of a wheel in a folder; None if there is none."""
    return next(iter(sorted(folder.glob(f"{wheel}-*.whl"))), None)


def read_rows(source: Source, folder: Path) -> list[dict[str, Any]]:
    """Return the data of a source, by column, as they stand in its wheel.

    Raises:
        FileNotFoundError: If the wheel is not in the folder.
    """
    file = find_wheel(source.wheel, folder)
    if file is None:
        raise FileNotFoundError(f"{folder} has no wheel of {source.wheel}.")
    with zipfile.ZipFile(file) as archive:
        text = archive.read(source.member).decode("utf-8-sig")
    names = [*source.parameters, source.outcome]
    if source.member.endswith(".py"):  # a JSON text, column by column, within quotes
        columns = json.loads(re.search(r"'(\{.*\})'", text, re.DOTALL)[1])  # type: ignore[index]
        return [{name: columns[name][key] for name in names} for key in columns[source.outcome]]
    if source.wheel == "olymp":  # no header
        return [dict(zip(names, row, strict=True)) for row in csv.reader(io.StringIO(text))]
    rows = list(csv.DictReader(io.StringIO(text)))
    return [{name: row[name] for name in names} for row in rows if row[source.outcome] != "DATA"]


class Emulator:
    """A Gaussian process's mean over the data of a source, made small.

    Attributes:
        optimum: Its least value, searched for from many starts for each combination of choices.
    """

    def __init__(self, source: Source, rows: Sequence[Mapping[str, Any]]) -> None:
        self._bounds = list(source.parameters.values())
        every = math.ceil(len(rows) / MOST_ROWS)
        kept = rows[::every]
        self._known = np.array([self._encoded(self._numbers(source, row)) for row in kept])
        outcomes = np.array([float(row[source.outcome]) for row in kept])
        outcomes = -outcomes if source.is_made_great else outcomes
        self._middle, self._spread = float(outcomes.mean()), float(outcomes.std())
        self._fit((outcomes - self._middle) / self._spread)
        self.optimum = self._search()

    @staticmethod
    def _numbers(source: Source, row: Mapping[str, Any]) -> Matrix:
        return np.array(
            [
                bounds.index(row[name]) if isinstance(bounds, list) else float(row[name])
                for name, bounds in source.parameters.items()
            ],
            dtype=float,
        )

    def _encoded(self, x: Matrix) -> Matrix:
        """Return ranges as shares, 0 to 1, and each choice as a column for each of its values."""
        columns: list[float] = []
        for value, bounds in zip(x, self._bounds, strict=True):
            if isinstance(bounds, list):
                columns += [float(position == round(value)) for position in range(len(bounds))]
            else:
                columns.append((value - bounds[0]) / (bounds[1] - bounds[0]))
        return np.array(columns)

    def _fit(self, outcomes: Matrix) -> None:
        squares = (self._known[:, None, :] - self._known[None, :, :]) ** 2

        def covariance(logs: Matrix) -> Matrix:
            kernel = np.exp(-0.5 * squares @ np.exp(-2 * logs[:-1]))
            return np.asarray(kernel + np.exp(2 * logs[-1]) * np.eye(len(outcomes)))

        def loss(logs: Matrix) -> float:
            factor = cho_factor(covariance(logs), lower=True)
            misfit = outcomes @ cho_solve(factor, outcomes)
            return float(0.5 * misfit + np.log(np.diag(factor[0])).sum())

        dimensions = self._known.shape[1]
        bounds = [(math.log(0.15), math.log(5.0))] * dimensions + [(math.log(0.05), 0.0)]
        start = np.log([0.5] * dimensions + [0.2])
        found = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 40})
        self._weights = np.exp(-2 * found.x[:-1])
        factor = cho_factor(covariance(found.x), lower=True)
        self._alpha = cho_solve(factor, outcomes)

    def value(self, x: Matrix) -> float:
        """Return what the laboratory is believed to find at a vector of numbers."""
        distances = (self._known - self._encoded(x)) ** 2 @ self._weights
        return float(self._middle + self._spread * (np.exp(-0.5 * distances) @ self._alpha))

    def _search(self) -> float:
        rng = np.random.default_rng(0)
        highs = [len(b) - 1 if isinstance(b, list) else b[1] for b in self._bounds]
        lows = [0.0 if isinstance(b, list) else b[0] for b in self._bounds]
        drawn = lows + rng.random((4096, len(lows))) * (np.array(highs) - lows)
        for column, bounds in enumerate(self._bounds):
            if isinstance(bounds, list):
                drawn[:, column] = rng.integers(0, len(bounds), len(drawn))
        drawn = np.array(sorted(drawn, key=self.value))
        return min(self._descended(start) for start in drawn[:STARTS])

    def _descended(self, start: Matrix) -> float:
        """Return the least value near a start, its choices held."""
        free = [i for i, bounds in enumerate(self._bounds) if not isinstance(bounds, list)]
        ranges = np.array([self._bounds[i] for i in free], dtype=float)
        widths = ranges[:, 1] - ranges[:, 0]

        def of_shares(shares: Matrix) -> float:
            x = start.copy()
            x[free] = ranges[:, 0] + shares * widths
            return self.value(x)

        shares = (start[free] - ranges[:, 0]) / widths
        found = minimize(of_shares, shares, method="L-BFGS-B", bounds=[(0, 1)] * len(free))
        return float(found.fun)


def emulate(source: Source, folder: Path) -> Emulator:
    """Build an emulator from the wheel in a folder.

    Raises:
        FileNotFoundError: If the wheel is not there.
    """
    return Emulator(source, read_rows(source, folder))
