"""Trust: no byte of a plugin file is run that the operator did not trust, by whatever way."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from axdesk.api.workspace import Workspace
from axdesk.core.draft_cells import Problems
from axdesk.core.drafts import draft_of
from axdesk.core.errors import NotFoundError, PluginError, UnusablePluginError, UserInputError
from axdesk.core.plugins import Hold, PluginChoice, PluginFile, PluginState, TrustedPlaces
from axdesk.core.resources import resource_path
from axdesk.plugins.trust import PluginTrust
from tests.gui.test_window_run import bowl_setup

MARKING = """
from pathlib import Path
with Path(__file__).with_suffix(".ran").open("a") as marks:
    marks.write("x")
"""
GOOD = """
from axdesk.api.protocols.runner import IRunner, TrialStatus
class Bowl(IRunner):
    def run_trial(self, trial_index, parameterization):
        return {}
    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
from axdesk.api.protocols.metric import IMetric
class Depth(IMetric):
    def fetch(self, trial_index, trial_metadata):
        return 0, 1.0
"""


class Folder:
    """A plugin folder with one file, and a workspace that asks for trust."""

    def __init__(self, base: Path) -> None:
        self.path = base / "plugins"
        self.path.mkdir()
        self.file = self.path / "bowl.py"
        self.file.write_text(MARKING + GOOD, "utf-8")
        self.trust_file = base / "settings" / "trust.json"
        self.workspace = Workspace(base / "lab.db", self.path, trust_file=self.trust_file)

    def runs(self) -> int:
        marks = self.file.with_suffix(".ran")
        return len(marks.read_text()) if marks.exists() else 0

    def listed(self, *, anew: bool = False) -> PluginFile:
        [file] = self.workspace.catalogue(anew=anew).files
        return file

    def trust(self) -> None:
        file = self.listed()
        self.workspace.trust.trust_file(Path(file.path), file.sha256)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_file_is_run_only_as_it_was_trusted(folder: Folder) -> None:
    file = folder.listed()
    assert (file.state, file.plugins) == (PluginState.UNTRUSTED, ())
    assert file.size == folder.file.stat().st_size
    assert file.path == str(folder.file)
    assert folder.runs() == 0
    folder.trust()
    assert folder.listed().state is PluginState.LOADED
    assert folder.runs() == 1
    # The same again costs nothing; another content is asked for again, the former is known still.
    folder.listed()
    assert folder.runs() == 1
    folder.file.write_text(MARKING + GOOD + "# more\n", "utf-8")
    assert folder.listed().state is PluginState.CHANGED
    assert folder.listed(anew=True).state is PluginState.CHANGED
    assert folder.runs() == 1
    folder.file.write_text(MARKING + GOOD, "utf-8")
    assert folder.listed().state is PluginState.LOADED
    # A copy under another name, or in another folder, is another file.
    (folder.path / "copy.py").write_text(MARKING + GOOD, "utf-8")
    states = {f.name: f.state for f in folder.workspace.catalogue().files}
    assert states["copy.py"] is PluginState.UNTRUSTED
    folder.workspace.close()


def test_no_way_leads_around_it(folder: Folder) -> None:
    workspace, setup = folder.workspace, bowl_setup()
    experiment_id = workspace.create_from_setup(setup)
    found = workspace.check(draft_of(setup), experiment_id)
    assert isinstance(found, Problems)
    assert any("not trusted" in problem.message for problem in found.items)
    with pytest.raises(UnusablePluginError, match="not trusted"):
        workspace.open(experiment_id)
    with pytest.raises(UnusablePluginError, match="not trusted"):
        workspace.check_plugin_file(folder.file)
    test = workspace.dry_test(setup, workspace.dry_test_values(setup)).run(lambda _: None)
    assert "not trusted" in test.steps[0].text
    assert folder.runs() == 0
    folder.trust()
    client = workspace.open(experiment_id)
    # What the run has loaded goes on; what lies there by now is asked for.
    folder.file.write_text(MARKING + "raise SystemExit", "utf-8")
    client.run_trials(1, 1, 0.5, 0.01)
    assert client.experiment.trials[0].status.name == "COMPLETED"
    client.close()
    with pytest.raises(UnusablePluginError, match="changed since it was trusted"):
        workspace.open(experiment_id)
    workspace.close()


def test_a_trusted_folder_takes_every_change(folder: Folder) -> None:
    folder.workspace.trust.trust_folder(folder.path)
    assert folder.listed().state is PluginState.LOADED
    folder.file.write_text(MARKING + GOOD + "# more\n", "utf-8")
    (folder.path / "broken.py").write_text("1 / 0", "utf-8")
    states = {f.name: f.state for f in folder.workspace.catalogue().files}
    assert states == {"bowl.py": PluginState.LOADED, "broken.py": PluginState.ERROR}
    # Folders below it are other folders.
    below = folder.path / "below"
    below.mkdir()
    (below / "deep.py").write_text(MARKING, "utf-8")
    [deep] = folder.workspace.catalogue(str(below)).files
    assert deep.state is PluginState.UNTRUSTED
    folder.workspace.close()


def test_a_folder_that_a_command_names_is_trusted_until_the_program_ends(folder: Folder) -> None:
    folder.workspace.trust.trust_for_now(folder.path)
    assert folder.listed().state is PluginState.LOADED
    assert not folder.trust_file.exists()
    folder.workspace.close()


def test_what_comes_with_axdesk_is_trusted(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "lab.db", trust_file=tmp_path / "trust.json")
    files = workspace.catalogue(str(resource_path("plugins"))).files
    assert {f.state for f in files} == {PluginState.LOADED}
    assert not (tmp_path / "trust.json").exists()
    workspace.close()


def test_without_a_trust_file_every_folder_is_trusted(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "bowl.py").write_text(GOOD, "utf-8")
    workspace = Workspace(tmp_path / "lab.db", plugins)
    [file] = workspace.catalogue().files
    assert file.state is PluginState.LOADED
    workspace.trust.set_enabled(plugins / "bowl.py", is_enabled=False)
    [file] = workspace.catalogue().files
    assert file.state is PluginState.DISABLED
    workspace.close()


def test_a_disabled_file_is_left_out_until_it_is_enabled(folder: Folder) -> None:
    folder.trust()
    folder.workspace.trust.set_enabled(folder.file, is_enabled=False)
    assert folder.listed().state is PluginState.DISABLED
    with pytest.raises(NotFoundError, match="disabled"):
        folder.workspace.catalogue().find("bowl.py:Bowl")
    folder.workspace.trust.set_enabled(folder.file, is_enabled=True)
    assert folder.listed().state is PluginState.LOADED
    folder.workspace.close()


def test_changed_files_are_only_listed_while_they_must_not_be_loaded(folder: Folder) -> None:
    folder.workspace.trust.trust_folder(folder.path)
    assert folder.listed().state is PluginState.LOADED
    folder.file.write_text(MARKING + GOOD + "# more\n", "utf-8")
    (folder.path / "new.py").write_text(MARKING, "utf-8")
    files = {f.name: f for f in folder.workspace.catalogue(loads=False).files}
    assert files["bowl.py"].hold is Hold.IN_USE
    assert {f.state for f in files.values()} == {PluginState.CHANGED}
    assert folder.runs() == 1
    states = {f.name: f.state for f in folder.workspace.catalogue().files}
    assert set(states.values()) == {PluginState.LOADED}
    folder.workspace.close()


def test_it_outlives_the_program_and_other_windows_hear_of_it(folder: Folder) -> None:
    other = Workspace(folder.path.parent / "lab2.db", folder.path, trust_file=folder.trust_file)
    assert other.catalogue().files[0].state is PluginState.UNTRUSTED
    folder.trust()
    assert other.catalogue().files[0].state is PluginState.LOADED
    other.close()
    folder.workspace.close()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": []}', '{"folders": {}}'])
def test_a_trust_file_that_cannot_be_read_trusts_nothing_and_is_told(
    folder: Folder, content: str
) -> None:
    folder.trust_file.parent.mkdir()
    folder.trust_file.write_text(content, "utf-8")
    with pytest.raises(PluginError, match="cannot be read"):
        folder.workspace.catalogue()
    with pytest.raises(PluginError, match="cannot be read"):
        folder.workspace.trust.trust_folder(folder.path)
    assert folder.runs() == 0
    assert folder.trust_file.read_text("utf-8") == content
    folder.workspace.close()


def test_threads_that_say_something_at_once_lose_nothing(tmp_path: Path) -> None:
    trust = PluginTrust(tmp_path / "trust.json")

    def say(number: int) -> None:
        for turn in range(10):
            trust.trust_file(tmp_path / f"{number}_{turn}.py", "a" * 64)

    threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads((tmp_path / "trust.json").read_text("utf-8"))["files"]) == 40
    assert [file.name for file in tmp_path.iterdir()] == ["trust.json"]


BAD_CLASSES = """
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
class Short(IRunner):
    def run_trial(self, trial_index):
        return {}
    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
class Waiting(IRunner):
    async def run_trial(self, trial_index, parameterization):
        return {}
    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
class Raising(IRunner):
    def __init__(self, port: int = 3):
        raise OSError("no instrument at the port")
    def run_trial(self, trial_index, parameterization):
        return {}
    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
class Needing(IMetric):
    def __init__(self, name, channel: int):
        super().__init__(name)
    def fetch(self, *about):
        return 0, 1.0
class Wide(IMetric):
    @staticmethod
    def fetch(trial_index, trial_metadata, more=1):
        return 0, 1.0
"""


def test_each_class_is_checked_and_nothing_moves(tmp_path: Path) -> None:
    file = tmp_path / "bad.py"
    file.write_text(BAD_CLASSES, "utf-8")
    workspace = Workspace(tmp_path / "lab.db", tmp_path)
    checks = {c.reference.partition(":")[2]: c for c in workspace.check_plugin_file(file)}
    assert (
        "Short.run_trial is called with (trial_index, parameterization)" in checks["Short"].problem
    )
    assert "async" in checks["Waiting"].problem
    assert "no instrument at the port" in checks["Raising"].problem
    assert str(file) in checks["Raising"].details
    assert "channel" in checks["Needing"].note
    assert (checks["Wide"].problem, checks["Wide"].note) == ("", "")
    options = {"bad.py:Needing": {"channel": 2}}
    checks = {
        c.reference.partition(":")[2]: c for c in workspace.check_plugin_file(file, options=options)
    }
    assert (checks["Needing"].problem, checks["Needing"].note) == ("", "")
    for content, told in (
        ("import time; time.sleep(100)", "not loaded within"),
        ("import os; os._exit(3)", "exit status 3"),
        ("1 / 0", "ZeroDivisionError"),
    ):
        file.write_text(content, "utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("axdesk.plugins.hosts.SECONDS_TO_DESCRIBE", 2.0)
            with pytest.raises(PluginError, match=told):
                workspace.check_plugin_file(file)
    workspace.close()


def test_a_new_plugin_works_as_it_is(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "lab.db", tmp_path)
    path = workspace.new_plugin_file("my_furnace")
    assert path == tmp_path / "my_furnace.py"
    [file] = workspace.catalogue().files
    assert [p.reference for p in file.plugins] == [
        "my_furnace.py:MyFurnaceRunner",
        "my_furnace.py:MyFurnaceMetric",
    ]
    assert all(not c.problem and not c.note for c in workspace.check_plugin_file(path))
    setup = bowl_setup()
    setup = replace(
        setup,
        runner=PluginChoice("my_furnace.py:MyFurnaceRunner", {"seconds": 0.1}),
        metrics=(("depth", PluginChoice("my_furnace.py:MyFurnaceMetric", {})),),
    )
    test = workspace.dry_test(setup, {"x": 1.0, "y": -0.5}).run(lambda _: None)
    assert test.outcome is not None
    assert test.outcome.value == "passed"
    assert test.steps[-1].text.startswith("0.5")
    for name in ("my_furnace", "My_Furnace.py", "", "_x", "1x", "a/b", "a b", ".x"):
        with pytest.raises(UserInputError):
            workspace.new_plugin_file(name)
    with pytest.raises(NotFoundError):
        workspace.new_plugin_file("x", str(tmp_path / "none"))
    workspace.close()


def test_what_was_trusted_is_listed_and_can_be_taken_back(tmp_path: Path) -> None:
    file, folder = tmp_path / "trust.json", tmp_path / "lab"
    trust = PluginTrust(file)
    trust.trust_file(folder / "cell.py", "1" * 64)
    trust.trust_folder(folder)
    assert trust.places() == TrustedPlaces((str(folder),), (str(folder / "cell.py"),))
    trust.forget(folder)
    assert trust.hold(folder / "cell.py", "2" * 64) is Hold.CHANGED
    trust.forget(folder / "cell.py")
    assert trust.hold(folder / "cell.py", "1" * 64) is Hold.UNTRUSTED
    assert PluginTrust(file).places() == TrustedPlaces()
