"""The Monitor through mouse and keyboard: options, strips, slots, trade-offs, and their cost."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QWidget

from axdesk.core.experiment import Experiment
from axdesk.core.parameters import ChoiceParameterConfig, ParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.trial import Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.gui.models.monitor_options import MonitorOptions, XAxis, options_from
from axdesk.gui.models.run_facts import RunFacts
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.slots import busy_share
from axdesk.gui.models.trial_memo import TrialMemo
from axdesk.gui.style import theme_manager
from axdesk.gui.theme import THEMES
from axdesk.gui.views.monitor import MonitorView
from axdesk.gui.views.strips import StripChart
from axdesk.gui.views.trial_chart import TrialChart
from axdesk.gui.widgets.plots import ReadOut
from axdesk.gui.widgets.scales import Scaling
from tests.gui.scenes import coupling_experiment
from tests.gui.test_monitor import bars_of
from tests.gui.test_several_objectives import with_goals
from tests.gui.test_window_models import facts_of

QtBot = Any
NOW = datetime.now(UTC)
LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(autouse=True)
def usual_theme(qapp: QApplication) -> Iterator[None]:
    yield
    theme_manager().choose("system")


def shown(qtbot: QtBot, experiment: Experiment, size: tuple[int, int] = (1200, 640)) -> MonitorView:
    monitor = MonitorView(Selection())
    qtbot.addWidget(monitor)
    monitor.resize(*size)
    monitor.show_facts(facts_of(experiment), NOW)
    monitor.show()
    qtbot.waitExposed(monitor)
    monitor.grab()
    return monitor


def selection_of(monitor: MonitorView) -> Selection:
    return monitor.convergence.chart._selection


def option(monitor: MonitorView, name: str) -> QAction:
    found = monitor.findChild(QAction, f"monitor.convergence.{name}")
    assert isinstance(found, QAction)
    return found


def mark(chart: TrialChart, index: int) -> QPoint:
    point = chart.point_of(index)
    assert point is not None
    return point.toPoint()


def strip(monitor: MonitorView, name: str) -> StripChart:
    return next(s for _, s in monitor.parameters.strips if s.parameter.name == name)


def hover(qtbot: QtBot, widget: QWidget, place: QPoint) -> None:
    qtbot.mouseMove(widget, place + QPoint(1, 1))
    qtbot.mouseMove(widget, place)
    QApplication.processEvents()


def told(monitor: MonitorView) -> str:
    visible = [r for r in monitor.findChildren(ReadOut) if r.isVisible()]
    assert len(visible) == 1
    return visible[0].accessibleName().replace("\u00a0", " ")


class TestConvergence:
    def test_arrow_keys_read_out_and_return_selects(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        chart = monitor.convergence.chart
        chart.setFocus()
        qtbot.keyClick(chart, Qt.Key.Key_Home)
        assert told(monitor).startswith("#0 done")
        qtbot.keyClick(chart, Qt.Key.Key_Right)
        assert told(monitor).startswith("#1 done")
        qtbot.keyClick(chart, Qt.Key.Key_Return)
        qtbot.keyClick(chart, Qt.Key.Key_End)
        qtbot.keyClick(chart, Qt.Key.Key_Return, CTRL)
        assert selection_of(monitor).trials == (1, 19)
        qtbot.keyClick(chart, Qt.Key.Key_Escape)
        assert not any(r.isVisible() for r in monitor.findChildren(ReadOut))

    def test_order_of_finishing_and_time_go_along(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        monitor = shown(qtbot, experiment)
        option(monitor, "x.finish").trigger()
        places = monitor.convergence.places
        over = [t for t in experiment.trials.values() if t.status.is_terminal]
        ordered = sorted(over, key=lambda t: t.finished_at or NOW)
        assert [places[t.index].x for t in ordered] == [float(i) for i in range(len(ordered))]
        option(monitor, "x.time").trigger()
        places = monitor.convergence.places
        for trial in over:
            assert trial.finished_at is not None
            assert places[trial.index].x == pytest.approx(trial.finished_at.timestamp())
        assert all(places[i].x == pytest.approx(NOW.timestamp()) for i in (16, 18, 19))

    def test_best_so_far_follows_the_axis(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        course = monitor.convergence.chart.course
        assert course.steps == [(0.0, 51.6), (4.0, 69.2), (9.0, 80.1), (11.0, 81.0), (13.0, 83.6)]
        option(monitor, "x.finish").trigger()
        assert [value for _, value in course.steps][-1] == 83.6

    def test_a_logarithmic_scale_where_all_values_are_positive(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        option(monitor, "log").trigger()
        assert monitor.convergence.chart.y_scale.scaling is Scaling.LOG

    def test_a_symmetric_scale_where_some_are_not(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        seventh = experiment.trial(7)
        experiment.put(replace(seventh, observations=(
            Observation("Yield", -40.0), Observation("Impurity", 1.0))))  # fmt: skip
        monitor = shown(qtbot, experiment)
        option(monitor, "log").trigger()
        chart = monitor.convergence.chart
        assert chart.y_scale.scaling is Scaling.SYMMETRIC
        values = [place.y for place in chart.places.values() if place.y is not None]
        assert all(0 <= chart.y_scale.share(v) <= 1 for v in values)
        assert mark(chart, 7).y() > mark(chart, 2).y() > mark(chart, 13).y()

    def test_trials_without_a_result_and_the_model_can_be_hidden(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        assert 6 in monitor.convergence.places
        option(monitor, "failed").trigger()
        assert 6 not in monitor.convergence.places
        top = monitor.convergence.chart.y_scale.high
        option(monitor, "band").trigger()
        assert monitor.convergence.chart.y_scale.high <= top

    def test_what_is_chosen_is_told_and_read_back(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        with qtbot.waitSignal(monitor.options_changed) as signal:
            option(monitor, "x.time").trigger()
        kept = signal.args[0].kept()
        assert kept == {"x": "time"}
        assert options_from(kept) == MonitorOptions(x=XAxis.TIME)
        assert options_from({"x": "sideways", "is_log": 3, "window": "all"}) == MonitorOptions()
        assert options_from(None) == MonitorOptions()

    def test_another_metric_is_shown_with_its_limit(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        monitor.convergence._choose(quantity="metric:Impurity")
        places = monitor.convergence.places
        assert places[3].y == 2.6
        assert places[17].y == 1.85
        chart = monitor.convergence.chart
        assert chart.y_scale.low < 2 < chart.y_scale.high
        assert chart.course.steps == []

    @pytest.mark.parametrize(
        "values",
        [[3.0] * 20, [10.0 ** (i * 24 // 20 - 12) for i in range(20)], [-1e300, 1e300] * 10],
    )
    @pytest.mark.parametrize("is_log", [False, True])
    def test_any_values_have_a_place_in_the_plot(
        self, qtbot: QtBot, values: list[float], is_log: bool
    ) -> None:
        experiment = coupling_experiment()
        for trial in list(experiment.trials.values()):
            readings = (Observation("Yield", values[trial.index]), Observation("Impurity", 1.0))
            is_done = trial.status is TrialStatus.COMPLETED
            experiment.put(replace(trial, observations=readings if is_done else (),
                                   generation=Generation(TrialSource.SOBOL)))  # fmt: skip
        monitor = shown(qtbot, experiment)
        monitor.set_options(MonitorOptions(is_log=is_log))
        monitor.grab()
        chart = monitor.convergence.chart
        for index in chart.places:
            assert chart.rect().contains(mark(chart, index))

    @pytest.mark.parametrize("keep", [0, 1])
    def test_few_trials_have_a_plot_or_a_sentence_in_its_place(
        self, qtbot: QtBot, keep: int
    ) -> None:
        experiment = coupling_experiment()
        for index in range(keep, 20):
            del experiment.trials[index]
        monitor = shown(qtbot, experiment)
        assert monitor.convergence.chart.isVisible() == bool(keep)
        assert monitor.slots.timeline.isVisible() == bool(keep)

    def test_all_failed(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        for trial in list(experiment.trials.values()):
            experiment.put(replace(trial, status=TrialStatus.FAILED, observations=(), reason="x"))
        monitor = shown(qtbot, experiment)
        assert monitor.convergence.chart.marks_present() == {"cross"}


class TestStrips:
    def test_a_click_selects_and_ctrl_compares(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        temperature, time = strip(monitor, "Temperature"), strip(monitor, "Time")
        qtbot.mouseClick(temperature, LEFT, pos=mark(temperature, 13))
        qtbot.mouseClick(time, LEFT, CTRL, mark(time, 2))
        assert selection_of(monitor).trials == (13, 2)

    def test_hovering_reads_out_inside_the_monitor(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        solvent = strip(monitor, "Solvent")
        hover(qtbot, solvent, mark(solvent, 13) + QPoint(5, 5))
        assert told(monitor).startswith("#13 done")
        [read_out] = [r for r in monitor.findChildren(ReadOut) if r.isVisible()]
        assert monitor._page.rect().contains(read_out.geometry())

    def test_choices_are_lanes_and_a_log_scale_is_one(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        monitor = shown(qtbot, experiment)
        solvent, catalyst = strip(monitor, "Solvent"), strip(monitor, "Catalyst")
        lanes = {t.parameters["Solvent"]: mark(solvent, t.index).y()
                 for t in experiment.trials.values()}  # fmt: skip
        assert len(set(lanes.values())) == 4
        assert lanes["MeCN"] < lanes["DMF"] < lanes["1,4-Dioxane"] < lanes["Toluene"]
        assert catalyst.y_scale.scaling is Scaling.LOG

    def test_changed_bounds_step_at_the_first_trial_under_them(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        first, *others = experiment.setup.search_space.parameters
        assert isinstance(first, RangeParameterConfig)
        experiment.change_setup(
            search_space=SearchSpace((replace(first, bounds=(60, 140)), *others))
        )
        for index in range(9, 20):
            experiment.put(replace(experiment.trial(index), search_space_version=2))
        monitor = shown(qtbot, Experiment(**{f: getattr(experiment, f) for f in (
            "id", "setup", "created_at", "trials", "runs")}))  # fmt: skip
        facts = facts_of(experiment, search_spaces=experiment.search_spaces)
        monitor.show_facts(facts, NOW)
        assert strip(monitor, "Temperature").bounds == [(0, 50.0, 120.0), (9, 60.0, 140.0)]
        assert strip(monitor, "Time").bounds == [(0, 5.0, 60.0)]

    def test_more_strips_than_fit_are_scrolled_to(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        parameters: tuple[ParameterConfig, ...] = (
            *(RangeParameterConfig(f"Flow {i}", (0, 1)) for i in range(15)),
            ChoiceParameterConfig("Kind", ("a", "b")),
        )
        experiment.change_setup(search_space=SearchSpace(parameters))
        for trial in list(experiment.trials.values()):
            values = {p.name: "a" if p.name == "Kind" else 0.5 for p in parameters}
            experiment.put(replace(trial, arm=replace(trial.arm, parameters=values)))
        monitor = shown(qtbot, experiment)
        bar = monitor.parameters._area.verticalScrollBar()
        assert bar.maximum() > 0
        assert len(monitor.parameters.strips) == 16
        assert all(s.height() >= s.minimumHeight() for _, s in monitor.parameters.strips)


class TestSlots:
    def test_a_bar_is_read_out_selected_and_compared(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        slots = monitor.slots.timeline

        def middle(index: int) -> QPoint:
            rect = slots.bar_rect(index)
            assert rect is not None
            return rect.center().toPoint()

        hover(qtbot, slots, middle(16))
        assert told(monitor).startswith("#16 running")
        qtbot.mouseClick(slots, LEFT, pos=middle(16))
        qtbot.mouseClick(slots, LEFT, CTRL, middle(13))
        assert selection_of(monitor).trials == (16, 13)

    def test_the_span_that_is_chosen_is_shown(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, coupling_experiment())
        first, _ = monitor.slots.timeline.shown_time()
        assert monitor.slots._combo.currentText() == "Last 4 h"
        monitor.slots._choose_span(0)
        whole, _ = monitor.slots.timeline.shown_time()
        assert whole < first
        assert monitor.slots.timeline.bar_rect(0) is not None

    def test_idle_time_is_counted(self) -> None:
        trial = coupling_experiment().trial(17)
        halves = [
            replace(trial, index=i, started_at=NOW + timedelta(minutes=20 * i),
                    finished_at=NOW + timedelta(minutes=20 * i + 10))
            for i in range(3)
        ]  # fmt: skip
        bars = bars_of(halves, 1)
        assert busy_share(bars, 1, NOW, NOW + timedelta(minutes=60)) == pytest.approx(0.5)

    def test_every_slot_has_a_lane(self, qtbot: QtBot) -> None:
        experiment = coupling_experiment()
        trial = experiment.trial(19)
        for index in range(20, 80):
            experiment.put(replace(trial, index=index))
        monitor = shown(qtbot, experiment)
        slots = monitor.slots.timeline
        assert slots.plan.lanes >= 60
        lowest = slots.bar_rect(79)
        assert lowest is not None
        assert lowest.bottom() <= slots.height()


class TestTradeOffs:
    def test_combos_choose_any_pair_and_change_places(self, qtbot: QtBot) -> None:
        experiment = with_goals("Yield, -Impurity, Dose")
        for trial in list(experiment.trials.values()):
            if trial.status is TrialStatus.COMPLETED:
                dose = Observation("Dose", float(trial.index))
                experiment.put(replace(trial, observations=(*trial.observations, dose)))
        monitor = shown(qtbot, experiment)
        card = monitor.trade_offs
        assert card.places[17].y == 73.5
        card._choose("upright", "objective:Dose")
        assert (card.places[17].x, card.places[17].y) == (1.85, 17.0)
        card._choose("across", "objective:Dose")
        assert (card.places[17].x, card.places[17].y) == (17.0, 1.85)
        assert card.chart.line == ([], [])

    def test_a_point_is_selected_by_a_click(self, qtbot: QtBot) -> None:
        monitor = shown(qtbot, with_goals("Yield, -Impurity", "Yield >= 40"))
        chart = monitor.trade_offs.chart
        qtbot.mouseClick(chart, LEFT, pos=mark(chart, 7))
        assert selection_of(monitor).current == 7
        assert chart.broken[1] == ((40.0, False),)


class TestArrangement:
    @pytest.mark.parametrize("name", list(THEMES))
    @pytest.mark.parametrize("size", [(1200, 640), (1024, 230), (760, 560)])
    @pytest.mark.parametrize("goals", ["Yield", "Yield, -Impurity"])
    def test_no_card_covers_another(
        self, qtbot: QtBot, name: str, size: tuple[int, int], goals: str
    ) -> None:
        theme_manager().choose(name)
        monitor = shown(qtbot, with_goals(goals), size)
        cards = [monitor.convergence, monitor.slots, monitor.parameters, monitor.trade_offs]
        places = [card.geometry() for card in cards if card.isVisible()]
        assert len(places) == 3 + ("," in goals)
        assert not any(a.intersects(b) for i, a in enumerate(places) for b in places[:i])
        assert all(monitor._page.rect().contains(place) for place in places)


def many(count: int) -> Experiment:
    experiment = coupling_experiment()
    base = experiment.trial(17)
    experiment.trials.clear()
    for index in range(count):
        start = NOW - timedelta(minutes=17 * (count - index) + 60)
        yields = 50 + 30 * (index * 7919 % 1000) / 1000
        experiment.put(replace(
            base, index=index, staged_at=start, started_at=start,
            finished_at=start + timedelta(minutes=48),
            generation=Generation(TrialSource.MODEL, model_best=(81.0, 2.0)),
            observations=(Observation("Yield", yields, 1.0), Observation("Impurity", 1.0)),
        ))  # fmt: skip
    return experiment


def append(experiment: Experiment, memory: TrialMemo) -> RunFacts:
    last = experiment.trials[experiment.next_index - 1]
    later = timedelta(minutes=17)
    assert last.started_at is not None
    assert last.finished_at is not None
    experiment.put(replace(last, index=last.index + 1, staged_at=last.started_at + later,
                           started_at=last.started_at + later,
                           finished_at=last.finished_at + later))  # fmt: skip
    return facts_of(experiment, memo=memory)


def charts_of(monitor: MonitorView) -> list[TrialChart]:
    return [monitor.convergence.chart, *(strip for _, strip in monitor.parameters.strips)]


def test_one_more_of_many_trials_costs_one_more(qtbot: QtBot) -> None:
    experiment, memory = many(3000), TrialMemo()
    monitor = shown(qtbot, experiment)
    monitor.show_facts(facts_of(experiment, memo=memory), NOW)
    monitor.show_facts(append(experiment, memory), NOW)
    monitor.grab()
    slots, course = monitor.slots.timeline, monitor.convergence.chart.course
    before = (course.rebuilt, slots.plan.laid_out)
    pictures = [chart.pictures_drawn for chart in charts_of(monitor)]
    marks = [chart.marks_drawn for chart in charts_of(monitor)]
    for _ in range(5):
        monitor.show_facts(append(experiment, memory), NOW)
        monitor.grab()
    assert (course.rebuilt, slots.plan.laid_out) == before
    assert [chart.pictures_drawn for chart in charts_of(monitor)] == pictures
    for chart, drawn in zip(charts_of(monitor), marks, strict=True):
        assert chart.marks_drawn - drawn <= 5 * 3  # itself and the star, which is painted over all
        assert chart.places[experiment.next_index - 1].mark == "dot"


def test_a_long_run_leaves_nothing_behind(qtbot: QtBot) -> None:
    experiment, memory = many(40), TrialMemo()
    monitor = shown(qtbot, experiment)
    monitor.show_facts(append(experiment, memory), NOW)
    before = len(monitor.findChildren(QObject))
    for _ in range(300):
        monitor.show_facts(append(experiment, memory), NOW)
    monitor.grab()
    assert len(monitor.findChildren(QObject)) == before
    assert all(len(chart._sprites) < 40 for chart in charts_of(monitor))
    assert len(monitor.convergence.chart.course.steps) < 20


def test_what_was_brought_up_to_date_is_what_is_worked_out_anew(qtbot: QtBot) -> None:
    experiment = coupling_experiment()
    monitor = shown(qtbot, experiment)
    for axis in XAxis:
        experiment, memory = coupling_experiment(), TrialMemo()
        monitor.set_options(MonitorOptions(x=axis))
        monitor.show_facts(facts_of(experiment, memo=memory), NOW)
        for changed in changes_of(experiment):
            experiment.put(changed)
            monitor.show_facts(facts_of(experiment, memo=memory), NOW)
            anew = shown(qtbot, experiment)
            anew.set_options(MonitorOptions(x=axis))
            anew.show_facts(facts_of(experiment), NOW)
            for mine, theirs in zip(charts_of(monitor), charts_of(anew), strict=True):
                assert mine.places == theirs.places
            course, other = monitor.convergence.chart.course, anew.convergence.chart.course
            assert course.steps == other.steps
            assert course.model == other.model
            assert facts_of(experiment, memo=memory).starred == facts_of(experiment).starred


def changes_of(experiment: Experiment) -> list[Trial]:
    """What may become of trials, one after the other."""
    later = NOW + timedelta(minutes=1)
    return [
        experiment.trial(18).moved_to(
            TrialStatus.COMPLETED, finished_at=later,
            observations=(Observation("Yield", 91.0, 1.0), Observation("Impurity", 1.0)),
        ),
        experiment.trial(16).moved_to(TrialStatus.FAILED, reason="x", finished_at=later),
        replace(experiment.trial(13), is_excluded=True),
        experiment.trial(11).moved_to(TrialStatus.ABANDONED, reason="void"),
    ]  # fmt: skip


class TestMenu:
    """The menu of trials, asked for in the plots."""

    @staticmethod
    def ask(widget: QWidget, place: QPoint, *, by_key: bool = False) -> None:
        reasons = QContextMenuEvent.Reason
        reason = reasons.Keyboard if by_key else reasons.Mouse
        QApplication.sendEvent(widget, QContextMenuEvent(reason, place, widget.mapToGlobal(place)))

    @pytest.mark.parametrize("card", ["chart", "strip", "slots"])
    def test_it_opens_on_the_trial_that_is_pointed_at(self, qtbot: QtBot, card: str) -> None:
        monitor = shown(qtbot, coupling_experiment())
        selection = selection_of(monitor)
        asked: list[tuple[tuple[int, ...], QPoint]] = []
        selection.menu_requested.connect(lambda at: asked.append((selection.trials, at)))
        slots = monitor.slots.timeline
        chart = strip(monitor, "Temperature") if card == "strip" else monitor.convergence.chart
        widget: QWidget = slots if card == "slots" else chart

        def place(index: int) -> QPoint:
            rect = slots.bar_rect(index)
            return rect.center().toPoint() if card == "slots" and rect else mark(chart, index)

        self.ask(widget, place(13))
        assert asked.pop() == ((13,), widget.mapToGlobal(place(13)))
        selection.set_trials((12, 13))
        # It is for all that are selected, where the trial is one of them.
        self.ask(widget, place(13))
        assert asked.pop()[0] == (12, 13)
        self.ask(widget, QPoint(0, 0))
        assert asked == []
        assert selection.trials == (12, 13)
        widget.point_at(14)  # type: ignore[attr-defined]  # both kinds have it
        self.ask(widget, QPoint(0, 0), by_key=True)
        assert asked.pop()[0] == (14,)
