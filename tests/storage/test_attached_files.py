"""The files of trials, on a real disk."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from axdesk.core.commands import AttachFile
from axdesk.core.errors import NotFoundError, StorageError, UnsupportedError, UserInputError
from axdesk.orchestration.trial_commands import apply_to_trial
from axdesk.storage import attached_files
from axdesk.storage.store import SqlStore
from tests.storage.contract import SETUP, started, trial

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lab" / "experiments.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    with closing(SqlStore.at(path)) as store:
        yield store


@pytest.fixture
def spectrum(tmp_path: Path) -> Path:
    file = tmp_path / "Spektrum µ 1.csv"
    file.write_bytes(b"1;2\r\n" * 300_000)
    return file


def kept_files(path: Path) -> list[Path]:
    return sorted(f for f in path.with_name(path.name + ".files").rglob("*") if f.is_file())


def test_a_file_is_kept_once_under_its_hash(store: SqlStore, path: Path, spectrum: Path) -> None:
    first, again = store.keep_file(spectrum, NOW), store.keep_file(spectrum, NOW)
    content = spectrum.read_bytes()
    spectrum.unlink()

    assert first == again
    assert (first.name, first.size) == (spectrum.name, len(content))
    assert store.path_of(first).read_bytes() == content
    assert kept_files(path) == [store.path_of(first)]
    assert store.path_of(first).parent.name == first.sha256


def test_files_of_one_name_and_files_of_one_content_do_not_meet(
    store: SqlStore, tmp_path: Path
) -> None:
    sources = {}
    for folder, name, content in (("a", "x.txt", b"1"), ("b", "x.txt", b"2"), ("c", "y.txt", b"1")):
        (tmp_path / folder).mkdir()
        source = tmp_path / folder / name
        source.write_bytes(content)
        sources[source] = store.keep_file(source, NOW)

    for source, attachment in sources.items():
        assert store.path_of(attachment).name == source.name
        assert store.path_of(attachment).read_bytes() == source.read_bytes()


def test_a_file_that_is_gone_or_changed_is_told(store: SqlStore, spectrum: Path) -> None:
    attachment = store.keep_file(spectrum, NOW)
    place = store.path_of(attachment)

    place.write_bytes(b"0" * attachment.size)
    with pytest.raises(NotFoundError, match="was changed since it was attached"):
        store.path_of(attachment)
    assert store.keep_file(spectrum, NOW) == attachment  # which mends it
    assert store.path_of(attachment) == place
    place.unlink()
    with pytest.raises(NotFoundError, match="is gone"):
        store.path_of(attachment)


def test_what_cannot_be_kept_is_told_and_leaves_nothing(
    store: SqlStore, path: Path, spectrum: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserInputError, match="cannot be attached"):
        store.keep_file(spectrum.with_name("none"), NOW)
    with pytest.raises(UserInputError, match="cannot be attached"):
        store.keep_file(spectrum.parent, NOW)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(attached_files, "put", full)
    with pytest.raises(StorageError, match="No space left"):
        store.keep_file(spectrum, NOW)
    assert kept_files(path) == []


def test_a_database_in_memory_keeps_no_files(spectrum: Path) -> None:
    with closing(SqlStore.in_memory()) as store, pytest.raises(UnsupportedError, match="in memory"):
        store.keep_file(spectrum, NOW)


def test_deleting_an_experiment_deletes_the_files_that_no_other_has(
    store: SqlStore, path: Path, tmp_path: Path
) -> None:
    shared, own = tmp_path / "shared.txt", tmp_path / "own.txt"
    shared.write_text("shared")
    own.write_text("own")
    files = [store.keep_file(shared, NOW), store.keep_file(own, NOW)]
    experiment, other = started(store), store.create(replace(SETUP, name="other"))
    store.save_trial(experiment, trial(0, attachments=tuple(files)))
    store.save_trial(other, trial(0, run_index=None, attachments=(files[0],)))
    assert store.load("coupling").trials[0].attachments == tuple(files)

    store.delete(experiment.id)

    assert kept_files(path) == [store.path_of(files[0])]


def test_a_file_attached_twice_is_there_once(store: SqlStore, spectrum: Path) -> None:
    experiment = started(store)
    store.save_trial(experiment, trial(0))
    for _ in range(2):
        command = AttachFile(0, store.keep_file(spectrum, datetime.now(UTC)))
        apply_to_trial(experiment, store, command, NOW)

    assert len(experiment.trials[0].attachments) == 1
    assert experiment.trials == store.load("coupling").trials
