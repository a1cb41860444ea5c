"""Whatever is given to a client, it answers, or refuses in a sentence and changes nothing."""

import warnings
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from axdesk.api import configs
from axdesk.api.client import Client
from axdesk.api.configs import (
    CallDeadlines,
    ChoiceParameterConfig,
    RangeParameterConfig,
    RetryBudget,
)
from axdesk.core import commands
from axdesk.core.errors import AxdeskError
from axdesk.core.questions import Answer
from tests.api.laboratory import BenchMetric, BenchRunner

HUGE = 10**400

JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 7, 1.5, -0.5, float("nan"), float("inf"), HUGE, 2**63, 1 + 2j),
    *("", "x", "y", "not (", "a\0b", "\ud800", " ", "x" * 3000, b"x", Decimal("NaN")),
    *([], [1], [None], ["x"], ["x", "x"], (), (1,), (1, 2, 3), (0.5, "x"), {1, 2}),
    *({}, {"x": 1}, {1: 2}, {"y": None}, {"y": "1"}, {"y": (1,)}, {"y": (1, 2, 3)}),
    *({"y": ("a", "b")}, {"y": (1, -1)}, {"y": (1, True)}, {"y": True}, {"y": 1j}, {"y": HUGE}),
    *({"y": {}}, {"y": [1, 2]}, {"y": (None, None)}, {"y": float("nan")}, {"y": (1, "0.1")}),
    *({"x": "a", "c": 3}, {"x": None, "c": "a"}, {"x": [1], "c": ["a"]}, {"x": 2.0, "c": "zz"}),
    *({"x": np.array([1.0, 2.0]), "c": np.array(["a", "b"])}, {"x": HUGE, "c": "a"}),
    *({"x": 0.5, "c": b"a"}, {"x": 0.5, "c": {}}, {"x": True, "c": True}, {None: None}),
    *(object(), len, int, datetime(2026, 1, 1, tzinfo=UTC), np.array([1.0, 2.0]), np.array(1.0)),
    *(np.float64("nan"), np.int64(0), np.bool_(True), pd.NA, pd.NaT, pd.DataFrame(), range(3)),
    *([{}], [{"x": 0.5}], [{"x": 0.5, "c": "a"}], [{"x": "high", "c": "a"}], [[]], iter([1])),
    *(pd.DataFrame({"x": [0.5, "a"]}), pd.DataFrame({0: [1]}), pd.Series([1.0]), commands.Pause),
)  # fmt: skip


def client_with_trials() -> Client:
    """Trial 0 is completed, 1 runs, 2 failed, 3 runs and has a value."""
    client = Client(random_seed=1)
    client.configure_experiment(
        [RangeParameterConfig("x", (0.0, 1.0)), ChoiceParameterConfig("c", ["a", "b", "d"])]
    )
    client.configure_optimization("y", ["z <= 2"])
    client.configure_generation_strategy("random_search")
    client.configure_tracking_metrics(["t"])
    client.get_next_trials(4)
    client.complete_trial(0, {"y": 1.0, "z": (1.0, 0.1)})
    client.mark_trial_failed(2)
    client.attach_data(3, {"y": 0.5}, progression=1)
    return client


@dataclass(frozen=True)
class Call:
    """A call that is right, of which one argument after the other is made wrong."""

    method: str
    arguments: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.method


FRAME = pd.DataFrame({"x": [0.5], "c": ["a"], "y": [1.0], "z": [1.0]})
POINT = {"x": 0.5, "c": "a"}
RESULT = {"y": 1.0, "z": 1.0}

CALLS = (
    Call("edit_experiment", {"parameters": None, "parameter_constraints": None, "name": None,
                             "description": None, "owner": None}),
    Call("configure_optimization", {"objective": "y", "outcome_constraints": None,
                                    "pruning_target_parameterization": None}),
    Call("configure_tracking_metrics", {"metric_names": ["t"]}),
    Call("configure_generation_strategy", {
        "method": "fast", "initialization_budget": None, "initialization_random_seed": None,
        "initialize_with_center": True, "use_existing_trials_for_initialization": True,
        "min_observed_initialization_trials": None, "allow_exceeding_initialization_budget": True,
        "torch_device": None, "simplify_parameter_changes": False, "fit_tracking_metrics": False}),
    Call("configure_runner", {"runner": BenchRunner()}),
    Call("configure_metrics", {"metrics": [BenchMetric("y")]}),
    Call("get_next_trials", {"max_trials": 1, "fixed_parameters": None}),
    Call("complete_trial", {"trial_index": 1, "raw_data": RESULT, "progression": None, "note": ""}),
    Call("attach_data", {"trial_index": 1, "raw_data": RESULT, "progression": None}),
    Call("attach_trial", {"parameters": POINT, "arm_name": None}),
    Call("attach_baseline", {"parameters": POINT, "arm_name": None}),
    Call("mark_trial_failed", {"trial_index": 1, "failed_reason": None}),
    Call("mark_trial_abandoned", {"trial_index": 1}),
    Call("mark_trial_early_stopped", {"trial_index": 3}),
    Call("should_stop_trial_early", {"trial_index": 1}),
    Call("void_trial", {"trial_index": 0, "reason": "wrong"}),
    Call("exclude_trial", {"trial_index": 0}),
    Call("include_trial", {"trial_index": 0}),
    Call("set_trial_note", {"trial_index": 0, "note": "seen"}),
    Call("replicate_trial", {"trial_index": 0, "deploy": False}),
    Call("import_trials", {"frame": FRAME}),
    Call("import_trials_file", {"filepath": "frame.csv", "columns": None, "decimal": None,
                                "encoding": "", "sheet": "", "keep_duplicates": False,
                                "dry_run": False}),
    Call("history", {"trial_index": None}),
    Call("answer_question", {"trial_index": 1, "answer": Answer.ABANDON}),
    Call("ask_runner", {"trial_index": 1}),
    Call("submit", {"command": commands.SetNote(0, "seen")}),
    Call("get_best_parameterization", {"use_model_predictions": False}),
    Call("get_pareto_frontier", {"use_model_predictions": False}),
    Call("predict", {"points": [POINT]}),
    Call("compute_analyses", {"analyses": None, "display": False}),
    Call("summarize", {"trial_indices": None, "trial_statuses": None}),
    Call("export_trials", {"filepath": "trials.csv", "file_format": None, "decimal": "point",
                           "trial_indices": None}),
    Call("save_to_json_file", {"filepath": "snapshot.json"}),
    Call("run_trials", {"max_trials": 1, "parallelism": 1, "tolerated_trial_failure_rate": 0.5,
                        "initial_seconds_between_polls": 0.01, "config": None, "on_event": None,
                        "wait_for_answers": False}),
)  # fmt: skip


MAKERS = (
    Call("RangeParameterConfig", {
        "name": "x", "bounds": (0, 1), "parameter_type": "float", "step_size": None,
        "scaling": None, "unit": "", "description": "", "start_value": None, "is_on": True}),
    Call("ChoiceParameterConfig", {
        "name": "x", "values": ["a", "b"], "parameter_type": "str", "is_ordered": None, "unit": "",
        "description": "", "start_value": "a", "dependent_parameters": {}, "is_on": True}),
    Call("ChoiceParameterConfig", {"name": "x", "values": [1, 2], "parameter_type": "int"}),
    Call("DerivedParameterConfig", {
        "name": "x", "expression_str": "a", "parameter_type": "float", "unit": "",
        "description": ""}),
    Call("StorageConfig", {"url": "sqlite://"}),
    Call("EarlyStopping", {
        "percentile": 50, "threshold": None, "min_progression": 10, "max_progression": None,
        "min_curves": 5, "best_protected": 3}),
    Call("GlobalStopping", {
        "target": 1, "improvement_bar": None, "stagnation": None, "window_size": 5,
        "min_trials": 10}),
    Call("CallDeadlines", {"run": 1, "poll": 1, "fetch": 1, "stop": 1}),
    Call("RetryBudget", {"poll": 1, "fetch": 1}),
    Call("OrchestrationConfig", {
        "min_seconds_between_launches": 1, "min_failed_trials": 5,
        "when_failure_rate_exceeded": "drain", "uncertain_deployment": "ask",
        "trial_time_limit": None, "run_time_limit": None, "call_deadlines": CallDeadlines(),
        "retry_budget": RetryBudget(), "max_seconds_between_polls": 60,
        "generation_time_limit": None, "early_stopping": None, "global_stopping": None}),
)  # fmt: skip


def state(client: Client) -> Any:
    """All that is known of an experiment, as stored and as the client has it."""
    experiment = client.experiment
    return (
        client._store.record(experiment.id),
        experiment.setup,
        dict(experiment.trials),
        list(experiment.runs),
        (client._space, client._optimization, client._generation),
    )


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    FRAME.to_csv("frame.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # fewer trials than asked for
        yield


def is_taken(client: Client, method: str, arguments: dict[str, Any]) -> bool:
    """Whether a call was taken; what is raised but is no sentence fails the test."""
    try:
        answer = getattr(client, method)(**arguments)
        if isinstance(answer, Future):
            answer.result()
    except AxdeskError as error:
        return not error.message.strip()
    except Exception as error:
        raise AssertionError(f"{method}({arguments!r}) raised {error!r}") from error
    return True


def is_endless(name: str, value: Any) -> bool:
    """Whether a value is right, and only takes for ever."""
    return name == "max_trials" and isinstance(value, int) and value > 10


@pytest.mark.parametrize(
    ("call", "name"), [pytest.param(c, n, id=f"{c}-{n}") for c in CALLS for n in c.arguments]
)
def test_a_wrong_argument_is_refused_in_a_sentence_and_changes_nothing(
    call: Call, name: str
) -> None:
    values = [value for value in JUNK if not is_endless(name, value)]
    refused = []
    with ExitStack() as clients:
        client = clients.enter_context(closing(client_with_trials()))
        for value in values:
            arguments = {**call.arguments, name: value}
            if is_taken(client, call.method, arguments):
                clients.close()
                client = clients.enter_context(closing(client_with_trials()))
            else:
                refused.append(arguments)
    with closing(client_with_trials()) as client:
        before = state(client)
        for arguments in refused:
            assert not is_taken(client, call.method, arguments)
        assert state(client) == before
    assert refused


@pytest.mark.parametrize(
    ("call", "name"), [pytest.param(c, n, id=f"{c}-{n}") for c in MAKERS for n in c.arguments]
)
def test_a_wrong_value_of_a_configuration_is_refused_in_a_sentence(call: Call, name: str) -> None:
    kind = getattr(configs, call.method)
    kind(**call.arguments)
    for value in JUNK:
        with suppress(AxdeskError):
            kind(**{**call.arguments, name: value})


@pytest.mark.parametrize("name", ["parameters", "parameter_constraints", "name", "description"])
def test_a_client_whose_configuration_was_refused_is_configured_again(name: str) -> None:
    right: dict[str, Any] = {"parameters": [RangeParameterConfig("x", (0, 1))], "name": "x"}
    refused = []
    for value in JUNK:
        with closing(Client(random_seed=1)) as client:
            if not is_taken(client, "configure_experiment", {**right, name: value}):
                refused.append({**right, name: value})
    with closing(Client(random_seed=1)) as client:
        for arguments in refused:
            assert not is_taken(client, "configure_experiment", arguments)
        client.configure_experiment(**right)
        client.configure_optimization("y")
        assert client.get_next_trials(1) == {0: {"x": 0.5}}
