"""Values that are held: with what they depend on, or refused with what they clash with."""

from dataclasses import replace

import pytest

from axdesk import generation
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.suggestions import Parameters
from tests.generation.examples import request

SPACE = SearchSpace(
    (
        ChoiceParameterConfig("s", ["a", "b", "c"], dependent_parameters={"b": ["w"]}),
        RangeParameterConfig("w", (0, 9), "int"),
        RangeParameterConfig("x", (0.0, 1.0)),
        RangeParameterConfig("y", (0.0, 1.0)),
    ),
    (ParameterConstraint.parse("x + y <= 1.2"), ParameterConstraint.parse("y >= 0.5")),
)


def held_at(held: Parameters) -> Parameters:
    (one,) = generation.space_filling(replace(request(SPACE, budget=9), held=held))
    return one.parameters


def test_what_a_held_parameter_depends_on_is_held_where_it_exists() -> None:
    point = held_at({"w": 5})

    assert (point["s"], point["w"]) == ("b", 5)


def test_a_held_parameter_that_does_not_exist_there_is_refused_with_both() -> None:
    with pytest.raises(UserInputError, match=r"'w' exists only where 's' is 'b', and 's' is 'a'"):
        held_at({"s": "a", "w": 5})


def test_held_values_that_no_allowed_point_has_say_what_clashes() -> None:
    with pytest.raises(UserInputError) as caught:
        held_at({"x": 0.9})

    assert "x = 0.9" in caught.value.message
    assert "x + y <= 1.2" in caught.value.message
    assert "y >= 0.5" in caught.value.message
