"""Calls in processes of their own."""

import hashlib
import itertools
import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest

from axdesk.core.errors import (
    CallFailedError,
    DeadlineError,
    NotFoundError,
    PluginError,
    UserInputError,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.protocols import REST_SECONDS, PluginCalls
from axdesk.plugins import restarts
from axdesk.plugins.host_process import host_command
from axdesk.plugins.hosts import HostedPluginCalls, describe_folder
from axdesk.plugins.loader import load_plugins
from tests.plugins.contract import LABORATORY, PluginCallsContract, failure
from tests.plugins.hostile import SECONDS, Laboratory, nothing_left, wait_for

ROOT = Path(__file__).resolve().parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="deeds for Linux")


class TestHostedPluginCalls(PluginCallsContract):
    def make(
        self, folder: Path, runner: PluginChoice, metrics: dict[str, PluginChoice]
    ) -> PluginCalls:
        return HostedPluginCalls(folder, runner, tuple(metrics.items()))

    def check_left_by_close(self, hung: "Future[Any]") -> None:
        error = failure(hung)
        assert error.message.startswith("Bench.run_trial of trial 0 was ended")
        assert error.was_entered


@pytest.fixture
def laboratory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Laboratory]:
    with nothing_left(monkeypatch):
        yield Laboratory(tmp_path)


@pytest.fixture
def calls(laboratory: Laboratory) -> Iterator[HostedPluginCalls]:
    calls = laboratory.calls()
    yield calls
    calls.close()


def write(folder: Path, name: str, code: str) -> None:
    (folder / name).write_text(textwrap.dedent(code), "utf-8")


def runner_in(folder: Path, run_trial: str, top: str = "") -> HostedPluginCalls:
    """Return calls to a runner with this body of `run_trial`, in `one.py`."""
    body = textwrap.indent(textwrap.dedent(run_trial), " " * 8)
    (folder / "one.py").write_text(
        "import atexit, os, subprocess, sys, time\n"
        "from pathlib import Path\n"
        "from axdesk.api.protocols.runner import IRunner, TrialStatus\n"
        f"HERE = Path(__file__).parent\n{textwrap.dedent(top)}\n"
        "class One(IRunner):\n"
        f"    def run_trial(self, trial_index, parameterization):\n{body}\n"
        "    def poll_trial(self, trial_index, trial_metadata):\n"
        "        return TrialStatus.COMPLETED\n"
    )
    return HostedPluginCalls(folder, PluginChoice("one.py:One", {}), ())


# ---- describing and making -----------------------------------------------------------------------


def test_a_folder_is_described_as_it_is_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
    write(tmp_path, "broken.py", "import no_such_package")
    write(tmp_path, "_neighbour.py", "1 / 0")
    write(
        tmp_path,
        "options.py",
        '''
        from typing import Literal
        from axdesk.api.protocols.metric import IMetric
        class Scale(IMetric):
            """A scale."""
            def __init__(
                self,
                name: str,
                unit: Literal["g", "mg"] = "g",
                offset: float | None = None,
                limit: float = float("inf"),
            ) -> None:
                """Make it.

                Args:
                    unit: Of what it shows.
                """
            def fetch(self, trial_index, trial_metadata): ...
        ''',
    )

    assert describe_folder(tmp_path) == load_plugins(tmp_path).catalogue
    with pytest.raises(NotFoundError, match="nowhere"):
        describe_folder(tmp_path / "nowhere")


def test_what_cannot_be_made_is_refused_as_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
    write(tmp_path, "broken.py", "1 / 0")
    bench = PluginChoice("lab.py:Bench", {"folder": str(tmp_path)})
    level = PluginChoice("lab.py:Level", {})

    for runner, metrics, kind, told in (
        (PluginChoice("lob.py:Bench", {}), (), NotFoundError, "Files found there: broken.py, lab"),
        (PluginChoice("lab.py:Bunch", {}), (), NotFoundError, "Found there: lab.py:Bench"),
        (PluginChoice("../lab.py:Bench", {}), (), NotFoundError, "is not in"),
        (PluginChoice("broken.py:Bench", {}), (), NotFoundError, "ZeroDivisionError"),
        (level, (), UserInputError, "is a metric; a runner is needed"),
        (bench, (("y", bench),), UserInputError, "is a runner; a metric is needed"),
        (PluginChoice("lab.py:Bench", {}), (), UserInputError, "needs the option 'folder'"),
        (bench, (("y", level), ("y", level)), UserInputError, "Two metrics are called 'y'"),
    ):
        with pytest.raises(kind, match=r".") as refused:
            HostedPluginCalls(tmp_path, runner, metrics)
        assert told in str(refused.value)


def test_a_new_process_runs_the_bytes_that_were_read_once(
    tmp_path: Path,
) -> None:
    calls = runner_in(tmp_path, "return {'version': 1, 'pid': os.getpid()}")
    sha256 = hashlib.sha256((tmp_path / "one.py").read_bytes()).hexdigest()
    first = calls.run_trial(0, {}).result(SECONDS)
    write(tmp_path, "one.py", "1 / 0")

    os.kill(first["pid"], signal.SIGKILL)
    answers = [calls.run_trial(0, {}) for _ in range(2)]  # the first one may meet the dying process
    second = answers[1].result(SECONDS)
    calls.close()

    assert second["version"] == 1
    assert second["pid"] != first["pid"]
    assert calls.hashes == (("one.py", sha256),)


@linux_only
def test_a_call_that_meets_a_process_that_is_gone_is_taken_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = runner_in(tmp_path, "return {'pid': os.getpid()}")
    first = psutil.Process(calls.run_trial(0, {}).result(SECONDS)["pid"])
    # As if its end had not been noticed yet.
    monkeypatch.setattr("axdesk.plugins.host_process.HostProcess.is_usable", True)
    first.kill()
    psutil.wait_procs([first], timeout=SECONDS)
    second = calls.run_trial(1, {}).result(SECONDS)
    calls.close()

    assert second["pid"] != first.pid


# ---- giving up, crashes in a row, the end --------------------------------------------------------


@linux_only
def test_a_call_in_the_queue_is_given_up_and_one_that_is_done_is_left(
    laboratory: Laboratory, calls: HostedPluginCalls
) -> None:
    done = calls.run_trial(0, {})
    pid = done.result(SECONDS)["pid"]
    assert calls.give_up(done, "too late") is True
    laboratory.order("sleep", "run_trial")
    hung, waiting, last = (calls.run_trial(index, {}) for index in (1, 2, 3))
    laboratory.wait_until_done()

    assert calls.give_up(waiting, "It waited too long.") is True

    assert isinstance(waiting.exception(0), DeadlineError)
    assert hung.running()
    assert not last.running()
    assert calls.give_up(hung, "It hung.") is True
    assert last.result(SECONDS)["pid"] != pid
    assert done.result(0) == {"pid": pid}


@linux_only
def test_after_five_crashes_a_file_gets_no_process_for_a_while(
    laboratory: Laboratory, calls: HostedPluginCalls
) -> None:
    def crash() -> CallFailedError:
        laboratory.order("segfault", "run_trial")
        return failure(calls.run_trial(3, {}))

    assert all("SIGSEGV" in crash().message for _ in range(restarts.MOST_CRASHES))
    assert laboratory.clock.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8], abs=0.05)

    refused = failure(calls.run_trial(4, {}))
    assert not refused.was_entered
    assert "Rig.run_trial of trial 4 was not reached" in refused.message
    assert "crashed 5 times" in refused.message
    assert calls.fetch("calm", 4, {}).result(SECONDS).mean == 2.5

    laboratory.clock.skipped += REST_SECONDS
    assert "SIGSEGV" in crash().message, "one try"
    assert not failure(calls.run_trial(4, {})).was_entered

    laboratory.clock.skipped += REST_SECONDS
    assert calls.run_trial(5, {}).exception(SECONDS) is None
    assert "SIGSEGV" in crash().message
    assert calls.run_trial(5, {}).exception(SECONDS) is None, "all is forgotten"


@linux_only
def test_close_interrupts_the_pause_before_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restarts, "FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(restarts, "LONGEST_PAUSE", 1000.0)
    calls = runner_in(tmp_path, "os._exit(1)")
    assert "exit status 1" in failure(calls.run_trial(0, {})).message
    waiting = calls.run_trial(0, {})

    calls.close()

    assert waiting.cancelled() or not failure(waiting).was_entered


@linux_only
def test_close_interrupts_a_start(laboratory: Laboratory, calls: HostedPluginCalls) -> None:
    pid = calls.run_trial(0, {}).result(SECONDS)["pid"]
    laboratory.order("hold the GIL", "import")
    os.kill(pid, signal.SIGKILL)
    waiting = [calls.run_trial(0, {}) for _ in range(3)]
    laboratory.wait_until_done()

    calls.close()

    assert all(future.done() for future in waiting)


def test_the_end_lets_handlers_run_but_does_not_wait_for_them(tmp_path: Path) -> None:
    calls = runner_in(
        tmp_path,
        "return {}",
        top="""
        def at_end():
            (HERE / "ended").touch()
            time.sleep(1000)
        atexit.register(at_end)
        """,
    )

    calls.close()

    assert (tmp_path / "ended").exists()


CHATTY = """
import sys, time
from pathlib import Path
here = Path(sys.argv[1])
(here / "started").touch()
while not (here / "go").exists():
    time.sleep(0.005)
for _ in range(1000):
    print("x" * 1000, flush=True)
(here / "finished").touch()
"""


@linux_only
def test_a_program_that_a_plugin_has_started_outlives_it_and_may_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nothing_left(monkeypatch):
        (tmp_path / "_chatty.py").write_text(CHATTY)
        calls = runner_in(
            tmp_path,
            """
            subprocess.Popen([sys.executable, HERE / "_chatty.py", HERE])
            return {}
            """,
        )
        calls.run_trial(0, {}).result(SECONDS)
        wait_for((tmp_path / "started").exists)

        calls.close()

        (tmp_path / "go").touch()
        wait_for((tmp_path / "finished").exists)


PARENT = """
import sys
from tests.plugins.hostile import Laboratory
from pathlib import Path
laboratory = Laboratory(Path(sys.argv[1]))
calls = laboratory.calls(sys.argv[3])
pid = calls.run_trial(0, {}).result()["pid"]
if sys.argv[2]:
    laboratory.order(sys.argv[2], "poll_trial")
    calls.poll_trial(0, {})
    laboratory.wait_until_done()
print(pid, flush=True)
sys.stdin.read()
"""


@linux_only
@pytest.mark.parametrize("deed", ["", "sleep", "hold the GIL", "ignore SIGTERM"])
def test_a_process_dies_with_its_parent(tmp_path: Path, deed: str) -> None:
    # Behind a wrapper, Linux does not tell of the parent's death; the pipe does.
    python = wrapper(tmp_path, f'"{sys.executable}" "$@"; exit') if deed == "ignore SIGTERM" else ""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path, deed, python],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout is not None
        host = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    wait_for(lambda: not host.is_running() or host.status() == psutil.STATUS_ZOMBIE)


LEAVING = """
import sys, threading
from pathlib import Path
from axdesk.plugins.hosts import describe_folder
folder = Path(sys.argv[1])
threading.Thread(target=describe_folder, args=(folder,), daemon=True).start()
pause = threading.Event()
while not (folder / "entered").exists():
    pause.wait(0.005)
"""


def test_a_file_that_hangs_when_it_is_loaded_does_not_hold_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with nothing_left(monkeypatch):
        write(
            tmp_path,
            "hung.py",
            """
            import time
            from pathlib import Path
            Path(__file__).with_name("entered").touch()
            time.sleep(1000)
            """,
        )

        # Less than what a file may take to be loaded.
        subprocess.run([sys.executable, "-c", LEAVING, tmp_path], cwd=ROOT, timeout=15, check=True)


# ---- prints --------------------------------------------------------------------------------------


def test_prints_are_kept_and_logged_until_somebody_listens(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "axdesk")
    calls = runner_in(
        tmp_path,
        """
        print("trial", trial_index, "µ")
        os.system("echo from a program; echo and its errors >&2")
        return {}
        """,
        top="print('loaded')",
    )
    wait_for(lambda: "one.py: loaded" in caplog.text)
    told: list[tuple[str, str]] = []

    calls.listen(lambda file, text: told.append((file, text)))
    calls.run_trial(3, {}).result(SECONDS)
    calls.close()

    lines = [line for file, text in told for line in text.splitlines() if file == "one.py"]
    assert lines == ["loaded", "trial 3 µ", "from a program", "and its errors"]
    assert "trial 3" not in caplog.text


def test_who_listens_badly_harms_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told(file: str, text: str) -> None:
        raise RuntimeError("full")

    calls = runner_in(tmp_path, "print('x'); return {}")
    calls.listen(told)

    for index in range(3):
        calls.run_trial(index, {}).result(SECONDS)
    calls.close()

    assert "could not be told" in caplog.text


# ---- want of resources ---------------------------------------------------------------------------


@pytest.mark.parametrize("at", range(3))
def test_a_want_of_threads_is_told_and_leaves_nothing(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    start, started = threading.Thread.start, itertools.count()

    def fail(thread: threading.Thread) -> None:
        if thread.name == "axdesk-plugin-host" and next(started) == at:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail)

    with pytest.raises(PluginError, match="can't start new thread"):
        laboratory.calls()


@linux_only
def test_a_want_of_descriptors_costs_calls_that_are_not_entered(
    laboratory: Laboratory, calls: HostedPluginCalls
) -> None:
    import resource

    pid = calls.run_trial(0, {}).result(SECONDS)["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        error = failure(calls.run_trial(0, {}))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert "Too many open files" in error.message
    assert not error.was_entered
    assert calls.run_trial(0, {}).exception(SECONDS) is None


# ---- the laboratory's own Python -----------------------------------------------------------------


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with nothing installed but one module."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    code = "import site; print(site.getsitepackages()[0])"
    shown = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    Path(shown.stdout.strip(), "labdriver.py").write_text("NAME = 'from the laboratory'\n")
    return python


def wrapper(folder: Path, line: str) -> str:
    """Return a program that runs another one in its place."""
    file = folder / "python-wrapper"
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
    return str(file)


def test_plugins_run_in_a_python_without_axdesk(tmp_path: Path, other_python: Path) -> None:
    write(
        tmp_path,
        "own.py",
        """
        import sys, labdriver
        from axdesk.api.protocols.runner import IRunner, TrialStatus
        class Own(IRunner):
            def run_trial(self, trial_index, parameterization):
                return {"driver": labdriver.NAME, "prefix": sys.prefix, "path": sys.path,
                        "modules": sorted(sys.modules)}
            def poll_trial(self, trial_index, trial_metadata): ...
        """,
    )
    write(tmp_path, "needy.py", "import sqlalchemy")

    needy, own = describe_folder(tmp_path, str(other_python)).files
    assert "needs the package 'sqlalchemy', which is not installed" in needy.error
    assert own.error == ""

    choice = PluginChoice("own.py:Own", {})
    calls = HostedPluginCalls(tmp_path, choice, (), str(other_python))
    answer = calls.run_trial(0, {}).result(SECONDS)
    calls.close()
    assert answer["driver"] == "from the laboratory"
    assert Path(answer["prefix"]) == other_python.parent.parent
    assert not {str(ROOT), str(ROOT / "axdesk" / "plugins")} & set(answer["path"])
    foreign = {name.split(".")[0] for name in answer["modules"]} - sys.stdlib_module_names
    assert foreign <= {"__main__", "axdesk", "axdesk_plugins", "labdriver", "_distutils_hack"}


@linux_only
def test_a_host_needs_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
    python = wrapper(tmp_path, f'exec "{sys.executable}" -I -S "$@"')

    assert describe_folder(tmp_path, python) == load_plugins(tmp_path).catalogue


def test_a_frozen_axdesk_is_its_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    assert host_command("") == [sys.executable, "--plugin-host"]
    assert host_command(sys.executable)[1].endswith("host_program.py")


@linux_only
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("exit 3", "cannot run plugins: it ended itself with exit status 3"),
        ("cat", "cannot run plugins: it was not ready within 2 s"),
        ("kill -9 $$", "cannot run plugins: it was ended by"),
        ('echo \'{"id": 0, "too_old": "3.9.2"}\'', "is Python 3.9.2; plugins need 3.11"),
    ],
)
def test_what_is_no_python_of_today_is_refused_by_name(
    tmp_path: Path, line: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.plugins.hosts.SECONDS_TO_DESCRIBE", 2.0)
    (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
    python = wrapper(tmp_path, line)

    with pytest.raises(PluginError) as refused:
        describe_folder(tmp_path, python)

    assert f"{python} {told}" in refused.value.message


def test_an_old_python_says_so_by_itself() -> None:
    program = ROOT / "axdesk" / "plugins" / "host_program.py"
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); "
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )

    said = subprocess.run(
        [sys.executable, "-c", code, program], capture_output=True, text=True, check=True
    )

    assert said.stdout == '{"id": 0, "too_old": "3.9.2"}\n'


def test_a_program_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    not_executable = tmp_path / "python"
    not_executable.touch()

    for python in ("no-such-python", str(not_executable), str(tmp_path)):
        with pytest.raises(PluginError) as refused:
            describe_folder(tmp_path, python)
        assert repr(python) in refused.value.message


@linux_only
def test_a_wrapper_that_prints_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "lab.py").write_text(LABORATORY, "utf-8")
    python = wrapper(tmp_path, f'echo "activating…"; "{sys.executable}" "$@"')

    assert describe_folder(tmp_path, python) == load_plugins(tmp_path).catalogue
