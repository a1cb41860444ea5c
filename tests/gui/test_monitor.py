"""The convergence plot and the slots: where things are drawn, and that themes reach them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from axdesk.core.events import TrialHealthChanged
from axdesk.core.experiment import Experiment
from axdesk.core.run import RunState
from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.read_out import read_out_rows
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.slots import Bar, SlotPlan
from axdesk.gui.style import theme_manager
from axdesk.gui.theme import THEMES
from axdesk.gui.views.convergence import ConvergenceCard, summary_sentence
from axdesk.gui.views.monitor import MonitorView
from axdesk.gui.widgets.plots import ReadOut
from tests.gui.scenes import coupling_experiment
from tests.gui.test_window_models import facts_of

QtBot = Any
NOW = datetime.now(UTC)


@pytest.fixture
def experiment() -> Experiment:
    return coupling_experiment()


@pytest.fixture
def card(qtbot: QtBot, qapp: QApplication, experiment: Experiment) -> ConvergenceCard:
    card = ConvergenceCard(Selection())
    qtbot.addWidget(card)
    card.resize(640, 480)
    card.show_facts(facts_of(experiment))
    card.show()
    qtbot.waitExposed(card)
    return card


def at(card: ConvergenceCard, index: int) -> QPoint:
    point = card.chart.point_of(index)
    assert point is not None
    return point.toPoint()


@pytest.fixture(autouse=True)
def usual_theme(qapp: QApplication) -> Iterator[None]:
    yield
    theme_manager().choose("system")


def test_each_trial_stands_where_its_status_says(card: ConvergenceCard) -> None:
    marks = {index: place.mark for index, place in card.places.items()}
    assert marks[13] == "star"
    assert marks[3] == "ring"
    assert marks[6] == "cross"
    assert marks[17] == "dot"
    assert {marks[i] for i in (16, 18, 19)} == {"diamond"}
    assert card.places[13].y == 83.6
    assert all(at(card, 6).y() > at(card, i).y() for i in card.places if i != 6)
    assert card.places[19].sem == pytest.approx(15.5)


def test_the_sentence_says_what_the_plot_shows(experiment: Experiment) -> None:
    facts = facts_of(experiment)
    assert facts.optimization is not None
    text = summary_sentence(facts, facts.optimization).replace("\u00a0", " ")
    assert text.startswith("Best 83.6 % since #13. The model expects up to 83.4 ± ")
    assert text.endswith(" within the limits.")


def test_a_minimised_objective_is_shown_as_the_operator_knows_it(experiment: Experiment) -> None:
    from axdesk.core.objective import Objective

    setup = replace(
        experiment.setup,
        optimization=replace(experiment.setup.optimization, objective=Objective.parse("-Yield")),
    )
    facts = facts_of(experiment, setup=setup)
    assert facts.optimization is not None
    text = summary_sentence(facts, facts.optimization).replace("\u00a0", " ")
    # The stored model best is a score, larger is better: 83 means a yield of −83 here.
    assert text.startswith("Best 12.1 % since #7. The model expects down to −83.4")


def test_a_click_selects_the_trial_under_the_pointer(card: ConvergenceCard, qtbot: QtBot) -> None:
    selection, left = card.chart._selection, Qt.MouseButton.LeftButton
    qtbot.mouseClick(card.chart, left, pos=at(card, 13) + QPoint(8, -8))
    assert selection.trials == (13,)
    qtbot.mouseClick(card.chart, left, pos=at(card, 13) + QPoint(60, 60))
    assert selection.trials == (13,)
    ctrl = Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(card.chart, left, ctrl, at(card, 17))
    assert (selection.current, selection.compared) == (13, (17,))
    qtbot.mouseClick(card.chart, left, ctrl, at(card, 17))
    assert selection.trials == (13,)


def test_trials_that_the_filter_leaves_out_are_washed_out(
    card: ConvergenceCard, qtbot: QtBot
) -> None:
    best = list(card.chart.course.steps)
    card.set_filter(frozenset({13}))
    assert card.chart.marks_present() == {"star", "left_out"}
    assert card.chart.course.steps == best
    qtbot.mouseMove(card.chart, at(card, 17))
    assert not read_out(card).isVisible()
    qtbot.mouseMove(card.chart, at(card, 13))
    assert read_out(card).isVisible()
    card.set_filter(None)
    assert "left_out" not in card.chart.marks_present()


def read_out(card: ConvergenceCard) -> ReadOut:
    found = card.findChild(ReadOut)
    assert found is not None
    return found


def test_hovering_tells_the_trial_and_leaving_stops(card: ConvergenceCard, qtbot: QtBot) -> None:
    qtbot.mouseMove(card.chart, at(card, 17) + QPoint(6, 6))
    assert read_out(card).isVisible()
    assert read_out(card).accessibleName().startswith("#17 done.")
    qtbot.mouseMove(card.chart, at(card, 17) + QPoint(0, 40))
    assert not read_out(card).isVisible()
    qtbot.mouseMove(card.chart, at(card, 17))
    QApplication.sendEvent(card.chart, QEvent(QEvent.Type.Leave))
    assert not read_out(card).isVisible()


def test_the_read_out_gives_result_and_settings(experiment: Experiment) -> None:
    facts = facts_of(experiment)
    assert facts.optimization is not None
    rows = dict(read_out_rows(experiment.trials[17], facts, facts.optimization))
    assert rows["Yield"].replace("\u00a0", " ") == "73.5 ± 1.0 %"
    assert rows["Solvent"] == "DMF"
    waiting = dict(read_out_rows(experiment.trials[19], facts, facts.optimization))
    assert waiting["Expected"].replace("\u00a0", " ") == "62.0 ± 15.5 %"


def test_there_is_room_for_the_whole_budget(card: ConvergenceCard) -> None:
    scale = card.chart.x_scale
    assert scale.low < 0
    assert scale.high > 29
    assert card.chart.left == 10


def test_without_results_a_sentence_stands_in_place_of_axes(
    card: ConvergenceCard, experiment: Experiment
) -> None:
    card.show_facts(facts_of(replace(experiment, trials={})))
    assert not card._content.isVisible()
    assert card._empty.isVisible()


@pytest.mark.parametrize("name", list(THEMES))
def test_a_theme_reaches_every_mark_of_the_plot(card: ConvergenceCard, name: str) -> None:
    theme_manager().choose(name)
    theme = THEMES[name]
    picture, corner = card.grab().toImage(), card.chart.mapTo(card, QPoint())

    def color(place: QPoint) -> str:
        return picture.pixelColor(corner + place).name().upper()

    assert color(at(card, 17)) == theme.plot_dot
    assert color(QPoint(4, 4)) == theme.surface
    assert color(at(card, 13)) == theme.plot_best
    line = card.chart.at(6.0, card.chart.course.steps[1][1]).toPoint()
    assert theme.plot_ink in {color(line + QPoint(0, off)) for off in (-1, 0, 1)}


def bars_of(trials: Sequence[Trial], lanes: int) -> list[Bar]:
    plan = SlotPlan()
    plan.show(trials, lanes)
    return plan.bars


def test_trials_share_the_slots_without_overlap(experiment: Experiment) -> None:
    bars = bars_of(tuple(experiment.trials.values()), 3)
    assert len(bars) == 20
    for lane in {bar.lane for bar in bars}:
        in_lane = sorted((b for b in bars if b.lane == lane), key=lambda b: b.start)
        for first, second in pairwise(in_lane):
            assert first.end is not None
            assert first.end <= second.start


def test_a_slot_that_is_free_is_used_again() -> None:
    trial = coupling_experiment().trials[17]
    parts = [
        replace(trial, index=i, started_at=NOW + timedelta(minutes=i),
                finished_at=NOW + timedelta(minutes=i + 1))
        for i in range(4)
    ]  # fmt: skip
    assert {bar.lane for bar in bars_of(tuple(parts), 1)} == {0}


@pytest.mark.parametrize("state", list(RunState))
def test_the_monitor_shows_every_state(qtbot: QtBot, qapp: QApplication, state: RunState) -> None:
    monitor = MonitorView(Selection())
    qtbot.addWidget(monitor)
    monitor.resize(900, 420)
    experiment = coupling_experiment(state)
    experiment.put(experiment.trials[5].moved_to(TrialStatus.ABANDONED, reason="spilt"))
    facts = facts_of(
        experiment, state=state, unanswered={18: TrialHealthChanged(18, 2, "no reply")}
    )
    monitor.show_facts(facts, NOW)
    monitor.show()
    qtbot.waitExposed(monitor)
    monitor.tick(NOW + timedelta(seconds=1))
    monitor.convergence.chart._selection.select(13)
    assert not monitor.grab().isNull()
    assert monitor.convergence.places[5].mark == "small_cross"


def test_a_list_of_what_runs_is_brought_up_to_date_without_new_widgets(
    qtbot: QtBot, qapp: QApplication, experiment: Experiment
) -> None:
    monitor = MonitorView(Selection())
    qtbot.addWidget(monitor)
    monitor.resize(1100, 400)
    monitor.show_facts(facts_of(experiment), NOW)
    monitor.show()
    qtbot.waitExposed(monitor)

    def told() -> list[str]:
        labels = monitor.slots.findChildren(QLabel)
        return [label.text() for label in labels if label.isVisible() and "#" in label.text()]

    assert told() == ["#16", "#18", "#19"]
    before = {id(widget) for widget in monitor.findChildren(QWidget)}
    ended = experiment.trials[16].moved_to(TrialStatus.FAILED, reason="spilt")
    experiment.put(ended)
    for seconds in range(3):
        monitor.show_facts(facts_of(experiment), NOW + timedelta(seconds=seconds))
        monitor.tick(NOW + timedelta(seconds=seconds + 0.5))
    assert told() == ["#18", "#19"]
    assert {id(widget) for widget in monitor.findChildren(QWidget)} == before
