"""The plugin folder of one experiment, read into its set-up by the plugins' thread."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from axdesk.core.draft_cells import Problem, Section
from axdesk.core.errors import AxdeskError, NotFoundError
from axdesk.core.plugins import PluginCatalogue
from axdesk.gui.io_thread import IoThread
from axdesk.gui.models.draft_model import DraftModel


class PluginReading(QObject):
    """Reads the folder that the draft names, and hands the draft what is found there.

    Signals:
        changed: The folder begins to be read, or what is known of it changed.
    """

    changed = Signal()

    def __init__(self, model: DraftModel, plugin_io: IoThread, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._plugin_io = plugin_io
        self._is_closed = False

    def read(
        self,
        then: Callable[[], object] | None = None,
        *,
        anew: bool = False,
        is_running: bool = False,
    ) -> None:
        """Read the folder.

        Args:
            then: Called once that is done, well or not.
            anew: Whether files that did not change are loaded again, too.
            is_running: Whether a run of the experiment goes on.
        """
        model = self._model
        folder = model.text(Section.GENERAL, 0, "plugin_folder").strip()
        python = model.text(Section.GENERAL, 0, "plugin_python").strip()
        # What a run has loaded it keeps; nothing else is run beside it unless the operator asks.
        loads = anew or model.catalogue is None or not is_running
        model.set_reading_plugins()
        self.changed.emit()

        def take(catalogue: PluginCatalogue) -> None:
            if self._is_closed:
                return
            model.set_catalogue(catalogue)
            self.changed.emit()
            if then is not None:
                then()

        def take_none(error: AxdeskError) -> None:
            # The set-up says why; the rest can be looked at all the same.
            take(PluginCatalogue(folder))
            is_folder = isinstance(error, NotFoundError)
            field = "plugin_folder" if is_folder else "plugin_python"
            if not self._is_closed:
                model.note_found(Problem(Section.GENERAL, 0, field, str(error)))
                self.changed.emit()

        self._plugin_io.post(
            lambda w: w.catalogue(folder, python, anew=anew, loads=loads), take, take_none
        )

    def close(self) -> None:
        """Take nothing that is still being read."""
        self._is_closed = True
