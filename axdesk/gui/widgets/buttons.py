"""Buttons, chips and segmented buttons."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from axdesk.gui.icons import draw_icon, icon
from axdesk.gui.style import current_theme, px, theme_manager, type_font

_ICON_TOKENS = {
    "normal": "text",
    "primary": "accent_text",
    "danger": "bad",
    "quiet": "accent",
    "plain": "text2",
    "icon": "text2",
    "search": "text2",
}


class Button(QPushButton):
    """A push button of one kind.

    `primary` (filled, at most one in a view), `normal`, `danger` (red outline), `quiet` (accent
    text), `plain` (grey text), `icon` (a picture alone: its text is the accessible name and tip).
    """

    def __init__(
        self,
        text: str,
        icon_name: str = "",
        *,
        kind: str = "normal",
        on_click: Callable[[], object] | None = None,
        name: str = "",
    ) -> None:
        """Make a button.

        Args:
            text: What it does; `&` is shown as such.
            icon_name: Icon in front of the text; empty for none.
            kind: See the class.
            on_click: Called without arguments at each click.
            name: Object name.
        """
        super().__init__("" if kind == "icon" else text.replace("&", "&&"))
        self.kind = kind
        self.setProperty("kind", kind)
        self.setAccessibleName(text)
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAutoDefault(kind == "primary")
        if kind == "icon":
            self.setToolTip(text)
        if icon_name:
            self.set_icon(icon_name)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def set_icon(self, icon_name: str) -> None:
        """Show another icon, in the colour of the button's kind."""
        self.setIcon(icon(icon_name, _ICON_TOKENS[self.kind]))

    def set_available(self, available: bool, *, reason: str = "") -> None:
        """Enable or disable the button; `reason` says in the tooltip why it is disabled."""
        self.setEnabled(available)
        usual = self.accessibleName() if self.kind == "icon" else ""
        self.setToolTip(usual if available else reason or usual)


def action_button(action: QAction, icon_name: str, *, kind: str = "normal") -> Button:
    """A button that triggers `action`, and shows its text, tip and whether it can be used."""
    button = Button(action.text(), icon_name, kind=kind)

    def follow() -> None:
        button.setEnabled(action.isEnabled())
        button.setVisible(action.isVisible())
        button.setToolTip(action.toolTip())
        button.setAccessibleName(action.text().replace("&", ""))
        if kind != "icon":
            button.setText(action.text())

    action.changed.connect(follow)
    button.clicked.connect(lambda: action.trigger())
    follow()
    return button


class Chip(QAbstractButton):
    """A pill that switches a filter: icon, word, count; on = tint and accent line."""

    def __init__(
        self, word: str, count: int | None = None, icon_name: str = "", tone: str = "text"
    ) -> None:
        """Make a chip.

        Args:
            word: What it filters by.
            count: How many there are; None for no figure.
            icon_name: Icon in front; empty for none.
            tone: Token of the icon's colour.
        """
        super().__init__()
        self._count = count
        self._icon = icon_name
        self._tone = tone
        self._is_brief = False
        self.setText(word)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._name_itself()
        theme_manager().changed.connect(self.updateGeometry)

    def set_count(self, count: int | None) -> None:
        """Show another figure."""
        if count != self._count:
            self._count = count
            self._name_itself()
            self.updateGeometry()
            self.update()

    def set_brief(self, brief: bool) -> None:
        """Leave the word to the tip, where there is an icon and little room."""
        brief = brief and bool(self._icon)
        if brief != self._is_brief:
            self._is_brief = brief
            self.setToolTip(self.text() if brief else "")
            self.updateGeometry()
            self.update()

    def word_width(self) -> int:
        """How much room the word takes; 0 for a chip that keeps it."""
        words = QFontMetrics(type_font("head")).horizontalAdvance(self.text()) + px(6)
        return words if self._icon and not self.isHidden() else 0

    def _name_itself(self) -> None:
        figure = "" if self._count is None else f" {self._count}"
        self.setAccessibleName(f"{self.text()}{figure}")

    def sizeHint(self) -> QSize:
        """Room for icon, word and count."""
        strong = type_font("head")
        self.setFont(strong)
        metrics = self.fontMetrics()
        width = px(22) + (0 if self._is_brief else metrics.horizontalAdvance(self.text()))
        if self._icon:
            width += px(20)
        if self._count is not None:
            width += (0 if self._is_brief else px(6)) + metrics.horizontalAdvance(str(self._count))
        return QSize(width, px(26))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the pill."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(type_font("head"))
        on = self.isChecked()
        line, ground, ink = ("accent", "tint", "accent") if on else ("border", "surface", "text")
        if not on and self.underMouse():
            ground = "hover"
        if not self.isEnabled():
            line, ink = "border", "disabled"
        width = 2.0 if self.hasFocus() else 1.0
        if self.hasFocus():
            line = "accent"
        pill = self.rect().toRectF().adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.setPen(QPen(theme.color(line), width))
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(pill, pill.height() / 2, pill.height() / 2)
        x = px(11)
        if self._icon:
            side = px(15)
            tone = self._tone if self.isEnabled() else "disabled"
            area = QRectF(x, (self.height() - side) / 2, side, side)
            draw_icon(painter, self._icon, area, theme.color(tone))
            x += px(20)
        painter.setPen(theme.color(ink))
        middle = Qt.AlignmentFlag.AlignVCenter
        area = QRectF(x, 0, self.width() - x, self.height())
        if not self._is_brief:
            painter.drawText(area, middle, self.text())
        if self._count is not None:
            x += (
                0
                if self._is_brief
                else painter.fontMetrics().horizontalAdvance(self.text()) + px(6)
            )
            painter.setPen(theme.color(ink if on or not self.isEnabled() else "text2"))
            painter.drawText(QRectF(x, 0, self.width(), self.height()), middle, str(self._count))


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several alternatives: its value, what it is called, and its icon (or none)."""

    value: object
    text: str
    icon: str = ""


class _Segment(QAbstractButton):
    def __init__(self, choice: Choice) -> None:
        super().__init__()
        self.choice = choice
        self.setText(choice.text)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        self.setFont(type_font("strong"))
        width = self.fontMetrics().horizontalAdvance(self.text()) + px(28)
        return QSize(width + (px(22) if self.choice.icon else 0), px(26))

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        plate = self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5)
        if on or self.hasFocus():
            line = "accent" if self.hasFocus() or theme.is_high_contrast else "border"
            painter.setPen(theme.color(line))
            if on:
                lifted = "raised" if theme.is_dark else "surface"
                painter.setBrush(theme.color("tint" if theme.is_high_contrast else lifted))
            painter.drawRoundedRect(plate, px(5), px(5))
        ink = "text" if on or self.underMouse() else "text2"
        accent = "accent" if on else ink
        if not self.isEnabled():
            ink = accent = "disabled"
        x = 0
        if self.choice.icon:
            x = px(14)
            area = QRectF(x, (self.height() - px(16)) / 2, px(16), px(16))
            draw_icon(painter, self.choice.icon, area, theme.color(accent))
            x += px(16) - px(6)
        painter.setFont(type_font("strong" if on else "body"))
        painter.setPen(theme.color(ink))
        area = QRectF(x, 0, self.width() - x, self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self.text())


class SegmentedButton(QWidget):
    """Two to five alternatives side by side, of which one is chosen.

    Signals:
        chosen: The operator chose another value; carries it.
    """

    chosen = Signal(object)

    def __init__(self, choices: Sequence[Choice], *, name: str = "", label: str = "") -> None:
        """Make a segmented button with the first choice on.

        Args:
            choices: The alternatives in order.
            name: Object name.
            label: Accessible name.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._group = QButtonGroup(self)
        self._segments = [_Segment(choice) for choice in choices]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(3, 3, 3, 3)
        layout.setSpacing(1)
        for segment in self._segments:
            segment.setAccessibleName(f"{label} {segment.choice.text}".strip())
            self._group.addButton(segment)
            layout.addWidget(segment)
        self._segments[0].setChecked(True)
        self._only_chosen_takes_tab()
        self._group.buttonClicked.connect(self._tell)
        theme_manager().changed.connect(self._resize_segments)

    def value(self) -> object:
        """The value that is chosen."""
        return next(segment.choice.value for segment in self._segments if segment.isChecked())

    def set_value(self, value: object) -> None:
        """Show `value` as chosen; sends no signal.

        Raises:
            ValueError: No alternative has that value.
        """
        for segment in self._segments:
            if segment.choice.value == value:
                segment.setChecked(True)
                self._only_chosen_takes_tab()
                return
        allowed = ", ".join(repr(segment.choice.value) for segment in self._segments)
        raise ValueError(f"{value!r} is not an alternative of {self.objectName()!r}: {allowed}.")

    def show_text(self, text: str) -> None:
        """Show what a draft says: its alternative, the first if it says nothing, else none."""
        values = [segment.choice.value for segment in self._segments]
        if text in values or not text:
            self.set_value(text if text in values else values[0])
            return
        self._group.setExclusive(False)
        for segment in self._segments:
            segment.setChecked(False)
        self._group.setExclusive(True)
        self._only_chosen_takes_tab()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose the next alternative with the arrow keys."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
            return
        index = next((i for i, one in enumerate(self._segments) if one.isChecked()), -1)
        following = self._segments[(index + step) % len(self._segments)]
        following.setFocus(Qt.FocusReason.TabFocusReason)
        following.click()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the trough."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("border"))
        painter.setBrush(theme.color("sunken"))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), px(7), px(7))

    def _tell(self, _button: QAbstractButton) -> None:
        self._only_chosen_takes_tab()
        self.chosen.emit(self.value())

    def _only_chosen_takes_tab(self) -> None:
        chosen = any(segment.isChecked() for segment in self._segments)
        for place, segment in enumerate(self._segments):
            on = segment.isChecked() if chosen else place == 0
            segment.setFocusPolicy(Qt.FocusPolicy.StrongFocus if on else Qt.FocusPolicy.ClickFocus)

    def _resize_segments(self) -> None:
        for segment in self._segments:
            segment.updateGeometry()
        self.updateGeometry()
