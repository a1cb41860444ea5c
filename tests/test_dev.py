"""The developer's command: what it decides, counts and says."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import dev
import environment
import suites

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
EXAMPLE = str(ROOT / "resources" / "experiments" / "hartmann6.toml")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a checkout whose environment is already set up."""
    (tmp_path / "packaging").mkdir()
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(environment, "CONSTRAINTS", tmp_path / "packaging" / "constraints.txt")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    (tmp_path / "packaging" / "constraints.txt").write_text("numpy==2.4.6\n", "utf-8")
    stamp = environment.fingerprint(PYPROJECT, "numpy==2.4.6\n")
    (tmp_path / ".venv" / "stamp").write_text(stamp, "utf-8")
    return tmp_path


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been run, in order; each of them succeeds."""
    seen: list[list[str]] = []

    def record(command: Sequence[str], **_: object) -> Any:
        seen.append([str(word) for word in command])
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", record)
    return seen


def test_matching_stamp_runs_nothing(checkout: Path, commands: list[list[str]]) -> None:
    environment.install_packages()

    assert commands == []


def test_changed_constraints_install_once(checkout: Path, commands: list[list[str]]) -> None:
    (checkout / "packaging" / "constraints.txt").write_text("numpy==2.4.5\n", "utf-8")

    environment.install_packages()
    installed = len(commands)
    environment.install_packages()

    assert any("--editable" in command for command in commands)
    assert len(commands) == installed


def test_failing_pip_leaves_no_stamp(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / ".venv" / "stamp").unlink()
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **_: subprocess.CompletedProcess(command, int("pip" in command)),
    )

    with pytest.raises(SystemExit, match="failed; see above"):
        environment.install_packages()

    assert not (checkout / ".venv" / "stamp").exists()


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("line-length = 100", "line-length = 99", True),
        ("botorch>=0.18", "botorch>=0.18.1", False),
        ('"axdesk.gui.views",', "", False),
    ],
    ids=["linter setting", "dependency", "package list"],
)
def test_only_what_pip_reads_changes_the_fingerprint(old: str, new: str, same: bool) -> None:
    assert old in PYPROJECT

    changed = environment.fingerprint(PYPROJECT.replace(old, new), "")

    assert (changed == environment.fingerprint(PYPROJECT, "")) is same


@pytest.mark.parametrize(
    ("environ", "platform"),
    [
        ({"DISPLAY": ":0"}, "linux"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux"),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux"),
        ({}, "darwin"),
        ({}, "win32"),
    ],
)
def test_run_with_a_screen_passes_arguments_on(environ: dict[str, str], platform: str) -> None:
    assert dev.run_command(["--database", "lab.db"], environ, platform) == ["--database", "lab.db"]


@pytest.mark.parametrize("environ", [{}, {"DISPLAY": ""}], ids=["unset", "empty"])
def test_run_without_a_screen_runs_the_example(environ: dict[str, str]) -> None:
    command = dev.run_command(["--max-trials", "5"], environ, "linux")

    assert command[:3] == ["--headless", "run", EXAMPLE]
    assert command[3:5] == ["--plugins", str(ROOT / "resources" / "plugins")]
    assert command[5:] == ["--max-trials", "5"]


@pytest.mark.parametrize("arguments", [["--headless", "doctor"], ["--help"], ["--version"]])
def test_run_leaves_a_chosen_door_alone(arguments: list[str]) -> None:
    assert dev.run_command(arguments, {}, "linux") == arguments


def test_missing_libraries_are_named_with_one_command() -> None:
    missing = environment.missing_packages(
        environment.QT_LIBRARIES, is_present=lambda library: "xcb-cursor" not in library
    )

    assert missing == {"libxcb-cursor.so.0": "libxcb-cursor0"}
    assert "sudo apt-get install libxcb-cursor0\n" in environment.by_hand(
        missing.values(), "the window"
    )


def test_a_library_that_is_not_there_is_not_loadable() -> None:
    assert not environment.is_loadable("libaxdesk-has-none-such.so.1")


def test_packages_are_only_installed_with_the_right_to(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    commands: list[list[str]],
) -> None:
    monkeypatch.setattr(environment, "apt_prefix", lambda: None)

    environment.provide_system_packages(["libegl1"], purpose="the window")

    assert commands == []
    assert "sudo apt-get install libegl1" in capsys.readouterr().out


def test_suites_come_in_order_and_new_folders_last(tmp_path: Path) -> None:
    for file in ("gui/models/test_a.py", "core/test_b.py", "new/test_c.py", "test_d.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "store_contract.py").touch()

    found = suites.find_suites(tmp_path)

    assert list(found) == ["gui", "core", "new", "project"]
    assert found["project"] == [tmp_path / "test_d.py"]


def test_every_suite_of_this_tree_is_a_step_within_bounds(tmp_path: Path) -> None:
    steps = suites.list_steps(tmp_path)

    assert [step.name for step in steps][:4] == ["format", "lint", "types", "contracts"]
    assert "project" in {step.name for step in steps}
    assert sum(step.budget for step in steps) / suites.LANES < 2000


REPORT = """<testsuites><testsuite tests="5">
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="x"/><error message="teardown"/></testcase>
<testcase name="d"><error message="x"/></testcase>
<testcase name="e"><skipped message="no Xvfb"/></testcase>
</testsuite></testsuites>"""


def step(report: Path | None) -> suites.Step:
    return suites.Step("core", ["true"], 10, report)


def test_reports_are_added_up_in_the_last_line(tmp_path: Path) -> None:
    report = tmp_path / "core.xml"
    report.write_text(REPORT, "utf-8")

    outcomes = [suites.judge(step(report), 1), suites.judge(step(None), 0)]

    assert suites.totals(outcomes) == "2 passed, 2 failed, 1 skipped"


@pytest.mark.parametrize("returncode", [None, -9, 2])
def test_a_suite_without_a_report_counts_as_failed(tmp_path: Path, returncode: int | None) -> None:
    outcome = suites.judge(step(tmp_path / "none.xml"), returncode)

    assert (outcome.passed, outcome.failed) == (0, 1)
    assert outcome.remark


def test_a_failing_check_counts_as_one_failure() -> None:
    assert suites.judge(step(None), 1).failed == 1


def test_a_suite_that_fails_after_its_tests_is_not_green(tmp_path: Path) -> None:
    report = tmp_path / "core.xml"
    report.write_text("<testsuite><testcase name='a'/></testsuite>", "utf-8")

    outcome = suites.judge(step(report), -11)

    assert (outcome.passed, outcome.failed, outcome.remark) == (1, 1, "exit status -11")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell and a named pipe")
def test_a_step_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    # The grandchild holds the write end: reading to the end of the pipe proves that it is gone.
    fifo = tmp_path / "held"
    hang = f"exec 9>{fifo}; sleep 600 & sleep 600"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    outcome = suites.run_step(
        suites.Step("hang", ["sh", "-c", hang], 1, None), os.environ, tmp_path
    )

    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert outcome.failed == 1
    assert outcome.remark == "ended after its 1 s"


def test_steps_run_side_by_side_and_are_shown_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    # Each waits for the other: one after the other they would not end.
    meet = "import pathlib, sys; [me, other] = sys.argv[1:]; print('one'); "
    meet += "pathlib.Path(me).touch(); print('two')\nwhile not pathlib.Path(other).exists(): pass"
    both = [tmp_path / "a", tmp_path / "b"]
    steps = [
        suites.Step(me.name, [sys.executable, "-c", meet, str(me), str(other)], 60, None)
        for me, other in (both, both[::-1])
    ]

    outcomes = suites.run_steps(steps, os.environ, tmp_path)

    assert [(outcome.name, outcome.failed) for outcome in outcomes] == [("a", 0), ("b", 0)]
    assert capfd.readouterr().out.count("one\ntwo\n== ") == 2


def test_suites_stay_out_of_the_users_folders(tmp_path: Path) -> None:
    environ = suites.suite_environment(tmp_path)

    assert environ["HOME"] == str(tmp_path)
    assert environ["XDG_DATA_HOME"].startswith(str(tmp_path))
    assert environ["OMP_NUM_THREADS"] == "1"
    assert environ["QT_QPA_PLATFORM"] == "offscreen"


def test_an_unknown_verb_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["launch"]) == 2

    listed = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line[:2] == "  "}
    assert listed == set(dev.VERBS)


def test_an_unknown_step_lists_the_steps(
    capsys: pytest.CaptureFixture[str], commands: list[list[str]]
) -> None:
    assert dev.main(["test", "everything"]) == 2

    assert "No such step: everything. There are: format lint" in capsys.readouterr().out
    assert commands == []


def test_faults_are_injected_by_the_environments_python(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for prepare in ("prepare_window", "prepare_test_tools"):
        monkeypatch.setattr(dev, prepare, lambda: None)
    monkeypatch.setattr(dev, "PYTHON", environment.PYTHON)

    assert dev.main(["faults", "1", "--points", "5"]) == 0

    assert commands == [
        [str(environment.PYTHON), "-m", "tests.faults.campaign", "1", "--points", "5"]
    ]


def test_the_whole_campaign_ends_with_the_peers(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for prepare in ("prepare_window", "prepare_test_tools"):
        monkeypatch.setattr(dev, prepare, lambda: None)
    monkeypatch.setitem(sys.modules, "peers", SimpleNamespace(main=lambda: 1))

    assert dev.main(["faults"]) == 1

    assert [command[1:] for command in commands] == [["-m", "tests.faults.campaign"]]


BENCHES = {
    "suggestions": "tests.bench.campaign",
    "orchestration": "tests.bench.orchestration",
    "window": "tests.gui.bench",
}


@pytest.mark.parametrize("family", BENCHES)
def test_each_bench_is_run_by_the_environments_python(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch, family: str
) -> None:
    for prepare in ("prepare_window", "prepare_test_tools"):
        monkeypatch.setattr(dev, prepare, lambda: None)
    monkeypatch.setattr(dev, "PYTHON", environment.PYTHON)

    assert dev.main(["bench", family, "5"]) == 0

    assert commands == [[str(environment.PYTHON), "-m", BENCHES[family], "5"]]


def test_screenshots_are_drawn_by_the_environments_python(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for prepare in ("prepare_window", "prepare_test_tools"):
        monkeypatch.setattr(dev, prepare, lambda: None)
    monkeypatch.setattr(dev, "PYTHON", environment.PYTHON)

    assert dev.main(["screenshots", "window"]) == 0

    assert commands == [[str(environment.PYTHON), "-m", "tests.gui.pictures", "window"]]


def test_without_a_name_all_benches_are_run(
    checkout: Path, commands: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for prepare in ("prepare_window", "prepare_test_tools"):
        monkeypatch.setattr(dev, prepare, lambda: None)

    assert dev.main(["bench"]) == 0

    assert [command[2] for command in commands] == list(BENCHES.values())


def test_an_unknown_bench_lists_the_benches(
    capsys: pytest.CaptureFixture[str], commands: list[list[str]]
) -> None:
    assert dev.main(["bench", "5"]) == 2

    assert "No such bench: 5. There are: suggestions orchestration window" in (
        capsys.readouterr().out
    )
    assert commands == []
