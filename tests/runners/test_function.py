"""A plain function as a laboratory."""

import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from axdesk.api.client import Client
from axdesk.core.errors import TrialFailedError, UserInputError
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.run import OrchestrationConfig, RunState
from axdesk.core.trial import TrialStatus
from axdesk.runners.function import FunctionRunner

SECONDS = 20.0


def ended(runner: FunctionRunner, metadata: Mapping[str, Any]) -> TrialStatus:
    """Wait for a trial's evaluation, then poll."""
    for thread in threading.enumerate():
        if thread.name == "evaluation of trial 3":
            thread.join(SECONDS)
    return runner.poll_trial(3, metadata)


def returning(answer: object, *names: str) -> FunctionRunner:
    return FunctionRunner(lambda parameters: answer, names or ("y",))  # type: ignore[arg-type,return-value]  # whatever a laboratory returns


@pytest.mark.parametrize(
    ("answer", "names", "values"),
    [
        (1.5, ("y",), [1.5]),
        (2, ("y",), [2]),
        ((1.5, 0.1), ("y",), [(1.5, 0.1)]),
        ([1.5, 0.1], ("y",), [(1.5, 0.1)]),
        ((1.5, None), ("y",), [1.5]),
        (np.float64(1.5), ("y",), [1.5]),
        ({"y": 1.5}, ("y",), [1.5]),
        ({"a": 1.0, "b": (2.0, 0.0), "c": 9.0}, ("b", "a"), [(2.0, 0.0), 1.0]),
    ],
)
def test_what_it_returns_is_fetched(
    answer: object, names: tuple[str, ...], values: list[object]
) -> None:
    runner = returning(answer, *names)
    metadata = runner.run_trial(3, {"x": 1.0})
    assert ended(runner, metadata) is TrialStatus.COMPLETED
    assert [metric.name for metric in runner.metrics] == list(names)
    assert [metric.fetch(3, metadata) for metric in runner.metrics] == [(0, v) for v in values]


@pytest.mark.parametrize(
    ("answer", "names", "told"),
    [
        (None, ("y",), "returned None for y, neither a finite number nor a pair"),
        (float("nan"), ("y",), "returned nan for y"),
        (True, ("y",), "returned True for y"),
        ("1.5", ("y",), "returned '1.5' for y"),
        ((1.0, 2.0, 3.0), ("y",), "for y, neither"),
        ((1.0, -0.1), ("y",), "for y, neither"),
        (1.5, ("a", "b"), "returned 1.5, not a dict with a, b"),
        ({"a": 1.0}, ("a", "b"), "returned no value of b"),
    ],
)
def test_a_bad_answer_fails_the_trial_with_the_reason(
    answer: object, names: tuple[str, ...], told: str
) -> None:
    runner = returning(answer, *names)
    metadata = runner.run_trial(3, {"x": 1.0})
    with pytest.raises(TrialFailedError) as error:
        ended(runner, metadata)
    assert told in error.value.message


def test_an_exception_fails_the_trial_with_the_reason() -> None:
    def evaluate(parameters: dict[str, Any]) -> float:
        raise ValueError(f"no vial for {parameters['x']}")

    runner = FunctionRunner(evaluate, ["y"])
    metadata = runner.run_trial(3, {"x": 1.0})
    with pytest.raises(TrialFailedError, match=r"^ValueError: no vial for 1\.0$"):
        ended(runner, metadata)


def test_a_trial_of_another_process_is_failed() -> None:
    metadata = returning(1.0).run_trial(3, {"x": 1.0})
    with pytest.raises(TrialFailedError, match="the program ended before the evaluation did"):
        returning(1.0).poll_trial(3, metadata)


@pytest.mark.parametrize("names", [(), ("y", "y")])
def test_names_are_needed_each_once(names: tuple[str, ...]) -> None:
    with pytest.raises(UserInputError, match="metric_names"):
        FunctionRunner(lambda parameters: 1.0, names)


def run(evaluate: Callable[[dict[str, Any]], Any], *metrics: str, **settings: Any) -> Client:
    client = Client(random_seed=1)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
    client.configure_optimization(metrics[0])
    client.configure_tracking_metrics(metrics[1:])
    client.configure_generation_strategy("random_search")
    laboratory = FunctionRunner(evaluate, metrics)
    client.configure_runner(laboratory)
    client.configure_metrics(laboratory.metrics)
    client.run_trials(
        initial_seconds_between_polls=0.01,
        config=OrchestrationConfig(min_seconds_between_launches=0.0),
        **settings,
    )
    return client


def test_trials_are_evaluated_at_once_and_their_failures_are_told() -> None:
    together = threading.Barrier(3)

    def evaluate(parameters: dict[str, Any]) -> dict[str, Any]:
        together.wait(SECONDS)  # only three evaluations at once come past
        if parameters["x"] == 0.5:
            raise ValueError("clogged")
        return {"y": (parameters["x"], 0.1), "z": 2}

    client = run(evaluate, "y", "z", max_trials=6, parallelism=3, tolerated_trial_failure_rate=0.5)
    with closing(client):
        trials = client.experiment.trials
        assert client.experiment.runs[-1].state is RunState.COMPLETED
        assert trials[0].status is TrialStatus.FAILED  # the centre
        assert trials[0].reason == "ValueError: clogged"
        assert client.ask_runner(0) is TrialStatus.FAILED
        done = [trial for trial in trials.values() if trial.status is TrialStatus.COMPLETED]
        assert len(done) == 5
        for trial in done:
            y, z = trial.latest("y"), trial.latest("z")
            assert y is not None
            assert z is not None
            assert (y.mean, y.sem, z.mean, z.sem) == (trial.parameters["x"], 0.1, 2.0, None)
