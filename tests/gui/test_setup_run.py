"""The page of the run settings through its real widgets."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import FIELDS, Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.gui.models.setup_texts import run_sentence
from axdesk.gui.views.setup_run import RunPage, object_name
from axdesk.gui.widgets.buttons import SegmentedButton
from axdesk.gui.widgets.cards import Fold, LiveSentence
from axdesk.gui.widgets.fields import TextField
from tests.gui.setup_driver import shown_page
from tests.gui.setup_samples import found, suzuki

R = Section.RUN
Show = Callable[[Draft], RunPage]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    return partial(shown_page, qtbot, RunPage)


def type_into(page: RunPage, field: str, text: str) -> TextField:
    shown = found(page, TextField, object_name(field))
    shown.selectAll()
    QTest.keyClicks(shown, text)
    return shown


@pytest.mark.parametrize(
    ("field", "text", "seconds", "hint"),
    [
        ("trial_time_limit", "90 s", 90, "= 90\u00a0s"),
        ("run_time_limit", "1 h 30", 5400, "= 5400\u00a0s"),
        ("run_time_limit", "2,5 h", 9000, "= 9000\u00a0s"),
        ("seconds_between_polls", "0,1", 0.1, ""),
        ("seconds_between_launches", "0", 0, ""),
        ("max_seconds_between_polls", "5 min", 300, "= 300\u00a0s"),
        ("poll_deadline", "2 min", 120, "= 120\u00a0s"),
        ("generation_time_limit", "30", 30, ""),
    ],
)
def test_durations_are_typed_with_units_or_as_seconds(
    field: str, text: str, seconds: float, hint: str, show: Show
) -> None:
    page = show(suzuki())
    type_into(page, field, text)
    assert page.model.text(R, 0, field) == text
    setup = page.model.setup
    assert setup is not None
    more = setup.run.orchestration
    found = {
        "trial_time_limit": more.trial_time_limit,
        "run_time_limit": more.run_time_limit,
        "seconds_between_polls": setup.run.initial_seconds_between_polls,
        "seconds_between_launches": more.min_seconds_between_launches,
        "max_seconds_between_polls": more.max_seconds_between_polls,
        "poll_deadline": more.call_deadlines.poll,
        "generation_time_limit": more.generation_time_limit,
    }
    assert found[field] == seconds
    told = page._notes[field].hint()
    assert told.startswith(hint) if hint else not told.startswith("=")
    again = draft_of(setup).checked()
    assert getattr(again, "run", None) == setup.run


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("max_trials", "0", "Enter a whole number of at least 1."),
        ("max_trials", "2.5", "is no whole number."),
        ("max_trials", "", "A number is missing."),
        ("parallelism", "three", "is no number."),
        ("tolerated_failure_percent", "100", "Enter 0 up to, not including, 100."),
        ("tolerated_failure_percent", "-1", "Enter 0 up to, not including, 100."),
        ("trial_time_limit", "soon", "is no duration."),
        ("run_time_limit", "0", "Enter a duration above 0, or nothing for no limit"),
        ("seconds_between_polls", "0 s", "Enter a duration above 0"),
        ("seconds_between_polls", "", "A duration is missing."),
        ("seconds_between_launches", "-2", "is no possible duration."),
        ("stop_deadline", "30 min 1 h", "is no duration."),
        ("initial_trials", "0", "at least 1"),
        ("seed", "-1", "at least 0"),
        ("poll_retries", "0", "at least 1"),
        ("early_percentile", "100", "above 0 and below 100"),
        ("global_stagnation", "1.5", "is no whole number."),
    ],
)
def test_what_is_wrong_stands_at_the_field_in_the_list_and_in_the_sentence(
    field: str, text: str, message: str, show: Show
) -> None:
    page = show(suzuki())
    shown = found(page, TextField, object_name(field))
    page.model.edit(R, 0, field, text)
    assert message in shown.toolTip()
    assert shown.text() == text
    (issue,) = page.issues.issues()
    assert message.lower() in issue.sentence.lower()
    sentence = found(page, LiveSentence, "setup.run.sentence")
    assert sentence.accessibleName().startswith("Not complete: ")
    page.go_to(page.model.problems_of(R)[0])
    assert shown.isVisible()


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({}, "axdesk will run **30 trials**, **one at a time**. It stops **from the 5th failure** "
             "on, once more than 50\u00a0% failed; at the end, if **more than 15** failed."),
        ({"max_trials": "1", "tolerated_failure_percent": "0"},
         "axdesk will run **1 trial**, **one at a time**. It stops **at the first failure**."),
        ({"run_time_limit": "8 h", "parallelism": "4", "tolerated_failure_percent": "10"},
         "axdesk will run **30 trials**, **4 at a time**, for **8\u00a0h** at most. It stops "
         "**from the 5th failure** on, once more than 10\u00a0% failed; at the end, if **more than "
         "3** failed."),
        ({"on_error": "pause", "tolerated_failure_percent": "0"},
         "axdesk will run **30 trials**, **one at a time**, and **pause and ask** on an error. It "
         "stops **at the first failure**."),
    ],
)  # fmt: skip
def test_the_sentence_says_how_the_run_ends(
    cells: dict[str, str], sentence: str, show: Show
) -> None:
    page = show(suzuki())
    page.model.edit_cells(R, 0, cells)
    assert run_sentence(page.model)[0] == sentence


def test_more_at_a_time_is_told_to_cost_quality(show: Show) -> None:
    page = show(suzuki())
    assert "at a time each suggestion" not in run_sentence(page.model)[1]
    type_into(page, "parallelism", "3")
    assert "each suggestion is made without the results of 2" in run_sentence(page.model)[1]


def test_a_draft_of_an_older_axdesk_or_with_any_text_is_shown(show: Show, qtbot: QtBot) -> None:
    page = show(replace(suzuki(), run={}))
    for field in ("on_error", "method", "uncertain_deployment"):
        segments = found(page, SegmentedButton, object_name(field))
        assert segments.value() == {"on_error": "continue", "method": "fast"}.get(field, "ask")
    page.model.set_draft(replace(suzuki(), run=dict.fromkeys(FIELDS[R], "§")))
    wrong = {problem.field for problem in page.model.problems_of(R)}
    assert wrong == set(FIELDS[R])
    segments = found(page, SegmentedButton, object_name("on_error"))
    stop = next(b for b in segments.findChildren(QAbstractButton) if b.text() == "Stop")
    assert not any(b.isChecked() for b in segments.findChildren(QAbstractButton))
    qtbot.waitUntil(lambda: stop.height() > 0)  # the list of problems moved it
    QTest.mouseClick(stop, Qt.MouseButton.LeftButton)
    assert page.model.text(R, 0, "on_error") == "stop"
    assert "on_error" not in {problem.field for problem in page.model.problems_of(R)}


def test_folds_say_their_values_in_their_titles(show: Show) -> None:
    page = show(suzuki())
    type_into(page, "seconds_between_polls", "10 s")
    type_into(page, "seed", "4711")
    type_into(page, "global_target", "80")
    told = [fold.values() for fold in page.findChildren(Fold)]
    assert "the run at\u00a080" in told[0]
    assert told[1] == (
        "every 10\u00a0s, after errors up to 1\u00a0min; 5 tries; 1\u00a0s between launches; "
        "deploying at most 10\u00a0min; polling, fetching, stopping at most 2\u00a0min"
    )
    assert told[2].startswith("seed 4711, failure check from the 5th failure")
    page.resize(500, 400)
    for fold in page.findChildren(Fold):
        assert fold.minimumSizeHint().width() < 300
