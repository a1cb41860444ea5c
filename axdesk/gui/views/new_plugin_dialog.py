"""The dialog that asks for the name of a new plugin file."""

import re

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.fields import TextField


class NewPluginDialog(Dialog):
    """Asks what a plugin file shall be called.

    Signals:
        entered: The operator confirmed; carries the name.
    """

    entered = Signal(str)

    def __init__(self, parent: QWidget | None, folder: str) -> None:
        super().__init__(
            parent,
            name="dialog.new_plugin",
            title="New plugin",
            sentence="Writes a commented runner and a metric that work as they are, and opens the "
            f"file in your editor. It goes into {folder}.",
            ways=(Way("cancel", "Cancel"), Way("ok", "Write file", "primary")),
            icon_name="plug-connected",
        )
        self.field = TextField(placeholder="my_furnace", name="dialog.new_plugin.name")
        self.field.setAccessibleName("Name of the file")
        self.field.textChanged.connect(self._check)
        self.body.addWidget(self.field)
        self.chosen.connect(self._tell)
        self._check()
        self.field.setFocus()

    def _check(self) -> None:
        name = self.field.text().strip().removesuffix(".py")
        is_name = bool(re.fullmatch(r"[^\W\d_]\w*", name))
        reason = "Use letters, digits and _, and begin with a letter."
        self.field.set_issue("" if is_name or not name else reason)
        self.buttons["ok"].set_available(is_name, reason=reason)

    def _tell(self, key: str) -> None:
        if key == "ok":
            self.entered.emit(self.field.text().strip())
