"""Files of trials by the Python API: with and without a run, and through a snapshot."""

from contextlib import closing
from pathlib import Path

import pytest

from axdesk.api.client import Client
from axdesk.api.configs import RangeParameterConfig, StorageConfig
from axdesk.core.errors import NotFoundError, UnsupportedError


@pytest.fixture
def client(tmp_path: Path) -> Client:
    client = Client(StorageConfig(url=f"sqlite:///{tmp_path}/lab.sqlite"), random_seed=1)
    client.configure_experiment([RangeParameterConfig("x", (0.0, 1.0))], name="files")
    client.configure_optimization("y")
    return client


def test_a_file_stays_with_its_trial(client: Client, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    index = client.attach_trial({"x": 0.5})

    with closing(client):
        attachment = client.attach_file(index, photo)
        photo.unlink()
        assert client.attachment_path(attachment).read_bytes() == b"\x89PNG"
        assert client.experiment.trial(index).attachments == (attachment,)
        client.detach_file(index, attachment)
        assert client.experiment.trial(index).attachments == ()
        with pytest.raises(NotFoundError, match="has no file"):
            client.detach_file(index, attachment)
        told = [(e.action, e.before, e.after) for e in client.history(index)][1:]
        name = f"photo.png ({attachment.sha256[:12]})"
        assert told == [("attach_file", "", name), ("detach_file", name, "")]


def test_a_file_of_no_trial_is_not_kept(client: Client, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")

    with closing(client), pytest.raises(NotFoundError, match="no trial 7"):
        client.attach_file(7, photo)
    assert not (tmp_path / "lab.sqlite.files").exists()


def test_a_snapshot_names_the_files_that_lie_elsewhere(client: Client, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    with closing(client):
        index = client.attach_trial({"x": 0.5})
        attachment = client.attach_file(index, photo)
        client.save_to_json_file(tmp_path / "all.json")

    with closing(Client.load_from_json_file(tmp_path / "all.json")) as copy:
        assert copy.experiment.trial(index).attachments == (attachment,)
        with pytest.raises(NotFoundError, match="in memory"):
            copy.attachment_path(attachment)
        with pytest.raises(UnsupportedError, match="in memory"):
            copy.attach_file(index, photo)
