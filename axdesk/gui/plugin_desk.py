"""The plugin folder in the window: shown, watched, trusted, checked, and added to."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QFileSystemWatcher, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from axdesk.core.draft_cells import Section
from axdesk.core.errors import AxdeskError
from axdesk.core.plugins import PluginCatalogue, PluginFile, TOptionValue, TrustedPlaces
from axdesk.gui.models.plugins_model import PluginsModel
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.workspace import Workspace

SETTLE_MS = 400
"""A folder is read again once nothing more changed in it for so long."""


class PluginDesk(QObject):
    """Shows the plugin folder of the experiment that is open, else the usual one.

    Files that change are noticed by the system's notifications and, where there are none, as on
    many network folders, whenever the window gets the focus.

    Signals:
        written: A new plugin file was written; carries its path.
    """

    written = Signal(object)

    def __init__(self, workbench: Workbench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = PluginsModel(self)
        self._workbench = workbench
        self._is_wanted = False
        self._is_looking = False
        self._is_closed = False
        self._watcher = QFileSystemWatcher(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self.look)
        self._watcher.directoryChanged.connect(lambda _: self._settle.start())
        self._watcher.fileChanged.connect(lambda _: self._settle.start())
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.applicationStateChanged.connect(self._look_when_active)
        workbench.current_changed.connect(self.show_folder)
        workbench.plugins_changed.connect(self.show_folder)
        workbench.idle.connect(self.look)

    def open(self) -> None:
        """Show the folder, which is read now if nobody needed it so far."""
        self._is_wanted = True
        self.show_folder()

    def show_folder(self) -> None:
        """Show what is known of the folder, and have it watched."""
        if self._is_closed:
            return
        session = self._workbench.current
        if session is not None:
            model = session.draft_model
            problems = (
                problem.message
                for problem in model.problems_of(Section.GENERAL)
                if problem.field in ("plugin_folder", "plugin_python")
            )
            self.model.show_catalogue(
                model.catalogue,
                problem=next(problems, ""),
                is_reading=model.is_reading_plugins,
            )
        elif self._is_wanted and self._workbench.plugin_folder is not None:
            self._read_usual()
        self._watch()

    def reload(self) -> None:
        """Load all files anew, changed or not."""
        if self._workbench.current is not None:
            self._workbench.reload_plugins()
        else:
            self._read_usual(anew=True)

    def look(self) -> None:
        """Read the folder again if something changed in it."""
        is_shown = self._workbench.current is not None or self._is_wanted
        if self._is_closed or self._is_looking or not is_shown:
            return
        folder, python = self._place()
        self._is_looking = True

        def take(has_changed: bool) -> None:
            self._is_looking = False
            if has_changed and not self._is_closed:
                self._reread()
            self._watch()

        self._workbench.plugin_io.post(
            lambda workspace: workspace.plugins_have_changed(folder, python), take, self._fail
        )

    def trust_file(self, file: PluginFile) -> None:
        """Let this version of a file be run."""
        path, sha256 = Path(file.path), file.sha256
        self._say(lambda workspace: workspace.trust.trust_file(path, sha256))

    def trust_folder(self, file: PluginFile) -> None:
        """Let every file of the folder of a file be run."""
        folder = Path(file.path).parent
        self._say(lambda workspace: workspace.trust.trust_folder(folder))

    def set_enabled(self, file: PluginFile, is_enabled: bool) -> None:  # a slot
        """Leave a file out, or take it in again."""
        path = Path(file.path)
        self._say(lambda workspace: workspace.trust.set_enabled(path, is_enabled=is_enabled))

    def read_trust(
        self, done: Callable[[TrustedPlaces], object], failed: Callable[[AxdeskError], object]
    ) -> None:
        """Hand over which folders and files may be run."""
        self._workbench.plugin_io.post(lambda workspace: workspace.trust.places(), done, failed)

    def forget_trust(self, path: str, done: Callable[[], object]) -> None:
        """Ask again before a file, or the files of a folder, are run."""

        def told(_: object) -> None:
            self._reread()
            done()

        self._workbench.plugin_io.post(lambda workspace: workspace.trust.forget(Path(path)), told)

    def check(self, file: PluginFile) -> None:
        """Check the classes of a file with the options that the experiment gives them."""
        _, python = self._place()
        options = self._options_of(file)
        path = Path(file.path)
        self.model.begin_check(file.path)
        self._workbench.plugin_io.post(
            lambda workspace: workspace.check_plugin_file(path, python, options),
            lambda found: self.model.show_check(file, found),
            lambda error: self.model.show_check(file, str(error)),
        )

    def write_new(self, name: str) -> None:
        """Write a plugin file to begin with; it is trusted, for it is axdesk's own."""
        folder, _ = self._place()

        def done(path: Path) -> None:
            self._reread()
            self.written.emit(path)

        self._workbench.plugin_io.post(
            lambda workspace: workspace.new_plugin_file(name, folder), done
        )

    def close(self) -> None:
        """Watch no longer, and show nothing that still comes."""
        self._is_closed = True
        self._settle.stop()
        watched = [*self._watcher.files(), *self._watcher.directories()]
        if watched:
            self._watcher.removePaths(watched)

    # inside

    def _place(self) -> tuple[str, str]:
        session = self._workbench.current
        if session is None:
            return "", ""
        general = session.draft_model.draft.general
        return general.get("plugin_folder", "").strip(), general.get("plugin_python", "").strip()

    def _options_of(self, file: PluginFile) -> Mapping[str, Mapping[str, TOptionValue]]:
        """The options that the set-up gives to classes of a file, where they are valid."""
        session = self._workbench.current
        setup = None if session is None else session.draft_model.setup
        if setup is None:
            return {}
        choices = [choice for _, choice in setup.metrics]
        choices += [setup.runner] if setup.runner is not None else []
        return {c.reference: c.options for c in choices if c.file_name == file.name}

    def _say(self, work: "Callable[[Workspace], None]") -> None:
        self._workbench.plugin_io.post(work, lambda _: self._reread())

    def _reread(self) -> None:
        if self._workbench.current is None:
            self._read_usual()
        self._workbench.reread_plugins()

    def _read_usual(self, *, anew: bool = False) -> None:
        self.model.show_catalogue(self.model.catalogue, is_reading=True)
        self._workbench.plugin_io.post(
            lambda workspace: workspace.catalogue(anew=anew),
            self._take_usual,
            lambda error: self._take_usual(None, str(error)),
        )

    def _take_usual(self, catalogue: PluginCatalogue | None, problem: str = "") -> None:
        if self._workbench.current is None and not self._is_closed:
            self.model.show_catalogue(catalogue, problem=problem)
            self._watch()

    def _fail(self, error: AxdeskError) -> None:
        self._is_looking = False
        if not self._is_closed:
            self.model.show_catalogue(self.model.catalogue, problem=str(error))

    def _look_when_active(self, state: Qt.ApplicationState) -> None:
        if state is Qt.ApplicationState.ApplicationActive:
            self.look()

    def _watch(self) -> None:
        """Watch the folder and its files, also those that took the place of others."""
        catalogue = None if self._is_closed else self.model.catalogue
        if catalogue is None:
            return
        folder = Path(catalogue.folder or str(self._workbench.plugin_folder)).expanduser()
        # A folder that is away comes back into the folder above it.
        wanted = {str(folder), str(folder.parent), *(f.path for f in catalogue.files if f.path)}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if watched - wanted:
            self._watcher.removePaths([*(watched - wanted)])
        if wanted - watched:
            self._watcher.addPaths([*(wanted - watched)])
