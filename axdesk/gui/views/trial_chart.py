"""Trials as marks: which one is under the pointer, which are selected, what is told of one."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QWidget

from axdesk.gui.models.course import Z_95
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, px, theme_manager
from axdesk.gui.widgets.chart import Chart
from axdesk.gui.widgets.plots import HOVER_DISTANCE, MARKS, ReadOut, draw_mark, mark_pen

LEFT_OUT: Final = "left_out"
_MOVING: Final = frozenset(("diamond", "triangle", "star"))
"""Marks of trials that run, and of those that are best for the moment: painted each time."""
_CELL: Final = 16
"""Side, in pixels, of the squares by which marks are found; above `HOVER_DISTANCE`."""
_SHADES: Final = 24
_FEW: Final = 300
_MANY: Final = 2000
_OFF_FLOOR: Final = 7


@dataclass(frozen=True, slots=True)
class Place:
    """Where a trial stands in a plot.

    Attributes:
        x: On the horizontal scale.
        y: On the vertical one; None on the floor of the plot.
        mark: Its mark's name.
        sem: Standard error of a prediction; None without one.
        share: For a colour between the worst (0) and the best (1) value; None for the mark's own.
    """

    x: float
    y: float | None
    mark: str
    sem: float | None = None
    share: float | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a read-out says of a trial."""

    icon: str
    tone: str
    title: str
    rows: tuple[tuple[str, str], ...]


class TrialChart(Chart):
    """A chart whose marks are trials.

    A trial within 12 pixels of the pointer is read out, or the one that the arrow keys went to; a
    click, or Return, selects it, and with Ctrl compares it with the selected one.

    Attributes:
        places: By trial: where it stands; change it by `set_places` and `put_places`.
        pointed: The trial that is read out, or None.
        marks_drawn: How many marks were painted so far.
    """

    def __init__(
        self, selection: Selection, tell: Callable[[int], Told | None], *, name: str, label: str
    ) -> None:
        """Make an empty chart.

        Args:
            selection: What is ringed, and what a click changes.
            tell: Says what is read out of a trial.
            name: Object name.
            label: Accessible name.
        """
        super().__init__(name=name, label=label)
        self._selection = selection
        self._tell = tell
        self._host: QWidget = self
        self._read_out = ReadOut(self)
        self._filter: frozenset[int] | None = None
        self._cells: dict[tuple[int, int], list[int]] | None = None
        self._moving: set[int] = set()
        self._counts: Counter[str] = Counter()
        self._sprites: dict[tuple[str, int | None], QPixmap] = {}
        self.places: dict[int, Place] = {}
        self.pointed: int | None = None
        self.marks_drawn = 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        selection.changed.connect(self.update)
        theme_manager().changed.connect(self._point_nowhere)

    # what is shown

    def host_read_outs(self, host: QWidget) -> None:
        """Let read-outs that the chart is too small for reach over `host`, which contains it."""
        self._host = host
        self._read_out.deleteLater()
        self._read_out = ReadOut(host)

    def set_places(self, places: Mapping[int, Place]) -> None:
        """Show these trials and no others."""
        self.places = dict(places)
        self._moving = {i for i, place in places.items() if place.mark in _MOVING}
        self._counts = Counter(place.mark for place in places.values())
        self.renew()
        self._point_again()

    def put_places(self, changed: Mapping[int, Place | None]) -> None:
        """Show some trials elsewhere; None takes one away.

        Only what is added is painted, unless a mark that was painted has to go.
        """
        added: list[tuple[int, Place]] = []
        is_stale = False
        for index, place in changed.items():
            before = self.places.get(index)
            if before == place:
                continue
            is_stale |= before is not None and index not in self._moving
            self._moving.discard(index)
            if before is not None:
                self._cells = None
                self._counts[before.mark] -= 1
            if place is None:
                del self.places[index]
                continue
            self.places[index] = place
            self._counts[place.mark] += 1
            if self._cells is not None:
                self._remember_cell(index, place)
            if place.mark in _MOVING:
                self._moving.add(index)
            else:
                added.append((index, place))
        if is_stale:
            self.renew()
        elif added and (painter := self.add_marks_painter()) is not None:
            for index, place in added:
                self._draw(painter, self._mark_of(index, place), place)
            painter.end()
        self._point_again()
        self.update()

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self._filter = shown
        self._point_nowhere()
        self.renew()

    def renew(self, *, marks: bool = True) -> None:
        """Have the ground, and with `marks` also these, painted anew."""
        super().renew(marks=marks)
        if marks:
            self._cells = None
            self._sprites = {}

    def marks_present(self) -> set[str]:
        """The marks that a legend has to explain."""
        if self._filter is None:
            return {mark for mark, count in self._counts.items() if count}
        return {self._mark_of(index, place) for index, place in self.places.items()}

    def point_of(self, index: int) -> QPointF | None:
        """Where a trial's mark lies in the widget; None without one."""
        place = self.places.get(index)
        return None if place is None else self._point(place)

    def trial_at(self, point: QPointF) -> int | None:
        """The trial whose mark is nearest to a point of the widget, within 12 pixels; or None."""
        if self._cells is None:
            self._cells = {}
            for index, place in self.places.items():
                self._remember_cell(index, place)
        column, row = int(point.x() // _CELL), int(point.y() // _CELL)
        best, best_distance = None, float(HOVER_DISTANCE)
        for across in (-1, 0, 1):
            for down in (-1, 0, 1):
                for index in self._cells.get((column + across, row + down), ()):
                    there = self._point(self.places[index])
                    apart = ((there.x() - point.x()) ** 2 + (there.y() - point.y()) ** 2) ** 0.5
                    if apart <= best_distance:
                        best, best_distance = index, apart
        return best

    # painting

    def has_mark_in(self, rect: QRectF) -> bool:
        """Whether a mark lies in a rectangle; of very many only what is best or runs counts."""
        indices = self.places if len(self.places) <= _FEW else self._moving
        near = rect.adjusted(-px(4), -px(3), px(4), px(3))
        return any(near.contains(self._point(self.places[index])) for index in indices)

    def paint_marks(self, painter: QPainter) -> None:
        """Paint the trials that are over, those that the filter leaves out below the others."""
        area, floor = self.area, self.area.bottom() - px(_OFF_FLOOR)
        x_of = self.x_scale.onto(area.left(), area.right())
        y_of = self.y_scale.onto(area.bottom(), area.top())
        # Marks that are apart by less than this cover each other.
        step = 1.0 if len(self.places) <= _MANY else 2.0
        drawn: set[tuple[str, int | None, int, int]] = set()
        filtered = self._filter
        for is_left_out in (False,) if filtered is None else (True, False):
            for index, place in self.places.items():
                if filtered is not None and (index not in filtered) != is_left_out:
                    continue
                mark = LEFT_OUT if is_left_out else place.mark
                if mark in _MOVING:
                    continue
                x, y = x_of(place.x), floor if place.y is None else y_of(place.y)
                shade = None if place.share is None or mark != "dot" else _shade(place)
                key = (mark, shade, int(x / step), int(y / step))
                if key not in drawn:
                    drawn.add(key)
                    self._draw_at(painter, mark, shade, x, y)

    def paint_over(self, painter: QPainter) -> None:
        """Paint what runs, the best, and the rings of what is selected and pointed at."""
        theme = current_theme()
        for index in sorted(self._moving, key=lambda i: self.places[i].mark == "star"):
            place = self.places[index]
            mark = self._mark_of(index, place)
            if place.sem and place.y is not None and mark != LEFT_OUT:
                painter.setPen(QPen(theme.color("live"), 1.25))
                reach = Z_95 * place.sem
                low, high = self.at(place.x, place.y - reach), self.at(place.x, place.y + reach)
                top, bottom = self.area.top(), self.area.bottom()
                low.setY(min(max(low.y(), top), bottom))
                high.setY(min(max(high.y(), top), bottom))
                painter.drawLine(low, high)
        for index in sorted(self._moving, key=lambda i: self.places[i].mark == "star"):
            self._draw(painter, self._mark_of(index, self.places[index]), self.places[index])
        rings = [(index, mark_pen("selected")) for index in self._selection.trials]
        if self.pointed is not None:
            rings.append((self.pointed, QPen(theme.color("text2"), 1.0)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = px(MARKS["selected"].size) / 2
        for index, pen in rings:
            if (point := self.point_of(index)) is not None:
                painter.setPen(pen)
                painter.drawEllipse(point, radius, radius)

    def _point(self, place: Place) -> QPointF:
        if place.y is None:
            return QPointF(self.at(place.x, 0.0).x(), self.area.bottom() - px(_OFF_FLOOR))
        return self.at(place.x, place.y)

    def _mark_of(self, index: int, place: Place) -> str:
        return place.mark if self._filter is None or index in self._filter else LEFT_OUT

    def _draw(self, painter: QPainter, mark: str, place: Place) -> None:
        point = self._point(place)
        shade = _shade(place) if mark == "dot" else None
        self._draw_at(painter, mark, shade, point.x(), point.y())

    def _draw_at(self, painter: QPainter, mark: str, shade: int | None, x: float, y: float) -> None:
        sprite = self._sprites.get((mark, shade))
        if sprite is None:
            sprite = self._sprites[mark, shade] = self._sprite(mark, shade)
        half = sprite.width() / sprite.devicePixelRatio() / 2
        painter.drawPixmap(QPointF(x - half, y - half), sprite)
        self.marks_drawn += 1

    def _sprite(self, mark: str, shade: int | None) -> QPixmap:
        ratio = self.devicePixelRatioF()
        side = px(MARKS[mark].size) + 6
        picture = QPixmap(round(side * ratio), round(side * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        center = QPointF(picture.width() / ratio / 2, picture.height() / ratio / 2)
        if shade is None:
            draw_mark(painter, mark, center)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(current_theme().sequential(shade / _SHADES))
            radius = px(MARKS[mark].size) / 2
            painter.drawEllipse(center, radius, radius)
        painter.end()
        return picture

    # pointing

    def _remember_cell(self, index: int, place: Place) -> None:
        if self._cells is not None and self._mark_of(index, place) != LEFT_OUT:
            point = self._point(place)
            cell = (int(point.x() // _CELL), int(point.y() // _CELL))
            self._cells.setdefault(cell, []).append(index)

    def point_at(self, index: int | None) -> None:
        """Read a trial out; None reads out none."""
        told = None if index is None else self._tell(index)
        place = None if index is None else self.point_of(index)
        self.pointed = index if told is not None and place is not None else None
        if told is None or place is None:
            self._read_out.hide()
        else:
            corner = self.mapTo(self._host, self.rect().topLeft())
            self._read_out.show_at(
                corner + place.toPoint(), told.icon, told.tone, told.title, told.rows,
                inside=self.rect().translated(corner),
            )  # fmt: skip
        self.update()

    def _point_nowhere(self) -> None:
        self.point_at(None)

    def _point_again(self) -> None:
        if self.pointed is not None:
            self.point_at(self.pointed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read out the trial under the pointer."""
        index = self.trial_at(event.position())
        if index != self.pointed:
            self.point_at(index)

    def leaveEvent(self, event: QEvent) -> None:
        """Read out nothing once the pointer is elsewhere."""
        super().leaveEvent(event)
        self.point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the trial under the pointer, or compare it."""
        index = self.trial_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and index is not None:
            self._choose(index, event.modifiers())
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The press has done what there is to do."""
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from trial to trial by the arrow keys; Return selects, Ctrl+Return compares."""
        key = event.key()
        steps = {
            Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1,
            Qt.Key.Key_Home: None, Qt.Key.Key_End: None,
        }  # fmt: skip
        self._is_walked = True
        if key in steps and self.places:
            self._walk(steps[Qt.Key(key)], to_end=key == Qt.Key.Key_End)
        elif self.pointed is not None and key in (
            Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space
        ):  # fmt: skip
            self._choose(self.pointed, event.modifiers())
        elif self.pointed is not None and key == Qt.Key.Key_Escape:
            self.point_at(None)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the trial under the pointer; by key of the one that is read out."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.pointed if by_key else self.trial_at(QPointF(event.pos()))
        place = None if index is None else self.point_of(index)
        if index is not None and place is not None:
            at = self.mapToGlobal(place.toPoint()) if by_key else event.globalPos()
            self._selection.ask_for_menu(index, at)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Read out nothing once the keyboard is elsewhere."""
        super().focusOutEvent(event)
        self.point_at(None)

    def _walk(self, step: int | None, *, to_end: bool) -> None:
        """Read out the next trial along the axis, or for None the first or the last one."""
        order = sorted(
            (i for i, place in self.places.items() if self._mark_of(i, place) != LEFT_OUT),
            key=lambda i: (self.places[i].x, i),
        )
        if not order:
            return
        start = self.pointed if self.pointed in order else self._selection.current
        if step is None or start not in order:
            at = len(order) - 1 if to_end or step is not None else 0
        else:
            at = order.index(start) + step
        self.point_at(order[min(max(at, 0), len(order) - 1)])

    def _choose(self, index: int, modifiers: Qt.KeyboardModifier) -> None:
        is_compared = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        (self._selection.toggle if is_compared else self._selection.select)(index)


def _shade(place: Place) -> int | None:
    if place.share is None or place.mark != "dot":
        return None
    return round(min(max(place.share, 0.0), 1.0) * _SHADES)
