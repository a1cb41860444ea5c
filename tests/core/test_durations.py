"""Durations as they are typed, and limits of metrics in one cell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_limits import limit_cell_text, parse_limit
from axdesk.core.durations import is_plain_number, parse_seconds, seconds_text
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import quoted
from tests.strategies import labels


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90 s", 90),
        ("5 min", 300),
        ("5min", 300),
        ("1 h 30", 5400),
        ("1 h 30 min", 5400),
        ("1 min 30", 90),
        ("0,5 h", 1800),
        ("1.5 H", 5400),
        ("2 d 4 h", 187_200),
        ("1 d 12", 129_600),
        ("250 ms", 0.25),
        ("0,1", 0.1),
        ("1e-3", 0.001),
        ("1\u00a0h", 3600),
        ("0", 0),
    ],
)
def test_a_duration_is_read_as_it_is_typed(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "soon", "5 30", "1:30", "1 h 2 h", "30 min 1 h", "1 x", "h", "−5", "1 h −5", "1e999"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UserInputError) as caught:
        parse_seconds(text)
    assert "1 h 30" in caught.value.hint


@given(st.floats(0, 1e12))
def test_a_written_duration_is_read_back_exactly(seconds: float) -> None:
    assert parse_seconds(seconds_text(seconds)) == seconds


@given(st.integers(0, 10**7))
def test_whole_minutes_are_written_with_units(seconds: int) -> None:
    text = seconds_text(seconds)
    assert parse_seconds(text) == seconds
    assert is_plain_number(text) == (seconds < 60 or seconds % 60 != 0)


@pytest.mark.parametrize(
    ("text", "baseline", "bound"),
    [
        ("2", 0.0, 2.0),
        ("0,5", 0.0, 0.5),
        ("baseline", 1.0, 0.0),
        ("0,95*baseline", 0.95, 0.0),
        ("95 % of baseline", 0.95, 0.0),
        ("95 % of the baseline + 5", 0.95, 5.0),
        ("0.95 × Baseline", 0.95, 0.0),
        ("1.1 baseline − 2,5", 1.1, -2.5),
        ("baseline*2", 2.0, 0.0),
    ],
)
@pytest.mark.parametrize("name", ["Yield (%)", "baseline", "95 % of baseline"])
def test_a_limit_is_absolute_or_relative(
    name: str, text: str, baseline: float, bound: float
) -> None:
    limit = parse_limit(name, ">=", text)
    assert limit == OutcomeConstraint(((name, 1.0),), ">=", bound, baseline)


@pytest.mark.parametrize(
    "text", ["", "much", "baseline baseline", "95 % of", "q*baseline", "0*baseline", "baseline^2"]
)
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(UserInputError):
        parse_limit("q", "<=", text)


@given(
    labels,
    st.floats(-1e9, 1e9, allow_nan=False),
    st.floats(-1e9, 1e9, allow_nan=False),
)
def test_a_written_limit_is_read_back(name: str, baseline: float, bound: float) -> None:
    limit = OutcomeConstraint(((name, 1.0),), "<=", bound + 0.0, baseline + 0.0)
    assert parse_limit(name, "<=", limit_cell_text(limit)) == limit
    assert OutcomeConstraint.parse(f"{quoted(name)} <= {limit_cell_text(limit)}") == limit
