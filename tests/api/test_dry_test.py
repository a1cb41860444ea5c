"""The dry test: one trial of index -1 through the real plugin processes, and nothing recorded."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from axdesk.api import dry_test
from axdesk.api.workspace import Workspace
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.draft_cells import Problems, Section
from axdesk.core.drafts import draft_of
from axdesk.core.dry_test import DryOutcome, DryTest, StepKind, StepState, dry_test_setup
from axdesk.core.errors import UserInputError
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from tests.api.rig_plugin import RigFolder

DEADLINE = 1.5


@pytest.fixture
def rig(tmp_path: Path) -> RigFolder:
    return RigFolder(tmp_path / "plugins")


@pytest.fixture
def setup(rig: RigFolder) -> ExperimentSetup:
    return ExperimentSetup(
        name="Rig",
        search_space=SearchSpace(
            (
                RangeParameterConfig("x", (0, 10), start_value=4.0),
                RangeParameterConfig("n", (1, 9), "int"),
                ChoiceParameterConfig("solvent", ("DMF", "water")),
            )
        ),
        optimization=OptimizationConfig(Objective.parse("Yield"), tracking_metrics=("Pressure",)),
        runner=PluginChoice("rig.py:Rig", {}),
        metrics=(
            ("Yield", PluginChoice("rig.py:Gauge", {})),
            ("Pressure", PluginChoice("rig.py:Gauge", {"offset": 1.0})),
        ),
        plugin_folder=str(rig.path),
        run=RunSettings(
            initial_seconds_between_polls=0.02,
            orchestration=OrchestrationConfig(
                call_deadlines=CallDeadlines(DEADLINE, DEADLINE, DEADLINE, DEADLINE)
            ),
        ),
    )


@pytest.fixture
def made(
    workspace: Workspace, setup: ExperimentSetup, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], DryTest]:
    monkeypatch.setattr(dry_test, "SECONDS_TO_RETURN", 0.3)

    def make() -> DryTest:
        values = workspace.dry_test_values(setup)
        return workspace.dry_test(setup, values).run(lambda _: None)

    return make


def states(test: DryTest) -> list[str]:
    return [f"{step.kind} {step.metric} {step.state}".replace("  ", " ") for step in test.steps]


def test_a_good_laboratory_passes_and_nothing_is_recorded(
    workspace: Workspace, setup: ExperimentSetup, rig: RigFolder, tmp_path: Path
) -> None:
    def rows() -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(tmp_path / "lab.sqlite")) as connection:
            return list(connection.iterdump())  # type: ignore[arg-type]

    experiment_id = workspace.create_from_setup(setup)
    before = rows()
    values = workspace.dry_test_values(setup)
    assert values == {"x": 4.0, "n": 5, "solvent": values["solvent"]}
    told: list[DryTest] = []
    tester = workspace.dry_test(setup, values)
    test = tester.run(told.append)
    assert test.outcome is DryOutcome.PASSED
    assert states(test) == ["start done", "deploy done", "poll done", "fetch Yield done",
                            "fetch Pressure done"]  # fmt: skip
    assert test.step(StepKind.DEPLOY).text == "run_trial returned job: 4709, x: 4.0"
    assert test.step(StepKind.POLL).count == 2
    assert "first answer RUNNING after 0." in test.step(StepKind.POLL).text
    assert test.step(StepKind.FETCH, "Yield").text == "4 ± 0.5"
    assert test.step(StepKind.FETCH, "Pressure").text == "5 ± 0.5"
    assert rig.asked() == ["run_trial", "poll_trial", "poll_trial", "fetch", "fetch"]
    assert '["run_trial", -1, ' in rig.file.with_suffix(".calls").read_text()
    # Each step was told while it ran.
    for kind in (StepKind.START, StepKind.DEPLOY, StepKind.POLL):
        assert any(t.step(kind).state is StepState.RUNNING for t in told)
    assert rows() == before
    # What is remembered is the version of the plugins, once somebody says so.
    assert workspace.passed_test(setup) is None
    assert tester.passed is not None
    workspace.save_passed_test(experiment_id, tester.passed)
    known = workspace.passed_test(setup)
    assert known == tester.passed
    assert known is not None
    assert dict(known.hashes).keys() == {"rig.py"}
    rig.file.write_text(rig.file.read_text("utf-8") + "\n# changed\n", "utf-8")
    assert workspace.passed_test(setup) is None


def test_a_passed_test_is_known_after_reopening_and_to_a_copy_but_not_of_other_classes(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    draft_id = workspace.new_draft(draft_of(setup))
    tester = workspace.dry_test(setup, workspace.dry_test_values(setup))
    tester.run(lambda _: None)
    assert tester.passed is not None
    workspace.save_passed_test(draft_id, tester.passed)
    workspace.configure(draft_id, setup)
    workspace.close()
    again = Workspace(tmp_path / "lab.sqlite")
    assert again.passed_test(replace(setup, name="A copy")) == tester.passed
    assert again.passed_test(replace(setup, metrics=())) is None
    again.close()


@pytest.mark.parametrize(
    ("place", "failed"),
    [
        ("import", "start failed"),
        ("Rig", "start failed"),
        ("Gauge", "start failed"),
        ("run_trial", "deploy failed"),
        ("poll_trial", "poll failed"),
        ("fetch", "fetch Yield failed"),
    ],
)
@pytest.mark.parametrize("deed", ["raise", "nonsense", "crash", "segfault"])
def test_what_fails_is_told_at_its_step(
    made: Callable[[], DryTest], rig: RigFolder, place: str, failed: str, deed: str
) -> None:
    rig.order(place, deed)
    test = made()
    assert test.outcome is DryOutcome.FAILED
    assert failed in states(test)
    step = next(s for s in test.steps if s.state is StepState.FAILED)
    if deed == "raise":
        assert "no vial in the rack" in step.text
        # The laboratory's frames, and none of axdesk's before them.
        first = step.details.splitlines()[1]
        assert str(rig.file) in first
    if deed == "crash":
        assert "exit status 3" in step.text
        assert any("the last words" in line for line in (*test.printed, step.details))
    if place == "poll_trial":
        assert rig.asked()[-1] == "stop_trial"
        assert states(test)[-1] == "stop done"
    if place == "run_trial":
        assert "may have started" in test.remark
    if place == "fetch":
        # The other metric is asked all the same.
        assert [s.state for s in test.steps[-2:]] == [StepState.FAILED, StepState.FAILED]
        assert "stop_trial" not in rig.asked()


@pytest.mark.parametrize("place", ["run_trial", "poll_trial", "fetch"])
def test_a_call_that_hangs_ends_at_its_deadline(
    made: Callable[[], DryTest], rig: RigFolder, place: str
) -> None:
    rig.order(place, "hang")
    test = made()
    assert test.outcome is DryOutcome.FAILED
    step = next(s for s in test.steps if s.state is StepState.FAILED)
    assert f"{place} did not answer within 1.5 s" in step.text
    assert ("stop_trial" in rig.asked()) is (place == "poll_trial")


@pytest.mark.parametrize("place", ["import", "Rig", "run_trial", "poll_trial", "fetch", "held"])
@pytest.mark.parametrize("stops", [1, 2])
def test_stop_ends_it_at_any_time(
    workspace: Workspace,
    setup: ExperimentSetup,
    rig: RigFolder,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    stops: int,
) -> None:
    monkeypatch.setattr(dry_test, "SECONDS_TO_RETURN", 0.3)
    limits = replace(setup.run.orchestration, call_deadlines=CallDeadlines(None, None, None, None))
    setup = replace(setup, run=replace(setup.run, orchestration=limits))
    if place == "held":
        rig.hold()
    else:
        rig.order(place, "hang")
    tester = workspace.dry_test(setup, workspace.dry_test_values(setup))
    kind = {"run_trial": StepKind.DEPLOY, "poll_trial": StepKind.POLL, "held": StepKind.POLL,
            "fetch": StepKind.FETCH}.get(place, StepKind.START)  # fmt: skip
    is_there = threading.Event()

    def tell(test: DryTest) -> None:
        steps = [s for s in test.steps if s.kind is kind and s.state is StepState.RUNNING]
        if steps and (place != "held" or steps[0].count):
            is_there.set()

    ended: list[DryTest] = []
    thread = threading.Thread(target=lambda: ended.append(tester.run(tell)), daemon=True)
    thread.start()
    assert is_there.wait(30)
    for _ in range(stops):
        tester.stop()
    thread.join(20)
    assert ended, "it did not end"
    test = ended[0]
    assert test.outcome is DryOutcome.STOPPED
    assert test.is_stopping
    if place in ("poll_trial", "held"):
        assert rig.asked()[-1] == "stop_trial"
        assert test.step(StepKind.STOP).state is StepState.DONE
    if place == "held":  # nothing failed
        assert test.step(StepKind.POLL).state is StepState.STOPPED
    elif place == "run_trial":
        assert "may have started" in test.remark
    assert tester.passed is None


def test_a_trial_that_the_runner_calls_failed_fails_the_test_with_its_reason(
    made: Callable[[], DryTest], rig: RigFolder
) -> None:
    rig.fail_trials()
    test = made()
    assert test.outcome is DryOutcome.FAILED
    assert "the pump is dry" in test.step(StepKind.POLL).text
    assert "stop_trial" not in rig.asked()


def test_a_trial_that_is_over_its_time_is_stopped(
    workspace: Workspace, setup: ExperimentSetup, rig: RigFolder
) -> None:
    rig.hold()
    limits = replace(setup.run.orchestration, trial_time_limit=0.1)
    setup = replace(setup, run=replace(setup.run, orchestration=limits))
    test = workspace.dry_test(setup, workspace.dry_test_values(setup)).run(lambda _: None)
    assert test.outcome is DryOutcome.FAILED
    assert "time limit" in test.step(StepKind.POLL).text
    assert rig.asked()[-1] == "stop_trial"


def test_what_plugins_print_is_kept(made: Callable[[], DryTest], rig: RigFolder) -> None:
    rig.order("fetch", "print")
    test = made()
    assert test.outcome is DryOutcome.PASSED
    assert "rig.py: line 149" in test.printed


def test_settings_are_checked_before_anything_moves(
    workspace: Workspace, setup: ExperimentSetup, rig: RigFolder
) -> None:
    values = workspace.dry_test_values(setup)
    for wrong in ({"x": 11.0}, {"n": 1.5}, {"solvent": "beer"}, {"x": None}):
        with pytest.raises(UserInputError):
            workspace.dry_test(setup, {**values, **wrong})  # type: ignore[dict-item]
    space = replace(setup.search_space, constraints=(ParameterConstraint.parse("x + n <= 6"),))
    bound = replace(setup, search_space=space)
    allowed = workspace.dry_test_values(bound)
    assert float(allowed["x"]) + float(allowed["n"]) <= 6
    with pytest.raises(UserInputError, match="x \\+ n <= 6"):
        workspace.dry_test(bound, {**allowed, "x": 9.0})
    with pytest.raises(UserInputError, match="no runner"):
        workspace.dry_test(replace(setup, runner=None), values)
    assert rig.asked() == []


def test_a_draft_can_be_tested_before_all_of_it_is_complete(
    workspace: Workspace, setup: ExperimentSetup, rig: RigFolder
) -> None:
    catalogue = workspace.catalogue(str(rig.path))
    draft = draft_of(setup)
    draft = draft.with_cell(Section.GENERAL, 0, "name", "")
    draft = draft.with_cell(Section.OBJECTIVES, 0, "goal", "")
    draft = draft.with_rows(Section.CONSTRAINTS, [{"expression": "x +"}])
    draft = draft.with_cell(Section.RUN, 0, "max_trials", "many")
    assert isinstance(draft.checked(catalogue), Problems)
    found = dry_test_setup(draft, catalogue)
    assert isinstance(found, ExperimentSetup)
    assert (found.runner, found.metrics) == (setup.runner, setup.metrics)
    assert found.plugin_folder == str(rig.path)
    assert found.search_space.parameters == setup.search_space.parameters
    for section, field, text in (
        (Section.PARAMETERS, "low", "20"),
        (Section.RUNNER, "option.polls", "some"),
        (Section.OBJECTIVES, "metric", ""),
    ):
        assert isinstance(
            dry_test_setup(draft.with_cell(section, 0, field, text), catalogue), Problems
        )
