"""What the pre-flight finds in an experiment file, and what loads of a plugin folder."""

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from axdesk.api.rescue import default_database_path
from axdesk.api.workspace import Workspace
from axdesk.core.drafts import draft_of
from axdesk.core.errors import NotFoundError, PreflightError
from axdesk.core.preflight import Verdict
from axdesk.core.setup import ExperimentSetup
from axdesk.headless.output import Lines

_MARKS = {Verdict.PASSED: "ok     ", Verdict.WARNING: "WARNING", Verdict.PROBLEM: "PROBLEM"}


def check(options: argparse.Namespace, lines: Lines) -> bool:
    """Write what is found; return whether nothing keeps a run from starting."""
    path: Path | None = options.path
    if path is None or path.is_dir() or path.suffix == ".py":
        return _check_plugins(options, path, lines)
    database = options.database or default_database_path()
    with _workspace(options, database) as workspace:
        wanted = workspace.read_file(path)
        setup = _freely_named(workspace, wanted)
        found = workspace.preflight(draft_of(setup), database=database)
    if setup.name != wanted.name:
        message = f"an experiment {wanted.name} exists; a new run is called {setup.name}"
        lines.write(f"{_MARKS[Verdict.WARNING]}  Name: {message}")
    for line in found.lines:
        lines.write(f"{_MARKS[line.verdict]}  {line.title}: {line.message}")
    return found.may_start


def refuse_problems(workspace: Workspace, setup: ExperimentSetup) -> None:
    """Refuse a set-up that cannot be run as a new experiment.

    Raises:
        PreflightError: With every problem of the pre-flight.
    """
    draft = draft_of(_freely_named(workspace, setup))
    problems = workspace.preflight(draft).of(Verdict.PROBLEM)
    if problems:
        told = tuple(f"{line.title}: {line.message}" for line in problems)
        raise PreflightError(f"{setup.name} cannot run yet.", problems=told)


def _freely_named(workspace: Workspace, setup: ExperimentSetup) -> ExperimentSetup:
    """A run gives a name that is taken a number, so that is no problem here."""
    return replace(setup, name=workspace.free_name(setup.name))


def _check_plugins(options: argparse.Namespace, path: Path | None, lines: Lines) -> bool:
    is_file = path is not None and path.suffix == ".py"
    folder = path.parent if path is not None and is_file else path
    with _workspace(options, options.database or default_database_path()) as workspace:
        catalogue = workspace.catalogue("" if folder is None else str(folder))
    wanted = path.name if path is not None and is_file else ""
    files = [file for file in catalogue.files if file.name == wanted or not wanted]
    if is_file and not files:
        raise NotFoundError(f"There is no plugin file {path}.", "Check the path.")
    lines.write(f"Plugin folder {catalogue.folder}")
    for file in files:
        names = ", ".join(f"{p.class_name} ({p.kind})" for p in file.plugins)
        mark = _MARKS[Verdict.PROBLEM if file.error else Verdict.PASSED]
        lines.write(f"{mark}  {file.name}: {file.error or names or 'no runner or metric'}")
    return not any(file.error for file in files)


@contextmanager
def _workspace(options: argparse.Namespace, database: Path) -> Iterator[Workspace]:
    """The workspace of the database; where there is none, an empty one: checking makes none."""
    places = options.plugins, options.plugin_python
    with tempfile.TemporaryDirectory() as folder:
        try:
            workspace = Workspace(database, *places, must_exist=True)
        except NotFoundError:
            workspace = Workspace(Path(folder, "none.sqlite"), *places)
        with closing(workspace):
            yield workspace
