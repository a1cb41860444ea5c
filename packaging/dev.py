"""Set up, run and test axdesk from a checkout, with nothing but Python 3.11 or newer.

Each verb first brings the environment up to date, which takes no time when nothing has changed.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
CONSTRAINTS = ROOT / "packaging" / "constraints.txt"
STAMP = VENV / "axdesk-setup.stamp"

# What Qt opens at run time on Linux, with the Debian package that holds it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
TEST_TOOLS = {"Xvfb": "xvfb", "strace": "strace", "xdotool": "xdotool"}

CHECK_SECONDS = 300
SUITE_SECONDS = 120
# Suites run in this order; one that is not named here comes after these, with SUITE_SECONDS.
SUITE_BUDGETS = {
    "core": 120,
    "generation": 240,
    "orchestration": 120,
    "storage": 120,
    "plugins": 120,
    "exchange": 120,
    "analysis": 120,
    "api": 240,
    "headless": 240,
    "gui": 240,
    "e2e": 480,
}


def say(text: str) -> None:
    """Print at once, so that the order with the output of child processes is kept."""
    print(text, flush=True)


# Setting up -----------------------------------------------------------------------------------


def fingerprint(pyproject: str, constraints: str) -> str:
    """Digest what decides which packages are installed; other tools' settings do not count."""
    import tomllib

    tables = tomllib.loads(pyproject)
    relevant = {
        "build-system": tables["build-system"],
        "project": tables["project"],
        "setuptools": tables["tool"]["setuptools"],
        "constraints": constraints,
        "root": str(ROOT),
    }
    return hashlib.sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


def make_environment() -> None:
    """Create `.venv` unless there is one whose Python runs.

    Raises:
        SystemExit: If Python cannot make virtual environments; the message says what to install.
    """
    if PYTHON.exists():
        probe = subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False)
        if probe.returncode == 0:
            return
        say(f"{VENV} does not work; making it anew.")
    say(f"Making the environment {VENV} with Python {sys.version.split()[0]}.")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    if subprocess.run(command, check=False).returncode == 0:
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    provide_system_packages([f"python{version}-venv"], purpose="making an environment")
    if subprocess.run(command, check=False).returncode != 0:
        raise SystemExit(f"Could not make {VENV}: `{' '.join(command)}` failed; see above.")


def install_packages() -> None:
    """Install axdesk, editable, with the pinned packages; at once when the stamp matches.

    Raises:
        SystemExit: If pip fails; its own output stands above.
    """
    wanted = fingerprint(
        (ROOT / "pyproject.toml").read_text("utf-8"), CONSTRAINTS.read_text("utf-8")
    )
    if PYTHON.exists() and STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return
    make_environment()
    say(f"Installing axdesk and the packages of {CONSTRAINTS.relative_to(ROOT)}.")
    pip = [
        str(PYTHON),
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "-c",
        str(CONSTRAINTS),
    ]
    # Without build isolation the pinned setuptools builds, and a repeated set-up needs no network.
    for command in (
        [*pip, "setuptools"],
        [*pip, "--no-build-isolation", "--editable", f"{ROOT}[dev]"],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            raise SystemExit(f"Set-up stopped: `{' '.join(command)}` failed; see above.")
    STAMP.write_text(wanted, "utf-8")


def is_loadable(library: str) -> bool:
    """Say whether the dynamic linker finds the library and all that it needs."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font() -> bool:
    """Say whether there is any font: without one Qt draws boxes in place of letters."""
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(next(folder.rglob("*.[to]t[fc]"), None) for folder in folders)


def missing_packages(
    wanted: Mapping[str, str], *, is_present: Callable[[str], object]
) -> dict[str, str]:
    """Return those entries of `wanted` (library or program → package) that are not present."""
    return {name: package for name, package in wanted.items() if not is_present(name)}


def apt_prefix() -> list[str] | None:
    """Return what goes before ``apt-get`` so that it asks nothing, None if it may not install."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    probe = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if probe.returncode == 0 else None


def by_hand(packages: Iterable[str], purpose: str) -> str:
    """Tell the reader the one command that installs what is missing."""
    return (
        f"Missing for {purpose}; on Debian or Ubuntu install it with:\n"
        f"    sudo apt-get install {' '.join(packages)}\n"
        "and elsewhere install the packages that correspond to these."
    )


def provide_system_packages(packages: Sequence[str], *, purpose: str) -> None:
    """Install Debian packages if that needs no password, else print the command."""
    prefix = apt_prefix()
    if prefix is None:
        say(by_hand(packages, purpose))
        return
    say(f"Installing for {purpose}: {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    for command in (
        [*apt, "update"],
        [*apt, "-o", "DPkg::Lock::Timeout=120", "install", "--no-install-recommends", *packages],
    ):
        if subprocess.run(command, check=False).returncode != 0:
            say(by_hand(packages, purpose))
            return


def prepare_window() -> None:
    """See to the system libraries and the font that Qt needs on Linux."""
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(QT_LIBRARIES, is_present=is_loadable)
    if not has_font():
        packages["a font"] = "fonts-dejavu-core"
    if packages:
        say(f"The window lacks {', '.join(packages)}.")
        provide_system_packages(sorted(set(packages.values())), purpose="the window")


def prepare_test_tools() -> None:
    """See to the programs without which some tests on Linux skip, with the reason."""
    if not sys.platform.startswith("linux"):
        return
    packages = missing_packages(TEST_TOOLS, is_present=shutil.which)
    if packages:
        provide_system_packages(sorted(packages.values()), purpose="the tests on a virtual screen")


def set_up(arguments: Sequence[str]) -> int:
    """Make .venv, install the pinned packages and what Qt needs of the system."""
    if arguments:
        say(f"setup takes no arguments, but was given: {' '.join(arguments)}")
        return 2
    install_packages()
    prepare_window()
    say("Ready: python3 packaging/dev.py run")
    return 0


# Running --------------------------------------------------------------------------------------


def has_screen(environ: Mapping[str, str], platform: str) -> bool:
    """Say whether a window can be shown, or Qt was told what to do without a screen."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not platform.startswith("linux") or any(environ.get(name) for name in names)


def wants_no_window(arguments: Sequence[str]) -> bool:
    """Say whether the arguments for axdesk already choose something other than the window."""
    return not {"--headless", "--help", "-h", "--version"}.isdisjoint(arguments)


def run_command(arguments: Sequence[str], environ: Mapping[str, str], platform: str) -> list[str]:
    """Return the arguments for axdesk: as given, or the shipped example where no screen is."""
    if wants_no_window(arguments) or has_screen(environ, platform):
        return list(arguments)
    resources = ROOT / "resources"
    example = resources / "experiments" / "hartmann6.toml"
    return ["--headless", "run", str(example), "--plugins", str(resources / "plugins"), *arguments]


def run(arguments: Sequence[str]) -> int:
    """Start axdesk with the given arguments; without a screen, its example in the terminal."""
    install_packages()
    chosen = run_command(arguments, os.environ, sys.platform)
    if chosen != list(arguments):
        say("There is no display: running the Hartmann6 example without a window.")
    elif not wants_no_window(arguments):
        prepare_window()
    command = [str(PYTHON), "-m", "axdesk", *chosen]
    if os.name != "nt":
        os.execv(command[0], command)  # signals and the exit code are axdesk's own
    signal.signal(signal.SIGINT, lambda *_: None)  # axdesk gets Ctrl-C too, and decides
    return subprocess.run(command, check=False).returncode


# Testing --------------------------------------------------------------------------------------


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


def run_step(step: Step, environ: Mapping[str, str]) -> Outcome:
    """Run one step to its end or the end of its budget, and say how it went."""
    say(f"\n== {step.name} (at most {step.budget} s)")
    started = time.monotonic()
    process = subprocess.Popen(step.command, cwd=ROOT, env=environ, start_new_session=True)
    returncode = None
    try:
        returncode = process.wait(timeout=step.budget)
    except subprocess.TimeoutExpired:
        say(f"{step.name} did not end within {step.budget} s.")
    finally:
        end_tree(process)
        process.wait()
    say(f"== {step.name}: {time.monotonic() - started:.1f} s")
    return judge(step, returncode)


def test(arguments: Sequence[str]) -> int:
    """Check format, lint, types and import contracts, then run each suite; or those named."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        steps = list_steps(Path(folder))
        unknown = set(arguments) - {step.name for step in steps}
        if unknown:
            known = " ".join(step.name for step in steps)
            say(f"No such step: {' '.join(sorted(unknown))}. There are: {known}")
            return 2
        install_packages()
        prepare_window()
        prepare_test_tools()
        home = Path(folder, "home")
        home.mkdir(mode=0o700)
        environ = suite_environment(home)
        outcomes = [
            run_step(step, environ) for step in steps if not arguments or step.name in arguments
        ]
    say("")
    for outcome in outcomes:
        say(f"{'FAILED' if outcome.failed else 'ok':7}{outcome.name:15}{outcome.remark}")
    say(totals(outcomes))
    return 1 if any(outcome.failed for outcome in outcomes) else 0


VERBS: dict[str, Callable[[Sequence[str]], int]] = {"setup": set_up, "run": run, "test": test}


def usage() -> str:
    """List the verbs with the first line of what each says of itself."""
    lines = ["usage: python3 packaging/dev.py VERB [ARGUMENTS]", ""]
    lines += [f"  {name:8}{(verb.__doc__ or '').splitlines()[0]}" for name, verb in VERBS.items()]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Run the verb named first with the arguments that follow; return the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older Python reads this sentence
        say(f"axdesk needs Python 3.11 or newer, and this is {sys.version.split()[0]}.")
        return 2
    if not arguments or arguments[0] not in VERBS:
        say(usage())
        return 0 if {"-h", "--help"} & set(arguments[:1]) else 2
    try:
        return VERBS[arguments[0]](arguments[1:])
    except KeyboardInterrupt:
        say("Interrupted.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
