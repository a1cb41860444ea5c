"""The experiment file's tables and keys, as pydantic checks them; private to this room."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError


def _checked_value(value: object) -> object:
    if isinstance(value, bool | int | float | str):
        return value
    raise PydanticCustomError("value_type", "no single value")


# As a union, pydantic would tell one mistake once for each of the four types.
Value = Annotated[bool | int | float | str, PlainValidator(_checked_value)]


FORMAT = 1
"""The format of the files; a file of the first need not say it. A newer axdesk may write 2."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ExperimentTable(_Table):
    """`[experiment]`."""

    name: str
    description: str = ""
    owner: str = ""
    plugin_folder: str = ""
    plugin_python: str = ""
    parameter_constraints: list[str] = []


class _ParameterTable(_Table):
    name: str
    unit: str = ""
    description: str = ""


class RangeTable(_ParameterTable):
    """`[[parameters]]` with `type = "float"` or `"int"`."""

    type: Literal["float", "int"]
    low: float
    high: float
    step: float | None = None
    scale: Literal["linear", "log"] | None = None
    start: float | None = None
    on: bool = True


class DependentsTable(_Table):
    """One of `dependents`: parameters that exist only at one value of a choice."""

    value: Value
    parameters: list[str]


class ChoiceTable(_ParameterTable):
    """`[[parameters]]` with `type = "choice"`."""

    type: Literal["choice"]
    values: list[Value]
    ordered: bool | None = None
    start: Value | None = None
    on: bool = True
    dependents: list[DependentsTable] = []


class FixedTable(_ParameterTable):
    """`[[parameters]]` with `type = "fixed"`."""

    type: Literal["fixed"]
    value: Value


class DerivedTable(_ParameterTable):
    """`[[parameters]]` with `type = "derived"`."""

    type: Literal["derived"]
    expression: str
    whole: bool = False


class OptimizationTable(_Table):
    """`[optimization]`."""

    objective: str
    outcome_constraints: list[str] = []
    tracking_metrics: list[str] = []
    units: dict[str, str] = {}


class GenerationTable(_Table):
    """`[generation]`."""

    method: Literal["fast", "quality", "random_search"] | None = None
    initial_trials: Annotated[int, Field(ge=1)] | None = None
    center: bool | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    min_observed_trials: Annotated[int, Field(ge=1)] | None = None
    count_existing_trials: bool | None = None


class PluginTable(_Table):
    """`[runner]` and `[metrics.NAME]`.

    Attributes:
        plugin: `"FILE.py:CLASS"`.
        options: Option name → value.
        unset: Options whose value is None, for which TOML has no word.
    """

    plugin: str
    options: dict[str, Value] = {}
    unset: list[str] = []


class DeadlinesTable(_Table):
    """`[run.call_deadlines]`; `inf` for no limit."""

    run: float | None = None
    poll: float | None = None
    fetch: float | None = None
    stop: float | None = None


class RetriesTable(_Table):
    """`[run.retry_budget]`."""

    poll: int | None = None
    fetch: int | None = None


class EarlyStoppingTable(_Table):
    """`[run.early_stopping]`; what is left out has its default."""

    percentile: float | None = None
    threshold: float | None = None
    min_progression: float | None = None
    max_progression: float | None = None
    min_curves: int | None = None
    best_protected: int | None = None


class GlobalStoppingTable(_Table):
    """`[run.global_stopping]`; what is left out has its default."""

    target: float | None = None
    improvement_bar: float | None = None
    stagnation: int | None = None
    window_size: int | None = None
    min_trials: int | None = None


class RunTable(_Table):
    """`[run]`; of the limits in seconds, `inf` for none."""

    max_trials: int | None = None
    parallelism: int | None = None
    tolerated_trial_failure_rate: float | None = None
    initial_seconds_between_polls: float | None = None
    min_seconds_between_launches: float | None = None
    min_failed_trials: int | None = None
    when_failure_rate_exceeded: Literal["drain", "stop"] | None = None
    uncertain_deployment: Literal["ask", "abandon", "redeploy"] | None = None
    on_error: Literal["continue", "pause", "stop"] | None = None
    trial_time_limit: float | None = None
    run_time_limit: float | None = None
    max_seconds_between_polls: float | None = None
    generation_time_limit: float | None = None
    call_deadlines: DeadlinesTable = DeadlinesTable()
    retry_budget: RetriesTable = RetriesTable()
    early_stopping: EarlyStoppingTable | None = None
    global_stopping: GlobalStoppingTable | None = None


ParameterTable = Annotated[
    RangeTable | ChoiceTable | FixedTable | DerivedTable, Field(discriminator="type")
]


class FileTable(_Table):
    """The whole file."""

    format: Annotated[int, Field(ge=1)] = FORMAT
    experiment: ExperimentTable
    parameters: list[ParameterTable]
    optimization: OptimizationTable
    generation: GenerationTable = GenerationTable()
    runner: PluginTable | None = None
    metrics: dict[str, PluginTable] = {}
    run: RunTable = RunTable()
