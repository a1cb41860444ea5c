"""The preferences: what this user wants to have otherwise, in sections and with a search."""

from dataclasses import dataclass, field

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.plugins import TrustedPlaces
from axdesk.gui.settings import WindowSettings
from axdesk.gui.style import SYSTEM, ZOOM_RANGE, px
from axdesk.gui.theme import THEMES
from axdesk.gui.views.dialogs import Dialog, Way
from axdesk.gui.widgets.buttons import Button, Choice, SegmentedButton
from axdesk.gui.widgets.cards import Page
from axdesk.gui.widgets.fields import LABEL_WIDTH, ComboField, TextField
from axdesk.gui.widgets.labels import ElidedLabel, label
from axdesk.gui.widgets.one_line import OneLineDelegate
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tables import ListView

THEME_CHOICES = (
    Choice(SYSTEM, "As the system"),
    *(Choice(name, name.replace("_", " ").capitalize()) for name in THEMES),
)
SECTIONS = (
    ("general", "General", "lock"),
    ("appearance", "Appearance", "adjustments"),
    ("folders", "Folders", "folder-open"),
    ("database", "Database & backup", "database"),
    ("plugins", "Plugins & trust", "plug-connected"),
    ("notifications", "Notifications", "info-circle"),
    ("advanced", "Advanced", "adjustments-horizontal"),
)
"""Key, title and icon of each section; one without a row is not shown."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A setting that is on or off: its attribute of `WindowSettings`, section and words."""

    setting: str
    section: str
    text: str
    hint: str = ""


SWITCHES = (
    Switch("lock_setup", "general", "Lock setup", "Greys the set-up, for people who only run."),
    Switch(
        "notifications_system",
        "notifications",
        "Notifications of the system",
        "When a run ends or waits for you while another window is in front.",
    ),
    Switch("notifications_sound", "notifications", "Sound", "Beeps then, too."),
)
"""One check box each, in this order."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie, as texts; empty for what is not known yet."""

    database: str = ""
    backup_folder: str = ""
    plugin_folder: str = ""


@dataclass(slots=True)
class _Row:
    words: str
    widget: QWidget


@dataclass(slots=True)
class _Section:
    title: str
    heading: QWidget
    rows: list[_Row] = field(default_factory=list)


class PreferencesDialog(Dialog):
    """All settings on one page that scrolls; a change counts at once.

    Signals:
        place_wanted: The operator wants a folder shown; carries its path.
        trust_unwanted: A file or folder is to be asked for again; carries its path.
        reset_wanted: All settings are to be as at first.
    """

    place_wanted = Signal(str)
    trust_unwanted = Signal(str)
    reset_wanted = Signal()

    def __init__(self, parent: QWidget | None, settings: WindowSettings, places: Places) -> None:
        super().__init__(
            parent,
            name="dialog.preferences",
            title="Preferences",
            sentence="A change counts at once. Experiments keep their own settings.",
            ways=(Way("cancel", "Close", "primary"),),
            icon_name="adjustments",
            width=880,
        )
        self._settings = settings
        self._sections: dict[str, _Section] = {}
        self._search = TextField(
            placeholder="Search preferences", name="dialog.preferences.search", icon_name="search"
        )
        self._search.setAccessibleName("Search preferences")
        self._search.textChanged.connect(self._filter)
        self._list = ListView(
            name="dialog.preferences.sections", label="Sections", ground="surface"
        )
        self._list.setItemDelegate(OneLineDelegate(self._list))
        self._list.setFixedWidth(px(206))
        self._page = Page(margins=(20, 12), name="dialog.preferences.page")
        self._page.setMinimumHeight(px(160))
        self._page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._nothing = label("No preference is called so.", "body", "text2")
        columns = QHBoxLayout()
        columns.setSpacing(px(8))
        columns.addWidget(self._list)
        columns.addWidget(self._page, 1)
        self.body.addWidget(self._search)
        self.body.addLayout(columns)
        for key, title, _ in SECTIONS:
            heading = label(title, "section")
            self._page.body.addWidget(heading)
            self._sections[key] = _Section(title, heading)
            self._fill(key, places)
        self._page.body.addWidget(self._nothing)
        self._page.body.addStretch(1)
        self._list_sections()
        self._filter("")
        room = self._page.verticalScrollBar().sizeHint().width()
        room += self._page.body.minimumSize().width()
        self._page.setMinimumWidth(min(room + px(4), self.room().width() - px(280)))
        self._search.setFocus()

    def fit_height(self) -> None:
        """Show some ten rows, or what the screen has room for."""
        self.resize(self.width(), min(px(600), self.room().height()))

    # rows

    def _fill(self, key: str, places: Places) -> None:
        for switch in SWITCHES:
            if switch.section == key:
                self._add_switch(switch)
        match key:
            case "appearance":
                self._add_appearance()
            case "folders":
                self._add_folder_of_plugins(places.plugin_folder)
            case "database":
                self._add_place("Database", places.database, "database")
                self._backups = self._add_place("Backups", places.backup_folder, "backups")
            case "plugins":
                self._add_trust()
            case "advanced":
                self._add_advanced()
            case _:
                pass

    def _add_row(self, section: str, text: str, content: QWidget, hint: str = "") -> None:
        """Put a row at the end of a section: its name left, then the field, the hint below."""
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(px(12))
        name = label(text)
        name.setFixedWidth(px(LABEL_WIDTH * 0.8))
        name.setBuddy(content)
        if not content.accessibleName():
            content.setAccessibleName(text)
        column = QVBoxLayout()
        column.setSpacing(px(3))
        column.addWidget(content)
        if hint:
            column.addWidget(label(hint, "small", "text2", wrap=True))
        line.addWidget(name, 0, Qt.AlignmentFlag.AlignTop)
        line.addLayout(column, 1)
        known = self._sections[section]
        known.rows.append(_Row(f"{known.title} {text} {hint}".casefold(), row))
        self._page.body.addWidget(row)

    def _add_switch(self, switch: Switch) -> None:
        box = QCheckBox(switch.text)
        box.setObjectName(f"dialog.preferences.{switch.setting}")
        box.setChecked(getattr(self._settings, switch.setting))
        box.toggled.connect(lambda on: setattr(self._settings, switch.setting, on))
        self._add_row(switch.section, "", box, switch.hint)
        self._sections[switch.section].rows[-1].words += f" {switch.text}".casefold()

    def _add_appearance(self) -> None:
        theme = SegmentedButton(THEME_CHOICES, name="dialog.preferences.theme", label="Theme")
        theme.set_value(self._settings.theme)
        theme.chosen.connect(lambda value: setattr(self._settings, "theme", value))
        self._add_row("appearance", "Theme", theme, "Light, dark or high contrast; plots follow.")
        sizes = [Choice(size, f"{size} %") for size in range(ZOOM_RANGE[0], ZOOM_RANGE[1] + 1, 10)]
        zoom = ComboField(sizes, name="dialog.preferences.zoom")
        zoom.set_value(self._settings.zoom)
        zoom.setFixedWidth(px(110))
        zoom.chosen.connect(lambda value: setattr(self._settings, "zoom", value))
        self._add_row("appearance", "Zoom", zoom, "Size of all text, beyond the system's scaling.")

    def _add_folder_of_plugins(self, usual: str) -> None:
        path = TextField(
            self._settings.plugin_folder, placeholder=usual or "The usual plugin folder",
            name="dialog.preferences.plugin_folder",
        )  # fmt: skip
        path.setAccessibleName("Plugin folder of new experiments")

        def take(folder: str) -> None:
            self._settings.plugin_folder = folder.strip()
            path.set_committed(self._settings.plugin_folder)

        def choose() -> None:
            folder = QFileDialog.getExistingDirectory(self, "Plugin folder", path.text() or usual)
            if folder:
                take(folder)

        path.committed.connect(take)
        content = QWidget()
        line = QHBoxLayout(content)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(path, 1)
        line.addWidget(
            Button("Choose…", on_click=choose, name="dialog.preferences.choose_plugin_folder")
        )
        self._add_row(
            "folders", "Plugin folder", content,
            "Of new experiments; each experiment keeps the folder it was made with.",
        )  # fmt: skip

    def _add_place(self, text: str, path: str, name: str) -> QLabel:
        """A row that shows where something lies; returns the line below, which is empty."""
        column = QWidget()
        rows = QVBoxLayout(column)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(px(3))
        line = QHBoxLayout()
        shown = ElidedLabel(path or "–")
        shown.setAccessibleName(f"{text} {path}")
        show = Button(
            "Show", "external-link", on_click=lambda: self.place_wanted.emit(path),
            name=f"dialog.preferences.show_{name}",
        )  # fmt: skip
        show.setAccessibleName(f"Show {text.lower()}")
        show.set_available(bool(path), reason="It is not known yet where it lies.")
        line.addWidget(shown, 1)
        line.addWidget(show)
        below = label(" ", "small", "text2", wrap=True)
        rows.addLayout(line)
        rows.addWidget(below)
        self._add_row("database", text, column)
        return below

    def _add_trust(self) -> None:
        self._trusted = QStandardItemModel(self)
        rows = ListView(
            name="dialog.preferences.trusted", label="What may be run", ground="surface"
        )
        rows.setModel(self._trusted)
        rows.setFixedHeight(px(150))
        remove = Button(
            "Remove", "trash", name="dialog.preferences.remove_trust",
            on_click=lambda: self.trust_unwanted.emit(rows.currentIndex().data(Role.KEY)),
        )  # fmt: skip
        remove.set_available(False, reason="Select a folder or file first.")
        rows.selectionModel().currentChanged.connect(
            lambda current: remove.set_available(
                current.isValid() and bool(current.data(Role.KEY)),
                reason="Select a folder or file first.",
            )
        )
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(rows)
        column.addWidget(remove, 0, Qt.AlignmentFlag.AlignLeft)
        self._add_row(
            "plugins", "Trusted", content,
            "Laboratory code has all your rights. What is removed is asked for again before it "
            "runs.",
        )  # fmt: skip

    def _add_advanced(self) -> None:
        def forget() -> None:
            self._settings.reset("recent_commands")

        for text, name, button, act, hint in (
            ("Command palette", "forget_commands", "Forget what was used last", forget,
             "Then the palette lists its commands in the order of the menus."),
            ("All preferences", "reset", "As at first", self.reset_wanted.emit,
             "Theme, zoom, folders and the rest of this page; experiments and trust stay."),
        ):  # fmt: skip
            pressed = Button(button, on_click=act, name=f"dialog.preferences.{name}")
            self._add_row("advanced", text, pressed, hint)

    # what is told from outside

    def show_trust(self, places: TrustedPlaces) -> None:
        """List what may be run."""
        self._trusted.clear()
        for icon_name, what, paths in (
            ("folder-open", "Folder: whatever becomes of its files", places.folders),
            ("plug-connected", "File: as long as it stays as it is", places.files),
        ):
            for path in paths:
                item = QStandardItem(path)
                item.setData(path, Role.KEY)
                item.setData(icon_name, Role.ICON)
                item.setData(what, Role.SECOND_LINE)
                item.setData(f"{path}, {what}", Qt.ItemDataRole.AccessibleTextRole)
                item.setToolTip(path)
                item.setEditable(False)
                self._trusted.appendRow(item)
        if not self._trusted.rowCount():
            self.show_no_trust("Nothing yet; what comes with axdesk needs no trust.")

    def show_no_trust(self, reason: str) -> None:
        """Say why nothing is listed."""
        self._trusted.clear()
        item = QStandardItem(reason)
        item.setEnabled(False)
        self._trusted.appendRow(item)

    def show_backups(self, told: str) -> None:
        """Say how many backups there are."""
        self._backups.setText(told)

    # search and sections

    def _list_sections(self) -> None:
        model = QStandardItemModel(self)
        for key, title, icon_name in SECTIONS:
            if self._sections[key].rows:
                item = QStandardItem(title)
                item.setData(key, Role.KEY)
                item.setData(icon_name, Role.ICON)
                item.setEditable(False)
                model.appendRow(item)
        self._list.setModel(model)
        self._list.selectionModel().currentChanged.connect(
            lambda current: self._go_to(current.data(Role.KEY))
        )

    def _go_to(self, key: str | None) -> None:
        """Bring a section to the top of the page."""
        if key is not None:
            bar = self._page.verticalScrollBar()
            bar.setValue(self._sections[key].heading.y() - px(12))

    def _filter(self, query: str) -> None:
        words = query.casefold().split()
        found = False
        for section in self._sections.values():
            any_row = False
            for row in section.rows:
                shown = all(word in row.words for word in words)
                row.widget.setVisible(shown)
                any_row = any_row or shown
            section.heading.setVisible(any_row)
            found = found or any_row
        self._nothing.setVisible(not found)
        if words:
            self._list.selectionModel().setCurrentIndex(
                self._list.model().index(-1, 0), QItemSelectionModel.SelectionFlag.Clear
            )
