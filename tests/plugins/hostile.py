"""Plugin files that do harm at one place, once, and what is left over afterwards."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil
import pytest

from axdesk.core.clock import SystemClock
from axdesk.core.plugins import PluginChoice
from axdesk.plugins.hosts import HostedPluginCalls

SECONDS = 30.0

# What is done stands in a file, which is removed before it is done: the next call is a good one.
HOSTILE = """
import ctypes, fcntl, os, resource, signal, stat, sys, threading, time
from pathlib import Path
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Odd(BaseException):
    pass


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def own_pipes(access):
    for descriptor in range(3, 30):
        try:
            mode = os.fstat(descriptor).st_mode
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        except OSError:
            continue
        if stat.S_ISFIFO(mode) and flags == access:
            yield descriptor


def kill_self(number):
    os.kill(os.getpid(), number)
    time.sleep(1000)


def recurse():
    return recurse() + 1


def no_memory():
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (10**9, most))
    try:
        bytearray(10**12)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def flood(megabytes):
    line = b"x" * 99 + b"\\\\n"
    for _ in range(megabytes):
        os.write(1, line * 10_000)


def garbage(data):
    for pipe in own_pipes(os.O_WRONLY):
        rest = data
        while rest:
            rest = rest[os.write(pipe, rest):]


def replace_pipe():
    file = os.open(Path(__file__).with_name("precious.txt"), os.O_RDWR | os.O_CREAT)
    for pipe in list(own_pipes(os.O_WRONLY)) + list(own_pipes(os.O_RDONLY)):
        os.dup2(file, pipe)


def fork():
    if os.fork():
        return
    print("the child is", os.getpid(), flush=True)


def spin():
    while True:
        pass


def exit_in_thread():
    threading.Thread(target=os._exit, args=(4,)).start()
    time.sleep(1000)


def no_term_and_hang():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(1000)


def raise_(error):
    raise error


DEEDS = {
    "segfault": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "os._exit": lambda: os._exit(3),
    "kill": lambda: kill_self(signal.SIGKILL),
    "terminate": lambda: kill_self(signal.SIGTERM),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "exit in thread": exit_in_thread,
    "close descriptors": lambda: os.closerange(0, 256),
    "close answers": lambda: os.closerange(3, 256),
    "replace pipes": replace_pipe,
    "garbage": lambda: garbage(b"garbage\\\\n"),
    "long garbage": lambda: garbage(b"g" * 5_000_000),
    "sys.exit": lambda: sys.exit(5),
    "recursion": recurse,
    "memory": no_memory,
    "odd": lambda: raise_(Odd("odd")),
    "mute": lambda: raise_(Mute()),
    "interrupt": lambda: raise_(KeyboardInterrupt()),
    "surrogate": lambda: raise_(OSError("no file \\\\udc80")),
    "sleep": lambda: time.sleep(1000),
    "spin": spin,
    "pause in C": lambda: ctypes.CDLL(None).pause(),
    "hold the GIL": lambda: ctypes.PyDLL(None).sleep(1000),
    "ignore SIGTERM": no_term_and_hang,
    "stop": lambda: kill_self(signal.SIGSTOP),
    "fork": fork,
    "thread": lambda: threading.Thread(target=time.sleep, args=(1000,)).start(),
    "flood": lambda: flood(30),
    "flood of 1 GB": lambda: flood(1000),
    "interrupt handler": lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
}


def act(place):
    order = Path(__file__).with_suffix(".order")
    try:
        deed, at = order.read_text().split("@")
    except FileNotFoundError:
        return
    if at == place:
        print("about to", deed)
        order.unlink()
        DEEDS[deed]()


act("import")


class Rig(IRunner):
    def __init__(self):
        act("constructor")

    def run_trial(self, trial_index, parameterization):
        act("run_trial")
        return {"pid": os.getpid()}

    def poll_trial(self, trial_index, trial_metadata):
        act("poll_trial")
        return TrialStatus.RUNNING

    def stop_trial(self, trial_index, trial_metadata):
        act("stop_trial")
        return {}

    def find_trial(self, trial_index, parameterization):
        act("find_trial")
        return None


class Gauge(IMetric):
    def fetch(self, trial_index, trial_metadata):
        act("fetch")
        return 0, 1.5

    def is_available_while_running(self):
        act("is_available_while_running")
        return True
""".replace("\\\\", "\\")

CALM = """
from axdesk.api.protocols.metric import IMetric
class Calm(IMetric):
    def fetch(self, trial_index, trial_metadata):
        return 0, 2.5
"""

CALLS: dict[str, Callable[[HostedPluginCalls], "Future[Any]"]] = {
    "run_trial": lambda calls: calls.run_trial(7, {"x": 1}),
    "poll_trial": lambda calls: calls.poll_trial(7, {}),
    "stop_trial": lambda calls: calls.stop_trial(7, {}),
    "find_trial": lambda calls: calls.find_trial(7, {"x": 1}),
    "fetch": lambda calls: calls.fetch("gauge", 7, {}),
    "is_available_while_running": lambda calls: calls.available_while_running(),
}


class LeapingClock(SystemClock):
    """Pauses take no time, yet they pass; so does what a test asks for."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return super().monotonic() + self.skipped

    def receive(self, inbox: "SimpleQueue[object]", seconds: float | None) -> object | None:
        self.pauses.append(seconds or 0.0)
        self.skipped += seconds or 0.0
        return None


class Laboratory:
    """A folder with a hostile file and a calm one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = LeapingClock()
        self.printed: list[tuple[str, str]] = []
        (folder / "rig.py").write_text(HOSTILE, "utf-8")
        (folder / "calm.py").write_text(CALM, "utf-8")

    def calls(self, python: str = "") -> HostedPluginCalls:
        return HostedPluginCalls(
            self.folder,
            PluginChoice("rig.py:Rig", {}),
            (
                ("gauge", PluginChoice("rig.py:Gauge", {})),
                ("calm", PluginChoice("calm.py:Calm", {})),
            ),
            python,
            clock=self.clock,
        )

    def order(self, deed: str, place: str) -> None:
        (self.folder / "rig.order").write_text(f"{deed}@{place}")

    def wait_until_done(self) -> None:
        wait_for(lambda: not (self.folder / "rig.order").exists())


def wait_for(condition: Callable[[], object]) -> None:
    pause = threading.Event()
    for _ in range(int(SECONDS / 0.005)):
        if condition():
            return
        pause.wait(0.005)
    pytest.fail("it did not happen")


def marked(mark: str) -> list[int]:
    """Return the live processes that were started with a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AXDESK_TEST") == mark:
                found.append(process.pid)
        except psutil.Error:
            continue
    return [pid for pid in found if pid != os.getpid()]


@contextmanager
def nothing_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Fail if a process or a descriptor is left; conftest looks for threads."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv("AXDESK_TEST", mark)
    me = psutil.Process()
    before = me.num_fds()
    yield mark
    assert not me.children(), "a process or a zombie is left"
    wait_for(lambda: not marked(mark))
    wait_for(lambda: me.num_fds() <= before)
