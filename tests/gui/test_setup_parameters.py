"""The page Parameters through its real widgets: rows, columns, pasting, dragging, details."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.drafts import Draft
from axdesk.core.errors import UserInputError
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.run import RunState
from axdesk.core.setup_lock import SetupLock
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.settings import WindowSettings
from axdesk.gui.text_files import read_text
from axdesk.gui.views.setup_parameters import ParametersPage
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.widgets.buttons import Button, Chip
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.lists import IssueList
from axdesk.gui.widgets.roles import Role
from tests.gui.setup_driver import (
    ALT,
    CTRL,
    click,
    column,
    drag,
    editor,
    paste,
    select,
    shown,
    type_into,
)
from tests.gui.setup_samples import found, suzuki

P = Section.PARAMETERS
NAMES = ["Temperature", "Time", "Solvent", "Catalyst", "Base", "Stirring"]


@pytest.fixture
def view(qtbot: QtBot) -> SetupView:
    return shown(qtbot, suzuki(), P)


@pytest.fixture
def table(view: SetupView) -> SetupTable:
    return found(view, SetupTable, "setup.parameters.table")


@pytest.fixture
def page(view: SetupView) -> ParametersPage:
    made = view.page(P)
    assert isinstance(made, ParametersPage)
    return made


def names(view: SetupView) -> list[str]:
    return [row.get("name", "") for row in view.model.draft.parameters]


def choose(view: SetupView, name: str, value: object) -> None:
    combo = found(view, ComboField, name)
    place = combo.findData(value)
    assert place >= 0, value
    combo.setCurrentIndex(place)
    combo.activated.emit(place)


class TestRows:
    def test_a_row_is_dragged_by_its_grip(self, view: SetupView, table: SetupTable) -> None:
        drag(table, 0, 3)
        assert names(view) == ["Time", "Solvent", "Temperature", "Catalyst", "Base", "Stirring"]
        assert table.selected_rows() == [2]
        drag(table, 2, 5, below=True)
        assert names(view)[-1] == "Temperature"
        drag(table, 5, 0)
        assert view.model.draft == suzuki()
        for _ in range(3):
            view.model.undo()
        assert view.model.draft == suzuki()
        assert not view.model.can_undo

    def test_a_drag_that_ends_where_it_began_is_no_step(
        self, view: SetupView, table: SetupTable
    ) -> None:
        drag(table, 2, 2)
        assert not view.model.can_undo

    def test_escape_calls_a_drag_off(self, view: SetupView, table: SetupTable) -> None:
        grip = table.visualRect(table.table.index(0, 0))
        ground, left = table.viewport(), Qt.MouseButton.LeftButton
        place = grip.center()
        place.setX(8)
        QTest.mousePress(ground, left, Qt.KeyboardModifier.NoModifier, place)
        place.setY(place.y() + 100)
        QTest.mouseMove(ground, place)
        QTest.keyClick(table, Qt.Key.Key_Escape)
        QTest.mouseRelease(ground, left, Qt.KeyboardModifier.NoModifier, place)
        assert view.model.draft == suzuki()

    def test_the_box_beside_the_grip_is_still_ticked(
        self, view: SetupView, table: SetupTable
    ) -> None:
        place = table.visualRect(table.table.index(0, 0)).center()
        place.setX(44)
        QTest.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place
        )
        assert view.model.text(P, 0, "on") == "no"

    def test_selected_rows_are_dragged_together(self, view: SetupView, table: SetupTable) -> None:
        select(table, 0, 1)
        drag(table, 1, 3, below=True)
        assert names(view)[:4] == ["Solvent", "Catalyst", "Temperature", "Time"]
        assert table.selected_rows() == [2, 3]

    def test_alt_and_arrows_move_the_selected_rows(
        self, view: SetupView, table: SetupTable
    ) -> None:
        select(table, 1, 2)
        QTest.keyClick(table, Qt.Key.Key_Up, ALT)
        assert names(view)[:3] == ["Time", "Solvent", "Temperature"]
        QTest.keyClick(table, Qt.Key.Key_Up, ALT)
        assert names(view)[:3] == ["Time", "Solvent", "Temperature"]
        QTest.keyClick(table, Qt.Key.Key_Down, ALT)
        assert view.model.draft == suzuki()
        assert table.selected_rows() == [1, 2]

    def test_several_rows_are_duplicated_and_removed_in_one_step_each(
        self, view: SetupView, table: SetupTable
    ) -> None:
        select(table, 0, 1)
        QTest.keyClick(table, Qt.Key.Key_D, CTRL)
        assert names(view)[2:4] == ["Temperature 2", "Time 2"]
        assert view.model.problems is None
        assert table.selected_rows() == [2, 3]
        QTest.keyClick(table, Qt.Key.Key_D, CTRL)
        assert names(view)[4:6] == ["Temperature 2 2", "Time 2 2"]
        view.model.undo()
        select(table, 2, 3)
        QTest.keyClick(table, Qt.Key.Key_Delete)
        assert view.model.draft == suzuki()
        view.model.undo()
        view.model.undo()
        assert view.model.draft == suzuki()
        assert not view.model.can_undo

    def test_the_menu_of_a_row_offers_what_the_keys_do(
        self, view: SetupView, table: SetupTable, page: ParametersPage
    ) -> None:
        table.go_to(0, 1)
        menu = page.row_menu()
        actions = {a.text().partition("\t")[0]: a for a in menu.actions() if a.text()}
        assert not actions["Move up"].isEnabled()
        actions["Move down"].trigger()
        assert names(view)[:2] == ["Time", "Temperature"]
        actions["Duplicate"].trigger()
        assert names(view)[2] == "Temperature 2"
        actions["Remove"].trigger()
        assert names(view)[:3] == ["Time", "Temperature", "Solvent"]


class TestTyping:
    @pytest.mark.parametrize(
        ("typed", "told"),
        [
            ("0,10", "0.1"),
            ("1e-7", "1e-7"),
            ("0.30000000000000004", "0.30000000000000004"),
            ("-0,50", "-0.5"),
            ("1\u202f000,5", "1000.5"),
            ("5O", "5O"),
        ],
    )
    def test_a_number_stays_as_typed_and_is_shown_as_it_is(
        self, typed: str, told: str, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        low = column(table, "low")
        table.go_to(0, low)
        QTest.keyClick(table, Qt.Key.Key_F2)
        editor(table).selectAll()
        if typed.isascii():
            QTest.keyClicks(editor(table), typed)
        else:
            QGuiApplication.clipboard().setText(typed)
            QTest.keyClick(editor(table), Qt.Key.Key_V, CTRL)
        assert editor(table).text() == typed
        QTest.keyClick(editor(table), Qt.Key.Key_Return)
        assert table.table.index(0, low).data() == told
        assert view.model.text(P, 0, "low") == typed

    def test_a_whole_number_of_any_length_survives(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 1, "high", "12345678901234567890")
        assert view.model.setup is not None
        time = view.model.setup.search_space["Time"]
        assert isinstance(time, RangeParameterConfig)
        assert time.bounds == (5, 12345678901234567890)
        assert table.table.index(1, column(table, "high")).data() == "12345678901234567890"

    def test_words_typed_in_two_visits_of_a_cell_are_undone_apart(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 0, "low", "51")
        type_into(qtbot, table, 0, "low", "52")
        view.model.undo()
        assert view.model.text(P, 0, "low") == "51"

    def test_typing_that_escape_took_back_is_no_step(
        self, view: SetupView, table: SetupTable
    ) -> None:
        table.go_to(0, 1, edits=True)
        QTest.keyClicks(editor(table), "Heat")
        QTest.keyClick(editor(table), Qt.Key.Key_Escape)
        assert view.model.draft == suzuki()
        assert not view.model.can_undo

    def test_a_start_value_is_chosen_among_the_choices(
        self, view: SetupView, table: SetupTable
    ) -> None:
        table.go_to(2, column(table, "start"))
        QTest.keyClick(table, Qt.Key.Key_T)
        assert view.model.text(P, 2, "start") == "Toluene"
        QTest.keyClick(table, Qt.Key.Key_N)
        assert view.model.text(P, 2, "start") == ""

    def test_yes_or_no_is_a_type_of_its_own(self, view: SetupView, table: SetupTable) -> None:
        table.go_to(0, column(table, "kind"))
        QTest.keyClick(table, Qt.Key.Key_Y)
        cell = table.table.index(0, column(table, "low"))
        assert cell.data(Role.TAGS) == ["No", "Yes"]
        assert not cell.flags() & Qt.ItemFlag.ItemIsEditable
        table.go_to(0, column(table, "start"))
        QTest.keyClick(table, Qt.Key.Key_Y)
        view.model.replace_rows(Section.CONSTRAINTS, [])
        assert view.model.setup is not None
        assert view.model.setup.search_space["Temperature"] == ChoiceParameterConfig(
            "Temperature", [False, True], "bool", unit="°C", start_value=True
        )

    def test_an_off_row_keeps_and_shows_its_value(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 1, "start", "40")
        table.go_to(1, 0)
        QTest.keyClick(table, Qt.Key.Key_Space)
        start = table.table.index(1, column(table, "start"))
        assert (start.data(), start.data(Role.OFF)) == ("40", True)
        assert view.model.setup is not None
        time = view.model.setup.search_space["Time"]
        assert isinstance(time, RangeParameterConfig)
        assert (time.is_on, time.fixed_value) == (False, 40)


class TestPasting:
    def test_a_paste_into_a_cell_that_is_being_typed_into_fills_the_table(
        self, view: SetupView, table: SetupTable
    ) -> None:
        click(found(view, Button, "setup.parameters.add"))
        assert editor(table).text() == ""
        QGuiApplication.clipboard().setText("Flow\tmL/min\tDecimal\t0,1\t5\r\nLamp\t\tYes/no\r\n")
        QTest.keyClick(editor(table), Qt.Key.Key_V, CTRL)
        assert names(view)[6:] == ["Flow", "Lamp"]
        assert view.model.text(P, 6, "low") == "0,1"
        assert view.model.text(P, 7, "kind") == "yes/no"
        assert table.selected_rows() == [6, 7]

    def test_one_cell_is_pasted_into_the_text_that_is_being_typed(
        self, view: SetupView, table: SetupTable
    ) -> None:
        table.go_to(0, 1, edits=True)
        QGuiApplication.clipboard().setText("Heat")
        QTest.keyClick(editor(table), Qt.Key.Key_V, CTRL)
        assert names(view)[0] == "Heat"
        assert len(names(view)) == 6

    def test_rows_are_pasted_as_new_ones_too(self, view: SetupView, page: ParametersPage) -> None:
        QGuiApplication.clipboard().setText("Parameter;Min;Max\nFlow;0,1;5\n")
        found(view, QAction, "setup.parameters.import.clipboard").trigger()
        assert names(view) == [*NAMES, "Flow"]
        assert view.model.problems is None
        view.model.undo()
        assert view.model.draft == suzuki()

    def test_hundreds_of_rows_are_one_step_and_bad_cells_stay(
        self, view: SetupView, table: SetupTable
    ) -> None:
        lines = [f"p{i}\t\tDecimal\t0\t{'x' if i % 50 == 0 else '1,5'}" for i in range(300)]
        view.model.edit(P, 5, "on", "yes")
        before = view.model.draft
        table.go_to(5, 1)
        paste(table, "\n".join(lines))
        assert len(names(view)) == 305
        assert view.model.text(P, 5, "high") == "x"
        problems = view.model.problems_of(P)
        assert [p.row for p in problems] == [5 + i for i in range(0, 300, 50)]
        view.model.undo()
        assert view.model.draft == before

    def test_what_is_copied_is_pasted_back_the_same(
        self, view: SetupView, table: SetupTable
    ) -> None:
        model = view.model
        model.edit_cells(P, 2, {"dependents": "DMF: Time", "is_ordered": "yes"})
        model.edit_cells(P, 0, {"description": 'say "hi"\ttwice', "step": "0,5", "start": "60"})
        before = model.draft
        select(table, 0, 5)
        QTest.keyClick(table, Qt.Key.Key_C, CTRL)
        QTest.keyClick(table, Qt.Key.Key_Delete)
        assert not model.draft.parameters
        QTest.keyClick(table, Qt.Key.Key_V, CTRL)

        def plain(draft: Draft) -> list[dict[str, str]]:
            return [{"on": "yes", **row} for row in draft.parameters]

        assert plain(model.draft) == plain(before)

    def test_a_column_that_is_none_is_named(self, view: SetupView, table: SetupTable) -> None:
        table.go_to(0, 1)
        paste(table, "Name\tLow\tSupplier\nFlow\t1\tAcme")
        issues = found(view, IssueList, "setup.parameters.issues").issues()
        assert [issue.level for issue in issues] == ["warning"]
        assert "“Supplier”" in issues[0].sentence
        view.model.undo()
        assert not found(view, IssueList, "setup.parameters.issues").issues()

    def test_an_empty_clipboard_is_told(self, view: SetupView, table: SetupTable) -> None:
        table.go_to(0, 1)
        paste(table, " \n")
        issues = found(view, IssueList, "setup.parameters.issues").issues()
        assert "holds no text" in issues[0].sentence
        assert view.model.draft == suzuki()


class TestColumns:
    def test_columns_are_shown_and_hidden_by_their_menu(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        button = found(view, Button, "setup.parameters.columns")
        menu = button.menu()
        step = next(a for a in menu.actions() if a.text() == "Step")
        assert table.isColumnHidden(column(table, "step"))
        step.trigger()
        assert not table.isColumnHidden(column(table, "step"))
        type_into(qtbot, table, 0, "step", "0,5")
        assert view.model.text(P, 0, "step") == "0,5"
        step.trigger()
        assert table.isColumnHidden(column(table, "step"))

    def test_tab_leaves_hidden_columns_out(self, table: SetupTable) -> None:
        table.go_to(0, column(table, "start"))
        QTest.keyClick(table, Qt.Key.Key_Tab)
        assert table.currentIndex().row() == 1

    @pytest.mark.parametrize("field", ["step", "description", "dependents", "choices"])
    def test_a_problem_without_a_column_is_gone_to_in_the_details(
        self, field: str, view: SetupView
    ) -> None:
        view.go_to(Problem(P, 2 if field in ("dependents", "choices") else 0, field, "Wrong."))
        focused = view.focusWidget()
        if field == "choices":
            assert isinstance(focused, SetupTable)
        else:
            assert focused.objectName() == f"setup.parameters.details.{field}"


class TestDetails:
    def test_a_choice_may_be_of_texts_and_without_an_order(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 2, "low", "01; 02; 10")
        view.model.edit(P, 2, "start", "")
        table.go_to(2, 1)
        choose(view, "setup.parameters.details.value_type", "str")
        choose(view, "setup.parameters.details.is_ordered", "yes")
        assert view.model.setup is not None
        assert view.model.setup.search_space["Solvent"] == ChoiceParameterConfig(
            "Solvent", ["01", "02", "10"], "str", is_ordered=True
        )

    def test_a_derived_parameter_may_be_rounded(self, view: SetupView, table: SetupTable) -> None:
        view.model.edit_cells(P, 5, {"on": "yes", "kind": "derived", "expression": "2*Time"})
        table.go_to(5, 1)
        choose(view, "setup.parameters.details.result", "int")
        assert view.model.setup is not None
        assert view.model.setup.search_space["Stirring"].parameter_type == "int"

    def test_a_parameter_exists_only_with_some_values_of_another(
        self, view: SetupView, table: SetupTable
    ) -> None:
        view.model.replace_rows(Section.CONSTRAINTS, [])
        before = view.model.draft
        table.go_to(1, 1)
        choose(view, "setup.parameters.details.only_if", 2)
        assert view.model.text(P, 2, "dependents") == "Toluene: Time"
        values = found(view, QWidget, "setup.parameters.details.only_if.values")
        chips = {chip.text(): chip for chip in values.findChildren(Chip) if chip.isVisibleTo(view)}
        assert [chips[value].isChecked() for value in ("Toluene", "DMF")] == [True, False]
        chips["DMF"].click()
        chips["Toluene"].click()
        assert view.model.text(P, 2, "dependents") == "DMF: Time"
        assert view.model.setup is not None
        assert view.model.setup.search_space.parents == {"Time": ("Solvent", ("DMF",))}
        chips["DMF"].click()  # one value stays
        assert view.model.text(P, 2, "dependents") == "DMF: Time"
        choose(view, "setup.parameters.details.only_if", None)
        assert view.model.draft == before

    def test_another_parent_takes_the_place_of_the_first_in_one_step(
        self, view: SetupView, table: SetupTable
    ) -> None:
        view.model.edit_cells(P, 5, {"on": "yes", "kind": "yes/no"})
        view.model.edit(P, 2, "dependents", "DMF: Time, Base; Toluene: Time")
        table.go_to(1, 1)
        choose(view, "setup.parameters.details.only_if", 5)
        assert view.model.text(P, 2, "dependents") == "DMF: Base"
        assert view.model.text(P, 5, "dependents") == "no: Time"
        view.model.undo()
        assert view.model.text(P, 2, "dependents") == "DMF: Time, Base; Toluene: Time"
        assert view.model.text(P, 5, "dependents") == ""


class TestLock:
    @pytest.mark.parametrize("state", [RunState.PAUSED, RunState.STOPPED, RunState.COMPLETED])
    def test_names_and_types_are_locked_and_bounds_open_once_trials_exist(
        self, state: RunState, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        view.model.set_lock(SetupLock(state))
        editable = {
            field
            for index, field in enumerate(c.field for c in table.table.columns)
            if table.table.index(0, index).flags() & Qt.ItemFlag.ItemIsEditable
        }
        assert editable == {"unit", "low", "high", "start", "step", "description"}
        name = table.table.index(0, 1)
        assert "Duplicate the experiment" in name.data(Qt.ItemDataRole.ToolTipRole)
        type_into(qtbot, table, 0, "low", "60")
        assert view.model.text(P, 0, "low") == "60"
        table.go_to(0, 1)
        QTest.keyClick(table, Qt.Key.Key_Delete)
        QTest.keyClick(table, Qt.Key.Key_D, CTRL)
        QTest.keyClick(table, Qt.Key.Key_Down, ALT)
        paste(table, "Heat\t\tWhole")
        drag(table, 0, 3)
        assert names(view) == NAMES
        issues = found(view, IssueList, "setup.parameters.issues").issues()
        assert issues
        assert issues[0].level == "warning"
        assert not found(view, Button, "setup.parameters.add").isEnabled()
        table.go_to(0, 1)
        paste(table, "Temperature\t°C\tDecimal\t55\t110")
        assert view.model.text(P, 0, "low") == "55"

    def test_a_running_run_locks_the_table_and_another_process_everything(
        self, view: SetupView, table: SetupTable
    ) -> None:
        view.model.set_lock(SetupLock(RunState.RUNNING))
        low = table.table.index(0, column(table, "low"))
        assert not low.flags() & Qt.ItemFlag.ItemIsEditable
        assert low.data(Qt.ItemDataRole.ToolTipRole) == "Pause the run to change this."
        assert view.model.edit(Section.RUN, 0, "max_trials", "40")
        assert not view.model.edit(Section.RUN, 0, "seed", "1")
        view.model.set_lock(SetupLock(RunState.RUNNING, "4711@LAB"))
        assert not view.model.edit(Section.RUN, 0, "max_trials", "50")
        assert view.model.is_read_only

    def test_undo_stops_before_what_is_locked_by_now(self, view: SetupView) -> None:
        model = view.model
        model.edit(P, 0, "name", "Heat")
        model.set_lock(SetupLock(RunState.PAUSED))
        model.edit(P, 0, "low", "60")
        assert model.can_undo
        model.undo()
        assert (model.text(P, 0, "low"), model.can_undo) == ("50", False)
        model.undo()
        assert model.text(P, 0, "name") == "Heat"
        assert model.can_redo


def test_undo_shows_the_page_of_what_it_changed(view: SetupView, table: SetupTable) -> None:
    table.go_to(0, 1)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    view.show_section(Section.GENERAL)
    QTest.keyClicks(found(view, TextField, "setup.general.owner"), " jr")
    view.show_section(Section.RUN)
    view.model.undo()
    assert found(view, TextField, "setup.general.owner").isVisible()
    view.model.undo()
    assert table.isVisible()
    assert view.model.draft == suzuki()


def test_a_name_that_another_experiment_has_is_told_as_it_is_typed(
    view: SetupView, qtbot: QtBot
) -> None:
    view.show_section(Section.GENERAL)
    view.model.set_taken_names({"Suzuki 3", "Suzuki 3 2"})
    assert view.model.problems is None
    name = found(view, TextField, "setup.general.name")
    name.setFocus()
    name.end(False)
    QTest.keyClicks(name, " 3")
    assert view.model.setup is None
    assert name.toolTip() == "Another experiment is called Suzuki 3."
    rename = found(view, Button, "setup.general.rename")
    assert rename.isVisible()
    click(rename)
    assert view.model.text(Section.GENERAL, 0, "name") == "Suzuki 3 3"
    assert view.model.problems is None
    assert not rename.isVisible()


class TestClicking:
    def click(self, table: SetupTable, row: int, field: str) -> None:
        place = table.visualRect(table.table.index(row, column(table, field))).center()
        no, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
        QTest.mouseClick(table.viewport(), left, no, place)

    def test_letters_typed_right_after_a_click_are_kept(
        self, view: SetupView, table: SetupTable
    ) -> None:
        for _ in range(2):  # the second click is on a cell that is selected
            self.click(table, 0, "low")
        QTest.keyClicks(table, "7")
        QTest.keyClicks(editor(table), "5")
        assert view.model.text(P, 0, "low") == "75"

    def test_a_letter_chooses_right_after_a_click_and_nothing_opens_later(
        self, view: SetupView, table: SetupTable, qtbot: QtBot
    ) -> None:
        for _ in range(2):
            self.click(table, 0, "kind")
        QTest.keyClicks(table, "w")
        assert view.model.text(P, 0, "kind") == "whole"
        assert not table._edit_soon.isActive()

    def test_a_second_click_opens_the_editor_a_little_later(
        self, table: SetupTable, qtbot: QtBot
    ) -> None:
        for _ in range(2):
            self.click(table, 0, "low")
        qtbot.waitUntil(lambda: table.viewport().focusWidget() is not None)
        assert editor(table).text() == "50"

    def test_a_double_click_opens_the_editor_at_once(self, table: SetupTable) -> None:
        place = table.visualRect(table.table.index(0, column(table, "low"))).center()
        no, left = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
        QTest.mouseClick(table.viewport(), left, no, place)
        QTest.mouseDClick(table.viewport(), left, no, place)
        assert editor(table).text() == "50"
        assert not table._edit_soon.isActive()


class TestImporting:
    @pytest.mark.parametrize(
        "content",
        [
            b"Name;Unit;Low;High\nFlow;mL/min;0,1;5\nLamp;W;1;40\n",
            "\ufeffName,Unit,Low,High\r\nFlow,mL/min,0.1,5\r\nLamp,W,1,40\r\n".encode(),
            "Name\tUnit\tLow\tHigh\nFlow\tmL/min\t0.1\t5\nLamp\tW\t1\t40".encode("utf-16"),
            b"Flow;mL/min;Decimal;0,1;5\nLamp;W;Decimal;1;40\n",
            b"Flow,mL/min,Decimal,0.1,5\n\nLamp,W,Decimal,1,40\n",
        ],
    )
    def test_a_file_brings_new_rows(
        self, content: bytes, view: SetupView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "parameters.csv"
        path.write_bytes(content)
        view.parameter_file_requested.connect(lambda p: view.import_parameters(read_text(p)))
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
        found(view, QAction, "setup.parameters.import.file").trigger()
        assert names(view) == [*NAMES, "Flow", "Lamp"]
        model = view.model
        assert [model.text(P, 6, f).replace(",", ".") for f in ("unit", "low", "high")] == [
            "mL/min", "0.1", "5",
        ]  # fmt: skip
        assert model.problems is None
        model.undo()
        assert model.draft == suzuki()

    def test_what_is_no_table_is_told(
        self, view: SetupView, page: ParametersPage, tmp_path: Path
    ) -> None:
        path = tmp_path / "sheet.xlsx"
        path.write_bytes(b"PK\x03\x04\0\0\0")
        with pytest.raises(UserInputError, match="is no text") as refused:
            read_text(path)
        view.refuse_parameters(refused.value)
        assert "sheet.xlsx is no text" in page.issues.accessibleDescription() + " ".join(
            issue.sentence for issue in page.issues.issues()
        )
        with pytest.raises(UserInputError, match="cannot be read"):
            read_text(tmp_path / "gone.csv")
        view.import_parameters("\n")
        assert any(issue.sentence == "The file is empty." for issue in page.issues.issues())
        assert view.model.draft == suzuki()

    def test_an_older_file_is_read_as_windows_wrote_it(self, tmp_path: Path) -> None:
        path = tmp_path / "old.csv"
        path.write_bytes("Temperatur;°C".encode("cp1252"))
        assert read_text(path) == "Temperatur;°C"


def test_the_choice_of_columns_is_kept_for_every_experiment(qtbot: QtBot) -> None:
    settings = WindowSettings()

    def page_of() -> ParametersPage:
        page = ParametersPage(DraftModel(suzuki()), settings)
        page.model.setParent(page)
        qtbot.addWidget(page)
        return page

    first, other = page_of(), page_of()
    hidden = [column(first.table, field) for field in ("step", "description")]
    assert all(map(first.table.isColumnHidden, hidden))
    found(first, QAction, "setup.parameters.columns.step").trigger()
    found(first, QAction, "setup.parameters.columns.unit").trigger()
    for page in (first, other, page_of()):
        assert not page.table.isColumnHidden(column(page.table, "step"))
        assert page.table.isColumnHidden(column(page.table, "unit"))
        assert page.table.isColumnHidden(column(page.table, "description"))


def test_nothing_offers_rows_under_a_locked_table(view: SetupView, page: ParametersPage) -> None:
    hints = [w for w in page.findChildren(QLabel) if "Paste rows" in w.text()]
    assert [hint.isVisible() for hint in hints] == [True]
    view.model.set_lock(SetupLock(RunState.RUNNING))
    assert not hints[0].isVisible()
    runner = view.page(Section.RUNNER)
    runner.refresh()
    combo = found(runner, ComboField, "setup.runner.plugin")
    assert not combo.isEnabled()
    assert combo.toolTip() == "Stop the run to change this."


class TestDoubts:
    def test_a_doubtful_cell_is_amber_and_told_below_with_a_remedy(
        self, view: SetupView, table: SetupTable, page: ParametersPage, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 3, "high", "0.4")
        index = table.table.index(3, column(table, "scale"))
        assert index.data(Role.ISSUE_LEVEL) == "warning"
        assert "less than a factor of 10" in index.data(Role.ISSUE)
        assert view.model.setup is not None  # it keeps nothing from starting
        (issue,) = page.issues.issues()
        assert (issue.level, issue.location) == ("warning", "Catalyst, Scale")
        issue.remedies[0].apply()
        assert view.model.text(P, 3, "scale") == ""
        assert page.issues.issues() == ()

    def test_an_error_goes_before_a_doubt(
        self, view: SetupView, table: SetupTable, page: ParametersPage, qtbot: QtBot
    ) -> None:
        type_into(qtbot, table, 3, "high", "0.4")
        type_into(qtbot, table, 0, "low", "x")
        assert [issue.level for issue in page.issues.issues()] == ["error", "warning"]
        assert table.table.index(0, column(table, "low")).data(Role.ISSUE_LEVEL) is None
