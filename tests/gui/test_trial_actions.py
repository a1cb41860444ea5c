"""What can be done to trials: through the menu of the real window."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QDialog, QFileDialog, QLabel

from axdesk.api.workspace import Workspace
from axdesk.core.commands import (
    AddTrial,
    ImportedTrial,
    ImportTrials,
    Replicate,
    SetExcluded,
    Void,
)
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.run import RunState
from axdesk.core.trial import TrialSource, TrialStatus
from axdesk.gui.actions import off_reason
from axdesk.gui.main_window import MainWindow
from tests.gui.scenes import coupling_experiment
from tests.gui.test_interrupted_run import cut_off, dialog_of
from tests.gui.test_window import Bench
from tests.gui.test_window_run import Laboratory, bowl_setup, session_of

QtBot = Any
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def stopped(bench: Bench) -> Bench:
    bench.open(bench.workspace.add(coupling_experiment(RunState.STOPPED)))
    return bench


def commands(bench: Bench, count: int) -> list[Any]:
    bench.until(lambda: bool(bench.workspace.clients))
    client = bench.workspace.clients[0]
    bench.until(lambda: len(client.commands) == count)
    return client.commands


def press_ok(dialog: Any) -> None:
    """Press the button of a dialog that goes on, as a person would: only if it is on."""
    button = dialog.buttons["ok"]
    assert button.isEnabled(), button.toolTip()
    button.click()


def test_each_action_that_is_off_says_why(stopped: Bench) -> None:
    stopped.window.selection.select(6)
    assert off_reason(stopped.action("trials.void")) == "#6 failed."
    assert off_reason(stopped.action("trials.replicate")) == "#6 failed."
    assert stopped.action("trials.run_again").isEnabled()
    stopped.window.selection.select(13)
    assert off_reason(stopped.action("trials.run_again")) == "#13 is done."
    assert stopped.action("trials.replicate").isEnabled()
    stopped.window.selection.select(None)
    for name in ("void", "copy_settings", "attach_file", "copy_to_manual", "open_folder"):
        assert off_reason(stopped.action(f"trials.{name}")) == "Select a trial first."
    stopped.workbench.show_start_page()
    assert off_reason(stopped.action("trials.new_manual")) == "Open an experiment first."
    assert off_reason(stopped.action("trials.go_to")) == "Open an experiment first."


def test_several_trials_are_excluded_together_and_given_back_together(stopped: Bench) -> None:
    stopped.window.selection.set_trials((13, 6, 12))
    stopped.action("trials.exclude").trigger()
    # What failed is in no model.
    assert commands(stopped, 2) == [SetExcluded(13, True), SetExcluded(12, True)]


def test_several_results_are_voided_after_one_question(stopped: Bench) -> None:
    stopped.window.selection.set_trials((13, 12, 6))
    stopped.action("trials.void").trigger()
    dialog = stopped.dialog("dialog.void")
    assert dialog.windowTitle() == "Void the result of #13 and #12?"
    dialog.field.setPlainText("Wrong standard.")
    press_ok(dialog)
    assert commands(stopped, 2) == [Void(13, "Wrong standard."), Void(12, "Wrong standard.")]


def test_what_failed_runs_again_and_what_is_done_is_replicated(stopped: Bench) -> None:
    stopped.window.selection.select(6)
    stopped.action("trials.run_again").trigger()
    stopped.window.selection.select(13)
    stopped.action("trials.replicate").trigger()
    assert commands(stopped, 2) == [Replicate(6), Replicate(13)]


def test_settings_are_copied_with_units_and_exactly(stopped: Bench) -> None:
    stopped.window.selection.select(13)
    stopped.action("trials.copy_settings").trigger()
    trial = stopped.session.trial(13)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().split("\n")]
    assert [name.partition(" (")[0] for name, _ in lines] == [*trial.parameters]
    assert float(lines[0][1]) == trial.parameters[lines[0][0].partition(" (")[0]]
    stopped.window.selection.set_trials((13, 12))
    stopped.action("trials.copy_settings").trigger()
    assert len(QGuiApplication.clipboard().text().split("\n")) == 3


def test_the_stored_value_stays_in_sight_while_it_is_corrected(stopped: Bench) -> None:
    stopped.window.selection.select(13)
    stopped.action("trials.enter_result").trigger()
    dialog = stopped.dialog("dialog.enter_result")
    dialog.fields["Yield"][0].setText("1")
    assert "83.6 ± 1" in [one.text() for one in dialog.findChildren(QLabel)]


def test_go_to_takes_a_number_with_or_without_its_sign(stopped: Bench) -> None:
    stopped.action("trials.go_to").trigger()
    dialog = stopped.dialog("dialog.go_to")
    dialog.field.setText("99")
    assert not dialog.buttons["ok"].isEnabled()
    dialog.field.setText("#12")
    press_ok(dialog)
    assert stopped.window.selection.current == 12


def test_a_manual_trial_is_told_what_is_wrong_with_it(stopped: Bench) -> None:
    stopped.window.selection.select(13)
    stopped.action("trials.copy_to_manual").trigger()
    dialog = stopped.dialog("dialog.manual_trial")
    told = dialog.findChild(QLabel, "dialog.manual_trial.told")
    field = dialog.form.fields["Temperature"]
    assert float(field.text()) == stopped.session.trial(13).parameters["Temperature"]
    field.setText("warm")
    assert not dialog.buttons["ok"].isEnabled()
    field.setText("92,5")
    assert dialog.buttons["ok"].isEnabled()
    field.setText("900")
    # axdesk drives nothing beyond its bounds; a person may have.
    assert not dialog.buttons["ok"].isEnabled()
    assert "outside 50.0 … 120.0" in told.text()
    stopped.qtbot.mouseClick(dialog.way.findChildren(QAbstractButton)[1], LEFT)
    assert "It is kept; the model learns from it" in told.text()
    press_ok(dialog)
    [command] = commands(stopped, 1)
    assert isinstance(command, AddTrial)
    assert command.parameters["Temperature"] == 900.0
    assert not command.is_deployed


def test_the_first_trial_of_a_draft_can_be_a_manual_one(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup(trials=3)))
    laboratory.until(window.actions_by_name["trials.new_manual"].isEnabled)
    window.actions_by_name["trials.new_manual"].trigger()
    dialog: Any = window.findChild(QDialog, "dialog.manual_trial")
    assert not dialog.buttons["ok"].isEnabled()  # no start values: every field is to be filled
    dialog.form.fields["x"].setText("0,5")
    dialog.form.fields["y"].setText("0")
    dialog.arm_name.setText("by feel")
    press_ok(dialog)
    session = session_of(window)
    laboratory.until(lambda: [t.arm.name for t in session.facts.trials] == ["by feel"])
    window.actions_by_name["run.start"].trigger()
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    first, *others = session.facts.trials
    # The run deploys it, beyond its budget.
    assert (first.status, first.generation.source) == (TrialStatus.COMPLETED, TrialSource.MANUAL)
    assert len(others) == 3


def with_a_trial(laboratory: Laboratory, change: Callable[[Draft], Draft]) -> MainWindow:
    """A window on an experiment without a run, whose set-up was changed after a trial."""
    setup = bowl_setup(trials=3)
    workspace = Workspace(laboratory.database, laboratory.plugins)
    number = workspace.create_from_setup(setup)
    known = ImportedTrial({"x": 0.5, "y": 0.5}, {"depth": 1.25})
    workspace.import_trials(number, ImportTrials((known,), "notes.csv"))
    workspace.save_draft(change(draft_of(setup)), number)
    workspace.close()
    window = laboratory.open()
    window._workbench.open(number)
    laboratory.until(lambda: session_of(window) is not None)
    return window


def test_trials_stay_readable_and_mendable_while_the_set_up_has_a_problem(
    laboratory: Laboratory,
) -> None:
    window = with_a_trial(laboratory, lambda d: d.with_cell(Section.PARAMETERS, 0, "low", "warm"))
    session = session_of(window)
    laboratory.until(lambda: session.facts.problems == 1)
    model = session.trials_model
    heads = [
        model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.DisplayRole)
        for column in range(model.columnCount())
    ]
    assert {"x", "y", "depth"} <= set(heads)
    assert session.state is RunState.DRAFT

    window.actions_by_name["trials.new_manual"].trigger()
    dialog: Any = window.findChild(QDialog, "dialog.manual_trial")
    dialog.form.fields["x"].setText("1")
    dialog.form.fields["y"].setText("0")
    press_ok(dialog)
    laboratory.until(lambda: len(session.facts.trials) == 2)
    assert session.state is RunState.DRAFT


def test_a_baseline_is_added_from_the_window(laboratory: Laboratory) -> None:
    window = with_a_trial(
        laboratory, lambda d: d
        .with_cell(Section.OBJECTIVES, 0, "limit_kind", "<=")
        .with_cell(Section.OBJECTIVES, 0, "limit", "2*baseline"),
    )  # fmt: skip
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.READY)
    told: list[Any] = []
    session.problems_found.connect(told.append)
    window.actions_by_name["run.start"].trigger()
    laboratory.until(lambda: bool(told))
    [problem] = told[0].items
    assert "there is no baseline trial. Add one by Manual trial" in problem.message

    laboratory.until(window.actions_by_name["trials.new_manual"].isEnabled)
    window.actions_by_name["trials.new_manual"].trigger()
    dialog: Any = window.findChild(QDialog, "dialog.manual_trial")
    dialog.form.fields["x"].setText("0,5")
    dialog.form.fields["y"].setText("0")
    dialog.is_baseline.click()
    dialog.way.set_value("by_hand")
    dialog.way.chosen.emit("by_hand")
    said = dialog.findChild(QLabel, "dialog.manual_trial.told").text()
    assert "Limits are compared with it" in said
    press_ok(dialog)
    laboratory.until(lambda: len(session.facts.trials) == 2)
    assert session.trial(1).generation.source is TrialSource.BASELINE
    window.trial_operations.enter_result(1)
    result: Any = window.findChild(QDialog, "dialog.enter_result")
    result.fields["depth"][0].setText("2")
    press_ok(result)
    laboratory.until(lambda: session.trial(1).status is TrialStatus.COMPLETED)

    laboratory.until(window.actions_by_name["run.start"].isEnabled)
    window.actions_by_name["run.start"].trigger()
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    assert len(told) == 1


def running(laboratory: Laboratory) -> MainWindow:
    """A window whose run holds two trials, after four that are done."""
    laboratory.hold.write_text("4", encoding="utf-8")
    window = laboratory.new(draft_of(bowl_setup(trials=30)))
    window.actions_by_name["run.start"].trigger()
    session = session_of(window)
    laboratory.until(lambda: [t.index for t in session.facts.pending] == [4, 5])
    return window


def test_all_corrections_are_taken_while_the_run_goes_on(laboratory: Laboratory) -> None:
    window = running(laboratory)
    session, trials = session_of(window), window.trial_operations
    trials.enter_result(0)
    dialog: Any = window.findChild(QDialog, "dialog.enter_result")
    dialog.fields["depth"][0].setText("-3,25")
    dialog.note.setText("read again")
    press_ok(dialog)
    trials.void(1)
    void: Any = window.findChild(QDialog, "dialog.void")
    press_ok(void)
    trials.toggle_excluded(2)
    trials.set_note(2, "foam")
    trials.run_again(0)
    laboratory.until(lambda: session.trial(0).latest("depth").mean == -3.25)
    laboratory.until(lambda: session.trial(1).status is TrialStatus.ABANDONED)
    laboratory.until(lambda: session.trial(2).is_excluded and session.trial(2).note == "foam")
    assert session.is_live
    laboratory.hold.unlink()
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    again = [
        t for t in session.facts.trials if t.parameters == session.trial(0).parameters and t.index
    ]
    assert [t.status for t in again] == [TrialStatus.COMPLETED]
    workspace = Workspace(laboratory.database, laboratory.plugins)
    history = workspace.history(session.id)
    workspace.close()
    told = {(entry.action, entry.trial_index): entry for entry in history}
    corrected = told["enter_result", 0]
    assert "depth = -3.25" in corrected.after
    assert "depth = -3.25" not in corrected.before
    assert "depth = " in corrected.before
    assert corrected.note == "read again"
    assert told["void", 1].before.startswith("completed; depth = ")
    assert told["set_excluded", 2].after == "excluded"


def test_files_are_kept_with_a_trial_and_opened(
    laboratory: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = running(laboratory)
    session = session_of(window)
    spectrum = tmp_path / "nmr spectrum.json"
    spectrum.write_text(json.dumps([1, 2]))
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(spectrum)], ""))
    window.selection.select(0)
    laboratory.until(window.actions_by_name["trials.attach_file"].isEnabled)
    window.actions_by_name["trials.attach_file"].trigger()
    laboratory.until(lambda: len(session.trial(0).attachments) == 1)
    [kept] = session.trial(0).attachments
    assert (kept.name, kept.size) == ("nmr spectrum.json", 6)
    spectrum.unlink()
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    window.trial_operations.open_file(kept)
    laboratory.until(lambda: bool(opened))
    copy = Path(opened[0].toLocalFile())
    assert copy.read_text() == "[1, 2]"
    copy.chmod(0o644)
    copy.write_text("[1, 3]")
    window.trial_operations.open_file(kept)
    laboratory.until(lambda: "was changed" in window.statusBar().currentMessage())
    window.trial_operations.detach_file(0, kept)
    laboratory.until(lambda: not session.trial(0).attachments)
    assert len(opened) == 1


def test_several_running_trials_are_marked_failed_together(laboratory: Laboratory) -> None:
    window = running(laboratory)
    session = session_of(window)
    pending = [t.index for t in session.facts.pending]
    window.trial_operations.mark_failed(*pending, 0)
    dialog: Any = window.findChild(QDialog, "dialog.mark_failed")
    assert dialog.windowTitle() == f"Mark #{pending[0]} and #{pending[1]} failed?"
    dialog.field.setPlainText("Spilt.")
    press_ok(dialog)
    laboratory.until(lambda: all(session.trial(i).reason == "Spilt." for i in pending))
    assert session.trial(0).status is TrialStatus.COMPLETED


def test_a_folder_that_the_runner_named_is_opened_if_it_is_there(
    stopped: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = coupling_experiment(RunState.STOPPED, "With folders")
    there, gone = tmp_path / "job.json", tmp_path / "gone" / "job.json"
    there.touch()
    for index, path in ((12, there), (13, gone)):
        experiment.put(replace(experiment.trial(index), metadata={"job": str(path)}))
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    stopped.open(stopped.workspace.add(experiment))
    stopped.window.selection.select(12)
    stopped.action("trials.open_folder").trigger()
    stopped.until(lambda: [Path(url.toLocalFile()) for url in opened] == [tmp_path])
    stopped.window.selection.select(13)
    stopped.action("trials.open_folder").trigger()
    stopped.until(lambda: "not there any more" in stopped.window.statusBar().currentMessage())


def test_the_models_next_suggestion_uses_a_correction(laboratory: Laboratory) -> None:
    window = laboratory.new(draft_of(bowl_setup("fast", trials=12)))
    window.actions_by_name["run.start"].trigger()
    session = session_of(window)
    laboratory.until(lambda: sum(t.status.is_terminal for t in session.facts.trials) > 4)
    laboratory.hold.touch()
    laboratory.until(lambda: len(session.facts.pending) == 2)
    window.trial_operations.enter_result(1)
    dialog: Any = window.findChild(QDialog, "dialog.enter_result")
    dialog.fields["depth"][0].setText("-500")
    press_ok(dialog)
    laboratory.until(lambda: session.trial(1).latest("depth").mean == -500)
    assert session.is_live
    known = {t.index for t in session.facts.trials}
    laboratory.hold.unlink()
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    bests = {
        t.index: t.generation.model_best[0]
        for t in session.facts.trials
        if t.generation.model_best is not None
    }
    # Nothing measured lies above 0; what is suggested from now on expects what was corrected.
    assert all(best < 100 for index, best in bests.items() if index in known)
    later = [best for index, best in bests.items() if index not in known]
    assert max(later) > 100
    assert later[-1] > 100


def test_what_a_power_cut_left_is_corrected_without_a_run(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Bowl")
    window = laboratory.open()
    dialog_of(laboratory, window).reject()
    session = session_of(window)
    assert session.state is RunState.INTERRUPTED
    laboratory.until(window.actions_by_name["trials.new_manual"].isEnabled)
    window.trial_operations.enter_result(0)
    entry: Any = window.findChild(QDialog, "dialog.enter_result")
    entry.fields["depth"][0].setText("2,5")
    press_ok(entry)
    laboratory.until(lambda: session.trial(0).status is TrialStatus.COMPLETED)
    window.trial_operations.void(0)
    void: Any = window.findChild(QDialog, "dialog.void")
    press_ok(void)
    laboratory.until(lambda: session.trial(0).status is TrialStatus.ABANDONED)
    assert session.trial(0).latest("depth").mean == 2.5
    laboratory.close(window)
    again = laboratory.open()
    dialog_of(laboratory, again)
    assert session_of(again).trial(0).latest("depth").mean == 2.5
    assert session_of(again).trial(0).reason == "voided"
