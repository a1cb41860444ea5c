"""A process dies without warning at each named place; another one goes on and loses nothing."""

import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from axdesk.api.client import Client
from axdesk.core.errors import DecisionNeededError
from axdesk.core.experiment import Experiment
from axdesk.core.failpoints import FAILPOINTS
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from tests.e2e import killable_lab
from tests.e2e.killable_lab import NAME, TRIALS, database, deployments, equip

ROOT = Path(__file__).parents[2]
KILLED = -9 if os.name == "posix" else 15
OCCURRENCES = {name: 1 if name.startswith("run_") else 3 for name in FAILPOINTS}


def die_at(failpoint: str, folder: Path, runner: str) -> None:
    """Run the experiment in a process of its own until it dies there."""
    died = subprocess.run(
        [sys.executable, killable_lab.__file__, str(folder), runner],
        env={**os.environ, "PYTHONPATH": str(ROOT), "AXDESK_FAILPOINT": failpoint},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert died.returncode == KILLED, died.stderr


def loaded(folder: Path, runner: str) -> Client:
    client = Client.load_from_database(NAME, database(folder))
    equip(client, folder, runner)
    return client


def assert_intact(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "lab.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def assert_nothing_lost(experiment: Experiment, folder: Path) -> None:
    """Each deployment has its trial, with its point and its value; none was repeated."""
    counts = Counter(index for index, _ in deployments(folder))
    assert counts == dict.fromkeys(range(TRIALS), 1)
    assert sorted(experiment.trials) == list(range(TRIALS))
    for index, x in deployments(folder):
        trial = experiment.trial(index)
        assert trial.parameters == {"x": x}
        if trial.status is TrialStatus.COMPLETED:
            assert [o.mean for o in trial.observations] == [x**2]


@pytest.mark.parametrize("name", FAILPOINTS)
def test_a_killed_run_goes_on_without_loss_or_repetition(name: str, tmp_path: Path) -> None:
    die_at(f"{name}:{OCCURRENCES[name]}", tmp_path, "find")
    assert_intact(tmp_path)
    with closing(loaded(tmp_path, "find")) as client:
        found = client.experiment
        is_over = name == "run_ended"
        assert found.state is (RunState.COMPLETED if is_over else RunState.INTERRUPTED)
        assert {index for index, _ in deployments(tmp_path)} <= set(found.trials)

        client.run_trials()

        assert found.state is RunState.COMPLETED
        assert {trial.status for trial in found.trials.values()} == {TrialStatus.COMPLETED}
    with closing(loaded(tmp_path, "find")) as client:
        assert_nothing_lost(client.experiment, tmp_path)
        assert len(client.experiment.runs) == 1
        statuses = Counter(trial.status for trial in client.experiment.trials.values())
        assert statuses == {TrialStatus.COMPLETED: TRIALS}
    assert_intact(tmp_path)


def enter_result(client: Client, index: int, x: float) -> None:
    client.complete_trial(index, {"y": x**2})


def abandon(client: Client, index: int, x: float) -> None:
    client.mark_trial_abandoned(index)


@pytest.mark.parametrize(
    ("settle", "status"),
    [(enter_result, TrialStatus.COMPLETED), (abandon, TrialStatus.ABANDONED)],
)
def test_a_person_decides_where_the_runner_cannot_look(
    settle: Callable[[Client, int, float], None], status: TrialStatus, tmp_path: Path
) -> None:
    die_at("trial_deployed:3", tmp_path, "blind")
    with closing(loaded(tmp_path, "blind")) as client:
        experiment = client.experiment
        (staged,) = experiment.with_status(TrialStatus.STAGED)
        assert staged.index in dict(deployments(tmp_path))

        for _ in range(2):
            with pytest.raises(DecisionNeededError) as raised:
                client.run_trials()
            assert raised.value.trial_indices == (staged.index,)
            assert experiment.trial(staged.index).status is TrialStatus.STAGED
            assert_nothing_lost(experiment, tmp_path)

        settle(client, staged.index, dict(deployments(tmp_path))[staged.index])
        client.run_trials()

        assert experiment.state is RunState.COMPLETED
    with closing(loaded(tmp_path, "blind")) as client:
        assert_nothing_lost(client.experiment, tmp_path)
        statuses = {i: trial.status for i, trial in client.experiment.trials.items()}
    expected = dict.fromkeys(range(TRIALS), TrialStatus.COMPLETED) | {staged.index: status}
    assert statuses == expected
    assert_intact(tmp_path)
