"""The page Constraints through its real widgets, with the share worked out in the I/O thread."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QCompleter, QWidget
from pytestqt.qtbot import QtBot

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Problem, Section
from axdesk.core.drafts import Draft
from axdesk.core.feasible_share import FeasibleShare
from axdesk.core.run import RunState
from axdesk.core.setup_lock import SetupLock
from axdesk.gui.feasibility_watch import FeasibilityWatch
from axdesk.gui.io_thread import IoThread
from axdesk.gui.views.feasible_plot import FeasiblePlot
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import LiveSentence
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.lists import IssueList
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import CellTip
from tests.gui.setup_driver import click, editor, shown
from tests.gui.setup_samples import found, suzuki

C = Section.CONSTRAINTS


@pytest.fixture
def io(tmp_path: Path, qapp: object) -> Iterator[IoThread]:
    thread = IoThread(lambda: Workspace(tmp_path / "lab.db"))
    thread.start()
    yield thread
    thread.end()
    assert thread.wait(5000)


@pytest.fixture
def show(qtbot: QtBot, io: IoThread) -> Callable[[Draft], SetupView]:
    def shown_with_watch(draft: Draft) -> SetupView:
        view = shown(qtbot, draft, C)
        watch = FeasibilityWatch(view.model, io, view)
        view.destroyed.connect(watch.close)  # as its session does; an answer may come later
        return view

    return shown_with_watch


def table_of(view: SetupView) -> SetupTable:
    return found(view, SetupTable, "setup.constraints.table")


def told(view: SetupView) -> str:
    return found(view, LiveSentence, "setup.constraints.feasible").accessibleName()


def test_the_share_that_stays_allowed_follows_the_edits(
    show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    half = [{"name": "a", "low": "0", "high": "1"}, {"name": "b", "low": "0", "high": "1"}]
    draft = suzuki().with_rows(Section.PARAMETERS, half).with_rows(C, [{"expression": "a+b<=1"}])
    view = show(draft)
    qtbot.waitUntil(lambda: told(view) == "50\u00a0% of the space stays allowed.")
    plot = found(view, FeasiblePlot, "setup.constraints.preview")
    assert plot.isVisible()
    view.model.edit(C, 0, "expression", "a+b<=2")
    qtbot.waitUntil(lambda: told(view) == "All of the search space is allowed.")
    view.model.edit(C, 0, "expression", "a+b<=")
    assert told(view).startswith("Not complete")
    assert not plot.isVisible()
    view.model.undo()
    view.model.undo()
    qtbot.waitUntil(lambda: told(view) == "50\u00a0% of the space stays allowed.")


def test_two_parameters_of_the_sample_are_chosen(
    show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    view = show(suzuki())
    qtbot.waitUntil(lambda: view.findChild(FeasiblePlot) is not None)
    plot = found(view, FeasiblePlot, "setup.constraints.preview")
    across = found(view, ComboField, "setup.constraints.preview.x")
    up = found(view, ComboField, "setup.constraints.preview.y")
    assert (across.currentData(), up.currentData()) == ("Temperature", "Time")
    for name in ("Solvent", "Catalyst"):  # a choice and a logarithmic scale
        place = across.findData(name)
        across.setCurrentIndex(place)
        across.activated.emit(place)
        assert plot.accessibleDescription().startswith(f"Time against {name}:")
    view.model.edit(Section.GENERAL, 0, "owner", "x")
    assert across.currentData() == "Catalyst"


def test_constraints_that_clash_are_marked_at_their_rows(
    show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    rows = ["Temperature + Time <= 60", "Catalyst <= 4", "Temperature >= 80"]
    view = show(suzuki().with_rows(C, [{"expression": row} for row in rows]))
    table = table_of(view).table
    qtbot.waitUntil(lambda: bool(view.model.clashes))
    assert [bool(table.index(row, 0).data(Role.ISSUE)) for row in range(3)] == [True, False, True]
    assert "“Temperature >= 80” cannot be kept together" in table.index(0, 0).data(Role.ISSUE)
    assert told(view) == "Nothing of the space stays allowed."
    assert view.model.setup is None
    issues = found(view, IssueList, "setup.constraints.issues").issues()
    assert [issue.location for issue in issues] == ["Constraint 1", "Constraint 3"]
    view.model.edit(C, 2, "expression", "Temperature >= 52")
    qtbot.waitUntil(lambda: view.model.feasible is not None)
    assert view.model.problems is None


def test_an_answer_that_an_edit_overtook_is_dropped(qtbot: QtBot) -> None:
    asked: list[tuple[Draft, Callable[[object], object]]] = []

    class Slow:
        """An I/O thread that answers when the test says so."""

        def post(self, work: Callable[[object], object], done: Callable[[object], object],
                 _failed: object) -> None:  # fmt: skip
            class Workspace:
                def feasible_share(self, draft: Draft) -> FeasibleShare:
                    asked.append((draft, done))
                    number = float(draft.constraints[0]["expression"].rpartition(" ")[2])
                    return FeasibleShare(number / 1000, 8, True, False, (), ())

                def clashing_rows(self, draft: Draft) -> tuple[Problem, ...]:
                    return ()

            answers.append((work(Workspace()), done))

    answers: list[tuple[object, Callable[[object], object]]] = []
    view = shown(qtbot, suzuki(), C)
    FeasibilityWatch(view.model, Slow(), view)  # type: ignore[arg-type]  # the one method that is used

    def shares() -> list[float]:
        return [] if view.model.feasible is None else [view.model.feasible.share]

    qtbot.waitUntil(lambda: len(answers) == 1)
    view.model.edit(C, 0, "expression", "Temperature + Time <= 140")
    view.model.edit(C, 0, "expression", "Temperature + Time <= 130")
    result, done = answers[0]
    done(result)
    assert shares() == []
    qtbot.waitUntil(lambda: len(answers) == 2)
    result, done = answers[1]
    done(result)
    assert shares() == [0.13]
    assert len(answers) == 2  # the edit between was never asked about


def test_without_constraints_nothing_is_asked(qtbot: QtBot) -> None:
    class Unasked:
        """An I/O thread that counts what it is asked."""

        def post(self, *asked: object) -> None:
            questions.append(asked)

    questions: list[object] = []
    view = shown(qtbot, suzuki().with_rows(C, []), C)
    watch = FeasibilityWatch(view.model, Unasked(), view)  # type: ignore[arg-type]  # as above
    view.model.edit(Section.PARAMETERS, 0, "low", "55")
    assert told(view) == "All of the space is allowed."
    view.model.insert_rows(C, 0, [{"expression": "Time <= 50"}])
    qtbot.waitUntil(lambda: len(questions) == 1)
    watch.close()


@pytest.mark.parametrize(
    ("typed", "character"),
    [("Time + Time^2 <= 3", "2"), ("Time ** 2 <= 3", "2"), ("Time <= 3 $", "$"),
     ("Time + §", "§")],
)  # fmt: skip
def test_the_cursor_goes_to_the_character_that_is_not_understood(
    typed: str, character: str, show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    view = show(suzuki().with_rows(C, [{"expression": typed}]))
    table = table_of(view)
    table.go_to(0, 0, edits=True)
    line = editor(table)
    qtbot.waitUntil(lambda: line.cursorPosition() == typed.index(character))
    assert not line.hasSelectedText()


def test_what_is_wrong_stands_below_the_cell_also_of_the_only_row(
    show: Callable[[Draft], SetupView],
) -> None:
    view = show(suzuki().with_rows(C, [{"expression": "Temperature + <= 150"}]))
    table = table_of(view)
    table.go_to(0, 0)
    tip = next(t for t in view.findChildren(CellTip) if t.isVisible())
    top = tip.mapTo(view, QPoint(0, 0)).y()
    cell = table.visualRect(table.table.index(0, 0))
    assert top >= table.viewport().mapTo(view, cell.center()).y() + cell.height() // 4
    assert view.rect().contains(QRect(tip.mapTo(view, QPoint(0, 0)), tip.size()))
    view.show_section(Section.PARAMETERS)
    assert not tip.isVisible()


@pytest.mark.parametrize("sign", ["≤", "<=", "≥", ">=", "="])
def test_every_sign_is_understood_and_a_decimal_comma_too(
    sign: str, show: Callable[[Draft], SetupView]
) -> None:
    view = show(suzuki().with_rows(C, [{"expression": f"0,5·Temperature + Time {sign} 62,5"}]))
    assert view.model.problems is None
    assert view.model.setup is not None
    (constraint,) = view.model.setup.search_space.constraints
    assert dict(constraint.terms) == {"Temperature": 0.5, "Time": 1.0}
    assert constraint.bound == 62.5


def test_names_that_need_backticks_get_them(show: Callable[[Draft], SetupView]) -> None:
    draft = suzuki().with_cell(Section.PARAMETERS, 0, "name", "Flow rate (mL/min)")
    view = show(draft.with_rows(C, [{"expression": "Flow rate (mL/min) + Time <= 90"}]))
    issues = found(view, IssueList, "setup.constraints.issues")
    (button,) = issues.findChildren(Button)
    click(button)
    expected = "`Flow rate (mL/min)` + Time <= 90"
    assert view.model.text(C, 0, "expression") == expected
    assert view.model.problems is None


def test_names_are_offered_as_they_are_typed(
    show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    draft = suzuki().with_cell(Section.PARAMETERS, 0, "name", "Flow rate")
    view = show(draft.with_rows(C, []))
    click(found(view, Button, "setup.constraints.add"))
    table = table_of(view)
    line = editor(table)
    QTest.keyClicks(line, "2*ra")
    offers = line.findChild(QCompleter, "setup.constraints.names")
    assert offers is not None
    popup = offers.popup()
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert line.text() == "2*`Flow rate`"
    assert view.model.text(C, 0, "expression") == "2*`Flow rate`"
    QTest.keyClicks(line, " + Ti")
    assert popup.isVisible()
    QTest.keyClicks(popup, "me <= 99")
    assert not popup.isVisible()
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: view.model.text(C, 0, "expression") == "2*`Flow rate` + Time <= 99")
    assert not [p for p in view.model.problems_of(C) if p.row == 0]


def test_enter_ends_the_typing_though_names_are_offered(
    show: Callable[[Draft], SetupView], qtbot: QtBot
) -> None:
    view = show(suzuki())
    table = table_of(view)
    table.go_to(0, 0, edits=True)
    line = editor(table)
    QTest.keyClicks(line, "Time <= T")
    offers = line.findChild(QCompleter, "setup.constraints.names")
    assert offers is not None
    popup = offers.popup()
    assert popup is not None
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.state() != QAbstractItemView.State.EditingState)
    assert view.model.text(C, 0, "expression") == "Time <= T"


def test_a_constraint_is_put_together_by_clicks(show: Callable[[Draft], SetupView]) -> None:
    draft = suzuki().with_cell(Section.PARAMETERS, 0, "name", "Flow rate")
    view = show(draft.with_rows(C, []))
    pieces = found(view, QWidget, "setup.constraints.pieces")
    buttons = {b.accessibleName(): b for b in pieces.findChildren(Button)}
    for piece in ("`Flow rate`", "+", "Time", "≤"):
        click(buttons[f"Insert {piece}"])
    QTest.keyClicks(editor(table_of(view)), "150")
    assert view.model.text(C, 0, "expression") == "`Flow rate` + Time ≤ 150"
    assert view.model.problems is None


def test_constraints_stay_open_while_a_run_is_paused(show: Callable[[Draft], SetupView]) -> None:
    view = show(suzuki())
    view.model.set_lock(SetupLock(RunState.PAUSED))
    click(found(view, Button, "setup.constraints.add"))
    QTest.keyClicks(editor(table_of(view)), "Time <= 50")
    assert len(view.model.draft.constraints) == 2
    view.model.set_lock(SetupLock(RunState.RUNNING))
    add = found(view, Button, "setup.constraints.add")
    assert not add.isEnabled()
    assert add.toolTip() == "Pause the run to change this."
    assert not found(view, QWidget, "setup.constraints.pieces").isVisible()
