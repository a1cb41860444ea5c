"""The dialog that asks what a template shall be called."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label


class SaveTemplateDialog(Dialog):
    """Asks for the name of a template.

    Signals:
        entered: The operator confirmed; carries the name.
    """

    entered = Signal(str)

    def __init__(self, parent: QWidget | None, proposal: str, known: Sequence[str]) -> None:
        """Make the dialog.

        Args:
            parent: The window.
            proposal: The name that stands there at first.
            known: Names of the operator's templates; one of them is replaced.
        """
        super().__init__(
            parent,
            name="dialog.save_template",
            title="Save as template",
            sentence="The set-up is kept, without trials. File ▸ New from template makes new "
            "experiments from it.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Save template", "primary")),
            icon_name="clipboard-list",
        )
        self._known = set(known)
        self.field = TextField(proposal, name="dialog.save_template.name")
        self.field.setAccessibleName("Name of the template")
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
        self.buttons["ok"].set_available(bool(title), reason="Give the template a name.")
        replaces = title in self._known
        self._note.setText(f"The template {title} is replaced." if replaces else " ")

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.field.text().strip())
