"""From the text of a draft's cells to values, or to problems that are located."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.draft_cells import (
    STEERING,
    Goal,
    Problem,
    Problems,
    Row,
    Section,
    parse_number,
    parse_option,
)
from axdesk.core.draft_limits import parse_limit
from axdesk.core.draft_notes import Notes, Place, TRemedy
from axdesk.core.draft_parameters import (
    checked_parameters,
    checked_search_space,
    is_left_out,
)
from axdesk.core.draft_run import checked_run
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import (
    Comparison,
    LinearExpression,
    parse_comparison,
    with_backticks,
    with_decimal_points,
)
from axdesk.core.names import checked_name
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, ParameterConfig
from axdesk.core.plugins import PluginCatalogue, PluginChoice, PluginKind, PluginState, TOptionValue
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup


def checked_rows(
    rows: Mapping[Section, tuple[Row, ...]],
    catalogue: PluginCatalogue | None,
    *,
    needs_plugins: bool = True,
) -> ExperimentSetup | Problems:
    """Return the set-up that the rows say, or what is wrong with them; see `Draft.checked`."""
    notes = Notes()
    general = rows[Section.GENERAL][0]
    name = notes.at(Section.GENERAL, 0, "name").read(
        lambda: checked_name(general.get("name", "").strip(), "experiment")
    )
    parameters = checked_parameters(rows[Section.PARAMETERS], notes)
    metrics = _metrics(rows[Section.OBJECTIVES], notes)
    constraints = _constraints(rows, parameters, metrics, notes)
    plugins = _plugins(rows, metrics, catalogue, notes, is_needed=needs_plugins)
    run = checked_run(rows[Section.RUN][0], notes)
    optimization = _optimization(metrics, constraints.on_outcomes, notes)
    space = checked_search_space(parameters, constraints.on_parameters, notes)
    if notes.problems or name is None or optimization is None or space is None or run is None:
        return Problems(tuple(sorted(notes.problems, key=_place)))
    settings, generation = run
    return ExperimentSetup(
        name=name,
        search_space=space,
        optimization=optimization,
        description=general.get("description", ""),
        owner=general.get("owner", ""),
        generation=generation,
        runner=plugins.runner,
        metrics=plugins.metrics,
        plugin_folder=general.get("plugin_folder", ""),
        plugin_python=general.get("plugin_python", ""),
        run=settings,
    )


def searched_rows(rows: Mapping[Section, tuple[Row, ...]]) -> SearchSpace | None:
    """Return the search space that the rows say, None while that is not clear."""
    notes = Notes()
    parameters = checked_parameters(rows[Section.PARAMETERS], notes)
    metrics = _metrics(rows[Section.OBJECTIVES], Notes())
    constraints = _constraints(rows, parameters, metrics, notes)
    return checked_search_space(parameters, constraints.on_parameters, notes)


_ORDER = tuple(Section)


def _place(problem: Problem) -> tuple[int, int]:
    return _ORDER.index(problem.section), -1 if problem.row is None else problem.row


# ---- objectives and constraints ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str
    unit: str
    goal: Goal
    target: float | None
    weight: float
    sum: str | None
    limit: OutcomeConstraint | None
    row: int

    @property
    def coefficient(self) -> float:
        return self.weight if self.goal is Goal.MAXIMISE else -self.weight


def _metrics(rows: tuple[Row, ...], notes: Notes) -> tuple[_Metric, ...]:
    names: set[str] = set()
    found = []
    for index, row in enumerate(rows):
        at_name = notes.at(Section.OBJECTIVES, index, "name")
        name = row.get("name", "").strip()
        if not name:
            at_name.note("Needs a name.")
        elif name in names:
            at_name.note(f"Another row is called {name}.")
        elif at_name.read(lambda name=name: checked_name(name, "metric")) is not None:  # type: ignore[misc]  # as above
            names.add(name)
            metric = _metric(name, row, index, notes)
            if metric is not None:
                found.append(metric)
    if not any(row.get("goal") in STEERING for row in rows):
        notes.at(Section.OBJECTIVES, None, "").note(
            "Say what to optimise: give one row the goal maximise, minimise or match target."
        )
    return tuple(found)


def _metric(name: str, row: Row, index: int, notes: Notes) -> _Metric | None:
    text = row.get("goal", "")
    if text not in tuple(Goal):
        notes.at(Section.OBJECTIVES, index, "goal").note(
            f"Choose a goal: {', '.join(Goal)}." if not text else f"“{text}” is no goal."
        )
        return None
    goal = Goal(text)
    limit = _limit(name, goal, row, index, notes)
    target: float | None = None
    if goal is Goal.TARGET:
        at_target = notes.at(Section.OBJECTIVES, index, "target")
        if not row.get("target", "").strip():
            at_target.note("Enter the target that the value shall match.")
        else:
            target = at_target.read(lambda: parse_number(row["target"]))
        if target is None:
            return None
    weight: float | None = 1.0
    is_weighted = bool(row.get("weight", "").strip()) and goal in STEERING
    if is_weighted:
        at_weight = notes.at(Section.OBJECTIVES, index, "weight")
        weight = at_weight.read(lambda: parse_number(row["weight"]))
        if weight is not None and weight <= 0:
            at_weight.note("A weight must be above 0; the goal says the direction.")
            weight = None
    if weight is None:
        return None
    joined = row.get("sum", "").strip() if is_weighted else None
    return _Metric(name, row.get("unit", ""), goal, target, weight, joined, limit, index)


def _limit(name: str, goal: Goal, row: Row, index: int, notes: Notes) -> OutcomeConstraint | None:
    at = notes.at(Section.OBJECTIVES, index, "limit")
    if not row.get("limit", "").strip():
        if goal is Goal.LIMIT:
            at.note("Enter the limit that must be kept.")
        return None
    if goal is Goal.RECORD:
        at.note("A value that is only recorded has no limit; choose the goal limit.")
        return None
    operator = row.get("limit_kind", "")
    if operator not in ("<=", ">="):
        notes.at(Section.OBJECTIVES, index, "limit_kind").note("Choose ≥ or ≤.")
        return None
    return at.read(lambda: parse_limit(name, "<=" if operator == "<=" else ">=", row["limit"]))


@dataclass(frozen=True, slots=True)
class _Constraints:
    on_parameters: tuple[tuple[int, ParameterConstraint], ...]
    on_outcomes: tuple[OutcomeConstraint, ...]


def _constraints(
    rows: Mapping[Section, tuple[Row, ...]],
    parameters: tuple[ParameterConfig | None, ...],
    metrics: tuple[_Metric, ...],
    notes: Notes,
) -> _Constraints:
    """Sort the rows by what they name: parameters, or metrics."""
    known = {p.name: p for p in parameters if p is not None}
    outcomes = {m.name for m in metrics}
    named = (*rows[Section.PARAMETERS], *rows[Section.OBJECTIVES])
    typed = {row.get("name", "").strip() for row in named if not is_left_out(row)}
    # What these mean is not known before their own problems are mended.
    wrong = typed - known.keys() - outcomes
    on_parameters, on_outcomes = [], []
    for index, row in enumerate(rows[Section.CONSTRAINTS]):
        at = notes.at(Section.CONSTRAINTS, index, "expression")
        text = with_decimal_points(row.get("expression", "").strip())
        if not text:
            at.note("Enter a constraint such as a + b <= 80, or remove the row.")
            continue
        remedies = _backtick_remedies(text, typed - {""})
        comparison = _read_comparison(text, remedies, at)
        if comparison is None or wrong.intersection(comparison.expression.names):
            continue
        names = comparison.expression.names
        strangers = [n for n in names if n not in known]
        texts = [n for n in names if n in known and not _is_numeric(known[n])]
        both = [n for n in names if n in known and n in outcomes]
        if both:
            at.note(f"{both[0]} is a parameter and a metric; give one of them another name.")
        elif texts:
            at.note(f"The values of {texts[0]} are no numbers.")
        elif not strangers and not comparison.baseline:
            within = at.read(lambda text=text: ParameterConstraint.parse(text))  # type: ignore[misc]  # as above
            on_parameters.append((index, within))
        elif all(name in outcomes for name in names):
            limit = at.read(lambda text=text: OutcomeConstraint.parse(text))  # type: ignore[misc]  # as above
            on_outcomes.append(limit)
        elif strangers:
            message = f"“{strangers[0]}” is neither a parameter that is on nor a metric."
            at.note(message, *remedies)
        else:
            at.note(f"“{names[0]}” is no metric, so it has no baseline.")
    return _Constraints(
        tuple((index, kept) for index, kept in on_parameters if kept is not None),
        tuple(kept for kept in on_outcomes if kept is not None),
    )


def _read_comparison(text: str, remedies: Sequence[TRemedy], at: Place) -> Comparison | None:
    try:
        return _compared(text)
    except UserInputError as error:
        at.note(f"{error.message} {error.hint}".strip(), *remedies)
        return None


def _backtick_remedies(text: str, names: Set[str]) -> tuple[TRemedy, ...]:
    """Offer backticks around the names that need them, if that makes it understood."""
    quoted = with_backticks(text, names)
    try:
        if quoted == text or not set(_compared(quoted).expression.names) <= names:
            return ()
    except UserInputError:
        return ()
    return (("Put names between backticks", {"expression": quoted}),)


def _compared(text: str) -> Comparison:
    """Read a row before it is known whether it limits parameters or metrics."""
    return parse_comparison(text, ("<=", ">=", "="), takes_baseline=True)


def _is_numeric(parameter: ParameterConfig) -> bool:
    return not isinstance(parameter, ChoiceParameterConfig) or parameter.is_numeric


def _optimization(
    metrics: tuple[_Metric, ...], on_outcomes: tuple[OutcomeConstraint, ...], notes: Notes
) -> OptimizationConfig | None:
    # A sum stands where its first row stands.
    groups: dict[tuple[str, str | None], list[_Metric]] = {}
    for metric in metrics:
        if metric.goal in STEERING:
            key = ("", metric.sum) if metric.sum is not None else (metric.name, None)
            groups.setdefault(key, []).append(metric)
    if not groups or notes.problems:
        return None
    limits = tuple(m.limit for m in metrics if m.limit is not None)
    limited = {name for limit in on_outcomes for name in limit.names}
    return notes.at(Section.OBJECTIVES, None, "").read(
        lambda: OptimizationConfig.of(
            [_objective(group) for group in groups.values()],
            outcome_constraints=(*limits, *on_outcomes),
            tracking_metrics=tuple(
                m.name for m in metrics if m.goal is Goal.RECORD and m.name not in limited
            ),
            units=tuple((m.name, m.unit) for m in metrics if m.unit),
        )
    )


def _objective(metrics: list[_Metric]) -> Objective:
    return Objective(
        LinearExpression(tuple((m.name, m.coefficient) for m in metrics)),
        tuple((m.name, m.target) for m in metrics if m.target is not None),
    )


# ---- plugins and run settings --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plugins:
    runner: PluginChoice | None
    metrics: tuple[tuple[str, PluginChoice], ...]


def _plugins(
    rows: Mapping[Section, tuple[Row, ...]],
    metrics: tuple[_Metric, ...],
    catalogue: PluginCatalogue | None,
    notes: Notes,
    *,
    is_needed: bool,
) -> _Plugins:
    row = rows[Section.RUNNER][0]
    at_runner = notes.at(Section.RUNNER, 0, "reference")
    runner = _plugin_choice(row, "reference", PluginKind.RUNNER, catalogue, at_runner)
    if is_needed and not row.get("reference", ""):
        at_runner.note("Choose the runner that deploys trials.")
    chosen = []
    none_offered = _none_offered(catalogue)
    for metric in metrics:
        metric_row = rows[Section.OBJECTIVES][metric.row]
        at = notes.at(Section.OBJECTIVES, metric.row, "metric")
        if not metric_row.get("metric", ""):
            if is_needed:
                at.note(f"Choose what fetches {metric.name}.{none_offered}")
            continue
        choice = _plugin_choice(metric_row, "metric", PluginKind.METRIC, catalogue, at)
        if choice is not None:
            chosen.append((metric.name, choice))
    return _Plugins(runner, tuple(chosen))


def _none_offered(catalogue: PluginCatalogue | None) -> str:
    """Say why no metric can be chosen; empty where one can, or where the folder was not read."""
    if catalogue is None or catalogue.of_kind(PluginKind.METRIC):
        return ""
    untrusted = [f.name for f in catalogue.files if f.state is PluginState.UNTRUSTED]
    if untrusted:
        are = "is" if len(untrusted) == 1 else "are"
        return f" {' and '.join(untrusted)} {are} not trusted yet."
    return f" The folder {catalogue.folder} has no metric that can be used."


def _plugin_choice(
    row: Row, field_name: str, kind: PluginKind, catalogue: PluginCatalogue | None, at: Place
) -> PluginChoice | None:
    reference = row.get(field_name, "")
    texts = {k.removeprefix("option."): v for k, v in row.items() if k.startswith("option.")}
    if not reference or catalogue is None:
        return PluginChoice(reference, dict(texts)) if reference else None
    plugin = at.read(lambda: catalogue.find(reference))
    if plugin is None:
        return None
    if plugin.kind is not kind:
        at.note(f"{plugin.class_name} is a {plugin.kind}, not a {kind}.")
        return None
    options: dict[str, TOptionValue] = {}
    is_valid = True
    for option in plugin.options:
        text = texts.get(option.name, "")
        at_option = at.beside(f"option.{option.name}")
        if text.strip():
            value = at_option.read(lambda o=option, t=text: parse_option(o, t))  # type: ignore[misc]  # as above
            is_valid = is_valid and value is not None
            options[option.name] = value
        elif option.is_required:
            at_option.note(f"{plugin.class_name} needs a value for {option.name}.")
            is_valid = False
    for name in texts.keys() - {option.name for option in plugin.options}:
        field_name = f"option.{name}"
        message = f"{plugin.class_name} has no option {name}."
        at.beside(field_name).note(message, ("Remove it", {field_name: ""}))
        is_valid = False
    return PluginChoice(reference, options) if is_valid else None
