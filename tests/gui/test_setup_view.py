"""The Setup tab through its real widgets: typed, clicked, pasted, read."""

from collections.abc import Callable
from functools import partial

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QHelpEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QToolTip,
    QWidget,
)
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import FIELDS, Problem, Section
from axdesk.core.drafts import Draft
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.plugins import PluginCatalogue, PluginChoice
from axdesk.core.run import RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.gui.models.setup_texts import summary_rows
from axdesk.gui.views.objective_sketch import ObjectiveSketch
from axdesk.gui.views.setup_general import GeneralPage
from axdesk.gui.views.setup_page import SetupPage
from axdesk.gui.views.setup_run import object_name
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.widgets.buttons import Button, SegmentedButton
from axdesk.gui.widgets.cards import LiveSentence
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.lists import IssueList, SectionList
from axdesk.gui.widgets.roles import Role
from tests.gui.setup_driver import click, editor, shown, type_into
from tests.gui.setup_samples import CATALOGUE, METRIC, RUNNER, found, suzuki

Show = Callable[[Draft], SetupView]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    return partial(shown, qtbot)


def test_the_tutorials_experiment_can_be_typed(show: Show, qtbot: QtBot) -> None:
    view = show(Draft())
    name = found(view, TextField, "setup.general.name")
    QTest.keyClicks(name, "hartmann6")

    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    click(found(view, Button, "setup.parameters.add"))
    for index in range(1, 7):
        # The first cell of the new row is open; Tab leads over unit and type to low and high.
        QTest.keyClicks(editor(table), f"x{index}")
        QTest.keyClick(editor(table), Qt.Key.Key_Tab)
        QTest.keyClick(editor(table), Qt.Key.Key_Tab)
        assert table.currentIndex().column() == 3
        QTest.keyClick(table, Qt.Key.Key_Tab)
        QTest.keyClicks(table, "0")
        QTest.keyClick(editor(table), Qt.Key.Key_Tab)
        QTest.keyClicks(editor(table), "1")
        # Enter in the complete last row adds another.
        last_key = Qt.Key.Key_Tab if index == 6 else Qt.Key.Key_Return
        QTest.keyClick(editor(table), last_key)
        rows = min(index + 1, 6)
        qtbot.waitUntil(lambda rows=rows: table.table.rowCount() == rows)  # type: ignore[misc]  # a default binds the loop variable

    view.show_section(Section.OBJECTIVES)
    table = found(view, SetupTable, "setup.objectives.table")
    click(found(view, Button, "setup.objectives.add"))
    QTest.keyClicks(editor(table), "hartmann6")
    QTest.keyClick(editor(table), Qt.Key.Key_Tab)
    QTest.keyClick(editor(table), Qt.Key.Key_Tab)
    QTest.keyClick(table, Qt.Key.Key_M)  # from maximise to minimise
    assert table.currentIndex().data() == "Minimise"

    view.show_section(Section.RUNNER)
    runner = found(view, ComboField, "setup.runner.plugin")
    runner.setFocus()
    place = runner.findData("cell.py:Simulator")
    runner.setCurrentIndex(place)
    runner.activated.emit(place)

    view.show_section(Section.RUN)
    trials = found(view, TextField, "setup.run.max_trials")
    trials.selectAll()
    QTest.keyClicks(trials, "24")

    parameters = tuple(RangeParameterConfig(f"x{i}", (0, 1)) for i in range(1, 7))
    assert view.model.problems is None
    assert view.model.setup == ExperimentSetup(
        name="hartmann6",
        search_space=SearchSpace(parameters),
        optimization=OptimizationConfig(Objective.parse("-hartmann6")),
        runner=PluginChoice("cell.py:Simulator", {}),
        metrics=(("hartmann6", PluginChoice(METRIC, {})),),
        run=RunSettings(max_trials=24),
    )


def test_invalid_text_stays_as_typed_with_its_error_in_cell_and_list(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    type_into(qtbot, table, 0, "low", "5O")
    cell = table.table.index(0, 4)
    assert cell.data() == "5O"
    assert "“5O” is no number." in cell.data(Role.ISSUE)
    issues = found(view, IssueList, "setup.parameters.issues")
    assert issues.isVisible()
    assert [(i.location, i.sentence) for i in issues.issues()] == [
        ("Temperature, Low", "“5O” is no number. Enter one such as 0.5, 0,5 or 1e-3.")
    ]
    sections = found(view, SectionList, "setup.sections")
    assert sections.currentIndex().data(Role.SECOND_LINE) == "1 problem"


def test_each_key_in_a_cell_is_in_the_draft_and_escape_takes_it_back(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.CONSTRAINTS)
    table = found(view, SetupTable, "setup.constraints.table")
    table.go_to(0, 0, edits=True)
    QTest.keyClicks(editor(table), "Time + x")
    assert editor(table).text() == "Time + x"
    assert view.model.text(Section.CONSTRAINTS, 0, "expression") == "Time + x"
    assert found(view, IssueList, "setup.constraints.issues").isVisible()
    QTest.keyClick(editor(table), Qt.Key.Key_Escape)
    assert view.model.draft == suzuki()
    assert view.model.problems is None


def test_a_type_is_chosen_from_the_list_of_its_cell(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    table.go_to(1, 3)
    QTest.keyClick(table, Qt.Key.Key_Space)
    combo = table.viewport().findChild(ComboField)
    assert combo is not None
    QTest.keyClick(combo.view(), Qt.Key.Key_Up)
    QTest.keyClick(combo.view(), Qt.Key.Key_Return)
    assert view.model.text(Section.PARAMETERS, 1, "kind") == "decimal"
    assert table.hasFocus()


def test_a_remedy_button_mends_the_cell(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki().with_cell(Section.PARAMETERS, 3, "low", "0"))
    view.show_section(Section.PARAMETERS)
    issues = found(view, IssueList, "setup.parameters.issues")
    buttons = {button.text(): button for button in issues.findChildren(Button)}
    assert set(buttons) == {"Use 0.05", "Switch to linear"}
    click(buttons["Use 0.05"])
    assert view.model.text(Section.PARAMETERS, 3, "low") == "0.05"
    assert view.model.problems is None
    assert not issues.isVisible()


def test_a_decimal_comma_is_kept_and_read_and_shown_as_the_number_it_is(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    type_into(qtbot, table, 0, "low", "50,5")
    assert table.table.index(0, 4).data() == "50.5"
    assert table.table.index(0, 4).data(Qt.ItemDataRole.EditRole) == "50,5"
    assert view.model.text(Section.PARAMETERS, 0, "low") == "50,5"
    assert view.model.setup is not None
    parameter = view.model.setup.search_space["Temperature"]
    assert isinstance(parameter, RangeParameterConfig)
    assert parameter.bounds == (50.5, 120.0)


def test_rows_are_pasted_from_a_spreadsheet_and_taken_back_at_once(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    QGuiApplication.clipboard().setText("A\t°C\tDecimal\t0,5\t2\nB\tmin\tWhole\t1\t9\n")
    table.go_to(5, 1)
    QTest.keyClick(table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    names = [row["name"] for row in view.model.draft.parameters]
    assert names == ["Temperature", "Time", "Solvent", "Catalyst", "Base", "A", "B"]
    assert view.model.draft.parameters[6]["kind"] == "whole"
    view.model.undo_stack.undo()
    assert view.model.draft == suzuki()


def test_rows_are_added_duplicated_and_removed_by_keys(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    table.go_to(0, 1)
    QTest.keyClick(table, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert view.model.text(Section.PARAMETERS, 1, "name") == "Temperature 2"
    assert view.model.problems is None
    table.go_to(1, 1)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert view.model.draft == suzuki()
    table.go_to(5, 1)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert table.table.rowCount() == 7
    assert table.currentIndex().row() == 6
    editor(table)


def test_a_row_being_filled_in_is_not_called_wrong_before_it_is_left(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    issues = found(view, IssueList, "setup.parameters.issues")
    click(found(view, Button, "setup.parameters.add"))
    assert table.table.issue_at(6, 4) == ""
    assert not issues.isVisible()
    QTest.keyClicks(editor(table), "Flow")
    QTest.keyClick(editor(table), Qt.Key.Key_Tab)
    table.go_to(0, 1)
    assert table.table.issue_at(6, 4) == "Enter the lowest value that may be tried."
    assert issues.isVisible()


def test_tab_crosses_the_cells_and_then_leaves_the_table(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    table.go_to(2, 4)
    QTest.keyClick(table, Qt.Key.Key_Tab)
    # A choice has neither high nor scale.
    assert (table.currentIndex().row(), table.currentIndex().column()) == (2, 7)
    QTest.keyClick(table, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert table.currentIndex().column() == 4
    table.go_to(5, 7)
    QTest.keyClick(table, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is not table


def test_a_box_is_ticked_by_the_space_bar(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    table.go_to(0, 0)
    QTest.keyClick(table, Qt.Key.Key_Space)
    assert view.model.text(Section.PARAMETERS, 0, "on") == "no"


def test_a_form_is_made_from_the_options_and_tells_what_is_needed(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki().with_rows(Section.RUNNER, [{"reference": RUNNER}]))
    view.show_section(Section.RUNNER)
    form = found(view, QWidget, "setup.runner.form")
    names = {"address", "reactors", "volume", "mode", "verbose", "folder"}
    fields = {name: found(view, QWidget, f"setup.runner.form.{name}") for name in names}
    assert all(form.isAncestorOf(field) for field in fields.values())
    placeholders = {n: f.placeholderText() for n, f in fields.items() if isinstance(f, QLineEdit)}
    assert placeholders == {"address": "", "reactors": "4", "volume": "2", "folder": "~/runs"}
    mode = fields["mode"]
    assert isinstance(mode, QComboBox)
    assert [mode.itemText(i) for i in range(3)] == ["fast (default)", "fast", "careful"]
    address = fields["address"]
    assert isinstance(address, TextField)
    assert address.property("issue") == "error"
    assert address.toolTip() == "Cell needs a value for address."
    QTest.keyClicks(address, "10.0.4.17")
    assert address.property("issue") == ""
    assert view.model.setup is not None
    assert view.model.setup.runner == PluginChoice(RUNNER, {"address": "10.0.4.17"})
    reactors = fields["reactors"]
    assert isinstance(reactors, TextField)
    QTest.keyClicks(reactors, "4,5")
    assert reactors.text() == "4,5"
    assert reactors.toolTip() == "“4,5” is no whole number."


def test_each_metric_has_its_plugin_and_options(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.RUNNER)
    table = found(view, SetupTable, "setup.metrics.table")
    assert [table.table.index(row, 0).data() for row in range(3)] == [
        "Yield", "Impurity", "Pressure",
    ]  # fmt: skip
    table.go_to(1, 1)
    noise = found(view, TextField, "setup.metrics.form.noise_sd")
    noise.setFocus()
    QTest.keyClicks(noise, "0,2")
    assert view.model.setup is not None
    assert dict(view.model.setup.metrics)["Impurity"].options == {"noise_sd": 0.2}
    assert dict(view.model.setup.metrics)["Yield"].options == {}


def test_a_broken_file_stands_with_its_reason_and_its_traceback_on_demand(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.RUNNER)
    card = found(view, QWidget, "setup.runner.broken.robot.py")
    qtbot.waitUntil(card.isVisible)
    details = found(view, Button, "setup.runner.broken.robot.py.details")
    traceback = next(w for w in card.findChildren(QWidget) if w.accessibleName() ==
                     "Details of robot.py")  # fmt: skip
    assert not traceback.isVisible()
    details.click()
    assert traceback.isVisible()
    view.model.set_catalogue(PluginCatalogue("/plugins", CATALOGUE.files[:2]))
    assert not card.isVisible()


def test_fix_goes_to_the_cell(show: Show, qtbot: QtBot) -> None:
    wrong = suzuki().with_cell(Section.PARAMETERS, 3, "high", "x")
    wrong = wrong.with_cell(Section.RUN, 0, "poll_retries", "0")
    view = show(wrong)
    view.show_review()
    start = found(view, Button, "setup.review.start")
    assert not start.isEnabled()
    issues = found(view, IssueList, "setup.review.list")
    fixes = issues.findChildren(Button)
    assert [fix.text() for fix in fixes] == ["Fix in Parameters", "Fix in Run settings"]
    click(fixes[0])
    table = found(view, SetupTable, "setup.parameters.table")
    assert table.hasFocus()
    assert (table.currentIndex().row(), table.currentIndex().column()) == (3, 5)
    view.show_review()
    click(fixes[1])
    retries = found(view, TextField, object_name("poll_retries"))
    assert retries.isVisible()
    assert retries.hasFocus()


@pytest.mark.parametrize("section", Section)
def test_every_problem_can_be_gone_to(section: Section, show: Show) -> None:
    view = show(suzuki())
    fields = [*FIELDS[section], "option.address", "option.unknown"]
    for field in fields:
        view.go_to(Problem(section, 0, field, f"{field} is wrong."))
    view.go_to(Problem(section, None, "", "Something is wrong."))
    assert view.model.problems is not None
    assert len(view.model.problems.items) == len(fields) + 1


def test_start_is_offered_once_everything_is_right(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_review()
    with qtbot.waitSignal(view.start_requested):
        click(found(view, Button, "setup.review.start"))
    with qtbot.waitSignal(view.reload_plugins_requested):
        click(found(view, Button, "setup.review.recheck"))


def test_what_is_being_typed_is_kept_when_another_section_is_chosen(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    table.go_to(0, 4, edits=True)
    editor(table).selectAll()
    QTest.keyClicks(editor(table), "6x")
    view.show_section(Section.GENERAL)
    QTest.keyClicks(found(view, TextField, "setup.general.owner"), " jr")
    view.show_section(Section.PARAMETERS)
    assert view.model.text(Section.PARAMETERS, 0, "low") == "6x"
    assert table.table.index(0, 4).data() == "6x"
    view.show_section(Section.GENERAL)
    assert found(view, TextField, "setup.general.owner").text() == "M. Keller jr"


def test_the_objectives_are_sketched_where_one_goal_meets_one_limit(
    show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    view.show_section(Section.OBJECTIVES)
    sketch = view.findChild(ObjectiveSketch)
    assert sketch is not None
    assert sketch.isVisible()
    found(view, SetupTable, "setup.objectives.table").go_to(0, 0)
    minimise = next(
        w for w in found(view, SegmentedButton, "setup.objectives.details.goal").findChildren(
            QAbstractButton
        ) if w.text() == "Minimise"
    )  # fmt: skip
    before = sketch.grab().toImage()
    click(minimise)
    assert view.model.text(Section.OBJECTIVES, 0, "goal") == "minimise"
    assert sketch.grab().toImage() != before
    view.model.edit(Section.OBJECTIVES, 1, "limit", "x")
    assert not sketch.isVisible()


def test_a_name_that_is_cut_stands_whole_in_the_tip(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _at, text, _w: told.append(text))
    long = "Temperature of the second reactor, measured behind the outlet valve"
    view = show(suzuki().with_cell(Section.PARAMETERS, 0, "name", long))
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    for row in (1, 0):
        place = table.visualRect(table.table.index(row, 1)).center()
        event = QHelpEvent(QEvent.Type.ToolTip, place, table.viewport().mapToGlobal(place))
        QApplication.sendEvent(table.viewport(), event)
    assert told == [long]


def test_each_run_setting_has_a_field(show: Show) -> None:
    view = show(suzuki())
    view.show_section(Section.RUN)
    for field in FIELDS[Section.RUN]:
        assert found(view, QWidget, object_name(field)).accessibleName()


def test_the_sentence_of_the_run_follows_each_key(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.RUN)
    parallel = found(view, TextField, "setup.run.parallel")
    parallel.selectAll()
    QTest.keyClicks(parallel, "3")
    sentence = found(view, LiveSentence, "setup.run.sentence")
    assert "30 trials, 3 at a time" in sentence.accessibleName()
    QTest.keyClicks(parallel, "x")
    assert "“3x” is no number" in sentence.accessibleName()


def test_stopping_early_is_set_by_its_fields(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.RUN)
    view.go_to(Problem(Section.RUN, 0, "early_percentile", "Something is wrong."))
    QTest.keyClicks(found(view, TextField, "setup.run.early_percentile"), "25")
    QTest.keyClicks(found(view, TextField, "setup.run.global_target"), "92,5")
    assert view.model.setup is not None
    orchestration = view.model.setup.run.orchestration
    assert orchestration.early_stopping == EarlyStopping(percentile=25.0)
    assert orchestration.global_stopping == GlobalStopping(target=92.5)
    rows = dict(summary_rows(view.model.setup))
    assert rows["Ends trials"] == "below percentile 25"
    assert rows["Ends the run"] == "at 92.5"
    QTest.keyClicks(found(view, TextField, "setup.run.early_percentile"), "0")
    problem = view.model.problems_of(Section.RUN)[0]
    assert (problem.field, problem.message) == (
        "early_percentile",
        "Enter a number above 0 and below 100.",
    )


def test_the_wheel_leaves_an_unfocused_field_alone(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.RUNNER)
    runner = found(view, ComboField, "setup.runner.plugin")
    view.setFocus()
    middle = QPointF(runner.rect().center())
    event = QWheelEvent(
        middle, runner.mapToGlobal(middle), QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(runner, event)
    assert view.model.draft == suzuki()
    assert runner.currentData() == RUNNER


def test_a_read_only_set_up_shows_everything_and_takes_nothing(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.set_read_only(True)
    name = found(view, TextField, "setup.general.name")
    assert not name.isEnabled()
    assert name.text() == "Suzuki"
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    assert not found(view, Button, "setup.parameters.add").isEnabled()
    table.go_to(0, 1)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    QTest.keyClick(table, Qt.Key.Key_F2)
    assert table.state() != QAbstractItemView.State.EditingState
    assert view.model.draft == suzuki()
    view.set_read_only(False)
    assert found(view, Button, "setup.parameters.add").isEnabled()


@pytest.mark.parametrize("field", ["plugin_folder", "plugin_python"])
def test_another_plugin_folder_or_python_reads_the_plugins_again(
    field: str, show: Show, qtbot: QtBot
) -> None:
    view = show(suzuki())
    shown = found(view, TextField, f"setup.general.{field}")
    QTest.keyClicks(shown, "/lab")
    with qtbot.waitSignal(view.reload_plugins_requested):
        QTest.keyClick(shown, Qt.Key.Key_Return)
    assert view.model.text(Section.GENERAL, 0, field) == "/lab"
    view.model.note_found(Problem(Section.GENERAL, 0, field, "There is no /lab."))
    told = [shown.text() for shown in view.findChildren(QLabel) if shown.isVisible()]
    assert "There is no /lab." in told


def test_the_pages_say_that_plugins_are_being_read(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.RUNNER)
    view.model.set_reading_plugins()
    reload = found(view, Button, "setup.runner.reload")
    assert not reload.isEnabled()
    told = [shown.text() for shown in view.findChildren(QLabel) if shown.isVisible()]
    assert "Reading the plugin files…" in told
    view.model.set_catalogue(CATALOGUE)
    assert reload.isEnabled()
    told = [shown.text() for shown in view.findChildren(QLabel) if shown.isVisible()]
    assert "Reading the plugin files…" not in told


@pytest.mark.parametrize("draft", [Draft(), suzuki()], ids=["empty", "filled"])
def test_all_pages_fit_the_smallest_window(draft: Draft, show: Show, qtbot: QtBot) -> None:
    view = show(draft)
    view.resize(1024, 480)
    for section in Section:
        view.show_section(section)
        page = view.page(section)
        qtbot.waitUntil(lambda page=page: page.horizontalScrollBar().maximum() == 0)  # type: ignore[misc]  # as above


def test_details_hold_what_has_no_column(show: Show, qtbot: QtBot) -> None:
    view = show(suzuki())
    view.show_section(Section.PARAMETERS)
    table = found(view, SetupTable, "setup.parameters.table")
    step = found(view, TextField, "setup.parameters.details.step")
    dependents = found(view, TextField, "setup.parameters.details.dependents")
    table.go_to(1, 1)
    assert (step.isVisible(), dependents.isVisible()) == (True, False)
    step.setFocus()
    QTest.keyClicks(step, "4")
    assert view.model.text(Section.PARAMETERS, 1, "step") == "4"
    assert "between two steps" in view.model.issue(Section.PARAMETERS, 1, "start")
    table.go_to(2, 1)
    assert (step.isVisible(), dependents.isVisible()) == (False, True)
    QTest.keyClicks(dependents, "DMF: Time")
    assert view.model.text(Section.PARAMETERS, 2, "dependents") == "DMF: Time"
    assert view.model.issue(Section.PARAMETERS, 2, "dependents") == ""


def test_a_page_is_made_when_it_is_first_shown(show: Show) -> None:
    view = show(suzuki().with_cell(Section.PARAMETERS, 0, "low", "x"))
    assert [type(page) for page in view.findChildren(SetupPage)] == [GeneralPage]
    states = found(view, SectionList, "setup.sections").model()
    assert states.index(1, 0).data(Role.SECOND_LINE) == "1 problem"
    for count in (2, 2):
        view.go_to(Problem(Section.PARAMETERS, 0, "low", "“x” is no number."))
        assert len(view.findChildren(SetupPage)) == count
    assert found(view, SetupTable, "setup.parameters.table").hasFocus()


def test_no_part_of_a_page_shows_itself_as_a_window(show: Show, qapp: QApplication) -> None:
    view = show(suzuki())
    for section in Section:
        shown = _WindowsShown(qapp)
        view.show_section(section)
        assert shown.end() == []
        assert view.isActiveWindow()


class _WindowsShown(QObject):
    def __init__(self, application: QApplication) -> None:
        super().__init__(application)
        self._application = application
        self._found: list[str] = []
        application.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_shown = event.type() == QEvent.Type.Show and isinstance(watched, QWidget)
        if is_shown and isinstance(watched, QWidget) and watched.isWindow():
            self._found.append(repr(watched))
        return False

    def end(self) -> list[str]:
        self._application.processEvents()
        self._application.removeEventFilter(self)
        return self._found
