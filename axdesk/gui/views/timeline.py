"""The slots over time: which trial occupied which slot, and how long the running ones will take."""

from bisect import bisect_left
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import counted, duration
from axdesk.gui.models.monitor_options import MonitorOptions
from axdesk.gui.models.run_facts import RunFacts, seconds_running, status_key, status_word
from axdesk.gui.models.selection import Selection
from axdesk.gui.models.slots import SPANS, Bar, SlotPlan, busy_share, usual_span
from axdesk.gui.style import current_theme, px, set_property, theme_manager, type_font
from axdesk.gui.theme import STATUS_LOOKS, Theme
from axdesk.gui.views.trial_card import told_of
from axdesk.gui.widgets.buttons import Choice
from axdesk.gui.widgets.cards import Card, EmptyState
from axdesk.gui.widgets.chart import strong_caption
from axdesk.gui.widgets.fields import ComboField
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, rule
from axdesk.gui.widgets.plots import ReadOut
from axdesk.gui.widgets.scales import time_ticks

_WASHED_OUT = 0.3
"""Opacity of bars that the filter leaves out."""
_MOST_LISTED = 6
_AHEAD = 0.18
"""Share of the width right of "now"."""
_LEAST_WITH_NUMBER = 20
"""A finished bar narrower than this has no room for its number."""


class Timeline(QWidget):
    """Lanes of bars with "now" as a line; a click selects, with Ctrl it compares.

    Bars of trials that are over stand in a picture of their own, to which new ones are added; only
    where the time has gone on by a pixel, or something else was chosen, all are painted anew.
    """

    def __init__(self, selection: Selection) -> None:
        """Make an empty timeline.

        Args:
            selection: What is marked, and what a click changes.
        """
        super().__init__()
        self.setObjectName("monitor.timeline")
        self.setAccessibleName("Slots")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._selection = selection
        self._host: QWidget = self
        self._read_out = ReadOut(self)
        self._filter: frozenset[int] | None = None
        self._facts: RunFacts | None = None
        self._span = 0
        self._now = datetime.now(UTC)
        self._starred: frozenset[int] = frozenset()
        self._picture: QPixmap | None = None
        self._drawn_for: tuple[object, ...] = ()
        self._drawn_time: tuple[datetime, datetime] | None = None
        self.plan = SlotPlan()
        self.pointed: int | None = None
        self.pictures_drawn = 0
        self._is_walked = False
        selection.changed.connect(self._forget_picture)
        theme_manager().changed.connect(self._forget_picture)
        theme_manager().changed.connect(self.updateGeometry)

    def host_read_outs(self, host: QWidget) -> None:
        """Let read-outs reach over `host`, which contains the timeline."""
        self._host = host
        self._read_out.deleteLater()
        self._read_out = ReadOut(host)

    # what is shown

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self._filter = shown
        self._forget_picture()

    def set_span(self, seconds: int) -> None:
        """Show the latest so many seconds; 0 shows the whole run."""
        if seconds != self._span:
            self._span = seconds
            self.update()

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show the last run of an experiment."""
        self._facts, self._now = facts, now
        parallelism = facts.run.settings.parallelism if facts.run else 1
        lanes = self.plan.lanes
        changed = self.plan.show(facts.of_run, parallelism)
        if changed is None or facts.starred != self._starred:
            self._starred = facts.starred
            self._picture = None
        elif self._picture is not None:
            painter = QPainter(self._picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for bar in changed:
                if bar.end is not None:
                    self._draw_bar(painter, bar)
            painter.end()
        if self.plan.lanes != lanes:
            self.updateGeometry()
        self.update()

    def tick(self, now: datetime) -> None:
        """Let the running bars grow."""
        self._now = now
        if self._facts is not None and self._facts.state.is_live:
            self.update()

    def shown_time(self) -> tuple[datetime, datetime]:
        """The moments at the left and at the right end."""
        facts, bars = self._facts, self.plan.bars
        if facts is None or not bars:
            return self._now, self._now + timedelta(seconds=1)
        is_live = facts.state.is_live
        last = (
            self._now if is_live else max((bar.end for bar in bars if bar.end), default=self._now)
        )
        first = bars[0].start
        if self._span:
            first = max(first, last - timedelta(seconds=self._span))
        span = max(last - first, timedelta(seconds=1))
        end = last + span * (_AHEAD if is_live else 0.01)
        if is_live:
            # In steps of a pixel, that the picture of past bars can stay.
            pixel = (end - first).total_seconds() / max(self._area().width(), 1.0)
            step = pixel * (1 if self._span and first > bars[0].start else 20)
            since = (end - bars[0].start).total_seconds()
            moved = timedelta(seconds=step - since % step)
            end += moved
            first = first + moved if self._span and first > bars[0].start else first
        return first, end

    def busy(self) -> float | None:
        """The share of the slots' time in sight that was used, up to now."""
        if self._facts is None or not self.plan.bars:
            return None
        first, last = self.shown_time()
        return busy_share(self._in_sight(first), self.plan.lanes, first, min(last, self._now))

    def bar_rect(self, trial_index: int) -> QRectF | None:
        """Where a trial's bar lies; None without one in sight."""
        first, last = self.shown_time()
        bar = self.plan.bar_of(trial_index)
        is_in_sight = bar is not None and (bar.end is None or bar.end >= first)
        return self._rect_of(bar, first, last) if bar is not None and is_in_sight else None

    # Qt

    def sizeHint(self) -> QSize:
        """Lanes of usual height."""
        return QSize(px(320), px(28) * self.plan.lanes + px(30))

    def minimumSizeHint(self) -> QSize:
        """Lanes that can still be told apart."""
        return QSize(px(120), min(px(16) * self.plan.lanes, px(110)) + px(28))

    def maximum_height(self) -> int:
        """The height beyond which lanes would only grow fat."""
        return px(54) * self.plan.lanes + px(30)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Paint everything for the new size."""
        super().resizeEvent(event)
        self._picture = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the trial of a bar, or compare it."""
        bar = self._bar_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and bar is not None:
            self._choose(bar.trial.index, event.modifiers())

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the menu of the trial of a bar; by key of the one that is read out."""
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        bar = self._bar_at(QPointF(event.pos()))
        under = None if bar is None else bar.trial.index
        index = self.pointed if by_key else under
        rect = None if index is None else self.bar_rect(index)
        if index is not None and rect is not None:
            at = self.mapToGlobal(rect.center().toPoint()) if by_key else event.globalPos()
            self._selection.ask_for_menu(index, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell what a bar stands for."""
        bar = self._bar_at(event.position())
        self.point_at(None if bar is None else bar.trial.index, event.position().toPoint())

    def leaveEvent(self, event: QEvent) -> None:
        """Tell nothing once the pointer is elsewhere."""
        super().leaveEvent(event)
        self.point_at(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show that the keyboard is here where it was brought here by a key."""
        self._is_walked = event.reason() != Qt.FocusReason.MouseFocusReason
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell nothing once the keyboard is elsewhere."""
        super().focusOutEvent(event)
        self.point_at(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The press has done what there is to do."""
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go from bar to bar by the arrow keys; Return selects, Ctrl+Return compares."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1}
        key = Qt.Key(event.key())
        self._is_walked = True
        shown = [bar.trial.index for bar in self._in_sight(self.shown_time()[0])]
        if key in steps and shown:
            start = self.pointed if self.pointed in shown else self._selection.current
            at = shown.index(start) + steps[key] if start in shown else len(shown) - 1
            self.point_at(shown[min(max(at, 0), len(shown) - 1)])
        elif self.pointed is not None and key in (
            Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space
        ):  # fmt: skip
            self._choose(self.pointed, event.modifiers())
        elif self.pointed is not None and key == Qt.Key.Key_Escape:
            self.point_at(None)
        else:
            super().keyPressEvent(event)

    def point_at(self, trial_index: int | None, place: QPoint | None = None) -> None:
        """Read a bar out beside a place of the widget, or beside its end; None reads out none."""
        told = None if trial_index is None else told_of(trial_index, self._facts)
        rect = None if trial_index is None else self.bar_rect(trial_index)
        is_other = self.pointed != trial_index
        self.pointed = trial_index if told is not None and rect is not None else None
        if told is None or rect is None:
            self._read_out.hide()
        elif is_other or place is None:
            at = place or QPointF(rect.right(), rect.center().y()).toPoint()
            there = self.mapTo(self._host, at)
            self._read_out.show_at(there, told.icon, told.tone, told.title, told.rows)
        if is_other:
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw lanes, bars, the time axis and now."""
        if self._facts is None or not self.plan.bars:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first, last = self.shown_time()
        is_live = self._facts.state.is_live
        area, theme = self._area(), current_theme()
        now_x = self._x_of(self._now, first, last) if is_live else None
        self._draw_axis(painter, first, last, now_x)
        drawn_for = (first, last, self.size(), self.devicePixelRatioF(), self.plan.lanes)
        if self._picture is None or drawn_for != self._drawn_for:
            self._drawn_for, self._drawn_time = drawn_for, (first, last)
            self._picture = self._past_bars(first)
        painter.drawPixmap(0, 0, self._picture)
        painter.setClipRect(area.adjusted(-1, 0, 1, 0))
        for trial in self._facts.pending:
            place = next(
                (b for b in reversed(self.plan.bars) if b.trial.index == trial.index), None
            )
            if place is not None:
                self._draw_bar(painter, place)
        if self.pointed is not None and (rect := self.bar_rect(self.pointed)) is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("text2"), 1.25))
            painter.drawRoundedRect(rect, px(4), px(4))
        painter.setClipping(False)
        self._name_lanes(painter, area)
        if now_x is not None:
            self._draw_now(painter, now_x)
        if self.hasFocus() and self._is_walked:
            width = 2 if theme.is_high_contrast else 1
            painter.setPen(QPen(theme.color("accent"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            inset = width / 2
            painter.drawRoundedRect(
                QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), px(4), px(4)
            )

    # painting

    def _forget_picture(self) -> None:
        self._picture = None
        self.update()

    def _area(self) -> QRectF:
        left = px(50)
        return QRectF(left, px(2), max(self.width() - left - px(4), 1), self.height() - px(28))

    def _lane_height(self) -> float:
        return min(self._area().height() / self.plan.lanes, px(54))

    def _x_of(self, moment: datetime, first: datetime, last: datetime) -> float:
        area = self._area()
        return area.left() + area.width() * ((moment - first) / (last - first))

    def _in_sight(self, first: datetime) -> list[Bar]:
        """The bars that reach into what is shown, in order of starting."""
        bars = self.plan.bars
        earliest = first - self.plan.longest
        at = bisect_left(bars, earliest, key=lambda bar: bar.start)
        running = [bar for bar in bars[:at] if bar.end is None] if at and self._is_waiting() else []
        return running + [bar for bar in bars[at:] if bar.end is None or bar.end >= first]

    def _is_waiting(self) -> bool:
        return self._facts is not None and bool(self._facts.pending)

    def _rect_of(self, bar: Bar, first: datetime, last: datetime) -> QRectF:
        area, height = self._area(), self._lane_height()
        gap = min(px(3), height * 0.15)
        is_live = self._facts is not None and self._facts.state.is_live
        end = bar.end or (self._now if is_live else max(last, bar.start))
        left = max(self._x_of(bar.start, first, last), area.left())
        right = max(self._x_of(end, first, last) - 1.5, left + 2.0)
        return QRectF(left, area.top() + bar.lane * height + gap, right - left, height - 2 * gap)

    def _past_bars(self, first: datetime) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap((self.size() * ratio).expandedTo(QSize(1, 1)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        self.pictures_drawn += 1
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for bar in self._in_sight(first):
            if bar.end is not None:
                self._draw_bar(painter, bar)
        painter.end()
        return picture

    def _draw_bar(self, painter: QPainter, bar: Bar) -> None:
        facts = self._facts
        if facts is None:
            return
        first, last = self._drawn_time or self.shown_time()
        if bar.end is not None and bar.end < first:
            return
        theme, rect = current_theme(), self._rect_of(bar, first, last)
        line, ground, ink = _bar_look(bar.trial, facts, theme)
        is_selected = bar.trial.index in self._selection.trials
        is_left_out = self._filter is not None and bar.trial.index not in self._filter
        painter.setOpacity(_WASHED_OUT if is_left_out else 1.0)
        radius = min(px(4), rect.height() / 3)
        if bar.end is not None and rect.width() < px(8):
            # There may be hundreds of them: no corners, but ten times as quick.
            painter.fillRect(rect, theme.color("accent" if is_selected else line))
        else:
            painter.setBrush(ground)
            pen = QPen(theme.color("accent"), 2.0) if is_selected else QPen(theme.color(line), 1.25)
            painter.setPen(pen)
            painter.drawRoundedRect(rect.adjusted(0.6, 0.6, -0.6, -0.6), radius, radius)
            if bar.end is None:
                self._draw_rest(painter, bar, rect, self._x_of_rest(bar, first, last))
            self._write_number(painter, bar, rect, ink)
        painter.setOpacity(1.0)

    def _x_of_rest(self, bar: Bar, first: datetime, last: datetime) -> float | None:
        facts = self._facts
        rest = None if facts is None else facts.seconds_left(bar.trial, self._now)
        if facts is None or not rest or not facts.state.is_live:
            return None
        return self._x_of(self._now + timedelta(seconds=rest), first, last)

    def _draw_rest(self, painter: QPainter, bar: Bar, rect: QRectF, right: float | None) -> None:
        if right is None:
            return
        theme, radius = current_theme(), min(px(4), rect.height() / 3)
        right = min(right, self._area().right())
        ahead = QRectF(rect.right() + 1, rect.top(), right - rect.right() - 1, rect.height())
        painter.setPen(QPen(theme.color("live"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(theme.color("live", 20))
        painter.drawRoundedRect(ahead, radius, radius)

    def _write_number(self, painter: QPainter, bar: Bar, rect: QRectF, ink: QColor) -> None:
        painter.setFont(strong_caption())
        metrics = painter.fontMetrics()
        if rect.width() < px(_LEAST_WITH_NUMBER) or rect.height() < metrics.height() * 0.8:
            return
        painter.setPen(ink)
        for text in (f"#{bar.trial.index}", str(bar.trial.index)):
            if metrics.horizontalAdvance(text) + px(6) <= rect.width():
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
                return

    def _name_lanes(self, painter: QPainter, area: QRectF) -> None:
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        height = self._lane_height()
        each = max(int(-(-painter.fontMetrics().height() // max(height, 1.0))), 1)
        for lane in range(0, self.plan.lanes, each):
            place = QRectF(0, area.top() + lane * height, area.left() - px(6), height)
            middle = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextDontClip
            painter.drawText(place, int(middle), f"Slot {lane + 1}")

    def _draw_axis(
        self, painter: QPainter, first: datetime, last: datetime, now_x: float | None
    ) -> None:
        """Draw times as far as they stay clear of "now", whose plate is at x = `now_x`."""
        theme, area = current_theme(), self._area()
        bottom = area.top() + self._lane_height() * self.plan.lanes
        painter.setFont(type_font("caption"))
        metrics = painter.fontMetrics()
        most = int(area.width() / (metrics.horizontalAdvance("00:00") + px(24)))
        for moment, text in time_ticks(first, last, most):
            x, width = self._x_of(moment, first, last), metrics.horizontalAdvance(text)
            painter.setPen(theme.color("grid"))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, bottom))
            is_clear = now_x is None or abs(x - now_x) > width / 2 + px(34)
            if x + width / 2 <= self.width() and is_clear:
                painter.setPen(theme.color("text2"))
                place = QRectF(x - width, bottom + px(4), 2 * width, px(20))
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, text)

    def _draw_now(self, painter: QPainter, x: float) -> None:
        theme, top = current_theme(), self._area().top()
        bottom = top + self._lane_height() * self.plan.lanes
        painter.setPen(QPen(theme.color("plot_ink"), 1.25))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom + px(4)))
        painter.setFont(type_font("head"))
        text = self._now.astimezone().strftime("%H:%M")
        width = painter.fontMetrics().horizontalAdvance(text) + px(12)
        left = min(max(x - width / 2, 0.0), self.width() - width)
        plate = QRectF(left, bottom + px(3), width, px(20))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("plot_ink"))
        painter.drawRoundedRect(plate, px(4), px(4))
        painter.setPen(theme.ink_on("plot_ink"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    def _bar_at(self, place: QPointF) -> Bar | None:
        if self._facts is None or not self.plan.bars:
            return None
        first, last = self.shown_time()
        lane = int((place.y() - self._area().top()) // max(self._lane_height(), 1.0))
        near = [bar for bar in self._in_sight(first) if bar.lane == lane]
        return next(
            (b for b in reversed(near)
             if self._rect_of(b, first, last).adjusted(-1, 0, 1, 0).contains(place)),
            None,
        )  # fmt: skip

    def _choose(self, index: int, modifiers: Qt.KeyboardModifier) -> None:
        is_compared = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        (self._selection.toggle if is_compared else self._selection.select)(index)


def _bar_look(trial: Trial, facts: RunFacts, theme: Theme) -> tuple[str, QColor, QColor]:
    """Line (a token), ground and ink of a bar."""
    key = status_key(trial, facts)
    if trial.status.is_pending:
        waits = STATUS_LOOKS[key].color == "warn"
        fill = "warn_mark" if waits else "live_fill"
        return fill, theme.color(fill), theme.ink_on(fill)
    # A sunken bar would be a hole in a dark card.
    ground = "hover" if theme.is_dark and not theme.is_high_contrast else "sunken"
    if trial.status is TrialStatus.FAILED:
        return "bad", theme.color(ground), theme.color("text2")
    if trial.index in facts.starred:
        return "plot_best", theme.color("plot_best", 60), theme.color("text")
    line = "border" if theme.is_high_contrast else ground
    return line, theme.color(ground), theme.color("text2")


class TimelineCard(Card):
    """The slots, and where there is room below them a list of what runs now.

    Signals:
        options_changed: The operator chose another span of time; carries the options.
    """

    options_changed = Signal(object)

    def __init__(self, selection: Selection) -> None:
        super().__init__("Slots", name="monitor.timeline.card")
        self._facts: RunFacts | None = None
        self._options = MonitorOptions()
        self._now = datetime.now(UTC)
        self.timeline = Timeline(selection)
        self._combo = ComboField(
            [Choice(seconds, word) for seconds, word in SPANS],
            name="monitor.timeline.span", compact=True,
        )  # fmt: skip
        self._combo.setAccessibleName("Time shown")
        self._combo.chosen.connect(self._choose_span)
        self.add_action(self._combo)
        self._empty = EmptyState(
            "rocket", "Nothing launched yet", "Each trial that runs gets a bar here."
        )
        self._running = QWidget()
        rows = QVBoxLayout(self._running)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(px(6))
        rows.addWidget(rule())
        rows.addWidget(label("Running now", "strong"))
        self._rows = [_RunningRow() for _ in range(_MOST_LISTED)]
        for row in self._rows:
            rows.addWidget(row)
        self._more = label("", "small", "text2")
        rows.addWidget(self._more)
        self._content = QWidget()
        inside = QVBoxLayout(self._content)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(px(8))
        inside.addWidget(self.timeline, 100)
        inside.addWidget(self._running)
        inside.addStretch(1)
        self.body.addWidget(self._content, 1)
        self.body.addWidget(self._empty, 1)

    def set_options(self, options: MonitorOptions) -> None:
        """Show it as was chosen."""
        self._options = options
        self._show_span()

    def _choose_span(self, seconds: object) -> None:
        self.set_options(replace(self._options, window=int(str(seconds))))
        self.options_changed.emit(self._options)

    def _show_span(self) -> None:
        mean = None if self._facts is None else self._facts.mean_seconds
        span = self._options.window if self._options.window >= 0 else usual_span(mean)
        self.timeline.set_span(span)
        if self._combo.currentData() != span:
            self._combo.set_value(span)
        self._say_busy()

    def _say_busy(self) -> None:
        mean = None if self._facts is None else self._facts.mean_seconds
        busy = self.timeline.busy()
        parts = [] if busy is None else [f"busy {100 * busy:.0f}\N{NO-BREAK SPACE}%"]
        # The mean goes first where there is no room for both.
        if mean is not None and self.width() >= px(330):
            parts.append(f"{duration(mean)} a trial")
        note = ", ".join(parts)
        if note != self._note.text():
            self.set_title("Slots", note)
            self.timeline.setAccessibleDescription(note)

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show the last run of an experiment."""
        self._facts, self._now = facts, now
        self.timeline.show_facts(facts, now)
        has_bars = bool(self.timeline.plan.bars)
        self._content.setVisible(has_bars)
        self._empty.setVisible(not has_bars)
        self._combo.setVisible(has_bars)
        self.timeline.setMaximumHeight(self.timeline.maximum_height())
        self._show_span()
        self._list_running(now)

    def tick(self, now: datetime) -> None:
        """Let times go on."""
        self._now = now
        self.timeline.tick(now)
        if self._facts is not None and self._facts.pending:
            self._say_busy()
            self._list_running(now)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """List what runs where there is room for it."""
        super().resizeEvent(event)
        self._say_busy()
        self._list_running(self._now)

    def _list_running(self, now: datetime) -> None:
        facts = self._facts
        pending = () if facts is None or not facts.state.is_live else facts.pending
        listed = min(len(pending), _MOST_LISTED)
        needed = px(28) * self.timeline.plan.lanes + px(30) + px(34) + px(26) * listed
        has_room = self.height() - px(60) >= needed
        self._running.setVisible(bool(pending) and has_room)
        if facts is None or not pending or not has_room:
            return
        for place, row in enumerate(self._rows):
            row.setVisible(place < len(pending))
            if place < len(pending):
                row.show_trial(pending[place], facts, now)
        more = len(pending) - _MOST_LISTED
        self._more.setVisible(more > 0)
        self._more.setText(counted(more, "more trial"))


class _RunningRow(QWidget):
    """A trial that runs: its icon, number, time, and how long it still takes."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = IconLabel("circle", "text2", 14)
        self._number = label("", "strong")
        self._time = ElidedLabel("", "small", "text")
        self._left = label("", "small", "text2")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(px(6))
        line.addWidget(self._icon)
        line.addWidget(self._number)
        line.addWidget(self._time, 1)
        line.addWidget(self._left)

    def show_trial(self, trial: Trial, facts: RunFacts, now: datetime) -> None:
        """Show another trial, or how it stands now."""
        look = STATUS_LOOKS[status_key(trial, facts)]
        is_unanswered = trial.index in facts.unanswered
        if is_unanswered:
            time = status_word(trial, facts, now)
        elif trial.status is TrialStatus.RUNNING:
            time = duration(seconds_running(trial, now))
        else:
            time = look.word
        seconds = None if is_unanswered else facts.seconds_left(trial, now)
        left = "any moment" if seconds is None or seconds < 1 else f"about {duration(seconds)} left"
        self._icon.set_icon(look.icon, look.color)
        self._number.setText(f"#{trial.index}")
        set_property(self._time, "tone", look.color if is_unanswered else "text")
        self._time.setText(time)
        self._left.setText("" if seconds is None else left)
