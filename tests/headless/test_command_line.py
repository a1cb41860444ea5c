import csv
import io
import json
import os
import shlex
import signal
import subprocess
import sys
from typing import Any

import pytest

from axdesk.core.questions import Answer
from axdesk.headless.command_line import parse

SECONDS = 60


def events(stdout: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stdout.splitlines()]


def test_a_run_tells_each_trial_and_the_best_parameters(lab: Any) -> None:
    done = lab.run("run", lab.file, "--max-trials", 3)

    assert done.returncode == 0, done.stderr
    assert [f"Trial {i} completed: y = " in done.stdout for i in range(3)] == [True] * 3
    assert "quick: completed, 3 of 3 trials finished." in done.stdout
    assert "Best: trial " in done.stdout
    assert "\n  x = " in done.stdout
    assert "quick.py: the plugin prints this\n" in done.stdout


def test_json_lines_are_all_that_is_on_standard_output(lab: Any) -> None:
    done = lab.run("run", lab.file, "--jsonl", "--seed", 7)

    told = events(done.stdout)
    assert done.returncode == 0, done.stderr
    printed = [(e["file"], e["text"]) for e in told if e["event"] == "PluginPrinted"]
    assert ("quick.py", "the plugin prints this") in printed
    assert told[-1]["event"] == "RunFinished"
    assert (told[-1]["run"]["state"], told[-1]["error"]) == ("completed", None)
    completed = [e["trial"] for e in told if e["event"] == "TrialChanged"]
    values = {t["index"]: t["observations"][0]["mean"] for t in completed if t["observations"]}
    assert sorted(values) == list(range(6))
    assert all(e["at"].endswith("+00:00") for e in told)


def test_the_same_seed_gives_the_same_trials(lab: Any) -> None:
    def points() -> list[object]:
        told = events(lab.run("run", lab.file, "--jsonl", "--seed", 7).stdout)
        changed = [e["trial"] for e in told if e["event"] == "TrialChanged"]
        return [t["arm"]["parameters"] for t in changed if t["status"] == "completed"]

    first, second = points(), points()

    assert len(first) == 6
    assert first == second


def test_a_taken_name_gets_a_number(lab: Any) -> None:
    lab.run("run", lab.file, "--max-trials", 1)
    done = lab.run("run", lab.file, "--max-trials", 1)

    assert done.returncode == 0
    assert "quick 2: completed" in done.stdout
    assert "resume quick" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "f.toml", "--max-trials", "0"],
        ["resume", "quick", "--answer", "3=perhaps"],
        ["resume", "quick", "--answer", "redeploy"],
        ["resume", "quick", "--result", "3"],
        ["resume", "quick", "--result", "3", "y=tall"],
        ["resume", "quick", "--result", "y=3"],
    ],
)
def test_what_is_not_understood_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse(arguments)
    assert raised.value.code == 2


def test_decisions_about_several_trials_are_read() -> None:
    given = ["--answer", "3=redeploy", "--answer", "4=failed"]
    results = ["--result", "5", "y=-1e3", "a=b=0.5+-0.25", "--result", "6", "y=2"]
    options = parse(["resume", "quick", *given, *results])
    assert options.answer == [(3, Answer.REDEPLOY), (4, Answer.MARK_FAILED)]
    assert options.result == [(5, {"y": -1000.0, "a=b": (0.5, 0.25)}), (6, {"y": 2.0})]


def test_an_experiment_that_is_not_there_exits_with_2(lab: Any) -> None:
    done = lab.run("status", "nobody")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_invalid_file_exits_with_3_and_the_place(lab: Any) -> None:
    lab.file.write_text(lab.file.read_text("utf-8").replace("high = 1.0", 'high = "tall"'), "utf-8")

    done = lab.run("run", lab.file)

    assert done.returncode == 3
    assert "high" in done.stderr
    assert done.stdout == ""


def test_a_missing_plugin_exits_with_3(lab: Any) -> None:
    (lab.folder / "plugins" / "quick.py").unlink()

    done = lab.run("run", lab.file)

    assert done.returncode == 3
    assert "quick.py" in done.stderr


def test_too_many_failures_exit_with_4(lab: Any) -> None:
    lab.flag("fail")

    done = lab.run("run", lab.file)

    assert done.returncode == 4, done.stderr
    assert "trials failed" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_drains_and_exits_with_5_and_resume_finishes(lab: Any) -> None:
    process = lab.start_held()
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if '"state": "stopping"' in line:
            break
    lab.unflag("hold")
    stdout, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 5, stderr
    last = events(stdout)[-1]
    assert (last["event"], last["run"]["state"]) == ("RunFinished", "stopped")
    assert "resume quick --database" in stderr

    resumed = lab.run("resume", "quick", "--jsonl")

    assert resumed.returncode == 0, resumed.stderr
    assert events(resumed.stdout)[-1]["run"]["state"] == "completed"
    assert "6 of 6 trials finished" in resumed.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_twice_stops_now(lab: Any) -> None:
    process = lab.start_held()
    process.send_signal(signal.SIGINT)
    for line in process.stdout:
        if '"state": "stopping"' in line:
            break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 5, stderr


def test_an_experiment_that_is_run_elsewhere_exits_with_6(lab: Any) -> None:
    process = lab.start_held()

    done = lab.run("resume", "quick")
    status = lab.run("status", "quick")

    assert done.returncode == 6, done.stderr
    assert str(process.pid) in status.stdout


def interrupted(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a run that died with trial 0 staged, and perhaps more."""
    with monkeypatch.context() as patched:
        patched.setenv("AXDESK_FAILPOINT", "trial_staged")
        assert lab.run("run", lab.file, "--max-trials", 3).returncode not in range(8)


def test_a_trial_that_may_have_started_exits_with_7_until_it_is_decided(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(lab, monkeypatch)

    asked = lab.run("resume", "quick")

    assert asked.returncode == 7, asked.stderr
    assert "QuickRunner was not asked again" in asked.stderr
    assert "--uncertain abandon" in asked.stderr
    (command,) = [line for line in asked.stderr.splitlines() if "--answer 0=redeploy" in line]
    prefix, *arguments = shlex.split(command.partition("axdesk ")[2])
    assert prefix == "--headless"

    told = lab.run("status", "quick").stdout
    assert "Trial 0 may have started: axdesk ended before the runner had answered.\n" in told

    decided = lab.run(*arguments)

    assert decided.returncode == 0, decided.stderr
    assert "3 of 3 trials finished" in decided.stdout
    assert "3 completed" in lab.run("status", "quick").stdout


def test_the_result_of_a_trial_that_ran_after_all_is_entered(
    lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(lab, monkeypatch)

    refused = lab.run("resume", "quick", "--result", 0, "z=1")
    done = lab.run("resume", "quick", "--result", 0, "y=-7.5+-0.25", "--jsonl")

    assert refused.returncode == 2
    assert "'z' is no metric" in refused.stderr
    assert done.returncode == 0, done.stderr
    deployed = {e["trial"]["index"] for e in events(done.stdout) if e["event"] == "TrialChanged"}
    assert deployed == {1, 2}
    assert "Best: trial 0, y = -7.5" in done.stderr


def test_our_own_defect_exits_with_1_and_a_traceback() -> None:
    script = (
        "import sys, axdesk.headless.main as m\n"
        "def broken(*arguments, **options): raise RuntimeError('unforeseen')\n"
        "m.Workspace = broken\n"
        "sys.exit(m.main(['status']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.returncode == 1
    assert "RuntimeError: unforeseen" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break otherwise there")
def test_a_reader_that_goes_away_does_not_end_the_run(lab: Any) -> None:
    process = lab.start("run", lab.file)
    process.stdout.close()
    process.stdout = None
    _, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, stderr
    assert "6 of 6" in lab.run("status").stdout


def test_status_and_export_tell_what_is_stored(lab: Any) -> None:
    lab.run("run", lab.file, "--max-trials", 3)

    listed, told = lab.run("status"), lab.run("status", "quick")
    shown = lab.run("export", "quick")
    written = lab.run("export", "quick", "--output", lab.folder / "trials.csv")

    assert "quick" in listed.stdout
    assert "3 of 3" in listed.stdout
    assert told.stdout.startswith("quick: completed\n")
    assert "3 trials asked for, 3 completed." in told.stdout
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert len(rows) == 3
    assert written.returncode == 0
    text = (lab.folder / "trials.csv").read_text("utf-8-sig")
    assert list(csv.DictReader(io.StringIO(text))) == rows


def test_trials_are_exported_in_the_format_asked_for(lab: Any) -> None:
    lab.run("run", lab.file, "--max-trials", 2)

    comma = lab.run("export", "quick", "--decimal", "comma", "--output", "-")
    as_json = lab.run("export", "quick", "--format", "json")
    book = lab.run("export", "quick", "--output", lab.folder / "trials.xlsx")
    no_text = lab.run("export", "quick", "--format", "xlsx")

    rows = list(csv.DictReader(io.StringIO(comma.stdout), delimiter=";"))
    trials = json.loads(as_json.stdout)["trials"]
    assert [row["trial"] for row in rows] == ["0", "1"]
    name, value = next(iter(trials[0]["parameters"].items()))
    assert float(rows[0][name].replace(",", ".")) == value
    assert book.returncode == 0
    assert "2 trials written" in book.stderr
    assert (lab.folder / "trials.xlsx").read_bytes().startswith(b"PK")
    assert no_text.returncode == 3
    assert "A workbook is no text." in no_text.stderr


def test_the_doctor_tries_the_optimiser_and_names_a_broken_plugin(lab: Any) -> None:
    (lab.folder / "plugins" / "broken.py").write_text("import nothing_of_that_name\n", "utf-8")
    lab.run("run", lab.file, "--max-trials", 1)

    done = lab.run("--plugins", lab.folder / "plugins", "doctor")

    assert done.returncode == 3, done.stderr
    problems = [line for line in done.stdout.splitlines() if line.startswith("PROBLEM")]
    assert len(problems) == 1
    assert "broken.py" in problems[0]
    assert "the optimiser suggests" in done.stdout
    assert str(lab.database) in done.stdout


def test_a_run_never_loads_qt(lab: Any) -> None:
    script = (
        "import sys\n"
        "from axdesk.__main__ import main\n"
        "if __name__ == '__main__':\n"
        "    code = main(sys.argv[1:])\n"
        "    loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "    print(loaded & {'PySide6', 'shiboken6', 'pyqtgraph', 'torch'}, file=sys.stderr)\n"
        "    sys.exit(code)\n"
    )
    file = lab.folder / "watched.py"
    file.write_text(script, "utf-8")
    command = [sys.executable, file, "--headless", "run", lab.file, "--database", lab.database]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)

    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "set()"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a screen")
def test_the_window_without_a_screen_points_to_the_command_line() -> None:
    environment = {k: v for k, v in os.environ.items() if "DISPLAY" not in k and k[:3] != "QT_"}
    command = [sys.executable, "-m", "axdesk"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert done.returncode == 2
    assert "--headless" in done.stderr
