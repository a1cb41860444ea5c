"""The page Runner & metrics: forms of every kind of option, and plugins that are not there."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.plugins import (
    HOLD_REASONS,
    Hold,
    OptionDescription,
    PluginCatalogue,
    PluginDescription,
    PluginFile,
    PluginKind,
)
from axdesk.gui.views.setup_runner import RunnerPage
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.fields import ComboField, TextField
from tests.gui.setup_driver import shown_page
from tests.gui.setup_samples import CATALOGUE, METRIC, RUNNER, suzuki

QtBot = Any
Show = Callable[..., RunnerPage]


@pytest.fixture
def show(qtbot: QtBot) -> Show:
    def make(catalogue: PluginCatalogue = CATALOGUE, **cells: str) -> RunnerPage:
        draft = suzuki()
        for field, text in cells.items():
            draft = draft.with_cell(Section.RUNNER, 0, field, text)
        return shown_page(qtbot, RunnerPage, draft, catalogue)

    return make


def texts(page: QWidget) -> str:
    return "\n".join(x.text() for x in page.findChildren(QLabel) if x.isVisibleTo(page))


def with_runner(catalogue: PluginCatalogue, **changes: Any) -> PluginCatalogue:
    """The folder with another file of the runner."""
    files = (replace(catalogue.files[0], **changes), *catalogue.files[1:])
    return PluginCatalogue(catalogue.folder, files)


def test_options_of_a_plugin_that_is_away_are_kept_and_named(show: Show) -> None:
    page = show()
    model = page.model
    model.edit(Section.RUNNER, 0, "option.volume", "3,5")
    without = PluginCatalogue(CATALOGUE.folder, CATALOGUE.files[1:])
    for catalogue, word, reason in (
        (without, "Not found", "is not in /plugins"),
        (with_runner(CATALOGUE, plugins=(), error="It raises."), "Error", "It raises."),
        (
            with_runner(CATALOGUE, plugins=(), error=HOLD_REASONS[Hold.CHANGED], hold=Hold.CHANGED),
            "Changed",
            "changed since it was trusted",
        ),
        (
            with_runner(
                CATALOGUE, plugins=(), error=HOLD_REASONS[Hold.DISABLED], hold=Hold.DISABLED
            ),
            "Disabled",
            "disabled",
        ),
    ):
        model.set_catalogue(catalogue)
        told = texts(page)
        assert word in told
        assert reason in told
        assert "Its options are kept: address = 10.0.4.17, volume = 3,5." in told
        model.set_catalogue(CATALOGUE)
        assert "Loaded" in texts(page)
        field = page.findChild(TextField, "setup.runner.form.volume")
        assert field is not None
        assert field.text() == "3,5"


def many(count: int) -> PluginCatalogue:
    options = tuple(
        OptionDescription(f"option_{number}", "float", default=1.0) for number in range(count)
    )
    runner = PluginDescription(RUNNER, PluginKind.RUNNER, "Drives.", options)
    return PluginCatalogue(
        "/plugins", (PluginFile("cell.py", "0" * 64, (runner,)), *CATALOGUE.files[1:])
    )


@pytest.mark.parametrize(("count", "folded"), [(0, 0), (1, 0), (6, 0), (7, 3), (40, 36)])
def test_further_options_at_their_defaults_are_folded(show: Show, count: int, folded: int) -> None:
    page = show(many(count))
    fold = page.findChild(Button, "setup.runner.form.more")
    assert (fold is not None) is bool(folded)
    seen = [f for f in page.findChildren(TextField) if f.isVisibleTo(page)]
    assert len([f for f in seen if f.objectName().startswith("setup.runner.form.")]) == (
        count - folded
    )
    if fold is not None:
        assert fold.text() == f"{folded} more options"
        page.go_to(Problem(Section.RUNNER, 0, f"option.option_{count - 1}", "Wrong."))
        last = page.findChild(TextField, f"setup.runner.form.option_{count - 1}")
        assert last is not None
        assert last.isVisibleTo(page)


def test_an_option_that_is_set_is_in_sight(show: Show) -> None:
    page = show(many(12), **{"option.option_11": "7"})
    field = page.findChild(TextField, "setup.runner.form.option_11")
    assert field is not None
    assert field.isVisibleTo(page)
    assert field.text() == "7"


def test_numbers_stand_at_the_right_and_errors_at_their_field(show: Show, qtbot: QtBot) -> None:
    page = show()
    reactors = page.findChild(TextField, "setup.runner.form.reactors")
    address = page.findChild(TextField, "setup.runner.form.address")
    assert reactors is not None
    assert address is not None
    assert reactors.alignment() & Qt.AlignmentFlag.AlignRight
    assert not address.alignment() & Qt.AlignmentFlag.AlignRight
    qtbot.keyClicks(reactors, "4.5")
    assert "whole number" in reactors.toolTip()
    assert reactors.text() == "4.5"


def test_a_number_out_of_its_range_is_refused_at_its_field(show: Show, qtbot: QtBot) -> None:
    page = show()
    volume = page.findChild(TextField, "setup.runner.form.volume")
    assert volume is not None
    assert {"0 to 50\u00a0mL.", "mL"} <= {shown.text() for shown in page.findChildren(QLabel)}
    qtbot.keyClicks(volume, "50.5")
    page.refresh()
    assert volume.toolTip() == "“50.5” is out of range. Enter 0 to 50\u00a0mL."
    assert page.model.setup is None
    qtbot.keyClick(volume, Qt.Key.Key_Backspace)
    qtbot.keyClick(volume, Qt.Key.Key_Backspace)
    assert page.model.setup is not None


def test_one_plugin_is_used_for_all_metrics_in_one_step(show: Show, qtbot: QtBot) -> None:
    page = show()
    model = page.model
    before = model.draft
    model.edit(Section.OBJECTIVES, 0, "option.noise_sd", "0.5")
    model.edit_cells(Section.OBJECTIVES, 1, {"metric": ""})
    edited = model.draft
    page.table.select_row(0)
    page.refresh()
    button = page.findChild(Button, "setup.metrics.use_for_all")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    rows = model.rows(Section.OBJECTIVES)
    assert [row["metric"] for row in rows] == [METRIC] * 3
    assert [row["option.noise_sd"] for row in rows] == ["0.5"] * 3
    assert [row["name"] for row in rows] == ["Yield", "Impurity", "Pressure"]
    model.undo_stack.undo()
    assert model.draft == edited
    assert before != edited


def test_the_test_stands_below_where_there_is_no_room_beside(show: Show, qtbot: QtBot) -> None:
    page = show()
    card, form = page.test_card, page.findChild(ComboField, "setup.runner.plugin")
    assert form is not None

    def left_of(widget: QWidget) -> int:
        return widget.mapTo(page, widget.rect().topLeft()).x()

    assert left_of(card) > left_of(form) + form.width()
    page.resize(700, 800)
    qtbot.waitUntil(lambda: left_of(card) < left_of(form) + form.width())
