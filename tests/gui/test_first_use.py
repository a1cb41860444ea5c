"""What somebody meets who has never seen axdesk: keys, where the keyboard goes, hints."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.events import RunChanged
from axdesk.core.plugins import (
    Hold,
    OptionDescription,
    PluginCatalogue,
    PluginDescription,
    PluginFile,
    PluginKind,
)
from axdesk.core.run import RunState
from axdesk.gui.main_window import first_size
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.setup_texts import section_state, unfinished
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.views.dry_test_dialog import DryTestDialog
from axdesk.gui.views.setup_general import GeneralPage
from tests.gui.scenes import coupling_setup
from tests.gui.test_session import first_run
from tests.gui.test_window import Bench

QtBot = Any


@pytest.fixture
def parent(qtbot: QtBot, qapp: QApplication) -> Iterator[QWidget]:
    widget = QWidget()
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    widget.close()
    widget.deleteLater()


def focused() -> str:
    widget = QApplication.focusWidget()
    return "" if widget is None else widget.objectName()


def crossed(qtbot: QtBot, steps: int) -> list[str]:
    """The names of the widgets that Tab goes through, from the one with the keyboard on."""
    names = []
    for _ in range(steps):
        widget = QApplication.focusWidget()
        assert widget is not None
        names.append(widget.objectName())
        qtbot.keyClick(widget, Qt.Key.Key_Tab)
    return names


def test_a_dialog_is_tabbed_through_as_it_reads_from_its_first_field_on(
    parent: QWidget, qtbot: QtBot
) -> None:
    values: dict[str, Any] = {
        "Temperature": 80.0,
        "Time": 20,
        "Catalyst": 0.5,
        "Solvent": "DMF",
    }
    dialog = DryTestDialog(parent, coupling_setup(), values)
    dialog.open()
    qtbot.waitUntil(lambda: focused().startswith("dialog.dry_test"))
    parts = ["Temperature", "Time", "Catalyst", "Solvent", "cancel", "test", "Temperature"]
    assert crossed(qtbot, 7) == [f"dialog.dry_test.{part}" for part in parts]
    dialog.reject()


@pytest.mark.parametrize("kind", ["primary", "danger", "normal"])
def test_return_presses_the_button_that_has_the_keyboard(
    parent: QWidget, qtbot: QtBot, kind: str
) -> None:
    ways = (Way("cancel", "Cancel"), Way("go", "Go", kind))
    dialog = Dialog(parent, name="dialog.x", title="Go?", sentence="It moves.", ways=ways)
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog.open()
    qtbot.waitUntil(lambda: focused().startswith("dialog.x"))
    dialog.buttons["cancel"].setFocus()
    qtbot.keyClick(dialog.buttons["cancel"], Qt.Key.Key_Return)
    assert chosen == ["cancel"]


def test_return_in_a_field_presses_the_primary_button(parent: QWidget, qtbot: QtBot) -> None:
    ways = (Way("cancel", "Cancel"), Way("go", "Go", "primary"))
    dialog = Dialog(parent, name="dialog.x", title="Go?", sentence="It moves.", ways=ways)
    field = QLineEdit()
    dialog.body.addWidget(field)
    chosen: list[str] = []
    dialog.chosen.connect(chosen.append)
    dialog.open()
    qtbot.waitUntil(field.hasFocus)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert chosen == ["go"]


def test_the_keyboard_stays_in_the_place_that_start_pause_and_resume_share(bench: Bench) -> None:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    bench.until(bench.action("run.start").isEnabled)
    bench.find("toolbar.run.start").setFocus()
    QTest.keyClick(bench.find("toolbar.run.start"), Qt.Key.Key_Space)
    bench.until(lambda: bench.session.is_live)
    client = bench.workspace.clients[-1]
    client.tell(RunChanged(first_run()))
    bench.until(lambda: bench.find("toolbar.run.pause").isVisible())
    assert focused() == "toolbar.run.pause"
    client.tell(RunChanged(first_run(RunState.PAUSED)))
    bench.until(lambda: bench.find("toolbar.run.start").isVisible())
    assert focused() == "toolbar.run.start"


def test_the_keyboard_is_not_taken_from_where_it_went_meanwhile(bench: Bench) -> None:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    bench.until(bench.action("run.start").isEnabled)
    bench.find("toolbar.run.start").setFocus()
    bench.action("run.start").trigger()
    bench.until(lambda: bench.session.is_live)
    field = bench.find("experiments.filter")
    field.setFocus()
    client = bench.workspace.clients[-1]
    client.tell(RunChanged(first_run()))
    bench.until(lambda: bench.find("status.banner.state").text() == "Running")
    assert field.hasFocus()


def test_a_new_experiment_is_named_by_typing_at_once(bench: Bench) -> None:
    bench.press("start.new")
    bench.until(lambda: bench.session is not None)
    bench.until(lambda: focused() == "setup.general.name")


@pytest.mark.parametrize(
    ("screen", "expected"),
    [
        ((1920, 1200), (1440, 900)),
        ((1366, 768), (1366, 768)),
        ((1280, 1000), (1280, 900)),
        ((800, 600), (1024, 640)),
    ],
)
def test_the_first_window_is_no_larger_than_its_screen(
    screen: tuple[int, int], expected: tuple[int, int]
) -> None:
    size = first_size(QRect(0, 0, *screen))
    assert (size.width(), size.height()) == expected


KEYED = PluginDescription(
    "robot.py:Reading",
    PluginKind.METRIC,
    options=(OptionDescription("key", "str", is_required=True),),
)
RUNNER = PluginDescription("robot.py:Robot", PluginKind.RUNNER)


def model_of(draft: Draft, catalogue: PluginCatalogue) -> DraftModel:
    model = DraftModel(draft)
    model.set_catalogue(catalogue)
    return model


def robot_draft(**cells: str) -> Draft:
    setup = replace(coupling_setup(), runner=None, metrics=())
    draft = draft_of(setup)
    first, *others = draft.objectives
    draft = draft.with_rows(Section.OBJECTIVES, ({**first, **cells}, *others))
    return draft.with_rows(Section.RUNNER, ({"reference": "robot.py:Robot"},))


def test_what_is_wrong_on_a_page_is_counted_at_that_page(qapp: QApplication) -> None:
    catalogue = PluginCatalogue("lab", (PluginFile("robot.py", "0" * 64, (RUNNER, KEYED)),))
    draft = robot_draft(metric="robot.py:Reading")
    model = model_of(draft, catalogue)
    assert section_state(model, Section.OBJECTIVES, was_seen=True)[0] == "good"
    # The option that is needed, and what fetches the other response.
    assert section_state(model, Section.RUNNER, was_seen=True) == ("bad", "2 problems")
    assert len(unfinished(model).problems) == 2


def test_why_there_is_nothing_to_choose_is_said_where_it_is_chosen(qapp: QApplication) -> None:
    held = PluginFile("robot.py", "0" * 64, hold=Hold.UNTRUSTED)
    model = model_of(robot_draft(), PluginCatalogue("lab", (held,)))
    at = (Section.OBJECTIVES, 0, "metric")
    assert "robot.py is not trusted yet" in model.issue(*at)
    model = model_of(robot_draft(), PluginCatalogue("lab", ()))
    assert "lab has no metric" in model.issue(*at)


def test_a_folder_that_does_not_exist_is_not_said_to_be_in_use(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    missing = str(tmp_path / "pluginz")
    model = model_of(Draft({"plugin_folder": missing}), PluginCatalogue(missing))
    page = GeneralPage(model)
    qtbot.addWidget(page)
    model.note_found(Problem(Section.GENERAL, 0, "plugin_folder", f"{missing} does not exist."))
    page.refresh()
    assert not [
        w for w in page.findChildren(QLabel) if w.text().startswith("In use") and not w.isHidden()
    ]
