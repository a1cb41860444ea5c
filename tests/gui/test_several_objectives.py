"""What the window shows of several objectives, targets and limits relative to a baseline."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.experiment import Experiment
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.trial import Observation, TrialSource, TrialStatus
from axdesk.gui.models.banner_content import banner_content
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.objective_table import ObjectiveTable
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.setup_texts import objective_sentence, summary_rows
from axdesk.gui.models.trials_model import TrialsModel
from axdesk.gui.style import theme_manager
from axdesk.gui.views.convergence import ConvergenceCard, summary_sentence
from axdesk.gui.views.monitor import MonitorView
from axdesk.gui.views.setup_objectives import ObjectivesPage
from axdesk.gui.widgets.roles import Role
from tests.gui.scenes import coupling_experiment
from tests.gui.test_window_models import facts_of

QtBot = Any
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def usual_theme(qapp: QApplication) -> Iterator[None]:
    yield
    theme_manager().choose("system")


def with_goals(text: str, *limits: str) -> Experiment:
    experiment = coupling_experiment()
    optimization = OptimizationConfig.of(
        parse_objectives(text),
        tuple(map(OutcomeConstraint.parse, limits)),
        units=experiment.optimization.units,
    )
    experiment.change_setup(optimization=optimization)
    return experiment


def test_the_plot_shows_the_hypervolume_and_stars_the_front(
    qtbot: QtBot, qapp: QApplication
) -> None:
    facts = facts_of(with_goals("Yield, -Impurity"))
    card = ConvergenceCard(Selection())
    qtbot.addWidget(card)

    card.show_facts(facts)

    volumes = facts.hypervolumes
    assert volumes is not None
    done = [t.index for t in facts.trials if t.status is TrialStatus.COMPLETED]
    assert [card.places[i].y for i in done] == [volumes[i] for i in done]
    stars = {i for i, place in card.places.items() if place.mark == "star"}
    assert stars == {t.index for t in facts.front}
    assert len(stars) >= 1
    assert facts.optimization is not None
    assert summary_sentence(facts, facts.optimization).startswith("Grew by ")


def test_trade_offs_are_shown_with_the_front_around_what_it_dominates(
    qtbot: QtBot, qapp: QApplication
) -> None:
    experiment = with_goals("Yield, -Impurity")
    for index, values in enumerate(((50, 1.0), (80, 3.0), (60, 3.5), (70, 2.0))):
        pair = tuple(map(Observation, ("Yield", "Impurity"), values))
        experiment.put(replace(experiment.trial(index), observations=pair))
    for index in range(4, 16):
        if experiment.trial(index).status is TrialStatus.COMPLETED:
            experiment.put(replace(experiment.trial(index), is_excluded=True))
    experiment.put(replace(experiment.trial(17), is_excluded=True))
    facts, view = facts_of(experiment), MonitorView(Selection())
    qtbot.addWidget(view)

    view.show_facts(facts, NOW)

    card = view.trade_offs
    assert not card.isHidden()
    assert {i for i, p in card.places.items() if p.mark == "star"} == {0, 1, 3}
    assert (card.places[3].x, card.places[3].y) == (2.0, 70.0)
    assert {p.mark for i, p in card.places.items() if i in (16, 18, 19)} == {"diamond"}
    xs, ys = card.chart.line
    assert list(zip(xs, ys, strict=True))[1:-1] == [
        (xs[0], 80.0), (3.0, 80.0), (3.0, 70.0), (2.0, 70.0), (2.0, 50.0), (1.0, 50.0)
    ]  # fmt: skip
    assert (xs[0], ys[-1]) == card.chart.reference
    assert xs[0] > max(p.x for p in card.places.values() if p.mark == "star")
    card.chart._selection.select(3)
    view.show_facts(facts_of(with_goals("Yield")), NOW)
    assert card.isHidden()


@pytest.mark.parametrize(
    "text", ["Yield, -Impurity", "-abs(Yield - 80)", "0.5*Yield - abs(Impurity - 1), -Time_used"]
)
def test_the_monitor_shows_any_objectives(qtbot: QtBot, qapp: QApplication, text: str) -> None:
    facts = facts_of(with_goals(text, "Impurity <= 1.5*baseline"))
    view = MonitorView(Selection())
    qtbot.addWidget(view)

    view.show_facts(facts, NOW)

    banner_content(facts, NOW)


def test_the_table_stars_every_trial_on_the_front(qapp: QApplication) -> None:
    facts = facts_of(with_goals("Yield, -Impurity"))
    model = TrialsModel()

    model.show_facts(facts, NOW)

    starred = {
        int(model.index(row, 1).data())
        for row in range(model.rowCount())
        if model.index(row, 0).data(Role.ICON) == "star-filled"
    }
    assert starred == {t.index for t in facts.front}


def test_a_relative_limit_is_shown_as_it_is_against_the_baseline(qapp: QApplication) -> None:
    experiment = with_goals("Yield", "Impurity <= 1.5*baseline")
    assert facts_of(experiment).best is None
    first = experiment.trial(0)
    baseline = replace(first, generation=replace(first.generation, source=TrialSource.BASELINE))
    experiment.put(baseline)

    facts = facts_of(experiment)

    value = baseline.latest("Impurity")
    assert value is not None
    assert facts.optimization is not None
    (limit,) = facts.optimization.outcome_constraints
    assert (limit.bound, limit.is_relative) == (1.5 * value.mean, False)
    assert facts.best is not None


def model_of(text: str) -> DraftModel:
    experiment = with_goals(text)
    model = DraftModel()
    model.set_draft(draft_of(experiment.setup))
    return model


def test_a_target_is_edited_where_its_goal_is(qtbot: QtBot, qapp: QApplication) -> None:
    model = model_of("-abs(Yield - 80), -Impurity")
    table = ObjectiveTable(model)
    assert table.shown(0, "goal") == "Match target 80"
    assert table.column_of(0, "target") == table.column_of(0, "goal")
    page = ObjectivesPage(model)
    qtbot.addWidget(page)
    page.refresh()
    main, small = objective_sentence(model)
    assert main == "axdesk will bring **Yield (%)** close to 80 and minimise **Impurity (%)**."
    assert small.startswith("No goal goes before another")
    model.edit(Section.OBJECTIVES, 0, "target", "")
    assert [p.field for p in model.problems_of(Section.OBJECTIVES)] == ["target"]


def test_a_sum_is_told_as_a_sum(qapp: QApplication) -> None:
    model = model_of("2*Yield - Impurity")
    main, small = objective_sentence(model)
    assert main == "axdesk will maximise **2\u00a0×\u00a0Yield (%) − Impurity (%)**."
    assert small == "Goals with a weight are added up."
    rows = dict(summary_rows(with_goals("Yield - abs(Impurity - 1.5)").setup))
    assert rows["Goal"] == "Maximise Yield − distance of Impurity from 1.5"
