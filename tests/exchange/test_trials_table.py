"""The table of trials."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from axdesk.core.constraints import OutcomeConstraint
from axdesk.core.errors import NotFoundError
from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import (
    Arm,
    Generation,
    Observation,
    Prediction,
    Trial,
    TrialSource,
    TrialStatus,
)
from axdesk.exchange.spreadsheet import decoded
from axdesk.exchange.trials_export import trials_clipboard, trials_json, write_trials
from axdesk.exchange.trials_table import trials_table

NOON = datetime(2026, 1, 2, 12, 0, 0, 250000, UTC)
COLUMNS = (
    "trial", "arm", "status", "source", "x", "Solvent", "y mean", "y sem", "colour mean",
    "colour sem", "limits met", "y predicted", "y predicted sem", "started", "finished", "duration",
    "excluded", "reason", "note",
)  # fmt: skip


def experiment_of(*trials: Trial, names: tuple[str, str] = ("x", "Solvent")) -> Experiment:
    space = SearchSpace(
        (
            RangeParameterConfig(names[0], (0.0, 1.0)),
            ChoiceParameterConfig(names[1], ("water", "THF, dry")),
        )
    )
    optimization = OptimizationConfig(Objective.parse("-y"), tracking_metrics=("colour",))
    experiment = Experiment(1, ExperimentSetup("e", space, optimization), NOON)
    for trial in trials:
        experiment.put(trial)
    return experiment


def arm(index: int, x: float = 0.1 + 0.2, solvent: str = "THF, dry") -> Arm:
    return Arm(f"{index}_0", {"x": x, "Solvent": solvent})


COMPLETED = Trial(
    0,
    arm(0),
    Generation(TrialSource.CENTER),
    status=TrialStatus.COMPLETED,
    observations=(
        Observation("y", 9.0, None, 1.0),
        Observation("y", 1 / 3, 1e-17, 2.0),
        Observation("colour", 4.0),
    ),
    is_excluded=True,
    note='said "no"\nand left',
    started_at=NOON,
    finished_at=NOON,
    elapsed_seconds=61.5,
)
FAILED = Trial(
    1,
    arm(1),
    Generation(TrialSource.MODEL, (Prediction("y", 0.4, 0.2),)),
    status=TrialStatus.FAILED,
    executed_parameters={"x": 0.5, "Solvent": "water"},
    reason="leak",
    started_at=NOON,
)
STAGED = Trial(2, arm(2), Generation(TrialSource.SOBOL), status=TrialStatus.STAGED)


def test_each_trial_is_a_row() -> None:
    columns, rows = trials_table(experiment_of(COMPLETED, FAILED, STAGED))

    noon, x = "2026-01-02T12:00:00.250000+00:00", 0.30000000000000004
    assert columns == COLUMNS
    assert rows == (
        (0, "0_0", "completed", "center", x, "THF, dry", 1 / 3, 1e-17, 4.0, None, None, None, None,
         noon, noon, 61.5, True, "", 'said "no"\nand left'),
        (1, "1_0", "failed", "model", 0.5, "water", None, None, None, None, None, 0.4, 0.2,
         noon, None, 0.0, False, "leak", ""),
        (2, "2_0", "staged", "sobol", x, "THF, dry", None, None, None, None, None, None, None, None,
         None, None, False, "", ""),
    )  # fmt: skip


def test_an_experiment_without_trials_has_columns() -> None:
    assert trials_table(experiment_of()) == (COLUMNS, ())


def test_values_of_an_earlier_set_up_keep_their_columns() -> None:
    old = Trial(
        0,
        Arm("0_0", {"x": 0.5, "old": 3}),
        Generation(TrialSource.MANUAL),
        status=TrialStatus.COMPLETED,
        observations=(Observation("former", 1.0),),
    )

    columns, (row,) = trials_table(experiment_of(old))

    cells = dict(zip(columns, row, strict=True))
    assert (cells["x"], cells["Solvent"], cells["old"]) == (0.5, None, 3)
    assert (cells["y mean"], cells["former mean"], cells["former sem"]) == (None, 1.0, None)


def test_no_two_columns_share_a_name() -> None:
    columns, _ = trials_table(experiment_of(names=("status", "y mean")))

    assert len(set(columns)) == len(columns)
    assert {"status", "status (2)", "y mean", "y mean (2)"} <= set(columns)


def test_whether_limits_are_met_is_told_of_completed_trials() -> None:
    experiment = experiment_of(COMPLETED, FAILED, replace(COMPLETED, index=3))
    limits = (OutcomeConstraint.parse("y <= 0.2"),)
    optimization = replace(experiment.optimization, outcome_constraints=limits)
    experiment.setup = replace(experiment.setup, optimization=optimization)

    columns, rows = trials_table(experiment)

    assert [row[columns.index("limits met")] for row in rows] == [False, None, False]


def test_trials_are_chosen_by_their_indices() -> None:
    experiment = experiment_of(COMPLETED, FAILED, STAGED)

    assert [row[0] for row in trials_table(experiment, (2, 0))[1]] == [0, 2]
    with pytest.raises(NotFoundError, match="no trial 7"):
        trials_table(experiment, (7,))


def test_the_file_is_plain_csv_that_reads_back_exactly(tmp_path: Path) -> None:
    file = tmp_path / "trials.csv"
    experiment = experiment_of(COMPLETED, FAILED)

    assert write_trials(experiment, file) == 2

    assert file.read_bytes().startswith(b"\xef\xbb\xbftrial,arm,status,")
    with file.open(encoding="utf-8-sig", newline="") as text:
        header, first, second = csv.reader(text)
    assert tuple(header) == COLUMNS
    assert [float(first[4]), float(first[6]), float(first[7])] == [0.1 + 0.2, 1 / 3, 1e-17]
    assert first[9] == ""
    assert first[-1] == 'said "no"\nand left'
    assert second[-2] == "leak"


def test_with_a_decimal_comma_semicolons_part_the_cells(tmp_path: Path) -> None:
    file = tmp_path / "trials.csv"

    write_trials(experiment_of(COMPLETED), file, decimal="comma")

    with file.open(encoding="utf-8-sig", newline="") as text:
        header, first = csv.reader(text, delimiter=";")
    assert tuple(header) == COLUMNS
    assert first[4:8] == ["0,30000000000000004", "THF, dry", "0,3333333333333333", "1e-17"]


FORMULAS = ("=1+1", "+1", "-1 °C", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''-1")


@pytest.mark.parametrize("note", FORMULAS)
def test_no_text_becomes_a_formula_of_a_spreadsheet(tmp_path: Path, note: str) -> None:
    experiment = experiment_of(replace(COMPLETED, note=note))
    write_trials(experiment, tmp_path / "trials.csv")
    write_trials(experiment, tmp_path / "trials.xlsx")

    with (tmp_path / "trials.csv").open(encoding="utf-8-sig", newline="") as text:
        _, row = csv.reader(text)
    pasted = list(csv.reader(io.StringIO(trials_clipboard(experiment, "point")), delimiter="\t"))
    assert row[-1] == pasted[1][-1] == f"'{note}"
    cell = list(load_workbook(tmp_path / "trials.xlsx").active)[1][-1]
    assert (cell.data_type, decoded(cell.value)) == ("s", note)


def test_a_workbook_has_every_digit_and_every_character(tmp_path: Path) -> None:
    note = "a\r\nb\x07 _x000D_ µ"
    experiment = experiment_of(replace(COMPLETED, note=note), FAILED)

    write_trials(experiment, tmp_path / "trials.xlsx")

    sheet = load_workbook(tmp_path / "trials.xlsx").active
    heads, first, _ = ([cell.value for cell in row] for row in sheet)
    assert tuple(heads) == COLUMNS
    assert [first[4], first[6], first[7]] == [0.1 + 0.2, 1 / 3, 1e-17]
    assert first[-3] is True
    assert decoded(first[-1]) == note
    assert sheet.freeze_panes == "A2"


def test_json_has_what_the_table_has_under_names_of_its_own() -> None:
    content = json.loads(trials_json(experiment_of(COMPLETED, FAILED)))

    assert (content["format"], content["version"], content["experiment"]) == (
        "axdesk trials", 1, "e",
    )  # fmt: skip
    assert [p["name"] for p in content["parameters"]] == ["x", "Solvent"]
    first, second = content["trials"]
    assert first["parameters"] == {"x": 0.1 + 0.2, "Solvent": "THF, dry"}
    assert first["metrics"] == {
        "y": {"mean": 1 / 3, "sem": 1e-17}, "colour": {"mean": 4.0, "sem": None},
    }  # fmt: skip
    assert (first["excluded"], first["note"]) == (True, 'said "no"\nand left')
    assert second["planned"] == {"x": 0.1 + 0.2, "Solvent": "THF, dry"}
    assert second["parameters"] == {"x": 0.5, "Solvent": "water"}
    assert second["predicted"] == {"y": {"mean": 0.4, "sem": 0.2}}


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.csv", b"\xef\xbb\xbft"), ("a.XLSX", b"PK"), ("a.json", b"{"), ("a", b"\xef\xbb\xbf")],
)
def test_the_ending_of_the_name_says_the_format(tmp_path: Path, name: str, start: bytes) -> None:
    write_trials(experiment_of(COMPLETED), tmp_path / name)

    assert (tmp_path / name).read_bytes().startswith(start)
