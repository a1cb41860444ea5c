"""A note that is written where it stands."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit

from axdesk.gui.style import px


class NoteField(QPlainTextEdit):
    """Several lines that are stored when the field is left, or with Ctrl+Enter.

    Signals:
        committed: The note was changed; carries the number of what it is about, and the text.
    """

    committed = Signal(int, str)

    def __init__(self, *, name: str, label: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setPlaceholderText("Click to write a note")
        self.setTabChangesFocus(True)
        self.setFixedHeight(px(64))
        self._about: int | None = None
        self._stored = ""

    def show_note(self, about: int | None, stored: str) -> None:
        """Show what is stored; what was typed for another one is committed first.

        What is being typed stays while nothing else was stored meanwhile.
        """
        if about != self._about:
            self.commit()
        elif stored == self._stored:
            return
        self._about, self._stored = about, stored
        self.setPlainText(stored)

    def commit(self) -> None:
        """Have what was typed stored, if it is new."""
        text = self.toPlainText().strip()
        if self._about is not None and text != self._stored.strip() and not self.isReadOnly():
            self._stored = text
            self.committed.emit(self._about, text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Store what was typed, unless only a menu opened."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.commit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Store with Ctrl+Enter; Escape brings back what is stored."""
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.commit()
        elif event.key() == Qt.Key.Key_Escape:
            self.setPlainText(self._stored)
        else:
            super().keyPressEvent(event)
