"""Drafts: from the text of cells to a set-up, or to problems that say where they are."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from axdesk.core.constraints import OutcomeConstraint, ParameterConstraint
from axdesk.core.draft_cells import (
    FIELDS,
    Problem,
    Problems,
    Row,
    Section,
    choice_text,
    dependents_text,
    number_text,
    parse_number,
    parse_percent,
    parse_whole,
    percent_text,
    split_choices,
    split_dependents,
    unquoted,
    value_text,
)
from axdesk.core.drafts import Draft, draft_of
from axdesk.core.errors import UserInputError
from axdesk.core.expressions import LinearExpression
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import (
    ChoiceParameterConfig,
    DerivedParameterConfig,
    RangeParameterConfig,
    TParameterValue,
)
from axdesk.core.plugins import (
    OptionDescription,
    PluginCatalogue,
    PluginChoice,
    PluginDescription,
    PluginFile,
    PluginKind,
    TOptionValue,
)
from axdesk.core.run import CallDeadlines, OrchestrationConfig, RunSettings
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup, GenerationSettings
from tests.strategies import labels, setups, texts

P, O, C = Section.PARAMETERS, Section.OBJECTIVES, Section.CONSTRAINTS  # noqa: E741  # as sections
SETUP = ExperimentSetup(
    name="Coupling",
    search_space=SearchSpace(
        (
            RangeParameterConfig("Time", (0.5, 10), scaling="log", unit="min", start_value=2),
            RangeParameterConfig("N", (1, 5), "int"),
            ChoiceParameterConfig("Solvent", ["water", "ethanol", "DMSO"], start_value="DMSO"),
            ChoiceParameterConfig("pH", [7.4], "float"),
        ),
        (ParameterConstraint.parse("Time + 2*N <= 14"),),
    ),
    optimization=OptimizationConfig(
        Objective.parse("0.75*`Yield (%)` - cost"),
        (
            OutcomeConstraint.parse("cost <= 3"),
            OutcomeConstraint.parse("impurity <= 2"),
            OutcomeConstraint.parse("2*impurity + cost <= 6"),
        ),
        ("pressure",),
        (("Yield (%)", "%"), ("pressure", "bar")),
    ),
    owner="Ada",
    generation=GenerationSettings(initialization_budget=7, seed=2**70 + 1),
    runner=PluginChoice("lab.py:Pump", {"port": "COM3", "speed": 0.5}),
    metrics=tuple(
        (name, PluginChoice("lab.py:Reading", {"channel": channel}))
        for channel, name in enumerate(("Yield (%)", "cost", "impurity", "pressure"))
    ),
    run=RunSettings(
        max_trials=17,
        tolerated_trial_failure_rate=0.07,
        orchestration=OrchestrationConfig(
            call_deadlines=CallDeadlines(None, 1.5, None, 7), generation_time_limit=None
        ),
    ),
)
CATALOGUE = PluginCatalogue(
    "/lab",
    (
        PluginFile("broken.py", "00", error="SyntaxError in line 3"),
        PluginFile(
            "lab.py",
            "11",
            (
                PluginDescription(
                    "lab.py:Pump",
                    PluginKind.RUNNER,
                    options=(
                        OptionDescription("port", "str", is_required=True),
                        OptionDescription("speed", "float", default=1.0),
                        OptionDescription("heated", "bool", default=False),
                        OptionDescription("mode", "choice", choices=("fast", 2)),
                    ),
                ),
                PluginDescription(
                    "lab.py:Reading",
                    PluginKind.METRIC,
                    options=(OptionDescription("channel", "int", is_required=True),),
                ),
            ),
        ),
    ),
)
DRAFT = draft_of(SETUP)


def problems(draft: Draft, catalogue: PluginCatalogue | None = CATALOGUE) -> tuple[Problem, ...]:
    answer = draft.checked(catalogue)
    assert isinstance(answer, Problems)
    return answer.items


def with_cells(section: Section, row: int, cells: Mapping[str, str]) -> Draft:
    draft = DRAFT
    for field, text in cells.items():
        draft = draft.with_cell(section, row, field, text)
    return draft


# ---- there and back ------------------------------------------------------------------------------


def test_a_set_up_is_its_drafts_set_up() -> None:
    assert DRAFT.checked(CATALOGUE) == SETUP


def test_the_cells_say_what_a_person_would_type() -> None:
    time, n, solvent, ph = DRAFT.parameters

    assert time == {
        "on": "yes", "name": "Time", "unit": "min", "kind": "decimal", "low": "0.5", "high": "10",
        "scale": "log", "start": "2",
    }  # fmt: skip
    assert n == {"on": "yes", "name": "N", "kind": "whole", "low": "1", "high": "5"}
    assert solvent == {
        "on": "yes", "name": "Solvent", "kind": "choice", "choices": "water; ethanol; DMSO",
        "start": "DMSO",
    }  # fmt: skip
    assert ph == {"on": "yes", "name": "pH", "kind": "fixed", "start": "7.4"}
    assert [row["goal"] for row in DRAFT.objectives] == ["maximise", "minimise", "limit", "record"]
    assert [row.get("weight") for row in DRAFT.objectives] == ["0.75", "1", None, None]
    assert [row.get("limit") for row in DRAFT.objectives] == [None, "3", "2", None]
    assert [row["expression"] for row in DRAFT.constraints] == [
        "Time + 2*N <= 14",
        "cost + 2*impurity <= 6".replace("cost + 2*impurity", "2*impurity + cost"),
    ]
    assert DRAFT.run["tolerated_failure_percent"] == "7"
    assert "run_deadline" not in DRAFT.run


def _described(choice: PluginChoice, kind: PluginKind) -> PluginDescription:
    kinds: dict[type, Any] = {bool: "bool", int: "int", float: "float", str: "str"}
    return PluginDescription(
        choice.reference,
        kind,
        options=tuple(
            OptionDescription(name, kinds[type(value)]) for name, value in choice.options.items()
        ),
    )


def _as_typed(setup: ExperimentSetup) -> tuple[ExperimentSetup, PluginCatalogue]:
    """Give every metric and the runner a plugin class of its own, with options that fit cells."""

    def fitting(choice: PluginChoice | None, class_name: str) -> PluginChoice:
        options: dict[str, TOptionValue] = {} if choice is None else dict(choice.options)
        kept = {
            name: value.strip() if isinstance(value, str) else value
            for name, value in options.items()
            if value is not None and str(value).strip()
        }
        return PluginChoice(f"lab.py:{class_name}", kept)

    given = dict(setup.metrics)
    metrics = {
        name: fitting(given.get(name), f"Metric{i}")
        for i, name in enumerate(setup.optimization.metric_names)
    }
    runner = fitting(setup.runner, "Runner")
    optimization = setup.optimization
    known = [u for u in optimization.units if u[0] in metrics]
    plugins = [_described(runner, PluginKind.RUNNER)]
    plugins += [_described(choice, PluginKind.METRIC) for choice in metrics.values()]
    return (
        replace(
            setup,
            runner=runner,
            metrics=tuple(metrics.items()),
            optimization=replace(optimization, units=tuple(known)),
        ),
        PluginCatalogue("/lab", (PluginFile("lab.py", "11", tuple(plugins)),)),
    )


@given(setups())
def test_any_set_up_is_its_drafts_set_up(made: ExperimentSetup) -> None:
    setup, catalogue = _as_typed(made)
    # In one table of constraints a name can mean only one of the two.
    assume(not set(setup.search_space.names) & set(setup.optimization.metric_names))

    checked = draft_of(setup).checked(catalogue)

    assert checked == setup
    assert isinstance(checked, ExperimentSetup)
    # 1 == 1.0 == True: the types count too, for they are what the runner gets.
    for ours, theirs in zip(
        checked.search_space.parameters, setup.search_space.parameters, strict=True
    ):
        assert ours.parameter_type == theirs.parameter_type
    assert draft_of(checked) == draft_of(setup)


@given(setups())
def test_without_a_catalogue_options_stay_as_their_texts(made: ExperimentSetup) -> None:
    setup, _ = _as_typed(made)
    assume(not set(setup.search_space.names) & set(setup.optimization.metric_names))

    checked = draft_of(setup).checked()

    def as_text(choice: PluginChoice | None) -> Mapping[str, str]:
        return {} if choice is None else {k: value_text(v) for k, v in choice.options.items()}

    assert isinstance(checked, ExperimentSetup)
    assert as_text(checked.runner) == as_text(setup.runner)
    assert replace(checked, runner=None, metrics=()) == replace(setup, runner=None, metrics=())


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([True, False], "bool"),
        (["1", "2", "3"], "str"),
        ([1.0, 2.0], "float"),
        ([1, 2], "int"),
        (["yes", "no"], "str"),
        (["a; b", 'say "hi"', '"', " edge ", ""], "str"),
        ([2**60 + 1, 2**60], "int"),
        ([True], "bool"),
        ([""], "str"),
        (["3"], "str"),
    ],
)
@pytest.mark.parametrize("is_ordered", [None, True, False])
def test_choices_keep_their_type_and_order(
    values: list[TParameterValue], kind: Any, is_ordered: bool | None
) -> None:
    parameter = ChoiceParameterConfig("x", values, kind, is_ordered, start_value=values[0])
    setup = replace(SETUP, search_space=SearchSpace((parameter,)))

    checked = draft_of(setup).checked(CATALOGUE)

    assert isinstance(checked, ExperimentSetup)
    found = checked.search_space.parameters[0]
    assert isinstance(found, ChoiceParameterConfig)
    assert found == parameter
    assert [type(v) for v in found.values] == [type(v) for v in parameter.values]


def test_a_metric_that_is_only_fetched_gets_a_row() -> None:
    setup = replace(SETUP, metrics=(*SETUP.metrics, ("extra", PluginChoice("lab.py:Reading", {}))))

    rows = draft_of(setup).objectives

    assert rows[-1] == {"name": "extra", "goal": "record", "metric": "lab.py:Reading"}


# ---- text is kept --------------------------------------------------------------------------------


@given(st.data())
def test_the_text_of_a_cell_is_kept_as_typed(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(Section))
    row = data.draw(st.integers(0, len(DRAFT.rows(section)) - 1))
    field = data.draw(st.sampled_from(FIELDS[section]))
    text = data.draw(texts)

    draft = DRAFT.with_cell(section, row, field, text)

    assert draft.rows(section)[row].get(field, "") == text
    assert draft.with_cell(section, row, field, DRAFT.rows(section)[row].get(field, "")) == DRAFT
    for other in Section:
        if other is not section:
            assert draft.rows(other) == DRAFT.rows(other)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0,5", 0.5), ("0.5", 0.5), (" 5 ", 5.0), ("−3", -3.0), ("1e-3", 1e-3), (",5", 0.5),
     ("+2.", 2.0), ("1E6", 1e6), ("007", 7.0), ("-0", 0.0)],
)  # fmt: skip
def test_numbers_are_read_with_point_or_comma(text: str, expected: float) -> None:
    assert parse_number(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A number is missing."), ("  ", "A number is missing."),
        ("inf", "“inf” is no number."), ("nan", "“nan” is no number."),
        ("1.234,5", "“1.234,5” is no number."), ("1,234.5", "is no number."),
        ("1 000", "is no number."), ("1_000", "is no number."), ("0x10", "is no number."),
        ("1e", "is no number."), ("--1", "is no number."), ("5 min", "“5 min” is no number."),
        ("1e999", "“1e999” is too large."), ("-1e999", "is too large."), ("9" * 5000, "too large"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_said(text: str, message: str) -> None:
    for read in (parse_number, parse_whole, parse_percent):
        with pytest.raises(UserInputError, match=message):
            read(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [(str(2**70 + 1), 2**70 + 1), ("2,0", 2), ("1e3", 1000), ("−4", -4), ("0" * 5000 + "7", 7)],
)
def test_whole_numbers_are_read_exactly(text: str, expected: int) -> None:
    assert parse_whole(text) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_written_number_is_read_back(value: float) -> None:
    assert parse_number(number_text(value)) == value


@given(st.floats(0, 1, exclude_max=True))
def test_a_percentage_is_read_back_as_the_same_share(share: float) -> None:
    assert parse_percent(percent_text(share)) == share


@given(st.lists(texts, max_size=4))
def test_written_choices_are_read_back(values: list[str]) -> None:
    assert split_choices("; ".join(map(choice_text, values))) == tuple(values)
    assert [unquoted(choice_text(value)) for value in values] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [("a;b", ("a", "b")), (" a ;; b; ", ("a", "b")), ("0,5; 1", ("0,5", "1")), ("", ()), (";", ()),
     ('"a; b"; c', ("a; b", "c")), ('5" pipe; 3" pipe', ('5" pipe', '3" pipe')),
     ('"a" b; c', ('"a" b', "c"))],
)  # fmt: skip
def test_choices_are_split_at_semicolons(text: str, values: tuple[str, ...]) -> None:
    assert split_choices(text) == values


# ---- problems, each at its cell ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "row", "cells", "field", "message"),
    [
        (Section.GENERAL, 0, {"name": ""}, "name", "The experiment needs a name."),
        (P, 0, {"name": ""}, "name", "Needs a name."),
        (P, 0, {"name": "a`b"}, "name", "holds a backtick"),
        (P, 1, {"name": "Time"}, "name", "Another parameter is called Time."),
        (P, 0, {"low": ""}, "low", "Enter the lowest value that may be tried."),
        (P, 0, {"high": " "}, "high", "Enter the highest value that may be tried."),
        (P, 0, {"low": "abc"}, "low", "“abc” is no number. Enter one such as 0.5, 0,5 or 1e-3."),
        (P, 0, {"high": "inf"}, "high", "“inf” is no number."),
        (P, 0, {"high": "1e999"}, "high", "“1e999” is too large."),
        (P, 0, {"low": "10"}, "low", "Low must be below High."),
        (P, 0, {"low": "11"}, "low", "Low must be below High."),
        (P, 0, {"low": "0"}, "low", "A logarithmic scale cannot start at 0."),
        (P, 0, {"start": "11"}, "start", "The start value lies outside 0.5 … 10."),
        (P, 0, {"start": "soon"}, "start", "“soon” is no number."),
        (P, 0, {"low": "", "start": "soon"}, "start", "“soon” is no number."),
        (P, 1, {"low": "x", "step": "1.5"}, "step", "“1.5” is no whole number."),
        (P, 0, {"kind": "colour"}, "kind", "“colour” is no type; choose decimal, whole,"),
        (P, 1, {"low": "1.5"}, "low", "“1.5” is no whole number. Or choose the type decimal."),
        (P, 1, {"start": "2,5"}, "start", "“2,5” is no whole number."),
        (P, 2, {"choices": "water"}, "choices", "Enter at least two choices, separated by “;”."),
        (P, 2, {"choices": "a; b; a", "start": ""}, "choices", "The list has the value a twice."),
        (P, 2, {"start": "hexane"}, "start", "“hexane” is not among the choices water, ethanol"),
        (P, 2, {"value_type": "float"}, "choices", "“water” is no number."),
        (P, 3, {"start": ""}, "start", "Enter the value that it keeps."),
        (P, 0, {"step": "0"}, "step", "The step must be above 0 and at most 9.5, the distance"),
        (P, 0, {"step": "small"}, "step", "“small” is no number."),
        (P, 0, {"step": "1e-17"}, "step", "The step 1e-17 is too small to be told apart"),
        (P, 0, {"step": "0.4"}, "start", "The value 2.0 lies between two steps; the nearest"),
        (P, 1, {"step": "1.5"}, "step", "“1.5” is no whole number."),
        (P, 1, {"kind": "derived"}, "expression", "Enter what it is computed by, such as"),
        (P, 1, {"kind": "derived", "expression": "2*"}, "expression", "not understood here."),
        (P, 2, {"dependents": "water"}, "dependents", "“water” is not understood. Write such as"),
        (P, 2, {"dependents": "wine: N"}, "dependents", "“wine” is not among the choices water,"),
        (P, 2, {"dependents": 'water: "N'}, "dependents", "A quotation mark has no partner."),
        (O, 0, {"name": " "}, "name", "Needs a name."),
        (O, 1, {"name": "Yield (%)"}, "name", "Another row is called Yield (%)."),
        (O, 0, {"goal": ""}, "goal", "Choose a goal: maximise, minimise, match target, limit,"),
        (O, 0, {"goal": "win"}, "goal", "“win” is no goal."),
        (O, 0, {"weight": "0"}, "weight", "A weight must be above 0; the goal says the direction."),
        (O, 0, {"weight": "x"}, "weight", "“x” is no number."),
        (O, 2, {"limit": ""}, "limit", "Enter the limit that must be kept."),
        (O, 2, {"limit": "few"}, "limit", "“few” is no number."),
        (O, 2, {"limit_kind": ""}, "limit_kind", "Choose ≥ or ≤."),
        (O, 3, {"limit": "3"}, "limit", "A value that is only recorded has no limit"),
        (O, 0, {"metric": ""}, "metric", "Choose what fetches Yield (%)."),
        (O, 0, {"metric": "lab.py:Gone"}, "metric", "The plugin 'lab.py:Gone' is not in /lab."),
        (O, 0, {"metric": "lab.py:Pump"}, "metric", "Pump is a runner, not a metric."),
        (O, 0, {"option.channel": ""}, "option.channel", "Reading needs a value for channel."),
        (O, 0, {"option.channel": "1.5"}, "option.channel", "“1.5” is no whole number."),
        (C, 0, {"expression": ""}, "expression", "Enter a constraint such as a + b <= 80"),
        (C, 0, {"expression": "Time"}, "expression", "A comparison with <=, >= or = is needed."),
        (C, 0, {"expression": "Time <= x"}, "expression", "“x” is neither a parameter"),
        (C, 0, {"expression": "Solvent <= 1"}, "expression", "of Solvent are no numbers"),
        (C, 0, {"expression": "Time*N <= 1"}, "expression", "The product of two names"),
        (Section.RUNNER, 0, {"reference": ""}, "reference", "Choose the runner"),
        (Section.RUNNER, 0, {"reference": "broken.py:X"}, "reference", "SyntaxError in line 3"),
        (Section.RUNNER, 0, {"reference": "lab.py:Reading"}, "reference", "is a metric, not a run"),
        (Section.RUNNER, 0, {"option.port": ""}, "option.port", "Pump needs a value for port."),
        (Section.RUNNER, 0, {"option.speed": "quick"}, "option.speed", "“quick” is no number."),
        (Section.RUNNER, 0, {"option.heated": "warm"}, "option.heated", "neither yes nor no."),
        (Section.RUNNER, 0, {"option.mode": "slow"}, "option.mode", "“slow” is not among fast, 2."),
        (Section.RUN, 0, {"max_trials": "0"}, "max_trials", "Enter a whole number of at least 1."),
        (Section.RUN, 0, {"max_trials": "2.5"}, "max_trials", "“2.5” is no whole number."),
        (Section.RUN, 0, {"parallelism": ""}, "parallelism", "A number is missing."),
        (Section.RUN, 0, {"parallelism": "many"}, "parallelism",
         "“many” is no number. Enter a whole one such as 3."),
        (Section.RUN, 0, {"seed": "-1"}, "seed", "Enter a whole number of at least 0."),
        (Section.RUN, 0, {"tolerated_failure_percent": "100"}, "tolerated_failure_percent",
         "Enter 0 up to, not including, 100."),
        (Section.RUN, 0, {"seconds_between_polls": "0"}, "seconds_between_polls", "above 0, such"),
        (Section.RUN, 0, {"seconds_between_launches": "-1"}, "seconds_between_launches",
         "“-1” is no possible duration."),
        (Section.RUN, 0, {"trial_time_limit": "0"}, "trial_time_limit",
         "Enter a duration above 0, or nothing for no limit, such as 90 s or 5 min."),
        (Section.RUN, 0, {"run_deadline": "never"}, "run_deadline", "“never” is no duration."),
        (Section.RUN, 0, {"early_percentile": "100"}, "early_percentile", "below 100."),
        (Section.RUN, 0, {"early_threshold": "low"}, "early_threshold", "“low” is no number."),
        (Section.RUN, 0, {"early_percentile": "50", "early_max_progression": "9"},
         "early_max_progression", "Enter at least 10, where judging begins."),
        (Section.RUN, 0, {"early_min_curves": "0"}, "early_min_curves", "at least 1."),
        (Section.RUN, 0, {"global_improvement_percent": "-1"}, "global_improvement_percent",
         "Enter a percentage of at least 0."),
        (Section.RUN, 0, {"global_stagnation": "0"}, "global_stagnation", "at least 1."),
        (Section.RUN, 0, {"on_error": "§"}, "on_error", "“§” is not among continue, pause, stop."),
        (Section.RUN, 0, {"start_at_center": "maybe"}, "start_at_center", "among yes, no."),
        (Section.RUN, 0, {"count_existing_trials": "1"}, "count_existing_trials", "among yes, no."),
        (Section.RUN, 0, {"method": "guess"}, "method", "“guess” is not among fast, "),
        (Section.RUN, 0, {"uncertain_deployment": "hope"}, "uncertain_deployment",
         "“hope” is not among ask, abandon, redeploy."),
    ],
)  # fmt: skip
def test_a_problem_stands_at_its_cell(
    section: Section, row: int, cells: dict[str, str], field: str, message: str
) -> None:
    found = problems(with_cells(section, row, cells))

    at_place = [p for p in found if (p.section, p.row, p.field) == (section, row, field)]
    assert len(at_place) == 1, found
    assert message in at_place[0].message
    assert Problems(found).of(section)


def test_a_single_wrong_cell_is_a_single_problem() -> None:
    found = problems(DRAFT.with_cell(P, 0, "low", "11"))

    assert len(found) == 1


@pytest.mark.parametrize(
    ("row", "cells", "remedies"),
    [
        (
            0,
            {"low": "0", "high": "5"},
            (("Use 0.05", {"low": "0.05"}), ("Switch to linear", {"scale": ""})),
        ),
        (0, {"low": "-5", "high": "0"}, (("Switch to linear", {"scale": ""}),)),
        (
            1,
            {"low": "0", "scale": "log"},
            (("Use 1", {"low": "1"}), ("Switch to linear", {"scale": ""})),
        ),
        (0, {"low": "11", "high": "10"}, (("Swap them", {"low": "10", "high": "11"}),)),
        (0, {"low": "10", "high": "10"}, ()),
    ],
)
def test_a_problem_offers_remedies_that_work(
    row: int, cells: dict[str, str], remedies: tuple[tuple[str, Row], ...]
) -> None:
    draft = with_cells(P, row, cells).with_cell(P, row, "start", "")

    (problem,) = problems(draft)

    assert problem.remedies == remedies
    for _, texts_to_enter in remedies:
        mended = draft
        for field, text in texts_to_enter.items():
            mended = mended.with_cell(P, row, field, text)
        assert isinstance(mended.checked(CATALOGUE), ExperimentSetup)


def test_the_suggestion_of_a_log_scale_is_a_round_number() -> None:
    (problem,) = problems(with_cells(P, 0, {"low": "0", "high": "7", "start": ""}))

    assert problem.message == (
        "A logarithmic scale cannot start at 0. Enter a value above 0, such as 0.07."
    )


@pytest.mark.parametrize(
    ("section", "rows", "message"),
    [
        (P, [], "Add at least one parameter."),
        (P, [{**row, "on": "no"} for row in DRAFT.parameters], "Switch at least one parameter on."),
        (O, [], "Say what to optimise: give one row the goal maximise, minimise or match target."),
        (O, [{**row, "goal": "record"} for row in DRAFT.objectives], "Say what to optimise"),
    ],
)
def test_an_empty_table_is_a_problem_of_its_section(
    section: Section, rows: list[Row], message: str
) -> None:
    found = problems(DRAFT.with_rows(section, rows))

    assert [p for p in found if (p.row, p.field) == (None, "") and message in p.message]


def test_problems_come_in_the_order_of_the_sections() -> None:
    draft = Draft(run={"max_trials": "x"}, parameters=({}, {"name": "a", "low": "1"}))

    found = problems(draft)

    order = list(Section)
    places = [(order.index(p.section), -1 if p.row is None else p.row) for p in found]
    assert places == sorted(places)
    assert {p.section for p in found} == {*Section} - {C}


def test_a_row_that_is_off_is_kept_and_left_out() -> None:
    draft = (
        DRAFT.with_cell(P, 1, "on", "no")
        .with_cell(P, 1, "low", "not yet known")
        .with_rows(C, DRAFT.constraints[1:])
    )

    checked = draft.checked(CATALOGUE)

    assert isinstance(checked, ExperimentSetup)
    assert checked.search_space.names == ("Time", "Solvent", "pH")
    assert draft.parameters[1]["low"] == "not yet known"


def test_a_row_that_is_off_keeps_its_start_value() -> None:
    draft = with_cells(P, 1, {"on": "no", "start": "3"}).with_cell(P, 2, "on", "no")

    checked = draft.checked(CATALOGUE)

    assert isinstance(checked, ExperimentSetup)
    assert [p.is_on for p in checked.search_space.tunable] == [True, False, False, True]
    assert [p.fixed_value for p in checked.search_space.tunable[1:3]] == [3, "DMSO"]
    assert draft_of(checked).checked(CATALOGUE) == checked


def test_steps_derived_and_dependent_parameters_are_read_from_their_cells() -> None:
    derived = {"name": "Rest", "kind": "derived", "expression": "20 - N", "value_type": "int"}
    draft = with_cells(P, 0, {"low": "0,5", "step": "0,25", "scale": ""}).with_cell(
        P, 2, "dependents", 'water:"pH" ; DMSO : pH;'
    )
    draft = draft.with_rows(P, [*draft.parameters, derived])

    checked = draft.checked(CATALOGUE)

    assert isinstance(checked, ExperimentSetup)
    time, _, solvent, _, rest = checked.search_space.parameters
    assert isinstance(time, RangeParameterConfig)
    assert time.step_size == 0.25
    assert isinstance(solvent, ChoiceParameterConfig)
    assert solvent.dependent_parameters == {"water": ("pH",), "DMSO": ("pH",)}
    assert rest == DerivedParameterConfig("Rest", "20 - N", "int")


@pytest.mark.parametrize(
    ("cells", "row", "field", "message"),
    [
        (
            {"name": "d", "kind": "derived", "expression": "2*x"},
            4,
            "expression",
            "names 'x', which is",
        ),
        ({"name": "d", "kind": "derived", "expression": "Solvent"}, 4, "expression", "no numbers"),
        (
            {"name": "c", "kind": "choice", "choices": "a;b", "dependents": "a: d"},
            4,
            "dependents",
            "'c' names 'd' as depending on it, which is no parameter that is searched.",
        ),
        (
            {"name": "c", "kind": "choice", "choices": "a;b", "dependents": "a: N"},
            None,
            "expression",
            "The constraint Time + 2*N <= 14 names 'N', which exists only at some values of 'c'.",
        ),
    ],
)
def test_what_does_not_go_together_stands_at_its_cell(
    cells: Row, row: int | None, field: str, message: str
) -> None:
    (problem,) = problems(DRAFT.with_rows(P, [*DRAFT.parameters, cells]))

    assert message in problem.message
    assert (problem.field, problem.row) == (field, row if row is not None else 0)


@given(st.dictionaries(texts, st.lists(texts.filter(bool), min_size=1, max_size=3), max_size=3))
def test_dependents_are_read_as_they_are_written(given_names: dict[Any, list[str]]) -> None:
    text = dependents_text(given_names)

    assert dict(split_dependents(text)) == {v: tuple(n) for v, n in given_names.items()}


def test_a_constraint_on_a_parameter_that_is_off_is_said() -> None:
    (problem,) = problems(DRAFT.with_cell(P, 1, "on", "no"))

    assert (problem.section, problem.row, problem.field) == (C, 0, "expression")
    assert problem.message == "“N” is neither a parameter that is on nor a metric."


def test_a_name_that_is_a_parameter_and_a_metric_is_not_guessed() -> None:
    draft = DRAFT.with_cell(O, 1, "name", "Time")

    messages = [p.message for p in problems(draft)]

    assert "Time is a parameter and a metric; give one of them another name." in messages


def test_typed_texts_are_understood() -> None:
    draft = with_cells(P, 0, {"low": " 0,25", "high": "1e1 ", "start": ""})
    draft = draft.with_cell(P, 2, "choices", "0,5;1;2").with_cell(P, 2, "start", "0.50")
    draft = draft.with_cell(C, 0, "expression", "1·Time + 2·N ≤ 14")
    draft = draft.with_cell(Section.RUN, 0, "tolerated_failure_percent", "12,5")

    checked = draft.checked(CATALOGUE)

    assert isinstance(checked, ExperimentSetup)
    time, _, solvent, _ = checked.search_space.parameters
    assert isinstance(time, RangeParameterConfig)
    assert time.bounds == (0.25, 10.0)
    assert isinstance(solvent, ChoiceParameterConfig)
    assert (solvent.values, solvent.start_value) == ((0.5, 1.0, 2.0), 0.5)
    assert checked.search_space.constraints == SETUP.search_space.constraints
    assert checked.run.tolerated_trial_failure_rate == 0.125


# ---- nothing that is typed is a defect -----------------------------------------------------------

NASTY = st.sampled_from(
    ["", " ", "0", "-1", "1", "10", "0,5", "inf", "nan", "1e999", "1e308", "5e-324", "9" * 5000,
     "0" * 5000, "1" + "0" * 300, "٣", "²", "yes", "no", "log", "linear", "choice", "fixed",
     "whole", "decimal", "maximise", "minimise", "limit", "record", "<=", ">=", "a", "b", "Time",
     "N", "Time <= 3", "a <= 1e999", "`", '"', ";", "a;b", '"a;', "lab.py:Pump", "lab.py:Reading",
     "lab.py:", ":", "broken.py:X", "a" * 300 + " <= 3", "(" * 300, "-" * 2000 + "a <= 1", "\x00",
     "\ud800", "a#b <= 3", "bool", "int", "float", "str", "1;2", "fast", "ask", "drain"]
)  # fmt: skip
CELLS = NASTY | texts


@given(st.data())
def test_any_text_in_any_cell_gives_a_set_up_or_problems(data: st.DataObject) -> None:
    draft = data.draw(st.sampled_from([DRAFT, Draft()]))
    for section in Section:
        fields = [*FIELDS[section], "option.port", "option.channel", "option.mode", "option.x"]
        row = st.dictionaries(st.sampled_from(fields), CELLS, max_size=len(fields))
        if section in (P, O, C):
            extra = data.draw(st.lists(row, max_size=3))
            changed = [{**known, **data.draw(row)} for known in draft.rows(section)]
            draft = draft.with_rows(section, [*changed, *extra])
        else:
            draft = draft.with_rows(section, [{**draft.rows(section)[0], **data.draw(row)}])

    for catalogue in (None, CATALOGUE):
        answer = draft.checked(catalogue)

        if isinstance(answer, Problems):
            assert answer.items
            for problem in answer.items:
                assert problem.message
                assert len(problem.remedies) <= 2
                assert problem.row is None or problem.row < len(draft.rows(problem.section))
        else:
            assert draft_of(answer).checked(catalogue) == answer


@given(st.data())
def test_one_wrong_text_in_a_good_draft_is_no_defect(data: st.DataObject) -> None:
    section = data.draw(st.sampled_from(Section))
    row = data.draw(st.integers(0, len(DRAFT.rows(section)) - 1))
    field = data.draw(st.sampled_from([*FIELDS[section], "option.port", "option.channel"]))

    answer = DRAFT.with_cell(section, row, field, data.draw(CELLS)).checked(CATALOGUE)

    if isinstance(answer, ExperimentSetup):
        assert draft_of(answer).checked(CATALOGUE) == answer
    else:
        assert answer.items


@given(st.lists(labels, min_size=1, max_size=3, unique=True), st.data())
def test_several_weighted_metrics_and_limits_keep_their_order(
    names: list[str], data: st.DataObject
) -> None:
    assume(not set(names) & set(SETUP.search_space.names))
    weights = [data.draw(st.sampled_from([1.0, -1.0, 0.1, -2.5])) for _ in names]
    bounds = data.draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from([1.0, -1, 3]))))
    limits = tuple(OutcomeConstraint(((n, c),), "<=", i) for i, (n, c) in enumerate(bounds))
    setup = replace(
        SETUP,
        optimization=OptimizationConfig(
            Objective(LinearExpression(tuple(zip(names, weights, strict=True)))), limits
        ),
        metrics=tuple((n, PluginChoice("lab.py:Reading", {"channel": 1})) for n in names),
    )

    assert draft_of(setup).checked(CATALOGUE) == setup


def test_text_that_nothing_can_store_is_kept_in_words() -> None:
    """Half of an emoji, as a clipboard may hold it."""
    draft = Draft().with_cell(Section.GENERAL, 0, "name", "flow \ud83d")

    assert draft.general == {"name": "flow \\ud83d"}
