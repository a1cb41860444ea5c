"""Where axdesk keeps what is the user's, and a database that was moved."""

from pathlib import Path

import pytest

from axdesk.api.places import data_folder, default_database_path, remember_database
from axdesk.api.workspace import Workspace
from axdesk.core.errors import StorageError


def test_the_default_lies_in_the_users_data_folder(home: Path) -> None:
    path = default_database_path()

    assert path.is_relative_to(home)
    assert not path.parent.exists()
    Workspace().close()
    assert path.is_file()


def test_a_moved_database_is_the_usual_one_from_then_on(home: Path, tmp_path: Path) -> None:
    moved = tmp_path / "Lab µ" / "axdesk.sqlite"
    Workspace(moved).close()
    remember_database(moved)
    workspace = Workspace()
    assert workspace.database == moved
    workspace.close()
    assert data_folder().is_relative_to(home)


def test_no_new_database_is_made_where_one_was_moved_to_a_drive_that_is_away(
    tmp_path: Path,
) -> None:
    away = tmp_path / "drive" / "axdesk.sqlite"
    remember_database(away)
    with pytest.raises(StorageError, match="is not there"):
        Workspace()
    assert not away.parent.exists()


def test_a_place_that_cannot_be_read_is_told_and_not_taken_for_none() -> None:
    data_folder().mkdir(parents=True)
    (data_folder() / "database_place.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(StorageError, match="cannot be read"):
        Workspace()
