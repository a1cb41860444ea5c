"""The layouts of the window: those that come with it, and the user's own by name."""

import logging

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow, QMenu

from axdesk.gui.actions import SUBMENUS, Actions, Slots
from axdesk.gui.arrangement import ENGINEER, OPERATOR, USUAL, Arrangement
from axdesk.gui.models.layout import Layout, layout_of
from axdesk.gui.settings import WindowSettings
from axdesk.gui.views.name_dialog import NameDialog

_LOG = logging.getLogger(__name__)


class Layouts(QObject):
    """Fills *View ▸ Layouts*, and keeps where the docks stand between two starts."""

    def __init__(
        self,
        window: QMainWindow,
        docks: Arrangement,
        actions: Actions,
        settings: WindowSettings,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._docks = docks
        self._actions = actions
        self._settings = settings
        self.menu = QMenu("Layouts", window)
        self.menu.setToolTipsVisible(True)
        self._fill()

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        return {
            "view.layout.operator": self.operator,
            "view.layout.engineer": self.engineer,
            "view.layout.reset": self.reset,
            "view.layout.save": self.save,
        }

    def operator(self) -> None:
        """Show what is needed to start, watch and answer."""
        self._docks.apply(OPERATOR)

    def engineer(self) -> None:
        """Show the plugin files, and the log beside the trials."""
        self._docks.apply(ENGINEER)

    def reset(self) -> None:
        """Show all docks as at the first start."""
        self._docks.apply(USUAL)

    def save(self) -> None:
        """Keep where the docks stand, under a name that is asked for."""
        dialog = NameDialog(
            self._window, "dialog.save_layout", "layout",
            "Keeps which panels are open, where and how large. View ▸ Layouts brings them back.",
            title="Save layout", icon_name="table", known=list(self._settings.layouts),
        )  # fmt: skip
        dialog.entered.connect(self._keep)
        dialog.open()

    def remember(self) -> None:
        """Keep where the docks stand for the next start."""
        self._settings.arrangement = self._docks.layout_now().to_plain()

    def restore(self) -> None:
        """Put the docks where they stood when the window was closed last."""
        kept = self._settings.arrangement
        layout = layout_of(kept)
        if layout is not None:
            self._docks.apply(layout)
        elif kept:
            _LOG.warning("where the docks stood cannot be read; the usual layout is used")

    def _keep(self, name: str) -> None:
        own = dict(self._settings.layouts)
        own[name] = self._docks.layout_now().to_plain()
        self._settings.layouts = own
        self._fill()

    def _delete(self, name: str) -> None:
        self._settings.layouts = {k: v for k, v in self._settings.layouts.items() if k != name}
        self._fill()

    def _own(self) -> dict[str, Layout]:
        found = {name: layout_of(plain) for name, plain in self._settings.layouts.items()}
        return {name: layout for name, layout in sorted(found.items()) if layout is not None}

    def _fill(self) -> None:
        self.menu.clear()
        for name in SUBMENUS["Layouts"]:
            if name.endswith(".save"):
                self.menu.addSeparator()
            self.menu.addAction(self._actions[name])
        own = self._own()
        if not own:
            return
        self.menu.addSeparator()
        delete = QMenu("Delete layout", self.menu)
        for name, layout in own.items():
            shown = name.replace("&", "&&")
            self.menu.addAction(shown).triggered.connect(
                lambda _=False, chosen=layout: self._docks.apply(chosen)
            )
            delete.addAction(shown).triggered.connect(lambda _=False, gone=name: self._delete(gone))
        self.menu.addMenu(delete)
