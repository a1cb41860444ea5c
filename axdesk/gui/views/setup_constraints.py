"""The page Constraints: which combinations are forbidden."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from axdesk.core.draft_cells import ParameterKind, Row, Section
from axdesk.core.expressions import quoted
from axdesk.gui.models.constraint_table import ConstraintTable
from axdesk.gui.models.draft_model import DraftModel
from axdesk.gui.models.draft_table import Index
from axdesk.gui.style import current_theme, px, type_font
from axdesk.gui.views.setup_page import TablePage, table_foot
from axdesk.gui.views.setup_table import SetupTable
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.delegates import EDITABLE_PADDING, EditableDelegate, is_typed_into
from axdesk.gui.widgets.fields import TextField
from axdesk.gui.widgets.labels import label


class ExpressionDelegate(EditableDelegate):
    """Marks the character at which an expression is not understood."""

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
        """Put the cursor before the character."""
        super().setEditorData(editor, index)
        place = _place_of_error(index)
        if place is not None and isinstance(editor, TextField):
            editor.deselect()
            editor.setCursorPosition(place)


def _place_of_error(index: Index) -> int | None:
    model = index.model()
    return model.wrong_character(index.row()) if isinstance(model, ConstraintTable) else None


def _is_number(row: Row) -> bool:
    kinds = (ParameterKind.DECIMAL, ParameterKind.WHOLE)
    return bool(row.get("name", "").strip()) and row.get("kind", kinds[0]) in kinds


class ConstraintsPage(TablePage):
    """The table of constraints and its problems."""

    section = Section.CONSTRAINTS

    def __init__(self, model: DraftModel) -> None:
        super().__init__(
            model,
            "Constraints",
            "Which combinations of settings are forbidden. Often there are none.",
        )
        self._constraints = ConstraintTable(model)
        table = SetupTable(
            self._constraints, name="setup.constraints.table", label="Constraints", widths=(0,),
            empty="No constraints: every setting within the bounds is allowed.",
        )  # fmt: skip
        table.setItemDelegateForColumn(0, ExpressionDelegate(table))
        self._add = Button(
            "Add constraint", "plus", kind="quiet", on_click=self.add_row,
            name="setup.constraints.add",
        )  # fmt: skip
        self.set_up(
            table, table_foot(self._add, "Del removes the row."), "setup.constraints.issues"
        )
        self._names = label("", "small", "text2", wrap=True)
        self.body.addWidget(self._names)
        self.body.addStretch(1)

    def refresh(self) -> None:
        """Show problems and the names that can be used."""
        super().refresh()
        self._add.setEnabled(not self.model.is_read_only)
        draft = self.model.draft
        usable = (row for row in draft.parameters if row.get("on") != "no")
        names = [row["name"].strip() for row in usable if _is_number(row)]
        known = ", ".join(quoted(name) for name in names)
        known = f" Parameters here: {known}." if known else ""
        self._names.setText(
            "A sum of names times numbers, compared by <=, >= or = with a number, such as "
            "2*a + b <= 80. A name with blanks or signs stands between backticks: `Flow (mL)`."
            f"{known} A constraint that names metrics is a limit on results."
        )
