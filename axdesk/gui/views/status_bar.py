"""The status bar: what is saved, the plugin, and the optimiser."""

from datetime import datetime

from PySide6.QtWidgets import QHBoxLayout, QStatusBar, QWidget

from axdesk.core.events import StorageHealthChanged
from axdesk.gui.models.run_facts import since_text
from axdesk.gui.style import px
from axdesk.gui.widgets.labels import IconLabel, label, set_tone


class _Part(QWidget):
    def __init__(self, name: str, icon_name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._icon = IconLabel(icon_name, "text2", 14)
        self._text = label("", "small", "text2")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(px(8), px(2), px(8), px(2))
        layout.setSpacing(px(6))
        layout.addWidget(self._icon)
        layout.addWidget(self._text)

    def text(self) -> str:
        return self._text.text()

    def show_text(self, text: str, icon_name: str = "", tip: str = "", tone: str = "text2") -> None:
        self._text.setText(text)
        set_tone(self._text, tone)
        self.setAccessibleName(text)
        self.setToolTip(tip)
        if icon_name:
            self._icon.set_icon(icon_name, tone)
        self.setVisible(bool(text))


class StatusBar(QStatusBar):
    """Three parts: saved at, plugin, optimiser."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self._saved = _Part("statusbar.saved", "database")
        self._plugin = _Part("statusbar.plugin", "plug-connected")
        self._optimiser = _Part("statusbar.optimiser", "cpu")
        self.addWidget(self._saved)
        self.addPermanentWidget(self._plugin)
        self.addPermanentWidget(self._optimiser)
        self.messageChanged.connect(self._make_room)
        self._database_tip = ""
        self._saved_at: datetime | None = None
        self._outage: StorageHealthChanged | None = None
        for part in (self._plugin, self._optimiser):
            part.show_text("")
        self._show_in_saved("")

    def show_database(self, file_name: str, path: str) -> None:
        """Name the database."""
        self._database_tip = path
        self._show_in_saved(file_name, "database", path)

    def show_saved(self, moment: datetime) -> None:
        """Say when the last change was stored; kept back while there is an outage."""
        self._saved_at = moment
        if self._outage is None:
            self._show_saved_at(moment)

    def show_outage(self, outage: StorageHealthChanged | None, now: datetime) -> None:
        """Say that nothing can be saved; None: that it can again."""
        before, self._outage = self._outage, outage
        if outage is not None:
            text = f"Not saved{since_text(outage.since, now)}"
            self._show_in_saved(text, "alert-circle-filled", outage.reason, "bad")
        elif before is not None and self._saved_at is not None:
            self._show_saved_at(self._saved_at)
        elif before is not None:
            self._show_in_saved("Saving again", "check", self._database_tip)

    def _show_in_saved(
        self, text: str, icon_name: str = "", tip: str = "", tone: str = "text2"
    ) -> None:
        self._saved.show_text(text, icon_name, tip, tone)
        self._make_room(self.currentMessage())

    def _make_room(self, message: str) -> None:
        # The bar paints its message where this part stands; shown meanwhile, both are unreadable.
        self._saved.setVisible(bool(self._saved.text()) and not message)

    def _show_saved_at(self, moment: datetime) -> None:
        text = f"Saved {moment.astimezone():%H:%M:%S}"
        self._show_in_saved(text, "check", self._database_tip)

    def show_plugin(self, text: str, tip: str = "") -> None:
        """Name the plugin in use; empty for none."""
        self._plugin.show_text(text, tip=tip)

    def show_optimiser(self, is_ready: bool | None) -> None:
        """Say whether the optimiser is loaded; None: there is none."""
        words = {None: "", False: "Loading optimiser…", True: "Optimiser ready"}
        self._optimiser.show_text(words[is_ready])
