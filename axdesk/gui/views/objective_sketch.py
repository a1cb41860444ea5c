"""A small drawing of what the objectives mean: what a limit leaves out, and which trial is best."""

from collections.abc import Iterable, Sequence
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from axdesk.core.draft_cells import STEERING, Goal, Row
from axdesk.core.draft_limits import is_relative_limit
from axdesk.gui.icons import draw_icon
from axdesk.gui.models.objective_table import limit_text
from axdesk.gui.style import current_theme, px, theme_manager, type_font

_TRIALS = ((0.10, 0.32), (0.20, 0.38), (0.28, 0.55), (0.36, 0.48), (0.45, 0.64), (0.54, 0.78))
"""Share of the width towards the limit's side, share of the height towards the goal."""
_BEST = (0.57, 0.88)
_OUTSIDE = ((0.72, 0.80), (0.84, 0.90))
_LIMIT = 0.62


_FRONT = ((0.10, 0.92), (0.36, 0.84), (0.60, 0.66), (0.78, 0.42), (0.90, 0.14))
_BEATEN = ((0.18, 0.45), (0.30, 0.24), (0.46, 0.50), (0.30, 0.66), (0.62, 0.22))
"""Two goals: shares towards the better side of each."""
_NEARING = ((0.08, 0.08), (0.20, 0.82), (0.32, 0.30), (0.44, 0.62), (0.56, 0.42), (0.70, 0.57))
"""A target: share of the run, share of the height; the target is in the middle."""
_MATCHED = (0.86, 0.5)


class _Kind(Enum):
    LIMIT = auto()
    FRONT = auto()
    TARGET = auto()


def _kind_of(rows: Sequence[Row]) -> tuple[_Kind, Row, Row] | None:
    """What can be drawn, the goal on the upright axis, and what stands on the other."""
    goals = [row for row in rows if row.get("goal") in STEERING]
    limits = [row for row in rows if row.get("limit", "").strip()]
    targets = [row for row in goals if row["goal"] == Goal.TARGET]
    weighted = [row for row in goals if row.get("weight", "").strip()]
    if len(goals) == 1 and not targets and len(limits) == 1 and limits[0] not in goals:
        return _Kind.LIMIT, goals[0], limits[0]
    if len(goals) == 2 and not (limits or targets or weighted):
        return _Kind.FRONT, goals[0], goals[1]
    if len(goals) == 1 and targets and not limits:
        return _Kind.TARGET, goals[0], goals[0]
    return None


class ObjectiveSketch(QWidget):
    """An example with the names, the limit and the directions of the draft.

    It shows itself where one goal meets one limit on another metric, where two goals stand against
    each other, and where one target is to be matched. The sentence beside it says the same, so it
    stays silent for screen readers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._kind = _Kind.LIMIT
        self._goal: Row = {}
        self._limit: Row = {}
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self.updateGeometry)
        self.hide()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Draw the example of these objectives, or hide."""
        found = _kind_of(rows)
        if found is not None:
            self._kind, self._goal, self._limit = found
            self.update()
        self.setVisible(found is not None)

    def sizeHint(self) -> QSize:
        """A plot as high as three lines of the sentence."""
        return QSize(px(250), px(118))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw axes, trials and the limit."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(px(26), px(4), self.width() - px(30), self.height() - px(26))
        if self._kind is _Kind.LIMIT:
            self._paint_forbidden(painter, area)
        painter.setPen(QPen(theme.color("border2"), 1))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        match self._kind:
            case _Kind.LIMIT:
                self._paint_trials(painter, area)
                self._paint_limit(painter, area)
            case _Kind.FRONT:
                self._paint_front(painter, area)
                self._paint_below(painter, area, self._named(self._limit), area.right())
            case _Kind.TARGET:
                self._paint_target(painter, area)
                self._paint_below(painter, area, "Trials →", area.right())
        self._paint_upright(painter, area)

    def _at(self, area: QRectF, share: tuple[float, float]) -> QPointF:
        """A place of the example: the kept side and the goal lie as the draft says."""
        x = 1 - share[0] if self._limit.get("limit_kind") == ">=" else share[0]
        y = share[1] if self._goal.get("goal") == Goal.MINIMISE else 1 - share[1]
        return QPointF(area.left() + x * area.width(), area.top() + y * area.height())

    def _paint_forbidden(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        line = self._at(area, (_LIMIT, 0)).x()
        is_least = self._limit.get("limit_kind") == ">="
        left, right = (area.left(), line) if is_least else (line, area.right())
        forbidden = QRectF(left, area.top(), right - left, area.height())
        painter.fillRect(forbidden, QBrush(theme.color("plot_shade")))
        pattern = QBrush(theme.color("plot_hollow", 70), Qt.BrushStyle.BDiagPattern)
        painter.fillRect(forbidden, pattern)
        pen = QPen(theme.color("plot_hollow"), 1.5, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.drawLine(QPointF(line, area.top()), QPointF(line, area.bottom()))

    def _paint_trials(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        radius = px(3)
        self._paint_dots(painter, (self._at(area, share) for share in _TRIALS))
        painter.setPen(QPen(theme.color("plot_hollow"), 1.5))
        painter.setBrush(theme.color("surface"))
        for share in _OUTSIDE:
            painter.drawEllipse(self._at(area, share), radius, radius)
        self._paint_star(painter, self._at(area, _BEST))

    def _paint_star(self, painter: QPainter, place: QPointF) -> None:
        star = QRectF(0, 0, px(18), px(18))
        star.moveCenter(place)
        draw_icon(painter, "star-filled", star, current_theme().color("plot_best"))

    def _paint_dots(self, painter: QPainter, places: Iterable[QPointF]) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(current_theme().color("plot_dot"))
        for place in places:
            painter.drawEllipse(place, px(3), px(3))

    def _paint_front(self, painter: QPainter, area: QRectF) -> None:
        """Trials that none beats in both goals, towards the better corner, and some others."""

        def place(share: tuple[float, float]) -> QPointF:
            x = 1 - share[0] if self._limit.get("goal") == Goal.MINIMISE else share[0]
            y = share[1] if self._goal.get("goal") == Goal.MINIMISE else 1 - share[1]
            return QPointF(area.left() + x * area.width(), area.top() + y * area.height())

        self._paint_dots(painter, map(place, _BEATEN))
        for share in _FRONT:
            self._paint_star(painter, place(share))

    def _paint_target(self, painter: QPainter, area: QRectF) -> None:
        """Trials that come nearer to the target's line."""

        def place(share: tuple[float, float]) -> QPointF:
            y = area.top() + (1 - share[1]) * area.height()
            return QPointF(area.left() + share[0] * area.width(), y)

        theme = current_theme()
        painter.setPen(QPen(theme.color("plot_hollow"), 1.5, Qt.PenStyle.DashLine))
        left, right = place((0, 0.5)), place((1, 0.5))
        painter.drawLine(left, right)
        self._paint_dots(painter, map(place, _NEARING))
        self._paint_star(painter, place(_MATCHED))
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        unit = self._goal.get("unit", "").strip()
        text = f"{self._goal.get('target', '').strip()} {unit}".strip()
        line = QRectF(area.left() + px(6), left.y() - px(18), area.width() - px(6), px(16))
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom, text)

    def _paint_limit(self, painter: QPainter, area: QRectF) -> None:
        """The limit at its line, and the name of what it limits on the kept side."""
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        metrics = painter.fontMetrics()
        limit = limit_text(self._limit).lstrip("≤≥ ")
        if not is_relative_limit(limit):
            limit = f"{limit} {self._limit.get('unit', '').strip()}".strip()
        line, height = self._at(area, (_LIMIT, 0)).x(), metrics.height()
        wide = metrics.horizontalAdvance(limit) + px(4)
        below = QRectF(line - wide / 2, area.bottom() + px(4), wide, height)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, limit)
        is_least = self._limit.get("limit_kind") == ">="
        name = self._limit.get("name", "").strip()
        if is_least:
            self._paint_below(painter, area, name, area.right(), line + wide / 2 + px(6))
        else:
            self._paint_below(painter, area, name, line - wide / 2)

    def _paint_below(
        self, painter: QPainter, area: QRectF, text: str, right: float, left: float | None = None
    ) -> None:
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        metrics = painter.fontMetrics()
        start = area.left() if left is None else left
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, int(right - start))
        painter.drawText(QPointF(start, area.bottom() + px(4) + metrics.ascent()), shown)

    def _paint_upright(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        metrics = painter.fontMetrics()
        painter.save()
        painter.translate(px(12), area.bottom())
        painter.rotate(-90)
        room = int(area.height())
        shown = metrics.elidedText(self._named(self._goal), Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QPointF(0, metrics.ascent() / 2), shown)
        painter.restore()

    @staticmethod
    def _named(row: Row) -> str:
        """A goal with an arrow to its better side, which a target has not."""
        arrows = {Goal.MAXIMISE.value: " →", Goal.MINIMISE.value: " ←"}
        return f"{row.get('name', '').strip()}{arrows.get(row.get('goal', ''), '')}"
