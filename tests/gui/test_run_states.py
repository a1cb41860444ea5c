"""The whole table of states and buttons, through the toolbar, the menu, the banner and closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QPushButton

from axdesk.core.commands import Pause, Stop
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.events import RunChanged, RunFinished, TrialChanged
from axdesk.core.run import RunState
from axdesk.core.trial import TrialStatus
from tests.gui.scenes import MemoryWorkspace, coupling_experiment, coupling_setup
from tests.gui.test_session import first_run, running_trial
from tests.gui.test_window import Bench

QtBot = Any

ELSEWHERE = "elsewhere"
OFF = ""


@dataclass(frozen=True)
class Row:
    """What can be pressed in a state; a reason where something cannot.

    Attributes:
        start: The words of the button that starts or resumes, if it can be pressed.
        why_no_start: Part of its tip otherwise.
        pause: Whether Pause can be pressed, or why not.
        stop: The same for Stop.
        stop_now: The same for Stop now, while trials run and while none does.
        edits: Whether the set-up can be edited.
        banner: The words of the banner's button.
        asks: Whether closing asks, while trials run and while none does.
    """

    start: str
    why_no_start: str
    pause: bool | str
    stop: bool | str
    stop_now: tuple[bool | str, bool | str]
    edits: bool
    banner: str
    asks: tuple[bool, bool]


NO_RUN = "No run goes on"
ENDED = (NO_RUN, NO_RUN, (NO_RUN, NO_RUN))
TABLE: dict[RunState | str, Row] = {
    RunState.DRAFT: Row(
        OFF, "The set-up is not complete: ", *ENDED, True, "Go to general", (False, False)
    ),
    RunState.READY: Row("Start", "", *ENDED, True, "", (False, False)),
    RunState.STARTING: Row(
        OFF, "The run is starting", True, True, ("No trial has started yet",) * 2, False, "",
        (True, True),
    ),
    RunState.RUNNING: Row(
        OFF, "The run goes on", True, True, (True, True), False, "", (True, True)
    ),
    RunState.PAUSING: Row(
        "Cancel pausing", "", "The run is pausing already", "Cancel that first", (True, True),
        False, "Cancel pausing", (True, True),
    ),
    RunState.STOPPING: Row(
        "Cancel stopping", "", "The run ends once", "The run ends once", (True, True), False,
        "Cancel stopping", (True, True),
    ),
    RunState.PAUSED: Row(
        "Resume", "", "The run is paused already", True, (True, "No trial is running"), True,
        "Resume", (True, False),
    ),
    RunState.NEEDS_ATTENTION: Row(
        "Resume", "", "until you decide", True, (True, "No trial is running"), True,
        "Answer…", (True, False),
    ),
    RunState.STOPPED: Row("Resume", "", *ENDED, True, "Resume", (False, False)),
    RunState.COMPLETED: Row("Add trials…", "", *ENDED, True, "Add trials…", (False, False)),
    RunState.FAILED: Row("Resume", "", *ENDED, True, "Resume", (False, False)),
    RunState.INTERRUPTED: Row("Resume", "", *ENDED, False, "Review…", (False, False)),
    ELSEWHERE: Row(
        OFF, "Controlled by LAB-PC2 (process 4711)", *("Controlled by LAB-PC2",) * 2,
        ("Controlled by LAB-PC2",) * 2, False, "", (False, False),
    ),
}  # fmt: skip


@pytest.fixture
def bench(qtbot: QtBot, qapp: QApplication) -> Iterator[Bench]:
    bench = Bench(qtbot, MemoryWorkspace())
    yield bench
    for dialog in bench.window.findChildren(QDialog):
        dialog.reject()
    bench.close()


def bring(bench: Bench, state: RunState | str, *, has_running: bool) -> None:
    """Show an experiment in a state."""
    match state:
        case RunState.DRAFT:
            bench.open(bench.workspace.new_draft(Draft()))
        case RunState.READY:
            bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
        case RunState.INTERRUPTED:
            cut = coupling_experiment(RunState.RUNNING)
            bench.open(bench.workspace.add(cut, RunState.INTERRUPTED))
            bench.dialog("dialog.interrupted").reject()
        case str() if state == ELSEWHERE:
            theirs = coupling_experiment(RunState.RUNNING)
            bench.open(bench.workspace.add(theirs, controller="4711@LAB-PC2"))
        case RunState() if state.is_live:
            bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
            client = bench.start()
            if not has_running:
                failed = running_trial(0).moved_to(TrialStatus.FAILED, reason="spilt")
                client.tell(TrialChanged(failed))
            client.tell(RunChanged(first_run(state)))
            expected = 1 if has_running else 0
            bench.until(lambda: len(bench.session.facts.pending) == expected)
        case _:
            bench.open(bench.workspace.add(coupling_experiment(RunState(state))))
    wanted = RunState.RUNNING if state == ELSEWHERE else state
    bench.until(lambda: bench.session.state is wanted)
    # What changed is shown within the next 100 ms.
    bench.session._show()


def is_as_said(bench: Bench, name: str, expected: bool | str) -> None:
    """Check button and menu: on, or off with a reason."""
    action = bench.action(f"run.{name}")
    button = bench.find(f"toolbar.run.{name}", QPushButton)
    assert action.isEnabled() == button.isEnabled() == (expected is True), name
    assert action.toolTip() == button.toolTip()
    if isinstance(expected, str):
        assert expected in action.toolTip(), name
    else:
        assert action.toolTip()


CASES = [
    (state, has_running)
    for state in TABLE
    for has_running in ((True, False) if isinstance(state, RunState) and state.is_live else (True,))
]


@pytest.mark.parametrize(("state", "has_running"), CASES)
def test_each_state_offers_exactly_its_actions(
    bench: Bench, state: RunState | str, has_running: bool
) -> None:
    row = TABLE[state]
    bring(bench, state, has_running=has_running)
    start, pause = bench.find("toolbar.run.start"), bench.find("toolbar.run.pause")
    stop, stop_now = bench.find("toolbar.run.stop"), bench.find("toolbar.run.stop_now")

    is_as_said(bench, "start", True if row.start else row.why_no_start)
    is_as_said(bench, "pause", row.pause)
    is_as_said(bench, "stop", row.stop)
    is_as_said(bench, "stop_now", row.stop_now[not has_running])
    if row.start:
        assert start.text() == bench.action("run.start").text() == row.start
    # One place for starting and pausing; Stop now is there only while it can be pressed.
    assert pause.isVisible() == (row.pause is True)
    assert start.isVisible() == (row.pause is not True)
    assert stop.isVisible()
    assert stop_now.isVisible() == stop_now.isEnabled()
    model = bench.session.draft_model
    assert (not model.locked_reason(Section.PARAMETERS, 0, "low")) == row.edits
    is_launching = state in (RunState.RUNNING, RunState.PAUSING, RunState.STOPPING)
    assert (not model.locked_reason(Section.RUN, 0, "max_trials")) == (row.edits or is_launching)
    banner = bench.find("status.banner.button")
    assert (banner.text() if banner.isVisible() else "") == row.banner
    added = bench.action("run.add_trials")
    has_ended = state in (RunState.STOPPED, RunState.COMPLETED, RunState.FAILED)
    assert added.isEnabled() == has_ended
    assert added.toolTip()


@pytest.mark.parametrize("is_locked", [False, True])
@pytest.mark.parametrize(("state", "has_running"), CASES)
def test_the_review_offers_in_each_state_what_the_toolbar_offers(
    bench: Bench, state: RunState | str, has_running: bool, is_locked: bool
) -> None:
    bring(bench, state, has_running=has_running)
    bench.action("file.lock_setup").setChecked(is_locked)
    bench.window.pages.setup_views[bench.session.id].show_review()
    bench.session._show()
    start, review = bench.action("run.start"), bench.find("setup.review.start")
    assert (review.text(), review.isEnabled()) == (start.text(), start.isEnabled())
    if not start.isEnabled():
        assert review.toolTip()
        assert start.toolTip().startswith(review.toolTip())


def test_the_review_of_a_run_that_was_cut_off_asks_what_became_of_its_trials(bench: Bench) -> None:
    bring(bench, RunState.INTERRUPTED, has_running=True)
    bench.action("view.setup").trigger()
    bench.window.pages.setup_views[bench.session.id].show_review()
    bench.until(lambda: bench.window.findChild(QDialog, "dialog.interrupted") is None)
    bench.press("setup.review.start")
    assert bench.dialog("dialog.interrupted").isVisible()


@pytest.mark.parametrize(("state", "has_running"), CASES)
def test_closing_asks_while_a_run_of_this_window_needs_it(
    bench: Bench, state: RunState | str, has_running: bool
) -> None:
    bring(bench, state, has_running=has_running)
    bench.window.close()
    asks = TABLE[state].asks[not has_running]
    dialogs: list[Any] = bench.window.findChildren(QDialog, "dialog.close")
    assert bool(dialogs) == asks
    if asks:
        assert bench.window.isVisible()
        [dialog] = dialogs
        if not has_running:
            assert dialog.buttons["finish"].text() == "End the run, then close"
        dialog.choose("cancel")
        assert bench.window.isVisible()
    elif state in (RunState.PAUSED, RunState.NEEDS_ATTENTION):
        # Nothing runs: the run is stopped, which can be resumed, and the window goes.
        client = bench.workspace.clients[-1]
        assert client.commands == [Stop()]
        client.tell(RunFinished(first_run(RunState.STOPPED)))
        client.end()
        bench.until(lambda: not bench.window.isVisible())
    else:
        assert not bench.window.isVisible()


def test_the_menu_says_why_something_is_off(bench: Bench) -> None:
    bring(bench, RunState.STOPPED, has_running=False)
    [menu] = [m for m in bench.window.menuBar().findChildren(QMenu) if m.title() == "&Run"]
    assert menu.toolTipsVisible()
    actions = [a for a in menu.actions() if not a.isSeparator()]
    texts = ["Resume", "Pause", "Stop", "Stop now", "Add trials…", "Pre-flight", "Test plugins…"]
    assert [a.text() for a in actions] == texts
    assert all(action.isVisible() for action in actions)


def test_without_an_experiment_nothing_of_a_run_can_be_pressed(bench: Bench) -> None:
    for name in ("start", "pause", "stop", "stop_now", "add_trials"):
        action = bench.action(f"run.{name}")
        assert not action.isEnabled()
        assert "Open an experiment first" in action.toolTip()
        if name != "add_trials":
            assert not bench.find(f"toolbar.run.{name}").isVisible()


@pytest.mark.parametrize("asked", ["pause", "stop"])
def test_what_is_asked_while_the_run_is_being_opened_is_done_once_it_has_started(
    bench: Bench, asked: str
) -> None:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    bench.action("run.start").trigger()
    bench.until(lambda: bench.session.is_live)
    assert bench.session.is_opening
    bench.session._show()
    bench.action(f"run.{asked}").trigger()
    if asked == "pause":
        assert "then the run is paused" in bench.find("status.banner.next").text() or (
            bench.session.facts.pauses_when_open
        )
    client = bench.workspace.clients[-1]
    assert client.commands == []
    client.tell(RunChanged(first_run(RunState.STARTING)))
    bench.until(lambda: client.commands == [Pause() if asked == "pause" else Stop()])


def test_a_window_that_finishes_first_closes_although_the_start_is_called_off(
    bench: Bench,
) -> None:
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup())))
    bench.action("run.start").trigger()
    assert bench.session.is_opening
    bench.window.close()
    dialog = bench.dialog("dialog.close")
    dialog.choose("finish")
    if bench.workspace.clients:
        bench.workspace.clients[-1].end()
    bench.until(lambda: not bench.window.isVisible())


def test_a_pausing_run_is_stopped_by_a_window_that_finishes_first(bench: Bench) -> None:
    bring(bench, RunState.PAUSING, has_running=True)
    bench.window.close()
    bench.dialog("dialog.close").choose("finish")
    client = bench.workspace.clients[-1]
    assert client.commands == [Stop()]


def test_thinking_better_of_closing_keeps_the_window(bench: Bench) -> None:
    bring(bench, RunState.RUNNING, has_running=True)
    bench.window.close()
    bench.dialog("dialog.close").choose("finish")
    bench.until(lambda: bench.window.findChild(QDialog, "dialog.close") is None)
    bench.window.close()
    bench.dialog("dialog.close").choose("cancel")
    client = bench.workspace.clients[-1]
    client.tell(RunFinished(first_run(RunState.STOPPED)))
    client.end()
    bench.until(lambda: not bench.workbench.live_sessions)
    assert bench.window.isVisible()


def test_a_run_that_ends_while_it_is_asked_about_leaves_no_question(bench: Bench) -> None:
    bring(bench, RunState.RUNNING, has_running=True)
    bench.action("run.stop_now").trigger()
    bench.dialog("dialog.stop_now")
    client = bench.workspace.clients[-1]
    client.tell(RunFinished(first_run(RunState.COMPLETED)))
    client.end()
    bench.until(lambda: bench.window.findChild(QDialog, "dialog.stop_now") is None)
