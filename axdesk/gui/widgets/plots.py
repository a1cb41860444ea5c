"""Plots without frames: labels and horizontal hairlines only, in the theme's colours.

A plot gets its marks by name (`MARKS`), so that a status looks the same here, in the legend and in
the parameter strips. Pens are cosmetic: they keep their width when the data is scaled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pyqtgraph as pg
from pyqtgraph.graphicsItems.ScatterPlotItem import drawSymbol
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QFontMetricsF, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.gui.style import current_theme, px, theme_manager, type_font
from axdesk.gui.widgets.cards import Facts
from axdesk.gui.widgets.labels import IconLabel, cast_shadow, label

HOVER_DISTANCE: Final = 12
"""Pixels within which the pointer picks a mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A plot mark: pyqtgraph's symbol, its size in pixels, and tokens of line and fill.

    None draws no line or no fill.
    """

    symbol: str
    size: float
    line: str | None
    fill: str | None
    width: float = 1.5


MARKS: Mapping[str, Mark] = MappingProxyType({
    "dot": Mark("o", 8, None, "plot_dot"),
    "ring": Mark("o", 8, "plot_hollow", "surface"),
    "diamond": Mark("d", 10, "live", "surface"),
    "cross": Mark("x", 10, "bad", "bad", 1.0),
    "small_cross": Mark("x", 7, None, "idle"),
    "square": Mark("s", 6, None, "plot_dot"),
    "triangle": Mark("t1", 10, None, "warn_mark"),
    "star": Mark("star", 19, "surface", "plot_best", 1.0),
    "hollow_dot": Mark("o", 7, "plot_dot", "surface", 1.0),
    "left_out": Mark("o", 6, None, "plot_worse"),
    "selected": Mark("o", 16, "accent", None, 2.0),
})  # fmt: skip
"""The marks by name; statuses name theirs in `theme.STATUS_LOOKS`."""


SWATCHES: Final = ("shade", "dominated", "broken", "ink_line", "live_line")
"""Grounds and lines that a legend can explain beside marks."""


def swatch_brush(ground: str) -> QBrush:
    """What fills a ground of `SWATCHES`."""
    theme = current_theme()
    if ground == "broken":
        return QBrush(theme.color("plot_hollow", 110), Qt.BrushStyle.BDiagPattern)
    if ground == "shade":
        return QBrush(theme.color("plot_shade"))
    return QBrush(theme.band())


def cosmetic_pen(
    token: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine
) -> QPen:
    """A pen in a token's colour whose width is in pixels whatever the scale of the data."""
    pen = QPen(current_theme().color(token), width, style)
    pen.setCosmetic(True)
    return pen


def mark_pen(mark: str) -> QPen:
    """The pen of a mark's outline."""
    line = MARKS[mark].line
    if line is None:
        return QPen(Qt.PenStyle.NoPen)
    return cosmetic_pen(line, MARKS[mark].width)


def mark_brush(mark: str) -> QBrush:
    """The fill of a mark."""
    fill = MARKS[mark].fill
    if fill is None:
        return QBrush(Qt.BrushStyle.NoBrush)
    return QBrush(current_theme().color(fill))


def scatter(mark: str) -> Any:
    """An empty scatter item with the mark called `mark`; call `style_scatter` on theme change."""
    item = pg.ScatterPlotItem(pxMode=True)
    style_scatter(item, mark)
    return item


def style_scatter(item: Any, mark: str) -> None:
    """Give a scatter item size, symbol and the present colours of a mark."""
    item.setSymbol(MARKS[mark].symbol)
    item.setSize(px(MARKS[mark].size))
    item.setPen(mark_pen(mark))
    item.setBrush(mark_brush(mark))


class Axis(pg.AxisItem):  # type: ignore[misc]
    """An axis of labels alone; the left one also draws the horizontal hairlines."""

    def __init__(self, orientation: str, *, has_grid: bool) -> None:
        """Make an axis.

        Args:
            orientation: `left` or `bottom`.
            has_grid: Draw a hairline through the plot at each label.
        """
        super().__init__(orientation)
        self._has_grid = has_grid
        self.setGrid(255 if has_grid else False)
        self.restyle()

    def restyle(self) -> None:
        """Take font, colours and distances from the theme."""
        self.setStyle(
            tickLength=0,
            tickFont=type_font("caption"),
            tickTextOffset=px(6),
            maxTickLevel=0,
            autoReduceTextSpace=True,
            textFillLimits=[(0, 0.75), (2, 0.6), (4, 0.4), (6, 0.25)],
        )
        self.setTextPen(current_theme().color("text2"))
        self.picture = None
        self.update()

    def tickSpacing(self, least: float, most: float, size: float) -> list[tuple[float, float]]:
        """Three to six labels, at 1, 2, 2.5 or 5 times a power of ten."""
        span = abs(most - least)
        if span == 0:
            return []
        wanted = min(max(size / px(42), 2.0), 6.4)
        power = 10.0 ** int(f"{span / wanted:e}".split("e")[1])
        factors = (1, 2, 2.5, 5, 10) if power < 1 else (1, 2, 5, 10)
        step = next(f * power for f in factors if span / (f * power) <= wanted + 0.01)
        return [(step, 0)]

    def drawPicture(
        self,
        painter: QPainter,
        _axis: object,
        ticks: Sequence[tuple[QPen, QPointF, QPointF]],
        texts: Sequence[tuple[QRectF, Qt.AlignmentFlag, str]],
    ) -> None:
        """Draw hairlines and labels, and neither an axis line nor ticks."""
        if self._has_grid:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(cosmetic_pen("grid"))
            for _, start, end in ticks:
                painter.drawLine(start, end)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        for rect, flags, text in texts:
            painter.drawText(rect, int(flags), text)


class Plot(pg.PlotWidget):  # type: ignore[misc]
    """A plot ready for a card: axes of labels, hairlines, no menu, and no zooming by accident.

    Draw into `item` (its `addItem`) and restyle what has colours in functions given to
    `on_restyle`; they are called at once and at every change of theme, font or zoom.

    Signals:
        pointed: The pointer is at these data coordinates, or left (None).
        clicked: A click at these data coordinates, and whether Ctrl was held.
    """

    pointed = Signal(object)
    clicked = Signal(QPointF, bool)

    def __init__(self, *, name: str = "", label: str = "") -> None:
        """Make a plot.

        Args:
            name: Object name.
            label: Accessible name; the card's sentence is its description.
        """
        self._left = Axis("left", has_grid=True)
        self._bottom = Axis("bottom", has_grid=False)
        super().__init__(axisItems={"left": self._left, "bottom": self._bottom})
        self._left.setZValue(-1000)  # hairlines lie behind the data
        self._stylers: list[Callable[[], object]] = []
        self.setObjectName(name)
        self.setAccessibleName(label)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumSize(60, 40)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.item = self.getPlotItem()
        self.item.hideButtons()
        self.item.setMenuEnabled(False)
        self.item.setContentsMargins(0, 0, 0, 0)
        self.item.getViewBox().setMouseEnabled(x=False, y=False)
        self.item.getViewBox().setDefaultPadding(0.0)
        self.scene().sigMouseMoved.connect(self._tell_pointer)
        self.scene().sigMouseClicked.connect(self._tell_click)
        self._restyle()
        theme_manager().changed.connect(self._restyle)

    def on_restyle(self, styler: Callable[[], object]) -> None:
        """Call `styler` now and whenever colours or fonts change."""
        self._stylers.append(styler)
        styler()

    def set_x_range(self, least: float, most: float, *, padding: float = 0.02) -> None:
        """Show x from `least` to `most`, with a share of padding on both sides."""
        self.item.setXRange(least, most, padding=padding)

    def set_y_range(self, least: float, most: float) -> None:
        """Show y from `least` to `most`, padded by 4 %."""
        self.item.setYRange(least, most, padding=0.04)

    def set_ticks(self, axis: str, ticks: Sequence[tuple[float, str]] | None) -> None:
        """Label `axis` (`left` or `bottom`) at these places, or by itself again for None."""
        shown = self._left if axis == "left" else self._bottom
        shown.setTicks(None if ticks is None else [list(ticks)])

    def close(self) -> bool:
        """Close the plot, after which its axes cannot be restyled."""
        theme_manager().changed.disconnect(self._restyle)
        return bool(super().close())

    def leaveEvent(self, event: Any) -> None:
        """Tell that the pointer left."""
        super().leaveEvent(event)
        self.pointed.emit(None)

    def sizeHint(self) -> QSize:
        """A size to start from; plots take what room there is."""
        return QSize(px(320), px(200))

    def _tell_pointer(self, place: QPointF) -> None:
        view = self.item.getViewBox()
        inside = view.sceneBoundingRect().contains(place)
        self.pointed.emit(view.mapSceneToView(place) if inside else None)

    def _tell_click(self, event: Any) -> None:
        view = self.item.getViewBox()
        if event.button() == Qt.MouseButton.LeftButton and view.sceneBoundingRect().contains(
            event.scenePos()
        ):
            with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self.clicked.emit(view.mapSceneToView(event.scenePos()), with_ctrl)

    def _restyle(self) -> None:
        self.setBackground(current_theme().color("surface"))
        self._left.restyle()
        self._bottom.restyle()
        for styler in self._stylers:
            styler()


class Legend(QWidget):
    """Explains the marks in as many lines as they need, with the x quantity at the right end."""

    def __init__(self, entries: Sequence[tuple[str, str]] = (), quantity: str = "") -> None:
        """Make a legend.

        Args:
            entries: (mark, word) in order.
            quantity: What the x axis shows.
        """
        super().__init__()
        self._entries = tuple(entries)
        self._quantity = quantity
        self._is_one_line = False
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self._take_room)

    def set_entries(self, entries: Sequence[tuple[str, str]], quantity: str) -> None:
        """Explain other marks."""
        if (tuple(entries), quantity) == (self._entries, self._quantity):
            return
        self._entries, self._quantity = tuple(entries), quantity
        self.setAccessibleName(", ".join(word for _, word in entries))
        self._take_room()
        self.update()

    def set_one_line(self, is_one: bool) -> None:
        """Explain only what fits into one line, and all in the tooltip; or take more lines."""
        if is_one != self._is_one_line:
            self._is_one_line = is_one
            self._take_room()
            self.update()

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(px(300), px(20))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Take the lines that the entries need in this width."""
        super().resizeEvent(event)
        self._take_room()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw marks and words."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom
        painter.drawText(self.rect().adjusted(0, 0, 0, -px(2)), right, self._quantity)
        for (mark, word), place in zip(self._entries, self._places(), strict=True):
            if self._is_one_line and (place.top() > 0 or place.right() > self._room()):
                return
            draw_mark(painter, mark, QPointF(place.left() + px(6), place.center().y()))
            painter.setPen(theme.color("text2"))
            area = place.adjusted(px(17), 0, 0, 0)
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter, word)

    def _places(self) -> list[QRectF]:
        metrics = QFontMetricsF(type_font("caption"))
        line, x, y, found = px(20), 0.0, 0.0, []
        for _, word in self._entries:
            width = px(17) + metrics.horizontalAdvance(word) + 2
            if x and x + width > self.width():
                x, y = 0.0, y + line
            found.append(QRectF(x, y, width, line))
            x += width + px(12)
        return found

    def _room(self) -> float:
        """The width before the quantity."""
        width = QFontMetricsF(type_font("caption")).horizontalAdvance(self._quantity)
        return self.width() - width - (px(12) if self._quantity else 0)

    def _take_room(self) -> None:
        places = self._places()
        bottom = places[-1].bottom() if places else px(20)
        if places and places[-1].right() > self._room():
            bottom += px(20)  # the quantity needs a line of its own
        is_cut = self._is_one_line and bottom > px(20)
        self.setToolTip(", ".join(word for _, word in self._entries) if is_cut else "")
        self.setFixedHeight(px(20) if self._is_one_line else round(bottom))


def draw_mark(painter: QPainter, mark: str, center: QPointF) -> None:
    """Draw a mark, or the sample of a ground (`SWATCHES`), around a point."""
    if mark in SWATCHES:
        sample = QRectF(center.x() - px(5), center.y() - px(5), px(10), px(10))
        theme = current_theme()
        if mark.endswith("_line"):
            is_model = mark == "live_line"
            style = Qt.PenStyle.DashLine if is_model else Qt.PenStyle.SolidLine
            painter.setPen(QPen(theme.color("live" if is_model else "plot_ink"), 2, style))
            reach = QPointF(px(6), 0)
            painter.drawLine(center - reach, center + reach)
            return
        painter.fillRect(sample, theme.color("surface"))
        painter.fillRect(sample, swatch_brush(mark))
        if theme.is_high_contrast or mark == "shade":
            painter.setPen(QPen(theme.color("border_soft"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(sample)
        return
    painter.save()
    painter.translate(center)
    drawSymbol(painter, MARKS[mark].symbol, px(MARKS[mark].size), mark_pen(mark), mark_brush(mark))
    painter.restore()


class ColorScale(QWidget):
    """The sequential colours between the worst and the best value, with both written beside."""

    def __init__(self) -> None:
        super().__init__()
        self._texts = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_ends(self, worst: str, best: str) -> None:
        """Write these values at the ends."""
        self._texts = (worst, best)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Bar and both texts."""
        self.setFont(type_font("caption"))
        metrics = self.fontMetrics()
        width = sum(metrics.horizontalAdvance(text) for text in self._texts)
        return QSize(width + px(76), px(20))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the scale."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), left, self._texts[0])
        painter.drawText(self.rect(), right, self._texts[1])
        start = painter.fontMetrics().horizontalAdvance(self._texts[0]) + px(6)
        width, height = px(64), px(6)
        for column in range(width):
            color = theme.sequential(column / (width - 1))
            painter.fillRect(start + column, (self.height() - height) // 2, 1, height, color)


class ReadOut(QFrame):
    """What a mark stands for, floating beside it and staying inside the plot."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._ground = parent
        self._shown: object = None
        self.setProperty("surface", "raised")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(10), px(8), px(10), px(8))
        layout.setSpacing(px(4))
        head = QHBoxLayout()
        head.setSpacing(px(6))
        self._icon = IconLabel(size=14)
        self._title = label("", "strong")
        head.addWidget(self._icon)
        head.addWidget(self._title)
        head.addStretch(1)
        self._facts = Facts()
        layout.addLayout(head)
        layout.addWidget(self._facts)
        cast_shadow(self)
        self.hide()

    def show_at(
        self,
        place: QPoint,
        icon_name: str,
        tone: str,
        title: str,
        rows: Sequence[tuple[str, str]],
        *,
        inside: QRect | None = None,
    ) -> None:
        """Show the read-out right below `place`, given in the parent's coordinates.

        It stays in the parent, and `inside` of this part of it where it has room there. It tells as
        many rows as the parent has room for, and how many more there are.
        """
        shown = (icon_name, tone, title, tuple(rows), self._ground.height())
        if shown != self._shown:
            self._shown = shown
            self._icon.set_icon(icon_name, tone)
            self._title.setText(title)
            self.setAccessibleName(f"{title}. " + ", ".join(f"{n} {v}" for n, v in rows))
            self._tell(rows)
        whole = self._ground.rect()
        fits = inside is not None and inside.height() >= self.height()
        is_wide = inside is not None and inside.width() >= self.width()
        self._move_beside(place, inside if inside is not None and fits and is_wide else whole)
        self.raise_()
        self.show()

    def _tell(self, rows: Sequence[tuple[str, str]]) -> None:
        line = QFontMetricsF(type_font("strong")).height() + px(4)
        fitting = max(int((self._ground.height() - line - px(24)) / line), 1)
        if fitting < len(rows):
            left = len(rows) - fitting + 1
            rows = [*rows[: fitting - 1], (f"and {left} more", "")]
        self._facts.set_rows(rows)
        self.ensurePolished()
        for layout in (self._facts.layout(), self.layout()):
            if layout is not None:
                layout.invalidate()
                layout.activate()
        self.adjustSize()

    def _move_beside(self, place: QPoint, room: QRect) -> None:
        gap = px(14)
        x = place.x() + gap
        if x + self.width() > room.right():
            x = place.x() - gap - self.width()
        y = min(place.y() + gap, room.bottom() - self.height())
        x = min(max(x, room.left()), room.right() - self.width())
        self.move(max(x, room.left()), max(y, room.top()))
