"""Random values of core, for hypothesis: whatever the values themselves allow."""

import math
import string
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from typing import Any, Literal

from hypothesis import strategies as st

from axdesk.core.attachments import Attachment
from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.draft_cells import FIELDS, Row, Section
from axdesk.core.drafts import Draft
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
    TunableParameterConfig,
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
from axdesk.core.stopping import EarlyStopping, GlobalStopping
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
def range_parameters(
    draw: st.DrawFn,
    name: str,
    texts: st.SearchStrategy[str] = texts,
    numbers: st.SearchStrategy[float] = numbers,
    whole_numbers: st.SearchStrategy[int] = whole_numbers,
) -> RangeParameterConfig:
    """A float or integer range, maybe with steps, logarithmic, with a start value, or off."""
    parameter_type: Literal["float", "int"] = draw(st.sampled_from(["float", "int"]))
    values = numbers if parameter_type == "float" else whole_numbers
    low, high = sorted(draw(st.lists(values, min_size=2, max_size=2, unique=True)))
    width = high - low
    least = 4 * math.ulp(max(abs(low), abs(high)))
    step: float | None = None
    if math.isfinite(width) and width > 2 * least and draw(st.booleans()):
        if parameter_type == "float":
            step = draw(st.floats(least, width / 2))
        else:
            step = draw(st.integers(max(1, int(least)), int(width)))
    scalings = [None, "linear", "log"] if low > 0 else [None, "linear"]
    bare = RangeParameterConfig(
        name=name,
        bounds=(low, high),
        parameter_type=parameter_type,
        step_size=step,
        scaling=draw(st.sampled_from(scalings)),
        unit=draw(texts),
        description=draw(texts),
    )
    start: Any = draw(st.none() | values_of(bare))
    return replace(bare, start_value=start, is_on=start is None or draw(st.booleans()))


@st.composite
def choice_parameters(
    draw: st.DrawFn,
    name: str,
    texts: st.SearchStrategy[str] = texts,
    numbers: st.SearchStrategy[float] = numbers,
    whole_numbers: st.SearchStrategy[int] = whole_numbers,
) -> ChoiceParameterConfig:
    """A choice of any type, fixed values and those that are switched off among them."""
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
    start = draw(st.none() | st.sampled_from(values))
    return ChoiceParameterConfig(
        name=name,
        values=values,
        parameter_type=parameter_type,
        is_ordered=draw(st.none() | st.booleans()),
        unit=draw(texts),
        description=draw(texts),
        start_value=start,
        is_on=start is None or draw(st.booleans()),
    )


def values_of(parameter: TunableParameterConfig) -> st.SearchStrategy[TParameterValue]:
    """Any value that the parameter allows."""
    if isinstance(parameter, ChoiceParameterConfig):
        return st.sampled_from(parameter.values)
    if parameter.last_step is None:
        return st.floats(*parameter.bounds)
    return st.integers(0, parameter.last_step).map(parameter.value_at)


def _terms(names: list[str]) -> st.SearchStrategy[tuple[tuple[str, float], ...]]:
    some = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
    return some.flatmap(
        lambda chosen: st.tuples(*(st.tuples(st.just(n), coefficients) for n in chosen))
    )


operators = st.sampled_from(["<=", ">="])


@st.composite
def search_spaces(
    draw: st.DrawFn,
    labels: st.SearchStrategy[str] = labels,
    texts: st.SearchStrategy[str] = texts,
    numbers: st.SearchStrategy[float] = numbers,
    whole_numbers: st.SearchStrategy[int] = whole_numbers,
) -> SearchSpace:
    """A search space with all kinds of parameters; its constraints need not leave anything."""
    names = draw(st.lists(labels, min_size=1, max_size=5, unique=True))
    of = (texts, numbers, whole_numbers)
    split = draw(st.integers(1, len(names)))
    tunable: list[TunableParameterConfig] = [
        draw(st.one_of(range_parameters(name, *of), choice_parameters(name, *of)))
        for name in names[:split]
    ]
    if not any(p.is_on for p in tunable):
        tunable[0] = replace(tunable[0], is_on=True)
    dependents: set[str] = set()
    for index, parameter in enumerate(tunable):
        free = [name for name in names[index + 1 : split] if name not in dependents]
        if isinstance(parameter, ChoiceParameterConfig) and free and draw(st.booleans()):
            some = st.lists(st.sampled_from(free), max_size=3, unique=True)
            of_values = draw(st.dictionaries(st.sampled_from(parameter.values), some, max_size=2))
            dependents |= {name for some_names in of_values.values() for name in some_names}
            tunable[index] = replace(parameter, dependent_parameters=of_values)
    numeric = [
        p.name
        for p in tunable
        if p.name not in dependents and (isinstance(p, RangeParameterConfig) or p.is_numeric)
    ]
    bare = SearchSpace(tuple(tunable))
    parameters: list[ParameterConfig] = [*tunable]
    modest = [name for name in numeric if bare.largest(name) < 1e100]
    for name in names[split:] if modest else []:
        text = str(LinearExpression(draw(_terms(modest)), draw(moderate_numbers)))
        kind: Literal["float", "int"] = draw(st.sampled_from(["float", "int"]))
        derived = DerivedParameterConfig(name, text, kind, draw(texts), draw(texts))
        parameters.insert(draw(st.integers(0, len(parameters))), derived)
    constraints: tuple[ParameterConstraint, ...] = ()
    if numeric:
        kinds = st.sampled_from(["<=", ">=", "="])
        constraint = st.builds(ParameterConstraint, _terms(numeric), kinds, numbers)
        constraints = tuple(draw(st.lists(constraint, max_size=2)))
    return SearchSpace(tuple(parameters), constraints)


def parameterizations(space: SearchSpace) -> st.SearchStrategy[dict[str, TParameterValue]]:
    """Values that the parameters allow; constraints may be broken."""
    values = st.fixed_dictionaries({p.name: values_of(p) for p in space.tunable})
    return values.map(space.completed)


@st.composite
def objectives(draw: st.DrawFn, names: list[str]) -> tuple[Objective, ...]:
    """One or several objectives of these metrics, some of which match a target."""
    terms = draw(_terms(names))
    aimed = dict(draw(st.lists(st.tuples(st.sampled_from(names), moderate_numbers), max_size=2)))
    signed = [(name, -abs(c) if name in aimed else c) for name, c in terms]
    split = draw(st.integers(1, len(signed)))
    return tuple(
        Objective(
            LinearExpression(tuple(part)),
            tuple((name, aimed[name]) for name, _ in part if name in aimed),
        )
        for part in (signed[:split], signed[split:])
        if part
    )


@st.composite
def optimizations(draw: st.DrawFn) -> OptimizationConfig:
    """Objectives with limits, recorded metrics and units."""
    names = draw(st.lists(labels, min_size=1, max_size=4, unique=True))
    split = draw(st.integers(1, len(names)))
    optimised = names[:split]

    def limit(terms: tuple[tuple[str, float], ...]) -> st.SearchStrategy[OutcomeConstraint]:
        factors = st.sampled_from([0.0, 0.95, -2.5]) if len(terms) == 1 else st.just(0.0)
        return st.builds(OutcomeConstraint, st.just(terms), operators, moderate_numbers, factors)

    return OptimizationConfig.of(
        draw(objectives(optimised)),
        outcome_constraints=tuple(draw(st.lists(_terms(optimised).flatmap(limit), max_size=2))),
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
    method=st.sampled_from(["fast", "quality", "random_search"]),
    initialization_budget=counts,
    initialize_with_center=st.booleans(),
    seed=st.integers(0, 2**80),
    min_observed_initialization_trials=st.none() | counts,
    use_existing_trials_for_initialization=st.booleans(),
)


@st.composite
def early_stoppings(draw: st.DrawFn) -> EarlyStopping:
    percentile = draw(st.none() | st.floats(0, 100, exclude_min=True, exclude_max=True))
    low, high = sorted((draw(numbers), draw(numbers)))
    return EarlyStopping(
        percentile=percentile,
        threshold=draw(numbers if percentile is None else st.none() | numbers),
        min_progression=low,
        max_progression=draw(st.none() | st.just(high)),
        min_curves=draw(counts),
        best_protected=draw(st.integers(0, 20)),
    )


@st.composite
def global_stoppings(draw: st.DrawFn) -> GlobalStopping:
    target, bar = draw(st.none() | numbers), draw(st.none() | st.floats(0, 1e6))
    is_alone = target is None and bar is None
    return GlobalStopping(
        target=target,
        improvement_bar=bar,
        stagnation=draw(counts if is_alone else st.none() | counts),
        window_size=draw(counts),
        min_trials=draw(counts),
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
        on_error=st.sampled_from(["continue", "pause", "stop"]),
        trial_time_limit=limits,
        run_time_limit=limits,
        call_deadlines=st.builds(CallDeadlines, limits, limits, limits, limits),
        retry_budget=st.builds(RetryBudget, counts, counts),
        max_seconds_between_polls=seconds,
        generation_time_limit=limits,
        early_stopping=st.none() | early_stoppings(),
        global_stopping=st.none() | global_stoppings(),
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


attachments = st.builds(
    Attachment,
    name=st.text(
        st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1
    ).filter(lambda name: name not in (".", "..")),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    size=st.integers(0, 2**40),
    attached_at=times,
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
        attachments=tuple(draw(st.lists(attachments, max_size=2))),
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
