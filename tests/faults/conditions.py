"""Families 15 and 19 to 22: clocks, scarce resources, hard numbers, an optimiser that hangs."""

import random
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

import psutil

from axdesk.core.errors import AxdeskError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import ObservedPoint, SuggestionRequest
from axdesk.core.trial import Observation
from axdesk.generation import suggest
from tests.faults.cases import Bench, Case, NotPossibleError, Verdict
from tests.faults.laboratory import DONE, Laboratory, judge_end
from tests.faults.machine import needs
from tests.faults.plans import NAME, PARALLELISM, TRIALS

FAILURE_RATE = 4
MODEL_TRIALS = 12
MANY_TRIALS = 10_000
MANY_PARAMETERS = 1000
HUGE_NOTE = 1_000_000
FILES = 64
KILOBYTES_OF_MEMORY = 1_500_000
SECONDS_TO_END = 60.0


def cases() -> Iterator[Case]:
    """Give every condition."""
    yield Case(15, "the clock is set back and forth", clock_is_set, is_sample=True)
    yield Case(15, "asleep for 3 s", asleep)
    yield Case(15, "resumed after the computer was started anew", started_anew)
    for fault, limit in (
        (f"{FILES} files may be open", f"ulimit -n {FILES}"),
        ("no memory for the model", f"ulimit -v {KILOBYTES_OF_MEMORY}"),
    ):
        yield Case(19, fault, partial(limited, limit), is_sample="files" in fault)
    yield Case(19, f"{MANY_TRIALS} trials", many_trials)
    yield Case(19, f"{MANY_PARAMETERS} parameters", many_parameters)
    yield Case(19, "a description of 1 MB", huge_note)
    for fault, scale in (
        ("all results equal", 0.0),
        ("results of 1e12", 1e12),
        ("results of 1e-12", 1e-12),
        ("results of 1e300", 1e300),
    ):
        yield Case(20, fault, partial(scaled, scale), is_sample=scale == 1e300)
    yield Case(20, "all trials fail", all_fail)
    yield Case(20, "one point 50 times, one result, none that differ", repeated, is_sample=True)
    yield Case(21, "the optimiser's process stops", optimiser_stops, is_sample=True)
    yield Case(22, "lock of a dead compiler, two metrics", stale_lock)


def released(bench: Bench, **how: object) -> tuple[Laboratory, Path]:
    """Return a laboratory whose trials end when the file is made."""
    release = bench.folder / "release"
    lab = Laboratory(bench.folder, runner_options={"release": str(release), **how})
    return lab, release


def clock_is_set(bench: Bench) -> Verdict:
    """Set the wall clock while trials run, forth and back, over a year's end, and stop it."""
    needs("faketime")
    libraries = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        raise NotPossibleError("needs libfaketime")
    stamp = bench.folder / "clock"
    stamp.write_text("+0\n", "utf-8")
    lab, release = released(bench)
    environ = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(stamp),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    settings = ("+1h", "-1h", "@2038-01-19 03:14:05", "2026-12-31 23:59:59", "-3h")
    with lab.start(environ=environ) as program:
        program.wait_for("TrialChanged", 2 * PARALLELISM)
        for setting in settings:
            stamp.write_text(f"{setting}\n", "utf-8")
            program.wait_for("TrialHealthChanged", seconds=0.3)
        release.touch()
        ended = lab.heard(program.wait())
    verdict = lab.judge(ended)
    verdict.injected = len(settings)
    return verdict


def asleep(bench: Bench) -> Verdict:
    """Stop the program for a while, as when a lid is closed."""
    lab, release = released(bench)
    with lab.start() as program:
        program.wait_for("TrialChanged", 2 * PARALLELISM)
        program.send(signal.SIGSTOP)
        release.touch()
        program.wait_for("RunFinished", seconds=3.0)
        program.send(signal.SIGCONT)
        ended = lab.heard(program.wait())
    return lab.judge(ended)


def started_anew(bench: Bench) -> Verdict:
    """Kill a run on a computer that was up for days, resume on one that was just started."""
    needs("unshare")
    lab = Laboratory(bench.folder)
    days = ["--monotonic", "900000", "--boottime", "900000"]
    spaces = ["unshare", "--map-root-user", "--user", "--time", *days, "--fork", "--kill-child"]
    with lab.start(under=spaces, environ={"AXDESK_FAILPOINT": "trial_running:3"}) as program:
        killed = lab.heard(program.wait())
    if not lab.deployed():
        raise NotPossibleError(f"this user may not shift clocks: {killed.last_words}")
    verdict = lab.judge(lab.go_on(bench.launcher))
    spans = lab.query(
        "SELECT elapsed_seconds FROM trials UNION ALL SELECT elapsed_seconds FROM runs"
    )
    if not all(0 <= seconds < SECONDS_TO_END for (seconds,) in spans):
        verdict.broken.append(f"trials took {sorted(seconds for (seconds,) in spans)} s")
    return verdict


def limited(limit: str, bench: Bench) -> Verdict:
    """Run with fewer resources than usual, with the model."""
    needs("bash")
    lab = Laboratory(bench.folder, method="fast")
    with lab.start(under=["bash", "-c", f'{limit}; exec "$0" "$@"']) as program:
        ended = lab.heard(program.wait())
    return lab.judge(ended)


def many_trials(bench: Bench) -> Verdict:
    """Resume a run of an experiment that has many trials already."""
    lab = Laboratory(bench.folder)
    lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "trial_recorded:4"})
    with closing(sqlite3.connect(lab.database)) as connection:
        for table in ("trials", "trial_parameters", "observations"):
            _copy_trial(connection, table)
        connection.commit()
    deployed_before = len(lab.deployed())
    ended = lab.go_on(bench.launcher)
    verdict = Verdict()
    judge_end(verdict, ended, (DONE,))
    told = bench.launcher.run(["status", NAME, "--database", str(lab.database)], bench.folder)
    judge_end(verdict, told, (DONE,))
    stored = lab.stored()
    # Those that are copied were never deployed: what was, and is new, is counted.
    new = [trial for index, trial in stored.items() if not TRIALS <= index < MANY_TRIALS]
    completed = sum(trial.status == "completed" for trial in new)
    if completed != TRIALS or len(stored) < MANY_TRIALS:
        verdict.broken.append(f"{completed} of {TRIALS} trials are completed")
    indices = [entry["trial"] for entry in lab.deployed()]
    if len(set(indices)) != len(indices):
        verdict.doubled.append("a trial was deployed twice")
    if len(indices) <= deployed_before:
        verdict.broken.append("nothing was deployed")
    return verdict


def _copy_trial(connection: sqlite3.Connection, table: str) -> None:
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    values = ["NULL" if name == "run_index" else name for name in columns]
    values[columns.index("trial_index")] = "new.new_index"
    new = (
        f"WITH RECURSIVE new(new_index) AS (SELECT {TRIALS} UNION ALL "
        f"SELECT new_index + 1 FROM new WHERE new_index + 1 < {MANY_TRIALS})"
    )
    connection.execute(
        f"{new} INSERT INTO {table} ({', '.join(columns)}) "
        f"SELECT {', '.join(values)} FROM {table}, new WHERE trial_index = 0"
    )


def many_parameters(bench: Bench) -> Verdict:
    """Run an experiment with many parameters."""
    names = ["x", "y", *(f"p{number}" for number in range(MANY_PARAMETERS - 2))]
    table = '[[parameters]]\nname = "{}"\ntype = "float"\nlow = 0.0\nhigh = 1.0\n'
    lab = Laboratory(bench.folder, parameters="\n".join(map(table.format, names)))
    return lab.judge(lab.run(bench.launcher))


def huge_note(bench: Bench) -> Verdict:
    """Run an experiment whose description is long."""
    lab = Laboratory(bench.folder, description="λ \U0001f9ea\n" * (HUGE_NOTE // 8))
    return lab.judge(lab.run(bench.launcher))


def scaled(scale: float, bench: Bench) -> Verdict:
    """Run with the model on values of another size."""
    lab = Laboratory(
        bench.folder,
        method="fast",
        runner_options={"scale": scale},
        run={"max_trials": MODEL_TRIALS},
    )
    with lab.start() as program:
        ended = lab.heard(program.wait())
    verdict = lab.judge(ended)
    fallbacks = len(ended.kinds("FallbackUsed"))
    verdict.note = f"{fallbacks} suggestions without the model" if fallbacks else ""
    return verdict


def all_fail(bench: Bench) -> Verdict:
    """Let every trial fail: the run ends, and says why."""
    lab = Laboratory(
        bench.folder,
        method="fast",
        runner_options={"fails": True},
        run={"tolerated_trial_failure_rate": 0.99, "min_failed_trials": TRIALS},
    )
    with lab.start() as program:
        ended = lab.heard(program.wait())
    return lab.judge(ended, codes=(FAILURE_RATE,), completed=0)


def repeated(bench: Bench) -> Verdict:
    """Ask the model about data that say little: the answer is a point of the search space."""
    space = SearchSpace((RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0, 9))))
    chance = random.Random(1)
    data = {
        "one point 50 times": [(0.5, 5, chance.gauss(1.0, 0.1)) for _ in range(50)],
        "one point 50 times with one value": [(0.5, 5, 1.0)] * 50,
        "one result": [(0.5, 5, 1.0)],
        "two that differ by nothing": [(0.5, 5, 1.0), (0.5 + 1e-16, 5, 1.0)],
        "corners": [(x, y, 1e308 * (x - 0.5)) for x in (0.0, 1.0) for y in (0, 9)],
    }
    verdict = Verdict(injected=len(data))
    for what, rows in data.items():
        observed = tuple(
            ObservedPoint(index, {"x": x, "y": y}, (Observation("value", value),))
            for index, (x, y, value) in enumerate(rows)
        )
        request = SuggestionRequest(
            search_space=space,
            optimization=OptimizationConfig(Objective.parse("value")),
            settings=GenerationSettings(initialization_budget=1),
            trial_index=len(rows),
            observed=observed,
        )
        (candidate,) = suggest(request)
        try:
            space.checked(candidate.parameters)
        except AxdeskError as error:
            verdict.broken.append(f"{what}: {error}")
    return verdict


def optimiser_stops(bench: Bench) -> Verdict:
    """Stop the optimiser's process for good: space-filling candidates step in within the limit."""
    needs()
    lab = Laboratory(
        bench.folder,
        method="fast",
        runner_options={"polls": 10},
        run={"max_trials": MODEL_TRIALS, "generation_time_limit": 1.0, "parallelism": 1},
    )
    with lab.start() as program:
        program.wait_for("RunChanged", 2)
        stopped = _stop_optimiser(program.pid)
        ended = lab.heard(program.wait())
    verdict = lab.judge(ended)
    fallbacks = ended.kinds("FallbackUsed")
    if not stopped:
        verdict.broken.append("the optimiser's process was not found")
    if not fallbacks:
        verdict.broken.append("no event tells of a fallback")
    verdict.note = f"{len(fallbacks)} suggestions without the model"
    return verdict


def _stop_optimiser(pid: int) -> bool:
    """Stop the process that multiprocessing started as a worker; say whether there was one."""
    limit = time.monotonic() + 5.0
    while time.monotonic() < limit:
        for child in psutil.Process(pid).children():
            with suppress(psutil.NoSuchProcess):  # others may end meanwhile
                if re.search("spawn_main", " ".join(child.cmdline())):
                    child.suspend()
                    return True
        time.sleep(0.02)
    return False


def stale_lock(bench: Bench) -> Verdict:
    """Leave the lock of a compiler that was killed, where PyTorch looks for it."""
    extensions = bench.folder / "extensions"
    for folder in (extensions, extensions / "py311_cpu"):
        lock = folder / "logei_fused_ext" / "lock"
        lock.parent.mkdir(parents=True)
        lock.touch()
    lab = Laboratory(
        bench.folder,
        method="fast",
        objective="value - 2*other",
        metrics=("value", "other"),
        run={"max_trials": 6},
    )
    with lab.start(environ={"TORCH_EXTENSIONS_DIR": str(extensions)}) as program:
        ended = lab.heard(program.wait())
    verdict = lab.judge(ended)
    if ended.kinds("FallbackUsed"):
        verdict.broken.append("a suggestion came without the model")
    return verdict
