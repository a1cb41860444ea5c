"""What axdesk starts beside itself: it may die without harm, and never outlives axdesk.

That nothing is left behind is looked at after every test of the command line.
"""

import json
import sys
from typing import Any

import psutil

SECONDS = 60


def states(stdout: str) -> list[str]:
    return [json.loads(line)["run"]["state"] for line in stdout.splitlines() if '"run"' in line]


def test_a_run_goes_on_when_its_helpers_are_killed(lab: Any) -> None:
    process = lab.start_held()
    helpers = psutil.Process(process.pid).children()
    assert any("host_program" in " ".join(helper.cmdline()) for helper in helpers)
    for helper in helpers:
        helper.kill()
    lab.unflag("hold")
    stdout, stderr = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, stderr
    assert states(stdout)[-1] == "completed"
    assert "6 completed" in lab.run("status", "quick").stdout


def test_the_python_of_the_plugins_is_kept_with_the_experiment(lab: Any) -> None:
    done = lab.run("run", lab.file, "--max-trials", 1, "--plugin-python", sys.executable)
    elsewhere = lab.run("resume", "quick", "--plugin-python", "no_such_python")
    again = lab.run("resume", "quick")

    assert done.returncode == 0, done.stderr
    for refused in (elsewhere, again):
        assert refused.returncode == 3
        assert "no_such_python" in refused.stderr
