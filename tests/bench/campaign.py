"""Race axdesk against Optuna and Ax: regret at the budget, and the time that a suggestion takes.

Each package plays each problem with the same seeds, in a process of its own with one thread. What
is done stands in the output's runs.jsonl, and a campaign that was cut goes on from there.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import peers
from suites import suite_environment
from tests.bench.emulators import EMULATORS, WHEELS, find_wheel
from tests.bench.play import WHEELS as WHEELS_VARIABLE
from tests.bench.players import PACKAGES
from tests.bench.plot import draw
from tests.bench.problems import FUNCTIONS
from tests.bench.report import Race, write_report

ROOT = Path(__file__).resolve().parents[2]
KINDS = {problem.name: problem.kind for problem in FUNCTIONS} | {
    name: source.kind for name, source in EMULATORS.items()
}
BUDGETS = {problem.name: problem.trials for problem in FUNCTIONS} | {
    name: source.trials for name, source in EMULATORS.items()
}
QUICK = ("branin", "gramacy")
QUICK_TRIALS = 8


class Job(NamedTuple):
    """The runs of a package on a problem that are missing."""

    package: str
    problem: str
    seeds: tuple[int, ...]
    trials: int


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def read_runs(file: Path) -> list[dict[str, Any]]:
    """Return the runs of a file; a line that was cut short is none."""
    runs = []
    for line in file.read_text("utf-8").splitlines() if file.exists() else []:
        try:
            runs.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return runs


class Runs:
    """The file of runs, to which any thread may add."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        if file.exists() and not file.read_bytes().endswith(b"\n"):
            with file.open("a", encoding="utf-8") as lines:
                lines.write("\n")  # a cut line stays alone

    def missing(self, jobs: Iterable[Job]) -> list[Job]:
        """Return jobs less what was done; those of which nothing is left are left out."""
        done = {
            (run["package"], run["problem"], run["seed"], run["trials"])
            for run in read_runs(self._file)
        }
        found = []
        for job in jobs:
            key = job.package, job.problem
            seeds = tuple(seed for seed in job.seeds if (*key, seed, job.trials) not in done)
            if seeds:
                found.append(job._replace(seeds=seeds))
        return found

    def minutes(self, jobs: Iterable[Job]) -> float | None:
        """Return what jobs take one after the other, by runs of the same package so far.

        None stands for a package that has not run yet. A package's other problems stand in for one
        that it has not played.
        """
        costs: dict[tuple[str, str], list[float]] = {}
        for run in read_runs(self._file):
            for problem in (run["problem"], ""):
                key = run["package"], problem
                costs.setdefault(key, []).append(run["wall_s"] / run["trials"])
        seconds = 0.0
        for job in jobs:
            known = costs.get((job.package, job.problem)) or costs.get((job.package, ""))
            if not known:
                return None
            seconds += statistics.mean(known) * job.trials * len(job.seeds)
        return seconds / 60

    def add(self, line: str) -> None:
        """Append a run."""
        with self._lock, self._file.open("a", encoding="utf-8") as lines:
            lines.write(line.rstrip("\n") + "\n")


def estimate(minutes: float | None, at_once: int) -> str:
    """Return the end of a line that tells how long it will take; nothing if that is not known."""
    return "" if minutes is None else f", about {minutes / at_once:.0f} min to go"


def play(job: Job, runs: Runs, environ: dict[str, str]) -> bool:
    """Let a package play its seeds in a process; say whether it ended well."""
    python = sys.executable if job.package == "axdesk" else str(peers.PEERS_PYTHON)
    seeds = ",".join(map(str, job.seeds))
    command = [python, "-m", "tests.bench.play", job.package, job.problem, seeds, str(job.trials)]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=said, text=True
        )
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                runs.add(line)
        if process.wait() == 0:
            return True
        said.seek(0)
        say(f"{job.package} failed on {job.problem}:\n{said.read()[-2000:]}")
        return False


def play_all(jobs: Sequence[Job], runs: Runs, wheels: Path, at_once: int) -> bool:
    """Play all jobs, some at once, and tell the progress; say whether all ended well."""
    begun = time.monotonic()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        ThreadPoolExecutor(at_once) as pool,
    ):
        environ = {
            **suite_environment(Path(home)),
            "PYTHONPATH": str(ROOT),
            WHEELS_VARIABLE: str(wheels),
        }
        futures = [pool.submit(play, job, runs, environ) for job in jobs]
        is_well = True
        try:
            for number, (job, future) in enumerate(zip(jobs, futures, strict=True), start=1):
                is_well &= future.result()
                minutes = (time.monotonic() - begun) / 60
                left = estimate(runs.minutes(jobs[number:]), at_once)
                say(f"{job.problem}, {job.package}: done after {minutes:.1f} min{left}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return is_well


def choose(given: str, known: Sequence[str], what: str) -> list[str]:
    """Return names separated by commas.

    Raises:
        SystemExit: If one is not known.
    """
    names = given.split(",")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"No such {what}: {', '.join(unknown)}. There are: {', '.join(known)}")
    return names


def read_arguments(arguments: Iterable[str]) -> argparse.Namespace:
    """Read the command line; `problems` and `packages` become lists."""
    parser = argparse.ArgumentParser(prog="dev.py bench suggestions", description=__doc__)
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench", metavar="FOLDER")
    parser.add_argument("--problems", metavar="A,B", help=f"of {', '.join(BUDGETS)}")
    parser.add_argument("--packages", metavar="A,B", help=f"of {', '.join(PACKAGES)}")
    parser.add_argument("--seeds", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--ax-seeds", type=int, default=8, help="of these for Ax (default: 8)")
    parser.add_argument("--trials", type=int, help="at most so many trials in each experiment")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument(
        "--quick", action="store_true", help="two short problems, two seeds, axdesk alone"
    )
    options = parser.parse_args(list(arguments))
    if options.quick:
        options.seeds, options.trials = 2, QUICK_TRIALS
        options.problems = options.problems or ",".join(QUICK)
        options.packages = options.packages or "axdesk"
    options.problems = choose(options.problems or ",".join(BUDGETS), list(BUDGETS), "problem")
    options.packages = choose(options.packages or ",".join(PACKAGES), PACKAGES, "package")
    return options


def prepare(options: argparse.Namespace) -> dict[str, str]:
    """Set up the peers and fetch the wheels that are needed; return problem → why it is left out.

    Raises:
        SystemExit: If the peers cannot be installed.
    """
    if set(options.packages) - {"axdesk"}:
        peers.install_peers()
    wanted = {EMULATORS[name].wheel for name in options.problems if name in EMULATORS}
    for wheel in WHEELS:
        name = wheel.partition("==")[0]
        if name in wanted and find_wheel(name, peers.WHEELS) is None:
            peers.download_wheel(wheel)
    return {
        name: f"the wheel of {EMULATORS[name].wheel} could not be downloaded"
        for name in options.problems
        if name in EMULATORS and find_wheel(EMULATORS[name].wheel, peers.WHEELS) is None
    }


def main(arguments: Iterable[str]) -> int:
    """Run what is missing of the campaign, and write the report; return the exit status."""
    options = read_arguments(arguments)
    left_out = prepare(options)
    problems = [name for name in options.problems if name not in left_out]
    trials = {n: min(BUDGETS[n], options.trials or BUDGETS[n]) for n in problems}
    jobs = [
        Job(package, name, tuple(range(1, seeds + 1)), trials[name])
        for name in problems
        for package in options.packages
        for seeds in [min(options.seeds, options.ax_seeds) if package == "ax" else options.seeds]
    ]
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / "runs.jsonl"
    runs = Runs(file)
    missing = runs.missing(jobs)
    counts = [sum(len(job.seeds) for job in found) for found in (missing, jobs)]
    left = estimate(runs.minutes(missing), options.jobs)
    say(f"{counts[0]} of {counts[1]} runs to do{left}")
    is_well = play_all(missing, runs, peers.WHEELS, options.jobs)
    race = Race(read_runs(file), trials, options.packages)
    text = write_report(race, KINDS, left_out)
    (options.output / "suggestions.md").write_text(text, "utf-8")
    (options.output / "suggestions.svg").write_text(draw(race), "utf-8")
    say(f"\n{text}\nWritten to {options.output}")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
