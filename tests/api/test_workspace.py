"""The workspace: from a draft to a run, lists, files, and what keeps an experiment from running."""

import csv
import os
from dataclasses import replace
from pathlib import Path

import pytest

from axdesk.api.rescue import restore_backup
from axdesk.api.workspace import Workspace
from axdesk.core.constraints import ParameterConstraint
from axdesk.core.draft_cells import Problems, Section
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import NotFoundError, PluginError, PreflightError, UserInputError
from axdesk.core.run import RunState
from axdesk.core.setup import ExperimentSetup
from tests.api.laboratory import QUICK_PLUGIN, quick_folder, quick_setup


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return quick_folder(tmp_path)


@pytest.fixture
def setup(workspace: Workspace, folder: Path) -> ExperimentSetup:
    """The demonstration with a laboratory that takes no time."""
    demo = workspace.demo_setup()
    offered = {p.reference: p for f in workspace.catalogue(str(folder)).files for p in f.plugins}
    assert set(offered) == {"quick.py:Quick", "quick.py:Value"}
    return quick_setup(demo, folder)


def problems_of(workspace: Workspace, draft: Draft, number: int | None = None) -> Problems:
    problems = workspace.check(draft, number)
    assert isinstance(problems, Problems)
    return problems


def run_to_the_end(workspace: Workspace, number: int) -> None:
    client = workspace.open(number)
    try:
        run = client.experiment.setup.run
        client.run_trials(
            run.max_trials,
            initial_seconds_between_polls=run.initial_seconds_between_polls,
            config=run.orchestration,
        )
    finally:
        client.close()


def test_the_feasible_share_follows_a_draft_that_is_not_whole(workspace: Workspace) -> None:
    parameters = [{"name": n, "kind": "decimal", "low": "0", "high": "1"} for n in ("a", "b")]
    draft = Draft().with_rows(Section.PARAMETERS, parameters)
    draft = draft.with_rows(Section.CONSTRAINTS, [{"expression": "a + b <= 1"}])
    assert isinstance(workspace.check(draft), Problems)

    found = workspace.feasible_share(draft)
    assert found is not None
    assert found.share == pytest.approx(0.5, abs=0.01)
    space = draft.search_space()
    assert space is not None
    assert workspace.feasible_share(space) == found
    demo = workspace.feasible_share(workspace.demo_setup())
    assert demo is not None
    assert demo.share == 1
    assert (
        workspace.feasible_share(draft.with_cell(Section.CONSTRAINTS, 0, "expression", "a +"))
        is None
    )
    assert workspace.feasible_share(draft.with_cell(Section.PARAMETERS, 0, "high", "x")) is None


def test_a_draft_becomes_an_experiment_that_runs(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    number = workspace.new_draft()
    (summary,) = workspace.summaries()
    assert (summary.id, summary.state) == (number, RunState.DRAFT)
    with pytest.raises(NotFoundError):
        workspace.open(number)
    assert problems_of(workspace, workspace.load_draft(number), number).items

    draft = draft_of(setup)
    workspace.save_draft(draft, number)
    assert workspace.load_draft(number) == draft
    checked = workspace.check(draft, number)
    assert checked == setup
    assert isinstance(checked, ExperimentSetup)
    workspace.configure(number, checked)
    (summary,) = workspace.summaries()
    assert (summary.id, summary.name, summary.state) == (number, "quick", RunState.READY)
    assert workspace.experiment_id("quick") == number

    run_to_the_end(workspace, number)
    (summary,) = workspace.summaries()
    assert summary.state is RunState.COMPLETED
    assert (summary.finished_trials, summary.max_trials) == (2, 2)
    experiment = workspace.experiment(number)
    values = [trial.latest("hartmann6") for trial in experiment.trials.values()]
    assert summary.best == min(value.mean for value in values if value is not None)
    ((file, sha256),) = experiment.runs[0].plugin_hashes
    assert file == "quick.py"
    assert len(sha256) == 64

    workspace.export_trials(number, tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2
    assert [float(row["hartmann6 mean"]) for row in rows][summary.best_trial or 0] == summary.best


def test_a_set_up_is_changed_by_configuring_again(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(setup)
    draft = workspace.load_draft(number)
    changed = workspace.check(draft.with_cell(Section.GENERAL, 0, "owner", "Ada"), number)
    assert isinstance(changed, ExperimentSetup)
    workspace.configure(number, changed)
    assert workspace.experiment(number).setup.owner == "Ada"


def test_a_missing_plugin_folder_is_told_at_its_cell(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    missing = str(tmp_path / "nowhere")
    draft = draft_of(setup).with_cell(Section.GENERAL, 0, "plugin_folder", missing)
    (problem,) = problems_of(workspace, draft).items
    assert (problem.section, problem.row, problem.field) == (Section.GENERAL, 0, "plugin_folder")
    assert "nowhere" in problem.message
    with pytest.raises(NotFoundError, match="nowhere"):
        workspace.catalogue(missing)
    number = workspace.create_from_setup(replace(setup, plugin_folder=missing))
    with pytest.raises(NotFoundError, match="nowhere"):
        workspace.open(number)


def test_a_name_that_is_taken_is_told_at_its_cell(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(setup)
    (problem,) = problems_of(workspace, draft_of(setup)).items
    assert (problem.section, problem.field) == (Section.GENERAL, "name")
    assert workspace.check(draft_of(setup), number) == setup
    with pytest.raises(UserInputError, match="quick"):
        workspace.create_from_setup(setup)


def test_names_are_made_unique_where_asked_for(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    numbers = [workspace.create_from_setup(setup, unique_name=True) for _ in range(3)]
    names = [workspace.experiment(number).name for number in numbers]
    assert names == ["quick", "quick 2", "quick 3"]


def test_constraints_that_leave_no_room_are_told_at_the_constraints(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    space = replace(
        setup.search_space,
        constraints=(
            ParameterConstraint.parse("x1 + x2 <= 1.5"),
            ParameterConstraint.parse("x1 + x2 >= 3"),
        ),
    )
    narrow = replace(setup, search_space=space)
    (problem,) = problems_of(workspace, draft_of(narrow)).items
    assert problem.section is Section.CONSTRAINTS
    assert "3" in problem.message
    with pytest.raises(UserInputError, match="no allowed point"):
        workspace.create_from_setup(narrow)
    assert workspace.summaries() == ()


def test_an_experiment_without_runner_or_metrics_does_not_open(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(replace(setup, runner=None, metrics=()))
    with pytest.raises(PreflightError) as raised:
        workspace.open(number)
    assert len(raised.value.problems) == 2
    assert "hartmann6" in raised.value.problems[1]


def test_an_experiment_is_duplicated_as_a_draft_under_another_name(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(setup)
    copies = [workspace.duplicate(number), workspace.duplicate(number)]
    checked = [workspace.check(workspace.load_draft(copy), copy) for copy in copies]
    assert checked == [replace(setup, name=name) for name in ("quick copy", "quick copy 2")]
    states = {summary.id: summary.state for summary in workspace.summaries()}
    assert [states[copy] for copy in copies] == [RunState.DRAFT] * 2
    nameless = workspace.duplicate(workspace.new_draft())
    assert workspace.load_draft(nameless) == Draft()


def test_what_is_deleted_is_gone(workspace: Workspace, setup: ExperimentSetup) -> None:
    number, draft = workspace.create_from_setup(setup), workspace.new_draft()
    workspace.delete(number)
    workspace.delete(draft)
    assert workspace.summaries() == ()
    with pytest.raises(NotFoundError):
        workspace.experiment(number)
    with pytest.raises(NotFoundError):
        workspace.delete(number)


def test_the_demonstration_can_be_opened(workspace: Workspace) -> None:
    demo = workspace.demo_setup()
    assert demo.runner is not None
    assert not demo.unfetched_metrics
    assert workspace.check(draft_of(demo)) == demo
    client = workspace.open(workspace.create_from_setup(demo))
    assert client.experiment.setup == demo
    client.close()


def test_a_set_up_is_written_to_a_file_and_read_again(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    path = tmp_path / "quick.toml"
    workspace.write_file(setup, path)
    assert workspace.read_file(path) == setup
    given = Workspace(tmp_path / "other.sqlite", tmp_path)
    assert given.read_file(path).plugin_folder == str(tmp_path)
    given.close()


def test_a_changed_plugin_file_is_loaded_anew(workspace: Workspace, folder: Path) -> None:
    before = workspace.catalogue(str(folder))
    assert workspace.catalogue(str(folder)) is before
    (folder / "quick.py").write_text(QUICK_PLUGIN.replace("Quick", "Quicker"), "utf-8")
    references = [p.reference for f in workspace.catalogue(str(folder)).files for p in f.plugins]
    assert "quick.py:Quicker" in references


def test_a_workspace_is_opened_again_with_what_it_kept(
    setup: ExperimentSetup, workspace: Workspace, tmp_path: Path
) -> None:
    number = workspace.create_from_setup(setup)
    again = Workspace(tmp_path / "lab.sqlite")
    assert again.experiment(number).setup == setup
    again.close()


def test_no_code_of_the_laboratory_runs_in_this_process(
    workspace: Workspace, setup: ExperimentSetup, folder: Path, tmp_path: Path
) -> None:
    loaded = tmp_path / "loaded"
    tell = f"import os\nwith open({str(loaded)!r}, 'a') as f: f.write(f'{{os.getpid()}}\\n')\n"
    (folder / "quick.py").write_text(tell + QUICK_PLUGIN, "utf-8")
    workspace.catalogue(str(folder))
    workspace.catalogue(str(folder))
    workspace.check(draft_of(setup))
    assert len(loaded.read_text().split()) == 1
    workspace.catalogue(str(folder), anew=True)
    workspace.open(workspace.create_from_setup(setup)).close()
    processes = loaded.read_text().split()
    assert len(set(processes)) == 3
    assert str(os.getpid()) not in processes


def test_a_python_that_cannot_run_plugins_is_told_at_its_cell(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    draft = draft_of(setup).with_cell(Section.GENERAL, 0, "plugin_python", "no_such_python")
    (problem,) = problems_of(workspace, draft).items
    assert (problem.section, problem.field) == (Section.GENERAL, "plugin_python")
    assert "no_such_python" in problem.message
    number = workspace.create_from_setup(replace(setup, plugin_python="no_such_python"))
    with pytest.raises(PluginError, match="no_such_python"):
        workspace.open(number)


def test_a_workspace_is_backed_up_and_restored(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    workspace.create_from_setup(setup)
    backup = workspace.back_up()
    assert workspace.backups()[-1] == backup
    assert workspace.all_damage() == ()
    workspace.create_from_setup(setup, unique_name=True)
    workspace.close()
    workspace.close()
    restored, kept = restore_backup(workspace.database)
    assert restored == backup
    assert kept is not None
    assert kept.exists()
    again = Workspace(workspace.database)
    assert [summary.name for summary in again.summaries()] == ["quick"]
    again.close()


def test_what_is_not_there_is_not_restored(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no sound backup"):
        restore_backup(tmp_path / "lab.sqlite")
    with pytest.raises(NotFoundError, match=r"nowhere\.sqlite"):
        restore_backup(tmp_path / "lab.sqlite", tmp_path / "nowhere.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_no_draft_takes_away_the_name_that_an_experiment_has(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(setup)
    draft = draft_of(setup)
    other = workspace.new_draft(draft)
    assert isinstance(workspace.check(draft, number), ExperimentSetup)
    problems = workspace.check(draft, other)
    assert isinstance(problems, Problems)
    (taken,) = problems.items
    assert (taken.field, taken.remedies[0][1]) == ("name", {"name": f"{setup.name} 2"})


def test_a_file_whose_name_is_taken_is_opened_under_another(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    path = tmp_path / "quick.toml"
    workspace.write_file(setup, path)
    first, name, said = workspace.new_from_file(path)
    assert (name, said) == ("quick", "quick")
    second, name, said = workspace.new_from_file(path)
    assert (name, said) == ("quick 2", "quick")
    drafts = [workspace.load_draft(number) for number in (first, second)]
    assert [workspace.check(d, n) for d, n in zip(drafts, (first, second), strict=True)] == [
        setup,
        replace(setup, name="quick 2"),
    ]


def test_a_draft_is_written_with_or_without_plugins_but_not_wrong(
    workspace: Workspace, setup: ExperimentSetup, tmp_path: Path
) -> None:
    path = tmp_path / "quick.toml"
    workspace.write_draft(draft_of(setup), path)
    assert workspace.read_file(path) == setup
    unequipped = replace(setup, runner=None, metrics=())
    workspace.write_draft(draft_of(unequipped), path)
    assert workspace.read_file(path) == unequipped
    before = path.read_bytes()
    wrong = draft_of(setup).with_cell(Section.PARAMETERS, 0, "low", "abc")
    with pytest.raises(PreflightError, match="abc"):
        workspace.write_draft(wrong, path)
    assert path.read_bytes() == before


def test_templates_come_with_axdesk_and_are_added_by_the_operator(
    setup: ExperimentSetup, tmp_path: Path
) -> None:
    folder = tmp_path / "templates"
    workspace = Workspace(tmp_path / "lab.sqlite", template_folder=folder)
    shipped = workspace.templates()
    assert len(shipped) >= 4
    assert not any(template.is_own for template in shipped)
    for template in shipped:
        number, _, said = workspace.new_from_file(template.path)
        assert said == template.title
        # Nothing but the choice of plugins may be left to do.
        checked = workspace.load_draft(number).checked(needs_plugins=False)
        assert isinstance(checked, ExperimentSetup), checked
    draft = draft_of(setup)
    first = workspace.save_template(draft, " A/B ")
    second = workspace.save_template(draft, "A_B")
    assert first != second
    later = draft.with_cell(Section.GENERAL, 0, "description", "later")
    assert workspace.save_template(later, "A/B") == first
    (folder / "broken.toml").write_text("[experiment\n", "utf-8")
    own = [template for template in workspace.templates() if template.is_own]
    assert [template.title for template in own] == ["A/B", "A_B", "broken"]
    assert own[0].description == "later"
    assert "cannot be read" in own[2].description
    assert workspace.read_file(first) == replace(setup, name="A/B", description="later")
    with pytest.raises(PreflightError):
        workspace.save_template(draft, "  ")
    assert workspace.templates()[: len(shipped)] == shipped
    workspace.close()


def test_an_experiment_takes_the_name_that_was_typed(
    workspace: Workspace, setup: ExperimentSetup
) -> None:
    number = workspace.create_from_setup(setup)
    workspace.create_from_setup(replace(setup, name="other"))

    def rename(text: str) -> str:
        typed = draft_of(setup).with_cell(Section.GENERAL, 0, "name", text)
        workspace.save_draft(typed, number)
        workspace.rename_as_typed(number)
        return workspace.experiment(number).name

    assert rename(" better ") == "better"
    assert rename("other") == "better"
    assert rename("") == "better"
    assert rename("a`b") == "better"
    assert rename("best") == "best"
    workspace.rename_as_typed(workspace.new_draft(draft_of(setup)))
    assert workspace.experiment(number).setup == replace(setup, name="best")
