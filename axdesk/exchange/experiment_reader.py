"""From the checked tables of an experiment file to the set-up that they mean."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.errors import AxdeskError, UserInputError
from axdesk.core.names import checked_name
from axdesk.core.objective import OptimizationConfig, parse_objectives
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.plugins import PluginChoice
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RetryBudget, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings, initial_design_size
from axdesk.core.stopping import EarlyStopping, GlobalStopping
from axdesk.exchange.models import (
    ChoiceTable,
    DerivedTable,
    ExperimentTable,
    FileTable,
    FixedTable,
    GenerationTable,
    OptimizationTable,
    ParameterTable,
    PluginTable,
    RangeTable,
    RunTable,
)
from axdesk.exchange.problems import Problems
from axdesk.exchange.toml_lines import Place

_T = TypeVar("_T")

RUN_FIELDS = (
    "max_trials",
    "parallelism",
    "tolerated_trial_failure_rate",
    "initial_seconds_between_polls",
)
"""The keys of `[run]` that are arguments of `run_trials` themselves."""

GENERATION_FIELDS: Mapping[str, str] = {
    "method": "method",
    "initial_trials": "initialization_budget",
    "center": "initialize_with_center",
    "seed": "seed",
    "min_observed_trials": "min_observed_initialization_trials",
    "count_existing_trials": "use_existing_trials_for_initialization",
}
"""Key of `[generation]` → field of `GenerationSettings`."""

_RULES: Mapping[str, Callable[..., EarlyStopping | GlobalStopping]] = {
    "early_stopping": EarlyStopping,
    "global_stopping": GlobalStopping,
}

_NO_LIMIT = float("inf")
_MAY_BE_UNLIMITED = frozenset(
    {"run", "poll", "fetch", "stop", "trial_time_limit", "run_time_limit", "generation_time_limit"}
)


class SetupReader:
    """Makes core values out of checked tables and notes what core refuses, with its place."""

    def __init__(self, problems: Problems, folder: Path) -> None:
        self._problems = problems
        self._folder = folder

    def setup(self, table: FileTable) -> ExperimentSetup | None:
        """Return the set-up, or None if there are problems."""
        general = table.experiment
        name = self._try(("experiment", "name"), lambda: checked_name(general.name, "experiment"))
        space = self._search_space(table)
        optimization = self._optimization(table.optimization)
        generation = self._try(("generation",), lambda: _generation(table.generation, space))
        run = self._run(table.run)
        if name is None or space is None or optimization is None:
            return None
        if generation is None or run is None:
            return None
        return ExperimentSetup(
            name=name,
            search_space=space,
            optimization=optimization,
            description=general.description,
            owner=general.owner,
            generation=generation,
            runner=None if table.runner is None else _choice(table.runner),
            metrics=tuple((key, _choice(plugin)) for key, plugin in table.metrics.items()),
            plugin_folder=self._plugin_folder(general),
            plugin_python=self._plugin_python(general),
            run=run,
        )

    def _try(self, place: Place, make: Callable[[], _T]) -> _T | None:
        try:
            return make()
        except AxdeskError as error:
            self._problems.add(place, str(error))
            return None

    def _all(
        self, place: Place, make: Callable[[Any], _T], given: Iterable[Any]
    ) -> tuple[_T, ...] | None:
        """Return what is made of each, or None if one of them is refused."""
        made = [
            self._try((*place, number), lambda part=part: make(part))  # type: ignore[misc]  # a default binds the loop's value
            for number, part in enumerate(given)
        ]
        good = tuple(part for part in made if part is not None)
        return good if len(good) == len(made) else None

    def _plugin_folder(self, general: ExperimentTable) -> str:
        if not general.plugin_folder:
            return ""
        return str((self._folder / Path(general.plugin_folder).expanduser()).resolve())

    def _plugin_python(self, general: ExperimentTable) -> str:
        given = general.plugin_python
        if Path(given).name == given:
            return given  # nothing, or a command that is looked for on the system's path
        # Not resolved: the link that a virtual environment's Python is says which environment.
        return str((self._folder / Path(given).expanduser()).absolute())

    def _search_space(self, table: FileTable) -> SearchSpace | None:
        parameters = self._all(("parameters",), _parameter, table.parameters)
        place = ("experiment", "parameter_constraints")
        given = table.experiment.parameter_constraints
        constraints = self._all(place, ParameterConstraint.parse, given)
        if parameters is None or constraints is None:
            return None
        bare = self._try(("parameters",), lambda: SearchSpace(parameters))
        if bare is None:
            return None
        # One by one, so that a constraint that fits no parameter is told with its own place.
        fitting = self._all(
            place, lambda c: SearchSpace(parameters, (c,)).constraints[0], constraints
        )
        return None if fitting is None else SearchSpace(parameters, fitting)

    def _optimization(self, table: OptimizationTable) -> OptimizationConfig | None:
        place = ("optimization",)
        objectives = self._try((*place, "objective"), lambda: parse_objectives(table.objective))
        limits = self._all(
            (*place, "outcome_constraints"), OutcomeConstraint.parse, table.outcome_constraints
        )
        if objectives is None or limits is None:
            return None
        tracked, units = tuple(table.tracking_metrics), tuple(table.units.items())
        return self._try(place, lambda: OptimizationConfig.of(objectives, limits, tracked, units))

    def _run(self, table: RunTable) -> RunSettings | None:
        given = _given(table)
        deadlines = self._try(
            ("run", "call_deadlines"), lambda: CallDeadlines(**given.pop("call_deadlines", {}))
        )
        retries = self._try(
            ("run", "retry_budget"), lambda: RetryBudget(**given.pop("retry_budget", {}))
        )
        rules: dict[str, Any] = {
            name: self._try(("run", name), lambda kind=kind, name=name: kind(**given.pop(name)))  # type: ignore[misc]  # defaults bind the loop's values
            for name, kind in _RULES.items()
            if name in given
        }
        if deadlines is None or retries is None or None in rules.values():
            return None
        own = {name: given.pop(name) for name in RUN_FIELDS if name in given}
        return self._try(
            ("run",),
            lambda: RunSettings(
                **own,
                orchestration=OrchestrationConfig(
                    **given, **rules, call_deadlines=deadlines, retry_budget=retries
                ),
            ),
        )


def _given(table: RunTable) -> dict[str, Any]:
    def limits(values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: limits(value)
            if isinstance(value, dict)
            else (None if value == _NO_LIMIT and name in _MAY_BE_UNLIMITED else value)
            for name, value in values.items()
        }

    return limits(table.model_dump(exclude_unset=True))


def _generation(table: GenerationTable, space: SearchSpace | None) -> GenerationSettings:
    given = table.model_dump(exclude_unset=True)
    if space is not None:
        given.setdefault("initial_trials", initial_design_size(space))
    return GenerationSettings(**{GENERATION_FIELDS[key]: value for key, value in given.items()})


def _choice(table: PluginTable) -> PluginChoice:
    return PluginChoice(table.plugin, {**table.options, **dict.fromkeys(table.unset)})


def _parameter(table: ParameterTable) -> ParameterConfig:
    common: dict[str, Any] = {
        "name": table.name,
        "unit": table.unit,
        "description": table.description,
    }
    match table:
        case RangeTable():
            return RangeParameterConfig(
                **common,
                bounds=(table.low, table.high),
                parameter_type=table.type,
                step_size=table.step,
                scaling=table.scale,
                start_value=table.start,
                is_on=table.on,
            )
        case DerivedTable():
            return DerivedParameterConfig(
                **common,
                expression_str=table.expression,
                parameter_type="int" if table.whole else "float",
            )
        case FixedTable():
            kind = _value_type((table.value,))
            return ChoiceParameterConfig(**common, values=(table.value,), parameter_type=kind)
        case ChoiceTable():
            return ChoiceParameterConfig(
                **common,
                values=tuple(table.values),
                parameter_type=_value_type(table.values),
                is_ordered=table.ordered,
                start_value=table.start,
                is_on=table.on,
                dependent_parameters=_dependents(table),
            )


def _dependents(table: ChoiceTable) -> dict[TParameterValue, list[str]]:
    found: dict[TParameterValue, list[str]] = {}
    for part in table.dependents:
        if part.value in found:
            raise UserInputError(
                f"Parameter {table.name!r} names the value {part.value!r} twice in dependents.",
                "Write all parameters of a value into one list.",
            )
        found[part.value] = part.parameters
    return found


def _value_type(values: Sequence[TParameterValue]) -> Any:
    kinds = {type(value).__name__ for value in values}
    if kinds == {"int", "float"}:
        return "float"
    # Of a mixture core refuses the first value that does not go with the first one.
    return type(values[0]).__name__ if values else "str"
