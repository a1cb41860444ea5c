"""Set-up that is not yet valid: the raw text of every cell.

A draft takes anything in any order and keeps it as typed. `Draft.checked()` turns it into an
`ExperimentSetup`, or into problems that name their section, row and field.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.draft_cells import (
    CHOICE_SEPARATOR,
    Goal,
    ParameterKind,
    Problem,
    Problems,
    Row,
    Section,
    choice_text,
    dependents_text,
    number_text,
    percent_text,
    value_text,
    value_type_of,
)
from axdesk.core.draft_checks import checked_rows, searched_rows
from axdesk.core.draft_limits import limit_cell_text
from axdesk.core.durations import seconds_text
from axdesk.core.objective import OptimizationConfig
from axdesk.core.parameters import (
    DerivedParameterConfig,
    ParameterConfig,
    RangeParameterConfig,
)
from axdesk.core.plugins import PluginCatalogue, PluginChoice
from axdesk.core.run import OrchestrationConfig, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from axdesk.core.texts import storable


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of every cell.

    Attributes:
        general: One row.
        parameters: In order.
        objectives: In order.
        constraints: In order.
        runner: One row.
        run: One row.
    """

    general: Row = field(default_factory=dict)
    parameters: tuple[Row, ...] = ()
    objectives: tuple[Row, ...] = ()
    constraints: tuple[Row, ...] = ()
    runner: Row = field(default_factory=dict)
    run: Row = field(default_factory=lambda: _run_row(RunSettings(), GenerationSettings()))

    def rows(self, section: Section) -> tuple[Row, ...]:
        """Return the rows of a section; one for those that are no tables."""
        rows = getattr(self, section.value)
        return rows if isinstance(rows, tuple) else (rows,)

    def with_rows(self, section: Section, rows: Iterable[Row]) -> "Draft":
        """Return the draft with a section's rows replaced, by text that can be stored."""
        kept = tuple({k: storable(v) for k, v in row.items() if v != ""} for row in rows)
        match section:
            case Section.GENERAL:
                return replace(self, general=kept[0])
            case Section.PARAMETERS:
                return replace(self, parameters=kept)
            case Section.OBJECTIVES:
                return replace(self, objectives=kept)
            case Section.CONSTRAINTS:
                return replace(self, constraints=kept)
            case Section.RUNNER:
                return replace(self, runner=kept[0])
            case Section.RUN:
                return replace(self, run=kept[0])

    def with_cell(self, section: Section, row: int, field: str, text: str) -> "Draft":
        """Return the draft with one cell's text replaced."""
        rows = list(self.rows(section))
        rows[row] = {**rows[row], field: text}
        return self.with_rows(section, rows)

    def checked(
        self,
        catalogue: PluginCatalogue | None = None,
        taken_names: Collection[str] = (),
        *,
        needs_plugins: bool = True,
    ) -> ExperimentSetup | Problems:
        """Return the set-up, or what is wrong.

        Args:
            catalogue: Plugins to check the choices against; None leaves that out.
            taken_names: What other experiments are called.
            needs_plugins: Whether runner and metrics must be chosen; a file can do without.
        """
        checked = checked_rows(self._all_rows(), catalogue, needs_plugins=needs_plugins)
        name = self.general.get("name", "").strip()
        if name not in taken_names:
            return checked
        free = next(n for i in count(2) if (n := f"{name} {i}") not in taken_names)
        taken = Problem(
            Section.GENERAL, 0, "name", f"Another experiment is called {name}.",
            ((f"Call it {free}", {"name": free}),),
        )  # fmt: skip
        return Problems((taken, *(checked.items if isinstance(checked, Problems) else ())))

    def search_space(self) -> SearchSpace | None:
        """Return the search space, whatever else is wrong; None while it is not clear itself."""
        return searched_rows(self._all_rows())

    def _all_rows(self) -> dict[Section, tuple[Row, ...]]:
        return {section: self.rows(section) for section in Section}


def draft_of(setup: ExperimentSetup) -> Draft:
    """Return the draft that checks to `setup`."""
    metrics = dict(setup.metrics)
    return Draft(
        general=_row(
            name=setup.name,
            description=setup.description,
            owner=setup.owner,
            plugin_folder=setup.plugin_folder,
            plugin_python=setup.plugin_python,
        ),
        parameters=tuple(_parameter_row(p) for p in setup.search_space.parameters),
        objectives=tuple(_objective_rows(setup.optimization, metrics)),
        constraints=tuple({"expression": text} for text in _constraint_texts(setup)),
        runner=_choice_row("reference", setup.runner),
        run=_run_row(setup.run, setup.generation),
    )


def _row(**cells: str) -> Row:
    return {field: text for field, text in cells.items() if text}


def _choice_row(field: str, choice: PluginChoice | None) -> Row:
    if choice is None:
        return {}
    options = {f"option.{k}": value_text(v) for k, v in choice.options.items()}
    return {field: choice.reference, **options}


def _parameter_row(parameter: ParameterConfig) -> Row:
    common = {"name": parameter.name, "unit": parameter.unit, "description": parameter.description}
    if isinstance(parameter, DerivedParameterConfig):
        return _row(
            on="yes",
            **common,
            kind=ParameterKind.DERIVED.value,
            expression=parameter.expression_str,
            value_type="int" if parameter.parameter_type == "int" else "",
        )
    common["on"] = "yes" if parameter.is_on else "no"
    if isinstance(parameter, RangeParameterConfig):
        low, high = parameter.bounds
        kind = ParameterKind.DECIMAL if parameter.parameter_type == "float" else ParameterKind.WHOLE
        return _row(
            **common,
            low=number_text(low),
            high=number_text(high),
            step="" if parameter.step_size is None else number_text(parameter.step_size),
            scale="log" if parameter.is_log else "",
            kind=kind.value,
            start=value_text(parameter.start_value),
        )
    kind, start = ParameterKind.CHOICE, parameter.start_value
    choices = f"{CHOICE_SEPARATOR} ".join(map(choice_text, parameter.values))
    if len(parameter.values) == 1:
        kind, start, choices = ParameterKind.FIXED, parameter.values[0], ""
    looks = value_type_of(tuple(map(value_text, parameter.values)))
    if parameter.parameter_type == "bool" and parameter.values == (False, True):
        kind, choices, looks = ParameterKind.YES_NO, "", "bool"
    usual = replace(parameter, is_ordered=None).is_ordered
    return _row(
        **common,
        kind=kind.value,
        choices=choices,
        start="" if start is None else choice_text(start),
        dependents=dependents_text(parameter.dependent_parameters),
        value_type="" if looks == parameter.parameter_type else parameter.parameter_type,
        is_ordered="" if usual == parameter.is_ordered else value_text(parameter.is_ordered),
    )


def _constraint_texts(setup: ExperimentSetup) -> list[str]:
    limits = setup.optimization.outcome_constraints
    others = limits[len(_cell_limits(setup.optimization)) :]
    return [str(c) for c in (*setup.search_space.constraints, *others)]


def _cell_limits(optimization: OptimizationConfig) -> dict[str, OutcomeConstraint]:
    """The first limits that can stand in the rows of their metrics without changing their order.

    All further ones stand with the constraints.
    """
    rows = {name: row for row, name in enumerate(optimization.required_metrics)}
    found: dict[str, OutcomeConstraint] = {}
    last = -1
    for limit in optimization.outcome_constraints:
        row = rows[limit.names[0]]
        if limit.terms != ((limit.names[0], 1.0),) or row <= last:
            break
        found[limit.names[0]], last = limit, row
    return found


def _objective_rows(
    optimization: OptimizationConfig, metrics: Mapping[str, PluginChoice]
) -> Iterable[Row]:
    goals = _goal_cells(optimization)
    limits = _cell_limits(optimization)
    for name in dict.fromkeys((*optimization.metric_names, *metrics)):
        cells = {"name": name, "unit": optimization.unit_of(name)}
        limit = limits.get(name)
        if name in goals:
            cells |= goals[name]
        elif limit is not None:
            cells["goal"] = Goal.LIMIT.value
        else:
            cells["goal"] = Goal.RECORD.value
        if limit is not None:
            cells["limit_kind"] = limit.operator
            cells["limit"] = limit_cell_text(limit)
        yield {**_row(**cells), **_choice_row("metric", metrics.get(name))}


def _goal_cells(optimization: OptimizationConfig) -> dict[str, Row]:
    """The cells of each metric that is optimised."""
    found: dict[str, Row] = {}
    sums = 0
    for objective in optimization.objectives:
        terms, targets = objective.expression.terms, dict(objective.targets)
        is_sum = len(terms) > 1 or abs(terms[0][1]) != 1
        sums += is_sum
        for name, coefficient in terms:
            goal = Goal.MAXIMISE if coefficient > 0 else Goal.MINIMISE
            found[name] = {
                "goal": (Goal.TARGET if name in targets else goal).value,
                "target": number_text(targets[name]) if name in targets else "",
                "weight": number_text(abs(coefficient)) if is_sum else "",
                "sum": str(sums) if is_sum and sums > 1 else "",
            }
    return found


def _run_row(run: RunSettings, generation: GenerationSettings) -> Row:
    more = run.orchestration

    def seconds(value: float | None) -> str:
        return "" if value is None else seconds_text(value)

    return _row(
        max_trials=str(run.max_trials),
        parallelism=str(run.parallelism),
        tolerated_failure_percent=percent_text(run.tolerated_trial_failure_rate),
        seconds_between_polls=seconds(run.initial_seconds_between_polls),
        seconds_between_launches=seconds(more.min_seconds_between_launches),
        min_failed_trials=str(more.min_failed_trials),
        when_failure_rate_exceeded=more.when_failure_rate_exceeded,
        uncertain_deployment=more.uncertain_deployment,
        on_error=more.on_error,
        trial_time_limit=seconds(more.trial_time_limit),
        run_time_limit=seconds(more.run_time_limit),
        run_deadline=seconds(more.call_deadlines.run),
        poll_deadline=seconds(more.call_deadlines.poll),
        fetch_deadline=seconds(more.call_deadlines.fetch),
        stop_deadline=seconds(more.call_deadlines.stop),
        poll_retries=str(more.retry_budget.poll),
        fetch_retries=str(more.retry_budget.fetch),
        max_seconds_between_polls=seconds(more.max_seconds_between_polls),
        generation_time_limit=seconds(more.generation_time_limit),
        **_stopping_cells(more),
        method=generation.method,
        initial_trials=str(generation.initialization_budget),
        start_at_center="yes" if generation.initialize_with_center else "no",
        seed=str(generation.seed),
        min_observed_trials=str(generation.min_observed_initialization_trials or ""),
        count_existing_trials=(
            "yes" if generation.use_existing_trials_for_initialization else "no"
        ),
    )


def _number_or_nothing(value: float | None) -> str:
    return "" if value is None else number_text(value)


def _stopping_cells(more: OrchestrationConfig) -> dict[str, str]:
    early, overall, text = more.early_stopping, more.global_stopping, _number_or_nothing
    cells: dict[str, str] = {}
    if early is not None:
        cells |= {
            "early_percentile": text(early.percentile),
            "early_threshold": text(early.threshold),
            "early_min_progression": text(early.min_progression),
            "early_max_progression": text(early.max_progression),
            "early_min_curves": str(early.min_curves),
            "early_best_protected": str(early.best_protected),
        }
    if overall is not None:
        bar = overall.improvement_bar
        cells |= {
            "global_target": text(overall.target),
            "global_improvement_percent": "" if bar is None else percent_text(bar),
            "global_stagnation": "" if overall.stagnation is None else str(overall.stagnation),
            "global_window_size": str(overall.window_size),
            "global_min_trials": str(overall.min_trials),
        }
    return cells
