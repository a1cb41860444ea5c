"""A library user's program: Ctrl-C, imports, and the end of the interpreter."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api import scripts
from tests.api.laboratory import WAIT_SECONDS

ROOT = Path(__file__).parents[2]
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def begin(script: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(program)
        return program

    yield begin
    for program in started:
        program.kill()
        program.communicate()


def next_line(program: "subprocess.Popen[str]") -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to one process")
def test_the_first_interrupt_lets_running_trials_finish(start: Start) -> None:
    program = start(scripts.INTERRUPTED)
    assert next_line(program) == "deployed 0 False"
    program.send_signal(signal.SIGINT)
    assert next_line(program) == "stopping"
    output, _ = program.communicate("open\n", timeout=WAIT_SECONDS)
    assert output.split("\n")[0] == "interrupted ['COMPLETED']"
    assert program.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="a signal to one process")
def test_the_second_interrupt_stops_running_trials(start: Start) -> None:
    program = start(scripts.INTERRUPTED)
    assert next_line(program) == "deployed 0 False"
    program.send_signal(signal.SIGINT)
    assert next_line(program) == "stopping"
    program.send_signal(signal.SIGINT)
    assert next_line(program) == "interrupted ['ABANDONED']"
    assert program.wait(WAIT_SECONDS) == 0


def test_a_usual_run_never_imports_torch(start: Start) -> None:
    output, _ = start(scripts.USUAL_RUN).communicate(timeout=60)
    assert output.split() == [*" ".join(f"deployed {i} False" for i in range(7)).split(), "False"]


def test_the_interpreter_ends_though_the_client_was_not_closed(start: Start) -> None:
    program = start(scripts.LEFT_OPEN)
    assert [next_line(program) for _ in range(2)] == ["deployed 0 False", "deployed 1 False"]
    assert program.wait(WAIT_SECONDS) == 0
