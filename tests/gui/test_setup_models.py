import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Problem, Problems, Section
from axdesk.core.drafts import Draft
from axdesk.core.plugins import PluginCatalogue
from axdesk.gui.models.constraint_table import ConstraintTable
from axdesk.gui.models.draft_model import UNDO_LIMIT, DraftModel
from axdesk.gui.models.draft_table import DraftTable
from axdesk.gui.models.objective_table import MetricsTable, ObjectiveTable, limit_cells
from axdesk.gui.models.parameter_table import ParameterTable
from axdesk.gui.models.run_texts import ordinal
from axdesk.gui.models.setup_texts import objective_sentence, run_sentence, section_state
from axdesk.gui.widgets.roles import Role
from tests.gui.setup_samples import CATALOGUE, METRIC, suzuki

TABLES = [ParameterTable, ObjectiveTable, MetricsTable, ConstraintTable]


@pytest.fixture
def model(qapp: object) -> DraftModel:
    made = DraftModel(suzuki())
    made.set_catalogue(CATALOGUE)
    return made


@pytest.mark.parametrize("kind", TABLES)
def test_tables_keep_the_rules_of_qt_through_every_change(
    kind: Callable[[DraftModel], DraftTable], model: DraftModel, qtmodeltester: ModelTester
) -> None:
    table = kind(model)
    section = table.section
    qtmodeltester.check(table, force_py=True)  # type: ignore[no-untyped-call]  # of pytest-qt
    model.insert_rows(section, 1, [{"name": "new"}, {"name": "newer"}])
    model.edit(section, 0, "name", "edited")
    model.remove_rows(section, [0, 2])
    model.replace_rows(section, [{"name": "x"}])
    model.replace_rows(section, [])
    model.undo_stack.undo()
    model.undo_stack.setIndex(0)
    qtmodeltester.check(table, force_py=True)  # type: ignore[no-untyped-call]  # of pytest-qt
    assert table.rowCount() == len(suzuki().rows(section))


def test_the_sample_is_valid_and_goes_wrong_at_once(model: DraftModel) -> None:
    assert model.problems is None
    before = model.setup
    assert before is not None
    assert before.name == "Suzuki"
    model.edit(Section.GENERAL, 0, "name", "")
    assert model.setup is None
    assert [p.field for p in model.problems_of(Section.GENERAL)] == ["name"]


def test_every_edit_is_told_with_its_draft_and_can_be_undone(
    model: DraftModel, qtbot: QtBot
) -> None:
    told: list[Draft] = []
    model.changed.connect(told.append)
    assert model.edit(Section.PARAMETERS, 0, "low", "60")
    assert not model.edit(Section.PARAMETERS, 0, "low", "60")
    model.remove_rows(Section.PARAMETERS, [5])
    assert [len(draft.parameters) for draft in told] == [6, 5]
    model.undo_stack.undo()
    model.undo_stack.undo()
    assert model.draft == suzuki() == told[-1]
    model.undo_stack.redo()
    assert model.text(Section.PARAMETERS, 0, "low") == "60"


def test_letters_in_one_cell_are_undone_together_and_cells_apart(model: DraftModel) -> None:
    for text in ("S", "Su", "Suz"):
        model.edit(Section.GENERAL, 0, "name", text)
    model.edit(Section.GENERAL, 0, "owner", "K")
    model.undo_stack.undo()
    assert model.text(Section.GENERAL, 0, "name") == "Suz"
    model.undo_stack.undo()
    assert model.text(Section.GENERAL, 0, "name") == "Suzuki"


def test_a_read_only_set_up_refuses_edits(model: DraftModel) -> None:
    model.set_read_only(True)
    assert not model.edit(Section.GENERAL, 0, "name", "other")
    assert model.draft == suzuki()
    table = ParameterTable(model)
    assert not table.flags(table.index(0, 1)) & Qt.ItemFlag.ItemIsEditable
    assert not table.flags(table.index(0, 0)) & Qt.ItemFlag.ItemIsUserCheckable


def test_a_problem_of_a_slower_check_stands_until_the_next_edit(model: DraftModel) -> None:
    taken = Problem(Section.GENERAL, 0, "name", "Another experiment is called Suzuki.")
    model.note_found(taken)
    assert model.problems == Problems((taken,))
    assert model.setup is None
    model.edit(Section.GENERAL, 0, "name", "Suzuki 2")
    assert model.problems is None


def test_another_draft_is_shown_without_being_called_an_edit(
    model: DraftModel, qtbot: QtBot
) -> None:
    with qtbot.assertNotEmitted(model.changed), qtbot.waitSignal(model.refreshed):
        model.set_draft(Draft())
    assert not model.undo_stack.canUndo()
    assert model.problems is not None


def test_a_plugin_that_went_away_is_a_problem_at_its_cell(model: DraftModel) -> None:
    model.set_catalogue(PluginCatalogue("/elsewhere"))
    assert "is not in /elsewhere" in model.issue(Section.RUNNER, 0, "reference")
    table = ObjectiveTable(model)
    assert "is not in /elsewhere" in table.issue_at(0, 4)


def test_choices_stand_in_the_columns_of_low_to_scale(model: DraftModel) -> None:
    table = ParameterTable(model)
    cell = table.index(2, 4)
    assert cell.data(Role.TAGS) == ["Toluene", "DMF"]
    assert cell.data(Qt.ItemDataRole.EditRole) == "Toluene; DMF"
    assert table.setData(cell, "Toluene; DMF; MeCN")
    assert model.text(Section.PARAMETERS, 2, "choices") == "Toluene; DMF; MeCN"
    assert model.text(Section.PARAMETERS, 2, "low") == ""
    assert not table.flags(table.index(2, 5)) & Qt.ItemFlag.ItemIsEditable
    table.setData(cell, "Toluene")
    assert "at least two choices" in cell.data(Role.ISSUE)


def test_an_expression_stands_in_the_columns_of_low_to_scale(model: DraftModel) -> None:
    model.edit(Section.PARAMETERS, 5, "on", "yes")
    model.edit(Section.PARAMETERS, 5, "kind", "derived")
    table = ParameterTable(model)
    cell = table.index(5, 4)
    assert cell.data(Role.PLACEHOLDER) == "100 - a - b"
    assert "computed by" in cell.data(Role.ISSUE)
    assert table.setData(cell, "150 - Temperature")
    assert model.text(Section.PARAMETERS, 5, "expression") == "150 - Temperature"
    assert model.text(Section.PARAMETERS, 5, "low") == "200"
    assert not cell.data(Role.ISSUE)
    assert not any(
        table.flags(table.index(5, column)) & Qt.ItemFlag.ItemIsEditable for column in (5, 6, 7)
    )


def test_a_wide_paste_fills_steps_too(model: DraftModel) -> None:
    line = "yes\tFlow\tmL/min\tDecimal\t0\t5\t0,25\tLinear\t\t1\tof the pump"
    rows = ParameterTable(model).pasted(line, 6, "on")
    assert (rows[6]["step"], rows[6]["start"], rows[6]["description"]) == (
        "0,25",
        "1",
        "of the pump",
    )


def test_a_ticked_box_switches_the_row(model: DraftModel) -> None:
    table = ParameterTable(model)
    box = table.index(0, 0)
    assert box.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    table.setData(box, Qt.CheckState.Unchecked.value, Qt.ItemDataRole.CheckStateRole)
    assert model.text(Section.PARAMETERS, 0, "on") == "no"
    assert table.index(0, 1).data(Role.OFF)


@pytest.mark.parametrize(
    ("typed", "kind", "limit"),
    [("≤ 2", "<=", "2"), (">=0,5", ">=", "0,5"), ("< 3", "<=", "3"), ("≥ abc", ">=", "abc")],
)
def test_a_limit_is_typed_with_its_sign(typed: str, kind: str, limit: str) -> None:
    assert limit_cells(typed) == {"limit_kind": kind, "limit": limit}


def test_a_limit_without_a_sign_is_kept_and_asked_about(model: DraftModel) -> None:
    table = ObjectiveTable(model)
    table.setData(table.index(0, 3), "80")
    assert table.index(0, 3).data() == "80"
    assert "≥ or ≤" in table.index(0, 3).data(Role.ISSUE)


def test_another_plugin_begins_with_its_own_defaults(model: DraftModel) -> None:
    model.edit(Section.OBJECTIVES, 0, "option.noise_sd", "0.1")
    table = ObjectiveTable(model)
    table.setData(table.index(0, 4), METRIC)
    assert model.text(Section.OBJECTIVES, 0, "option.noise_sd") == "0.1"
    table.setData(table.index(0, 4), "other.py:Other")
    assert model.text(Section.OBJECTIVES, 0, "option.noise_sd") == ""


def test_a_new_response_is_a_goal_only_while_there_is_none(model: DraftModel) -> None:
    assert ObjectiveTable(model).new_row() == {"goal": "record", "metric": METRIC}
    model.replace_rows(Section.OBJECTIVES, [])
    assert ObjectiveTable(model).new_row() == {"goal": "maximise", "metric": METRIC}


def test_a_paste_fills_the_shown_columns_from_the_cell_on(model: DraftModel) -> None:
    table = ParameterTable(model)
    rows = table.pasted("Flow\tmL/min\tDecimal\t0,1\t5\tLogarithmic\t1\n"
                        "Lamp\t\tchoice\tred; blue\n", 6, "name")  # fmt: skip
    assert rows[:6] == list(suzuki().parameters)
    assert rows[6]["name"] == "Flow"
    assert (rows[6]["low"], rows[6]["scale"], rows[6]["start"]) == ("0,1", "log", "1")
    assert (rows[7]["kind"], rows[7]["choices"]) == ("choice", "red; blue")
    assert "low" not in rows[7]


def test_a_paste_with_heads_may_have_any_order(model: DraftModel) -> None:
    rows = ParameterTable(model).pasted("High\tName\tOn\n9\tx\tno", 0, "low")
    assert (rows[0]["high"], rows[0]["name"], rows[0]["on"]) == ("9", "x", "no")
    assert rows[0]["low"] == "50"


def test_what_is_not_understood_in_a_paste_stays_as_it_is(model: DraftModel) -> None:
    rows = ParameterTable(model).pasted("x\t\tfuzzy\tabc", 0, "name")
    assert (rows[0]["kind"], rows[0]["low"]) == ("fuzzy", "abc")
    model.replace_rows(Section.PARAMETERS, rows)
    assert ParameterTable(model).index(0, 3).data() == "fuzzy"


def test_an_expression_is_marked_at_its_character(model: DraftModel) -> None:
    model.edit(Section.CONSTRAINTS, 0, "expression", " Time + Time^2 <= 3")
    table = ConstraintTable(model)
    assert table.wrong_character(0) == " Time + Time^2".index("2")
    model.edit(Section.CONSTRAINTS, 0, "expression", "Time + Temperature <= 3")
    assert table.wrong_character(0) is None


def test_sentences_say_what_will_be_done(model: DraftModel) -> None:
    sentence, detail = objective_sentence(model)
    assert sentence == "axdesk will maximise **Yield (%)** while keeping **Impurity (%) ≤ 2**."
    assert "Pressure is recorded" in detail
    model.edit(Section.RUN, 0, "parallelism", "3")
    model.edit(Section.RUN, 0, "tolerated_failure_percent", "10")
    assert run_sentence(model)[0] == (
        "axdesk will run **30 trials**, **3 at a time**. It stops **from the 5th failure** on, "
        "once more than 10\u00a0% failed; at the end, if **more than 3** failed."
    )
    model.edit(Section.RUN, 0, "tolerated_failure_percent", "0")
    assert run_sentence(model)[0].endswith("It stops **at the first failure**.")
    model.edit(Section.RUN, 0, "max_trials", "many")
    assert run_sentence(model)[0].startswith("Not complete: “many” is no number.")


@pytest.mark.parametrize(
    ("number", "word"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")]
)
def test_ordinals(number: int, word: str) -> None:
    assert ordinal(number) == word


def test_an_untouched_section_is_not_called_wrong_before_it_was_seen(qapp: object) -> None:
    empty = DraftModel()
    state = section_state(empty, Section.PARAMETERS, was_seen=False)
    assert state == ("unseen", "Not filled in yet")
    assert section_state(empty, Section.PARAMETERS, was_seen=True) == ("bad", "1 problem")
    assert section_state(empty, Section.CONSTRAINTS, was_seen=True) == ("optional", "None")
    assert section_state(empty, Section.RUN, was_seen=False) == ("unseen", "Not reviewed yet")


def test_sections_say_what_they_hold(model: DraftModel) -> None:
    states = {s: section_state(model, s, was_seen=True) for s in Section}
    assert states[Section.GENERAL] == ("good", "Suzuki")
    assert states[Section.PARAMETERS] == ("good", "5 parameters")
    assert states[Section.OBJECTIVES] == ("good", "Maximise Yield, 1 limit")
    assert states[Section.CONSTRAINTS] == ("good", "1 constraint")
    assert states[Section.RUNNER] == ("good", "Cell")
    assert states[Section.RUN] == ("good", "30 trials, 1 at a time")


def test_a_goal_that_nothing_fetches_is_counted_where_that_is_chosen(model: DraftModel) -> None:
    model.edit(Section.OBJECTIVES, 0, "metric", "")
    assert section_state(model, Section.RUNNER, was_seen=True) == ("bad", "1 problem")
    assert section_state(model, Section.OBJECTIVES, was_seen=True)[0] == "good"


def test_derived_parameters_are_counted(model: DraftModel) -> None:
    water = {"name": "Water", "kind": "derived", "expression": "150 - Temperature"}
    model.insert_rows(Section.PARAMETERS, 6, [water])
    assert section_state(model, Section.PARAMETERS, was_seen=True) == (
        "good",
        "6 parameters, 1 derived",
    )


def test_several_edits_are_one_step_where_asked_for(model: DraftModel) -> None:
    with model.undo_stack.as_one("two cells"):
        model.edit(Section.GENERAL, 0, "owner", "A")
        model.edit(Section.GENERAL, 0, "description", "B")
    assert model.undo_stack.count() == 1
    with model.undo_stack.as_one("nothing"):
        pass
    model.undo()
    assert model.draft == suzuki()
    model.redo()
    assert model.text(Section.GENERAL, 0, "description") == "B"


def test_no_more_steps_are_kept_than_the_limit(model: DraftModel) -> None:
    for number in range(UNDO_LIMIT + 5):
        model.edit_cells(Section.GENERAL, 0, {"owner": str(number)})
    assert model.undo_stack.count() == UNDO_LIMIT
    while model.can_undo:
        model.undo()
    assert model.text(Section.GENERAL, 0, "owner") == "4"


UNDONE_AND_COLLECTED = """
import gc

from PySide6.QtWidgets import QApplication

from axdesk.core.draft_cells import Section
from axdesk.gui.models.draft_model import DraftModel
from tests.gui.setup_samples import suzuki

application = QApplication([])
for _ in range(60):
    model = DraftModel(suzuki())
    for text in ("1", "2"):
        model.edit_cells(Section.PARAMETERS, 0, {"low": text})
    model.undo()
    model.edit_cells(Section.PARAMETERS, 0, {"low": "3"})
    model.itself = model  # only the collector can free it
    del model
    gc.collect()
"""


def test_a_model_with_undone_steps_can_be_collected() -> None:
    program = subprocess.run(
        [sys.executable, "-c", UNDONE_AND_COLLECTED],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 0, program.stderr
