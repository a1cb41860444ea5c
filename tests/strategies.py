"""Random values of core, for hypothesis: whatever the values themselves allow."""

import string
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Literal

from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.draft_cells import FIELDS, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import (
    CallDeadlines,
    OrchestrationConfig,
    RetryBudget,
    Run,
    RunSettings,
    RunState,
)
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.trial import (
    Arm,
    Generation,
    Observation,
    Prediction,
    Trial,
    TrialSource,
    TrialStatus,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
labels = st.one_of(
    st.sampled_from(["x1", "Yield (%)", "µ flow", "lambda", "N", "baseline", "test", "O'Hara"]),
    st.text(
        st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters="`"),
        min_size=1,
        max_size=8,
    )
    .map(str.strip)
    .filter(lambda name: bool(name) and name.isprintable()),
)
numbers = st.floats(allow_nan=False, allow_infinity=False)
moderate_numbers = st.floats(-1e6, 1e6)
coefficients = moderate_numbers.filter(bool)
whole_numbers = st.one_of(st.integers(-100, 100), st.integers(), st.just(2**63), st.just(-(2**70)))
seconds = st.floats(0.001, 1e7)
limits = st.none() | seconds
counts = st.integers(1, 10**6)
times = st.datetimes(timezones=st.just(UTC))


@st.composite
def range_parameters(draw: st.DrawFn, name: str) -> RangeParameterConfig:
    """A float or integer range, maybe logarithmic, maybe with a start value."""
    parameter_type: Literal["float", "int"] = draw(st.sampled_from(["float", "int"]))
    values = numbers if parameter_type == "float" else whole_numbers
    low, high = sorted(draw(st.lists(values, min_size=2, max_size=2, unique=True)))
    scalings = [None, "linear", "log"] if low > 0 else [None, "linear"]
    between = (
        st.floats(low, high) if parameter_type == "float" else st.integers(int(low), int(high))
    )
    return RangeParameterConfig(
        name=name,
        bounds=(low, high),
        parameter_type=parameter_type,
        scaling=draw(st.sampled_from(scalings)),
        unit=draw(texts),
        description=draw(texts),
        start_value=draw(st.none() | between),
    )


@st.composite
def choice_parameters(draw: st.DrawFn, name: str) -> ChoiceParameterConfig:
    """A choice of any type, fixed values among them."""
    kinds: Mapping[str, st.SearchStrategy[Any]] = {
        "float": numbers,
        "int": whole_numbers,
        "str": texts,
        "bool": st.booleans(),
    }
    parameter_type: Literal["float", "int", "str", "bool"] = draw(
        st.sampled_from(["float", "int", "str", "bool"])
    )
    values = draw(st.lists(kinds[parameter_type], min_size=1, max_size=4, unique_by=str))
    return ChoiceParameterConfig(
        name=name,
        values=values,
        parameter_type=parameter_type,
        is_ordered=draw(st.none() | st.booleans()),
        unit=draw(texts),
        description=draw(texts),
        start_value=draw(st.none() | st.sampled_from(values)),
    )


def _terms(names: list[str]) -> st.SearchStrategy[tuple[tuple[str, float], ...]]:
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return some.flatmap(
        lambda chosen: st.tuples(*(st.tuples(st.just(n), coefficients) for n in chosen))
    )


operators = st.sampled_from(["<=", ">="])


@st.composite
def search_spaces(draw: st.DrawFn) -> SearchSpace:
    """A search space; its constraints need not leave anything."""
    names = draw(st.lists(labels, min_size=1, max_size=4, unique=True))
    parameters: list[ParameterConfig] = [
        draw(st.one_of(range_parameters(name), choice_parameters(name))) for name in names
    ]
    numeric = [p.name for p in parameters if isinstance(p, RangeParameterConfig) or p.is_numeric]
    constraints: tuple[ParameterConstraint, ...] = ()
    if numeric:
        constraint = st.builds(ParameterConstraint, _terms(numeric), operators, numbers)
        constraints = tuple(draw(st.lists(constraint, max_size=2)))
    return SearchSpace(tuple(parameters), constraints)


def parameterizations(space: SearchSpace) -> st.SearchStrategy[dict[str, TParameterValue]]:
    """Values within the parameters' bounds; constraints may be broken."""

    def values(parameter: ParameterConfig) -> st.SearchStrategy[TParameterValue]:
        if isinstance(parameter, ChoiceParameterConfig):
            return st.sampled_from(parameter.values)
        low, high = parameter.bounds
        if parameter.parameter_type == "float":
            return st.floats(low, high)
        return st.integers(int(low), int(high))

    return st.fixed_dictionaries({p.name: values(p) for p in space.parameters})


@st.composite
def optimizations(draw: st.DrawFn) -> OptimizationConfig:
    """An objective with limits, recorded metrics and units."""
    names = draw(st.lists(labels, min_size=1, max_size=4, unique=True))
    split = draw(st.integers(1, len(names)))
    optimised = names[:split]
    constraint = st.builds(OutcomeConstraint, _terms(optimised), operators, moderate_numbers)
    return OptimizationConfig(
        objective=Objective(LinearExpression(draw(_terms(optimised)))),
        outcome_constraints=tuple(draw(st.lists(constraint, max_size=2))),
        tracking_metrics=tuple(names[split:]),
        units=tuple(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(names), texts), max_size=3, unique_by=lambda u: u[0]
                )
            )
        ),
    )


plugin_choices = st.builds(
    PluginChoice,
    st.just("lab.py:Lab"),
    st.dictionaries(
        st.text(string.ascii_lowercase, min_size=1, max_size=5),
        st.one_of(st.none(), st.booleans(), whole_numbers, numbers, texts),
        max_size=3,
    ),
)
generation_settings = st.builds(
    GenerationSettings,
    method=st.sampled_from(["fast", "random_search"]),
    initialization_budget=counts,
    initialize_with_center=st.booleans(),
    seed=st.integers(0, 2**80),
)
run_settings = st.builds(
    RunSettings,
    max_trials=counts,
    parallelism=counts,
    tolerated_trial_failure_rate=st.floats(0, 1, exclude_max=True),
    initial_seconds_between_polls=seconds,
    orchestration=st.builds(
        OrchestrationConfig,
        min_seconds_between_launches=st.just(0.0) | seconds,
        min_failed_trials=counts,
        when_failure_rate_exceeded=st.sampled_from(["drain", "stop"]),
        uncertain_deployment=st.sampled_from(["ask", "abandon", "redeploy"]),
        trial_time_limit=limits,
        run_time_limit=limits,
        call_deadlines=st.builds(CallDeadlines, limits, limits, limits, limits),
        retry_budget=st.builds(RetryBudget, counts, counts),
        max_seconds_between_polls=seconds,
        generation_time_limit=limits,
    ),
)


@st.composite
def setups(draw: st.DrawFn) -> ExperimentSetup:
    """A whole set-up."""
    optimization = draw(optimizations())
    fetched = draw(st.lists(st.sampled_from(optimization.metric_names), unique=True))
    return ExperimentSetup(
        name=draw(labels),
        search_space=draw(search_spaces()),
        optimization=optimization,
        description=draw(texts),
        owner=draw(texts),
        generation=draw(generation_settings),
        runner=draw(st.none() | plugin_choices),
        metrics=tuple((name, draw(plugin_choices)) for name in fetched),
        plugin_folder=draw(texts),
        plugin_python=draw(texts),
        run=draw(run_settings),
    )


def runs(index: int) -> st.SearchStrategy[Run]:
    """A run in any state that a run can have."""
    return st.builds(
        Run,
        index=st.just(index),
        settings=run_settings,
        state=st.sampled_from([s for s in RunState if s not in (RunState.DRAFT, RunState.READY)]),
        reason=texts,
        started_at=st.none() | times,
        ended_at=st.none() | times,
        elapsed_seconds=st.floats(0, 1e9),
        plugin_hashes=st.lists(st.tuples(texts, texts), max_size=2).map(tuple),
        controller=texts,
    )


generations = st.builds(
    Generation,
    source=st.sampled_from(TrialSource),
    predictions=st.lists(st.builds(Prediction, labels, numbers, st.floats(0, 1e9)), max_size=2).map(
        tuple
    ),
    model_best=st.none() | st.tuples(numbers, st.floats(0, 1e9)),
    acquisition_value=st.none() | numbers,
    fit_seconds=st.floats(0, 1e9),
    search_seconds=st.floats(0, 1e9),
    seed=st.none() | st.integers(0, 2**80),
    observed=st.integers(0, 10**6),
    reason=texts,
)
json_values = st.recursive(
    st.none() | st.booleans() | whole_numbers | numbers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)


def observations(metrics: st.SearchStrategy[str]) -> st.SearchStrategy[Observation]:
    """A value, noisy, noiseless or of unknown noise; few progressions, so that some are equal."""
    return st.builds(
        Observation,
        metrics,
        moderate_numbers,
        st.none() | st.floats(0, 1e9),
        st.sampled_from([0.0, 1.0, 2.5]),
    )


@st.composite
def trials(draw: st.DrawFn, setup: ExperimentSetup, index: int) -> Trial:
    """A trial outside any run, in any status."""
    status = draw(st.sampled_from(TrialStatus))
    observed = observations(st.sampled_from(setup.optimization.metric_names))
    at_least = 1 if status is TrialStatus.COMPLETED else 0
    return Trial(
        index=index,
        arm=Arm(draw(labels), draw(parameterizations(setup.search_space))),
        generation=draw(generations),
        status=status,
        metadata=draw(st.none() | st.dictionaries(texts, json_values, max_size=2)),
        executed_parameters=draw(st.none() | parameterizations(setup.search_space)),
        observations=tuple(draw(st.lists(observed, min_size=at_least, max_size=4))),
        reason=draw(texts),
        may_have_started=draw(st.booleans()),
        is_excluded=draw(st.booleans()),
        note=draw(texts),
        staged_at=draw(st.none() | times),
        started_at=draw(st.none() | times),
        finished_at=draw(st.none() | times),
        elapsed_seconds=draw(st.floats(0, 1e9)),
    )


def _draft_rows(section: Section) -> st.SearchStrategy[Row]:
    fields = [*FIELDS[section]]
    if section in (Section.OBJECTIVES, Section.RUNNER):
        fields.append("option.Δ t")
    return st.dictionaries(st.sampled_from(fields), texts.filter(bool), max_size=4)


drafts = st.builds(
    Draft,
    general=_draft_rows(Section.GENERAL),
    parameters=st.lists(_draft_rows(Section.PARAMETERS), max_size=3).map(tuple),
    objectives=st.lists(_draft_rows(Section.OBJECTIVES), max_size=3).map(tuple),
    constraints=st.lists(_draft_rows(Section.CONSTRAINTS), max_size=3).map(tuple),
    runner=_draft_rows(Section.RUNNER),
    run=_draft_rows(Section.RUN),
)
