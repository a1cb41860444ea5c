"""Files of the window: opening, saving, templates, recent experiments, the headless command."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu

from axdesk.core.errors import AxdeskError, ExperimentFileError
from axdesk.core.names import file_stem
from axdesk.core.setup import ExperimentSetup
from axdesk.gui.actions import Slots
from axdesk.gui.icons import icon
from axdesk.gui.models.experiments_model import look_of
from axdesk.gui.models.formatting import UNNAMED
from axdesk.gui.models.headless_command import headless_command
from axdesk.gui.views.dialogs import ReportDialog
from axdesk.gui.views.name_dialog import NameDialog
from axdesk.gui.workbench import Workbench

if TYPE_CHECKING:
    from axdesk.api.templates import Template

_EXPERIMENT_FILES = "Experiment files (*.toml)"
_DATABASES = (".sqlite", ".sqlite3", ".db")
_TOLD_MS = 8000

MOST_RECENT = 10
"""Experiments in the menu *Recent*."""


def ask_open_path(parent: QMainWindow) -> Path | None:
    """Ask for an experiment file to open; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getOpenFileName(
        parent, "Open an experiment file", "", f"{_EXPERIMENT_FILES};;All files (*)"
    )
    return Path(chosen) if chosen else None


def ask_save_path(parent: QMainWindow, title: str, proposal: str, kinds: str) -> Path | None:
    """Ask where to write a file; None if the operator thinks better of it."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, proposal, kinds)
    return Path(chosen) if chosen else None


class Files(QObject):
    """Carries out what concerns files, and fills the menus *Recent* and *New from template*."""

    def __init__(self, window: QMainWindow, workbench: Workbench) -> None:
        super().__init__(window)
        self._window = window
        self._workbench = workbench
        self._paths: dict[int, Path] = {}
        self._recent = self._menu("Recent", "action.file.recent", self._fill_recent)
        self._templates = self._menu(
            "New from template", "action.file.new_from_template", self._fill_templates
        )
        self._templates.setIcon(icon("clipboard-list", "text2"))
        workbench.templates.changed.connect(self._fill_templates)
        workbench.session_removed.connect(lambda number: self._paths.pop(number, None))
        self._fill_templates()

    @property
    def menus(self) -> dict[str, QMenu]:
        """The submenus, by name."""
        return {menu.title(): menu for menu in (self._recent, self._templates)}

    @property
    def slots(self) -> Slots:
        """What is done here, by the name of its action."""
        return {
            "file.open": self.open_file,
            "file.save": self.save_file,
            "file.save_as_template": self.save_as_template,
            "tools.copy_headless_command": self.copy_headless_command,
        }

    # opening

    def open_file(self) -> None:
        """Open an experiment file as a new draft."""
        path = ask_open_path(self._window)
        if path is not None:
            self.open_path(path)

    def open_path(self, path: Path) -> None:
        """Open a file that was chosen, dropped or named on the command line."""
        if path.suffix.casefold() in _DATABASES:
            self._tell(
                f"{path.name} is a database. Open it with a window of its own: "
                "axdesk --database FILE"
            )
            return

        def note(experiment_id: int, name: str, said: str) -> None:
            if name == said:
                self._paths[experiment_id] = path
            else:
                self._tell(f"Opened as {name}: another experiment is called {said}.")

        self._workbench.new_from_file(path, note, lambda error: self._refuse(path, error))

    def _refuse(self, path: Path, error: AxdeskError) -> None:
        """Say what is wrong in a file, without blocking what goes on."""
        problems = error.problems if isinstance(error, ExperimentFileError) else ()
        if not problems:
            self._workbench.failed.emit(error)
            return
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        dialog = ReportDialog(
            self._window, name="dialog.file_problems", title=f"{path.name} cannot be opened",
            sentence=f"It has {count}. Mend the lines in a text editor and open it again; nothing "
            f"in axdesk was changed. ({error.code})",
            text="\n".join(problems), icon_name="alert-circle-filled", tone="bad",
        )  # fmt: skip
        report = f"{path}\n" + "\n".join(problems)
        dialog.chosen.connect(
            lambda key: QGuiApplication.clipboard().setText(report) if key == "copy" else None
        )
        dialog.show()

    # saving

    def save_file(self) -> None:
        """Write the experiment file; the first time it is asked where."""
        session = self._workbench.current
        if session is None:
            return
        path = self._paths.get(session.id)
        if path is None:
            proposal = f"{file_stem(session.facts.name)}.toml"
            path = ask_save_path(
                self._window, "Save the experiment file", proposal, _EXPERIMENT_FILES
            )
        if path is not None:
            target = path if path.suffix else path.with_suffix(".toml")
            experiment_id = session.id

            def note(_: object) -> None:
                self._paths[experiment_id] = target
                self._tell(f"Written to {target}")

            session.flush()
            draft = session.draft_model.draft
            self._workbench.plugin_io.post(lambda w: w.write_draft(draft, target), note)

    # templates

    def save_as_template(self) -> None:
        """Keep the set-up shown as a template, under a name that is asked for."""
        session = self._workbench.current
        if session is None:
            return
        own = [template.title for template in self._workbench.templates if template.is_own]
        dialog = NameDialog(
            self._window, "dialog.save_template", "template",
            "The set-up is kept, without trials. File ▸ New from template makes new experiments "
            "from it.",
            title="Save as template", icon_name="clipboard-list", known=own,
            proposal=session.facts.name,
        )  # fmt: skip
        dialog.entered.connect(self._keep_template)
        dialog.open()

    def _keep_template(self, title: str) -> None:
        session = self._workbench.current
        if session is None:
            return
        session.flush()
        self._workbench.templates.save(
            session.draft_model.draft, title, lambda: self._tell(f"Kept as the template {title}")
        )

    def new_from_template(self, template: "Template") -> None:
        """Make a new draft from a template."""
        path = template.path
        self._workbench.new_from_file(
            path, lambda *_: None, lambda error: self._refuse(path, error)
        )

    def _fill_templates(self) -> None:
        menu = self._templates
        menu.clear()
        was_own = False
        for template in self._workbench.templates:
            if template.is_own and not was_own:
                menu.addSeparator()
            was_own = template.is_own
            action = menu.addAction(template.title.replace("&", "&&"))
            action.setToolTip(template.description)
            action.triggered.connect(
                lambda _=False, chosen=template: self.new_from_template(chosen)
            )
        menu.addSeparator()
        menu.addAction("Open template folder", self._open_template_folder)

    def _open_template_folder(self) -> None:
        self._workbench.templates.make_folder(
            lambda folder: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))
        )

    # recent experiments

    def _fill_recent(self) -> None:
        menu = self._recent
        menu.clear()
        summaries = self._workbench.experiments.summaries
        latest = sorted(summaries, key=lambda s: s.updated_at, reverse=True)[:MOST_RECENT]
        for summary in latest:
            look = look_of(summary)
            action = menu.addAction(
                icon(look.icon, look.color), (summary.name or UNNAMED).replace("&", "&&")
            )
            action.setToolTip(look.word)
            action.triggered.connect(
                lambda _=False, number=summary.id: self._workbench.open(number)
            )
        if not latest:
            menu.addAction("No experiments yet").setEnabled(False)

    # without a window

    def copy_headless_command(self) -> None:
        """Put the command that goes on without a window into the clipboard.

        The set-up is stored first, as a start would, so that the command finds it.
        """
        session, workbench = self._workbench.current, self._workbench
        if session is None:
            return

        def copy(name: str, options: tuple[str, ...]) -> None:
            text = headless_command(name, options)
            QGuiApplication.clipboard().setText(text)
            self._tell(f"Copied: {text}")

        def read(setup: ExperimentSetup) -> None:
            workbench.io.post(
                lambda w: w.command_options(setup), lambda options: copy(setup.name, options)
            )
            workbench.refresh()

        session.store_setup(read)

    # inside

    def _tell(self, text: str) -> None:
        self._window.statusBar().showMessage(text, _TOLD_MS)

    def _menu(self, title: str, name: str, fill: Callable[[], None]) -> QMenu:
        menu = QMenu(title, self._window)
        menu.setToolTipsVisible(True)
        menu.menuAction().setObjectName(name)
        menu.aboutToShow.connect(fill)
        return menu
