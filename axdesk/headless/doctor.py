"""Whether axdesk can work here: versions, database, plugins, optimiser."""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from axdesk.api.client import Client
from axdesk.api.configs import RangeParameterConfig
from axdesk.api.rescue import backups_of
from axdesk.api.system_info import versions
from axdesk.api.workspace import Workspace
from axdesk.core.errors import AxdeskError, DamagedDatabaseError, NotFoundError
from axdesk.core.trial import TrialSource
from axdesk.headless.output import Lines
from axdesk.headless.texts import age, size, ways_out

_ENOUGH_DISK = 100_000_000
"""Bytes; a trial takes a few thousand."""


def examine(options: argparse.Namespace, lines: Lines) -> bool:
    """Write what is found; return whether all of it is well."""
    is_well = True
    for check in (versions(), _places(options), _backups(options.database), _optimizer()):
        for is_fine, text in check:
            lines.write(f"{'ok     ' if is_fine else 'PROBLEM'}  {text}")
            is_well = is_well and is_fine
    return is_well


def _places(options: argparse.Namespace) -> Iterator[tuple[bool, str]]:
    """The database and the plugin folder."""
    places = options.plugins, options.plugin_python
    try:
        workspace = Workspace(options.database, *places, must_exist=True)
    except NotFoundError as error:
        # Where axdesk was just installed that is as it should be.
        yield options.database is None, error.message
        with (
            tempfile.TemporaryDirectory() as folder,
            closing(Workspace(Path(folder, "none.sqlite"), *places)) as workspace,
        ):
            yield from _plugins(workspace)
        return
    except AxdeskError as error:
        yield False, str(error)
        if isinstance(error, DamagedDatabaseError):
            yield False, ways_out(error.path, has_backup=error.backup is not None)
        return
    with closing(workspace):
        yield from _database(workspace)
        yield from _plugins(workspace)


def _database(workspace: Workspace) -> Iterator[tuple[bool, str]]:
    path = workspace.database
    is_writable = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    yield is_writable, f"database {path} {'is writable' if is_writable else 'cannot be written'}"
    damage = workspace.all_damage()
    for found in damage:
        yield False, f"  damaged: {found}"
    if damage:
        has_backup = any(backup.is_sound for backup in workspace.backups())
        yield False, ways_out(path, has_backup=has_backup)
    else:
        yield True, "  every page, row and reference is sound"
    free = shutil.disk_usage(path.parent).free
    yield free >= _ENOUGH_DISK, f"disk: {free / 1e9:.1f} GB free"


def _backups(database: Path | None) -> Iterator[tuple[bool, str]]:
    backups = backups_of(database)
    yield True, f"backups: {len(backups)}"
    for backup in backups:
        told = f"{backup.path}, {age(backup.made_at)}, {size(backup.size)}"
        yield backup.is_sound, f"  {told}{'' if backup.is_sound else ': damaged'}"


def _plugins(workspace: Workspace) -> Iterator[tuple[bool, str]]:
    try:
        catalogue = workspace.catalogue()
    except AxdeskError as error:
        yield False, str(error)
        return
    python = workspace.plugin_python or "axdesk's own Python"
    yield True, f"plugin folder {catalogue.folder}, run by {python}"
    for file in catalogue.files:
        names = ", ".join(plugin.class_name for plugin in file.plugins) or "no runner or metric"
        yield not file.error, f"  {file.name}: {file.error or names}"


def _optimizer() -> Iterator[tuple[bool, str]]:
    start = time.monotonic()
    client = Client(random_seed=0)
    try:
        client.configure_experiment(
            [RangeParameterConfig(name="x", parameter_type="float", bounds=(0, 1))]
        )
        client.configure_optimization("-y")
        client.configure_generation_strategy(initialization_budget=2)
        for index, parameters in client.get_next_trials(2).items():
            client.complete_trial(index, {"y": float(parameters["x"]) ** 2})
        (index,) = client.get_next_trials(1)
        made = client.experiment.trial(index).generation
    except Exception as error:  # noqa: BLE001  # whatever is broken there is the finding
        yield False, f"the optimiser does not work: {type(error).__name__}: {error}"
        return
    finally:
        client.close()
    seconds = f"{time.monotonic() - start:.1f} s"
    if made.source is TrialSource.MODEL:
        yield True, f"the optimiser suggests (loaded and asked in {seconds})"
    else:
        yield False, f"the model gives no suggestion: {made.reason or made.source.value}"
