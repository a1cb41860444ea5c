"""A form generated from the options of a plugin class."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Section, value_text
from axdesk.core.plugins import OptionDescription, PluginDescription
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.setup_texts import option_title
from axdesk.gui.style import px
from axdesk.gui.views.setup_page import CellFields, Field
from axdesk.gui.widgets.buttons import Button, Choice
from axdesk.gui.widgets.cards import Fold
from axdesk.gui.widgets.fields import ComboField, TextField, labelled
from axdesk.gui.widgets.labels import label

COLUMNS = 2

MOST_IN_SIGHT = 6
"""Of more options, those that keep their defaults are folded."""


class OptionForm(QWidget):
    """One field for each option: what is typed is kept, the default stands as a hint.

    Fields are named `<name>.<option>`; text that is empty means the default.
    """

    def __init__(self, model: DraftModel, section: Section, *, name: str) -> None:
        """Make an empty form.

        Args:
            model: What it edits.
            section: Section whose row holds the options, as `option.<name>` cells.
            name: Object name.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName("Options")
        self._model = model
        self._section = section
        self._name = name
        self._plugin: PluginDescription | None = None
        self._fields = CellFields(model, section)
        self._issues: dict[str, QLabel] = {}
        self._browsers: dict[str, Button] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(px(14))
        self._grid.setVerticalSpacing(px(10))
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self._fold: Fold | None = None
        self._folded: frozenset[str] = frozenset()

    def show_plugin(self, plugin: PluginDescription | None, row: int) -> None:
        """Show the options of a class, for one row of the section; None shows nothing."""
        self._fields.row = row
        if plugin != self._plugin:
            self._plugin = plugin
            self._rebuild()
        self._fields.refresh()
        if self._fold is not None:
            is_set = any(self._model.text(self._section, row, f"option.{n}") for n in self._folded)
            self._fold.set_values("" if is_set else "all at their defaults")
        for field, button in self._browsers.items():
            locked = self._model.locked_reason(self._section, row, field)
            button.set_available(not locked, reason=locked)
        for field, issue in self._issues.items():
            text = self._model.issue(self._section, row, field)
            issue.setText(text)
            issue.setVisible(bool(text))

    def focus(self, field: str) -> bool:
        """Give the field of a cell the focus; False if there is none."""
        if self._fold is not None and field.removeprefix("option.") in self._folded:
            self._fold.set_open(True)
        return self._fields.focus(field)

    def _rebuild(self) -> None:
        self._fields.clear()
        self._issues.clear()
        self._browsers.clear()
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        self._fold = None
        options = self._plugin.options if self._plugin is not None else ()
        in_sight = [o for o in options if self._is_in_sight(o)]
        if len(options) <= MOST_IN_SIGHT or len(options) - len(in_sight) < COLUMNS:
            in_sight = list(options)
        rest = [option for option in options if option not in in_sight]
        self._folded = frozenset(option.name for option in rest)
        self._fill(self._grid, in_sight)
        if not rest:
            return
        self._fold = Fold(f"{len(rest)} more options", name=f"{self._name}.more")
        self._fold.set_values("all at their defaults")
        inside = QGridLayout()
        inside.setHorizontalSpacing(px(14))
        inside.setVerticalSpacing(px(10))
        self._fill(inside, rest)
        self._fold.body.addLayout(inside)
        self._grid.addWidget(self._fold, self._grid.rowCount(), 0, 1, COLUMNS)

    def _is_in_sight(self, option: OptionDescription) -> bool:
        text = self._model.text(self._section, self._fields.row, f"option.{option.name}")
        options = self._plugin.options if self._plugin is not None else ()
        return option.is_required or bool(text) or option in options[: MOST_IN_SIGHT - COLUMNS]

    def _fill(self, grid: QGridLayout, options: Sequence[OptionDescription]) -> None:
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        for place, option in enumerate(options):
            grid.addWidget(self._cell(option), place // COLUMNS, place % COLUMNS)

    def _cell(self, option: OptionDescription) -> QWidget:
        title = option_title(option.name) + (" (needed)" if option.is_required else "")
        field, choices = _field_for(option)
        field.setObjectName(f"{self._name}.{option.name}")
        field.setAccessibleName(option_title(option.name))
        shown: QWidget = field
        if option.kind == "path" and isinstance(field, TextField):
            shown = self._with_browse(option, field)
            shown.setAccessibleName(option_title(option.name))
        cell = labelled(title, shown, unit=option.unit)
        cell.setToolTip(option.help)
        layout = cell.layout()
        issue = label("", "small", "bad", wrap=True)
        issue.hide()
        if isinstance(layout, QVBoxLayout):
            layout.addWidget(issue)
            if hint := _hint_of(option):
                layout.addWidget(label(hint, "small", "text2", wrap=True))
            layout.addStretch(1)
        self._issues[f"option.{option.name}"] = issue
        self._fields.add(f"option.{option.name}", field, choices)
        return cell

    def _with_browse(self, option: OptionDescription, field: TextField) -> QWidget:
        both = QWidget()
        line = QHBoxLayout(both)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(px(6))
        line.addWidget(field, 1)

        def browse() -> None:
            chosen = QFileDialog.getExistingDirectory(self, option_title(option.name), field.text())
            if chosen:
                cells = {f"option.{option.name}": chosen}
                self._model.edit_cells(self._section, self._fields.row, cells)

        button = Button("Choose a folder", "folder-open", kind="icon", on_click=browse)
        self._browsers[f"option.{option.name}"] = button
        line.addWidget(button)
        return both


def _field_for(option: OptionDescription) -> tuple[Field, tuple[Choice, ...]]:
    default = _default_text(option)
    if option.kind in ("bool", "choice"):
        values = ("yes", "no") if option.kind == "bool" else map(value_text, option.choices)
        choices = [Choice(value, value) for value in values]
        if not option.is_required:
            choices.insert(0, Choice("", f"{default} (default)"))
        return ComboField(), tuple(choices)
    field = TextField(placeholder=default)
    if option.kind in ("int", "float"):
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
    return field, ()


def _hint_of(option: OptionDescription) -> str:
    """What stands below a field: the docstring's words, and which numbers are allowed."""
    allowed = option.range_text
    return f"{option.help} {allowed[:1].upper()}{allowed[1:]}.".strip() if allowed else option.help


def _default_text(option: OptionDescription) -> str:
    if option.is_required:
        return ""
    return value_text(option.default) or "None"
