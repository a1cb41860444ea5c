"""What a race of suggestions came to: a table, ratios with their bounds, and times."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

from tests.bench.problems import FLOOR

OURS = "axdesk"
NAMES = {"axdesk": "axdesk", "optuna": "Optuna", "ax": "Ax"}
# The budgets at which times are compared.
TIMED = ("hartmann6", "branin", "branin_currin", "ellipsoid20", "reaction")
DRAWS = 10_000


class Ratio(NamedTuple):
    """A geometric mean of ratios, with the bounds between which 90 % of bootstrap draws lie."""

    mean: float
    low: float
    high: float


class Race:
    """The runs of some packages on some problems.

    Args:
        runs: As `play` returns them; others than those asked for are left alone.
        trials: Problem → the budget that counts.
        packages: In the order of the table.
    """

    def __init__(
        self, runs: Sequence[Mapping[str, Any]], trials: Mapping[str, int], packages: Sequence[str]
    ) -> None:
        self.packages = list(packages)
        self.trials = dict(trials)
        self._runs = {
            (run["package"], run["problem"], run["seed"]): run
            for run in runs
            if trials.get(run["problem"]) == run["trials"]
        }

    def seeds(self, package: str, problem: str) -> list[int]:
        """Return the seeds that a package has played."""
        return sorted(seed for p, n, seed in self._runs if (p, n) == (package, problem))

    def regrets(self, package: str, problem: str, seeds: Sequence[int]) -> NDArray[np.float64]:
        """Return regrets as shares of the problem's span, none below the floor."""
        found = [self._runs[package, problem, seed]["regret"] for seed in seeds]
        return np.array([max(regret, FLOOR) for regret in found])

    def seconds(self, package: str, problem: str) -> float:
        """Return the median of a package's medians per suggestion; NaN if it has not played."""
        seeds = self.seeds(package, problem)
        found = [self._runs[package, problem, seed]["suggest_s"] for seed in seeds]
        return float(np.median(found)) if found else float("nan")

    def differences(self, peer: str, problem: str) -> NDArray[np.float64]:
        """Return log10 of axdesk's regret over a peer's, for the seeds that both have played."""
        theirs = set(self.seeds(peer, problem))
        both = [seed for seed in self.seeds(OURS, problem) if seed in theirs]
        ours = self.regrets(OURS, problem, both)
        return np.asarray(np.log10(ours) - np.log10(self.regrets(peer, problem, both)))

    def chance(self, peer: str, problem: str) -> float:
        """Return p of Wilcoxon's signed-rank test that axdesk is worse; 1 if there is no pair."""
        differences = self.differences(peer, problem)
        if not differences.any():
            return 1.0
        return float(wilcoxon(differences, alternative="greater").pvalue)

    def ratio(self, peer: str) -> Ratio | None:
        """Return axdesk's regret over a peer's; the draws are of problems, and of pairs in each."""
        found = [self.differences(peer, problem) for problem in self.trials]
        pairs = [differences for differences in found if len(differences)]
        if not pairs:
            return None
        rng = np.random.default_rng(0)
        # The mean of a problem's resampled pairs, DRAWS times; then problems are resampled.
        means = np.array([rng.choice(d, (DRAWS, len(d))).mean(axis=1) for d in pairs])
        drawn = rng.integers(0, len(pairs), (len(pairs), DRAWS))
        low, high = np.quantile(means[drawn, np.arange(DRAWS)].mean(axis=0), [0.05, 0.95])
        mean = np.mean([differences.mean() for differences in pairs])
        return Ratio(*(float(10**value) for value in (mean, low, high)))

    @property
    def peers(self) -> list[str]:
        """The packages beside axdesk; none without axdesk."""
        return [package for package in self.packages if package != OURS and OURS in self.packages]


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def problem_row(race: Race, problem: str, kind: str) -> list[str]:
    """Return the cells of a problem: regret of each package, p against each peer, times."""
    cells = [problem, kind, str(race.trials[problem])]
    for package in race.packages:
        seeds = race.seeds(package, problem)
        regrets = race.regrets(package, problem, seeds)
        cells.append(
            f"{np.median(regrets):.1e} / {10 ** np.log10(regrets).mean():.1e} ({len(seeds)})"
            if seeds
            else "–"
        )
    cells += [f"{race.chance(peer, problem):.3f}" for peer in race.peers]
    times = [1000 * race.seconds(package, problem) for package in race.packages]
    return [*cells, " / ".join("–" if np.isnan(ms) else f"{ms:.0f}" for ms in times)]


def ratio_lines(race: Race) -> list[str]:
    """Return a sentence for the regret, and one for the time, against each peer."""
    lines = []
    for peer in race.peers:
        ratio = race.ratio(peer)
        if ratio is not None:
            lines.append(
                f"- Regret, axdesk over {NAMES[peer]}: {ratio.mean:.2f} "
                f"(90 % of bootstrap draws within {ratio.low:.2f} and {ratio.high:.2f})"
            )
        worse = [name for name in race.trials if race.chance(peer, name) < 0.01]
        lines.append(f"- Worse than {NAMES[peer]} at p < 0.01 on: {', '.join(worse) or 'none'}")
        times = {
            name: race.seconds(OURS, name) / race.seconds(peer, name)
            for name in TIMED
            if name in race.trials
        }
        known = {name: ratio for name, ratio in times.items() if not np.isnan(ratio)}
        if known:
            mean = 10 ** np.mean(np.log10(list(known.values())))
            told = ", ".join(f"{name} {ratio:.3f}" for name, ratio in known.items())
            lines.append(f"- Time, axdesk over {NAMES[peer]}: {mean:.3f} in the mean ({told})")
    return lines


def write_report(race: Race, kinds: Mapping[str, str], left_out: Mapping[str, str]) -> str:
    """Return the report as Markdown."""
    names = [NAMES[package] for package in race.packages]
    head = ["problem", "kind", "trials", *(f"regret of {name}" for name in names)]
    head += [f"p, worse than {NAMES[peer]}" for peer in race.peers]
    head.append(f"ms, {' / '.join(names)}")
    rows = [problem_row(race, problem, kinds[problem]) for problem in race.trials]
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    today = datetime.now().astimezone().date()
    parts = [
        f"{today}, {machine}; one thread for each process.",
        "Regret: median / geometric mean (seeds), a share of the problem's range, at least "
        f"{FLOOR:.0e}. ms: median of a suggestion in the second half of the trials.",
        _table(head, rows),
        "\n".join(ratio_lines(race)),
        "\n".join(f"Left out: {name}; {reason}." for name, reason in left_out.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
