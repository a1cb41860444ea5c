"""The presenter of one experiment, with a client whose run the test writes."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from axdesk.core.commands import (
    AnswerQuestion,
    ChangeRunSettings,
    EditSetup,
    EnterResult,
    Pause,
    Resume,
    SetNote,
    Stop,
    StopNow,
)
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import AxdeskError, CallFailedError, DecisionNeededError, StorageError
from axdesk.core.events import (
    FallbackUsed,
    PluginPrinted,
    QuestionAnswered,
    QuestionAsked,
    RunChanged,
    RunFinished,
    SetupChanged,
    StorageHealthChanged,
    SuggestionStarted,
    TrialChanged,
    TrialHealthChanged,
    Warned,
)
from axdesk.core.questions import Answer, Question
from axdesk.core.run import Run, RunAction, RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.attention_model import Severity
from axdesk.gui.models.banner_content import banner_content, next_step
from axdesk.gui.models.log_model import MOST_PRINTED, LogLevel
from axdesk.gui.models.run_facts import status_word
from axdesk.gui.scheduler_thread import MOST_PRINTED as MOST_WAITING
from axdesk.gui.session import ExperimentSession
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup

QtBot = Any


class Desk:
    """A workspace in memory, the I/O thread, and sessions on them."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.workspace = MemoryWorkspace()
        self.io = IoThread(lambda: self.workspace)  # type: ignore[arg-type,return-value]
        self.io.start()
        self.plugin_io = IoThread(self.io)
        self.plugin_io.start()
        self.sessions: list[ExperimentSession] = []

    def draft(self, draft: Draft) -> ExperimentSession:
        number = self.workspace.new_draft(draft)
        return self._open(ExperimentSession(number, draft, self.io, self.plugin_io))

    def experiment(self, state: RunState, **run: Any) -> ExperimentSession:
        experiment = coupling_experiment(state)
        experiment.runs[-1] = replace(experiment.runs[-1], **run)
        number = self.workspace.add(experiment)
        stored = self.workspace.experiments[number]
        draft = draft_of(stored.setup)
        return self._open(
            ExperimentSession(number, draft, self.io, self.plugin_io, experiment=stored)
        )

    def _open(self, session: ExperimentSession) -> ExperimentSession:
        self.sessions.append(session)
        return session

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=5000)

    def started(self, session: ExperimentSession) -> Any:
        """Start a session and return its client."""
        session.start()
        self.until(lambda: session.is_live)
        return self.workspace.clients[-1]

    def close(self) -> None:
        for client in self.workspace.clients:
            client.end()
        self.until(lambda: not any(s.is_live for s in self.sessions))
        for session in self.sessions:
            session.close()
        self.plugin_io.end()
        assert self.plugin_io.wait(5000)
        self.io.end()
        assert self.io.wait(5000)


@pytest.fixture
def desk(qtbot: QtBot, qapp: QApplication) -> Iterator[Desk]:
    desk = Desk(qtbot)
    yield desk
    desk.close()


def first_run(state: RunState = RunState.RUNNING, **changes: Any) -> Run:
    return Run(0, **{"settings": coupling_setup().run, "state": state, **changes})


def running_trial(index: int) -> Trial:
    return replace(coupling_experiment().trials[19], index=index)


def test_a_draft_is_ready_only_once_it_has_no_problem(desk: Desk) -> None:
    draft = draft_of(coupling_setup())
    session = desk.draft(draft)
    assert session.state is RunState.READY
    session.draft_model.edit(Section.PARAMETERS, 0, "low", "far too low")
    desk.until(lambda: session.state is RunState.DRAFT)
    assert RunAction.START not in session.facts.actions
    assert session.facts.problems == 1


def test_edits_are_saved_shortly_after_and_on_closing(desk: Desk) -> None:
    session = desk.draft(Draft())
    with desk.qtbot.waitSignal(session.saved, timeout=5000):
        session.draft_model.edit(Section.GENERAL, 0, "name", "Half ty")
    assert desk.workspace.drafts[session.id].general["name"] == "Half ty"
    session.draft_model.edit(Section.GENERAL, 0, "name", "Half typed")
    session.close()
    desk.until(lambda: desk.workspace.drafts[session.id].general["name"] == "Half typed")


def test_a_start_configures_the_draft_and_runs_it(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    session.start()
    assert session.facts.state is RunState.STARTING
    assert session.facts.actions == {RunAction.PAUSE, RunAction.STOP}
    client = desk.started(session)
    desk.until(lambda: client.arguments == [(30, 3, 0.05, 1.0)])
    client.tell(RunChanged(first_run()), TrialChanged(running_trial(0)))
    desk.until(lambda: session.trials_model.rowCount() == 1)
    desk.until(lambda: session.state is RunState.RUNNING)
    assert session.facts.actions == {RunAction.PAUSE, RunAction.STOP, RunAction.STOP_NOW}
    client.tell(RunFinished(first_run(RunState.COMPLETED)))
    client.end()
    desk.until(lambda: not session.is_live)
    assert session.state is RunState.COMPLETED


def test_a_start_that_takes_too_long_is_called_off(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    release, opened = threading.Event(), threading.Event()
    open_client = desk.workspace.open

    def slow(experiment_id: int) -> Any:
        opened.set()
        release.wait(10)
        return open_client(experiment_id)

    desk.workspace.open = slow  # type: ignore[method-assign]
    session.start()
    desk.until(opened.is_set)
    session.act_on(RunAction.STOP)
    assert session.facts.state is RunState.READY
    assert not release.is_set()
    release.set()
    desk.until(lambda: session.is_configured)
    assert not session.is_live
    # The next start finds everything open.
    client = desk.started(session)
    assert desk.workspace.clients == [client]


def test_events_arrive_in_the_gui_thread_and_are_shown_together(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    threads: set[int] = set()
    shown: list[int] = []
    session.saved.connect(lambda _: threads.add(threading.get_ident()))
    session.changed.connect(lambda: shown.append(session.trials_model.rowCount()))
    client.tell(RunChanged(first_run()), *(TrialChanged(running_trial(i)) for i in range(200)))
    desk.until(lambda: session.trials_model.rowCount() == 200)
    assert threads == {threading.get_ident()}
    assert len(shown) < 20


@pytest.mark.parametrize(
    ("state", "action", "command"),
    [
        (RunState.RUNNING, RunAction.PAUSE, Pause()),
        (RunState.RUNNING, RunAction.STOP, Stop()),
        (RunState.RUNNING, RunAction.STOP_NOW, StopNow()),
        (RunState.PAUSED, RunAction.RESUME, Resume()),
        (RunState.PAUSING, RunAction.RESUME, Resume()),
        (RunState.NEEDS_ATTENTION, RunAction.RESUME, Resume()),
    ],
)
def test_actions_become_commands(
    desk: Desk, state: RunState, action: RunAction, command: object
) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run(state)), TrialChanged(running_trial(0)))
    desk.until(lambda: session.state is state)
    session.act_on(action)
    assert client.commands == [command]


def test_an_action_that_is_not_allowed_does_nothing(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run(RunState.PAUSED)))
    desk.until(lambda: session.state is RunState.PAUSED)
    session.act_on(RunAction.PAUSE)
    session.start()
    assert client.commands == []
    assert len(client.arguments) == 1


def test_a_stopped_run_is_resumed_with_its_own_settings(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    client = desk.started(session)
    desk.until(lambda: client.arguments == [()])
    client.tell(RunChanged(first_run()))
    desk.until(lambda: session.state is RunState.RUNNING)
    assert client.commands == []


def test_settings_changed_while_stopped_are_handed_to_the_resumed_run(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    session.draft_model.edit(Section.RUN, 0, "max_trials", "40")
    client = desk.started(session)
    client.tell(RunChanged(first_run()))
    desk.until(lambda: bool(client.commands))
    [command] = client.commands
    assert isinstance(command, ChangeRunSettings)
    assert command.max_trials == 40


def test_trials_are_added_to_a_completed_experiment_as_a_new_run(desk: Desk) -> None:
    session = desk.experiment(RunState.COMPLETED)
    session.start(more_trials=7)
    desk.until(lambda: session.is_live)
    desk.until(lambda: desk.workspace.clients[-1].arguments == [(7, 3, 0.05, 1.0)])


def test_a_run_without_a_controller_is_told_as_interrupted(desk: Desk) -> None:
    session = desk.experiment(RunState.RUNNING)
    assert session.state is RunState.INTERRUPTED
    assert session.facts.actions == {RunAction.RESUME}


def test_a_run_of_another_process_is_read_only_and_read_again(desk: Desk) -> None:
    session = desk.experiment(RunState.RUNNING)
    desk.workspace.controllers[session.id] = "4711@LAB-PC2"
    stored = desk.workspace.experiments[session.id]
    stored.put(running_trial(20))
    session.set_summary(desk.workspace.summaries()[0])
    desk.until(lambda: session.trials_model.rowCount() == 21)
    assert session.state is RunState.RUNNING
    assert session.facts.actions == frozenset()
    session.start()
    session.submit(SetNote(3, "not ours"))
    assert desk.workspace.clients == []


def test_a_question_is_listed_until_it_is_answered(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    question = Question(16, "It may have started.", "Nothing.", (Answer.ABANDON,))
    client.tell(RunChanged(first_run()), TrialChanged(running_trial(16)), QuestionAsked(question))
    desk.until(lambda: session.attention_model.open_questions == 1)
    session.answer(16, Answer.ABANDON)
    assert client.commands == [AnswerQuestion(16, Answer.ABANDON)]
    client.tell(QuestionAnswered(16, Answer.ABANDON))
    desk.until(lambda: session.attention_model.open_questions == 0)


def test_what_should_be_known_becomes_a_notice_and_a_line_of_the_log(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    failed = running_trial(6).moved_to(TrialStatus.FAILED, reason="valve blocked")
    client.tell(
        RunChanged(first_run()), SuggestionStarted(6), TrialChanged(running_trial(6)),
        PluginPrinted("suzuki_cell.py", "opening valve 3"), FallbackUsed(7, "singular matrix"),
        Warned("Two trials have equal metadata.", "Name files by trial index."),
        TrialChanged(failed),
    )  # fmt: skip
    desk.until(lambda: session.attention_model.rowCount() == 3)
    titles = [item.title for item in session.attention_model.items]
    assert titles == [
        "#6 failed: valve blocked",
        "Two trials have equal metadata",
        "#7 is a space-filling trial",
    ]
    assert session.attention_model.open_questions == 0
    desk.until(lambda: {line.level for line in session.log_model.lines} == set(LogLevel))


def local(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"


def test_a_trial_that_does_not_answer_is_one_item_until_it_does(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    since = datetime.now(UTC) - timedelta(minutes=4)
    client.tell(
        RunChanged(first_run()), TrialChanged(running_trial(16)), TrialChanged(running_trial(18)),
        *(TrialHealthChanged(16, tries, f"no reply {tries}", since) for tries in (1, 2, 3)),
    )  # fmt: skip
    desk.until(lambda: session.facts.unanswered.keys() == {16})
    [item] = session.attention_model.items
    assert item.severity is Severity.WARNING
    assert item.title == "#16 is not answering"
    assert item.happened == "no reply 3"
    assert item.did.startswith("3 tries failed so far. axdesk asks again")
    assert "after 5 failures in a row" in item.did
    word = f"Not answering since {local(since)}"
    assert status_word(session.facts.trials[0], session.facts, since) == word
    sentence = next_step(session.facts, datetime.now(UTC))
    assert sentence == f"#16 is not answering since {local(since)}; the other trials go on"
    # The elapsed time is stored meanwhile; that says nothing about the answer.
    client.tell(TrialChanged(replace(running_trial(16), elapsed_seconds=60.0)))
    desk.until(lambda: session.facts.trials[0].elapsed_seconds == 60)
    assert session.facts.unanswered.keys() == {16}
    client.tell(TrialHealthChanged(16, 0, ""))
    desk.until(lambda: not session.facts.unanswered)
    [item] = session.attention_model.items
    assert (item.severity, item.title) == (Severity.SETTLED, "#16 answers again")
    assert session.attention_model.open_questions == 0
    assert "not answering" not in next_step(session.facts, datetime.now(UTC))


def test_results_that_do_not_come_are_no_silence(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    since = datetime.now(UTC) - timedelta(minutes=4)
    reason = "The metric 'Yield' answered (0, True) for trial 16: the value is True, not a number."
    client.tell(
        RunChanged(first_run()), TrialChanged(running_trial(16)),
        TrialHealthChanged(16, 1, reason, since, is_fetching=True),
    )  # fmt: skip
    desk.until(lambda: session.facts.unanswered.keys() == {16})
    [item] = session.attention_model.items
    assert (item.title, item.happened) == ("#16 has no valid result yet", reason)
    word = f"No valid result since {local(since)}"
    assert status_word(session.facts.trials[0], session.facts, since) == word
    sentence = next_step(session.facts, datetime.now(UTC))
    assert sentence == f"#16 has no valid result since {local(since)}; axdesk keeps asking"
    line = f"#16 has no valid result yet, 1 call failed: {reason}"
    desk.until(lambda: line in [told.text for told in session.log_model.lines])


def test_a_single_failed_call_leaves_nothing_behind(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    since = datetime.now(UTC)
    client.tell(
        RunChanged(first_run()), TrialChanged(running_trial(16)),
        TrialHealthChanged(16, 1, "no reply", since),
    )  # fmt: skip
    desk.until(lambda: session.attention_model.rowCount() == 1)
    client.tell(TrialHealthChanged(16, 0, ""))
    desk.until(lambda: session.attention_model.rowCount() == 0)


def test_a_trial_that_failed_in_the_end_is_told_once(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    failed = running_trial(16).moved_to(TrialStatus.FAILED, reason="could not be polled (5 tries)")
    client.tell(
        RunChanged(first_run()), TrialChanged(running_trial(16)),
        TrialHealthChanged(16, 5, "no reply", datetime.now(UTC)), TrialChanged(failed),
    )  # fmt: skip
    desk.until(lambda: session.attention_model.rowCount() == 1)
    desk.until(lambda: not session.facts.unanswered)
    assert session.attention_model.items[0].title.startswith("#16 failed: could not be polled")


def test_a_database_that_takes_nothing_is_told_until_it_does(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    since = datetime.now(UTC)
    client.tell(
        RunChanged(first_run()), TrialChanged(running_trial(0)),
        StorageHealthChanged("the disk is full", since),
    )  # fmt: skip
    desk.until(lambda: session.facts.outage is not None)
    content = banner_content(session.facts, since)
    assert content.state == "not_saving"
    assert content.next_step == (
        f"since {local(since)} – the disk is full. Running trials are followed; nothing new starts"
    )
    assert [item.title for item in session.attention_model.items] == ["Nothing can be saved"]
    client.tell(StorageHealthChanged("", None))
    desk.until(lambda: session.facts.outage is None)
    assert session.attention_model.rowCount() == 0
    assert banner_content(session.facts, since).state == "running"


def test_edits_that_cannot_be_saved_are_kept_and_saved_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.gui.draft_saver.RETRY_DELAY_MS", 30)
    session = desk.draft(Draft())
    saved: list[object] = []
    session.saved.connect(saved.append)
    refusals = [StorageError("lab.db cannot grow: the disk is full.", is_temporary=True)] * 3
    store = desk.workspace.save_draft

    def save_draft(draft: Draft, experiment_id: int) -> None:
        if refusals:
            raise refusals.pop()
        store(draft, experiment_id)

    desk.workspace.save_draft = save_draft  # type: ignore[method-assign]
    session.draft_model.edit(Section.GENERAL, 0, "name", "Half typed")
    desk.until(lambda: session.has_unsaved_edits)
    assert not saved
    assert session.attention_model.rowCount() == 1
    desk.until(lambda: bool(saved))
    assert desk.workspace.drafts[session.id].general["name"] == "Half typed"
    assert not session.has_unsaved_edits
    assert session.attention_model.rowCount() == 0


def test_a_question_is_answered_exactly_once(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.answers_at_once = False
    question = Question(16, "It may have started.", "Nothing.", (Answer.REDEPLOY, Answer.ABANDON))
    client.tell(RunChanged(first_run()), TrialChanged(running_trial(16)), QuestionAsked(question))
    desk.until(lambda: session.attention_model.open_questions == 1)
    session.answer(16, Answer.REDEPLOY)
    session.answer(16, Answer.ABANDON)
    session.submit(EnterResult(16, {"Yield": 80.0, "Impurity": 1.0}))
    assert client.commands == [AnswerQuestion(16, Answer.REDEPLOY)]
    desk.until(lambda: session.attention_model.items[0].is_answering)
    # Refused: it can be answered again.
    client.futures[0].set_exception(StorageError("The disk is full.", is_temporary=True))
    desk.until(lambda: not session.attention_model.items[0].is_answering)
    session.answer(16, Answer.ABANDON)
    assert client.commands[1:] == [AnswerQuestion(16, Answer.ABANDON)]


def test_a_flood_of_prints_is_shown_in_part_and_pushes_nothing_else_out(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    text = "\n".join(f"value {i}" for i in range(1000))
    inserted: list[int] = []
    session.log_model.rowsInserted.connect(lambda _, first, last: inserted.append(last - first + 1))
    client.tell(RunChanged(first_run()), *[PluginPrinted("cell.py", text)] * 300,
                PluginPrinted("cell.py", "the last word"))  # fmt: skip
    desk.until(lambda: any(line.text == "the last word" for line in session.log_model.lines))
    printed = [line for line in session.log_model.lines if line.level is LogLevel.PRINTED]
    assert len(printed) <= MOST_PRINTED
    assert max(inserted) <= MOST_WAITING + 1
    assert all(line.source == "cell.py" for line in printed)
    assert any("lines before this not shown" in line.text for line in printed)
    assert "Running." in [line.text for line in session.log_model.lines]


@pytest.mark.parametrize(
    "error",
    [DecisionNeededError("Say what became of #3."), CallFailedError("No cell.", "Plug in.")],
)
def test_an_error_that_ends_the_run_is_shown_as_a_sentence(desk: Desk, error: AxdeskError) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run()), RunFinished(first_run(RunState.FAILED), error))
    client.end(error)
    desk.until(lambda: not session.is_live and session.attention_model.rowCount() == 1)
    assert session.attention_model.items[0].happened == error.message
    assert session.state is RunState.FAILED


def test_a_defect_in_the_run_reaches_the_excepthook(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    with desk.qtbot.captureExceptions() as raised:
        client.end(ZeroDivisionError("a defect"))
        desk.until(lambda: bool(raised))
    assert raised[0][0] is ZeroDivisionError


def test_problems_that_only_the_workspace_finds_go_back_to_the_set_up(desk: Desk) -> None:
    from axdesk.core.draft_cells import Problem, Problems

    session = desk.draft(draft_of(coupling_setup()))
    taken = Problems((Problem(Section.GENERAL, 0, "name", "Another experiment has this name."),))
    desk.workspace.check = lambda *_: taken  # type: ignore[method-assign]
    with desk.qtbot.waitSignal(session.problems_found, timeout=5000):
        session.start()
    assert not session.is_live
    assert session.state is RunState.DRAFT
    assert session.draft_model.problems == taken


def test_a_command_without_a_run_is_carried_out_at_the_database(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    session.submit(EnterResult(6, {"Yield": 50.0, "Impurity": 1.0}))
    desk.until(lambda: bool(desk.workspace.clients) and bool(desk.workspace.clients[0].commands))
    desk.until(lambda: any("#6" in line.text for line in session.log_model.lines))


def test_a_refused_command_is_told(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run()))
    desk.until(lambda: session.state is RunState.RUNNING)
    client.refusal = AxdeskError("Trial 9 is completed.", "Correct its result instead.")
    session.submit(SetNote(9, "x"))
    desk.until(lambda: session.attention_model.rowCount() == 1)
    assert session.attention_model.items[0].todo == "Correct its result instead."


def test_a_command_for_a_run_that_has_just_ended_is_no_work_of_the_window(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run()))
    desk.until(lambda: session.state is RunState.RUNNING)
    threads: list[int] = []
    submit = client.submit

    def noted(command: Any) -> Any:
        threads.append(threading.get_ident())
        return submit(command)

    client.submit = noted
    client.submit_to_run = lambda command: None  # it is over, and the window does not know yet
    session.submit(SetNote(9, "late"))
    desk.until(lambda: client.commands == [SetNote(9, "late")])
    assert threads != [threading.get_ident()]
    refusals: list[object] = []
    client.refusal = AxdeskError("No run goes on.")
    session.submit(ChangeRunSettings(max_trials=40), refusals.append)
    desk.until(lambda: [str(error) for error in refusals] == ["No run goes on."])


def test_the_client_is_kept_over_runs_and_freed_in_the_end(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    client = desk.started(session)
    client.tell(RunChanged(first_run()), RunFinished(first_run(RunState.STOPPED)))
    client.end()
    desk.until(lambda: not session.is_live)
    again = desk.started(session)
    assert again is client
    client.tell(RunFinished(first_run(RunState.STOPPED)))
    client.end()
    desk.until(lambda: not session.is_live)
    session.release()
    desk.until(lambda: client.is_closed)


def test_a_changed_set_up_opens_the_plugins_anew(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    client = desk.started(session)
    client.tell(RunChanged(first_run()), RunFinished(first_run(RunState.STOPPED)))
    client.end()
    desk.until(lambda: not session.is_live)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    again = desk.started(session)
    assert again is not client
    assert client.is_closed
    assert session.facts.setup is not None
    assert session.facts.setup.search_space["Temperature"].bounds == (50, 130)  # type: ignore[union-attr]


def test_settings_changed_during_a_pause_are_told_before_going_on(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.RUN, 0, "parallelism", "2")
    session.act_on(RunAction.RESUME)
    assert [type(c) for c in client.commands] == [ChangeRunSettings, Resume]
    assert client.commands[0].parallelism == 2


def test_bounds_changed_during_a_pause_are_told_before_going_on(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    session.act_on(RunAction.RESUME)
    edit, resume = client.commands
    assert isinstance(edit, EditSetup)
    assert edit.search_space is not None
    assert edit.search_space["Temperature"].bounds == (50, 130)  # type: ignore[union-attr]
    assert edit.optimization is None
    assert resume == Resume()


def paused(desk: Desk) -> tuple[ExperimentSession, Any]:
    """A session whose run is paused, and its client."""
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run(RunState.PAUSED)))
    desk.until(lambda: session.state is RunState.PAUSED)
    desk.until(lambda: not session.draft_model.is_read_only)
    return session, client


def wanted_setup(session: ExperimentSession) -> Any:
    setup = session.draft_model.setup
    assert setup is not None
    return setup


def test_edits_are_applied_together_and_only_when_asked(desk: Desk) -> None:
    session, client = paused(desk)
    assert not session.pending_changes.is_shown
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "125")
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    session.draft_model.edit(Section.RUN, 0, "max_trials", "40")
    assert client.commands == []
    changes = session.pending_changes
    assert changes.words == ("Temperature, High: 120 → 130", "Trials: 30 → 40")
    assert (changes.why_not, changes.takes_effect) == ("", "")
    told: list[str] = []
    session.applied.connect(told.append)
    client.answers_at_once = False
    session.apply_changes()
    assert [type(c) for c in client.commands] == [EditSetup, ChangeRunSettings]
    assert session.pending_changes.is_applying
    session.apply_changes()  # once is enough
    assert len(client.commands) == 2
    setup = wanted_setup(session)
    client.tell(
        SetupChanged(setup, 2, 1),
        RunChanged(first_run(RunState.PAUSED, settings=setup.run)),
    )
    for future in client.futures:
        future.set_result(None)
    desk.until(lambda: told == ["Applied: Temperature, High: 120 → 130; Trials: 30 → 40."])
    desk.until(lambda: not session.pending_changes.is_shown)
    # What was applied can be undone: that is another change to apply.
    session.draft_model.undo()
    assert session.pending_changes.words == ("Trials: 40 → 30",)
    session.draft_model.redo()
    assert not session.pending_changes.is_shown


def test_settings_that_the_run_refuses_return_with_the_reason(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.RUN, 0, "max_trials", "5")
    client.refusal = AxdeskError("17 trials were started.", "Choose at least 17.")
    session.apply_changes()
    changes = session.pending_changes
    assert changes.refusal == "17 trials were started. Choose at least 17."
    assert changes.words == ()
    assert session.draft_model.text(Section.RUN, 0, "max_trials") == "30"
    session.draft_model.edit(Section.RUN, 0, "max_trials", "35")
    assert session.pending_changes.refusal == ""


def test_a_set_up_that_the_run_refuses_stays_to_be_mended(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    client.refusal = AxdeskError("The constraints cannot all be met.")
    session.act_on(RunAction.RESUME)
    assert [type(c) for c in client.commands] == [EditSetup]  # and it is not resumed
    assert session.draft_model.text(Section.PARAMETERS, 0, "high") == "130"
    changes = session.pending_changes
    assert "cannot all be met" in changes.refusal
    assert changes.words == ("Temperature, High: 120 → 130",)


def test_edits_are_discarded_and_brought_back(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "")
    changes = session.pending_changes
    assert (changes.words, changes.problems) == ((), 1)
    session.discard_changes()
    assert not session.pending_changes.is_shown
    assert session.draft_model.text(Section.PARAMETERS, 0, "high") == "120"
    session.draft_model.undo()
    assert session.pending_changes.problems == 1
    assert client.commands == []


def test_settings_change_while_the_run_launches_and_the_rest_waits(desk: Desk) -> None:
    session, client = paused(desk)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    client.tell(RunChanged(first_run(RunState.RUNNING)))
    desk.until(lambda: session.state is RunState.RUNNING)
    assert session.pending_changes.why_not.startswith("Pause the run")
    session.discard_changes()
    desk.until(lambda: bool(session.draft_model.locked_reason(Section.PARAMETERS, 0, "high")))
    for field, text in (
        ("max_trials", "40"), ("parallelism", "2"), ("tolerated_failure_percent", "20"),
        ("seconds_between_polls", "5"),
    ):  # fmt: skip
        assert session.draft_model.edit(Section.RUN, 0, field, text), field
    assert session.pending_changes.why_not == ""
    session.apply_changes()
    [command] = client.commands
    assert command == ChangeRunSettings(40, 2, 0.2, 5.0)


def test_what_holds_is_shown_where_nothing_is_edited(desk: Desk) -> None:
    settings = replace(coupling_setup().run, max_trials=7)
    session = desk.experiment(RunState.STOPPED, settings=settings)
    assert session.draft_model.text(Section.RUN, 0, "max_trials") == "7"
    assert not session.pending_changes.is_shown
    client = desk.started(session)
    client.tell(RunChanged(first_run(settings=settings)))
    desk.until(lambda: session.state is RunState.RUNNING)
    assert client.commands == []  # the run keeps its own budget
    # Another client of the run changed it, while something else is being edited here.
    session.draft_model.edit(Section.RUN, 0, "parallelism", "2")
    client.tell(RunChanged(first_run(settings=replace(settings, max_trials=9))))
    desk.until(lambda: session.facts.budget == 9)
    assert session.draft_model.text(Section.RUN, 0, "max_trials") == "9"
    assert session.pending_changes.words == ("At a time: 3 → 2",)


def test_edits_of_an_ended_run_say_when_they_take_effect(desk: Desk) -> None:
    session = desk.experiment(RunState.STOPPED)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "130")
    assert session.pending_changes.takes_effect == "when the run is resumed"
    session.apply_changes()
    assert desk.workspace.clients == []


def test_a_pause_does_not_end_with_a_broken_set_up(desk: Desk) -> None:
    session = desk.draft(draft_of(coupling_setup()))
    client = desk.started(session)
    client.tell(RunChanged(first_run(RunState.PAUSED)))
    desk.until(lambda: RunAction.EDIT_SETUP in session.facts.actions)
    session.draft_model.edit(Section.PARAMETERS, 0, "high", "")
    with desk.qtbot.waitSignal(session.problems_found):
        session.act_on(RunAction.RESUME)
    assert client.commands == []
