"""Families 5 to 8: the disk is full or fails, the database is locked, two programs want it."""

import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from tests.faults.cases import Bench, Case, Verdict
from tests.faults.laboratory import DONE, INTERRUPTED, Laboratory, judge_end
from tests.faults.machine import needs, small_disk
from tests.faults.programs import Launcher, Program

TRIALS = 40
LONG = {"max_trials": TRIALS, "initial_seconds_between_polls": 0.05}
SECONDS_TO_LEAVE = 5.0
BUSY = 6
ODD_KILOBYTES = 6
"""What the database may grow by; no whole number of pages."""
PAIRS = 20
PAIRS_IN_A_ROW = 2


def cases() -> Iterator[Case]:
    """Give every fault of these families."""
    yield Case(5, "disk full for a while", full_disk, is_sample=True)
    yield Case(5, "disk full to the end", partial(full_disk, to_the_end=True))
    for error, call, family in (
        ("ENOSPC", "pwrite64", 5),
        ("EIO", "fdatasync", 6),
        ("EIO", "pwrite64", 6),
        ("EIO", "pread64", 6),
    ):
        for where in (0.3, 0.6, 0.9):
            check = partial(failing_calls, call, error, where, how_many=6)
            is_sample = call == "fdatasync" and where == 0.6
            yield Case(family, f"{error} from {call}, 6 times", check, is_sample)
        yield Case(
            family, f"{error} from {call} to the end", partial(failing_calls, call, error, 0.5)
        )
    yield Case(6, "write cut short by a limit on files", file_limit, is_sample=True)
    yield Case(9, "removed while trials run", removed, is_sample=True)
    yield Case(7, "locked for 2 s", partial(locked, 2.0), is_sample=True)
    yield Case(7, "locked for 12 s", partial(locked, 12.0))
    yield Case(7, "locked for ever", partial(locked, None))
    for number in range(PAIRS // PAIRS_IN_A_ROW):
        yield Case(8, "two resume at once", two_at_once, is_sample=number == 0)


def full_disk(bench: Bench, *, to_the_end: bool = False) -> Verdict:
    """Fill the disk that the database is on while trials run; give its space back later."""
    with small_disk(bench.folder / "disk", "1m") as disk:
        lab = Laboratory(bench.folder, runner_options={"polls": 5}, run=LONG, disk=disk.folder)
        with lab.start(under=disk.under) as program:
            program.wait_for("TrialChanged", 20)
            disk.fill()
            program.wait_for("StorageHealthChanged", seconds=3.0)
            verdict = after_the_outage(lab, program, disk.empty, to_the_end=to_the_end)
        ended = lab.said[-1]
        if ended.code != DONE:
            with lab.start("resume", under=disk.under) as program:
                ended = lab.heard(program.wait())
        copy = bench.folder / "copy"
        copy.mkdir()
        disk.copy_to(copy)
        lab.database = copy / lab.database.name
    verdict.add(lab.judge(ended))
    return verdict


def after_the_outage(
    lab: Laboratory, program: Program, cure: Callable[[], None], *, to_the_end: bool
) -> Verdict:
    """End the outage and wait for the end of the run, or leave it while the outage lasts."""
    verdict = Verdict()
    if to_the_end:
        verdict = left(lab, program)
        cure()
        return verdict
    cure()
    ended = lab.heard(program.wait())
    if ended.code == DONE:
        verdict.note = "went on by itself"
    judge_end(verdict, ended, (DONE,))
    return verdict


def left(lab: Laboratory, program: Program) -> Verdict:
    """Tell a program to end, which it must do soon; what it did is to be resumed."""
    verdict = Verdict()
    told = time.monotonic()
    program.send(signal.SIGTERM)
    ended = lab.heard(program.wait(10 * SECONDS_TO_LEAVE))
    judge_end(verdict, ended, (INTERRUPTED,))
    seconds = time.monotonic() - told
    if ended.code is not None and seconds > SECONDS_TO_LEAVE:
        verdict.broken.append(f"took {seconds:.1f} s to end")
    return verdict


def failing_calls(
    call: str, error: str, where: float, bench: Bench, *, how_many: int | None = None
) -> Verdict:
    """Let a system call fail from a place in the run on; all of them, or a few."""
    needs("strace")
    count = bench.undisturbed.result().calls.get(call, 0)
    if not count:
        return Verdict(injected=0, note="never called")
    lab = Laboratory(bench.folder)
    first = 1 + int(where * count)
    which = f"{first}+" if how_many is None else f"{first}..{first + how_many - 1}"
    inject = f"inject={call}:error={error}:when={which}"
    # What fails to the end is ended from outside; how, is another family's matter.
    ended = lab.run(
        bench.launcher,
        strace=["-e", f"trace={call}", "-e", inject],
        kill_after=5.0 if how_many is None else None,
    )
    verdict = Verdict()
    if how_many is not None:
        judge_end(verdict, ended, (DONE, INTERRUPTED))
        if ended.code == DONE:
            verdict.note = "went on by itself"
    if ended.code != DONE:
        ended = lab.go_on(bench.launcher)
    verdict.add(lab.judge(ended, points=bench.undisturbed.result().points))
    return verdict


def file_limit(bench: Bench) -> Verdict:
    """Forbid files above a size that is no whole number of pages: the last write is cut short."""
    needs("bash")
    lab = Laboratory(bench.folder, runner_options={"polls": 5}, run=LONG)
    lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "run_stored"})
    kilobytes = lab.database.stat().st_size // 1024 + ODD_KILOBYTES
    limited = f'exec > >(cat); ulimit -f {kilobytes}; exec "$0" "$@"'
    with lab.start("resume", under=["bash", "-c", limited]) as program:
        program.wait_for("StorageHealthChanged", seconds=10.0)
        verdict = left(lab, program)
    verdict.add(lab.judge(lab.go_on(bench.launcher)))
    return verdict


@contextmanager
def lock_on(lab: Laboratory) -> Iterator[None]:
    """Hold the database's exclusive lock."""
    connection = sqlite3.connect(lab.database, timeout=30.0, isolation_level=None)
    try:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
    finally:
        connection.close()


def locked(seconds: float | None, bench: Bench) -> Verdict:
    """Lock the database from here while trials run; None until axdesk has been told to end."""
    lab = Laboratory(bench.folder, runner_options={"polls": 5}, run=LONG)
    verdict = Verdict()
    with lab.start() as program:
        program.wait_for("TrialChanged", 20)
        with lock_on(lab):
            if seconds is None:
                program.wait_for("StorageHealthChanged", seconds=15.0)
                verdict = left(lab, program)
            else:
                program.wait_for("RunFinished", seconds=seconds)
        if seconds is not None:
            judge_end(verdict, lab.heard(program.wait()), (DONE,))
    ended = lab.said[-1]
    if ended.code != DONE:
        ended = lab.go_on(bench.launcher)
    verdict.add(lab.judge(ended))
    return verdict


def removed(bench: Bench) -> Verdict:
    """Remove the database while trials run; what it held is in its place in the end."""
    lab = Laboratory(bench.folder, runner_options={"polls": 5}, run=LONG)
    with lab.start() as program:
        program.wait_for("TrialChanged", 20)
        lab.database.unlink()
        ended = lab.heard(program.wait())
    verdict = Verdict()
    judge_end(verdict, ended, (DONE, INTERRUPTED))
    if ended.code != DONE:
        ended = lab.go_on(bench.launcher)
    verdict.add(lab.judge(ended))
    return verdict


def two_at_once(bench: Bench) -> Verdict:
    """Kill a run and let two programs resume it at the same moment, again and again."""
    verdict = Verdict(injected=PAIRS_IN_A_ROW)
    second = Launcher()
    try:
        with ThreadPoolExecutor(2) as pool:
            for number in range(PAIRS_IN_A_ROW):
                lab = Laboratory(bench.folder / str(number))
                lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "trial_deployed:3"})
                resumed = [
                    pool.submit(lab.run, launcher, "resume")
                    for launcher in (bench.launcher, second)
                ]
                codes = sorted(str(future.result().code) for future in resumed)
                if codes not in (["0", "0"], ["0", str(BUSY)]):
                    verdict.broken.append(f"exit codes {' and '.join(codes)}")
                verdict.add(lab.judge())
    finally:
        second.close()
    return verdict
