"""Linear expressions over free-text names."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.errors import ExpressionError, UserInputError
from axdesk.core.expressions import (
    LinearExpression,
    parse_comparison,
    parse_linear,
    quoted,
    split_objectives,
    with_other_name,
)
from tests.strategies import coefficients, labels, numbers

ODD_NAMES = (
    "µ flow", "µ", "μ", "lambda", "Yield (%)", "N", "2nd wash", "x²", "ﬁ", "a·b", "a-b", "a, b",
    "baseline", "True", "None", "not", "温度", "O'Hara", 'a"b', "#1", "a#b", "a <= b", "1e5", "\\",
    "name0_", "e", "_", "Δt", "℘", "é", "e\u0301",
)  # fmt: skip
names = st.sampled_from(ODD_NAMES) | labels
expressions = st.builds(
    LinearExpression,
    st.lists(st.tuples(names, coefficients), max_size=4, unique_by=lambda t: t[0]).map(tuple),
    numbers,
)


@given(expressions)
def test_what_is_printed_is_read_back(expression: LinearExpression) -> None:
    assert parse_linear(str(expression)) == expression


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_stands_between_backticks(name: str) -> None:
    assert parse_linear(f"2 * `{name}`").terms == ((name, 2.0),)
    assert parse_linear(quoted(name)).terms == ((name, 1.0),)


def test_letters_that_look_alike_stay_different_names() -> None:
    assert parse_linear("µ + 2*μ + 3*ﬁ + 4*fi").terms == (
        ("µ", 1.0),
        ("μ", 2.0),
        ("ﬁ", 3.0),
        ("fi", 4.0),
    )


# ---- any expression, against direct evaluation ---------------------------------------------------

TREE_NAMES = {"x": 3.0, "µ flow": -0.75, "lambda": 2.0**0.5}


def _sum(parts: tuple[tuple[str, float], tuple[str, float]]) -> tuple[str, float]:
    (left, a), (right, b) = parts
    return f"{left} + {right}", a + b


def _difference(parts: tuple[tuple[str, float], tuple[str, float]]) -> tuple[str, float]:
    (left, a), (right, b) = parts
    return f"{left} − ({right})", a - b


def _scaled(parts: tuple[tuple[str, float], int]) -> tuple[str, float]:
    (text, value), factor = parts
    return f"{factor} · ({text})", factor * value


def _divided(parts: tuple[tuple[str, float], int]) -> tuple[str, float]:
    (text, value), divisor = parts
    return f"({text})/{divisor}", value / divisor


leaves = st.sampled_from([(quoted(name), value) for name, value in TREE_NAMES.items()])
factors = st.integers(1, 9)
trees: st.SearchStrategy[tuple[str, float]] = st.recursive(
    leaves | st.integers(0, 99).map(lambda n: (str(n), float(n))),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(_sum),
        st.tuples(inner, inner).map(_difference),
        st.tuples(inner, factors).map(_scaled),
        st.tuples(inner, factors).map(_divided),
        inner.map(lambda t: (f"-({t[0]})", -t[1])),
    ),
    max_leaves=8,
)


@given(trees)
def test_the_value_is_that_of_direct_evaluation(tree: tuple[str, float]) -> None:
    text, expected = tree
    try:
        expression = parse_linear(text)
    except ExpressionError as error:
        if "cancel out" not in error.message:
            raise
    else:
        assert expression.value(TREE_NAMES) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_value_that_is_missing_is_said() -> None:
    with pytest.raises(KeyError, match="b"):
        parse_linear("a + b").value({"a": 1.0})


# ---- comparisons ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "constant", "operator"),
    [
        ("1·A + 1·B ≤ 80", (("A", 1.0), ("B", 1.0)), -80.0, "<="),
        ("2×a − b ≥ 0.5*(c − 1)", (("a", 2.0), ("b", -1.0), ("c", -0.5)), 0.5, ">="),
        ("3 <= a", (("a", -1.0),), 3.0, "<="),
        ("a·2\u00a0>=\u00a0-1", (("a", 2.0),), 1.0, ">="),
        ("`Yield (%)` >= 0.8", (("Yield (%)", 1.0),), -0.8, ">="),
        ("`a <= b` <= 1e-3", (("a <= b", 1.0),), -1e-3, "<="),
    ],
)
def test_comparisons_move_everything_to_the_left(
    text: str, terms: tuple[tuple[str, float], ...], constant: float, operator: str
) -> None:
    comparison = parse_comparison(text)

    assert comparison.expression == LinearExpression(terms, constant)
    assert comparison.operator == operator


# ---- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("", 0, "The expression is empty."),
        ("   ", 0, "The expression is empty."),
        ("2a", 1, "not understood here"),
        ("a b", 2, "not understood here"),
        ("µ flow", 2, "not understood here"),
        ("  a b", 4, "not understood here"),
        ("a +", 2, "not understood here"),
        ("2 * `µ flow` -  ", 13, "not understood here"),
        ("(a", 0, "not understood here"),
        ("a)", 1, "not understood here"),
        ("a;b", 1, "not understood here"),
        ("1_000*a", 1, "not understood here"),
        ("0x10*a", 1, "not understood here"),
        ("1j*a", 1, "not understood here"),
        ("a # b", 2, "The character '#' is not understood."),
        ("a + b # - c", 6, "The character '#' is not understood."),
        ("a\n+ b", 1, "The character '\\n' is not understood."),
        ("a\\", 1, "not understood here"),
        ("x²", 1, "The character '²' is not understood."),
        ("٣*a", 0, "The character '٣' is not understood."),
        ("`a` + `b", 6, "The backtick that opens a name has no partner."),
        ("a + ``", 4, "The term needs a name."),
        ("1 + ` a`", 4, "starts or ends with a blank"),
        ("a**2", 3, "Only + - * / are linear"),
        ("a % 2", 4, "Only + - * / are linear"),
        ("1 + x*y", 4, "The product of two names is not linear."),
        ("1/x", 2, "Only division by a number other than 0 is linear."),
        ("x/0", 2, "Only division by a number other than 0 is linear."),
        ("x/(1 - 1)", 3, "Only division by a number other than 0 is linear."),
        ("f(x)", 0, "Only numbers, names, + - * / and brackets are understood."),
        ("x + 'y'", 4, "Only numbers, names, + - * / and brackets are understood."),
        ("x.y", 0, "Only numbers, names, + - * / and brackets are understood."),
        ("x, y", 3, "One expression is expected, without a comma."),
        ("x <= 2", 5, "No comparison is expected here."),
        ("y + x - x", 8, "The terms of x cancel out."),
        ("y + 0*x", 4, "The coefficient of 'x' is 0.0"),
        ("y + 1e-300*x*1e-300", 4, "The coefficient of 'x' is 0.0"),
        ("x + 1e999", 4, "This number is too large."),
        ("x + 1e308*10", 4, "The constant inf must be finite."),
        ("x + 1e308 + 1e308", 12, "The constant inf must be finite."),
        ("0.8 * baseline", 6, "The baseline can stand in limits on metrics only."),
    ],
)
def test_what_is_not_linear_is_refused_at_its_character(
    text: str, position: int, message: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_linear(text)

    assert message in caught.value.message
    assert caught.value.text == text
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "position"),
    [("a", 0), ("a + b", 0), ("a < 3", 4), ("a == 3", 5), ("1 <= a <= 3", 5), ("a <=", 3),
     ("a <= (b <= c)", 11), ("a <= a", 5), ("a <= 1e999", 5)],
)  # fmt: skip
def test_what_is_no_comparison_is_refused_at_its_character(text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_comparison(text)

    assert caught.value.position == position


def test_the_error_points_at_the_character() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_linear("`µ flow` + 2b")

    lines = str(caught.value).splitlines()
    assert lines[-2:] == ["  `µ flow` + 2b", "  " + " " * 12 + "^"]


@pytest.mark.parametrize(
    "text",
    ["(" * 300 + "a" + ")" * 300, "-" * 5000 + "a", " + ".join(f"x{i}" for i in range(2000)),
     "9" * 5000, "a * 1" + "0" * 5000],
    ids=["brackets", "signs", "sum", "digits", "zeros"],
)  # fmt: skip
def test_an_expression_beyond_all_measure_is_refused_and_no_defect(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_linear(text)
    with pytest.raises(ExpressionError):
        parse_comparison(f"{text} <= 3")


@given(st.text(st.sampled_from([*"ab12.e+-*/()<>=≤≥·−`,# \\'\"µ²[]{}:;!~@%&|^_\t\n"]), max_size=12))
def test_any_text_is_read_whole_or_refused_within_it(text: str) -> None:
    outside_names = "".join(text.split("`")[::2])
    positions: list[int] = []
    for read in (parse_linear, parse_comparison):
        try:
            read(text)
        except ExpressionError as refused:
            positions.append(refused.position)
        else:
            assert not set(outside_names) & set("#\\'\"²[]{}:;!~@%&|^\t\n")
    assert all(0 <= position < max(len(text), 1) for position in positions)


# ---- values and objectives -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "constant", "message"),
    [
        ((("a", 0.0),), 0.0, "The coefficient of 'a' is 0.0"),
        ((("a", math.nan),), 0.0, "The coefficient of 'a' is nan"),
        ((("a", math.inf),), 0.0, "The coefficient of 'a' is inf"),
        ((("a", 1.0), ("a", 2.0)), 0.0, "A name occurs twice"),
        ((("", 1.0),), 0.0, "The term needs a name"),
        ((), math.inf, "The constant inf must be finite"),
    ],
)
def test_an_expression_refuses_what_is_no_sum(
    terms: tuple[tuple[str, float], ...], constant: float, message: str
) -> None:
    with pytest.raises(UserInputError, match=message):
        LinearExpression(terms, constant)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a", ("a",)), ("a, -b", ("a", " -b")), ("`a, b`,c", ("`a, b`", "c")), ("", ("",))],
)
def test_objectives_are_split_outside_backticks(text: str, parts: tuple[str, ...]) -> None:
    assert split_objectives(text) == parts


@pytest.mark.parametrize("text", ["A <= inf", "A >= -Infinity", "A <= nan"])
def test_a_bound_that_is_no_finite_number_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="is no finite number"):
        parse_comparison(text)
    assert str(parse_linear("2*`inf` + a")) == "2*`inf` + a"


@pytest.mark.parametrize("text", ["A**2 <= 1", "loss@10 <= 1"])
def test_what_is_no_linear_sign_is_told_for_powers_and_names(text: str) -> None:
    with pytest.raises(ExpressionError, match="Only") as caught:
        parse_comparison(text)
    assert "between backticks" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "name", "other", "expected"),
    [
        ("a + 2*aa - 1e5*a <= 3", "a", "b c", "`b c` + 2*aa - 1e5*`b c` <= 3"),
        ("2a·a <= `a`", "a", "x", "2x·x <= x"),
        ("`b c` + b <= baseline", "b c", "d", "d + b <= baseline"),
        ("`e5` + 1e5*e5 <= 1", "e5", "f", "f + 1e5*f <= 1"),
        ("baseline + `baseline` <= 1", "baseline", "x", "baseline + x <= 1"),
        ("a <= `a", "a", "b", "b <= `a"),
        ("a ? a <=", "a", "b", "b ? b <="),
        ("µ flow + `µ flow`", "µ flow", "f", "µ flow + f"),
        ("1,5*a", "a", "nan", "1,5*`nan`"),
        ("", "a", "b", ""),
    ],
)
def test_a_name_is_replaced_and_nothing_else(
    text: str, name: str, other: str, expected: str
) -> None:
    assert with_other_name(text, name, other) == expected
