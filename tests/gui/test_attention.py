"""Attention: each question and error once, with what can be done about it, through the window."""

import platform
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QCheckBox, QDialog, QMainWindow, QPushButton, QWidget

from axdesk import __version__
from axdesk.core.commands import AnswerQuestion, EndCalls, EnterResult
from axdesk.core.drafts import draft_of
from axdesk.core.events import (
    CallFailed,
    QuestionAnswered,
    QuestionAsked,
    RunChanged,
    TrialChanged,
    TrialHealthChanged,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.questions import Answer, FailedCall, Question
from axdesk.core.run import OrchestrationConfig, RetryBudget, RunState
from axdesk.core.trial import TrialStatus
from axdesk.gui.models.attention_model import AttentionItem, Severity
from axdesk.gui.models.attention_report import plugin_file_of
from tests.gui.scenes import MemoryWorkspace, coupling_setup
from tests.gui.test_session import first_run, running_trial
from tests.gui.test_window import Bench
from tests.gui.test_window_models import shown_as
from tests.gui.test_window_run import PLUGIN, Laboratory, bowl_setup, press, session_of, text

QtBot = Any

POLLED = Question(
    0,
    "Trial 0: could not be polled (5 tries): poll_trial raised OSError: no reply.",
    "Nothing new starts until you decide; what runs goes on.",
    (Answer.ASK_RUNNER, Answer.MARK_FAILED, Answer.STOP_RUN),
    FailedCall.POLL,
)


@pytest.fixture
def asked(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    """A run that was paused by the error of a poll of #0, while #1 goes on."""
    bench = Bench(qtbot, MemoryWorkspace())
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    client = bench.start()
    bench.action("view.monitor").trigger()
    client.tell(
        TrialChanged(running_trial(1)),
        TrialHealthChanged(0, 5, "OSError: no reply"),
        QuestionAsked(POLLED),
        RunChanged(first_run(RunState.NEEDS_ATTENTION, reason="a decision is needed")),
    )
    bench.until(lambda: bench.session.attention_model.open_questions == 1)
    bench.until(lambda: bench.find("status.banner.state").text() == "Needs attention")
    yield bench
    bench.close()


def buttons(bench: Bench) -> dict[str, bool]:
    """Words of the answers → whether they can be pressed."""
    area = bench.find("attention.answers")
    shown = [b for b in area.findChildren(QPushButton) if not b.isHidden()]
    return {button.text(): button.isEnabled() for button in shown}


def test_an_error_that_pauses_the_run_is_told_once_with_its_ways_out(asked: Bench) -> None:
    items = asked.session.attention_model.items
    assert [item.title for item in items] == ["#0 stopped answering"]
    assert asked.find("status.banner.next").text() == (
        "Paused: #0 stopped answering. #1 goes on, nothing new starts"
    )
    assert buttons(asked) == {
        "Ask the runner again": True,
        "Mark failed and go on": True,
        "Enter result by hand…": True,
        "Stop run…": True,
    }
    facts = asked.session.facts
    assert shown_as(facts, 0) == "not_answering"
    assert facts.busy == 1
    asked.window.docks.show("trials")
    asked.press("status.banner.button")
    assert asked.find("attention.title").isVisible()


@pytest.mark.parametrize("answer", [Answer.ASK_RUNNER, Answer.MARK_FAILED])
@pytest.mark.parametrize("for_the_rest", [False, True])
def test_an_answer_may_hold_for_the_rest_of_the_run(
    asked: Bench, answer: Answer, for_the_rest: bool
) -> None:
    remember: QCheckBox = asked.find("attention.remember", QCheckBox)
    assert remember.isVisible()
    remember.setChecked(for_the_rest)
    if for_the_rest:
        assert buttons(asked) == {
            "Ask the runner again": True,
            "Mark failed and go on": True,
            "Enter result by hand…": False,
            "Stop run…": False,
        }
    client = asked.workspace.clients[-1]
    client.answers_at_once = False
    asked.find(f"attention.answer.{answer.value}", QPushButton).click()
    assert client.commands == [AnswerQuestion(0, answer, for_the_rest)]
    # Once is enough: nothing can be pressed until the answer is carried out.
    asked.until(lambda: not any(buttons(asked).values()))
    assert not remember.isEnabled()
    client.tell(QuestionAnswered(0, answer), RunChanged(first_run()))
    client.futures[-1].set_result(None)
    asked.until(lambda: asked.session.attention_model.open_questions == 0)
    asked.until(lambda: asked.window.docks["attention"].windowTitle() == "Attention")


def test_stopping_the_run_is_confirmed(asked: Bench) -> None:
    client = asked.workspace.clients[-1]
    asked.find("attention.answer.stop_run", QPushButton).click()
    asked.dialog("dialog.stop_run").choose("cancel")
    assert client.commands == []
    asked.until(lambda: asked.window.findChild(QDialog, "dialog.stop_run") is None)
    asked.find("attention.answer.stop_run", QPushButton).click()
    asked.dialog("dialog.stop_run").choose("stop")
    assert client.commands == [AnswerQuestion(0, Answer.STOP_RUN)]


def test_a_question_that_is_settled_otherwise_takes_its_dialog_away(asked: Bench) -> None:
    asked.find("attention.answer.stop_run", QPushButton).click()
    asked.dialog("dialog.stop_run")
    client = asked.workspace.clients[-1]
    client.tell(QuestionAnswered(0, None))
    asked.until(lambda: asked.window.findChild(QDialog, "dialog.stop_run") is None)


def test_a_result_entered_by_hand_answers_the_question(asked: Bench) -> None:
    asked.find("attention.answer.enter_result", QPushButton).click()
    dialog = asked.dialog("dialog.enter_result")
    dialog.fields["Yield"][0].setText("80,5")
    dialog.fields["Impurity"][0].setText("1")
    dialog.choose("ok")
    client = asked.workspace.clients[-1]
    assert client.commands == [EnterResult(0, {"Yield": 80.5, "Impurity": 1.0})]


def test_the_window_asks_for_a_look_only_when_more_is_asked(
    asked: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerts: list[object] = []
    monkeypatch.setattr(QApplication, "alert", lambda *args: alerts.append(args))
    monkeypatch.setattr(asked.window, "isActiveWindow", lambda: False)  # else nothing flashes
    client = asked.workspace.clients[-1]
    client.tell(QuestionAsked(replace(POLLED, trial_index=1)))
    asked.until(lambda: len(alerts) == 1)
    client.tell(QuestionAnswered(0, Answer.ASK_RUNNER))
    asked.until(lambda: asked.session.attention_model.open_questions == 1)
    asked.until(lambda: asked.window.docks["attention"].windowTitle() == "Attention (1)")
    assert len(alerts) == 1


BROKEN = PLUGIN.replace(
    "    def poll_trial(self, trial_index, trial_metadata):\n",
    "    def poll_trial(self, trial_index, trial_metadata):\n"
    '        if trial_index == 1 and Path(__file__).with_name("broken").exists():\n'
    '            raise OSError("no reply from the valve")\n',
)


@pytest.fixture
def laboratory(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Laboratory]:
    laboratory = Laboratory(tmp_path, qtbot)
    (laboratory.plugins / "bowl.py").write_text(BROKEN, encoding="utf-8")
    (laboratory.plugins / "broken").touch()
    yield laboratory
    for window in list(laboratory.windows):
        laboratory.close(window)


@pytest.mark.parametrize("way", ["ask_runner", "mark_failed", "enter_result"])
def test_a_run_that_pauses_on_an_error_goes_on_as_the_operator_says(
    laboratory: Laboratory, way: str
) -> None:
    setup = bowl_setup(trials=4)
    config = OrchestrationConfig(
        min_seconds_between_launches=0, on_error="pause", retry_budget=RetryBudget(2, 2),
        max_seconds_between_polls=0.05,
    )  # fmt: skip
    run = replace(setup.run, orchestration=config)
    window = laboratory.new(draft_of(replace(setup, run=run)))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: text(window, "status.banner.state") == "Needs attention")
    laboratory.until(
        lambda: any(i.severity is Severity.QUESTION for i in session.attention_model.items)
    )
    [item] = [i for i in session.attention_model.items if i.severity is Severity.QUESTION]
    assert item.title == "#1 stopped answering"
    assert "no reply from the valve" in item.happened
    laboratory.until(lambda: 'raise OSError("no reply from the valve")' in item_of(session).details)
    first = item_of(session).details.splitlines()[1]
    assert "bowl.py" in first  # the laboratory's own frame comes first
    window.docks.show("attention")
    (laboratory.plugins / "broken").unlink()
    button: Any = window.findChild(QWidget, f"attention.answer.{way}")
    button.click()
    if way == "enter_result":
        dialog: Any = window.findChild(QDialog, "dialog.enter_result")
        dialog.fields["depth"][0].setText("3")
        dialog.choose("ok")
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    wanted = TrialStatus.FAILED if way == "mark_failed" else TrialStatus.COMPLETED
    assert session.facts.trials[1].status is wanted
    assert not [d for d in window.findChildren(QDialog) if d.isVisible()]


def item_of(session: Any) -> Any:
    return session.attention_model.items[0]


HANGING = PLUGIN.replace(
    "    def poll_trial(self, trial_index, trial_metadata):\n",
    "    def poll_trial(self, trial_index, trial_metadata):\n"
    '        stuck = Path(__file__).with_name("stuck")\n'
    "        if trial_index == 1 and stuck.exists():\n"
    "            import time\n"
    '            Path(__file__).with_name("hangs").touch()\n'
    "            while True:\n"
    "                time.sleep(60)\n",
).replace(
    "    def stop_trial(self, trial_index, trial_metadata):\n",
    "    def stop_trial(self, trial_index, trial_metadata):\n"
    '        while Path(__file__).with_name("deaf").exists():\n'
    "            import time\n"
    "            time.sleep(0.05)\n",
)


def patient(setup: Any) -> Any:
    """The set-up with calls that may take long, of which it is told soon."""
    config = OrchestrationConfig(min_seconds_between_launches=0, max_seconds_between_polls=0.3)
    return replace(setup, run=replace(setup.run, orchestration=config))


def test_a_plugin_that_hangs_is_waited_for_or_its_process_ended(laboratory: Laboratory) -> None:
    (laboratory.plugins / "bowl.py").write_text(HANGING, encoding="utf-8")
    stuck = laboratory.plugins / "stuck"
    stuck.touch()
    window = laboratory.new(draft_of(patient(bowl_setup(trials=4))))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)

    def silent() -> list[Any]:
        items = session.attention_model.items
        return [i for i in items if i.is_silent and i.title == "#1 is not answering"]

    # A slow machine may be told of, too; only a poll that is known to hang is ended for sure.
    laboratory.until((laboratory.plugins / "hangs").exists)
    laboratory.until(lambda: bool(silent()))
    [item] = silent()
    assert "so does all else that is asked of the same plugin file. After 2\u00a0min" in item.did
    laboratory.until(lambda: text(window, "status.banner.next").startswith("#1 is not answering"))
    window.docks.show("attention")
    stuck.unlink()
    laboratory.until(lambda: window.findChild(QPushButton, "attention.end_calls") is not None)
    press(laboratory, window, "attention.end_calls")
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    assert [t.status for t in session.facts.trials] == [TrialStatus.COMPLETED] * 4


def test_a_deployment_that_hangs_is_told_before_anything_is_stopped(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch
) -> None:
    flashed: list[object] = []
    monkeypatch.setattr(QApplication, "alert", lambda *window: flashed.append(window))
    monkeypatch.setattr(QMainWindow, "isActiveWindow", lambda _: False)  # else nothing flashes
    stuck = laboratory.plugins / "stuck"
    hangs = PLUGIN.replace(
        "    def run_trial(self, trial_index, parameterization):\n",
        "    def run_trial(self, trial_index, parameterization):\n"
        '        while trial_index == 2 and Path(__file__).with_name("stuck").exists():\n'
        "            import time\n"
        "            time.sleep(0.05)\n",
    )
    (laboratory.plugins / "bowl.py").write_text(hangs, encoding="utf-8")
    laboratory.hold.touch()
    window = laboratory.new(draft_of(patient(bowl_setup(trials=4))))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2)
    stuck.write_text("")
    laboratory.hold.unlink()

    def held_up() -> list[Any]:
        return [i for i in session.attention_model.items if i.holds_up and i.trial_index == 2]

    laboratory.until(lambda: bool(held_up()))
    [item] = held_up()
    assert item.title == "bowl is not answering (#2)"
    assert "run_trial has not answered for" in item.happened
    laboratory.until(lambda: bool(flashed))
    laboratory.until(
        lambda: "nothing new starts before it does" in text(window, "status.banner.next")
    )
    window.actions_by_name["view.setup"].trigger()
    laboratory.until(lambda: text(window, "status.banner.button") == "Go to the problem")
    press(laboratory, window, "status.banner.button")
    assert text(window, "attention.title") == "bowl is not answering (#2)"
    press(laboratory, window, "attention.end_calls")
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)
    assert not held_up()
    statuses = [t.status for t in session.facts.trials]
    assert statuses == [TrialStatus.COMPLETED] * 2 + [TrialStatus.FAILED, TrialStatus.COMPLETED]
    assert "may have started" in session.facts.trials[2].reason


def test_waiting_takes_the_item_away_until_there_is_more_to_tell(asked: Bench) -> None:
    client = asked.workspace.clients[-1]
    silent = TrialHealthChanged(
        1, 1, "poll_trial has not answered for 60 s", datetime.now(UTC), is_silent=True
    )
    client.tell(silent)
    asked.until(lambda: asked.session.attention_model.rowCount() == 2)
    view = asked.window.attention_view
    view._list.setCurrentIndex(asked.session.attention_model.index(1))
    asked.until(lambda: buttons(asked).keys() >= {"Wait", "End its process", "Enter result…"})
    asked.press("attention.wait")
    assert asked.session.attention_model.rowCount() == 1
    client.tell(replace(silent, failures=2))
    asked.until(lambda: asked.session.attention_model.rowCount() == 2)
    view._list.setCurrentIndex(asked.session.attention_model.index(1))
    asked.until(lambda: buttons(asked).get("End its process", False))
    asked.press("attention.end_calls")
    assert client.commands == [EndCalls(1)]


def test_what_does_not_stop_is_left_behind_on_demand(laboratory: Laboratory) -> None:
    (laboratory.plugins / "bowl.py").write_text(HANGING, encoding="utf-8")
    deaf = laboratory.plugins / "deaf"
    deaf.touch()
    laboratory.hold.touch()
    window = laboratory.new(draft_of(patient(bowl_setup(trials=4))))
    press(laboratory, window, "toolbar.run.start")
    session = session_of(window)
    laboratory.until(lambda: [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2)
    leave = window.actions_by_name["run.stop_now"]
    laboratory.until(leave.isEnabled)
    leave.trigger()
    first: Any = window.findChild(QDialog, "dialog.stop_now")
    first.choose("stop")
    laboratory.until(lambda: session.state is RunState.STOPPING)
    laboratory.until(lambda: "Stopping #0 and #1" in text(window, "status.banner.next"))
    laboratory.until(lambda: leave.text() == "Leave behind…")
    laboratory.until(lambda: window.findChild(QDialog, "dialog.stop_now") is None)
    leave.trigger()
    second: Any = window.findChild(QDialog, "dialog.stop_now")
    assert second.windowTitle() == "Leave #0 and #1 behind?"
    second.choose("stop")
    laboratory.until(lambda: session.state is RunState.STOPPED and not session.is_live)
    assert [t.status for t in session.facts.trials] == [TrialStatus.RUNNING] * 2
    deaf.unlink()
    laboratory.hold.unlink()
    laboratory.until(window.actions_by_name["run.start"].isEnabled)
    press(laboratory, window, "toolbar.run.start")
    laboratory.until(lambda: session.state is RunState.COMPLETED and not session.is_live)


def test_what_is_copied_tells_the_versions_and_what_opens_is_what_failed(
    asked: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(
        "axdesk.gui.operations.QDesktopServices.openUrl",
        lambda url: opened.append(Path(url.toLocalFile()).name),
    )
    asked.press("attention.copy_report")
    report = QGuiApplication.clipboard().text()
    assert "no reply" in report
    assert f"axdesk {__version__}, Python {platform.python_version()}" in report
    assert "Experiment: Suzuki coupling B, needs attention" in report
    asked.press("attention.open_plugin")
    assert opened == ["suzuki_cell.py"]


@pytest.mark.parametrize(
    ("happened", "details", "file"),
    [
        ("fetching Impurity has not answered for 60 s", "", "hplc.py"),
        ("Result could not be fetched (5 tries): Hplc.fetch of trial 0 raised OSError", "",
         "hplc.py"),
        ("The metric 'Impurity' answered (0, True) for trial 0: it is True.", "", "hplc.py"),
        ("poll_trial has not answered for 60 s", "", "cell.py"),
        ("poll_trial raised OSError", 'File "/lab/helpers.py", line 3, in ask', "helpers.py"),
        ("poll_trial raised OSError", 'File "C:\\lab\\wires.py", line 3, in ask', "wires.py"),
    ],
)  # fmt: skip
def test_the_file_of_an_item_is_the_one_that_failed(happened: str, details: str, file: str) -> None:
    setup = replace(
        coupling_setup(),
        runner=PluginChoice("cell.py:Cell", {}),
        metrics=(
            ("Yield", PluginChoice("nmr.py:Nmr", {})),
            ("Impurity", PluginChoice("hplc.py:Hplc", {})),
        ),
    )
    item = AttentionItem(Severity.ERROR, "#0 failed", "", happened, trial_index=0, details=details)
    assert plugin_file_of(item, setup) == file
    assert plugin_file_of(replace(item, trial_index=None, details=""), setup) == ""


def test_each_item_is_shown_from_its_begin_with_its_details_folded(asked: Bench) -> None:
    client = asked.workspace.clients[-1]
    trace = "\n".join(f"line {n}" for n in range(40))
    failed = running_trial(1).moved_to(TrialStatus.FAILED, reason="spilt")
    client.tell(CallFailed(1, trace), TrialChanged(failed))
    asked.until(lambda: asked.session.attention_model.rowCount() == 2)
    asked.window.resize(1024, 640)
    view = asked.window.attention_view
    view._list.setCurrentIndex(asked.session.attention_model.index(1))
    asked.press("attention.details")
    bar = view._area.verticalScrollBar()
    asked.until(lambda: bar.value() > 0)
    assert view._trace.isVisible()
    view._list.setCurrentIndex(asked.session.attention_model.index(0))
    assert (bar.value(), view._details.button.isChecked()) == (0, False)
