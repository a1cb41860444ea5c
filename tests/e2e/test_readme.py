"""The README's code is right: every block is taken out of it and used.

Blocks run as they stand, but for the durations and counts that the README itself names in capitals:
`SECONDS` becomes 0 and `TRIALS` a few, so that a test takes seconds.
"""

import ast
import inspect
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import axdesk.api
from axdesk.api.client import Client
from axdesk.api.configs import StorageConfig
from axdesk.core.errors import UnsupportedError
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import OrchestrationConfig, RunSettings
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.core.trial import TrialStatus
from axdesk.exchange.experiment_file import read_experiment_file
from axdesk.exchange.models import (
    ChoiceTable,
    DeadlinesTable,
    DependentsTable,
    DerivedTable,
    EarlyStoppingTable,
    ExperimentTable,
    FileTable,
    FixedTable,
    GenerationTable,
    GlobalStoppingTable,
    OptimizationTable,
    PluginTable,
    RangeTable,
    RetriesTable,
    RunTable,
)
from axdesk.headless import command_line, main
from axdesk.plugins.build import build_metric, build_runner
from axdesk.plugins.loader import load_plugins

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TRIALS = 4


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)


def block(language: str, mark: str) -> str:
    (found,) = (text for text in blocks(language) if mark in text)
    return found


def with_constant(code: str, name: str, value: float) -> str:
    changed, count = re.subn(rf"^{name} = \S+", f"{name} = {value}", code, flags=re.M)
    assert count == 1
    return changed


@pytest.fixture
def plugin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "robot.py").write_text(block("python", "class RobotRunner"), "utf-8")
    return folder


@pytest.fixture
def setup(tmp_path: Path, plugin_folder: Path) -> ExperimentSetup:
    (code,) = blocks("toml")
    file = tmp_path / "suzuki.toml"
    file.write_text(code, "utf-8")
    setup = read_experiment_file(file)
    assert Path(setup.plugin_folder) == plugin_folder.resolve()
    return setup


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """A folder with the files of the section on Python."""
    code = with_constant(block("python", "class FileRunner"), "SECONDS", 0.0)
    (tmp_path / "laboratory.py").write_text(code, "utf-8")
    code = with_constant(block("python", "cards = client.compute_analyses"), "TRIALS", TRIALS)
    (tmp_path / "optimize.py").write_text(code, "utf-8")
    code = block("python", "Client.load_from_database")
    (tmp_path / "go_on.py").write_text(code, "utf-8")
    return tmp_path


def run_script(file: Path, failpoint: str = "") -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "AXDESK_FAILPOINT": failpoint}
    return subprocess.run(
        [sys.executable, file.name],
        cwd=file.parent,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def stored_statuses(folder: Path) -> dict[int, TrialStatus]:
    config = StorageConfig(url=f"sqlite:///{folder / 'lab.sqlite'}")
    with closing(Client.load_from_database("hartmann6_experiment", config)) as client:
        return {index: trial.status for index, trial in client.experiment.trials.items()}


def test_no_block_is_left_out_of_these_tests() -> None:
    assert len(blocks("python")) == 11
    assert len(blocks("toml")) == 1
    assert len(blocks("sh")) == 3


def test_the_plugin_loads_and_takes_a_trial_to_its_result(
    plugin_folder: Path, setup: ExperimentSetup, home: Path
) -> None:
    plugins = load_plugins(plugin_folder)
    (file,) = plugins.catalogue.files
    assert file.error == ""
    runner_class, metric_class = (plugin for plugin in file.plugins if "Robot" in plugin.reference)
    assert [o.kind for o in runner_class.options] == ["path", "choice"]
    assert all(o.help for o in (*runner_class.options, *metric_class.options))
    assert runner_class.can_stop
    assert runner_class.can_find

    assert setup.runner is not None
    runner = build_runner(plugins, setup.runner)
    metrics = {name: build_metric(plugins, choice, name) for name, choice in setup.metrics}
    assert set(metrics) == {"Yield (%)", "Impurity", "Pressure"}
    parameters = {"Temperature": 80.0}
    assert runner.find_trial(3, parameters) is None
    metadata = runner.run_trial(3, parameters)
    assert json.loads(json.dumps(metadata)) == metadata
    assert json.loads((home / "suzuki" / "job_0003.json").read_text("utf-8")) == {
        "parameters": parameters,
        "priority": "high",
    }
    assert runner.find_trial(3, parameters) == metadata
    assert runner.poll_trial(3, metadata) is TrialStatus.RUNNING
    result = {"yield": 71.5, "yield_sem": 0.5, "impurity": 1.25, "pressure": 2.0}
    Path(metadata["result"]).write_text(json.dumps(result), "utf-8")
    assert runner.poll_trial(3, metadata) is TrialStatus.COMPLETED
    assert metrics["Yield (%)"].fetch(3, metadata) == (0, (71.5, 0.5))
    assert metrics["Impurity"].fetch(3, metadata) == (0, 1.25)
    runner.stop_trial(3, metadata)
    assert (home / "suzuki" / "job_0003.cancel").exists()
    Path(metadata["result"]).write_text('{"error": "no vial"}', "utf-8")
    assert runner.poll_trial(3, metadata) is TrialStatus.FAILED


def test_the_experiment_file_means_what_its_comments_say(setup: ExperimentSetup) -> None:
    assert setup.name == "Suzuki coupling"
    assert setup.unfetched_metrics == ()
    temperature, time, catalyst, stirring, solvent, water, rest, base = (
        setup.search_space.parameters
    )
    assert isinstance(temperature, RangeParameterConfig)
    assert temperature.start_value == 80.0
    assert [temperature.value_at(step) for step in (0, 1, 160)] == [40.0, 40.5, 120.0]
    assert isinstance(stirring, RangeParameterConfig)
    assert (stirring.is_fixed, stirring.fixed_value) == (True, 400)
    assert "on = false                          # not searched: every trial has the" in README
    assert isinstance(rest, DerivedParameterConfig)
    assert rest.value({"Temperature": 80.0}) == 40.0
    assert setup.search_space.parents == {water.name: ("Solvent", ("MeCN",))}
    assert isinstance(time, RangeParameterConfig)
    assert time.parameter_type == "int"
    assert isinstance(catalyst, RangeParameterConfig)
    assert catalyst.is_log
    assert isinstance(solvent, ChoiceParameterConfig)
    assert isinstance(base, ChoiceParameterConfig)
    assert base.is_fixed
    assert len(setup.search_space.constraints) == 1
    assert dict(setup.metrics)["Impurity"] == PluginChoice(
        "robot.py:RobotMetric", {"key": "impurity", "sem_key": None}
    )


def test_the_experiment_file_shows_the_defaults_that_it_claims(setup: ExperimentSetup) -> None:
    assert setup.generation == GenerationSettings(seed=7, min_observed_initialization_trials=3)
    early, overall = EarlyStopping(percentile=25.0), GlobalStopping(target=95.0)
    assert setup.run.orchestration == OrchestrationConfig(
        early_stopping=replace(early, threshold=5.0, max_progression=90.0),
        global_stopping=replace(overall, improvement_bar=0.1, stagnation=12),
    )
    assert OrchestrationConfig().early_stopping is None
    assert OrchestrationConfig().global_stopping is None
    (code,) = blocks("toml")
    defaults = RunSettings()
    assert "parallelism = 3                     # default 1" in code
    assert defaults.parallelism == 1
    assert "tolerated_trial_failure_rate = 0.1  # failed and abandoned; default 0.5" in code
    assert defaults.tolerated_trial_failure_rate == 0.5
    assert "initial_seconds_between_polls = 10.0    # default 1" in code
    assert defaults.initial_seconds_between_polls == 1
    assert setup.run.max_trials == defaults.max_trials
    assert GenerationSettings().seed == 0


def test_the_experiment_file_shows_every_key_that_there_is() -> None:
    (code,) = blocks("toml")
    tables = (
        ExperimentTable,
        RangeTable,
        ChoiceTable,
        DependentsTable,
        DerivedTable,
        FixedTable,
        OptimizationTable,
        GenerationTable,
        PluginTable,
        RunTable,
        DeadlinesTable,
        RetriesTable,
        EarlyStoppingTable,
        GlobalStoppingTable,
        FileTable,
    )
    for table in tables:
        for key in table.model_fields:
            shown = rf"^(\[+(\w+\.)?{key}[].]|\[[^]]*\.{key}\]|{key} = |\w+ = \[{{.*\b{key} = )"
            assert re.search(shown, code, re.M), key


def test_the_script_runs_and_prints_the_best(laboratory: Path) -> None:
    done = run_script(laboratory / "optimize.py")
    assert done.returncode == 0, done.stderr
    assert "Best parameters: {'x1'" in done.stdout
    assert "Prediction (mean, variance): {'hartmann6': (" in done.stdout
    assert stored_statuses(laboratory) == dict.fromkeys(range(TRIALS), TrialStatus.COMPLETED)


@pytest.mark.parametrize("failpoint", ["trial_staged:2", "trial_deployed:2", "trial_running:2"])
def test_the_run_goes_on_after_a_kill(laboratory: Path, failpoint: str) -> None:
    assert run_script(laboratory / "optimize.py", failpoint).returncode != 0
    before = stored_statuses(laboratory)
    assert set(before.values()) & {TrialStatus.STAGED, TrialStatus.RUNNING}
    deployed = {file: file.read_text("utf-8") for file in laboratory.glob("trial_*.json")}
    done = run_script(laboratory / "go_on.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("COMPLETED") == TRIALS
    assert stored_statuses(laboratory) == dict.fromkeys(range(TRIALS), TrialStatus.COMPLETED)
    assert len(list(laboratory.glob("trial_*.json"))) == TRIALS
    # Each file holds the time of its deployment: one that was deployed twice would have changed.
    assert {file: file.read_text("utf-8") for file in deployed} == deployed


def test_asking_and_telling_prints_the_best_trial(capsys: pytest.CaptureFixture[str]) -> None:
    code = with_constant(block("python", "bonus"), "TRIALS", TRIALS)
    exec(compile(code, "README.md", "exec"), {})
    parameters, values, index, _ = ast.literal_eval(capsys.readouterr().out)
    assert set(parameters) == {"Temperature", "Solvent"}
    assert set(values) == {"Yield (%)"}
    assert 0 <= index < TRIALS


def test_every_kind_of_parameter_is_suggested_as_promised(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(compile(block("python", "DerivedParameterConfig"), "README.md", "exec"), {})
    points = [ast.literal_eval(line) for line in capsys.readouterr().out.splitlines()]
    assert len(points) == 5
    for point in points:
        assert point["A"] + point["B"] <= 90
        assert point["A"] == 2 * point["B"]
        assert (point["A"] * 2, point["B"] * 2) == (round(point["A"] * 2), round(point["B"] * 2))
        assert point["Water"] == 100 - point["A"] - point["B"]
        assert point["Stirring"] == 400
        assert ("Temperature" in point) == point["Heated"]


def run_block(mark: str, capsys: pytest.CaptureFixture[str], **changed: str) -> None:
    code = with_constant(block("python", mark), "TRIALS", TRIALS)
    for old, new in changed.items():
        assert old in code
        code = code.replace(old, new)
    exec(compile(code, "README.md", "exec"), {})
    parameters, values, index, _ = ast.literal_eval(capsys.readouterr().out)
    assert set(parameters) == {"Temperature"}
    assert "Yield (%)" in values
    assert 0 <= index < TRIALS


def test_a_function_is_a_laboratory(capsys: pytest.CaptureFixture[str]) -> None:
    run_block("FunctionRunner(", capsys)


def test_a_command_line_is_a_laboratory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "suzuki").mkdir()
    program = block("python", "parameters_file, result_file")
    (tmp_path / "suzuki" / "measure.py").write_text(program, "utf-8")
    run_block("CommandRunner(", capsys, python3=shlex.quote(sys.executable))
    assert len(list((tmp_path / "suzuki").glob("trial_*/result.json"))) == TRIALS


def test_a_front_with_a_baseline_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block("python", "attach_baseline"), "README.md", "exec"), {})
    shown = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [index for index, _ in shown] == ["0", "1", "2"]
    assert shown[0][1] == "as today {'flow': 3.0}"


def test_what_was_measured_is_mended_imported_and_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(block("python", "import_trials"), "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert "enter_result 3 read again" in told
    assert "void 0 wrong vial" in told
    assert "edit_parameters None" in told
    assert (tmp_path / "coupling.json").exists()


METHOD_TABLE = README.partition("### Ax method by method")[2].partition("\n## ")[0]

AX_SIGNATURES = {
    "Client": "storage_config random_seed",
    "RangeParameterConfig": "name bounds parameter_type step_size scaling",
    "ChoiceParameterConfig": "name values parameter_type is_ordered log_scale dependent_parameters",
    "DerivedParameterConfig": "name expression_str parameter_type",
    "StorageConfig": "creator url registry_bundle",
    "PercentileEarlyStoppingStrategy": (
        "percentile_threshold min_progression max_progression min_curves normalize_progressions "
        "n_best_trials_to_complete interval patience check_safe"
    ),
    "configure_experiment": (
        "parameters parameter_constraints name description experiment_type owner"
    ),
    "configure_optimization": "objective outcome_constraints pruning_target_parameterization",
    "configure_generation_strategy": (
        "method initialization_budget initialization_random_seed initialize_with_center "
        "use_existing_trials_for_initialization min_observed_initialization_trials "
        "allow_exceeding_initialization_budget torch_device simplify_parameter_changes "
        "fit_tracking_metrics"
    ),
    "configure_runner": "runner",
    "configure_metrics": "metrics",
    "configure_tracking_metrics": "metric_names",
    "get_next_trials": "max_trials fixed_parameters",
    "complete_trial": "trial_index raw_data progression",
    "attach_data": "trial_index raw_data progression",
    "attach_trial": "parameters arm_name",
    "attach_baseline": "parameters arm_name",
    "should_stop_trial_early": "trial_index",
    "mark_trial_failed": "trial_index failed_reason",
    "mark_trial_abandoned": "trial_index",
    "mark_trial_early_stopped": "trial_index",
    "run_trials": (
        "max_trials parallelism tolerated_trial_failure_rate initial_seconds_between_polls"
    ),
    "compute_analyses": "analyses display",
    "summarize": "trial_indices trial_statuses",
    "get_best_parameterization": "use_model_predictions",
    "get_pareto_frontier": "use_model_predictions",
    "predict": "points",
    "save_to_json_file": "filepath",
    "load_from_json_file": "filepath storage_config",
    "load_from_database": "experiment_name storage_config",
}
"""What Ax 1.3 calls the arguments, in its order."""


def row_of(name: str) -> str:
    rows = [line for line in METHOD_TABLE.splitlines() if line.startswith("|")]
    (row,) = (line for line in rows if f"`{name}`" in line.partition(" | ")[0])
    return row


@pytest.mark.parametrize("name", AX_SIGNATURES)
def test_every_argument_of_ax_is_there_or_its_row_says_why_not(name: str) -> None:
    row = row_of(name)
    theirs = AX_SIGNATURES[name].split()
    home = EarlyStopping if "Stopping" in name else getattr(axdesk.api, name, None)
    ours = [p for p in inspect.signature(home or getattr(Client, name)).parameters if p != "self"]
    missing = [argument for argument in theirs if argument not in ours]
    assert [argument for argument in missing if f"`{argument}`" not in row] == []
    if missing and name != "PercentileEarlyStoppingStrategy":
        assert "not offered" in row
    if name in vars(axdesk.api)["_HOMES"] and name != "Client":
        return  # values are made by keyword
    kept = [argument for argument in ours if argument in theirs]
    assert kept == [argument for argument in theirs if argument in ours]


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("configure_generation_strategy", {"allow_exceeding_initialization_budget": False}),
        ("configure_generation_strategy", {"simplify_parameter_changes": True}),
        ("configure_generation_strategy", {"fit_tracking_metrics": True}),
        ("configure_generation_strategy", {"torch_device": "cuda"}),
        ("configure_optimization", {"objective": "y", "pruning_target_parameterization": {"x": 1}}),
    ],
)
def test_what_the_table_calls_not_offered_is_refused_by_name(
    method: str, arguments: dict[str, Any]
) -> None:
    (name, value) = list(arguments.items())[-1]
    with closing(Client()) as client, pytest.raises(UnsupportedError, match=name):
        getattr(client, method)(**arguments)
    shown = (f"`{name}={value}`", f"`{name}`")
    assert any(text in row_of(method) for text in shown)
    assert "not offered" in row_of(method)


def test_every_method_stands_in_the_table_of_methods() -> None:
    named = set(re.findall(r"`([A-Za-z_]+)(?:\(\))?`", METHOD_TABLE))
    offered = {
        name
        for name in dir(Client)
        if not name.startswith("_") and not isinstance(getattr(Client, name), property)
    } - {"close", "optimizer_ready"}
    assert len(offered) >= 40
    assert offered - named == set()
    assert set(AX_SIGNATURES) - named == set()


def test_files_and_pictures_that_the_readme_names_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 20
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_commands_of_the_checkout_exist() -> None:
    import dev

    verbs = set(re.findall(r"python3 packaging/dev\.py (\w+)", README))
    assert verbs == set(dev.VERBS)


def headless_commands() -> list[list[str]]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("axdesk ")]


@pytest.mark.parametrize("command", headless_commands(), ids=" ".join)
def test_the_command_line_understands(command: list[str]) -> None:
    assert command[0] == "--headless"
    options = command_line.parse(command[1:])
    assert options.verb == command[1]


def test_every_verb_and_option_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = {command[1] for command in headless_commands()}
    for verb in verbs:
        with pytest.raises(SystemExit, match="0"):
            command_line.parse([verb, "--help"])
        told = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help", "--headless"}
        assert [option for option in told if option not in README] == []
    with pytest.raises(SystemExit, match="0"):
        command_line.parse(["--help"])
    assert set(re.findall(r"^    ([a-z]+) ", capsys.readouterr().out, re.M)) == verbs


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    codes = (
        main.DONE,
        main.OUR_BUG,
        main.USAGE,
        main.NOT_VALID,
        main.FAILURE_RATE,
        main.INTERRUPTED,
        main.BUSY,
        main.DECISION,
    )
    table = README.partition("| exit code |")[2].partition("\n\n")[0]
    assert tuple(map(int, re.findall(r"^\| (\d) \|", table, re.M))) == codes
