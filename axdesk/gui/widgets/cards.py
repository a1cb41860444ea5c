"""Grounds that hold content: cards, notices, wells, folds, rows of facts, the live sentence."""

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from axdesk.gui.icons import icon
from axdesk.gui.style import px, theme_manager
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, Tile, label


class Surface(QFrame):
    """A frame of one kind of ground: `card`, `panel`, `window`, `well`, `raised`, `sentence`."""

    def __init__(self, kind: str = "card") -> None:
        super().__init__()
        self.setProperty("surface", kind)


class Card(Surface):
    """A card: title, an aside beside it, one sentence below, actions at the right, and content.

    Fill it through `body`, a vertical layout. `add_action` puts buttons and combos into the title
    row; `note` is the aside, `sentence` the line below the title and the accessible description.
    """

    def __init__(self, title: str, *, note: str = "", sentence: str = "", name: str = "") -> None:
        super().__init__("card")
        self.setObjectName(name)
        self.setAccessibleName(title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(px(16), px(10), px(16), px(14))
        outer.setSpacing(px(8))
        head = QHBoxLayout()
        head.setSpacing(px(8))
        self._title = ElidedLabel(title, "strong")
        self._title.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self._note = ElidedLabel(note, "small", "text2")
        # The aside has what the title and the actions leave.
        self._note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        if not note:  # shown before it has a parent it would be a window of its own
            self._note.hide()
        head.addWidget(self._title)
        head.addWidget(self._note, 1000)
        head.addStretch(1)
        self._actions = QHBoxLayout()
        self._actions.setSpacing(px(4))
        head.addLayout(self._actions)
        self._sentence = label("", "small", "text2", wrap=True)
        if name:
            self._sentence.setObjectName(f"{name}.summary")
        self.body = QVBoxLayout()
        self.body.setSpacing(px(8))
        outer.addLayout(head)
        outer.addWidget(self._sentence)
        outer.addLayout(self.body, 1)
        self.set_sentence(sentence)

    def set_title(self, title: str, note: str = "") -> None:
        """Show another title and aside; a name that is typed may be longer than the room."""
        self._title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._title.setText(title)
        self.setAccessibleName(title)
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def set_sentence(self, sentence: str) -> None:
        """Show what the content says; empty hides the line."""
        self._sentence.setText(sentence)
        self._sentence.setVisible(bool(sentence))
        self.setAccessibleDescription(sentence)

    def add_action(self, widget: QWidget) -> None:
        """Put a button, combo or label at the right end of the title row."""
        self._actions.addWidget(widget)


class EmptyState(Surface):
    """What stands in place of data that is not there: icon, what is missing, one button."""

    def __init__(self, icon_name: str, title: str, sentence: str, button: Button | None = None):
        super().__init__("well")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(16), px(16), px(16), px(16))
        layout.setSpacing(px(4))
        layout.addStretch(1)
        layout.addWidget(Tile(icon_name, "idle", quiet=True), 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addSpacing(px(4))
        self._title = label(title, "strong")
        self._sentence = label(sentence, "small", "text2", wrap=True)
        for text in (self._title, self._sentence):
            text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            layout.addWidget(text)
        if button is not None:
            layout.addSpacing(px(4))
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)

    def set_text(self, title: str, sentence: str) -> None:
        """Say something else."""
        self._title.setText(title)
        self._sentence.setText(sentence)


class Notice(Surface):
    """A tinted bar with a state's icon, a bold statement, a sentence, and buttons at the right."""

    def __init__(
        self,
        tone: str,
        icon_name: str,
        statement: str,
        sentence: str = "",
        *,
        buttons: Sequence[Button] = (),
        outlined: bool = False,
        name: str = "",
    ) -> None:
        """Make a notice.

        Args:
            tone: `live`, `good`, `warn`, `bad` or `idle`.
            icon_name: The icon's name.
            statement: What is the case, in bold.
            sentence: What follows from it.
            buttons: At the right end, least important first.
            outlined: A line in the state's colour around it, for what must not be missed.
            name: Object name.
        """
        super().__init__("notice")
        self.setObjectName(name)
        self.setProperty("tint", tone)
        self.setProperty("outlined", outlined)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(px(12), px(5), px(10), px(5))
        layout.setSpacing(px(8))
        self._icon = IconLabel(icon_name, tone)
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.RichText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout.addWidget(self._icon)
        layout.addWidget(self._text, 1)
        for button in buttons:
            layout.addWidget(button)
        self.set_text(statement, sentence)

    def set_icon(self, icon_name: str, tone: str) -> None:
        """Show another icon, in the colour of the token `tone`."""
        self._icon.set_icon(icon_name, tone)

    def set_text(self, statement: str, sentence: str = "") -> None:
        """Say something else."""
        bold = f'<span style="font-weight:600">{escape(statement)}</span>'
        self._text.setText(f"{bold}&ensp;{escape(sentence)}")
        self.setAccessibleName(f"{statement} {sentence}".strip())


class Fold(QWidget):
    """A title that shows and hides the content below it, with its values in the title's line.

    Fill it through `body`. Give `name` to find its button in tests and by screen readers.
    """

    def __init__(self, title: str, values: str = "", *, name: str = "") -> None:
        super().__init__()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(px(4))
        head = QHBoxLayout()
        head.setSpacing(px(6))
        self.button = Button(title, kind="plain", name=name)
        self.button.setCheckable(True)
        self._values = ElidedLabel(values, "small", "text2")
        head.addWidget(self.button)
        head.addWidget(self._values, 1)
        self._content = QWidget()
        self.body = QVBoxLayout(self._content)
        self.body.setContentsMargins(px(28), 0, 0, px(8))
        outer.addLayout(head)
        outer.addWidget(self._content)
        self.button.toggled.connect(self._show_content)
        self._show_content(False)

    def set_values(self, values: str) -> None:
        """Say in the title's line what the folded settings are."""
        self._values.setText(values)

    def values(self) -> str:
        """What the title's line says of the folded settings."""
        return self._values.text()

    def set_open(self, is_open: bool) -> None:
        """Fold or unfold."""
        self.button.setChecked(is_open)

    def _show_content(self, is_open: bool) -> None:
        self.button.setIcon(icon("chevron-down" if is_open else "chevron-right", "text2"))
        self._content.setVisible(is_open)


class Facts(QWidget):
    """Rows of a name at the left and a value at the right, as in the inspector."""

    def __init__(self, *, wraps: bool = False) -> None:
        """Make an empty list; `wraps` breaks long values into lines instead of growing wider."""
        super().__init__()
        self._wraps = wraps
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(px(4))
        self._grid.setHorizontalSpacing(px(12))
        self._grid.setColumnStretch(int(wraps), 1)

    def set_rows(self, rows: Sequence[tuple[str, str] | tuple[str, str, str]]) -> None:
        """Show (name, value) or (name, value, small part behind it, such as `± 1.0`) rows."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        for index, (name, value, *small) in enumerate(rows):
            self._grid.addWidget(ElidedLabel(name, "small", "text2"), index, 0)
            shown = label(value, "strong", wrap=self._wraps)
            if self._wraps:
                shown.setAlignment(Qt.AlignmentFlag.AlignRight)
            shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            shown.setAccessibleName(f"{name} {value} {' '.join(small)}".strip())
            cell = QWidget()
            line = QHBoxLayout(cell)
            line.setContentsMargins(0, 0, 0, 0)
            line.setSpacing(px(5))
            if not self._wraps:
                line.addStretch(1)
            line.addWidget(shown, int(self._wraps))
            if small and small[0]:
                line.addWidget(label(small[0], "small", "text2"))
            self._grid.addWidget(cell, index, 1)


class LiveSentence(Surface):
    """A large sentence that says what the settings below will do.

    Parts between `**` are the variable ones, in semibold. It is read out as one sentence.
    """

    def __init__(self, *, name: str = "") -> None:
        super().__init__("sentence")
        self.setObjectName(name)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(px(22), px(12), px(22), px(12))
        text = QVBoxLayout()
        text.setSpacing(px(4))
        self._sentence = QLabel()
        self._sentence.setProperty("type", "sentence")
        self._sentence.setTextFormat(Qt.TextFormat.RichText)
        self._sentence.setWordWrap(True)
        self._detail = label("", "small", "text2", wrap=True)
        text.addStretch(1)
        text.addWidget(self._sentence)
        text.addWidget(self._detail)
        text.addStretch(1)
        self.row.addLayout(text, 1)

    def set_sentence(self, sentence: str, detail: str = "") -> None:
        """Show `sentence`, and `detail` in small below it."""
        parts = escape(sentence).split("**")
        weighted = [
            f'<span style="font-weight:600">{part}</span>' if index % 2 else part
            for index, part in enumerate(parts)
        ]
        self._sentence.setText("".join(weighted))
        self._detail.setText(detail)
        self._detail.setVisible(bool(detail))
        self.setAccessibleName(sentence.replace("**", ""))
        self.setAccessibleDescription(detail)


class PageHead(QWidget):
    """The head of a page of the set-up: title, one sentence, and buttons at the right."""

    def __init__(self, title: str, sentence: str, buttons: Sequence[QWidget] = ()) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        text = QVBoxLayout()
        text.setSpacing(px(2))
        self._sentence = label(sentence, "body", "text2", wrap=True)
        text.addWidget(label(title, "title"))
        text.addWidget(self._sentence)
        row.addLayout(text, 1)
        for button in buttons:
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)

    def set_sentence(self, sentence: str) -> None:
        """Show another sentence below the title."""
        self._sentence.setText(sentence)


class Page(QScrollArea):
    """A page that scrolls: fill `body`, a vertical layout with the margins of forms or plots."""

    def __init__(self, *, margins: tuple[int, int] = (28, 20), name: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        content = Surface("window")
        self.body = QVBoxLayout(content)
        self.body.setSpacing(px(12))
        self.setWidget(content)
        self._margins = margins
        self._set_margins()
        theme_manager().changed.connect(self._set_margins)

    def _set_margins(self) -> None:
        side, top = (px(margin) for margin in self._margins)
        self.body.setContentsMargins(side, top, side, top)


def fixed_height(widget: QWidget) -> QWidget:
    """Keep a widget from growing upwards and downwards."""
    widget.setSizePolicy(widget.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Maximum)
    return widget
