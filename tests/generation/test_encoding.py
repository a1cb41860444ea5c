"""Parameterizations as numbers, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.parameters import ChoiceParameterConfig, ParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.generation.encoding import Encoding
from tests.generation.examples import assert_allowed, choices, ranges

parameters = st.one_of(ranges("p"), choices("p"))
coordinates = st.floats(0.0, 1.0)


def only(parameter: ParameterConfig) -> Encoding:
    return Encoding(SearchSpace((parameter,)))


@given(parameters, st.lists(coordinates, min_size=1, max_size=20))
def test_every_point_of_the_cube_is_an_allowed_value(
    parameter: ParameterConfig, us: list[float]
) -> None:
    encoding = only(parameter)
    cube = np.array([us]).T if encoding.dimension else np.empty((len(us), 0))

    for row in encoding.rows_from_cube(cube):
        assert_allowed(encoding.space, encoding.parameterization(row))


@given(parameters, coordinates)
def test_a_parameterization_survives_the_way_to_a_row_and_back(
    parameter: ParameterConfig, u: float
) -> None:
    encoding = only(parameter)
    point = encoding.parameterization(
        encoding.rows_from_cube(np.full((1, encoding.dimension), u))[0]
    )

    row = encoding.row(point)

    assert row is not None
    assert encoding.parameterization(row) == point


@given(parameters, coordinates)
def test_a_row_survives_the_way_to_the_cube_and_back(parameter: ParameterConfig, u: float) -> None:
    encoding = only(parameter)
    rows = encoding.rows_from_cube(np.full((1, encoding.dimension), u))

    cube = encoding.cube_from_rows(rows)

    assert np.all((cube >= -1e-9) & (cube <= 1 + 1e-9))
    back = encoding.rows_from_cube(np.clip(cube, 0, 1))
    if encoding.floats:
        low, high = encoding.lows, encoding.lows + encoding.widths
        assert back == pytest.approx(rows, rel=1e-9, abs=1e-9 * float(np.abs([low, high]).max()))
    else:
        assert np.array_equal(back, rows)


@pytest.mark.parametrize(
    "parameter",
    [
        RangeParameterConfig("n", (3, 7), "int"),
        ChoiceParameterConfig("c", ["a", "b", "c", "d", "e"]),
        ChoiceParameterConfig("v", [1, 10, 100, 1000, 10000], "int"),
    ],
)
def test_all_levels_are_equally_likely(parameter: ParameterConfig) -> None:
    encoding = only(parameter)
    rows = encoding.rows_from_cube((np.arange(1000)[:, None] + 0.5) / 1000)

    _, counts = np.unique(rows, return_counts=True)

    assert counts.tolist() == [200] * 5


def test_log_ranges_give_each_order_of_magnitude_the_same_room() -> None:
    encoding = only(RangeParameterConfig("c", (1e-6, 1.0), scaling="log"))

    values = encoding.rows_from_cube(np.array([[0.0], [0.5], [1.0]]))[:, 0]

    assert values == pytest.approx([1e-6, 1e-3, 1.0])


def test_unordered_levels_are_equally_far_from_each_other() -> None:
    encoding = only(ChoiceParameterConfig("solvent", ["water", "ethanol", "toluene"]))

    assert encoding.features(np.array([[0.0], [1.0], [2.0]])).tolist() == np.eye(3).tolist()


def test_a_fixed_parameter_is_no_column_but_in_every_parameterization() -> None:
    fixed = ChoiceParameterConfig("T", [25], "int")
    encoding = Encoding(SearchSpace((fixed, RangeParameterConfig("x", (0, 1)))))

    assert encoding.dimension == 1
    assert encoding.parameterization(np.array([0.25])) == {"T": 25, "x": 0.25}


def test_a_point_without_a_value_has_no_row() -> None:
    encoding = Encoding(SearchSpace((RangeParameterConfig("x", (0, 1)),)))

    assert encoding.row({}) is None
    assert encoding.row({"x": "much"}) is None


def test_bounds_near_the_largest_float_do_not_overflow() -> None:
    encoding = only(RangeParameterConfig("x", (-1.7e308, 1.7e308)))

    rows = encoding.rows_from_cube(np.array([[0.0], [0.5], [1.0]]))

    assert rows[:, 0].tolist() == [-1.7e308, 0.0, 1.7e308]
    assert encoding.cube_from_rows(rows)[:, 0] == pytest.approx([0, 0.5, 1])


DEPENDENT = SearchSpace(
    (
        ChoiceParameterConfig("heated", [False, True], "bool", dependent_parameters={True: ["T"]}),
        RangeParameterConfig("T", (30.0, 90.0)),
        ChoiceParameterConfig(
            "v", ["a", "b", "c"], dependent_parameters={"b": ["flow", "w"], "c": ["w"]}
        ),
        RangeParameterConfig("flow", (0, 4), "int"),
        ChoiceParameterConfig("w", ["p", "q", "r"]),
    )
)


def test_what_does_not_exist_is_neither_in_the_point_nor_told_apart() -> None:
    encoding = Encoding(DEPENDENT)
    cold, warm = np.array([[0, 80, 0, 4, 1], [1, 80, 1, 4, 1]], dtype=np.float64)

    assert encoding.parameterization(cold) == {"heated": False, "v": "a"}
    assert [*encoding.parameterization(warm)] == ["heated", "T", "v", "flow", "w"]
    other = np.array([0, 31, 0, 0, 2], dtype=np.float64)
    settled = encoding.settled(np.array([cold, other, warm]))
    first, second, third = encoding.keys(settled)
    assert first == second != third
    assert settled[2].tolist() == warm.tolist()


def test_what_does_not_exist_stands_at_a_neutral_place_of_the_model() -> None:
    encoding = Encoding(DEPENDENT)
    row = encoding.row({"heated": False, "v": "a"})
    assert row is not None

    (features,) = encoding.features(row[None])

    # heated, T, three levels of v, flow, three levels of w
    assert features == pytest.approx([0.25, 0.5, 1, 0, 0, 0.5, 1 / 3, 1 / 3, 1 / 3])


def test_a_fixed_parent_decides_for_its_children() -> None:
    def space(value: bool) -> SearchSpace:
        parent = ChoiceParameterConfig("on", [value], "bool", dependent_parameters={value: ["x"]})
        return SearchSpace(
            (parent, RangeParameterConfig("x", (0, 1)), RangeParameterConfig("y", (0, 1)))
        )

    off = ChoiceParameterConfig(
        "on", [False, True], "bool", start_value=False, is_on=False,
        dependent_parameters={True: ["x"]},
    )  # fmt: skip
    without = SearchSpace((off, *space(True).parameters[1:]))

    exists, never = Encoding(space(True)), Encoding(without)

    assert exists.parameterization(exists.start()[0]) == {"on": True, "x": 0.5, "y": 0.5}
    assert never.parameterization(never.start()[0]) == {"on": False, "y": 0.5}


def test_a_trial_with_another_value_of_what_is_off_has_no_row() -> None:
    off = RangeParameterConfig("s", (0, 9), "int", start_value=3, is_on=False)
    encoding = Encoding(SearchSpace((off, RangeParameterConfig("x", (0, 1)))))

    assert encoding.row({"s": 4, "x": 0.5}) is None
    assert encoding.row({"s": 3, "x": 0.5}) is not None


def test_values_off_the_grid_and_out_of_bounds_keep_their_place() -> None:
    encoding = only(RangeParameterConfig("x", (0.0, 1.0), step_size=0.25))

    values = (0.3, 1.5, 10.0)
    rows = [encoding.row({"x": x}) for x in values]

    assert [float(row[0]) for row in rows if row is not None] == pytest.approx([1.2, 6.0, 40.0])
    learnt = encoding.learnt_rows([{"x": x} for x in values])
    assert [row is None for row in learnt] == [False, False, True]


def test_steps_on_a_log_scale_are_spread_over_the_orders_of_magnitude() -> None:
    encoding = only(RangeParameterConfig("x", (0.1, 1000), step_size=0.1, scaling="log"))
    us = (np.arange(4000)[:, None] + 0.5) / 4000

    values = encoding.numbers(encoding.rows_from_cube(us))[:, 0]

    shares = [np.mean(values <= 10**power) for power in (0, 1, 2, 3)]
    assert shares == pytest.approx([0.28, 0.52, 0.76, 1.0], abs=0.05)


@given(ranges("p"), st.lists(coordinates, min_size=1, max_size=5))
def test_constraints_see_the_values_that_the_runner_gets(
    parameter: RangeParameterConfig, us: list[float]
) -> None:
    encoding = only(parameter)
    rows = encoding.rows_from_cube(np.array([us]).T)

    seen = encoding.numbers(rows)[:, 0]

    assert seen.tolist() == [float(encoding.parameterization(row)["p"]) for row in rows]
