"""Points without a model: allowed, spread, and independent of the history."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import SearchSpaceExhaustedError, UserInputError
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import TrialSource
from tests.generation.examples import HARTMANN6, assert_allowed, request, spaces

UNIT = RangeParameterConfig("x", (0.0, 1.0))


def constrained(*texts: str, kind: str = "float", high: float = 100) -> SearchSpace:
    names = ("a", "b", "c")
    return SearchSpace(
        tuple(RangeParameterConfig(n, (0, high), kind) for n in names),  # type: ignore[arg-type]  # from the literals below
        tuple(map(ParameterConstraint.parse, texts)),
    )


@given(spaces(), st.integers(0, 3))
def test_every_point_keeps_bounds_types_and_constraints(space: SearchSpace, seed: int) -> None:
    try:
        candidates = generation.suggest(request(space, n=6, seed=seed, budget=10))
    except SearchSpaceExhaustedError:
        candidates = generation.suggest(request(space, n=1, seed=seed, budget=10))

    late = generation.space_filling(request(space, seed=seed, trial_index=9), "late")
    for candidate in (*candidates, *late):
        assert_allowed(space, candidate.parameters)
    points = [tuple(candidate.parameters.values()) for candidate in candidates]
    assert len(set(points)) == len(points)


def test_the_sequence_fills_the_space_better_than_chance() -> None:
    points = generation.suggest(request(HARTMANN6, n=64, budget=100))
    sequence = np.array([list(p.parameters.values()) for p in points[1:]], dtype=np.float64)
    chance = np.random.default_rng(0).random(sequence.shape)

    assert qmc.discrepancy(sequence) < 0.7 * qmc.discrepancy(chance)


def test_a_sobol_point_depends_on_seed_and_index_alone() -> None:
    (alone,) = generation.space_filling(request(HARTMANN6, trial_index=7, seed=3), "late")
    known = [(dict.fromkeys(HARTMANN6.names, 0.1 * i), 1.0) for i in range(5)]

    (later,) = generation.space_filling(request(HARTMANN6, known, trial_index=7, seed=3), "late")
    (other,) = generation.space_filling(request(HARTMANN6, trial_index=7, seed=4), "late")

    assert later.parameters == alone.parameters != other.parameters
    assert later.generation.source is TrialSource.FALLBACK
    assert later.generation.reason == "late"


def test_a_large_index_costs_no_memory() -> None:
    (candidate,) = generation.space_filling(request(HARTMANN6, trial_index=10**6), "late")

    assert_allowed(HARTMANN6, candidate.parameters)


def test_the_first_trial_is_the_centre_with_the_start_values() -> None:
    space = SearchSpace(
        (
            RangeParameterConfig("x", (0, 10)),
            RangeParameterConfig("c", (1e-4, 1), scaling="log"),
            RangeParameterConfig("T", (20, 80), start_value=25.0),
            ChoiceParameterConfig("s", ["a", "b", "c"], start_value="c"),
        )
    )

    (first,) = generation.suggest(request(space))

    assert first.generation.source is TrialSource.CENTER
    assert first.parameters == {"x": 5.0, "c": pytest.approx(1e-2), "T": 25.0, "s": "c"}


def test_a_centre_that_breaks_a_constraint_moves_to_the_middle_of_what_is_allowed() -> None:
    space = constrained("a + b + c <= 100", "a + b + c >= 100")

    (first,) = generation.suggest(request(space))

    assert first.parameters == pytest.approx(dict.fromkeys("abc", 100 / 3))
    assert_allowed(space, first.parameters)


@pytest.mark.parametrize("kind", ["float", "int"])
def test_mixtures_are_sampled_all_over(kind: str) -> None:
    space = constrained("a + b + c <= 100", "a + b + c >= 100", kind=kind)

    points = generation.suggest(request(space, n=30, budget=50))

    parts = np.array([list(p.parameters.values()) for p in points], dtype=np.float64)
    for point in points:
        assert_allowed(space, point.parameters)
    assert np.all(parts.min(axis=0) < 15)
    assert np.all(parts.max(axis=0) > 60)


def test_a_small_allowed_corner_is_found() -> None:
    space = constrained("a + b + c <= 0.5")

    points = generation.suggest(request(space, n=10, budget=20))

    for point in points:
        assert_allowed(space, point.parameters)
    assert np.ptp([float(point.parameters["a"]) for point in points]) > 0.1


def test_constraints_over_log_ranges_integers_and_choices_are_kept() -> None:
    space = SearchSpace(
        (
            RangeParameterConfig("l", (1e-3, 1e3), scaling="log"),
            RangeParameterConfig("n", (1, 9), "int"),
            ChoiceParameterConfig("v", [0.5, 2.0, 8.0], "float"),
            ChoiceParameterConfig("k", [3.0], "float"),
        ),
        (ParameterConstraint.parse("l + 2*n + v + k <= 9"),),
    )

    points = generation.suggest(request(space, n=20, budget=50))

    for point in points:
        assert_allowed(space, point.parameters)
    assert {point.parameters["n"] for point in points} == {1, 2}


def test_a_small_space_is_tried_whole_and_then_refused() -> None:
    space = SearchSpace(
        (ChoiceParameterConfig("s", ["a", "b", "c"]), RangeParameterConfig("n", (1, 2), "int"))
    )

    points = generation.suggest(request(space, n=6, budget=50))

    assert len({tuple(point.parameters.values()) for point in points}) == 6
    with pytest.raises(SearchSpaceExhaustedError, match="6 points"):
        generation.suggest(request(space, abandoned=[p.parameters for p in points], budget=50))


def test_a_failed_point_may_come_again() -> None:
    space = SearchSpace((ChoiceParameterConfig("s", ["a"]),))
    failed = request(space, trial_index=1)
    object.__setattr__(failed, "failed", ((0, {"s": "a"}),))

    (again,) = generation.suggest(failed)

    assert again.parameters == {"s": "a"}
    assert again.generation.source is TrialSource.SOBOL


@pytest.mark.parametrize(
    ("kind", "texts", "named", "unnamed"),
    [
        ("float", ("a + b >= 250", "c <= 50"), ("a + b >= 250",), ("c <= 50",)),
        ("float", ("a >= 60", "b >= 60", "a + b <= 100"), ("a >= 60", "a + b <= 100"), ()),
        ("int", ("2*a + 2*b <= 3", "2*a + 2*b >= 3", "c >= 1"), ("2*a + 2*b <= 3",), ("c >= 1",)),
    ],
)
def test_clashing_constraints_are_named(
    kind: str, texts: tuple[str, ...], named: tuple[str, ...], unnamed: tuple[str, ...]
) -> None:
    with pytest.raises(UserInputError, match="no allowed point") as refused:
        generation.check_feasible(constrained(*texts, kind=kind))

    for text in named:
        assert f"“{text}”" in refused.value.message
    for text in unnamed:
        assert text not in refused.value.message


@given(spaces())
def test_spaces_with_an_allowed_point_are_accepted(space: SearchSpace) -> None:
    generation.check_feasible(space)


NO_TORCH = """
import sys
from axdesk import generation
from tests.generation.examples import HARTMANN6, request
known = [({name: 0.1 * i for name in HARTMANN6.names}, float(i)) for i in range(5)]
generation.check_feasible(HARTMANN6)
generation.suggest(request(HARTMANN6, n=4, budget=5))
generation.space_filling(request(HARTMANN6, known), "late")
assert generation.next_source(request(HARTMANN6, known)) == "model"
print(sorted({name.split(".")[0] for name in sys.modules} & {"torch", "botorch", "gpytorch"}))
"""


def test_the_first_trials_and_the_fallback_need_no_torch() -> None:
    process = subprocess.run(
        [sys.executable, "-c", NO_TORCH], capture_output=True, text=True, check=False
    )

    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == "[]"


@pytest.mark.parametrize("method", [generation.suggest, generation.next_source])
def test_global_random_state_is_left_alone(method: Callable[..., object]) -> None:
    np.random.seed(1)  # the state that must not change
    before = np.random.get_state()[1].tolist()  # type: ignore[index]

    method(request(HARTMANN6, n=3))

    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]


# ---- sums that have to be equal -----------------------------------------------------------------


def parts_of(space: SearchSpace, n: int) -> np.ndarray:
    """Sobol points of a space without repeats, each of them checked."""
    points = generation.suggest(request(space, n=n, budget=10**6, seed=5))
    for point in points:
        assert_allowed(space, point.parameters)
    assert len({tuple(p.parameters.values()) for p in points}) == n
    return np.array([[float(v) for v in p.parameters.values()] for p in points])


def test_a_mixture_of_floats_adds_up_to_rounding_and_is_sampled_all_over() -> None:
    parts = parts_of(constrained("a + b + c = 100"), 40)

    assert np.abs(parts.sum(axis=1) - 100).max() <= 3e-14 * 100
    assert np.all(parts.min(axis=0) < 15)
    assert np.all(parts.max(axis=0) > 60)


def test_a_mixture_of_steps_adds_up_exactly_and_is_sampled_all_over() -> None:
    names = ("a", "b", "c", "d")
    space = SearchSpace(
        tuple(RangeParameterConfig(n, (0, 1), step_size=0.05) for n in names),
        (ParameterConstraint.parse("a + b + c + d = 1"),),
    )

    parts = parts_of(space, 60)

    assert np.abs(parts.sum(axis=1) - 1).max() <= 1e-15
    assert np.all(parts.min(axis=0) <= 0.05)
    assert np.all(parts.max(axis=0) >= 0.5)


def test_a_step_a_choice_and_a_float_share_one_sum() -> None:
    space = SearchSpace(
        (
            RangeParameterConfig("a", (0, 60), step_size=2.5),
            ChoiceParameterConfig("b", [7, 11, 30], "int"),
            RangeParameterConfig("c", (5.0, 80.0)),
            RangeParameterConfig("free", (0.0, 1.0)),
        ),
        (ParameterConstraint.parse("a + b + c = 90"), ParameterConstraint.parse("a - c <= 10")),
    )

    parts = parts_of(space, 40)

    assert np.abs(parts[:, :3].sum(axis=1) - 90).max() <= 3e-14 * 90
    assert {*parts[:, 1]} == {7.0, 11.0, 30.0}


def test_two_sums_of_whole_numbers_are_kept() -> None:
    space = SearchSpace(
        tuple(RangeParameterConfig(n, (0, 40), "int") for n in "abcd"),
        tuple(map(ParameterConstraint.parse, ("a + b + c = 40", "2*c + d = 30"))),
    )

    parts_of(space, 20)


def test_equal_to_a_number_leaves_one_value() -> None:
    space = SearchSpace(
        (RangeParameterConfig("x", (0.0, 1.0)), RangeParameterConfig("y", (0.0, 1.0))),
        (ParameterConstraint.parse("3*x = 1"),),
    )

    parts = parts_of(space, 5)

    assert parts[:, 0] == pytest.approx(np.full(5, 1 / 3), rel=1e-15)


@pytest.mark.parametrize(
    ("texts", "named", "unnamed"),
    [
        (("a + b = 0.05", "c <= 0.5"), ("a + b = 0.05",), ("c <= 0.5",)),
        (
            ("a + b = 1", "a >= 0.7", "b >= 0.7", "c >= 0.1"),
            ("a >= 0.7", "b >= 0.7"),
            ("c >= 0.1",),
        ),
    ],
)
def test_steps_that_cannot_meet_a_sum_are_refused(
    texts: tuple[str, ...], named: tuple[str, ...], unnamed: tuple[str, ...]
) -> None:
    space = SearchSpace(
        tuple(RangeParameterConfig(n, (0, 1), step_size=0.1) for n in "abc"),
        tuple(map(ParameterConstraint.parse, texts)),
    )

    with pytest.raises(UserInputError, match="no allowed point") as refused:
        generation.check_feasible(space)

    assert all(f"“{text}”" in refused.value.message for text in named)
    assert not any(text in refused.value.message for text in unnamed)


def test_what_is_off_can_clash_too() -> None:
    off = RangeParameterConfig("s", (0, 9), start_value=5, is_on=False)
    space = SearchSpace((off, UNIT), (ParameterConstraint.parse("s <= 3"),))

    with pytest.raises(UserInputError, match="s <= 3” cannot be kept"):
        generation.check_feasible(space)


def test_what_is_off_and_just_keeps_a_limit_is_allowed() -> None:
    space = SearchSpace(
        (
            ChoiceParameterConfig("a", [0.25], "float"),
            RangeParameterConfig("s", (0, 1), start_value=1e-9, is_on=False),
            UNIT,
        ),
        (ParameterConstraint.parse("-2*a - 2*s <= -0.500000002"),),
    )

    generation.check_feasible(space)
    (first, second) = generation.suggest(request(space, n=2, budget=9))

    assert_allowed(space, second.parameters)
    assert first.parameters["x"] == 0.5


def infeasible_spaces() -> st.SearchStrategy[SearchSpace]:
    """A few constraints, of which often some cannot be kept together."""
    terms = st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from([-2.0, -1.0, 1.0, 3.0])),
        min_size=1,
        max_size=3,
        unique_by=lambda term: term[0],
    ).map(tuple)
    constraint = st.builds(
        ParameterConstraint,
        terms,
        st.sampled_from(["<=", ">=", "="]),
        st.integers(-8, 8).map(lambda half: half / 2),
    )
    parameters = (
        RangeParameterConfig("a", (0, 2), step_size=0.5),
        RangeParameterConfig("b", (0.0, 1.0)),
        ChoiceParameterConfig("c", [-1, 2], "int"),
    )
    return st.lists(constraint, min_size=2, max_size=5, unique_by=str).map(
        lambda constraints: SearchSpace(parameters, tuple(constraints))
    )


@given(infeasible_spaces())
def test_what_is_said_to_clash_clashes_and_no_part_of_it_does(space: SearchSpace) -> None:
    try:
        generation.check_feasible(space)
    except UserInputError as refused:
        named = [c for c in space.constraints if f"“{c}”" in refused.message]
        assert named
        with pytest.raises(UserInputError):
            generation.check_feasible(replace(space, constraints=tuple(named)))
        for left_out in named:
            fewer = tuple(c for c in named if c is not left_out)
            generation.check_feasible(replace(space, constraints=fewer))
    else:
        (point,) = generation.suggest(request(space, budget=9))
        assert_allowed(space, point.parameters)
