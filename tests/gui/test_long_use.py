"""Long use leaves nothing behind: many experiments opened, a long run of many trials."""

import gc
import weakref
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.events import TrialChanged
from axdesk.core.run import RunState
from axdesk.core.trial import Observation, TrialStatus
from axdesk.gui.session import ExperimentSession
from axdesk.gui.views.setup_view import SetupView
from axdesk.gui.workbench import KEPT_SESSIONS
from tests.gui.scenes import coupling_experiment, coupling_setup
from tests.gui.test_session import running_trial
from tests.gui.test_window import Bench, bench, workspace  # noqa: F401 - fixtures

OPENED = KEPT_SESSIONS + 6


def living(bench: Bench) -> Counter[str]:  # noqa: F811
    """How many objects of Qt a window and its workbench own, by kind."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    kinds = (ExperimentSession, SetupView, QTimer, QWidget, QObject)
    return Counter(
        next(kind.__name__ for kind in kinds if isinstance(one, kind))
        for owner in (bench.window, bench.workbench)
        for one in owner.findChildren(QObject)
    )


def test_experiments_that_were_opened_are_let_go(bench: Bench) -> None:  # noqa: F811
    numbers = [
        bench.workspace.add(coupling_experiment(RunState.STOPPED, f"Experiment {i}"))
        for i in range(OPENED)
    ]
    bench.workbench.refresh()
    counts, sessions = [], []
    for place, number in enumerate(numbers):
        bench.open(number)
        sessions.append(weakref.ref(bench.session))
        bench.until(lambda: bench.session.draft_model.catalogue is not None)
        if place > KEPT_SESSIONS:
            counts.append(living(bench))
    assert counts[-1]["ExperimentSession"] == KEPT_SESSIONS + 1
    assert counts[-1]["SetupView"] == KEPT_SESSIONS + 1
    assert counts[-1] == counts[0]
    gc.collect()
    assert sum(session() is not None for session in sessions) == KEPT_SESSIONS + 1


def test_what_was_typed_is_there_when_a_closed_experiment_is_opened_again(bench: Bench) -> None:  # noqa: F811
    numbers = [
        bench.workspace.new_draft(draft_of(coupling_setup(f"Draft {i}")))
        for i in range(KEPT_SESSIONS + 3)
    ]
    bench.open(numbers[0])
    first = bench.session
    first.draft_model.edit(Section.GENERAL, 0, "description", "typed")
    for number in numbers[1:]:
        bench.open(number)
    assert not isValid(first) or first not in bench.workbench._sessions.values()
    bench.open(numbers[0])
    assert bench.session is not first
    assert bench.session.draft_model.text(Section.GENERAL, 0, "description") == "typed"


def test_an_experiment_whose_run_goes_on_is_never_let_go(bench: Bench) -> None:  # noqa: F811
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup("Running"))))
    client = bench.start()
    running = bench.session
    for i in range(KEPT_SESSIONS + 2):
        bench.open(bench.workspace.add(coupling_experiment(RunState.STOPPED, f"Other {i}")))
    client.tell(TrialChanged(running_trial(1)))
    bench.until(lambda: len(running.facts.trials) == 2)
    bench.open(running.id)
    assert bench.session is running


def test_a_long_run_leaves_nothing_behind(bench: Bench) -> None:  # noqa: F811
    bench.open(bench.workspace.new_draft(draft_of(coupling_setup("Long"))))
    client = bench.start()
    bench.action("view.monitor").trigger()
    begun = datetime.now(UTC) - timedelta(hours=12)
    counts: list[Any] = []

    def run(index: int) -> None:
        started = replace(running_trial(index), started_at=begun + timedelta(minutes=index))
        done = started.moved_to(
            TrialStatus.COMPLETED,
            observations=(Observation("Yield", index % 90, 1.0), Observation("Impurity", 1.0, 0.1)),
            finished_at=begun + timedelta(minutes=index + 1),
        )
        client.tell(TrialChanged(started), TrialChanged(done))

    for index in range(1, 301):
        run(index)
        if index % 50 == 0:
            bench.until(lambda index=index: index in bench.session.facts.memo._broken)
            bench.window._let_time_go_on()
            bench.session._show()
            counts.append(living(bench))
    assert len(bench.session.facts.trials) == 301
    assert counts[-1] - counts[1] == Counter()
