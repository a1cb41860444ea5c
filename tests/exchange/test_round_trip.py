"""What an export wrote, an import reads: the same trials, whatever they are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axdesk.core.commands import ImportTrials
from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.exchange.table_files import read_table, read_text
from axdesk.exchange.trials_export import trials_clipboard, write_trials
from axdesk.exchange.trials_import import plan_import
from axdesk.exchange.trials_table import trials_table
from axdesk.orchestration.importing import import_trials
from tests.fakes import MemoryStore

NOON = datetime(2026, 1, 2, 12, 0, 0, 250000, UTC)
ODD_NAMES = ("status", "note", "x mean", "=1", "µ flow (mL/min)", 'a "b", c', "trial", "-", "T;K")


names = st.sampled_from(ODD_NAMES) | st.text(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="`"), min_size=1, max_size=8
)
texts = st.text(max_size=12) | st.sampled_from(
    (
        "=1+1",
        "'=x",
        "a\r\nb",
        "a\rb",
        'sa"id',
        "; , \t",
        " blank ",
        "_x000D_",
        "1,5",
        "@",
        "None",
        "–",
    )
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
moments = st.timedeltas(timedelta(0), timedelta(days=9)).map(lambda after: NOON + after)
OVER = (
    TrialStatus.COMPLETED, TrialStatus.FAILED, TrialStatus.ABANDONED, TrialStatus.EARLY_STOPPED,
)  # fmt: skip


@st.composite
def spaces(draw: st.DrawFn, called: list[str]) -> SearchSpace:
    kinds: tuple[ParameterConfig, ...] = (
        RangeParameterConfig(called[0], (-1e3, 1e3), unit=draw(st.sampled_from(("", "°C", "%")))),
        RangeParameterConfig(called[1], (1, 10**6), "int", scaling="log"),
        ChoiceParameterConfig(called[2], draw(st.lists(texts, min_size=2, unique=True))),
        ChoiceParameterConfig(called[3], (True, False), "bool"),
        ChoiceParameterConfig(called[4], (0.1, 1e-9, 7.0), "float"),
        ChoiceParameterConfig(called[5], ("on", "off"), dependent_parameters={"on": [called[1]]}),
        DerivedParameterConfig(called[6], f"2 * `{called[0]}` + 1"),
    )
    return SearchSpace(kinds)


@st.composite
def trials(draw: st.DrawFn, space: SearchSpace, metrics: tuple[str, ...], index: int) -> Trial:
    status = draw(st.sampled_from(OVER))
    values: dict[str, Any] = {}
    for parameter in space.tunable:
        if isinstance(parameter, ChoiceParameterConfig):
            values[parameter.name] = draw(st.sampled_from(list(parameter.values)))
        elif parameter.parameter_type == "int":
            values[parameter.name] = draw(st.integers(-(10**7), 10**7))
        else:
            values[parameter.name] = draw(st.floats(-1e6, 1e6))
    drawn = draw(st.sets(st.sampled_from(metrics), min_size=status is TrialStatus.EARLY_STOPPED))
    measured = [m for m in metrics if m in drawn or status is TrialStatus.COMPLETED]
    sems = st.none() | st.just(0.0) | st.floats(0, 1e300)
    started = draw(st.none() | moments)
    return Trial(
        index,
        Arm(f"{index}_0", space.completed(values)),
        Generation(TrialSource.IMPORTED),
        status=status,
        observations=tuple(Observation(m, draw(numbers), draw(sems)) for m in measured),
        reason="" if status is TrialStatus.COMPLETED else draw(texts),
        note=draw(texts),
        is_excluded=draw(st.booleans()),
        started_at=started,
        finished_at=draw(moments),
        elapsed_seconds=0.0 if started is None else draw(st.floats(0, 1e6)),
    )


@st.composite
def experiments(draw: st.DrawFn) -> Experiment:
    called = draw(st.lists(names, min_size=9, max_size=9, unique=True))
    space, (objective, tracked) = draw(spaces(called[:7])), called[7:]
    optimization = OptimizationConfig(
        Objective.parse(f"`{objective}`"),
        (OutcomeConstraint.parse(f"`{objective}` >= 1"),),
        tracking_metrics=(tracked,),
    )
    experiment = Experiment(1, ExperimentSetup("e", space, optimization), NOON)
    for index in range(draw(st.integers(1, 5))):
        experiment.put(draw(trials(space, (objective, tracked), index)))
    return experiment


def read_again(experiment: Experiment, table: Any) -> Experiment:
    empty = replace(experiment, trials={})
    plan = plan_import(empty, table)
    assert plan.skipped == (), plan.summary()
    assert plan.problems == ()
    import_trials(empty, MemoryStore(), ImportTrials(plan.trials), NOON)
    return empty


@pytest.mark.parametrize("kind", ["point", "comma", "xlsx", "json", "clipboard"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(experiment=experiments())
def test_an_export_is_imported_as_it_was(tmp_path: Path, kind: str, experiment: Experiment) -> None:
    if kind == "clipboard":
        table = read_text("clipboard", trials_clipboard(experiment, "comma"))
    else:
        file = tmp_path / f"trials.{kind if kind in ('xlsx', 'json') else 'csv'}"
        write_trials(experiment, file, decimal="comma" if kind == "comma" else "point")
        table = read_table(file)

    again = read_again(experiment, table)

    assert again.trials == experiment.trials
    assert trials_table(again) == trials_table(experiment)
    # Once more, and nothing is new.
    assert plan_import(again, table).trials == ()
