"""One plugin host process, seen from axdesk."""

import functools
import json
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from axdesk.core.errors import PluginError
from axdesk.plugins import host_program, wire
from axdesk.plugins.host_loop import SECONDS_TO_END
from axdesk.plugins.host_output import HostOutput

_LONGEST_ANSWER = 4_000_000
_SECONDS_TO_JOIN = 2.0
_SIGNALS = {
    "SIGSEGV": "a segmentation fault (SIGSEGV)",
    "SIGABRT": "an abort (SIGABRT)",
    "SIGKILL": "a kill from outside (SIGKILL), perhaps for want of memory",
}
_NO_ANSWER = object()
_GARBLED = "wrote into the pipe that is for axdesk's own messages, and was ended"


class HostEndedError(Exception):
    """The process is gone.

    Attributes:
        how: `"was ended by a segmentation fault (SIGSEGV)"`.
        was_reached: Whether it may have read the request.
    """

    def __init__(self, how: str, *, was_reached: bool = True) -> None:
        super().__init__(how)
        self.how = how
        self.was_reached = was_reached


def host_command(python: str) -> list[str]:
    """Return the command line of a plugin host.

    Args:
        python: Path of a Python, or a command on the search path; empty for axdesk's own.

    Raises:
        PluginError: If there is no such program.
    """
    if not python and getattr(sys, "frozen", False):
        return [sys.executable, "--plugin-host"]
    program = sys.executable if not python else shutil.which(str(Path(python).expanduser()))
    if program is None:
        raise PluginError(
            f"The Python {python!r} for the plugins is no program that can be run.",
            "Give the path of a Python, such as /opt/lab/bin/python, or a command on the PATH.",
        )
    return [program, str(Path(host_program.__file__).resolve())]


class HostProcess:
    """A process that was started, the threads that read from it, and how it ended.

    It dies with the thread that made it, on Linux, or with this process. One thread asks; any
    may `kill`.
    """

    def __init__(self, python: str, output: HostOutput) -> None:
        """Start the process.

        Raises:
            PluginError: If that is not possible.
        """
        command = host_command(python)
        self._python = command[0]
        self._output = output
        self._number = wire.HELLO
        self._awaited: int | None = wire.HELLO
        self._is_garbled = False
        self._answers: queue.SimpleQueue[object] = queue.SimpleQueue()
        # Ends of pipes stay open where a descendant of the process holds them. The two that this
        # side keeps let it write a mark behind whatever the process itself has written.
        self._mark = b"\0" + secrets.token_hex(16).encode("ascii") + b"\n"
        pipes: list[tuple[int, int]] = []
        try:
            pipes.extend(os.pipe() for _ in range(3))
            asked, self._requests = pipes[0]
            self._answers_begin, self._answers_end = pipes[1]
            printed, self._prints_end = pipes[2]
            self._process = subprocess.Popen(
                command, stdin=asked, stdout=self._answers_end, stderr=self._prints_end,
                **_new_session(),
            )  # fmt: skip
        except OSError as error:
            for descriptor in (end for pipe in pipes for end in pipe):
                os.close(descriptor)
            raise PluginError(
                f"The Python {self._python} for the plugins cannot be started: {error.strerror}."
            ) from None
        os.close(asked)
        self._threads = [
            threading.Thread(target=work, name="axdesk-plugin-host", daemon=True)
            for work in (
                self._watch,
                self._read_answers,
                functools.partial(self._read_prints, printed),
            )
        ]
        try:
            for thread in self._threads:
                thread.start()
        except RuntimeError as error:
            self.kill()
            self._threads = [thread for thread in self._threads if thread.ident is not None]
            if not self._threads:
                self._watch()
            self.end()
            os.close(printed)
            raise PluginError(f"{self._python} cannot be followed: {error}.") from None

    @property
    def is_usable(self) -> bool:
        """Whether it lives, and has not written nonsense since the last request."""
        return self._process.returncode is None and not self._is_garbled

    def greet(self, seconds: float) -> None:
        """Wait until the process is ready for requests.

        Raises:
            PluginError: If it is no Python, or one that is too old or too slow; it is ended.
        """
        try:
            hello = self._received(seconds)
        except (HostEndedError, TimeoutError) as error:
            how = getattr(error, "how", f"was not ready within {seconds:.0f} s, and was ended")
            raise PluginError(
                f"{self._python} cannot run plugins: it {how}.",
                "Choose a Python, 3.11 or newer.",
                details=self.end(),
            ) from None
        if "too_old" in hello:
            raise PluginError(
                f"{self._python} is Python {hello['too_old']}; plugins need 3.11 or newer.",
                "Choose another Python for the plugins.",
            )

    def ask(self, request: Mapping[str, Any], seconds: float | None = None) -> Any:
        """Return what a request gives.

        Raises:
            AxdeskError: That the request itself raised there.
            HostEndedError: If the process ended meanwhile, or answered nonsense and was killed.
            TimeoutError: If there is no answer in time; the process is killed.
        """
        self._number += 1
        self._awaited = self._number
        line = json.dumps({"id": self._number, **request}).encode("ascii") + b"\n"
        try:
            data = memoryview(line)
            while data:
                data = data[os.write(self._requests, data) :]
        except OSError:
            raise HostEndedError(self.how_it_ended(), was_reached=False) from None
        answer = self._received(seconds)
        if "error" in answer:
            raise wire.to_error(answer["error"])
        return answer.get("done")

    def kill(self) -> None:
        """End the process at once, whatever it does, but nothing that it has started."""
        self._process.kill()

    def end(self, *, gently: bool = False) -> str:
        """End the process and all that belongs to it here; more than once does no harm.

        Args:
            gently: Whether code that the laboratory registered to run at the end may do so.

        Returns:
            What it printed last.
        """
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1
        if gently:
            self._threads[0].join(2 * SECONDS_TO_END)
        self.kill()
        for thread in self._threads:
            thread.join(_SECONDS_TO_JOIN)
        if self._answers_begin >= 0:
            # Last of all: it tells who reads after us that we read no more.
            os.close(self._answers_begin)
            self._answers_begin = -1
        return self._output.end_process()

    def _received(self, seconds: float | None) -> Mapping[str, Any]:
        try:
            answer = self._answers.get(timeout=None if seconds is None else max(0.0, seconds))
        except queue.Empty:
            self.kill()
            raise TimeoutError from None
        if answer is None:
            raise HostEndedError(self.how_it_ended())
        if not isinstance(answer, dict):
            self.kill()
            raise HostEndedError(_GARBLED)
        return answer

    def how_it_ended(self) -> str:
        """Return `"was ended by a segmentation fault (SIGSEGV)"`."""
        if self._is_garbled:
            return _GARBLED
        self._threads[0].join(_SECONDS_TO_JOIN)
        status = self._process.returncode
        if status is None:
            return "closed the pipe that brings its requests"
        if status == wire.CANNOT_ANSWER:
            return "closed or replaced the pipe that takes its answers"
        if status >= 0:
            unsigned = f" (0x{status:X})" if status > 255 else ""
            return f"ended itself with exit status {status}{unsigned}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        return f"was ended by {_SIGNALS.get(name, name)}"

    def _watch(self) -> None:
        self._process.wait()
        for descriptor in (self._answers_end, self._prints_end):
            os.write(descriptor, self._mark)
            os.close(descriptor)

    def _read_prints(self, descriptor: int) -> None:
        for chunk in self._chunks(descriptor):
            self._output.feed(chunk)
        os.close(descriptor)

    def _read_answers(self) -> None:
        line = b""
        for chunk in self._chunks(self._answers_begin):
            if self._is_garbled:
                continue
            *ended, line = (line + chunk).split(b"\n")
            for text in filter(None, ended):
                self._take(text)
            if len(line) > _LONGEST_ANSWER:
                self._take(line)
                line = b""
        self._answers.put(None)

    def _take(self, line: bytes) -> None:
        answer = _parsed(line)
        awaited = self._awaited
        if awaited is not None and answer.get("id") == awaited:
            self._awaited = None
            self._answers.put(answer)
        elif self._number == wire.HELLO:
            # A wrapper or a start-up file of that Python prints.
            self._output.feed(line + b"\n")
        elif not self._is_garbled:
            self._is_garbled = True
            self._answers.put(_NO_ANSWER)

    def _chunks(self, descriptor: int) -> Iterator[bytes]:
        """Yield what comes through a pipe, up to the mark."""
        held = b""
        while True:
            data = held + os.read(descriptor, 65536)
            at = data.find(self._mark)
            if at >= 0:
                if at:
                    yield data[:at]
                return
            start = data.rfind(b"\0", -len(self._mark))
            is_begun = start >= 0 and self._mark.startswith(data[start:])
            held = data[start:] if is_begun else b""
            yield data[: len(data) - len(held)]


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _new_session() -> dict[str, Any]:
    """Keep Ctrl-C and a closed terminal from the process, and console windows from the screen."""
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        return {"creationflags": flags}
    return {"start_new_session": True}
