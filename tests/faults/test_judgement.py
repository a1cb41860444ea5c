"""The judgement sees what it is there to see: losses, repetitions and damage made by hand."""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.cases import Case, NotPossibleError, Verdict, as_markdown, rows
from tests.faults.laboratory import Laboratory
from tests.faults.machine import needs
from tests.faults.plans import TRIALS
from tests.faults.programs import Ended, Launcher


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Laboratory, Ended]]:
    """A laboratory whose run ended undisturbed, and how."""
    try:
        needs()
    except NotPossibleError as reason:
        pytest.skip(str(reason))
    lab = Laboratory(tmp_path_factory.mktemp("finished"))
    launcher = Launcher()
    try:
        yield lab, lab.run(launcher)
    finally:
        launcher.close()


@pytest.fixture
def lab(finished: tuple[Laboratory, Ended], tmp_path: Path) -> Laboratory:
    """A copy of that laboratory, to be harmed."""
    source, ended = finished
    copied = Laboratory(tmp_path)
    shutil.copyfile(source.database, copied.database)
    shutil.copyfile(source.journal, copied.journal)
    copied.heard(ended)
    return copied


def change(lab: Laboratory, sql: str) -> None:
    with closing(sqlite3.connect(lab.database)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute(sql)
        connection.commit()


def deploy_again(lab: Laboratory) -> None:
    with lab.journal.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(lab.deployed()[2]) + "\n")


def sql(text: str) -> Callable[[Laboratory], None]:
    return lambda lab: change(lab, text)


def test_an_undisturbed_run_is_survived(
    lab: Laboratory, finished: tuple[Laboratory, Ended]
) -> None:
    verdict = lab.judge(finished[1])

    assert verdict == Verdict()
    assert len(lab.deployed()) == TRIALS


@pytest.mark.parametrize(
    ("harm", "lost", "doubled"),
    [
        (sql("DELETE FROM observations WHERE trial_index = 3"), 1, 0),
        (sql("UPDATE observations SET mean = mean + 1 WHERE trial_index = 3"), 2, 0),
        (sql("UPDATE observations SET trial_index = 9 WHERE trial_index = 3"), 1, 0),
        (sql("UPDATE trials SET status = 'staged' WHERE trial_index = 5"), 1, 0),
        (sql("UPDATE trial_parameters SET value = 0.5 WHERE trial_index = 5"), 1, 0),
        (deploy_again, 0, 1),
    ],
    ids=["no result", "other result", "moved result", "forgotten", "other point", "repeated"],
)
def test_losses_and_repetitions_are_counted(
    harm: Callable[[Laboratory], None], lost: int, doubled: int, lab: Laboratory
) -> None:
    harm(lab)

    verdict = lab.judge()

    assert (len(verdict.lost), len(verdict.doubled)) == (lost, doubled)
    assert not verdict.has_survived


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE trials SET status = 'running' WHERE trial_index = 7",
        "DELETE FROM experiments",
        "UPDATE trials SET experiment_id = 7 WHERE trial_index = 7",
    ],
)
def test_what_else_is_wrong_is_told(text: str, lab: Laboratory) -> None:
    change(lab, text)

    assert lab.judge().broken


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        (Ended(None, 60.0, (), ""), "did not end within 60 s"),
        (Ended(1, 1.0, (), "our bug\n"), "exit code 1: our bug"),
        (Ended(0, 1.0, (), "Traceback (most recent call last):\n x\n"), "a traceback"),
    ],
)
def test_a_program_must_end_as_it_should(ended: Ended, told: str, lab: Laboratory) -> None:
    assert any(text.startswith(told) for text in lab.judge(ended).broken)


def test_the_table_adds_up_cases_of_one_name() -> None:
    def survive(_: object) -> Verdict:
        return Verdict()

    table = rows(
        [
            (Case(1, "a", survive), Verdict()),
            (Case(1, "a", survive), Verdict(lost=["trial 1 | all"])),
            (Case(2, "b", survive), Verdict(doubled=["x", "y"], injected=5)),
            (Case(3, "c", survive), NotPossibleError("needs strace")),
        ]
    )

    assert [row[2:6] for row in table] == [(2, 1, 1, 0), (5, 0, 0, 2), (0, 0, 0, 0)]
    assert [row.is_good for row in table] == [False, False, True]
    assert table[2].remark == "skipped: needs strace"
    last = as_markdown(table).splitlines()[-1]
    assert [cell.strip() for cell in last.split("|")[1:-1]] == ["all", "", "7", "1", "1", "2", ""]
