"""Families 10 to 14: the laboratory's own files hang, crash, lie, or fail for a while."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.faults.cases import Bench, Case, Verdict
from tests.faults.lab.hostile import BAD_READINGS, GOOD_READINGS
from tests.faults.laboratory import DECISION, DONE, INTERRUPTED, NOT_VALID, Laboratory, judge_end
from tests.faults.plans import PARALLELISM, PLUGINS, TRIALS
from tests.faults.programs import Ended

SECONDS_TO_END = 45.0
SECONDS_TO_IMPORT = 100.0
IMPATIENT = """
[run.call_deadlines]
run = 1.0
poll = 1.0
fetch = 1.0
stop = 1.0

[run.retry_budget]
poll = 1
fetch = 1
"""
HANGS = ("sleep", "spin", "block", "ignore_sigterm")
CRASHES = (
    *("segfault", "abort", "os_exit", "sys_exit", "recursion", "memory", "interrupt"),
    *(
        "base_exception",
        "unprintable",
        "print_much",
        "write_everywhere",
        "close_everything",
        "fork",
    ),
)
AT_IMPORT = {"sleep": 10, "segfault": 11, "os_exit": 11, "print_much": 11, "interrupt": 11}
IN_RUN, IN_POLL, IN_FETCH = 1, 2, 3


def cases() -> Iterator[Case]:
    """Give every way in which a plugin may misbehave."""
    for family, faults in ((10, HANGS), (11, CRASHES)):
        for fault in faults:
            is_sample = fault in ("spin", "segfault", "close_everything")
            yield Case(family, f"{fault}: run, poll, fetch", partial(in_calls, fault), is_sample)
            yield Case(family, f"{fault}: find", partial(in_find, fault), fault == "os_exit")
            yield Case(family, f"{fault}: stop", partial(in_stop, fault), fault == "block")
    for fault, family in AT_IMPORT.items():
        yield Case(family, f"{fault}: import", partial(at_import, fault), fault == "segfault")
    yield Case(12, "polls answered with nonsense", lying, is_sample=True)
    yield Case(12, "metadata that cannot be kept", odd_metadata, is_sample=True)
    yield Case(12, "one job for all trials", same_job)
    yield Case(13, "readings that are no numbers, and odd ones that are", odd_readings, True)
    for failures in (1, 2, 4):
        yield Case(
            14, f"every call fails {failures} times", partial(flaky, failures), failures == 5
        )
    yield Case(14, "half of all polls fail, 60 trials", partial(flaky, 1, trials=60))
    yield Case(14, "connection lost in every other deployment", lost_connection, is_sample=True)


def hostile_folder(bench: Bench, prefix: str = "") -> Path:
    """Return a plugin folder with the hostile laboratory in one file, as laboratories have it."""
    texts = [(PLUGINS / name).read_text("utf-8") for name in ("journal.py", "hostile.py")]
    needless = "from tests.faults.lab.journal import"
    lines = [line for line in texts[1].splitlines() if not line.startswith(needless)]
    folder = bench.folder / "plugins"
    folder.mkdir(exist_ok=True)
    text = "\n".join([texts[0], *lines, prefix])
    (folder / "hostile.py").write_text(text, "utf-8")
    return folder


def hostile(bench: Bench, fault: str, runner: dict[str, object], in_fetch: int = -1) -> Laboratory:
    """Return a laboratory that misbehaves."""
    return Laboratory(
        bench.folder,
        runner="hostile.py:HostileRunner",
        metric="hostile.py:HostileMetric",
        runner_options={"fault": fault, **runner},
        metric_options={"fault": fault, "in_fetch": in_fetch},
        run={"max_seconds_between_polls": 0.2},
        extra=IMPATIENT,
        plugins=hostile_folder(bench),
    )


def others_finish(lab: Laboratory, hurt: set[int], ended: Ended) -> Verdict:
    """Say what is wrong with trials: those not hurt are completed, those hurt are settled."""
    verdict = Verdict()
    judge_end(verdict, ended, (DONE,))
    stored = lab.stored()
    for index in range(lab.plan.trials):
        status = stored[index].status if index in stored else "absent"
        right = ("completed", "failed", "abandoned") if index in hurt else ("completed",)
        if status not in right:
            reason = stored[index].reason if index in stored else ""
            verdict.broken.append(f"trial {index} is {status} {reason}")
    completed = sum(trial.status == "completed" for trial in stored.values())
    verdict.add(lab.judge(completed=completed))
    return verdict


def in_calls(fault: str, bench: Bench) -> Verdict:
    """Misbehave in a deployment, in the polls of another trial, in the fetches of a third."""
    lab = hostile(bench, fault, {"in_run": IN_RUN, "in_poll": IN_POLL}, IN_FETCH)
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    return others_finish(lab, {IN_RUN, IN_POLL, IN_FETCH}, ended)


def in_find(fault: str, bench: Bench) -> Verdict:
    """Misbehave when asked what became of an interrupted deployment."""
    lab = hostile(bench, fault, {"in_find": True})
    lab.run(bench.launcher, environ={"AXDESK_FAILPOINT": "trial_deployed:3"})
    ended = lab.run(bench.launcher, "resume", seconds=SECONDS_TO_END)
    verdict = Verdict()
    judge_end(verdict, ended, (DONE, DECISION))
    if ended.code == DECISION:
        ended = lab.run(bench.launcher, "resume", "--uncertain", "abandon", seconds=SECONDS_TO_END)
    verdict.add(others_finish(lab, {2}, ended))
    return verdict


def in_stop(fault: str, bench: Bench) -> Verdict:
    """Misbehave when every running trial is to be stopped; what runs is followed later."""
    release = bench.folder / "release"
    lab = hostile(bench, fault, {"in_stop": True, "release": str(release)})
    with lab.start() as program:
        program.wait_for("TrialChanged", 2 * PARALLELISM)
        program.send(signal.SIGINT)
        program.wait_for("RunChanged", 3)
        program.send(signal.SIGINT)
        ended = lab.heard(program.wait(SECONDS_TO_END))
    verdict = Verdict()
    judge_end(verdict, ended, (INTERRUPTED,))
    release.touch()
    again = lab.go_on(bench.launcher)
    verdict.add(others_finish(lab, set(range(PARALLELISM)), again))
    return verdict


def at_import(fault: str, bench: Bench) -> Verdict:
    """Misbehave when the file is imported: a sentence, and nothing is deployed."""
    lab = hostile(bench, fault, {})
    hostile_folder(bench, f"FAULTS[{fault!r}]()")
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_IMPORT)
    verdict = Verdict()
    codes = (NOT_VALID,) if fault != "print_much" else (DONE, NOT_VALID)
    judge_end(verdict, ended, codes)
    if ended.code == NOT_VALID:
        if lab.deployed():
            verdict.broken.append("trials were deployed")
        hostile_folder(bench)
        ended = lab.run(bench.launcher, "resume" if lab.is_made() else "run")
    verdict.add(lab.judge(ended))
    return verdict


def other(bench: Bench, runner: str, metric: str = "JournalMetric", **more: object) -> Laboratory:
    """Return a laboratory with other classes of the hostile file."""
    options = more.pop("options", {})
    assert isinstance(options, dict)
    return Laboratory(
        bench.folder,
        runner=f"hostile.py:{runner}",
        metric=f"hostile.py:{metric}",
        runner_options=options if runner == "FlakyRunner" else {},
        metric_options=options if metric == "FlakyMetric" else {},
        run={
            "max_seconds_between_polls": 0.05,
            "tolerated_trial_failure_rate": 0.99,
            **more,
        },
        plugins=hostile_folder(bench),
    )


def lying(bench: Bench) -> Verdict:
    """Answer polls with what is no status."""
    lab = other(bench, "LyingRunner", "LyingMetric")
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    verdict = others_finish(lab, {0, 1, 2, 3, 4}, ended)
    for index, trial in lab.stored().items():
        if index < 5 and trial.status == "completed":
            verdict.broken.append(f"nonsense was taken for a completed trial {index}")
    return verdict


def odd_metadata(bench: Bench) -> Verdict:
    """Answer deployments with what is no JSON; find_trial gives what is."""
    lab = other(bench, "OddMetadataRunner")
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    return others_finish(lab, set(range(7)), ended)


def same_job(bench: Bench) -> Verdict:
    """Name one job for all trials: a warning tells so."""
    lab = other(bench, "SameJobRunner")
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    verdict = Verdict()
    judge_end(verdict, ended, (DONE,))
    if not any("equal metadata" in event["message"] for event in ended.kinds("Warned")):
        verdict.broken.append("no warning tells that trials share a job")
    found = lab.judge()
    # Each has the value of the job that it names, which is the first one's.
    found.lost = [text for text in found.lost if "another trial's value" not in text]
    verdict.add(found)
    return verdict


def odd_readings(bench: Bench) -> Verdict:
    """Fetch what is no number: never a result; fetch odd kinds of numbers: always one."""
    trials = BAD_READINGS + GOOD_READINGS + 2
    lab = other(bench, "FindingRunner", "OddMetric", max_trials=trials)
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    verdict = others_finish(lab, set(range(BAD_READINGS)), ended)
    for index in range(BAD_READINGS):
        trial = lab.stored().get(index)
        if trial is not None and (trial.status == "completed" or trial.values):
            verdict.broken.append(f"trial {index} has a result that is no number: {trial.values}")
        elif trial is not None and not trial.reason:
            verdict.broken.append(f"trial {index} failed without a reason")
    verdict.injected = trials - 2
    return verdict


def flaky(failures: int, bench: Bench, *, trials: int = TRIALS) -> Verdict:
    """Fail a few times before each call that works: no trial is given up."""
    lab = other(
        bench,
        "FlakyRunner",
        "FlakyMetric" if trials == TRIALS else "JournalMetric",
        options={"failures": failures},
        max_trials=trials,
    )
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    return lab.judge(ended)


def lost_connection(bench: Bench) -> Verdict:
    """Raise after deploying: the trial is found, and neither repeated nor given up."""
    lab = other(bench, "LostConnectionRunner")
    ended = lab.run(bench.launcher, seconds=SECONDS_TO_END)
    return lab.judge(ended)
