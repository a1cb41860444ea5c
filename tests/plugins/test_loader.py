"""Plugin folders with odd files."""

import hashlib
import sys
from pathlib import Path

import pytest

from axdesk.core.errors import NotFoundError
from axdesk.core.plugins import PluginFile, PluginKind
from axdesk.plugins.loader import load_plugins

IMPORTS = """\
from abc import ABC, abstractmethod
from axdesk.api.protocols.metric import IMetric
from axdesk.api.protocols.runner import IRunner, TrialStatus
"""
RUNNER = """
class {name}(IRunner):
    def run_trial(self, trial_index, parameterization):
        return {{"answer": {answer}}}
    def poll_trial(self, trial_index, trial_metadata):
        return TrialStatus.COMPLETED
"""


def runner(name: str = "Good", answer: int = 0) -> str:
    return IMPORTS + RUNNER.format(name=name, answer=answer)


def load_one(folder: Path, source: str | bytes, name: str = "lab.py") -> PluginFile:
    """Return how a file is listed beside a good one, which must stay usable."""
    (folder / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    (folder / "zz_good.py").write_text(runner())
    catalogue = load_plugins(folder).catalogue
    assert catalogue.find("zz_good.py:Good").kind is PluginKind.RUNNER
    file = catalogue.files[0]
    assert file.name == name
    return file


def names(file: PluginFile) -> list[str]:
    return [plugin.class_name for plugin in file.plugins]


def test_public_runners_and_metrics_of_the_file_itself_are_found(tmp_path: Path) -> None:
    source = (
        runner("Furnace")
        + '''
class _Hidden(Furnace): pass
class Hot(Furnace):
    """A hot one.

    More.
    """
    def stop_trial(self, trial_index, trial_metadata): return {}
    def find_trial(self, trial_index, parameterization): return None
Alias = Hot
class Weight(IMetric):
    def fetch(self, trial_index, trial_metadata): return 0, 1.0
class Neither: pass
def function(): pass
'''
    )

    file = load_one(tmp_path, source)

    assert names(file) == ["Furnace", "Hot", "Weight"]
    furnace, hot, weight = file.plugins
    assert (furnace.can_stop, furnace.can_find, furnace.summary) == (False, False, "")
    assert (hot.can_stop, hot.can_find, hot.summary) == (True, True, "A hot one.")
    assert (weight.kind, weight.reference) == (PluginKind.METRIC, "lab.py:Weight")
    assert file.error == ""
    assert file.sha256 == hashlib.sha256(source.encode()).hexdigest()


def test_bases_are_no_plugins_and_no_problem(tmp_path: Path) -> None:
    source = IMPORTS + (
        "class Marked(IRunner, ABC): pass\n"
        "class Declared(IMetric):\n"
        "    @abstractmethod\n"
        "    def port(self): ...\n"
        "class Parent(IRunner):\n"
        "    def poll_trial(self, trial_index, trial_metadata): ...\n"
        "class Child(Parent):\n"
        "    def run_trial(self, trial_index, parameterization): ...\n"
    )

    file = load_one(tmp_path, source)

    assert names(file) == ["Child"]
    assert file.error == ""


def test_a_class_with_a_missing_method_is_told_and_the_others_load(tmp_path: Path) -> None:
    source = runner() + (
        "class Half(IRunner):\n"
        "    def run_trial(self, trial_index, parameterization): ...\n"
        "class Empty(IRunner): pass\n"
    )

    file = load_one(tmp_path, source)

    assert names(file) == ["Good"]
    assert file.error == (
        "The class Half lacks the method poll_trial(). "
        "The class Empty lacks the method poll_trial() and run_trial()."
    )


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = 1\nclass (:\n", "not valid Python in line 2"),
        ("x = '\n", "not valid Python in line 1"),
        (b"name = '\xe9'\n", "not valid Python"),
        (b"\x00\x01", "not valid Python|null bytes"),
        ("import a_package_of_nobody\n", "needs the package 'a_package_of_nobody'"),
        ("import zz_good\n", "neighbour 'zz_good'"),
        ("raise ValueError('no port')\n", "raises ValueError: no port when"),
        ("import sys\nsys.exit(2)\n", r"ends the program \(sys.exit\)"),
        ("class Odd(BaseException): pass\nraise Odd\n", "raises Odd when"),
        (
            "class Odd(Exception):\n    def __str__(self): raise OSError\nraise Odd\n",
            "raises Odd: <exception str",
        ),
    ],
)
def test_a_broken_file_is_listed_with_its_reason(
    tmp_path: Path, source: str | bytes, error: str
) -> None:
    modules = set(sys.modules)

    file = load_one(tmp_path, source)

    assert names(file) == []
    assert len(file.sha256) == 64
    with pytest.raises(NotFoundError, match=error):
        load_plugins(tmp_path).catalogue.find("lab.py:Any")
    left = {name for name in set(sys.modules) - modules if name.endswith("_lab")}
    assert not left


def test_the_details_are_a_traceback_from_the_file_on(tmp_path: Path) -> None:
    file = load_one(tmp_path, "def connect():\n    raise OSError('no port')\nconnect()\n")

    frames = [line for line in file.details.splitlines() if line.startswith("  File")]
    assert [frame.rpartition(", line ")[2] for frame in frames] == [
        "3, in <module>",
        "2, in connect",
    ]
    assert "lab.py" in frames[0]
    assert file.details.endswith("OSError: no port\n")


def test_an_unsupported_option_is_its_class_s_problem(tmp_path: Path) -> None:
    source = runner() + (
        "class Wide(Good):\n"
        '    """Takes a dict."""\n'
        "    def __init__(self, ports: dict[str, int]) -> None: ...\n"
    )

    file = load_one(tmp_path, source)

    assert names(file) == ["Good"]
    assert "option 'ports' of Wide has the type hint dict[str, int]" in file.error


def test_only_python_files_in_sight_are_read(tmp_path: Path) -> None:
    for name in ("_shared.py", ".#lab.py", "notes.txt", "lab.pyc"):
        (tmp_path / name).write_text("raise ValueError")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "empty.py").touch()
    (tmp_path / "Größe 2.py").write_text(runner(), "utf-8")

    catalogue = load_plugins(tmp_path).catalogue

    assert [(file.name, file.error) for file in catalogue.files] == [
        ("Größe 2.py", ""),
        ("empty.py", ""),
    ]
    assert catalogue.folder == str(tmp_path)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nowhere does not exist"):
        load_plugins(tmp_path / "nowhere")


def test_files_of_equal_name_do_not_meet(tmp_path: Path) -> None:
    loaded = []
    for answer, folder in enumerate((tmp_path / "a", tmp_path / "b")):
        folder.mkdir()
        (folder / "lab.py").write_text(runner(answer=answer))
        loaded.append(load_plugins(folder))

    answers = [plugins.classes["lab.py:Good"]().run_trial(0, {}) for plugins in loaded]  # type: ignore[union-attr,call-arg]

    assert answers == [{"answer": 0}, {"answer": 1}]


def test_a_changed_file_gives_its_new_code_at_once(tmp_path: Path) -> None:
    answers, hashes = [], []
    for answer in (1, 2):
        # Of equal size and within one second: what Python's own cache would not notice.
        (tmp_path / "lab.py").write_text(runner(answer=answer))
        plugins = load_plugins(tmp_path)
        answers.append(plugins.classes["lab.py:Good"]().run_trial(0, {}))  # type: ignore[union-attr,call-arg]
        hashes.append(plugins.catalogue.files[0].sha256)

    assert answers == [{"answer": 1}, {"answer": 2}]
    assert hashes[0] != hashes[1]


def test_loading_leaves_the_path_and_the_folder_alone(tmp_path: Path) -> None:
    before = list(sys.path)

    load_one(tmp_path, runner())

    assert sys.path == before
    assert {entry.name for entry in tmp_path.iterdir()} == {"lab.py", "zz_good.py"}


def test_dataclasses_and_future_annotations_work(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        + runner("Base")
        + "@dataclass\nclass Bench(Base):\n    port: int\n    label: str | None = None\n"
    )

    file = load_one(tmp_path, source)

    assert file.error == ""
    bench = file.plugins[1]
    assert [(o.name, o.kind, o.is_required, o.is_optional) for o in bench.options] == [
        ("port", "int", True, False),
        ("label", "str", False, True),
    ]
