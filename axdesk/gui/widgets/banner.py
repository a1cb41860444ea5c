"""The banner: what state the run is in, what happens next, and the four figures that matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSizePolicy, QVBoxLayout, QWidget

from axdesk.gui.style import current_theme, px, set_property, theme_manager
from axdesk.gui.theme import run_state_look
from axdesk.gui.widgets.buttons import Button
from axdesk.gui.widgets.labels import ElidedLabel, IconLabel, Tile, label

MOST_SEGMENTS = 60
"""Above this many trials the segments merge into one bar."""


_MOST_WORDS = 480
"""Pixels at a 16 pixel line; so much of what happens next matters more than two of the figures."""


class Segment(StrEnum):
    """What became of one trial of the budget."""

    DONE = "done"
    FAILED = "failed"
    NOT_ANSWERING = "not answering"
    RUNNING = "running"
    LEFT = "left"


def progress_segments(
    finished: Sequence[Segment], running: Sequence[Segment], budget: int
) -> tuple[Segment, ...]:
    """One segment for each trial of the budget.

    Args:
        finished: `DONE` or `FAILED`, in order of finishing.
        running: `RUNNING` or `NOT_ANSWERING`; those that do not answer are put first.
        budget: How many trials there are to be; more trials than that lengthen the row.
    """
    waiting = sorted(running, key=lambda segment: segment is not Segment.NOT_ANSWERING)
    left = max(budget - len(finished) - len(waiting), 0)
    return (*finished, *waiting, *(Segment.LEFT,) * left)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the banner: a bold value and what it is measured against.

    `tooltip` gives the rule behind it in words.
    """

    caption: str
    value: str
    detail: str = ""
    tooltip: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BannerContent:
    """All that the banner says.

    `state` is a key of `theme.RUN_STATE_LOOKS`; an empty `segments` hides the progress, a None
    figure is hidden; `button` appears only where the next step is the operator's.
    """

    state: str
    name: str
    next_step: str
    segments: tuple[Segment, ...] = ()
    slots: Figure | None = None
    failed: Figure | None = None
    end: Figure | None = None
    best: Figure | None = None
    button: str = ""
    button_icon: str = "arrow-right"


class ProgressBar(QWidget):
    """The budget: a segment a trial in order of finishing, or one stacked bar for many trials."""

    def __init__(self) -> None:
        super().__init__()
        self._segments: tuple[Segment, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme_manager().changed.connect(self.updateGeometry)

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Show other segments."""
        self._segments = tuple(segments)
        self.update()

    def blocks(self) -> list[tuple[Segment, int]]:
        """What is drawn, as (kind, trials): one block a trial, or one a kind above 60 trials."""
        if len(self._segments) <= MOST_SEGMENTS:
            return [(segment, 1) for segment in self._segments]
        counts = [(kind, self._segments.count(kind)) for kind in Segment]
        return [(kind, count) for kind, count in counts if count]

    def sizeHint(self) -> QSize:
        """The height of one row of segments."""
        return QSize(px(300), px(9))

    def minimumSizeHint(self) -> QSize:
        """The least width at which segments can be told apart."""
        return QSize(px(160), px(9))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the segments."""
        blocks = self.blocks()
        if not blocks:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        stacked = len(self._segments) > MOST_SEGMENTS
        gap = 1.0 if stacked or self.width() / len(blocks) < px(6) else 2.0
        unit = (self.width() + gap) / len(self._segments)
        x = 0.0
        for kind, count in blocks:
            self._draw(painter, QRectF(x, 0, max(unit * count - gap, 1.0), self.height()), kind)
            x += unit * count

    @staticmethod
    def _draw(painter: QPainter, rect: QRectF, kind: Segment) -> None:
        theme = current_theme()
        radius = min(px(2), rect.width() / 3)
        if kind is Segment.RUNNING:
            painter.setPen(QPen(theme.color("live"), 1.25))
            painter.setBrush(theme.color("live", 70))
            rect = rect.adjusted(0.6, 0.6, -0.6, -0.6)
        elif kind is Segment.LEFT and theme.is_high_contrast:
            painter.setPen(theme.color("border"))
            painter.setBrush(theme.color("surface"))
            rect = rect.adjusted(0.5, 0.5, -0.5, -0.5)
        else:
            token = {
                Segment.DONE: "plot_dot",
                Segment.FAILED: "bad",
                Segment.NOT_ANSWERING: "warn_mark",
                Segment.LEFT: "border_soft" if theme.is_dark else "border",
            }[kind]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(token))
        painter.drawRoundedRect(rect, radius, radius)


class _FigureView(QWidget):
    """Caption above value."""

    def __init__(self, name: str, icon_name: str = "", tone: str = "text") -> None:
        super().__init__()
        self.setObjectName(name)
        self._caption = label("", "caption", "text2")
        self._value = label("", "section")
        self._detail = label("", "small", "text2")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(px(10), 0, 0, 0)
        layout.setSpacing(0)
        line = QHBoxLayout()
        line.setSpacing(px(5))
        if icon_name:
            line.addWidget(IconLabel(icon_name, tone))
        line.addWidget(self._value)
        line.addWidget(self._detail)
        line.addStretch(1)
        layout.addStretch(1)
        layout.addWidget(self._caption)
        layout.addLayout(line)
        layout.addStretch(1)

    def show_figure(self, figure: Figure) -> None:
        self._caption.setText(figure.caption)
        self._value.setText(figure.value)
        self._detail.setText(figure.detail)
        self._detail.setVisible(bool(figure.detail))
        self.setToolTip(figure.tooltip)
        self.setAccessibleName(f"{figure.caption}: {figure.value} {figure.detail}".strip())


class _Progress(QWidget):
    """The count in words above the bar."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status.banner.progress")
        self._finished = label("", "strong")
        self._of = label("", "small", "text2")
        self._left = label("", "small", "text2")
        self.bar = ProgressBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(px(4))
        line = QHBoxLayout()
        line.setSpacing(px(5))
        for part in (self._finished, self._of):
            line.addWidget(part)
        line.addStretch(1)
        line.addWidget(self._left)
        layout.addLayout(line)
        layout.addWidget(self.bar)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_segments(self, segments: tuple[Segment, ...]) -> None:
        finished = segments.count(Segment.DONE) + segments.count(Segment.FAILED)
        left = segments.count(Segment.LEFT)
        self._finished.setText(str(finished))
        self._of.setText(f"of {len(segments)} finished")
        self._left.setText(f"{left} left" if left else "")
        self._fit()
        self.bar.set_segments(segments)
        running = len(segments) - finished - left
        self.setAccessibleName(
            f"{finished} of {len(segments)} finished, {running} running, {left} left"
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out how many are left where there is no room for it."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        need = sum(part.sizeHint().width() + px(5) for part in (self._finished, self._of))
        self._left.setVisible(need + self._left.sizeHint().width() <= self.width())


class Banner(QWidget):
    """The band above the docks that always tells the state of the run that is open.

    Signals:
        button_clicked: The operator pressed the button at the right end.
    """

    button_clicked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("status.banner")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._content = BannerContent(state="draft", name="", next_step="")
        self._tile = Tile("pencil", "idle")
        self._state = label("", "section")
        self._state.setObjectName("status.banner.state")
        self._name = ElidedLabel("", "section")
        self._name.setProperty("type", "name")
        self._next = ElidedLabel("", "small", "text2")
        self._next.setObjectName("status.banner.next")
        self._progress = _Progress()
        self._figures = {
            "slots": _FigureView("status.banner.slots"),
            "failed": _FigureView("status.banner.failed"),
            "end": _FigureView("status.banner.end"),
            "best": _FigureView("status.banner.best", "star-filled", "plot_best"),
        }
        self._button = Button("", name="status.banner.button")
        self._button.clicked.connect(lambda: self.button_clicked.emit())
        self._lay_out()
        theme_manager().changed.connect(self._arrange)
        self.show_content(self._content)

    def show_content(self, content: BannerContent) -> None:
        """Show `content`; a new state or next step is announced to screen readers."""
        before, self._content = self._content, content
        look = run_state_look(content.state)
        self._tile.set_look(look.icon, look.color)
        self._state.setText(look.word)
        set_property(self._state, "tone", "text" if look.color == "idle" else look.color)
        self._name.setText(content.name)
        self._next.setText(content.next_step)
        self._progress.show_segments(content.segments)
        for key, view in self._figures.items():
            figure: Figure | None = getattr(content, key)
            if figure is not None:
                view.show_figure(figure)
        self._button.setText(content.button)
        self._button.setAccessibleName(content.button)
        self._button.set_icon(content.button_icon)
        spoken = f"{look.word}: {content.name}. {content.next_step}"
        self.setAccessibleName(spoken)
        if (before.state, before.next_step) != (content.state, content.next_step):
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, spoken))
        self._arrange()
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as it may be, one banner high."""
        return QSize(px(1400), px(62))

    def minimumSizeHint(self) -> QSize:
        """Narrow windows shorten the sentence and drop figures instead of growing."""
        return QSize(px(480), px(62))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Choose what fits."""
        super().resizeEvent(event)
        self._arrange()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the tint of the state, or in high contrast a bar at the left edge."""
        theme = current_theme()
        color = run_state_look(self._content.state).color
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color(f"{color}_tint"))
        if theme.is_high_contrast:
            painter.fillRect(0, 0, 6, self.height(), theme.color(color))

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        layout.setContentsMargins(px(14), 0, px(14), 0)
        layout.setSpacing(px(12))
        layout.addWidget(self._tile)
        words = QVBoxLayout()
        words.setSpacing(px(1))
        line = QHBoxLayout()
        line.setSpacing(px(8))
        line.addWidget(self._state)
        line.addWidget(self._name, 1)
        words.addStretch(1)
        words.addLayout(line)
        words.addWidget(self._next)
        words.addStretch(1)
        layout.addLayout(words, 1)
        layout.addWidget(self._progress)
        for view in self._figures.values():
            layout.addWidget(view)
        layout.addWidget(self._button)
        self._row = layout

    def _arrange(self) -> None:
        """Show progress, figures and button as far as the width goes round.

        First the segments shrink to 160, then "ends about" and "slots busy" move to the tooltip,
        and at last the segments go. State, sentence, failures and best never go.
        """
        content = self._content
        given = {key for key in self._figures if getattr(content, key) is not None}
        self._button.setVisible(bool(content.button))
        gap = self._row.spacing()
        words = max(px(200), self._state.sizeHint().width() + px(44))
        # The sentence matters more than when it ends and how many slots are busy.
        words = max(words, min(self._next.sizeHint().width(), px(_MOST_WORDS)))
        need = px(14) * 2 + self._tile.sizeHint().width() + gap + words
        need += px(160) + gap if content.segments else 0
        need += self._button.sizeHint().width() + gap if content.button else 0
        widths = {key: self._figures[key].sizeHint().width() + gap for key in given}
        shown = set(given)
        for key in ("end", "slots"):
            if need + sum(widths[other] for other in shown) > self.width():
                shown.discard(key)
        for key, view in self._figures.items():
            view.setVisible(key in shown)
        spare = self.width() - need - sum(widths[key] for key in shown)
        self._progress.setVisible(bool(content.segments) and spare >= 0)
        title = self._state.sizeHint().width() + px(8) + self._name.sizeHint().width()
        spare -= max(min(title - words, px(140)), self._next.sizeHint().width() - words, 0)
        self._progress.setFixedWidth(px(160) + min(max(spare, 0), px(142)))
        hidden = [getattr(content, key) for key in self._figures if key in given - shown]
        self.setToolTip("\n".join(f"{f.caption}: {f.value} {f.detail}".strip() for f in hidden))
