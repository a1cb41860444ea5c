"""The plugin files that a workspace offers: listed, trusted, checked, and made ready for calls."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType

from axdesk.api.places import data_folder
from axdesk.core.errors import AxdeskError, RefusedOptionsError
from axdesk.core.plugins import (
    Hold,
    PluginCatalogue,
    PluginCheck,
    PluginChoice,
    TOptionValue,
)
from axdesk.core.resources import resource_path
from axdesk.core.setup import ExperimentSetup
from axdesk.plugins.hosts import (
    HostedPluginCalls,
    check_file,
    describe_folder,
    hashes_of,
    made_for_a_moment,
)
from axdesk.plugins.new_plugin import write_new_plugin
from axdesk.plugins.plugin_host import PluginPart
from axdesk.plugins.trust import PluginTrust


def default_trust_file() -> Path:
    """Return where the window keeps which plugin files the operator trusts."""
    return data_folder() / "trusted_plugins.json"


class PluginShelf:
    """What a workspace does with plugin files; every method blocks.

    Attributes:
        plugin_folder: Where plugins lie for experiments that name no folder of their own.
        plugin_python: What runs them for experiments that name no Python of their own; empty for
            axdesk's own.
        trust: Which plugin files may be run.
    """

    def __init__(
        self, plugin_folder: Path | None, plugin_python: str, trust_file: Path | None
    ) -> None:
        """List nothing yet; for the arguments see `Workspace`."""
        shipped = resource_path("plugins").absolute()
        self.plugin_folder = shipped if plugin_folder is None else plugin_folder.absolute()
        self.plugin_python = plugin_python
        self.trust = PluginTrust(trust_file, (shipped,))
        self._made: dict[object, AxdeskError | None] = {}
        self._catalogues: dict[tuple[Path, str], tuple[object, PluginCatalogue]] = {}

    def catalogue(
        self, folder: str = "", python: str = "", *, anew: bool = False, loads: bool = True
    ) -> PluginCatalogue:
        """Return what a plugin folder offers; no code of it runs in this process.

        A file is loaded again once it was changed, so that one that hangs costs its time once.
        What the operator does not trust, or has disabled, is listed and not run.

        Args:
            folder: Empty for the workspace's own.
            python: What runs them; empty for the workspace's own.
            anew: Whether unchanged files are loaded again, too.
            loads: Whether changed files are loaded; else they are listed as changed.

        Raises:
            NotFoundError: If there is no such folder.
            PluginError: If that Python cannot run plugins.
        """
        key = self.folder_of(folder), python or self.plugin_python
        state = _state_of(key[0]), self.trust.version()
        known = self._catalogues.get(key)
        if known is not None and known[0] == state and not anew:
            return known[1]
        files = () if known is None or anew else known[1].files
        loaded = {(file.name, file.sha256) for file in files if not file.hold}

        def hold(path: Path, sha256: str) -> Hold:
            held = self.trust.hold(path, sha256)
            is_new = (path.name, sha256) not in loaded
            return Hold.IN_USE if not (held or loads) and is_new else held

        self._catalogues.pop(key, None)
        # Two threads that ask at once may both load it: none waits for the other.
        found = describe_folder(*key, hold, files)
        # What was only listed is read again as soon as it may be.
        self._catalogues[key] = state if loads else None, found
        return found

    def plugins_have_changed(self, folder: str = "", python: str = "") -> bool:
        """Return whether `catalogue` would return another answer than the last time.

        Args:
            folder: As there.
            python: As there.

        Raises:
            PluginError: If it cannot be read which files are trusted.
        """
        key = self.folder_of(folder), python or self.plugin_python
        known = self._catalogues.get(key)
        if known is None:
            return key[0].is_dir()
        return known[0] != (_state_of(key[0]), self.trust.version())

    def check_plugin_file(
        self,
        path: Path,
        python: str = "",
        options: Mapping[str, Mapping[str, TOptionValue]] | None = None,
    ) -> tuple[PluginCheck, ...]:
        """Check the classes of a plugin file against what axdesk asks of them; nothing moves.

        Args:
            path: The file.
            python: What runs it; empty for the workspace's own.
            options: Class reference → values of its options; others keep their defaults.

        Raises:
            PluginError: If the file must not be run, cannot be loaded or hangs.
        """
        return check_file(path, python or self.plugin_python, self.trust.hold, options or {})

    def new_plugin_file(self, name: str, folder: str = "") -> Path:
        """Write a plugin file to begin with, which works as it is; return its path.

        Args:
            name: Of the file, with or without `.py`.
            folder: Empty for the workspace's own.

        Raises:
            UserInputError: If the name is none for a file, or there is one already.
            PluginError: If it cannot be written.
        """
        path = write_new_plugin(self.folder_of(folder), name)
        self.trust.trust_file(path, hashlib.sha256(path.read_bytes()).hexdigest())
        return path

    def folder_of(self, folder: str) -> Path:
        """Return the folder that a set-up names; empty for the workspace's own."""
        return Path(folder).expanduser() if folder else self.plugin_folder

    def calls_of(
        self,
        setup: ExperimentSetup,
        runner: PluginChoice,
        begun: Callable[[HostedPluginCalls], object] | None = None,
    ) -> HostedPluginCalls:
        """Make the plugins of a set-up in processes of their own, as far as they are trusted.

        Args:
            setup: Whose metrics, folder and Python they are.
            runner: Its runner.
            begun: See `HostedPluginCalls`.

        Raises:
            UserInputError: If an option is not allowed.
            PluginError: If a plugin cannot be made.
            NotFoundError: If the folder or a plugin does not exist.
        """
        return HostedPluginCalls(
            self.folder_of(setup.plugin_folder),
            runner,
            setup.metrics,
            setup.plugin_python or self.plugin_python,
            hold=self.trust.hold,
            begun=begun,
        )

    def refusals(self, setup: ExperimentSetup) -> tuple[tuple[str | None, AxdeskError], ...]:
        """Make the plugins of a set-up for a moment; nothing of them is called.

        What was made, or refused its options, is not made again until its file changes.

        Returns:
            (metric, or None for the runner; why it cannot be made) for each that cannot.
        """
        parts = [PluginPart(name, choice) for name, choice in setup.metrics]
        if setup.runner is not None:
            parts.insert(0, PluginPart(None, setup.runner))
        folder = self.folder_of(setup.plugin_folder)
        python = setup.plugin_python or self.plugin_python
        hashes = dict(self.plugin_hashes(setup))

        def key(part: PluginPart) -> object:
            choice = part.choice
            file = folder, python, hashes[choice.file_name]
            return *file, part.metric, choice.reference, repr(sorted(choice.options.items()))

        new = [part for part in parts if key(part) not in self._made]
        made = made_for_a_moment(folder, new, python, self.trust.hold)
        self._made |= {
            key(part): made[part.metric]
            for part in new
            if isinstance(made[part.metric], NoneType | RefusedOptionsError)
        }
        found = [(p.metric, made.get(p.metric, self._made.get(key(p)))) for p in parts]
        return tuple((metric, error) for metric, error in found if error is not None)

    def plugin_hashes(self, setup: ExperimentSetup) -> tuple[tuple[str, str], ...]:
        """Return (file name, SHA-256) of each plugin file of a set-up as it is now.

        Raises:
            NotFoundError: If the folder or a file of it is not there, or cannot be read.
        """
        choices = [choice for _, choice in setup.metrics]
        if setup.runner is not None:
            choices.append(setup.runner)
        return hashes_of(self.folder_of(setup.plugin_folder), choices)


def _state_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """What tells whether a folder's files were changed."""
    stats = ((file.name, file.stat()) for file in sorted(folder.glob("*.py")) if file.exists())
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
