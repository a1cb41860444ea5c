"""The rules of the house that the import contracts cannot say."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import axdesk

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "axdesk"
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
# Arrays and small services of the system, which are no room's own.
SHARED_LIBRARIES = {"filelock", "numpy", "platformdirs", "scipy"}
PACKAGES = sorted(file.parent for file in PACKAGE.rglob("__init__.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_names(file: Path) -> Iterator[str]:
    """Yield what a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("core/**/*.py")), ids=relative)
def test_core_imports_only_the_standard_library_and_itself(file: Path) -> None:
    # `from axdesk import …` is foreign too: it would reach the public names, which lead to api.
    foreign = [
        name
        for name in imported_names(file)
        if name.split(".")[0] not in sys.stdlib_module_names and not is_inside(name, "axdesk.core")
    ]

    assert not foreign


@pytest.mark.parametrize("file", sorted(PACKAGE.glob("api/**/*.py")), ids=relative)
def test_only_the_optimizer_process_uses_both_generation_and_analysis(file: Path) -> None:
    names = list(imported_names(file))
    rooms = {
        room
        for room in ("axdesk.generation", "axdesk.analysis")
        if any(is_inside(name, room) for name in names)
    }

    assert len(rooms) < 2 or file.name == "optimizer_process.py"


def test_every_library_in_use_belongs_to_one_room_by_contract() -> None:
    files = PACKAGE.rglob("*.py")
    names = {name.split(".")[0] for file in files for name in imported_names(file)}
    libraries = names - sys.stdlib_module_names - SHARED_LIBRARIES - {"axdesk"}
    contracts = SETTINGS["tool"]["importlinter"]["contracts"]
    owned = {name for rule in contracts for name in rule.get("protected_modules", [])}

    assert libraries <= owned


@pytest.mark.parametrize("package", PACKAGES, ids=relative)
def test_every_package_says_what_it_is_for(package: Path) -> None:
    module = ast.parse((package / "__init__.py").read_text("utf-8"))

    assert ast.get_docstring(module)


def test_the_wheel_carries_every_package_and_the_resources() -> None:
    found = {".".join(package.relative_to(ROOT).parts) for package in PACKAGES}

    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == found | {"axdesk.resources"}


def test_every_folder_with_code_is_a_package() -> None:
    folders = {file.parent for file in PACKAGE.rglob("*.py")}

    assert folders == set(PACKAGES)


def test_only_the_named_entries_stand_at_the_top() -> None:
    listing = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        pytest.skip(f"not a git checkout: {listing.stderr.strip()}")
    entries = {line.split("/")[0] for line in listing.stdout.splitlines()}

    visible = {entry for entry in entries if not entry.startswith(".")}

    folders = {"axdesk", "packaging", "resources", "tests"}
    assert visible == folders | {"CHANGELOG.md", "README.md", "pyproject.toml"}


def test_the_version_stands_in_one_place() -> None:
    assert SETTINGS["project"]["dynamic"] == ["version"]
    assert axdesk.__version__.count(".") == 2
