"""Text: labels by kind and tone, and labels that shorten themselves."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsDropShadowEffect,
    QLabel,
    QSizePolicy,
    QStyleOption,
    QWidget,
)

from axdesk.gui.icons import pixmap
from axdesk.gui.style import current_theme, px, set_property, theme_manager


def label(text: str = "", kind: str = "body", tone: str = "text", *, wrap: bool = False) -> QLabel:
    """A label of one kind of text (`TYPE_SCALE`) in the colour of the token `tone`.

    Its text is plain; it can be marked and copied where it wraps, since sentences are what people
    quote.
    """
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", kind)
    made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    if wrap:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        made.setSizePolicy(policy)
    return made


def set_tone(widget: QLabel, tone: str) -> None:
    """Change the colour of a label to another token."""
    set_property(widget, "tone", tone)


class ElidedLabel(QLabel):
    """A one-line label that ends in "…" where there is no room; the tooltip has the whole text."""

    def __init__(self, text: str = "", kind: str = "body", tone: str = "text") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("type", kind)
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        hint = super().sizeHint()
        return QSize(min(hint.width(), px(36)), hint.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw as much of the text as fits."""
        painter = QPainter(self)
        option = QStyleOption()
        option.initFrom(self)
        area = self.contentsRect()
        text = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, area.width())
        self.style().drawItemText(
            painter,
            area,
            self.alignment(),
            option.palette,
            self.isEnabled(),
            text,
            self.foregroundRole(),
        )
        self.setToolTip(self.text() if text != self.text() else "")


class IconLabel(QWidget):
    """An icon that is not a button."""

    def __init__(self, name: str = "", tone: str = "text2", size: float = 16) -> None:
        super().__init__()
        self._name = name
        self._tone = tone
        self._size = size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self.updateGeometry)

    def set_icon(self, name: str, tone: str) -> None:
        """Show another icon or colour."""
        if (name, tone) != (self._name, self._tone):
            self._name, self._tone = name, tone
            self.update()

    def sizeHint(self) -> QSize:
        """The icon's size."""
        return QSize(px(self._size), px(self._size))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the icon."""
        if self._name:
            theme = current_theme()
            color = theme.color(self._tone if self.isEnabled() else "disabled")
            picture = pixmap(self._name, color, px(self._size), self.devicePixelRatioF())
            QPainter(self).drawPixmap(0, 0, picture)


class Tile(QWidget):
    """A rounded square in a state's colour with an icon on it."""

    def __init__(self, name: str, tone: str, size: float = 38, *, quiet: bool = False) -> None:
        """Make a tile.

        Args:
            name: The icon's name.
            tone: Token of the colour.
            size: Side of the tile.
            quiet: The tint as ground and the colour as icon, instead of the other way round.
        """
        super().__init__()
        self._name = name
        self._tone = tone
        self._size = size
        self._quiet = quiet
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self.updateGeometry)

    def set_look(self, name: str, tone: str) -> None:
        """Show another icon or colour."""
        self._name, self._tone = name, tone
        self.update()

    def sizeHint(self) -> QSize:
        """The tile's size."""
        return QSize(px(self._size), px(self._size))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the tile."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        if self._quiet:
            ground = {"live": "select", "idle": "border"}.get(self._tone, f"{self._tone}_tint")
            ink = theme.color(self._tone)
            if theme.is_high_contrast:
                ground = "surface"
                painter.setPen(theme.color("border"))
        else:
            ground = theme.fill(self._tone)
            ink = theme.ink_on(ground)
        painter.setBrush(theme.color(ground))
        painter.drawRoundedRect(self.rect().toRectF().adjusted(0.5, 0.5, -0.5, -0.5), px(8), px(8))
        side = px(self._size * 0.5)
        offset = (self.width() - side) // 2
        painter.drawPixmap(offset, offset, pixmap(self._name, ink, side, self.devicePixelRatioF()))


def cast_shadow(widget: QWidget) -> None:
    """Give a widget that floats over others its shadow."""
    shadow = QGraphicsDropShadowEffect(widget)
    shadow.setBlurRadius(px(16))
    shadow.setOffset(0, px(3))
    shadow.setColor(QColor(0, 0, 0, 60))
    widget.setGraphicsEffect(shadow)


def rule() -> QWidget:
    """A horizontal hairline."""
    line = QFrame()
    line.setProperty("surface", "rule")
    return line
