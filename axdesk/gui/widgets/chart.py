"""A plot that paints itself in layers, so that one more point costs one more point.

The ground (hairlines, labels, lines) and the marks are pictures of their own. A mark that is added
is drawn onto the marks' picture; everything is drawn anew only where the size, the theme or a scale
changed. What moves (the pointer's ring, running trials) is painted over both each time.
"""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.widgets.scales import Scale, Tick

_LOW = 150
Labelling = Callable[[int], Sequence[Tick]]


class Chart(QWidget):
    """Axes without frame: labels, and a hairline at each label of y.

    Subclasses paint through `paint_ground` (below the marks), `paint_marks` and `paint_over`, all
    in the widget's coordinates; `at` says where a value lies. They call `renew` for what changed.

    Attributes:
        x_scale: The horizontal scale.
        y_scale: The vertical scale.
        pictures_drawn: How often every mark was painted.

    Signals:
        resized: It has another size.
    """

    resized = Signal()

    def __init__(self, *, name: str, label: str) -> None:
        """Make an empty chart.

        Args:
            name: Object name.
            label: Accessible name.
        """
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setMinimumSize(60, 40)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.x_scale, self.y_scale = Scale(0.0, 1.0), Scale(0.0, 1.0)
        self._x_ticks: Labelling | None = None
        self._y_ticks: Labelling | None = None
        self._shows_x = True
        self._ground: QPixmap | None = None
        self._marks: QPixmap | None = None
        self._area = QRectF()
        self._labels: list[QRectF] = []
        self.pictures_drawn = 0
        self._is_walked = False
        theme_manager().changed.connect(self.renew)

    @property
    def is_small(self) -> bool:
        """Whether it is so small that names of lines would cover the marks."""
        return self.height() < px(_LOW) or self.width() < px(2 * _LOW)

    # what subclasses paint

    def paint_ground(self, painter: QPainter) -> None:
        """Paint what lies below the marks."""

    def paint_marks(self, painter: QPainter) -> None:
        """Paint every mark that does not move."""

    def paint_over(self, painter: QPainter) -> None:
        """Paint what changes often."""

    # what subclasses ask for

    @property
    def area(self) -> QRectF:
        """The rectangle between the axes."""
        return self._area

    def at(self, x: float, y: float) -> QPointF:
        """Where a value lies; outside of the scales at most one length of the area away."""
        across = min(max(self.x_scale.share(x), -1.0), 2.0)
        up = min(max(self.y_scale.share(y), -1.0), 2.0)
        area = self._area
        return QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

    def set_scales(
        self, x: Scale, y: Scale, *, x_ticks: "Labelling | None" = None,
        y_ticks: "Labelling | None" = None, shows_x: bool = True,
    ) -> None:  # fmt: skip
        """Use other scales; where they do not differ, the marks stay where they are.

        Args:
            x: Scale of the horizontal axis.
            y: Scale of the vertical axis.
            x_ticks: Gives the labels, of which there is room for so many, in place of the scale.
            y_ticks: The same for the vertical axis.
            shows_x: Whether there are labels below the area.
        """
        before = (self.x_scale, self.y_scale, self._area)
        self.x_scale, self.y_scale, self._x_ticks, self._y_ticks = x, y, x_ticks, y_ticks
        self._shows_x = shows_x
        self._measure()
        self.renew(marks=before != (x, y, self._area))

    def renew(self, *, marks: bool = True) -> None:
        """Have the ground, and with `marks` also these, painted anew."""
        self._measure()
        self._ground = None
        if marks:
            self._marks = None
        self.update()

    def add_marks_painter(self) -> QPainter | None:
        """A painter onto the marks' picture, to add to it; None where it is painted anew anyway."""
        return None if self._marks is None else _painter_on(self._marks)

    def repaint_hairlines(self, painter: QPainter, ground: QRectF) -> None:
        """Paint the hairlines again where a ground has covered them."""
        painter.setPen(QPen(current_theme().color("grid"), 1))
        for value, _ in self._ticks_of_y():
            y = self.at(0.0, value).y()
            if ground.top() <= y <= ground.bottom():
                painter.drawLine(QPointF(ground.left(), y), QPointF(ground.right(), y))

    def write(
        self, painter: QPainter, text: str, places: Sequence[tuple[float, float, float, float]],
        *, over_marks: bool = True,
    ) -> bool:  # fmt: skip
        """Write a text where it is neither cut nor over another one, if possible over no mark.

        Args:
            painter: With its font and pen set.
            text: One line.
            places: The best first: (x, y, share of the text's width left of x, share of its height
                above y).
            over_marks: Write over marks rather than not at all.

        Returns:
            Whether there was such a place.
        """
        size = QFontMetricsF(painter.font()).size(0, text)
        bounds = self._area.adjusted(-px(4), -px(2), px(6), px(2))
        fitting = [
            rect
            for x, y, left, above in places
            for rect in (QRectF(QPointF(x - left * size.width(), y - above * size.height()), size),)
            if bounds.contains(rect) and not any(rect.intersects(one) for one in self._labels)
        ]
        free = [rect for rect in fitting if not self.has_mark_in(rect)]
        if not free and not (fitting and over_marks):
            return False
        chosen = (free or fitting)[0]
        self._labels.append(chosen)
        painter.drawText(chosen, Qt.AlignmentFlag.AlignCenter, text)
        return True

    def has_mark_in(self, _rect: QRectF) -> bool:
        """Whether a mark lies in a rectangle of the widget, so that a label should not."""
        return False

    # Qt

    def sizeHint(self) -> QSize:
        """A size to start from; plots take what room there is."""
        return QSize(px(320), px(200))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint everything for the new size."""
        super().resizeEvent(event)
        self.renew()
        self.resized.emit()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keyboard is here where it was brought here by a key."""
        self._is_walked = event.reason() != Qt.FocusReason.MouseFocusReason
        super().focusInEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Show both pictures, and over them what moves."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ratio = self.devicePixelRatioF()
        for picture in (self._ground, self._marks):
            if picture is not None and picture.devicePixelRatio() != ratio:
                self._ground = self._marks = None
        if self._ground is None:
            self._ground = self._picture()
            with _painting(self._ground) as on_ground:
                self._labels = []
                self._paint_axes(on_ground)
                self.paint_ground(on_ground)
        if self._marks is None:
            self._marks = self._picture()
            self.pictures_drawn += 1
            with _painting(self._marks) as on_marks:
                self.paint_marks(on_marks)
        painter.drawPixmap(0, 0, self._ground)
        painter.drawPixmap(0, 0, self._marks)
        self.paint_over(painter)
        if self.hasFocus() and self._is_walked:
            width = 2 if current_theme().is_high_contrast else 1
            painter.setPen(QPen(current_theme().color("accent"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            edge = width / 2
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), px(4), px(4)
            )

    def _picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap((self.size() * ratio).expandedTo(QSize(1, 1)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        return picture

    def _measure(self) -> None:
        """Leave room for the labels around the area."""
        metrics = QFontMetricsF(type_font("caption"))
        texts = [text for _, text in self._ticks_of_y()]
        left = max((metrics.horizontalAdvance(text) for text in texts), default=0.0) + px(10)
        below = metrics.height() + px(6) if self._shows_x else px(6)
        self._area = QRectF(self.rect()).adjusted(
            min(left, self.width() * 0.45), px(8), -px(10), -below
        )

    def _ticks_of_y(self) -> Sequence[Tick]:
        most = min(max(int(self.height() / px(42)), 2), 6)
        return self.y_scale.ticks(most) if self._y_ticks is None else self._y_ticks(most)

    def _ticks_of_x(self, painter: QPainter) -> Sequence[Tick]:
        widest = QFontMetricsF(painter.font()).horizontalAdvance("00:00")
        most = min(max(int(self._area.width() / (widest + px(18))), 1), 6)
        return self.x_scale.ticks(most) if self._x_ticks is None else self._x_ticks(most)

    def _paint_axes(self, painter: QPainter) -> None:
        theme, area = current_theme(), self._area
        painter.setFont(type_font("caption"))
        metrics = QFontMetricsF(painter.font())
        line = QPen(theme.color("grid"), 1)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for value, text in self._ticks_of_y():
            y = self.at(0.0, value).y()
            if not area.top() - 1 <= y <= area.bottom() + 1:
                continue
            painter.setPen(line)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(theme.color("text2"))
            place = QRectF(0, y - metrics.height() / 2, area.left() - px(6), metrics.height())
            shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width() + 1)
            painter.drawText(place, right, shown)
        if not self._shows_x:
            return
        painter.setPen(theme.color("text2"))
        free_from = -1e9
        for value, text in self._ticks_of_x(painter):
            x = self.at(value, self.y_scale.low).x()
            width = metrics.horizontalAdvance(text)
            x = min(max(x, width / 2), self.width() - width / 2)
            if x - width / 2 >= free_from and area.left() - px(8) <= x <= area.right() + px(8):
                place = QRectF(
                    x - width / 2 - 1, area.bottom() + px(4), width + 2, metrics.height()
                )
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
                free_from = x + width / 2 + px(8)


class _painting:  # noqa: N801 - reads as a statement
    """A painter onto a picture for as long as the block lasts."""

    def __init__(self, picture: QPixmap) -> None:
        self._painter = _painter_on(picture)

    def __enter__(self) -> QPainter:
        return self._painter

    def __exit__(self, *_: object) -> None:
        self._painter.end()


def _painter_on(picture: QPixmap) -> QPainter:
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return painter


def strong_caption() -> QFont:
    """The font of labels at the ends of lines."""
    font = type_font("head")
    font.setPointSizeF(type_font("caption").pointSizeF())
    return font
