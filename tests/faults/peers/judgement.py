"""Six faults of a laboratory's day, and when a closed loop has survived one.

The experiment has four trials, two at a time, in an SQLite file. In each row one thing goes wrong,
once the laboratory has begun to work:

- killed: the process dies, without warning, when trial 2 was submitted; then it is started again.
- locked: another program locks the database for a while, from when trial 1 was submitted.
- unconfirmed: `run_trial` of trial 1 raises whenever it is called, after submitting.
- unreachable: `poll_trial` of trial 1 raises twice in a row.
- unreadable: `fetch` of trial 1, which is completed, raises once.
- nan: `fetch` of trial 1 returns NaN, always.

A row is survived when all of this holds, by the laboratory's journal and by what anyone finds in
the database afterwards:

1. No trial was deployed twice.
2. None was lost: each deployed trial is known, with the point that was deployed.
3. `run_trials` returned, having brought the experiment to its four trials.
4. Each trial that has a result is COMPLETED with it.
5. NaN is no result: it is not stored, and a trial that has no other is not COMPLETED.

The same calls are made on both systems, with the same runner and metric. They use nothing but what
the tutorial of Ax uses, with one addition: the runner has a method `find_trial`, which tells
whether a trial was submitted, as most laboratories can. axdesk calls it and Ax does not, for Ax has
no such question to ask. Without that method, axdesk asks the operator in the first row, and in the
third one marks the trial as failed, "may have started"; it deploys none twice in any case. After
the kill each system goes on the way it offers: Ax is asked for the trials that its database lacks.
"""

import json
import math
import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.peers import laboratory
from tests.faults.peers.laboratory import TRIALS

ROOT = Path(__file__).resolve().parents[3]
LOCK_SECONDS = 10.0
FAULTS = {
    "killed": "kill -9 right after run_trial(2) submitted, then started again",
    "locked": "database locked by another program right after run_trial(1) submitted, for {} s",
    "unconfirmed": "run_trial(1) raises after submitting",
    "unreachable": "poll_trial(1) raises twice in a row",
    "unreadable": "fetch raises once on completed trial 1",
    "nan": "fetch of trial 1 returns NaN",
}
ROW_SECONDS = 300


class Row(NamedTuple):
    """What came of one fault.

    Attributes:
        fault: What went wrong, in words.
        happened: What the system did, in words.
        survived: Whether it met all criteria.
    """

    fault: str
    happened: str
    survived: bool


def play_rows(
    program: Sequence[str], folder: Path, *, lock_seconds: float = LOCK_SECONDS
) -> list[Row]:
    """Let a system meet all faults at the same time, each in processes and a folder of its own.

    Args:
        program: Starts the system; the fault and the folder are added.
        folder: Where the rows' folders are made.
        lock_seconds: How long the database is locked; by default twice as long as SQLite waits.

    Raises:
        RuntimeError: If a row could not be played.
        subprocess.TimeoutExpired: If a run did not end.
    """

    def play(fault: str) -> Row:
        deployed, outcome = _played(program, folder / fault, fault, lock_seconds)
        happened, survived = judge(fault, deployed, outcome)
        return Row(FAULTS[fault].format(f"{lock_seconds:g}"), happened, survived)

    with ThreadPoolExecutor(len(FAULTS)) as pool:
        return list(pool.map(play, FAULTS))


def _played(
    program: Sequence[str], folder: Path, fault: str, lock_seconds: float
) -> tuple[list[tuple[int, float]], dict[str, Any]]:
    """Return the deployments and the outcome of a row."""
    folder.mkdir(parents=True)
    outcome = folder / "outcome.json"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        laboratory.LOCK_SECONDS: str(lock_seconds),
    }
    said = ""
    for _ in range(2 if fault == "killed" else 1):
        said += subprocess.run(
            [*program, fault, str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=ROW_SECONDS,
        ).stderr
        if outcome.exists():
            said += outcome.read_text("utf-8")
            break
    if not outcome.exists() or not laboratory.entries(folder, fault):
        raise RuntimeError(f"The row {fault!r} could not be played:\n{said}")
    return laboratory.entries(folder, "deployed"), json.loads(outcome.read_text("utf-8"))


def judge(
    fault: str, deployed: Sequence[tuple[int, float]], outcome: dict[str, Any]
) -> tuple[str, bool]:
    """Hold what a system's database says against what the laboratory did.

    Args:
        fault: One of `FAULTS`.
        deployed: (trial index, value of x), each time that one was deployed.
        outcome: What the run raised, and the trials as found in the database.

    Returns:
        What happened, in words, and whether the system survived it.
    """
    trials = {trial["index"]: trial for trial in outcome["trials"]}
    counts = Counter(index for index, _ in deployed)
    wrong = [f"trial {index} deployed {n} times" for index, n in counts.items() if n > 1]
    for index, x in sorted(set(deployed)):
        if index not in trials or trials[index]["x"] != x:
            wrong.append(f"deployed trial {index} not known afterwards")
    if len(trials) != TRIALS:
        wrong.append(f"{len(trials)} of {TRIALS} trials known")
    if outcome["raised"]:
        wrong.append(f"run_trials raised {outcome['raised']}")
    results = {index: x**2 for index, x in deployed if (fault, index) != ("nan", 1)}
    by_status: dict[str, list[str]] = {}
    for index, trial in sorted(trials.items()):
        wrong += _wrong_result(trial, results.get(index))
        by_status.setdefault(trial["status"], []).append(str(index))
    ends = [f"{', '.join(indices)} {status}" for status, indices in by_status.items()]
    return "; ".join([*wrong, *ends]), not wrong


def _wrong_result(trial: dict[str, Any], result: float | None) -> list[str]:
    """Say what is wrong with a trial's result; None means that the laboratory has none."""
    value = trial["value"]
    is_completed = trial["status"] == "COMPLETED"
    if result is None:
        if value is not None:
            return [f"{value} stored as the result of trial {trial['index']}"]
        return [f"trial {trial['index']} COMPLETED without a result"] if is_completed else []
    # Ax stores ten decimals.
    if value is None or not math.isclose(value, result, abs_tol=1e-9):
        return [f"result of trial {trial['index']} not stored"]
    return [] if is_completed else [f"trial {trial['index']} not completed with its result"]
