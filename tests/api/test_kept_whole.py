"""A client made again, from a database or a snapshot, is the same and suggests the same."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axdesk.api import (
    ChoiceParameterConfig,
    Client,
    DerivedParameterConfig,
    EarlyStopping,
    GlobalStopping,
    OrchestrationConfig,
    RangeParameterConfig,
    StorageConfig,
)
from axdesk.runners.function import FunctionRunner

PARAMETERS = (
    RangeParameterConfig("x", (0.0, 1.0), unit="bar", description="pressure"),
    RangeParameterConfig("load (%)", (0.01, 10), scaling="log", start_value=0.5),
    RangeParameterConfig("n", (1, 9), "int"),
    RangeParameterConfig("step", (0, 1), step_size=0.1),
    RangeParameterConfig("off", (0, 9), start_value=4.0, is_on=False),
    ChoiceParameterConfig("solvent", ["water", "hexane", "DMF"]),
    ChoiceParameterConfig("size", [1, 2, 5], "int"),
    ChoiceParameterConfig("one", [2.5], "float"),
    ChoiceParameterConfig(
        "heated", [False, True], "bool", dependent_parameters={True: ["temperature"]}
    ),
    RangeParameterConfig("temperature", (20, 90)),
    DerivedParameterConfig("rest", "10 - n - x"),
)
OBJECTIVES = ("a", "-a", "0.3*a - b", "-abs(a - 0.5)", "a, -b", "-abs(a - 1), b")
LIMITS = ("a >= 0.1", "b <= 5", "a >= 0.5*baseline - 1", "a + b <= 9")
CONSTRAINTS = ("n + step <= 9", "x + step >= 0.1", "n + 2*size <= 18")
DEEDS = (
    "excluded",
    "voided",
    "corrected",
    "failed",
    "noted",
    "stopped",
    "pending",
    "edited",
    "run",
)


def value(parameters: Any, weight: float) -> float:
    x, n, step = (float(parameters[name]) for name in ("x", "n", "step"))
    return weight * x + 0.1 * n - step


def results(parameters: Any) -> dict[str, Any]:
    return {"a": (value(parameters, 1.0), 0.1), "b": value(parameters, -1.0), "t": 1.0}


def suggested(client: Client, count: int) -> list[tuple[dict[str, Any], Any]]:
    """Suggest and tell, and say all that was suggested."""
    points = []
    for _ in range(count):
        for index, parameters in client.get_next_trials(1).items():
            client.complete_trial(index, results(parameters))
            points.append((parameters, client.experiment.trial(index).generation.source))
    return points


def do(client: Client, deed: str) -> None:
    """Do to an experiment of four completed trials what people do."""
    match deed:
        case "excluded":
            client.exclude_trial(1)
        case "voided":
            client.void_trial(2, "wrong vial")
        case "corrected":
            client.complete_trial(3, {"a": 0.25}, note="read again")
        case "failed":
            (index,) = client.get_next_trials(1)
            client.mark_trial_failed(index, "broken µ vial")
        case "noted":
            client.set_trial_note(0, "first\nlight 💡")
        case "stopped":
            (index,) = client.get_next_trials(1)
            client.attach_data(index, {"a": 0.1}, progression=2.5)
            client.mark_trial_early_stopped(index)
        case "pending":
            client.get_next_trials(1)
        case "edited":
            wider = RangeParameterConfig("x", (0.0, 1.5))
            client.edit_experiment([wider, *PARAMETERS[1:]], owner="Ü")
        case _:  # run
            laboratory = FunctionRunner(results, ["a", "b", "t"])
            client.configure_runner(laboratory)
            client.configure_metrics(laboratory.metrics)
            config = OrchestrationConfig(
                min_seconds_between_launches=0,
                run_time_limit=77.5,
                early_stopping=EarlyStopping(threshold=-1e6, max_progression=90),
                global_stopping=GlobalStopping(target=1e6, stagnation=50)
                if not client.experiment.optimization.has_several
                else GlobalStopping(stagnation=50),
            )
            client.run_trials(1, initial_seconds_between_polls=0.01, config=config)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    objective=st.sampled_from(OBJECTIVES),
    limits=st.lists(st.sampled_from(LIMITS), max_size=2, unique=True),
    constraints=st.lists(st.sampled_from(CONSTRAINTS), unique=True),
    method=st.sampled_from(["fast", "random_search"]),
    deeds=st.lists(st.sampled_from(DEEDS), max_size=5, unique=True),
    seed=st.integers(0, 2**63),
)
def test_a_client_made_again_is_equal_and_suggests_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    objective: str,
    limits: list[str],
    constraints: list[str],
    method: Any,
    deeds: list[str],
    seed: int,
) -> None:
    folder: Path = tmp_path_factory.mktemp("kept")
    storage = StorageConfig(url=f"sqlite:///{folder / 'lab.sqlite'}")
    with closing(Client(storage, random_seed=seed)) as client:
        client.configure_experiment(PARAMETERS, constraints, name="kept", description="a\nb")
        client.configure_optimization(objective, limits)
        known = client.experiment.optimization.metric_names
        client.configure_tracking_metrics([m for m in ("a", "b", "t") if m not in known])
        client.configure_generation_strategy(method, 3, min_observed_initialization_trials=2)
        first = client.experiment.search_space.completed(
            {
                **{p.name: 0.5 for p in PARAMETERS if p.name in ("x", "load (%)", "step")},
                "n": 3,
                "off": 4.0,
                "solvent": "oil",
                "size": 2,
                "one": 2.5,
                "heated": False,
            }
        )
        client.complete_trial(client.attach_baseline(first, "as today"), results(first))
        suggested(client, 3)
        for deed in deeds:
            do(client, deed)
        record = client._store.record(client.experiment.id)
        client.save_to_json_file(folder / "kept.json")
        with (
            closing(sqlite3.connect(folder / "lab.sqlite")) as source,
            closing(sqlite3.connect(folder / "copy.sqlite")) as copy,
        ):
            source.backup(copy)
        expected = suggested(client, 2)

    def from_snapshot() -> Client:
        return Client.load_from_json_file(folder / "kept.json")

    def from_snapshot_of_a_snapshot() -> Client:
        with closing(from_snapshot()) as again:
            again.save_to_json_file(folder / "again.json")
        return Client.load_from_json_file(folder / "again.json")

    def from_database() -> Client:
        return Client.load_from_database(
            "kept", StorageConfig(url=f"sqlite:///{folder / 'copy.sqlite'}")
        )

    for make in (from_snapshot, from_snapshot_of_a_snapshot, from_database):
        with closing(make()) as again:
            assert again._store.record(again.experiment.id) == record
            assert again.experiment.setup == record.setup
            assert tuple(again.experiment.trials.values()) == record.trials
            assert tuple(again.experiment.runs) == record.runs
            assert suggested(again, 2) == expected
