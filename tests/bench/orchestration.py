"""Run the tutorial's closed loop in real time, and hold it against a loop that costs nothing.

The ceiling is what such a loop reaches that must poll each trial at the same interval and space its
launches as much.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import peers
from suites import suite_environment
from tests.bench.loop import Settings

ROOT = Path(__file__).resolve().parents[2]
HEAD = "| package | polled each | launches | ideal, s | took, s | efficiency | of the ceiling |"
WAYS = {
    "axdesk": [(1.0, True), (1.0, False), (0.1, False)],
    "ax": [(1.0, True)],  # it polls at whole seconds, and spaces its launches
}


def play(package: str, settings: Settings) -> dict[str, Any]:
    """Run a loop in a process of the package's environment; return its figures.

    Raises:
        subprocess.CalledProcessError: If it failed; its own output stands above.
    """
    python = sys.executable if package == "axdesk" else str(peers.PEERS_PYTHON)
    command = [python, "-m", "tests.bench.loop", package, json.dumps(asdict(settings))]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environ = {**suite_environment(Path(home)), "PYTHONPATH": str(ROOT)}
        ran = subprocess.run(
            command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=True
        )
    figures: dict[str, Any] = json.loads(ran.stdout)
    return figures


def row(figures: dict[str, Any]) -> str:
    """Return the line of the table."""
    launches = "1 s apart" if figures["is_spaced"] else "at once"
    return (
        f"| {figures['package']} | {figures['interval']:g} s | {launches} "
        f"| {figures['ideal_s']:.1f} | {figures['wall_s']:.1f} | {figures['efficiency']:.3f} "
        f"| {figures['of_ceiling']:.3f} |"
    )


def main(arguments: Iterable[str]) -> int:
    """Run the loops one after the other, and print the table; return the exit status."""
    parser = argparse.ArgumentParser(prog="dev.py bench orchestration", description=__doc__)
    parser.add_argument("--packages", default=",".join(WAYS), metavar="A,B")
    parser.add_argument("--trials", type=int, default=Settings.trials)
    parser.add_argument("--seconds", type=float, default=Settings.seconds, help="of a trial")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write the table there, too")
    options = parser.parse_args(list(arguments))
    packages = options.packages.split(",")
    if unknown := set(packages) - set(WAYS):
        parser.error(f"no such package: {', '.join(unknown)}; there are {', '.join(WAYS)}")
    if "ax" in packages:
        peers.install_peers()
    lines = [HEAD, "|---|---|---|---|---|---|---|"]
    base = Settings(trials=options.trials, seconds=options.seconds)
    for package in packages:
        for interval, is_spaced in WAYS[package]:
            figures = play(package, replace(base, interval=interval, is_spaced=is_spaced))
            lines.append(row(figures))
    text = "\n".join(lines)
    sys.stdout.write(f"{text}\n")
    if options.output is not None:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "orchestration.md").write_text(text + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
