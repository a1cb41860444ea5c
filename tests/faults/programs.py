"""Starting the real program `axdesk --headless`, watching it, and ending it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

ROOT = Path(__file__).parents[2]
SECONDS_TO_END = 60.0
"""Of a run that takes less than a second: only a hang lasts longer."""
SECONDS_BETWEEN_LOOKS = 0.002


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        code: Exit code; negative for the signal that ended it; None if it had to be ended.
        seconds: How long it ran.
        events: What it wrote on standard output, line by line.
        errors: What it wrote on standard error.
    """

    code: int | None
    seconds: float
    events: tuple[dict[str, Any], ...]
    errors: str

    @property
    def last_words(self) -> str:
        """The last line on standard error."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of one kind."""
        return [event for event in self.events if event["event"] == kind]


class Output:
    """The files that a program writes its two streams to."""

    _count = 0

    def __init__(self, folder: Path) -> None:
        Output._count += 1
        self.events = folder / f"events-{Output._count}.jsonl"
        self.errors = folder / f"errors-{Output._count}.txt"

    def ended(self, code: int | None, seconds: float) -> Ended:
        """Return what was written; a line that was cut short was not acknowledged."""
        text = self.events.read_text("utf-8") if self.events.exists() else ""
        lines = [line for line in text.split("\n")[:-1] if line.startswith("{")]
        errors = self.errors.read_text("utf-8", "replace") if self.errors.exists() else ""
        return Ended(code, seconds, tuple(json.loads(line) for line in lines), errors)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a started axdesk sees."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("AXDESK_")}
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}
    return {**ours, **threads, "PYTHONPATH": str(ROOT), **(extra or {})}


class Program:
    """One `python -m axdesk --headless …`, perhaps under another program such as strace."""

    def __init__(
        self,
        arguments: Sequence[object],
        folder: Path,
        *,
        under: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._output = Output(folder)
        command = [*under, sys.executable, "-m", "axdesk", "--headless", *map(str, arguments)]
        self._started = time.monotonic()
        with self._output.events.open("ab") as events, self._output.errors.open("ab") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(environ),
                stdin=subprocess.DEVNULL,
                stdout=events,
                stderr=errors,
                start_new_session=True,
            )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end_group(self.pid)
        self._process.wait()

    def send(self, number: int) -> None:
        """Send a signal to the program, not to its children."""
        if self._process.poll() is None:
            os.kill(self.pid, number)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def so_far(self) -> Ended:
        """Return what was written until now."""
        return self._output.ended(None, time.monotonic() - self._started)

    def wait_for(self, kind: str, count: int = 1, *, seconds: float = SECONDS_TO_END) -> bool:
        """Wait until that many events of a kind were written; say whether they were."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if len(self.so_far().kinds(kind)) >= count:
                return True
            if not self.is_running:
                break
            time.sleep(10 * SECONDS_BETWEEN_LOOKS)
        return len(self.so_far().kinds(kind)) >= count

    def wait(self, seconds: float = SECONDS_TO_END) -> Ended:
        """Wait until it ends; end it if it does not."""
        code: int | None
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        elapsed = time.monotonic() - self._started
        end_group(self.pid)
        self._process.wait()
        return self._output.ended(code, elapsed)


def end_group(pid: int) -> None:
    """End what is left of a program with all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


class Launcher:
    """Starts axdesk within milliseconds, by forking; one at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def close(self) -> None:
        """End it; it starts nothing more."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self,
        arguments: Sequence[object],
        folder: Path,
        *,
        environ: Mapping[str, str] | None = None,
        strace: Sequence[str] = (),
        kill_after: float | None = None,
        seconds: float = SECONDS_TO_END,
    ) -> Ended:
        """Run axdesk to its end.

        Args:
            arguments: Of `axdesk --headless`.
            folder: Where its output is kept.
            environ: Variables on top of the usual ones.
            strace: What strace is told to do to its main thread, which writes the database.
            kill_after: Seconds after which it is killed.
            seconds: After which it counts as hanging.
        """
        output = Output(folder)
        gate = folder / f"{output.events.stem}.gate"
        self._ask(
            {
                "arguments": ["--headless", *map(str, arguments)],
                "environ": dict(environ or {}),
                "output": str(output.events),
                "errors": str(output.errors),
                "gate": str(gate) if strace else "",
            }
        )
        pid = int(self._answer()["pid"])
        started = time.monotonic()
        watcher = self._attached(pid, strace, folder) if strace else None
        gate.touch()
        with killed_after(pid, seconds if kill_after is None else kill_after) as fired:
            code = int(self._answer()["code"])
        elapsed = time.monotonic() - started
        end_group(pid)
        if watcher is not None:
            watcher.wait()
        is_hanging = kill_after is None and fired.is_set()
        return output.ended(None if is_hanging else code, elapsed)

    def _ask(self, wanted: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")

    def _answer(self) -> dict[str, int]:
        assert self._process.stdout is not None
        answer: dict[str, int] = json.loads(self._process.stdout.readline())
        return answer

    @staticmethod
    def _attached(pid: int, strace: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
        said = folder / f"strace-{pid}.txt"
        with said.open("wb") as errors:
            command = ["strace", "-o", str(folder / f"calls-{pid}.txt"), "-p", str(pid), *strace]
            watcher = subprocess.Popen(command, stderr=errors)
        while b"attached" not in said.read_bytes():
            if watcher.poll() is not None:
                raise RuntimeError(f"strace could not attach: {said.read_text()}")
            time.sleep(SECONDS_BETWEEN_LOOKS)
        return watcher


@contextmanager
def killed_after(pid: int, seconds: float) -> Iterator[threading.Event]:
    """Kill a process that outlives the block's beginning by some seconds; tell by the event."""
    fired = threading.Event()

    def fire() -> None:
        fired.set()
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    timer = threading.Timer(seconds, fire)
    timer.daemon = True
    timer.start()
    try:
        yield fired
    finally:
        timer.cancel()
        timer.join()
