"""The files of a plugin folder as a list, and the words for what each of them is."""

from collections.abc import Mapping

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel

from axdesk.core.plugins import (
    PluginCatalogue,
    PluginCheck,
    PluginDescription,
    PluginFile,
    PluginKind,
    PluginState,
)
from axdesk.gui.models.formatting import counted
from axdesk.gui.widgets.roles import Role

STATE_LOOKS: Mapping[PluginState, tuple[str, str, str]] = {
    PluginState.LOADED: ("Loaded", "circle-check", "text"),
    PluginState.ERROR: ("Error", "circle-x-filled", "bad"),
    PluginState.UNTRUSTED: ("Untrusted", "help-circle-filled", "warn"),
    PluginState.CHANGED: ("Changed", "alert-triangle-filled", "warn"),
    PluginState.DISABLED: ("Disabled", "ban", "text2"),
}
"""State → word, icon, tone."""

TRUST_SENTENCE = (
    "Laboratory code runs with your rights: it can read, change and send whatever you can. "
    "Trust it if you know where it comes from."
)


class PluginsModel(QStandardItemModel):
    """The files of the folder that is shown.

    Signals:
        changed: The folder, its files or what came of a check differ.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.catalogue: PluginCatalogue | None = None
        self.problem = ""
        self.is_reading = False
        self._checks: dict[str, tuple[str, tuple[PluginCheck, ...] | str]] = {}
        self.checking = ""

    def show_catalogue(
        self, catalogue: PluginCatalogue | None, *, problem: str = "", is_reading: bool = False
    ) -> None:
        """Show a folder; a `problem` says why it cannot be read."""
        shown = (catalogue, problem, is_reading)
        if shown == (self.catalogue, self.problem, self.is_reading):
            return
        files_differ = catalogue != self.catalogue
        self.catalogue, self.problem, self.is_reading = shown
        if files_differ:
            self._fill(catalogue.files if catalogue is not None else ())
        self.changed.emit()

    def file(self, name: str) -> PluginFile | None:
        """The file of a name; None if there is none."""
        files = self.catalogue.files if self.catalogue is not None else ()
        return next((file for file in files if file.name == name), None)

    def begin_check(self, path: str) -> None:
        """Note that a file is being checked; empty for none."""
        self.checking = path
        self.changed.emit()

    def show_check(self, file: PluginFile, found: tuple[PluginCheck, ...] | str) -> None:
        """Keep what came of a check, or the sentence that says why there was none."""
        self._checks[file.path] = (file.sha256, found)
        self.checking = ""
        self.changed.emit()

    def check_of(self, file: PluginFile) -> tuple[PluginCheck, ...] | str | None:
        """What came of the last check of this version of a file; None without one."""
        sha256, found = self._checks.get(file.path, ("", None))
        return found if sha256 == file.sha256 else None

    def _fill(self, files: tuple[PluginFile, ...]) -> None:
        names = [self.item(row).data(Role.KEY) for row in range(self.rowCount())]
        if names != [file.name for file in files]:
            self.clear()
            for _ in files:
                self.appendRow(QStandardItem())
        for row, file in enumerate(files):
            item = self.item(row)
            word, icon_name, tone = STATE_LOOKS[file.state]
            item.setEditable(False)
            item.setText(file.name)
            item.setData(file.name, Role.KEY)
            item.setData(icon_name, Role.ICON)
            item.setData(tone, Role.ICON_TONE)
            item.setData(f"{word} · {kinds_text(file)}" if file.plugins else word, Role.SECOND_LINE)
            item.setData(tone if tone in ("bad", "warn") else "text2", Role.SECOND_TONE)
            item.setData(f"{file.name}: {word}. {file.error}", Qt.ItemDataRole.AccessibleTextRole)
            item.setToolTip(file.error)


def kinds_text(file: PluginFile) -> str:
    """Say what a file holds: `runner, 2 metrics`."""
    runners = sum(plugin.kind is PluginKind.RUNNER for plugin in file.plugins)
    metrics = len(file.plugins) - runners
    parts = [counted(runners, "runner")] * bool(runners) + [counted(metrics, "metric")] * bool(
        metrics
    )
    return ", ".join(parts)


def abilities_text(plugin: PluginDescription) -> str:
    """Say what a class can do beyond what each must."""
    if plugin.kind is PluginKind.METRIC:
        early = plugin.can_fetch_early
        return "Can be fetched while a trial runs" if early else "Fetched when a trial is done"
    abilities = ["can stop a trial" if plugin.can_stop else "cannot stop a trial"]
    if plugin.can_find:
        abilities.append("can find a trial again after a crash")
    words = " and ".join(abilities)
    return words[:1].upper() + words[1:]


def options_text(plugin: PluginDescription) -> str:
    """Describe the options: one line each, with kind, default and help."""
    lines = []
    for option in plugin.options:
        kind = {
            "int": "whole number",
            "float": "number",
            "str": "text",
            "bool": "yes or no",
            "path": "path",
            "choice": f"one of {', '.join(map(str, option.choices))}",
        }[option.kind]
        default = "needed" if option.is_required else f"default {option.default}"
        text = f"{option.name}: {kind}, {default}"
        lines.append(f"{text}. {option.help}" if option.help else text)
    return "\n".join(lines)
