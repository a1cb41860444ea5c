"""Suggestions in a child process: the same as in this one, and safe from what ends the child."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from axdesk import generation
from axdesk.api.optimizer_process import OptimizerProcess
from axdesk.core.errors import GenerationError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import ObservedPoint, SuggestionRequest
from axdesk.core.trial import Observation, TrialSource
from tests.api.laboratory import PARAMETERS, value_at

SECONDS = 60
POINTS = ({"x": 0.1, "z": 0.2}, {"x": 0.9, "z": 0.4}, {"x": 0.4, "z": 0.7}, {"x": 0.6, "z": 0.9})


def request(observed: int = len(POINTS), n: int = 1) -> SuggestionRequest:
    return SuggestionRequest(
        SearchSpace(PARAMETERS),
        OptimizationConfig(Objective.parse("y")),
        GenerationSettings(initialization_budget=3, seed=7),
        trial_index=observed,
        n=n,
        observed=tuple(
            ObservedPoint(i, point, (Observation("y", value_at(point), 0.05),))
            for i, point in enumerate(POINTS[:observed])
        ),
    )


@pytest.fixture
def optimizer() -> Iterator[OptimizerProcess]:
    made = OptimizerProcess()
    yield made
    made.close()


def child_of(optimizer: OptimizerProcess) -> psutil.Process:
    (process,) = optimizer._executor._processes.values()
    return psutil.Process(process.pid)


def test_the_child_suggests_and_predicts_what_this_process_does(
    optimizer: OptimizerProcess,
) -> None:
    found = optimizer.suggest(request(n=2)).result(SECONDS)
    expected = generation.suggest(request(n=2))
    assert found[0].generation.source is TrialSource.MODEL
    for one, other in zip(found, expected, strict=True):
        assert dict(one.parameters) == pytest.approx(dict(other.parameters), rel=0, abs=1e-9)
    (there,), (here,) = (
        optimizer.predict(request(), POINTS[:1]).result(SECONDS),
        generation.predict(request(), POINTS[:1]),
    )
    assert there[0].mean == pytest.approx(here[0].mean, rel=0, abs=1e-9)
    assert optimizer.is_ready


def test_space_filling_points_do_not_wait_for_the_child(optimizer: OptimizerProcess) -> None:
    child_of(optimizer).suspend()
    answer = optimizer.suggest(request(observed=1))
    assert answer.done()
    expected = generation.suggest(request(observed=1))
    assert dict(answer.result()[0].parameters) == dict(expected[0].parameters)
    assert not optimizer.is_ready


def test_no_child_starts_before_one_is_needed() -> None:
    with closing(OptimizerProcess(warms_up=False)) as optimizer:
        assert optimizer.suggest(request(observed=1)).done()
        assert not optimizer._executor._processes
        answer = optimizer.suggest(request())
        assert child_of(optimizer).is_running()
        assert answer.result(SECONDS)[0].generation.source is TrialSource.MODEL


def test_errors_of_the_child_come_back_as_they_are(optimizer: OptimizerProcess) -> None:
    with pytest.raises(GenerationError):
        optimizer.predict(request(observed=0), POINTS[:1]).result(SECONDS)


def test_a_killed_child_fails_what_it_did_and_another_one_goes_on(
    optimizer: OptimizerProcess,
) -> None:
    first = child_of(optimizer)
    first.suspend()
    answer = optimizer.suggest(request())
    first.kill()
    with pytest.raises(GenerationError, match="ended"):
        answer.result(SECONDS)
    (candidate,) = optimizer.suggest(request()).result(SECONDS)
    assert candidate.generation.source is TrialSource.MODEL
    assert child_of(optimizer).pid != first.pid


def test_a_suggestion_that_is_given_up_fails_and_the_next_one_is_made(
    optimizer: OptimizerProcess,
) -> None:
    first = child_of(optimizer)
    first.suspend()
    answer = optimizer.suggest(request())
    optimizer.give_up()
    assert not psutil.pid_exists(first.pid)
    with pytest.raises(GenerationError):
        answer.result(SECONDS)
    (candidate,) = optimizer.suggest(request()).result(SECONDS)
    assert candidate.generation.source is TrialSource.MODEL


def test_closing_ends_the_child() -> None:
    optimizer = OptimizerProcess()
    child = child_of(optimizer)
    optimizer.close()
    assert not psutil.pid_exists(child.pid)
    assert not optimizer.is_ready
    optimizer.close()


PARENT = """
import sys
from axdesk.api.optimizer_process import OptimizerProcess
if __name__ == "__main__":
    optimizer = OptimizerProcess()
    optimizer._warm.result()
    (process,) = optimizer._executor._processes.values()
    print(process.pid, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT, "utf-8")
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        text=True,
    )
    try:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
    finally:
        parent.kill()
        parent.communicate()
    _, alive = psutil.wait_procs([child], timeout=10)
    assert not alive
