"""What ends a run from outside, and what does not: signals, and a terminal that goes away."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest

fcntl: Any = pytest.importorskip("fcntl")
termios: Any = pytest.importorskip("termios")

SECONDS = 60
PAGE = 4096
FIRST_LINE = 64
"""Bytes in which the first line of a run has room, and the second has not."""

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither these signals nor such terminals"
)


class Terminal:
    """A terminal that a process writes to."""

    def __init__(self) -> None:
        self.ours, self.theirs = os.openpty()

    def read_until(self, text: str) -> str:
        shown = ""
        while text not in shown:
            shown += os.read(self.ours, 1000).decode()
        return shown

    def read_all(self) -> str:
        shown = ""
        with suppress(OSError):  # nobody holds the other side any more
            while True:
                shown += os.read(self.ours, 1000).decode()
        return shown

    def close(self) -> None:
        os.close(self.ours)


def test_a_terminal_that_is_closed_does_not_end_the_run(lab: Any) -> None:
    terminal = Terminal()
    lab.flag("hold")
    process = lab.start("run", lab.file, stdout=terminal.theirs)
    os.close(terminal.theirs)
    terminal.read_until("1 running")
    terminal.close()
    lab.unflag("hold")
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert "6 of 6" in lab.run("status").stdout


def test_a_program_that_is_asked_to_end_leaves_its_trials_running(lab: Any) -> None:
    process = lab.start_held()
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 5, stderr
    assert "Go on with: axdesk --headless resume quick --database" in stderr
    assert "Traceback" not in stderr
    told = lab.run("status", "quick").stdout
    assert told.startswith("quick: interrupted\n")
    assert "1 running" in told
    assert "Reason: axdesk was asked to end (SIGTERM)" in told

    lab.unflag("hold")
    resumed = lab.run("resume", "quick")

    assert resumed.returncode == 0, resumed.stderr
    assert "6 of 6 trials finished" in resumed.stdout
    assert (lab.folder / "deployed").read_text().split() == list("012345")


def waiting_in(pipe: int) -> int:
    """Bytes that nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_what_does_not_answer_holds_no_program_that_is_asked_to_end(lab: Any) -> None:
    nobody_reads, full = os.pipe()
    os.set_blocking(full, False)
    with suppress(BlockingIOError):
        while True:
            os.write(full, bytes(PAGE))
    os.set_blocking(full, True)
    # The first line fits, so that it is seen when the run has begun; what it says next does not.
    os.read(nobody_reads, PAGE)
    os.write(full, bytes(PAGE - FIRST_LINE))
    before = waiting_in(nobody_reads)
    process = lab.start("run", lab.file, stdout=full)
    os.close(full)
    while waiting_in(nobody_reads) == before:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=SECONDS)
    os.close(nobody_reads)

    assert process.returncode == 5, stderr
    assert "does not answer" in stderr


def test_the_third_interrupt_leaves_what_cannot_be_stopped(lab: Any) -> None:
    told_by_the_plugin = lab.folder / "stopping"
    os.mkfifo(told_by_the_plugin)
    process = lab.start_held()
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if '"state": "stopping"' in line:
            break
    process.send_signal(signal.SIGINT)
    assert told_by_the_plugin.read_text() == "0"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 5, stderr
    assert "1 running" in lab.run("status", "quick").stdout


def test_a_hangup_that_is_ignored_ends_nothing(lab: Any) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = lab.start_held()
    finally:
        signal.signal(signal.SIGHUP, before)
    process.send_signal(signal.SIGHUP)
    lab.unflag("hold")
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, stderr


def test_a_terminal_is_left_as_it_was_found(lab: Any) -> None:
    terminal = Terminal()
    lab.flag("hold")
    process = lab.start("run", lab.file, stdout=terminal.theirs)
    os.close(terminal.theirs)
    shown = terminal.read_until("1 running")
    process.send_signal(signal.SIGHUP)
    shown += terminal.read_all()
    process.communicate(timeout=SECONDS)
    terminal.close()

    hide, show = "\x1b[?25l", "\x1b[?25h"
    assert process.returncode == 5
    assert hide in shown
    assert shown.rindex(show) > shown.rindex(hide)
    assert "quick.py: the plugin prints this\r\n" in shown
