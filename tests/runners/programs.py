"""The laboratory's program that the command line of these tests starts."""

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

PROGRAM = """
import json, os, sys, time
parameters, result, trial = sys.argv[1:]
with open("calls.txt", "a") as calls:
    print(trial, file=calls)
print("begun", flush=True)
while os.path.exists("wait"):
    time.sleep(0.01)
with open(parameters) as stream:
    value = json.load(stream)["x"] + 1
with open(result, "w") as stream:
    json.dump({"y": value, "z": [value, 0.5]}, stream)
"""
"""Notes that it was called, goes on while there is a file `wait`, and answers x + 1."""


def command(folder: Path, program: str = PROGRAM, *, waits: bool = False) -> str:
    """Write a program into a folder; return its command line."""
    folder.mkdir(exist_ok=True)
    (folder / "measure.py").write_text(program, "utf-8")
    if waits:
        (folder / "wait").touch()
    return f'"{sys.executable}" measure.py {{parameters}} {{result}} {{trial}}'


def calls(folder: Path) -> list[int]:
    """The trials whose command was started, in order."""
    file = folder / "calls.txt"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Look again and again until a condition holds; a hang fails."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def processes_of(folder: Path) -> list[psutil.Process]:
    """The live processes whose command line names the folder, but for this one."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or ())
        is_alive = process.info["status"] != psutil.STATUS_ZOMBIE
        if str(folder) in line and is_alive and process.pid != os.getpid():
            found.append(process)
    return found
