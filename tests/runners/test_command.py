"""A command line as a laboratory, with real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.core.errors import TrialFailedError, UserInputError
from axdesk.core.plugins import PluginChoice
from axdesk.core.resources import resource_path
from axdesk.core.trial import TrialStatus
from axdesk.plugins.hosts import HostedPluginCalls, describe_folder
from axdesk.plugins.loader import load_plugins
from axdesk.runners import command_wrapper
from axdesk.runners.command import CommandMetric, CommandRunner
from tests.runners.programs import PROGRAM, calls, command, processes_of, wait_until

SECONDS = 60.0
ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The laboratory's folder; whatever runs there is killed after the test."""
    folder = tmp_path / "lab"
    yield folder
    for process in processes_of(folder):
        process.kill()


def runner_of(folder: Path, program: str = PROGRAM, *, waits: bool = False) -> CommandRunner:
    return CommandRunner(command(folder, program, waits=waits), folder, seconds_to_stop=5.0)


def ended(runner: CommandRunner, metadata: dict[str, Any]) -> TrialStatus:
    wait_until(
        lambda: runner.poll_trial(3, metadata) is not TrialStatus.RUNNING, "the end of the trial"
    )
    return runner.poll_trial(3, metadata)


def owner_of(metadata: dict[str, Any]) -> psutil.Process:
    return psutil.Process(command_wrapper.owner_of(Path(metadata["folder"]))["pid"])


def reason_of(runner: CommandRunner, metadata: dict[str, Any]) -> str:
    with pytest.raises(TrialFailedError) as error:
        ended(runner, metadata)
    return error.value.message


# ---- to its result -------------------------------------------------------------------------------


def test_a_trial_runs_to_its_result(folder: Path) -> None:
    runner = runner_of(folder, waits=True)
    metadata = runner.run_trial(3, {"x": 1.5, "solvent": "Água", "hot": True, "n": 2})
    assert runner.poll_trial(3, metadata) is TrialStatus.RUNNING
    assert json.loads(json.dumps(metadata)) == metadata
    trial = Path(metadata["folder"])
    assert trial.parent == folder
    assert json.loads((trial / "parameters.json").read_text("utf-8")) == {
        "x": 1.5, "solvent": "Água", "hot": True, "n": 2,
    }  # fmt: skip
    (folder / "wait").unlink()
    assert ended(runner, metadata) is TrialStatus.COMPLETED
    assert CommandMetric("y").fetch(3, metadata) == (0, 2.5)
    assert CommandMetric("Yield (%)", key="z").fetch(3, metadata) == (0, (2.5, 0.5))
    assert calls(folder) == [3]
    with pytest.raises(LookupError, match="no 'w'; it has 'y', 'z'"):
        CommandMetric("w").fetch(3, metadata)


def test_trials_run_side_by_side(folder: Path) -> None:
    runner = runner_of(folder, waits=True)
    many = [runner.run_trial(3, {"x": float(x)}) for x in range(3)]
    wait_until(lambda: len(calls(folder)) == 3, "three starts")
    assert len({owner_of(metadata).pid for metadata in many}) == 3
    (folder / "wait").unlink()
    assert [ended(runner, metadata) for metadata in many] == [TrialStatus.COMPLETED] * 3
    assert [CommandMetric("y").fetch(3, m)[1] for m in many] == [1.0, 2.0, 3.0]


def test_values_and_progression_can_be_read_while_it_runs(folder: Path) -> None:
    metric = CommandMetric("y", while_running=True)
    assert metric.is_available_while_running()
    assert not CommandMetric("y").is_available_while_running()
    runner = runner_of(folder, waits=True)
    metadata = runner.run_trial(3, {"x": 1.0})
    with pytest.raises(OSError, match="result"):
        metric.fetch(3, metadata)
    Path(metadata["folder"], "result.json").write_text('{"y": 0.5, "progression": 12}')
    assert metric.fetch(3, metadata) == (12, 0.5)


# ---- failures ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; print('a'); print('no vial'); sys.exit(3)", "exit status 3: no vial"),
        ("import sys; sys.exit(4)", "exit status 4"),
        ("raise ValueError('clogged')", "exit status 1: ValueError: clogged"),
        ("import os; os.kill(os.getpid(), 9)", "exit status -9"),
        ("print('done')", "the command ended without a result: "),
        (
            "import sys; open(sys.argv[2], 'w').write('{')",
            "the command ended without a result: Expecting",
        ),
        (
            "import sys; open(sys.argv[2], 'w').write('7')",
            "the command ended without a result: result.json holds no JSON object",
        ),
    ],
)
def test_a_failure_is_told_with_its_reason(folder: Path, program: str, reason: str) -> None:
    runner = runner_of(folder, program)
    assert reason_of(runner, runner.run_trial(3, {"x": 1.0})).startswith(reason)


def test_a_program_that_does_not_exist_fails_the_trial(folder: Path) -> None:
    runner = CommandRunner("no-such-program {parameters} {result}", folder)
    told = reason_of(runner, runner.run_trial(3, {"x": 1.0}))
    assert told == "exit status 127: no-such-program: No such file or directory"


def test_a_folder_that_is_gone_fails_the_trial(folder: Path) -> None:
    runner = runner_of(folder)
    metadata = {"folder": str(folder / "trial_0003_gone")}
    assert "is gone" in reason_of(runner, metadata)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("python a.py {result}", "lacks {parameters}"),
        ("python a.py", "lacks {parameters} and {result}"),
        ("python 'a.py {parameters} {result}", "cannot be read"),
    ],
)
def test_a_command_that_cannot_work_is_refused(folder: Path, line: str, told: str) -> None:
    with pytest.raises(UserInputError) as error:
        CommandRunner(line, folder)
    assert told in error.value.message


def test_words_and_paths_reach_the_command_as_they_are(tmp_path: Path) -> None:
    program = """
import json, sys
json.dump({"words": sys.argv[1:3]}, open(sys.argv[4], "w"))
"""
    folder = tmp_path / "my lab {x}"
    line = command(folder, program).replace("measure.py", "measure.py 'a  b' $HOME;{y}")
    runner = CommandRunner(line, folder)
    metadata = runner.run_trial(3, {"x": 1.0})
    assert ended(runner, metadata) is TrialStatus.COMPLETED
    result = json.loads(Path(metadata["folder"], "result.json").read_text())
    assert result == {"words": ["a  b", "$HOME;{y}"]}


# ---- restarts ------------------------------------------------------------------------------------


def test_another_runner_knows_how_it_ended(folder: Path) -> None:
    metadata = runner_of(folder, "import sys; sys.exit(3)").run_trial(3, {"x": 1.0})
    assert reason_of(CommandRunner("a {parameters} {result}", folder), metadata) == "exit status 3"


def test_a_trial_is_found_and_a_deployment_that_came_to_nothing_never_happens(
    folder: Path,
) -> None:
    runner = runner_of(folder, waits=True)
    metadata = runner.run_trial(3, {"x": 1.0})
    again = runner_of(folder, waits=True)
    assert again.find_trial(3, {"x": 1.0}) == metadata
    assert again.find_trial(3, {"x": 2.0}) is None
    assert again.find_trial(4, {"x": 1.0}) is None
    # As a runner leaves it that was killed just before, or just after, it started the wrapper.
    other = folder / "trial_0005_killed"
    other.mkdir()
    command_wrapper.write_json(other / "job.json", {"command": ["false"], "folder": str(folder)})
    command_wrapper.write_json(other / "parameters.json", {"x": 1.0})
    assert again.find_trial(5, {"x": 1.0}) is None
    with pytest.raises(RuntimeError, match="could not be started"):
        again._start(other)
    assert not (other / "exit.json").exists()
    assert again.find_trial(5, {"x": 1.0}) is None
    wait_until(lambda: calls(folder) == [3], "the only call")


def test_half_a_folder_is_no_trial(folder: Path) -> None:
    runner = runner_of(folder)
    (folder / "trial_0003_half").mkdir()
    assert runner.find_trial(3, {"x": 1.0}) is None


def test_a_wrapper_that_was_killed_is_told_and_its_number_is_not_trusted(folder: Path) -> None:
    runner = runner_of(folder, waits=True)
    metadata = runner.run_trial(3, {"x": 1.0})
    wait_until(lambda: calls(folder) == [3], "the start")
    os.kill(owner_of(metadata).pid, signal.SIGKILL)
    wait_until(lambda: not command_wrapper.identity_of(_pid(metadata)), "the kill")
    assert "nobody knows its exit status" in reason_of(runner, metadata)
    with pytest.raises(ProcessLookupError, match="the command may go on"):
        runner.stop_trial(3, metadata)


def _pid(metadata: dict[str, Any]) -> int:
    pid: int = command_wrapper.owner_of(Path(metadata["folder"]))["pid"]
    return pid


def test_a_process_that_got_the_same_number_later_is_left_alone(folder: Path) -> None:
    runner = runner_of(folder)
    metadata = runner.run_trial(3, {"x": 1.0})
    assert ended(runner, metadata) is TrialStatus.COMPLETED
    trial = Path(metadata["folder"])
    (trial / "exit.json").unlink()
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as innocent:
        content = {"pid": innocent.pid, "identity": command_wrapper.owner_of(trial)["identity"]}
        command_wrapper.write_json(trial / "process" / "process.json", content)
        assert "nobody knows its exit status" in reason_of(runner, metadata)
        assert runner.stop_trial(3, metadata) == {}
        assert innocent.poll() is None
        innocent.kill()


# ---- stopping ------------------------------------------------------------------------------------


def test_a_stop_ends_all_processes_of_the_trial(folder: Path) -> None:
    program = f"""
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", {str(folder)!r}])
{PROGRAM}
"""
    runner = runner_of(folder, program, waits=True)
    metadata = runner.run_trial(3, {"x": 1.0})
    wait_until(lambda: calls(folder) == [3], "the start")
    assert len(processes_of(folder)) >= 3
    assert runner.stop_trial(3, metadata) == {}
    assert processes_of(folder) == []
    assert runner.poll_trial(3, metadata) is TrialStatus.ABANDONED
    assert runner.stop_trial(3, metadata) == {}


def test_what_does_not_end_by_itself_is_killed(folder: Path) -> None:
    program = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{PROGRAM}"
    line = command(folder, program, waits=True)
    runner = CommandRunner(line, folder, seconds_to_stop=0.2)
    metadata = runner.run_trial(3, {"x": 1.0})
    wait_until(lambda: calls(folder) == [3], "the start")
    runner.stop_trial(3, metadata)
    wait_until(lambda: processes_of(folder) == [], "the end of all processes")
    assert runner.poll_trial(3, metadata) is TrialStatus.ABANDONED


def test_a_trial_that_has_ended_keeps_its_result_when_it_is_stopped(folder: Path) -> None:
    runner = runner_of(folder)
    metadata = runner.run_trial(3, {"x": 1.0})
    assert ended(runner, metadata) is TrialStatus.COMPLETED
    assert runner.stop_trial(3, metadata) == {}
    assert runner.poll_trial(3, metadata) is TrialStatus.COMPLETED


# ---- as a plugin ---------------------------------------------------------------------------------


def test_it_needs_no_more_of_axdesk_than_its_source(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    python.chmod(0o755)
    catalogue = describe_folder(resource_path("plugins"), str(python))
    assert catalogue == load_plugins(resource_path("plugins")).catalogue
    assert catalogue.files[0].name == "command.py"


def test_window_and_headless_choose_it_with_options(folder: Path) -> None:
    catalogue = describe_folder(resource_path("plugins"))
    file = next(file for file in catalogue.files if file.name == "command.py")
    assert file.error == ""
    runner, metric = file.plugins
    assert (runner.can_stop, runner.can_find) == (True, True)
    assert [(o.name, o.kind, o.is_required) for o in (*runner.options, *metric.options)] == [
        ("command", "str", True),
        ("folder", "path", True),
        ("seconds_to_stop", "float", False),
        ("key", "str", False),
        ("while_running", "bool", False),
    ]
    assert all(option.help for option in (*runner.options, *metric.options))

    options = {"command": command(folder, waits=True), "folder": str(folder)}
    choice = PluginChoice("command.py:CommandRunner", options)
    metrics = [("Yield (%)", PluginChoice("command.py:CommandMetric", {"key": "z"}))]
    with closing(HostedPluginCalls(resource_path("plugins"), choice, metrics)) as hosted:
        metadata = hosted.run_trial(0, {"x": 1.0}).result(SECONDS)
        assert hosted.poll_trial(0, metadata).result(SECONDS) is TrialStatus.RUNNING
        failed = hosted.run_trial(1, {"w": 1.0}).result(SECONDS)
    # The plugin's process is gone; the command goes on.
    assert owner_of(metadata).is_running()
    (folder / "wait").unlink()
    with closing(HostedPluginCalls(resource_path("plugins"), choice, metrics)) as hosted:
        assert hosted.find_trial(0, {"x": 1.0}).result(SECONDS) == metadata
        wait_until(
            lambda: hosted.poll_trial(0, metadata).result(SECONDS) is TrialStatus.COMPLETED,
            "the end of the trial",
        )
        observation = hosted.fetch("Yield (%)", 0, metadata).result(SECONDS)
        assert (observation.mean, observation.sem) == (2.0, 0.5)
        wait_until(lambda: Path(failed["folder"], "exit.json").exists(), "the failure")
        with pytest.raises(TrialFailedError, match=r"^exit status 1: KeyError: 'x'$"):
            hosted.poll_trial(1, failed).result(SECONDS)
    assert sorted(calls(folder)) == [0, 1]


# ---- killed in the middle ------------------------------------------------------------------------

SCRIPT = """
import sys
from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig, RangeParameterConfig, StorageConfig
from axdesk.runners.command import CommandMetric, CommandRunner
line, folder, url = sys.argv[1:]
client = Client(StorageConfig(url=url), random_seed=1)
client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))], name="bench")
client.configure_optimization("y")
client.configure_generation_strategy("random_search")
client.configure_runner(CommandRunner(line, folder))
client.configure_metrics([CommandMetric("y")])
client.run_trials(
    4, 2, initial_seconds_between_polls=0.02,
    config=OrchestrationConfig(min_seconds_between_launches=0.0),
)
"""


def resumed(folder: Path, url: str) -> Client:
    client = Client.load_from_database("bench", StorageConfig(url=url))
    client.configure_runner(CommandRunner(command(folder), folder))
    client.configure_metrics([CommandMetric("y")])
    return client


@pytest.mark.parametrize(
    "failpoint",
    ["", "trial_staged:1", "trial_deployed:1", "trial_deployed:2", "trial_running:2"],
)
def test_after_a_kill_everything_is_found_again_and_nothing_runs_twice(
    folder: Path, tmp_path: Path, failpoint: str
) -> None:
    url = f"sqlite:///{tmp_path / 'lab.sqlite'}"
    line = command(folder, waits=True)
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "AXDESK_FAILPOINT": failpoint}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, line, str(folder), url], env=environ
    ) as process:
        if not failpoint:
            wait_until(lambda: len(calls(folder)) == 2, "two starts")
            process.kill()
        assert process.wait(SECONDS) != 0
    (folder / "wait").unlink()
    with closing(resumed(folder, url)) as client:
        client.run_trials()
        trials = client.experiment.trials
        assert [trial.status for trial in trials.values()] == [TrialStatus.COMPLETED] * 4
        for trial in trials.values():
            value = trial.latest("y")
            assert value is not None
            assert value.mean == pytest.approx(float(trial.parameters["x"]) + 1)
    assert sorted(calls(folder)) == [0, 1, 2, 3]
