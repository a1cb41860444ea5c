"""Data that no model likes: an allowed candidate or a GenerationError, within a bounded time."""

import logging
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import torch
from botorch.exceptions.errors import ModelFittingError, OptimizationGradientError
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_operator.utils.errors import NanError, NotPSDError

from axdesk import generation
from axdesk.api.client import Client
from axdesk.api.configs import OrchestrationConfig
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import GenerationError, SearchSpaceExhaustedError
from axdesk.core.events import Event, FallbackUsed
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig, TParameterization
from axdesk.core.run import RunState
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import Candidate, ObservedPoint, SuggestionRequest
from axdesk.core.trial import Observation, TrialSource, TrialStatus
from axdesk.generation import (
    acquisition,
    botorch_surrogate,
    closed_form,
    gaussian_process,
    modelling,
)
from axdesk.generation.acquisition import Acquisition
from axdesk.generation.gaussian_process import GaussianProcess
from axdesk.generation.process_model import ProcessModel
from tests.generation.examples import assert_allowed, request

HANG = timedelta(seconds=100)
"""After which one suggestion counts as never ending; the usual one takes less than one second."""

LINE = SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),))
XS = (0.1, 0.4, 0.8, 0.9)

SPACES = (
    LINE,
    SearchSpace(
        (RangeParameterConfig("a", (0.0, 10.0)), RangeParameterConfig("b", (-1e6, 1e6))),
        (ParameterConstraint.parse("a + 0.000001*b <= 5"),),
    ),
    SearchSpace(
        (
            RangeParameterConfig("a", (1e-9, 1e3), scaling="log"),
            RangeParameterConfig("n", (1, 7), "int"),
            ChoiceParameterConfig("s", ["u", "v", "w"]),
        )
    ),
    SearchSpace(
        tuple(RangeParameterConfig(name, (0.0, 100.0)) for name in "abc"),
        (ParameterConstraint.parse("a+b+c <= 100"), ParameterConstraint.parse("a+b+c >= 100")),
    ),
    SearchSpace(
        (RangeParameterConfig("n", (1, 60), "int"), ChoiceParameterConfig("s", ["u", "v"]))
    ),
)

OPTIMIZATIONS = tuple(
    OptimizationConfig(Objective.parse(objective), tuple(map(OutcomeConstraint.parse, limits)))
    for objective, limits in [
        ("-y", ()),
        ("y", ("z <= 0",)),
        ("y + z", ("y >= 1e300", "z <= -1e-300")),
        ("1e-300*y - 1e300*z", ()),
        ("1e308*y", ("1e308*z <= 1e308",)),
    ]
)

_MAGNITUDES = (5e-324, 2.3e-308, 1e-300, 1e-160, 1e-12, 1.0, 1e12, 1e154, 1e155, 1e300, 1.79e308)
finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.one_of(
    finite, st.sampled_from([0.0, *_MAGNITUDES, *(-magnitude for magnitude in _MAGNITUDES)])
)
sems = st.one_of(st.none(), st.sampled_from([0.0, *_MAGNITUDES]), finite.map(abs))


@st.composite
def nasty_requests(draw: st.DrawFn) -> SuggestionRequest:
    """Up to 50 results of any size, many at the same point, some missing, with any noise."""
    space, optimization = draw(st.sampled_from(SPACES)), draw(st.sampled_from(OPTIMIZATIONS))
    asked = SuggestionRequest(
        space,
        optimization,
        GenerationSettings(initialization_budget=1, seed=draw(st.integers(0, 99))),
        trial_index=0,
        n=draw(st.integers(1, 6)),
    )
    points = [candidate.parameters for candidate in generation.space_filling(asked)]
    count = draw(st.sampled_from([1, 2, 3, 8, 50]))
    # Few different values are as hard as many: constant results, two levels.
    of_results = draw(st.sampled_from([values, st.sampled_from(draw(_few(values)))]))
    of_noise = draw(st.sampled_from([sems, st.sampled_from(draw(_few(sems)))]))
    observed = tuple(
        ObservedPoint(
            index,
            draw(st.sampled_from(points)),
            tuple(
                Observation(metric, draw(of_results), draw(of_noise))
                for metric in optimization.required_metrics
                if draw(st.integers(0, 19))
            ),
        )
        for index in range(count)
    )
    pending = tuple((count + i, points[i]) for i in range(draw(st.integers(0, len(points)))))
    return replace(
        asked,
        trial_index=count + len(pending),
        n=draw(st.integers(1, 2)),
        observed=observed,
        pending=pending,
    )


def _few(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=2)


def assert_sound(space: SearchSpace, candidate: Candidate) -> None:
    """Allowed, and told in numbers that can be stored and shown."""
    assert_allowed(space, candidate.parameters)
    told = candidate.generation
    numbers = [number for p in told.predictions for number in (p.mean, p.sem)]
    numbers += [*(told.model_best or ()), told.acquisition_value or 0.0]
    assert np.isfinite(numbers).all()
    assert all(prediction.sem >= 0 for prediction in told.predictions)


@settings(max_examples=settings().max_examples * 2 // 5, deadline=HANG)
@given(nasty_requests())
def test_any_data_give_a_sound_candidate_or_a_generation_error(asked: SuggestionRequest) -> None:
    made: list[Candidate] = []
    with suppress(GenerationError):
        made += generation.suggest(asked)
    with suppress(SearchSpaceExhaustedError):
        made += generation.space_filling(asked, "the model failed")
    assert made or asked.search_space.is_finite
    for candidate in made:
        assert_sound(asked.search_space, candidate)


Data = list[tuple[TParameterization, float | tuple[float, float]]]

BY_THE_MODEL: dict[str, Data] = {
    "one point fifty times": [({"x": 0.5}, 1.0)] * 50,
    "two points fifty times": [({"x": 0.2 + 0.5 * (i % 2)}, float(i % 2)) for i in range(50)],
    "noiseless duplicates that differ": [({"x": 0.5}, (float(i), 0.0)) for i in range(50)],
    "constant and noiseless": [({"x": x}, (3.0, 0.0)) for x in XS],
    "denormal": [({"x": x}, 5e-324 * i) for i, x in enumerate(XS)],
    "a spread that rounds to nothing": [({"x": x}, 5e-324 * (i == 0)) for i, x in enumerate(XS)],
    "almost the largest floats": [({"x": x}, math.copysign(1e308, x - 0.5)) for x in XS],
    "of very different sizes": [({"x": x}, 10.0 ** (200 * i - 300)) for i, x in enumerate(XS)],
    "one absurd error": [({"x": x}, (x, 1e300 if i == 0 else 0.1)) for i, x in enumerate(XS)],
    "absurd errors": [({"x": x}, (x, 1.79e308)) for x in XS],
}


@pytest.mark.parametrize("name", BY_THE_MODEL)
def test_the_model_bears(name: str) -> None:
    (candidate,) = generation.suggest(request(LINE, BY_THE_MODEL[name]))
    assert candidate.generation.source is TrialSource.MODEL
    assert_sound(LINE, candidate)


def test_one_result_with_an_absurd_error_does_not_spoil_the_others() -> None:
    known: Data = [({"x": x}, ((x - 0.3) ** 2, 0.01)) for x in (0.0, 0.2, 0.5, 0.8, 1.0)]
    spoilt: Data = [*known, ({"x": 0.9}, (-5.0, 1e300))]

    (((without,),), ((beside,),)) = (
        generation.predict(request(LINE, data), [{"x": 0.9}]) for data in (known, spoilt)
    )

    assert beside.mean == pytest.approx(without.mean, abs=0.05)


def test_h13_known_errors_count_as_they_are_and_the_others_are_learnt() -> None:
    xs = [i / 8 for i in range(9)]

    def predicted(known: Data) -> list[tuple[float, float]]:
        at = generation.predict(request(LINE, known), [{"x": 0.5}, {"x": 0.625}])
        return [(there.mean, there.sem) for (there,) in at]

    smooth: Data = [({"x": x}, math.sin(5 * x)) for x in xs if x != 0.5]
    doubtful, sure = (predicted([*smooth, ({"x": 0.5}, (3.0, sem))]) for sem in (10.0, 1e-3))

    # A reading with a large error moves nothing, and the others, whose error is small, still count.
    assert doubtful[0][0] == pytest.approx(math.sin(2.5), abs=0.15)
    assert doubtful[1][0] == pytest.approx(math.sin(3.125), abs=0.05)
    assert doubtful[1][1] < 0.1
    assert sure[0] == pytest.approx((3.0, 0.0), abs=0.05)


@pytest.mark.parametrize("offset", [1e6, -1e12, 4e13])
def test_values_that_differ_in_their_last_digits_only_are_learnt_from(offset: float) -> None:
    xs = [i / 8 for i in range(9)]
    known: Data = [({"x": x}, offset + 10 * (x - 0.3) ** 2) for x in xs]

    (there,), (far,) = generation.predict(request(LINE, known), [{"x": 0.3}, {"x": 0.95}])
    (candidate,) = generation.suggest(request(LINE, known))

    assert there.mean - offset == pytest.approx(0.0, abs=0.1)
    assert far.mean - offset == pytest.approx(10 * 0.65**2, abs=0.2)
    assert there.sem < 0.5
    assert candidate.parameters["x"] == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("known", [[], [({"x": 0.5}, 1.0)]])
def test_too_little_for_a_model_is_filled_into_space(known: Data) -> None:
    failed = tuple((10 + i, {"x": x}) for i, x in enumerate(XS))
    asked = replace(request(LINE, known), failed=failed, trial_index=20)

    (candidate,) = generation.suggest(asked)

    assert candidate.generation.source is TrialSource.SOBOL
    assert_sound(LINE, candidate)


# ---- what breaks inside the libraries ------------------------------------------------------------

CAUSES = (
    np.linalg.LinAlgError("singular"),
    OverflowError("too large"),
    ZeroDivisionError("division by zero"),
    FloatingPointError("underflow"),
    ValueError("NaN"),
)

BOTORCH_CAUSES = (
    ModelFittingError("no optimum"),
    NotPSDError("not positive definite"),
    NanError("NaN in the Cholesky factor"),
    OptimizationGradientError("NaN in the gradient", current_x=np.zeros(1)),
    torch.linalg.LinAlgError("singular"),  # type: ignore[attr-defined]  # documented
    RuntimeError("out of range"),
)

PLACES: tuple[tuple[Any, str], ...] = (
    (gaussian_process, "fmin_l_bfgs_b"),
    (GaussianProcess, "posterior"),
    (closed_form, "log_improvement"),
    (acquisition, "climbed"),
)

BOTORCH_PLACES: tuple[tuple[Any, str], ...] = (
    (botorch_surrogate, "fit_gpytorch_mll"),
    (ProcessModel, "posterior"),
    (botorch_surrogate, "qLogNoisyExpectedImprovement"),
)

KNOWN: Data = [({"x": x}, x) for x in XS]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: type(cause).__name__)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place[1])
def test_a_failure_anywhere_in_the_model_is_a_generation_error(
    place: tuple[Any, str], cause: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_told(request(LINE, KNOWN), place, cause, monkeypatch)


@pytest.mark.parametrize("cause", [*CAUSES, *BOTORCH_CAUSES], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("place", BOTORCH_PLACES, ids=lambda place: place[1])
def test_a_failure_anywhere_in_botorchs_models_is_one_too(
    place: tuple[Any, str], cause: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modelling, "_is_closed_form", lambda _: False)
    asked = request(LINE, KNOWN)
    if place[1] == "fit_gpytorch_mll":
        asked = replace(asked, settings=replace(asked.settings, method="quality"))
    _assert_told(asked, place, cause, monkeypatch)


def _assert_told(
    asked: SuggestionRequest,
    place: tuple[Any, str],
    cause: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cause

    monkeypatch.setattr(*place, fail)

    with pytest.raises(GenerationError) as failed:
        generation.suggest(asked)

    assert failed.value.__cause__ is cause
    assert str(cause) in failed.value.message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("space", SPACES[:3], ids=["line", "constrained", "mixed"])
def test_an_acquisition_value_that_is_no_number_is_a_generation_error(
    space: SearchSpace, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Acquisition.values
    points = generation.space_filling(request(space, n=4))
    asked = request(space, [(point.parameters, float(i)) for i, point in enumerate(points)])

    def spoilt(self: Acquisition, features: Any) -> Any:
        values = original(self, features)
        values[len(values) // 2] = value
        return values

    monkeypatch.setattr(Acquisition, "values", spoilt)

    with pytest.raises(GenerationError, match="acquisition function is no finite number"):
        generation.suggest(asked)


@pytest.mark.parametrize("spoilt", [math.nan, math.inf])
def test_a_climb_into_nowhere_is_no_candidate(
    spoilt: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    def climbed(_: object, starts: Any, columns: object) -> Any:
        return np.full_like(starts, spoilt)

    monkeypatch.setattr(Acquisition, "climbed", climbed)

    try:
        (candidate,) = generation.suggest(request(LINE, KNOWN))
    except GenerationError:
        return
    assert_sound(LINE, candidate)


def test_an_overflow_that_numpy_warns_of_goes_to_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "axdesk.generation"), botorch_surrogate.computing(0):
        np.float64(1e300) * np.float64(1e300)

    assert "overflow" in caplog.text


# ---- the loop goes on ----------------------------------------------------------------------------


class Bench(IRunner):
    """Completes each trial at once."""

    def run_trial(self, trial_index: int, parameterization: TParameterization) -> dict[str, Any]:
        return {"trial": trial_index}

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> TrialStatus:
        return TrialStatus.COMPLETED


class Reading(IMetric):
    """Reads any float, as finite as a reading must be."""

    def fetch(
        self, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> tuple[int, float | tuple[float, float]]:
        signs = (1.79e308, -1.79e308, 5e-324, 0.0)
        return 0, (signs[trial_index % 4], 1.79e308)


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_reaches_its_budget_whatever_the_model_does(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise np.linalg.LinAlgError("singular")

    if fails:
        monkeypatch.setattr(gaussian_process, "fmin_l_bfgs_b", fail)
    events: list[Event] = []
    client = Client(random_seed=1)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))])
    client.configure_optimization("y")
    client.configure_generation_strategy(initialization_budget=2)
    client.configure_runner(Bench())
    client.configure_metrics([Reading("y")])

    client.run_trials(
        6,
        initial_seconds_between_polls=0.02,
        config=OrchestrationConfig(min_seconds_between_launches=0.0),
        on_event=events.append,
    )
    client.close()

    trials = client.experiment.trials
    assert client.experiment.state is RunState.COMPLETED
    assert [trial.status for trial in trials.values()] == [TrialStatus.COMPLETED] * 6
    by_model = [trials[index].generation.source for index in range(2, 6)]
    assert by_model == [TrialSource.FALLBACK if fails else TrialSource.MODEL] * 4
    told = {event.trial_index for event in events if isinstance(event, FallbackUsed)}
    assert told == (set(range(2, 6)) if fails else set())
