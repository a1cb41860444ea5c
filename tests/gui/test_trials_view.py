"""The table of trials through its widgets: chips, filter, columns, selection, copying, places."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from axdesk.core.experiment import Experiment
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.trials_model import ALL, TrialsModel
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import theme_manager
from axdesk.gui.views.trials_view import TrialsView
from axdesk.gui.widgets.roles import Role
from tests.gui.scenes import coupling_experiment
from tests.gui.test_window_models import facts_of

QtBot = Any
NOW = datetime.now(UTC)
LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Desk:
    """The view of an experiment, and hands."""

    def __init__(self, qtbot: QtBot, experiment: Experiment, settings: WindowSettings) -> None:
        self.qtbot = qtbot
        self.experiment = experiment
        self.selection = Selection()
        self.manual = QAction("Manual trial…")
        self.view = TrialsView(self.selection, settings, self.manual, [QAction("All trials…")])
        qtbot.addWidget(self.view)
        self.model = TrialsModel(self.view)
        self.show()
        self.view.set_model(self.model)
        self.view.resize(1200, 260)
        self.view.show()
        qtbot.waitExposed(self.view)

    def show(self) -> None:
        self.model.show_facts(facts_of(self.experiment), NOW)

    def find(self, name: str, kind: type[QWidget] = QWidget) -> Any:
        found = self.view.findChild(kind, name)
        assert found is not None, name
        return found

    @property
    def table(self) -> Any:
        return self.find("trials.table")

    @property
    def field(self) -> Any:
        return self.find("trials.filter")

    def ask(self, text: str) -> None:
        """Type a filter, and Enter."""
        self.field.setFocus()
        self.field.selectAll()
        self.qtbot.keyClicks(self.field, text)
        self.qtbot.keyClick(self.field, Qt.Key.Key_Return)

    def rows(self) -> list[int]:
        model = self.table.model()
        return [model.index(row, 0).data(Role.KEY) for row in range(model.rowCount())]

    def click(self, trial: int, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
        row = self.model.row_of(trial)
        assert row is not None
        self.table.scrollTo(self.model.index(row, 1))
        place = self.table.visualRect(self.model.index(row, 2)).center()
        self.qtbot.mouseClick(self.table.viewport(), LEFT, keys, place)

    def key(self, key: Qt.Key, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
        self.table.setFocus()
        self.qtbot.keyClick(self.table, key, keys)

    def selected(self) -> tuple[int, ...]:
        return self.selection.trials

    def selected_rows(self) -> set[int]:
        return {i.data(Role.KEY) for i in self.table.selectionModel().selectedRows()}

    def add(self, *indices: int) -> None:
        for index in indices:
            self.experiment.put(replace(self.experiment.trials[17], index=index))
        self.show()


@pytest.fixture
def settings() -> WindowSettings:
    return WindowSettings()


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication, settings: WindowSettings) -> Iterator[Desk]:
    yield Desk(qtbot, coupling_experiment(), settings)
    theme_manager().choose("system")
    theme_manager().set_zoom(100)


class TestChips:
    def test_a_status_without_trials_has_no_chip(self, desk: Desk) -> None:
        seen = {name: desk.find(f"trials.chip.{name}").isVisible()
                for name in (ALL, "running", "completed", "failed", "abandoned")}  # fmt: skip
        assert seen == {
            ALL: True, "running": True, "completed": True, "failed": True, "abandoned": False,
        }  # fmt: skip
        assert desk.find("trials.chip.completed").accessibleName() == "Done 16"

    def test_chips_count_on_while_trials_change(self, desk: Desk) -> None:
        running = desk.experiment.trials[18]
        desk.experiment.put(running.moved_to(TrialStatus.ABANDONED))
        desk.show()
        assert desk.find("trials.chip.abandoned").isVisible()
        assert desk.find("trials.chip.running").accessibleName() == "Running 2"

    def test_a_click_filters_and_all_lifts_it(self, desk: Desk) -> None:
        desk.qtbot.mouseClick(desk.find("trials.chip.running"), LEFT)
        assert desk.rows() == [19, 18, 16]
        desk.ask("yield>80")
        assert desk.rows() == []
        desk.qtbot.mouseClick(desk.find(f"trials.chip.{ALL}"), LEFT)
        assert desk.rows() == [13, 11, 9, 8, 3]


class TestFilter:
    def test_it_is_read_at_a_pause_too(self, desk: Desk) -> None:
        desk.field.setFocus()
        desk.qtbot.keyClicks(desk.field, "yield>80")
        assert len(desk.rows()) == 20
        desk.qtbot.waitUntil(lambda: desk.rows() == [13, 11, 9, 8, 3], timeout=5000)

    def test_a_mistake_is_told_and_the_last_filter_stays(self, desk: Desk) -> None:
        desk.ask("status:failed")
        desk.ask("yeild>80")
        assert desk.rows() == [6]
        assert desk.field.property("issue") == "error"
        assert "Did you mean Yield?" in desk.field.toolTip()
        tip = desk.find("trials.filter.tip")
        assert tip.isVisible()
        desk.ask("yield>83")
        assert desk.rows() == [13]
        assert not desk.field.property("issue")
        assert not tip.isVisible()

    def test_columns_are_completed(self, desk: Desk) -> None:
        desk.field.setFocus()
        desk.qtbot.keyClicks(desk.field, "sol")
        popup = desk.field._offered
        assert popup.isVisible()
        desk.qtbot.keyClick(popup, Qt.Key.Key_Down)
        desk.qtbot.keyClick(popup, Qt.Key.Key_Return)
        assert desk.field.text() == "Solvent:"
        desk.qtbot.keyClicks(desk.field, "dmf")
        popup.hide()
        desk.qtbot.keyClick(desk.field, Qt.Key.Key_Return)
        assert desk.rows() == [17, 13, 9, 5, 1]

    def test_what_is_offered_stays_while_the_filter_is_read(self, desk: Desk) -> None:
        desk.field.setFocus()
        desk.qtbot.keyClicks(desk.field, "status:r")
        desk.qtbot.waitUntil(lambda: desk.rows() == [19, 18, 16], timeout=5000)
        assert desk.field._offered.isVisible()
        desk.qtbot.keyClick(desk.field, Qt.Key.Key_Return)
        assert not desk.field._offered.isVisible()

    def test_escape_and_the_button_of_the_empty_table_clear_it(self, desk: Desk) -> None:
        desk.ask("yield>80")
        desk.qtbot.keyClick(desk.field, Qt.Key.Key_Escape)
        assert len(desk.rows()) == 20
        desk.qtbot.mouseClick(desk.find("trials.chip.running"), LEFT)
        desk.ask("nonsense")
        assert not desk.table.isVisible()
        desk.qtbot.mouseClick(desk.find("trials.clear_filter", QPushButton), LEFT)
        assert desk.table.isVisible()
        assert len(desk.rows()) == 20

    def test_the_help_shows_examples(self, desk: Desk) -> None:
        action = next(a for a in desk.field.actions() if a.text() == "What can be asked for")
        action.trigger()
        shown = desk.find("trials.filter.help")
        assert shown.isVisible()
        shown.hide()

    def test_it_stays_with_its_experiment(self, desk: Desk) -> None:
        desk.ask("yield>80")
        other = TrialsModel(desk.view)
        other.show_facts(facts_of(coupling_experiment()), NOW)
        desk.view.set_model(other)
        assert desk.field.text() == ""
        assert len(desk.rows()) == 20
        desk.view.set_model(desk.model)
        assert desk.field.text() == "yield>80"
        assert desk.rows() == [13, 11, 9, 8, 3]

    def test_the_plots_are_filtered_on_request(self, desk: Desk) -> None:
        told: list[Any] = []
        desk.view.plots_filtered.connect(told.append)
        desk.ask("yield>80")
        assert told == []
        desk.qtbot.mouseClick(desk.find("trials.filter_plots"), LEFT)
        assert told == [frozenset({3, 8, 9, 11, 13})]
        desk.ask("status:failed")
        assert told[-1] == frozenset({6})
        desk.field.clear_filter()
        assert told[-1] is None
        desk.ask("status:failed")
        desk.qtbot.mouseClick(desk.find("trials.filter_plots"), LEFT)
        assert told[-1] is None


class TestSelection:
    def test_control_and_shift_compare(self, desk: Desk) -> None:
        desk.click(17)
        desk.click(13, CONTROL)
        assert desk.selected() == (17, 13)
        desk.click(15, CONTROL)
        assert desk.selected() == (17, 13, 15)
        desk.click(13, CONTROL)
        assert desk.selected() == (17, 15)
        desk.click(11)
        desk.click(9, SHIFT)
        assert desk.selected() == (11, 10, 9)
        desk.click(4)
        assert desk.selected() == (4,)

    def test_what_is_selected_elsewhere_is_shown(self, desk: Desk) -> None:
        desk.selection.set_trials((2, 5))
        assert desk.selected_rows() == {2, 5}
        assert desk.table.currentIndex().data(Role.KEY) == 2
        assert desk.table.visualRect(desk.table.currentIndex()).top() >= 0
        desk.selection.select(None)
        assert desk.selected_rows() == set()

    def test_it_outlives_filters_and_sorting(self, desk: Desk) -> None:
        desk.selection.set_trials((13, 6))
        desk.ask("status:failed")
        assert desk.selected() == (13, 6)
        assert desk.selected_rows() == {6}
        desk.field.clear_filter()
        assert desk.selected_rows() == {13, 6}
        desk.table.sortByColumn(desk.model.column_of("metric:Yield"), Qt.SortOrder.AscendingOrder)
        assert desk.selected_rows() == {13, 6}
        assert desk.selected() == (13, 6)

    def test_a_selected_trial_that_leaves_the_filter_stays_selected(self, desk: Desk) -> None:
        desk.qtbot.mouseClick(desk.find("trials.chip.running"), LEFT)
        desk.click(18)
        desk.experiment.put(desk.experiment.trials[18].moved_to(TrialStatus.ABANDONED))
        desk.show()
        assert desk.rows() == [19, 16]
        assert desk.selected() == (18,)
        assert desk.selected_rows() == set()

    def test_keys_go_through_the_rows(self, desk: Desk) -> None:
        desk.click(10)
        for key, trial in ((Qt.Key.Key_Home, 19), (Qt.Key.Key_Down, 18), (Qt.Key.Key_End, 0),
                           (Qt.Key.Key_Up, 1)):  # fmt: skip
            desk.key(key)
            assert desk.selected() == (trial,)
        desk.key(Qt.Key.Key_PageUp)
        assert 1 < (desk.selection.current or 0) < 19
        desk.key(Qt.Key.Key_Home)
        desk.key(Qt.Key.Key_Down, SHIFT)
        assert desk.selected() == (19, 18)
        with desk.qtbot.waitSignal(desk.view.details_requested) as told:
            desk.key(Qt.Key.Key_Return)
        assert told.args[0] in (19, 18)

    def test_all_rows_are_selected_and_stay_so(self, desk: Desk) -> None:
        desk.click(19)
        desk.key(Qt.Key.Key_A, CONTROL)
        assert desk.selected() == tuple(range(19, -1, -1))
        desk.ask("-status:failed")
        assert desk.selected_rows() == set(range(20)) - {6}
        desk.field.clear_filter()
        assert desk.selected_rows() == set(range(20))
        assert desk.selection.current == 19

    def test_the_menu_key_opens_the_menu_at_the_selected_row(self, desk: Desk) -> None:
        desk.click(3)
        asked = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(5, 5))
        with desk.qtbot.waitSignal(desk.view.menu_requested) as told:
            QApplication.sendEvent(desk.table, asked)
        place = desk.table.viewport().mapFromGlobal(told.args[0])
        assert desk.table.indexAt(place).data(Role.KEY) == 3
        assert desk.selected() == (3,)

    def test_a_menu_on_one_of_several_keeps_them(self, desk: Desk) -> None:
        desk.selection.set_trials((19, 18))
        place = desk.table.visualRect(desk.model.index(1, 2)).center()
        desk.table.customContextMenuRequested.emit(place)
        assert desk.selected() == (19, 18)
        place = desk.table.visualRect(desk.model.index(3, 2)).center()
        desk.table.customContextMenuRequested.emit(place)
        assert desk.selected() == (16,)

    def test_several_rows_are_copied_as_they_stand(self, desk: Desk) -> None:
        desk.table.show_column("source", False)
        desk.table.sortByColumn(desk.model.column_of("metric:Yield"), Qt.SortOrder.AscendingOrder)
        desk.selection.set_trials((13, 2))
        desk.key(Qt.Key.Key_C, CONTROL)
        heads, *lines = (
            line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()
        )
        assert heads[:3] == ["#", "Status", "Temperature (°C)"]
        assert [line[0] for line in lines] == ["2", "13"]
        assert {len(line) for line in lines} == {len(heads)}
        exact = str(desk.experiment.trials[13].parameters["Temperature"])
        assert lines[1][heads.index("Temperature (°C)")] == exact


class TestPlaces:
    def test_the_view_stays_where_it_was_scrolled_to(self, desk: Desk) -> None:
        desk.click(5)
        top = desk.table.indexAt(QPoint(5, 5)).data(Role.KEY)
        before = desk.table.visualRect(desk.model.index(desk.model.row_of(5) or 0, 1)).top()
        desk.add(20, 21, 22)
        assert desk.table.indexAt(QPoint(5, 5)).data(Role.KEY) == top
        after = desk.table.visualRect(desk.model.index(desk.model.row_of(5) or 0, 1)).top()
        assert after == before
        assert desk.selected() == (5,)

    def test_a_view_at_its_top_shows_the_newest(self, desk: Desk) -> None:
        desk.add(20)
        assert desk.table.indexAt(QPoint(5, 5)).data(Role.KEY) == 20

    def test_a_new_trial_is_sorted_in(self, desk: Desk) -> None:
        desk.table.sortByColumn(desk.model.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
        desk.add(20)
        rows = desk.rows()
        assert rows.index(20) == rows.index(17) - 1  # equal values: the newer one first
        assert set(rows[-4:]) == {6, 16, 18, 19}

    def test_a_result_moves_its_row_and_nothing_else(self, desk: Desk) -> None:
        moved: list[tuple[int, int]] = []
        desk.table.sortByColumn(desk.model.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
        desk.model.rowsMoved.connect(lambda _, a, b, __, to: moved.append((a, to)))
        before = desk.rows()
        readings = desk.experiment.trials[13].observations
        done = desk.experiment.trials[18].moved_to(TrialStatus.COMPLETED, observations=readings)
        desk.experiment.put(done)
        desk.show()
        assert len(moved) == 1
        assert [i for i in desk.rows() if i != 18] == [i for i in before if i != 18]
        assert desk.rows()[:2] == [18, 13]

    def test_a_new_trial_costs_its_own_row(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for index in range(20, 400):
            desk.experiment.put(replace(desk.experiment.trials[17], index=index))
        desk.show()
        desk.ask("yield>10")
        desk.table.sortByColumn(desk.model.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
        judged: list[int] = []
        passes = TrialsModel._passes

        def counting(model: TrialsModel, trial: Trial) -> bool:
            judged.append(trial.index)
            return passes(model, trial)

        monkeypatch.setattr(TrialsModel, "_passes", counting)
        told: list[int] = []
        desk.model.dataChanged.connect(
            lambda first, last: told.append(last.row() - first.row() + 1)
        )
        desk.add(400)
        assert set(judged) == {16, 18, 19, 400}  # those that run, and the new one
        assert sum(told) == 1  # the running ones have no yield, so they are not shown
        judged.clear()
        desk.model.tick(NOW)
        assert set(judged) == {16, 18, 19}


class TestColumns:
    def test_they_are_chosen_in_a_menu_and_kept(self, desk: Desk, settings: WindowSettings) -> None:
        menu = desk.find("trials.columns", QPushButton).menu()
        menu.aboutToShow.emit()
        actions = {a.objectName(): a for a in menu.actions()}
        assert not actions["trials.columns.started"].isChecked()
        assert not actions["trials.columns.index"].isEnabled()
        actions["trials.columns.started"].trigger()
        actions["trials.columns.source"].trigger()
        again = Desk(desk.qtbot, desk.experiment, settings)
        assert "started" in again.table.shown_keys()
        assert "source" not in again.table.shown_keys()
        again.table.reset_columns()
        assert "started" not in again.table.shown_keys()
        assert "source" in again.table.shown_keys()

    def test_order_and_widths_are_kept(self, desk: Desk, settings: WindowSettings) -> None:
        header = desk.table.horizontalHeader()
        header.moveSection(header.visualIndex(desk.model.column_of("metric:Yield")), 2)
        header.resizeSection(desk.model.column_of("source"), 77)
        again = Desk(desk.qtbot, desk.experiment, settings)
        assert again.table.shown_keys()[2] == "metric:Yield"
        assert abs(again.table.columnWidth(desk.model.column_of("source")) - 77) <= 1
        theme_manager().set_zoom(150)
        assert again.table.columnWidth(desk.model.column_of("source")) > 100

    def test_columns_of_another_experiment_do_not_disturb_them(
        self, desk: Desk, settings: WindowSettings
    ) -> None:
        header = desk.table.horizontalHeader()
        header.moveSection(header.visualIndex(desk.model.column_of("parameter:Solvent")), 2)
        setup = desk.experiment.setup
        few = replace(
            setup,
            search_space=replace(setup.search_space, parameters=setup.search_space.parameters[:1]),
        )
        other = TrialsModel(desk.view)
        other.show_facts(facts_of(desk.experiment, setup=few), NOW)
        desk.view.set_model(other)
        header.moveSection(header.visualIndex(other.column_of("note")), 2)
        desk.view.set_model(desk.model)
        keys = desk.table.shown_keys()
        assert keys.index("note") < keys.index("status")
        assert keys.index("parameter:Solvent") < keys.index("status")

    def test_the_menu_opens_on_the_heads(self, desk: Desk) -> None:
        header = desk.table.horizontalHeader()
        header.customContextMenuRequested.emit(QPoint(40, 5))
        menu = desk.table.columns_menu
        assert menu.isVisible()
        menu.close()

    def test_the_sort_arrow_stays_with_its_column(self, desk: Desk) -> None:
        desk.table.sortByColumn(desk.model.column_of("note"), Qt.SortOrder.AscendingOrder)
        setup = desk.experiment.setup
        few = replace(
            setup,
            search_space=replace(setup.search_space, parameters=setup.search_space.parameters[:1]),
        )
        desk.model.show_facts(facts_of(desk.experiment, setup=few), NOW)
        header = desk.table.horizontalHeader()
        assert header.sortIndicatorSection() == desk.model.column_of("note")


def test_words_are_left_out_where_it_gets_narrow(desk: Desk) -> None:
    export, chip = desk.find("trials.export"), desk.find("trials.chip.completed")

    def fits() -> bool:
        row = [w for w in export.parentWidget().children() if isinstance(w, QWidget)]
        ends = sorted((w.x(), w.geometry().right()) for w in row if w.isVisible())
        return all(a[1] < b[0] for a, b in pairwise(ends)) and ends[-1][1] < desk.view.width()

    for width in (1200, 800, 700, 560):
        desk.view.resize(width, 260)
        desk.qtbot.waitUntil(fits, timeout=5000)
        assert export.accessibleName() == "Export"
        assert chip.accessibleName() == "Done 16"
    assert (export.text(), export.toolTip(), chip.toolTip()) == ("", "Export", "Done")
    desk.view.resize(1200, 260)
    desk.qtbot.waitUntil(fits, timeout=5000)
    assert (export.text(), chip.toolTip()) == ("Export", "")


def test_there_is_a_word_where_there_are_no_trials(
    qtbot: QtBot, qapp: QApplication, settings: WindowSettings
) -> None:
    experiment = coupling_experiment(RunState.STOPPED)
    experiment.trials.clear()
    desk = Desk(qtbot, experiment, settings)
    assert not desk.table.isVisible()
    [button] = [b for b in desk.view.findChildren(QPushButton) if b.text() == "Manual trial…"]
    with qtbot.waitSignal(desk.manual.triggered):
        qtbot.mouseClick(button, LEFT)
    desk.manual.setEnabled(False)
    assert not button.isEnabled()
    desk.experiment.trials.update(coupling_experiment().trials)
    desk.show()
    assert desk.table.isVisible()
    desk.view.set_model(None)
    assert not desk.table.isVisible()
