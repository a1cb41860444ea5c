"""What stands in place of the start page while the database cannot be opened."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from axdesk.core.errors import AxdeskError, DamagedDatabaseError, StorageError
from axdesk.gui.style import px
from axdesk.gui.views.dialogs import Way
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Surface
from axdesk.gui.widgets.labels import Tile, label
from axdesk.gui.widgets.wrapping_row import WrappingRow

BACKUP, SALVAGE, RETRY, CHOOSE, QUIT, OPEN_SALVAGED = (
    "backup", "salvage", "retry", "choose", "quit", "open_salvaged",
)  # fmt: skip

_CHOOSE = Way(CHOOSE, "Choose another database…", icon="folder-open")
_QUIT = Way(QUIT, "Quit")


def ways_out(error: AxdeskError) -> tuple[Way, ...]:
    """Return what can be done about a database that cannot be opened, the best way first."""
    if isinstance(error, DamagedDatabaseError):
        salvage = Way(SALVAGE, "Salvage…", "normal" if error.backup else "primary")
        backup = Way(BACKUP, "Open the newest backup", "primary", "database")
        ways = [backup] if error.backup else []
        return (*ways, *([salvage] if error.has_content else []), _CHOOSE, _QUIT)
    if isinstance(error, StorageError) and error.is_temporary:
        return Way(RETRY, "Try again", "primary", "refresh"), _CHOOSE, _QUIT
    return Way(CHOOSE, _CHOOSE.text, "primary", _CHOOSE.icon), _QUIT


def _title(error: AxdeskError) -> str:
    if isinstance(error, DamagedDatabaseError):
        return "The database is damaged"
    return "The database cannot be opened"


class DatabasePage(QScrollArea):
    """What is wrong, where, what is safe, and the ways out as buttons.

    Signals:
        chosen: The operator pressed a button; carries its key.
    """

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("database.page")
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        page = Surface("window")
        outer = QVBoxLayout(page)
        outer.setContentsMargins(px(24), px(32), px(24), px(24))
        card = Surface("card")
        card.setMaximumWidth(px(820))
        inside = QVBoxLayout(card)
        inside.setContentsMargins(px(24), px(22), px(24), px(20))
        inside.setSpacing(px(14))
        head = QHBoxLayout()
        head.setSpacing(px(16))
        self._tile = Tile("database", "bad")
        head.addWidget(self._tile, 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(px(6))
        self._title = label("", "title", wrap=True)
        self._title.setObjectName("database.title")
        self._happened = label("", "body", wrap=True)
        self._happened.setObjectName("database.happened")
        self._todo = label("", "body", "text2", wrap=True)
        self._todo.setObjectName("database.todo")
        for text in (self._title, self._happened, self._todo):
            words.addWidget(text)
        head.addLayout(words, 1)
        inside.addLayout(head)
        self._details = QPlainTextEdit()
        self._details.setObjectName("database.details")
        self._details.setReadOnly(True)
        self._details.setAccessibleName("Details")
        self._details.setFixedHeight(px(120))
        inside.addWidget(self._details)
        self._busy = label("", "small", "text2")
        self._busy.setObjectName("database.busy")
        inside.addWidget(self._busy)
        self._buttons = WrappingRow()
        inside.addLayout(self._buttons)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(card, 20)
        row.addStretch(1)
        outer.addLayout(row)
        outer.addStretch(1)
        self.setWidget(page)

    def show_trouble(self, error: AxdeskError) -> None:
        """Say why the database cannot be opened, and offer what can be done."""
        tone = "warn" if isinstance(error, StorageError) and error.is_temporary else "bad"
        self._tile.set_look("database", tone)
        self._show(_title(error), error.message, _todo(error), "", ways_out(error))

    def show_refusal(self, error: AxdeskError) -> None:
        """Say that the way out that was tried did not work; the others stay."""
        self._set_busy("")
        self._happened.setText(error.message)
        self._todo.setText(_todo(error))

    def show_salvaged(self, message: str, details: str) -> None:
        """Say what was salvaged, and offer to open it."""
        self._tile.set_look("circle-check", "good")
        ways = (Way(OPEN_SALVAGED, "Open the salvaged database", "primary"), _CHOOSE, _QUIT)
        self._show("What could be read is salvaged", message, "", details, ways)

    def show_busy(self, sentence: str) -> None:
        """Say what is being tried; nothing can be pressed meanwhile."""
        self._set_busy(sentence)

    def _show(
        self, title: str, happened: str, todo: str, details: str, ways: Sequence[Way]
    ) -> None:
        for widget, text in ((self._title, title), (self._happened, happened), (self._todo, todo)):
            widget.setText(text)
            widget.setVisible(bool(text))
        self._details.setPlainText(details)
        self._details.setVisible(bool(details))
        while (item := self._buttons.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        for way in ways:
            button = Button(way.text, way.icon, kind=way.kind, name=f"database.{way.key}")
            button.clicked.connect(lambda _=False, key=way.key: self.chosen.emit(key))
            self._buttons.addWidget(button)
        self._set_busy("")

    def _set_busy(self, sentence: str) -> None:
        self._busy.setText(sentence)
        self._busy.setVisible(bool(sentence))
        for index in range(self._buttons.count()):
            item = self._buttons.itemAt(index)
            button: QWidget | None = None if item is None else item.widget()
            if button is not None and button.objectName() != f"database.{QUIT}":
                button.setEnabled(not sentence)


def _todo(error: AxdeskError) -> str:
    return f"{error.hint} ({error.code})".strip()
