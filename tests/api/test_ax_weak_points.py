"""What goes wrong in Ax, by the numbers of its list of weak points, goes right here."""

import json
import sqlite3
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from axdesk.api.client import Client
from axdesk.api.configs import (
    ChoiceParameterConfig,
    OrchestrationConfig,
    RangeParameterConfig,
    StorageConfig,
)
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import TrialStatus
from axdesk.api.types import TParameterization
from axdesk.core.errors import FailureRateExceededError, TransitionError, UserInputError
from axdesk.core.record import ExperimentRecord
from axdesk.core.run import RunState
from tests.api.laboratory import (
    FAST,
    PARAMETERS,
    POLL_SECONDS,
    BenchMetric,
    BenchRunner,
    configured,
    equipped,
    run,
    value_at,
)

Keep = Callable[[Client], Client]
PATIENT = OrchestrationConfig(min_seconds_between_launches=0, max_seconds_between_polls=0.05)


def record_of(client: Client) -> ExperimentRecord:
    return client._store.record(client.experiment.id)


class Unpicklable:
    """What no file can hold."""

    def __reduce__(self) -> Any:
        raise TypeError("cannot be stored")


class OwnRunner(BenchRunner):
    def __init__(self) -> None:
        super().__init__()
        self.instrument = Unpicklable()


class OwnMetric(BenchMetric):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.instrument = Unpicklable()


# ---- the loop survives its laboratory ---------------------------------------------------------


def test_h4_failed_polls_are_tried_again_and_the_trial_is_completed(keep: Keep) -> None:
    class Blips(BenchRunner):
        polls = 0

        def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
            self.polls += 1
            if self.polls <= 4:
                raise ConnectionError("the network is away for a while")
            return super().poll_trial(trial_index, trial_metadata)

    client = equipped(keep(configured()), Blips())
    client.run_trials(1, initial_seconds_between_polls=POLL_SECONDS, config=PATIENT)
    assert client.experiment.trial(0).status is TrialStatus.COMPLETED


def test_h5_a_failed_fetch_is_tried_again_and_any_real_number_counts(keep: Keep) -> None:
    class Whole(IMetric):
        fetches = 0

        def fetch(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> tuple[int, float]:
            self.fetches += 1
            if self.fetches <= 3:
                raise OSError("the file is not there yet")
            return 0, 7

    client = keep(configured())
    client.configure_runner(BenchRunner())
    client.configure_metrics([Whole("y")])
    client.run_trials(2, initial_seconds_between_polls=POLL_SECONDS, config=PATIENT)
    latest = [trial.latest("y") for trial in client.experiment.trials.values()]
    assert [(o.mean, o.sem) for o in latest if o] == [(7.0, None)] * 2


def test_h6_an_exception_of_run_trial_deploys_nothing_twice_and_ends_no_run(keep: Keep) -> None:
    class LostReply(BenchRunner):
        def run_trial(
            self, trial_index: int, parameterization: TParameterization
        ) -> dict[str, Any]:
            metadata = super().run_trial(trial_index, parameterization)
            if trial_index == 0:
                raise TimeoutError("submitted, but the reply was lost")
            return metadata

    runner = LostReply()
    client = equipped(keep(configured()), runner)
    run(client, 3)
    assert runner.deployed == [0, 1, 2]
    lost = client.experiment.trial(0)
    assert lost.status is TrialStatus.FAILED
    assert lost.may_have_started
    assert client.complete_trial(0, {"y": 0.5}) is TrialStatus.COMPLETED


def test_h12_a_run_with_too_many_failures_waits_for_what_runs(keep: Keep) -> None:
    class FirstFails(BenchRunner):
        def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
            if trial_index == 0:
                return TrialStatus.FAILED
            return super().poll_trial(trial_index, trial_metadata)

    for rule, end in (("drain", TrialStatus.COMPLETED), ("stop", TrialStatus.ABANDONED)):
        runner = FirstFails()
        runner.is_open.clear()
        client = equipped(keep(configured(name=rule)), runner)

        def open_when_stopping(event: Any, runner: BenchRunner = runner, rule: str = rule) -> None:
            run_of = getattr(event, "run", None)
            if run_of is not None and run_of.state is RunState.STOPPING and rule == "drain":
                runner.is_open.set()

        config = OrchestrationConfig(
            min_seconds_between_launches=0,
            when_failure_rate_exceeded=rule,  # type: ignore[arg-type]  # one of the two
        )
        with pytest.raises(FailureRateExceededError):
            client.run_trials(
                4,
                parallelism=2,
                tolerated_trial_failure_rate=0,
                initial_seconds_between_polls=POLL_SECONDS,
                config=config,
                on_event=open_when_stopping,
            )
        others = client.experiment.trials.values()
        assert [t.status for t in others if t.index > 0] == [end] * (len(others) - 1)
        assert not client.experiment.pending


def test_h21_trials_are_polled_while_a_candidate_is_made(keep: Keep) -> None:
    client = equipped(keep(configured()), BenchRunner())
    completed, was_completed = threading.Event(), []

    class Slow:
        """Makes the second candidate only once the first trial is completed."""

        is_ready = True

        def __init__(self) -> None:
            self._real = client._used_optimizer()

        def suggest(self, request: Any) -> Any:
            if request.trial_index != 2 or request.observed:
                return self._real.suggest(request)

            def wait_and_suggest() -> Any:
                was_completed.append(completed.wait(20))
                return self._real.space_filling(request, "")

            executor = self._real._executor  # type: ignore[attr-defined]  # the thread's
            return executor.submit(wait_and_suggest)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    client._optimizer = Slow()

    def tell(event: Any) -> None:
        trial = getattr(event, "trial", None)
        if trial is not None and trial.status is TrialStatus.COMPLETED:
            completed.set()

    client.run_trials(
        4, parallelism=3, initial_seconds_between_polls=POLL_SECONDS, config=FAST, on_event=tell
    )
    assert was_completed == [True]
    assert len(client.experiment.trials) == 4


# ---- what is stored ---------------------------------------------------------------------------


def test_h8_a_snapshot_needs_no_runner_and_no_metric_and_is_whole_or_as_it_was(
    keep: Keep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = keep(configured(method="fast"))
    client.configure_runner(OwnRunner())
    client.configure_metrics([OwnMetric("y")])
    run(client, 4)
    client.void_trial(1, "wrong vial")
    client.complete_trial(0, {"y": (0.75, 0.2)}, note="read again")
    client.edit_experiment([RangeParameterConfig("x", (0.0, 2.0)), PARAMETERS[1]])
    path = tmp_path / "snapshot.json"
    client.save_to_json_file(path)
    good = path.read_bytes()

    again = keep(Client.load_from_json_file(path))
    stored = keep(
        Client.load_from_json_file(str(path), StorageConfig(f"sqlite:///{tmp_path / 'b.sqlite'}"))
    )
    for other in (again, stored):
        assert record_of(other) == record_of(client)
        assert other.experiment.trials == client.experiment.trials
        assert other.experiment.runs == client.experiment.runs
        assert other.experiment.search_space_version == 2
        assert other.history() == client.history()
        pd.testing.assert_frame_equal(other.summarize(), client.summarize())
    suggestions = [c.get_next_trials(2) for c in (client, again, stored)]
    for index, parameters in suggestions[0].items():
        assert suggestions[1][index] == pytest.approx(parameters, abs=1e-9)
        assert suggestions[2][index] == pytest.approx(parameters, abs=1e-9)

    monkeypatch.setattr("os.fsync", _full_disk)
    with pytest.raises(UserInputError, match="cannot be written"):
        client.save_to_json_file(path)
    assert path.read_bytes() == good
    assert [p.name for p in tmp_path.glob("*snapshot*")] == ["snapshot.json"]


def _full_disk(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_h8_a_file_that_is_no_snapshot_is_told(keep: Keep, tmp_path: Path) -> None:
    client = keep(configured())
    path = tmp_path / "snapshot.json"
    client.save_to_json_file(path)
    content = json.loads(path.read_text("utf-8"))
    newer = {**content, "version": 2}
    broken = json.loads(path.read_text("utf-8"))
    broken["record"]["setup"]["generation"]["seed"] = -1
    foreign = json.loads(path.read_text("utf-8"))
    foreign["record"]["setup"]["colour"] = "red"
    for text, told in (
        (None, "cannot be read"),
        ("{", "no JSON"),
        ("[]", "format"),
        ('{"_type": "Client"}', "format"),
        (json.dumps(newer), "version 2"),
        (json.dumps(broken), "setup.generation.*seed is -1"),
        (json.dumps(foreign), "setup.colour"),
    ):
        bad = tmp_path / "bad.json"
        bad.unlink(missing_ok=True)
        if text is not None:
            bad.write_text(text, "utf-8")
        with pytest.raises(UserInputError, match=f"(?s){told}"):
            Client.load_from_json_file(bad)
    assert keep(Client.load_from_json_file(path)).experiment.setup == client.experiment.setup


def test_h9_a_database_takes_the_tutorials_order_and_any_runner(
    storage: StorageConfig, keep: Keep
) -> None:
    client = keep(Client(storage, random_seed=5))
    client.configure_experiment(PARAMETERS, name="bench", description="a test", owner="me")
    client.configure_optimization("y", ["y <= 5"])
    client.configure_runner(OwnRunner())
    client.configure_metrics([OwnMetric("y")])
    client.configure_generation_strategy(
        "quality",
        initialization_budget=4,
        initialize_with_center=False,
        use_existing_trials_for_initialization=False,
        min_observed_initialization_trials=3,
    )
    run(client, 2)
    again = keep(Client.load_from_database("bench", storage))
    assert again.experiment.setup == client.experiment.setup
    assert record_of(again) == record_of(client)
    again.configure_runner(OwnRunner())
    again.configure_metrics([OwnMetric("y")])
    run(again, 1)
    assert len(again.experiment.trials) == 3


def test_h10_two_clients_with_two_databases_do_not_meet(keep: Keep, tmp_path: Path) -> None:
    clients = {}
    for name in ("first", "second"):
        storage = StorageConfig(url=f"sqlite:///{tmp_path / name}.sqlite")
        clients[name] = equipped(keep(configured(storage, name)), BenchRunner())
    run(clients["first"], 1)
    run(clients["second"], 3)
    run(clients["first"], 1)
    for name, count in (("first", 2), ("second", 3)):
        with sqlite3.connect(tmp_path / f"{name}.sqlite") as connection:
            assert connection.execute("SELECT name FROM experiments").fetchall() == [(name,)]
            assert connection.execute("SELECT count(*) FROM trials").fetchone() == (count,)
        connection.close()


def points(client: Client) -> list[Mapping[str, Any]]:
    return [trial.parameters for trial in client.experiment.trials.values()]


@pytest.mark.parametrize("method", ["random_search", "fast"])
def test_h19_the_seed_is_honoured_by_runs_and_stored(
    method: str, keep: Keep, tmp_path: Path
) -> None:
    def made(seed: int, name: str) -> Client:
        storage = StorageConfig(url=f"sqlite:///{tmp_path / name}.sqlite")
        client = keep(Client(storage, random_seed=seed))
        client.configure_experiment(PARAMETERS, name="bench")
        client.configure_optimization("y")
        client.configure_generation_strategy(method, initialization_budget=3)  # type: ignore[arg-type]  # a literal
        return equipped(client, BenchRunner())

    run(first := made(7, "a"), 5)
    run(same := made(7, "b"), 3)
    same.close()
    again = equipped(
        keep(
            Client.load_from_database("bench", StorageConfig(f"sqlite:///{tmp_path / 'b'}.sqlite"))
        ),
        BenchRunner(),
    )
    assert again.experiment.setup.generation.seed == 7
    run(again, 2)
    for one, other in zip(points(first), points(again), strict=True):
        assert one == pytest.approx(other, abs=1e-9)
    run(different := made(8, "c"), 3)
    assert points(different)[1:] != points(first)[1:3]


# ---- mending what was measured and what was set up ---------------------------------------------


def test_h20_a_result_is_voided_or_corrected_and_the_old_value_is_kept(
    storage: StorageConfig, keep: Keep
) -> None:
    client = equipped(keep(configured(storage)), BenchRunner())
    run(client, 3)
    measured = client.experiment.trial(0).latest("y")
    assert measured is not None
    client.complete_trial(0, {"y": (9.0, 0.1)}, note="the scale was off")
    latest = client.experiment.trial(0).latest("y")
    assert latest is not None
    assert latest.mean == 9.0
    (entry,) = client.history(0)
    assert repr(measured.mean) in entry.before
    assert "9.0" in entry.after
    assert entry.note == "the scale was off"
    assert client.get_best_parameterization(use_model_predictions=False)[2] == 0

    client.void_trial(0, "wrong vial")
    voided = client.experiment.trial(0)
    assert (voided.status, voided.reason) == (TrialStatus.ABANDONED, "wrong vial")
    assert voided.latest("y") == latest
    assert client.get_best_parameterization(use_model_predictions=False)[2] != 0
    with pytest.raises(TransitionError):
        client.complete_trial(0, {"y": 1.0})
    client.close()
    again = keep(Client.load_from_database("bench", storage))
    assert again.experiment.trial(0) == voided
    assert [e.note for e in again.history(0)] == ["the scale was off", "wrong vial"]


def test_h22_bounds_constraints_and_objective_are_edited_after_a_run(
    storage: StorageConfig, keep: Keep
) -> None:
    client = equipped(keep(configured(storage, method="fast")), BenchRunner())
    run(client, 4)
    narrowed = [RangeParameterConfig("x", (0.5, 1.0)), PARAMETERS[1]]
    client.edit_experiment(narrowed, ["x + z <= 1.2"], description="less of both")
    client.configure_optimization("-y", ["y >= 0.1"])
    run(client, 3)
    for index, trial in client.experiment.trials.items():
        assert trial.search_space_version == (1 if index < 4 else 2)
        if index >= 4:
            assert trial.parameters["x"] >= 0.5  # type: ignore[operator]  # numbers
            assert sum(trial.parameters.values()) <= 1.2 + 1e-9  # type: ignore[arg-type]  # numbers
    best = client.get_best_parameterization(use_model_predictions=False)[2]
    lowest = min(client.experiment.trials.values(), key=lambda t: value_at(t.parameters))
    assert best == lowest.index
    told = {entry.action: entry for entry in client.history()}
    assert set(told) == {
        "edit_parameters",
        "edit_parameter_constraints",
        "edit_description",
        "edit_optimization",
    }
    assert told["edit_optimization"].before == "y"
    again = keep(Client.load_from_database("bench", storage))
    assert again.experiment.setup == client.experiment.setup
    spaces = [space.parameters for _, space in record_of(again).search_spaces]
    assert spaces == [tuple(PARAMETERS), tuple(narrowed)]


def test_h22_a_parameter_may_be_added_and_a_level_dropped(keep: Keep) -> None:
    client = keep(Client(random_seed=1))
    client.configure_experiment([PARAMETERS[0], ChoiceParameterConfig("s", ["a", "b", "c"])])
    client.configure_optimization("y")
    client.configure_generation_strategy(initialization_budget=3)
    for _ in range(4):
        for index, p in client.get_next_trials(1).items():
            client.complete_trial(index, {"y": float(p["x"])})
    client.edit_experiment([PARAMETERS[0], ChoiceParameterConfig("s", ["a", "b"]), PARAMETERS[1]])
    for index, p in client.get_next_trials(2).items():
        assert set(p) == {"x", "s", "z"}
        assert p["s"] in ("a", "b")
        client.complete_trial(index, {"y": 1.0})
    assert client.get_best_parameterization()[2] is not None


def test_h22_a_client_that_was_loaded_before_an_edit_keeps_to_it(
    storage: StorageConfig, keep: Keep
) -> None:
    client = equipped(keep(configured(storage)), BenchRunner())
    run(client, 1)
    other = equipped(keep(Client.load_from_database("bench", storage)), BenchRunner())
    client.edit_experiment([RangeParameterConfig("x", (5.0, 6.0)), PARAMETERS[1]])
    run(other, 2)
    for index in (1, 2):
        assert 5 <= other.experiment.trial(index).parameters["x"] <= 6  # type: ignore[operator]  # a number
        assert other.experiment.trial(index).search_space_version == 2
    other.configure_optimization("-y")
    assert other.experiment.search_space == client.experiment.search_space
    run(client, 1)
    assert client.experiment.setup == other.experiment.setup
    client.configure_optimization("-y", ["y <= 3"])
    other.configure_optimization("-y")
    run(client, 1)
    assert not client.experiment.optimization.outcome_constraints
