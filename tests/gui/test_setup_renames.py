"""A name that is typed anew follows into whatever names it, through the real widgets."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from tests.gui.setup_driver import column, editor, shown, type_into
from tests.gui.setup_samples import found, suzuki

P, GOALS, C = Section.PARAMETERS, Section.OBJECTIVES, Section.CONSTRAINTS


def linked() -> Draft:
    """A draft in which names stand wherever they can stand."""
    draft = suzuki()
    gas = {"name": "Gas", "kind": "choice", "choices": "Ar; N2", "dependents": "Ar: Catalyst"}
    rest = {"name": "Rest", "kind": "derived", "expression": "150 - Temperature - 2*Time"}
    draft = draft.with_rows(P, [*draft.parameters, gas, rest])
    limits = ["Temperature + 1,5·Time <= 150", "Yield - 2*Impurity >= 1e-3"]
    return draft.with_rows(C, [{"expression": text} for text in limits])


@pytest.fixture
def view(qtbot: QtBot) -> SetupView:
    view = shown(qtbot, linked(), P)
    assert view.model.problems is None
    return view


def table_of(view: SetupView, section: Section) -> SetupTable:
    view.show_section(section)
    return found(view, SetupTable, f"setup.{section}.table")


def constraints(view: SetupView) -> list[str]:
    return [row["expression"] for row in view.model.draft.constraints]


def test_a_parameter_takes_along_what_names_it(view: SetupView, qtbot: QtBot) -> None:
    table = table_of(view, P)
    type_into(qtbot, table, 0, "name", "T (°C)")
    assert constraints(view)[0] == "`T (°C)` + 1,5·Time <= 150"
    assert view.model.text(P, 7, "expression") == "150 - `T (°C)` - 2*Time"
    assert view.model.problems is None
    type_into(qtbot, table, 3, "name", "Pd, solid")
    assert view.model.text(P, 6, "dependents") == 'Ar: "Pd, solid"'
    assert view.model.problems is None
    view.model.undo()
    view.model.undo()
    assert view.model.draft == linked()
    assert not view.model.can_undo
    view.model.redo()
    assert constraints(view)[0].startswith("`T (°C)`")


def test_a_metric_takes_along_the_limits_that_name_it(view: SetupView, qtbot: QtBot) -> None:
    type_into(qtbot, table_of(view, GOALS), 0, "name", "Yield (%)")
    assert constraints(view) == [
        "Temperature + 1,5·Time <= 150",
        "`Yield (%)` - 2*Impurity >= 1e-3",
    ]
    assert view.model.problems is None
    view.model.undo()
    assert view.model.draft == linked()


def test_a_name_that_is_for_a_moment_that_of_another_row_loses_nothing(
    view: SetupView, qtbot: QtBot
) -> None:
    type_into(qtbot, table_of(view, P), 0, "name", "Timers")  # on the way it is Time
    assert constraints(view)[0] == "Timers + 1,5·Time <= 150"
    assert view.model.text(P, 7, "expression") == "150 - Timers - 2*Time"
    view.model.undo()
    assert view.model.draft == linked()


def test_escape_brings_back_what_names_it(view: SetupView) -> None:
    table = table_of(view, P)
    table.go_to(0, column(table, "name"))
    QTest.keyClick(table, Qt.Key.Key_F2)
    QTest.keyClicks(editor(table), "xyz")
    assert "xyz" in constraints(view)[0]
    QTest.keyClick(editor(table), Qt.Key.Key_Escape)
    assert view.model.draft == linked()
    assert not view.model.can_undo


@pytest.mark.parametrize("name", ["Time", "", "Yield", "a`b"])
def test_what_could_mean_something_else_stays(name: str, view: SetupView, qtbot: QtBot) -> None:
    """Time is another parameter, Yield a metric; neither nothing nor a backtick is a name."""
    type_into(qtbot, table_of(view, P), 0, "name", name)
    assert constraints(view) == [row["expression"] for row in linked().constraints]
    view.model.undo()
    assert view.model.draft == linked()


def test_where_two_rows_have_the_name_nobody_knows_which_is_meant(
    view: SetupView, qtbot: QtBot
) -> None:
    table = table_of(view, P)
    type_into(qtbot, table, 4, "name", "Time")
    type_into(qtbot, table, 4, "name", "Hours")
    assert constraints(view) == [row["expression"] for row in linked().constraints]
    assert view.model.text(P, 7, "expression") == "150 - Temperature - 2*Time"
