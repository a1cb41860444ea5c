"""What is told to a client: any number, earlier trials in rows, names of arms, odd points."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from axdesk.api.client import Client
from axdesk.api.configs import ChoiceParameterConfig, RangeParameterConfig
from axdesk.api.protocols.runner import TrialStatus
from axdesk.core.errors import GenerationError, TransitionError, UserInputError
from axdesk.core.suggestions import SuggestionRequest
from axdesk.core.trial import Observation, TrialSource
from axdesk.runners.function import FunctionRunner
from tests.api.laboratory import FAST

Keep = Callable[[Client], Client]
POINT = {"x": 0.5, "z": 0.5}

NUMBERS: tuple[tuple[Any, float], ...] = (
    (2, 2.0),
    (np.float32(0.5), 0.5),
    (np.int64(7), 7.0),
    (np.array(3.5), 3.5),
    (torch.tensor(1.5, requires_grad=True), 1.5),
    (torch.tensor(4), 4.0),
    (Decimal("0.25"), 0.25),
)
NO_NUMBERS: tuple[Any, ...] = (
    *(True, np.bool_(True), torch.tensor(True), 1j, np.complex64(1), "1", None, [1.0], (1,)),
    *((1, 2, 3), (), np.array([1.0]), float("nan"), np.float64("inf"), 10**400, (1, True), (1, 1j)),
    *((1, -1), (1, "0.1"), (None, 0.1), {"mean": 1.0}),
)


# ---- numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=lambda v: type(v).__name__)
def test_any_real_number_is_a_value_a_sem_and_a_coordinate(
    client: Client, value: Any, number: float
) -> None:
    client.get_next_trials(2)
    client.attach_data(0, {"y": (value, value)}, progression=value)
    client.complete_trial(0, {"y": value})
    client.complete_trial(1, {"y": [value, None]})  # type: ignore[dict-item]  # as JSON has it
    own = client.experiment.trial(0).observations
    assert own == (Observation("y", number, number, number), Observation("y", number, None, number))
    assert all(type(part) is float for part in (own[0].mean, own[0].sem, own[0].progression))
    assert client.experiment.trial(1).observations == (Observation("y", number),)


@pytest.mark.parametrize(("value", "number"), NUMBERS, ids=lambda v: type(v).__name__)
def test_any_real_number_is_what_a_function_returns(keep: Keep, value: Any, number: float) -> None:
    laboratory = FunctionRunner(lambda parameters: {"y": (value, value)}, ["y"])
    client = keep(Client(random_seed=1))
    client.configure_experiment([RangeParameterConfig("x", (0, 1))])
    client.configure_optimization("y")
    client.configure_runner(laboratory)
    client.configure_metrics(laboratory.metrics)
    client.run_trials(1, initial_seconds_between_polls=0.01, config=FAST)
    assert client.experiment.trial(0).observations == (Observation("y", number, number),)


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_number_is_refused_in_a_sentence_that_names_the_metric(
    client: Client, value: Any
) -> None:
    client.get_next_trials(1)
    for tell in (client.complete_trial, client.attach_data):
        with pytest.raises(UserInputError, match="'y'"):
            tell(0, {"y": value})
    assert client.experiment.trial(0).observations == ()


def test_a_progression_is_any_number_and_without_one_a_value_is_the_latest(client: Client) -> None:
    client.get_next_trials(1)
    client.attach_data(0, {"y": 1.0}, progression=-2)
    client.attach_data(0, {"y": 2.0}, progression=7)
    with pytest.raises(UserInputError, match="progression"):
        client.attach_data(0, {"y": 3.0}, progression="late")  # type: ignore[arg-type]  # refused
    client.complete_trial(0, {"y": 4.0})
    assert client.experiment.trial(0).latest("y") == Observation("y", 4.0, None, 7.0)
    client.complete_trial(0, {"y": 5.0}, note="read again")
    assert client.experiment.trial(0).latest("y") == Observation("y", 5.0, None, 7.0)


def test_of_nothing_nothing_is_predicted(client: Client) -> None:
    assert client.predict([]) == []


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one_trial_is_asked_for(client: Client, count: int) -> None:
    with pytest.raises(UserInputError, match="at least 1"):
        client.get_next_trials(count)


def test_a_status_is_told_in_plain_words_with_what_to_do(client: Client) -> None:
    client.get_next_trials(1)
    client.attach_data(0, {"y": 1.0}, progression=1)
    client.mark_trial_early_stopped(0)
    with pytest.raises(TransitionError) as caught:
        client.mark_trial_failed(0)
    assert "stopped early and cannot become failed. Enter its result" in str(caught.value)
    with pytest.raises(TransitionError, match="is stopped early and takes no more data"):
        client.attach_data(0, {"y": 1.0})
    with pytest.raises(TransitionError, match="is stopped early: it has no result"):
        client.void_trial(0)


# ---- rows -------------------------------------------------------------------------------------


def test_rows_are_imported_as_a_list_of_dicts(client: Client) -> None:
    rows = [{**POINT, "y": np.float32(0.5)}, {"x": 0.1, "z": 0.2, "trial_status": "failed"}]
    assert client.import_trials(rows) == [0, 1]
    assert client.experiment.trial(0).observations == (Observation("y", 0.5),)
    assert client.experiment.trial(1).status is TrialStatus.FAILED


@pytest.mark.parametrize("column", ["y", "x", "arm_name", "y_sem"])
def test_two_columns_of_one_name_are_refused(client: Client, column: str) -> None:
    frame = pd.DataFrame([{**POINT, "y": 1.0, "y_sem": 0.1, "arm_name": "a"}])
    frame = pd.concat([frame, frame[[column]]], axis=1)
    with pytest.raises(UserInputError, match=f"Two columns are called '{column}'"):
        client.import_trials(frame)
    assert not client.experiment.trials


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"y": None}, "It has no value of y."),
        ({"y": None, "y_sem": 0.1}, "It has a value of y_sem, but none of y."),
        ({"y": "high"}, "The value 'high' of 'y' is of type str, not a number."),
        ({"y": (1.0, 2.0, 3.0)}, "The value (1.0, 2.0, 3.0) of 'y' has 3 parts."),
        ({"y_sem": -1.0}, "The standard error -1.0 of 'y' must be finite and at least 0."),
        ({"x": None}, "The parameters given do not match: missing ['x']. "),
        ({"x": "far"}, "Parameter 'x': the value 'far' is no number."),
        ({"trial_status": "odd"}, "The trial_status is 'odd'"),
        ({"arm_name": "first", "x": 0.75}, "The arm name 'first' is that of trial 0"),
    ],
)
def test_errors_of_an_import_speak_of_the_row(
    client: Client, row: dict[str, Any], told: str
) -> None:
    good = {**POINT, "y": 1.0, "arm_name": "first"}
    with pytest.raises(UserInputError) as caught:
        client.import_trials([good, {**good, "arm_name": None, **row}])
    assert f"row 1: {told}" in str(caught.value)
    assert "rial 1" not in str(caught.value)
    assert not client.experiment.trials


def test_what_a_failed_trial_measured_is_imported_too(client: Client, keep: Keep) -> None:
    client.get_next_trials(1)
    client.attach_data(0, {"y": (0.5, 0.1)})
    client.mark_trial_failed(0)
    frame = client.summarize()
    client.import_trials(frame)
    assert client.experiment.trial(1).status is TrialStatus.FAILED
    assert client.experiment.trial(1).observations == (Observation("y", 0.5, 0.1),)


# ---- arms -------------------------------------------------------------------------------------


def test_a_name_of_an_arm_stands_for_one_parameterization(client: Client) -> None:
    client.attach_trial(POINT, "as today")
    assert client.attach_trial(POINT, "as today") == 1
    for attach in (client.attach_trial, client.attach_baseline):
        with pytest.raises(UserInputError, match="'as today' is that of trial 0"):
            attach({"x": 0.1, "z": 0.5}, "as today")
    assert client.attach_trial({"x": 0.1, "z": 0.5}, "otherwise") == 2


def test_names_that_trials_get_by_themselves_stay_free_for_them(client: Client) -> None:
    with pytest.raises(UserInputError, match="'7_0'"):
        client.attach_trial(POINT, "7_0")
    assert client.attach_trial(POINT, "0_0") == 0
    run = {i: client.experiment.trial(i).arm.name for i in client.get_next_trials(2)}
    assert run == {1: "1_0", 2: "2_0"}


def test_two_summaries_are_imported_into_one_experiment(client: Client) -> None:
    for index in client.get_next_trials(2):
        client.complete_trial(index, {"y": 1.0})
    frame = client.summarize()
    client.import_trials(frame)
    assert [t.arm.name for t in client.experiment.trials.values()] == ["0_0", "1_0", "2_0", "3_0"]


# ---- odd points and a model that fails --------------------------------------------------------


@pytest.mark.parametrize("method", ["fast", "quality", "random_search"])
def test_no_attached_point_breaks_the_suggestions_after_it(keep: Keep, method: str) -> None:
    client = keep(Client(random_seed=1))
    client.configure_experiment(
        [
            RangeParameterConfig("load", (0.01, 10), scaling="log"),
            RangeParameterConfig("n", (1, 9), "int"),
            RangeParameterConfig("step", (0, 1), step_size=0.1),
            ChoiceParameterConfig("solvent", ["water", "hexane", "DMF"]),
            ChoiceParameterConfig("size", [1, 2, 5], "int"),
            ChoiceParameterConfig(
                "heated", ["no", "yes"], dependent_parameters={"yes": ["temperature"]}
            ),
            RangeParameterConfig("temperature", (20, 90)),
        ],
        ["n + step <= 9"],
    )
    client.configure_optimization("y")
    client.configure_generation_strategy(method, 2)  # type: ignore[arg-type]  # a literal
    usual: dict[str, Any] = {
        "load": 1,
        "n": 3,
        "step": 0.5,
        "solvent": "water",
        "size": 2,
        "heated": "no",
    }
    odd: tuple[dict[str, Any], ...] = (
        *({"solvent": "oil"}, {"solvent": ""}, {"size": 3}, {"size": 10**12}, {"heated": "maybe"}),
        *({"load": 0.0}, {"load": -1.0}, {"load": 1e300}, {"n": 10**15}, {"n": -5}, {"step": 0.55}),
        *({"step": -1e300}, {"heated": "yes", "temperature": 1e9}, {"load": 5e-324}),
    )
    for number, change in enumerate(odd):
        index = client.attach_trial({**usual, **change})
        client.complete_trial(index, {"y": float(number)})
    for pending in odd[:4]:
        client.attach_trial({**usual, **pending})
    client.mark_trial_failed(client.attach_trial({**usual, "solvent": "tar"}))
    space = client.experiment.search_space
    # A space-filling point that had to step in would be a warning, and warnings are errors here.
    suggested = client.get_next_trials(3)
    for index, parameters in suggested.items():
        assert space.checked(parameters) == parameters
        assert not space.broken_constraints(parameters)
        client.complete_trial(index, {"y": 0.5})
    # Points from outside teach, and are not the best one.
    assert client.get_best_parameterization()[2] in suggested


class Broken:
    """A model that fails; space-filling points are still made."""

    def __init__(self, real: Any, error: Exception) -> None:
        self.real, self.error = real, error
        self.is_ready = True

    def suggest(self, request: SuggestionRequest) -> Any:
        from concurrent.futures import Future

        answer: Future[Any] = Future()
        answer.set_exception(self.error)
        return answer

    def space_filling(self, request: SuggestionRequest, reason: str) -> Any:
        return self.real.space_filling(request, reason)

    def close(self) -> None:
        self.real.close()


@pytest.mark.parametrize("error", [GenerationError("no fit"), MemoryError("full")])
def test_a_space_filling_candidate_steps_in_and_is_told(client: Client, error: Exception) -> None:
    client._optimizer = Broken(client._used_optimizer(), error)  # type: ignore[assignment]  # a fake
    with pytest.warns(UserWarning, match="space-filling one stepped in: (no fit|full)"):
        client.get_next_trials(1)
    made = client.experiment.trial(0).generation
    assert (made.source, made.reason) == (TrialSource.FALLBACK, str(error))


def test_what_the_caller_got_wrong_is_not_made_up_for(client: Client) -> None:
    error = UserInputError("not like this")
    client._optimizer = Broken(client._used_optimizer(), error)  # type: ignore[assignment]  # a fake
    with pytest.raises(UserInputError, match="not like this"):
        client.get_next_trials(1)
    assert not client.experiment.trials
