"""One package on one problem: `python -m tests.bench.play PACKAGE PROBLEM SEEDS [TRIALS]`.

SEEDS are separated by commas. Each gives one line of JSON on the standard output, and nothing else
comes there. What is read of a trial depends on the seed and the number of the trial alone, so that
the packages meet the same noise.
"""

import json
import logging
import os
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.players import begin
from tests.bench.problems import Problem, find_problem

WHEELS = "AXDESK_BENCH_WHEELS"
# The trials that Optuna draws at random, before it has a model.
DRAWN = 10


def play(package: str, problem: Problem, seed: int, trials: int) -> dict[str, Any]:
    """Return what came of one experiment.

    Regret is a share of the problem's span. Suggestions are timed in the second half, once every
    package has a model: there they cost the most.
    """
    noise = np.random.default_rng(seed).normal(0.0, problem.noise, trials)
    started = time.perf_counter()
    player = begin(package, problem, seed)
    told, seconds = [], []
    for number in range(trials):
        asked = time.perf_counter()
        trial, point = player.ask()
        seconds.append(time.perf_counter() - asked)
        truth = problem.truth(point)
        told.append((point, truth))
        read = dict(truth) if truth else None
        if read and problem.noise:
            read["y"] += float(noise[number])
        player.tell(trial, point, read)
    if problem.noise:  # the best reading is no merit: what it is worth is
        best = player.best()
        told = [(best, problem.truth(best))]
    return {
        "package": package,
        "problem": problem.name,
        "seed": seed,
        "trials": trials,
        "regret": problem.regret(told),
        "suggest_s": statistics.median(seconds[min(max(trials // 2, DRAWN), trials - 1) :]),
        "wall_s": time.perf_counter() - started,
    }


def main(package: str, name: str, seeds: str, trials: str = "") -> None:
    """Play the seeds, and write a line for each as soon as it is done."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as lines:
        os.dup2(2, 1)  # what a package prints goes to the standard error
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        wheels = os.environ.get(WHEELS)
        problem = find_problem(name, Path(wheels) if wheels else None)
        for seed in map(int, seeds.split(",")):
            row = play(package, problem, seed, int(trials or problem.trials))
            lines.write(json.dumps(row) + "\n")
            lines.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
