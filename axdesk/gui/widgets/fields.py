"""Fields of forms, and rows that name them.

No field changes when the wheel turns over it unfocused: a form that scrolls must not edit itself.
Numbers stay text until somebody has checked them, so that "0,5", "0.5" and a half-typed "0." can
all be kept as a draft.
"""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from axdesk.core.draft_cells import parse_number
from axdesk.core.errors import UserInputError
from axdesk.gui.icons import draw_icon, icon
from axdesk.gui.style import current_theme, px, set_property, theme_manager
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.labels import label

LABEL_WIDTH = 158
"""Width of the labels left of settings."""


class TextField(QLineEdit):
    """A line of text.

    Signals:
        committed: Editing ended (Enter, Tab, focus lost) with a text that is new; carries it.
    """

    committed = Signal(str)

    def __init__(
        self, text: str = "", *, placeholder: str = "", name: str = "", icon_name: str = ""
    ) -> None:
        super().__init__(text)
        self.setObjectName(name)
        self.setPlaceholderText(placeholder)
        self._committed_text = text
        if icon_name:
            self.addAction(icon(icon_name, "text2"), QLineEdit.ActionPosition.LeadingPosition)
        self.editingFinished.connect(self._commit)

    def set_committed(self, text: str) -> None:
        """Show `text` as what is stored; sends no `committed`."""
        self._committed_text = text
        if text != self.text():
            self.setText(text)

    def set_issue(self, sentence: str, level: str = "error") -> None:
        """Mark the field wrong (`level` `error`) or doubtful (`warning`); empty clears it."""
        set_property(self, "issue", level if sentence else "")
        self.setToolTip(sentence)
        self.setAccessibleDescription(sentence)

    def _commit(self) -> None:
        if self.text() != self._committed_text:
            self._committed_text = self.text()
            self.committed.emit(self.text())


class NumberField(TextField):
    """A number, right-aligned and kept as typed; `number()` reads it."""

    def __init__(self, text: str = "", *, placeholder: str = "", name: str = "", width: int = 84):
        """Make a number field.

        Args:
            text: What it shows at first.
            placeholder: What an empty field means, such as `No limit`.
            name: Object name.
            width: Width, at a 16 pixel line.
        """
        super().__init__(text, placeholder=placeholder, name=name)
        self._width = width
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._fix_width()
        theme_manager().changed.connect(self._fix_width)

    def number(self) -> float | None:
        """The number in the field, or None if it is empty or no finite number."""
        try:
            return parse_number(self.text())
        except UserInputError:
            return None

    def _fix_width(self) -> None:
        self.setFixedWidth(px(self._width))


class ComboField(QComboBox):
    """A choice among values, drawn with a chevron.

    Signals:
        chosen: The operator chose a value; carries it.
    """

    chosen = Signal(object)

    def __init__(
        self, choices: Sequence[Choice] = (), *, name: str = "", compact: bool = False
    ) -> None:
        """Make a combo box.

        Args:
            choices: The alternatives in order.
            name: Object name.
            compact: Lower and with a lighter line, for the title row of cards.
        """
        super().__init__()
        self.setObjectName(name)
        self.setProperty("compact", compact)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_choices(choices)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))

    def set_choices(self, choices: Sequence[Choice]) -> None:
        """Offer other values; the one shown stays where it is still offered."""
        shown = self.currentData()
        self.clear()
        for choice in choices:
            if choice.icon:
                self.addItem(icon(choice.icon, "text2"), choice.text, choice.value)
            else:
                self.addItem(choice.text, choice.value)
        self.set_value(shown)

    def show_whole_texts(self) -> None:
        """Take the room that the longest alternative needs, its icon and the chevron included."""
        metrics = self.fontMetrics()
        texts = (self.itemText(index) for index in range(self.count()))
        longest = max((metrics.horizontalAdvance(text) for text in texts), default=0)
        self.setMinimumWidth(longest + px(64))

    def set_value(self, value: object) -> None:
        """Show `value`, or the first value if it is not offered; sends no signal."""
        index = next((i for i in range(self.count()) if self.itemData(i) == value), 0)
        self.setCurrentIndex(index if self.count() else -1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page around an unfocused field."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the field and its chevron."""
        super().paintEvent(event)
        theme = current_theme()
        side = px(14)
        corner = QPoint(self.width() - side - px(8), (self.height() - side) // 2)
        color = theme.color("text2" if self.isEnabled() else "disabled")
        draw_icon(QPainter(self), "chevron-down", QRect(corner, QSize(side, side)), color)


class SpinField(QSpinBox):
    """A whole number with arrows, which the wheel changes only where it has the keyboard."""

    def __init__(self, *, name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page around an unfocused field."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class FormRows(QWidget):
    """Settings one below the other: label left, field, unit, and the consequence in small."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(px(8))
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setColumnStretch(1, 1)
        self._fix_width()
        theme_manager().changed.connect(self._fix_width)

    def add_row(self, text: str, field: QWidget, *, unit: str = "", hint: str = "") -> "RowNotes":
        """Add a setting.

        Args:
            text: The label, which names the field for screen readers too.
            field: The field.
            unit: Behind the field.
            hint: The consequence; change it later through the notes returned.
        """
        row = self._grid.rowCount()
        name = label(text)
        name.setBuddy(field)
        if not field.accessibleName():
            field.setAccessibleName(text)
        notes = RowNotes(unit, hint)
        line = QHBoxLayout()
        line.setSpacing(px(6))
        line.addWidget(field)
        line.addWidget(notes)
        line.addStretch(1)
        self._grid.addWidget(name, row, 0, Qt.AlignmentFlag.AlignVCenter)
        self._grid.addLayout(line, row, 1)
        return notes

    def _fix_width(self) -> None:
        self._grid.setColumnMinimumWidth(0, px(LABEL_WIDTH))


class RowNotes(QWidget):
    """Unit and consequence behind a field."""

    def __init__(self, unit: str, hint: str) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(12))
        self._unit = label(unit, "small", "text2")
        self._hint = label(hint, "small", "text2")
        layout.addWidget(self._unit)
        self._unit.setVisible(bool(unit))
        layout.addWidget(self._hint)

    def set_unit(self, unit: str) -> None:
        """Show another unit; empty shows none."""
        self._unit.setText(unit)
        self._unit.setVisible(bool(unit))

    def hint(self) -> str:
        """The consequence shown."""
        return self._hint.text()

    def set_hint(self, hint: str, tone: str = "text2") -> None:
        """Show another consequence, in the colour `tone`."""
        self._hint.setText(hint)
        set_property(self._hint, "tone", tone)


def labelled(text: str, field: QWidget, *, unit: str = "") -> QWidget:
    """A field with its label above it, for forms in columns; `unit` goes behind the field."""
    cell = QWidget()
    layout = QVBoxLayout(cell)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(px(3))
    name = label(text, "head", "text2")
    name.setBuddy(field)
    if not field.accessibleName():
        field.setAccessibleName(text)
    layout.addWidget(name)
    line = QHBoxLayout()
    line.setSpacing(px(6))
    line.addWidget(field)
    if unit:
        line.addWidget(label(unit, "small", "text2"))
    layout.addLayout(line)
    return cell
