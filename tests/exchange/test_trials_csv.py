"""The table of trials."""

import csv
from datetime import UTC, datetime
from pathlib import Path

from axdesk.core.experiment import Experiment
from axdesk.core.objective import Objective, OptimizationConfig
from axdesk.core.parameters import ChoiceParameterConfig, RangeParameterConfig
from axdesk.core.search_space import SearchSpace
from axdesk.core.setup import ExperimentSetup
from axdesk.core.trial import Arm, Generation, Observation, Trial, TrialSource, TrialStatus
from axdesk.exchange.trials_csv import trials_table, write_trials_csv

NOON = datetime(2026, 1, 2, 12, 0, 0, 250000, UTC)
COLUMNS = (
    "trial", "arm", "status", "source", "x", "Solvent", "y mean", "y sem", "colour mean",
    "colour sem", "started", "finished", "duration", "reason", "note",
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
    note='said "no"\nand left',
    started_at=NOON,
    finished_at=NOON,
    elapsed_seconds=61.5,
)
FAILED = Trial(
    1,
    arm(1),
    Generation(TrialSource.MODEL),
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
        (0, "0_0", "completed", "center", x, "THF, dry", 1 / 3, 1e-17, 4.0, None, noon, noon, 61.5,
         "", 'said "no"\nand left'),
        (1, "1_0", "failed", "model", 0.5, "water", None, None, None, None, noon, None, 0.0,
         "leak", ""),
        (2, "2_0", "staged", "sobol", x, "THF, dry", None, None, None, None, None, None, None,
         "", ""),
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


def test_the_file_is_plain_csv_that_reads_back_exactly(tmp_path: Path) -> None:
    file = tmp_path / "trials.csv"
    experiment = experiment_of(COMPLETED, FAILED)

    write_trials_csv(experiment, file)

    assert file.read_bytes().startswith(b"trial,arm,status,")
    with file.open(encoding="utf-8", newline="") as text:
        header, first, second = csv.reader(text)
    assert tuple(header) == COLUMNS
    assert [float(first[4]), float(first[6]), float(first[7])] == [0.1 + 0.2, 1 / 3, 1e-17]
    assert first[9] == ""
    assert first[-1] == 'said "no"\nand left'
    assert second[-2] == "leak"
