"""What in a draft is allowed and perhaps not meant."""

import pytest

from axdesk.core.draft_cells import Row, Section
from axdesk.core.draft_doubts import doubts
from axdesk.core.drafts import Draft

P, RUN = Section.PARAMETERS, Section.RUN


def of(row: Row) -> list[tuple[str, str]]:
    draft = Draft().with_rows(P, [{"name": "x", **row}])
    return [(doubt.field, doubt.message) for doubt in doubts(draft, None)]


@pytest.mark.parametrize(
    ("row", "field", "message", "mended"),
    [
        ({"low": "1", "high": "9,9", "scale": "log"}, "scale", "less than a factor of 10", 0),
        ({"low": "0.001", "high": "1"}, "scale", "values near 0.001 are hardly ever tried", 0),
        ({"low": "0", "high": "1", "step": "0.3"}, "step", "0.9 is the highest value", 0),
        ({"low": "0", "high": "10", "step": "3", "kind": "whole"}, "step", "9 is the highest", 0),
    ],
)
def test_what_is_doubtful_is_told_in_its_cell_and_can_be_mended(
    row: Row, field: str, message: str, mended: int
) -> None:
    ((found, told),) = of(row)
    assert found == field
    assert message in told
    draft = Draft().with_rows(P, [{"name": "x", **row}])
    (doubt,) = doubts(draft, None)
    ((_, cells),) = doubt.remedies
    assert len(of({**row, **cells})) == mended


@pytest.mark.parametrize(
    "row",
    [
        {"low": "1", "high": "10", "scale": "log"},
        {"low": "0", "high": "1"},
        {"low": "0.002", "high": "1"},
        {"low": "1", "high": "100000", "kind": "whole"},
        {"low": "0", "high": "0.9", "step": "0.3"},
        {"low": "0.001", "high": "1", "on": "no", "start": "0.5"},
        {"low": "2", "high": "1", "scale": "log"},
        {"kind": "choice", "choices": "a; b"},
        {},
    ],
)
def test_what_is_usual_wrong_or_off_is_no_doubt(row: Row) -> None:
    assert of(row) == []


def test_more_at_a_time_than_in_all_is_doubtful() -> None:
    draft = Draft().with_cell(RUN, 0, "max_trials", "2").with_cell(RUN, 0, "parallelism", "3")
    (doubt,) = doubts(draft, None)
    assert (doubt.section, doubt.field) == (RUN, "parallelism")
    assert doubt.message == "3 at a time, but only 2 in all."
