"""Reading a plugin folder: every file is loaded by its path, and a broken one stops no other."""

import hashlib
import importlib.util
import inspect
import itertools
import re
import sys
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

from axdesk.core.errors import NotFoundError, PluginError
from axdesk.core.laboratory import IMetric, IRunner
from axdesk.core.plugins import PluginCatalogue, PluginDescription, PluginFile
from axdesk.plugins.describe import TPluginClass, described
from axdesk.plugins.failures import reason_of, traceback_of

MODULE_PREFIX = "axdesk_plugins."
"""Modules of plugin files are called so, and then by a number that no other has."""

_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class LoadedPlugins:
    """A plugin folder with its classes, in the process that runs them.

    Attributes:
        catalogue: What the rest of the house sees.
        classes: Reference → class, of every plugin of the catalogue.
    """

    catalogue: PluginCatalogue
    classes: Mapping[str, TPluginClass]


def load_plugins(folder: Path) -> LoadedPlugins:
    """Load the `*.py` files of a folder, except those whose names start with `_` or a dot.

    Each call runs the files anew, so that a changed file gives its new code.

    Raises:
        NotFoundError: If there is no such folder.
    """
    files: list[PluginFile] = []
    classes: dict[str, TPluginClass] = {}
    for path in plugin_paths(folder):
        source = read_plugin(path)
        if isinstance(source, PluginFile):
            files.append(source)
            continue
        file, found = load_file(path, source)
        files.append(file)
        classes |= found
    return LoadedPlugins(PluginCatalogue(str(folder), tuple(files)), classes)


def plugin_paths(folder: Path) -> list[Path]:
    """Return the plugin files of a folder, in order of name.

    Raises:
        NotFoundError: If there is no such folder.
    """
    if not folder.is_dir():
        raise NotFoundError(
            f"The plugin folder {folder} does not exist.", "Create it or choose another one."
        )
    paths = sorted(folder.glob("*.py"))
    return [path for path in paths if path.name[0] not in "_." and path.is_file()]


def read_plugin(path: Path) -> bytes | PluginFile:
    """Return the bytes of a plugin file, or, if it cannot be read, what the catalogue says."""
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"It cannot be read: {error.strerror}."
        return PluginFile(path.name, "", error=problem, path=str(path))


def load_file(path: Path, source: bytes) -> tuple[PluginFile, dict[str, TPluginClass]]:
    """Run a plugin file.

    Args:
        path: What its code takes itself for.
        source: What is run, whatever the file holds by now.

    Returns:
        Its description, and its usable classes by reference.
    """
    sha256 = hashlib.sha256(source).hexdigest()
    try:
        module = _module(path, source)
    except BaseException as error:  # noqa: BLE001  # plugin border: sys.exit() and Ctrl-C's, too
        details = traceback_of(error)
        file = PluginFile(path.name, sha256, error=_load_error(path, error), details=details)
        return replace(file, path=str(path), size=len(source)), {}
    classes, problems = _usable_classes(module)
    plugins: list[PluginDescription] = []
    usable: dict[str, TPluginClass] = {}
    for name, cls in classes.items():
        reference = f"{path.name}:{name}"
        try:
            plugins.append(described(cls, reference))
        except PluginError as error:
            problems.append(str(error))
        else:
            usable[reference] = cls
    file = PluginFile(path.name, sha256, tuple(plugins), error=" ".join(problems))
    return replace(file, path=str(path), size=len(source)), usable


def _module(path: Path, source: bytes) -> ModuleType:
    # Compiled from the bytes that were hashed: Python's cache would give a changed file of equal
    # size and second its old code, and write into the laboratory's folder.
    code = compile(source, str(path), "exec", dont_inherit=True)
    name = f"{MODULE_PREFIX}p{next(_numbers)}_{re.sub(r'[^0-9A-Za-z_]', '_', path.stem)}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and type hints look their module up here.
    sys.modules[name] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load_error(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        line = f" in line {error.lineno}" if error.lineno else ""
        return f"It is not valid Python{line}: {error.msg}."
    if isinstance(error, ModuleNotFoundError) and error.name:
        if path.with_name(f"{error.name.partition('.')[0]}.py").is_file():
            return (
                f"It imports its neighbour {error.name!r}, but plugin files stand alone. "
                "Put both into one file, or install the shared one as a package."
            )
        return f"It needs the package {error.name!r}, which is not installed."
    if isinstance(error, SystemExit):
        return "It ends the program (sys.exit) when it is loaded."
    return f"It raises {reason_of(error)} when it is loaded."


def _usable_classes(module: ModuleType) -> tuple[dict[str, TPluginClass], list[str]]:
    """Return the public plugin classes that the file defines, and what is wrong with others."""
    defined = [
        cls
        for cls in dict.fromkeys(value for value in vars(module).values() if inspect.isclass(value))
        if cls.__module__ == module.__name__ and issubclass(cls, IRunner | IMetric)
    ]
    usable: dict[str, TPluginClass] = {}
    problems: list[str] = []
    for cls in defined:
        if cls.__name__.startswith("_"):
            continue
        missing: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
        if not missing:
            usable[cls.__name__] = cls
        elif not _is_meant_as_base(cls, defined):
            methods = " and ".join(f"{name}()" for name in sorted(missing))
            problems.append(f"The class {cls.__name__} lacks the method {methods}.")
    return usable, problems


def _is_meant_as_base(cls: type, defined: list[TPluginClass]) -> bool:
    own_abstract = any(getattr(v, "__isabstractmethod__", False) for v in vars(cls).values())
    has_children = any(other is not cls and issubclass(other, cls) for other in defined)
    return ABC in cls.__bases__ or own_abstract or has_children
