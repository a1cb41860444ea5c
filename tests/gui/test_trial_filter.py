"""The filter's language: what it finds, what it refuses and where, and how words go on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from axdesk.core.errors import ExpressionError
from axdesk.core.experiment import Experiment
from axdesk.core.parameters import RangeParameterConfig
from axdesk.core.trial import Observation, TrialSource, TrialStatus
from axdesk.gui.models.filter_fields import completions
from axdesk.gui.models.trial_filter import EXAMPLES
from axdesk.gui.models.trials_model import TrialsModel
from tests.gui.scenes import coupling_experiment
from tests.gui.test_window_models import facts_of

NOW = datetime.now(UTC)
Find = Callable[[str], list[int]]


def model_of(experiment: Experiment) -> TrialsModel:
    model = TrialsModel()
    model.show_facts(facts_of(experiment), NOW)
    return model


def found_in(model: TrialsModel, text: str) -> list[int]:
    model.set_text_filter(text)
    return sorted(model.shown_trials())


@pytest.fixture
def experiment(qapp: QApplication) -> Experiment:
    """Twenty trials; 13 is best, 3 and 8 break the limit, 6 failed, 16, 18 and 19 run."""
    experiment = coupling_experiment()
    experiment.put(replace(experiment.trials[2], is_excluded=True, note="Cell leaked\nat start"))
    return experiment


@pytest.fixture
def find(experiment: Experiment) -> Find:
    model = model_of(experiment)
    return lambda text: found_in(model, text)


@pytest.mark.parametrize(
    ("text", "trials"),
    [
        ("yield>80", [3, 8, 9, 11, 13]),
        ("Yield > 80", [3, 8, 9, 11, 13]),
        ("YIELD>80 %", [3, 8, 9, 11, 13]),
        ("yield>80%", [3, 8, 9, 11, 13]),
        ("yi>80", [3, 8, 9, 11, 13]),
        ("`yield`>80", [3, 8, 9, 11, 13]),
        ('"Yield">80', [3, 8, 9, 11, 13]),
        ("80<yield", [3, 8, 9, 11, 13]),
        ("yield>=82,4", [3, 13]),
        ("yield≥82.4", [3, 13]),
        ("yield<20", [7]),
        ("yield <= 12.1", [7]),
        ("yield:80..82", [8, 9, 11]),
        ("yield=80–82", [8, 9, 11]),
        ("yield:80-82", [8, 9, 11]),
        ("yield:82..", [3, 8, 13]),
        ("yield:..21.7", [7, 12]),
        ("80<=yield<82", [9, 11]),
        ("83>yield>=82", [3, 8]),
        ("yield=83.6", [13]),
        ("yield:8.36e1", [13]),
        ("yield!=83.6 yield>82.2", [3]),
        ("impurity>2", [3, 8]),
        ("#:3,5,8-10", [3, 5, 8, 9, 10]),
        ("#17", [17]),
        ("#>=18", [18, 19]),
        ("trial:4", [4]),
        ("status:failed", [6]),
        ("status:FAIL", [6]),
        ("status:failed,running", [6, 16, 18, 19]),
        ("status:failed|running", [6, 16, 18, 19]),
        ("status:completed yield>83", [13]),
        ("status:done yield>83", [13]),
        ("-status:done", [6, 16, 18, 19]),
        ("status!=done", [6, 16, 18, 19]),
        ("not status:done -status:running", [6]),
        ("source:model yield<30", [7, 12]),
        ("source:space-filling yield>80", [3]),
        ("source:sobol yield>80", [3]),
        ("is:best", [13]),
        ("is:excluded", [2]),
        ("is:running", [16, 18, 19]),
        ("limits:met yield>81", [13]),
        ("limits:not-met", [3, 8]),
        ("-limits:met status:done", [3, 8]),
        ("solvent:dmf yield>80", [9, 13]),
        ("solvent=dmf yield>80", [9, 13]),
        ('solvent:"1,4-dioxane" yield>80', []),
        ("solvent:1,4-dioxane yield>70", [10]),
        ("note:foaming", [17]),
        ("note:leaked", [2]),
        ('note:"leaked at"', [2]),
        ('"foaming above"', [17]),
        ("foaming slight", [17]),
        ("has:note", [2, 6, 17]),
        ("valve", [6]),
        ("valve or foaming", [6, 17]),
        ("valve | foaming", [6, 17]),
        ("(valve or foaming) status:done", [17]),
        ("valve or foaming status:done", [6, 17]),
        ("foaming and slight", [17]),
        ("yield.sem<=1 yield>83", [13]),
        ("sem:1 yield>83", [13]),
        ("duration<16min status:failed", [6]),
        ("duration>51 min status:done", []),
        ("duration:51min status:done yield>82.1", [3]),
        ("duration>0 h 50 status:done yield>82.1", [3]),
        ("", list(range(20))),
        ("   ", list(range(20))),
    ],
)  # fmt: skip
def test_what_is_asked_for_is_found(find: Find, text: str, trials: list[int]) -> None:
    assert find(text) == trials


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("yeild>80", 0, "Did you mean Yield?"),
        ("status:failed colour:red", 14, "No column is called “colour”."),
        ("t>80", 0, "could be"),
        ("yield>", 6, "number after Yield is missing"),
        ("yield>high", 6, "“high” is no number"),
        ("yield>80kg", 8, "Yield is in %"),
        ("time>1 yield:70,5,3", 17, "Only one number"),
        ("yield:90..80", 8, "end of the range is below its start"),
        ("status:broken", 7, "Status is never “broken”"),
        ("status>3", 0, "is no number"),
        ("solvent<dmf", 0, "Solvent is no number"),
        ("source:ma,mo,xx", 13, "Source is never “xx”"),
        ("(yield>80", 0, "not closed"),
        ("yield>80)", 8, "no ( before"),
        ("“foo", 0, "not closed"),
        ('note:"foo', 5, "not closed"),
        ("yield>80 or", 11, "missing here"),
        ("or yield>80", 0, "missing here"),
        ("foo - bar", 5, "missing after -"),
        (">80", 0, "column before > is missing"),
        ("80<", 3, "column after < is missing"),
        ("temperature.sem>1", 0, "has no standard error"),
        ("has:colour", 4, "No column is called"),
        ("duration>5 parsec", 9, None),
        ("(" * 200, 50, "levels deep"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_at_its_character(
    find: Find, text: str, position: int, message: str | None
) -> None:
    if message is None:
        assert find(text) == []  # five seconds, and a word that no cell has
        return
    with pytest.raises(ExpressionError) as refused:
        find(text)
    assert message in f"{refused.value.message} {refused.value.hint}"
    assert refused.value.position == position
    assert refused.value.text == text


def test_a_refused_filter_leaves_the_last_one_in_force(experiment: Experiment) -> None:
    model = model_of(experiment)
    model.set_text_filter("status:failed")
    with pytest.raises(ExpressionError):
        model.set_text_filter("yeild>80")
    assert model.text_filter == "status:failed"
    assert model.shown_trials() == {6}


def awkward(name: str, unit: str = "") -> TrialsModel:
    """A model whose first parameter has an awkward name."""
    experiment = coupling_experiment()
    space = experiment.setup.search_space
    first = RangeParameterConfig(name, (50, 120), unit=unit)
    others = space.parameters[1:]
    for trial in list(experiment.trials.values()):
        rest = {k: v for k, v in trial.parameters.items() if k != "Temperature"}
        values = {name: trial.parameters["Temperature"], **rest}
        experiment.put(replace(trial, arm=replace(trial.arm, parameters=values)))
    experiment.change_setup(search_space=replace(space, parameters=(first, *others)))
    return model_of(experiment)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Feed rate (ml/min)", "`Feed rate (ml/min)`>=119"),
        ("Feed rate (ml/min)", "feed rate (ml/min) >= 119"),
        ("Feed rate (ml/min)", "rate>=119"),
        ("µ flow", "µ flow>=119"),
        ("or", "or>=119"),
        ("not", "not>=119"),
        ("x.sem", "x.sem>=119"),
        ("Duration", "`Duration`>=119"),
        ("17", "17>=119"),
        ("Größe", "grösse>=119"),
        ("status", "`status`>=119"),
        ("a>b", "`a>b`>=119"),
    ],
)
def test_any_name_can_be_asked_for(qapp: QApplication, name: str, text: str) -> None:
    model = awkward(name)
    assert found_in(model, text) == found_in(model, f"`{name}`>=119")
    assert found_in(model, text) == [
        t.index for t in map(model.trial_at, range(model.rowCount()))
        if t is not None and float(t.parameters[name]) >= 119
    ][::-1]  # fmt: skip


def test_equal_means_what_is_seen(find: Find, experiment: Experiment) -> None:
    shown = round(float(experiment.trials[7].parameters["Temperature"]), 1)
    assert 7 in find(f"temperature={shown}")
    assert 7 not in find(f"temperature={shown + 1}")


def test_what_a_failed_trial_measured_is_found_but_is_missing_to_be_unequal(
    experiment: Experiment,
) -> None:
    failed = replace(experiment.trials[6], observations=(Observation("Yield", 99.0),))
    experiment.put(failed)
    model = model_of(experiment)
    assert found_in(model, "yield>98") == [6]
    assert 16 not in found_in(model, "yield!=99")
    assert 16 in found_in(model, "-yield=99")


def test_every_example_of_the_help_is_understood(qapp: QApplication) -> None:
    model = awkward("Flow rate")
    for text, _ in EXAMPLES:
        model.set_text_filter(text)


@given(
    st.text(
        alphabet=st.sampled_from(list('yield>80 :()-|"`“”.,#<=!≥ornotstu17%…–−\u00a0µß\U0001f9ea')),
        max_size=30,
    )
)
def test_any_text_is_read_or_refused_inside_of_it(text: str) -> None:
    refusal = refusal_of(shared_model(), text)
    if refusal is not None:
        assert 0 <= refusal.position <= len(text)
        assert refusal.message.endswith((".", "?"))


def refusal_of(model: TrialsModel, text: str) -> ExpressionError | None:
    try:
        model.set_text_filter(text)
    except ExpressionError as error:
        return error
    return None


_KEPT: list[TrialsModel] = []


def shared_model() -> TrialsModel:
    if not _KEPT:
        QApplication.instance() or QApplication([])
        _KEPT.append(model_of(coupling_experiment()))
    return _KEPT[0]


@given(st.floats(0, 100), st.sampled_from(["<", "<=", ">", ">="]), st.booleans())
def test_comparisons_agree_with_arithmetic(value: float, sign: str, has_comma: bool) -> None:
    model = shared_model()
    typed = repr(value).replace(".", "," if has_comma else ".")
    compare = {"<": float.__lt__, "<=": float.__le__, ">": float.__gt__, ">=": float.__ge__}[sign]
    expected = [
        index for index, trial in coupling_experiment().trials.items()
        if (reading := trial.latest("Yield")) is not None and compare(reading.mean, value)
    ]  # fmt: skip
    assert found_in(model, f"yield{sign}{typed}") == expected
    rest = sorted(set(range(20)) - set(expected))
    assert found_in(model, f"-yield {sign} {typed}") == rest


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("yi", ["Yield"]),
        ("yield>80 sol", ["Solvent:"]),
        ("-sol", ["Solvent:"]),
        ("solvent:d", ["DMF"]),
        ("solvent:1", ['"1,4-Dioxane"']),
        ("status:fa", ["Failed"]),
        ("status:failed,r", ["Running"]),
        ("source:", ["\"Start values\"", "\"Space filling\"", "Model"]),
        ("is:b", ["Best"]),
        ("yield:8", []),
        ('"yi', []),
        ("", []),
    ],
)  # fmt: skip
def test_words_go_on(experiment: Experiment, text: str, offered: list[str]) -> None:
    start, found = completions(text, len(text), model_of(experiment).fields)
    assert found[: len(offered)] == offered
    assert bool(found) == bool(offered)
    assert text[:start].endswith(("", " ", ":", "-", ","))


def test_whatever_is_offered_is_understood(experiment: Experiment) -> None:
    model = model_of(experiment)
    for field in model.fields:
        for word in (*completions(f"{field.name}:", len(field.name) + 1, model.fields)[1],):
            model.set_text_filter(f"{field.name}:{word}")


def test_a_trial_is_found_by_every_source(experiment: Experiment) -> None:
    for source in TrialSource:
        trial = experiment.trials[0]
        experiment.put(replace(trial, generation=replace(trial.generation, source=source)))
        assert 0 in found_in(model_of(experiment), f'source:"{source.value}"')


def test_a_filter_follows_the_facts(experiment: Experiment) -> None:
    model = model_of(experiment)
    model.set_text_filter("is:best")
    better = experiment.trials[18].moved_to(
        TrialStatus.COMPLETED,
        observations=(Observation("Yield", 99.0), Observation("Impurity", 1.0)),
    )
    experiment.put(better)
    model.show_facts(facts_of(experiment), NOW)
    assert model.shown_trials() == {18}
