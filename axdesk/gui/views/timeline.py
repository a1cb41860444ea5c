"""The slots over time: which trial occupied which slot, and how long the running ones will take."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.core.trial import Trial, TrialStatus
from axdesk.gui.models.formatting import counted, duration
from axdesk.gui.models.run_facts import RunFacts, seconds_running, status_key, status_word
from axdesk.gui.models.selection import Selection
from axdesk.gui.style import current_theme, px, set_property, theme_manager, type_font
from axdesk.gui.theme import STATUS_LOOKS, Theme
from axdesk.gui.widgets.cards import Card, EmptyState
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, label, rule

_WASHED_OUT = 0.3
"""Opacity of bars that the filter leaves out."""
_MOST_LANES = 12
_MOST_LISTED = 6
_AHEAD = 0.18
"""Share of the width right of "now"."""
_LEAST_WITH_NUMBER = 20
"""A finished bar narrower than this has no room for its number."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One trial in a lane, from `start` to `end` (None: it runs)."""

    trial: Trial
    lane: int
    start: datetime
    end: datetime | None


def lay_out_bars(trials: tuple[Trial, ...], lanes: int) -> list[Bar]:
    """Put trials into lanes: each into the lane that has been free longest."""
    bars: list[Bar] = []
    free_since: list[datetime | None] = [None] * max(lanes, 1)
    started = [(t.started_at or t.staged_at, t) for t in trials]
    timed = sorted(((at, t) for at, t in started if at is not None), key=lambda pair: pair[0])
    for start, trial in timed:
        end = trial.finished_at if trial.status.is_terminal else None
        if trial.status.is_terminal and end is None:
            continue
        fitting = [i for i, since in enumerate(free_since) if since is None or since <= start]
        if fitting:
            lane = min(
                fitting, key=lambda i: (free_since[i] is not None, free_since[i] or start, i)
            )
        else:
            free_since.append(None)  # parallelism was higher before
            lane = len(free_since) - 1
        free_since[lane] = end or datetime.max.replace(tzinfo=UTC)
        bars.append(Bar(trial, lane, start, end))
    return bars


class Timeline(QWidget):
    """Lanes of bars with "now" as a line; a click selects, with Ctrl it compares."""

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self._selection = selection
        self._filter: frozenset[int] | None = None
        self.setObjectName("monitor.timeline")
        self.setAccessibleName("Slots")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self._facts: RunFacts | None = None
        self._bars: list[Bar] = []
        self._lanes = 1
        self._now = datetime.now(UTC)
        self._shown: list[tuple[QRectF, Bar]] = []
        theme_manager().changed.connect(self.updateGeometry)
        selection.changed.connect(self.update)

    def set_filter(self, shown: frozenset[int] | None) -> None:
        """Wash out all trials but these, by index; None washes out none."""
        self._filter = shown
        self.update()

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show the last run of an experiment."""
        self._facts, self._now = facts, now
        parallelism = facts.run.settings.parallelism if facts.run else 1
        self._bars = lay_out_bars(facts.of_run, parallelism)
        used = max((bar.lane for bar in self._bars), default=0) + 1
        self._lanes = min(max(parallelism, used), _MOST_LANES)
        self.update()

    def tick(self, now: datetime) -> None:
        """Let the running bars grow."""
        self._now = now
        if self._facts is not None and self._facts.state.is_live:
            self.update()

    def sizeHint(self) -> QSize:
        """Lanes of usual height."""
        return QSize(px(320), px(28) * self._lanes + px(30))

    def minimumSizeHint(self) -> QSize:
        """Lanes that can still be told apart."""
        return QSize(px(160), px(16) * self._lanes + px(26))

    def maximum_height(self) -> int:
        """The height beyond which lanes would only grow fat."""
        return px(54) * self._lanes + px(30)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select the trial of a bar."""
        bar = self._bar_at(event.position())
        if bar is not None:
            with_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            (self._selection.toggle if with_ctrl else self._selection.select)(bar.trial.index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell what a bar stands for."""
        bar = self._bar_at(event.position())
        tip = ""
        if bar is not None and self._facts is not None:
            word = status_word(bar.trial, self._facts, self._now).lower()
            took = duration(seconds_running(bar.trial, self._now))
            tip = f"#{bar.trial.index} {word}, {took}"
        self.setToolTip(tip)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw lanes, bars, the time axis and now."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._shown = []
        if self._facts is None or not self._bars:
            return
        area = self._area()
        first, last = self._window()
        span = max((last - first).total_seconds(), 1.0)

        def x_of(moment: datetime) -> float:
            return area.left() + area.width() * (moment - first).total_seconds() / span

        lane_height = min(area.height() / self._lanes, px(54))
        is_live = self._facts.state.is_live
        taken = x_of(self._now) if is_live else None
        self._draw_axis(painter, area, (first, last), lane_height * self._lanes, taken)
        font = type_font("head")
        font.setPointSizeF(type_font("caption").pointSizeF())
        painter.setFont(font)
        for bar in self._bars:
            if bar.lane >= self._lanes:
                continue
            top = area.top() + bar.lane * lane_height + px(3)
            end = bar.end or (self._now if is_live else max(last, bar.start))
            left, right = max(x_of(bar.start), area.left()), x_of(end)
            if right < area.left():
                continue
            rect = QRectF(left, top, max(right - left - 1.5, 2.0), lane_height - px(6))
            is_left_out = self._filter is not None and bar.trial.index not in self._filter
            painter.setOpacity(_WASHED_OUT if is_left_out else 1.0)
            self._draw_bar(painter, bar, rect, x_of)
            self._shown.append((rect, bar))
        painter.setOpacity(1.0)
        painter.setFont(type_font("caption"))
        painter.setPen(current_theme().color("text2"))
        for lane in range(self._lanes):
            place = QRectF(0, area.top() + lane * lane_height, area.left() - px(6), lane_height)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, f"Slot {lane + 1}")
        if is_live:
            self._draw_now(
                painter, x_of(self._now), area.top(), area.top() + lane_height * self._lanes
            )

    def _area(self) -> QRectF:
        left = px(50)
        return QRectF(left, px(2), self.width() - left - px(4), self.height() - px(28))

    def _window(self) -> tuple[datetime, datetime]:
        facts = self._facts
        if facts is None:
            return self._now, self._now
        ends = [bar.end for bar in self._bars if bar.end is not None]
        last = self._now if facts.state.is_live else max(ends, default=self._now)
        first = min(bar.start for bar in self._bars)
        mean = facts.mean_seconds or 0.0
        # The trials of the last few rounds: older ones would make all bars slivers.
        longest = timedelta(seconds=max(8 * mean, 30.0))
        first = max(first, last - longest)
        span = last - first
        return first, last + (span * _AHEAD if facts.state.is_live else span * 0.01)

    def _draw_bar(
        self, painter: QPainter, bar: Bar, rect: QRectF, x_of: Callable[[datetime], float]
    ) -> None:
        facts = self._facts
        if facts is None:
            return
        theme = current_theme()
        line, ground, ink = _bar_look(bar.trial, facts, theme)
        radius = px(4)
        if bar.end is not None and rect.width() < px(_LEAST_WITH_NUMBER):
            # There may be hundreds of them: no corners, but ten times as quick.
            is_selected = bar.trial.index in self._selection.trials
            painter.fillRect(rect, theme.color("accent" if is_selected else line))
            return
        painter.setBrush(ground)
        is_selected = bar.trial.index in self._selection.trials
        painter.setPen(
            QPen(theme.color("accent"), 2.0) if is_selected else QPen(theme.color(line), 1.25)
        )
        painter.drawRoundedRect(rect.adjusted(0.6, 0.6, -0.6, -0.6), radius, radius)
        rest = facts.seconds_left(bar.trial, self._now) if bar.end is None else None
        if rest and facts.state.is_live:
            right = x_of(self._now + timedelta(seconds=rest))
            ahead = QRectF(rect.right() + 1, rect.top(), right - rect.right() - 1, rect.height())
            painter.setPen(QPen(theme.color("live"), 1, Qt.PenStyle.DashLine))
            painter.setBrush(theme.color("live", 20))
            painter.drawRoundedRect(ahead, radius, radius)
        painter.setPen(ink)
        metrics = painter.fontMetrics()
        for text in (f"#{bar.trial.index}", str(bar.trial.index)):
            if metrics.horizontalAdvance(text) + px(6) <= rect.width():
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, text)
                return

    def _draw_axis(
        self, painter: QPainter, area: QRectF, window: tuple[datetime, datetime], height: float,
        taken: float | None,
    ) -> None:  # fmt: skip
        """Draw times as far as they stay clear of "now", whose plate is at x = `taken`."""
        first, last = window
        theme = current_theme()
        painter.setFont(type_font("caption"))
        metrics = painter.fontMetrics()
        span = (last - first).total_seconds()
        room = max(area.width() / (metrics.horizontalAdvance("00:00:00") + px(24)), 1)
        steps = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
        step = next((s for s in steps if span / s <= room), 7 * 86400)
        pattern = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
        local = first.astimezone()
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        count = int((local - midnight).total_seconds() // step) + 1
        moment = midnight + timedelta(seconds=count * step)
        while moment <= last:
            x = area.left() + area.width() * (moment - first).total_seconds() / span
            painter.setPen(theme.color("grid"))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.top() + height))
            text = moment.strftime(pattern)
            width = metrics.horizontalAdvance(text)
            is_clear = taken is None or abs(x - taken) > width / 2 + px(26)
            if x + width / 2 <= self.width() and is_clear:
                painter.setPen(theme.color("text2"))
                place = QRectF(x - width, area.top() + height + px(4), 2 * width, px(20))
                painter.drawText(place, Qt.AlignmentFlag.AlignHCenter, text)
            moment += timedelta(seconds=step)

    def _draw_now(self, painter: QPainter, x: float, top: float, bottom: float) -> None:
        theme = current_theme()
        painter.setPen(QPen(theme.color("plot_ink"), 1.25))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom + px(4)))
        painter.setFont(type_font("head"))
        text = self._now.astimezone().strftime("%H:%M")
        width = painter.fontMetrics().horizontalAdvance(text) + px(12)
        plate = QRectF(x - width / 2, bottom + px(3), width, px(20))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("plot_ink"))
        painter.drawRoundedRect(plate, px(4), px(4))
        painter.setPen(theme.ink_on("plot_ink"))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)

    def _bar_at(self, place: QPointF) -> Bar | None:
        return next((bar for rect, bar in self._shown if rect.contains(place)), None)


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
    """The slots, and a list of what runs now."""

    def __init__(self, selection: Selection) -> None:
        super().__init__("Slots", name="monitor.timeline.card")
        self._facts: RunFacts | None = None
        self.timeline = Timeline(selection)
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
        inside.addWidget(self.timeline, 3)
        inside.addWidget(self._running)
        inside.addStretch(1)
        self.body.addWidget(self._content, 1)
        self.body.addWidget(self._empty, 1)

    def show_facts(self, facts: RunFacts, now: datetime) -> None:
        """Show the last run of an experiment."""
        self._facts = facts
        has_bars = any(t.staged_at is not None for t in facts.of_run)
        self._content.setVisible(has_bars)
        self._empty.setVisible(not has_bars)
        self.timeline.show_facts(facts, now)
        self.timeline.setMaximumHeight(self.timeline.maximum_height())
        mean = facts.mean_seconds
        self.set_title("Slots", "" if mean is None else f"{duration(mean)} a trial")
        self._list_running(now)

    def tick(self, now: datetime) -> None:
        """Let times go on."""
        self.timeline.tick(now)
        if self._facts is not None and self._facts.pending:
            self._list_running(now)

    def _list_running(self, now: datetime) -> None:
        facts = self._facts
        pending = () if facts is None or not facts.state.is_live else facts.pending
        self._running.setVisible(bool(pending))
        if facts is None or not pending:
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
