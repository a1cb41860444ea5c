"""Parameters, constraints, search space, objective: what they take, and what they refuse."""

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import AxdeskError, ExpressionError, UnsupportedError, UserInputError
from axdesk.core.expressions import LinearExpression
from axdesk.core.names import checked_name, first_duplicate
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from tests.strategies import labels, parameterizations, search_spaces

Range: Any = RangeParameterConfig
Choice: Any = ChoiceParameterConfig


def refusal(make: Callable[[], object]) -> str:
    with pytest.raises(UserInputError) as caught:
        make()
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "The parameter needs a name."),
        ("  ", "The parameter needs a name."),
        (" a", "starts or ends with a blank"),
        ("a\u00a0", "starts or ends with a blank"),
        ("a`b", "holds a backtick"),
        ("a\nb", "a line break"),
        ("a\x00b", "cannot be shown"),
        (3, "must be text, not 3"),
        (None, "must be text, not None"),
    ],
)
def test_a_name_must_stand_between_backticks_on_one_line(name: object, message: str) -> None:
    assert message in refusal(lambda: checked_name(name, "parameter"))
    assert message in refusal(lambda: Range(name=name, bounds=(0, 1)))


@given(labels)
def test_any_label_is_a_name(label: str) -> None:
    assert checked_name(label, "metric") == label


def test_the_first_name_that_comes_again_is_found() -> None:
    assert first_duplicate(("a", "b", "c", "b", "a")) == "b"
    assert first_duplicate(("a", "A", "ä")) is None


# ---- ranges --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bounds": (1, 1)}, "has the bounds (1.0, 1.0); low must be below high."),
        ({"bounds": (2, 1)}, "has the bounds (2.0, 1.0); low must be below high."),
        ({"bounds": (0, math.inf)}, "the high bound inf is not finite."),
        ({"bounds": (math.nan, 1)}, "the low bound nan is not finite."),
        ({"bounds": ("0", 1)}, "the low bound '0' is no number."),
        ({"bounds": (False, 1)}, "the low bound False is no number."),
        ({"bounds": (None, 1)}, "the low bound None is no number."),
        ({"bounds": (1,)}, "has the bounds (1,); two numbers (low, high) are needed."),
        ({"bounds": 3}, "has the bounds 3; two numbers (low, high) are needed."),
        ({"bounds": (0.5, 2), "parameter_type": "int"}, "the low bound 0.5 is no whole number."),
        ({"bounds": (0, 1), "parameter_type": "bool"}, "has the type 'bool'; allowed are"),
        ({"bounds": (0, 1), "scaling": "square"}, "has the scaling 'square'; allowed are"),
        ({"bounds": (0, 1), "scaling": "log"}, "a logarithmic scale cannot start at 0.0."),
        ({"bounds": (-1, 1), "scaling": "log"}, "a logarithmic scale cannot start at -1.0."),
        ({"bounds": (0, 1), "start_value": 2}, "the value 2.0 lies outside 0.0 … 1.0."),
        ({"bounds": (0, 1), "start_value": math.nan}, "the value nan is not finite."),
        ({"bounds": (0, 10**400)}, "the high bound"),
    ],
)
def test_a_range_refuses(settings: dict[str, Any], message: str) -> None:
    answer = refusal(lambda: Range(name="Yield (%)", **settings))

    assert "Parameter 'Yield (%)'" in answer
    assert message in answer


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("float", 1, 1.0),
        ("float", np.float32(0.5), 0.5),
        ("float", np.int64(2), 2.0),
        ("int", 2.0, 2),
        ("int", np.int64(2), 2),
        ("int", np.float64(3.0), 3),
    ],
)
def test_a_range_gives_plain_numbers_of_its_type(kind: str, given: object, expected: float) -> None:
    value = Range(name="x", bounds=(0, 10), parameter_type=kind).checked(given)

    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize("value", [True, "1", None, Decimal(1), 1j, [1], math.nan, -0.001, 1.001])
def test_a_range_refuses_values(value: object) -> None:
    assert "Parameter 'x'" in refusal(lambda: Range(name="x", bounds=(0, 1)).checked(value))


def test_the_bounds_belong_to_a_range() -> None:
    parameter = RangeParameterConfig("x", (0.1, 10), scaling="log")

    assert [parameter.checked(v) for v in (0.1, 10)] == [0.1, 10.0]
    assert parameter.is_log
    assert not parameter.is_fixed


# ---- choices -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"values": []}, "needs a list of at least one value."),
        ({"values": "abc"}, "needs a list of at least one value."),
        ({"values": ["a", "b", "a"]}, "has the value a twice."),
        ({"values": ["a", 1]}, "the value 1 is not of type 'str'."),
        ({"values": [1, 2.5], "parameter_type": "int"}, "the value 2.5 is not of type 'int'."),
        ({"values": [1, True], "parameter_type": "int"}, "the value True is not of type 'int'."),
        ({"values": [0, 1], "parameter_type": "bool"}, "the value 0 is not of type 'bool'."),
        ({"values": [math.nan], "parameter_type": "float"}, "the value nan is not of type"),
        ({"values": [math.inf, 1], "parameter_type": "int"}, "the value inf is not of type"),
        ({"values": [math.nan, 1], "parameter_type": "int"}, "the value nan is not of type"),
        ({"values": [10**400], "parameter_type": "float"}, "is not of type 'float'"),
        ({"values": ["a"], "parameter_type": "date"}, "has the type 'date'; allowed are"),
        ({"values": ["a", "b"], "start_value": "c"}, "the value 'c' is not among a, b."),
    ],
)
def test_a_choice_refuses(settings: dict[str, Any], message: str) -> None:
    answer = refusal(lambda: Choice(name="Solvent", **settings))

    assert "Parameter 'Solvent'" in answer
    assert message in answer


@pytest.mark.parametrize(
    ("kind", "values", "expected", "is_ordered"),
    [
        ("str", ["b", "a"], ("b", "a"), True),
        ("str", ["b", "a", "c"], ("b", "a", "c"), False),
        ("int", [3, 1, 2], (1, 2, 3), True),
        ("float", [3, 0.5], (0.5, 3.0), True),
        ("int", [3.0, np.int64(1)], (1, 3), True),
        ("bool", [True, False], (True, False), True),
        ("str", ["only"], ("only",), True),
    ],
)
def test_a_choice_orders_numbers_and_pairs(
    kind: str, values: list[object], expected: tuple[object, ...], is_ordered: bool
) -> None:
    choice = Choice(name="x", values=values, parameter_type=kind)

    assert choice.values == expected
    assert [type(v) for v in choice.values] == [type(v) for v in expected]
    assert choice.is_ordered is is_ordered
    assert choice.is_fixed == (len(values) == 1)


def test_numbers_that_are_not_ordered_keep_their_place() -> None:
    choice = ChoiceParameterConfig("x", [3, 1, 2], "int", is_ordered=False)

    assert choice.values == (3, 1, 2)
    assert choice.is_numeric


# ---- constraints ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values", "is_met"),
    [
        ("a + b <= 0.3", {"a": 0.1, "b": 0.2}, True),
        ("a + b <= 0.3", {"a": 0.1, "b": 0.2001}, False),
        ("a >= b", {"a": 2, "b": 2.0}, True),
        ("a >= b", {"a": 1, "b": 2}, False),
        ("-a >= -3", {"a": 3}, True),
        ("1e9*a <= 1e9", {"a": 1.0 + 1e-12}, True),
        ("a <= 0", {"a": 1e-30}, False),
    ],
)
def test_a_parameter_constraint_is_met_up_to_rounding(
    text: str, values: dict[str, float], is_met: bool
) -> None:
    assert ParameterConstraint.parse(text).is_met(values) is is_met


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a + 2b".replace("2b", "2*b") + " <= 3", "a + 2*b <= 3"),
        ("3 >= `x y`", "-`x y` >= -3"),
        ("a - 1 >= -b/2", "a + 0.5*b >= 1"),
        ("a <= 0", "a <= 0"),
    ],
)
def test_a_constraint_prints_in_one_form_and_reads_back(text: str, printed: str) -> None:
    constraint = OutcomeConstraint.parse(text)

    assert str(constraint) == printed
    assert OutcomeConstraint.parse(printed) == constraint


@given(
    st.lists(
        st.tuples(labels, st.floats(-1e6, 1e6).filter(bool)),
        min_size=1,
        max_size=3,
        unique_by=lambda t: t[0],
    ).map(tuple),
    st.sampled_from(["<=", ">="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_printed_constraint_reads_back(terms: Any, operator: Any, bound: float) -> None:
    constraint = ParameterConstraint(terms, operator, bound)

    assert ParameterConstraint.parse(str(constraint)) == constraint


def test_a_violation_is_positive_on_the_wrong_side() -> None:
    assert OutcomeConstraint.parse("2*a <= 3").violation({"a": 2.0}) == 1.0
    assert OutcomeConstraint.parse("2*a >= 3").violation({"a": 2.0}) == -1.0


@pytest.mark.parametrize(
    ("terms", "operator", "bound", "message"),
    [
        ((), "<=", 1.0, "A constraint needs at least one name."),
        ((("a", 1.0),), "<", 1.0, "The operator '<' is not among <= and >=."),
        ((("a", 1.0),), "<=", math.nan, "The bound nan of a constraint must be finite."),
        ((("a", 0.0),), "<=", 1.0, "The coefficient of 'a' is 0.0"),
    ],
)
def test_a_constraint_refuses(terms: Any, operator: Any, bound: float, message: str) -> None:
    assert message in refusal(lambda: ParameterConstraint(terms, operator, bound))


def test_a_constraint_without_a_name_is_refused() -> None:
    assert "at least one name" in refusal(lambda: ParameterConstraint.parse("1 <= 2"))


# ---- search space --------------------------------------------------------------------------------

X = RangeParameterConfig("x", (0, 1))
N = RangeParameterConfig("n", (1, 5), "int")
SOLVENT = ChoiceParameterConfig("Solvent", ["water", "ethanol"])


@pytest.mark.parametrize(
    ("parameters", "constraints", "message"),
    [
        ((), (), "A search space needs at least one parameter."),
        ((X, N, X), (), "Two parameters are called 'x'."),
        ((X,), ("x + y <= 1",), "The constraint x + y <= 1 names 'y', which is no parameter."),
        ((X, SOLVENT), ("Solvent <= 1",), "names 'Solvent', whose values are no numbers."),
    ],
)
def test_a_search_space_refuses(parameters: Any, constraints: Any, message: str) -> None:
    parsed = tuple(map(ParameterConstraint.parse, constraints))

    assert message in refusal(lambda: SearchSpace(parameters, parsed))


def test_values_are_put_into_order_and_types() -> None:
    space = SearchSpace((X, N, SOLVENT))

    values = space.checked({"Solvent": "water", "n": 2.0, "x": 1})

    assert list(values.items()) == [("x", 1.0), ("n", 2), ("Solvent", "water")]
    assert type(values["n"]) is int


def test_missing_and_unknown_values_are_named() -> None:
    message = refusal(lambda: SearchSpace((X, N)).checked({"x": 1, "y": 2}))

    assert "missing ['n'], unknown ['y']" in message
    assert "Give exactly x, n." in message


def test_broken_constraints_are_named() -> None:
    space = SearchSpace(
        (X, N), (ParameterConstraint.parse("x + n <= 3"), ParameterConstraint.parse("n >= 2"))
    )

    assert space.broken_constraints({"x": 0.5, "n": 3}) == (space.constraints[0],)
    assert space.broken_constraints({"x": 0.5, "n": 1}) == (space.constraints[1],)


def test_a_search_space_is_asked_by_name() -> None:
    space = SearchSpace((X, N, SOLVENT))

    assert space["n"] is N
    assert not space.is_finite
    assert SearchSpace((N, SOLVENT)).is_finite
    with pytest.raises(KeyError, match="y"):
        _ = space["y"]


@given(st.data())
def test_allowed_values_pass_unchanged(data: st.DataObject) -> None:
    space = data.draw(search_spaces())
    values = data.draw(parameterizations(space))

    assert space.checked(values) == values


# ---- objective -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", ExpressionError, "The expression is empty."),
        ("3", UserInputError, "An objective needs a metric."),
        ("a + 1", UserInputError, "The constant 1.0 in the objective changes nothing."),
        ("a, -b", UnsupportedError, "2 objectives are given in 'a, -b'; one is offered."),
        ("a*b", ExpressionError, "The product of two names is not linear."),
        ("a <= 3", ExpressionError, "No comparison is expected here."),
    ],
)
def test_an_objective_refuses(text: str, error: type[AxdeskError], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Objective.parse(text)


def test_a_comma_in_a_name_separates_nothing() -> None:
    assert Objective.parse("-`a, b`").metric_names == ("a, b",)


@pytest.mark.parametrize(
    ("text", "is_minimised"), [("a", False), ("-a", True), ("-2*a", True), ("-a - b", False)]
)
def test_only_a_single_metric_is_minimised(text: str, is_minimised: bool) -> None:
    assert Objective.parse(text).is_minimised is is_minimised


def test_the_metrics_are_the_required_ones_then_the_recorded_ones() -> None:
    config = OptimizationConfig(
        Objective(LinearExpression((("a", 1.0), ("b", 2.0)))),
        (OutcomeConstraint.parse("b + c <= 1"), OutcomeConstraint.parse("c >= 0")),
        ("d",),
        (("c", "%"),),
    )

    assert config.required_metrics == ("a", "b", "c")
    assert config.metric_names == ("a", "b", "c", "d")
    assert (config.unit_of("c"), config.unit_of("a")) == ("%", "")


@pytest.mark.parametrize("tracking", [("a",), ("c", "c")])
def test_a_metric_is_either_optimised_or_recorded(tracking: tuple[str, ...]) -> None:
    message = refusal(lambda: OptimizationConfig(Objective.parse("a"), tracking_metrics=tracking))

    assert f"The metric {tracking[0]!r}" in message
