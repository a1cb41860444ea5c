"""The Plugins panel: the files of the folder, and what can be done with the one selected."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

from axdesk.core.plugins import PluginCheck, PluginFile, PluginKind, PluginState
from axdesk.gui.models.plugins_model import (
    STATE_LOOKS,
    PluginsModel,
    abilities_text,
    options_text,
)
from axdesk.gui.style import px
from axdesk.gui.views.text_fold import TextFold
from axdesk.gui.views.trust_notice import TrustNotice, asks_for_trust, file_facts
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Notice, Surface
from axdesk.gui.widgets.labels import ElidedLabel, label
from axdesk.gui.widgets.roles import Role
from axdesk.gui.widgets.tab_order import tab_after
from axdesk.gui.widgets.tables import ListView
from axdesk.gui.widgets.wrapping_row import WrappingRow


class PluginsView(Surface):
    """Folder, list, and details.

    Signals:
        opened: The panel came into sight.
        reload_requested: The operator wants all files read anew.
        folder_requested: … to see the folder.
        new_requested: … a new plugin file.
        file_requested: … to edit a file; carries its name.
        check_requested: … a file checked; carries the `PluginFile`.
        enabled: … a file left out or taken in again; carries it and whether it is to be in.
        file_trusted: … trusts a version; carries the `PluginFile`.
        folder_trusted: … trusts a folder; carries a file of it.
    """

    opened = Signal()
    reload_requested = Signal()
    folder_requested = Signal()
    new_requested = Signal()
    file_requested = Signal(str)
    check_requested = Signal(object)
    enabled = Signal(object, bool)
    file_trusted = Signal(object)
    folder_trusted = Signal(object)

    def __init__(self, model: PluginsModel) -> None:
        super().__init__("window")
        self._model = model
        self._shown: object = None
        self._folder = ElidedLabel("", "small", "text2")
        head = QHBoxLayout()
        head.setContentsMargins(px(12), 0, px(6), 0)
        head.setSpacing(px(2))
        head.addWidget(self._folder, 1)
        for text, icon_name, name, signal in (
            ("Reload all", "refresh", "reload", self.reload_requested),
            ("Open folder", "folder-open", "open_folder", self.folder_requested),
            ("New plugin…", "plus", "new", self.new_requested),
        ):
            head.addWidget(
                Button(text, icon_name, kind="icon", name=f"plugins.{name}", on_click=signal.emit)
            )
        self._selected_name = ""
        self._note = label("", "small", "text2", wrap=True)
        self._note.setContentsMargins(px(12), 0, px(12), 0)
        self._list = ListView(name="plugins.list", label="Plugin files")
        self._list.setModel(model)
        self._list.selectionModel().currentChanged.connect(lambda *_: self.refresh())
        self._area = QScrollArea()
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self._list)
        halves.addWidget(self._area)
        halves.setStretchFactor(0, 2)
        halves.setStretchFactor(1, 3)
        halves.setSizes([px(240), px(400)])
        halves.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, px(8), 0, 0)
        layout.setSpacing(px(6))
        layout.addLayout(head)
        layout.addWidget(self._note)
        layout.addWidget(halves, 1)
        model.changed.connect(self.refresh)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that the panel is seen."""
        super().showEvent(event)
        self.opened.emit()

    @property
    def selected(self) -> PluginFile | None:
        """The file selected."""
        return self._model.file(self._list.currentIndex().data(Role.KEY) or "")

    def select(self, name: str) -> None:
        """Select a file."""
        for row in range(self._model.rowCount()):
            if self._model.item(row).data(Role.KEY) == name:
                self._list.setCurrentIndex(self._model.index(row, 0))

    def refresh(self) -> None:
        """Show what the model says."""
        model = self._model
        folder = model.catalogue.folder if model.catalogue is not None else ""
        self._folder.setText(folder)
        note = model.problem
        if model.is_reading:
            note = "Reading the plugin files…"
        elif not note and model.catalogue is not None and not model.catalogue.files:
            note = "No plugin files here. New plugin… writes one to begin with."
        self._note.setText(note)
        self._note.setVisible(bool(note))
        if model.rowCount() and not self._list.currentIndex().isValid():
            # A file more or less fills the list anew: the buttons stay with the file they were for.
            is_there = model.file(self._selected_name) is not None
            self.select(self._selected_name if is_there else model.item(0).data(Role.KEY))
            return
        file = self.selected
        if file is not None:
            self._selected_name = file.name
        check = None if file is None else model.check_of(file)
        shown = file, check, model.checking
        if shown != self._shown:
            self._shown = shown
            self._show_details(file, check)

    def _show_details(
        self, file: PluginFile | None, check: tuple[PluginCheck, ...] | str | None
    ) -> None:
        content = Surface("window")
        body = QVBoxLayout(content)
        body.setContentsMargins(px(12), px(8), px(12), px(12))
        body.setSpacing(px(8))
        if file is not None:
            self._fill(body, file)
            self._add_buttons(body, file)
            if self._model.checking == file.path:
                body.addWidget(label("Checking…", "small", "live"))
            elif check is not None:
                _add_check(body, check)
            for plugin in file.plugins:
                kind = "runner" if plugin.kind is PluginKind.RUNNER else "metric"
                body.addWidget(label(f"{plugin.class_name}, a {kind}", "strong", wrap=True))
                about = plugin.summary.rstrip(".")
                text = f"{about}. {abilities_text(plugin)}." if about else abilities_text(plugin)
                body.addWidget(label(text, "small", "text2", wrap=True))
                if plugin.options:
                    body.addWidget(label(options_text(plugin), "small", "text", wrap=True))
        body.addStretch(1)
        former = self._area.takeWidget()
        if former is not None:
            # A button of it may be what was pressed just now.
            former.hide()
            former.deleteLater()
        self._area.setWidget(content)
        tab_after(self._list, content)

    def _fill(self, body: QVBoxLayout, file: PluginFile) -> None:
        word, icon_name, tone = STATE_LOOKS[file.state]
        if asks_for_trust(file):
            notice = TrustNotice(file, name="plugins.trust_notice")
            notice.file_trusted.connect(self.file_trusted)
            notice.folder_trusted.connect(self.folder_trusted)
            notice.file_requested.connect(self.file_requested)
            body.addWidget(notice)
            return
        if file.error:
            tint = {"bad": "bad", "warn": "warn"}.get(tone, "idle")
            body.addWidget(Notice(tint, icon_name, f"{word}.", file.error))
        if file.details:
            fold = TextFold("Show error", "plugins.error")
            fold.show_text(file.details)
            body.addWidget(fold)
        for fact in file_facts(file):
            body.addWidget(fact)

    def _add_buttons(self, body: QVBoxLayout, file: PluginFile) -> None:
        row = WrappingRow()
        buttons = QWidget()
        buttons.setLayout(row)
        is_disabled = file.state is PluginState.DISABLED
        if not file.hold:
            test = Button(
                "Test plugin", "test-pipe", name="plugins.test",
                on_click=lambda: self.check_requested.emit(file),
            )  # fmt: skip
            test.setToolTip(
                "Loads it, checks what its methods take, and makes each class. Nothing moves."
            )
            test.set_available(not self._model.checking, reason="A check goes on.")
            row.addWidget(test)
        if not asks_for_trust(file):
            if not is_disabled:
                row.addWidget(
                    Button("Reload", "refresh", kind="plain", name="plugins.reload_file",
                           on_click=self.reload_requested.emit)
                )  # fmt: skip
            row.addWidget(
                Button("Edit", "pencil", kind="plain", name="plugins.edit",
                       on_click=lambda: self.file_requested.emit(file.name))
            )  # fmt: skip
        row.addWidget(
            Button("Enable" if is_disabled else "Disable", "check" if is_disabled else "ban",
                   kind="plain", name="plugins.enable",
                   on_click=lambda: self.enabled.emit(file, is_disabled))
        )  # fmt: skip
        body.addWidget(buttons)


def _add_check(body: QVBoxLayout, check: tuple[PluginCheck, ...] | str) -> None:
    if isinstance(check, str):
        body.addWidget(Notice("bad", "circle-x-filled", "Not in order.", check))
        return
    for found in check:
        name = found.reference.partition(":")[2]
        if found.problem:
            body.addWidget(Notice("bad", "circle-x-filled", f"{name}:", found.problem))
        elif found.note:
            body.addWidget(Notice("idle", "info-circle", f"{name}:", found.note))
        else:
            body.addWidget(Notice("good", "circle-check-filled", f"{name}:", "in order."))
        if found.details:
            fold = TextFold("Show error", f"plugins.check.{name}")
            fold.show_text(found.details)
            body.addWidget(fold)
