"""Points by the model: good, allowed, new, reproducible, whatever the data."""

import importlib
import itertools
import json
import logging
import pickle
import subprocess
import sys
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_operator.utils.warnings import NumericalWarning

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import GenerationError, SearchSpaceExhaustedError, UserInputError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import Candidate, ObservedPoint, Parameters, SuggestionRequest
from axdesk.core.trial import Observation, TrialSource
from axdesk.generation import botorch_surrogate, gaussian_process
from tests.generation.examples import (
    HARTMANN6,
    assert_allowed,
    hartmann6,
    loop,
    request,
    spaces,
)

LINE = SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),))
PLANE = SearchSpace(tuple(RangeParameterConfig(n, (0.0, 10.0)) for n in "ab"))


def valley(parameters: Parameters) -> float:
    return (float(parameters["x"]) - 0.3) ** 2


def by_model(asked: SuggestionRequest) -> Candidate:
    (candidate,) = generation.suggest(asked)
    assert candidate.generation.source is TrialSource.MODEL
    assert_allowed(asked.search_space, candidate.parameters)
    return candidate


def hartmann_data(n: int) -> list[tuple[Parameters, float]]:
    points = generation.space_filling(request(HARTMANN6, n=n))
    return [(point.parameters, hartmann6(point.parameters)) for point in points]


def test_phases_follow_one_another() -> None:
    values = loop(LINE, valley, 6, budget=3)

    sources = [candidate.generation.source for candidate, _ in values]
    assert sources == ["center", "sobol", "sobol", "model", "model", "model"]


@pytest.mark.parametrize(
    ("observed", "waiting", "budget", "method", "source"),
    [
        (0, 0, 5, "fast", TrialSource.CENTER),
        (0, 1, 5, "fast", TrialSource.SOBOL),
        (2, 2, 5, "fast", TrialSource.SOBOL),
        (2, 3, 5, "fast", TrialSource.MODEL),
        (1, 9, 5, "fast", TrialSource.SOBOL),
        (3, 9, 8, "fast", TrialSource.SOBOL),
        (1, 0, 1, "fast", TrialSource.SOBOL),
        (2, 0, 1, "fast", TrialSource.MODEL),
        (9, 0, 5, "random_search", TrialSource.SOBOL),
    ],
)
def test_the_source_follows_from_what_is_known(
    observed: int, waiting: int, budget: int, method: Any, source: TrialSource
) -> None:
    known = [({"x": 0.01 * i}, float(i)) for i in range(observed)]
    pending = [{"x": 0.5 + 0.01 * i} for i in range(waiting)]

    asked = request(LINE, known, pending=pending, budget=budget, method=method)

    assert generation.next_source(asked) is source


def test_a_candidate_tells_how_it_was_made() -> None:
    known = [({"x": x}, 1e6 * valley({"x": x}) + 5e6) for x in (0.0, 0.2, 0.5, 0.8, 1.0)]

    made = by_model(request(LINE, known)).generation

    (prediction,) = made.predictions
    assert prediction.metric == "y"
    assert 4.9e6 < prediction.mean < 5.1e6
    assert 0 < prediction.sem < 1e5
    assert made.model_best is not None
    assert made.model_best[0] == pytest.approx(-5.01e6, rel=1e-3)  # larger is better
    assert made.acquisition_value is not None
    assert made.fit_seconds > 0
    assert made.search_seconds > 0
    assert made.observed == 5
    assert made.seed is not None


def test_a_minimum_is_found_and_kept_apart_from_a_maximum() -> None:
    known = [({"x": x}, valley({"x": x})) for x in (0.0, 0.15, 0.45, 0.7, 1.0)]

    low = by_model(request(LINE, known))
    high = by_model(request(LINE, known, objective="y"))

    assert float(low.parameters["x"]) == pytest.approx(0.3, abs=0.08)
    assert float(high.parameters["x"]) > 0.8


def test_hartmann6_is_solved_and_random_points_are_beaten() -> None:
    best = min(value for _, value in loop(HARTMANN6, hartmann6, 30, seed=2))
    random = min(
        value for _, value in loop(HARTMANN6, hartmann6, 30, seed=2, method="random_search")
    )

    assert best < -2.5
    assert best < random


def test_rows_in_another_order_and_another_process_give_the_same_answer() -> None:
    known = hartmann_data(8)
    asked = request(HARTMANN6, known, pending=[dict.fromkeys(HARTMANN6.names, 0.25)])
    shuffled = replace(asked, observed=tuple(reversed(asked.observed)))
    code = (
        "import json, pickle, sys\n"
        "from axdesk import generation\n"
        "(made,) = generation.suggest(pickle.load(sys.stdin.buffer))\n"
        "print(json.dumps(made.parameters))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(asked), capture_output=True, check=False
    )

    here = by_model(asked).parameters
    assert process.returncode == 0, process.stderr.decode()
    assert json.loads(process.stdout) == pytest.approx(here, abs=1e-9)
    assert by_model(shuffled).parameters == here


def test_the_libraries_global_state_is_left_alone() -> None:
    known = [({"x": x}, valley({"x": x})) for x in (0.0, 0.5, 1.0)]
    torch.manual_seed(7)
    torch.set_num_threads(2)
    before = torch.get_rng_state()

    by_model(request(LINE, known))

    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_the_surroundings_of_a_pending_point_are_avoided() -> None:
    known = [({"x": x}, valley({"x": x})) for x in (0.0, 0.5, 1.0)]
    alone = by_model(request(LINE, known)).parameters

    beside = by_model(request(LINE, known, pending=[alone], trial_index=3)).parameters

    assert abs(float(alone["x"]) - float(beside["x"])) > 1e-3


def test_several_candidates_differ_from_each_other() -> None:
    made = generation.suggest(request(HARTMANN6, hartmann_data(6), n=3))

    assert [one.generation.source for one in made] == [TrialSource.MODEL] * 3
    for one, other in itertools.combinations(made, 2):
        assert (
            max(abs(float(one.parameters[n]) - float(other.parameters[n])) for n in HARTMANN6.names)
            > 1e-6
        )


def two_metrics(points: list[tuple[Parameters, float, float]], limit: str) -> SuggestionRequest:
    asked = request(PLANE, [(point, cost) for point, cost, _ in points], limits=(limit,))
    observed = tuple(
        replace(known, observations=(*known.observations, Observation("impurity", impurity)))
        for known, (_, _, impurity) in zip(asked.observed, points, strict=True)
    )
    return replace(asked, observed=observed)


@pytest.mark.parametrize("limit", ["impurity <= 4", "-2*impurity >= -8"])
def test_an_outcome_constraint_steers(limit: str) -> None:
    grid = [{"a": a, "b": b} for a in (0.0, 3.0, 6.0, 10.0) for b in (0.0, 5.0, 10.0)]
    # Minimising y = -a - b wants both at 10; the impurity a must stay at 4.
    points: list[tuple[Parameters, float, float]] = [(p, -p["a"] - p["b"], p["a"]) for p in grid]

    asked = two_metrics(points, limit)
    made = by_model(asked)

    assert 3 < float(made.parameters["a"]) < 4.5
    assert float(made.parameters["b"]) > 9
    assert [p.metric for p in made.generation.predictions] == ["y", "impurity"]
    trial, predictions = generation.best_point(asked)
    assert grid[trial] == {"a": 3.0, "b": 10.0}
    assert predictions[0].mean == pytest.approx(-13, abs=0.2)


def test_an_objective_may_weigh_metrics() -> None:
    asked = two_metrics(
        [({"a": a, "b": b}, a, b) for a in (0.0, 4.0, 10.0) for b in (0.0, 6.0, 10.0)],
        "y <= 100",
    )
    weighed = OptimizationConfig(Objective.parse("0.5*y - 2*impurity"))

    made = by_model(replace(asked, optimization=weighed)).parameters

    assert float(made["a"]) > 8
    assert float(made["b"]) < 2


@settings(max_examples=12)
@given(spaces(max_parameters=3), st.integers(0, 3))
def test_any_space_gets_an_allowed_new_point(space: SearchSpace, seed: int) -> None:
    asked = request(space, n=4, seed=seed, budget=9)
    try:
        start = generation.suggest(asked)
    except SearchSpaceExhaustedError:
        return
    known = [(point.parameters, float(i % 3)) for i, point in enumerate(start)]

    try:
        made = by_model(request(space, known, seed=seed))
    except SearchSpaceExhaustedError:
        return

    assert dict(made.parameters) not in [dict(point) for point, _ in known]


def test_a_linear_constraint_is_followed_to_the_best_allowed_point() -> None:
    space = replace(PLANE, constraints=(ParameterConstraint.parse("a + 2*b <= 12"),))
    grid = [(a, b) for a in (0.0, 2.0, 5.0, 9.0) for b in (0.0, 1.0, 3.0)]
    known = [({"a": a, "b": b}, -(a + 3 * b)) for a, b in grid if a + 2 * b <= 12]

    made = by_model(request(space, known)).parameters

    assert float(made["a"]) + 3 * float(made["b"]) > 14  # the best allowed is 18, observed 14


def test_a_mixture_with_a_log_range_an_integer_and_a_category_stays_allowed() -> None:
    space = SearchSpace(
        (
            *(RangeParameterConfig(n, (0, 100)) for n in "abc"),
            RangeParameterConfig("k", (1e-6, 1e-1), scaling="log"),
            RangeParameterConfig("n", (1, 20), "int"),
            ChoiceParameterConfig("s", ["w", "e", "t"]),
        ),
        (
            ParameterConstraint.parse("a + b + c <= 100"),
            ParameterConstraint.parse("a + b + c >= 100"),
            ParameterConstraint.parse("a + 5*n + 100*k <= 80"),
        ),
    )

    def truth(p: Parameters) -> float:
        return abs(float(p["a"]) - 30) + float(p["b"]) / 10 + 5 * (p["s"] != "e")

    done = loop(space, truth, 9, budget=4)

    for candidate, _ in done:
        assert_allowed(space, candidate.parameters)
    assert done[-1][0].generation.source is TrialSource.MODEL


def test_a_finite_space_is_searched_whole_without_repeats_and_then_refused() -> None:
    space = SearchSpace(
        (ChoiceParameterConfig("s", ["a", "b", "c"]), RangeParameterConfig("n", (1, 3), "int"))
    )
    done = loop(space, lambda p: float(p["n"]) + ord(str(p["s"])), 9, budget=3)

    points = [candidate.parameters for candidate, _ in done]
    assert len({tuple(point.values()) for point in points}) == 9
    known = [(point, value) for point, (_, value) in zip(points, done, strict=True)]
    with pytest.raises(SearchSpaceExhaustedError):
        generation.suggest(request(space, known))
    again = request(space, known[:-1], abandoned=[known[-1][0]])
    with pytest.raises(SearchSpaceExhaustedError):
        generation.suggest(again)


XS = (0.1, 0.4, 0.8)
DEGENERATE: dict[str, list[tuple[Parameters, float | tuple[float, float]]]] = {
    "constant": [({"x": x}, 7.0) for x in XS],
    "all zero": [({"x": x}, 0.0) for x in XS],
    "two points": [({"x": 0.2}, 1.0), ({"x": 0.9}, 2.0)],
    "huge": [({"x": x}, 1e12 * valley({"x": x})) for x in XS],
    "astronomic": [({"x": x}, 1e300 * (x - 0.3)) for x in XS],
    "small": [({"x": x}, 1e-12 * valley({"x": x})) for x in XS],
    "small on large": [({"x": x}, 1e6 + 1e-3 * x) for x in XS],
    "contradicting": [({"x": 0.5}, 1.0), ({"x": 0.5}, 2.0), ({"x": 0.5}, 9.0)],
    # The first lies a little outside, the last so far that it counts for nothing.
    "out of bounds": [({"x": -0.4}, 1.0), ({"x": 0.4}, 0.0), ({"x": 7.0}, 2.0)],
    "noiseless": [({"x": x}, (x, 0.0)) for x in XS],
    "very noisy": [({"x": x}, (x, 100.0)) for x in XS],
    "known and unknown": [({"x": 0.1}, 1.0), ({"x": 0.4}, (2.0, 0.1)), ({"x": 0.8}, (3.0, 0.0))],
    "side by side": [({"x": 0.5 + i * 1e-12}, 1.0 + i) for i in range(8)],
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_data_give_a_point_and_finite_predictions(name: str) -> None:
    known = DEGENERATE[name]

    made = by_model(request(LINE, known))

    for prediction in (
        *made.generation.predictions,
        *generation.predict(request(LINE, known), [{"x": 0.25}])[0],
    ):
        assert np.isfinite([prediction.mean, prediction.sem]).all()
        assert prediction.sem >= 0
    assert made.generation.model_best is not None
    assert np.isfinite(made.generation.model_best).all()


def test_known_noise_is_believed() -> None:
    quiet = [({"x": x}, (x, 0.0)) for x in (0.0, 0.25, 0.5, 0.75, 1.0)]
    loud = [({"x": x}, (x, 0.5)) for x in (0.0, 0.25, 0.5, 0.75, 1.0)]

    (((exact,),), ((rough,),)) = (
        generation.predict(request(LINE, data), [{"x": 0.5}]) for data in (quiet, loud)
    )

    assert exact.mean == pytest.approx(0.5, abs=1e-2)
    assert exact.sem < 0.02 < 0.1 < rough.sem


def test_predictions_pass_through_the_data_in_the_order_of_the_points() -> None:
    known = hartmann_data(12)

    predicted = generation.predict(request(HARTMANN6, known), [point for point, _ in known])

    means = [prediction.mean for (prediction,) in predicted]
    assert np.corrcoef(means, [value for _, value in known])[0, 1] > 0.95


def test_a_point_without_all_parameters_is_not_predicted() -> None:
    known = [({"x": x}, x) for x in XS]

    with pytest.raises(UserInputError, match="cannot be predicted"):
        generation.predict(request(LINE, known), [{}])


def test_nothing_observed_is_no_model() -> None:
    with pytest.raises(GenerationError, match="No trial has a value of 'y'"):
        generation.best_point(request(LINE))


def test_trials_from_before_an_edit_of_the_space_are_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    known: list[tuple[Parameters, float]] = [({"x": x}, x) for x in XS]
    asked = request(LINE, [*known, ({"z": 1.0}, -99.0)])

    with caplog.at_level(logging.INFO, "axdesk.generation"):
        by_model(asked)

    assert "Trial 3 does not fit the search space" in caplog.text


@pytest.mark.parametrize(
    "cause", [ValueError("no"), np.linalg.LinAlgError("no"), ZeroDivisionError("no")]
)
def test_a_failing_fit_is_told_with_its_cause(
    cause: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cause

    monkeypatch.setattr(gaussian_process, "fmin_l_bfgs_b", fail)
    asked = request(LINE, [({"x": x}, x) for x in XS])

    with pytest.raises(GenerationError, match="no") as failed:
        generation.suggest(asked)

    assert failed.value.__cause__ is cause
    (instead,) = generation.space_filling(asked, failed.value.message)
    assert instead.generation.source is TrialSource.FALLBACK


def test_no_kernel_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        pytest.fail("a C++ kernel was about to be compiled")

    monkeypatch.setattr("torch.utils.cpp_extension.load", fail)
    monkeypatch.setattr("torch.utils.cpp_extension.load_inline", fail)

    asked = request(LINE, [({"x": x}, x) for x in XS])
    by_model(replace(asked, settings=replace(asked.settings, method="quality")))

    assert importlib.import_module("botorch.acquisition.multi_objective.logei")._load_attempted


def test_numerical_warnings_go_to_the_log_and_others_pass(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "axdesk.generation"), botorch_surrogate.computing(0):
        warnings.warn("jitter was added", NumericalWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="something else"), botorch_surrogate.computing(0):
        warnings.warn("something else", UserWarning, stacklevel=1)

    assert "jitter was added" in caplog.text


def test_warming_up_needs_nothing() -> None:
    generation.warm_up()


def test_a_point_with_a_missing_metric_teaches_the_others() -> None:
    asked = two_metrics(
        [({"a": float(a), "b": 1.0}, float(a), float(a)) for a in range(5)], "impurity <= 3"
    )
    partly = ObservedPoint(5, {"a": 9.0, "b": 1.0}, (Observation("y", 9.0),))

    made = by_model(replace(asked, trial_index=6, observed=(*asked.observed, partly)))

    assert len(made.generation.predictions) == 2


def test_points_far_outside_do_not_count_as_learnt() -> None:
    far = [({"x": 10.0 * i}, float(i)) for i in range(1, 8)]
    near = [({"x": 0.2 * i}, float(i)) for i in range(4)]

    assert generation.next_source(request(LINE, far, budget=4)) is TrialSource.SOBOL
    assert generation.next_source(request(LINE, [*far, *near], budget=4)) is TrialSource.MODEL


def test_a_choice_decides_which_parameters_are_searched() -> None:
    space = SearchSpace(
        (
            ChoiceParameterConfig(
                "k", ["p", "q"], dependent_parameters={"p": ["x"], "q": ["y", "z"]}
            ),
            *(RangeParameterConfig(name, (0.0, 1.0)) for name in "xyz"),
        )
    )

    def truth(point: Parameters) -> float:
        if point["k"] == "p":
            return 0.05 + (float(point["x"]) - 0.3) ** 2
        return (float(point["y"]) - 0.7) ** 2 + (float(point["z"]) - 0.2) ** 2

    done = loop(space, truth, 18)

    best, value = min(done, key=lambda trial: trial[1])
    assert (best.parameters["k"], value < 0.01) == ("q", True)
    for candidate, _ in done:
        assert_allowed(space, candidate.parameters)


@pytest.mark.parametrize("step", [None, 0.05])
def test_the_best_mixture_is_found(step: float | None) -> None:
    space = SearchSpace(
        tuple(RangeParameterConfig(n, (0, 1), step_size=step) for n in "abcd"),
        (ParameterConstraint.parse("a + b + c + d = 1"),),
    )
    best = {"a": 0.2, "b": 0.5, "c": 0.25, "d": 0.05}

    done = loop(space, lambda p: sum((float(p[n]) - best[n]) ** 2 for n in best), 16)

    assert min(value for _, value in done) < 0.002
    for candidate, _ in done:
        assert_allowed(space, candidate.parameters)
