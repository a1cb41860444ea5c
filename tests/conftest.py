"""What every test stands on: offscreen Qt, one numeric thread, a home of its own, no leaks."""

import itertools
import os
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Qt reads this when its application is made, numeric libraries theirs when they are imported.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
for _library in ("OMP", "MKL", "OPENBLAS"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# The same examples on every machine: a red test is red for everyone, whatever the load.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "explore", settings.get_profile("ci"), derandomize=False, max_examples=1000
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SECONDS_TO_END = 2.0


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Numbered home folders below one folder, cheaper than a temporary folder for each test."""
    base = tmp_path_factory.mktemp("homes")
    return (base / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home folder, so that no test meets what belongs to the user or to another."""
    home = next(homes)
    home.mkdir(mode=0o700)
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(home))
    for kind in ("CACHE", "CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
    for folder in ("APPDATA", "LOCAL_APPDATA"):
        monkeypatch.setenv(f"WIN_PD_OVERRIDE_{folder}", str(home))
    for name in [name for name in os.environ if name.startswith("AXDESK_")]:
        monkeypatch.delenv(name)
    return home


def _must_end(thread: threading.Thread) -> bool:
    return not thread.daemon or thread.name.lower().startswith("axdesk")


@pytest.fixture(autouse=True)
def no_leaked_threads() -> Iterator[None]:
    """Fail a test after which a thread goes on that holds the interpreter's exit or is axdesk's."""
    before = set(threading.enumerate())
    yield
    started = [thread for thread in threading.enumerate() if thread not in before]
    suspects = [thread for thread in started if _must_end(thread)]
    for thread in suspects:
        thread.join(SECONDS_TO_END)
    leaked = [thread.name for thread in suspects if thread.is_alive()]
    assert not leaked, f"the test left threads running: {', '.join(leaked)}"


def _record_starts(
    cls: Any, started: "weakref.WeakSet[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    original = cls.start

    def start(self: Any, *arguments: Any, **options: Any) -> None:
        started.add(self)
        original(self, *arguments, **options)

    monkeypatch.setattr(cls, "start", start)


@pytest.fixture(autouse=True)
def no_leaked_qt_activity(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail a test with widgets after which a QThread runs or a QTimer is active."""
    if "qapp" not in request.fixturenames:
        yield
        return
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
    from shiboken6 import isValid

    threads: weakref.WeakSet[QThread] = weakref.WeakSet()
    timers: weakref.WeakSet[QTimer] = weakref.WeakSet()
    _record_starts(QThread, threads, monkeypatch)
    _record_starts(QTimer, timers, monkeypatch)
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    leaked = [
        repr(thread)
        for thread in threads
        if isValid(thread) and not thread.wait(int(1000 * SECONDS_TO_END))
    ]
    leaked += [repr(timer) for timer in timers if isValid(timer) and timer.isActive()]
    assert not leaked, f"the test left Qt threads or timers running: {', '.join(leaked)}"
