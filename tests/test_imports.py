"""What an import must not load, proved in an interpreter of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

TORCH = frozenset({"torch", "botorch", "gpytorch"})
QT = frozenset({"PySide6", "shiboken6", "pyqtgraph"})

IMPORT_ALL = """
import importlib, json, pkgutil, sys
found = []
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    found.append(name)
    path = getattr(module, "__path__", None) if name != "axdesk" else None
    for info in pkgutil.walk_packages(path or [], name + "."):
        importlib.import_module(info.name)
        found.append(info.name)
print(json.dumps({"imported": found, "loaded": sorted(sys.modules)}))
"""


def import_all(*names: str) -> tuple[list[str], set[str]]:
    """Import modules, and all that lie below packages other than axdesk itself.

    Returns:
        The imported modules, and the top-level names of everything loaded with them.
    """
    process = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *names], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    answer = json.loads(process.stdout)
    return answer["imported"], {name.split(".")[0] for name in answer["loaded"]}


@pytest.mark.parametrize(
    "door", ["axdesk", "axdesk.api.client", "axdesk.api.protocols", "axdesk.gui"]
)
def test_importing_a_door_loads_no_torch(door: str) -> None:
    imported, loaded = import_all(door)

    assert imported
    assert not loaded & TORCH


def test_the_api_is_entered_by_its_names_and_costs_nothing_before() -> None:
    code = """
import sys
import axdesk.api as api
heavy = {"numpy", "pandas", "pydantic", "scipy", "sqlalchemy", "torch"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
assert set(api.__all__) <= set(dir(api)) and set(api.__all__) == set(api._HOMES)
api.RangeParameterConfig, api.IRunner, api.IMetric, api.TOutcome
assert not heavy & set(sys.modules), heavy & set(sys.modules)
for name in api.__all__:
    assert getattr(api, name) is not None, name
# What `ax.api` exports.
from axdesk.api import Client, ChoiceParameterConfig, RangeParameterConfig, StorageConfig
from axdesk.api import TOutcome, TParameterization
assert "torch" not in sys.modules
try:
    api.nonsense
except AttributeError:
    print("done")
"""
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert process.stdout == "done\n", process.stderr


def test_only_the_window_loads_qt() -> None:
    imported, loaded = import_all("axdesk", "axdesk.api", "axdesk.headless")

    assert len(imported) > 2
    assert not loaded & QT


def test_generation_is_entered_without_torch() -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import axdesk.generation"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert not loaded_by(process.stderr) & TORCH


def loaded_by(import_times: str) -> set[str]:
    """Read the top-level names out of what ``python -X importtime`` writes."""
    return set(re.findall(r"^import time:.*\|\s*([^\s.|]+)[^|]*$", import_times, re.MULTILINE))


@pytest.mark.parametrize("arguments", [["--headless", "--help"], ["--headless", "run", "--help"]])
def test_the_command_line_loads_neither_qt_nor_torch(arguments: Sequence[str]) -> None:
    process = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "axdesk", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    loaded = loaded_by(process.stderr)

    assert process.returncode == 0, process.stderr[-2000:]
    assert "argparse" in loaded
    assert not loaded & (QT | TORCH)
