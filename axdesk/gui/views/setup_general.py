"""The page General: what the experiment is called, whose it is, where its plugins lie."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit

from axdesk.core.draft_cells import Problem, Section
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.style import px, theme_manager
from axdesk.gui.views.setup_page import CellFields, SetupPage
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import Card
from axdesk.gui.widgets.fields import TextField, labelled
from axdesk.gui.widgets.labels import label


class GeneralPage(SetupPage):
    """Name, description, owner and plugin folder.

    Signals:
        folder_chosen: The operator chose another plugin folder; carries it.
    """

    folder_chosen = Signal(str)
    section = Section.GENERAL

    def __init__(self, model: DraftModel) -> None:
        super().__init__(model, "General", "What the experiment is called and whose it is.")
        self.fields = CellFields(model, Section.GENERAL)
        self.fields.is_patient = not any(model.rows(Section.GENERAL))
        name = TextField(placeholder="Such as Suzuki coupling B", name="setup.general.name")
        owner = TextField(placeholder="Such as M. Keller", name="setup.general.owner")
        self._description = QPlainTextEdit()
        self._description.setObjectName("setup.general.description")
        self._description.setPlaceholderText("What is tried, and why; for whoever reads it later")
        self._description.setTabChangesFocus(True)
        self._folder = TextField(
            placeholder="The usual plugin folder", name="setup.general.plugin_folder"
        )
        self._name_issue = label("", "small", "bad", wrap=True)
        browse = Button("Browse…", "folder-open", on_click=self._browse)
        browse.setObjectName("setup.general.browse")
        self._browse_button = browse

        card = Card("Experiment")
        card.body.addWidget(labelled("Name", name))
        card.body.addWidget(self._name_issue)
        card.body.addWidget(labelled("Description", self._description))
        card.body.addWidget(labelled("Owner", owner))
        self.body.addWidget(card)

        folder = Card("Plugin folder", note="the Python files that reach the laboratory")
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self._folder, 1)
        line.addWidget(browse)
        self._folder.setAccessibleName("Plugin folder")
        self._hint = label("", "small", "text2", wrap=True)
        folder.body.addLayout(line)
        folder.body.addWidget(self._hint)
        self.body.addWidget(folder)
        self.body.addStretch(1)

        self.fields.add("name", name)
        self.fields.add("owner", owner)
        self.fields.add("description", self._description)
        self.fields.add("plugin_folder", self._folder)
        self._told_folder = self._folder.text()
        self._folder.editingFinished.connect(self._tell_folder)
        self._fix_height()
        theme_manager().changed.connect(self._fix_height)

    def refresh(self) -> None:
        """Show what the draft says."""
        self.fields.refresh()
        issue = self.model.issue(Section.GENERAL, 0, "name")
        told = bool(issue) and not self.fields.is_patient
        self._name_issue.setText(issue if told else "")
        self._name_issue.setVisible(told)
        self._browse_button.setEnabled(not self.model.is_read_only)
        catalogue = self.model.catalogue
        if catalogue is None:
            self._hint.setText("The folder has not been read yet.")
        else:
            count = len(catalogue.files)
            files = "one file" if count == 1 else f"{count} files"
            self._hint.setText(f"In use: {catalogue.folder}, with {files}.")

    def go_to(self, problem: Problem) -> None:
        """Put the focus into the field."""
        self.fields.is_patient = False
        self.refresh()
        self.fields.focus(problem.field)

    def leave(self) -> None:
        """Be frank about a missing name from now on."""
        self.fields.is_patient = False

    def _browse(self) -> None:
        current = self._folder.text() or (
            self.model.catalogue.folder if self.model.catalogue is not None else ""
        )
        chosen = QFileDialog.getExistingDirectory(self, "Plugin folder", current)
        if chosen:
            self.choose_folder(chosen)

    def choose_folder(self, folder: str) -> None:
        """Take another plugin folder, as if it had been typed."""
        self.model.edit_cells(Section.GENERAL, 0, {"plugin_folder": str(Path(folder))})
        self._tell_folder()

    def _tell_folder(self) -> None:
        folder = self.model.text(Section.GENERAL, 0, "plugin_folder")
        if folder != self._told_folder:
            self._told_folder = folder
            self.folder_chosen.emit(folder)

    def _fix_height(self) -> None:
        self._description.setFixedHeight(px(84))
