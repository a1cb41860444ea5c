"""The question whether a plugin file may be run: what it means, which file, and what to press."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from axdesk.core.plugins import Hold, PluginFile
from axdesk.gui.models.plugins_model import TRUST_SENTENCE
from axdesk.gui.style import px
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Notice
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.wrapping_row import WrappingRow

_STATEMENTS = {
    Hold.UNTRUSTED: "Not trusted yet; nothing of it was run.",
    Hold.CHANGED: "Changed since you trusted it; nothing of it was run.",
}


def asks_for_trust(file: PluginFile) -> bool:
    """Whether the operator is asked if a file may be run."""
    return file.hold in _STATEMENTS


class TrustNotice(QWidget):
    """Asks for the trust in one version of one file; never in the way of anything else.

    Signals:
        file_trusted: The operator trusts this version; carries the `PluginFile`.
        folder_trusted: … every file of its folder; carries it.
        file_requested: … wants to read it first; carries its name.
    """

    file_trusted = Signal(object)
    folder_trusted = Signal(object)
    file_requested = Signal(str)

    def __init__(self, file: PluginFile, *, name: str) -> None:
        """Ask.

        Args:
            file: One that `asks_for_trust`.
            name: Object name; the buttons are called `NAME.trust`, `.trust_folder` and `.open`.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(f"Trust {file.name}?")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(6))
        statement = _STATEMENTS[file.hold]
        layout.addWidget(Notice("warn", "alert-triangle-filled", statement, TRUST_SENTENCE))
        for fact in file_facts(file):
            layout.addWidget(fact)
        buttons = QWidget()
        row = WrappingRow()
        buttons.setLayout(row)
        for text, icon_name, key, kind, press in (
            ("Trust this version", "check", "trust", "normal",
             lambda: self.file_trusted.emit(file)),
            ("Trust this folder", "folder-open", "trust_folder", "plain",
             lambda: self.folder_trusted.emit(file)),
            ("Open file", "external-link", "open", "plain",
             lambda: self.file_requested.emit(file.name)),
        ):  # fmt: skip
            button = Button(text, icon_name, kind=kind, name=f"{name}.{key}", on_click=press)
            row.addWidget(button)
            if key == "trust_folder":
                button.setToolTip("Runs every file of this folder, whatever becomes of it.")
        layout.addWidget(buttons)


def file_facts(file: PluginFile) -> list[QLabel]:
    """Labels that say which version of which file it is: path, size and hash."""
    labels = []
    for text in (file.path, f"{file.size:,} bytes", f"SHA-256 {file.sha256}"):
        # A path or a hash is one long word: it may be broken anywhere.
        broken = "\u200b".join(text[at : at + 8] for at in range(0, len(text), 8))
        fact = label(broken, "small", "text2", wrap=True)
        fact.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        fact.setAccessibleName(text)
        fact.setToolTip(text)
        labels.append(fact)
    return labels
