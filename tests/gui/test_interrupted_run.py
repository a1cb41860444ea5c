"""A run that was cut off, through the real window: decided about, left stopped, resumed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from axdesk.api.workspace import Workspace
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import Run, RunState
from axdesk.core.trial import Arm, Generation, Trial, TrialSource, TrialStatus
from axdesk.gui.main_window import MainWindow
from axdesk.storage.store import SqlStore
from tests.gui.test_window_models import shown_as
from tests.gui.test_window_run import (
    PLUGIN,
    Laboratory,
    bowl_setup,
    open_experiment,
    press,
    session_of,
    text,
)

QtBot = Any

FINDER = '''

import time


class Finder(Bowl):
    """Remembers what it deployed in a file."""

    def find_trial(self, trial_index, parameterization):
        known = Path(__file__).with_name("deployed").read_text().split()
        if str(trial_index) in known:
            return {"index": trial_index, **parameterization}
        return None


class Hanging(Finder):
    """Looks for its trials until it is told to come back."""

    def find_trial(self, trial_index, parameterization):
        here = Path(__file__)
        with here.with_name("asked").open("a") as file:
            file.write(f"{trial_index}\\n")
        while not here.with_name("enough").exists():
            time.sleep(0.01)
        return None
'''


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path, qtbot)
    (laboratory.plugins / "bowl.py").write_text(PLUGIN + FINDER, encoding="utf-8")
    (laboratory.plugins / "deployed").write_text("1", encoding="utf-8")
    yield laboratory
    for window in list(laboratory.windows):
        laboratory.close(window)


def cut_off(laboratory: Laboratory, runner: str) -> None:
    """As a power cut leaves it: 0 runs, 1 and 2 were being deployed."""
    setup = replace(bowl_setup(trials=4), runner=PluginChoice(f"bowl.py:{runner}", {}))
    store = SqlStore.at(laboratory.database)
    experiment = store.create(setup)
    now = datetime.now(UTC)
    run = Run(0, setup.run, RunState.RUNNING, started_at=now)
    with store.control(experiment):
        store.save_run(experiment, run)
        experiment.put_run(run)
        for index in range(3):
            staged = Trial(
                index, Arm(f"{index}_0", {"x": index / 2, "y": 0.0}),
                Generation(TrialSource.SOBOL), run_index=0, staged_at=now,
            ).moved_to(TrialStatus.STAGED)  # fmt: skip
            trial = staged
            if index == 0:
                metadata = {"index": 0, "x": 0.0, "y": 0.0}
                trial = staged.moved_to(TrialStatus.RUNNING, metadata=metadata, started_at=now)
            store.save_trial(experiment, trial)
            experiment.put(trial)
    store.close()


def dialog_of(laboratory: Laboratory, window: MainWindow) -> Any:
    open_experiment(laboratory, window)
    laboratory.until(lambda: window.findChild(QDialog, "dialog.interrupted") is not None)
    return window.findChild(QDialog, "dialog.interrupted")


def say(dialog: Any, index: int, key: str) -> None:
    dialog.rows[index].choice.set_value(key)
    dialog.rows[index].choice.chosen.emit(key)


def test_the_runner_says_what_became_of_each(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Finder")
    window = laboratory.open()
    dialog = dialog_of(laboratory, window)
    dialog.findChild(QPushButton, "dialog.interrupted.check_all").click()
    laboratory.until(lambda: dialog._checked.text().startswith("Checked at"))
    words = [dialog.rows[index]._word.text() for index in range(3)]
    assert words == ["Finished, result ready", "Still running", "It never started"]
    assert dialog.buttons["resume"].isEnabled()
    press(laboratory, window, "dialog.interrupted.resume")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    assert [t.status for t in session.facts.trials] == [TrialStatus.COMPLETED] * 4


def test_what_the_operator_says_is_carried_out_before_the_run_goes_on(
    laboratory: Laboratory,
) -> None:
    cut_off(laboratory, "Bowl")
    window = laboratory.open()
    dialog = dialog_of(laboratory, window)
    assert not dialog.buttons["resume"].isEnabled()
    say(dialog, 1, "redeploy")
    say(dialog, 2, "enter_result")
    entry: Any = dialog.findChild(QDialog, "dialog.enter_result")
    entry.fields["depth"][0].setText("0.25")
    entry.choose("ok")
    press(laboratory, window, "dialog.interrupted.resume")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    trials = session.facts.trials
    assert [t.status for t in trials] == [TrialStatus.COMPLETED] * 4
    assert trials[1].metadata is not None
    assert trials[2].metadata is None
    assert trials[2].observations[0].mean == 0.25
    assert session.attention_model.open_questions == 0


def test_left_stopped_it_stays_so_and_keeps_what_was_said(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Bowl")
    window = laboratory.open()
    dialog = dialog_of(laboratory, window)
    say(dialog, 2, "abandon")
    press(laboratory, window, "dialog.interrupted.leave_stopped")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.STOPPED)
    statuses = [t.status for t in session.facts.trials]
    assert statuses == [TrialStatus.RUNNING, TrialStatus.STAGED, TrialStatus.ABANDONED]
    laboratory.close(window)
    workspace = Workspace(laboratory.database, laboratory.plugins)
    [summary] = workspace.summaries()
    workspace.close()
    assert summary.state is RunState.STOPPED


def test_resuming_with_a_question_open_leaves_the_question(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Bowl")
    window = laboratory.open()
    dialog = dialog_of(laboratory, window)
    say(dialog, 2, "mark_failed")
    press(laboratory, window, "dialog.interrupted.leave_stopped")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.STOPPED)
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: session.attention_model.open_questions == 1)
    # The other trials go on until only the question is left.
    laboratory.until(lambda: text(window, "status.banner.state") == "Needs attention")
    assert [t.status for t in session.facts.trials][3] is TrialStatus.COMPLETED
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: session.state is RunState.NEEDS_ATTENTION)
    assert session.attention_model.open_questions == 1
    press(laboratory, window, "status.banner.button")
    press(laboratory, window, "attention.answer.redeploy")
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    laboratory.until(lambda: session.attention_model.open_questions == 0)
    assert session.facts.trials[1].status is TrialStatus.COMPLETED


def test_leaving_waits_for_no_runner_that_is_being_asked(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Hanging")
    window = laboratory.open()
    dialog = dialog_of(laboratory, window)
    dialog.findChild(QPushButton, "dialog.interrupted.check_all").click()
    asked = laboratory.plugins / "asked"
    laboratory.until(asked.exists)
    press(laboratory, window, "dialog.interrupted.leave_stopped")
    session = session_of(window)
    laboratory.until(lambda: session.state is RunState.STOPPED)
    assert shown_as(session.facts, 1) == "may_have_started"
    (laboratory.plugins / "enough").touch()
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: session.state is RunState.COMPLETED)
    # 2 was looked for by the run alone, not by the check that was left.
    assert sorted(asked.read_text().split()) == ["1", "1", "2"]


def test_the_dialog_closes_once_the_run_is_stopped_otherwise(laboratory: Laboratory) -> None:
    cut_off(laboratory, "Finder")
    window = laboratory.open()
    dialog_of(laboratory, window)
    session = session_of(window)
    session.leave_stopped()
    laboratory.until(lambda: session.state is RunState.STOPPED)
    laboratory.until(lambda: window.findChild(QDialog, "dialog.interrupted") is None)
