"""The tutorial's experiment in the real window: typed, clicked, killed, reopened, resumed."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import window_driver
from tests.e2e.window_driver import (
    CONSTRAINT,
    ENOUGH_TO_DIE,
    NAME,
    PARALLELISM,
    SECOND,
    SECOND_TRIALS,
    TRIALS,
)
from tests.gui.bench import x_server

ROOT = Path(__file__).parents[2]
KILLED = -9 if os.name == "posix" else 15


OFFSCREEN = {"QT_QPA_PLATFORM": "offscreen"}


@pytest.fixture(params=["made events", "mouse and keyboard"])
def screen(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """What the window is shown on: nothing, or an X server with a real pointer and keys."""
    if request.param == "made events":
        yield OFFSCREEN
        return
    missing = [program for program in ("Xvfb", "xdotool") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    with x_server() as display:
        yield {"QT_QPA_PLATFORM": "xcb", "DISPLAY": display}


def operate(
    part: str, folder: Path, screen: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Have the operator work a window in a process of its own."""
    return subprocess.run(
        [sys.executable, window_driver.__file__, part, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **screen},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=200,
    )


def rows(folder: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(folder / "lab.sqlite")) as connection:
        return connection.execute(query).fetchall()


def statuses(folder: Path) -> dict[int, str]:
    return dict(rows(folder, "SELECT trial_index, status FROM trials"))


def deployments(folder: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return (trial index, what the runner wrote) of each deployment."""
    files = sorted((folder / "results").glob("trial_*.json"))
    return [(int(file.name.split("_")[1]), json.loads(file.read_text("utf-8"))) for file in files]


@pytest.mark.timeout(420)
def test_the_tutorials_run_survives_a_kill_of_the_window(
    tmp_path: Path, screen: dict[str, str]
) -> None:
    (tmp_path / "plugins").mkdir()
    shutil.copy(ROOT / "resources" / "plugins" / "hartmann6.py", tmp_path / "plugins")

    died = operate("begin", tmp_path, screen)
    assert died.returncode == KILLED, died.stderr
    before = statuses(tmp_path)
    completed = [index for index, status in before.items() if status == "completed"]
    assert ENOUGH_TO_DIE <= len(completed) < TRIALS
    assert 1 <= len(deployments(tmp_path)) - len(completed) <= PARALLELISM
    finished_before = rows(
        tmp_path,
        "SELECT trial_index, finished_at FROM trials WHERE status = 'completed' ORDER BY 1",
    )

    went_on = operate("resume", tmp_path, screen)
    assert went_on.returncode == 0, went_on.stderr
    assert "Traceback" not in went_on.stderr
    seen = json.loads(went_on.stdout)
    assert f"{NAME} was interrupted" in seen["notice"]
    assert f"Its {len(completed)} finished trials are safe." in seen["notice"]

    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert statuses(tmp_path) == dict.fromkeys(range(TRIALS), "completed")
    assert Counter(i for i, _ in deployments(tmp_path)) == dict.fromkeys(range(TRIALS), 1)
    # What was finished before the kill was left alone.
    finished = rows(tmp_path, "SELECT trial_index, finished_at FROM trials ORDER BY 1")
    assert set(finished_before) <= set(finished)
    [runs] = rows(tmp_path, "SELECT count(*), max(parallelism) FROM runs")
    assert runs == (1, PARALLELISM)
    assert "model" in dict(rows(tmp_path, "SELECT source, count(*) FROM trials GROUP BY 1"))

    made = deployments(tmp_path)
    metric, values = "SELECT metric, mean FROM observations", "SELECT parameter, value FROM"
    for index, content in made:
        assert rows(tmp_path, f"{metric} WHERE trial_index = {index}") == [(NAME, content[NAME])]
        planned = rows(tmp_path, f"{values} trial_parameters WHERE trial_index = {index}")
        assert dict(planned) == content["parameters"]

    best, content = min(made, key=lambda deployment: float(deployment[1][NAME]))
    trials = {int(trial["#"]): trial for trial in seen["trials"]}
    assert sorted(trials) == list(range(TRIALS))
    assert {trial["Status"] for trial in trials.values()} == {"Done"}
    assert seen["banner"].startswith(f"{TRIALS} trials; best ")
    assert seen["banner"].endswith(f"(#{best})")
    shown = float(trials[best][NAME].replace("−", "-"))
    assert shown == pytest.approx(content[NAME], abs=0.05)  # rounded to be read


@pytest.mark.timeout(420)
def test_a_run_with_choice_constraint_and_limit_is_paused_changed_killed_and_finished(
    tmp_path: Path, screen: dict[str, str]
) -> None:
    (tmp_path / "plugins").mkdir()
    shutil.copy(ROOT / "tests" / "e2e" / "kitchen_plugin.py", tmp_path / "plugins")

    died = operate("begin_second", tmp_path, screen)
    assert died.returncode == KILLED, died.stderr
    before = statuses(tmp_path)
    assert 5 <= list(before.values()).count("completed") < SECOND_TRIALS

    went_on = operate("resume", tmp_path, screen)
    assert went_on.returncode == 0, went_on.stderr
    assert "Traceback" not in went_on.stderr
    seen = json.loads(went_on.stdout)
    assert f"{SECOND} was interrupted" in seen["notice"]
    assert seen["banner"].startswith(f"{SECOND_TRIALS} trials; best ")
    assert {trial["Status"] for trial in seen["trials"]} == {"Done"}

    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert statuses(tmp_path) == dict.fromkeys(range(SECOND_TRIALS), "completed")
    # Typed as 40, changed in the pause: one run all the same.
    assert rows(tmp_path, "SELECT count(*), max(max_trials) FROM runs") == [(1, SECOND_TRIALS)]
    dishes = [json.loads(f.read_text("utf-8")) for f in (tmp_path / "results").glob("*.json")]
    assert len(dishes) == SECOND_TRIALS
    at = [dish["parameters"] for dish in dishes]
    assert {choice["Solvent"] for choice in at} <= {"water", "ethanol", "toluene"}
    assert all(isinstance(choice["Time"], int) for choice in at)
    assert CONSTRAINT == "Temperature + Time <= 140"
    assert max(choice["Temperature"] + choice["Time"] for choice in at) <= 140 + 1e-9
    allowed = [dish["Yield"] for dish in dishes if dish["Impurity"] <= 2]
    best = float(seen["banner"].split("best ")[1].split()[0].replace("−", "-"))
    assert best == pytest.approx(max(allowed), abs=0.1)
