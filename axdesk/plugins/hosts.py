"""Plugins in processes of their own, one for each file: describing them, and calling them."""

import functools
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from axdesk.core.clock import SystemClock
from axdesk.core.errors import AxdeskError, NotFoundError, PluginError, UnusablePluginError
from axdesk.core.plugins import (
    HOLD_REASONS,
    Hold,
    PluginCatalogue,
    PluginCheck,
    PluginChoice,
    PluginDescription,
    PluginFile,
    TOptionValue,
)
from axdesk.core.protocols import Clock
from axdesk.plugins import wire
from axdesk.plugins.call_request import CallRequest
from axdesk.plugins.host_output import HostOutput, TTold
from axdesk.plugins.host_process import HostEndedError, HostProcess, host_command
from axdesk.plugins.loader import plugin_paths, read_plugin
from axdesk.plugins.plugin_calls import BasePluginCalls, TThen, check_names_differ, settle
from axdesk.plugins.plugin_host import HostCall, PluginHost, PluginPart, PluginSource

SECONDS_TO_DESCRIBE = 20.0
"""For a process to start and to import one file."""

_MOST_AT_ONCE = 4

T = TypeVar("T")


THold = Callable[[Path, str], Hold]
"""Says of a file with its SHA-256 why it must not be run."""


def _nothing(_path: Path, _sha256: str) -> Hold:
    return Hold.NOTHING


def describe_folder(
    folder: Path, python: str = "", hold: THold = _nothing, known: Sequence[PluginFile] = ()
) -> PluginCatalogue:
    """Describe the `*.py` files of a folder, except those whose names start with `_` or a dot.

    Each is run in a process of its own, several at once; this waits for all of them, for each at
    most `SECONDS_TO_DESCRIBE`.

    Args:
        folder: Where they lie.
        python: Path of a Python, 3.11 or newer, or a command on the search path; empty for
            axdesk's own.
        hold: Which files are only listed, and not run.
        known: Files that are not loaded again while their content is the same.

    Raises:
        NotFoundError: If there is no such folder.
        PluginError: If that Python cannot run plugins.
    """
    paths = plugin_paths(folder)
    host_command(python)
    files: list[Future[PluginFile]] = [Future() for _ in paths]
    jobs: queue.SimpleQueue[tuple[Path, Future[PluginFile]]] = queue.SimpleQueue()
    for job in zip(paths, files, strict=True):
        jobs.put(job)
    for _ in paths[:_MOST_AT_ONCE]:
        # Daemons, and not of a `ThreadPoolExecutor`: a file that hangs holds no interpreter.
        threading.Thread(
            target=_describe_all,
            args=(jobs, python, hold, known),
            name="axdesk-describe",
            daemon=True,
        ).start()
    return PluginCatalogue(str(folder), tuple(file.result() for file in files))


def _describe_all(
    jobs: "queue.SimpleQueue[tuple[Path, Future[PluginFile]]]",
    python: str,
    hold: THold,
    known: Sequence[PluginFile],
) -> None:
    with suppress(queue.Empty):
        while True:
            path, file = jobs.get_nowait()
            try:
                settle(file, _described(path, python, hold, known))
            except BaseException as error:  # noqa: BLE001  # raised again by who waits
                settle(file, error)


def _described(path: Path, python: str, hold: THold, known: Sequence[PluginFile]) -> PluginFile:
    code = read_plugin(path)
    if isinstance(code, PluginFile):
        return replace(code, path=str(path))
    source = PluginSource(path, code)
    held = hold(path, source.sha256)
    found = next((f for f in known if (f.name, f.sha256) == (path.name, source.sha256)), None)
    if held:
        file = PluginFile(path.name, source.sha256, error=HOLD_REASONS[held], hold=held)
    elif found is not None and not found.hold:
        file = found
    else:
        try:
            file = _in_new_process(source, python, lambda file, _process, _until: file)
        except UnusablePluginError as error:
            file = PluginFile(path.name, source.sha256, error=error.message, details=error.details)
    return replace(file, path=str(path), size=len(code))


def check_file(
    path: Path,
    python: str,
    hold: THold,
    options: Mapping[str, Mapping[str, TOptionValue]],
) -> tuple[PluginCheck, ...]:
    """Check the classes of a plugin file; nothing is asked to move.

    Args:
        path: The file.
        python: As in `describe_folder`.
        hold: As in `describe_folder`.
        options: Class reference → values of its options; others keep their defaults.

    Raises:
        PluginError: If the file must not be run, cannot be loaded or hangs.
    """
    code = read_plugin(path)
    if isinstance(code, PluginFile):
        raise PluginError(f"{path.name}: {code.error}")
    source = PluginSource(path, code)
    refuse_held(source, hold)

    def check(file: PluginFile, process: HostProcess, until: float) -> tuple[PluginCheck, ...]:
        if file.error and not file.plugins:
            raise PluginError(file.error, details=file.details)
        request = {"do": "check", "options": {k: dict(v) for k, v in options.items()}}
        return tuple(map(wire.to_check, process.ask(request, until - time.monotonic())))

    return _in_new_process(source, python, check)


def made_for_a_moment(
    folder: Path, parts: Sequence[PluginPart], python: str, hold: THold
) -> dict[str | None, AxdeskError | None]:
    """Make runners and metrics with their options and let them go again; nothing is called.

    Args:
        folder: Where the plugin files lie.
        parts: What is made.
        python: As in `describe_folder`.
        hold: As in `describe_folder`.

    Returns:
        Metric, or None for the runner → why it cannot be made, None where it can.
    """
    found: dict[str | None, AxdeskError | None] = {}

    def make(
        _file: PluginFile, process: HostProcess, until: float, own: Sequence[PluginPart]
    ) -> None:
        for part in own:
            request = {
                "do": "build",
                "metric": part.metric,
                "choice": wire.from_choice(part.choice),
            }
            try:
                process.ask(request, until - time.monotonic())
            except AxdeskError as error:
                found[part.metric] = error

    for name in dict.fromkeys(part.choice.file_name for part in parts):
        own = [part for part in parts if part.choice.file_name == name]
        try:
            (source,) = _sources(folder, [part.choice for part in own]).values()
            refuse_held(source, hold)
            _in_new_process(source, python, functools.partial(make, own=own))
        except AxdeskError as error:
            found.update((part.metric, error) for part in own if part.metric not in found)
    return {part.metric: found.get(part.metric) for part in parts}


def refuse_held(source: PluginSource, hold: THold) -> None:
    """Refuse to run a file that must not be run.

    Raises:
        UnusablePluginError: With the reason.
    """
    held = hold(source.path, source.sha256)
    if held:
        raise UnusablePluginError(
            f"The plugin file {source.path.name} cannot be used: {HOLD_REASONS[held]}",
            "The Plugins panel lets you decide.",
        )


def _in_new_process(
    source: PluginSource, python: str, then: Callable[[PluginFile, HostProcess, float], T]
) -> T:
    """Load a file in a process that ends afterwards, and return what `then` finds there.

    Raises:
        PluginError: If that Python cannot run plugins.
        UnusablePluginError: If the file cannot be loaded.
    """
    process = HostProcess(python, HostOutput(source.path.name, SystemClock()))
    until = time.monotonic() + SECONDS_TO_DESCRIBE
    try:
        process.greet(SECONDS_TO_DESCRIBE)
        try:
            return then(source.load(process, until), process, until)
        except PluginError as error:
            problem, details = error.message, error.details
    except HostEndedError as ended:
        problem, details = f"Its process {ended.how} when it was loaded.", ""
    except TimeoutError:
        seconds = f"{SECONDS_TO_DESCRIBE:.0f} s"
        problem, details = f"It was not loaded within {seconds}, and its process was ended.", ""
    finally:
        last_lines = process.end(gently=True)
    raise UnusablePluginError(problem, details=details or last_lines)


class HostedPluginCalls(BasePluginCalls):
    """The `PluginCalls` of plugin files, each in a process of its own.

    Whatever becomes of a process, the calls of other files go on, and the next call of the file
    gets a new process that runs the same bytes. What the laboratory's code has started by itself
    outlives its process.

    Attributes:
        hashes: (file name, SHA-256) of the files that run, in order of name.
    """

    def __init__(
        self,
        folder: Path,
        runner: PluginChoice,
        metrics: Sequence[tuple[str, PluginChoice]],
        python: str = "",
        *,
        clock: Clock | None = None,
        hold: THold = _nothing,
        begun: "Callable[[HostedPluginCalls], object] | None" = None,
    ) -> None:
        """Start the processes and wait until the runner and all metrics are made.

        Args:
            folder: Where the plugin files lie.
            runner: Deploys trials.
            metrics: Metric name → what fetches it.
            python: As in `describe_folder`.
            clock: For the pauses before restarts; None for the system's.
            hold: Which files must not be run.
            begun: Receives this before anything is waited for, so that another thread can listen
                to it, or `close` it while a file hangs that is being loaded.

        Raises:
            NotFoundError: If the folder, a file or a class does not exist.
            UserInputError: If two metrics have the same name, a class is of the wrong kind, or an
                option is unknown, missing or not allowed.
            PluginError: If that Python cannot run plugins, or a file or a constructor fails.
        """
        check_names_differ(tuple(name for name, _ in metrics))
        super().__init__(
            _class_name(runner), {name: _class_name(choice) for name, choice in metrics}
        )
        parts = (PluginPart(None, runner), *(PluginPart(*metric) for metric in metrics))
        sources = _sources(folder, tuple(part.choice for part in parts))
        for source in sources.values():
            refuse_held(source, hold)
        host_command(python)
        self._file_names = {part.metric: part.choice.file_name for part in parts}
        self._calls: dict[Future[Any], tuple[PluginHost, HostCall]] = {}
        self._hosts = {
            name: PluginHost(
                source,
                tuple(part for part in parts if part.choice.file_name == name),
                python,
                clock or SystemClock(),
            )
            for name, source in sources.items()
        }
        self.hashes = _hashes(sources)
        try:
            if begun is not None:
                begun(self)
            files = {name: host.ready.result() for name, host in self._hosts.items()}
        except BaseException:
            self.close()
            raise
        self._runner = _found(folder, files[runner.file_name], runner)

    @property
    def can_stop(self) -> bool:
        """Whether the runner offers `stop_trial`."""
        return self._runner.can_stop

    @property
    def can_find(self) -> bool:
        """Whether the runner offers `find_trial`."""
        return self._runner.can_find

    def give_up(self, answer: Future[Any], reason: str) -> bool:
        """End a call: one that was entered ends with its process, and the next starts a new one.

        Args:
            answer: What the call returned; one that is done already is left as it is.
            reason: Message of the `DeadlineError` that the Future then fails with.

        Returns:
            True: it has ended.
        """
        found = self._calls.get(answer)
        if found is not None:
            host, call = found
            host.give_up(call, reason)
        return True

    def listen(self, told: TTold | None) -> None:
        """Have what the laboratory's code prints told, or no longer.

        Args:
            told: Receives the plugin file's name and one or more lines, first those that were
                kept, in any thread; must return at once.
        """
        for host in self._hosts.values():
            host.output.listen(told)

    def close(self) -> None:
        """End the processes, not what they have started; calls in the queue are cancelled."""
        self._cancel_waiting()
        for host in self._hosts.values():
            host.close()
        for host in self._hosts.values():
            host.join()

    def _put(self, request: CallRequest, future: Future[Any], then: TThen) -> None:
        host = self._hosts[self._file_names[request.metric]]
        call = HostCall(request, future, then)
        self._calls[future] = host, call
        future.add_done_callback(lambda done: self._calls.pop(done, None))
        host.put(call)


def hashes_of(folder: Path, choices: Sequence[PluginChoice]) -> tuple[tuple[str, str], ...]:
    """Return (file name, SHA-256) of the files of some plugins as they are now, in order of name.

    Raises:
        NotFoundError: If the folder or a file is not there, or cannot be read.
    """
    return _hashes(_sources(folder, choices))


def _hashes(sources: Mapping[str, PluginSource]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, source.sha256) for name, source in sources.items()))


def _class_name(choice: PluginChoice) -> str:
    return choice.reference.partition(":")[2]


def _sources(folder: Path, choices: Sequence[PluginChoice]) -> dict[str, PluginSource]:
    """Read each file once.

    Raises:
        NotFoundError: If one is not there or cannot be read.
    """
    paths = {path.name: path for path in plugin_paths(folder)}
    sources: dict[str, PluginSource] = {}
    for choice in choices:
        name = choice.file_name
        if name not in paths:
            raise NotFoundError(
                f"The plugin {choice.reference!r} is not in {folder}.",
                f"Files found there: {', '.join(paths) or 'none'}.",
            )
        code = read_plugin(paths[name])
        if isinstance(code, PluginFile):
            raise NotFoundError(f"The plugin file {name} cannot be used: {code.error}")
        sources.setdefault(name, PluginSource(paths[name], code))
    return sources


def _found(folder: Path, file: PluginFile, choice: PluginChoice) -> PluginDescription:
    return PluginCatalogue(str(folder), (file,)).find(choice.reference)
