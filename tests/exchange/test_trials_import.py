"""What becomes of the rows of files as laboratories write them."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import UserInputError
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
from axdesk.core.trial_columns import ColumnRole, ColumnUse
from axdesk.core.trial_import import ImportPlan, ImportSettings, ReadSettings
from axdesk.exchange.table_files import read_table, read_text
from axdesk.exchange.trials_import import plan_import

COUPLING = (
    RangeParameterConfig("Temperature", (50, 120), unit="°C"),
    RangeParameterConfig("Time", (5, 60), "int", unit="min"),
    ChoiceParameterConfig("Solvent", ("MeCN", "DMF", "1,4-Dioxane")),
)


def experiment_of(*parameters: ParameterConfig, limit: str = "") -> Experiment:
    limits = (OutcomeConstraint.parse(limit),) if limit else ()
    optimization = OptimizationConfig(
        Objective.parse("Yield"), limits, tracking_metrics=("Colour",), units=(("Yield", "%"),)
    )
    space = SearchSpace(parameters or COUPLING)
    return Experiment(1, ExperimentSetup("coupling", space, optimization), datetime.now(UTC))


def plan_of(text: str, experiment: Experiment | None = None, /, **settings: Any) -> ImportPlan:
    table = read_text("trials.csv", text)
    return plan_import(experiment or experiment_of(), table, ImportSettings(**settings))


def values(plan: ImportPlan, name: str) -> list[object]:
    return [trial.parameters[name] for trial in plan.trials]


def means(plan: ImportPlan) -> list[object]:
    return [trial.result["Yield"] for trial in plan.trials]


# ---- a spreadsheet's CSV -------------------------------------------------------------------------


def german_csv() -> bytes:
    """200 rows of a German Excel, two of them bad, with a title above."""
    lines = [
        "Suzuki-Kupplung;;;;",
        ";;;;",
        "Temperature (°C);Time [min];Solvent;Yield / %;Bemerkung",
    ]
    for number in range(200):
        yield_ = "n/a" if number == 3 else f"{70 + number / 8:.3f}".replace(".", ",")
        minutes = "7,5" if number == 111 else str(5 + number % 50)
        note = '"zweimal ""gerührt"";\n dann kalt"' if number == 10 else ""
        lines.append(f"{50 + number / 4:.2f};{minutes};DMF;{yield_};{note}".replace(".", ","))
    return "\r\n".join(lines).encode("cp1252")


def test_a_german_spreadsheet_with_two_bad_lines(tmp_path: Path) -> None:
    file = tmp_path / "Läufe.csv"
    file.write_bytes(german_csv())

    table = read_table(file)
    plan = plan_import(experiment_of(), table)

    assert (table.encoding, table.delimiter) == ("cp1252", ";")
    assert len(plan.trials) == 198
    assert plan.head_row == 3
    assert plan.summary() == (
        "198 rows ok, 2 skipped: row 7: Yield 'n/a' is no number; "
        "row 115: Time '7,5' is no whole number."
    )
    assert [row.issues for row in plan.skipped] == [
        {3: "Yield 'n/a' is no number"}, {1: "Time '7,5' is no whole number"},
    ]  # fmt: skip
    assert values(plan, "Temperature")[:3] == [50.0, 50.25, 50.5]
    assert means(plan)[1] == (70.125, None)
    assert plan.trials[9].note == 'zweimal "gerührt";\n dann kalt'
    assert plan.remarks == (
        "The text is no UTF-8 and was read as Windows-1252; look at its special characters.",
    )


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
@pytest.mark.parametrize("delimiter", ["\t", ";", ",", "|"])
def test_encodings_and_delimiters_are_found(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [["Temperature (°C)", "Time", "Solvent", "Yield"], ["80.5", "30", "1,4-Dioxane", "71"]]
    text = "\r\n".join(delimiter.join(f'"{c}"' if "," in c else c for c in r) for r in rows)
    (tmp_path / "a.txt").write_bytes(text.encode(encoding))

    table = read_table(tmp_path / "a.txt")
    plan = plan_import(experiment_of(), table)

    assert table.delimiter == delimiter
    assert plan.trials[0].parameters == {"Temperature": 80.5, "Time": 30, "Solvent": "1,4-Dioxane"}


@pytest.mark.parametrize(
    ("text", "temperature"),
    [
        ("Temperature;Time;Solvent;Yield\n80,5;30;DMF;71,5", 80.5),
        ("Temperature\tTime\tSolvent\tYield\n80,5\t30\tDMF\t71,5", 80.5),
        ('Temperature,Time,Solvent,Yield\n"80,5",30,DMF,"71,5"', 80.5),
        ("sep=;\nTemperature;Time;Solvent;Yield\n80,5;30;DMF;71,5", 80.5),
        ("Temperature,Time,Solvent,Yield\n80.5,30,DMF,71.5", 80.5),
        ("Temperature;Time;Solvent;Yield\n1.080,5;30;DMF;71", 1080.5),
        ("Temperature;Time;Solvent;Yield\n1 080,5;30;DMF;71", 1080.5),
        ("Temperature;Time;Solvent;Yield\n'1080;30;DMF;71", None),
        ("Temperature;Time;Solvent;Yield\n80,5 °C;30 min;DMF;71 %", 80.5),
        ("Temperature;Time;Solvent;Yield\n+8,05e1;30;DMF;71", 80.5),
    ],
)
def test_the_decimal_sign_is_found(text: str, temperature: float | None) -> None:
    plan = plan_of(text)

    assert values(plan, "Temperature") == ([] if temperature is None else [temperature])


def test_a_decimal_sign_of_another_column_settles_a_doubt() -> None:
    plan = plan_of("Temperature;Time;Solvent;Yield\n1.080;30;DMF;71,5\n80,25;30;DMF;70")

    assert values(plan, "Temperature") == [1080.0, 80.25]


def test_a_doubt_about_thousands_is_told_and_settled_by_the_operator() -> None:
    text = "Temperature\tTime\tSolvent\tYield\n1,080\t30\tDMF\t71"

    doubtful, settled = plan_of(text), plan_of(text, decimal="point")

    assert values(doubtful, "Temperature") == [1.08]
    assert doubtful.columns[0].is_doubtful
    assert "decimal comma" in doubtful.columns[0].remark
    assert values(settled, "Temperature") == [1080.0]


def test_numbers_of_both_kinds_in_one_column_are_told() -> None:
    plan = plan_of("Temperature\tTime\tSolvent\tYield\n80.5\t30\tDMF\t71\n80,5\t30\tDMF\t72")

    assert plan.summary() == (
        "1 row ok, 1 skipped: row 3: Temperature '80,5' is no number with a decimal point."
    )


def test_a_decimal_comma_between_commas_is_told() -> None:
    plan = plan_of("Temperature,Time,Solvent,Yield\n80,5,30,DMF,71")

    assert plan.summary().startswith("0 rows ok, 1 skipped: row 2: it has 5 cells")


# ---- heads and units -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head", ["Temperature", "temperature ", "Temperature (°C)", "TEMPERATURE [°C]",
             "Temperature / °C", "Temperature in °C", "Temperature_(degC)", "Temperature (℃)"],
)  # fmt: skip
def test_heads_are_understood_however_they_are_written(head: str) -> None:
    plan = plan_of(f"{head}\tTime\tSolvent\tYield\n80\t30\tDMF\t71")

    assert values(plan, "Temperature") == [80.0]
    assert not any(column.is_doubtful for column in plan.columns)


def test_what_surely_can_be_converted_is() -> None:
    plan = plan_of(
        "Temperature [K]\tTime (h)\tSolvent\tYield [1]\tYield sem [1]\n353.65\t0.5\tDMF\t0.71\t0.02"
    )

    assert plan.trials[0].parameters == {"Temperature": 80.5, "Time": 30, "Solvent": "DMF"}
    assert plan.trials[0].result == {"Yield": (71.0, 2.0)}
    assert plan.columns[0].remark == "Converted from K into °C."


def test_what_cannot_be_converted_is_told() -> None:
    plan = plan_of("Temperature [turns]\tTime\tSolvent\tYield\n80\t30\tDMF\t71")

    assert values(plan, "Temperature") == [80.0]
    assert plan.columns[0].is_doubtful
    assert plan.columns[0].remark == (
        "The file has turns, the experiment has °C: the numbers are taken as they are."
    )


def test_the_operator_says_the_unit() -> None:
    plan = plan_of("Temperature\tTime\tSolvent\tYield\n353.15\t30\tDMF\t71", units={0: "K"})

    assert values(plan, "Temperature") == [80.0]


def test_units_may_stand_in_a_row_of_their_own() -> None:
    plan = plan_of("Temperature\tTime\tSolvent\tYield\nK\tmin\t\t%\n353.15\t30\tDMF\t71")

    assert values(plan, "Temperature") == [80.0]


def test_what_a_column_tells_can_be_said() -> None:
    text = "T1\tTime\tSolvent\tYield\tYield2\n80\t30\tDMF\t71\t99"

    assert plan_of(text).problems == ("No column tells Temperature.",)
    by_place = plan_of(text, uses={0: ColumnUse(ColumnRole.PARAMETER, "Temperature")})
    by_name = plan_of(text, named={"T1": "Temperature", "Yield2": "Yield"})
    assert values(by_place, "Temperature") == values(by_name, "Temperature") == [80.0]
    assert means(by_name) == [(99.0, None)]
    with pytest.raises(UserInputError, match="no column 'T2'"):
        plan_of(text, named={"T2": "Temperature"})
    with pytest.raises(UserInputError, match="'Temp' is nothing that a column can tell"):
        plan_of(text, named={"T1": "Temp"})


def test_a_file_without_heads_is_given_some() -> None:
    plan = plan_of("80\t30\tDMF\t71\n90\t30\tDMF\t72")
    assert plan.head_row == 0
    assert [column.head for column in plan.columns] == [f"Column {letter}" for letter in "ABCD"]
    uses = dict(enumerate(
        (*(ColumnUse(ColumnRole.PARAMETER, p.name) for p in COUPLING),
         ColumnUse(ColumnRole.MEAN, "Yield"))
    ))  # fmt: skip
    assert len(plan_of("80\t30\tDMF\t71\n90\t30\tDMF\t72", uses=uses).trials) == 2


# ---- rows ----------------------------------------------------------------------------------------

HEAD = "Temperature\tTime\tSolvent\tYield\tYield sem\tStatus\tNote\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("\t30\tDMF\t71", "Temperature is missing"),
        ("80\t30\tDMF", "it has no value of Yield"),
        ("80\t30\tDMF\t1e999", "Yield '1e999' is no number"),
        ("80\t30\tDMF\t#DIV/0!", "Yield '#DIV/0!' is no number"),
        ("80\t30\tDMF\t71\t-1", "the standard error of Yield is below 0"),
        ("80\t30\tDMF\t\t0.5", "Yield has a standard error, but no value"),
        ("80\t30\tDMF\t71\t\trunning", "Status 'running': only trials that are over are imported"),
        ("80\t30\tDMF\t71\t\todd", "Status 'odd' is none of completed, failed, abandoned, stopped"),
        ("80\t30\tDMF\t\t\tearly_stopped", "it was stopped early, and has no values"),
    ],
)
def test_why_a_row_is_skipped(row: str, told: str) -> None:
    plan = plan_of(HEAD + row + "\n90\t30\tDMF\t72")

    assert [r.number for r in plan.skipped] == [2]
    assert plan.skipped[0].reason.startswith(told)
    assert len(plan.trials) == 1


def test_statuses_results_and_notes() -> None:
    plan = plan_of(
        HEAD + "80\t30\tDMF\t71,5 ± 0,3\t\tok\thot\n81\t30\tDMF\t–\t\tFailed\tleak\n"
        "82\t30\tDMF\t60\t0\tVoided\t\n83\t30\tDMF\t60\t\tstopped early\t\n"
    )

    assert [(t.status, t.result.get("Yield"), t.note) for t in plan.trials] == [
        (TrialStatus.COMPLETED, (71.5, 0.3), "hot"),
        (TrialStatus.FAILED, None, "leak"),
        (TrialStatus.ABANDONED, (60.0, 0.0), ""),
        (TrialStatus.EARLY_STOPPED, (60.0, None), ""),
    ]


def test_rows_outside_the_search_space_are_kept_and_told() -> None:
    plan = plan_of("Temperature\tTime\tSolvent\tYield\n500\t30\tEtOH\t71\n80\t30\tdmf\t70")

    assert values(plan, "Solvent") == ["EtOH", "DMF"]
    assert set(plan.rows[0].doubts) == {0, 2}
    assert plan.rows[1].doubts == {}
    assert plan.outside().startswith("1 row lies outside the search space, such as row 2:")


def test_empty_rows_are_passed_over_and_rows_are_numbered_as_in_the_file() -> None:
    plan = plan_of("Temperature\tTime\tSolvent\tYield\n80\t30\tDMF\t71\n\t\t\t\n\n81\tx\tDMF\t71\n")

    assert [row.number for row in plan.rows] == [2, 5]


def test_kinds_of_parameters() -> None:
    experiment = experiment_of(
        ChoiceParameterConfig("Stirred", (False, True), "bool"),
        ChoiceParameterConfig("Volume", (1.0, 2.5), "float", unit="mL"),
        ChoiceParameterConfig("Base", ("none", "K2CO3"), dependent_parameters={"K2CO3": ["Dose"]}),
        RangeParameterConfig("Dose", (0.0, 5.0), unit="mol"),
        ChoiceParameterConfig("Grade", ("1", "02")),
        RangeParameterConfig("Fixed", (0.0, 5.0), is_on=False, start_value=2.0),
        DerivedParameterConfig("Twice", "2 * Volume"),
    )
    plan = plan_of(
        "Stirred\tVolume (L)\tBase\tDose\tGrade\tTwice\tYield\n"
        "yes\t0.0025\tK2CO3\t2\t02\t99\t1\nFALSE\t0.001\tnone\t\t1\t99\t2\n1\t0.001\tnone\t3\t1\t\t3",
        experiment,
    )

    assert [dict(t.parameters) for t in plan.trials] == [
        {"Stirred": True, "Volume": 2.5, "Base": "K2CO3", "Dose": 2.0, "Grade": "02", "Fixed": 2.0,
         "Twice": 5.0},
        {"Stirred": False, "Volume": 1.0, "Base": "none", "Grade": "1", "Fixed": 2.0, "Twice": 2.0},
    ]  # fmt: skip
    assert "unknown ['Dose']" in plan.skipped[0].reason
    assert plan.columns[5].remark == "Twice follows from others: 2*Volume."


# ---- duplicates ----------------------------------------------------------------------------------


def test_rows_that_are_there_already_are_skipped_unless_they_are_wanted() -> None:
    experiment = experiment_of()
    experiment.put(
        Trial(
            4,
            Arm("4_0", {"Temperature": 80.0, "Time": 30, "Solvent": "DMF"}),
            Generation(TrialSource.MANUAL),
            status=TrialStatus.COMPLETED,
            observations=(Observation("Yield", 71.0),),
        )
    )
    text = (
        "Temperature\tTime\tSolvent\tYield\n80\t30\tDMF\t71\n80\t30\tDMF\t72\n80\t30\tDMF\t72\n"
        "80\t30\tDMF\t71\n"
    )

    plan, all_of_them = plan_of(text, experiment), plan_of(text, experiment, keeps_duplicates=True)

    assert plan.summary() == (
        "1 row ok, 3 skipped: row 2: it is in the experiment already, as trial 4; "
        "row 4: it is the same as row 3; row 5: it is the same as row 2."
    )
    assert plan.bad == ()
    assert len(all_of_them.trials) == 4


def test_a_file_that_numbers_its_trials_has_none_twice() -> None:
    plan = plan_of(
        "Trial\tTemperature\tTime\tSolvent\tYield\n0\t80\t30\tDMF\t71\n1\t80\t30\tDMF\t71\n"
    )

    assert len(plan.trials) == 2


# ---- workbooks -----------------------------------------------------------------------------------


def workbook(tmp_path: Path, rows: list[list[Any]], **sheets: list[list[Any]]) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Results"
    for row in rows:
        sheet.append(row)
    for name, content in sheets.items():
        other = book.create_sheet(name)
        for row in content:
            other.append(row)
    book.save(tmp_path / "book.xlsx")
    return tmp_path / "book.xlsx"


HEADS = ["Temperature", "Time", "Solvent", "Yield"]


def test_a_workbook_with_dates_and_formulas(tmp_path: Path) -> None:
    file = workbook(
        tmp_path,
        [HEADS, [80.5, 30, "DMF", 71], [date(2026, 5, 3), 30, "DMF", 71],
         [81, 30, "DMF", "=D2+1"], [82, 30, "DMF", "#DIV/0!"], [83, "30", "DMF", True]],
    )  # fmt: skip

    plan = plan_import(experiment_of(), read_table(file))

    assert [row.reason for row in plan.skipped] == [
        "Temperature '2026-05-03' is a date, which the spreadsheet may have made of a number",
        "Yield '=D2+1' is a formula without a value; open and save it in a spreadsheet program",
        "Yield '#DIV/0!' is an error of the spreadsheet",
        "Yield True is no number",
    ]
    assert values(plan, "Temperature") == [80.5]


def test_merged_cells_have_their_value_in_each_row(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Campaign 7"], HEADS, [80, 30, "DMF", 71], [81, 30, None, 72], [82, 30, None, 73]):
        sheet.append(row)
    sheet.merge_cells("A1:D1")
    sheet.merge_cells("C3:C5")
    book.save(tmp_path / "book.xlsx")

    plan = plan_import(experiment_of(), read_table(tmp_path / "book.xlsx"))

    assert values(plan, "Solvent") == ["DMF"] * 3
    assert plan.remarks == ("Merged cells (C3:C5): each of their rows has the value.",)


def test_percentages_of_a_spreadsheet(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (HEADS, [80, 30, "DMF", 0.715], [81, 30, "DMF", 0.29]):
        sheet.append(row)
    for cell in sheet["D"][1:]:
        cell.number_format = "0.0%"
    book.save(tmp_path / "book.xlsx")

    plan = plan_import(experiment_of(), read_table(tmp_path / "book.xlsx"))

    assert means(plan) == [(71.5, None), (29.0, None)]
    assert plan.columns[3].remark == "Converted from fractions of 1 into %."


def test_a_sheet_is_chosen(tmp_path: Path) -> None:
    file = workbook(tmp_path, [], Data=[HEADS, [80, 30, "DMF", 71]], More=[HEADS])

    table = read_table(file)

    assert (table.sheet, table.sheets) == ("Data", ("Results", "Data", "More"))
    assert read_table(file, ReadSettings(sheet="More")).rows == (tuple(HEADS),)
    with pytest.raises(UserInputError, match=r"no sheet 'Other'. Its sheets: Results, Data, More"):
        read_table(file, ReadSettings(sheet="Other"))


def test_a_long_workbook_can_be_given_up(tmp_path: Path) -> None:
    file = workbook(tmp_path, [HEADS, *([80 + n / 1000, 30, "DMF", 71] for n in range(3000))])
    looks: list[int] = []

    def is_cancelled() -> bool:
        looks.append(1)
        return len(looks) == 3

    with pytest.raises(UserInputError, match="cancelled"):
        read_table(file, is_cancelled=is_cancelled)
    assert len(looks) == 3
    assert len(plan_import(experiment_of(), read_table(file)).trials) == 3000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an old Excel workbook"),
        (b"PK\x03\x04nothing", "cannot be read as an Excel workbook"),
        (b"{", "is no JSON"),
        (b'{"a": 1}', "no list of trials"),
        (b"[1, 2]", "no list of trials"),
        (b"\x81\x8d\x00", "is no text"),
        (b'{"format": "axdesk trials", "version": 99, "trials": []}', "version 99"),
        (b'{"format": "axdesk trials", "version": 1, "trials": [{}]}', "not as an export writes"),
    ],
)
def test_what_is_no_table_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "odd.csv").write_bytes(content)

    with pytest.raises(UserInputError, match=told):
        read_table(tmp_path / "odd.csv")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="cannot be read: No such file"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize("text", ["", "\n\n", "Temperature\tTime\tSolvent\tYield\n"])
def test_a_file_without_rows_is_told(text: str) -> None:
    plan = plan_of(text)

    assert plan.trials == ()
    assert plan.problems or plan.summary() == "trials.csv has no rows below its heads."


# ---- JSON ----------------------------------------------------------------------------------------


def test_a_list_of_trials_as_json() -> None:
    rows = [
        {"Temperature": 80.5, "Time": 30, "Solvent": "DMF", "Yield": 71, "note": "=1"},
        {"Temperature": [1], "Time": 30, "Solvent": "DMF", "Yield": 71},
    ]
    plan = plan_of(json.dumps({"trials": rows}))

    assert plan.trials[0].note == "=1"
    assert plan.skipped[0].reason == "Temperature '[1]' is no single value"


def test_a_text_of_the_clipboard(tmp_path: Path) -> None:
    assert len(plan_of("Temperature\tTime\tSolvent\tYield\r\n80\t30\tDMF\t71\r\n").trials) == 1
