"""Family 3: the program is told to end while trials run."""

import signal
import time
from collections.abc import Iterator, Sequence
from functools import partial

from tests.faults.cases import Bench, Case, NotPossibleError, Verdict
from tests.faults.laboratory import INTERRUPTED, Laboratory, judge_end
from tests.faults.plans import PARALLELISM, TRIALS

SECONDS_TO_END = 5.0
STARTED_EVENTS = 2 * PARALLELISM
"""`TrialChanged` when every slot has a running trial: staged and running, each."""


def cases() -> Iterator[Case]:
    """Give every way of being told to end."""
    hang_up = getattr(signal, "SIGHUP", None)
    for fault, signals, left, is_sample in (
        ("SIGTERM", [signal.SIGTERM], "running", True),
        ("SIGHUP: the terminal is closed", [hang_up], "running", False),
        ("SIGINT", [signal.SIGINT], "completed", False),
        ("SIGINT twice", [signal.SIGINT] * 2, "abandoned", False),
        ("SIGINT three times", [signal.SIGINT] * 3, None, True),
        ("SIGTERM, then SIGINT", [signal.SIGTERM, signal.SIGINT], None, False),
    ):
        yield Case(3, fault, partial(told_to_end, signals, left), is_sample)


def told_to_end(signals: Sequence[int | None], left: str | None, bench: Bench) -> Verdict:
    """Send signals while every slot has a running trial; then resume.

    Args:
        signals: One after the other.
        left: What becomes of the trials that run; None for what may be either.
        bench: Where.
    """
    if None in signals:
        raise NotPossibleError("this system has no such signal")
    release = bench.folder / "release"
    lab = Laboratory(bench.folder, runner_options={"release": str(release)})
    verdict = Verdict()
    with lab.start() as program:
        if not program.wait_for("TrialChanged", STARTED_EVENTS):
            verdict.broken.append("no trials were started")
        told = time.monotonic()
        for number in signals:
            program.send(number or 0)
            # Signals of one kind that come at once are one signal.
            program.wait_for("RunChanged", 3, seconds=0.5)
        if left == "completed":
            release.touch()
        ended = lab.heard(program.wait(4 * SECONDS_TO_END))
    seconds = time.monotonic() - told
    judge_end(verdict, ended, (INTERRUPTED,))
    if seconds > SECONDS_TO_END:
        verdict.broken.append(f"took {seconds:.1f} s to end")
    statuses = {lab.stored()[index].status for index in range(PARALLELISM) if lab.is_made()}
    if left is not None and statuses != {left}:
        verdict.broken.append(f"the running trials became {', '.join(sorted(statuses))}")
    release.touch()
    again = lab.go_on(bench.launcher)
    abandoned = sum(trial.status == "abandoned" for trial in lab.stored().values())
    verdict.add(lab.judge(again, completed=TRIALS - abandoned))
    return verdict
