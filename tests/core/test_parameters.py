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
from axdesk.core.errors import AxdeskError, ExpressionError, UserInputError
from axdesk.core.expressions import LinearExpression
from axdesk.core.names import checked_name, first_duplicate
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    RangeParameterConfig,
)
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
    st.sampled_from(["<=", ">=", "="]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_printed_constraint_reads_back(terms: Any, operator: Any, bound: float) -> None:
    constraint = ParameterConstraint(terms, operator, bound)

    assert ParameterConstraint.parse(str(constraint)) == constraint


@pytest.mark.parametrize("text", ["a + b = 3", "a+b==3", "3 = b + a - 0", "`a` = 3 − b"])
def test_an_equality_is_written_with_one_sign_or_two(text: str) -> None:
    constraint = ParameterConstraint.parse(text)

    assert (constraint.operator, abs(constraint.bound)) == ("=", 3.0)
    assert constraint.is_met({"a": 1.25, "b": 1.75})
    assert not constraint.is_met({"a": 1.25, "b": 1.7500001})


@pytest.mark.parametrize("text", ["a = b = 3", "a != 3", "a := 3", "a === 3", "a =< 3", "a ="])
def test_what_only_looks_like_an_equality_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        ParameterConstraint.parse(text)
    assert "'=' is not among <= and >=" in refusal(lambda: OutcomeConstraint((("m", 1.0),), "=", 1))


def test_a_violation_is_positive_on_the_wrong_side() -> None:
    assert OutcomeConstraint.parse("2*a <= 3").violation({"a": 2.0}) == 1.0
    assert OutcomeConstraint.parse("2*a >= 3").violation({"a": 2.0}) == -1.0


@pytest.mark.parametrize(
    ("terms", "operator", "bound", "message"),
    [
        ((), "<=", 1.0, "A constraint needs at least one name."),
        ((("a", 1.0),), "<", 1.0, "The operator '<' is not among <=, >= and =."),
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
        ("a, -b", ExpressionError, "One expression is expected, without a comma."),
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


# ---- steps, off, derived, dependent --------------------------------------------------------------


@given(st.data())
def test_every_step_is_the_decimal_number_and_in_bounds(data: st.DataObject) -> None:
    digits = data.draw(st.integers(0, 6))
    low, step = (Decimal(data.draw(st.integers(-(10**6), 10**6))).scaleb(-digits) for _ in range(2))
    step = abs(step) or Decimal(1).scaleb(-digits)
    count = data.draw(st.integers(1, 10**4))
    rest = step * data.draw(st.sampled_from([Decimal(0), Decimal("0.5"), Decimal("0.999")]))
    high = low + count * step + rest
    parameter = RangeParameterConfig("x", (float(low), float(high)), step_size=float(step))

    assert parameter.last_step == count
    for index in {0, 1, count // 2, count}:
        value = parameter.value_at(index)
        assert value == float(low + index * step)
        assert parameter.bounds[0] <= value <= parameter.bounds[1]
        assert repr(parameter.checked(value)) == repr(value)
        assert parameter.checked(math.nextafter(value, low)) == value
        assert parameter.nearest_step(value) == index


@pytest.mark.parametrize(
    ("bounds", "step", "kind", "values"),
    [
        ((1.0, 1.3), 0.1, "float", [1.0, 1.1, 1.2, 1.3]),
        ((0.1, 0.3), 0.2, "float", [0.1, 0.3]),
        ((-0.3, 0.35), 0.1, "float", [-0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3]),
        ((3, 10), 3, "int", [3, 6, 9]),
        ((1, 3), None, "int", [1, 2, 3]),
    ],
)
def test_steps_are_counted_from_the_low_bound(
    bounds: tuple[float, float], step: float | None, kind: Any, values: list[float]
) -> None:
    parameter = RangeParameterConfig("x", bounds, kind, step)

    assert parameter.last_step == len(values) - 1
    assert repr([parameter.value_at(i) for i in range(len(values))]) == repr(values)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step_size": 0}, "the step 0.0 is not above 0 and at most 1.0"),
        ({"step_size": 1.5}, "the step 1.5 is not above 0 and at most 1.0"),
        ({"step_size": 1e-17}, "the step 1e-17 is too small to be told apart"),
        ({"step_size": 0.25, "start_value": 0.3}, "the value 0.3 lies between two steps"),
        ({"parameter_type": "int", "step_size": 0.5}, "the step 0.5 is no whole number"),
        ({"is_on": False}, "is switched off and has no value to keep"),
    ],
)
def test_a_step_or_switch_that_means_nothing_is_refused(
    settings: dict[str, Any], message: str
) -> None:
    assert message in refusal(lambda: RangeParameterConfig("x", (0, 1), **settings))


def test_a_step_of_one_between_whole_numbers_is_no_step() -> None:
    assert RangeParameterConfig("n", (0, 9), "int", 1) == RangeParameterConfig("n", (0, 9), "int")


def test_a_parameter_that_is_off_keeps_its_value() -> None:
    stirring = RangeParameterConfig("s", (0, 800), start_value=400, is_on=False)
    solvent = ChoiceParameterConfig("v", ["a", "b", "c"], start_value="b", is_on=False)

    assert (stirring.is_fixed, stirring.fixed_value) == (True, 400.0)
    assert (solvent.is_fixed, solvent.fixed_value) == (True, "b")
    assert "no value to keep" in refusal(
        lambda: ChoiceParameterConfig("v", ["a", "b"], is_on=False)
    )
    assert "at least one parameter that is on" in refusal(lambda: SearchSpace((stirring, solvent)))


def nested() -> SearchSpace:
    return SearchSpace(
        (
            ChoiceParameterConfig(
                "heated", [False, True], "bool", dependent_parameters={True: ["T", "M"]}
            ),
            RangeParameterConfig("T", (30, 90)),
            ChoiceParameterConfig("M", ["oil", "air"], dependent_parameters={"air": ["flow"]}),
            RangeParameterConfig("flow", (0, 9), "int"),
            X,
            DerivedParameterConfig("rest", "100 - 20*x"),
        )
    )


@pytest.mark.parametrize(
    ("given_values", "names"),
    [
        ({"heated": False}, "heated x rest"),
        ({"heated": True, "M": "oil"}, "heated T M x rest"),
        ({"heated": True, "M": "air"}, "heated T M flow x rest"),
        ({"heated": False, "M": "air"}, "heated x rest"),
    ],
)
def test_only_what_exists_is_kept(given_values: dict[str, Any], names: str) -> None:
    values = {"x": 0.5, "T": 50.0, "M": "oil", "flow": 3, **given_values}

    whole = nested().completed(values)

    assert [*whole] == names.split()
    assert whole["rest"] == 90.0
    assert nested().checked(whole) == whole
    assert nested().checked({n: v for n, v in whole.items() if n != "rest"}) == whole


def test_what_does_not_exist_there_or_does_not_follow_is_refused() -> None:
    space = nested()

    assert "unknown ['T']" in refusal(lambda: space.checked({"heated": False, "x": 1, "T": 50}))
    assert "missing ['T', 'M']" in refusal(lambda: space.checked({"heated": True, "x": 1}))
    wrong = {"heated": False, "x": 0.5, "rest": 91}
    assert "'rest' is 90.0, which follows from" in refusal(lambda: space.checked(wrong))


TRUE_X: dict[Any, list[str]] = {True: ["x"]}
BOTH = ChoiceParameterConfig("a", [False, True], "bool", dependent_parameters=TRUE_X)
OTHER = ChoiceParameterConfig("b", [False, True], "bool", dependent_parameters=TRUE_X)
CIRCLE = (
    ChoiceParameterConfig("a", [False, True], "bool", dependent_parameters={True: ["b"]}),
    ChoiceParameterConfig("b", [False, True], "bool", dependent_parameters={True: ["a"]}),
)
BELOW_CIRCLE = (
    ChoiceParameterConfig(
        "a", [False, True], "bool", dependent_parameters={False: ["x"], True: ["b"]}
    ),
    CIRCLE[1],
    X,
)


@pytest.mark.parametrize(
    ("parameters", "constraints", "message"),
    [
        ((BOTH,), (), "'a' names 'x' as depending on it, which is no parameter that is searched."),
        ((BOTH, OTHER, X), (), "'b' names 'x' as depending on it, but it depends on 'a' already."),
        (CIRCLE, (), "The parameter 'b' depends on itself."),
        (BELOW_CIRCLE, (), "The parameter 'a' depends on itself."),
        ((BOTH, X), ("x <= 1",), "names 'x', which exists only at some values of 'a'."),
        ((X, DerivedParameterConfig("d", "y")), (), "The derived parameter 'd' names 'y'"),
        ((SOLVENT, DerivedParameterConfig("d", "Solvent")), (), "whose values are no numbers"),
        ((BOTH, X, DerivedParameterConfig("d", "x")), (), "which exists only at some values"),
        ((X, DerivedParameterConfig("d", "x")), ("d <= 1",), "names 'd', which is derived itself."),
        (
            (RangeParameterConfig("x", (0, 1e308)), DerivedParameterConfig("d", "9*x", "int")),
            (),
            "The derived parameter 'd' can become too large for a number.",
        ),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(
    parameters: Any, constraints: Any, message: str
) -> None:
    parsed = tuple(map(ParameterConstraint.parse, constraints))

    assert message in refusal(lambda: SearchSpace(parameters, parsed))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"expression_str": "2*x*y"}, "The product of two names is not linear."),
        ({"expression_str": "d + x"}, "cannot be derived from itself"),
        ({"parameter_type": "str"}, "allowed are 'float' and 'int'"),
    ],
)
def test_a_derived_parameter_refuses(settings: dict[str, Any], message: str) -> None:
    derived = {"name": "d", "expression_str": "x", **settings}

    assert message in refusal(lambda: DerivedParameterConfig(**derived))


def test_a_whole_derived_parameter_is_rounded() -> None:
    value = DerivedParameterConfig("d", "0.5*x + 1", "int").value({"x": 3.2})

    assert repr(value) == "3"


@given(st.data())
def test_any_parameterization_is_its_own_completion(data: st.DataObject) -> None:
    space = data.draw(search_spaces())
    point = data.draw(parameterizations(space))

    assert space.checked(point) == point == space.typed(point)
    assert space.completed(point) == point
    assert [*point] == [name for name in space.names if name in point]


def test_values_from_outside_are_typed_and_told() -> None:
    space = SearchSpace(
        (
            X,
            RangeParameterConfig("s", (0, 1), step_size=0.25),
            SOLVENT,
            RangeParameterConfig("off", (0, 9), "int", start_value=2, is_on=False),
        ),
        (ParameterConstraint.parse("x = s"),),
    )

    point = space.typed({"x": 5, "s": 0.3, "Solvent": "wine", "off": 3})

    assert point == {"x": 5.0, "s": 0.3, "Solvent": "wine", "off": 3}
    told = space.deviations(point)
    assert [text for text in told if "'x': the value 5.0 lies outside 0.0 … 1.0" in text]
    assert [text for text in told if "'s': the value 0.3 lies between two steps" in text]
    assert [text for text in told if "'wine' is not among water, ethanol" in text]
    assert [text for text in told if "'off': the value 3 is not 2" in text]
    assert [text for text in told if "x - s = 0 is broken" in text]
    assert "no number" in refusal(lambda: space.typed({**point, "x": "five"}))
