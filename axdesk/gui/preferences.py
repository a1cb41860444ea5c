"""Carries out the preferences: what is set counts at once, from the dialog as from the menus."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QMainWindow
from shiboken6 import isValid

from axdesk.core.drafts import Draft
from axdesk.gui.actions import Actions, Slots
from axdesk.gui.models.formatting import clock, counted
from axdesk.gui.plugin_desk import PluginDesk
from axdesk.gui.settings import WindowSettings, defaults
from axdesk.gui.style import SYSTEM, ZOOM_RANGE, theme_manager
from axdesk.gui.theme import THEMES
from axdesk.gui.views.preferences_dialog import Places, PreferencesDialog
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.rescue import Backup

ZOOM_STEP = 10
_OWN = frozenset({"geometry", "recent_commands", "arrangement", "layouts", "export_kind"})
"""Settings that the window writes itself; *As at first* leaves them."""


class Preferences(QObject):
    """Applies the settings of the window whenever one changes, and shows them in a dialog."""

    def __init__(
        self,
        window: QMainWindow,
        workbench: Workbench,
        plugin_desk: PluginDesk,
        actions: Actions,
        settings: WindowSettings,
    ) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._plugin_desk = plugin_desk
        self._actions = actions
        self._settings = settings
        settings.changed.connect(self._apply)
        actions["file.lock_setup"].toggled.connect(lambda on: setattr(settings, "lock_setup", on))
        self._mark_theme()
        theme_manager().changed.connect(self._mark_theme)

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        themes: Slots = {
            f"view.theme.{choice}": partial(self.choose_theme, choice)
            for choice in (SYSTEM, *THEMES)
        }
        return themes | {
            "file.new": self.new_experiment,
            "edit.preferences": self.open,
            "view.zoom_in": lambda: self.zoom_by(1),
            "view.zoom_out": lambda: self.zoom_by(-1),
            "view.zoom_reset": lambda: self.zoom_by(0),
        }

    def apply_all(self) -> None:
        """Give the window its look as it was set."""
        for key in ("theme", "zoom", "lock_setup"):
            self._apply(key)

    def choose_theme(self, choice: str) -> None:
        """Show another theme, and keep it."""
        self._settings.theme = choice
        self._mark_theme()  # the action that was chosen once more had switched itself off

    def zoom_by(self, steps: int) -> None:
        """Make all text larger or smaller by steps of 10 %; 0 gives it its usual size."""
        wanted = theme_manager().zoom + steps * ZOOM_STEP if steps else 100
        self._settings.zoom = min(max(wanted, ZOOM_RANGE[0]), ZOOM_RANGE[1])

    def new_experiment(self) -> None:
        """Make a draft; its plugins are looked for where the preferences say."""
        folder = self._settings.plugin_folder
        self._workbench.new(Draft(general={"plugin_folder": folder}) if folder else None)

    def open(self) -> None:
        """Open the dialog."""
        dialog = PreferencesDialog(self._window, self._settings, self._places())
        dialog.place_wanted.connect(_show_folder)
        dialog.reset_wanted.connect(lambda: self._reset(dialog))
        dialog.trust_unwanted.connect(
            lambda path: self._plugin_desk.forget_trust(path, lambda: self._read_trust(dialog))
        )
        self._read_trust(dialog)
        self._read_backups(dialog)
        dialog.open()

    def _places(self) -> Places:
        database = self._workbench.database
        folder = self._workbench.plugin_folder
        return Places(
            database=str(database or ""),
            backup_folder=f"{database}.backups" if database else "",
            plugin_folder=str(folder or ""),
        )

    def _read_trust(self, dialog: PreferencesDialog) -> None:
        self._plugin_desk.read_trust(
            lambda places: dialog.show_trust(places) if isValid(dialog) else None,
            lambda error: dialog.show_no_trust(str(error)) if isValid(dialog) else None,
        )

    def _read_backups(self, dialog: PreferencesDialog) -> None:
        def show(backups: "tuple[Backup, ...]") -> None:
            if not isValid(dialog):
                return
            told = "None yet; the first is made when a run starts."
            if backups:
                latest = clock(backups[-1].made_at, datetime.now(UTC))
                told = f"{counted(len(backups), 'backup')}, the latest of {latest}."
            dialog.show_backups(told)

        self._workbench.io.post(lambda workspace: workspace.backups(), show)

    def _reset(self, dialog: PreferencesDialog) -> None:
        self._settings.reset(*(name for name in defaults() if name not in _OWN))
        dialog.close()
        self.open()

    def _apply(self, key: str) -> None:
        manager, settings = theme_manager(), self._settings
        match key:
            case "theme":
                manager.choose(settings.theme if settings.theme in (SYSTEM, *THEMES) else SYSTEM)
            case "zoom":
                manager.set_zoom(settings.zoom)
            case "lock_setup":
                lock = self._actions["file.lock_setup"]
                if lock.isChecked() is not settings.lock_setup:
                    lock.trigger()
            case _:
                pass

    def _mark_theme(self) -> None:
        shown = theme_manager().choice
        for choice in (SYSTEM, *THEMES):
            self._actions[f"view.theme.{choice}"].setChecked(shown == choice)


def _show_folder(path: str) -> None:
    """Show a folder, or the one a file lies in, in the system's file manager."""
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
