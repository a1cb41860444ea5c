"""The dialog that asks what a layout shall be called."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label


class SaveLayoutDialog(Dialog):
    """Asks for the name of a layout.

    Signals:
        entered: The operator confirmed; carries the name.
    """

    entered = Signal(str)

    def __init__(self, parent: QWidget | None, known: Sequence[str]) -> None:
        """Make the dialog.

        Args:
            parent: The window.
            known: Names of the layouts there are; one of them is replaced.
        """
        super().__init__(
            parent,
            name="dialog.save_layout",
            title="Save layout",
            sentence="Keeps which panels are open, where and how large. View ▸ Layouts brings them "
            "back.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Save layout", "primary")),
            icon_name="table",
        )
        self._known = set(known)
        self.field = TextField(placeholder="My layout", name="dialog.save_layout.name")
        self.field.setAccessibleName("Name of the layout")
        self._note = label(" ", "small", "warn")
        self.body.addWidget(label("Name"))
        self.body.addWidget(self.field)
        self.body.addWidget(self._note)
        self.field.textChanged.connect(self._check)
        self.chosen.connect(self._tell)
        self._check()
        self.field.setFocus()

    def _check(self) -> None:
        title = self.field.text().strip()
        self.buttons["ok"].set_available(bool(title), reason="Give the layout a name.")
        self._note.setText(f"The layout {title} is replaced." if title in self._known else " ")

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.field.text().strip())
