"""A command line as a laboratory: parameters as JSON in, a result as JSON out."""

import os
import shlex
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from axdesk.core.errors import TrialFailedError, UserInputError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.parameters import TParameterValue
from axdesk.core.trial import TrialStatus
from axdesk.runners import command_wrapper as files

_REQUIRED = ("{parameters}", "{result}")
_SECONDS_BETWEEN_LOOKS = 0.02
_LONGEST_LAST_WORDS = 300


class CommandRunner(IRunner):
    """Runs a command line for each trial, in a process of its own that goes on without axdesk.

    The command reads the parameters, a JSON object, from the file {parameters}, and writes its
    result, a JSON object of metric and number (or [mean, sem]), into the file {result}. A trial is
    COMPLETED when the command ends with exit status 0 and has written a result.
    """

    def __init__(self, command: str, folder: Path, seconds_to_stop: float = 5.0) -> None:
        """Take the command; nothing is started or written yet.

        Args:
            command: The command line, with {parameters} and {result} where the two files go;
                {trial} stands for the trial's number. It is started in the folder, without a
                shell.
            folder: Each trial gets a folder of its own below it. Give each experiment another
                one.
            seconds_to_stop: A trial that is stopped may take so long to end by itself (SIGTERM);
                then its processes are killed. On Windows they are killed at once.

        Raises:
            UserInputError: If the command cannot be read, or lacks one of the two places.
        """
        missing = [place for place in _REQUIRED if place not in command]
        if missing:
            raise UserInputError(
                f"The command {command!r} lacks {' and '.join(missing)}.",
                "Write such as: python measure.py {parameters} {result}",
            )
        self.folder = Path(folder).expanduser().absolute()
        self.seconds_to_stop = seconds_to_stop
        self._command = _split(command)
        self._started: list[subprocess.Popen[bytes]] = []

    def run_trial(
        self, trial_index: int, parameterization: Mapping[str, TParameterValue]
    ) -> dict[str, Any]:
        """Start the command and return; it belongs to nobody by then."""
        folder = self.folder / f"{_prefix(trial_index)}{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        places = {
            "{parameters}": str(folder / files.PARAMETERS),
            "{result}": str(folder / files.RESULT),
            "{trial}": str(trial_index),
        }
        command = [_filled(word, places) for word in self._command]
        files.write_json(folder / files.JOB, {"command": command, "folder": str(self.folder)})
        # Last, for without it nothing can have been started here.
        files.write_json(folder / files.PARAMETERS, dict(parameterization))
        self._start(folder)
        return {"folder": str(folder)}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        """Return RUNNING, COMPLETED, or ABANDONED where the trial was stopped.

        Raises:
            TrialFailedError: If the command failed, with its exit status and last words.
        """
        folder = Path(trial_metadata["folder"])
        if not folder.is_dir():
            raise TrialFailedError(f"the folder {folder} is gone")
        # In this order: the wrapper writes the exit status before it ends.
        is_alive = _wrapper_of(folder) is not None
        if not (folder / files.EXIT).exists():
            if is_alive:
                return TrialStatus.RUNNING
            if (folder / files.STOP).exists():
                return TrialStatus.ABANDONED
            raise TrialFailedError(
                "the command was killed, or the computer restarted: nobody knows its exit status"
            )
        if (folder / files.STOP).exists():
            return TrialStatus.ABANDONED
        code = files.read_json(folder / files.EXIT)["code"]
        if code != 0:
            words = _last_words(folder / files.OUTPUT)
            raise TrialFailedError(f"exit status {code}{words and f': {words}'}")
        try:
            read_result(folder)
        except (OSError, ValueError) as error:
            raise TrialFailedError(f"the command ended without a result: {error}") from None
        return TrialStatus.COMPLETED

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> dict[str, Any]:
        """End all processes of the trial that did not leave its process group.

        Raises:
            ProcessLookupError: If nobody knows any more which processes are the trial's.
        """
        folder = Path(trial_metadata["folder"])
        if (folder / files.EXIT).exists():
            return {}
        files.write_json(folder / files.STOP, {"asked_at": time.time()})
        pid = _wrapper_of(folder)
        if pid is None:
            if not (folder / files.EXIT).exists() and _has_group(folder):
                raise ProcessLookupError(
                    "the process that watched the command was killed, but the command may go on"
                )
        elif sys.platform == "win32":
            subprocess.run(["taskkill", "/T", "/F", "/PID", str(pid)], check=True)
        else:
            _end_group(folder, pid, self.seconds_to_stop)
        return {}

    def find_trial(
        self, trial_index: int, parameterization: Mapping[str, TParameterValue]
    ) -> Mapping[str, Any] | None:
        """Return the metadata of a trial that was started; see to it that no other one starts."""
        found = []
        for folder in sorted(self.folder.glob(f"{_prefix(trial_index)}*")):
            if not (folder / files.PARAMETERS).exists():
                continue
            if files.read_json(folder / files.PARAMETERS) != dict(parameterization):
                continue
            # A wrapper that was asked for and is still on its way finds the place taken.
            if not files.claim(folder, {"withdrawn": True}) and "pid" in files.owner_of(folder):
                found.append(folder)
        if not found:
            return None
        return {"folder": str(max(found, key=lambda f: (f / files.PARAMETERS).stat().st_mtime))}

    def _start(self, folder: Path) -> None:
        self._started = [process for process in self._started if process.poll() is None]
        process = subprocess.Popen(
            [*_wrapper_command(), str(folder)],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **_detached(),
        )
        assert process.stdout is not None
        assert process.stderr is not None
        with process.stdout, process.stderr:
            told = process.stdout.read()
            words = b"" if told == files.BEGUN else process.stderr.read()
        if hasattr(os, "fork"):
            process.wait()
        else:
            self._started.append(process)  # Python warns of one that is forgotten while it runs
        if told != files.BEGUN:
            text = words.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise RuntimeError(f"the command could not be started: {text or 'no reason given'}")


def _wrapper_command() -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "--command-wrapper"]
    # Isolated, so that nothing in the folder or the environment is taken for a library.
    return [sys.executable, "-I", "-S", str(Path(files.__file__).resolve())]


class CommandMetric(IMetric):
    """Reads a value from the result that the command wrote.

    A result with a number under "progression" says how far the trial has come.
    """

    def __init__(self, name: str, key: str = "", while_running: bool = False) -> None:  # noqa: FBT001, FBT002, RUF100  # a plugin's option
        """Take the name.

        Args:
            name: The metric's name.
            key: Under which name the value stands in the result; empty for the metric's own.
            while_running: Whether the command replaces its result while it runs, so that values
                can be fetched before the end, as early stopping needs them.
        """
        super().__init__(name)
        self.key = key or name
        self.while_running = while_running

    def is_available_while_running(self) -> bool:
        """Whether values can be fetched before the trial is completed."""
        return self.while_running

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        """Return (progression, value) or (progression, (mean, sem))."""
        result = read_result(Path(trial_metadata["folder"]))
        if self.key not in result:
            known = ", ".join(map(repr, result)) or "nothing"
            raise LookupError(f"the result has no {self.key!r}; it has {known}")
        value = result[self.key]
        return result.get("progression", 0), tuple(value) if isinstance(value, list) else value


def read_result(folder: Path) -> dict[str, Any]:
    """Return the result in a trial's folder.

    Raises:
        OSError: If there is none.
        ValueError: If it is no JSON object.
    """
    result = files.read_json(folder / files.RESULT)
    if not isinstance(result, dict):
        raise ValueError(f"{files.RESULT} holds no JSON object")  # noqa: TRY004  # of the file
    return result


def _prefix(trial_index: int) -> str:
    return f"trial_{trial_index:04d}_"


def _split(command: str) -> tuple[str, ...]:
    try:
        words = shlex.split(command, posix=os.name == "posix")
    except ValueError as error:
        raise UserInputError(f"The command {command!r} cannot be read: {error}.") from None
    # Windows' paths hold backslashes, so there quotes are kept by `split`.
    return tuple(word if os.name == "posix" else word.strip('"') for word in words)


def _filled(word: str, places: Mapping[str, str]) -> str:
    for place, text in places.items():
        word = word.replace(place, text)
    return word


def _detached() -> dict[str, Any]:
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        return {"creationflags": flags}
    return {"start_new_session": True}


def _wrapper_of(folder: Path) -> int | None:
    """Return the process that watches the command; None if it is gone."""
    owner = files.owner_of(folder)
    pid = owner.get("pid")
    return pid if pid is not None and files.identity_of(pid) == owner["identity"] else None


def _has_group(folder: Path) -> bool:
    """Whether processes of the wrapper's group are alive, though the wrapper is gone."""
    pid = files.owner_of(folder).get("pid")
    if pid is None or sys.platform == "win32" or files.identity_of(pid):
        return False
    if files.HAS_PROC:
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return any(values[2] == str(pid) for n in numbers if (values := files.stat_of(n)))
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end_group(folder: Path, pid: int, seconds: float) -> None:
    """Ask a process group to end, then kill it."""
    _signal_group(pid, signal.SIGTERM)
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if _wrapper_of(folder) is None and not _has_group(folder):
            return
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    # While the group has members, no other process can have its number.
    if _wrapper_of(folder) is not None or _has_group(folder):
        _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _last_words(output: Path) -> str:
    """Return the last line that the command printed, shortened."""
    try:
        with output.open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - 10_000))
            text = stream.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
    return text.rpartition("\n")[2].strip()[:_LONGEST_LAST_WORDS]
