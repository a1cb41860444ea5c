"""Where trials failed, fewer are proposed: nearby after one failure, hardly any after several."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axdesk import generation
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import Parameters, SuggestionRequest
from axdesk.core.trial import Observation, TrialSource
from axdesk.generation import modelling
from axdesk.generation.encoding import Array, Encoding
from axdesk.generation.workability import Workability, workability
from tests.generation.examples import Truth, request, spaces

PLANE = SearchSpace(tuple(RangeParameterConfig(name, (0.0, 1.0)) for name in "ab"))
KNOWN = [({"a": a, "b": b}, (a - 0.6) ** 2 + b) for a, b in ((0.1, 0.2), (0.5, 0.9), (0.9, 0.4))]


def learnt(worked: Array, *failed: Array) -> Workability:
    """What successes and failures say, at points of the unit cube."""
    features = np.vstack([worked, *failed])
    risks = np.repeat([0.0, 1.0], [len(worked), len(failed)])
    return Workability(features, risks, features.shape[1] ** 0.5)


def chance(known: Workability, points: Array) -> Array:
    logs, _ = known.odds(np.atleast_2d(points), with_gradient=False)
    return np.asarray(np.exp(logs))


@settings(max_examples=30, deadline=None)
@given(space=spaces(), seed=st.integers(0, 1000), failures=st.integers(1, 12))
def test_the_probability_lies_above_zero_and_falls_where_trials_fail(
    space: SearchSpace, seed: int, failures: int
) -> None:
    (point,) = generation.space_filling(request(space, seed=seed, budget=50))
    encoding = Encoding(space)
    row = encoding.row(point.parameters)
    assert row is not None
    chances = []
    for count in (failures, failures + 1):
        failed = tuple((i, point.parameters) for i in range(count))
        known = workability(replace(request(space), failed=failed), encoding)
        assert known is not None
        chances += chance(known, encoding.features(row[None])).tolist()

    assert 0 < chances[1] < chances[0] <= 0.51


def test_one_failure_makes_the_odds_even_nearby_and_several_close_a_region() -> None:
    rng = np.random.default_rng(0)
    worked = rng.random((12, 2)) * [0.5, 1.0]
    failed = rng.random((8, 2)) * [0.4, 1.0] + [0.6, 0.0]
    far = np.array([0.1, 0.5])

    once = learnt(worked, failed[0])
    assert chance(once, failed[0]) == pytest.approx(0.5, abs=0.08)
    assert chance(once, far) > 1.2 * chance(once, failed[0])

    often = learnt(worked, *failed)
    assert np.all(chance(often, failed) < 0.1)
    assert chance(often, far) > 0.9


def test_the_slope_is_that_of_the_value() -> None:
    rng = np.random.default_rng(1)
    failed = rng.random((9, 3)) * [0.4, 1.0, 1.0] + [0.6, 0.0, 0.0]
    known = learnt(rng.random((6, 3)) * [0.5, 1.0, 1.0], *failed)
    X = rng.random((9, 3))
    values, gradients = known(X, with_gradient=True)

    assert gradients is not None
    assert values.min() < math.log(chance(known, X).min()) - 1.0  # some odds are not fair
    for column, step in enumerate(1e-6 * np.eye(3)):
        ahead, behind = (known(X + sign * step, with_gradient=False)[0] for sign in (1, -1))
        np.testing.assert_allclose(gradients[:, column], (ahead - behind) / 2e-6, 1e-6, 1e-6)


def with_objectives(objectives: str) -> SuggestionRequest:
    """A request whose second metric, z, is the value of `a`."""
    asked = request(PLANE, KNOWN)
    return replace(
        asked,
        optimization=OptimizationConfig.of(parse_objectives(objectives)),
        observed=tuple(
            replace(p, observations=(*p.observations, Observation("z", float(p.parameters["a"]))))
            for p in asked.observed
        ),
    )


@pytest.mark.parametrize("objectives", ["-y", "-y, z"])
def test_without_failures_the_suggestion_is_the_one_of_the_model_alone(
    monkeypatch: pytest.MonkeyPatch, objectives: str
) -> None:
    asked = with_objectives(objectives)
    elsewhere: Parameters = {"a": 0.2, "b": 0.2}
    asked = replace(asked, abandoned=((7, elsewhere),), excused=((8, elsewhere),), n=2)
    suggested = generation.suggest(asked)
    failing = generation.suggest(replace(asked, failed=((9, suggested[0].parameters),)))
    monkeypatch.setattr(modelling, "workability", lambda *_: None)

    for one, alone in zip(suggested, generation.suggest(asked), strict=True):
        assert one.generation.source is TrialSource.MODEL
        assert dict(one.parameters) == pytest.approx(dict(alone.parameters), abs=1e-12)
    assert failing[0].generation.acquisition_value is not None
    assert failing[0].generation.acquisition_value < (
        suggested[0].generation.acquisition_value or math.nan
    )


@pytest.mark.parametrize(
    ("goals", "limits"),
    [("-y", ()), ("-y, z", ()), ("-y, z, -v, w, u", ()), ("-y", ("z >= 5",))],
    ids=["one", "several", "many", "nothing feasible yet"],
)
def test_whatever_is_sought_where_trials_failed_none_is_suggested(
    goals: str, limits: tuple[str, ...]
) -> None:
    places = [(0.1, 0.2), (0.2, 0.8), (0.5, 0.4), (0.9, 0.7)]
    metrics = {"y": 1.0, "z": -2.0, "v": 1.5, "w": 0.5, "u": 3.0}
    asked = request(PLANE, [({"a": a, "b": b}, 0.0) for a, b in places])
    asked = replace(
        asked,
        optimization=OptimizationConfig.of(
            parse_objectives(goals), tuple(map(OutcomeConstraint.parse, limits))
        ),
        observed=tuple(
            replace(
                point,
                observations=tuple(
                    Observation(name, math.sin(3 * slope * a) + b)
                    for name, slope in metrics.items()
                ),
            )
            for point, (a, b) in zip(asked.observed, places, strict=True)
        ),
        trial_index=20,
    )

    def suggested() -> Array:
        (made,) = generation.suggest(asked)
        assert made.generation.source is TrialSource.MODEL
        return np.array([float(made.parameters[name]) for name in "ab"])

    first = suggested()
    around = [first + np.array(step) for step in ((0, 0), (0.03, 0), (-0.03, 0), (0, 0.03))]
    failed = tuple(
        (10 + i, {"a": float(a), "b": float(b)}) for i, (a, b) in enumerate(np.clip(around, 0, 1))
    )
    asked = replace(asked, failed=failed)

    assert np.abs(suggested() - first).max() > 0.05


def test_a_category_that_fails_is_left() -> None:
    space = SearchSpace(
        (ChoiceParameterConfig("s", ["good", "bad"]), RangeParameterConfig("x", (0.0, 1.0)))
    )
    known: list[tuple[Parameters, float]] = [({"s": "good", "x": x}, x) for x in (0.1, 0.5, 0.9)]
    missed: list[Parameters] = [{"s": "bad", "x": x} for x in (0.1, 0.3, 0.6, 0.9)]
    failed = tuple(enumerate(missed, start=10))

    (candidate,) = generation.suggest(replace(request(space, known), failed=failed, trial_index=20))

    assert candidate.parameters["s"] == "good"


def test_of_points_held_at_a_value_those_that_work_are_proposed() -> None:
    failed = tuple((10 + i, {"a": a, "b": 0.1}) for i, a in enumerate((0.5, 0.6, 0.7)))
    asked = replace(request(PLANE, KNOWN), failed=failed, trial_index=20, held={"b": 0.1})

    (candidate,) = generation.suggest(asked)

    assert candidate.parameters["b"] == 0.1
    assert not 0.5 <= float(candidate.parameters["a"]) <= 0.7


# ---- closed loops --------------------------------------------------------------------------------


def peaks(p: Parameters) -> float:
    """The better peak, -2, lies where every trial fails; the best workable value is -1."""
    a, b = float(p["a"]), float(p["b"])
    workable = math.exp(-((a - 0.25) ** 2 + (b - 0.3) ** 2) / 0.05)
    better = math.exp(-((a - 0.8) ** 2 + (b - 0.7) ** 2) / 0.05)
    return -workable - 2 * better


def closed_loop(truth: Truth, works: Callable[[Parameters], bool]) -> tuple[int, float]:
    """Return how many of 20 trials after the design failed, and the best value of all."""
    known: list[tuple[Parameters, float]] = []
    failed: list[tuple[int, Parameters]] = []
    after_design = failures = index = 0
    while after_design < 20:
        asked = replace(request(PLANE, known, budget=5, trial_index=index), failed=tuple(failed))
        (candidate,) = generation.suggest(asked)
        is_by_model = candidate.generation.source is TrialSource.MODEL
        after_design += is_by_model
        if works(candidate.parameters):
            known.append((candidate.parameters, truth(candidate.parameters)))
        else:
            failed.append((index, candidate.parameters))
            failures += is_by_model
        index += 1
    return failures, min(value for _, value in known)


def test_h17_regions_where_trials_fail_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def works(p: Parameters) -> bool:
        return float(p["a"]) <= 0.5

    failures, best = closed_loop(peaks, works)
    monkeypatch.setattr(modelling, "workability", lambda *_: None)
    without, _ = closed_loop(peaks, works)

    assert failures <= 8, f"{failures} of 20 trials failed, and {without} where nothing is learnt"
    assert failures <= 0.6 * without
    assert best == pytest.approx(-1, abs=5e-3)


@pytest.mark.parametrize(
    ("truth", "works", "best"),
    [
        (lambda p: -float(p["a"]) - float(p["b"]), lambda p: float(p["a"]) <= 0.4, -1.399),
        (
            lambda p: (float(p["a"]) - 0.7) ** 2 + (float(p["b"]) - 0.3) ** 2,
            lambda p: float(p["a"]) <= 0.5,
            0.0401,
        ),
        (
            lambda p: (float(p["a"]) - 0.7) ** 2 + (float(p["b"]) - 0.7) ** 2,
            lambda p: (float(p["a"]) - 0.8) ** 2 + (float(p["b"]) - 0.8) ** 2 >= 0.09,
            0.035,
        ),
    ],
    ids=["ever better beyond the edge", "a peak beyond the edge", "a peak in a hole"],
)
def test_h17_failures_are_not_sought_where_much_would_be_gained(
    truth: Truth, works: Callable[[Parameters], bool], best: float
) -> None:
    failures, found = closed_loop(truth, works)

    assert failures <= 12, f"{failures} of 20 trials failed"
    assert found <= best


def test_a_failure_by_chance_near_the_optimum_does_not_hide_it() -> None:
    def bowl(p: Parameters) -> float:
        return (float(p["a"]) - 0.3) ** 2 + (float(p["b"]) - 0.6) ** 2

    missed: list[Parameters] = []

    def works(p: Parameters) -> bool:
        if missed or bowl(p) > 0.01:
            return True
        missed.append(p)
        return False

    failures, best = closed_loop(bowl, works)

    assert failures == len(missed) == 1
    assert best < 1e-4
