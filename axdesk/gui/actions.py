"""Every action of the window, once: name, words, shortcut, icon; and the menus that hold them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar

from axdesk.gui.icons import icon


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One action.

    Attributes:
        name: Its object name is `action.NAME`.
        text: In menus.
        shortcut: As `QKeySequence` reads it; empty for none.
        icon: Empty for none.
        tip: What it does; empty if the text says it all.
        is_checkable: Whether it is on or off.
    """

    name: str
    text: str
    shortcut: str = ""
    icon: str = ""
    tip: str = ""
    is_checkable: bool = False


ACTIONS = (
    ActionSpec("file.new", "New…", "Ctrl+N", "file-plus", "New experiment"),
    ActionSpec("file.open", "Open…", "Ctrl+O", "folder-open", "Open an experiment file"),
    ActionSpec("file.save", "Save", "Ctrl+S", "device-floppy", "Write the experiment file"),
    ActionSpec("file.save_as_template", "Save as template…", "", "clipboard-list"),
    ActionSpec("file.duplicate", "Duplicate", "Ctrl+Shift+D", "copy"),
    ActionSpec("file.delete", "Delete…", "", "trash"),
    ActionSpec("file.import_trials", "Import trials…", "", "table-import",
               "Add trials from CSV, an Excel workbook or JSON"),
    ActionSpec("file.paste_trials", "Import trials from the clipboard…", "", "clipboard-list",
               "Add the rows that were copied in a spreadsheet"),
    ActionSpec("file.export_trials", "All trials…", "Ctrl+E", "download",
               "Export the trials as CSV, Excel workbook or JSON"),
    ActionSpec("file.export_shown", "Shown trials…", "", "filter",
               "Export what the chips and the filter of the table leave"),
    ActionSpec("file.export_selected", "Selected trials…", "", "download",
               "Export the trials that are selected"),
    ActionSpec("file.copy_trials", "All trials to the clipboard", "", "copy",
               "Copy the trials for a spreadsheet"),
    ActionSpec("file.lock_setup", "Lock setup", "", "lock",
               "Greys the set-up, for people who only run.", is_checkable=True),
    ActionSpec("file.start_page", "Start page", "Ctrl+Home"),
    ActionSpec("file.exit", "Exit", "Ctrl+Q"),
    ActionSpec("edit.undo", "Undo", "Ctrl+Z"),
    ActionSpec("edit.redo", "Redo", "Ctrl+Y"),
    ActionSpec("edit.cut", "Cut", "Ctrl+X"),
    ActionSpec("edit.copy", "Copy", "Ctrl+C", "copy"),
    ActionSpec("edit.paste", "Paste", "Ctrl+V"),
    ActionSpec("edit.find", "Find", "Ctrl+F", "search", "Go to the filter of what is shown"),
    ActionSpec("edit.preferences", "Preferences…", "Ctrl+,", "adjustments",
               "Theme, zoom, folders, trust"),
    ActionSpec("view.setup", "Setup", "Ctrl+1"),
    ActionSpec("view.monitor", "Monitor", "Ctrl+2"),
    ActionSpec("view.layout.operator", "Operator", tip="Start, watch and answer"),
    ActionSpec("view.layout.engineer", "Engineer", tip="All panels, the log beside the trials"),
    ActionSpec("view.layout.reset", "Reset", tip="All panels as at the first start"),
    ActionSpec("view.layout.save", "Save layout…", tip="Keep the panels as they stand, by name"),
    ActionSpec("view.theme.system", "As the system", is_checkable=True),
    ActionSpec("view.theme.light", "Light", is_checkable=True),
    ActionSpec("view.theme.dark", "Dark", is_checkable=True),
    ActionSpec("view.theme.high_contrast", "High contrast", is_checkable=True),
    ActionSpec("view.zoom_in", "Zoom in", "Ctrl++"),
    ActionSpec("view.zoom_out", "Zoom out", "Ctrl+-"),
    ActionSpec("view.zoom_reset", "Usual size", "Ctrl+0"),
    ActionSpec("view.next_pane", "Next pane", "Ctrl+F6"),
    ActionSpec("view.previous_pane", "Pane before", "Ctrl+Shift+F6"),
    ActionSpec("view.full_screen", "Full screen", "F11", is_checkable=True),
    ActionSpec("run.start", "Start", "F5", "player-play-filled"),
    ActionSpec("run.pause", "Pause", "F6", "player-pause-filled"),
    ActionSpec("run.stop", "Stop", "Shift+F5", "player-stop-filled"),
    ActionSpec("run.stop_now", "Stop now", "Ctrl+Shift+F5", "hand-stop"),
    ActionSpec("run.preflight", "Pre-flight", "F7", "clipboard-list",
               "Check all that a run needs."),
    ActionSpec("run.test_plugins", "Test plugins…", "F8", "test-pipe",
               "One trial with the index −1 through the runner and all metrics; not recorded."),
    ActionSpec("run.add_trials", "Add trials…", "", "stack-2"),
    ActionSpec("trials.new_manual", "Manual trial…", "Ctrl+M", "plus",
               "Add a trial with settings of your own"),
    ActionSpec("trials.enter_result", "Enter result…", "Ctrl+R", "pencil"),
    ActionSpec("trials.mark_failed", "Mark failed…", "", "circle-x"),
    ActionSpec("trials.ask_again", "Ask the runner again", "", "refresh",
               "Polls and fetches a failed trial once more; needs a run that goes on."),
    ActionSpec("trials.run_again", "Run again", "", "repeat",
               "Deploys the settings once more, as a new trial."),
    ActionSpec("trials.replicate", "Replicate", "", "stack-2",
               "Measures the same settings once more, as a new trial."),
    ActionSpec("trials.copy_to_manual", "Copy to manual trial…", "", "adjustments-horizontal",
               "Begins a manual trial with these settings"),
    ActionSpec("trials.abandon", "Abandon (do not repeat)…", "", "ban"),
    ActionSpec("trials.void", "Void result…", "", "trash",
               "Takes the result back; its values stay in the history."),
    ActionSpec("trials.exclude", "Exclude from model", "", "eye-off"),
    ActionSpec("trials.note", "Add note…", "Ctrl+Shift+N", "note"),
    ActionSpec("trials.attach_file", "Attach file…", "", "paperclip",
               "Keeps a copy of a file with the trial"),
    ActionSpec("trials.open_folder", "Open folder", "", "folder-open",
               "Opens the folder that the runner named."),
    ActionSpec("trials.copy_settings", "Copy settings", "", "copy"),
    ActionSpec("trials.copy_row", "Copy row", "", "copy"),
    ActionSpec("trials.show_details", "Show details", "", "info-circle"),
    ActionSpec("trials.go_to", "Go to trial…", "Ctrl+G", "hash"),
    ActionSpec("trials.go_to_best", "Go to best", "Ctrl+B", "target"),
    ActionSpec("plugins.manager", "Panel", "Ctrl+P", "plug-connected", "Show the plugin files"),
    ActionSpec("plugins.new", "New plugin…", "", "plus", "Write a plugin file to begin with"),
    ActionSpec("plugins.reload_all", "Reload all", "", "refresh"),
    ActionSpec("plugins.open_folder", "Open folder", "", "folder-open"),
    ActionSpec("tools.command_palette", "Command palette…", "Ctrl+Shift+P", "search",
               "Search commands, experiments and trials"),
    ActionSpec("tools.copy_headless_command", "Copy headless command"),
    ActionSpec("help.contents", "Contents", "F1", "help-circle",
               "Help for what has the keyboard"),
    ActionSpec("help.shortcuts", "Shortcuts…", "", "list", "All keys of the window"),
    ActionSpec("tools.database", "Database…", "", "database",
               "Size, check, backup, restore, compact, move"),
    ActionSpec("tools.log_folder", "Log folder", "", "folder-open", "Show the log files"),
    ActionSpec("help.report_problem", "Report a problem…", "", "alert-triangle",
               "Save what axdesk wrote down about itself"),
    ActionSpec("help.about", "About axdesk"),
)  # fmt: skip
"""All actions that do something now."""

TRIAL_MENU = (
    "trials.show_details", "", "trials.enter_result", "trials.ask_again", "trials.run_again",
    "trials.replicate", "trials.copy_to_manual", "", "trials.mark_failed", "trials.abandon",
    "trials.void", "trials.exclude", "", "trials.note", "trials.attach_file", "trials.open_folder",
    "", "trials.copy_settings", "trials.copy_row",
)  # fmt: skip
"""The actions on trials that are selected, in their menu; an empty name is a line."""

MENUS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("&File", ("file.new", ">New from template", "file.open", ">Recent", "file.start_page", "",
               "file.save", "file.save_as_template", "file.duplicate", "file.delete", "",
               "file.import_trials", "file.paste_trials", ">Export", "", "file.lock_setup", "",
               "file.exit")),
    ("&Edit", ("edit.undo", "edit.redo", ">Undo list", "", "edit.cut", "edit.copy",
               "edit.paste", "", "edit.find", "", "edit.preferences")),
    ("&View", ("view.setup", "view.monitor", "", ">Panels", ">Layouts", ">Theme", "",
               "view.zoom_in", "view.zoom_out", "view.zoom_reset", "", "view.next_pane",
               "view.previous_pane", "", "view.full_screen")),
    ("&Run", ("run.start", "run.pause", "run.stop", "run.stop_now", "", "run.add_trials", "",
              "run.preflight", "run.test_plugins")),
    ("&Trials", ("trials.new_manual", "", *TRIAL_MENU, "", "trials.go_to", "trials.go_to_best")),
    ("&Plugins", ("plugins.manager", "", "plugins.reload_all", "plugins.open_folder",
                  "plugins.new")),
    ("T&ools", ("tools.command_palette", "", "tools.database", "tools.log_folder", "",
                "tools.copy_headless_command")),
    ("&Help", ("help.contents", "help.shortcuts", "", "help.report_problem", "", "help.about")),
)  # fmt: skip
"""Title and actions of each menu; an empty name is a line, `>NAME` a submenu."""

SUBMENUS = {
    "Export": (
        "file.export_trials",
        "file.export_shown",
        "file.export_selected",
        "file.copy_trials",
    ),
    "Layouts": (
        "view.layout.operator",
        "view.layout.engineer",
        "view.layout.reset",
        "view.layout.save",
    ),
    "Theme": (
        "view.theme.system",
        "view.theme.light",
        "view.theme.dark",
        "view.theme.high_contrast",
    ),
}
"""The submenus that hold actions; *Panels* holds those of the docks."""


_USUAL_TIPS = {spec.name: spec.tip or spec.text.rstrip("…") for spec in ACTIONS}
_OFF_REASON = "axdesk_off_reason"


def off_reason(action: QAction) -> str:
    """Why an action that is off cannot be used now."""
    return str(action.property(_OFF_REASON) or "") or "Not possible now."


Slots = dict[str, Callable[[], object]]
"""What actions do, by their name."""


class Actions(QObject):
    """The actions, by name."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._actions: dict[str, QAction] = {}
        for spec in ACTIONS:
            action = QAction(spec.text, self)
            action.setObjectName(f"action.{spec.name}")
            if spec.shortcut:
                action.setShortcut(QKeySequence(spec.shortcut))
            if spec.icon:
                action.setIcon(icon(spec.icon, "text2"))
            action.setCheckable(spec.is_checkable)
            self.set_tip(action, _USUAL_TIPS[spec.name])
            self._actions[spec.name] = action

    def __getitem__(self, name: str) -> QAction:
        """Return the action called `action.NAME`."""
        return self._actions[name]

    def __iter__(self) -> Iterator[QAction]:
        """Iterate over the actions."""
        return iter(self._actions.values())

    def connect_all(self, slots: Slots) -> None:
        """Have each action named call its function when it is triggered.

        Raises:
            KeyError: If an action is left without a function, or a name is unknown.
        """
        missing = set(self._actions) - set(slots)
        if missing:
            raise KeyError(f"Actions without a function: {sorted(missing)}")
        for name, slot in slots.items():
            self._actions[name].triggered.connect(lambda _=False, slot=slot: slot())

    @staticmethod
    def set_tip(action: QAction, tip: str) -> None:
        """Say what an action does, or why it cannot be used, together with its shortcut."""
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({keys})" if keys else tip)
        action.setStatusTip("")

    def switch(self, name: str, off: str, tip: str = "") -> None:
        """Switch an action on or off.

        Args:
            name: Of the action.
            off: Why it cannot be used now; empty switches it on.
            tip: What it does; empty for what the registry says.
        """
        action = self[name]
        action.setEnabled(not off)
        action.setProperty(_OFF_REASON, off)
        self.set_tip(action, off or tip or _USUAL_TIPS[name])

    def fill(self, bar: QMenuBar, submenus: dict[str, QMenu]) -> None:
        """Fill the menu bar.

        Args:
            bar: Empty.
            submenus: Those that do not hold actions of this registry, by their name.
        """
        for title, names in MENUS:
            menu = bar.addMenu(title)
            menu.setToolTipsVisible(True)  # they say why an action is off
            for name in names:
                if not name:
                    menu.addSeparator()
                elif name.startswith(">"):
                    self._add_submenu(menu, name.removeprefix(">"), submenus)
                else:
                    menu.addAction(self[name])

    def _add_submenu(self, menu: QMenu, name: str, submenus: dict[str, QMenu]) -> None:
        submenu = submenus.get(name)
        if submenu is None:
            submenu = QMenu(name, menu)
            for action in SUBMENUS[name]:
                submenu.addAction(self[action])
        menu.addMenu(submenu)
