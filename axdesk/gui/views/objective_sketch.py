"""A small drawing of what the objectives mean: what a limit leaves out, and which trial is best."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from axdesk.core.draft_cells import STEERING, Goal, Row
from axdesk.gui.icons import draw_icon
from axdesk.gui.style import current_theme, px, theme_manager, type_font

_TRIALS = ((0.10, 0.32), (0.20, 0.38), (0.28, 0.55), (0.36, 0.48), (0.45, 0.64), (0.54, 0.78))
"""Share of the width towards the limit's side, share of the height towards the goal."""
_BEST = (0.57, 0.88)
_OUTSIDE = ((0.72, 0.80), (0.84, 0.90))
_LIMIT = 0.62


class ObjectiveSketch(QWidget):
    """An example with the names, the limit and the directions of the draft.

    It shows itself where one goal meets one limit on another metric, and nothing else. The sentence
    beside it says the same, so it stays silent for screen readers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._goal: Row = {}
        self._limit: Row = {}
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self.updateGeometry)
        self.hide()

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Draw the example of these objectives, or hide."""
        goals = [row for row in rows if row.get("goal") in STEERING]
        limits = [row for row in rows if row.get("limit", "").strip() and row not in goals]
        fits = len(goals) == 1 and goals[0]["goal"] != Goal.TARGET and len(limits) == 1
        if fits:
            self._goal, self._limit = goals[0], limits[0]
            self.update()
        self.setVisible(fits)

    def sizeHint(self) -> QSize:
        """A plot as high as three lines of the sentence."""
        return QSize(px(250), px(118))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw axes, trials and the limit."""
        theme = current_theme()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(px(26), px(4), self.width() - px(30), self.height() - px(26))
        self._paint_forbidden(painter, area)
        painter.setPen(QPen(theme.color("border2"), 1))
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_trials(painter, area)
        self._paint_words(painter, area)

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
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("plot_dot"))
        for share in _TRIALS:
            painter.drawEllipse(self._at(area, share), radius, radius)
        painter.setPen(QPen(theme.color("plot_hollow"), 1.5))
        painter.setBrush(theme.color("surface"))
        for share in _OUTSIDE:
            painter.drawEllipse(self._at(area, share), radius, radius)
        star = QRectF(0, 0, px(18), px(18))
        star.moveCenter(self._at(area, _BEST))
        draw_icon(painter, "star-filled", star, theme.color("plot_best"))

    def _paint_words(self, painter: QPainter, area: QRectF) -> None:
        theme = current_theme()
        painter.setFont(type_font("caption"))
        painter.setPen(theme.color("text2"))
        metrics = painter.fontMetrics()
        unit = self._limit.get("unit", "").strip()
        limit = f"{self._limit['limit'].strip()} {unit}".strip()
        line, height = self._at(area, (_LIMIT, 0)).x(), metrics.height()
        wide = metrics.horizontalAdvance(limit) + px(4)
        below = QRectF(line - wide / 2, area.bottom() + px(4), wide, height)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, limit)
        room = int(line - wide / 2 - area.left())
        is_least = self._limit.get("limit_kind") == ">="
        left = line + wide / 2 + px(6) if is_least else area.left()
        room = int(area.right() - left) if is_least else room
        name = self._limit.get("name", "").strip()
        painter.drawText(
            QPointF(left, area.bottom() + px(4) + metrics.ascent()),
            metrics.elidedText(name, Qt.TextElideMode.ElideRight, room),
        )
        painter.save()
        painter.translate(px(12), area.bottom())
        painter.rotate(-90)
        goal = metrics.elidedText(
            self._goal.get("name", "").strip(), Qt.TextElideMode.ElideRight, int(area.height()) - 20
        )
        arrow = "←" if self._goal.get("goal") == Goal.MINIMISE else "→"
        painter.drawText(QPointF(0, metrics.ascent() / 2), f"{goal} {arrow}")
        painter.restore()
