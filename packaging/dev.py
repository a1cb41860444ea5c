"""Set up, run and test axdesk from a checkout, with nothing but Python 3.11 or newer.

Each verb first brings the environment up to date, which takes no time when nothing has changed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from environment import PYTHON, ROOT, install_packages, prepare_test_tools, prepare_window, say
from suites import list_steps, run_steps, suite_environment, totals

PEERS = "peers"
BENCHES = {
    "suggestions": "tests.bench.campaign",
    "orchestration": "tests.bench.orchestration",
    "window": "tests.gui.bench",
}


def set_up(arguments: Sequence[str]) -> int:
    """Make .venv, install the pinned packages and what Qt needs of the system."""
    if arguments:
        say(f"setup takes no arguments, but was given: {' '.join(arguments)}")
        return 2
    install_packages()
    prepare_window()
    say("Ready: python3 packaging/dev.py run")
    return 0


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
        chosen = [step for step in steps if not arguments or step.name in arguments]
        outcomes = run_steps(chosen, environ, Path(folder))
    say("")
    for outcome in outcomes:
        say(f"{'FAILED' if outcome.failed else 'ok':7}{outcome.name:15}{outcome.remark}")
    say(totals(outcomes))
    return 1 if any(outcome.failed for outcome in outcomes) else 0


def faults(arguments: Sequence[str]) -> int:
    """Inject faults into axdesk, all or of the families numbered; `peers`: six, Ax beside it."""
    if list(arguments) == [PEERS]:
        import peers  # its table needs what only a checkout has

        return peers.main()
    install_packages()
    prepare_window()
    prepare_test_tools()
    command = [str(PYTHON), "-m", "tests.faults.campaign", *arguments]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {**suite_environment(Path(home)), "PYTHONPATH": str(ROOT)}
        injected = subprocess.run(command, env=environ, check=False).returncode
    if arguments:
        return injected
    say("")
    return max(injected, faults([PEERS]))


def bench(arguments: Sequence[str]) -> int:
    """Measure suggestions and orchestration beside the peers, and the window; all or one named."""
    wanted = arguments[:1] or list(BENCHES)
    if wanted[0] not in BENCHES:
        say(f"No such bench: {wanted[0]}. There are: {' '.join(BENCHES)}")
        return 2
    install_packages()
    prepare_window()
    prepare_test_tools()
    path = os.pathsep.join([str(ROOT), str(ROOT / "packaging")])
    worst = 0
    for family in wanted:
        command = [str(PYTHON), "-m", BENCHES[family], *arguments[1:]]
        # What a family installs needs the user's own settings; it hides them from what it measures.
        environ: Mapping[str, str] = {**os.environ, "PYTHONPATH": path}
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            if family == "window":
                environ = {**suite_environment(Path(home)), "PYTHONPATH": str(ROOT)}
            ran = subprocess.run(command, env=environ, cwd=ROOT, check=False)
        worst = max(worst, ran.returncode)
    return worst


def screenshots(arguments: Sequence[str]) -> int:
    """Draw the pictures of the README from the real window; all or those named."""
    install_packages()
    prepare_window()
    prepare_test_tools()
    command = [str(PYTHON), "-m", "tests.gui.pictures", *arguments]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {**suite_environment(Path(home)), "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, env=environ, check=False).returncode


def bundle(arguments: Sequence[str]) -> int:
    """Build the installers of this system in dist, and try what was built; `smoke` only tries."""
    import bundle as installers

    if list(arguments) not in ([], ["smoke"]):
        say(f"bundle takes nothing or `smoke`, but was given: {' '.join(arguments)}")
        return 2
    install_packages()
    prepare_window()
    prepare_test_tools()
    is_well = True if arguments else installers.build()
    command = [str(PYTHON), "-m", "pytest", "-q", "-rs", str(ROOT / "tests" / "bundle")]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {**suite_environment(Path(home)), "AXDESK_BUNDLE": str(installers.FOLDER)}
        tried = subprocess.run(command, env=environ, cwd=ROOT, check=False).returncode
    return tried if is_well else tried or 1


VERBS: dict[str, Callable[[Sequence[str]], int]] = {
    "setup": set_up,
    "run": run,
    "test": test,
    "faults": faults,
    "bench": bench,
    "screenshots": screenshots,
    "bundle": bundle,
}


def usage() -> str:
    """List the verbs with the first line of what each says of itself."""
    lines = ["usage: python3 packaging/dev.py VERB [ARGUMENTS]", ""]
    lines += [f"  {name:12}{(verb.__doc__ or '').splitlines()[0]}" for name, verb in VERBS.items()]
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
