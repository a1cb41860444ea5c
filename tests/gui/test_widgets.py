"""The building blocks of the window: what they show, tell and let happen."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QStandardItemModel, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from axdesk.gui.style import ThemeManager, px, theme_manager
from axdesk.gui.theme import THEMES
from axdesk.gui.widgets.banner import (
    MOST_SEGMENTS,
    Banner,
    ProgressBar,
    Segment,
    progress_segments,
)
from axdesk.gui.widgets.buttons import Button, Chip, Choice, SegmentedButton
from axdesk.gui.widgets.cards import Fold, LiveSentence
from axdesk.gui.widgets.delegates import CheckDelegate, TagsDelegate
from axdesk.gui.widgets.docks import DockTitles, make_dock
from axdesk.gui.widgets.fields import ComboField, NumberField, TextField
from axdesk.gui.widgets.labels import ElidedLabel
from axdesk.gui.widgets.lists import Issue, IssueList, IssueRow, Remedy, SectionList
from axdesk.gui.widgets.plots import MARKS, Axis, Plot, ReadOut, scatter, style_scatter
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import CellTip, EditableTable, ListView, TableView
from axdesk.gui.widgets.wrapping_row import WrappingRow
from tests.gui.gallery import (
    banner_content,
    experiments_model,
    gallery,
    parameters_model,
    trials_model,
)

DONE, FAILED, RUNNING = Segment.DONE, Segment.FAILED, Segment.RUNNING
NOT_ANSWERING, LEFT = Segment.NOT_ANSWERING, Segment.LEFT


@pytest.fixture
def manager(qapp: QApplication) -> Iterator[ThemeManager]:
    shown = theme_manager()
    shown.choose("light")
    yield shown
    shown.set_zoom(100)
    shown.choose("system")


def colors_of(widget: QWidget) -> set[str]:
    """The colours of a widget's pixels as it is drawn now."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32)
    return {QColor(int(pixel) & 0xFFFFFF).name() for pixel in np.unique(pixels)}


def press(widget: QWidget, key: Qt.Key) -> None:
    QTest.keyClick(widget, key)


# The whole gallery


@pytest.mark.parametrize("name", THEMES)
def test_every_block_is_drawn_in_every_theme(
    name: str, manager: ThemeManager, qtbot: QtBot
) -> None:
    page = gallery()
    qtbot.addWidget(page)
    page.resize(1640, 1240)
    manager.choose(name)
    drawn = colors_of(page)
    theme = THEMES[name]
    for token in ("window", "surface", "text", "border", "live_fill", "bad", "select", "plot_dot"):
        assert theme.tokens()[token].lower() in drawn, token


def test_nothing_of_the_last_theme_is_left_after_a_change(
    manager: ThemeManager, qtbot: QtBot
) -> None:
    page = gallery()
    qtbot.addWidget(page)
    page.resize(1640, 1240)
    tokens = ("window", "tint", "select", "live_tint", "warn_tint", "border", "live_fill")
    last = {THEMES["light"].tokens()[token].lower() for token in tokens}
    assert last <= colors_of(page)
    manager.choose("high_contrast")
    assert not last & colors_of(page)


def test_controls_can_be_reached_and_are_named(manager: ThemeManager, qtbot: QtBot) -> None:
    page = gallery()
    qtbot.addWidget(page)
    kinds = (Button, Chip, NumberField, ComboField, TableView, ListView)
    controls = [child for kind in kinds for child in page.findChildren(kind)]
    assert len(controls) > 30
    for control in controls:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
    kinds_named = (Button, Chip, TableView)
    for named in (child for kind in kinds_named for child in page.findChildren(kind)):
        assert named.accessibleName() or not named.isVisibleTo(page), named


# Banner


def test_segments_stand_in_order_of_finishing() -> None:
    assert progress_segments([DONE, FAILED, DONE], [RUNNING, NOT_ANSWERING], 7) == (
        DONE, FAILED, DONE, NOT_ANSWERING, RUNNING, LEFT, LEFT,
    )  # fmt: skip


def test_trials_beyond_the_budget_lengthen_the_row() -> None:
    assert progress_segments([DONE] * 4, [RUNNING], 3) == (DONE,) * 4 + (RUNNING,)


def test_many_trials_merge_into_one_bar(manager: ThemeManager, qtbot: QtBot) -> None:
    bar = ProgressBar()
    qtbot.addWidget(bar)
    bar.set_segments([DONE, FAILED] * (MOST_SEGMENTS // 2))
    assert bar.blocks() == [(DONE, 1), (FAILED, 1)] * (MOST_SEGMENTS // 2)
    bar.set_segments([DONE, FAILED] * (MOST_SEGMENTS // 2) + [LEFT])
    assert bar.blocks() == [(DONE, 30), (FAILED, 30), (LEFT, 1)]


def test_segments_are_drawn_from_left_to_right(manager: ThemeManager, qtbot: QtBot) -> None:
    bar = ProgressBar()
    qtbot.addWidget(bar)
    bar.resize(200, 10)
    bar.set_segments([DONE, FAILED, NOT_ANSWERING, LEFT])
    image = bar.grab().toImage()
    drawn = [image.pixelColor(x, 5).name() for x in (25, 75, 125, 175)]
    theme = manager.theme
    wanted = (theme.plot_dot, theme.bad, theme.warn_mark, theme.border)
    assert drawn == [color.lower() for color in wanted]


def shown_parts(banner: Banner) -> set[str]:
    parts = banner.findChildren(QWidget)
    return {
        part.objectName().rpartition(".")[2]
        for part in parts
        if part.objectName().startswith("status.banner.") and part.isVisibleTo(banner)
    }


@pytest.fixture
def banner(manager: ThemeManager, qtbot: QtBot) -> Banner:
    made = Banner()
    qtbot.addWidget(made)
    made.show_content(banner_content())
    made.resize(1400, 62)
    made.show()
    return made


def test_a_wide_banner_shows_everything_that_it_was_given(banner: Banner) -> None:
    parts = {"state", "next", "progress", "slots", "failed", "end", "best"}
    assert shown_parts(banner) == parts
    assert banner.toolTip() == ""
    banner.show_content(banner_content("needs_attention"))
    assert shown_parts(banner) == parts | {"button"}


def test_a_narrow_banner_moves_two_figures_to_the_tooltip(banner: Banner) -> None:
    widest = banner.findChild(QWidget, "status.banner.progress")
    assert widest is not None
    at_rest = widest.width()
    everything = shown_parts(banner)
    shrunk: list[set[str]] = []
    for width in range(1400, 480, -10):
        banner.resize(width, 62)
        if everything - shown_parts(banner) not in shrunk:
            shrunk.append(everything - shown_parts(banner))
        if "end" in shown_parts(banner):
            assert banner.toolTip() == ""
    assert shrunk == [set(), {"end"}, {"end", "slots"}, {"end", "slots", "progress"}]
    assert widest.width() < at_rest
    assert banner.toolTip() == "Slots busy: 3 of 3\nEnds about: 16:36"


def test_a_long_next_step_is_worth_more_than_two_figures(banner: Banner) -> None:
    words = banner.findChild(QLabel, "status.banner.next")
    assert words is not None
    sentence = "Paused: #16 stopped answering. #18 and #19 go on"
    banner.show_content(replace(banner_content("needs_attention"), next_step=sentence))
    assert words.sizeHint().width() <= px(480)
    for width in range(1400, 480, -10):
        banner.resize(width, 62)
        QApplication.sendPostedEvents()
        if {"slots", "end"} & shown_parts(banner):
            assert words.width() >= words.sizeHint().width(), width


def test_no_part_of_a_banner_covers_another(banner: Banner, qtbot: QtBot) -> None:
    banner.show_content(banner_content("needs_attention"))
    # Down to well below the window's minimum of 1024; how narrow words get is the font's affair.
    for width in (1400, 1024, 950, 800, 700):
        banner.resize(width, 62)
        QApplication.sendPostedEvents()
        names = ("state", "progress", "slots", "failed", "end", "best", "button")
        parts = [banner.findChild(QWidget, f"status.banner.{name}") for name in names]
        edges = [part.geometry() for part in parts if part is not None and part.isVisible()]
        for left, right in pairwise(edges):
            assert left.right() < right.left(), width
        state = parts[0]
        assert state is not None
        assert state.width() >= state.sizeHint().width(), width


def test_a_banner_is_read_out_as_one_sentence(banner: Banner) -> None:
    assert banner.accessibleName() == (
        "Running: Suzuki coupling B. #16 should finish in 6 min, then the next trial starts"
    )
    progress = banner.findChild(QWidget, "status.banner.progress")
    assert progress is not None
    assert progress.accessibleName() == "17 of 30 finished, 3 running, 10 left"
    failed = banner.findChild(QWidget, "status.banner.failed")
    assert failed is not None
    assert failed.accessibleName() == "Failed: 1 of 3 allowed"
    assert failed.toolTip() == "Stops at the 4th failure."


def test_the_banner_s_button_is_told(banner: Banner, qtbot: QtBot) -> None:
    banner.show_content(banner_content("needs_attention"))
    button = banner.findChild(Button, "status.banner.button")
    assert button is not None
    with qtbot.waitSignal(banner.button_clicked):
        button.click()


# Buttons


def test_an_ampersand_in_a_button_is_no_mnemonic(manager: ThemeManager, qtbot: QtBot) -> None:
    button = Button("Objectives & limits")
    qtbot.addWidget(button)
    assert button.text() == "Objectives && limits"
    assert button.accessibleName() == "Objectives & limits"


def test_a_disabled_button_says_why(manager: ThemeManager, qtbot: QtBot) -> None:
    clicks: list[bool] = []
    button = Button("More", "dots", kind="icon", on_click=lambda: clicks.append(True))
    qtbot.addWidget(button)
    button.set_available(False, reason="Nothing is selected.")
    button.click()
    assert (button.toolTip(), clicks) == ("Nothing is selected.", [])
    button.set_available(True)
    button.click()
    assert (button.toolTip(), clicks) == ("More", [True])


def test_a_chip_grows_with_its_count_and_says_it(manager: ThemeManager, qtbot: QtBot) -> None:
    chip = Chip("Running", 3, "player-play-filled", "live")
    qtbot.addWidget(chip)
    narrow = chip.sizeHint().width()
    chip.set_count(1234)
    assert chip.sizeHint().width() > narrow
    assert chip.accessibleName() == "Running 1234"
    with qtbot.waitSignal(chip.toggled):
        press(chip, Qt.Key.Key_Space)
    assert manager.theme.accent.lower() in colors_of(chip)


@pytest.fixture
def goals(manager: ThemeManager, qtbot: QtBot) -> SegmentedButton:
    made = SegmentedButton(
        [Choice("max", "Maximise", "arrow-up"), Choice("min", "Minimise"), Choice(None, "Record")],
        label="Goal",
    )
    qtbot.addWidget(made)
    return made


def test_a_segmented_button_tells_only_what_the_operator_chose(
    goals: SegmentedButton, qtbot: QtBot
) -> None:
    assert goals.value() == "max"
    with qtbot.assertNotEmitted(goals.chosen):
        goals.set_value("min")
    assert goals.value() == "min"
    with qtbot.waitSignal(goals.chosen) as told:
        press(goals, Qt.Key.Key_Right)
    assert told.args == [None]
    assert goals.value() is None


def test_an_alternative_that_is_not_offered_is_refused(goals: SegmentedButton) -> None:
    with pytest.raises(ValueError, match="'max', 'min', None"):
        goals.set_value("target")


# Fields


@pytest.mark.parametrize(
    ("text", "number"),
    [("0,5", 0.5), ("0.5", 0.5), ("\u22123", -3.0), (" 1e-3 ", 0.001), ("", None),
     ("1.234,5", None), ("nan", None), ("1_000", None), ("0.5 g", None)],
)  # fmt: skip
def test_a_number_field_reads_what_was_typed_and_keeps_it(
    text: str, number: float | None, manager: ThemeManager, qtbot: QtBot
) -> None:
    field = NumberField()
    qtbot.addWidget(field)
    field.setText(text)
    assert field.number() == number
    assert field.text() == text


def test_a_text_is_committed_once(manager: ThemeManager, qtbot: QtBot) -> None:
    field = TextField("old")
    qtbot.addWidget(field)
    told: list[str] = []
    field.committed.connect(told.append)
    field.setText("new")
    press(field, Qt.Key.Key_Return)
    press(field, Qt.Key.Key_Return)
    field.set_committed("stored")
    press(field, Qt.Key.Key_Return)
    assert told == ["new"]


def test_a_wrong_field_shows_and_says_it(manager: ThemeManager, qtbot: QtBot) -> None:
    field = NumberField("0")
    qtbot.addWidget(field)
    assert manager.theme.bad.lower() not in colors_of(field)
    field.set_issue("Must be above 0.")
    assert manager.theme.bad.lower() in colors_of(field)
    assert field.toolTip() == field.accessibleDescription() == "Must be above 0."
    field.set_issue("")
    assert manager.theme.bad.lower() not in colors_of(field)


def turn_wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    event = QWheelEvent(
        middle, widget.mapToGlobal(middle), QPoint(0, -120), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)


def test_the_wheel_does_not_change_an_unfocused_choice(manager: ThemeManager, qtbot: QtBot) -> None:
    combo = ComboField([Choice(1, "One"), Choice(2, "Two")])
    qtbot.addWidget(combo)
    turn_wheel(combo)
    assert combo.currentData() == 1
    combo.show()
    combo.setFocus()
    qtbot.waitUntil(combo.hasFocus)
    turn_wheel(combo)
    assert combo.currentData() == 2


def test_new_choices_keep_the_value_shown(manager: ThemeManager, qtbot: QtBot) -> None:
    combo = ComboField([Choice(1, "One"), Choice(2, "Two")])
    qtbot.addWidget(combo)
    combo.set_value(2)
    combo.set_choices([Choice(3, "Three"), Choice(2, "Two")])
    assert combo.currentData() == 2
    combo.set_choices([Choice(3, "Three")])
    assert combo.currentData() == 3


# Grounds


def test_a_live_sentence_weighs_its_variable_parts(manager: ThemeManager, qtbot: QtBot) -> None:
    sentence = LiveSentence()
    qtbot.addWidget(sentence)
    sentence.set_sentence("Keep **A < B** low.", "Why.")
    shown = sentence.findChildren(QLabel)[0].text()
    assert shown == 'Keep <span style="font-weight:600">A &lt; B</span> low.'
    assert sentence.accessibleName() == "Keep A < B low."


def test_a_fold_hides_its_content_until_opened(manager: ThemeManager, qtbot: QtBot) -> None:
    fold = Fold("Polling", "every 10 s")
    qtbot.addWidget(fold)
    inside = QLabel("inside")
    fold.body.addWidget(inside)
    assert not inside.isVisibleTo(fold)
    fold.button.click()
    assert inside.isVisibleTo(fold)


def test_a_label_without_room_ends_in_an_ellipsis(manager: ThemeManager, qtbot: QtBot) -> None:
    text = ElidedLabel("A sentence that needs room")
    qtbot.addWidget(text)
    text.resize(text.sizeHint())
    text.grab()
    assert text.toolTip() == ""
    text.resize(60, text.height())
    text.grab()
    assert text.toolTip() == "A sentence that needs room"


# Tables and lists


def test_delegates_draw_every_kind_of_cell(manager: ThemeManager, qtbot: QtBot) -> None:
    table = TableView(label="Trials")
    qtbot.addWidget(table)
    table.setModel(trials_model(table))
    table.resize(900, 200)
    theme = manager.theme
    before = colors_of(table)
    assert {theme.live.lower(), theme.bad.lower(), theme.plot_best.lower()} <= before
    assert theme.select.lower() not in before
    table.selectRow(1)
    assert theme.select.lower() in colors_of(table)


def test_the_selected_row_has_its_edge_in_the_first_column_shown(
    manager: ThemeManager, qtbot: QtBot
) -> None:
    table = TableView()
    qtbot.addWidget(table)
    table.setModel(trials_model(table))
    table.resize(900, 200)
    table.hideColumn(0)
    table.selectRow(2)
    cell = table.visualRect(table.model().index(2, 1))
    image = table.viewport().grab().toImage()
    row = [image.pixelColor(x, cell.center().y()).name() for x in range(4)]
    theme = manager.theme
    assert row == [theme.accent.lower()] * 3 + [theme.select.lower()]


def test_rows_follow_the_zoom(manager: ThemeManager, qtbot: QtBot) -> None:
    table = TableView()
    qtbot.addWidget(table)
    table.setModel(trials_model(table))
    usual = table.rowHeight(0)
    manager.set_zoom(150)
    assert table.rowHeight(0) == pytest.approx(1.5 * usual, rel=0.1)


def test_a_click_on_a_head_sorts_and_shows_the_arrow(manager: ThemeManager, qtbot: QtBot) -> None:
    table = TableView()
    qtbot.addWidget(table)
    table.setModel(trials_model(table))
    table.resize(900, 200)
    table.show()
    header = table.horizontalHeader()
    table.sortByColumn(4, Qt.SortOrder.AscendingOrder)
    place = QPoint(header.sectionViewportPosition(2) + 10, header.height() // 2)
    QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert header.sortIndicatorSection() == 2
    head = QRect(header.sectionViewportPosition(2), 0, header.sectionSize(2), header.height())
    sorted_head = header.viewport().grab(head).toImage()
    header.setSortIndicatorShown(False)
    assert header.viewport().grab(head).toImage() != sorted_head


@pytest.fixture
def parameters(manager: ThemeManager, qtbot: QtBot) -> EditableTable:
    table = EditableTable(label="Parameters")
    qtbot.addWidget(table)
    table.setModel(parameters_model(table))
    table.setItemDelegateForColumn(0, CheckDelegate(table))
    table.setItemDelegateForColumn(3, TagsDelegate(table))
    table.set_widths([44, 130, 110, 90, 90, 130])
    table.resize(700, 260)
    table.show()
    return table


def test_a_wrong_cell_is_framed_and_explained_while_current(
    parameters: EditableTable, manager: ThemeManager, qtbot: QtBot
) -> None:
    parameters.setFocus()
    qtbot.waitUntil(parameters.hasFocus)
    tip = parameters.findChild(CellTip)
    assert tip is not None
    parameters.setCurrentIndex(parameters.model().index(0, 3))
    assert not tip.isVisible()
    assert manager.theme.bad.lower() in colors_of(parameters.viewport())
    parameters.setCurrentIndex(parameters.model().index(2, 3))
    assert tip.isVisible()
    assert tip.findChildren(QLabel)[0].text() == "A logarithmic scale cannot start at 0."
    parameters.model().setData(parameters.currentIndex(), "", Role.ISSUE)
    assert not tip.isVisible()
    assert manager.theme.bad.lower() not in colors_of(parameters.viewport())


def test_text_reaches_the_model_as_typed(parameters: EditableTable, qtbot: QtBot) -> None:
    index = parameters.model().index(0, 4)
    parameters.setCurrentIndex(index)
    parameters.edit(index)
    editor = parameters.findChild(TextField)
    assert editor is not None
    editor.setText("1,5e")
    press(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: parameters.currentIndex().row() == 1)
    assert index.data() == "1,5e"


def test_a_choice_reaches_the_model_by_its_value(parameters: EditableTable) -> None:
    index = parameters.model().index(0, 5)
    delegate = parameters.itemDelegateForIndex(index)
    editor = ComboField(index.data(Role.CHOICES))
    editor.set_value("log")
    delegate.setModelData(editor, parameters.model(), index)
    assert index.data(Qt.ItemDataRole.EditRole) == "log"


def test_a_click_or_the_space_bar_toggles_a_check_cell(parameters: EditableTable) -> None:
    index = parameters.model().index(0, 0)
    place = parameters.visualRect(index).center()
    QTest.mouseClick(parameters.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Unchecked
    parameters.setCurrentIndex(index)
    press(parameters, Qt.Key.Key_Space)
    assert Qt.CheckState(index.data(Qt.ItemDataRole.CheckStateRole)) == Qt.CheckState.Checked


def test_enter_goes_down_and_asks_for_a_row_after_the_last(
    parameters: EditableTable, qtbot: QtBot
) -> None:
    parameters.setCurrentIndex(parameters.model().index(2, 1))
    with qtbot.assertNotEmitted(parameters.row_wanted):
        press(parameters, Qt.Key.Key_Return)
    assert parameters.currentIndex().row() == 3
    with qtbot.waitSignal(parameters.row_wanted):
        press(parameters, Qt.Key.Key_Return)


def test_delete_asks_to_remove_the_rows_selected(parameters: EditableTable, qtbot: QtBot) -> None:
    parameters.selectRow(1)
    with qtbot.waitSignal(parameters.rows_unwanted) as told:
        press(parameters, Qt.Key.Key_Delete)
    assert told.args == [[1]]


def test_a_list_row_is_drawn_selected_and_dimmed_text_too(
    manager: ThemeManager, qtbot: QtBot
) -> None:
    view = ListView(label="Experiments")
    qtbot.addWidget(view)
    model: QStandardItemModel = experiments_model()
    view.setModel(model)
    view.resize(224, 300)
    theme = manager.theme
    assert theme.select.lower() not in colors_of(view)
    view.setCurrentIndex(model.index(0, 0))
    drawn = colors_of(view)
    assert {theme.select.lower(), theme.live.lower(), theme.good.lower()} <= drawn


def test_sections_show_their_state_and_tell_where_the_operator_goes(
    manager: ThemeManager, qtbot: QtBot
) -> None:
    sections = SectionList([("general", "General"), ("review", "Review")])
    qtbot.addWidget(sections)
    sections.set_state("review", "bad", "1 problem")
    index: QModelIndex = sections.model().index(1, 0)
    assert index.data(Role.ICON) == "circle-x-filled"
    assert index.data(Role.SECOND_TONE) == "bad"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Review: 1 problem"
    with qtbot.waitSignal(sections.section_chosen) as told:
        sections.set_current("review")
    assert told.args == ["review"]


def test_an_issue_leads_to_its_place_and_to_its_remedies(
    manager: ThemeManager, qtbot: QtBot
) -> None:
    applied: list[str] = []
    issues = IssueList()
    qtbot.addWidget(issues)
    assert issues.isHidden()
    remedy = Remedy("Use 0.05", lambda: applied.append("0.05"))
    issues.set_issues(
        [Issue("Catalyst, Low", "must be above 0.", remedies=(remedy,), target=(2, 3))]
    )
    assert not issues.isHidden()
    row = issues.findChild(IssueRow)
    assert row is not None
    with qtbot.waitSignal(issues.issue_clicked) as told:
        QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=QPoint(4, row.height() // 2))
    assert told.args == [(2, 3)]
    with qtbot.waitSignal(issues.issue_clicked):
        press(row, Qt.Key.Key_Return)
    button = row.findChild(Button)
    assert button is not None
    with qtbot.assertNotEmitted(issues.issue_clicked):
        button.click()
    assert applied == ["0.05"]
    issues.set_issues([])
    assert issues.isHidden()


def test_an_issue_of_an_unknown_level_is_refused() -> None:
    with pytest.raises(ValueError, match="'fatal' is neither"):
        Issue("Here", "wrong.", level="fatal")


# Plots


@pytest.fixture
def plot(manager: ThemeManager, qtbot: QtBot) -> Plot:
    made = Plot(label="Convergence")
    qtbot.addWidget(made)
    made.resize(500, 300)
    made.set_x_range(0, 29)
    made.set_y_range(0, 100)
    made.show()
    return made


def test_a_plot_takes_the_colours_of_each_theme(
    plot: Plot, manager: ThemeManager, qtbot: QtBot
) -> None:
    marks = scatter("cross")
    marks.setData(x=[15], y=[50])
    plot.item.addItem(marks)
    plot.on_restyle(lambda: style_scatter(marks, "cross"))
    for name, theme in THEMES.items():
        manager.choose(name)
        QApplication.processEvents()
        drawn = colors_of(plot)
        wanted = {theme.surface, theme.grid, theme.bad}
        assert {color.lower() for color in wanted} <= drawn
        others = {other.bad.lower() for other in THEMES.values()} - {theme.bad.lower()}
        assert not others & drawn


@pytest.mark.parametrize(
    ("least", "most", "pixels"),
    [
        (0, 100, 300),
        (0, 29, 440),
        (-0.004, 0.0031, 200),
        (1e6, 5e6, 250),
        (0, 1, 120),
        (-3.3, 0, 900),
    ],
)
def test_an_axis_has_three_to_six_labels(
    least: float, most: float, pixels: float, manager: ThemeManager
) -> None:
    axis = Axis("left", has_grid=True)
    ((step, offset),) = axis.tickSpacing(least, most, pixels)
    labels = [k for k in range(-10_000, 10_000) if least <= k * step + offset <= most]
    assert 2 <= len(labels) <= 7
    if pixels > 150:
        assert len(labels) >= 3
    assert axis.tickSpacing(5, 5, 100) == []


def test_pens_of_marks_keep_their_width_when_data_is_scaled(manager: ThemeManager) -> None:
    for name, mark in MARKS.items():
        pen: Any = scatter(name).opts["pen"]
        assert mark.line is None or pen.isCosmetic(), name


def test_a_click_tells_where_in_the_data_it_was(plot: Plot, qtbot: QtBot) -> None:
    QApplication.processEvents()
    place = plot.mapFromScene(plot.item.getViewBox().mapViewToScene(QPointF(10, 50)))
    with qtbot.waitSignal(plot.clicked) as told:
        for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease):
            event = QMouseEvent(
                kind,
                QPointF(place),
                plot.viewport().mapToGlobal(QPointF(place)),
                Qt.MouseButton.LeftButton,
                Qt.MouseButton.LeftButton,
                Qt.KeyboardModifier.ControlModifier,
            )
            QApplication.sendEvent(plot.viewport(), event)
    assert told.args is not None
    point, with_ctrl = told.args
    assert (point.x(), point.y()) == pytest.approx((10, 50), abs=0.5)
    assert with_ctrl


def test_a_read_out_stays_inside_the_plot(plot: Plot) -> None:
    out = ReadOut(plot)
    for place in (QPoint(5, 5), QPoint(495, 5), QPoint(495, 295), QPoint(250, 150)):
        out.show_at(place, "star-filled", "plot_best", "#13 done", [("Yield", "83.6 ± 0.8 %")])
        assert plot.rect().contains(out.geometry()), place
    assert out.accessibleName() == "#13 done. Yield 83.6 ± 0.8 %"


# Docks


def test_a_dock_beside_tabs_has_no_title_of_its_own(manager: ThemeManager, qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.resize(800, 600)
    titles = DockTitles(window)
    docks = [make_dock(name.title(), f"dock.{name}", QWidget()) for name in ("trials", "log")]
    for dock in docks:
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
        titles.follow(dock)
    window.show()
    qtbot.waitUntil(lambda: all(dock.titleBarWidget() is None for dock in docks))
    window.tabifyDockWidget(*docks)
    qtbot.waitUntil(lambda: all(dock.titleBarWidget() is not None for dock in docks))
    docks[1].setFloating(True)
    qtbot.waitUntil(lambda: all(dock.titleBarWidget() is None for dock in docks))
    QApplication.processEvents()


def test_shortcuts_leave_delete_to_the_table(parameters: EditableTable, qtbot: QtBot) -> None:
    parameters.setFocus()
    qtbot.waitUntil(parameters.hasFocus)
    event = QKeyEvent(
        QEvent.Type.ShortcutOverride, Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier
    )
    event.ignore()
    QApplication.sendEvent(parameters, event)
    assert event.isAccepted()


def test_colours_by_share_lie_between_both_ends(manager: ThemeManager) -> None:
    theme = manager.theme
    assert theme.sequential(0) == QColor(theme.plot_worse)
    assert theme.sequential(1) == QColor(theme.plot_better)


def test_a_row_of_buttons_wraps_where_the_width_is_spent(qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    row = WrappingRow()
    page.setLayout(row)
    buttons = [Button(f"It never ran: deploy {number} again") for number in range(4)]
    for button in buttons:
        row.addWidget(button)
    wide, widest = row.sizeHint().width(), max(b.sizeHint().width() for b in buttons)
    assert page.minimumSizeHint().width() == widest
    assert row.heightForWidth(wide) == row.sizeHint().height()
    assert row.heightForWidth(widest) > 3 * row.sizeHint().height()
    page.resize(wide - 1, row.heightForWidth(wide - 1))
    page.show()
    qtbot.waitExposed(page)
    assert [b.y() for b in buttons].count(buttons[0].y()) == 3
    assert buttons[3].geometry().bottom() < page.height()
