"""Cards as text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.analysis.rendering import WIDTH, number, text
from axdesk.core.cards import Card, Measured, TCell
from axdesk.core.errors import UserInputError
from tests.strategies import labels, texts


def test_a_card_is_a_title_a_sentence_and_an_aligned_table() -> None:
    card = Card(
        "best_trials",
        "Best trials",
        "The best y is −3.21.",
        ("rank", "arm", "y (mV)", "pH", "heated", "reason"),
        (
            (1, "3_0", Measured(-3.2101, 0.02), 7.0, True, ""),
            (12, "blank run", Measured(0.5, None), None, False, ""),
        ),
    )

    assert text(card).splitlines() == [
        "Best trials",
        "───────────",
        "The best y is −3.21.",
        "",
        "rank  arm              y (mV)  pH  heated",
        "   1  3_0        −3.21 ± 0.02   7  yes",
        "  12  blank run          0.50   –  no",
    ]


def test_a_card_without_rows_is_its_title_and_sentence() -> None:
    card = Card("summary", "Trials", "No trial has started yet.", ("trial",))

    assert text(card) == "Trials\n──────\nNo trial has started yet."


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (86.2, "86.2"),
        (-3.2049, "−3.205"),
        (1234.5678, "1235"),
        (1e9, "1e+09"),
        (1.5e-7, "1.5e−07"),
        (Measured(86.2, None), "86.2"),
        (Measured(86.2, 0.0), "86.2"),
        (Measured(86.2, 0.4), "86.2 ± 0.4"),
        (Measured(86.2, 0.0123), "86.200 ± 0.012"),
        (Measured(0.0, 0.0), "0"),
    ],
)
def test_numbers_have_four_significant_digits(value: float | Measured, shown: str) -> None:
    assert number(value) == shown


def test_small_numbers_are_not_rounded_to_zero() -> None:
    card = Card("c", "C", "", ("v",), ((1000.0,), (0.5,), (1e-6,)))

    assert [line.strip() for line in text(card).splitlines()[-3:]] == ["1000", "0.5", "1e−06"]


def test_a_wide_table_goes_on_below_with_its_first_column_repeated() -> None:
    heads = tuple(f"parameter with a long name {i}" for i in range(6))
    card = Card("c", "C", "S.", ("trial", *heads), ((0, *range(6)), (1, *range(6, 12))))

    lines = text(card).splitlines()

    assert all(len(line) <= WIDTH for line in lines)
    assert sum(line.startswith("trial ") for line in lines) == 2
    assert all(sum(head in line for line in lines) == 1 for head in heads)


def test_a_column_wider_than_the_page_is_kept_whole() -> None:
    label = "very " * 30 + "long"
    card = Card("c", "C", "S.", ("trial", "name", "x"), ((0, label, 1.5),))

    assert label in text(card)


def test_wide_characters_keep_the_columns_aligned() -> None:
    card = Card("c", "C", "S.", ("arm", "x"), (("温度", 1), ("abcd", 2)))

    assert text(card).splitlines()[-3:] == ["arm   x", "温度  1", "abcd  2"]


def test_line_breaks_in_a_cell_do_not_break_the_table() -> None:
    card = Card("c", "C", "S.", ("trial", "reason"), ((0, "Traceback\n  boom"),))

    assert text(card).splitlines()[-1] == "    0  Traceback boom"


@pytest.mark.parametrize("cell", [math.nan, math.inf, -math.inf])
def test_a_card_refuses_what_is_no_number(cell: float) -> None:
    with pytest.raises(UserInputError, match="Row 0 of the card 'c' holds"):
        Card("c", "C", "", ("x",), ((cell,),))
    with pytest.raises(UserInputError, match="is no finite number"):
        Measured(cell)
    with pytest.raises(UserInputError, match="standard error"):
        Measured(0.0, cell)


def test_a_card_refuses_a_row_of_another_length() -> None:
    with pytest.raises(UserInputError, match="Row 1 of the card 'c' has 2 cells; 1 are needed"):
        Card("c", "C", "", ("x",), ((1,), (1, 2)))


finite = st.floats(allow_nan=False, allow_infinity=False)
sems = st.none() | st.floats(0, allow_infinity=False)
cells: st.SearchStrategy[TCell] = st.one_of(
    st.none(), st.booleans(), st.integers(), finite, texts, st.builds(Measured, finite, sems)
)


@given(st.data())
def test_any_card_renders_with_every_head_and_row(data: st.DataObject) -> None:
    columns = tuple(data.draw(st.lists(labels, min_size=1, max_size=4)))
    rows = tuple(data.draw(st.lists(st.tuples(*[cells] * len(columns)), min_size=1, max_size=4)))
    card = Card("c", "Title", "Sentence.", columns, rows)

    rendered = text(card)

    lines = rendered.split("\n")
    blocks = rendered.split("\n\n")[1:]
    assert lines[0] == "Title"
    assert all(len(block.split("\n")) == 1 + len(rows) for block in blocks)
    for index, head in enumerate(columns):
        assert head in rendered or all(row[index] == "" for row in rows)


@given(st.floats(-1e300, 1e300).filter(lambda v: abs(v) > 1e-300))
def test_a_number_reads_back_to_four_digits(value: float) -> None:
    read = float(number(value).replace("−", "-"))

    assert read == pytest.approx(value, rel=6e-4)
