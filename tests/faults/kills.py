"""Families 1, 2 and 4: the process dies without warning, and another one goes on."""

import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from axdesk.core.failpoints import FAILPOINTS
from tests.faults.cases import Bench, Case, Undisturbed, Verdict
from tests.faults.laboratory import DECISION, DONE, Laboratory
from tests.faults.machine import needs
from tests.faults.plans import TRIALS
from tests.faults.programs import Ended, Launcher

SHARES = {"pwrite64": 0.5, "fdatasync": 0.25, "unlink": 0.2, "fsync": 0.02, "ftruncate": 0.02}
"""Of the points, by system call: those that change what is on the disk."""
SHARE_OF_RESUMING = 0.5
"""Of a whole run's calls, what its second half makes at least."""
KILLED = -9
KILLS_IN_A_ROW = 5
LONGEST_LIFE = 0.6
"""Seconds; about what an undisturbed run takes."""


def undisturbed(launcher: Launcher, folder: Path) -> Undisturbed:
    """Run the experiment without a fault, and count its system calls."""
    needs("strace")
    lab = Laboratory(folder)
    ended = lab.run(launcher, strace=["-e", f"trace={','.join(SHARES)},pread64"])
    verdict = lab.judge(ended)
    if not verdict.has_survived:
        raise RuntimeError(f"the run without a fault fails: {verdict.told}\n{ended.errors}")
    (file,) = folder.glob("calls-*.txt")
    names = [line.partition("(")[0] for line in file.read_text("utf-8").splitlines()]
    points = {index: dict(trial.parameters) for index, trial in lab.stored().items()}
    return Undisturbed(dict(Counter(names)), points)


def cases(points: int, *, sampled: int = 0) -> Iterator[Case]:
    """Give the kills: `points` at system calls, all named places, and as many at any time.

    Args:
        points: How many at system calls.
        sampled: How many of them are samples.
    """
    for call, share in SHARES.items():
        count = max(1, round(share * points))
        few = round(share * sampled)
        samples = {round((i + 0.5) * count / few) for i in range(few)} if few else set()
        for number in range(count):
            check = partial(
                at_a_call, call, (number + 0.5) / count, runner=_RUNNERS[number % len(_RUNNERS)]
            )
            yield Case(1, f"SIGKILL at {call}", check, number in samples)
    for call in ("pwrite64", "fdatasync", "unlink"):
        for number in range(max(1, points // 16)):
            check = partial(while_resuming, call, (number + 0.5) / max(1, points // 16))
            yield Case(1, f"SIGKILL at {call} while resuming", check)
    for name in FAILPOINTS:
        for occurrence in range(1, 2 if name.startswith("run_") else TRIALS + 1):
            runner = _RUNNERS[occurrence % len(_RUNNERS)]
            check = partial(at_a_place, f"{name}:{occurrence}", runner=runner)
            yield Case(2, f"SIGKILL at {name}", check, is_sample=occurrence == 3)
    for seed in range(max(1, points // KILLS_IN_A_ROW)):
        yield Case(
            4, f"SIGKILL, {KILLS_IN_A_ROW} in a row", partial(in_a_row, seed), is_sample=seed == 0
        )


_RUNNERS = ("journal.py:FindingRunner",) * 3 + ("journal.py:BlindRunner",)


def at_a_call(call: str, where: float, bench: Bench, *, runner: str) -> Verdict:
    """Kill at one system call; `where` is its place in the run, from 0 to 1."""
    needs("strace")
    count = bench.undisturbed.result().calls.get(call, 0)
    if not count:
        return Verdict(injected=0, note="never called")
    lab = Laboratory(bench.folder, runner=runner)
    which = 1 + int(where * count)
    inject = f"inject={call}:signal=SIGKILL:when={which}"
    killed = lab.run(bench.launcher, strace=["-e", f"trace={call}", "-e", inject])
    return gone_on(lab, bench, killed)


def while_resuming(call: str, where: float, bench: Bench) -> Verdict:
    """Kill a run half way, and then its resumption, too; that one begins with a backup."""
    needs("strace")
    count = bench.undisturbed.result().calls.get(call, 0)
    lab = Laboratory(bench.folder)
    killed = lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "trial_recorded:3"})
    inject = f"inject={call}:signal=SIGKILL:when={1 + int(where * count * SHARE_OF_RESUMING)}"
    lab.run(bench.launcher, "resume", strace=["-e", f"trace={call}", "-e", inject])
    return gone_on(lab, bench, killed)


def at_a_place(failpoint: str, bench: Bench, *, runner: str) -> Verdict:
    """Kill at a named place."""
    lab = Laboratory(bench.folder, runner=runner)
    killed = lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": failpoint})
    return gone_on(lab, bench, killed)


def in_a_row(seed: int, bench: Bench) -> Verdict:
    """Kill one process after the other at random times, then let one live."""
    chance = random.Random(seed)
    lab = Laboratory(bench.folder)
    killed = lab.run(bench.launcher, kill_after=chance.uniform(0, LONGEST_LIFE))
    for _ in range(KILLS_IN_A_ROW - 1):
        verb = "resume" if lab.is_made() else "run"
        lab.run(bench.launcher, verb, kill_after=chance.uniform(0, LONGEST_LIFE))
    verdict = gone_on(lab, bench, killed, may_have_ended=True)
    verdict.injected = KILLS_IN_A_ROW
    return verdict


def gone_on(
    lab: Laboratory, bench: Bench, killed: Ended, *, may_have_ended: bool = False
) -> Verdict:
    """Go on after a kill until the budget is spent, and judge."""
    ended = lab.go_on(bench.launcher)
    abandoned = 0
    if ended.code == DECISION and "Blind" in lab.plan.runner:
        ended = lab.go_on(bench.launcher, "--uncertain", "abandon")
        abandoned = sum(trial.status == "abandoned" for trial in lab.stored().values())
    points = bench.undisturbed.result().points
    verdict = lab.judge(ended, codes=(DONE,), completed=lab.plan.trials - abandoned, points=points)
    if abandoned > 1:
        verdict.broken.append(f"{abandoned} trials were uncertain; one launch is made at a time")
    if killed.code != KILLED and not may_have_ended:
        verdict.broken.append(f"was not killed: {killed.code} {killed.last_words}")
    return verdict
