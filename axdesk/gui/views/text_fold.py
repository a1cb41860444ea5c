"""A fold with a text that can be read and copied, such as a traceback."""

from PySide6.QtWidgets import QPlainTextEdit

from axdesk.gui.style import px, theme_manager
from axdesk.gui.widgets.cards import Fold


class TextFold(Fold):
    """A fold with a text that can be read and copied."""

    def __init__(self, title: str, name: str) -> None:
        super().__init__(title, name=f"{name}.fold")
        self._field = QPlainTextEdit()
        self._field.setObjectName(name)
        self._field.setReadOnly(True)
        self._field.setAccessibleName(title)
        self._field.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.addWidget(self._field)
        self._fix_height()
        theme_manager().changed.connect(self._fix_height)
        self.show_text("")

    def show_text(self, text: str) -> None:
        """Show a text; nothing at all for an empty one."""
        if text != self._field.toPlainText():
            self._field.setPlainText(text)
        self.setVisible(bool(text))

    def _fix_height(self) -> None:
        self._field.setFixedHeight(px(150))
