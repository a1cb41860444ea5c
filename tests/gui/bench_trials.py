"""Parts of the window's bench: a table of 10,000 trials, many experiments, and a long run."""

import gc
import os
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axdesk.core.setup import ExperimentSetup
    from axdesk.gui.workbench import Workbench

TRIALS = 10_000
APPENDED = 30
EXPERIMENTS = 100
HOURS = 12
TIMES_FASTER = 100
LONG_SECONDS = HOURS * 3600 / TIMES_FASTER
MOMENTS = 8
"""The memory of a long run is looked at so often."""


def table() -> dict[str, object]:
    """Open, append to, filter and sort a table of 10,000 trials; ms on the processor."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QAction
    from PySide6.QtWidgets import QApplication

    from axdesk.core.trial import Arm, Observation
    from axdesk.gui.models.run_facts import RunFacts
    from axdesk.gui.models.selection import Selection
    from axdesk.gui.models.trial_memo import TrialMemo
    from axdesk.gui.models.trials_model import TrialsModel
    from axdesk.gui.settings import WindowSettings
    from axdesk.gui.views.trials_view import TrialsView
    from tests.gui.scenes import SOLVENTS, coupling_experiment

    application = QApplication.instance() or QApplication([])
    experiment = coupling_experiment()
    done, failed = experiment.trials[17], experiment.trials[6]
    dice, now, memo = random.Random(1), datetime.now(UTC), TrialMemo()

    def add(index: int) -> None:
        started = now - timedelta(minutes=17 * (TRIALS - index))
        settings: dict[str, float | str] = {
            "Temperature": dice.uniform(50, 120), "Time": dice.randrange(5, 60),
            "Catalyst": dice.uniform(0.05, 5), "Solvent": dice.choice(SOLVENTS),
        }  # fmt: skip
        trial = replace(failed if index % 20 == 6 else done, index=index, started_at=started,
                        arm=Arm(f"{index}_0", settings), elapsed_seconds=dice.uniform(99, 9999),
                        finished_at=started + timedelta(minutes=16))  # fmt: skip
        if trial.observations:
            readings = (Observation("Yield", dice.uniform(0, 100), 1.0),
                        Observation("Impurity", dice.uniform(0, 3), 0.04))  # fmt: skip
            trial = replace(trial, observations=readings)
        experiment.trials[index] = trial

    def facts() -> RunFacts:
        return RunFacts(
            name="Bench", state=experiment.state, setup=experiment.setup, memo=memo,
            runs=tuple(experiment.runs), trials=tuple(experiment.trials.values()),
        )  # fmt: skip

    def judge(facts: RunFacts) -> object:
        return facts.starred, facts.finished, facts.pending

    def took(work: Callable[[], object], *, paints: bool = True) -> float:
        # What else the machine does is left out: nothing here waits for another thread.
        begun = time.thread_time()
        work()
        if paints:
            application.processEvents()
        return 1000 * (time.thread_time() - begun)

    for index in range(TRIALS):
        add(index)
    model = TrialsModel()
    view = TrialsView(Selection(), WindowSettings(), QAction("Manual trial…"), [])
    view.resize(1200, 260)

    def open_it() -> None:
        model.show_facts(facts(), now)
        view.set_model(model)
        view.show()

    grid, figures = view._table, {"open": took(open_it)}
    keys = ("metric:Yield", "parameter:Solvent", "duration", "status", "index")
    figures["sort"] = max(
        took(partial(grid.sortByColumn, model.column_of(key), order))
        for key in keys
        for order in Qt.SortOrder
    )
    view._prepare_search()  # as the field does when it gets the focus
    figures["filter"] = max(
        took(partial(view._filter_text, text))
        for text in ("yield>80", "dmf", "73.5 foaming", "-status:failed temp>90", "is:best", "")
    )
    grid.sortByColumn(model.column_of("metric:Yield"), Qt.SortOrder.DescendingOrder)
    application.processEvents()
    appended, told = [], []
    for index in range(TRIALS, TRIALS + APPENDED):
        add(index)
        latest = facts()
        told.append(took(partial(judge, latest), paints=False))
        appended.append(took(partial(model.show_facts, latest, now), paints=False))
        application.processEvents()
    figures |= {"append": median(appended), "append, slowest": max(appended), "facts": median(told)}
    return dict(figures)


def memory() -> float:
    """What this process holds of the memory, in MB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def is_shown(workbench: "Workbench", number: int) -> bool:
    """Whether an experiment is shown, with its plugins."""
    session = workbench.current
    is_open = session is not None and session.id == number
    return is_open and session is not None and session.draft_model.catalogue is not None


def opened(folder: Path) -> dict[str, object]:
    """Open 100 stored experiments one after the other; MB after each tenth of them."""
    from PySide6.QtWidgets import QApplication

    from axdesk.api.workspace import Workspace
    from axdesk.gui.main_window import MainWindow
    from axdesk.gui.workbench import Workbench
    from tests.e2e.window_driver import until
    from tests.gui.scenes import coupling_setup

    QApplication.instance() or QApplication([])
    with_all = Workspace(folder / "lab.sqlite", folder / "plugins")
    numbers = [
        with_all.create_from_setup(coupling_setup(f"Experiment {i}")) for i in range(EXPERIMENTS)
    ]
    with_all.close()
    workbench = Workbench(lambda _: Workspace(folder / "lab.sqlite", folder / "plugins"))
    window = MainWindow(workbench)
    window.show()
    workbench.begin()
    held = []
    for place, number in enumerate(numbers):
        workbench.open(number)
        until(partial(is_shown, workbench, number), f"experiment {number}")
        if place % (EXPERIMENTS // 10) == EXPERIMENTS // 10 - 1:
            gc.collect()
            held.append(round(memory()))
    return {"held": held}


def is_past(moment: float) -> bool:
    """Whether a moment of the monotonic clock is over."""
    return time.monotonic() >= moment


def long_run(folder: Path, seconds: float, setup: "ExperimentSetup") -> dict[str, object]:
    """Let a run go on for `seconds`; MB and trials at moments of it."""
    from PySide6.QtWidgets import QApplication

    from axdesk.api.workspace import Workspace
    from axdesk.core.drafts import draft_of
    from axdesk.core.run import RunState
    from axdesk.gui.main_window import MainWindow
    from axdesk.gui.workbench import Workbench
    from tests.e2e.window_driver import until

    QApplication.instance() or QApplication([])
    workbench = Workbench(lambda _: Workspace(folder / "lab.sqlite", folder / "plugins"))
    window = MainWindow(workbench)
    window.resize(1600, 1000)
    window.show()
    workbench.begin()
    workbench.new(draft_of(setup))
    until(lambda: workbench.current is not None, "the draft")
    session = workbench.current
    assert session is not None
    until(lambda: session.state is RunState.READY, "a set-up that can run")
    session.start()
    until(lambda: session.facts.best is not None, "the first result")
    window.actions_by_name["view.monitor"].trigger()
    held, trials, begun = [], [], time.monotonic()
    for moment in range(1, MOMENTS + 1):
        end = begun + moment * seconds / MOMENTS
        while time.monotonic() < end:
            # `until` gives up after a minute.
            goal = min(end, time.monotonic() + 30)
            until(partial(is_past, goal), "time to pass")
        gc.collect()
        held.append(round(memory()))
        trials.append(len(session.facts.trials))
    session.stop_now()
    until(lambda: not workbench.live_sessions, "the end of the run")
    return {"held": held, "trials": trials}


def tell_table(figures: Mapping[str, object]) -> None:
    """Print what was measured of the table."""
    words = ", ".join(f"{what} {float(str(ms)):.1f}" for what, ms in figures.items())
    sys.stdout.write(f"{TRIALS} trials in the table, ms on the processor: {words}\n")


def tell_opened(figures: Mapping[str, object]) -> None:
    """Print what was measured of many experiments."""
    sys.stdout.write(f"{EXPERIMENTS} experiments opened, MB after each tenth: {figures['held']}\n")


def tell_long(figures: Mapping[str, object], seconds: float) -> None:
    """Print what was measured of a long run."""
    sys.stdout.write(
        f"a run over {seconds:.0f} s, MB at {MOMENTS} moments: {figures['held']}; "
        f"trials: {figures['trials']}\n"
    )
