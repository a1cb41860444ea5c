"""What new experiments can start from: read, and kept by the operator."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from axdesk.core.drafts import Draft
from axdesk.gui.io_thread import IoThread

if TYPE_CHECKING:
    from axdesk.api.templates import Template
    from axdesk.api.workspace import Workspace


class Templates(QObject):
    """The templates that are known, those that come with axdesk first.

    Signals:
        changed: Others are known than before.
    """

    changed = Signal()

    def __init__(self, io: IoThread, plugin_io: IoThread, parent: QObject) -> None:
        super().__init__(parent)
        self._io = io
        self._plugin_io = plugin_io
        self._templates: tuple[Template, ...] = ()

    def __iter__(self) -> "Iterator[Template]":
        """Go through what is known."""
        return iter(self._templates)

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._templates)

    def read(self) -> None:
        """Read them again."""
        self._io.post(lambda w: w.templates(), self.take)

    def take(self, templates: "tuple[Template, ...]") -> None:
        """Know these."""
        if templates != self._templates:
            self._templates = templates
            self.changed.emit()

    def save(self, draft: Draft, title: str, done: Callable[[], object]) -> None:
        """Keep what a draft says as the operator's template of that title."""

        def told(_: object) -> None:
            self.read()
            done()

        self._plugin_io.post(lambda w: w.save_template(draft, title), told)

    def make_folder(self, done: Callable[[Path], object]) -> None:
        """Make the folder of the operator's templates, if it is not there."""

        def make(workspace: "Workspace") -> Path:
            folder: Path = workspace.made_template_folder()
            return folder

        self._io.post(make, done)
