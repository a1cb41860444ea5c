"""Keeping the computer awake while a run goes on, for window and command line alike.

Windows, macOS and Linux each have a wish of a process for it that ends with the process, however
that dies, so that nothing has to be taken back.
"""

import ctypes
import functools
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOG = logging.getLogger(__name__)

_POWER_STATES = Path("/sys/power/state")
"""Linux names the ways to sleep there that this computer has."""

_CONTINUOUS, _SYSTEM_REQUIRED = 0x80000000, 0x00000001
_SECONDS_TO_ASK = 3.0
_HELD = b"held\n"


@contextmanager
def kept_awake() -> Iterator[None]:
    """Keep the computer from going to sleep by itself; where that fails, the log says so once.

    It costs some hundredths of a second at most, and raises nothing. To be entered and left in the
    same thread.
    """
    if sys.platform == "win32":
        yield from _kept_awake_on_windows()
        return
    command = _command()
    if not command:
        _tell_once("" if not _can_sleep() else _NO_WAY)
        yield
        return
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is meant for the run
        )  # fmt: skip
    except OSError as error:
        _tell_once(str(error))
        yield
        return
    # It may ask a service that does not answer.
    listener = threading.Thread(target=_listen, args=(process,), name="axdesk-awake", daemon=True)
    listener.start()
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        listener.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def why_not_awake() -> str:
    """Return why the computer would not be kept awake; empty if it would, or never sleeps.

    It may take some tenths of a second.
    """
    if sys.platform in ("win32", "darwin") or not _can_sleep():
        return ""
    command = _command()
    if not command:
        return _NO_WAY
    try:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS_TO_ASK,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return "" if ended.stdout == _HELD else _reason(ended.stderr)


_NO_WAY = "systemd-inhibit is not installed"


def _command() -> list[str]:
    """What keeps the computer awake until its input is closed, with the end of this process."""
    if sys.platform == "darwin":
        return ["sh", "-c", f"caffeinate -i -w {os.getpid()} & echo held; wait"]
    program = shutil.which("systemd-inhibit")
    if program is None:
        return []
    return [
        program, "--what=sleep:idle", "--mode=block", "--who=axdesk", "--why=An experiment runs",
        "sh", "-c", "echo held; exec cat",
    ]  # fmt: skip


def _can_sleep() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    try:
        return bool(_POWER_STATES.read_text().split())
    except OSError:
        return False


def _listen(process: "subprocess.Popen[bytes]") -> None:
    if process.stdout is None or process.stderr is None:
        return
    if process.stdout.readline() == _HELD:
        return
    reason = _reason(process.stderr.read())
    if process.wait() > 0 and _can_sleep():  # below 0 it was ended by us
        _tell_once(reason)


def _reason(told: bytes) -> str:
    return told.decode(errors="replace").strip().splitlines()[-1] if told.strip() else "no answer"


def _kept_awake_on_windows() -> Iterator[None]:
    # Counts for this thread, and until it ends.
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - mypy knows it on Windows only
    if not kernel.SetThreadExecutionState(_CONTINUOUS | _SYSTEM_REQUIRED):
        _tell_once("Windows refused")
    try:
        yield
    finally:
        kernel.SetThreadExecutionState(_CONTINUOUS)


@functools.cache
def _tell_once(reason: str) -> None:
    if reason:
        _LOG.warning(
            "This computer cannot be kept awake while a run goes on: %s. Switch its sleep off for "
            "long runs.",
            reason,
        )
