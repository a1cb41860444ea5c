"""What comes back from a damaged database."""

import os
import random
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from axdesk.core.errors import NotFoundError, StorageError, UserInputError
from axdesk.core.trial import TrialStatus
from axdesk.storage.salvage import SalvageReport, salvage
from axdesk.storage.store import SqlStore
from tests import strategies
from tests.storage.contract import named, trial
from tests.storage.files import PAGE, fill, flip, raw, rows, values


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two experiments of 100 trials each."""
    return fill(tmp_path_factory.mktemp("whole") / "lab.sqlite", trials=100)


@pytest.fixture(scope="module")
def known(whole: Path) -> set[tuple[object, ...]]:
    return rows(whole)


@pytest.fixture
def path(tmp_path: Path, whole: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "lab.sqlite"))


def salvaged(path: Path) -> tuple[SalvageReport, Path]:
    """Salvage; the new database is sound and usable, the damaged one is as it was."""
    before = path.read_bytes()
    target = path.with_name(f"salvaged-{len([*path.parent.iterdir()])}.sqlite")
    report = salvage(path, target)
    assert path.read_bytes() == before
    assert report.target == target
    with closing(SqlStore.at(target)) as store:
        assert store.all_damage() == ()
        openable = 0
        for summary in store.summaries():
            try:
                experiment = store.load_by_id(summary.id)
            except StorageError:
                continue
            openable += 1
            if experiment.runs:
                store.save_trial(experiment, trial(experiment.next_index))
        assert openable == report.experiments
    return report, target


def pages_of(path: Path, *tables: str) -> list[int]:
    listed = ", ".join(f"'{table}'" for table in tables)
    found = values(path, f"SELECT pageno FROM dbstat WHERE name IN ({listed}) ORDER BY pageno")
    return [int(str(page)) for (page,) in found]


def destroy(path: Path, pages: list[int], seed: int = 0) -> None:
    content = bytearray(path.read_bytes())
    noise = random.Random(seed)
    for page in pages:
        content[(page - 1) * PAGE : page * PAGE] = noise.randbytes(PAGE)
    path.write_bytes(content)


def test_all_of_a_sound_database_comes_back(
    path: Path, tmp_path: Path, known: set[tuple[object, ...]]
) -> None:
    report = salvage(path, tmp_path / "new.sqlite")

    assert rows(report.target) == known
    assert (report.rows_read, report.rows_lost) == (len(known), 0)
    assert (report.experiments, report.trials, report.remarks) == (2, 200, ())


@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_every_value_comes_back_as_it_was(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "any.sqlite"
    with closing(SqlStore.at(path)) as store:
        setup = named(data.draw(strategies.setups()))
        experiment = store.create(replace(setup, description=data.draw(strategies.texts) * 900))
        for index in range(data.draw(st.integers(0, 3))):
            store.save_trial(experiment, data.draw(strategies.trials(setup, index)))

    target = tmp_path / "new.sqlite"
    target.unlink(missing_ok=True)
    report = salvage(path, target)

    assert rows(target) == rows(path)
    assert report.rows_lost == 0


# Seed 2 takes the rows of trials and of their parameters at once, and nothing is left of those.
@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 6])
def test_destroyed_pages_cost_their_own_rows_only(
    path: Path, known: set[tuple[object, ...]], seed: int
) -> None:
    chosen = random.Random(seed).sample(range(1, path.stat().st_size // PAGE + 1), 3)
    destroy(path, chosen, seed)

    report, target = salvaged(path)

    assert report.trials == 200
    same = rows(target) & known
    assert len(same) >= len(known) / 2
    assert report.remarks


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bytes_cost_their_own_rows_only(
    path: Path, known: set[tuple[object, ...]], seed: int
) -> None:
    places = random.Random(seed)
    for _ in range(20):
        flip(path, places.randrange(path.stat().st_size))

    _, target = salvaged(path)

    assert len(rows(target) & known) >= len(known) - 60


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: flip(path, 0, 100),
        lambda path: destroy(path, [1]),
        lambda path: destroy(path, pages_of(path, "sqlite_schema")),
        lambda path: destroy(path, pages_of(path, "sqlite_autoindex_trials_1", "audit_experiment")),
        lambda path: flip(path, 18, 10),
    ],
)
def test_what_is_no_row_costs_none(
    path: Path, known: set[tuple[object, ...]], harm: Callable[[Path], None]
) -> None:
    harm(path)

    report, target = salvaged(path)

    assert known <= rows(target) | {row for row in known if row[0] == "experiments"}
    assert (report.experiments, report.trials) == (2, 200)


def test_pages_that_nothing_leads_to_any_more_are_found(
    path: Path, known: set[tuple[object, ...]]
) -> None:
    roots = values(
        path,
        "SELECT rootpage FROM sqlite_master "
        "WHERE name IN ('trials', 'trial_parameters', 'observations')",
    )
    destroy(path, [int(str(root)) for (root,) in roots])

    _, target = salvaged(path)

    lost = known - rows(target)
    assert len(lost) <= 10 + len([row for row in known if row[0] == "experiments"])


def test_what_is_missing_comes_from_the_newest_backup(
    path: Path, known: set[tuple[object, ...]]
) -> None:
    with closing(SqlStore.at(path)) as store:
        store.back_up()
    destroy(path, pages_of(path, "objective_terms", "experiments", "runs", "observations"))

    report, target = salvaged(path)

    assert known <= rows(target) | {row for row in known if row[0] == "experiments"}
    assert (report.experiments, report.trials) == (2, 200)
    assert any("backup of" in remark for remark in report.remarks)
    assert sum(table.rows_from_backup for table in report.tables) >= 200


def test_trials_whose_own_row_is_lost_keep_their_results(path: Path) -> None:
    destroy(path, pages_of(path, "trials", "runs"))

    report, target = salvaged(path)

    with closing(SqlStore.at(target)) as store:
        for name in ("a", "b"):
            trials = store.load(name).trials
            assert {t.status for index, t in trials.items() if index < 100} == {
                TrialStatus.COMPLETED
            }
            assert trials[7].observations[0].mean == 7.5
            assert trials[7].arm.parameters == {"x": 0.25, "n": 2}
    assert report.trials == 200


def test_trials_whose_results_are_lost_wait_for_them(path: Path) -> None:
    destroy(path, pages_of(path, "observations"))

    report, target = salvaged(path)

    with closing(SqlStore.at(target)) as store:
        lost = store.load("a").trial(7)
    assert (lost.status, lost.observations) == (TrialStatus.FAILED, ())
    assert "lost" in lost.reason
    assert report.experiments == 2


@pytest.mark.parametrize("share", [0.999, 0.95, 0.85])
def test_a_file_that_was_cut_off_gives_what_it_holds(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))

    report, _ = salvaged(path)

    assert report.experiments == 2
    assert report.trials > 100


def test_a_file_without_anything_of_ours_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("name;value\n" * 2000)
    other = tmp_path / "other.sqlite"
    with raw(other) as connection:
        connection.execute("CREATE TABLE invoices (id)")
    for path in (text, other):
        with pytest.raises(StorageError, match="Nothing of an axdesk database"):
            salvage(path, tmp_path / "new.sqlite")
    with pytest.raises(NotFoundError):
        salvage(tmp_path / "nowhere.sqlite", tmp_path / "new.sqlite")
    with pytest.raises(UserInputError, match="exists already"):
        salvage(text, other)
    with pytest.raises(StorageError) as caught:
        salvage(text, tmp_path / "nowhere" / "new.sqlite")
    assert caught.value.is_temporary
    assert {file.name for file in tmp_path.iterdir()} == {"notes.txt", "other.sqlite"}
