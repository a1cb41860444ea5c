"""The files of a trial: opened with a click, added, and taken away."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.core.attachments import Attachment
from axdesk.gui.models.formatting import clock
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.labels import IconLabel, label


class TrialFilesList(QWidget):
    """One line for each file.

    Signals:
        add_requested: The operator wants to choose files.
        opened: … a file opened; carries the `Attachment`.
        removed: … a file taken away; carries the `Attachment`.
    """

    add_requested = Signal()
    opened = Signal(object)
    removed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("inspector.files")
        self._locked = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(4))
        head = QHBoxLayout()
        head.addWidget(label("Files", "strong"))
        head.addStretch(1)
        self._add = Button(
            "Attach file", "plus", kind="icon", name="inspector.files.add",
            on_click=self.add_requested.emit,
        )  # fmt: skip
        head.addWidget(self._add)
        layout.addLayout(head)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(0)
        layout.addLayout(self._rows)

    def set_locked(self, reason: str) -> None:
        """Say why no file can be added or taken away; empty if they can."""
        self._locked = reason
        for button in self.findChildren(Button):
            if button is self._add or button.objectName().startswith("inspector.files.remove"):
                button.set_available(not reason, reason=reason)

    def show_files(self, files: Sequence[Attachment], now: datetime) -> None:
        """Show these files."""
        while (item := self._rows.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        if not files:
            self._rows.addWidget(label("Drop files here, or press +.", "small", "text2"))
        for number, file in enumerate(files):
            self._rows.addWidget(self._line(number, file, now))
        self.set_locked(self._locked)

    def _line(self, number: int, file: Attachment, now: datetime) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(4))
        row.addWidget(IconLabel("paperclip"))
        name = _NameButton(file.name, f"inspector.files.open.{number}",
                           partial(self.opened.emit, file))  # fmt: skip
        when = clock(file.attached_at, now)
        name.setToolTip(f"{file.name}\n{size_text(file.size)}, attached {when}")
        name.setAccessibleName(f"Open {file.name}")
        row.addWidget(name, 1)
        row.addWidget(label(size_text(file.size), "small", "text2"))
        remove = Button("Take away", "x", kind="icon", name=f"inspector.files.remove.{number}",
                        on_click=partial(self.removed.emit, file))  # fmt: skip
        remove.setAccessibleName(f"Take {file.name} away")
        row.addWidget(remove)
        return line


class _NameButton(Button):
    """A file's name, shortened in its middle where there is no room: its end tells its kind."""

    def __init__(self, file_name: str, name: str, on_click: Callable[[], object]) -> None:
        super().__init__(file_name, kind="quiet", name=name, on_click=on_click)
        self._file_name = file_name
        self.setStyleSheet("text-align: left")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the name to the room that there is."""
        super().resizeEvent(event)
        middle, room = Qt.TextElideMode.ElideMiddle, self.width() - px(18)
        shown = self.fontMetrics().elidedText(self._file_name, middle, room)
        self.setText(shown.replace("&", "&&"))


def size_text(size: int) -> str:
    """Write a number of bytes: `812 B`, `1.4 kB`, `23 MB`."""
    amount, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    digits = 1 if unit != "B" and amount < 9.95 else 0
    return f"{amount:.{digits}f} {unit}"
