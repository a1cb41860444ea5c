"""The page of the objectives through its real widgets: every goal, limit and what it is told as."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QWidget
from pytestqt.qtbot import QtBot

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import RunState
from axdesk.core.setup_lock import SetupLock
from axdesk.gui.models.setup_texts import objective_sentence
from axdesk.gui.views.objective_sketch import ObjectiveSketch
from axdesk.gui.views.setup_objectives import ObjectivesPage
from axdesk.gui.widgets.buttons import Button, SegmentedButton
from axdesk.gui.widgets.cards import Card, LiveSentence
from axdesk.gui.widgets.fields import ComboField, TextField
from tests.gui.setup_driver import shown_page
from tests.gui.setup_samples import METRIC, found, suzuki

Rows = list[dict[str, str]]
O = Section.OBJECTIVES  # noqa: E741  # as the section


def with_rows(rows: Rows, constraints: tuple[str, ...] = (), *, start: str = "yes") -> Draft:
    draft = suzuki().with_rows(O, [{"metric": METRIC, **row} for row in rows])
    draft = draft.with_rows(Section.CONSTRAINTS, [{"expression": text} for text in constraints])
    return draft.with_cell(Section.RUN, 0, "start_at_center", start)


@pytest.fixture
def show(qtbot: QtBot) -> Callable[[Draft], ObjectivesPage]:
    return partial(shown_page, qtbot, ObjectivesPage)


Show = Callable[[Draft], ObjectivesPage]


def press(page: QWidget, name: str, word: str) -> None:
    segments = found(page, SegmentedButton, name)
    button = next(b for b in segments.findChildren(QAbstractButton) if b.text() == word)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def choose(page: QWidget, name: str, text: str) -> None:
    combo = found(page, ComboField, name)
    place = combo.findText(text)
    assert place >= 0, [combo.itemText(i) for i in range(combo.count())]
    combo.setCurrentIndex(place)
    combo.activated.emit(place)


MAX = {"name": "Yield", "unit": "%", "goal": "maximise"}
MIN = {"name": "Cost", "goal": "minimise"}


@pytest.mark.parametrize(
    ("rows", "constraints", "start", "sentence", "detail"),
    [
        ([MAX], (), "yes", "axdesk will maximise **Yield (%)**.", ""),
        ([MIN], (), "yes", "axdesk will minimise **Cost**.", ""),
        (
            [{"name": "pH", "goal": "match target", "target": "7,4"}], (), "yes",
            "axdesk will bring **pH** close to 7.4.", "",
        ),
        (
            [MAX, {"name": "A", "goal": "limit", "limit_kind": "<=", "limit": "2"},
             {"name": "B", "goal": "limit", "limit_kind": ">=", "limit": "-1"}], (), "yes",
            "axdesk will maximise **Yield (%)** while keeping **A ≤ 2** and **B ≥ −1**.",
            "A trial that breaks a limit still teaches the model, but is never the best.",
        ),
        (
            [{**MAX, "limit_kind": ">=", "limit": "50"}], (), "yes",
            "axdesk will maximise **Yield (%)** while keeping **Yield (%) ≥ 50**.",
            "A trial that breaks a limit",
        ),
        (
            [MAX, {"name": "P", "goal": "record"}, {"name": "Q", "goal": "record"}], (), "yes",
            "axdesk will maximise **Yield (%)**.",
            "P and Q are recorded with each trial and do not steer the search.",
        ),
        (
            [{**MAX, "weight": "2"}, {**MIN, "weight": "0,5"},
             {"name": "pH", "goal": "match target", "target": "7", "weight": "1"}], (), "yes",
            "axdesk will maximise **2\u00a0×\u00a0Yield (%) − 0.5\u00a0×\u00a0Cost − distance of "
            "pH from 7**.",
            "Goals with a weight are added up.",
        ),
        (
            [{**MIN, "weight": "1"}, {"name": "Waste", "goal": "minimise", "weight": "3"}], (),
            "yes", "axdesk will minimise **Cost + 3\u00a0×\u00a0Waste**.", "Goals with a weight",
        ),
        (
            [{**MAX, "limit_kind": ">=", "limit": "50"}, MIN], (), "yes",
            "axdesk will maximise **Yield (%)** and minimise **Cost**.",
            "Only trade-offs with Yield (%) ≥ 50 are of use.",
        ),
        (
            [{**MAX, "limit_kind": "<=", "limit": "99"}, MIN], (), "yes",
            "axdesk will maximise **Yield (%)** and minimise **Cost** while keeping "
            "**Yield (%) ≤ 99**.",
            "No goal goes before another",
        ),
        (
            [MAX, {"name": "Q", "goal": "limit", "limit_kind": ">=", "limit": "95 % of baseline"}],
            (), "yes",
            "axdesk will maximise **Yield (%)** while keeping **Q ≥ 0.95\u00a0×\u00a0baseline**.",
            "The baseline is the trial of the start values, which is measured first.",
        ),
        (
            [MAX, MIN], ("2*Yield + Cost <= 6", "Temperature + Time <= 150"), "yes",
            "axdesk will maximise **Yield (%)** and minimise **Cost** while keeping "
            "**2\u00a0×\u00a0Yield (%) + Cost ≤ 6**.",
            "No goal goes before another",
        ),
        (
            [MAX, {"name": "Q", "goal": "record"}], ("Q >= 0.9*baseline - 1",), "no",
            "axdesk will maximise **Yield (%)** while keeping "
            "**Q ≥ 0.9\u00a0×\u00a0baseline − 1**.",
            "The baseline is a manual trial used as one; without one the run cannot start.",
        ),
    ],
)  # fmt: skip
def test_every_kind_of_goal_has_its_sentence(
    rows: Rows, constraints: tuple[str, ...], start: str, sentence: str, detail: str, show: Show
) -> None:
    page = show(with_rows(rows, constraints, start=start))
    assert page.model.problems is None, page.model.problems
    main, small = objective_sentence(page.model)
    assert main == sentence
    assert small.startswith(detail) or detail in small
    told = found(page, LiveSentence, "setup.objectives.sentence")
    assert told.accessibleName() == sentence.replace("**", "")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "Say what a good trial is: add what you measure."),
        ([{"name": "P", "goal": "record"}], "Not complete: say what to optimise"),
        ([{"goal": "maximise"}], "Not complete: needs a name."),
        ([{"name": "A", "goal": "match target"}], "Not complete: enter the target"),
        ([{"name": "A", "goal": "match target", "target": "x"}], "Not complete: “x” is no number."),
        ([{**MAX, "limit_kind": "<=", "limit": "1,2,3"}], "Not complete: “1,2,3” is no number."),
        (
            [{**MAX, "limit_kind": "<=", "limit": "2*basline*baseline"}],
            "Not complete: “2*basline*baseline” is not understood as a limit.",
        ),
        ([{**MAX, "limit": "2"}], "Not complete: choose ≥ or ≤."),
        ([{**MAX, "weight": "0"}, MIN], "Not complete: a weight must be above 0"),
        ([MAX, {**MAX, "goal": "limit"}], "Not complete: another row is called Yield."),
        ([MAX, {"name": "A", "goal": "limit"}], "Not complete: enter the limit"),
    ],
)
def test_the_first_error_is_told_in_the_sentence(rows: Rows, message: str, show: Show) -> None:
    page = show(with_rows(rows))
    assert objective_sentence(page.model)[0].startswith(message)


def test_a_wrong_constraint_does_not_silence_the_objectives(show: Show) -> None:
    page = show(with_rows([MAX], ("Yield + ", "Cost <= 2")))
    assert page.model.problems is not None
    assert objective_sentence(page.model)[0] == "axdesk will maximise **Yield (%)**."


@pytest.mark.parametrize(
    "text", ["-abs(pH - 7)", "0.2*a + 2*b, -c", "a - b, 3*c - abs(d + 2), e", "-2*q"]
)
def test_objectives_given_as_expressions_are_kept_and_shown(text: str, show: Show) -> None:
    page = show(with_rows([MAX]))
    setup = page.model.setup
    assert setup is not None
    optimization = OptimizationConfig.of(parse_objectives(text))
    metrics = tuple((n, PluginChoice(METRIC, {})) for n in optimization.metric_names)
    page.model.set_draft(draft_of(replace(setup, optimization=optimization, metrics=metrics)))
    assert page.model.setup is not None
    assert page.model.setup.optimization == optimization
    for row in range(len(optimization.metric_names)):
        page.table.go_to(row, 0)
        assert page.table.table.shown(row, "goal")


def test_a_limit_becomes_relative_and_the_baseline_gets_its_place(show: Show) -> None:
    page = show(with_rows([MAX, {"name": "Q", "goal": "limit"}], start="no"))
    baseline = found(page, Card, "setup.objectives.baseline")
    page.table.go_to(1, 0)
    assert not baseline.isVisible()
    choose(page, "setup.objectives.details.limit_kind", "At least")
    limit = found(page, TextField, "setup.objectives.details.limit")
    limit.setFocus()
    QTest.keyClicks(limit, "0,95")
    choose(page, "setup.objectives.details.compared", "The baseline")
    assert page.model.text(O, 1, "limit") == "0,95*baseline"
    assert page.table.table.shown(1, "limit") == "≥ 0,95\u00a0×\u00a0baseline"
    assert baseline.isVisible()
    box = found(page, QCheckBox, "setup.objectives.baseline.first")
    assert not box.isChecked()
    box.click()
    assert page.model.text(Section.RUN, 0, "start_at_center") == "yes"
    setup = page.model.setup
    assert setup is not None
    assert [str(c) for c in setup.optimization.outcome_constraints] == ["Q >= 0.95*baseline"]
    assert draft_of(setup).objectives[1]["limit"] == "0.95*baseline"
    choose(page, "setup.objectives.details.compared", "A value")
    assert page.model.text(O, 1, "limit") == "0,95"
    assert not baseline.isVisible()


def test_goals_with_weights_can_be_put_into_two_sums(show: Show) -> None:
    rows = [{"name": name, "goal": "maximise", "weight": "1"} for name in "abcd"]
    page = show(with_rows(rows))
    sums = found(page, ComboField, "setup.objectives.details.sum")
    for row in (2, 3):
        page.table.go_to(row, 0)
        assert sums.isVisible()
        choose(page, "setup.objectives.details.sum", "Sum 2")
    assert page.model.setup is not None
    assert page.model.setup.optimization.objective_text == "a + b, c + d"
    page.table.go_to(0, 0)
    page.model.edit(O, 0, "weight", "")
    assert not sums.isVisible()


@pytest.mark.parametrize(
    ("rows", "is_drawn"),
    [
        ([MAX], False),
        ([MAX, MIN], True),
        ([MIN, MAX], True),
        ([{**MAX, "weight": "1"}, {**MIN, "weight": "2"}], False),
        ([MAX, MIN, {"name": "C", "goal": "maximise"}], False),
        ([{"name": "pH", "goal": "match target", "target": "7", "unit": "1"}], True),
        ([MAX, {"name": "A", "goal": "limit", "limit_kind": ">=", "limit": "0.9*baseline"}], True),
        ([{**MAX, "limit_kind": ">=", "limit": "2"}], False),
    ],
)
def test_what_can_be_drawn_is_drawn_with_its_directions(
    rows: Rows, is_drawn: bool, show: Show
) -> None:
    page = show(with_rows(rows))
    sketch = page.findChild(ObjectiveSketch)
    assert sketch is not None
    assert sketch.isVisible() == is_drawn
    if is_drawn and rows[0].get("goal") in ("maximise", "minimise"):
        before = sketch.grab().toImage()
        other = "minimise" if rows[0]["goal"] == "maximise" else "maximise"
        page.model.edit(O, 0, "goal", other)
        assert sketch.grab().toImage() != before


def test_a_paused_run_takes_goals_and_limits_but_no_other_plugin(show: Show) -> None:
    page = show(with_rows([MAX, MIN]))
    page.model.set_lock(SetupLock(RunState.PAUSED))
    page.refresh()
    name = "setup.objectives.details"
    assert found(page, SegmentedButton, f"{name}.goal").isEnabled()
    assert found(page, TextField, f"{name}.limit").isEnabled()
    assert found(page, ComboField, f"{name}.compared").isEnabled()
    metric = found(page, ComboField, f"{name}.metric")
    assert (metric.isEnabled(), metric.toolTip()) == (False, "Stop the run to change this.")
    add = found(page, Button, "setup.objectives.add")
    assert (add.isEnabled(), bool(add.toolTip())) == (False, True)
    page.model.set_lock(SetupLock(RunState.RUNNING))
    page.refresh()
    goal = found(page, SegmentedButton, f"{name}.goal")
    assert (goal.isEnabled(), goal.toolTip()) == (False, "Pause the run to change this.")


def test_each_goal_shows_the_fields_that_it_has(show: Show) -> None:
    page = show(with_rows([MAX, MIN]))
    page.table.go_to(1, 0)
    target = found(page, TextField, "setup.objectives.details.target")
    limit = found(page, TextField, "setup.objectives.details.limit")
    weight = found(page, TextField, "setup.objectives.details.weight")
    shown = {}
    for word in ("Maximise", "Minimise", "Match target", "Only keep the limit", "Just record"):
        press(page, "setup.objectives.details.goal", word)
        shown[word] = (target.isVisible(), limit.isVisible(), weight.isVisible())
    assert shown == {
        "Maximise": (False, True, True),
        "Minimise": (False, True, True),
        "Match target": (True, True, True),
        "Only keep the limit": (False, True, False),
        "Just record": (False, False, False),
    }
