"""Several objectives, targets, limits and noise of every kind, before the model."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axdesk import generation
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.pareto import hypervolume
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import GenerationSettings
from axdesk.core.suggestions import ObservedPoint, Parameters, SuggestionRequest
from axdesk.core.trial import Observation, TrialSource

PLANE = SearchSpace(tuple(RangeParameterConfig(n, (0.0, 1.0)) for n in "ab"))
Results = Mapping[str, float | tuple[float, float | None]]
Truth = Callable[[Parameters], Results]


def optimization(objective: str, *limits: str) -> OptimizationConfig:
    return OptimizationConfig.of(
        parse_objectives(objective), tuple(map(OutcomeConstraint.parse, limits))
    )


def observations(results: Results) -> tuple[Observation, ...]:
    return tuple(
        Observation(metric, *value) if isinstance(value, tuple) else Observation(metric, value)
        for metric, value in results.items()
    )


def asked(
    goals: OptimizationConfig,
    truth: Truth,
    n: int = 8,
    *,
    space: SearchSpace = PLANE,
    pending: Sequence[Parameters] = (),
) -> SuggestionRequest:
    """A request after `n` space-filling trials."""
    settings = GenerationSettings(initialization_budget=2, seed=3)
    empty = SuggestionRequest(space, goals, settings, trial_index=0, n=n)
    points = [candidate.parameters for candidate in generation.space_filling(empty)]
    return SuggestionRequest(
        space,
        goals,
        settings,
        trial_index=n + len(pending),
        observed=tuple(
            ObservedPoint(i, point, observations(truth(point))) for i, point in enumerate(points)
        ),
        pending=tuple(enumerate(pending, start=n)),
    )


def after(request: SuggestionRequest, truth: Truth, trials: int) -> SuggestionRequest:
    """The request once more trials were suggested and completed one after the other."""
    for _ in range(trials):
        (candidate,) = generation.suggest(request)
        assert candidate.generation.source is TrialSource.MODEL
        done = ObservedPoint(
            request.trial_index, candidate.parameters, observations(truth(candidate.parameters))
        )
        request = SuggestionRequest(
            request.search_space,
            request.optimization,
            request.settings,
            trial_index=request.trial_index + 1,
            observed=(*request.observed, done),
        )
    return request


def two_valleys(parameters: Parameters) -> dict[str, float]:
    """The front is the line from (0.2, 0.5) to (0.8, 0.5)."""
    a, b = (float(parameters[name]) for name in "ab")
    return {
        "left": (a - 0.2) ** 2 + (b - 0.5) ** 2,
        "right": (a - 0.8) ** 2 + (b - 0.5) ** 2,
    }


def many_valleys(count: int) -> Truth:
    def truth(parameters: Parameters) -> dict[str, float]:
        a, b = (float(parameters[name]) for name in "ab")
        angles = [2 * np.pi * k / count for k in range(count)]
        return {
            f"m{k}": (a - 0.5 - 0.4 * np.cos(t)) ** 2 + (b - 0.5 - 0.4 * np.sin(t)) ** 2
            for k, t in enumerate(angles)
        }

    return truth


def test_two_objectives_reach_most_of_the_hypervolume_that_there_is() -> None:
    done = after(asked(optimization("-left, -right"), two_valleys, 6), two_valleys, 8)
    points = [tuple(-o.mean for o in point.observations) for point in done.observed]
    line = [two_valleys({"a": a, "b": 0.5}) for a in np.linspace(0.2, 0.8, 200)]
    best = hypervolume([(-v["left"], -v["right"]) for v in line], (-0.4, -0.4))

    assert hypervolume(points, (-0.4, -0.4)) > 0.9 * best


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_same_request_gets_the_same_suggestion(count: int) -> None:
    goals = optimization(", ".join(f"-m{k}" for k in range(count)))
    request = asked(goals, many_valleys(count), 4)

    first, second = (generation.suggest(request)[0] for _ in range(2))

    assert first.generation.source is TrialSource.MODEL
    assert first.parameters == pytest.approx(dict(second.parameters), abs=1e-9)
    assert [p.metric for p in first.generation.predictions] == [f"m{k}" for k in range(count)]


def test_the_method_quality_takes_several_objectives() -> None:
    request = asked(optimization("-left, -right", "left <= 0.3"), two_valleys, 6)

    (candidate,) = generation.suggest(
        replace(request, settings=replace(request.settings, method="quality"))
    )

    assert candidate.generation.source is TrialSource.MODEL


def test_what_runs_is_not_suggested_again() -> None:
    goals = optimization("-left, -right")
    (alone,) = generation.suggest(asked(goals, two_valleys))
    (beside,) = generation.suggest(asked(goals, two_valleys, pending=[alone.parameters]))

    gap = max(abs(float(alone.parameters[n]) - float(beside.parameters[n])) for n in "ab")
    assert gap > 0.01


def test_a_target_is_matched() -> None:
    def truth(parameters: Parameters) -> dict[str, float]:
        return {"pH": 4 + 6 * float(parameters["a"]) + float(parameters["b"])}

    done = after(asked(optimization("-abs(pH - 7)"), truth, 4), truth, 5)

    assert min(abs(point.observations[0].mean - 7) for point in done.observed) < 0.02


def test_a_target_in_a_sum_and_beside_another_objective() -> None:
    def truth(parameters: Parameters) -> dict[str, float]:
        a, b = (float(parameters[name]) for name in "ab")
        return {"pH": 4 + 6 * a, "yield": 90 - 40 * (b - 0.3) ** 2, "cost": a + b}

    summed = after(asked(optimization("`yield` - 10*abs(pH - 7)"), truth, 5), truth, 6)
    values = [{o.metric: o.mean for o in point.observations} for point in summed.observed]
    assert max(v["yield"] - 10 * abs(v["pH"] - 7) for v in values) > 89
    several = after(asked(optimization("-abs(pH - 7), -cost"), truth, 5), truth, 7)
    values = [{o.metric: o.mean for o in point.observations} for point in several.observed]
    assert min(abs(v["pH"] - 7) for v in values) < 0.1
    assert min(v["cost"] for v in values) < 0.3


@pytest.mark.parametrize("objective", ["-left", "-left, -right"])
def test_while_nothing_keeps_the_limits_they_come_first(objective: str) -> None:
    def truth(parameters: Parameters) -> dict[str, float]:
        b = float(parameters["b"])
        return two_valleys(parameters) | {"load": float(parameters["a"]) * b}

    request = asked(optimization(objective, "load >= 0.9"), truth, 6)
    assert all(point.observations[-1].mean < 0.9 for point in request.observed)

    done = after(request, truth, 4)

    assert any(point.observations[-1].mean >= 0.9 for point in done.observed)


def test_a_threshold_leads_to_the_part_of_the_front_that_is_of_use() -> None:
    goals = optimization("-left, -right", "left <= 0.05")
    done = after(asked(goals, two_valleys, 6), two_valleys, 6)

    suggested = [dict(zip("ab", p.parameters.values(), strict=True)) for p in done.observed[6:]]

    assert np.median([float(p["a"]) for p in suggested]) < 0.45


def test_a_limit_that_is_not_known_yet_is_left_out() -> None:
    goals = optimization("-left", "right <= 0.9*baseline")
    request = asked(goals, two_valleys)

    (candidate,) = generation.suggest(request)

    assert candidate.generation.source is TrialSource.MODEL


sems = st.sampled_from([None, 0.0, 1e-6, 0.1])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(sems, sems), min_size=4, max_size=7), st.sampled_from([",", " +"]))
def test_h13_readings_with_and_without_standard_errors_mix(
    errors: list[tuple[float | None, float | None]], join: str
) -> None:
    left = iter(errors)

    def truth(parameters: Parameters) -> Results:
        sem, other = next(left)
        values = two_valleys(parameters)
        return {"left": (values["left"], sem), "right": (values["right"], other)}

    goals = optimization("left, right" if join == "," else "left + right")
    (candidate,) = generation.suggest(asked(goals, truth, len(errors)))

    assert candidate.generation.source is TrialSource.MODEL
    assert all(np.isfinite([p.mean, p.sem]).all() for p in candidate.generation.predictions)


def test_a_trial_without_one_of_the_metrics_teaches_the_others() -> None:
    request = asked(optimization("-left, -right"), two_valleys, 6)
    first, *others = request.observed
    partial = ObservedPoint(first.trial_index, first.parameters, first.observations[:1])
    request = SuggestionRequest(
        request.search_space,
        request.optimization,
        request.settings,
        trial_index=6,
        observed=(partial, *others),
    )

    (candidate,) = generation.suggest(request)

    assert candidate.generation.source is TrialSource.MODEL
    assert candidate.generation.model_best is None


def test_two_objectives_are_quick_on_one_thread() -> None:
    request = asked(optimization("-left, -right"), two_valleys, 30)
    generation.suggest(request)
    started = time.process_time()

    generation.suggest(request)

    # A suggestion takes well below a second; the bound only tells another order of magnitude.
    assert time.process_time() - started < 5


_WITH_STALE_LOCK = """
import json, sys
from axdesk import generation
from tests.generation.test_objectives import asked, optimization, two_valleys
candidate = generation.suggest(asked(optimization("-left, -right"), two_valleys))[0]
print(json.dumps(dict(candidate.parameters)))
"""


def test_what_a_killed_compiler_left_behind_holds_nothing_up(tmp_path: Path) -> None:
    """BoTorch would wait for this lock for ever; here nothing is compiled."""
    build = tmp_path / "extensions"
    for name in ("botorch", "_logei", "logei", "sample_mvn"):
        (build / name).mkdir(parents=True)
        (build / name / "lock").touch()
    environment = {"TORCH_EXTENSIONS_DIR": str(build), "OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [sys.executable, "-c", _WITH_STALE_LOCK],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    (here,) = generation.suggest(asked(optimization("-left, -right"), two_valleys))
    assert json.loads(finished.stdout) == pytest.approx(dict(here.parameters), abs=1e-9)
    files = [path.name for path in build.rglob("*") if path.is_file()]
    assert set(files) == {"lock"}


@pytest.mark.parametrize(
    ("goals", "limits", "words"),
    [
        ("-left", (), "Most expected improvement"),
        ("-left", ("right <= 0.3",), "within the limits"),
        ("-left", ("right <= -9",), "Most likely to keep the limits"),
        ("-left, -right", (), "gain of hypervolume, in closed form"),
        ("-left - abs(right - 1)", (), "qLogNEI"),
    ],
)
def test_a_candidate_says_why_it_was_chosen(
    goals: str, limits: tuple[str, ...], words: str
) -> None:
    (candidate,) = generation.suggest(asked(optimization(goals, *limits), two_valleys, 6))

    assert words in candidate.generation.why
    assert "Learnt from 6 results" in candidate.generation.why
    (first,) = generation.suggest(asked(optimization(goals, *limits), two_valleys, 0))
    assert first.generation.why == "The start values, or the middle of the search space."
