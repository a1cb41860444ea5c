"""What the filter of the table of trials can ask for."""

from collections.abc import Callable

from axdesk.core.parameters import ParameterConfig
from axdesk.core.trial import Trial, TrialSource
from axdesk.gui.models.filter_fields import FieldKind, FieldValue, FilterField
from axdesk.gui.models.formatting import parameter_value
from axdesk.gui.models.run_facts import SOURCE_WORDS, status_key
from axdesk.gui.models.trial_cells import TrialCells, files, note_text
from axdesk.gui.theme import STATUS_LOOKS

_FLAGS = ("best", "excluded", "limit_not_met")
_STATUS_WORDS = {key: look.word for key, look in STATUS_LOOKS.items() if key not in _FLAGS}
_STORED_WORDS = ("Candidate", "Staged", "Completed", "Early stopped")
"""What the API calls statuses that the window calls otherwise."""
_ALL_SOURCES = tuple(
    {
        w.casefold(): w
        for w in (*SOURCE_WORDS.values(), *(s.value.capitalize() for s in TrialSource))
    }.values()
)
_ALL_STATUSES = (*dict.fromkeys(_STATUS_WORDS.values()), *_STORED_WORDS)


def trial_fields(cells: TrialCells) -> tuple[FilterField, ...]:
    """Return the fields of the experiment that `cells` shows; their values follow its facts."""
    kind = FieldKind
    fields = [
        FilterField("#", kind.WHOLE, lambda t: float(t.index), aliases=("trial", "index")),
        FilterField("status", kind.WORDS, lambda t: _statuses(cells, t), words=_ALL_STATUSES),
        FilterField("source", kind.WORDS, _sources, words=_ALL_SOURCES),
        FilterField("is", kind.WORDS, lambda t: _flags(cells, t),
                    words=("Best", "Excluded", *_ALL_STATUSES)),
        FilterField("duration", kind.SECONDS, cells.seconds),
        FilterField("tries", kind.WHOLE, cells.tries),
        FilterField("files", kind.WHOLE, files),
        FilterField("note", kind.TEXT, lambda t: note_text(t) or None),
    ]  # fmt: skip
    setup = cells.facts.setup
    if setup is not None:
        optimization = setup.optimization
        if optimization.outcome_constraints:
            fields.append(FilterField("limits", kind.WORDS, lambda t: _limits(cells, t),
                                      words=("Met", "Not met")))  # fmt: skip
        fields += [_parameter_field(p, cells) for p in setup.search_space.parameters]
        fields += [_metric_field(name, optimization.unit_of(name), cells)
                   for name in optimization.metric_names]  # fmt: skip
        objectives = optimization.objectives
        if len(objectives) == 1 and len(objectives[0].metric_names) == 1:
            first = objectives[0].metric_names[0]
            fields.append(FilterField("sem", kind.NUMBER, _sem_of(first),
                                      optimization.unit_of(first)))  # fmt: skip
    return (*fields, _has(fields))


def _has(fields: list[FilterField]) -> FilterField:
    """What asks whether there is anything in another field."""

    def filled(trial: Trial) -> frozenset[str]:
        return frozenset(f.name.casefold() for f in fields if f.value(trial) is not None)

    return FilterField("has", FieldKind.WORDS, filled, words=tuple(f.name for f in fields))


def _statuses(cells: TrialCells, trial: Trial) -> frozenset[str]:
    word = STATUS_LOOKS[status_key(trial, cells.facts)].word
    stored = trial.status.value
    usual = STATUS_LOOKS[stored].word
    return frozenset(said.casefold() for said in (word, usual, stored.replace("_", " ")))


def _flags(cells: TrialCells, trial: Trial) -> frozenset[str]:
    best = ("best",) if trial.index in cells.facts.starred else ()
    excluded = ("excluded",) if trial.is_excluded else ()
    return _statuses(cells, trial).union(best, excluded)


def _sources(trial: Trial) -> frozenset[str]:
    source = trial.generation.source
    return frozenset((SOURCE_WORDS[source].casefold(), source.value))


def _limits(cells: TrialCells, trial: Trial) -> FieldValue:
    broken = cells.broken(trial)
    if broken is None:
        return None
    return frozenset(("not met",) if broken else ("met",))


def _parameter_field(parameter: ParameterConfig, cells: TrialCells) -> FilterField:
    name = parameter.name
    decimals = cells.decimals(f"parameter:{name}")
    is_text = getattr(parameter, "parameter_type", "float") in ("str", "bool")
    offered = getattr(parameter, "values", ()) if is_text else ()

    def value(trial: Trial) -> FieldValue:
        found = trial.parameters.get(name)
        if found is None:
            return None
        return parameter_value(found, decimals) if is_text else _numeric(found)

    return FilterField(
        name, FieldKind.TEXT if is_text else FieldKind.NUMBER, value, parameter.unit, decimals,
        tuple(parameter_value(v, None) for v in offered), is_own=True,
    )  # fmt: skip


def _numeric(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]  # just looked at


def _metric_field(name: str, unit: str, cells: TrialCells) -> FilterField:
    def value(trial: Trial) -> float | None:
        observation = trial.latest(name)
        return None if observation is None else observation.mean

    decimals = cells.decimals(f"metric:{name}")
    return FilterField(name, FieldKind.NUMBER, value, unit, decimals, is_own=True,
                       sem=_sem_of(name))  # fmt: skip


def _sem_of(metric: str) -> Callable[[Trial], float | None]:
    def sem(trial: Trial) -> float | None:
        observation = trial.latest(metric)
        return None if observation is None else observation.sem

    return sem
