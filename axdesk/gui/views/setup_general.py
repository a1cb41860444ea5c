"""The page General: what the experiment is called, whose it is, where its plugins lie."""

import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
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
    """Name, description, owner, plugin folder and the Python that runs the plugins.

    Signals:
        plugins_moved: The operator chose another plugin folder or another Python.
    """

    plugins_moved = Signal()
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
        self._python = TextField(placeholder="axdesk’s own", name="setup.general.plugin_python")
        self._issues = {
            field: label("", "small", "bad", wrap=True)
            for field in ("name", "plugin_folder", "plugin_python")
        }
        self._browse_buttons = {
            "plugin_folder": Button(
                "Browse…", "folder-open", on_click=self._browse, name="setup.general.browse"
            ),
            "plugin_python": Button(
                "Browse…", "folder-open", on_click=self._browse_python,
                name="setup.general.browse_python",
            ),
        }  # fmt: skip
        self._open_folder = Button(
            "Open", "external-link", on_click=self._show_folder, name="setup.general.open_folder"
        )
        self._rename = Button("", kind="quiet", on_click=self._mend_name,
                              name="setup.general.rename")  # fmt: skip

        card = Card("Experiment")
        card.body.addWidget(labelled("Name", name))
        clash = QHBoxLayout()
        clash.addWidget(self._issues["name"], 1)
        clash.addWidget(self._rename)
        card.body.addLayout(clash)
        card.body.addWidget(labelled("Description", self._description))
        card.body.addWidget(labelled("Owner", owner))
        self.body.addWidget(card)

        self._hint = label("", "small", "text2", wrap=True)
        help_text = label(
            "The plugins run in a process of their own. Choose the laboratory’s Python, 3.11 or "
            "newer, where their packages are installed; axdesk need not be installed there.",
            "small", "text2", wrap=True,
        )  # fmt: skip
        plugins = Card("Plugins", note="the Python files that reach the laboratory")
        for text, name_of, field, hint in (
            ("Plugin folder", "plugin_folder", self._folder, self._hint),
            ("Python of the plugins", "plugin_python", self._python, help_text),
        ):
            line = QHBoxLayout()
            line.setSpacing(px(8))
            line.addWidget(labelled(text, field), 1)
            bottom = Qt.AlignmentFlag.AlignBottom
            line.addWidget(self._browse_buttons[name_of], 0, bottom)
            if name_of == "plugin_folder":
                line.addWidget(self._open_folder, 0, bottom)
            plugins.body.addLayout(line)
            plugins.body.addWidget(self._issues[name_of])
            plugins.body.addWidget(hint)
        self.body.addWidget(plugins)
        self.body.addStretch(1)

        self.fields.add("name", name)
        self.fields.add("owner", owner)
        self.fields.add("description", self._description)
        self.fields.add("plugin_folder", self._folder)
        self.fields.add("plugin_python", self._python)
        self._told_place = self._place()
        for field in (self._folder, self._python):
            field.editingFinished.connect(self._tell_moved)
        self._fix_height()
        theme_manager().changed.connect(self._fix_height)

    def refresh(self) -> None:
        """Show what the draft says."""
        self.fields.refresh()
        for field, shown in self._issues.items():
            issue = self.model.issue(Section.GENERAL, 0, field)
            told = bool(issue) and not (field == "name" and self.fields.is_patient)
            shown.setText(issue if told else "")
            shown.setVisible(told)
        remedy = self._name_remedy()
        self._rename.setVisible(remedy is not None and self._issues["name"].isVisibleTo(self))
        if remedy is not None:
            self._rename.setText(remedy[0].replace("&", "&&"))
            self._rename.setAccessibleName(remedy[0])
        for name_of, button in self._browse_buttons.items():
            locked = self.model.locked_reason(Section.GENERAL, 0, name_of)
            button.set_available(not locked, reason=locked)
        is_wrong = bool(self.model.issue(Section.GENERAL, 0, "plugin_folder"))
        catalogue = self.model.catalogue
        self._hint.setVisible(not is_wrong)
        if self.model.is_reading_plugins:
            self._hint.setText("Reading the folder…")
        elif catalogue is None:
            self._hint.setText("The folder has not been read yet.")
        else:
            count = len(catalogue.files)
            files = "one file" if count == 1 else f"{count} files"
            self._hint.setText(f"In use: {catalogue.folder}, with {files}.")
        has_folder = catalogue is not None and bool(catalogue.folder) and not is_wrong
        self._open_folder.set_available(has_folder, reason="There is no folder to open.")

    def go_to(self, problem: Problem) -> None:
        """Put the focus into the field."""
        self.fields.is_patient = False
        self.refresh()
        self.fields.focus(problem.field)

    def leave(self) -> None:
        """Be frank about a missing name from now on."""
        self.fields.is_patient = False

    def _name_remedy(self) -> tuple[str, Mapping[str, str]] | None:
        """A name that is free, where another experiment has the one typed."""
        problems = (p for p in self.model.problems_of(Section.GENERAL) if p.field == "name")
        return next((remedy for p in problems for remedy in p.remedies), None)

    def _mend_name(self) -> None:
        remedy = self._name_remedy()
        if remedy is not None:
            self.model.edit_cells(Section.GENERAL, 0, remedy[1])

    def _show_folder(self) -> None:
        """Show the folder in use in the file manager."""
        if self.model.catalogue is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(self.model.catalogue.folder))

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
        self._tell_moved()

    def _browse_python(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self, "Python of the plugins", self._python.text() or sys.prefix
        )
        if chosen:
            self.choose_python(chosen)

    def choose_python(self, program: str) -> None:
        """Take another Python program, as if it had been typed."""
        self.model.edit_cells(Section.GENERAL, 0, {"plugin_python": str(Path(program))})
        self._tell_moved()

    def _place(self) -> tuple[str, str]:
        """Where the plugins lie and what runs them."""
        texts = (self.model.text(Section.GENERAL, 0, f) for f in ("plugin_folder", "plugin_python"))
        folder, python = texts
        return folder, python

    def _tell_moved(self) -> None:
        if self._place() != self._told_place:
            self._told_place = self._place()
            self.plugins_moved.emit()

    def _fix_height(self) -> None:
        self._description.setFixedHeight(px(84))
