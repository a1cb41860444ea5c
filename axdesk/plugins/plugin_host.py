"""The processes of one plugin file, one after the other, and the thread that drives them."""

import base64
import hashlib
import logging
import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from axdesk.core.errors import AxdeskError, CallFailedError, DeadlineError, PluginError
from axdesk.core.plugins import PluginChoice, PluginFile
from axdesk.core.protocols import REST_SECONDS, Clock
from axdesk.plugins import wire
from axdesk.plugins.call_request import CallRequest
from axdesk.plugins.host_output import HostOutput
from axdesk.plugins.host_process import HostEndedError, HostProcess
from axdesk.plugins.plugin_calls import TThen, settle
from axdesk.plugins.restarts import MOST_CRASHES, WITHIN_SECONDS, Restarts

SECONDS_TO_START = 60.0
"""For a process to start, to import the file and to make the runner and the metrics."""

_SECONDS_TO_JOIN = 5.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PluginSource:
    """A plugin file as it was read once: every process of it runs these bytes."""

    path: Path
    code: bytes

    @property
    def sha256(self) -> str:
        """Of the bytes, in hex."""
        return hashlib.sha256(self.code).hexdigest()

    def load(self, process: HostProcess, until: float) -> PluginFile:
        """Run the file in a process that is ready.

        Args:
            process: Where.
            until: Time of `time.monotonic` at which the process is killed.

        Raises:
            PluginError: If it cannot even be described.
            HostEndedError: If the process ends.
            TimeoutError: If it takes too long.
        """
        request = {
            "do": "load",
            "path": str(self.path.absolute()),
            "source": base64.b64encode(self.code).decode("ascii"),
        }
        return wire.to_file(process.ask(request, until - time.monotonic()))


@dataclass(frozen=True, slots=True)
class PluginPart:
    """A runner or a metric to be made.

    Attributes:
        metric: The metric's name; None for the runner.
        choice: Of which class.
    """

    metric: str | None
    choice: PluginChoice


@dataclass(frozen=True, slots=True, eq=False)
class HostCall:
    """A request in the queue of its file."""

    request: CallRequest
    future: Future[Any]
    then: TThen


class PluginHost:
    """Calls of one plugin file, in order, in a process that is replaced when it ends.

    A thread of its own starts each process: Linux ends a process together with the thread that
    started it. It lives until `close`.
    """

    def __init__(
        self, source: PluginSource, parts: tuple[PluginPart, ...], python: str, clock: Clock
    ) -> None:
        """Start a process; `ready` tells what becomes of it.

        Args:
            source: The file.
            parts: What is made of it.
            python: As in `host_command`.
            clock: For the pauses before restarts.
        """
        self.output = HostOutput(source.path.name, clock)
        self.ready: Future[PluginFile] = Future()
        self._source = source
        self._parts = parts
        self._python = python
        self._clock = clock
        self._restarts = Restarts(clock)
        self._jobs: queue.SimpleQueue[HostCall | None] = queue.SimpleQueue()
        self._closing: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._is_closing = False
        self._is_starting = False
        self._process: HostProcess | None = None
        self._current: HostCall | None = None
        # Reentrant: whoever waits for a Future may answer it with another call.
        self._lock = threading.RLock()
        self._thread = threading.Thread(
            target=self._drive, name=f"axdesk-plugin-{self._name}", daemon=True
        )
        self._thread.start()

    @property
    def _name(self) -> str:
        return self._source.path.name

    def put(self, call: HostCall) -> None:
        """Queue a call."""
        self._jobs.put(call)

    def give_up(self, call: HostCall, reason: str) -> None:
        """Fail a call with a `DeadlineError`; one that was entered ends with its process."""
        with self._lock:
            if self._current is call and self._process is not None:
                self._current = None
                self._process.kill()
            settle(call.future, DeadlineError(reason, details=self.output.last_prints()))

    def close(self) -> None:
        """Begin to end the process and the thread; `join` waits for them."""
        with self._lock:
            self._is_closing = True
            if self._process is not None and (self._is_starting or self._current is not None):
                self._process.kill()
        self._closing.put("closing")
        self._jobs.put(None)

    def join(self) -> None:
        """Wait for the end, but not for ever."""
        self._thread.join(_SECONDS_TO_JOIN)

    def _drive(self) -> None:
        try:
            settle(self.ready, self._start()[1])
        except BaseException as error:  # noqa: BLE001  # raised again by who waits
            settle(self.ready, error)
        while (call := self._jobs.get()) is not None:
            try:
                self._serve(call)
            except BaseException as error:  # noqa: BLE001  # raised again by who waits
                settle(call.future, error)
            del call
        self._drop(gently=True)

    def _serve(self, call: HostCall) -> None:
        if call.future.done():
            _enters(call.future)
            return
        if self._is_closing:
            settle(call.future, self._closed(call, was_entered=False))
            return
        try:
            process = self._ready_process()
        except AxdeskError as error:
            failure = CallFailedError(
                f"{call.request.text} was not reached: {error.message}",
                error.hint,
                details=getattr(error, "details", ""),
                was_entered=False,
            )
            settle(call.future, failure)
            return
        with self._lock:
            if not _enters(call.future):
                return
            self._current = call
        outcome = _outcome(process, call.request)
        with self._lock:
            was_given_up, self._current = self._current is None, None
            if not was_given_up and not isinstance(outcome, HostEndedError):
                self._restarts.worked()
                self.output.end_call()
                if isinstance(outcome, BaseException):
                    settle(call.future, outcome)
                else:
                    call.then(outcome)
                return
        last_lines = self._drop()
        if not isinstance(outcome, HostEndedError) or was_given_up:
            return
        if outcome.was_reached or self._is_closing:
            self._fail(call, outcome, last_lines)
            return
        # It had died between calls, and nobody had noticed yet: another one takes the call.
        self._restarts.crashed()
        self._serve(call)

    def _fail(self, call: HostCall, ended: HostEndedError, last_lines: str) -> None:
        if self._is_closing:
            settle(call.future, self._closed(call, was_entered=ended.was_reached))
            return
        self._restarts.crashed()
        text = f"{call.request.text} failed: the process of {self._name} {ended.how}."
        hint = "The next call starts a new one."
        failure = CallFailedError(text, hint, details=last_lines, was_entered=ended.was_reached)
        settle(call.future, failure)

    def _closed(self, call: HostCall, *, was_entered: bool) -> CallFailedError:
        return CallFailedError(
            f"{call.request.text} was ended, because its plugins were closed.",
            was_entered=was_entered,
        )

    def _ready_process(self) -> HostProcess:
        """Return the process, or another one in its place if it has ended.

        Raises:
            AxdeskError: If there can be none now.
        """
        if self._process is not None and not self._process.is_usable:
            how = self._process.how_it_ended()
            _log.warning("The process of %s %s between calls.\n%s", self._name, how, self._drop())
            self._restarts.crashed()
        if self._process is not None:
            return self._process
        if self._restarts.rest:
            raise PluginError(
                f"the process of {self._name} crashed {MOST_CRASHES} times within "
                f"{WITHIN_SECONDS / 60:.0f} minutes, and gets another one "
                f"{REST_SECONDS:.0f} s after the last crash."
            )
        if self._restarts.pause:
            self._clock.receive(self._closing, self._restarts.pause)
        try:
            return self._start()[0]
        except AxdeskError:
            self._restarts.crashed()
            raise

    def _start(self) -> tuple[HostProcess, PluginFile]:
        """Start a process that runs the file and makes the parts.

        Raises:
            AxdeskError: If that fails.
        """
        until = time.monotonic() + SECONDS_TO_START
        doing = f"loading {self._name}"
        process = HostProcess(self._python, self.output)
        with self._lock:
            self._process = process
            self._is_starting = True
            if self._is_closing:
                process.kill()
        try:
            process.greet(until - time.monotonic())
            file = self._source.load(process, until)
            for part in self._parts:
                doing = f"making {part.choice.reference}"
                choice = wire.from_choice(part.choice)
                request = {"do": "build", "metric": part.metric, "choice": choice}
                process.ask(request, until - time.monotonic())
        except (HostEndedError, TimeoutError) as error:
            problem = (
                f"its process {error.how} while {doing}"
                if isinstance(error, HostEndedError)
                else f"{doing} took longer than {SECONDS_TO_START:.0f} s, and its process was ended"
            )
            raise PluginError(
                f"{self._name} cannot be used: {problem}.", details=self._drop()
            ) from None
        except BaseException:
            self._drop()
            raise
        finally:
            self._is_starting = False
        return process, file

    def _drop(self, *, gently: bool = False) -> str:
        """End the process, if there is one, and return what it printed last."""
        with self._lock:
            process, self._process = self._process, None
        return "" if process is None else process.end(gently=gently)


def _enters(future: Future[Any]) -> bool:
    """Make a Future running; one that was cancelled tells so, one that was given up stays."""
    if future.running():
        return True
    if future.done() and not future.cancelled():
        return False
    return future.set_running_or_notify_cancel()


def _outcome(process: HostProcess, request: CallRequest) -> Any:
    """Return the answer, or the exception in its place."""
    try:
        return wire.to_answer(request, process.ask({"do": "call", "call": wire.from_call(request)}))
    except BaseException as error:  # noqa: BLE001  # raised again by who waits
        return error
