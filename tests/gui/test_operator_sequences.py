"""Whatever an operator and the laboratory do, in any order, the window never contradicts the run.

The run is a real one, with its scheduler, its thread and its database; only the laboratory is
played by the test, which says when trials finish, fail, or stop answering.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QDialog, QPushButton

from axdesk.api.client import Client
from axdesk.api.client_state import Opened
from axdesk.api.optimizer_thread import OptimizerThread
from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.errors import CallFailedError
from axdesk.core.run import OrchestrationConfig, RetryBudget, RunAction, RunState, allowed_actions
from axdesk.core.trial import Observation, TrialStatus
from axdesk.gui.main_window import MainWindow
from axdesk.gui.theme import run_state_look
from axdesk.gui.workbench import Workbench
from tests.gui.test_window_run import PLUGIN, bowl_setup

QtBot = Any


def answered(value: Any = None, error: Exception | None = None) -> "Future[Any]":
    future: Future[Any] = Future()
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)
    return future


class PlayedLaboratory:
    """Plugins whose trials do what the test says; every call is answered at once."""

    can_stop = True
    can_find = False
    metric_names = ("depth",)
    runner_name = "Bowl"

    def __init__(self) -> None:
        self.said: dict[int, TrialStatus] = {}
        self.is_broken = False

    def run_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> "Future[Any]":
        return answered({"index": trial_index})

    def poll_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> "Future[Any]":
        if self.is_broken:
            return answered(error=CallFailedError("poll_trial raised OSError: no reply."))
        return answered(self.said.get(trial_index, TrialStatus.RUNNING))

    def stop_trial(self, trial_index: int, trial_metadata: Mapping[str, Any]) -> "Future[Any]":
        return answered({})

    def find_trial(self, trial_index: int, parameterization: Mapping[str, Any]) -> "Future[Any]":
        return answered(None)

    def fetch(
        self, metric_name: str, trial_index: int, trial_metadata: Mapping[str, Any]
    ) -> "Future[Any]":
        return answered(Observation(metric_name, float(trial_index), None))

    def available_while_running(self) -> "Future[Any]":
        return answered(())

    def give_up(self, answer: "Future[Any]", reason: str) -> bool:
        return answer.done()

    def listen(self, told: Callable[[str, str], None] | None) -> None:
        pass

    def close(self) -> None:
        pass


class PlayedWorkspace(Workspace):
    """A real workspace whose clients work in the played laboratory."""

    def __init__(self, database: Path, plugins: Path, laboratory: PlayedLaboratory) -> None:
        super().__init__(database, plugins)
        self._laboratory = laboratory

    def open(self, experiment_id: int) -> Client:
        opened = Opened(
            self._store, self.experiment(experiment_id), calls=self._laboratory,
            optimizer=OptimizerThread(), is_shared=True,
        )  # fmt: skip
        return Client(opened=opened)


class Play:
    """The window, the laboratory, and what an operator may do; each step leaves it settled."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        (folder / "plugins").mkdir()
        (folder / "plugins" / "bowl.py").write_text(PLUGIN, encoding="utf-8")
        self.qtbot = qtbot
        self.laboratory = PlayedLaboratory()
        self.workbench = Workbench(
            lambda _: PlayedWorkspace(folder / "lab.db", folder / "plugins", self.laboratory)
        )
        self.window = MainWindow(self.workbench)
        self.window.show()
        with qtbot.waitSignal(self.workbench.loaded, timeout=20000):
            self.workbench.begin()
        self.count = 0

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=20000)

    @property
    def session(self) -> Any:
        return self.workbench.current

    def begin(self, trials: int) -> None:
        """Show a new experiment."""
        self.laboratory.said.clear()
        self.laboratory.is_broken = False
        self.count += 1
        setup = bowl_setup(trials=trials)
        config = OrchestrationConfig(
            min_seconds_between_launches=0, on_error="pause", retry_budget=RetryBudget(1, 1),
            max_seconds_between_polls=0.02,
        )  # fmt: skip
        run = replace(
            setup.run, orchestration=config, initial_seconds_between_polls=0.01,
            tolerated_trial_failure_rate=0.7,
        )  # fmt: skip
        self.workbench.new(draft_of(replace(setup, name=f"Bowl {self.count}", run=run)))
        name = f"Bowl {self.count}"
        self.until(lambda: self.session is not None and self.session.facts.name == name)
        self.until(lambda: not self.session.draft_model.is_reading_plugins)
        self.settle()

    def end(self) -> None:
        """Have the run end, whatever it is doing."""
        session = self.session
        for _ in range(3):
            if session.is_live:
                session.stop_now()
        self.until(lambda: not session.is_live and not session.is_opening)

    # what an operator may do

    def press(self, name: str) -> None:
        button = self.window.findChild(QPushButton, name)
        if button is not None and button.isVisible() and button.isEnabled():
            self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def choose(self, name: str, key: str) -> None:
        dialog: Any = self.window.findChild(QDialog, name)
        if dialog is not None:
            dialog.choose(key)

    def stop_now(self, key: str) -> None:
        self.press("toolbar.run.stop_now")
        self.choose("dialog.stop_now", key)

    def add_trials(self) -> None:
        action = self.window.actions_by_name["run.add_trials"]
        if action.isEnabled():
            action.trigger()
            self.choose("dialog.add_trials", "ok")

    def pending(self) -> list[int]:
        return [trial.index for trial in self.session.facts.pending]

    def say(self, status: TrialStatus) -> None:
        for index in self.pending()[:1]:
            self.laboratory.said[index] = status

    def enter_result(self) -> None:
        for index in self.pending()[:1]:
            self.window.trial_operations.enter_result(index)
            dialog: Any = self.window.findChild(QDialog, "dialog.enter_result")
            dialog.fields["depth"][0].setText("1,5")
            dialog.choose("ok")

    def mark_failed(self) -> None:
        for index in self.pending()[:1]:
            self.window.trial_operations.mark_failed(index)
            self.choose("dialog.mark_failed", "ok")

    def break_down(self) -> None:
        self.laboratory.is_broken = True

    def mend(self) -> None:
        self.laboratory.is_broken = False

    def answer(self, answer: str) -> None:
        self.window.docks.show("attention")
        self.window.attention_view.show_first()
        QApplication.processEvents()
        self.press(f"attention.answer.{answer}")
        self.choose("dialog.stop_run", "stop")

    def edit_budget(self) -> None:
        budget = self.session.facts.budget
        self.session.draft_model.edit(Section.RUN, 0, "max_trials", str(budget + 1))
        self.window.actions_by_name["view.setup"].trigger()
        self.settle()
        self.press("setup.changes.apply")
        self.window.actions_by_name["view.monitor"].trigger()

    def close_and_think_better(self) -> None:
        if any(s.facts.asks_before_closing for s in self.workbench.live_sessions):
            self.window.close()
            assert self.window.isVisible()
            self.choose("dialog.close", "cancel")

    def leave_and_come_back(self) -> None:
        number = self.session.id
        self.workbench.show_start_page()
        self.workbench.open(number)
        self.until(lambda: self.session is not None and self.session.id == number)

    # what must hold

    def settle(self) -> None:
        """Wait until the window shows all that the run has told."""
        session = self.session
        self.until(lambda: self._is_settled(session))

    def _is_settled(self, session: Any) -> bool:
        if session.is_opening or session.facts.answering or session._coalesce.isActive():
            return False
        client = session._run.client
        scheduler = None if client is None else client._scheduler
        if scheduler is None or not session.is_live:
            return scheduler is None and not session.is_live
        known = (session.state, len(session.facts.pending))
        pending = sum(t.status.is_pending for t in scheduler.experiment.trials.copy().values())
        wanted = min(session.facts.run.settings.parallelism, session.facts.budget)
        is_filled = (
            session.state is not RunState.RUNNING
            or session.facts.busy >= wanted
            or len(session.facts.of_run) >= session.facts.budget
        )
        may_end = session.state is RunState.STOPPING and not pending
        return known == (scheduler.current.state, pending) and is_filled and not may_end

    def check(self) -> None:
        """The window shows what the table says of the run's state."""
        session, window = self.session, self.window
        facts, actions = session.facts, window.actions_by_name
        state = facts.state
        allowed = allowed_actions(state, len(facts.pending))
        expected = {
            "start": bool(allowed & {RunAction.START, RunAction.RESUME}),
            "pause": RunAction.PAUSE in allowed,
            "stop": RunAction.STOP in allowed,
            "stop_now": RunAction.STOP_NOW in allowed,
        }
        shown = {name: actions[f"run.{name}"].isEnabled() for name in expected}
        assert shown == expected, state
        for name, is_on in expected.items():
            button = window.findChild(QPushButton, f"toolbar.run.{name}")
            assert button is not None
            assert button.isEnabled() == is_on, (state, name)
        assert window.banner._state.text() == run_state_look(state.value).word
        assert session.is_live == state.is_live
        asked = {question.trial_index for question in facts.questions}
        items = session.attention_model.items
        assert {i.trial_index for i in items if i.answers} == asked
        if state is RunState.NEEDS_ATTENTION:
            assert asked
        left = [d.objectName() for d in window.findChildren(QDialog) if d.isVisible()]
        assert not left, left
        assert QApplication.activeModalWidget() is None

    def close(self) -> None:
        self.window.close()
        self.until(self.workbench.io.isFinished)
        self.window.deleteLater()


STEPS: dict[str, Callable[[Play], object]] = {
    "start": lambda play: play.press("toolbar.run.start"),
    "pause": lambda play: play.press("toolbar.run.pause"),
    "stop": lambda play: play.press("toolbar.run.stop"),
    "banner": lambda play: play.press("status.banner.button"),
    "stop now": lambda play: play.stop_now("stop"),
    "no stop now": lambda play: play.stop_now("cancel"),
    "add trials": Play.add_trials,
    "finish": lambda play: play.say(TrialStatus.COMPLETED),
    "fail": lambda play: play.say(TrialStatus.FAILED),
    "enter result": Play.enter_result,
    "mark failed": Play.mark_failed,
    "break down": Play.break_down,
    "mend": Play.mend,
    "ask again": lambda play: play.answer("ask_runner"),
    "answer failed": lambda play: play.answer("mark_failed"),
    "answer stop": lambda play: play.answer("stop_run"),
    "edit budget": Play.edit_budget,
    "close": Play.close_and_think_better,
    "leave": Play.leave_and_come_back,
}


@pytest.fixture
def play(tmp_path: Path, qtbot: QtBot, qapp: QApplication) -> Iterator[Play]:
    play = Play(tmp_path, qtbot)
    yield play
    play.close()


@settings(
    max_examples=15,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.sampled_from([1, 2, 4]), st.lists(st.sampled_from(sorted(STEPS)), min_size=3, max_size=9))
def test_no_sequence_of_actions_makes_the_window_contradict_the_run(
    play: Play, trials: int, steps: list[str]
) -> None:
    play.begin(trials)
    play.check()
    try:
        for step in ("start", *steps):
            STEPS[step](play)
            play.choose("dialog.add_trials", "cancel")  # where Start offers them
            # What it starts is told by the run, within its poll and the window's 100 ms. From
            # the moment that the window is settled nothing is delivered until it is checked.
            play.qtbot.wait(20)
            play.settle()
            play.check()
    finally:
        play.laboratory.is_broken = False
        play.end()
