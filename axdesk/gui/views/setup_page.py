"""What the pages of the set-up share: the page, fields bound to cells, the list of problems."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSignalBlocker
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from axdesk.core.draft_cells import Problem, Section
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import DraftTable, with_current
from axdesk.gui.models.setup_texts import place_of, sentence_of
from axdesk.gui.style import px, set_property
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button, Choice, SegmentedButton
from axdesk.gui.widgets.cards import Page, PageHead, Surface
from axdesk.gui.widgets.fields import ComboField, TextField
from axdesk.gui.widgets.labels import label, rule
from axdesk.gui.widgets.lists import Issue, IssueList, Remedy

Field = TextField | ComboField | SegmentedButton | QCheckBox | QPlainTextEdit


class CellFields:
    """Fields of a form that show cells of one row of the draft and edit them at each key.

    What is wrong with a cell stands at its field. Cells of a row that was not filled in yet are not
    called wrong before `is_patient` is taken back.
    """

    def __init__(self, model: DraftModel, section: Section, row: int = 0) -> None:
        self._model = model
        self._section = section
        self._fields: dict[str, Field] = {}
        self._choices: dict[str, tuple[Choice, ...]] = {}
        self.row = row
        self.is_patient = False

    def add(self, name: str, field: Field, choices: tuple[Choice, ...] = ()) -> None:
        """Bind a field.

        Args:
            name: The cell's field.
            field: Where it is shown.
            choices: What a combo box offers.
        """
        self._fields[name] = field
        self._choices[name] = choices
        match field:
            case TextField():
                field.textEdited.connect(lambda text: self._edit(name, text))
                field.editingFinished.connect(self._model.seal)
            case ComboField() | SegmentedButton():
                field.chosen.connect(lambda value: self._edit(name, str(value)))
            case QCheckBox():
                field.toggled.connect(lambda on: self._edit(name, "yes" if on else "no"))
            case QPlainTextEdit():
                field.textChanged.connect(lambda: self._edit(name, field.toPlainText()))
        self._show(name, field)

    def names(self) -> tuple[str, ...]:
        """The cells that have a field here."""
        return tuple(self._fields)

    def clear(self) -> None:
        """Forget all fields."""
        self._fields.clear()
        self._choices.clear()

    def refresh(self) -> None:
        """Show what the draft says."""
        for name, field in self._fields.items():
            self._show(name, field)

    def focus(self, name: str) -> bool:
        """Give a field the focus; False if there is none for that cell."""
        field = self._fields.get(name)
        if field is None:
            return False
        field.setFocus()
        if isinstance(field, TextField):
            field.selectAll()
        return True

    def _edit(self, name: str, text: str) -> None:
        self._model.edit(self._section, self.row, name, text)

    def _show(self, name: str, field: Field) -> None:
        text = self._model.text(self._section, self.row, name)
        issue = self._model.issue(self._section, self.row, name)
        if self.is_patient and not text:
            issue = ""
        with QSignalBlocker(field):
            _show_text(field, text, self._choices[name])
        locked = self._model.locked_reason(self._section, self.row, name)
        field.setEnabled(not locked)
        if isinstance(field, TextField):
            doubt = "" if issue else self._model.doubt(self._section, self.row, name)
            field.set_issue(issue or doubt, "warning" if doubt else "error")
            if locked:
                field.setToolTip(locked)
        elif isinstance(field, ComboField):
            set_property(field, "issue", "error" if issue else "")
            field.setToolTip(issue or locked or field.currentText())
            field.setAccessibleDescription(issue)


def _show_text(field: Field, text: str, choices: tuple[Choice, ...]) -> None:
    match field:
        case TextField():
            field.set_committed(text)
        case ComboField():
            field.set_choices(with_current(choices, text))
            field.set_value(text)
        case SegmentedButton():
            field.show_text(text)
        case QCheckBox():
            field.setChecked(text != "no")
        case QPlainTextEdit() if field.toPlainText() != text:
            field.setPlainText(text)
        case _:
            pass


class SetupPage(Page):
    """A page of the set-up for one section of the draft."""

    section: Section | None = None

    def __init__(
        self, model: DraftModel, title: str, sentence: str, buttons: Sequence[QWidget] = ()
    ) -> None:
        super().__init__()
        self.model = model
        self.head = PageHead(title, sentence, buttons)
        self.body.addWidget(self.head)
        self.setAccessibleName(title)

    def refresh(self) -> None:
        """Show what the draft says now."""

    def go_to(self, problem: Problem) -> None:
        """Put the focus where a problem can be mended."""

    def leave(self) -> None:
        """Take over what is being typed, and be frank about empty cells from now on."""


class ProblemList(IssueList):
    """The problems of one section, with their remedies as buttons."""

    def __init__(self, model: DraftModel, go_to: Callable[[Problem], object], *, name: str) -> None:
        super().__init__(name=name)
        self._model = model
        self._shown: tuple[object, ...] = ((), "", (), False)
        self.issue_clicked.connect(lambda problem: go_to(problem) if problem else None)

    def show_problems(
        self, problems: tuple[Problem, ...], told: str = "", doubts: tuple[Problem, ...] = ()
    ) -> None:
        """Show these problems instead.

        Args:
            problems: In order.
            doubts: What stands below them as warnings.
            told: What could not be done, as a sentence; empty for nothing.
        """
        shown = (problems, told, doubts, self._model.is_read_only)
        if shown == self._shown:
            return
        self._shown = shown
        notices = [Issue("Not done", told, level="warning")] if told else []
        wrong = [self._issue(problem) for problem in problems]
        self.set_issues([*notices, *wrong, *(self._issue(one, "warning") for one in doubts)])

    def _issue(self, problem: Problem, level: str = "error") -> Issue:
        remedies = () if self._model.is_read_only else problem.remedies
        return Issue(
            place_of(problem, self._model.draft),
            sentence_of(problem),
            remedies=tuple(Remedy(text, self._mend(problem, text)) for text, _ in remedies),
            level=level,
            target=problem,
        )

    def _mend(self, problem: Problem, text: str) -> Callable[[], object]:
        cells = dict(problem.remedies)[text]
        return lambda: self._model.edit_cells(problem.section, problem.row or 0, cells)


class TableFoot(QWidget):
    """The line under a table that adds a row, and how else rows come and go."""

    def __init__(self, button: Button, hint: str) -> None:
        super().__init__()
        self._button = button
        self._hint = label(hint, "small", "text2", wrap=True)
        line = QHBoxLayout(self)
        line.setContentsMargins(px(8), px(5), px(12), px(5))
        line.setSpacing(px(8))
        line.addWidget(button)
        line.addWidget(self._hint, 1)
        line.addStretch(0)

    def set_locked(self, reason: str) -> None:
        """Say why rows cannot be added now; empty if they can."""
        self._button.set_available(not reason, reason=reason)
        self._hint.setVisible(not reason)


TABLE_SHARE = 0.62
"""What a table may take of a page's height; above it, it scrolls by itself."""


class TablePage(SetupPage):
    """A page with a table over a section, a line to add rows, and its problems below."""

    def __init__(self, model: DraftModel, title: str, sentence: str) -> None:
        super().__init__(model, title, sentence)
        self.table: SetupTable
        self._told = ""

    def set_up(self, table: SetupTable, foot: TableFoot, issues_name: str) -> None:
        """Lay the table, its foot and its problems into the page."""
        self.table = table
        self._foot = foot
        card = Surface("card")
        inside = QVBoxLayout(card)
        inside.setContentsMargins(1, 1, 1, 1)
        inside.setSpacing(0)
        inside.addWidget(table)
        inside.addWidget(rule())
        inside.addWidget(foot)
        self.issues = ProblemList(self.model, self.go_to, name=issues_name)
        self.body.addWidget(card)
        self.body.addWidget(self.issues)
        table.row_wanted.connect(self.add_row)
        table.rows_unwanted.connect(self.remove_rows)
        table.row_left.connect(self._forgive_no_more)
        table.rows_moved.connect(self.move_rows)
        self.model.changed.connect(lambda: self.tell(""))
        table.selectionModel().currentChanged.connect(self.refresh)

    @property
    def rows(self) -> DraftTable:
        """The table's model."""
        return self.table.table

    def refresh(self) -> None:
        """Show the problems of this section."""
        if self.table.current_row < 0:
            self.table.select_row(0)
        shown = [p for p in self.model.problems_of(self.rows.section) if self.is_shown(p)]
        doubtful = [d for d in self.model.doubts_of(self.rows.section) if self.is_shown(d)]
        self.issues.show_problems(tuple(shown), self._told, tuple(doubtful))
        self._foot.set_locked(self.model.rows_locked_reason(self.rows.section))
        self.table.update_tip()

    def tell(self, sentence: str) -> None:
        """Say what could not be done, until the next edit; empty takes it back."""
        if sentence != self._told:
            self._told = sentence
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep what stands below the table in sight, however many rows it has."""
        super().resizeEvent(event)
        self.table.set_room(max(int(self.viewport().height() * TABLE_SHARE), px(280)))

    def is_shown(self, problem: Problem) -> bool:
        """Whether a problem is told on this page."""
        return not self.rows.is_forgiven(problem) and (
            problem.row is not None or bool(self.rows.rowCount())
        )

    def go_to(self, problem: Problem) -> None:
        """Go to the cell; where there is none, to the button that adds a row."""
        if problem.row is None or problem.row >= self.rows.rowCount():
            self.table.setFocus()
            return
        column = self.rows.column_of(problem.row, problem.field)
        self.table.go_to(problem.row, column or 0)
        self.ensureWidgetVisible(self.table, 0, px(40))

    def leave(self) -> None:
        """Take over what is being typed."""
        self.table.leave()

    def new_row(self) -> dict[str, str]:
        """The cells of a row that is added."""
        return {}

    def add_row(self) -> None:
        """Add a row at the end and type its first cell."""
        if reason := self.model.rows_locked_reason(self.rows.section):
            self.tell(reason)
            return
        row = self.rows.rowCount()
        first = next(i for i, c in enumerate(self.rows.columns) if c.field != "on")
        last_is_blank = row > 0 and not self.rows.text(row - 1, self.rows.columns[first].field)
        if last_is_blank:
            self.table.go_to(row - 1, first, edits=True)
            return
        self.model.insert_rows(self.rows.section, row, [self.new_row()])
        self.rows.begin_row(row)
        self.table.go_to(row, first, edits=True)
        self.refresh()

    def remove_rows(self, rows: list[int]) -> None:
        """Take rows away."""
        if reason := self.model.rows_locked_reason(self.rows.section):
            self.tell(reason)
        elif rows:
            self.model.remove_rows(self.rows.section, rows)
            self.table.select_row(min(rows))

    def move_rows(self, rows: list[int], before: int) -> None:
        """Move rows to stand before another, and keep them selected."""
        if reason := self.model.rows_locked_reason(self.rows.section):
            self.tell(reason)
        elif rows:
            first = self.model.move_rows(self.rows.section, rows, before)
            self.table.select_rows(first, len(rows))

    def _forgive_no_more(self, row: int) -> None:
        self.rows.leave_row(row)
        self.refresh()


def leftmost(widget: QWidget) -> QWidget:
    """A widget at the left end of the room it has, as wide as it needs."""
    row = QWidget()
    line = QHBoxLayout(row)
    line.setContentsMargins(0, 0, 0, 0)
    line.addWidget(widget)
    line.addStretch(1)
    return row
