"""Experiment files: read with located problems, written so that they read back the same."""

import dataclasses
import re
import string
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import ExperimentFileError, UserInputError
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.plugins import PluginChoice
from axdesk.core.resources import resource_path
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.exchange.experiment_file import (
    experiment_file_text,
    read_experiment_file,
    write_experiment_file,
)
from axdesk.exchange.models import DeadlinesTable, GenerationTable, RetriesTable, RunTable
from tests import strategies

MINIMAL = """\
[experiment]
name = "e"

[[parameters]]
name = "x"
type = "float"
low = 0
high = 1

[optimization]
objective = "y"
"""

FULL = """\
[experiment]
name = "Suzuki coupling (batch 3)"
description = '''
Two lines with [brackets]
name = "not a key"
'''
owner = "Ada"
plugin_folder = "plugins"
parameter_constraints = [
    "`µ flow` + 2*Temperature <= 300",
]

[[parameters]]
name = "Temperature"
type = "float"
low = 20
high = 120.0
scale = "linear"
start = 60
unit = "°C"
description = "Of the bath"

[[parameters]]
name = "µ flow"
type = "int"
low = 1
high = 100
scale = "log"

[[parameters]]
name = "Catalyst"
type = "choice"
values = ["Pd", "Ni", "Cu"]
ordered = true
start = "Ni"

[[parameters]]
name = "Load"
type = "choice"
values = [0.5, 1, 2.5]

[[parameters]]
name = "Stirred"
type = "fixed"
value = true

[optimization]
objective = "`Yield (%)` - 0.5*cost"
outcome_constraints = ["impurity <= 2", "`Yield (%)` >= 10"]
tracking_metrics = ["colour"]

[optimization.units]
"Yield (%)" = "%"

[generation]
method = "random_search"
initial_trials = 8
center = false
seed = 17
min_observed_trials = 3
count_existing_trials = false

[runner]
plugin = "suzuki.py:Cell"
unset = ["limit"]

[runner.options]
port = "COM3"
baud = 9600
slow = false
delay = 0.5

[metrics."Yield (%)"]
plugin = "suzuki.py:Yield"

[metrics.cost]
plugin = "suzuki.py:Cost"
options = { price = 3 }

[run]
max_trials = 12
parallelism = 2
tolerated_trial_failure_rate = 0.25
initial_seconds_between_polls = 0.5
min_seconds_between_launches = 0
min_failed_trials = 2
when_failure_rate_exceeded = "stop"
uncertain_deployment = "abandon"
on_error = "pause"
trial_time_limit = 60
run_time_limit = inf
max_seconds_between_polls = 10
generation_time_limit = inf

[run.call_deadlines]
run = inf
poll = 5

[run.retry_budget]
fetch = 2

[run.early_stopping]
percentile = 25
max_progression = 50
best_protected = 0

[run.global_stopping]
target = 80
stagnation = 7
"""

MEANT = ExperimentSetup(
    name="Suzuki coupling (batch 3)",
    description='Two lines with [brackets]\nname = "not a key"\n',
    owner="Ada",
    search_space=SearchSpace(
        (
            RangeParameterConfig(
                "Temperature",
                (20.0, 120.0),
                scaling="linear",
                start_value=60.0,
                unit="°C",
                description="Of the bath",
            ),
            RangeParameterConfig("µ flow", (1, 100), "int", scaling="log"),
            ChoiceParameterConfig(
                "Catalyst", ("Pd", "Ni", "Cu"), is_ordered=True, start_value="Ni"
            ),
            ChoiceParameterConfig("Load", (0.5, 1.0, 2.5), "float"),
            ChoiceParameterConfig("Stirred", (True,), "bool"),
        ),
        (ParameterConstraint((("µ flow", 1.0), ("Temperature", 2.0)), "<=", 300.0),),
    ),
    optimization=OptimizationConfig(
        Objective(LinearExpression((("Yield (%)", 1.0), ("cost", -0.5)))),
        (
            OutcomeConstraint((("impurity", 1.0),), "<=", 2.0),
            OutcomeConstraint((("Yield (%)", 1.0),), ">=", 10.0),
        ),
        ("colour",),
        (("Yield (%)", "%"),),
    ),
    generation=GenerationSettings(
        "random_search",
        8,
        initialize_with_center=False,
        seed=17,
        min_observed_initialization_trials=3,
        use_existing_trials_for_initialization=False,
    ),
    runner=PluginChoice(
        "suzuki.py:Cell",
        {"port": "COM3", "baud": 9600, "slow": False, "delay": 0.5, "limit": None},
    ),
    metrics=(
        ("Yield (%)", PluginChoice("suzuki.py:Yield", {})),
        ("cost", PluginChoice("suzuki.py:Cost", {"price": 3})),
    ),
    run=RunSettings(
        12,
        2,
        0.25,
        0.5,
        OrchestrationConfig(
            min_seconds_between_launches=0.0,
            min_failed_trials=2,
            when_failure_rate_exceeded="stop",
            uncertain_deployment="abandon",
            on_error="pause",
            trial_time_limit=60.0,
            max_seconds_between_polls=10.0,
            generation_time_limit=None,
            call_deadlines=CallDeadlines(run=None, poll=5.0),
            retry_budget=RetryBudget(fetch=2),
            early_stopping=EarlyStopping(percentile=25.0, max_progression=50.0, best_protected=0),
            global_stopping=GlobalStopping(target=80.0, stagnation=7),
        ),
    ),
)


def read(folder: Path, text: str) -> ExperimentSetup:
    file = folder / "experiment.toml"
    file.write_text(text, "utf-8")
    return read_experiment_file(file)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ExperimentFileError) as refused:
        read(folder, text)
    assert "experiment.toml" in refused.value.message
    return refused.value.problems


def test_a_full_file_means_what_it_says(tmp_path: Path) -> None:
    meant = dataclasses.replace(MEANT, plugin_folder=str(tmp_path / "plugins"))

    assert read(tmp_path, FULL) == meant


def test_a_minimal_file_has_the_defaults_of_core(tmp_path: Path) -> None:
    setup = read(tmp_path, MINIMAL)

    assert setup == ExperimentSetup(
        "e",
        SearchSpace((RangeParameterConfig("x", (0.0, 1.0)),)),
        OptimizationConfig(Objective.parse("y")),
    )


def test_the_shipped_experiment_is_the_tutorial_s() -> None:
    setup = read_experiment_file(resource_path("experiments", "hartmann6.toml"))

    assert setup.search_space.parameters == tuple(
        RangeParameterConfig(f"x{i}", (0.0, 1.0)) for i in range(1, 7)
    )
    assert str(setup.optimization.objective) == "-hartmann6"
    assert setup.unfetched_metrics == ()
    assert setup.run == RunSettings(30, 3, 0.1, 1.0)
    assert setup.runner is not None
    assert (Path(setup.plugin_folder) / setup.runner.file_name).is_file()


def test_the_tables_have_every_field_of_core() -> None:
    def names(kind: Any) -> set[str]:
        return {field.name for field in dataclasses.fields(kind)}

    assert set(RunTable.model_fields) == (
        names(RunSettings) - {"orchestration"} | names(OrchestrationConfig)
    )
    assert set(DeadlinesTable.model_fields) == names(CallDeadlines)
    assert set(RetriesTable.model_fields) == names(RetryBudget)
    assert len(GenerationTable.model_fields) == len(names(GenerationSettings))


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())

    assert read_experiment_file(tmp_path / "e.toml") == read(tmp_path, MINIMAL)


def test_a_file_that_is_not_there_or_no_text_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExperimentFileError, match=r"none\.toml cannot be read: No such file"):
        read_experiment_file(tmp_path / "none.toml")
    (tmp_path / "e.toml").write_bytes(b"[experiment]\nname = '\xe9'\n")
    with pytest.raises(ExperimentFileError, match="line 2: this is no UTF-8 text"):
        read_experiment_file(tmp_path / "e.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[experiment]\nname = \n", "line 2, column 8: invalid value"),
        ("[experiment\n", "line 1, column 12: expected ']'"),
        ("a = 1\na = 2\n", "line 2, column 6: cannot overwrite a value"),
        ("a = [1,", "line 1: "),
    ],
)
def test_a_syntax_error_is_told_with_line_and_column(
    tmp_path: Path, text: str, problem: str
) -> None:
    (told,) = problems(tmp_path, text)

    assert told.startswith(problem)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('name = "e"', "name = 5", "line 2: experiment → name: 5 is given; a text in quotes"),
        ('name = "e"', "", "line 1: experiment → name: it is missing"),
        ('name = "e"', 'name = " e"', "line 2: experiment → name: The name ' e' of"),
        ('name = "e"', 'nmae = "e"\nname = "e"', "line 2: experiment → nmae: this key is not kno"),
        ("low = 0", 'low = "a"', "line 7: parameters[0] (x) → low: 'a' is given; a number"),
        ("low = 0", "low = true", "line 7: parameters[0] (x) → low: True is given; a number"),
        ("low = 0", "low = nan", "line 4: parameters[0] (x): Parameter 'x': the low bound nan"),
        ("low = 0", "", "line 4: parameters[0] (x) → low: it is missing"),
        ("low = 0", "low = 2", "line 4: parameters[0] (x): Parameter 'x' has the bounds (2.0, 1."),
        ("low = 0", "lwo = 0\nlow = 0", "line 7: parameters[0] (x) → lwo: this key is not known"),
        ('"float"', '"foat"', "line 4: parameters[0] (x): the type 'foat' is not known; allowed a"),
        ('type = "float"', "", "line 4: parameters[0] (x): its type is missing; allowed are"),
        ("high = 1", 'high = 1\nscale = "lgo"', "line 9: parameters[0] (x) → scale: 'lgo' is not"),
        ("high = 1", 'high = 1\nconstraints = ["x<=1"]', "line 9: parameters[0] (x) → constraints"),
        ('"y"', '"y*z"', "line 11: optimization → objective: The product of two names"),
        ('"y"', '"y, z*z"', "line 11: optimization → objective: The product of two names"),
        ('"y"', '"y, -y"', "line 10: optimization: The metric 'y' stands in two objectives"),
        (
            '"y"',
            '"y"\noutcome_constraints = ["z"]',
            "line 12: optimization → outcome_constraints[0",
        ),
        ('"y"', '"y"\ntracking_metrics = ["y"]', "line 10: optimization: The metric 'y' is opt"),
        ('"y"', '"y"\n[run]\nmax_trials = 0', "line 13: run → max_trials: max_trials is 0"),
        ('"y"', '"y"\n[run]\nmax_trials = 3.5', "line 13: run → max_trials: 3.5 is given; a whol"),
        ('"y"', '"y"\n[run]\nparallelism = true', "line 13: run → parallelism: True is given; a "),
        (
            '"y"',
            '"y"\n[run.call_deadlines]\npoll = -1',
            "line 13: run → call_deadlines → poll: call_deadlines.poll is -1",
        ),
        (
            '"y"',
            '"y"\n[generation]\ninitial_trials = 0',
            "line 13: generation → initial_trials: 0 ",
        ),
        ('"y"', '"y"\n[runner]', "line 12: runner → plugin: it is missing"),
        (
            '"y"',
            '"y"\n[metrics."a b"]\nplugin = "f.py:M"\n[metrics."a b".options]\nwhen = 2026-01-01',
            "line 15: metrics → a b → options → when: datetime.date(2026, 1, 1) is given; a number",
        ),
        (
            'name = "e"',
            'name = "e"\nparameter_constraints = ["x <= 1", "q <= 1"]',
            "line 3: experiment → parameter_constraints[1]: The constraint q <= 1 names 'q'",
        ),
        (
            "[experiment]",
            'constraints = ["x <= 1"]\n[experiment]',
            "line 1: constraints: this key ",
        ),
        (MINIMAL, "", "experiment: it is missing"),
        ("[[parameters]]", "[parameters]", "line 4: parameters: {"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, problem: str) -> None:
    assert old in MINIMAL

    assert problems(tmp_path, MINIMAL.replace(old, new, 1))[0].startswith(problem)


def test_choices_of_mixed_types_are_told(tmp_path: Path) -> None:
    choice = '[[parameters]]\nname = "c"\ntype = "choice"\nvalues = ["a", 1]\n'

    (problem,) = problems(tmp_path, f"{choice}{MINIMAL}")

    assert problem == "line 1: parameters[0] (c): Parameter 'c': the value 1 is not of type 'str'."


def test_all_problems_are_told_in_the_order_of_lines(tmp_path: Path) -> None:
    text = (
        MINIMAL.replace("high = 1", "high = -1").replace('"y"', '"y +"')
        + "[run]\nparallelism = 0\n[generation]\n"
    )

    told = problems(tmp_path, text)

    assert [problem.partition(":")[0] for problem in told] == ["line 4", "line 11", "line 13"]


def test_texts_that_look_like_keys_do_not_mislead_the_lines(tmp_path: Path) -> None:
    text = FULL.replace("parallelism = 2", "parallelism = 0")
    line = text.splitlines().index("parallelism = 0") + 1

    (problem,) = problems(tmp_path, text)

    assert problem.startswith(f"line {line}: run → parallelism:")


def test_a_mistake_of_the_objective_is_pointed_at(tmp_path: Path) -> None:
    with pytest.raises(ExperimentFileError) as refused:
        read(tmp_path, MINIMAL.replace('"y"', '"a + b * c"'))

    assert str(refused.value).endswith("\n    a + b * c\n        ^")


def test_what_does_not_go_together_is_told_with_its_line(tmp_path: Path) -> None:
    text = MINIMAL.replace(
        "[optimization]",
        """[[parameters]]
name = "c"
type = "choice"
values = ["a", "b"]
dependents = [{ value = "a", parameters = ["x"] }, { value = "a", parameters = [] }]

[[parameters]]
name = "s"
type = "float"
low = 0.0
high = 1.0
step = 0.3
start = 0.5

[[parameters]]
name = "d"
type = "derived"
expression = "2*d"

[optimization]""",
    )

    told = "\n".join(problems(tmp_path, text))

    assert "names the value 'a' twice in dependents" in told
    assert "the value 0.5 lies between two steps; the nearest allowed one is 0.6." in told
    assert "Parameter 'd' cannot be derived from itself." in told


# Writing --------------------------------------------------------------------------------------


LABELS = st.one_of(
    st.sampled_from(["x", "Yield (%)", "µ flow", "lambda", "a.b", "[x]", 'say "hi"', "C:\\new"]),
    st.text(
        st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="`"),
        min_size=1,
        max_size=6,
    ),
)
TEXTS = st.one_of(
    st.just('ends with """ and \\'),
    st.text(st.sampled_from("\n\r\t\"'\\\x00\x7f\x85\u2028 #=[]aµ😀"), max_size=8),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
FLOATS = st.floats(-1e12, 1e12, allow_nan=False)
POSITIVE = st.floats(1e-6, 1e12)
NOT_ZERO = st.one_of(POSITIVE, POSITIVE.map(lambda number: -number))
WHOLE = st.integers(-(2**53), 2**53)


@st.composite
def terms(draw: st.DrawFn, names: list[str]) -> tuple[tuple[str, float], ...]:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
    return tuple((name, draw(NOT_ZERO)) for name in chosen)


@st.composite
def constraints(draw: st.DrawFn, kind: Any, names: list[str]) -> Any:
    return kind(draw(terms(names)), draw(st.sampled_from(["<=", ">="])), draw(FLOATS))


@st.composite
def optimizations(draw: st.DrawFn) -> OptimizationConfig:
    names = draw(st.lists(LABELS, min_size=1, max_size=3, unique=True))
    objective = Objective(LinearExpression(draw(terms(names))))
    limits = tuple(draw(st.lists(constraints(OutcomeConstraint, names), max_size=2)))
    used = {*objective.metric_names, *(n for limit in limits for n in limit.names)}
    tracked = tuple(name for name in names if name not in used)
    units = draw(st.dictionaries(st.sampled_from(names), st.sampled_from(["%", "mg/µL"])))
    return OptimizationConfig(objective, limits, tracked, tuple(units.items()))


VALUES = st.one_of(st.none(), st.booleans(), WHOLE, FLOATS, TEXTS)
PLUGINS = st.builds(
    PluginChoice,
    LABELS.map(lambda name: f"{name}.py:Class"),
    st.dictionaries(
        st.text(string.ascii_letters + "_µ", min_size=1, max_size=5), VALUES, max_size=3
    ),
)
LIMITS = st.one_of(st.none(), POSITIVE)
RUNS = st.builds(
    RunSettings,
    st.integers(1, 10**6),
    st.integers(1, 100),
    st.floats(0, 1, exclude_max=True),
    POSITIVE,
    st.builds(
        OrchestrationConfig,
        st.floats(0, 1e6),
        st.integers(1, 100),
        st.sampled_from(["drain", "stop"]),
        st.sampled_from(["ask", "abandon", "redeploy"]),
        LIMITS,
        LIMITS,
        st.builds(CallDeadlines, LIMITS, LIMITS, LIMITS, LIMITS),
        st.builds(RetryBudget, st.integers(1, 9), st.integers(1, 9)),
        POSITIVE,
        LIMITS,
    ),
)
SETUPS = st.builds(
    ExperimentSetup,
    name=LABELS,
    search_space=strategies.search_spaces(LABELS, TEXTS, FLOATS, WHOLE),
    optimization=optimizations(),
    description=TEXTS,
    owner=TEXTS,
    generation=st.builds(
        GenerationSettings,
        st.sampled_from(["fast", "quality", "random_search"]),
        st.integers(1, 99),
        st.booleans(),
        st.integers(0, 2**63),
        st.none() | st.integers(1, 99),
        st.booleans(),
    ),
    runner=st.one_of(st.none(), PLUGINS),
    metrics=st.dictionaries(LABELS, PLUGINS, max_size=2).map(lambda d: tuple(d.items())),
    plugin_folder=st.sampled_from(["", str(Path("plugins").absolute())]),
    plugin_python=st.sampled_from(["", "python3.12", str(Path(".venv/bin/python").absolute())]),
    run=RUNS,
)


@given(setup=SETUPS)
def test_what_is_written_reads_back_the_same(
    setup: ExperimentSetup, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "round_trip.toml"

    write_experiment_file(setup, file)

    assert read_experiment_file(file) == setup


def test_the_text_is_laid_out_for_a_person() -> None:
    text = experiment_file_text(MEANT)

    assert text.startswith('[experiment]\nname = "Suzuki coupling (batch 3)"\ndescription = """\n')
    assert '[[parameters]]\nname = "Stirred"\ntype = "fixed"\nvalue = true\n' in text
    assert '[metrics."Yield (%)"]\nplugin = "suzuki.py:Yield"\n' in text
    assert "[run.call_deadlines]\nrun = inf\npoll = 5.0\n" in text
    assert tomllib.loads(text)["optimization"]["units"] == {"Yield (%)": "%"}


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "e.toml"
    write_experiment_file(MEANT, file)
    write_experiment_file(read(tmp_path, MINIMAL), file)

    assert read_experiment_file(file).name == "e"
    assert {entry.name for entry in tmp_path.iterdir()} == {"e.toml", "experiment.toml"}

    taken = tmp_path / "taken.toml"
    taken.mkdir()
    for refused in (taken, tmp_path / "nowhere" / "e.toml"):
        with pytest.raises(UserInputError, match="cannot be written"):
            write_experiment_file(MEANT, refused)
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "e.toml",
        "experiment.toml",
        "taken.toml",
    }


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ("[run.early_stopping]\nmin_curves = 3", "neither a percentile nor a threshold"),
        ("[run.early_stopping]\npercentile = 120", "early_stopping.percentile is 120"),
        ("[run.global_stopping]\nwindow_size = 3", "no target, no improvement_bar"),
        ("[run.global_stopping]\ntarget = inf", "global_stopping.target is inf"),
        ("[run.global_stopping]\ngoal = 1", "goal"),
    ],
)
def test_a_stopping_rule_that_is_not_allowed_is_told_with_its_line(
    tmp_path: Path, table: str, told: str
) -> None:
    text = f"{MINIMAL}\n{table}\n"
    (problem,) = problems(tmp_path, text)
    assert told in problem
    assert re.match(r"[Ll]ine \d+", problem), problem


def test_a_file_of_a_newer_axdesk_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "newer.toml"
    path.write_text(f"# ours\nformat = 2\n{MINIMAL}[wormhole]\n", "utf-8")
    with pytest.raises(ExperimentFileError) as raised:
        read_experiment_file(path)
    assert raised.value.problems == (
        "line 2: format: a newer axdesk wrote this file, in format 2; this one reads up to 1. "
        "Update axdesk to open it",
    )
    path.write_text(f"format = 1\n{MINIMAL}", "utf-8")
    assert read_experiment_file(path).name == "e"
