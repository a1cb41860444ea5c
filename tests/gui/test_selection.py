"""One selection over plots, table and inspector."""

from typing import Any

import pytest

from axdesk.gui.models.selection import Selection

QtBot = Any


@pytest.fixture
def selection() -> Selection:
    return Selection()


def test_nothing_is_selected_at_first(selection: Selection) -> None:
    assert (selection.current, selection.compared, selection.trials) == (None, (), ())


def test_selecting_replaces_all_that_was_selected(selection: Selection) -> None:
    selection.set_trials((4, 7, 9))
    selection.select(2)
    assert (selection.current, selection.compared) == (2, ())
    selection.select(None)
    assert selection.trials == ()


def test_toggling_adds_and_removes(selection: Selection) -> None:
    selection.toggle(4)
    assert (selection.current, selection.compared) == (4, ())
    selection.toggle(7)
    selection.toggle(1)
    assert (selection.current, selection.compared) == (4, (7, 1))
    selection.toggle(7)
    assert (selection.current, selection.compared) == (4, (1,))
    selection.toggle(4)
    assert (selection.current, selection.compared) == (1, ())


def test_only_a_change_is_told(selection: Selection, qtbot: QtBot) -> None:
    with qtbot.waitSignal(selection.changed):
        selection.set_trials((3, 5, 3))
    assert selection.trials == (3, 5)
    with qtbot.assertNotEmitted(selection.changed):
        selection.set_trials((3, 5))
