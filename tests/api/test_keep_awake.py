"""The computer kept awake: a real process asks for it, and lets go with the end of the run."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from axdesk.api import keep_awake
from axdesk.api.keep_awake import kept_awake, why_not_awake

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd-inhibit")

INHIBIT = """#!/bin/sh
while [ "${1#--}" != "$1" ]; do echo "$1" >> "$ASKED"; shift; done
echo $$ > "$ASKED.pid"
exec "$@"
"""

REFUSE = """#!/bin/sh
echo 'Failed to inhibit: Access denied' >&2
exit 1
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a `systemd-inhibit` on the path of a computer that can sleep; return what it writes."""
    states = tmp_path / "state"
    states.write_text("freeze mem disk\n")
    monkeypatch.setattr(keep_awake, "_POWER_STATES", states)
    keep_awake._tell_once.cache_clear()
    asked = tmp_path / "asked"
    monkeypatch.setenv("ASKED", str(asked))

    def install(script: str) -> Path:
        program = tmp_path / "bin" / "systemd-inhibit"
        program.parent.mkdir(exist_ok=True)
        program.write_text(script)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return asked

    return install


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline


def runs(pid: str) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


def pid_of(asked: Path) -> str:
    file = asked.with_name("asked.pid")
    until(lambda: file.exists() and file.read_text().endswith("\n"))
    return file.read_text().strip()


def test_sleep_is_held_off_while_a_run_goes_on_and_no_longer(
    install: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    asked = install(INHIBIT)
    with kept_awake():
        pid = pid_of(asked)
        assert "--what=sleep:idle" in asked.read_text().split()
        assert runs(pid)
    assert not runs(pid)
    assert why_not_awake() == ""
    assert not caplog.records


def test_a_killed_axdesk_holds_nobody_awake(install: Callable[[str], Path]) -> None:
    asked = install(INHIBIT)
    script = (
        "import sys; from axdesk.api.keep_awake import kept_awake\n"
        "with kept_awake(): print('on', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as axdesk:
        assert axdesk.stdout is not None
        assert axdesk.stdout.readline() == b"on\n"
        pid = pid_of(asked)
        axdesk.kill()
    until(lambda: not runs(pid))


def test_a_refusal_is_told_once_and_the_run_goes_on(
    install: Callable[[str], Path], caplog: pytest.LogCaptureFixture
) -> None:
    install(REFUSE)
    caplog.set_level(logging.WARNING)
    for _ in range(2):
        with kept_awake():
            until(lambda: bool(caplog.records))
    (record,) = caplog.records
    assert "cannot be kept awake" in record.getMessage()
    assert "Access denied" in record.getMessage()
    assert "Access denied" in why_not_awake()


def test_a_computer_without_a_way_says_so_unless_it_never_sleeps(
    install: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    install(INHIBIT)
    monkeypatch.setenv("PATH", str(tmp_path))
    with kept_awake():
        pass
    assert "systemd-inhibit is not installed" in why_not_awake()
    assert len(caplog.records) == 1
    monkeypatch.setattr(keep_awake, "_POWER_STATES", tmp_path / "none")
    keep_awake._tell_once.cache_clear()
    with kept_awake():
        pass
    assert why_not_awake() == ""
    assert len(caplog.records) == 1
