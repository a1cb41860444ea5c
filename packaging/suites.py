"""The checks and test suites of a checkout: what is run, for how long, and how it is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from environment import PYTHON, ROOT, say

CHECK_SECONDS = 120
SUITE_SECONDS = 120
# Suites start in this order, the longest first so that none is left over at the end; one that is
# not named here comes after these, with SUITE_SECONDS.
SUITE_BUDGETS = {
    "e2e": 420,
    "gui": 1000,
    "api": 300,
    "faults": 220,
    "generation": 240,
    "headless": 220,
    "plugins": 150,
    "storage": 160,
    "core": 120,
    "orchestration": 120,
    "analysis": 60,
    "exchange": 60,
    "bundle": 30,
}
LANES = 2
"""Steps that run at a time, on a machine with as many processors."""


class Step(NamedTuple):
    """One command of `test`.

    Attributes:
        budget: Seconds after which the step is ended and counts as failed.
        report: Where pytest writes its JUnit report, None for a check without tests.
    """

    name: str
    command: Sequence[str]
    budget: int
    report: Path | None = None


class Outcome(NamedTuple):
    """What came of a step; a check without tests, or a suite without a report, fails as one."""

    name: str
    passed: int
    failed: int
    skipped: int
    remark: str


def find_suites(tests: Path) -> dict[str, list[Path]]:
    """Return what pytest is given for each suite: a folder under `tests`, or its own files."""
    names = {file.relative_to(tests).parts[0] for file in tests.glob("*/**/test_*.py")}
    ranks = {name: rank for rank, name in enumerate(SUITE_BUDGETS)}
    ordered = sorted(names, key=lambda name: (ranks.get(name, len(ranks)), name))
    suites = {name: [tests / name] for name in ordered}
    own = sorted(tests.glob("test_*.py"))
    return {**suites, "project": own} if own else suites


def list_steps(reports: Path) -> list[Step]:
    """Return all steps in order: the quick checks first, then the suites found in the tree."""
    python = str(PYTHON)
    contracts = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    checks = {
        "format": ["-m", "ruff", "format", "--check", "."],
        "lint": ["-m", "ruff", "check", "."],
        "types": ["-m", "mypy"],
        "contracts": ["-c", contracts, "--no-logo"],
    }
    steps = [Step(name, [python, *command], CHECK_SECONDS) for name, command in checks.items()]
    for name, targets in find_suites(ROOT / "tests").items():
        report = reports / f"{name}.xml"
        command = [python, "-m", "pytest", "-q", f"--junitxml={report}", *map(str, targets)]
        steps.append(Step(name, command, SUITE_BUDGETS.get(name, SUITE_SECONDS), report))
    return steps


def count_tests(report: Path) -> tuple[int, int, int]:
    """Read (passed, failed, skipped) from a JUnit report; errors count as failed.

    Raises:
        OSError: If there is no report.
        xml.etree.ElementTree.ParseError: If it is cut short.
    """
    passed = failed = skipped = 0
    for case in ET.parse(report).getroot().iter("testcase"):
        marks = {mark.tag for mark in case}
        if marks & {"failure", "error"}:
            failed += 1
        elif "skipped" in marks:
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def judge(step: Step, returncode: int | None) -> Outcome:
    """Turn an exit status, None for a step out of time, and the report into an outcome."""
    passed = failed = skipped = 0
    if step.report is not None:
        try:
            passed, failed, skipped = count_tests(step.report)
        except (OSError, ET.ParseError):
            failed = 1
    remark = "" if returncode == 0 else f"exit status {returncode}"
    if returncode is None:
        remark = f"ended after its {step.budget} s"
    if returncode != 0:
        failed = max(failed, 1)
    return Outcome(step.name, passed, failed, skipped, remark)


def totals(outcomes: Iterable[Outcome]) -> str:
    """Add up all outcomes in the one line that closes the report."""
    sums = [sum(counts) for counts in zip(*(outcome[1:4] for outcome in outcomes), strict=True)]
    return "{} passed, {} failed, {} skipped".format(*sums)


def suite_environment(home: Path) -> dict[str, str]:
    """Return variables that keep tests offscreen, on one thread, and out of the user's folders."""
    folders = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
    xdg = ("CACHE", "CONFIG", "DATA", "STATE")
    threads = ("OMP", "MKL", "OPENBLAS")
    return {
        **os.environ,
        **dict.fromkeys(folders, str(home)),
        **{f"XDG_{name}_HOME": str(home / name.lower()) for name in xdg},
        "XDG_RUNTIME_DIR": str(home),
        **{f"{name}_NUM_THREADS": "1" for name in threads},
        "QT_QPA_PLATFORM": "offscreen",
    }


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a step's process and whatever it left running, which could keep the output open."""
    if os.name == "nt":
        kill = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(kill, capture_output=True, check=False)
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def run_steps(steps: Sequence[Step], environ: Mapping[str, str], outputs: Path) -> list[Outcome]:
    """Run steps, as many at a time as there are lanes, and return their outcomes in order.

    Args:
        steps: Started in this order.
        environ: Their environment.
        outputs: A folder for what they print, which is shown as a whole when each ends.
    """
    # Who starts this in the background may have it ignore Ctrl-C; what it starts would do so, too.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    lanes = min(LANES, os.cpu_count() or 1)
    with ThreadPoolExecutor(lanes) as executor:
        ends = [executor.submit(run_step, step, environ, outputs) for step in steps]
        return [end.result() for end in ends]


def run_step(step: Step, environ: Mapping[str, str], outputs: Path) -> Outcome:
    """Run one step to its end or the end of its budget, and show what it printed."""
    say(f"== {step.name} begins (at most {step.budget} s)")
    started = time.monotonic()
    output = outputs / f"{step.name}.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            step.command,
            cwd=ROOT,
            env=environ,
            start_new_session=True,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    returncode = None
    try:
        returncode = process.wait(timeout=step.budget)
    except subprocess.TimeoutExpired:
        pass
    finally:
        end_tree(process)
        process.wait()
    late = "" if returncode is not None else f", did not end within {step.budget} s"
    printed = output.read_text("utf-8", errors="replace").rstrip()
    say(f"{printed}\n== {step.name}: {time.monotonic() - started:.1f} s{late}\n")
    return judge(step, returncode)
