"""The page Constraints: which combinations are forbidden."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QApplication, QCompleter, QStyleOptionViewItem, QWidget

from axdesk.core.draft_cells import Section
from axdesk.core.expressions import quoted
from axdesk.gui.models.constraint_table import ConstraintTable, share_sentence, usable_names
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import Index
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.views.setup_page import TableFoot, TablePage
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.cards import LiveSentence
from axdesk.gui.widgets.delegates import (
    EDITABLE_PADDING,
    CellField,
    EditableDelegate,
    is_typed_into,
)
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label
from axdesk.gui.widgets.wrapping_row import WrappingRow

if TYPE_CHECKING:
    from axdesk.gui.views.feasible_plot import FeasiblePlot

SIGNS = ("+", "−", "·", "≤", "≥", "=")
MOST_NAMES = 9
"""Names that are offered as buttons; all of them are offered while one types."""
LONGEST_NAME = 20

_WORD = re.compile(r"`?[^\W\d]\w*$")


class ExpressionField(CellField):
    """A line of text that offers names as they are typed, with backticks where they need them."""

    def __init__(self, names: Sequence[str], *, placeholder: str = "") -> None:
        super().__init__(placeholder=placeholder)
        self._offers = QCompleter([name.strip("`") for name in names], self)
        self._offers.setObjectName("setup.constraints.names")
        self._offers.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._offers.setFilterMode(Qt.MatchFlag.MatchContains)
        self._offers.setWidget(self)
        popup = self._offers.popup()
        assert popup is not None, "a completer that is no inline one has a popup"
        self._popup = popup
        self._offers.activated.connect(self.complete)
        self.textEdited.connect(self._offer)

    def complete(self, name: str) -> None:
        """Put a name in place of the word before the cursor."""
        text, end = self.text(), self.cursorPosition()
        word = _WORD.search(text[:end])
        start = end if word is None else word.start()
        rest = text[end:].removeprefix("`") if text[start : start + 1] == "`" else text[end:]
        self.setText(f"{text[:start]}{quoted(name)}{rest}")
        self.setCursorPosition(start + len(quoted(name)))
        self.textEdited.emit(self.text())
        self._popup.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter end the typing while names are offered and none is chosen."""
        ends = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        popup = self._popup
        if ends and popup.isVisible() and not popup.currentIndex().isValid():
            popup.hide()
            QApplication.sendEvent(self, QKeyEvent(event))
        else:
            super().keyPressEvent(event)

    def _offer(self) -> None:
        word = _WORD.search(self.text()[: self.cursorPosition()])
        self._offers.setCompletionPrefix("" if word is None else word[0].strip("`"))
        count = self._offers.completionCount()
        is_whole = count == 1 and word is not None and self._offers.currentCompletion() == word[0]
        if word is None or not count or is_whole:
            self._popup.hide()
            return
        area = self.cursorRect()
        area.setWidth(px(240))
        self._offers.complete(area)


class ExpressionDelegate(EditableDelegate):
    """Marks the character at which an expression is not understood, and offers names."""

    def __init__(self, parent: QObject, names: Callable[[], Sequence[str]]) -> None:
        """Make the delegate; `names` says what can be named, as it stands in expressions."""
        super().__init__(parent)
        self._names = names

    def make_field(self, placeholder: str) -> CellField:
        """A line of text that offers names."""
        return ExpressionField(self._names(), placeholder=placeholder)

    def paint_content(
        self, painter: QPainter, option: QStyleOptionViewItem, index: Index, area: QRect
    ) -> None:
        """Draw the expression, and a line below the character."""
        super().paint_content(painter, option, index, area)
        place = _place_of_error(index)
        if place is None or not index.data() or is_typed_into(option, index):
            return
        text = str(index.data() or "")
        painter.setFont(type_font("body"))
        metrics = painter.fontMetrics()
        # The sign of a wrong cell stands before its text.
        left = area.left() - px(EDITABLE_PADDING) + px(3 + 7 + 14 + 6)
        start = left + metrics.horizontalAdvance(text[:place])
        width = max(metrics.horizontalAdvance(text[place : place + 1]), px(6))
        bottom = area.center().y() + metrics.height() // 2
        painter.fillRect(QRect(start, bottom, width, 2), current_theme().color("bad"))

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Put the cursor before the character, once Qt has selected the whole text."""
        super().setEditorData(editor, index)
        place = _place_of_error(index)
        if place is not None and isinstance(editor, TextField):
            QTimer.singleShot(0, editor, partial(_point_at, editor, editor.text(), place))


def _point_at(field: TextField, text: str, place: int) -> None:
    if field.text() == text:
        field.deselect()
        field.setCursorPosition(place)


def _place_of_error(index: Index) -> int | None:
    model = index.model()
    return model.wrong_character(index.row()) if isinstance(model, ConstraintTable) else None


class ConstraintsPage(TablePage):
    """What the constraints leave, their table, and a sample of it in two parameters."""

    section = Section.CONSTRAINTS

    def __init__(self, model: DraftModel) -> None:
        super().__init__(
            model,
            "Constraints",
            "Which combinations of settings are forbidden. Often there are none.",
        )
        # A click on what inserts a name must not give the page the focus and end the typing.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._sentence = LiveSentence(name="setup.constraints.feasible")
        self.body.addWidget(self._sentence)
        self._constraints = ConstraintTable(model)
        table = SetupTable(
            self._constraints, name="setup.constraints.table", label="Constraints", widths=(0,),
            empty="No constraints: every setting within the bounds is allowed.",
        )  # fmt: skip
        table.setItemDelegateForColumn(0, ExpressionDelegate(table, self._names))
        self._add = Button(
            "Add constraint", "plus", kind="quiet", on_click=self.add_row,
            name="setup.constraints.add",
        )  # fmt: skip
        self.set_up(table, TableFoot(self._add, "Del removes the row."), "setup.constraints.issues")
        self._pieces = QWidget()
        self._pieces.setObjectName("setup.constraints.pieces")
        self._pieces_row = WrappingRow()
        self._pieces.setLayout(self._pieces_row)
        self._shown_pieces: tuple[str, ...] = ()
        self.body.insertWidget(self.body.indexOf(self.issues), self._pieces)
        self._plot: FeasiblePlot | None = None
        help_text = (
            "A sum of names times numbers, compared by ≤, ≥ or = with a number, such as "
            "2*a + b ≤ 80; <= and >= say the same. A name with blanks or signs stands between "
            "backticks: `Flow (mL)`. A constraint that names metrics is a limit on results."
        )
        self._help = label(help_text, "small", "text2", wrap=True)
        self.body.addWidget(self._help)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show problems, the share that is left, and what can be inserted."""
        super().refresh()
        self._sentence.set_sentence(*share_sentence(self.model))
        self._show_plot()
        self._show_pieces()

    def _show_plot(self) -> None:
        share = self.model.feasible
        if share is not None and self._plot is None:
            from axdesk.gui.views.feasible_plot import FeasiblePlot

            self._plot = FeasiblePlot()
            self.body.insertWidget(self.body.indexOf(self._help), self._plot)
        if self._plot is not None:
            space = None if share is None else self.model.draft.search_space()
            self._plot.show_share(space, share)

    def insert(self, piece: str) -> None:
        """Put a name or a sign where the cursor is, or behind the current constraint."""
        field = self.table.viewport().focusWidget()
        if not isinstance(field, TextField):
            if self.table.current_row < 0:
                self.add_row()
            else:
                self.table.go_to(self.table.current_row, 0, edits=True)
            field = self.table.viewport().focusWidget()
            if not isinstance(field, TextField):
                return  # the constraints are locked
            field.end(False)
        before = field.text()[: field.cursorPosition()]
        gap = " " if before and not before.endswith((" ", "(")) else ""
        field.insert(f"{gap}{piece} ")
        self.table.commitData(field)

    def _names(self) -> tuple[str, ...]:
        return usable_names(self.model.draft.parameters)

    def _show_pieces(self) -> None:
        names = self._names()
        pieces = (*SIGNS, *names[:MOST_NAMES])
        is_open = not self.model.rows_locked_reason(Section.CONSTRAINTS)
        self._pieces.setVisible(bool(names) and is_open)
        if pieces == self._shown_pieces:
            return
        self._shown_pieces = pieces
        while (item := self._pieces_row.takeAt(0)) is not None:
            button = item.widget()
            if button is not None:
                button.hide()
                button.deleteLater()
        for piece in pieces:
            bare = piece.strip("`")
            shown = bare if len(bare) <= LONGEST_NAME else f"{bare[:LONGEST_NAME]}…"
            button = Button(shown, on_click=partial(self.insert, piece))
            button.setAccessibleName(f"Insert {piece}")
            button.setToolTip(f"Insert {piece}")
            button.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is being typed stays open
            self._pieces_row.addWidget(button)
            button.show()
