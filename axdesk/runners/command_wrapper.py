"""What stands between axdesk and a command line: `python command_wrapper.py TRIAL_FOLDER`.

It leaves whoever started it, runs the command, and writes how that ended; so the exit status is
known even if axdesk, the plugin host or the window ended meanwhile. As a program it needs the
standard library alone, for it runs in any Python.

In the trial's folder:

    parameters.json   what the command reads
    job.json          the command, as it is started
    process/          who works on it, or that nobody ever will: claimed by a rename, once
    output.txt        what the command prints
    result.json       what the command writes
    stop.json         that it was asked to stop
    exit.json         the command's exit status, once it has ended
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

PARAMETERS = "parameters.json"
JOB = "job.json"
OUTPUT = "output.txt"
RESULT = "result.json"
STOP = "stop.json"
EXIT = "exit.json"
_CLAIM = "process"
_OWNER = "process.json"
BEGUN = b"begun"
"""What is told once the trial's folder is claimed."""

CANNOT_START = 127
"""The exit status where there is no such program, as in a shell."""


def main(folder: Path) -> None:
    """Run the job of a trial's folder; return at once where processes can fork."""
    if hasattr(os, "fork") and os.fork():
        os._exit(0)  # what goes on is nobody's child, and leaves no zombie to anybody
    if hasattr(os, "setsid"):
        os.setsid()
    # Of the signals of a stop: the command gets them, too, and its end is still to be written.
    signal.signal(signal.SIGTERM, lambda *_: None)
    pid = os.getpid()
    with (folder / OUTPUT).open("ab") as output, Path(os.devnull).open("rb") as nothing:
        if not claim(folder, {"pid": pid, "identity": identity_of(pid)}):
            return
        with suppress(OSError):  # who asked may be gone
            os.write(1, BEGUN)
        # Who asked waits for the end of these pipes.
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
        job = read_json(folder / JOB)
        try:
            code = subprocess.call(
                job["command"], cwd=job["folder"], stdin=nothing, stdout=output, stderr=output
            )
        except OSError as error:
            output.write(f"{job['command'][0]}: {error.strerror}\n".encode())
            code = CANNOT_START
    write_json(folder / EXIT, {"code": code})


def claim(folder: Path, owner: dict[str, Any]) -> bool:
    """Say who works on a trial; return whether nobody had said so before."""
    prepared = Path(tempfile.mkdtemp(prefix=".", dir=folder))
    write_json(prepared / _OWNER, owner)
    try:
        # No rename goes onto a folder that is not empty: the first one wins.
        prepared.rename(folder / _CLAIM)
    except OSError:
        if not (folder / _CLAIM / _OWNER).exists():
            raise
        (prepared / _OWNER).unlink()
        prepared.rmdir()
        return False
    return True


def owner_of(folder: Path) -> dict[str, Any]:
    """Return what the claim of a trial's folder says."""
    owner: dict[str, Any] = read_json(folder / _CLAIM / _OWNER)
    return owner


def read_json(file: Path) -> Any:
    """Return the content of a file."""
    return json.loads(file.read_text("utf-8"))


def write_json(file: Path, content: object) -> None:
    """Write a file so that nobody ever sees half of it, not even after a power failure."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with unfinished.open("w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)


def identity_of(pid: int) -> str:
    """Return what tells a living process from any other that has or had its number.

    Empty if there is none, or if it has ended and only waits for its parent to notice.
    """
    if sys.platform == "win32":
        return _identity_on_windows(pid)
    if HAS_PROC:
        values = stat_of(pid)
        return f"{_boot()} {values[19]}" if values else ""
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return "" if len(shown) < 2 or shown[0].startswith("Z") else shown[1].strip()


HAS_PROC = Path("/proc/self/stat").exists()


def stat_of(pid: int) -> list[str]:
    """Return Linux's facts about a living process from its state on; empty if there is none.

    The group is at 2, the start, in ticks since the computer's, at 19.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return []
    # Behind the program's name, which may hold spaces.
    values = stat.rpartition(")")[2].split()
    return [] if values[0] in "ZX" else values


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()


def _identity_on_windows(pid: int) -> str:
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]  # Windows only
    query, still_active = 0x1000, 259
    kernel.OpenProcess.restype = wintypes.HANDLE
    process = wintypes.HANDLE(kernel.OpenProcess(query, False, pid))
    if not process.value:
        return ""
    try:
        code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
        kernel.GetExitCodeProcess(process, ctypes.byref(code))
        if code.value != still_active:
            return ""
        kernel.GetProcessTimes(process, *(ctypes.byref(time) for time in times))
        return f"{times[0].dwHighDateTime} {times[0].dwLowDateTime}"
    finally:
        kernel.CloseHandle(process)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
