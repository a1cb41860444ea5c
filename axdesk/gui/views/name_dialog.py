"""The dialog that asks for a name under which something is kept."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label


class NameDialog(Dialog):
    """Asks for the name of something that is to be kept.

    Signals:
        entered: The operator confirmed; carries the name.
    """

    entered = Signal(str)

    def __init__(
        self, parent: QWidget | None, name: str, what: str, sentence: str, *, title: str,
        icon_name: str, known: Sequence[str], proposal: str = "",
    ) -> None:  # fmt: skip
        """Make the dialog.

        Args:
            parent: The window.
            name: Its object name.
            what: What is kept, such as `"layout"`.
            sentence: What keeping it does.
            title: Of the dialog.
            icon_name: Of its tile.
            known: Names that are taken; what has one of them is replaced.
            proposal: The name that stands there at first.
        """
        ways = (Way("cancel", "Cancel"), Way("ok", f"Save {what}", "primary"))
        super().__init__(
            parent, name=name, title=title, sentence=sentence, ways=ways, icon_name=icon_name
        )
        self._what = what
        self._known = set(known)
        self.field = TextField(proposal, placeholder=f"My {what}", name=f"{name}.name")
        self.field.setAccessibleName(f"Name of the {what}")
        self._note = label(" ", "small", "warn")
        self.body.addWidget(label("Name"))
        self.body.addWidget(self.field)
        self.body.addWidget(self._note)
        self.field.textChanged.connect(self._check)
        self.chosen.connect(self._tell)
        self._check()
        self.field.selectAll()
        self.field.setFocus()

    def _check(self) -> None:
        title = self.field.text().strip()
        self.buttons["ok"].set_available(bool(title), reason=f"Give the {self._what} a name.")
        replaces = title in self._known
        self._note.setText(f"The {self._what} {title} is replaced." if replaces else " ")

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.field.text().strip())
