"""What ends a run from outside, and what does not: signals, and a terminal that goes away."""

import os
import sys
from typing import Any

import pytest

SECONDS = 60

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
