"""What runs in a plugin host process: one request after the other, in the main thread.

Requests and answers are JSON, one on a line. Of this process, nobody but the laboratory's code is
to be trusted with anything: it may close or overwrite every descriptor, fork, or end the process.
"""

import base64
import faulthandler
import io
import json
import os
import queue
import select
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from axdesk.core.errors import AxdeskError, PluginError
from axdesk.core.plugins import PluginCatalogue
from axdesk.plugins import wire
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.call_request import carry_out
from axdesk.plugins.contract_check import checked_classes
from axdesk.plugins.loader import LoadedPlugins, load_file

if TYPE_CHECKING:
    from axdesk.core.laboratory import IMetric, IRunner

SECONDS_TO_END = 0.5
"""So long may handlers at exit of the laboratory's code take; then the process ends anyway."""

_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Answer requests until there are no more; then the process ends, within half a second."""
    requests, answers = _taken_pipes()
    _let_survivors_print(answers)
    _die_with_parent()
    # Ctrl-C is the parent's affair. A handler is not inherited by the programs that the
    # laboratory's code starts, as SIG_IGN would be.
    signal.signal(signal.SIGINT, lambda *_: None)
    _write_no_core_dump()
    faulthandler.enable(all_threads=False)
    answers.write(_line({"id": wire.HELLO}))
    inbox: queue.SimpleQueue[bytes | int] = queue.SimpleQueue()
    threading.Thread(
        target=_receive, args=(requests, inbox), name="axdesk-requests", daemon=True
    ).start()
    plugins = _HostedPlugins()
    host = os.getpid()
    while isinstance(item := inbox.get(), bytes):
        answer = plugins.answer(json.loads(item))
        if os.getpid() != host:
            # The laboratory's code forked, and the child came back here: it is nobody's host.
            os._exit(0)
        answers.write(answer)
    sys.exit(item)


class _Pipe:
    """A descriptor, and what it was open for when the laboratory's code had not run yet."""

    def __init__(self, standard: int) -> None:
        self._descriptor = os.dup(standard)
        self._was = os.fstat(self._descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def read(self) -> bytes:
        self._check()
        return os.read(self._descriptor, 65536)

    def write(self, line: bytes) -> None:
        data = memoryview(line)
        try:
            while data:
                self._check()
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            os._exit(wire.CANNOT_ANSWER)

    def _check(self) -> None:
        # Its number may belong by now to a file or an instrument of the laboratory.
        if not os.path.samestat(os.fstat(self._descriptor), self._was):
            raise OSError("the descriptor was replaced")


def _taken_pipes() -> tuple[_Pipe, _Pipe]:
    """Move requests and answers out of the way of whatever reads and prints."""
    requests, answers = _Pipe(0), _Pipe(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Last words must have left before a crash, and no character may fail a call.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    return requests, answers


def _line(answer: Mapping[str, Any]) -> bytes:
    # What the laboratory's code wrote here by mistake is kept apart by the first line break.
    return b"\n" + json.dumps(answer).encode("ascii") + b"\n"


def _receive(requests: _Pipe, inbox: "queue.SimpleQueue[bytes | int]") -> None:
    rest = b""
    try:
        while data := requests.read():
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                inbox.put(line)
    except OSError:
        # The laboratory's code closed it; the call that does so may still be answered.
        inbox.put(wire.CANNOT_ANSWER)
        return
    inbox.put(0)
    time.sleep(SECONDS_TO_END)
    os._exit(0)


def _let_survivors_print(answers: _Pipe) -> None:
    """Have what is printed read for ever, so that no program dies of it that outlives axdesk.

    The laboratory's code may start a measuring program that goes on when this process and axdesk
    have ended. A pipe that nobody reads would kill it as soon as it prints. On Linux a process
    that belongs to nobody waits until axdesk reads no more, then reads until nobody prints.
    """
    if sys.platform != "linux":
        return
    try:
        prints = os.open("/proc/self/fd/2", os.O_RDONLY)
        child = os.fork()
    except OSError:  # a Linux without /proc, or no process to spare
        return
    if child:
        os.close(prints)
        os.waitpid(child, 0)
        return
    # This runs in a child that never returns. Its own child is adopted, so that code of the
    # laboratory that waits for "any child" does not meet it.
    if os.fork() == 0:
        os.setsid()
        os.dup2(prints, 0)
        os.dup2(answers.fileno(), 1)
        os.closerange(2, 256)
        gone = select.poll()
        gone.register(1, 0)  # told is only the error that nobody can read any more
        gone.poll()
        while os.read(0, 65536):
            pass
    os._exit(0)


def _die_with_parent() -> None:
    """Have Linux kill this process when its parent dies, even while C code holds the GIL."""
    if sys.platform == "linux":
        try:
            import ctypes
        except ImportError:  # a Python without it is told of its parent's death by the pipe alone
            return
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def _write_no_core_dump() -> None:
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))


class _HostedPlugins:
    """The classes of one plugin file, and the runner and metrics that are made of them."""

    def __init__(self) -> None:
        self._plugins = LoadedPlugins(PluginCatalogue(""), {})
        self._built: dict[str | None, IRunner | IMetric] = {}

    def answer(self, request: Mapping[str, Any]) -> bytes:
        """Do what a request asks for; never raises."""
        try:
            done = getattr(self, f"_{request['do']}")(request)
            return _line({"id": request["id"], "done": done})
        except AxdeskError as error:
            fields = wire.from_error(error)
        except BaseException as error:  # noqa: BLE001  # such as no memory left for the answer
            fields = wire.from_error(PluginError(f"It ended with {type(error).__name__}."))
        return _line({"id": request["id"], "error": fields})

    def _load(self, request: Mapping[str, Any]) -> object:
        path = Path(request["path"])
        file, classes = load_file(path, base64.b64decode(request["source"]))
        self._plugins = LoadedPlugins(PluginCatalogue(str(path.parent), (file,)), classes)
        return wire.from_file(file)

    def _build(self, request: Mapping[str, Any]) -> object:
        choice, metric = wire.to_choice(request["choice"]), request["metric"]
        self._built[metric] = (
            build_runner(self._plugins, choice)
            if metric is None
            else build_metric(self._plugins, choice, metric)
        )
        return None

    def _check(self, request: Mapping[str, Any]) -> object:
        return [wire.from_check(c) for c in checked_classes(self._plugins, request["options"])]

    def _call(self, request: Mapping[str, Any]) -> object:
        call = wire.to_call(request["call"])
        return wire.from_answer(carry_out(self._built[call.metric], call))
