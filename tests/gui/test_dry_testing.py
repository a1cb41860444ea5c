"""The dry test in the window: confirmed, made by real plugin processes, stopped, remembered."""

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget

from axdesk.core.draft_cells import Section
from axdesk.core.drafts import draft_of
from axdesk.core.dry_test import DryOutcome, StepKind, StepState
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import RunState
from axdesk.gui.views.dry_test_card import StepRow
from axdesk.gui.views.dry_test_dialog import DryTestDialog
from axdesk.gui.views.setup_runner import RunnerPage
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.fields import ComboField, TextField
from tests.api.rig_plugin import RIG, RigFolder
from tests.gui.test_hostile_plugins import Pulse, assert_it_answered, setup_with, write
from tests.gui.test_window_run import Laboratory, bowl_setup

QtBot = Any


@pytest.fixture
def rig(laboratory: Laboratory) -> RigFolder:
    folder = RigFolder.__new__(RigFolder)
    folder.path = laboratory.plugins
    folder.file = laboratory.plugins / "rig.py"
    folder.file.write_text(RIG, "utf-8")
    return folder


def rig_setup() -> Any:
    return replace(
        bowl_setup(),
        name="Rig",
        runner=PluginChoice("rig.py:Rig", {}),
        metrics=(("depth", PluginChoice("rig.py:Gauge", {})),),
    )


class Bench:
    """A window at the page Runner & metrics of an experiment."""

    def __init__(self, laboratory: Laboratory, setup: Any) -> None:
        self.laboratory = laboratory
        self.window = laboratory.new(draft_of(setup))
        session = self.window._workbench.current
        assert session is not None
        self.session = session
        laboratory.until(lambda: not session.draft_model.is_reading_plugins)
        view = self.window.pages.setup_views[session.id]
        view.show_section(Section.RUNNER)
        page = view.page(Section.RUNNER)
        assert isinstance(page, RunnerPage)
        self.card = page.test_card
        self.model = session.dry_testing.model

    def press(self, button: QWidget) -> None:
        assert button.isVisible(), button.objectName()
        self.laboratory.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def ask(self) -> DryTestDialog:
        """Press Test… and return the dialog."""
        self.press(self.card.button)
        self.laboratory.until(lambda: self.window.findChild(DryTestDialog) is not None)
        dialog = self.window.findChild(DryTestDialog)
        assert isinstance(dialog, DryTestDialog)
        self.laboratory.until(dialog.isVisible)
        return dialog

    def begin(self) -> None:
        """Press Test… and confirm."""
        self.press(self.ask().buttons["test"])
        self.laboratory.until(lambda: self.model.is_going)

    def wait(self) -> DryOutcome:
        self.laboratory.until(lambda: not self.session.dry_testing.is_going)
        assert self.model.test is not None
        assert self.model.test.outcome is not None
        return self.model.test.outcome

    def text(self, name: str) -> str:
        found = self.window.findChild(QLabel, name)
        assert found is not None, name
        return found.text()

    def row(self, name: str) -> StepRow:
        found = self.window.findChild(StepRow, f"setup.runner.steps.{name}")
        assert found is not None, name
        return found


def test_the_review_warns_of_untested_plugins_until_a_test_passed(
    laboratory: Laboratory, rig: RigFolder
) -> None:
    bench = Bench(laboratory, rig_setup())
    window, report = bench.window, bench.session.preflight.model
    window.actions_by_name["run.preflight"].trigger()
    laboratory.until(lambda: report.report is not None)
    assert [line.title for line in report.warnings] == ["Test"]
    start = window.findChild(Button, "setup.review.start")
    assert start is not None
    assert start.isEnabled()
    laboratory.until(lambda: window.findChild(Button, "setup.review.test") is not None)
    test = window.findChild(Button, "setup.review.test")
    assert test is not None
    laboratory.until(test.isVisible)
    bench.press(test)
    laboratory.until(lambda: window.findChild(DryTestDialog) is not None)
    dialog = window.findChild(DryTestDialog)
    assert isinstance(dialog, DryTestDialog)
    laboratory.until(dialog.isVisible)
    bench.press(dialog.buttons["test"])
    laboratory.until(lambda: bench.model.is_going)
    assert bench.wait() is DryOutcome.PASSED
    laboratory.until(lambda: report.report is not None and not report.warnings)
    rig.file.write_text(RIG + "\n", "utf-8")
    window.actions_by_name["run.preflight"].trigger()
    laboratory.until(lambda: report.report is not None and bool(report.warnings))


def test_a_test_is_confirmed_made_and_remembered(laboratory: Laboratory, rig: RigFolder) -> None:
    bench = Bench(laboratory, rig_setup())
    assert "not tested" in bench.text("setup.runner.test.state")
    dialog = bench.ask()
    assert dialog.windowTitle() == "A real instrument may move."
    assert any("Rig gets one trial" in found.text() for found in dialog.findChildren(QLabel))
    # Nothing moves before it is confirmed.
    assert rig.asked() == []
    x = dialog.fields["x"]
    assert isinstance(x, TextField)
    assert x.text() == "0"
    for wrong in ("", "3", "a lot", "1,2,3"):
        x.setText(wrong)
        assert not dialog.buttons["test"].isEnabled(), wrong
        assert dialog.buttons["test"].toolTip()
    x.setText("1,5")
    assert dialog.buttons["test"].isEnabled()
    bench.press(dialog.buttons["test"])
    laboratory.until(lambda: bench.model.is_going)
    # The instrument is taken: the experiment cannot be started meanwhile.
    bench.session.start()
    assert not bench.session.is_opening
    assert bench.wait() is DryOutcome.PASSED
    assert '"x": 1.5' in rig.file.with_suffix(".calls").read_text()
    assert rig.asked() == ["run_trial", "poll_trial", "poll_trial", "fetch"]
    laboratory.until(lambda: "passed today at" in bench.text("setup.runner.test.state"))
    assert "1.5 ± 0.5" in bench.row("fetch.depth").accessibleName()
    assert "run_trial returned job: 4709" in bench.row("deploy").accessibleName()
    assert "poll: done" not in bench.row("poll").accessibleName()
    assert bench.row("poll").accessibleName().startswith("Poll: done")
    assert bench.session.facts.trials == ()
    assert bench.session.state is RunState.READY
    # Another window knows it, and does not when the file was changed.
    laboratory.close(bench.window)
    again = laboratory.open()
    again._workbench.open(bench.session.id)
    laboratory.until(lambda: again._workbench.current is not None)
    session = again._workbench.current
    assert session is not None
    laboratory.until(lambda: session.dry_testing.model.passed is not None)
    rig.file.write_text(RIG + "\n", "utf-8")
    again._workbench.reload_plugins()
    laboratory.until(lambda: session.dry_testing.model.passed is None)


@pytest.mark.parametrize("deed", ["raise", "crash", "nonsense", "print"])
@pytest.mark.parametrize("place", ["Rig", "run_trial", "poll_trial", "fetch"])
def test_each_harm_stands_at_its_step(
    laboratory: Laboratory, rig: RigFolder, place: str, deed: str
) -> None:
    bench = Bench(laboratory, rig_setup())
    rig.order(place, deed)
    bench.begin()
    outcome = bench.wait()
    if deed == "print":
        assert outcome is DryOutcome.PASSED
        assert "rig.py: line 149" in bench.model.test.printed  # type: ignore[union-attr]
        return
    assert outcome is DryOutcome.FAILED
    kind = {"Rig": "start", "run_trial": "deploy", "poll_trial": "poll", "fetch": "fetch.depth"}
    row = bench.row(kind[place])
    assert "failed" in row.accessibleName()
    if deed == "raise":
        assert "no vial in the rack" in row.accessibleName()
        fold = row.findChild(Button, f"{row.objectName()}.details.fold")
        assert fold is not None
        bench.press(fold)
        details = row.findChild(QWidget, f"{row.objectName()}.details")
        assert details is not None
        assert str(rig.file) in details.toPlainText().splitlines()[1]  # type: ignore[attr-defined]
    assert "failed today at" in bench.text("setup.runner.test.state")


@pytest.mark.parametrize("place", ["import", "run_trial", "poll_trial", "fetch", "held"])
def test_stop_is_offered_all_the_time(
    laboratory: Laboratory, rig: RigFolder, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axdesk.api.dry_test.SECONDS_TO_RETURN", 0.3)
    bench = Bench(laboratory, rig_setup())
    if place == "held":
        rig.hold()
    else:
        rig.order(place, "hang")
    bench.begin()
    kind = {"run_trial": StepKind.DEPLOY, "poll_trial": StepKind.POLL, "held": StepKind.POLL,
            "fetch": StepKind.FETCH}.get(place, StepKind.START)  # fmt: skip

    def is_there() -> bool:
        test = bench.model.test
        assert test is not None
        return any(s.kind is kind and s.state is StepState.RUNNING for s in test.steps)

    laboratory.until(is_there)
    assert not bench.card.button.isVisible()
    # Edits and the rest of the window go on; a run cannot begin.
    assert not bench.window.actions_by_name["run.start"].isEnabled()
    assert "dry test" in bench.window.actions_by_name["run.start"].toolTip()
    bench.press(bench.card.stop)
    assert bench.wait() is DryOutcome.STOPPED
    assert ("stop_trial" in rig.asked()) is (place in ("poll_trial", "held"))
    assert bench.card.button.isVisible()
    laboratory.until(bench.window.actions_by_name["run.start"].isEnabled)


def test_in_a_small_window_a_test_that_begins_comes_into_sight(
    laboratory: Laboratory, rig: RigFolder
) -> None:
    bench = Bench(laboratory, rig_setup())
    rig.hold()
    bench.window.resize(1024, 640)
    bench.window.actions_by_name["run.test_plugins"].trigger()
    laboratory.until(lambda: bench.window.findChild(DryTestDialog) is not None)
    dialog = bench.window.findChild(DryTestDialog)
    assert dialog is not None
    dialog.choose("test")
    laboratory.until(lambda: bench.model.is_going)
    stop = bench.card.stop
    laboratory.until(lambda: stop.visibleRegion().contains(stop.rect().center()))
    bench.press(stop)
    assert bench.wait() is DryOutcome.STOPPED


def test_it_is_not_offered_while_the_run_uses_the_instrument(laboratory: Laboratory) -> None:
    laboratory.hold.touch()
    bench = Bench(laboratory, bowl_setup())
    bench.session.start()
    laboratory.until(lambda: bench.session.state is RunState.RUNNING)
    laboratory.until(lambda: bool(bench.model.refusal))
    assert not bench.card.button.isEnabled()
    assert bench.card.button.toolTip() == "The run uses the instrument."
    assert not bench.window.actions_by_name["run.test_plugins"].isEnabled()
    bench.session.dry_testing.prepare()
    bench.session.stop_now()
    laboratory.until(lambda: bench.session.state is RunState.STOPPED)
    laboratory.until(lambda: not bench.model.refusal)
    assert bench.window.findChild(DryTestDialog) is None
    # The processes of the ended run are gone before the test takes the instrument.
    laboratory.hold.unlink()
    bench.window.pages.setup_views[bench.session.id].show_section(Section.RUNNER)
    bench.window.pages.show_tab(bench.window.docks.mode.SETUP)
    bench.begin()
    assert bench.wait() is DryOutcome.PASSED


def test_what_is_missing_is_gone_to_instead(laboratory: Laboratory) -> None:
    setup = replace(bowl_setup(), runner=None)
    bench = Bench(laboratory, setup)
    found: list[object] = []
    bench.session.problems_found.connect(found.append)
    bench.press(bench.card.button)
    assert len(found) == 1
    assert "Choose the runner" in bench.window.statusBar().currentMessage()


def test_closing_the_window_stops_the_trial_first(laboratory: Laboratory, rig: RigFolder) -> None:
    rig.hold()
    bench = Bench(laboratory, rig_setup())
    bench.begin()
    laboratory.until(lambda: "poll_trial" in rig.asked())
    bench.window.close()
    assert bench.window.isVisible()
    laboratory.until(lambda: not bench.window.isVisible())
    assert rig.asked()[-1] == "stop_trial"


def test_choices_and_fixed_values_stand_in_the_dialog(laboratory: Laboratory) -> None:
    from axdesk.core.parameters import ChoiceParameterConfig, DerivedParameterConfig
    from axdesk.core.parameters import RangeParameterConfig as Range
    from axdesk.core.search_space import SearchSpace

    space = SearchSpace(
        (
            Range("x", (-2, 2)),
            Range("y", (-2, 2), is_on=False, start_value=1.25),
            Range("n", (1, 9), "int", unit="mL"),
            ChoiceParameterConfig(
                "solvent", ("DMF", "water"), dependent_parameters={"DMF": ("t",)}
            ),
            Range("t", (10.0, 20.0)),
            DerivedParameterConfig("half", "0.5*x"),
        )
    )  # fmt: skip
    bench = Bench(laboratory, replace(bowl_setup(), search_space=space))
    dialog = bench.ask()
    y, solvent = dialog.fields["y"], dialog.fields["solvent"]
    assert isinstance(y, TextField)
    assert isinstance(solvent, ComboField)
    assert not y.isEnabled()
    assert y.text() == "1.25"
    solvent.setCurrentIndex(1)
    solvent.chosen.emit("water")
    values = dialog.values()
    assert values["solvent"] == "water"
    assert "t" not in values
    assert set(values) == {"x", "y", "n", "solvent", "half"}
    bench.press(dialog.buttons["test"])
    laboratory.until(lambda: bench.model.is_going)
    assert bench.wait() is DryOutcome.PASSED


@pytest.mark.parametrize("deed", ["hold the GIL", "flood", "pause in C"])
def test_no_dry_test_of_a_hostile_plugin_is_felt_in_the_window(
    laboratory: Laboratory, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    monkeypatch.setattr("axdesk.api.dry_test.SECONDS_TO_RETURN", 0.5)
    code = """
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus


class Rig(IRunner):
    def run_trial(self, trial_index, parameterization):
        DEEDS[DEED]()
        return {}

    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED


class Gauge(IMetric):
    def fetch(self, trial_index, trial_metadata):
        return 0, 1.5
"""
    file = write(laboratory.plugins, deed, code)
    bench = Bench(laboratory, setup_with(file, deed))
    pulse = Pulse()
    with pulse.felt(f"a dry test: {deed}"):
        bench.begin()
        if deed == "flood":
            assert bench.wait() is DryOutcome.PASSED
        else:
            # It ends at its deadline by itself.
            assert bench.wait() is DryOutcome.FAILED
            assert "did not answer" in bench.row("deploy").accessibleName()
            assert bench.model.test is not None
            assert "may have started" in bench.model.test.remark
    assert_it_answered(pulse, 0.0)


def test_the_dialog_says_which_other_run_may_use_the_instrument(laboratory: Laboratory) -> None:
    laboratory.hold.touch()
    bench = Bench(laboratory, bowl_setup())
    bench.session.start()
    laboratory.until(lambda: bench.session.state is RunState.RUNNING)
    bench.window._workbench.new(draft_of(replace(bowl_setup(), name="Another")))
    laboratory.until(lambda: bench.window._workbench.current is not bench.session)
    other = bench.window._workbench.current
    assert other is not None
    laboratory.until(lambda: not other.draft_model.is_reading_plugins)
    bench.window.actions_by_name["run.test_plugins"].trigger()
    laboratory.until(lambda: bench.window.findChild(DryTestDialog) is not None)
    dialog = bench.window.findChild(DryTestDialog)
    assert dialog is not None
    notice = dialog.findChild(QWidget, "dialog.dry_test.in_use")
    assert notice is not None
    assert "Bowl runs with the same plugin file" in notice.accessibleName()
    dialog.reject()
