"""A laboratory that is a command line, and a run that ends because it is good enough."""

import json
import sys
from typing import Any

EXPERIMENT = """
[experiment]
name = "ovens"

[[parameters]]
name = "x"
type = "float"
low = 0.0
high = 1.0

[optimization]
objective = "-y"

[generation]
method = "random_search"

[runner]
plugin = "command.py:CommandRunner"

[runner.options]
command = '"{python}" measure.py {{parameters}} {{result}}'
folder = '{folder}'

[metrics.y]
plugin = "command.py:CommandMetric"

[run]
max_trials = 30
initial_seconds_between_polls = 0.02
min_seconds_between_launches = 0.0

[run.global_stopping]
target = 0.5
"""

PROGRAM = """
import json, sys
json.dump({"y": json.load(open(sys.argv[1]))["x"]}, open(sys.argv[2], "w"))
"""


def test_a_command_line_is_run_until_the_target_is_reached(lab: Any) -> None:
    folder = lab.folder / "ovens"
    folder.mkdir()
    (folder / "measure.py").write_text(PROGRAM, "utf-8")
    lab.file.write_text(EXPERIMENT.format(python=sys.executable, folder=folder), "utf-8")

    done = lab.run("run", lab.file)

    assert done.returncode == 0, done.stderr
    # The first trial is the centre.
    assert "ovens: completed (target reached: 0.5 ≤ 0.5 by #0), 1 of 30 trials" in done.stdout
    (result,) = folder.glob("trial_0000_*/result.json")
    assert json.loads(result.read_text("utf-8")) == {"y": 0.5}
    assert "target reached" in lab.run("status", "ovens").stdout
